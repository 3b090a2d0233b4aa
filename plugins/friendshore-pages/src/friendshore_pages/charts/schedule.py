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

from .parts import largest, total, year_by_period

MAX_SUPPLIERS = 40
MAX_ORDERS = 80
MAX_DATED_RULES = 40
_TONES_BY_STATUS = {"enacted": doc.Tone.BAD, "unknown": doc.Tone.DOUBTFUL, "pending": doc.Tone.CHOICE}
_PHASE_TEXTS = {
    "enacted": "begins",
    "unknown": "may begin (status unknown)",
    "suspended": "is suspended",
    "pending": "would begin (pending)",
}


def orders_section(run: Run) -> doc.Section:
    title = "Orders by last day"
    if not run.purchases:
        return doc.section(title, doc.sentence("No orders."))
    first_day = min(purchase.order_by for purchase in run.purchases)
    due_first = [purchase for purchase in run.purchases if purchase.order_by == first_day]
    first_sentence = doc.sentence(f"By {first_day}: {large_money(cost_of(due_first), run.currency)} in all.")
    groups = grouped(((purchase.material, purchase.offer, purchase.place), purchase) for purchase in run.purchases)
    shown_keys = set(largest({key: cost_of(group) for key, group in groups.items()}, MAX_SUPPLIERS))
    by_last_day = sorted((min(purchase.order_by for purchase in groups[key]), key) for key in shown_keys)
    rows = tuple(
        charts.TimelineRow(
            f"{run.names.material(key[0])}: {run.names.offer(key[1])}{'' if key[2] == run.place else f' to {key[2]}'}",
            *_arrivals(run, groups[key]),
        )
        for _, key in by_last_day
    )
    chart = charts.Timeline(run.periods[0].start, run.periods[-1].end, rows, tuple(_marks(run)))
    description = (
        "Marks: the last day to order. Pale bars: the time until the first goods count as arrived. Bars: the periods in which goods arrive without a break. "
        "Lines: days on which a rule that affects the plan begins or ends."
    )
    ordered = sorted(run.purchases, key=lambda p: (p.order_by, p.material, p.offer, p.place, p.delivered))
    orders = [(group[0].order_by, group) for group in _by_order(ordered)]
    drawing = doc.Drawing(
        "Orders and lead times", description, chart, _orders_table(run, [group for _, group in orders[:MAX_ORDERS]])
    )
    later_by_day = grouped((day, group) for day, group in orders[MAX_ORDERS:])
    later_rows: list[list[doc.Cell]] = [
        [day, doc.Count(len(day_orders)), doc.Amount(cost_of(purchase for group in day_orders for purchase in group))]
        for day, day_orders in later_by_day.items()
    ]
    columns = [doc.Column("Order by", whole=True), doc.figures("Orders"), doc.figures("", run.currency)]
    later_section = doc.section("Orders after these", doc.table(columns, later_rows)) if later_by_day else None
    notes = rows_left(
        len(groups) - len(shown_keys), "supplier without a bar", "purchases.csv", "suppliers without a bar"
    )
    notes += rows_left(len(orders) - MAX_ORDERS, "order", "purchases.csv")
    return doc.section(title, first_sentence, drawing, doc.notes(notes), later_section)


def _by_order(purchases: Sequence[RunPurchase]) -> list[list[RunPurchase]]:
    by_period = grouped((purchase.ordered, purchase) for purchase in purchases)
    return [order for in_period in by_period.values() for order in in_orders(in_period).values()]


