"""Pricing of linking constraints that join parts of a component: parts are solved apart, with column generation over their plans.

Each part is solved alone, with its costs minus its value at the prices. The parts' optima and the rows' own bounds together are a bound on the whole.
The master, a small linear program, mixes known plans so that they satisfy the linking constraints, and its duals are the next prices. Dantzig and
Wolfe, Decomposition principle for linear programs, Operations Research 8, 1960, 101-111; Geoffrion, Lagrangean relaxation for integer programming,
Mathematical Programming Study 2, 1974, 82-114.

A few rows, such as a budget, are priced by `LagrangianPricing`. Capacities that many parts share are priced by `LagrangianPrices`. Its bound is above
that of the linear relaxation, because each part's choices are integer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .components import Component, labels, split
from .engine import Ask, Engines, SolverAnswer, SolverOutcome, UnboundedError, Watch
from .first_plan import fix
from .scaling import scaled

# Maximum number of linking constraints.
MAX_ROWS = 64
# Number of entries below which a linear program is solved as one. The search for linking constraints would take nearly as long.
FEW_ENTRIES = 5_000
# Number of integer variables below which a program is solved as one.
MANY_CHOICES = 400
# Minimum number of parts that share something. None may have more than twice its equal share of the columns.
MANY_PARTS = 8
ROW_TOLERANCE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class LinkedProgram:
    """Program as parts and their linking constraints."""

    linear: Linear
    rows: Ints
    parts: Sequence[Component]
    loose: Ints
    """Columns in no other row."""

    def spread(self, xs: Sequence[Floats], loose: Floats) -> Floats:
        x = np.zeros(len(self.linear.cost))
        x[self.loose] = loose
        for part, values in zip(self.parts, xs, strict=True):
            x[part.columns] = values
        return x

    def satisfies_links(self, x: Floats) -> bool:
        lower, upper = self.linear.row_lower[self.rows], self.linear.row_upper[self.rows]
        activity = self.linear.entries[self.rows] @ x
        tolerances = [
            ROW_TOLERANCE * np.maximum(1.0, np.where(np.isfinite(bounds), np.abs(bounds), 0.0))
            for bounds in (lower, upper)
        ]
        return bool((activity >= lower - tolerances[0]).all() and (activity <= upper + tolerances[1]).all())


def linked_program(linear: Linear) -> LinkedProgram | None:
    """Return the program as parts and few linking inequalities. None if it is small and linear, or if no few rows join much smaller parts."""
    if linear.entries.nnz < FEW_ENTRIES and not linear.integer.any():
        return None
    counts = linear.entries.counts
    # Not equations: prices of equations for flows tell little.
    open_ended = np.flatnonzero((linear.row_lower < linear.row_upper) & (counts > 1))
    if not len(open_ended):
        return None
    candidates = open_ended[np.argsort(-counts[open_ended], kind="stable")][:MAX_ROWS]
    rows = np.sort(candidates[: _min_candidates(linear, candidates)])
    if not len(rows):
        return None
    linked = _split_at_links(linear, rows)
    rows = linked.rows
    has_parts = len(linked.parts) >= 2 and 0 < len(rows) <= 2 * len(linked.parts)
    return linked if has_parts and max(len(part.columns) for part in linked.parts) <= len(linear.cost) / 2 else None


def shared_capacity_program(
    linear: Linear, choices: int = MANY_CHOICES, parts: int = MANY_PARTS
) -> LinkedProgram | None:
    """Return the program as many parts that share capacities and the like. None if it has few parts or few integer variables."""
    if np.count_nonzero(linear.integer) < choices:
        return None
    pattern = replace(linear.entries, data=np.ones(linear.entries.nnz))
    has_no_choices = pattern @ linear.integer.astype(np.float64) == 0
    is_shared = has_no_choices & (linear.row_lower < linear.row_upper) & (np.diff(linear.entries.indptr) > 1)
    linked = _split_at_links(linear, np.flatnonzero(is_shared))
    if not len(linked.rows) or len(linked.parts) < parts:
        return None
    return linked if max(len(part.columns) for part in linked.parts) * parts <= 2 * len(linear.cost) else None


def _split_at_links(linear: Linear, rows: Ints) -> LinkedProgram:
    linked = _without_rows(linear, rows)
    while (within_part := _rows_within_part(linked)).any():
        rows = rows[~within_part]
        linked = _without_rows(linear, rows)
    return linked


def _min_candidates(linear: Linear, candidates: Ints) -> int:
    """Return the minimum number of first candidates that leave no part with more than half of the columns. 0 if there is none."""
    part_of_column, _ = labels(linear.entries[_other_rows(linear, candidates)])
    sizes = np.bincount(part_of_column)
    if sizes.max(initial=0) > len(part_of_column) / 2:
        return 0
    for position in range(len(candidates) - 1, -1, -1):
        start, stop = linear.entries.indptr[candidates[position] : candidates[position] + 2]
        touched = np.flatnonzero(np.bincount(part_of_column[linear.entries.indices[start:stop]]))
        sizes[touched[0]], sizes[touched[1:]] = sizes[touched].sum(), 0
        if sizes[touched[0]] > len(part_of_column) / 2:
            return position + 1
        part_of_column = np.where(np.isin(part_of_column, touched), touched[0], part_of_column)
    return 0


def _other_rows(linear: Linear, rows: Ints) -> Ints:
    is_other = np.ones(linear.entries.shape[0], dtype=bool)
    is_other[rows] = False
    return np.flatnonzero(is_other)


def _without_rows(linear: Linear, rows: Ints) -> LinkedProgram:
    other_rows = _other_rows(linear, rows)
    components = split(linear.of_rows(other_rows))
    parts = [replace(component, rows=other_rows[component.rows]) for component in components if len(component.rows)]
    loose_columns = [component.columns for component in components if not len(component.rows)]
    return LinkedProgram(linear, rows, parts, np.concatenate([np.array([], dtype=np.intp), *loose_columns]))


def _rows_within_part(linked: LinkedProgram) -> NDArray[np.bool_]:
    """Return the linking constraints that touch at most one part, and no loose column of another one."""
    of_column = np.full(len(linked.linear.cost), -1)
    for number, part in enumerate(linked.parts):
        of_column[part.columns] = number
    entries = linked.linear.entries[linked.rows]
    row_counts = np.bincount(entries.indices, minlength=len(of_column))
    within_part = np.zeros(len(linked.rows), dtype=bool)
    for row in range(len(linked.rows)):
        columns = entries.indices[entries.indptr[row] : entries.indptr[row + 1]]
        touched_parts = of_column[columns]
        within_part[row] = len(set(touched_parts[touched_parts >= 0].tolist())) <= 1 and bool(
            (row_counts[columns[touched_parts < 0]] == 1).all()
        )
    return within_part


@dataclass(frozen=True, slots=True, eq=False)
class SubproblemPlan:
    """Plan of one part, with its activity in the linking constraints."""

    x: Floats
    cost: float
    activity: Floats


class Subproblems:
    """Parts of a program, with their known plans."""

    def __init__(self, linked: LinkedProgram) -> None:
        self.linked, self.linear = linked, linked.linear
        # Coefficients of the linking constraints.
        self.linking_entries = linked.linear.entries[linked.rows]
        self.part_entries = [self.linking_entries.within(part.columns) for part in linked.parts]
        self.lower, self.upper = linked.linear.row_lower[linked.rows], linked.linear.row_upper[linked.rows]
        self.plans: list[list[SubproblemPlan]] = [[] for _ in linked.parts]

    @property
    def activity(self) -> Floats:
        """Sum of each plan in the linking constraints, rows by plans, in order of the parts."""
        activity: Floats = np.array([plan.activity for plans in self.plans for plan in plans]).T
        return activity

    def keep(self, part: int, x: Floats) -> bool:
        cost, activity = float(self.linked.parts[part].linear.cost @ x), self.part_entries[part] @ x
        if any(plan.cost == cost and (plan.activity == activity).all() for plan in self.plans[part]):
            return False
        self.plans[part].append(SubproblemPlan(x, cost, activity))
        return True

    def keep_all(self, answers: Sequence[SolverAnswer]) -> bool:
        new = [answer.x is not None and self.keep(part, answer.x) for part, answer in enumerate(answers)]
        return any(new)

    def at(self, prices: Floats, costs: bool = True) -> list[Linear]:
        """Return the parts with their value at some prices subtracted from their costs, or from zero without `costs`."""
        return [
            replace(part.linear, cost=(part.linear.cost if costs else 0.0) - entries.weighed(prices))
            for part, entries in zip(self.linked.parts, self.part_entries, strict=True)
        ]

    def signed_prices(self, prices: Floats) -> Floats:
        signed = np.where((prices > 0) & np.isinf(self.lower), 0.0, prices)
        return np.where((signed < 0) & np.isinf(self.upper), 0.0, signed)

    def bounded_prices(self, prices: Floats) -> Floats:
        """Return the prices with the allowed signs, scaled down so that loose columns without an upper bound earn no more than they cost."""
        signed = self.signed_prices(prices)
        unbounded = self.linked.loose[np.isinf(self.linear.upper[self.linked.loose])]
        earnings, cost = self.linking_entries.within(unbounded).weighed(signed), self.linear.cost[unbounded]
        earns_too_much = earnings > cost
        return (
            signed * float((cost[earns_too_much] / earnings[earns_too_much]).min()) if earns_too_much.any() else signed
        )

    def bound(self, prices: Floats, answers: Sequence[SolverAnswer]) -> float:
        binding = prices != 0
        row_bounds = np.where(prices > 0, self.lower, self.upper)[binding]
        loose = self.linked.loose
        cost = self.linear.cost[loose] - self.linking_entries.within(loose).weighed(prices)
        has_cost = cost != 0
        cheapest = np.where(cost < 0, self.linear.upper[loose], self.linear.lower[loose])
        parts = sum(answer.bound for answer in answers)
        return (
            float(prices[binding] @ row_bounds)
            + float(cost[has_cost] @ cheapest[has_cost])
            + parts
            + self.linear.constant
        )

    def confirmed_bound(self, prices: Floats, bound: float, solver: PartSolver) -> float:
        if solver.watch.stopped():
            return bound
        return min(bound, self.bound(prices, solver.opinions(self.at(prices))))

    def master(
        self,
        loose_cost: Floats,
        plan_cost: Floats,
        violation_cost: Floats,
        max_violation: float,
        integer: Mask | None = None,
    ) -> Linear:
        """Return the program of the plans' shares, summing to one per part, so that they satisfy the linking constraints except for violations.

        Its columns are the loose columns, the plans in order of the parts, and the violations of each row from below, then from above.
        """
        linear, loose, rows, parts = self.linear, self.linked.loose, len(self.lower), len(self.plans)
        part_of_plan = np.repeat(np.arange(parts), [len(plans) for plans in self.plans])
        loose_entries, activity, row_numbers = self.linking_entries.within(loose), self.activity, np.arange(rows)
        plan_rows, plan = np.nonzero(activity)
        plan_columns = len(loose) + np.arange(len(part_of_plan))
        violations = len(loose) + len(part_of_plan) + np.arange(2 * rows)
        cost = np.concatenate([loose_cost, plan_cost, violation_cost])
        entries = Entries.summed(
            np.concatenate([loose_entries.rows, plan_rows, rows + part_of_plan, row_numbers, row_numbers]),
            np.concatenate([loose_entries.indices, plan_columns[plan], plan_columns, violations]),
            np.concatenate(
                [
                    loose_entries.data,
                    activity[plan_rows, plan],
                    np.ones(len(part_of_plan)),
                    np.ones(rows),
                    -np.ones(rows),
                ]
            ),
            (rows + parts, len(cost)),
        )
        return Linear(
            cost=cost,
            lower=np.concatenate([linear.lower[loose], np.zeros(len(part_of_plan) + 2 * rows)]),
            upper=np.concatenate([linear.upper[loose], np.ones(len(part_of_plan)), np.full(2 * rows, max_violation)]),
            integer=np.zeros(len(cost), dtype=bool) if integer is None else integer,
            entries=entries,
            row_lower=np.concatenate([self.lower, np.ones(parts)]),
            row_upper=np.concatenate([self.upper, np.ones(parts)]),
        )

    @property
    def costs(self) -> Floats:
        return np.array([plan.cost for plans in self.plans for plan in plans])


MAX_ROUNDS = 60
# Nodes of the search for one plan per part. Unlike time, this limit doesn't depend on the clock.
CHOICE_NODES = 2000


class PartSolver(Protocol):
    """Solver of one program without a time limit, and of many parts until its watch stops."""

    watch: Watch
    engines: Engines
    gap: float
    workers: int

    def solve_exactly(self, linear: Linear) -> SolverAnswer: ...

    def solve_several(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]: ...

    def opinions(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]: ...


class LagrangianPricing:
    """Prices for few linking constraints, with the parts' plans and the bound that the prices prove."""

    def __init__(self, linked: LinkedProgram, plans: Sequence[Floats], solver: PartSolver, bound: float) -> None:
        self.linked, self.linear, self.solver, self.bound = linked, linked.linear, solver, bound
        self.subproblems = Subproblems(linked)
        self._unpriced = bound
        # Prices that proved the bound. None if the parts alone did.
        self._prices: Floats | None = None
        for part, x in enumerate(plans):
            self.subproblems.keep(part, x)

    def run(self) -> SolverAnswer:
        priced = self._run_rounds(feasible=False) and self._run_rounds(feasible=True)
        if self._prices is not None:
            confirmed = self.subproblems.confirmed_bound(self._prices, self.bound, self.solver)
            self.bound = max(self._unpriced, confirmed)
        return self._chosen_plan() if priced else SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)

    def _run_rounds(self, feasible: bool) -> bool:
        """Price until some mix satisfies the rows, or with `feasible`, until no plan improves it. Return False if no known mix satisfies the rows."""
        for _ in range(MAX_ROUNDS):
            if self.solver.watch.stopped():
                return feasible
            mix = self.solver.solve_exactly(self._master(feasible))
            if mix.outcome is not SolverOutcome.OPTIMAL or mix.duals is None:
                return False
            if not feasible and mix.objective <= 1e-9:
                return True
            if feasible and mix.objective - self.bound <= self.solver.gap * abs(mix.objective) / 4:
                return True
            duals = mix.duals[: len(self.linked.rows)]
            prices = self.subproblems.bounded_prices(duals) if feasible else self.subproblems.signed_prices(duals)
            answers = self._solve_parts(prices, feasible)
            if answers is None:
                return feasible
            if feasible:
                bound = self.subproblems.bound(prices, answers)
                if bound > self.bound:
                    self.bound, self._prices = bound, prices
            if not self.subproblems.keep_all(answers):
                return feasible
        return feasible

    def _solve_parts(self, prices: Floats, feasible: bool) -> list[SolverAnswer] | None:
        try:
            return self.solver.solve_several(self.subproblems.at(prices, costs=feasible))
        except UnboundedError:
            return None

    def _master(self, feasible: bool, whole: bool = False) -> Linear:
        subproblems, loose = self.subproblems, self.linked.loose
        costs, rows = subproblems.costs, len(self.linked.rows)
        integer = np.concatenate([self.linear.integer[loose], np.full(len(costs), True), np.full(2 * rows, False)])
        if feasible:
            return subproblems.master(self.linear.cost[loose], costs, np.zeros(2 * rows), 0.0, integer & whole)
        violation_cost = 1.0 / np.maximum(1.0, np.abs(subproblems.activity).max(axis=1))
        return subproblems.master(
            np.zeros(len(loose)), np.zeros(len(costs)), np.tile(violation_cost, 2), np.inf, integer & whole
        )

    def _chosen_plan(self) -> SolverAnswer:
        chosen = self._largest_share_plans()
        if chosen is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        answer = self.solver.solve_exactly(fix(self.linear, self.linear.integer, chosen))
        if answer.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        return SolverAnswer(SolverOutcome.FEASIBLE, answer.x, answer.objective, min(self.bound, answer.objective))

    def _largest_share_plans(self) -> Floats | None:
        scaled_master, scale = scaled(self._master(feasible=True, whole=True))
        answer = self.solver.engines.search(scaled_master, Ask(gap=self.solver.gap, nodes=CHOICE_NODES))
        if answer.x is None:
            return None
        values = answer.x * scale.columns
        shares = iter(values[len(self.linked.loose) :].tolist())
        xs = []
        for plans in self.subproblems.plans:
            share_and_index = [(next(shares), i) for i in range(len(plans))]
            xs.append(plans[max(share_and_index, key=lambda pair: (pair[0], -pair[1]))[1]].x)
        return self.linked.spread(xs, values[: len(self.linked.loose)])


