"""A search by MathOpt: here, with its output switched off, or in a process of its own, which can be ended at any moment.

Its HiGHS hears no interrupt while it searches, and now and then prints a line of its own on stdout, whatever its options say: it would stand in
the middle of JSON. What the C library calls `stdout` is a variable apart from Python's. While a search runs it is pointed at nothing; what Python
prints, and what it does with the file descriptor, is not touched. In a process of its own a search does neither harm. This file is also what that
process runs, so it imports nothing of friendshore.
"""

from __future__ import annotations

import ctypes
import os
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from tempfile import TemporaryFile
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
    """The same in a process of its own, ended as soon as `stopped` says so: then None.

    Raises:
        RefusedError: in the words of the solver, or with how the process ended.
    """
    # Without its folder on the path, whose modules have names that others have too.
    command = [sys.executable, "-P", __file__, str(int(engine))]
    alone = not sys.executable or getattr(sys, "frozen", False)  # within another program there is no Python to start
    asked = None if alone else _written([part.SerializeToString() for part in (model, parameters, more)])
    if asked is None:
        return search(model, engine, parameters, more)
    # In a session of its own it does not get the Ctrl-C of the terminal: whoever waits for it decides.
    with asked, subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE, start_new_session=True) as process:  # noqa: S603 - our own file
        try:
            said = _said(process, stopped)
        finally:
            process.kill()
    if said is None:
        return None
    if said[:1] != _SOLVED:
        raise RefusedError(said[1:].decode() or f"its process ended with {process.returncode}")
    return result_pb2.SolveResultProto.FromString(said[1:])


def _written(parts: Iterable[bytes]) -> IO[bytes] | None:
    """A file of all parts to be read from its begin; None: there is nowhere to write one."""
    try:
        file = TemporaryFile()  # noqa: SIM115 - its reader closes it
    except OSError:
        return None
    try:
        file.writelines(map(_packed, parts))
        file.seek(0)
    except OSError:  # the disk is full
        file.close()
        return None
    return file


def _said(process: subprocess.Popen[bytes], stopped: Callable[[], bool]) -> bytes | None:
    while not stopped():
        try:
            return process.communicate(timeout=_LOOK)[0]
        except subprocess.TimeoutExpired:
            continue
    return None


def _packed(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def _next(source: IO[bytes]) -> bytes:
    return source.read(_LENGTH.unpack(source.read(_LENGTH.size))[0])


def _serve() -> None:
    """Reads one program from stdin, and writes the answer to stdout; whatever else is printed goes nowhere."""
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    model = model_pb2.ModelProto.FromString(_next(sys.stdin.buffer))
    parameters = parameters_pb2.SolveParametersProto.FromString(_next(sys.stdin.buffer))
    more = model_parameters_pb2.ModelSolveParametersProto.FromString(_next(sys.stdin.buffer))
    try:
        answer = _SOLVED + search(model, int(sys.argv[1]), parameters, more).SerializeToString()
    except RefusedError as error:
        answer = _REFUSED + str(error).encode()
    with out:
        out.write(answer)


if __name__ == "__main__":
    _serve()
