"""Offers with their recipes, chains and lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..domain.base import exact
from ..domain.facts import ChainEntry, Feed, Lane, Material, Offer, Price, RecipeLine
from ..domain.stages import COLLECTION, stage_of
from ..reading.csvfile import Row, Table
from . import columns
from .state import Reading, pick
from .subjects import check_dates

_ONE = Decimal(1)
_MASSES = ("min_order", "max_order", "lot", "max_per_year", "total", "take_or_pay")


@dataclass(slots=True)
class _Recipe:
    inputs: list[RecipeLine] = field(default_factory=list)
    outputs: list[RecipeLine] = field(default_factory=list)
    broken: bool = False
    """Whether a line could not be read."""


def read_offers(reading: Reading) -> tuple[Offer, ...]:
    """The offers of the catalog."""
    table = reading.table(columns.OFFERS)
    names = {row.values["id"] for row in table.rows if "id" in row.values}
    recipes = _recipes(reading, names)
    delivered = _delivered(reading, table, recipes)
    reading.known.offers |= {name: tuple(m.id for m in delivered.get(name, ())) for name in names}
    chains = _chains(reading, names, delivered)
    lanes = _lanes(reading, names, delivered)
    offers = []
    for row in table.unique("id"):
        name = row.values.get("id", "")
        outputs = _outputs(reading, table, row, recipes.get(name))
        material = reading.known.materials.get(outputs[0].material) if len(outputs) == 1 else None
        values = _values(reading, table, row, material, several=len(outputs) > 1)
        if row.bad or not outputs:
            continue
        recipe = recipes.get(name)
        offers.append(
            Offer(
                **values,
                outputs=outputs,
                inputs=tuple(recipe.inputs) if recipe else (),
                chain=tuple(chains.get(name, ())),
                lanes=tuple(lanes.get(name, ())),
                catalog=reading.name,
            )
        )
    return tuple(sorted(offers, key=lambda o: o.id))


def made_by_facility(offers: tuple[Offer, ...]) -> dict[str, frozenset[str]]:
    """What the offers of each facility deliver."""
    made: dict[str, set[str]] = {}
    for offer in offers:
        made.setdefault(offer.facility, set()).update(line.material for line in offer.outputs)
    return {facility: frozenset(materials) for facility, materials in made.items()}


def _recipes(reading: Reading, names: set[str]) -> dict[str, _Recipe]:
    table = reading.table(columns.RECIPE)
    recipes: dict[str, _Recipe] = {}
    for row in table.unique("offer", "role", "material"):
        source = reading.source(table, row)
        material = reading.material(table, row)
        per_unit = reading.kg(table, row, "per_unit", material)
        known = reading.refers(table, row, "offer", names, "offer", "add it to offers.csv")
        if not known:
            continue
        recipe = recipes.setdefault(row.values["offer"], _Recipe())
        if row.bad or material is None or per_unit is None:
            recipe.broken = True
            continue
        output = row.values["role"] == "output"
        if "source" not in row.values and not (output and per_unit == _ONE):
            table.problem(row, "source", "this figure has no source", expected="the id of a row of sources.csv")
        (recipe.outputs if output else recipe.inputs).append(
            RecipeLine(material=material.id, per_unit=per_unit, source=source)
        )
    for recipe in recipes.values():
        recipe.inputs.sort(key=lambda line: line.material)
        recipe.outputs.sort(key=lambda line: line.material)
    return recipes


def _delivered(reading: Reading, table: Table, recipes: Mapping[str, _Recipe]) -> dict[str, list[Material]]:
    """What each offer delivers, as far as it is known; an offer that is not fully known is absent."""
    delivered: dict[str, list[Material]] = {}
    for row in table.rows:
        name, recipe = row.values.get("id"), recipes.get(row.values.get("id", ""))
        ids = [row.values["material"]] if "material" in row.values else []
        if recipe is not None:
            ids += [line.material for line in recipe.outputs]
        materials = [reading.known.materials.get(i) for i in ids]
        found = [m for m in materials if m is not None]
        if name and found and len(found) == len(materials) and not (recipe and recipe.broken):
            delivered[name] = found
    return delivered


def _outputs(reading: Reading, table: Table, row: Row, recipe: _Recipe | None) -> tuple[RecipeLine, ...]:
    given = recipe.outputs if recipe else []
    if "material" in row.values:
        if given:
            table.problem(
                row,
                "material",
                "the offer has output lines in recipe.csv as well",
                expected="a material here or outputs in recipe.csv, not both",
                fix="leave this cell blank, or delete the output lines",
            )
            return ()
        material = reading.material(table, row)
        return () if material is None else (RecipeLine(material=material.id, per_unit=_ONE),)
    unread = bool(recipe and recipe.broken) or "recipe" in reading.known.unsure
    if not given and "material" not in row.bad and not unread:
        table.problem(
            row,
            "material",
            "the offer delivers nothing",
            expected="a material here, or output lines in recipe.csv",
            fix="name the material",
        )
    return () if recipe and recipe.broken else tuple(given)


def _values(reading: Reading, table: Table, row: Row, material: Material | None, *, several: bool) -> dict[str, Any]:
    """The fields that come from the offer's own row."""
    reading.refers(table, row, "facility", reading.known.facilities, "facility", "add it to facilities.csv")
    check_dates(table, row)
    values = pick(
        row,
        id="id",
        facility="facility",
        start="from",
        end="until",
        lead_time="lead_time",
        capacity_use="capacity_use",
        customs_origin="customs_origin",
        max_lots="max_lots",
        qualification="qualification",
        take_or_pay_share="take_or_pay_share",
        note="note",
    )
    for column in _MASSES:
        mass = row.values.get(column)
        if mass is None:
            continue
        if mass.substance and several:
            table.problem(
                row,
                column,
                "the offer has several outputs, so that no one substance is meant",
                expected="units of run, written as kilograms without a substance",
            )
        kg = mass.kg if mass.substance is None else reading.kg(table, row, column, material)
        if kg is not None:
            values[column] = exact(kg)
    least, most = values.get("min_order"), values.get("max_order")
    if least is not None and most is not None and least > most:
        table.problem(row, "min_order", "is more than max_order", fix="exchange the two, or mend one")
    _check_terms(table, row, values)
    money = row.values.get("onboarding")
    if money is not None:
        values |= {"onboarding": money.amount, "onboarding_currency": money.currency}
    values["source"] = reading.source(table, row)
    values["price"] = _price(reading, table, row, material, values["source"], several=several)
    return values


