"""Freight and lead times that change from a date on, against brute force."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.facts import Lane, Offer

from .compare import agrees, planned
from .oracle import optimum
from .settings import examples
from .strategies import Tiny, tiny_cases


@st.composite
def changing(draw: st.DrawFn) -> Tiny:
    """A tiny case in which lanes of some offers cost more or less, or take longer or shorter, from a day on, some of them from two days."""
    tiny = draw(tiny_cases())
    offers = tuple(_with_lanes(draw, offer) if draw(st.booleans()) else offer for offer in tiny.catalog.offers)
    return Tiny(tiny.case, tiny.catalog.model_copy(update={"offers": offers}), tiny.rules)


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
    return offer.model_copy(update={"lanes": tuple(lanes)})


@examples(120)
@given(changing())
def test_plan_with_lanes_that_change_is_as_cheap_as_brute_force(tiny: Tiny) -> None:
    """A kilogram pays the freight of the first day of the period in which it arrives, and takes as long as the slowest order of its period."""
    found = planned(tiny.case, [tiny.catalog], tiny.rules)
    agrees(tiny.case, [tiny.catalog], found, optimum(tiny.case, [tiny.catalog], tiny.rules))
