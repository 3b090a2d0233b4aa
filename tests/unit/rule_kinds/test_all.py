"""What holds of every kind."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from pydantic import ValidationError
from tests.building import rule as made

from friendshore.plugins import Registry
from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude
from friendshore.rules.kinds.limits import Budget, Cover, MaxShare, MinSuppliers

from .samples import ALLOY, COTS, MAGNET, METAL_SCRAP, OXIDE, ban, control, tariff

SAMPLES = [
    ban(exceptions=[COTS], recycled=METAL_SCRAP, steps={"reduction": "produced"}, also=[{"elements": ["Sm"]}]),
    ban(countries=[], allow=["US"], stages=["melted"]),
    control(destinations=["US"], judged_on="use", end_uses=["defense"], buyers=["Acme"], reach="origin"),
    control(effect="license"),
    tariff(specific=2, specific_currency="USD", except_origins=["RU"]),
    tariff(rate=0),
    Exclude.model_validate({"suppliers": ["Works"], "countries": ["CN"], "end_uses": ["civil"]}),
]


@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.kind)
def test_rules_survive_json(rule: Rule) -> None:
    """A rule written as JSON and read again is the same rule, to the byte, and can be a key."""
    text = rule.model_dump_json(by_alias=True)
    again = type(rule).model_validate_json(text)
    assert again == rule
    assert again.model_dump_json(by_alias=True) == text
    assert hash(again) == hash(rule)


FIGURES: list[dict[str, Any]] = [
    {"kind": "budget", "amount": 1_000_000},
    {"kind": "budget", "amount": "1000000.50"},
    {"kind": "pin", "offer": "tin-au", "exactly": "300 kg"},
    {"kind": "pin", "offer": "tin-au", "at_least": "300.50 kg", "at_most": "2 t"},
    {"kind": "pin", "offers": {"tin-au": 2, "tin-my": 1}, "at_least": "300 kg"},
    {"kind": "stock-level", "at_least": "5 t", "at_most": "10 t", "materials": ["tin"]},
    {"kind": "stock-level", "exactly": "0 kg", "materials": ["tin", "ore"], "weights": {"tin": 3}, "together": True},
    {"kind": "tariff", "territory": ["US"], "specific": 2, "specific_currency": "USD"},
    {"kind": "tariff", "territory": ["US"], "rate": 0.25},
    {"kind": "cover", "days": 90},
    {"kind": "max-share", "by": "country", "share": "60%"},
]


@pytest.mark.parametrize("data", FIGURES, ids=lambda data: f"{data['kind']}-{list(data)[-1]}-{list(data.values())[-1]}")
def test_a_rule_read_again_from_the_facts_of_a_run_says_the_same(data: dict[str, Any]) -> None:
    """There a whole number may stand with a decimal point. What `verify` compares with the run is what the run says."""
    rule = Registry.of().rule({"id": "r", **data})
    stated = json.loads(rule.model_dump_json(by_alias=True, exclude_defaults=True))
    assert Registry.of().rule(stated | {"kind": rule.kind, "id": "r"}).sentence() == rule.sentence()


NO_MORE = "No more than 5, in the case's currency, may be spent on"


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (ban(stages=["melted", "mined"]), "Magnet, for defense use, must not be mined or melted in CN or RU."),
        (ban(countries=[], allow=["US", "JP"], end_uses=[], stages=["melted"], exceptions=[COTS]), "Magnet must not be melted outside JP and US, unless exempt (cots)."),
        (control(destinations=["US"], judged_on="use", end_uses=["defense"], reach="origin"), "Dy, of CN, must not move across any border for defense use in US."),
        (control(effect="license"), "Dy, leaving CN, may move only under a license."),
        (tariff(origins=["CN"], specific=2, specific_currency="USD"), "Goods of HS 8505.11 of CN origin entering PR or US: a duty of 25% of the value plus 2 USD per kg."),
        (tariff(rate=0), "Goods of HS 8505.11 entering PR or US: no duty."),
        (made(Budget, amount=5, materials=["metal"], per="year"), f"{NO_MORE} metal in any year."),
        (made(Budget, amount=5, suppliers=["Great Metals"], per="horizon"), f"{NO_MORE} any material from Great Metals over the plan."),
        (Exclude.model_validate({"suppliers": ["Works"], "countries": ["CN"]}), "Any material must not come from suppliers Works or countries CN."),
    ],
)  # fmt: skip
def test_every_kind_says_what_it_does(rule: Rule, sentence: str) -> None:
    """The sentence is made from the fields and reads as one."""
    assert rule.sentence() == sentence


DEMAND_HAS_NONE = "demand and stock have no order date"


@pytest.mark.parametrize(
    ("make", "fields", "words"),
    [
        (ban, {"countries": []}, "and not both"),
        (ban, {"allow": ["US"]}, "and not both"),
        (ban, {"stages": []}, "at least 1"),
        (ban, {"countries": ["Chna"]}, "is not an ISO 3166 country code"),
        (ban, {"steps": {"reduction": "made"}}, "Input should be"),
        (ban, {"recycled": {"needs": ["baking"], "within": ["US"]}}, "is not a stage or a step"),
        (tariff, {"specific": 2}, "specific_currency"),
        (tariff, {"rate": -0.1}, "rate"),
        (tariff, {"territory": []}, "territory"),
        (tariff, {"basis": "cif"}, "basis"),
        (tariff, {"specific": 2, "specific_currency": "dollars"}, "specific_currency"),
        (partial(made, Exclude), {}, "name at least one of offers, facilities"),
        *((partial(made, Exclude), {"suppliers": [name]}, "contains no letter or digit") for name in ("", " ", "-", "The")),
        # Only what is bought is counted by day of order.
        (partial(made, MaxShare), {"share": "50%", "dated_by": "order"}, DEMAND_HAS_NONE),
        (partial(made, MaxShare), {"share": "50%", "of": "purchases", "include_stock": True, "dated_by": "order"}, DEMAND_HAS_NONE),
        (partial(made, MinSuppliers), {"count": 2, "dated_by": "order"}, "other limits by delivery"),
        (partial(made, Cover), {"days": 30, "dated_by": "order"}, "other limits by delivery"),
        (tariff, {"dated_by": "order"}, "dated by arrival"),
    ],
)  # fmt: skip
def test_a_rule_that_makes_no_sense_is_refused(make: Callable[..., Rule], fields: dict[str, Any], words: str) -> None:
    """A mistake in a rule is an error when it is read, never a ban that silently bars nothing, nor a duty computed wrongly."""
    with pytest.raises(ValidationError, match=words):
        make(**fields)


def test_also_alone_does_not_cover_everything() -> None:
    """A rule that lists its materials under `also` alone covers those and no others."""
    rule = ban(forms=[], also=[{"elements": ["Dy"]}, {"materials": ["alloy"]}])
    assert rule.covers(OXIDE)
    assert rule.covers(ALLOY)
    assert not rule.covers(MAGNET)
    assert ban(forms=[]).covers(MAGNET)
