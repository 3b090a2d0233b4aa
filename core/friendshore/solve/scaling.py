"""Scaling of programs, for numbers near one where grams of one material meet kilotons of another.

A solver's tolerances are absolute. Each continuous variable is counted in a power of two of its kilograms. Each row and the money are
divided by a power of two. No digit is lost, and a tolerance of 1e-9 is then a billionth of the usual value
of that column or row. Integer variables remain unchanged.

The powers are the geometric means of Hamming's scaling (Curtis and Reid, On the automatic scaling of matrices for Gaussian
elimination, J. Inst. Maths Applics 10, 1972, 118-124): least squares of the logarithms, rows and columns in turn. A row's
own bound and a column's upper bound count as one entry each.

Scaling handles grams beside kilotons in different rows, but not in one row. `far_apart` reports such rows. An entry beside
one that is a billion times larger has no effect in its row. Costs a billion times smaller than others have none either.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..program import Program
from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .components import split
from .forcing import links

ROUNDS = 8
"""Maximum rounds of scaling rows and columns in turn. More would change a few powers of two."""
NEAR = 1.0
"""Powers of two. Scaling of a linear program ends after a round that changes no column by more."""
MANY_LINKS = 20_000
"""Number of links `x <= u y` above which quantities are counted so that the median `u` is between one and two.

HiGHS then takes a third of the time for their relaxation. For a location problem of 100 sites and 600 customers, 3 s of processor time instead of 9 s were measured.
"""
DEAREST = 2.0**20
"""Maximum cost of a column after scaling of money."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Factors to convert a scaled program's answer."""

    columns: Floats
    """Factor of its columns."""
    money: float
    """Factor of its objective."""
    rows: Floats
    """Divisor of its rows."""

    def duals(self, duals: Floats) -> Floats:
        """Return the duals of the scaled rows for the original rows."""
        return duals * self.money / self.rows


def scaled(linear: Linear) -> tuple[Linear, Scale]:
    """Return the program with quantities near one, and the factors to convert its answer."""
    given = linear.entries
    row = given.rows
    factor = _steps(linear, row)
    own, other = links(linear)
    if len(own) > MANY_LINKS:
        ends = np.sort(np.abs(given.data[other] / given.data[own]) / factor[given.indices[own]])
        factor = np.where(linear.integer, factor, factor * 2.0 ** np.floor(np.log2(ends[len(ends) // 2])))
    data = given.data * factor[given.indices]
    size = _largest(given, np.abs(data))
    divisor = _power(np.log2(size))
    cost = linear.cost * factor
    money = _money(np.abs(cost[cost != 0]))
    near_one = Linear(
        cost=cost / money,
        lower=linear.lower / factor,
        upper=linear.upper / factor,
        integer=linear.integer,
        entries=Entries(data / divisor[row], given.indices, given.indptr, given.shape),
        row_lower=linear.row_lower / divisor,
        row_upper=linear.row_upper / divisor,
        constant=linear.constant / money,
    )
    return near_one, Scale(factor, money, divisor)


def _largest(entries: Entries, sizes: Floats) -> Floats:
    """Return the largest of the sizes of each row's entries. 1 if there is none."""
    found = np.ones(entries.shape[0])
    filled = np.flatnonzero(entries.counts)
    if len(filled):
        found[filled] = np.maximum.reduceat(sizes, entries.indptr[filled])
    return found


def _money(costs: Floats) -> float:
    """Return a power of two near the median cost, or above it if a few columns are much more expensive."""
    if not len(costs):
        return 1.0
    ordered, half = np.sort(costs), len(costs) // 2
    usual = (ordered[-half - 1] + ordered[half]) / 2  # as `np.median`, with which numpy loads masked arrays
    return float(2.0 ** np.round(np.log2(max(float(usual), float(costs.max()) / DEAREST))))


def _steps(linear: Linear, of_row: Ints) -> Floats:
    """Return the kilograms per unit of each column, given the row of each entry: a power of two, or 1 for integer variables."""
    rows, columns = linear.entries.shape
    of_column = linear.entries.indices
    size = np.log2(np.abs(linear.entries.data))
    ends, has_end = _log_of_largest(linear.row_lower, linear.row_upper)
    tops, has_top = _log_of_largest(linear.lower, linear.upper)
    in_row = np.maximum(linear.entries.counts + has_end, 1)
    in_column = np.maximum(np.bincount(of_column, minlength=columns) + has_top, 1)
    searched = bool(linear.integer.any())
    step = np.where(linear.integer, 0.0, tops) if searched else tops
    for _ in range(ROUNDS):
        row, before = (np.bincount(of_row, size + step[of_column], minlength=rows) + ends) / in_row, step
        step = (np.bincount(of_column, row[of_row] - size, minlength=columns) + tops) / in_column
        if searched:
            step[linear.integer] = 0.0
        elif np.abs(step - before).max(initial=0.0) <= NEAR:
            break
    return _power(step)


def _power(logarithm: Floats) -> Floats:
    power: Floats = np.ldexp(1.0, np.round(logarithm).astype(np.intc))
    return power


def _log_of_largest(lower: Floats, upper: Floats) -> tuple[Floats, Mask]:
    """Return the logarithm of the larger finite bound, and True if it isn't zero. Otherwise 0 and False."""
    sizes = [np.where(size < np.inf, size, 0.0) for size in (np.abs(lower), np.abs(upper))]
    ends = np.maximum(*sizes)
    known = ends > 0
    return np.log2(np.where(known, ends, 1.0)), known


LEAST_ENTRY = 1e-7
"""Minimum entry relative to the largest in its row, which is near one: a hundred times the solver's tolerance."""
MOST_COST = 1e9
"""Maximum ratio of the costs of a component."""


@dataclass(frozen=True, slots=True)
class FarApart:
    """Two columns with numbers of too different size."""

    small: int
    large: int
    ratio: float
    """Ratio of the two after scaling."""
    row: int | None
    """Row that contains both. None if it is about their costs."""


def far_apart(program: Program) -> Iterator[FarApart]:
    """Yield the worst cases of each component: the row with the largest ratio of entries, and the costs, if either is too large."""
    for part in split(program.linear):
        linear, _ = scaled(part.linear)
        for found in (_entries(linear), _costs(linear)):
            if found is not None:
                row = None if found.row is None else int(part.rows[found.row])
                yield FarApart(int(part.columns[found.small]), int(part.columns[found.large]), found.ratio, row)


def _entries(linear: Linear) -> FarApart | None:
    entries = linear.entries
    if not entries.nnz:
        return None
    size = np.abs(entries.data)
    row = entries.rows
    share = size / _largest(entries, size)[row]
    worst = int(share.argmin())
    if share[worst] >= LEAST_ENTRY:
        return None
    at = int(row[worst])
    span = slice(entries.indptr[at], entries.indptr[at + 1])
    beside = int(entries.indices[span][size[span].argmax()])
    return FarApart(int(entries.indices[worst]), beside, float(1 / share[worst]), at)


def _costs(linear: Linear) -> FarApart | None:
    some = np.flatnonzero(linear.cost)
    if not len(some):
        return None
    size = np.abs(linear.cost[some])
    ratio = float(size.max() / size.min())
    return FarApart(int(some[size.argmin()]), int(some[size.argmax()]), ratio, None) if ratio > MOST_COST else None
