"""Repeated pricing of second stages for different first-stage decisions: the cost, and a plane that bounds it from below."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from friendshore.program.matrix import Entries, Floats, Linear, capped, continuous, with_rows
from friendshore.solve import SolverAnswer, SolverOutcome, WarmStartedSolver

from .program import (
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    SecondStage,
    min_costs,
    second_stage_at,
    worst_shares,
)

TOLERANCE = 1e-9
"""Tolerance of the engine, relative to the largest cost: maximum reduced cost of an unbounded column that counts as 0."""


@dataclass(frozen=True, slots=True, eq=False)
class PricedStage:
    """Response of a second stage to decisions."""

    values: Floats | None
    """Values of its columns. None if it is infeasible."""
    cost: float
    """Total cost. Infinite if it is infeasible."""
    constant: float
    """Constant of the bound `constant + slope @ x` on the cost after any decisions x. If infeasible, the bound is on the violation of rows instead."""
    slope: Floats


class StagePricer:
    """Second stages without integer columns. Those with the same coefficients share one program in the engine, which continues from its last basis."""

    def __init__(self, stages: Sequence[SecondStage]) -> None:
        self.stages = stages
        program_by_digest: dict[bytes, _SharedProgram] = {}
        self._shared_programs = [
            program_by_digest.setdefault(_digest(stage.recourse), _SharedProgram(stage.recourse)) for stage in stages
        ]
        self._technology = [stage.technology.transposed() for stage in stages]

    def at(self, number: int, x: Floats) -> PricedStage | None:
        """Return the response of a second stage to decisions. None if the engine gives no answer, or no proof of it."""
        stage, shared_program = self.stages[number], self._shared_programs[number]
        linear = second_stage_at(stage, x)
        answer = shared_program.optimum_solver.optimum(linear)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            answer = shared_program.violation_solver.optimum(_elastic(linear))
            if answer.duals is None:
                return None
            plane = self._plane(number, np.zeros(len(stage.cost)), answer.duals.clip(-1.0, 1.0))
            has_violation = plane is not None and plane[0] + float(plane[1] @ x) > TOLERANCE
            return PricedStage(None, np.inf, *plane) if plane is not None and has_violation else None
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or answer.duals is None:
            return None
        plane = self._plane(number, stage.cost, answer.duals)
        if plane is None:
            return None
        cost = float(stage.before @ x + stage.cost @ answer.x) + stage.constant
        return PricedStage(answer.x, cost, plane[0] + stage.constant, plane[1] + stage.before)

    def _plane(self, number: int, cost: Floats, duals: Floats) -> tuple[float, Floats] | None:
        """Return a lower bound on the cost of a second stage's own columns, by weak duality: it is valid for any multipliers of its rows.

        The sum over rows of `y+ (low - T x) - y- (high - T x)`, and for each column the lower of `(cost - W'y) z` at its bounds. All of it except `-(T'y) x` is
        the constant. None if a column without a bound has a negative reduced cost, so that these multipliers prove nothing.
        """
        stage = self.stages[number]
        low, high = np.isfinite(stage.row_lower), np.isfinite(stage.row_upper)
        duals = np.where((duals > 0) & ~low | (duals < 0) & ~high, 0.0, duals)
        row_terms = np.where(duals > 0, np.where(low, stage.row_lower, 0.0), np.where(high, stage.row_upper, 0.0))
        reduced = cost - self._shared_programs[number].transposed @ duals
        column_bound = np.where(reduced > 0, stage.lower, stage.upper)
        is_unbounded = ~np.isfinite(column_bound)
        if is_unbounded.any():
            if (abs(reduced[is_unbounded]) > TOLERANCE * max(1.0, float(abs(cost).max(initial=0.0)))).any():
                return None
            column_bound = np.where(is_unbounded, 0.0, column_bound)
        return float(duals @ row_terms + reduced @ column_bound), -(self._technology[number] @ duals)


class _SharedProgram:
    def __init__(self, entries: Entries) -> None:
        self.optimum_solver, self.violation_solver = WarmStartedSolver(), WarmStartedSolver()
        self.transposed = entries.transposed()


def _digest(entries: Entries) -> bytes:
    parts = (np.array(entries.shape), entries.data, entries.indices, entries.indptr)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()


def _elastic(linear: Linear) -> Linear:
    """Return the program of the minimum total violation of rows, with columns for violations on either side."""
    rows, columns = linear.entries.shape
    row_numbers = np.arange(rows)
    old_entries = linear.entries
    entries = Entries.summed(
        np.concatenate([old_entries.rows, row_numbers, row_numbers]),
        np.concatenate([old_entries.indices, columns + row_numbers, columns + rows + row_numbers]),
        np.concatenate([old_entries.data, np.ones(rows), -np.ones(rows)]),
        (rows, columns + 2 * rows),
    )
    return replace(
        linear,
        cost=np.concatenate([np.zeros(columns), np.ones(2 * rows)]),
        lower=np.concatenate([linear.lower, np.zeros(2 * rows)]),
        upper=np.concatenate([linear.upper, np.full(2 * rows, np.inf)]),
        integer=np.zeros(columns + 2 * rows, dtype=bool),
        entries=entries,
    )


GROUPS = 20
"""Maximum number of groups of branches. One cut for all branches is too weak, and one for each makes the master too large."""
ROUNDS = 200
SLACK = 1e-9
"""Tolerance of the objective for breaking ties, relative: that of the solver."""
INTEGER_TOLERANCE = 1e-6
EXPECTED = RiskMeasure()


@dataclass(frozen=True, slots=True, eq=False)
class Decomposed:
    """The best decisions found, with the responses."""

    x: Floats
    seconds: tuple[Floats, ...]
    bound: float
    rounds: int


def solve_by_cuts(
    program: RecourseProgram,
    measure: RiskMeasure,
    solver: Callable[[Linear], SolverAnswer],
    gap: float,
    stopped: Callable[[], bool],
    start: Floats | None = None,
) -> Decomposed | None:
    """Return the best decisions of a program whose second stages have no integer columns. None if there are none, or if cuts don't converge.

    Among decisions of equal CVaR, those with the lowest expected cost are chosen. If `stopped` returns True, the best decisions so far are returned. If
    integers were still relaxed, they are fixed once, in the time that the solver has left. `start` are decisions to try first. None means those with the
    lowest cost in the first stage.
    """
    try:
        return _LShaped(program, measure, solver, gap, stopped).answer(start)
    except _GaveUpError:
        return None


class _GaveUpError(Exception):
    """The engine gives no data for cuts, or there are too many rounds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Trial:
    x: Floats
    responses: list[PricedStage]
    branches: Floats


