"""Search of programs with integer variables, from a first plan. It uses an engine, or branch and bound with bounds that duals prove.

HiGHS and SCIP need a tenth of a second to start on a program of a few dozen choices, whose relaxation is a few millionths below the optimum. Here
GLOP continues from one node's basis to the next, which takes two milliseconds, and a handful of nodes is enough. Since duals prove the bound
of each node, the optimum needs no second opinion (`branched`).

A choice that can rise to an integer without violating a row, and costs nothing, isn't branched on (rounding by locks, see `first_plan`).
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from heapq import heappop, heappush

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Ints, Linear, continuous
from .engine import NOTHING, Ask, Engines, Opinion, SolverAnswer, SolverOutcome, Watch, is_open
from .engines import ENGINES, WarmStartedSolver
from .first_plan import CLOSE, WHOLE, Steps, first_plan, fix, polished, proved, raised, unknown
from .forcing import ended

NODES = 60
"""Number of nodes after which an engine takes over."""


def branched(
    linear: Linear,
    left: Linear,
    known: SolverAnswer,
    gap: float,
    engines: Engines,
    watch: Watch,
    start: Floats | None = None,
) -> SolverAnswer | None:
    """Return the cheapest plan to a relative gap, with a bound that duals prove.

    None if that takes too many nodes, or if the relaxation has no plan or is more than `CLOSE` below the known plan.

    Args:
        linear: The program, for the returned plan.
        left: Remaining program to search: all plans that cost less than the known one.
        known: Best plan so far, with a bound. Without one, the plan with the choices of `start` replaces it.
    """
    if engines.simplex != ENGINES.simplex:  # a custom engine has to be asked
        return None
    search = _Tree(left, gap, watch)
    if known.x is None and start is not None:
        known = search.same_choices(start)
    if known.x is None or not search.run(known):
        return None
    best = search.best
    if best is not known and (best := polished(linear, engines, search.best)) is search.best:
        return None  # made exactly whole, its choices keep no rows
    bound = max(search.bound, known.bound)
    return by_bound(best, bound) if best.objective - gap * abs(best.objective) <= bound else None


def by_bound(answer: SolverAnswer, bound: float) -> SolverAnswer:
    """Return the answer as optimal, because a bound that duals prove reaches it."""
    confirmed = frozenset({Confirmation.BOUND})
    return replace(
        answer, outcome=SolverOutcome.OPTIMAL, bound=min(bound, answer.objective), confirmed_by=confirmed, duals=None
    )


class _Tree:
    def __init__(self, linear: Linear, gap: float, watch: Watch) -> None:
        self.linear, self.gap, self.watch = linear, gap, watch
        self.whole = np.flatnonzero(linear.integer)
        self.relaxation = continuous(linear)
        self.reasked = WarmStartedSolver()
        self.best = NOTHING
        self.bound = np.inf
        """Lower bound on the cost of all plans of closed nodes."""

    @property
    def enough(self) -> float:
        """Bound from which on a node is closed."""
        return self.best.objective - self.gap * abs(self.best.objective)

    def same_choices(self, start: Floats) -> SolverAnswer:
        """Return the cheapest plan with the choices of another, and unknown choices at their lower bounds. `NOTHING` if there is none."""
        made = np.where(self.linear.integer & np.isfinite(start), start, self.linear.lower)
        made = np.clip(np.round(made), self.linear.lower, self.linear.upper)
        self.reasked.optimum(self.relaxation)  # from its basis the next one is near
        found = self.reasked.optimum(fix(self.relaxation, self.linear.integer, made))
        if found.x is None:
            return NOTHING
        return replace(found, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)

    def run(self, known: SolverAnswer) -> bool:
        """Search plans that cost less than a known one, best node first. Return False if it gives up."""
        self.best, self.relaxation = known, continuous(ended(self.linear, known.objective))
        waiting: list[tuple[float, int, Floats, Floats]] = [(-np.inf, 0, self.relaxation.lower, self.relaxation.upper)]
        nodes = made = 0
        while waiting:
            before, _, lower, upper = heappop(waiting)
            if before >= self.enough:
                self.bound = min(self.bound, before)
                continue
            nodes += 1
            if nodes > NODES or self.watch.stopped():
                return False
            node = replace(self.relaxation, lower=lower, upper=upper)
            found = self.reasked.optimum(node)
            if found.x is None or found.duals is None:  # no duals prove that a node has no plan: that rests on solvers
                return False
            least = max(before, proved(node, found.duals))
            if not np.isfinite(least) or self.best.objective - least > CLOSE * abs(self.best.objective):
                return False
            if least >= self.enough:
                self.bound = min(self.bound, least)
                continue
            open_, x = self._made_whole(node, found.x)
            if not len(open_):
                self._keep(x)
                self.bound = min(self.bound, least)
                continue
            part = np.abs(x[open_] - np.round(x[open_]))
            column = open_[np.argmax(part)]
            fewer, more = upper.copy(), lower.copy()
            fewer[column], more[column] = np.floor(x[column]), np.ceil(x[column])
            heappush(waiting, (least, made + 1, lower, fewer))
            heappush(waiting, (least, made + 2, more, upper))
            made += 2
        return self.best.x is not None

    def _made_whole(self, node: Linear, x: Floats) -> tuple[Ints, Floats]:
        """Return the choices that are left to branch on, and the plan with the others rounded up."""
        off = self.whole[np.abs(x[self.whole] - np.round(x[self.whole])) > WHOLE]
        whole = np.ceil(x[off])
        fits = (raised(node, x)[off] >= whole - WHOLE) & (node.cost[off] <= 0)
        made = x.copy()
        made[off[fits]] = whole[fits]
        if fits.any() and not _holds(node, made):  # two that share a row
            return off, x
        return off[~fits], made

    def _keep(self, x: Floats) -> None:
        value = self.linear.value(x)
        if value < self.best.objective:
            self.best = SolverAnswer(SolverOutcome.FEASIBLE, x, value)


def _holds(linear: Linear, x: Floats) -> bool:
    """Return True if a plan satisfies the rows within GLOP's tolerance."""
    activity = linear.entries @ x
    room = WHOLE * np.maximum(1.0, np.abs(activity))
    return bool((activity >= linear.row_lower - room).all() and (activity <= linear.row_upper + room).all())


