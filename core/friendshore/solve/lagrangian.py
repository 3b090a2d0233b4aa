"""Pricing of linking constraints that join parts of a component: parts are solved apart, with column generation over their plans.

In some components only a few rows join the parts, such as a budget or a cap over several materials. These rows are first left out. If the parts'
optima satisfy them anyway, they are the proved optimum. Otherwise the rows are priced, for a bound and a plan. The rest is solved
jointly from that plan, and its bound is kept.

Each part is solved alone, with its costs minus its value at the prices. The parts' optima and the rows' own bounds together are a bound on the
whole. A small linear program, the master, mixes the plans found so far so that they satisfy the linking constraints. Its duals are the next prices
(`Subproblems`). Dantzig and Wolfe, Decomposition principle for linear programs, Operations Research 8, 1960, 101-111; Geoffrion, Lagrangean
relaxation for integer programming, Mathematical Programming Study 2, 1974, 82-114.

Few linking constraints (`LagrangianPricing`): rounds continue until no plan improves the mix. Then one plan per part is chosen, and the continuous columns
are solved jointly for the choices of these plans.

Capacities that many parts share (`LagrangianPrices`): the bound is above that of the linear relaxation, because each part's choices are integer.
The prices start at the duals of that relaxation and stay within a box around the best prices so far. The box shrinks after each round
without a better bound. Marsten, Hogan and Blankenship, The boxstep method for large-scale optimization, Operations Research 23, 1975, 389-405.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .components import Component, labels, split
from .engine import Ask, Engines, SolverAnswer, SolverOutcome, UnboundedError, Watch
from .first_plan import fix
from .scaling import scaled

MOST_ROWS = 64
"""Maximum number of linking constraints."""
FEW_ENTRIES = 5_000
"""Number of entries below which a linear program is solved as one. The search for linking constraints would take nearly as long."""
MANY_CHOICES = 400
"""Number of integer variables below which a program is solved as one."""
MANY_PARTS = 8
"""Minimum number of parts that share something. None may have more than twice its equal share of the columns."""
ROW_TOLERANCE = 1e-9
"""Tolerance of a row, relative to its bound or 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """Program as parts and their linking constraints."""

    linear: Linear
    rows: Ints
    """Linking constraints."""
    parts: Sequence[Component]
    """Parts without them. Rows and columns are positions in the program."""
    loose: Ints
    """Columns in no other row."""

    def spread(self, xs: Sequence[Floats], loose: Floats) -> Floats:
        x = np.zeros(len(self.linear.cost))
        x[self.loose] = loose
        for part, values in zip(self.parts, xs, strict=True):
            x[part.columns] = values
        return x

    def holds(self, x: Floats) -> bool:
        """Return True if a plan satisfies the linking constraints."""
        lower, upper = self.linear.row_lower[self.rows], self.linear.row_upper[self.rows]
        activity = self.linear.entries[self.rows] @ x
        slack = [ROW_TOLERANCE * np.maximum(1.0, np.where(np.isfinite(e), np.abs(e), 0.0)) for e in (lower, upper)]
        return bool((activity >= lower - slack[0]).all() and (activity <= upper + slack[1]).all())


def joint_of(linear: Linear) -> Joint | None:
    """Return the program as parts and their linking constraints. None if it is small and linear, or if no few rows join much smaller parts.

    Only inequalities are tried, those with most columns first. Equations carry flow from one period or stage
    to the next, and their prices tell little. As few rows are taken as leave no part with more than half of the columns.
    A row that then touches only one part goes back to it.
    """
    if linear.entries.nnz < FEW_ENTRIES and not linear.integer.any():
        return None
    counts = linear.entries.counts
    open_ended = np.flatnonzero((linear.row_lower < linear.row_upper) & (counts > 1))
    if not len(open_ended):
        return None
    candidates = open_ended[np.argsort(-counts[open_ended], kind="stable")][:MOST_ROWS]
    rows = np.sort(candidates[: _fewest(linear, candidates)])
    if not len(rows):
        return None
    joint = _settled(linear, rows)
    rows = joint.rows
    fit = len(joint.parts) >= 2 and 0 < len(rows) <= 2 * len(joint.parts)
    return joint if fit and max(len(part.columns) for part in joint.parts) <= len(linear.cost) / 2 else None


