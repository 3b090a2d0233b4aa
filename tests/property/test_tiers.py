"""Price schedules against plain enumeration, and in markets that suppliers' discounts join."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from tests.building import case, catalog, demand, facility, planned, schedule, source, store, tier

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.program import compile_program

from .bills import World, check, schedules, worlds
from .settings import examples


@examples(250)
@given(worlds())
def test_no_whole_plan_is_cheaper(world: World) -> None:
    """Any schedules: the plan is as cheap as the best of all whole ones, by the bill worked out here."""
    check(world)


OVER_THE_GAP = World(
    prices=(2, 4, 4), wanted=(2,), shortage=40, holding=1, interest=Decimal(0), most=100, least=None, kept=(True, True),
    schedules=(schedule("buy-metal", tier(0, most=0), tier(3), kind="incremental"),),
)  # fmt: skip
"""Two kilograms are wanted, and three are bought: none, or three and more, may be."""


@examples(250)
@given(worlds(gaps=True))
@example(OVER_THE_GAP)
def test_no_whole_plan_is_cheaper_where_quantities_are_left_out(world: World) -> None:
    """What lies between two tiers is bought in no plan, and more than is needed where that is the way over."""
    check(world)


@st.composite
def markets(draw: st.DrawFn) -> tuple[Case, Catalog]:
    """Four goods that nothing joins but what two suppliers take off: two or three offers of each, in up to three quarters."""
    goods, count = ("oxide", "salt", "metal", "magnet"), draw(st.integers(1, 3))
    sites = [facility(name, "AU", operator=name.title()) for name in ("acme", "bolt", "cord")]
    least = st.sampled_from((None, None, 4))
    sold = [
        source("AU", draw(st.integers(5, 20)), good, name=f"{plant}-{good}", plant=plant, min_order=draw(least))
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
        found = planned(given_case, facts)
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
