"""Two-stage robust programs: decisions that must suffice for each of several scenarios, and a separate response to each scenario.

Minimize the cost of the first stage so that a response to every scenario exists. Depending on the program, this adds the cost of the response to the
worst scenario (min-max-min), or is the cost of the plan without losses. The exact method is column-and-constraint generation. A master program
contains a copy of the second stage for some scenarios, and a subproblem finds the scenario with the worst response to the master's plan. Copies are
added until no response is worse than the master allows. There are finitely many scenarios, none is added twice, and the master's optimum is always
a lower bound.

B. Zeng, L. Zhao, Solving two-stage robust optimization problems using a column-and-constraint generation method, Operations Research Letters 41,
2013, 457-461.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Generic, Protocol, TypeVar

import numpy as np
import scipy.sparse as sp

from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask
from friendshore.solve import SolverAnswer, SolverOutcome


def _none() -> Ints:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class RobustScenario:
    """Changes between the stages: other bounds of late columns and of rows."""

    upper: Floats
    """Upper bounds of all columns. Those of early columns are ignored."""
    row_lower: Floats
    row_upper: Floats
    allowed: float = 0.0
    """Maximum excess after it."""
    gone: Ints = field(default_factory=_none)
    """Early columns that no longer arrive. Their contribution to `balances` is missing."""

    def with_more(self, excess: float) -> RobustScenario:
        """Return the scenario with a larger allowed excess."""
        return replace(self, allowed=self.allowed + excess) if excess else self


@dataclass(frozen=True, eq=False)
class RobustProgram:
    """A program with early columns, decided before an unknown scenario, and late columns, decided after it."""

    linear: Linear
    """The program without losses, with the columns of both stages."""
    shared: Mask
    """Early columns."""
    held: Ints = field(default_factory=_none)
    """Late columns that can only be reduced, because there is no time to replace anything."""
    excess: Ints = field(default_factory=_none)
    """Columns for the amounts that a scenario leaves missing. Without losses they are 0, as are their upper bounds here."""
    weight: Floats = field(default_factory=lambda: np.empty(0))
    """Weight of one unit of each of these."""
    balances: Ints = field(default_factory=_none)
    """Rows to which early columns contribute arrivals."""
    worst: bool = False
    """True to minimize the cost of the worst response. False to minimize the cost of the plan without losses, with free responses."""

    @cached_property
    def free(self) -> Ints:
        """Late columns."""
        return np.flatnonzero(~self.shared)

    @cached_property
    def rows(self) -> Ints:
        """Rows with late columns."""
        found: Ints = np.flatnonzero(np.diff(self.linear.matrix[:, self.free].tocsr().indptr) > 0)
        return found

    def master(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """Return the program of the cheapest first stage that responds to some scenarios. Columns: the plan, each scenario, and the worst cost."""
        cost = np.where(self.shared, self.linear.cost, 0.0) if self.worst else self.linear.cost
        return self._joined(scenarios, cost, None)

    def least_excess(self, scenario: RobustScenario) -> Linear:
        """Return the program of the minimum missing amount after a scenario, for any early decisions."""
        cost = np.zeros(len(self.linear.cost))
        joined = self._joined([replace(scenario, allowed=np.inf)], cost, None)
        own = joined.cost.copy()
        own[len(cost) + np.searchsorted(self.free, self.excess)] = self.weight
        return replace(joined, cost=own, constant=0.0)

    def least_regret(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """Return the program of the minimum regret, its last column: the maximum missing amount above the allowed one in any scenario."""
        return self._joined(scenarios, np.zeros(len(self.linear.cost)), 1.0)

    def after(self, x: Floats, scenario: RobustScenario, *, least: bool = False) -> Linear:
        """Return the program of the response to a scenario after `x`.

        It minimizes the cost with an allowed missing amount, or the missing amount if `least` is True.
        """
        linear, free, rows = self.linear, self.free, self.rows
        below = linear.matrix[rows]
        decided = self._before(scenario) @ x
        upper = scenario.upper.copy()
        upper[self.held] = np.minimum(upper[self.held], np.maximum(x[self.held], 0.0))
        missing = np.zeros(len(linear.cost))
        missing[self.excess] = self.weight
        found = Linear(
            cost=missing[free] if least else linear.cost[free],
            lower=linear.lower[free],
            upper=upper[free],
            integer=linear.integer[free],
            entries=Entries.of(below[:, free]),
            row_lower=scenario.row_lower[rows] - decided,
            row_upper=scenario.row_upper[rows] - decided,
            constant=0.0 if least else float(linear.cost @ np.where(self.shared, x, 0.0)) + linear.constant,
        )
        if least or not len(self.excess):
            return found
        return _with_row(found, missing[free], scenario.allowed)

    def completed(self, x: Floats, after: Floats, scenario: RobustScenario) -> Floats:
        """Return the values of all columns: early ones from `x` without lost arrivals, and late ones from a solution of `after`."""
        found = x.copy()
        found[scenario.gone] = 0.0
        found[self.free] = after[: len(self.free)]
        return found

    def second(self, x: Floats, number: int, scenario: RobustScenario) -> Floats:
        """Return the values of all columns in a scenario with some number, from a solution of `master`."""
        count, more = len(self.linear.cost), len(self.free)
        return self.completed(x[:count], x[count + number * more : count + (number + 1) * more], scenario)

    def _before(self, scenario: RobustScenario) -> sp.csr_matrix:
        """Return the contribution of early columns to rows with late ones."""
        found = self.linear.matrix[self.rows] @ sp.diags(self.shared.astype(float))
        if not len(scenario.gone):
            return found
        gone = np.zeros(len(self.shared))
        gone[scenario.gone] = 1.0
        arrive = np.isin(self.rows, self.balances).astype(float)
        missing = sp.diags(arrive) @ found @ sp.diags(gone)
        return found - missing.maximum(0)

    def _joined(self, scenarios: Sequence[RobustScenario], cost: Floats, regret: float | None) -> Linear:
        """Return the program in extensive form, with one more column at the end: the worst cost of responses, or the maximum regret."""
        linear, times = self.linear, len(scenarios)
        last = sp.csr_matrix((linear.entries.shape[0], 1))
        blocks = [[linear.matrix, *[None] * times, last]]
        lower, upper = [linear.row_lower], [linear.row_upper]
        for number, scenario in enumerate(scenarios):
            first, own, end, low, high = self._second_stage(scenario, regret is not None)
            between: list[sp.spmatrix | None] = [None] * times
            between[number] = own
            blocks.append([first, *between, end])
            lower.append(low)
            upper.append(high)
        ends = [scenario.upper[self.free] for scenario in scenarios]
        more = times * len(self.free)
        of_last = regret if regret is not None else float(self.worst)
        return Linear(
            cost=np.concatenate([cost, np.zeros(more), [of_last]]),
            lower=np.concatenate([linear.lower, *[linear.lower[self.free]] * times, [0.0]]),
            upper=np.concatenate([linear.upper, *ends, [np.inf if of_last else 0.0]]),
            integer=np.concatenate([linear.integer, *[linear.integer[self.free]] * times, [False]]),
            entries=Entries.of(_stacked(blocks)),
            row_lower=np.concatenate(lower),
            row_upper=np.concatenate(upper),
            constant=linear.constant,
        )

    def _second_stage(
        self, scenario: RobustScenario, regret: bool
    ) -> tuple[sp.spmatrix, sp.spmatrix, sp.spmatrix, Floats, Floats]:
        """Return the rows of one scenario: coefficients in the columns of the plan, in its own, and in the last one, and their bounds."""
        linear, free, rows = self.linear, self.free, self.rows
        below = linear.matrix[rows]
        first = [self._before(scenario)]
        own, end = [below[:, free]], [sp.csr_matrix((len(rows), 1))]
        low, high = [scenario.row_lower[rows]], [scenario.row_upper[rows]]

        def add(planned: sp.spmatrix, after: sp.spmatrix, of_last: float, most: float) -> None:
            first.append(planned)
            own.append(after)
            end.append(sp.csr_matrix(np.full((planned.shape[0], 1), of_last)))
            low.append(np.full(planned.shape[0], -np.inf))
            high.append(np.full(planned.shape[0], most))

        columns, after = len(linear.cost), len(free)
        if len(self.held):
            taken = np.arange(len(self.held)), self.held
            its = np.arange(len(self.held)), np.searchsorted(free, self.held)
            ones = np.ones(len(self.held))
            add(
                sp.csr_matrix((-ones, taken), shape=(len(self.held), columns)),
                sp.csr_matrix((ones, its), shape=(len(self.held), after)),
                0.0,
                0.0,
            )
        nothing = sp.csr_matrix((1, columns))
        if len(self.excess) and np.isfinite(scenario.allowed):
            missing = np.zeros(after)
            missing[np.searchsorted(free, self.excess)] = self.weight
            add(nothing, sp.csr_matrix(missing), -1.0 if regret else 0.0, scenario.allowed)
        if self.worst and not regret:
            add(nothing, sp.csr_matrix(linear.cost[free]), -1.0, 0.0)
        return (
            sp.vstack(first).tocsr(),
            sp.vstack(own).tocsr(),
            sp.vstack(end).tocsr(),
            np.concatenate(low),
            np.concatenate(high),
        )


def _stacked(blocks: Sequence[Sequence[sp.spmatrix | None]]) -> sp.csr_matrix:
    found = sp.bmat(blocks, format="csr")
    found.eliminate_zeros()
    found.sort_indices()
    return found


def _with_row(linear: Linear, coefficients: Floats, most: float) -> Linear:
    if not np.isfinite(most):
        return linear
    row = sp.csr_matrix(coefficients)
    return replace(
        linear,
        entries=Entries.of(sp.vstack([linear.matrix, row])),
        row_lower=np.append(linear.row_lower, -np.inf),
        row_upper=np.append(linear.row_upper, most),
    )


Key = TypeVar("Key", bound=Hashable)
Solver = Callable[[Linear], SolverAnswer]
"""Function that solves a program."""
MOST_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Missed(Generic[Key]):
    """A scenario with a worse response than the master assumes."""

    key: Key
    miss: float
    """Difference: money in the worst scenario, or the missing amount above the allowed one. Infinite if there is no response."""


class Adversary(Protocol[Key]):
    """Search over all scenarios for those with the worst responses."""

    def scenario(self, key: Key) -> RobustScenario:
        """Return the scenario, with the allowed missing amount."""

    def worst(self, x: Floats, accounted: float, regret: float) -> Sequence[Missed[Key]]:
        """Return the scenarios with worse responses than assumed, worst first. Empty if there are none.

        Args:
            x: Values of all columns, with late ones as in the plan.
            accounted: Cost of the response in the worst scenario, according to the master.
            regret: Missing amount allowed beyond that of a scenario.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Generated(Generic[Key]):
    """The cheapest first stage for all scenarios."""

    x: Floats
    """Values of the columns of the plan."""
    keys: tuple[Key, ...]
    """Scenarios in the master. The proof of the bound needs no others."""
    seconds: tuple[Floats, ...]
    """Values of all columns after each of these."""
    objective: float
    bound: float
    """Lower bound on the cost of the first stage."""
    regret: float
    """Minimum amount missing above the allowed one, in the worst scenario."""
    bounds: tuple[tuple[float, float], ...]
    """Lower and upper bound on the cost, by iteration."""
    proved: bool
    """True if there is a response to all scenarios. False if the search was ended."""


