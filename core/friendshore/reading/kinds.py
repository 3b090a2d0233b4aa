"""The kinds of cells and values: a reader and a JSON schema for each."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from ..domain import values as v
from ..domain.base import UnreadableError
from ..domain.quantities import UNLIMITED
from . import cells as c


@dataclass(frozen=True, slots=True)
class Kind:
    """Reader of one sort of cell or value."""

    name: str
    """Name in the docs."""
    read: Callable[[Any], Any]
    """Text of a cell, or value of a TOML key -> parsed value; raises `UnreadableError`."""
    text: Mapping[str, object] = dataclasses.field(default_factory=lambda: {"type": "string"})
    """JSON schema of the text form, all there is in a table."""
    also: tuple[Mapping[str, object], ...] = ()
    """JSON schemas of the other forms that a TOML key may take."""

    def same(self, one: str, other: str) -> bool:
        """Return True if two texts have the same value: a spreadsheet may write a number or a day another way."""
        if one == other or not one or not other:
            return one == other
        try:
            return bool(self.read(one) == self.read(other))
        except UnreadableError:
            return False

    @property
    def words(self) -> tuple[str, ...]:
        """The words that there are to choose from; none: it is no choice."""
        words = self.text.get("enum")
        return tuple(words) if isinstance(words, list) else ()

    @property
    def number(self) -> bool:
        """Return True if it may be a number without a unit, although a table contains it as text."""
        return any(form.get("type") in ("number", "integer") for form in self.also)

    @property
    def schema(self) -> dict[str, object]:
        """JSON schema of a TOML value."""
        return {"anyOf": [dict(self.text), *map(dict, self.also)]} if self.also else dict(self.text)


_NUMBER: Mapping[str, object] = {"type": "number"}
_LIST: Mapping[str, object] = {"type": "array", "items": {"type": "string"}}


def one_value(name: str, words: Mapping[str, object]) -> Kind:
    """A kind with a fixed set of words."""
    return Kind(name, c.named(v.one_of(words)), {"type": "string", "enum": list(words)})


def choice(name: str, words: type[StrEnum]) -> Kind:
    """A kind whose values are the words of an enumeration."""
    return one_value(name, {str(word): word for word in words})


def several(name: str, words: type[StrEnum]) -> Kind:
    """A list of the words of an enumeration."""
    values = {str(word): word for word in words}
    items = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    return Kind(name, c.each(v.one_of(values, "some of")), also=(items,))


TEXT = Kind("text", c.read_text)
IDENT = Kind("name", c.named(v.ident), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+-]*$"})
IDENTS = Kind("names, set apart by `;`", c.each(v.ident), also=(_LIST,))
TEXTS = Kind("list of texts", c.each(c.read_text), also=(_LIST,))
DATE = Kind("date", c.read_day, {"type": "string", "format": "date"})
YES_NO = Kind("yes or no", c.read_yes_no, {"type": "string", "enum": ["yes", "no"]}, ({"type": "boolean"},))
VERSION = Kind("version", c.read_version, {"const": 1})


def _whole(range_: v.Range) -> Kind:
    schema = {"type": "integer", "minimum": range_.least, "maximum": range_.most}
    return Kind("whole number", c.whole(range_), also=(schema,))


def _number(name: str, read: Callable[[Any], Decimal], range_: v.Range) -> Kind:
    return Kind(name, c.within(read, range_), also=(_NUMBER,))


COUNT = _whole(v.LOTS)
RATE = _number("number above 0", c.read_number, v.RATE)
NON_NEGATIVE = _number("number", c.read_number, v.NON_NEGATIVE)
AMOUNT = _number("number, also below zero", c.read_number, v.AMOUNT)
FRACTION = _number("share", c.read_share, v.FRACTION)
PART = _number("share above 0", c.read_share, v.PART)
PREMIUM = _number("share", c.read_share, v.PREMIUM)
DISCOUNT = _number("share off", c.read_share, v.DISCOUNT)
MASS = Kind("mass", c.read_mass)
MASS_OR_MONEY = Kind("mass or money", c.read_mass_or_money)
MASS_RATE = Kind("mass per time", c.read_rate)
CAPACITY = Kind("mass per time, or `unlimited`", c.read_capacity)
PER_UNIT = Kind("number or mass", c.read_per_unit, also=(_NUMBER,))
MONEY = Kind("money", c.read_money)
UNIT_PRICE = Kind("money per mass", c.read_unit_price)
SIGNED_PRICE = Kind("money per mass, also below zero", c.read_signed_price)
DURATION = Kind("duration", c.read_duration)


def _unread(value: object) -> object:
    return value


TABLE = Kind("table", _unread)
"""A table within; its layout says how it is read."""
TABLES = Kind("list of tables", _unread)

_SORTS: Mapping[object, Kind] = {
    str: TEXT,
    date: DATE,
    bool: YES_NO,
    frozenset: Kind("words, set apart by `;`", c.read_words, also=(_LIST,)),
    v.ident: IDENT,
    v.label: Kind("name", c.named(v.label), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+/-]*$"}),
    v.end_use: Kind("end use", c.named(v.end_use)),
    v.step: one_value("stage or step", v.STEP_WORDS),
    v.country: Kind("country", c.named(v.country)),
    v.countries: Kind("countries, set apart by `;`", c.read_countries, also=(_LIST,)),
    v.place: Kind("country or site", c.named(v.place)),
    v.hs_code: Kind("HS code", c.named(v.hs_code)),
    v.currency: Kind("currency", c.named(v.currency), {"type": "string", "pattern": "^[A-Z]{3}$"}),
    v.incoterm: one_value("Incoterm", v.INCOTERMS),
    v.Each(v.ident): IDENTS,
    v.Each(v.place): Kind("countries or sites, set apart by `;`", c.each(v.place), also=(_LIST,)),
    v.PERIODS.whole: _whole(v.PERIODS),
    v.LOTS.whole: COUNT,
    v.RATE: RATE,
    v.AMOUNT: AMOUNT,
    v.NON_NEGATIVE: NON_NEGATIVE,
    v.FACTOR: _number("number or share", c.read_share, v.FACTOR),
    v.FRACTION: FRACTION,
    v.PART: PART,
    v.PREMIUM: PREMIUM,
    v.DISCOUNT: DISCOUNT,
    v.YEARLY_SHARE: Kind("share a year", c.read_yearly_share, also=(_NUMBER,)),
    v.MASS: MASS,
    v.MASS_RATE: MASS_RATE,
    v.RESOLUTION: Kind("mass", c.read_resolution),
    v.PER_UNIT: PER_UNIT,
    v.MONEY: MONEY,
    v.UNIT_PRICE: UNIT_PRICE,
    v.SIGNED_PRICE: SIGNED_PRICE,
    v.YEARLY_PRICE: Kind("money per mass and year", c.read_yearly_price),
    v.MONTHS: DURATION,
    UNLIMITED: CAPACITY,
    "mass or money": MASS_OR_MONEY,
    "prose": Kind("text", c.read_prose),
}
"""What a field's type says of its values, a check, a range or the bare type, and how files state these."""
_LISTS: Mapping[object, Kind] = {
    str: TEXTS,
    v.ident: IDENTS,
    v.end_use: Kind("end uses, set apart by `;`", c.each(v.end_use), also=(_LIST,)),
    v.step: Kind(
        "stages or steps, set apart by `;`",
        c.each(v.one_of(v.STEP_WORDS, "some of")),
        also=({"type": "array", "items": {"type": "string", "enum": list(v.STEP_WORDS)}},),
    ),
    v.MASS: Kind("list of masses", c.read_masses, also=({"type": "array", "items": {"type": ["string", "number"]}},)),
}
"""The same of what stands in a list."""


