"""Records made in Python pass every check that files pass, with the same words, all at once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from friendshore.domain.assumptions import Accept
from friendshore.domain.case import Case, DemandSpec, Scenario, StoreSpec
from friendshore.domain.change import Change
from friendshore.domain.facts import ChainEntry, Facility, Lane, Material, Offer, Price
from friendshore.domain.market import Factor, Rate
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude
from friendshore.rules.kinds.limits import MaxShare, Pin

from ..building import (
    SOURCE,
    ban,
    bought,
    case,
    catalog,
    changed,
    demand,
    facility,
    metals,
    planned,
    refused,
    rule,
    source,
)

CIVIL = demand("metal", "civil", 10)


@pytest.mark.parametrize(
    ("made", "column", "near"),
    [
        (lambda: ban("mined", materials=["mettal"]), "rule.materials", "metal"),
        (lambda: ban("mined", elements=["Dyy"]), "rule.elements", "Dy"),
        (lambda: ban("mined", forms=["metall"]), "rule.forms", "metal"),
        (lambda: ban("mined", also=[{"materials": ["oxid"]}]), "rule.also.materials", "oxide"),
        (lambda: ban("mined", end_uses=["defend"]), "rule.end_uses", "defense"),
        (lambda: rule(Exclude, offers=["cn-metl"]), "rule.offers", "cn-metal"),
        (lambda: rule(Exclude, catalogs=["tinny"]), "rule.catalogs", "tiny"),
        (lambda: rule(MaxShare, share="0.5", facilities=["cnn"]), "rule.facilities", "cn"),
        (lambda: rule(Pin, offer="cn-metall", at_most=1), "rule.offer", "cn-metal"),
    ],
)
@pytest.mark.parametrize("where", ["in memory", "in the case"])
def test_a_rule_that_names_nothing_is_refused(made: Callable[[], Rule], column: str, near: str, where: str) -> None:
    """A ban on a misspelt metal would let it be bought, and call the plan compliant."""
    made_rule = made()
    given = case(CIVIL)
    if where == "in the case":
        data = made_rule.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"kind": made_rule.kind}
        (problem,) = refused(planned, given.but(rules=(data,)), metals())
    else:
        (problem,) = refused(planned, given, metals(), made_rule)
    assert (problem.column, problem.fix) == (column, f"did you mean `{near}`?")


def test_law_may_speak_of_more_than_a_case_holds() -> None:
    """An end use that no demand has, and that is no slip, is another case's."""
    assert planned(case(CIVIL), metals(), ban("mined", end_uses=["nuclear"])).verified


@pytest.mark.parametrize("sites", [{"x": "x"}, {"x": "y", "y": "x"}, {"x": "y", "y": "z", "z": "x"}])
def test_a_facility_within_itself_is_refused(sites: dict[str, str]) -> None:
    """Over however many others, once for each circle; the plan once went round for ever."""
    found = refused(
        planned, case(CIVIL), metals(*(facility(name, "AU", 1, within=inside) for name, inside in sites.items()))
    )
    assert [p.message.split(":")[0] for p in found] == ["the facility lies within itself"]
    assert found[0].file == "catalog tiny, facility x"


def test_ids_given_twice_are_refused() -> None:
    """Of two offers, plants, materials, rates or lanes of one name either might have been meant."""
    facts = metals(facility("cn", "AU", 1), source("CN", 5))
    rate = Rate(currency="EUR", to="USD", rate=Decimal(1), start=date(2026, 1, 1), source=SOURCE)
    facts = facts.but(materials=(*facts.materials, facts.materials[0]), rates=(rate, rate))
    lanes = (Lane(to="US", source=SOURCE), Lane(to="US", source=SOURCE))
    found = refused(planned, case(CIVIL), changed(facts, "au-metal", lanes=lanes))
    assert sorted(p.message for p in found) == [
        "an earlier one already has the same currency, to, from",
        "an earlier one already has the same id",
        "an earlier one already has the same id",
        "an earlier one already has the same id",
        "an earlier one already has the same offer, to, from",
    ]


def test_rows_of_a_lane_leave_nothing_open() -> None:
    """What is paid before the first row begins, and how long it takes."""
    starts = (date(2026, 7, 1), date(2027, 7, 1))
    lanes = tuple(Lane.model_validate({"to": "US", "source": SOURCE, "start": start}) for start in starts)
    with pytest.raises(ValidationError, match="costs, or takes, before 2026-07-01"):
        changed(metals(), "au-metal", lanes=lanes)


