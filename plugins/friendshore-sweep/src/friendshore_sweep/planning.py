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
from friendshore.errors import Diagnostic, FriendshoreError, InputError, SolverError, check_argument_type
from friendshore.plugins import Registry
from friendshore.plugins.processes import packed, unpacked
from friendshore.problem.inputs import Applied, Inputs
from friendshore.problem.shared import SharedData
from friendshore.questions.pools import LOST, OpenPool, WorkerPool, error_texts, local_pool, pool_on, run_in_pool
from friendshore.recommend.describe import purchases
from friendshore.recommend.gather import gather, refuse_old_prices
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore.solve import AnswerCache, Cancel, Limits, Progress
from friendshore.solve.engine import never
from friendshore.verify import VerifiedPlan, examine

from .grid import UNCHANGED
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
    check_parquet,
    open_journal,
    plan_keys,
    sort_journal,
    write_tables,
)

_THREAD_CASE = local()


@dataclass(frozen=True, slots=True, eq=False)
class SweptCase:
    """A case as sent to workers, once to each."""

    facts: Inputs
    answers: AnswerCache
    limits: Limits

    def local_pool(self, workers: int | None, scenarios: int) -> WorkerPool:
        return local_pool(workers, scenarios, self.limits.seconds)

    def packed(self) -> bytes:
        return packed(self, self.facts.rules)


@dataclass(frozen=True, slots=True)
class ScenarioTask:
    """A scenario as sent to a worker."""

    number: int
    applied: Applied
    case: str
    packed: bytes | None = None
    """The case, for a worker without it. None means that the worker has it."""
    stored_plan: str | None = None
    """A stored plan to verify, as JSON. None if there is none."""


def plan_scenario(task: ScenarioTask, cancel: Cancel | None = None) -> str | None:
    """Return the plan of a scenario as JSON: the stored one if it is valid, else a new one. None if the worker doesn't have the case.

    Raises InputError if the worker's software differs from the sender's.
    """
    case = _cached_case(task)
    if case is None:
        return None
    if task.stored_plan is not None and _is_valid(
        case, task.applied, StoredScenario.model_validate_json(task.stored_plan)
    ):
        return task.stored_plan
    return _plan_scenario(case, task.applied, cancel).model_dump_json()


def _is_valid(case: SweptCase, applied: Applied, stored: StoredScenario) -> bool:
    """Return True if a stored plan belongs to the scenario and has the stored figures. A stored error can't be verified, so it is accepted."""
    if not stored.entries:
        return stored.outcome.failed
    try:
        plan = Plan.model_validate_json(zlib.decompress(b64decode(stored.entries, validate=True)))
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified, _ = examine(inputs.problem(), plan)
    except (FriendshoreError, ValueError, zlib.error):
        return False
    return verified is not None and plan_figures(verified) == stored.outcome


def _cached_case(task: ScenarioTask) -> SweptCase | None:
    if getattr(_THREAD_CASE, "name", "") != task.case:
        if task.packed is None:
            return None
        case = unpacked(task.packed)
        assert isinstance(case, SweptCase)
        _THREAD_CASE.case = replace(case, facts=replace(case.facts, shared=SharedData()))
        _THREAD_CASE.name = task.case
    cached_case: SweptCase = _THREAD_CASE.case
    return cached_case


def _plan_scenario(case: SweptCase, applied: Applied, cancel: Cancel | None) -> StoredScenario:
    try:
        inputs = case.facts.apply(applied)
        refuse_old_prices(inputs, applied)
        verified = Session.open(inputs, case.limits, None, cancel, case.answers).verified
    except FriendshoreError as error:
        return StoredScenario(outcome=failed_plan(map(str, error.problems)))
    entries = verified.plan.model_dump_json(exclude_defaults=True).encode()
    return StoredScenario(outcome=plan_figures(verified), entries=b64encode(zlib.compress(entries)).decode())


def failed_plan(messages: Iterable[str]) -> ScenarioPlan:
    return ScenarioPlan(status=FAILED, message="; ".join(messages))


