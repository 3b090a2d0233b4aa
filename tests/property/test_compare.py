"""Comparisons on random tiny cases: to the money of planning anew, and with no kilogram moved that need not be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.building import METAL, case, catalog, chain, demand, facility, offer, store

from friendshore.domain.base import totals
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.problem.inputs import Inputs
from friendshore.questions.compare.search import compare, compare_plans
from friendshore.session import Session
from friendshore.session.decided import keep_decisions
from friendshore.solve import Limits
from friendshore.verify import VerifiedPlan

from .random_cases.facts import Draw
from .settings import examples
from .strategies import Tiny, tiny_cases
from .test_ledger import allowed
from .test_sessions import beside, changes

ONE = Limits(workers=1)
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
        plants = [facility(f"p{i}", "AU", s.capacity) for i, s in enumerate(self.sellers)]
        offers = [
            offer(
                f"o{i}", f"p{i}", "metal", s.price, chain("AU", *METAL), min_order=Decimal(s.least) if s.least else None
            )
            for i, s in enumerate(self.sellers)
        ]
        wanted = demand("metal", "civil", *self.wanted, price=SHORT)
        return Session.open(
            Inputs(case(wanted, stores=(store("metal", 0, limit=0),)), (catalog(*plants, *offers),), ()), ONE
        )

    def after(self, seller: int, **figures: int) -> Market:
        """The market with some figures of one seller changed."""
        changed = Seller(**{**self.sellers[seller].__dict__, **figures})
        return Market(self.wanted, (*self.sellers[:seller], changed, *self.sellers[seller + 1 :]))

    def cheapest(self, period: int) -> list[tuple[int, ...]]:
        """Every cheapest way to buy whole kilograms in a period."""
        found: dict[tuple[int, ...], int] = {}
        for bought in self._ways(period):
            short = self.wanted[period] - sum(bought)
            found[bought] = SHORT * short + sum(n * s.price for n, s in zip(bought, self.sellers, strict=True))
        best = min(found.values())
        return [bought for bought, cost in found.items() if cost == best]

    def _ways(self, period: int) -> Iterator[tuple[int, ...]]:
        choices = [[0, *range(max(1, s.least), s.capacity + 1)] for s in self.sellers]
        return (bought for bought in product(*choices) if sum(bought) <= self.wanted[period])


@st.composite
def markets(draw: Draw[Any]) -> Market:
    """Few sellers whose prices are often the same."""
    count = draw(st.integers(2, 4))
    sellers = tuple(
        Seller(draw(st.sampled_from((3, 3, 5, 8))), draw(st.integers(0, 5)), draw(st.sampled_from((0, 0, 2, 3))))
        for _ in range(count)
    )
    return Market(tuple(draw(st.lists(st.integers(1, 8), min_size=1, max_size=2))), sellers)


def moved(before: Sequence[int], after: Sequence[int]) -> int:
    """Kilograms bought more and less."""
    return sum(abs(b - a) for b, a in zip(before, after, strict=True))


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
    assert found.least_moved
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
    if found.conflict_before or found.conflict_after or any(one.verified.plan.infeasible for one in anew):
        return
    if session.verified.plan.infeasible or any(step.conflict for step in found.steps):
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
        after = kept.after(change)
    except InputError:
        return  # it names nothing that is offered
    for part in after.after if not after.infeasible else ():
        before = ordered(session.verified, part.members, number)
        now = ordered(part.verified, part.members, number)
        step = session.problem.case.resolution
        apart = [abs(now.get(line, Decimal(0)) - before.get(line, Decimal(0))) for line in {*now, *before}]
        assert max(apart, default=Decimal(0)) <= 4 * step


def ordered(verified: VerifiedPlan, members: frozenset[str], periods: int) -> dict[tuple[str, str, str, int], Decimal]:
    """Kilograms of some materials that a plan orders in its first periods."""
    some = (p for p in verified.plan.purchases if p.ordered < periods and p.material in members)
    return totals(((p.offer, p.material, p.place, p.ordered), p.quantity) for p in some)
