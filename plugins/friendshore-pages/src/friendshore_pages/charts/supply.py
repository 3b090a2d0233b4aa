"""Supply of each material: its suppliers over time, and its flow from the mines of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeAlias

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.excerpts import period_columns
from friendshore.document.figures import count, mass, unit_for
from friendshore.domain.base import grouped, totals
from friendshore.domain.countries import country_name
from friendshore.domain.run import Run, RunPurchase
from friendshore.questions.wording import mass_of
from friendshore.report.mix import chain, kilograms_of, prices_of, used_for

from .parts import (
    countries_text,
    in_unit,
    largest,
    max_rounding_error,
    supplier_names,
    tone_of,
    total,
    year_by_period,
)

MAX_DEPTH = 3


@dataclass(frozen=True, slots=True)
class Input:
    """One material as an input of another: its sellers and their destinations, and its users with quantities."""

    material: str
    depth: int
    """Maximum number of production steps from it to the material that arrives at users."""
    purchases: tuple[RunPurchase, ...]
    """Purchases delivered to a place where it is used."""
    sold_elsewhere: Mapping[str, Decimal]
    """Offer -> kilograms that it produces and delivers to other places."""
    lots: Mapping[str, Decimal]
    draws: Mapping[tuple[str, str], Decimal]
    """Place and offer that uses it -> kilograms."""

    @property
    def left_by_place(self) -> dict[str, Decimal]:
        kilograms_by_place = totals((purchase.place, purchase.quantity_kg) for purchase in self.purchases)
        for place, kilograms in self.lots.items():
            kilograms_by_place[place] = kilograms_by_place.get(place, Decimal(0)) + kilograms
        drawn = totals((place, kilograms) for (place, _), kilograms in self.draws.items())
        return {place: kilograms - drawn.get(place, Decimal(0)) for place, kilograms in kilograms_by_place.items()}


def inputs_of(run: Run, material: str) -> list[Input]:
    """Return the inputs of a material, most distant first. Each input in a cycle is followed once."""
    draws_by_offer = grouped((draw.offer, draw) for draw in run.draws)
    purchases_by_material = grouped((purchase.material, purchase) for purchase in run.purchases)
    input_materials = {
        name: sorted({draw.material for purchase in purchases for draw in draws_by_offer.get(purchase.offer, ())})
        for name, purchases in purchases_by_material.items()
    }
    depths = _depths(material, input_materials)
    draws_by_material: dict[str, dict[tuple[str, str], Decimal]] = {}
    inputs: list[Input] = []
    seen_offers: set[str] = set()
    for name in sorted(depths, key=lambda name: (depths[name], name)):
        places = {place for place, _ in draws_by_material.get(name, {})}
        used_purchases = [
            purchase for purchase in purchases_by_material.get(name, []) if name == material or purchase.place in places
        ]
        new_makers = {purchase.offer: None for purchase in used_purchases if purchase.offer not in seen_offers}
        seen_offers |= new_makers.keys()
        for draw in (draw for offer in new_makers for draw in draws_by_offer.get(offer, ())):
            if depths.get(draw.material, 0) > depths[name]:
                kilograms_by_use = draws_by_material.setdefault(draw.material, {})
                kilograms_by_use[draw.place, draw.offer] = (
                    kilograms_by_use.get((draw.place, draw.offer), Decimal(0)) + draw.quantity_kg
                )
        if name in draws_by_material:
            inputs.append(
                _input_of(
                    run,
                    name,
                    depths[name],
                    used_purchases,
                    purchases_by_material.get(name, []),
                    draws_by_material[name],
                )
            )
    return sorted(inputs, key=lambda one: (-one.depth, one.material))


def _input_of(
    run: Run,
    name: str,
    depth: int,
    used_purchases: Sequence[RunPurchase],
    all_purchases: Sequence[RunPurchase],
    draws: Mapping[tuple[str, str], Decimal],
) -> Input:
    sellers, places = {purchase.offer for purchase in used_purchases}, {place for place, _ in draws}
    sold_elsewhere = totals(
        (purchase.offer, purchase.quantity_kg)
        for purchase in all_purchases
        if purchase.offer in sellers and purchase.place not in places
    )
    lots = totals((lot.place, lot.quantity_kg) for lot in run.lots if lot.material == name and lot.place in places)
    return Input(name, depth, tuple(used_purchases), sold_elsewhere, lots, draws)


def _depths(material: str, input_materials: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the maximum depth of each input, up to `MAX_DEPTH`. A cycle ends at the input that was visited first."""
    in_postorder: list[str] = []
    remaining_inputs: dict[str, Iterator[str]] = {}
    path = [material]
    while path:
        inputs = remaining_inputs.setdefault(path[-1], iter(input_materials.get(path[-1], ())))
        next_input = next((name for name in inputs if name not in remaining_inputs), None)
        if next_input is None:
            in_postorder.append(path.pop())
        else:
            path.append(next_input)
    position = {name: number for number, name in enumerate(reversed(in_postorder))}
    depths = {material: 0}
    for name in reversed(in_postorder):
        for input_name in input_materials.get(name, ()):
            if position[input_name] > position[name]:
                depths[input_name] = max(depths.get(input_name, 0), depths[name] + 1)
    return {name: depth for name, depth in depths.items() if depth <= MAX_DEPTH}


