"""Processes of this machine that work for this one, and in which code of plugins may run: one in which it hangs, or that it ends, is ended and
named, and another takes its place.

What else ends a process (somebody kills it, its memory is gone) is told of what it was doing, and of nothing else.
"""

from __future__ import annotations

import faulthandler
import os
import pickle
import signal
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from pathlib import Path
from queue import SimpleQueue
from tempfile import NamedTemporaryFile
from threading import Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..errors import FriendshoreError, PluginError
from .elsewhere import Shared, SharedMemory
from .running import watch
from .watching import how_ended, hung, more_time, problem_of_code, standing

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event

P = ParamSpec("P")
R = TypeVar("R")
_SPAWN = get_context("spawn")
"""Begun anew, not split off: what was split off a process with threads may wait for ever for a lock that one of them held."""
_LOOKS = 0.1
"""Seconds between two looks at what a process does."""
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM) if hasattr(signal, "SIGKILL") else (signal.SIGTERM,)
"""Signals that end a process whose code is not to blame."""


class ProcessEndedError(Exception):
    """A process ended before what it was doing was done, and no code of a plugin is why."""


class WatchedProcesses(Executor):
    """Processes that begin when there is something for them to do; each does one thing at a time."""

    def __init__(self, workers: int, limit: float) -> None:
        """So many, in which code of a plugin may take `limit` seconds for one thing that it is asked; 0: any."""
        self.workers = workers
        self._limit = limit
        self._begun, self._ended = _SPAWN.Event(), _SPAWN.Event()
        self._threads = ThreadPoolExecutor(workers)
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(workers):
            self._idle.put(None)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Has a process call a function; all that goes there and back is pickled.

        The future raises what the function raises; a `PluginError` if a plugin's code hung or ended the process; a `ProcessEndedError` if it ended otherwise.
        """
        return self._threads.submit(self._done, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Ends the processes, once what they do is done."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for _ in range(self.workers if wait else 0):
            process = self._idle.get()
            if process is not None:
                process.end()

    def stop(self) -> None:
        """Asks for the end of what is being done: see `ended`."""
        self._ended.set()

    @property
    def begun(self) -> bool:
        """Whether any of them has begun to work."""
        return self._begun.is_set()

    def _done(self, function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        process = self._idle.get()
        try:
            if process is None:
                process = _begun(self._begun, self._ended)
            done, answer = process.asked(pickle.dumps((function, args, kwargs)), self._limit)
        except BaseException:
            if process is not None:
                process.end()
                process = None
            raise
        finally:
            self._idle.put(process)
        if not done:
            raise answer
        found: R = answer
        return found


def ended() -> Event | None:
    """What is set when the work of this process is to end, if it is one of these."""
    return _Here.ended


class _Here:
    """What a process of these was given."""

    ended: Event | None = None


class _Process:
    """One of them, as seen from here."""

    def __init__(self, begun: Event, ended: Event) -> None:
        memory = _SPAWN.RawValue(SharedMemory)
        self._shared = Shared(memory)
        with NamedTemporaryFile("w+", encoding="utf-8", errors="replace", delete=False) as made:
            self._places = Path(made.name)
        self._work, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, memory, self._places, begun, ended), daemon=True)
        self._process.start()
        theirs.close()

    def asked(self, what: bytes, limit: float) -> tuple[bool, Any]:
        """Whether it did what it was asked to, and what came of it, or was raised."""
        try:
            self._work.send_bytes(what)
            while not self._work.poll(_LOOKS):
                if self._shared.hangs(limit):
                    raise PluginError(self._hung(limit))
            done, answer = pickle.loads(self._work.recv_bytes())  # noqa: S301 - sent by friendshore
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return done, answer

    def end(self) -> None:
        """Ends it, whatever it does."""
        self._work.close()
        self._process.kill()
        self._process.join()
        self._places.unlink(missing_ok=True)

    def _hung(self, limit: float) -> Any:
        told = self._shared.told
        with self._places.open(encoding="utf-8", errors="replace") as places:
            place = standing(self._process.pid or 0, places, told.package)
        return problem_of_code(told, hung(limit), place, more_time("a longer time limit"))

    def _gone(self) -> Exception:
        self._process.join()
        code, told = self._process.exitcode or 0, self._shared.told
        if told.inside and -code not in _FROM_OUTSIDE:
            return PluginError(problem_of_code(told, f"ended the process with {how_ended(code)}"))
        return ProcessEndedError(f"the process ended with {how_ended(code)}")


class _Telling:
    """Says whose code runs to the process that looks."""

    pressed = False
    """Ctrl-C is for the process that began this one."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    def begin(self) -> None:
        """Nothing is split any more."""

    def tell(self, package: str, doing: str) -> None:
        """Says whose code runs; nobody's: it has come to its end."""
        self._shared.tell(package, doing)


def _begun(begun: Event, ended: Event) -> _Process:
    try:
        return _Process(begun, ended)
    except (OSError, RuntimeError) as error:
        raise ProcessEndedError(f"no process can be begun: {error}") from error


def _serve(work: Connection, memory: SharedMemory, places: Path, begun: Event, ended: Event) -> None:
    """What a process does: what it is asked to, until nobody asks any more; it ends with the one that began it, however that ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(faulthandler, "register"):
        faulthandler.register(signal.SIGUSR1, file=places.open("w"), all_threads=True)
    watch(_Telling(Shared(memory)))
    _Here.ended = ended
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            work.send_bytes(_answer(work.recv_bytes()))


def _answer(asked: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(asked)  # noqa: S301 - sent by the process that began this one
        return pickle.dumps((True, function(*args, **kwargs)))
    except FriendshoreError as error:
        return pickle.dumps((False, error))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is told, and the process goes on
        try:
            return pickle.dumps((False, error))
        except Exception:  # noqa: BLE001 - what cannot be sent is told in words
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
