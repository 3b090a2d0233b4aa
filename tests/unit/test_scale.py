"""Grams beside kilotons: solved right where a solver can, warned of where it cannot, and quantities below the resolution."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Registry
from friendshore.errors import Diagnostic
from friendshore.recommend import gather
from friendshore.recommend.doubtful import out_of_scale
from friendshore.rules.kinds.limits import Budget

from ..building import bought, built, case, catalog, chain, demand, facility, lines, offer, planned, rule, source

SMALL = Path(__file__).parents[2] / "docs" / "cases" / "small"


def said(suggestions: list[Diagnostic]) -> list[str]:
    """What is suggested, without the numbers."""
    return [suggestion.message for suggestion in suggestions]


@pytest.mark.parametrize("milligrams", [1, 10**3, 10**6])
@pytest.mark.parametrize("onboarding", [None, 1000])
def test_grams_of_an_input_beside_kilotons_of_what_is_made_of_it(milligrams: int, onboarding: int | None) -> None:
    """Metal takes so many milligrams of oxide a kilogram, of which the cheap plant makes just half of what is needed.

    8,000 t of metal are wanted, and 50 g of oxide for itself: one component of grams and kilotons, planned to the cent.
    """
    per_kg = Decimal(milligrams) / 10**6
    half = per_kg * 2_000_000
    cheap = {"onboarding": onboarding, "onboarding_currency": "USD"} if onboarding else {}
    facts = catalog(
        facility("au", "AU", float(half)),
        facility("cn", "CN"),
        facility("jp", "JP"),
        source("AU", 20, "oxide", **cheap),
        source("CN", 40, "oxide"),
        offer("melt", "jp", "metal", 3, chain("JP", "melted"), inputs=lines(oxide=float(per_kg))),
    )
    given = case(demand("metal", "civil", 4_000_000, 4_000_000), demand("oxide", "civil", "0.05", "0.05", price=10**6))
    assert list(out_of_scale(built(given, facts))) == []
    found = planned(given, facts)
    all_dear = 40 * (per_kg * 8_000_000 + Decimal("0.1"))
    assert found.cost.objective == 24_000_000 + all_dear + min(0, (onboarding or 0) - 20 * 2 * half)
    assert found.gap == 0


def test_prices_that_no_solver_tells_apart_are_warned_of() -> None:
    """A budget puts 5 g of salt at a dollar beside 50,000 t of metal into one program."""
    sites = (facility("au", "AU"), facility("cn", "CN"))
    facts = catalog(*sites, source("CN", 3), source("AU", 4), source("AU", 1, "salt"), source("CN", 2, "salt"))
    given = case(demand("metal", "civil", 50_000_000), demand("salt", "civil", "0.005", price=10**7))
    (warning,) = out_of_scale(built(given, facts, rule(Budget, amount=10**10)))
    assert "what salt from `au-salt` costs is lost beside what a shortage of `metal-civil` costs" in warning.message
    assert warning.file == "tiny: offers.csv"
    assert "times apart" in warning.found
    assert list(out_of_scale(built(given, facts))) == []  # without the budget they have nothing to do with each other


def test_an_order_minimum_that_is_nothing_beside_the_order_is_warned_of() -> None:
    """At least 10 g, of an offer that may bring five million tonnes."""
    facts = catalog(facility("cn", "CN"), source("CN", 3, min_order="0.01"))
    (warning,) = out_of_scale(built(case(demand("metal", "civil", 5 * 10**9)), facts))
    assert "an order of `cn-metal` is lost beside metal from `cn-metal`" in warning.message
    assert "order minimum of cn-metal" in warning.message


def test_what_is_below_the_resolution_is_warned_of_and_rounded_up() -> None:
    """0.4 g of oxide in all 4,000 t of metal: a plan to the gram buys one."""
    facts = catalog(
        facility("au", "AU"),
        facility("jp", "JP"),
        source("AU", 5, "oxide"),
        offer("melt", "jp", "metal", 3, chain("JP", "melted"), inputs=lines(oxide="1e-10")),
    )
    given = case(demand("metal", "civil", 4_000_000))
    assert said(list(out_of_scale(built(given, facts))))[-2:] == [
        "the most that offer `au-oxide` can bring in any period is below 0.001 kg, the resolution to which plans are rounded",
        "the most that offer `melt` can take of oxide in any period is below 0.001 kg, the resolution to which plans are rounded",
    ]
    assert bought(planned(given, facts)) == {"melt": 4_000_000, "au-oxide": 0.001}
    finer = given.model_copy(update={"resolution": Decimal("1e-7")})
    assert not any("below" in message for message in said(list(out_of_scale(built(finer, facts)))))
    assert bought(planned(finer, facts))["au-oxide"] == pytest.approx(0.0004)


@pytest.mark.parametrize("name", sorted(p.name for p in SMALL.iterdir()))
def test_the_worked_cases_are_in_scale(name: str) -> None:
    """No warning for any of the small cases of the documentation."""
    loaded = friendshore.load_case(SMALL / name)
    assert list(out_of_scale(gather(loaded, Registry.of()).inputs.problem())) == []
