"""Duties."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.use import Chained, Move
from friendshore.errors import InputError
from friendshore.rules.kinds import Tariff

from .samples import CLEAN, MAGNET, OXIDE, move, offer, tariff, use


def duty(rule: Tariff, way: Move | None = None, origin: str = "CN", chained: Chained | None = None) -> Decimal:
    """Duty on a kilogram worth 100."""
    return rule.charge(chained or offer(CLEAN), way or move(), use(), origin, Decimal(100))


EU = {"territory": ["EU"]}


@pytest.mark.parametrize(
    ("fields", "way", "expected"),
    [({}, ("JP", "US"), 25), ({}, ("US", "US"), 0), ({}, ("JP", "DE"), 0), ({}, ("US", "JP"), 0), (EU, ("DE", "FR"), 0), (EU, ("JP", "FR"), 25)],
)  # fmt: skip
def test_duty_is_due_on_entry(fields: dict[str, Any], way: tuple[str, str], expected: int) -> None:
    """Duty is charged on a move into the territory, and on no other: not on one between two members of a customs union."""
    assert duty(tariff(**fields), move(*way)) == expected


@pytest.mark.parametrize(
    ("fields", "origin", "expected"),
    [
        ({"origins": ["CN"]}, "CN", 25), ({"origins": ["CN"]}, "JP", 0), ({"except_origins": ["RU"]}, "RU", 0),
        ({"hs": ["850511"]}, "CN", 25), ({"hs": ["8505.19"]}, "CN", 0),
    ],
)  # fmt: skip
def test_duty_goes_by_origin_and_code(fields: dict[str, Any], origin: str, expected: int) -> None:
    """Codes match by their beginning, with or without dots; a material without a code is not covered by one."""
    assert duty(tariff(**fields), origin=origin) == expected
    assert duty(tariff(**fields), origin=origin, chained=offer({}, MAGNET.but(hs=""))) == 0


def test_specific_duty_by_basis_and_by_element() -> None:
    """A duty per kilogram of element counts the content; where that is not known, all of it."""
    oxide = offer({}, OXIDE)
    fields: dict[str, Any] = {"hs": ["2846"], "rate": 0.1, "specific": 2, "specific_currency": "USD"}
    assert duty(tariff(**fields), chained=oxide) == 12
    assert duty(tariff(**fields, specific_per="element"), chained=oxide) == 11
    unknown = offer({}, OXIDE.but(content=None))
    assert duty(tariff(**fields, specific_per="element"), chained=unknown) == 12


def test_specific_duty_in_the_case_currency() -> None:
    """A duty in dollars is converted for a case in euros, and refused where there is no rate."""
    rule = tariff(specific=2, specific_currency="USD", rate=0)
    assert rule.in_currency("USD", lambda _: None) is rule
    assert duty(rule.in_currency("EUR", lambda _: Decimal("0.9"))) == Decimal("1.8")
    with pytest.raises(InputError, match="exchange rate from USD to EUR"):
        rule.in_currency("EUR", lambda _: None)
    plain = tariff()
    assert plain.in_currency("EUR", lambda _: None) is plain
