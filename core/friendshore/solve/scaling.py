"""Scaling of programs, for numbers near one where grams of one material meet kilotons of another.

A solver's tolerances are absolute. Each continuous variable is counted in a power of two of its kilograms, and each row and the money are divided by a
power of two. No digit is lost, and a tolerance of 1e-9 is then a billionth of the usual value of that column or row. Integer variables are unchanged.

The powers are the geometric means of Hamming's scaling (Curtis and Reid, On the automatic scaling of matrices for Gaussian elimination, J. Inst. Maths
Applics 10, 1972, 118-124): least squares of the logarithms, rows and columns in turn. Bounds of rows and upper bounds of columns count as one entry each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from ..program import Program
from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .components import split
from .forcing import links

# Maximum rounds of scaling rows and columns in turn. More would change a few powers of two.
ROUNDS = 8
# Powers of two. Scaling of a linear program ends after a round that changes no column by more.
NEGLIGIBLE_CHANGE = 1.0
# Number of links `x <= u y` above which quantities are counted so that the median `u` is between one and two.
# HiGHS then takes a third of the time for their relaxation (measured on a location problem of 100 sites and 600 customers).
MANY_LINKS = 20_000
MAX_COST = 2.0**20


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Factors to convert a scaled program's answer: for columns, money, and (as divisors) rows."""

    columns: Floats
    money: float
    rows: Floats

    def duals(self, duals: Floats) -> Floats:
        return duals * self.money / self.rows


