"""Plugin code in a separate process, for readers and rule packs of a case. Only JSON crosses, and a plugin that hangs or ends its process does no harm."""

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
from .attribution import defect_error, environment_limit, exception_error, is_plugin_fault, running, wants_tracebacks
from .hosting import call_hook, checked_results
from .manifest import GROUP, Plugin, PluginInfo
from .settings import settings_record

# Maximum seconds for the start of Python and friendshore in the other process.
_START_SECONDS = 60.0
_POLL_SECONDS = 0.01


@dataclass(frozen=True, slots=True)
class CallResult:
    """Result of a call in another process."""

    code: int | None
    """Exit code of the process, 0 if it continues. None if it was killed at the time limit."""
    answer: Any = None
    """JSON value that the function returned. None if the process ended before."""


class OtherProcess:
    """Another process that runs one call after another. It starts with the first call, and again after a call that ended it. Output is discarded."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        self._environment = dict(environment or {})
        self._calls = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._requests = -1
        self._folder: TemporaryDirectory[str] | None = None

    def call(self, function: str, argument: object, limit: float | None = None) -> CallResult:
        """Call a function like `friendshore.plugins.loading:imported` with JSON. `limit` in seconds excludes friendshore's own start; None means no limit."""
        self._folder = self._folder or TemporaryDirectory()
        self._calls += 1
        names = ("request", "started", "answer")
        request, started, answer = (Path(self._folder.name, f"{name}-{self._calls}") for name in names)
        request.write_text(json.dumps(argument), encoding="utf-8")
        try:
            process = self._running(function)
            with suppress(OSError):  # if the process has ended, the wait below notices
                os.write(self._requests, json.dumps([function, *map(str, (request, started, answer))]).encode() + b"\n")
            _wait(process, started, _START_SECONDS)
            _wait(process, answer, limit)
        except subprocess.TimeoutExpired:
            self._stop()
            return CallResult(None)
        except BaseException:
            self._stop()
            raise
        text = answer.read_text(encoding="utf-8") if answer.is_file() else None
        for file in (request, started, answer):
            file.unlink(missing_ok=True)
        if text is not None:
            return CallResult(0, json.loads(text))
        code = process.wait()
        self._stop()
        return CallResult(code)

    def close(self) -> None:
        self._stop()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _running(self, function: str) -> subprocess.Popen[bytes]:
        if self._process is None:
            module, _, name = function.partition(":")
            code = f"from {__name__} import serve; from {module} import {name}; serve()"
            path = os.pathsep.join(filter(None, sys.path))
            requests, self._requests = os.pipe()
            try:
                self._process = subprocess.Popen(  # noqa: S603 - this Python, running code of friendshore
                    [sys.executable, "-c", code],
                    stdin=requests,
                    stdout=subprocess.DEVNULL,
                    stderr=None if wants_tracebacks() else subprocess.DEVNULL,
                    env={**os.environ, "PYTHONPATH": path, **self._environment},
                )
            finally:
                os.close(requests)
        return self._process

    def _stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1


def call_once(
    function: str, argument: object, limit: float | None = None, environment: Mapping[str, str] | None = None
) -> CallResult:
    with closing(OtherProcess(environment)) as process:
        return process.call(function, argument, limit)


def _wait(process: subprocess.Popen[bytes], file: Path, seconds: float | None) -> None:
    deadline = None if seconds is None else time.monotonic() + seconds
    while not file.exists() and process.poll() is None:
        if deadline is not None and time.monotonic() > deadline:
            raise subprocess.TimeoutExpired(process.args, seconds or 0)
        time.sleep(_POLL_SECONDS)