def _arrivals(
    run: Run, purchases: Sequence[RunPurchase]
) -> tuple[tuple[charts.TimelineSpan, ...], tuple[charts.TimelineMark, ...]]:
    spans: list[charts.TimelineSpan] = []
    marks = []
    number_by_period = {period.label: number for number, period in enumerate(run.periods)}
    by_number = grouped((number_by_period[purchase.delivered], purchase) for purchase in purchases)
    for first, last in _consecutive(sorted(by_number)):
        arriving_purchases = [purchase for number in range(first, last + 1) for purchase in by_number[number]]
        last_day = min(purchase.order_by for purchase in by_number[first])
        start, end = run.periods[first], run.periods[last]
        period_text = start.label if first == last else f"{start.label} to {end.label}"
        arrival = f"{mass_of(run.names, arriving_purchases[0].material, kilograms_of(arriving_purchases))} for {large_money(cost_of(arriving_purchases), run.currency)}"
        marks.append(charts.TimelineMark(last_day, f"order by {last_day}", doc.Tone.CHOICE))
        if last_day + timedelta(1) < start.start:
            spans.append(
                charts.TimelineSpan(
                    last_day, start.start - timedelta(1), f"ordered by {last_day}, in transit", doc.Tone.ASIDE
                )
            )
        spans.append(charts.TimelineSpan(start.start, end.end, f"arrives in {period_text}: {arrival}"))
    return tuple(spans), tuple(marks)


def _consecutive(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    first = 0
    for position, number in enumerate(numbers):
        if position + 1 == len(numbers) or numbers[position + 1] > number + 1:
            yield numbers[first], number
            first = position + 1


def _orders_table(run: Run, orders: Sequence[Sequence[RunPurchase]]) -> doc.DataTable:
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
            ", ".join(dict.fromkeys(used_for(run, purchase) for purchase in group)),
        ]
        for group in orders
    ]
    columns = [doc.Column("Order by", whole=True), *([doc.figures("Days late")] if late else [])]
    columns += map(doc.Column, ("Material", "Supplier", "Offer"))
    columns += [doc.figures("Quantity"), doc.Column("To"), doc.Column("Arrives in", whole=True)]
    columns += [doc.figures("", f"{run.currency}/kg"), *([doc.figures("of which fee")] if run.draws else [])]
    columns.append(doc.figures("", run.currency))
    return doc.table([*columns, doc.Column("For")], rows)


def _relevant_rules(run: Run) -> list[RunRule]:
    exposed = {row.rule for row in run.exposed}
    effective = {rule.id for rule in with_effect(run)}
    return [rule for rule in run.rules if rule.id in exposed | effective]


def _phases(rule: RunRule) -> list[DatedStatus]:
    return [DatedStatus.read(text) for text in rule.phases]


def _marks(run: Run) -> Iterator[charts.TimelineMark]:
    """Yield the days within the plan on which rules begin, may begin, or end. Rules of one day share a mark."""
    days: list[tuple[date, str, doc.Tone]] = []
    for rule in _relevant_rules(run):
        phases = _phases(rule)
        begins = {first for first, _, _ in phases}
        days += [
            (first, f"{rule.id} {_PHASE_TEXTS.get(status, status)}", _tone(rule, status))
            for first, _, status in phases
            if first
        ]
        days_after = [last + timedelta(1) for _, last, _ in phases if last is not None and last < date.max]
        days += [(day, f"{rule.id} ends", doc.Tone.GOOD) for day in days_after if day not in begins]
    within_plan = [event for event in days if run.periods[0].start < event[0] <= run.periods[-1].end]
    for day, texts_and_tones in sorted(grouped((day, (text, tone)) for day, text, tone in within_plan).items()):
        tones = {tone for _, tone in texts_and_tones}
        worst = next(
            (tone for tone in (doc.Tone.BAD, doc.Tone.DOUBTFUL, doc.Tone.CHOICE, doc.Tone.GOOD) if tone in tones),
            doc.Tone.ASIDE,
        )
        yield charts.TimelineMark(day, "; ".join(text for text, _ in texts_and_tones), worst)


def _tone(rule: RunRule, status: str) -> doc.Tone:
    if status == "enacted" and not rule.excluded_offers:
        return doc.Tone.PLAIN
    return _TONES_BY_STATUS.get(status, doc.Tone.ASIDE)


