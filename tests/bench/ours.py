"""friendshore's own run, phase by phase: what `friendshore.plan` does, with a clock between its steps."""

from __future__ import annotations

import tempfile
from pathlib import Path

import friendshore
from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.problem import build_problem
from friendshore.program import compile_program
from friendshore.recommend import gather
from friendshore.rules.base import Rule
from friendshore.solve import Limits, solve
from friendshore.solve.solving import plan_of
from friendshore.verify import VerifiedPlan, verify

from .answer import Answer, Stop
from .folders import write
from .instances import Instance
from .plain import Plain

Facts = tuple[Case, tuple[Catalog, ...], tuple[Rule, ...]]
"""A case, its catalogs and its rules."""


def given(instance: Instance, answer: Answer, budget: float | None = None) -> Facts:
    """An instance, written as files and read from them."""
    with tempfile.TemporaryDirectory() as folder:
        write(instance, Path(folder), budget)
        return read(Path(folder), answer)


def read(folder: Path, answer: Answer) -> Facts:
    """Reads a case with its catalog and rules, as a planner's run does."""
    with answer.phase("read"):
        gathered = gather(friendshore.load_case(folder))
    return gathered.case, gathered.catalogs, gathered.rules


def run(facts: Facts, stop: Stop, answer: Answer) -> VerifiedPlan:
    """Builds, solves and verifies."""
    with answer.phase("build"):
        problem = build_problem(*facts)
        program = compile_program(problem)
    with answer.phase("solve"):
        solution = solve(program, Limits(gap=stop.gap, seconds=stop.seconds))
    with answer.phase("verify"):
        verified = verify(problem, plan_of(program, solution))
    rows, columns = program.linear.matrix.shape
    answer.notes |= {
        "columns": columns,
        "rows": rows,
        "nonzeros": int(program.linear.matrix.nnz),
        "components": solution.components,
    }
    answer.objective = float(verified.cost.objective)
    answer.bound = float(verified.plan.bound)
    answer.status = str(verified.plan.status)
    return verified


def yearly(verified: VerifiedPlan, given: Plain) -> list[float]:
    """Money that a plan spends in each year, by the books of a budget: undiscounted, by day of order, onboarding at the start."""
    spent = [0.0] * (int(given.year[-1]) + 1)
    for line in verified.lines:
        spent[given.year[line.ordered]] += float(line.total)
    for held in verified.plan.stocks:
        spent[given.year[held.period]] += float(held.quantity) * float(given.kept[int(held.material[1:]), held.period])
    spent[0] += float(verified.cost.onboarding)
    return spent
