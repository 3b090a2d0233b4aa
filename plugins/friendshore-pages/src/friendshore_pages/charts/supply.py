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

from .parts import added, countries, country, in_unit, largest, masses, rounding

BACK = 3
"""Maximum depth of inputs in a picture."""


@dataclass(frozen=True, slots=True)
class Input:
    """One material as an input of another: its sellers and their destinations, and its users with quantities."""

    material: str
    back: int
    """Maximum number of production steps from it to the material that arrives at users."""
    purchases: tuple[RunPurchase, ...]
    """Purchases delivered to a place where it is used."""
    elsewhere: Mapping[str, Decimal]
    """Offer -> kilograms that it produces and delivers to other places."""
    lots: Mapping[str, Decimal]
    """Place -> kilograms in stock or on order."""
    draws: Mapping[tuple[str, str], Decimal]
    """Place and offer that uses it -> kilograms."""

    @property
    def left(self) -> dict[str, Decimal]:
        """Place -> kilograms that others use, or that remain or are lost."""
        there = totals((one.place, one.quantity_kg) for one in self.purchases)
        for place, kilograms in self.lots.items():
            there[place] = there.get(place, Decimal(0)) + kilograms
        gone = totals((place, kilograms) for (place, _), kilograms in self.draws.items())
        return {place: kilograms - gone.get(place, Decimal(0)) for place, kilograms in there.items()}


def inputs_of(run: Run, material: str) -> list[Input]:
    """Return the inputs of a material, most distant first. Each input in a cycle is followed once."""
    drawn = grouped((one.offer, one) for one in run.draws)
    bought = grouped((one.material, one) for one in run.purchases)
    takes = {
        name: sorted({draw.material for one in some for draw in drawn.get(one.offer, ())})
        for name, some in bought.items()
    }
    depths = _depths(material, takes)
    wanted: dict[str, dict[tuple[str, str], Decimal]] = {}
    found: list[Input] = []
    seen: set[str] = set()
    for name in sorted(depths, key=lambda name: (depths[name], name)):
        places = {place for place, _ in wanted.get(name, {})}
        here = [one for one in bought.get(name, []) if name == material or one.place in places]
        makers = {one.offer: None for one in here if one.offer not in seen}
        seen |= makers.keys()
        for draw in (draw for offer in makers for draw in drawn.get(offer, ())):
            if depths.get(draw.material, 0) > depths[name]:
                taken = wanted.setdefault(draw.material, {})
                taken[draw.place, draw.offer] = taken.get((draw.place, draw.offer), Decimal(0)) + draw.quantity_kg
        if name in wanted:
            found.append(_input(run, name, depths[name], here, bought.get(name, []), wanted[name]))
    return sorted(found, key=lambda one: (-one.back, one.material))


def _input(
    run: Run,
    name: str,
    back: int,
    here: Sequence[RunPurchase],
    every: Sequence[RunPurchase],
    draws: Mapping[tuple[str, str], Decimal],
) -> Input:
    sellers, places = {one.offer for one in here}, {place for place, _ in draws}
    elsewhere = totals(
        (one.offer, one.quantity_kg) for one in every if one.offer in sellers and one.place not in places
    )
    lots = totals((lot.place, lot.quantity_kg) for lot in run.lots if lot.material == name and lot.place in places)
    return Input(name, back, tuple(here), elsewhere, lots, draws)