def rules_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    start, end = run.periods[0].start, run.periods[-1].end
    rows = []
    for rule in _relevant_rules(run)[:MAX_DATED_RULES]:
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
    description = "When each rule that affects the plan, or would if in force, is in force, suspended, or of unknown status. Rules that exclude offers are red."
    return doc.Drawing("Rules over time", description, charts.Timeline(start, end, tuple(rows)), table)


MAX_MATERIALS = 40
# A chart has eight styles of bars: seven materials, and all others.
MAX_MATERIALS_IN_CHART = 7
MAX_CHARGING_RULES = 30
MAX_PRICES = 12

MoneyByYear = Mapping[str, Decimal]


def spend_drawing(run: Run) -> doc.Drawing | None:
    """Return bars of money by year of order and material, over a table that sums to the total spend."""
    if not run.purchases:
        return None
    year_of = year_by_period(run)
    years = list(dict.fromkeys(year_of.values()))
    by_name = {
        material: totals((year_of[purchase.ordered], purchase.cost) for purchase in purchases)
        for material, purchases in by_material(run).items()
    }
    total_by_name = {material: total(amounts.values()) for material, amounts in by_name.items()}
    named = largest(total_by_name, MAX_MATERIALS_IN_CHART)
    others = [by_name[material] for material in by_name if material not in set(named)]
    series = [charts.Series(run.names.material(material), _values(years, by_name[material])) for material in named]
    series += (
        [charts.Series(f"{len(others)} others", _values(years, _sum_by_year(others)), doc.Tone.ASIDE)] if others else []
    )
    chart = charts.Bars(tuple(years), tuple(series), run.currency)
    description = f"Orders of each year at landed cost in {run.currency}: price, charges, and freight, not discounted."
    return doc.Drawing("Spend by year of order", description, chart, _spend_table(run, years, by_name))


def _sum_by_year(rows: Sequence[MoneyByYear]) -> MoneyByYear:
    return totals((year, money) for amounts in rows for year, money in amounts.items())


def _values(years: Sequence[str], amounts: MoneyByYear) -> tuple[Decimal, ...]:
    return tuple(amounts.get(year, Decimal(0)) for year in years)


def _spend_table(run: Run, years: Sequence[str], by_name: Mapping[str, MoneyByYear]) -> doc.DataTable:
    """Return a row per material, then price schedules, then costs for which a run has no years. The total is the total spend."""
    year_of = year_by_period(run)
    named = largest({material: total(amounts.values()) for material, amounts in by_name.items()}, MAX_MATERIALS)
    rest = [by_name[material] for material in by_name if material not in set(named)]
    discounts = totals((year_of[discount.settled], -discount.discount) for discount in run.discounts)
    bought = _sum_by_year([*by_name.values()])
    other = run.cost.nominal - total(bought.values()) - total(discounts.values())

    def row(name: str, amounts: MoneyByYear, *, strong: bool = False) -> doc.DataRow:
        figures = (doc.Amount(amounts[label]) if amounts.get(label) else doc.NOTHING for label in years)
        return doc.DataRow((name, *figures, doc.Amount(total(amounts.values()))), strong)

    rows = [row(run.names.material_with_id(material), by_name[material]) for material in named]
    rows += [row(count(len(rest), "other material"), _sum_by_year(rest))] if rest else []
    rows.append(row("bought (landed cost)", bought, strong=True))
    rows += [row("price schedules (discounts and surcharges)", discounts)] if discounts else []
    blank = (doc.NOTHING,) * len(years)
    due_text = "holding, onboarding, and other costs without a year"
    rows += [doc.DataRow((due_text, *blank, doc.Amount(other)))] if other else []
    rows.append(doc.DataRow(("spent, not discounted", *blank, doc.Amount(run.cost.nominal)), strong=True))
    return doc.table([doc.Column("Material"), *map(doc.figures, years), doc.figures("All", run.currency)], rows)


