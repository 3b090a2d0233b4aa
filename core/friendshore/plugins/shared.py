"""What two processes tell each other through memory that they share: whose code runs, Ctrl-C, and that the work is done."""

from __future__ import annotations

import ctypes
import mmap
import time
from dataclasses import dataclass

_MOST = 2000
"""Bytes of the text that says whose code runs."""


class _Memory(ctypes.Structure):
    _fields_ = (
        ("finished", ctypes.c_bool),
        ("pressed", ctypes.c_bool),
        ("inside", ctypes.c_bool),
        ("code", ctypes.c_int),
        ("count", ctypes.c_uint64),
        ("since", ctypes.c_double),
        ("text", ctypes.c_char * _MOST),
    )


@dataclass(frozen=True, slots=True)
class RunningCode:
    """Whose code runs, or was the last to."""

    inside: bool
    """Whether it runs now."""
    count: int
    """How many times anything was told: two that are the same speak of one stretch of code."""
    since: float
    """When it began, by the clock that only goes forward."""
    package: str
    doing: str


class Shared:
    """Made before a process splits, and the same in both."""

    def __init__(self) -> None:
        self._memory = _Memory.from_buffer(mmap.mmap(-1, ctypes.sizeof(_Memory)))

    def tell(self, package: str, doing: str) -> None:
        """Says whose code runs from now on; nobody's: what ran has come to its end."""
        memory = self._memory
        memory.inside = False
        if package:
            memory.text = f"{package}\n{doing}".encode()[: _MOST - 1]
            memory.since = time.monotonic()
            memory.count += 1
            memory.inside = True

    @property
    def told(self) -> RunningCode:
        """What was told last."""
        memory = self._memory
        package, _, doing = bytes(memory.text).decode(errors="replace").partition("\n")
        return RunningCode(bool(memory.inside), int(memory.count), float(memory.since), package, doing)

    def press(self) -> None:
        """Says that Ctrl-C was pressed."""
        self._memory.pressed = True

    @property
    def pressed(self) -> bool:
        """Whether it was."""
        return bool(self._memory.pressed)

    def finish(self, code: int) -> None:
        """Says that the work is done, with the exit code that it comes to."""
        self._memory.code = code
        self._memory.finished = True

    @property
    def finished(self) -> int | None:
        """The exit code; None: the work goes on."""
        return int(self._memory.code) if self._memory.finished else None
