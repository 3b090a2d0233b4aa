"""Parsers of masses, rates, money, shares, and durations as people write them, into exact decimals. A mass is a number, a unit, and the substance
weighed unless it is the material's own basis: `5 t`, `5 t WO3`, `100 mtu`. Everything is converted to kilograms. Each parser raises ValueError with
the expected form.
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_EVEN, Decimal
from typing import NamedTuple

from .base import UnreadableError, exact, stated_number

KILOGRAMS: dict[str, Decimal] = {
    "kg": Decimal(1),
    "g": Decimal("0.001"),
    "t": Decimal(1000),
    "kt": Decimal(1_000_000),
    "Mt": Decimal(1_000_000_000),
    "lb": Decimal("0.45359237"),
    "st": Decimal("907.18474"),
    "mtu": Decimal(10),
    "stu": Decimal("9.0718474"),
}
"""Kilograms in one unit. Pound: exact by the international agreement of 1959. `st`: short ton, 2,000 lb. `mtu` and `stu`: metric and short ton units,
1% of a tonne and 20 lb, of the named oxide (by default WO3): USGS Minerals Yearbook, Tungsten."""

OXIDE_UNITS = {"mtu": "WO3", "stu": "WO3"}
"""Units that are masses of an oxide, with the default oxide."""

MONTHS: dict[str, Decimal] = {
    "month": Decimal(1),
    "quarter": Decimal(3),
    "year": Decimal(12),
    "day": Decimal(12) / Decimal(365),
    "week": Decimal(84) / Decimal(365),
}
"""Months in one unit of time. Days by the 365-day year."""

_YEAR_ABBREVIATIONS = frozenset(("yr", "y", "a", "annum"))
_ALIASES = {
    "tonne": "t", "tonnes": "t", "ton": "", "tons": "", "kilogram": "kg", "kilograms": "kg", "pound": "lb",
    "pounds": "lb", "lbs": "lb", "gram": "g", "grams": "g", "short-ton": "st", "short-tons": "st",
}  # fmt: skip
# A comma only separates thousands, so that `1,5` and `0,125` are rejected, not read as 15 and 125.
_DIGITS = r"[-+]?(?:(?:[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d{0,2}(?:_\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+]?\d+)?"
# The separator may mean thousands or decimals in `1,250` and `1.250`, but not in `0.125` and `1250.000`.
_AMBIGUOUS = re.compile(r"\s*([-+]?[1-9]\d{0,2}[.,]\d{3})(?![\d,.])(.*)", re.ASCII | re.DOTALL)
_UNITS = re.compile(r"(\s*[%A-Za-z][\w/%-]*){0,3}\s*")
_MASS = re.compile(rf"^\s*({_DIGITS})\s*([A-Za-z-]+)(?:\s+(\S+))?\s*$", re.ASCII)
_NUMBER = re.compile(rf"^{_DIGITS}$", re.ASCII)
_TIME = re.compile(rf"^\s*({_DIGITS})\s*(day|week|month|quarter|year)s?\s*$", re.ASCII)
_MONEY = re.compile(rf"^\s*({_DIGITS})\s*([A-Z]{{3}})\s*$", re.ASCII)
# A number with a decimal comma, or with points between thousands.
_CONTINENTAL = re.compile(r"([-+]?\d{1,3}(?:\.\d{3})+|[-+]?\d+)(,\d+)?(?![\d.,])", re.ASCII)
_CURRENCY_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "₹": "INR", "₩": "KRW"}
# A number with a word for its magnitude.
_SHORTENED = re.compile(r"[-+\d.,]+\s*(Mio\.?|Mrd\.?|Mn|bn|million|billion|k|M)(?=\s+[A-Z]{3}\b)", re.ASCII)

UNLIMITED = "unlimited"


class Mass(NamedTuple):
    """A mass in kilograms, of a named substance or of the material's own basis (None)."""

    kg: Decimal
    substance: str | None


class Money(NamedTuple):
    """Amount in an ISO 4217 currency."""

    amount: Decimal
    currency: str


class UnitPrice(NamedTuple):
    """Money per kilogram of a named substance, or of the material's own basis (None)."""

    amount: Decimal
    currency: str
    substance: str | None


class Ambiguous(NamedTuple):
    """Both readings of an ambiguous amount, written unambiguously."""

    read: str
    """With a decimal point."""
    other: str
    """With thousands."""


def ambiguous(text: str) -> Ambiguous | None:
    """Return both readings of `1,250 kg` or `9.000 t/year`. None for percentages and plain numbers like 1.085, and for 1.000, since rates aren't written that way."""
    match = _AMBIGUOUS.fullmatch(text)
    if match is None or _UNITS.fullmatch(match[2]) is None:
        return None
    number, unit = match[1], match[2].rstrip()
    has_point = "." in number
    is_bare = not unit.strip().rstrip("%")
    if has_point and is_bare and (unit.strip() or not number.endswith(".000") or number.lstrip("+-") == "1.000"):
        return None
    whole = re.sub("[.,]", "", number)
    decimal = number.replace(",", ".").rstrip("0").rstrip(".")
    decimal += "0" if len(decimal.partition(".")[2]) == 3 else ""
    return Ambiguous(decimal + unit, whole + unit) if has_point else Ambiguous(whole + unit, decimal + unit)


