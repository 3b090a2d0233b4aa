"""The cheapest of all binary patterns: every pattern of the discrete decisions, each a linear program solved by HiGHS.

Columns are supply trees; a column says how much of each *amount* (kilograms ordered, held, delivered, …) one unit of it
comes to. Rows are bounds on weighted amounts. A choice is on or off, and each side has its own rows.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import LinearConstraint, milp
from scipy.sparse import csr_matrix, vstack

Amount = tuple[Any, ...]
"""Name of something that is counted, like `("units", offer, period)`."""


@dataclass(frozen=True)
class Column:
    """One thing that may be done, per unit."""

    cost: float
    amounts: Mapping[Amount, float]
    whole: bool = False
    """Whether it is done a whole number of times."""


@dataclass(frozen=True)
class Bound:
    """`at_least <= weighted amounts <= at_most`."""

    weights: Mapping[Amount, float]
    at_least: float = -math.inf
    at_most: float = math.inf


@dataclass(frozen=True)
class Choice:
    """A decision that is on or off, with what must hold in either case."""

    name: str
    off: tuple[Bound, ...] = ()
    on: tuple[Bound, ...] = ()


@dataclass(frozen=True)
class Count:
    """How many of some choices are on."""

    choices: frozenset[str]
    at_least: int = 0
    at_most: int = 10**9
    penalty: float = math.inf
    """Money for each by which it is missed; infinite: it must hold."""


@dataclass(frozen=True)
class Answer:
    """The optimum."""

    objective: float
    """Infinite if nothing satisfies all rows."""


class Enumeration:
    """Walks the tree of patterns. A choice not yet made is left free of both its sides, which can only make the linear
    program cheaper: where even that is no better than the best pattern found, the patterns below are skipped.
    """

    def __init__(self, columns: Sequence[Column], bounds: Sequence[Bound]) -> None:
        self.columns = columns
        self.costs = np.array([c.cost for c in columns])
        self.whole = np.array([int(c.whole) for c in columns])
        self.best = Answer(math.inf)
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
        self.choices, self.counts = choices, counts
        self.sides = [{on: [self._row(b) for b in side] for on, side in _sides(choice)} for choice in choices]
        self._walk({}, self.bounds, self.rows)
        return self.best

    def _walk(self, made: dict[str, bool], bounds: list[Bound], rows: list[csr_matrix]) -> None:
        if not all(self._possible(count, made) for count in self.counts):
            return
        cost = self._solve(bounds, rows)
        if math.isinf(cost) or cost >= self.best.objective - 1e-9 * abs(cost):
            return
        if len(made) == len(self.choices):
            cost += sum(self._missed(count, made) for count in self.counts)
            self.best = min(self.best, Answer(cost), key=lambda answer: answer.objective)
            return
        choice = self.choices[len(made)]
        for on, side in _sides(choice):
            self._walk({**made, choice.name: on}, [*bounds, *side], [*rows, *self.sides[len(made)][on]])

    @staticmethod
    def _possible(count: Count, made: Mapping[str, bool]) -> bool:
        if count.penalty < math.inf:
            return True
        on = sum(made.get(name, False) for name in count.choices)
        open_ones = sum(name not in made for name in count.choices)
        return on <= count.at_most and on + open_ones >= count.at_least

    @staticmethod
    def _missed(count: Count, made: Mapping[str, bool]) -> float:
        """What it costs that a number is missed."""
        on = sum(made[name] for name in count.choices)
        by = max(count.at_least - on, on - count.at_most, 0)
        return by * count.penalty if by else 0.0

    def _solve(self, bounds: list[Bound], rows: list[csr_matrix]) -> float:
        constraints = []
        if rows:
            least, most = [b.at_least for b in bounds], [b.at_most for b in bounds]
            constraints = [LinearConstraint(vstack(rows), least, most)]
        # A gap of 0, else it stops at 1e-4, which would hide what is cheaper by less; a time that ends only what goes wrong.
        # The presolve of scipy's HiGHS can go on forever.
        to_the_end = {"mip_rel_gap": 0.0, "time_limit": 60.0, "presolve": False}
        result = milp(self.costs, constraints=constraints, integrality=self.whole, options=to_the_end)
        if result.status == 2:
            return math.inf
        assert result.status == 0, result.message
        return float(result.fun)


def _sides(choice: Choice) -> tuple[tuple[bool, tuple[Bound, ...]], ...]:
    return (False, choice.off), (True, choice.on)