def test_what_is_named_and_not_there_is_refused() -> None:
    """A plant, a good, a benchmark, a source: each with its record, its field and what was perhaps meant."""
    offer = (
        metals()
        .offers[0]
        .but(
            facility="cnn",
            price=Price(benchmark="rotterdam", source=SOURCE),
            outputs=(metals().offers[0].outputs[0].but(material="metl"),),
            chain=(ChainEntry(stage="mined", source="tiny:x"),),
        )
    )
    facts = metals().but(offers=(offer, *metals().offers[1:]))
    found = {p.column: p for p in refused(planned, case(CIVIL), facts)}
    assert {column: p.message for column, p in found.items()} == {
        "facility": "no such facility",
        "outputs[1].material": "no such material",
        "price.benchmark": "no such benchmark",
        "chain[1].source": "no such source",
    }
    assert found["facility"].fix == "did you mean `cn`?"
    assert found["outputs[1].material"].fix == "did you mean `metal`?"


@pytest.mark.parametrize(
    ("record", "update", "words"),
    [
        (Facility, {"id": "x", "country": "Atlantis"}, "a country by its ISO 3166 code or English name"),
        (Lane, {"to": "QQ"}, "a country by its ISO 3166 code"),
        (Price, {"amount": -(10**12), "currency": "USD"}, "from -100,000,000,000 to"),
        (Price, {"amount": 1, "currency": "USS"}, "a currency by its ISO 4217 code"),
        (Price, {"amount": float("nan"), "currency": "USD"}, "not a finite number"),
        (Price, {"amount": float("inf"), "currency": "USD"}, "not a finite number"),
        (Price, {"amount": True, "currency": "USD"}, "not true or false"),
        (Price, {"premium": "0.2"}, "a premium on no benchmark"),
        (ChainEntry, {"stage": "smelted"}, "one of mined, refined"),
        (ChainEntry, {"stage": "mined", "complete": True}, "complete but is empty"),
        (Material, {"id": "a b"}, "without spaces"),
        (Material, {"id": "a", "content": 0}, "a share above 0 and up to 1"),
        (Factor, {"element": "W", "compound": "WO3", "kg_per_kg": 2}, "a share above 0 and up to 1"),
        (Rate, {"currency": "USD", "to": "USD", "rate": 1, "start": date(2026, 1, 1)}, "not exchanged for itself"),
        (Offer, {"id": "a", "facility": "b", "outputs": ()}, "delivers nothing"),
        (DemandSpec, {"material": "metal", "end_use": "Defence", "per_year": 1}, "did you mean `defense`"),
        (DemandSpec, {"material": "metal", "end_use": "civil"}, "says no quantity"),
        (StoreSpec, {"material": "metal", "loss": 2}, "more than is held"),
        (StoreSpec, {"material": "metal", "from": "2027-02-01", "until": "2027-01-01"}, "is before `from`"),
        (Horizon, {"start": date(2026, 1, 1), "count": True, "length": PeriodLength.YEAR}, "a whole number"),
        (Horizon, {"start": date(9990, 1, 1), "count": 50, "length": PeriodLength.YEAR}, "last day of the calendar"),
        (Change, {"stock": "metal", "quantity": -1, "countries": ["US"]}, "zero or more"),
        (Change, {"stock": "metal", "quantity": 1, "countries": ["Mordor"]}, "countries by ISO 3166 code"),
    ],
)
def test_a_record_refuses_what_its_file_would(record: type[BaseModel], update: dict[str, Any], words: str) -> None:
    """At once, where it is made."""
    with pytest.raises(ValidationError, match=words):
        record.model_validate(update)


def test_stores_of_one_place_hold_one_after_another() -> None:
    """What holds on a day must not be open; a store that ends before the next begins is another."""
    old, new = ({"material": "metal", "holding": price} for price in (1, 2))
    one = case(CIVIL, stores=[StoreSpec.model_validate(old | {"until": "2026-06-30"})])
    apart = (*one.stores, StoreSpec.model_validate(new | {"from": "2026-07-01"}))
    assert len(Case.model_validate(dict(one) | {"stores": apart}).stores) == 2
    meeting = (*one.stores, StoreSpec.model_validate(new | {"from": "2026-06-30"}))
    with pytest.raises(ValidationError, match="there are two called `metal/US`"):
        Case.model_validate(dict(one) | {"stores": meeting})


