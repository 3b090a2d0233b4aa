"""Mix of a run: suppliers by demand, and dependence on countries of concern."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from itertools import accumulate

from ..document import elements as doc
from ..document.excerpts import LINES, added_up, period_columns
from ..document.figures import count, large_money, mass, money, number, percent, unit_for
from ..domain.base import grouped, totals
from ..domain.countries import COVERED_NATIONS, country_names
from ..domain.run import Run, RunDependence, RunHolding, RunHoldingBar, RunHoldingUse, RunPurchase
from ..questions.wording import weighed
from .cash import MILLION, fee, full_price, full_price_cell, is_duty_told, price_sentence, priced
from .demand import others_left

_PRICE = 12
"""Characters of the price and of the gaps between the text columns."""
_FEE = 8
"""Characters of a maker's fee."""
_YEAR = 8
SOON = 2
"""Number of order periods listed order by order."""
_WITH_USE = 108
"""Minimum characters of a line that shows an order's use and price, as the mix does."""

SUPPLIERS = 3
"""Number of suppliers of a material that the whole document names beside its spend. The mix has all of them."""

Group = tuple[str, str, str, str]
"""Offer, material, place, and end use."""


def mix(run: Run) -> doc.Section | None:
    """Return all purchases by material and supplier, with their kilograms by period of delivery."""
    if not run.purchases:
        return None
    names = doc.longest_word(p.material for p in run.purchases) + 2
    periods = period_columns(((p.label, p.start.year) for p in run.periods), _YEAR)
    columns = [doc.Column("Material, supplier", room=names), doc.Column("Chain"), doc.Column("For"), *periods]
    prices = [doc.Column("", f"{run.currency}/kg", "right", whole=True, room=_PRICE)]
    prices += [doc.Column("fee", align="right", whole=True, room=_FEE)] if run.draws else []
    rows: list[doc.DataRow] = []
    for material, purchases in by_material(run).items():
        rows += _material_rows(run, material, purchases, periods)
    made = doc.table([*columns, *prices], rows)
    return doc.section("Mix, by time of delivery", made, price_sentence(run))


def by_material(run: Run) -> dict[str, list[RunPurchase]]:
    """Return purchases by material, demanded materials first."""
    found = grouped((purchase.material, purchase) for purchase in run.purchases)
    wanted = list(dict.fromkeys(demand.material for demand in run.demands))
    order = [*(m for m in wanted if m in found), *(m for m in sorted(found) if m not in wanted)]
    return {material: found[material] for material in order}


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
    """Return the use of a purchase, with its place if it isn't the case's."""
    return purchase.end_use if purchase.place == run.place else f"{purchase.end_use} at {purchase.place}"


def _by_period(run: Run, purchases: Sequence[RunPurchase]) -> list[Decimal]:
    found = totals((purchase.delivered, purchase.quantity_kg) for purchase in purchases)
    return [found.get(period.label, Decimal(0)) for period in run.periods]


def prices_of(run: Run, purchases: Sequence[RunPurchase]) -> list[doc.Cell]:
    """Return the average full price of a kilogram, and the fee if makers are paid one."""
    own = fee(run, purchases)
    return [full_price_cell(purchases), *([doc.NOTHING if own is None else doc.Amount(own)] if run.draws else [])]


def chain(run: Run, purchase: RunPurchase) -> doc.Phrase:
    """Return the stages of a purchase, with their countries. Inputs come first."""
    inputs = run.inputs_of.get(purchase.offer)
    steps = _steps(purchase.countries)
    at_length = [f"{', '.join(stages)} {where}" for stages, where in steps] or ["?"]
    brief = [where for _, where in steps] or ["?"]
    if inputs:
        at_length, brief = [" + ".join(inputs), *at_length], ["inputs", *brief]
    return doc.Phrase(" → ".join(at_length), brief=" → ".join(brief))


def _steps(countries: Mapping[str, Sequence[str]]) -> list[tuple[list[str], str]]:
    """Return the stages, merging those that share their countries."""
    steps: list[tuple[list[str], str]] = []
    for stage, names in countries.items():
        where = "/".join(names) or "?"
        if steps and steps[-1][1] == where:
            steps[-1][0].append(stage)
        else:
            steps.append(([stage], where))
    return steps


