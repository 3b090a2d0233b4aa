"""Waivers: no set of them that matters is left out, and none runs longer than its law lets it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from friendshore.domain.case import WaiverSpec
from friendshore.domain.change import Change
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.errors import Diagnostic
from friendshore.rules.base import Rule
from friendshore.session import Session
from friendshore_reasons.ledger.search import margins
from friendshore_reasons.repairs.document import repairs_document
from friendshore_reasons.repairs.search import repairs

from ..building import (
    METAL,
    ban,
    bought,
    built,
    case,
    catalog,
    demand,
    facility,
    maker,
    metals,
    opened,
    planned,
    refused,
    short,
    source,
    store,
    text,
)
from ..property.compare import agrees
from ..property.oracle import optimum

# ------------------------------------------------------------------------------------------------------- sets of waivers


COUNTRIES = [
    "AR", "AT", "BE", "BR", "CA", "CL", "CN", "DE", "EG", "ES", "FI", "FR", "GB", "ID", "IN", "IT", "KZ", "MX", "NO", "PE", "RU",
    "SE", "VN", "ZA",
]  # fmt: skip
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
    facts = catalog(source("CN", 10))
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
    given = case(demand("metal", "defense", 20), demand("salt", "defense", 20), waivers=[of(c, 2) for c in COUNTRIES])
    problem = built(given, catalog(*sites, facility("au", "AU"), *oxides, both), *bans(*COUNTRIES))
    assert len(problem.compliance_classes) <= 2 * len(COUNTRIES) + 2


@pytest.mark.parametrize("seed", [0, *(pytest.param(seed, marks=pytest.mark.deep) for seed in range(1, 12))])
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
    waivers.append(of("KR", 3, start="2027-01-01") if dice.random() < 0.5 else of("CN", 2).but(id="v"))
    given = case(demand("metal", "defense", 6, 7, price=90), waivers=waivers, stores=(store("metal", 1),))
    facts = catalog(*sites, *offers)
    agrees(given, [facts], planned(given, facts, *rules), optimum(given, [facts], rules))


# ---------------------------------------------------------------------------------------------------------------- length


TERMS = [
    {"id": "nonavailability", "citation": "10 USC 4872(c)(1)(B)", "longest": "36 months"},
    {"id": "national-security", "citation": "10 USC 4872(e)"},
]


def law(**more: Any) -> Rule:
    """A ban on Chinese metal, of which a waiver runs at most three years."""
    return ban(*METAL, start=None, **{"waivers": TERMS, **more})


def held(*quantities: float, **more: Any) -> Any:
    """Metal for defence from 2027 on, of which nothing can be held."""
    return case(
        demand("metal", "defense", *quantities), start=date(2027, 1, 1), stores=(store("metal", 0, limit=0),), **more
    )


def waiver(start: str, end: str, **more: Any) -> WaiverSpec:
    """A waiver of the ban for a tonne."""
    days = {"from": start or None, "until": end or None}
    return WaiverSpec.model_validate({"id": "w", "rule": "ban", "quantity": 1000, **days, **more})


def mistakes(*waivers: WaiverSpec, rules: Rule | None = None, changes: tuple[Change, ...] = ()) -> list[Diagnostic]:
    """What a plan with these waivers is refused for."""
    return refused(planned, held(10, waivers=waivers), metals(), rules or law(), changes=list(changes))


def test_three_years_are_the_most() -> None:
    """From 2027-01-01 until 2029-12-31 are 36 months; a day more is refused with the last day that would do."""
    fits = held(10, waivers=(waiver("2027-01-01", "2029-12-31"),))
    assert bought(planned(fits, metals(), law())) == {"cn-metal": 10}
    (problem,) = mistakes(waiver("2027-01-01", "2030-01-01"))
    assert problem.column == "waiver.until"
    assert problem.found == "2030-01-01"
    assert problem.expected == "2029-12-31 or an earlier day"
    assert "10 USC 4872(c)(1)(B) lets a waiver run 36 months at most" in problem.message
    assert 'under = "national-security"' in problem.fix


@pytest.mark.parametrize(
    ("start", "end", "column"), [("", "2027-12-31", "waiver.from"), ("2027-01-01", "", "waiver.until")]
)
def test_an_open_waiver_is_too_long(start: str, end: str, column: str) -> None:
    """What has no end never ends, and what has no beginning has run for ever."""
    (problem,) = mistakes(waiver(start, end))
    assert problem.column == column
    assert "36 months" in problem.message


def test_a_waiver_of_another_kind_may_run_longer() -> None:
    """The law bounds one kind; of the other the Secretary sets the time. A kind that the law does not know is refused."""
    longer = held(10, waivers=(waiver("2027-01-01", "2036-12-31", under="national-security"),))
    assert bought(planned(longer, metals(), law())) == {"cn-metal": 10}
    (problem,) = mistakes(waiver("2027-01-01", "2036-12-31", under="national-securty"))
    assert problem.column == "waiver.under"
    assert problem.expected == "`nonavailability`, `national-security`"
    assert problem.fix == "did you mean `national-security`?"


def test_a_rule_that_states_no_waivers_bounds_none() -> None:
    """A planner's own rule is waived as he likes."""
    own = ban(*METAL, start=None)
    assert bought(planned(held(10, waivers=(waiver("", ""),)), metals(), own)) == {"cn-metal": 10}


