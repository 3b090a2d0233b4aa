"""Tables and sections of files, made from the records that stand in them; and columns of facts that plugins declare."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..domain import values as v
from ..domain.facts import FactColumn, FactSort, StatedFact
from ..domain.written import Beside, Written
from . import kinds as k
from .cells import read_number
from .csvfile import Table, TableRow
from .fields import Field, Kind, Layout, UnreadableError
from .kinds import MONEY, SIGNED_PRICE, UNIT_PRICE, kind_of


def layout(
    name: str,
    doc: str,
    *parts: type[BaseModel] | Field,
    first: str = "",
    only: str = "",
    others: str = "",
    declared: str = "",
    examples: Mapping[str, object] = MappingProxyType({}),
) -> Layout:
    """A table, or a section of a file.

    Args:
        name: file or section, like `offers.csv` or `[[demand]]`.
        doc: what it holds.
        parts: records whose fields it states, and fields of its own: what tells whose the record is, what a row is about, tables
            within. One of the same name as one before it takes its place.
        first: names of those that come before all others, where the order is not that of the parts.
        only: names of all fields, where not all of a record's are meant.
        others: what keys mean that are none of the fields; empty: they are refused.
        declared: what columns mean that plugins declare; empty: they can declare none here.
        examples: values as they would be written here, where that is otherwise than in the record.
    """
    named = {field.name: field for part in parts for field in ([part] if isinstance(part, Field) else fields_of(part))}
    named |= {column: replace(named[column], example=example) for column, example in examples.items()}
    names = only.split() or dict.fromkeys((*first.split(), *named))
    fields = tuple(named[column] for column in names)
    return Layout(name, doc, fields, "kept" if others else "declared" if declared else "refused", others or declared)


def fields_of(record: type[BaseModel]) -> Iterator[Field]:
    """The fields of a record that files state, in the order of the record."""
    for attribute, info in record.model_fields.items():
        for said in info.metadata:
            if isinstance(said, Written):
                yield _field(record, attribute, info, said)
            elif isinstance(said, Beside):
                yield from fields_of(_record_in(info.annotation))


def _field(record: type[BaseModel], attribute: str, info: FieldInfo, said: Written) -> Field:
    kind = kind_of(info.annotation, info.metadata) if said.sort is None else kind_of(said.sort)
    currencies = (f"{attribute}_currency", "currency") if kind in (MONEY, UNIT_PRICE, SIGNED_PRICE) else ()
    return Field(
        said.name or info.alias or attribute,
        kind,
        said.meaning,
        said.example,
        info.is_required() if said.needed is None else said.needed,
        record=record,
        attribute=attribute,
        currency=next((name for name in currencies if name in record.model_fields), ""),
    )


def _record_in(annotation: object) -> type[BaseModel]:
    """The record in `Price | None`, or in its own type."""
    found = next(part for part in (annotation, *get_args(annotation)) if isinstance(part, type))
    assert issubclass(found, BaseModel)
    return found


@dataclass(frozen=True, slots=True)
class FactColumns:
    """All that the usable plugins declare, and what is to be done about columns of others."""

    known: tuple[tuple[str, str, FactColumn, str], ...] = ()
    """Table, name, column, and the distribution of the plugin that declares it, of several alike the first; sorted."""
    elsewhere: tuple[tuple[str, str, str], ...] = ()
    """Table, name, and what to do to have the column."""

    def extended(self, layout: Layout) -> Layout:
        """The layout of a table with the columns that are declared of it."""
        return _extended(self, layout) if layout.others == "declared" and (self.known or self.elsewhere) else layout


@cache
def _extended(columns: FactColumns, layout: Layout) -> Layout:
    table = layout.name.removesuffix(".csv")
    known = [(name, column, by) for of, name, column, by in columns.known if of == table]
    fields = tuple(
        Field(name, _kind_of_fact(column), _meaning(column), column.example, by=by) for name, column, by in known
    )
    declared = {name: column for name, column, _ in known}
    hints = {name: told for of, name, told in columns.elsewhere if of == table and name not in declared}
    return replace(layout, fields=(*layout.fields, *fields), declared=declared, elsewhere=hints)


def facts_of(table: Table, row: TableRow) -> tuple[StatedFact, ...]:
    """What a row states in columns that plugins declare."""
    declared = table.layout.declared
    if not declared:
        return ()
    # A list without a word, `;`, states nothing.
    stated = sorted(name for name, value in row.values.items() if name in declared and value != frozenset())
    return tuple(StatedFact.of(name, declared[name], row.values[name]) for name in stated)


def _kind_of_fact(column: FactColumn) -> Kind:
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
        text = value.strip() if isinstance(value, str) else value
        if unit and isinstance(value, str) and (not unit[0].isdigit() or text.endswith(f" {unit}")):
            text = text.removesuffix(unit).strip()  # of `31/year` nobody can tell whether it is 3 of `1/year`
        try:
            return read_number(text)
        except UnreadableError as error:
            raise UnreadableError(f"a number, or one in {unit}" if unit else error.expected, error.fix) from None

    return read


def _meaning(column: FactColumn) -> str:
    return f"{column.meaning.rstrip('.')}{f', in {column.unit}' if column.unit else ''}."
