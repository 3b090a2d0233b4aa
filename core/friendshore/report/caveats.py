"""Caveats of a run, each with its code: stale prices, exposure, late orders, and other notes."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from ..document import elements as doc
from ..document.figures import count, large_money, mass, money, percent, relaxation_texts, rounded_money
from ..domain import assumption_codes as codes
from ..domain.base import grouped
from ..domain.run import Run, RunDoubt, RunLimit
from ..domain.unmet import RunConflict
from ..domain.used import (
    ChangedRule,
    DatedStatus,
    PackedRule,
    PriceDate,
    RunPriceDate,
    aged,
    days_since,
    is_stale,
    rule_changes_since_review,
)
from ..questions.wording import mass_of
from .cash import is_duty_told, stock_note
from .demand import hidden_by_periods, only_by_periods
from .ground import blocked_plugins, floor_lines
from .mix import cost_of, in_orders, kilograms_of, unusable_lots

_FEW = 3
"""Number of items of a kind in short texts. The others are counted."""
_MAX_DATED_PRICES = 10


class Caveat(NamedTuple):
    """Something to know before relying on a plan."""

    code: str
    """Stable code of this kind of caveat. Empty for an assumption, which has its own."""
    text: str
    stake: Decimal = Decimal(0)
    """Money that the caveat concerns, as far as it is known."""

    @property
    def with_code(self) -> str:
        """Text with the code in parentheses, before the final period if there is one."""
        if not self.code:
            return self.text
        text = self.text.removesuffix(".")
        return f"{text} ({self.code}){self.text[len(text) :]}"


def not_advice() -> doc.Section:
    text = "Not legal advice: the rules are a reading of the law, as of the days stated. Ask counsel before you rely on them."
    return doc.apart(doc.sentence(text, tone=doc.Tone.ASIDE))


def _conflict_lines(run: Run) -> Iterator[str]:
    for part in run.conflicts:
        rules = (f"{rule}: {text.rstrip('.')}" for rule, text in zip(part.rules, part.sentences, strict=False))
        materials = ", ".join(part.materials)
        yield Caveat("FS830", f"{_listed_rules(rules)}. Nothing is planned for {materials}.").with_code
        yield from floor_lines(part)


def _listed_rules(rules: Iterable[str]) -> str:
    return "; ".join(rules) or "the facts themselves"


def _old_data(run: Run) -> Iterator[Caveat]:
    stale = [
        f"{p.kind} {p.name}, {aged(p.as_of, run.planned_on)}" for p in run.plugins if is_stale(p.as_of, run.planned_on)
    ]
    if stale:
        text = f"Old data: {few(stale, '; ')}. Law, prices, plants, and owners may have changed since"
        yield Caveat("FS831", text, run.cost.nominal)


def turned_rules(run: Run) -> Iterator[ChangedRule]:
    """Yield the rules with a phase that began or ended between the review of their pack and the run."""
    rules = (PackedRule(rule.id, rule.pack, [*map(DatedStatus.read, rule.phases)]) for rule in run.rules)
    yield from rule_changes_since_review(rules, run.plugins, run.planned_on)


def noted_packs(run: Run) -> Iterator[str]:
    noted = grouped((row.subject, row.text) for row in run.assumptions)
    for plugin in run.plugins:
        texts = noted.get(f"{plugin.kind} {plugin.name}", ()) if plugin.kind == "pack" else ()
        if texts:
            yield f"{plugin.name}, {aged(plugin.as_of, run.planned_on)}: {'; '.join(texts)}"


BEFORE_ALL = {
    codes.UNEXAMINED: "No origin rule",
    codes.NOT_ASKED: "Law checked only in part",
    codes.ACCEPTED: "Accepted by the case",
    codes.COUNTED_TWICE: "Possibly counted twice",
    codes.NO_DUTY: "No duty charged",
    codes.HIGHEST_DUTY: "Duty estimated",
    codes.IDLE_LIMIT: "Limit without demand",
    codes.DUTY_ON_FEE: "Duty on the fee alone",
}
"""Titles of the assumptions that a reader of a mix must know, by code. A plan is compliant only if those on origin and evidence are right.
They cover goods without a rule of origin, evidence accepted beyond the usual, capacity that two catalogs may both count, unknown duties, and
limits without demand.
"""


def unexamined(run: Run) -> doc.Section | None:
    """Return the goods without a rule of origin. No short form of an answer may omit them."""
    texts = [row.text for row in run.assumptions if row.kind == codes.UNEXAMINED]
    return doc.section_if_any(BEFORE_ALL[codes.UNEXAMINED], doc.notes(texts, doc.Tone.DOUBTFUL))


def conflict_section(run: Run) -> doc.Section | None:
    """Return the hard rules that conflict. On a screen, each conflict is named or counted."""
    return doc.section_if_any(
        "Conflicting hard rules",
        doc.for_whole(doc.notes(_conflict_lines(run), doc.Tone.BAD)),
        doc.for_screen(doc.notes(_most(map(_conflict, run.conflicts), 2, "more conflict"), doc.Tone.BAD)),
    )


def relaxed_section(run: Run) -> doc.Section | None:
    """Return the hard limits that the plan doesn't keep, with what would have to change in them. No short form of an answer may omit them."""
    texts = [f"To follow this plan, {text}" for text in relaxation_texts(run.relaxed)]
    return doc.section_if_any("Limits that can't be kept", doc.notes(texts, doc.Tone.BAD))


