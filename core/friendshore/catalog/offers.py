"""Offers with their recipes, chains, lanes, and quotations, and the price schedules and terms of trade that apply to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TypeVar

from ..domain.base import exact, grouped
from ..domain.facts import (
    TWO_PRICES_FAULT,
    ChainEntry,
    Feed,
    Lane,
    Material,
    Offer,
    Price,
    Quote,
    RecipeLine,
)
from ..domain.quantities import Mass, Money, UnitPrice
from ..domain.stages import COLLECTION, stage_of
from ..domain.terms import PriceSchedule, Terms, Tier, overlap_fault, overlapping
from ..reading.csvfile import Table, TableRow
from ..reading.fields import Layout
from . import columns
from .known import unknown_stage, unsourced, unsourced_line
from .reading import CatalogReading

M = TypeVar("M", Lane, Quote)


@dataclass(slots=True)
class _Recipe:
    inputs: list[RecipeLine] = field(default_factory=list)
    outputs: list[RecipeLine] = field(default_factory=list)
    broken: bool = False
    """True if a line couldn't be read."""


def read_offers(reading: CatalogReading) -> tuple[Offer, ...]:
    """Return the offers of the catalog."""
    table = reading.table(columns.OFFERS)
    names = {row.values["id"] for row in table.rows if "id" in row.values}
    recipes = _recipes(reading, names)
    delivered = _delivered(reading, table, recipes)
    reading.known.offers |= {name: tuple(m.id for m in delivered.get(name, ())) for name in names}
    chains = _chains(reading, names, delivered)
    lanes = _of_offers(reading, columns.LANES, Lane, names, delivered)
    quotes = _quotes(reading, table, names, delivered)
    offers = []
    for row in table.unique(last=True):
        name = row.values.get("id", "")
        recipe = recipes.get(name)
        outputs = _outputs(reading, row, recipe)
        values = _values(reading, row, [reading.known.materials.get(line.material) for line in outputs])
        within: dict[str, Sequence[tuple[Lane | Quote, TableRow]]] = {
            "lanes": lanes.get(name, []),
            "quotes": quotes.get(name, []),
        }
        values |= {field: tuple(record for record, _ in pairs) for field, pairs in within.items()}
        values |= {
            "outputs": outputs,
            "inputs": tuple(recipe.inputs) if recipe else (),
            "chain": tuple(chains.pop(name, ())),
            "catalog": reading.name,
        }
        if not outputs:
            row.bad |= {"outputs"}  # what it delivers is told already
        offer = row.made(Offer, values, {field: [entry for _, entry in pairs] for field, pairs in within.items()})
        if offer is not None:
            offers.append(offer)
        reading.offers_broken |= offer is None or offer.facility not in reading.known.facilities
    return tuple(sorted(offers, key=lambda o: o.id))


def materials_by_facility(offers: tuple[Offer, ...]) -> dict[str, frozenset[str]]:
    """Return the outputs of each facility's offers."""
    made = grouped((offer.facility, line.material) for offer in offers for line in offer.outputs)
    return {facility: frozenset(materials) for facility, materials in made.items()}


def _recipes(reading: CatalogReading, names: set[str]) -> dict[str, _Recipe]:
    table = reading.table(columns.RECIPE)
    recipes: dict[str, _Recipe] = {}
    for row in table.unique():
        material = reading.material(row)
        given = reading.given(row, RecipeLine, material)
        known = reading.refers(row, "offer", "offer", names)
        if not known:
            continue
        recipe = recipes.setdefault(row.values["offer"], _Recipe())
        if row.bad or material is None:
            recipe.broken = True
            continue
        output = row.values["role"] == "output"
        row.tell(unsourced_line(given, output=output))
        line = row.made(RecipeLine, given)
        recipe.broken |= line is None
        (recipe.outputs if output else recipe.inputs).extend([line] if line else [])
    for recipe in recipes.values():
        recipe.inputs.sort(key=lambda line: line.material)
        recipe.outputs.sort(key=lambda line: line.material)
    return recipes


def _delivered(reading: CatalogReading, table: Table, recipes: Mapping[str, _Recipe]) -> dict[str, list[Material]]:
    """Return the outputs of each offer whose outputs are all known."""
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


def _outputs(reading: CatalogReading, row: TableRow, recipe: _Recipe | None) -> tuple[RecipeLine, ...]:
    given = recipe.outputs if recipe else []
    if "material" in row.values:
        if given:
            row.problem(
                "material",
                "the offer has output lines in recipe.csv as well",
                expected="a material here or outputs in recipe.csv, not both",
                fix="leave this cell blank, or delete the output lines",
            )
            return ()
        reading.refers(row, "material", "material")
        material = reading.material(row)
        return () if material is None else (reading.kilogram(material),)
    unread = bool(recipe and recipe.broken) or "recipe" in reading.known.unsure
    if not given and "material" not in row.bad and not unread:
        row.problem(
            "material",
            "the offer delivers nothing",
            expected="a material here, or output lines in recipe.csv",
            fix="name the material",
        )
    return () if recipe and recipe.broken else tuple(given)


