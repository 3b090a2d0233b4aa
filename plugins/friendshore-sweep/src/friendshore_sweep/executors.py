"""Who else can plan: the workers of a Dask scheduler, and whatever executor somebody names."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module

from friendshore.errors import InputError
from friendshore.questions.pools import OpenPool, WorkerPool, given

DASK_TIMEOUT = 10.0
"""Seconds for which a scheduler, and its first worker, are waited for."""


def dask(address: str, workers: int | None = None) -> WorkerPool:
    """The workers of a Dask scheduler.

    Raises:
        InputError: if Dask is not installed.
    """
    try:
        from distributed import Client
    except ImportError as error:
        fix = 'pip install "friendshore-sweep[dask]", here and where the workers are'
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
            with given(client.get_executor(pure=False), workers or found).opened() as pool:
                yield replace(pool, alive=lambda: client.status == "running")
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
        with executor, given(executor, workers).opened() as pool:
            yield pool

    return WorkerPool(opened)