def serve() -> None:
    """Run in the other process: handle requests until standard input ends."""
    with os.fdopen(os.dup(0), encoding="utf-8") as lines, Path(os.devnull).open(encoding="utf-8") as null:
        os.dup2(null.fileno(), 0)  # a plugin that reads its standard input must not get the requests
        for line in lines:
            function, *paths = json.loads(line)
            request, started, answer = map(Path, paths)
            module, _, name = function.partition(":")
            call = getattr(import_module(module), name)
            started.touch()
            part = answer.with_suffix(".part")
            part.write_text(json.dumps(call(json.loads(request.read_text(encoding="utf-8")))), encoding="utf-8")
            part.replace(answer)
    # Threads that a plugin has left running must not keep this process alive.
    os._exit(0)


def plugin_data(info: PluginInfo, entry: EntryPoint) -> dict[str, Any]:
    return {"info": info.model_dump(mode="json"), "name": entry.name, "value": entry.value}


def plugin_from(data: Mapping[str, Any]) -> tuple[PluginInfo, EntryPoint]:
    return PluginInfo.model_validate(data["info"]), EntryPoint(data["name"], data["value"], GROUP)


def problem_data(error: FriendshoreError) -> dict[str, Any]:
    return {"problem": asdict(error.problems[0])}


def problem_of(info: PluginInfo, result: CallResult, activity: str, limit: float | None) -> Diagnostic | None:
    """Return the error of a call of a plugin's code, or None. `activity` is for the message, like `its import`."""
    if result.answer is not None:
        return Diagnostic(**result.answer["problem"]) if "problem" in result.answer else None
    message = f"{info.label} ended its process with exit code {result.code} during {activity}"
    expected = "a result from a running process"
    if result.code is None:
        message = f"{info.label} did not finish {activity} within {limit:g} s, so it was stopped"
        expected = f"a result within {limit:g} s"
    fix = (
        f"upgrade, uninstall, or block {info.distribution}. For its author: the package must do nothing when it is imported, and its hooks "
        "must return"
    )
    return Diagnostic(message, info.file, expected=expected, fix=fix, code="FS425")


def _problems_in(answer: Mapping[str, Any], source: str) -> Iterator[Diagnostic]:
    for data in answer["problems"]:
        problem = Diagnostic(**data)
        yield problem if problem.file or problem.column else replace(problem, file=source)


