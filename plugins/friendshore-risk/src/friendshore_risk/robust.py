"""Two-stage robust programs: what is decided first has to do for every one of a set of scenarios, and what follows may answer each in its own way.

Minimise the cost of what is decided first, so that after every scenario something can follow: with costs of what follows, of the worst scenario
(min-max-min); without, of what is planned where nothing happens. Solved exactly by column-and-constraint generation: a master program holds a copy
of the second stage for some scenarios, and a subproblem finds the scenario that the master's plan answers worst; it gets a copy in turn, until none
is answered worse than the master allows. There are finitely many scenarios, none is added twice, and the master's optimum is a lower bound all along.

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
    """What happens between the stages: other ends of the columns decided after it, and of rows."""

    upper: Floats
    """Upper ends of all columns; those of columns decided before it are not read."""
    row_lower: Floats
    row_upper: Floats
    allowed: float = 0.0
    """How much excess is let pass after it."""
    gone: Ints = field(default_factory=_none)
    """Columns decided before it that nothing arrives of after all: what they would add to `balances` is missing there."""

    def with_more(self, excess: float) -> RobustScenario:
        """The same with more excess let pass."""
        return replace(self, allowed=self.allowed + excess) if excess else self


@dataclass(frozen=True, eq=False)
class RobustProgram:
    """A program whose columns are decided before or after a scenario that nobody foresees."""

    linear: Linear
    """As planned, where nothing happens: its columns are those of both stages."""
    shared: Mask
    """Columns decided before."""
    held: Ints = field(default_factory=_none)
    """Columns decided after it that may only become less than planned: there is no time to put anything in their place."""
    excess: Ints = field(default_factory=_none)
    """Columns that take up what a scenario leaves missing; nothing is missing as planned: their upper ends are 0 there."""
    weight: Floats = field(default_factory=lambda: np.empty(0))
    """What one unit of each of these counts for."""
    balances: Ints = field(default_factory=_none)
    """Rows to which what is decided adds what arrives."""
    worst: bool = False
    """Whether what follows costs what its columns cost in the worst scenario; else what is planned costs what it costs, and what follows nothing."""

    @cached_property
    def free(self) -> Ints:
        """Columns decided after the scenario."""
        return np.flatnonzero(~self.shared)

    @cached_property
    def rows(self) -> Ints:
        """Rows that say anything of what is decided after it."""
        found: Ints = np.flatnonzero(np.diff(self.linear.matrix[:, self.free].tocsr().indptr) > 0)
        return found

    def master(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """The cheapest first stage that answers some scenarios: its columns are those as planned, then each scenario's, then the worst cost."""
        cost = np.where(self.shared, self.linear.cost, 0.0) if self.worst else self.linear.cost
        return self._joined(scenarios, cost, None)

    def least_excess(self, scenario: RobustScenario) -> Linear:
        """The least that is missing after a scenario, whatever is decided before it."""
        cost = np.zeros(len(self.linear.cost))
        joined = self._joined([replace(scenario, allowed=np.inf)], cost, None)
        own = joined.cost.copy()
        own[len(cost) + np.searchsorted(self.free, self.excess)] = self.weight
        return replace(joined, cost=own, constant=0.0)

    def least_regret(self, scenarios: Sequence[RobustScenario]) -> Linear:
        """The least by which what is missing is more than each scenario allows, of the scenario where it is most: its last column."""
        return self._joined(scenarios, np.zeros(len(self.linear.cost)), 1.0)

    def after(self, x: Floats, scenario: RobustScenario, *, least: bool = False) -> Linear:
        """What can follow a scenario where all before it is as in `x`: at the least cost within what is allowed to be missing, or with the least missing."""
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
        """Values of all columns: before the scenario as in `x`, less what is gone, after it from a solution of `after`."""
        found = x.copy()
        found[scenario.gone] = 0.0
        found[self.free] = after[: len(self.free)]
        return found

    def second(self, x: Floats, number: int, scenario: RobustScenario) -> Floats:
        """Of a solution of `master`, the values of all columns after the scenario of some number."""
        count, more = len(self.linear.cost), len(self.free)
        return self.completed(x[:count], x[count + number * more : count + (number + 1) * more], scenario)

    def _before(self, scenario: RobustScenario) -> sp.csr_matrix:
        """What columns decided before a scenario add to the rows after it."""
        found = self.linear.matrix[self.rows] @ sp.diags(self.shared.astype(float))
        if not len(scenario.gone):
            return found
        gone = np.zeros(len(self.shared))
        gone[scenario.gone] = 1.0
        arrive = np.isin(self.rows, self.balances).astype(float)
        missing = sp.diags(arrive) @ found @ sp.diags(gone)
        return found - missing.maximum(0)

    def _joined(self, scenarios: Sequence[RobustScenario], cost: Floats, regret: float | None) -> Linear:
        """All of it in extensive form, with one more column at the end: the worst cost of what follows, or the largest regret."""
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
        """Rows of one scenario: their coefficients in the columns as planned, in its own, and in the last one; their ends."""
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
"""What solves a program."""
MOST_ROUNDS = 1_000


