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


def _no_columns() -> Ints:
    return np.empty(0, dtype=np.intp)


@dataclass(frozen=True, slots=True, eq=False)
class RobustScenario:
    """Bounds of late columns and of rows in one scenario."""

    upper: Floats
    """Upper bounds of all columns. Those of early columns are ignored."""
    row_lower: Floats
    row_upper: Floats
    allowed: float = 0.0
    gone: Ints = field(default_factory=_no_columns)
    """Early columns that no longer arrive. Their contribution to `balances` is missing."""

    def with_more(self, excess: float) -> RobustScenario:
        return replace(self, allowed=self.allowed + excess) if excess else self


@dataclass(frozen=True, eq=False)
class RobustProgram:
    """A program with early columns, decided before an unknown scenario, and late columns, decided after it."""

    linear: Linear
    shared: Mask
    reducible: Ints = field(default_factory=_no_columns)
    """Late columns that can only be reduced, because there is no time to replace anything."""
    excess: Ints = field(default_factory=_no_columns)
    """Columns for the amounts that a scenario leaves missing. Without losses they are 0, as are their upper bounds here."""
    weight: Floats = field(default_factory=lambda: np.empty(0))
    balances: Ints = field(default_factory=_no_columns)
    worst: bool = False
    """True to minimize the cost of the worst response. False to minimize the cost of the plan without losses, with free responses."""

    @cached_property
    def free(self) -> Ints:
        return np.flatnonzero(~self.shared)

    @cached_property
    def rows(self) -> Ints:
        row_numbers: Ints = np.flatnonzero(np.diff(self.linear.matrix[:, self.free].tocsr().indptr) > 0)
        return row_numbers

    def master(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """Return the program of the cheapest first stage that responds to some scenarios. Columns: the plan, each scenario, and the worst cost."""
        cost = np.where(self.shared, self.linear.cost, 0.0) if self.worst else self.linear.cost
        return self._joined(scenarios, cost, None)

    def least_excess(self, scenario: RobustScenario) -> Linear:
        cost = np.zeros(len(self.linear.cost))
        joined = self._joined([replace(scenario, allowed=np.inf)], cost, None)
        own = joined.cost.copy()
        own[len(cost) + np.searchsorted(self.free, self.excess)] = self.weight
        return replace(joined, cost=own, constant=0.0)

    def least_regret(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """Return the program of the minimum regret, its last column: the maximum missing amount above the allowed one in any scenario."""
        return self._joined(scenarios, np.zeros(len(self.linear.cost)), 1.0)

    def after(self, x: Floats, scenario: RobustScenario, *, is_least_excess: bool = False) -> Linear:
        """Return the program of the response to a scenario after `x`: of minimum cost with an allowed missing amount, or of minimum missing amount."""
        linear, free, rows = self.linear, self.free, self.rows
        late_rows = linear.matrix[rows]
        early_terms = self._before(scenario) @ x
        upper = scenario.upper.copy()
        upper[self.reducible] = np.minimum(upper[self.reducible], np.maximum(x[self.reducible], 0.0))
        missing_weight = np.zeros(len(linear.cost))
        missing_weight[self.excess] = self.weight
        response = Linear(
            cost=missing_weight[free] if is_least_excess else linear.cost[free],
            lower=linear.lower[free],
            upper=upper[free],
            integer=linear.integer[free],
            entries=Entries.of(late_rows[:, free]),
            row_lower=scenario.row_lower[rows] - early_terms,
            row_upper=scenario.row_upper[rows] - early_terms,
            constant=0.0 if is_least_excess else float(linear.cost @ np.where(self.shared, x, 0.0)) + linear.constant,
        )
        if is_least_excess or not len(self.excess):
            return response
        return _with_row(response, missing_weight[free], scenario.allowed)

    def completed(self, x: Floats, late_values: Floats, scenario: RobustScenario) -> Floats:
        """Return the values of all columns: early ones from `x` without lost arrivals, and late ones from a solution of `after`."""
        values = x.copy()
        values[scenario.gone] = 0.0
        values[self.free] = late_values[: len(self.free)]
        return values

    def second(self, x: Floats, number: int, scenario: RobustScenario) -> Floats:
        """Return the values of all columns in a scenario with some number, from a solution of `master`."""
        count, late_count = len(self.linear.cost), len(self.free)
        return self.completed(x[:count], x[count + number * late_count : count + (number + 1) * late_count], scenario)

    def _before(self, scenario: RobustScenario) -> sp.csr_matrix:
        early_terms = self.linear.matrix[self.rows] @ sp.diags(self.shared.astype(float))
        if not len(scenario.gone):
            return early_terms
        is_gone = np.zeros(len(self.shared))
        is_gone[scenario.gone] = 1.0
        is_balance = np.isin(self.rows, self.balances).astype(float)
        lost_terms = sp.diags(is_balance) @ early_terms @ sp.diags(is_gone)
        return early_terms - lost_terms.maximum(0)

    def _joined(self, scenarios: Sequence[RobustScenario], cost: Floats, regret: float | None) -> Linear:
        linear, scenario_count = self.linear, len(scenarios)
        last_column = sp.csr_matrix((linear.entries.shape[0], 1))
        blocks = [[linear.matrix, *[None] * scenario_count, last_column]]
        lower, upper = [linear.row_lower], [linear.row_upper]
        for number, scenario in enumerate(scenarios):
            early_block, late_block, last_block, low, high = self._second_stage(scenario, regret is not None)
            late_blocks: list[sp.spmatrix | None] = [None] * scenario_count
            late_blocks[number] = late_block
            blocks.append([early_block, *late_blocks, last_block])
            lower.append(low)
            upper.append(high)
        scenario_uppers = [scenario.upper[self.free] for scenario in scenarios]
        late_total = scenario_count * len(self.free)
        last_cost = regret if regret is not None else float(self.worst)
        return Linear(
            cost=np.concatenate([cost, np.zeros(late_total), [last_cost]]),
            lower=np.concatenate([linear.lower, *[linear.lower[self.free]] * scenario_count, [0.0]]),
            upper=np.concatenate([linear.upper, *scenario_uppers, [np.inf if last_cost else 0.0]]),
            integer=np.concatenate([linear.integer, *[linear.integer[self.free]] * scenario_count, [False]]),
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
        late_rows = linear.matrix[rows]
        early_blocks = [self._before(scenario)]
        late_blocks, last_blocks = [late_rows[:, free]], [sp.csr_matrix((len(rows), 1))]
        low, high = [scenario.row_lower[rows]], [scenario.row_upper[rows]]

        def add(early_terms: sp.spmatrix, late_terms: sp.spmatrix, last_term: float, row_max: float) -> None:
            early_blocks.append(early_terms)
            late_blocks.append(late_terms)
            last_blocks.append(sp.csr_matrix(np.full((early_terms.shape[0], 1), last_term)))
            low.append(np.full(early_terms.shape[0], -np.inf))
            high.append(np.full(early_terms.shape[0], row_max))

        columns, late_terms = len(linear.cost), len(free)
        if len(self.reducible):
            reducible_positions = np.arange(len(self.reducible)), self.reducible
            late_positions = np.arange(len(self.reducible)), np.searchsorted(free, self.reducible)
            ones = np.ones(len(self.reducible))
            add(
                sp.csr_matrix((-ones, reducible_positions), shape=(len(self.reducible), columns)),
                sp.csr_matrix((ones, late_positions), shape=(len(self.reducible), late_terms)),
                0.0,
                0.0,
            )
        no_terms = sp.csr_matrix((1, columns))
        if len(self.excess) and np.isfinite(scenario.allowed):
            missing_weight = np.zeros(late_terms)
            missing_weight[np.searchsorted(free, self.excess)] = self.weight
            add(no_terms, sp.csr_matrix(missing_weight), -1.0 if regret else 0.0, scenario.allowed)
        if self.worst and not regret:
            add(no_terms, sp.csr_matrix(linear.cost[free]), -1.0, 0.0)
        return (
            sp.vstack(early_blocks).tocsr(),
            sp.vstack(late_blocks).tocsr(),
            sp.vstack(last_blocks).tocsr(),
            np.concatenate(low),
            np.concatenate(high),
        )


def _stacked(blocks: Sequence[Sequence[sp.spmatrix | None]]) -> sp.csr_matrix:
    matrix = sp.bmat(blocks, format="csr")
    matrix.eliminate_zeros()
    matrix.sort_indices()
    return matrix


def _with_row(linear: Linear, coefficients: Floats, row_max: float) -> Linear:
    if not np.isfinite(row_max):
        return linear
    row = sp.csr_matrix(coefficients)
    return replace(
        linear,
        entries=Entries.of(sp.vstack([linear.matrix, row])),
        row_lower=np.append(linear.row_lower, -np.inf),
        row_upper=np.append(linear.row_upper, row_max),
    )


Key = TypeVar("Key", bound=Hashable)
Solver = Callable[[Linear], SolverAnswer]
MAX_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class WorseScenario(Generic[Key]):
    """A scenario with a worse response than the master assumes."""

    key: Key
    violation: float
    """Difference: money in the worst scenario, or the missing amount above the allowed one. Infinite if there is no response."""


class Adversary(Protocol[Key]):
    """Search over all scenarios for those with the worst responses."""

    def scenario(self, key: Key) -> RobustScenario: ...

    def worst(self, x: Floats, accounted: float, regret: float) -> Sequence[WorseScenario[Key]]:
        """Return the scenarios with worse responses than assumed, worst first. Empty if there are none.

        `accounted` is the cost of the response in the worst scenario, according to the master. `regret` is an amount allowed beyond that of a scenario.
        """


@dataclass(frozen=True, slots=True, eq=False)
class RobustPlan(Generic[Key]):
    """The cheapest first stage for all scenarios."""

    x: Floats
    keys: tuple[Key, ...]
    """Scenarios in the master. The proof of the bound needs no others."""
    seconds: tuple[Floats, ...]
    objective: float
    bound: float
    regret: float
    bounds: tuple[tuple[float, float], ...]
    proved: bool
    """True if there is a response to all scenarios. False if the search was ended."""


@dataclass(slots=True)
class _SearchState(Generic[Key]):
    keys: list[Key]
    regret: float
    known: float
    bounds: list[tuple[float, float]]


def solve_robust(
    robust: RobustProgram,
    adversary: Adversary[Key],
    solve: Solver,
    initial_keys: Sequence[Key] = (),
    *,
    tolerance: float,
    max_added: int = 1,
    stopped: Callable[[], bool] = lambda: False,
) -> RobustPlan[Key] | None:
    """Return the cheapest first stage with a response to every scenario. None if there is none, or if it wasn't found in time.

    `initial_keys` are the scenarios of the first master. `tolerance` is a difference attributed to the solver. At most `max_added` scenarios are added
    per round.
    """
    state: _SearchState[Key] = _SearchState(list(initial_keys), 0.0, float("inf"), [])
    best: RobustPlan[Key] | None = None
    for _ in range(MAX_ROUNDS):
        if stopped():
            break
        answer = _master(robust, adversary, solve, state, tolerance)
        if answer is None or answer.x is None:
            return best
        x = answer.x[: len(robust.linear.cost)]
        assumed_cost = float(answer.x[-1]) if robust.worst else 0.0
        worse_scenarios = [
            each for each in adversary.worst(x, assumed_cost, state.regret) if each.key not in state.keys
        ]
        worst_excess = max((each.violation for each in worse_scenarios), default=0.0)
        if robust.worst:
            state.known = min(state.known, answer.objective + max(worst_excess, 0.0))
        state.bounds.append((answer.bound, state.known if robust.worst else answer.objective))
        is_done = worst_excess <= tolerance
        best = RobustPlan(
            x,
            tuple(state.keys),
            tuple(robust.second(answer.x, number, adversary.scenario(key)) for number, key in enumerate(state.keys)),
            answer.objective,
            answer.bound,
            state.regret,
            tuple(state.bounds),
            is_done,
        )
        if is_done:
            return best
        state.keys += [each.key for each in worse_scenarios[:max_added] if each.violation > tolerance]
    return best


def _master(
    robust: RobustProgram, adversary: Adversary[Key], solve: Solver, state: _SearchState[Key], tolerance: float
) -> SolverAnswer | None:
    answer = solve(robust.master(_allowing(adversary, state)))
    if answer.outcome is not SolverOutcome.INFEASIBLE or not len(robust.excess):
        return answer
    regret_answer = solve(robust.least_regret(_allowing(adversary, state)))
    if regret_answer.x is None:
        return None
    state.regret += max(float(regret_answer.x[-1]), 0.0) + tolerance / 2
    return solve(robust.master(_allowing(adversary, state)))


def _allowing(adversary: Adversary[Key], state: _SearchState[Key]) -> list[RobustScenario]:
    return [adversary.scenario(key).with_more(state.regret) for key in state.keys]


def robust_bound(
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


Losses = frozenset[int]
NOTHING: Losses = frozenset()
_UNUSED_KG = 1e-9
MAX_ADDED = 4


@dataclass(frozen=True, slots=True, eq=False)
class Response:
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


class ResponseCache:
    """The best responses to combinations of losses, each computed once, and only if no response to fewer losses suffices.

    More losses never help. A response that uses nothing that further losses would remove is therefore also the best one after these losses.
    """

    def __init__(self, answer: Callable[[Losses], Response]) -> None:
        self._answer = answer
        self._known: dict[Losses, Response] = {}

    def of(self, losses: Losses) -> Response:
        used_losses = NOTHING
        while True:
            response = self._at(used_losses)
            hit_losses = losses & response.hit - used_losses
            if not hit_losses:
                return response
            used_losses |= {min(hit_losses)}

    def covering(self, max_losses: int) -> Iterator[Response]:
        """Yield a set of responses that contains the best one for every combination of at most `max_losses` losses."""
        level_losses = [NOTHING]
        for size in range(max_losses + 1):
            responses = [self._at(losses) for losses in level_losses]
            yield from responses
            if size < max_losses:
                next_level = {
                    response.losses | {loss} for response in responses for loss in response.hit - response.losses
                }
                level_losses = sorted(next_level, key=sorted)

    @property
    def known(self) -> list[Response]:
        return sorted(self._known.values(), key=lambda response: (len(response.losses), sorted(response.losses)))

    @property
    def is_proved(self) -> bool:
        return all(response.known for response in self._known.values())

    def _at(self, losses: Losses) -> Response:
        if losses not in self._known:
            self._known[losses] = self._answer(losses)
        return self._known[losses]


@dataclass(eq=False)
class RobustComponent:
    """An independent component of the program."""

    robust: RobustProgram
    columns: Ints
    demands: Ints
    closed: Mapping[int, Ints]
    gone: Mapping[int, Ints]
    solve: Solver
    solve_precisely: Solver
    """Like `solve`, with the smallest provable gap, for results that depend on the minimum missing amount."""
    tolerance: float
    stopped: Callable[[], bool]
    unavoidable: ResponseCache = field(init=False)
    """Minimum missing amount after each combination of losses, for any early decisions."""

    def __post_init__(self) -> None:
        self.unavoidable = ResponseCache(self._least_excess)

    def find_plan(self, max_losses: int, initial_keys: Sequence[Losses]) -> RobustPlan[Losses] | None:
        """Return the cheapest plan after which any `max_losses` losses leave only unavoidable amounts missing. None if it wasn't found."""
        adversary = _AllLosses(self, max_losses)
        return solve_robust(
            self.robust,
            adversary,
            self.solve,
            initial_keys,
            tolerance=self.tolerance,
            max_added=MAX_ADDED,
            stopped=self.stopped,
        )

    def following(self, plan: RobustPlan[Losses]) -> ResponseCache:
        values_by_losses = dict(zip(plan.keys, plan.seconds, strict=True))

        def answer(losses: Losses) -> Response:
            scenario = self.scenario(losses).with_more(plan.regret + self.tolerance)
            response = self.solve(self.robust.after(plan.x, scenario))
            if response.x is None and losses in values_by_losses:
                x = values_by_losses[losses]
                response = SolverAnswer(SolverOutcome.OPTIMAL, x[self.robust.free], float(self.robust.linear.cost @ x))
            if response.outcome is SolverOutcome.INFEASIBLE and np.isfinite(
                scenario.allowed
            ):  # infeasible only within the solver's tolerance
                response = self.solve_precisely(
                    self.robust.after(plan.x, self.closed_scenario(losses), is_least_excess=True)
                )
            return self._response_to(losses, plan.x, response)

        return ResponseCache(answer)

    def scenario(self, losses: Losses) -> RobustScenario:
        return replace(self.closed_scenario(losses), allowed=self.unavoidable.of(losses).value)

    def closed_scenario(self, losses: Collection[int]) -> RobustScenario:
        linear = self.robust.linear
        upper = linear.upper.copy()
        upper[self.robust.excess] = np.inf
        for loss in losses:
            upper[self.closed[loss]] = 0.0
        gone_columns = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *(self.gone[loss] for loss in losses)]))
        return RobustScenario(upper, linear.row_lower, linear.row_upper, gone=gone_columns)

    def missing(self, x: Floats) -> ResponseCache:

        def answer(losses: Losses) -> Response:
            return self._response_to(
                losses,
                x,
                self.solve_precisely(self.robust.after(x, self.closed_scenario(losses), is_least_excess=True)),
            )

        return ResponseCache(answer)

    def _least_excess(self, losses: Losses) -> Response:
        answer = self.solve_precisely(self.robust.least_excess(self.closed_scenario(losses)))
        x = None if answer.x is None else self.robust.second(answer.x, 0, self.closed_scenario(losses))
        return self._response(losses, answer, x)

    def _response_to(self, losses: Losses, x: Floats, answer: SolverAnswer) -> Response:
        completed = None if answer.x is None else self.robust.completed(x, answer.x, self.closed_scenario(losses))
        return self._response(losses, answer, completed)

    def _response(self, losses: Losses, answer: SolverAnswer, x: Floats | None) -> Response:
        if x is None:
            return Response(losses, np.inf, None, NOTHING, answer.outcome is SolverOutcome.INFEASIBLE)
        is_used = x > _UNUSED_KG
        hit = frozenset(
            loss for loss in self.closed if is_used[self.closed[loss]].any() or is_used[self.gone[loss]].any()
        )
        return Response(losses, answer.objective, x, hit, answer.outcome is SolverOutcome.OPTIMAL)


class _AllLosses:
    def __init__(self, component: RobustComponent, max_losses: int) -> None:
        self.component, self.max_losses = component, max_losses

    def scenario(self, key: Losses) -> RobustScenario:
        return self.component.scenario(key)

    def worst(self, x: Floats, accounted: float, regret: float) -> list[WorseScenario[Losses]]:
        worse_scenarios = []
        for response in self.component.missing(x).covering(self.max_losses):
            if response.value > self.component.tolerance:
                unavoidable = self.component.unavoidable.of(response.losses).value
                if np.isfinite(unavoidable):
                    worse_scenarios.append(WorseScenario(response.losses, response.value - unavoidable - regret))
        return sorted(worse_scenarios, key=lambda each: (-round(each.violation, 3), sorted(each.key)))
