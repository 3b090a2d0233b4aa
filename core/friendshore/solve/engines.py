"""The solvers: GLOP for linear programs, HiGHS through MathOpt for those with integer variables, SCIP where both give up (`retries`).

Measured traps, each with a test:
- The helper's own HiGHS prints a banner, loses its incumbent at a time limit and flips the sign of duals: only GLOP is
  used through the helper.
- MathOpt's HiGHS ignores the interrupter, calls no callback and swallows Ctrl-C in the main thread: what may take long runs in a
  process of its own (`worker`), in slices that double in length, and the caller waits.
- HiGHS takes its number of threads once per process, through `highs.int_options`.
- The helper calls a program infeasible whose cost has no least value.
- HiGHS prints a line on stdout when it repairs a plan of its own, with all output switched off (`silence`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import Enum
from threading import Event, Thread
from typing import Any

import numpy as np
import scipy.sparse as sp
from ortools.linear_solver.python import model_builder_helper as helper
from ortools.math_opt import model_parameters_pb2, model_pb2, parameters_pb2, result_pb2

from ..domain.plan import OPTIMAL_GAP, OPTIMAL_MONEY
from ..errors import Diagnostic, SolverError
from ..program.matrix import Floats, Linear
from .linking import Linked
from .silence import silence
from .worker import RefusedError, search, search_in_worker


def is_open(value: float, bound: float) -> bool:
    """Whether a plan of this value lies too far from the bound to be called the cheapest."""
    return value - bound > float(OPTIMAL_GAP) * abs(value) + float(OPTIMAL_MONEY)


class UnboundedError(SolverError):
    """The cost has no least value: a mistake of the program, but for parts whose costs are lowered by a price."""


class BreakdownError(SolverError):
    """An engine came to no answer that can be relied on: another one is asked (`retries`)."""


class SolverOutcome(Enum):
    """How one run of a solver ended."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    """Stopped by a limit, with a plan."""
    NOTHING = "nothing"
    """Stopped by a limit, without a plan."""
    INFEASIBLE = "infeasible"
    BROKEN = "broken"
    """No engine came to an answer that can be relied on."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What one of several ranked objectives comes to when its turn is over."""

    least: float
    """As small as the levels before it allow, as far as was found."""
    bound: float
    """No plan that keeps the levels before it comes to less."""
    most: float
    """What later levels may make of it."""


@dataclass(frozen=True, slots=True, eq=False)
class SolverAnswer:
    """What a solver found."""

    outcome: SolverOutcome
    x: Floats | None = None
    objective: float = float("inf")
    bound: float = float("-inf")
    duals: Floats | None = None
    """By how much the objective rises with the end of a row that binds; of an optimal linear program only."""
    levels: tuple[Reached, ...] = ()
    """Of a component with ranked objectives: what each of them comes to."""
    out_of_time: bool = False
    """Whether the clock ended it."""
    joined: Linked | None = None
    """How it was found, where a few rows join parts that could else be solved apart."""


BRIEF = 0.5
"""Seconds up to which a search need not be interrupted: a longer one is made in a process that can be ended."""
_LARGE = 50_000
"""Entries of a linear program from which on GLOP may take longer than that."""


def never() -> bool:
    """Nobody ends the search."""
    return False


def solve_lp(
    linear: Linear, seconds: float | None = None, presolve: bool = True, stopped: Callable[[], bool] = never
) -> SolverAnswer:
    """Solves a linear program with GLOP, integrality left aside.

    Raises:
        BreakdownError: if GLOP comes to no answer, or cannot tell a program without any plan from one without least cost.
    """
    model = helper.ModelBuilderHelper()
    fill: Any = model.fill_model_from_sparse_data  # its stubs name a dtype where numpy has a shape
    fill(linear.lower, linear.upper, linear.cost, linear.row_lower, linear.row_upper, linear.matrix)
    solver = helper.ModelSolverHelper("glop")
    solver.set_solver_specific_parameters(
        f"primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9 use_preprocessing: {presolve}".lower()
    )
    if seconds is not None:
        solver.set_time_limit_in_seconds(seconds)
    with _heard(solver, stopped) if stopped is not never and linear.matrix.nnz >= _LARGE else nullcontext():
        solver.solve(model)
    status = solver.status()
    if status == helper.SolveStatus.OPTIMAL:
        x = np.clip(np.asarray(solver.variable_values()), linear.lower, linear.upper)
        objective = float(linear.cost @ x) + linear.constant
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.asarray(solver.dual_values()))
    if status == helper.SolveStatus.INFEASIBLE and not _may_fall_for_ever(linear):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if status == helper.SolveStatus.FEASIBLE and solver.has_solution():
        x = np.clip(np.asarray(solver.variable_values()), linear.lower, linear.upper)
        return SolverAnswer(SolverOutcome.FEASIBLE, x, float(linear.cost @ x) + linear.constant)
    if status in (helper.SolveStatus.NOT_SOLVED, helper.SolveStatus.CANCELLED_BY_USER) and (
        seconds is not None or stopped()
    ):
        return SolverAnswer(SolverOutcome.NOTHING)
    raise BreakdownError(Diagnostic(f"GLOP came to no answer: {status.name}", fix="please report this case"))


