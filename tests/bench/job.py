"""One run of one program on one instance, in a process of its own, so that its memory is its own and nothing is warm."""

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
from .instances import INSTANCES, Instance
from .plain import Plain, plain

P = ParamSpec("P")
T = TypeVar("T")
OURS = "friendshore"
MINIATURE = 0.002
"""Scale of what each process runs first."""
BEFORE = "read"
"""The phase before what peers do too."""
HIGHSPY = "highspy"
CBC = "PuLP + CBC"
PEERS = {
    HIGHSPY: ("arrays", "run"),
    "linopy + HiGHS": ("with_linopy", "run"),
    "Pyomo + HiGHS": ("with_pyomo", "run"),
    "PuLP + HiGHS": ("with_pulp", "run_highs"),
    CBC: ("with_pulp", "run_cbc"),
}
"""Every peer, and the module and function that run it."""


@dataclass(frozen=True, slots=True)
class Job:
    """What is run on what."""

    who: str
    """`friendshore`, or one of `PEERS`."""
    instance: str
    scale: float
    stop: Stop
    solve: bool = True
    """Whether a peer solves, or only builds."""
    budget: float | None = None
    """Most money of each year."""

    @property
    def made(self) -> Instance:
        """The instance."""
        return INSTANCES[self.instance](self.scale)


@dataclass(frozen=True, slots=True)
class Done:
    """What came of a job."""

    job: Job
    answer: Answer
    peak: float
    """Most memory held at once, in MiB, the interpreter and its libraries included."""

    @property
    def total(self) -> float:
        """Seconds from the instance in memory to the answer, reading not counted."""
        return sum(seconds for phase, seconds in self.answer.seconds.items() if phase != BEFORE)


def perform(job: Job) -> Done:
    """Runs a job in this process."""
    answer = _ours(job) if job.who == OURS else _peer(job)
    own, called = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    # CBC is a program of its own, which runs while the interpreter that called it waits.
    return Done(job, answer, (own + called) / (2**20 if sys.platform == "darwin" else 2**10))


def alone(work: Callable[P, T], *args: P.args, **more: P.kwargs) -> T:
    """What a function returns in a new process."""
    with _new_process() as process:
        return process.submit(work, *args, **more).result()


def _new_process() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _quiet)


def perform_alone(job: Job) -> Done:
    """Runs a job in a new process, after a miniature of it that loads whatever is loaded late."""
    with _new_process() as pool:
        try:
            pool.submit(perform, replace(job, scale=MINIATURE, budget=None)).result()
            return pool.submit(perform, job).result()
        except BrokenProcessPool:
            return Done(job, Answer(status="its process died: out of memory?"), 0.0)


def _quiet() -> None:
    """Lets no solver's banner into the table."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _peer(job: Job) -> Answer:
    module, function = PEERS[job.who]
    run: Callable[[Plain, Stop, bool], Answer] = getattr(import_module(f".peers.{module}", __package__), function)
    return run(plain(job.made, job.budget), job.stop, job.solve)


def _ours(job: Job) -> Answer:
    from . import ours  # here, so that it does not count in the memory of the peers

    answer, instance = Answer(), job.made
    verified = ours.run(ours.given(instance, answer, job.budget), job.stop, answer)
    answer.notes["dearest year"] = max(ours.yearly(verified, plain(instance)))
    return answer