def warnings(run: Run) -> doc.Section | None:
    texts = (caveat.with_code for caveat in _warnings(run))
    return doc.section_if_any("Before you rely on this plan", doc.notes(texts, doc.Tone.DOUBTFUL))


def caveat_data(run: Run) -> list[dict[str, str]]:
    return [{"code": caveat.code, "text": caveat.text} for caveat in _warnings(run)]


def _warnings(run: Run) -> Iterator[Caveat]:
    yield from _old_data(run)
    for turned in turned_rules(run):
        yield Caveat("FS832", f"Rule whose status changed after its last review: {turned}.")
    if old_prices := stale_line(run):
        yield Caveat("FS833", f"Old prices: {old_prices}.")
    for text in noted_packs(run):
        yield Caveat("FS834", f"Rule pack made for this case: {text}.")
    for code, title in BEFORE_ALL.items():
        yield from (Caveat(code, f"{title}: {row.text}") for row in run.assumptions if row.kind == code)
    yield from exposures(run)
    yield from _prohibited_lots(run)
    for text in only_by_periods(run):
        yield Caveat("FS837", f"{text}.")
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
        offers = count(len({price_range.offer for price_range in run.ranges}), "offer")
        text = f"Prices of {offers} are ranges. At their ends, the same purchases would cost {low} to {high}, not discounted."
        yield Caveat("FS839", text)
    if run.assumptions:
        yield Caveat("FS840", f"Based on {count(len(run.assumptions), 'assumption')}, which are all in the run.")
    if run.leads:
        offers = count(len(run.leads), "offer")
        yield Caveat("FS841", f"{offers} not counted, because no source gives a capacity or price.")
    if run.unproven:
        offers = count(len({row.offer for row in run.unproven}), "offer")
        yield Caveat("FS842", f"{offers} excluded from some uses only because an origin or a license isn't proved.")


def _prohibited_lots(run: Run) -> Iterator[Caveat]:
    for text in unusable_lots(run):
        yield Caveat("FS836", f"Paid for, but prohibited for all uses that need it: {text}.")


def _doubt(doubt: RunDoubt) -> str:
    """Return a doubt in words: `from 2026-11-28 on: resumes unless extended`."""
    return f"{_days(doubt)}: {' '.join(doubt.note.split()).rstrip('.')}" if doubt.note else _days(doubt)