def _depths(material: str, takes: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return the maximum depth of each input, up to `BACK`. A cycle ends at the input that was visited first."""
    order: list[str] = []
    left: dict[str, Iterator[str]] = {}
    path = [material]
    while path:
        to_go = left.setdefault(path[-1], iter(takes.get(path[-1], ())))
        further = next((name for name in to_go if name not in left), None)
        if further is None:
            order.append(path.pop())
        else:
            path.append(further)
    place = {name: number for number, name in enumerate(reversed(order))}
    depths = {material: 0}
    for name in reversed(order):
        for each in takes.get(name, ()):
            if place[each] > place[name]:
                depths[each] = max(depths.get(each, 0), depths[name] + 1)
    return {name: depth for name, depth in depths.items() if depth <= BACK}


NODES = 8
"""Maximum number of countries per stage, plus the combined rest."""
NAMES, LONG = 5, 22
"""Maximum number of layers with country names, and maximum length of a chain. Beyond these, country codes are used."""

_HELD, _AT, _ELSEWHERE = "in hand or on order", "to a maker at", "to others, or left"
_UNKNOWN = "chain not known"

Step = tuple[int, str]
"""A layer, and the text of a node in it."""


@dataclass(slots=True)
class _Paths:
    """Kilograms of a material between nodes."""

    layers: tuple[str, ...]
    amounts: dict[tuple[Step, Step], Decimal] = field(default_factory=dict)
    of: dict[Step, str] = field(default_factory=dict)
    """Material that leaves a node, if the picture shows several materials."""
    codes: dict[str, str] = field(default_factory=dict)
    """Name of a node with country names -> name with country codes."""
    tones: dict[Step, doc.Tone] = field(default_factory=dict)

    def add(self, steps: Sequence[Step], kilograms: Decimal) -> None:
        """Add an amount along a path."""
        for pair in pairwise(steps):
            self.amounts[pair] = self.amounts.get(pair, Decimal(0)) + kilograms

    def into(self, step: Step) -> Decimal:
        """Return the amount that enters a node."""
        return added(kilograms for (_, target), kilograms in self.amounts.items() if target == step)


def flow_element(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Drawing | doc.Sentence:
    """Return the flow of a material from the mines of its inputs, or a sentence if all of it takes one path."""
    inputs = inputs_of(run, material)
    paths = _linked(run, material, purchases, inputs) if inputs else _paths(run, material, purchases)
    steps = list(dict.fromkeys(step for pair in paths.amounts for step in pair))
    if len(steps) == len({layer for layer, _ in steps}) and len(paths.amounts) < len(steps):
        return doc.sentence(f"All of it: {' → '.join(_name(paths, step) for step in sorted(steps))}.")
    unit = unit_for(paths.amounts.values())
    name, weight = run.names.material(material), f"{unit} {'' if inputs else run.names.basis(material)}".rstrip()
    ways = sorted(paths.amounts.items(), key=lambda way: (way[0][0][0], way[0][1][0], -way[1], way[0]))
    streams = [
        charts.Stream(
            _id(source), _id(target), in_unit(kilograms, unit), f"{_name(paths, source)} to {_name(paths, target)}: {mass(kilograms)}{_of(paths, source)}",
            paths.tones.get(source, doc.Tone.PLAIN),
        )
        for (source, target), kilograms in ways
    ]  # fmt: skip
    long = any("→" in name and len(name) > LONG for _, name in steps)
    short = paths.codes if len(paths.layers) > NAMES or long else {}
    nodes = [
        charts.Node(_id(step), short.get(step[1], step[1]), step[0], paths.tones.get(step, doc.Tone.PLAIN))
        for step in steps
    ]
    chart = charts.Flow(paths.layers, tuple(nodes), tuple(streams), weight)
    rows: list[list[doc.Cell]] = [
        [_name(paths, source), _name(paths, target), *([paths.of.get(source, material)] if inputs else []), doc.Kilograms(kilograms, unit, bare=True)]
        for (source, target), kilograms in ways
    ]  # fmt: skip
    columns = [doc.Column("From"), doc.Column("To"), *([doc.Column("Of")] if inputs else []), doc.figures("", weight)]
    made = f"with what it is made of: {', '.join(run.names.material(each.material) for each in inputs)}; each stream in {unit} of what it is, so that a maker may give more or less than it takes"
    told = f"{name}, {made}." if inputs else (
        f"{name}, from where it is mined to who uses it, in {weight}; where a stage may lie in several countries, all are named."
    )  # fmt: skip
    return doc.Drawing(f"{name}: from mine to user", told, chart, doc.table(columns, rows))


def _of(paths: _Paths, step: Step) -> str:
    return f" of {paths.of[step]}" if step in paths.of else ""


def _chain(one: RunPurchase, told: Callable[[Sequence[str]], str]) -> str:
    """Return the countries of an offer's own stages in order, without adjacent duplicates."""
    named = [told(codes) for codes in one.countries.values()]
    return " → ".join(name for place, name in enumerate(named) if not place or named[place - 1] != name) or _UNKNOWN


def _codes(codes: Sequence[str]) -> str:
    return "/".join(codes) or "?"


def _id(step: Step) -> str:
    return f"{step[0]}:{step[1]}"


def _name(paths: _Paths, step: Step) -> str:
    """Return a name such as `mined in China`. A node that isn't a country has only its own name."""
    layer = paths.layers[step[0]]
    if step in paths.of and not step[1].endswith(_HELD):
        where = step[1].removeprefix(f"{paths.of[step]} ")
        return f"{paths.of[step]} {'at' if layer == _AT else 'from'} {where}"
    if layer not in set(Stage):
        return step[1]
    return f"{layer} in {step[1]}" if step[1] != countries(()) else f"{layer}, {step[1]}"


def _paths(run: Run, material: str, purchases: Sequence[RunPurchase]) -> _Paths:
    """Return all paths of a material: from sources through stages to places, and from there to uses."""
    inputs = _inputs(run)
    sources = [one for one in purchases if one.offer in inputs or not one.countries]
    stages = [stage.value for stage in Stage if any(stage.value in one.countries for one in purchases)]
    first = ["from"] if sources or any(lot.material == material for lot in run.lots) else []
    paths = _Paths((*first, *stages, "delivered to", "goes to"))
    paths.codes = {countries(codes): _codes(codes) for one in purchases for codes in one.countries.values() if codes}
    paths.codes |= {country(one.place): one.place for one in purchases}
    names = _stage_names(purchases, stages)
    for one in purchases:
        paths.add(list(_steps(one, inputs, stages, names, len(first))), one.quantity_kg)
    place = len(first) + len(stages)
    for lot in run.lots:
        if lot.material == material:
            paths.add([(0, _HELD), (place, country(lot.place))], lot.quantity_kg)
    _uses(run, material, paths, place)
    return paths


def _linked(run: Run, material: str, purchases: Sequence[RunPurchase], inputs: Sequence[Input]) -> _Paths:
    """Return the paths of a material with inputs: for each input, its countries, its destinations, and its users there."""
    far = sorted({each.back for each in inputs}, reverse=True)
    column = {each.material: 2 * far.index(each.back) for each in inputs} | {material: 2 * len(far)}
    beside = {back: ", ".join(each.material for each in inputs if each.back == back) for back in far}
    layers = [layer for back in far for layer in (beside[back], _AT)]
    paths = _Paths((*layers, material, "delivered to", "goes to"))
    last = len(paths.layers) - 1

    def step(name: str, number: int, words: str, codes: str = "") -> Step:
        """Return a node of a material, with the material's name if a layer has several materials."""
        alone = list(column.values()).count(column[name]) == 1
        told, short = (words, codes or words) if alone else (f"{name} {words}", f"{name} {codes or words}")
        paths.codes[told] = short
        if number < last - 1:
            paths.of[number, told] = name
        return number, told

    makers: dict[str, Step] = {}
    for name, some in [*((each.material, each.purchases) for each in inputs), (material, purchases)]:
        chains = _chain_names(some)
        for one in some:
            words, codes = chains[_chain(one, countries)]
            source = step(name, column[name], words, codes)
            makers[one.offer] = source
            paths.add([source, step(name, column[name] + 1, country(one.place), one.place)], one.quantity_kg)
    makes = {offer for each in inputs for _, offer in each.draws}
    for each in inputs:
        here = {place for place, _ in each.draws}
        at = {place: step(each.material, column[each.material] + 1, country(place), place) for place in here}
        for place, kilograms in each.lots.items():
            paths.add([step(each.material, column[each.material], _HELD), at[place]], kilograms)
        for (place, offer), kilograms in each.draws.items():
            paths.add([at[place], makers[offer]], kilograms)
        out = [(makers[offer], kilograms) for offer, kilograms in each.elsewhere.items() if offer in makes]
        out += [(at[place], kilograms) for place, kilograms in each.left.items()]
        least = rounding(run, added(each.draws.values())) * len(run.periods)
        for source, kilograms in out:
            if kilograms > least:
                paths.add([source, (last, _ELSEWHERE)], kilograms)
    for lot in run.lots:
        if lot.material == material:
            paths.add([step(material, column[material], _HELD), (last - 1, country(lot.place))], lot.quantity_kg)
    _uses(run, material, paths, last - 1)
    return paths


def _chain_names(purchases: Sequence[RunPurchase]) -> dict[str, tuple[str, str]]:
    """Return countries of a chain -> node in words and in codes: the countries themselves, or the small ones combined."""
    codes = {_chain(one, countries): _chain(one, _codes) for one in purchases}
    amounts = totals((_chain(one, countries), one.quantity_kg) for one in purchases)
    kept = set(largest(amounts, NODES))
    others = f"{len(amounts) - len(kept):,} others"
    return {name: (name, codes[name].replace(" → ", "→")) if name in kept else (others, others) for name in amounts}


def _inputs(run: Run) -> dict[str, str]:
    """Return offer -> materials that it is made from."""
    found: dict[str, set[str]] = {}
    for draw in run.draws:
        found.setdefault(draw.offer, set()).add(draw.material)
    return {offer: " + ".join(sorted(names)) for offer, names in found.items()}


def _stage_names(purchases: Sequence[RunPurchase], stages: Sequence[str]) -> dict[tuple[str, str], str]:
    """Return stage and country names -> node: the countries themselves, or the small ones combined."""
    found: dict[tuple[str, str], str] = {}
    for stage in stages:
        amounts = totals(
            (countries(one.countries[stage]), one.quantity_kg) for one in purchases if stage in one.countries
        )
        kept = set(largest(amounts, NODES))
        found |= {(stage, name): name if name in kept else f"{len(amounts) - len(kept):,} others" for name in amounts}
    return found


def _steps(
    one: RunPurchase, inputs: Mapping[str, str], stages: Sequence[str], names: Mapping[tuple[str, str], str], start: int
) -> Iterator[Step]:
    if one.offer in inputs or not one.countries:
        yield 0, inputs.get(one.offer, _UNKNOWN)
    for number, stage in enumerate(stages, start):
        if stage in one.countries:
            yield number, names[stage, countries(one.countries[stage])]
    yield start + len(stages), country(one.place)


def _uses(run: Run, material: str, paths: _Paths, place: int) -> None:
    """Add the flows from each place: to uses, to makers, and into remaining stock. Add the shortages of uses."""
    makes = grouped((one.offer, one.material) for one in run.purchases)
    last = run.periods[-1].label
    out: list[tuple[str, str, Decimal]] = []
    out += [
        (country(one.place), f"{one.end_use} use", one.quantity_kg)
        for one in run.deliveries
        if one.material == material
    ]
    out += [
        (country(one.place), f"into {' + '.join(dict.fromkeys(makes.get(one.offer, [one.offer])))}", one.quantity_kg)
        for one in run.draws
        if one.material == material
    ]
    out += [
        (country(one.place), "left in stock at the end", one.quantity_kg)
        for one in run.stocks
        if one.material == material and one.period == last
    ]
    gone = totals((where, kilograms) for where, _, kilograms in out)
    for where in dict.fromkeys(step[1] for pair in paths.amounts for step in pair if step[0] == place):
        left = paths.into((place, where)) - gone.get(where, Decimal(0))
        out += [(where, "lost in stock", left)] if left > 0 else []
    least = rounding(run, added(kilograms for *_, kilograms in out)) * len(run.periods)
    for (where, use), kilograms in totals(((where, use), kilograms) for where, use, kilograms in out).items():
        if kilograms > least:
            paths.add([(place, where), (place + 1, use)], kilograms)
    for one in run.shortages:
        if one.material == material:
            paths.add([(place, "short"), (place + 1, f"{one.end_use} use")], one.quantity_kg)
            paths.tones[place, "short"] = doc.Tone.BAD


PARTS = 5
"""Maximum number of suppliers in a chart, plus the combined rest."""
ROWS = 25
"""Maximum number of suppliers in a table, plus the combined rest."""
_ROOM = 9

Amounts = Mapping[str, Decimal]
"""Period -> kilograms."""


class Balance:
    """Arrivals of a material in each period, and their use."""

    def __init__(self, run: Run, material: str, purchases: Sequence[RunPurchase]) -> None:
        self.run = run
        self.arrives = totals((one.delivered, one.quantity_kg) for one in purchases)
        self.delivered = totals((one.period, one.quantity_kg) for one in run.deliveries if one.material == material)
        self.taken = totals((one.period, one.quantity_kg) for one in run.draws if one.material == material)
        self.short = totals((one.period, one.quantity_kg) for one in run.shortages if one.material == material)

    def needed(self, period: str) -> Decimal:
        """Return the demand, and the use by makers."""
        return added(each.get(period, Decimal(0)) for each in (self.delivered, self.taken, self.short))

    @property
    def even(self) -> bool:
        """True if arrivals equal use in every period."""
        return not any(
            self.into_stock(period) or self.from_stock(period)
            for period in {*self.arrives, *self.delivered, *self.taken}
        )

    def into_stock(self, period: str) -> Decimal:
        """Return the arrivals in excess of use."""
        return self._beyond(self.arrives.get(period, Decimal(0)), self._used(period))

    def from_stock(self, period: str) -> Decimal:
        """Return the use in excess of arrivals: initial stock, open orders, and earlier arrivals."""
        return self._beyond(self._used(period), self.arrives.get(period, Decimal(0)))

    def _used(self, period: str) -> Decimal:
        return self.delivered.get(period, Decimal(0)) + self.taken.get(period, Decimal(0))

    def _beyond(self, more: Decimal, less: Decimal) -> Decimal:
        """Return the excess of one amount over the other. 0 if within rounding."""
        return more - less if more - less > rounding(self.run, max(more, less)) else Decimal(0)


def mix_elements(run: Run, material: str, purchases: Sequence[RunPurchase]) -> list[doc.Element]:
    """Return bars of arrivals by supplier, use of stock, and shortages, under a line of needs, with their table.

    If one supplier delivers exactly the needs in every period, a sentence replaces the bars.
    """
    balance = Balance(run, material, purchases)
    labels = [period.label for period in run.periods]
    needed = {label: balance.needed(label) for label in labels}
    stock = {label: balance.from_stock(label) for label in labels}
    by_name = _by_supplier(run, purchases)
    beside = [("from stock", stock, doc.Tone.ASIDE)] if any(stock.values()) else []
    beside += [("short", balance.short, doc.Tone.BAD)] if balance.short else []
    wants = ["wanted"] if balance.delivered or balance.short else []
    what = " and ".join([*wants, *(["taken by makers"] if balance.taken else [])]) or "wanted"
    table = _table(run, purchases, [*((name, amounts) for name, amounts, _ in beside), (what, needed)])
    if len(by_name) == 1 and not beside and balance.even:
        (name,) = by_name
        return [doc.sentence(f"{name} brings just what is {what}, in every period."), table]
    bars = [*((name, amounts, doc.Tone.PLAIN) for name, amounts in _largest_amounts(by_name, PARTS)), *beside]
    unit = unit_for([*needed.values(), *balance.arrives.values()])
    weight = f"{unit} {run.names.basis(material)}".rstrip()
    chart = charts.Bars(
        tuple(labels),
        tuple(charts.Series(name, _values(labels, amounts, unit), tone) for name, amounts, tone in bars),
        weight,
        charts.Series(what, _values(labels, needed, unit)),
    )
    told = (
        f"By period of arrival, in {weight}: {mass_of(run.names, material, kilograms_of(purchases))} from {count(len(by_name), 'supplier')}; "
        f"{mass_of(run.names, material, added(needed.values()))} {what}"
        + (f", {mass_of(run.names, material, added(balance.short.values()))} of it short." if balance.short else ".")
    )
    return [doc.Drawing(f"{run.names.material(material)}: arrivals by supplier", told, chart, table)]


def _by_supplier(run: Run, purchases: Sequence[RunPurchase]) -> dict[str, Amounts]:
    """Return supplier -> kilograms by period of arrival."""
    found = grouped((run.names.offer(one.offer), one) for one in purchases)
    return {name: totals((one.delivered, one.quantity_kg) for one in group) for name, group in found.items()}


def _largest_amounts(by_name: Mapping[str, Amounts], most: int) -> list[tuple[str, Amounts]]:
    """Return the largest, and all others combined."""
    names = largest({name: added(amounts.values()) for name, amounts in by_name.items()}, most)
    rest = [amounts for name, amounts in by_name.items() if name not in set(names)]
    others = totals((label, kilograms) for amounts in rest for label, kilograms in amounts.items())
    return [*((name, by_name[name]) for name in names), *([(f"{len(rest):,} others", others)] if rest else [])]


def _values(labels: Sequence[str], amounts: Amounts, unit: Literal["kg", "t"]) -> tuple[Decimal, ...]:
    return tuple(in_unit(amounts.get(label, Decimal(0)), unit) for label in labels)


def _table(run: Run, purchases: Sequence[RunPurchase], beside: Sequence[tuple[str, Amounts]]) -> doc.DataTable:
    """Return a row for each supplier with chain, use, price, and evidence, then the total arrivals, then the rows of `beside`."""
    periods = period_columns(((one.label, one.start.year) for one in run.periods), _ROOM)
    unit = unit_for(one.quantity_kg for one in purchases)
    groups = grouped(((one.offer, one.place, one.end_use), one) for one in purchases)
    kept = largest({key: kilograms_of(group) for key, group in groups.items()}, ROWS)
    rest = [one for key, group in groups.items() if key not in set(kept) for one in group]

    def row(
        amounts: Amounts,
        *first: doc.Cell,
        last: Sequence[doc.Cell] = (*[doc.NOTHING] * (2 if run.draws else 1), ""),
        strong: bool = False,
    ) -> doc.DataRow:
        figures = (doc.Kilograms(amounts.get(one.label, Decimal(0)), unit, bare=True) for one in run.periods)
        whole = doc.Kilograms(added(amounts.values()), unit, bare=True)
        return doc.DataRow((*first, *figures, whole, *last), strong)

    def of(group: Sequence[RunPurchase], *first: doc.Cell, evidence: str = "", strong: bool = False) -> doc.DataRow:
        amounts = totals((one.delivered, one.quantity_kg) for one in group)
        return row(amounts, *first, last=(*prices_of(run, group), evidence), strong=strong)

    rows = [
        of(
            groups[key],
            run.names.offer(key[0]),
            chain(run, groups[key][0]),
            used_for(run, groups[key][0]),
            evidence=groups[key][0].confidence,
        )
        for key in kept
    ]
    rows += [of(rest, count(len(groups) - len(kept), "other"), "", "")] if rest else []
    rows.append(of(purchases, "arrives", "", "", strong=True))
    rows += [row(amounts, name, "", "") for name, amounts in beside]
    columns = [doc.Column("Supplier"), doc.Column("Chain"), doc.Column("For"), *periods, doc.figures("All", unit)]
    columns += [doc.figures("", f"{run.currency}/kg"), *([doc.figures("of it fee")] if run.draws else [])]
    return doc.table([*columns, doc.Column("Evidence")], rows)


COUNTRIES = 40
"""Maximum number of countries in the table."""
ROUTES = 60
"""Maximum number of routes on the map."""
RULES = 4
"""Maximum number of rules named for a country, followed by the number of others."""


def world_section(run: Run) -> doc.Section | None:
    """Return a map of money and prohibitions, with the table of both."""
    bought = grouped((one.country, one) for one in run.purchases)
    made = _made_in(run.purchases)
    barred = grouped((code, row.rule) for row in run.blocked for code in row.countries)
    spent = {code: cost_of(group) for code, group in bought.items()}
    codes = [*largest(spent, len(spent)), *sorted({*made, *barred} - {*spent})]
    if not codes:
        return None
    told = {code: _told(run, code, bought.get(code, ()), made.get(code, {}), barred.get(code, ())) for code in codes}
    shown = [
        charts.Country(code, spent.get(code), "; ".join(told[code]), _tone(code in bought, code in barred))
        for code in codes
        if is_country(code)
    ]
    chart = charts.WorldMap(tuple(shown), tuple(_routes(run)), run.currency)
    rows = [
        _row(code, bought.get(code, ()), made.get(code, {}), barred.get(code, ()), run) for code in codes[:COUNTRIES]
    ]
    columns = [
        doc.Column("Country"),
        doc.figures("Bought there", run.currency),
        doc.figures("Share"),
        doc.Column("What"),
    ]
    columns += [doc.Column("Stages that lie there, or may"), doc.Column("Kept out by")]
    text = f"Countries by the landed cost of what is bought there, in {run.currency} and not discounted; where goods go; and what rules keep out."
    drawn = doc.Drawing("Where it is bought, and where not", text, chart, doc.table(columns, rows))
    left = rows_left(len(codes) - COUNTRIES, "country", "purchases.csv", "countries")
    where = "A stage that may lie in several countries counts for each of them. A country may be kept out of some uses and serve others."
    return doc.section("Where it comes from", drawn, doc.notes([where, *left]))


def _tone(bought: bool, barred: bool) -> doc.Tone:
    if barred:
        return doc.Tone.DOUBTFUL if bought else doc.Tone.BAD
    return doc.Tone.PLAIN if bought else doc.Tone.ASIDE


def _made_in(purchases: Iterable[RunPurchase]) -> dict[str, dict[str, dict[str, Decimal]]]:
    """Return country -> stage -> material -> kilograms for which the stage is or may be in the country."""
    found: dict[str, dict[str, dict[str, Decimal]]] = {}
    for one in purchases:
        for stage, codes in one.countries.items():
            for code in codes:
                by_material = found.setdefault(code, {}).setdefault(stage, {})
                by_material[one.material] = by_material.get(one.material, Decimal(0)) + one.quantity_kg
    return found


def _weighed(purchases: Iterable[RunPurchase]) -> str:
    """Return materials with purchased masses, most expensive first."""
    found = list(purchases)
    cost = totals((one.material, one.cost) for one in found)
    weights = totals((one.material, one.quantity_kg) for one in found)
    return masses({name: weights[name] for name in sorted(cost, key=lambda name: (-cost[name], name))})


def _stages(made: Mapping[str, Mapping[str, Decimal]]) -> str:
    return "; ".join(f"{stage} {masses(by_material)}" for stage, by_material in made.items())


def _rules(barred: Iterable[str]) -> str:
    rules = sorted(set(barred))
    return ", ".join(rules[:RULES]) + (f" and {len(rules) - RULES} more" if len(rules) > RULES else "")


def _told(
    run: Run,
    code: str,
    bought: Iterable[RunPurchase],
    made: Mapping[str, Mapping[str, Decimal]],
    barred: Iterable[str],
) -> list[str]:
    found = list(bought)
    parts = (
        [f"{country(code)}: {large_money(cost_of(found), run.currency)} for {_weighed(found)}"]
        if found
        else [country(code)]
    )
    parts += [_stages(made)] if made else []
    rules = _rules(barred)
    return parts + ([f"kept out of some use by {rules}"] if rules else [])


def _row(
    code: str,
    bought: Iterable[RunPurchase],
    made: Mapping[str, Mapping[str, Decimal]],
    barred: Iterable[str],
    run: Run,
) -> list[doc.Cell]:
    found, whole = list(bought), cost_of(run.purchases)
    money: list[doc.Cell] = [doc.NOTHING, doc.NOTHING]
    if found:
        spent = cost_of(found)
        money = [doc.Amount(spent), doc.Share(spent / whole) if whole else doc.NOTHING]
    return [country(code), *money, _weighed(found), _stages(made), _rules(barred)]


def _routes(run: Run) -> list[charts.Route]:
    """Return the routes from purchase to demand, and before that between stages that each have one country."""
    site = {one.facility_id: one.country for one in run.purchases if one.facility_id}
    found: dict[tuple[str, str], list[RunPurchase]] = {}
    for one in run.purchases:
        stages = [codes[0] if len(codes) == 1 else "" for codes in one.countries.values()]
        way = [*stages, one.country, one.place if is_country(one.place) else site.get(one.place, "")]
        for pair in dict.fromkeys(pairwise(way)):
            if all(map(is_country, pair)) and pair[0] != pair[1]:
                found.setdefault(pair, []).append(one)
    worth = {pair: cost_of(group) for pair, group in found.items()}
    return [
        charts.Route(*pair, worth[pair], f"{country(pair[0])} to {country(pair[1])}: {_weighed(found[pair])}")
        for pair in largest(worth, ROUTES)
    ]
