"""HiGHS, for programs with integer variables, and SCIP, where all else gives up, through MathOpt; and GLOP, where it can go on from a basis.

Measured traps, each with a test:
- MathOpt's HiGHS ignores the interrupter, calls no callback and swallows Ctrl-C in the main thread: what may take long runs in a
  process of its own (`worker`), which is ended from outside and leaves its best plan and bound in files.
- HiGHS takes its number of threads once per process, through `highs.int_options`.
- HiGHS prints a line on stdout when it repairs a plan of its own, with all output switched off (`silence`).
"""

from __future__ import annotations

import time
from collections.abc import Callable

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
from ..engine import BRIEF, TO_THE_END, Ask, BreakdownError, SolverAnswer, SolverOutcome, UnboundedError
from .worker import RefusedError, search, search_in_worker, silence

GRACE = 2.0
"""Seconds after its time limit at which a search is ended that has not ended itself: within a large linear program HiGHS hardly looks at the clock."""


def solve_with_highs(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    """Solves a program with HiGHS.

    Raises:
        BreakdownError: if HiGHS comes to no answer.
        UnboundedError: if the cost has no least value.
    """
    parameters = _parameters(ask, presolve)
    parameters.highs.int_options["threads"] = 1
    parameters.highs.int_options["random_seed"] = 0
    parameters.highs.double_options["mip_feasibility_tolerance"] = 1e-10 if ask.tight else 1e-8
    parameters.highs.double_options["primal_feasibility_tolerance"] = 1e-10 if ask.tight else 1e-9
    if ask.enough is not None:  # MathOpt's own `objective_limit` is refused for integer variables
        parameters.highs.double_options["objective_target"] = ask.enough
    return _by_mathopt(linear, parameters_pb2.SOLVER_TYPE_HIGHS, parameters, ask, hint)


def solve_with_scip(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    """Solves a program with SCIP, a linear one with the SoPlex within it: slower, and of other make than GLOP and HiGHS.

    Raises:
        BreakdownError: if SCIP comes to no answer.
        UnboundedError: if the cost has no least value.
    """
    parameters = _parameters(ask, presolve=True)
    parameters.gscip.real_params["numerics/feastol"] = 1e-9
    return _by_mathopt(linear, parameters_pb2.SOLVER_TYPE_GSCIP, parameters, ask, hint)


def _parameters(ask: Ask, presolve: bool) -> parameters_pb2.SolveParametersProto:
    parameters = parameters_pb2.SolveParametersProto(relative_gap_tolerance=ask.gap, absolute_gap_tolerance=0.0)
    if not presolve:
        parameters.presolve = parameters_pb2.EMPHASIS_OFF
    if ask.seconds is not None:
        parameters.time_limit.FromNanoseconds(max(1, int(ask.seconds * 1e9)))
    if ask.nodes is not None:
        parameters.node_limit = ask.nodes
    return parameters


def _by_mathopt(
    linear: Linear,
    engine: parameters_pb2.SolverTypeProto.ValueType,
    parameters: parameters_pb2.SolveParametersProto,
    ask: Ask,
    start: Floats | None,
) -> SolverAnswer:
    more = model_parameters_pb2.ModelSolveParametersProto()
    if start is not None:
        hint = more.solution_hints.add().variable_values
        hint.ids.extend(range(len(start)))
        hint.values.extend(start.tolist())
    program = _proto(linear)
    stopped = _late(ask)
    brief = parameters_pb2.SolveParametersProto()
    brief.CopyFrom(parameters)
    brief.time_limit.FromNanoseconds(int(BRIEF * 1e9))
    try:
        result = None
        if ask.seconds is None or ask.seconds <= BRIEF:
            with silence():
                result = search(program, engine, parameters if ask.seconds is not None else brief, more)
        if result is None or (ask.seconds is None and result.termination.limit == result_pb2.LIMIT_TIME):
            result = search_in_worker(program, engine, parameters, more, stopped)
    except RefusedError as error:
        problem = Diagnostic(f"the solver refused the program: {error}", fix="please report this case")
        raise BreakdownError(problem) from error
    return SolverAnswer(SolverOutcome.NOTHING) if result is None else _answer(result, linear)


class Resumed:
    """A linear program that is asked again and again, with other costs and other ends of rows and columns: GLOP's dual simplex goes on from the basis with
    which it ended, which takes a fraction of the steps.

    From such a basis it was seen to go round in circles for ever. A number of steps ends that, and not the clock, so that answers are the same on
    every machine.
    """

    def __init__(self, linear: Linear) -> None:
        """Nothing is solved yet."""
        self._linear = linear
        self._solver: mathopt.Solver = mathopt.new(
            parameters_pb2.SOLVER_TYPE_GLOP, _proto(linear), parameters_pb2.SolverInitializerProto()
        )
        self._how = parameters_pb2.SolveParametersProto(presolve=parameters_pb2.EMPHASIS_OFF)
        self._how.iteration_limit = _STEPS + _STEPS_BY_ROW * len(linear.row_upper)
        for name, value in _DUAL_SIMPLEX.items():
            setattr(self._how.glop, name, value)

    def optimum(self, linear: Linear) -> SolverAnswer | None:
        """The optimum of the same program with other costs and ends; None where GLOP does not come to it from where it ended."""
        update, before = model_update_pb2.ModelUpdateProto(), self._linear
        _tell(update.variable_updates.lower_bounds, before.lower, linear.lower)
        _tell(update.variable_updates.upper_bounds, before.upper, linear.upper)
        _tell(update.linear_constraint_updates.lower_bounds, before.row_lower, linear.row_lower)
        _tell(update.linear_constraint_updates.upper_bounds, before.row_upper, linear.row_upper)
        _tell(update.objective_updates.linear_coefficients, before.cost, linear.cost)
        update.objective_updates.offset_update = linear.constant
        self._linear = linear
        nothing, registered = model_parameters_pb2.ModelSolveParametersProto(), callback_pb2.CallbackRegistrationProto()
        try:
            if not self._solver.update(update):
                return None
            result = self._solver.solve(self._how, nothing, None, registered, None, None)
        except StatusNotOk:
            return None
        optimal = result.termination.reason == result_pb2.TERMINATION_REASON_OPTIMAL
        return _answer(result, linear) if optimal else None


_STEPS, _STEPS_BY_ROW = 1000, 3
"""Steps of GLOP after which it is given up, for any program and more by row: also without a basis it hardly takes as many."""
_DUAL_SIMPLEX = {
    "primal_feasibility_tolerance": 1e-9,
    "dual_feasibility_tolerance": 1e-9,
    "use_dual_simplex": True,
    "use_preprocessing": False,
}


def _tell(update: sparse_containers_pb2.SparseDoubleVectorProto, before: Floats, after: Floats) -> None:
    """Writes down which values have changed."""
    changed = np.flatnonzero(before != after)
    update.ids.extend(changed.tolist())
    update.values.extend(after[changed].tolist())


def _late(ask: Ask) -> Callable[[], bool]:
    """Whether a search is to be ended: the user has had enough, or it did not end itself at its time."""
    if ask.seconds is None:
        return ask.stopped
    last = time.monotonic() + ask.seconds + GRACE
    return lambda: ask.stopped() or time.monotonic() > last


def _proto(linear: Linear) -> model_pb2.ModelProto:
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


def _answer(result: result_pb2.SolveResultProto, linear: Linear) -> SolverAnswer:
    reason = result.termination.reason
    bound = result.termination.objective_bounds.dual_bound
    late = result.termination.limit in (result_pb2.LIMIT_TIME, result_pb2.LIMIT_INTERRUPTED)
    x = None
    if result.solutions and result.solutions[0].HasField("primal_solution"):
        found = result.solutions[0].primal_solution.variable_values
        x = np.zeros(len(linear.cost))
        x[np.fromiter(found.ids, dtype=np.intp)] = np.fromiter(found.values, dtype=np.float64)
    if reason == result_pb2.TERMINATION_REASON_INFEASIBLE:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if reason == result_pb2.TERMINATION_REASON_OPTIMAL and x is not None:
        return SolverAnswer(
            SolverOutcome.OPTIMAL, x, float(linear.cost @ x) + linear.constant, bound, _duals(result, linear)
        )
    if reason == result_pb2.TERMINATION_REASON_FEASIBLE and x is not None:
        return SolverAnswer(
            SolverOutcome.FEASIBLE, x, float(linear.cost @ x) + linear.constant, bound, out_of_time=late
        )
    if reason in (result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND, result_pb2.TERMINATION_REASON_FEASIBLE):
        return SolverAnswer(SolverOutcome.NOTHING, bound=bound, out_of_time=late)
    name = result_pb2.TerminationReasonProto.Name(reason)
    endless = reason == result_pb2.TERMINATION_REASON_UNBOUNDED
    raise (UnboundedError if endless else BreakdownError)(
        Diagnostic(f"the solver broke down: {name} {result.termination.detail}".strip(), fix="please report this case")
    )


def _duals(result: result_pb2.SolveResultProto, linear: Linear) -> Floats | None:
    if linear.integer.any() or not result.solutions[0].HasField("dual_solution"):
        return None
    found = result.solutions[0].dual_solution.dual_values
    duals = np.zeros(linear.entries.shape[0])
    duals[np.fromiter(found.ids, dtype=np.intp)] = np.fromiter(found.values, dtype=np.float64)
    return duals
