"""Caveats of a run: stale prices, exposure, accepted evidence, and other notes."""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from ..document import elements as doc
from ..document.figures import count, large_money, mass, percent, rounded_money
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
from .mix import in_orders, unusable_lots

_FEW = 3
"""Number of items of a kind in short texts. The others are counted."""
_ROOM = 1200
"""Maximum characters of all short caveats, above which each kind has fewer items. Conflicts get a third."""
_AT_LENGTH, _BRIEFLY = 100, 50
"""Maximum characters of quoted text in short caveats, alone and as one of several."""


def not_advice() -> doc.Section:
    """Return the last line of every report."""
    said = "Not legal advice: the rules are a reading of the law, as of the days stated. Ask counsel before you rely on them."
    return doc.apart(doc.sentence(said, tone=doc.Tone.ASIDE))


def conflict_lines(run: Run) -> Iterator[str]:
    """Yield the rules that conflict, and the materials that are therefore not planned."""
    for part in run.conflicts:
        told = (f"{rule}: {text.rstrip('.')}" for rule, text in zip(part.rules, part.sentences, strict=False))
        yield f"{'; '.join(told) or 'the facts themselves'}. Nothing is planned for {', '.join(part.materials)}."
        yield from floor_lines(part)


def _old_data(run: Run, most: int) -> Iterator[str]:
    """Yield the catalogs and packs whose last review was too long before the run."""
    stale = [f"{p.kind} {p.name}, {aged(p.as_of, run.made)}" for p in run.plugins if is_stale(p.as_of, run.made)]
    if stale:
        yield f"Old data: {few(stale, '; ', most)}: law, prices, plants and owners may have changed since"


def turned_rules(run: Run) -> Iterator[ChangedRule]:
    """Yield the rules with a phase that began or ended between the review of their pack and the run."""
    rules = (PackedRule(rule.id, rule.pack, [*map(DatedStatus.read, rule.phases)]) for rule in run.rules)
    yield from rule_changes_since_review(rules, run.plugins, run.made)


def noted_packs(run: Run) -> Iterator[str]:
    """Yield the rule packs made for the case, each with its age and its notes."""
    noted = grouped((row.subject, row.text) for row in run.assumptions)
    for plugin in run.plugins:
        texts = noted.get(f"{plugin.kind} {plugin.name}", ()) if plugin.kind == "pack" else ()
        if texts:
            yield f"{plugin.name}, {aged(plugin.as_of, run.made)}: {'; '.join(texts)}"


_UNEXAMINED, _ACCEPTED, _TWICE = "looked at by no rule of origin", "accepted", "counted twice"
_DUTY_ON_FEE = "duty on the fee alone"
_NO_DUTY, _MOST_DUTY = "no duty charged", "highest duty charged"
_IDLE, _NOT_ASKED = "limit without demand", "origin not asked about"
BEFORE_ALL = {
    _UNEXAMINED: "Looked at by no rule of origin",
    _NOT_ASKED: "Origin not asked about",
    _ACCEPTED: "Accepted by the case",
    _TWICE: "Perhaps counted twice",
    _NO_DUTY: "No duty charged",
    _MOST_DUTY: "Highest duty charged",
    _IDLE: "Limit without demand",
    _DUTY_ON_FEE: "Duty on the fee alone",
}
"""Titles of the assumptions that a reader of a mix must know, by subject. A plan is compliant only if those on origin and evidence are right.
They cover goods without a rule of origin, evidence accepted beyond the usual, capacity that two catalogs may both count, unknown duties, and
limits without demand.
"""


def unexamined(run: Run) -> doc.Section | None:
    """Return the goods without a rule of origin. No short form of an answer may omit them."""
    texts = [row.text for row in run.assumptions if row.subject == _UNEXAMINED]
    return doc.section_if_any(BEFORE_ALL[_UNEXAMINED], doc.notes(texts, doc.Tone.DOUBTFUL))