def charges_drawing(run: Run) -> doc.Drawing | None:
    charging_rules = sorted(
        (rule for rule in with_effect(run) if rule.charges), key=lambda rule: (-rule.charges, rule.id)
    )
    if not charging_rules:
        return None
    shown = charging_rules[:MAX_CHARGING_RULES]
    rest = total(rule.charges for rule in charging_rules[MAX_CHARGING_RULES:])
    rungs = [
        charts.Rung(rule.id, rule.charges, f"{rule.title or rule.sentence}: {large_money(rule.charges, run.currency)}")
        for rule in shown
    ]
    rows = [
        doc.DataRow((rule.id, doc.Amount(rule.charges), rule.citation, rule.title or rule.sentence)) for rule in shown
    ]
    rows += (
        [doc.DataRow((count(len(charging_rules) - MAX_CHARGING_RULES, "other rule"), doc.Amount(rest), "", ""))]
        if rest
        else []
    )
    rows.append(doc.DataRow(("all", doc.Amount(total(rule.charges for rule in charging_rules)), "", ""), strong=True))
    columns = [doc.Column("Rule"), doc.figures("Adds", run.currency), doc.Column("Citation"), doc.Column("Rule text")]
    description = f"Duties and other charges that each rule adds to the plan, in {run.currency}, not discounted."
    return doc.Drawing(
        "Charges by rule", description, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows)
    )


_TONES_BY_CONFIDENCE = {
    Confidence.ASSUMED.value: doc.Tone.BAD,
    Confidence.RECALLED.value: doc.Tone.BAD,
    Confidence.COMPUTED.value: doc.Tone.DOUBTFUL,
}


def evidence_drawing(run: Run) -> doc.Drawing | None:
    if not run.purchases:
        return None
    spent = cost_of(run.purchases)
    groups = grouped((purchase.confidence or "not stated", purchase) for purchase in run.purchases)
    confidences = sorted(groups, key=lambda name: -cost_of(groups[name]))
    rungs = [
        charts.Rung(
            name,
            cost_of(groups[name]),
            _money_text(run, groups[name], spent),
            _TONES_BY_CONFIDENCE.get(name, doc.Tone.PLAIN),
        )
        for name in confidences
    ]
    cells = grouped(((purchase.confidence or "not stated", purchase.catalog), purchase) for purchase in run.purchases)
    rows: list[list[doc.Cell]] = [
        [
            confidence,
            catalog,
            doc.Count(len({purchase.offer for purchase in group})),
            doc.Amount(cost_of(group)),
            doc.Share(cost_of(group) / spent) if spent else doc.NOTHING,
        ]
        for (confidence, catalog), group in sorted(
            cells.items(), key=lambda item: (confidences.index(item[0][0]), item[0][1])
        )
    ]
    columns = [
        doc.Column("Lowest confidence of capacity, price, and chain"),
        doc.Column("Catalog"),
        doc.figures("Offers"),
    ]
    columns += [doc.figures("Spent", run.currency), doc.figures("Share")]
    description = "Spending by the least reliable fact behind it: capacity, price, or chain of the offer."
    return doc.Drawing(
        "Spending by confidence", description, charts.Ladder(tuple(rungs), run.currency), doc.table(columns, rows)
    )


def _money_text(run: Run, purchases: Sequence[RunPurchase], total_spent: Decimal) -> str:
    money = cost_of(purchases)
    share = f", {percent(money / total_spent)} of all" if total_spent else ""
    return (
        f"{large_money(money, run.currency)}{share}, {count(len({purchase.offer for purchase in purchases}), 'offer')}"
    )


