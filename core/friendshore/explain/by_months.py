"""What the length of the periods makes short: parts of a case that are short, planned again with months as periods."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from ..domain.plan import PlanStatus
from ..domain.time import Horizon, PeriodLength
from ..errors import FriendshoreError, NoPlanError
from ..problem import Problem
from ..problem.inputs import Inputs
from ..program import compile_program
from ..rules.rows import one_by_one
from ..session import Session
from ..solve import Limits, Progress, solve
from ..solve.planned import plan_of
from ..verify import examine
from .rounded import rounded

GAP = 1e-3
"""Relative gap at which a plan in months is taken as cheapest: what it shows is that so much is available."""
LEAST_SECONDS = 20.0
"""Time for all plans in months, where the case's own plan took less; else as long as that took."""
UNPROVED = "the plan itself is not proved the cheapest, or its rules conflict"
OUT_OF_TIME = "no plan by months was found in the time given"


@dataclass(frozen=True, slots=True)
class ByMonths:
    """What a plan in months leaves short of a demand."""

    kilograms: Decimal | None
    """None: not looked at."""
    note: str = ""
    """Why not."""


def by_months(session: Session, progress: Progress | None = None) -> Mapping[str, ByMonths]:
    """Demand -> what a plan of the same facts in months leaves short of it, for every part of the case that is short and might gain.

    A part might gain if a date in it lies within a period, or a lead time is no whole number of periods. Nothing is said of a part that
    states amounts by period, for in months these would be others. What the case derives from its dearest offers stays as it is.

    Args:
        session: the case, planned.
        progress: told of the plans in months, one after the other.

    Raises:
        PluginError: if a plugin's rule raises.
    """
    horizon = session.problem.case.horizon
    short = session.verified.plan.short_by_demand
    if horizon.length is PeriodLength.MONTH or horizon.until is not None or not short or not rounded(session.problem):
        return {}
    if session.verified.plan.status is not PlanStatus.OPTIMAL:
        # What another plan in the same periods might deliver is not their doing.
        return {name: ByMonths(None, UNPROVED) for name in short}
    found = dict[str, ByMonths]()
    ends = time.monotonic() + max(LEAST_SECONDS, time.monotonic() - session.opened)
    for members in sorted(session.parts.members, key=sorted):
        inputs = session.parts.part(members)
        problem = inputs.problem()
        wanted = [demand.id for demand in problem.demands]
        if not any(name in short for name in wanted) or not rounded(problem):
            continue
        told = _by_period(problem)
        left = _left(session, ends)
        if not told and (session.stopped or left.seconds == 0.0):
            told = OUT_OF_TIME
        answer: str | Mapping[str, Decimal] = told or _planned(session, inputs, left, progress)
        for name in wanted:
            if isinstance(answer, str):
                found |= {name: ByMonths(None, answer)} if name in short else {}
            elif name in short or name in answer:
                found[name] = ByMonths(answer.get(name, Decimal(0)))
    return found


def _planned(
    session: Session, inputs: Inputs, limits: Limits, progress: Progress | None
) -> str | Mapping[str, Decimal]:
    """What is short in the plan of a part in months, by demand; or why there is none."""
    horizon = inputs.case.horizon
    months = Horizon(start=horizon.start, count=horizon.count * horizon.length.months, length=PeriodLength.MONTH)
    try:
        problem = replace(inputs, case=inputs.case.model_copy(update={"horizon": months})).problem()
        program = compile_program(problem)
        solution = solve(program, limits, progress, session.cancel, session.answers)
    except NoPlanError:
        return OUT_OF_TIME
    except FriendshoreError as error:
        return f"it cannot be planned by months: {error.problems[0].message}"
    if solution.conflicts:
        return "by months its rules cannot hold together"
    if solution.objective - solution.bound > limits.gap * max(1.0, abs(solution.objective)):
        return OUT_OF_TIME
    verified, _ = examine(problem, plan_of(program, solution))
    return OUT_OF_TIME if verified is None else verified.plan.short_by_demand


def _by_period(problem: Problem) -> str:
    """What of a problem is stated by period, so that in months it would be another; empty: nothing."""
    for demand in problem.case.demands:
        if demand.quantities or demand.later:
            return "its demand is stated by period"
    for facts in problem.offers:
        if facts.offer.max_order is not None:
            return f"`max_order` of {facts.offer.id} is stated by period"
    for rule, rows in problem.limit_rows:
        by_period = getattr(rule, "per", "period") == "period" and not rule.watches_stock
        if by_period and any(row.at_least or row.at_most for row in one_by_one(rows)):
            return f"rule {rule.id} states amounts by period"
    return ""


def _left(session: Session, ends: float) -> Limits:
    """The session's limits with what is left of its time and of that for months, and a gap that is wide enough for what is shown."""
    limits = session.left()
    seconds = max(0.0, ends - time.monotonic())
    least = seconds if limits.seconds is None else min(seconds, limits.seconds)
    return replace(limits, seconds=least, gap=max(GAP, limits.gap))
