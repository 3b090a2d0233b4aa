"""Worker processes of this machine in which code of plugins may run, and tasks as they are sent to workers.

A process in which a plugin hangs, or that a plugin ends, is ended and named, and another takes its place. Any other end of a process, such as a
kill or lack of memory, is reported for the task alone.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import signal
import time
from collections.abc import Callable, Iterable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from importlib.metadata import version
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from ..errors import Diagnostic, FriendshoreError, InputError, PluginError
from ..rules.base import Rule
from .attribution import LIMIT_NAME, have_run, owner_of_package, report_running, running
from .files import digest_of, package_files
from .interface import OWN, package_of

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
        """End the processes when their work is done."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for _ in range(self.workers if wait else 0):
            process = self._idle.get()
            if process is not None:
                process.end()

    def stop(self) -> None:
        """Ask for the end of the current work: see `ended`."""
        self._ended.set()

    @property
    def begun(self) -> bool:
        """True if any process has begun to work."""
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
    """State that a process was given."""

    ended: Event | None = None


_TEXT = 2000
"""Bytes of the text that says whose code runs."""


class _Memory(ctypes.Structure):
    """Memory that a process shares with its parent: the plugin code that it runs."""

    _fields_ = (
        ("inside", ctypes.c_bool),
        ("count", ctypes.c_uint64),
        ("since", ctypes.c_double),
        ("text", ctypes.c_char * _TEXT),
    )


def _report(memory: _Memory, package: str, doing: str) -> None:
    """Write which plugin's code runs in this process; two empty texts if none does."""
    memory.inside = False
    if package:
        memory.text = f"{package}\n{doing}".encode()[: _TEXT - 1]
        memory.since = time.monotonic()
        memory.count += 1
        memory.inside = True


class _Process:
    """A process, as its parent sees it."""

    def __init__(self, begun: Event, ended: Event) -> None:
        self._memory = _SPAWN.RawValue(_Memory)
        self._work, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._memory, begun, ended), daemon=True)
        self._process.start()
        theirs.close()

    def asked(self, what: bytes, limit: float) -> tuple[bool, Any]:
        """Return whether it did what it was asked to, and its answer or what it raised."""
        try:
            self._work.send_bytes(what)
            while not self._work.poll(_LOOKS):
                if limit > 0 and self._hangs(limit):
                    more = f"; for more seconds: a longer time limit, or {LIMIT_NAME} in the environment"
                    raise PluginError(self._problem(f"was still running after {limit:g} s, and was ended", more))
            done, answer = pickle.loads(self._work.recv_bytes())  # noqa: S301 - sent by friendshore
        except (EOFError, OSError) as error:
            raise self._gone() from error
        return done, answer

    def end(self) -> None:
        """Kill the process."""
        self._work.close()
        self._process.kill()
        self._process.join()

    def _hangs(self, limit: float) -> bool:
        """Return True if one call of plugin code has run for longer than the limit."""
        count = self._memory.count
        return bool(
            self._memory.inside and time.monotonic() - self._memory.since > limit and count == self._memory.count
        )

    def _gone(self) -> Exception:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if self._memory.inside and -code not in _FROM_OUTSIDE:
            return PluginError(self._problem(f"ended the process with {how}"))
        return ProcessEndedError(f"the process ended with {how}")

    def _problem(self, what: str, more: str = "") -> Diagnostic:
        """Name the plugin whose code ran, and what went wrong."""
        package, _, doing = self._memory.text.decode(errors="replace").partition("\n")
        info = owner_of_package(package)
        fix = f"upgrade or repair {info.distribution}, report this to its author, or block it{more}"
        return Diagnostic(f"{info.label}: {doing} {what}", info.file, fix=fix)


def _begun(begun: Event, ended: Event) -> _Process:
    try:
        return _Process(begun, ended)
    except (OSError, RuntimeError) as error:
        raise ProcessEndedError(f"no process can be begun: {error}") from error


def _serve(work: Connection, memory: _Memory, begun: Event, ended: Event) -> None:
    """Run tasks in a process until there are no more, or the parent ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report_running(partial(_report, memory))
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


Software = dict[str, tuple[str, str]]
"""What a worker must have, by distribution, of a plugin by import package -> in words, and of a plugin the digest over all its files."""


def code_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Import packages of the plugins whose code some rules run, in order."""
    return tuple(sorted({package_of(type(rule)) for rule in rules} & {*have_run()}))


def packed(what: object, rules: Iterable[Rule]) -> bytes:
    """Something as it is sent, with the code that it and its rules need: a worker must have the same. Catalogs and packs go along with the facts."""
    packages = code_of(rules)
    sender = {package_of(type(what))} - {OWN}
    return pickle.dumps((packages, _software({*packages, *sender}), pickle.dumps(what)))


def unpacked(sent: bytes) -> object:
    """What was sent; code of plugins that it needs counts as run here.

    Raises:
        InputError: if the software here is not that of whoever sent it.
    """
    packages, expected, what = pickle.loads(sent)  # noqa: S301 - sent by whoever runs code here anyway
    here = _software(expected.keys() - versions().keys())
    if here != expected:
        other = [name for name in expected if here[name] != expected[name]]
        raise InputError(
            "a worker has other software than whoever asks it, and could plan otherwise",
            found=", ".join(_told(name, here, expected) for name in other),
            expected=", ".join(_told(name, expected, here) for name in other),
            fix="install the same there",
        )
    with ExitStack() as stack:
        for package in packages:
            stack.enter_context(running(package, "its import", whole=True))
        return pickle.loads(what)  # noqa: S301 - likewise


def versions() -> dict[str, str]:
    """What a plan turns on beside its facts and plugins: friendshore and what solves."""
    return {name: version(name) for name in ("friendshore", "highspy", "ortools")}


def _software(packages: Iterable[str]) -> Software:
    found: Software = {name: (f"{name} {number}", "") for name, number in versions().items()}
    for package in sorted(packages):
        info = owner_of_package(package, f"no distribution with the package `{package}`")
        found[package] = info.label, digest_of(package_files(info))
    return found


def _told(name: str, those: Software, others: Software) -> str:
    """Return a distribution with its version. If the others have the same version, add the first digits of the digest of its files."""
    label, digest = those[name]
    return f"{label} with files {digest[:12]}" if label == others[name][0] else label
