"""Orders and rules over time: by when to order what, how long it is on its way, and on which days the law changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from ...document import charts
from ...document import elements as doc
from ...document.figures import count, large_money, mass
from ...domain.base import grouped
from ...domain.run import Run, RunPurchase, RunRule
from ..ground import phase_text, with_effect
from ..mix import cost_of, in_orders, kilograms_of, names_of, used_for
from .parts import largest, more

ROWS = 40
"""Suppliers that the timeline shows."""
ORDERS = 80
"""Orders of the table, the first ones."""
RULES = 40
"""Rules that are shown over time."""
_STATUS = {"enacted": doc.Tone.BAD, "unknown": doc.Tone.DOUBTFUL, "pending": doc.Tone.CHOICE}
"""How a phase is shown; a suspended one is of little weight."""


def orders_section(run: Run) -> doc.Section:
    """Every supplier's orders with their way, under the days on which rules begin or end; and the first orders in a table."""
    title = "What to order by when"
    if not run.purchases:
        return doc.section(title, doc.sentence("Nothing."))
    first = min(one.order_by for one in run.purchases)
    due = [one for one in run.purchases if one.order_by == first]
    head = doc.sentence(f"By {first}: {large_money(cost_of(due), run.currency)} in all.")
    groups = grouped(((one.material, one.offer, one.place), one) for one in run.purchases)
    names = names_of([group[0] for group in groups.values()])
    kept = set(largest({key: cost_of(group) for key, group in groups.items()}, ROWS))
    ends = {period.label: period.end for period in run.periods}
    rows = tuple(
        charts.TimelineRow(
            f"{key[0]}: {names[key[1]]}{'' if key[2] == run.place else f' to {key[2]}'}", _spans(run, group, ends)
        )
        for key, group in groups.items()
        if key in kept
    )
    chart = charts.Timeline(run.periods[0].start, run.periods[-1].end, rows, tuple(_marks(run)))
    told = (
        "Each bar begins on the last day to order and ends with the period in which the goods arrive, so that it is as long as the lead time is "
        "counted. Days on which a rule that bears on the plan begins or ends are marked."
    )
    ordered = sorted(run.purchases, key=lambda p: (p.order_by, p.material, p.offer, p.place, p.delivered))
    orders = [(group[0].order_by, group) for group in _in_orders(ordered)]
    drawn = doc.Drawing(
        "Orders and lead times", told, chart, _table(run, [group for _, group in orders[:ORDERS]], names)
    )
    later = grouped((day, group) for day, group in orders[ORDERS:])
    notes = [
        f"by {day}: {count(len(some), 'more order')}, {large_money(cost_of(one for group in some for one in group), run.currency)}"
        for day, some in later.items()
    ]
    notes += more(len(groups) - len(kept), "supplier without a bar", "purchases.csv", "suppliers without a bar")
    notes += more(len(orders) - ORDERS, "order", "purchases.csv")
    return doc.section(title, head, drawn, doc.notes(notes))


def _in_orders(purchases: Sequence[RunPurchase]) -> list[list[RunPurchase]]:
    """Purchases that make one order, by their last day."""
    return [
        group
        for some in grouped((one.ordered, one) for one in purchases).values()
        for group in in_orders(some).values()
    ]


def _spans(run: Run, purchases: Sequence[RunPurchase], ends: dict[str, date]) -> tuple[charts.TimelineSpan, ...]:
    found = grouped(((one.order_by, one.delivered), one) for one in purchases)
    return tuple(
        charts.TimelineSpan(
            day,
            max(day, ends[arrives]),
            f"order {mass(kilograms_of(group))} by {day} for {large_money(cost_of(group), run.currency)}, arrives in {arrives}",
        )
        for (day, arrives), group in sorted(found.items(), key=lambda item: item[0][0])
    )


def _table(run: Run, orders: Sequence[Sequence[RunPurchase]], names: dict[str, str]) -> doc.DataTable:
    rows: list[list[doc.Cell]] = [
        [
            group[0].order_by,
            group[0].material,
            names[group[0].offer],
            group[0].offer,
            doc.Kilograms(kilograms_of(group)),
            group[0].place,
            group[0].delivered,
            doc.Amount(cost_of(group)),
            ", ".join(dict.fromkeys(used_for(run, one) for one in group)),
        ]
        for group in orders
    ]
    columns = [doc.Column("Order by", whole=True), *map(doc.Column, ("Material", "Supplier", "Offer"))]
    columns += [doc.figures("Quantity"), doc.Column("To"), doc.Column("Arrives in", whole=True)]
    return doc.table([*columns, doc.figures("", run.currency), doc.Column("For")], rows)


def _told_of(run: Run) -> list[RunRule]:
    """Rules that bear on the plan, and those that would if they held."""
    exposed = {row.rule for row in run.exposed}
    at_work = {rule.id for rule in with_effect(run)}
    return [rule for rule in run.rules if rule.id in exposed | at_work]


def _phases(rule: RunRule) -> list[tuple[date | None, date | None, str]]:
    """First and last day and status of each phase."""
    found = []
    for text in rule.phases:
        days, _, status = text.rpartition(" ")
        first, _, last = days.partition("..")
        found.append((date.fromisoformat(first) if first else None, date.fromisoformat(last) if last else None, status))
    return found


def _marks(run: Run) -> Iterator[charts.TimelineMark]:
    """Days within the plan on which something begins to hold, to hold perhaps, or to hold no longer: those of one day together."""
    days: list[tuple[date, str, doc.Tone]] = []
    for rule in _told_of(run):
        phases = _phases(rule)
        begins = {first for first, _, _ in phases}
        days += [
            (first, f"{rule.id} {status}", _STATUS.get(status, doc.Tone.ASIDE)) for first, _, status in phases if first
        ]
        after = [last + timedelta(1) for _, last, _ in phases if last is not None and last < date.max]
        days += [(day, f"{rule.id} ended", doc.Tone.GOOD) for day in after if day not in begins]
    inside = [one for one in days if run.periods[0].start < one[0] <= run.periods[-1].end]
    for day, some in sorted(grouped((day, (told, tone)) for day, told, tone in inside).items()):
        tones = {tone for _, tone in some}
        worst = next(
            (tone for tone in (doc.Tone.BAD, doc.Tone.DOUBTFUL, doc.Tone.CHOICE, doc.Tone.GOOD) if tone in tones),
            doc.Tone.ASIDE,
        )
        yield charts.TimelineMark(day, f"{day}: {', '.join(told for told, _ in some)}", worst)


def rules_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """Rules that bear on the plan over its time, beside a table of what they do."""
    start, end = run.periods[0].start, run.periods[-1].end
    rows = []
    for rule in _told_of(run)[:RULES]:
        spans = [
            charts.TimelineSpan(
                max(first or start, start), min(last or end, end), phase_text(text), _STATUS.get(status, doc.Tone.ASIDE)
            )
            for text, (first, last, status) in zip(rule.phases, _phases(rule), strict=True)
            if (first or start) <= end and (last or end) >= start
        ]
        rows.append(charts.TimelineRow(rule.id, tuple(spans)))
    told = "Rules that bear on the plan, or would if they held: when each is in force, suspended, or not known to hold."
    return doc.Drawing("Rules over time", told, charts.Timeline(start, end, tuple(rows)), table)
