"""Readers of what stands in cells and under keys: text, lists, dates, yes and no, numbers, shares, masses, prices and durations.

Every reader takes the text of a cell or the value of a TOML key, and raises `UnreadableError` with what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from ..domain import values
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
from ..domain.values import MASS, MONEY, MONTHS, PER_UNIT, RESOLUTION, SIGNED_PRICE, Range, currency
from .textfile import SURROGATE, WHOLE

T = TypeVar("T")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")

BOOLEANS: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False}


def read_prose(value: object) -> str:
    """Text as it stands, its line breaks included."""
    if not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise UnreadableError("text in quotes", f'write "{shown}"')
    if SURROGATE.search(value):
        raise UnreadableError(WHOLE, "delete the half of a character, or write all of it")
    return value


def read_text(value: object) -> str:
    """Text without the blanks around it."""
    return read_prose(value).strip()


def named(ask: Callable[[str], T]) -> Callable[[Any], T]:
    """A reader of text of which `ask` makes a value, or says what was expected."""
    return lambda value: ask(read_text(value))


def listed(value: object) -> list[str]:
    """The parts of `a; b; c`, or of a TOML list of texts."""
    parts = value if isinstance(value, list) else read_text(value).split(";")
    return [part for part in map(read_text, parts) if part]


def each(read: Callable[[str], T]) -> Callable[[Any], tuple[T, ...]]:
    """A reader of lists whose parts `read` reads; what is listed twice counts once."""
    return lambda value: tuple(dict.fromkeys(read(part) for part in listed(value)))


def read_words(value: object) -> frozenset[str]:
    """A set of words."""
    return frozenset(listed(value))


def read_day(value: object) -> date:
    """A date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.match(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise UnreadableError("a day that is in the calendar") from None
    raise UnreadableError("a date like 2027-01-31")


def read_yes_no(value: object) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    if word not in BOOLEANS:
        raise UnreadableError("yes or no")
    return BOOLEANS[word]


def read_countries(value: object) -> frozenset[str]:
    """Alpha-2 codes of countries and of the members of groups."""
    return values.countries(listed(value))


def read_version(value: object) -> int:
    """Version of a file format."""
    if value != 1 or isinstance(value, bool):
        raise UnreadableError("1, the only version of the format so far")
    return 1


def plain(value: object) -> object:
    """A TOML value as plain data, the same after a round trip through JSON: dates become text, decimals numbers."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list):
        return [plain(item) for item in value]
    return plain_table(value) if isinstance(value, dict) else value


def plain_table(table: Mapping[str, object]) -> dict[str, object]:
    """A TOML table as plain data: see `plain`."""
    return {key: plain(value) for key, value in table.items()}


def cell_text(value: object) -> str | None:
    """A single value as the text of a cell of a CSV file; None: what is none, as a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return f"{value:f}"
    return str(value) if isinstance(value, str | int | float | date) else None


def read_number(value: object) -> Decimal:
    """A plain number."""
    try:
        return parse_number(value) if isinstance(value, str) else exact(value)
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError("a number") from None


def read_share(value: object) -> Decimal:
    """A share as a fraction."""
    try:
        return parse_share(value) if isinstance(value, str) else exact(value)
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError("a share, like 65 % or 0.65") from None


def within(read: Callable[[Any], Decimal], range_: Range) -> Callable[[Any], Decimal]:
    """A reader of numbers that lie in a range."""

    def checked(value: object) -> Decimal:
        number = read(value)
        try:
            return range_(number)
        except UnreadableError as error:
            fix = error.fix or (in_percent(value) if read is read_share and range_.most == 1 else "")
            raise UnreadableError(error.expected, fix) from None

    return checked


def whole(range_: Range) -> Callable[[Any], int]:
    """A reader of whole numbers in a range."""

    def read(value: object) -> int:
        try:
            return range_.whole(read_number(value))
        except UnreadableError:
            raise UnreadableError(range_.expected) from None

    return read


def _measured(
    parse: Callable[[str], T], size: Callable[[T], Decimal], range_: Range, expected: str, value: object
) -> T:
    """A number with its unit, zero or more."""
    if not isinstance(value, str):
        if isinstance(value, bool) or value != 0:
            raise UnreadableError(expected, "write it in quotes, with its unit")
        value = "0"
    try:
        parsed = parse(value)
    except UnreadableError:
        raise
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    range_(size(parsed))
    return parsed


def _kg(mass: Mass | str) -> Decimal:
    return Decimal(0) if isinstance(mass, str) else mass.kg


def _amount(money: Money | UnitPrice) -> Decimal:
    return money.amount


def read_mass(value: object) -> Mass:
    """A mass."""
    return _measured(parse_mass, _kg, MASS, "a mass with its unit, like `5 t` or `3200 t WO3`", value)


def read_resolution(value: object) -> Mass:
    """A mass to which plans are rounded."""
    return _measured(parse_mass, _kg, RESOLUTION, RESOLUTION.expected, value)


def read_masses(value: object) -> tuple[Mass, ...]:
    """A list of masses."""
    parts = value if isinstance(value, list) else read_text(value).split(";")
    return tuple(read_mass(part.strip() if isinstance(part, str) else part) for part in parts)


def read_rate(value: object) -> Mass:
    """A mass a year."""
    return _measured(parse_rate, _kg, MASS, "a mass per time, like `20 t/year`", value)


def read_capacity(value: object) -> Mass | str:
    """A mass a year, or `unlimited`."""
    if isinstance(value, str) and value.strip().casefold() == UNLIMITED:
        return UNLIMITED
    return read_rate(value)


def read_per_unit(value: object) -> Mass:
    """Kilograms per unit, above zero: a plain number, or a mass."""
    try:
        mass = (
            parse_mass(value)
            if isinstance(value, str) and not is_number(value)
            else Mass(parse_number(value) if isinstance(value, str) else exact(value), None)
        )
    except UnreadableError:
        raise
    except ValueError:
        raise UnreadableError(PER_UNIT.expected) from None
    PER_UNIT(mass.kg)
    return mass


def _parse_money(text: str) -> Money:
    money = parse_money(text)
    currency(money.currency)
    return money


def _parse_unit_price(text: str) -> UnitPrice:
    price = parse_unit_price(text)
    currency(price.currency)
    return price


def read_money(value: object) -> Money:
    """An amount of money."""
    return _measured(_parse_money, _amount, MONEY, "an amount with its currency, like `2,500,000 USD`", value)


def read_unit_price(value: object) -> UnitPrice:
    """Money per kilogram."""
    return _measured(_parse_unit_price, _amount, MONEY, "money per mass, like `580 USD/kg`", value)


def read_signed_price(value: object) -> UnitPrice:
    """Money per kilogram, which may be below zero."""
    return _measured(_parse_unit_price, _amount, SIGNED_PRICE, "money per mass, like `580 USD/kg`", value)


def read_mass_or_money(value: object) -> Mass | Money:
    """A mass, or an amount of money; a bare 0 is read as a mass."""
    if isinstance(value, str) and looks_like_money(value):
        return read_money(value)
    expected = "a mass or money, like `10 t` or `1,000,000 USD`"
    return _measured(parse_mass, _kg, MASS, expected, value)


def _yearly(value: object, expected: str) -> str:
    """What stands before `/year`."""
    amount, slash, per = read_text(value).rpartition("/")
    if not slash or per.strip() != "year":
        raise UnreadableError(expected)
    return amount


def read_yearly_price(value: object) -> UnitPrice:
    """Money per kilogram and year."""
    return read_unit_price(_yearly(value, "money per mass and year, like `1 USD/kg/year`"))


def read_yearly_share(value: object) -> Decimal:
    """A share a year, zero or more; that it is of a year need not be said."""
    expected = "a share a year, like `5 %/year`"
    told = _yearly(value, expected) if isinstance(value, str) and "/" in value else value
    try:
        share = read_share(told)
    except UnreadableError:
        raise UnreadableError(expected) from None
    if share < 0:
        raise UnreadableError("zero or more")
    return share


def read_duration(value: object) -> Decimal:
    """Months."""
    expected = "a duration, like `1 quarter` or `45 days`"
    return _measured(parse_duration, lambda months: months, MONTHS, expected, value)