def conflict_section(run: Run) -> doc.Section | None:
    """Return the hard rules that conflict. On a screen, each conflict is named or counted."""
    return doc.section_if_any(
        "Hard rules that cannot hold together",
        doc.for_whole(doc.notes(conflict_lines(run), doc.Tone.BAD)),
        doc.for_screen(doc.notes(_brief_conflicts(run), doc.Tone.BAD)),
    )


def warnings(run: Run) -> doc.Section | None:
    """Return the notes to read before anything else."""
    return doc.section_if_any("Before you rely on it", doc.notes(_warnings(run), doc.Tone.DOUBTFUL))


def _warnings(run: Run) -> Iterator[str]:
    yield from _old_data(run, len(run.plugins))
    yield from (f"Law that turned since it was looked at: {text}." for text in turned_rules(run))
    if old_prices := stale_line(run):
        yield f"Old prices: {old_prices}."
    yield from (f"Made for the case: {text}." for text in noted_packs(run))
    for subject, title in BEFORE_ALL.items():
        yield from (f"{title}: {row.text}" for row in run.assumptions if row.subject == subject)
    yield from exposures(run)
    yield from (f"Paid for, and barred from all that wants it: {text}." for text in unusable_lots(run))
    yield from (f"{text}." for text in only_by_periods(run))
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(amount, run.currency) for amount in (run.nominal_low, run.nominal_high))
        told = f"Prices of {count(len({one.offer for one in run.ranges}), 'offer')} are given as ranges"
        yield f"{told}: at their ends the same purchases would cost {low} to {high}, not discounted."
    if run.assumptions:
        yield f"Rests on {count(len(run.assumptions), 'assumption')}; all are in the run."
    if run.leads:
        yield f"{count(len(run.leads), 'offer')} not counted, because nobody published a capacity or price."
    if run.unproven:
        offers = len({row.offer for row in run.unproven})
        yield f"{count(offers, 'offer')} kept out of some use only because an origin or a licence is not proved."


def _doubt(doubt: RunDoubt) -> str:
    """Return a doubt in words: `from 2026-11-28 on: resumes unless extended`."""
    return f"{_days(doubt)}: {' '.join(doubt.note.split()).rstrip('.')}" if doubt.note else _days(doubt)


def _days(doubt: RunDoubt) -> str:
    if doubt.start and doubt.end:
        return f"from {doubt.start} to {doubt.end}"
    if doubt.start:
        return f"from {doubt.start} on"
    return f"until {doubt.end}" if doubt.end else "on any day"


