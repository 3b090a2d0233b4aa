"""A lower bound on what a program can cost, by weak duality in exact arithmetic: no solver is trusted.

For any multipliers `y` of the rows, no x within its bounds that keeps the rows costs less than

    sum over rows of y * (the row's lower end where y > 0, its upper end where y < 0)
    + sum over columns of the least that (cost - y @ column) * x comes to for x between its bounds.

A solver's duals are only a hint which multipliers give a high bound. Neumaier and Shcherbina, Safe bounds in linear and
mixed-integer linear programming, Mathematical Programming 99, 2004, 283-296. Columns without an upper bound get one first: how large
each can be in a plan that is worth looking at (`reach`).

Figures are read as the decimals that their doubles stand for, and counted as whole numbers over a common denominator. Those of more than
15 digits are products of others, rounded: each counts as unsure by `DOUBT` of itself, and the bound is lowered by all that this may come to.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isfinite, lcm

import numpy as np

from friendshore.domain.base import DIGITS
from friendshore.program.matrix import Entries, Floats, Ints, Linear

OUTWARD = 1e-9
"""Relative margin of a bound computed in doubles, far above their error."""


def reach(linear: Linear, most: float) -> Floats:
    """Return upper bounds of all columns, for every x that satisfies the rows at a cost of at most `most`. Infinite if unknown.

    A column without a bound of its own gets one from its rows, given the bounds of the others, and then from the cost.
    """
    upper = linear.upper.copy()
    _by_rows(linear, upper)
    cheapest = np.where(linear.cost < 0, upper, linear.lower)
    used = linear.cost != 0
    others = float((linear.cost[used] * cheapest[used]).sum())
    size = float(np.abs(linear.cost[used] * cheapest[used]).sum()) + abs(most)
    if np.isfinite(others):
        open_ = np.isinf(upper) & (linear.cost > 0)
        room = max(0.0, most - linear.constant - others) + OUTWARD * size
        # A column's own share of `others` is its lower end, which comes on top of what is left.
        upper[open_] = (linear.lower[open_] + room / linear.cost[open_]) * (1 + OUTWARD)
        _by_rows(linear, upper)
    return upper


def _by_rows(linear: Linear, upper: Floats) -> None:
    """Set infinite upper bounds that rows imply, until nothing changes."""
    entries = linear.entries
    columns_of = [
        (entries.indices[a:b], entries.data[a:b]) for a, b in zip(entries.indptr[:-1], entries.indptr[1:], strict=True)
    ]
    by_column = entries.transposed()
    waiting = sorted({i for j in np.flatnonzero(np.isinf(upper)).tolist() for i in _rows(by_column, j)})
    while waiting:
        again: set[int] = set()
        for row in waiting:
            for column in _settle(*columns_of[row], linear, row, upper):
                again.update(_rows(by_column, column))
        waiting = sorted(again)


def _rows(by_column: Entries, column: int) -> list[int]:
    first, last = by_column.indptr[column : column + 2]
    rows: list[int] = by_column.indices[first:last].tolist()
    return rows


def _settle(columns: Ints, values: Floats, linear: Linear, row: int, upper: Floats) -> list[int]:
    """Return the columns whose upper bound a row implies."""
    settled = []
    for sign, end in ((1.0, float(linear.row_upper[row])), (-1.0, -float(linear.row_lower[row]))):
        # sum of `weights * x` is at most `end`
        if not isfinite(end):
            continue
        weights, above = values * sign, upper[columns]
        open_ = np.isinf(above)
        if not open_.any() or (open_ & (weights < 0)).any():
            continue
        least = np.where(open_ | (weights > 0), weights * linear.lower[columns], weights * above)
        room = end - float(least.sum()) + OUTWARD * (float(np.abs(least).sum()) + abs(end))
        for at in np.flatnonzero(open_).tolist():
            most = float(linear.lower[columns[at]]) + max(0.0, room) / float(weights[at])
            upper[columns[at]] = most * (1 + OUTWARD)
            settled.append(int(columns[at]))
    return settled


DOUBT = 46
"""A figure with more digits than facts have may be off by its 2^46th part: 64 times the rounding of a double."""
ROUNDED = 1e-11
"""Relative error of a sum in doubles of up to 10,000 figures."""
SIMPLE = 10**6
"""Largest denominator of multipliers that are taken as fractions."""
LARGE = 2**400
"""Common denominator beyond which they are taken as doubles."""
SHORT = 10**4
"""Denominator of the shortest that are tried."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A double as a fraction."""

    above: int
    below: int
    unsure: bool
    """True if it has more digits than facts have."""


