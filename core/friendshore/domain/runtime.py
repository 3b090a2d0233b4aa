"""Runtime support for long work: progress reports, concurrent tasks, garbage collection, and caches."""

from __future__ import annotations

import gc
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

_told: ContextVar[Callable[[int, int, str, str], None] | None] = ContextVar("told", default=None)


@contextmanager
def watched(by: Watcher | None) -> Iterator[None]:
    """Send progress to a callback within this context. None means no reports."""
    began = monotonic()
    token = _told.set(
        None if by is None else lambda done, total, doing, of: by(done, total, monotonic() - began, doing, of)
    )
    try:
        yield
    finally:
        _told.reset(token)


def tell(done: int, total: int, doing: str, of: str) -> None:
    """Report that `done` of `total` are done. `doing` names the current work, `of` the unit of the count."""
    told = _told.get()
    if told is not None:
        told(done, total, doing, of)


def with_progress(things: Sequence[T], doing: str, of: str, step: int = 1_000) -> Iterator[T]:
    """Yield some things, and report the number done after every `step` of them."""
    for number, thing in enumerate(things):
        if number % step == 0:
            tell(number, len(things), doing, of)
        yield thing


R = TypeVar("R")
S = TypeVar("S")
P = ParamSpec("P")


def cached_method(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Cache the results of a method in its object, by its hashable arguments.

    `functools.cache` would keep the object alive: a cycle that only the garbage collector can free.
    """
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


_LOOK = 0.2
"""Seconds of a wait for the next result. Returning from the wait lets the main thread respond to Ctrl-C."""


def _nothing() -> None:
    return


def finished(
    executor: Executor,
    do: Callable[[T], R],
    tasks: deque[T],
    most: int | None = None,
    meanwhile: Callable[[], None] = _nothing,
) -> Generator[tuple[T, Future[R]], None, None]:
    """Run tasks on an executor, and yield each one with its future, in order of completion.

    Closing the generator cancels the tasks that haven't started.

    Args:
        executor: Executor that runs the tasks.
        do: Function to call with each task.
        tasks: Queue of tasks. The caller may add or remove tasks while iterating.
        most: Maximum number of tasks in the executor. None means no limit.
        meanwhile: Function to call in this thread while waiting.

    Raises:
        BrokenExecutor: If the executor rejects a task, after all its running tasks have ended. Rejected tasks stay in `tasks`.
    """
    done: SimpleQueue[Future[R]] = SimpleQueue()
    begun: dict[Future[R], T] = {}
    broken: BrokenExecutor | None = None
    try:
        while (tasks and broken is None) or begun:
            while tasks and broken is None and (most is None or len(begun) < most):
                task = tasks.popleft()
                try:
                    future = executor.submit(do, task)
                except BrokenExecutor as error:
                    tasks.appendleft(task)
                    broken = error
                else:
                    begun[future] = task
                    future.add_done_callback(done.put)
            if begun:
                try:
                    ended = done.get(timeout=_LOOK)
                except Empty:
                    meanwhile()
                    continue
                yield begun.pop(ended), ended
    finally:
        for future in begun:
            future.cancel()
    if broken is not None:
        raise broken


K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

SESSION_MEGABYTES = 128
"""Default memory limit of all caches of a session."""
SESSION_BYTES = SESSION_MEGABYTES * 2**20
"""The default in bytes: one half for results of rules, one quarter each for plans and for results of solvers."""

_MANY = 20_000
"""Number of new objects above which a search for young cycles takes a noticeable time."""
_ALL = 500_000
"""Number of objects counted as old in small portions, after which all objects are searched."""


class _Search:
    """Python's search for reference cycles, shared by all threads of a process."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._making = 0
        self._was_on = False
        self._beside = 0
        self._frozen = False
        self._aged = 0
        """Number of objects counted as old since the last full search."""

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Disable the search while any thread is in this context, and restore its state when the last one leaves."""
        with self._lock:
            if not self._making:
                self._was_on = gc.isenabled()
                gc.disable()
            self._making += 1
        try:
            yield
        finally:
            with self._lock:
                self._making -= 1
                if not self._making and self._was_on:
                    self._age()
                    gc.enable()

    @contextmanager
    def set_aside(self) -> Iterator[None]:
        """Exclude existing objects from the search, from the entry of the first thread until the last one leaves."""
        with self._lock:
            if not self._beside and not gc.get_freeze_count():  # what somebody else has frozen is theirs to thaw
                gc.freeze()
                self._frozen = True
            self._beside += 1
        try:
            yield
        finally:
            with self._lock:
                self._beside -= 1
                if not self._beside and self._frozen:
                    gc.unfreeze()
                    self._frozen = False

    def _age(self) -> None:
        """Count many new objects as old, so that the next searches for young cycles don't start with all of them.

        Python doesn't track objects that are counted as old in this way, and would postpone its full search, so this method runs it. A very large number
        at once comes from one large case, whose objects stay, and doesn't count.
        """
        new = gc.get_count()[0]
        if new < _MANY or gc.get_freeze_count():
            return
        gc.freeze()
        gc.unfreeze()
        if new < _ALL:
            self._aged += new
        if self._aged >= _ALL:
            self._aged = 0
            gc.collect()


_SEARCH = _Search()
without_gc = _SEARCH.put_off
"""Context for code that creates many lasting objects and no cycles. The search would examine all of them repeatedly, without effect. Objects outside
cycles are freed as usual."""
set_aside = _SEARCH.set_aside
"""Context for long work while many lasting objects exist. The search examines only new objects within it, and all objects afterward."""


class SizeLimitedCache(Generic[K, V]):
    """Thread-safe cache with a maximum total size. It drops the least recently used values first."""

    def __init__(self, most: int) -> None:
        """Create an empty cache with a maximum total size. The newest value stays, whatever its size."""
        self.most = most
        self.size = 0
        self._kept: dict[K, tuple[V, int]] = {}
        """Values with sizes, the least recently used first."""
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """Return the value of a key, and mark it as the most recently used. None if it isn't cached."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            return found[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Add a value of some size, and drop the least recently used ones above the maximum."""
        with self._lock:
            self.size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (value, size)
            while self.size > self.most and len(self._kept) > 1:
                self.size -= self._kept.pop(next(iter(self._kept)))[1]

    def items(self) -> list[tuple[K, V, int]]:
        """Return all keys, values, and sizes, the least recently used first."""
        with self._lock:
            return [(key, value, size) for key, (value, size) in self._kept.items()]
