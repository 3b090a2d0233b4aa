"""The use case: from a case to a recommendation. The body of `plan` reads as the algorithm.

A `Recommendation` is the run, the verified plan behind it, and everything needed to check it again elsewhere (`recheck`).
"""
# ruff: noqa: I001 - what the package offers is imported as itself, once, the names of a module together

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING, Any, get_args

from ..document.notebook import ShownOnScreen, told_by
from ..errors import CHANGES, each_of
from ..errors import A_CASE, InputError, takes
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
from .facts import facts_of
from .gather import Gathered as Gathered, gather as gather, refuse_old_prices as refuse_old_prices
from .law import verdicts as verdicts
from .lock import check_lock as check_lock, lock_of as lock_of, write_lock as write_lock
from .lock_file import LOCK_FILE as LOCK_FILE, Lock as Lock, read_lock as read_lock
from .recheck import recheck as recheck, reverify as reverify
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


@takes(Case, A_CASE)
def plan(
    case: Case,
    *,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    registry: Registry | None = None,
    scenario: str | Sequence[str] = (),
    changes: Sequence[Change] = (),
    strict: bool = False,
    period: PeriodLength | None = None,
    time_limit: float | None = None,
    gap: float = 1e-6,
    workers: int | None = None,
    engines: Engines = ENGINES,
    memory_mb: float = SESSION_MEGABYTES,
    lock: Path | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Recommendation:
    """The cheapest compliant supplier mix for a case, verified.

    Args:
        case: what is wanted; see `friendshore.load_case`.
        catalogs: catalogs given in memory, beside those that the case names.
        rules: rules given in memory, beside those of the case and its packs.
        registry: where names of catalogs, packs and kinds are looked up; None: what is installed.
        scenario: names of the case's scenarios to apply, in order.
        changes: further changes, after those of the scenarios.
        strict: enforce phases of unknown status, and refuse prices that are older than the case allows.
        period: length of shorter periods to plan in; None: those of the case.
        time_limit: seconds for all of it, reading and reasons included; the best plan found by then is returned, with its bound.
        gap: relative distance from the bound at which a plan is taken as cheapest.
        workers: components solved at once; None: the number of processors. Without a time limit they do not change the result.
        engines: what solves, in the order in which it is asked.
        memory_mb: megabytes that `session` may keep of the questions that it is asked, beside the case and its plan. With less, more is
            worked out again; answers are the same.
        lock: lock file that what is installed must agree with; None: none is looked at.
        progress: called with components solved, components in all, and seconds.
        cancel: once its `is_set()` is true, the best plan found so far is returned.

    Raises:
        InputError: with everything that is wrong with the case, its catalogs and packs, or with the limits.
        PluginError: if a plugin that the case needs is missing, broken or ambiguous, or not as the lock file says.
        SolverError: if the solver breaks down.
        VerificationError: if the plan does not hold; never passed on as a plan.
    """
    began, limits = monotonic(), Limits(gap, time_limit, workers, engines)
    memory = _bytes(memory_mb)
    names = (scenario,) if isinstance(scenario, str) else scenario
    listed = changes if isinstance(changes, list | tuple) else each_of(changes, Change, "changes", CHANGES)
    applied = record(Applied, {"scenario": names, "changes": listed, "strict": strict, "period": period}, "plan()")
    gathered = gather(case, registry, catalogs, rules)
    if lock is not None:
        check_lock(read_lock(lock), lock_of(gathered), lock)
    asked = gathered.inputs.apply(applied)
    refuse_old_prices(asked, applied)
    session = Session.open(asked, limits, progress, cancel, began=began, memory=memory)
    run = describe(session, gathered, applied, progress)
    return Recommendation(run, session.verified, gathered, session, applied)


def _bytes(megabytes: object) -> int:
    """Return megabytes in bytes.

    Raises:
        InputError: if they are no number, or none that memory can have.
    """
    if isinstance(megabytes, int | float) and 0 <= megabytes < inf:
        return int(megabytes * 2**20)
    expected = "megabytes, zero or more, like 128"
    raise InputError("`memory_mb` cannot be read", found=f"{megabytes!r}", expected=expected)


TABLES = ("purchases", "discounts", "makes", "lots", "holdings", "draws", "stocks", "deliveries", "shortages", "by_months", "rounded", "demands", "dependence", "exposed", "rules",
          "unproven", "blocked", "leads", "limits", "levels", "assumptions")  # fmt: skip
"""Tables of a run that are available as data frames."""


@dataclass(frozen=True, slots=True, eq=False)
class Recommendation(ShownOnScreen):
    """A verified plan with its explanation."""

    run: Run
    """Everything in words and numbers, as records."""
    plan: VerifiedPlan
    """The proof behind it."""
    gathered: Gathered
    session: Session
    """The solved case behind it: `recommendation.session.after(Change(...))` says what a change costs."""
    applied: Applied = field(default_factory=Applied)
    """Scenarios, strictness and changes that it was planned with."""

    def __repr__(self) -> str:
        spent = f"{self.cost.nominal:,.0f} {self.run.currency}"
        told = f"{self.status.value}, verified, gap {self.run.gap:.2%}, spends {spent}, {len(self.run.purchases):,} purchases"
        return f"<Recommendation {self.run.case}: {told}>"

    def screen(self) -> Document:
        """It as `plan` prints it: what it comes to, what is short and why, what to buy and to order, and what to know of it."""
        return told_by("friendshore.report.plan:plan_document", self.run).on_screen()

    def __reduce__(self) -> tuple[Callable[..., Recommendation], tuple[Run, Gathered, Session, Applied]]:
        return _read_back, (self.run, self.gathered, self.session, self.applied)

    @property
    def status(self) -> PlanStatus:
        """How the plan came about."""
        return self.run.status

    @property
    def verified(self) -> bool:
        """Always true: there is no recommendation without a verified plan."""
        return self.run.verified

    @property
    def cost(self) -> Cost:
        """Money spent, by part."""
        return self.run.cost

    @property
    def objective(self) -> float:
        """What was minimised."""
        return float(self.run.objective)

    @property
    def bound(self) -> float:
        """No plan has a lower objective."""
        return float(self.run.bound)

    @property
    def gap(self) -> float:
        """Relative distance of the two."""
        return float(self.run.gap)

    @property
    def opened(self) -> Opened:
        """It as questions of plugins are put to it: `question.ask(recommendation.opened, options, None)`."""
        made = self.gathered
        notes, scenario = tuple(map(str, made.idle)), self.applied.scenario
        return Opened(
            self.session, tuple(scenario), made.pack_of, made.plugins, notes,
            registry=made.registry, applied=self.applied, given=made.inputs, catalogs=tuple(made.read),
        )  # fmt: skip

    def to_dict(self) -> dict[str, Any]:
        """The run as JSON-ready data: what `plan --json` prints."""
        return self.run.model_dump(mode="json", by_alias=True)

    def to_frame(self, table: str = "purchases") -> pandas.DataFrame:
        """A table of the run as a data frame, one row an entry.

        Args:
            table: one of `purchases`, `discounts`, `makes`, `lots`, `holdings`, `draws`, `stocks`, `deliveries`, `shortages`, `by_months`, `rounded`, `demands`, `dependence`,
                `exposed`, `rules`, `unproven`, `blocked`, `leads`, `limits`, `levels`, `assumptions`.

        Raises:
            ValueError: for another table.
        """
        import pandas

        if table not in TABLES:
            raise ValueError(f"no table `{table}`: one of {', '.join(TABLES)}")
        rows = [row.model_dump(mode="json") for row in getattr(self.run, table)]
        record, *_ = get_args(Run.model_fields[table].annotation)
        columns = list(record.model_fields)
        return pandas.DataFrame(rows, columns=columns)

    def facts(self) -> dict[str, Any]:
        """All facts that the plan rests on, as JSON-ready data: with them `reverify` needs nothing else but the rules' code."""
        return facts_of(self.gathered, self.applied, self.plan.plan).written

    def certificate(self, progress: Progress | None = None, cancel: Cancel | None = None) -> str | None:
        """Return what proves the bound without a solver, as a file of the run, by the check `optimality` of friendshore-proof.

        It takes at most the time that is left of the time limit. What isn't proved by then is left out.

        Returns:
            None if the program is too large to prove anything of.

        Raises:
            PluginError: If no installed plugin brings the check.
            SolverError: If the solver fails.
        """
        return checker_named("optimality", self.gathered.registry).evidence(self.session, progress, cancel)


def _read_back(run: Run, gathered: Gathered, session: Session, applied: Applied) -> Recommendation:
    """A recommendation that was stored, with the plan that was verified again as its session was opened."""
    return Recommendation(run, session.verified, gathered, session, applied)
