"""Planning of many scenarios, on the processors of this machine or on a cluster."""

from __future__ import annotations

import time
import zlib
from base64 import b64decode, b64encode
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from threading import local

from friendshore.domain.base import exact, grouped, totals
from friendshore.domain.case import Case
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.domain.run import RunPurchase
from friendshore.domain.used import RunPlugin
from friendshore.errors import Diagnostic, FriendshoreError, InputError, SolverError, refuse_other_types
from friendshore.plugins import Registry
from friendshore.plugins.processes import packed, unpacked
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.kept import Kept
from friendshore.questions.pools import LOST, OpenPool, WorkerPool, carried_out, given, here, told_of
from friendshore.recommend.describe import purchases
from friendshore.recommend.gather import gather, refuse_old_prices
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import AnswerCache, Cancel, Limits, Progress
from friendshore.solve.engine import never
from friendshore.verify import VerifiedPlan, examine

from .grid import AS_IT_IS
from .results import (
    FAILED,
    Journal,
    LazyScenarios,
    ScenarioMaterial,
    ScenarioPlan,
    ScenarioPurchase,
    Scenarios,
    StoredScenario,
    Sweep,
    SweepScenario,
    kept,
    keys,
    put_in_order,
    refuse_without_parquet,
    write_tables,
)

_HERE = local()
"""Cases of this thread. No other thread shares them."""


@dataclass(frozen=True, slots=True, eq=False)
class SweptCase:
    """A case as sent to workers, once to each."""

    facts: Inputs
    """Facts without changes."""
    answers: AnswerCache
    """Solutions of components."""
    limits: Limits
    """Limits of each scenario."""

    def here(self, workers: int | None, scenarios: int) -> WorkerPool:
        """Return a pool of processes on this machine."""
        return here(workers, scenarios, self.limits.seconds)

    def packed(self) -> bytes:
        """Return the case with the code that it needs, pickled."""
        return packed(self, self.facts.rules)


@dataclass(frozen=True, slots=True)
class ScenarioTask:
    """A scenario as sent to a worker."""

    number: int
    """Position, from 0."""
    applied: Applied
    case: str
    """Hash of its case."""
    packed: bytes | None = None
    """The case, for a worker without it. Usually None."""
    known: str | None = None
    """A stored plan to verify, as JSON, if there is one."""


def planned(asked: ScenarioTask, cancel: Cancel | None = None) -> str | None:
    """Return the plan of a scenario as JSON: the stored one if it is valid, else a new one. None if the worker doesn't have the case.

    Raises:
        InputError: If the worker's software differs from the sender's.
    """
    case = _case(asked)
    if case is None:
        return None
    if asked.known is not None and _holds(case, asked.applied, StoredScenario.model_validate_json(asked.known)):
        return asked.known
    return _planned(case, asked.applied, cancel).model_dump_json()


def _holds(case: SweptCase, applied: Applied, known: StoredScenario) -> bool:
    """Return True if a stored plan belongs to the scenario and has the stored figures. A stored error can't be verified."""
    if not known.entries:
        return known.told.failed
    try:
        plan = Plan.model_validate_json(zlib.decompress(b64decode(known.entries, validate=True)))
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified, _ = examine(inputs.problem(), plan)
    except (FriendshoreError, ValueError, zlib.error):
        return False
    return verified is not None and told(verified) == known.told


def _case(asked: ScenarioTask) -> SweptCase | None:
    if getattr(_HERE, "name", "") != asked.case:
        if asked.packed is None:
            return None
        case = unpacked(asked.packed)
        assert isinstance(case, SweptCase)
        _HERE.case = replace(case, facts=replace(case.facts, kept=Kept()))
        _HERE.name = asked.case
    held: SweptCase = _HERE.case
    return held


