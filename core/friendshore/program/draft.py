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
    """Columns and rows added so far."""

    def __init__(
        self,
        problem: Problem,
        bounding_demands: Sequence[Demand] = (),
        bounds: Bounds | None = None,
        known: int | None = None,
    ) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        self.assembly = Assembly()
        self.columns = Columns()
        self.limits = LimitRows(problem.limit_rows)
        self.bounds = (
            Bounds.of(problem, self.limits.may_exceed_need, bounding_demands, known) if bounds is None else bounds
        )
        self.units = Units(len(problem.offers), self.count)
        self._switches: dict[tuple[tuple[int, ...], frozenset[str]], int] = {}

    @cached_property
    def discount(self) -> Floats:
        return np.array([float(d) for d in self.problem.discount])

    @cached_property
    def _place(self) -> dict[int, str]:
        arcs, moves = self.problem.network.arcs, self.problem.moves
        placed_columns = zip(self.columns.buy.tolist(), moves.arc[self.columns.buy_move].tolist(), strict=True)
        return {column: arcs[arc].node[1] for column, arc in placed_columns}

    def ordering(
        self, offers: Sequence[int], periods: Sequence[int], places: frozenset[str] = frozenset()
    ) -> tuple[Ints, Ints, Ints]:
        """Return the cells (offer x period) in which orders are possible, the columns counted in units of the offers, and each column's cell."""
        cells = (np.array(offers, dtype=np.intp)[:, None] * self.count + np.array(periods, dtype=np.intp)).ravel()
        columns, entry = self.units.of(cells)
        if places:
            to_places = np.array([self._place[column] in places for column in columns.tolist()], dtype=bool)
            columns, entry = columns[to_places], entry[to_places]
        used, entry = np.unique(entry, return_inverse=True)
        return cells[used], columns, entry

    def switch(
        self,
        offers: Sequence[int],
        periods: Sequence[int],
        owner: str,
        cost: float = 0.0,
        places: frozenset[str] = frozenset(),
    ) -> int | None:
        """Return a binary variable that is 1 if anything is ordered of `offers` in `periods`, to any of `places` (empty: all). Equal calls share it. None if impossible."""
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
        """Return a binary variable like that of `switch` for each cell. Each cell must allow orders."""
        keys = [((cell,), _ANYWHERE) for cell in cells.tolist()]
        new = np.array([key not in self._switches for key in keys], dtype=bool)
        count = int(new.sum())
        if count:
            columns = self.assembly.add_columns(count, 0.0, 1.0, integer=True) + np.arange(count)
            new_owners = [owner for owner, is_new in zip(owners, new, strict=True) if is_new]
            self._link(cells[new], *self.units.of(cells[new]), columns, new_owners)
            self._switches |= zip((keys[i] for i in np.flatnonzero(new)), columns.tolist(), strict=True)
        return np.array([self._switches[key] for key in keys], dtype=np.intp)

    def _link(self, cells: Ints, columns: Ints, entry: Ints, switch: Ints, owners: Sequence[str]) -> None:
        """Limit the order of each cell to its bound times its binary variable. Columns with a tighter bound from their place have their own rows."""
        order_bound = self.bounds.units.ravel()[cells]
        column_bound = np.minimum(self.max_of(columns), order_bound[entry])
        has_several = np.bincount(entry, minlength=len(cells)) > 1
        needs_row = has_several & (
            np.bincount(entry, weights=column_bound, minlength=len(cells)) > order_bound * ROUNDING
        )
        single_columns = np.flatnonzero(~needs_row[entry] | (column_bound < order_bound[entry]))
        joint_cells = np.flatnonzero(needs_row)
        row = self.assembly.add_rows(len(joint_cells), -np.inf, 0.0, [owners[cell] for cell in joint_cells.tolist()])
        in_joint = needs_row[entry]
        self.assembly.add_entries(row + (np.cumsum(needs_row) - 1)[entry[in_joint]], columns[in_joint], 1.0)
        self.assembly.add_entries(row + np.arange(len(joint_cells)), switch[joint_cells], -order_bound[joint_cells])
        row = self.assembly.add_rows(
            len(single_columns), -np.inf, 0.0, [owners[cell] for cell in entry[single_columns].tolist()]
        )
        single_rows = row + np.arange(len(single_columns))
        self.assembly.add_entries(single_rows, columns[single_columns], 1.0)
        self.assembly.add_entries(single_rows, switch[entry[single_columns]], -column_bound[single_columns])

    def max_of(self, columns: Ints) -> Floats:
        """Return the maximum of each column counted in units. Infinite if the column leads to several places."""
        buy = self.columns.buy
        max_units: Floats = np.full(len(columns), np.inf)
        if len(buy):
            position = np.minimum(np.searchsorted(buy, columns), len(buy) - 1)
            is_buying = buy[position] == columns
            max_units[is_buying] = self.bounds.max_taken_kg(self.columns.buy_move[position[is_buying]])
        return max_units

    def at_most(self, columns: Iterable[int], coefficients: ArrayLike, limit: float, owner: str) -> None:
        self.assembly.add_row(-np.inf, limit, owner, (list(columns), coefficients))

    def all_at_most(
        self, group_of_entry: Ints, columns: Ints, coefficients: Floats, limits: Floats, owner: Callable[[int], str]
    ) -> None:
        """Add a row for every group of entries: its sum is at most the group's limit. Limits that can't be exceeded get no row (docs/decisions/solving.md)."""
        entry_counts = np.bincount(group_of_entry, minlength=len(limits))
        max_sums = np.bincount(
            group_of_entry, weights=coefficients * self.assembly.upper()[columns], minlength=len(limits)
        )
        is_implied = (entry_counts == 1) & (max_sums <= limits * ROUNDING)
        has_row = np.isfinite(limits) & (entry_counts > 0) & ~is_implied
        groups = np.flatnonzero(has_row)
        first = self.assembly.add_rows(len(groups), -np.inf, limits[groups], [owner(i) for i in groups.tolist()])
        row = first + np.cumsum(has_row) - 1
        in_row = has_row[group_of_entry]
        self.assembly.add_entries(row[group_of_entry[in_row]], columns[in_row], coefficients[in_row])