def _check_terms(table: Table, row: Row, values: dict[str, Any]) -> None:
    lot, count = values.get("lot"), values.get("max_lots")
    if lot is not None and not lot:
        table.problem(row, "lot", "a lot of nothing", expected="a mass above 0", fix="leave it blank for any quantity")
    if count is not None and lot is None and "lot" not in row.bad:
        table.problem(row, "max_lots", "there is no lot to count", fix="give `lot`, or `max_order` in place of this")
    least = values.get("min_order")
    if "take_or_pay_share" in row.values and "take_or_pay" not in {*row.values, *row.bad}:
        table.problem(
            row, "take_or_pay_share", "a share of no take-or-pay", fix="give `take_or_pay`, or leave it blank"
        )
    if lot and count is not None and least is not None and least > lot * count:
        table.problem(row, "min_order", "is more than `max_lots` lots", fix="mend one of the three")


def _price(
    reading: Reading, table: Table, row: Row, material: Material | None, source: str, *, several: bool
) -> Price | None:
    values = row.values
    evidence = reading.source(table, row, "price_source") or source
    if "premium" in values and "benchmark" not in values and "benchmark" not in row.bad:
        table.problem(row, "premium", "a premium on no benchmark", fix="name the benchmark")
    if "price" in values:
        if "benchmark" in values:
            table.problem(
                row, "price", "a price and a benchmark are both given", expected="one of the two", fix="delete one"
            )
        if not {"source", "price_source"} & values.keys():
            table.problem(row, "price_source", "the price has no source", expected="the id of a row of sources.csv")
        if values["price"].substance and several:
            table.problem(
                row, "price", "the offer has several outputs", expected="money per unit of run, like `9 USD/kg`"
            )
            return None
        price = reading.unit_price(table, row, "price", material)
        return None if price is None else Price(amount=price.amount, currency=price.currency, source=evidence)
    if reading.refers(table, row, "benchmark", reading.known.benchmarks, "benchmark", "add it to prices.csv"):
        return Price(benchmark=values["benchmark"], premium=values.get("premium", Decimal(0)), source=evidence)
    return None


