"""Kilograms of one substance as kilograms of another."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.basis import Factors, basis_factor, content_of, equal_weights, missing_factor
from friendshore.domain.facts import Material
from friendshore.domain.market import Factor

FACTORS = (
    Factor(element="W", compound="WO3", kg_per_kg=Decimal("0.793")),
    Factor(element="W", compound="FeW", kg_per_kg=Decimal("0.75")),
    Factor(element="WO3", compound="ore", kg_per_kg=Decimal("0.65")),
)
APT = Material(id="apt", element="W", basis="WO3")
ORE = Material(id="ore", element="W", basis="gross")
METAL = Material(id="metal", element="W", basis="W")
ALLOY = Material(id="alloy", element="W", basis="gross", content=Decimal("0.9"))


@pytest.mark.parametrize(
    ("material", "substance", "factor"),
    [
        (APT, "", "1"),
        (APT, "WO3", "1"),
        (METAL, "WO3", "0.793"),
        (APT, "FeW", str(Decimal("0.75") / Decimal("0.793"))),
        (ORE, "WO3", str(1 / Decimal("0.65"))),
        (ORE, "ore", "1"),
        (ORE, "gross", "1"),
        (ORE, "W", str(1 / (Decimal("0.65") * Decimal("0.793")))),
        (ALLOY, "W", str(1 / Decimal("0.9"))),
        (ALLOY, "WO3", str(Decimal("0.793") / Decimal("0.9"))),
    ],
)
def test_conversions(material: Material, substance: str, factor: str) -> None:
    """Oxide to metal, metal to oxide, oxide to alloy and content of an ore all go by the element they share."""
    found = basis_factor(material, substance, FACTORS)
    assert found is not None
    assert abs(found - Decimal(factor)) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("material", "substance", "row"),
    [(APT, "W2C", ("W", "W2C")), (Material(id="dy", element="Dy", basis="Dy2O3"), "Dy", ("Dy", "Dy2O3"))],
)
def test_a_missing_factor_is_named(material: Material, substance: str, row: tuple[str, str]) -> None:
    """Where no factor is known there is no conversion, and the row to add is named."""
    factors = Factors(FACTORS)
    assert basis_factor(material, substance, factors) is None
    assert missing_factor(material, substance, factors) == row


def test_an_ambiguous_conversion_is_refused() -> None:
    """Two substances that share two elements in different proportions are not converted without knowing which is meant."""
    factors = [
        Factor(element="Nd", compound="magnet", kg_per_kg=Decimal("0.2")),
        Factor(element="Pr", compound="magnet", kg_per_kg=Decimal("0.1")),
        Factor(element="Nd", compound="mix", kg_per_kg=Decimal("0.5")),
        Factor(element="Pr", compound="mix", kg_per_kg=Decimal("0.5")),
    ]
    assert basis_factor(Material(id="magnet"), "mix", factors) is None
    assert basis_factor(Material(id="magnet", element="Nd"), "mix", factors) == Decimal("2.5")


def test_factors_that_go_in_a_circle_end() -> None:
    """Rows that define each other are followed once."""
    circle = [
        Factor(element="A", compound="B", kg_per_kg=Decimal("0.5")),
        Factor(element="B", compound="A", kg_per_kg=Decimal("0.5")),
    ]
    assert Factors(circle).contents("A") == {"A": 1, "B": Decimal("0.5")}


def test_contents() -> None:
    """A stated content wins, a known factor comes next, and what nobody knows is None."""
    factors = Factors(FACTORS)
    assert content_of(ALLOY, factors) == Decimal("0.9")
    assert content_of(APT, factors) == Decimal("0.793")
    assert content_of(Material(id="x", element="W", basis="gross"), factors) is None
    assert content_of(Material(id="x"), factors) is None


@given(st.sampled_from(["W", "WO3", "FeW"]), st.sampled_from(["W", "WO3", "FeW"]))
def test_there_and_back_is_the_same(one: str, other: str) -> None:
    """Converting from one substance to another and back gives the same mass."""
    there = basis_factor(Material(id="m", element="W", basis=one), other, FACTORS)
    back = basis_factor(Material(id="m", element="W", basis=other), one, FACTORS)
    assert there is not None
    assert back is not None
    assert abs(there * back - 1) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("material", "weights"),
    [
        (Material(id="oxide", element="Sb", form="oxide", basis="Sb"), {"Sb2O3": "1.19703"}),
        (Material(id="apt", element="W", form="apt", basis="W"), {"APT": "1.42491", "WO3": "1.26103"}),
        (Material(id="ore", element="W", form="concentrate", basis="WO3"), {"W": "0.793"}),
        (Material(id="metal", element="Sb", form="metal", basis="Sb"), {}),
        (Material(id="gross", element="Sb", form="oxide", basis="gross"), {}),
        (Material(id="unknown", element="Xe", form="oxide", basis="Xe"), {}),
    ],
)
def test_equal_weights(material: Material, weights: dict[str, str]) -> None:
    """What trade may weigh instead of the basis, first what the goods are sold as; nothing where nobody could mean another weight."""
    rows = (("Sb", "Sb2O3", "0.8354"), ("Sb", "Sb2S3", "0.7169"), ("W", "WO3", "0.793"), ("W", "APT", "0.7018"))
    factors = Factors(Factor(element=e, compound=c, kg_per_kg=Decimal(kg)) for e, c, kg in rows)
    found = equal_weights(material, factors)
    assert {name: kg.quantize(Decimal("1e-5")) for name, kg in found.items()} == {
        name: Decimal(kg).quantize(Decimal("1e-5")) for name, kg in weights.items()
    }
    assert list(found) == list(weights)
