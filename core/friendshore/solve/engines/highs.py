"""HiGHS through highspy, in this process. Its callbacks end a search within a tenth of a second, with the best plan and bound so far."""

from __future__ import annotations

import time
from collections.abc import Callable
from math import inf, isfinite

import highspy
import numpy as np
from highspy import HighsModelStatus as Status

from ...errors import Diagnostic
from ...program.matrix import Floats, Linear
from ...small_lp import QuietHighs
from ..engine import TO_THE_END, Ask, BreakdownError, SolverAnswer, SolverOutcome, UnboundedError, never

# Tolerances of rows: the minimum of HiGHS, that of a first search, and that of a second opinion.
_TIGHT, _CLOSE, _USUAL = 1e-10, 1e-9, 1e-7
_LIMITS = {
    Status.kTimeLimit,
    Status.kInterrupt,
    Status.kSolutionLimit,
    Status.kIterationLimit,
    Status.kObjectiveTarget,
    Status.kObjectiveBound,
}
_CHECK_SECONDS = 0.05
_NAME = "HiGHS"


def solve_with_highs(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    solver = QuietHighs()
    for name, value in _options(linear, ask, presolve).items():
        if solver.setOptionValue(name, value) != highspy.HighsStatus.kOk:
            raise _breakdown(f"it rejected the option {name} = {value}")
    _pass_model(solver, linear)
    if hint is not None:
        solver.setSolution(len(hint), np.arange(len(hint), dtype=np.int32), hint)
    _interrupt_when(solver, _end_condition(ask))
    if solver.solve() == highspy.HighsStatus.kError:
        raise _breakdown(solver.modelStatusToString(solver.getModelStatus()))
    return _answer(solver, linear)


def _options(linear: Linear, ask: Ask, presolve: bool) -> dict[str, bool | int | float | str]:
    close = _USUAL if ask.path else _TIGHT if ask.tight else _CLOSE
    options: dict[str, bool | int | float | str] = {
        "threads": 1,
        "random_seed": ask.path,
        "primal_feasibility_tolerance": close,
        "mip_feasibility_tolerance": close if ask.tight else 10 * close,
        "mip_rel_gap": ask.gap,
        "mip_abs_gap": 0.0,
        "presolve": "choose" if presolve else "off",
    }
    if ask.seconds is not None:
        options["time_limit"] = max(0.0, ask.seconds)
    if ask.nodes is not None:
        options["mip_max_nodes"] = ask.nodes
    if ask.enough is not None and linear.integer.any():
        options["objective_target"] = ask.enough
    return options


def _pass_model(solver: highspy.Highs, linear: Linear) -> None:
    entries, columns = linear.entries, len(linear.cost)
    rows = entries.shape[0]
    status = solver.passModel(
        columns,
        rows,
        entries.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        linear.constant,
        linear.cost,
        linear.lower,
        linear.upper,
        linear.row_lower,
        linear.row_upper,
        entries.indptr.astype(np.int32),
        entries.indices.astype(np.int32),
        entries.data,
        linear.integer.astype(np.int32),
    )
    if status == highspy.HighsStatus.kError:
        raise _breakdown("it rejected the program")


def _end_condition(ask: Ask) -> Callable[[], bool]:
    """Return a function that returns True if the search must end. HiGHS calls back very often, so it checks the clock first."""
    deadline = inf if ask.seconds is None else time.monotonic() + ask.seconds
    if ask.stopped is never and deadline == inf:
        return never
    next_check, ended = 0.0, False

    def has_ended() -> bool:
        nonlocal next_check, ended
        now = time.monotonic()
        if now >= next_check:
            next_check = now + _CHECK_SECONDS
            ended = ended or now > deadline or ask.stopped()
        return ended

    return has_ended


def _interrupt_when(solver: highspy.Highs, ended: Callable[[], bool]) -> None:
    if ended is never:
        return

    def interrupt_if_ended(event: highspy.HighsCallbackEvent) -> None:
        event.interrupt(ended())

    solver.cbMipInterrupt += interrupt_if_ended
    solver.cbSimplexInterrupt += interrupt_if_ended
    solver.cbIpmInterrupt += interrupt_if_ended


def _answer(solver: highspy.Highs, linear: Linear) -> SolverAnswer:
    status, info = solver.getModelStatus(), solver.getInfo()
    timed_out = status in (Status.kTimeLimit, Status.kInterrupt)
    has_choices = bool(linear.integer.any())
    if status == Status.kInfeasible:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if status == Status.kUnbounded:
        raise UnboundedError(Diagnostic("the cost can fall without limit", fix="report this case", code="FS703"))
    if status != Status.kOptimal and status not in _LIMITS:
        raise _breakdown(solver.modelStatusToString(status))
    bound = info.mip_dual_bound if has_choices else -inf
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        if status == Status.kOptimal:
            raise _breakdown("its plan violates a row")
        return SolverAnswer(SolverOutcome.NOTHING, bound=bound, out_of_time=timed_out, solver=_NAME)
    solution = solver.getSolution()
    x = np.array(solution.col_value)
    objective = linear.value(x)
    if not isfinite(objective):
        raise _breakdown(f"its plan costs {objective}")
    if status != Status.kOptimal:
        return SolverAnswer(SolverOutcome.FEASIBLE, x, objective, bound, out_of_time=timed_out, solver=_NAME)
    if has_choices:
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, bound, solver=_NAME)
    return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.array(solution.row_dual), solver=_NAME)


def _breakdown(reason: str) -> BreakdownError:
    return BreakdownError(Diagnostic(f"HiGHS returned no answer: {reason}", fix="report this case", code="FS704"))
