"""Quantities: units, and kilograms of one substance as kilograms of another."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.base import Number, Record, UnreadableError
from friendshore.domain.basis import Factors, basis_factor, content_of, equal_weights, missing_factor
from friendshore.domain.facts import Material
from friendshore.domain.market import Factor
from friendshore.domain.quantities import (
    KILOGRAMS,
    Mass,
    ambiguous,
    parse_duration,
    parse_mass,
    parse_money,
    parse_number,
    parse_rate,
    parse_share,
    parse_unit_price,
)

# ----------------------------------------------------------------------------------------------------------------- units


NUMBERS = st.decimals(min_value=0, max_value=10**9, places=3, allow_nan=False)


@pytest.mark.parametrize(
    ("text", "kg", "substance"),
    [
        ("5 t", "5000", None), ("5t", "5000", None), ("3200 t WO3", "3200000", "WO3"), ("1_000 kg", "1000", None),
        (".5 kg", "0.5", None), ("2 tonnes Ga", "2000", "Ga"), ("1 lb", "0.45359237", None), ("1 st", "907.18474", None),
        ("100 mtu", "1000", "WO3"), ("100 mtu Ta2O5", "1000", "Ta2O5"), ("1 stu", "9.0718474", "WO3"), ("0", "0", None),
    ],
)  # fmt: skip
def test_masses_become_kilograms(text: str, kg: str, substance: str | None) -> None:
    """Every unit is converted exactly, and ton units mean WO3 unless another oxide is named."""
    assert parse_mass(text) == Mass(Decimal(kg), substance)


@pytest.mark.parametrize(
    ("parse", "text", "expected"),
    [
        (parse_unit_price, "580000 USD/t", (Decimal(580), "USD", None)), (parse_unit_price, "1000 USD/mtu", (Decimal(100), "USD", "WO3")),
        (parse_unit_price, "180 USD/kg Ta2O5", (Decimal(180), "USD", "Ta2O5")), (parse_unit_price, "4.5359237 EUR/lb", (Decimal(10), "EUR", None)),
        (parse_money, "2,500,000 USD", (Decimal(2_500_000), "USD")), (parse_share, "65%", Decimal("0.65")), (parse_share, "0.65", Decimal("0.65")),
        (parse_duration, "1 quarter", 3), (parse_duration, "3 months", 3), (parse_duration, "2 years", 24), (parse_duration, "0", 0),
        (parse_number, "1,250", 1250), (parse_number, "1,250,000", 1_250_000), (parse_number, "1,250.00", 1250), (parse_number, "1_250", 1250),
        (parse_number, "1.250", Decimal("1.25")), (parse_number, "1250", 1250),
    ],
)  # fmt: skip
def test_amounts_are_read_in_every_form(parse: Callable[[str], object], text: str, expected: object) -> None:
    """Prices per kilogram of what they are quoted for, durations in months; a comma sets off thousands, a point decimals."""
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "kg"),
    [
        ("20 t/year", 20_000), ("20 t", 20_000), ("5 t/quarter", 20_000), ("1 t/month", 12_000), ("1 kg/day", 365),
        ("2 t/yr", 2000), ("2 t/a", 2000),
    ],
)  # fmt: skip
def test_rates_are_yearly(text: str, kg: int) -> None:
    """A rate per any time is the same rate a year."""
    assert abs(parse_rate(text).kg - kg) < Decimal("1e-9")


@pytest.mark.parametrize(
    ("parse", "expected", "texts"),
    [
        (parse_mass, "unit", ["5", "t", "", "1,5 t", "0,125 t", "1234,567 t", "1,2345 t", "5.5.5 t", "5 ton", "5 bushels"]),
        (parse_number, "a number", ["1,5", "nan", "inf", "", "1e", "--3", "1,00,000"]),
        (parse_unit_price, "money|amount|unit", ["580", "580 USD", "580 usd/kg", "USD/kg", "580 USD/bushel", "1,5 USD/kg"]),
        (parse_duration, "a duration", ["1.2.3 months", "a while", "3", "1 fortnight"]),
    ],
    ids=["masses", "numbers", "prices", "durations"],
)  # fmt: skip
def test_what_is_doubtful_is_refused(parse: Callable[[str], object], expected: str, texts: list[str]) -> None:
    """A number without a unit, a decimal comma, and a ton of unknown size are never guessed at."""
    for text in texts:
        with pytest.raises(ValueError, match=expected):
            parse(text)


@given(NUMBERS, st.sampled_from(sorted(KILOGRAMS)))
def test_any_unit_is_the_same_as_kilograms(number: Decimal, unit: str) -> None:
    """A mass in any unit is the mass in kilograms that the unit's definition gives."""
    assert parse_mass(f"{number:f} {unit} X").kg == parse_mass(f"{number * KILOGRAMS[unit]:f} kg X").kg


