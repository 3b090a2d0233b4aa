"""The code of plugins watched from another process: what hangs, ends its process or swallows Ctrl-C is ended, and named.

Just before any such code first runs the process splits. The second one goes on with the work; the first one only looks at it, and ends
as it does. So nothing that a plugin's code does can keep the first one from ending, or from saying what happened: no loop, wherever it
turns, no `os._exit(0)`, no crash. The command line does so; a program that uses friendshore as a library is never split.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import re
import select
import signal
import sys
import threading
import time
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, NoReturn

from ..errors import Diagnostic
from .attribution import owner_of_package
from .elsewhere import RunningCode, Shared
from .running import LIMIT_NAME, EndedError, limit_given, watch

LIMIT = 60.0
"""Seconds that code of a plugin may take for one thing that it is asked, where no time limit is given."""
LEAST = 5.0
"""The fewest, however short the time limit: a plugin may have much to import."""
_GRACE = 1.0
"""Seconds that code of a plugin may go on after Ctrl-C, and that a process may take to end once its work is done."""
_LOOKS = 0.1
"""Seconds between two looks."""
_FRAME = re.compile(r'^  File "(.+)", line (\d+) in ', re.MULTILINE)
_DIES_WITH_PARENT = 1
"""`PR_SET_PDEATHSIG` of Linux."""


class Watching:
    """Both sides of it, in either process."""

    def __init__(self, limit: float) -> None:
        self._limit = limit
        self._split = limit <= 0 or not hasattr(os, "fork")
        self._shared: Shared | None = None
        self._places: IO[str] | None = None
        self._error: EndedError | None = None

    @property
    def limit(self) -> float:
        """Seconds that code of a plugin may take for one thing; 0: any."""
        return self._limit if self._shared is None else self._shared.limit

    @limit.setter
    def limit(self, seconds: float) -> None:
        self._limit = seconds
        if self._shared is not None:  # who looks may have begun to, as a command of a plugin is one of its own
            self._shared.limit = seconds

    @property
    def pressed(self) -> bool:
        """Whether Ctrl-C was pressed; true as well where nobody would know."""
        return self._shared is None or self._shared.pressed

    def begin(self) -> None:
        """Splits the process, the first time; the first of the two comes back from here with an error alone.

        Raises:
            EndedError: if the second was ended, or ended itself, with what it was doing.
            KeyboardInterrupt: if it was ended by Ctrl-C.
        """
        if self._error is not None:
            raise self._error
        if self._split or threading.current_thread() is not threading.main_thread():
            return
        self._split = True
        _flush()
        self._shared = Shared()
        self._shared.limit = self._limit
        self._places = TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - as long as both live
        looking = _Looking(self._shared, self._places, self)
        before = signal.signal(signal.SIGINT, looking.pressed)  # before the split: no press may be missed
        ended, end = os.pipe()
        first = os.getpid()
        second = os.fork()
        if second:
            os.close(end)
            try:
                looking.until_ended(second, ended)
            finally:
                signal.signal(signal.SIGINT, before)
        signal.signal(signal.SIGINT, before)
        os.close(ended)
        _set_apart(first, self._places)

    def failed(self, problem: Diagnostic) -> EndedError:
        """Keeps what went wrong: no more code of plugins is run here."""
        self._error = EndedError(problem)
        return self._error

    def tell(self, package: str, doing: str) -> None:
        """Says whose code runs; nobody's: it has come to its end."""
        if self._shared is not None:
            self._shared.tell(package, doing)

    def done(self, code: int) -> None:
        """Says that the work is done, and how."""
        _flush()
        if self._shared is not None:
            self._shared.finish(code)


