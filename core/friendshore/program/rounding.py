"""Rounding to the resolution that preserves whole lots and tiers, and closes balances.

An order stays in whole lots, and in its intended tier of a price schedule. If the solver's plan has no leftovers and no shortage,
neither does the rounded one.

Each purchase rounded by itself is at most half a step off. Many of them together cause leftovers of some grams, which are held forever, or
shortages, with a penalty. So a few are rounded the other way, those nearest to the next step first, until the stock of
every cell is the solver's, rounded. No row of the program is violated by more than rounding that purchase to the
nearest step may violate it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import TypeVar

import numpy as np

from ..domain.base import exact
from ..problem.compliance_classes import ComplianceClass
from ..problem.decimal_arrays import Whole, integers_from_doubles
from ..problem.demands import round_to
from .compile import Program, Recipes
from .matrix import Floats, Ints


def within_tiers(program: Program, x: Floats) -> Floats:
    """Round a few orders the other way, so that each price schedule stays in the tier that the solver chose.

    The solver's choice is read from its binary variables, since the quantity doesn't show it. A plan just below a more expensive tier is within the
    solver's tolerance of the threshold. So is a plan that just reaches a cheaper one.
    """
    found = x.copy()
    reached: dict[int, int] = {}
    for (number, tier), column in program.columns.tier_reached.items():
        if x[column] > 0.5:
            reached[number] = tier
    for number, columns in program.columns.priced.items():
        span, tier = program.problem.price_spans[number], reached.get(number, 0)
        if span.jumps:
            dearer = (number, tier) in program.columns.below_dearer
            _keep_tier(program, span.tiers[tier].least, span.tiers[tier + 1].least if dearer else None, columns, found)
    return found


def to_steps(x: Floats, step: Decimal) -> Whole:
    """Return quantities as whole numbers of steps, each the nearest to the number as written, half to even.

    Doubles decide first. Decimals decide where doubles lie too near to the middle of two steps.
    """
    near = x / float(step)
    found = np.rint(near)
    middling = np.abs(near - np.floor(near) - 0.5) < 1e-6 + 1e-14 * np.abs(near)
    for position in np.flatnonzero(middling).tolist():
        found[position] = float(round_to(Decimal(repr(float(x[position]))), step) / step)
    return integers_from_doubles(found)


def in_whole_lots(program: Program, x: Floats) -> dict[int, Decimal]:
    """Return the quantities of the columns that buy in lots, so that every order is an exact whole number of lots.

    Each is rounded down to the resolution, and those that lost most are increased. None is more than a step off.
    """
    found: dict[int, Decimal] = {}
    step = program.problem.case.resolution
    for (offer, t), column in program.columns.lot.items():
        lot = program.problem.offers[offer].offer.lot
        assert lot is not None
        planned = {c: Decimal(repr(float(x[c]))) for c in program.units[offer, t]}
        parts = {c: (units / step).to_integral_value(ROUND_FLOOR) * step for c, units in planned.items()}
        missing = exact(lot * round(float(x[column]))) - sum(parts.values(), Decimal(0))
        for c in sorted(parts, key=lambda c: (parts[c] - planned[c], c)):
            more = min(missing, step)
            if missing > 0:
                parts[c] += more
                missing -= more
        largest = max(parts, key=lambda c: parts[c])
        parts[largest] += missing
        found |= parts
    return found


def _keep_tier(
    program: Program, least: Decimal, below: Decimal | None, columns: Mapping[int, Decimal], x: Floats
) -> None:
    """Round orders up until they reach `least`, or down until they are below `below`. An order at one of its bounds stays."""
    step = program.problem.case.resolution
    planned = {column: Decimal(repr(float(x[column]))) for column in columns}
    rounded = {column: round_to(kilograms, step) for column, kilograms in planned.items()}
    measured = sum((weight * rounded[column] for column, weight in columns.items()), Decimal(0))
    if measured < least:
        for column in sorted(columns, key=lambda c: (rounded[c] - planned[c], c)):
            larger = float(rounded[column] + step)
            if measured < least and rounded[column] > 0 and larger <= program.linear.upper[column]:
                x[column] = larger
                measured += columns[column] * step
    elif below is not None:
        for column in sorted(columns, key=lambda c: (planned[c] - rounded[c], c)):
            if measured >= below and rounded[column] >= step:
                x[column] = float(rounded[column] - step)
                measured -= columns[column] * step


RECOMPUTED = ("balance", "demand")
"""Owners of rows that are recomputed from the purchases, and so need no check here."""
_EPS = 1e-6
Position = TypeVar("Position", int, Ints)


def balance_repaired(program: Program, x: Floats, planned: Mapping[tuple[int, int, int], float]) -> Floats:
    """Return the values with purchases in whole steps of the resolution, so that balances close.

    Args:
        program: The program.
        x: Values of its columns.
        planned: Kilograms that deliveries take, by node, compliance class, and period.
    """
    held_back: frozenset[int] = frozenset()
    while True:
        closing = _Closing(program, x, planned, held_back)
        found = closing.run()
        more = closing.overdrawing()
        if not more:
            return found
        held_back |= more


@dataclass(slots=True)
class _Rows:
    """Rows that purchases must satisfy, with the coefficients of the adjustable purchases in rows that rounding may violate."""

    activity: list[float]
    lower: list[float]
    upper: list[float]
    start: list[int]
    row: list[int]
    value: list[float]

    def let(self, piece: int, by: int) -> bool:
        """Change a purchase by a step up or down and return True, if all rows allow it."""
        activity, start, end = self.activity, self.start[piece], self.start[piece + 1]
        rows, values = self.row[start:end], self.value[start:end]
        for row, value in zip(rows, values, strict=True):
            now, change = activity[row], by * value
            new, half = now + change, abs(change) / 2 + _EPS
            if change > 0:
                if new > self.upper[row] + half and new > now + _EPS:
                    return False
            elif new < self.lower[row] - half and new < now - _EPS:
                return False
        for row, value in zip(rows, values, strict=True):
            activity[row] += by * value
        return True


class _Closing:
    def __init__(
        self,
        program: Program,
        x: Floats,
        planned: Mapping[tuple[int, int, int], float],
        held_back: frozenset[int] = frozenset(),
    ) -> None:
        self.program, self.problem, self.x = program, program.problem, x.copy()
        self.step = float(self.problem.case.resolution)
        self.count = self.problem.case.horizon.count
        self.index = self.problem.network.position
        self.recipes = Recipes.of(self.problem)
        columns, moves, network = program.columns, self.problem.moves, self.problem.network
        tiered = [column for counted in columns.priced.values() for column in counted]
        in_lots = [column for order in columns.lot for column in program.units[order]]
        exact = x[columns.buy] / self.step
        rounded = np.where(np.isin(columns.buy, in_lots), exact, np.rint(exact)) if in_lots else np.rint(exact)
        loose = ~np.isin(columns.buy, [*tiered, *in_lots])
        free, tiny = (rounded >= 1) & loose, (rounded < 1) & (exact > _EPS) & loose
        free[list(held_back)] = False
        self.rounded = rounded
        """Steps of every purchase, before any adjustment."""
        self.pieces = np.flatnonzero(free | tiny)
        """Positions of the adjustable purchases among all. The attributes below are of these, in their order."""
        self.free: list[bool] = free[self.pieces].tolist()
        """True if the purchase may change by a step. Not for price schedules, where a gram less may be a tier less."""
        self.tiny: list[bool] = tiny[self.pieces].tolist()
        """True if the purchase is positive in the solver's plan, but zero after rounding."""
        self.exact: list[float] = exact[self.pieces].tolist()
        self.whole: list[float] = rounded[self.pieces].tolist()
        self.most: list[float] = (program.linear.upper[columns.buy[self.pieces]] / self.step + 0.5).tolist()
        """Maximum steps of each purchase, with half a step for rounding its limit."""
        self.offer = network.offers[moves.arc[columns.buy_move]]
        node = network.ends[moves.arc[columns.buy_move]]
        self.ordered, self.delivered = moves.ordered[columns.buy_move], moves.delivered[columns.buy_move]
        self.cell = self._cell(node, columns.buy_compliance_class)
        self.x[columns.buy] = rounded * self.step
        self.flow = self._flows(rounded, planned)
        self.arrivals = np.bincount(self.cell * self.count + self.delivered, minlength=self.flow.size)
        """Number of purchases, even if rounded to zero, by cell and period."""
        self.fed = np.zeros(len(self.flow), dtype=bool)
        """True if a cell has a purchase after rounding."""
        self.fed[self.cell[rounded >= 1]] = True
        self.arriving: dict[int, list[int]] = {}
        """Adjustable purchases by cell and period of arrival."""
        self.growing: dict[int, list[int]] = {}
        """Those of them that haven't reached their limit, or may have been reduced from it."""
        self.full = np.zeros(len(x), dtype=bool)
        """Columns with a limit. Rounding must not add to a stock that a rule limits."""
        self.drawn: dict[int, dict[int, float]] = {}
        """Cell -> orders that take more of it than when rounded to the nearest step, with their inputs per unit."""

    def run(self) -> Floats:
        """Adjust all cells, users before makers, since a change in production changes the inputs."""
        self.rows = self._rows()
        room = np.array(self.whole) + 1 <= np.array(self.most)
        self.arriving, self.growing = self._by_arrival(np.arange(len(room))), self._by_arrival(np.flatnonzero(room))
        rank = {node: i for i, node in enumerate(self._users_first())}
        cells = [
            (rank.get(node, len(rank)), node, r.index)
            for r in self.problem.compliance_classes
            for node in self._nodes(r)
        ]
        for _, node, compliance_class in sorted(cells):
            self._close(node, compliance_class)
        self.x[self.program.columns.buy] = self._steps() * self.step
        return self.x

    def _by_arrival(self, pieces: Ints) -> dict[int, list[int]]:
        """Return some adjustable purchases by cell and period of arrival."""
        arrival = (self.cell * self.count + self.delivered)[self.pieces[pieces]]
        order = np.argsort(arrival, kind="stable")
        keys, first = np.unique(arrival[order], return_index=True)
        in_order, ends = pieces[order].tolist(), [*first.tolist(), len(order)]
        return {key: in_order[start:end] for key, (start, end) in zip(keys.tolist(), pairwise(ends), strict=True)}

    def _steps(self) -> Floats:
        found = self.rounded.copy()
        found[self.pieces] = self.whole
        return found

    def _nodes(self, compliance_class: ComplianceClass) -> list[int]:
        return [self.index[node] for node in compliance_class.nodes]

    def _cell(self, node: Position, compliance_class: Position) -> Position:
        """Return the row of `flow` for a node and a compliance class."""
        return compliance_class * len(self.index) + node

    def _close(self, node: int, compliance_class: int) -> None:
        cell, store = self._cell(node, compliance_class), self.problem.stores[self.problem.network.nodes[node]]
        first, kept = self.program.columns.stock.get((node, compliance_class)), store.kept
        wanted = np.zeros(self.count) if first is None else np.rint(self.x[first : first + self.count] / self.step)
        flow = self.flow[cell]
        if not self.fed[cell]:
            self._begin(cell)
        if all(share == 1 for share in kept) and np.abs(np.cumsum(flow) - wanted).max(initial=0.0) < 0.5:
            return
        earlier = first is not None and not self.full[first : first + self.count].any()
        earlier = earlier and not any(most is not None for most in store.limit)
        held, incoming, target = 0.0, flow.tolist(), wanted.tolist()
        first_arrival = cell * self.count
        rounded_by = (1 + np.cumsum(self.arrivals[first_arrival : first_arrival + self.count])).tolist()
        for t, rounded in enumerate(rounded_by):
            held = (held if kept[t] == 1 else round(held * float(kept[t]))) + incoming[t]
            for since in range(t, -1, -1):  # what is short may be bought earlier, and lie until then
                off = round(held - target[t])
                if not off or abs(off) > rounded:
                    break  # more than rounding explains is not for rounding to mend
                held += self._change(first_arrival + since, -off, compliance_class)
                if off > 0 or not earlier or kept[since] != 1:
                    break
            held = max(held, 0.0)

    def _begin(self, cell: int) -> None:
        """Buy a step where material is taken but all its purchases are rounded to zero."""
        while len(short := np.flatnonzero(np.cumsum(self.flow[cell]) < -_EPS)):
            before = [p for t in range(int(short[0]) + 1) for p in self.arriving.get(cell * self.count + t, [])]
            waiting = sorted(
                (p for p in before if self.tiny[p] and self.most[p] - 0.5 > _EPS), key=lambda p: -self.exact[p]
            )
            begun = next((p for p in waiting if self.rows.let(p, 1)), None)
            if begun is None:
                return
            self.tiny[begun] = False
            self.whole[begun] = 1.0
            self.flow[cell, self.delivered[self.pieces[begun]]] += 1

    def _change(self, arrival: int, need: int, compliance_class: int) -> int:
        """Adjust purchases of a cell and period up to `need`, as far as rows allow, and return the change."""
        by, changed = (1 if need > 0 else -1), 0
        pieces = (self.growing if need > 0 else self.arriving).get(arrival, [])
        free, exact, whole, most = self.free, self.exact, self.whole, self.most
        draws = bool(len(self.recipes.node))
        nearest = [
            (by * (whole[piece] - exact[piece]), piece)
            for piece in pieces
            if free[piece] and 1 <= whole[piece] + by <= most[piece]
        ]
        waiting = deque(piece for _, piece in sorted(nearest))
        while changed != need and waiting:
            piece = waiting.popleft()
            if 1 <= whole[piece] + by <= most[piece] and self.rows.let(piece, by):
                whole[piece] += by
                changed += by
                if draws:
                    self._draw(piece, compliance_class, by)
                waiting.append(piece)
                if by < 0 and piece not in self.growing.setdefault(arrival, []):
                    self.growing[arrival].append(piece)
        return changed

    def _draw(self, piece: int, compliance_class: int, by: int) -> None:
        """Update the inputs for a change of an order by `by` steps."""
        position = int(self.pieces[piece])
        offer = int(self.offer[position])
        if offer >= 0 and self.problem.offers[offer].single:
            for line in range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1])):
                cell = self._cell(int(self.recipes.node[line]), compliance_class)
                self.flow[cell, self.ordered[position]] -= by * self.recipes.per_unit[line]
                if by > 0:
                    self.drawn.setdefault(cell, {})[position] = float(self.recipes.per_unit[line])

    def overdrawing(self) -> frozenset[int]:
        """Return the orders to be rounded to the nearest step after all, because their inputs can't follow, such as for lack of capacity.

        A cell may be overdrawn by half a step for each arriving order, and by half the input of each adjusted order.
        """
        found: set[int] = set()
        steps = self._steps() if self.drawn else self.rounded
        for cell, drawing in self.drawn.items():
            kept = self.problem.stores[self.problem.network.nodes[cell % len(self.index)]].kept
            mine = self.cell == cell
            arriving = np.cumsum(np.bincount(self.delivered[mine], steps[mine] > 0, self.count))
            taking = np.zeros(self.count)
            np.add.at(taking, self.ordered[list(drawing)], list(drawing.values()))
            allowed, held = (arriving + np.cumsum(taking)) / 2, 0.0
            for t, share in enumerate(kept):
                held = (held if share == 1 else round(held * float(share))) + float(self.flow[cell, t])
                if -held > allowed[t] + _EPS:
                    found.update(piece for piece in drawing if self.ordered[piece] <= t)
                held = max(held, 0.0)
        return frozenset(found)

    def _flows(self, whole: Floats, planned: Mapping[tuple[int, int, int], float]) -> Floats:
        """Return arrivals minus inputs and deliveries, in steps, by cell and period."""
        columns, offers = self.program.columns, self.problem.offers
        cells = len(self.index) * len(self.problem.compliance_classes)
        arriving = np.bincount(self.cell * self.count + self.delivered, whole, minlength=cells * self.count)
        flow = arriving.astype(np.float64, copy=False).reshape(cells, self.count)
        single = np.array([facts.single for facts in offers], dtype=bool)
        makes = [(o, r, t, self.x[c] / self.step) for (o, r, t), c in columns.make.items() if r >= 0]
        made = [np.array(part) for part in zip(*makes, strict=True)] or [np.empty(0)] * 4
        own = np.flatnonzero((self.offer >= 0) & (whole > 0))
        own = own[single[self.offer[own]]]
        offer = np.concatenate([self.offer[own], made[0].astype(np.intp)])
        compliance_class = np.concatenate([columns.buy_compliance_class[own], made[1].astype(np.intp)])
        period = np.concatenate([self.ordered[own], made[2].astype(np.intp)])
        units = np.concatenate([whole[own], np.rint(made[3])])
        line, entry = self.recipes.lines(offer)
        cell = self._cell(self.recipes.node[line], compliance_class[entry])
        np.subtract.at(flow, (cell, period[entry]), self.recipes.per_unit[line] * units[entry])
        for (node, of, t), kilograms in planned.items():
            flow[self._cell(node, of), t] -= kilograms / self.step
        return flow

    def _rows(self) -> _Rows:
        linear, owners = self.program.linear, self.program.owners
        entries, row_of = linear.entries, linear.entries.rows
        ends = [first for first, _ in owners[1:]] + [entries.shape[0]]
        recomputed = np.zeros(entries.shape[0], dtype=bool)
        for (first, owner), end in zip(owners, ends, strict=True):
            recomputed[first:end] = owner in RECOMPUTED
        piece_of = np.full(len(self.x), -1)
        piece_of[self.program.columns.buy[self.pieces]] = np.arange(len(self.pieces))
        counted = np.flatnonzero(((self.x != 0) | (piece_of >= 0))[entries.indices] & ~recomputed[row_of])
        most = np.where(entries.data > 0, linear.row_upper[row_of], -linear.row_lower[row_of])
        self.full[entries.indices[~recomputed[row_of] & np.isfinite(most)]] = True
        row, column, value = row_of[counted], entries.indices[counted], entries.data[counted]
        counts = np.bincount(row, value * self.x[column], minlength=entries.shape[0])
        activity = counts / self.step
        lower, upper = linear.row_lower / self.step, linear.row_upper / self.step
        own = np.flatnonzero(piece_of[column] >= 0)
        changed = self._changed() * np.bincount(row[own], np.abs(value[own]), minlength=entries.shape[0])
        near_an_end = (activity + changed > upper) | (activity - changed < lower)
        own = own[near_an_end[row[own]]]
        piece = piece_of[column[own]]
        order = np.argsort(piece, kind="stable")
        return _Rows(
            activity=activity.tolist(),
            lower=lower.tolist(),
            upper=upper.tolist(),
            start=np.searchsorted(piece[order], np.arange(len(self.pieces) + 1)).tolist(),
            row=row[own][order].tolist(),
            value=value[own][order].tolist(),
        )

    def _changed(self) -> int:
        """Return an upper bound on the steps by which one purchase changes: in each period, the number of purchases for its cell plus one."""
        most = int(self.arrivals.reshape(-1, self.count).sum(axis=1).max(initial=0))
        return self.count * (most + 1) + 1

    def _users_first(self) -> list[int]:
        """Return the nodes, each after all nodes made of its material. Nodes in a loop, or upstream of one, are missing."""
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