@dataclass(slots=True)
class _State(Generic[Key]):
    keys: list[Key]
    regret: float
    known: float
    bounds: list[tuple[float, float]]


def generate(
    robust: RobustProgram,
    adversary: Adversary[Key],
    solve: Solver,
    begin: Sequence[Key] = (),
    *,
    tolerance: float,
    at_once: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> Generated[Key] | None:
    """Return the cheapest first stage with a response to every scenario. None if there is none, or if it wasn't found in time.

    Args:
        robust: The program.
        adversary: Search for scenarios with the worst responses.
        solve: Function that solves a program.
        begin: Initial scenarios of the master.
        tolerance: Difference attributed to the solver.
        at_once: Maximum number of scenarios to add in one round.
        stopped: Function that returns True to end the search.

    Raises:
        SolverError: If a solver breaks down.
    """
    state: _State[Key] = _State(list(begin), 0.0, float("inf"), [])
    best: Generated[Key] | None = None
    for _ in range(MOST_ROUNDS):
        if stopped():
            break
        answer = _master(robust, adversary, solve, state, tolerance)
        if answer is None or answer.x is None:
            return best
        found = answer.x[: len(robust.linear.cost)]
        accounted = float(answer.x[-1]) if robust.worst else 0.0
        missed = [one for one in adversary.worst(found, accounted, state.regret) if one.key not in state.keys]
        worst = max((one.miss for one in missed), default=0.0)
        if robust.worst:
            state.known = min(state.known, answer.objective + max(worst, 0.0))
        state.bounds.append((answer.bound, state.known if robust.worst else answer.objective))
        done = worst <= tolerance
        best = Generated(
            found,
            tuple(state.keys),
            tuple(robust.second(answer.x, number, adversary.scenario(key)) for number, key in enumerate(state.keys)),
            answer.objective,
            answer.bound,
            state.regret,
            tuple(state.bounds),
            done,
        )
        if done:
            return best
        state.keys += [one.key for one in missed[:at_once] if one.miss > tolerance]
    return best


def _master(
    robust: RobustProgram, adversary: Adversary[Key], solve: Solver, state: _State[Key], tolerance: float
) -> SolverAnswer | None:
    """Return the master's optimum. If no first stage responds to its scenarios, increase the allowed missing amount as little as possible."""
    answer = solve(robust.master(_allowing(adversary, state)))
    if answer.outcome is not SolverOutcome.INFEASIBLE or not len(robust.excess):
        return answer
    more = solve(robust.least_regret(_allowing(adversary, state)))
    if more.x is None:
        return None
    state.regret += max(float(more.x[-1]), 0.0) + tolerance / 2
    return solve(robust.master(_allowing(adversary, state)))


def _allowing(adversary: Adversary[Key], state: _State[Key]) -> list[RobustScenario]:
    return [adversary.scenario(key).with_more(state.regret) for key in state.keys]


def bounded_by(
    robust: RobustProgram,
    scenario: Callable[[Key], RobustScenario],
    solve: Solver,
    keys: Sequence[Key],
    tolerance: float,
) -> tuple[float, float]:
    """Return a lower bound on the cost of a first stage with responses to some scenarios, and the minimum amount missing above the allowed one."""
    regret = 0.0
    answer = solve(robust.master([scenario(key) for key in keys]))
    if answer.outcome is SolverOutcome.INFEASIBLE and len(robust.excess):
        more = solve(robust.least_regret([scenario(key) for key in keys]))
        regret = max(more.bound, 0.0) + tolerance / 2
        answer = solve(robust.master([scenario(key).with_more(regret) for key in keys]))
    return answer.bound, regret


class ListedScenarios:
    """Search that checks every scenario of a list, such as the vertices of a polyhedron.

    If the scenario only appears on the right-hand sides of rows, the objective is a convex function of it, and its maximum is at a vertex.
    """

    def __init__(self, robust: RobustProgram, scenarios: Sequence[RobustScenario], solve: Solver) -> None:
        self.robust, self.scenarios, self.solve = robust, scenarios, solve

    def scenario(self, key: int) -> RobustScenario:
        """Return a scenario by its position."""
        return self.scenarios[key]

    def worst(self, x: Floats, accounted: float, regret: float) -> list[Missed[int]]:
        """Return the scenarios with a higher cost than assumed or without a response, most expensive first."""
        first = float(self.robust.linear.cost @ np.where(self.robust.shared, x, 0.0)) + self.robust.linear.constant
        found = []
        for number, scenario in enumerate(self.scenarios):
            answer = self.solve(self.robust.after(x, scenario.with_more(regret)))
            cost = float("inf") if answer.x is None else answer.objective - first
            found.append(Missed(number, cost - accounted))
        return sorted(found, key=lambda each: (-each.miss, each.key))


Losses = frozenset[int]
"""Losses that occur together."""
NOTHING: Losses = frozenset()
_USED = 1e-9
"""Maximum kilograms of an unused column."""
AT_ONCE = 4
"""Maximum number of combinations of losses that the master adds in one round."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """Response to some losses."""

    losses: Losses
    value: float
    """Objective: the missing amount, or the cost. Infinite if there is no response."""
    x: Floats | None
    """Values of all columns. None if there is no response."""
    hit: Losses
    """Losses that would remove something that it uses. It stays valid after any other losses."""
    known: bool = True
    """True if it is proved optimal. False if a limit ended the search."""


class Branching:
    """The best responses to combinations of losses, each computed once, and only if no response to fewer losses suffices.

    More losses never help. A response that uses nothing that further losses would remove is therefore also the best one after these losses.
    """

    def __init__(self, answer: Callable[[Losses], Followed]) -> None:
        self._answer = answer
        self._known: dict[Losses, Followed] = {}

    def of(self, losses: Losses) -> Followed:
        """Return the best response to some losses."""
        taken = NOTHING
        while True:
            found = self._at(taken)
            more = losses & found.hit - taken
            if not more:
                return found
            taken |= {min(more)}

    def reached(self, most: int) -> Iterator[Followed]:
        """Yield a set of responses that contains the best one for every combination of at most `most` losses."""
        level = [NOTHING]
        for size in range(most + 1):
            found = [self._at(losses) for losses in level]
            yield from found
            if size < most:
                more = {one.losses | {loss} for one in found for loss in one.hit - one.losses}
                level = sorted(more, key=sorted)

    @property
    def known(self) -> list[Followed]:
        """All computed responses, fewer losses first."""
        return sorted(self._known.values(), key=lambda one: (len(one.losses), sorted(one.losses)))

    @property
    def settled(self) -> bool:
        """True if all computed responses are proved optimal."""
        return all(found.known for found in self._known.values())

    def _at(self, losses: Losses) -> Followed:
        if losses not in self._known:
            self._known[losses] = self._answer(losses)
        return self._known[losses]


@dataclass(eq=False)
class RobustComponent:
    """An independent component of the program."""

    robust: RobustProgram
    columns: Ints
    """Its columns in the program of its part of the case, followed by the columns of missing amounts."""
    demands: Ints
    """Positions of the demands with missing amounts in these columns."""
    closed: Mapping[int, Ints]
    """Loss -> own columns that it closes."""
    gone: Mapping[int, Ints]
    """Loss -> own early columns that no longer arrive."""
    solve: Solver
    settle: Solver
    """Like `solve`, with the smallest provable gap, for results that depend on the minimum missing amount."""
    tolerance: float
    stopped: Callable[[], bool]
    unavoidable: Branching = field(init=False)
    """Minimum missing amount after each combination of losses, for any early decisions."""

    def __post_init__(self) -> None:
        self.unavoidable = Branching(self._least_excess)

    def withstanding(self, most: int, begin: Sequence[Losses]) -> Generated[Losses] | None:
        """Return the cheapest plan after which any `most` losses leave only unavoidable amounts missing. None if it wasn't found."""
        adversary = _Any(self, most)
        return generate(
            self.robust,
            adversary,
            self.solve,
            begin,
            tolerance=self.tolerance,
            at_once=AT_ONCE,
            stopped=self.stopped,
        )

    def following(self, found: Generated[Losses]) -> Branching:
        """Return the cheapest responses to losses under a plan that withstands them."""
        seconds = dict(zip(found.keys, found.seconds, strict=True))

        def answer(losses: Losses) -> Followed:
            scenario = self.scenario(losses).with_more(found.regret + self.tolerance)
            after = self.solve(self.robust.after(found.x, scenario))
            if after.x is None and losses in seconds:
                x = seconds[losses]
                after = SolverAnswer(SolverOutcome.OPTIMAL, x[self.robust.free], float(self.robust.linear.cost @ x))
            if after.outcome is SolverOutcome.INFEASIBLE and np.isfinite(
                scenario.allowed
            ):  # for the solver's tolerance
                after = self.settle(self.robust.after(found.x, self.bare(losses), least=True))
            return self._followed(losses, found.x, after)

        return Branching(answer)

    def scenario(self, losses: Losses) -> RobustScenario:
        """Return the scenario of some losses, with the unavoidable missing amount allowed."""
        return replace(self.bare(losses), allowed=self.unavoidable.of(losses).value)

    def bare(self, losses: Collection[int]) -> RobustScenario:
        """Return the scenario of some losses, with their columns closed and missing amounts open."""
        linear = self.robust.linear
        upper = linear.upper.copy()
        upper[self.robust.excess] = np.inf
        for loss in losses:
            upper[self.closed[loss]] = 0.0
        gone = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *(self.gone[loss] for loss in losses)]))
        return RobustScenario(upper, linear.row_lower, linear.row_upper, gone=gone)

    def missing(self, x: Floats) -> Branching:
        """Return the responses with the minimum missing amount after losses, given the early columns in `x`."""

        def answer(losses: Losses) -> Followed:
            return self._followed(losses, x, self.settle(self.robust.after(x, self.bare(losses), least=True)))

        return Branching(answer)

    def _least_excess(self, losses: Losses) -> Followed:
        answer = self.settle(self.robust.least_excess(self.bare(losses)))
        x = None if answer.x is None else self.robust.second(answer.x, 0, self.bare(losses))
        return self._made(losses, answer, x)

    def _followed(self, losses: Losses, x: Floats, answer: SolverAnswer) -> Followed:
        completed = None if answer.x is None else self.robust.completed(x, answer.x, self.bare(losses))
        return self._made(losses, answer, completed)

    def _made(self, losses: Losses, answer: SolverAnswer, x: Floats | None) -> Followed:
        if x is None:
            return Followed(losses, np.inf, None, NOTHING, answer.outcome is SolverOutcome.INFEASIBLE)
        used = x > _USED
        hit = frozenset(loss for loss in self.closed if used[self.closed[loss]].any() or used[self.gone[loss]].any())
        return Followed(losses, answer.objective, x, hit, answer.outcome is SolverOutcome.OPTIMAL)


class _Any:
    """Search over all combinations of losses up to a number."""

    def __init__(self, component: RobustComponent, most: int) -> None:
        self.component, self.most = component, most

    def scenario(self, key: Losses) -> RobustScenario:
        return self.component.scenario(key)

    def worst(self, x: Floats, accounted: float, regret: float) -> list[Missed[Losses]]:
        found = []
        for one in self.component.missing(x).reached(self.most):
            if one.value > self.component.tolerance:
                unavoidable = self.component.unavoidable.of(one.losses).value
                if np.isfinite(unavoidable):
                    found.append(Missed(one.losses, one.value - unavoidable - regret))
        return sorted(found, key=lambda each: (-round(each.miss, 3), sorted(each.key)))
