"""Conversion of catalogs between folders and workbooks, and their description in `datapackage.json`."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..domain.facts import Catalog
from ..errors import Diagnostic, InputError
from ..inert import cell_inert, is_computed
from ..readers import CatalogRows
from ..reading import kinds as k
from ..reading.csvfile import Table
from ..reading.fields import FactColumns, Field
from ..reading.kinds import BOOLEANS
from ..reading.textfile import read_object
from ..reading.tomlfile import toml_text
from ..reading.workbook import is_workbook
from ..writing import atomic_write_path, replace_file, write_file
from . import columns
from .sheets import Sheet, workbook
from .tables import HEAD_ROWS, HEAD_SHEET, NO_FACTS, FolderTables, sheet_name, tables_at

_UNSUPPORTED = frozenset({".csv", ".ods", ".tsv", ".xls", ".xlsb", ".xlsm"})


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of all cells of a catalog."""

    head: Mapping[str, Any]
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    """File name of a table -> header and rows."""
    facts: FactColumns = NO_FACTS

    @property
    def declarers(self) -> frozenset[str]:
        """Distributions of the plugins that declare columns of its tables."""
        headers = {file: header for file, (header, _) in self.tables.items()}
        return frozenset(
            plugin for table, name, _, plugin in self.facts.columns if name in headers.get(f"{table}.csv", ())
        )


def texts_of(path: Path | CatalogRows, facts: FactColumns = NO_FACTS) -> Texts:
    problems: list[Diagnostic] = []
    source = tables_at(path, problems, facts)
    head = source.head(problems)
    tables = {}
    for layout in columns.TABLES:
        table = source.table(layout, problems)
        if table is not None:
            names = sorted(table.columns, key=lambda name: table.columns[name])
            rows = tuple(tuple(row.cells[table.columns[name]] for name in names) for row in table.rows)
            tables[layout.name] = (tuple(names), rows)
    if problems or head is None:
        raise InputError(problems)
    return Texts({name: head.values[name] for name in columns.HEAD.names if name in head.values}, tables, facts)


def convert(
    source: Path | CatalogRows, target: Path, read: Callable[[Any], Catalog], facts: FactColumns = NO_FACTS
) -> tuple[Path, ...]:
    """Write a catalog as a new workbook or folder, and return the written files. Nothing is written if its facts would differ."""
    check_writable(target)
    before, texts = read(source), texts_of(source, facts)
    return put(texts, before.digest, target, read)


def put(texts: Texts, digest: str, target: Path, read: Callable[[Path], Catalog]) -> tuple[Path, ...]:
    """Write a catalog, check that its digest is `digest`, and return the written files. See `convert` for its errors."""
    check_writable(target)
    try:
        with atomic_write_path(target) as path:
            (write_workbook if is_workbook(target) else write_folder)(texts, path)
            if read(path).digest != digest:
                fix = "remove line breaks and invisible characters from the cells of the source"
                message = "isn't written, because its facts would differ from the source"
                raise InputError(message, str(target), fix=fix, code="FS143")
    except OSError as error:
        raise _write_error(target, error) from error
    return (target,) if target.is_file() else tuple(sorted(target.iterdir()))


def check_writable(target: Path) -> None:
    """Raise an `InputError` if the target exists or has the extension of another format."""
    if target.exists() or target.is_symlink():
        raise InputError("already exists", str(target), fix="choose another name, or move it away", code="FS140")
    if target.suffix.lower() in _UNSUPPORTED:
        fix = f"write {target.stem}.xlsx for a workbook, or {target.stem} for a folder"
        raise InputError("is neither a workbook nor a folder", str(target), fix=fix, code="FS141")


def _write_error(path: Path, error: OSError) -> InputError:
    fix = "check the permissions and the free space of the folder"
    return InputError(f"can't be written: {error.strerror or error}", str(path), fix=fix, code="FS142")


def write_folder(texts: Texts, folder: Path) -> None:
    folder.mkdir()
    head = toml_text(texts.head)
    write_file(folder / columns.HEAD.name, head.encode())
    for layout in (layout for layout in columns.TABLES if layout.name in texts.tables):
        name, (header, rows) = layout.name, texts.tables[layout.name]
        stream = io.StringIO()
        fields = texts.facts.extended(layout).by_name
        is_free = [column in fields and fields[column].kind in _FREE for column in header]
        inert = [
            [cell_inert(cell) if free and is_computed(cell) else cell for cell, free in zip(row, is_free, strict=True)]
            for row in rows
        ]
        csv.writer(stream, lineterminator="\n").writerows([header, *inert])
        write_file(folder / name, stream.getvalue().encode())


_FREE = (k.TEXT, k.TEXTS, k.kind_of("prose"), k.kind_of(frozenset))
"""Kinds of cells that may contain any text. All others are parsed when read, and can't be formulas."""


def write_workbook(texts: Texts, path: Path) -> None:
    """Write a sheet for each table. A cell is a number or date only if a spreadsheet preserves its text, unlike `2841.80`."""
    pairs = tuple((key, ";".join(v) if isinstance(v, tuple) else str(v)) for key, v in texts.head.items())
    sheets = [Sheet(HEAD_SHEET, HEAD_ROWS.names, pairs, HEAD_ROWS.by_name)]
    for layout in columns.TABLES:
        if layout.name in texts.tables:
            header, rows = texts.tables[layout.name]
            sheets.append(Sheet(sheet_name(layout), header, rows, texts.facts.extended(layout).by_name))
    write_file(path, workbook(str(path), sheets))


