"""Of all cheapest plans the one that is nearest to another plan: a comparison then shows no kilogram that moved for no reason."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from decimal import Decimal

from ...domain.plan import Plan
from ...errors import NoPlanError
from ...explain.results import CENT, SHARE_PROVED
from ...program import compile_program
from ...program.asking import Line, least_moved
from ...session import PartPlan, Session
from ...solve import solve
from ...solve.planned import plan_of
from ...verify import examine


@dataclass(frozen=True, slots=True, eq=False)
class Nearest:
    """A cheapest plan that is as near to another plan as any."""

    part: PartPlan
    proved: bool
    """Whether no cheapest plan moves fewer kilograms."""


def bought_of(plan: Plan) -> dict[Line, Decimal]:
    """Kilograms that a plan buys, by offer, material, place and period of delivery."""
    found: defaultdict[Line, Decimal] = defaultdict(Decimal)
    for one in plan.purchases:
        found[one.offer, one.material, one.place, one.delivered] += one.quantity
    return dict(found)


def nearest(session: Session, cheapest: PartPlan, *before: PartPlan) -> Nearest:
    """Of all plans of some parts that cost no more, the one that moves the fewest kilograms, verified.

    Ranked objectives and cost stay what they are; `friendshore.program.asking` says what counts as moved. Where a limit ends
    the search before such a plan is as cheap as the one given, or no engine comes to one that holds, it is the one given.

    Args:
        session: where it was planned: its limits hold, and its known answers are used.
        cheapest: a cheapest plan.
        before: the plan to stay near to, then others that settle what that leaves open.
    """
    same = _still_holds(before[0], cheapest)
    if same is not None:
        return Nearest(same, proved=True)
    problem = cheapest.verified.problem
    program = compile_program(problem)
    wanted = least_moved(program, *({line: float(kg) for line, kg in bought_of(one.plan).items()} for one in before))
    if cheapest.plan.infeasible or wanted is program:  # what cannot be planned, or buys nothing, moves nothing
        return Nearest(cheapest, proved=True)
    try:
        solution = solve(wanted, session.limits, None, session.cancel, session.answers)
    except NoPlanError:
        return Nearest(cheapest, proved=False)
    ranked, moved = solution.levels[: len(program.goals)], solution.levels[-len(before) :]
    x = solution.x[: len(program.linear.cost)]
    plan = plan_of(program, replace(solution, x=x, levels=ranked))
    if plan.objective > cheapest.plan.objective + max(CENT, SHARE_PROVED * abs(cheapest.plan.objective)):
        return Nearest(cheapest, proved=False)
    bound = min(max(plan.bound, cheapest.plan.bound), plan.objective)
    plan = plan.model_copy(update={"status": cheapest.plan.status, "bound": bound})
    proved = all(one.least - one.bound <= float(SHARE_PROVED) * max(1.0, one.least) for one in moved)
    verified, _ = examine(problem, plan)
    return (
        Nearest(cheapest, proved=False) if verified is None else Nearest(PartPlan(cheapest.members, verified), proved)
    )


def _still_holds(before: PartPlan, cheapest: PartPlan) -> PartPlan | None:
    """The plan as it was, if it holds under the facts of the cheapest and costs no more: nothing then moves, to the gram."""
    if before.plan.infeasible or cheapest.plan.infeasible or before.members != cheapest.members:
        return None
    told = {name: getattr(cheapest.plan, name) for name in ("status", "objective", "bound", "levels")}
    verified, _ = examine(cheapest.verified.problem, before.plan.model_copy(update=told))
    if verified is None or verified.cost.objective > cheapest.verified.cost.objective + CENT:
        return None
    return PartPlan(cheapest.members, verified)