def test_a_change_cannot_bring_a_longer_one() -> None:
    """A scenario's waiver is read like the case's."""
    words = {"waive": "ban", "of": "metal", "quantity": 1000, "from": "2027-01-01", "until": "2031-12-31"}
    (problem,) = mistakes(changes=(Change.model_validate(words),))
    assert problem.column == "change.until"
    assert "under" not in problem.fix


def years(count: int) -> Session:
    """Only China has metal, which is barred: short of 10 kg in every year."""
    given, facts = held(*[10] * count), catalog(source("CN", 10))
    return opened(given, facts, law())


def test_repairs_propose_waivers_one_after_another() -> None:
    """Five years are short: a waiver for three, another for two; none runs longer than the law lets it."""
    session = years(5)
    found = repairs(session)
    sets = [[(use.since, use.until, use.amount) for use in repair.uses] for repair in found.repairs]
    two = [(date(2027, 1, 1), date(2029, 12, 31), Decimal(30)), (date(2030, 1, 1), date(2031, 12, 31), Decimal(20))]
    assert two in [sorted(one, key=str) for one in sets]
    repair = next(one for one in found.repairs if all(use.kind == "waiver" for use in one.uses))
    inputs = session.inputs
    assert not short(planned(inputs.case, inputs.catalogs[0], *inputs.rules, changes=list(repair.changes)))
    assert "waiver of ban for 30 kg of metal-defense from 2027-01-01 until 2029-12-31" in text(
        repairs_document(found), 200
    )


def test_what_a_waiver_would_save_is_asked_within_the_law() -> None:
    """Over a plan of five years the question is about the first three, and has an answer."""
    (value,) = margins(years(5)).waivers
    assert (value.rule, value.demand) == ("ban", "metal-defense")
    assert value.saves.value > 0


@pytest.mark.parametrize("words", ["three years", "1.5 months", "0 months"])
def test_a_length_must_be_whole_months(words: str) -> None:
    """A rule that says it otherwise is refused when it is made."""
    with pytest.raises(ValueError, match="longest"):
        law(waivers=[{"id": "w", "longest": words}])


def test_horizons_of_quarters_end_a_waiver_with_a_period() -> None:
    """Proposed waivers end with the last period that they cover."""
    horizon = Horizon(start=date(2026, 10, 1), count=13, length=PeriodLength.QUARTER)
    given = held(*[1] * 13, resolution=1).but(horizon=horizon)
    facts = catalog(source("CN", 10))
    found = repairs(opened(given, facts, law()))
    uses = [use for repair in found.repairs for use in repair.uses if use.kind == "waiver"]
    assert {(use.since, use.until) for use in uses} == {
        (date(2026, 10, 1), date(2029, 9, 30)),
        (date(2029, 10, 1), date(2029, 12, 31)),
    }
