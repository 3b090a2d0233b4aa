"""Amounts in rules as planners write them: numbers, or text with a unit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema

from ...domain.base import Number
from ...domain.quantities import is_number, parse_mass, parse_money, parse_number, parse_share, parse_unit_price
from .shared import as_pairs


def _kilograms(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        mass = parse_mass(value)
    except ValueError as error:
        raise ValueError(f"`{value}` is not {error}") from None
    if mass.substance is not None:
        raise ValueError(f"`{value}` names a substance: a rule counts kilograms of the material's own basis")
    return mass.kg


def _money(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_number(value) if is_number(value) else parse_money(value).amount
    except ValueError as error:
        raise ValueError(f"`{value}` is not {error}") from None


def _per_kilogram(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        if is_number(value):
            return parse_number(value)
        price = parse_unit_price(value)
    except ValueError as error:
        raise ValueError(f"`{value}` is not {error}") from None
    if price.substance is not None:
        raise ValueError(f"`{value}` names a substance: a rule counts kilograms of the material's own basis")
    return price.amount


def _share(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_share(value)
    except ValueError as error:
        raise ValueError(f"`{value}` is not {error}") from None


Kilograms = Annotated[Number, BeforeValidator(_kilograms), Field(ge=0)]
"""Kilograms of the material's basis, as a number or as text like `5 t`."""
Rate = Annotated[Number, BeforeValidator(_share)]
"""A share that may be more than all, as a number or as text like `125 %`."""
Amount = Annotated[Number, BeforeValidator(_money)]
"""Money, as a number in the case's currency or as text like `5000 USD`; see `InMoney`."""
PerKilogram = Annotated[Number, BeforeValidator(_per_kilogram)]
"""Money per kilogram, as a number in the case's currency or as text like `5 USD/kg`; see `InMoney`."""
Share = Annotated[Number, BeforeValidator(_share), Field(ge=0, le=1)]
"""A share from 0 to 1, as a number or as text like `65 %`."""


def _weights_in_json(weights: tuple[tuple[str, Any], ...]) -> dict[str, float]:
    return {name: float(weight) for name, weight in weights}


WeightTable = Annotated[
    tuple[tuple[str, Number], ...],
    BeforeValidator(as_pairs),
    PlainSerializer(_weights_in_json, return_type=dict[str, float], when_used="json"),
    WithJsonSchema({"type": "object", "additionalProperties": {"type": "number"}}),
]
"""Name -> what a kilogram of it counts; written as a table."""
