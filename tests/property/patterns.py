"""The cheapest of all on/off patterns: every pattern of the discrete decisions, each a linear programme solved by HiGHS.

Columns are supply trees; a column says how much of each *amount* (kilograms ordered, held, delivered, …) one unit of it
comes to. Rows are bounds on weighted amounts. A choice is on or off, and each side has its own rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

Amount = tuple[Any, ...]
"""Name of something that is counted, like `("units", offer, period)`."""


@dataclass(frozen=True)
class Column:
    """One thing that may be done, per unit."""

    name: str
    cost: float
    amounts: Mapping[Amount, float]


@dataclass(frozen=True)
class Bound:
    """`at_least <= weighted amounts <= at_most`."""

    weights: Mapping[Amount, float]
    at_least: float = -math.inf
    at_most: float = math.inf


@dataclass(frozen=True)
class Choice:
    """A decision that is on or off, with what must hold in either case and what `on` costs."""

    name: str
    off: tuple[Bound, ...] = ()
    on: tuple[Bound, ...] = ()
    cost: float = 0.0


@dataclass(frozen=True)
class Count:
    """How many of some choices are on."""

    choices: frozenset[str]
    at_least: int = 0
    at_most: int = 10**9


@dataclass
class Answer:
    """The optimum, and how it was found."""

    objective: float
    """Infinite if nothing satisfies all rows."""
    amounts: dict[Amount, float] = field(default_factory=dict)
    """What the best plan comes to."""
    done: dict[str, float] = field(default_factory=dict)
    """Its columns."""
    solves: int = 0
    """Linear programmes solved."""


class Enumeration:
    """Walks the tree of patterns. A choice not yet made is left free of both its sides and its cost, which can only make
    the linear programme cheaper: where even that is no better than the best pattern found, the patterns below are skipped.
    """

    def __init__(self, columns: Sequence[Column], bounds: Sequence[Bound]) -> None:
        self.columns = columns
        self.costs = np.array([c.cost for c in columns])
        self.best = Answer(math.inf)
        self.solves = 0
        self.bounds = list(bounds)
        where: dict[Amount, list[tuple[int, float]]] = {}
        for position, column in enumerate(columns):
            for amount, value in column.amounts.items():
                where.setdefault(amount, []).append((position, value))
        self.where = where
        self.rows = [self._row(bound) for bound in bounds]

    def _row(self, bound: Bound) -> csr_matrix:
        row = np.zeros((1, len(self.columns)))
        for amount, weight in bound.weights.items():
            for position, value in self.where.get(amount, ()):
                row[0, position] += weight * value
        return csr_matrix(row)

    def optimum(self, choices: Sequence[Choice], counts: Sequence[Count]) -> Answer:
        """The best plan over all patterns."""
        sides = [
            {False: (c.off, [self._row(b) for b in c.off], 0.0), True: (c.on, [self._row(b) for b in c.on], c.cost)}
            for c in choices
        ]
        self._walk(choices, counts, sides, {}, self.bounds, self.rows, 0.0)
        self.best.solves = self.solves
        return self.best

    def _walk(
        self,
        choices: Sequence[Choice],
        counts: Sequence[Count],
        sides: Sequence[dict[bool, tuple[tuple[Bound, ...], list[csr_matrix], float]]],
        made: dict[str, bool],
        bounds: list[Bound],
        rows: list[csr_matrix],
        spent: float,
    ) -> None:
        if not all(self._possible(count, made) for count in counts):
            return
        cost, values = self._solve(bounds, rows)
        if math.isinf(cost) or cost + spent >= self.best.objective - 1e-9 * abs(cost + spent):
            return
        if len(made) == len(choices):
            assert values is not None
            self.best = Answer(cost + spent, self._amounts(values), self._done(values))
            return
        number = len(made)
        for side in (False, True):
            more_bounds, more_rows, more_cost = sides[number][side]
            self._walk(
                choices, counts, sides, {**made, choices[number].name: side},
                [*bounds, *more_bounds], [*rows, *more_rows], spent + more_cost,
            )  # fmt: skip

    @staticmethod
    def _possible(count: Count, made: Mapping[str, bool]) -> bool:
        on = sum(made.get(name, False) for name in count.choices)
        open_ones = sum(name not in made for name in count.choices)
        return on <= count.at_most and on + open_ones >= count.at_least

    def _solve(self, bounds: list[Bound], rows: list[csr_matrix]) -> tuple[float, NDArray[np.float64] | None]:
        self.solves += 1
        constraints = []
        if rows:
            least, most = [b.at_least for b in bounds], [b.at_most for b in bounds]
            constraints = [LinearConstraint(vstack(rows), least, most)]
        result = milp(self.costs, constraints=constraints)
        if result.status == 2:
            return math.inf, None
        assert result.status == 0, result.message
        return float(result.fun), result.x

    def _amounts(self, values: NDArray[np.float64]) -> dict[Amount, float]:
        found: dict[Amount, float] = {}
        for column, value in zip(self.columns, values, strict=True):
            for amount, weight in column.amounts.items():
                found[amount] = found.get(amount, 0.0) + weight * float(value)
        return found

    def _done(self, values: NDArray[np.float64]) -> dict[str, float]:
        done: dict[str, float] = {}
        for column, value in zip(self.columns, values, strict=True):
            if value > 1e-9:
                done[column.name] = done.get(column.name, 0.0) + float(value)
        return done
