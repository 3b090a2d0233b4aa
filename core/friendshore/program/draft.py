"""Program under construction, shared by the parts of the compiler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..problem import Problem
from ..problem.demands import Demand
from .bounds import ROUNDING, Bounds
from .limits import LimitRows
from .matrix import Assembly, Columns, Floats, Ints, Units

_ANYWHERE: frozenset[str] = frozenset()


class ProgramDraft:
    """Columns and rows so far, and lookups for later parts."""

    def __init__(
        self,
        problem: Problem,
        wanted: Sequence[Demand] = (),
        bounds: Bounds | None = None,
        known: int | None = None,
    ) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        self.assembly = Assembly()
        self.columns = Columns()
        self.limits = LimitRows(problem.limit_rows)
        self.bounds = Bounds.of(problem, self.limits.forces, wanted, known) if bounds is None else bounds
        self.units = Units(len(problem.offers), self.count)
        self._switches: dict[tuple[tuple[int, ...], frozenset[str]], int] = {}

    @cached_property
    def discount(self) -> Floats:
        """Discount factor of each period."""
        return np.array([float(d) for d in self.problem.discount])

    @cached_property
    def _place(self) -> dict[int, str]:
        """Destination of every buying column."""
        arcs, moves = self.problem.network.arcs, self.problem.moves
        found = zip(self.columns.buy.tolist(), moves.arc[self.columns.buy_move].tolist(), strict=True)
        return {column: arcs[arc].node[1] for column, arc in found}

    def ordering(
        self, offers: Sequence[int], periods: Sequence[int], places: frozenset[str] = frozenset()
    ) -> tuple[Ints, Ints, Ints]:
        """Return the orders of some offers in some periods, only to `places` if not empty.

        Returns:
            The cells (offer x period) in which orders are possible, the columns counted in units of the offers, and the index of each column's cell.
        """
        cells = (np.array(offers, dtype=np.intp)[:, None] * self.count + np.array(periods, dtype=np.intp)).ravel()
        columns, entry = self.units.of(cells)
        if places:
            there = np.array([self._place[column] in places for column in columns.tolist()], dtype=bool)
            columns, entry = columns[there], entry[there]
        kept, entry = np.unique(entry, return_inverse=True)
        return cells[kept], columns, entry

    def switch(
        self,
        offers: Sequence[int],
        periods: Sequence[int],
        owner: str,
        cost: float = 0.0,
        places: frozenset[str] = frozenset(),
    ) -> int | None:
        """Return a binary variable that is 1 if anything is ordered of some offers in some periods, only to `places` if not empty.

        None if no order is possible. Calls for the same orders return the same column and add up its costs.
        """
        cells, columns, entry = self.ordering(offers, periods, places)
        if not len(cells):
            return None
        key = (tuple(cells.tolist()), places)
        if key not in self._switches:
            self._switches[key] = self.assembly.add_columns(1, 0.0, 1.0, integer=True)
            self._link(cells, columns, entry, np.full(len(cells), self._switches[key]), [owner] * len(cells))
        if cost:
            self.assembly.charge(self._switches[key], cost)
        return self._switches[key]

    def switches(self, cells: Ints, owners: Sequence[str]) -> Ints:
        """Return a binary variable like that of `switch` for each cell (offer x period). Each cell must allow orders."""
        keys = [((cell,), _ANYWHERE) for cell in cells.tolist()]
        new = np.array([key not in self._switches for key in keys], dtype=bool)
        count = int(new.sum())
        if count:
            made = self.assembly.add_columns(count, 0.0, 1.0, integer=True) + np.arange(count)
            asked = [owner for owner, missing in zip(owners, new, strict=True) if missing]
            self._link(cells[new], *self.units.of(cells[new]), made, asked)
            self._switches |= zip((keys[i] for i in np.flatnonzero(new)), made.tolist(), strict=True)
        return np.array([self._switches[key] for key in keys], dtype=np.intp)

    def _link(self, cells: Ints, columns: Ints, entry: Ints, switch: Ints, owners: Sequence[str]) -> None:
        """Limit the order of each cell to its bound if its binary variable is 1, and to zero if it is 0.

        Add a row for all columns of a cell, with the bound of the order. Add one for each column with a tighter bound from its place.
        Omit the first row if the others imply it.
        """
        most = self.bounds.units.ravel()[cells]
        each = np.minimum(self.most_of(columns), most[entry])
        several = np.bincount(entry, minlength=len(cells)) > 1
        joint = several & (np.bincount(entry, weights=each, minlength=len(cells)) > most * ROUNDING)
        apart = np.flatnonzero(~joint[entry] | (each < most[entry]))
        together = np.flatnonzero(joint)
        row = self.assembly.add_rows(len(together), -np.inf, 0.0, [owners[cell] for cell in together.tolist()])
        kept = joint[entry]
        self.assembly.add_entries(row + (np.cumsum(joint) - 1)[entry[kept]], columns[kept], 1.0)
        self.assembly.add_entries(row + np.arange(len(together)), switch[together], -most[together])
        row = self.assembly.add_rows(len(apart), -np.inf, 0.0, [owners[cell] for cell in entry[apart].tolist()])
        single = row + np.arange(len(apart))
        self.assembly.add_entries(single, columns[apart], 1.0)
        self.assembly.add_entries(single, switch[entry[apart]], -each[apart])

    def most_of(self, columns: Ints) -> Floats:
        """Return the maximum of each column counted in units, from the material that its place can still take. Infinite if it leads to several places."""
        buy = self.columns.buy
        found: Floats = np.full(len(columns), np.inf)
        if len(buy):
            position = np.minimum(np.searchsorted(buy, columns), len(buy) - 1)
            bought = buy[position] == columns
            found[bought] = self.bounds.taken(self.columns.buy_move[position[bought]])
        return found

    def at_most(self, columns: Iterable[int], coefficients: ArrayLike, most: float, owner: str) -> None:
        """Add one row: the weighted columns sum to at most `most`."""
        self.assembly.add_row(-np.inf, most, owner, (list(columns), coefficients))

    def all_at_most(
        self, group: Ints, columns: Ints, coefficients: Floats, most: Floats, owner: Callable[[int], str]
    ) -> None:
        """Add a row for every group: its weighted columns sum to at most its `most`.

        A group without a column or without a limit gets no row. Neither does one whose only column can't exceed the limit by its own
        upper bound (see docs/decisions/solving.md).

        Args:
            group: Group of each entry.
            columns: Column of each entry.
            coefficients: Weight of each entry, above zero.
            most: Maximum of each group. Infinite if there is no limit.
            owner: Function that returns the owner of a group's row.
        """
        entries = np.bincount(group, minlength=len(most))
        reach = np.bincount(group, weights=coefficients * self.assembly.upper()[columns], minlength=len(most))
        implied = (entries == 1) & (reach <= most * ROUNDING)
        wanted = np.isfinite(most) & (entries > 0) & ~implied
        found = np.flatnonzero(wanted)
        first = self.assembly.add_rows(len(found), -np.inf, most[found], [owner(i) for i in found.tolist()])
        row = first + np.cumsum(wanted) - 1
        kept = wanted[group]
        self.assembly.add_entries(row[group[kept]], columns[kept], coefficients[kept])
