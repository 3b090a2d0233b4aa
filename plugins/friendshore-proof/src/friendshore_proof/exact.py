"""Lower bounds on the cost of a program by weak duality in exact arithmetic, without trust in a solver."""

# For any multipliers `y` of the rows, no x within its bounds that satisfies the rows costs less than
#
#     sum over rows of y * (the row's lower end where y > 0, its upper end where y < 0)
#     + sum over columns of the minimum of (cost - y @ column) * x for x between its bounds.
#
# A solver's duals only hint at multipliers with a high bound. Columns without an upper bound get one first, from the plans that could be better
# (`implied_upper`). Neumaier and Shcherbina, Safe bounds in linear and mixed-integer linear programming, Mathematical Programming 99, 2004, 283-296.
#
# Doubles are read as the decimals that they represent, and counted as whole numbers over a common denominator. Those of more than 15 digits are rounded
# products: each may be off by a share of itself (`DOUBT`), and the bound is lowered by all of these errors.

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


def implied_upper(linear: Linear, max_cost: float) -> Floats:
    """Return upper bounds of all columns in plans of at most a cost. Infinite if unknown. Missing bounds come from the rows, then from the cost."""
    upper = linear.upper.copy()
    _bound_by_rows(linear, upper)
    cheapest = np.where(linear.cost < 0, upper, linear.lower)
    has_cost = linear.cost != 0
    min_cost = float((linear.cost[has_cost] * cheapest[has_cost]).sum())
    magnitude = float(np.abs(linear.cost[has_cost] * cheapest[has_cost]).sum()) + abs(max_cost)
    if np.isfinite(min_cost):
        is_open = np.isinf(upper) & (linear.cost > 0)
        budget = max(0.0, max_cost - linear.constant - min_cost) + OUTWARD * magnitude
        # A column's own share of `others` is its lower end, which comes on top of what is left.
        upper[is_open] = (linear.lower[is_open] + budget / linear.cost[is_open]) * (1 + OUTWARD)
        _bound_by_rows(linear, upper)
    return upper


def _bound_by_rows(linear: Linear, upper: Floats) -> None:
    """Set infinite upper bounds that rows imply, until nothing changes."""
    entries = linear.entries
    columns_of = [
        (entries.indices[a:b], entries.data[a:b]) for a, b in zip(entries.indptr[:-1], entries.indptr[1:], strict=True)
    ]
    by_column = entries.transposed()
    rows = sorted({i for j in np.flatnonzero(np.isinf(upper)).tolist() for i in _rows(by_column, j)})
    while rows:
        next_rows: set[int] = set()
        for row in rows:
            for column in _bound_columns(*columns_of[row], linear, row, upper):
                next_rows.update(_rows(by_column, column))
        rows = sorted(next_rows)


def _rows(by_column: Entries, column: int) -> list[int]:
    first, last = by_column.indptr[column : column + 2]
    rows: list[int] = by_column.indices[first:last].tolist()
    return rows


