"""Parallel execution of tasks in processes of this machine or on another executor, even if workers die."""

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
TaskFunction = Callable[[T, Cancel | None], R]
"""Function of a module, so that other processes find it by name. It runs a task until it is canceled."""
AHEAD = 2  # tasks in the executor per worker: one running, one waiting
_DEFAULT_WORKERS = 64


@dataclass(frozen=True, slots=True, eq=False)
class OpenPool:
    """An executor in use."""

    executor: Executor
    run: Callable[[TaskFunction[Any, Any], Any], Any]
    """Function that runs in the executor and executes a task."""
    workers: int
    stop: Callable[[], None] | None = None
    """Ends running tasks. None if they can't be ended."""
    has_begun: Callable[[], bool] = lambda: True
    is_alive: Callable[[], bool] = lambda: True
    """Returns False if the executor is gone, so that its tasks would never finish."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerPool:
    """A place to execute tasks."""

    opened: Callable[[], AbstractContextManager[OpenPool]]


def local_pool(workers: int | None, tasks: int, time_limit: float | None = None) -> WorkerPool:
    """Return a pool of processes, one per processor by default. A pool of one is this process. `time_limit` applies to each task."""
    process_count = min(workers or os.cpu_count() or 1, tasks)
    if process_count > 1:
        return WorkerPool(partial(_processes, process_count, limit_for(time_limit)))
    return WorkerPool(_single_thread)


def pool_on(executor: Executor, workers: int | None = None) -> WorkerPool:
    """Return a pool with the caller's executor, which the caller shuts down."""

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        yield OpenPool(executor, _in_executor, workers or _workers_of(executor))

    return WorkerPool(opened)


def _workers_of(executor: Executor) -> int:
    workers = getattr(executor, "_max_workers", None)
    return workers if isinstance(workers, int) and workers > 0 else _DEFAULT_WORKERS


def run_in_pool(
    pool: WorkerPool,
    function: TaskFunction[T, R],
    tasks: Callable[[int], Iterable[T]],
    queue: deque[T],
    stopped: Callable[[], bool],
) -> Generator[tuple[T, Future[R]]]:
    """Execute tasks, and yield each with its future, in order of completion.

    A task whose process has died is repeated once. If that process dies too, the future has the error. After `stopped` returns True, no task starts,
    and running tasks aren't yielded if they can be ended. The caller adds tasks to repeat to `queue`. A lost executor raises a `SolverError`.
    """
    repeated, is_lost = set[int](), False
    with pool.opened() as running:
        remaining, max_queued = iter(tasks(running.workers)), AHEAD * running.workers
        check = _StopCheck(running, queue, stopped)
        queue.extend(islice(remaining, max_queued))
        try:
            with closing(
                run_tasks(running.executor, partial(running.run, function), queue, max_queued, check)
            ) as results:
                for task, future in results:
                    error = _error(future)
                    if isinstance(error, ProcessEndedError) and not running.has_begun():
                        raise SolverError(_NO_START)
                    if isinstance(error, ProcessEndedError) and task.number not in repeated:
                        repeated.add(task.number)
                        queue.appendleft(task)
                    elif isinstance(error, BrokenExecutor | CancelledError):
                        is_lost = True
                    elif not (check.stopping and running.stop):
                        yield task, future
                    check()
                    if is_lost or check.stopping:
                        queue.clear()
                    else:
                        queue.extend(islice(remaining, 1))
        except BrokenExecutor:
            is_lost = True
    if is_lost and not check.stopping:
        raise SolverError(LOST)


class _StopCheck:
    """Check for cancellation, which empties the queue, and for a lost executor."""

    def __init__(self, running: OpenPool, queue: deque[Any], stopped: Callable[[], bool]) -> None:
        self._running, self._queue, self._stopped = running, queue, stopped
        self.stopping = False

    def __call__(self) -> None:
        if not self._running.is_alive():
            raise BrokenExecutor
        if not self.stopping and self._stopped():
            self.stopping = True
            self._queue.clear()
            if self._running.stop is not None:
                self._running.stop()


LOST = Diagnostic("the executor has no workers left", fix="start workers, and ask again", code="FS524")
_NO_START = Diagnostic(
    "worker processes end before they start working",
    fix='in your own program, put the code below `if __name__ == "__main__":`, or use only this process: `workers=1`',
    code="FS525",
)


def error_texts(error: BaseException) -> tuple[str, ...]:
    if isinstance(error, FriendshoreError):
        return tuple(map(str, error.problems))
    return (
        ("its process died twice",) if isinstance(error, ProcessEndedError) else (f"{type(error).__name__}: {error}",)
    )


def _error(future: Future[Any]) -> BaseException | None:
    try:
        return future.exception()
    except CancelledError as error:
        return error


@contextmanager
def _single_thread() -> Iterator[OpenPool]:
    canceled = Event()
    with ThreadPoolExecutor(1) as executor:
        yield OpenPool(executor, partial(_run_until, canceled), 1, canceled.set)


def _run_until(canceled: Event, function: TaskFunction[T, R], task: T) -> R:
    return function(task, canceled)


@contextmanager
def _processes(workers: int, limit: float) -> Iterator[OpenPool]:
    with WatchedProcesses(workers, limit) as executor:
        yield OpenPool(executor, _in_process, workers, executor.stop, lambda: executor.begun)


def _in_process(function: TaskFunction[T, R], task: T) -> R:
    return function(task, ended())


def _in_executor(function: TaskFunction[T, R], task: T) -> R:
    return function(task, None)
