"""Reductions and first plans of random programs: links, bounds, steps, and relaxations, none of which loses an optimum."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import cache, partial
from random import Random
from typing import Any

import numpy as np
import pytest
import scipy.sparse as sp
from tests import building as b
from tests.building import METAL, OXIDE, built, case, catalog, chain, demand, facility, offer, store

from friendshore.domain.facts import Lane, Offer
from friendshore.domain.plan import Confirmation
from friendshore.domain.terms import Terms
from friendshore.problem import Problem
from friendshore.program import Program, compile_program
from friendshore.program.bounds import Bounds
from friendshore.program.matrix import Entries, Floats, Linear, continuous
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxPlaces, MaxSuppliers, SingleSource
from friendshore.solve import compared, mip, subgradient
from friendshore.solve import first_plan as first
from friendshore.solve.component_search import Search
from friendshore.solve.components import split
from friendshore.solve.engine import NOTHING, Ask, SolverOutcome, Watch
from friendshore.solve.engines import ENGINES, solve_with_scip
from friendshore.solve.first_plan import fix, rounded_plan, slope_scaled_plan, with_joined_links, without_singleton_rows
from friendshore.solve.forcing import (
    column_steps,
    dual_bound,
    with_count_rows,
    with_cover_rows,
    with_finite_bounds,
    with_tight_rows,
    without_closed_columns,
)
from friendshore.solve.scaling import scaled

from .mid_size import mid_size
from .settings import at_depth
from .test_second_engine import by_scip

GAP = 1e-6
PLACES = ("US", "JP", "KZ")
SERVED = (*PLACES, "CA", "DE", "FR", "GB", "IT")
GOODS = {"metal": METAL, "oxide": OXIDE}
Drawn = Callable[[int], Problem]

# ----------------------------------------------------------------------------------------------------------------- cases


def _places(seed: int) -> Problem:
    """A few suppliers that cost something to use, and several places; some with makers of metal, orders of a least size, lots or tiers."""
    dice, count = Random(seed), Random(seed + 1).randint(1, 3)
    names = ("au", "ca", "cn", "vn")[: dice.randint(2, 4)]
    plants = [facility(name, name.upper(), dice.choice((None, 40, 70))) for name in names]
    offers = [_offer(dice, name) for name in names]
    if dice.randrange(3) == 0:
        offers.append(b.maker("US", 1, 1.25, onboarding=dice.choice((5, 60)), onboarding_currency="USD"))
        offers.append(_offer(dice, "vn" if "vn" in names else "au", "oxide"))
    demands = [
        demand(good, use, *(dice.choice((0, 10, 25)) for _ in range(count)), id=f"{good}-{use}-{place}", place=place)
        for place in PLACES[: dice.randint(1, 3)]
        for good in ("metal", *(("oxide",) if place == "US" and dice.randrange(3) == 0 else ()))
        for use in ("civil", *(("defense",) if dice.randrange(3) == 0 else ()))
    ]
    stores = [store("metal", dice.choice((0, 1, 4)), place=place, loss=dice.choice((0, 0, 0.1))) for place in PLACES]
    bonds: list[Any] = [_terms(dice, name) for name in names if dice.randrange(2)]
    if dice.randrange(4) == 0:
        bonds.append(b.schedule(offers[0].id, b.tier(0), b.tier(dice.choice((20, 60)), discount=0.3)))
    given = case(*demands, stores=stores, assume={"freight": dice.choice((0, 2))})
    return built(given, catalog(*plants, *offers, *bonds), *_rules(dice, count))


def _offer(dice: Random, name: str, good: str = "metal") -> Offer:
    more: dict[str, Any] = {}
    if dice.randrange(2):
        more |= {"onboarding": dice.choice((10, 80, 300)), "onboarding_currency": "USD"}
    if dice.randrange(5) == 0:
        more["min_order"] = dice.choice((3, 12))
    if dice.randrange(6) == 0:
        more["lot"] = 4
    return b.source(name.upper(), dice.randint(1, 6), good, **more)


def _terms(dice: Random, name: str) -> Terms:
    figures: dict[str, Any] = {"fixed": dice.choice((5, 50, 200))}
    if dice.randrange(3) == 0:
        figures["least"] = dice.choice((5, 15))
    if dice.randrange(3) == 0:
        figures["setup_use"] = 5
    per = "period" if "setup_use" in figures else dice.choice(("period", "horizon"))
    return b.terms(name, of="facility", per=per, **figures)


def _rules(dice: Random, count: int) -> list[Rule]:
    kind = dice.choice((None, SingleSource, MaxSuppliers, MaxPlaces))
    more = {} if kind is SingleSource else {"count": dice.randint(1, 2)}
    per = dice.choice(("period", "horizon")) if count > 1 else "horizon"
    return [b.rule(kind, per=per, **more)] if kind else []


def _mid(seed: int) -> Problem:
    return mid_size(seed).inputs.problem()


def sites(seed: int) -> Problem:
    """Sites that cost something to open serve places, each over a lane of its own; capacity is scarce, and what is dear to serve may be left short."""
    dice = Random(seed)
    return location(dice, dice.choice((None, 20, 30)), dice.randint(3, 6), dice.choice((30, 1000)))


def location(dice: Random, each: int | None, count: int, price: float) -> Problem:
    """So many sites, of so many kilograms a year each or of sizes of their own; what is left short costs a price."""
    names, places = [f"s{n}" for n in range(count)], SERVED[: dice.randint(3, len(SERVED))]
    plants = [facility(name, "AU", each or dice.randint(15, 40)) for name in names]
    goods = [offer(name, name, "metal", 0, chain("AU", *METAL), **_opening(dice, places)) for name in names]
    wanted = [demand("metal", "civil", dice.randint(1, 20), id=to, place=to, price=price) for to in places]
    return built(case(*wanted), catalog(*plants, *goods))


def _opening(dice: Random, places: Sequence[str]) -> dict[str, Any]:
    lanes = [Lane(to=to, freight=Decimal(dice.randint(1, 9)), currency="USD", source=b.SOURCE) for to in places]
    return {"onboarding": dice.randint(10, 200), "onboarding_currency": "USD", "lanes": tuple(lanes)}


def sources(seed: int) -> Problem:
    """A few suppliers of two materials, of which one alone serves each place; some are at the edge of their capacity."""
    dice = Random(seed)
    names = ("au", "ca", "cn", "vn")[: dice.randint(2, 4)]
    plants = [facility(name, name.upper(), dice.choice((30, 45, 70))) for name in names]
    offers = [
        b.source(name.upper(), dice.randint(1, 6), good, onboarding=dice.choice((10, 80, 300)), onboarding_currency="USD")
        for name in names for good in GOODS if dice.randrange(4)
    ]  # fmt: skip
    wanted = [
        demand(good, "civil", dice.choice((5, 12, 15, 20)), id=f"{good}-{place}", place=place)
        for place in PLACES for good in GOODS
    ]  # fmt: skip
    stores = [store(good, 1, place=place) for good in GOODS for place in PLACES if dice.randrange(2)]
    given = case(*wanted, stores=stores, assume={"freight": dice.choice((0, 2))})
    return built(given, catalog(*plants, *offers), b.rule(SingleSource, per="horizon"))


# -------------------------------------------------------------------------------------------------------------- programs


GROUP = 8
"""Seeds of a test."""


def seeds(count: int) -> list[Any]:
    """The first seed of each group."""
    return [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(GROUP, at_depth(count), GROUP))]


def over(*drawn: Drawn) -> Callable[[Any], Any]:
    """Marks a test of the programs of random cases of some kinds."""
    kinds, firsts = pytest.mark.parametrize("drawn", drawn), pytest.mark.parametrize("seed", seeds(240))
    return lambda test: firsts(kinds(test))


@cache
def parts(drawn: Drawn, first_seed: int) -> list[tuple[str, Linear]]:
    """The parts with choices of some random cases."""
    found = [
        (s, p.linear) for s in range(first_seed, first_seed + GROUP) for p in split(compile_program(drawn(s)).linear)
    ]
    return [(f"seed {seed}", linear) for seed, linear in found if linear.integer.any()]


@cache
def programs(drawn: Drawn, first_seed: int) -> list[tuple[str, Linear, Floats | None]]:
    """The same, scaled as they are solved, with a cheapest plan of each, if there is a plan."""
    linears = [(name, scaled(linear)[0]) for name, linear in parts(drawn, first_seed)]
    return [(name, linear, cheapest(linear)) for name, linear in linears]


def feasible(drawn: Drawn, first_seed: int) -> Iterator[tuple[str, Linear, Floats, float]]:
    """Those that have a plan, with a cheapest plan and its cost."""
    for name, linear, best in programs(drawn, first_seed):
        if best is not None:
            yield name, linear, best, cost_of(linear, best)


def cheapest(linear: Linear) -> Floats | None:
    """A cheapest plan, by another engine."""
    found = solve_with_scip(linear, Ask(gap=1e-9))
    assert found.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return found.x


def cost_of(linear: Linear, x: Floats) -> float:
    """What a plan costs."""
    return float(linear.cost @ x) + linear.constant


def keeps_rows(linear: Linear, x: Floats) -> bool:
    """Whether a plan keeps all rows."""
    comes_to = linear.entries @ x
    return bool(((comes_to <= linear.row_upper + 1e-6) & (comes_to >= linear.row_lower - 1e-6)).all())


def keeps_ends(linear: Linear, x: Floats) -> bool:
    """Whether a plan keeps the ends of all columns."""
    slack = 1e-6 * np.maximum(1.0, np.abs(x))
    return bool(((x >= linear.lower - slack) & (x <= linear.upper + slack)).all())


def near(least: float) -> float:
    """What a bound on a least cost may be at most."""
    return least + 2 * GAP * max(1.0, abs(least))


def is_optimum(found: Any, least: float, name: str) -> None:
    """Asserts that an answer is optimal, and its bound right."""
    assert found.outcome is SolverOutcome.OPTIMAL
    assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
    assert found.bound <= near(least), name


# --------------------------------------------------------------------------------------------- links of choices to flows


def _without_links(problem: Problem) -> Program:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bounds, "max_need_kg", lambda self, arcs, periods: np.full(len(arcs), np.inf))
        return compile_program(problem)


@pytest.mark.parametrize("first", seeds(400))
@pytest.mark.parametrize("drawn", [_places, _mid])
def test_links_cut_off_no_cheapest_plan(drawn: Drawn, first: int) -> None:
    """The same least cost, or none for both; a bound that is no lower."""
    for seed in range(first, first + GROUP):
        strong, weak = compile_program(drawn(seed)).linear, _without_links(drawn(seed)).linear
        found, least = by_scip(strong), by_scip(weak)
        assert (found is None) == (least is None), f"seed {seed}"
        if found is not None and least is not None:
            assert found == pytest.approx(least, rel=2 * GAP, abs=1e-5), f"seed {seed}"
            above, below = by_scip(continuous(strong)), by_scip(continuous(weak))
            assert above is not None
            assert below is not None
            assert above >= below - GAP * max(1.0, abs(below)), f"seed {seed}"


# ------------------------------------------------------------------------------------------------ first plans and bounds


@over(_places, _mid, sites, sources)
@pytest.mark.parametrize("large", [False, True])
def test_no_optimum_is_lost(drawn: Drawn, large: bool, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first plan wherever there is a choice, or every step of a large program, and whatever costs more than anything closed for it."""
    for name, value in (("CHOICES", 1), ("LARGE", 0 if large else first.LARGE), ("EXPENSIVE", 0.05)):
        monkeypatch.setattr(first, name, value)
    for name, linear, best in programs(drawn, seed):
        found = mip.solve_mip(linear, ENGINES, Watch(), GAP)
        assert (found.x is None) == (best is None), name
        if best is not None:
            is_optimum(found, cost_of(linear, best), name)


