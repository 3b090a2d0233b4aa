"""Which moves may be bought for which compliance class, at what cost; and what units take of their inputs."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from operator import add

import numpy as np
from numpy.typing import NDArray

from ..problem import Problem
from ..problem.compliance_classes import Cell, ComplianceClass
from ..problem.decimal_arrays import as_floats, cells
from ..problem.network import Node, ranges
from .matrix import Floats, Ints


class Buying:
    """The table of moves as arrays, and what of it each compliance class admits."""

    def __init__(self, problem: Problem, node_index: dict[Node, int], discount: Floats) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        arcs, moves = problem.network.arcs, problem.moves
        self.offer = np.array([arc.offer for arc in arcs], dtype=np.intp)
        """Offer of every arc; -1 for a lot."""
        self.node = np.array([node_index[arc.node] for arc in arcs], dtype=np.intp)
        """Where every arc leads."""
        self.single = np.array([arc.offer >= 0 and problem.offers[arc.offer].single for arc in arcs], dtype=bool)
        """Whether a kilogram moved along an arc is a unit of its offer."""
        self.discount = discount
        price = cells(moves.prices, self.count, moves.arc, moves.ordered)
        landed = cells(self._landed(), self.count, moves.arc, moves.ordered)
        self.cost: Floats = price * discount[moves.ordered] + landed * discount[moves.delivered]
        """Discounted money per kilogram of every move, where nothing depends on the use."""
        self._price, self._charged = price, landed

    def _landed(self) -> list[tuple[Decimal, ...]]:
        """Charges and freight of every arc by order period; arcs with the same share one tuple."""
        known: dict[tuple[int, int], tuple[Decimal, ...]] = {}
        rows = []
        for charges, freights in zip(self.problem.moves.charges, self.problem.moves.freights, strict=True):
            key = (id(charges), id(freights))
            if key not in known:
                known[key] = tuple(map(add, charges, freights))
            rows.append(known[key])
        return rows

    def block(self, compliance_class: ComplianceClass) -> tuple[Ints, list[tuple[str, ...]], Floats]:
        """Moves that a compliance class admits, in order of node, arc and period, each with the licences it draws on and its cost."""
        moves, network = self.problem.moves, self.problem.network
        arcs = np.array(
            [
                a
                for node in sorted(compliance_class.nodes)
                for a in network.into.get(node, ())
                if a not in compliance_class.blocked
            ],
            dtype=np.intp,
        )
        found = ranges(moves.first[arcs], moves.first[arcs + 1])
        if compliance_class.blocked_cells:
            found = found[~self._arrives(found, compliance_class.blocked_cells)]
        if compliance_class.order_periods is not None and compliance_class.final is not None:
            final = [a for a in network.into.get(compliance_class.final, ()) if network.arcs[a].lot < 0]
            in_time = np.isin(moves.ordered[found], list(compliance_class.order_periods))
            found = found[in_time | ~np.isin(moves.arc[found], final)]
        found, licences = self._licensed(compliance_class, found)
        return found, licences, self._cost(compliance_class, found)

    def _arrives(self, moves: Ints, cells: Iterable[Cell]) -> NDArray[np.bool_]:
        """Which of some moves arrive in one of some cells."""
        wanted = [arc * self.count + arrival for arc, arrival in cells]
        return np.isin(self.problem.moves.arc[moves] * self.count + self.problem.moves.delivered[moves], wanted)

    def _licensed(self, compliance_class: ComplianceClass, moves: Ints) -> tuple[Ints, list[tuple[str, ...]]]:
        """A move that needs licences has one column for every choice of them."""
        if not compliance_class.permits:
            return moves, [()] * len(moves)
        table = self.problem.moves
        choices: list[list[tuple[str, ...]]] = [[()]] * len(moves)
        for position in np.flatnonzero(self._arrives(moves, compliance_class.permits)).tolist():
            cell = (int(table.arc[moves[position]]), int(table.delivered[moves[position]]))
            choices[position] = [tuple(sorted(set(some))) for some in product(*compliance_class.permits[cell])]
        return np.repeat(moves, [len(some) for some in choices]), [one for some in choices for one in some]

    def _cost(self, compliance_class: ComplianceClass, moves: Ints) -> Floats:
        if compliance_class.surcharges is None:
            return self.cost[moves]
        table, given = self.problem.moves, compliance_class.surcharges
        keys = zip(table.arc[moves].tolist(), table.ordered[moves].tolist(), strict=True)
        charged = self._charged[moves] + as_floats([given.get(key, Decimal(0)) for key in keys])
        price = self._price[moves] * self.discount[table.ordered[moves]]
        found: Floats = price + charged * self.discount[table.delivered[moves]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Recipes:
    """What units take of inputs: the lines of all offers, one after the other."""

    first: Ints
    """Where the lines of each offer begin; one more for the end."""
    node: Ints
    """The node each line draws on; -1 for an offer that no demand can reach."""
    per_unit: Floats

    @staticmethod
    def of(problem: Problem, node_index: dict[Node, int]) -> Recipes:
        """The recipes of all offers."""
        lines = [(line, facts.place) for facts in problem.offers for line in facts.offer.inputs]
        return Recipes(
            first=np.cumsum([0, *(len(facts.offer.inputs) for facts in problem.offers)]),
            node=np.array([node_index.get((line.material, place), -1) for line, place in lines], dtype=np.intp),
            per_unit=as_floats([line.per_unit for line, _ in lines]),
        )

    def lines(self, offers: Ints) -> tuple[Ints, Ints]:
        """The lines of some offers, and for each line which of `offers` takes it."""
        if not len(self.node):
            return self.node, self.node
        first, last = self.first[offers], self.first[offers + 1]
        return ranges(first, last), np.repeat(np.arange(len(offers)), last - first)
