"""Plans from relaxations: what they keep, and that no plan is lost where all links of a choice stand in one row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from friendshore.program.matrix import continuous
from friendshore.solve import first_plan as first
from friendshore.solve import mip
from friendshore.solve.diving import rounded, sloped, summed
from friendshore.solve.engine import SolverOutcome, Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.polishing import fix, settled_rows

from .test_first_plans import GAP, GROUP, SEEDS, cheapest, programs
from .test_links import _mid, _places
from .test_steps import sources

DRAWN = [_places, _mid, sources]


@pytest.mark.parametrize("seed", [*SEEDS, 219])
@pytest.mark.parametrize("drawn", DRAWN)
def test_one_row_for_all_links_of_a_choice_keeps_every_plan(drawn: Any, seed: int) -> None:
    """The same least cost from fewer rows, and a bound that is no higher."""
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        joint = summed(linear)
        assert joint.entries.shape[0] <= linear.entries.shape[0], name
        one, other = cheapest(joint), cheapest(linear)
        assert (one is None) == (other is None), name
        if one is not None and other is not None:
            assert float(linear.cost @ one) == pytest.approx(float(linear.cost @ other), rel=2 * GAP, abs=1e-6), name
            comes_to = linear.entries @ one
            assert (comes_to <= linear.row_upper + 1e-6).all(), name
            assert (comes_to >= linear.row_lower - 1e-6).all(), name
            weak, strong = (ENGINES.linear(continuous(each)).objective for each in (joint, linear))
            assert weak <= strong + GAP * max(1.0, abs(strong)), name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", DRAWN)
def test_rows_of_one_column_that_is_left_are_its_ends(drawn: Any, seed: int) -> None:
    """With choices as they are in the optimum: fewer rows, the same least cost, and all rows are kept."""
    fewer = 0
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        if best is None:
            continue
        fixed = fix(linear, linear.integer, best)
        left = settled_rows(fixed)
        whole, found = ENGINES.linear(fixed), ENGINES.linear(left)
        assert found.objective == pytest.approx(whole.objective, rel=GAP, abs=1e-6), name
        assert found.x is not None, name
        comes_to = linear.entries @ found.x
        assert (comes_to <= linear.row_upper + 1e-6).all(), name
        assert (comes_to >= linear.row_lower - 1e-6).all(), name
        fewer += left.entries.shape[0] < linear.entries.shape[0]
    assert fewer


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["at leisure", "in no time"])
@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", DRAWN)
def test_a_rounded_relaxation_is_a_plan(drawn: Any, seed: int, seconds: float | None) -> None:
    """It keeps all rows and ends, its choices are whole, and it costs what it says and no less than the relaxation; slopes make it no dearer."""
    found = 0
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        relaxed = ENGINES.linear(continuous(linear))
        if relaxed.x is None:
            continue
        plan = rounded(linear, relaxed.x, ENGINES, Watch(seconds))
        better = sloped(linear, relaxed.x, ENGINES, Watch(seconds))
        assert better.objective <= plan.objective + 1e-9 * abs(plan.objective), name
        for answer in (plan, better):
            if answer.x is None:
                continue
            found += 1
            comes_to, slack = linear.entries @ answer.x, 1e-6
            assert (comes_to <= linear.row_upper + slack).all(), name
            assert (comes_to >= linear.row_lower - slack).all(), name
            assert (answer.x >= linear.lower).all(), name
            assert (answer.x <= linear.upper).all(), name
            assert (answer.x[linear.integer] == np.round(answer.x[linear.integer])).all(), name
            assert answer.objective == pytest.approx(float(linear.cost @ answer.x) + linear.constant)
            assert answer.objective >= relaxed.objective - 1e-6 * max(1.0, abs(relaxed.objective)), name
    assert found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", DRAWN)
def test_no_optimum_is_lost_of_what_is_called_large(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With every step of a large program wherever there is a choice: the optimum of another engine."""
    for name, value in (("CHOICES", 1), ("LARGE", 0), ("DEAR", 0.05)):
        monkeypatch.setattr(first, name, value)
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        found, best = mip.solve_mip(linear, ENGINES, Watch(), GAP), cheapest(linear)
        assert (found.x is None) == (best is None), name
        if best is not None:
            least = float(linear.cost @ best) + linear.constant
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