# Frictionless Data, version 1: https://specs.frictionlessdata.io/data-package/, https://specs.frictionlessdata.io/table-schema/
FILE = "datapackage.json"
_YES_WORDS, _NO_WORDS = ([word for word, meaning in BOOLEANS.items() if meaning is value] for value in (True, False))
_TABLES_WITH_UNIQUE_ID = frozenset(
    layout.name for layout in (columns.SOURCES, columns.MATERIALS, columns.FACILITIES, columns.OFFERS)
)
_LICENSE = re.compile(r"[A-Za-z0-9.+-]+-[0-9.]+")
"""Syntax of a license identifier such as CC-BY-4.0. The format can't express other licenses."""
_PLAIN_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DERIVED_KEYS = frozenset({"profile", "name", "title", "description", "licenses", "resources"})
_HASH_KEY = "friendshore"
_FIX = "write it again with `friendshore catalogs datapackage`, or delete it"


def write_datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> Path:
    """Write `datapackage.json`, and return its path. Other keys of an existing file are kept. A file that another tool changed is an error."""
    path = folder / FILE
    existing = read_object(path, _FIX) if path.exists() else {}
    if existing and existing.get(_HASH_KEY) != _hash(existing):
        message = "isn't written, because another tool wrote or changed its description of the catalog"
        raise InputError(message, str(path), fix="delete it, or move it away, and write it again", code="FS144")
    contents = datapackage(folder, facts)
    contents |= {_HASH_KEY: _hash(contents)}
    contents |= {key: value for key, value in existing.items() if key not in contents and key not in _DERIVED_KEYS}
    try:
        replace_file(path, (json.dumps(contents, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise _write_error(path, error) from error
    return path


def _hash(contents: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the derived keys, which shows whether another tool changed them."""
    derived = {key: value for key, value in contents.items() if key in _DERIVED_KEYS}
    return sha256(json.dumps(derived, sort_keys=True).encode()).hexdigest()


def stale(folder: Path, facts: FactColumns = NO_FACTS) -> list[Diagnostic]:
    """Return a warning if `datapackage.json` differs from the tables beside it. `facts` are columns that plugins declare."""
    path = folder / FILE
    try:
        contents = read_object(path, _FIX) if path.exists() else {}
    except InputError as error:
        return list(error.problems)
    derived = {key: value for key, value in contents.items() if key in _DERIVED_KEYS}
    if not contents or derived == datapackage(folder, facts):
        return []
    return [Diagnostic("is out of date: the tables beside it have changed", str(path), fix=_FIX, code="FS145")]


def datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> dict[str, Any]:
    """Return the contents of `datapackage.json`. `load_catalog` reports invalid cells."""
    problems: list[Diagnostic] = []
    source = FolderTables(folder, facts)
    entry = source.head(problems)
    if entry is None:
        raise InputError(problems)
    head = entry.values
    resources = []
    for layout in columns.TABLES:
        table = source.table(layout, problems)
        if table is not None:
            resources.append(_resource(table))
    contents: dict[str, object] = {
        "profile": "tabular-data-package",
        "name": head.get("name", folder.name).lower().replace("+", "-"),
        "title": head.get("title", ""),
        "description": head.get("note", ""),
        "licenses": [{"name": head["license"]}] if _LICENSE.fullmatch(head.get("license", "")) else [],
        "resources": resources,
    }
    return {key: value for key, value in contents.items() if value}


def _resource(table: Table) -> dict[str, object]:
    layout = table.layout
    fields = {field.name: field for field in layout.fields}
    names = sorted(table.columns, key=lambda name: table.columns[name])
    field_schemas = [{**_field(fields[name]), **_declared_field(fields[name], table)} for name in names]
    schema: dict[str, object] = {"fields": field_schemas, "missingValues": [""]}
    if layout.name in _TABLES_WITH_UNIQUE_ID and "id" in table.columns:
        schema["primaryKey"] = ["id"]
    return {
        "profile": "tabular-data-resource",
        "name": layout.name.removesuffix(".csv"),
        "path": layout.name,
        "description": layout.doc,
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "schema": schema,
    }


def _field(field: Field) -> dict[str, object]:
    """Return the schema of a column. Amounts with units, lists, and countries are strings for other tools."""
    schema: dict[str, object] = {"name": field.name, "type": "string", "description": field.meaning}
    if field.kind is k.DATE:
        schema["type"] = "date"
    elif field.kind is k.YES_NO:
        schema |= {"type": "boolean", "trueValues": _YES_WORDS, "falseValues": _NO_WORDS}
    if field.example != "":
        schema["example"] = field.example
    constraints: dict[str, object] = {"required": True} if field.required else {}
    if "pattern" in field.kind.text:
        constraints["pattern"] = field.kind.text["pattern"]
    if field.kind.words and field.kind is not k.YES_NO:
        constraints["enum"] = list(field.kind.words)
    return {**schema, "constraints": constraints} if constraints else schema


def _declared_field(field: Field, table: Table) -> dict[str, object]:
    """Return keys for a column that a plugin declares. It is a number for other tools if all cells are plain numbers."""
    column = table.layout.declared.get(field.name)
    if column is None:
        return {}
    fact = {"type": str(column.type), "unit": column.unit, "declaredBy": field.declared_by}
    cells = [text for row in table.rows if (text := row.text(field.name))]
    is_number = field.kind.number and all(map(_PLAIN_NUMBER.fullmatch, cells))
    return {**({"type": "number"} if is_number else {}), "fact": {key: value for key, value in fact.items() if value}}
