"""PuLP: one Python object a variable, expressions made from lists of pairs; solved by its bundled CBC or by HiGHS."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pulp

from ..answer import Answer, Stop
from ..instances import Floats
from ..plain import Plain, Steps, groups
from .arrays import read

_BOUND = re.compile(r"^(?:Lower bound|best possible):\s*(\S+)", re.MULTILINE | re.IGNORECASE)


def run_highs(plain: Plain, stop: Stop, solve: bool = True) -> Answer:
    """Builds the model, hands it to HiGHS, and solves: the steps of `LpProblem.solve` with a clock between them."""
    answer = Answer()
    with answer.phase("build"):
        model = _Model(plain).model
        solver = pulp.HiGHS(msg=False, threads=1, gapRel=stop.gap, timeLimit=stop.seconds)
        solver.createAndConfigureSolver(model)
        solver.buildSolverModel(model)
    if not solve:
        return answer
    with answer.phase("solve"):
        solver.callSolver(model)
        solver.findSolutionValues(model)
    read(model.solverModel, answer, plain.mixed, True)
    return answer


def run_cbc(plain: Plain, stop: Stop, solve: bool = True) -> Answer:
    """Builds the model; CBC takes it from a file, which PuLP writes, so that writing counts as part of the solve."""
    answer = Answer()
    with answer.phase("build"):
        model = _Model(plain).model
    if not solve:
        return answer
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.PULP_CBC_CMD(msg=False, threads=1, gapRel=stop.gap, timeLimit=stop.seconds, logPath=str(log))
        with answer.phase("solve"):
            model.solve(solver)
        said = log.read_text(encoding="utf-8")
    answer.status = pulp.LpSolution[model.sol_status]
    if model.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        answer.objective = float(pulp.value(model.objective))
    bound = _BOUND.findall(said)
    if bound:
        answer.bound = float(bound[-1])
    elif model.sol_status == pulp.LpSolutionOptimal and answer.objective is not None:
        # Done within the gap, CBC does not say the bound.
        answer.bound = answer.objective * (1 - stop.gap) if plain.mixed else answer.objective
    return answer


def _sum(terms: Iterable[tuple[Any, float]]) -> pulp.LpAffineExpression:
    return pulp.LpAffineExpression(list(terms))


class _Model:
    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.model = pulp.LpProblem("bench", pulp.LpMinimize)
        self.cost: list[tuple[Any, float]] = []
        self.of_material = groups(plain.material)
        self.of_year = groups(plain.year)
        self.buy = self._variables("buy", plain.price)
        self.stock = self._variables("stock", plain.held)
        self.short = self._variables("short", plain.missed, plain.demand)
        self._flow()
        if plain.share is not None:
            self._shares(plain.share)
        self._orders()
        self._onboarding()
        if plain.steps is not None:
            self._tiers(plain.steps)
        if plain.budget is not None:
            self._budget(plain.budget)
        self.model.setObjective(_sum(self.cost))

    def _variables(self, name: str, cost: Floats, upper: Floats | None = None) -> list[list[Any]]:
        """Variables by something and month, with their cost."""
        new = self.model.add_variable
        most = [[None] * cost.shape[1]] * len(cost) if upper is None else upper.tolist()
        found = [[new(f"{name}_{i}_{t}", 0, high) for t, high in enumerate(row)] for i, row in enumerate(most)]
        for row, prices in zip(found, cost.tolist(), strict=True):
            self.cost += zip(row, prices, strict=True)
        return found

    def _flow(self) -> None:
        plain, buy, stock, short = self.plain, self.buy, self.stock, self.short
        wanted = plain.demand.copy()
        wanted[:, 0] -= plain.opening
        for m, row in enumerate(wanted.tolist()):
            for t, want in enumerate(row):
                terms = [(buy[o][t], 1.0) for o in self.of_material.get(m, ())]
                terms += [(stock[m][t], -1.0), (short[m][t], 1.0)]
                if t:
                    terms.append((stock[m][t - 1], 1.0))
                self.model += _sum(terms) == want
        use, capacity = plain.capacity_use.tolist(), plain.capacity.tolist()
        for f, offers in groups(plain.facility).items():
            for t, most in enumerate(capacity[f]):
                self.model += _sum((buy[o][t], use[o]) for o in offers) <= most

    def _shares(self, share: float) -> None:
        country = self.plain.country.tolist()
        for offers in self.of_material.values():
            for here in sorted({country[o] for o in offers}):
                factors = [(self.buy[o], (1.0 if country[o] == here else 0.0) - share) for o in offers]
                for t in range(len(self.plain.year)):
                    self.model += _sum((bought[t], factor) for bought, factor in factors) <= 0

    def _orders(self) -> None:
        plain = self.plain
        least, most = plain.least.tolist(), plain.most.tolist()
        for o in plain.ordering.tolist():
            for t, bought in enumerate(self.buy[o]):
                order = self.model.add_variable(f"order_{o}_{t}", cat=pulp.LpBinary)
                self.model += _sum([(bought, 1.0), (order, -least[o])]) >= 0
                self.model += _sum([(bought, 1.0), (order, -most[o][t])]) <= 0

    def _onboarding(self) -> None:
        plain = self.plain
        most = plain.most.tolist()
        self.once = []
        for o in plain.boarding.tolist():
            use = self.model.add_variable(f"use_{o}", cat=pulp.LpBinary)
            self.once.append((use, float(plain.onboarding[o])))
            for t, bought in enumerate(self.buy[o]):
                self.model += _sum([(bought, 1.0), (use, -most[o][t])]) <= 0
        self.cost += self.once

    def _tiers(self, steps: Steps) -> None:
        for o, widths, saving in zip(steps.offer.tolist(), steps.width.tolist(), steps.saving.tolist(), strict=True):
            for y, width in enumerate(widths):
                tier = [self.model.add_variable(f"tier_{o}_{y}_{i}", 0, most) for i, most in enumerate(width)]
                self.cost += zip(tier, saving, strict=True)
                bought = [(self.buy[o][t], 1.0) for t in self.of_year[y]]
                self.model += _sum(bought + [(part, -1.0) for part in tier]) == 0
                for i in range(1, len(tier)):
                    reach = self.model.add_variable(f"reach_{o}_{y}_{i}", cat=pulp.LpBinary)
                    self.model += _sum([(tier[i - 1], 1.0), (reach, -width[i - 1])]) >= 0
                    self.model += _sum([(tier[i], 1.0), (reach, -width[i])]) <= 0

    def _budget(self, budget: float) -> None:
        spent, kept = self.plain.spent.tolist(), self.plain.kept.tolist()
        for y, months in self.of_year.items():
            terms = [(row[t], price[t]) for row, price in zip(self.buy, spent, strict=True) for t in months]
            terms += [(row[t], price[t]) for row, price in zip(self.stock, kept, strict=True) for t in months]
            self.model += _sum(terms + (self.once if y == 0 else [])) <= budget