def test_a_copy_that_nobody_looked_at_is_looked_at() -> None:
    """`model_copy` and `model_construct` look at nothing; before anything is planned all of it is, at once."""
    sold = metals().offers
    wrong = sold[0].but(min_order=-5.0, customs_origin="Chyna", facility="nowhere")
    late = sold[1].but(start=date(2027, 1, 1), end=date(2026, 1, 1))
    facts = metals().but(offers=(wrong, late, sold[2]))
    given = case(CIVIL).but(currency="DOL", demands=(CIVIL, CIVIL))
    assert {(p.file, p.column, p.message, p.expected) for p in refused(planned, given, facts)} == {
        ("case tiny", "currency", "cannot be read", "a currency by its ISO 4217 code, like USD"),
        ("case tiny", "demands[2].id", "there are two called `metal-civil`", "different names"),
        ("catalog tiny, offer cn-metal", "min_order", "cannot be read", "zero or more"),
        (
            "catalog tiny, offer cn-metal",
            "customs_origin",
            "cannot be read",
            "a country by its ISO 3166 code or English name",
        ),
        ("catalog tiny, offer cn-metal", "facility", "no such facility", "the id of a facility"),
        ("catalog tiny, offer au-metal", "end", "is before `from` (2027-01-01)", "a later day"),
    }


def test_a_record_without_a_field_is_refused() -> None:
    """Built without looking, it may lack what everything else reads."""
    facts = metals().but(offers=(Offer.model_construct(id="bare"), *metals().offers))
    found = refused(planned, case(CIVIL), facts)
    assert {(p.column, p.message) for p in found} == {
        ("facility", "a needed key is missing"),
        ("outputs", "a needed key is missing"),
    }


def test_what_a_case_accepts_must_be_known() -> None:
    """Under a misspelt status no law would hold, and everything pass."""
    given = case(CIVIL, accept=Accept(rule_status=("enactd",)))
    (problem,) = refused(planned, given, metals())
    assert (problem.column, problem.fix) == ("accept.rule_status", "did you mean `enacted`?")


def test_countries_may_be_called_by_name() -> None:
    """As in a file; the record keeps the code, a copy that nobody looked at too."""
    assert Facility(id="x", country="Australia").country == "AU"
    sites = tuple(site.but(country="China", place="") if site.id == "cn" else site for site in metals().facilities)
    facts = metals().but(facilities=sites)
    assert set(bought(planned(case(CIVIL), facts, rule(Exclude, countries=["CN"])))) == {"au-metal"}


def test_an_offer_is_of_the_catalog_that_holds_it() -> None:
    """Whatever it says: an exclusion of the catalog keeps it out."""
    loose = changed(metals(), "cn-metal", catalog="")
    assert not bought(planned(case(CIVIL), loose, rule(Exclude, catalogs=["tiny"])))


def test_scenarios_that_inherit_in_a_circle_are_refused() -> None:
    """A copy that nobody looked at too."""
    circle = (Scenario(name="a", inherits=("b",)), Scenario(name="b", inherits=("a", "c")))
    found = refused(planned, case(CIVIL).but(scenarios=circle), metals())
    assert sorted(p.message for p in found) == [
        "the scenario inherits from itself",
        "the scenario inherits from itself",
        "there is no scenario `c`",
    ]


def test_numbers_of_numpy_are_numbers() -> None:
    """A double by the shortest text that means it, whole numbers as such; true and false are none."""
    price = Price(amount=np.float64(0.1), currency="USD", source=SOURCE)
    assert str(price.amount) == "0.1"
    assert Price(amount=np.float32(0.5), currency="USD").amount == Decimal("0.5")
    offer = changed(metals(), "cn-metal", lot=np.int64(5), max_lots=np.int32(3), capacity_use=np.float64(1.5)).offers[0]
    assert (offer.lot, offer.max_lots, offer.capacity_use) == (5, 3, Decimal("1.5"))
    with pytest.raises(ValidationError, match="not true or false"):
        Price(amount=np.bool_(True), currency="USD")
    facts = (("cots", np.bool_(True)), ("share", np.float64(0.6)))
    wanted = DemandSpec(material="metal", end_use="civil", quantities=[np.float64(10)], facts=facts)
    assert wanted.facts == (("cots", True), ("share", Decimal("0.6")))
    plain = planned(case(CIVIL), metals()).run
    counted = planned(case(demand("metal", "civil", 10).but(quantities=(np.float64(10),))), metals())
    assert counted.run.purchases == plain.purchases


def test_rows_of_a_frame_make_records() -> None:
    """Numbers and days as pandas gives them; what is missing is no number."""
    import pandas as pd

    frame = pd.DataFrame(
        {"currency": ["EUR", "JPY"], "to": "USD", "rate": [1.1, None], "start": pd.to_datetime(["2026-01-01"] * 2)}
    )
    first, second = frame.to_dict("records")
    rate = Rate(**first)
    assert (rate.rate, rate.start) == (Decimal("1.1"), date(2026, 1, 1))
    with pytest.raises(ValidationError, match="nan is not a finite number"):
        Rate(**second)


def test_a_case_without_facts_in_memory_is_looked_at_too() -> None:
    """A catalog of no offers says so with the demand."""
    (problem,) = refused(planned, case(demand("gold", "civil", 1)), catalog())
    assert problem.found == "gold"
