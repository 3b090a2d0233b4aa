"""Runtime support for long work: progress reports, concurrent tasks, garbage collection, and caches."""

from __future__ import annotations

import gc
import sys
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from queue import Empty, SimpleQueue
from threading import Lock, RLock
from time import monotonic
from typing import Concatenate, Generic, ParamSpec, TypeVar

T = TypeVar("T")

MAX_SECONDS = 10_000_000
"""Maximum time limit, some months. Solvers don't accept longer ones."""

Watcher = Callable[[int, int, float, str, str], None]
"""Progress callback: number done, total, elapsed seconds, current work, and unit of the count."""

_reporter: ContextVar[Callable[[int, int, str, str], None] | None] = ContextVar("reporter", default=None)


@contextmanager
def report_progress_to(watcher: Watcher | None) -> Iterator[None]:
    """Send progress to a callback within this context."""
    started = monotonic()
    token = _reporter.set(
        None
        if watcher is None
        else lambda done, total, activity, unit: watcher(done, total, monotonic() - started, activity, unit)
    )
    try:
        yield
    finally:
        _reporter.reset(token)


def report_progress(done: int, total: int, activity: str, of: str) -> None:
    """Report that `done` of `total` are done. `activity` names the current work, `of` the unit of the count."""
    reporter = _reporter.get()
    if reporter is not None:
        reporter(done, total, activity, of)


def with_progress(items: Sequence[T], activity: str, of: str, step: int = 1_000) -> Iterator[T]:
    """Yield the items, and report the number done after every `step` of them."""
    for number, item in enumerate(items):
        if number % step == 0:
            report_progress(number, len(items), activity, of)
        yield item


R = TypeVar("R")
S = TypeVar("S")
P = ParamSpec("P")


