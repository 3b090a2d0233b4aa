"""Kinds of cells and values, each with a reader and a JSON schema. Every reader takes the text of a cell or the value of a TOML key, and raises `UnreadableError` with the expected form."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from ..domain import values as v
from ..domain.base import UnreadableError, exact
from ..domain.quantities import (
    UNLIMITED,
    Mass,
    Money,
    UnitPrice,
    in_percent,
    is_number,
    looks_like_money,
    parse_duration,
    parse_mass,
    parse_money,
    parse_number,
    parse_rate,
    parse_share,
    parse_unit_price,
)
from .textfile import SURROGATE, WHOLE

T = TypeVar("T")
M = TypeVar("M", Money, UnitPrice)
Q = TypeVar("Q", Mass, Money, UnitPrice, Decimal)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of cell or value, with its reader."""

    name: str
    read: Callable[[Any], Any]
    """Parses the text of a cell or the value of a TOML key, or raises `UnreadableError`."""
    text: Mapping[str, object] = dataclasses.field(default_factory=lambda: {"type": "string"})
    """JSON schema of the text form, the only form in a table."""
    also: tuple[Mapping[str, object], ...] = ()
    """JSON schemas of the other forms that a TOML key may take."""

    def same(self, first: str, second: str) -> bool:
        """Return True if two texts have the same value, since a spreadsheet may change the form of a number or date."""
        if first == second or not first or not second:
            return first == second
        try:
            return bool(self.read(first) == self.read(second))
        except UnreadableError:
            return False

    @property
    def words(self) -> tuple[str, ...]:
        """Accepted words. Empty if it isn't a choice."""
        words = self.text.get("enum")
        return tuple(words) if isinstance(words, list) else ()

    @property
    def number(self) -> bool:
        """True if it may be a number without a unit, although a table contains it as text."""
        return any(form.get("type") in ("number", "integer") for form in self.also)

    @property
    def is_list(self) -> bool:
        return any(form.get("type") == "array" for form in self.also)

    @property
    def schema(self) -> dict[str, object]:
        return {"anyOf": [dict(self.text), *map(dict, self.also)]} if self.also else dict(self.text)


_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")

BOOLEANS: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False}


def read_prose(value: object) -> str:
    if not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise UnreadableError("text in quotes", f'write "{shown}"')
    if SURROGATE.search(value):
        raise UnreadableError(WHOLE, "delete the half of a character, or write all of it", code="FS055")
    return value


def read_text(value: object) -> str:
    return read_prose(value).strip()


def text_reader(parse: Callable[[str], T]) -> Callable[[Any], T]:
    return lambda value: parse(read_text(value))


def text_parts(value: object) -> list[str]:
    """Return the parts of `a; b; c`, or of a TOML list of texts."""
    parts = value if isinstance(value, list) else read_text(value).split(";")
    return [part for part in map(read_text, parts) if part]


def list_reader(read: Callable[[str], T]) -> Callable[[Any], tuple[T, ...]]:
    """Return a reader of lists, with a reader of their parts. Duplicates are dropped."""
    return lambda value: tuple(dict.fromkeys(read(part) for part in text_parts(value)))


def read_words(value: object) -> frozenset[str]:
    return frozenset(text_parts(value))


