"""Published problems have their published optimum as cases and as textbook programs."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import friendshore

from ..answer import Answer, Stop
from . import as_case
from .neutral import Location, Lots, Problem, names, read, read_orlib

EXACT = Stop(gap=1e-7)
QUICK = ("cap41", "cap71", "ufl_B1.2", "sscflp_holmberg_p11")
ORLIB = "2 3\ncapacity 70\ncapacity 80\n10 20 15\n20 60 10\n5 5 25\n"
MINIATURE = Lots(
    "miniature", "made up", None, demand=np.array([[30.0, 0.0, 20.0], [0.0, 40.0, 30.0]]), setup=np.array([100.0, 60.0]),
    setup_use=np.array([5.0, 10.0]), holding=np.array([2.0, 1.0]), capacity=60.0,
)  # fmt: skip


def _least(problem: Problem, stop: Stop, strong: bool) -> Answer:
    pytest.importorskip("highspy", reason="HiGHS itself comes with the group `bench`")
    answer: Answer = import_module(".textbook", __package__).run(problem, stop, strong)
    return answer


@pytest.mark.parametrize("name", QUICK)
@pytest.mark.parametrize("strong", [False, True], ids=["weak", "strong"])
def test_the_textbook_s_program_has_the_published_optimum(name: str, strong: bool) -> None:
    """HiGHS proves it with the strong formulation, and finds nothing cheaper with the weak one."""
    problem = read(name)
    answer = _least(problem, Stop(gap=1e-7, seconds=None if strong else 1.0), strong)
    assert problem.optimum is not None
    if strong:
        assert answer.objective == pytest.approx(problem.optimum, rel=1e-6)
    assert answer.bound is not None
    assert answer.bound <= problem.optimum * (1 + 1e-6)


@pytest.mark.parametrize("problem", [MINIATURE, read_orlib("tiny", ORLIB, 60.0)], ids=["lots", "location"])
@pytest.mark.parametrize("strong", [False, True], ids=["weak", "strong"])
def test_a_case_costs_what_the_textbook_says(problem: Problem, strong: bool, tmp_path: Path) -> None:
    as_case.write(problem, tmp_path / "case")
    plan = friendshore.plan(friendshore.load_case(tmp_path / "case"))
    assert plan.status.value == "optimal"
    assert float(plan.cost.objective) == pytest.approx(_least(problem, EXACT, strong).objective, rel=1e-6)


def test_orlib_s_files_are_read() -> None:
    """The word `capacity` in a file stands for a number from elsewhere."""
    problem = read_orlib("tiny", ORLIB, 60.0)
    arrays = [array.tolist() for array in (problem.fixed, problem.capacity, problem.demand, problem.cost)]
    assert arrays == [[70, 80], [60, 60], [10, 20, 5], [[20, 60, 5], [15, 10, 25]]]


def test_every_problem_is_read() -> None:
    problems = [read(name) for name in names()]
    assert all(problem.source and problem.demand.sum() > 0 for problem in problems)
    assert {type(problem) for problem in problems} == {Location, Lots}
