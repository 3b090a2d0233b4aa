"""Mix of a run: suppliers by demand, and dependence on countries of concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from itertools import accumulate

from ..document import elements as doc
from ..document.excerpts import LINES, added_up, period_columns
from ..document.figures import count, large_money, mass, money, number, percent, unit_for
from ..domain.base import grouped, totals
from ..domain.countries import COVERED_NATIONS, country_in_text, country_name
from ..domain.run import Run, RunDependence, RunHolding, RunHoldingProhibition, RunHoldingUse, RunPurchase
from ..questions.wording import weighed
from .cash import MILLION, duty_status, fee, full_price, full_price_cell, is_duty_told, price_sentence, priced
from .demand import others_left

# Characters of columns with the gaps before them.
_PRICE, _FEE, _YEAR = 12, 8, 8
# Order periods that are listed order by order.
LISTED_PERIODS = 2
# Minimum width of a line that shows an order's use and price.
_WITH_USE = 108
# Minimum width of a line that shows the share of countries of concern in a purchase.
_WITH_CONCERN = 120

MAX_SUPPLIERS = 3
"""Number of suppliers of a material that the whole document names beside its spend. The mix has all of them."""


def mix(run: Run) -> doc.Section | None:
    """Return all purchases by material and supplier, with their kilograms by period of delivery."""
    if not run.purchases:
        return None
    name_room = doc.longest_word(p.material for p in run.purchases) + 2
    periods = period_columns(((p.label, p.start.year) for p in run.periods), _YEAR)
    columns = [doc.Column("Material, supplier", room=name_room), doc.Column("Chain"), doc.Column("For"), *periods]
    prices = [doc.Column("", f"{run.currency}/kg", "right", whole=True, room=_PRICE)]
    prices += [doc.Column("fee", align="right", whole=True, room=_FEE)] if run.draws else []
    rows: list[doc.DataRow] = []
    for material, purchases in by_material(run).items():
        rows += _material_rows(run, material, purchases, periods)
    table = doc.table([*columns, *prices], rows)
    return doc.section("Mix, by time of delivery", table, price_sentence(run))


def by_material(run: Run) -> dict[str, list[RunPurchase]]:
    groups = grouped((purchase.material, purchase) for purchase in run.purchases)
    demanded = list(dict.fromkeys(demand.material for demand in run.demands))
    order = [*(m for m in demanded if m in groups), *(m for m in sorted(groups) if m not in demanded)]
    return {material: groups[material] for material in order}


def _material_rows(
    run: Run, material: str, purchases: list[RunPurchase], periods: Sequence[doc.Column]
) -> Iterator[doc.DataRow]:
    groups = grouped(((purchase.offer, material, purchase.place, purchase.end_use), purchase) for purchase in purchases)
    unit = unit_for(added_up(periods, _by_period(run, purchases)))
    basis = run.names.basis(material)
    name, weight = run.names.material(material), f"{unit}\u00a0{basis}".rstrip()
    title = f"{name} ({weight})" if material in name else f"{name} ({material}, {weight})"

    def row(group: Sequence[RunPurchase], *first: doc.Cell, level: int) -> doc.DataRow:
        quantities = (doc.Kilograms(kg, unit, bare=True) for kg in _by_period(run, group))
        return doc.DataRow((*first, *quantities, *prices_of(run, group)), strong=not level, level=level)

    yield row(purchases, title, "", "", level=0)
    for key, group in sorted(groups.items(), key=lambda g: -kilograms_of(g[1])):
        yield row(group, run.names.offer(key[0]), chain(run, group[0]), used_for(run, group[0]), level=1)


def used_for(run: Run, purchase: RunPurchase) -> str:
    return (
        purchase.end_use if purchase.place == run.place else f"{purchase.end_use} in {country_in_text(purchase.place)}"
    )


def _by_period(run: Run, purchases: Sequence[RunPurchase]) -> list[Decimal]:
    kg_by_period = totals((purchase.delivered, purchase.quantity_kg) for purchase in purchases)
    return [kg_by_period.get(period.label, Decimal(0)) for period in run.periods]


def prices_of(run: Run, purchases: Sequence[RunPurchase]) -> list[doc.Cell]:
    return [full_price_cell(run, purchases), *([_fee_cell(run, purchases)] if run.draws else [])]


def _fee_cell(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    own_fee = fee(run, purchases)
    return doc.NOTHING if own_fee is None else doc.Amount(own_fee)


def chain(run: Run, purchase: RunPurchase) -> doc.Phrase:
    """Return the stages of a purchase, with their countries, as codes in narrow lines. Inputs come first."""
    inputs = run.inputs_of.get(purchase.offer)
    steps = _steps(purchase.countries)
    full = [f"{', '.join(stages)} {'/'.join(map(country_name, codes)) or '?'}" for stages, codes in steps] or ["?"]
    brief = ["/".join(codes) or "?" for _, codes in steps] or ["?"]
    if inputs:
        full, brief = [" + ".join(inputs), *full], ["inputs", *brief]
    return doc.Phrase(" → ".join(full), brief=" → ".join(brief))


def _steps(countries: Mapping[str, Sequence[str]]) -> list[tuple[list[str], Sequence[str]]]:
    """Return the stages, merging those that share their countries."""
    steps: list[tuple[list[str], Sequence[str]]] = []
    for stage, codes in countries.items():
        if steps and steps[-1][1] == codes:
            steps[-1][0].append(stage)
        else:
            steps.append(([stage], codes))
    return steps


def bought(run: Run) -> doc.Section:
    title = "Suppliers"
    if not run.purchases:
        return doc.section(title, doc.sentence("nothing is bought"), column="Buy")
    by_use = grouped(((p.material, p.end_use), p) for p in run.purchases)
    groups = sorted(by_use.items(), key=lambda item: (-cost_of(item[1]), item[0]))
    unit = MILLION if any(cost_of(group) >= MILLION for _, group in groups) else Decimal(1)
    columns = [
        doc.Column("Material"),
        doc.Column("For", from_width=doc.NARROW),
        doc.figures("Quantity", from_width=doc.MEDIUM),
        doc.Column("", f"{run.currency}{' million' if unit > 1 else ''}", "right", from_width=doc.SPARE, on="screen"),
        doc.Column("", run.currency, "right", whole=True, on="whole"),
        doc.figures(f"{run.currency}/kg all-in", "", doc.MEDIUM),
        *([replace(doc.figures("Of concern", "", _WITH_CONCERN), on="screen")] if run.countries_of_concern else []),
        doc.Column("From"),
    ]
    names = run.names
    rows = [
        doc.DataRow(
            (
                doc.Either(doc.Phrase(names.material_with_id(material), brief=material), names.material(material)),
                _uses(use),
                weighed(names, material, kilograms_of(group)),
                number(cost_of(group) / unit),
                doc.Amount(cost_of(group)),
                _average(run, group),
                *([_concern_cell(group)] if run.countries_of_concern else []),
                _suppliers(run, group),
            ),
            on=None if position < LINES else "whole",
        )
        for position, ((material, use), group) in enumerate(groups)
    ]
    labels = [f"{names.material(material)} for {_uses(use)}" for (material, use), _ in groups]
    spend_from = _sums_from([cost_of(group) for _, group in groups])
    rest_by_shown = [
        others_left(labels[shown:], f"more, {large_money(spend_from[shown], run.currency)}")
        for shown in range(len(rows[:LINES]) + 1)
    ]
    return doc.section(title, doc.excerpt(columns, rows, rest_by_shown, part=5), column="Buy")


def _concern_cell(purchases: Sequence[RunPurchase]) -> doc.Cell:
    """Return the share of the cost that depends on countries of concern."""
    certain, possible = (
        cost_of(purchase for purchase in purchases if purchase.concern in words)
        for words in (("is",), ("is", "may be"))
    )
    total = cost_of(purchases)
    return share_range(certain / total, possible / total) if total and possible else doc.NOTHING


def share_range(certain: Decimal, possible: Decimal) -> str:
    """Return a share from the certain to the possible one, such as `71 to 89%`."""
    low, high = percent(certain), percent(possible)
    return high if low == high else f"{low.removesuffix('%')} to {high}"


def _uses(joined: str) -> str:
    return joined.replace("+", ", ")


def _average(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    price = full_price(purchases)
    if is_duty_told(run) or duty_status(run, purchases):
        return full_price_cell(run, purchases)
    return doc.NOTHING if price is None else doc.Amount(price)


def _suppliers(run: Run, purchases: Sequence[RunPurchase]) -> doc.Several:
    total = kilograms_of(purchases)
    groups = grouped((purchase.offer, purchase) for purchase in purchases)
    names = {offer: run.names.offer(offer) for offer in groups}
    brief, full = [], []
    for offer, group in sorted(groups.items(), key=lambda item: (-kilograms_of(item[1]), item[0])):
        share = f"{names[offer]} {percent(kilograms_of(group) / total)}" if total else names[offer]
        price, own_fee = full_price(group), fee(run, group)
        price_text = f" at {money(price)}{duty_status(run, group)}" if price is not None and len(groups) > 1 else ""
        brief.append(share)
        full.append(share + price_text + (f" (fee {money(own_fee)})" if own_fee is not None else ""))
    unnamed = any(names[offer] == offer for offer in groups)  # an id is never cut
    return doc.Several(tuple(full), tuple(brief), one="offer" if unnamed else "", named=MAX_SUPPLIERS)


def _sums_from(amounts: Sequence[Decimal]) -> list[Decimal]:
    """Return the sums from each item on, and zero after the last."""
    return [*reversed(list(accumulate(reversed(amounts)))), Decimal(0)]


def orders(run: Run, folder: str = "") -> doc.Section | None:
    """Return the orders by their last day, then by priority and money. `folder` is empty if the run was not written."""
    if not run.purchases:
        return None
    days = grouped((p.order_by, p) for p in sorted(run.purchases, key=lambda p: p.order_by))
    by_day = {
        day: sorted(in_orders(purchases).items(), key=lambda item: _urgency(run, item))
        for day, purchases in days.items()
    }
    by_period = grouped((p.ordered, p) for purchases in days.values() for p in purchases)
    listed_periods, later_periods = list(by_period)[:LISTED_PERIODS], list(by_period)[LISTED_PERIODS:]
    due_orders = [order for orders_of_day in by_day.values() for order in orders_of_day]
    other_places = any(purchase.place != run.place for purchase in run.purchases)
    columns = {
        "day": doc.Column("Order by"),
        "supplier": doc.Column("From"),
        "material": doc.Column("Material"),
        "quantity": doc.figures("Quantity", from_width=doc.SPARE),
        "place": doc.Column("To", whole=True, from_width=doc.WIDE, on=None if other_places else "whole"),
        "arrives": doc.Column("Arrives", whole=True, from_width=doc.MEDIUM),
        "price": doc.Column("", f"{run.currency}/kg", "right", from_width=doc.MEDIUM, on="screen"),
        "full price": doc.Column("", f"{run.currency}/kg", "right", whole=True, from_width=_WITH_USE, on="whole"),
        "fee": doc.Column("fee", "", "right", whole=True, from_width=_WITH_USE, on="whole"),
        "cost": doc.figures("", run.currency, doc.SPARE),
        "use": doc.Column("For", from_width=_WITH_USE, on="whole"),
    }
    if not run.draws:
        del columns["fee"]
    rows: list[doc.DataRow] = []
    labels_with_heading: set[str] = set()
    for position, (order, purchases) in enumerate(due_orders):
        label = purchases[0].ordered
        if label in listed_periods and label not in labels_with_heading:
            sums: dict[str, doc.Cell] = {"day": label, "cost": doc.Amount(cost_of(by_period[label]))}
            cells = doc.cells_in(columns, {**dict.fromkeys(columns, ""), **sums})
            rows.append(doc.DataRow(cells, strong=True, on="whole"))
            labels_with_heading.add(label)
        if label in listed_periods or position < LINES:
            on: doc.Form | None = "screen"
            if label in listed_periods:
                on = None if position < LINES else "whole"
            cells = doc.cells_in(columns, _order_cells(run, order, purchases))
            rows.append(doc.DataRow(cells, level=1, on=on))
    spent = {day: large_money(cost_of(purchases), run.currency) for day, purchases in days.items()}
    rest_texts = [_orders_left(spent, by_day, shown) for shown in range(len(due_orders[:LINES]) + 1)]
    see_all = "all in the run" if folder else "all with --out"
    rest_by_shown = [doc.Several((f"{text} ({see_all})",)) if text else doc.NOTHING for text in rest_texts]
    notes = doc.notes(
        f"{label}: {count(len(in_orders(by_period[label])), 'order')}, {large_money(cost_of(by_period[label]), run.currency)}"
        for label in later_periods
    )
    head = doc.sentence("Later (all orders with --json or --out)", strong=True) if notes else None
    table = doc.excerpt(columns.values(), rows, rest_by_shown, part=3)
    return doc.section("Orders by last day", table, doc.for_whole(head), doc.for_whole(notes), column="Order by")


# Offer, material, place, and period of arrival.
Order = tuple[str, str, str, str]


def _urgency(run: Run, order: tuple[Order, Sequence[RunPurchase]]) -> tuple[object, ...]:
    uses = (name for purchase in order[1] for name in purchase.end_use.split("+"))
    return run.rank_of(uses), -cost_of(order[1]), order[0]


def _order_cells(run: Run, order: Order, purchases: Sequence[RunPurchase]) -> dict[str, doc.Cell]:
    offer, material, place, arrives = order
    return {
        "day": order_day(purchases[0]),
        "supplier": doc.Either(run.names.offer_with_id(offer), _supplier(run.names.offer(offer), purchases[0])),
        "material": run.names.material(material),
        "quantity": weighed(run.names, material, kilograms_of(purchases)),
        "place": country_name(place),
        "arrives": arrives,
        "price": priced(run, purchases),
        "full price": full_price_cell(run, purchases),
        "fee": _fee_cell(run, purchases),
        "cost": doc.Amount(cost_of(purchases)),
        "use": ", ".join(dict.fromkeys(use for p in purchases for use in p.end_use.split("+"))),
    }


def _supplier(name: str, purchase: RunPurchase) -> doc.Cell:
    """Return the plant, with its company if it fits. The id of an offer without a name is never cut."""
    if name == purchase.offer:
        return name
    company = purchase.supplier if purchase.supplier not in name else ""
    return doc.Several((", ".join(filter(None, (name, company))),), (name,))


def _orders_left(spent: Mapping[date, str], orders: Mapping[date, Sequence[object]], shown: int) -> str:
    later = sum(map(len, orders.values()))
    for day, orders_of_day in orders.items():
        later -= len(orders_of_day)
        if shown < len(orders_of_day):
            number_due = f"{len(orders_of_day) - shown} more" if shown else count(len(orders_of_day), "order")
            return f"{number_due} by {day}, {spent[day]} in all" + (f"; {later} later" if later else "")
        shown -= len(orders_of_day)
    return ""


def order_day(purchase: RunPurchase) -> doc.Cell:
    """Return the last day of an order, with how late it is, or that it is due at once."""
    if not purchase.late_days:
        at_once = doc.Phrase(f"{purchase.order_by}, at once", doc.Tone.DOUBTFUL)
        return at_once if purchase.at_once else purchase.order_by
    text = f"{purchase.order_by}, late by {count(purchase.late_days, 'day')}"
    return doc.Phrase(text, doc.Tone.DOUBTFUL, brief=f"{purchase.order_by}, late")


def in_orders(purchases: Iterable[RunPurchase]) -> dict[tuple[str, str, str, str], list[RunPurchase]]:
    return grouped(((p.offer, p.material, p.place, p.delivered), p) for p in purchases)


def kilograms_of(purchases: Iterable[RunPurchase]) -> Decimal:
    return sum((purchase.quantity_kg for purchase in purchases), Decimal(0))


def cost_of(purchases: Iterable[RunPurchase]) -> Decimal:
    return sum((purchase.cost for purchase in purchases), Decimal(0))


def holdings(run: Run) -> doc.Section | None:
    if not run.holdings:
        return None
    columns = [doc.Column("Lot"), doc.Column("Material"), doc.Column("Available from")]
    columns += [doc.figures("Quantity"), doc.figures("Used"), doc.figures("Left"), doc.Column("Verdict")]
    rows = [_holding_row(run, holding) for holding in run.holdings]
    return doc.section("Stock and open orders", doc.table(columns, rows), doc.notes(_prohibitions(run)))


def _holding_row(run: Run, holding: RunHolding) -> list[doc.Cell]:
    return [
        holding.lot,
        holding.material,
        holding.arrives if holding.arrives is not None else "in hand",
        weighed(run.names, holding.material, holding.quantity_kg),
        weighed(run.names, holding.material, holding.used_kg) if holding.used_kg else doc.NOTHING,
        weighed(run.names, holding.material, holding.left_kg) if holding.left_kg else doc.NOTHING,
        _verdicts(run, holding) or "no demand can use it",
    ]


def unusable_lots(run: Run) -> Iterator[str]:
    for holding in run.holdings:
        wanted = [use for use in holding.uses if use.verdict != "not wanted"]
        if wanted and all(use.verdict == "barred" for use in wanted):
            rules = ", ".join(dict.fromkeys(bar.rule for use in wanted for bar in use.prohibitions))
            subject = f"the order {holding.lot}" if holding.kind == "order" else f"the stock {holding.lot}"
            yield f"{subject}, {mass(holding.quantity_kg)} of {run.names.material(holding.material)}: {rules}"


def _verdicts(run: Run, holding: RunHolding) -> str:
    uses_by_verdict = grouped((_verdict(use), _use_of(run, holding, use)) for use in holding.uses)
    return "; ".join(f"{verdict} for {' and '.join(dict.fromkeys(uses))}" for verdict, uses in uses_by_verdict.items())


def _verdict(use: RunHoldingUse) -> str:
    if use.verdict == "may be used in part of the time":
        first, last = use.periods[0], use.periods[-1]
        return f"may be used in {first}" if first == last else f"may be used from {first} to {last}"
    return "prohibited" if use.verdict == "barred" else use.verdict


def _use_of(run: Run, holding: RunHolding, use: RunHoldingUse) -> str:
    product = "" if use.demand_material == holding.material else f" {use.demand_material}"
    place = "" if use.place == run.place else f" in {country_in_text(use.place)}"
    return f"{use.end_use}{product}{place}"


def _prohibitions(run: Run) -> Iterator[str]:
    titles = {rule.id: rule.title or rule.sentence for rule in run.rules}
    for holding in run.holdings:
        uses_by_bar: dict[tuple[str, str, str], tuple[RunHoldingProhibition, list[str]]] = {}
        for use in holding.uses:
            for bar in use.prohibitions:
                _, uses = uses_by_bar.setdefault((bar.rule, _span_of(run, bar), bar.fix), (bar, []))
                uses.append(_use_of(run, holding, use))
        for (rule, days, heals), (bar, uses) in uses_by_bar.items():
            rule_name = f"{rule} ({titles[rule].rstrip('.')})" if titles.get(rule) else rule
            yield f"{holding.lot} for {' and '.join(dict.fromkeys(uses))}: prohibited {days} by {rule_name}{_why(bar)}. Fix: {heals}."


def _why(bar: RunHoldingProhibition) -> str:
    if bar.unproven:
        return f": {bar.reason}"
    how = f"{bar.stage} in" if bar.stage else "out of"
    return f": {how} {', '.join(map(country_in_text, bar.countries))}" if bar.countries else ""


def _span_of(run: Run, bar: RunHoldingProhibition) -> str:
    start = "from the start" if bar.start == run.periods[0].start else f"from {bar.start}"
    return f"{start} to {bar.end}" if bar.end else f"{start} on"


MAX_MATERIALS = 12
_FIRST_END_USE = "defense"


def dependence_line(run: Run) -> doc.Sentence | None:
    """Return the shares that depend on countries of concern. None if nothing is bought, or the case names no such country."""
    plan_row = _plan_row(run)
    if plan_row is None:
        return None
    uses = [row for row in _dependence_rows(run, "end use") if row.cost]
    shares = [
        f"{row.name or 'all purchases'} {share_range(row.known_concern_cost / row.cost, row.share)}"
        for row in (uses if len(uses) > 1 else [plan_row])
    ]
    return doc.sentence(f"Share of countries of concern: {', '.join(shares)}{_owned_part(run)}")


def _owned_part(run: Run) -> str:
    """Return the cost that is paid to plants with owners in countries of concern, as far as the share doesn't count it as certain."""
    owned = [each for each in run.purchases if each.owners_of_concern and each.concern != "is" and each.cost]
    if not owned:
        return ""
    names = sorted({f"{each.facility}: {', '.join(each.owners_of_concern)}" for each in owned})
    share = percent(cost_of(owned) / cost_of(run.purchases))
    return f". Through ownership, which doesn't count in it, {share} is paid to plants with owners in countries of concern ({'; '.join(names)})"


