"""Records made in Python pass every check that files pass, with the same words, all at once."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel, ValidationError

from friendshore.domain.case import Accept, Case, DemandSpec, Scenario, StoreSpec
from friendshore.domain.change import Change
from friendshore.domain.facts import ChainEntry, Facility, Lane, Material, Offer, Price
from friendshore.domain.market import Factor, Rate
from friendshore.domain.time import Horizon
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude
from friendshore.rules.kinds.limits import MaxShare, Pin

from ..building import (
    SOURCE,
    ban,
    bought,
    case,
    changed,
    demand,
    facility,
    metals,
    planned,
    refused,
    rule,
    source,
)

CIVIL = case(demand("metal", "civil", 10))


@pytest.mark.parametrize(
    ("made", "column", "near"),
    [
        (ban("mined", materials=["mettal"]), "materials", "metal"), (ban("mined", elements=["Dyy"]), "elements", "Dy"),
        (ban("mined", forms=["metall"]), "forms", "metal"), (ban("mined", also=[{"materials": ["oxid"]}]), "also.materials", "oxide"),
        (ban("mined", end_uses=["defend"]), "end_uses", "defense"), (rule(Exclude, offers=["cn-metl"]), "offers", "cn-metal"),
        (rule(Exclude, catalogs=["tinny"]), "catalogs", "tiny"), (rule(MaxShare, share="0.5", facilities=["cnn"]), "facilities", "cn"),
        (rule(Pin, offer="cn-metall", at_most=1), "offer", "cn-metal"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["in memory", "in the case"])
def test_a_rule_that_names_nothing_is_refused(made: Rule, column: str, near: str, where: str) -> None:
    """A ban on a misspelt metal would let it be bought, and call the plan compliant."""
    if where == "in the case":
        data = made.model_dump(mode="json", by_alias=True, exclude_defaults=True) | {"kind": made.kind}
        (problem,) = refused(planned, CIVIL.but(rules=(data,)), metals())
    else:
        (problem,) = refused(planned, CIVIL, metals(), made)
    assert (problem.column, problem.fix) == (f"rule.{column}", f"did you mean `{near}`?")


def test_law_may_speak_of_more_than_a_case_holds() -> None:
    """An end use that no demand has, and that is no slip, is another case's."""
    assert planned(CIVIL, metals(), ban("mined", end_uses=["nuclear"])).verified


@pytest.mark.parametrize("sites", [{"x": "x"}, {"x": "y", "y": "x"}, {"x": "y", "y": "z", "z": "x"}])
def test_a_facility_within_itself_is_refused(sites: dict[str, str]) -> None:
    """Over however many others, once for each circle; the plan once went round for ever."""
    circle = (facility(name, "AU", 1, within=inside) for name, inside in sites.items())
    (problem,) = refused(planned, CIVIL, metals(*circle))
    assert (problem.code, problem.column) == ("FS108", "within")
    assert problem.file == "catalog tiny, facility x"


def test_ids_given_twice_are_refused() -> None:
    """Of two offers, plants, materials, rates or lanes of one name either might have been meant."""
    facts = metals(facility("cn", "AU", 1), source("CN", 5))
    rate = Rate(currency="EUR", to="USD", rate=Decimal(1), start=date(2026, 1, 1), source=SOURCE)
    facts = facts.but(materials=(*facts.materials, facts.materials[0]), rates=(rate, rate))
    found = refused(planned, CIVIL, changed(facts, "au-metal", lanes=(Lane(to="US", source=SOURCE),) * 2))
    same = ["currency, to, from", "id", "id", "id", "offer, to, from"]
    assert {p.code for p in found} == {"FS105"}
    assert sorted(p.message.partition(" the same ")[2] for p in found) == same


def test_rows_of_a_lane_leave_nothing_open() -> None:
    """What is paid before the first row begins, and how long it takes."""
    starts = (date(2026, 7, 1), date(2027, 7, 1))
    lanes = tuple(Lane.model_validate({"to": "US", "source": SOURCE, "start": start}) for start in starts)
    with pytest.raises(ValidationError, match=r"FS026 .* before 2026-07-01"):
        changed(metals(), "au-metal", lanes=lanes)


USD = {"currency": "USD"}


@pytest.mark.parametrize(
    ("record", "update", "words"),
    [
        (Facility, {"id": "x", "country": "Atlantis"}, "a country by its ISO 3166 code or English name"), (Lane, {"to": "QQ"}, "a country by its ISO 3166 code"),
        (Price, {"amount": -(10**12), **USD}, "from -100,000,000,000 to"), (Price, {"amount": 1, "currency": "USS"}, "a currency by its ISO 4217 code"),
        (Price, {"amount": float("nan"), **USD}, "not a finite number"), (Price, {"amount": float("inf"), **USD}, "not a finite number"),
        (Price, {"amount": True, **USD}, "not true or false"), (Price, {"premium": "0.2"}, "FS026"),
        (ChainEntry, {"stage": "smelted"}, "one of mined, refined"), (ChainEntry, {"stage": "mined", "complete": True}, "FS026"),
        (Material, {"id": "a b"}, "without spaces"), (Material, {"id": "a", "content": 0}, "a share above 0 and up to 1"),
        (Factor, {"element": "W", "compound": "WO3", "kg_per_kg": 2}, "a share above 0 and up to 1"),
        (Rate, {**USD, "to": "USD", "rate": 1, "start": date(2026, 1, 1)}, "FS012"),
        (Offer, {"id": "a", "facility": "b", "outputs": ()}, "FS028"),
        (DemandSpec, {"material": "metal", "end_use": "Defence", "per_year": 1}, "did you mean `defense`"),
        (DemandSpec, {"material": "metal", "end_use": "civil"}, "FS028"), (StoreSpec, {"material": "metal", "loss": 2}, "FS013"),
        (StoreSpec, {"material": "metal", "from": "2027-02-01", "until": "2027-01-01"}, "FS020"),
        (Horizon, {"start": date(2026, 1, 1), "count": True, "length": "year"}, "a whole number"),
        (Horizon, {"start": date(9990, 1, 1), "count": 50, "length": "year"}, "FS040"),
        (Change, {"stock": "metal", "quantity": -1, "countries": ["US"]}, "zero or more"),
        (Change, {"stock": "metal", "quantity": 1, "countries": ["Mordor"]}, "countries by ISO 3166 code"),
    ],
)  # fmt: skip
def test_a_record_refuses_what_its_file_would(record: type[BaseModel], update: dict[str, Any], words: str) -> None:
    """At once, where it is made."""
    with pytest.raises(ValidationError, match=words):
        record.model_validate(update)


