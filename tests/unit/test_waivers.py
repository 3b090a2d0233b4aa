"""Waivers: no set of them that matters is left out, and none runs longer than its law lets it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from friendshore.domain.case import Case, WaiverSpec
from friendshore.domain.change import Change
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
    lines,
    maker,
    metals,
    opened,
    planned,
    refused,
    short,
    source,
    store,
    text,
    unstored,
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


ALL = [of(country) for country in COUNTRIES]


def bans(*countries: str, stage: str = "mined") -> list[Any]:
    """One ban for each country."""
    return [ban(stage, id=f"ban-{country}", countries=country, start=None) for country in countries]


def test_two_dozen_waivers_that_bear_on_one_demand() -> None:
    """24 suppliers of 24 countries, each barred by a rule of its own that is waived for 1 kg: 24 of 30 kg are had, 6 are short."""
    given, facts = case(demand("metal", "defense", 30), waivers=ALL), catalog(*(source(c, 10) for c in COUNTRIES))
    assert len(built(given, facts, *bans(*COUNTRIES)).compliance_classes) == 25
    found = planned(given, facts, *bans(*COUNTRIES))
    assert bought(found) == {f"{c.lower()}-metal": 1 for c in COUNTRIES}
    assert {d.waivers[0]: float(d.quantity_kg) for d in found.run.deliveries} == {one.id: 1 for one in ALL}


def test_a_waiver_of_what_another_rule_bars_is_no_way() -> None:
    """Two of three rules that one supplier breaks are waived: no compliance class is made for that, and nothing is bought."""
    facts, stages = catalog(source("CN", 10)), {"mined": 5, "refined": 5, "melted": 4}
    rules = [ban(stage, id=f"ban-{stage}", start=None) for stage in stages]
    waivers = [WaiverSpec(id=s, rule=f"ban-{s}", quantity=Decimal(most)) for s, most in stages.items()]
    two, three = (case(demand("metal", "defense", 9), waivers=some) for some in (waivers[:2], waivers))
    assert len(built(two, facts, *rules).compliance_classes) == 1
    found = planned(three, facts, *rules)
    assert bought(found) == {"cn-metal": 4}
    assert [sorted(d.waivers) for d in found.run.deliveries] == [["melted", "mined", "refined"]]


def test_co_products_under_two_dozen_waivers() -> None:
    """One offer with an input and two outputs serves two uses: what it draws on is lawful for both, however many waivers there are."""
    oxides = [source(c, 5, "oxide", lanes=()) for c in COUNTRIES]
    both = maker("AU", 20, needs=1, outputs=lines(metal=1, salt=1))
    given = case(*(demand(good, "defense", 20) for good in ("metal", "salt")), waivers=[of(c, 2) for c in COUNTRIES])
    problem = built(given, catalog(*oxides, both), *bans(*COUNTRIES))
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


def wanting(*waivers: tuple[str, str], under: str = "", count: int = 1, **more: Any) -> Case:
    """Metal for defense from 2027 on, of which nothing can be held, with waivers of the ban for a tonne from one day until another."""
    each = {"id": "w", "rule": "ban", "quantity": 1000, "under": under}
    specs = [WaiverSpec.model_validate({**each, "from": start or None, "until": end or None}) for start, end in waivers]
    return unstored(*[10] * count, end_use="defense", start=date(2027, 1, 1), waivers=specs, **more)


def mistake(given: Case, *changes: Change) -> Diagnostic:
    """What a plan with these waivers is refused for."""
    (problem,) = refused(planned, given, metals(), law(), changes=list(changes))
    return problem


def test_three_years_are_the_most() -> None:
    """From 2027-01-01 until 2029-12-31 are 36 months; a day more is refused with the last day that would do, and so is what a scenario brings."""
    problem = mistake(wanting(("2027-01-01", "2030-01-01")))
    assert (problem.column, problem.found) == ("waiver.until", "2030-01-01")
    assert (problem.code, problem.expected) == ("FS301", "2029-12-31 or earlier")
    assert "10 USC 4872(c)(1)(B)" in problem.message
    assert 'under = "national-security"' in problem.fix
    words = {"waive": "ban", "of": "metal", "quantity": 1000, "from": "2027-01-01", "until": "2031-12-31"}
    problem = mistake(wanting(), Change.model_validate(words))
    assert (problem.column, "under" in problem.fix) == ("change.until", False)


@pytest.mark.parametrize(
    ("start", "end", "column"), [("", "2027-12-31", "waiver.from"), ("2027-01-01", "", "waiver.until")]
)
def test_an_open_waiver_is_too_long(start: str, end: str, column: str) -> None:
    """What has no end never ends, and what has no beginning has run for ever."""
    problem = mistake(wanting((start, end)))
    assert (problem.code, problem.column, "36 months" in problem.message) == ("FS301", column, True)


def test_a_waiver_of_another_kind_may_run_longer() -> None:
    """The law bounds one kind; of the other the Secretary sets the time. A kind that the law does not know is refused."""
    longer = wanting(("2027-01-01", "2036-12-31"), under="national-security")
    assert bought(planned(longer, metals(), law())) == {"cn-metal": 10}
    problem = mistake(wanting(("2027-01-01", "2036-12-31"), under="national-securty"))
    assert (problem.column, problem.expected) == ("waiver.under", "`nonavailability`, `national-security`")
    assert problem.fix == "did you mean `national-security`?"


def years(given: Case) -> Session:
    """Only China has metal, which is barred: short of 10 kg in every year."""
    return opened(given, catalog(source("CN", 10)), law())


def test_repairs_propose_waivers_one_after_another() -> None:
    """Five years are short: a waiver for three, another for two; none runs longer than the law lets it."""
    session = years(wanting(count=5))
    found = repairs(session)
    sets = [[(use.since, use.until, use.amount) for use in repair.uses] for repair in found.repairs]
    two = [(date(2027, 1, 1), date(2029, 12, 31), Decimal(30)), (date(2030, 1, 1), date(2031, 12, 31), Decimal(20))]
    assert two in [sorted(one, key=str) for one in sets]
    repair = next(one for one in found.repairs if all(use.kind == "waiver" for use in one.uses))
    inputs = session.inputs
    assert not short(planned(inputs.case, inputs.catalogs, *inputs.rules, changes=list(repair.changes)))
    words = "waiver of ban for 30 kg of metal-defense from 2027-01-01 until 2029-12-31"
    assert words in text(repairs_document(found), 200)


def test_what_a_waiver_would_save_is_asked_within_the_law() -> None:
    """Over a plan of five years the question is about the first three, and has an answer."""
    (value,) = margins(years(wanting(count=5))).waivers
    assert (value.rule, value.demand, value.saving.value > 0) == ("ban", "metal-defense", True)


@pytest.mark.parametrize("words", ["three years", "1.5 months", "0 months"])
def test_a_length_must_be_whole_months(words: str) -> None:
    """A rule that says it otherwise is refused when it is made."""
    with pytest.raises(ValueError, match="longest"):
        law(waivers=[{"id": "w", "longest": words}])


def test_horizons_of_quarters_end_a_waiver_with_a_period() -> None:
    """Proposed waivers end with the last period that they cover."""
    given = unstored(*[1] * 13, end_use="defense", start=date(2026, 10, 1), length="quarter", resolution=1)
    uses = [use for repair in repairs(years(given)).repairs for use in repair.uses if use.kind == "waiver"]
    assert {(use.since, use.until) for use in uses} == {
        (date(2026, 10, 1), date(2029, 9, 30)),
        (date(2029, 10, 1), date(2029, 12, 31)),
    }