def _values(reading: CatalogReading, row: TableRow, delivered: Sequence[Material | None]) -> dict[str, object]:
    """Return the fields from the offer's own row."""
    values = reading.given(row, Offer, partial(_one_output, row, delivered))
    values["price"] = _price(reading, row, values["source"])
    return values


def _price(reading: CatalogReading, row: TableRow, source: str) -> Price | None:
    given = reading.given(row, Price)
    given["source"] = given["source"] or source
    if "amount" in given:
        if not {"source", "price_source"} & (row.values.keys() | row.bad):
            row.tell([unsourced("the price", "price_source")])
    elif "benchmark" not in given and "premium" not in given:
        return None
    return row.alike(Price, given)


def _chains(
    reading: CatalogReading, names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[ChainEntry]]:
    table = reading.table(columns.CHAIN)
    chains: dict[str, list[ChainEntry]] = {}
    for row in table.rows:
        row.values.setdefault("feed", Feed.RECYCLED if row.values.get("stage") == COLLECTION else Feed.PRIMARY)
    for row in table.unique(last=True):
        known = reading.refers(row, "offer", "offer", names)
        if known and "stage" in row.values:
            materials = delivered.get(row.values["offer"], [])
            row.tell(unknown_stage(stage_of(row.values["stage"]), materials) if materials else ())
        entry = row.alike(ChainEntry, reading.given(row, ChainEntry))
        if known and entry is not None:
            chains.setdefault(row.values["offer"], []).append(entry)
    for chain in chains.values():
        chain.sort(key=lambda e: (e.main_stage.rank, e.stage, e.feed))
    return chains


def _of_offers(
    reading: CatalogReading, layout: Layout, model: type[M], names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[tuple[M, TableRow]]]:
    """Return the records of a table by offer, each with its row, in order of time."""
    found: dict[str, list[tuple[M, TableRow]]] = {}
    for row in reading.table(layout).unique():
        known = reading.refers(row, "offer", "offer", names)
        name = row.values.get("offer", "")
        record = row.made(model, reading.given(row, model, partial(_one_output, row, delivered.get(name, []))))
        if record is not None and known:
            found.setdefault(name, []).append((record, row))
    for rows in found.values():
        rows.sort(key=lambda pair: (getattr(pair[0], "to", ""), pair[0].start or date.min))
    return found


def _quotes(
    reading: CatalogReading, offers: Table, names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[tuple[Quote, TableRow]]]:
    """Return the quotations of each offer without a price of its own."""
    priced = {row.values.get("id") for row in offers.rows if {"price", "benchmark"} & (row.values.keys() | row.bad)}
    quotes = _of_offers(reading, columns.QUOTES, Quote, names, delivered)
    for row in reading.table(columns.QUOTES).rows:
        if "offer" in row.values and row.values["offer"] in priced:
            row.tell([TWO_PRICES_FAULT], {"quotes": "offer"})
    return {name: rows for name, rows in quotes.items() if name not in priced}


def _one_output(row: TableRow, delivered: Sequence[Material | None], column: str) -> Material | None:
    """Return the only output of an offer, in whose substance a figure may be. Record an error if there are several."""
    if len(delivered) < 2:
        return delivered[0] if delivered else None
    if isinstance(row.values[column], UnitPrice):
        message, expected = "the offer has several outputs", "money per unit of run, like `9 USD/kg`"
    else:
        message = "the offer has several outputs, so that no one substance is meant"
        expected = "units of run, written as kilograms without a substance"
    row.problem(column, message, expected)
    return None


_SCHEDULE = ("of", "id", "materials", "kind", "per", "from", "until")
"""Columns that identify a schedule."""


def read_tiers(reading: CatalogReading) -> tuple[PriceSchedule, ...]:
    """Return the price schedules of the catalog."""
    table = reading.table(columns.TIERS)
    groups: dict[tuple[object, ...], list[TableRow]] = {}
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique():
        groups.setdefault(tuple(row.values.get(column) for column in _SCHEDULE), []).append(row)
    made = []
    for rows in groups.values():
        schedule = _Reader(reading, rows).schedule()
        if schedule is not None:
            made.append((schedule, rows[0]))
    for _, position in overlapping([schedule for schedule, _ in made]):
        schedule, row = made[position]
        row.tell([overlap_fault(schedule)])
    return tuple(sorted((schedule for schedule, _ in made), key=lambda schedule: schedule.order))


