"""Parallel execution of similar tasks, such as the cases of `watch`, in processes of this machine or on another executor.

If workers die, every task is still done or reported as failed.
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

from ..domain.runtime import run_tasks
from ..errors import Diagnostic, FriendshoreError, SolverError
from ..plugins.attribution import limit_for
from ..plugins.processes import ProcessEndedError, WatchedProcesses, ended
from ..solve import Cancel

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class Task(Protocol):
    """A task for a worker, to which it is pickled."""

    @property
    def number(self) -> int:
        """Unique number."""


T = TypeVar("T", bound=Task)
R = TypeVar("R")
Do = Callable[[T, Cancel | None], R]
"""Function that executes a task until it is canceled. It is a module's function, so that other processes find it by name."""
AHEAD = 2
"""Tasks in the executor per worker: one running, one waiting."""
_UNTOLD = 64
"""Maximum tasks at a time on an executor with an unknown number of workers."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenPool:
    """An executor in use."""

    executor: Executor
    by: Callable[[Do[Any, Any], Any], Any]
    """Function that runs in the executor and executes a task."""
    workers: int
    stop: Callable[[], None] | None = None
    """Function that ends running tasks. None if they can't be ended."""
    begun: Callable[[], bool] = lambda: True
    """Function that returns True if a worker has started."""
    alive: Callable[[], bool] = lambda: True
    """Function that returns True if the executor still exists. Otherwise its tasks would never finish."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerPool:
    """A place to execute tasks."""

    opened: Callable[[], AbstractContextManager[OpenPool]]


def here(workers: int | None, tasks: int, time_limit: float | None = None) -> WorkerPool:
    """Return a pool of processes of this machine, one per processor unless `workers` is set. A pool of one is this process.

    `time_limit` applies to each task.
    """
    many = min(workers or os.cpu_count() or 1, tasks)
    if many > 1:
        return WorkerPool(partial(_processes, many, limit_for(time_limit)))
    return WorkerPool(_thread)


def given(executor: Executor, workers: int | None = None) -> WorkerPool:
    """Return a pool with the caller's executor, which the caller shuts down."""

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        yield OpenPool(executor, _there, workers or _workers_of(executor))

    return WorkerPool(opened)


def _workers_of(executor: Executor) -> int:
    told = getattr(executor, "_max_workers", None)
    return told if isinstance(told, int) and told > 0 else _UNTOLD


def carried_out(
    pool: WorkerPool, do: Do[T, R], tasks: Callable[[int], Iterable[T]], again: deque[T], stopped: Callable[[], bool]
) -> Generator[tuple[T, Future[R]]]:
    """Execute tasks, and yield each with its future, in order of completion.

    A task whose process has died is repeated once. If that process dies too, the future has the error. After `stopped` returns True, no task starts,
    and running tasks aren't yielded if they can be ended.

    Args:
        pool: Pool that executes them.
        do: Function that executes a task.
        tasks: Function that takes the number of workers, and yields the tasks on demand.
        again: Queue to which the caller adds tasks to repeat.
        stopped: Function that returns True if the user canceled.

    Raises:
        SolverError: If the executor is lost, or its processes end before they start.
    """
    died, lost = set[int](), False
    with pool.opened() as running:
        left, most = iter(tasks(running.workers)), AHEAD * running.workers
        look = _Look(running, again, stopped)
        again.extend(islice(left, most))
        try:
            with closing(run_tasks(running.executor, partial(running.by, do), again, most, look)) as done:
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
    """Check for cancellation, which empties the queue, and for a lost executor."""

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
    """Return the messages for a task that a worker failed to do."""
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