class _Looking:
    """The first process, while the second works."""

    def __init__(self, shared: Shared, places: IO[str], watching: Watching) -> None:
        self.shared, self.places, self.watching = shared, places, watching
        self.second = 0
        self.presses: list[float] = []
        self.passed_on = 0
        self.done_at = 0.0

    def pressed(self, *_: object) -> None:
        """Keeps a press of Ctrl-C."""
        self.presses.append(time.monotonic())

    def until_ended(self, second: int, ended: int) -> NoReturn:
        """Looks at the second process until it has ended, when `ended` can be read, and ends likewise."""
        self.second = second
        watched = [ended]
        while True:
            if select.select(watched, [], [], _LOOKS if watched else _LOOKS / 10)[0]:
                watched = []  # it has ended, or has closed all that it had open
            self._look(time.monotonic())

    def _look(self, now: float) -> None:
        told = self.shared.told
        if len(self.presses) > self.passed_on:
            self._pass_on(told)
        pid, status = os.waitpid(self.second, os.WNOHANG)
        if pid:
            self._ended(os.waitstatus_to_exitcode(status))
        if self.shared.finished is not None:
            # Threads that a plugin has left running would keep the process alive.
            self.done_at = self.done_at or now
            if now - self.done_at > _GRACE:
                self._kill()
                os._exit(self.shared.finished)
        elif told.inside and self.presses and now - max(self.presses[0], told.since) > _GRACE:
            self._stop(told)
        elif self.shared.hangs(self.shared.limit):
            self._hung(told)

    def _pass_on(self, told: RunningCode) -> None:
        """Passes Ctrl-C on; a second one ends what runs at once."""
        if told.inside and self.passed_on:
            self._stop(told)
        self.passed_on += 1
        self.shared.press()
        os.kill(self.second, signal.SIGINT)

    def _stop(self, told: RunningCode) -> NoReturn:
        problem = self._problem(told, "was running when Ctrl-C ended it")
        self._kill()
        sys.stderr.write(f"{problem}\n")
        raise KeyboardInterrupt

    def _hung(self, told: RunningCode) -> NoReturn:
        problem = self._problem(told, hung(self.shared.limit), more_time("--time-limit"))
        self._kill()
        raise self.watching.failed(problem)

    def _ended(self, code: int) -> NoReturn:
        """The second process has ended: so does this one, unless code of a plugin is why, or nobody would say a word."""
        told, self.second = self.shared.told, 0
        if self.shared.finished is not None:
            os._exit(self.shared.finished)
        if told.inside or code == 0:
            last = "was the last of a plugin's code to run before the process ended"
            ran = "ended the process" if told.inside else last
            raise self.watching.failed(self._problem(told, f"{ran} with {how_ended(code)}"))
        os._exit(code if code >= 0 else 128 - code)

    def _problem(self, told: RunningCode, what: str, more: str = "") -> Diagnostic:
        """What is said of it, with file and line at which it stands, if it still does."""
        return problem_of_code(
            told, what, standing(self.second, self.places, told.package) if self.second else None, more
        )

    def _kill(self) -> None:
        """Ends the second process, and what it has started."""
        for end in (os.killpg, os.kill):
            with suppress(ProcessLookupError, PermissionError):
                end(self.second, signal.SIGKILL)
        os.waitpid(self.second, 0)


def hung(limit: float) -> str:
    """What is said of code that had so many seconds."""
    return f"had not come to its end after {limit:g} s, and was ended"


def more_time(option: str) -> str:
    """How to give it more, by an option of the command."""
    return f"; for more seconds: {option}, or {LIMIT_NAME} in the environment"


def how_ended(code: int) -> str:
    """How a process ended, by its exit code or the negative number of a signal."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def problem_of_code(
    told: RunningCode, what: str, place: tuple[str, int | None] | None = None, more: str = ""
) -> Diagnostic:
    """What is said of code of a plugin that went wrong, with file and line at which it stood, where that is known."""
    info = owner_of_package(told.package)
    file, line = place or ("", None)
    fix = f"upgrade or repair {info.distribution}, report this to its author, or block it{more}"
    return Diagnostic(f"{info.label}: {told.doing} {what}", file or _home(told.package), line, fix=fix)


def standing(process: int, places: IO[str], package: str) -> tuple[str, int | None]:
    """File and line of a plugin's code at which another process stands: written to `places` by a handler in C, whatever it does."""
    with suppress(OSError):
        os.kill(process, signal.SIGUSR1)
    until, text, size = time.monotonic() + _GRACE, "", -1
    while time.monotonic() < until and (not text or len(text) != size):
        time.sleep(_LOOKS / 2)
        size = len(text)
        places.seek(0)
        text = places.read()
    frames = [(file, int(line)) for file, line in _FRAME.findall(text)]
    own = [frame for frame in frames if package in Path(frame[0]).parts or Path(frame[0]).stem == package]
    return own[0] if own else ("", None)


_WATCHING: list[Watching] = []
"""The one of this process, if it has one."""


def start() -> None:
    """Has the code of plugins watched in this process from now on.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    if not _WATCHING:
        _WATCHING.append(Watching(limit_given(LIMIT)))
        watch(_WATCHING[0])


def limit_for(time_limit: float | None) -> float:
    """Seconds that code of a plugin may take for one thing that it is asked, under a time limit; 0: any.

    Raises:
        InputError: if the environment gives a limit that is no number.
    """
    return limit_given(LIMIT if time_limit is None else max(time_limit, LEAST))


def limited(time_limit: float | None) -> None:
    """Gives code of plugins no longer than a time limit for one thing that it is asked, where it is watched."""
    if _WATCHING and time_limit is not None:
        _WATCHING[0].limit = limit_for(time_limit)


def are_watched() -> bool:
    """Whether code of plugins is watched in this process."""
    return bool(_WATCHING)


def finish(code: int) -> None:
    """Says that the work of this process is done, and how."""
    for watching in _WATCHING:
        watching.done(code)


def _set_apart(first: int, places: IO[str]) -> None:
    """What the second process does before it goes on."""
    os.setpgid(0, 0)  # Ctrl-C reaches the first alone, which passes it on
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # and it may still write to the terminal
    faulthandler.register(signal.SIGUSR1, file=places, all_threads=True)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
    if os.getppid() != first:
        os._exit(1)


def _home(package: str) -> str:
    """The file that a package begins with, which is not imported for that."""
    with suppress(ImportError, ValueError, AttributeError):
        spec = find_spec(package)
        return (spec.origin or "") if spec is not None else ""
    return ""


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(AttributeError, OSError, ValueError):
            stream.flush()