@over(_places, _mid, sites)
def test_choices_to_start_from_change_no_optimum(drawn: Drawn, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever they are: those of a cheapest plan, all or some of them, or choices that no plan can make."""
    monkeypatch.setattr(first, "CHOICES", 1)
    for name, linear, best, least in feasible(drawn, seed):
        some = np.where(np.arange(len(best)) % 2, best, np.nan)
        for start in (best, some, np.zeros(len(best)), np.full(len(best), 1e6)):
            is_optimum(mip.solve_mip(linear, ENGINES, Watch(), GAP, start=start), least, name)


@over(_places, _mid, sites)
def test_a_comparison_says_what_the_optimum_says(drawn: Drawn, seed: int) -> None:
    """Whatever is enough, and whatever choices it begins from: a plan that costs no more, or a bound that says that there is none."""
    for number, (name, linear, best) in enumerate(programs(drawn, seed)):
        if best is None:
            assert compared(linear, 1.0).outcome is SolverOutcome.INFEASIBLE
            continue
        least = cost_of(linear, best)
        starts = (None, best, np.zeros(len(best)))
        for place, share in enumerate((0.5, 0.98, 0.9999, 1.0001, 1.02, 2.0) if least > 0 else ()):
            found = compared(linear, share * least, start=starts[(number + place) % len(starts)])
            assert found.outcome is SolverOutcome.OPTIMAL
            assert (found.objective <= share * least) == (share > 1), (name, share)
            assert found.bound <= near(least), name
            assert (found.bound > share * least) or share > 1, (name, share)
            if found.x is not None:
                assert found.objective == pytest.approx(cost_of(linear, found.x))


@over(_places, _mid, sites)
def test_branching_ends_at_the_optimum_with_a_bound_that_no_plan_falls_below(
    drawn: Drawn, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a dear plan and from the cheapest; where it needs too many nodes it says nothing."""
    monkeypatch.setattr(first, "CHOICES", 1)
    closed = 0
    for name, linear, best, least in feasible(drawn, seed):
        for start in (best, np.zeros(len(best))):
            known, left = first.first_plan(linear, ENGINES, Watch(), GAP, start=start)
            found = mip.branch_and_bound(linear, left, known, GAP, ENGINES, Watch()) if known.x is not None else None
            if found is not None:
                closed += 1
                assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
                assert found.bound >= found.objective - GAP * abs(found.objective), name
                assert found.bound <= least + 1e-6 * max(1.0, abs(least)), name
                answer = mip.solve_mip(linear, ENGINES, Watch(), GAP, start=start, branch=True)
                assert answer.confirmed_by == {Confirmation.BOUND}
    assert closed
    monkeypatch.setattr(mip, "NODES", 0)
    assert mip.branch_and_bound(linear, left, replace(known, objective=np.inf), GAP, ENGINES, Watch()) is None


@over(_places, _mid, sites)
def test_branching_from_choices_that_may_allow_no_plan_ends_at_the_optimum(drawn: Drawn, seed: int) -> None:
    closed = 0
    for name, linear, best, least in feasible(drawn, seed):
        for start in (best, np.zeros(len(best)), np.full(len(best), 5.0)):
            found = mip.branch_and_bound(linear, linear, NOTHING, GAP, ENGINES, Watch(), start)
            if found is not None:
                closed += 1
                assert found.objective == pytest.approx(least, rel=2 * GAP, abs=1e-6), name
                assert found.bound >= found.objective - GAP * abs(found.objective), name
                assert found.bound <= least + 1e-6 * max(1.0, abs(least)), name
                assert found.confirmed_by == {Confirmation.BOUND}
    assert closed


@over(_places, _mid, sites)
def test_ends_of_endless_columns_leave_every_plan_that_costs_no_more(drawn: Drawn, seed: int) -> None:
    """What rows and the cost of a plan leave of stocks, and of what soft rules miss, a cheapest plan keeps."""
    for name, linear, best, least in feasible(drawn, seed):
        for most in (np.inf, least, least + 0.3 * abs(least)):
            left = with_finite_bounds(linear, most)
            assert (best <= left.upper + 1e-6 * np.maximum(1.0, np.abs(best))).all(), name
            assert (left.upper <= linear.upper).all(), name


def test_a_reduced_cost_that_rounding_leaves_below_zero_costs_no_bound() -> None:
    """Stock has no upper end: a multiplier that is 1e-15 off would leave the whole program without a bound."""
    linear = program([[1, -1], [0, 1]], [0, 4], [0, OPEN], [10, OPEN], 0, [1.0, 0.5])
    duals = np.array([1.0, 1.5 + 1e-15])
    assert dual_bound(linear, duals) == -np.inf
    assert dual_bound(with_finite_bounds(linear, 100.0), duals) == pytest.approx(6.0)
    assert with_finite_bounds(linear, 100.0).upper == pytest.approx([10.0, 10.0]), "the row leaves it no more"
    assert with_finite_bounds(linear, 4.0).upper == pytest.approx([10.0, 8.0]), "nor does the money"


@over(_places, _mid)
def test_bounds_leave_every_plan_that_costs_no_more(drawn: Drawn, seed: int) -> None:
    """A cheapest plan keeps the bounds that its own cost proves, and those that a dearer plan proves."""
    for name, linear, best, least in feasible(drawn, seed):
        relaxed = ENGINES.linear(continuous(linear))
        for most in (least, least + 0.3 * abs(least)) if relaxed.duals is not None else ():
            left = first.with_narrow_bounds(linear, relaxed.duals, most)
            assert keeps_ends(left, best), name
            assert (left.lower <= left.upper).all(), name


@over(_places, sites)
def test_prices_prove_nothing_that_a_plan_belies(drawn: Drawn, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of numbers of choices hold in a cheapest plan, whether or not something is short; it costs no less than prices prove, which is what they were
    found for, and keeps the bounds that these prove.
    """
    monkeypatch.setattr(subgradient, "ROUNDS", 60)
    for name, linear, best, least in feasible(drawn, seed):
        numbers = with_count_rows(linear)
        prices = subgradient.subgradient_prices(numbers, float(linear.cost @ best), Watch())
        if prices is not None and prices.duals is not None:
            assert (numbers.entries @ best >= numbers.row_lower - 1e-6).all(), name
            assert dual_bound(numbers, prices.duals) <= least + 1e-6 * max(1.0, abs(least)), name
            assert keeps_ends(first.with_narrow_bounds(numbers, prices.duals, least), best), name


def test_numbers_of_choices_and_prices_prove_more_than_the_relaxation() -> None:
    """Of sites of 20 kg each, of which demand fills no whole number: prices prove most of what lies between fractions of sites and the optimum."""
    (part,) = split(compile_program(location(Random(0), 20, 8, 1000)).linear)
    linear = scaled(part.linear)[0]
    best = cheapest(linear)
    assert best is not None
    least, relaxed = float(linear.cost @ best), ENGINES.linear(continuous(linear)).objective
    prices = subgradient.subgradient_prices(with_count_rows(linear), least, Watch())
    assert prices.duals is not None
    proved = dual_bound(with_count_rows(linear), prices.duals)
    assert proved == pytest.approx(prices.bound, rel=1e-6)
    assert relaxed < proved - 0.5 * (least - relaxed)
    assert proved <= least * (1 + 1e-9)


@pytest.mark.parametrize("seed", [*seeds(240), pytest.param(88, id="shortage that makes up for a choice")])
def test_a_tree_of_prices_ends_at_the_optimum(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From an expensive plan and from the optimum, with few rounds a node. A tree that is cut short proves no bound above the optimum."""
    monkeypatch.setattr(subgradient, "ROUNDS", 10)
    monkeypatch.setattr(subgradient, "NODE_ROUNDS", 5)
    solve = partial(first.made_choices, ENGINES, Watch())
    for name, linear, _, least in feasible(sites, seed):
        for known_cost, nodes in ((3 * least, 500), (least, 500), (3 * least, 3)):
            monkeypatch.setattr(subgradient, "NODES", nodes)
            monkeypatch.setattr(subgradient, "NODES_TO_CLOSE", nodes)
            found = subgradient.best_plan_by_prices(with_count_rows(linear), known_cost, 1e-9, Watch(), solve)
            assert found is not None
            assert found.bound <= least + 1e-6 * max(1.0, abs(least)), name
            if nodes > 3:
                assert found.objective == pytest.approx(least, rel=1e-6), name
                assert found.bound >= found.objective - 1e-8 * abs(found.objective), name
            if found.x is not None:
                assert cost_of(linear, found.x) == pytest.approx(found.objective)
                assert keeps_rows(linear, found.x), name
                assert keeps_ends(linear, found.x), name


def test_without_closed_columns_a_program_has_the_same_plans() -> None:
    """A choice that is not made closes its flow. A link that forces the choice of a closed flow stays."""
    rows: list[list[float]] = [[1, 1, 0, 0], [1, 0, -5, 0], [0, 1, 0, -5]]
    linear = program(rows, [2, -OPEN, -OPEN], [OPEN, 0, 0], [5, 5, 0, 1], 2)
    left, columns = without_closed_columns(linear)
    assert columns.tolist() == [1, 3]
    assert left.entries.shape == (2, 2)
    forced = replace(linear, row_lower=np.array([2.0, 0.0, -OPEN]))
    assert without_closed_columns(forced)[0].entries.shape == (3, 2)


# ------------------------------------------------------------------------------------------------- steps and forced ends


OPEN = np.inf


def program(
    rows: list[list[float]], lower: list[float], upper: list[float], most: list[float], whole: int, cost: Any = None
) -> Linear:
    """A small program of columns that begin at nothing; the last `whole` of them are integer."""
    matrix = Entries.of(sp.csr_matrix(np.array(rows, dtype=np.float64)))
    count = matrix.shape[1]
    cost = np.ones(count) if cost is None else np.array(cost)
    ends = np.array(lower, dtype=np.float64), np.array(upper, dtype=np.float64)
    most_of = np.array(most, dtype=np.float64)
    return Linear(cost, np.zeros(count), most_of, np.arange(count) >= count - whole, matrix, *ends)


def no_network(*rows: list[float]) -> Linear:
    """Three columns under three rows."""
    return program([*rows], [-OPEN] * 3, [2] * 3, [OPEN] * 3, 0)


NETWORK = [[1, 0, 1, 0, 0], [0, 1, 0, 1, 0], [1, 1, 0, 0, -6]]
TWICE = [[1, 1, 0], [1, 1, -30], [-1, -1, 0], [1, 0, 0]]
STEPS = {
    "a source for two sinks and a choice of 6": (program(NETWORK, [4, 10, -OPEN], [4, 10, 0], [OPEN, OPEN, 4, 10, 1], 1), [2, 2, 2, 2, 0]),
    "the same row twice, turned round too": (
        program(TWICE, [-OPEN, -OPEN, -20, 5], [40, 0, OPEN, OPEN], [OPEN, OPEN, 1], 1), [5, 5, 0],
    ),
    "an end off every grain": (program([[1, 1]], [1 / 3], [1 / 3], [OPEN, OPEN], 0), [0, 0]),
    "a triangle, of which halves are a corner": (no_network([1, 1, 0], [0, 1, 1], [1, 0, 1]), [0, 0, 0]),
    "both signs beside each other": (no_network([1, 1, 0], [1, -1, 0], [0, 1, 1]), [0, 0, 0]),
    "a factor": (no_network([1, 1, 0], [1, 2, 0], [0, 1, 1]), [0, 0, 0]),
    "in three rows": (no_network([1, 1, 0], [1, 0, 1], [1, 1, 1]), [0, 0, 0]),
}  # fmt: skip


@pytest.mark.parametrize("what", STEPS)
def test_what_is_left_of_a_network_keeps_to_the_step_of_its_ends(what: str) -> None:
    """All that is not of a unit of its own is a multiple of the step; nothing is said of what is no network."""
    linear, expected = STEPS[what]
    assert column_steps(linear).tolist() == expected


def test_one_source_alone_that_must_serve_all_is_all_or_nothing() -> None:
    """`x[i] <= 8 u[i]`, one of both, and 8 to serve: what is served is `8 u[i]`, and one there is."""
    rows = [[1, 1, -1, 0, 0], [0, 0, 1, 0, 0], [1, 0, 0, -8, 0], [0, 1, 0, 0, -8], [0, 0, 0, 1, 1]]
    for wanted, kept in ((8, [0, 8, 0, 0, 1]), (7, [0, 7, -OPEN, -OPEN, -OPEN])):
        given = program(rows, [0, wanted, -OPEN, -OPEN, -OPEN], [0, 8, 0, 0, 1], [OPEN, OPEN, 8, 1, 1], 2)
        assert with_tight_rows(given).row_lower.tolist() == kept


@pytest.mark.parametrize("factor", [1.0, 4.0])
def test_sites_that_are_opened_hold_what_is_needed(factor: float) -> None:
    """Sites of 6, 8 and, once either of two, 3 for needs of 4 and 5, of which 1 may come from elsewhere; whatever a need is counted in."""
    serve = [[1, 0, 1, 0, 1, 0, 1, 0, 0, 0, 0], [0, factor, 0, factor, 0, factor, 0, 0, 0, 0, 0]]
    hold = [[1, 1, 0, 0, 0, 0, 0, -6, 0, 0, 0], [0, 0, 1, 1, 0, 0, 0, 0, -8, 0, 0], [0, 0, 0, 0, 1, 1, 0, 0, 0, -3, -3]]
    ends = [4, 5 * factor, *[-OPEN] * 3], [4, OPEN, 0, 0, 0]
    given = program(serve + hold, *ends, [*[OPEN] * 6, 1, 1, 1, 1, 1], 4)
    found = with_cover_rows(given, np.array([1, 1 / factor, 1, 1, 1]))
    assert found.entries.shape[0] == 6
    row = found.matrix[5].toarray()[0] * 8 / found.row_lower[5]
    assert row == pytest.approx([0, 0, 0, 0, 0, 0, 0, 6, 8, 3, 3])
    assert found.row_upper[5] == OPEN
    less = with_cover_rows(
        replace(given, upper=np.array([*[OPEN] * 7, 1, 1, 1, 1])), np.array([1, 1 / factor, 1, 1, 1])
    )
    assert less.matrix[5].toarray()[0] * 5 / less.row_lower[5] == pytest.approx(row)


@over(_places, _mid)
def test_corners_keep_to_the_steps(drawn: Drawn, seed: int) -> None:
    """With the choices of a cheapest plan, and at any other prices: what a simplex finds is a corner."""
    dice = Random(seed)
    for name, linear in parts(drawn, seed):
        best, step = cheapest(linear), column_steps(linear)
        known = step > 0
        for _ in range(3 if best is not None and known.any() else 0):
            cost = np.array([dice.choice((0, 1, 2, 5)) + linear.cost[i] for i in range(len(linear.cost))])
            corner = ENGINES.linear(fix(replace(linear, cost=cost), linear.integer, best)).x
            over_step = corner[known] / step[known]
            assert np.abs(over_step - np.rint(over_step)).max() <= 1e-6, name


@over(_places, _mid, sources)
def test_no_optimum_is_lost_by_steps(drawn: Drawn, seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a first plan, steps and forced ends wherever there is a choice: the optimum of another engine."""
    monkeypatch.setattr(first, "CHOICES", 1)
    monkeypatch.setattr(first, "EXPENSIVE", 0.05)
    for name, linear in parts(drawn, seed):
        found, best = Search(Watch(), GAP).solve_as_one(linear), cheapest(linear)
        assert (found.x is None) == (best is None), name
        if best is not None:
            assert found.outcome is SolverOutcome.OPTIMAL
            assert found.objective == pytest.approx(float(linear.cost @ best), rel=2 * GAP, abs=1e-6), name


def without_shortages(drawn: Drawn, seed: int) -> Iterator[tuple[Linear, Floats]]:
    """The parts with choices of a random case, each with its shortages closed where a cheapest plan has none, and this plan."""
    program = compile_program(drawn(seed))
    first_short, count = program.columns.short, program.problem.case.horizon.count
    for part in split(program.linear):
        best = cheapest(part.linear) if part.linear.integer.any() else None
        short = (part.columns >= first_short) & (part.columns < first_short + len(program.problem.demands) * count)
        if best is not None and (best[short] <= 1e-6).all():
            yield replace(part.linear, upper=np.where(short, 0.0, part.linear.upper)), best


@over(_places, sources)
def test_forced_ends_keep_every_plan_without_a_shortage(drawn: Drawn, seed: int) -> None:
    """Where nothing need be short: the same least cost, with forced ends and without, and a relaxation that is no weaker."""
    for each in range(seed, seed + GROUP):
        for linear, best in without_shortages(drawn, each):
            tight = with_tight_rows(linear)
            kept = cheapest(with_cover_rows(tight))
            assert kept is not None, each
            assert linear.cost @ kept == pytest.approx(linear.cost @ best, rel=2 * GAP, abs=1e-5), each
            assert (tight.row_lower >= linear.row_lower).all()


# ------------------------------------------------------------------------------------------------ plans from relaxations


@pytest.mark.parametrize("seed", [*seeds(240), 219])
@pytest.mark.parametrize("drawn", [_places, _mid, sources])
def test_one_row_for_all_links_of_a_choice_keeps_every_plan(drawn: Drawn, seed: int) -> None:
    """The same least cost from fewer rows, and a bound that is no higher."""
    for name, linear, best in programs(drawn, seed):
        joint = with_joined_links(linear)
        assert joint.entries.shape[0] <= linear.entries.shape[0], name
        one = cheapest(joint)
        assert (one is None) == (best is None), name
        if one is not None and best is not None:
            assert float(linear.cost @ one) == pytest.approx(float(linear.cost @ best), rel=2 * GAP, abs=1e-6), name
            assert keeps_rows(linear, one), name
            weak, strong = (ENGINES.linear(continuous(each)).objective for each in (joint, linear))
            assert weak <= strong + GAP * max(1.0, abs(strong)), name


@over(_places, _mid, sources)
def test_rows_of_one_column_that_is_left_are_its_ends(drawn: Drawn, seed: int) -> None:
    """With choices as they are in the optimum: fewer rows, the same least cost, and all rows are kept."""
    fewer = 0
    for name, linear, best, _ in feasible(drawn, seed):
        fixed = fix(linear, linear.integer, best)
        left = without_singleton_rows(fixed)
        whole, found = ENGINES.linear(fixed), ENGINES.linear(left)
        assert found.objective == pytest.approx(whole.objective, rel=GAP, abs=1e-6), name
        assert found.x is not None, name
        assert keeps_rows(linear, found.x), name
        fewer += left.entries.shape[0] < linear.entries.shape[0]
    assert fewer


@pytest.mark.parametrize("seconds", [None, 0.0], ids=["at leisure", "in no time"])
@over(_places, _mid, sources)
def test_a_rounded_relaxation_is_a_plan(drawn: Drawn, seed: int, seconds: float | None) -> None:
    """It keeps all rows and ends, its choices are whole, and it costs what it says and no less than the relaxation; slopes make it no dearer."""
    found = 0
    for name, linear, _ in programs(drawn, seed):
        relaxed = ENGINES.linear(continuous(linear))
        if relaxed.x is None:
            continue
        plan = rounded_plan(linear, relaxed.x, ENGINES, Watch(seconds))
        better = slope_scaled_plan(linear, relaxed.x, ENGINES, Watch(seconds))
        assert better.objective <= plan.objective + 1e-9 * abs(plan.objective), name
        for answer in (one for one in (plan, better) if one.x is not None):
            found += 1
            assert keeps_rows(linear, answer.x), name
            assert ((answer.x >= linear.lower) & (answer.x <= linear.upper)).all(), name
            assert (answer.x[linear.integer] == np.round(answer.x[linear.integer])).all(), name
            assert answer.objective == pytest.approx(cost_of(linear, answer.x))
            assert answer.objective >= relaxed.objective - 1e-6 * max(1.0, abs(relaxed.objective)), name
    assert found
