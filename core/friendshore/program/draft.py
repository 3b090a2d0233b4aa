"""A program in the making: what the parts of the compiler share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..problem import Problem
from ..problem.network import Node
from .bounds import ROUNDING, Bounds
from .columns import Columns, Units
from .limits import LimitRows
from .matrix import Assembly, Floats, Ints

Cell = tuple[int, int]
"""Offer and order period."""


class Draft:
    """Columns and rows so far, and what later parts need to find among them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        self.assembly = Assembly()
        self.columns = Columns()
        self.limits = LimitRows.ask(problem)
        self.bounds = Bounds.of(problem, self.limits)
        self.units = Units(len(problem.offers), self.count)
        """(offer, order period) -> columns counted in its units."""
        self._switches: dict[tuple[tuple[Cell, ...], frozenset[str]], int] = {}

    @cached_property
    def node_index(self) -> dict[Node, int]:
        """Position of every node."""
        return {node: i for i, node in enumerate(self.problem.network.nodes)}

    @cached_property
    def discount(self) -> Floats:
        """What money of each period counts for."""
        return np.array([float(d) for d in self.problem.discount])

    def periods_of(self, offer: int) -> list[int]:
        """Periods in which an offer may be ordered at all."""
        return [t for t in range(self.count) if (offer, t) in self.units]

    @cached_property
    def _place(self) -> dict[int, str]:
        """Place that every buying column leads to."""
        arcs, moves = self.problem.network.arcs, self.problem.moves
        found = zip(self.columns.buy.tolist(), moves.arc[self.columns.buy_move].tolist(), strict=True)
        return {column: arcs[arc].node[1] for column, arc in found}

    def ordering(self, cells: Iterable[Cell], places: frozenset[str] = frozenset()) -> dict[Cell, list[int]]:
        """Columns counted in units of offers, by offer and order period; only those that lead to `places`, if any are named."""
        found = {cell: self.units[cell] for cell in cells if cell in self.units}
        if places:
            found = {cell: [c for c in columns if self._place[c] in places] for cell, columns in found.items()}
        return {cell: columns for cell, columns in found.items() if columns}

    def switch(
        self, cells: Iterable[Cell], owner: str, cost: float = 0.0, places: frozenset[str] = frozenset()
    ) -> int | None:
        """A 0/1 column that is 1 if anything is ordered of some offers in some periods; None if nothing can be.

        Whoever asks for the same cells and places gets the same column, and adds its cost.

        Args:
            cells: offers and order periods.
            owner: who asks for it.
            cost: what it costs that it is 1.
            places: only orders that lead there; none: all.
        """
        found = self.ordering(cells, places)
        if not found:
            return None
        key = (tuple(found), places)
        if key not in self._switches:
            self._switches[key] = self.assembly.add_columns(1, 0.0, 1.0, integer=True)
            row = self.assembly.add_rows(len(found), -np.inf, 0.0, owner)
            for i, (cell, columns) in enumerate(found.items()):
                self.assembly.add_entries(row + i, columns, 1.0)
                self.assembly.add_entries(row + i, self._switches[key], -self.bounds.units[cell])
        if cost:
            self.assembly.charge(self._switches[key], cost)
        return self._switches[key]

    def at_most(self, columns: Iterable[int], coefficients: ArrayLike, most: float, owner: str) -> None:
        """Adds one row: the weighted columns come to no more than `most`."""
        row = self.assembly.add_rows(1, -np.inf, most, owner)
        self.assembly.add_entries(row, list(columns), coefficients)

    def all_at_most(
        self, group: Ints, columns: Ints, coefficients: Floats, most: Floats, owner: Callable[[int], str]
    ) -> None:
        """Adds a row for every group: its weighted columns come to no more than its `most`.

        A group without a column or without a limit gets none; nor does one whose only column cannot exceed it by its own
        upper bound (see docs/decisions/solving.md).

        Args:
            group: the group that each entry belongs to.
            columns: the column of each entry.
            coefficients: its weight, above zero.
            most: the most of each group; infinite where there is no limit.
            owner: who asks for the row of a group.
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
