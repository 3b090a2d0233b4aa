"""Amounts in rules as planners write them: numbers, or text with a unit."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ...domain.base import Number, UnreadableError
from ...domain.quantities import (
    Mass,
    Money,
    UnitPrice,
    is_number,
    parse_mass,
    parse_money,
    parse_number,
    parse_share,
    parse_unit_price,
)
from ...domain.values import FACTOR, MASS, MONEY, Range
from .shared import as_pairs

Parsed = Decimal | Mass | Money | UnitPrice
Parse = Callable[[str], Parsed]


def _written(parse: Parse) -> BeforeValidator:
    """Reads an amount that is given as text; any other value is left to the number's own checks."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            found = parse(value)
        except UnreadableError:
            raise
        except ValueError as error:
            raise ValueError(f"`{value}` is not {error}") from None
        if getattr(found, "substance", None) is not None:
            raise ValueError(f"`{value}` names a substance: a rule counts kilograms of the material's own basis")
        return found if isinstance(found, Decimal) else found[0]

    return BeforeValidator(read)


def _or_number(parse: Parse) -> Parse:
    """The same, where a text without a unit is a number in the case's currency."""
    return lambda text: parse_number(text) if is_number(text) else parse(text)


def _no_larger(range_: Range) -> AfterValidator:
    """Refuses what is larger than its sort of amount may be anywhere, whatever its sign."""

    def check(number: Decimal) -> Decimal:
        range_(abs(number))
        return number

    return AfterValidator(check)


Kilograms = Annotated[Number, _written(parse_mass), Field(ge=0), _no_larger(MASS)]
"""Kilograms of the material's basis, as a number or as text like `5 t`."""
Rate = Annotated[Number, _written(parse_share), _no_larger(FACTOR)]
"""A share that may be more than all, as a number or as text like `125 %`."""
Amount = Annotated[Number, _written(_or_number(parse_money)), _no_larger(MONEY)]
"""Money, as a number in the case's currency or as text like `5000 USD`; see `InMoney`."""
PerKilogram = Annotated[Number, _written(_or_number(parse_unit_price)), _no_larger(MONEY)]
"""Money per kilogram, as a number in the case's currency or as text like `5 USD/kg`; see `InMoney`."""
Share = Annotated[Number, _written(parse_share), Field(ge=0, le=1)]
"""A share from 0 to 1, as a number or as text like `65 %`."""


def _weights_in_json(weights: tuple[tuple[str, Decimal], ...]) -> dict[str, float]:
    return {name: float(weight) for name, weight in weights}


WeightTable = Annotated[
    tuple[tuple[str, Number], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(_weights_in_json, return_type=dict[str, float], when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
]
"""Name -> what a kilogram of it counts; written as a table."""
