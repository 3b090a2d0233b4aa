"""Charts of supply: flows of a material, its suppliers over time, and its countries of origin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Literal

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.excerpts import period_columns
from friendshore.document.figures import count, large_money, mass, unit_for
from friendshore.domain.base import grouped, totals
from friendshore.domain.countries import is_country
from friendshore.domain.run import Run, RunPurchase
from friendshore.domain.stages import Stage
from friendshore.questions.wording import mass_of
from friendshore.report.ground import rows_left
from friendshore.report.mix import chain, cost_of, kilograms_of, prices_of, used_for

from .parts import countries_text, country_name, in_unit, largest, masses_text, max_rounding_error, total

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
MAX_NAMED_LAYERS, MAX_CHAIN_LENGTH = 5, 22
"""Maximum number of layers with country names, and maximum length of a chain. Beyond these, country codes are used."""

_OWNED, _AT, _ELSEWHERE = "in stock or on order", "to a maker at", "to others, or left over"
_UNKNOWN = "chain unknown"

Step = tuple[int, str]


@dataclass(slots=True)
class _Paths:
    layers: tuple[str, ...]
    amounts: dict[tuple[Step, Step], Decimal] = field(default_factory=dict)
    materials: dict[Step, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    """Name of a node with country names -> name with country codes."""
    tones: dict[Step, doc.Tone] = field(default_factory=dict)

    def add(self, steps: Sequence[Step], kilograms: Decimal) -> None:
        for pair in pairwise(steps):
            self.amounts[pair] = self.amounts.get(pair, Decimal(0)) + kilograms

    def amount_into(self, step: Step) -> Decimal:
        return total(kilograms for (_, target), kilograms in self.amounts.items() if target == step)


def flow_element(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Drawing | doc.Sentence:
    """Return the flow of a material from the mines of its inputs, or a sentence if all of it takes one path."""
    inputs = inputs_of(run, material)
    paths = _paths_with_inputs(run, material, purchases, inputs) if inputs else _paths(run, material, purchases)
    steps = list(dict.fromkeys(step for pair in paths.amounts for step in pair))
    if len(steps) == len({layer for layer, _ in steps}) and len(paths.amounts) < len(steps):
        return doc.sentence(f"All takes one path: {' → '.join(_node_name(paths, step) for step in sorted(steps))}.")
    unit = unit_for(paths.amounts.values())
    name, unit_text = run.names.material(material), f"{unit} {'' if inputs else run.names.basis(material)}".rstrip()
    ordered_amounts = sorted(paths.amounts.items(), key=lambda item: (item[0][0][0], item[0][1][0], -item[1], item[0]))
    streams = [
        charts.Stream(
            _node_id(source), _node_id(target), in_unit(kilograms, unit), f"{_node_name(paths, source)} to {_node_name(paths, target)}: {mass(kilograms)}{_material_suffix(paths, source)}",
            paths.tones.get(source, doc.Tone.PLAIN),
        )
        for (source, target), kilograms in ordered_amounts
    ]  # fmt: skip
    has_long_chain = any("→" in name and len(name) > MAX_CHAIN_LENGTH for _, name in steps)
    short_names = paths.codes if len(paths.layers) > MAX_NAMED_LAYERS or has_long_chain else {}
    nodes = [
        charts.Node(_node_id(step), short_names.get(step[1], step[1]), step[0], paths.tones.get(step, doc.Tone.PLAIN))
        for step in steps
    ]
    chart = charts.Flow(paths.layers, tuple(nodes), tuple(streams), unit_text)
    rows: list[list[doc.Cell]] = [
        [_node_name(paths, source), _node_name(paths, target), *([paths.materials.get(source, material)] if inputs else []), doc.Kilograms(kilograms, unit, bare=True)]
        for (source, target), kilograms in ordered_amounts
    ]  # fmt: skip
    columns = [
        doc.Column("From"),
        doc.Column("To"),
        *([doc.Column("Of")] if inputs else []),
        doc.figures("", unit_text),
    ]
    input_names = ", ".join(run.names.material(used.material) for used in inputs)
    description = (
        f"{name} and its inputs: {input_names}. Each stream is in {unit} of its own material, so a maker's output may weigh more or less than its input."
        if inputs
        else f"{name} from mine to user, in {unit_text}. A stage that may have taken place in several countries names all of them."
    )
    return doc.Drawing(f"{name}: from mine to user", description, chart, doc.table(columns, rows))


def _material_suffix(paths: _Paths, step: Step) -> str:
    return f" of {paths.materials[step]}" if step in paths.materials else ""


def _chain_text(purchase: RunPurchase, text_of: Callable[[Sequence[str]], str]) -> str:
    """Return the countries of an offer's own stages in order, without adjacent duplicates. `text_of` names the countries of a stage."""
    names = [text_of(codes) for codes in purchase.countries.values()]
    return (
        " → ".join(name for position, name in enumerate(names) if not position or names[position - 1] != name)
        or _UNKNOWN
    )


