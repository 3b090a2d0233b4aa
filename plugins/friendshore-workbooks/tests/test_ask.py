"""The question `ask` on small cases."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from tests import building
from tests.building import (
    GUESS,
    SOURCE,
    ban,
    case,
    catalog,
    chain,
    demand,
    facility,
    maker,
    metals,
    price,
    source,
    text,
)

from friendshore.domain.case import Accept
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import ChainEntry, RecipeLine
from friendshore.errors import InputError
from friendshore.inert import INVISIBLE
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Tariff
from friendshore.session import Session
from friendshore_workbooks.ask import ask
from friendshore_workbooks.question import AskOptions, AskQuestion
from friendshore_workbooks.unknowns import Unknown, Unknowns, ask_document

CIVIL = case(demand("metal", "civil", 40))


def opened(facts: Any, *rules: Rule, given: Any = CIVIL, **more: Any) -> Session:
    """A solved case of 40 kg of metal for civil use, or of another."""
    return building.opened(given, facts, *rules, **more)


def one(found: Unknowns, subject: str, kind: str = "") -> Unknown:
    """The unknown about something."""
    (wanted,) = [each for each in found.unknowns if each.subject == subject and kind in ("", each.kind)]
    return wanted


def test_a_capacity_that_nobody_published_is_a_bound() -> None:
    """40 kg at 50 could come at 10 from a plant of which no capacity is known: 1,600 at most, and the plan says what it would buy."""
    bare = facility("cn", "CN").but(capacity=(), name="Guilin works", operator="Guilin Metal")
    answer = ask(opened(catalog(bare, source("CN", 10), source("AU", 50))))
    asked = one(answer, "cn")
    assert (asked.rank, asked.saving.value, asked.saving.proved, asked.saved_kg) == (1, 1600, True, 0)
    assert "How much metal can Guilin works deliver a year" in asked.question
    assert (asked.addressee, asked.country) == ("Guilin Metal", "CN")
    (large,) = asked.possibilities
    assert large.bound
    assert {bought.offer: bought.kilograms for bought in large.buys} == {"cn-metal": 40, "au-metal": -40}
    told = " ".join(text(ask_document(answer)).split())
    assert "USD 1,600 less cash; no answer saves more" in told
    assert "upper bound: 80 kg a year" in told


def test_who_is_asked_for_a_capacity_is_asked_for_the_origin_too() -> None:
    """Where a plant is kept out by both, knowing one alone saves nothing."""
    facts = catalog(facility("jp", "JP").but(capacity=()), source("JP", 10, chain=()))
    answer = ask(opened(facts, ban("melted", start=None), given=case(demand("metal", "defense", 5, price=100))))
    alone, both = one(answer, "jp").possibilities
    assert (alone.rise.value, both.rise.value) == (0, -450)
    assert (both.answer, both.short_kg) == ("unlimited, with its origins proved", -5)


def test_a_question_on_smelters_names_the_form_to_ask_for() -> None:
    """Dysprosium is a rare earth, whose smelters and mines suppliers declare in an AMRT. No form has where metal was melted."""
    given = case(demand("metal", "defense", 5, price=100))
    for stage, form in {"refined": "Ask for an AMRT about the product (scope B), and a letter", "melted": ""}.items():
        facts = catalog(source("JP", 10, chain=()))
        question = one(ask(opened(facts, ban(stage, start=None), given=given)), "jp-metal", "origin").question
        assert ("AMRT" in question) == bool(form)
        assert form in question


@pytest.mark.parametrize(("least", "saves", "loses"), [("verified", 2000, 0), ("assumed", 400, 400)])
def test_what_an_offer_says_it_gives_is_tried_less_and_more(least: str, saves: int, loses: int) -> None:
    """40 a year at 10, which nobody vouches for, beside metal at 50: where that does not count, all of it may be won; else a quarter either way."""
    facts = catalog(source("CN", 10, max_per_year=40, source=GUESS), source("AU", 50))
    given = case(demand("metal", "civil", 60), accept=Accept(confidence=Confidence(least)))
    found = one(ask(opened(facts, given=given)), "cn-metal", "capacity")
    assert found.question == "Can cn deliver 40 kg a year of metal?"
    assert (found.saving.value, found.added_cost.value) == (saves, loses)


def test_a_price_that_nobody_published_is_tried_at_nothing_and_at_others() -> None:
    """For nothing it saves 400; at the cheapest known price nothing; and so from that price on."""
    found = one(ask(opened(metals(source("KZ", price()).but(price=None)))), "kz-metal", "price")
    assert (found.saving.value, found.possibilities[0].bound) == (400, True)
    at = found.at_price
    assert (at.cheapest_price, at.break_even, at.proved, at.saving.value) == (10, 10, True, 0)


def test_an_assumed_price_is_tried_less_and_more() -> None:
    """A quarter of 40 kg at 10; dearer by half it would cost 200 more, and `--spread` says so."""
    answer = ask(opened(catalog(source("CN", price(10, GUESS)), source("AU", 50))), spread=Decimal("0.5"))
    asked = one(answer, "cn-metal", "price")
    assert (asked.saving.value, asked.added_cost.value) == (200, 200)
    assert asked.known.confidence == "assumed"
    assert "50% lower and higher" in asked.assumption
    assert not any(each.kind == "price" and each.subject == "au-metal" for each in answer.unknowns)


def test_a_recipe_is_never_better_than_without_loss() -> None:
    """Metal holds what 1.25 kg of oxide holds, so that 1.5 kg are not tried at three quarters."""
    melted = maker("AU", 5).but(inputs=(RecipeLine(material="oxide", per_unit=Decimal("1.5"), source=GUESS),))
    asked = one(ask(opened(catalog(source("AU", 10, "oxide"), melted))), "au-melt", "conversion")
    assert [each.answer for each in asked.possibilities] == ["1.25 kg", "1.875 kg"]
    assert (asked.saving.value, asked.added_cost.value) == (100, 150)
    assert "at least 1.25 kg" in asked.assumption


def test_kilograms_may_rank_before_money() -> None:
    """A proof serves 5 kg that are short and saves 250; a cheaper offer saves 2,000 and serves nothing more."""
    given = case(demand("metal", "defense", 5, price=60), demand("metal", "civil", 400))
    facts = catalog(facility("jp", "JP", 5), source("CN", price(20, GUESS)), source("JP", 10, chain=()))
    session = opened(facts, ban("melted", start=None), given=given)
    by_money, by_kilograms = ask(session).unknowns, ask(session, by="kilograms").unknowns
    assert [one.subject for one in by_money][:2] == ["cn-metal", "jp-metal"]
    assert [by_kilogram.subject for by_kilogram in by_kilograms][:2] == ["jp-metal", "cn-metal"]
    assert (by_kilograms[0].saved_kg, by_kilograms[0].saving.value) == (5, 200)


def test_workers_and_order_make_no_difference() -> None:
    """The same unknowns in the same order, equal ones by kind and id."""
    plants = [facility(c.lower(), c).but(capacity=()) for c in ("KZ", "CA", "ZA")]
    facts = metals(*plants, *(source(c, 30) for c in ("ZA", "KZ", "CA")), cn=10)
    answer = ask(opened(facts, workers=1))
    again = ask(opened(facts.but(offers=facts.offers[::-1]), workers=2))
    assert [each.subject for each in answer.unknowns][:3] == ["ca", "kz", "za"]
    assert answer.unknowns == again.unknowns


def test_what_is_asked_of_hostile_names_prints_inert() -> None:
    """Escapes and line breaks of somebody's data reach no terminal."""
    name, operator = "\x1b[31m=cmd|' /C calc'!A0\nworks", "\u202e\x07who"
    bare = facility("cn", "CN").but(capacity=(), name=name, operator=operator)
    told = text(ask_document(ask(opened(catalog(bare, source("CN", 10))))))
    assert not set("\x1b\x07\u202e") & set(told)
    assert INVISIBLE.search(told.replace("\n", "")) is None


