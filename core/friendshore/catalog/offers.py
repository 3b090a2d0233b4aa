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


def read_offers(reading: CatalogReading) -> tuple[Offer, ...]:
    table = reading.table(columns.OFFERS)
    names = {row.values["id"] for row in table.rows if "id" in row.values}
    recipes = _recipes(reading, names)
    delivered = _delivered(reading, table, recipes)
    reading.known.offers |= {name: tuple(m.id for m in delivered.get(name, ())) for name in names}
    chains = _chains(reading, names, delivered)
    lanes = _records_by_offer(reading, columns.LANES, Lane, names, delivered)
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
            row.bad |= {"outputs"}  # missing outputs are already reported
        offer = row.record_from(
            Offer, values, {field: [entry for _, entry in pairs] for field, pairs in within.items()}
        )
        if offer is not None:
            offers.append(offer)
        reading.offers_broken |= offer is None or offer.facility not in reading.known.facilities
    return tuple(sorted(offers, key=lambda o: o.id))


def materials_by_facility(offers: tuple[Offer, ...]) -> dict[str, frozenset[str]]:
    pairs = grouped((offer.facility, line.material) for offer in offers for line in offer.outputs)
    return {facility: frozenset(materials) for facility, materials in pairs.items()}


def _recipes(reading: CatalogReading, names: set[str]) -> dict[str, _Recipe]:
    table = reading.table(columns.RECIPE)
    recipes: dict[str, _Recipe] = {}
    for row in table.unique():
        material = reading.material(row)
        fields = reading.fields(row, RecipeLine, material)
        if not reading.check_reference(row, "offer", "offer", names):
            continue
        recipe = recipes.setdefault(row.values["offer"], _Recipe())
        if row.bad or material is None:
            recipe.broken = True
            continue
        output = row.values["role"] == "output"
        row.report(unsourced_line(fields, output=output))
        line = row.record_from(RecipeLine, fields)
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
        readable = [m for m in materials if m is not None]
        if name and readable and len(readable) == len(materials) and not (recipe and recipe.broken):
            delivered[name] = readable
    return delivered


def _outputs(reading: CatalogReading, row: TableRow, recipe: _Recipe | None) -> tuple[RecipeLine, ...]:
    lines = recipe.outputs if recipe else []
    if "material" in row.values:
        if lines:
            row.problem(
                "material",
                "the offer has a material here and output lines in recipe.csv",
                expected="a material here or outputs in recipe.csv, not both",
                fix="leave this cell blank, or delete the output lines",
                code="FS117",
            )
            return ()
        reading.check_reference(row, "material", "material")
        material = reading.material(row)
        return () if material is None else (reading.kilogram(material),)
    may_have_more = bool(recipe and recipe.broken) or "recipe" in reading.known.unsure
    if not lines and "material" not in row.bad and not may_have_more:
        row.problem(
            "material",
            "the offer has no output",
            expected="a material here, or output lines in recipe.csv",
            fix="name the material, such as `gallium-metal-4n`",
            code="FS117",
        )
    return () if recipe and recipe.broken else tuple(lines)


def _values(reading: CatalogReading, row: TableRow, delivered: Sequence[Material | None]) -> dict[str, object]:
    values = reading.fields(row, Offer, partial(_only_output, row, delivered))
    values["price"] = _price(reading, row, values["source"])
    return values


def _price(reading: CatalogReading, row: TableRow, source: str) -> Price | None:
    fields = reading.fields(row, Price)
    fields["source"] = fields["source"] or source
    if "amount" in fields:
        if not {"source", "price_source"} & (row.values.keys() | row.bad):
            row.report([unsourced("the price", "price_source")])
    elif "benchmark" not in fields and "premium" not in fields:
        return None
    return row.shared_record(Price, fields)


def _chains(
    reading: CatalogReading, names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[ChainEntry]]:
    table = reading.table(columns.CHAIN)
    chains: dict[str, list[ChainEntry]] = {}
    for row in table.rows:
        row.values.setdefault("feed", Feed.RECYCLED if row.values.get("stage") == COLLECTION else Feed.PRIMARY)
    for row in table.unique(last=True):
        is_known = reading.check_reference(row, "offer", "offer", names)
        if is_known and "stage" in row.values:
            materials = delivered.get(row.values["offer"], [])
            row.report(unknown_stage(stage_of(row.values["stage"]), materials) if materials else ())
        entry = row.shared_record(ChainEntry, reading.fields(row, ChainEntry))
        if is_known and entry is not None:
            chains.setdefault(row.values["offer"], []).append(entry)
    for chain in chains.values():
        chain.sort(key=lambda e: (e.main_stage.rank, e.stage, e.feed, e.element))
    return chains


