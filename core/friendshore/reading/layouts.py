"""Tables and sections of files, made from the records that stand in them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from ..domain.written import Beside, Written
from .fields import Field, Layout
from .kinds import MONEY, UNIT_PRICE, kind_of


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
    currencies = (f"{attribute}_currency", "currency") if kind in (MONEY, UNIT_PRICE) else ()
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
