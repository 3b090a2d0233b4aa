"""Planning: from a case to a recommendation. The body of `plan` reads as the algorithm."""

# A `Recommendation` contains the run, its verified plan, and everything needed to check it elsewhere (`recheck`).
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias, get_args

from ..document.notebook import ShownOnScreen, document_by
from ..errors import CHANGES, tuple_of
from ..errors import InputError, check_argument_type
from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog
from ..domain.runtime import SESSION_MEGABYTES
from ..domain.plan import Cost, PlanStatus
from ..domain.run import Run
from ..domain.time import PeriodLength
from ..plugins import Registry
from ..problem.inputs import Applied
from ..reading.records import record
from ..rules.base import Rule
from ..session import Session
from ..solve import ENGINES, Cancel, Engines, Limits, Progress
from ..verify import VerifiedPlan
from .check import Checked as Checked, check as check
from .describe import describe
from .facts import facts_of as facts_of
from .gather import Gathered as Gathered, gather as gather, refuse_old_prices as refuse_old_prices
from .law import verdicts as verdicts
from .lock import check_lock as check_lock, lock_of as lock_of, write_lock as write_lock
from .lock_file import LOCK_FILE as LOCK_FILE, Lock as Lock, read_lock as read_lock
from .recheck import recheck as recheck, reverify as reverify
from .relaxed import with_relaxed_limits
from .reopen import Opened as Opened, reopen as reopen
from .verify_run import (
    CheckAnswer as CheckAnswer,
    CheckRequest as CheckRequest,
    ProofEffort as ProofEffort,
    RunCheck as RunCheck,
    RunChecker as RunChecker,
    checker_named as checker_named,
    verify_run as verify_run,
    verify_stored as verify_stored,
)

if TYPE_CHECKING:
    import pandas

    from ..document.elements import Document


def session_of(source: PlanSource) -> Session:
    """Return the solved case that a question is about. A case is planned first. Raises the errors of `plan`, and `InputError` for anything else."""
    if isinstance(source, Session):
        return source
    if isinstance(source, Recommendation):
        return source.session
    check_argument_type(source, "a question", (Case, Session, Recommendation))
    return plan(source, strict_limits=True).session


