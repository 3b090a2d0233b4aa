"""Questions answered by processes: what a process does with a question, and the service that asks it."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import chdir, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple

from anyio import CapacityLimiter, fail_after, from_thread, to_thread

from friendshore.case import load_case
from friendshore.case.confined import check_confined, check_posted, file_of, fingerprint, root_of
from friendshore.case.load import CASE_FILE
from friendshore.cli.host import Host, Printed, run_hosted
from friendshore.cli.output import screen_text
from friendshore.document.elements import Document
from friendshore.domain.case import Case
from friendshore.domain.runtime import SizeLimitedCache, Watcher
from friendshore.domain.time import today
from friendshore.errors import Diagnostic, FriendshoreError, InputError
from friendshore.plugins import Registry
from friendshore.reading.tomlfile import toml_text
from friendshore.recommend import Checked, Opened, Recommendation
from friendshore.report import errors_data, headline_of, problem_lines
from friendshore.report.caveats import caveat_data
from friendshore.report.formats import format_named, rendered
from friendshore.run import json_text

from .tools import CASE, HTML, JSON, ServerLimits, Toolbox, refused

_SECONDS_BETWEEN_REPORTS = 0.2
_ANSWERED = (0, 6)
"""Exit codes of an answer. 6 is a plan whose rules conflict."""
_ABOUT = {"case", "status", "objective", "bound", "currency", "verified", "planned_on"}


@dataclass(frozen=True, slots=True)
class Request:
    """A checked question."""

    tool: str
    arguments: Mapping[str, Any]
    """With paths in place of cases."""
    form: str
    """Format of the answer: `JSON` or `HTML`."""
    folder: Path
    """Folder for temporary files, which the server removes."""
    is_posted: bool = False
    """True if the case is in that folder."""


@dataclass(frozen=True, slots=True)
class ServedAnswer:
    """An answer, or errors."""

    json: str
    """Output of the command with `--json`."""
    is_refused: bool = False
    """True if `json` has errors."""
    screen: str = ""
    """At most 50 lines, and notes."""
    about: Mapping[str, Any] = field(default_factory=dict)
    """The plan behind it: run, status, bound, verification, dates, and caveats. Empty if there is none."""
    page: bytes | None = None
    """The answer as HTML, if that was requested."""
    megabytes: int = 0
    """Memory that the process uses."""

    @property
    def content(self) -> bytes:
        return self.json.encode() if self.page is None else self.page

    @property
    def media(self) -> str:
        return "application/json" if self.page is None else "text/html"


class Progress(NamedTuple):
    """Progress of an answer."""

    done: int
    total: int
    activity: str


class Worker(Host):
    """The program of a process: it answers requests, one after another, and keeps plans.

    A question gets a copy of a kept session, so that its answer doesn't depend on earlier questions.
    """

    def __init__(self, limits: ServerLimits, roots: tuple[Path, ...], report: Callable[[Progress], None]) -> None:
        self._roots, self._report, self._reported = roots, report, 0.0
        self._registry = Registry.discover()
        self._toolbox = Toolbox(self._registry, ())
        self._results = SizeLimitedCache[object, Any](limits.plans)
        self._confined: dict[str, frozenset[Path]] = {}
        """State of a case that stays in its folders -> other roots that it names."""
        # Of the current question:
        self._states: dict[Path, str] = {}
        """Case file -> fingerprint of its files."""
        self._used: list[tuple[Recommendation, Mapping[str, Any]]] = []
        """Plans, each with its record for answers."""
        self._screen = ""

    @property
    def watcher(self) -> Watcher:
        return self._watch

    def _watch(self, done: int, total: int, seconds: float, activity: str, unit: str) -> None:
        if monotonic() - self._reported > _SECONDS_BETWEEN_REPORTS:
            self._reported = monotonic()
            self._report(Progress(done, total, activity))

    def registry(self) -> Registry:
        return self._registry

    def also_show(self, document: Callable[[], Document]) -> None:
        self._screen = screen_text(document())

    def check(self, case: Path, registry: Registry, *, strict: bool) -> Checked:
        check = partial(super().check, case, registry, strict=strict)
        checked: Checked = self._kept(("check", self._states[file_of(case)], strict), check)
        return checked

    def plan(self, case: Case, **options: Any) -> Recommendation:
        return self._planned(case.file or Path(), lambda: case, options)

    def _planned(self, file: Path, read: Callable[[], Case], options: Mapping[str, Any]) -> Recommendation:
        def make() -> tuple[Recommendation, Mapping[str, Any]]:
            recommendation = super(Worker, self).plan(read(), **options)
            return recommendation, about_plan(recommendation)

        own = ("registry", "progress", "cancel", "workers", "limits")
        choices = sorted((name, repr(value)) for name, value in options.items() if name not in own and value)
        # A plan depends on no date, but its run states the age of data.
        kept = self._kept((self._states[file], *choices, today()), make)
        self._used.append(kept)
        recommendation: Recommendation = kept[0]
        return recommendation

    def _kept(self, key: object, make: Callable[[], Any]) -> Any:
        if (kept := self._results.get(key)) is None:
            self._results.keep(key, kept := make(), 1)
        return kept

    def reopen(self, path: Path, **options: Any) -> Opened:
        limits = options.pop("limits")
        made = self._planned(file_of(path), partial(load_case, path), options | {"gap": limits.gap})
        assert made.unused_session is not None  # it was never pickled
        session = replace(made.unused_session.copy(), limits=limits, cancel=options["cancel"])
        return replace(made.opened, session=session, path=path)

    def answer(self, request: Request) -> ServedAnswer:
        tool, page = self._toolbox[request.tool], None
        self._states, self._used, self._screen = {}, [], ""
        # All temporary files of the answer are there, so that the server can remove them.
        tempfile.tempdir = str(request.folder)
        is_page, out = request.form == HTML, request.folder / "answer.html"
        values = tool.values(request.arguments) | ({"out": out} if is_page and tool.is_question else {})
        try:
            with chdir(request.folder if request.is_posted else "."):
                self._confine(request)
                printed = run_hosted(self, tool.function, values)
                is_refused = printed.code not in _ANSWERED and tool.name != "check"
                if is_page and not is_refused:
                    page = out.read_bytes() if tool.is_question else self._plan_page()
        except FriendshoreError as error:
            printed, is_refused = Printed(error.exit_code, json_text(errors_data(error)), ()), True
        if is_refused:
            self._screen = "\n".join(problem_lines(Diagnostic(**each) for each in json.loads(printed.out)["errors"]))
        about = self._used[0][1] if self._used else {}
        screen = "\n".join([self._screen, *printed.notes])
        return ServedAnswer(printed.out, is_refused, screen, about, page, _megabytes_used())

    def _plan_page(self) -> bytes:
        form, run = format_named(HTML, self._registry), self._used[0][0].run
        return rendered(form.of_run(run, None, ()), form, "answer.html")

    def _confine(self, request: Request) -> None:
        """Note the state of the files of all cases, and raise `InputError` if one leaves its folder. A posted case has passed `check_posted`."""
        for case in (value for value in request.arguments.values() if isinstance(value, Path)):
            roots = (*self._roots, root_of(case))
            state = hashlib.sha256(case.read_bytes()).hexdigest() if request.is_posted else fingerprint(case, roots)
            if state not in self._confined:
                self._confined[state] = check_confined(case, roots)
            state += "".join(fingerprint(root, roots) for root in sorted(self._confined[state]))
            self._states[file_of(case)] = state


def about_plan(recommendation: Recommendation) -> dict[str, Any]:
    """Return what to know before relying on an answer. `run` is the hash of what `plan --json` prints."""
    run = recommendation.run
    data = recommendation.to_dict() | {"headline": headline_of(run).model_dump(mode="json")}
    days = [str(plugin.as_of) for plugin in run.plugins if plugin.has_facts and plugin.as_of is not None]
    return {
        "run": hashlib.sha256(json_text(data).encode()).hexdigest(),
        **run.model_dump(mode="json", include=_ABOUT),
        "oldest_data_as_of": min(days, default=None),
        "unproven": len(run.unproven),
        "short": sorted(run.shortage_kg),
        "caveats": caveat_data(run),
    }


def serve(requests: Connection, limits: ServerLimits, roots: tuple[Path, ...]) -> None:
    """Run in a process of its own: answer until the server ends it, or ends itself."""
    if hasattr(os, "setsid"):
        os.setsid()  # its own group, which ends as a whole
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # stdin may be an assistant's
    Thread(target=_end_with_server, daemon=True).start()
    if sys.platform != "win32":  # which has no such limit
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (limits.megabytes * 2**20, limits.megabytes * 2**20))
    worker = Worker(limits, roots, requests.send)
    with suppress(EOFError, OSError):
        while True:
            requests.send(_answer(worker, requests.recv(), limits))


def _answer(worker: Worker, request: Request, limits: ServerLimits) -> ServedAnswer | InputError:
    """Return an answer, or the failure of the process, which the server then replaces."""
    try:
        return worker.answer(request)
    except MemoryError:
        fix = "ask about less, or start the server with more --memory"
        return refused("FS929", f"the answer needs more than {limits.megabytes:,} MB", fix=fix)
    except Exception as error:  # noqa: BLE001 - a bug, which is reported
        traceback.print_exc()
        return refused("FS989", "friendshore failed", repr(error), "report this bug, with the server's log")


def _end_with_server() -> None:
    server = parent_process()
    assert server is not None  # it started this process
    wait([server.sentinel])
    end_group(os.getpid())


def end_group(pid: int) -> None:
    """End a worker and all processes that it started."""
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL) if hasattr(os, "killpg") else os.kill(pid, signal.SIGTERM)


def _megabytes_used() -> int:
    """Return the memory in use. 0 where the system doesn't tell."""
    file = Path("/proc/self/statm")
    return int(file.read_text().split()[1]) * os.sysconf("SC_PAGESIZE") // 2**20 if file.exists() else 0


