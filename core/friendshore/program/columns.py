"""What each column of the program means: keys in parallel arrays, block by block."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import numpy as np

from .matrix import Ints, joined


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

    @property
    def first(self) -> Ints:
        """Where the columns of each cell begin; one more for the end."""
        return self._sorted()[0]

    @property
    def columns(self) -> Ints:
        """All columns, cell by cell, ascending within each."""
        return self._sorted()[1]

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
        start, end = self.first[cell : cell + 2]
        if start == end:
            raise KeyError(key)
        found: list[int] = self.columns[start:end].tolist()
        return found

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return (divmod(cell, self._periods) for cell in np.flatnonzero(np.diff(self.first)).tolist())

    def __len__(self) -> int:
        return int(np.count_nonzero(np.diff(self.first)))
