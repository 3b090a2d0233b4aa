"""Charts of dates, money, and demand: orders and rules over time, spending by year, and delivered parts of demands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import grouped, totals
from friendshore.domain.evidence import Confidence
from friendshore.domain.run import Run, RunDemand, RunPurchase, RunRule
from friendshore.domain.used import DatedStatus
from friendshore.questions.wording import mass_of, weighed
from friendshore.report.demand import for_whom, met_from
from friendshore.report.ground import joined, phase_text, rows_left, with_effect
from friendshore.report.mix import by_material, cost_of, in_orders, kilograms_of, prices_of, used_for

from .parts import added, largest, years_of

SUPPLIERS = 40
"""Maximum number of suppliers in the timeline."""
ORDERS = 80
"""Maximum number of orders in the table."""
DATED_RULES = 40
"""Maximum number of rules over time."""
_STATUS = {"enacted": doc.Tone.BAD, "unknown": doc.Tone.DOUBTFUL, "pending": doc.Tone.CHOICE}
"""Tone of a phase. A suspended phase has little weight."""
_BEGINS = {
    "enacted": "begins",
    "unknown": "may hold from then on, which nobody knows",
    "suspended": "is suspended",
    "pending": "would begin, and is pending",
}


def orders_section(run: Run) -> doc.Section:
    """Return the orders and transports of every supplier with the days on which rules begin or end, and a table of the first orders."""
    title = "Orders by last day"
    if not run.purchases:
        return doc.section(title, doc.sentence("Nothing."))
    first = min(one.order_by for one in run.purchases)
    due = [one for one in run.purchases if one.order_by == first]
    head = doc.sentence(f"By {first}: {large_money(cost_of(due), run.currency)} in all.")
    groups = grouped(((one.material, one.offer, one.place), one) for one in run.purchases)
    kept = set(largest({key: cost_of(group) for key, group in groups.items()}, SUPPLIERS))
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
    notes = rows_left(len(groups) - len(kept), "supplier without a bar", "purchases.csv", "suppliers without a bar")
    notes += rows_left(len(orders) - ORDERS, "order", "purchases.csv")
    return doc.section(title, head, drawn, doc.notes(notes), after)


def _in_orders(purchases: Sequence[RunPurchase]) -> list[list[RunPurchase]]:
    """Return purchases grouped into orders by their last day."""
    return [
        group
        for some in grouped((one.ordered, one) for one in purchases).values()
        for group in in_orders(some).values()
    ]


def _way(
    run: Run, purchases: Sequence[RunPurchase]
) -> tuple[tuple[charts.TimelineSpan, ...], tuple[charts.TimelineMark, ...]]:
    """Return a span for every sequence of periods with arrivals, the time before it, and the last day for its first order."""
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
    """Yield first and last of consecutive numbers."""
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
    """Return rules that affect the plan, and those that would if in force."""
    exposed = {row.rule for row in run.exposed}
    at_work = {rule.id for rule in with_effect(run)}
    return [rule for rule in run.rules if rule.id in exposed | at_work]


def _phases(rule: RunRule) -> list[DatedStatus]:
    return [DatedStatus.read(text) for text in rule.phases]


def _marks(run: Run) -> Iterator[charts.TimelineMark]:
    """Yield days within the plan on which rules begin, possibly begin, or end, combined by day."""
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
    """Return the tone of a phase. It is bad if a rule in force excludes offers."""
    if status == "enacted" and not rule.keeps_out:
        return doc.Tone.PLAIN
    return _STATUS.get(status, doc.Tone.ASIDE)


def rules_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """Return a timeline of the rules that affect the plan, beside a table of their effects."""
    start, end = run.periods[0].start, run.periods[-1].end
    rows = []
    for rule in _told_of(run)[:DATED_RULES]:
        spans = [
            charts.TimelineSpan(
                max(phase.start or start, start),
                min(phase.end or end, end),
                phase_text(phase),
                _tone(rule, phase.status),
            )
            for phase in _phases(rule)
            if (phase.start or start) <= end and (phase.end or end) >= start
        ]
        rows.append(charts.TimelineRow(rule.id, tuple(spans)))
    told = "Rules that bear on the plan, or would if they held: when each is in force, suspended, or not known to hold; those that keep offers out look bad."
    return doc.Drawing("Rules over time", told, charts.Timeline(start, end, tuple(rows)), table)


MATERIALS = 7
"""Maximum number of materials distinguished in a chart."""
MATERIALS = 40
"""Maximum number of materials in the table."""
CHARGING_RULES = 30
"""Maximum number of rules with charges."""
PRICES = 12
"""Maximum number of prices of a material."""

Amounts = Mapping[str, Decimal]
"""Year -> money."""


def spend_drawing(run: Run) -> doc.Drawing | None:
    """Return bars of money by year of order and material, over a table that sums to the total spend."""
    if not run.purchases:
        return None
    year = years_of(run)
    years = list(dict.fromkeys(year.values()))
    by_name = {
        material: totals((year[one.ordered], one.cost) for one in purchases)
        for material, purchases in by_material(run).items()
    }
    whole = {material: added(amounts.values()) for material, amounts in by_name.items()}
    kept = largest(whole, MATERIALS)
    others = [by_name[material] for material in by_name if material not in set(kept)]
    series = [charts.Series(run.names.material(material), _values(years, by_name[material])) for material in kept]
    series += [charts.Series(f"{len(others)} others", _values(years, _sum(others)), doc.Tone.ASIDE)] if others else []
    chart = charts.Bars(tuple(years), tuple(series), run.currency)
    told = (
        f"What is ordered in each year, at landed cost in {run.currency}: price, charges and freight, not discounted."
    )
    return doc.Drawing("Spend by year of order", told, chart, _spend_table(run, years, by_name))


def _sum(some: Sequence[Amounts]) -> Amounts:
    return totals((year, money) for amounts in some for year, money in amounts.items())


def _values(years: Sequence[str], amounts: Amounts) -> tuple[Decimal, ...]:
    return tuple(amounts.get(year, Decimal(0)) for year in years)


def _spend_table(run: Run, years: Sequence[str], by_name: Mapping[str, Amounts]) -> doc.DataTable:
    """Return a row per material, then price schedules and other dues, for which a run has no years. The total is the total spend."""
    year = years_of(run)
    kept = largest({material: added(amounts.values()) for material, amounts in by_name.items()}, MATERIALS)
    rest = [by_name[material] for material in by_name if material not in set(kept)]
    off = totals((year[one.settled], -one.discount) for one in run.discounts)
    bought = _sum([*by_name.values()])
    other = run.cost.nominal - added(bought.values()) - added(off.values())

    def row(name: str, amounts: Amounts, *, strong: bool = False) -> doc.DataRow:
        figures = (doc.Amount(amounts[each]) if amounts.get(each) else doc.NOTHING for each in years)
        return doc.DataRow((name, *figures, doc.Amount(added(amounts.values()))), strong)

    rows = [row(run.names.material_with_id(material), by_name[material]) for material in kept]
    rows += [row(count(len(rest), "other material"), _sum(rest))] if rest else []
    rows.append(row("bought, at landed cost", bought, strong=True))
    rows += [row("less and more by price schedules", off)] if off else []
    blank = (doc.NOTHING,) * len(years)
    due = "holding, onboarding and what else is due, of which no year is told"
    rows += [doc.DataRow((due, *blank, doc.Amount(other)))] if other else []
    rows.append(doc.DataRow(("spent, not discounted", *blank, doc.Amount(run.cost.nominal)), strong=True))
    return doc.table([doc.Column("Material"), *map(doc.figures, years), doc.figures("All", run.currency)], rows)


def charges_drawing(run: Run) -> doc.Drawing | None:
    """Return the charges of each rule, the most expensive first."""
    charging = sorted((rule for rule in with_effect(run) if rule.charges), key=lambda rule: (-rule.charges, rule.id))
    if not charging:
        return None
    kept = charging[:CHARGING_RULES]
    rest = added(rule.charges for rule in charging[CHARGING_RULES:])
    rungs = [
        charts.Rung(rule.id, rule.charges, f"{rule.title or rule.sentence}: {large_money(rule.charges, run.currency)}")
        for rule in kept
    ]
    rows = [
        doc.DataRow((rule.id, doc.Amount(rule.charges), rule.citation, rule.title or rule.sentence)) for rule in kept
    ]
    rows += (
        [doc.DataRow((count(len(charging) - CHARGING_RULES, "other rule"), doc.Amount(rest), "", ""))] if rest else []
    )
    rows.append(doc.DataRow(("all", doc.Amount(added(rule.charges for rule in charging)), "", ""), strong=True))
    columns = [doc.Column("Rule"), doc.figures("Adds", run.currency), doc.Column("Citation"), doc.Column("What")]
    told = f"What rules add to the plan in duties and other charges, in {run.currency}, not discounted."
    return doc.Drawing("Charges by rule", told, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows))


_TONES = {
    Confidence.ASSUMED.value: doc.Tone.BAD,
    Confidence.RECALLED.value: doc.Tone.BAD,
    Confidence.COMPUTED.value: doc.Tone.DOUBTFUL,
}


def evidence_drawing(run: Run) -> doc.Drawing | None:
    """Return the money by confidence of the facts behind it, and by catalog."""
    if not run.purchases:
        return None
    whole = cost_of(run.purchases)
    groups = grouped((one.confidence or "not told", one) for one in run.purchases)
    order = sorted(groups, key=lambda name: -cost_of(groups[name]))
    rungs = [
        charts.Rung(name, cost_of(groups[name]), _weight(run, groups[name], whole), _TONES.get(name, doc.Tone.PLAIN))
        for name in order
    ]
    cells = grouped(((one.confidence or "not told", one.catalog), one) for one in run.purchases)
    rows: list[list[doc.Cell]] = [
        [
            confidence,
            catalog,
            doc.Count(len({one.offer for one in some})),
            doc.Amount(cost_of(some)),
            doc.Share(cost_of(some) / whole) if whole else doc.NOTHING,
        ]
        for (confidence, catalog), some in sorted(cells.items(), key=lambda item: (order.index(item[0][0]), item[0][1]))
    ]
    columns = [
        doc.Column("Least confidence of capacity, price and chain"),
        doc.Column("Catalog"),
        doc.figures("Offers"),
    ]
    columns += [doc.figures("Spent on them", run.currency), doc.figures("Share")]
    told = "Money by the least sure of the facts that it rests on: capacity, price or chain of the offer."
    return doc.Drawing(
        "What the money rests on", told, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows)
    )


def _weight(run: Run, purchases: Sequence[RunPurchase], whole: Decimal) -> str:
    spent = cost_of(purchases)
    share = f", {percent(spent / whole)} of all" if whole else ""
    return f"{large_money(spent, run.currency)}{share}, {count(len({one.offer for one in purchases}), 'offer')}"


def prices_table(run: Run) -> tuple[doc.DataTable, int]:
    """Return prices paid by material and offer, averaged over the plan, with their sources, and the number of omitted ones."""
    rows: list[list[doc.Cell]] = []
    left = 0
    for number, (material, purchases) in enumerate(by_material(run).items()):
        if number >= MATERIALS:
            left += len({one.offer for one in purchases})
            continue
        groups = grouped((one.offer, one) for one in purchases)
        kept = largest({offer: cost_of(group) for offer, group in groups.items()}, PRICES)
        left += len(groups) - len(kept)
        rows += [
            [
                run.names.material_with_id(material),
                run.names.offer(offer),
                *_prices(run, groups[offer]),
                groups[offer][0].catalog,
                groups[offer][0].confidence,
            ]
            for offer in kept
        ]
    columns = [doc.Column("Material"), doc.Column("Supplier"), *map(doc.figures, ("Price", "Charges", "Freight"))]
    if run.ranges:
        columns[3:3] = [doc.figures("Low"), doc.figures("High")]
    made = [doc.figures("Inputs"), doc.figures("Full price", f"{run.currency}/kg")] if run.draws else []
    columns += [doc.figures("Fee or landed price" if made else "Landed", f"{run.currency}/kg"), *made]
    columns += [doc.Column("Catalog"), doc.Column("Evidence")]
    return doc.table(columns, rows), left


def _prices(run: Run, purchases: Sequence[RunPurchase]) -> list[doc.Cell]:
    """Return price, its range if any price has one, charges, freight, and their sum per kilogram, then inputs and the full price."""
    weight = kilograms_of(purchases)
    price, *rest = (added(getattr(one, name) for one in purchases) for name in ("price", "charges", "freight", "cost"))
    about = (purchases[0].offer, purchases[0].material)
    ends = next(
        ([one.price_low, one.price_high] for one in run.ranges if (one.offer, one.material) == about), [Decimal(0)] * 2
    )
    inputs = added(one.inputs_cost for one in purchases)
    parts = [price, *(ends if run.ranges else []), *rest, *([inputs, rest[-1] + inputs] if run.draws else [])]
    return [doc.Amount(part / weight) if part and weight else doc.NOTHING for part in parts]


DEMANDS = 60
"""Maximum number of demands in the chart."""
MET = 5
"""Maximum number of demands met in full that have separate rungs."""
_HUNDRED = Decimal(100)


def met_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """Return a rung per demand with its delivered part, beside the table of causes. Many demands met in full share a rung."""
    kept = sorted(run.demands, key=lambda one: not one.short_kg)
    met = [one for one in kept if not one.short_kg]
    folded = len(met) if len(met) > MET else 0
    rungs = [_rung(run, one) for one in kept[: len(kept) - folded][:DEMANDS]]
    if folded:
        names = joined([f"{run.names.material(one.material)} for {for_whom(run, one)}" for one in met])
        rungs.append(charts.Rung(count(folded, "met in full", "met in full"), _HUNDRED, names, doc.Tone.GOOD))
    told = "The part of each demand that is delivered over the whole plan, in per cent of what is wanted; what is short comes first."
    return doc.Drawing("Part of each demand that is delivered", told, charts.Ladder(tuple(rungs), "%"), table)


def _rung(run: Run, one: RunDemand) -> charts.Rung:
    name = f"{run.names.material(one.material)} for {for_whom(run, one)}"
    if not one.wanted_kg:
        return charts.Rung(name, None, "nothing is wanted")
    part = one.delivered_kg / one.wanted_kg
    tone = doc.Tone.GOOD if not one.short_kg else doc.Tone.DOUBTFUL if one.delivered_kg else doc.Tone.BAD
    short = (
        f", {mass_of(run.names, one.material, one.short_kg)} short, met from: {met_from(one)}" if one.short_kg else ""
    )
    return charts.Rung(
        name,
        part * _HUNDRED,
        f"{percent(part)} of {mass_of(run.names, one.material, one.wanted_kg)}{short}",
        tone,
    )
