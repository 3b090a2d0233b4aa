"""A process that answers: it runs the functions of commands, and keeps the plans that they make."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sys
import tempfile
import traceback
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import chdir, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import Any, NamedTuple

from friendshore.case import load_case
from friendshore.case.confined import check_confined, file_of, fingerprint, root_of
from friendshore.cli.host import Host, Printed, run_hosted
from friendshore.cli.output import screen_text
from friendshore.document.elements import Document
from friendshore.domain.case import Case
from friendshore.domain.runtime import Watcher
from friendshore.domain.time import today
from friendshore.errors import Diagnostic, FriendshoreError
from friendshore.plugins import Registry
from friendshore.recommend import Checked, Opened, Recommendation
from friendshore.report import errors_data, headline_of, problem_lines
from friendshore.report.caveats import caveat_data
from friendshore.report.formats import format_named, rendered
from friendshore.run import json_text

from .tools import ServerLimits, Toolbox, refused

_SECONDS_BETWEEN_REPORTS = 0.2
_ANSWERED = (0, 6)
"""Exit codes of an answer. 6 is a plan whose rules conflict."""


@dataclass(frozen=True, slots=True)
class Request:
    """A checked question."""

    tool: str
    arguments: Mapping[str, Any]
    """With paths in place of cases."""
    form: str
    """Output format. Empty means JSON."""
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
    notes: tuple[str, ...] = ()
    about: Mapping[str, Any] = field(default_factory=dict)
    """The plan behind it: run, status, bound, verification, dates, and caveats. Empty if there is none."""
    file: bytes | None = None
    """The answer in the output format of the request."""
    failure: FriendshoreError | None = None
    """Failure of the process, which must be replaced."""
    megabytes: int = 0
    """Memory that the process uses."""


class Progress(NamedTuple):
    """Progress of an answer."""

    done: int
    total: int
    activity: str


class PlanKeeper(Host):
    """A program that keeps plans. A question gets a copy of a kept session, so that its answer doesn't depend on earlier questions."""

    def __init__(self, max_plans: int, report: Callable[[Progress], None]) -> None:
        self._max_plans, self._report, self._reported = max_plans, report, 0.0
        self._registry = Registry.discover()
        self._results: OrderedDict[object, Any] = OrderedDict()
        self.states: dict[Path, str] = {}
        """Case file of the current question -> fingerprint of its files."""
        self.used: list[tuple[Recommendation, Mapping[str, Any]]] = []
        """Plans of the current question, each with what is known about it."""
        self.screen = ""

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
        self.screen = screen_text(document())

    def check(self, case: Path, registry: Registry, *, strict: bool) -> Checked:
        check = partial(super().check, case, registry, strict=strict)
        checked: Checked = self._kept(("check", self.states[file_of(case)], strict), check)
        return checked

    def plan(self, case: Case, **options: Any) -> Recommendation:
        return self._planned(case.file or Path(), lambda: case, options)

    def _planned(self, file: Path, read: Callable[[], Case], options: Mapping[str, Any]) -> Recommendation:
        def make() -> tuple[Recommendation, Mapping[str, Any]]:
            recommendation = super(PlanKeeper, self).plan(read(), **options)
            return recommendation, about_plan(recommendation)

        own = ("registry", "progress", "cancel", "workers", "limits")
        choices = sorted((name, repr(value)) for name, value in options.items() if name not in own and value)
        # A plan depends on no date, but its run states the age of data.
        kept = self._kept((self.states[file], *choices, today()), make)
        self.used.append(kept)
        recommendation: Recommendation = kept[0]
        return recommendation

    def _kept(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self._results:
            while len(self._results) >= self._max_plans:
                self._results.popitem(last=False)
            self._results[key] = make()
        self._results.move_to_end(key)
        return self._results[key]

    def reopen(self, path: Path, **options: Any) -> Opened:
        limits = options.pop("limits")
        made = self._planned(file_of(path), partial(load_case, path), options | {"gap": limits.gap})
        assert made.unused_session is not None  # it was never pickled
        session = replace(made.unused_session.copy(), limits=limits, cancel=options["cancel"])
        return replace(made.opened, session=session, path=path)


def about_plan(recommendation: Recommendation) -> dict[str, Any]:
    """Return what to know before relying on an answer. `run` is the hash of what `plan --json` prints."""
    run = recommendation.run
    data = recommendation.to_dict() | {"headline": headline_of(run).model_dump(mode="json")}
    days = [str(plugin.as_of) for plugin in run.plugins if plugin.has_facts and plugin.as_of is not None]
    return {
        "case": run.case,
        "run": hashlib.sha256(json_text(data).encode()).hexdigest(),
        "status": run.status.value,
        "objective": float(run.objective),
        "bound": float(run.bound),
        "currency": run.currency,
        "verified": run.verified,
        "planned_on": str(run.planned_on),
        "oldest_data_as_of": min(days, default=None),
        "unproven": len(run.unproven),
        "short": sorted(run.shortage_kg),
        "caveats": caveat_data(run),
    }


class Worker:
    """Answers requests, one after another."""

    def __init__(self, limits: ServerLimits, roots: tuple[Path, ...], report: Callable[[Progress], None]) -> None:
        self._roots = roots
        self._confined: dict[str, frozenset[Path]] = {}
        """State of a case that stays in its folders -> other roots that it names."""
        self._host = PlanKeeper(limits.plans, report)
        self._toolbox = Toolbox(self._host.registry(), ())

    def answer(self, request: Request) -> ServedAnswer:
        host, tool, file = self._host, self._toolbox[request.tool], None
        host.states, host.used, host.screen = {}, [], ""
        tempfile.tempdir = str(
            request.folder
        )  # for all temporary files of the answer, so that the server can remove them
        out = request.folder / f"answer.{request.form}"
        values = tool.values(request.arguments) | ({"out": out} if request.form and tool.is_question else {})
        try:
            with chdir(request.folder if request.is_posted else "."):
                self._confine(request)
                printed = run_hosted(host, tool.function, values)
                is_refused = printed.code not in _ANSWERED and tool.name != "check"
                if request.form and not is_refused:
                    file = out.read_bytes() if tool.is_question else self._page(request.form)
        except FriendshoreError as error:
            printed, is_refused = Printed(error.exit_code, json_text(errors_data(error)), ()), True
        if is_refused:
            host.screen = "\n".join(problem_lines(Diagnostic(**each) for each in json.loads(printed.out)["errors"]))
        about = host.used[0][1] if host.used else {}
        return ServedAnswer(printed.out, is_refused, host.screen, printed.notes, about, file)

    def _page(self, name: str) -> bytes:
        form, run = format_named(name, self._host.registry()), self._host.used[0][0].run
        return rendered(form.of_run(run, None, ()), form, f"answer.{name}")

    def _confine(self, request: Request) -> None:
        """Note the state of the files of all cases, and raise `InputError` if one leaves its folder. A posted case has passed `check_posted`."""
        for case in (value for value in request.arguments.values() if isinstance(value, Path)):
            roots = (*self._roots, root_of(case))
            state = hashlib.sha256(case.read_bytes()).hexdigest() if request.is_posted else fingerprint(case, roots)
            if state not in self._confined:
                self._confined[state] = check_confined(case, roots)
            state += "".join(fingerprint(root, roots) for root in sorted(self._confined[state]))
            self._host.states[file_of(case)] = state


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
            request = requests.recv()
            try:
                answer = worker.answer(request)
            except MemoryError:
                fix = "ask about less, or start the server with more --memory"
                answer = ServedAnswer(
                    "", failure=refused("FS929", f"the answer needs more than {limits.megabytes:,} MB", fix=fix)
                )
            except Exception as error:  # noqa: BLE001 - a bug, or no memory: it is reported, and the process replaced
                traceback.print_exc()
                answer = ServedAnswer(
                    "",
                    failure=refused(
                        "FS989", "friendshore failed", repr(error), "report this bug, with the server's log"
                    ),
                )
            requests.send(replace(answer, megabytes=_megabytes_used()))


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
