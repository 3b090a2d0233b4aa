"""A rule says the same of itself when it is read again from the facts of a run, where a whole number may stand with a decimal point."""

from __future__ import annotations

import json
from typing import Any

import pytest

from friendshore.plugins import Registry

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
    {"kind": "max-share", "by": "country", "share": "60 %"},
]


@pytest.mark.parametrize("data", FIGURES, ids=lambda data: f"{data['kind']}-{list(data)[-1]}-{list(data.values())[-1]}")
def test_a_rule_read_again_says_the_same(data: dict[str, Any]) -> None:
    """What `verify` compares with the run is what the run says."""
    rule = Registry.of().rule({"id": "r", **data})
    again = Registry.of().rule(
        json.loads(rule.model_dump_json(by_alias=True, exclude_defaults=True)) | {"kind": rule.kind, "id": "r"}
    )
    assert again.sentence() == rule.sentence()
