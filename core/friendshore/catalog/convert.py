"""Catalogs written as folders of CSV files, as workbooks, and described in `datapackage.json`.

Cells are written as they are, not as they were converted: the same units, the same order of rows and columns. What is written is read again
before it is handed over. `datapackage.json` follows the Data Package and Table Schema of Frictionless Data, version 1
(https://specs.frictionlessdata.io/data-package/, https://specs.frictionlessdata.io/table-schema/).
"""

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
from ..inert import cell_inert, computed
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

_OTHERS = frozenset({".csv", ".ods", ".tsv", ".xls", ".xlsb", ".xlsm"})
"""Extensions of other formats."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts of a catalog."""

    head: Mapping[str, Any]
    """Keys of `catalog.toml`, parsed."""
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    """File name of a table -> header and rows. Missing tables are left out."""
    facts: FactColumns = NO_FACTS
    """Columns that plugins declare."""

    @property
    def declarers(self) -> frozenset[str]:
        """Return the distributions of the plugins that declare columns of its tables."""
        headers = {sheet: header for sheet, (header, _) in self.tables.items()}
        return frozenset(by for table, name, _, by in self.facts.known if name in headers.get(f"{table}.csv", ()))


def texts_of(path: Path | CatalogRows, facts: FactColumns = NO_FACTS) -> Texts:
    """Return the texts of a valid catalog: a folder, a workbook, or the tables of a reader.

    Raises:
        InputError: If it can't be read.
    """
    found: list[Diagnostic] = []
    place = tables_at(path, found, facts)
    head = place.head(found)
    tables = {}
    for layout in columns.TABLES:
        table = place.table(layout, found)
        if table is not None:
            names = sorted(table.columns, key=lambda name: table.columns[name])
            rows = tuple(tuple(row.cells[table.columns[name]] for name in names) for row in table.rows)
            tables[layout.name] = (tuple(names), rows)
    if found or head is None:
        raise InputError(found)
    return Texts({name: head.values[name] for name in columns.HEAD.names if name in head.values}, tables, facts)


def convert(
    source: Path | CatalogRows, target: Path, read: Callable[[Any], Catalog], facts: FactColumns = NO_FACTS
) -> tuple[Path, ...]:
    """Write a catalog in another form, prove that it holds the same facts, and return the files written.

    Args:
        source: folder or workbook, or what a reader read.
        target: what to write: a workbook if it ends in `.xlsx`, else a folder; it must not be there.
        read: reads a catalog, with those it requires.
        facts: columns that plugins declare.

    Raises:
        InputError: with every mistake of the source; if the target is there or cannot be written; if openpyxl is needed and not
            installed; or if what was written does not read back as the same facts. Then nothing is left behind.
    """
    may_be_written(target)
    before, texts = read(source), texts_of(source, facts)
    return put(texts, before.digest, target, read)


def put(texts: Texts, digest: str, target: Path, read: Callable[[Path], Catalog]) -> tuple[Path, ...]:
    """Write a catalog to a target as `convert` does, prove that it reads back as facts of the same digest, and return the files written.

    Raises:
        InputError: as `convert` does.
    """
    may_be_written(target)
    try:
        with atomic_write_path(target) as made:
            (write_workbook if is_workbook(target) else write_folder)(texts, made)
            if read(made).digest != digest:
                fix = "look for cells with line breaks or signs that cannot be seen"
                raise InputError("would not hold the same facts, and is not written", str(target), fix=fix)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(target)) from error
    return (target,) if target.is_file() else tuple(sorted(target.iterdir()))


def may_be_written(target: Path) -> None:
    """Check that a target can be written.

    Raises:
        InputError: If it exists, or its extension is that of another format.
    """
    if target.exists() or target.is_symlink():
        fix = "name another, or move it away"
        raise InputError("is there already, and is left as it is", str(target), fix=fix)
    if target.suffix.lower() in _OTHERS:
        fix = f"write {target.stem}.xlsx for a workbook, or {target.stem} for a folder"
        raise InputError("is neither a workbook nor a folder", str(target), fix=fix)


def write_folder(texts: Texts, folder: Path) -> None:
    """Write `catalog.toml` and CSV files.

    Raises:
        OSError: if it cannot be written.
    """
    folder.mkdir()
    head = toml_text(texts.head)
    write_file(folder / columns.HEAD.name, head.encode())
    for layout in (layout for layout in columns.TABLES if layout.name in texts.tables):
        name, (header, rows) = layout.name, texts.tables[layout.name]
        stream = io.StringIO()
        fields = texts.facts.extended(layout).by_name
        is_free = [column in fields and fields[column].kind in _FREE for column in header]
        inert = [
            [cell_inert(cell) if free and computed(cell) else cell for cell, free in zip(row, is_free, strict=True)]
            for row in rows
        ]
        csv.writer(stream, lineterminator="\n").writerows([header, *inert])
        write_file(folder / name, stream.getvalue().encode())


_FREE = (k.TEXT, k.TEXTS, k.kind_of("prose"), k.kind_of(frozenset))
"""Kinds of cells that may contain any text. All others are parsed when read, and can't be formulas."""


def write_workbook(texts: Texts, path: Path) -> None:
    """Write a workbook: one sheet a table, and a sheet `catalog` of keys and values.

    Numbers and dates are cells of that sort; all else is text, also in the eyes of a spreadsheet, so that `2841.80` and `1/2`
    stay what they are.

    Raises:
        InputError: if XlsxWriter is not installed, or a cell holds what no workbook can.
        OSError: if it cannot be written.
    """
    pairs = tuple((name, _in_cell(value)) for name, value in texts.head.items())
    sheets = [Sheet(HEAD_SHEET, HEAD_ROWS.names, pairs, HEAD_ROWS.by_name)]
    for layout in columns.TABLES:
        if layout.name in texts.tables:
            header, rows = texts.tables[layout.name]
            sheets.append(Sheet(sheet_name(layout), header, rows, texts.facts.extended(layout).by_name))
    write_file(path, workbook(str(path), sheets))