def _days(doubt: RunDoubt) -> str:
    if doubt.start and doubt.end:
        return f"from {doubt.start} to {doubt.end}"
    if doubt.start:
        return f"from {doubt.start} on"
    return f"until {doubt.end}" if doubt.end else "on any day"


def _conflict(part: RunConflict) -> str:
    pairs = zip(part.rules, part.sentences, strict=False)
    rules = [f"{rule}: {sentence.rstrip('.')}" for rule, sentence in pairs]
    text = f"{few(rules, '; ') or _listed_rules(())}. Nothing is planned for {few(part.materials)}"
    later = [f"{rule} can be satisfied from {day} on" for rule, day in part.feasible_from.items()]
    return f"{text}. {few(later, '; ')} (`--full` shows the change)" if later else text


def caveats(run: Run) -> tuple[Sequence[str], str]:
    """Return the caveats with the most money at stake for a screen, and the topics of the others in one text."""
    by_stake = sorted(_caveats(run), key=lambda caveat: -caveat.stake)
    topics = dict.fromkeys(caveat.text.partition(":")[0] for caveat in by_stake[_FEW:])
    others = f"Also (--full): {few([*topics], '; ')}." if topics else ""
    return [caveat.text for caveat in by_stake[:_FEW]], others


def _caveats(run: Run) -> Iterator[Caveat]:
    yield from _old_data(run)
    if rules := list(dict.fromkeys(turned.rule for turned in turned_rules(run))):
        yield Caveat("FS832", f"Rules whose status changed after their last review: {few(rules, most=1)} (`--full`)")
    if old_prices := stale_line(run, 1):
        spent = sum((price.cost for price in _stale_prices(run)), Decimal(0))
        yield Caveat("FS833", f"Old prices: {old_prices} (`--full`)", spent)
    for text in _most(noted_packs(run), 1, "more pack made for the case", "more packs made for the case"):
        yield Caveat("FS834", text)
    yield from _assumed(run)
    at_risk = (caveat.text for caveat in exposures(run, shortly=True))
    for text in _most(at_risk, 1, "more rule of unknown status", "more rules of unknown status"):
        yield Caveat("FS835", text, max(row.cost for row in run.exposed))
    lots = (caveat.text.removesuffix(".") for caveat in _prohibited_lots(run))
    for text in _most(lots, 1, "more such lot"):
        yield Caveat("FS836", text)
    yield from _late_orders(run)
    yield from _urgent_orders(run)
    for text in only_by_periods(run, 1):
        yield Caveat("FS837", text)
    for text in hidden_by_periods(run):
        yield Caveat("FS838", text)
    yield from _missed(run)
    yield from _ties(run)
    if run.levels:
        levels = few([level.sentence for level in run.levels], "; ")
        yield Caveat("FS848", f"Objectives in order: {levels}")
    if run.changes and not run.scenario:
        yield Caveat("FS849", f"Changes to the case: {few(run.changes, '; ')}")
    yield from _leftovers(run)
    blocked = (f"Planned {text}" for text in blocked_plugins(run))
    for text in _most(blocked, 1, "more plugin blocked", "more plugins blocked"):
        yield Caveat("FS851", text)
    yield Caveat("FS840", _basis(run))


