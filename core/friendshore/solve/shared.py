"""Programs of many parts that share capacities, with prices for a bound and neighborhood search for a plan.

A plan rounded from the linear relaxation (`first_plan`) comes first, then prices of the linking constraints (`lagrangian`). A small search makes the
choices that the mix of the parts' plans leaves open. `Neighborhoods` improve them in turn with the prices, until plan and bound are near enough.
Choices without a cost of their own, such as placing an order, stay fractional until the others are made. See docs/explanation/search.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from time import monotonic

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .engine import NOTHING, Ask, Engines, SolverAnswer, SolverOutcome, Watch, cheapest
from .first_plan import fix, lp_seconds, reoptimized, rounded_plan
from .forcing import dual_bound
from .lagrangian import LagrangianPrices, LinkedProgram, PartSolver
from .scaling import scaled

PARALLEL_SEARCHES = 4


@dataclass(frozen=True, slots=True)
class SearchExtent:
    """Extent of a neighborhood search."""

    sizes: Sequence[int]
    """Parts in a neighborhood. The next size follows if a pass over all parts improves nothing."""
    nodes: int
    gap: float
    """Gap that ends a search, as a share of the cost of the whole plan."""
    guided: bool
    """True to draw parts by their possible gain and to search from the known plan. Otherwise all are equally likely, without a hint."""
    near: bool
    """True to fix all quantities of parts that use no capacity that the neighborhood's parts use."""


# Extent while choices without a cost are fractional.
WIDE_EXTENT = SearchExtent((8, 12, 16), 200, 5e-4, guided=False, near=False)
# Extents while all choices are integer, which are several times as many, in this order.
NEAR_EXTENT = SearchExtent((3,), 50, 2e-4, guided=True, near=True)
NARROW_EXTENT = SearchExtent((5, 8), 50, 5e-4, guided=True, near=False)
# Share of the draws in which all parts are equally likely.
EVEN_SHARE = 0.1
# Share of the objective by which a plan must be cheaper to count as better.
MIN_IMPROVEMENT = 1e-7


