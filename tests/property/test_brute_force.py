"""The optimizer against brute force and against figures derived a second way, on worked and on random tiny cases."""

from __future__ import annotations

import math
from datetime import date, timedelta
from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from friendshore.domain.case import StoreSpec
from friendshore.domain.facts import Lane, Offer
from friendshore.domain.plan import PlanStatus
from friendshore.verify.again import derived_again
from friendshore_proof.proving import prove_optimality

from .compare import RELATIVE, agrees, planned, planned_once
from .mid_size import mid_size
from .oracle import optimum
from .patterns import Answer
from .settings import examples
from .strategies import Tiny, tiny_cases
from .worked import Worked, cases

# ----------------------------------------------------------------------------------------------------- the oracle itself


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_oracle_finds_what_was_worked_out_by_hand(worked: Worked) -> None:
    """Brute force gives the objective that the working beside the case gives."""
    assert optimum(worked.case, [worked.catalog], worked.rules).objective == pytest.approx(worked.objective, rel=1e-9)


# ----------------------------------------------------------------------------------------------------------------- plans


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_plan_costs_what_was_worked_out_by_hand(worked: Worked) -> None:
    """The optimiser gives the objective that the working beside the case gives."""
    found = planned_once(worked)
    agrees(worked.case, [worked.catalog], found, Answer(worked.objective))


@examples(400)
@given(tiny_cases())
def test_plan_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """On random tiny cases no supply tree, binary pattern or mix is cheaper than the plan, and the plan is one of them."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


# ----------------------------------------------------------------------------------------------------- lanes that change


@st.composite
def changing(draw: st.DrawFn) -> Tiny:
    """A tiny case in which lanes of some offers cost more or less, or take longer or shorter, from a day on, some of them from two days."""
    tiny = draw(tiny_cases())
    offers = tuple(_with_lanes(draw, offer) if draw(st.booleans()) else offer for offer in tiny.catalog.offers)
    return Tiny(tiny.case, tiny.catalog.but(offers=offers), tiny.rules)


def _with_lanes(draw: st.DrawFn, offer: Offer) -> Offer:
    lanes = []
    for to in ("US", *draw(st.sampled_from(((), ("JP",), ("AU", "JP"))))):
        days = draw(st.sampled_from(((date(2027, 1, 1),), (date(2026, 7, 1),), (date(2026, 2, 1), date(2026, 12, 1)))))
        steady = draw(st.booleans())
        leads = st.sampled_from((None, Decimal(0), Decimal(3), Decimal(6), Decimal(13)))
        lead = draw(leads)
        for day in (None, *days):
            freight = draw(st.sampled_from((None, Decimal(0), Decimal(3), Decimal(8))))
            lead = lead if steady else draw(leads)
            currency = "" if freight is None else "USD"
            source = offer.source
            lanes.append(Lane(to=to, start=day, freight=freight, currency=currency, lead_time=lead, source=source))
    return offer.but(lanes=tuple(lanes))


@examples(120)
@given(changing())
def test_plan_with_lanes_that_change_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """A kilogram pays the freight of the first day of the period in which it arrives, and takes as long as the slowest order of its period."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


# -------------------------------------------------------------------------------------------- stores that change or lose


@st.composite
def lossy(draw: st.DrawFn) -> Tiny:
    """A tiny case in which all that is held loses something, at each place at its own rate."""
    tiny = draw(tiny_cases())
    share = st.sampled_from(("0", "0.1", "0.5"))
    stores = tuple(s.but(loss=Decimal(draw(share))) for s in tiny.case.stores)
    return Tiny(tiny.case.but(stores=stores), tiny.catalog, tiny.rules)


@st.composite
def changing_stores(draw: st.DrawFn) -> Tiny:
    """A tiny case in which some stores cost more, hold less or lose more from a day on, or are only told of until then."""
    tiny = draw(tiny_cases())
    stores: list[StoreSpec] = []
    for store in tiny.case.stores:
        day = draw(st.sampled_from((None, date(2026, 12, 31), date(2027, 1, 1), date(2027, 6, 1))))
        if day is None:
            stores.append(store)
            continue
        stores.append(store.but(end=day - timedelta(days=1)))
        if draw(st.booleans()):
            limit = draw(st.sampled_from((None, None, Decimal(0), Decimal(15))))
            share = Decimal(draw(st.sampled_from(("0", "0.2"))))
            later = {"holding": Decimal(draw(st.sampled_from((0, 3)))), "limit": limit, "loss": share}
            stores.append(store.but(**later, start=day))
    return Tiny(tiny.case.but(stores=tuple(stores)), tiny.catalog, tiny.rules)


@examples(120)
@given(changing_stores())
def test_plan_with_stores_that_change_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """What a store costs, takes and loses in a period is what the case says of its last day."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


@examples(120)
@given(lossy())
def test_plan_with_loss_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """No supply tree or mix is cheaper than the plan when stock is lost, lots that nobody takes included."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))


def test_rounding_adds_nothing_to_a_stock_that_a_rule_caps() -> None:
    """Grams that are short in a later period were bought earlier, and 30.00175 kg lay in a stock of at most 30 kg: there was no plan."""
    drawn = mid_size(2040)
    case = drawn.case.but(discount=Decimal(0))
    assert [rule.id for rule in drawn.rules if rule.kind == "stock-level"] == ["room"]
    found = planned(case, [drawn.catalog], [rule for rule in drawn.rules if getattr(rule, "penalty", None) is None])
    assert found.status is PlanStatus.OPTIMAL


# ----------------------------------------------------------------------------------------------------- prices below zero


@st.composite
def credited(draw: st.DrawFn) -> Tiny:
    """A tiny case in which some offers, makers too, pay whoever takes what they have; some of them only for a time."""
    tiny = draw(tiny_cases())
    offers = tuple(_paid(draw, offer) for offer in tiny.catalog.offers)
    tiny = tiny.priced()
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
    update = {
        "price": price,
        "quotes": quotes,
        "take_or_pay": None,
        "take_or_pay_share": Decimal(1),
        limit: getattr(offer, limit) or most,
    }
    return Offer.model_validate({**dict(offer), **update})


@examples(120)
@given(credited())
def test_plan_with_prices_below_zero_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """Credits are taken as far as they pay, and no more is proved than brute force finds."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    answer = optimum(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, answer)
    if not math.isinf(answer.objective):
        proof = prove_optimality(found.plan, seconds=60)
        assert proof.findings == ()
        assert proof.bound is not None
        assert float(proof.bound) <= answer.objective + RELATIVE * max(1.0, abs(answer.objective))


# ------------------------------------------------------------------------------------------ figures derived a second way


@pytest.mark.parametrize("worked", cases(), ids=lambda w: w.name)
def test_both_ways_agree_on_what_was_worked_out_by_hand(worked: Worked) -> None:
    """No figure of a worked case comes out otherwise the second time."""
    found = planned_once(worked).plan
    assert derived_again(found.ledger, found.costing) == []


@examples(300, least=15)
@given(tiny_cases())
def test_both_ways_agree(tiny: Tiny) -> None:
    """Nor does any of a random tiny case."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules).plan
    assert derived_again(found.ledger, found.costing) == []
