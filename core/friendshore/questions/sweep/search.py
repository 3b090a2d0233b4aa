"""The scenarios of a sweep, handed out to workers and gathered again in their order, whichever of them are done first, and whoever dies meanwhile."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from ...domain.case import Case
from ...domain.change import Change
from ...domain.facts import Catalog
from ...domain.used import RunPlugin
from ...domain.workers import finished
from ...errors import A_CASE, Diagnostic, FriendshoreError, SolverError, takes
from ...plugins import Registry
from ...problem.inputs import Applied
from ...recommend.gather import gather
from ...rules.base import Rule
from ...solve import AnswerCache, Cancel, Limits, Progress
from ...solve.engine import never
from .grid import AS_IT_IS
from .journal import Journal, kept, keys, put_in_order
from .pools import OpenPool, WorkerPool, given, here
from .records import FAILED, ScenarioPlan, Sweep, SweepScenario, SweptScenario
from .tables import refuse_without_parquet, write_tables
from .worker import AskedScenario, SweptCase, name_of

AHEAD = 2
"""Scenarios handed out for each worker: one that it plans, one that waits."""


@takes(Case, A_CASE)
def sweep(
    case: Case,
    changes: Iterable[Sequence[Change] | Applied],
    *,
    executor: Executor | None = None,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    registry: Registry | None = None,
    gap: float = 1e-6,
    seconds: float | None = None,
    workers: int | None = None,
    folder: Path | None = None,
    resume: bool = False,
    rerun: bool = False,
    parquet: bool = False,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Sweep:
    """Plans a case under each of many lists of changes, each by itself and as `plan` would; the answers are in the order of the lists.

    What goes wrong with one is told in its place, and ends nothing. The answer is the same whatever the executor and the number of workers.

    Args:
        case: what is wanted; see `friendshore.load_case`.
        changes: for each scenario, the changes of the case, or all that is applied to it.
        executor: any executor of `concurrent.futures`, which stays open; None: processes of this machine (then, as for every program that starts
            processes, what the program does stands below `if __name__ == "__main__":`).
        catalogs: catalogs given in memory, beside those that the case names.
        rules: rules given in memory, beside those of the case and its packs.
        registry: where names of catalogs, packs and kinds are looked up; None: what is installed.
        gap: relative distance from the bound at which a plan is taken as cheapest.
        seconds: time limit of each scenario; None: each is searched until it is proved.
        workers: processes, or scenarios planned at once on the executor; None: the processors, or as many as the executor says. One: this process.
        folder: where plans are kept as they come, and the tables of all written in the end; None: nowhere.
        resume: go on with what a sweep of the same folder has planned already.
        rerun: plan again what failed there.
        parquet: write the tables as Parquet too.
        progress: told scenarios planned, all of them, and seconds.
        cancel: once its `is_set()` is true, no more scenarios are begun.

    Raises:
        InputError: with everything that is wrong with the case, its catalogs and packs; if the folder is there and is not to be taken up.
        PluginError: if a plugin that the case needs is missing, broken or ambiguous.
        SolverError: if the executor is lost: what was planned until then is kept in the folder.
    """
    gathered = gather(case, registry, catalogs, rules)
    asked = [_scenario(one) for one in changes]
    pool = here(workers, len(asked)) if executor is None else given(executor, workers)
    swept = SweptCase(gathered.inputs, gathered.records, AnswerCache(), Limits(gap, seconds, 1))
    store = SweepFolder(folder, resume or rerun, rerun, parquet)
    stopped = cancel.is_set if cancel is not None else never
    return run_sweep(swept, gathered.plugins, asked, pool, store, stopped, progress)


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """Where a sweep is kept."""

    folder: Path | None = None
    """None: nowhere."""
    resume: bool = False
    """Whether what the folder holds is taken up."""
    rerun: bool = False
    """Whether what failed there is planned again."""
    parquet: bool = False
    """Whether tables are written as Parquet too."""


def run_sweep(
    case: SweptCase,
    plugins: Iterable[RunPlugin],
    asked: Sequence[SweepScenario],
    pool: WorkerPool,
    store: SweepFolder = SweepFolder(),
    stopped: Callable[[], bool] = never,
    progress: Progress | None = None,
) -> Sweep:
    """The plans of some scenarios of a case.

    Raises:
        InputError: if the folder cannot be taken up or written, or there is no executor.
        SolverError: if the executor is lost.
    """
    if store.parquet:
        refuse_without_parquet(store.folder)
    settings = {"gap": case.limits.gap, "seconds": case.limits.seconds}
    names = keys(case.facts, plugins, settings, [one.applied for one in asked])
    with kept(store.folder, resume=store.resume, rerun=store.rerun) as journal:
        _Sweeping(case, dict(zip(names, asked, strict=True)), names, journal, stopped, progress).run(pool)
        plans = [journal.known.get(name) for name in names]
    scenarios = [
        SweptScenario(number=number, name=one.name, varied=one.varied, plan=ScenarioPlan.model_validate_json(plan))
        for number, (one, plan) in enumerate(zip(asked, plans, strict=True), 1)
        if plan is not None
    ]
    found = Sweep(
        case=case.facts.case.name,
        currency=case.facts.case.currency,
        axes=tuple(dict.fromkeys(axis for one in asked for axis in one.varied)),
        scenarios=tuple(scenarios),
        unasked=len(asked) - len(scenarios),
    )
    if store.folder is not None:
        if not found.unasked:
            put_in_order(store.folder, names, [plan for plan in plans if plan is not None])
        write_tables(found, store.folder, parquet=store.parquet)
    return found


def _scenario(given: Sequence[Change] | Applied) -> SweepScenario:
    applied = given if isinstance(given, Applied) else Applied(changes=tuple(given))
    told = [*applied.scenario, *(change.told for change in applied.changes), *(["strict"] if applied.strict else [])]
    return SweepScenario(name="; ".join(told) or AS_IT_IS, applied=applied)


class _Sweeping:
    """A sweep at work."""

    def __init__(
        self,
        case: SweptCase,
        asked: Mapping[str, SweepScenario],
        names: Sequence[str],
        journal: Journal,
        stopped: Callable[[], bool],
        progress: Progress | None,
    ) -> None:
        self._keys = [key for key in asked if key not in journal.known]
        self._packed = case.packed() if self._keys else b""
        name = name_of(self._packed)
        self._tasks = deque(AskedScenario(number, asked[key].applied, name) for number, key in enumerate(self._keys))
        self._suspects: deque[AskedScenario] = deque()
        """Handed out when a worker died: each may be why."""
        self._names, self._journal, self._stopped, self._progress = names, journal, stopped, progress
        self._began = time.monotonic()

    def run(self, pool: WorkerPool) -> None:
        """Plans all that is not known.

        A scenario that was handed out when a process died is tried again by itself: if that one dies too, it is told as failed.

        Raises:
            SolverError: if the executor is lost, and no other takes its place.
        """
        while (self._tasks or self._suspects) and not self._stopped():
            alone = bool(self._suspects)
            queue = self._suspects if alone else self._tasks
            with pool.opened() as running:
                whole, lost = self._through(running, queue, 1 if alone else AHEAD * running.workers)
                begun = running.begun()
            if whole:
                continue
            if not pool.renewed or not begun:
                raise self._gone(_NEVER_BEGUN if pool.renewed else _GONE)
            if alone:
                self._keep(lost[0], _failed("the process that planned it died, twice"))
            else:
                self._suspects.extend(lost)

    def _through(self, running: OpenPool, queue: deque[AskedScenario], most: int) -> tuple[bool, list[AskedScenario]]:
        """Has an executor plan what is in a queue: whether it was there to the end, and else what it had when it was lost; the rest stays in the queue."""
        for first in range(min(running.workers, most, len(queue))):
            queue[first] = replace(queue[first], packed=self._packed)
        look = _Look(running, queue, self._stopped)
        whole, lost, rest = True, list[AskedScenario](), list[AskedScenario]()
        try:
            with closing(finished(running.executor, running.do, queue, most, look)) as ended:
                for asked, future in ended:
                    if _is_lost(future):
                        whole = False
                        lost.append(replace(asked, packed=None))
                        rest += queue
                        queue.clear()
                    elif not (look.stopping and running.stop):
                        self._take(asked, future, queue)
                    look()
        except BrokenExecutor:
            whole = False
        queue.extend(rest)
        return whole or look.stopping, lost

    def _take(self, asked: AskedScenario, future: Future[str | None], queue: deque[AskedScenario]) -> None:
        """Keeps a plan; a worker that has not got the case is sent it."""
        error = future.exception()
        if error is not None:
            problems = error.problems if isinstance(error, FriendshoreError) else [f"{type(error).__name__}: {error}"]
            self._keep(asked, _failed("; ".join(map(str, problems))))
        elif (plan := future.result()) is not None:
            self._keep(asked, plan)
        else:
            queue.appendleft(replace(asked, packed=self._packed))

    def _keep(self, asked: AskedScenario, plan: str) -> None:
        self._journal.add(self._keys[asked.number], plan)
        if self._progress is not None:
            self._progress(self._done, len(self._names), time.monotonic() - self._began)

    @property
    def _done(self) -> int:
        return sum(1 for name in self._names if name in self._journal.known)

    def _gone(self, problem: Diagnostic) -> SolverError:
        kept = f"{self._done:,} of {len(self._names):,} scenarios are planned"
        return SolverError(replace(problem, message=f"{problem.message}; {kept}"))


class _Look:
    """Looks whether the sweep is to end: then nothing more is begun; and whether the executor is still there."""

    def __init__(self, running: OpenPool, queue: deque[AskedScenario], stopped: Callable[[], bool]) -> None:
        self._running, self._queue, self._stopped = running, queue, stopped
        self.stopping = False

    def __call__(self) -> None:
        if not self._running.alive():
            raise BrokenExecutor
        if not self.stopping and self._stopped():
            self.stopping = True
            self._queue.clear()
            if self._running.stop is not None:
                self._running.stop()


_GONE = Diagnostic(
    "the executor is lost",
    fix="what is planned is in the folder of the sweep, if it has one: go on with --resume, once there are workers again",
)
_NEVER_BEGUN = Diagnostic(
    "processes of the sweep die before they plan anything",
    fix='in a program of your own, let what it does stand below `if __name__ == "__main__":`; or plan in this process: workers=1',
)


def _is_lost(future: Future[str | None]) -> bool:
    """Whether it says nothing of the scenario, since who had it is gone."""
    try:
        return isinstance(future.exception(), BrokenExecutor)
    except CancelledError:
        return True


def _failed(message: str) -> str:
    return ScenarioPlan(status=FAILED, message=message).model_dump_json()