def plan_figures(verified: VerifiedPlan) -> ScenarioPlan:
    plan, purchase_list = verified.plan, purchases(verified.problem, verified.lines, verified.compliance)
    conflicts = "; ".join(f"rules conflict: {', '.join(conflict.rules)}" for conflict in plan.infeasible)
    short_kg = plan.short_by_demand
    return ScenarioPlan(
        status=plan.status.value,
        message=conflicts if plan.status is PlanStatus.INFEASIBLE else "",
        bound=exact(min(plan.bound, verified.cost.objective)),
        cost=verified.cost,
        demands_short=sum(1 for kilograms in short_kg.values() if kilograms),
        materials=tuple(_materials(verified, purchase_list)),
        purchases=tuple(_purchases(purchase_list)),
    )


def _materials(verified: VerifiedPlan, bought: Iterable[RunPurchase]) -> Iterable[ScenarioMaterial]:
    demands, none = verified.problem.demands, Decimal(0)
    material = {demand.id: demand.use.material.id for demand in demands}
    demand_kg = totals((material[demand.id], sum(demand.quantity, none)) for demand in demands)
    short_kg = totals((material[name], bought_kg) for name, bought_kg in verified.plan.short_by_demand.items())
    bought_kg = totals((purchase.material, purchase.quantity_kg) for purchase in bought)
    cost = totals((purchase.material, purchase.cost) for purchase in bought)
    for name in sorted({*demand_kg, *bought_kg}):
        figures = (exact(each.get(name, none)) for each in (demand_kg, short_kg, bought_kg, cost))
        names = ("wanted_kg", "short_kg", "bought_kg", "cost")
        yield ScenarioMaterial(material=name, **dict(zip(names, figures, strict=True)))


def _purchases(purchase_list: Iterable[RunPurchase]) -> Iterable[ScenarioPurchase]:
    groups = grouped(
        ((purchase.material, purchase.end_use, purchase.offer, purchase.place), purchase) for purchase in purchase_list
    )
    kilograms = totals((purchase.material, purchase.quantity_kg) for group in groups.values() for purchase in group)
    for (material, end_use, offer, place), group in sorted(groups.items()):
        quantity = sum((purchase.quantity_kg for purchase in group), Decimal(0))
        yield ScenarioPurchase(
            material=material,
            end_use=end_use,
            offer=offer,
            facility=group[0].facility,
            country=group[0].country,
            place=place,
            quantity_kg=exact(quantity),
            share=exact(quantity / kilograms[material]),
            cost=exact(sum((purchase.cost for purchase in group), Decimal(0))),
        )


def case_hash(packed: bytes) -> str:
    return sha256(packed).hexdigest()


DASK_TIMEOUT = 10.0
"""Maximum seconds to wait for a scheduler and its first worker."""