@dataclass(slots=True)
class _Goal:
    cost: Floats
    value: Callable[[_Trial], float]
    best: _Trial | None = None
    best_value: float = np.inf
    bound: float = -np.inf

    def update(self, look: _Trial) -> None:
        value = self.value(look)
        if value < self.best_value:
            self.best, self.best_value = look, value

    def is_met(self, gap: float) -> bool:
        return self.best is not None and self.best_value - self.bound <= gap * abs(self.best_value)


class _LShaped:
    def __init__(
        self,
        program: RecourseProgram,
        measure: RiskMeasure,
        solver: Callable[[Linear], SolverAnswer],
        gap: float,
        stopped: Callable[[], bool],
    ) -> None:
        self.program, self.measure, self.solver, self.gap, self.stopped = program, measure, solver, gap, stopped
        self.pricer = StagePricer(program.stages)
        self.measures = (measure, EXPECTED) if measure.weight == 1 else (measure,)
        self.branches = program.branches
        if (
            not measure.weight
        ):  # each second stage by itself, since an expected value doesn't depend on how they are combined
            chances = enumerate(program.weights.tolist())
            self.branches = tuple(ScenarioBranch(chance, (number,)) for number, chance in chances)
        self.chances = np.array([branch.probability for branch in self.branches])
        self.count = len(program.first.cost)
        self.groups = min(GROUPS, len(self.branches))
        self.group = np.arange(len(self.branches)) * self.groups // max(1, len(self.branches))
        self.branch = np.repeat(np.arange(len(self.branches)), [len(branch.stages) for branch in self.branches])
        self.stage = np.array([stage for branch in self.branches for stage in branch.stages], dtype=np.intp)
        self.eta = self.count
        self.master = self._without_cuts()
        self.tried: set[bytes] = set()
        self.rounds = 0

    def _without_cuts(self) -> Linear:
        first, has_cvar = self.program.first, self.measure.weight > 0
        min_branch_costs = self._branch_costs(min_costs(self.program))
        if not np.isfinite(min_branch_costs).all():
            raise _GaveUpError
        lower = [(1 - each.weight) * self._group_sums(self.chances * min_branch_costs) for each in self.measures]
        extra_count = has_cvar + self.groups * len(self.measures)
        return Linear(
            cost=self._cost(self.measure),
            lower=np.concatenate([first.lower, [min_branch_costs.min()] if has_cvar else [], *lower]),
            upper=np.concatenate([first.upper, np.full(extra_count, np.inf)]),
            integer=np.concatenate([first.integer, np.zeros(extra_count, dtype=bool)]),
            entries=replace(first.entries, shape=(first.entries.shape[0], self.count + extra_count)),
            row_lower=first.row_lower,
            row_upper=first.row_upper,
            constant=first.constant,
        )

    def _branch_costs(self, costs: Floats) -> Floats:
        return np.bincount(self.branch, costs[self.stage], minlength=len(self.branches)).astype(np.float64)

    def _group_sums(self, weights: Floats) -> Floats:
        return np.bincount(self.group, weights, minlength=self.groups).astype(np.float64)

    def _group_column(self, measure: RiskMeasure) -> int:
        return self.count + (self.measure.weight > 0) + self.groups * self.measures.index(measure)

    def _cost(self, measure: RiskMeasure) -> Floats:
        cost = np.zeros(self._group_column(self.measures[-1]) + self.groups)
        cost[: self.count] = self.program.first.cost
        if measure.weight:
            cost[self.eta] = measure.weight
        first_group_column = self._group_column(measure)
        cost[first_group_column : first_group_column + self.groups] = 1.0
        return cost

    def answer(self, start: Floats | None) -> Decomposed:
        goal = _Goal(self.master.cost, self._value)
        if start is None:
            answer = self.solver(self.master)  # without cuts
            goal.bound, start = answer.bound, answer.x
        if start is not None:
            self._cut(self._decisions(start), goal)
        self._minimize(goal)
        if goal.best is None:
            raise _GaveUpError
        best = goal.best if len(self.measures) == 1 or self.stopped() else self._cheapest(goal, goal.best)
        seconds = tuple(response.values for response in best.responses if response.values is not None)
        return Decomposed(best.x, seconds, goal.bound, self.rounds)

    def _value(self, look: _Trial, measure: RiskMeasure | None = None) -> float:
        if not np.isfinite(look.branches).all():
            return np.inf
        first = self.program.first
        return float(first.cost @ look.x) + first.constant + (measure or self.measure).of(look.branches, self.chances)

    def _cheapest(self, goal: _Goal, best: _Trial) -> _Trial:
        max_objective = goal.best_value + SLACK * max(1.0, abs(goal.best_value))

        def value(look: _Trial) -> float:
            return self._value(look, EXPECTED) if self._value(look) <= max_objective else np.inf

        tie_goal = _Goal(self._cost(EXPECTED), value, best, value(best))
        self.master = capped(replace(self.master, cost=tie_goal.cost), goal.cost, max_objective - self.master.constant)
        self.tried.clear()
        try:
            self._minimize(tie_goal)
        except _GaveUpError:
            return best
        return tie_goal.best or best

    def _minimize(self, goal: _Goal) -> None:
        if not self.program.first.integer.any():
            self._cut_relaxed(goal, goal, self.gap)
            return
        relaxed_goal = replace(goal)
        self._cut_relaxed(relaxed_goal, goal, self.gap / 4)
        goal.bound = max(goal.bound, relaxed_goal.bound)
        while True:  # at least once, because the cuts so far may suffice for a plan
            x = self._next_decisions(goal, self.master)
            if x is None or goal.is_met(self.gap):
                return
            self._cut(x, goal)
            if self.stopped():
                return

    def _cut_relaxed(self, goal: _Goal, integer_goal: _Goal, gap: float) -> None:
        """Add cuts with integers relaxed. Integer solutions found on the way go to `integer_goal`."""
        while not self.stopped():
            previous_bound = goal.bound
            x = self._next_decisions(goal, continuous(self.master))
            if x is None or goal.is_met(gap):
                return
            if goal.best is not None and goal.bound - previous_bound > gap * abs(goal.bound):
                x = (x + goal.best.x) / 2
            self._cut(x, goal, integer_goal)

    def _next_decisions(self, goal: _Goal, master: Linear) -> Floats | None:
        """Return the decisions of the master, and update its bound. None if time is up, or if these decisions already have cuts."""
        self.rounds += 1
        answer = self.solver(master)
        if answer.outcome is SolverOutcome.NOTHING:
            return None
        if answer.x is None or self.rounds > ROUNDS:
            raise _GaveUpError
        goal.bound = max(goal.bound, answer.bound)
        x = self._decisions(answer.x)
        return None if x.tobytes() in self.tried else x

    def _decisions(self, x: Floats) -> Floats:
        """Return the first-stage decisions, with nearly integer values rounded."""
        early_values, rounded_values = x[: self.count], np.round(x[: self.count])
        decisions: Floats = np.where(
            self.program.first.integer & (abs(early_values - rounded_values) < INTEGER_TOLERANCE),
            rounded_values,
            early_values,
        )
        return decisions

    def _cut(self, x: Floats, *goals: _Goal) -> None:
        self.tried.add(x.tobytes())
        responses: list[PricedStage] = []
        for number in range(len(self.program.stages)):
            response = self.pricer.at(number, x)
            if response is None:
                raise _GaveUpError
            responses.append(response)
        costs = np.array([response.cost for response in responses])
        branches = self._branch_costs(costs)
        is_integer = not (x % 1)[self.program.first.integer].any()
        for goal in goals if is_integer else goals[:1]:
            goal.update(_Trial(x, responses, branches))
        infeasible = [response for response in responses if response.values is None]
        if infeasible:  # only the feasibility cuts are added
            self._add([(-response.slope, response.constant, []) for response in infeasible])
            return
        constants, slopes = (
            np.array([response.constant for response in responses]),
            np.array([response.slope for response in responses]),
        )
        for measure in self.measures:
            shares = np.zeros(len(branches))
            if measure.weight:
                shares = measure.weight * worst_shares(branches, self.chances, measure.alpha)
            branch_weights = (1 - measure.weight) * self.chances + shares
            weights = np.zeros((self.groups, len(responses)))
            np.add.at(weights, (self.group[self.branch], self.stage), branch_weights[self.branch])
            cvar_shares, first_group_column = self._group_sums(shares), self._group_column(measure)
            self._add(
                [
                    (-slope, constant, [(self.eta, over), (first_group_column + number, 1.0)])
                    for number, (slope, constant, over) in enumerate(
                        zip(weights @ slopes, (weights @ constants).tolist(), cvar_shares.tolist(), strict=True)
                    )
                ]
            )

    def _add(self, rows: list[tuple[Floats, float, list[tuple[int, float]]]]) -> None:
        columns, values = [], []
        for coefficients, _, other_terms in rows:
            (used,) = np.nonzero(coefficients)
            nonzero_terms = [(column, value) for column, value in other_terms if value]
            columns.append(np.concatenate([used, np.array([column for column, _ in nonzero_terms], dtype=np.intp)]))
            values.append(np.concatenate([coefficients[used], np.array([value for _, value in nonzero_terms])]))
        self.master = with_rows(self.master, columns, values, np.array([low for _, low, _ in rows]), np.inf)