def read_day(value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.match(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise UnreadableError("a date that exists") from None
    raise UnreadableError("a date like 2027-01-31")


def read_yes_no(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    if word not in BOOLEANS:
        raise UnreadableError("yes or no")
    return BOOLEANS[word]


def read_countries(value: object) -> frozenset[str]:
    return v.countries(text_parts(value))


def read_version(value: object) -> int:
    if value != 1 or isinstance(value, bool):
        raise UnreadableError("1, the only version of the format")
    return 1


def plain(value: object) -> object:
    """Return a TOML value in JSON types. Dates become text, and decimals become numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return plain_table(value) if isinstance(value, dict) else value


def plain_table(table: Mapping[str, object]) -> dict[str, object]:
    return {key: plain(value) for key, value in table.items()}


def cell_text(value: object) -> str | None:
    """Return a single value as the text of a CSV cell. None if it isn't a single value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | float | date) else None


def _number_reader(parse: Callable[[str], Decimal], expected: str) -> Callable[[Any], Decimal]:
    def read(value: object) -> Decimal:
        try:
            return parse(value) if isinstance(value, str) else exact(value)
        except UnreadableError:
            raise
        except ValueError:
            raise UnreadableError(expected) from None

    return read


read_number = _number_reader(parse_number, "a number")
read_share = _number_reader(parse_share, "a share, like 65% or 0.65")


def range_reader(read: Callable[[Any], Decimal], range_: v.Range) -> Callable[[Any], Decimal]:

    def checked(value: object) -> Decimal:
        number = read(value)
        try:
            return range_(number)
        except UnreadableError as error:
            fix = error.fix or (in_percent(value) if read is read_share and range_.maximum == 1 else "")
            raise UnreadableError(error.expected, fix, error.code) from None

    return checked


def integer_reader(range_: v.Range) -> Callable[[Any], int]:

    def read(value: object) -> int:
        try:
            return range_.integer(read_number(value))
        except UnreadableError as error:
            raise UnreadableError(range_.expected, code=error.code) from None

    return read


def _measured(parse: Callable[[str], Q], range_: v.Range, expected: str) -> Callable[[Any], Q]:
    """Return a reader of numbers with a unit, in a range. A bare 0 needs none."""

    def read(value: object) -> Q:
        if not isinstance(value, str):
            if isinstance(value, bool) or value != 0:
                raise UnreadableError(expected, "write it in quotes, with its unit")
            value = "0"
        try:
            quantity = parse(value)
        except UnreadableError:
            raise
        except ValueError as error:
            raise UnreadableError(str(error)) from None
        range_(_size(quantity))
        return quantity

    return read


def _size(quantity: Mass | Money | UnitPrice | Decimal) -> Decimal:
    if isinstance(quantity, Mass):
        return quantity.kg
    return quantity if isinstance(quantity, Decimal) else quantity.amount


def _in_currency(parse: Callable[[str], M]) -> Callable[[str], M]:
    def parsed(text: str) -> M:
        money = parse(text)
        v.currency(money.currency)
        return money

    return parsed


read_mass = _measured(parse_mass, v.MASS, "a mass with its unit, like `5 t` or `3200 t WO3`")
read_rate = _measured(parse_rate, v.MASS, "a mass per time, like `20 t/year`")
read_money = _measured(_in_currency(parse_money), v.MONEY, "an amount with its currency, like `2,500,000 USD`")
_PER_MASS = "money per mass, like `580 USD/kg`"
read_unit_price = _measured(_in_currency(parse_unit_price), v.MONEY, _PER_MASS)
_bare_mass = _measured(parse_mass, v.MASS, "a mass or money, like `10 t` or `1,000,000 USD`")


def read_masses(value: object) -> tuple[Mass, ...]:
    parts = value if isinstance(value, list) else read_text(value).split(";")
    return tuple(read_mass(part.strip() if isinstance(part, str) else part) for part in parts)


def read_capacity(value: object) -> Mass | str:
    if isinstance(value, str) and value.strip().casefold() == UNLIMITED:
        return UNLIMITED
    return read_rate(value)


def read_per_unit(value: object) -> Mass:
    try:
        mass = (
            parse_mass(value)
            if isinstance(value, str) and not is_number(value)
            else Mass(parse_number(value) if isinstance(value, str) else exact(value), None)
        )
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError(v.PER_UNIT.expected) from None
    v.PER_UNIT(mass.kg)
    return mass


def read_mass_or_money(value: object) -> Mass | Money:
    """Read a mass, or an amount of money. A bare 0 is a mass."""
    return read_money(value) if isinstance(value, str) and looks_like_money(value) else _bare_mass(value)


def _yearly(value: object, expected: str) -> str:
    amount, slash, per = read_text(value).rpartition("/")
    if not slash or per.strip() != "year":
        raise UnreadableError(expected)
    return amount


def read_yearly_price(value: object) -> UnitPrice:
    return read_unit_price(_yearly(value, "money per mass and year, like `1 USD/kg/year`"))


def read_yearly_share(value: object) -> Decimal:
    """Read a share per year. The ending `/year` may be missing."""
    expected = "a share per year, like `5%/year`"
    text = _yearly(value, expected) if isinstance(value, str) and "/" in value else value
    try:
        share = read_share(text)
    except UnreadableError as error:
        raise UnreadableError(expected, code=error.code) from None
    if share < 0:
        raise UnreadableError("zero or more", code="FS013")
    return share


_NUMBER: Mapping[str, object] = {"type": "number"}
_LIST: Mapping[str, object] = {"type": "array", "items": {"type": "string"}}


def word_kind(name: str, words: Mapping[str, object]) -> Kind:
    return Kind(name, text_reader(v.one_of(words)), {"type": "string", "enum": list(words)})


def enum_kind(name: str, words: type[StrEnum]) -> Kind:
    return word_kind(name, {str(word): word for word in words})


def enums_kind(name: str, words: type[StrEnum]) -> Kind:
    values = {str(word): word for word in words}
    items = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    return Kind(name, list_reader(v.one_of(values, "some of")), also=(items,))


TEXT = Kind("text", read_text)
IDENT = Kind("name", text_reader(v.ident), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+-]*$"})
IDENTS = Kind("names, separated by `;`", list_reader(v.ident), also=(_LIST,))
TEXTS = Kind("list of texts", list_reader(read_text), also=(_LIST,))
DATE = Kind("date", read_day, {"type": "string", "format": "date"})
YES_NO = Kind("yes or no", read_yes_no, {"type": "string", "enum": ["yes", "no"]}, ({"type": "boolean"},))
VERSION = Kind("version", read_version, {"const": 1})


def _integer_kind(range_: v.Range) -> Kind:
    schema = {"type": "integer", "minimum": range_.minimum, "maximum": range_.maximum}
    return Kind("whole number", integer_reader(range_), also=(schema,))


def _number_kind(name: str, read: Callable[[Any], Decimal], range_: v.Range) -> Kind:
    return Kind(name, range_reader(read, range_), also=(_NUMBER,))


COUNT = _integer_kind(v.LOTS)
RATE = _number_kind("number above 0", read_number, v.RATE)
NON_NEGATIVE = _number_kind("number", read_number, v.NON_NEGATIVE)
AMOUNT = _number_kind("number, may be below zero", read_number, v.AMOUNT)
FRACTION = _number_kind("share", read_share, v.FRACTION)
PART = _number_kind("share above 0", read_share, v.PART)
PREMIUM = _number_kind("share", read_share, v.PREMIUM)
DISCOUNT = _number_kind("share off", read_share, v.DISCOUNT)
MASS = Kind("mass", read_mass)
MASS_OR_MONEY = Kind("mass or money", read_mass_or_money)
MASS_RATE = Kind("mass per time", read_rate)
CAPACITY = Kind("mass per time, or `unlimited`", read_capacity)
PER_UNIT = Kind("number or mass", read_per_unit, also=(_NUMBER,))
MONEY = Kind("money", read_money)
UNIT_PRICE = Kind("money per mass", read_unit_price)
SIGNED_PRICE = Kind(
    "money per mass, may be below zero", _measured(_in_currency(parse_unit_price), v.SIGNED_PRICE, _PER_MASS)
)
DURATION = Kind("duration", _measured(parse_duration, v.MONTHS, "a duration, like `1 quarter` or `45 days`"))


def _unread(value: object) -> object:
    return value


TABLE = Kind("table", _unread)  # read by its own layout
TABLES = Kind("list of tables", _unread)

_SORTS: Mapping[object, Kind] = {
    str: TEXT,
    date: DATE,
    bool: YES_NO,
    frozenset: Kind("words, separated by `;`", read_words, also=(_LIST,)),
    v.ident: IDENT,
    v.label: Kind("name", text_reader(v.label), {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+/-]*$"}),
    v.end_use: Kind("end use", text_reader(v.end_use)),
    v.step: word_kind("stage or step", v.STEP_WORDS),
    v.country: Kind("country", text_reader(v.country)),
    v.countries: Kind("countries, separated by `;`", read_countries, also=(_LIST,)),
    v.place: Kind("country or site", text_reader(v.place)),
    v.hs_code: Kind("HS code", text_reader(v.hs_code)),
    v.currency: Kind("currency", text_reader(v.currency), {"type": "string", "pattern": "^[A-Z]{3}$"}),
    v.incoterm: word_kind("Incoterm", v.INCOTERMS),
    v.Each(v.ident): IDENTS,
    v.Each(v.place): Kind("countries or sites, separated by `;`", list_reader(v.place), also=(_LIST,)),
    v.PERIODS.integer: _integer_kind(v.PERIODS),
    v.LOTS.integer: COUNT,
    v.RATE: RATE,
    v.AMOUNT: AMOUNT,
    v.NON_NEGATIVE: NON_NEGATIVE,
    v.FACTOR: _number_kind("number or share", read_share, v.FACTOR),
    v.FRACTION: FRACTION,
    v.PART: PART,
    v.PREMIUM: PREMIUM,
    v.DISCOUNT: DISCOUNT,
    v.YEARLY_SHARE: Kind("share per year", read_yearly_share, also=(_NUMBER,)),
    v.MASS: MASS,
    v.MASS_RATE: MASS_RATE,
    v.RESOLUTION: Kind("mass", _measured(parse_mass, v.RESOLUTION, v.RESOLUTION.expected)),
    v.PER_UNIT: PER_UNIT,
    v.MONEY: MONEY,
    v.UNIT_PRICE: UNIT_PRICE,
    v.SIGNED_PRICE: SIGNED_PRICE,
    v.YEARLY_PRICE: Kind("money per mass and year", read_yearly_price),
    v.MONTHS: DURATION,
    UNLIMITED: CAPACITY,
    "mass or money": MASS_OR_MONEY,
    "prose": Kind("text", read_prose),
}
_LISTS: Mapping[object, Kind] = {
    str: TEXTS,
    v.ident: IDENTS,
    v.end_use: Kind("end uses, separated by `;`", list_reader(v.end_use), also=(_LIST,)),
    v.step: Kind(
        "stages or steps, separated by `;`",
        list_reader(v.one_of(v.STEP_WORDS, "some of")),
        also=({"type": "array", "items": {"type": "string", "enum": list(v.STEP_WORDS)}},),
    ),
    v.MASS: Kind("list of masses", read_masses, also=({"type": "array", "items": {"type": ["string", "number"]}},)),
}


def kind_of(sort: object, checks: Iterable[object] = ()) -> Kind:
    """Return the kind of a field by its type, parser, range, or word, or raise KeyError. Of pydantic's validators `checks`, the last one with a kind decides."""
    origin, inside = get_origin(sort), get_args(sort)
    if origin is Annotated:
        return kind_of(inside[0], (*inside[1:], *checks))
    for parser in filter(_SORTS.__contains__, _parsers(checks)):
        return _SORTS[parser]
    if origin in (Union, UnionType):
        return kind_of(next(part for part in inside if part is not NoneType))
    if origin is Literal:
        return word_kind("word", {word: word for word in inside})
    if origin is tuple:
        return _list_of(inside[0])
    if isinstance(sort, type) and issubclass(sort, StrEnum):
        return enum_kind(sort.__name__.lower(), sort)
    return _SORTS[origin or sort]


def _parsers(checks: Iterable[object]) -> Iterator[object]:
    """Yield the parsers of pydantic's validators, the last one first."""
    for check in reversed(tuple(checks)):
        parser = getattr(check, "func", None)
        yield parser.parse if isinstance(parser, v.OrBlank) else parser


def _list_of(part: object) -> Kind:
    if isinstance(part, type) and issubclass(part, StrEnum):
        return enums_kind(f"{part.__name__.lower()}s, separated by `;`", part)
    base, *checks = get_args(part) if get_origin(part) is Annotated else (part,)
    return _LISTS[next((parser for parser in _parsers(checks) if parser in _LISTS), base)]
