"""While code of a plugin runs: whose it is, for who watches it, and the process left as it was found.

Everything that calls a plugin's code does so within `running`: its import, its hooks, the making of its rules and what they are asked.
"""

from __future__ import annotations

import decimal
import locale
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from ..errors import Diagnostic, InputError, PluginError
from ..rules.answers import WrongAnswer

LIMIT_NAME = "FRIENDSHORE_PLUGIN_LIMIT"
"""Environment variable: seconds that code of a plugin may take for one thing; 0: nothing is watched, as for a debugger."""

TRACEBACK_NAME = "FRIENDSHORE_PLUGIN_TRACEBACK"
"""Environment variable: if it is set, and not 0, tracebacks of what plugins raise are printed on stderr."""


def wants_tracebacks() -> bool:
    """Return True if the environment asks for tracebacks of what plugins raise."""
    return os.environ.get(TRACEBACK_NAME, "0") not in ("", "0")


class EndedError(PluginError):
    """What watched the code of a plugin has ended it, or saw it end the process."""


class Watcher(Protocol):
    """Who watches the code of plugins from another process."""

    @property
    def pressed(self) -> bool:
        """Whether Ctrl-C was pressed."""

    def begin(self) -> None:
        """Told before any code of a plugin runs.

        Raises:
            EndedError: if it was ended.
        """

    def tell(self, package: str, doing: str) -> None:
        """Told whose code runs and what it does; of nobody's, when it has come to its end."""


class _Running:
    """All code of plugins that runs at the moment, in whichever threads."""

    def __init__(self) -> None:
        self.watcher: Watcher | None = None
        self._lock = threading.RLock()
        self._open: dict[object, tuple[str, str]] = {}
        self._resting = 0
        self._found: Callable[[], None] = lambda: None
        self.ran: dict[str, None] = {}

    def enter(self, token: object, package: str, doing: str) -> None:
        with self._lock:
            if not self._open:
                self._found = _as_found(self.watcher is not None)
                self._tell(package, doing)
            self._open[token] = package, doing

    def leave(self, token: object) -> None:
        with self._lock:
            first = next(iter(self._open)) is token
            del self._open[token]
            if not self._open:
                self._found()
                self._tell("", "")
            elif first and not self._resting:
                self._tell(*next(iter(self._open.values())))

    def rest(self) -> None:
        with self._lock:
            if self._open and not self._resting:
                self._tell("", "")
            self._resting += 1

    def resume(self) -> None:
        with self._lock:
            self._resting -= 1
            if self._open and not self._resting:
                self._tell(*next(iter(self._open.values())))

    def _tell(self, package: str, doing: str) -> None:
        if self.watcher is not None:
            self.watcher.tell(package, doing)


_RUNNING = _Running()


def watch(watcher: Watcher | None) -> None:
    """Has all code of plugins watched that runs in this process from now on."""
    _RUNNING.watcher = watcher


def have_run() -> tuple[str, ...]:
    """Packages of the plugins that were imported in this process."""
    return tuple(_RUNNING.ran)


@contextmanager
def running(package: str, doing: str, whole: bool = False) -> Iterator[None]:
    """While code of a plugin runs; what it changes of the process is put back.

    Put back are the working directory, the environment, the handlers of Ctrl-C and of ends asked for, the locale, the limit of recursion,
    the streams and decimal arithmetic.

    Args:
        package: its import package.
        doing: what it does, like `its hook ...`.
        whole: whether all that it does has come to its end within, so that what it set for its own reckoning bears on nothing else.

    Raises:
        EndedError: if it was watched, and was ended.
        WrongAnswer: if it changed the decimal arithmetic that figures of others are worked out with.
    """
    if _RUNNING.watcher is not None:
        _RUNNING.watcher.begin()
    if whole:
        _RUNNING.ran[package] = None
    token = object()
    with decimal.localcontext():
        reckoned = _reckoning()
        _RUNNING.enter(token, package, doing)
        try:
            yield
        finally:
            _RUNNING.leave(token)
        if not whole and _reckoning() != reckoned:
            # Figures were worked out within, and may be other figures now.
            raise WrongAnswer("it changed the decimal arithmetic of the process; fix: use decimal.localcontext()")


@contextmanager
def resting() -> Iterator[None]:
    """While friendshore works for code of a plugin that asked it to, as for a question: that takes its time, and is not the plugin's."""
    _RUNNING.rest()
    try:
        yield
    finally:
        _RUNNING.resume()


@contextmanager
def awake() -> Iterator[None]:
    """While code of a plugin goes on within `resting`, as with one of several things that friendshore does for it."""
    _RUNNING.resume()
    try:
        yield
    finally:
        _RUNNING.rest()


def to_blame(error: BaseException) -> bool:
    """Whether what came out of a plugin's code is the plugin's doing, and neither a Ctrl-C nor said of it by who watches or asks."""
    if isinstance(error, KeyboardInterrupt):
        return _RUNNING.watcher is not None and not _RUNNING.watcher.pressed
    return not isinstance(error, GeneratorExit | EndedError)


def limit_given(otherwise: float) -> float:
    """Seconds that code of a plugin may take for one thing, as the environment says, or `otherwise`; 0: any.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    text = os.environ.get(LIMIT_NAME, "")
    try:
        return float(text) if text else otherwise
    except ValueError as error:
        told = Diagnostic(f"{LIMIT_NAME} in the environment is no number", found=text, expected="seconds")
        raise InputError(told) from error


def _reckoning() -> tuple[object, ...]:
    """What the decimals of this thread are worked out with."""
    here = decimal.getcontext()
    return here.prec, here.rounding, here.Emin, here.Emax, here.clamp, dict(here.traps)


_ENVIRONMENT: Any = getattr(os.environ, "_data", os.environ)
"""The environment as it is kept: a copy of it costs a tenth of a copy by way of its names."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _as_found(apart: bool) -> Callable[[], None]:
    """How the process is now; what is returned puts it back. Where it is set `apart` for plugins, what these write to stdout goes to stderr."""
    folder, environment = _folder(), dict(_ENVIRONMENT)
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    words, depth, streams = locale.setlocale(locale.LC_ALL), sys.getrecursionlimit(), (sys.stdout, sys.stderr)
    stdout = _turned() if apart else None

    def put_back() -> None:
        if stdout is not None:
            os.dup2(stdout, 1)
            os.close(stdout)
        if _folder() != folder and folder:
            os.chdir(folder)
        if environment != _ENVIRONMENT:
            _put_back(environment)
        sys.stdout, sys.stderr = streams
        if sys.getrecursionlimit() != depth:
            sys.setrecursionlimit(depth)
        if locale.setlocale(locale.LC_ALL) != words:
            locale.setlocale(locale.LC_ALL, words)
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler and threading.current_thread() is threading.main_thread():
                signal.signal(number, handler)

    return put_back


def _put_back(environment: dict[object, object]) -> None:
    """The environment as it was, the process' own included."""
    decode = getattr(os.environ, "decodekey", str)
    was = {decode(name): decode(value) for name, value in environment.items()}
    for name in [name for name in os.environ if name not in was]:
        del os.environ[name]
    os.environ.update(was)


def _turned() -> int | None:
    """Turns what goes to stdout to stderr; where stdout really is."""
    stdout = None
    with suppress(OSError):  # one of the two is closed: nothing to turn, or nowhere
        stdout = os.dup(1)
        os.dup2(2, 1)
    return stdout


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - as text: it is asked for often
    except OSError:  # it was deleted
        return ""
