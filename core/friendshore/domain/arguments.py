"""Arguments of public functions that are lists of records: checked, with how to write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar, cast

from ..errors import InputError

_T = TypeVar("_T")

CHANGES = (
    '`Change(price="OFFER", factor="1.1")` is a change, `Change.model_validate(TABLE)` makes one of a dict; write '
    "`session.after(CHANGE, ...)`, and `changes=[CHANGE, ...]` elsewhere"
)
RULES = "write `rules=[RULE, ...]`; `registry.rule(TABLE)` makes a rule of a dict"
CATALOGS = "write `catalogs=[CATALOG, ...]`; `friendshore.read_catalog(PATH)` reads one"


def each_of(values: object, kind: type[_T], name: str, fix: str) -> tuple[_T, ...]:
    """Return the values of an argument as a tuple.

    Args:
        values: What the caller gave.
        kind: Type of every value.
        name: Name of the argument.
        fix: How to write it.

    Raises:
        InputError: If it is not a sequence of values of that type.
    """
    alone = isinstance(values, str | bytes | Mapping | kind) or not isinstance(values, Iterable)
    given: list[Any] = [values] if alone else list(cast("Iterable[Any]", values))
    for value in given:
        if alone or not isinstance(value, kind):
            found, expected = f"`{type(value).__name__}`", f"a tuple or list of `{kind.__name__}`"
            raise InputError(f"`{name}` cannot be read", found=found, expected=expected, fix=fix)
    return tuple(given)
