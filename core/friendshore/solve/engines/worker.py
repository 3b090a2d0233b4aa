"""A search by MathOpt: here, with its output switched off, or in a process of its own, which can be ended at any moment.

Its HiGHS hears no interrupt while it searches, and now and then prints a line of its own on stdout, whatever its options say: it would stand in
the middle of JSON. What the C library calls `stdout` is a variable apart from Python's. While a search runs it is pointed at nothing; what Python
prints, and what it does with the file descriptor, is not touched. In a process of its own a search does neither harm. HiGHS writes every better plan
and its log to files there, so that a search that is ended loses neither its plan nor its bound. This file is also what that process runs, so it
imports nothing of friendshore.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from math import isfinite
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import IO

from ortools.math_opt import callback_pb2, model_parameters_pb2, model_pb2, parameters_pb2, result_pb2
from ortools.math_opt.core.python import solver as mathopt
from pybind11_abseil.status import StatusNotOk

_NAMES = ("stdout", "__stdoutp")
"""What the variable is called by glibc and musl, and by macOS."""


class _Silence:
    """The C library's `stdout`, pointed at nothing while anyone asks for it; where there is no such variable, left alone."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._asking = 0
        self._before: int | None = None
        self._variable, self._nothing = _found()

    @contextmanager
    def __call__(self) -> Iterator[None]:
        if self._variable is None:
            yield
            return
        with self._lock:
            if not self._asking:
                self._before, self._variable.value = self._variable.value, self._nothing
            self._asking += 1
        try:
            yield
        finally:
            with self._lock:
                self._asking -= 1
                if not self._asking:
                    self._variable.value = self._before


def _found() -> tuple[ctypes.c_void_p | None, int | None]:
    """The variable, and a stream that leads nowhere."""
    if os.name != "posix":
        return None, None
    library = ctypes.CDLL(None)
    for name in _NAMES:
        try:
            variable = ctypes.c_void_p.in_dll(library, name)
        except ValueError:
            continue
        library.fopen.restype = ctypes.c_void_p
        nothing = library.fopen(os.devnull.encode(), b"w")
        return (variable, nothing) if nothing else (None, None)
    return None, None


silence = _Silence()
"""`with silence():` around a call of HiGHS; several threads may be within at once."""


_LENGTH = struct.Struct("<Q")
_LOOK = 0.1
"""Seconds between two looks at whether to stop."""
_SOLVED, _REFUSED = b"s", b"r"
_ASKED, _PLANS, _LOG = "asked", "plans", "log"
"""Files of a search: what is asked, the plans that HiGHS found, and its log."""
_PLAN = re.compile(r"# Columns (\d+)\n((?: \S+\n)*)")
_BOUND = re.compile(r"^ ?[A-Za-z]? +\d+ +\d+ +\d+ +[\d.]+% +(-?\d\S*) ", re.MULTILINE)
"""A line about the search tree: where a plan is from, nodes, nodes in the queue, leaves, how much is explored, bound."""
_PRINTED = 1e-8
"""Share of a bound below what its last printed digit says."""


class RefusedError(Exception):
    """MathOpt refused a program, or the process that asked it broke down."""


def search(
    model: model_pb2.ModelProto,
    engine: parameters_pb2.SolverTypeProto.ValueType,
    parameters: parameters_pb2.SolveParametersProto,
    more: model_parameters_pb2.ModelSolveParametersProto,
) -> result_pb2.SolveResultProto:
    """One search here.

    Raises:
        RefusedError: in the words of the solver.
    """
    nothing = parameters_pb2.SolverInitializerProto()
    registered = callback_pb2.CallbackRegistrationProto()
    try:
        return mathopt.solve(model, engine, nothing, parameters, more, None, registered, None, None)
    except StatusNotOk as error:  # says nothing itself: the solver's words are in its status
        raise RefusedError(error.message) from error


