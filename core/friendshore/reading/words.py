"""Readers of text, lists, dates, and yes and no.

Every reader takes the text of a cell or the value of a TOML key, and raises `UnreadableError` with what it expected.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeVar

from ..domain import values
from ..domain.base import UnreadableError

T = TypeVar("T")

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z")

BOOLEANS: Mapping[str, bool] = {"yes": True, "no": False, "true": True, "false": False}


def read_prose(value: object) -> str:
    """Text as it stands, its line breaks included."""
    if not isinstance(value, str):
        shown = str(value).lower() if isinstance(value, bool) else value
        raise UnreadableError("text in quotes", f'write "{shown}"')
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
