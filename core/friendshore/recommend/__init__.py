"""The use case: from a case to a recommendation. The body of `plan` reads as the algorithm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..domain.case import Case
from ..domain.change import Change
from ..domain.facts import Catalog
from ..plugins import Registry
from ..plugins.patches import unaltered
from ..problem.inputs import Applied
from ..rules.base import Rule
from ..session import Session
from ..solve import Cancel, Limits, Progress
from .check import Checked, check
from .describe import describe
from .gather import Gathered, gather
from .lock import LOCK_FILE, Lock, check_lock, lock_of, read_lock, write_lock
from .optimality import ProofEffort
from .recheck import Rechecked, recheck, reverify
from .recommendation import Recommendation
from .reopen import Opened, reopen
from .verdicts import verdicts
from .verify_run import RunCheck, verify_run, verify_stored

__all__ = [
    "LOCK_FILE",
    "Checked",
    "Gathered",
    "Lock",
    "Opened",
    "ProofEffort",
    "Rechecked",
    "Recommendation",
    "RunCheck",
    "check",
    "check_lock",
    "gather",
    "lock_of",
    "plan",
    "read_lock",
    "recheck",
    "reopen",
    "reverify",
    "verdicts",
    "verify_run",
    "verify_stored",
    "write_lock",
]


def plan(
    case: Case,
    *,
    catalogs: Sequence[Catalog] = (),
    rules: Sequence[Rule] = (),
    registry: Registry | None = None,
    scenario: str | Sequence[str] = (),
    changes: Sequence[Change] = (),
    strict: bool = False,
    time_limit: float | None = None,
    gap: float = 1e-6,
    workers: int | None = None,
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
        strict: enforce phases of unknown status.
        time_limit: seconds for the solve; the best plan found by then is returned, with its bound.
        gap: relative distance from the bound at which a plan is taken as cheapest.
        workers: components solved at once; None: the number of processors. Does not change the result.
        lock: lock file that what is installed must agree with; None: none is looked at.
        progress: called with components solved, components in all, and seconds.
        cancel: once its `is_set()` is true, the best plan found so far is returned.

    Raises:
        InputError: with everything that is wrong with the case, its catalogs and packs.
        PluginError: if a plugin that the case needs is missing, broken or ambiguous, or not as the lock file says.
        SolverError: if the solver breaks down.
        VerificationError: if the plan does not hold; never passed on as a plan.
    """
    names = (scenario,) if isinstance(scenario, str) else tuple(scenario)
    gathered = gather(case, registry, catalogs, rules)
    if lock is not None:
        check_lock(read_lock(lock), lock_of(gathered), lock)
    applied = Applied(scenario=names, changes=tuple(changes), strict=strict)
    with unaltered(gathered.records):
        session = Session.open(gathered.inputs.apply(applied), Limits(gap, time_limit, workers), progress, cancel)
        run = describe(session, gathered, applied, progress)
    return Recommendation(run, session.verified, gathered, session, applied)
