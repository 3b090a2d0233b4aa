"""Rounding to the resolution that preserves whole lots and tiers, and closes balances. Many purchases that are rounded one by one cause leftovers of
some grams, which are held forever, or shortages, with a penalty. So a few are rounded the other way, those nearest to the next step first, until the
stock of every cell is the solver's, rounded. Rows are violated no more than by rounding that purchase to the nearest step.
"""

from __future__ import annotations

import math
from array import array
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from ..domain.base import exact
from ..problem.decimal_arrays import Integers, integers_from_doubles
from ..problem.demands import round_to
from .compile import Program, Recipes
from .matrix import Floats, Ints


def within_tiers(program: Program, x: Floats) -> Floats:
    """Round a few orders the other way, to stay in the tiers of the solver's binary variables, which its tolerance may hide in the quantities."""
    values = x.copy() if program.columns.priced else x
    reached_tier: dict[int, int] = {}
    for (number, tier), column in program.columns.tier_reached.items():
        if x[column] > 0.5:
            reached_tier[number] = tier
    for number, columns in program.columns.priced.items():
        span, tier = program.problem.price_spans[number], reached_tier.get(number, 0)
        if span.jumps:
            next_is_more_expensive = (number, tier) in program.columns.below_costlier_tier
            _keep_tier(
                program,
                span.tiers[tier].least,
                span.tiers[tier + 1].least if next_is_more_expensive else None,
                columns,
                values,
            )
    return values


def to_steps(x: Floats, step: Decimal) -> Integers:
    """Return quantities as whole numbers of steps, each the nearest to the number as written, half to even."""
    quotients = x / float(step)
    steps = np.rint(quotients)
    is_near_middle = np.abs(quotients - np.floor(quotients) - 0.5) < 1e-6 + 1e-14 * np.abs(quotients)
    for position in np.flatnonzero(is_near_middle).tolist():
        steps[position] = float(round_to(Decimal(repr(float(x[position]))), step) / step)
    return integers_from_doubles(steps)


def in_whole_lots(program: Program, x: Floats) -> dict[int, Decimal]:
    """Return the quantities of columns that buy in lots. Every order is an exact number of lots, and no column is more than a step off."""
    quantities: dict[int, Decimal] = {}
    step = program.problem.case.resolution
    for (offer, t), column in program.columns.lot.items():
        lot = program.problem.offers[offer].offer.lot
        assert lot is not None
        planned = {c: Decimal(repr(float(x[c]))) for c in program.units[offer, t]}
        parts = {c: (units / step).to_integral_value(ROUND_FLOOR) * step for c, units in planned.items()}
        missing = exact(lot * round(float(x[column]))) - sum(parts.values(), Decimal(0))
        for c in sorted(parts, key=lambda c: (parts[c] - planned[c], c)):
            addition = min(missing, step)
            if missing > 0:
                parts[c] += addition
                missing -= addition
        largest = max(parts, key=lambda c: parts[c])
        parts[largest] += missing
        quantities |= parts
    return quantities


def _keep_tier(
    program: Program, start: Decimal, end: Decimal | None, columns: Mapping[int, Decimal], x: Floats
) -> None:
    """Round orders up until they reach `start`, or down until they are below `end`. An order at one of its bounds stays."""
    step = program.problem.case.resolution
    planned = {column: Decimal(repr(float(x[column]))) for column in columns}
    rounded = {column: round_to(kilograms, step) for column, kilograms in planned.items()}
    measured = sum((weight * rounded[column] for column, weight in columns.items()), Decimal(0))
    if measured < start:
        for column in sorted(columns, key=lambda c: (rounded[c] - planned[c], c)):
            next_up = float(rounded[column] + step)
            if measured < start and rounded[column] > 0 and next_up <= program.linear.upper[column]:
                x[column] = next_up
                measured += columns[column] * step
    elif end is not None:
        for column in sorted(columns, key=lambda c: (planned[c] - rounded[c], c)):
            if measured >= end and rounded[column] >= step:
                x[column] = float(rounded[column] - step)
                measured -= columns[column] * step


