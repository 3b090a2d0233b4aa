"""First plans and the bounds that they prove: no optimum is lost by them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from friendshore.program import compile_program
from friendshore.program.matrix import Floats, Linear
from friendshore.solve import first_plan as first
from friendshore.solve import mip
from friendshore.solve.components import split
from friendshore.solve.engine import Ask, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES, solve_with_scip
from friendshore.solve.scaling import scaled

from .settings import at_depth
from .test_links import _mid, _places

CASES = 240
GROUP = 8
GAP = 1e-6


def programs(drawn: Any, seeds: range) -> list[tuple[str, Linear]]:
    """The parts with choices of some random cases, scaled as they are solved."""
    found = [(seed, part.linear) for seed in seeds for part in split(compile_program(drawn(seed)).linear)]
    return [(f"seed {seed}", scaled(linear)[0]) for seed, linear in found if linear.integer.any()]


def cheapest(linear: Linear) -> Floats | None:
    """A cheapest plan, by another engine."""
    found = solve_with_scip(linear, Ask(gap=1e-9))
    assert found.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return found.x


SEEDS = [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(GROUP, at_depth(CASES), GROUP))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid])
def test_no_optimum_is_lost(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first plan wherever there is a choice, and whatever costs more than anything closed for it: the optimum of another engine."""
    monkeypatch.setattr(first, "CHOICES", 1)
    monkeypatch.setattr(first, "DEAR", 0.05)
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        found, best = mip.solve_mip(linear, ENGINES, Watch(), GAP), cheapest(linear)
        assert (found.x is None) == (best is None), name
        if best is not None:
            least = float(linear.cost @ best) + linear.constant
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
            assert found.bound <= least + 2 * GAP * max(1.0, abs(least)), name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid])
def test_bounds_leave_every_plan_that_costs_no_more(drawn: Any, seed: int) -> None:
    """A cheapest plan keeps the bounds that its own cost proves, and those that a dearer plan proves."""
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        relaxed = ENGINES.linear(replace(linear, integer=np.zeros(len(linear.cost), dtype=bool)))
        if best is None or relaxed.duals is None:
            continue
        least = float(linear.cost @ best) + linear.constant
        for most in (least, least + 0.3 * abs(least)):
            left = first.narrowed(linear, relaxed.duals, most)
            slack = 1e-6 * np.maximum(1.0, np.abs(best))
            assert (best >= left.lower - slack).all(), name
            assert (best <= left.upper + slack).all(), name
            assert (left.lower <= left.upper).all(), name
