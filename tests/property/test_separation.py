"""Links that a relaxation breaks: added where there are too many for all to be written down, and no optimum is lost by them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from friendshore.program import compile_program, draft
from friendshore.program.matrix import Linear, continuous
from friendshore.solve import first_plan as first
from friendshore.solve.components import split
from friendshore.solve.engine import SolverOutcome, Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.search import Search
from friendshore.solve.separation import with_links

from .test_first_plans import GAP, GROUP, SEEDS, cheapest
from .test_links import _mid, _places
from .test_steps import sources


def parts(drawn: Any, seeds: range) -> list[tuple[str, Linear]]:
    """The parts with choices of some random cases."""
    found = [(seed, part.linear) for seed in seeds for part in split(compile_program(drawn(seed)).linear)]
    return [(f"seed {seed}", linear) for seed, linear in found if linear.integer.any()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid, sources])
def test_no_optimum_is_lost(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With no link written down by the compiler, and all rounds wherever there is a choice: what the search says of the program with all links."""
    linked = [cheapest(linear) for _, linear in parts(drawn, range(seed, seed + GROUP))]
    costs = [linear.cost for _, linear in parts(drawn, range(seed, seed + GROUP))]
    for name, value in (("CHOICES", 1), ("LARGE", 0), ("DEAR", 0.05)):
        monkeypatch.setattr(first, name, value)
    monkeypatch.setattr(draft, "MOST_LINKS", 0)
    for (name, linear), best, cost in zip(parts(drawn, range(seed, seed + GROUP)), linked, costs, strict=True):
        found = Search(Watch(), GAP).alone(linear)
        assert (found.x is None) == (best is None), name
        if best is not None:
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(float(cost @ best), rel=2 * GAP, abs=1e-6), name


def test_rounds_come_to_the_bound_of_all_links(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of random cases of several places: the relaxation is as good as with every link written down, from some of the rows."""
    every = [linear for _, linear in parts(_places, range(24))]
    monkeypatch.setattr(draft, "MOST_LINKS", 0)
    monkeypatch.setattr("friendshore.solve.separation.WORTH", -1.0)
    rows = []
    for (name, linear), linked in zip(parts(_places, range(24)), every, strict=True):
        relaxed, best = (ENGINES.linear(continuous(one)) for one in (linear, linked))
        if relaxed.outcome is not SolverOutcome.OPTIMAL:
            continue
        found, bound = with_links(linear, relaxed, ENGINES, Watch())
        assert bound.objective == pytest.approx(best.objective, rel=1e-6, abs=1e-6), name
        rows.append((found.entries.shape[0], linear.entries.shape[0], linked.entries.shape[0]))
    least, before, written = np.array(rows).sum(axis=0)
    assert before < least <= written