def dependence_section(run: Run) -> doc.Section | None:
    plan_row = _plan_row(run)
    if plan_row is None:
        return None
    by_inputs = any(row.input_concern_cost for row in run.dependence)
    materials = sorted(
        _dependence_rows(run, "material"),
        key=lambda row: (-row.known_concern_cost - row.possible_concern_cost, row.name),
    )
    omitted = (
        [f"{count(len(materials) - MAX_MATERIALS, 'more material')} in the run"]
        if len(materials) > MAX_MATERIALS
        else []
    )
    kilograms = [
        [
            row.name,
            *(_mass(run, row.name, kg) for kg in (row.quantity_kg, row.known_concern_kg, row.possible_concern_kg)),
        ]
        for row in materials[:MAX_MATERIALS]
    ]
    columns = [doc.Column("Material"), doc.figures("Bought"), doc.figures("Is of concern"), doc.figures("May be")]
    return doc.section(
        "Dependence on countries of concern",
        _money(run, plan_row, materials[:MAX_MATERIALS], by_inputs=by_inputs),
        doc.apart(doc.table(columns, kilograms)),
        doc.notes([*_notes(run), *omitted]),
    )


def _money(run: Run, plan_row: RunDependence, materials: Sequence[RunDependence], *, by_inputs: bool) -> doc.DataTable:
    rows = [doc.DataRow(_cells("all", plan_row, by_inputs=by_inputs), strong=True)]
    rows += [
        doc.DataRow(_cells(f"{row.name} use", row, by_inputs=by_inputs)) for row in _dependence_rows(run, "end use")
    ]
    stock = [row for row in _dependence_rows(run, "stock") if row.cost]
    rows += [doc.DataRow(_cells("in stock at the end", row, by_inputs=by_inputs)) for row in stock]
    rows += [doc.DataRow(_cells(row.name, row, by_inputs=by_inputs)) for row in materials]
    columns = [doc.Column("Purchases"), doc.figures("Paid", run.currency), doc.figures("Share of concern")]
    columns += [doc.figures("Is", run.currency), doc.figures("May be", run.currency)]
    columns += [doc.figures("By inputs alone", run.currency)] if by_inputs else []
    return doc.table(columns, rows)


