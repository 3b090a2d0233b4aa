"""Cheapest plans of a part of a case without some of its restrictions, in which no shortage exceeds that in the plan in any period."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
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
_TIE = 1e-6
"""Relative increase of shortage penalties in these plans, so that among plans of equal cost, the one with the smallest shortage wins."""
_TOLERANCE = 1e-9
_IN_FACTS = frozenset({"lead time", "date", "capacity", "storage", "terms", "law", "proof", "no offer"})
_MAX_COLUMNS = 500_000  # of cached programs and plans
_SOLVED = (SolverOutcome.OPTIMAL, SolverOutcome.UNCONFIRMED)
_STEPS = 1000
"""Divisor of the kilograms served: the result is the quantity whose cost represents the next kilogram."""
_NOTHING: Removed = frozenset()


MIN_SECONDS = 60.0
"""Minimum time for the plans of all causes. If the case's own plan took longer, its time."""


def search_deadline(session: Session) -> float:
    now = monotonic()
    return now + max(MIN_SECONDS, now - session.opened)


@dataclass(frozen=True, slots=True, eq=False)
class Replan:
    """Plan without some restrictions."""

    program: Program
    x: Floats
    solved: Ints
    """Columns that were solved for. The others aren't connected to a shortage, and are 0."""

    def short(self, cells: Collection[Cell]) -> dict[Cell, float]:
        columns = _ShortColumns(self.program)
        return {cell: float(self.x[columns[cell]]) for cell in cells}


