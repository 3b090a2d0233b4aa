"""Columns and rows as arrays: the layout of linear programs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..problem.network import compact, ranges

if TYPE_CHECKING:
    import scipy.sparse as sp

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Coefficients by row, in the layout of `scipy.sparse.csr_matrix`."""

    data: Floats
    indices: Ints
    indptr: Ints
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: sp.spmatrix) -> Entries:
        rows = matrix.tocsr()
        return cls(rows.data, rows.indices.astype(np.intp), rows.indptr.astype(np.intp), rows.shape)

    @classmethod
    def summed(cls, rows: Ints, columns: Ints, values: Floats, shape: tuple[int, int]) -> Entries:
        """Return coefficients given in any order. Those with the same position are summed, and omitted if the sum is zero."""
        return cls._at([_positions(rows, columns, shape[1]), values], shape)

    @classmethod
    def of_blocks(cls, blocks: list[tuple[Ints, Ints, Floats]], shape: tuple[int, int]) -> Entries:
        """Return `summed` of several blocks, and clear the list: very many coefficients would take as much memory again."""
        positions = joined([_positions(rows, columns, shape[1]) for rows, columns, _ in blocks])
        arrays = [positions, _joined([values for _, _, values in blocks])]
        blocks.clear()
        del positions
        return cls._at(arrays, shape)

    @classmethod
    def _at(cls, arrays: list[NDArray[Any]], shape: tuple[int, int]) -> Entries:
        """Return the entries at some positions, row times width plus column. Takes positions and values out of the list, to free them."""
        values, positions = arrays.pop(), arrays.pop()
        order = np.argsort(positions, kind="stable")
        positions, values = positions[order], values[order]
        del order
        is_new_position = positions[1:] != positions[:-1]
        if not is_new_position.all():
            starts = np.concatenate([[0], np.flatnonzero(is_new_position) + 1])
            values, positions = np.add.reduceat(values, starts), positions[starts]
        if not values.all():
            positions, values = positions[values != 0], values[values != 0]
        width = max(shape[1], 1)
        first = positions // width
        indptr = np.concatenate([[0], np.cumsum(np.bincount(first, minlength=shape[0]))])
        first *= width
        return cls(values, compact(positions - first), indptr, shape)

    @property
    def nnz(self) -> int:
        return len(self.data)

    @property
    def rows(self) -> Ints:  # row of each coefficient
        return np.repeat(compact(np.arange(self.shape[0])), self.counts)

    @property
    def counts(self) -> Ints:
        return self.indptr[1:] - self.indptr[:-1]

    def __getitem__(self, rows: Ints | Mask) -> Entries:
        first, count = self.indptr[:-1][rows], np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(count)])
        source = np.repeat(first - indptr[:-1], count)
        source += np.arange(indptr[-1])
        return Entries(self.data[source], self.indices[source], indptr, (len(count), self.shape[1]))

    def __matmul__(self, x: Floats) -> Floats:
        sums = np.bincount(self.rows, self.data * x[self.indices], minlength=self.shape[0])
        return sums.astype(np.float64, copy=False)

    def weighed(self, weights: Floats) -> Floats:
        """Return the sum of each column with weighted rows."""
        sums = np.bincount(self.indices, self.data * weights[self.rows], minlength=self.shape[1])
        return sums.astype(np.float64, copy=False)

    def within(self, columns: Ints) -> Entries:
        """Return some columns, numbered in the given order."""
        position = np.full(self.shape[1], -1)
        position[columns] = np.arange(len(columns))
        new_column = position[self.indices]
        is_kept = new_column >= 0
        return Entries.summed(
            self.rows[is_kept], new_column[is_kept], self.data[is_kept], (self.shape[0], len(columns))
        )

    def transposed(self) -> Entries:
        order = np.argsort(self.indices, kind="stable")
        indptr = np.searchsorted(self.indices[order], np.arange(self.shape[1] + 1))
        return Entries(self.data[order], self.rows[order], indptr, self.shape[::-1])


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """Minimize `cost @ x + constant` subject to `row_lower <= entries @ x <= row_upper` and `lower <= x <= upper`, with some x integer."""

    cost: Floats
    lower: Floats
    upper: Floats
    integer: Mask
    entries: Entries
    row_lower: Floats
    row_upper: Floats
    constant: float = 0.0

    def value(self, x: Floats) -> float:
        return float(self.cost @ x) + self.constant

    @property
    def cheapest(self) -> Floats:
        """Cheapest bound of each column. Infinite if its cost falls without limit."""
        bounds: Floats = np.where(self.cost < 0, self.upper, self.lower)
        return bounds

    def reduced(self, duals: Floats) -> Floats:
        """Return the reduced cost of each column: its cost minus its value at the duals of the rows."""
        return self.cost - self.entries.weighed(duals)

    def of_rows(self, rows: Ints | Mask) -> Linear:
        return replace(self, entries=self.entries[rows], row_lower=self.row_lower[rows], row_upper=self.row_upper[rows])

    @property
    def matrix(self) -> sp.csr_matrix:
        """Coefficients as a scipy matrix, for plugins that depend on scipy; the kernel does not."""
        from scipy.sparse import csr_matrix

        return csr_matrix((self.entries.data, self.entries.indices, self.entries.indptr), self.entries.shape)


