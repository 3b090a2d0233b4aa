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
    bounded: Ints

    def insured(self, losses: Sequence[Ints]) -> Linear:
        """Return the program of the cheapest plan without a loss from which every loss can be met. Its own columns come first, then those after each loss."""
        return self._joined(losses, self.linear.cost)

    def least_short(self, loss: Ints) -> Linear:
        """Return the program of `insured` for one loss that minimizes the shortage above its bounds: its last columns, one for each of `bounded`."""
        joined = self._joined([loss], np.zeros(len(self.linear.cost)))
        return _elastic(joined, self.linear.entries.shape[0] + self._bounded_after)

    def afterwards(self, x: Floats, loss: Ints, shortage: Shortage = "bounded") -> Linear:
        """Return the program of decisions after a loss has closed its columns, with earlier decisions as in `x`. Its columns are those not `shared`.

        Shortage is `bounded` as in `insured`, `priced` without bounds, or as in `least_short` the only cost.
        """
        linear, free, rows = self.linear, self.free, self._after_rows
        late_rows = linear.matrix[rows]
        early_terms = late_rows @ np.where(self.shared, x, 0.0)
        upper = linear.upper.copy()
        upper[loss] = 0.0
        is_least = shortage == "least"
        row_upper = linear.row_upper[rows] - early_terms
        if shortage == "priced":
            row_upper[self._bounded_after] = np.inf
        after = Linear(
            cost=np.zeros(len(free)) if is_least else linear.cost[free],
            lower=linear.lower[free],
            upper=upper[free],
            integer=linear.integer[free],
            entries=Entries.of(late_rows[:, free]),
            row_lower=linear.row_lower[rows] - early_terms,
            row_upper=row_upper,
            constant=0.0 if is_least else float(linear.cost @ np.where(self.shared, x, 0.0)),
        )
        return _elastic(after, self._bounded_after) if is_least else after

    def completed(self, x: Floats, after: Floats) -> Floats:
        values = x.copy()
        values[self.free] = after[: len(self.free)]
        return values

    def values_after(self, x: Floats, number: int) -> Floats:
        """Return the values of all columns after the loss with a number, from a solution of `insured`."""
        count, late_count = len(self.linear.cost), len(self.free)
        return self.completed(x[:count], x[count + number * late_count :])

    @cached_property
    def free(self) -> Ints:
        late_columns: Ints = np.flatnonzero(~self.shared)
        return late_columns

    @cached_property
    def _bounded_after(self) -> Ints:
        """Rows that bound shortage, by their position among those of a second stage."""
        positions: Ints = np.searchsorted(self._after_rows, self.bounded)
        return positions

    @cached_property
    def _after_rows(self) -> Ints:
        """Rows with a column that is decided after a loss, and rows that bound shortage."""
        free = self.linear.matrix[:, self.free]
        is_late_row = np.diff(free.tocsr().indptr) > 0
        is_late_row[self.bounded] = True
        row_numbers: Ints = np.flatnonzero(is_late_row)
        return row_numbers

    def _joined(self, losses: Sequence[Ints], cost: Floats) -> Linear:
        linear, free, rows = self.linear, self.free, self._after_rows
        late_rows = linear.matrix[rows]
        early_terms, late_terms = late_rows @ sp.diags(self.shared.astype(float)), late_rows[:, free]
        late_block = sp.block_diag([late_terms] * len(losses)) if losses else None
        matrix = linear.matrix
        if late_block is not None:
            early_block = sp.vstack([matrix, *[early_terms] * len(losses)])
            matrix = sp.hstack(
                [early_block, sp.vstack([sp.csr_matrix((matrix.shape[0], late_block.shape[1])), late_block])]
            ).tocsr()
            matrix.eliminate_zeros()
            matrix.sort_indices()
        uppers = []
        for loss in losses:
            upper = linear.upper.copy()
            upper[loss] = 0.0
            uppers.append(upper[free])
        loss_count = len(losses)
        return Linear(
            cost=np.concatenate([cost, np.zeros(loss_count * len(free))]),
            lower=np.concatenate([linear.lower, *[linear.lower[free]] * loss_count]),
            upper=np.concatenate([linear.upper, *uppers]),
            integer=np.concatenate([linear.integer, *[linear.integer[free]] * loss_count]),
            entries=Entries.of(matrix),
            row_lower=np.concatenate([linear.row_lower, *[linear.row_lower[rows]] * loss_count]),
            row_upper=np.concatenate([linear.row_upper, *[linear.row_upper[rows]] * loss_count]),
        )