class Neighborhoods:
    """Large-neighborhood search: a few neighboring parts have open choices, while those of all others are fixed (Shaw, CP 1998).

    Several disjoint neighborhoods are searched at once (Danna, Rothberg and Le Pape, Mathematical Programming 102, 2005). Their number doesn't depend on
    the machine, and the clock ends none, so that equal programs give equal plans everywhere.
    """

    def __init__(
        self, linear: Linear, linked: LinkedProgram, engines: Engines, watch: Watch, extent: SearchExtent
    ) -> None:
        self.linear, self.engines, self.watch, self.extent = linear, engines, watch, extent
        self.part_of_column = np.full(len(linear.cost), -1)
        for number, part in enumerate(linked.parts):
            self.part_of_column[part.columns] = number
        self.linking_entries = linked.linear.entries[linked.rows]
        self.shared_counts = _shared_counts(self.linking_entries, self.part_of_column, len(linked.parts))
        self.random = np.random.default_rng(0)
        self.sizes = [size for size in extent.sizes if size < len(self.shared_counts)] or [len(self.shared_counts)]
        self.size = 0
        # Searches since the last better plan.
        self.idle = 0

    @property
    def exhausted(self) -> bool:
        return self.size == len(self.sizes)

    def round(self, best: SolverAnswer, integer: Mask, excess: Floats, workers: int) -> SolverAnswer:
        """Return the best of a plan and its improvements by a few searches. `excess` is the amount by which each part may be too expensive."""
        assert best.x is not None
        groups = self._groups(self.sizes[self.size], excess)
        programs = [self._fixed_outside(best.x, integer, group) for group in groups]

        hint = best.x if self.extent.guided else None
        search = partial(
            search_within,
            engines=self.engines,
            watch=self.watch,
            gap=self.extent.gap,
            nodes=self.extent.nodes,
            hint=hint,
        )
        with ThreadPoolExecutor(workers) as pool:
            answers = list(pool.map(search, programs))
        cutoff = best.objective - MIN_IMPROVEMENT * abs(best.objective)
        better_indices = [i for i, answer in enumerate(answers) if answer.x is not None and answer.objective < cutoff]
        self._count_idle(len(groups), bool(better_indices))
        if not better_indices:
            return best
        improved = [answers[i] for i in better_indices]
        if len(better_indices) > 1:
            improved.append(self._combined(best.x, integer, [(groups[i], answers[i]) for i in better_indices]))
        best_answer = cheapest(*improved)
        return SolverAnswer(SolverOutcome.FEASIBLE, best_answer.x, best_answer.objective, best.bound)

    def _count_idle(self, searches: int, is_better: bool) -> None:
        self.idle = 0 if is_better else self.idle + searches
        if self.idle * self.sizes[self.size] >= 2 * len(self.shared_counts):
            self.size, self.idle = self.size + 1, 0

    def _groups(self, size: int, excess: Floats) -> list[Ints]:
        is_available = np.ones(len(self.shared_counts), dtype=bool)
        gain = np.maximum(excess, 0.0) + 1e-300
        gain = gain / gain.sum() + EVEN_SHARE / len(gain) if self.extent.guided else np.ones(len(gain))
        groups = []
        for _ in range(PARALLEL_SEARCHES):
            if is_available.sum() < size:
                break
            probabilities = gain[is_available] / gain[is_available].sum() if self.extent.guided else None
            group = [int(self.random.choice(np.flatnonzero(is_available), p=probabilities))]
            is_available[group] = False
            while len(group) < size:
                weights = np.where(
                    is_available, 1e-9 + self.shared_counts[group].sum(axis=0) * gain, 0.0
                ) * self.random.random(len(is_available))
                group.append(int(weights.argmax()))
                is_available[group[-1]] = False
            groups.append(np.array(group))
        return groups

    def _fixed_outside(self, x: Floats, integer: Mask, group: Ints) -> Linear:
        is_outside = (self.part_of_column >= 0) & ~np.isin(self.part_of_column, group)
        program = fix(replace(self.linear, integer=integer), integer & is_outside, x)
        if not self.extent.near:
            return program
        part_of_used = np.where(np.abs(x) > TINY, self.part_of_column, -1)
        is_neighbor = _shared_counts(self.linking_entries, part_of_used, len(self.shared_counts))[group].sum(axis=0) > 0
        is_still = is_outside & ~integer & ~is_neighbor[self.part_of_column]
        return replace(program, lower=np.where(is_still, x, program.lower), upper=np.where(is_still, x, program.upper))

    def _combined(self, x: Floats, integer: Mask, answers: Sequence[tuple[Ints, SolverAnswer]]) -> SolverAnswer:
        combined = x.copy()
        for group, answer in answers:
            assert answer.x is not None
            in_group = np.isin(self.part_of_column, group)
            combined[in_group] = answer.x[in_group]
        program = fix(replace(self.linear, integer=integer), integer & (self.part_of_column >= 0), combined)
        return self.engines.search(program, Ask(self.watch.seconds_left())) if not self.watch.stopped() else NOTHING


def search_within(
    linear: Linear, engines: Engines, watch: Watch, gap: float, nodes: int, hint: Floats | None = None
) -> SolverAnswer:
    return NOTHING if watch.stopped() else engines.search(linear, Ask(watch.seconds_left(), gap, nodes=nodes), hint)


def with_all_choices(
    linear: Linear, is_decided: Mask, plan: SolverAnswer, engines: Engines, watch: Watch
) -> SolverAnswer:
    assert plan.x is not None
    rounded = np.where(is_decided, np.round(plan.x), np.ceil(plan.x - TINY))
    answer = engines.search(fix(linear, linear.integer, rounded), Ask(watch.seconds_left()))
    return (
        answer
        if answer.x is not None
        else search_within(fix(linear, is_decided, plan.x), engines, watch, START_GAP, START_NODES)
    )


