"""Programs of many parts that share capacities, with prices for a bound and neighborhood search for a plan.

A first plan is rounded from the linear relaxation (`first_plan`). The linking constraints are priced (`lagrangian`). A small search makes the choices
that the mix of the parts' plans leaves open, and they are improved part by part (`Neighbourhoods`). Both continue in turn until the plan is near enough
to the bound. Choices without a cost of their own, such as placing an order, stay fractional until the others are made. That is a relaxation, so the
bound is valid. The rest is finally searched as one program, from the known plan and bound. See docs/explanation/search.md.

A neighborhood is a few neighboring parts with open choices, while those of all others are fixed. This is large-neighborhood search (Shaw, Using
constraint programming and local search methods to solve vehicle routing problems, CP 1998), with a separate search for every neighborhood (Danna,
Rothberg and Le Pape, Mathematical Programming 102, 2005). Several disjoint ones are searched at once. Their number doesn't depend on the machine. The
clock ends none unless it ends the whole search, so that equal programs give equal plans everywhere. Neighborhoods give only plans and prove nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Ints, Linear, Mask
from .engine import NOTHING, Ask, Engines, SolverAnswer, SolverOutcome, Watch
from .first_plan import dual_bound, fix, reoptimized, rounded_plan, seconds_left
from .lagrangian import Joint, LagrangianPrices, PartSolver
from .scaling import scaled

AT_ONCE = 4
"""Number of neighborhoods searched from the same plan."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Extent of a neighborhood search."""

    sizes: Sequence[int]
    """Parts in a neighborhood. The next size follows if a pass over all parts improves nothing."""
    nodes: int
    closely: bool
    """True to draw parts by their possible gain and to search from the known plan. Otherwise all are equally likely, without a hint."""


WIDE = Reach((8, 12, 16), 200, closely=False)
"""Extent while choices without a cost are fractional."""
NARROW = Reach((3, 5, 8), 50, closely=True)
"""Extent while all choices are integer, which are several times as many."""
GAP = 5e-4
"""Relative gap at which the search of a neighborhood ends."""
EVEN = 0.1
"""Share of the draws in which all parts are equally likely."""
BETTER = 1e-7
"""Share of the objective by which a plan must be cheaper to count as better."""


class Neighbourhoods:
    """Plan of a program whose parts share something, and the proximity of its parts."""

    def __init__(
        self,
        linear: Linear,
        joint: Joint,
        engines: Engines,
        watch: Watch,
        workers: int,
        reach: Reach,
    ) -> None:
        self.linear, self.engines, self.watch, self.workers, self.reach = linear, engines, watch, workers, reach
        self.part = np.full(len(linear.cost), -1)
        for number, part in enumerate(joint.parts):
            self.part[part.columns] = number
        self.near = _near(joint, self.part)
        self.dice = np.random.default_rng(0)
        self.sizes = [size for size in reach.sizes if size < len(self.near)] or [len(self.near)]
        self.size = 0
        self.idle = 0
        """Searches since the last better plan."""

    @property
    def exhausted(self) -> bool:
        """True if a whole pass at every size improved nothing."""
        return self.size == len(self.sizes)

    def round(self, best: SolverAnswer, whole: Mask, excess: Floats) -> SolverAnswer:
        """Return the best of a plan and its improvements by a few searches. Only the columns of `whole` must be integer.

        Args:
            excess: Amount by which each part may be too expensive.
        """
        assert best.x is not None
        groups = self._groups(self.sizes[self.size], excess)
        programs = [self._opened(best.x, whole, group) for group in groups]

        hint = best.x if self.reach.closely else None
        search = partial(
            search_within, engines=self.engines, watch=self.watch, gap=GAP, nodes=self.reach.nodes, hint=hint
        )
        with ThreadPoolExecutor(self.workers) as pool:
            found = list(pool.map(search, programs))
        enough = best.objective - BETTER * abs(best.objective)
        better = [i for i, answer in enumerate(found) if answer.x is not None and answer.objective < enough]
        self._note(len(groups), bool(better))
        if not better:
            return best
        one = min((found[i] for i in better), key=lambda answer: answer.objective)
        if len(better) > 1:
            together = self._together(best.x, whole, [(groups[i], found[i]) for i in better])
            one = min(one, together, key=lambda answer: answer.objective)
        return SolverAnswer(SolverOutcome.FEASIBLE, one.x, one.objective, best.bound)

    def _note(self, searches: int, better: bool) -> None:
        self.idle = 0 if better else self.idle + searches
        if self.idle * self.sizes[self.size] >= 2 * len(self.near):
            self.size, self.idle = self.size + 1, 0

    def _groups(self, size: int, excess: Floats) -> list[Ints]:
        """Return disjoint groups of neighbors, each around a part drawn at random by its possible gain."""
        left = np.ones(len(self.near), dtype=bool)
        gain = np.maximum(excess, 0.0) + 1e-300
        gain = gain / gain.sum() + EVEN / len(gain) if self.reach.closely else np.ones(len(gain))
        groups = []
        for _ in range(AT_ONCE):
            if left.sum() < size:
                break
            chance = gain[left] / gain[left].sum() if self.reach.closely else None
            group = [int(self.dice.choice(np.flatnonzero(left), p=chance))]
            left[group] = False
            while len(group) < size:
                weight = np.where(left, 1e-9 + self.near[group].sum(axis=0) * gain, 0.0) * self.dice.random(len(left))
                group.append(int(weight.argmax()))
                left[group[-1]] = False
            groups.append(np.array(group))
        return groups

    def _opened(self, x: Floats, whole: Mask, group: Ints) -> Linear:
        """Return the program with all choices fixed except those of some parts."""
        fixed = whole & (self.part >= 0) & ~np.isin(self.part, group)
        return fix(replace(self.linear, integer=whole), fixed, x)

    def _together(self, x: Floats, whole: Mask, found: Sequence[tuple[Ints, SolverAnswer]]) -> SolverAnswer:
        """Combine the choices of several searches, if feasible."""
        mixed = x.copy()
        for group, answer in found:
            assert answer.x is not None
            own = np.isin(self.part, group)
            mixed[own] = answer.x[own]
        fixed = fix(replace(self.linear, integer=whole), whole & (self.part >= 0), mixed)
        return self.engines.search(fixed, Ask(self.watch.left())) if not self.watch.stopped() else NOTHING


