"""Pyomo: indexed components and rules, solved by its persistent HiGHS interface."""

from __future__ import annotations

from typing import Any

import pyomo.environ as pyo
from pyomo.contrib.appsi.solvers import Highs
from pyomo.core.expr import LinearExpression

from ..answer import Answer, Stop
from ..coefficients import Coefficients, Steps, groups
from .arrays import options


def run(data: Coefficients, stop: Stop, solve: bool = True) -> Answer:
    answer = Answer()
    with answer.phase("build"):
        model = _Model(data).model
        solver = Highs()
        solver.highs_options = options(stop)
        solver.config.load_solution = False
        checks = solver.update_config
        checks.check_for_new_or_removed_constraints = checks.check_for_new_or_removed_vars = False
        checks.check_for_new_or_removed_params = checks.check_for_new_objective = False
        checks.update_constraints = checks.update_vars = checks.update_params = False
        checks.update_named_expressions = checks.update_objective = False
        solver.set_instance(model)
    if not solve:
        return answer
    with answer.phase("solve"):
        result = solver.solve(model)
        if result.best_feasible_objective is not None:
            result.solution_loader.load_vars()
    answer.status = result.termination_condition.name
    answer.objective, answer.bound = result.best_feasible_objective, result.best_objective_bound
    return answer


def _sum(*terms: tuple[float, Any]) -> LinearExpression:
    return LinearExpression(constant=0, linear_coefs=[c for c, _ in terms], linear_vars=[v for _, v in terms])


def _above(*terms: tuple[float, Any]) -> Any:
    return (0.0, _sum(*terms), None)


def _below(*terms: tuple[float, Any], most: float = 0.0) -> Any:
    return (None, _sum(*terms), most)