def sharing_of(linear: Linear, choices: int = MANY_CHOICES, parts: int = MANY_PARTS) -> Joint | None:
    """Return the program as many parts that share capacities and the like. None if it has few parts or few integer variables.

    The shared rows are the inequalities without integer variables. A row that then touches only one part goes back to it.
    """
    if np.count_nonzero(linear.integer) < choices:
        return None
    pattern = replace(linear.entries, data=np.ones(linear.entries.nnz))
    free = pattern @ linear.integer.astype(np.float64) == 0
    shared = free & (linear.row_lower < linear.row_upper) & (np.diff(linear.entries.indptr) > 1)
    joint = _settled(linear, np.flatnonzero(shared))
    if not len(joint.rows) or len(joint.parts) < parts:
        return None
    return joint if max(len(p.columns) for p in joint.parts) * parts <= 2 * len(linear.cost) else None


def _settled(linear: Linear, rows: Ints) -> Joint:
    """Return the parts for some linking constraints, except those that touch only one part."""
    joint = _apart(linear, rows)
    while (back := _within_one_part(joint)).any():
        rows = rows[~back]
        joint = _apart(linear, rows)
    return joint


def _fewest(linear: Linear, candidates: Ints) -> int:
    """Return the minimum number of first candidates that leave no part with more than half of the columns. 0 if all are too few, or none is needed.

    Without any of them there are many parts. The candidates are put back from the last, each joining the parts it touches.
    """
    part, _ = labels(linear.entries[_left(linear, candidates)])
    size = np.bincount(part)
    if size.max(initial=0) > len(part) / 2:
        return 0
    for number in range(len(candidates) - 1, -1, -1):
        start, stop = linear.entries.indptr[candidates[number] : candidates[number] + 2]
        touched = np.flatnonzero(np.bincount(part[linear.entries.indices[start:stop]]))
        size[touched[0]], size[touched[1:]] = size[touched].sum(), 0
        if size[touched[0]] > len(part) / 2:
            return number + 1
        part = np.where(np.isin(part, touched), touched[0], part)
    return 0


def _left(linear: Linear, rows: Ints) -> Ints:
    left = np.ones(linear.entries.shape[0], dtype=bool)
    left[rows] = False
    return np.flatnonzero(left)


def _apart(linear: Linear, rows: Ints) -> Joint:
    left = _left(linear, rows)
    pieces = split(linear.of_rows(left))
    parts = [replace(piece, rows=left[piece.rows]) for piece in pieces if len(piece.rows)]
    loose = [piece.columns for piece in pieces if not len(piece.rows)]
    return Joint(linear, rows, parts, np.concatenate([np.array([], dtype=np.intp), *loose]))


def _within_one_part(joint: Joint) -> NDArray[np.bool_]:
    """Return the linking constraints that touch at most one part, and no loose column of another one."""
    of_column = np.full(len(joint.linear.cost), -1)
    for number, part in enumerate(joint.parts):
        of_column[part.columns] = number
    entries = joint.linear.entries[joint.rows]
    spoken = np.bincount(entries.indices, minlength=len(of_column))
    back = np.zeros(len(joint.rows), dtype=bool)
    for row in range(len(joint.rows)):
        columns = entries.indices[entries.indptr[row] : entries.indptr[row + 1]]
        touched = of_column[columns]
        back[row] = len(set(touched[touched >= 0].tolist())) <= 1 and bool((spoken[columns[touched < 0]] == 1).all())
    return back


@dataclass(frozen=True, slots=True, eq=False)
class SubproblemPlan:
    """Plan of one part."""

    x: Floats
    cost: float
    activity: Floats
    """Its sum in each of the linking constraints."""


