"""The same case a thousand times as large, and cases with price schedules."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from tests.building import schedule, tier

from friendshore.domain.base import Record
from friendshore.domain.facts import Offer
from friendshore.domain.terms import PriceSchedule
from friendshore.rules.base import Rule

from .random_cases.facts import Draw, sometimes
from .strategies import Tiny, tiny_cases

QUANTITIES = frozenset((
    "quantity", "quantities", "per_year", "limit", "min_order", "max_order", "lot", "max_per_year", "total", "take_or_pay", "least", "most", "setup_use",
))  # fmt: skip
"""Fields of cases and catalogs that state kilograms, kilograms a year, or what they cost: thresholds of price schedules."""
AT_ONCE = frozenset({"onboarding", "fixed", "lump"})
"""Fields that state money which is due whatever is bought."""
OF_RULES = frozenset({"amount", "exactly", "at_least", "at_most"})
"""Fields of limit rules that state kilograms or money."""


def scaled(tiny: Tiny, factor: int) -> Tiny:
    """The same case with so many times the quantities, and the same prices: it costs so many times as much."""
    fields = QUANTITIES | AT_ONCE
    rules = tuple(_scaled(rule, OF_RULES, factor) for rule in tiny.rules)
    return Tiny(_scaled(tiny.case, fields, factor), _scaled(tiny.catalog, fields, factor), rules)


def _scaled(record: Any, fields: frozenset[str], factor: int) -> Any:
    update: dict[str, Any] = {}
    for name in type(record).model_fields:
        value = getattr(record, name)
        if name in fields and isinstance(value, Decimal | int) and not isinstance(value, bool):
            update[name] = value * factor
        elif name in fields and isinstance(value, tuple) and all(isinstance(one, Decimal) for one in value):
            update[name] = tuple(one * factor for one in value)
        elif isinstance(value, Record) and not isinstance(value, Rule):
            update[name] = _scaled(value, fields, factor)
        elif isinstance(value, tuple) and value and all(isinstance(one, Record) for one in value):
            update[name] = tuple(_scaled(one, fields, factor) for one in value)
    return record.model_copy(update=update)


@st.composite
def some_schedule(draw: Draw[Any], offer: Offer) -> PriceSchedule:
    """One or two steps of an offer's price: a share off or on top, for everything or for what is beyond.

    With a share off there may be a fee, of half or of one and a half times what the step takes off where it begins: plans stay just below the
    dearer ones, and just reach the others.
    """
    assert offer.price.amount is not None
    steps = []
    for least in sorted(draw(st.sets(st.integers(4, 60), min_size=1, max_size=2))):
        off = draw(st.sampled_from((0.1, 0.25, -0.2)))
        fee = draw(st.sampled_from((0, 0.5, 1.5, 1.5))) * off * float(offer.price.amount) * least if off > 0 else 0
        steps.append(tier(least, discount=off, lump=round(fee)))
    kind = draw(st.sampled_from(("all-units", "all-units", "incremental")))
    per = draw(st.sampled_from(("period", "year", "horizon")))
    return schedule(offer.id, tier(0), *steps, kind=kind, per=per)


@st.composite
def sized_cases(draw: Draw[Any]) -> Tiny:
    """A tiny case with a price for every shortage, some with a price schedule, in kilograms or in tonnes."""
    tiny = draw(tiny_cases()).priced()
    several = [o for o in tiny.catalog.offers if len(o.outputs) == 1 and o.price is not None]
    if several and (chosen := sometimes(draw, st.sampled_from(several), 2)):
        terms = (*tiny.catalog.schedules, draw(some_schedule(chosen)))
        tiny = Tiny(tiny.case, tiny.catalog.but(schedules=terms), tiny.rules)
    return scaled(tiny, draw(st.sampled_from((1, 1000, 1000, 37_000))))
