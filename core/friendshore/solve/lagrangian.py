"""Linking constraints, priced: column generation over the parts' plans.

Each round the master (`subproblems`) mixes the plans found so far so that the linking constraints hold; its duals price these rows.
Each part is then solved alone at these prices, which gives a bound on the whole, and its plan enters the master. In the end one plan a part is chosen, and the columns that are not whole are solved jointly for the
choices that these plans make.

Dantzig and Wolfe, Decomposition principle for linear programs, Operations Research 8, 1960, 101-111.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from ..program.matrix import Floats, Linear
from .engines import Ask, SolverAnswer, SolverOutcome, UnboundedError
from .linking import Joint
from .mip import fix
from .retries import Engines
from .scaling import scaled
from .subproblems import Subproblems

MOST_ROUNDS = 60
"""Rounds after which the prices are taken as they are."""
CHOICE_NODES = 2000
"""Nodes of the search for one plan a part: a limit that does not depend on the clock."""


class LagrangianSolver(Protocol):
    """What solves a small linear program at once, and many parts until the watch stops it."""

    engines: Engines
    gap: float

    def exact(self, linear: Linear) -> SolverAnswer: ...

    def several(self, programs: Sequence[Linear]) -> list[SolverAnswer]: ...


class LagrangianPricing:
    """The plans found so far, and the bound that their prices prove."""

    def __init__(self, joint: Joint, first: Sequence[Floats], solver: LagrangianSolver, bound: float) -> None:
        self.joint, self.linear, self.solver, self.bound = joint, joint.linear, solver, bound
        self.parted = Subproblems(joint)
        for part, x in enumerate(first):
            self.parted.keep(part, x)

    def run(self) -> SolverAnswer:
        """The best plan found, if any, and the best bound proved."""
        if not (self._rounds(feasible=False) and self._rounds(feasible=True)):
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        return self._choice()

    def _rounds(self, feasible: bool) -> bool:
        """Rounds of pricing: until some mix keeps the rows, then, once it is `feasible`, until no plan betters the mix.

        Returns:
            Whether a mix that keeps the rows is known.
        """
        for _ in range(MOST_ROUNDS):
            mix = self.solver.exact(self._master(feasible))
            if mix.outcome is not SolverOutcome.OPTIMAL or mix.duals is None:
                return False
            if not feasible and mix.objective <= 1e-9:
                return True
            if feasible and mix.objective - self.bound <= self.solver.gap * abs(mix.objective) / 4:
                return True
            duals = mix.duals[: len(self.joint.rows)]
            prices = self.parted.sound(duals) if feasible else self.parted.signed(duals)
            answers = self._priced(prices, feasible)
            if answers is None:
                return feasible
            if feasible:
                self.bound = max(self.bound, self.parted.bound(prices, answers))
            if not self.parted.keep_all(answers):
                return feasible
        return feasible

    def _priced(self, prices: Floats, feasible: bool) -> list[SolverAnswer] | None:
        """The parts' best plans at some prices; None where a part could earn for ever, so that these prices prove nothing."""
        try:
            return self.solver.several(self.parted.at(prices, costs=feasible))
        except UnboundedError:
            return None

    def _master(self, feasible: bool, whole: bool = False) -> Linear:
        """Shares of the plans; before a mix is `feasible`, the least by which the rows are missed."""
        parted, loose = self.parted, self.joint.loose
        costs, rows = parted.costs, len(self.joint.rows)
        integer = np.concatenate([self.linear.integer[loose], np.full(len(costs), True), np.full(2 * rows, False)])
        if feasible:
            return parted.master(self.linear.cost[loose], costs, np.zeros(2 * rows), 0.0, integer & whole)
        each = 1.0 / np.maximum(1.0, np.abs(parted.activity).max(axis=1))
        return parted.master(np.zeros(len(loose)), np.zeros(len(costs)), np.tile(each, 2), np.inf, integer & whole)

    def _choice(self) -> SolverAnswer:
        """One plan a part so that the linking constraints hold, bettered where the prices leave a choice open."""
        chosen = self._one_each()
        if chosen is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        exact = self.solver.exact(fix(self.linear, self.linear.integer, chosen))
        if exact.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=self.bound)
        return SolverAnswer(SolverOutcome.FEASIBLE, exact.x, exact.objective, min(self.bound, exact.objective))

    def _one_each(self) -> Floats | None:
        """The cheapest choice of one plan a part, as far as it was found."""
        near_one, scale = scaled(self._master(feasible=True, whole=True))
        answer = self.solver.engines.search(near_one, Ask(gap=self.solver.gap, nodes=CHOICE_NODES))
        if answer.x is None:
            return None
        values = answer.x * scale.columns
        shares = iter(values[len(self.joint.loose) :].tolist())
        xs = []
        for found in self.parted.plans:
            each = [(next(shares), i) for i in range(len(found))]
            xs.append(found[max(each, key=lambda pair: (pair[0], -pair[1]))[1]].x)
        return self.joint.spread(xs, values[: len(self.joint.loose)])
