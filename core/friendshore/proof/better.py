"""A plan that refutes a claim: the best plans of all parts together, which count once they are derived from the facts."""

from __future__ import annotations

from ..domain.plan import PlanStatus
from ..program import Program
from ..program.matrix import Floats
from ..solve import Solution, plan_of
from ..solve.engine import Reached
from ..verify import VerifiedPlan, examine
from .claims import Aim


def better(verified: VerifiedPlan, program: Program, aim: Aim, x: Floats | None) -> VerifiedPlan | None:
    """A plan that holds and comes to less than the run says that any can, if `x` is one."""
    if x is None or float(aim.linear.cost @ x) + aim.linear.constant >= float(aim.claimed - aim.slack):
        return None
    found = derived(verified, program, x)
    return found if found is not None and aim.is_beaten(found, verified) else None


def derived(verified: VerifiedPlan, program: Program, x: Floats) -> VerifiedPlan | None:
    """The plan that `x` describes, derived from the facts; None where it does not hold."""
    cost = float(program.linear.cost @ x) + program.linear.constant
    levels = tuple(Reached(value, value, value) for value in (float(goal.cost @ x) for goal in program.goals))
    # The bound of this plan is not what is asked: that all but nothing is proved of it lets `examine` take it as it is.
    plan = plan_of(program, Solution(x, PlanStatus.FEASIBLE, cost, min(0.0, 2 * cost), (), 1, levels))
    return examine(verified.problem, plan)[0]
