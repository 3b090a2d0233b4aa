"""Columns of facts that plugins declare: how their cells are read, and what is stated in a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from typing import Any

from ..domain import values as v
from ..domain.fact_columns import FactColumn, FactSort, StatedFact
from . import kinds as k
from .cells import read_number
from .csvfile import Table, TableRow
from .fields import Field, Kind, Layout, UnreadableError


@dataclass(frozen=True, slots=True)
class FactColumns:
    """All that the usable plugins declare, and what is to be done about columns of others."""

    known: tuple[tuple[str, str, FactColumn], ...] = ()
    """Table, name, column; sorted."""
    elsewhere: tuple[tuple[str, str, str], ...] = ()
    """Table, name, and what to do to have the column."""

    def extended(self, layout: Layout) -> Layout:
        """The layout of a table with the columns that are declared of it."""
        return _extended(self, layout) if layout.others == "declared" and (self.known or self.elsewhere) else layout


@cache
def _extended(columns: FactColumns, layout: Layout) -> Layout:
    table = layout.name.removesuffix(".csv")
    declared = {name: column for of, name, column in columns.known if of == table}
    fields = tuple(
        Field(name, kind_of(column), _meaning(column), column.example, record=None) for name, column in declared.items()
    )
    hints = {name: told for of, name, told in columns.elsewhere if of == table and name not in declared}
    return replace(layout, fields=(*layout.fields, *fields), declared=declared, elsewhere=hints)


def facts_of(table: Table, row: TableRow) -> tuple[StatedFact, ...]:
    """What a row states in columns that plugins declare."""
    declared = table.layout.declared
    stated = sorted(name for name in row.values if name in declared) if declared else ()
    return tuple(StatedFact.of(name, declared[name], row.values[name]) for name in stated)


def kind_of(column: FactColumn) -> Kind:
    """How the cells of a column are read."""
    if column.type is FactSort.NUMBER:
        named = f"number, in {column.unit}" if column.unit else "number"
        return Kind(named, _number_in(column.unit), also=({"type": "number"},))
    return _KINDS[column.type]


_KINDS: Mapping[FactSort, Kind] = {
    FactSort.TEXT: k.TEXT,
    FactSort.SHARE: k.FRACTION,
    FactSort.YES_NO: k.YES_NO,
    FactSort.DATE: k.DATE,
    FactSort.COUNTRY: k.kind_of(v.country),
    FactSort.WORDS: k.kind_of(frozenset),
}


def _number_in(unit: str) -> Callable[[Any], Decimal]:
    """Reads a number that may have its unit after it, and no other."""

    def read(value: Any) -> Decimal:
        text = value.strip().removesuffix(unit).strip() if unit and isinstance(value, str) else value
        try:
            return read_number(text)
        except UnreadableError as error:
            raise UnreadableError(f"a number, or one in {unit}" if unit else error.expected, error.fix) from None

    return read


def _meaning(column: FactColumn) -> str:
    return f"{column.meaning.rstrip('.')}{f', in {column.unit}' if column.unit else ''}."
