"""Prices of what many parts share: a bound that is better than the linear relaxation's, and what the parts would do at them.

The Lagrangian bound (`subproblems`) is above that of the linear relaxation, because each part's choices are whole. The prices begin at the duals of the linear relaxation. Each round a linear program, the master,
mixes the plans found so far so that the linking constraints hold, and gives the next prices; they stay within a box around the
best prices known, which shrinks whenever a round brings no better bound.

Marsten, Hogan and Blankenship, The boxstep method for large-scale optimization, Operations Research 23, 1975, 389-405.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..program.matrix import Floats, Linear, Mask
from .engines import SolverAnswer, SolverOutcome, UnboundedError
from .linking import Joint
from .subproblems import Subproblems

BOX = 0.1
"""Half the width of the first box, as a share of a price and a tenth of the highest."""
SHRINK = 0.7
"""What the box shrinks to after a round without a better bound."""


class BoundSolver(Protocol):
    """What solves a linear program at once, and many parts until the watch stops it."""

    def exact(self, linear: Linear) -> SolverAnswer: ...

    def several(self, programs: Sequence[Linear], gap: float) -> list[SolverAnswer]: ...


class LagrangianPrices:
    """The best prices known of the linking constraints, the bound that they prove, and the parts' plans."""

    def __init__(self, joint: Joint, solver: BoundSolver, start: Floats, gap: float) -> None:
        self.joint, self.solver, self.gap = joint, solver, gap
        self.parted = Subproblems(joint)
        self.width = BOX
        self.prices = self.parted.sound(start)
        self.bound = -np.inf
        self.mixed: Floats | None = None
        """The parts' plans, mixed so that the linking constraints hold, as far as the box allows."""
        self.rounds = 0
        self._try(self.prices)

    def run(self, rounds: int) -> None:
        """So many rounds; fewer once the parts have nothing new to say."""
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

    def ever(self, choices: Mask) -> Mask:
        """Which of some binary variables any part's plan has above zero."""
        found = np.zeros(len(choices), dtype=bool)
        for part, plans in zip(self.joint.parts, self.parted.plans, strict=True):
            for plan in plans:
                found[part.columns] |= np.round(plan.x) > 0
        return found & choices

    def _try(self, prices: Floats) -> bool:
        """Solves all parts at some prices; whether there is more to find near the best prices."""
        try:
            answers = self.solver.several(self.parted.at(prices), self.gap)
        except UnboundedError:
            answers = []
        found = self.parted.bound(prices, answers) if answers else -np.inf
        if found > self.bound:
            self.prices, self.bound = prices, found
        else:
            self.width *= SHRINK
        return self.parted.keep_all(answers) or not answers

    def _master(self, low: Floats, high: Floats) -> Linear:
        """Each row may be missed at the ends of its box: from below at the high end, from above at the low."""
        loose_cost = self.joint.linear.cost[self.joint.loose]
        return self.parted.master(loose_cost, self.parted.costs, np.concatenate([high, -low]), np.inf)

    def _spread(self, x: Floats) -> Floats:
        """The mix, as values of all columns."""
        shares = iter(x[len(self.joint.loose) :].tolist())
        xs = [sum((next(shares) * plan.x for plan in found), np.zeros(len(found[0].x))) for found in self.parted.plans]
        return self.joint.spread(xs, x[: len(self.joint.loose)])
