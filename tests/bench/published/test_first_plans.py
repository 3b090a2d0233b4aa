"""First plans of published problems with scarce capacity leave no demand short."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import friendshore
from friendshore.problem import build_problem
from friendshore.program import compile_program
from friendshore.program.matrix import Floats, Linear, Mask
from friendshore.recommend import gather
from friendshore.solve import first_plan as first
from friendshore.solve.components import split
from friendshore.solve.engine import Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.forcing import column_steps
from friendshore.solve.scaling import scaled

from . import as_case
from .neutral import read

GAP = 1e-6


def published(name: str, folder: Path) -> tuple[Linear, Mask, float, Floats]:
    """Return a scaled published problem, a mask of its shortage columns, the unit of its money, and the steps of its columns."""
    as_case.write(read(name), folder / "case")
    gathered = gather(friendshore.load_case(folder / "case"))
    program = compile_program(build_problem(gathered.case, gathered.catalogs, gathered.rules))
    (part,) = (part for part in split(program.linear) if part.linear.integer.any())
    count = len(program.problem.demands) * program.problem.case.horizon.count
    linear, scale = scaled(part.linear)
    short = np.isin(part.columns, program.columns.short + np.arange(count))
    return linear, short, scale.money, column_steps(part.linear) / scale.columns


@pytest.mark.parametrize(
    ("name", "dearer"),
    [
        ("cap134", 1.0),
        ("sscflp_holmberg_p21", 1.02),
        pytest.param("sscflp_delmaire_p2", 1.02, marks=pytest.mark.deep),
        pytest.param("sscflp_delmaire_p26", 1.1, marks=pytest.mark.deep),
        pytest.param("trigeiro_G57", 1.1, marks=pytest.mark.deep),
    ],
)
def test_no_demand_is_left_short_that_capacity_serves(name: str, dearer: float, tmp_path: Path) -> None:
    """The first plan serves all demand, at a cost near the optimum."""
    linear, short, money, _ = published(name, tmp_path)
    answer, _ = first.first_plan(linear, ENGINES, Watch(), GAP)
    assert answer.x is not None
    assert (answer.x[short] <= 1e-6).all()
    best = read(name).optimum
    assert best is not None
    assert answer.bound * money <= best * (1 + GAP)
    assert best * (1 - GAP) <= answer.objective * money <= best * (dearer + GAP)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["cap134", "sscflp_holmberg_p21", "trigeiro_F15_nost", "ufl_B1.2", "trigeiro_G57"])
def test_what_is_searched_has_no_shortage_where_a_step_is_known(name: str, tmp_path: Path) -> None:
    """A plan of any cost proves that no shortage is needed, since a kilogram short costs more than the plan."""
    linear, short, money, step = published(name, tmp_path)
    answer, reduced = first.first_plan(linear, ENGINES, Watch(), GAP, lambda: step)
    best = read(name).optimum
    assert (reduced.upper[short] == 0).all()
    assert best is None or answer.bound * money <= best * (1 + GAP)


@pytest.mark.deep
@pytest.mark.parametrize("name", ["capa_like_small", "capa_like"])
def test_a_plan_in_no_time_serves_all_that_capacity_serves(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With many sites and customers, the first plan serves all demand even without time, and with time it is near its bound."""
    monkeypatch.setattr(first, "LARGE", 0)
    linear, short, _, _ = published(name, tmp_path)
    answer, _ = first.first_plan(linear, ENGINES, Watch(0.0), GAP)
    assert answer.x is not None
    assert (answer.x[short] <= 1e-6).all()
    best, _ = first.first_plan(linear, ENGINES, Watch(), GAP)
    assert answer.bound * (1 - GAP) <= best.bound <= best.objective <= min(answer.objective, 1.01 * best.bound)
