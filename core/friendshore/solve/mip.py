"""Search of programs with integer variables, from a first plan, by an engine or by branch and bound with bounds that duals prove.

HiGHS and SCIP need a tenth of a second to start on a program of a few dozen choices, whose relaxation is a few millionths below the optimum. Here
GLOP continues from one node's basis to the next, which takes two milliseconds, and a handful of nodes is enough. Since duals prove the bound of
each node, the optimum needs no second opinion (`branch_and_bound`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Linear, continuous
from .engine import NOTHING, Ask, Engines, Opinion, SolverAnswer, SolverOutcome, Watch, is_open
from .engines import ENGINES, WarmStartedSolver
from .first_plan import (
    WHOLE,
    Steps,
    branching_gap,
    first_plan,
    fix,
    no_steps,
    reoptimized,
    with_free_choices,
)
from .forcing import dual_bound, with_finite_bounds
from .subgradient import CLOSE, NODES_TO_CLOSE

NODES = 60


def branch_and_bound(
    linear: Linear,
    remaining: Linear,
    known: SolverAnswer,
    gap: float,
    engines: Engines,
    watch: Watch,
    start: Floats | None = None,
) -> SolverAnswer | None:
    """Return the cheapest plan to a relative gap, with a bound that duals prove. None if another search is better.

    `remaining` has all plans of `linear` that cost less than the known one. Without a known one, the plan with the choices of `start` replaces it, if any.
    """
    if engines.simplex != ENGINES.simplex:  # a custom engine must be called
        return None
    search = _Tree(remaining, gap, watch)
    if known.x is None and start is not None:
        known = search.plan_with_choices(start)
    if (known.x is None and start is None) or not search.run(known) or search.best.x is None:
        return None
    best = search.best
    if best is not known and (best := reoptimized(linear, engines, search.best)) is search.best:
        return None  # rounded exactly, the choices violate a row
    bound = max(search.bound, known.bound)
    return optimal_by_bound(best, bound) if best.objective - gap * abs(best.objective) <= bound else None


def optimal_by_bound(answer: SolverAnswer, bound: float) -> SolverAnswer:
    confirmed = frozenset({Confirmation.BOUND})
    return replace(
        answer, outcome=SolverOutcome.OPTIMAL, bound=min(bound, answer.objective), confirmed_by=confirmed, duals=None
    )


class _Tree:
    def __init__(self, linear: Linear, gap: float, watch: Watch) -> None:
        self.linear, self.watch = linear, watch
        self.gap = branching_gap(gap)
        self.integer_columns = np.flatnonzero(linear.integer)
        self.relaxation = continuous(linear)
        self.solver = WarmStartedSolver()
        self.best = NOTHING
        # Lower bound on the cost of all plans of closed nodes.
        self.bound = np.inf

    @property
    def cutoff(self) -> float:
        return np.inf if self.best.x is None else self.best.objective - self.gap * abs(self.best.objective)

    def plan_with_choices(self, start: Floats) -> SolverAnswer:
        choices = np.where(self.linear.integer & np.isfinite(start), start, self.linear.lower)
        choices = np.clip(np.round(choices), self.linear.lower, self.linear.upper)
        self.solver.optimum(self.relaxation)  # its basis is near that of the next program
        answer = self.solver.optimum(fix(self.relaxation, self.linear.integer, choices))
        if answer.x is None:
            return NOTHING
        return replace(answer, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)

    def run(self, known: SolverAnswer) -> bool:
        """Search plans that cost less than a known one, if any, best node first. Return False if it gives up."""
        self.best, self.relaxation = known, continuous(with_finite_bounds(self.linear, known.objective))
        waiting: list[tuple[float, int, Floats, Floats]] = [(-np.inf, 0, self.relaxation.lower, self.relaxation.upper)]
        node_count = last_id = 0
        while waiting:
            parent_bound, _, lower, upper = heappop(waiting)
            if parent_bound >= self.cutoff:
                self.bound = min(self.bound, parent_bound)
                continue
            node_count += 1
            if node_count > NODES or self.watch.stopped():
                self.bound = min(self.bound, parent_bound)
                break
            node = replace(self.relaxation, lower=lower, upper=upper)
            answer = self.solver.optimum(node)
            if answer.x is None or answer.duals is None:  # infeasibility has no duals as a proof
                return False
            node_bound = max(parent_bound, dual_bound(node, answer.duals))
            best = self.best
            is_close = best.x is not None and best.objective - node_bound <= CLOSE * abs(best.objective)
            if not np.isfinite(node_bound) or (node_count >= NODES_TO_CLOSE and not is_close):
                return False
            if node_bound >= self.cutoff:
                self.bound = min(self.bound, node_bound)
                continue
            x = with_free_choices(replace(node, integer=self.linear.integer), answer.x)
            fractions = np.abs(x[self.integer_columns] - np.round(x[self.integer_columns]))
            if not (fractions > WHOLE).any():
                self._keep(x)
                self.bound = min(self.bound, node_bound)
                continue
            column = self.integer_columns[np.argmax(fractions)]
            down_upper, up_lower = upper.copy(), lower.copy()
            down_upper[column], up_lower[column] = np.floor(x[column]), np.ceil(x[column])
            heappush(waiting, (node_bound, last_id + 1, lower, down_upper))
            heappush(waiting, (node_bound, last_id + 2, up_lower, upper))
            last_id += 2
        return self.best.x is not None

    def _keep(self, x: Floats) -> None:
        value = self.linear.value(x)
        if value < self.best.objective:
            self.best = SolverAnswer(SolverOutcome.FEASIBLE, x, value)


def solve_mip(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    known: SolverAnswer = NOTHING,
    steps: Steps = no_steps,
    row_factors: Floats | float = 1.0,
    confirm: bool = True,
    start: Floats | None = None,
    relaxed: SolverAnswer | None = None,
    branch: bool = False,
) -> SolverAnswer:
    """Return the best answer for a program with integer variables, to a relative gap, until the watch stops it.

    Args:
        known: Plan to start from and proved bound, if any. Without a time limit, they must not depend on the clock.
        confirm: False for one of many programs whose bounds are confirmed together. The outcome is then `UNCONFIRMED`.
        start: Plan of a similar program, whose choices are a starting point. NaN for unknown ones.
        relaxed: Answer of its linear relaxation, if known.
        branch: True for a program that its relaxation nearly solves, see `branch_and_bound`.
    """
    remaining = linear
    if known.x is None and not np.isfinite(known.bound):
        known, remaining = first_plan(linear, engines, watch, gap, steps, row_factors, start, relaxed)
        if known.x is not None:
            known = reoptimized(linear, engines, known)
    if known.outcome is SolverOutcome.INFEASIBLE:
        return known
    if known.objective <= _target_cost(known.bound, gap):
        return optimal_by_bound(known, known.bound)
    if (
        branch
        and known.x is not None
        and (branched := branch_and_bound(linear, remaining, known, gap, engines, watch)) is not None
    ):
        return branched
    started = time.monotonic()
    answer = _search(linear, remaining, engines, watch, gap, known)
    missed_known_plan = answer.outcome in (SolverOutcome.INFEASIBLE, SolverOutcome.OPTIMAL) and is_open(
        answer.objective * (1 - gap), known.objective
    )
    # An engine that misses a known plan within narrow bounds is at the limit of its tolerances.
    if remaining is not linear and missed_known_plan:
        answer, remaining = _search(linear, linear, engines, watch, gap, known), linear
    if answer.confirmed_by or not confirm:
        return answer
    program = linear if answer.outcome is SolverOutcome.INFEASIBLE else remaining
    opinions = engines.opinions(program, watch, gap, time.monotonic() - started)
    if answer.outcome is SolverOutcome.OPTIMAL and known.objective < answer.objective:
        answer = replace(answer, x=known.x, objective=known.objective)
    has_claim = answer.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return _confirm(linear, opinions, engines, gap, answer) if has_claim else answer


def _confirm(
    linear: Linear, opinions: Iterable[Opinion], engines: Engines, gap: float, claim: SolverAnswer
) -> SolverAnswer:
    """Request second opinions on a claimed optimum or infeasibility, until two searches agree. A cheaper plan replaces the claim."""
    best, bound = claim, claim.bound
    for opinion in opinions:
        answer = opinion(hint=best.x)
        if answer.x is None:
            if answer.outcome is SolverOutcome.INFEASIBLE is best.outcome:
                return best
            continue
        other = reoptimized(linear, engines, answer)
        if best.x is None or not _is_within_gap(best.objective, other.objective, gap):
            best, bound = other, other.bound
        elif _is_within_gap(best.objective, other.bound, gap):
            confirmation = Confirmation.SECOND_SOLVER if other.solver != best.solver else Confirmation.SECOND_SEARCH
            if best.objective - other.bound > _SUM_ROUNDING * abs(best.objective):
                bound = min(bound, other.bound)
            confirmed = frozenset({confirmation})
            return replace(
                best, outcome=SolverOutcome.OPTIMAL, bound=min(bound, best.objective), confirmed_by=confirmed
            )
    if best.x is None:
        return best
    return replace(best, outcome=SolverOutcome.UNCONFIRMED, bound=min(bound, best.objective))


def _is_within_gap(value: float, bound: float, gap: float) -> bool:
    return value - bound <= (gap + _ROUNDING) * max(1.0, abs(value))


# Share of the cost by which the tolerances of two solvers may differ.
_ROUNDING = 1e-7
# Share of the cost by which two computations of the same sum may differ.
_SUM_ROUNDING = 1e-12


def _search(
    linear: Linear, remaining: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer
) -> SolverAnswer:
    best, bound = known, known.bound
    target = _target_cost(bound, gap) if np.isfinite(bound) else None
    is_tight, is_broken, start = False, False, known.x
    while not watch.stopped():
        ask = Ask(watch.seconds_left(), gap, enough=target, tight=is_tight)
        answer = engines.search(remaining, ask, start)
        bound = max(bound, answer.bound)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return answer
        if is_broken := answer.outcome is SolverOutcome.BROKEN:
            break
        raw_objective = answer.objective
        if start is not None and _is_inconsistent(answer, target, gap):
            start, target = None, None
            continue
        if answer.x is not None:
            answer = reoptimized(linear, engines, answer)
            if answer.objective < best.objective:
                best = answer
        reached_target = target is not None and raw_objective <= target
        if (
            (reached_target or answer.outcome is SolverOutcome.OPTIMAL)
            and not is_tight
            and is_open(answer.objective, raw_objective)
        ):
            is_tight = True  # violations within the tolerance lowered the cost of plan and bound noticeably
            continue
        if target is not None and answer.objective <= target:
            return optimal_by_bound(answer, known.bound)
        if answer.outcome is SolverOutcome.OPTIMAL:
            return replace(answer, bound=min(bound, answer.objective))
        if reached_target:
            target = None  # it ended too early: rounding the choices made the plan more expensive
            continue
        break  # it reached a limit or gave up
    outcome = SolverOutcome.BROKEN if is_broken and best.x is None else best.outcome
    return SolverAnswer(outcome, best.x, best.objective, min(bound, best.objective))


def _is_inconsistent(answer: SolverAnswer, target: float | None, gap: float) -> bool:
    """Return True if a solver ended as if its plan cost less than it does. HiGHS can do so when it starts from a given plan."""
    if answer.x is None or answer.out_of_time:
        return False
    if answer.outcome is SolverOutcome.OPTIMAL:
        return not _is_within_gap(answer.objective, answer.bound, gap)
    return target is not None and answer.objective > target


def _target_cost(bound: float, gap: float) -> float:
    return bound + gap * abs(bound) if np.isfinite(bound) else bound
