"""First plans of published problems at the edge of their capacity: no demand is left short."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import friendshore
from friendshore.problem import build_problem
from friendshore.program import compile_program
from friendshore.program.matrix import Linear, Mask
from friendshore.recommend import gather
from friendshore.solve import first_plan as first
from friendshore.solve.components import split
from friendshore.solve.engine import Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.scaling import scaled

from . import as_case
from .neutral import read

GAP = 1e-6


def published(name: str, folder: Path) -> tuple[Linear, Mask, float]:
    """A published problem as it is solved, which of its columns are shortages, and what its money is counted in."""
    as_case.write(read(name), folder / "case")
    gathered = gather(friendshore.load_case(folder / "case"))
    program = compile_program(build_problem(gathered.case, gathered.catalogs, gathered.rules))
    (part,) = (part for part in split(program.linear) if part.linear.integer.any())
    count = len(program.problem.demands) * program.problem.case.horizon.count
    linear, scale = scaled(part.linear)
    return linear, np.isin(part.columns, program.columns.short + np.arange(count)), scale.money


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
def test_no_demand_is_left_short_that_capacity_serves(
    name: str, dearer: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the edge of capacity too, the plan that is known before the search serves all, at a cost near the optimum."""
    monkeypatch.setattr(first, "BETTER_NODES", 1)
    linear, short, money = published(name, tmp_path)
    found, _ = first.first_plan(linear, ENGINES, Watch(), GAP)
    assert found.x is not None
    assert (found.x[short] <= 1e-6).all()
    best = read(name).optimum
    assert best is not None
    assert found.bound * money <= best * (1 + GAP)
    assert best * (1 - GAP) <= found.objective * money <= best * (dearer + GAP)
