"""JSON files, written piece by piece: a run with a hundred thousand purchases would take gigabytes as one text."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from json.encoder import encode_basestring, encode_basestring_ascii
from math import isfinite
from typing import NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from ..domain.base import Tables
from ..domain.record_table import RecordTable
from ..inert import json_inert


class _Fields(NamedTuple):
    """Fields of a record with tables, by name."""

    fields: Iterable[tuple[str, object]]


class _Rows(NamedTuple):
    """Records of a table."""

    rows: Iterable[object]


def json_text(data: object, *, ascii_only: bool = False) -> str:
    """Return JSON as written in files and on stdout. Equal data give equal bytes. `ascii_only` is for a stdout that can't encode other characters."""
    return "".join(_Encoder(ascii_only).pieces(data, "\n")) + "\n"


def json_pieces(data: Mapping[str, object] | Tables, *, exclude_defaults: bool = False) -> Iterator[bytes]:
    """Yield the bytes of a JSON file. Tables of records are converted row by row."""
    fields = _fields(data, exclude_defaults) if isinstance(data, Tables) else data.items()
    for piece in _Encoder().pieces(_Fields(fields), "\n"):
        yield piece.encode()
    yield b"\n"


def _fields(record: Tables, exclude_defaults: bool) -> Iterator[tuple[str, object]]:
    """Yield what `model_dump` returns, field by field."""
    for name, field in type(record).model_fields.items():
        value = getattr(record, name)
        if field.exclude:
            continue
        if isinstance(value, Tables):
            if not exclude_defaults or value != field.default:
                yield field.alias or name, _Fields(_fields(value, exclude_defaults))
        elif isinstance(value, RecordTable) and not exclude_defaults:
            yield field.alias or name, value
        elif isinstance(value, Sequence) and len(value) and isinstance(value[0], BaseModel):
            yield field.alias or name, _Rows(_row(row, exclude_defaults) for row in value)
        else:
            yield from record.model_dump(
                mode="json", by_alias=True, include={name}, exclude_defaults=exclude_defaults
            ).items()


def _row(record: BaseModel, exclude_defaults: bool) -> object:
    if isinstance(record, Tables):
        return _Fields(_fields(record, exclude_defaults))
    return record.model_dump(mode="json", by_alias=True, exclude_defaults=exclude_defaults)


class _Strings(dict[str, str]):
    """JSON texts of strings. Most strings of a run are equal to many others."""

    def __init__(self, ascii_only: bool) -> None:
        self.encode = encode_basestring_ascii if ascii_only else encode_basestring

    def __missing__(self, text: str) -> str:
        self[text] = encoded = json_inert(self.encode(text))
        return encoded


class _Encoder:
    """Encoder with the result of `json.dumps(data, indent=2)`."""

    def __init__(self, ascii_only: bool = False) -> None:
        self.strings = _Strings(ascii_only)

    def pieces(self, value: object, line: str) -> Iterator[str]:
        """Yield the text of a value. `line` is the line break with the indent of its line."""
        before, inner = "", line + "  "
        if isinstance(value, _Fields):
            for name, content in value.fields:
                yield f"{before or '{'}{inner}{self.strings[name]}: "
                yield from self.pieces(content, inner)
                before = ","
            yield line + "}" if before else "{}"
        elif isinstance(value, _Rows | RecordTable):
            for row in self._rows(value, inner):
                yield f"{before or '['}{inner}"
                yield from row
                before = ","
            yield line + "]" if before else "[]"
        else:
            yield self.text(value, line)

    def _rows(self, rows: _Rows | RecordTable[BaseModel], line: str) -> Iterator[Iterable[str]]:
        return (
            self._texts(rows, line) if isinstance(rows, RecordTable) else (self.pieces(row, line) for row in rows.rows)
        )

    def _texts(self, table: RecordTable[BaseModel], line: str) -> Iterator[Iterable[str]]:
        """Yield the text of each record. Values that a table stores once are converted once."""
        inner = line + "  "

        def texts(name: str, field: FieldInfo) -> Iterator[str]:
            start = f"{inner}{self.strings[field.alias or name]}: "
            return table.mapped(name, lambda value: start + self.text(_jsonable(value), inner))

        for row in zip(*(texts(name, field) for name, field in table.kind.model_fields.items()), strict=True):
            yield ("{" + ",".join(row) + line + "}",)

    def text(self, value: object, line: str) -> str:
        if isinstance(value, str):
            return self.strings[value]
        if value is None:
            return "null"
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and isfinite(value):
            return float.__repr__(value)
        if isinstance(value, dict):
            inner = line + "  "
            fields = [f"{self.strings[_key(name)]}: {self.text(part, inner)}" for name, part in value.items()]
            return "{" + inner + ("," + inner).join(fields) + line + "}" if fields else "{}"
        if isinstance(value, list | tuple):
            inner = line + "  "
            items = [self.text(part, inner) for part in value]
            return "[" + inner + ("," + inner).join(items) + line + "]" if items else "[]"
        return json.dumps(value)


def _jsonable(value: object) -> object:
    """Return a value of a field as `model_dump(mode="json")` does. Decimals are numbers there."""
    return float(value) if isinstance(value, Decimal) else to_jsonable_python(value)


def _key(name: object) -> str:
    return name if isinstance(name, str) else json.dumps(name).strip('"')
