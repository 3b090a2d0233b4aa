"""Steps that a cheapest plan keeps to, and ends that follow from rows: small programs show which are found, random cases that no optimum is lost."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from tests.building import METAL, OXIDE, case, catalog, chain, demand, facility, offer, store

from friendshore.problem import Problem, build_problem
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Linear
from friendshore.rules.kinds.limits import SingleSource
from friendshore.solve import first_plan as first
from friendshore.solve.components import split
from friendshore.solve.engine import SolverOutcome, Watch
from friendshore.solve.engines import ENGINES
from friendshore.solve.forcing import covered, forced
from friendshore.solve.polishing import fix
from friendshore.solve.search import Search
from friendshore.solve.steps import steps

from .test_first_plans import GAP, GROUP, SEEDS, cheapest
from .test_links import PLACES, _mid, _places

OPEN = np.inf


def program(rows: list[list[float]], lower: list[float], upper: list[float], most: list[float], whole: int) -> Linear:
    """A small program of columns that begin at nothing; the last `whole` of them are integer."""
    matrix = Entries.of(sp.csr_matrix(np.array(rows, dtype=np.float64)))
    count = matrix.shape[1]
    ends = np.array(lower), np.array(upper)
    return Linear(np.ones(count), np.zeros(count), np.array(most), np.arange(count) >= count - whole, matrix, *ends)


def test_what_is_left_of_a_network_keeps_to_the_step_of_its_ends() -> None:
    """A source for two sinks, a fixed choice of 6: all that is not of a unit of its own is a multiple of 2."""
    rows = [[1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 1, 0, 0, -6]]
    found = steps(program(rows, [4, 10, -OPEN], [4, 10, 0], [OPEN, OPEN, 4, 10, 1], 1))
    assert found.tolist() == [2.0, 2.0, 2.0, 2.0, 0.0]


@pytest.mark.parametrize(
    "rows",
    [
        [[1, 1, 0], [0, 1, 1], [1, 0, 1]],  # a triangle: halves are a corner
        [[1, 1, 0], [1, -1, 0], [0, 1, 1]],  # with both signs beside each other
        [[1, 1, 0], [1, 2, 0], [0, 1, 1]],
        [[1, 1, 0], [1, 0, 1], [1, 1, 1]],  # in three rows
    ],
)
def test_what_is_no_network_has_no_step(rows: list[list[float]]) -> None:
    """Nothing is said of it."""
    assert not steps(program(rows, [-OPEN] * 3, [2] * 3, [OPEN] * 3, 0)).any()


def test_the_same_row_twice_is_one() -> None:
    """As where a capacity stands beside the link of a fixed choice to it; turned round too."""
    rows = [[1, 1, 0], [1, 1, -30], [-1, -1, 0], [1, 0, 0]]
    found = steps(program(rows, [-OPEN, -OPEN, -20, 5], [40, 0, OPEN, OPEN], [OPEN, OPEN, 1], 1))
    assert found.tolist() == [5.0, 5.0, 0.0]


def test_an_end_off_every_grain_leaves_no_step() -> None:
    """A third of a kilogram is no whole number of grams."""
    assert not steps(program([[1, 1]], [1 / 3], [1 / 3], [OPEN, OPEN], 0)).any()


def test_one_source_alone_that_must_serve_all_is_all_or_nothing() -> None:
    """`x[i] <= 8 u[i]`, one of both, and 8 to serve: what is served is `8 u[i]`, and one there is."""
    rows = [[1, 1, -1, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, -8, 0], [0, 1, 0, 0, -8], [0, 0, 0, 1, 1]]
    ends = [0, 8, -OPEN, -OPEN, -OPEN], [0, 8, 0, 0, 1]
    found = forced(program(rows, *ends, [OPEN, OPEN, 8, 1, 1], 2))
    assert found.row_lower.tolist() == [0, 8, 0, 0, 1]
    less = forced(program(rows, [0, 7, *ends[0][2:]], ends[1], [OPEN, OPEN, 8, 1, 1], 2))
    assert less.row_lower.tolist() == [0, 7, *ends[0][2:]]


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_sites_that_are_opened_hold_what_is_needed(factor: float) -> None:
    """Sites of 6, 8 and, once either of two, 3 for needs of 4 and 5, of which 1 may come from elsewhere; whatever a need is counted in."""
    serve = [[1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0], [0, factor, 0, factor, 0, factor, 0, 0, 0, 0, 0]]
    hold = [
        [1, 1, 0, 0, 0, 0, 0, -6, 0, 0, 0],
        [0, 0, 1, 1, 0, 0, 0, 0, -8, 0, 0],
        [0, 0, 0, 0, 1, 1, 0, 0, 0, -3, -3],
    ]
    ends = [4, 5 * factor, *[-OPEN] * 3], [4, OPEN, 0, 0, 0]
    given = program(serve + hold, *ends, [*[OPEN] * 6, 1, 1, 1, 1, 1], 4)
    found = covered(given, np.array([1, 1 / factor, 1, 1, 1]))
    assert found.entries.shape[0] == 6
    row = found.matrix[5].toarray()[0] * 8 / found.row_lower[5]
    assert row == pytest.approx([0, 0, 0, 0, 0, 0, 0, 6, 8, 3, 3])
    assert found.row_upper[5] == OPEN
    less = covered(replace(given, upper=np.array([*[OPEN] * 7, 1, 1, 1, 1])), np.array([1, 1 / factor, 1, 1, 1]))
    assert less.matrix[5].toarray()[0] * 5 / less.row_lower[5] == pytest.approx(row)


def sources(seed: int) -> Problem:
    """A few suppliers of two materials, of which one alone serves each place; some are at the edge of their capacity."""
    dice = Random(seed)
    names = ("au", "ca", "cn", "vn")[: dice.randint(2, 4)]
    plants = [facility(name, name.upper(), dice.choice((30, 45, 70))) for name in names]
    links = {"metal": METAL, "oxide": OXIDE}
    offers = [
        offer(
            f"{name}-{good}",
            name,
            good,
            dice.randint(1, 6),
            chain(name.upper(), *links[good]),
            onboarding=dice.choice((10, 80, 300)),
            onboarding_currency="USD",
        )
        for name in names
        for good in links
        if dice.randrange(4)
    ]
    wanted = [
        demand(good, "civil", dice.choice((5, 12, 15, 20)), id=f"{good}-{place}", place=place)
        for place in PLACES
        for good in links
    ]
    stores = [store(good, 1, place=place) for good in links for place in PLACES if dice.randrange(2)]
    rule = SingleSource.model_validate({"id": "one", "per": "horizon"})
    given = case(*wanted, stores=stores, assume={"freight": dice.choice((0, 2))})
    return build_problem(given, (catalog(*plants, *offers),), (rule,))


def parts(drawn: Any, seeds: range) -> list[tuple[str, Linear]]:
    """The parts with choices of some random cases."""
    found = [(seed, part.linear) for seed in seeds for part in split(compile_program(drawn(seed)).linear)]
    return [(f"seed {seed}", linear) for seed, linear in found if linear.integer.any()]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid])
def test_corners_keep_to_the_steps(drawn: Any, seed: int) -> None:
    """With the choices of a cheapest plan, and at any other prices: what a simplex finds is a corner."""
    dice = Random(seed)
    for name, linear in parts(drawn, range(seed, seed + GROUP)):
        best, step = cheapest(linear), steps(linear)
        known = step > 0
        if best is None or not known.any():
            continue
        for _ in range(3):
            cost = np.array([dice.choice((0, 1, 2, 5)) + linear.cost[i] for i in range(len(linear.cost))])
            corner = ENGINES.linear(fix(replace(linear, cost=cost), linear.integer, best)).x
            over = corner[known] / step[known]
            assert np.abs(over - np.rint(over)).max() <= 1e-6, name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid, sources])
def test_no_optimum_is_lost(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first plan, steps and forced ends wherever there is a choice: the optimum of another engine."""
    monkeypatch.setattr(first, "CHOICES", 1)
    monkeypatch.setattr(first, "DEAR", 0.05)
    for name, linear in parts(drawn, range(seed, seed + GROUP)):
        found, best = Search(Watch(), GAP).alone(linear), cheapest(linear)
        assert (found.x is None) == (best is None), name
        if best is not None:
            least = float(linear.cost @ best)
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name


