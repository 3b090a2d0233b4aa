"""The kinds of cells and values: how each is read, and its JSON schema.

Every reader takes the text of a cell or the value of a TOML key, and raises `UnreadableError` with what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar

from ..domain.base import exact
from ..domain.countries import GROUPS, countries_of, country_of, country_words
from ..domain.currencies import currency_codes, is_currency
from ..domain.quantities import (
    UNLIMITED,
    Mass,
    Money,
    UnitPrice,
    parse_duration,
    parse_mass,
    parse_money,
    parse_number,
    parse_rate,
    parse_share,
    parse_unit_price,
)
from ..domain.stages import STEPS, Stage
from .fields import Kind, UnreadableError
from .suggest import did_you_mean

T = TypeVar("T")

_LABEL = re.compile(r"[A-Za-z0-9][\w.+/-]*\Z")
_MEANT = {"defence": "defense", "military": "defense", "civilian": "civil", "commercial": "civil"}
_IDENT = re.compile(r"[A-Za-z0-9][\w.+-]*\Z")
_HS = re.compile(r"\d{2,4}(?:\.?\d{2}){0,4}\Z")
_BOOLEANS = {"yes": True, "no": False, "true": True, "false": False}
_NUMBER: Mapping[str, Any] = {"type": "number"}
_LIST: Mapping[str, Any] = {"type": "array", "items": {"type": "string"}}


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise UnreadableError("text in quotes", f'write "{_shown(value)}"')
    return value.strip()


def _ident(value: Any) -> str:
    text = _text(value)
    if not _IDENT.match(text):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.` and `+`, without spaces")
    return text


def _label(value: Any) -> str:
    text = _text(value)
    if not _LABEL.match(text):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.`, `+` and `/`, without spaces")
    return text


def _end_use(value: Any) -> str:
    text = _text(value)
    meant = _MEANT.get(text.casefold(), text.casefold() if text.casefold() in _MEANT.values() else "")
    if meant and meant != text:
        raise UnreadableError("defense, civil, or a word of your own", f"did you mean `{meant}`?")
    return text


def _masses(value: Any) -> tuple[Mass, ...]:
    parts = value if isinstance(value, list) else _text(value).split(";")
    return tuple(MASS.read(part.strip() if isinstance(part, str) else part) for part in parts)


def listed(value: Any) -> list[str]:
    """The parts of `a; b; c`, or of a TOML list of texts."""
    parts = value if isinstance(value, list) else _text(value).split(";")
    return [part for part in (_text(p) for p in parts) if part]


def _each(read: Callable[[str], T]) -> Callable[[Any], tuple[T, ...]]:
    return lambda value: tuple(dict.fromkeys(read(part) for part in listed(value)))


def _date(value: Any) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(_text(value))
    except ValueError:
        raise UnreadableError("a date like 2027-01-31") from None


def _yes_no(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    if word not in _BOOLEANS:
        raise UnreadableError("yes or no")
    return _BOOLEANS[word]


def _number(value: Any) -> Decimal:
    try:
        return parse_number(value) if isinstance(value, str) else exact(value)
    except ValueError:
        raise UnreadableError("a number") from None


def _share(value: Any) -> Decimal:
    try:
        return parse_share(value) if isinstance(value, str) else exact(value)
    except ValueError:
        raise UnreadableError("a share, like 65 % or 0.65") from None


def _bounded(read: Callable[[Any], Decimal], expected: str, least: Decimal, most: Decimal | None, open_: bool) -> Any:
    """A reader of numbers within bounds; `open_` leaves the lower bound itself out."""

    def bounded(value: Any) -> Decimal:
        number = read(value)
        if number < least or (open_ and number == least) or (most is not None and number > most):
            raise UnreadableError(expected)
        return number

    return bounded


def _integer(value: Any) -> int:
    number = _number(value)
    if number != number.to_integral_value() or number < 1:
        raise UnreadableError("a whole number, 1 or more")
    return int(number)


def _quantity(parse: Callable[[str], T], expected: str, size: Callable[[T], Decimal]) -> Callable[[Any], T]:
    """A reader of a number with units, zero or more."""

    def quantity(value: Any) -> T:
        if not isinstance(value, str):
            if value == 0 and not isinstance(value, bool):
                value = "0"
            else:
                raise UnreadableError(expected, "add the unit, in quotes")
        try:
            parsed = parse(value)
        except UnreadableError:
            raise
        except ValueError as error:
            raise UnreadableError(str(error)) from None
        if size(parsed) < 0:
            raise UnreadableError("zero or more")
        return parsed

    return quantity


def _known_currency(code: str) -> str:
    if not is_currency(code):
        raise UnreadableError("a currency by its ISO 4217 code, like USD", did_you_mean(code, currency_codes()))
    return code


def _money(text: str) -> Money:
    money = parse_money(text)
    _known_currency(money.currency)
    return money


def _unit_price(text: str) -> UnitPrice:
    price = parse_unit_price(text)
    _known_currency(price.currency)
    return price


def _yearly_price(text: str) -> UnitPrice:
    money, slash, per = text.rpartition("/")
    if not slash or per.strip() != "year":
        raise ValueError("money per mass and year, like `1 USD/kg/year`")
    return _unit_price(money)


def _yearly_share(value: Any) -> Decimal:
    text = _text(value)
    share, slash, per = text.partition("/")
    if not slash or per.strip() != "year":
        raise UnreadableError("a share of the value a year, like `5 %/year`")
    try:
        parsed = parse_share(share)
    except ValueError:
        raise UnreadableError("a share of the value a year, like `5 %/year`") from None
    if parsed < 0:
        raise UnreadableError("zero or more")
    return parsed


def _rate(text: str) -> Mass | str:
    return UNLIMITED if text.strip().casefold() == UNLIMITED else parse_rate(text)


def _rate_size(rate: Mass | str) -> Decimal:
    return Decimal(0) if isinstance(rate, str) else rate.kg


def _kg(mass: Mass) -> Decimal:
    return mass.kg


def _amount(money: Money | UnitPrice) -> Decimal:
    return money.amount


def _per_unit(value: Any) -> Mass:
    """Kilograms per unit: a plain number, or a mass."""
    try:
        return Mass(_number(value), None)
    except UnreadableError:
        if not isinstance(value, str):
            raise
    try:
        return parse_mass(value)
    except ValueError:
        raise UnreadableError("kilograms per unit: a number, or a mass like `1.3 kg Dy2O3`") from None


def _positive_per_unit(value: Any) -> Mass:
    mass = _per_unit(value)
    if mass.kg <= 0:
        raise UnreadableError("more than zero")
    return mass


def _country(value: Any) -> str:
    text = _text(value)
    if text.upper() in GROUPS:
        raise UnreadableError("one country", f"{text.upper()} is a group of countries: name the country itself")
    try:
        return country_of(text)
    except ValueError as error:
        raise UnreadableError(str(error), did_you_mean(text, country_words())) from None


def _countries(value: Any) -> frozenset[str]:
    codes: frozenset[str] = frozenset()
    for part in listed(value):
        try:
            codes |= countries_of(part)
        except ValueError:
            fix = "set countries apart by `;`" if "," in part else did_you_mean(part, [*country_words(), *GROUPS])
            raise UnreadableError("countries by ISO 3166 code or English name, set apart by `;`", fix) from None
    return codes


def _place(value: Any) -> str:
    """A country by code or name as its code; any other name is a site and stays as it is."""
    text = _text(value)
    if text.upper() in GROUPS:
        raise UnreadableError("a country or a site", f"{text.upper()} is a group of countries: name a country")
    try:
        return country_of(text)
    except ValueError:
        if len(text) == 2:
            raise UnreadableError("a country by its ISO 3166 code, or the name of a facility's site") from None
        return text


def _one_of(words: Mapping[str, T], what: str) -> Callable[[Any], T]:
    def one_of(value: Any) -> T:
        text = _text(value)
        if text not in words:
            raise UnreadableError(f"{what}: " + ", ".join(words), did_you_mean(text, words))
        return words[text]

    return one_of


def _version(value: Any) -> int:
    if value != 1 or isinstance(value, bool):
        raise UnreadableError("1, the only version of the format so far")
    return 1


def _hs(value: Any) -> str:
    text = _text(value)
    if not _HS.match(text):
        raise UnreadableError("an HS or tariff code, like 8112.92 or 2841.80.00")
    return text


def choice(name: str, words: type[StrEnum]) -> Kind:
    """A kind whose values are the words of an enumeration."""
    values = {str(w): w for w in words}
    return Kind(name, _one_of(values, "one of"), {"type": "string", "enum": list(values)})


def several(name: str, words: type[StrEnum]) -> Kind:
    """A list of the words of an enumeration."""
    values = {str(w): w for w in words}
    one = _one_of(values, "some of")
    items = {"type": "array", "items": {"type": "string", "enum": list(values)}}
    return Kind(name, _each(one), also=(items,))


def _numbers(
    read: Callable[[Any], Decimal], expected: str, least: int, most: int | None = None, open_: bool = False
) -> Any:
    return _bounded(read, expected, Decimal(least), None if most is None else Decimal(most), open_)


_STEP_WORDS = {str(w): str(w) for w in (*Stage, *STEPS)}

TEXT_KIND = Kind("text", _text)
IDENT = Kind("name", _ident, {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+-]*$"})
IDENTS = Kind("names, set apart by `;`", _each(_ident), also=(_LIST,))
LABEL = Kind("name", _label, {"type": "string", "pattern": r"^[A-Za-z0-9][\w.+/-]*$"})
END_USE = Kind("end use", _end_use)
TABLE = Kind("table", lambda value: value)
TABLES = Kind("list of tables", lambda value: value)
WORDS = Kind("words, set apart by `;`", lambda v: frozenset(listed(v)), also=(_LIST,))
TEXTS = Kind("list of texts", _each(_text), also=(_LIST,))
DATE = Kind("date", _date, {"type": "string", "format": "date"})
YES_NO = Kind("yes or no", _yes_no, {"type": "string", "enum": ["yes", "no"]}, ({"type": "boolean"},))
INTEGER = Kind("whole number", _integer, also=({"type": "integer", "minimum": 1},))
POSITIVE = Kind("number above 0", _numbers(_number, "a number above 0", 0, open_=True), also=(_NUMBER,))
NON_NEGATIVE = Kind("number", _numbers(_number, "a number, zero or more", 0), also=(_NUMBER,))
FACTOR = Kind("number or share", _numbers(_share, "a factor, zero or more, like 1.5 or 150 %", 0), also=(_NUMBER,))
FRACTION = Kind("share", _numbers(_share, "a share from 0 to 1, like 65 % or 0.65", 0, 1), also=(_NUMBER,))
PART = Kind("share above 0", _numbers(_share, "a share above 0 and up to 1", 0, 1, open_=True), also=(_NUMBER,))
PREMIUM = Kind("share", _numbers(_share, "a share above -100 %", -1, open_=True), also=(_NUMBER,))
MASS = Kind("mass", _quantity(parse_mass, "a mass with its unit, like `5 t` or `3,200 t WO3`", _kg))
MASSES = Kind("list of masses", _masses, also=({"type": "array", "items": {"type": ["string", "number"]}},))
MASS_RATE = Kind("mass per time", _quantity(parse_rate, "a mass per time, like `20 t/year`", _kg))
CAPACITY = Kind("mass per time, or `unlimited`", _quantity(_rate, "a mass per time, like `20 t/year`", _rate_size))
PER_UNIT = Kind("number or mass", _positive_per_unit, also=(_NUMBER,))
UNIT_PRICE = Kind("money per mass", _quantity(_unit_price, "money per mass, like `580 USD/kg`", _amount))
YEARLY_PRICE = Kind("money per mass and year", _quantity(_yearly_price, "like `1 USD/kg/year`", _amount))
YEARLY_SHARE = Kind("share a year", _yearly_share)
MONEY = Kind("money", _quantity(_money, "an amount with its currency, like `2,500,000 USD`", _amount))
DURATION = Kind(
    "duration", _quantity(parse_duration, "a duration, like `1 quarter` or `45 days`", lambda months: months)
)
COUNTRY = Kind("country", _country)
COUNTRIES = Kind("countries, set apart by `;`", _countries, also=(_LIST,))
PLACE = Kind("country or site", _place)
CURRENCY = Kind("currency", lambda v: _known_currency(_text(v)), {"type": "string", "pattern": "^[A-Z]{3}$"})
VERSION = Kind("version", _version, {"const": 1})
HS = Kind("HS code", _hs)
STEP = Kind(
    "stage or step", _one_of(_STEP_WORDS, "a stage or a step of one"), {"type": "string", "enum": list(_STEP_WORDS)}
)


def one_value(name: str, words: Mapping[str, Any], also: tuple[Mapping[str, Any], ...] = ()) -> Kind:
    """A kind with a fixed set of words."""
    return Kind(name, _one_of(words, "one of"), {"type": "string", "enum": list(words)}, also)


def plain(value: Any) -> Any:
    """A TOML value as plain data, the same after a round trip through JSON: dates become text, decimals numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return value
