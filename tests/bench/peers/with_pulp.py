"""PuLP: one Python object per variable, expressions from lists of pairs, solved by CBC or HiGHS."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pulp

from ..answer import Answer, Stop
from ..coefficients import Coefficients, Steps, groups
from ..instances import Floats
from .arrays import read

_BOUND = re.compile(r"^(?:Lower bound|best possible):\s*(\S+)", re.MULTILINE | re.IGNORECASE)


def run_highs(data: Coefficients, stop: Stop, solve: bool = True) -> Answer:
    """Build the model and solve it with HiGHS: the steps of `LpProblem.solve`, each timed."""
    answer = Answer()
    with answer.phase("build"):
        model = _Model(data).model
        solver = pulp.HiGHS(msg=False, threads=1, gapRel=stop.gap, timeLimit=stop.seconds)
        solver.createAndConfigureSolver(model)
        solver.buildSolverModel(model)
    if not solve:
        return answer
    with answer.phase("solve"):
        solver.callSolver(model)
        solver.findSolutionValues(model)
    read(model.solverModel, answer, data.mixed, True)
    return answer


def run_cbc(data: Coefficients, stop: Stop, solve: bool = True) -> Answer:
    """Build the model and solve it with CBC. PuLP writes a file for CBC, which counts as solving."""
    answer = Answer()
    with answer.phase("build"):
        model = _Model(data).model
    if not solve:
        return answer
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "cbc.log"
        solver = pulp.PULP_CBC_CMD(msg=False, threads=1, gapRel=stop.gap, timeLimit=stop.seconds, logPath=str(log))
        with answer.phase("solve"):
            model.solve(solver)
        log_text = log.read_text(encoding="utf-8")
    answer.status = pulp.LpSolution[model.sol_status]
    if model.sol_status in (pulp.LpSolutionOptimal, pulp.LpSolutionIntegerFeasible):
        answer.objective = float(pulp.value(model.objective))
    bound = _BOUND.findall(log_text)
    if bound:
        answer.bound = float(bound[-1])
    elif model.sol_status == pulp.LpSolutionOptimal and answer.objective is not None:
        # Done within the gap, CBC does not say the bound.
        answer.bound = answer.objective * (1 - stop.gap) if data.mixed else answer.objective
    return answer


def _sum(terms: Iterable[tuple[Any, float]]) -> pulp.LpAffineExpression:
    return pulp.LpAffineExpression(list(terms))


class _Model:
    def __init__(self, data: Coefficients) -> None:
        self.data = data
        self.model = pulp.LpProblem("bench", pulp.LpMinimize)
        self.cost: list[tuple[Any, float]] = []
        self.of_material = groups(data.material)
        self.of_year = groups(data.year)
        self.buy = self._variables("buy", data.price)
        self.stock = self._variables("stock", data.holding_cost)
        self.short = self._variables("short", data.shortage_cost, data.demand)
        self._flow()
        if data.share is not None:
            self._shares(data.share)
        self._orders()
        self._onboarding()
        if data.steps is not None:
            self._tiers(data.steps)
        if data.budget is not None:
            self._budget(data.budget)
        self.model.setObjective(_sum(self.cost))

    def _variables(self, name: str, cost: Floats, upper: Floats | None = None) -> list[list[Any]]:
        """Add variables with their cost, by row and month."""
        add_variable = self.model.add_variable
        upper_bounds = [[None] * cost.shape[1]] * len(cost) if upper is None else upper.tolist()
        variables = [
            [add_variable(f"{name}_{i}_{t}", 0, high) for t, high in enumerate(row)]
            for i, row in enumerate(upper_bounds)
        ]
        for row, prices in zip(variables, cost.tolist(), strict=True):
            self.cost += zip(row, prices, strict=True)
        return variables

    def _flow(self) -> None:
        data, buy, stock, short = self.data, self.buy, self.stock, self.short
        net_demand = data.demand.copy()
        net_demand[:, 0] -= data.opening
        for m, row in enumerate(net_demand.tolist()):
            for t, quantity in enumerate(row):
                terms = [(buy[o][t], 1.0) for o in self.of_material.get(m, ())]
                terms += [(stock[m][t], -1.0), (short[m][t], 1.0)]
                if t:
                    terms.append((stock[m][t - 1], 1.0))
                self.model += _sum(terms) == quantity
        use, capacity = data.capacity_use.tolist(), data.capacity.tolist()
        for f, offers in groups(data.facility).items():
            for t, limit in enumerate(capacity[f]):
                self.model += _sum((buy[o][t], use[o]) for o in offers) <= limit

    def _shares(self, share: float) -> None:
        country = self.data.country.tolist()
        for offers in self.of_material.values():
            for here in sorted({country[o] for o in offers}):
                factors = [(self.buy[o], (1.0 if country[o] == here else 0.0) - share) for o in offers]
                for t in range(len(self.data.year)):
                    self.model += _sum((bought[t], factor) for bought, factor in factors) <= 0

    def _orders(self) -> None:
        data = self.data
        least, most = data.least.tolist(), data.most.tolist()
        for o in data.ordering.tolist():
            for t, bought in enumerate(self.buy[o]):
                order = self.model.add_variable(f"order_{o}_{t}", cat=pulp.LpBinary)
                self.model += _sum([(bought, 1.0), (order, -least[o])]) >= 0
                self.model += _sum([(bought, 1.0), (order, -most[o][t])]) <= 0

    def _onboarding(self) -> None:
        data = self.data
        most = data.most.tolist()
        self.once = []
        for o in data.boarding.tolist():
            use = self.model.add_variable(f"use_{o}", cat=pulp.LpBinary)
            self.once.append((use, float(data.onboarding[o])))
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
        spent, stock_spend = self.data.purchase_spend.tolist(), self.data.stock_spend.tolist()
        for y, months in self.of_year.items():
            terms = [(row[t], price[t]) for row, price in zip(self.buy, spent, strict=True) for t in months]
            terms += [(row[t], price[t]) for row, price in zip(self.stock, stock_spend, strict=True) for t in months]
            self.model += _sum(terms + (self.once if y == 0 else [])) <= budget
