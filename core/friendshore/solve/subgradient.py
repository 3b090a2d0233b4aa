"""Prices of shared capacities by a subgradient method, for programs of many links whose relaxation takes a simplex too long.

A choice opens capacities, and the flows through them: `sum of a[j] x[j] <= K y`, `x[j] <= u[j] y`. All other rows, mainly those of demand, are priced
(Lagrangian relaxation: Geoffrion, Mathematical Programming Study 2, 1974). The value of a choice at the prices is then a continuous knapsack, filled
from the flow that earns most. A price rises if its row is short and falls if it is over (Held, Wolfe and Crowder, Validation of subgradient
optimization, Mathematical Programming 6, 1974). Rows that count choices (`forcing.with_count_rows`) make the most valuable ones.

The result is a dual for each row, and the average of the columns (Barahona and Anbil, The volume algorithm, Mathematical Programming 87, 2000). Weak
duality gives the bound of the duals, whatever their origin. Prices are in single precision, so that rounding of another processor has no effect.

If all integer columns are such choices, branch and bound follows (`best_plan_by_prices`; Görtz and Klose, A simple but usually fast branch-and-bound
algorithm for the capacitated facility location problem, INFORMS Journal on Computing 24, 2012). A node starts from its parent's prices, so that a few
rounds are enough. Reduced costs decide most choices. A linear program is solved only if its plan may be better.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from heapq import heappop, heappush

import numpy as np

from ..program.matrix import Floats, Ints, Linear, Mask
from .engine import SolverAnswer, SolverOutcome, Watch, cheapest
from .forcing import dual_bound, links, without_closed_columns

ROUNDS = 400
# Length of the first steps, relative to the one that would close the gap to a known plan if the bound rose evenly (Polyak).
FIRST_LENGTH = 2.0
# Rounds without a better bound after which steps are shorter, from the best prices.
PATIENCE = 15
LENGTH_DIVISOR = 1.5
# Minimum improvement of a bound, relative to it.
MIN_RISE = 1e-6
ROUND_WEIGHT = 0.05
# The same for a node of a tree, whose first prices are those of its parent.
NODE_ROUNDS, NODE_LENGTH, NODE_PATIENCE = 40, 0.5, 6
NODES = 500
# Nodes after which a branch and bound gives up, unless its best plan is close to its bound: within CLOSE, as a share of the plan. Most end sooner.
NODES_TO_CLOSE = 20
# Prices whose plan is as close replace the relaxation.
CLOSE = 0.02
# Share of the best plan's cost above it, at which steps aim. Steps that aim at its cost itself approach it, but never prove that a node costs more.
AIM = 0.005
# Share of the gap, and of the cost, by which the reduced cost of a choice must exceed the gap to decide it.
GAP_ROUNDING, COST_ROUNDING = 1e-6, 1e-9


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

    def best_prices(
        self, plan_cost: float, watch: Watch, enough: float = np.inf, start: Floats | None = None
    ) -> SolverAnswer | None:
        """Return the best duals and the average columns. `enough` is a bound that ends the search, and `start` has first prices."""
        rounds, length, patience = (
            (ROUNDS, FIRST_LENGTH, PATIENCE) if start is None else (NODE_ROUNDS, NODE_LENGTH, NODE_PATIENCE)
        )
        prices = best = self.start.copy()
        if start is not None:
            prices[self.priced] = start
        bound, rounds_stalled, average = -np.inf, 0, np.zeros(0)
        for _ in range(rounds):
            if watch.stopped() or bound >= enough:
                break
            value, x = self._bound_at(prices)
            if not np.isfinite(value):
                break
            average = average + ROUND_WEIGHT * (x - average) if len(average) else x
            if np.isinf(bound) or value > bound + MIN_RISE * abs(bound):
                bound, best, rounds_stalled = value, prices, 0
            else:
                rounds_stalled += 1
            if rounds_stalled == patience:
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
        max_use = opened.max_use * self.linear.upper[opened.choice[opened.capacity]]
        earning_flows = np.flatnonzero((unit_earnings < 0) & (max_use > 0))
        flow_order = earning_flows[np.lexsort((unit_earnings[earning_flows], opened.capacity[earning_flows]))]
        capacity, max_use = opened.capacity[flow_order], max_use[flow_order]
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

    def lacks_choices(self, linear: Linear) -> bool:
        """Return True if a row that counts choices can't be satisfied, even if as much is short as may be."""
        rows = np.array([row for row, _, _ in self.count_rows], dtype=np.intp)
        entries = linear.entries[rows]
        max_values = np.where(entries.data > 0, linear.upper[entries.indices], linear.lower[entries.indices])
        max_sums = np.bincount(entries.rows, entries.data * max_values, minlength=len(rows))
        return bool((max_sums < linear.row_lower[rows] - MIN_RISE).any())

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


def best_plan_by_prices(
    linear: Linear, plan_cost: float, gap: float, watch: Watch, solve: Callable[[Linear], SolverAnswer]
) -> SolverAnswer | None:
    """Return a plan that costs less than a known one, if found, and a bound for all plans. None if an integer column opens no flows.

    `solve` returns the optimum of a program whose choices are made, and its bound.
    """
    open_linear, open_columns = without_closed_columns(linear)
    opened = _opened_flows(open_linear)
    if opened is None or not np.isin(np.flatnonzero(open_linear.integer), opened.choice).all():
        return None
    answer = _PriceTree(_Prices(open_linear, opened), plan_cost, gap, watch, solve).run()
    if answer.x is None:
        return answer
    x = np.zeros(len(linear.cost))
    x[open_columns] = answer.x
    return replace(answer, x=x)