def plan(
    case: Case,
    *,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    registry: Registry | None = None,
    scenario: str | Sequence[str] = (),
    changes: Sequence[Change] = (),
    strict: bool = False,
    strict_limits: bool = False,
    period: PeriodLength | None = None,
    time_limit: float | None = None,
    gap: float = 1e-6,
    workers: int | None = None,
    engines: Engines | None = None,
    memory_mb: float = SESSION_MEGABYTES,
    lock: Path | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Recommendation:
    """Return the cheapest compliant supplier mix for a case, verified.

    Args:
        case: Demands and conditions (see `friendshore.load_case`).
        catalogs: Catalogs in memory, besides those that the case names.
        rules: Rules in memory, besides those of the case and its packs.
        registry: Registry of catalogs, packs, and kinds. None means what is installed.
        scenario: Names of the case's scenarios to apply, in order.
        changes: Further changes after those of the scenarios.
        strict: True to enforce phases of unknown status, and to reject prices older than the case allows.
        strict_limits: True to plan nothing for materials whose hard limits can't be kept together. False relaxes the smallest set of the case's own
            limits by the smallest amounts; `Run.relaxed` lists them.
        period: Length of shorter periods to plan in. None keeps those of the case.
        time_limit: Seconds for everything, including reading and reasons. The best plan found by then is returned with its bound.
        gap: Relative gap to the bound at which a plan counts as cheapest.
        workers: Number of components solved at once. None means the number of processors. Without a time limit it doesn't affect the result.
        engines: Solvers to use, in order. None means `friendshore.solve.ENGINES`.
        memory_mb: Megabytes that `session` may keep for questions. With less, more is recalculated, with equal answers.
        lock: Lock file that the installed data and code must match. None skips the check.
        progress: Callback with components solved, components in total, and seconds.
        cancel: Returns the best plan found so far once its `is_set()` is true.

    Raises:
        InputError: With all errors in the case, its catalogs and packs, or the limits.
        PluginError: If a required plugin is missing, broken, ambiguous, or different from the lock file.
        SolverError: If the solver fails.
        VerificationError: If the plan fails verification. It is never returned as a plan.
    """
    check_argument_type(case, "`plan`", (Case,))
    start, limits = monotonic(), Limits(gap, time_limit, workers, ENGINES if engines is None else engines)
    memory = _bytes(memory_mb)
    applied = _applied(scenario, changes, strict, period)
    gathered = gather(case, registry, catalogs, rules)
    if lock is not None:
        check_lock(read_lock(lock), lock_of(gathered), lock)
    inputs = gathered.inputs.apply(applied)
    refuse_old_prices(inputs, applied)
    session = Session.open(inputs, limits, progress, cancel, began=start, memory=memory)
    if session.solution.conflicts and not strict_limits:
        session, applied = with_relaxed_limits(session, gathered, applied, progress)
    unused_session = session.copy()
    run = describe(session, gathered, applied, progress)
    return Recommendation(run, session.verified, gathered, session, applied, unused_session)


def _applied(
    scenario: str | Sequence[str], changes: Sequence[Change], strict: bool, period: PeriodLength | None
) -> Applied:
    scenarios = (scenario,) if isinstance(scenario, str) else scenario
    change_list = changes if isinstance(changes, list | tuple) else tuple_of(changes, Change, "changes", CHANGES)
    fields = {"scenario": scenarios, "changes": change_list, "strict": strict, "period": period}
    return record(Applied, fields, "plan()")


def _bytes(megabytes: object) -> int:
    if isinstance(megabytes, int | float) and 0 <= megabytes < inf:
        return int(megabytes * 2**20)
    expected = "a number of megabytes, 0 or more, such as 128"
    raise InputError("`memory_mb` is invalid", found=f"{megabytes!r}", expected=expected, code="FS012")


TABLES = ("purchases", "discounts", "makes", "lots", "holdings", "draws", "stocks", "deliveries", "shortages", "by_months", "rounded", "demands", "dependence", "exposed", "rules",
          "unproven", "blocked", "leads", "limits", "levels", "assumptions")  # fmt: skip
"""Tables of a run that are available as data frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation(ShownOnScreen):
    """A verified plan with its explanation."""

    run: Run
    """Everything in words and numbers, as records."""
    plan: VerifiedPlan
    """Verified plan behind the run."""
    gathered: Gathered
    session: Session
    """Solved case behind the run: `recommendation.session.what_if(Change(...))` returns the cost of a change."""
    applied: Applied = field(default_factory=Applied)
    """Scenarios, strictness, and changes of the plan."""
    unused_session: Session | None = None
    """The session before the run was described. A question to a copy of it counts the same work as one to a new session. None after pickling."""

    def __repr__(self) -> str:
        spent = f"{self.cost.nominal:,.0f} {self.run.currency}"
        summary = f"{self.status.value}, verified, gap {self.run.gap:.2%}, spends {spent}, {len(self.run.purchases):,} purchases"
        return f"<Recommendation {self.run.case}: {summary}>"

    def screen(self) -> Document:
        """Return the output of `plan`: cost, shortages with reasons, purchases, orders, and notes."""
        return document_by("friendshore.report.plan:plan_document", self.run).on_screen()

    def __reduce__(self) -> tuple[Callable[..., Recommendation], tuple[Run, Gathered, Session, Applied]]:
        return _restored, (self.run, self.gathered, self.session, self.applied)

    @property
    def status(self) -> PlanStatus:
        return self.run.status

    @property
    def verified(self) -> bool:
        """Always True, since every recommendation has a verified plan."""
        return self.run.verified

    @property
    def cost(self) -> Cost:
        return self.run.cost

    @property
    def objective(self) -> float:
        return float(self.run.objective)

    @property
    def bound(self) -> float:
        """Lower bound on the objective of every plan."""
        return float(self.run.bound)

    @property
    def gap(self) -> float:
        return float(self.run.gap)

    @property
    def opened(self) -> Opened:
        """The case opened for questions of plugins: `question.ask(recommendation.opened, options, None)`."""
        gathered = self.gathered
        notes, scenario = tuple(map(str, gathered.idle)), self.applied.scenario
        return Opened(
            self.session, tuple(scenario), gathered.pack_of, gathered.plugins, notes,
            registry=gathered.registry, applied=self.applied, original_inputs=gathered.inputs, catalogs=tuple(gathered.read),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """Return the run as JSON-ready data, the output of `plan --json`."""
        return self.run.model_dump(mode="json", by_alias=True)

    def to_frame(self, table: str = "purchases") -> pandas.DataFrame:
        """Return a table of the run as a data frame, with a row for each entry. `TABLES` lists the names."""
        import pandas

        if table not in TABLES:
            raise ValueError(f"no table `{table}`: one of {', '.join(TABLES)}")
        rows = [row.model_dump(mode="json") for row in getattr(self.run, table)]
        record, *_ = get_args(Run.model_fields[table].annotation)
        columns = list(record.model_fields)
        return pandas.DataFrame(rows, columns=columns)

    def facts(self) -> dict[str, Any]:
        """Return all facts of the plan as JSON-ready data. With them, `reverify` needs only the code of the rules."""
        return facts_of(self.gathered, self.applied, self.plan.plan).written

    def certificate(self, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return a proof of the bound for `write_run`, made in the rest of the time limit. None if the program is too large. Needs friendshore-proof."""
        return checker_named("optimality", self.gathered.registry).evidence(self.session, progress, cancel)


PlanSource: TypeAlias = Session | Recommendation | Case
"""A plan to ask about: a recommendation, its session, or a case, which is planned first."""


def _restored(run: Run, gathered: Gathered, session: Session, applied: Applied) -> Recommendation:
    return Recommendation(run, session.verified, gathered, session, applied)
