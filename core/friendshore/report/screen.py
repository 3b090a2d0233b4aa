"""A run on one screen, for whoever asked on a terminal: what it comes to, what is short and why, what to buy and to order, and what to know of it.

Only rows of its three tables are left out where there is little room, and each says how many are left out: by priority of the end use, by need, then by money. What a reader must
know before relying on the plan is never left out. Suppliers go by name; identifiers stand whole, since they are what the next command asks for.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate

from ..document import elements as doc
from ..document.excerpts import LINES
from ..document.figures import count, large_money, mass, money, number, percent, unit_for
from ..domain.base import grouped, totals
from ..domain.run import Run, RunDemand, RunPurchase
from ..domain.unmet import RunRestriction
from ..questions.wording import conversions, weighed
from .cash import MILLION, YEARS, fee, full_price, full_price_cell, is_duty_told, makers_of, money_line, priced
from .caveats import caveats, conflicts
from .demand import group_causes, sum_of
from .mix import cost_of, dependence_line, in_orders, kilograms_of, order_day
from .plan import heading

_MIDDLING, _NARROW, _LAST = 90, 70, 1
"""Characters of a line below which columns are left out that are looked up elsewhere, or without which a row still says most; the last of
them only where names take their room."""


def screen_document(run: Run, folder: str = "") -> doc.Document:
    """The screen; `folder`: where the run was written, if it was."""
    clash = doc.section_if_any("Hard rules that cannot hold together", doc.notes(conflicts(run), doc.Tone.BAD))
    return doc.document(
        run.case,
        *heading(run, shortly=True),
        doc.sentence(line) if (line := money_line(run)) else None,
        dependence_line(run),
        clash,
        _short(run),
        _bought(run),
        _orders(run, "all in the run" if folder else "all with --out"),
        doc.apart(_weights(run), doc.notes(caveats(run), doc.Tone.DOUBTFUL), doc.sentence(*_further(folder))),
    ).on_screen()


def _weights(run: Run) -> doc.Sentence | None:
    """Return the equivalents of contained elements and oxides that are bought or short."""
    spent = totals((p.material, p.cost) for p in run.purchases)
    short = [d.material for d in run.demands if d.short_kg]
    note = conversions(run.names, [*sorted(spent, key=lambda name: (-spent[name], name)), *short], shortly=True)
    return doc.sentence(note, tone=doc.Tone.ASIDE) if note else None


def _short(run: Run) -> doc.Element | None:
    """Return the demands that are not met all the time, a row for each material and program: by priority, then those that going without weighs most in."""
    lacking = grouped(((d.material, d.end_use, d.place, d.program), d) for d in run.demands if d.short_kg)
    if not lacking:
        return None
    groups = sorted(
        lacking.values(),
        key=lambda group: (
            _rank(run, [d.end_use for d in group]),
            -sum(d.short_kg * d.shortage_price for d in group),
            group[0].id,
        ),
    )
    late = any(demand.first_met for group in groups for demand in group)
    years = _years_short(run)
    columns = [
        doc.Column("Never or late met" if late else "Never met"),
        doc.Column("For"),
        doc.Column("Short", align="right", from_width=_LAST),
        doc.Column("Part", align="right", from_width=doc.WIDE if late else _MIDDLING),
        *(doc.Column(year, align="right", from_width=_LAST) for year in years),
        *([doc.Column("Met from", from_width=_NARROW)] if late else []),
        doc.Column("Cause"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            run.names.label(group[0].material),
            _for(run, group[0]),
            *_short_of(run, group),
            *_short_by_year(run, group, years),
            *([_met_from(run, group)] if late else []),
            _why(run, group),
        ]
        for group in groups[:LINES]
    ]
    names = [f"{run.names.material(group[0].material)} for {_for(run, group[0]).brief[0]}" for group in groups]
    rests = [_and_more(names[shown:], "more is short", "more are short") for shown in range(len(rows) + 1)]
    return doc.apart(doc.excerpt(columns, rows, rests, part=6))


def _rank(run: Run, end_uses: Iterable[str]) -> int:
    """Return the place of the first of some end uses in the case's order of priority."""
    order = {name: place for place, name in enumerate(run.priority)}
    return min((order.get(name, len(order)) for name in end_uses), default=len(order))


def _ends(purchases: Iterable[RunPurchase]) -> list[str]:
    return [name for purchase in purchases for name in purchase.end_use.split("+")]


def _for(run: Run, demand: RunDemand) -> doc.Several:
    """Return the program or the end use, where there is room both, and the place if it is not the case's."""
    at = "" if demand.place == run.place else f" at {demand.place}"
    named = f"{demand.program}, {demand.end_use}{at}" if demand.program else f"{demand.end_use}{at}"
    return doc.Several((named,), (demand.program or demand.end_use,))


