"""Prices below zero, against brute force: what is paid for is bought beyond need, as far as capacity, stores and inputs go."""

from __future__ import annotations

import math
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from friendshore.domain.facts import Offer
from friendshore.proof import prove_optimality

from .compare import RELATIVE, agrees, planned
from .oracle import optimum
from .settings import examples
from .strategies import Tiny, tiny_cases


@st.composite
def credited(draw: st.DrawFn) -> Tiny:
    """A tiny case in which some offers, makers too, pay whoever takes what they have; some of them only for a time."""
    tiny = draw(tiny_cases())
    offers = tuple(_paid(draw, offer) for offer in tiny.catalog.offers)
    tiny = tiny.priced()
    assume(offers != tiny.catalog.offers)
    return Tiny(tiny.case, tiny.catalog.model_copy(update={"offers": offers}), tiny.rules)


def _paid(draw: st.DrawFn, offer: Offer) -> Offer:
    if not draw(st.sampled_from((True, False, False))):
        return offer
    amount = Decimal(draw(st.sampled_from((-1, -8, -40))))
    quotes = tuple(q.model_copy(update={"amount": amount}) if draw(st.booleans()) else q for q in offer.quotes)
    price = offer.price
    if price is not None and price.amount is not None:
        price = price.model_copy(update={"amount": amount})
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
