"""What a reader of a plugin reads: asked for in a process of its own, so that one that hangs or ends its process does no harm here.

What crosses is data: texts of cells with their lines. Nothing of it is looked at here; who reads tables does that, as of any file.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..domain.base import Record
from ..errors import FriendshoreError, InputError, PluginError
from ..readers import CatalogRows, Reader, ReadRequest, TableRows, reader_in
from ..reading.cells import cell_text
from ..reading.fields import FactColumns
from .attribution import blame, wrong
from .elsewhere import as_said, as_told, elsewhere, mistakes_in, plugin_told, problem_of
from .hosting import ask
from .manifest import Plugin, PluginInfo
from .running import limit_given, running, to_blame
from .settings import made

LIMIT = 60.0
"""Seconds that a reader may take."""
What = Literal["catalog", "demand"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader yielded."""

    name: str
    """Reader and argument, as the case writes them."""
    what: What
    distribution: str
    """Distribution and version of its plugin."""
    rows: CatalogRows
    """Of a demand: the one table `demand`."""

    def catalog(self, folder: Path) -> CatalogRef:
        """It as a catalog of a case in this folder."""
        name = str(self.rows.head.get("name", self.name))
        return CatalogRef(name=name, folder=folder, distribution=self.distribution, reading=self)

    @property
    def digest(self) -> str:
        """SHA-256 of what stands in it, wherever that was read from."""
        tables = {name: [list(one.columns), [cells for _, cells in one.rows]] for name, one in self.rows.tables.items()}
        text = json.dumps({"head": dict(self.rows.head), "tables": tables}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class CatalogRef(Record):
    """Where a catalog is."""

    name: str
    folder: Path
    distribution: str = ""
    """Distribution and version that bring it; empty for a folder of the user's own."""
    reading: Reading | None = None
    """What a reader read in the place of a folder; None: it is a folder, or a workbook."""
    rows: CatalogRows | None = None
    """Its tables, where they stand in the workbook of a case; None: they do not."""
    columns: FactColumns = FactColumns()
    """Columns of facts that plugins declare."""

    @property
    def place(self) -> Path | CatalogRows:
        """Where its tables are."""
        rows = self.rows if self.reading is None else self.reading.rows
        return self.folder if rows is None else rows


def read_by(
    plugin: Plugin, name: str, what: What, folder: Path, settings: Mapping[str, Any], limit: float | None = None
) -> Reading:
    """What a plugin's reader reads, asked for in another process; `name` is reader and argument, as the case writes them.

    It is given up after `limit` seconds; None: as the environment says, or a minute; 0: never.

    Raises:
        InputError: with all that the reader says is wrong in what it reads.
        PluginError: if it fails, hangs, ends its process, or yields something else.
    """
    info = plugin.info
    assert plugin.entry is not None  # a reader is code
    seconds = (limit_given(LIMIT) if limit is None else limit) or None
    wanted = {"reading": name, "what": what, "folder": str(folder), "settings": dict(settings)}
    ended = elsewhere(f"{__name__}:read_there", {**as_told(info, plugin.entry), **wanted}, seconds)
    problem = problem_of(info, ended, f"asked to read `{name}`", seconds)
    if problem is not None:
        raise PluginError(problem)
    if "mistakes" in ended.said:
        raise InputError(mistakes_in(ended.said, name))
    tables = {table: TableRows(*rows) for table, rows in ended.said["tables"].items()}
    return Reading(name, what, info.label, CatalogRows(ended.said["head"], tables, ended.said["file"] or name))


def read_there(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it has a reader read, and says what that yields, or what is wrong."""
    info, entry = plugin_told(data)
    name, argument = reader_in(data["reading"]) or ("", "")
    try:
        reader = ask(Plugin(info, entry), "friendshore_readers").named[name]
        assert isinstance(reader, Reader)  # its hook was checked
        settings = None
        if info.settings:
            model = ask(Plugin(info, entry), "friendshore_settings").settings
            assert model is not None  # its hook was asked
            settings = made(model, data["settings"], info, info.name or info.distribution)
        return _read(reader, data["what"], ReadRequest(argument, Path(data["folder"]), settings), info)
    except InputError as error:
        return {"mistakes": [asdict(problem) for problem in error.problems]}
    except FriendshoreError as error:
        return as_said(error)


def _read(reader: Reader, what: What, asked: ReadRequest, info: PluginInfo) -> dict[str, Any]:
    if getattr(type(reader), what) is getattr(Reader, what):
        fix = "name a catalog under `catalogs`, demands under `demand`"
        raise InputError(f"the reader `{reader.name}` reads no {what}", found=asked.argument, fix=fix)
    try:
        with running(info.package, f"its reader `{reader.name}`", whole=True):
            yielded = getattr(reader, what)(asked)
            if isinstance(yielded, TableRows) and what == "demand":
                yielded = CatalogRows({}, {"demand": yielded})
            return _data(yielded)
    except FriendshoreError:
        raise
    except _OtherError as other:
        expected = "CatalogRows, or TableRows of a demand, with texts, numbers and dates in their cells"
        raise wrong(info, f"its reader `{reader.name}` yields something else", str(other), expected) from other
    except BaseException as error:
        if not to_blame(error):
            raise
        raise blame(info, error, f"failed: its reader `{reader.name}`, asked for `{asked.argument}`, raised") from error


class _OtherError(Exception):
    """What a reader yields that is no table."""


def _data(yielded: object) -> dict[str, Any]:
    """What a reader yields, as JSON-ready data."""
    if not isinstance(yielded, CatalogRows):
        raise _OtherError(f"a {type(yielded).__name__}")
    head = {key: _head(value) for key, value in yielded.head.items()}
    tables = {name.removesuffix(".csv"): _rows(rows) for name, rows in yielded.tables.items()}
    return {"head": head, "tables": tables, "file": str(yielded.file)}


def _rows(rows: object) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    if not isinstance(rows, TableRows):
        raise _OtherError(f"a {type(rows).__name__} for a table")
    lines = [(int(line), [_cell(cell) for cell in cells]) for line, cells in rows.rows]
    return [_cell(name) for name in rows.columns], lines, str(rows.file)


def _cell(value: object) -> str:
    """The text of a cell, as it would stand in a CSV file."""
    text = cell_text(value)
    if text is None:
        raise _OtherError(f"a {type(value).__name__} in a cell")
    return text.strip()


def _head(value: object) -> str | list[str]:
    return [_cell(one) for one in value] if isinstance(value, list | tuple) else _cell(value)
