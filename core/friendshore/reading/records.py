"""From plain data to a record, its complaints put into a planner's words."""

from __future__ import annotations

import typing
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from ..errors import InputError, Problem
from .suggest import did_you_mean

M = TypeVar("M", bound=BaseModel)

_LONGEST = 60

_EXPECTED = {
    "bool_parsing": "true or false",
    "bool_type": "true or false",
    "date_from_datetime_parsing": "a date like 2027-01-31",
    "date_parsing": "a date like 2027-01-31",
    "date_type": "a date like 2027-01-31",
    "dict_type": "a table",
    "frozen_set_type": "a list",
    "int_parsing": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "a table",
    "string_type": "text",
    "too_short": "one entry or more",
    "tuple_type": "a list",
}
"""What pydantic's complaints come to, in the words of a file."""


def record(model: type[M], data: Mapping[str, Any], file: str = "", row: int | None = None) -> M:
    """`data` as a record of type `model`.

    Args:
        model: what it is to become.
        data: keys and values as read from a file or given in memory.
        file: where they stand, for messages.
        row: line at which they begin.

    Raises:
        InputError: with everything that is wrong.
    """
    try:
        return model.model_validate(dict(data))
    except ValidationError as error:
        details = error.errors(include_url=False)
        raise InputError([_problem(model, d, file, row) for d in details if not _follows(d, details)]) from error


def _follows(detail: ErrorDetails, details: Sequence[ErrorDetails]) -> bool:
    """Whether a list is only too short because its entries are wrong, which is said already."""
    place = detail["loc"]
    within = any(other["loc"][: len(place)] == place and len(other["loc"]) > len(place) for other in details)
    return detail["type"] == "too_short" and within


def _problem(model: type[BaseModel], detail: ErrorDetails, file: str, row: int | None) -> Problem:
    place, kind, given = detail["loc"], detail["type"], detail["input"]
    column, found = path_of(place), shown(given)
    if kind == "extra_forbidden":
        names = _names_at(model, place[:-1])
        fix = did_you_mean(str(place[-1]), names) or "delete it"
        return Problem("no such key", file, row, column, expected=_listing(names), fix=fix)
    if kind == "missing":
        return Problem("a needed key is missing", file, row, column, fix=f"add `{place[-1]}`")
    context = detail.get("ctx", {})
    if kind in ("enum", "literal_error"):
        words = context.get("expected", "")
        options = [word.strip(" '") for word in words.replace(" or ", ",").split(",")]
        return Problem(
            "is not one of the words known here", file, row, column, found, words, did_you_mean(str(given), options)
        )
    if kind == "value_error":
        return Problem(str(context["error"]), file, row, column, found if column else "")
    expected = _EXPECTED.get(kind) or detail["msg"].removeprefix("Input should be ")
    return Problem("cannot be read", file, row, column, found, expected)


def path_of(place: Sequence[str | int]) -> str:
    """`phases[2].from` for the `from` of the second phase: entries of lists count from one."""
    path = ""
    for step in place:
        if isinstance(step, int):
            path += f"[{step + 1}]"
        else:
            path += f".{step}" if path else step
    return path


def shown(value: object) -> str:
    """A value as a message shows it: as it would be written in a file, cut where it is long."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        text = "[" + ", ".join(map(shown, value)) + "]"
    else:
        text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _listing(names: Sequence[str]) -> str:
    return "one of " + ", ".join(names) if names else ""


def _names_at(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """Keys known at a place within `model`, as they are written in files; empty where they are not known."""
    here: type[BaseModel] | None = model
    for step in place:
        if here is None or isinstance(step, int):
            continue
        field = next((f for name, f in here.model_fields.items() if step in (name, f.alias)), None)
        here = _record_in(field.annotation) if field else None
    return [field.alias or name for name, field in here.model_fields.items()] if here else []


def _record_in(annotation: object) -> type[BaseModel] | None:
    """The first record type in a type such as `tuple[Phase, ...]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_record_in, typing.get_args(annotation))), None)