def bought(run: Run) -> doc.Section:
    """Return the purchases by material and use with their suppliers, by spend."""
    title = "Who supplies it"
    if not run.purchases:
        return doc.section(title, doc.sentence("nothing is bought"), column="Bought")
    found = grouped(((p.material, p.end_use), p) for p in run.purchases)
    groups = sorted(found.items(), key=lambda item: (-cost_of(item[1]), item[0]))
    unit = MILLION if any(cost_of(group) >= MILLION for _, group in groups) else Decimal(1)
    columns = [
        doc.Column("Material"),
        doc.Column("For", from_width=doc.NARROW),
        doc.figures("Quantity", from_width=doc.MEDIUM),
        doc.Column("", f"{run.currency}{' million' if unit > 1 else ''}", "right", from_width=doc.SPARE, on="screen"),
        doc.Column("", run.currency, "right", whole=True, on="whole"),
        doc.figures("", f"{run.currency}/kg", doc.NARROW),
        doc.Column("From (fee: without inputs)" if run.draws else "From"),
    ]
    names = run.names
    rows = [
        doc.DataRow(
            (
                doc.Either(doc.Phrase(names.material_with_id(material), brief=material), names.label(material)),
                _uses(use),
                weighed(names, material, kilograms_of(group)),
                number(cost_of(group) / unit),
                doc.Amount(cost_of(group)),
                _average(run, group),
                _suppliers(run, group),
            ),
            on=None if place < LINES else "whole",
        )
        for place, ((material, use), group) in enumerate(groups)
    ]
    others = [f"{names.material(material)} for {_uses(use)}" for (material, use), _ in groups]
    left = _left([cost_of(group) for _, group in groups])
    rests = [
        others_left(others[shown:], f"more, {large_money(left[shown], run.currency)}")
        for shown in range(len(rows[:LINES]) + 1)
    ]
    return doc.section(title, doc.excerpt(columns, rows, rests, part=5), column="Bought")


def _uses(joined: str) -> str:
    return joined.replace("+", ", ")


def _average(run: Run, purchases: Sequence[RunPurchase]) -> doc.Cell:
    price = full_price(purchases)
    if is_duty_told(run):
        return full_price_cell(purchases)
    return doc.NOTHING if price is None else doc.Amount(price)


def _suppliers(run: Run, purchases: Sequence[RunPurchase]) -> doc.Several:
    """Return suppliers with their shares, the largest first, with full prices if there are several, and with fees."""
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
    return doc.Several(tuple(full), tuple(brief), one="offer" if unnamed else "", named=SUPPLIERS)


def _left(money: Sequence[Decimal]) -> list[Decimal]:
    """Return the sums from each item on, and zero after the last."""
    return [*reversed(list(accumulate(reversed(money)))), Decimal(0)]


def orders(run: Run, folder: str = "") -> doc.Section | None:
    """Return the orders by their last day, then by priority and money. `folder` is the run folder. Empty if the run wasn't written.

    The whole document has those of the next two periods, and a line for each later period.
    """
    if not run.purchases:
        return None
    days = grouped((p.order_by, p) for p in sorted(run.purchases, key=lambda p: p.order_by))
    by_day = {day: sorted(in_orders(some).items(), key=lambda item: _urgency(run, item)) for day, some in days.items()}
    by_period = grouped((p.ordered, p) for some in days.values() for p in some)
    soon, later = list(by_period)[:SOON], list(by_period)[SOON:]
    listed = [order for found in by_day.values() for order in found]
    elsewhere = any(purchase.place != run.place for purchase in run.purchases)
    columns = [
        doc.Column("Order by"),
        doc.Column("From"),
        doc.Column("Material", from_width=doc.MEDIUM),
        doc.figures("Quantity", from_width=doc.SPARE),
        doc.Column("To", whole=True, from_width=doc.NARROW, on=None if elsewhere else "whole"),
        doc.Column("Arrives", whole=True, from_width=doc.NARROW),
        doc.Column("", f"{run.currency}/kg", "right", from_width=doc.MEDIUM, on="screen"),
        doc.Column("", f"{run.currency}/kg", "right", whole=True, from_width=_WITH_USE, on="whole"),
        *([doc.Column("fee", "", "right", whole=True, from_width=_WITH_USE, on="whole")] if run.draws else []),
        doc.figures("", run.currency, doc.SPARE),
        doc.Column("For", from_width=_WITH_USE, on="whole"),
    ]
    rows: list[doc.DataRow] = []
    headed: set[str] = set()
    for place, (order, some) in enumerate(listed):
        label = some[0].ordered
        if label in soon and label not in headed:
            rows.append(_period_row(run, label, by_period[label]))
            headed.add(label)
        if label in soon or place < LINES:
            on: doc.Form | None = "screen"
            if label in soon:
                on = None if place < LINES else "whole"
            rows.append(_order_row(run, order, some, on))
    spent = {day: large_money(cost_of(some), run.currency) for day, some in days.items()}
    left = [_orders_left(spent, by_day, shown) for shown in range(len(listed[:LINES]) + 1)]
    where = "all in the run" if folder else "all with --out"
    rests = [doc.Several((f"{some} ({where})",)) if some else doc.NOTHING for some in left]
    notes = doc.notes(f"{label}: {_summary(run, by_period[label])}" for label in later)
    head = doc.sentence("Later (all orders with --json or --out)", strong=True) if notes else None
    table = doc.excerpt(columns, rows, rests, part=2)
    return doc.section("What to order by when", table, doc.for_whole(head), doc.for_whole(notes), column="Order by")


