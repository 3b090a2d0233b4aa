"""friendshore's own run: the steps of `friendshore.plan`, each timed."""

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
from .coefficients import Coefficients
from .folders import write
from .instances import Instance

Facts = tuple[Case, tuple[Catalog, ...], tuple[Rule, ...]]


def read_instance(instance: Instance, answer: Answer, budget: float | None = None) -> Facts:
    """Write an instance to files, and read it from them."""
    with tempfile.TemporaryDirectory() as folder:
        write(instance, Path(folder), budget)
        return read(Path(folder), answer)


def read(folder: Path, answer: Answer) -> Facts:
    with answer.phase("read"):
        gathered = gather(friendshore.load_case(folder))
    return gathered.case, gathered.catalogs, gathered.rules


def run(facts: Facts, stop: Stop, answer: Answer) -> VerifiedPlan:
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


def yearly(verified: VerifiedPlan, data: Coefficients) -> list[float]:
    """Return the spend of each year as a budget counts it: undiscounted, by order date, with onboarding in the first year."""
    spent = [0.0] * (int(data.year[-1]) + 1)
    for line in verified.lines:
        spent[data.year[line.ordered]] += float(line.total)
    for held in verified.plan.stocks:
        spent[data.year[held.period]] += float(held.quantity) * float(
            data.stock_spend[int(held.material[1:]), held.period]
        )
    spent[0] += float(verified.cost.onboarding)
    return spent