def _shared_counts(linking_entries: Entries, part_of_column: Ints, parts: int) -> Floats:
    touches = np.zeros((linking_entries.shape[0], parts))
    has_part = part_of_column[linking_entries.indices] >= 0
    touches[linking_entries.rows[has_part], part_of_column[linking_entries.indices[has_part]]] = 1.0
    shared_count: Floats = touches.T @ touches
    return shared_count


PRICE_GAP = 1e-5
# Rounds of pricing before the first plan.
FIRST_ROUNDS = 4
# Rounds of pricing between improvements of the plan.
ROUNDS = 4
MAX_ROUNDS = 60
# Neighborhood searches before all choices are made and the bound is improved again.
SEARCHES = 3
# Value in the mix of plans from which on a choice is made in the first plan.
MIN_SHARE = 0.99
# Limits of the search of the first plan.
START_GAP, START_NODES = 1e-2, 20
# Nodes of the search of the whole for a bound. Cuts raise the bound, and branching hardly does.
ROOT_NODES = 1
# Minimum time left for that search, as a multiple of the time of the linear relaxation. With less, all of it is spent on a better plan.
TIME_TO_BOUND = 60
# Limits of the search of the choices without a cost.
REST_GAP, REST_NODES = 1e-4, 200

TINY = 1e-6


