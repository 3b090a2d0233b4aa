"""The one base of all records, and the number type they share."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Context, Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainSerializer, WithJsonSchema

DIGITS = 15
"""Significant digits every stored number is rounded to: the most that a double, and so JSON, keeps exactly."""

_ROUND = Context(prec=DIGITS)


class Record(BaseModel):
    """A frozen record that refuses unknown fields; the text under a field is its description in the schema."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class Tables(Record):
    """A record that holds whole tables: printed in a line, with how many entries each table has."""

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            if not isinstance(value, (tuple, list, dict, frozenset)):
                yield name, value
            elif value:
                yield name, _Count(len(value))


class _Count(int):
    """How many entries a table has, printed in the place of them."""

    def __repr__(self) -> str:
        return f"<{int(self):,}>"


def exact(value: Any) -> Decimal:
    """`value` as a decimal of at most 15 significant digits.

    Raises:
        ValueError: if it is not a finite number.
    """
    if isinstance(value, bool):
        raise ValueError("a number is expected, not true or false")
    try:
        number = (
            value if isinstance(value, Decimal) else Decimal(repr(value) if isinstance(value, float) else str(value))
        )
    except InvalidOperation:
        raise ValueError(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise ValueError(f"{value!r} is not a finite number")
    return _ROUND.plus(number)


rounded = _ROUND.plus
"""A finite decimal rounded to 15 significant digits: `exact` without its questions."""


def _written_once(value: Any) -> Decimal:
    """The number without zeros at its end: 5000 and the 5000.0 that JSON makes of it are then told alike, in words too."""
    number = exact(value)
    text = str(number)
    if "E" not in text and not (text[-1] == "0" and "." in text):
        return number
    return Decimal(f"{_ROUND.normalize(number):f}")


Number = Annotated[
    Decimal,
    BeforeValidator(_written_once),
    PlainSerializer(float, return_type=float, when_used="json"),
    WithJsonSchema({"type": "number"}),
]
"""A decimal in Python, a plain number in JSON; both hold the same 15 digits."""


def _sorted(words: frozenset[str]) -> list[str]:
    return sorted(words)


Words = Annotated[frozenset[str], PlainSerializer(_sorted, return_type=list[str], when_used="json")]
"""A set of words; sorted in JSON, so that the same facts give the same bytes."""