Order = tuple[str, str, str, str]
"""Offer, material, place, and period of arrival."""


def _urgency(run: Run, order: tuple[Order, Sequence[RunPurchase]]) -> tuple[object, ...]:
    uses = (name for purchase in order[1] for name in purchase.end_use.split("+"))
    return run.rank_of(uses), -cost_of(order[1]), order[0]


def _period_row(run: Run, label: str, purchases: Sequence[RunPurchase]) -> doc.DataRow:
    blank = ("",) * (8 if run.draws else 7)
    return doc.DataRow((label, *blank, doc.Amount(cost_of(purchases)), ""), strong=True, on="whole")


def _order_row(run: Run, order: Order, purchases: Sequence[RunPurchase], on: doc.Form | None) -> doc.DataRow:
    offer, material, place, arrives = order
    cells = (
        order_day(purchases[0]),
        doc.Either(run.names.offer_with_id(offer), _supplier(run.names.offer(offer), purchases[0])),
        doc.Either(run.names.material(material), run.names.label(material)),
        weighed(run.names, material, kilograms_of(purchases)),
        *(place, arrives, priced(run, purchases), *prices_of(run, purchases)),
        doc.Amount(cost_of(purchases)),
        ", ".join(dict.fromkeys(use for p in purchases for use in p.end_use.split("+"))),
    )
    return doc.DataRow(cells, level=1, on=on)


def _supplier(name: str, purchase: RunPurchase) -> doc.Cell:
    """Return the seller: the plant, with its company if it fits. An offer without a name has its id, which is never cut."""
    if name == purchase.offer:
        return name
    company = purchase.supplier if purchase.supplier not in name else ""
    return doc.Several((", ".join(filter(None, (name, company))),), (name,))


def _orders_left(spent: Mapping[date, str], orders: Mapping[date, Sequence[object]], shown: int) -> str:
    """Return the orders due by the first day that doesn't fit, and the number of later orders."""
    later = sum(map(len, orders.values()))
    for day, found in orders.items():
        later -= len(found)
        if shown < len(found):
            some = f"{len(found) - shown} more" if shown else count(len(found), "order")
            return f"{some} by {day}, {spent[day]} in all" + (f"; {later} later" if later else "")
        shown -= len(found)
    return ""


def order_day(purchase: RunPurchase) -> doc.Cell:
    """Return the last day of an order, and the days since it passed, or that the order is due at once."""
    if not purchase.late_days:
        at_once = doc.Phrase(f"{purchase.order_by}, at once", doc.Tone.DOUBTFUL)
        return at_once if purchase.at_once else purchase.order_by
    text = f"{purchase.order_by}, late by {count(purchase.late_days, 'day')}"
    return doc.Phrase(text, doc.Tone.BAD, brief=f"{purchase.order_by}, late")


def in_orders(purchases: list[RunPurchase]) -> dict[tuple[str, str, str, str], list[RunPurchase]]:
    """Return purchases grouped by order, regardless of use."""
    return grouped(((p.offer, p.material, p.place, p.delivered), p) for p in purchases)


def kilograms_of(purchases: Iterable[RunPurchase]) -> Decimal:
    """Return the total kilograms of purchases of one material."""
    return sum((purchase.quantity_kg for purchase in purchases), Decimal(0))


def cost_of(purchases: Iterable[RunPurchase]) -> Decimal:
    """Return the total landed cost of purchases."""
    return sum((purchase.cost for purchase in purchases), Decimal(0))