def prices_table(run: Run) -> tuple[doc.DataTable, int]:
    """Return the prices paid by material and offer, averaged over the plan, and the number of omitted prices."""
    rows: list[list[doc.Cell]] = []
    omitted = 0
    for number, (material, purchases) in enumerate(by_material(run).items()):
        if number >= MAX_MATERIALS:
            omitted += len({purchase.offer for purchase in purchases})
            continue
        groups = grouped((purchase.offer, purchase) for purchase in purchases)
        shown = largest({offer: cost_of(group) for offer, group in groups.items()}, MAX_PRICES)
        omitted += len(groups) - len(shown)
        rows += [
            [
                run.names.material_with_id(material),
                run.names.offer(offer),
                *_average_prices(run, groups[offer]),
                groups[offer][0].catalog,
                groups[offer][0].confidence,
            ]
            for offer in shown
        ]
    columns = [doc.Column("Material"), doc.Column("Supplier"), *map(doc.figures, ("Price", "Charges", "Freight"))]
    if run.ranges:
        columns[3:3] = [doc.figures("Low"), doc.figures("High")]
    input_columns = [doc.figures("Inputs"), doc.figures("Full price", f"{run.currency}/kg")] if run.draws else []
    columns += [doc.figures("Fee or landed price" if input_columns else "Landed", f"{run.currency}/kg"), *input_columns]
    columns += [doc.Column("Catalog"), doc.Column("Evidence")]
    return doc.table(columns, rows), omitted


def _average_prices(run: Run, purchases: Sequence[RunPurchase]) -> list[doc.Cell]:
    """Return per kilogram: price, its range if any price has one, charges, freight, their sum, then inputs and the full price."""
    kilograms = kilograms_of(purchases)
    price, *rest = (total(getattr(row, name) for row in purchases) for name in ("price", "charges", "freight", "cost"))
    key = (purchases[0].offer, purchases[0].material)
    low_and_high = next(
        ([row.price_low, row.price_high] for row in run.ranges if (row.offer, row.material) == key), [Decimal(0)] * 2
    )
    inputs = total(row.inputs_cost for row in purchases)
    amounts = [price, *(low_and_high if run.ranges else []), *rest, *([inputs, rest[-1] + inputs] if run.draws else [])]
    return [doc.Amount(amount / kilograms) if amount and kilograms else doc.NOTHING for amount in amounts]


MAX_DEMANDS = 60
MAX_MET = 5
"""Maximum number of demands met in full that have separate rungs."""
_HUNDRED = Decimal(100)


def met_drawing(run: Run, table: doc.DataTable) -> doc.Drawing:
    """Return a rung per demand with its delivered share, beside the table of causes. Many demands met in full share a rung."""
    demands = sorted(run.demands, key=lambda demand: not demand.short_kg)
    met = [demand for demand in demands if not demand.short_kg]
    shared = len(met) if len(met) > MAX_MET else 0
    rungs = [_rung(run, demand) for demand in demands[: len(demands) - shared][:MAX_DEMANDS]]
    if shared:
        names = joined([f"{run.names.material(demand.material)} for {for_whom(run, demand)}" for demand in met])
        rungs.append(charts.Rung(count(shared, "met in full", "met in full"), _HUNDRED, names, doc.Tone.GOOD))
    description = "Delivered over the whole plan, in percent of each demand. Short demands come first."
    return doc.Drawing("Delivered share of each demand", description, charts.Ladder(tuple(rungs), "%"), table)


def _rung(run: Run, demand: RunDemand) -> charts.Rung:
    name = f"{run.names.material(demand.material)} for {for_whom(run, demand)}"
    if not demand.wanted_kg:
        return charts.Rung(name, None, "no demand")
    delivered = demand.delivered_kg / demand.wanted_kg
    tone = doc.Tone.GOOD if not demand.short_kg else doc.Tone.DOUBTFUL if demand.delivered_kg else doc.Tone.BAD
    shortage = (
        f", {mass_of(run.names, demand.material, demand.short_kg)} short, met from {met_from(demand)}"
        if demand.short_kg
        else ""
    )
    return charts.Rung(
        name,
        delivered * _HUNDRED,
        f"{percent(delivered)} of {mass_of(run.names, demand.material, demand.wanted_kg)}{shortage}",
        tone,
    )