def _in_cell(value: object) -> str:
    return ";".join(value) if isinstance(value, tuple) else str(value)


FILE = "datapackage.json"
_YES, _NO = ([word for word, holds in BOOLEANS.items() if holds is told] for told in (True, False))
_KEYS = frozenset(layout.name for layout in (columns.SOURCES, columns.MATERIALS, columns.FACILITIES, columns.OFFERS))
"""Tables whose `id` is unique."""
_LICENCE = re.compile(r"[A-Za-z0-9.+-]+-[0-9.]+")
"""Syntax of a license identifier such as CC-BY-4.0. The format has no place for other words."""
_BARE = re.compile(r"-?\d+(?:\.\d+)?")
"""A number that all tools read alike."""
_OWN = frozenset({"profile", "name", "title", "description", "licenses", "resources"})
"""Keys that are derived from the catalog."""
_MARK = "friendshore"
"""Key of their hash."""
_FIX = "write it anew with friendshore catalogs datapackage, or delete it"


def write_datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> Path:
    """Write `datapackage.json` into a catalog folder, with columns that plugins declare, and return its path. Keys of one that is there
    are kept if friendshore has nothing to say of them, such as `contributors`.

    Raises:
        InputError: if the catalog or a file that is there cannot be read, if what that says of the catalog was not written by
            friendshore, or if the file cannot be written.
    """
    path = folder / FILE
    told = read_object(path, _FIX) if path.exists() else {}
    if told and told.get(_MARK) != _mark(told):
        message = "says of the catalog what friendshore did not write, and is left as it is"
        raise InputError(message, str(path), fix="move it away, or delete it, to have it written anew")
    described = datapackage(folder, facts)
    described |= {_MARK: _mark(described)}
    described |= {key: value for key, value in told.items() if key not in described and key not in _OWN}
    try:
        replace_file(path, (json.dumps(described, indent=2, ensure_ascii=False) + "\n").encode())
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(path)) from error
    return path


def _mark(described: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the keys that friendshore writes, which shows whether another tool changed them."""
    own = {key: value for key, value in described.items() if key in _OWN}
    return sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def stale(folder: Path, facts: FactColumns = NO_FACTS) -> list[Diagnostic]:
    """Return a warning if `datapackage.json` differs from the tables beside it, with the columns that plugins declare."""
    path = folder / FILE
    try:
        told = read_object(path, _FIX) if path.exists() else {}
    except InputError as error:
        return list(error.problems)
    if not told or {key: value for key, value in told.items() if key in _OWN} == datapackage(folder, facts):
        return []
    return [Diagnostic("no longer describes the tables beside it", str(path), fix=_FIX)]


def datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> dict[str, Any]:
    """Return the contents of `datapackage.json` for a catalog folder: its tables with their columns, including those that plugins declare.

    Raises:
        InputError: If a table can't be read at all. Bad cells are left to `load_catalog`.
    """
    found: list[Diagnostic] = []
    place = FolderTables(folder, facts)
    entry = place.head(found)
    if entry is None:
        raise InputError(found)
    head = entry.values
    resources = []
    for layout in columns.TABLES:
        table = place.table(layout, found)
        if table is not None:
            resources.append(_resource(table))
    described: dict[str, object] = {
        "profile": "tabular-data-package",
        "name": head.get("name", folder.name).lower().replace("+", "-"),
        "title": head.get("title", ""),
        "description": head.get("note", ""),
        "licenses": [{"name": head["licence"]}] if _LICENCE.fullmatch(head.get("licence", "")) else [],
        "resources": resources,
    }
    return {key: value for key, value in described.items() if value}


def _resource(table: Table) -> dict[str, object]:
    """Return the description of a table: path, dialect, and columns in order."""
    layout = table.layout
    fields = {field.name: field for field in layout.fields}
    names = sorted(table.columns, key=lambda name: table.columns[name])
    described = [{**_field(fields[name]), **_declared(fields[name], table)} for name in names]
    schema: dict[str, object] = {"fields": described, "missingValues": [""]}
    if layout.name in _KEYS and "id" in table.columns:
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
    """Return the description of a column. Amounts with units, lists, and countries are strings to other tools."""
    form = field.kind.text
    described: dict[str, object] = {"name": field.name, "type": "string", "description": field.meaning}
    if field.kind is k.DATE:
        described["type"] = "date"
    elif field.kind is k.YES_NO:
        described |= {"type": "boolean", "trueValues": _YES, "falseValues": _NO}
    if field.example != "":
        described["example"] = field.example
    limits: dict[str, object] = {"required": True} if field.required else {}
    if "pattern" in form:
        limits["pattern"] = form["pattern"]
    if field.kind.words and field.kind is not k.YES_NO:
        limits["enum"] = list(field.kind.words)
    return {**described, "constraints": limits} if limits else described


def _declared(field: Field, table: Table) -> dict[str, object]:
    """Return the description of a column that a plugin declares. It is a number to other tools if no cell has a unit or a currency sign."""
    column = table.layout.declared.get(field.name)
    if column is None:
        return {}
    told = {"type": str(column.type), "unit": column.unit, "declaredBy": field.by}
    cells = [text for row in table.rows if (text := row.text(field.name))]
    numbers = {"type": "number"} if field.kind.number and all(map(_BARE.fullmatch, cells)) else {}
    return {**numbers, "fact": {key: value for key, value in told.items() if value}}