def _unreadable(text: str, expected: str) -> UnreadableError:
    """Return the error for an unreadable amount. The fix covers numbers and currencies in another country's notation."""
    sign = next((sign for sign in _CURRENCY_SIGNS if sign in text), "")
    if sign:
        return UnreadableError(expected, f"write {_CURRENCY_SIGNS[sign]} instead of {sign}")
    if (shortened := _SHORTENED.match(text.strip())) is not None:
        return UnreadableError(expected, f"write the zeros instead of {shortened[1]}")
    match = _CONTINENTAL.match(text.strip())
    if match is not None and (match[2] or match[1].count(".") > 1):
        number = match[1].replace(".", "") + (match[2] or "").replace(",", ".")
        return UnreadableError(expected, f"write {number} (with a point as the decimal separator)")
    return UnreadableError(expected)


def _decimal(digits: str) -> Decimal:
    return stated_number(digits.replace(",", "").replace("_", ""))


def is_number(text: str) -> bool:
    return _NUMBER.match(text.strip()) is not None


def parse_number(text: str) -> Decimal:
    """Parse a plain number. Commas or underscores may separate thousands."""
    if not _NUMBER.match(text.strip()):
        raise _unreadable(text, "a number")
    return _decimal(text.strip())


def _unit(word: str) -> str:
    unit = _ALIASES.get(word, word)
    if unit == "":
        raise ValueError("an unambiguous unit, t (tonne) or st (short ton)")
    if unit not in KILOGRAMS:
        raise ValueError("one of the units " + ", ".join(KILOGRAMS))
    return unit


def parse_mass(text: str) -> Mass:
    """Parse a mass such as `5 t`, `3200 t WO3`, `100 mtu`, or `0`."""
    if text.strip() == "0":
        return Mass(Decimal(0), None)
    match = _MASS.match(text)
    if not match:
        raise _unreadable(text, "a number with a unit, like `5 t` or `3200 t WO3`")
    unit = _unit(match[2])
    number = _decimal(match[1])
    return Mass(exact(number * KILOGRAMS[unit]), match[3] or OXIDE_UNITS.get(unit))


def parse_rate(text: str) -> Mass:
    """Parse a mass per year such as `20 t/year` or `20 t WO3/year`. Other periods are converted to a year."""
    mass, slash, per = text.partition("/")
    per = per.strip()
    if not slash or per in _YEAR_ABBREVIATIONS:
        per = "year"
    if per not in MONTHS:
        raise ValueError("a mass per " + ", ".join(MONTHS) + ", like `20 t/year`")
    parsed = parse_mass(mass)
    return Mass(exact(parsed.kg * 12 / MONTHS[per]), parsed.substance)


def parse_money(text: str) -> Money:
    match = _MONEY.match(text)
    if not match:
        raise _unreadable(text, "an amount with its ISO 4217 currency, like `2,500,000 USD`")
    return Money(_decimal(match[1]), match[2])


def looks_like_money(text: str) -> bool:
    """Return True if a text is a number followed by three capitals, which may be a wrong currency code."""
    return _MONEY.match(text) is not None


def parse_unit_price(text: str) -> UnitPrice:
    """Parse money per mass, like `580 USD/kg`, `1000 USD/mtu`, or `180 USD/kg Ta2O5`."""
    money, slash, per = text.partition("/")
    if not slash or not looks_like_money(money):
        raise _unreadable(text, "money per mass, like `580 USD/kg` or `180 USD/kg Ta2O5`")
    amount, currency = parse_money(money)
    kg, substance = parse_mass("1 " + per.strip())
    return UnitPrice(exact(amount / kg), currency, substance)


def parse_share(text: str) -> Decimal:
    text = text.strip()
    digits = text.removesuffix("%")
    if not is_number(digits):
        raise _unreadable(text, "a share, like `65%` or `0.65`")
    number = parse_number(digits)
    return number if digits == text else exact(number / 100)


def in_percent(value: object) -> str:
    """Return the fix for a number above 1 instead of a share, like 70 for 70%. Empty for anything else."""
    is_bare = isinstance(value, int | float | Decimal) or (isinstance(value, str) and is_number(value))
    number = exact(value if not isinstance(value, str) else parse_number(value)) if is_bare else Decimal(0)
    return f'write "{number.normalize():f}%"' if 1 < number <= 100 else ""


def parse_duration(text: str) -> Decimal:
    """Parse a duration such as `1 quarter`, `45 days`, or `0`, in months."""
    if text.strip() == "0":
        return Decimal(0)
    match = _TIME.match(text)
    if not match:
        raise _unreadable(text, "a duration, like `1 quarter`, `45 days`, or `2 months`")
    return exact(_decimal(match[1]) * MONTHS[match[2]])


def readable(amount: Decimal, digits: int = 4) -> str:
    """Return a number for a message, with at least `digits` significant digits and all of its whole part."""
    if not amount:
        return "0"
    places = max(0, digits - 1 - amount.adjusted())
    text = f"{amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
