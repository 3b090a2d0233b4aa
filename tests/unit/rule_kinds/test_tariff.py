"""Duties."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pydantic import ValidationError

from friendshore.domain.use import Chained, Move
from friendshore.errors import InputError
from friendshore.rules.kinds import Tariff

from .samples import CLEAN, MAGNET, OXIDE, move, offer, tariff, use


def duty(rule: Tariff, way: Move | None = None, origin: str = "CN", chained: Chained | None = None) -> Decimal:
    """Duty on a kilogram worth 100."""
    return rule.charge(chained or offer(CLEAN), way or move(), use(), origin, Decimal(100))


@pytest.mark.parametrize(
    ("way", "expected"), [(("JP", "US"), 25), (("US", "US"), 0), (("JP", "DE"), 0), (("US", "JP"), 0)]
)
def test_duty_is_due_on_entry(way: tuple[str, str], expected: int) -> None:
    """Duty is charged on a move into the territory, and on no other."""
    assert duty(tariff(), move(*way)) == expected


def test_a_territory_of_several_countries_is_one() -> None:
    """A move between two members of a customs union enters nothing."""
    rule = tariff(territory=["EU"])
    assert duty(rule, move("DE", "FR")) == 0
    assert duty(rule, move("JP", "FR")) == 25


def test_duty_by_origin() -> None:
    """Origins and excepted origins are those of customs."""
    assert duty(tariff(origins=["CN"]), origin="CN") == 25
    assert duty(tariff(origins=["CN"]), origin="JP") == 0
    assert duty(tariff(except_origins=["RU"]), origin="RU") == 0


def test_codes_match_by_their_beginning_with_or_without_dots() -> None:
    """`8505.11` covers `8505.11.00`, and a material without a code is not covered by a code."""
    assert duty(tariff(hs=["850511"])) == 25
    assert duty(tariff(hs=["8505.19"])) == 0
    assert duty(tariff(), chained=offer({}, MAGNET.but(hs=""))) == 0


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


@pytest.mark.parametrize(
    "fields",
    [
        {"specific": 2},
        {"rate": -0.1},
        {"territory": []},
        {"basis": "cif"},
        {"specific": 2, "specific_currency": "dollars"},
    ],
)
def test_a_tariff_that_cannot_be_charged_is_refused(fields: dict[str, Any]) -> None:
    """What would be computed wrongly is an error when the rule is read."""
    with pytest.raises(ValidationError):
        tariff(**fields)