class PartReplans:
    """Plans of a part without some of its restrictions, cached up to a maximum size."""

    def __init__(
        self, session: Session, members: Members, short: Collection[Cell], deadline: float | None = None
    ) -> None:
        """Take the plan's shortages as upper bounds on all shortages. `deadline` is by the monotonic clock."""
        self.session, self._deadline = session, deadline
        self.ended = False
        """True if a limit ended the search, so that the effect of some restrictions is unknown."""
        self.is_gap_too_wide = False
        """True if only a smaller gap would show the effect of some restrictions."""
        self._members = members
        own_demands = [demand for demand in session.problem.demands if demand.use.material.id in members]
        self._demand_kg: dict[Cell, float] = {
            (demand.id, t): float(quantity) for demand in own_demands for t, quantity in enumerate(demand.quantity)
        }
        cells = _ShortColumns(session.program)
        self.before = {cell: float(session.solution.x[cells[cell]]) for cell in self._demand_kg}
        """Kilograms short in the plan, before rounding."""
        self.short = frozenset(cell for cell in short if self.before[cell] > self.tolerance(cell))
        """Shortages above the tolerance for rounding."""
        self._programs: SizeLimitedCache[Removed, Program] = SizeLimitedCache(_MAX_COLUMNS)
        self._impossible: set[Removed] = set()
        self._replans: SizeLimitedCache[Removed, Replan] = SizeLimitedCache(_MAX_COLUMNS)
        self._without_plan: set[Removed] = set()

    def replan(self, removed: Removed = _NOTHING) -> Replan | None:
        replan = self._replans.get(removed)
        if replan is None and removed not in self._without_plan:
            self.ended |= self.session.stopped
            replan = None if self.ended else self._replan(removed)
            if replan is None:
                self._without_plan.add(removed)
            else:
                self._replans.keep(removed, replan, len(replan.x))
        return replan

    def upstream(self, uses: Collection[Use], *, with_leads: bool) -> Upstream:
        return self._upstream(tuple(uses), with_leads)

    @cached_method
    def _upstream(self, uses: tuple[Use, ...], with_leads: bool) -> Upstream:
        return Upstream(self.problem_with_leads if with_leads else self.problem, uses, {t for _, t in self.short})

    @cached_method
    def served(self, removed: Removed) -> dict[Cell, float]:
        with_leads = any(each.kind == "no offer" for each in removed)
        if removed and not self.upstream(self.uses, with_leads=with_leads).can_supply(removed):
            return {}  # whatever the times and quantities
        base, after = self.replan(), self.replan(removed)
        if base is None or after is None:
            return {}
        ignores_price = any(each.kind == "price" for each in removed)
        before = self.before if ignores_price else base.short(self.short)
        after_kg = after.short(self.short)
        served = {cell: before[cell] - after_kg[cell] for cell in self.short}
        counted_kg = {cell: kilograms for cell, kilograms in served.items() if kilograms > self.tolerance(cell)}
        columns, cost = _ShortColumns(base.program), base.program.linear.cost
        money = sum(kilograms * cost[columns[cell]] for cell, kilograms in counted_kg.items())
        if money > self._proof_gap(after):
            return counted_kg
        self.is_gap_too_wide |= bool(counted_kg)
        return {}

    def supply(self, removed: Removed = _NOTHING) -> dict[str, float]:
        """Return the supply by offer or lot, in kilogram-periods until the end of the plan. It increases with quantity and with earlier arrival."""
        return self._supply(removed)

    @cached_method
    def _supply(self, removed: Removed) -> dict[str, float]:
        by_name: defaultdict[str, float] = defaultdict(float)
        plan = self.replan(removed)
        if plan is None:
            return by_name
        program, problem = plan.program, plan.program.problem
        # Other parts as in the plan, since most of their answers are cached. Parts that would need a search are left out.
        searched = self._connected_columns(program.linear, np.flatnonzero(program.linear.integer))
        rest = np.setdiff1d(np.arange(len(plan.x)), np.concatenate([plan.solved, searched]))
        plain = replace(self._relaxed(program, removed), cost=program.linear.cost, upper=program.linear.upper)
        other = self._solve(program, plain, rest) if len(rest) else None
        x = plan.x if other is None else np.where(np.isin(np.arange(len(plan.x)), plan.solved), plan.x, other)
        moves, arcs, count = problem.moves, problem.network.arcs, problem.case.horizon.count
        for column, move in zip(program.columns.buy.tolist(), program.columns.buy_move.tolist(), strict=True):
            if x[column] > 0:
                by_name[arcs[int(moves.arc[move])].name] += float(x[column]) * (count - int(moves.delivered[move]))
        return by_name

    def over_capacity(self, removed: Removed) -> set[str]:
        plan, case = self.replan(removed), self.problem.case
        if plan is None:
            return set()
        units = defaultdict[tuple[str, int], float](float)
        program, problem = plan.program, plan.program.problem
        for (offer, _, t), column in program.columns.make.items():
            units[problem.offers[offer].offer.id, t] += float(plan.x[column])
        for column, move in zip(program.columns.buy.tolist(), program.columns.buy_move.tolist(), strict=True):
            arc = problem.network.arcs[int(problem.moves.arc[move])]
            if arc.offer >= 0 and problem.offers[arc.offer].has_one_output:
                units[arc.chained.offer.id, int(problem.moves.ordered[move])] += float(plan.x[column])
        slack, exceeding = 2 * float(case.resolution), set[str]()
        for facts in self.problem.offers:
            ordered = [units[facts.offer.id, t] for t in range(case.horizon.count)]
            max_units = [inf if each is None else float(each) for each in facts.max_units]
            total = inf if facts.offer.total is None else float(facts.offer.total)
            if sum(ordered) > total + slack or any(u > m + slack for u, m in zip(ordered, max_units, strict=True)):
                exceeding.add(facts.offer.id)
        for pool in self.problem.pools:
            members = [self.problem.offers[offer].offer for offer in pool.offers]
            for t, capacity in enumerate(pool.capacity):
                used = sum(float(offer.capacity_use) * units[offer.id, t] for offer in members)
                if capacity is not None and used > float(capacity) + slack:
                    exceeding |= {offer.id for offer in members if units[offer.id, t]}
        return exceeding

    def tolerance(self, cell: Cell) -> float:
        return 2 * float(self.session.problem.case.resolution) + 1e-6 * self._demand_kg[cell]

    def program(self, removed: Removed = _NOTHING) -> Program | None:
        in_facts = frozenset(each for each in removed if each.kind in _IN_FACTS)
        program = self._programs.get(in_facts)
        if program is None and in_facts not in self._impossible:
            try:
                program = compile_program(self._facts.without(in_facts))
            except InputError:
                self._impossible.add(in_facts)
            else:
                self._programs.keep(in_facts, program, len(program.linear.cost))
        return program

    def marginal_cost(self, removed: Removed, group: tuple[str, ...], served: Mapping[Cell, float]) -> float | None:
        """Return the cost of the next kilogram, in money of its period. None if it costs as much as the shortage."""
        base, all_served = self.replan(removed), self.replan(removed | {Restriction("price", group)})
        assert base is not None
        assert all_served is not None
        columns = _ShortColumns(base.program)
        own = np.array([columns[cell] for cell in served], dtype=np.intp)
        cost = base.program.linear.cost.copy()
        cost[own] = 0.0
        if any(base.x[columns[cell]] < self.before[cell] - self.tolerance(cell) for cell in served):
            return None
        rates = [_cost_per_kg(base, replace(base, x=all_served.x), cost, own)]
        weights = np.zeros(len(cost))
        weights[own] = 1.0
        linear = replace(self._relaxed(base.program, removed), cost=cost)
        total_kg = sum(served.values())
        # With whole lots, the first kilogram may cost as much as many kilograms.
        steps = (
            ((total_kg / _STEPS, base), (total_kg, all_served))
            if linear.integer.any()
            else ((total_kg / _STEPS, base),)
        )
        for extra_kg, near in steps:
            larger = capped(linear, weights, float(base.x[own].sum()) - extra_kg)
            x = self._solve(base.program, larger, own, near.x)
            if x is not None:
                rates.append(
                    _cost_per_kg(base, Replan(base.program, x, self._connected_columns(larger, own)), cost, own)
                )
        return min(rates)

    @property
    def problem(self) -> Problem:
        return self._facts.problem

    @property
    def problem_with_leads(self) -> Problem:
        return self._facts.problem_with_leads

    @cached_property
    def uses(self) -> list[Use]:
        """Uses with a shortage."""
        names = {name for name, _ in self.short}
        return list(dict.fromkeys(demand.use for demand in self.problem.demands if demand.id in names))

    @cached_property
    def _facts(self) -> Relaxations:
        """Facts of the part. Most shortages of a large plan are rounding, and need no facts."""
        return Relaxations(self.session.parts.part(self._members))

    def _replan(self, removed: Removed) -> Replan | None:
        program = self.program(removed)
        if program is None:
            return None
        columns = _ShortColumns(program)
        targets = np.array([columns[cell] for cell in sorted(self.short)], dtype=np.intp)
        linear = self._relaxed(program, removed)
        ignores_price = any(each.kind == "price" for each in removed)
        x = self._solve(replace(program, goals=()) if ignores_price else program, linear, targets)
        if x is None:
            return None
        return Replan(program, x, self._connected_columns(linear, targets))

    def _solve(self, program: Program, linear: Linear, targets: Ints, near: Floats | None = None) -> Floats | None:
        session = self.session
        if any(not goal.is_whole_objective for goal in program.goals):
            try:
                solution = solve(
                    replace(program, linear=linear),
                    self._remaining_limits(),
                    None,
                    session.cancel,
                    session.answers,
                    session.choices,
                )
            except NoPlanError:
                self.ended = True
                return None
            self.ended |= solution.status not in (PlanStatus.OPTIMAL, PlanStatus.UNCONFIRMED, PlanStatus.INFEASIBLE)
            return solution.x if solution.status in (PlanStatus.OPTIMAL, PlanStatus.UNCONFIRMED) else None
        is_target = np.zeros(len(linear.cost), dtype=bool)
        is_target[targets] = True
        parts = [part for part in split(linear) if is_target[part.columns].any()]
        start = program.start(session.choices) if near is None else near
        starts = [start[part.columns] for part in parts]
        answers = optima(
            [part.linear for part in parts], self._remaining_limits(), session.cancel, session.answers, starts
        )
        x = np.zeros(len(linear.cost))
        for part, answer in zip(parts, answers, strict=True):
            if answer.outcome not in _SOLVED or answer.x is None:
                self.ended |= answer.outcome is not SolverOutcome.INFEASIBLE
                return None
            x[part.columns] = answer.x
        return x

    def _remaining_limits(self) -> Limits:
        limits = self.session.remaining_limits()
        # No second solver: a plan that serves more exists, whether or not another solver also finds it cheapest.
        limits = replace(limits, engines=replace(limits.engines, second=()))
        if self._deadline is None:
            return limits
        seconds = max(0.0, self._deadline - monotonic())
        return replace(limits, seconds=seconds if limits.seconds is None else min(seconds, limits.seconds))

    def _connected_columns(self, linear: Linear, targets: Ints) -> Ints:
        labels = column_labels(linear.entries)
        return np.flatnonzero(np.isin(labels, labels[targets]))

    def _proof_gap(self, replan: Replan) -> float:
        linear = replan.program.linear
        return 2 * self.session.limits.gap * abs(float(linear.cost @ replan.x)) if linear.integer.any() else 0.0

    def _relaxed(self, program: Program, removed: Removed) -> Linear:
        """Drop the restrictions that are rows, columns, or costs, and bound the shortages by those of the plan."""
        linear = program.linear
        cost, upper = linear.cost.copy(), linear.upper.copy()
        row_lower, row_upper = linear.row_lower.copy(), linear.row_upper.copy()
        columns = _ShortColumns(program)
        short_columns = np.array(list(columns.values()), dtype=np.intp)
        max_short = np.array([self.before.get(cell, np.inf) for cell in columns])
        upper[short_columns] = np.minimum(
            upper[short_columns], max_short + _TOLERANCE * np.maximum(1.0, upper[short_columns])
        )
        cost[short_columns] *= 1 + _TIE
        for each in sorted(removed):
            own = [column for cell, column in columns.items() if cell[0] in each.names]
            if each.kind == "limit":
                rows = _limit_rows(program, each)
                row_lower[rows], row_upper[rows] = -np.inf, np.inf
            elif each.kind == "inputs":
                row_lower[_balance_rows(program, each)] = -np.inf
            elif each.kind == "competition":
                others = np.setdiff1d(short_columns, own)
                cost[others], upper[others] = 0.0, linear.upper[others]
            elif each.kind == "price":
                cost = np.zeros(len(cost))
                cost[own] = 1.0
        return replace(linear, cost=cost, upper=upper, row_lower=row_lower, row_upper=row_upper)