# Default limit of seconds for a reader, and for making the rule packs of a case.
LIMIT = 60.0
What = Literal["catalog", "demand"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Tables that a reader yielded."""

    name: str
    """Reader and argument, as written in the case."""
    what: What
    distribution: str
    rows: CatalogRows
    """Tables of the catalog; for demands, the one table `demand`."""

    def catalog(self, folder: Path) -> CatalogRef:
        name = str(self.rows.head.get("name", self.name))
        return CatalogRef(name=name, folder=folder, distribution=self.distribution, reading=self)

    @property
    def digest(self) -> str:
        """SHA-256 of the contents, independent of where they were read."""
        tables = {
            name: [list(table.columns), [cells for _, cells in table.rows]] for name, table in self.rows.tables.items()
        }
        text = json.dumps({"head": dict(self.rows.head), "tables": tables}, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


class CatalogRef(Record):
    """Reference to a catalog: a folder, a workbook, tables of a reader, or tables from the workbook of a case."""

    name: str
    folder: Path
    distribution: str = ""
    """Distribution and version of its plugin. Empty for the user's own folder."""
    reading: Reading | None = None
    rows: CatalogRows | None = None
    columns: FactColumns = FactColumns()

    @property
    def place(self) -> Path | CatalogRows:
        rows = self.rows if self.reading is None else self.reading.rows
        return self.folder if rows is None else rows


def run_reader(
    plugin: Plugin, name: str, what: What, folder: Path, settings: Mapping[str, Any], limit: float | None = None
) -> Reading:
    """Run a plugin's reader in another process. `limit` is in seconds; 0 means no limit, None that of the environment, or a minute.

    Raises:
        InputError: With all errors that the reader found.
        PluginError: If it fails, hangs, ends its process, or yields something else.
    """
    info = plugin.info
    assert plugin.entry is not None  # a reader is code
    seconds = (environment_limit(LIMIT) if limit is None else limit) or None
    request = {"reading": name, "what": what, "folder": str(folder), "settings": dict(settings)}
    result = call_once(f"{__name__}:read_in_process", {**plugin_data(info, plugin.entry), **request}, seconds)
    problem = problem_of(info, result, f"the reading of `{name}`", seconds)
    if problem is not None:
        raise PluginError(problem)
    answer = result.answer
    if "problems" in answer:
        raise InputError(_problems_in(answer, name))
    tables = {table: TableRows(*rows) for table, rows in answer["tables"].items()}
    return Reading(name, what, info.label, CatalogRows(answer["head"], tables, answer["file"] or name))


def read_in_process(data: Mapping[str, Any]) -> dict[str, Any]:
    """Run in the other process: let a reader read, and return its tables or errors."""
    info, entry = plugin_from(data)
    name, argument = reader_in(data["reading"]) or ("", "")
    try:
        reader = checked_results(Plugin(info, entry), "friendshore_readers").named[name]
        assert isinstance(reader, Reader)  # `checked_results` checks it
        settings = None
        if info.settings:
            model = checked_results(Plugin(info, entry), "friendshore_settings").settings
            assert model is not None  # its hook was called
            settings = settings_record(model, data["settings"], info, info.name or info.distribution)
        return _read_tables(reader, data["what"], ReadRequest(argument, Path(data["folder"]), settings), info)
    except InputError as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    except FriendshoreError as error:
        return problem_data(error)


def _read_tables(reader: Reader, what: What, request: ReadRequest, info: PluginInfo) -> dict[str, Any]:
    if getattr(type(reader), what) is getattr(Reader, what):
        fix = "list a catalog under `catalogs`, and demands under `demand`"
        raise InputError(
            f"the reader `{reader.name}` can't read a {what}", found=request.argument, fix=fix, code="FS426"
        )
    try:
        with running(info.package, f"its reader `{reader.name}`", may_change_decimals=True):
            yielded = getattr(reader, what)(request)
            if isinstance(yielded, TableRows) and what == "demand":
                yielded = CatalogRows({}, {"demand": yielded})
            return _rows_data(yielded)
    except FriendshoreError:
        raise
    except _NotATableError as error:
        expected = "CatalogRows, or TableRows of a demand, with texts, numbers, and dates in their cells"
        raise defect_error(info, f"its reader `{reader.name}` must return tables", str(error), expected) from error
    except BaseException as error:
        if not is_plugin_fault(error):
            raise
        raise exception_error(
            info, error, f"failed: its reader `{reader.name}`, called with `{request.argument}`, raised"
        ) from error


class _NotATableError(Exception):
    """A reader yielded something that isn't a table."""


def _rows_data(yielded: object) -> dict[str, Any]:
    if not isinstance(yielded, CatalogRows):
        raise _NotATableError(f"a {type(yielded).__name__}")
    head = {key: _head_value(value) for key, value in yielded.head.items()}
    tables = {name.removesuffix(".csv"): _table_data(rows) for name, rows in yielded.tables.items()}
    return {"head": head, "tables": tables, "file": str(yielded.file)}


def _table_data(rows: object) -> tuple[list[str], list[tuple[int, list[str]]], str]:
    if not isinstance(rows, TableRows):
        raise _NotATableError(f"a {type(rows).__name__} for a table")
    lines = [(int(line), [_cell_text(cell) for cell in cells]) for line, cells in rows.rows]
    return [_cell_text(name) for name in rows.columns], lines, str(rows.file)


def _cell_text(value: object) -> str:
    text = cell_text(value)
    if text is None:
        raise _NotATableError(f"a {type(value).__name__} in a cell")
    return text.strip()


def _head_value(value: object) -> str | list[str]:
    return [_cell_text(cell) for cell in value] if isinstance(value, list | tuple) else _cell_text(value)


class _Facts(Tables):
    """A case and its catalogs, as sent to the process."""

    case: Case
    catalogs: tuple[Catalog, ...] = ()


def make_packs(
    plugin: Plugin,
    name: str,
    case: Case,
    catalogs: Sequence[Catalog],
    settings: Mapping[str, Any],
    limit: float | None = None,
    process: OtherProcess | None = None,
) -> tuple[RulePack, ...]:
    """Return the rule packs that a plugin makes for a case, in another process. `limit` is as in `run_reader`, but 0 means in this process.

    Raises:
        InputError: With all errors that the plugin found in the settings or in what they name.
        PluginError: If it fails, hangs, ends its process, or yields something else.
    """
    info = plugin.info
    assert plugin.entry is not None  # a plugin with settings is code
    seconds = environment_limit(LIMIT) if limit is None else limit
    facts = _Facts(case=case.but(rules=()), catalogs=tuple(catalogs))
    request = {
        **plugin_data(info, plugin.entry),
        "facts": facts.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "folder": str((case.folder or Path()).absolute()),
        "folders": {key: str(folder.absolute()) for key, folder in case.settings_from.get(name, {}).items()},
        "settings": dict(settings),
    }
    call = call_once if process is None else process.call
    result = (
        call(f"{__name__}:make_packs_in_process", request, seconds)
        if seconds
        else CallResult(0, make_packs_in_process(request))
    )
    problem = problem_of(info, result, "its hook `friendshore_case_packs`", seconds)
    if problem is not None:
        raise PluginError(problem)
    answer = result.answer
    if "problems" in answer:
        raise InputError(_problems_in(answer, info.label))
    packs = tuple(_checked_pack(data, info) for data in answer["packs"])
    names = [pack.id for pack in packs]
    duplicates = sorted({name for name in names if names.count(name) > 1})
    if duplicates:
        raise defect_error(info, "makes two rule packs of the same name", ", ".join(duplicates), "different names")
    return packs


def _checked_pack(data: Mapping[str, Any], info: PluginInfo) -> RulePack:
    pack = RulePack.model_validate(data)
    for number, rule in enumerate(pack.rules, 1):
        if missing := unstated(rule):
            message = (
                f"makes a rule pack `{pack.id}`, whose rule {rule.get('id') or number} has no {', '.join(missing)}"
            )
            raise defect_error(info, message, "", "rules with kind, id, and citation")
    return pack


def make_packs_in_process(data: Mapping[str, Any]) -> dict[str, Any]:
    """Run in the other process: let a plugin make its rule packs, and return them or its errors."""
    info, entry = plugin_from(data)
    plugin = Plugin(info, entry)
    try:
        (model,) = call_hook(plugin, "friendshore_settings")
        settings = settings_record(model, data["settings"], info, info.name or info.distribution)
        Catalog.model_rebuild()  # builds the validator once, as for the facts of a run
        facts = record(_Facts, data["facts"], "the facts of a case for a plugin")
        folders = {key: Path(folder) for key, folder in data["folders"].items()}
        case_facts = CaseFacts(facts.case, facts.catalogs, Path(data["folder"]), settings, folders)
        packs = call_hook(plugin, "friendshore_case_packs", facts=case_facts)
        return {"packs": [_pack_data(pack, info) for pack in packs]}
    except InputError as error:
        return {"problems": [asdict(problem) for problem in error.problems]}
    except FriendshoreError as error:
        return problem_data(error)


def _pack_data(pack: object, info: PluginInfo) -> dict[str, Any]:
    if not isinstance(pack, RulePack):
        message = "its hook `friendshore_case_packs` must yield rule packs"
        raise defect_error(info, message, repr(pack)[:200], "rule packs: friendshore.rules.pack.RulePack")
    try:
        data: dict[str, Any] = pack.model_dump(mode="json", by_alias=True, exclude={"digest"})
    except ValueError as error:
        message = f"its rule pack `{pack.id}` contains values that aren't plain data"
        raise defect_error(info, message, str(error)[:200], "texts, numbers, dates, lists, and tables") from error
    return data