def solve_mip(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    known: SolverAnswer = NOTHING,
    steps: Steps = unknown,
    counted: Floats | float = 1.0,
    confirm: bool = True,
    start: Floats | None = None,
    relaxed: SolverAnswer | None = None,
    branch: bool = False,
) -> SolverAnswer:
    """Return the best answer for a program with integer variables, to a relative gap, until the watch stops it.

    A search follows a first plan (`first_plan`), and a second opinion follows its optimum. Without confirmation, the outcome is `UNCONFIRMED`.

    Args:
        known: Plan to start from and proved bound, if any. Without a time limit, they must not depend on the clock.
        confirm: False for one of many programs whose bounds are confirmed together at the end.
        start: Plan of a similar program, see `first_plan`.
        relaxed: Answer of its linear relaxation, if known.
        branch: True for a program that its relaxation nearly solves, see `branched`.

    Raises:
        UnboundedError: If the cost has no minimum.
    """
    left = linear
    if known.x is None and not np.isfinite(known.bound):
        known, left = first_plan(linear, engines, watch, gap, steps, counted, start, relaxed)
        if known.x is not None:
            known = polished(linear, engines, known)
    if known.outcome is SolverOutcome.INFEASIBLE:
        return known
    if known.objective <= _enough(known.bound, gap):
        return by_bound(known, known.bound)
    if branch and known.x is not None and (closed := branched(linear, left, known, gap, engines, watch)) is not None:
        return closed
    began = time.monotonic()
    answer = _searched(linear, left, engines, watch, gap, known)
    missed = answer.outcome in (SolverOutcome.INFEASIBLE, SolverOutcome.OPTIMAL) and is_open(
        answer.objective * (1 - gap), known.objective
    )
    # An engine that misses a plan which is known, within narrow bounds, is at the edge of its tolerances.
    if left is not linear and missed:
        answer, left = _searched(linear, linear, engines, watch, gap, known), linear
    if answer.confirmed_by or not confirm:
        return answer
    whole = linear if answer.outcome is SolverOutcome.INFEASIBLE else left
    opinions = engines.opinions(whole, watch, gap, time.monotonic() - began)
    if answer.outcome is SolverOutcome.OPTIMAL and known.objective < answer.objective:
        answer = replace(answer, x=known.x, objective=known.objective)
    claims = answer.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return _confirmed(linear, opinions, engines, gap, answer) if claims else answer


