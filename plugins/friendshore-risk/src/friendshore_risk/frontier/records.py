"""The frontier as records: its points, and what changes from one to the next."""

from __future__ import annotations

from typing import ClassVar

from friendshore.domain.base import Number, Record
from friendshore.domain.plan import PlanStatus
from friendshore.explain.results import Effort, QuestionResult


class Shorter(Record):
    """A material that is short."""

    material: str
    kilograms: Number
    """Over the plan and all its demands."""
    more: Number
    """By how much more than in the plan without a cap; below zero: less."""


class Supply(Record):
    """An offer that is bought."""

    offer: str
    facility: str
    """Name of the facility, or its id where it has none."""
    material: str


class CapPoint(Record):
    """The cheapest plan under one cap."""

    cap: Number | None
    """Most money that may be spent on the capped purchases; None: the plan as it is."""
    capped: Number
    """Money that the plan spends on them: price, duty, freight, and one-off costs, not discounted."""
    paid: Number
    """Cash for all purchases, not discounted."""
    is_cost: Number
    """Part of it for purchases that depend on the countries, those made of such inputs included."""
    may_be_cost: Number
    """The same of purchases that may depend on them."""
    share: Number
    """(is_cost + may_be_cost) / paid; 0 where nothing is paid."""
    cost: Number
    """All cash that is spent, holding included, not discounted."""
    cost_more: Number
    """The same, more than in the plan as it is."""
    objective: Number
    """Objective: discounted cash, penalties, and priced shortage."""
    bound: Number
    """No plan under the cap has a lower objective."""
    status: PlanStatus
    short: tuple[Shorter, ...]
    """Materials that are short here, or in the plan as it is."""
    new: tuple[Supply, ...]
    """Offers that the plan of the previous point doesn't buy."""
    gone: tuple[Supply, ...]
    """Offers that only the plan of the previous point buys."""
    conflict: tuple[str, ...] = ()
    """Rules that can't hold together under the cap. The figures are then of the rest."""
    error: Number | None = None
    """Between the previous point and this one, the least objective lies below the straight line by no more than this. 0 means that the
    line is exact; None, that nothing is proved."""


class Frontier(QuestionResult):
    """The cheapest plan for each cap, from the plan as it is down to the lowest cap."""

    TABLES: ClassVar[tuple[str, ...]] = ("points",)
    TOLD_BY: ClassVar[str] = "friendshore_risk.frontier.document:frontier_screen"

    case: str
    currency: str
    countries: tuple[str, ...]
    """Countries that the purchases depend on; none: the cap counts all purchases of the suppliers."""
    suppliers: tuple[str, ...]
    """Only purchases from these companies, or from companies that they own, are capped; none: from all."""
    materials: tuple[str, ...]
    """Only purchases of these materials are capped; none: of all."""
    exact: bool
    """True: the points are corners of the curve. False: the caps are evenly spaced, because the curve need not be convex."""
    why_grid: str
    """Why the caps are evenly spaced; empty: they aren't."""
    conflict_at_zero: tuple[str, ...] = ()
    """Rules that can't hold together under a cap of zero. The last point then spends as little as they allow."""
    points: tuple[CapPoint, ...]
    """The plan as it is first, then by falling cap."""
    complete: bool
    """True if the search was completed."""
    effort: Effort