def _years_short(run: Run) -> list[str]:
    """Return the years in which anything is short; none of a plan of a single year, or if they are too many for a line."""
    years = {period.label: str(period.start.year) for period in run.periods}
    short = {years[entry.period] for entry in run.shortages}
    return sorted(short) if len(set(years.values())) > 1 and len(short) <= YEARS else []


def _short_of(run: Run, group: Sequence[RunDemand]) -> tuple[doc.Cell, doc.Cell]:
    """Return what is short, and its share of the demand."""
    short, wanted = sum_of(d.short_kg for d in group), sum_of(d.wanted_kg for d in group)
    part = doc.Share(short / wanted) if wanted and any(d.delivered_kg for d in group) else "all"
    return weighed(run.names, group[0].material, short), part


def _short_by_year(run: Run, group: Sequence[RunDemand], years: Sequence[str]) -> Iterator[doc.Cell]:
    """Yield what is short in each year, in the unit of all of it."""
    year_of = {period.label: str(period.start.year) for period in run.periods}
    names = {demand.id for demand in group}
    found = totals((year_of[entry.period], entry.quantity_kg) for entry in run.shortages if entry.demand in names)
    unit = unit_for([sum_of(d.short_kg for d in group)])
    yield from (doc.Kilograms(found.get(year, Decimal(0)), unit, bare=True) for year in years)


def _met_from(run: Run, group: Sequence[RunDemand]) -> str:
    """Return the first period from which all of some demands are met to the end."""
    order = {period.label: period.start for period in run.periods}
    if not all(d.first_met for d in group):
        return "never"
    return max((d.first_met for d in group), key=lambda label: order[label])


def _why(run: Run, group: Sequence[RunDemand]) -> doc.Several:
    """Return the causes, with the kilograms that would be served without each where there are several; with less room rules by their ids, then kinds alone."""
    causes = group_causes(run, group)
    several = len(causes) > 1
    full, middle, brief = [], [], []
    for cause, served in causes:
        full.append(f"{cause.as_shown}{f' ({mass(served)})' if several and served else ''}")
        middle.append(" + ".join(_restriction(each) for each in cause.restrictions))
        brief.append(cause.kinds.replace("proof", _UNPROVEN).replace(" and ", " + "))
    return doc.Several(tuple(full), tuple(brief), middle=tuple(middle))


_UNPROVEN = "unproven"


def _restriction(each: RunRestriction) -> str:
    """Return a restriction in a few words: a limit or a law by its id."""
    named = each.kind in ("limit", "law") and each.names
    return each.brief.partition(": ")[2] if named else _UNPROVEN if each.kind == "proof" else each.brief


def _bought(run: Run) -> doc.Element:
    """Return the purchases by use and supplier, by spend."""
    if not run.purchases:
        return doc.apart(doc.sentence("nothing is bought"))
    found = grouped(((p.material, p.end_use), p) for p in run.purchases)
    groups = sorted(found.items(), key=lambda item: (-cost_of(item[1]), item[0]))
    makers = makers_of(run)
    unit = MILLION if any(cost_of(group) >= MILLION for _, group in groups) else Decimal(1)
    columns = [
        doc.Column("Bought"),
        doc.Column("For", from_width=_NARROW),
        doc.Column("Quantity", align="right", from_width=_MIDDLING),
        doc.Column("", f"{run.currency}{' million' if unit > 1 else ''}", align="right", from_width=_LAST),
        doc.Column("", f"{run.currency}/kg", align="right", from_width=_NARROW),
        doc.Column("From (fee: without inputs)" if makers else "From"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            run.names.label(material),
            _uses(use),
            weighed(run.names, material, kilograms_of(group)),
            number(cost_of(group) / unit),
            _average(run, group),
            _suppliers(run, group),
        ]
        for (material, use), group in groups[:LINES]
    ]
    names = [f"{run.names.material(material)} for {_uses(use)}" for (material, use), _ in groups]
    left = _left([cost_of(group) for _, group in groups])
    rests = [
        _and_more(names[shown:], f"more, {large_money(left[shown], run.currency)}") for shown in range(len(rows) + 1)
    ]
    return doc.apart(doc.excerpt(columns, rows, rests, part=5))


def _uses(joined: str) -> str:
    return joined.replace("+", ", ")


