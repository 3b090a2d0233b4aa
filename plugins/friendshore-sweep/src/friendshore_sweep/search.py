"""The scenarios of a sweep, handed out to workers and gathered again in their order, whichever of them are done first, and whoever dies meanwhile."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.used import RunPlugin
from friendshore.errors import A_CASE, Diagnostic, SolverError, takes
from friendshore.plugins import Registry
from friendshore.problem.inputs import Applied
from friendshore.questions.pools import LOST, WorkerPool, carried_out, given, told_of
from friendshore.recommend.gather import gather
from friendshore.rules.base import Rule
from friendshore.solve import AnswerCache, Cancel, Limits, Progress
from friendshore.solve.engines import never

from .grid import AS_IT_IS
from .journal import Journal, kept, keys, put_in_order
from .records import KeptScenario, Scenarios, Sweep, SweepScenario, SweptScenarios
from .tables import refuse_without_parquet, write_tables
from .worker import AskedScenario, SweptCase, failed, name_of, planned


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
        resume: go on with what a sweep of the same folder has planned already: each plan is verified again, and planned again if it does not hold.
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
    stated = list(changes)
    asked = Scenarios(len(stated), lambda place: _scenario(stated[place]))
    swept = SweptCase(gathered.inputs, AnswerCache(), Limits(gap, seconds, 1))
    pool = swept.here(workers, len(asked)) if executor is None else given(executor, workers)
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
    names = keys(case.facts, plugins, settings, (one.applied for one in asked))
    with kept(store.folder, resume=store.resume, rerun=store.rerun) as journal:
        sweeping = _Sweeping(case, asked, names, journal, stopped, progress)
        sweeping.run(pool)
    planned = [place for place, name in enumerate(names) if name in journal]
    found = Sweep(
        case=case.facts.case.name,
        currency=case.facts.case.currency,
        axes=tuple(dict.fromkeys(axis for one in asked for axis in one.varied)),
        scenarios=SweptScenarios(asked, planned, lambda place: journal.plan(names[place])),
        unasked=len(asked) - len(planned),
        kept=sum(name in sweeping.held for name in names),
    )
    if store.folder is not None:
        if not found.unasked:
            put_in_order(store.folder, names, journal)
        write_tables(found, store.folder, parquet=store.parquet)
    return found


def _scenario(given: Sequence[Change] | Applied) -> SweepScenario:
    applied = given if isinstance(given, Applied) else Applied(changes=tuple(given))
    told = [*applied.scenario, *(change.told for change in applied.changes), *(["strict"] if applied.strict else [])]
    return SweepScenario(name="; ".join(told) or AS_IT_IS, applied=applied)


_GO_ON = (
    "what is planned is in the folder of the sweep, if it has one: go on with --resume, once there are workers again"
)


class _Sweeping:
    """A sweep at work."""

    def __init__(
        self,
        case: SweptCase,
        asked: Sequence[SweepScenario],
        names: Sequence[str],
        journal: Journal,
        stopped: Callable[[], bool],
        progress: Progress | None,
    ) -> None:
        self._asked, self._names, self._journal = asked, names, journal
        first = dict(zip(reversed(names), reversed(range(len(names))), strict=True))
        self._left = sorted(first.values())
        """Places of what is to be planned, or checked: of scenarios that are the same, that of the first."""
        self._same = Counter(names)
        self._done = 0
        self.held: set[str] = set()
        """Scenarios whose plan was in the folder, and holds."""
        self._packed = case.packed() if self._left else b""
        self._stopped, self._progress = stopped, progress
        self._began = time.monotonic()

    def run(self, pool: WorkerPool) -> None:
        """Plans all that is not known.

        Raises:
            SolverError: if the executor is lost, and no other takes its place.
        """
        if self._stopped() or not self._left:
            return
        again: deque[AskedScenario] = deque()
        try:
            with closing(carried_out(pool, planned, self._tasks, again, self._stopped)) as done:
                for asked, future in done:
                    self._take(asked, future, again)
        except SolverError as error:
            raise self._gone(error.problems[0]) from error

    def _tasks(self, workers: int) -> Iterator[AskedScenario]:
        """All scenarios; the first ones take the case along, one for each worker."""
        name = name_of(self._packed)
        for number, place in enumerate(self._left):
            along = self._packed if number < workers else None
            known = self._journal.known(self._names[place])
            yield AskedScenario(place, self._asked[place].applied, name, along, known)

    def _take(self, asked: AskedScenario, future: Future[str | None], again: deque[AskedScenario]) -> None:
        """Keeps a plan; a worker that has not got the case is sent it."""
        error = future.exception()
        if error is not None:
            self._keep(asked, KeptScenario(told=failed(told_of(error))).model_dump_json())
        elif (plan := future.result()) is not None:
            self._keep(asked, plan)
        else:
            again.appendleft(replace(asked, packed=self._packed))

    def _keep(self, asked: AskedScenario, plan: str) -> None:
        name = self._names[asked.number]
        if plan == asked.known:
            self.held.add(name)
        self._journal.add(name, plan)
        self._done += self._same[name]
        if self._progress is not None:
            self._progress(self._done, len(self._names), time.monotonic() - self._began)

    def _gone(self, problem: Diagnostic) -> SolverError:
        kept = f"{self._done:,} of {len(self._names):,} scenarios are planned"
        fix = _GO_ON if problem == LOST else problem.fix
        return SolverError(replace(problem, message=f"{problem.message}; {kept}", fix=fix))
