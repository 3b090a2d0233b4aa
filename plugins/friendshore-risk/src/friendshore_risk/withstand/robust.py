"""Two-stage robust programs: what is decided first has to do for every one of a set of scenarios, and what follows may answer each in its own way.

Minimise the cost of what is decided first, so that after every scenario something can follow: with costs of what follows, of the worst scenario
(min-max-min); without, of what is planned where nothing happens. Solved exactly by column-and-constraint generation: a master program holds a copy
of the second stage for some scenarios, and a subproblem finds the scenario that the master's plan answers worst; it gets a copy in turn, until none
is answered worse than the master allows. There are finitely many scenarios, none is added twice, and the master's optimum is a lower bound all along.

B. Zeng, L. Zhao, Solving two-stage robust optimization problems using a column-and-constraint generation method, Operations Research Letters 41,
2013, 457-461.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import scipy.sparse as sp

from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask


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
