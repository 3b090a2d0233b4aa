"""Search of programs with integer variables: from a first plan by an engine, or by branch and bound whose every bound is proved by duals.

HiGHS and SCIP take a tenth of a second to begin with a program of a few dozen choices, whose relaxation is a few millionths below the optimum. Here
GLOP goes on from one node's basis to the next, which takes two thousandths of a second, and a handful of nodes is enough. Since duals prove the bound
of each node, the optimum needs no second opinion (`branched`).

A choice that may rise to a whole number without breaking a row, and costs nothing, isn't branched on (rounding by locks, see `first_plan`).
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
from .engines import ENGINES, Reasked
from .first_plan import CLOSE, WHOLE, Steps, first_plan, fix, polished, proved, raised, unknown
from .forcing import ended

NODES = 60
"""Nodes after which a search by an engine takes over."""


def branched(
    linear: Linear,
    left: Linear,
    known: SolverAnswer,
    gap: float,
    engines: Engines,
    watch: Watch,
    start: Floats | None = None,
) -> SolverAnswer | None:
    """Return the cheapest plan to a relative gap, its bound proved by duals; None if that takes many nodes, or the relaxation lies
    farther below the known plan than `CLOSE`, or has no plan.

    Args:
        linear: the program, for the plan that is returned.
        left: what is left of it to search: all plans that cost less than the known one.
        known: the best plan so far, with a bound; without one, the plan that makes the choices of `start` takes its place.
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
    """Return the answer as optimal, because a bound that is proved by duals reaches it."""
    confirmed = frozenset({Confirmation.BOUND})
    return replace(
        answer, outcome=SolverOutcome.OPTIMAL, bound=min(bound, answer.objective), confirmed_by=confirmed, duals=None
    )


class _Tree:
    def __init__(self, linear: Linear, gap: float, watch: Watch) -> None:
        self.linear, self.gap, self.watch = linear, gap, watch
        self.whole = np.flatnonzero(linear.integer)
        self.relaxation = continuous(linear)
        self.reasked = Reasked()
        self.best = NOTHING
        self.bound = np.inf
        """Lower bound on the cost of all plans of closed nodes."""

    @property
    def enough(self) -> float:
        """Return the bound from which on a node is closed."""
        return self.best.objective - self.gap * abs(self.best.objective)

    def same_choices(self, start: Floats) -> SolverAnswer:
        """Return the cheapest plan that makes the choices of another, and none that it doesn't know; nothing if there is none."""
        made = np.where(self.linear.integer & np.isfinite(start), start, self.linear.lower)
        made = np.clip(np.round(made), self.linear.lower, self.linear.upper)
        self.reasked.optimum(self.relaxation)  # from its basis the next one is near
        found = self.reasked.optimum(fix(self.relaxation, self.linear.integer, made))
        if found.x is None:
            return NOTHING
        return replace(found, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)

    def run(self, known: SolverAnswer) -> bool:
        """Search best node first, for plans that cost less than a known one. Return False if it gives up."""
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
        """Return the choices that are left to branch on, and the plan with the others made whole."""
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
    """Return True if a plan keeps the rows, but for what GLOP lets through."""
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

    A first plan (`first_plan`), then a search, then a second opinion on its optimum. Without one the outcome is `UNCONFIRMED`.

    Args:
        known: Plan to start from and proved bound, each if there is one. Without a time limit they must not depend on the clock.
        confirm: False for one of many programs whose bounds are confirmed together at the end.
        start: A plan of a program much like it; see `first_plan`.
        relaxed: Answer of its linear relaxation, if it is known.
        branch: True for a program that its relaxation nearly solves; see `branched`.

    Raises:
        UnboundedError: if the cost has no least value.
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
    """Ask for second opinions on a claimed optimum, or on the claim that there is no plan, until two searches agree.

    A search that finds a cheaper plan refutes the claim; its own claim then needs a second opinion.
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
    """Return True if the bound is within the gap, and what solvers round, below the value."""
    return value - bound <= (gap + _ROUNDING) * max(1.0, abs(value))


_ROUNDING = 1e-7
"""Share of the cost that two solvers' tolerances may differ by."""
_DIGITS = 1e-12
"""Share of the cost that two computations of the same sum may differ by."""


def _searched(
    linear: Linear, left: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer
) -> SolverAnswer:
    """The same from what is known; only what is `left` of the program is searched."""
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
    """Return True if a solver ended as if its plan cost less than it does. HiGHS was seen to do so from a plan that it was given."""
    if answer.x is None or answer.out_of_time:
        return False
    if answer.outcome is SolverOutcome.OPTIMAL:
        return not _near(answer.objective, answer.bound, gap)
    return enough is not None and answer.objective > enough


def _enough(bound: float, gap: float) -> float:
    """The cost of a plan that ends the search."""
    return bound + gap * abs(bound) if np.isfinite(bound) else bound