def search_in_worker(
    model: model_pb2.ModelProto,
    engine: parameters_pb2.SolverTypeProto.ValueType,
    parameters: parameters_pb2.SolveParametersProto,
    more: model_parameters_pb2.ModelSolveParametersProto,
    stopped: Callable[[], bool],
) -> result_pb2.SolveResultProto | None:
    """The same in a process of its own, ended as soon as `stopped` says so: then with what HiGHS had found, or None.

    Raises:
        RefusedError: in the words of the solver, or with how the process ended.
    """
    alone = not sys.executable or getattr(sys, "frozen", False)  # within another program there is no Python to start
    folder = None if alone else _folder()
    if folder is None:
        return search(model, engine, parameters, more)
    with folder as name:
        where = Path(name)
        parts = [part.SerializeToString() for part in (model, parameters, more)]
        if not _written(where / _ASKED, parts):
            return search(model, engine, parameters, more)
        # Without its folder on the path, whose modules have names that others have too. In a session of its own it does not get the Ctrl-C of
        # the terminal: whoever waits for it decides.
        command = [sys.executable, "-P", __file__, str(int(engine)), name]
        process = subprocess.Popen(  # noqa: S603 - our own file
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, start_new_session=True
        )
        with process:
            try:
                said = _said(process, stopped)
            finally:
                process.kill()
        if said is None:
            return _found_so_far(where)
    if said[:1] != _SOLVED:
        raise RefusedError(said[1:].decode() or f"its process ended with {process.returncode}")
    return result_pb2.SolveResultProto.FromString(said[1:])


def _folder() -> TemporaryDirectory[str] | None:
    """A folder for what is asked and found; None: there is nowhere to make one."""
    try:
        return TemporaryDirectory(prefix="friendshore-", ignore_cleanup_errors=True)
    except OSError:
        return None


def _written(path: Path, parts: Iterable[bytes]) -> bool:
    """Whether all parts could be written to a file."""
    try:
        with path.open("wb") as file:
            file.writelines(map(_packed, parts))
    except OSError:  # the disk is full
        return False
    return True


def _said(process: subprocess.Popen[bytes], stopped: Callable[[], bool]) -> bytes | None:
    while not stopped():
        try:
            return process.communicate(timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            continue
    return None


def _found_so_far(where: Path) -> result_pb2.SolveResultProto | None:
    """The last whole plan that HiGHS wrote and the last bound in its log, as if it had come to its limit itself; None without either."""
    plan, bound = _last_plan(_text(where / _PLANS)), _last_bound(_text(where / _LOG))
    if plan is None and bound is None:
        return None
    result = result_pb2.SolveResultProto()
    found = plan is not None
    ended = result_pb2.TERMINATION_REASON_FEASIBLE if found else result_pb2.TERMINATION_REASON_NO_SOLUTION_FOUND
    result.termination.reason, result.termination.limit = ended, result_pb2.LIMIT_INTERRUPTED
    result.termination.objective_bounds.dual_bound = float("-inf") if bound is None else bound
    if plan is not None:
        values = result.solutions.add().primal_solution.variable_values
        values.ids.extend(range(len(plan)))
        values.values.extend(plan)
    return result


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def _last_plan(text: str) -> list[float] | None:
    """The values of the last plan that stands there whole; it may have been ended while it was writing."""
    for plan in reversed(_PLAN.findall(text)):
        values = [float(value) for value in plan[1].split()]
        if len(values) == int(plan[0]) and all(map(isfinite, values)):
            return values
    return None


def _last_bound(text: str) -> float | None:
    """The last bound in the log of a search, lowered by more than is left out of its digits."""
    bounds = _BOUND.findall(text)
    return float(bounds[-1]) - _PRINTED * max(1.0, abs(float(bounds[-1]))) if bounds else None


def _packed(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _next(source: IO[bytes]) -> bytes:
    return source.read(_LENGTH.unpack(source.read(_LENGTH.size))[0])


def _serve(engine: int, where: Path) -> None:
    """Searches what is asked in a folder, and writes the answer to stdout; what else is printed is the log."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(where / _LOG, os.O_WRONLY | os.O_CREAT), 1)
    with (where / _ASKED).open("rb") as asked:
        model = model_pb2.ModelProto.FromString(_next(asked))
        parameters = parameters_pb2.SolveParametersProto.FromString(_next(asked))
        more = model_parameters_pb2.ModelSolveParametersProto.FromString(_next(asked))
    if engine == parameters_pb2.SOLVER_TYPE_HIGHS and any(model.variables.integers):
        parameters.enable_output = True
        parameters.highs.bool_options["mip_improving_solution_save"] = True
        parameters.highs.string_options["mip_improving_solution_file"] = str(where / _PLANS)
    try:
        answer = _SOLVED + search(model, engine, parameters, more).SerializeToString()
    except RefusedError as error:
        answer = _REFUSED + str(error).encode()
    with out:
        out.write(answer)


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]))