@pytest.mark.parametrize("word", ["100%", "-1", "half"])
def test_a_spread_that_is_no_share_is_refused(word: str) -> None:
    """Before anything is planned."""
    with pytest.raises(InputError):
        AskQuestion().check(AskOptions(spread=word))


def test_duties_that_nobody_knows_are_listed() -> None:
    """Metal without a tariff line, and metal of any origin whose duty depends on it: no rate is known that could be tried."""
    melted = ChainEntry(stage="melted", countries={"JP"}, source=SOURCE)
    facts = catalog(source("JP", 80, chain=(*chain("JP", "mined", "refined"), melted)), source("CN", 10))
    duty = Tariff(id="duty", hs=("8110",), rate=Decimal("0.25"))
    by_origin = Tariff(id="by-origin", elements=("Dy",), origins={"CN"}, rate=Decimal("0.1"))
    answer = ask(opened(facts, duty, by_origin))
    assert {row.subject for row in answer.not_tried if row.why.startswith("unknown duty")} == {"metal", "jp-metal"}
    same_for_all = ask(opened(facts, duty))
    assert {row.subject for row in same_for_all.not_tried if row.why.startswith("unknown duty")} == {"metal"}
    assert not [row for row in ask(opened(facts)).not_tried if row.why.startswith("unknown duty")]


def test_a_lead_time_changes_on_every_lane() -> None:
    """Twice the case's own where the offer states none."""
    lead = case(demand("metal", "civil", 0, 40)).assume.but(lead_time=Decimal(12))
    given = case(demand("metal", "civil", 0, 40, price=100), assume=lead)
    session = opened(metals(), given=given)
    assert session.verified.cost.shortage == 0
    for name in ("cn-metal", "country:CN", "supplier:cn"):
        late = session.what_if(Change(lead_time=name, factor=Decimal(2)), Change(remove="outside:CN"))
        assert late.cost.shortage == 4000
    with pytest.raises(InputError, match=r"\[lead_time\]: FS241"):
        session.what_if(Change(lead_time="nobody", factor=Decimal(2)))
    with pytest.raises(InputError, match=r"\[recipe\]: FS241"):
        session.what_if(Change(recipe="cn-metal", of="oxide", factor=Decimal(2)))
