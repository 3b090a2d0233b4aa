"""Ranked objectives: what each level comes to on the finished plan, and whether that is what the plan says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import assert_never

from ..domain.base import exact
from ..domain.case import Minimise
from ..domain.plan import Cost
from ..problem.problem import Objective
from .ledger import PlanEntries
from .term_values import TermValues

TOLERANCE = Decimal("1e-6")
"""The solver's, as a share of what a level comes to, or of one."""


@dataclass(frozen=True, slots=True)
class LevelReading:
    """A level, and what the plan makes of it."""

    objective: Objective
    value: Decimal
    """What it comes to, exactly."""
    least: Decimal
    """What it came to when its turn was over."""
    bound: Decimal
    """No plan that keeps the levels before it comes to less."""
    most: Decimal
    """What later levels might have made of it."""


def measured(objective: Objective, ledger: PlanEntries, values: TermValues, cost: Cost) -> tuple[Decimal, Decimal]:
    """What a level comes to on a plan, and by how much rounding the plan's kilograms may have moved it, if not money."""
    problem, minimise = ledger.problem, objective.level.minimise
    match minimise:
        case Minimise.COST:
            return cost.objective, Decimal(0)
        case Minimise.SPEND:
            return cost.total, Decimal(0)
        case Minimise.SHORTAGE:
            price = {problem.demands[i].id: problem.shortage_price[i] for i in objective.demands}
            short = (s for s in ledger.plan.shorts if s.demand in price)
            money = sum((problem.discount[s.period] * price[s.demand] * s.quantity for s in short), Decimal(0))
            return exact(money), Decimal(0)
        case Minimise.CONCENTRATION:
            found = [values.value(row.terms[0]) for row in objective.rows]
            return exact(sum((v for v, _ in found), Decimal(0))), sum((moved for _, moved in found), Decimal(0))
        case _:
            assert_never(minimise)


def read_levels(ledger: PlanEntries, values: TermValues, cost: Cost, rounding: Decimal) -> list[LevelReading]:
    """Every level with its value; what the plan says otherwise is a finding, beyond the `rounding` that may have moved its money."""
    ranked, stated = ledger.problem.objectives, ledger.plan.levels
    if len(ranked) != len(stated):
        ledger.find(
            f"the plan states {len(stated)} ranked objectives",
            expected=f"{len(ranked)}, as many as the case ranks, cost last",
        )
        return []
    readings = []
    for rank, (objective, level) in enumerate(zip(ranked, stated, strict=True), 1):
        value, moved = measured(objective, ledger, values, cost)
        reading = LevelReading(objective, value, level.least, level.bound, level.most)
        readings.append(reading)
        if not ledger.plan.infeasible:  # what conflicting rules leave unplanned has no level of the solver's
            allowed = (rounding if objective.in_money else moved) + TOLERANCE * max(abs(value), Decimal(1))
            _check(ledger, reading, rank, allowed)
    return readings


def _check(ledger: PlanEntries, reading: LevelReading, rank: int, allowed: Decimal) -> None:
    what, level = f"level {rank} ({reading.objective.sentence})", reading.objective.level
    if reading.value > reading.most + allowed:
        ledger.find(f"{what} is not kept", found=f"{reading.value}", expected=f"at most {reading.most}")
    if reading.bound > reading.value + allowed:
        ledger.find(
            f"the bound of {what} lies above what the plan comes to",
            found=f"{reading.bound}",
            expected=f"at most {reading.value}",
        )
    given_up = reading.most - reading.least
    never_below = level.minimise in (Minimise.SHORTAGE, Minimise.CONCENTRATION)
    if given_up < -allowed or (
        given_up > level.within * abs(reading.least) + allowed and (never_below or not level.within)
    ):
        ledger.find(
            f"{what} may be made worse by another share than the case says",
            found=f"{reading.least} to {reading.most}",
            expected=f"{(level.within * 100).normalize():f} %",
        )
