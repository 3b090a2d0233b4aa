"""What a run claims to be the least, one claim for each objective that it ranks, and the program whose cost that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from ..domain.plan import OPTIMAL_GAP
from ..program import Program
from ..program.matrix import Linear, capped
from ..program.objectives import Goal
from ..verify import VerifiedPlan

TOLERANCE = Decimal("1e-6")
"""Share by which a solver may miss what a plan costs."""
ANY = Decimal("1e30")
"""More than any plan costs."""
KEPT = Decimal("1e-8")
"""Share by which a ranked objective may be missed by those after it: ten times the solver's tolerance."""


@dataclass(frozen=True, slots=True, eq=False)
class Aim:
    """A claim: no plan that keeps the objectives before this one comes to less than so much."""

    name: str
    """The objective, in words; empty: cost, and nothing is ranked."""
    in_money: bool
    """Else in kilograms."""
    linear: Linear
    """The program of which it is claimed."""
    value: Decimal
    """What the plan came to."""
    claimed: Decimal
    """The bound that the run states."""
    slack: Decimal
    """By how much rounding, and a solver's tolerance, may have moved either."""
    rank: int | None = None
    """Position of the objective among those ranked; None: nothing is ranked."""

    def is_beaten(self, other: VerifiedPlan, checked: VerifiedPlan) -> bool:
        """Whether another plan of the same facts comes to less than the run says that any can, and keeps the objectives before it."""
        earlier = zip(other.levels[: self.rank or 0], checked.levels, strict=False)
        kept = all(one.value <= max(level.most, level.value) for one, level in earlier)
        return kept and self.of(other) < self.claimed - self.slack

    def of(self, verified: VerifiedPlan) -> Decimal:
        """What another plan of the same facts comes to."""
        return verified.cost.objective if self.rank is None else verified.levels[self.rank].value


def aims_of(verified: VerifiedPlan, program: Program) -> Iterator[Aim]:
    """All that a run claims, in order of rank."""
    plan, rounding = verified.plan, verified.rounding
    if not program.goals:
        cost = verified.cost.objective
        yield Aim("", True, program.linear, cost, min(plan.bound, cost), rounding + _tolerance(cost))
        return
    kilograms = verified.problem.case.resolution * (len(plan.purchases) + len(plan.lots) + 1)
    step = program.linear
    for rank, (goal, level) in enumerate(zip(program.goals, verified.levels, strict=True)):
        in_money = level.objective.in_money
        # What is gained by missing an objective a little may be many times that in those after it.
        slack = (rounding if in_money else kilograms) + OPTIMAL_GAP * abs(level.least) + _tolerance(level.least)
        name = f"objective {rank + 1}, {level.objective.sentence}"
        asked = replace(step, cost=goal.cost, constant=0.0)
        yield Aim(name, in_money, asked, level.least, min(level.bound, level.least), slack, rank)
        step = _keeping(step, goal, max(level.most, level.value))


def any_plan(program: Program) -> Aim:
    """That there is a plan at all, whatever it costs."""
    return Aim("", True, program.linear, ANY, ANY, Decimal(0))


def _tolerance(value: Decimal) -> Decimal:
    return TOLERANCE * max(abs(value), Decimal(1))


def _keeping(step: Linear, goal: Goal, most: Decimal) -> Linear:
    """The program in which an objective comes to no more than so much: where that is nothing, its columns are closed."""
    if most <= 0 and (goal.cost >= 0).all():
        return replace(step, upper=np.where(goal.cost > 0, 0.0, step.upper))
    return capped(step, goal.cost, float(most + KEPT * max(abs(most), Decimal(1))))