def _assumed(run: Run) -> Iterator[Caveat]:
    """Yield the assumptions in `BEFORE_ALL`, without repeating their titles."""
    briefs = grouped((row.kind, row.brief) for row in run.assumptions)
    unexamined = sum((demand.cash for demand in run.demands if not demand.origin_rules), Decimal(0))
    for goods in briefs.get(codes.UNEXAMINED, ()):
        yield Caveat("", f"No origin rule {run.names.in_text(goods)}. Any country of origin passes", unexamined)
    if codes.NOT_ASKED in briefs:
        yield Caveat("", f"{BEFORE_ALL[codes.NOT_ASKED]}: {few(briefs[codes.NOT_ASKED], '; ', 1)}")
    if codes.ACCEPTED in briefs:
        yield Caveat("", f"{BEFORE_ALL[codes.ACCEPTED]}: {'; '.join(briefs[codes.ACCEPTED])}")
    twice = (f"{BEFORE_ALL[codes.COUNTED_TWICE]}: {text}" for text in briefs.get(codes.COUNTED_TWICE, ()))
    for text in _most(twice, 1, "more possibly counted twice", "more possibly counted twice"):
        yield Caveat("", text)
    if codes.NO_DUTY in briefs:
        yield Caveat("", f"{BEFORE_ALL[codes.NO_DUTY]}, no tariff line known: {few(briefs[codes.NO_DUTY])}")
    if codes.HIGHEST_DUTY in briefs:
        yield _estimated_duties(run, briefs[codes.HIGHEST_DUTY])
    if is_duty_told(run):
        makers = list(dict.fromkeys(run.names.offer(one.offer) for one in run.purchases if one.duty_on_inputs))
        more = large_money(run.duty_on_inputs, run.currency)
        text = (
            f"{BEFORE_ALL[codes.DUTY_ON_FEE]} (*): with the duty on supplied inputs, it is {more} more: {few(makers)}"
        )
        yield Caveat("", text, run.duty_on_inputs)
    idle = (f"{BEFORE_ALL[codes.IDLE_LIMIT]}: {text}" for text in briefs.get(codes.IDLE_LIMIT, ()))
    for text in _most(idle, 1, "more such limit", "more such limits"):
        yield Caveat("", text)


def _estimated_duties(run: Run, offers: Sequence[str]) -> Caveat:
    bought = {offer: [purchase for purchase in run.purchases if purchase.offer == offer] for offer in offers}
    duties = {offer: sum((purchase.charges for purchase in bought[offer]), Decimal(0)) for offer in offers}
    names = [
        f"{run.names.offer(offer)} {run.currency} {money(duty / kilograms_of(bought[offer]))}/kg" if duty else offer
        for offer, duty in duties.items()
    ]
    text = f"{BEFORE_ALL[codes.HIGHEST_DUTY]}, the highest for any country: {few(names)}. Ask where it was last processed, and state `customs_origin`"
    return Caveat("", text, sum(duties.values(), Decimal(0)))


def _late_orders(run: Run) -> Iterator[Caveat]:
    """Yield the orders whose last day has passed before the plan can be executed."""
    late = [purchase for purchase in run.purchases if purchase.late_days]
    if late:
        latest = max(late, key=lambda purchase: purchase.late_days)
        day = latest.order_by + timedelta(days=latest.late_days)
        orders, delay = len(in_orders(late)), count(latest.late_days, "day")
        delay = delay if orders == 1 else f"up to {delay}"
        text = f"Late by {delay}: {count(orders, 'order')} due before {day} would arrive later"
        yield Caveat("FS843", text, cost_of(late))


def _urgent_orders(run: Run) -> Iterator[Caveat]:
    urgent = [purchase for purchase in run.purchases if purchase.at_once]
    if urgent:
        orders = count(len({(p.offer, p.material, p.place, p.ordered) for p in urgent}), "order")
        materials = list(dict.fromkeys(run.names.material(purchase.material) for purchase in urgent))
        text = f"Short until they arrive: {orders} to place at once, as marked ({few(materials, most=2)})"
        yield Caveat("FS844", text, cost_of(urgent))


def _ties(run: Run) -> Iterator[Caveat]:
    """Yield the materials for which other orders or offers cost the same."""
    if run.not_tie_broken:
        materials = few(run.not_tie_broken)
        text = f"Ties not broken: {materials}. Other orders may cost the same, and be steadier or of less concern"
        yield Caveat("FS846", text)
    exchangeable = list(dict.fromkeys(row.material for row in run.exchangeable))
    if exchangeable:
        names = [run.names.material(material) for material in exchangeable]
        yield Caveat("FS847", f"Interchangeable offers at the same cost: {few(names, most=1)} (`--full`)")


