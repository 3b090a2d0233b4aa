"""Prices of what many parts share: a bound that is better than the linear relaxation's, and what the parts would do at them.

Each part is solved alone with its costs less what it earns at the prices of the rows that join; the parts' optima and the
rows' own ends together are a bound on the whole (the Lagrangian bound). It is above that of the linear relaxation, because
each part's choices are whole. The prices begin at the duals of the linear relaxation. Each round a linear program, the master,
mixes the plans found so far so that the rows that join hold, and gives the next prices; they stay within a box around the
best prices known, which shrinks whenever a round brings no better bound.

Geoffrion, Lagrangean relaxation for integer programming, Mathematical Programming Study 2, 1974, 82-114; Marsten, Hogan and
Blankenship, The boxstep method for large-scale optimization, Operations Research 23, 1975, 389-405.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from ..program.matrix import Floats, Linear
from .engines import Answer, Outcome, UnboundedError
from .joined import Joint

BOX = 0.1
"""Half the width of the first box, as a share of a price and a tenth of the highest."""
SHRINK = 0.7
"""What the box shrinks to after a round without a better bound."""

Mask = NDArray[np.bool_]


class Solver(Protocol):
    """What solves a linear program at once, and many parts until the watch stops it."""

    def exact(self, linear: Linear) -> Answer: ...

    def several(self, programs: Sequence[Linear], gap: float) -> list[Answer]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A plan of one part."""

    x: Floats
    cost: float
    activity: Floats
    """What it comes to in each of the rows that join."""


class Prices:
    """The best prices known of the rows that join, the bound that they prove, and the parts' plans."""

    def __init__(self, joint: Joint, solver: Solver, start: Floats, gap: float) -> None:
        self.joint, self.linear, self.solver, self.gap = joint, joint.linear, solver, gap
        self.matrix = joint.linear.matrix[joint.rows]
        self.own = [self.matrix[:, part.columns] for part in joint.parts]
        self.lower, self.upper = joint.linear.row_lower[joint.rows], joint.linear.row_upper[joint.rows]
        self.plans: list[list[_Plan]] = [[] for _ in joint.parts]
        self.width = BOX
        self.prices = self._sound(start)
        self.bound = -np.inf
        self.mixed: Floats | None = None
        """The parts' plans, mixed so that the rows that join hold, as far as the box allows."""
        self.rounds = 0
        self._try(self.prices)

    def run(self, rounds: int) -> None:
        """So many rounds; fewer once the parts have nothing new to say."""
        for _ in range(rounds):
            if not all(self.plans):
                return
            self.rounds += 1
            half = self.width * (np.abs(self.prices) + 0.1 * np.abs(self.prices).max(initial=0.0))
            low, high = self.prices - half, self.prices + half
            try:
                mix = self.solver.exact(self._master(low, high))
            except UnboundedError:
                self.width *= SHRINK
                continue
            if mix.outcome is not Outcome.OPTIMAL or mix.duals is None or mix.x is None:
                return
            self.mixed = self._spread(mix.x)
            if not self._try(self._sound(mix.duals[: len(self.lower)])):
                return

    def ever(self, choices: Mask) -> Mask:
        """Which of some 0/1 columns any part's plan has above zero."""
        found = np.zeros(len(self.linear.cost), dtype=bool)
        for part, plans in zip(self.joint.parts, self.plans, strict=True):
            for plan in plans:
                found[part.columns] |= np.round(plan.x) > 0
        return found & choices

    def _try(self, prices: Floats) -> bool:
        """Solves all parts at some prices; whether there is more to find near the best prices."""
        programs = [
            replace(part.linear, cost=part.linear.cost - own.T @ prices)
            for part, own in zip(self.joint.parts, self.own, strict=True)
        ]
        try:
            answers = self.solver.several(programs, self.gap)
        except UnboundedError:
            answers = []
        found = self._bound(prices, answers) if answers else -np.inf
        if found > self.bound:
            self.prices, self.bound = prices, found
        else:
            self.width *= SHRINK
        new = [answer.x is not None and self._keep(i, answer.x) for i, answer in enumerate(answers)]
        return not answers or any(new)

    def _keep(self, part: int, x: Floats) -> bool:
        """Stores a plan; whether it is a new one."""
        cost, activity = float(self.joint.parts[part].linear.cost @ x), self.own[part] @ x
        if any(p.cost == cost and (p.activity == activity).all() for p in self.plans[part]):
            return False
        self.plans[part].append(_Plan(x, cost, activity))
        return True

    def _sound(self, prices: Floats) -> Floats:
        """Prices of the sign that their rows allow, and no more than loose columns without upper end can bear."""
        kept = np.where((prices > 0) & np.isinf(self.lower), 0.0, prices)
        kept = np.where((kept < 0) & np.isinf(self.upper), 0.0, kept)
        endless = self.joint.loose[np.isinf(self.linear.upper[self.joint.loose])]
        earned, cost = self.matrix[:, endless].T @ kept, self.linear.cost[endless]
        over = earned > cost
        return kept * float((cost[over] / earned[over]).min()) if over.any() else kept

    def _bound(self, prices: Floats, answers: Sequence[Answer]) -> float:
        """No plan that keeps the rows costs less."""
        binding = prices != 0
        ends = np.where(prices > 0, self.lower, self.upper)[binding]
        loose = self.joint.loose
        cost = self.linear.cost[loose] - self.matrix[:, loose].T @ prices
        held = cost != 0
        least = np.where(cost < 0, self.linear.upper[loose], self.linear.lower[loose])
        parts = sum(answer.bound for answer in answers)
        return float(prices[binding] @ ends) + float(cost[held] @ least[held]) + parts + self.linear.constant

    def _master(self, low: Floats, high: Floats) -> Linear:
        """Shares of the plans; each row may be missed at the ends of its box: from below at the high end, from above at the low."""
        linear, loose, rows, parts = self.linear, self.joint.loose, len(self.lower), len(self.plans)
        plans = [(part, plan) for part, found in enumerate(self.plans) for plan in found]
        activity = sp.csr_matrix(np.array([plan.activity for _, plan in plans]).T)
        of_part = sp.csr_matrix((np.ones(len(plans)), ([p for p, _ in plans], range(len(plans)))), (parts, len(plans)))
        below = sp.vstack([sp.eye(rows), sp.csr_matrix((parts, rows))])
        return Linear(
            cost=np.concatenate([linear.cost[loose], [plan.cost for _, plan in plans], high, -low]),
            lower=np.concatenate([linear.lower[loose], np.zeros(len(plans) + 2 * rows)]),
            upper=np.concatenate([linear.upper[loose], np.ones(len(plans)), np.full(2 * rows, np.inf)]),
            integer=np.zeros(len(loose) + len(plans) + 2 * rows, dtype=bool),
            matrix=sp.csr_matrix(
                sp.hstack(
                    [
                        sp.vstack([self.matrix[:, loose], sp.csr_matrix((parts, len(loose)))]),
                        sp.vstack([activity, of_part]),
                        below,
                        -below,
                    ]
                )
            ),
            row_lower=np.concatenate([self.lower, np.ones(parts)]),
            row_upper=np.concatenate([self.upper, np.ones(parts)]),
        )

    def _spread(self, x: Floats) -> Floats:
        """The mix, as values of all columns."""
        shares = iter(x[len(self.joint.loose) :].tolist())
        xs = [sum((next(shares) * plan.x for plan in found), np.zeros(len(found[0].x))) for found in self.plans]
        return self.joint.spread(xs, x[: len(self.joint.loose)])
