"""The optimizer against brute force and against figures derived a second way, on worked and on random tiny cases."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from tests.building import planned

from friendshore.domain.case import StoreSpec
from friendshore.domain.facts import Lane, Offer
from friendshore.domain.plan import PlanStatus
from friendshore_proof.proving import prove_optimality

from .compare import RELATIVE, WORKED, agrees, as_cheap_as_brute_force, each_worked, planned_once
from .mid_size import mid_size
from .oracle import optimum
from .patterns import Answer
from .settings import examples
from .strategies import Tiny, tiny_cases


@each_worked
def test_oracle_finds_what_was_worked_out_by_hand(worked: str) -> None:
    """Brute force gives the objective that the working beside the case gives."""
    one = WORKED[worked]
    assert optimum(one.case, [one.catalog], one.rules).objective == pytest.approx(one.objective, rel=1e-9)


@each_worked
def test_plan_costs_what_was_worked_out_by_hand(worked: str) -> None:
    """The optimizer gives the objective that the working beside the case gives."""
    one = WORKED[worked]
    agrees(one.case, [one.catalog], planned_once(worked), Answer(one.objective))


@examples(400)
@given(tiny_cases())
def test_plan_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """On random tiny cases no supply tree, binary pattern or mix is cheaper than the plan, and the plan is one of them."""
    as_cheap_as_brute_force(tiny)


@st.composite
def changing_lanes(draw: st.DrawFn) -> Tiny:
    """Lanes of some offers cost more or less, or take longer or shorter, from a day on, some of them from two days."""
    tiny = draw(tiny_cases())
    offers = tuple(_with_lanes(draw, offer) if draw(st.booleans()) else offer for offer in tiny.catalog.offers)
    return Tiny(tiny.case, tiny.catalog.but(offers=offers), tiny.rules)


def _with_lanes(draw: st.DrawFn, offer: Offer) -> Offer:
    lanes = []
    leads = st.sampled_from((None, Decimal(0), Decimal(3), Decimal(6), Decimal(13)))
    for to in ("US", *draw(st.sampled_from(((), ("JP",), ("AU", "JP"))))):
        days = draw(st.sampled_from(((date(2027, 1, 1),), (date(2026, 7, 1),), (date(2026, 2, 1), date(2026, 12, 1)))))
        steady, lead = draw(st.booleans()), draw(leads)
        for day in (None, *days):
            freight = draw(st.sampled_from((None, Decimal(0), Decimal(3), Decimal(8))))
            lead = lead if steady else draw(leads)
            money = {"freight": freight, "currency": "" if freight is None else "USD"}
            lanes.append(Lane(to=to, start=day, lead_time=lead, source=offer.source, **money))
    return offer.but(lanes=tuple(lanes))


@st.composite
def lossy(draw: st.DrawFn) -> Tiny:
    """All that is held loses something, at each place at its own rate."""
    tiny = draw(tiny_cases())
    share = st.sampled_from(("0", "0.1", "0.5"))
    stores = tuple(s.but(loss=Decimal(draw(share))) for s in tiny.case.stores)
    return Tiny(tiny.case.but(stores=stores), tiny.catalog, tiny.rules)


@st.composite
def changing_stores(draw: st.DrawFn) -> Tiny:
    """Some stores cost more, hold less or lose more from a day on, or are only told of until then."""
    tiny = draw(tiny_cases())
    stores: list[StoreSpec] = []
    for store in tiny.case.stores:
        day = draw(st.sampled_from((None, date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1))))
        stores.append(store.but(end=day - timedelta(days=1)) if day else store)
        if day and draw(st.booleans()):
            limit = draw(st.sampled_from((None, None, Decimal(0), Decimal(15))))
            holding, loss = Decimal(draw(st.sampled_from((0, 3)))), Decimal(draw(st.sampled_from(("0", "0.2"))))
            stores.append(store.but(holding=holding, limit=limit, loss=loss, start=day))
    return Tiny(tiny.case.but(stores=tuple(stores)), tiny.catalog, tiny.rules)


@pytest.mark.parametrize("drawn", [changing_lanes, changing_stores, lossy])
@examples(120)
@given(data=st.data())
def test_plan_of_lanes_and_stores_is_as_cheap_as_brute_force(drawn: Any, data: st.DataObject) -> None:
    """Freight is that of the first day of the period of arrival, time that of the slowest order; a store is as the last day of a period has it."""
    as_cheap_as_brute_force(data.draw(drawn()))


def test_rounding_adds_nothing_to_a_stock_that_a_rule_caps() -> None:
    """Grams that are short in a later period were bought earlier, and 30.00175 kg lay in a stock of at most 30 kg: there was no plan."""
    drawn = mid_size(2040)
    case = drawn.case.but(discount=Decimal(0))
    assert [rule.id for rule in drawn.rules if rule.kind == "stock-level"] == ["room"]
    found = planned(case, drawn.catalog, *(rule for rule in drawn.rules if getattr(rule, "penalty", None) is None))
    assert found.status is PlanStatus.OPTIMAL


@st.composite
def credited(draw: st.DrawFn) -> Tiny:
    """Some offers, makers too, pay whoever takes what they have; some of them only for a time."""
    tiny = draw(tiny_cases()).priced()
    offers = tuple(_paid(draw, offer) for offer in tiny.catalog.offers)
    assume(offers != tiny.catalog.offers)
    return Tiny(tiny.case, tiny.catalog.but(offers=offers), tiny.rules)


def _paid(draw: st.DrawFn, offer: Offer) -> Offer:
    if not draw(st.sampled_from((True, False, False))):
        return offer
    amount = Decimal(draw(st.sampled_from((-1, -8, -40))))
    quotes = tuple(q.but(amount=amount) if draw(st.booleans()) else q for q in offer.quotes)
    price = offer.price
    if price is not None and price.amount is not None:
        price = price.but(amount=amount)
    limit = draw(st.sampled_from(("max_order", "max_per_year", "total")))
    most = max(draw(st.sampled_from((5, 20, 60))), offer.min_order or 0, offer.lot or 0)
    update = {"price": price, "quotes": quotes, "take_or_pay": None, "take_or_pay_share": Decimal(1)}
    return Offer.model_validate({**dict(offer), **update, limit: getattr(offer, limit) or most})


@examples(120)
@given(credited())
def test_plan_with_prices_below_zero_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """Credits are taken as far as they pay, and no more is proved than brute force finds."""
    found, answer = as_cheap_as_brute_force(tiny)
    if not math.isinf(answer.objective):
        proof = prove_optimality(found.plan, seconds=60)
        assert proof.findings == ()
        assert proof.bound is not None
        assert float(proof.bound) <= answer.objective + RELATIVE * max(1.0, abs(answer.objective))
