"""Models and answers of MathOpt, and GLOP through MathOpt, which continues from its last basis."""

from __future__ import annotations

import numpy as np
from ortools.math_opt import (
    callback_pb2,
    model_parameters_pb2,
    model_pb2,
    model_update_pb2,
    parameters_pb2,
    result_pb2,
    sparse_containers_pb2,
)
from ortools.math_opt.core.python import solver as mathopt
from pybind11_abseil.status import StatusNotOk

from ...errors import Diagnostic
from ...program.matrix import Floats, Linear
from ..engine import BreakdownError, SolverAnswer, SolverOutcome, UnboundedError


class WarmStartedGlop:
    """Linear program that GLOP solves again and again from its last basis. Steps limit it, not the clock, since it can cycle forever from there."""

    def __init__(self, linear: Linear) -> None:
        self._linear = linear
        self._solver: mathopt.Solver = mathopt.new(
            parameters_pb2.SOLVER_TYPE_GLOP, mathopt_model(linear), parameters_pb2.SolverInitializerProto()
        )
        self._parameters = parameters_pb2.SolveParametersProto(presolve=parameters_pb2.EMPHASIS_OFF)
        self._parameters.iteration_limit = _STEPS + _STEPS_BY_ROW * len(linear.row_upper)
        for name, value in _DUAL_SIMPLEX.items():
            setattr(self._parameters.glop, name, value)

    def optimum(self, linear: Linear) -> SolverAnswer | None:
        """Return the optimum with other costs and bounds. None if GLOP doesn't reach it from its last basis."""
        update, before = model_update_pb2.ModelUpdateProto(), self._linear
        _add_changes(update.variable_updates.lower_bounds, before.lower, linear.lower)
        _add_changes(update.variable_updates.upper_bounds, before.upper, linear.upper)
        _add_changes(update.linear_constraint_updates.lower_bounds, before.row_lower, linear.row_lower)
        _add_changes(update.linear_constraint_updates.upper_bounds, before.row_upper, linear.row_upper)
        _add_changes(update.objective_updates.linear_coefficients, before.cost, linear.cost)
        update.objective_updates.offset_update = linear.constant
        self._linear = linear
        model_parameters = model_parameters_pb2.ModelSolveParametersProto()
        registered = callback_pb2.CallbackRegistrationProto()
        try:
            if not self._solver.update(update):
                return None
            result = self._solver.solve(self._parameters, model_parameters, None, registered, None, None)
        except StatusNotOk:
            return None
        optimal = result.termination.reason == result_pb2.TERMINATION_REASON_OPTIMAL
        return solver_answer(result, linear) if optimal else None


# Maximum steps of GLOP: for any program, and in addition per row. Even without a basis it rarely needs as many.
_STEPS, _STEPS_BY_ROW = 1000, 3
_DUAL_SIMPLEX = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "use_dual_simplex": True,
    "use_preprocessing": False,
}


def _add_changes(update: sparse_containers_pb2.SparseDoubleVectorProto, before: Floats, after: Floats) -> None:
    changed = np.flatnonzero(before != after)
    update.ids.extend(changed.tolist())
    update.values.extend(after[changed].tolist())


def mathopt_model(linear: Linear) -> model_pb2.ModelProto:
    proto = model_pb2.ModelProto()
    count = len(linear.cost)
    proto.variables.ids.extend(range(count))
    proto.variables.lower_bounds.extend(linear.lower.tolist())
    proto.variables.upper_bounds.extend(linear.upper.tolist())
    proto.variables.integers.extend(linear.integer.tolist())
    proto.objective.offset = linear.constant
    used = np.flatnonzero(linear.cost)
    proto.objective.linear_coefficients.ids.extend(used.tolist())
    proto.objective.linear_coefficients.values.extend(linear.cost[used].tolist())
    rows = linear.entries.shape[0]
    proto.linear_constraints.ids.extend(range(rows))
    proto.linear_constraints.lower_bounds.extend(linear.row_lower.tolist())
    proto.linear_constraints.upper_bounds.extend(linear.row_upper.tolist())
    entries = linear.entries
    order = np.lexsort((entries.indices, entries.rows))
    proto.linear_constraint_matrix.row_ids.extend(entries.rows[order].tolist())
    proto.linear_constraint_matrix.column_ids.extend(entries.indices[order].tolist())
    proto.linear_constraint_matrix.coefficients.extend(entries.data[order].tolist())
    return proto


def solver_answer(result: result_pb2.SolveResultProto, linear: Linear) -> SolverAnswer:
    """Return MathOpt's result. Raises `BreakdownError` if there is none, and `UnboundedError` if the cost has no minimum."""
    reason = result.termination.reason
    bound = result.termination.objective_bounds.dual_bound
    out_of_time = result.termination.limit in (result_pb2.LIMIT_TIME, result_pb2.LIMIT_INTERRUPTED)
    x = None
    if result.solutions and result.solutions[0].HasField("primal_solution"):
        values = result.solutions[0].primal_solution.variable_values
        x = np.zeros(len(linear.cost))
        x[np.fromiter(values.ids, dtype=np.intp)] = np.fromiter(values.values, dtype=np.float64)
    if reason == result_pb2.TERMINATION_REASON_INFEASIBLE:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if reason == result_pb2.TERMINATION_REASON_OPTIMAL and x is not None:
        return SolverAnswer(SolverOutcome.OPTIMAL, x, linear.value(x), bound, _duals(result, linear))
    if reason == result_pb2.TERMINATION_REASON_FEASIBLE and x is not None:
        return SolverAnswer(SolverOutcome.FEASIBLE, x, linear.value(x), bound, out_of_time=out_of_time)
    if reason in (result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND, result_pb2.TERMINATION_REASON_FEASIBLE):
        return SolverAnswer(SolverOutcome.NOTHING, bound=bound, out_of_time=out_of_time)
    if reason == result_pb2.TERMINATION_REASON_UNBOUNDED:
        raise UnboundedError(Diagnostic("the cost can fall without limit", fix="report this case", code="FS703"))
    name = result_pb2.TerminationReasonProto.Name(reason)
    reason_text = f"{name} {result.termination.detail}".strip()
    raise BreakdownError(
        Diagnostic(f"the solver returned no answer: {reason_text}", fix="report this case", code="FS704")
    )


def _duals(result: result_pb2.SolveResultProto, linear: Linear) -> Floats | None:
    if linear.integer.any() or not result.solutions[0].HasField("dual_solution"):
        return None
    values = result.solutions[0].dual_solution.dual_values
    duals = np.zeros(linear.entries.shape[0])
    duals[np.fromiter(values.ids, dtype=np.intp)] = np.fromiter(values.values, dtype=np.float64)
    return duals