@dataclass(frozen=True, slots=True, eq=False)
class _Node:
    lower: Floats
    """Bounds of the choices."""
    upper: Floats
    bound: float = -np.inf
    prices: Floats | None = None
    """Best prices of the node, or of its parent to start from."""
    average: Floats | None = None
    """Average of the choices."""


class _PriceTree:
    def __init__(
        self, prices: _Prices, plan_cost: float, gap: float, watch: Watch, solve: Callable[[Linear], SolverAnswer]
    ) -> None:
        self.prices, self.gap, self.watch, self.solve = prices, gap, watch, solve
        self.linear = prices.linear
        self.choices = np.flatnonzero(self.linear.integer)
        self.best = SolverAnswer(SolverOutcome.FEASIBLE, objective=plan_cost)
        # Lower bound on the cost of all plans of closed nodes.
        self.bound = np.inf
        self.tried: set[bytes] = set()

    def run(self) -> SolverAnswer:
        """Search best node first. A better plan at the root closes many choices, so the search then starts over without them."""
        known_cost = self.best.objective
        root = self._narrowed(_Node(self.linear.lower[self.choices], self.linear.upper[self.choices]))
        if root is not None and self.best.objective < known_cost:
            program = self._program(root.lower, root.upper)
            focused = best_plan_by_prices(program, self.best.objective, self.gap, self.watch, self.solve)
            if focused is not None:
                return replace(cheapest(self.best, focused), bound=max(focused.bound, root.bound))
        waiting = [] if root is None else [(root.bound, 0, root)]
        node_count = 1
        while waiting and node_count < NODES and not self.watch.stopped():
            bound, _, node = heappop(waiting)
            cost = self.best.objective
            if node_count >= NODES_TO_CLOSE and cost - bound > CLOSE * abs(cost):
                self.bound = min(self.bound, bound)
                break
            for child in self._children(node):
                node_count += 1
                narrowed = self._narrowed(child)
                if narrowed is not None:
                    heappush(waiting, (narrowed.bound, node_count, narrowed))
        return replace(self.best, bound=min([self.bound, self.best.objective, *(bound for bound, _, _ in waiting)]))

    def _children(self, node: _Node) -> list[_Node]:
        """Return the two nodes in which the least clear choice is made."""
        if self._is_closed(node.bound):
            self.bound = min(self.bound, node.bound)
            return []
        assert node.average is not None
        choice = np.argmin(np.where(node.lower < node.upper, np.abs(node.average - 0.5), np.inf))
        upper, lower = node.upper.copy(), node.lower.copy()
        upper[choice], lower[choice] = node.lower[choice], node.upper[choice]
        return [replace(node, upper=upper), replace(node, lower=lower)]

    def _narrowed(self, node: _Node) -> _Node | None:
        """Return the node with its bound, and without choices that cost more than the best plan. None if that closes it."""
        program = self._program(node.lower, node.upper)
        if self.prices.lacks_choices(program):
            return None
        cost = self.best.objective
        self.prices.linear = program
        answer = self.prices.best_prices(cost + AIM * abs(cost), self.watch, cost, node.prices)
        if answer is None or answer.x is None or answer.duals is None:  # stopped
            self.bound = min(self.bound, node.bound)
            return None
        priced_bound, average = dual_bound(program, answer.duals), answer.x[self.choices]
        bound = max(node.bound, priced_bound)
        if not self._is_closed(bound):
            self._try_rounded(program, average, answer.duals)
        cost, reduced = self.best.objective, program.reduced(answer.duals)[self.choices]
        room = max(0.0, cost - priced_bound) * (1 + GAP_ROUNDING) + COST_ROUNDING * max(1.0, abs(cost))
        lower = np.where(reduced < -room, node.upper, node.lower)
        upper = np.where(reduced > room, node.lower, node.upper)
        if not self._is_closed(bound) and (lower < upper).any():
            return _Node(lower, upper, bound, answer.duals[self.prices.priced], average)
        if not self._is_closed(bound):
            bound = max(bound, self._solved(self._program(lower, upper)))
        self.bound = min(self.bound, bound)
        return None

    def _is_closed(self, bound: float) -> bool:
        return bound >= self.best.objective - self.gap * abs(self.best.objective)

    def _try_rounded(self, program: Linear, average: Floats, duals: Floats) -> None:
        """Solve the program with each choice made as in most rounds, if that may be a better plan."""
        made = np.where(average >= 0.5, program.upper[self.choices], program.lower[self.choices])
        rounded = self._program(made, made)
        is_new = made.tobytes() not in self.tried
        if is_new and not self.prices.lacks_choices(rounded) and not self._is_closed(dual_bound(rounded, duals)):
            self.tried.add(made.tobytes())
            self._solved(rounded)

    def _solved(self, program: Linear) -> float:
        """Return the bound of a program whose choices are made, and keep its plan if it is better."""
        answer = self.solve(program)
        if answer.x is not None and answer.objective < self.best.objective:
            self.best = replace(answer, outcome=SolverOutcome.FEASIBLE, duals=None)
        return np.inf if answer.outcome is SolverOutcome.INFEASIBLE else answer.bound

    def _program(self, lower: Floats, upper: Floats) -> Linear:
        lower_bounds, upper_bounds = self.linear.lower.copy(), self.linear.upper.copy()
        lower_bounds[self.choices], upper_bounds[self.choices] = lower, upper
        return replace(self.linear, lower=lower_bounds, upper=upper_bounds)