class Subproblems:
    """Program as parts, with their known plans."""

    def __init__(self, joint: Joint) -> None:
        self.joint, self.linear = joint, joint.linear
        self.entries = joint.linear.entries[joint.rows]
        """Coefficients of the linking constraints."""
        self.own = [self.entries.within(part.columns) for part in joint.parts]
        self.lower, self.upper = joint.linear.row_lower[joint.rows], joint.linear.row_upper[joint.rows]
        self.plans: list[list[SubproblemPlan]] = [[] for _ in joint.parts]

    @property
    def activity(self) -> Floats:
        """Sum of each plan in the linking constraints, rows by plans, in order of the parts."""
        found: Floats = np.array([plan.activity for plans in self.plans for plan in plans]).T
        return found

    def keep(self, part: int, x: Floats) -> bool:
        """Store a plan, and return True if it is new."""
        cost, activity = float(self.joint.parts[part].linear.cost @ x), self.own[part] @ x
        if any(p.cost == cost and (p.activity == activity).all() for p in self.plans[part]):
            return False
        self.plans[part].append(SubproblemPlan(x, cost, activity))
        return True

    def keep_all(self, answers: Sequence[SolverAnswer]) -> bool:
        """Store the plans of all parts, and return True if any is new."""
        new = [answer.x is not None and self.keep(part, answer.x) for part, answer in enumerate(answers)]
        return any(new)

    def at(self, prices: Floats, costs: bool = True) -> list[Linear]:
        """Return the parts at some prices: their value at the prices is subtracted from their costs, or from zero without `costs`."""
        return [
            replace(part.linear, cost=(part.linear.cost if costs else 0.0) - own.weighed(prices))
            for part, own in zip(self.joint.parts, self.own, strict=True)
        ]

    def signed(self, prices: Floats) -> Floats:
        """Return the prices with only the signs that their rows allow."""
        kept = np.where((prices > 0) & np.isinf(self.lower), 0.0, prices)
        return np.where((kept < 0) & np.isinf(self.upper), 0.0, kept)

    def sound(self, prices: Floats) -> Floats:
        """Return the prices with the allowed signs, scaled down so that loose columns without an upper bound earn no more than they cost."""
        kept = self.signed(prices)
        endless = self.joint.loose[np.isinf(self.linear.upper[self.joint.loose])]
        earned, cost = self.entries.within(endless).weighed(kept), self.linear.cost[endless]
        over = earned > cost
        return kept * float((cost[over] / earned[over]).min()) if over.any() else kept

    def bound(self, prices: Floats, answers: Sequence[SolverAnswer]) -> float:
        """Return a lower bound on the cost of plans that satisfy the rows."""
        binding = prices != 0
        ends = np.where(prices > 0, self.lower, self.upper)[binding]
        loose = self.joint.loose
        cost = self.linear.cost[loose] - self.entries.within(loose).weighed(prices)
        held = cost != 0
        least = np.where(cost < 0, self.linear.upper[loose], self.linear.lower[loose])
        parts = sum(answer.bound for answer in answers)
        return float(prices[binding] @ ends) + float(cost[held] @ least[held]) + parts + self.linear.constant

    def confirmed_bound(self, prices: Floats, bound: float, solver: PartSolver) -> float:
        """Return the part of a bound that second opinions on every part confirm at the same prices."""
        if solver.watch.stopped():
            return bound
        return min(bound, self.bound(prices, solver.opinions(self.at(prices))))

    def master(
        self, loose_cost: Floats, plan_cost: Floats, miss_cost: Floats, most_missed: float, whole: Mask | None = None
    ) -> Linear:
        """Return the program of the plans' shares, summing to one per part, so that they satisfy the linking constraints except for violations.

        Args:
            loose_cost: Costs of the loose columns, which come first.
            plan_cost: Costs of the plans, which come next, in order of the parts.
            miss_cost: Costs of violating each row from below, then from above.
            most_missed: Maximum of each violation.
            whole: Integer columns. None if there are none.
        """
        linear, loose, rows, parts = self.linear, self.joint.loose, len(self.lower), len(self.plans)
        of = np.repeat(np.arange(parts), [len(plans) for plans in self.plans])
        alone, activity, each = self.entries.within(loose), self.activity, np.arange(rows)
        row, plan = np.nonzero(activity)
        plans, misses = len(loose) + np.arange(len(of)), len(loose) + len(of) + np.arange(2 * rows)
        cost = np.concatenate([loose_cost, plan_cost, miss_cost])
        entries = Entries.summed(
            np.concatenate([alone.rows, row, rows + of, each, each]),
            np.concatenate([alone.indices, plans[plan], plans, misses]),
            np.concatenate([alone.data, activity[row, plan], np.ones(len(of)), np.ones(rows), -np.ones(rows)]),
            (rows + parts, len(cost)),
        )
        return Linear(
            cost=cost,
            lower=np.concatenate([linear.lower[loose], np.zeros(len(of) + 2 * rows)]),
            upper=np.concatenate([linear.upper[loose], np.ones(len(of)), np.full(2 * rows, most_missed)]),
            integer=np.zeros(len(cost), dtype=bool) if whole is None else whole,
            entries=entries,
            row_lower=np.concatenate([self.lower, np.ones(parts)]),
            row_upper=np.concatenate([self.upper, np.ones(parts)]),
        )

    @property
    def costs(self) -> Floats:
        """Costs of the plans, in order of the parts."""
        return np.array([plan.cost for plans in self.plans for plan in plans])


