"""Work of plugins in another process: readers, and rule packs of a case. One that hangs or ends its process does no harm here.

What crosses is data: a case and its catalogs there, cells of tables and rule packs back. Nothing of it is checked here: whoever reads tables and
makes rules does that, as for any file.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from importlib.metadata import EntryPoint
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from ..domain.base import Record, Tables
from ..domain.case import Case
from ..domain.facts import Catalog
from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..readers import CaseFacts, CatalogRows, Reader, ReadRequest, TableRows, reader_in
from ..reading.fields import FactColumns
from ..reading.kinds import cell_text
from ..reading.records import record
from ..rules.pack import RulePack, unstated
from .attribution import blame, limit_given, running, to_blame, wants_tracebacks, wrong
from .hosting import ask, called
from .manifest import GROUP, Plugin, PluginInfo
from .settings import made

_START = 60.0
"""Seconds that friendshore itself may take to start there."""
_LOOKS = 0.01
"""Seconds between two looks how far it is."""


@dataclass(frozen=True, slots=True)
class Ended:
    """How another process ended."""

    code: int | None
    """Its exit code; None: it was given up."""
    said: Any = None
    """What it has to say; None: it came to no end of its own."""


class OtherProcess:
    """Another process, which is asked one thing after another, and begins with the first: it finds plugins where this one does.

    What it prints is lost; where the environment asks for tracebacks of plugins, its stderr is not.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """Start nothing yet. `environment` adds variables to the environment of the process."""
        self._environment = dict(environment or {})
        self._asked = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._asks = -1
        """Where it is told what is asked."""
        self._folder: TemporaryDirectory[str] | None = None

    def ask(self, function: str, told: object, limit: float | None = None) -> Ended:
        """Has it call a function of friendshore. If it ends of that or is given up, what is asked next is asked of another.

        Args:
            function: module and name, like `friendshore.plugins.loading:imported`.
            told: what the function is given, as JSON; it returns what can be written as JSON.
            limit: seconds after which it is given up, friendshore's own start left out, which a busy machine makes long; None: never.
        """
        self._folder = self._folder or TemporaryDirectory()
        self._asked += 1
        given, begun, said = (Path(self._folder.name, f"{name}-{self._asked}") for name in ("given", "begun", "said"))
        given.write_text(json.dumps(told), encoding="utf-8")
        try:
            process = self._running(function)
            with suppress(OSError):  # it has ended: that is seen below
                os.write(self._asks, json.dumps([function, *map(str, (given, begun, said))]).encode() + b"\n")
            _wait(process, begun, _START)
            _wait(process, said, limit)
        except subprocess.TimeoutExpired:
            self._stop()
            return Ended(None)
        except BaseException:
            self._stop()
            raise
        answer = said.read_text(encoding="utf-8") if said.is_file() else None
        for file in (given, begun, said):
            file.unlink(missing_ok=True)
        if answer is not None:
            return Ended(0, json.loads(answer))
        code = process.wait()
        self._stop()
        return Ended(code)

    def close(self) -> None:
        """End the process."""
        self._stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _running(self, function: str) -> subprocess.Popen[bytes]:
        if self._process is None:
            module, _, name = function.partition(":")
            code = f"from {__name__} import serve; from {module} import {name}; serve()"
            path = os.pathsep.join(filter(None, sys.path))
            asked, self._asks = os.pipe()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, with code of ours
                    [sys.executable, "-c", code],
                    stdin=asked,
                    stdout=subprocess.DEVNULL,
                    stderr=None if wants_tracebacks() else subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": path, **self._environment},
                )
            finally:
                os.close(asked)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._asks >= 0:
            os.close(self._asks)
            self._asks = -1


def elsewhere(
    function: str, told: object, limit: float | None = None, environment: Mapping[str, str] | None = None
) -> Ended:
    """The same of a process that is asked nothing else."""
    with closing(OtherProcess(environment)) as process:
        return process.ask(function, told, limit)


def _wait(process: subprocess.Popen[bytes], file: Path, seconds: float | None) -> None:
    """Waits until the other process has written a file, or has ended.

    Raises:
        subprocess.TimeoutExpired: if it does neither.
    """
    until = None if seconds is None else time.monotonic() + seconds
    while not file.exists() and process.poll() is None:
        if until is not None and time.monotonic() > until:
            raise subprocess.TimeoutExpired(process.args, seconds or 0)
        time.sleep(_LOOKS)


def serve() -> None:
    """What the other process does: what it is asked, until nobody asks any more."""
    with os.fdopen(os.dup(0), encoding="utf-8") as lines, Path(os.devnull).open(encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 0)  # what a plugin reads from its standard input is not what is asked
        for line in lines:
            function, *paths = json.loads(line)
            given, begun, said = map(Path, paths)
            module, _, name = function.partition(":")
            do = getattr(import_module(module), name)
            begun.touch()
            part = said.with_suffix(".part")
            part.write_text(json.dumps(do(json.loads(given.read_text(encoding="utf-8")))), encoding="utf-8")
            part.replace(said)
    # Threads that a plugin has left running must not keep this process alive.
    os._exit(0)


def as_told(info: PluginInfo, entry: EntryPoint) -> dict[str, Any]:
    """A plugin as the other process is told of it."""
    return {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value}


def plugin_told(data: Mapping[str, Any]) -> tuple[PluginInfo, EntryPoint]:
    """The plugin that it was told of."""
    return PluginInfo.model_validate(data["info"]), EntryPoint(data["name"], data["value"], GROUP)


def as_said(error: FriendshoreError) -> dict[str, Any]:
    """What the other process says where a plugin failed."""
    return {"problem": asdict(error.problems[0])}