def exposures(run: Run, *, shortly: bool = False) -> Iterator[Caveat]:
    """Yield the purchases that rules of unknown status would prohibit, the most expensive first. `shortly` leaves out notes and materials."""
    for row in sorted(run.exposed, key=lambda row: (-row.cost, row.rule)):
        materials = [f"{run.names.material(name)} {mass_of(run.names, name, kg)}" for name, kg in row.materials.items()]
        days = (
            few([_days(doubt) for doubt in row.unknown]) if shortly else "; ".join(map(_doubt, row.unknown))
        ) or "on some day"
        rule = f"{row.title} ({row.rule})" if row.title else row.rule
        text = (
            f"At risk: {large_money(row.cost, run.currency)} from {row.first} on if {rule} applies (status unknown {days}; "
            f"--strict enforces it): {', '.join(materials)}"
        )
        brief = f"At risk from {row.first}: status of {row.rule} unknown {days} (--strict enforces it)"
        yield Caveat("FS835", brief if shortly else text, row.cost)


def _missed(run: Run) -> Iterator[Caveat]:
    missed: Mapping[str, list[RunLimit]] = grouped((row.rule, row) for row in run.limits if row.missed_by)
    rules, penalties = [], Decimal(0)
    for rule, rows in missed.items():
        penalty = sum((row.penalty for row in rows), Decimal(0))
        penalties += penalty
        money = f", penalty about {rounded_money(penalty, run.currency)}" if penalty else ""
        rules.append(f"{rule} in {count(len(rows), 'row')}{money}")
    if rules:
        yield Caveat("FS845", f"Missed limits: {few(rules, '; ')}", penalties)


def _leftovers(run: Run) -> Iterator[Caveat]:
    if run.holdings:
        left = [f"{holding.lot} {mass(holding.left_kg)}" for holding in run.holdings if holding.left_kg]
        used = sum(1 for holding in run.holdings if holding.used_kg)
        rest = f"; left over: {left[0]}" if len(left) == 1 else f"; {len(left)} left (`--full`)" if left else ""
        excluded = ", not in full prices" if stock_note(run) else ""
        text = f"Stock and open orders: {used} of {count(len(run.holdings), 'lot')} used{excluded}{rest}"
        yield Caveat("FS850", text)


def _basis(run: Run) -> str:
    parts = [f"Based on {count(len(run.assumptions), 'assumption')}"]
    numbers = ((len(run.leads), "a figure"), (len({row.offer for row in run.unproven}), "proof"))
    lacking = [(number, item) for number, item in numbers if number]
    if lacking:
        (number, item), *others = lacking
        others_text = "".join(f", {other:,} {other_item}" for other, other_item in others)
        parts.append(f"{count(number, 'offer lacks', 'offers lack')} {item}{others_text}")
    facts = [plugin for plugin in run.plugins if plugin.has_facts]
    if facts:
        oldest = min(facts, key=lambda plugin: (plugin.as_of is not None, str(plugin.as_of), plugin.name))
        parts.append(f"data {_age(oldest.as_of, run.planned_on)}")
    return "; ".join(parts)


def _age(as_of: date | None, today: date | None) -> str:
    if as_of is None or today is None:
        return str(as_of or "as of an unknown day")
    return f"{days_since(as_of, today)} old" if as_of <= today else f"{as_of}, which is after {today}"


def few(texts: Sequence[str], between: str = ", ", most: int = _FEW) -> str:
    more = [f"{len(texts) - most} more"] if len(texts) > most else []
    return between.join([*texts[:most], *more])


