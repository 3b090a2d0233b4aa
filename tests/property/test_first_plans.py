"""First plans and the bounds that they prove: no optimum is lost by them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.building import METAL, case, catalog, chain, demand, facility, offer

from friendshore.domain.facts import Lane
from friendshore.domain.plan import Confirmation
from friendshore.problem import Problem, build_problem
from friendshore.program import compile_program
from friendshore.program.matrix import Entries, Floats, Linear, continuous
from friendshore.solve import branching, compared, mip, subgradient
from friendshore.solve import first_plan as first
from friendshore.solve.components import split
from friendshore.solve.engine import Ask, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES, solve_with_scip
from friendshore.solve.forcing import ended, numbered
from friendshore.solve.scaling import scaled

from .settings import at_depth
from .test_links import _mid, _places

CASES = 240
GROUP = 8
GAP = 1e-6
PLACES = ("US", "JP", "KZ", "CA", "DE", "FR", "GB", "IT")


def programs(drawn: Any, seeds: range) -> list[tuple[str, Linear]]:
    """The parts with choices of some random cases, scaled as they are solved."""
    found = [(seed, part.linear) for seed in seeds for part in split(compile_program(drawn(seed)).linear)]
    return [(f"seed {seed}", scaled(linear)[0]) for seed, linear in found if linear.integer.any()]


def cheapest(linear: Linear) -> Floats | None:
    """A cheapest plan, by another engine."""
    found = solve_with_scip(linear, Ask(gap=1e-9))
    assert found.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return found.x


def sites(seed: int) -> Problem:
    """Sites that cost something to open serve places, each over a lane of its own; capacity is scarce, and what is dear to serve may be left short."""
    dice = Random(seed)
    return location(dice, dice.choice((None, 20, 30)), dice.randint(3, 6), dice.choice((30, 1000)))


def location(dice: Random, each: int | None, count: int, price: float) -> Problem:
    """So many sites, of so many kilograms a year each or of sizes of their own; what is left short costs a price."""
    names, places = [f"s{n}" for n in range(count)], PLACES[: dice.randint(3, len(PLACES))]
    plants = [facility(name, "AU", each or dice.randint(15, 40)) for name in names]
    goods = [offer(name, name, "metal", 0, chain("AU", *METAL), **_opening(dice, places)) for name in names]
    wanted = [demand("metal", "civil", dice.randint(1, 20), id=to, place=to, price=price) for to in places]
    return build_problem(case(*wanted), (catalog(*plants, *goods),), ())


def _opening(dice: Random, places: Sequence[str]) -> dict[str, Any]:
    lanes = [Lane(to=to, freight=Decimal(dice.randint(1, 9)), currency="USD", source="tiny:s") for to in places]
    return {"onboarding": dice.randint(10, 200), "onboarding_currency": "USD", "lanes": tuple(lanes)}


SEEDS = [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(GROUP, at_depth(CASES), GROUP))]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("large", [False, True])
@pytest.mark.parametrize("drawn", [_places, _mid, sites])
def test_no_optimum_is_lost(drawn: Any, large: bool, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first plan wherever there is a choice, and whatever costs more than anything closed for it: the optimum of another engine."""
    monkeypatch.setattr(first, "LARGE", -1 if large else first.LARGE)
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
@pytest.mark.parametrize("drawn", [_places, _mid, sites])
def test_choices_to_start_from_change_no_optimum(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are: those of a cheapest plan, all or some of them, or choices that no plan can make."""
    monkeypatch.setattr(first, "CHOICES", 1)
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        if best is None:
            continue
        some = np.where(np.arange(len(best)) % 2, best, np.nan)
        for start in (best, some, np.zeros(len(best)), np.full(len(best), 1e6)):
            found = mip.solve_mip(linear, ENGINES, Watch(), GAP, start=start)
            least = float(linear.cost @ best) + linear.constant
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
            assert found.bound <= least + 2 * GAP * max(1.0, abs(least)), name


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid, sites])
def test_a_comparison_says_what_the_optimum_says(drawn: Any, seed: int) -> None:
    """Whatever is enough, and whatever choices it begins from: a plan that costs no more, or a bound that says that there is none."""
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        if best is None:
            assert compared(linear, 1.0).outcome is SolverOutcome.INFEASIBLE
            continue
        least = float(linear.cost @ best) + linear.constant
        if least <= 0:
            continue
        for share in (0.5, 0.98, 0.9999, 1.0001, 1.02, 2.0):
            for start in (None, best, np.zeros(len(best))):
                found = compared(linear, share * least, start=start)
                assert found.outcome is SolverOutcome.OPTIMAL
                assert (found.objective <= share * least) == (share > 1), (name, share)
                assert found.bound <= least + 2 * GAP * max(1.0, abs(least)), name
                assert (found.bound > share * least) or share > 1, (name, share)
                if found.x is not None:
                    assert found.objective == pytest.approx(float(linear.cost @ found.x) + linear.constant)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid, sites])
def test_branching_ends_at_the_optimum_with_a_bound_that_no_plan_falls_below(
    drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a dear plan and from the cheapest; where it needs too many nodes it says nothing."""
    monkeypatch.setattr(first, "CHOICES", 1)
    closed = 0
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        if best is None:
            continue
        least = float(linear.cost @ best) + linear.constant
        for start in (best, np.zeros(len(best))):
            known, left = first.first_plan(linear, ENGINES, Watch(), GAP, start=start)
            found = branching.branched(linear, left, known, GAP, ENGINES, Watch()) if known.x is not None else None
            if found is not None:
                closed += 1
                assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
                assert (
                    found.objective - GAP * abs(found.objective) <= found.bound <= least + 1e-6 * max(1.0, abs(least))
                ), name
                assert mip.solve_mip(linear, ENGINES, Watch(), GAP, start=start, branch=True).confirmed_by == {
                    Confirmation.BOUND
                }
    assert closed
    monkeypatch.setattr(branching, "NODES", 0)
    assert branching.branched(linear, left, replace(known, objective=np.inf), GAP, ENGINES, Watch()) is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, _mid, sites])