def without_shortages(drawn: Any, seed: int) -> list[tuple[str, Linear]]:
    """The parts with choices of a random case, each with its shortages closed where a cheapest plan has none."""
    program = compile_program(drawn(seed))
    first_short, count = program.columns.short, program.problem.case.horizon.count
    found = []
    for part in split(program.linear):
        best = cheapest(part.linear) if part.linear.integer.any() else None
        short = (part.columns >= first_short) & (part.columns < first_short + len(program.problem.demands) * count)
        if best is not None and (best[short] <= 1e-6).all():
            found.append((f"seed {seed}", replace(part.linear, upper=np.where(short, 0.0, part.linear.upper))))
    return found


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, sources])
def test_forced_ends_keep_every_plan_without_a_shortage(drawn: Any, seed: int) -> None:
    """Where nothing need be short: the same least cost, with forced ends and without, and a relaxation that is no weaker."""
    for name, linear in [part for each in range(seed, seed + GROUP) for part in without_shortages(drawn, each)]:
        tight, best = forced(linear), cheapest(linear)
        kept = cheapest(covered(tight))
        assert best is not None
        assert kept is not None, name
        assert linear.cost @ kept == pytest.approx(linear.cost @ best, rel=2 * GAP, abs=1e-5), name
        assert (tight.row_lower >= linear.row_lower).all()