# Owners of rows that are recomputed from the purchases, and so need no check here.
RECOMPUTED = ("balance", "demand")
_NOISE = 1e-6
Position = TypeVar("Position", int, Ints)


def balance_repaired(program: Program, x: Floats, planned: Mapping[tuple[int, int, int], float]) -> Floats:
    """Return the values with purchases in whole steps, so that balances close. `planned` has the kilograms that deliveries take, by node, compliance class, and period."""
    to_nearest: frozenset[int] = frozenset()
    while True:
        repair = _BalanceRepair(program, x, planned, to_nearest)
        values = repair.run()
        overdrawing = repair.overdrawing_orders()
        if not overdrawing:
            return values
        to_nearest |= overdrawing


def _doubles(values: Floats) -> array[float]:
    """Return values that code reads one by one: as fast as a list of Python's numbers, in a quarter of the memory."""
    return array("d", values.tobytes())


def _integers(values: Ints) -> array[int]:
    return array("q", values.astype(np.int64).tobytes())


@dataclass(slots=True)
class _Rows:
    """Rows that purchases must satisfy, with the coefficients of adjustable purchases in rows that rounding may violate."""

    activity: array[float]
    lower: array[float]
    upper: array[float]
    start: array[int]
    row: array[int]
    value: array[float]

    def try_change(self, order: int, change: int, max_excess: float = 0.5) -> bool:
        """Change an order by some steps unless a row then exceeds a bound by more than a share of the change."""
        activity, start, end = self.activity, self.start[order], self.start[order + 1]
        rows, values = self.row[start:end], self.value[start:end]
        for row, value in zip(rows, values, strict=True):
            old_activity, row_change = activity[row], change * value
            new_activity, tolerance = old_activity + row_change, abs(row_change) * max_excess + _NOISE
            if row_change > 0:
                if new_activity > self.upper[row] + tolerance and new_activity > old_activity + _NOISE:
                    return False
            elif new_activity < self.lower[row] - tolerance and new_activity < old_activity - _NOISE:
                return False
        for row, value in zip(rows, values, strict=True):
            activity[row] += change * value
        return True


