"""Offers with their recipes, chains and lanes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from ..domain.base import exact
from ..domain.facts import ChainEntry, Feed, Lane, Material, Offer, Price, RecipeLine
from ..domain.stages import COLLECTION, stage_of
from ..reading.csvfile import Table, TableRow
from ..reading.entry import WRITTEN
from . import columns
from .known import stage_of_none, unsourced
from .state import Alike, CatalogReading, pick

_ONE = Decimal(1)
_COLUMNS = {**WRITTEN, "onboarding_currency": "onboarding"}
_MASSES = ("min_order", "max_order", "lot", "max_per_year", "total", "take_or_pay")


@dataclass(slots=True)
class _Recipe:
    inputs: list[RecipeLine] = field(default_factory=list)
    outputs: list[RecipeLine] = field(default_factory=list)
    broken: bool = False
    """Whether a line could not be read."""


def read_offers(reading: CatalogReading) -> tuple[Offer, ...]:
    """The offers of the catalog."""
    table = reading.table(columns.OFFERS)
    names = {row.values["id"] for row in table.rows if "id" in row.values}
    recipes = _recipes(reading, names)
    delivered = _delivered(reading, table, recipes)
    reading.known.offers |= {name: tuple(m.id for m in delivered.get(name, ())) for name in names}
    chains = _chains(reading, names, delivered)
    lanes = _lanes(reading, names, delivered)
    alike, offers = Alike(table), []
    for row in table.unique("id"):
        name = row.values.get("id", "")
        outputs = _outputs(reading, table, row, recipes.get(name))
        material = reading.known.materials.get(outputs[0].material) if len(outputs) == 1 else None
        values = _values(reading, alike, row, material, several=len(outputs) > 1)
        recipe = recipes.get(name)
        values |= {
            "outputs": outputs,
            "inputs": tuple(recipe.inputs) if recipe else (),
            "chain": tuple(chains.pop(name, ())),
            "lanes": tuple(lanes.get(name, ())),
            "catalog": reading.name,
        }
        if not outputs:
            row.bad |= {"outputs"}  # what it delivers is told already
        offer = table.made(row, Offer, values, _COLUMNS)
        if offer is not None:
            offers.append(offer)
    return tuple(sorted(offers, key=lambda o: o.id))


def made_by_facility(offers: tuple[Offer, ...]) -> dict[str, frozenset[str]]:
    """What the offers of each facility deliver."""
    made: dict[str, set[str]] = {}
    for offer in offers:
        made.setdefault(offer.facility, set()).update(line.material for line in offer.outputs)
    return {facility: frozenset(materials) for facility, materials in made.items()}


def _recipes(reading: CatalogReading, names: set[str]) -> dict[str, _Recipe]:
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
            table.entry(row).tell([unsourced("this figure", "source")])
        given = {"material": material.id, "per_unit": per_unit, "source": source}
        line = table.made(row, RecipeLine, given)
        recipe.broken |= line is None
        (recipe.outputs if output else recipe.inputs).extend([line] if line else [])
    for recipe in recipes.values():
        recipe.inputs.sort(key=lambda line: line.material)
        recipe.outputs.sort(key=lambda line: line.material)
    return recipes


def _delivered(reading: CatalogReading, table: Table, recipes: Mapping[str, _Recipe]) -> dict[str, list[Material]]:
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


def _outputs(reading: CatalogReading, table: Table, row: TableRow, recipe: _Recipe | None) -> tuple[RecipeLine, ...]:
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
        return () if material is None else (reading.kilogram(material),)
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


def _values(
    reading: CatalogReading, alike: Alike, row: TableRow, material: Material | None, *, several: bool
) -> dict[str, Any]:
    """The fields that come from the offer's own row."""
    table = alike.table
    reading.refers(table, row, "facility", reading.known.facilities, "facility", "add it to facilities.csv")
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
        if kg is None:
            row.bad |= {column}
        else:
            values[column] = exact(kg)
    money = row.values.get("onboarding")
    if money is not None:
        values |= {"onboarding": money.amount, "onboarding_currency": money.currency}
    values["source"] = reading.source(table, row)
    values["price"] = _price(reading, alike, row, material, values["source"], several=several)
    return values


def _price(
    reading: CatalogReading, alike: Alike, row: TableRow, material: Material | None, source: str, *, several: bool
) -> Price | None:
    table, values = alike.table, row.values
    evidence = reading.source(table, row, "price_source") or source
    given = pick(row, benchmark="benchmark", premium="premium") | {"source": evidence}
    if "price" in values:
        if not {"source", "price_source"} & values.keys():
            table.entry(row).tell([unsourced("the price", "price_source")])
        if values["price"].substance and several:
            table.problem(
                row, "price", "the offer has several outputs", expected="money per unit of run, like `9 USD/kg`"
            )
            return None
        price = reading.unit_price(table, row, "price", material)
        if price is None:
            return None
        given |= {"amount": price.amount, "currency": price.currency}
    elif "benchmark" in values:
        fix = "add it to prices.csv"
        if not reading.refers(table, row, "benchmark", reading.known.benchmarks, "benchmark", fix):
            return None
    elif "premium" not in values:
        return None
    return alike.made(row, Price, given, {"amount": "price"})


def _chains(
    reading: CatalogReading, names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[ChainEntry]]:
    table = reading.table(columns.CHAIN)
    chains: dict[str, list[ChainEntry]] = {}
    alike = Alike(table)
    for row in table.rows:
        row.values.setdefault("feed", Feed.RECYCLED if row.values.get("stage") == COLLECTION else Feed.PRIMARY)
    for row in table.unique("offer", "stage", "feed", last=True):
        source = reading.source(table, row)
        known = reading.refers(table, row, "offer", names, "offer", "add it to offers.csv")
        values = row.values
        if known and "stage" in values:
            _check_stage(table, row, delivered.get(values["offer"]))
        given = pick(row, stage="stage", countries="countries", complete="complete", feed="feed") | {"source": source}
        entry = alike.made(row, ChainEntry, given)
        if known and entry is not None:
            chains.setdefault(values["offer"], []).append(entry)
    for chain in chains.values():
        chain.sort(key=lambda e: (e.main_stage.rank, e.stage, e.feed))
    return chains


def _check_stage(table: Table, row: TableRow, materials: list[Material] | None) -> None:
    """An offer can only perform stages that what it delivers must have."""
    if materials is None:
        return
    fault = stage_of_none(stage_of(row.values["stage"]), materials)
    table.entry(row).tell([fault] if fault else [])


def _lanes(reading: CatalogReading, names: set[str], delivered: Mapping[str, list[Material]]) -> dict[str, list[Lane]]:
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
        lane = table.made(row, Lane, {**pick(row, to="to", lead_time="lead_time"), **cost, "source": source})
        if lane is not None:
            lanes.setdefault(row.values["offer"], []).append(lane)
    for entries in lanes.values():
        entries.sort(key=lambda lane: lane.to)
    return lanes
