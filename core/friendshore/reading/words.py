"""Readers of names, words, dates, countries and places.

Every reader takes the text of a cell or the value of a TOML key, and raises `UnreadableError` with what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from ..domain.countries import GROUPS, countries_of, country_names, country_of, country_words
from .fields import UnreadableError
from .suggest import did_you_mean, nearest

T = TypeVar("T")

_IDENT = re.compile(r"[A-Za-z0-9][\w.+-]*\Z")
_LABEL = re.compile(r"[A-Za-z0-9][\w.+/-]*\Z")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")
_HS = re.compile(r"\d{2,4}(?:\.?\d{2}){0,4}\Z")
_MEANT = {"defence": "defense", "military": "defense", "civilian": "civil", "commercial": "civil"}
"""Words for an end use that rules would not know."""

BOOLEANS: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False}


def read_text(value: Any) -> str:
    """Text without the blanks around it."""
    if not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise UnreadableError("text in quotes", f'write "{shown}"')
    return value.strip()


def read_ident(value: Any) -> str:
    """A name that rows and files may refer to."""
    word = read_text(value)
    if not _IDENT.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.` and `+`, without spaces")
    return word


def read_label(value: Any) -> str:
    """A name of something in a case; it may hold slashes."""
    word = read_text(value)
    if not _LABEL.match(word):
        raise UnreadableError("a name of letters, digits, `-`, `_`, `.`, `+` and `/`, without spaces")
    return word


def read_end_use(value: Any) -> str:
    """An end use; words that look like `defense` and `civil` but would escape every rule are refused."""
    word = read_text(value)
    folded = word.casefold()
    meant = _MEANT.get(folded, folded)
    if meant != word and meant in _MEANT.values():
        raise UnreadableError("defense, civil, or a word of your own", f"did you mean `{meant}`?")
    return word


def listed(value: Any) -> list[str]:
    """The parts of `a; b; c`, or of a TOML list of texts."""
    parts = value if isinstance(value, list) else read_text(value).split(";")
    return [part for part in map(read_text, parts) if part]


def each(read: Callable[[str], T]) -> Callable[[Any], tuple[T, ...]]:
    """A reader of lists whose parts `read` reads; what is listed twice counts once."""
    return lambda value: tuple(dict.fromkeys(read(part) for part in listed(value)))


def read_words(value: Any) -> frozenset[str]:
    """A set of words."""
    return frozenset(listed(value))


def read_day(value: Any) -> date:
    """A date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    if isinstance(value, str) and _DAY.match(value.strip()):
        try:
            return date.fromisoformat(value.strip())
        except ValueError:
            raise UnreadableError("a day that is in the calendar") from None
    raise UnreadableError("a date like 2027-01-31")


def read_yes_no(value: Any) -> bool:
    """Yes or no."""
    if isinstance(value, bool):
        return value
    word = value.casefold() if isinstance(value, str) else ""
    if word not in BOOLEANS:
        raise UnreadableError("yes or no")
    return BOOLEANS[word]


def _meant_country(word: str) -> str:
    near = nearest(word, country_words())
    return "" if near is None else f"did you mean `{country_names()[country_words()[near]]}`?"


def read_country(value: Any) -> str:
    """Alpha-2 code of one country."""
    word = read_text(value)
    if word.upper() in GROUPS:
        raise UnreadableError("one country", f"{word.upper()} is a group of countries: name the country itself")
    try:
        return country_of(word)
    except ValueError as error:
        raise UnreadableError(str(error), _meant_country(word)) from None


def read_countries(value: Any) -> frozenset[str]:
    """Alpha-2 codes of countries and of the members of groups."""
    codes: frozenset[str] = frozenset()
    for part in listed(value):
        try:
            codes |= countries_of(part)
        except ValueError:
            fix = "set countries apart by `;`" if "," in part else _meant_country(part)
            raise UnreadableError("countries by ISO 3166 code or English name, set apart by `;`", fix) from None
    return codes


def read_place(value: Any) -> str:
    """A country by code or name as its code; any other name is a site and stays as it is."""
    word = read_text(value)
    if word.upper() in GROUPS:
        raise UnreadableError("a country or a site", f"{word.upper()} is a group of countries: name a country")
    try:
        return country_of(word)
    except ValueError:
        if len(word) == 2:
            raise UnreadableError("a country by its ISO 3166 code, or the name of a facility's site") from None
        return word


def one_of(words: Mapping[str, T], what: str = "one of") -> Callable[[Any], T]:
    """A reader of a fixed set of words."""

    def read(value: Any) -> T:
        word = read_text(value)
        if word not in words:
            raise UnreadableError(f"{what} " + ", ".join(words), did_you_mean(word, words))
        return words[word]

    return read


def read_version(value: Any) -> int:
    """Version of a file format."""
    if value != 1 or isinstance(value, bool):
        raise UnreadableError("1, the only version of the format so far")
    return 1


def read_hs(value: Any) -> str:
    """An HS or tariff code."""
    code = read_text(value)
    if not _HS.match(code):
        raise UnreadableError("an HS or tariff code, like 8112.92 or 2841.80.00")
    return code


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