def with_list_prices(offers: Sequence[Offer], schedules: Sequence[PriceSchedule]) -> tuple[Offer, ...]:
    """Return the offers with prices. An offer whose price is only in its price list gets the price of the first tier."""
    first = {
        schedule.id: Price(amount=schedule.tiers[0].price, currency=schedule.currency, source=schedule.source)
        for schedule in reversed(schedules)
        if schedule.of == "offer" and schedule.tiers[0].price is not None
    }
    return tuple(
        offer.but(price=first[offer.id]) if offer.price is None and not offer.quotes and offer.id in first else offer
        for offer in offers
    )


class _Reader:
    """Reader of the rows of a schedule."""

    def __init__(self, reading: CatalogReading, rows: list[TableRow]) -> None:
        self.reading = reading
        self.rows = sorted(rows, key=lambda row: _amount(row, "least"))
        self.values = self.rows[0].values

    def schedule(self) -> PriceSchedule | None:
        """Return the schedule. If a row has an error, record it and return None."""
        before = len(self.reading.found)
        materials = _materials(self.reading, self.rows[0])
        measure = self._measure()
        tiers = [self._tier(row, materials) for row in self.rows]
        currency = self._currency()
        stated = [
            self.reading.given(row, PriceSchedule, only="source" if number else "")
            for number, row in enumerate(self.rows)
        ]
        given = stated[0] | {"measure": measure, "currency": currency, "source": min(one["source"] for one in stated)}
        if None not in tiers and len(self.reading.found) == before and not any(row.bad for row in self.rows):
            given["tiers"] = tuple(tiers)
        else:
            self.rows[0].bad |= {"tiers"}
        return self.rows[0].made(PriceSchedule, given, {"tiers": self.rows})

    def _measure(self) -> str:
        """Return the unit of thresholds. A bare 0 fits any."""
        kinds: dict[type, tuple[TableRow, str]] = {}
        for row, column in ((row, column) for column in ("most", "least") for row in self.rows):
            if _amount(row, column):
                kinds[type(row.values[column])] = row, column
        if len(kinds) > 1:
            row, column = kinds[Money]
            row.problem(
                column,
                "some tiers of the schedule begin or end at a mass, others at an amount of money",
                expected="all of one kind",
            )
        return "money" if Money in kinds else "quantity"

    def _tier(self, row: TableRow, materials: list[Material]) -> Tier | None:
        given = self.reading.given(row, Tier, partial(_one_material, row, materials))
        return row.made(Tier, given)

    def _currency(self) -> str:
        """Return the only currency of the schedule's figures. Empty if there is no money in it."""
        found: dict[str, tuple[TableRow, str]] = {}
        for row, column in self._moneys():
            found.setdefault(row.values[column].currency, (row, column))
        if len(found) > 1:
            row, column = list(found.values())[1]
            row.problem(
                column,
                "the schedule names several currencies",
                expected=f"one currency, like {next(iter(found))} above",
            )
        return next(iter(found), "")

    def _moneys(self) -> Iterator[tuple[TableRow, str]]:
        for row in self.rows:
            for column in ("least", "most", "price", "lump"):
                if isinstance(row.values.get(column), Money | UnitPrice):
                    yield row, column


def _amount(row: TableRow, column: str) -> Decimal:
    """Return a limit of a tier in kilograms or money, or 0 if it can't be read."""
    found = row.values.get(column)
    if isinstance(found, Money):
        return exact(found.amount)
    return exact(found.kg) if isinstance(found, Mass) else Decimal(0)


def read_terms(reading: CatalogReading) -> tuple[Terms, ...]:
    """Return the terms of trade of the catalog."""
    table = reading.table(columns.TERMS)
    for row in table.rows:
        row.values.setdefault("of", "offer")
    made = []
    for row in table.unique():
        terms = _terms(reading, row)
        if terms is not None:
            made.append(terms)
    return tuple(sorted(made, key=lambda terms: terms.order))


def _terms(reading: CatalogReading, row: TableRow) -> Terms | None:
    """Return the terms of a row. None if it has an error."""
    before = len(reading.found)
    materials = _materials(reading, row)
    made = row.made(Terms, reading.given(row, Terms, partial(_one_material, row, materials)))
    return made if len(reading.found) == before else None


def _materials(reading: CatalogReading, row: TableRow) -> list[Material]:
    """Return the materials that a row is about, as far as they are known."""
    known, of = reading.known, row.values.get("of", "offer")
    named = row.values.get("materials", ())
    given = known.offers.get(row.values.get("id", ""), ()) if of == "offer" and not named else named
    return [material for material in map(known.materials.get, given) if material is not None]


def _one_material(row: TableRow, materials: Sequence[Material], column: str) -> Material | None:
    """Return the only material in whose substance a figure may be. Record an error if there may be several."""
    named = row.values.get("materials", ())
    if max(len(materials), len(named)) > 1 or (not named and row.values.get("of") != "offer"):
        row.problem(
            column,
            "the row is about several materials, so that no one substance is meant",
            expected="a figure without a substance",
            fix="name one material, or leave the substance out",
        )
    return materials[0] if len(materials) == 1 else None
