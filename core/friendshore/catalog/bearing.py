"""What bears on an offer, a facility or a supplier: price schedules, whose rows become the tiers of one, and terms of trade."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from decimal import Decimal
from functools import partial

from ..domain.base import exact
from ..domain.facts import Material, Offer, Price
from ..domain.quantities import Mass, Money, UnitPrice
from ..domain.terms import PriceSchedule, Terms, Tier, bears_too, overlapping
from ..reading.csvfile import Table, TableRow
from . import columns
from .known import not_among
from .state import CatalogReading

_SCHEDULE = ("of", "id", "materials", "kind", "per", "from", "until")
"""Columns by which rows belong to one schedule."""


def read_tiers(reading: CatalogReading) -> tuple[PriceSchedule, ...]:
    """The price schedules of the catalog."""
    table = reading.table(columns.TIERS)
    groups: dict[tuple[object, ...], list[TableRow]] = {}
    for row in table.rows:
        row.values.setdefault("of", "offer")
    for row in table.unique(*_SCHEDULE, "least"):
        groups.setdefault(tuple(row.values.get(column) for column in _SCHEDULE), []).append(row)
    made = []
    for rows in groups.values():
        schedule = _Reader(reading, table, rows).schedule()
        if schedule is not None:
            made.append((schedule, rows[0]))
    for _, position in overlapping([schedule for schedule, _ in made]):
        schedule, row = made[position]
        table.entry(row).tell([bears_too(schedule)])
    return tuple(sorted((schedule for schedule, _ in made), key=lambda schedule: schedule.order))


def with_list_prices(offers: Sequence[Offer], schedules: Sequence[PriceSchedule]) -> tuple[Offer, ...]:
    """Offers whose price stands only in their price list: the first tier's is what they cost before any is reached."""
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
    """Reads the rows of one schedule."""

    def __init__(self, reading: CatalogReading, table: Table, rows: list[TableRow]) -> None:
        self.reading, self.table = reading, table
        self.rows = sorted(rows, key=_begins)
        self.values = self.rows[0].values

    def schedule(self) -> PriceSchedule | None:
        """The schedule; None with problems recorded if a row has a mistake."""
        before = len(self.reading.found)
        materials = _subject(self.reading, self.table, self.rows[0])
        measure = self._measure()
        tiers = [self._tier(row, materials) for row in self.rows]
        currency = self._currency()
        stated = [self.reading.given(self.table, row, PriceSchedule) for row in self.rows]
        given = stated[0] | {"measure": measure, "currency": currency, "source": min(one["source"] for one in stated)}
        if None not in tiers and len(self.reading.found) == before:
            given["tiers"] = tuple(tiers)
        for fault in PriceSchedule.faults(given):
            row = self.rows[fault.entry[1]] if fault.entry else self.rows[0]
            if fault.known(row.bad):
                self.table.entry(row).tell([fault], self.table.layout.columns(PriceSchedule))
        whole = "tiers" in given and len(self.reading.found) == before and not any(row.bad for row in self.rows)
        return self.table.made(self.rows[0], PriceSchedule, given) if whole else None

    def _measure(self) -> str:
        """What thresholds are in: a bare 0 goes with either."""
        kinds: dict[type, tuple[TableRow, str]] = {}
        for row, column in ((row, column) for column in ("most", "least") for row in self.rows):
            if _amount(row, column):
                kinds[type(row.values[column])] = row, column
        if len(kinds) > 1:
            self.table.problem(
                *kinds[Money],
                "some tiers of the schedule begin or end at a mass, others at an amount of money",
                expected="all of one kind",
            )
        return "money" if Money in kinds else "quantity"

    def _tier(self, row: TableRow, materials: list[Material]) -> Tier | None:
        given = self.reading.given(self.table, row, Tier, partial(_one_material, self.table, row, materials))
        return self.table.made(row, Tier, given)

    def _currency(self) -> str:
        """The one currency of all figures of the schedule; empty where there is no money in it."""
        found: dict[str, tuple[TableRow, str]] = {}
        for row, column in self._moneys():
            found.setdefault(row.values[column].currency, (row, column))
        if len(found) > 1:
            row, column = list(found.values())[1]
            self.table.problem(
                row,
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


def _begins(row: TableRow) -> Decimal:
    """Where a tier begins, in kilograms or money; 0 where that cannot be read."""
    return _amount(row, "least")


def _amount(row: TableRow, column: str) -> Decimal:
    found = row.values.get(column)
    if isinstance(found, Money):
        return exact(found.amount)
    return exact(found.kg) if isinstance(found, Mass) else Decimal(0)


def read_terms(reading: CatalogReading) -> tuple[Terms, ...]:
    """The terms of trade of the catalog."""
    table = reading.table(columns.TERMS)
    for row in table.rows:
        row.values.setdefault("of", "offer")
    made = []
    for row in table.unique("of", "id", "materials", "places", "per", "from", "until"):
        terms = _terms(reading, table, row)
        if terms is not None:
            made.append(terms)
    return tuple(sorted(made, key=lambda terms: terms.order))


def _terms(reading: CatalogReading, table: Table, row: TableRow) -> Terms | None:
    """The terms of a row; None if it has a mistake."""
    before = len(reading.found)
    materials = _subject(reading, table, row)
    _check_places(reading, table, row)
    made = table.made(row, Terms, reading.given(table, row, Terms, partial(_one_material, table, row, materials)))
    return made if len(reading.found) == before else None


def _check_places(reading: CatalogReading, table: Table, row: TableRow) -> None:
    for place in row.values.get("places", ()):
        if len(place) != 2 and place not in reading.known.places and "place" not in reading.known.unsure:
            table.entry(row).tell([not_among("place", place)], {"": "places"})


def _subject(reading: CatalogReading, table: Table, row: TableRow) -> list[Material]:
    """The materials that a row is about, as far as one can tell; problems are recorded if what it names does not exist."""
    known = reading.known
    names: dict[str, Collection[str]] = {
        "offer": known.offers,
        "facility": known.facilities,
        "supplier": known.suppliers,
    }
    of = row.values.get("of", "offer")
    found = reading.refers(table, row, "id", names[of], of)
    named = row.values.get("materials", ())
    for name in named:
        if name not in known.materials and "material" not in known.unsure:
            table.entry(row).tell([not_among("material", name)], {"": "materials"})
    given = known.offers[row.values["id"]] if found and of == "offer" and not named else named
    return [material for material in map(known.materials.get, given) if material is not None]


def _one_material(table: Table, row: TableRow, materials: Sequence[Material], column: str) -> Material | None:
    """The one material whose substance a figure may be in; a problem is recorded if there are several, or may be."""
    named = row.values.get("materials", ())
    if max(len(materials), len(named)) > 1 or (not named and row.values.get("of") != "offer"):
        table.problem(
            row,
            column,
            "the row is about several materials, so that no one substance is meant",
            expected="a figure without a substance",
            fix="name one material, or leave the substance out",
        )
    return materials[0] if len(materials) == 1 else None