def _codes_text(codes: Sequence[str]) -> str:
    return "/".join(codes) or "?"


def _node_id(step: Step) -> str:
    return f"{step[0]}:{step[1]}"


def _node_name(paths: _Paths, step: Step) -> str:
    layer = paths.layers[step[0]]
    if step in paths.materials and not step[1].endswith(_OWNED):
        where = step[1].removeprefix(f"{paths.materials[step]} ")
        return f"{paths.materials[step]} {'at' if layer == _AT else 'from'} {where}"
    if layer not in set(Stage):
        return step[1]
    return f"{layer} in {step[1]}" if step[1] != countries_text(()) else f"{layer}, {step[1]}"


def _paths(run: Run, material: str, purchases: Sequence[RunPurchase]) -> _Paths:
    inputs = _inputs_text_by_offer(run)
    sources = [purchase for purchase in purchases if purchase.offer in inputs or not purchase.countries]
    stages = [stage.value for stage in Stage if any(stage.value in purchase.countries for purchase in purchases)]
    source_layer = ["from"] if sources or any(lot.material == material for lot in run.lots) else []
    paths = _Paths((*source_layer, *stages, "delivered to", "goes to"))
    paths.codes = {
        countries_text(codes): _codes_text(codes)
        for purchase in purchases
        for codes in purchase.countries.values()
        if codes
    }
    paths.codes |= {country_name(purchase.place): purchase.place for purchase in purchases}
    names = _stage_nodes(purchases, stages)
    for purchase in purchases:
        paths.add(list(_path_of(purchase, inputs, stages, names, len(source_layer))), purchase.quantity_kg)
    place_layer = len(source_layer) + len(stages)
    for lot in run.lots:
        if lot.material == material:
            paths.add([(0, _OWNED), (place_layer, country_name(lot.place))], lot.quantity_kg)
    _add_uses(run, material, paths, place_layer)
    return paths


def _paths_with_inputs(run: Run, material: str, purchases: Sequence[RunPurchase], inputs: Sequence[Input]) -> _Paths:
    depths = sorted({used.depth for used in inputs}, reverse=True)
    column = {used.material: 2 * depths.index(used.depth) for used in inputs} | {material: 2 * len(depths)}
    layer_names = {depth: ", ".join(used.material for used in inputs if used.depth == depth) for depth in depths}
    layers = [layer for depth in depths for layer in (layer_names[depth], _AT)]
    paths = _Paths((*layers, material, "delivered to", "goes to"))
    last = len(paths.layers) - 1

    def step(name: str, number: int, text: str, codes: str = "") -> Step:
        is_alone = list(column.values()).count(column[name]) == 1
        node_name, short_name = (text, codes or text) if is_alone else (f"{name} {text}", f"{name} {codes or text}")
        paths.codes[node_name] = short_name
        if number < last - 1:
            paths.materials[number, node_name] = name
        return number, node_name

    node_by_offer: dict[str, Step] = {}
    for name, sales in [*((used.material, used.purchases) for used in inputs), (material, purchases)]:
        chains = _chain_nodes(sales)
        for purchase in sales:
            text, codes = chains[_chain_text(purchase, countries_text)]
            source = step(name, column[name], text, codes)
            node_by_offer[purchase.offer] = source
            paths.add(
                [source, step(name, column[name] + 1, country_name(purchase.place), purchase.place)],
                purchase.quantity_kg,
            )
    making_offers = {offer for used in inputs for _, offer in used.draws}
    for used in inputs:
        places = {place for place, _ in used.draws}
        node_by_place = {
            place: step(used.material, column[used.material] + 1, country_name(place), place) for place in places
        }
        for place, kilograms in used.lots.items():
            paths.add([step(used.material, column[used.material], _OWNED), node_by_place[place]], kilograms)
        for (place, offer), kilograms in used.draws.items():
            paths.add([node_by_place[place], node_by_offer[offer]], kilograms)
        leftovers = [
            (node_by_offer[offer], kilograms)
            for offer, kilograms in used.sold_elsewhere.items()
            if offer in making_offers
        ]
        leftovers += [(node_by_place[place], kilograms) for place, kilograms in used.left_by_place.items()]
        min_kilograms = max_rounding_error(run, total(used.draws.values())) * len(run.periods)
        for source, kilograms in leftovers:
            if kilograms > min_kilograms:
                paths.add([source, (last, _ELSEWHERE)], kilograms)
    for lot in run.lots:
        if lot.material == material:
            paths.add([step(material, column[material], _OWNED), (last - 1, country_name(lot.place))], lot.quantity_kg)
    _add_uses(run, material, paths, last - 1)
    return paths


