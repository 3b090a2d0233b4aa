"""Terms of trade: what ordering costs and asks for, row by row."""

from __future__ import annotations

from functools import partial

from ..domain.terms import Terms
from ..reading.csvfile import Table, TableRow
from . import columns
from .known import not_among
from .state import CatalogReading
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
    materials = read_subject(reading, table, row)
    _check_places(reading, table, row)
    made = table.made(row, Terms, reading.given(table, row, Terms, partial(one_material, table, row, materials)))
    return made if len(reading.found) == before else None


def _check_places(reading: CatalogReading, table: Table, row: TableRow) -> None:
    for place in row.values.get("places", ()):
        if len(place) != 2 and place not in reading.known.places and "place" not in reading.known.unsure:
            table.entry(row).tell([not_among("place", place)], {"": "places"})
