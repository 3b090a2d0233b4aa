"""The kinds of cells and values: a reader and a JSON schema for each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from ..domain.stages import STEPS, Stage
from . import amounts as a
from . import words as w
from .fields import Kind

_NUMBER: Mapping[str, Any] = {"type": "number"}
_LIST: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}


def one_value(name: str, words: Mapping[str, Any]) -> Kind:
    """A kind with a fixed set of words."""
    return Kind(name, w.one_of(words), {"type": "string", "enum": list(words)})


def choice(name: str, words: type[StrEnum]) -> Kind:
    """A kind whose values are the words of an enumeration."""
    return one_value(name, {str(word): word for word in words})


def several(name: str, words: type[StrEnum]) -> Kind:
    """A list of the words of an enumeration."""
    values = {str(word): word for word in words}
    items = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    return Kind(name, w.each(w.one_of(values, "some of")), also=(items,))


TEXT = Kind("text", w.read_text)
IDENT = Kind("name", w.read_ident, {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+-]*$"})
LABEL = Kind("name", w.read_label, {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+/-]*$"})
END_USE = Kind("end use", w.read_end_use)
END_USES = Kind("end uses, set apart by `;`", w.each(w.read_end_use), also=(_LIST,))
IDENTS = Kind("names, set apart by `;`", w.each(w.read_ident), also=(_LIST,))
WORDS = Kind("words, set apart by `;`", w.read_words, also=(_LIST,))
TEXTS = Kind("list of texts", w.each(w.read_text), also=(_LIST,))
_STEPS = {str(word): str(word) for word in (*Stage, *STEPS)}
STEP = one_value("stage or step", _STEPS)
STEPS_DONE = Kind(
    "stages or steps, set apart by `;`",
    w.each(w.one_of(_STEPS, "some of")),
    also=({"type": "array", "items": {"type": "string", "enum": list(_STEPS)}},),
)
DATE = Kind("date", w.read_day, {"type": "string", "format": "date"})
YES_NO = Kind("yes or no", w.read_yes_no, {"type": "string", "enum": ["yes", "no"]}, ({"type": "boolean"},))
COUNTRY = Kind("country", w.read_country)
COUNTRIES = Kind("countries, set apart by `;`", w.read_countries, also=(_LIST,))
PLACE = Kind("country or site", w.read_place)
PLACES = Kind("countries or sites, set apart by `;`", w.each(w.read_place), also=(_LIST,))
HS = Kind("HS code", w.read_hs)
VERSION = Kind("version", w.read_version, {"const": 1})

INTEGER = Kind(
    "whole number", a.whole(a.MOST_PERIODS), also=({"type": "integer", "minimum": 1, "maximum": a.MOST_PERIODS},)
)
COUNT = Kind("whole number", a.whole(a.MOST_LOTS), also=({"type": "integer", "minimum": 1, "maximum": a.MOST_LOTS},))
POSITIVE = Kind("number above 0", a.within(a.read_number, "a number above 0", 0, above=True), also=(_NUMBER,))
NON_NEGATIVE = Kind("number", a.within(a.read_number, "a number, zero or more", 0), also=(_NUMBER,))
FACTOR = Kind(
    "number or share",
    a.within(a.read_share, "zero or more, like 1.5 or 150 %, and up to a million", 0, int(a.MOST_PER_UNIT)),
    also=(_NUMBER,),
)
FRACTION = Kind("share", a.within(a.read_share, "a share from 0 to 1, like 65 % or 0.65", 0, 1), also=(_NUMBER,))
PART = Kind(
    "share above 0", a.within(a.read_share, "a share above 0 and up to 1, like 65 %", 0, 1, above=True), also=(_NUMBER,)
)
PREMIUM = Kind("share", a.within(a.read_share, "a share above -100 %, like 25 %", -1, above=True), also=(_NUMBER,))
MASS = Kind("mass", a.read_mass)
MASSES = Kind("list of masses", a.read_masses, also=({"type": "array", "items": {"type": ["string", "number"]}},))
MASS_OR_MONEY = Kind("mass or money", a.read_mass_or_money)
DISCOUNT = Kind(
    "share off",
    a.within(a.read_share, "a share from -100 % to 100 %, like 5 %; below 0: on top", -1, 1),
    also=(_NUMBER,),
)
MASS_RATE = Kind("mass per time", a.read_rate)
CAPACITY = Kind("mass per time, or `unlimited`", a.read_capacity)
PER_UNIT = Kind("number or mass", a.read_per_unit, also=(_NUMBER,))
CURRENCY = Kind("currency", a.read_currency, {"type": "string", "pattern": "^[A-Z]{3}$"})
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