class _Model:
    def __init__(self, data: Coefficients) -> None:
        self.data = data
        self.model = model = pyo.ConcreteModel()
        offers, months = data.price.shape
        model.offers, model.months = pyo.RangeSet(0, offers - 1), pyo.RangeSet(0, months - 1)
        model.materials = pyo.RangeSet(0, len(data.demand) - 1)
        self.of_material = groups(data.material)
        demand = data.demand.tolist()
        model.buy = pyo.Var(model.offers, model.months, domain=pyo.NonNegativeReals)
        model.stock = pyo.Var(model.materials, model.months, domain=pyo.NonNegativeReals)
        model.short = pyo.Var(
            model.materials, model.months, domain=pyo.NonNegativeReals, bounds=lambda _, m, t: (0, demand[m][t])
        )
        self.cost = [
            (coefficient, variable[key])
            for variable, table in (
                (model.buy, data.price),
                (model.stock, data.holding_cost),
                (model.short, data.shortage_cost),
            )
            for key, coefficient in zip(variable, table.ravel().tolist(), strict=True)
        ]
        self._flow()
        if data.share is not None:
            self._shares(data.share)
        self._decisions()
        if data.steps is not None:
            self._tiers(data.steps)
        if data.budget is not None:
            self._budget(data.budget)
        model.cost = pyo.Objective(expr=_sum(*self.cost))

    def _flow(self) -> None:
        model, data = self.model, self.data
        buy, stock, short = model.buy, model.stock, model.short
        net_demand = data.demand.copy()
        net_demand[:, 0] -= data.opening
        quantities = net_demand.tolist()
        use, capacity = data.capacity_use.tolist(), data.capacity.tolist()
        at_facility = groups(data.facility)

        def balance(_: Any, m: int, t: int) -> Any:
            terms = [(1.0, buy[o, t]) for o in self.of_material.get(m, ())]
            terms += [(-1.0, stock[m, t]), (1.0, short[m, t])]
            if t:
                terms.append((1.0, stock[m, t - 1]))
            return (quantities[m][t], _sum(*terms), quantities[m][t])

        def room(_: Any, f: int, t: int) -> Any:
            return _below(*((use[o], buy[o, t]) for o in at_facility[f]), most=capacity[f][t])

        model.balance = pyo.Constraint(model.materials, model.months, rule=balance)
        model.capacity = pyo.Constraint(sorted(at_facility), model.months, rule=room)

    def _shares(self, share: float) -> None:
        model, data, buy = self.model, self.data, self.model.buy
        country = data.country.tolist()
        pairs = sorted(set(zip(data.material.tolist(), country, strict=True)))

        def cap(_: Any, m: int, c: int, t: int) -> Any:
            return _below(*(((1.0 if country[o] == c else 0.0) - share, buy[o, t]) for o in self.of_material[m]))

        model.shares = pyo.Constraint(pairs, model.months, rule=cap)

    def _decisions(self) -> None:
        model, data, buy = self.model, self.data, self.model.buy
        least, most, onboarding = data.least.tolist(), data.most.tolist(), data.onboarding.tolist()
        model.ordering = pyo.Set(initialize=data.ordering.tolist())
        model.boarding = pyo.Set(initialize=data.boarding.tolist())
        model.order = pyo.Var(model.ordering, model.months, domain=pyo.Binary)
        model.use = pyo.Var(model.boarding, domain=pyo.Binary)
        order, use = model.order, model.use
        ordering, boarding = (model.ordering, model.months), (model.boarding, model.months)
        model.minimum = pyo.Constraint(
            *ordering, rule=lambda _, o, t: _above((1.0, buy[o, t]), (-least[o], order[o, t]))
        )
        model.ordered = pyo.Constraint(
            *ordering, rule=lambda _, o, t: _below((1.0, buy[o, t]), (-most[o][t], order[o, t]))
        )
        model.onboarding = pyo.Constraint(
            *boarding, rule=lambda _, o, t: _below((1.0, buy[o, t]), (-most[o][t], use[o]))
        )
        self.once = [(onboarding[o], use[o]) for o in model.boarding]
        self.cost += self.once

    def _tiers(self, steps: Steps) -> None:
        model, buy = self.model, self.model.buy
        offers, (_, years, tiers) = steps.offer.tolist(), steps.width.shape
        width = dict(zip(offers, steps.width.tolist(), strict=True))
        saving = dict(zip(offers, steps.saving.tolist(), strict=True))
        of_year = groups(self.data.year)
        model.tiered = pyo.Set(initialize=offers)
        model.years, model.steps = pyo.RangeSet(0, years - 1), pyo.RangeSet(0, tiers - 1)
        model.above = pyo.RangeSet(1, tiers - 1)
        model.tier = pyo.Var(model.tiered, model.years, model.steps, bounds=lambda _, o, y, i: (0, width[o][y][i]))
        model.reach = pyo.Var(model.tiered, model.years, model.above, domain=pyo.Binary)
        tier, reach = model.tier, model.reach
        self.cost += [(saving[o][i], tier[o, y, i]) for o, y, i in tier]

        def quantity(_: Any, o: int, y: int) -> Any:
            bought = [(1.0, buy[o, t]) for t in of_year[y]]
            return (0.0, _sum(*bought, *((-1.0, tier[o, y, i]) for i in range(tiers))), 0.0)

        model.quantity = pyo.Constraint(model.tiered, model.years, rule=quantity)
        where = model.tiered, model.years, model.above
        model.full = pyo.Constraint(
            *where, rule=lambda _, o, y, i: _above((1.0, tier[o, y, i - 1]), (-width[o][y][i - 1], reach[o, y, i]))
        )
        model.opened = pyo.Constraint(
            *where, rule=lambda _, o, y, i: _below((1.0, tier[o, y, i]), (-width[o][y][i], reach[o, y, i]))
        )

    def _budget(self, budget: float) -> None:
        model, data = self.model, self.data
        spent, stock_spend = data.purchase_spend.tolist(), data.stock_spend.tolist()
        of_year = groups(data.year)

        def money(_: Any, y: int) -> Any:
            terms = [(spent[o][t], model.buy[o, t]) for o in model.offers for t in of_year[y]]
            terms += [(stock_spend[m][t], model.stock[m, t]) for m in model.materials for t in of_year[y]]
            return _below(*terms, *(self.once if y == 0 else ()), most=budget)

        model.budget = pyo.Constraint(sorted(of_year), rule=money)
