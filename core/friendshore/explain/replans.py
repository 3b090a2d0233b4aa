"""Cheapest plans of a part of a case without some of its restrictions, in which no shortage exceeds that in the plan in any period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import inf
from time import monotonic

import numpy as np

from ..domain.plan import PlanStatus
from ..domain.runtime import SizeLimitedCache, cached_method
from ..domain.use import Use
from ..errors import InputError, NoPlanError
from ..problem import Problem
from ..problem.parts import Members
from ..program import Program, compile_program
from ..program.matrix import Floats, Ints, Linear, capped
from ..session import Session
from ..solve import Limits, SolverOutcome, optima, solve, split
from ..solve.components import column_labels
from .restrictions import Relaxations, Removed, Restriction, Upstream

Cell = tuple[str, int]
"""A demand and a period."""
_TIE = 1e-6
"""Relative increase of shortage penalties in these plans, so that among plans of equal cost, the one with the smallest shortage wins."""
_ROOM = 1e-9
"""Tolerance on the maximum shortage in a solver's plan, as a share of the demand."""
_IN_FACTS = frozenset({"lead time", "date", "capacity", "storage", "terms", "law", "proof", "no offer"})
_MOST_COLUMNS = 500_000
"""Maximum number of columns of cached programs, and of cached plans. Others are created again when needed."""
_FOUND = (SolverOutcome.OPTIMAL, SolverOutcome.UNCONFIRMED)
_FIRST = 1000
"""Divisor of the kilograms served: the result is the quantity whose cost represents the next kilogram."""
_NOTHING: Removed = frozenset()


LEAST_SECONDS = 60.0
"""Minimum time for the plans of all causes. If the case's own plan took longer, its time."""


def end_of_search(session: Session) -> float:
    """Return the time at which the search for causes ends, by the monotonic clock."""
    now = monotonic()
    return now + max(LEAST_SECONDS, now - session.opened)


@dataclass(frozen=True, slots=True, eq=False)
class Replan:
    """A plan without some restrictions."""

    program: Program
    x: Floats
    solved: Ints
    """Columns that were solved for. The others aren't connected to a shortage, and are 0."""

    def short(self, cells: Collection[Cell]) -> dict[Cell, float]:
        columns = _short_columns(self.program)
        return {cell: float(self.x[columns[cell]]) for cell in cells}


