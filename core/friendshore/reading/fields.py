"""Columns of tables and keys of files, mostly defined by records, for readers, schemas, and docs."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterator, Mapping
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
from ..domain.suggest import nearest
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
    example: object = ""
    required: bool = False
    inside: Layout | None = None
    """Keys of a table, or of each table in a list. None for a plain value."""
    repeated: bool = False
    """True if it is a list of tables."""
    record: type | None = None
    """Record that defines it, whose attribute docstring completes its meaning. None if there is none."""
    attribute: str = ""
    currency: str = ""
    """Field with the currency of an amount. Empty means the case's currency, or that of a neighboring amount."""
    declared_by: str = ""
    """Distribution of the plugin that declares it. Empty for friendshore's own."""

    @property
    def meaning(self) -> str:
        """Meaning, with unit and default, in a planner's words."""
        text = "" if self.record is None else meanings(self.record).get(self.attribute, "")
        return " ".join([self.doc, *text.partition("\n\n")[0].split("\n")]).strip()

    @property
    def expected(self) -> str:
        """Meaning as the end of a sentence, for a message about a missing value."""
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
    declared: Mapping[str, FactColumn] = dataclasses.field(default_factory=dict)
    unavailable: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """Declared columns of unusable plugins, with instructions."""
    key: tuple[str, ...] = ()
    """Columns that together are unique."""
    headings: Mapping[str, str] | None = None
    """Heading -> column, like `part_no`. None if headings must be exactly the names of columns."""

    def heading(self, cell: str) -> str:
        """Return the column of a heading. `Part No.` is `part_no`, unless headings must match exactly."""
        name = "_".join(re.findall(r"\w+", cell.casefold()))
        return self.headings.get(name, name) if self.headings is not None and name else cell

    def misspelled(self, name: str, missing: Collection[str]) -> str | None:
        """Return the missing column or key that an unknown one probably misspells, or None."""
        return nearest(name, missing, min_similarity=0.75 if self.others == "kept" else 0.6)

    def unknown_key_fix(self, name: str, near: str) -> str:
        """Return the fix for an unknown column or key. `near` is the suggestion of a similar name, if there is one."""
        if self.others == "declared" and name:
            return self.unavailable.get(name) or near or f"delete it, or install the plugin that declares `{name}`"
        return near

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(f.name for f in self.fields)

    @property
    def by_name(self) -> Mapping[str, Field]:
        return {f.name: f for f in self.fields}

    @cache  # noqa: B019 - layouts live as long as the process
    def of(self, record: type) -> Mapping[str, Field]:
        return {f.name: f for f in self.fields if f.record is record}

    @cache  # noqa: B019
    def columns(self, record: type) -> Mapping[str, str]:
        """Return attribute of a record -> column or key."""
        fields = self.of(record).values()
        return {f.currency: f.name for f in fields if f.currency} | {f.attribute: f.name for f in fields}

    def column(self, attribute: str) -> str:
        """Return the column or key of an attribute, or the attribute's name if there is none."""
        return next((f.name for f in self.fields if f.attribute == attribute), attribute)

    def attributes(self, record: type, values: Mapping[str, object]) -> dict[str, object]:
        """Return a record's attributes: masses as kilograms, money as amount and currency. Substances are dropped, so the caller must check them."""
        values_by_attribute: dict[str, object] = {}
        fields = self.of(record)
        for name, value in values.items():
            field = fields.get(name)
            if field is None:
                continue
            if isinstance(value, _MONEYS):
                if field.currency:
                    values_by_attribute[field.currency] = value.currency
                values_by_attribute[field.attribute] = value.amount
            elif type(value) is tuple and value and type(value[0]) is Mass:
                values_by_attribute[field.attribute] = tuple(mass.kg for mass in value)
            else:
                values_by_attribute[field.attribute] = value.kg if isinstance(value, Mass) else value
        return values_by_attribute


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
    """Return the layout of a table, or of a section of a file.

    Args:
        name: File or section, like `offers.csv` or `[[demand]]`.
        doc: Content.
        parts: Records whose fields it has, and further fields. A field replaces an earlier one with the same name.
        key: Names of the columns that together are unique.
        first: Names of fields that come first, if the order isn't that of the parts.
        only: Names of all fields, if it doesn't have all of a record.
        others: Meaning of other keys. Empty if they are refused.
        declared: Meaning of columns that plugins declare. Empty if they can't declare any.
        examples: Examples by field, if they differ from the record's.
    """
    named = {field.name: field for part in parts for field in ([part] if isinstance(part, Field) else fields_of(part))}
    named |= {column: replace(named[column], example=example) for column, example in examples.items()}
    names = only.split() or dict.fromkeys((*first.split(), *named))
    fields = tuple(named[column] for column in names)
    kind: Literal["refused", "kept", "declared"] = "kept" if others else "declared" if declared else "refused"
    return Layout(name, doc, fields, kind, others or declared, key=tuple(key.split()))


