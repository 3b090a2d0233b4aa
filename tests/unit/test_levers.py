"""Changes that loosen: proofs, waivers, licences, bounds, stock, terms of trade, later demand; and rules imposed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.case import load_case
from friendshore.domain.change import Change, TermKind
from friendshore.domain.facts import Lane
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.rules.kinds.limits import MaxShare, MinShare

from ..building import (
    METAL,
    SOURCE,
    ban,
    bought,
    case,
    catalog,
    chain,
    demand,
    facility,
    metals,
    offer,
    opened,
    planned,
    price,
    short,
    source,
    store,
    told,
)


def wanted(*quantities: float, end_use: str = "defense", **more: Any) -> Any:
    """A demand for metal of which nothing can be held, so that every period stands for itself."""
    return case(demand("metal", end_use, *quantities), stores=(store("metal", 0, limit=0),), **more)


def after(given: Any, facts: Any, *changes: dict[str, Any], rules: Any = ()) -> Any:
    """The plan after some changes."""
    return planned(given, facts, *rules, changes=[Change.model_validate(c) for c in changes])


def test_a_proof_lets_one_offer_pass_and_is_said() -> None:
    """What is unproven of the offer is taken as proved; another unproven offer stays out."""
    plants = (facility("a", "AU", 30), facility("b", "JP", 30))
    doubtful = chain("AU?", *METAL)
    facts = catalog(*plants, offer("one", "a", "metal", 9, doubtful), offer("two", "b", "metal", 5, doubtful))
    assert bought(after(wanted(10), facts, rules=[ban(*METAL, start=None)])) == {}
    found = after(wanted(10), facts, {"prove": "one"}, rules=[ban(*METAL, start=None)])
    assert bought(found) == {"one": 10.0}
    assert "taken as proved" in told(found, "accepted")
    assert "10 kg let pass" in told(found, "one")


def test_a_proof_does_not_lift_what_fails() -> None:
    """An origin that is known to be banned is no matter of proof."""
    assert "cn-metal" not in bought(after(wanted(10), metals(), {"prove": "cn-metal"}, rules=[ban(*METAL, start=None)]))


def test_a_waiver_is_bounded_in_quantity() -> None:
    """So many kilograms of the demand may come from where the rule forbids."""
    change = {"waive": "ban", "of": "metal", "quantity": 4}
    found = after(wanted(10), metals(), change, rules=[ban(*METAL, start=None)])
    assert bought(found) == {"cn-metal": 4.0, "au-metal": 6.0}


def test_a_licence_lets_exports_go() -> None:
    """An export control that asks for a licence lets what is granted one pass, up to its quantity."""
    control = ExportControl.model_validate(
        {"id": "control", "exporters": ["CN"], "effect": "licence", "citation": "c", "phases": [{}]}
    )
    assert "cn-metal" not in bought(after(wanted(10), metals(), rules=[control]))
    found = after(wanted(10), metals(), {"grant": "control", "of": "CN", "quantity": 3}, rules=[control])
    assert bought(found)["cn-metal"] == 3.0


def test_a_bound_gives_way_by_kilograms() -> None:
    """A cap of half the demand, loosened by two kilograms."""
    cap = MaxShare.model_validate({"id": "cap", "by": "facility", "share": "0.5"})
    found = after(wanted(10), metals(), {"loosen": "cap", "by": 2}, rules=[cap])
    assert bought(found) == {"cn-metal": 7.0, "au-metal": 3.0}


def test_stock_of_a_stated_origin_is_added() -> None:
    """It serves first, being paid for; where the rule forbids its origin it does not."""
    for country, left in (("US", 8.0), ("CN", 10.0)):
        change = {"stock": "metal", "quantity": 2, "countries": [country]}
        given = case(demand("metal", "defense", 10))
        assert bought(after(given, metals(), change, rules=[ban(*METAL, start=None)])) == {"au-metal": left}


def test_demand_is_wanted_later_and_never_lost() -> None:
    """What would be wanted after the plan is wanted in its last period."""
    found = after(wanted(5, 6, 7), metals(), {"demand": "metal", "delay": 12})
    quantities = {p.delivered: float(p.quantity_kg) for p in found.run.purchases}
    assert quantities == {"2027": 5.0, "2028": 13.0}


def test_demand_that_is_delayed_beyond_the_plan_is_wanted_in_its_last_period() -> None:
    """Five years later, of a plan of three."""
    found = after(wanted(5, 6, 7), metals(), {"demand": "metal", "delay": 60})
    assert {p.delivered: float(p.quantity_kg) for p in found.run.purchases} == {"2028": 18.0}


@pytest.mark.parametrize(
    ("kind", "terms", "before"),
    [
        ("minimum-load", {"min_order": Decimal(20)}, "jp-metal"),
        ("onboarding", {"onboarding": Decimal(9999)}, "jp-metal"),
        ("maximum-load", {"max_order": Decimal(0)}, "jp-metal"),
        ("qualification", {"qualification": Decimal(60)}, "jp-metal"),
        ("dates", {"start": date(2040, 1, 1)}, "jp-metal"),
        ("dates", {"end": date(2020, 1, 1)}, "jp-metal"),
        ("lead-time", {"lead_time": Decimal(60)}, "jp-metal"),
        ("lead-time", {"lanes": (Lane(to="US", lead_time=Decimal(60), source=SOURCE),)}, "jp-metal"),
    ],
)
def test_terms_are_lifted(kind: str, terms: dict[str, Any], before: str) -> None:
    """Terms that keep the cheaper offer out no longer do; of another offer they stay."""
    plants = (facility("au", "AU", 50), facility("jp", "JP", 50))
    links = chain("AU", *METAL)
    facts = catalog(
        *plants, offer("au-metal", "au", "metal", 5, links, **terms), offer("jp-metal", "jp", "metal", 8, links)
    )
    assert set(bought(after(wanted(10), facts))) == {before}
    assert set(bought(after(wanted(10), facts, {"lift": kind, "of": "country:JP"}))) == {before}
    assert set(bought(after(wanted(10), facts, {"lift": kind, "of": "au-metal"}))) == {"au-metal"}
    assert set(bought(after(wanted(10), facts, {"lift": kind}))) == {"au-metal"}


@pytest.mark.parametrize(("name", "hit"), [("country:CN", {"au-metal"}), ("outside:CN", {"cn-metal"})])
def test_prices_change_by_country(name: str, hit: set[str]) -> None:
    """All offers of a country, or all others."""
    factor = "10" if name == "country:CN" else "0.1"
    cheap = set(bought(after(wanted(10, end_use="civil"), metals(), {"price": name, "factor": factor})))
    assert cheap == {"au-metal"}
    dearer = set(bought(after(wanted(10, end_use="civil"), metals(), {"price": name, "factor": "1"})))
    assert dearer == {"cn-metal"}, hit


def test_a_capacity_that_nobody_published_is_given() -> None:
    """A facility without a capacity is a lead; stating one lets it supply, from a day on."""
    bare = facility("au", "AU").but(capacity=())
    facts = catalog(bare, source("AU", 5))
    assert short(after(wanted(10, 10), facts)) == {"metal-defense": 20.0}
    found = after(wanted(10, 10), facts, {"capacity": "au", "per_year": 8, "from": "2027-01-01"})
    assert short(found) == {"metal-defense": 12.0}


def test_a_price_that_nobody_published_is_given() -> None:
    """An offer without a price is a lead; stating one lets it supply, in another currency at its rate, and quotations no longer count."""
    bare = source("KZ", price(), name="kz-metal", plant="kz").but(price=None)
    facts = metals(facility("kz", "KZ"), bare)
    assert set(bought(after(wanted(10, end_use="civil"), facts))) == {"cn-metal"}
    found = after(wanted(10, end_use="civil"), facts, {"price": "kz-metal", "amount": 4})
    assert set(bought(found)) == {"kz-metal"}
    assert found.cost.total == 40
    dear = after(wanted(10, end_use="civil"), facts, {"price": "cn-metal", "amount": 60})
    assert set(bought(dear)) == {"au-metal"}


@pytest.mark.parametrize(
    "change",
    [
        {"price": "one", "factor": 2, "amount": 3},
        {"capacity": "one", "amount": 3},
        {"waive": "ban", "quantity": 4},
        {"waive": "ban", "of": "metal"},
        {"stock": "metal", "quantity": 4},
        {"loosen": "cap"},
        {"prove": "one", "factor": 2},
        {"demand": "metal", "quantity": 4},
        {"lead_time": "one"},
        {"recipe": "one", "factor": 2},
        {"recipe": "one", "of": "metal", "factor": 0},
    ],
)
def test_a_change_that_lacks_or_ignores_something_is_refused(change: dict[str, Any]) -> None:
    """Read past, it would give another plan than was asked for."""
    with pytest.raises(ValidationError):
        Change.model_validate(change)


def test_an_imposed_rule_holds_for_one_question() -> None:
    """A rule beyond those of the case: the answer keeps it, the session does not."""
    session = opened(wanted(10, end_use="civil"), metals())
    floor = MinShare.model_validate({"id": "floor", "by": "facility", "facilities": ["jp"], "share": "0.2"})
    answer = session.after(rules=[floor])
    assert answer.rise.objective == Decimal(2 * (80 - 10))
    assert session.after().rise.objective == 0


def test_extremes_of_a_share() -> None:
    """At the cheapest plan nothing else is available; at a tenth dearer, a kilogram at 50 in the place of one at 10 for 40."""
    session = opened(wanted(40, end_use="civil"), metals())

    def of(name: str, within: str, *, largest: bool) -> float:
        found = session.extreme(
            "metal", lambda facts, _, __: float(facts.offer.id == name), Decimal(within), largest=largest
        )
        assert abs(found.value - found.bound) < Decimal("1e-6")
        return round(float(found.value), 6)

    assert of("au-metal", "0", largest=True) == 0.0
    assert of("au-metal", "0.1", largest=True) == 1.0
    assert of("cn-metal", "0.1", largest=False) == 39.0
    assert of("cn-metal", "0", largest=False) == 40.0


def test_amounts_of_changes_are_read_with_their_units(tmp_path: Path) -> None:
    """A case file gives quantities and capacities of a change as it gives all others."""
    text = (
        'schema = 1\n[case]\nname = "c"\nstart = 2027-01-01\nperiods = 1\nperiod = "year"\nplace = "US"\n'
        '[[demand]]\nmaterial = "m"\nend_use = "civil"\nper_year = "1 t"\n[[scenario]]\nname = "s"\nchange = [\n'
        '{ capacity = "x", per_year = "5 t/year" },\n{ stock = "m", quantity = "2 lb", countries = ["Australia"] },\n'
        '{ waive = "r", of = "m", quantity = "3 t" },\n{ lift = "minimum-load" },\n{ price = "o", amount = "0.5 EUR/g" },\n]\n'
    )
    (tmp_path / "case.toml").write_text(text)
    capacity, stock, waiver, lifted, priced = load_case(tmp_path).scenarios[0].change
    assert capacity.per_year == 5000
    assert stock.quantity == Decimal("0.90718474")
    assert stock.countries == {"AU"}
    assert waiver.quantity == 3000
    assert lifted.lift is TermKind.MINIMUM_LOAD
    assert (priced.amount, priced.currency) == (500, "EUR")
