"""Money and shares are written alike in every key: as numbers, or with their unit, which is checked."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.change import Change
from friendshore.domain.values import YearlyShare
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.reading.kinds import kind_of
from friendshore.rules.base import FactTest, Rule


def made(kind: str, **keys: Any) -> Rule:
    """A rule from its data."""
    return Registry.of().rule({"kind": kind, "id": "x", **keys})


@pytest.mark.parametrize(
    ("kind", "keys", "field", "value", "currency"),
    [
        ("budget", {"amount": "60,000,000 USD"}, "amount", 60_000_000, "USD"),
        ("budget", {"amount": 5000, "penalty": "10%"}, "penalty", Decimal("0.1"), ""),
        ("max-share", {"share": "100%", "penalty": "5 USD/kg"}, "penalty", 5, "USD"),
        ("max-share", {"share": 1, "penalty": "5000 USD/t"}, "penalty", 5, "USD"),
        ("min-suppliers", {"count": 2, "penalty": "5000 USD"}, "penalty", 5000, "USD"),
        ("stock-level", {"at_least": "5 t", "penalty": "5 EUR/kg"}, "penalty", 5, "EUR"),
        ("cover", {"days": 30, "penalty": "5 EUR/kg"}, "penalty", 5, "EUR"),
        ("pin", {"offer": "a", "at_most": "5 t", "penalty": "5 EUR/kg"}, "penalty", 5, "EUR"),
        ("tariff", {"rate": "100%"}, "rate", 1, ""),
        ("tariff", {"rate": "125%"}, "rate", Decimal("1.25"), ""),
        ("tariff", {"specific": "1500 USD/t"}, "specific", Decimal("1.5"), "USD"),
    ],
)
def test_amounts_with_their_unit(kind: str, keys: dict[str, Any], field: str, value: Decimal, currency: str) -> None:
    """Each comes to the number that it says, and its currency is kept, also over JSON."""
    rule = made(kind, **keys)
    told = "specific_currency" if field == "specific" else "currency"
    for one in (rule, type(rule).model_validate_json(rule.model_dump_json(by_alias=True))):
        assert getattr(one, field) == value
        assert getattr(one, told, "") == currency


@pytest.mark.parametrize(
    ("kind", "keys", "said"),
    [
        ("budget", {"amount": "60 t"}, "an amount with its ISO 4217 currency"),
        ("budget", {"amount": "5 USD/kg"}, "an amount with its ISO 4217 currency"),
        ("budget", {"amount": "5 USX"}, "is not an ISO 4217 currency code"),
        ("budget", {"amount": "5 USD", "currency": "EUR"}, "several currencies: EUR and USD"),
        ("max-share", {"share": "100 t"}, "a share"),
        ("max-share", {"share": 1, "penalty": "5 USD"}, "money per mass"),
        ("min-suppliers", {"count": 2, "penalty": "5 USD/kg"}, "an amount with its ISO 4217 currency"),
        ("tariff", {"rate": "5 USD"}, "a share"),
        ("tariff", {"specific": "5 USD/kg", "specific_currency": "EUR"}, "`specific_currency` is EUR"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(kind: str, keys: dict[str, Any], said: str) -> None:
    """What was expected is told."""
    with pytest.raises(InputError, match=said):
        made(kind, **keys)


def test_amounts_in_another_currency_than_the_case_are_refused() -> None:
    """As in the case's own keys; a number is in the case's currency, whichever that is."""
    with pytest.raises(InputError) as refused:
        made("budget", amount="5 USD").in_currency("EUR", lambda _: Decimal(2))
    (problem,) = refused.value.problems
    assert (problem.code, problem.found, problem.expected) == ("FS305", "USD", "amounts in EUR")
    assert made("budget", amount="5 EUR").in_currency("EUR", lambda _: None)
    assert made("budget", amount=5).in_currency("EUR", lambda _: None)


def test_changes_of_packs_are_written_as_those_of_cases() -> None:
    """A pack's scenario may say `5 t` and `150%`, as a case's does."""
    assert Change.model_validate({"stock": "m", "quantity": "5 t", "countries": ["US"]}).quantity == 5000
    assert Change.model_validate({"capacity": "f", "per_year": "20 t/year"}).per_year == 20_000
    assert Change.model_validate({"demand": "d", "factor": "150%"}).factor == Decimal("1.5")
    assert Change.model_validate({"demand": "d", "delay": "2 quarters"}).delay == 6
    priced = Change.model_validate({"price": "p", "amount": "500 EUR/kg"})
    assert (priced.amount, priced.currency) == (500, "EUR")
    with pytest.raises(ValueError, match="`quantity` is `5 tonn`: expected one of the units"):
        Change.model_validate({"stock": "m", "quantity": "5 tonn", "countries": ["US"]})


def test_shares_a_year_and_thresholds_are_shares() -> None:
    """`5%/year`, `5%` and 0.05 are one; a fact may be tested against `50%`."""
    assert {kind_of(YearlyShare).read(value) for value in ("5%/year", "5%", Decimal("0.05"), "0.05")} == {
        Decimal("0.05")
    }
    assert FactTest.model_validate({"fact": "f", "at_least": "50%"}).succeeds({"f": Decimal("0.6")})
