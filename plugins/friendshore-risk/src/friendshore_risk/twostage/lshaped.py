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
    least_costs,
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
        known: dict[bytes, _Alike] = {}
        self._alike = [known.setdefault(_digest(stage.recourse), _Alike(stage.recourse)) for stage in stages]
        self._technology = [stage.technology.transposed() for stage in stages]

    def at(self, number: int, x: Floats) -> PricedStage | None:
        """Return the response of a second stage to decisions. None if the engine gives no answer, or no proof of it."""
        stage, alike = self.stages[number], self._alike[number]
        linear = second_stage_at(stage, x)
        answer = alike.best.optimum(linear)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            answer = alike.missed.optimum(_elastic(linear))
            if answer.duals is None:
                return None
            plane = self._plane(number, np.zeros(len(stage.cost)), answer.duals.clip(-1.0, 1.0))
            missed = plane is not None and plane[0] + float(plane[1] @ x) > TOLERANCE
            return PricedStage(None, np.inf, *plane) if plane is not None and missed else None
        if answer.outcome is not SolverOutcome.OPTIMAL or answer.x is None or answer.duals is None:
            return None
        plane = self._plane(number, stage.cost, answer.duals)
        if plane is None:
            return None
        cost = float(stage.before @ x + stage.cost @ answer.x) + stage.constant
        return PricedStage(answer.x, cost, plane[0] + stage.constant, plane[1] + stage.before)

    def _plane(self, number: int, cost: Floats, duals: Floats) -> tuple[float, Floats] | None:
        """Return a lower bound on the cost of a second stage's own columns, by weak duality: it is valid for any multipliers of its rows.

        `sum over rows of y+ (low - T x) - y- (high - T x)`, and for each column the lower of `(cost - W'y) z` at its bounds: all of it but `-(T'y) x`
        is the
        constant. None if a column without a bound has a negative reduced cost, so that these multipliers prove nothing.
        """
        stage = self.stages[number]
        low, high = np.isfinite(stage.row_lower), np.isfinite(stage.row_upper)
        duals = np.where((duals > 0) & ~low | (duals < 0) & ~high, 0.0, duals)
        ends = np.where(duals > 0, np.where(low, stage.row_lower, 0.0), np.where(high, stage.row_upper, 0.0))
        reduced = cost - self._alike[number].transposed @ duals
        at = np.where(reduced > 0, stage.lower, stage.upper)
        endless = ~np.isfinite(at)
        if endless.any():
            if (abs(reduced[endless]) > TOLERANCE * max(1.0, float(abs(cost).max(initial=0.0)))).any():
                return None
            at = np.where(endless, 0.0, at)
        return float(duals @ ends + reduced @ at), -(self._technology[number] @ duals)


class _Alike:
    """Programs with the same coefficients."""

    def __init__(self, entries: Entries) -> None:
        self.best, self.missed = WarmStartedSolver(), WarmStartedSolver()
        self.transposed = entries.transposed()


def _digest(entries: Entries) -> bytes:
    parts = (np.array(entries.shape), entries.data, entries.indices, entries.indptr)
    return hashlib.sha256(b"".join(part.tobytes() for part in parts)).digest()


