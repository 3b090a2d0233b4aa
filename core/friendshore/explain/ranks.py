"""What each ranked objective costs: the plan made without it and those after it, solved and verified, beside the plan with it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..domain.base import exact
from ..domain.case import Minimise
from ..domain.plan import PlanStatus
from ..errors import NoPlanError
from ..session import Session
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