class PartReplans:
    """Plans of a part of a case without some of its restrictions, cached up to a maximum size."""

    def __init__(self, session: Session, members: Members, short: Collection[Cell], ends: float | None = None) -> None:
        """Take the plan's shortages as upper bounds on all shortages.

        Args:
            session: Session of the plan.
            members: Materials of the part.
            short: Demands and periods with a shortage in the plan.
            ends: Time at which the search ends, by the monotonic clock. None means only by the limits of the session.
        """
        self.session, self._ends = session, ends
        self.ended = False
        """True if a limit ended the search, so that the effect of some restrictions is unknown."""
        self.unsure = False
        """True if only a smaller gap would show the effect of some restrictions."""
        self._facts = Relaxations(session.parts.part(members))
        cells = _short_columns(session.program)
        names = {demand.id for demand in self.problem.demands}
        self.before = {cell: float(session.solution.x[column]) for cell, column in cells.items() if cell[0] in names}
        """Kilograms short in the plan, before rounding."""
        self.short = frozenset(cell for cell in short if self.before[cell] > self.tolerance(cell))
        """Shortages above the tolerance for rounding."""
        names = {name for name, _ in self.short}
        self.uses = list(dict.fromkeys(demand.use for demand in self.problem.demands if demand.id in names))
        self._programs: SizeLimitedCache[Removed, Program] = SizeLimitedCache(_MOST_COLUMNS)
        self._impossible: set[Removed] = set()
        self._replans: SizeLimitedCache[Removed, Replan] = SizeLimitedCache(_MOST_COLUMNS)
        self._without_plan: set[Removed] = set()

    def replan(self, removed: Removed = _NOTHING) -> Replan | None:
        """Return the plan without some restrictions. None if there is none, or a limit ended the search.

        Raises:
            SolverError: If a solver breaks down.
        """
        found = self._replans.get(removed)
        if found is None and removed not in self._without_plan:
            self.ended |= self.session.stopped
            found = None if self.ended else self._replan(removed)
            if found is None:
                self._without_plan.add(removed)
            else:
                self._replans.keep(removed, found, len(found.x))
        return found

    def upstream(self, uses: Collection[Use], *, counted: bool) -> Upstream:
        """Return everything upstream of some uses, including leads if `counted`."""
        return self._upstream(tuple(uses), counted)

    @cached_method
    def _upstream(self, uses: tuple[Use, ...], counted: bool) -> Upstream:
        return Upstream(self.counted if counted else self.problem, uses, {t for _, t in self.short})

    @cached_method
    def served(self, removed: Removed) -> dict[Cell, float]:
        """Return the kilograms of shortages that a plan without some restrictions serves, without those below the tolerance for rounding."""
        counted = any(each.kind == "no offer" for each in removed)
        if removed and not self.upstream(self.uses, counted=counted).can_supply(removed):
            return {}  # whatever the times and quantities
        base, after = self.replan(), self.replan(removed)
        if base is None or after is None:
            return {}
        priced = any(each.kind == "price" for each in removed)
        before = self.before if priced else base.short(self.short)
        left = after.short(self.short)
        served = {cell: before[cell] - left[cell] for cell in self.short}
        found = {cell: kilograms for cell, kilograms in served.items() if kilograms > self.tolerance(cell)}
        columns, cost = _short_columns(base.program), base.program.linear.cost
        money = sum(kilograms * cost[columns[cell]] for cell, kilograms in found.items())
        if money > self._unproved(after):
            return found
        self.unsure |= bool(found)
        return {}

    def supply(self, removed: Removed = _NOTHING) -> dict[str, float]:
        """Return the supply by offer or lot, in kilogram-periods until the end of the plan. It increases with quantity and with earlier arrival."""
        return self._supply(removed)

    @cached_method
    def _supply(self, removed: Removed) -> dict[str, float]:
        found: defaultdict[str, float] = defaultdict(float)
        plan = self.replan(removed)
        if plan is None:
            return found
        program, problem = plan.program, plan.program.problem
        # The rest as it was solved for the plan: most of it is known. What would have to be searched for is left out.
        searched = self._parts(program.linear, np.flatnonzero(program.linear.integer))
        rest = np.setdiff1d(np.arange(len(plan.x)), np.concatenate([plan.solved, searched]))
        plain = replace(self._bounded(program, removed), cost=program.linear.cost, upper=program.linear.upper)
        other = self._solve(program, plain, rest) if len(rest) else None
        x = plan.x if other is None else np.where(np.isin(np.arange(len(plan.x)), plan.solved), plan.x, other)
        moves, arcs, count = problem.moves, problem.network.arcs, problem.case.horizon.count
        for column, move in zip(program.columns.buy.tolist(), program.columns.buy_move.tolist(), strict=True):
            if x[column] > 0:
                found[arcs[int(moves.arc[move])].name] += float(x[column]) * (count - int(moves.delivered[move]))
        return found

    def over_capacity(self, removed: Removed) -> set[str]:
        """Return the offers whose orders in a plan without some restrictions exceed their capacity, or their plants'."""
        plan, case = self.replan(removed), self.problem.case
        if plan is None:
            return set()
        units = defaultdict[tuple[str, int], float](float)
        program, problem = plan.program, plan.program.problem
        for (offer, _, t), column in program.columns.make.items():
            units[problem.offers[offer].offer.id, t] += float(plan.x[column])
        for column, move in zip(program.columns.buy.tolist(), program.columns.buy_move.tolist(), strict=True):
            arc = problem.network.arcs[int(problem.moves.arc[move])]
            if arc.offer >= 0 and problem.offers[arc.offer].single:
                units[arc.chained.offer.id, int(problem.moves.ordered[move])] += float(plan.x[column])
        slack, found = 2 * float(case.resolution), set[str]()
        for facts in self.problem.offers:
            own = [units[facts.offer.id, t] for t in range(case.horizon.count)]
            most = [inf if each is None else float(each) for each in facts.most]
            total = inf if facts.offer.total is None else float(facts.offer.total)
            if sum(own) > total + slack or any(u > m + slack for u, m in zip(own, most, strict=True)):
                found.add(facts.offer.id)
        for pool in self.problem.pools:
            members = [self.problem.offers[offer].offer for offer in pool.offers]
            for t, capacity in enumerate(pool.capacity):
                used = sum(float(offer.capacity_use) * units[offer.id, t] for offer in members)
                if capacity is not None and used > float(capacity) + slack:
                    found |= {offer.id for offer in members if units[offer.id, t]}
        return found

    def tolerance(self, cell: Cell) -> float:
        """Return the tolerance for rounding, in kilograms."""
        return 2 * float(self.problem.case.resolution) + 1e-6 * self._wanted[cell]

    def program(self, removed: Removed = _NOTHING) -> Program | None:
        """Return the program of the facts without some restrictions. None if these facts are invalid."""
        in_facts = frozenset(each for each in removed if each.kind in _IN_FACTS)
        found = self._programs.get(in_facts)
        if found is None and in_facts not in self._impossible:
            try:
                found = compile_program(self._facts.without(in_facts))
            except InputError:
                self._impossible.add(in_facts)
            else:
                self._programs.keep(in_facts, found, len(found.linear.cost))
        return found

    def marginal_cost(self, removed: Removed, group: tuple[str, ...], served: Mapping[Cell, float]) -> float | None:
        """Return the cost of the next kilogram, in money of its period. None if it costs as much as the shortage.

        Args:
            removed: Restrictions to remove besides the price.
            group: Demands that compete.
            served: Kilograms served if the price is removed too.
        """
        base, dear = self.replan(removed), self.replan(removed | {Restriction("price", group)})
        assert base is not None
        assert dear is not None
        columns = _short_columns(base.program)
        own = np.array([columns[cell] for cell in served], dtype=np.intp)
        cost = base.program.linear.cost.copy()
        cost[own] = 0.0
        if any(base.x[columns[cell]] < self.before[cell] - self.tolerance(cell) for cell in served):
            return None
        found = [_rate(base, replace(base, x=dear.x), cost, own)]
        weights = np.zeros(len(cost))
        weights[own] = 1.0
        linear = replace(self._bounded(base.program, removed), cost=cost)
        whole = sum(served.values())
        # With whole lots, the first kilogram may cost as much as many of them.
        pieces = ((whole / _FIRST, base), (whole, dear)) if linear.integer.any() else ((whole / _FIRST, base),)
        for more, near in pieces:
            larger = capped(linear, weights, float(base.x[own].sum()) - more)
            x = self._solve(base.program, larger, own, near.x)
            if x is not None:
                found.append(_rate(base, Replan(base.program, x, self._parts(larger, own)), cost, own))
        return min(found)

    @property
    def problem(self) -> Problem:
        return self._facts.problem

    @property
    def counted(self) -> Problem:
        """The facts with leads included."""
        return self._facts.counted

    @cached_property
    def _wanted(self) -> dict[Cell, float]:
        return {
            (demand.id, t): float(quantity)
            for demand in self.problem.demands
            for t, quantity in enumerate(demand.quantity)
        }

    def _replan(self, removed: Removed) -> Replan | None:
        program = self.program(removed)
        if program is None:
            return None
        columns = _short_columns(program)
        targets = np.array([columns[cell] for cell in sorted(self.short)], dtype=np.intp)
        linear = self._bounded(program, removed)
        priced = any(each.kind == "price" for each in removed)
        x = self._solve(replace(program, goals=()) if priced else program, linear, targets)
        if x is None:
            return None
        return Replan(program, x, self._parts(linear, targets))

    def _solve(self, program: Program, linear: Linear, targets: Ints, near: Floats | None = None) -> Floats | None:
        """Return the optimum of everything connected to some columns. The search starts near a plan of the program, or near the case's."""
        session = self.session
        if any(not goal.whole for goal in program.goals):
            try:
                found = solve(
                    replace(program, linear=linear),
                    self._left(),
                    None,
                    session.cancel,
                    session.answers,
                    session.choices,
                )
            except NoPlanError:
                self.ended = True
                return None
            self.ended |= found.status not in (PlanStatus.OPTIMAL, PlanStatus.UNCONFIRMED, PlanStatus.INFEASIBLE)
            return found.x if found.status in (PlanStatus.OPTIMAL, PlanStatus.UNCONFIRMED) else None
        parts = [part for part in split(linear) if np.isin(part.columns, targets).any()]
        start = program.start(session.choices) if near is None else near
        starts = [start[part.columns] for part in parts]
        answers = optima([part.linear for part in parts], self._left(), session.cancel, session.answers, starts)
        x = np.zeros(len(linear.cost))
        for part, answer in zip(parts, answers, strict=True):
            if answer.outcome not in _FOUND or answer.x is None:
                self.ended |= answer.outcome is not SolverOutcome.INFEASIBLE
                return None
            x[part.columns] = answer.x
        return x

    def _left(self) -> Limits:
        limits = self.session.left()
        # A plan that serves more is there, whether or not a second solver finds it the cheapest too.
        limits = replace(limits, engines=replace(limits.engines, second=()))
        if self._ends is None:
            return limits
        seconds = max(0.0, self._ends - monotonic())
        return replace(limits, seconds=seconds if limits.seconds is None else min(seconds, limits.seconds))

    def _parts(self, linear: Linear, targets: Ints) -> Ints:
        """Return the columns connected to some columns."""
        labels = column_labels(linear.entries)
        return np.flatnonzero(np.isin(labels, labels[targets]))

    def _unproved(self, replan: Replan) -> float:
        """Return the money by which plans with integer variables may exceed the minimum cost."""
        linear = replan.program.linear
        return 2 * self.session.limits.gap * abs(float(linear.cost @ replan.x)) if linear.integer.any() else 0.0

    def _bounded(self, program: Program, removed: Removed) -> Linear:
        """Return the program without the restrictions that are its rows, columns, or costs, and with the plan's shortages as upper bounds."""
        linear = program.linear
        cost, upper = linear.cost.copy(), linear.upper.copy()
        row_lower, row_upper = linear.row_lower.copy(), linear.row_upper.copy()
        columns = _short_columns(program)
        every = np.array(list(columns.values()), dtype=np.intp)
        most = np.array([self.before.get(cell, np.inf) for cell in columns])
        upper[every] = np.minimum(upper[every], most + _ROOM * np.maximum(1.0, upper[every]))
        cost[every] *= 1 + _TIE
        for each in sorted(removed):
            own = [column for cell, column in columns.items() if cell[0] in each.names]
            if each.kind == "limit":
                rows = _limit_rows(program, each)
                row_lower[rows], row_upper[rows] = -np.inf, np.inf
            elif each.kind == "inputs":
                row_lower[_balance_rows(program, each)] = -np.inf
            elif each.kind == "competition":
                others = np.setdiff1d(every, own)
                cost[others], upper[others] = 0.0, linear.upper[others]
            elif each.kind == "price":
                cost = np.zeros(len(cost))
                cost[own] = 1.0
        return replace(linear, cost=cost, upper=upper, row_lower=row_lower, row_upper=row_upper)


