"""A run on one screen, for whoever asked on a terminal: what it comes to, what is short and why, what to buy and to order, and what to know of it.

Only rows of its three tables are left out where there is little room, and each says how many are left out: by need, then by money. What a reader must
know before relying on the plan is never left out. Identifiers stand whole, since they are what the next command asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate

from ..document import elements as doc
from ..document.excerpts import LINES
from ..document.figures import count, large_money, mass, money, percent
from ..domain.base import grouped
from ..domain.run import Run, RunDemand, RunPurchase
from ..domain.unmet import RunShortage, RunSupplyCause
from .caveats import caveats, conflicts, few
from .demand import met_from
from .mix import cost_of, in_orders, kilograms_of, order_day, per_kg
from .plan import heading, parts_of_cost

_MUCH = Decimal("0.01")
"""Share of what is spent from which on a part of it is named beside prices."""
_MIDDLING, _NARROW, _LAST = 90, 70, 1
"""Characters of a line below which columns are left out that are looked up elsewhere, or without which a row still says most; the last of
them only where names take their room."""
_CODE, _ASIDE = re.compile(r"`([^`]+)`"), re.compile(r" \([^)]*\)")
"""Identifiers within a sentence, and what stands there in brackets."""


def screen_document(run: Run, folder: str = "") -> doc.Document:
    """The screen; `folder`: where the run was written, if it was."""
    clash = doc.section_if_any("Hard rules that cannot hold together", doc.notes(conflicts(run), doc.Tone.BAD))
    return doc.document(
        run.case,
        *heading(run, shortly=True),
        _money(run),
        clash,
        _short(run),
        _bought(run),
        _orders(run, "all in the run" if folder else "all with --out"),
        doc.apart(doc.notes(caveats(run), doc.Tone.DOUBTFUL), doc.sentence(*_further(folder))),
    )


def _money(run: Run) -> doc.Sentence | None:
    """What much of the money spent goes to beside prices, and what it comes to without discounting."""
    cost = run.cost
    beside = sorted(parts_of_cost(run), key=lambda part: -abs(part[1]))
    parts = [
        f"{title} {large_money(amount, run.currency)}"
        for title, amount in beside
        if title != "price" and abs(amount) >= abs(cost.total) * _MUCH
    ]
    told = [f"of it {few(parts, ', ')}"] if parts else []
    nominal = [f"{large_money(cost.nominal, run.currency)} before discounting"] if cost.nominal != cost.total else []
    if run.nominal_low is not None and run.nominal_high is not None:
        low, high = (large_money(money, run.currency) for money in (run.nominal_low, run.nominal_high))
        nominal.append(f"{low} to {high} at the ends of price ranges")
    return doc.sentence("; ".join([*told, *nominal])) if told or nominal else None


def _short(run: Run) -> doc.Element | None:
    """Demands that are not met all the time, those first that going without weighs most in."""
    lacking = [demand for demand in run.demands if demand.short_kg]
    if not lacking:
        return None
    lacking.sort(key=lambda d: (-d.short_kg * d.shortage_price, d.id))
    entries = grouped((entry.demand, entry) for entry in run.shortages)
    late = any(demand.first_met for demand in lacking)
    columns = [
        doc.Column("Never or late met" if late else "Never met"),
        doc.Column("For", from_width=_NARROW),
        doc.Column("Short", align="right", from_width=_LAST),
        *([doc.Column("Met from", from_width=_NARROW)] if late else []),
        doc.Column("What keeps it so"),
    ]
    rows: list[list[doc.Cell]] = [
        [d.material, _for(run, d), _short_of(d), *([met_from(d)] if late else []), _why(run, d, entries.get(d.id, []))]
        for d in lacking[:LINES]
    ]
    names = [f"{d.material} for {_for(run, d)}" for d in lacking]
    rests = [_and_more(names[shown:], "more is short", "more are short") for shown in range(len(rows) + 1)]
    return doc.apart(doc.excerpt(columns, rows, rests, part=4))


def _for(run: Run, demand: RunDemand) -> str:
    """Its end use and place, or its name where others of the material share them."""
    alike = [
        d for d in run.demands if (d.material, d.end_use, d.place) == (demand.material, demand.end_use, demand.place)
    ]
    if len(alike) > 1:
        return demand.id
    return demand.end_use if demand.place == run.place else f"{demand.end_use} at {demand.place}"


def _short_of(demand: RunDemand) -> str:
    """`2 t, all`, or the part of the demand that is short."""
    part = percent(demand.short_kg / demand.wanted_kg) if demand.delivered_kg and demand.wanted_kg else "all"
    return f"{mass(demand.short_kg)}, {part}"


def _why(run: Run, demand: RunDemand, entries: Sequence[RunShortage]) -> doc.Several:
    """What keeps it short: of what is late what makes it so, then what keeps out most offers."""
    causes = {(c.kind, c.text): c for entry in entries if entry.reason == "no supply" for c in entry.causes}
    late = [cause for cause in causes.values() if demand.first_met and cause.kind in ("date", "lead time")]
    found = dict(_causes(late)) | dict(_causes(causes.values()))
    for entry in entries:
        if entry.reason != "no supply":
            told = _OTHER_REASONS.get(entry.reason, entry.reason)
            price = f" of {large_money(demand.shortage_price, run.currency)}/kg" if told.endswith("price") else ""
            found[told + price] = told
            found |= {f"limited by {rule}": f"limited by {rule}" for rule in entry.limited_by}
    return doc.Several(tuple(found), tuple(found.values())) if found else doc.Several(("no cause was looked for",))


_OTHER_REASONS = {
    "dearer than its price": "dearer than its shortage price",
    "rules conflict": "hard rules conflict",
    "not proved": "a limit ended the search for the reason",
}
_HOW = {"barred by": "barred", "not proved to pass": "unproven", "wanting a licence under": "no licence"}
"""How a rule keeps an offer out, as causes say it and in a word."""


def _causes(causes: Iterable[RunSupplyCause]) -> Iterator[tuple[str, str]]:
    """Causes told shortly, and more shortly: rules by how they keep offers out, then what else does."""
    in_order = sorted(causes, key=lambda cause: -len(cause.offers))
    by_law: dict[str, dict[str, int]] = {}
    for cause in in_order:
        how, _, _ = cause.text.partition(" `")
        if cause.kind == "rule" and how in _HOW:
            kept_out = by_law.setdefault(_HOW[how], {})
            for rule in _CODE.findall(cause.text):
                kept_out[rule] = kept_out.get(rule, 0) + len(cause.offers)
    for how, kept_out in by_law.items():
        for number, rule in enumerate(sorted(kept_out, key=lambda rule: -kept_out[rule])):
            told = rule if number else f"{how}: {rule}"
            yield told, told
    for cause in in_order:
        text = cause.text.replace("`", "")
        if cause.kind == "no offer":
            none, _, reason = text.partition(" counts, ")
            yield f"no offer counts: {reason}" if reason else none, reason or none
        elif cause.text.partition(" `")[0] not in _HOW:
            yield text, _ASIDE.sub("", text).replace("can be ordered", "orders")


def _bought(run: Run) -> doc.Element:
    """What is bought for which use from whom: what going without would weigh most in first, then what makers take in, by money."""
    if not run.purchases:
        return doc.apart(doc.sentence("nothing is bought"))
    need: dict[tuple[str, str], Decimal] = {}
    for d in run.demands:
        need[d.material, d.end_use] = need.get((d.material, d.end_use), Decimal(0)) + d.wanted_kg * d.shortage_price

    def weight(item: tuple[tuple[str, str], list[RunPurchase]]) -> tuple[Decimal, Decimal, tuple[str, str]]:
        (material, uses), group = item
        wanted = sum((need.get((material, use), Decimal(0)) for use in uses.split("+")), Decimal(0))
        return -wanted, -cost_of(group), item[0]

    groups = sorted(grouped(((p.material, p.end_use), p) for p in run.purchases).items(), key=weight)
    makers = {draw.offer for draw in run.draws}
    columns = [
        doc.Column("Bought"),
        doc.Column("For", from_width=_NARROW),
        doc.Column("Quantity", align="right", from_width=_MIDDLING),
        doc.Column("", f"{run.currency}/kg", align="right", from_width=_NARROW),
        doc.Column("From (* inputs extra)" if makers else "From"),
    ]
    rows: list[list[doc.Cell]] = [
        [material, _uses(use), doc.Kilograms(kilograms_of(group)), per_kg(group), _suppliers(group, makers)]
        for (material, use), group in groups[:LINES]
    ]
    names = [f"{material} for {_uses(use)}" for (material, use), _ in groups]
    left = _left([cost_of(group) for _, group in groups])
    rests = [
        _and_more(names[shown:], f"more, {large_money(left[shown], run.currency)}") for shown in range(len(rows) + 1)
    ]
    return doc.apart(doc.excerpt(columns, rows, rests, part=5))


def _uses(joined: str) -> str:
    return joined.replace("+", ", ")


def _suppliers(purchases: Sequence[RunPurchase], makers: set[str]) -> doc.Several:
    """Offers with their share, and with their price where they differ: the largest first."""
    total = kilograms_of(purchases)
    groups = grouped((purchase.offer, purchase) for purchase in purchases)
    brief, full = [], []
    for offer, group in sorted(groups.items(), key=lambda item: (-kilograms_of(item[1]), item[0])):
        bought = kilograms_of(group)
        share = f"{offer} {percent(bought / total)}" if total else offer
        mark = "*" if offer in makers else ""
        brief.append(share + mark)
        full.append(
            f"{share} at {money(cost_of(group) / bought)}{mark}" if bought and len(groups) > 1 else share + mark
        )
    return doc.Several(tuple(full), tuple(brief), one="offer")


def _orders(run: Run, where: str) -> doc.Element | None:
    """The orders whose last day comes first, the dearest of a day first; `where` the others are to be seen."""
    if not run.purchases:
        return None
    days = grouped((p.order_by, p) for p in sorted(run.purchases, key=lambda p: p.order_by))
    orders = {
        day: sorted(in_orders(group).items(), key=lambda item: (-cost_of(item[1]), item[0]))
        for day, group in days.items()
    }
    listed = [(day, *order) for day, found in orders.items() for order in found]
    elsewhere = any(purchase.place != run.place for purchase in run.purchases)
    columns = [
        doc.Column("Order by"),
        doc.Column("Order"),
        doc.Column("Material", from_width=_MIDDLING),
        doc.Column("Quantity", align="right", from_width=_LAST),
        *([doc.Column("To", from_width=_NARROW)] if elsewhere else []),
        doc.Column("Arrives", from_width=_NARROW),
        doc.Column("", run.currency, align="right", from_width=_LAST),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(order_day(group[0]), offer, material, doc.Kilograms(kilograms_of(group))),
            *([place] if elsewhere else []),
            *(arrives, doc.Amount(cost_of(group))),
        ]
        for _, (offer, material, place, arrives), group in listed[:LINES]
    ]
    spent = {day: large_money(cost_of(group), run.currency) for day, group in days.items()}
    left = [_orders_left(spent, orders, shown) for shown in range(len(rows) + 1)]
    rests = [doc.Several((f"{some} ({where})",)) if some else doc.NOTHING for some in left]
    return doc.apart(doc.excerpt(columns, rows, rests, part=2))


def _orders_left(spent: Mapping[date, str], orders: Mapping[date, Sequence[object]], shown: int) -> str:
    """What is to be ordered by the first day of which not all orders are among so many, and how many follow."""
    later = sum(map(len, orders.values()))
    for day, found in orders.items():
        later -= len(found)
        if shown < len(found):
            some = f"{len(found) - shown} more" if shown else count(len(found), "order")
            return f"{some} by {day}, {spent[day]} in all" + (f"; {later} later" if later else "")
        shown -= len(found)
    return ""


def _left(money: Sequence[Decimal]) -> list[Decimal]:
    """What all from each on come to, and nothing after the last."""
    return [*reversed(list(accumulate(reversed(money)))), Decimal(0)]


def _and_more(names: Sequence[str], *words: str) -> doc.Several | doc.Nothing:
    """How many more there are, and which."""
    if not names:
        return doc.NOTHING
    head = f"{len(names)} {words[0] if len(names) == 1 else words[-1]} (--full)"
    return doc.Several((f"{head}: {names[0]}", *names[1:]))


def _further(folder: str) -> Iterator[str | doc.Phrase]:
    """How to see the rest."""
    yield from (doc.Phrase("--full", code=True), ": every table; ")
    if not folder:
        yield from (doc.Phrase("--out FOLDER", code=True), ", then ")
    yield from (doc.Phrase(f"friendshore report {folder or 'FOLDER'}", code=True), ": a page")
