"""Programs of many parts that share capacities: priced for a bound, bettered neighbourhood by neighbourhood for a plan.

What joins the parts is priced (`lagrangian_bound`); choices that the mix of the parts' plans leaves open are made by a small search, and
bettered part by part (`neighbourhood_search`). Both go on in turn until the plan is near enough to the bound. Choices that cost nothing in
themselves, such as whether an order is placed, are left open to fractions until the others are made: that is a relaxation, so
the bound holds. What is left in the end is searched as one program, from the plan and under the bound that are known.
See docs/explanation/search.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import numpy as np

from ..program.matrix import Linear, Mask
from .engines import Ask, SolverAnswer, SolverOutcome
from .lagrangian_bound import LagrangianPrices
from .linking import Joint
from .mip import NOTHING, fix, in_slices, polished
from .neighbourhood_search import Neighbourhoods
from .retries import Engines
from .scaling import scaled
from .watch import Watch

PRICE_GAP = 1e-5
"""Relative gap to which each part is solved at some prices."""
FIRST_ROUNDS = 4
"""Rounds of pricing before the first plan."""
ROUNDS = 4
"""Rounds of pricing between two times of bettering the plan."""
MOST_ROUNDS = 60
"""Rounds of pricing in all."""
SEARCHES = 3
"""How often neighbourhoods are searched before all choices are made and the bound is bettered again."""
SURE = 0.99
"""A choice that the mix of plans makes by so much is made in the first plan."""
START_GAP, START_NODES = 1e-2, 20
"""When the search of the first plan ends."""
REST_GAP, REST_NODES = 1e-4, 200
"""When the search of the choices that cost nothing ends."""

BEGUN = 1e-6
"""A fraction of a choice above this counts as begun."""


class SharedCapacitySolver(Protocol):
    """What solves a linear program at once, and many parts until the watch stops it."""

    watch: Watch
    engines: Engines
    gap: float
    workers: int

    def exact(self, linear: Linear) -> SolverAnswer: ...

    def several(self, programs: Sequence[Linear], gap: float) -> list[SolverAnswer]: ...


class SharedCapacitySearch:
    """The search of one program."""

    def __init__(self, joint: Joint, solver: SharedCapacitySolver) -> None:
        self.joint, self.solver, self.watch = joint, solver, solver.watch
        self.engines = solver.engines
        self.linear, self.scale = scaled(joint.linear)
        self.dear = _dear(joint.linear)
        """Integer variables that cost something."""
        self.best = NOTHING
        """The best plan that makes all choices."""
        self.bound = -np.inf

    def run(self) -> SolverAnswer:
        """The best plan and bound found, of the scaled program; `Outcome.OPTIMAL` if they are as near as was asked for."""
        relaxed = self.engines.search(self._opened(self.dear & False), Ask(self.watch.left()))
        if relaxed.outcome is not SolverOutcome.OPTIMAL:
            return relaxed
        if relaxed.duals is None:  # an engine that was asked because others gave up tells none
            return SolverAnswer(SolverOutcome.NOTHING, bound=relaxed.objective)
        self.bound = relaxed.objective
        prices = LagrangianPrices(
            self._parts(), self.solver, self.scale.duals(relaxed.duals)[self.joint.rows], PRICE_GAP
        )
        prices.run(FIRST_ROUNDS)
        self._prove(prices.bound)
        start = self._start(prices)
        if start.x is not None:
            self._complete(start)
            self._better(start, self.dear, prices)
        if self.best.x is not None and not self._done():
            self._better(self.best, self.linear.integer, prices)
        return self._answer()

    def _parts(self) -> Joint:
        """The parts, with choices that cost nothing left open."""
        joint = self.joint
        parts = [replace(p, linear=replace(p.linear, integer=self.dear[p.columns])) for p in joint.parts]
        return replace(joint, parts=parts)

    def _start(self, prices: LagrangianPrices) -> SolverAnswer:
        """A plan that makes the choices which some part's plan made, and surely those that the mix of plans makes."""
        if prices.mixed is None or self.watch.stopped():
            return NOTHING
        x = prices.mixed / self.scale.columns
        settled = self.dear & ((x > SURE) | ~prices.ever(self.dear))
        return in_slices(fix(self._opened(self.dear), settled, x), self.engines, self.watch, START_GAP, START_NODES)

    def _better(self, plan: SolverAnswer, whole: Mask, prices: LagrangianPrices) -> None:
        """Betters a plan that makes the choices of `whole`, and the bound, in turn."""
        near = Neighbourhoods(self.linear, self.joint, self.engines, self.watch, self.solver.workers)
        while True:
            for _ in range(SEARCHES):
                if not near.exhausted:
                    plan = near.round(plan, whole)
            self._keep(plan, whole)
            if self._done() or near.exhausted or self.watch.stopped():
                return
            if prices.rounds < MOST_ROUNDS:
                prices.run(ROUNDS)
                self._prove(prices.bound)
                if self._done():
                    return

    def _complete(self, plan: SolverAnswer) -> None:
        """The choices still open made at once, so that there is a plan should the search be ended: all that is begun is done."""
        assert plan.x is not None
        begun = np.where(self.dear, np.round(plan.x), np.ceil(plan.x - BEGUN))
        full = self.engines.search(fix(self.linear, self.linear.integer, begun), Ask(self.watch.left()))
        if full.x is not None:
            self.best = full

    def _keep(self, plan: SolverAnswer, whole: Mask) -> None:
        """Makes the choices that are still open in a plan, and keeps it if it is the best."""
        if (whole == self.linear.integer).all():
            full = plan
        else:
            assert plan.x is not None
            full = in_slices(fix(self.linear, whole, plan.x), self.engines, self.watch, REST_GAP, REST_NODES)
        if full.x is not None and full.objective < self.best.objective:
            self.best = full

    def _prove(self, bound: float) -> None:
        self.bound = max(self.bound, bound / self.scale.money)

    def _done(self) -> bool:
        return self.best.objective - self.bound <= self.solver.gap * abs(self.best.objective)

    def _answer(self) -> SolverAnswer:
        if self.best.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        self.best = polished(self.linear, self.engines, self.best)
        outcome = SolverOutcome.OPTIMAL if self._done() else SolverOutcome.FEASIBLE
        return SolverAnswer(outcome, self.best.x, self.best.objective, min(self.bound, self.best.objective))

    def _opened(self, whole: Mask) -> Linear:
        return replace(self.linear, integer=whole)


def _dear(linear: Linear) -> Mask:
    """Integer variables that cost something; all if none does."""
    dear: Mask = linear.integer & (linear.cost != 0)
    return dear if dear.any() else linear.integer
