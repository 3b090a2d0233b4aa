"""Where several things of one kind are done at once, as the cases that `watch` is asked about: in processes of this machine, or on whatever executor
somebody has. Whoever dies meanwhile, each is done or told as failed.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import islice
from threading import Event
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..domain.runtime import finished
from ..errors import Diagnostic, FriendshoreError, SolverError
from ..plugins.attribution import limit_for
from ..plugins.processes import ProcessEndedError, WatchedProcesses, ended
from ..solve import Cancel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Task(Protocol):
    """Something that a worker does; it goes there pickled."""

    @property
    def number(self) -> int:
        """What tells it from the others."""


T = TypeVar("T", bound=Task)
R = TypeVar("R")
Do = Callable[[T, Cancel | None], R]
"""What is done with a task, until somebody has had enough: a function of a module, by whose name others can call it."""
AHEAD = 2
"""Tasks handed out for each worker: one that it does, one that waits."""
_UNTOLD = 64
"""Tasks at a time on an executor that does not say how many workers it has."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenPool:
    """An executor at work."""

    executor: Executor
    by: Callable[[Do[Any, Any], Any], Any]
    """Does something with a task, as it is done there."""
    workers: int
    stop: Callable[[], None] | None = None
    """Ends what is being done; None: that comes to its own end."""
    begun: Callable[[], bool] = lambda: True
    """Whether any of its workers has begun to work."""
    alive: Callable[[], bool] = lambda: True
    """Whether it is still there: what it was given would else be waited for in vain."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerPool:
    """Where tasks are done."""

    opened: Callable[[], AbstractContextManager[OpenPool]]


def here(workers: int | None, tasks: int, time_limit: float | None = None) -> WorkerPool:
    """Return a pool of processes of this machine, as many as there are processors unless `workers` says otherwise; a pool of one is this process.

    The time limit is that of a task.
    """
    many = min(workers or os.cpu_count() or 1, tasks)
    if many > 1:
        return WorkerPool(partial(_processes, many, limit_for(time_limit)))
    return WorkerPool(_thread)


def given(executor: Executor, workers: int | None = None) -> WorkerPool:
    """An executor that somebody made, and ends himself."""

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        yield OpenPool(executor, _there, workers or _workers_of(executor))

    return WorkerPool(opened)


def _workers_of(executor: Executor) -> int:
    """Return the number of workers of an executor."""
    told = getattr(executor, "_max_workers", None)
    return told if isinstance(told, int) and told > 0 else _UNTOLD


def carried_out(
    pool: WorkerPool, do: Do[T, R], tasks: Callable[[int], Iterable[T]], again: deque[T], stopped: Callable[[], bool]
) -> Generator[tuple[T, Future[R]]]:
    """Has tasks done, and yields each with its future once that has ended, in the order in which they end.

    One whose process has ended is done once more; if that one ends too, its future says so. Once `stopped` says that somebody has had enough, nothing
    more is begun, and what was being done is not yielded where it can be ended.

    Args:
        pool: where they are done.
        do: what is done with each.
        tasks: told how many workers there are, yields the tasks, each when it is its turn.
        again: where whoever looks puts a task that is to be done once more.
        stopped: whether somebody has had enough.

    Raises:
        SolverError: if the executor is lost, or its processes end before they do anything.
    """
    died, lost = set[int](), False
    with pool.opened() as running:
        left, most = iter(tasks(running.workers)), AHEAD * running.workers
        look = _Look(running, again, stopped)
        again.extend(islice(left, most))
        try:
            with closing(finished(running.executor, partial(running.by, do), again, most, look)) as done:
                for task, future in done:
                    error = _error(future)
                    if isinstance(error, ProcessEndedError) and not running.begun():
                        raise SolverError(_NEVER_BEGUN)
                    if isinstance(error, ProcessEndedError) and task.number not in died:
                        died.add(task.number)
                        again.appendleft(task)
                    elif isinstance(error, BrokenExecutor | CancelledError):
                        lost = True
                    elif not (look.stopping and running.stop):
                        yield task, future
                    look()
                    if lost or look.stopping:
                        again.clear()
                    else:
                        again.extend(islice(left, 1))
        except BrokenExecutor:
            lost = True
    if lost and not look.stopping:
        raise SolverError(LOST)


class _Look:
    """Check whether to stop, so that nothing more is started, and whether the executor still works."""

    def __init__(self, running: OpenPool, queue: deque[Any], stopped: Callable[[], bool]) -> None:
        self._running, self._queue, self._stopped = running, queue, stopped
        self.stopping = False

    def __call__(self) -> None:
        if not self._running.alive():
            raise BrokenExecutor
        if not self.stopping and self._stopped():
            self.stopping = True
            self._queue.clear()
            if self._running.stop is not None:
                self._running.stop()


LOST = Diagnostic("the executor is lost", fix="ask again, once there are workers")
_NEVER_BEGUN = Diagnostic(
    "processes that are begun here end before they do anything",
    fix='in a program of your own, let what it does stand below `if __name__ == "__main__":`; or let this process do it: workers=1',
)


def told_of(error: BaseException) -> tuple[str, ...]:
    """What is said of a task that a worker could not do."""
    if isinstance(error, FriendshoreError):
        return tuple(map(str, error.problems))
    return (
        ("the process that did it died, twice",)
        if isinstance(error, ProcessEndedError)
        else (f"{type(error).__name__}: {error}",)
    )


def _error(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error


@contextmanager
def _thread() -> Iterator[OpenPool]:
    """Yield one thread of this process, while the main one handles Ctrl-C."""
    enough = Event()
    with ThreadPoolExecutor(1) as executor:
        yield OpenPool(executor, partial(_until, enough), 1, enough.set)


def _until(enough: Event, do: Do[T, R], task: T) -> R:
    return do(task, enough)


@contextmanager
def _processes(workers: int, limit: float) -> Iterator[OpenPool]:
    with WatchedProcesses(workers, limit) as executor:
        yield OpenPool(executor, _in_process, workers, executor.stop, lambda: executor.begun)


def _in_process(do: Do[T, R], task: T) -> R:
    return do(task, ended())


def _there(do: Do[T, R], task: T) -> R:
    return do(task, None)
