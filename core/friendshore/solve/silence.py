"""HiGHS now and then prints a line of its own on stdout, whatever its options say: it would stand in the middle of JSON.

What the C library calls `stdout` is a variable apart from Python's. While a search runs it is pointed at nothing; what Python
prints, and what it does with the file descriptor, is not touched.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock

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