def _planned(case: SweptCase, applied: Applied, cancel: Cancel | None) -> StoredScenario:
    try:
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified = Session.open(inputs, case.limits, None, cancel, case.answers).verified
    except FriendshoreError as error:
        return StoredScenario(told=failed(map(str, error.problems)))
    entries = verified.plan.model_dump_json(exclude_defaults=True).encode()
    return StoredScenario(told=told(verified), entries=b64encode(zlib.compress(entries)).decode())


def failed(messages: Iterable[str]) -> ScenarioPlan:
    """Return the result for a scenario without a plan."""
    return ScenarioPlan(status=FAILED, message="; ".join(messages))


def told(verified: VerifiedPlan) -> ScenarioPlan:
    """Return the figures of a verified plan."""
    plan, bought = verified.plan, purchases(verified.problem, verified.lines, verified.judging)
    conflicts = "; ".join(f"rules conflict: {', '.join(one.rules)}" for one in plan.infeasible)
    short = plan.short_by_demand
    return ScenarioPlan(
        status=plan.status.value,
        message=conflicts if plan.status is PlanStatus.INFEASIBLE else "",
        bound=exact(min(plan.bound, verified.cost.objective)),
        cost=verified.cost,
        demands_short=sum(1 for kilograms in short.values() if kilograms),
        materials=tuple(_materials(verified, bought)),
        purchases=tuple(_purchases(bought)),
    )


def _materials(verified: VerifiedPlan, bought: Iterable[RunPurchase]) -> Iterable[ScenarioMaterial]:
    demands, none = verified.problem.demands, Decimal(0)
    material = {demand.id: demand.use.material.id for demand in demands}
    wanted = totals((material[demand.id], sum(demand.quantity, none)) for demand in demands)
    short = totals((material[name], kilograms) for name, kilograms in verified.plan.short_by_demand.items())
    kilograms = totals((one.material, one.quantity_kg) for one in bought)
    money = totals((one.material, one.cost) for one in bought)
    for name in sorted({*wanted, *kilograms}):
        figures = (exact(each.get(name, none)) for each in (wanted, short, kilograms, money))
        names = ("wanted_kg", "short_kg", "bought_kg", "cost")
        yield ScenarioMaterial(material=name, **dict(zip(names, figures, strict=True)))


def _purchases(bought: Iterable[RunPurchase]) -> Iterable[ScenarioPurchase]:
    groups = grouped(((one.material, one.end_use, one.offer, one.place), one) for one in bought)
    kilograms = totals((one.material, one.quantity_kg) for group in groups.values() for one in group)
    for (material, end_use, offer, place), group in sorted(groups.items()):
        quantity = sum((one.quantity_kg for one in group), Decimal(0))
        yield ScenarioPurchase(
            material=material,
            end_use=end_use,
            offer=offer,
            facility=group[0].facility,
            country=group[0].country,
            place=place,
            quantity_kg=exact(quantity),
            share=exact(quantity / kilograms[material]),
            cost=exact(sum((one.cost for one in group), Decimal(0))),
        )


def name_of(packed: bytes) -> str:
    """Return the hash of a pickled case."""
    return sha256(packed).hexdigest()


DASK_TIMEOUT = 10.0
"""Maximum seconds to wait for a scheduler and its first worker."""