MOST_ROUNDS = 60
"""Maximum rounds of pricing."""
CHOICE_NODES = 2000
"""Nodes of the search for one plan per part. Unlike time, this limit doesn't depend on the clock."""


class PartSolver(Protocol):
    """Solver of one program without a time limit, and of many parts until its watch stops."""

    watch: Watch
    engines: Engines
    gap: float
    workers: int

    def exact(self, linear: Linear) -> SolverAnswer: ...

    def several(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]: ...

    def opinions(self, programs: Sequence[Linear], gap: float | None = None) -> list[SolverAnswer]: ...


class LagrangianPricing:
    """Plans found so far, and the bound that their prices prove."""

    def __init__(self, joint: Joint, first: Sequence[Floats], solver: PartSolver, bound: float) -> None:
        self.joint, self.linear, self.solver, self.bound = joint, joint.linear, solver, bound
        self.parted = Subproblems(joint)
        self._unpriced = bound
        self._prices: Floats | None = None
        """Prices that proved the bound. None if the parts alone did."""
        for part, x in enumerate(first):
            self.parted.keep(part, x)

    def run(self) -> SolverAnswer:
        """Return the best plan found, if any, and the best bound proved and confirmed."""
        priced = self._rounds(feasible=False) and self._rounds(feasible=True)
        if self._prices is not None:
            confirmed = self.parted.confirmed_bound(self._prices, self.bound, self.solver)
            self.bound = max(self._unpriced, confirmed)
        return self._choice() if priced else SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)

    def _rounds(self, feasible: bool) -> bool:
        """Price until some mix satisfies the rows, or with `feasible`, until no plan improves it. Return False if no known mix satisfies the rows."""
        for _ in range(MOST_ROUNDS):
            if self.solver.watch.stopped():
                return feasible
            mix = self.solver.exact(self._master(feasible))
            if mix.outcome is not SolverOutcome.OPTIMAL or mix.duals is None:
                return False
            if not feasible and mix.objective <= 1e-9:
                return True
            if feasible and mix.objective - self.bound <= self.solver.gap * abs(mix.objective) / 4:
                return True
            duals = mix.duals[: len(self.joint.rows)]
            prices = self.parted.sound(duals) if feasible else self.parted.signed(duals)
            answers = self._priced(prices, feasible)
            if answers is None:
                return feasible
            if feasible:
                bound = self.parted.bound(prices, answers)
                if bound > self.bound:
                    self.bound, self._prices = bound, prices
            if not self.parted.keep_all(answers):
                return feasible
        return feasible

    def _priced(self, prices: Floats, feasible: bool) -> list[SolverAnswer] | None:
        """Return the parts' best plans at some prices. None if a part has no minimum, so that these prices prove nothing."""
        try:
            return self.solver.several(self.parted.at(prices, costs=feasible))
        except UnboundedError:
            return None

    def _master(self, feasible: bool, whole: bool = False) -> Linear:
        """Return the master program. Before a mix is `feasible`, it minimizes the violations of rows."""
        parted, loose = self.parted, self.joint.loose
        costs, rows = parted.costs, len(self.joint.rows)
        integer = np.concatenate([self.linear.integer[loose], np.full(len(costs), True), np.full(2 * rows, False)])
        if feasible:
            return parted.master(self.linear.cost[loose], costs, np.zeros(2 * rows), 0.0, integer & whole)
        each = 1.0 / np.maximum(1.0, np.abs(parted.activity).max(axis=1))
        return parted.master(np.zeros(len(loose)), np.zeros(len(costs)), np.tile(each, 2), np.inf, integer & whole)

    def _choice(self) -> SolverAnswer:
        """Return one plan per part that together satisfy the linking constraints, improved where the prices leave a choice."""
        chosen = self._one_each()
        if chosen is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        exact = self.solver.exact(fix(self.linear, self.linear.integer, chosen))
        if exact.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        return SolverAnswer(SolverOutcome.FEASIBLE, exact.x, exact.objective, min(self.bound, exact.objective))

    def _one_each(self) -> Floats | None:
        """Return the cheapest choice found of one plan per part."""
        near_one, scale = scaled(self._master(feasible=True, whole=True))
        answer = self.solver.engines.search(near_one, Ask(gap=self.solver.gap, nodes=CHOICE_NODES))
        if answer.x is None:
            return None
        values = answer.x * scale.columns
        shares = iter(values[len(self.joint.loose) :].tolist())
        xs = []
        for found in self.parted.plans:
            each = [(next(shares), i) for i in range(len(found))]
            xs.append(found[max(each, key=lambda pair: (pair[0], -pair[1]))[1]].x)
        return self.joint.spread(xs, values[: len(self.joint.loose)])


