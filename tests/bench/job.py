"""One run of one program on one instance. Its own process makes its memory its own, and starts cold."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from importlib import import_module
from typing import ParamSpec, TypeVar

from .answer import Answer, Stop
from .coefficients import Coefficients, coefficients_of
from .instances import INSTANCES, Instance

P = ParamSpec("P")
T = TypeVar("T")
OURS = "friendshore"
MINIATURE = 0.002
"""Scale of the first run in each process."""
BEFORE = "read"
"""Phase that peers don't have."""
HIGHSPY = "highspy"
CBC = "PuLP + CBC"
PEERS = {
    HIGHSPY: ("arrays", "run"),
    "linopy + HiGHS": ("with_linopy", "run"),
    "Pyomo + HiGHS": ("with_pyomo", "run"),
    "PuLP + HiGHS": ("with_pulp", "run_highs"),
    CBC: ("with_pulp", "run_cbc"),
}
"""Peer -> its module and function."""


@dataclass(frozen=True, slots=True)
class Job:
    """A program to run on an instance."""

    who: str
    """`friendshore`, or one of `PEERS`."""
    instance: str
    scale: float
    stop: Stop
    solve: bool = True
    """True to solve. False to build only."""
    budget: float | None = None
    """Maximum spend of each year."""

    @property
    def data(self) -> Instance:
        return INSTANCES[self.instance](self.scale)


@dataclass(frozen=True, slots=True)
class JobResult:
    """Result of a job."""

    job: Job
    answer: Answer
    peak: float
    """Maximum memory in MiB, including the interpreter and libraries."""

    @property
    def total(self) -> float:
        """Seconds from the instance in memory to the answer."""
        return sum(seconds for phase, seconds in self.answer.seconds.items() if phase != BEFORE)


def perform(job: Job) -> JobResult:
    answer = _ours(job) if job.who == OURS else _peer(job)
    own, called = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # CBC is a program of its own, which runs while the interpreter that called it waits.
    return JobResult(job, answer, (own + called) / (2**20 if sys.platform == "darwin" else 2**10))


def alone(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """Call a function in a new process, and return its result."""
    with _new_process() as process:
        return process.submit(work, *args, **more).result()


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _quiet)


def perform_alone(job: Job) -> JobResult:
    """Run a job in a new process, after a miniature of it that loads what is loaded on first use."""
    with _new_process() as pool:
        try:
            pool.submit(perform, replace(job, scale=MINIATURE, budget=None)).result()
            return pool.submit(perform, job).result()
        except BrokenProcessPool:
            return JobResult(job, Answer(status="its process died: out of memory?"), 0.0)


def _quiet() -> None:
    """Discard the banners of solvers."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _peer(job: Job) -> Answer:
    module, function = PEERS[job.who]
    run: Callable[[Coefficients, Stop, bool], Answer] = getattr(
        import_module(f".peers.{module}", __package__), function
    )
    return run(coefficients_of(job.data, job.budget), job.stop, job.solve)


def _ours(job: Job) -> Answer:
    from . import ours  # here, so that it does not count in the memory of the peers

    answer, instance = Answer(), job.data
    verified = ours.run(ours.read_instance(instance, answer, job.budget), job.stop, answer)
    answer.notes["dearest year"] = max(ours.yearly(verified, coefficients_of(instance)))
    return answer