def _summary(run: Run, purchases: list[RunPurchase]) -> str:
    return f"{count(len(in_orders(purchases)), 'order')}, {large_money(cost_of(purchases), run.currency)}"


def holdings(run: Run) -> doc.Section | None:
    """Return every lot with its verdict, and below the table the prohibitions with their reasons and remedies."""
    if not run.holdings:
        return None
    columns = [doc.Column("In hand or on order"), doc.Column("Material"), doc.Column("There from")]
    columns += [doc.figures("Quantity"), doc.figures("Used"), doc.figures("Left over"), doc.Column("Verdict")]
    rows = [_row(run, one) for one in run.holdings]
    return doc.section("Stock in hand and orders placed", doc.table(columns, rows), doc.notes(_barred_lines(run)))


def _row(run: Run, one: RunHolding) -> list[doc.Cell]:
    return [
        one.lot,
        one.material,
        one.arrives if one.arrives is not None else "in hand",
        weighed(run.names, one.material, one.quantity_kg),
        weighed(run.names, one.material, one.used_kg) if one.used_kg else doc.NOTHING,
        weighed(run.names, one.material, one.left_kg) if one.left_kg else doc.NOTHING,
        _verdicts(run, one) or "no demand could take it",
    ]


def unusable_lots(run: Run) -> Iterator[str]:
    """Yield one sentence for each lot that no use may take."""
    for one in run.holdings:
        wanted = [use for use in one.uses if use.verdict != "not wanted"]
        if wanted and all(use.verdict == "barred" for use in wanted):
            rules = ", ".join(dict.fromkeys(bar.rule for use in wanted for bar in use.bars))
            what = f"the order {one.lot}" if one.kind == "order" else f"the stock {one.lot}"
            yield f"{what}, {mass(one.quantity_kg)} of {run.names.material(one.material)}: {rules}"


def _verdicts(run: Run, one: RunHolding) -> str:
    found = grouped((_verdict(use), _use_of(run, one, use)) for use in one.uses)
    return "; ".join(f"{verdict} for {' and '.join(dict.fromkeys(uses))}" for verdict, uses in found.items())


def _verdict(use: RunHoldingUse) -> str:
    if use.verdict == "may be used in part of the time":
        first, last = use.periods[0], use.periods[-1]
        return f"may be used in {first}" if first == last else f"may be used from {first} to {last}"
    return use.verdict


def _use_of(run: Run, one: RunHolding, use: RunHoldingUse) -> str:
    made = "" if use.demand_material == one.material else f" {use.demand_material}"
    place = "" if use.place == run.place else f" at {use.place}"
    return f"{use.end_use}{made}{place}"


def _barred_lines(run: Run) -> Iterator[str]:
    """Yield every rule that prohibits a lot, once for all uses: from when, why, and how to resolve it."""
    titles = {rule.id: rule.title or rule.sentence for rule in run.rules}
    for one in run.holdings:
        found: dict[tuple[str, str, str], tuple[RunHoldingBar, list[str]]] = {}
        for use in one.uses:
            for bar in use.bars:
                _, uses = found.setdefault((bar.rule, _days(run, bar), bar.heals), (bar, []))
                uses.append(_use_of(run, one, use))
        for (rule, days, heals), (bar, uses) in found.items():
            named = f"{rule} ({titles[rule].rstrip('.')})" if titles.get(rule) else rule
            yield f"{one.lot} for {' and '.join(dict.fromkeys(uses))}: barred {days} by {named}{_why(bar)}. Healed by {heals}."


def _why(bar: RunHoldingBar) -> str:
    if bar.unproven:
        return f": {bar.reason}"
    done = f"{bar.stage} in" if bar.stage else "out of"
    return f": {done} {', '.join(bar.countries)}" if bar.countries else ""


def _days(run: Run, bar: RunHoldingBar) -> str:
    start = "from the start" if bar.start == run.periods[0].start else f"from {bar.start}"
    return f"{start} to {bar.end}" if bar.end else f"{start} on"


MATERIALS = 12
"""Maximum number of materials in the table, by descending spend of concern."""
_FIRST = "defense"
"""End use that comes first."""


def dependence_line(run: Run) -> doc.Sentence | None:
    """Return the share of purchases of concern in one line. None if nothing is bought, or the case names no country of concern."""
    whole = _whole(run)
    if whole is None:
        return None
    amounts = ((whole.is_cost, "surely"), (whole.may_be_cost, "possibly"))
    parts = ", ".join(f"{large_money(cost, run.currency)} {how}" for cost, how in amounts if cost)
    if not parts:
        return doc.sentence("no purchase depends on countries of concern")
    uses = [f"{row.name} {percent(row.share)}" for row in _rows(run, "end use")]
    told = f"{percent(whole.share)} of purchases depend on countries of concern: {parts}"
    return doc.sentence("; ".join([told, *([", ".join(uses)] if len(uses) > 1 else [])]))