BOX = 0.1
"""Half the width of the first box, as a share of a price and of a tenth of the highest one."""
SHRINK = 0.7
"""Factor of the box after a round without a better bound."""


class LagrangianPrices:
    """Best known prices of the linking constraints, the bound that they prove, and the parts' plans."""

    def __init__(self, joint: Joint, solver: PartSolver, start: Floats, gap: float) -> None:
        self.joint, self.solver, self.gap = joint, solver, gap
        self.parted = Subproblems(joint)
        self.width = BOX
        self.prices = self.parted.sound(start)
        self.bound = -np.inf
        self.answers: list[SolverAnswer] = []
        """Parts' best plans and bounds at the best prices. Empty if no prices proved anything."""
        self.mixed: Floats | None = None
        """Mix of the parts' plans that satisfies the linking constraints, as far as the box allows."""
        self.rounds = 0
        self._try(self.prices)

    def run(self, rounds: int) -> None:
        """Run some rounds. Stop earlier if the parts have no new plans."""
        for _ in range(rounds):
            if not all(self.parted.plans):
                return
            self.rounds += 1
            half = self.width * (np.abs(self.prices) + 0.1 * np.abs(self.prices).max(initial=0.0))
            try:
                mix = self.solver.exact(self._master(self.prices - half, self.prices + half))
            except UnboundedError:
                self.width *= SHRINK
                continue
            if mix.outcome is not SolverOutcome.OPTIMAL or mix.duals is None or mix.x is None:
                return
            self.mixed = self._spread(mix.x)
            if not self._try(self.parted.sound(mix.duals[: len(self.prices)])):
                return

    def confirm(self) -> None:
        """Keep only the part of the bound that second opinions confirm."""
        if self.answers:
            self.bound = self.parted.confirmed_bound(self.prices, self.bound, self.solver)

    def ever(self, choices: Mask) -> Mask:
        """Return the binary variables that are positive in any part's plan."""
        found = np.zeros(len(choices), dtype=bool)
        for part, plans in zip(self.joint.parts, self.parted.plans, strict=True):
            for plan in plans:
                found[part.columns] |= np.round(plan.x) > 0
        return found & choices

    def excess(self, x: Floats) -> Floats:
        """Return the excess cost of each part in a plan over its bound, at the best prices.

        Together with the slack of the priced rows times their prices, these sum to the gap between plan and bound.
        """
        if not self.answers:
            return np.zeros(len(self.joint.parts))
        parts = zip(self.parted.at(self.prices), self.joint.parts, self.answers, strict=True)
        return np.array([float(priced.cost @ x[part.columns]) - answer.bound for priced, part, answer in parts])

    def _try(self, prices: Floats) -> bool:
        """Solve all parts at some prices, and return True if there is more to find near the best prices."""
        try:
            answers = self.solver.several(self.parted.at(prices), self.gap)
        except UnboundedError:
            answers = []
        found = self.parted.bound(prices, answers) if answers else -np.inf
        if found > self.bound:
            self.prices, self.bound, self.answers = prices, found, answers
        else:
            self.width *= SHRINK
        return self.parted.keep_all(answers) or not answers

    def _master(self, low: Floats, high: Floats) -> Linear:
        """Return the master program with violations at the bounds of each row's box: from below at the high bound, from above at the low bound."""
        loose_cost = self.joint.linear.cost[self.joint.loose]
        return self.parted.master(loose_cost, self.parted.costs, np.concatenate([high, -low]), np.inf)

    def _spread(self, x: Floats) -> Floats:
        shares = iter(x[len(self.joint.loose) :].tolist())
        xs = [sum((next(shares) * plan.x for plan in found), np.zeros(len(found[0].x))) for found in self.parted.plans]
        return self.joint.spread(xs, x[: len(self.joint.loose)])
