"""Orders and rules over time: by when to order what, how long it is on its way, and on which days the law changes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import large_money
from friendshore.domain.base import grouped
from friendshore.domain.run import Run, RunPurchase, RunRule
from friendshore.questions.wording import mass_of, weighed
from friendshore.report.ground import more, phase_text, with_effect
from friendshore.report.mix import cost_of, in_orders, kilograms_of, prices_of, used_for

from .parts import largest

ROWS = 40
"""Suppliers that the timeline shows."""
ORDERS = 80
"""Orders of the table, the first ones."""
RULES = 40
"""Rules that are shown over time."""
_STATUS = {"enacted": doc.Tone.BAD, "unknown": doc.Tone.DOUBTFUL, "pending": doc.Tone.CHOICE}
"""How a phase is shown; a suspended one is of little weight."""
_BEGINS = {
    "enacted": "begins",
    "unknown": "may hold from then on, which nobody knows",
    "suspended": "is suspended",
    "pending": "would begin, and is pending",
}


def orders_section(run: Run) -> doc.Section:
    """Every supplier's orders with their way, under the days on which rules begin or end; and the first orders in a table."""
    title = "What to order by when"
    if not run.purchases:
        return doc.section(title, doc.sentence("Nothing."))
    first = min(one.order_by for one in run.purchases)
    due = [one for one in run.purchases if one.order_by == first]
    head = doc.sentence(f"By {first}: {large_money(cost_of(due), run.currency)} in all.")
    groups = grouped(((one.material, one.offer, one.place), one) for one in run.purchases)
    kept = set(largest({key: cost_of(group) for key, group in groups.items()}, ROWS))
    shown = sorted((min(one.order_by for one in groups[key]), key) for key in kept)
    rows = tuple(
        charts.TimelineRow(
            f"{run.names.material(key[0])}: {run.names.offer(key[1])}{'' if key[2] == run.place else f' to {key[2]}'}",
            *_way(run, groups[key]),
        )
        for _, key in shown
    )
    chart = charts.Timeline(run.periods[0].start, run.periods[-1].end, rows, tuple(_marks(run)))
    told = (
        "A mark is the last day for an order after which goods arrive without a break, a pale bar the time until the first of them is counted as "
        "there, a bar the periods in which they arrive. Lines are days on which a rule that bears on the plan begins or ends."
    )
    ordered = sorted(run.purchases, key=lambda p: (p.order_by, p.material, p.offer, p.place, p.delivered))
    orders = [(group[0].order_by, group) for group in _in_orders(ordered)]
    drawn = doc.Drawing("Orders and lead times", told, chart, _table(run, [group for _, group in orders[:ORDERS]]))
    later = grouped((day, group) for day, group in orders[ORDERS:])
    rows_later: list[list[doc.Cell]] = [
        [day, doc.Count(len(some)), doc.Amount(cost_of(one for group in some for one in group))]
        for day, some in later.items()
    ]
    columns = [doc.Column("Order by", whole=True), doc.figures("Orders"), doc.figures("", run.currency)]
    after = doc.section("Orders after these", doc.table(columns, rows_later)) if later else None
    notes = more(len(groups) - len(kept), "supplier without a bar", "purchases.csv", "suppliers without a bar")
    notes += more(len(orders) - ORDERS, "order", "purchases.csv")
    return doc.section(title, head, drawn, doc.notes(notes), after)


def _in_orders(purchases: Sequence[RunPurchase]) -> list[list[RunPurchase]]:
    """Purchases that make one order, by their last day."""
    return [
        group
        for some in grouped((one.ordered, one) for one in purchases).values()
        for group in in_orders(some).values()
    ]