def _bound_columns(columns: Ints, values: Floats, linear: Linear, row: int, upper: Floats) -> list[int]:
    bounded = []
    for sign, end in ((1.0, float(linear.row_upper[row])), (-1.0, -float(linear.row_lower[row]))):
        # sum of `weights * x` is at most `end`
        if not isfinite(end):
            continue
        weights, above = values * sign, upper[columns]
        is_open = np.isinf(above)
        if not is_open.any() or (is_open & (weights < 0)).any():
            continue
        minimum = np.where(is_open | (weights > 0), weights * linear.lower[columns], weights * above)
        slack = end - float(minimum.sum()) + OUTWARD * (float(np.abs(minimum).sum()) + abs(end))
        for position in np.flatnonzero(is_open).tolist():
            bound = float(linear.lower[columns[position]]) + max(0.0, slack) / float(weights[position])
            upper[columns[position]] = bound * (1 + OUTWARD)
            bounded.append(int(columns[position]))
    return bounded


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
    rows: tuple[tuple[int, int], ...]
    """Row and numerator, in order of rows."""

    @staticmethod
    def of(values: Sequence[Fraction]) -> Multipliers:
        denominator = lcm(*(value.denominator for value in values))
        rows = (
            (row, value.numerator * (denominator // value.denominator)) for row, value in enumerate(values) if value
        )
        return Multipliers(denominator, tuple(rows))


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
        best = self.best(hints, lower, upper, costs=costs)
        return None if best is None else best[0]

    def best(
        self, hints: Floats, lower: Floats, upper: Floats, *, costs: bool = True, enough: Fraction | None = None
    ) -> tuple[Fraction, Multipliers] | None:
        """Return the best bound that fractions near some duals give, with these. None if unknown.

        The bound is valid for any `hints`. Lower bounds must be at least zero, upper bounds may be infinite. Without `costs`, a bound above zero shows that no
        x satisfies the rows. The shortest fractions that give `enough` are taken.
        """
        best: tuple[Fraction, Multipliers] | None = None
        for multipliers in _nearby_multipliers(hints, short=enough is not None):
            bound = self.value(multipliers, lower, upper, costs=costs)
            if bound is not None and (best is None or bound > best[0]):
                best = bound, multipliers
                if enough is not None and bound >= enough:
                    break
        return best

    def value(self, multipliers: Multipliers, lower: Floats, upper: Floats, *, costs: bool = True) -> Fraction | None:
        """Return the bound of some multipliers. None if a column that they reward has no limit."""
        common, row_lower, row_upper = multipliers.over, *self._ends
        y = [0] * len(row_lower)
        numerators: defaultdict[int, int] = defaultdict(int)
        """Denominator -> sum of numerators."""
        for row, times in multipliers.rows:
            end = self._read.end(row_lower[row] if times > 0 else row_upper[row])
            if end is not None:
                y[row] = times
                product = times * end.above
                numerators[end.below * common] += product - (_doubt(abs(product)) if end.unsure else 0)
        for j in self._relevant_columns(y, common, lower, costs):
            column = self._column(j)
            reduced = column.reduced(y, common, costs)
            x = float(lower[j]) if reduced >= 0 else float(upper[j])
            if not reduced or not x:
                continue
            if not np.isfinite(x):
                return None
            numerator, denominator = x.as_integer_ratio()
            numerators[column.below * common * denominator] += reduced * numerator
        total = self._constant if costs else Fraction(0)
        return total + sum(
            (Fraction(numerator, denominator) for denominator, numerator in numerators.items()), Fraction(0)
        )

    def _relevant_columns(self, y: Sequence[int], common: int, lower: Floats, costs: bool) -> list[int]:
        """Return the columns whose part of the bound may be nonzero. For all others, doubles suffice to rule it out."""
        multipliers = np.array([times / common for times in y])
        cost = self._linear.cost if costs else np.zeros(len(self._linear.cost))
        parts = self._by_column.data * multipliers[self._by_column.indices]
        reduced = cost - np.bincount(self._column_of, parts, minlength=len(cost))
        magnitude = np.abs(cost) + np.bincount(self._column_of, np.abs(parts), minlength=len(cost))
        columns: list[int] = np.flatnonzero((lower != 0) | ~(reduced > ROUNDED * magnitude)).tolist()
        return columns

    def _column(self, j: int) -> _Column:
        column = self._columns.get(j)
        if column is None:
            span = slice(*self._by_column.indptr[j : j + 2].tolist())
            entries = zip(self._by_column.indices[span].tolist(), self._by_column.data[span].tolist(), strict=True)
            cost = self._read(float(self._linear.cost[j]))
            column = self._columns[j] = _Column.of(cost, [(row, self._read(value)) for row, value in entries])
        return column


def _nearby_multipliers(hints: Floats, *, short: bool) -> Iterator[Multipliers]:
    """Yield fractions near some duals: short ones if allowed, simple ones, then the doubles themselves."""
    fractions = [Fraction(value) for value in hints.tolist()]
    if short:
        yield Multipliers.of([Fraction(round(value * SHORT), SHORT) for value in hints.tolist()])
    simple = Multipliers.of([value.limit_denominator(SIMPLE) for value in fractions])
    if simple.over <= LARGE:
        yield simple
    yield Multipliers.of(fractions)


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
        reduced = self.cost * common if costs else 0
        doubt = abs(reduced) if self.unsure else 0
        for row, value, unsure in self.entries:
            part = value * y[row]
            reduced -= part
            if unsure:
                doubt += abs(part)
        return reduced - _doubt(doubt)


def _doubt(size: int) -> int:
    return -(-size >> DOUBT)


class Figures:
    """Cache of doubles as fractions."""

    def __init__(self) -> None:
        self._known: dict[float, Figure] = {}

    def __call__(self, value: float) -> Figure:
        figure = self._known.get(value)
        if figure is None:
            number = Decimal(repr(value))
            figure = Figure(*number.as_integer_ratio(), unsure=len(number.as_tuple().digits) > DIGITS)
            self._known[value] = figure
        return figure

    def end(self, value: float) -> Figure | None:
        return self(value) if np.isfinite(value) else None
