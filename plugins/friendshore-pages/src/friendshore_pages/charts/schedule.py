"""Orders, countries, money, and rules of a run, as tables with bars and as charts of what changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, large_money, percent
from friendshore.domain.base import grouped, totals
from friendshore.domain.countries import country_name
from friendshore.domain.run import Run, RunPurchase
from friendshore.domain.used import DatedStatus
from friendshore.questions.wording import weighed
from friendshore.report.cash import priced
from friendshore.report.ground import phase_text, rows_left, with_effect
from friendshore.report.headline import is_overdue
from friendshore.report.mix import by_material, cost_of, in_orders, kilograms_of, used_for

from .parts import largest, masses_text, money_unit, spent, supplier_names, tone_of, total, year_by_period

MAX_NEXT = 8
"""Number of the next orders that are always shown."""
MAX_ORDERS = 150
_YEAR = timedelta(365)


def orders_section(run: Run) -> doc.Section:
    """Return the largest of the next orders. Folded below them are the others of a year, then later ones by day."""
    title = "Next orders"
    if not run.purchases:
        return doc.section(title, doc.sentence("No orders."))
    orders = sorted(_by_order(run.purchases), key=lambda group: (group[0].order_by, -cost_of(group), group[0].offer))
    first_day = orders[0][0].order_by
    unit, unit_name = money_unit(map(cost_of, orders))
    due = [order for order in orders if order[0].order_by == first_day]
    shown = due[:MAX_NEXT]
    within_year = [order for order in orders if order[0].order_by < first_day + _YEAR][len(shown) :]
    listed, later = within_year[:MAX_ORDERS], orders[len(shown) + len(within_year[:MAX_ORDERS]) :]
    rest = cost_of(purchase for order in within_year for purchase in order)
    until = first_day + _YEAR - timedelta(1)
    fold_title = f"{count(len(within_year), 'more order')} until {until}, {large_money(rest, run.currency)}"
    left_out = doc.notes(rows_left(len(within_year) - len(listed), "order", "purchases.csv"))
    by_day = grouped((order[0].order_by, order) for order in later)
    later_rows: list[list[doc.Cell]] = [
        [day, doc.Count(len(day_orders)), spent((purchase for order in day_orders for purchase in order), unit)]
        for day, day_orders in by_day.items()
    ]
    columns = [doc.Column("Order by", whole=True), doc.figures("Orders"), doc.figures("", f"{run.currency}{unit_name}")]
    later_spend = large_money(cost_of(purchase for order in later for purchase in order), run.currency)
    later_title = f"{count(len(later), 'later order')}, {later_spend}"
    return doc.section(
        title,
        doc.sentence(_due_text(run, first_day, due)),
        _orders_table(run, shown, unit, unit_name, first_day),
        doc.folded(fold_title, _orders_table(run, listed, unit, unit_name), left_out) if listed else None,
        doc.folded(later_title, doc.table(columns, later_rows)) if later else None,
    )


def _due_text(run: Run, first_day: date, due: Sequence[Sequence[RunPurchase]]) -> str:
    spend = large_money(cost_of(purchase for order in due for purchase in order), run.currency)
    text = f"{count(len(due), 'order')} for {spend} {'was' if len(due) == 1 else 'were'} due by {first_day}."
    days = max(purchase.late_days for order in due for purchase in order)
    if days:
        return f"{text} Placed today, the goods would arrive up to {count(days, 'day')} late."
    if is_overdue(run, due[0][0]):
        return text
    return f"Order {spend} by {first_day}: {count(len(due), 'order')}."


def _by_order(purchases: Sequence[RunPurchase]) -> list[list[RunPurchase]]:
    by_period = grouped((purchase.ordered, purchase) for purchase in purchases)
    return [order for in_period in by_period.values() for order in in_orders(in_period).values()]


def _orders_table(
    run: Run, orders: Sequence[Sequence[RunPurchase]], unit: Decimal, unit_name: str, due: date | None = None
) -> doc.DataTable:
    """Return orders, with their days unless `due` states the day of all of them."""
    late = not due and any(purchase.late_days for order in orders for purchase in order)
    several_places = any(purchase.place != run.place for order in orders for purchase in order)
    columns = {
        "day": doc.Column("Order by", whole=True),
        "late": doc.figures("Days late"),
        "material": doc.Column("Material"),
        "cost": doc.figures("", f"{run.currency}{unit_name}"),
        "supplier": doc.Column("Supplier"),
        "quantity": doc.figures("Quantity"),
        "price": doc.figures("", f"{run.currency}/kg"),
        "place": doc.Column("To"),
        "arrives": doc.Column("Arrives", whole=True),
        "use": doc.Column("For"),
    }
    is_shown = {"day": not due, "late": late, "place": several_places}
    columns = {name: column for name, column in columns.items() if is_shown.get(name, True)}
    return doc.table(
        columns.values(), [doc.cells_in(columns, _order_cells(run, purchases, unit)) for purchases in orders]
    )


def _order_cells(run: Run, purchases: Sequence[RunPurchase], unit: Decimal) -> dict[str, doc.Cell]:
    first = purchases[0]
    return {
        "day": first.order_by,
        "late": doc.Count(first.late_days) if first.late_days else "",
        "material": run.names.material(first.material),
        "cost": spent(purchases, unit),
        "supplier": run.names.offer(first.offer),
        "quantity": weighed(run.names, first.material, kilograms_of(purchases)),
        "price": priced(run, purchases),
        "place": first.place,
        "arrives": first.delivered,
        "use": ", ".join(dict.fromkeys(used_for(run, purchase) for purchase in purchases)),
    }


MAX_COUNTRIES = 40


def countries_section(run: Run) -> doc.Section | None:
    """Return the purchases by country of the seller, the largest first, and the countries that rules exclude."""
    by_country = grouped((purchase.country, purchase) for purchase in run.purchases)
    cost = {code: cost_of(group) for code, group in by_country.items()}
    excluded = sorted({country_name(code) for row in run.blocked for code in row.countries})
    if not by_country and not excluded:
        return None
    all_cost = cost_of(run.purchases)
    unit, unit_name = money_unit(cost.values())
    rows: list[list[doc.Cell]] = [
        [
            country_name(code),
            spent(by_country[code], unit),
            doc.Share(cost[code] / all_cost) if all_cost else doc.NOTHING,
            _purchased_masses(run, by_country[code]),
        ]
        for code in largest(cost, MAX_COUNTRIES)
    ]
    columns = [doc.Column("Seller in"), doc.figures("", f"{run.currency}{unit_name}"), doc.figures("Share")]
    omitted = rows_left(len(by_country) - MAX_COUNTRIES - 1, "country", "purchases.csv", "countries")
    exclusions = [f"Rules exclude some goods of {', '.join(excluded)}."] if excluded else []
    table = doc.table([*columns, doc.Column("Materials")], rows) if rows else None
    return doc.section("Where the money goes", table, doc.notes([*exclusions, *omitted]))


def _purchased_masses(run: Run, purchases: Sequence[RunPurchase]) -> str:
    cost = totals((purchase.material, purchase.cost) for purchase in purchases)
    kilograms = totals((purchase.material, purchase.quantity_kg) for purchase in purchases)
    ordered = sorted(cost, key=lambda name: (-cost[name], name))
    return masses_text({run.names.material(name): kilograms[name] for name in ordered})


MAX_PURCHASES = 60


def materials_table(run: Run) -> doc.DataTable:
    """Return what is bought by material and use, with its suppliers. Suppliers that the plan could exchange are named as one."""
    groups = grouped(((purchase.material, purchase.end_use), purchase) for purchase in run.purchases)
    names = {material: supplier_names(run, material) for material, _ in groups}
    unit, unit_name = money_unit(map(cost_of, groups.values()))
    rows: list[list[doc.Cell]] = [
        [
            run.names.material(material),
            spent(groups[material, use], unit),
            use.replace("+", ", "),
            weighed(run.names, material, kilograms_of(groups[material, use])),
            priced(run, groups[material, use]),
            _shares_text(names[material], groups[material, use]),
        ]
        for material, use in largest({key: cost_of(group) for key, group in groups.items()}, MAX_PURCHASES)
    ]
    columns = [doc.Column("Material"), doc.figures("", f"{run.currency}{unit_name}"), doc.Column("For")]
    columns += [doc.figures("Quantity"), doc.figures("", f"{run.currency}/kg")]
    return doc.table([*columns, doc.Column("From")], rows)


def _shares_text(names: Mapping[tuple[str, str], str], purchases: Sequence[RunPurchase]) -> str:
    kilograms, amounts = kilograms_of(purchases), totals((names[p.place, p.offer], p.quantity_kg) for p in purchases)
    shown = largest(amounts, MAX_SUPPLIERS)
    if len(amounts) == 1 or not kilograms:
        return "; ".join(shown)
    texts = [f"{percent(amounts[name] / kilograms)} {name}" for name in shown]
    more = [f"{len(amounts) - len(shown)} more"] if len(amounts) > len(shown) else []
    return "; ".join([*texts, *more])


MAX_SUPPLIERS = 3
MAX_DATED_RULES = 40
_TONES_BY_STATUS = {"enacted": doc.Tone.TITLE, "unknown": doc.Tone.UNKNOWN}
_RULES_KEY = ((doc.Tone.UNKNOWN, "status unknown"), (doc.Tone.ASIDE, "suspended or pending"))


def rules_drawing(run: Run) -> doc.Drawing | None:
    """Return the rules that matter to the plan and change during it. None if there are none."""
    start, end = run.periods[0].start, run.periods[-1].end
    exposed = {row.rule for row in run.exposed}
    effective = {rule.id for rule in with_effect(run)}
    chart_rows, rows = [], []
    for rule in run.rules:
        phases = [DatedStatus.read(text) for text in rule.phases]
        within = [phase for phase in phases if (phase.start or start) <= end and (phase.end or end) >= start]
        always = len(within) == 1 and (within[0].start or start) <= start and (within[0].end or end) >= end
        if rule.id not in exposed | effective or not within or always:
            continue
        spans = [
            charts.TimelineSpan(
                max(phase.start or start, start),
                min(phase.end or end, end),
                phase_text(phase),
                _TONES_BY_STATUS.get(phase.status, doc.Tone.ASIDE),
            )
            for phase in within
        ]
        chart_rows.append(charts.TimelineRow(rule.title or rule.id, tuple(spans)))
        rows.append([rule.title or rule.sentence, rule.id, "; ".join(map(phase_text, phases)), rule.citation])
    if not rows:
        return None
    chart = charts.Timeline(start, end, tuple(chart_rows[:MAX_DATED_RULES]))
    table = doc.table(list(map(doc.Column, ("Rule", "Id", "In force", "Citation"))), rows[:MAX_DATED_RULES])
    description = "Rules that affect the plan, or would if they were in force, and that change during it."
    return doc.Drawing("Rules that change", description, chart, table, _RULES_KEY)


MAX_MATERIALS = 40
MAX_CHARGING_RULES = 30
MAX_PRICES = 12

MoneyByYear = Mapping[str, Decimal]


def spend_drawing(run: Run) -> doc.Drawing | None:
    """Return bars of money by year of order and dependence on countries of concern, over a table that sums to the total spend."""
    if not run.purchases:
        return None
    year_of = year_by_period(run)
    years = list(dict.fromkeys(year_of.values()))
    by_tone = grouped((tone_of([purchase]), purchase) for purchase in run.purchases)
    series = [
        charts.Series(word, _values(years, _by_year(by_tone[tone], year_of)), tone)
        for tone, word in _CONCERN_WORDS.items()
        if tone in by_tone
    ]
    chart = charts.Bars(tuple(years), tuple(series), run.currency)
    description = f"Orders of each year in {run.currency}: price, charges, and freight, not discounted."
    by_name = {material: _by_year(purchases, year_of) for material, purchases in by_material(run).items()}
    return doc.Drawing("Spend by year of order", description, chart, _spend_table(run, years, by_name))


_CONCERN_WORDS = {
    doc.Tone.CONCERN: "from countries of concern",
    doc.Tone.UNKNOWN: "possibly from countries of concern",
    doc.Tone.PLAIN: "from other countries",
    doc.Tone.ASIDE: "purchases",
}


def _by_year(purchases: Sequence[RunPurchase], year_of: Mapping[str, str]) -> MoneyByYear:
    return totals((year_of[purchase.ordered], purchase.cost) for purchase in purchases)


def _sum_by_year(rows: Sequence[MoneyByYear]) -> MoneyByYear:
    return totals((year, money) for amounts in rows for year, money in amounts.items())


def _values(years: Sequence[str], amounts: MoneyByYear) -> tuple[Decimal, ...]:
    return tuple(amounts.get(year, Decimal(0)) for year in years)


def _spend_table(run: Run, years: Sequence[str], by_name: Mapping[str, MoneyByYear]) -> doc.DataTable:
    """Return a row per material, then price schedules and other costs. Its rows sum to the total spend, which is the last."""
    year_of = year_by_period(run)
    named = largest({material: total(amounts.values()) for material, amounts in by_name.items()}, MAX_MATERIALS)
    rest = [by_name[material] for material in by_name if material not in set(named)]
    discounts = totals((year_of[discount.settled], -discount.discount) for discount in run.discounts)
    purchased = _sum_by_year([*by_name.values(), discounts])
    cash = totals((year_of[row.period], row.amount) for row in run.cash)
    others = {year: money - purchased.get(year, _ZERO) for year, money in cash.items()}
    other = run.cost.nominal - total(purchased.values())

    def row(name: str, amounts: MoneyByYear, all_years: Decimal, *, strong: bool = False) -> doc.DataRow:
        figures = (_amount(amounts.get(label, _ZERO)) for label in years)
        return doc.DataRow((name, *figures, doc.Amount(all_years)), strong)

    rows = [row(run.names.material(name), by_name[name], total(by_name[name].values())) for name in named]
    if rest:
        rows.append(row(count(len(rest), "other material"), (sums := _sum_by_year(rest)), total(sums.values())))
    if discounts:
        rows.append(row("price schedules (discounts and surcharges)", discounts, total(discounts.values())))
    if abs(other) >= _LEAST:
        rows.append(row("holding, onboarding, and other costs", others, other))
    rows.append(row("spent", cash or purchased, run.cost.nominal, strong=True))
    return doc.table([doc.Column("Material"), *map(doc.figures, years), doc.figures("All", run.currency)], rows)


_ZERO, _LEAST = Decimal(0), Decimal("0.5")
"""Zero, and the money below which a cell is empty."""


def _amount(money: Decimal) -> doc.Cell:
    return doc.Amount(money) if abs(money) >= _LEAST else doc.NOTHING


def charges_table(run: Run) -> doc.DataTable | None:
    """Return the duties and other charges that each rule adds, the largest first."""
    rules = sorted((rule for rule in with_effect(run) if rule.charges), key=lambda rule: (-rule.charges, rule.id))
    if not rules:
        return None
    shown, rest = rules[:MAX_CHARGING_RULES], rules[MAX_CHARGING_RULES:]
    rows = [
        doc.DataRow((rule.title or rule.sentence, rule.id, rule.citation, doc.Amount(rule.charges))) for rule in shown
    ]
    if rest:
        others = doc.Amount(total(rule.charges for rule in rest))
        rows.append(doc.DataRow((count(len(rest), "other rule"), "", "", others)))
    rows.append(doc.DataRow(("all", "", "", doc.Amount(total(rule.charges for rule in rules))), strong=True))
    columns = [doc.Column("Rule"), doc.Column("Id"), doc.Column("Citation"), doc.figures("Adds", run.currency)]
    return doc.table(columns, rows)


def evidence_table(run: Run) -> doc.DataTable:
    """Return the money by the least reliable fact behind it: capacity, price, or chain of the offer."""
    all_cost = cost_of(run.purchases)
    cells = grouped(((purchase.confidence or "not stated", purchase.catalog), purchase) for purchase in run.purchases)
    rows: list[list[doc.Cell]] = [
        [
            confidence,
            catalog,
            doc.Count(len({purchase.offer for purchase in group})),
            doc.Amount(cost_of(group)),
            doc.Share(cost_of(group) / all_cost) if all_cost else doc.NOTHING,
        ]
        for (confidence, catalog), group in sorted(cells.items(), key=lambda item: (-cost_of(item[1]), item[0]))
    ]
    columns = [doc.Column("Lowest confidence of capacity, price, and chain"), doc.Column("Catalog")]
    columns += [doc.figures("Offers"), doc.figures("Spent", run.currency), doc.figures("Share")]
    return doc.table(columns, rows)


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
    columns = [doc.Column("Material"), doc.Column("Supplier")]
    columns += map(doc.figures, ("Price", *(("Low", "High") if run.ranges else ()), "Charges", "Freight"))
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