MAX_NODES = 8

_OWNED, _AT, _ELSEWHERE = "in stock or on order", "to a maker at", "to others, or left over"
_UNKNOWN = "chain unknown"

Step = tuple[int, str]


@dataclass(slots=True)
class _Paths:
    layers: tuple[str, ...]
    amounts: dict[tuple[Step, Step, doc.Tone], Decimal] = field(default_factory=dict)
    materials: dict[Step, str] = field(default_factory=dict)

    def add(self, source: Step, target: Step, kilograms: Decimal, tone: doc.Tone = doc.Tone.ASIDE) -> None:
        key = source, target, tone
        self.amounts[key] = self.amounts.get(key, Decimal(0)) + kilograms

    def amount_into(self, step: Step) -> Decimal:
        return total(kilograms for (_, target, _), kilograms in self.amounts.items() if target == step)


_KEY = ((doc.Tone.ASIDE, "onward to makers and users"),)


def flow_drawing(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Drawing | None:
    """Return the flow of a material from the mines of its inputs. None if it is bought ready."""
    inputs = inputs_of(run, material)
    if not inputs:
        return None
    paths = _paths(run, material, purchases, inputs)
    steps = list(dict.fromkeys(step for source, target, _ in paths.amounts for step in (source, target)))
    unit = unit_for(paths.amounts.values())
    name = run.names.material(material)
    ordered_amounts = sorted(paths.amounts.items(), key=lambda item: (item[0][0][0], item[0][1][0], -item[1], item[0]))
    streams = [
        charts.Stream(
            _node_id(source), _node_id(target), in_unit(kilograms, unit), f"{_node_name(paths, source)} to {_node_name(paths, target)}: {mass(kilograms)}{_material_suffix(paths, source)}", tone
        )
        for (source, target, tone), kilograms in ordered_amounts
    ]  # fmt: skip
    nodes = [charts.Node(_node_id(step), step[1], step[0]) for step in steps]
    rows: list[list[doc.Cell]] = [
        [_node_name(paths, source), _node_name(paths, target), paths.materials.get(source, material), doc.Kilograms(kilograms, unit, bare=True)]
        for (source, target, _), kilograms in ordered_amounts
    ]  # fmt: skip
    columns = [doc.Column("From"), doc.Column("To"), doc.Column("Of"), doc.figures("", unit)]
    input_names = ", ".join(run.names.material(used.material) for used in inputs)
    description = f"{name} and its inputs: {input_names}. Widths are {unit} of each material, so a maker's output may weigh more or less than its input."
    chart = charts.Flow(paths.layers, tuple(nodes), tuple(streams), unit)
    return doc.Drawing(f"{name}: from mine to user", description, chart, doc.table(columns, rows), _KEY)


def _material_suffix(paths: _Paths, step: Step) -> str:
    return f" of {paths.materials[step]}" if step in paths.materials else ""


def _chain_text(purchase: RunPurchase) -> str:
    """Return the countries of an offer's own stages in order, without adjacent duplicates."""
    names = [countries_text(codes) for codes in purchase.countries.values()]
    return (
        " → ".join(name for position, name in enumerate(names) if not position or names[position - 1] != name)
        or _UNKNOWN
    )


def _node_id(step: Step) -> str:
    return f"{step[0]}:{step[1]}"


def _node_name(paths: _Paths, step: Step) -> str:
    layer = paths.layers[step[0]]
    if step in paths.materials and not step[1].endswith(_OWNED):
        where = step[1].removeprefix(f"{paths.materials[step]} ")
        return f"{paths.materials[step]} {'at' if layer == _AT else 'from'} {where}"
    return step[1]


def _place_name(run: Run, place: str) -> str:
    """Return the name of a country, or of the plants at a place within one."""
    plants = dict.fromkeys(run.names.offer(draw.offer) for draw in run.draws if draw.place == place)
    return ", ".join(plants) if country_name(place) == place and plants else country_name(place)


def _paths(run: Run, material: str, purchases: Sequence[RunPurchase], inputs: Sequence[Input]) -> _Paths:
    depths = sorted({used.depth for used in inputs}, reverse=True)
    column = {used.material: 2 * depths.index(used.depth) for used in inputs} | {material: 2 * len(depths)}
    layer_names = {
        depth: ", ".join(run.names.material(used.material) for used in inputs if used.depth == depth)
        for depth in depths
    }
    layers = [layer for depth in depths for layer in (layer_names[depth], _AT)]
    paths = _Paths((*layers, run.names.material(material), "delivered to", "goes to"))
    last = len(paths.layers) - 1

    def step(name: str, number: int, text: str) -> Step:
        is_alone = list(column.values()).count(column[name]) == 1
        node_name = text if is_alone else f"{name} {text}"
        if number < last - 1:
            paths.materials[number, node_name] = name
        return number, node_name

    node_by_offer: dict[str, Step] = {}
    for name, sales in [*((used.material, used.purchases) for used in inputs), (material, purchases)]:
        chains = _chain_nodes(sales)
        for purchase in sales:
            seller = step(name, column[name], chains[_chain_text(purchase)])
            node_by_offer[purchase.offer] = seller
            destination = step(name, column[name] + 1, _place_name(run, purchase.place))
            paths.add(seller, destination, purchase.quantity_kg, tone_of([purchase]))
    making_offers = {offer for used in inputs for _, offer in used.draws}
    for used in inputs:
        places = {place for place, _ in used.draws}
        node_by_place = {
            place: step(used.material, column[used.material] + 1, _place_name(run, place)) for place in places
        }
        for place, kilograms in used.lots.items():
            paths.add(step(used.material, column[used.material], _OWNED), node_by_place[place], kilograms)
        for (place, offer), kilograms in used.draws.items():
            paths.add(node_by_place[place], node_by_offer[offer], kilograms)
        leftovers = [
            (node_by_offer[offer], kilograms)
            for offer, kilograms in used.sold_elsewhere.items()
            if offer in making_offers
        ]
        leftovers += [(node_by_place[place], kilograms) for place, kilograms in used.left_by_place.items()]
        min_kilograms = max_rounding_error(run, total(used.draws.values())) * len(run.periods)
        for source, kilograms in leftovers:
            if kilograms > min_kilograms:
                paths.add(source, (last, _ELSEWHERE), kilograms)
    for lot in run.lots:
        if lot.material == material:
            paths.add(
                step(material, column[material], _OWNED), (last - 1, _place_name(run, lot.place)), lot.quantity_kg
            )
    _add_uses(run, material, paths, last - 1)
    return paths


def _chain_nodes(purchases: Sequence[RunPurchase]) -> dict[str, str]:
    """Return the node of each chain. Small chains share a node."""
    amounts = totals((_chain_text(purchase), purchase.quantity_kg) for purchase in purchases)
    shown = set(largest(amounts, MAX_NODES))
    others = f"{len(amounts) - len(shown):,} others"
    return {name: name if name in shown else others for name in amounts}


def _add_uses(run: Run, material: str, paths: _Paths, place_layer: int) -> None:
    goods_by_offer = grouped((row.offer, row.material) for row in run.purchases)
    last_period = run.periods[-1].label
    outflows: list[tuple[str, str, Decimal]] = []
    outflows += [
        (_place_name(run, row.place), f"{row.end_use} use", row.quantity_kg)
        for row in run.deliveries
        if row.material == material
    ]
    outflows += [
        (
            _place_name(run, row.place),
            f"into {' + '.join(dict.fromkeys(goods_by_offer.get(row.offer, [row.offer])))}",
            row.quantity_kg,
        )
        for row in run.draws
        if row.material == material
    ]
    outflows += [
        (_place_name(run, row.place), "left in stock at the end", row.quantity_kg)
        for row in run.stocks
        if row.material == material and row.period == last_period
    ]
    outflow_by_place = totals((place_name, kilograms) for place_name, _, kilograms in outflows)
    for place_name in dict.fromkeys(step[1] for *pair, _ in paths.amounts for step in pair if step[0] == place_layer):
        lost = paths.amount_into((place_layer, place_name)) - outflow_by_place.get(place_name, Decimal(0))
        outflows += [(place_name, "lost in stock", lost)] if lost > 0 else []
    min_kilograms = max_rounding_error(run, total(kilograms for *_, kilograms in outflows)) * len(run.periods)
    for (place_name, use), kilograms in totals(
        ((place_name, use), kilograms) for place_name, use, kilograms in outflows
    ).items():
        if kilograms > min_kilograms:
            paths.add((place_layer, place_name), (place_layer + 1, use), kilograms)
    for row in run.shortages:
        if row.material == material:
            user = (place_layer + 1, f"{row.end_use} use")
            paths.add((place_layer, "short"), user, row.quantity_kg, doc.Tone.BAD)


MAX_SERIES = 5
MAX_ROWS = 25
MAX_BARS = 8
"""Number of periods above which bars stand for years."""
_MAX_PERIOD_COLUMNS = 9
_STEADY = Decimal("0.05")
"""Change in a supplier's share below which its supply counts as steady."""

MassByLabel: TypeAlias = Mapping[str, Decimal]
Part: TypeAlias = tuple[str, MassByLabel, doc.Tone]


def material_card(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Section | None:
    """Return the suppliers of a material: charts of what changes and of its inputs, or only its figures if it has neither."""
    title = run.names.material_with_id(material)
    mix, flow = _mix(run, material, purchases), flow_drawing(run, material, purchases)
    if flow is None and not isinstance(mix, doc.Drawing):
        return doc.folded(title, mix)
    return doc.section(
        title,
        mix if isinstance(mix, doc.Drawing) else None,
        flow,
        *([] if isinstance(mix, doc.Drawing) else [doc.folded(_MIX_TITLE, mix)]),
    )


_MIX_TITLE = "Suppliers by year"


def _mix(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Drawing | doc.DataTable:
    """Return bars of arrivals by supplier, use of stock, and shortages, beside their table. Only the table if nothing changes."""
    by_years = len(run.periods) > MAX_BARS
    label_of = year_by_period(run) if by_years else {period.label: period.label for period in run.periods}
    labels = list(dict.fromkeys(label_of.values()))

    def by_label(rows: Iterable[tuple[str, Decimal]]) -> MassByLabel:
        return totals((label_of[period], kilograms) for period, kilograms in rows)

    arrivals = by_label((row.delivered, row.quantity_kg) for row in purchases)
    delivered = by_label((row.period, row.quantity_kg) for row in run.deliveries if row.material == material)
    by_makers = by_label((row.period, row.quantity_kg) for row in run.draws if row.material == material)
    short = by_label((row.period, row.quantity_kg) for row in run.shortages if row.material == material)
    used = {label: delivered.get(label, _ZERO) + by_makers.get(label, _ZERO) for label in labels}
    needed = {label: used[label] + short.get(label, _ZERO) for label in labels}
    from_stock = {
        label: used[label] - arrivals.get(label, _ZERO)
        for label in labels
        if used[label] - arrivals.get(label, _ZERO) > max_rounding_error(run, used[label]) * len(run.periods)
    }
    extra_rows: list[Part] = [("from stock", from_stock, doc.Tone.ASIDE)] if from_stock else []
    extra_rows += [("short", short, doc.Tone.BAD)] if short else []
    demanded = ["demand"] if delivered or short else []
    need_text = " and ".join([*demanded, *(["use by makers"] if by_makers else [])]) or "demand"
    stock_by_period, short_by_period, needed_by_period = _by_period(run, material, purchases)
    table_rows = [("from stock", stock_by_period)] if any(stock_by_period.values()) else []
    table_rows += [("short", short_by_period)] if short else []
    table = _mix_table(run, purchases, [*table_rows, (need_text, needed_by_period)])
    names = supplier_names(run, material)
    by_supplier = {
        name: (by_label((row.delivered, row.quantity_kg) for row in group), tone_of(group))
        for name, group in grouped((names[purchase.place, purchase.offer], purchase) for purchase in purchases).items()
    }
    if len(labels) < 2 or _is_steady([amounts for amounts, _ in by_supplier.values()], short, from_stock, needed):
        return table
    parts: list[Part] = [*_largest_amounts(by_supplier, MAX_SERIES), *extra_rows]
    unit = unit_for([*needed.values(), *arrivals.values()])
    unit_text = f"{unit} {run.names.basis(material)}".rstrip()

    def series(name: str, amounts: MassByLabel, tone: doc.Tone = doc.Tone.PLAIN) -> charts.Series:
        return charts.Series(name, tuple(in_unit(amounts.get(label, _ZERO), unit) for label in labels), tone)

    chart = charts.Bars(tuple(labels), tuple(series(*part) for part in parts), unit_text, series(need_text, needed))
    description = (
        f"By {'year' if by_years else 'period'} of arrival, in {unit_text}. {mass_of(run.names, material, kilograms_of(purchases))} arrive. "
        f"{need_text.capitalize()}: {mass_of(run.names, material, total(needed.values()))}"
        + (f", of which {mass_of(run.names, material, total(short.values()))} are short." if short else ".")
    )
    return doc.Drawing(f"{run.names.material(material)}: arrivals by supplier", description, chart, table)


_ZERO = Decimal(0)


def _is_steady(
    by_supplier: Sequence[MassByLabel], short: MassByLabel, from_stock: MassByLabel, needed: MassByLabel
) -> bool:
    """Return True if each supplier, the stock, and the shortage have about the same share of the need at any time."""
    labels = [label for label, kilograms in needed.items() if kilograms]
    for amounts in (*by_supplier, short, from_stock):
        shares = [amounts.get(label, _ZERO) / needed[label] for label in labels]
        if shares and max(shares) - min(shares) > _STEADY:
            return False
    return True


def _by_period(
    run: Run, material: str, purchases: Sequence[RunPurchase]
) -> tuple[MassByLabel, MassByLabel, MassByLabel]:
    """Return what is taken from stock, short, and needed in each period."""
    arrivals = totals((row.delivered, row.quantity_kg) for row in purchases)
    taken = [(row.period, row.quantity_kg) for row in run.deliveries if row.material == material]
    taken += [(row.period, row.quantity_kg) for row in run.draws if row.material == material]
    used = totals(taken)
    short = totals((row.period, row.quantity_kg) for row in run.shortages if row.material == material)
    needed = totals(taken)
    for period, kilograms in short.items():
        needed[period] = needed.get(period, _ZERO) + kilograms
    excess = {period: kilograms - arrivals.get(period, _ZERO) for period, kilograms in used.items()}
    stock = {
        period: kilograms for period, kilograms in excess.items() if kilograms > max_rounding_error(run, used[period])
    }
    return stock, short, needed


Supply: TypeAlias = tuple[MassByLabel, doc.Tone]


def _largest_amounts(by_name: Mapping[str, Supply], max_count: int) -> list[Part]:
    shown = largest({name: total(amounts.values()) for name, (amounts, _) in by_name.items()}, max_count)
    rest = [amounts for name, (amounts, _) in by_name.items() if name not in set(shown)]
    others: MassByLabel = totals((label, kilograms) for amounts in rest for label, kilograms in amounts.items())
    named = [(name, by_name[name][0], by_name[name][1]) for name in shown]
    return [*named, (f"{len(rest):,} others", others, doc.Tone.ASIDE)] if rest else named


def _mix_table(
    run: Run, purchases: Sequence[RunPurchase], extra_rows: Sequence[tuple[str, MassByLabel]]
) -> doc.DataTable:
    """Return a row for each supplier with chain, use, price, and evidence, then the total arrivals, then `extra_rows`."""
    periods = period_columns(((period.label, period.start.year) for period in run.periods), _MAX_PERIOD_COLUMNS)
    unit = unit_for(purchase.quantity_kg for purchase in purchases)
    groups = grouped(((purchase.offer, purchase.place, purchase.end_use), purchase) for purchase in purchases)
    shown = largest({key: kilograms_of(group) for key, group in groups.items()}, MAX_ROWS)
    others = [purchase for key, group in groups.items() if key not in set(shown) for purchase in group]

    def row(
        amounts: MassByLabel,
        *texts: doc.Cell,
        last_cells: Sequence[doc.Cell] = (*[doc.NOTHING] * (2 if run.draws else 1), ""),
        strong: bool = False,
    ) -> doc.DataRow:
        figures = (doc.Kilograms(amounts.get(period.label, Decimal(0)), unit, bare=True) for period in run.periods)
        total_cell = doc.Kilograms(total(amounts.values()), unit, bare=True)
        return doc.DataRow((*texts, *figures, total_cell, *last_cells), strong)

    def purchases_row(
        group: Sequence[RunPurchase], *texts: doc.Cell, evidence: str = "", strong: bool = False
    ) -> doc.DataRow:
        amounts = totals((purchase.delivered, purchase.quantity_kg) for purchase in group)
        return row(amounts, *texts, last_cells=(*prices_of(run, group), evidence), strong=strong)

    rows = [
        purchases_row(
            groups[key],
            run.names.offer(key[0]),
            chain(run, groups[key][0]),
            used_for(run, groups[key][0]),
            evidence=groups[key][0].confidence,
        )
        for key in shown
    ]
    rows += [purchases_row(others, count(len(groups) - len(shown), "other"), "", "")] if others else []
    rows.append(purchases_row(purchases, "arrives", "", "", strong=True))
    rows += [row(amounts, name, "", "") for name, amounts in extra_rows]
    columns = [doc.Column("Supplier"), doc.Column("Chain"), doc.Column("For"), *periods, doc.figures("All", unit)]
    columns += [doc.figures("", f"{run.currency}/kg"), *([doc.figures("of which fee")] if run.draws else [])]
    return doc.table([*columns, doc.Column("Evidence")], rows)
