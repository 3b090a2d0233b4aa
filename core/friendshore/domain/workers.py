"""Several things done at once: tasks given to an executor of `concurrent.futures`, so many at a time, each told as it ends.

Components of a program, what a question asks of parts of a case, and the scenarios of a sweep are waited for here. Threads, processes and the
machines of a cluster are executors alike.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import BrokenExecutor, Executor, Future
from queue import Empty, SimpleQueue
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")
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
    """Has an executor do tasks, and yields each with its future once that has ended, in the order in which they end.

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