def capped(linear: Linear, cost: Floats, limit: float) -> Linear:
    with_cost = np.flatnonzero(cost)
    return with_rows(linear, [with_cost], [cost[with_cost]], -np.inf, limit)


def with_rows(
    linear: Linear,
    columns: Sequence[Ints] | Ints,
    values: Sequence[Floats] | Floats,
    lower: ArrayLike,
    upper: ArrayLike,
) -> Linear:
    entries, count = linear.entries, len(columns)
    row_ends = entries.nnz + np.cumsum([len(row_columns) for row_columns in columns], dtype=np.intp)
    return replace(
        linear,
        entries=Entries(
            np.concatenate([entries.data, *values]),
            np.concatenate([entries.indices, *columns]),
            np.append(entries.indptr, row_ends),
            (entries.shape[0] + count, entries.shape[1]),
        ),
        row_lower=np.append(linear.row_lower, _filled(lower, count)),
        row_upper=np.append(linear.row_upper, _filled(upper, count)),
    )


def with_differences(linear: Linear, sums: Entries, targets: Floats) -> Linear:
    """Add two columns without a cost and a row for each sum: the amounts above its target, then the amounts below."""
    count, width = len(targets), len(linear.cost)
    numbers = np.arange(count)
    rows = Entries.summed(
        np.concatenate([sums.rows, numbers, numbers]),
        np.concatenate([sums.indices, width + numbers, width + count + numbers]),
        np.concatenate([sums.data, np.full(count, -1.0), np.full(count, 1.0)]),
        (count, width + 2 * count),
    )
    entries = linear.entries
    return replace(
        linear,
        cost=np.concatenate([linear.cost, np.zeros(2 * count)]),
        lower=np.concatenate([linear.lower, np.zeros(2 * count)]),
        upper=np.concatenate([linear.upper, np.full(2 * count, np.inf)]),
        integer=np.concatenate([linear.integer, np.zeros(2 * count, dtype=bool)]),
        entries=Entries(
            np.concatenate([entries.data, rows.data]),
            np.concatenate([entries.indices, rows.indices]),
            np.concatenate([entries.indptr, entries.nnz + rows.indptr[1:]]),
            (entries.shape[0] + count, width + 2 * count),
        ),
        row_lower=np.concatenate([linear.row_lower, targets]),
        row_upper=np.concatenate([linear.row_upper, targets]),
    )


def continuous(linear: Linear) -> Linear:
    return replace(linear, integer=np.zeros(len(linear.cost), dtype=bool))