def test_ends_of_endless_columns_leave_every_plan_that_costs_no_more(drawn: Any, seed: int) -> None:
    """What rows and the cost of a plan leave of stocks, and of what soft rules miss, a cheapest plan keeps."""
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best = cheapest(linear)
        if best is None:
            continue
        least = float(linear.cost @ best) + linear.constant
        for most in (np.inf, least, least + 0.3 * abs(least)):
            left = ended(linear, most)
            assert (best <= left.upper + 1e-6 * np.maximum(1.0, np.abs(best))).all(), name
            assert (left.upper <= linear.upper).all(), name


def test_a_reduced_cost_that_rounding_leaves_below_zero_costs_no_bound() -> None:
    """Stock has no upper end: a multiplier that is 1e-15 off would leave the whole program without a bound."""
    entries = Entries.summed(np.array([0, 0, 1]), np.array([0, 1, 1]), np.array([1.0, -1.0, 1.0]), (2, 2))
    nothing = np.zeros(2)
    linear = Linear(
        np.array([1.0, 0.5]), nothing, np.array([10.0, np.inf]), nothing.astype(bool), entries,
        np.array([0.0, 4.0]), np.array([0.0, np.inf]),
    )  # fmt: skip
    duals = np.array([1.0, 1.5 + 1e-15])
    assert first.proved(linear, duals) == -np.inf
    assert first.proved(ended(linear, 100.0), duals) == pytest.approx(6.0)
    assert ended(linear, 100.0).upper == pytest.approx([10.0, 10.0]), "the row leaves it no more"
    assert ended(linear, 4.0).upper == pytest.approx([10.0, 8.0]), "nor does the money"


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


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("drawn", [_places, sites])
def test_prices_prove_nothing_that_a_plan_belies(drawn: Any, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of numbers of choices hold in a cheapest plan, whether or not something is short; it costs no less than prices prove, which is what they were
    found for, and keeps the bounds that these prove.
    """
    monkeypatch.setattr(subgradient, "ROUNDS", 60)
    for name, linear in programs(drawn, range(seed, seed + GROUP)):
        best, numbers = cheapest(linear), numbered(linear)
        prices = None if best is None else subgradient.estimated(numbers, float(linear.cost @ best), Watch())
        if best is None or prices is None or prices.duals is None:
            continue
        least = float(linear.cost @ best) + linear.constant
        assert (numbers.entries @ best >= numbers.row_lower - 1e-6).all(), name
        assert first.proved(numbers, prices.duals) <= least + 1e-6 * max(1.0, abs(least)), name
        left = first.narrowed(numbers, prices.duals, least)
        slack = 1e-6 * np.maximum(1.0, np.abs(best))
        assert ((best >= left.lower - slack) & (best <= left.upper + slack)).all(), name


def test_numbers_of_choices_and_prices_prove_more_than_the_relaxation() -> None:
    """Of sites of 20 kg each, of which demand fills no whole number: prices prove most of what lies between fractions of sites and the optimum."""
    ((_, linear),) = programs(lambda seed: location(Random(seed), 20, 8, 1000), range(1))
    best = cheapest(linear)
    assert best is not None
    least, relaxed = float(linear.cost @ best), ENGINES.linear(continuous(linear)).objective
    prices = subgradient.estimated(numbered(linear), least, Watch())
    assert prices.duals is not None
    proved = first.proved(numbered(linear), prices.duals)
    assert proved == pytest.approx(prices.bound, rel=1e-6)
    assert relaxed < proved - 0.5 * (least - relaxed)
    assert proved <= least * (1 + 1e-9)
