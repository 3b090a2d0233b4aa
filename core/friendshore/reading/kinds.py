"""The kinds of cells and values: a reader and a JSON schema for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Any

from ..domain import values as v
from . import amounts as a
from . import words as w
from .fields import Kind

_NUMBER: Mapping[str, Any] = {"type": "number"}
_LIST: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}


def one_value(name: str, words: Mapping[str, Any]) -> Kind:
    """A kind with a fixed set of words."""
    return Kind(name, w.named(v.one_of(words)), {"type": "string", "enum": list(words)})


def choice(name: str, words: type[StrEnum]) -> Kind:
    """A kind whose values are the words of an enumeration."""
    return one_value(name, {str(word): word for word in words})


def several(name: str, words: type[StrEnum]) -> Kind:
    """A list of the words of an enumeration."""
    values = {str(word): word for word in words}
    items = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    return Kind(name, w.each(v.one_of(values, "some of")), also=(items,))


TEXT = Kind("text", w.read_text)
IDENT = Kind("name", w.named(v.ident), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+-]*$"})
LABEL = Kind("name", w.named(v.label), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+/-]*$"})
END_USE = Kind("end use", w.named(v.end_use))
IDENTS = Kind("names, set apart by `;`", w.each(v.ident), also=(_LIST,))
END_USES = Kind("end uses, set apart by `;`", w.each(v.end_use), also=(_LIST,))
WORDS = Kind("words, set apart by `;`", w.read_words, also=(_LIST,))
TEXTS = Kind("list of texts", w.each(w.read_text), also=(_LIST,))
STEP = one_value("stage or step", v.STEP_WORDS)
STEPS_DONE = Kind(
    "stages or steps, set apart by `;`",
    w.each(v.one_of(v.STEP_WORDS, "some of")),
    also=({"type": "array", "items": {"type": "string", "enum": list(v.STEP_WORDS)}},),
)
DATE = Kind("date", w.read_day, {"type": "string", "format": "date"})
YES_NO = Kind("yes or no", w.read_yes_no, {"type": "string", "enum": ["yes", "no"]}, ({"type": "boolean"},))
COUNTRY = Kind("country", w.named(v.country))
COUNTRIES = Kind("countries, set apart by `;`", w.read_countries, also=(_LIST,))
PLACE = Kind("country or site", w.named(v.place))
PLACES = Kind("countries or sites, set apart by `;`", w.each(v.place), also=(_LIST,))
HS = Kind("HS code", w.named(v.hs_code))
VERSION = Kind("version", w.read_version, {"const": 1})


def _whole(range_: v.Range) -> Kind:
    schema = {"type": "integer", "minimum": range_.least, "maximum": range_.most}
    return Kind("whole number", a.whole(range_), also=(schema,))


def _number(name: str, read: Callable[[Any], Decimal], range_: v.Range) -> Kind:
    return Kind(name, a.within(read, range_), also=(_NUMBER,))


INTEGER = _whole(v.PERIODS)
COUNT = _whole(v.LOTS)
RATE = _number("number above 0", a.read_number, v.RATE)
NON_NEGATIVE = _number("number", a.read_number, v.NON_NEGATIVE)
FACTOR = _number("number or share", a.read_share, v.FACTOR)
FRACTION = _number("share", a.read_share, v.FRACTION)
PART = _number("share above 0", a.read_share, v.PART)
PREMIUM = _number("share", a.read_share, v.PREMIUM)
DISCOUNT = _number("share off", a.read_share, v.DISCOUNT)
MASS = Kind("mass", a.read_mass)
RESOLUTION = Kind("mass", a.read_resolution)
MASSES = Kind("list of masses", a.read_masses, also=({"type": "array", "items": {"type": ["string", "number"]}},))
MASS_OR_MONEY = Kind("mass or money", a.read_mass_or_money)
MASS_RATE = Kind("mass per time", a.read_rate)
CAPACITY = Kind("mass per time, or `unlimited`", a.read_capacity)
PER_UNIT = Kind("number or mass", a.read_per_unit, also=(_NUMBER,))
CURRENCY = Kind("currency", w.named(v.currency), {"type": "string", "pattern": "^[A-Z]{3}$"})
MONEY = Kind("money", a.read_money)
UNIT_PRICE = Kind("money per mass", a.read_unit_price)
YEARLY_PRICE = Kind("money per mass and year", a.read_yearly_price)
YEARLY_SHARE = Kind("share a year", a.read_yearly_share, also=(_NUMBER,))
DURATION = Kind("duration", a.read_duration)


def _unread(value: Any) -> Any:
    return value


TABLE = Kind("table", _unread)
"""A table within; its layout says how it is read."""
TABLES = Kind("list of tables", _unread)
