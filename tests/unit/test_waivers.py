"""Many waivers of many rules: no set of them that matters is left out, and none that does not is made."""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from friendshore.domain.case import WaiverSpec

from ..building import ban, bought, built, case, catalog, demand, facility, maker, planned, source, store
from ..property.compare import agrees
from ..property.oracle import optimum

COUNTRIES = [
    "AR",
    "AT",
    "BE",
    "BR",
    "CA",
    "CL",
    "CN",
    "DE",
    "EG",
    "ES",
    "FI",
    "FR",
    "GB",
    "ID",
    "IN",
    "IT",
    "KZ",
    "MX",
    "NO",
    "PE",
    "RU",
    "SE",
    "VN",
    "ZA",
]
"""24 countries."""


def of(country: str, quantity: float = 1, **more: Any) -> WaiverSpec:
    """A waiver of the ban on a country."""
    return WaiverSpec(id=f"w-{country}", rule=f"ban-{country}", quantity=Decimal(str(quantity)), **more)


def bans(*countries: str, stage: str = "mined") -> list[Any]:
    """One ban for each country."""
    return [ban(stage, id=f"ban-{country}", countries=country, start=None) for country in countries]


def test_two_dozen_waivers_that_bear_on_one_demand() -> None:
    """24 suppliers of 24 countries, each barred by a rule of its own that is waived for 1 kg: 24 of 30 kg are had, 6 are short."""
    facts = catalog(*(facility(c.lower(), c) for c in COUNTRIES), *(source(c, 10) for c in COUNTRIES))
    given = case(demand("metal", "defense", 30), waivers=[of(c) for c in COUNTRIES])
    assert len(built(given, facts, *bans(*COUNTRIES)).compliance_classes) == 25
    found = planned(given, facts, *bans(*COUNTRIES))
    assert bought(found) == {f"{c.lower()}-metal": 1 for c in COUNTRIES}
    assert {d.waivers[0]: float(d.quantity_kg) for d in found.run.deliveries} == {f"w-{c}": 1 for c in COUNTRIES}


def test_a_waiver_of_what_another_rule_bars_is_no_way() -> None:
    """Two of three rules that one supplier breaks are waived: no compliance class is made for that, and nothing is bought."""
    facts = catalog(facility("cn", "CN"), source("CN", 10))
    rules = [ban(stage, id=f"ban-{stage}", start=None) for stage in ("mined", "refined", "melted")]
    waivers = [WaiverSpec(id=s, rule=f"ban-{s}", quantity=Decimal(5)) for s in ("mined", "refined")]
    assert len(built(case(demand("metal", "defense", 9), waivers=waivers), facts, *rules).compliance_classes) == 1
    third = WaiverSpec(id="melted", rule="ban-melted", quantity=Decimal(4))
    found = planned(case(demand("metal", "defense", 9), waivers=[*waivers, third]), facts, *rules)
    assert bought(found) == {"cn-metal": 4}
    assert [sorted(d.waivers) for d in found.run.deliveries] == [["melted", "mined", "refined"]]


def test_co_products_under_two_dozen_waivers() -> None:
    """One offer with an input and two outputs serves two uses: what it draws on is lawful for both, however many waivers there are."""
    sites = [facility(c.lower(), c) for c in COUNTRIES]
    oxides = [source(c, 5, "oxide", lanes=()) for c in COUNTRIES]
    both = maker("AU", 20, needs=1, outputs=({"material": "metal", "per_unit": 1}, {"material": "salt", "per_unit": 1}))
    given = case(
        demand("metal", "defense", 20),
        demand("salt", "defense", 20),
        waivers=[of(c, 2) for c in COUNTRIES],
    )
    problem = built(given, catalog(*sites, facility("au", "AU"), *oxides, both), *bans(*COUNTRIES))
    assert len(problem.compliance_classes) <= 2 * len(COUNTRIES) + 2


@pytest.mark.parametrize("seed", range(12))
def test_as_cheap_as_with_every_set_of_waivers(seed: int) -> None:
    """Ore of three countries, melted in three: three bans on either, four waivers, in two years. The oracle tries all sets."""
    dice = Random(seed)
    mines, works = ("CN", "AU", "ZA"), ("JP", "KR", "CN")
    sites = [facility(c.lower(), c, dice.choice((None, 9))) for c in sorted({*mines, *works})]
    offers = [source(c, dice.randrange(2, 9), "oxide") for c in mines]
    offers += [maker(c, dice.randrange(5, 30), needs=1) for c in works]
    rules = [*bans("CN", "AU"), ban("melted", id="ban-JP", countries="JP", start="2027-01-01")]
    rules += [ban("melted", id="ban-KR", countries="KR", start=None, dated_by=dice.choice(("delivery", "order")))]
    waivers = [of(c, dice.randrange(1, 9)) for c in ("CN", "AU", "JP")]
    waivers.append(
        of("KR", 3, start="2027-01-01") if dice.random() < 0.5 else of("CN", 2).model_copy(update={"id": "v"})
    )
    given = case(demand("metal", "defense", 6, 7, price=90), waivers=waivers, stores=(store("metal", 1),))
    facts = catalog(*sites, *offers)
    agrees(given, [facts], planned(given, facts, *rules), optimum(given, [facts], rules))
