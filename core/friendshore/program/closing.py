"""Rounding that closes balances: where the solver's plan leaves nothing over, and nothing short, neither does the rounded one.

Each purchase rounded by itself is at most half a step off; many of them together leave grams over, to be held for ever, or
short, at the price of a shortage. So a few are rounded the other way, those first that lie nearest to the next step, until
the stock of every cell is the solver's, rounded. No row of the program is missed by more than rounding that purchase to the
nearest step may miss it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..problem.network import Node
from .buying import Recipes
from .compile import Program
from .matrix import Floats, Ints

Cell = tuple[int, int]
"""Node and requirement."""
RECOMPUTED = ("balance", "demand")
"""Owners of rows that are worked out again from what is bought, and so need not be kept here."""
_EPS = 1e-6


def closed(program: Program, x: Floats, planned: Mapping[tuple[int, int, int], float]) -> Floats:
    """The same values, with what is bought in whole steps of the resolution, so that balances close.

    Args:
        program: what was solved.
        x: values of all its columns.
        planned: kilograms that deliveries take of each node, requirement and period.
    """
    return _Closing(program, x, planned).run()


@dataclass(slots=True)
class _Rows:
    """Rows that what is bought must keep, as lists by column of what they count."""

    activity: list[float]
    lower: list[float]
    upper: list[float]
    start: list[int]
    row: list[int]
    value: list[float]

    def let(self, piece: int, by: int) -> bool:
        """Changes a purchase by a step up or down, if all rows let it."""
        span = range(self.start[piece], self.start[piece + 1])
        for k in span:
            row, change = self.row[k], by * self.value[k]
            new, half = self.activity[row] + change, abs(change) / 2 + _EPS
            if new > max(self.upper[row] + half, self.activity[row] + _EPS):
                return False
            if new < min(self.lower[row] - half, self.activity[row] - _EPS):
                return False
        for k in span:
            self.activity[self.row[k]] += by * self.value[k]
        return True


class _Closing:
    def __init__(self, program: Program, x: Floats, planned: Mapping[tuple[int, int, int], float]) -> None:
        self.program, self.problem, self.x = program, program.problem, x.copy()
        self.step = float(self.problem.case.resolution)
        self.count = self.problem.case.horizon.count
        self.index: dict[Node, int] = {node: i for i, node in enumerate(self.problem.network.nodes)}
        self.recipes = Recipes.of(self.problem, self.index)
        columns, moves, arcs = program.columns, self.problem.moves, self.problem.network.arcs
        in_lots = [column for order in columns.lot for column in program.units[order]]
        exact = x[columns.buy] / self.step
        self.exact: list[float] = exact.tolist()
        self.whole: list[float] = np.where(np.isin(columns.buy, in_lots), exact, np.rint(exact)).tolist()
        self.most: list[float] = (program.linear.upper[columns.buy] / self.step).tolist()
        self.offer = np.array([arc.offer for arc in arcs], dtype=np.intp)[moves.arc[columns.buy_move]]
        self.node = np.array([self.index[arc.node] for arc in arcs], dtype=np.intp)[moves.arc[columns.buy_move]]
        self.ordered, self.delivered = moves.ordered[columns.buy_move], moves.delivered[columns.buy_move]
        tiered = [column for counted in columns.priced.values() for column in counted]
        self.free: list[bool] = (~np.isin(columns.buy, [*tiered, *in_lots])).tolist()
        """What may be rounded otherwise: a gram less of an order that price schedules count may be a tier less."""
        self.flow: dict[Cell, list[float]] = {}
        for (node, requirement, period), kilograms in planned.items():
            self._at((node, requirement))[period] -= kilograms / self.step

    def run(self) -> Floats:
        """All cells, users before makers, since a change of what is made changes what is drawn."""
        buy, requirement = self.program.columns.buy, self.program.columns.buy_requirement
        self.x[buy] = np.array(self.whole) * self.step
        self.rows = self._rows()
        self._flows()
        cell = requirement * len(self.index) + self.node
        order = np.lexsort((self.delivered, cell))
        keys, first = np.unique((cell * self.count + self.delivered)[order], return_index=True)
        pieces = dict(zip(keys.tolist(), np.split(order, first[1:]) if len(keys) else [], strict=True))
        rank = {node: i for i, node in enumerate(self._users_first())}
        for node, of in sorted(self.flow, key=lambda one: (rank.get(one[0], len(rank)), one)):
            self._close(node, of, (of * len(self.index) + node) * self.count, pieces)
        self.x[buy] = np.array(self.whole) * self.step
        return self.x

    def _close(self, node: int, requirement: int, key: int, pieces: Mapping[int, Ints]) -> None:
        flow, store = self.flow[node, requirement], self.problem.stores[self.problem.network.nodes[node]]
        first, kept = self.program.columns.stock.get((node, requirement)), store.kept
        earlier = first is not None and store.limit is None
        held, rounded = 0.0, 1
        for t in range(self.count):
            rounded += len(pieces.get(key + t, ()))
            held = (held if kept[t] == 1 else round(held * float(kept[t]))) + flow[t]
            wanted = 0.0 if first is None else float(self.x[first + t]) / self.step
            for since in range(t, -1, -1):  # what is short may be bought earlier, and lie until then
                off = round(held - round(wanted))
                if abs(off) > rounded:
                    break  # more than rounding explains: not for rounding to mend
                if off and key + since in pieces:
                    held += self._change(pieces[key + since].tolist(), -off, requirement)
                if off >= 0 or not earlier or kept[since] != 1:
                    break
            held = max(held, 0.0)

    def _change(self, pieces: list[int], need: int, requirement: int) -> int:
        """Rounds as many purchases of a cell and period the other way as are needed and may be; by how much that changes it."""
        by, changed = (1 if need > 0 else -1), 0
        free = [piece for piece in pieces if self.free[piece]]
        waiting = deque(sorted(free, key=lambda p: (by * (self.whole[p] - self.exact[p]), p)))
        while waiting and changed != need:
            piece = waiting.popleft()
            new = self.whole[piece] + by
            if self.whole[piece] >= 1 and 1 <= new <= self.most[piece] + 0.5 and self.rows.let(piece, by):
                self.whole[piece] = new
                changed += by
                self._draw(int(self.offer[piece]), requirement, int(self.ordered[piece]), by)
                waiting.append(piece)
        return changed

    def _draw(self, offer: int, requirement: int, period: int, units: float) -> None:
        for node, per_unit in self._inputs(offer):
            self._at((node, requirement))[period] -= per_unit * units

    def _inputs(self, offer: int) -> Iterator[tuple[int, float]]:
        if offer >= 0 and self.problem.offers[offer].single:
            lines = range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1]))
            yield from ((int(self.recipes.node[k]), float(self.recipes.per_unit[k])) for k in lines)

    def _at(self, cell: Cell) -> list[float]:
        return self.flow.setdefault(cell, [0.0] * self.count)

    def _flows(self) -> None:
        """What comes in and is drawn, in steps, for every cell and period."""
        columns = self.program.columns
        takes = np.diff(self.recipes.first) > 0
        for piece in np.flatnonzero(np.array(self.whole) > 0).tolist():
            requirement = int(columns.buy_requirement[piece])
            self._at((int(self.node[piece]), requirement))[int(self.delivered[piece])] += self.whole[piece]
            if self.offer[piece] >= 0 and takes[self.offer[piece]]:
                self._draw(int(self.offer[piece]), requirement, int(self.ordered[piece]), self.whole[piece])
        for (offer, requirement, period), column in columns.make.items():
            lines = range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1]))
            units = round(float(self.x[column]) / self.step)
            for k in lines if requirement >= 0 else ():
                cell = int(self.recipes.node[k]), requirement
                self._at(cell)[period] -= float(self.recipes.per_unit[k]) * units

    def _rows(self) -> _Rows:
        linear, owners = self.program.linear, self.program.owners
        ends = [first for first, _ in owners[1:]] + [linear.matrix.shape[0]]
        kept = [
            np.arange(first, end) for (first, owner), end in zip(owners, ends, strict=True) if owner not in RECOMPUTED
        ]
        rows = np.concatenate(kept) if kept else np.empty(0, dtype=np.intp)
        matrix = linear.matrix[rows]
        bought = matrix[:, self.program.columns.buy].tocsc()
        return _Rows(
            activity=(matrix @ self.x / self.step).tolist(),
            lower=(linear.row_lower[rows] / self.step).tolist(),
            upper=(linear.row_upper[rows] / self.step).tolist(),
            start=bought.indptr.tolist(),
            row=bought.indices.tolist(),
            value=bought.data.tolist(),
        )

    def _users_first(self) -> list[int]:
        """Nodes, each after all those made of its material; those in a loop, or up the chain of one, are left out."""
        network = self.problem.network
        users: dict[int, set[int]] = {i: set() for i in self.index.values()}
        for offer, feeds in network.feeds.items():
            outlets = {self.index[arc.node] for arc in network.arcs if arc.offer == offer}
            for feed in feeds:
                users[self.index[feed]] |= outlets
        found: list[int] = []
        while free := sorted(node for node, left in users.items() if not left):
            found += free
            for node in free:
                del users[node]
            for left in users.values():
                left.difference_update(free)
        return found
