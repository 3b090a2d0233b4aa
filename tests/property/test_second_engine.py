"""Random cases of middle size solved twice: by friendshore, part by part and scaled, and by SCIP, as one program and as it is.

Linear programs are solved by GLOP here and by SoPlex within SCIP, those with choices by HiGHS here and by SCIP.
"""

from __future__ import annotations

import numpy as np
import pytest
from ortools.linear_solver.python import model_builder_helper as helper

from friendshore.domain.plan import PlanStatus
from friendshore.program import compile_program
from friendshore.program.matrix import Linear
from friendshore.solve import Limits, solve
from friendshore.solve.solving import plan_of
from friendshore.verify import verify

from .mid_size import mid_size
from .settings import at_depth

CASES = 520
GROUP = 13
FEW = 5
GAP = 1e-6
"""Asked of both."""
OPTIONS = f"""limits/gap = {GAP}
numerics/feastol = 1e-9"""
"""SCIP's own tolerance of 1e-6 lets kilograms through an order that is not placed, where the bound of an order is large."""


def by_scip(linear: Linear) -> float | None:
    """The least cost of a whole program; None if nothing keeps all rows."""
    model = helper.ModelBuilderHelper()
    model.fill_model_from_sparse_data(
        linear.lower, linear.upper, linear.cost, linear.row_lower, linear.row_upper, linear.matrix
    )
    for column in np.flatnonzero(linear.integer).tolist():
        model.set_var_integrality(column, True)
    solver = helper.ModelSolverHelper("scip")
    solver.set_solver_specific_parameters(OPTIONS)
    solver.solve(model)
    if solver.status() == helper.SolveStatus.INFEASIBLE:
        return None
    assert solver.status() == helper.SolveStatus.OPTIMAL
    return solver.objective_value() + linear.constant


LATER = [(max(FEW, n), n + GROUP) for n in range(0, at_depth(CASES), GROUP)]


@pytest.mark.parametrize(("first", "end"), [(0, FEW), *(pytest.param(*one, marks=pytest.mark.deep) for one in LATER)])
def test_both_engines_come_to_the_same(first: int, end: int) -> None:
    """The same least cost, within the gap that each was asked for; infeasible for both or for neither; and the plan holds."""
    for seed in range(first, end):
        problem = mid_size(seed).inputs.problem()
        program = compile_program(problem)
        found = solve(program, Limits(gap=GAP, workers=1))
        least = by_scip(program.linear)
        assert (least is None) == (found.status is PlanStatus.INFEASIBLE), f"seed {seed}"
        verify(problem, plan_of(program, found))
        if least is not None:
            assert found.status is PlanStatus.OPTIMAL
            assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), f"seed {seed}"
            assert found.bound <= least + 2 * GAP * max(1.0, abs(least)), f"seed {seed}"
