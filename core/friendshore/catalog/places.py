"""Where a catalog says something: read when something is wrong with it, and never before."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..domain.quantities import Money, UnitPrice
from ..errors import Diagnostic
from ..readers import CatalogRows
from ..reading.csvfile import Table, TableRow
from .columns import LANES, OFFERS, QUOTES, TABLES, TERMS, TIERS
from .tables import tables_at

_ABOUT = ("offer", "id")
"""Columns that say what a row is about; the first that a table has."""


def amounts_in(path: Path | CatalogRows) -> Iterator[tuple[Table, TableRow, str, str]]:
    """Everything that a catalog states in money, as far as it can be read: table, row, column and currency.

    Benchmarks are left out: they may be of many materials, and only some are followed.
    """
    found: list[Diagnostic] = []
    tables = tables_at(path, found)
    for layout in (OFFERS, QUOTES, TIERS, TERMS, LANES):
        table = tables.table(layout, found)
        for row in table.rows if table is not None else ():
            for column, value in row.values.items():
                if isinstance(value, Money | UnitPrice):
                    assert table is not None
                    yield table, row, column, value.currency


def place_of(path: Path | CatalogRows, table: str, subject: str, holding: str = "") -> tuple[str, int] | None:
    """File and row in which a table of a catalog says something; None where it says no such thing.

    Args:
        path: folder or workbook, or what a reader read.
        table: name of the table, like `offers`.
        subject: what the row is about: the id of an offer, a facility or a supplier.
        holding: what stands in one of its cells, among other things.
    """
    found: list[Diagnostic] = []  # what else is wrong there is told by whoever reads it in full
    layout = next((layout for layout in TABLES if layout.name == f"{table}.csv"), None)
    read = None if layout is None else tables_at(path, found).table(layout, found)
    if read is None:
        return None
    about = next((name for name in _ABOUT if name in read.columns), None)
    for row in read.rows:
        if about and read.text(row, about) == subject and any(holding in cell for cell in row.cells):
            return read.file, row.line
    return None