def _elastic(linear: Linear, rows: Ints) -> Linear:
    """Return the program with a column of cost 1 for each of some rows, by which its upper end may be exceeded."""
    count, elastic_count = linear.entries.shape[0], len(rows)
    elastic_terms = sp.csr_matrix(
        (-np.ones(elastic_count), (rows, np.arange(elastic_count))), shape=(count, elastic_count)
    )
    return replace(
        linear,
        cost=np.concatenate([linear.cost, np.ones(elastic_count)]),
        lower=np.concatenate([linear.lower, np.zeros(elastic_count)]),
        upper=np.concatenate([linear.upper, np.full(elastic_count, np.inf)]),
        integer=np.concatenate([linear.integer, np.zeros(elastic_count, dtype=bool)]),
        entries=Entries.of(sp.hstack([linear.matrix, elastic_terms])),
    )


def with_shortage_bounds(program: Program, x: Floats) -> Linear:
    """Return a program in which no demand is shorter over the plan than in the plan `x`. The bounds are its last rows."""
    linear, count = program.linear, program.problem.case.horizon.count
    demands = len(program.problem.demands)
    cells = np.arange(demands * count)
    max_shortage = x[program.columns.short + cells].reshape(demands, count).sum(axis=1)
    bounds = sp.csr_matrix(
        (np.ones(len(cells)), (cells // count, program.columns.short + cells)), shape=(demands, len(linear.cost))
    )
    return replace(
        linear,
        entries=Entries.of(sp.vstack([linear.matrix, bounds])),
        row_lower=np.concatenate([linear.row_lower, np.full(demands, -np.inf)]),
        row_upper=np.concatenate([linear.row_upper, max_shortage + SLACK * np.maximum(max_shortage, 1.0)]),
    )


def early_columns(program: Program, period: int) -> Mask:
    """Return the columns of orders, production, stock, deliveries, and shortage in periods before one, and all onboarding."""
    columns, moves, problem = program.columns, program.problem.moves, program.problem
    count = problem.case.horizon.count
    is_early = np.zeros(len(program.linear.cost), dtype=bool)
    is_early[columns.buy] = moves.ordered[columns.buy_move] < period
    is_early[[c for (_, _, t), c in columns.make.items() if t < period]] = True
    is_early[[c for (_, _, t, _, _), c in columns.transfer.items() if t < period]] = True
    is_early[[c for (_, t), c in (*columns.lot.items(), *columns.order.items()) if t < period]] = True
    for first_column in columns.stock.values():
        is_early[first_column : first_column + period] = True
    delivered = zip(columns.deliver, columns.deliver_key, strict=True)
    is_early[[c for c, (_, t, _, _) in delivered if t < period]] = True
    cells = np.arange(len(problem.demands) * count)
    is_early[columns.short + cells[cells % count < period]] = True
    is_early[[c for lot, c in columns.rest.items() if problem.lots[lot].period < period]] = True
    is_early[[c for offer, c in columns.onboard.items() if problem.offers[offer].onboarding]] = True
    return is_early


def closed_columns(program: Program, offers: Collection[str], period: int) -> Ints:
    columns, problem = program.columns, program.problem
    is_lost_offer = np.array([facts.offer.id in offers for facts in problem.offers] + [False], dtype=bool)
    of_arc = np.array([arc.offer for arc in problem.network.arcs], dtype=np.intp)
    moves = columns.buy_move
    is_lost_order = is_lost_offer[of_arc[problem.moves.arc[moves]]] & (problem.moves.ordered[moves] >= period)
    columns_closed = np.concatenate(
        [columns.buy[is_lost_order], np.array(list(_production_columns(program, is_lost_offer, period)), dtype=np.intp)]
    )
    columns_closed.sort()
    return columns_closed


def _production_columns(program: Program, is_lost_offer: Mask, period: int) -> Iterator[int]:
    for (offer, _, t), column in program.columns.make.items():
        if is_lost_offer[offer] and t >= period:
            yield column


def ready_costs(program: Program, x: Floats, used_offers: Collection[str]) -> dict[str, float]:
    """Return the discounted cost of onboarding and take-or-pay of each offer without purchases, which a plan doesn't include."""
    cost_by_offer = {}
    for index, column in program.columns.onboard.items():
        facts = program.problem.offers[index]
        if facts.onboarding and x[column] > 0.5 and facts.offer.id not in used_offers:
            commitment_costs = [
                program.linear.cost[c] * program.linear.upper[c]
                for number, c in program.columns.untaken.items()
                if program.problem.commitments[number].offer == index
            ]
            cost_by_offer[facts.offer.id] = float(program.linear.cost[column] + sum(commitment_costs))
    return cost_by_offer
