"""Prices of shared capacities by a subgradient method, for programs of many links whose relaxation takes a simplex too long.

A choice opens capacities, and the flows through them: `sum of a[j] x[j] <= K y`, `x[j] <= u[j] y`. All other rows, mainly those of demand, are
priced (Lagrangian relaxation: Geoffrion, Mathematical Programming Study 2, 1974; of location: Cornuejols, Sridharan and Thizy, A comparison of heuristics and
relaxations for the capacitated plant location problem, European Journal of Operational Research 50, 1991). The value of a choice at the prices is then a
continuous knapsack, filled from the flow that earns most. A price rises if its row is short and falls if it is over (Held, Wolfe and Crowder,
Validation of subgradient optimization, Mathematical Programming 6, 1974). Rows that count choices (`forcing.numbered`) make the most valuable ones.

The result is a dual for each row, and the average of the columns (Barahona and Anbil, The volume algorithm: producing primal solutions with a
subgradient method, Mathematical Programming 87, 2000). Weak duality gives the bound of the duals, whatever their
origin. Prices are kept in single precision, so that different rounding of another processor in a last digit has no effect.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..program.matrix import Floats, Ints, Linear, Mask
from .engine import SolverAnswer, SolverOutcome, Watch
from .forcing import links

ROUNDS = 400
"""Maximum number of price changes."""
LONGEST = 2.0
"""Length of the first steps, relative to the one that would close the gap to a known plan if the bound rose evenly (Polyak)."""
PATIENCE = 15
"""Rounds without a better bound after which steps are shorter, from the best prices."""
SHORTER = 1.5
"""Divisor of the steps."""
RISE = 1e-6
"""Minimum improvement of a bound, relative to it."""
LAST = 0.05
"""Weight of a round in the average."""


def estimated(linear: Linear, plan: float, watch: Watch) -> SolverAnswer | None:
    """Return duals of all rows, and average values of all columns. None if no choice opens flows, or no prices prove anything.

    Args:
        linear: The program.
        plan: Cost of a plan.
        watch: Watch. When it stops, the best prices so far are taken.
    """
    opened = _opened(linear)
    return None if opened is None else _Prices(linear, opened).found(plan, watch)


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """Flows, each with the choice that opens it and its capacity."""

    flow: Ints
    """Column of each flow."""
    use: Floats
    """Capacity used per unit."""
    most: Floats
    """Maximum use of capacity."""
    link: Ints
    """Position of each coefficient in the row that links the flow to its choice."""
    through: Ints
    """Capacity of each flow."""
    choice: Ints
    """Choice that opens each capacity."""
    room: Floats
    """Size of each capacity. Infinite if no row limits it."""
    row: Ints
    """Row that limits it. -1 if none."""


def _opened(linear: Linear) -> _Opened | None:
    """Return the flows that a program's choices open. None if there are none. A flow has one link and one capacity, and further rows are priced."""
    rows, columns = linear.entries.shape
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    binary = linear.integer & (linear.lower >= 0) & (linear.upper <= 1)
    own, other = links(linear)
    fits = binary[column[other]] & ~linear.integer[column[own]] & (linear.lower[column[own]] == 0)
    flow, first = np.unique(column[own[fits]], return_index=True)
    own, other = own[fits][first], other[fits][first]
    if not len(flow):
        return None
    of, opens, rises = np.full(columns, -1), np.full(rows, -1), value > 0
    of[flow], opens[row[~rises]] = column[other], column[~rises]
    holds = (np.bincount(row[~rises], minlength=rows) == 1) & (linear.row_upper == 0) & (linear.entries.counts > 2)
    holds[row[rises & (of[column] != opens[row])]] = False
    passing = np.flatnonzero(holds[row] & rises)
    again = np.ones(len(passing), dtype=bool)
    again[np.unique(column[passing], return_index=True)[1]] = False
    holds[row[passing[again]]] = False
    passing = passing[holds[row[passing]]]
    through, use, room = rows + of, np.ones(columns), np.full(rows, np.inf)
    through[column[passing]], use[column[passing]] = row[passing], value[passing]
    room[row[~rises]] = -value[~rises]
    found, first, place = np.unique(through[flow], return_index=True, return_inverse=True)
    by_row = np.where(found < rows, found, -1)
    most = use[flow] * np.minimum(-value[other] / value[own], linear.upper[flow])
    limits = np.where(by_row >= 0, room[by_row], np.inf)
    return _Opened(flow, use[flow], most, own, place, column[other[first]], limits, by_row)