@given(st.integers(min_value=0, max_value=10**12))
def test_thousands_marks_change_nothing(number: int) -> None:
    """Commas and underscores between thousands are only for the eye."""
    assert parse_number(f"{number:,}") == parse_number(f"{number:_}") == parse_number(str(number)) == number


class Told(Record):
    """A record of one number."""

    amount: Number


@pytest.mark.parametrize("written", ["60", "60.0", 60, 60.0, "6E+1", Decimal("60.00")])
def test_a_number_is_told_alike_however_it_was_written(written: object) -> None:
    """A name or a sentence made of a number is the same once the number has been written to JSON and read again."""
    told = Told.model_validate({"amount": written})
    assert str(told.amount) == "60"
    assert str(Told.model_validate_json(told.model_dump_json()).amount) == "60"


@given(NUMBERS)
def test_a_number_in_json_is_the_same_number(number: Decimal) -> None:
    """Value and text of a number outlive JSON."""
    told = Told(amount=number)
    again = Told.model_validate_json(told.model_dump_json())
    assert (again, str(again.amount), told.amount) == (told, str(told.amount), number)


@pytest.mark.parametrize(
    ("text", "readings"),
    [
        ("9.000 t/yr", ("9 t/yr", "9000 t/yr")), ("12.500 kg", ("12.5 kg", "12500 kg")), ("1.234 t WO3", ("1.2340 t WO3", "1234 t WO3")),
        ("148.500 EUR/kg", ("148.5 EUR/kg", "148500 EUR/kg")), ("12,500 kg", ("12500 kg", "12.5 kg")), ("1,250", ("1250", "1.25")),
        ("9.000", ("9", "9000")), ("0.125 kg", None), ("1250.000 kg", None), ("1,250.000 kg", None), ("12.50 kg", None),
        ("12.5000 kg", None), ("1.000", None), ("1.085", None), ("12.500%", None), ("1.234 things that are a sentence", None),
    ],
)  # fmt: skip
def test_an_amount_with_three_digits_after_its_only_mark_is_ambiguous(
    text: str, readings: tuple[str, str] | None
) -> None:
    """Nobody writes thousands after a zero, or with other than three digits; neither rates nor percentages are in thousands."""
    assert ambiguous(text) == readings
    assert [ambiguous(clear) for clear in readings or ()] == [None] * len(readings or ())


@pytest.mark.parametrize(
    ("parse", "text", "write"),
    [
        (parse_unit_price, "148,50 EUR/kg", "148.50 (with a point as the decimal separator)"), (parse_unit_price, "1.250,50 EUR/kg", "1250.50 (with a point as the decimal separator)"),
        (parse_unit_price, "148.5 €/kg", "EUR instead of €"), (parse_money, "22000000 $", "USD instead of $"),
        (parse_mass, "1.250.000 kg", "1250000 (with a point as the decimal separator)"), (parse_share, "0,7%", "0.7 (with a point as the decimal separator)"),
        (parse_duration, "1,5 months", "1.5 (with a point as the decimal separator)"), (parse_number, "0,125", "0.125 (with a point as the decimal separator)"),
        (parse_money, "22 Mio USD", "the zeros instead of Mio"), (parse_unit_price, "2.5 k EUR/kg", "the zeros instead of k"), (parse_mass, "many", ""),
    ],
)  # fmt: skip
def test_a_number_or_currency_written_as_elsewhere_comes_with_its_fix(
    parse: Callable[[str], object], text: str, write: str
) -> None:
    """A decimal comma, points between thousands and signs of currencies are refused, with what to write in their place."""
    with pytest.raises(UnreadableError) as caught:
        parse(text)
    assert caught.value.fix == (f"write {write}" if write else "")


# ------------------------------------------------------------------------------------------------------------ substances


