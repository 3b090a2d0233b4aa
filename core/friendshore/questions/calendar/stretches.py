"""One stretch of days on which nothing changes, planned as a year: which demands are met, at what cost, and why the others are not.

And which offers, orders and stock a date bars or frees, and how many kilograms: what a change of law means for what is bought.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np

from ...domain.base import Number, Record, exact
from ...domain.time import Span
from ...explain.causes import SupplyCauses
from ...explain.shortages import Reason, shortage_reasons
from ...problem import Problem
from ...problem.network import Arc
from ...session import Session
from ...solve import digest, split
from .snapshot import Subject


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


class Concerned(Record):
    """An offer, an order already placed or stock in hand, from the day on which a rule begins or ceases to bar it."""

    day: date
    rule: str
    effect: Literal["bars", "frees"]
    kind: Literal["offer", "order", "stock"]
    id: str
    material: str
    end_uses: tuple[str, ...]
    """End uses that it is barred from, or free for as far as this rule goes."""
    kilograms: Number
    """Of an order or of stock: its quantity. Of an offer: what is bought of it a year just before it is barred, or just after it is freed."""


def concerned(
    problem: Problem, planned: Sequence[StretchPlan], turns: Mapping[date, Sequence[Subject]]
) -> Iterator[Concerned]:
    """All that rules which begin or end bear on, date by date.

    Args:
        problem: the facts of the whole plan, with its orders and stock.
        planned: the stretches between the dates, in order.
        turns: what changes on each date.
    """
    positions = {rule.id: position for position, rule in enumerate(problem.rules)}
    for before, after in pairwise(planned):
        day = after.days.start
        assert day is not None
        for kind, name in turns[day]:
            position = positions.get(name, -1) if kind == "rule" else -1
            if position < 0:
                continue
            was, now = (problem.law.in_force(position, one.days) for one in (before, after))
            if was != now:
                amounts = _bought(before if now else after)
                yield from _by_rule(problem, position, day, "bars" if now else "frees", amounts)


def _by_rule(
    problem: Problem,
    position: int,
    day: date,
    effect: Literal["bars", "frees"],
    amounts: Mapping[tuple[str, str], Decimal],
) -> Iterator[Concerned]:
    found: dict[tuple[str, str], tuple[Arc, set[str]]] = {}
    for use, judgement in problem.judgements.items():
        verdicts = judgement.chain.get(position) or judgement.trade.get(position) or {}
        for index, verdict in verdicts.items():
            arc = problem.network.arcs[index]
            if problem.law.forbids(verdict, arc) and _in_time(problem, arc, day, trade=position in judgement.trade):
                name = problem.lots[arc.lot].id if arc.lot >= 0 else arc.chained.offer.id
                found.setdefault((name, arc.chained.material.id), (arc, set()))[1].add(use.end_use)
    for (name, material), (arc, uses) in sorted(found.items(), key=lambda item: (item[1][0].lot < 0, item[0])):
        lot = problem.lots[arc.lot] if arc.lot >= 0 else None
        yield Concerned(
            day=day,
            rule=problem.rules[position].id,
            effect=effect,
            kind="offer" if lot is None else "order" if lot.on_order else "stock",
            id=name,
            material=material,
            end_uses=tuple(sorted(uses)),
            kilograms=amounts.get((name, material), Decimal(0)) if lot is None else lot.quantity,
        )


def _in_time(problem: Problem, arc: Arc, day: date, *, trade: bool) -> bool:
    """Whether a date still matters to it: what has crossed the border by then is not stopped there."""
    return not (trade and arc.lot >= 0) or problem.case.horizon.periods[problem.lots[arc.lot].period].end >= day


def _bought(one: StretchPlan) -> dict[tuple[str, str], Decimal]:
    """Offer and material -> kilograms bought a year."""
    found: dict[tuple[str, str], Decimal] = {}
    for entry in one.session.verified.plan.purchases:
        key = (entry.offer, entry.material)
        found[key] = found.get(key, Decimal(0)) + entry.quantity
    return found
