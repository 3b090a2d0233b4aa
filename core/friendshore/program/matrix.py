"""Columns and rows collected as arrays: the only place that knows how a linear program is laid out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..problem.network import ranges

if TYPE_CHECKING:
    import scipy.sparse as sp

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Entries:
    """Coefficients row by row: those of row i are `data[indptr[i]:indptr[i + 1]]`, in the columns `indices` of the same places.

    What `scipy.sparse.csr_matrix` keeps, with as much of its algebra as every plan needs: to import scipy's takes longer than
    to solve a small case.
    """

    data: Floats
    indices: Ints
    indptr: Ints
    shape: tuple[int, int]

    @classmethod
    def of(cls, matrix: sp.spmatrix) -> Entries:
        """Those of a matrix of scipy."""
        rows = matrix.tocsr()
        return cls(rows.data, rows.indices.astype(np.intp), rows.indptr.astype(np.intp), rows.shape)

    @classmethod
    def summed(cls, rows: Ints, columns: Ints, values: Floats, shape: tuple[int, int]) -> Entries:
        """Coefficients given in any order; those of the same place are added up, and left out where that is zero."""
        place = rows * shape[1]
        place += columns
        order = np.argsort(place, kind="stable")
        place = place[order]
        data = values[order]
        other = place[1:] != place[:-1]
        if not other.all():
            first = np.concatenate([[0], np.flatnonzero(other) + 1])
            data, order = np.add.reduceat(data, first), order[first]
        if not data.all():
            order, data = order[data != 0], data[data != 0]
        row = rows if len(order) == len(rows) else rows[order]
        indptr = np.concatenate([[0], np.cumsum(np.bincount(row, minlength=shape[0]))])
        return cls(data, columns[order], indptr, shape)

    @property
    def nnz(self) -> int:
        """How many there are."""
        return len(self.data)

    @property
    def rows(self) -> Ints:
        """The row of each."""
        return np.repeat(np.arange(self.shape[0]), self.counts)

    @property
    def counts(self) -> Ints:
        """How many each row has."""
        return self.indptr[1:] - self.indptr[:-1]

    def __getitem__(self, rows: Ints | Mask) -> Entries:
        """Those of some rows, in the order given."""
        first, count = self.indptr[:-1][rows], np.diff(self.indptr)[rows]
        indptr = np.concatenate([[0], np.cumsum(count)])
        kept = np.repeat(first - indptr[:-1], count) + np.arange(indptr[-1])
        return Entries(self.data[kept], self.indices[kept], indptr, (len(count), self.shape[1]))

    def __matmul__(self, x: Floats) -> Floats:
        sums = np.bincount(self.rows, self.data * x[self.indices], minlength=self.shape[0])
        return sums.astype(np.float64, copy=False)

    def weighed(self, weights: Floats) -> Floats:
        """Return the sum of each column, its rows weighed."""
        sums = np.bincount(self.indices, self.data * weights[self.rows], minlength=self.shape[1])
        return sums.astype(np.float64, copy=False)

    def within(self, columns: Ints) -> Entries:
        """Those of some columns, which are counted in the order given."""
        position = np.full(self.shape[1], -1)
        position[columns] = np.arange(len(columns))
        place = position[self.indices]
        kept = place >= 0
        return Entries.summed(self.rows[kept], place[kept], self.data[kept], (self.shape[0], len(columns)))

    def transposed(self) -> Entries:
        """The same column by column: rows and columns change places."""
        order = np.argsort(self.indices, kind="stable")
        indptr = np.searchsorted(self.indices[order], np.arange(self.shape[1] + 1))
        return Entries(self.data[order], self.rows[order], indptr, self.shape[::-1])


@dataclass(frozen=True, slots=True, eq=False)
class Linear:
    """minimise `cost @ x + constant` subject to `row_lower <= entries @ x <= row_upper`, `lower <= x <= upper`, some x whole."""

    cost: Floats
    lower: Floats
    upper: Floats
    integer: Mask
    entries: Entries
    row_lower: Floats
    row_upper: Floats
    constant: float = 0.0

    def value(self, x: Floats) -> float:
        """Return the objective of a plan."""
        return float(self.cost @ x) + self.constant

    @property
    def cheapest(self) -> Floats:
        """Each column at the end that costs least; infinite if its cost falls without limit."""
        ends: Floats = np.where(self.cost < 0, self.upper, self.lower)
        return ends

    def reduced(self, duals: Floats) -> Floats:
        """Return the reduced cost of each column: its cost less what it earns at the duals of the rows."""
        return self.cost - self.entries.weighed(duals)

    def of_rows(self, rows: Ints | Mask) -> Linear:
        """Return the same program with some of its rows."""
        return replace(self, entries=self.entries[rows], row_lower=self.row_lower[rows], row_upper=self.row_upper[rows])

    @property
    def matrix(self) -> sp.csr_matrix:
        """The coefficients for scipy, all of whose algebra is loaded with it."""
        from scipy.sparse import csr_matrix  # slow to import, and few plans need it

        return csr_matrix((self.entries.data, self.entries.indices, self.entries.indptr), self.entries.shape)


def capped(linear: Linear, cost: Floats, most: float) -> Linear:
    """The same program with one row more: `cost @ x` is no more than `most`."""
    used = np.flatnonzero(cost)
    return with_rows(linear, [used], [cost[used]], -np.inf, most)


def with_rows(
    linear: Linear,
    columns: Sequence[Ints] | Ints,
    values: Sequence[Floats] | Floats,
    lower: ArrayLike,
    upper: ArrayLike,
) -> Linear:
    """The same program with more rows after its own.

    Args:
        linear: the program.
        columns: the columns of each new row.
        values: their coefficients.
        lower: the ends of the new rows, one for each or one for all.
        upper: likewise.
    """
    entries, count = linear.entries, len(columns)
    ends = entries.nnz + np.cumsum([len(one) for one in columns], dtype=np.intp)
    return replace(
        linear,
        entries=Entries(
            np.concatenate([entries.data, *values]),
            np.concatenate([entries.indices, *columns]),
            np.append(entries.indptr, ends),
            (entries.shape[0] + count, entries.shape[1]),
        ),
        row_lower=np.append(linear.row_lower, _filled(lower, count)),
        row_upper=np.append(linear.row_upper, _filled(upper, count)),
    )


def with_differences(linear: Linear, sums: Entries, to: Floats) -> Linear:
    """Add two columns and a row for each sum of columns: by how much more, and how much less, it is than a value.

    Args:
        linear: The program.
        sums: Coefficients of each sum, in the columns of the program.
        to: Value of each sum. The new columns have no cost: first those for more, then those for less.
    """
    count, wide = len(to), len(linear.cost)
    each = np.arange(count)
    rows = Entries.summed(
        np.concatenate([sums.rows, each, each]),
        np.concatenate([sums.indices, wide + each, wide + count + each]),
        np.concatenate([sums.data, np.full(count, -1.0), np.full(count, 1.0)]),
        (count, wide + 2 * count),
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
            (entries.shape[0] + count, wide + 2 * count),
        ),
        row_lower=np.concatenate([linear.row_lower, to]),
        row_upper=np.concatenate([linear.row_upper, to]),
    )


def continuous(linear: Linear) -> Linear:
    """The same program with integrality left aside: its linear relaxation."""
    return replace(linear, integer=np.zeros(len(linear.cost), dtype=bool))


class Assembly:
    """Grows a `Linear` block by block; blocks keep the order in which they are added."""

    def __init__(self) -> None:
        self.columns = 0
        self.rows = 0
        self._cost: list[Floats] = []
        self._charged: list[tuple[int, float]] = []
        self._lower: list[Floats] = []
        self._upper: list[Floats] = []
        self._integer: list[Mask] = []
        self._entries: list[tuple[Ints, Ints, Floats]] = []
        self._row_lower: list[Floats] = []
        self._row_upper: list[Floats] = []
        self.owners: list[tuple[int, str]] = []
        """First row of each block of rows, with the rule or part of the model that asked for it."""

    def add_columns(self, count: int, cost: ArrayLike = 0.0, upper: ArrayLike = np.inf, integer: bool = False) -> int:
        """Adds columns from 0 to `upper`; returns the position of the first."""
        first = self.columns
        self._cost.append(_filled(cost, count))
        self._lower.append(np.zeros(count))
        self._upper.append(_filled(upper, count))
        self._integer.append(np.full(count, integer))
        self.columns += count
        return first

    def charge(self, column: int, cost: float) -> None:
        """Adds to the cost of a column."""
        self._charged.append((column, cost))

    def add_rows(self, count: int, lower: ArrayLike, upper: ArrayLike, owner: str | Sequence[str]) -> int:
        """Adds empty rows, with one owner for all or one for each; returns the position of the first."""
        first = self.rows
        self._row_lower.append(_filled(lower, count))
        self._row_upper.append(_filled(upper, count))
        if isinstance(owner, str):
            self.owners.append((first, owner))
        else:
            changes = [i for i in range(count) if not i or owner[i] != owner[i - 1]]
            self.owners.extend((first + i, owner[i]) for i in changes)
        self.rows += count
        return first

    def add_row(self, lower: float, upper: float, owner: str, *sums: tuple[ArrayLike, ArrayLike]) -> int:
        """Add one row, the sum of columns with their coefficients; return its position."""
        row = self.add_rows(1, lower, upper, owner)
        for columns, coefficients in sums:
            self.add_entries(row, columns, coefficients)
        return row

    def upper(self) -> Floats:
        """Upper bounds of all columns so far."""
        return _joined(self._upper)

    def add_entries(self, rows: ArrayLike, columns: ArrayLike, values: ArrayLike) -> None:
        """Adds coefficients; scalars are spread."""
        row, column, value = np.broadcast_arrays(
            np.asarray(rows, dtype=np.intp), np.asarray(columns, dtype=np.intp), np.asarray(values, dtype=np.float64)
        )
        self._entries.append((row.ravel(), column.ravel(), value.ravel()))

    def linear(self, constant: float = 0.0) -> Linear:
        """The finished program; coefficients of the same place are added up."""
        row, column = joined([row for row, _, _ in self._entries]), joined([column for _, column, _ in self._entries])
        value = _joined([value for _, _, value in self._entries])
        self._entries = [(row, column, value)]  # the blocks take as much memory again
        cost = _joined(self._cost)
        for charged, money in self._charged:
            cost[charged] += money
        return Linear(
            cost=cost,
            lower=_joined(self._lower),
            upper=self.upper(),
            integer=_joined(self._integer).astype(bool),
            entries=Entries.summed(row, column, value, (self.rows, self.columns)),
            row_lower=_joined(self._row_lower),
            row_upper=_joined(self._row_upper),
            constant=constant,
        )


def owners_of(owners: Sequence[tuple[int, str]], rows: ArrayLike) -> list[str]:
    """Who asked for each of some rows, given the first row of every block and who asked for it."""
    starts = [first for first, _ in owners]
    return [owners[block][1] for block in np.searchsorted(starts, rows, side="right") - 1]


def _filled(value: ArrayLike, count: int) -> Floats:
    array = np.empty(count)
    array[:] = value
    return array


def joined(blocks: Sequence[Ints]) -> Ints:
    """Blocks of positions, one after the other."""
    return np.concatenate(blocks) if blocks else np.empty(0, dtype=np.intp)


def _joined(blocks: Sequence[NDArray[np.generic]]) -> NDArray[np.float64]:
    return np.concatenate(blocks) if blocks else np.empty(0)


def _none() -> Ints:
    return joined([])


@dataclass(slots=True)
class Columns:
    """Where the columns of each kind begin, and what each of them is about."""

    buy: Ints = field(default_factory=_none)
    """Positions of the columns that buy, ascending, in order of `buy_move`."""
    buy_move: Ints = field(default_factory=_none)
    buy_compliance_class: Ints = field(default_factory=_none)
    buy_licences: list[tuple[str, ...]] = field(default_factory=list)
    make: dict[tuple[int, int, int], int] = field(default_factory=dict)
    """(offer, compliance class or -1, order period) -> column: units made of an offer with several outputs."""
    transfer: dict[tuple[int, int, int, int, int], int] = field(default_factory=dict)
    """(offer, output, order period, from compliance class, to compliance class) -> column."""
    stock: dict[tuple[int, int], int] = field(default_factory=dict)
    """(node, compliance class) -> first of one column a period."""
    deliver: list[int] = field(default_factory=list)
    deliver_key: list[tuple[int, int, int, tuple[str, ...]]] = field(default_factory=list)
    """Demand, period, compliance class, waivers."""
    late: dict[tuple[int, int, int, date], int] = field(default_factory=dict)
    """(demand, compliance class, period, day on which an open order arrives) -> column: what is used from that day to the next such one."""
    short: int = 0
    """First of demands x periods."""
    rest: dict[int, int] = field(default_factory=dict)
    """Lot -> column: what of it nobody takes."""
    onboard: dict[int, int] = field(default_factory=dict)
    """Offer -> binary variable: it is used at all; only where that costs something."""
    lot: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, order period) -> integer variable: how many lots are ordered."""
    placed: dict[int, int] = field(default_factory=dict)
    """Term span -> binary variable: anything is ordered in it."""
    untaken: dict[int, int] = field(default_factory=dict)
    """Commitment -> column: units of it that are not taken."""
    order: dict[tuple[int, int], int] = field(default_factory=dict)
    """(offer, order period) -> binary variable."""
    tier: dict[tuple[int, int, int, int], int] = field(default_factory=dict)
    """(price span, tier, offer or -1, order period or -1) -> column: what is bought in this tier."""
    tier_reached: dict[tuple[int, int], int] = field(default_factory=dict)
    """(price span, tier) -> binary variable: the span ends in this tier."""
    list_money: dict[int, int] = field(default_factory=dict)
    """Price span -> column: money at list prices, where tiers give prices of their own in its place."""
    settled: dict[int, list[tuple[int, float]]] = field(default_factory=dict)
    """Price span -> columns, with the undiscounted money that one of each takes off."""
    priced: dict[int, dict[int, Decimal]] = field(default_factory=dict)
    """Price span -> columns that are added up in it, with what a unit of each counts for."""
    below_dearer: set[tuple[int, int]] = field(default_factory=set)
    """(price span, tier): the next tier costs more where it begins, so that a plan in this tier has to stay below that."""