# Half the width of the first box, as a share of a price and of a tenth of the highest one.
BOX = 0.1
SHRINK = 0.7


class LagrangianPrices:
    """Best known prices of the linking constraints, the bound that they prove, and the parts' plans.

    The prices start at the duals of the linear relaxation and stay within a box around the best prices, which shrinks. Marsten, Hogan and Blankenship,
    The boxstep method for large-scale optimization, Operations Research 23, 1975, 389-405.
    """

    def __init__(self, linked: LinkedProgram, solver: PartSolver, start: Floats, gap: float) -> None:
        self.linked, self.solver, self.gap = linked, solver, gap
        self.subproblems = Subproblems(linked)
        self.width = BOX
        self.prices = self.subproblems.bounded_prices(start)
        self.bound = -np.inf
        # Parts' best plans and bounds at the best prices. Empty if no prices proved anything.
        self.answers: list[SolverAnswer] = []
        # Mix of the parts' plans that satisfies the linking constraints, as far as the box allows.
        self.mix: Floats | None = None
        self.rounds = 0
        self._evaluate(self.prices)

    def run(self, rounds: int) -> None:
        for _ in range(rounds):
            if not all(self.subproblems.plans):
                return
            self.rounds += 1
            half_width = self.width * (np.abs(self.prices) + 0.1 * np.abs(self.prices).max(initial=0.0))
            try:
                mix = self.solver.solve_exactly(self._master(self.prices - half_width, self.prices + half_width))
            except UnboundedError:
                self.width *= SHRINK
                continue
            if mix.outcome is not SolverOutcome.OPTIMAL or mix.duals is None or mix.x is None:
                return
            self.mix = self._spread(mix.x)
            if not self._evaluate(self.subproblems.bounded_prices(mix.duals[: len(self.prices)])):
                return

    def confirm(self) -> None:
        if self.answers:
            self.bound = self.subproblems.confirmed_bound(self.prices, self.bound, self.solver)

    def used_choices(self, choices: Mask) -> Mask:
        is_positive = np.zeros(len(choices), dtype=bool)
        for part, plans in zip(self.linked.parts, self.subproblems.plans, strict=True):
            for plan in plans:
                is_positive[part.columns] |= np.round(plan.x) > 0
        return is_positive & choices

    def excess(self, x: Floats) -> Floats:
        """Return each part's cost in a plan above its bound, at the best prices."""
        if not self.answers:
            return np.zeros(len(self.linked.parts))
        parts = zip(self.subproblems.at(self.prices), self.linked.parts, self.answers, strict=True)
        return np.array([float(priced.cost @ x[part.columns]) - answer.bound for priced, part, answer in parts])

    def _evaluate(self, prices: Floats) -> bool:
        """Solve all parts at some prices. Return False if that gives no new plan."""
        try:
            answers = self.solver.solve_several(self.subproblems.at(prices), self.gap)
        except UnboundedError:
            answers = []
        bound = self.subproblems.bound(prices, answers) if answers else -np.inf
        if bound > self.bound:
            self.prices, self.bound, self.answers = prices, bound, answers
        else:
            self.width *= SHRINK
        return self.subproblems.keep_all(answers) or not answers

    def _master(self, low: Floats, high: Floats) -> Linear:
        loose_cost = self.linked.linear.cost[self.linked.loose]
        return self.subproblems.master(loose_cost, self.subproblems.costs, np.concatenate([high, -low]), np.inf)

    def _spread(self, x: Floats) -> Floats:
        shares = iter(x[len(self.linked.loose) :].tolist())
        xs = [
            sum((next(shares) * plan.x for plan in plans), np.zeros(len(plans[0].x)))
            for plans in self.subproblems.plans
        ]
        return self.linked.spread(xs, x[: len(self.linked.loose)])