def search_within(
    linear: Linear, engines: Engines, watch: Watch, gap: float, nodes: int, hint: Floats | None = None
) -> SolverAnswer:
    """Search until the gap or the number of nodes is reached. `NOTHING` if the watch has stopped."""
    return NOTHING if watch.stopped() else engines.search(linear, Ask(watch.left(), gap, nodes=nodes), hint)


def with_all_choices(linear: Linear, made: Mask, plan: SolverAnswer, engines: Engines, watch: Watch) -> SolverAnswer:
    """Return a plan with all choices made, from one that makes only some of them. `NOTHING` if none is found.

    All fractional choices are rounded up at once. If that isn't feasible, such as for two orders with a minimum in a capacity for one, a brief search decides.
    """
    assert plan.x is not None
    begun = np.where(made, np.round(plan.x), np.ceil(plan.x - BEGUN))
    full = engines.search(fix(linear, linear.integer, begun), Ask(watch.left()))
    return (
        full if full.x is not None else search_within(fix(linear, made, plan.x), engines, watch, START_GAP, START_NODES)
    )


def _near(joint: Joint, part: Ints) -> Floats:
    """Return the number of linking constraints that each pair of parts shares."""
    entries = joint.linear.entries[joint.rows]
    touched = np.zeros((len(joint.rows), len(joint.parts)))
    known = part[entries.indices] >= 0
    touched[entries.rows[known], part[entries.indices[known]]] = 1.0
    near: Floats = touched.T @ touched
    return near


PRICE_GAP = 1e-5
"""Relative gap to which each part is solved at some prices."""
FIRST_ROUNDS = 4
"""Rounds of pricing before the first plan."""
ROUNDS = 4
"""Rounds of pricing between improvements of the plan."""
MOST_ROUNDS = 60
"""Maximum rounds of pricing."""
SEARCHES = 3
"""Neighborhood searches before all choices are made and the bound is improved again."""
SURE = 0.99
"""Value in the mix of plans from which on a choice is made in the first plan."""
START_GAP, START_NODES = 1e-2, 20
"""Limits of the search of the first plan."""
REST_GAP, REST_NODES = 1e-4, 200
"""Limits of the search of the choices without a cost."""

BEGUN = 1e-6
"""Fraction of a choice above which it counts as begun."""


