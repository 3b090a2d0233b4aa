"""Parts of a program at prices of their linking constraints: plans of the parts, mixes of these, and the Lagrangian bound.

Each part is solved alone with its costs less what it earns at the prices; the parts' optima and the rows' own ends together
are a bound on the whole. A small linear program, the master, mixes the plans found so far.

Geoffrion, Lagrangean relaxation for integer programming, Mathematical Programming Study 2, 1974, 82-114.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from ..program.matrix import Floats, Linear, Mask
from .engines import SolverAnswer
from .linking import Joint


@dataclass(frozen=True, slots=True, eq=False)
class SubproblemPlan:
    """A plan of one part."""

    x: Floats
    cost: float
    activity: Floats
    """What it comes to in each of the linking constraints."""


class Subproblems:
    """A program seen as parts, and the plans of them that are known."""

    def __init__(self, joint: Joint) -> None:
        self.joint, self.linear = joint, joint.linear
        self.matrix = joint.linear.matrix[joint.rows]
        """The linking constraints."""
        self.own = [self.matrix[:, part.columns] for part in joint.parts]
        self.lower, self.upper = joint.linear.row_lower[joint.rows], joint.linear.row_upper[joint.rows]
        self.plans: list[list[SubproblemPlan]] = [[] for _ in joint.parts]

    @property
    def activity(self) -> Floats:
        """What the plans, one part's after the other's, come to in the linking constraints: rows by plans."""
        found: Floats = np.array([plan.activity for plans in self.plans for plan in plans]).T
        return found

    def keep(self, part: int, x: Floats) -> bool:
        """Stores a plan; whether it is a new one."""
        cost, activity = float(self.joint.parts[part].linear.cost @ x), self.own[part] @ x
        if any(p.cost == cost and (p.activity == activity).all() for p in self.plans[part]):
            return False
        self.plans[part].append(SubproblemPlan(x, cost, activity))
        return True

    def keep_all(self, answers: Sequence[SolverAnswer]) -> bool:
        """Stores the plans of all parts; whether any is new."""
        new = [answer.x is not None and self.keep(part, answer.x) for part, answer in enumerate(answers)]
        return any(new)

    def at(self, prices: Floats, costs: bool = True) -> list[Linear]:
        """The parts at some prices: what each earns at them is taken off its costs, or off nothing without these."""
        return [
            replace(part.linear, cost=(part.linear.cost if costs else 0.0) - own.T @ prices)
            for part, own in zip(self.joint.parts, self.own, strict=True)
        ]

    def signed(self, prices: Floats) -> Floats:
        """Prices of the sign that their rows allow."""
        kept = np.where((prices > 0) & np.isinf(self.lower), 0.0, prices)
        return np.where((kept < 0) & np.isinf(self.upper), 0.0, kept)

    def sound(self, prices: Floats) -> Floats:
        """Prices of the sign that their rows allow, and no more than loose columns without upper end can bear."""
        kept = self.signed(prices)
        endless = self.joint.loose[np.isinf(self.linear.upper[self.joint.loose])]
        earned, cost = self.matrix[:, endless].T @ kept, self.linear.cost[endless]
        over = earned > cost
        return kept * float((cost[over] / earned[over]).min()) if over.any() else kept

    def bound(self, prices: Floats, answers: Sequence[SolverAnswer]) -> float:
        """No plan that keeps the rows costs less."""
        binding = prices != 0
        ends = np.where(prices > 0, self.lower, self.upper)[binding]
        loose = self.joint.loose
        cost = self.linear.cost[loose] - self.matrix[:, loose].T @ prices
        held = cost != 0
        least = np.where(cost < 0, self.linear.upper[loose], self.linear.lower[loose])
        parts = sum(answer.bound for answer in answers)
        return float(prices[binding] @ ends) + float(cost[held] @ least[held]) + parts + self.linear.constant

    def master(
        self, loose_cost: Floats, plan_cost: Floats, miss_cost: Floats, most_missed: float, whole: Mask | None = None
    ) -> Linear:
        """Shares of the plans, one part's adding up to one, so that the linking constraints hold but for what they are missed by.

        Args:
            loose_cost: of the loose columns, which come first.
            plan_cost: of the plans, one part's after the other's, which come next.
            miss_cost: of missing each row from below, then of missing each from above.
            most_missed: upper end of each of these.
            whole: which of all columns are integer; None: none.
        """
        linear, loose, rows, parts = self.linear, self.joint.loose, len(self.lower), len(self.plans)
        of = [part for part, plans in enumerate(self.plans) for _ in plans]
        of_part = sp.csr_matrix((np.ones(len(of)), (of, range(len(of)))), (parts, len(of)))
        shares = sp.vstack([sp.csr_matrix(self.activity), of_part])
        alone = sp.vstack([self.matrix[:, loose], sp.csr_matrix((parts, len(loose)))])
        miss = sp.vstack([sp.hstack([sp.eye(rows), -sp.eye(rows)]), sp.csr_matrix((parts, 2 * rows))])
        cost = np.concatenate([loose_cost, plan_cost, miss_cost])
        return Linear(
            cost=cost,
            lower=np.concatenate([linear.lower[loose], np.zeros(len(of) + 2 * rows)]),
            upper=np.concatenate([linear.upper[loose], np.ones(len(of)), np.full(2 * rows, most_missed)]),
            integer=np.zeros(len(cost), dtype=bool) if whole is None else whole,
            matrix=sp.csr_matrix(sp.hstack([alone, shares, miss])),
            row_lower=np.concatenate([self.lower, np.ones(parts)]),
            row_upper=np.concatenate([self.upper, np.ones(parts)]),
        )

    @property
    def costs(self) -> Floats:
        """What the plans cost, one part's after the other's."""
        return np.array([plan.cost for plans in self.plans for plan in plans])
