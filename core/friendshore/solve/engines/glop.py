"""GLOP, for linear programs, through the helper of OR-Tools' model builder.

GLOP first runs its dual simplex on the program without presolve. It starts with columns of nonnegative cost at their lower bounds, as
nearly all are here. It takes a quarter of the time of a presolve and the primal simplex, which take another path through the numbers.

The program is passed as the bytes of OR-Tools' request (`MPModelRequest`), built from a few arrays. Passing it entry by entry takes longer than
GLOP itself. The helper's only bulk interface takes a scipy matrix, which is slow to import.

Measured pitfalls, each with a test:
- The helper's own HiGHS prints a banner, loses its incumbent at a time limit, and flips the sign of duals. So only GLOP is
  used through the helper.
- The helper calls a program infeasible whose cost has no minimum.
- GLOP can cycle forever, with and without presolve. So its steps are limited, and the next engine is called.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain, pairwise
from threading import Event, Thread
from typing import Any

import numpy as np
import ortools.linear_solver.linear_solver_pb2 as proto
from numpy.typing import NDArray
from ortools.linear_solver.python import model_builder_helper as helper

from ...errors import Diagnostic
from ...program.matrix import Floats, Ints, Linear
from ..engine import NOTHING, TO_THE_END, Ask, BreakdownError, SolverAnswer, SolverOutcome, never

_LARGE = 50_000
"""Minimum number of entries of a program that may take too long for a user who asked to stop."""
_STEPS, _STEPS_BY_SIZE = 10_000, 20
"""Maximum steps of GLOP: for any program, and in addition per row and column. It needs about two per row, but it can also
cycle forever, on as few as 9 rows of badly scaled numbers.
"""
_PRIMAL = "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9"
_DUAL = f"{_PRIMAL} use_dual_simplex: true use_preprocessing: false"


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, _hint: Floats | None = None, presolve: bool = False
) -> SolverAnswer:
    """Solve a linear program with GLOP, ignoring integrality and hints.

    With `presolve`, use presolve and the primal simplex, else the dual simplex.

    Raises:
        BreakdownError: If GLOP finds no answer within its steps, or can't tell an infeasible program from an unbounded one.
    """
    solver: Any = helper.ModelSolverHelper("glop")  # its stubs take bytes for text
    steps = _STEPS + _STEPS_BY_SIZE * sum(linear.entries.shape)
    parameters = f"{_PRIMAL if presolve else _DUAL} max_number_of_iterations: {steps}"
    request, began = _request(linear, parameters, ask.seconds), time.monotonic()
    with _interrupting(ask.stopped if linear.entries.nnz >= _LARGE else never, solver.interrupt_solve):
        response = proto.MPSolutionResponse.FromString(solver.solve_serialized_request(request))
    status, late = response.status, ask.seconds is not None and time.monotonic() - began >= ask.seconds
    if status in (proto.MPSOLVER_OPTIMAL, proto.MPSOLVER_FEASIBLE):
        x = np.clip(np.array(response.variable_value), linear.lower, linear.upper)
        objective = linear.value(x)
        if status == proto.MPSOLVER_FEASIBLE:
            return SolverAnswer(SolverOutcome.FEASIBLE, x, objective)
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.array(response.dual_value))
    if status == proto.MPSOLVER_INFEASIBLE and not _may_fall_for_ever(linear):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if ask.stopped() or (status == proto.MPSOLVER_NOT_SOLVED and late):
        return NOTHING
    name = proto.MPSolverResponseStatus.Name(status)
    raise BreakdownError(Diagnostic(f"GLOP returned no answer: {name}", fix="report this case", code="FS704"))


def _request(linear: Linear, parameters: str, seconds: float | None) -> bytes:
    """Return OR-Tools' request: a program and its parameters."""
    glop = proto.MPModelRequest.GLOP_LINEAR_PROGRAMMING
    how = proto.MPModelRequest(solver_type=glop, solver_specific_parameters=parameters)
    if seconds is not None:
        how.solver_time_limit_seconds = seconds
    model = _model(linear)
    head = _MODEL.copy()
    head["model"] = _whole(np.array([len(model)]))
    return b"".join([head.tobytes(), model, how.SerializeToString()])


