"""Prices below zero: what is paid to whoever takes it, as read, refused, planned, taxed, changed and told."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.catalog import read_catalog
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Catalog
from friendshore.errors import InputError
from friendshore.questions.why_not.document import why_not_document
from friendshore.questions.why_not.search import why_not
from friendshore.report import plan_document
from friendshore.rules.kinds.tariff import Tariff

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
    refused,
    rule,
    schedule,
    source,
    store,
    text,
    tier,
)

GOOD = Path(__file__).parents[1] / "data" / "good-catalog"
CIVIL = demand("metal", "civil", 100, price=1000)


def given_away(**more: Any) -> Catalog:
    """Metal of a second Chinese plant: 5 USD are paid with every kilogram, for 300 kg a year at most."""
    update = {"max_per_year": Decimal(300), **more}
    return metals(facility("dump", "CN"), source("CN", -5, name="waste", plant="dump", **update))


def test_what_is_paid_for_is_taken_as_far_as_it_goes() -> None:
    """300 kg for a need of 100, and 1,500 earned; where nothing can be held, what is needed."""
    found = planned(case(CIVIL), given_away())
    assert bought(found) == {"waste": 300}
    assert (found.cost.total, found.plan.plan.bound) == (-1500, -1500)
    told = text(plan_document(found.run))
    assert "earns USD 1,500; all demand is met" in told
    assert bought(planned(case(CIVIL, stores=(store("metal", 0, limit=0),)), given_away())) == {"waste": 100}
    assert bought(planned(case(CIVIL, stores=(store("metal", 6),)), given_away())) == {"waste": 100}


def test_what_a_plant_can_give_and_a_total_end_it_as_well() -> None:
    """Its plant makes 120 kg a year; or 130 kg are all that there is."""
    small = given_away()
    plants = tuple(f.but(capacity=facility("x", "CN", 120).capacity) if f.id == "dump" else f for f in small.facilities)
    assert bought(planned(case(CIVIL), small.but(facilities=plants))) == {"waste": 120}
    assert bought(planned(case(CIVIL), given_away(max_per_year=None, total=Decimal(130)))) == {"waste": 130}


def test_a_price_below_zero_has_no_duty() -> None:
    """A quarter of less than nothing is nothing; a charge on each kilogram stays."""
    duty = rule(Tariff, rate="0.25", origins=["CN"])
    assert planned(case(CIVIL), given_away(), duty).cost.total == -1500


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({}, "a plan would buy without end"),
        ({"max_per_year": Decimal(5), "take_or_pay": Decimal(5)}, "nothing is owed for what is not taken"),
    ],
)
def test_a_record_refuses_what_has_no_end(more: dict[str, Any], words: str) -> None:
    """Made in memory, an offer is held to the same as one that is read."""
    with pytest.raises(ValidationError, match=words):
        source("CN", -5, **more)


@pytest.mark.parametrize(("file", "price"), [("offers.csv", "13 USD/kg WO3"), ("quotes.csv", "1000 USD/mtu")])
def test_a_row_without_an_end_is_told(tmp_path: Path, file: str, price: str) -> None:
    """At the cell of the price, with what would limit it."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "small"))
    table = (folder / file).read_text()
    (folder / file).write_text(table.replace(f",{price}", f",-{price}", 1), encoding="utf-8")
    problems = refused(read_catalog, folder)
    assert [(Path(p.file).name, p.column, p.found) for p in problems] == [(file, "price", f"`-{price}`")]
    assert "max_per_year" in problems[0].expected


def test_a_change_that_leaves_no_end_is_told() -> None:
    """A price that a scenario states; lifting limits leaves that of an offer that is paid."""
    with pytest.raises(InputError, match="`cn-metal`: the price is below zero"):
        built(*altered(case(CIVIL), metals(), (), Change(price="cn-metal", amount=Decimal(-1)))[:2])
    freed = altered(case(CIVIL), given_away(), (), Change(lift=TermKind.MAXIMUM_LOAD))
    assert bought(planned(*freed[:2])) == {"waste": 300}


def test_a_price_list_does_not_bear_on_it() -> None:
    """A discount of a tenth off less than nothing would be a surcharge."""
    with pytest.raises(InputError, match="a share of that is no discount"):
        built(
            case(CIVIL),
            given_away().but(schedules=(schedule("dump", tier(0, discount=0.1), of="facility"),)),
        )


def test_what_a_shortage_costs_must_be_said_where_nothing_costs_anything() -> None:
    """Ten times less than nothing is no price."""
    facts = metals()
    only = facts.but(offers=(source("CN", -5, max_per_year=Decimal(50)),))
    with pytest.raises(InputError, match="no offer and no benchmark has a price above zero"):
        built(case(demand("metal", "civil", 100, shortage_price=None)), only)


def test_why_not_says_that_it_looks_for_no_price() -> None:
    """What is paid for has no price up to which it is worth buying."""
    session = opened(case(CIVIL), given_away())
    found = why_not(session, "waste")
    assert found.entering.outcome == "paid"
    assert "its price is below zero" in text(why_not_document(found))