def _chain_nodes(purchases: Sequence[RunPurchase]) -> dict[str, tuple[str, str]]:
    """Return the node of each chain in words and in codes, by chain. Small chains share a node."""
    codes = {_chain_text(purchase, countries_text): _chain_text(purchase, _codes_text) for purchase in purchases}
    amounts = totals((_chain_text(purchase, countries_text), purchase.quantity_kg) for purchase in purchases)
    shown = set(largest(amounts, MAX_NODES))
    others = f"{len(amounts) - len(shown):,} others"
    return {name: (name, codes[name].replace(" → ", "→")) if name in shown else (others, others) for name in amounts}


def _inputs_text_by_offer(run: Run) -> dict[str, str]:
    materials_by_offer: dict[str, set[str]] = {}
    for draw in run.draws:
        materials_by_offer.setdefault(draw.offer, set()).add(draw.material)
    return {offer: " + ".join(sorted(materials)) for offer, materials in materials_by_offer.items()}


def _stage_nodes(purchases: Sequence[RunPurchase], stages: Sequence[str]) -> dict[tuple[str, str], str]:
    nodes: dict[tuple[str, str], str] = {}
    for stage in stages:
        amounts = totals(
            (countries_text(purchase.countries[stage]), purchase.quantity_kg)
            for purchase in purchases
            if stage in purchase.countries
        )
        shown = set(largest(amounts, MAX_NODES))
        nodes |= {(stage, name): name if name in shown else f"{len(amounts) - len(shown):,} others" for name in amounts}
    return nodes


def _path_of(
    purchase: RunPurchase,
    inputs: Mapping[str, str],
    stages: Sequence[str],
    stage_nodes: Mapping[tuple[str, str], str],
    first_stage_layer: int,
) -> Iterator[Step]:
    if purchase.offer in inputs or not purchase.countries:
        yield 0, inputs.get(purchase.offer, _UNKNOWN)
    for number, stage in enumerate(stages, first_stage_layer):
        if stage in purchase.countries:
            yield number, stage_nodes[stage, countries_text(purchase.countries[stage])]
    yield first_stage_layer + len(stages), country_name(purchase.place)


def _add_uses(run: Run, material: str, paths: _Paths, place_layer: int) -> None:
    goods_by_offer = grouped((row.offer, row.material) for row in run.purchases)
    last_period = run.periods[-1].label
    outflows: list[tuple[str, str, Decimal]] = []
    outflows += [
        (country_name(row.place), f"{row.end_use} use", row.quantity_kg)
        for row in run.deliveries
        if row.material == material
    ]
    outflows += [
        (
            country_name(row.place),
            f"into {' + '.join(dict.fromkeys(goods_by_offer.get(row.offer, [row.offer])))}",
            row.quantity_kg,
        )
        for row in run.draws
        if row.material == material
    ]
    outflows += [
        (country_name(row.place), "left in stock at the end", row.quantity_kg)
        for row in run.stocks
        if row.material == material and row.period == last_period
    ]
    outflow_by_place = totals((place_name, kilograms) for place_name, _, kilograms in outflows)
    for place_name in dict.fromkeys(step[1] for pair in paths.amounts for step in pair if step[0] == place_layer):
        lost = paths.amount_into((place_layer, place_name)) - outflow_by_place.get(place_name, Decimal(0))
        outflows += [(place_name, "lost in stock", lost)] if lost > 0 else []
    min_kilograms = max_rounding_error(run, total(kilograms for *_, kilograms in outflows)) * len(run.periods)
    for (place_name, use), kilograms in totals(
        ((place_name, use), kilograms) for place_name, use, kilograms in outflows
    ).items():
        if kilograms > min_kilograms:
            paths.add([(place_layer, place_name), (place_layer + 1, use)], kilograms)
    for row in run.shortages:
        if row.material == material:
            paths.add([(place_layer, "short"), (place_layer + 1, f"{row.end_use} use")], row.quantity_kg)
            paths.tones[place_layer, "short"] = doc.Tone.BAD