def cached_method(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Cache the results of a method in its object. `functools.cache` would keep the object alive until a garbage collection."""
    name = f"_results_of_{method.__name__}"

    @wraps(method)
    def cached(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        results: dict[Hashable, R] = self.__dict__.setdefault(name, {})
        # A tuple of one argument would take 48 bytes for each offer of a catalog.
        values = (*args, *kwargs.values())
        key: Hashable = values[0] if len(values) == 1 else values
        if key not in results:
            results[key] = method(self, *args, **kwargs)
        return results[key]

    return cached


# A wait with a timeout lets the main thread respond to Ctrl-C.
_POLL_SECONDS = 0.2


def _do_nothing() -> None:
    return


def run_tasks(
    executor: Executor,
    function: Callable[[T], R],
    tasks: deque[T],
    max_running: int | None = None,
    on_idle: Callable[[], None] = _do_nothing,
) -> Generator[tuple[T, Future[R]], None, None]:
    """Run tasks on an executor, and yield each one with its future, in order of completion.

    The caller may add or remove tasks while iterating. Closing the generator cancels the tasks that haven't started.

    Raises:
        BrokenExecutor: If the executor rejects a task, after all its running tasks have ended. Rejected tasks stay in `tasks`.
    """
    completed: SimpleQueue[Future[R]] = SimpleQueue()
    running: dict[Future[R], T] = {}
    failure: BrokenExecutor | None = None
    try:
        while (tasks and failure is None) or running:
            while tasks and failure is None and (max_running is None or len(running) < max_running):
                task = tasks.popleft()
                try:
                    future = executor.submit(function, task)
                except BrokenExecutor as error:
                    tasks.appendleft(task)
                    failure = error
                else:
                    running[future] = task
                    future.add_done_callback(completed.put)
            if running:
                try:
                    future = completed.get(timeout=_POLL_SECONDS)
                except Empty:
                    on_idle()
                    continue
                yield running.pop(future), future
    finally:
        for future in running:
            future.cancel()
    # Raised only now, so that the caller gets every result of the broken executor.
    if failure is not None:
        raise failure


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SESSION_MEGABYTES = 128
"""Default memory limit of all caches of a session."""
SESSION_BYTES = SESSION_MEGABYTES * 2**20
"""The default in bytes: one half for results of rules, one quarter each for plans and for results of solvers."""

# Number of new objects above which a search for young cycles takes a noticeable time.
_MANY_NEW_OBJECTS = 20_000
# Number of objects counted as old in small portions, after which all objects are searched.
_FULL_SEARCH_AFTER = 500_000


class _CycleCollector:
    """Python's search for reference cycles, shared by all threads of a process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._pauses = 0
        self._was_enabled = False
        self._freezes = 0
        self._is_frozen = False
        self._aged_objects = 0
        """Number of objects counted as old since the last full search."""

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Disable the search while any thread is in this context, and restore its state when the last one leaves."""
        with self._lock:
            if not self._pauses:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._pauses += 1
        try:
            yield
        finally:
            with self._lock:
                self._pauses -= 1
                if not self._pauses and self._was_enabled:
                    self._age_objects()
                    gc.enable()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Exclude existing objects from the search, from the entry of the first thread until the last one leaves, and return freed memory at both."""
        _return_freed_memory()
        with self._lock:
            if not self._freezes and not gc.get_freeze_count():  # leave alone objects that other code has frozen
                gc.freeze()
                self._is_frozen = True
            self._freezes += 1
        try:
            yield
        finally:
            with self._lock:
                self._freezes -= 1
                if not self._freezes and self._is_frozen:
                    gc.unfreeze()
                    self._is_frozen = False
            _return_freed_memory()

    def _age_objects(self) -> None:
        """Count many new objects as old, so that the next young searches skip them, and run the full search that Python then postpones. A very large number doesn't count."""
        new = gc.get_count()[0]
        if new < _MANY_NEW_OBJECTS or gc.get_freeze_count():
            return
        gc.freeze()
        gc.unfreeze()
        if new < _FULL_SEARCH_AFTER:
            self._aged_objects += new
        if self._aged_objects >= _FULL_SEARCH_AFTER:
            self._aged_objects = 0
            gc.collect()


_MMAP_THRESHOLD = -3  # `M_MMAP_THRESHOLD` of malloc.h
_LARGE_ARRAY = 4 * 2**20


def _return_freed_memory() -> None:
    """Return memory to the system, from now on also that of each large array that is freed. The C library of Linux would keep it, where Python's own objects can't use it."""
    if sys.platform == "linux":
        import ctypes  # only large programs need it

        library = ctypes.CDLL(None)
        if hasattr(library, "malloc_trim"):  # musl has none
            library.mallopt(_MMAP_THRESHOLD, _LARGE_ARRAY)
            library.malloc_trim(0)


_COLLECTOR = _CycleCollector()
without_gc = _COLLECTOR.pause
"""Context for code that creates many lasting objects and no cycles. The search would examine all of them repeatedly, without effect. Objects outside cycles are freed as usual."""
set_aside = _COLLECTOR.set_aside
"""Context for long work while many lasting objects exist. The search examines only new objects within it, and all objects afterward."""


class SizeLimitedCache(Generic[K, V]):
    """Thread-safe cache with a maximum total size. It drops the least recently used values first, but never the newest."""

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self.size = 0
        # Values with sizes, the least recently used first.
        self._entries: dict[K, tuple[V, int]] = {}
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: K) -> V | None:
        """Return the value of a key, and mark it as the most recently used. None if it isn't cached."""
        with self._lock:
            entry = self._entries.pop(key, None)
            if entry is None:
                return None
            self._entries[key] = entry
            return entry[0]

    def keep(self, key: K, value: V, size: int) -> None:
        with self._lock:
            self.size += size - self._entries.pop(key, (None, 0))[1]
            self._entries[key] = (value, size)
            while self.size > self.max_size and len(self._entries) > 1:
                self.size -= self._entries.pop(next(iter(self._entries)))[1]

    def items(self) -> list[tuple[K, V, int]]:
        """Return all keys, values, and sizes, the least recently used first."""
        with self._lock:
            return [(key, value, size) for key, (value, size) in self._entries.items()]
