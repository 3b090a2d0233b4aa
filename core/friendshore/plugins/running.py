"""Code of plugins while it runs: which plugin it belongs to, arithmetic that stays as it is, and exits that can't pass for an answer.

Everything that calls a plugin's code does so within `running`: its import, its hooks, making its rules, and asking them. A plugin is a
program with its user's rights (SECURITY.md). What is here guards against mistakes and doesn't try to guard against malice.
"""

from __future__ import annotations

import decimal
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import RLock

from ..errors import Diagnostic, InputError
from ..rules.answers import WrongAnswer

_OWN = __name__.partition(".")[0]
LIMIT_NAME = "FRIENDSHORE_PLUGIN_LIMIT"
"""Environment variable: seconds that a plugin's code may take for one call in a worker process; 0: no limit, as for a debugger."""

TRACEBACK_NAME = "FRIENDSHORE_PLUGIN_TRACEBACK"
"""Environment variable: if it is set, and not 0, tracebacks of what plugins raise are printed on stderr."""

LIMIT = 60.0
"""Seconds that a plugin's code may take for one call in a worker process if no time limit is set."""
LEAST = 5.0
"""Fewest seconds, however short the time limit: a plugin may have much to import."""


def wants_tracebacks() -> bool:
    """Return True if the environment asks for tracebacks of what plugins raise."""
    return os.environ.get(TRACEBACK_NAME, "0") not in ("", "0")


def limit_given(otherwise: float) -> float:
    """Return the limit of the environment in seconds, or `otherwise`; 0 means no limit.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    text = os.environ.get(LIMIT_NAME, "")
    try:
        return float(text) if text else otherwise
    except ValueError as error:
        problem = Diagnostic(f"{LIMIT_NAME} in the environment is no number", found=text, expected="seconds")
        raise InputError(problem) from error


def limit_for(time_limit: float | None) -> float:
    """Return the seconds that a plugin's code may take for one call under a time limit; 0 means no limit.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    return limit_given(LIMIT if time_limit is None else max(time_limit, LEAST))


class _Process:
    """The plugin code that runs in this process at the moment."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.running: list[tuple[str, str]] = []
        """Package and activity of each call of plugin code, outermost first in each thread."""
        self.report: Callable[[str, str], None] | None = None
        self.ran: dict[str, None] = {}
        """Packages of plugins whose code was imported or called."""
        self.ours = False
        """True for the command line, which has the process to itself."""


_PROCESS = _Process()


def report_running(report: Callable[[str, str], None]) -> None:
    """Call `report` with package and activity whenever plugin code begins to run in this process, and with two empty texts when it ends."""
    _PROCESS.report = report


def have_run() -> tuple[str, ...]:
    """Return the packages of plugins whose code has run in this process."""
    return tuple(package for package in _PROCESS.ran if package != _OWN)


def own_process() -> None:
    """Let `os._exit` raise SystemExit in code of plugins, in a process that friendshore has to itself: a plugin that ends it must not look like success."""
    if _PROCESS.ours:
        return
    _PROCESS.ours = True
    end, process = os._exit, os.getpid()

    def refuse(status: int) -> None:
        if _PROCESS.running and os.getpid() == process:
            raise SystemExit(status)
        end(status)

    os._exit = refuse  # type: ignore[assignment]


@contextmanager
def running(package: str, doing: str, whole: bool = False) -> Iterator[None]:
    """Mark the code within as a plugin's.

    Args:
        package: import package of the plugin.
        doing: what it does, like `its hook ...`.
        whole: True if nothing of friendshore's is computed within, so that the plugin may use its own decimal arithmetic.

    Raises:
        WrongAnswer: if the plugin changed the decimal arithmetic with which figures of others are computed.
    """
    call = package, doing
    with decimal.localcontext():
        before = _arithmetic()
        with _PROCESS.lock:
            _PROCESS.ran[package] = None
            _PROCESS.running.append(call)
            _report()
        try:
            yield
        except KeyboardInterrupt:
            if _PROCESS.ours and sys.stderr is not None:
                sys.stderr.write(f"{package}: {doing} was running when Ctrl-C ended it\n")
            raise
        finally:
            with _PROCESS.lock:
                _PROCESS.running.remove(call)
                _report()
        if not whole and _arithmetic() != before:
            raise WrongAnswer("it changed the decimal arithmetic of the process; fix: use decimal.localcontext()")


def _report() -> None:
    if _PROCESS.report is not None:
        _PROCESS.report(*(_PROCESS.running[0] if _PROCESS.running else ("", "")))


def _arithmetic() -> tuple[object, ...]:
    """Return what the decimals of this thread are computed with."""
    here = decimal.getcontext()
    return here.prec, here.rounding, here.Emin, here.Emax, here.clamp, dict(here.traps)


def to_blame(error: BaseException) -> bool:
    """Return True if a plugin is to blame for what its code raised; Ctrl-C and the end of a generator come from elsewhere."""
    return not isinstance(error, KeyboardInterrupt | GeneratorExit)
