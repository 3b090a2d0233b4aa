"""SCIP through MathOpt, for second opinions on optima and for programs on which other engines fail. It shares no code with GLOP and HiGHS.

OR-Tools 9.15 can't interrupt SCIP: its interrupter prints errors and does nothing. So a search that takes longer than half a second starts over in
its own process, which can be killed. That process runs this file as a script, so the file imports friendshore only in functions that the script
doesn't use.
"""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from ortools.math_opt import callback_pb2, model_parameters_pb2, model_pb2, parameters_pb2, result_pb2
from ortools.math_opt.core.python import solver as mathopt
from pybind11_abseil.status import StatusNotOk

if TYPE_CHECKING:
    from ...program.matrix import Floats, Linear
    from ..engine import Ask, SolverAnswer

_BRIEF_SECONDS = 0.5
_POLL_SECONDS = 0.1
# Multiple of a brief search's time from which on time isn't scarce.
_AMPLE_FACTOR = 20
_CPU_CLOCK = 1


class _RejectedError(Exception):
    """Rejection of a program by MathOpt."""


def solve_with_scip(linear: Linear, ask: Ask, hint: Floats | None = None) -> SolverAnswer:
    from ...errors import Diagnostic
    from ..engine import BreakdownError, SolverAnswer, SolverOutcome
    from .mathopt import mathopt_model, solver_answer

    model, parameters = mathopt_model(linear), _parameters(ask)
    start = model_parameters_pb2.ModelSolveParametersProto()
    if hint is not None:
        values = start.solution_hints.add().variable_values
        values.ids.extend(range(len(hint)))
        values.values.extend(hint.tolist())
    result: result_pb2.SolveResultProto | None
    try:
        brief = result = _solve(model, _brief(parameters, ask), start)
        if brief.termination.limit == result_pb2.LIMIT_TIME and (ask.seconds is None or ask.seconds > _BRIEF_SECONDS):
            if ask.seconds is not None:
                parameters = _limited(parameters, ask.seconds - _BRIEF_SECONDS)
            result = _solve_in_process(model, parameters, start, ask.stopped)
    except _RejectedError as error:
        problem = Diagnostic(f"SCIP returned no answer: {error}", fix="report this case", code="FS704")
        raise BreakdownError(problem) from error
    return (
        SolverAnswer(SolverOutcome.NOTHING) if result is None else replace(solver_answer(result, linear), solver="SCIP")
    )


def _parameters(ask: Ask) -> parameters_pb2.SolveParametersProto:
    parameters = parameters_pb2.SolveParametersProto(relative_gap_tolerance=ask.gap, absolute_gap_tolerance=0.0)
    parameters.gscip.real_params["numerics/feastol"] = 1e-9
    parameters.gscip.int_params["heuristics/alns/freq"] = -1  # it prints errors of its own subproblems on stderr
    parameters.random_seed = ask.path
    if ask.path:  # a second opinion has a plan to start from, and has to prove or refute that it is the cheapest
        parameters.heuristics = parameters_pb2.EMPHASIS_OFF
    if ask.nodes is not None:
        parameters.node_limit = ask.nodes
    return parameters if ask.seconds is None else _limited(parameters, ask.seconds)


def _brief(parameters: parameters_pb2.SolveParametersProto, ask: Ask) -> parameters_pb2.SolveParametersProto:
    """Return the parameters of the brief search. Unless time is scarce, it counts CPU time, so that a busy machine doesn't make it start over."""
    brief = _limited(parameters, _BRIEF_SECONDS)
    if ask.seconds is None or ask.seconds > _AMPLE_FACTOR * _BRIEF_SECONDS:
        brief.gscip.int_params["timing/clocktype"] = _CPU_CLOCK
    return brief


def _limited(parameters: parameters_pb2.SolveParametersProto, seconds: float) -> parameters_pb2.SolveParametersProto:
    limited = parameters_pb2.SolveParametersProto()
    limited.CopyFrom(parameters)
    nanoseconds = max(1, int(seconds * 1e9))
    if not parameters.HasField("time_limit") or parameters.time_limit.ToNanoseconds() > nanoseconds:
        limited.time_limit.FromNanoseconds(nanoseconds)
    return limited


def _solve(
    model: model_pb2.ModelProto,
    parameters: parameters_pb2.SolveParametersProto,
    start: model_parameters_pb2.ModelSolveParametersProto,
) -> result_pb2.SolveResultProto:
    try:
        solver = mathopt.new(parameters_pb2.SOLVER_TYPE_GSCIP, model, parameters_pb2.SolverInitializerProto())
        return solver.solve(parameters, start, None, callback_pb2.CallbackRegistrationProto(), None, None)
    except StatusNotOk as error:
        raise _RejectedError(str(error)) from error


def _solve_in_process(
    model: model_pb2.ModelProto,
    parameters: parameters_pb2.SolveParametersProto,
    start: model_parameters_pb2.ModelSolveParametersProto,
    stopped: Callable[[], bool],
) -> result_pb2.SolveResultProto | None:
    try:
        return _result_of_process(model, parameters, start, stopped)
    except OSError as error:  # the disk is full, or there are too many processes
        raise _RejectedError(f"no process could be started: {error}") from error


def _result_of_process(
    model: model_pb2.ModelProto,
    parameters: parameters_pb2.SolveParametersProto,
    start: model_parameters_pb2.ModelSolveParametersProto,
    stopped: Callable[[], bool],
) -> result_pb2.SolveResultProto | None:
    with TemporaryFile() as request:
        pickle.dump([part.SerializeToString() for part in (model, parameters, start)], request)
        request.seek(0)
        # `-P` keeps this folder off the path: its modules have names that others have too. The new session keeps the terminal's Ctrl-C away.
        process = subprocess.Popen(  # noqa: S603 - our own file
            [sys.executable, "-P", __file__],
            stdin=request,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    with process:
        try:
            while not stopped():
                try:
                    reply, _ = process.communicate(timeout=_POLL_SECONDS)
                except subprocess.TimeoutExpired:
                    continue
                if process.returncode:
                    raise _RejectedError(reply.decode() or f"its process ended with {process.returncode}")
                return result_pb2.SolveResultProto.FromString(reply)
        finally:
            process.kill()
    return None


def _serve() -> None:
    model, parameters, start = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own parent process
    try:
        result = _solve(
            model_pb2.ModelProto.FromString(model),
            parameters_pb2.SolveParametersProto.FromString(parameters),
            model_parameters_pb2.ModelSolveParametersProto.FromString(start),
        )
    except _RejectedError as error:
        sys.stdout.buffer.write(str(error).encode())
        sys.exit(1)
    sys.stdout.buffer.write(result.SerializeToString())


if __name__ == "__main__":
    _serve()
