"""Table of published problems: friendshore and raw HiGHS, each in its own process."""

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
OnLine = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class SolverRun:
    """Result of one solver on one problem."""

    solver: str
    answer: Answer
    processor: float
    """CPU seconds, including reading and building."""


def performed(name: str, solver: str, stop: Stop) -> SolverRun:
    cpu_start = cpu_seconds()
    problem = read(name)
    answer = _ours(problem, stop) if solver == OURS else textbook.run(problem, stop, strong=solver == STRONG)
    return SolverRun(solver, answer, cpu_seconds() - cpu_start)


def table(names: list[str], solvers: list[str], stop: Stop, on_line: OnLine) -> str:
    """Return the table of all solvers on all problems. `on_line` gets a line when each starts and ends."""
    rows: list[tuple[str, ...]] = [HEAD]
    jobs = [(name, solver) for name in names for solver in solvers]
    for number, (name, solver) in enumerate(jobs, 1):
        on_line(f"{number}/{len(jobs)} {name}: {solver} …")
        result = alone(performed, name, solver, stop)
        on_line(f"{number}/{len(jobs)} {name}: {solver}: {result.answer.status}, {result.processor:.1f} s of processor")
        rows.append(tuple(_cells(read(name), result, is_first=solver == solvers[0])))
    return columns(rows, _LEFT)


def _ours(problem: Problem, stop: Stop) -> Answer:
    from .. import ours

    answer = Answer()
    with tempfile.TemporaryDirectory() as folder:
        write(problem, Path(folder))
        facts = ours.read(Path(folder), answer)
    ours.run(facts, stop, answer)
    return answer


def _cells(problem: Problem, result: SolverRun, is_first: bool) -> Iterator[str]:
    answer, relative_gap, best = result.answer, gap(result.answer), problem.optimum
    yield problem.name if is_first else ""
    yield f"{_size(problem)}, optimum {'unknown' if best is None else f'{best:,.12g}'}" if is_first else ""
    yield result.solver
    yield answer.status
    yield "" if answer.objective is None else f"{answer.objective:,.2f}"
    yield "" if best is None or answer.objective is None else f"{answer.objective / best - 1:.1e}"
    yield "" if relative_gap is None else f"{relative_gap:.1e}"
    yield from (f"{answer.seconds[p]:.2f}" if p in answer.seconds else "" for p in ("build", "solve", "verify"))
    yield f"{result.processor:.1f}"


def _size(problem: Problem) -> str:
    if not isinstance(problem, Location):
        return "{} x {} lots".format(*problem.demand.shape)
    limited = "capacitated" if np.isfinite(problem.capacity).any() else "uncapacitated"
    return "{} x {} {}".format(*problem.cost.shape, "single source" if problem.single else limited)
