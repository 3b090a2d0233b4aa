"""Changes that loosen: proofs, waivers, licenses, bounds, stock, terms of trade, later demand; and rules imposed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.case import load_case
from friendshore.domain.case import Case
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Catalog, Lane
from friendshore.recommend import Recommendation
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxShare, MinShare
from friendshore.rules.kinds.trade import ExportControl

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    catalog,
    chain,
    facility,
    metals,
    offer,
    opened,
    planned,
    rule,
    short,
    source,
    told,
    unstored,
)
from .tin_case import CASE, write_case

LAW = ban(*METAL, start=None)
CONTROL = rule(ExportControl, id="control", exporters=["CN"], effect="license", phases=[{}])
CAP = rule(MaxShare, id="cap", by="facility", share="0.5")


def wanted(*quantities: float) -> Case:
    """Metal for defense of which nothing can be held."""
    return unstored(*quantities, end_use="defense")


def after(given: Case, facts: Catalog, *changes: dict[str, Any], rules: Any = ()) -> Recommendation:
    """The plan after some changes."""
    return planned(given, facts, *rules, changes=[Change.model_validate(c) for c in changes])


@pytest.mark.parametrize(
    ("law", "change", "kilograms"),
    [
        pytest.param(LAW, {"prove": "cn-metal"}, {"au-metal": 10}, id="a proof does not lift what fails"),
        pytest.param(LAW, {"waive": "ban", "of": "metal", "quantity": 4}, {"cn-metal": 4, "au-metal": 6}, id="a waiver is bounded in quantity"),
        pytest.param(CONTROL, {"grant": "control", "of": "CN", "quantity": 3}, {"cn-metal": 3, "au-metal": 7}, id="a license lets exports go"),
        pytest.param(CAP, {"loosen": "cap", "by": 2}, {"cn-metal": 7, "au-metal": 3}, id="a bound is relaxed by kilograms"),
        pytest.param(LAW, {"stock": "metal", "quantity": 2, "countries": ["US"]}, {"au-metal": 8}, id="stock serves first"),
        pytest.param(LAW, {"stock": "metal", "quantity": 2, "countries": ["CN"]}, {"au-metal": 10}, id="but not of an origin that the rule forbids"),
    ],
)  # fmt: skip
def test_rules_are_loosened(law: Rule, change: dict[str, Any], kilograms: dict[str, float]) -> None:
    """Of 10 kg for defense, Chinese at 10 and Australian at 50."""
    assert bought(after(wanted(10), metals(), change, rules=[law])) == kilograms


def test_a_proof_lets_one_offer_pass_and_is_said() -> None:
    """What is unproven of the offer is taken as proved; another unproven offer stays out."""
    doubtful = chain("AU?", *METAL)
    facts = catalog(offer("one", "au", "metal", 9, doubtful), offer("two", "jp", "metal", 5, doubtful))
    assert bought(after(wanted(10), facts, rules=[LAW])) == {}
    found = after(wanted(10), facts, {"prove": "one"}, rules=[LAW])
    assert bought(found) == {"one": 10.0}
    assert "`one`" in told(found, "accepted")
    assert "10 kg accepted" in told(found, "one")


@pytest.mark.parametrize(("months", "kilograms"), [(12, {"2027": 5.0, "2028": 13.0}), (60, {"2028": 18.0})])
def test_demand_is_wanted_later_and_never_lost(months: int, kilograms: dict[str, float]) -> None:
    """What would be wanted after the plan is wanted in its last period."""
    found = after(wanted(5, 6, 7), metals(), {"demand": "metal", "delay": months})
    assert {p.delivered: float(p.quantity_kg) for p in found.run.purchases} == kilograms


@pytest.mark.parametrize(
    ("kind", "terms"),
    [
        ("minimum-load", {"min_order": 20}), ("onboarding", {"onboarding": 9999}), ("maximum-load", {"max_order": 0}),
        ("qualification", {"qualification": 60}), ("dates", {"start": date(2040, 1, 1)}), ("dates", {"end": date(2020, 1, 1)}),
        ("lead-time", {"lead_time": 60}), ("lead-time", {"lanes": (Lane(to="US", lead_time=Decimal(60), source=SOURCE),)}),
    ],
)  # fmt: skip
def test_terms_are_lifted(kind: str, terms: dict[str, Any]) -> None:
    """Terms that keep the cheaper offer out no longer do; of another offer they stay."""
    facts = catalog(source("AU", 5, max_per_year=50, **terms), source("JP", 8, max_per_year=50))
    changes = ((), [{"lift": kind, "of": "country:JP"}], [{"lift": kind, "of": "au-metal"}], [{"lift": kind}])
    found = [set(bought(after(wanted(10), facts, *some))) for some in changes]
    assert found == [{"jp-metal"}, {"jp-metal"}, {"au-metal"}, {"au-metal"}]


@pytest.mark.parametrize(("name", "factor"), [("country:CN", "10"), ("outside:CN", "0.1")])
def test_prices_change_by_country(name: str, factor: str) -> None:
    """All offers of a country, or all others."""
    found = [bought(after(wanted(10), metals(), {"price": name, "factor": by})) for by in (factor, "1")]
    assert found == [{"au-metal": 10}, {"cn-metal": 10}]


def test_a_capacity_that_nobody_published_is_given() -> None:
    """A facility without a capacity is a lead; stating one lets it supply, from a day on."""
    facts = catalog(facility("au", "AU", capacity=()), source("AU", 5))
    assert short(after(wanted(10, 10), facts)) == {"metal-defense": 20.0}
    found = after(wanted(10, 10), facts, {"capacity": "au", "per_year": 8, "from": "2027-01-01"})
    assert short(found) == {"metal-defense": 12.0}


@pytest.mark.parametrize(
    ("changes", "name"),
    [([], "cn"), ([{"price": "kz-metal", "amount": 4}], "kz"), ([{"price": "cn-metal", "amount": 60}], "au")],
)
def test_a_price_that_nobody_published_is_given(changes: list[dict[str, Any]], name: str) -> None:
    """An offer without a price is a lead; stating one lets it supply, and takes the place of another."""
    found = after(wanted(10), metals(source("KZ", 1).but(price=None)), *changes)
    assert bought(found) == {f"{name}-metal": 10}
    assert found.cost.total == {"cn": 100, "kz": 40, "au": 500}[name]


@pytest.mark.parametrize(
    "change",
    [
        {"price": "one", "factor": 2, "amount": 3}, {"capacity": "one", "amount": 3}, {"waive": "ban", "quantity": 4},
        {"waive": "ban", "of": "metal"}, {"stock": "metal", "quantity": 4}, {"loosen": "cap"}, {"prove": "one", "factor": 2},
        {"demand": "metal", "quantity": 4}, {"lead_time": "one"}, {"recipe": "one", "factor": 2},
        {"recipe": "one", "of": "metal", "factor": 0},
    ],
)  # fmt: skip
def test_a_change_that_lacks_or_ignores_something_is_refused(change: dict[str, Any]) -> None:
    """Read past, it would give another plan than was asked for."""
    with pytest.raises(ValidationError):
        Change.model_validate(change)


def test_an_imposed_rule_holds_for_one_question() -> None:
    """A rule beyond those of the case: the answer keeps it, the session does not."""
    session = opened(wanted(10), metals())
    floor = rule(MinShare, by="facility", facilities=["jp"], share="0.2")
    assert session.what_if(rules=[floor]).rise.objective == 2 * (80 - 10)
    assert session.what_if().rise.objective == 0


@pytest.mark.parametrize(
    ("name", "within", "largest", "kilograms"),
    [
        ("au-metal", "0", True, 0),
        ("au-metal", "0.1", True, 1),
        ("cn-metal", "0.1", False, 39),
        ("cn-metal", "0", False, 40),
    ],
)
def test_extremes_of_a_share(name: str, within: str, largest: bool, kilograms: float) -> None:
    """At the cheapest plan nothing else is available; at a tenth dearer, a kilogram at 50 in the place of one at 10 for 40."""
    session = opened(wanted(40), metals())
    found = session.extreme(
        "metal", lambda facts, _, __: float(facts.offer.id == name), Decimal(within), largest=largest
    )
    assert (float(found.value), float(found.bound)) == pytest.approx((kilograms, kilograms), abs=1e-6)


def test_amounts_of_changes_are_read_with_their_units(tmp_path: Path) -> None:
    """A case file gives quantities and capacities of a change as it gives all others."""
    scenario = """[[scenario]]
name = "s"
change = [
{ capacity = "x", per_year = "5 t/year" },
{ stock = "m", quantity = "2 lb", countries = ["Australia"] },
{ waive = "r", of = "m", quantity = "3 t" },
{ lift = "minimum-load" },
{ price = "o", amount = "0.5 EUR/g" },
]
"""
    capacity, stock, waiver, lifted, priced = load_case(write_case(tmp_path, CASE + scenario)).scenarios[0].change
    assert (capacity.per_year, stock.quantity, stock.countries) == (5000, Decimal("0.90718474"), {"AU"})
    assert (waiver.quantity, lifted.lift) == (3000, TermKind.MINIMUM_LOAD)
    assert (priced.amount, priced.currency) == (500, "EUR")