class _Prices:
    def __init__(self, linear: Linear, opened: _Opened) -> None:
        self.linear, self.opened = linear, opened
        rows, columns = linear.entries.shape
        row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
        self.chosen, self.rest = np.zeros(columns, dtype=bool), np.ones(columns, dtype=bool)
        self.chosen[opened.choice], self.rest[opened.choice], self.rest[opened.flow] = True, False, False
        one = self.chosen[column] & (value == 1)
        number = (np.bincount(row[one], minlength=rows) > 1) & np.isposinf(linear.row_upper)
        number[row[~one & ~self.rest[column]]] = False
        self.numbers = [(at, *self._number(at)) for at in np.flatnonzero(number).tolist()]
        self.priced = ~number & ~self._kept()
        self.priced[row[opened.link]] = False
        self.priced[opened.row[opened.row >= 0]] = False
        some = self.priced[row]
        self.row, self.column, self.value = row[some], column[some], value[some]
        held = self._comes_to(np.where(linear.lower == linear.upper, linear.lower, 0.0))
        ends = (np.where(np.isfinite(end), np.abs(end - held), 0.0) for end in (linear.row_lower, linear.row_upper))
        size = np.maximum(*ends)
        self.size = np.where(size > RISE * size.max(initial=0.0), size, 1.0)
        self.low = np.where(self.priced & np.isfinite(linear.row_upper), -np.inf, 0.0)
        self.high = np.where(self.priced & np.isfinite(linear.row_lower), np.inf, 0.0)
        alone = self.rest[self.column] & (np.bincount(self.column, minlength=columns) == 1)[self.column]
        endless, rises = alone & np.isinf(linear.upper[self.column]), self.value > 0
        limit, dearest = linear.cost[self.column] / self.value, np.full(rows, np.inf)
        for end, some, best in (
            (self.high, endless & rises, np.minimum),
            (self.low, endless & ~rises, np.maximum),
            (dearest, alone & rises, np.minimum),
        ):
            best.at(end, self.row[some], limit[some])
        # A row without flows begins at the price at which it is rather left short.
        flows = np.bincount(self.row[~self.rest[self.column]], minlength=rows) > 0
        self.start = np.clip(np.where(flows | np.isinf(dearest), 0.0, dearest), self.low, self.high)

    def found(self, plan: float, watch: Watch) -> SolverAnswer | None:
        """Return the best prices after some rounds, as duals, with the average of the columns. None if no prices prove anything."""
        prices = best = self.start
        bound, length, stalled, mean = -np.inf, LONGEST, 0, np.zeros(0)
        for _ in range(ROUNDS):
            if watch.stopped():
                break
            value, x = self._at(prices)
            if not np.isfinite(value):
                break
            mean = mean + LAST * (x - mean) if len(mean) else x
            if np.isinf(bound) or value > bound + RISE * abs(bound):
                bound, best, stalled = value, prices, 0
            else:
                stalled += 1
            if stalled == PATIENCE:
                prices, length, stalled = best, length / SHORTER, 0
            missed = self._missed(prices, x)
            off = float((missed * missed / self.size).sum())
            if off <= 0:
                break
            prices = prices + length * (plan - value) / off * missed / self.size
            prices = np.clip(prices.astype(np.float32).astype(np.float64), self.low, self.high)
        if np.isinf(bound):
            return None
        return SolverAnswer(SolverOutcome.FEASIBLE, mean, bound=bound, duals=self._duals(best))

    def _at(self, prices: Floats) -> tuple[float, Floats]:
        """Return the lower bound on all plans at some prices, and the columns that reach it."""
        linear, opened = self.linear, self.opened
        order, taken, worth = self._filled(prices)
        x = np.where(worth < 0, linear.upper, linear.lower)
        for _, choices, fewest in self.numbers:
            x[self._cheapest(worth, choices, fewest)] = 1.0
        x[opened.flow] = 0.0
        paid = np.where(x != 0, worth * x, 0.0).sum()
        x[opened.flow[order]] = taken / opened.use[order] * x[opened.choice[opened.through[order]]]
        ends = np.where(prices > 0, linear.row_lower, np.where(prices < 0, linear.row_upper, 0.0))
        return float((prices * ends).sum()) + float(paid) + linear.constant, x

    def _filled(self, prices: Floats) -> tuple[Ints, Floats, Floats]:
        """Return the flows that earn something, by capacity and best first, their use, and each column's cost with all that it opens."""
        opened, reduced = self.opened, self._reduced(prices)
        each = reduced[opened.flow] / opened.use
        some = np.flatnonzero((each < 0) & (opened.most > 0))
        order = some[np.lexsort((each[some], opened.through[some]))]
        through, most = opened.through[order], opened.most[order]
        before = np.append(0.0, np.cumsum(most))
        begins = before[np.searchsorted(through, np.arange(len(opened.room)))]
        taken = np.clip(opened.room[through] - (before[:-1] - begins[through]), 0.0, most)
        earned = np.bincount(opened.choice[through], each[order] * taken, minlength=len(reduced))
        return order, taken, reduced + earned

    def _reduced(self, prices: Floats) -> Floats:
        earned = np.bincount(self.column, self.value * prices[self.row], minlength=len(self.linear.cost))
        found: Floats = self.linear.cost - earned
        return found

    def _missed(self, prices: Floats, x: Floats) -> Floats:
        """Return the shortfall of each priced row. Negative if it is over."""
        linear, comes_to = self.linear, self._comes_to(x)
        within = np.clip(comes_to, linear.row_lower, linear.row_upper)
        wanted = np.where(prices > 0, linear.row_lower, np.where(prices < 0, linear.row_upper, within))
        return np.where(self.priced, wanted - comes_to, 0.0)

    def _comes_to(self, x: Floats) -> Floats:
        return np.bincount(self.row, self.value * x[self.column], minlength=len(self.priced)).astype(np.float64)

    def _kept(self) -> Mask:
        """Return the rows of flows through one capacity that are satisfied whatever the prices."""
        linear, opened = self.linear, self.opened
        rows, columns = linear.entries.shape
        row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
        through, use, one = np.full(columns, -1), np.ones(columns), np.full(rows, -1)
        through[opened.flow], use[opened.flow] = opened.through, opened.use
        one[row] = through[column]
        share = np.full(rows, -np.inf)
        np.maximum.at(share, row, np.where((through[column] == one[row]) & (value > 0), value / use[column], np.inf))
        kept: Mask = (one >= 0) & np.isneginf(linear.row_lower) & (share * opened.room[one] <= linear.row_upper)
        return kept

    def _number(self, row: int) -> tuple[Ints, int]:
        """Return the choices of a row that counts choices, and the required number without a shortage."""
        linear = self.linear
        span = slice(linear.entries.indptr[row], linear.entries.indptr[row + 1])
        column, value = linear.entries.indices[span], linear.entries.data[span]
        ends = value * np.where(value > 0, linear.lower[column], linear.upper[column])
        return column[~self.rest[column]], int(np.ceil(linear.row_lower[row] - ends[self.rest[column]].sum() - RISE))

    def _cheapest(self, worth: Floats, choices: Ints, fewest: int) -> Ints:
        """Return the choices to make for a row that counts choices, the most expensive last."""
        open_ = choices[self.linear.upper[choices] > self.linear.lower[choices]]
        asked = max(0, fewest - int(self.linear.lower[choices].sum()))
        return open_[np.argsort(worth[open_], kind="stable")][:asked]

    def _duals(self, prices: Floats) -> Floats:
        """Return the duals of all rows.

        They are the value of each full capacity, the additional value of each link, and the cost of the last choice of a row that counts choices.
        """
        opened, entries, found = self.opened, self.linear.entries, prices.copy()
        order, taken, worth = self._filled(prices)
        each = self._reduced(prices)[opened.flow] / opened.use
        through, some = opened.through[order], taken > 0
        least = np.full(len(opened.room), -np.inf)
        np.maximum.at(least, through[some], each[order[some]])
        full = np.bincount(through, taken, minlength=len(opened.room)) >= opened.room * (1 - RISE)
        least = np.where(full & np.isfinite(least), least, 0.0)
        found[opened.row[opened.row >= 0]] = least[opened.row >= 0]
        over = np.minimum(0.0, each - least[opened.through]) * opened.use
        found[entries.rows[opened.link]] = over / entries.data[opened.link]
        for row, choices, fewest in self.numbers:
            made = self._cheapest(worth, choices, fewest)
            found[row] = max(0.0, float(worth[made[-1]])) if len(made) else 0.0
        return found
