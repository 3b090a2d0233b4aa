"""A program in the making: what the parts of the compiler share."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from ..problem import Problem
from ..problem.network import Node
from .bounds import Bounds
from .columns import Columns
from .limits import LimitRows
from .matrix import Assembly, Floats


class Draft:
    """Columns and rows so far, and what later parts need to find among them."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        self.assembly = Assembly()
        self.columns = Columns()
        self.limits = LimitRows.ask(problem)
        self.bounds = Bounds.of(problem, self.limits)
        self.units: dict[tuple[int, int], list[int]] = {}
        """(offer, order period) -> columns counted in its units."""

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
        return [t for t in range(self.count) if self.units.get((offer, t))]

    def at_most(self, columns: Iterable[int], coefficients: ArrayLike, most: float, owner: str) -> None:
        """Adds one row: the weighted columns come to no more than `most`."""
        row = self.assembly.add_rows(1, -np.inf, most, owner)
        self.assembly.add_entries(row, list(columns), coefficients)