@dataclass(frozen=True, slots=True)
class Multipliers:
    """Multipliers of rows, as fractions with a common denominator. Other rows have 0."""

    over: int
    """Denominator, above 0."""
    rows: tuple[tuple[int, int], ...]
    """Row and numerator, in order of rows."""

    @staticmethod
    def of(values: Sequence[Fraction]) -> Multipliers:
        """Return the multipliers of all rows."""
        over = lcm(*(one.denominator for one in values))
        rows = ((row, one.numerator * (over // one.denominator)) for row, one in enumerate(values) if one)
        return Multipliers(over, tuple(rows))


class ExactProgram:
    """A program with nonnegative columns, in whole numbers with common denominators."""

    def __init__(self, linear: Linear) -> None:
        self._read = Figures()
        self._linear, self._by_column = linear, linear.entries.transposed()
        self._column_of = self._by_column.rows
        self._ends = linear.row_lower.tolist(), linear.row_upper.tolist()
        self._constant = Fraction(Decimal(repr(linear.constant)))
        self._columns: dict[int, _Column] = {}

    def bound(self, hints: Floats, lower: Floats, upper: Floats, *, costs: bool = True) -> Fraction | None:
        """Return a lower bound on the cost of all x within the bounds that satisfy the rows. None if unknown. See `best`."""
        found = self.best(hints, lower, upper, costs=costs)
        return None if found is None else found[0]

    def best(
        self, hints: Floats, lower: Floats, upper: Floats, *, costs: bool = True, enough: Fraction | None = None
    ) -> tuple[Fraction, Multipliers] | None:
        """The best bound that fractions near some duals give, with these; None: nothing is known.

        Args:
            hints: about the duals of the rows; whatever they are, the bound holds.
            lower: least of each column, none below zero.
            upper: most of each column; infinite: there is no limit.
            costs: whether columns cost what they cost; else nothing, and a bound above zero shows that no x keeps the rows.
            enough: a bound that will do: the shortest fractions that give it are taken.
        """
        found: tuple[Fraction, Multipliers] | None = None
        for one in _near(hints, short=enough is not None):
            bound = self.value(one, lower, upper, costs=costs)
            if bound is not None and (found is None or bound > found[0]):
                found = bound, one
                if enough is not None and bound >= enough:
                    break
        return found

    def value(self, given: Multipliers, lower: Floats, upper: Floats, *, costs: bool = True) -> Fraction | None:
        """Return the bound of some multipliers. None if a column that they reward has no limit."""
        common, below, above = given.over, *self._ends
        y = [0] * len(below)
        found: defaultdict[int, int] = defaultdict(int)
        """Denominator -> sum of numerators."""
        for row, times in given.rows:
            end = self._read.end(below[row] if times > 0 else above[row])
            if end is not None:
                y[row] = times
                part = times * end.above
                found[end.below * common] += part - (_doubt(abs(part)) if end.unsure else 0)
        for j in self._to_look_at(y, common, lower, costs):
            column = self._column(j)
            reduced = column.reduced(y, common, costs)
            at = float(lower[j]) if reduced >= 0 else float(upper[j])
            if not reduced or not at:
                continue
            if not np.isfinite(at):
                return None
            numerator, denominator = at.as_integer_ratio()
            found[column.below * common * denominator] += reduced * numerator
        total = self._constant if costs else Fraction(0)
        return total + sum((Fraction(one, over) for over, one in found.items()), Fraction(0))

    def _to_look_at(self, y: Sequence[int], common: int, lower: Floats, costs: bool) -> list[int]:
        """Return the columns whose part of the bound may be nonzero. For all others, doubles suffice to rule it out."""
        near = np.array([times / common for times in y])
        cost = self._linear.cost if costs else np.zeros(len(self._linear.cost))
        parts = self._by_column.data * near[self._by_column.indices]
        reduced = cost - np.bincount(self._column_of, parts, minlength=len(cost))
        size = np.abs(cost) + np.bincount(self._column_of, np.abs(parts), minlength=len(cost))
        found: list[int] = np.flatnonzero((lower != 0) | ~(reduced > ROUNDED * size)).tolist()
        return found

    def _column(self, j: int) -> _Column:
        """Return a column. Most are never read."""
        found = self._columns.get(j)
        if found is None:
            some = slice(*self._by_column.indptr[j : j + 2].tolist())
            entries = zip(self._by_column.indices[some].tolist(), self._by_column.data[some].tolist(), strict=True)
            cost = self._read(float(self._linear.cost[j]))
            found = self._columns[j] = _Column.of(cost, [(row, self._read(value)) for row, value in entries])
        return found


def _near(hints: Floats, *, short: bool) -> Iterator[Multipliers]:
    """Yield fractions near some duals: short ones if allowed, simple ones, then the doubles themselves."""
    plain = [Fraction(value) for value in hints.tolist()]
    if short:
        yield Multipliers.of([Fraction(round(value * SHORT), SHORT) for value in hints.tolist()])
    simple = Multipliers.of([value.limit_denominator(SIMPLE) for value in plain])
    if simple.over <= LARGE:
        yield simple
    yield Multipliers.of(plain)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column with a common denominator."""

    below: int
    cost: int
    unsure: bool
    entries: list[tuple[int, int, bool]]
    """Row, coefficient, and True if that is inexact."""

    @staticmethod
    def of(cost: Figure, entries: Sequence[tuple[int, Figure]]) -> _Column:
        below = lcm(cost.below, *(figure.below for _, figure in entries))
        whole = [(row, figure.above * (below // figure.below), figure.unsure) for row, figure in entries]
        return _Column(below, cost.above * (below // cost.below), cost.unsure, whole)

    def reduced(self, y: Sequence[int], common: int, costs: bool) -> int:
        """Return the smallest possible reduced cost, times `below` and `common`."""
        found = self.cost * common if costs else 0
        doubt = abs(found) if self.unsure else 0
        for row, value, unsure in self.entries:
            part = value * y[row]
            found -= part
            if unsure:
                doubt += abs(part)
        return found - _doubt(doubt)


def _doubt(size: int) -> int:
    """Return the possible error of a sum, rounded up."""
    return -(-size >> DOUBT)


class Figures:
    """Cache of doubles as fractions."""

    def __init__(self) -> None:
        self._known: dict[float, Figure] = {}

    def __call__(self, value: float) -> Figure:
        found = self._known.get(value)
        if found is None:
            number = Decimal(repr(value))
            found = Figure(*number.as_integer_ratio(), unsure=len(number.as_tuple().digits) > DIGITS)
            self._known[value] = found
        return found

    def end(self, value: float) -> Figure | None:
        """Return the end of a row. None if it has none on that side."""
        return self(value) if np.isfinite(value) else None