class Assembly:
    """Builder of a `Linear`, block by block. Blocks keep the order in which they are added."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self._cost: list[Floats] = []
        self._charges: list[tuple[int, float]] = []
        self._lower: list[Floats] = []
        self._upper: list[Floats] = []
        self._integer: list[Mask] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []
        # First row of each block, and its owner: a rule or a part of the model.
        self.owners: list[tuple[int, str]] = []

    def add_columns(self, count: int, cost: ArrayLike = 0.0, upper: ArrayLike = np.inf, integer: bool = False) -> int:
        """Add columns from 0 to `upper`, and return the position of the first."""
        first = self.columns
        self._cost.append(_filled(cost, count))
        self._lower.append(np.zeros(count))
        self._upper.append(_filled(upper, count))
        self._integer.append(np.full(count, integer))
        self.columns += count
        return first

    def charge(self, column: int, cost: float) -> None:
        self._charges.append((column, cost))

    def add_rows(self, count: int, lower: ArrayLike, upper: ArrayLike, owner: str | Sequence[str]) -> int:
        """Add empty rows, with one owner for all or one for each. Return the position of the first."""
        first = self.rows
        self._row_lower.append(_filled(lower, count))
        self._row_upper.append(_filled(upper, count))
        if isinstance(owner, str):
            self.owners.append((first, owner))
        else:
            starts = [i for i in range(count) if not i or owner[i] != owner[i - 1]]
            self.owners.extend((first + i, owner[i]) for i in starts)
        self.rows += count
        return first

    def add_row(self, lower: float, upper: float, owner: str, *sums: tuple[ArrayLike, ArrayLike]) -> int:
        row = self.add_rows(1, lower, upper, owner)
        for columns, coefficients in sums:
            self.add_entries(row, columns, coefficients)
        return row

    def upper(self) -> Floats:
        return _joined(self._upper)

    def add_entries(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        row, column = np.asarray(rows, dtype=np.intp), np.asarray(columns, dtype=np.intp)
        value = np.asarray(values, dtype=np.float64)
        if not row.shape == column.shape == value.shape:
            row, column, value = np.broadcast_arrays(row, column, value)
        self._entries.append((compact(row.ravel(), self.rows), compact(column.ravel(), self.columns), value.ravel()))

    def linear(self, constant: float = 0.0) -> Linear:
        """Return the program, and drop the columns and rows added."""
        cost = _taken(self._cost)
        for charged_column, amount in self._charges:
            cost[charged_column] += amount
        return Linear(
            cost=cost,
            lower=_taken(self._lower),
            upper=_taken(self._upper),
            integer=_taken(self._integer).astype(bool),
            entries=Entries.of_blocks(self._entries, (self.rows, self.columns)),
            row_lower=_taken(self._row_lower),
            row_upper=_taken(self._row_upper),
            constant=constant,
        )


def owners_of(owners: Sequence[tuple[int, str]], rows: ArrayLike) -> list[str]:
    """Return the owner of each row, given the first row and the owner of every block."""
    starts = [first for first, _ in owners]
    return [owners[block][1] for block in np.searchsorted(starts, rows, side="right") - 1]


def _positions(rows: Ints, columns: Ints, width: int) -> Ints:
    positions = rows.astype(np.intp)
    positions *= width
    positions += columns
    return positions


def _filled(value: ArrayLike, count: int) -> Floats:
    array = np.empty(count)
    array[:] = value
    return array


def joined(blocks: Sequence[Ints]) -> Ints:
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.intp)


def _joined(blocks: Sequence[NDArray[np.generic]]) -> NDArray[np.float64]:
    return np.concatenate(blocks) if blocks else np.empty(0)


def _taken(blocks: list[Any]) -> NDArray[Any]:
    whole = _joined(blocks)
    blocks.clear()
    return whole


def _none() -> Ints:
    return joined([])


@dataclass(slots=True)
class Columns:
    """Positions of the columns of each kind."""

    buy: Ints = field(default_factory=_none)
    """Ascending, in order of `buy_move`."""
    buy_move: Ints = field(default_factory=_none)
    buy_compliance_class: Ints = field(default_factory=_none)
    buy_licenses: dict[int, tuple[str, ...]] = field(default_factory=dict)
    """Position in `buy` -> licenses that it draws on. Only for those with some."""
    make: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(offer, compliance class or -1, order period) -> column: units made of an offer with several outputs."""
    transfer: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)
    """(offer, output, order period, from compliance class, to compliance class) -> column."""
    stock: dict[tuple[int, int], int] = field(default_factory=dict)
    """(node, compliance class) -> first of its columns, one per period."""
    deliver: list[int] = field(default_factory=list)
    deliver_key: list[tuple[int, int, int, tuple[str, ...]]] = field(default_factory=list)
    """Demand, period, compliance class, and waivers of each delivery."""
    late: dict[tuple[int, int, int, date], int] = field(default_factory=dict)
    """(demand, compliance class, period, arrival day) -> column: use from that day to the next arrival."""
    short: int = 0
    """First of the shortage columns, demands x periods."""
    rest: dict[int, int] = field(default_factory=dict)
    """Lot -> column: its unallocated part."""
    onboard: dict[int, int] = field(default_factory=dict)
    """Offer -> binary variable: it is used at all. Only for offers with an onboarding cost or a commitment."""
    lot: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, order period) -> integer variable: number of lots ordered."""
    placed: dict[int, int] = field(default_factory=dict)
    """Term span -> binary variable: anything is ordered in it."""
    untaken: dict[int, int] = field(default_factory=dict)
    """Commitment -> column: its untaken units."""
    order: dict[tuple[int, int], int] = field(default_factory=dict)
    tier: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """(price span, tier, offer or -1, order period or -1) -> column: purchases in this tier."""
    tier_reached: dict[tuple[int, int], int] = field(default_factory=dict)
    """(price span, tier) -> binary variable: the span ends in this tier."""
    list_money: dict[int, int] = field(default_factory=dict)
    """Price span -> column: money at list prices, if the prices of tiers replace them."""
    savings: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    """Price span -> columns, with the undiscounted money that a unit of each saves."""
    priced: dict[int, dict[int, Decimal]] = field(default_factory=dict)
    """Price span -> columns that it sums, with the weight of a unit of each."""
    below_costlier_tier: set[tuple[int, int]] = field(default_factory=set)
    """(price span, tier) whose next tier is more expensive where it begins. A plan in this tier must stay below it."""


class Units(Mapping[tuple[int, int], list[int]]):
    """Columns counted in units of an offer, by (offer, order period). Only pairs with a column have an entry."""

    def __init__(self, offers: int, periods: int) -> None:
        self._cells = offers * periods
        self._periods = periods
        self._blocks: list[tuple[Ints, Ints]] = []
        self._table: tuple[Ints, Ints] | None = None

    def add(self, offers: Ints, periods: Ints, columns: Ints) -> None:
        """Add columns, each to the cell of an offer and a period. They must be newer than all before."""
        self._blocks.append((compact(offers * self._periods + periods), compact(columns)))
        self._table = None

    def of(self, cells: Ints) -> tuple[Ints, Ints]:
        """Return the columns of some cells, one cell after the other, and the index in `cells` of each column."""
        first, columns = self._sorted()
        begins, ends = first[cells], first[cells + 1]
        return columns[ranges(begins, ends)], np.repeat(np.arange(len(cells)), ends - begins)

    def _sorted(self) -> tuple[Ints, Ints]:
        if self._table is None:
            cells = joined([cells for cells, _ in self._blocks])
            columns = joined([columns for _, columns in self._blocks])
            self._blocks = [(cells, columns)]
            order = np.argsort(cells, kind="stable")  # columns ascend as they are added
            self._table = np.searchsorted(cells[order], np.arange(self._cells + 1)), columns[order]
        return self._table

    def __getitem__(self, key: tuple[int, int]) -> list[int]:
        offer, t = key
        cell = offer * self._periods + t
        first, columns = self._sorted()
        start, end = first[cell : cell + 2]
        if start == end:
            raise KeyError(key)
        columns_of_cell: list[int] = columns[start:end].tolist()
        return columns_of_cell

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return (divmod(cell, self._periods) for cell in np.flatnonzero(np.diff(self._sorted()[0])).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(np.diff(self._sorted()[0])))