def _elastic(linear: Linear) -> Linear:
    """Return the program of the minimum total violation of rows, with columns for violations on either side."""
    rows, columns = linear.entries.shape
    every = np.arange(rows)
    old = linear.entries
    entries = Entries.summed(
        np.concatenate([old.rows, every, every]),
        np.concatenate([old.indices, columns + every, columns + rows + every]),
        np.concatenate([old.data, np.ones(rows), -np.ones(rows)]),
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
"""Maximum number of master solves before decomposition gives up."""
SLACK = 1e-9
"""Tolerance of the objective for breaking ties, relative: that of the solver."""
NEARLY = 1e-6
"""Tolerance of integer values: that of the solver."""
EXPECTED = RiskMeasure()


@dataclass(frozen=True, slots=True, eq=False)
class Decomposed:
    """The best decisions found, with the responses."""

    x: Floats
    seconds: tuple[Floats, ...]
    """Values of each second stage."""
    bound: float
    rounds: int
    """Number of master solves."""


def by_cuts(
    program: RecourseProgram,
    measure: RiskMeasure,
    solver: Callable[[Linear], SolverAnswer],
    gap: float,
    stopped: Callable[[], bool],
    start: Floats | None = None,
) -> Decomposed | None:
    """Return the best decisions of a program whose second stages have no integer columns. None if there are none, or if cuts don't converge.

    Args:
        program: The program.
        measure: Objective. Among decisions of equal CVaR, those with the lowest expected cost are chosen.
        solver: Function that solves the master.
        gap: Relative distance from the bound at which decisions suffice.
        stopped: Function that returns True if time is up. The best decisions so far are then returned. If integers were still relaxed, they are
            fixed once, in the time that the solver has left.
        start: Decisions to try first. None means those with the lowest cost in the first stage.
    """
    try:
        return _LShaped(program, measure, solver, gap, stopped).answer(start)
    except _GaveUpError:
        return None


class _GaveUpError(Exception):
    """The engine gives no data for cuts, or there are too many rounds."""


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """Decisions with their responses."""

    x: Floats
    found: list[PricedStage]
    branches: Floats
    """Cost of each branch. Infinite if it is infeasible."""


@dataclass(slots=True)
class _Goal:
    """Objective of the master, and its progress."""

    cost: Floats
    value: Callable[[_Look], float]
    """Function that returns the objective of decisions. Infinite if they aren't permitted."""
    best: _Look | None = None
    least: float = np.inf
    bound: float = -np.inf

    def tell(self, look: _Look) -> None:
        """Keep decisions if they are the best so far."""
        value = self.value(look)
        if value < self.least:
            self.best, self.least = look, value

    def met(self, gap: float) -> bool:
        """Return True if the gap is small enough."""
        return self.best is not None and self.least - self.bound <= gap * abs(self.least)


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
        """Objective, and tie-breaker."""
        self.branches = program.branches
        if (
            not measure.weight
        ):  # each second stage by itself: which of them follow together is nothing to an expected value
            chances = enumerate(program.weights.tolist())
            self.branches = tuple(ScenarioBranch(chance, (number,)) for number, chance in chances)
        self.chances = np.array([branch.probability for branch in self.branches])
        self.count = len(program.first.cost)
        self.groups = min(GROUPS, len(self.branches))
        self.group = np.arange(len(self.branches)) * self.groups // max(1, len(self.branches))
        """Group of each branch."""
        self.branch = np.repeat(np.arange(len(self.branches)), [len(branch.stages) for branch in self.branches])
        self.stage = np.array([stage for branch in self.branches for stage in branch.stages], dtype=np.intp)
        """Second stages of all branches in order, and the branch of each."""
        self.eta = self.count
        self.master = self._without_cuts()
        self.looked: set[bytes] = set()
        """Decisions tried so far."""
        self.rounds = 0

    def _without_cuts(self) -> Linear:
        """Return the first stage, `eta` for CVaR, and the cost of groups for each of the measures."""
        first, risky = self.program.first, self.measure.weight > 0
        least = self._of_branches(least_costs(self.program))
        if not np.isfinite(least).all():
            raise _GaveUpError
        lower = [(1 - one.weight) * self._of_each_group(self.chances * least) for one in self.measures]
        more = risky + self.groups * len(self.measures)
        return Linear(
            cost=self._cost(self.measure),
            lower=np.concatenate([first.lower, [least.min()] if risky else [], *lower]),
            upper=np.concatenate([first.upper, np.full(more, np.inf)]),
            integer=np.concatenate([first.integer, np.zeros(more, dtype=bool)]),
            entries=replace(first.entries, shape=(first.entries.shape[0], self.count + more)),
            row_lower=first.row_lower,
            row_upper=first.row_upper,
            constant=first.constant,
        )

    def _of_branches(self, costs: Floats) -> Floats:
        """Return the cost of each branch from the costs of second stages."""
        return np.bincount(self.branch, costs[self.stage], minlength=len(self.branches)).astype(np.float64)

    def _of_each_group(self, weights: Floats) -> Floats:
        """Return the totals of a value of branches by group."""
        return np.bincount(self.group, weights, minlength=self.groups).astype(np.float64)

    def _of_groups(self, measure: RiskMeasure) -> int:
        """Return the first column of groups for one of the measures."""
        return self.count + (self.measure.weight > 0) + self.groups * self.measures.index(measure)

    def _cost(self, measure: RiskMeasure) -> Floats:
        """Return the objective of the master for one of the measures."""
        cost = np.zeros(self._of_groups(self.measures[-1]) + self.groups)
        cost[: self.count] = self.program.first.cost
        if measure.weight:
            cost[self.eta] = measure.weight
        at = self._of_groups(measure)
        cost[at : at + self.groups] = 1.0
        return cost

    def answer(self, start: Floats | None) -> Decomposed:
        """Minimize the objective, then break ties.

        Raises:
            _GaveUpError: If it doesn't converge.
        """
        goal = _Goal(self.master.cost, self._value)
        if start is None:
            found = self.solver(self.master)  # without cuts
            goal.bound, start = found.bound, found.x
        if start is not None:
            self._cut(self._decisions(start), goal)
        self._minimise(goal)
        if goal.best is None:
            raise _GaveUpError
        best = goal.best if len(self.measures) == 1 or self.stopped() else self._cheapest(goal, goal.best)
        seconds = tuple(one.values for one in best.found if one.values is not None)
        return Decomposed(best.x, seconds, goal.bound, self.rounds)

    def _value(self, look: _Look, measure: RiskMeasure | None = None) -> float:
        """Return the objective of decisions under a measure."""
        if not np.isfinite(look.branches).all():
            return np.inf
        first = self.program.first
        return float(first.cost @ look.x) + first.constant + (measure or self.measure).of(look.branches, self.chances)

    def _cheapest(self, goal: _Goal, best: _Look) -> _Look:
        """Return the decisions with the lowest expected cost among those of equal CVaR."""
        most = goal.least + SLACK * max(1.0, abs(goal.least))

        def value(look: _Look) -> float:
            return self._value(look, EXPECTED) if self._value(look) <= most else np.inf

        other = _Goal(self._cost(EXPECTED), value, best, value(best))
        self.master = capped(replace(self.master, cost=other.cost), goal.cost, most - self.master.constant)
        self.looked.clear()
        try:
            self._minimise(other)
        except _GaveUpError:
            return best
        return other.best or best

    def _minimise(self, goal: _Goal) -> None:
        """Add cuts until the bound meets the objective: first with integers relaxed, then with integers."""
        if not self.program.first.integer.any():
            self._open(goal, goal, self.gap)
            return
        fractions = replace(goal)
        self._open(fractions, goal, self.gap / 4)
        goal.bound = max(goal.bound, fractions.bound)
        while True:  # once at least: cuts that are known are worth a plan
            x = self._asked(goal, self.master)
            if x is None or goal.met(self.gap):
                return
            self._cut(x, goal)
            if self.stopped():
                return

    def _open(self, goal: _Goal, made: _Goal, gap: float) -> None:
        """Add cuts with integers relaxed. Integer solutions found on the way go to `made`."""
        while not self.stopped():
            before = goal.bound
            x = self._asked(goal, continuous(self.master))
            if x is None or goal.met(gap):
                return
            if goal.best is not None and goal.bound - before > gap * abs(goal.bound):
                x = (x + goal.best.x) / 2
            self._cut(x, goal, made)

    def _asked(self, goal: _Goal, master: Linear) -> Floats | None:
        """Return the decisions of the master, and update its bound. None if time is up, or if these decisions already have cuts."""
        self.rounds += 1
        answer = self.solver(master)
        if answer.outcome is SolverOutcome.NOTHING:
            return None
        if answer.x is None or self.rounds > ROUNDS:
            raise _GaveUpError
        goal.bound = max(goal.bound, answer.bound)
        x = self._decisions(answer.x)
        return None if x.tobytes() in self.looked else x

    def _decisions(self, x: Floats) -> Floats:
        """Return the first-stage decisions, with nearly integer values rounded."""
        decided, whole = x[: self.count], np.round(x[: self.count])
        found: Floats = np.where(self.program.first.integer & (abs(decided - whole) < NEARLY), whole, decided)
        return found

    def _cut(self, x: Floats, *goals: _Goal) -> None:
        """Evaluate decisions, and add their cuts to the master. All goals but the first require integers."""
        self.looked.add(x.tobytes())
        found: list[PricedStage] = []
        for number in range(len(self.program.stages)):
            one = self.pricer.at(number, x)
            if one is None:
                raise _GaveUpError
            found.append(one)
        costs = np.array([one.cost for one in found])
        branches = self._of_branches(costs)
        whole = not (x % 1)[self.program.first.integer].any()
        for goal in goals if whole else goals[:1]:
            goal.tell(_Look(x, found, branches))
        missed = [one for one in found if one.values is None]
        if missed:  # the rows of these are kept
            self._add([(-one.slope, one.constant, []) for one in missed])
            return
        constants, slopes = np.array([one.constant for one in found]), np.array([one.slope for one in found])
        for measure in self.measures:
            shares = np.zeros(len(branches))
            if measure.weight:
                shares = measure.weight * worst_shares(branches, self.chances, measure.alpha)
            counted = (1 - measure.weight) * self.chances + shares
            weights = np.zeros((self.groups, len(found)))
            np.add.at(weights, (self.group[self.branch], self.stage), counted[self.branch])
            beyond, at = self._of_each_group(shares), self._of_groups(measure)
            self._add(
                [
                    (-slope, constant, [(self.eta, over), (at + number, 1.0)])
                    for number, (slope, constant, over) in enumerate(
                        zip(weights @ slopes, (weights @ constants).tolist(), beyond.tolist(), strict=True)
                    )
                ]
            )

    def _add(self, rows: list[tuple[Floats, float, list[tuple[int, float]]]]) -> None:
        """Add rows: coefficients of decisions, lower bound, and coefficients of further columns."""
        columns, values = [], []
        for of_first, _, more in rows:
            (used,) = np.nonzero(of_first)
            others = [(column, value) for column, value in more if value]
            columns.append(np.concatenate([used, np.array([column for column, _ in others], dtype=np.intp)]))
            values.append(np.concatenate([of_first[used], np.array([value for _, value in others])]))
        self.master = with_rows(self.master, columns, values, np.array([low for _, low, _ in rows]), np.inf)