def _way(
    run: Run, purchases: Sequence[RunPurchase]
) -> tuple[tuple[charts.TimelineSpan, ...], tuple[charts.TimelineMark, ...]]:
    """For every stretch of periods in which goods arrive: the stretch, what leads to it, and the last day for its first order."""
    spans: list[charts.TimelineSpan] = []
    marks = []
    place = {period.label: number for number, period in enumerate(run.periods)}
    arriving = grouped((place[one.delivered], one) for one in purchases)
    for first, last in _stretches(sorted(arriving)):
        some = [one for number in range(first, last + 1) for one in arriving[number]]
        day = min(one.order_by for one in arriving[first])
        start, end = run.periods[first], run.periods[last]
        when = start.label if first == last else f"{start.label} to {end.label}"
        brought = (
            f"{mass_of(run.names, some[0].material, kilograms_of(some))} for {large_money(cost_of(some), run.currency)}"
        )
        marks.append(charts.TimelineMark(day, f"order by {day}", doc.Tone.CHOICE))
        if day + timedelta(1) < start.start:
            spans.append(
                charts.TimelineSpan(day, start.start - timedelta(1), f"ordered by {day}, on its way", doc.Tone.ASIDE)
            )
        spans.append(charts.TimelineSpan(start.start, end.end, f"arrives in {when}: {brought}"))
    return tuple(spans), tuple(marks)


def _stretches(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last of numbers that follow each other."""
    first = 0
    for place, number in enumerate(numbers):
        if place + 1 == len(numbers) or numbers[place + 1] > number + 1:
            yield numbers[first], number
            first = place + 1


def _table(run: Run, orders: Sequence[Sequence[RunPurchase]]) -> doc.DataTable:
    late = any(purchase.late_days for purchase in run.purchases)
    rows: list[list[doc.Cell]] = [
        [
            group[0].order_by,
            *([doc.Count(group[0].late_days) if group[0].late_days else ""] if late else []),
            run.names.material_with_id(group[0].material),
            run.names.offer(group[0].offer),
            group[0].offer,
            weighed(run.names, group[0].material, kilograms_of(group)),
            group[0].place,
            group[0].delivered,
            *prices_of(run, group),
            doc.Amount(cost_of(group)),
            ", ".join(dict.fromkeys(used_for(run, one) for one in group)),
        ]
        for group in orders
    ]
    columns = [doc.Column("Order by", whole=True), *([doc.figures("Days late")] if late else [])]
    columns += map(doc.Column, ("Material", "Supplier", "Offer"))
    columns += [doc.figures("Quantity"), doc.Column("To"), doc.Column("Arrives in", whole=True)]
    columns += [doc.figures("", f"{run.currency}/kg"), *([doc.figures("of it fee")] if run.draws else [])]
    columns.append(doc.figures("", run.currency))
    return doc.table([*columns, doc.Column("For")], rows)


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
            (first, f"{rule.id} {_BEGINS.get(status, status)}", _tone(rule, status))
            for first, _, status in phases
            if first
        ]
        after = [last + timedelta(1) for _, last, _ in phases if last is not None and last < date.max]
        days += [(day, f"{rule.id} ends", doc.Tone.GOOD) for day in after if day not in begins]
    inside = [one for one in days if run.periods[0].start < one[0] <= run.periods[-1].end]
    for day, some in sorted(grouped((day, (told, tone)) for day, told, tone in inside).items()):
        tones = {tone for _, tone in some}
        worst = next(
            (tone for tone in (doc.Tone.BAD, doc.Tone.DOUBTFUL, doc.Tone.CHOICE, doc.Tone.GOOD) if tone in tones),
            doc.Tone.ASIDE,
        )
        yield charts.TimelineMark(day, "; ".join(told for told, _ in some), worst)


def _tone(rule: RunRule, status: str) -> doc.Tone:
    """Bad: a phase in force of a rule that keeps offers out."""
    if status == "enacted" and not rule.keeps_out:
        return doc.Tone.PLAIN
    return _STATUS.get(status, doc.Tone.ASIDE)


def rules_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """Rules that bear on the plan over its time, beside a table of what they do."""
    start, end = run.periods[0].start, run.periods[-1].end
    rows = []
    for rule in _told_of(run)[:RULES]:
        spans = [
            charts.TimelineSpan(
                max(first or start, start), min(last or end, end), phase_text(text), _tone(rule, status)
            )
            for text, (first, last, status) in zip(rule.phases, _phases(rule), strict=True)
            if (first or start) <= end and (last or end) >= start
        ]
        rows.append(charts.TimelineRow(rule.id, tuple(spans)))
    told = "Rules that bear on the plan, or would if they held: when each is in force, suspended, or not known to hold; those that keep offers out look bad."
    return doc.Drawing("Rules over time", told, charts.Timeline(start, end, tuple(rows)), table)
