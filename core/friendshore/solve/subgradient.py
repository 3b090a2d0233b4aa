"""Prices of shared capacities by a subgradient method, for programs of many links whose relaxation takes a simplex too long.

A choice opens capacities, and the flows through them: `sum of a[j] x[j] <= K y`, `x[j] <= u[j] y`. All other rows, mainly those of demand, are priced
(Lagrangian relaxation: Geoffrion, Mathematical Programming Study 2, 1974). The value of a choice at the prices is then a continuous knapsack, filled
from the flow that earns most. A price rises if its row is short and falls if it is over (Held, Wolfe and Crowder, Validation of subgradient
optimization, Mathematical Programming 6, 1974). Rows that count choices (`forcing.with_count_rows`) make the most valuable ones.

The result is a dual for each row, and the average of the columns (Barahona and Anbil, The volume algorithm, Mathematical Programming 87, 2000). Weak
duality gives the bound of the duals, whatever their origin. Prices are in single precision, so that rounding of another processor has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..program.matrix import Floats, Ints, Linear, Mask
from .engine import SolverAnswer, SolverOutcome, Watch
from .forcing import links

ROUNDS = 400
# Length of the first steps, relative to the one that would close the gap to a known plan if the bound rose evenly (Polyak).
FIRST_LENGTH = 2.0
# Rounds without a better bound after which steps are shorter, from the best prices.
PATIENCE = 15
LENGTH_DIVISOR = 1.5
# Minimum improvement of a bound, relative to it.
MIN_RISE = 1e-6
ROUND_WEIGHT = 0.05


def subgradient_prices(linear: Linear, plan_cost: float, watch: Watch) -> SolverAnswer | None:
    """Return duals of all rows and average values of all columns. None if no choice opens flows, or no prices prove anything."""
    opened = _opened_flows(linear)
    return None if opened is None else _Prices(linear, opened).best_prices(plan_cost, watch)


@dataclass(frozen=True, slots=True, eq=False)
class _OpenedFlows:
    """Flows, each with its capacity. A capacity has a choice that opens it, a size (`room`), and a row, or -1 and no limit."""

    flow: Ints
    use: Floats
    max_use: Floats
    link: Ints
    """Position of each coefficient in the row that links the flow to its choice."""
    capacity: Ints
    """Capacity of each flow."""
    choice: Ints
    room: Floats
    row: Ints


def _opened_flows(linear: Linear) -> _OpenedFlows | None:
    row_count, column_count = linear.entries.shape
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    binary = linear.integer & (linear.lower >= 0) & (linear.upper <= 1)
    flow_entry, choice_entry = links(linear)
    is_link = (
        binary[column[choice_entry]] & ~linear.integer[column[flow_entry]] & (linear.lower[column[flow_entry]] == 0)
    )
    flow, first_index = np.unique(column[flow_entry[is_link]], return_index=True)
    flow_entry, choice_entry = flow_entry[is_link][first_index], choice_entry[is_link][first_index]
    if not len(flow):
        return None
    choice_of, choice_of_row, is_positive = np.full(column_count, -1), np.full(row_count, -1), value > 0
    choice_of[flow], choice_of_row[row[~is_positive]] = column[choice_entry], column[~is_positive]
    is_capacity = (
        (np.bincount(row[~is_positive], minlength=row_count) == 1)
        & (linear.row_upper == 0)
        & (linear.entries.counts > 2)
    )
    is_capacity[row[is_positive & (choice_of[column] != choice_of_row[row])]] = False
    use_entries = np.flatnonzero(is_capacity[row] & is_positive)
    is_repeated = np.ones(len(use_entries), dtype=bool)
    is_repeated[np.unique(column[use_entries], return_index=True)[1]] = False
    is_capacity[row[use_entries[is_repeated]]] = False
    use_entries = use_entries[is_capacity[row[use_entries]]]
    capacity_of, use, room = row_count + choice_of, np.ones(column_count), np.full(row_count, np.inf)
    capacity_of[column[use_entries]], use[column[use_entries]] = row[use_entries], value[use_entries]
    room[row[~is_positive]] = -value[~is_positive]
    capacities, first_index, capacity_index = np.unique(capacity_of[flow], return_index=True, return_inverse=True)
    capacity_row = np.where(capacities < row_count, capacities, -1)
    max_use = use[flow] * np.minimum(-value[choice_entry] / value[flow_entry], linear.upper[flow])
    limits = np.where(capacity_row >= 0, room[capacity_row], np.inf)
    return _OpenedFlows(
        flow, use[flow], max_use, flow_entry, capacity_index, column[choice_entry[first_index]], limits, capacity_row
    )


class _Prices:
    def __init__(self, linear: Linear, opened: _OpenedFlows) -> None:
        self.linear, self.opened = linear, opened
        row_count, column_count = linear.entries.shape
        row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
        self.chosen, self.rest = np.zeros(column_count, dtype=bool), np.ones(column_count, dtype=bool)
        self.chosen[opened.choice], self.rest[opened.choice], self.rest[opened.flow] = True, False, False
        has_unit_weight = self.chosen[column] & (value == 1)
        is_count_row = (np.bincount(row[has_unit_weight], minlength=row_count) > 1) & np.isposinf(linear.row_upper)
        is_count_row[row[~has_unit_weight & ~self.rest[column]]] = False
        self.count_rows = [
            (row_number, *self._counted_choices(row_number)) for row_number in np.flatnonzero(is_count_row).tolist()
        ]
        self.priced = ~is_count_row & ~self._always_satisfied()
        self.priced[row[opened.link]] = False
        self.priced[opened.row[opened.row >= 0]] = False
        is_priced = self.priced[row]
        self.row, self.column, self.value = row[is_priced], column[is_priced], value[is_priced]
        fixed_activity = self._activity(np.where(linear.lower == linear.upper, linear.lower, 0.0))
        bounds = (
            np.where(np.isfinite(bound), np.abs(bound - fixed_activity), 0.0)
            for bound in (linear.row_lower, linear.row_upper)
        )
        size = np.maximum(*bounds)
        self.size = np.where(size > MIN_RISE * size.max(initial=0.0), size, 1.0)
        self.low = np.where(self.priced & np.isfinite(linear.row_upper), -np.inf, 0.0)
        self.high = np.where(self.priced & np.isfinite(linear.row_lower), np.inf, 0.0)
        is_single = self.rest[self.column] & (np.bincount(self.column, minlength=column_count) == 1)[self.column]
        is_unbounded, is_positive = is_single & np.isinf(linear.upper[self.column]), self.value > 0
        price_limit, shortage_price = linear.cost[self.column] / self.value, np.full(row_count, np.inf)
        for bound, used, tighten in (
            (self.high, is_unbounded & is_positive, np.minimum),
            (self.low, is_unbounded & ~is_positive, np.maximum),
            (shortage_price, is_single & is_positive, np.minimum),
        ):
            tighten.at(bound, self.row[used], price_limit[used])
        # The first price of a row without flows is the price of its shortage.
        has_flows = np.bincount(self.row[~self.rest[self.column]], minlength=row_count) > 0
        self.start = np.clip(np.where(has_flows | np.isinf(shortage_price), 0.0, shortage_price), self.low, self.high)

    def best_prices(self, plan_cost: float, watch: Watch) -> SolverAnswer | None:
        prices = best = self.start
        bound, length, rounds_stalled, average = -np.inf, FIRST_LENGTH, 0, np.zeros(0)
        for _ in range(ROUNDS):
            if watch.stopped():
                break
            value, x = self._bound_at(prices)
            if not np.isfinite(value):
                break
            average = average + ROUND_WEIGHT * (x - average) if len(average) else x
            if np.isinf(bound) or value > bound + MIN_RISE * abs(bound):
                bound, best, rounds_stalled = value, prices, 0
            else:
                rounds_stalled += 1
            if rounds_stalled == PATIENCE:
                prices, length, rounds_stalled = best, length / LENGTH_DIVISOR, 0
            shortfall = self._shortfall(prices, x)
            squared_shortfall = float((shortfall * shortfall / self.size).sum())
            if squared_shortfall <= 0:
                break
            prices = prices + length * (plan_cost - value) / squared_shortfall * shortfall / self.size
            prices = np.clip(prices.astype(np.float32).astype(np.float64), self.low, self.high)
        if np.isinf(bound):
            return None
        return SolverAnswer(SolverOutcome.FEASIBLE, average, bound=bound, duals=self._duals(best))

    def _bound_at(self, prices: Floats) -> tuple[float, Floats]:
        linear, opened = self.linear, self.opened
        flow_order, use_of_flow, net_cost = self._fill_capacities(prices)
        x = np.where(net_cost < 0, linear.upper, linear.lower)
        for _, choices, min_count in self.count_rows:
            x[self._chosen(net_cost, choices, min_count)] = 1.0
        x[opened.flow] = 0.0
        cost = np.where(x != 0, net_cost * x, 0.0).sum()
        x[opened.flow[flow_order]] = (
            use_of_flow / opened.use[flow_order] * x[opened.choice[opened.capacity[flow_order]]]
        )
        row_bounds = np.where(prices > 0, linear.row_lower, np.where(prices < 0, linear.row_upper, 0.0))
        return float((prices * row_bounds).sum()) + float(cost) + linear.constant, x

    def _fill_capacities(self, prices: Floats) -> tuple[Ints, Floats, Floats]:
        """Return the flows that earn something, by capacity and best first, their use, and each column's cost with all that it opens."""
        opened, reduced = self.opened, self._reduced(prices)
        unit_earnings = reduced[opened.flow] / opened.use
        earning_flows = np.flatnonzero((unit_earnings < 0) & (opened.max_use > 0))
        flow_order = earning_flows[np.lexsort((unit_earnings[earning_flows], opened.capacity[earning_flows]))]
        capacity, max_use = opened.capacity[flow_order], opened.max_use[flow_order]
        cumulative_use = np.append(0.0, np.cumsum(max_use))
        start_of_capacity = cumulative_use[np.searchsorted(capacity, np.arange(len(opened.room)))]
        use_of_flow = np.clip(opened.room[capacity] - (cumulative_use[:-1] - start_of_capacity[capacity]), 0.0, max_use)
        earned_by_choice = np.bincount(
            opened.choice[capacity], unit_earnings[flow_order] * use_of_flow, minlength=len(reduced)
        )
        return flow_order, use_of_flow, reduced + earned_by_choice

    def _reduced(self, prices: Floats) -> Floats:
        earned = np.bincount(self.column, self.value * prices[self.row], minlength=len(self.linear.cost))
        reduced: Floats = self.linear.cost - earned
        return reduced

    def _shortfall(self, prices: Floats, x: Floats) -> Floats:
        """Return the shortfall of each priced row. Negative if it is over."""
        linear, activity = self.linear, self._activity(x)
        within_bounds = np.clip(activity, linear.row_lower, linear.row_upper)
        targets = np.where(prices > 0, linear.row_lower, np.where(prices < 0, linear.row_upper, within_bounds))
        return np.where(self.priced, targets - activity, 0.0)

    def _activity(self, x: Floats) -> Floats:
        return np.bincount(self.row, self.value * x[self.column], minlength=len(self.priced)).astype(np.float64)

    def _always_satisfied(self) -> Mask:
        """Return the rows of flows through one capacity that are satisfied at any prices."""
        linear, opened = self.linear, self.opened
        row_count, column_count = linear.entries.shape
        row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
        capacity_of, use, capacity_of_row = np.full(column_count, -1), np.ones(column_count), np.full(row_count, -1)
        capacity_of[opened.flow], use[opened.flow] = opened.capacity, opened.use
        capacity_of_row[row] = capacity_of[column]
        share = np.full(row_count, -np.inf)
        np.maximum.at(
            share,
            row,
            np.where((capacity_of[column] == capacity_of_row[row]) & (value > 0), value / use[column], np.inf),
        )
        is_satisfied: Mask = (
            (capacity_of_row >= 0)
            & np.isneginf(linear.row_lower)
            & (share * opened.room[capacity_of_row] <= linear.row_upper)
        )
        return is_satisfied

    def _counted_choices(self, row: int) -> tuple[Ints, int]:
        linear = self.linear
        span = slice(linear.entries.indptr[row], linear.entries.indptr[row + 1])
        column, value = linear.entries.indices[span], linear.entries.data[span]
        values = value * np.where(value > 0, linear.lower[column], linear.upper[column])
        return column[~self.rest[column]], int(
            np.ceil(linear.row_lower[row] - values[self.rest[column]].sum() - MIN_RISE)
        )

    def _chosen(self, net_cost: Floats, choices: Ints, min_count: int) -> Ints:
        undecided = choices[self.linear.upper[choices] > self.linear.lower[choices]]
        missing = max(0, min_count - int(self.linear.lower[choices].sum()))
        return undecided[np.argsort(net_cost[undecided], kind="stable")][:missing]

    def _duals(self, prices: Floats) -> Floats:
        """Return the duals of all rows: the value of each full capacity, the additional value of each link, and the cost of the last counted choice."""
        opened, entries, duals = self.opened, self.linear.entries, prices.copy()
        flow_order, use_of_flow, net_cost = self._fill_capacities(prices)
        unit_earnings = self._reduced(prices)[opened.flow] / opened.use
        capacity, in_use = opened.capacity[flow_order], use_of_flow > 0
        last_earnings = np.full(len(opened.room), -np.inf)
        np.maximum.at(last_earnings, capacity[in_use], unit_earnings[flow_order[in_use]])
        is_full = np.bincount(capacity, use_of_flow, minlength=len(opened.room)) >= opened.room * (1 - MIN_RISE)
        last_earnings = np.where(is_full & np.isfinite(last_earnings), last_earnings, 0.0)
        duals[opened.row[opened.row >= 0]] = last_earnings[opened.row >= 0]
        link_values = np.minimum(0.0, unit_earnings - last_earnings[opened.capacity]) * opened.use
        duals[entries.rows[opened.link]] = link_values / entries.data[opened.link]
        for row, choices, min_count in self.count_rows:
            chosen = self._chosen(net_cost, choices, min_count)
            duals[row] = max(0.0, float(net_cost[chosen[-1]])) if len(chosen) else 0.0
        return duals
