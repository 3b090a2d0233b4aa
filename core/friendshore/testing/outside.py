"""What a rule reads beside what it is given: the clock, dice, the environment, files, the network.

Such a reading need not change an answer while it is looked for: a rule that asks for the year says the same until
December is over. So calls are watched while the rule is asked, by the interpreter's own hook for profilers.
"""

from __future__ import annotations

import io
import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from types import CodeType, FrameType, MethodType
from typing import Any, cast

from ..errors import Diagnostic

_CLOCK = "the clock"
_FILES = "files"
_CALLS: dict[Callable[..., Any], str] = {
    **{
        getattr(time, name): _CLOCK
        for name in ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "localtime", "gmtime")
    },
    **{getattr(os, name): _FILES for name in ("open", "stat", "lstat", "listdir", "scandir", "getcwd")},
    io.open: _FILES,
    io.open_code: _FILES,
    os.urandom: "dice",
}  # fmt: skip
_DAYS = frozenset({"now", "today", "utcnow"})
_ENVIRONMENT: tuple[CodeType, ...] = (type(os.environ).__getitem__.__code__, type(os.environ).__iter__.__code__)
"""Of what `os.environ` is, which is written in Python."""
_DICE = cast(MethodType, random.random).__self__
"""What `random.random` and the like throw: a generator of ones own, made from a seed, is no dice."""
_ANYBODYS = frozenset({"importlib", "logging", "warnings", "linecache", "zipimport"})
"""Packages that read files and clocks for reasons of their own: importing a module within a function is no reading."""


@contextmanager
def watched(package: str) -> Iterator[list[Diagnostic]]:
    """Watches what the code of a package reads beside what it is given; what is found is in the list afterwards.

    Args:
        package: its top-level package. What others read for reasons of their own is not laid at its door.
    """
    found: list[Diagnostic] = []
    seen: set[tuple[str, int]] = set()

    def look(frame: FrameType, event: str, called: Any) -> None:
        what = _reading(frame, event, called)
        by = _whose(frame, package) if what else None
        if by is not None and (by.f_code.co_filename, by.f_lineno) not in seen:
            seen.add((by.f_code.co_filename, by.f_lineno))
            found.append(Diagnostic(f"it reads {what}", by.f_code.co_filename, by.f_lineno))

    before = sys.getprofile()
    sys.setprofile(look)
    try:
        yield found
    finally:
        sys.setprofile(before)


def _reading(frame: FrameType, event: str, called: Any) -> str:
    """What a call reads; empty if it reads nothing."""
    if event == "call":
        return "the environment" if any(frame.f_code is code for code in _ENVIRONMENT) else ""
    if event != "c_call":
        return ""
    owner = getattr(called, "__self__", None)
    if owner is _DICE:
        return "dice"
    if called.__name__ in _DAYS and isinstance(owner, type) and issubclass(owner, date):
        return _CLOCK
    if getattr(called, "__module__", "") == "_socket" or type(owner).__module__ == "_socket":
        return "the network"
    return _CALLS.get(called, "") if owner is None or type(owner).__name__ == "module" else ""


def _whose(frame: FrameType, package: str) -> FrameType | None:
    """Where the package asks for it; None if it is asked for by somebody else, whom the package may have called."""
    at: FrameType | None = frame
    while at is not None:
        root = str(at.f_globals.get("__name__", "")).partition(".")[0]
        if root == package:
            return at
        if (
            root in _ANYBODYS
            or root == __name__.partition(".")[0]
            or at.f_code.co_filename.startswith("<frozen importlib")
        ):
            return None
        at = at.f_back
    return None