def test_stores_of_one_place_hold_one_after_another() -> None:
    """What holds on a day must not be open; a store that ends before the next begins is another."""

    def stores(start: str) -> Case:
        days = {"holding": 1, "until": "2026-06-30"}, {"holding": 2, "from": start}
        return CIVIL.model_validate({**dict(CIVIL), "stores": [{"material": "metal", **more} for more in days]})

    assert len(stores("2026-07-01").stores) == 2
    with pytest.raises(ValidationError, match="FS025"):
        stores("2026-06-30")


def test_a_copy_that_nobody_looked_at_is_looked_at() -> None:
    """`model_copy` and `model_construct` look at nothing; before anything is planned all of it is, at once."""
    cn, au, jp = metals().offers
    wrong = cn.but(min_order=-5.0, customs_origin="Chyna", facility="nowhere")
    facts = metals().but(offers=(wrong, au.but(start=date(2027, 1, 1), end=date(2026, 1, 1)), jp))
    given = CIVIL.but(currency="DOL", demands=CIVIL.demands * 2)
    country = "a country by its ISO 3166 code or English name"
    assert {(p.file, p.column, p.code, p.expected) for p in refused(planned, given, facts)} == {
        ("case tiny", "currency", "FS015", "a currency by its ISO 4217 code, like USD"),
        ("case tiny", "demands[2].id", "FS024", "different names"),
        ("catalog tiny, offer cn-metal", "min_order", "FS013", "zero or more"),
        ("catalog tiny, offer cn-metal", "customs_origin", "FS015", country),
        ("catalog tiny, offer cn-metal", "facility", "FS102", "the id of a facility"),
        ("catalog tiny, offer au-metal", "end", "FS020", "2027-01-01 or later"),
    }


def test_a_record_without_a_field_is_refused() -> None:
    """Built without looking, it may lack what everything else reads."""
    facts = metals().but(offers=(Offer.model_construct(id="bare"), *metals().offers))
    found = {(p.column, p.code) for p in refused(planned, CIVIL, facts)}
    assert found == {(name, "FS002") for name in ("facility", "outputs")}


def test_what_a_case_accepts_must_be_known() -> None:
    """Under a misspelt status no law would hold, and everything pass."""
    (problem,) = refused(planned, CIVIL.but(accept=Accept(rule_status=("enactd",))), metals())
    assert (problem.column, problem.fix) == ("accept.rule_status", "did you mean `enacted`?")


def test_countries_may_be_called_by_name() -> None:
    """As in a file; the record keeps the code, a copy that nobody looked at too."""
    assert Facility(id="x", country="Australia").country == "AU"
    sites = tuple(site.but(country="China", place="") if site.id == "cn" else site for site in metals().facilities)
    found = planned(CIVIL, metals().but(facilities=sites), rule(Exclude, countries=["CN"]))
    assert set(bought(found)) == {"au-metal"}


def test_an_offer_is_of_the_catalog_that_holds_it() -> None:
    """Whatever it says: an exclusion of the catalog keeps it out."""
    loose = changed(metals(), "cn-metal", catalog="")
    assert not bought(planned(CIVIL, loose, rule(Exclude, catalogs=["tiny"])))


def test_scenarios_that_inherit_in_a_circle_are_refused() -> None:
    """A copy that nobody looked at too."""
    circle = (Scenario(name="a", inherits=("b",)), Scenario(name="b", inherits=("a", "c")))
    found = refused(planned, CIVIL.but(scenarios=circle), metals())
    assert [(p.column, p.code) for p in found] == [(f"scenarios[{n}].inherits", "FS037") for n in (1, 2, 2)]


def test_numbers_of_numpy_are_numbers() -> None:
    """A double by the shortest text that means it, whole numbers as such; true and false are none."""
    assert str(Price(amount=np.float64(0.1), currency="USD").amount) == "0.1"
    assert Price(amount=np.float32(0.5), currency="USD").amount == Decimal("0.5")
    offer = changed(metals(), "cn-metal", lot=np.int64(5), max_lots=np.int32(3), capacity_use=np.float64(1.5)).offers[0]
    assert (offer.lot, offer.max_lots, offer.capacity_use) == (5, 3, Decimal("1.5"))
    with pytest.raises(ValidationError, match="not true or false"):
        Price(amount=np.bool_(True), currency="USD")
    facts = (("cots", np.bool_(True)), ("share", np.float64(0.6)))
    wanted = DemandSpec(material="metal", end_use="civil", quantities=[np.float64(10)], facts=facts)
    assert wanted.facts == (("cots", True), ("share", Decimal("0.6")))
    counted = planned(case(CIVIL.demands[0].but(quantities=(np.float64(10),))), metals())
    assert counted.run.purchases == planned(CIVIL, metals()).run.purchases


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