def _confirmed(
    linear: Linear, opinions: Iterable[Opinion], engines: Engines, gap: float, claim: SolverAnswer
) -> SolverAnswer:
    """Request second opinions on a claimed optimum, or on claimed infeasibility, until two searches agree.

    A search that finds a cheaper plan refutes the claim. Its own claim then needs a second opinion.
    """
    best, bound = claim, claim.bound
    for opinion in opinions:
        answer = opinion(hint=best.x)
        if answer.x is None:
            if answer.outcome is SolverOutcome.INFEASIBLE is best.outcome:
                return best
            continue
        other = polished(linear, engines, answer)
        if best.x is None or not _near(best.objective, other.objective, gap):
            best, bound = other, other.bound
        elif _near(best.objective, other.bound, gap):
            by = Confirmation.SECOND_SOLVER if other.solver != best.solver else Confirmation.SECOND_SEARCH
            if best.objective - other.bound > _DIGITS * abs(best.objective):
                bound = min(bound, other.bound)
            confirmed = frozenset({by})
            return replace(
                best, outcome=SolverOutcome.OPTIMAL, bound=min(bound, best.objective), confirmed_by=confirmed
            )
    if best.x is None:
        return best
    return replace(best, outcome=SolverOutcome.UNCONFIRMED, bound=min(bound, best.objective))


def _near(value: float, bound: float, gap: float) -> bool:
    """Return True if the bound is below the value by at most the gap and the rounding of solvers."""
    return value - bound <= (gap + _ROUNDING) * max(1.0, abs(value))


_ROUNDING = 1e-7
"""Share of the cost by which the tolerances of two solvers may differ."""
_DIGITS = 1e-12
"""Share of the cost by which two computations of the same sum may differ."""


def _searched(
    linear: Linear, left: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer
) -> SolverAnswer:
    """Return the best answer from a known one, searching only `left`."""
    best, bound = known, known.bound
    enough = _enough(bound, gap) if np.isfinite(bound) else None
    tight, broken, start = False, False, known.x
    while not watch.stopped():
        ask = Ask(watch.left(), gap, enough=enough, tight=tight)
        answer = engines.search(left, ask, start)
        bound = max(bound, answer.bound)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return answer
        if broken := answer.outcome is SolverOutcome.BROKEN:
            break
        raw = answer.objective
        if start is not None and _is_astray(answer, enough, gap):
            start, enough = None, None
            continue
        if answer.x is not None:
            answer = polished(linear, engines, answer)
            if answer.objective < best.objective:
                best = answer
        sufficed = enough is not None and raw <= enough
        if (sufficed or answer.outcome is SolverOutcome.OPTIMAL) and not tight and is_open(answer.objective, raw):
            tight = True  # what rows let through within their tolerance was worth much: plan and bound came out too low
            continue
        if enough is not None and answer.objective <= enough:
            return by_bound(answer, known.bound)
        if answer.outcome is SolverOutcome.OPTIMAL:
            return replace(answer, bound=min(bound, answer.objective))
        if sufficed:
            enough = None  # it ended too early: only before its choices were made whole did the plan cost so little
            continue
        break  # it reached a limit, or gave up by itself
    outcome = SolverOutcome.BROKEN if broken and best.x is None else best.outcome
    return SolverAnswer(outcome, best.x, best.objective, min(bound, best.objective))


def _is_astray(answer: SolverAnswer, enough: float | None, gap: float) -> bool:
    """Return True if a solver ended as if its plan cost less than it does. HiGHS can do so when it starts from a given plan."""
    if answer.x is None or answer.out_of_time:
        return False
    if answer.outcome is SolverOutcome.OPTIMAL:
        return not _near(answer.objective, answer.bound, gap)
    return enough is not None and answer.objective > enough


def _enough(bound: float, gap: float) -> float:
    return bound + gap * abs(bound) if np.isfinite(bound) else bound
