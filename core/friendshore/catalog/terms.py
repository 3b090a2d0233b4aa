"""Terms of trade: what ordering costs and asks for, row by row."""

from __future__ import annotations

from decimal import Decimal

from ..domain.base import exact
from ..domain.facts import Material
from ..domain.quantities import Mass
from ..domain.terms import FIGURES, Terms
from ..reading.csvfile import Table, TableRow
from ..reading.entry import WRITTEN
from . import columns
from .known import not_among
from .state import CatalogReading, pick
from .subjects import one_material, read_subject


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
    source = reading.source(table, row)
    materials = read_subject(reading, table, row)
    _check_places(reading, table, row)
    masses = {column: _kilograms(reading, table, row, column, materials) for column in FIGURES[1:]}
    unread = [column for column, kilograms in masses.items() if kilograms is None and column in row.values]
    money = row.values.get("fixed")
    given = pick(row, of="of", id="id", materials="materials", places="places", per="per", start="from", end="until")
    given |= {column: kilograms for column, kilograms in masses.items() if kilograms is not None}
    if money is not None:
        given |= {"fixed": money.amount, "currency": money.currency}
    row.bad |= set(unread)
    made = table.made(row, Terms, {**given, "source": source}, {**WRITTEN, "currency": "fixed"})
    return made if len(reading.found) == before else None


def _check_places(reading: CatalogReading, table: Table, row: TableRow) -> None:
    for place in row.values.get("places", ()):
        if len(place) != 2 and place not in reading.known.places and "place" not in reading.known.unsure:
            table.entry(row).tell([not_among("place", place)], {"": "places"})


def _kilograms(
    reading: CatalogReading, table: Table, row: TableRow, column: str, materials: list[Material]
) -> Decimal | None:
    mass: Mass | None = row.values.get(column)
    if mass is None:
        return None
    if mass.substance is None:
        return exact(mass.kg)
    return reading.kg(table, row, column, one_material(table, row, column, materials))
