"""Full prices: the traced cash adds up to what a plan spends, and each price follows from the prices of its inputs."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.building import OXIDE, case, catalog, chain, demand, offer, planned, rule, store

from friendshore.domain.base import as_decimal
from friendshore.explain.full_prices import cash_through_pools, trace_cash
from friendshore.rules.kinds.limits import MinShare
from friendshore.verify import VerifiedPlan

from .compare import each_worked, planned_once
from .settings import examples
from .strategies import Tiny, tiny_cases
from .test_brute_force import lossy
from .test_loops import GOODS, circle, makers_of

Pool = tuple[str, str, str]


def adds_up(verified: VerifiedPlan) -> None:
    """Assert that the parts equal the nominal cost, and that every pool hands on the cash that it takes in.

    The prices are recomputed from kilograms and prices alone: what leaves a pool costs what entered it, and a maker's goods carry its inputs.
    """
    traced, problem = trace_cash(verified), verified.problem
    assert as_decimal(traced.total) == verified.cost.nominal
    out: defaultdict[Pool, Fraction] = defaultdict(Fraction)
    cash: defaultdict[Pool, Fraction] = defaultdict(Fraction)
    drawn: defaultdict[str, dict[Pool, Fraction]] = defaultdict(dict)
    carried: defaultdict[str, Fraction] = defaultdict(Fraction)
    for line, inputs in zip(verified.lines, traced.inputs, strict=True):
        cash[line.material, line.place, line.compliance_class] += Fraction(line.total) + inputs
        carried[line.arc.chained.offer.id] += inputs
    for (material, place), compliance_class, _, kilograms, offer_ in verified.ledger.draws():
        pool, name = (material, place, compliance_class), problem.offers[offer_].offer.id
        out[pool] += Fraction(kilograms)
        drawn[name][pool] = drawn[name].get(pool, Fraction(0)) + Fraction(kilograms)
    for delivery, position in verified.ledger.deliveries:
        use = problem.demands[position].use
        out[use.material.id, use.place.id, delivery.compliance_class] += Fraction(delivery.quantity)
    last = problem.case.horizon.count - 1
    for stock in verified.plan.stocks:
        if stock.period == last:
            out[stock.material, stock.place, stock.compliance_class] += Fraction(stock.quantity)
    makers = {line.arc.chained.offer.id for line in verified.lines}
    for name, pools in drawn.items():
        if name in makers:
            expected = sum((kilograms * cash[pool] / out[pool] for pool, kilograms in pools.items()), Fraction(0))
            # The cost of a run with several goods is divided in decimals by the plan's own account.
            assert float(carried[name]) == pytest.approx(float(expected), rel=1e-9, abs=1e-9)


@each_worked
def test_cash_of_worked_cases_adds_up(worked: str) -> None:
    """Terms, tiers, stock, co-products, onboarding: all that costs money."""
    adds_up(planned_once(worked).plan)


@examples(400, least=8)
@given(tiny_cases() | lossy())
def test_cash_of_any_case_adds_up(tiny: Tiny) -> None:
    """Chains with stock, open orders, several goods of one maker, and terms of trade; what is lost is paid for by what is left."""
    adds_up(tiny.planned().plan)


@examples(100, least=4)
@given(
    wanted=st.lists(st.integers(0, 30), min_size=2, max_size=3).filter(any),
    fees=st.tuples(*[st.integers(0, 20)] * 4),
    swarf=st.sampled_from((0.1, 0.4)),
)
def test_cash_adds_up_where_recipes_form_a_circle(
    wanted: list[int], fees: tuple[int, int, int, int], swarf: float
) -> None:
    """Swarf of a magnet maker goes back into the oxide that its metal is made of."""
    made = circle(swarf, 1.1, (fees[1], fees[2], fees[3]))
    mine = offer("mine", "us", "oxide", 7 + fees[0], chain("US", *OXIDE))
    floor = rule(MinShare, materials=["oxide"], offers=["recycler"], share="0.05", of="purchases")
    stores = tuple(store(good, 1) for good in GOODS)
    wanting = case(demand("magnet", "civil", *wanted, price=100_000), stores=stores)
    found = planned(wanting, catalog(mine, *makers_of(made)), floor).plan
    assert any(entry.offer == "recycler" for entry in found.plan.purchases)
    adds_up(found)


@given(st.data())
def test_cash_in_a_circle_ends_where_following_it_step_by_step_ends(data: st.DataObject) -> None:
    """Against the power series: what is sent on four hundred times over."""
    pools = [(name, "", "") for name in "abcd"[: data.draw(st.integers(1, 4))]]
    onward: dict[Pool, dict[Pool, Fraction]] = {}
    for pool in pools:
        weights = [data.draw(st.integers(0, 3)) for _ in pools]
        whole = sum(weights) + data.draw(st.integers(1, 3))  # something leaves every pool: a circle loses
        onward[pool] = {to: Fraction(weight, whole) for to, weight in zip(pools, weights, strict=True) if weight}
    paid = {pool: {0: Fraction(data.draw(st.integers(0, 9)))} for pool in pools}
    money = {pool: float(amounts[0]) for pool, amounts in paid.items()}
    expected = dict.fromkeys(pools, 0.0)
    for _ in range(400):
        following = dict.fromkeys(pools, 0.0)
        for pool, amount in money.items():
            expected[pool] += amount
            for target, share in onward[pool].items():
                following[target] += amount * float(share)
        money = following
    passed, circling = cash_through_pools(paid, onward)
    assert circling == {}
    for pool, amount in expected.items():
        assert float(passed[pool].get(0, 0)) == pytest.approx(amount, abs=1e-9)


def test_cash_in_a_circle_that_nothing_leaves_is_kept_apart() -> None:
    """Two pools that feed each other in full: no price divides by zero, and no money is lost."""
    one, other = ("a", "", ""), ("b", "", "")
    _, circling = cash_through_pools({one: {0: Fraction(6)}}, {one: {other: Fraction(1)}, other: {one: Fraction(1)}})
    assert circling == {0: Fraction(6)}