class SharedCapacitySearch:
    """Search of a program whose parts share capacities."""

    def __init__(self, linked: LinkedProgram, solver: PartSolver) -> None:
        self.linked, self.solver, self.watch = linked, solver, solver.watch
        self.engines = solver.engines
        self.linear, self.scale = scaled(linked.linear)
        self.with_cost = _with_cost(linked.linear)
        self.best = NOTHING
        self.bound = -np.inf
        self._bounding: Future[SolverAnswer] | None = None

    @property
    def unconfirmed_bound(self) -> float:
        """Bound that HiGHS alone claims, of the scaled program. It ends no search."""
        return self._bounding.result().bound if self._bounding is not None and self._bounding.done() else -np.inf

    def run(self) -> SolverAnswer:
        """Return the best plan and bound found, of the scaled program. `SolverOutcome.OPTIMAL` if they are within the gap."""
        started = monotonic()
        relaxed = self.engines.search(self._with_integer(self.with_cost & False), Ask(lp_seconds(self.watch)))
        time_to_bound = TIME_TO_BOUND * (monotonic() - started)
        if relaxed.outcome is not SolverOutcome.OPTIMAL:
            return relaxed
        if relaxed.duals is None:  # a fallback engine may give no duals, and without them its optimum proves no bound
            return NOTHING
        self.bound = relaxation_bound = dual_bound(self._with_integer(self.with_cost & False), relaxed.duals)
        assert relaxed.x is not None
        self.best = rounded_plan(self.linear, relaxed.x, self.engines, self.watch)
        if self._is_done() or self.watch.stopped():
            return self._answer(Confirmation.BOUND)
        start = self.scale.duals(relaxed.duals)[self.linked.rows]
        prices = LagrangianPrices(self._parts(), self.solver, start, PRICE_GAP)
        seconds = self.watch.seconds_left()
        if seconds is None or seconds < time_to_bound:
            self._improve(prices)
        else:
            self._improve_while_bounding(prices, self.watch.within(seconds))
        prices.confirm()
        self.bound = max(relaxation_bound, prices.bound / self.scale.money)
        return self._answer(Confirmation.SECOND_SOLVER)

    def _improve_while_bounding(self, prices: LagrangianPrices, watch: Watch) -> None:
        """Search the whole for a bound meanwhile, without branching and with choices without a cost fractional. The watch ends that search."""
        whole, engines = self._with_integer(self.with_cost), replace(self.engines, stopped=watch.cancelled)
        with ThreadPoolExecutor(1) as pool:
            self._bounding = pool.submit(search_within, whole, engines, watch, self.solver.gap, ROOT_NODES)
            try:
                self._improve(prices)
                if not self._is_done():
                    self._bounding.result()
            finally:
                watch.interrupted = True

    def _improve(self, prices: LagrangianPrices) -> None:
        prices.run(FIRST_ROUNDS)
        self._raise_bound(prices.bound)
        start_plan = self._start(prices)
        if start_plan.x is not None:
            full_plan = with_all_choices(self.linear, self.with_cost, start_plan, self.engines, self.watch)
            self.best = cheapest(self.best, full_plan)
            plan = self._improved(self._neighborhoods(WIDE_EXTENT), start_plan, self.with_cost, prices)
            self._complete_and_keep(plan)
        if self.best.x is not None:
            self._improve_in_turn(prices)

    def _parts(self) -> LinkedProgram:
        linked = self.linked
        parts = [
            replace(part, linear=replace(part.linear, integer=self.with_cost[part.columns])) for part in linked.parts
        ]
        return replace(linked, parts=parts)

    def _start(self, prices: LagrangianPrices) -> SolverAnswer:
        """Return a plan with only choices that some part's plan made, including all that the mix of plans makes."""
        if prices.mix is None or self.watch.stopped():
            return NOTHING
        x = prices.mix / self.scale.columns
        is_decided = self.with_cost & ((x > MIN_SHARE) | ~prices.used_choices(self.with_cost))
        return search_within(
            fix(self._with_integer(self.with_cost), is_decided, x), self.engines, self.watch, START_GAP, START_NODES
        )

    def _improve_in_turn(self, prices: LagrangianPrices) -> None:
        for neighborhoods in (self._neighborhoods(NEAR_EXTENT), self._neighborhoods(NARROW_EXTENT)):
            while not (self._is_done() or neighborhoods.exhausted or self.watch.stopped()):
                self.best = self._improved(neighborhoods, self.best, self.linear.integer, prices)
                # Better prices also show which parts are too expensive.
                if prices.rounds < MAX_ROUNDS and not self._is_done():
                    prices.run(ROUNDS)
                    self._raise_bound(prices.bound)

    def _neighborhoods(self, extent: SearchExtent) -> Neighborhoods:
        return Neighborhoods(self.linear, self.linked, self.engines, self.watch, extent)

    def _improved(
        self, neighborhoods: Neighborhoods, plan: SolverAnswer, integer: Mask, prices: LagrangianPrices
    ) -> SolverAnswer:
        for _ in range(SEARCHES):
            if not neighborhoods.exhausted:
                assert plan.x is not None
                # The search for a bound has one thread.
                is_bounding = self._bounding is not None and not self._bounding.done()
                workers = max(1, self.solver.workers - is_bounding)
                plan = neighborhoods.round(plan, integer, prices.excess(plan.x * self.scale.columns), workers)
        return plan

    def _complete_and_keep(self, plan: SolverAnswer) -> None:
        assert plan.x is not None
        full_plan = search_within(
            fix(self.linear, self.with_cost, plan.x), self.engines, self.watch, REST_GAP, REST_NODES
        )
        if full_plan.x is not None and full_plan.objective < self.best.objective:
            self.best = full_plan

    def _raise_bound(self, bound: float) -> None:
        self.bound = max(self.bound, bound / self.scale.money)

    def _is_done(self) -> bool:
        return self.best.objective - self.bound <= self.solver.gap * abs(self.best.objective)

    def _answer(self, confirmed_by: Confirmation) -> SolverAnswer:
        if self.best.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        self.best = reoptimized(self.linear, self.engines, self.best)
        bound = min(self.bound, self.best.objective)
        if not self._is_done():
            return SolverAnswer(SolverOutcome.FEASIBLE, self.best.x, self.best.objective, bound)
        confirmed = frozenset({confirmed_by})
        return SolverAnswer(SolverOutcome.OPTIMAL, self.best.x, self.best.objective, bound, confirmed_by=confirmed)

    def _with_integer(self, integer: Mask) -> Linear:
        return replace(self.linear, integer=integer)


def _with_cost(linear: Linear) -> Mask:
    has_cost: Mask = linear.integer & (linear.cost != 0)
    return has_cost if has_cost.any() else linear.integer