class SharedCapacitySearch:
    """Search of one program."""

    def __init__(self, joint: Joint, solver: PartSolver) -> None:
        self.joint, self.solver, self.watch = joint, solver, solver.watch
        self.engines = solver.engines
        self.linear, self.scale = scaled(joint.linear)
        self.dear = _dear(joint.linear)
        self.best = NOTHING
        """Best plan that makes all choices."""
        self.bound = -np.inf

    def run(self) -> SolverAnswer:
        """Return the best plan and bound found, of the scaled program. `SolverOutcome.OPTIMAL` if they are within the gap."""
        relaxed = self.engines.search(self._opened(self.dear & False), Ask(seconds_left(self.watch)))
        if relaxed.outcome is not SolverOutcome.OPTIMAL:
            return relaxed
        if relaxed.duals is None:  # an engine that was asked because others gave up tells none
            return SolverAnswer(SolverOutcome.NOTHING, bound=relaxed.objective)
        self.bound = unpriced = dual_bound(self._opened(self.dear & False), relaxed.duals)
        assert relaxed.x is not None
        self.best = rounded_plan(self.linear, relaxed.x, self.engines, self.watch)
        if self._done() or self.watch.stopped():
            return self._answer(Confirmation.BOUND)
        start = self.scale.duals(relaxed.duals)[self.joint.rows]
        prices = LagrangianPrices(self._parts(), self.solver, start, PRICE_GAP)
        prices.run(FIRST_ROUNDS)
        self._prove(prices.bound)
        first = self._start(prices)
        if first.x is not None:
            full = with_all_choices(self.linear, self.dear, first, self.engines, self.watch)
            self.best = min(self.best, full, key=lambda answer: answer.objective)
            near = self._neighbourhoods(WIDE)
            self._keep(self._bettered(near, first, self.dear, prices))
        if self.best.x is not None:
            self._better(prices)
        prices.confirm()
        self.bound = max(unpriced, prices.bound / self.scale.money)
        return self._answer(Confirmation.SECOND_SOLVER)

    def _parts(self) -> Joint:
        """Return the parts, with choices without a cost fractional."""
        joint = self.joint
        parts = [replace(p, linear=replace(p.linear, integer=self.dear[p.columns])) for p in joint.parts]
        return replace(joint, parts=parts)

    def _start(self, prices: LagrangianPrices) -> SolverAnswer:
        """Return a plan with only choices that some part's plan made, including all that the mix of plans makes."""
        if prices.mixed is None or self.watch.stopped():
            return NOTHING
        x = prices.mixed / self.scale.columns
        settled = self.dear & ((x > SURE) | ~prices.ever(self.dear))
        return search_within(fix(self._opened(self.dear), settled, x), self.engines, self.watch, START_GAP, START_NODES)

    def _better(self, prices: LagrangianPrices) -> None:
        """Improve the bound and the best plan in turn, with all of its choices open."""
        near = self._neighbourhoods(NARROW)
        while not (self._done() or near.exhausted or self.watch.stopped()):
            if prices.rounds < MOST_ROUNDS:
                prices.run(ROUNDS)
                self._prove(prices.bound)
            if not self._done():
                self.best = self._bettered(near, self.best, self.linear.integer, prices)

    def _neighbourhoods(self, reach: Reach) -> Neighbourhoods:
        return Neighbourhoods(self.linear, self.joint, self.engines, self.watch, self.solver.workers, reach)

    def _bettered(
        self, near: Neighbourhoods, plan: SolverAnswer, whole: Mask, prices: LagrangianPrices
    ) -> SolverAnswer:
        """Return a plan that makes the choices of `whole`, after a few rounds of searches near it."""
        for _ in range(SEARCHES):
            if not near.exhausted:
                assert plan.x is not None
                plan = near.round(plan, whole, prices.excess(plan.x * self.scale.columns))
        return plan

    def _keep(self, plan: SolverAnswer) -> None:
        """Make the remaining choices of a plan, and keep it if it is the best."""
        assert plan.x is not None
        full = search_within(fix(self.linear, self.dear, plan.x), self.engines, self.watch, REST_GAP, REST_NODES)
        if full.x is not None and full.objective < self.best.objective:
            self.best = full

    def _prove(self, bound: float) -> None:
        self.bound = max(self.bound, bound / self.scale.money)

    def _done(self) -> bool:
        return self.best.objective - self.bound <= self.solver.gap * abs(self.best.objective)

    def _answer(self, confirmed_by: Confirmation) -> SolverAnswer:
        if self.best.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        self.best = reoptimized(self.linear, self.engines, self.best)
        bound = min(self.bound, self.best.objective)
        if not self._done():
            return SolverAnswer(SolverOutcome.FEASIBLE, self.best.x, self.best.objective, bound)
        confirmed = frozenset({confirmed_by})
        return SolverAnswer(SolverOutcome.OPTIMAL, self.best.x, self.best.objective, bound, confirmed_by=confirmed)

    def _opened(self, whole: Mask) -> Linear:
        return replace(self.linear, integer=whole)


def _dear(linear: Linear) -> Mask:
    """Return the integer variables with a cost, or all if none has one."""
    dear: Mask = linear.integer & (linear.cost != 0)
    return dear if dear.any() else linear.integer