@contextmanager
def _heard(solver: helper.ModelSolverHelper, stopped: Callable[[], bool]) -> Iterator[None]:
    """While GLOP searches, a thread beside it that ends the search as soon as it is to stop."""
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            if stopped():
                solver.interrupt_solve()
                return

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _may_fall_for_ever(linear: Linear) -> bool:
    """Whether the cost might have no least value: the helper calls such a program infeasible, HiGHS by its name."""
    ends = np.where(linear.cost < 0, linear.upper, linear.lower)
    return bool(np.isinf(ends[linear.cost != 0]).any())


@dataclass(frozen=True, slots=True, eq=False)
class Ask:
    """How long and how closely a program is searched."""

    seconds: float | None = None
    """Time for it."""
    gap: float = 0.0
    """Relative distance from the bound at which a plan is good enough."""
    start: Floats | None = None
    """A plan that is known to hold."""
    nodes: int | None = None
    """Nodes of the search tree after which it ends: a limit that does not depend on the clock."""
    enough: float | None = None
    """Cost of a plan that ends the search, likewise."""
    tight: bool = False
    """Whether rows are held as closely as the engine can, which takes longer."""
    stopped: Callable[[], bool] = never
    """Whether the user has had enough: the search then ends within a tenth of a second, without an answer."""


TO_THE_END = Ask()
"""Until it is proved."""


def solve_with_highs(linear: Linear, ask: Ask = TO_THE_END, presolve: bool = True) -> SolverAnswer:
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
    return _by_mathopt(linear, parameters_pb2.SOLVER_TYPE_HIGHS, parameters, ask)


def solve_with_scip(linear: Linear, ask: Ask = TO_THE_END) -> SolverAnswer:
    """Solves a program with SCIP, a linear one with the SoPlex within it: slower, and of other make than GLOP and HiGHS.

    Raises:
        BreakdownError: if SCIP comes to no answer.
        UnboundedError: if the cost has no least value.
    """
    parameters = _parameters(ask, presolve=True)
    parameters.gscip.real_params["numerics/feastol"] = 1e-9
    return _by_mathopt(linear, parameters_pb2.SOLVER_TYPE_GSCIP, parameters, ask)


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
) -> SolverAnswer:
    more = model_parameters_pb2.ModelSolveParametersProto()
    if ask.start is not None:
        hint = more.solution_hints.add().variable_values
        hint.ids.extend(range(len(ask.start)))
        hint.values.extend(ask.start.tolist())
    program = _proto(linear)
    brief = parameters_pb2.SolveParametersProto()
    brief.CopyFrom(parameters)
    brief.time_limit.FromNanoseconds(int(BRIEF * 1e9))
    try:
        result = None
        if ask.seconds is None or ask.seconds <= BRIEF:
            with silence():
                result = search(program, engine, parameters if ask.seconds is not None else brief, more)
        if result is None or (ask.seconds is None and result.termination.limit == result_pb2.LIMIT_TIME):
            result = search_in_worker(program, engine, parameters, more, ask.stopped)
    except RefusedError as error:
        problem = Diagnostic(f"the solver refused the program: {error}", fix="please report this case")
        raise BreakdownError(problem) from error
    return SolverAnswer(SolverOutcome.NOTHING) if result is None else _answer(result, linear)


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
    rows = linear.matrix.shape[0]
    proto.linear_constraints.ids.extend(range(rows))
    proto.linear_constraints.lower_bounds.extend(linear.row_lower.tolist())
    proto.linear_constraints.upper_bounds.extend(linear.row_upper.tolist())
    entries = sp.csr_matrix(linear.matrix)
    entries.sort_indices()
    row_ids = np.repeat(np.arange(rows), np.diff(entries.indptr))
    proto.linear_constraint_matrix.row_ids.extend(row_ids.tolist())
    proto.linear_constraint_matrix.column_ids.extend(entries.indices.tolist())
    proto.linear_constraint_matrix.coefficients.extend(entries.data.tolist())
    return proto


def _answer(result: result_pb2.SolveResultProto, linear: Linear) -> SolverAnswer:
    reason = result.termination.reason
    bound = result.termination.objective_bounds.dual_bound
    late = result.termination.limit == result_pb2.LIMIT_TIME
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
    duals = np.zeros(linear.matrix.shape[0])
    duals[np.fromiter(found.ids, dtype=np.intp)] = np.fromiter(found.values, dtype=np.float64)
    return duals