class _BalanceRepair:
    def __init__(
        self,
        program: Program,
        x: Floats,
        planned: Mapping[tuple[int, int, int], float],
        to_nearest: frozenset[int] = frozenset(),
    ) -> None:
        self.program, self.problem, self.x = program, program.problem, x.copy()
        self.step = float(self.problem.case.resolution)
        self.count = self.problem.case.horizon.count
        self.index = self.problem.network.position
        self.recipes = Recipes.of(self.problem)
        columns, moves, network = program.columns, self.problem.moves, self.problem.network
        tiered_columns = [column for weights in columns.priced.values() for column in weights]
        lot_columns = [column for order in columns.lot for column in program.units[order]]
        exact_steps = x[columns.buy] / self.step
        rounded_steps = np.where(np.isin(columns.buy, lot_columns), exact_steps, np.rint(exact_steps))
        is_loose = ~np.isin(columns.buy, [*tiered_columns, *lot_columns])
        self._keep_capacity(exact_steps, rounded_steps, is_loose)
        is_free, is_tiny = (rounded_steps >= 1) & is_loose, (rounded_steps < 1) & (exact_steps > _NOISE) & is_loose
        is_free[list(to_nearest)] = False
        self.rounded_steps = rounded_steps
        # Positions of the adjustable purchases among all. The attributes below are of these, in their order.
        self.orders = np.flatnonzero(is_free | is_tiny)
        # Not for price schedules, where a gram less may be a tier less.
        self.is_free: list[bool] = is_free[self.orders].tolist()
        # True if the purchase is positive in the solver's plan, but zero after rounding.
        self.is_tiny: list[bool] = is_tiny[self.orders].tolist()
        self.exact_steps = _doubles(exact_steps[self.orders])
        self.steps = _doubles(rounded_steps[self.orders])
        # With half a step for rounding the limit.
        self.max_steps = _doubles(program.linear.upper[columns.buy[self.orders]] / self.step + 0.5)
        self.offer = network.offers[moves.arc[columns.buy_move]]
        node = network.ends[moves.arc[columns.buy_move]]
        self.ordered, self.delivered = moves.ordered[columns.buy_move], moves.delivered[columns.buy_move]
        del exact_steps, is_loose, is_free, is_tiny
        self.cell = self._cell(node, columns.buy_compliance_class)
        self.x[columns.buy] = rounded_steps * self.step
        self.flow = self._flows(rounded_steps, planned)
        # Number of purchases, even if rounded to zero, by cell and period.
        self.arrivals = np.bincount(self.cell * self.count + self.delivered, minlength=self.flow.size)
        self.has_purchase = np.zeros(len(self.flow), dtype=bool)
        self.has_purchase[self.cell[rounded_steps >= 1]] = True
        # Adjustable purchases by cell and period of arrival.
        self.arriving: dict[int, list[int]] = {}
        # Those of them that haven't reached their limit, or may have been reduced from it.
        self.growing: dict[int, list[int]] = {}
        # Rounding must not add to a stock that a rule limits.
        self.has_limit = np.zeros(len(x), dtype=bool)
        # Cell -> orders that take more of it than when rounded to the nearest step, with their inputs per unit.
        self.drawn_by_cell: dict[int, dict[int, float]] = {}

    def _keep_capacity(self, exact_steps: Floats, rounded_steps: Floats, is_loose: NDArray[np.bool_]) -> None:
        """Round orders down where the solver's tolerance and rounding to the nearest step exceed a capacity by more than rounding may."""
        linear, owners, buy = self.program.linear, self.program.owners, self.program.columns.buy
        entries = linear.entries
        steps = np.rint(self.x / self.step)
        steps[buy] = rounded_steps
        activity = np.bincount(entries.rows, entries.data * steps[entries.indices], minlength=entries.shape[0])
        max_excess = np.bincount(
            entries.rows, np.abs(entries.data) * (steps[entries.indices] != 0) / 2, minlength=entries.shape[0]
        )
        excess = activity - linear.row_upper / self.step - max_excess
        ends = [first for first, _ in owners[1:]] + [entries.shape[0]]
        for (first, owner), end in zip(owners, ends, strict=True):
            if not owner.startswith("capacity of "):
                continue
            for row in (first + np.flatnonzero(excess[first:end] > _NOISE)).tolist():
                in_row = np.flatnonzero(entries.rows == row)
                use = dict(zip(entries.indices[in_row].tolist(), entries.data[in_row].tolist(), strict=True))
                raised = np.flatnonzero(
                    np.isin(buy, list(use)) & is_loose & (rounded_steps > exact_steps) & (rounded_steps >= 2)
                )
                for order in sorted(raised.tolist(), key=lambda order: exact_steps[order] - rounded_steps[order]):
                    if excess[row] > _NOISE:
                        rounded_steps[order] -= 1
                        excess[row] -= use[int(buy[order])]

    def run(self) -> Floats:
        """Adjust all cells, users before makers, since a change in production changes the inputs."""
        self.rows = self._rows()
        can_grow = np.array(self.steps) + 1 <= np.array(self.max_steps)
        self.arriving = self._by_arrival(np.arange(len(can_grow)))
        self.growing = self._by_arrival(np.flatnonzero(can_grow))
        rank_of_node = {node: i for i, node in enumerate(self._users_first())}
        cells = [
            (rank_of_node.get(node, len(rank_of_node)), node, r.index)
            for r in self.problem.compliance_classes
            for node in map(self.index.__getitem__, r.nodes)
        ]
        for _, node, compliance_class in sorted(cells):
            self._close_cell(node, compliance_class)
        self.x[self.program.columns.buy] = self._steps() * self.step
        return self.x

    def _by_arrival(self, order_indices: Ints) -> dict[int, list[int]]:
        arrivals = (self.cell * self.count + self.delivered)[self.orders[order_indices]]
        by_arrival = np.argsort(arrivals, kind="stable")
        keys, first = np.unique(arrivals[by_arrival], return_index=True)
        in_order, ends = order_indices[by_arrival].tolist(), [*first.tolist(), len(by_arrival)]
        return {key: in_order[start:end] for key, (start, end) in zip(keys.tolist(), pairwise(ends), strict=True)}

    def _steps(self) -> Floats:
        steps = self.rounded_steps.copy()
        steps[self.orders] = self.steps
        return steps

    def _cell(self, node: Position, compliance_class: Position) -> Position:
        """Return the row of `flow` for a node and a compliance class."""
        return compliance_class * len(self.index) + node

    def _close_cell(self, node: int, compliance_class: int) -> None:
        cell, store = self._cell(node, compliance_class), self.problem.stores[self.problem.network.nodes[node]]
        first, shares_kept = self.program.columns.stock.get((node, compliance_class)), store.kept
        target_stock = (
            np.zeros(self.count) if first is None else np.rint(self.x[first : first + self.count] / self.step)
        )
        flow = self.flow[cell]
        if not self.has_purchase[cell]:
            self._start_tiny_orders(cell, compliance_class)
        if all(share == 1 for share in shares_kept) and np.abs(np.cumsum(flow) - target_stock).max(initial=0.0) < 0.5:
            return
        can_buy_earlier = first is not None and not self.has_limit[first : first + self.count].any()
        can_buy_earlier = can_buy_earlier and not any(limit is not None for limit in store.limit)
        stock, inflows, targets = 0.0, flow.tolist(), target_stock.tolist()
        first_arrival = cell * self.count
        tolerances = (1 + np.cumsum(self.arrivals[first_arrival : first_arrival + self.count])).tolist()
        for t, tolerance in enumerate(tolerances):
            stock = (stock if shares_kept[t] == 1 else round(stock * float(shares_kept[t]))) + inflows[t]
            for arrival_period in range(t, -1, -1):  # a shortage may be bought earlier and stored
                excess = round(stock - targets[t])
                if not excess or abs(excess) > tolerance:
                    break  # a larger excess is not caused by rounding
                stock += self._adjust(first_arrival + arrival_period, -excess, compliance_class)
                if excess > 0 or not can_buy_earlier or shares_kept[arrival_period] != 1:
                    break
            stock = max(stock, 0.0)

    def _start_tiny_orders(self, cell: int, compliance_class: int) -> None:
        """Buy a step where material is taken but all its purchases are rounded to zero."""
        while len(short_periods := np.flatnonzero(np.cumsum(self.flow[cell]) < -_NOISE)):
            arriving = [
                order
                for t in range(int(short_periods[0]) + 1)
                for order in self.arriving.get(cell * self.count + t, [])
            ]
            candidates = sorted(
                (order for order in arriving if self.is_tiny[order] and self.max_steps[order] - 0.5 > _NOISE),
                key=lambda order: -self.exact_steps[order],
            )
            # Without any purchase, the inputs of others aren't available. Rather exceed a row, as far as rounding three purchases may.
            tries = ((order, max_excess) for max_excess in (0.5, 1.5) for order in candidates)
            chosen = next((order for order, max_excess in tries if self.rows.try_change(order, 1, max_excess)), None)
            if chosen is None:
                return
            self.is_tiny[chosen] = False
            self.steps[chosen] = 1.0
            self.flow[cell, self.delivered[self.orders[chosen]]] += 1
            self._update_inputs(chosen, compliance_class, 1)
            self._start_run(chosen, compliance_class)

    def _start_run(self, order: int, compliance_class: int) -> None:
        """Make a step of what an order buys if the run of an offer with several outputs is rounded to zero."""
        position = int(self.orders[order])
        offer, t = int(self.offer[position]), int(self.ordered[position])
        makes = self.program.columns.make
        own_class = compliance_class if (offer, compliance_class, t) in makes else -1
        column = makes.get((offer, own_class, t))
        if column is None or np.rint(self.x[column] / self.step):
            return
        arc = int(self.problem.moves.arc[self.program.columns.buy_move[position]])
        material = self.problem.network.arcs[arc].node[0]
        outputs = self.problem.offers[offer].offer.outputs
        steps = math.ceil(1 / next(line.per_unit for line in outputs if line.material == material))
        self.x[column] = steps * self.step
        for line in range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1])):
            cell = self._cell(int(self.recipes.node[line]), compliance_class)
            self.flow[cell, t] -= steps * self.recipes.per_unit[line]

    def _adjust(self, arrival: int, need: int, compliance_class: int) -> int:
        """Adjust purchases of a cell and period up to `need`, as far as rows allow, and return the change."""
        change, total = (1 if need > 0 else -1), 0
        orders = (self.growing if need > 0 else self.arriving).get(arrival, [])
        is_free, exact_steps, steps, max_steps = self.is_free, self.exact_steps, self.steps, self.max_steps
        has_inputs = bool(len(self.recipes.node))
        by_loss = [
            (change * (steps[order] - exact_steps[order]), order)
            for order in orders
            if is_free[order] and 1 <= steps[order] + change <= max_steps[order]
        ]
        queue = deque(order for _, order in sorted(by_loss))
        while total != need and queue:
            order = queue.popleft()
            if 1 <= steps[order] + change <= max_steps[order] and self.rows.try_change(order, change):
                steps[order] += change
                total += change
                if has_inputs:
                    self._update_inputs(order, compliance_class, change)
                queue.append(order)
                if change < 0 and order not in self.growing.setdefault(arrival, []):
                    self.growing[arrival].append(order)
        return total

    def _update_inputs(self, order: int, compliance_class: int, change: int) -> None:
        position = int(self.orders[order])
        offer = int(self.offer[position])
        if offer >= 0 and self.problem.offers[offer].has_one_output:
            for line in range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1])):
                cell = self._cell(int(self.recipes.node[line]), compliance_class)
                self.flow[cell, self.ordered[position]] -= change * self.recipes.per_unit[line]
                if change > 0:
                    self.drawn_by_cell.setdefault(cell, {})[position] = float(self.recipes.per_unit[line])

    def overdrawing_orders(self) -> frozenset[int]:
        """Return the orders to be rounded to the nearest step after all: a cell is overdrawn by more than half a step per arrival and half an adjusted order's input."""
        to_nearest: set[int] = set()
        steps = self._steps() if self.drawn_by_cell else self.rounded_steps
        for cell, input_by_order in self.drawn_by_cell.items():
            shares_kept = self.problem.stores[self.problem.network.nodes[cell % len(self.index)]].kept
            in_cell = self.cell == cell
            arriving = np.cumsum(np.bincount(self.delivered[in_cell], steps[in_cell] > 0, self.count))
            takings = np.zeros(self.count)
            np.add.at(takings, self.ordered[list(input_by_order)], list(input_by_order.values()))
            allowed, stock = (arriving + np.cumsum(takings)) / 2, 0.0
            for t, share in enumerate(shares_kept):
                stock = (stock if share == 1 else round(stock * float(share))) + float(self.flow[cell, t])
                if -stock > allowed[t] + _NOISE:
                    to_nearest.update(order for order in input_by_order if self.ordered[order] <= t)
                stock = max(stock, 0.0)
        return frozenset(to_nearest)

    def _flows(self, steps: Floats, planned: Mapping[tuple[int, int, int], float]) -> Floats:
        """Return arrivals minus inputs and deliveries, in steps, by cell and period."""
        columns, offers = self.program.columns, self.problem.offers
        cells = len(self.index) * len(self.problem.compliance_classes)
        arriving = np.bincount(self.cell * self.count + self.delivered, steps, minlength=cells * self.count)
        flow = arriving.astype(np.float64, copy=False).reshape(cells, self.count)
        single = np.array([facts.has_one_output for facts in offers], dtype=bool)
        make_entries = [(o, r, t, self.x[c] / self.step) for (o, r, t), c in columns.make.items() if r >= 0]
        make_arrays = [np.array(values) for values in zip(*make_entries, strict=True)] or [np.empty(0)] * 4
        drawing = np.flatnonzero((self.offer >= 0) & (steps > 0))
        drawing = drawing[single[self.offer[drawing]]]
        offer = np.concatenate([self.offer[drawing], make_arrays[0].astype(np.intp)])
        compliance_class = np.concatenate([columns.buy_compliance_class[drawing], make_arrays[1].astype(np.intp)])
        period = np.concatenate([self.ordered[drawing], make_arrays[2].astype(np.intp)])
        units = np.concatenate([steps[drawing], np.rint(make_arrays[3])])
        line, entry = self.recipes.lines(offer)
        cell = self._cell(self.recipes.node[line], compliance_class[entry])
        np.subtract.at(flow, (cell, period[entry]), self.recipes.per_unit[line] * units[entry])
        for (node, class_index, t), kilograms in planned.items():
            flow[self._cell(node, class_index), t] -= kilograms / self.step
        return flow

    def _rows(self) -> _Rows:
        linear, owners = self.program.linear, self.program.owners
        entries, row_of = linear.entries, linear.entries.rows
        ends = [first for first, _ in owners[1:]] + [entries.shape[0]]
        recomputed = np.zeros(entries.shape[0], dtype=bool)
        for (first, owner), end in zip(owners, ends, strict=True):
            recomputed[first:end] = owner in RECOMPUTED
        order_of = np.full(len(self.x), -1, dtype=np.int32)
        order_of[self.program.columns.buy[self.orders]] = np.arange(len(self.orders))
        in_checked_rows = np.flatnonzero(((self.x != 0) | (order_of >= 0))[entries.indices] & ~recomputed[row_of])
        has_upper, has_lower = (np.isfinite(bound) & ~recomputed for bound in (linear.row_upper, linear.row_lower))
        is_limited = np.where(entries.data > 0, has_upper[row_of], has_lower[row_of])
        self.has_limit[entries.indices[is_limited]] = True
        row, column, value = row_of[in_checked_rows], entries.indices[in_checked_rows], entries.data[in_checked_rows]
        sums = np.bincount(row, value * self.x[column], minlength=entries.shape[0])
        activity = sums / self.step
        lower, upper = linear.row_lower / self.step, linear.row_upper / self.step
        of_orders = np.flatnonzero(order_of[column] >= 0)
        max_change = self._max_steps_changed() * np.bincount(
            row[of_orders], np.abs(value[of_orders]), minlength=entries.shape[0]
        )
        near_bound = (activity + max_change > upper) | (activity - max_change < lower)
        of_orders = of_orders[near_bound[row[of_orders]]]
        orders = order_of[column[of_orders]]
        by_order = np.argsort(orders, kind="stable")
        return _Rows(
            activity=_doubles(activity),
            lower=_doubles(lower),
            upper=_doubles(upper),
            start=_integers(np.searchsorted(orders[by_order], np.arange(len(self.orders) + 1))),
            row=_integers(row[of_orders][by_order]),
            value=_doubles(value[of_orders][by_order]),
        )

    def _max_steps_changed(self) -> int:
        """Return an upper bound on the steps by which one purchase changes."""
        max_arrivals = int(self.arrivals.reshape(-1, self.count).sum(axis=1).max(initial=0))
        return self.count * (max_arrivals + 1) + 1

    def _users_first(self) -> list[int]:
        """Return the nodes, each after all nodes made of its material. Nodes in a loop, or upstream of one, are missing."""
        network = self.problem.network
        users: dict[int, set[int]] = {i: set() for i in self.index.values()}
        for offer, feeds in network.feeds.items():
            outlets = {self.index[arc.node] for arc in network.arcs if arc.offer == offer}
            for feed in feeds:
                users[self.index[feed]] |= outlets
        nodes: list[int] = []
        while final_nodes := sorted(node for node, remaining in users.items() if not remaining):
            nodes += final_nodes
            for node in final_nodes:
                del users[node]
            for remaining in users.values():
                remaining.difference_update(final_nodes)
        return nodes