def dask(address: str, workers: int | None = None) -> WorkerPool:
    """Return the workers of a Dask scheduler.

    Raises:
        InputError: If Dask isn't installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        fix = 'pip install "friendshore-sweep[dask]", here and where the workers are'
        raise InputError("Dask is not installed", column="--dask", found=address, fix=fix) from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        try:
            client = Client(address, timeout=DASK_TIMEOUT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            fix = "start one there (`dask scheduler`), or mend the address"
            raise InputError("no Dask scheduler answers", column="--dask", found=address, fix=fix) from error
        try:
            client.wait_for_workers(1, timeout=DASK_TIMEOUT)
            found = sum(client.nthreads().values())
            # What is handed out just before a scheduler goes comes back to nobody; all else that it had is cancelled.
            with given(client.get_executor(pure=False), workers or found).opened() as pool:
                yield replace(pool, alive=lambda: client.status == "running")
        except TimeoutError as error:
            fix = f"start some: `dask worker {address} --nthreads 1`"
            raise InputError("the Dask scheduler has no worker", column="--dask", found=address, fix=fix) from error
        finally:
            client.close(timeout=1)

    return WorkerPool(opened)


def named(name: str, workers: int | None = None) -> WorkerPool:
    """Return a pool on the executor that `module:factory` creates. The factory takes no arguments, and the executor is shut down after the sweep.

    Raises:
        InputError: If there is no such factory, or it returns no executor.
    """
    module, _, attribute = name.partition(":")
    fix = "name a module that can be imported and a function in it that returns an executor of `concurrent.futures`"
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"no executor of this name: {error}", column="--executor", found=name, fix=fix) from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        executor = factory() if callable(factory) else factory
        if not isinstance(executor, Executor):
            found = type(executor).__name__
            raise InputError("it makes no executor", column="--executor", found=f"{name}: {found}", fix=fix)
        with executor, given(executor, workers).opened() as pool:
            yield pool

    return WorkerPool(opened)


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
    refuse_other_types(case, "`sweep`", (Case,))
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
    """Storage of a sweep."""

    folder: Path | None = None
    """None to store nothing."""
    resume: bool = False
    """True to reuse the folder's plans."""
    rerun: bool = False
    """True to plan failed scenarios again."""
    parquet: bool = False
    """True to write tables as Parquet too."""


def run_sweep(
    case: SweptCase,
    plugins: Iterable[RunPlugin],
    asked: Sequence[SweepScenario],
    pool: WorkerPool,
    store: SweepFolder = SweepFolder(),
    stopped: Callable[[], bool] = never,
    progress: Progress | None = None,
) -> Sweep:
    """Plan scenarios of a case.

    Raises:
        InputError: If the folder can't be reused or written, or there is no executor.
        SolverError: If the executor is lost.
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
        scenarios=LazyScenarios(asked, planned, lambda place: journal.plan(names[place])),
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
    """A running sweep."""

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
        """Positions of the scenarios to plan or verify. Equal scenarios share the first one's."""
        self._same = Counter(names)
        self._done = 0
        self.held: set[str] = set()
        """Scenarios with a valid stored plan."""
        self._packed = case.packed() if self._left else b""
        self._stopped, self._progress = stopped, progress
        self._began = time.monotonic()

    def run(self, pool: WorkerPool) -> None:
        """Plan all scenarios that have no plan.

        Raises:
            SolverError: If the executor is lost, and no other replaces it.
        """
        if self._stopped() or not self._left:
            return
        again: deque[ScenarioTask] = deque()
        try:
            with closing(carried_out(pool, planned, self._tasks, again, self._stopped)) as done:
                for asked, future in done:
                    self._take(asked, future, again)
        except SolverError as error:
            raise self._gone(error.problems[0]) from error

    def _tasks(self, workers: int) -> Iterator[ScenarioTask]:
        """Yield all scenarios. The first ones include the case, one for each worker."""
        name = name_of(self._packed)
        for number, place in enumerate(self._left):
            along = self._packed if number < workers else None
            known = self._journal.known(self._names[place])
            yield ScenarioTask(place, self._asked[place].applied, name, along, known)

    def _take(self, asked: ScenarioTask, future: Future[str | None], again: deque[ScenarioTask]) -> None:
        """Store a plan, or send the case to a worker without it."""
        error = future.exception()
        if error is not None:
            self._keep(asked, StoredScenario(told=failed(told_of(error))).model_dump_json())
        elif (plan := future.result()) is not None:
            self._keep(asked, plan)
        else:
            again.appendleft(replace(asked, packed=self._packed))

    def _keep(self, asked: ScenarioTask, plan: str) -> None:
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