@dataclass(frozen=True, slots=True)
class Missed(Generic[Key]):
    """A scenario that a first stage answers worse than the master accounts for."""

    key: Key
    miss: float
    """By how much: money in the worst scenario, or what is missing beyond what is allowed; infinite: nothing can follow."""


class Adversary(Protocol[Key]):
    """Who knows all scenarios, and finds those that a first stage answers worst."""

    def scenario(self, key: Key) -> RobustScenario:
        """What happens, and how much may then be missing."""

    def worst(self, x: Floats, accounted: float, regret: float) -> Sequence[Missed[Key]]:
        """Those that are answered worse than is accounted for, the worst first; none: none is.

        Args:
            x: values of all columns, those after the scenario as planned.
            accounted: what the master says that what follows costs in the worst scenario.
            regret: how much more than a scenario allows may be missing.
        """


@dataclass(frozen=True, slots=True, eq=False)
class Generated(Generic[Key]):
    """The cheapest first stage for all scenarios."""

    x: Floats
    """Values of the columns as planned."""
    keys: tuple[Key, ...]
    """The scenarios that the master came to hold: no others are needed to prove the bound."""
    seconds: tuple[Floats, ...]
    """Values of all columns after each of these."""
    objective: float
    bound: float
    """No first stage costs less."""
    regret: float
    """By how much more than a scenario allows is missing in the worst one, at the least."""
    bounds: tuple[tuple[float, float], ...]
    """By iteration: no first stage costs less than the first, and one is known that costs the second."""
    proved: bool
    """Whether all scenarios are answered; else the search was ended."""


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
    """The cheapest first stage after which every scenario can be answered; None where there is none at all, or it was not found in time.

    Args:
        robust: the program.
        adversary: who finds what a first stage is not prepared for.
        solve: what solves a program.
        begin: scenarios that the master holds from the start.
        tolerance: a miss up to this is the solver's.
        at_once: most scenarios that are added in one round.
        stopped: whether to end the search.

    Raises:
        SolverError: if a solver breaks down.
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
    """The master's optimum; where no first stage answers what it holds, more may be missing, and no more than has to."""
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
    """What no first stage costs less than that answers some scenarios, and by how much more than each allows has to be missing in the worst."""
    regret = 0.0
    answer = solve(robust.master([scenario(key) for key in keys]))
    if answer.outcome is SolverOutcome.INFEASIBLE and len(robust.excess):
        more = solve(robust.least_regret([scenario(key) for key in keys]))
        regret = max(more.bound, 0.0) + tolerance / 2
        answer = solve(robust.master([scenario(key).with_more(regret) for key in keys]))
    return answer.bound, regret


class ListedScenarios:
    """The adversary who looks at every one of some scenarios: the vertices of a polyhedron of what may happen, for one.

    What is minimised is a convex function of what happens where that stands on the right-hand sides of rows alone, so that its largest value is at a vertex.
    """

    def __init__(self, robust: RobustProgram, scenarios: Sequence[RobustScenario], solve: Solver) -> None:
        self.robust, self.scenarios, self.solve = robust, scenarios, solve

    def scenario(self, key: int) -> RobustScenario:
        """One of them, by its position."""
        return self.scenarios[key]

    def worst(self, x: Floats, accounted: float, regret: float) -> list[Missed[int]]:
        """Those after which what follows costs more than is accounted for, or nothing can follow at all, the dearest first."""
        first = float(self.robust.linear.cost @ np.where(self.robust.shared, x, 0.0)) + self.robust.linear.constant
        found = []
        for number, scenario in enumerate(self.scenarios):
            answer = self.solve(self.robust.after(x, scenario.with_more(regret)))
            cost = float("inf") if answer.x is None else answer.objective - first
            found.append(Missed(number, cost - accounted))
        return sorted(found, key=lambda each: (-each.miss, each.key))


