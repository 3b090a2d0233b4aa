"""Decisions before a loss and after it: one program for all losses, with common decisions before the loss.

A two-stage program in extensive form (Birge and Louveaux, Introduction to Stochastic Programming, 2nd ed. 2011, ch. 2) whose second
stages cost nothing and must be feasible. Decisions before the loss are one set of columns for all losses, so that they can't depend
on the loss (non-anticipativity by sharing columns).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal

import numpy as np
import scipy.sparse as sp

from friendshore.program import Program
from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask

Shortage = Literal["bounded", "priced", "least"]

SLACK = 1e-9
"""Relative margin of a bound on shortage above the shortage in its plan, since solvers accept small violations of rows."""


@dataclass(frozen=True, eq=False)
class TwoStage:
    """A program with bounds on shortage. Its columns are decided before or after a loss."""

    linear: Linear
    shared: Mask
    """Columns decided before a loss is known."""
    bounded: Ints
    """Rows that bound shortage."""

    def insured(self, losses: Sequence[Ints]) -> Linear:
        """Return the program of the cheapest plan without a loss from which every loss can be met: its own columns first, then the second stages.

        Each loss is a set of closed columns.
        """
        return self._joined(losses, self.linear.cost)

    def least_short(self, loss: Ints) -> Linear:
        """Return the program of `insured` for one loss, with shortage above the bounds allowed after it. Its only cost is that shortage.

        The columns for the shortage come last, one for each of `bounded`.
        """
        joined = self._joined([loss], np.zeros(len(self.linear.cost)))
        return _elastic(joined, self.linear.entries.shape[0] + self._bounded_after)

    def afterwards(self, x: Floats, loss: Ints, shortage: Shortage = "bounded") -> Linear:
        """Return the program of decisions after a loss has closed its columns, with earlier decisions as in `x`. Its columns are those not `shared`.

        Args:
            x: Values of all columns.
            loss: Closed columns.
            shortage: `bounded` as in `insured`, `priced` without bounds, or as in `least_short` the only cost.
        """
        linear, free, rows = self.linear, self.free, self._after_rows
        below = linear.matrix[rows]
        decided = below @ np.where(self.shared, x, 0.0)
        upper = linear.upper.copy()
        upper[loss] = 0.0
        least = shortage == "least"
        row_upper = linear.row_upper[rows] - decided
        if shortage == "priced":
            row_upper[self._bounded_after] = np.inf
        after = Linear(
            cost=np.zeros(len(free)) if least else linear.cost[free],
            lower=linear.lower[free],
            upper=upper[free],
            integer=linear.integer[free],
            entries=Entries.of(below[:, free]),
            row_lower=linear.row_lower[rows] - decided,
            row_upper=row_upper,
            constant=0.0 if least else float(linear.cost @ np.where(self.shared, x, 0.0)),
        )
        return _elastic(after, self._bounded_after) if least else after

    def completed(self, x: Floats, after: Floats) -> Floats:
        """Return the values of all columns: shared ones from `x`, the others from a solution of `afterwards`."""
        found = x.copy()
        found[self.free] = after[: len(self.free)]
        return found

    def second(self, x: Floats, number: int) -> Floats:
        """Return the values of all columns after the loss with a number, from a solution of `insured`."""
        count, more = len(self.linear.cost), len(self.free)
        return self.completed(x[:count], x[count + number * more :])

    @cached_property
    def free(self) -> Ints:
        """Columns decided after a loss."""
        found: Ints = np.flatnonzero(~self.shared)
        return found

    @cached_property
    def _bounded_after(self) -> Ints:
        """Rows that bound shortage, by their position among those of a second stage."""
        found: Ints = np.searchsorted(self._after_rows, self.bounded)
        return found

    @cached_property
    def _after_rows(self) -> Ints:
        """Rows with a column that is decided after a loss, and rows that bound shortage."""
        free = self.linear.matrix[:, self.free]
        wanted = np.diff(free.tocsr().indptr) > 0
        wanted[self.bounded] = True
        found: Ints = np.flatnonzero(wanted)
        return found

    def _joined(self, losses: Sequence[Ints], cost: Floats) -> Linear:
        linear, free, rows = self.linear, self.free, self._after_rows
        below = linear.matrix[rows]
        held, own = below @ sp.diags(self.shared.astype(float)), below[:, free]
        second = sp.block_diag([own] * len(losses)) if losses else None
        matrix = linear.matrix
        if second is not None:
            first = sp.vstack([matrix, *[held] * len(losses)])
            matrix = sp.hstack([first, sp.vstack([sp.csr_matrix((matrix.shape[0], second.shape[1])), second])]).tocsr()
            matrix.eliminate_zeros()
            matrix.sort_indices()
        uppers = []
        for loss in losses:
            upper = linear.upper.copy()
            upper[loss] = 0.0
            uppers.append(upper[free])
        times = len(losses)
        return Linear(
            cost=np.concatenate([cost, np.zeros(times * len(free))]),
            lower=np.concatenate([linear.lower, *[linear.lower[free]] * times]),
            upper=np.concatenate([linear.upper, *uppers]),
            integer=np.concatenate([linear.integer, *[linear.integer[free]] * times]),
            entries=Entries.of(matrix),
            row_lower=np.concatenate([linear.row_lower, *[linear.row_lower[rows]] * times]),
            row_upper=np.concatenate([linear.row_upper, *[linear.row_upper[rows]] * times]),
        )


def _elastic(linear: Linear, rows: Ints) -> Linear:
    """Return the program with a column of cost 1 for each of some rows, by which its upper end may be exceeded."""
    count, more = linear.entries.shape[0], len(rows)
    taken = sp.csr_matrix((-np.ones(more), (rows, np.arange(more))), shape=(count, more))
    return replace(
        linear,
        cost=np.concatenate([linear.cost, np.ones(more)]),
        lower=np.concatenate([linear.lower, np.zeros(more)]),
        upper=np.concatenate([linear.upper, np.full(more, np.inf)]),
        integer=np.concatenate([linear.integer, np.zeros(more, dtype=bool)]),
        entries=Entries.of(sp.hstack([linear.matrix, taken])),
    )


def with_shortage_bounds(program: Program, x: Floats) -> Linear:
    """Return a program in which no demand is shorter over the plan than in the plan `x`. The bounds are its last rows."""
    linear, count = program.linear, program.problem.case.horizon.count
    demands = len(program.problem.demands)
    cells = np.arange(demands * count)
    most = x[program.columns.short + cells].reshape(demands, count).sum(axis=1)
    bounds = sp.csr_matrix(
        (np.ones(len(cells)), (cells // count, program.columns.short + cells)), shape=(demands, len(linear.cost))
    )
    return replace(
        linear,
        entries=Entries.of(sp.vstack([linear.matrix, bounds])),
        row_lower=np.concatenate([linear.row_lower, np.full(demands, -np.inf)]),
        row_upper=np.concatenate([linear.row_upper, most + SLACK * np.maximum(most, 1.0)]),
    )


def decided_before(program: Program, period: int) -> Mask:
    """Return the columns of orders, production, stock, deliveries, and shortage in periods before one, and all onboarding."""
    columns, moves, problem = program.columns, program.problem.moves, program.problem
    count = problem.case.horizon.count
    found = np.zeros(len(program.linear.cost), dtype=bool)
    found[columns.buy] = moves.ordered[columns.buy_move] < period
    found[[c for (_, _, t), c in columns.make.items() if t < period]] = True
    found[[c for (_, _, t, _, _), c in columns.transfer.items() if t < period]] = True
    found[[c for (_, t), c in (*columns.lot.items(), *columns.order.items()) if t < period]] = True
    for first in columns.stock.values():
        found[first : first + period] = True
    delivered = zip(columns.deliver, columns.deliver_key, strict=True)
    found[[c for c, (_, t, _, _) in delivered if t < period]] = True
    cells = np.arange(len(problem.demands) * count)
    found[columns.short + cells[cells % count < period]] = True
    found[[c for lot, c in columns.rest.items() if problem.lots[lot].period < period]] = True
    found[[c for offer, c in columns.onboard.items() if problem.offers[offer].onboarding]] = True
    return found


def closed_by(program: Program, offers: Collection[str], period: int) -> Ints:
    """Return the columns of orders and production of some offers from a period on."""
    columns, problem = program.columns, program.problem
    lost = np.array([facts.offer.id in offers for facts in problem.offers] + [False], dtype=bool)
    of_arc = np.array([arc.offer for arc in problem.network.arcs], dtype=np.intp)
    moves = columns.buy_move
    bought = lost[of_arc[problem.moves.arc[moves]]] & (problem.moves.ordered[moves] >= period)
    found = np.concatenate([columns.buy[bought], np.array(list(_made(program, lost, period)), dtype=np.intp)])
    found.sort()
    return found


def _made(program: Program, lost: Mask, period: int) -> Iterator[int]:
    for (offer, _, t), column in program.columns.make.items():
        if lost[offer] and t >= period:
            yield column


def ready_costs(program: Program, x: Floats, used: Collection[str]) -> dict[str, float]:
    """Return the discounted cost of onboarding and take-or-pay of each offer without purchases.

    A plan without purchases doesn't include that money. `used` are offers with purchases.
    """
    found = {}
    for index, column in program.columns.onboard.items():
        facts = program.problem.offers[index]
        if facts.onboarding and x[column] > 0.5 and facts.offer.id not in used:
            due = [
                program.linear.cost[c] * program.linear.upper[c]
                for number, c in program.columns.untaken.items()
                if program.problem.commitments[number].offer == index
            ]
            found[facts.offer.id] = float(program.linear.cost[column] + sum(due))
    return found