def _chains(reading: Reading, names: set[str], delivered: Mapping[str, list[Material]]) -> dict[str, list[ChainEntry]]:
    table = reading.table(columns.CHAIN)
    chains: dict[str, list[ChainEntry]] = {}
    entries: dict[tuple[Any, ...], ChainEntry] = {}
    for row in table.rows:
        row.values.setdefault("feed", Feed.RECYCLED if row.values.get("stage") == COLLECTION else Feed.PRIMARY)
    for row in table.unique("offer", "stage", "feed"):
        source = reading.source(table, row)
        known = reading.refers(table, row, "offer", names, "offer", "add it to offers.csv")
        values = row.values
        if known and "stage" in values:
            _check_stage(table, row, delivered.get(values["offer"]))
        feed, countries = values["feed"], values.get("countries", frozenset())
        complete = values.get("complete", False)
        if values.get("stage") == COLLECTION and feed is not Feed.RECYCLED and "feed" not in row.bad:
            table.problem(
                row,
                "feed",
                "what is collected is scrap, and no primary feed",
                expected="recycled, or blank",
                fix="name the step `mining` or `concentration` where the feed comes out of the ground",
            )
            continue
        if complete and not countries and feed is not Feed.RECYCLED and "countries" not in row.bad:
            table.problem(
                row,
                "complete",
                "the list of countries is said to be complete but is empty",
                expected="the countries, or complete = no",
                fix="list the countries, or write no",
            )
        if row.bad or not known:
            continue
        key = (values["stage"], countries, complete, feed, source)
        if key not in entries:
            entries[key] = ChainEntry(stage=key[0], countries=countries, complete=complete, feed=feed, source=source)
        chains.setdefault(values["offer"], []).append(entries[key])
    for chain in chains.values():
        chain.sort(key=lambda e: (e.main_stage.rank, e.stage, e.feed))
    return chains


def _check_stage(table: Table, row: Row, materials: list[Material] | None) -> None:
    """An offer can only perform stages that what it delivers must have."""
    if materials is None:
        return
    stage = stage_of(row.values["stage"])
    if any(stage in material.stages for material in materials):
        return
    stages = sorted({s for m in materials for s in m.stages}, key=lambda s: s.rank)
    named = ", ".join(f"`{m.id}`" for m in materials)
    table.problem(
        row,
        "stage",
        f"the chain of {named} has no such stage",
        expected="one of " + ", ".join(stages) if stages else "a material whose stages are given",
        fix="delete the row, or add the stage to the material in materials.csv",
    )


def _lanes(reading: Reading, names: set[str], delivered: Mapping[str, list[Material]]) -> dict[str, list[Lane]]:
    table = reading.table(columns.LANES)
    lanes: dict[str, list[Lane]] = {}
    for row in table.unique("offer", "to"):
        source = reading.source(table, row)
        known = reading.refers(table, row, "offer", names, "offer", "add it to offers.csv")
        to = row.values.get("to", "")
        if to and len(to) != 2:
            reading.refers(
                table, row, "to", reading.known.places, "place", "name a country, or a site of facilities.csv"
            )
        if row.bad or not known:
            continue
        materials = delivered.get(row.values["offer"], [])
        price = reading.unit_price(table, row, "freight", materials[0] if len(materials) == 1 else None)
        cost = {"freight": price.amount, "currency": price.currency} if price else {}
        lanes.setdefault(row.values["offer"], []).append(
            Lane(**pick(row, to="to", lead_time="lead_time"), **cost, source=source)
        )
    for entries in lanes.values():
        entries.sort(key=lambda lane: lane.to)
    return lanes