Losses = frozenset[int]
"""Losses that come together."""
NOTHING: Losses = frozenset()
_USED = 1e-9
"""Kilograms up to which a column counts as not used."""
AT_ONCE = 4
"""Combinations of losses that the master takes up in one round."""


@dataclass(frozen=True, slots=True, eq=False)
class Followed:
    """What follows some losses."""

    losses: Losses
    value: float
    """What is minimised: what is missing, or what all comes to; infinite: nothing can follow."""
    x: Floats | None
    """Values of all columns."""
    hit: Losses
    """Losses that would take something away that is used in it. Any others may come as well, and it still follows."""
    known: bool = True
    """Whether it is proved best; else a limit ended its search."""


class Branching:
    """The best answers to combinations of losses, each found once, and only where no answer to fewer losses does.

    More losses never help. So if what follows some losses uses nothing that others would take away, it is also the best that follows them all.
    """

    def __init__(self, answer: Callable[[Losses], Followed]) -> None:
        self._answer = answer
        self._known: dict[Losses, Followed] = {}

    def of(self, losses: Losses) -> Followed:
        """What follows some losses at best."""
        taken = NOTHING
        while True:
            found = self._at(taken)
            more = losses & found.hit - taken
            if not more:
                return found
            taken |= {min(more)}

    def reached(self, most: int) -> Iterator[Followed]:
        """An answer for every combination of at most so many losses: whatever comes, one of these follows it at best."""
        level = [NOTHING]
        for size in range(most + 1):
            found = [self._at(losses) for losses in level]
            yield from found
            if size < most:
                more = {one.losses | {loss} for one in found for loss in one.hit - one.losses}
                level = sorted(more, key=sorted)

    @property
    def known(self) -> list[Followed]:
        """All that was found, fewer losses first."""
        return sorted(self._known.values(), key=lambda one: (len(one.losses), sorted(one.losses)))

    @property
    def settled(self) -> bool:
        """Whether all that was found is proved best."""
        return all(found.known for found in self._known.values())

    def _at(self, losses: Losses) -> Followed:
        if losses not in self._known:
            self._known[losses] = self._answer(losses)
        return self._known[losses]


@dataclass(eq=False)
class RobustComponent:
    """An independent part of the program."""

    robust: RobustProgram
    columns: Ints
    """Its columns in the program of the part of the case that it belongs to, those of what is missing last."""
    demands: Ints
    """Demands of that part whose missing kilograms are those columns, by position."""
    closed: Mapping[int, Ints]
    """Loss -> own columns that it closes."""
    gone: Mapping[int, Ints]
    """Loss -> own columns decided before it of which nothing arrives after all."""
    solve: Solver
    settle: Solver
    """As `solve`, as closely as an answer can be proved: for what turns on what is missing at the least."""
    tolerance: float
    stopped: Callable[[], bool]
    unavoidable: Branching = field(init=False)
    """The least that is missing after each combination of losses, whatever is decided before."""

    def __post_init__(self) -> None:
        self.unavoidable = Branching(self._least_excess)

    def withstanding(self, most: int, begin: Sequence[Losses]) -> Generated[Losses] | None:
        """The cheapest plan after which any `most` losses leave nothing missing but what no plan avoids; None: not found."""
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
        """The cheapest that follows losses under a plan that withstands them."""
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
        """The scenario of some losses, with what no plan avoids allowed to be missing."""
        return replace(self.bare(losses), allowed=self.unavoidable.of(losses).value)

    def bare(self, losses: Collection[int]) -> RobustScenario:
        """The scenario of some losses: what they take away is closed, and what is missing is taken up."""
        linear = self.robust.linear
        upper = linear.upper.copy()
        upper[self.robust.excess] = np.inf
        for loss in losses:
            upper[self.closed[loss]] = 0.0
        gone = np.unique(np.concatenate([np.empty(0, dtype=np.intp), *(self.gone[loss] for loss in losses)]))
        return RobustScenario(upper, linear.row_lower, linear.row_upper, gone=gone)

    def missing(self, x: Floats) -> Branching:
        """The least that is missing after losses where all before them is as in `x`."""

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
    """The adversary who takes away any losses up to a number."""

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