def dask(address: str, workers: int | None = None) -> WorkerPool:
    """Return the workers of a Dask scheduler. Raises InputError if Dask isn't installed."""
    try:
        from distributed import Client
    except ImportError as error:
        fix = 'run `pip install "friendshore-sweep[dask]"` here and on the machines of the workers'
        raise InputError("Dask isn't installed", column="--dask", found=address, fix=fix, code="FS963") from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        try:
            client = Client(address, timeout=DASK_TIMEOUT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            fix = "start one with `dask scheduler`, or correct the address"
            raise InputError(
                "no Dask scheduler answers", column="--dask", found=address, fix=fix, code="FS962"
            ) from error
        try:
            client.wait_for_workers(1, timeout=DASK_TIMEOUT)
            thread_count = sum(client.nthreads().values())
            # A task that is sent just before a scheduler ends is never reported. Its other tasks are canceled.
            with pool_on(client.get_executor(pure=False), workers or thread_count).opened() as pool:
                yield replace(pool, is_alive=lambda: client.status == "running")
        except TimeoutError as error:
            fix = f"start one with `dask worker {address} --nthreads 1`"
            raise InputError(
                "the Dask scheduler has no worker", column="--dask", found=address, fix=fix, code="FS962"
            ) from error
        finally:
            client.close(timeout=1)

    return WorkerPool(opened)


def executor_pool(name: str, workers: int | None = None) -> WorkerPool:
    """Return a pool on the executor that `module:factory` creates. The factory takes no arguments, and the executor is shut down after the sweep.

    Raises InputError if there is no such factory, or it returns no executor.
    """
    module, _, attribute = name.partition(":")
    fix = "write MODULE:FUNCTION, where the function returns an executor of `concurrent.futures`"
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(
            f"the executor can't be imported: {error}", column="--executor", found=name, fix=fix, code="FS962"
        ) from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        executor = factory() if callable(factory) else factory
        if not isinstance(executor, Executor):
            type_name = type(executor).__name__
            message = "the function doesn't return an executor"
            raise InputError(message, column="--executor", found=f"{name}: {type_name}", fix=fix, code="FS962")
        with executor, pool_on(executor, workers).opened() as pool:
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
    """Plan a case under each of many lists of changes, each by itself and as `plan` would.

    The answers are in the order of the lists. A scenario that fails has its error in its place, and doesn't end the others. The answer doesn't depend
    on the executor or the number of workers.

    Args:
        case: The case.
        changes: For each scenario, its changes, or everything that is applied to it.
        executor: Any executor of `concurrent.futures`. It isn't shut down. None means processes of this machine; the calling program must then start
            its work below `if __name__ == "__main__":`.
        catalogs: Catalogs in memory, in addition to those that the case names.
        rules: Rules in memory, in addition to those of the case and its packs.
        registry: Registry of catalogs, packs, and kinds. None means everything that is installed.
        gap: Relative distance from the bound at which a plan counts as cheapest.
        seconds: Time limit of each scenario. None means no limit.
        workers: Maximum number of scenarios planned at once. None means the number of processors or, with an executor, its number of workers. One
            means this process.
        folder: Folder for the plans and tables. None means that nothing is stored.
        resume: Reuse the plans in the folder. Each is verified again, and planned again if it fails.
        rerun: Plan failed scenarios of the folder again.
        parquet: Write the tables as Parquet too.
        progress: Called with the number of planned scenarios, of all scenarios, and seconds.
        cancel: No more scenarios are started once its `is_set()` is true.

    Raises:
        InputError: With all errors of the case, its catalogs, and packs. Also if the folder exists and `resume` is false.
        PluginError: If a plugin that the case needs is missing, broken, or ambiguous.
        SolverError: If the executor is lost. The plans so far are in the folder.
    """
    check_argument_type(case, "`sweep`", (Case,))
    gathered = gather(case, registry, catalogs, rules)
    change_lists = list(changes)
    scenarios = Scenarios(len(change_lists), lambda place: _scenario(change_lists[place]))
    swept_case = SweptCase(gathered.inputs, AnswerCache(), Limits(gap, seconds, 1))
    pool = swept_case.local_pool(workers, len(scenarios)) if executor is None else pool_on(executor, workers)
    store = SweepFolder(folder, resume or rerun, rerun, parquet)
    is_stopped = cancel.is_set if cancel is not None else never
    return run_sweep(swept_case, gathered.plugins, scenarios, pool, store, is_stopped, progress)


@dataclass(frozen=True, slots=True)
class SweepFolder:
    """Storage of a sweep."""

    folder: Path | None = None
    resume: bool = False
    rerun: bool = False
    parquet: bool = False


def run_sweep(
    case: SweptCase,
    plugins: Iterable[RunPlugin],
    scenarios: Sequence[SweepScenario],
    pool: WorkerPool,
    store: SweepFolder = SweepFolder(),
    is_stopped: Callable[[], bool] = never,
    progress: Progress | None = None,
) -> Sweep:
    """Plan scenarios of a case. Raises InputError if the folder can't be reused or written, and SolverError if the executor is lost."""
    if store.parquet:
        check_parquet(store.folder)
    settings = {"gap": case.limits.gap, "seconds": case.limits.seconds}
    scenario_keys = plan_keys(case.facts, plugins, settings, (scenario.applied for scenario in scenarios))
    with open_journal(store.folder, resume=store.resume, rerun=store.rerun) as journal:
        sweeping = _SweepRun(case, scenarios, scenario_keys, journal, is_stopped, progress)
        sweeping.run(pool)
    planned_positions = [place for place, name in enumerate(scenario_keys) if name in journal]
    sweep_result = Sweep(
        case=case.facts.case.name,
        currency=case.facts.case.currency,
        axes=tuple(dict.fromkeys(axis for scenario in scenarios for axis in scenario.varied)),
        scenarios=LazyScenarios(scenarios, planned_positions, lambda place: journal.plan(scenario_keys[place])),
        not_tried=len(scenarios) - len(planned_positions),
        reused=sum(name in sweeping.reused for name in scenario_keys),
    )
    if store.folder is not None:
        if not sweep_result.not_tried:
            sort_journal(store.folder, scenario_keys, journal)
        write_tables(sweep_result, store.folder, parquet=store.parquet)
    return sweep_result


def _scenario(changes: Sequence[Change] | Applied) -> SweepScenario:
    applied = changes if isinstance(changes, Applied) else Applied(changes=tuple(changes))
    parts = [*applied.scenario, *(change.text for change in applied.changes), *(["strict"] if applied.strict else [])]
    return SweepScenario(name="; ".join(parts) or UNCHANGED, applied=applied)


_RESUME = "start workers again; if the sweep has a folder, continue with --resume"


class _SweepRun:
    def __init__(
        self,
        case: SweptCase,
        scenarios: Sequence[SweepScenario],
        scenario_keys: Sequence[str],
        journal: Journal,
        is_stopped: Callable[[], bool],
        progress: Progress | None,
    ) -> None:
        self._scenarios, self._scenario_keys, self._journal = scenarios, scenario_keys, journal
        first_position = dict(zip(reversed(scenario_keys), reversed(range(len(scenario_keys))), strict=True))
        self._pending = sorted(first_position.values())
        """Positions of the scenarios to plan or verify. Equal scenarios share the first one's."""
        self._scenario_count_by_key = Counter(scenario_keys)
        self._done = 0
        self.reused: set[str] = set()
        self._packed = case.packed() if self._pending else b""
        self._stopped, self._progress = is_stopped, progress
        self._began = time.monotonic()

    def run(self, pool: WorkerPool) -> None:
        if self._stopped() or not self._pending:
            return
        retries: deque[ScenarioTask] = deque()
        try:
            with closing(run_in_pool(pool, plan_scenario, self._tasks, retries, self._stopped)) as done:
                for task, future in done:
                    self._store_result(task, future, retries)
        except SolverError as error:
            raise self._executor_lost(error.problems[0]) from error

    def _tasks(self, workers: int) -> Iterator[ScenarioTask]:
        name = case_hash(self._packed)
        for number, place in enumerate(self._pending):
            packed_case = self._packed if number < workers else None
            stored_plan = self._journal.known(self._scenario_keys[place])
            yield ScenarioTask(place, self._scenarios[place].applied, name, packed_case, stored_plan)

    def _store_result(self, task: ScenarioTask, future: Future[str | None], retries: deque[ScenarioTask]) -> None:
        error = future.exception()
        if error is not None:
            self._store_plan(task, StoredScenario(outcome=failed_plan(error_texts(error))).model_dump_json())
        elif (plan := future.result()) is not None:
            self._store_plan(task, plan)
        else:
            retries.appendleft(replace(task, packed=self._packed))

    def _store_plan(self, task: ScenarioTask, plan: str) -> None:
        name = self._scenario_keys[task.number]
        if plan == task.stored_plan:
            self.reused.add(name)
        self._journal.add(name, plan)
        self._done += self._scenario_count_by_key[name]
        if self._progress is not None:
            self._progress(self._done, len(self._scenario_keys), time.monotonic() - self._began)

    def _executor_lost(self, problem: Diagnostic) -> SolverError:
        progress = f"{self._done:,} of {len(self._scenario_keys):,} scenarios are planned"
        fix = _RESUME if problem == LOST else problem.fix
        return SolverError(replace(problem, message=f"{problem.message}; {progress}", fix=fix))
