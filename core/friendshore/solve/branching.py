"""Branch and bound whose every bound is proved by duals, for programs that the linear relaxation nearly solves.

HiGHS and SCIP take a tenth of a second to begin with a program of a few dozen choices, whose relaxation is a few millionths below the optimum. Here
GLOP goes on from one node's basis to the next, which takes two thousandths of a second, and a handful of nodes is enough. Since duals prove the bound
of each node, the optimum needs no second opinion.

A choice that may rise to a whole number without breaking a row, and costs nothing, isn't branched on (rounding by locks, see `diving`).
"""

from __future__ import annotations

from dataclasses import replace
from heapq import heappop, heappush

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Ints, Linear, continuous
from .diving import WHOLE, raised
from .engine import Engines, SolverAnswer, SolverOutcome, Watch
from .engines import ENGINES, Reasked
from .first_plan import CLOSE, proved
from .forcing import ended
from .polishing import fix, polished

NOTHING = SolverAnswer(SolverOutcome.NOTHING)
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
        value = float(self.linear.cost @ x) + self.linear.constant
        if value < self.best.objective:
            self.best = SolverAnswer(SolverOutcome.FEASIBLE, x, value)


def _holds(linear: Linear, x: Floats) -> bool:
    """Return True if a plan keeps the rows, but for what GLOP lets through."""
    activity = linear.entries @ x
    room = WHOLE * np.maximum(1.0, np.abs(activity))
    return bool((activity >= linear.row_lower - room).all() and (activity <= linear.row_upper + room).all())