def problem_of(info: PluginInfo, ended: Ended, done: str, limit: float | None) -> Diagnostic | None:
    """What is wrong with a plugin, by how the process ended in which it was `done`."""
    if ended.said is not None:
        return Diagnostic(**ended.said["problem"]) if "problem" in ended.said else None
    message = f"{info.label} ended the process in which it was {done}, with exit code {ended.code}"
    expected = "an answer, and that the process goes on"
    if ended.code is None:
        message, expected = (
            f"{info.label} was not {done} within {limit:g} s, and was given up",
            f"an end within {limit:g} s",
        )
    fix = f"upgrade or uninstall {info.distribution}, or block it; its author: let the package do nothing when it is imported, and hooks come to their end"
    return Diagnostic(message, info.file, expected=expected, fix=fix)


def _mistakes_in(said: Mapping[str, Any], by: str) -> Iterator[Diagnostic]:
    """What the other process says is wrong with the data that a plugin was given; what has no place is told to be `by` it."""
    for one in said["mistakes"]:
        problem = Diagnostic(**one)
        yield problem if problem.file or problem.column else replace(problem, file=by)


LIMIT = 60.0
"""Seconds that a reader, or the making of rule packs, may take."""
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
        raise InputError(_mistakes_in(ended.said, name))
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
            return _rows_data(yielded)
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
    """Something that a reader yields and that is no table."""


def _rows_data(yielded: object) -> dict[str, Any]:
    """Return the tables of a reader as JSON-ready data."""
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
    """Return the text of a cell, as in a CSV file."""
    text = cell_text(value)
    if text is None:
        raise _OtherError(f"a {type(value).__name__} in a cell")
    return text.strip()


def _head(value: object) -> str | list[str]:
    return [_cell(one) for one in value] if isinstance(value, list | tuple) else _cell(value)


class _Facts(Tables):
    """A case and its catalogs, as sent to the process."""

    case: Case
    catalogs: tuple[Catalog, ...] = ()


def packs_by(
    plugin: Plugin,
    name: str,
    case: Case,
    catalogs: Sequence[Catalog],
    settings: Mapping[str, Any],
    limit: float | None = None,
    process: OtherProcess | None = None,
) -> tuple[RulePack, ...]:
    """The rule packs that a plugin, which the case calls `name`, makes for it, asked for in another process: a new one, or that in which it was asked
    of other cases.

    It is given up after `limit` seconds; None: as the environment says, or a minute; 0: it is asked for in this process, and never given up.

    Raises:
        InputError: with all that the plugin says is wrong with what the case sets or names.
        PluginError: if it fails, hangs, ends its process, or yields something else.
    """
    info = plugin.info
    assert plugin.entry is not None  # what takes settings is code
    seconds = limit_given(LIMIT) if limit is None else limit
    facts = _Facts(case=case.but(rules=()), catalogs=tuple(catalogs))
    told = {
        "facts": facts.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "folder": str((case.folder or Path()).absolute()),
        "folders": {key: str(folder.absolute()) for key, folder in case.settings_from.get(name, {}).items()},
        "settings": dict(settings),
    }
    asked = {**as_told(info, plugin.entry), **told}
    ask = elsewhere if process is None else process.ask
    ended = ask(f"{__name__}:packs_there", asked, seconds) if seconds else Ended(0, packs_there(asked))
    problem = problem_of(info, ended, "asked for the rule packs of a case", seconds)
    if problem is not None:
        raise PluginError(problem)
    if "mistakes" in ended.said:
        raise InputError(_mistakes_in(ended.said, info.label))
    packs = tuple(_pack(one, info) for one in ended.said["packs"])
    names = [pack.id for pack in packs]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise wrong(info, "makes two rule packs of one name", ", ".join(twice), "names that differ")
    return packs


def _pack(data: Mapping[str, Any], info: PluginInfo) -> RulePack:
    pack = RulePack.model_validate(data)
    for number, rule in enumerate(pack.rules, 1):
        if lacking := unstated(rule):
            what = f"makes a rule pack `{pack.id}` of which rule {rule.get('id') or number} lacks {', '.join(lacking)}"
            raise wrong(info, what, "", "rules that state kind, id and citation")
    return pack


def packs_there(data: Mapping[str, Any]) -> dict[str, Any]:
    """What the other process does: it has the plugin make its rule packs, and says what they are, or what is wrong."""
    info, entry = plugin_told(data)
    plugin = Plugin(info, entry)
    try:
        (model,) = called(plugin, "friendshore_settings")
        settings = made(model, data["settings"], info, info.name or info.distribution)
        Catalog.model_rebuild()  # what checks it is then made once, as for the facts of a run
        facts = record(_Facts, data["facts"], "what a plugin is told of a case")
        folders = {key: Path(folder) for key, folder in data["folders"].items()}
        given = CaseFacts(facts.case, facts.catalogs, Path(data["folder"]), settings, folders)
        yielded = called(plugin, "friendshore_case_packs", facts=given)
        return {"packs": [_pack_data(pack, info) for pack in yielded]}
    except InputError as error:
        return {"mistakes": [asdict(problem) for problem in error.problems]}
    except FriendshoreError as error:
        return as_said(error)


def _pack_data(pack: object, info: PluginInfo) -> dict[str, Any]:
    """Return a rule pack as JSON-ready data."""
    if not isinstance(pack, RulePack):
        told = "its hook `friendshore_case_packs` yields something else"
        raise wrong(info, told, repr(pack)[:200], "rule packs: friendshore.rules.pack.RulePack")
    try:
        data: dict[str, Any] = pack.model_dump(mode="json", by_alias=True, exclude={"digest"})
    except ValueError as error:
        raise wrong(
            info,
            f"its rule pack `{pack.id}` holds what is no data",
            str(error)[:200],
            "texts, numbers, dates, lists and tables",
        ) from error
    return data
