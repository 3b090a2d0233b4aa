"""`datapackage.json`: what the tables of a catalog folder hold, for tools that know nothing of friendshore.

The format is the Data Package and Table Schema of Frictionless Data, version 1 (https://specs.frictionlessdata.io/data-package/,
https://specs.frictionlessdata.io/table-schema/), written from the same definition that friendshore reads the tables by.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from ..errors import Diagnostic, InputError
from ..reading import kinds as k
from ..reading.cells import BOOLEANS
from ..reading.csvfile import Table
from ..reading.fields import FactColumns, Field
from ..reading.textfile import read_object
from ..writing import replace_file
from . import columns
from .tables import NO_FACTS, FolderTables

FILE = "datapackage.json"
_YES, _NO = ([word for word, holds in BOOLEANS.items() if holds is told] for told in (True, False))
_KEYS = frozenset(layout.name for layout in (columns.SOURCES, columns.MATERIALS, columns.FACILITIES, columns.OFFERS))
"""Tables whose `id` is that of one row alone."""
_LICENCE = re.compile(r"[A-Za-z0-9.+-]+-[0-9.]+")
"""What a licence's identifier looks like, such as CC-BY-4.0; other words are nothing that the format has a place for."""
_BARE = re.compile(r"-?\d+(?:\.\d+)?")
"""A number as all tools read it."""
_OWN = frozenset({"profile", "name", "title", "description", "licenses", "resources"})
"""Keys that are written from the catalog."""
_MARK = "friendshore"
"""Key of the hash of these, as they were written."""
_FIX = "write it anew with friendshore catalogs datapackage, or delete it"


def write_datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> Path:
    """Writes `datapackage.json` into a catalog folder, with columns that plugins declare, and returns its path. Keys of one that is there
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
    """SHA-256 of what friendshore writes of a catalog: tells it from what others write."""
    own = {key: value for key, value in described.items() if key in _OWN}
    return sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()


def stale(folder: Path, facts: FactColumns = NO_FACTS) -> list[Diagnostic]:
    """Whether a `datapackage.json` that is there says something else than the tables beside it do, with the columns that plugins declare."""
    path = folder / FILE
    try:
        told = read_object(path, _FIX) if path.exists() else {}
    except InputError as error:
        return list(error.problems)
    if not told or {key: value for key, value in told.items() if key in _OWN} == datapackage(folder, facts):
        return []
    return [Diagnostic("no longer describes the tables beside it", str(path), fix=_FIX)]


def datapackage(folder: Path, facts: FactColumns = NO_FACTS) -> dict[str, Any]:
    """What `datapackage.json` says of a catalog folder: its tables with the columns that they have, those too that plugins declare.

    Raises:
        InputError: with what keeps a table from being read at all; a bad cell is `read_catalog`'s business.
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
    """One table: where it is, how it is written, and its columns in the order in which they stand there."""
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
    """A column. Amounts with a unit, lists and countries are texts to whoever cannot read them."""
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
    """What there is to say beside of a column that a plugin declares. It is one of numbers to other tools where no cell has a unit or a sign for it."""
    column = table.layout.declared.get(field.name)
    if column is None:
        return {}
    told = {"type": str(column.type), "unit": column.unit, "declaredBy": field.by}
    cells = [text for row in table.rows if (text := table.text(row, field.name))]
    numbers = {"type": "number"} if field.kind.number and all(map(_BARE.fullmatch, cells)) else {}
    return {**numbers, "fact": {key: value for key, value in told.items() if value}}