def _rate(base: Replan, other: Replan, cost: Floats, own: Ints) -> float:
    """Return the extra cost of a plan per extra kilogram served, compared with another, in money of the period."""
    problem = base.program.problem
    discounts = np.array([float(each) for each in problem.discount])
    periods = (own - base.program.columns.short) % problem.case.horizon.count
    solved = other.solved
    extra = float(cost[solved] @ (other.x[solved] - base.x[solved]))
    return extra / float(((base.x[own] - other.x[own]) * discounts[periods]).sum())


def _short_columns(program: Program) -> dict[Cell, int]:
    count, first = program.problem.case.horizon.count, program.columns.short
    return {
        (demand.id, t): first + number * count + t
        for number, demand in enumerate(program.problem.demands)
        for t in range(count)
    }


def _limit_rows(program: Program, restriction: Restriction) -> list[int]:
    limits = program.limits
    return [
        row for row, (rule, _) in zip(limits.program_rows, limits.rows, strict=True) if rule.id == restriction.names[0]
    ]


def _balance_rows(program: Program, restriction: Restriction) -> list[int]:
    """Return the balance rows of a material where makers take it in."""
    problem, count = program.problem, program.problem.case.horizon.count
    feeds = {feed for feeds in problem.network.feeds.values() for feed in feeds if feed[0] in restriction.names}
    nodes = [node for group in problem.compliance_classes for node in sorted(group.nodes)]
    first = next(row for row, owner in program.owners if owner == "balance") if nodes else 0
    return [first + number * count + t for number, node in enumerate(nodes) if node in feeds for t in range(count)]
