"""Comparisons on random tiny cases: to the money of planning anew, and with no kilogram moved that need not be."""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import case, catalog, demand, facility, opened, source, store

from friendshore.domain.base import totals
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.questions.compare.compare_plans import compare, compare_plans
from friendshore.session import Session
from friendshore.session.decided import keep_decisions

from .compare import allowed
from .random_cases.facts import Draw
from .settings import examples
from .strategies import ONE, Tiny, tiny_cases
from .test_sessions import beside, changes

SHORT = 100
"""Price of a shortage in the small markets."""


@dataclass(frozen=True)
class Seller:
    """A plant that sells metal in whole kilograms."""

    price: int
    capacity: int
    least: int
    """Of an order, if any is placed."""


@dataclass(frozen=True)
class Market:
    """One material, some sellers, one period after the other with nothing held between."""

    wanted: tuple[int, ...]
    sellers: tuple[Seller, ...]

    def session(self) -> Session:
        """The market as a case, solved."""
        things: list[Any] = []
        for i, s in enumerate(self.sellers):
            things.append(facility(f"p{i}", "AU", s.capacity))
            things.append(source("AU", s.price, name=f"o{i}", plant=f"p{i}", min_order=s.least or None))
        wanted = demand("metal", "civil", *self.wanted, price=SHORT)
        return opened(case(wanted, stores=(store("metal", 0, limit=0),)), catalog(*things), workers=1)

    def after(self, seller: int, **figures: int) -> Market:
        """The market with some figures of one seller changed."""
        some = (replace(one, **figures) if number == seller else one for number, one in enumerate(self.sellers))
        return Market(self.wanted, tuple(some))

    def cheapest(self, period: int) -> list[tuple[int, ...]]:
        """Every cheapest way to buy whole kilograms in a period."""
        found: dict[tuple[int, ...], int] = {}
        for bought in product(*([0, *range(max(1, s.least), s.capacity + 1)] for s in self.sellers)):
            short = self.wanted[period] - sum(bought)
            if short >= 0:
                found[bought] = SHORT * short + sum(n * s.price for n, s in zip(bought, self.sellers, strict=True))
        best = min(found.values())
        return [bought for bought, cost in found.items() if cost == best]


@st.composite
def markets(draw: Draw[Any]) -> Market:
    """Few sellers whose prices are often the same."""
    count = draw(st.integers(2, 4))
    sellers = tuple(
        Seller(draw(st.sampled_from((3, 3, 5, 8))), draw(st.integers(0, 5)), draw(st.sampled_from((0, 0, 2, 3))))
        for _ in range(count)
    )
    return Market(tuple(draw(st.lists(st.integers(1, 8), min_size=1, max_size=2))), sellers)


@examples(150)
@given(markets(), st.data())
def test_no_kilogram_moves_that_need_not(market: Market, data: st.DataObject) -> None:
    """Of all cheapest purchases after a change, listed one by one, none is nearer to the plan before than the plan after."""
    seller = data.draw(st.integers(0, len(market.sellers) - 1))
    factor = data.draw(st.sampled_from((1, 2)))
    capacity = data.draw(st.integers(0, 5))
    price = market.sellers[seller].price
    other = market.after(seller, price=price * factor, capacity=capacity)
    some = (
        Change(price=f"o{seller}", factor=Decimal(factor)),
        Change(capacity=f"p{seller}", per_year=Decimal(capacity)),
    )
    session = market.session()
    found = compare(session, (), some)
    bought = {(one.offer, one.delivered): one.quantity for one in session.verified.plan.purchases}
    least = 0.0
    for period in range(len(market.wanted)):
        before = [float(bought.get((f"o{i}", period), 0)) for i in range(len(market.sellers))]
        least += min(sum(abs(b - a) for b, a in zip(before, after, strict=True)) for after in other.cheapest(period))
    assert found.min_moved_proved
    assert abs(float(sum((found.moved_kg or {}).values())) - least) <= 0.01
    anew = compare_plans(session, other.session())
    assert abs(float(sum((anew.moved_kg or {}).values())) - least) <= 0.01


@examples(80)
@given(tiny_cases(), st.integers(5, 60), st.booleans(), st.data())
def test_ends_and_steps_cost_what_planning_anew_costs(
    tiny: Tiny, capacity: int, joint: bool, data: st.DataObject
) -> None:
    """Two random lists of changes: both plans come to what planning anew does, and the steps add up to what lies between."""
    inputs = beside(tiny.priced(), capacity, joint)
    lists = [tuple(data.draw(changes(inputs)) for _ in range(data.draw(st.integers(0, 2)))) for _ in range(2)]
    try:
        anew = [Session.open(inputs.after(some), ONE) for some in lists]
        session = Session.open(inputs, ONE)
        found = compare(session, *lists)
    except InputError:
        return  # what was named is gone, or a limit names what no longer counts
    plans = [one.verified.plan.infeasible for one in (session, *anew)]
    if any([found.conflict_before, found.conflict_after, *plans, *(step.conflict for step in found.steps)]):
        return
    for cost, one in zip((found.cost_before, found.cost_after), anew, strict=True):
        wanted = float(one.verified.cost.objective)
        assert abs(float(cost.objective) - wanted) <= 6 * allowed(session, wanted)
    rises = sum((step.rise.objective for step in found.steps), Decimal(0))
    assert abs(rises - (found.cost_after.objective - found.cost_before.objective)) <= Decimal("1e-6")
    again = compare(session, lists[0], lists[0])
    assert (again.moved_kg, again.steps, again.difference.value) == ({}, (), 0)


@examples(150)
@given(tiny_cases(), st.integers(5, 60), st.booleans(), st.data())
def test_what_is_decided_is_ordered_whatever_changes_later(
    tiny: Tiny, capacity: int, joint: bool, data: st.DataObject
) -> None:
    """The plan of the case stays the cheapest, and after a change each order before the day is what it was, but for rounding."""
    session = Session.open(beside(tiny.priced(), capacity, joint), ONE)
    horizon = session.problem.case.horizon
    number = data.draw(st.integers(0, horizon.count - 1))
    day = horizon.periods[number].start
    kept = keep_decisions(session, day)
    wanted = float(session.verified.cost.objective)
    if not session.verified.plan.infeasible:
        assert abs(float(kept.verified.cost.objective) - wanted) <= 2 * allowed(session, wanted)
    offers = [offer.id for offer in session.inputs.catalogs[0].offers]
    change = Change(remove=data.draw(st.sampled_from([*offers, "country:AU", "country:CN"])), start=day)
    try:
        after = kept.what_if(change)
    except InputError:
        return  # it names nothing that is offered
    for part in after.after if not after.infeasible else ():
        before, now = (
            totals(
                ((p.offer, p.material, p.place, p.ordered), p.quantity)
                for p in verified.plan.purchases
                if p.ordered < number and p.material in part.members
            )
            for verified in (session.verified, part.verified)
        )
        apart = [abs(now.get(line, Decimal(0)) - before.get(line, Decimal(0))) for line in {*now, *before}]
        assert max(apart, default=Decimal(0)) <= 4 * session.problem.case.resolution