class Units(Mapping[tuple[int, int], list[int]]):
    """(offer, order period) -> columns counted in units of the offer; only pairs with a column have an entry.

    Kept as two arrays: `columns[first[k]:first[k + 1]]` are those of cell `k = offer * periods + period`.
    """

    def __init__(self, offers: int, periods: int) -> None:
        self._cells = offers * periods
        self._periods = periods
        self._blocks: list[tuple[Ints, Ints]] = []
        self._table: tuple[Ints, Ints] | None = None

    def add(self, offers: Ints, periods: Ints, columns: Ints) -> None:
        """Adds columns, newer than all before, each to the cell of an offer and a period."""
        self._blocks.append((offers * self._periods + periods, columns))
        self._table = None

    def of(self, cells: Ints) -> tuple[Ints, Ints]:
        """Return the columns of some cells, one cell after the other, and which of `cells` each column is in."""
        first, columns = self._sorted()
        begins, ends = first[cells], first[cells + 1]
        return columns[ranges(begins, ends)], np.repeat(np.arange(len(cells)), ends - begins)

    def _sorted(self) -> tuple[Ints, Ints]:
        if self._table is None:
            cells = joined([cells for cells, _ in self._blocks])
            columns = joined([columns for _, columns in self._blocks])
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
        found: list[int] = columns[start:end].tolist()
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return (divmod(cell, self._periods) for cell in np.flatnonzero(np.diff(self._sorted()[0])).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(np.diff(self._sorted()[0])))
