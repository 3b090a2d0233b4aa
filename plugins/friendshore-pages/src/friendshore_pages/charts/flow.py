"""A material from where it is mined to who uses it: countries by stage, place, use; and what of it never arrives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import mass, unit_for
from friendshore.domain.base import grouped, totals
from friendshore.domain.run import Run, RunPurchase
from friendshore.domain.stages import Stage

from .makers import Input, inputs_of
from .parts import added, countries, country, in_unit, largest, rounding

NODES = 8
"""Countries of a stage that are told apart."""
NAMES, LONG = 5, 22
"""Layers up to which countries are called by their names, and letters of a chain; where there are more, by their codes."""

_HELD, _AT, _ELSEWHERE = "in hand or on order", "to a maker at", "to others, or left"
_UNKNOWN = "chain not known"

Step = tuple[int, str]
"""A layer, and what stands there."""


@dataclass(slots=True)
class _Paths:
    """Kilograms of a material from node to node."""

    layers: tuple[str, ...]
    amounts: dict[tuple[Step, Step], Decimal] = field(default_factory=dict)
    of: dict[Step, str] = field(default_factory=dict)
    """What leaves a node, where some of what the picture shows is made of something else in it."""
    codes: dict[str, str] = field(default_factory=dict)
    """The name of a node, with countries in words -> the same with their codes."""
    tones: dict[Step, doc.Tone] = field(default_factory=dict)

    def add(self, steps: Sequence[Step], kilograms: Decimal) -> None:
        """So much goes this way."""
        for pair in pairwise(steps):
            self.amounts[pair] = self.amounts.get(pair, Decimal(0)) + kilograms

    def into(self, step: Step) -> Decimal:
        """What comes to a node."""
        return added(kilograms for (_, target), kilograms in self.amounts.items() if target == step)


def flow_element(run: Run, material: str, purchases: Sequence[RunPurchase]) -> doc.Drawing | doc.Sentence:
    """The flow of a material, from the mines of what it is made of; a sentence where all of it goes one way."""
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
    """The countries that an offer's own stages lie in, in order, each once where several follow each other there."""
    named = [told(codes) for codes in one.countries.values()]
    return " → ".join(name for place, name in enumerate(named) if not place or named[place - 1] != name) or _UNKNOWN


def _codes(codes: Sequence[str]) -> str:
    return "/".join(codes) or "?"


def _id(step: Step) -> str:
    return f"{step[0]}:{step[1]}"


def _name(paths: _Paths, step: Step) -> str:
    """`mined in China`; what is no country goes by its name alone."""
    layer = paths.layers[step[0]]
    if step in paths.of and not step[1].endswith(_HELD):
        where = step[1].removeprefix(f"{paths.of[step]} ")
        return f"{paths.of[step]} {'at' if layer == _AT else 'from'} {where}"
    if layer not in set(Stage):
        return step[1]
    return f"{layer} in {step[1]}" if step[1] != countries(()) else f"{layer}, {step[1]}"


def _paths(run: Run, material: str, purchases: Sequence[RunPurchase]) -> _Paths:
    """All ways of a material: from its sources by stages to places, from there to uses."""
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
    """The same of what is made of other materials: for each of these, from which countries it comes to which places, and who takes it there."""
    far = sorted({each.back for each in inputs}, reverse=True)
    column = {each.material: 2 * far.index(each.back) for each in inputs} | {material: 2 * len(far)}
    beside = {back: ", ".join(each.material for each in inputs if each.back == back) for back in far}
    layers = [layer for back in far for layer in (beside[back], _AT)]
    paths = _Paths((*layers, material, "delivered to", "goes to"))
    last = len(paths.layers) - 1

    def step(name: str, number: int, words: str, codes: str = "") -> Step:
        """A node of a material: where several stand in one layer, with the material's name."""
        alone = list(column.values()).count(column[name]) == 1
        told, short = (words, codes or words) if alone else (f"{name} {words}", f"{name} {codes or words}")
        paths.codes[told] = short
        if number < last - 1:
            paths.of[number, told] = name
        return number, told

    makers: dict[str, Step] = {}
    for name, some in [*((each.material, each.purchases) for each in inputs), (material, purchases)]:
        chains = _kept(some)
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


def _kept(purchases: Sequence[RunPurchase]) -> dict[str, tuple[str, str]]:
    """Countries of a chain -> what stands for them, in words and in codes: themselves, or all small ones together."""
    codes = {_chain(one, countries): _chain(one, _codes) for one in purchases}
    amounts = totals((_chain(one, countries), one.quantity_kg) for one in purchases)
    kept = set(largest(amounts, NODES))
    others = f"{len(amounts) - len(kept):,} others"
    return {name: (name, codes[name].replace(" → ", "→")) if name in kept else (others, others) for name in amounts}


def _inputs(run: Run) -> dict[str, str]:
    """Offer -> what it is made from."""
    found: dict[str, set[str]] = {}
    for draw in run.draws:
        found.setdefault(draw.offer, set()).add(draw.material)
    return {offer: " + ".join(sorted(names)) for offer, names in found.items()}


def _stage_names(purchases: Sequence[RunPurchase], stages: Sequence[str]) -> dict[tuple[str, str], str]:
    """Stage and countries in words -> what stands for them: themselves, or all small ones together."""
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
    """What leaves each place: to uses, to makers, into stock that is left; and what uses want and do not get."""
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