def scaled(linear: Linear) -> tuple[Linear, Scale]:
    entries = linear.entries
    row = entries.rows
    column_factor = _column_factors(linear, row)
    flow_entry, choice_entry = links(linear)
    if len(flow_entry) > MANY_LINKS:
        max_flows = np.sort(
            np.abs(entries.data[choice_entry] / entries.data[flow_entry]) / column_factor[entries.indices[flow_entry]]
        )
        column_factor = np.where(
            linear.integer, column_factor, column_factor * 2.0 ** np.floor(np.log2(max_flows[len(max_flows) // 2]))
        )
    data = entries.data * column_factor[entries.indices]
    largest = _largest(entries, np.abs(data))
    divisor = _powers_of_two(np.log2(largest))
    cost = linear.cost * column_factor
    money = _money_factor(np.abs(cost[cost != 0]))
    scaled_program = Linear(
        cost=cost / money,
        lower=linear.lower / column_factor,
        upper=linear.upper / column_factor,
        integer=linear.integer,
        entries=Entries(data / divisor[row], entries.indices, entries.indptr, entries.shape),
        row_lower=linear.row_lower / divisor,
        row_upper=linear.row_upper / divisor,
        constant=linear.constant / money,
    )
    return scaled_program, Scale(column_factor, money, divisor)


def with_money_unit(linear: Linear, scale: Scale, amount: float) -> tuple[Linear, Scale]:
    """Return a scaled program and its factors with money counted in about `amount`."""
    money = float(2.0 ** np.round(np.log2(amount)))
    factor = scale.money / money
    return replace(linear, cost=linear.cost * factor, constant=linear.constant * factor), replace(scale, money=money)


def _largest(entries: Entries, sizes: Floats) -> Floats:
    largest = np.ones(entries.shape[0])
    nonempty = np.flatnonzero(entries.counts)
    if len(nonempty):
        largest[nonempty] = np.maximum.reduceat(sizes, entries.indptr[nonempty])
    return largest


def _money_factor(costs: Floats) -> float:
    """Return a power of two near the median cost, or above it if a few columns are much more expensive."""
    if not len(costs):
        return 1.0
    sorted_costs, half = np.sort(costs), len(costs) // 2
    median = (sorted_costs[-half - 1] + sorted_costs[half]) / 2  # as `np.median`, with which numpy loads masked arrays
    return float(2.0 ** np.round(np.log2(max(float(median), float(costs.max()) / MAX_COST))))


def _column_factors(linear: Linear, of_row: Ints) -> Floats:
    """Return the kilograms per unit of each column: a power of two, or 1 for integer variables."""
    rows, columns = linear.entries.shape
    of_column = linear.entries.indices
    size = np.log2(np.abs(linear.entries.data))
    row_bounds, has_row_bound = _log_of_largest(linear.row_lower, linear.row_upper)
    column_bounds, has_column_bound = _log_of_largest(linear.lower, linear.upper)
    row_counts = np.maximum(linear.entries.counts + has_row_bound, 1)
    column_counts = np.maximum(np.bincount(of_column, minlength=columns) + has_column_bound, 1)
    has_integers = bool(linear.integer.any())
    powers = np.where(linear.integer, 0.0, column_bounds) if has_integers else column_bounds
    for _ in range(ROUNDS):
        row_means = (np.bincount(of_row, size + powers[of_column], minlength=rows) + row_bounds) / row_counts
        last_powers = powers
        powers = (np.bincount(of_column, row_means[of_row] - size, minlength=columns) + column_bounds) / column_counts
        if has_integers:
            powers[linear.integer] = 0.0
        elif np.abs(powers - last_powers).max(initial=0.0) <= NEGLIGIBLE_CHANGE:
            break
    return _powers_of_two(powers)


def _powers_of_two(logarithm: Floats) -> Floats:
    power: Floats = np.ldexp(1.0, np.round(logarithm).astype(np.intc))
    return power


def _log_of_largest(lower: Floats, upper: Floats) -> tuple[Floats, Mask]:
    """Return the logarithm of the larger finite bound, and True if it isn't zero. Otherwise 0 and False."""
    sizes = [np.where(size < np.inf, size, 0.0) for size in (np.abs(lower), np.abs(upper))]
    larger = np.maximum(*sizes)
    is_known = larger > 0
    return np.log2(np.where(is_known, larger, 1.0)), is_known


# Minimum entry relative to the largest in its row, which is near one: a hundred times the solver's tolerance.
MIN_ENTRY = 1e-7
# Maximum ratio of the costs of a component.
MAX_COST_RATIO = 1e9


@dataclass(frozen=True, slots=True)
class FarApart:
    """Two columns with numbers of too different size, in one row or in their costs. The smaller has no effect there."""

    small: int
    large: int
    ratio: float
    row: int | None
    """Row that contains both. None if it is about their costs."""


def far_apart(program: Program) -> Iterator[FarApart]:
    for component in split(program.linear):
        linear, _ = scaled(component.linear)
        for worst_case in (_worst_entries(linear), _worst_costs(linear)):
            if worst_case is not None:
                row = None if worst_case.row is None else int(component.rows[worst_case.row])
                yield FarApart(
                    int(component.columns[worst_case.small]),
                    int(component.columns[worst_case.large]),
                    worst_case.ratio,
                    row,
                )


def _worst_entries(linear: Linear) -> FarApart | None:
    entries = linear.entries
    if not entries.nnz:
        return None
    size = np.abs(entries.data)
    row = entries.rows
    ratios = size / _largest(entries, size)[row]
    smallest = int(ratios.argmin())
    if ratios[smallest] >= MIN_ENTRY:
        return None
    worst_row = int(row[smallest])
    span = slice(entries.indptr[worst_row], entries.indptr[worst_row + 1])
    largest_column = int(entries.indices[span][size[span].argmax()])
    return FarApart(int(entries.indices[smallest]), largest_column, float(1 / ratios[smallest]), worst_row)


def _worst_costs(linear: Linear) -> FarApart | None:
    with_cost = np.flatnonzero(linear.cost)
    if not len(with_cost):
        return None
    size = np.abs(linear.cost[with_cost])
    ratio = float(size.max() / size.min())
    return (
        FarApart(int(with_cost[size.argmin()]), int(with_cost[size.argmax()]), ratio, None)
        if ratio > MAX_COST_RATIO
        else None
    )