_SPAWN = get_context("spawn")
Watch = Callable[[Progress], Coroutine[object, object, None]]


class _Process:
    """A worker, and its end of a pipe."""

    def __init__(self, limits: ServerLimits, roots: tuple[Path, ...]) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=serve, args=(theirs, limits, roots))
        self._process.start()
        theirs.close()

    def ask(self, request: Request, watch: Watch) -> ServedAnswer:
        """Return the answer, from a thread. Raise `InputError` if it fails, and EOFError or OSError if the process ends."""
        self._pipe.send(request)
        while isinstance(message := self._pipe.recv(), Progress):
            from_thread.run(watch, message)
        if isinstance(message, InputError):
            raise message
        answer: ServedAnswer = message
        return answer

    def end(self) -> None:
        """End the process and all that it started."""
        assert self._process.pid is not None  # it was started
        end_group(self._process.pid)
        self._process.kill()
        self._process.join()


async def _ignore(progress: Progress) -> None:
    """Watch nothing."""


class Service:
    """Tools, cases by name, and processes of a server.

    Processes start on demand. One that fails, is canceled, or takes too long is ended, and replaced by the next question.
    """

    def __init__(self, cases: Mapping[str, Path], limits: ServerLimits, *, may_post: bool = True) -> None:
        self.cases, self.limits = cases, limits
        self.toolbox = Toolbox(Registry.discover(), tuple(cases), may_post=may_post)
        self._roots = tuple({root_of(path) for path in cases.values()})
        self._free = CapacityLimiter(limits.workers)
        # As many more threads as a canceled answer may still occupy while its process ends.
        self._threads = CapacityLimiter(2 * limits.workers)
        self._idle: list[_Process] = []

    async def ask(self, name: str, arguments: object, form: str = JSON, watch: Watch = _ignore) -> ServedAnswer:
        """Return the answer of a tool to unchecked arguments, whose `case` may be the name of a case or a table. Its errors are in the answer.

        Raises:
            InputError: If an argument, the case, or the format is invalid, a limit refuses or ends the answer, or its process fails.
        """
        if form not in (formats := self.toolbox[name].formats):
            raise refused("FS939", "no such format of this answer", form, f"use {' or '.join(formats)}")
        if (waiting := self._free.statistics().tasks_waiting) >= self.limits.queue:
            raise refused("FS929", f"{waiting:,} questions wait already", fix="ask again later")
        with tempfile.TemporaryDirectory(prefix="friendshore-") as folder:
            request = self._request(name, arguments, form, Path(folder))
            async with self._free:
                return await self._answer(request, watch)

    async def _answer(self, request: Request, watch: Watch) -> ServedAnswer:
        answer, process = None, self._idle.pop() if self._idle else _Process(self.limits, self._roots)
        try:
            with fail_after(self.limits.seconds):
                answer = await to_thread.run_sync(
                    process.ask, request, watch, abandon_on_cancel=True, limiter=self._threads
                )
        except TimeoutError:
            fix = "ask about less, or start the server with more --seconds"
            raise refused("FS929", f"no answer within {self.limits.seconds:g} s", fix=fix) from None
        except (EOFError, OSError) as error:
            fix = "ask again, or see the server's log"
            raise refused("FS929", "the process that answered has ended", fix=fix) from error
        finally:
            if answer is not None and answer.megabytes <= self.limits.megabytes // 2:
                self._idle.append(process)
            else:
                process.end()
        return answer

    def close(self) -> None:
        """End all idle processes. Answers must have been canceled before."""
        while self._idle:
            self._idle.pop().end()

    def _request(self, name: str, arguments: object, form: str, folder: Path) -> Request:
        tool = self.toolbox[name]
        checked = tool.checked(arguments)
        named = {option: value for option, value in checked.items() if tool.options[option].is_case}
        posted = named.get(CASE)
        if not isinstance(posted, dict):
            return Request(name, checked | {option: self.cases[value] for option, value in named.items()}, form, folder)
        if len(named) > 1:
            raise refused("FS927", "a posted case can't be asked about with another", fix="give the server both cases")
        check_posted(posted)
        try:
            (folder / CASE_FILE).write_text(toml_text({"schema": 1, **posted}), encoding="utf-8")
        except (TypeError, ValueError) as error:
            raise refused("FS927", "a value can't be in a case", str(error), file=CASE) from error
        return Request(name, checked | {CASE: Path(CASE_FILE)}, form, folder, is_posted=True)

    def case_text(self, name: str) -> str:
        """Return the case file of a named case. Raise `InputError` if it isn't text, or is a link to elsewhere."""
        path = self.cases[name]
        fingerprint(path, [root_of(path)])
        try:
            return file_of(path).read_text(encoding="utf-8-sig")
        except ValueError:
            raise refused("FS939", "the case isn't text", fix="ask `check` about it", file=str(path)) from None


def named_cases(paths: Sequence[Path]) -> dict[str, Path]:
    """Return cases by name: that of the folder, or of another file. Raise `InputError` if one doesn't exist, or two have the same name."""
    cases: dict[str, Path] = {}
    for path in paths:
        file = file_of(path.resolve())
        name = file.parent.name if file.name == CASE_FILE else file.stem
        if not file.is_file():
            raise refused("FS200", "no such case", fix="name a case file or its folder", file=str(path))
        if name in cases:
            raise refused("FS987", "two cases have the same name", name, "rename a folder", str(path))
        cases[name] = path
    return cases