def _brief_conflicts(run: Run) -> Sequence[str]:
    """Return the conflicts for a screen, each named or counted, and rules by their ids first."""
    return _in_brief(lambda most: _most(map(_conflict, run.conflicts), most, "more conflict"), _ROOM // 3)


def _conflict(part: RunConflict) -> str:
    said = [f"{rule}: {_cut(sentence).rstrip('.')}" for rule, sentence in zip(part.rules, part.sentences, strict=False)]
    told = f"{few(said, '; ') or 'the facts themselves'}. Nothing is planned for {few(part.materials)}"
    later = [f"{rule} can first be kept from {day} on" for rule, day in part.holds_from.items()]
    return f"{told}. {few(later, '; ')} (`--full` says how to write it)" if later else told


def caveats(run: Run) -> Sequence[str]:
    """Return the essential caveats, then the assumptions, for a screen. Each is named or counted."""
    return _in_brief(lambda most: _caveats(run, most), _ROOM - sum(map(len, _brief_conflicts(run))))


def _in_brief(told: Callable[[int], Iterable[str]], room: int) -> Sequence[str]:
    """Return a few items of each kind, and fewer if they exceed `room` characters."""
    most, texts = _FEW, list(told(_FEW))
    while most > 1 and sum(map(len, texts)) > room:
        most -= 1
        texts = list(told(most))
    return texts


def _caveats(run: Run, most: int) -> Iterator[str]:
    yield from _old_data(run, most)
    if rules := list(dict.fromkeys(turned.rule for turned in turned_rules(run))):
        yield f"Law that turned since it was looked at: {few(rules, most=1)} (`--full`)"
    if old_prices := stale_line(run, 1):
        yield f"Old prices: {old_prices} (`--full`)"
    yield from _most(
        (_cut(text, 2 * _AT_LENGTH) for text in noted_packs(run)),
        most,
        "more pack made for the case",
        "more packs made for the case",
    )
    yield from _assumed(run, most)
    yield from _most(exposures(run, shortly=True), most, "more rule of unknown status", "more rules of unknown status")
    bars = (f"Paid for, and barred from all that wants it: {text}" for text in unusable_lots(run))
    yield from _most(bars, most, "more lot that is barred so", "more lots that are barred so")
    yield from late_orders(run)
    yield from urgent_orders(run)
    yield from only_by_periods(run, 1)
    yield from hidden_by_periods(run)
    yield from _missed(run, most)
    yield from tie_lines(run, most)
    yield from exchange_lines(run)
    if run.levels:
        yield f"Objectives in order: {few([_cut(level.sentence, _BRIEFLY) for level in run.levels], '; ', most)}"
    if run.changes and not run.scenario:
        yield f"Changed from the case: {few([_cut(change) for change in run.changes], '; ', most)}"
    yield from _held(run)
    blocked = (f"Planned {text}" for text in blocked_plugins(run))
    yield from _most(blocked, most, "more plugin blocked", "more plugins blocked")
    yield _rests(run)


def _assumed(run: Run, most: int) -> Iterator[str]:
    """Yield the assumptions in `BEFORE_ALL`, without repeating their titles."""
    for row in run.assumptions:
        if row.subject == _UNEXAMINED:
            yield f"{BEFORE_ALL[_UNEXAMINED]} {row.text.partition('. ')[0]}"
    not_asked = [row.text.partition(". ")[0] for row in run.assumptions if row.subject == _NOT_ASKED]
    if not_asked:
        yield f"{BEFORE_ALL[_NOT_ASKED]}: {few(not_asked, '; ', 1)}"
    accepted = [row.text for row in run.assumptions if row.subject == _ACCEPTED]
    if accepted:
        yield f"{BEFORE_ALL[_ACCEPTED]}: {'; '.join(accepted)}"
    twice = (f"{BEFORE_ALL[_TWICE]}: {row.text}" for row in run.assumptions if row.subject == _TWICE)
    yield from _most(twice, most, "more perhaps counted twice", "more perhaps counted twice")
    for subject, why in ((_NO_DUTY, "no tariff line known"), (_MOST_DUTY, "customs origin not known")):
        about = [row.text.partition(":")[0] for row in run.assumptions if row.subject == subject]
        if about:
            yield f"{BEFORE_ALL[subject]}, {why}: {few(about, most=most)}"
    if is_duty_told(run):
        makers = list(dict.fromkeys(run.names.offer(one.offer) for one in run.purchases if one.duty_on_inputs))
        more = large_money(run.duty_on_inputs, run.currency)
        yield f"{BEFORE_ALL[_DUTY_ON_FEE]} (*): with that on the inputs supplied it is {more} more: {few(makers, most=most)}"
    idle = (f"{BEFORE_ALL[_IDLE]}: {row.text}" for row in run.assumptions if row.subject == _IDLE)
    yield from _most(idle, most, "more such limit", "more such limits")


def late_orders(run: Run) -> Iterator[str]:
    """Yield the orders whose last day has passed before the plan can be executed."""
    late = [purchase for purchase in run.purchases if purchase.late_days]
    if late:
        worst = max(late, key=lambda purchase: purchase.late_days)
        day = worst.order_by + timedelta(days=worst.late_days)
        orders = len(in_orders(late))
        most = count(worst.late_days, "day")
        what = f"{count(orders, 'order')} due before {day} would arrive later"
        yield f"Late by {most if orders == 1 else f'up to {most}'}: {what}"


def urgent_orders(run: Run) -> Iterator[str]:
    """Yield the orders whose goods are short until they arrive."""
    urgent = [purchase for purchase in run.purchases if purchase.at_once]
    if urgent:
        orders = count(len({(p.offer, p.material, p.place, p.ordered) for p in urgent}), "order")
        materials = list(dict.fromkeys(run.names.material(purchase.material) for purchase in urgent))
        yield f"Short until it arrives: order at once what is marked so ({orders}: {few(materials, most=2)})"


def tie_lines(run: Run, most: int = _FEW) -> Iterator[str]:
    """Yield the materials whose orders are one choice of several that cost the same."""
    if run.not_tie_broken:
        yield f"Not tie-broken: {few(run.not_tie_broken, most=most)}: other orders may cost the same, and be steadier or less of concern"


def exchange_lines(run: Run) -> Iterator[str]:
    """Yield the materials for which several offers could replace one another at the same cost."""
    materials = list(dict.fromkeys(row.material for row in run.exchangeable))
    if materials:
        yield f"Equal offers, any of which would do: {few([run.names.material(name) for name in materials], most=1)} (`--full`)"


def exposures(run: Run, *, shortly: bool = False) -> Iterator[str]:
    """Yield the purchases that rules of unknown status would prohibit, the most expensive first. `shortly` names one material and cuts notes."""
    for row in sorted(run.exposed, key=lambda row: (-row.cost, row.rule)):
        materials = [f"{run.names.material(name)} {mass_of(run.names, name, kg)}" for name, kg in row.materials.items()]
        if shortly:
            notes = dict.fromkeys(_cut(doubt.note, _BRIEFLY).rstrip(".") for doubt in row.unknown if doubt.note)
            days = few([_days(doubt) for doubt in row.unknown]) or "on some day"
            unknown = f"{row.rule}, unknown {days}{f' ({why})' if (why := '; '.join(notes)) else ''}"
        else:
            days = "; ".join(map(_doubt, row.unknown)) or "on some day"
            unknown = f"{row.rule} ({row.title or 'no title'}), unknown {days}"
        yield (
            f"Exposed: {unknown}. Counted as not in force; if it is (--strict), it forbids {large_money(row.cost, run.currency)} "
            f"from {row.first} on: {few(materials, most=1) if shortly else ', '.join(materials)}"
        )


def _missed(run: Run, most: int) -> Iterator[str]:
    missed: Mapping[str, list[RunLimit]] = grouped((row.rule, row) for row in run.limits if row.missed_by)
    told = []
    for rule, rows in missed.items():
        priced = sum((row.penalty for row in rows), Decimal(0))
        money = f", penalty about {rounded_money(priced, run.currency)}" if priced else ""
        told.append(f"{rule} in {count(len(rows), 'row')}{money}")
    if told:
        yield f"Limits not kept: {few(told, '; ', most)}"


def _held(run: Run) -> Iterator[str]:
    """Yield stock and open orders: the lots in use, and those with leftovers."""
    if run.holdings:
        left = [f"{one.lot} {mass(one.left_kg)}" for one in run.holdings if one.left_kg]
        used = sum(1 for one in run.holdings if one.used_kg)
        over = f"; left over: {left[0]}" if len(left) == 1 else f"; {len(left)} left over (`--full`)" if left else ""
        apart = ", not in full prices" if stock_note(run) else ""
        yield f"In hand or on order: {len(run.holdings)} ({used} used{apart}){over}"


def _rests(run: Run) -> str:
    """Return the number of assumptions, the offers without published or proved figures, and the age of the facts."""
    told = [f"Rests on {count(len(run.assumptions), 'assumption')}"]
    lacking = ((len(run.leads), "a figure"), (len({row.offer for row in run.unproven}), "proof"))
    some = [(number, what) for number, what in lacking if number]
    if some:
        (number, what), *more = some
        rest = "".join(f", {other:,} {thing}" for other, thing in more)
        told.append(f"{count(number, 'offer lacks', 'offers lack')} {what}{rest}")
    facts = [plugin for plugin in run.plugins if plugin.has_facts]
    if facts:
        oldest = min(facts, key=lambda plugin: (plugin.as_of is not None, str(plugin.as_of), plugin.name))
        told.append(f"data {_age(oldest.as_of, run.made)}")
    return "; ".join(told)


def _age(as_of: date | None, today: date | None) -> str:
    if as_of is None or today is None:
        return str(as_of or "as of an unknown day")
    return f"{days_since(as_of, today)} old" if as_of <= today else f"{as_of}, which is after {today}"


def _cut(text: str, room: int = _AT_LENGTH) -> str:
    return textwrap.shorten(text, room, placeholder=" …", break_on_hyphens=False)


def few(texts: Sequence[str], between: str = ", ", most: int = _FEW) -> str:
    """Return the first texts, and the number of the others."""
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
    found = [] if limit is None else [one for one in run.price_dates if one.is_older(limit, run.made)]
    return sorted(found, key=lambda one: (-one.cost, one.order()))


_TOLD = 10
"""Maximum number of dated prices in a sentence."""


def stale_line(run: Run, most: int = _TOLD) -> str:
    """Return the money paid at stale prices, with their sources. Empty if there are none."""
    stale = _stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return ""
    spent = sum((one.cost for one in stale), Decimal(0))
    share = f"{percent(spent / run.cost.nominal)} of spend, " if 0 < spent <= run.cost.nominal else ""
    buying = len({one.offer for one in run.purchases})
    offers = f"{len({one.offer for one in stale}):,} of {count(buying, 'offer')}"
    paid = f"{large_money(spent, run.currency)} ({share}{offers}) is paid at prices {_older(run.oldest_price_days)}"
    return f"{paid}: {_few_dated(stale, run.made, most)}"


def _few_dated(stale: Sequence[PriceDate], today: datetime.date | None, most: int) -> str:
    """Return the first prices by their source, each with its date, and the number of the others."""
    named = grouped(((one.given_by or one.offer, one.dated(today)), one.offer) for one in stale)
    told = [f"{given_by.rpartition(':')[2]} {dated}" for given_by, dated in named]
    more = [f"{len(told) - most} more"] if len(told) > most else []
    return "; ".join([*told[:most], *more])


def stale_section(run: Run) -> doc.Section | None:
    """Return all stale prices, with the money that the plan pays at each."""
    stale = _stale_prices(run)
    if not stale or run.oldest_price_days is None:
        return None
    columns = [
        doc.Column("Offer"),
        doc.Column("Material"),
        doc.Column("By"),
        *map(doc.figures, ("Stated", "Of", "Days")),
    ]
    columns += [replace(doc.figures("Quantity"), from_width=120), doc.figures("Paid", run.currency)]
    rows = [doc.DataRow(_cells(one, run)) for one in stale]
    whole = doc.Amount(sum((one.cost for one in stale), Decimal(0)))
    rows.append(doc.DataRow(("all", "", "", "", "", "", "", whole), strong=True))
    told = "Paid is not discounted, and without duties. They are planned with all the same: `--strict` refuses them."
    title = f"Prices {_older(run.oldest_price_days)}"
    return doc.section(title, doc.table(columns, rows), doc.sentence(told), tone=doc.Tone.DOUBTFUL)


def stale_in_check(stale: Sequence[PriceDate], limit: int | None, of: int, day: datetime.date | None) -> str:
    """Return the stale prices of a case without a plan, out of all prices at which something may be bought."""
    if not stale or limit is None:
        return ""
    return f"{len(stale):,} of {count(of, 'price')} {'is' if len(stale) == 1 else 'are'} {_older(limit)}: {_few_dated(stale, day, 3)}"


def _older(days: int) -> str:
    return f"older than the {count(days, 'day')} that the case allows"


def _cells(one: RunPriceDate, run: Run) -> tuple[doc.Cell, ...]:
    by = one.given_by if one.of == "price" else f"{one.given_by} (freight)"
    stated = doc.Amount(one.amount, one.currency)
    day = one.oldest or doc.NOTHING
    age = None if run.made is None else one.age(run.made)
    old = doc.NOTHING if age is None else doc.Count(age)
    return (one.offer, one.material, by, stated, day, old, doc.Kilograms(one.quantity_kg), doc.Amount(one.cost))