def _records_by_offer(
    reading: CatalogReading, layout: Layout, model: type[M], names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[tuple[M, TableRow]]]:
    by_offer: dict[str, list[tuple[M, TableRow]]] = {}
    for row in reading.table(layout).unique():
        is_known = reading.check_reference(row, "offer", "offer", names)
        name = row.values.get("offer", "")
        record = row.record_from(model, reading.fields(row, model, partial(_only_output, row, delivered.get(name, []))))
        if record is not None and is_known:
            by_offer.setdefault(name, []).append((record, row))
    for pairs in by_offer.values():
        pairs.sort(key=lambda pair: (getattr(pair[0], "to", ""), pair[0].start or date.min))
    return by_offer


def _quotes(
    reading: CatalogReading, offers: Table, names: set[str], delivered: Mapping[str, list[Material]]
) -> dict[str, list[tuple[Quote, TableRow]]]:
    """Return the quotations of each offer without a price of its own."""
    priced = {row.values.get("id") for row in offers.rows if {"price", "benchmark"} & (row.values.keys() | row.bad)}
    quotes = _records_by_offer(reading, columns.QUOTES, Quote, names, delivered)
    for row in reading.table(columns.QUOTES).rows:
        if "offer" in row.values and row.values["offer"] in priced:
            row.report([TWO_PRICES_FAULT], {"quotes": "offer"})
    return {name: rows for name, rows in quotes.items() if name not in priced}


def _only_output(row: TableRow, delivered: Sequence[Material | None], column: str) -> Material | None:
    """Return the only output of an offer, which determines the substance of an amount. Report an amount for several outputs."""
    if len(delivered) < 2:
        return delivered[0] if delivered else None
    is_price = isinstance(row.values[column], UnitPrice)
    message = "the offer has several outputs, so this amount can't name a substance"
    expected = "money per unit of run, like `9 USD/kg`" if is_price else "units of run, like `500 kg`"
    row.problem(column, message, expected, "leave the substance out", "FS113")
    return None


_SCHEDULE = ("of", "id", "materials", "kind", "per", "from", "until")


def read_tiers(reading: CatalogReading) -> tuple[PriceSchedule, ...]:
    table = reading.table(columns.TIERS)
    groups: dict[tuple[object, ...], list[TableRow]] = {}
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique():
        groups.setdefault(tuple(row.values.get(column) for column in _SCHEDULE), []).append(row)
    pairs = []
    for rows in groups.values():
        schedule = _ScheduleReader(reading, rows).schedule()
        if schedule is not None:
            pairs.append((schedule, rows[0]))
    for _, position in overlapping([schedule for schedule, _ in pairs]):
        schedule, row = pairs[position]
        row.report([overlap_fault(schedule)])
    return tuple(sorted((schedule for schedule, _ in pairs), key=lambda schedule: schedule.order))


def with_list_prices(offers: Sequence[Offer], schedules: Sequence[PriceSchedule]) -> tuple[Offer, ...]:
    """Return the offers with prices. An offer whose price is only in its schedule gets the price of the first tier."""
    first_prices = {
        schedule.id: Price(amount=schedule.tiers[0].price, currency=schedule.currency, source=schedule.source)
        for schedule in reversed(schedules)
        if schedule.of == "offer" and schedule.tiers[0].price is not None
    }
    return tuple(
        offer.but(price=first_prices[offer.id])
        if offer.price is None and not offer.quotes and offer.id in first_prices
        else offer
        for offer in offers
    )


