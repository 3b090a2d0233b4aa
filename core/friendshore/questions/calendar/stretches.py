"""One stretch of days on which nothing changes, planned as a year: which demands are met, at what cost, and why the others are not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

import numpy as np

from ...domain.base import exact
from ...domain.time import Span
from ...explain.causes import SupplyCauses
from ...explain.shortages import Reason, shortage_reasons
from ...session import Session
from ...solve import digest, split


@dataclass(frozen=True, slots=True)
class Group:
    """Demands that hang together by what may serve them."""

    demands: tuple[str, ...]
    facts: bytes
    """The same for the same facts."""
    spent: Decimal
    """Money a year, without priced shortage."""


@dataclass(frozen=True, eq=False)
class StretchPlan:
    """The facts of a stretch, solved and verified."""

    days: Span
    session: Session

    @cached_property
    def wanted(self) -> dict[str, Decimal]:
        """Demand -> kilograms a year; what is not wanted is left out."""
        return {demand.id: demand.quantity[0] for demand in self.session.problem.demands if demand.quantity[0]}

    @cached_property
    def short(self) -> dict[str, Decimal]:
        """Demand -> kilograms a year short; all of it where rules conflict, and nothing that rounding explains."""
        plan, step = self.session.verified.plan, self.session.problem.case.resolution
        found = {entry.demand: entry.quantity for entry in plan.shorts if entry.quantity > step}
        conflicting = {name for part in plan.infeasible for name in part.demands}
        found |= {name: self.wanted[name] for name in conflicting if name in self.wanted}
        return found

    @cached_property
    def reasons(self) -> Mapping[str, Reason]:
        """Why each demand is short."""
        return shortage_reasons(self.session)

    def kept_out(self, demand: str) -> tuple[str, ...]:
        """What keeps supply from a demand that no plan serves better, in words; nothing where more costs too much."""
        if self.reasons.get(demand) is not Reason.NO_SUPPLY:
            return ()
        position = next(i for i, one in enumerate(self.session.problem.demands) if one.id == demand)
        return tuple(map(str, SupplyCauses(self.session.verified, {}).of(position, 0)))

    @cached_property
    def groups(self) -> dict[str, Group]:
        """Demand -> the group it belongs to."""
        program, x = self.session.program, self.session.solution.x
        demands = self.session.problem.demands
        first = program.columns.short
        found: dict[str, Group] = {}
        for part in split(program.linear):
            own = part.columns[(part.columns >= first) & (part.columns < first + len(demands))] - first
            names = tuple(demands[at].id for at in own.tolist())
            if not names:
                continue
            money = program.linear.cost[part.columns] * x[part.columns]
            short = np.isin(part.columns, own + first)
            group = Group(names, digest(part.linear), exact(float(money[~short].sum())))
            found |= dict.fromkeys(names, group)
        return found

    def same_as(self, other: StretchPlan, demand: str) -> bool:
        """Whether the facts that may bear on a demand are those of another stretch."""
        one, two = self.groups.get(demand), other.groups.get(demand)
        if one is None or two is None:
            return one is two
        return (one.demands, one.facts) == (two.demands, two.facts)
