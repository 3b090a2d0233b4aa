"""Programs brought near one, column by column: grams of one material beside kilotons of another.

A solver's tolerances are absolute. Each continuous variable is counted in a power of two of its kilograms, each row is
divided by a power of two, and money by one: no digit is lost, and a tolerance of 1e-9 is then a billionth of what is usual
for that column or row. Integer variables stay as they are.

The powers are the geometric means of Hamming's scaling (Curtis and Reid, On the automatic scaling of matrices for Gaussian
elimination, J. Inst. Maths Applics 10, 1972, 118-124): least squares of the logarithms, rows and columns in turn. A row's
own end and a column's upper end count as one entry each.

What scaling does not cure is told (`far_apart`): it cures grams beside kilotons in different rows, not in one. What stands in a row beside
something a billion times larger is not seen in it; of costs a billion times apart the smaller do not count.
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
"""How often rows and columns are scaled in turn at most; more changes a power of two here and there."""
NEAR = 1.0
"""Of a linear program, no more rounds once one has changed no column by more than so many powers of two."""
MANY_LINKS = 20_000
"""Links `x <= u y` beyond which all quantities are counted so that the usual `u` is between one and two: HiGHS then takes a third of the time for their
relaxation (measured: 3 s for 9 s of a processor on a location problem of 100 sites and 600 customers)."""
DEAREST = 2.0**20
"""No column costs more than this once money is scaled."""


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How to read a scaled program's answer."""

    columns: Floats
    """What to multiply its columns by."""
    money: float
    """What to multiply its objective by."""
    rows: Floats
    """What its rows were divided by."""

    def duals(self, duals: Floats) -> Floats:
        """What the duals of the scaled rows mean for the rows as they were."""
        return duals * self.money / self.rows


def scaled(linear: Linear) -> tuple[Linear, Scale]:
    """The same program with quantities near one, and how to read its answer."""
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
    """The largest of the sizes of each row's entries; 1 where there is none."""
    found = np.ones(entries.shape[0])
    filled = np.flatnonzero(entries.counts)
    if len(filled):
        found[filled] = np.maximum.reduceat(sizes, entries.indptr[filled])
    return found


def _money(costs: Floats) -> float:
    """A power of two near the usual cost, or above it where a few columns cost very much more."""
    if not len(costs):
        return 1.0
    ordered, half = np.sort(costs), len(costs) // 2
    usual = (ordered[-half - 1] + ordered[half]) / 2  # as `np.median`, with which numpy loads masked arrays
    return float(2.0 ** np.round(np.log2(max(float(usual), float(costs.max()) / DEAREST))))


def _steps(linear: Linear, of_row: Ints) -> Floats:
    """How many kilograms one of each column is counted as, given the row of each entry: a power of two, 1 for integer variables."""
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
    """The nearest power of two."""
    power: Floats = np.ldexp(1.0, np.round(logarithm).astype(np.intc))
    return power


def _log_of_largest(lower: Floats, upper: Floats) -> tuple[Floats, Mask]:
    """The logarithm of the larger finite end of each, and whether there is one that is not zero; else 0."""
    sizes = [np.where(size < np.inf, size, 0.0) for size in (np.abs(lower), np.abs(upper))]
    ends = np.maximum(*sizes)
    known = ends > 0
    return np.log2(np.where(known, ends, 1.0)), known


LEAST_ENTRY = 1e-7
"""Beside the largest in its row, which is near one: a hundred times the solver's tolerance."""
MOST_COST = 1e9
"""Times the smallest cost of a component that its largest may be."""


@dataclass(frozen=True, slots=True)
class FarApart:
    """Two columns whose numbers lie too far apart."""

    small: int
    large: int
    ratio: float
    """How many times the one is the other, once scaled."""
    row: int | None
    """The row that counts both; None: it is their costs."""


def far_apart(program: Program) -> Iterator[FarApart]:
    """The worst of each component: the row whose entries lie furthest apart, and the costs, if either is too much."""
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
