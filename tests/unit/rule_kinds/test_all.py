"""What holds of every kind."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.rules.base import Rule
from friendshore.rules.kinds import Exclude, ExportControl, OriginBan, Tariff
from friendshore.rules.kinds.limits import Cover, MaxShare, MinSuppliers

from .samples import ALLOY, COTS, MAGNET, METAL_SCRAP, OXIDE, ban, control, tariff

SAMPLES = [
    ban(exceptions=[COTS], recycled=METAL_SCRAP, steps={"reduction": "produced"}, also=[{"elements": ["Sm"]}]),
    ban(countries=[], allow=["US"], stages=["melted"]),
    control(destinations=["US"], judged_on="use", end_uses=["defense"], buyers=["Acme"], reach="origin"),
    control(effect="licence"),
    tariff(specific=2, specific_currency="USD", except_origins=["RU"]),
    tariff(rate=0),
    Exclude.model_validate({"suppliers": ["Works"], "countries": ["CN"], "end_uses": ["civil"]}),
]


@pytest.mark.parametrize("rule", SAMPLES, ids=lambda rule: rule.kind)
def test_rules_survive_json(rule: OriginBan | ExportControl | Tariff | Exclude) -> None:
    """A rule written as JSON and read again is the same rule, to the byte, and can be a key."""
    text = rule.model_dump_json(by_alias=True)
    again = type(rule).model_validate_json(text)
    assert again == rule
    assert again.model_dump_json(by_alias=True) == text
    assert hash(again) == hash(rule)


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        (ban(stages=["melted", "mined"]), "Magnet, for defense use, must not be mined or melted in CN or RU."),
        (
            ban(countries=[], allow=["US", "JP"], end_uses=[], stages=["melted"], exceptions=[COTS]),
            "Magnet must not be melted outside JP and US, unless excepted (cots).",
        ),
        (
            control(destinations=["US"], judged_on="use", end_uses=["defense"], reach="origin"),
            "Dy, of CN, must not move across any border for defense use in US.",
        ),
        (control(effect="licence"), "Dy, leaving CN, may move only under licence."),
        (
            tariff(origins=["CN"], specific=2, specific_currency="USD"),
            "Goods of HS 8505.11 of CN origin entering PR or US: a duty of 25 % of the value plus 2 USD per kg.",
        ),
        (tariff(rate=0), "Goods of HS 8505.11 entering PR or US: no duty."),
        (Exclude.model_validate({"suppliers": ["Works"], "countries": ["CN"]}), "Any material must not come from suppliers Works or countries CN."),
    ],
)  # fmt: skip
def test_every_kind_says_what_it_does(rule: OriginBan | ExportControl | Tariff | Exclude, sentence: str) -> None:
    """The sentence is made from the fields and reads as one."""
    assert rule.sentence() == sentence


@pytest.mark.parametrize(
    ("kind", "fields", "words"),
    [
        (MaxShare, {"share": "50 %"}, "demand and stock have no day of order"),
        (MaxShare, {"share": "50 %", "of": "purchases", "include_stock": True}, "demand and stock have no day of order"),
        (MinSuppliers, {"count": 2}, "other limits by delivery"),
        (Cover, {"days": 30}, "other limits by delivery"),
        (Tariff, {"rate": "5 %"}, "dated by arrival"),
    ],
)  # fmt: skip
def test_only_what_is_bought_is_counted_by_day_of_order(kind: type[Rule], fields: dict[str, Any], words: str) -> None:
    """Demand, stock and moves have other days."""
    with pytest.raises(ValidationError, match=words):
        kind.model_validate({"id": "r", **fields, "dated_by": "order"})


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"countries": []}, "exactly one of"),
        ({"allow": ["US"]}, "exactly one of"),
        ({"stages": []}, "at least 1"),
        ({"countries": ["Chna"]}, "neither a country"),
        ({"steps": {"reduction": "made"}}, "Input should be"),
        ({"recycled": {"needs": ["baking"], "within": ["US"]}}, "neither a stage nor a step"),
    ],
)
def test_a_ban_that_makes_no_sense_is_refused(fields: dict[str, Any], message: str) -> None:
    """A mistake in a rule is an error when it is read, never a ban that silently bars nothing."""
    with pytest.raises(ValidationError, match=message):
        ban(**fields)


def test_also_alone_does_not_cover_everything() -> None:
    """A rule that lists its materials under `also` alone covers those and no others."""
    rule = ban(forms=[], also=[{"elements": ["Dy"]}, {"materials": ["alloy"]}])
    assert rule.covers(OXIDE)
    assert rule.covers(ALLOY)
    assert not rule.covers(MAGNET)
    assert ban(forms=[]).covers(MAGNET)
