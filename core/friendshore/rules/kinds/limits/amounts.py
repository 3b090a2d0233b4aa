"""Amounts in rules as planners write them: numbers, or text with a unit."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from ....domain.base import Number
from ....domain.quantities import parse_mass, parse_share


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


def _share(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return parse_share(value)
    except ValueError as error:
        raise ValueError(f"`{value}` is not {error}") from None


Kilograms = Annotated[Number, BeforeValidator(_kilograms), Field(ge=0)]
"""Kilograms of the material's basis, as a number or as text like `5 t`."""
Share = Annotated[Number, BeforeValidator(_share), Field(ge=0, le=1)]
"""A share from 0 to 1, as a number or as text like `65 %`."""
