"""GLOP, for linear programs, through the helper of OR-Tools' model builder.

Asked first for its dual simplex on the program as it is. That begins where columns which cost nothing less than zero are at their lower ends, as
nearly all are here, and takes a quarter of the time of a presolve and the primal simplex. These go another way through the same numbers.

The program is handed over as the bytes of OR-Tools' request (`MPModelRequest`), which a few arrays come to: entry by entry takes longer than
GLOP itself, and all at once the helper takes nothing else but a matrix of scipy's, which is slow to import.

Measured traps, each with a test:
- The helper's own HiGHS prints a banner, loses its incumbent at a time limit and flips the sign of duals: only GLOP is
  used through the helper.
- The helper calls a program infeasible whose cost has no least value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from itertools import pairwise
from threading import Event, Thread
from typing import Any

import numpy as np
import ortools.linear_solver.linear_solver_pb2 as proto
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper as helper

from ...errors import Diagnostic
from ...program.matrix import Floats, Ints, Linear
from ..engine import TO_THE_END, Ask, BreakdownError, SolverAnswer, SolverOutcome, never

_LARGE = 50_000
"""Entries of a program from which on it may take longer than a user who has had enough should wait."""
_PRIMAL = "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9"
_DUAL = f"{_PRIMAL} use_dual_simplex: true use_preprocessing: false"


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, _hint: Floats | None = None, presolve: bool = False
) -> SolverAnswer:
    """Solves a linear program with GLOP, integrality left aside; it takes no hint.

    With `presolve` by its primal simplex after its presolve, else by its dual simplex.

    Raises:
        BreakdownError: if GLOP comes to no answer, or cannot tell a program without any plan from one without least cost.
    """
    solver: Any = helper.ModelSolverHelper("glop")  # its stubs take bytes for text
    request = _request(linear, _PRIMAL if presolve else _DUAL, ask.seconds)
    with _heard(solver, ask.stopped) if ask.stopped is not never and linear.entries.nnz >= _LARGE else nullcontext():
        response = proto.MPSolutionResponse.FromString(solver.solve_serialized_request(request))
    status = response.status
    if status in (proto.MPSOLVER_OPTIMAL, proto.MPSOLVER_FEASIBLE):
        x = np.clip(np.array(response.variable_value), linear.lower, linear.upper)
        objective = float(linear.cost @ x) + linear.constant
        if status == proto.MPSOLVER_FEASIBLE:
            return SolverAnswer(SolverOutcome.FEASIBLE, x, objective)
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.array(response.dual_value))
    if status == proto.MPSOLVER_INFEASIBLE and not _may_fall_for_ever(linear):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if ask.stopped() or (status == proto.MPSOLVER_NOT_SOLVED and ask.seconds is not None):
        return SolverAnswer(SolverOutcome.NOTHING)
    name = proto.MPSolverResponseStatus.Name(status)
    raise BreakdownError(Diagnostic(f"GLOP came to no answer: {name}", fix="please report this case"))


def _request(linear: Linear, parameters: str, seconds: float | None) -> bytes:
    """What OR-Tools is asked: a program, and how it is to be solved."""
    glop = proto.MPModelRequest.GLOP_LINEAR_PROGRAMMING
    how = proto.MPModelRequest(solver_type=glop, solver_specific_parameters=parameters)
    if seconds is not None:
        how.solver_time_limit_seconds = seconds
    model = _model(linear)
    head = _MODEL.copy()
    head["model"] = _whole(np.array([len(model)]))
    return b"".join([head.tobytes(), model, how.SerializeToString()])


# The same in protocol buffers (https://protobuf.dev/programming-guides/encoding), as arrays of records of one length. Each field begins with a byte,
# 8 times its number plus what follows it: a whole number, a double, or the length of a message and the message. Whole numbers and lengths are
# written 7 bits a byte, lowest first, with 128 added where another byte follows: here as five bytes each, the last of which may add nothing.
_WHOLE, _DOUBLE, _MESSAGE = 0, 1, 2
_BITS = np.arange(0, 35, 7)
_FOLLOWED = np.array([128, 128, 128, 128, 0])


def _whole(numbers: Ints) -> Ints:
    """Five bytes for each whole number."""
    found: Ints = numbers[:, np.newaxis] >> _BITS & 127 | _FOLLOWED
    return found


def _record(**fields: tuple[int, int]) -> NDArray[np.void]:
    """One record, of the numbers of its fields and what they hold."""
    kinds = [
        part
        for name, (_, what) in fields.items()
        for part in ((f"begin {name}", "u1"), (name, "<f8" if what == _DOUBLE else "5u1"))
    ]
    record = np.zeros(1, dtype=kinds)
    for name, (number, what) in fields.items():
        record[f"begin {name}"] = number << 3 | what
    return record


_MODEL = _record(model=(proto.MPModelRequest.MODEL_FIELD_NUMBER, _MESSAGE))
_COLUMN = _record(
    column=(proto.MPModelProto.VARIABLE_FIELD_NUMBER, _MESSAGE),
    lower=(proto.MPVariableProto.LOWER_BOUND_FIELD_NUMBER, _DOUBLE),
    upper=(proto.MPVariableProto.UPPER_BOUND_FIELD_NUMBER, _DOUBLE),
    cost=(proto.MPVariableProto.OBJECTIVE_COEFFICIENT_FIELD_NUMBER, _DOUBLE),
)
_ROW = _record(
    row=(proto.MPModelProto.CONSTRAINT_FIELD_NUMBER, _MESSAGE),
    lower=(proto.MPConstraintProto.LOWER_BOUND_FIELD_NUMBER, _DOUBLE),
    upper=(proto.MPConstraintProto.UPPER_BOUND_FIELD_NUMBER, _DOUBLE),
)
_ENTRY = _record(
    column=(proto.MPConstraintProto.VAR_INDEX_FIELD_NUMBER, _WHOLE),
    value=(proto.MPConstraintProto.COEFFICIENT_FIELD_NUMBER, _DOUBLE),
)


def _model(linear: Linear) -> bytes:
    """The program: all columns, then each row with its entries."""
    given = linear.entries
    columns = np.repeat(_COLUMN, given.shape[1])
    columns["column"] = _whole(np.array([_COLUMN.itemsize - _MODEL.itemsize]))
    columns["lower"], columns["upper"], columns["cost"] = linear.lower, linear.upper, linear.cost
    entries = np.repeat(_ENTRY, given.nnz)
    entries["column"], entries["value"] = _whole(given.indices), given.data
    ends = given.indptr * _ENTRY.itemsize
    rows = np.repeat(_ROW, given.shape[0])
    rows["row"] = _whole(_ROW.itemsize - _MODEL.itemsize + _ENTRY.itemsize * given.counts)
    rows["lower"], rows["upper"] = linear.row_lower, linear.row_upper
    heads, bodies, size = rows.tobytes(), entries.tobytes(), _ROW.itemsize
    parts = [columns.tobytes()]
    for row, (start, end) in enumerate(pairwise(ends.tolist())):
        parts += heads[row * size : (row + 1) * size], bodies[start:end]
    return b"".join(parts)


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
