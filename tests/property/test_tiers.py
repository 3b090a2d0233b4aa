"""Price schedules against plain enumeration, and in markets that suppliers' discounts join."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from tests.building import MATERIALS, case, catalog, chain, demand, facility, offer, schedule, store, tier

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.program import compile_program

from .bills import SUBJECTS, World, basics, check, schedules
from .compare import planned
from .settings import examples

STAGES = {material.id: material.stages for material in MATERIALS}
"""What each good goes through."""


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any small world."""
    chosen = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=2, unique=True))
    count = draw(st.sampled_from((1, 1, 2)))
    return World(**basics(draw, count), schedules=tuple(draw(schedules(subject)) for subject in chosen))


@examples(250)
@given(worlds())
def test_no_whole_plan_is_cheaper(world: World) -> None:
    """Any schedules: the plan is as cheap as the best of all whole ones, by the bill worked out here."""
    check(world, 9 if len(world.wanted) == 1 else 4)


@st.composite
def gapped(draw: st.DrawFn) -> World:
    """Any small world in which a price list leaves quantities out."""
    subject = draw(st.sampled_from(SUBJECTS))
    return World(**basics(draw, draw(st.sampled_from((1, 1, 2)))), schedules=(draw(schedules(subject, gaps=True)),))


OVER_THE_GAP = World(
    prices=(2, 4, 4),
    wanted=(2,),
    shortage=40,
    holding=1,
    interest=Decimal(0),
    most=100,
    least=None,
    kept=(True, True),
    schedules=(schedule("buy-metal", tier(0, most=0), tier(3), kind="incremental"),),
)
"""Two kilograms are wanted, and three are bought: none, or three and more, may be."""


@examples(250)
@given(gapped())
@example(OVER_THE_GAP)
def test_no_whole_plan_is_cheaper_where_quantities_are_left_out(world: World) -> None:
    """What lies between two tiers is bought in no plan, and more than is needed where that is the way over."""
    check(world, 9 if len(world.wanted) == 1 else 4)


@st.composite
def markets(draw: st.DrawFn) -> tuple[Case, Catalog]:
    """Four goods that nothing joins but what two suppliers take off: two or three offers of each, in up to three quarters."""
    goods, count = ("oxide", "salt", "metal", "magnet"), draw(st.integers(1, 3))
    sites = [facility(name, "AU", operator=name.title()) for name in ("acme", "bolt", "cord")]
    sold = [
        offer(
            f"{plant}-{good}",
            plant,
            good,
            draw(st.integers(5, 20)),
            chain("AU", *STAGES[good]),
            min_order=draw(st.sampled_from((None, None, 4))),
        )
        for good in goods
        for plant in ("acme", "bolt", "cord")[: draw(st.integers(2, 3))]
    ]
    found = [draw(schedules(("supplier", name))) for name in draw(st.sampled_from((("Acme",), ("Acme", "Bolt"))))]
    terms = [s.but(materials=frozenset()) for s in found]
    wanted = [
        demand(good, "civil", *draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), price=60)
        for good in goods
    ]
    stores = [store(good, draw(st.integers(0, 4))) for good in goods]
    return case(*wanted, stores=stores, length="quarter", discount=Decimal("0.08")), catalog(*sites, *sold, *terms)


@examples(40)
@given(markets())
def test_what_a_supplier_joins_is_solved_like_one_program(market: tuple[Case, Catalog]) -> None:
    """Solved in parts and priced, or given whole to another solver's search: the same least cost."""
    given_case, facts = market
    try:
        found = planned(given_case, [facts], ())
    except InputError:
        assume(False)
        return
    linear = compile_program(found.plan.problem).linear
    rows = LinearConstraint(linear.matrix, linear.row_lower, linear.row_upper)
    whole = milp(linear.cost, integrality=linear.integer, bounds=Bounds(linear.lower, linear.upper), constraints=rows)
    assert whole.status == 0
    allowed = 1e-4 * max(1.0, abs(whole.fun))  # scipy's gap
    assert float(found.plan.plan.objective) == pytest.approx(whole.fun, abs=allowed)
    assert float(found.plan.plan.bound) <= whole.fun + allowed