def _average(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    """Return the full price of a kilogram on average."""
    price = full_price(purchases)
    if is_duty_told(run):
        return full_price_cell(purchases)
    return doc.NOTHING if price is None else doc.Amount(price)


def _suppliers(run: Run, purchases: Sequence[RunPurchase]) -> doc.Several:
    """Return suppliers with their share, the largest first; with full prices where there are several, and with fees."""
    total = kilograms_of(purchases)
    groups = grouped((purchase.offer, purchase) for purchase in purchases)
    names = {offer: run.names.offer(offer) for offer in groups}
    brief, full = [], []
    for offer, group in sorted(groups.items(), key=lambda item: (-kilograms_of(item[1]), item[0])):
        share = f"{names[offer]} {percent(kilograms_of(group) / total)}" if total else names[offer]
        price, own = full_price(group), fee(run, group)
        several = f" at {money(price)}" if price is not None and len(groups) > 1 else ""
        brief.append(share)
        full.append(share + several + (f" (fee {money(own)})" if own is not None else ""))
    unnamed = any(names[offer] == offer for offer in groups)  # an id is never cut
    return doc.Several(tuple(full), tuple(brief), one="offer" if unnamed else "")


def _orders(run: Run, where: str) -> doc.Element | None:
    """Return the orders with the earliest last day, by priority and money. `where` says how to see the others."""
    if not run.purchases:
        return None
    days = grouped((p.order_by, p) for p in sorted(run.purchases, key=lambda p: p.order_by))
    orders = {
        day: sorted(in_orders(group).items(), key=lambda item: (_rank(run, _ends(item[1])), -cost_of(item[1]), item[0]))
        for day, group in days.items()
    }
    listed = [(day, *order) for day, found in orders.items() for order in found]
    elsewhere = any(purchase.place != run.place for purchase in run.purchases)
    columns = [
        doc.Column("Order by"),
        doc.Column("From"),
        doc.Column("Material", from_width=_MIDDLING),
        doc.Column("Quantity", align="right", from_width=_LAST),
        *([doc.Column("To", from_width=_NARROW)] if elsewhere else []),
        doc.Column("Arrives", from_width=_NARROW),
        doc.Column("", f"{run.currency}/kg", align="right", from_width=_MIDDLING),
        doc.Column("", run.currency, align="right", from_width=_LAST),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(
                order_day(group[0]),
                _supplier(run.names.offer(offer), group[0]),
                run.names.label(material),
                weighed(run.names, material, kilograms_of(group)),
            ),
            *([place] if elsewhere else []),
            *(arrives, priced(run, group), doc.Amount(cost_of(group))),
        ]
        for _, (offer, material, place, arrives), group in listed[:LINES]
    ]
    spent = {day: large_money(cost_of(group), run.currency) for day, group in days.items()}
    left = [_orders_left(spent, orders, shown) for shown in range(len(rows) + 1)]
    rests = [doc.Several((f"{some} ({where})",)) if some else doc.NOTHING for some in left]
    return doc.apart(doc.excerpt(columns, rows, rests, part=2))


def _supplier(name: str, purchase: RunPurchase) -> doc.Cell:
    """Return whom to order from: the plant, with its company where there is room; an offer that has no name by its id, which is never cut."""
    if name == purchase.offer:
        return name
    company = purchase.supplier if purchase.supplier not in name else ""
    return doc.Several((", ".join(filter(None, (name, company))),), (name,))


def _orders_left(spent: Mapping[date, str], orders: Mapping[date, Sequence[object]], shown: int) -> str:
    """Return what must be ordered by the first day that doesn't fit, and the number of later orders."""
    later = sum(map(len, orders.values()))
    for day, found in orders.items():
        later -= len(found)
        if shown < len(found):
            some = f"{len(found) - shown} more" if shown else count(len(found), "order")
            return f"{some} by {day}, {spent[day]} in all" + (f"; {later} later" if later else "")
        shown -= len(found)
    return ""


def _left(money: Sequence[Decimal]) -> list[Decimal]:
    """Return the sums from each item on, and zero after the last."""
    return [*reversed(list(accumulate(reversed(money)))), Decimal(0)]


def _and_more(names: Sequence[str], *words: str) -> doc.Several | doc.Nothing:
    """Return how many more there are, and their names."""
    if not names:
        return doc.NOTHING
    head = f"{len(names)} {words[0] if len(names) == 1 else words[-1]} (--full)"
    return doc.Several((f"{head}: {names[0]}", *names[1:]))


def _further(folder: str) -> Iterator[str | doc.Phrase]:
    """Yield how to see the rest."""
    yield from (doc.Phrase("--full", code=True), ": every table; ")
    if not folder:
        yield from (doc.Phrase("--out FOLDER", code=True), ", then ")
    yield from (doc.Phrase(f"friendshore report {folder or 'FOLDER'}", code=True), ": a page")