def kind_of(sort: object, checks: Iterable[object] = ()) -> Kind:
    """How files state the values of a field: by its type, or by what its type does not tell, one of the checks and ranges of `values` or a word.

    `checks` are what pydantic asks of a value of the type, the last one last.

    Raises:
        KeyError: if nothing is known of such values.
    """
    origin, inside = get_origin(sort), get_args(sort)
    if origin is Annotated:
        return kind_of(inside[0], (*inside[1:], *checks))
    for known in filter(_SORTS.__contains__, _asked(checks)):
        return _SORTS[known]
    if origin in (Union, UnionType):
        return kind_of(next(part for part in inside if part is not NoneType))
    if origin is Literal:
        return one_value("word", {word: word for word in inside})
    if origin is tuple:
        return _list_of(inside[0])
    if isinstance(sort, type) and issubclass(sort, StrEnum):
        return choice(sort.__name__.lower(), sort)
    return _SORTS[origin or sort]


def _asked(checks: Iterable[object]) -> Iterator[object]:
    """Who asks, the last first."""
    for check in reversed(tuple(checks)):
        asks = getattr(check, "func", None)
        yield asks.ask if isinstance(asks, v.OrBlank) else asks


def _list_of(part: object) -> Kind:
    if isinstance(part, type) and issubclass(part, StrEnum):
        return several(f"{part.__name__.lower()}s, set apart by `;`", part)
    base, *checks = get_args(part) if get_origin(part) is Annotated else (part,)
    return _LISTS[next((asks for asks in _asked(checks) if asks in _LISTS), base)]
