"""Prices below zero: what is paid to whoever takes it, as read, refused, planned, taxed, changed and told."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.questions.why_not.why_not_document import why_not_document
from friendshore.report import plan_document
from friendshore.rules.kinds import Tariff

from ..building import (
    altered,
    bought,
    built,
    case,
    demand,
    facility,
    metals,
    opened,
    planned,
    rule,
    schedule,
    source,
    store,
    text,
    tier,
)

CIVIL = demand("metal", "civil", 100, price=1000)


def given_away(per_year: float | None = None, **more: Any) -> Catalog:
    """Metal of a second Chinese plant: 5 USD are paid with every kilogram, for 300 kg a year at most."""
    sold = source("CN", -5, name="waste", plant="dump", **{"max_per_year": Decimal(300), **more})
    return metals(facility("dump", "CN", per_year), sold)


def test_what_is_paid_for_is_taken_as_far_as_it_goes() -> None:
    """300 kg for a need of 100, and 1,500 earned. A quarter of less than nothing is no duty."""
    found = planned(case(CIVIL), given_away(), rule(Tariff, rate="0.25", origins=["CN"]))
    assert bought(found) == {"waste": 300}
    assert (found.cost.total, found.plan.plan.bound) == (-1500, -1500)
    assert "The only need is met, and the plan earns USD 1,500" in text(plan_document(found.run))


@pytest.mark.parametrize(
    ("stores", "more", "kilograms"),
    [
        ([store("metal", 0, limit=0)], {}, 100),
        ([store("metal", 6)], {}, 100),
        ([], {"per_year": 120}, 120),
        ([], {"max_per_year": None, "total": Decimal(130)}, 130),
    ],
    ids=["nothing can be held", "holding it costs more", "its plant", "a total"],
)
def test_what_ends_it(stores: list[Any], more: dict[str, Any], kilograms: float) -> None:
    """What is needed, what its plant makes, or all that there is."""
    assert bought(planned(case(CIVIL, stores=stores), given_away(**more))) == {"waste": kilograms}


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "FS033"),
        ({"max_per_year": Decimal(5), "take_or_pay": Decimal(5)}, "FS029"),
    ],
)
def test_a_record_refuses_what_has_no_end(more: dict[str, Any], words: str) -> None:
    """Made in memory, an offer is held to the same as one that is read."""
    with pytest.raises(ValidationError, match=words):
        source("CN", -5, **more)


def test_a_change_that_leaves_no_end_is_told() -> None:
    """A price that a scenario states; lifting limits leaves that of an offer that is paid."""
    with pytest.raises(InputError, match="`cn-metal`: the price is below zero"):
        built(*altered(case(CIVIL), metals(), (), Change(price="cn-metal", amount=Decimal(-1)))[:2])
    freed = altered(case(CIVIL), given_away(), (), Change(lift=TermKind.MAXIMUM_LOAD))
    assert bought(planned(*freed[:2])) == {"waste": 300}


def test_a_price_list_does_not_bear_on_it() -> None:
    """A discount of a tenth off less than nothing would be a surcharge."""
    with pytest.raises(InputError, match="FS265"):
        built(case(CIVIL), given_away().but(schedules=(schedule("dump", tier(0, discount=0.1), of="facility"),)))


def test_what_a_shortage_costs_must_be_said_where_nothing_costs_anything() -> None:
    """Ten times less than nothing is no price."""
    only = metals().but(offers=(source("CN", -5, max_per_year=Decimal(50)),))
    with pytest.raises(InputError, match="FS255"):
        built(case(demand("metal", "civil", 100, shortage_price=None)), only)


def test_why_not_says_that_it_looks_for_no_price() -> None:
    """What is paid for has no price up to which it is worth buying."""
    found = why_not(opened(case(CIVIL), given_away()), "waste")
    assert found.break_even.outcome == "paid"
    assert "its price is below zero" in text(why_not_document(found))