def factor(element: str, compound: str, kg: str) -> Factor:
    """So many kilograms of an element in one of a compound."""
    return Factor(element=element, compound=compound, kg_per_kg=Decimal(kg))


FACTORS = (factor("W", "WO3", "0.793"), factor("W", "FeW", "0.75"), factor("WO3", "ore", "0.65"))
APT = Material(id="apt", element="W", basis="WO3")
ORE = Material(id="ore", element="W", basis="gross")
METAL = Material(id="metal", element="W", basis="W")
ALLOY = Material(id="alloy", element="W", basis="gross", content=Decimal("0.9"))


@pytest.mark.parametrize(
    ("material", "substance", "expected"),
    [
        (APT, "", Decimal(1)), (APT, "WO3", Decimal(1)), (METAL, "WO3", Decimal("0.793")), (APT, "FeW", Decimal("0.75") / Decimal("0.793")),
        (ORE, "WO3", 1 / Decimal("0.65")), (ORE, "ore", Decimal(1)), (ORE, "gross", Decimal(1)), (ORE, "W", 1 / (Decimal("0.65") * Decimal("0.793"))),
        (ALLOY, "W", 1 / Decimal("0.9")), (ALLOY, "WO3", Decimal("0.793") / Decimal("0.9")),
    ],
)  # fmt: skip
def test_conversions(material: Material, substance: str, expected: Decimal) -> None:
    """Oxide to metal, metal to oxide, oxide to alloy and content of an ore all go by the element they share."""
    found = basis_factor(material, substance, FACTORS)
    assert found is not None
    assert abs(found - expected) < Decimal("1e-20")


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
    rows = (("Nd", "magnet", "0.2"), ("Pr", "magnet", "0.1"), ("Nd", "mix", "0.5"), ("Pr", "mix", "0.5"))
    factors = [factor(*row) for row in rows]
    assert basis_factor(Material(id="magnet"), "mix", factors) is None
    assert basis_factor(Material(id="magnet", element="Nd"), "mix", factors) == Decimal("2.5")


def test_factors_that_go_in_a_circle_end() -> None:
    """Rows that define each other are followed once."""
    circle = [factor("A", "B", "0.5"), factor("B", "A", "0.5")]
    assert Factors(circle).contents("A") == {"A": 1, "B": Decimal("0.5")}


def test_contents() -> None:
    """A stated content wins, a known factor comes next, and what nobody knows is None."""
    unknown = Material(id="x", element="W", basis="gross"), Material(id="x")
    contents = [content_of(one, Factors(FACTORS)) for one in (ALLOY, APT, *unknown)]
    assert contents == [Decimal("0.9"), Decimal("0.793"), None, None]


@given(st.sampled_from(["W", "WO3", "FeW"]), st.sampled_from(["W", "WO3", "FeW"]))
def test_there_and_back_is_the_same(one: str, other: str) -> None:
    """Converting from one substance to another and back gives the same mass."""
    there, back = (
        basis_factor(Material(id="m", element="W", basis=a), b, FACTORS) for a, b in ((one, other), (other, one))
    )
    assert there is not None
    assert back is not None
    assert abs(there * back - 1) < Decimal("1e-20")


@pytest.mark.parametrize(
    ("element", "form", "basis", "weights"),
    [
        ("Sb", "oxide", "Sb", {"Sb2O3": "1.19703"}), ("W", "apt", "W", {"APT": "1.42491", "WO3": "1.26103"}),
        ("W", "concentrate", "WO3", {"W": "0.79300"}), ("Sb", "metal", "Sb", {}), ("Sb", "oxide", "gross", {}),
        ("Xe", "oxide", "Xe", {}),
    ],
)  # fmt: skip
def test_equal_weights(element: str, form: str, basis: str, weights: dict[str, str]) -> None:
    """What trade may weigh instead of the basis, first what the goods are sold as; nothing where nobody could mean another weight."""
    rows = (("Sb", "Sb2O3", "0.8354"), ("Sb", "Sb2S3", "0.7169"), ("W", "WO3", "0.793"), ("W", "APT", "0.7018"))
    found = equal_weights(
        Material(id="m", element=element, form=form, basis=basis), Factors(factor(*row) for row in rows)
    )
    assert [(name, str(kg.quantize(Decimal("1e-5")))) for name, kg in found.items()] == list(weights.items())