def _most(texts: Iterable[str], most: int, one: str, many: str = "") -> Iterator[str]:
    """Yield the first texts, then the number of the others and how to see them."""
    found = list(texts)
    left = len(found) - most
    for number, text in enumerate(found[:most], 1):
        yield f"{text}; {count(left, one, many)} (`--full`)" if left > 0 and number == most else text


def _stale_prices(run: Run) -> list[RunPriceDate]:
    """Return the prices and freights paid that exceeded the case's maximum age when the plan was made, by descending money."""
    limit = run.oldest_price_days
    stale = [] if limit is None else [price for price in run.price_dates if price.is_older(limit, run.planned_on)]
    return sorted(stale, key=lambda price: (-price.cost, price.order()))


def stale_line(run: Run, max_prices: int = _MAX_DATED_PRICES) -> str:
    """Return the money paid at stale prices, with their sources. Empty if there are none."""
    stale = _stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return ""
    spent = sum((price.cost for price in stale), Decimal(0))
    share = f"{percent(spent / run.cost.nominal)} of spend, " if 0 < spent <= run.cost.nominal else ""
    buying = len({purchase.offer for purchase in run.purchases})
    offers = f"{len({price.offer for price in stale}):,} of {count(buying, 'offer')}"
    paid = f"{large_money(spent, run.currency)} ({share}{offers}) is paid at prices {_older(run.oldest_price_days)}"
    return f"{paid}: {_few_dated(stale, run.planned_on, max_prices)}"


def _few_dated(stale: Sequence[PriceDate], today: datetime.date | None, max_prices: int) -> str:
    offers_by_source = grouped(((price.source or price.offer, price.dated(today)), price.offer) for price in stale)
    sources = [f"{given_by.rpartition(':')[2]} {dated}" for given_by, dated in offers_by_source]
    others = [f"{len(sources) - max_prices} more"] if len(sources) > max_prices else []
    return "; ".join([*sources[:max_prices], *others])


def stale_section(run: Run) -> doc.Section | None:
    stale = _stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return None
    columns = [
        doc.Column("Offer"),
        doc.Column("Material"),
        doc.Column("Source"),
        *map(doc.figures, ("Price", "Date", "Days old")),
    ]
    columns += [replace(doc.figures("Quantity"), from_width=120), doc.figures("Paid", run.currency)]
    rows = [doc.DataRow(_cells(price, run)) for price in stale]
    total = doc.Amount(sum((price.cost for price in stale), Decimal(0)))
    rows.append(doc.DataRow(("total", "", "", "", "", "", "", total), strong=True))
    explanation = "Paid amounts are not discounted and exclude duties. The plan uses these prices anyway. `--strict` refuses them."
    title = f"Prices {_older(run.oldest_price_days)}"
    return doc.section(title, doc.table(columns, rows), doc.sentence(explanation), tone=doc.Tone.DOUBTFUL)


def stale_in_check(stale: Sequence[PriceDate], limit: int | None, total: int, day: datetime.date | None) -> str:
    """Return the stale prices of a case without a plan, out of all prices at which something may be bought."""
    if not stale or limit is None:
        return ""
    return f"{len(stale):,} of {count(total, 'price')} {'is' if len(stale) == 1 else 'are'} {_older(limit)}: {_few_dated(stale, day, 3)}"


def _older(days: int) -> str:
    return f"older than the {count(days, 'day')} that the case allows"


def _cells(price: RunPriceDate, run: Run) -> tuple[doc.Cell, ...]:
    source = price.source if price.of == "price" else f"{price.source} (freight)"
    amount = doc.Amount(price.amount, price.currency)
    day = price.oldest or doc.NOTHING
    age = None if run.planned_on is None else price.age(run.planned_on)
    days = doc.NOTHING if age is None else doc.Count(age)
    return (
        price.offer,
        price.material,
        source,
        amount,
        day,
        days,
        doc.Kilograms(price.quantity_kg),
        doc.Amount(price.cost),
    )