# The same in protocol buffers (https://protobuf.dev/programming-guides/encoding), as arrays of records of one length. Each field begins with a byte,
# 8 times its number plus what follows it: a double, or the length of what else there is, and that: a message, or numbers one after the other.
# Whole numbers and lengths are written 7 bits a byte, lowest first, with 128 added where another byte follows: here in as many bytes each, the
# last of which may add nothing.
_DOUBLE, _LENGTH = 1, 2
_LONG = 5
"""Bytes of a length."""


def _whole(numbers: Ints, size: int = _LONG) -> NDArray[np.uint8]:
    """Return `size` bytes for each whole number."""
    found = np.empty((len(numbers), size), np.uint8)
    for at in range(size):
        found[:, at] = numbers >> 7 * at & 127 | (128 if at < size - 1 else 0)
    return found


def _record(**fields: tuple[int, int]) -> NDArray[np.void]:
    """Return one record, from the field numbers and wire types of its fields."""
    kinds = [
        part
        for name, (_, what) in fields.items()
        for part in ((f"begin {name}", "u1"), (name, "<f8" if what == _DOUBLE else f"{_LONG}u1"))
    ]
    record = np.zeros(1, dtype=kinds)
    for name, (number, what) in fields.items():
        record[f"begin {name}"] = number << 3 | what
    return record


_MODEL = _record(model=(proto.MPModelRequest.MODEL_FIELD_NUMBER, _LENGTH))
_COLUMN = _record(
    column=(proto.MPModelProto.VARIABLE_FIELD_NUMBER, _LENGTH),
    lower=(proto.MPVariableProto.LOWER_BOUND_FIELD_NUMBER, _DOUBLE),
    upper=(proto.MPVariableProto.UPPER_BOUND_FIELD_NUMBER, _DOUBLE),
    cost=(proto.MPVariableProto.OBJECTIVE_COEFFICIENT_FIELD_NUMBER, _DOUBLE),
)
_ROW = _record(
    row=(proto.MPModelProto.CONSTRAINT_FIELD_NUMBER, _LENGTH),
    lower=(proto.MPConstraintProto.LOWER_BOUND_FIELD_NUMBER, _DOUBLE),
    upper=(proto.MPConstraintProto.UPPER_BOUND_FIELD_NUMBER, _DOUBLE),
    columns=(proto.MPConstraintProto.VAR_INDEX_FIELD_NUMBER, _LENGTH),
)
_VALUES = _record(values=(proto.MPConstraintProto.COEFFICIENT_FIELD_NUMBER, _LENGTH))


def _model(linear: Linear) -> bytes:
    """Return the program: all columns, then each row with the columns of its entries and their values."""
    given = linear.entries
    counts, (many, several) = given.counts, given.shape
    columns = np.repeat(_COLUMN, several)
    columns["column"] = _whole(np.array([_COLUMN.itemsize - _MODEL.itemsize]))
    columns["lower"], columns["upper"], columns["cost"] = linear.lower, linear.upper, linear.cost
    size = -(-max(several, 2).bit_length() // 7)
    rows, values = np.repeat(_ROW, many), np.repeat(_VALUES, many)
    rows["row"] = _whole(_ROW.itemsize - _MODEL.itemsize + _VALUES.itemsize + (size + 8) * counts)
    rows["lower"], rows["upper"] = linear.row_lower, linear.row_upper
    rows["columns"], values["values"] = _whole(size * counts), _whole(8 * counts)
    every = np.arange(many + 1)
    in_rows = [
        _cut(rows.tobytes(), every * _ROW.itemsize),
        _cut(_whole(given.indices, size).tobytes(), given.indptr * size),
        _cut(values.tobytes(), every * _VALUES.itemsize),
        _cut(given.data.astype("<f8", copy=False).tobytes(), given.indptr * 8),
    ]
    return b"".join([columns.tobytes(), *chain.from_iterable(zip(*in_rows, strict=True))])


def _cut(found: bytes, ends: Ints) -> list[bytes]:
    return [found[start:end] for start, end in pairwise(ends.tolist())]


@contextmanager
def _interrupting(stopped: Callable[[], bool], interrupt: Callable[[], object]) -> Iterator[None]:
    """Call `interrupt` from another thread within a tenth of a second after `stopped` returns True, while the block runs."""
    if stopped is never:
        yield
        return
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            if stopped():
                interrupt()
                return

    thread = Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _may_fall_for_ever(linear: Linear) -> bool:
    """Return True if the cost might have no minimum. The helper calls such a program infeasible, while HiGHS reports it as unbounded."""
    return bool(np.isinf(linear.cheapest[linear.cost != 0]).any())
