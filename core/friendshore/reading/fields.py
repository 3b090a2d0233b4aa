"""Columns of tables and keys of files: name, kind, meaning, and example, mostly made from records. One definition serves reader, schema, and docs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cache
from types import MappingProxyType
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..domain import values as v
from ..domain.base import UnreadableError
from ..domain.facts import FactColumn, FactSort
from ..domain.quantities import Mass, Money, UnitPrice
from ..domain.written import Beside, Written, meanings, record_in
from . import kinds as k
from .kinds import MONEY, SIGNED_PRICE, UNIT_PRICE, Kind, kind_of, read_number

_MONEYS = (Money, UnitPrice)


@dataclass(frozen=True, slots=True)
class Field:
    """A column of a table, or a key of a file."""

    name: str
    kind: Kind
    doc: str = ""
    """Meaning with unit and default. See `meaning`."""
    example: object = ""
    """Example, as written."""
    required: bool = False
    inside: Layout | None = None
    """Keys of a table, or of each table in a list. None for a plain value."""
    repeated: bool = False
    """True if it is a list of tables."""
    record: type | None = None
    """Record that defines it, whose attribute docstring completes its meaning. None if there is none."""
    attribute: str = ""
    """Name of the attribute."""
    currency: str = ""
    """Field with the currency of an amount. Empty means the case's currency, or that of a neighboring amount."""
    by: str = ""
    """Distribution of the plugin that declares it. Empty for friendshore's own."""

    @property
    def meaning(self) -> str:
        """Return the meaning, with unit and default, in a planner's words."""
        text = "" if self.record is None else meanings(self.record).get(self.attribute, "")
        return " ".join([self.doc, *text.partition("\n\n")[0].split("\n")]).strip()

    @property
    def wanted(self) -> str:
        """Return the meaning as the end of a sentence, for a message about a missing value."""
        doc = self.meaning.rstrip(".")
        return doc[0].lower() + doc[1:] if doc[1:2].islower() else doc


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The columns of a table, or the keys of one section of a file."""

    name: str
    """File or section, like `offers.csv` or `[[demand]]`."""
    doc: str
    fields: tuple[Field, ...]
    others: Literal["refused", "kept", "declared"] = "refused"
    """Treatment of other keys. `declared` accepts only columns that plugins declare."""
    others_doc: str = ""
    """Meaning of other keys."""
    declared: Mapping[str, FactColumn] = dataclasses.field(default_factory=dict)
    """Fields that plugins declare, by name."""
    elsewhere: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Declared columns of unusable plugins, with instructions."""
    key: tuple[str, ...] = ()
    """Columns that together are unique."""
    headings: Mapping[str, str] | None = None
    """Columns by other headings, like `part_no`. None if headings must be the names of columns to the letter."""

    def heading(self, cell: str) -> str:
        """Return the column that the heading of a table means. `Part No.` is `part_no`, if headings need not match to the letter."""
        name = "_".join(re.findall(r"\w+", cell.casefold()))
        return self.headings.get(name, name) if self.headings is not None and name else cell

    def unknown_key_fix(self, name: str, near: str) -> str:
        """Return the fix for an unknown column or key. `near` is the suggestion of a similar name, if there is one."""
        if self.others == "declared" and name:
            return self.elsewhere.get(name) or near or f"delete it, or install the plugin that declares `{name}`"
        return near

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all fields."""
        return tuple(f.name for f in self.fields)

    @property
    def by_name(self) -> Mapping[str, Field]:
        """All fields by their names."""
        return {f.name: f for f in self.fields}

    @cache  # noqa: B019 - layouts are never let go
    def of(self, record: type) -> Mapping[str, Field]:
        """The columns or keys that state fields of a record, by name."""
        return {f.name: f for f in self.fields if f.record is record}

    @cache  # noqa: B019
    def columns(self, record: type) -> Mapping[str, str]:
        """Field of a record -> the column or key that states it."""
        stated = self.of(record).values()
        return {f.currency: f.name for f in stated if f.currency} | {f.attribute: f.name for f in stated}

    def column(self, attribute: str) -> str:
        """Return the column or key that states a field of a record, or the name of the field if none does."""
        return next((f.name for f in self.fields if f.attribute == attribute), attribute)

    def stated(self, record: type, values: Mapping[str, object]) -> dict[str, object]:
        """The fields of a record, by name, that a row or a table states: parsed values by column or key.

        Masses are in kilograms; money is an amount, with its currency in the field for that. What else a mass or a price is of has been looked at.
        """
        found: dict[str, object] = {}
        fields = self.of(record)
        for name, value in values.items():
            field = fields.get(name)
            if field is None:
                continue
            if isinstance(value, _MONEYS):
                if field.currency:
                    found[field.currency] = value.currency
                found[field.attribute] = value.amount
            elif type(value) is tuple and value and type(value[0]) is Mass:
                found[field.attribute] = tuple(mass.kg for mass in value)
            else:
                found[field.attribute] = value.kg if isinstance(value, Mass) else value
        return found


def layout(
    name: str,
    doc: str,
    *parts: type[BaseModel] | Field,
    key: str = "",
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
        key: names of the columns that together are different in every row.
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
    kind: Literal["refused", "kept", "declared"] = "kept" if others else "declared" if declared else "refused"
    return Layout(name, doc, fields, kind, others or declared, key=tuple(key.split()))


def fields_of(record: type[BaseModel]) -> Iterator[Field]:
    """The fields of a record that files state, in the order of the record."""
    for attribute, info in record.model_fields.items():
        for said in info.metadata:
            if isinstance(said, Written):
                yield _field(record, attribute, info, said)
            elif isinstance(said, Beside):
                inner = record_in(info.annotation)
                assert inner is not None
                yield from fields_of(inner)


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
        Field(name, _kind_of_fact(column), _fact_meaning(column), column.example, by=by) for name, column, by in known
    )
    declared = {name: column for name, column, _ in known}
    hints = {name: told for of, name, told in columns.elsewhere if of == table and name not in declared}
    return replace(layout, fields=(*layout.fields, *fields), declared=declared, elsewhere=hints)


def _kind_of_fact(column: FactColumn) -> Kind:
    """How the cells of a column are read."""
    if column.type is FactSort.NUMBER:
        named = f"number, in {column.unit}" if column.unit else "number"
        return Kind(named, _number_in(column.unit), also=({"type": "number"},))
    return _FACT_KINDS[column.type]


_FACT_KINDS: Mapping[FactSort, Kind] = {
    FactSort.TEXT: k.TEXT,
    FactSort.SHARE: k.FRACTION,
    FactSort.YES_NO: k.YES_NO,
    FactSort.DATE: k.DATE,
    FactSort.COUNTRY: k.kind_of(v.country),
    FactSort.WORDS: k.kind_of(frozenset),
}


def _number_in(unit: str) -> Callable[[Any], Decimal]:
    """Read a number that may have its unit after it, and no other."""

    def read(value: Any) -> Decimal:
        text = value.strip() if isinstance(value, str) else value
        if unit and isinstance(value, str) and (not unit[0].isdigit() or text.endswith(f" {unit}")):
            text = text.removesuffix(unit).strip()  # of `31/year` nobody can tell whether it is 3 of `1/year`
        try:
            return read_number(text)
        except UnreadableError as error:
            raise UnreadableError(f"a number, or one in {unit}" if unit else error.expected, error.fix) from None

    return read


def _fact_meaning(column: FactColumn) -> str:
    return f"{column.meaning.rstrip('.')}{f', in {column.unit}' if column.unit else ''}."