class _ScheduleReader:
    def __init__(self, reading: CatalogReading, rows: list[TableRow]) -> None:
        self.reading = reading
        self.rows = sorted(rows, key=lambda row: _amount(row, "least"))
        self.values = self.rows[0].values

    def schedule(self) -> PriceSchedule | None:
        before = len(self.reading.problems)
        materials = _materials(self.reading, self.rows[0])
        measure = self._measure()
        tiers = [
            row.record_from(Tier, self.reading.fields(row, Tier, partial(_only_material, row, materials)))
            for row in self.rows
        ]
        currency = self._currency()
        fields_by_row = [
            self.reading.fields(row, PriceSchedule, only="source" if number else "")
            for number, row in enumerate(self.rows)
        ]
        source = min(fields["source"] for fields in fields_by_row)
        schedule_fields = fields_by_row[0] | {"measure": measure, "currency": currency, "source": source}
        if None not in tiers and len(self.reading.problems) == before and not any(row.bad for row in self.rows):
            schedule_fields["tiers"] = tuple(tiers)
        else:
            self.rows[0].bad |= {"tiers"}
        return self.rows[0].record_from(PriceSchedule, schedule_fields, {"tiers": self.rows})

    def _measure(self) -> str:
        """Return the unit of thresholds. A 0 without a unit fits both."""
        cell_by_type: dict[type, tuple[TableRow, str]] = {}
        for row, column in ((row, column) for column in ("most", "least") for row in self.rows):
            if _amount(row, column):
                cell_by_type[type(row.values[column])] = row, column
        if len(cell_by_type) > 1:
            row, column = cell_by_type[Money]
            row.problem(
                column,
                "some tiers of the schedule begin or end at a mass, others at an amount of money",
                expected="only masses, or only amounts of money",
                fix="give all of them as masses, or all as money",
                code="FS115",
            )
        return "money" if Money in cell_by_type else "quantity"

    def _currency(self) -> str:
        """Return the only currency of the schedule's figures. Empty if there is no money in it."""
        cell_by_currency: dict[str, tuple[TableRow, str]] = {}
        for row, column in self._money_cells():
            cell_by_currency.setdefault(row.values[column].currency, (row, column))
        if len(cell_by_currency) > 1:
            row, column = list(cell_by_currency.values())[1]
            first = next(iter(cell_by_currency))
            row.problem(
                column,
                "the schedule has several currencies",
                expected=f"one currency, like {first} above",
                fix=f"convert the amount to {first}",
                code="FS115",
            )
        return next(iter(cell_by_currency), "")

    def _money_cells(self) -> Iterator[tuple[TableRow, str]]:
        for row in self.rows:
            for column in ("least", "most", "price", "lump"):
                if isinstance(row.values.get(column), Money | UnitPrice):
                    yield row, column


def _amount(row: TableRow, column: str) -> Decimal:
    limit = row.values.get(column)
    if isinstance(limit, Money):
        return exact(limit.amount)
    return exact(limit.kg) if isinstance(limit, Mass) else Decimal(0)


def read_terms(reading: CatalogReading) -> tuple[Terms, ...]:
    table = reading.table(columns.TERMS)
    for row in table.rows:
        row.values.setdefault("of", "offer")
    all_terms = []
    for row in table.unique():
        terms = _terms(reading, row)
        if terms is not None:
            all_terms.append(terms)
    return tuple(sorted(all_terms, key=lambda terms: terms.order))


def _terms(reading: CatalogReading, row: TableRow) -> Terms | None:
    before = len(reading.problems)
    materials = _materials(reading, row)
    terms = row.record_from(Terms, reading.fields(row, Terms, partial(_only_material, row, materials)))
    return terms if len(reading.problems) == before else None


def _materials(reading: CatalogReading, row: TableRow) -> list[Material]:
    """Return the known materials of a row, or of its offer if it names none."""
    known, of = reading.known, row.values.get("of", "offer")
    names = row.values.get("materials", ())
    if of == "offer" and not names:
        names = known.offers.get(row.values.get("id", ""), ())
    return [material for material in map(known.materials.get, names) if material is not None]


def _only_material(row: TableRow, materials: Sequence[Material], column: str) -> Material | None:
    named = row.values.get("materials", ())
    if max(len(materials), len(named)) > 1 or (not named and row.values.get("of") != "offer"):
        row.problem(
            column,
            "the row covers several materials, so this amount can't name a substance",
            expected="an amount without a substance",
            fix="name one material, or leave the substance out",
            code="FS113",
        )
    return materials[0] if len(materials) == 1 else None
