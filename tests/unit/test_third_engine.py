"""A third engine: one function in one file, of another make than those that friendshore brings, and no other edit."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import Bounds, LinearConstraint, milp

from friendshore.domain.plan import PlanStatus
from friendshore.errors import Diagnostic
from friendshore.program import compile_program
from friendshore.program.matrix import Floats, Linear
from friendshore.rules.kinds.limits import Budget
from friendshore.solve import ENGINES, Ask, BreakdownError, Engines, Limits, SolverAnswer, SolverOutcome, solve

from ..building import built, case, catalog, demand, facility, planned, rule, source, store


def solve_with_scipy(linear: Linear, ask: Ask, _hint: Floats | None = None) -> SolverAnswer:
    """Solves a program with what scipy brings (`scipy.optimize.milp`); it takes no hint."""
    options = {"mip_rel_gap": ask.gap} | ({} if ask.seconds is None else {"time_limit": ask.seconds})
    found = milp(
        linear.cost,
        integrality=linear.integer.astype(int),
        bounds=Bounds(linear.lower, linear.upper),
        constraints=LinearConstraint(linear.matrix, linear.row_lower, linear.row_upper),
        options=options,
    )
    if found.status == 2:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if found.x is None:
        if found.status == 1:
            return SolverAnswer(SolverOutcome.NOTHING, out_of_time=True)
        raise BreakdownError(Diagnostic(found.message))
    x = np.clip(found.x, linear.lower, linear.upper)
    bound = found.mip_dual_bound if linear.integer.any() else found.fun
    outcome = SolverOutcome.OPTIMAL if found.status == 0 else SolverOutcome.FEASIBLE
    return SolverAnswer(outcome, x, float(linear.cost @ x) + linear.constant, bound + linear.constant)


ALONE = Limits(workers=1, engines=Engines((solve_with_scipy,), (solve_with_scipy,), second=(solve_with_scipy,)))


def given() -> tuple:
    """Metal of three countries, one with an order minimum, in two periods, under a budget."""
    sites = [facility(c.lower(), c, 90) for c in ("CN", "AU", "JP")]
    facts = catalog(*sites, source("CN", 10), source("AU", 50, min_order=20), source("JP", 80))
    wanted = case(demand("metal", "civil", 60, 60, price=300), stores=(store("metal", 1),))
    return wanted, facts, rule(Budget, amount=5200, per="period")


@pytest.mark.parametrize("limits", [ALONE, Limits(workers=1, engines=ENGINES.after(solve_with_scipy))])
def test_it_finds_what_the_others_find(limits: Limits) -> None:
    """Alone, and asked before them: the same least cost, proved."""
    wanted, facts, budget = given()
    program = compile_program(built(wanted, facts, budget))
    one, other = solve(program, limits), solve(program, Limits(workers=1))
    assert one.objective == pytest.approx(other.objective)
    assert (one.status, other.status) == (PlanStatus.OPTIMAL, PlanStatus.OPTIMAL)


def test_a_plan_is_made_with_it() -> None:
    """`plan` takes engines, and the plan is verified like any other."""
    wanted, facts, budget = given()
    found = planned(wanted, facts, budget, engines=ALONE.engines)
    assert (found.status, found.verified) == (PlanStatus.OPTIMAL, True)
    assert found.objective == planned(wanted, facts, budget).objective
