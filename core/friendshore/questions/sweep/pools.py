"""Where the scenarios of a sweep are planned: in processes of this machine, on a cluster of Dask, or on whatever executor somebody names."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from multiprocessing import get_context, parent_process
from multiprocessing.connection import wait
from threading import Event, Thread
from typing import TYPE_CHECKING

from ...errors import InputError
from ...solve import Cancel
from .worker import AskedScenario, planned

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from multiprocessing.synchronize import Event as SharedEvent

DASK_TIMEOUT = 10.0
"""Seconds for which a scheduler, and its first worker, are waited for."""
_UNTOLD = 64
"""Scenarios at a time on an executor that does not say how many workers it has."""


@dataclass(frozen=True, slots=True, eq=False)
class OpenPool:
    """An executor at work."""

    executor: Executor
    do: Callable[[AskedScenario], str | None]
    workers: int
    stop: Callable[[], None] | None = None
    """Ends what is being planned; None: that comes to its own end."""
    begun: Callable[[], bool] = lambda: True
    """Whether any of its workers has begun to work."""
    alive: Callable[[], bool] = lambda: True
    """Whether it is still there: what it was given would else be waited for in vain."""


@dataclass(frozen=True, slots=True, eq=False)
class WorkerPool:
    """Where scenarios are planned."""

    opened: Callable[[], AbstractContextManager[OpenPool]]
    renewed: bool = False
    """Whether another executor can take the place of one whose worker died."""


def here(workers: int | None, tasks: int) -> WorkerPool:
    """Processes of this machine, as many as there are processors unless `workers` says otherwise; none beside this one where it is one."""
    many = min(workers or os.cpu_count() or 1, tasks)
    return WorkerPool(partial(_processes, many), renewed=True) if many > 1 else WorkerPool(_thread)


def given(executor: Executor, workers: int | None = None) -> WorkerPool:
    """An executor that somebody made, and ends himself."""

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        yield OpenPool(executor, planned, workers or _workers_of(executor))

    return WorkerPool(opened)


def dask(address: str, workers: int | None = None) -> WorkerPool:
    """The workers of a Dask scheduler.

    Raises:
        InputError: if Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        fix = 'pip install "friendshore[dask]", here and where the workers are'
        raise InputError("Dask is not installed", column="--dask", found=address, fix=fix) from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        try:
            client = Client(address, timeout=DASK_TIMEOUT, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            fix = "start one there (`dask scheduler`), or mend the address"
            raise InputError("no Dask scheduler answers", column="--dask", found=address, fix=fix) from error
        try:
            client.wait_for_workers(1, timeout=DASK_TIMEOUT)
            found = sum(client.nthreads().values())
            # What is handed out just before a scheduler goes comes back to nobody; all else that it had is cancelled.
            yield OpenPool(
                client.get_executor(pure=False), planned, workers or found, alive=lambda: client.status == "running"
            )
        except TimeoutError as error:
            fix = f"start some: `dask worker {address} --nthreads 1`"
            raise InputError("the Dask scheduler has no worker", column="--dask", found=address, fix=fix) from error
        finally:
            client.close(timeout=1)

    return WorkerPool(opened)


def named(name: str, workers: int | None = None) -> WorkerPool:
    """An executor by the name of what makes it, `module:factory`: it is called without arguments, and the executor ended after the sweep.

    Raises:
        InputError: if there is no such thing, or it makes no executor.
    """
    module, _, attribute = name.partition(":")
    fix = "name a module that can be imported and a function in it that returns an executor of `concurrent.futures`"
    try:
        factory = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise InputError(f"no executor of this name: {error}", column="--executor", found=name, fix=fix) from error

    @contextmanager
    def opened() -> Iterator[OpenPool]:
        executor = factory() if callable(factory) else factory
        if not isinstance(executor, Executor):
            found = type(executor).__name__
            raise InputError("it makes no executor", column="--executor", found=f"{name}: {found}", fix=fix)
        with executor:
            yield OpenPool(executor, planned, workers or _workers_of(executor))

    return WorkerPool(opened)


def _workers_of(executor: Executor) -> int:
    """How many workers an executor says that it has."""
    told = getattr(executor, "_max_workers", None)
    return told if isinstance(told, int) and told > 0 else _UNTOLD


@contextmanager
def _thread() -> Iterator[OpenPool]:
    """One thread of this process: the main one hears Ctrl-C meanwhile."""
    ended = Event()
    with ThreadPoolExecutor(1) as executor:
        yield OpenPool(executor, partial(planned, cancel=ended), 1, ended.set)


@contextmanager
def _processes(workers: int) -> Iterator[OpenPool]:
    # Begun anew, not split off: what was split off a process with threads may wait for ever for a lock that one of them held.
    context = get_context("spawn")
    begun, ended = context.Event(), context.Event()
    with ProcessPoolExecutor(workers, context, _begin, (begun, ended)) as executor:
        yield OpenPool(executor, _planned_unless_ended, workers, ended.set, begun.is_set)


class _Ended:
    """Whether the sweep has ended, in a process of it."""

    event: SharedEvent | None = None


def _begin(begun: SharedEvent, ended: SharedEvent) -> None:
    """What a process does first: Ctrl-C is for the one that began it, and it ends with that one, however that ends."""
    begun.set()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Ended.event = ended
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _planned_unless_ended(asked: AskedScenario) -> str | None:
    cancel: Cancel | None = _Ended.event
    return planned(asked, cancel)