def _cost_per_kg(base: Replan, other: Replan, cost: Floats, own: Ints) -> float:
    problem = base.program.problem
    discounts = np.array([float(each) for each in problem.discount])
    periods = (own - base.program.columns.short) % problem.case.horizon.count
    solved = other.solved
    extra = float(cost[solved] @ (other.x[solved] - base.x[solved]))
    return extra / float(((base.x[own] - other.x[own]) * discounts[periods]).sum())


class _ShortColumns(Mapping[Cell, int]):
    """Positions of the columns of shortages, by demand and period. A dictionary of a whole case would be large for each of its parts."""

    def __init__(self, program: Program) -> None:
        self._first, self._count = program.columns.short, program.problem.case.horizon.count
        self._number = {demand.id: number for number, demand in enumerate(program.problem.demands)}

    def __getitem__(self, cell: Cell) -> int:
        name, t = cell
        return self._first + self._number[name] * self._count + t

    def __iter__(self) -> Iterator[Cell]:
        return ((name, t) for name in self._number for t in range(self._count))

    def __len__(self) -> int:
        return len(self._number) * self._count


def _limit_rows(program: Program, restriction: Restriction) -> list[int]:
    limits = program.limits
    return [
        row for row, (rule, _) in zip(limits.program_rows, limits.rows, strict=True) if rule.id == restriction.names[0]
    ]


def _balance_rows(program: Program, restriction: Restriction) -> list[int]:
    problem, count = program.problem, program.problem.case.horizon.count
    feeds = {feed for feeds in problem.network.feeds.values() for feed in feeds if feed[0] in restriction.names}
    nodes = [node for group in problem.compliance_classes for node in sorted(group.nodes)]
    first = next(row for row, owner in program.owners if owner == "balance") if nodes else 0
    return [first + number * count + t for number, node in enumerate(nodes) if node in feeds for t in range(count)]
