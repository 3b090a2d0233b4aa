"""The table of published problems: friendshore beside raw HiGHS, each in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..answer import Answer, Stop, cpu_seconds
from ..job import OURS, alone
from ..table import columns, gap
from . import textbook
from .as_case import write
from .neutral import Location, Problem, read

WEAK, STRONG = "HiGHS, weak", "HiGHS, strong"
WHO = (OURS, WEAK, STRONG)
HEAD = ("", "size", "who", "status", "cost", "off", "gap", "build", "solve", "verify", "CPU s")
_LEFT = {0, 1, 2, 3}
Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Found:
    """What one of them made of a problem."""

    who: str
    answer: Answer
    processor: float
    """Seconds of the processors, reading and building included: other work on the machine does not change them."""


def performed(name: str, who: str, stop: Stop) -> Found:
    """Runs one of them in this process."""
    began = cpu_seconds()
    problem = read(name)
    answer = _ours(problem, stop) if who == OURS else textbook.run(problem, stop, strong=who == STRONG)
    return Found(who, answer, cpu_seconds() - began)


def table(names: list[str], who: list[str], stop: Stop, told: Told) -> str:
    """All of them on all problems, one after the other; each is told as it begins and ends."""
    rows: list[tuple[str, ...]] = [HEAD]
    jobs = [(name, each) for name in names for each in who]
    for number, (name, each) in enumerate(jobs, 1):
        told(f"{number}/{len(jobs)} {name}: {each} …")
        found = alone(performed, name, each, stop)
        told(f"{number}/{len(jobs)} {name}: {each}: {found.answer.status}, {found.processor:.1f} s of processor")
        rows.append(tuple(_cells(read(name), found, named=each == who[0])))
    return columns(rows, _LEFT)


def _ours(problem: Problem, stop: Stop) -> Answer:
    from .. import ours

    answer = Answer()
    with tempfile.TemporaryDirectory() as folder:
        write(problem, Path(folder))
        facts = ours.read(Path(folder), answer)
    ours.run(facts, stop, answer)
    return answer


def _cells(problem: Problem, found: Found, named: bool) -> Iterator[str]:
    answer, apart, best = found.answer, gap(found.answer), problem.optimum
    yield problem.name if named else ""
    yield f"{_size(problem)}, optimum {'unknown' if best is None else f'{best:,.12g}'}" if named else ""
    yield found.who
    yield answer.status
    yield "" if answer.objective is None else f"{answer.objective:,.2f}"
    yield "" if best is None or answer.objective is None else f"{answer.objective / best - 1:.1e}"
    yield "" if apart is None else f"{apart:.1e}"
    yield from (f"{answer.seconds[p]:.2f}" if p in answer.seconds else "" for p in ("build", "solve", "verify"))
    yield f"{found.processor:.1f}"


def _size(problem: Problem) -> str:
    if not isinstance(problem, Location):
        return "{} x {} lots".format(*problem.demand.shape)
    limited = "capacitated" if np.isfinite(problem.capacity).any() else "uncapacitated"
    return "{} x {} {}".format(*problem.cost.shape, "single source" if problem.single else limited)