def dependence_figure(run: Run) -> doc.KeyFigure | None:
    """Return the share of purchases of concern as a key figure. None as for `dependence_line`."""
    whole = _whole(run)
    if whole is None:
        return None
    money = large_money(whole.is_cost + whole.may_be_cost, run.currency)
    tone = doc.Tone.DOUBTFUL if whole.share else doc.Tone.GOOD
    return doc.KeyFigure("From countries of concern", doc.Share(whole.share), f"{money} of purchases", tone)


def dependence_section(run: Run) -> doc.Section | None:
    """Return the table of dependence: the plan, each end use, and each material, with the counted purchases."""
    whole = _whole(run)
    if whole is None:
        return None
    by_inputs = any(row.by_inputs_cost for row in run.dependence)
    materials = sorted(_rows(run, "material"), key=lambda row: (-row.is_cost - row.may_be_cost, row.name))
    rest = [f"{len(materials) - MATERIALS} more materials are in the run"] if len(materials) > MATERIALS else []
    kilograms = [
        [row.name, *(_mass(run, row.name, kg) for kg in (row.quantity_kg, row.is_kg, row.may_be_kg))]
        for row in materials[:MATERIALS]
    ]
    columns = [doc.Column("Material"), doc.figures("Bought"), doc.figures("Is of concern"), doc.figures("May be")]
    return doc.section(
        "Dependence on countries of concern",
        _money(run, whole, materials[:MATERIALS], by_inputs=by_inputs),
        doc.apart(doc.table(columns, kilograms)),
        doc.notes([*_notes(run), *rest]),
    )


def _money(run: Run, whole: RunDependence, materials: Sequence[RunDependence], *, by_inputs: bool) -> doc.DataTable:
    rows = [doc.DataRow(_cells("all", whole, by_inputs=by_inputs), strong=True)]
    rows += [doc.DataRow(_cells(f"{row.name} use", row, by_inputs=by_inputs)) for row in _rows(run, "end use")]
    stock = [row for row in _rows(run, "stock") if row.cost]
    rows += [doc.DataRow(_cells("in stock at the end", row, by_inputs=by_inputs)) for row in stock]
    rows += [doc.DataRow(_cells(row.name, row, by_inputs=by_inputs)) for row in materials]
    columns = [doc.Column("Purchases"), doc.figures("Paid", run.currency), doc.figures("Share of concern")]
    columns += [doc.figures("Is", run.currency), doc.figures("May be", run.currency)]
    columns += [doc.figures("By inputs alone", run.currency)] if by_inputs else []
    return doc.table(columns, rows)


def _notes(run: Run) -> Iterator[str]:
    names = country_names()
    countries = ", ".join(names.get(code, code) for code in run.countries_of_concern)
    default = (
        "the covered nations of 10 USC 4872(f)(2)"
        if set(run.countries_of_concern) == COVERED_NATIONS
        else "as the case says"
    )
    yield f"{countries}: {default}"
    yield "a purchase is of concern if its seller, a step of its chain, or an input is in one of them, and may be if that is not ruled out"
    yield "money is cash, not discounted, and each purchase counts once; by end use it follows the kilograms"


def _cells(name: str, row: RunDependence, *, by_inputs: bool) -> tuple[doc.Cell, ...]:
    parts = (row.is_cost, row.may_be_cost, *([row.by_inputs_cost] if by_inputs else []))
    amounts = (doc.Amount(part) if part else doc.NOTHING for part in parts)
    return name, doc.Amount(row.cost), doc.Share(row.share), *amounts


def _mass(run: Run, material: str, kilograms: Decimal | None) -> doc.Cell:
    return weighed(run.names, material, kilograms) if kilograms else doc.NOTHING


def _whole(run: Run) -> RunDependence | None:
    """Return the row of the plan. None if nothing is paid."""
    return next((row for row in run.dependence if row.scope == "plan" and row.cost), None)


def _rows(run: Run, scope: str) -> list[RunDependence]:
    found = [row for row in run.dependence if row.scope == scope]
    return sorted(found, key=lambda row: (row.name != _FIRST, row.name))
