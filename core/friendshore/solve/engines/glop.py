"""GLOP, for linear programs, through the helper of OR-Tools' model builder.

GLOP first runs its dual simplex without presolve, starting with columns of nonnegative cost at their lower bounds, as nearly all are here. It takes
a quarter of the time of a presolve and the primal simplex, which take another path through the numbers.

The program is passed as the bytes of OR-Tools' request (`MPModelRequest`), built from a few arrays. Passing it entry by entry takes longer than
GLOP itself. The helper's only bulk interface takes a scipy matrix, which is slow to import.

Measured pitfalls, each with a test:
- The helper's own HiGHS prints a banner, loses its incumbent at a time limit, and flips the sign of duals.
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

# Minimum number of entries of a program that may take too long for a user who asked to stop.
_LARGE = 50_000
# Maximum steps of GLOP: for any program, and in addition per row and column. It needs about two per row, or cycles forever.
_STEPS, _STEPS_BY_SIZE = 10_000, 20
_PRIMAL = "primal_feasibility_tolerance: 1e-9 dual_feasibility_tolerance: 1e-9"
_DUAL = f"{_PRIMAL} use_dual_simplex: true use_preprocessing: false"


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, _hint: Floats | None = None, presolve: bool = False
) -> SolverAnswer:
    """Solve a linear program with GLOP, ignoring integrality and hints, by presolve and primal simplex or by dual simplex."""
    solver: Any = helper.ModelSolverHelper("glop")  # its stubs declare bytes instead of str
    steps = _STEPS + _STEPS_BY_SIZE * sum(linear.entries.shape)
    parameters = f"{_PRIMAL if presolve else _DUAL} max_number_of_iterations: {steps}"
    request, started = _request(linear, parameters, ask.seconds), time.monotonic()
    with _interrupting(ask.stopped if linear.entries.nnz >= _LARGE else never, solver.interrupt_solve):
        response = proto.MPSolutionResponse.FromString(solver.solve_serialized_request(request))
    status, timed_out = response.status, ask.seconds is not None and time.monotonic() - started >= ask.seconds
    if status in (proto.MPSOLVER_OPTIMAL, proto.MPSOLVER_FEASIBLE):
        x = np.clip(np.array(response.variable_value), linear.lower, linear.upper)
        objective = linear.value(x)
        if status == proto.MPSOLVER_FEASIBLE:
            return SolverAnswer(SolverOutcome.FEASIBLE, x, objective)
        return SolverAnswer(SolverOutcome.OPTIMAL, x, objective, objective, np.array(response.dual_value))
    if status == proto.MPSOLVER_INFEASIBLE and not _may_be_unbounded(linear):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    if ask.stopped() or (status == proto.MPSOLVER_NOT_SOLVED and timed_out):
        return NOTHING
    name = proto.MPSolverResponseStatus.Name(status)
    raise BreakdownError(Diagnostic(f"GLOP returned no answer: {name}", fix="report this case", code="FS704"))


def _request(linear: Linear, parameters: str, seconds: float | None) -> bytes:
    glop = proto.MPModelRequest.GLOP_LINEAR_PROGRAMMING
    settings = proto.MPModelRequest(solver_type=glop, solver_specific_parameters=parameters)
    if seconds is not None:
        settings.solver_time_limit_seconds = seconds
    model = _model(linear)
    header = _MODEL.copy()
    header["model"] = _varints(np.array([len(model)]))
    return b"".join([header.tobytes(), model, settings.SerializeToString()])


# The request in protocol buffers (https://protobuf.dev/programming-guides/encoding), as arrays of records of equal length. Each field begins with a
# byte: 8 times its number plus its wire type, a double or a length. A length is followed by that many bytes, a message or packed numbers. Whole
# numbers and lengths are varints: 7 bits a byte, lowest first, plus 128 if another byte follows. Here all have the same number of bytes, the last of
# which may be empty.
_DOUBLE, _LENGTH = 1, 2
_LENGTH_BYTES = 5


def _varints(numbers: Ints, size: int = _LENGTH_BYTES) -> NDArray[np.uint8]:
    encoded = np.empty((len(numbers), size), np.uint8)
    for byte in range(size):
        encoded[:, byte] = numbers >> 7 * byte & 127 | (128 if byte < size - 1 else 0)
    return encoded


def _record(**fields: tuple[int, int]) -> NDArray[np.void]:
    dtype = [
        part
        for name, (_, wire_type) in fields.items()
        for part in ((f"begin {name}", "u1"), (name, "<f8" if wire_type == _DOUBLE else f"{_LENGTH_BYTES}u1"))
    ]
    record = np.zeros(1, dtype=dtype)
    for name, (number, wire_type) in fields.items():
        record[f"begin {name}"] = number << 3 | wire_type
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
    entries = linear.entries
    counts, (row_count, column_count) = entries.counts, entries.shape
    columns = np.repeat(_COLUMN, column_count)
    columns["column"] = _varints(np.array([_COLUMN.itemsize - _MODEL.itemsize]))
    columns["lower"], columns["upper"], columns["cost"] = linear.lower, linear.upper, linear.cost
    index_bytes = -(-max(column_count, 2).bit_length() // 7)
    rows, values = np.repeat(_ROW, row_count), np.repeat(_VALUES, row_count)
    rows["row"] = _varints(_ROW.itemsize - _MODEL.itemsize + _VALUES.itemsize + (index_bytes + 8) * counts)
    rows["lower"], rows["upper"] = linear.row_lower, linear.row_upper
    rows["columns"], values["values"] = _varints(index_bytes * counts), _varints(8 * counts)
    row_numbers = np.arange(row_count + 1)
    pieces = [
        _split_at(rows.tobytes(), row_numbers * _ROW.itemsize),
        _split_at(_varints(entries.indices, index_bytes).tobytes(), entries.indptr * index_bytes),
        _split_at(values.tobytes(), row_numbers * _VALUES.itemsize),
        _split_at(entries.data.astype("<f8", copy=False).tobytes(), entries.indptr * 8),
    ]
    return b"".join([columns.tobytes(), *chain.from_iterable(zip(*pieces, strict=True))])


def _split_at(data: bytes, ends: Ints) -> list[bytes]:
    return [data[start:end] for start, end in pairwise(ends.tolist())]


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


def _may_be_unbounded(linear: Linear) -> bool:
    """Return True if the cost might have no minimum. The helper calls such a program infeasible."""
    return bool(np.isinf(linear.cheapest[linear.cost != 0]).any())
