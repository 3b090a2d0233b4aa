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

LONGEST_SECONDS = 10_000_000
"""A time limit of some months: longer ones a solver cannot be told."""

Watcher = Callable[[int, int, float, str, str], None]
"""Told how much is done, of how much, after how many seconds in all; what is being done, and what is counted."""

_told: ContextVar[Callable[[int, int, str, str], None] | None] = ContextVar("told", default=None)


@contextmanager
def watched(by: Watcher | None) -> Iterator[None]:
    """While this lasts, how far work has come is told to who watches; None: nobody does."""
    began = monotonic()
    token = _told.set(
        None if by is None else lambda done, total, doing, of: by(done, total, monotonic() - began, doing, of)
    )
    try:
        yield
    finally:
        _told.reset(token)


def tell(done: int, total: int, doing: str, of: str) -> None:
    """Report that `done` of `total` are done; `doing` says what is being done, `of` what is counted."""
    told = _told.get()
    if told is not None:
        told(done, total, doing, of)


def told_each(things: Sequence[T], doing: str, of: str, step: int = 1_000) -> Iterator[T]:
    """The things one by one; how many are done is told after every `step` of them, as `tell` does."""
    for number, thing in enumerate(things):
        if number % step == 0:
            tell(number, len(things), doing, of)
        yield thing


R = TypeVar("R")
S = TypeVar("S")
P = ParamSpec("P")


def cached_method(method: Callable[Concatenate[S, P], R]) -> Callable[Concatenate[S, P], R]:
    """Keep the results of a method by its arguments, which must be hashable, in the object itself.

    `functools.cache` would keep the object alive: a cycle that only the garbage collector can free.
    """
    name = f"_results_of_{method.__name__}"

    @wraps(method)
    def cached(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        results: dict[Hashable, R] = self.__dict__.setdefault(name, {})
        key = (*args, *kwargs.values()) if kwargs else args
        if key not in results:
            results[key] = method(self, *args, **kwargs)
        return results[key]

    return cached


_LOOK = 0.2
"""Seconds between two looks at what else there is to do. While the main thread waits so, it hears Ctrl-C."""


def _nothing() -> None:
    return


def finished(
    executor: Executor,
    do: Callable[[T], R],
    tasks: deque[T],
    most: int | None = None,
    meanwhile: Callable[[], None] = _nothing,
) -> Generator[tuple[T, Future[R]], None, None]:
    """Have an executor do tasks, and yield each with its future once that has ended, in the order in which they end.

    Args:
        executor: does them. What has not begun when the caller stops looking is cancelled.
        do: what is done with a task.
        tasks: the tasks, taken from the left. Whoever looks may add some, or take all away: then no more are begun.
        most: how many the executor has at a time; None: all of them.
        meanwhile: called every now and then, from the thread that looks.

    Raises:
        BrokenExecutor: if the executor takes no more, once all that it had has ended. What it did not take is still among the tasks.
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
"""Memory that the caches of a session may take together, where nobody says how much."""
SESSION_BYTES = SESSION_MEGABYTES * 2**20
"""The same in bytes: a half for what rules answer, a quarter each for plans and for what solvers answer."""

_MANY = 20_000
"""New objects from which on a search for young cycles among them takes a noticeable time."""
_ALL = 500_000
"""Objects counted as old, some at a time, after which all are searched."""


class _Search:
    """Python's search for reference cycles, of which a process has one for all threads."""

    def __init__(self) -> None:
        self._lock = RLock()
        self._making = 0
        self._was_on = False
        self._beside = 0
        self._frozen = False
        self._aged = 0
        """Objects that were counted as old since all were searched."""

    @contextmanager
    def put_off(self) -> Iterator[None]:
        """Off while any thread is within; then on again, if it was on before the first came in."""
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
        """Without what was there before the first thread came in, until the last is out."""
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
        """Count many new objects as old, so that the next searches for young cycles do not begin with all of them.

        Of what is counted as old at once, Python does not know how much it is, and would put off its full search: that is made here. Very
        many at once are those of one large case, which stay.
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
uncollected = _SEARCH.put_off
"""For code that makes very many objects that stay, and no cycles: the search would look at all of them again and again, for
nothing. Objects outside cycles are freed as ever."""
set_aside = _SEARCH.set_aside
"""For long work beside very many objects that stay: the search looks at what is made meanwhile alone, and afterwards at all again."""


class Recent(Generic[K, V]):
    """Values by key, of which the least recently used are dropped beyond a total size. Safe to use from several threads."""

    def __init__(self, most: int) -> None:
        """Makes it empty, for values of a total size of `most`; the newest is kept whatever its size."""
        self.most = most
        self.size = 0
        self._kept: dict[K, tuple[V, int]] = {}
        """In order of use, the least recently used first."""
        self._lock = Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: K) -> V | None:
        """The value of a key, which is now the most recently used; None: it is not kept."""
        with self._lock:
            found = self._kept.pop(key, None)
            if found is None:
                return None
            self._kept[key] = found
            return found[0]

    def keep(self, key: K, value: V, size: int) -> None:
        """Keep a value of some size, and drop the least recently used beyond the total."""
        with self._lock:
            self.size += size - self._kept.pop(key, (None, 0))[1]
            self._kept[key] = (value, size)
            while self.size > self.most and len(self._kept) > 1:
                self.size -= self._kept.pop(next(iter(self._kept)))[1]

    def items(self) -> list[tuple[K, V, int]]:
        """All that is kept, with sizes, the least recently used first."""
        with self._lock:
            return [(key, value, size) for key, (value, size) in self._kept.items()]
