"""What plans made anew tell of this one: what each ranked objective costs, and when a floor of a conflict can first hold.

A rank is priced by the plan made without it and those after it, solved and verified, beside the plan with it. A floor holds from the
earliest period from which the rules of the conflict can all be kept, if the floor is asked only from then on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from math import isinf

from ..domain.base import exact
from ..domain.case import Minimise
from ..domain.plan import Infeasible, PlanStatus
from ..errors import NoPlanError
from ..problem.inputs import Inputs
from ..program import compile_program
from ..rules.base import Rule
from ..rules.rows import one_by_one
from ..session import Session
from ..solve import least
from ..verify import VerifiedPlan, level_value


@dataclass(frozen=True, slots=True)
class RankPrice:
    """What ranking one level does."""

    gained: Decimal | None = None
    """By how much it is smaller than without it; None: unknown."""
    raised_objective: Decimal | None = None
    """By how much it raises the objective; None: unknown."""


UNPRICED = RankPrice()
"""Cost itself, or what was not found in time."""


def rank_prices(session: Session) -> dict[int, RankPrice]:
    """Gain and price of every level by its rank: the plan of the levels before it, and then cost, beside that with it.

    Left out where one of the two is not proved in the time given, or rules conflict, and for cost: what is made without it is
    made with it, since cost comes last in any case.
    """
    prices: dict[int, RankPrice] = {}
    before: VerifiedPlan | None = None
    for rank, objective in enumerate(session.problem.objectives, 1):
        if objective.level.minimise is not Minimise.COST:
            before = before or _proved(session, rank - 1)
            after = _proved(session, rank)
            if before is not None and after is not None:
                gained = level_value(objective, before) - level_value(objective, after)
                prices[rank] = RankPrice(exact(gained), exact(after.cost.objective - before.cost.objective))
            before = after
    return prices


def _proved(session: Session, levels: int) -> VerifiedPlan | None:
    """The plan that ranks so many levels; None if it is not found and proved in what is left of the time."""
    try:
        found = session.ranking(levels)
    except NoPlanError:  # the time is up before there is any plan
        return None
    return found if found.plan.status is PlanStatus.OPTIMAL else None


def floors_from(session: Session) -> tuple[Mapping[str, date], ...]:
    """For every conflict of a plan, in order: rules that ask for no less than something -> first day from which they can be kept with all others.

    A floor that is asked later asks for less, so that the first period is found by bisection. What cannot be kept even so, or is not found
    within the limits, is left out.

    Raises:
        SolverError: if a solver breaks down.
    """
    # Without a demand in it, a conflict is of rows that nothing counts towards: on no day.
    return tuple(_of(session, part) if part.demands else {} for part in session.verified.plan.infeasible)


def _of(session: Session, part: Infeasible) -> dict[str, date]:
    floors = {
        rule.id: rule
        for rule, rows in session.problem.limit_rows
        if rule.id in part.rules and rows.is_floor and any(row.penalty is None for row in one_by_one(rows))
    }
    periods = session.problem.case.horizon.periods
    found = {}
    for name, rule in sorted(floors.items()):
        first = _first(session, part, rule)
        if first is not None:
            found[name] = periods[first].start
    return found


def _first(session: Session, part: Infeasible, rule: Rule) -> int | None:
    """The first period from which the floor can hold."""
    low, high = 0, session.problem.case.horizon.count - 1  # it cannot hold from `low` on
    if high <= low or not _holds(session, part, rule, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _holds(session, part, rule, middle):
            high = middle
        else:
            low = middle
    return high


def _holds(session: Session, part: Infeasible, rule: Rule, period: int) -> bool:
    """Whether there is a plan for what conflicts if the rule is asked only from a period on."""
    inputs = _later(_inputs(session, part), rule, session.problem.case.horizon.periods[period].start)
    program = compile_program(inputs.problem())
    best = least(program, program.short_of(part.demands), session.left(), session.cancel)
    return best is not None and not isinf(best)


def _inputs(session: Session, part: Infeasible) -> Inputs:
    """The part of the case that the conflict lies in; all of it where it lies in several. A material of no part moves nowhere."""
    of_material = session.parts.of_material
    numbers = {of_material[name] for name in part.materials if name in of_material}
    if len(numbers) != 1:
        return session.inputs
    return session.parts.part(session.parts.members[numbers.pop()], frozenset(part.rules))


def _later(inputs: Inputs, rule: Rule, day: date) -> Inputs:
    """The same, with one rule asked from a day on."""
    phases = tuple(
        phase.but(start=max(phase.start or day, day)) for phase in rule.phases if phase.end is None or phase.end >= day
    )
    later = rule.but(phases=phases)
    return replace(inputs, rules=tuple(later if one.id == rule.id else one for one in inputs.rules))