def fields_of(record: type[BaseModel]) -> Iterator[Field]:
    for attribute, info in record.model_fields.items():
        for mark in info.metadata:
            if isinstance(mark, Written):
                yield _field(record, attribute, info, mark)
            elif isinstance(mark, Beside):
                inner = record_in(info.annotation)
                assert inner is not None
                yield from fields_of(inner)


def _field(record: type[BaseModel], attribute: str, info: FieldInfo, mark: Written) -> Field:
    kind = kind_of(info.annotation, info.metadata) if mark.sort is None else kind_of(mark.sort)
    currencies = (f"{attribute}_currency", "currency") if kind in (MONEY, UNIT_PRICE, SIGNED_PRICE) else ()
    return Field(
        mark.name or info.alias or attribute,
        kind,
        mark.meaning,
        mark.example,
        info.is_required() if mark.needed is None else mark.needed,
        record=record,
        attribute=attribute,
        currency=next((name for name in currencies if name in record.model_fields), ""),
    )


@dataclass(frozen=True, slots=True)
class FactColumns:
    """Columns of facts that plugins declare."""

    columns: tuple[tuple[str, str, FactColumn, str], ...] = ()
    """Table, name, column, and the first distribution that declares it, sorted."""
    unavailable: tuple[tuple[str, str, str], ...] = ()
    """Table and name of a column of an unusable plugin, with instructions."""

    def extended(self, layout: Layout) -> Layout:
        return _extended(self, layout) if layout.others == "declared" and (self.columns or self.unavailable) else layout


@cache
def _extended(columns: FactColumns, layout: Layout) -> Layout:
    table = layout.name.removesuffix(".csv")
    declarations = [(name, column, by) for of, name, column, by in columns.columns if of == table]
    fields = tuple(
        Field(name, _kind_of_fact(column), _fact_meaning(column), column.example, declared_by=by)
        for name, column, by in declarations
    )
    declared = {name: column for name, column, _ in declarations}
    hints = {name: hint for of, name, hint in columns.unavailable if of == table and name not in declared}
    return replace(layout, fields=(*layout.fields, *fields), declared=declared, unavailable=hints)


def _kind_of_fact(column: FactColumn) -> Kind:
    if column.type is FactSort.NUMBER:
        name = f"number, in {column.unit}" if column.unit else "number"
        return Kind(name, _number_reader(column.unit), also=({"type": "number"},))
    return _FACT_KINDS[column.type]


_FACT_KINDS: Mapping[FactSort, Kind] = {
    FactSort.TEXT: k.TEXT,
    FactSort.SHARE: k.FRACTION,
    FactSort.YES_NO: k.YES_NO,
    FactSort.DATE: k.DATE,
    FactSort.COUNTRY: k.kind_of(v.country),
    FactSort.WORDS: k.kind_of(frozenset),
}


def _number_reader(unit: str) -> Callable[[Any], Decimal]:
    """Return a reader of numbers, with or without the unit after them."""

    def read(value: Any) -> Decimal:
        text = value.strip() if isinstance(value, str) else value
        if unit and isinstance(value, str) and (not unit[0].isdigit() or text.endswith(f" {unit}")):
            text = text.removesuffix(unit).strip()  # not from `31/year`, which may be 3 in the unit `1/year`
        try:
            return read_number(text)
        except UnreadableError as error:
            expected = f"a number, or one in {unit}" if unit else error.expected
            raise UnreadableError(expected, error.fix, error.code) from None

    return read


def _fact_meaning(column: FactColumn) -> str:
    return f"{column.meaning.rstrip('.')}{f', in {column.unit}' if column.unit else ''}."
