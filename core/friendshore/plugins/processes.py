"""Worker processes of this machine in which plugin code may run, and the tasks that they are sent.

A process in which a plugin hangs, or that a plugin ends, is killed and replaced, and the error names the plugin. Any other end of a process,
such as a kill or a lack of memory, fails only its task.
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
from .attribution import LIMIT_NAME, owner_of_package, packages_run, report_running, running
from .files import digest_of, package_files
from .interface import OWN, package_of

if TYPE_CHECKING:
    from multiprocessing.synchronize import Event


P = ParamSpec("P")
R = TypeVar("R")
_SPAWN = get_context("spawn")
"""Processes are spawned, not forked: a fork of a process with threads may wait forever for a lock that one of them held."""
_LOOKS = 0.1
_FROM_OUTSIDE = (signal.SIGKILL, signal.SIGTERM) if hasattr(signal, "SIGKILL") else (signal.SIGTERM,)
"""Signals that don't come from the code that runs in the process."""


class ProcessEndedError(Exception):
    """A process ended before its task, for a reason other than plugin code."""


class WatchedProcesses(Executor):
    """Executor of processes that start on demand. Each runs one task at a time."""

    def __init__(self, workers: int, limit: float) -> None:
        """Start nothing yet.

        Args:
            workers: Maximum number of processes.
            limit: Maximum seconds for one call of plugin code. 0 means no limit.
        """
        self.workers = workers
        self._limit = limit
        self._begun, self._ended = _SPAWN.Event(), _SPAWN.Event()
        self._threads = ThreadPoolExecutor(workers)
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(workers):
            self._idle.put(None)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function in a process. Arguments and result are pickled.

        The future raises the function's exception, `PluginError` if plugin code hung or ended the process, or `ProcessEndedError` if it ended otherwise.
        """
        return self._threads.submit(self._done, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes after their current tasks."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for _ in range(self.workers if wait else 0):
            process = self._idle.get()
            if process is not None:
                process.end()

    def stop(self) -> None:
        """Ask the current tasks to end: they can check `ended`."""
        self._ended.set()

    @property
    def begun(self) -> bool:
        """Return True if any process has started."""
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
    """Return the event that asks the work of this process to end. None outside worker processes."""
    return _Here.ended


class _Here:
    """Objects that a worker process received at its start."""

    ended: Event | None = None


_TEXT = 2000
"""Maximum bytes of the text that names the running plugin code."""


class _Memory(ctypes.Structure):
    """Memory shared with the parent: the plugin code that currently runs."""

    _fields_ = (
        ("inside", ctypes.c_bool),
        ("count", ctypes.c_uint64),
        ("since", ctypes.c_double),
        ("text", ctypes.c_char * _TEXT),
    )


def _report(memory: _Memory, package: str, doing: str) -> None:
    """Record the plugin code that runs in this process; two empty texts mean none."""
    memory.inside = False
    if package:
        memory.text = f"{package}\n{doing}".encode()[: _TEXT - 1]
        memory.since = time.monotonic()
        memory.count += 1
        memory.inside = True


class _Process:
    """Parent's handle of a worker process."""

    def __init__(self, begun: Event, ended: Event) -> None:
        self._memory = _SPAWN.RawValue(_Memory)
        self._work, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(theirs, self._memory, begun, ended), daemon=True)
        self._process.start()
        theirs.close()

    def asked(self, what: bytes, limit: float) -> tuple[bool, Any]:
        """Run a pickled task. Return True and its result, or False and its exception."""
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
        self._work.close()
        self._process.kill()
        self._process.join()

    def _hangs(self, limit: float) -> bool:
        """Return True if one call of plugin code exceeds the limit."""
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
        """Return a diagnostic that names the plugin whose code ran."""
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
    """Run tasks until the connection closes or the parent ends."""
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
"""Software that a worker must have: distribution or import package -> label, and for plugins the digest of all files."""


def code_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    """Return the import packages of the plugins whose code the rules run, sorted."""
    return tuple(sorted({package_of(type(rule)) for rule in rules} & {*packages_run()}))


def packed(what: object, rules: Iterable[Rule]) -> bytes:
    """Pickle an object for a worker, with the versions of the code that it and its rules need. Catalogs and packs are part of the facts."""
    packages = code_of(rules)
    sender = {package_of(type(what))} - {OWN}
    return pickle.dumps((packages, _software({*packages, *sender}), pickle.dumps(what)))


def unpacked(sent: bytes) -> object:
    """Unpickle an object from `packed`. The plugin code that it needs then counts as run in this process.

    Raises:
        InputError: If the software here differs from the sender's.
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
    """Return the versions that affect a plan, apart from plugins: friendshore and the solvers."""
    return {name: version(name) for name in ("friendshore", "highspy", "ortools")}


def _software(packages: Iterable[str]) -> Software:
    found: Software = {name: (f"{name} {number}", "") for name, number in versions().items()}
    for package in sorted(packages):
        info = owner_of_package(package, f"no distribution with the package `{package}`")
        found[package] = info.label, digest_of(package_files(info))
    return found


def _told(name: str, those: Software, others: Software) -> str:
    """Return a distribution with its version, and with the start of its digest if the versions are equal."""
    label, digest = those[name]
    return f"{label} with files {digest[:12]}" if label == others[name][0] else label