MAX_SERIES = 5
MAX_ROWS = 25
_MAX_PERIOD_COLUMNS = 9

MassByPeriod = Mapping[str, Decimal]


class _Balance:
    def __init__(self, run: Run, material: str, purchases: Sequence[RunPurchase]) -> None:
        self.run = run
        self.arrivals = totals((row.delivered, row.quantity_kg) for row in purchases)
        self.delivered = totals((row.period, row.quantity_kg) for row in run.deliveries if row.material == material)
        self.used_by_makers = totals((row.period, row.quantity_kg) for row in run.draws if row.material == material)
        self.short = totals((row.period, row.quantity_kg) for row in run.shortages if row.material == material)

    def needed(self, period: str) -> Decimal:
        return total(amounts.get(period, Decimal(0)) for amounts in (self.delivered, self.used_by_makers, self.short))

    @property
    def is_even(self) -> bool:
        return not any(
            self.into_stock(period) or self.from_stock(period)
            for period in {*self.arrivals, *self.delivered, *self.used_by_makers}
        )

    def into_stock(self, period: str) -> Decimal:
        return self._excess(self.arrivals.get(period, Decimal(0)), self._used(period))

    def from_stock(self, period: str) -> Decimal:
        return self._excess(self._used(period), self.arrivals.get(period, Decimal(0)))

    def _used(self, period: str) -> Decimal:
        return self.delivered.get(period, Decimal(0)) + self.used_by_makers.get(period, Decimal(0))

    def _excess(self, more: Decimal, less: Decimal) -> Decimal:
        return more - less if more - less > max_rounding_error(self.run, max(more, less)) else Decimal(0)


def mix_elements(run: Run, material: str, purchases: Sequence[RunPurchase]) -> list[doc.Element]:
    """Return bars of arrivals by supplier, use of stock, and shortages, with a line of needs and their table.

    If one supplier delivers exactly the needs in every period, a sentence replaces the bars.
    """
    balance = _Balance(run, material, purchases)
    labels = [period.label for period in run.periods]
    needed = {label: balance.needed(label) for label in labels}
    from_stock = {label: balance.from_stock(label) for label in labels}
    by_supplier = _by_supplier(run, purchases)
    extra_rows = [("from stock", from_stock, doc.Tone.ASIDE)] if any(from_stock.values()) else []
    extra_rows += [("short", balance.short, doc.Tone.BAD)] if balance.short else []
    demanded = ["demand"] if balance.delivered or balance.short else []
    need_text = " and ".join([*demanded, *(["use by makers"] if balance.used_by_makers else [])]) or "demand"
    table = _mix_table(run, purchases, [*((name, amounts) for name, amounts, _ in extra_rows), (need_text, needed)])
    if len(by_supplier) == 1 and not extra_rows and balance.is_even:
        (name,) = by_supplier
        return [doc.sentence(f"{name} delivers exactly the {need_text} in every period."), table]
    bars = [
        *((name, amounts, doc.Tone.PLAIN) for name, amounts in _largest_amounts(by_supplier, MAX_SERIES)),
        *extra_rows,
    ]
    unit = unit_for([*needed.values(), *balance.arrivals.values()])
    unit_text = f"{unit} {run.names.basis(material)}".rstrip()
    chart = charts.Bars(
        tuple(labels),
        tuple(charts.Series(name, _in_unit_by_label(labels, amounts, unit), tone) for name, amounts, tone in bars),
        unit_text,
        charts.Series(need_text, _in_unit_by_label(labels, needed, unit)),
    )
    description = (
        f"By period of arrival, in {unit_text}. {mass_of(run.names, material, kilograms_of(purchases))} from {count(len(by_supplier), 'supplier')} arrive. "
        f"{need_text.capitalize()}: {mass_of(run.names, material, total(needed.values()))}"
        + (
            f", of which {mass_of(run.names, material, total(balance.short.values()))} are short."
            if balance.short
            else "."
        )
    )
    return [doc.Drawing(f"{run.names.material(material)}: arrivals by supplier", description, chart, table)]


