"""Worker processes for plugin code, and the tasks sent to them. One that a plugin hangs or ends is replaced. Any other end fails only its task."""

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
# A fork of a process with threads may wait forever for a lock that one of them held.
_SPAWN = get_context("spawn")
_POLL_SECONDS = 0.1
# Signals that don't come from the code that runs in the process.
_EXTERNAL_SIGNALS = (signal.SIGKILL, signal.SIGTERM) if hasattr(signal, "SIGKILL") else (signal.SIGTERM,)


class ProcessEndedError(Exception):
    """A process ended before its task, for a reason other than plugin code."""


class WatchedProcesses(Executor):
    """Executor of processes that start on demand. Each runs one task at a time, and one call of plugin code for `limit` seconds (0: no limit)."""

    def __init__(self, workers: int, limit: float) -> None:
        self.workers = workers
        self._limit = limit
        self._started, self._stopping = _SPAWN.Event(), _SPAWN.Event()
        self._threads = ThreadPoolExecutor(workers)
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(workers):
            self._idle.put(None)

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Run a function in a process. The future raises its exception, `PluginError` if plugin code hung or ended the process, or `ProcessEndedError`."""
        return self._threads.submit(self._run, fn, args, kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for _ in range(self.workers if wait else 0):
            process = self._idle.get()
            if process is not None:
                process.end()

    def stop(self) -> None:
        """Ask the current tasks to end: they can check `ended`."""
        self._stopping.set()

    @property
    def begun(self) -> bool:
        return self._started.is_set()

    def _run(self, function: Callable[..., R], args: tuple[Any, ...], kwargs: dict[str, Any]) -> R:
        process = self._idle.get()
        try:
            if process is None:
                process = _start_process(self._started, self._stopping)
            succeeded, result = process.run(pickle.dumps((function, args, kwargs)), self._limit)
        except BaseException:
            if process is not None:
                process.end()
                process = None
            raise
        finally:
            self._idle.put(process)
        if not succeeded:
            raise result
        value: R = result
        return value


def ended() -> Event | None:
    """Return the event that asks the work of this process to end. None outside worker processes."""
    return _Worker.ended


class _Worker:
    ended: Event | None = None


_MAX_TEXT_BYTES = 2000  # of the text that names the running plugin code


class _Memory(ctypes.Structure):
    """Memory shared with the parent: the plugin code that currently runs."""

    _fields_ = (
        ("inside", ctypes.c_bool),
        ("count", ctypes.c_uint64),
        ("since", ctypes.c_double),
        ("text", ctypes.c_char * _MAX_TEXT_BYTES),
    )


def _report(memory: _Memory, package: str, activity: str) -> None:
    memory.inside = False
    if package:
        memory.text = f"{package}\n{activity}".encode()[: _MAX_TEXT_BYTES - 1]
        memory.since = time.monotonic()
        memory.count += 1
        memory.inside = True


class _Process:
    def __init__(self, started: Event, stopping: Event) -> None:
        self._memory = _SPAWN.RawValue(_Memory)
        self._work, worker_end = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(worker_end, self._memory, started, stopping), daemon=True)
        self._process.start()
        worker_end.close()

    def run(self, task: bytes, limit: float) -> tuple[bool, Any]:
        """Run a pickled task. Return True and its result, or False and its exception."""
        try:
            self._work.send_bytes(task)
            while not self._work.poll(_POLL_SECONDS):
                if limit > 0 and self._hangs(limit):
                    hint = f". To allow it more time, raise the time limit, or set {LIMIT_NAME} in the environment"
                    raise PluginError(self._problem(f"was still running after {limit:g} s, so it was stopped", hint))
            succeeded, result = pickle.loads(self._work.recv_bytes())  # noqa: S301 - sent by friendshore
        except (EOFError, OSError) as error:
            raise self._end_error() from error
        return succeeded, result

    def end(self) -> None:
        self._work.close()
        self._process.kill()
        self._process.join()

    def _hangs(self, limit: float) -> bool:
        count = self._memory.count
        return bool(
            self._memory.inside and time.monotonic() - self._memory.since > limit and count == self._memory.count
        )

    def _end_error(self) -> Exception:
        self._process.join()
        code = self._process.exitcode or 0
        how = f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        if self._memory.inside and -code not in _EXTERNAL_SIGNALS:
            return PluginError(self._problem(f"ended the process with {how}"))
        return ProcessEndedError(f"the process ended with {how}")

    def _problem(self, predicate: str, hint: str = "") -> Diagnostic:
        package, _, activity = self._memory.text.decode(errors="replace").partition("\n")
        info = owner_of_package(package)
        fix = f"upgrade or repair {info.distribution}, report this to its author, or block it{hint}"
        return Diagnostic(f"{info.label}: {activity} {predicate}", info.file, fix=fix, code="FS425")


def _start_process(started: Event, stopping: Event) -> _Process:
    try:
        return _Process(started, stopping)
    except (OSError, RuntimeError) as error:
        raise ProcessEndedError(f"no process can be started: {error}") from error


def _serve(work: Connection, memory: _Memory, started: Event, stopping: Event) -> None:
    started.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    report_running(partial(_report, memory))
    _Worker.ended = stopping
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError):
        while True:
            work.send_bytes(_run_task(work.recv_bytes()))


def _run_task(task: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(task)  # noqa: S301 - sent by the process that started this one
        return pickle.dumps((True, function(*args, **kwargs)))
    except FriendshoreError as error:
        return pickle.dumps((False, error))
    except BaseException as error:  # noqa: BLE001 - reported to the parent, and the process continues
        try:
            return pickle.dumps((False, error))
        except Exception:  # noqa: BLE001 - it can't be pickled, so send its text
            return pickle.dumps((False, RuntimeError(f"{type(error).__name__}: {error}")))


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


# Software that a worker must have: distribution or import package -> label, and for plugins the digest of all files.
Software = dict[str, tuple[str, str]]


def code_of(rules: Iterable[Rule]) -> tuple[str, ...]:
    return tuple(sorted({package_of(type(rule)) for rule in rules} & {*packages_run()}))


def packed(what: object, rules: Iterable[Rule]) -> bytes:
    """Pickle an object for a worker, with the versions of the code that it and its rules need. Catalogs and packs are part of the facts."""
    packages = code_of(rules)
    sender = {package_of(type(what))} - {OWN}
    return pickle.dumps((packages, _software({*packages, *sender}), pickle.dumps(what)))


def unpacked(sent: bytes) -> object:
    """Unpickle an object from `packed`. Raises `InputError` if the software here differs from the sender's."""
    packages, expected, pickled = pickle.loads(sent)  # noqa: S301 - the sender runs code here anyway
    installed = _software(expected.keys() - versions().keys())
    if installed != expected:
        differing = [name for name in expected if installed[name] != expected[name]]
        raise InputError(
            "a worker has different software than the process that sent the task, so plans could differ",
            found=", ".join(_software_label(name, installed, expected) for name in differing),
            expected=", ".join(_software_label(name, expected, installed) for name in differing),
            fix="install the same versions on the worker",
            code="FS427",
        )
    with ExitStack() as stack:
        for package in packages:
            stack.enter_context(running(package, "its import", may_change_decimals=True))
        return pickle.loads(pickled)  # noqa: S301 - as above


def versions() -> dict[str, str]:
    """Return the versions that affect a plan, apart from plugins."""
    return {name: version(name) for name in ("friendshore", "highspy", "ortools")}


def _software(packages: Iterable[str]) -> Software:
    software: Software = {name: (f"{name} {number}", "") for name, number in versions().items()}
    for package in sorted(packages):
        info = owner_of_package(package, f"no distribution with the package `{package}`")
        software[package] = info.label, digest_of(package_files(info))
    return software


def _software_label(name: str, software: Software, others: Software) -> str:
    label, digest = software[name]
    return f"{label} with files {digest[:12]}" if label == others[name][0] else label