def _notes(run: Run) -> Iterator[str]:
    countries = ", ".join(map(country_name, run.countries_of_concern))
    default = (
        "the covered nations of 10 USC 4872(f)(2)"
        if set(run.countries_of_concern) == COVERED_NATIONS
        else "chosen by the case"
    )
    yield f"{countries}: {default}"
    yield "a purchase is of concern if its seller, a step of its chain, or an input is in one of these countries, and may be if that can't be ruled out"
    yield "money is cash, not discounted; each purchase counts once, and is split among end uses by kilograms"


def _cells(name: str, row: RunDependence, *, by_inputs: bool) -> tuple[doc.Cell, ...]:
    parts = (row.known_concern_cost, row.possible_concern_cost, *([row.input_concern_cost] if by_inputs else []))
    amounts = (doc.Amount(part) if part else doc.NOTHING for part in parts)
    return name, doc.Amount(row.cost), doc.Share(row.share), *amounts


def _mass(run: Run, material: str, kilograms: Decimal | None) -> doc.Cell:
    return weighed(run.names, material, kilograms) if kilograms else doc.NOTHING


def _plan_row(run: Run) -> RunDependence | None:
    """None if nothing is paid."""
    return next((row for row in run.dependence if row.scope == "plan" and row.cost), None)


def _dependence_rows(run: Run, scope: str) -> list[RunDependence]:
    rows = [row for row in run.dependence if row.scope == scope]
    return sorted(rows, key=lambda row: (row.name != _FIRST_END_USE, row.name))