def _by_supplier(run: Run, purchases: Sequence[RunPurchase]) -> dict[str, MassByPeriod]:
    purchases_by_supplier = grouped((run.names.offer(purchase.offer), purchase) for purchase in purchases)
    return {
        name: totals((purchase.delivered, purchase.quantity_kg) for purchase in group)
        for name, group in purchases_by_supplier.items()
    }


def _largest_amounts(by_name: Mapping[str, MassByPeriod], max_count: int) -> list[tuple[str, MassByPeriod]]:
    shown = largest({name: total(amounts.values()) for name, amounts in by_name.items()}, max_count)
    rest = [amounts for name, amounts in by_name.items() if name not in set(shown)]
    others = totals((label, kilograms) for amounts in rest for label, kilograms in amounts.items())
    return [*((name, by_name[name]) for name in shown), *([(f"{len(rest):,} others", others)] if rest else [])]


def _in_unit_by_label(labels: Sequence[str], amounts: MassByPeriod, unit: Literal["kg", "t"]) -> tuple[Decimal, ...]:
    return tuple(in_unit(amounts.get(label, Decimal(0)), unit) for label in labels)


def _mix_table(
    run: Run, purchases: Sequence[RunPurchase], extra_rows: Sequence[tuple[str, MassByPeriod]]
) -> doc.DataTable:
    """Return a row for each supplier with chain, use, price, and evidence, then the total arrivals, then `extra_rows`."""
    periods = period_columns(((period.label, period.start.year) for period in run.periods), _MAX_PERIOD_COLUMNS)
    unit = unit_for(purchase.quantity_kg for purchase in purchases)
    groups = grouped(((purchase.offer, purchase.place, purchase.end_use), purchase) for purchase in purchases)
    shown = largest({key: kilograms_of(group) for key, group in groups.items()}, MAX_ROWS)
    others = [purchase for key, group in groups.items() if key not in set(shown) for purchase in group]

    def row(
        amounts: MassByPeriod,
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


MAX_COUNTRIES = 40
MAX_ROUTES = 60
MAX_RULES = 4


def world_section(run: Run) -> doc.Section | None:
    purchases_by_country = grouped((purchase.country, purchase) for purchase in run.purchases)
    made_by_country = _made_by_country(run.purchases)
    excluding_rules = grouped((code, row.rule) for row in run.blocked for code in row.countries)
    spent = {code: cost_of(group) for code, group in purchases_by_country.items()}
    codes = [*largest(spent, len(spent)), *sorted({*made_by_country, *excluding_rules} - {*spent})]
    if not codes:
        return None
    notes = {
        code: _country_notes(
            run, code, purchases_by_country.get(code, ()), made_by_country.get(code, {}), excluding_rules.get(code, ())
        )
        for code in codes
    }
    map_countries = [
        charts.Country(
            code, spent.get(code), "; ".join(notes[code]), _tone(code in purchases_by_country, code in excluding_rules)
        )
        for code in codes
        if is_country(code)
    ]
    chart = charts.WorldMap(tuple(map_countries), tuple(_routes(run)), run.currency)
    rows = [
        _country_row(
            code, purchases_by_country.get(code, ()), made_by_country.get(code, {}), excluding_rules.get(code, ()), run
        )
        for code in codes[:MAX_COUNTRIES]
    ]
    columns = [
        doc.Column("Country"),
        doc.figures("Bought there", run.currency),
        doc.figures("Share"),
        doc.Column("Materials"),
    ]
    columns += [doc.Column("Stages there (certain or possible)"), doc.Column("Excluded by")]
    description = f"Landed cost of purchases by country, in {run.currency}, not discounted, with the routes of the goods and the countries that rules exclude."
    drawing = doc.Drawing("Purchases and exclusions by country", description, chart, doc.table(columns, rows))
    omitted = rows_left(len(codes) - MAX_COUNTRIES, "country", "purchases.csv", "countries")
    explanation = "A stage with several possible countries counts for each of them. A country can be excluded from some uses and serve others."
    return doc.section("Countries", drawing, doc.notes([explanation, *omitted]))


def _tone(is_supplier: bool, is_excluded: bool) -> doc.Tone:
    if is_excluded:
        return doc.Tone.DOUBTFUL if is_supplier else doc.Tone.BAD
    return doc.Tone.PLAIN if is_supplier else doc.Tone.ASIDE


def _made_by_country(purchases: Iterable[RunPurchase]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Return the kilograms of each country, stage, and material for which the stage took or may have taken place in the country."""
    by_country: dict[str, dict[str, dict[str, Decimal]]] = {}
    for purchase in purchases:
        for stage, codes in purchase.countries.items():
            for code in codes:
                by_material = by_country.setdefault(code, {}).setdefault(stage, {})
                by_material[purchase.material] = by_material.get(purchase.material, Decimal(0)) + purchase.quantity_kg
    return by_country


def _purchased_masses(purchases: Iterable[RunPurchase]) -> str:
    rows = list(purchases)
    cost = totals((purchase.material, purchase.cost) for purchase in rows)
    kilograms = totals((purchase.material, purchase.quantity_kg) for purchase in rows)
    return masses_text({name: kilograms[name] for name in sorted(cost, key=lambda name: (-cost[name], name))})


def _stages_text(made: Mapping[str, Mapping[str, Decimal]]) -> str:
    return "; ".join(f"{stage} {masses_text(by_material)}" for stage, by_material in made.items())


def _rules_text(rule_ids: Iterable[str]) -> str:
    names = sorted(set(rule_ids))
    return ", ".join(names[:MAX_RULES]) + (f" and {len(names) - MAX_RULES} more" if len(names) > MAX_RULES else "")


def _country_notes(
    run: Run,
    code: str,
    bought: Iterable[RunPurchase],
    kilograms_by_stage: Mapping[str, Mapping[str, Decimal]],
    rule_ids: Iterable[str],
) -> list[str]:
    purchases = list(bought)
    parts = (
        [f"{country_name(code)}: {large_money(cost_of(purchases), run.currency)} for {_purchased_masses(purchases)}"]
        if purchases
        else [country_name(code)]
    )
    parts += [_stages_text(kilograms_by_stage)] if kilograms_by_stage else []
    rules = _rules_text(rule_ids)
    return parts + ([f"excluded from some uses by {rules}"] if rules else [])


def _country_row(
    code: str,
    bought: Iterable[RunPurchase],
    kilograms_by_stage: Mapping[str, Mapping[str, Decimal]],
    rule_ids: Iterable[str],
    run: Run,
) -> list[doc.Cell]:
    purchases, total_cost = list(bought), cost_of(run.purchases)
    money: list[doc.Cell] = [doc.NOTHING, doc.NOTHING]
    if purchases:
        spent = cost_of(purchases)
        money = [doc.Amount(spent), doc.Share(spent / total_cost) if total_cost else doc.NOTHING]
    return [
        country_name(code),
        *money,
        _purchased_masses(purchases),
        _stages_text(kilograms_by_stage),
        _rules_text(rule_ids),
    ]


def _routes(run: Run) -> list[charts.Route]:
    """Return the routes between stages that each have one country, and from the seller to the demand."""
    country_by_facility = {purchase.facility_id: purchase.country for purchase in run.purchases if purchase.facility_id}
    purchases_by_route: dict[tuple[str, str], list[RunPurchase]] = {}
    for purchase in run.purchases:
        stages = [codes[0] if len(codes) == 1 else "" for codes in purchase.countries.values()]
        stops = [
            *stages,
            purchase.country,
            purchase.place if is_country(purchase.place) else country_by_facility.get(purchase.place, ""),
        ]
        for pair in dict.fromkeys(pairwise(stops)):
            if all(map(is_country, pair)) and pair[0] != pair[1]:
                purchases_by_route.setdefault(pair, []).append(purchase)
    cost_by_route = {pair: cost_of(group) for pair, group in purchases_by_route.items()}
    return [
        charts.Route(
            *pair,
            cost_by_route[pair],
            f"{country_name(pair[0])} to {country_name(pair[1])}: {_purchased_masses(purchases_by_route[pair])}",
        )
        for pair in largest(cost_by_route, MAX_ROUTES)
    ]
