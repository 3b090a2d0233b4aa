"""Rows that join parts, priced: column generation over the parts' plans.

Each round a small linear program, the master, mixes the plans found so far, one part's shares adding up to one, so that the
rows that join hold; its duals price these rows. Each part is then solved alone with its costs less what it earns at these
prices. The parts' optima and the rows' own ends together are a bound on the whole (the Lagrangian bound), and the parts'
plans enter the master. In the end one plan a part is chosen, and the columns that are not whole are solved jointly for the
choices that these plans make.

Dantzig and Wolfe, Decomposition principle for linear programs, Operations Research 8, 1960, 101-111; Geoffrion, Lagrangean
relaxation for integer programming, Mathematical Programming Study 2, 1974, 82-114.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np
import scipy.sparse as sp

from ..program.matrix import Floats, Linear
from .engines import Answer, Outcome, UnboundedError, solve_with_highs
from .joined import Joint
from .scaling import scaled

MOST_ROUNDS = 60
"""Rounds after which the prices are taken as they are."""
CHOICE_NODES = 2000
"""Nodes of the search for one plan a part: a limit that does not depend on the clock."""


class Solver(Protocol):
    """What solves a small linear program at once, and many parts until the watch stops it."""

    gap: float

    def exact(self, linear: Linear) -> Answer: ...

    def several(self, programs: Sequence[Linear]) -> list[Answer]: ...


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """A plan of one part."""

    x: Floats
    cost: float
    activity: Floats
    """What it comes to in each of the rows that join."""


class Pricing:
    """The plans found so far, and the bound that their prices prove."""

    def __init__(self, joint: Joint, first: Sequence[Floats], solver: Solver, bound: float) -> None:
        self.joint, self.linear, self.solver, self.bound = joint, joint.linear, solver, bound
        self.matrix = joint.linear.matrix[joint.rows]
        self.own = [self.matrix[:, part.columns] for part in joint.parts]
        self.lower, self.upper = joint.linear.row_lower[joint.rows], joint.linear.row_upper[joint.rows]
        self.plans: list[list[_Plan]] = [[] for _ in joint.parts]
        for part, x in enumerate(first):
            self._keep(part, x)

    def run(self) -> Answer:
        """The best plan found, if any, and the best bound proved."""
        if not (self._rounds(feasible=False) and self._rounds(feasible=True)):
            return Answer(Outcome.NOTHING, bound=self.bound)
        return self._choice()

    def _keep(self, part: int, x: Floats) -> bool:
        """Stores a plan; whether it is a new one."""
        cost, activity = float(self.joint.parts[part].linear.cost @ x), self.own[part] @ x
        if any(p.cost == cost and (p.activity == activity).all() for p in self.plans[part]):
            return False
        self.plans[part].append(_Plan(x, cost, activity))
        return True

    def _rounds(self, feasible: bool) -> bool:
        """Rounds of pricing: until some mix keeps the rows, then, once it is `feasible`, until no plan betters the mix.

        Returns:
            Whether a mix that keeps the rows is known.
        """
        for _ in range(MOST_ROUNDS):
            mix = self.solver.exact(self._master(feasible))
            if mix.outcome is not Outcome.OPTIMAL or mix.duals is None:
                return False
            if not feasible and mix.objective <= 1e-9:
                return True
            if feasible and mix.objective - self.bound <= self.solver.gap * abs(mix.objective) / 4:
                return True
            prices = self._sound(mix.duals[: len(self.lower)], feasible)
            answers = self._priced(prices, feasible)
            if answers is None:
                return feasible
            if feasible:
                self.bound = max(self.bound, self._bound(prices, answers))
            new = [a.x is not None and self._keep(i, a.x) for i, a in enumerate(answers)]
            if not any(new):
                return feasible
        return feasible

    def _priced(self, prices: Floats, feasible: bool) -> list[Answer] | None:
        """The parts' best plans at some prices; None where a part could earn for ever, so that these prices prove nothing."""
        programs = [
            replace(part.linear, cost=(part.linear.cost if feasible else 0.0) - own.T @ prices)
            for part, own in zip(self.joint.parts, self.own, strict=True)
        ]
        try:
            return self.solver.several(programs)
        except UnboundedError:
            return None

    def _sound(self, prices: Floats, feasible: bool) -> Floats:
        """Prices of the sign that their rows allow, and no more than loose columns without upper end can bear."""
        kept = np.where((prices > 0) & np.isinf(self.lower), 0.0, prices)
        kept = np.where((kept < 0) & np.isinf(self.upper), 0.0, kept)
        endless = self.joint.loose[np.isinf(self.linear.upper[self.joint.loose])]
        earned, cost = self.matrix[:, endless].T @ kept, self.linear.cost[endless]
        over = earned > cost
        if feasible and over.any():
            kept = kept * float((cost[over] / earned[over]).min())
        return kept

    def _bound(self, prices: Floats, answers: Sequence[Answer]) -> float:
        """No plan that keeps the rows costs less."""
        binding = prices != 0
        ends = np.where(prices > 0, self.lower, self.upper)[binding]
        loose = self.joint.loose
        cost = self.linear.cost[loose] - self.matrix[:, loose].T @ prices
        held = cost != 0
        least = np.where(cost < 0, self.linear.upper[loose], self.linear.lower[loose])
        parts = sum(answer.bound for answer in answers)
        return float(prices[binding] @ ends) + float(cost[held] @ least[held]) + parts

    def _master(self, feasible: bool, whole: bool = False) -> Linear:
        """Shares of the plans; before a mix is `feasible`, the least by which the rows are missed."""
        linear, loose, rows, parts = self.linear, self.joint.loose, len(self.lower), len(self.plans)
        plans = [(part, plan) for part, found in enumerate(self.plans) for plan in found]
        activity = np.array([plan.activity for _, plan in plans]).T
        of_part = sp.csr_matrix((np.ones(len(plans)), ([p for p, _ in plans], range(len(plans)))), (parts, len(plans)))
        shares = sp.vstack([sp.csr_matrix(activity), of_part])
        alone = sp.vstack([self.matrix[:, loose], sp.csr_matrix((parts, len(loose)))])
        miss = sp.vstack([sp.hstack([sp.eye(rows), -sp.eye(rows)]), sp.csr_matrix((parts, 2 * rows))])
        each = 1.0 / np.maximum(1.0, np.abs(activity).max(axis=1))
        costs = [linear.cost[loose], np.array([plan.cost for _, plan in plans]), np.zeros(2 * rows)]
        if not feasible:
            costs = [np.zeros(len(loose)), np.zeros(len(plans)), np.tile(each, 2)]
        top = np.full(2 * rows, 0.0 if feasible else np.inf)
        integer = np.concatenate([linear.integer[loose], np.full(len(plans), True), np.full(2 * rows, False)])
        return Linear(
            cost=np.concatenate(costs),
            lower=np.concatenate([linear.lower[loose], np.zeros(len(plans) + 2 * rows)]),
            upper=np.concatenate([linear.upper[loose], np.ones(len(plans)), top]),
            integer=integer & whole,
            matrix=sp.csr_matrix(sp.hstack([alone, shares, miss])),
            row_lower=np.concatenate([self.lower, np.ones(parts)]),
            row_upper=np.concatenate([self.upper, np.ones(parts)]),
        )

    def _choice(self) -> Answer:
        """One plan a part so that the rows that join hold, bettered where the prices leave a choice open."""
        chosen = self._one_each()
        if chosen is None:
            return Answer(Outcome.NOTHING, bound=self.bound)
        whole = np.where(self.linear.integer, np.round(chosen), 0.0)
        fixed = replace(
            self.linear,
            lower=np.where(self.linear.integer, whole, self.linear.lower),
            upper=np.where(self.linear.integer, whole, self.linear.upper),
            integer=np.zeros(len(whole), dtype=bool),
        )
        exact = self.solver.exact(fixed)
        if exact.x is None:
            return Answer(Outcome.NOTHING, bound=self.bound)
        return Answer(Outcome.FEASIBLE, exact.x, exact.objective, min(self.bound, exact.objective))

    def _one_each(self) -> Floats | None:
        """The cheapest choice of one plan a part, as far as it was found."""
        near_one, scale = scaled(self._master(feasible=True, whole=True))
        answer = solve_with_highs(near_one, None, self.solver.gap, nodes=CHOICE_NODES)
        if answer.x is None:
            return None
        values = answer.x * scale.columns
        shares = iter(values[len(self.joint.loose) :].tolist())
        xs = []
        for found in self.plans:
            each = [(next(shares), i) for i in range(len(found))]
            xs.append(found[max(each, key=lambda pair: (pair[0], -pair[1]))[1]].x)
        return self.joint.spread(xs, values[: len(self.joint.loose)])
