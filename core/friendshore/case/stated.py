"""Changes on a single line, as on a command line: `stock=tungsten-ore, quantity=5 t, countries=US;CA`.

The keys are those of the `change` tables of a scenario, with the same reader.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from ..domain.change import Change
from ..errors import Diagnostic, InputError
from ..reading.tomlfile import TomlFile, read_section
from ..rules.keys import CHANGE, change

OPTION = "--change"
"""Option that contains them, for messages."""
WRITTEN = "SUBJECT=NAME, KEY=VALUE, ..."
"""Syntax of a change."""
_NEXT = re.compile(r",\s*(?=[a-z_]+\s*=)")
"""End of a value. Other commas belong to it, as in a company's name."""


def stated_changes(texts: Iterable[str]) -> tuple[Change, ...]:
    """Parse changes, one per text.

    Raises:
        InputError: With all errors.
    """
    found: list[Diagnostic] = []
    changes = [read_stated(text, f"{OPTION} '{text}'", found) for text in texts]
    if found:
        raise InputError(found)
    return tuple(change for change in changes if change is not None)


@contextmanager
def changes_stated(texts: Sequence[str]) -> Iterator[tuple[Change, ...]]:
    """Parse changes that are applied inside the block. Errors about the names in them are then attributed to their texts.

    Raises:
        InputError: With all errors.
    """
    changes = stated_changes(texts)
    try:
        yield changes
    except InputError as error:
        raise InputError(_located(error.problems, changes, texts)) from error


def _located(problems: Iterable[Diagnostic], changes: Iterable[Change], texts: Iterable[str]) -> list[Diagnostic]:
    """Attribute errors about the names in a change to its text."""
    stated = [(_words(change), f"{OPTION} '{text}'") for change, text in zip(changes, texts, strict=True)]

    def placed(problem: Diagnostic) -> Diagnostic:
        key = problem.column.rpartition(".")[2]
        named = problem.found.strip("`")
        files = (file for words, file in stated if named in ([words.get(key)] if key else words.values()))
        file = next(files, None)
        return problem if file is None else replace(problem, file=file, row=None, column=key)

    return [placed(problem) for problem in problems]


def _words(change: Change) -> dict[str, str]:
    return {key: str(value) for key, value in change.model_dump(by_alias=True, exclude_defaults=True).items()}


def keys_and_values(text: str) -> list[tuple[str, str]]:
    """Return the keys and values of a change. An incomplete part has an empty key or value."""
    return [(key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in _NEXT.split(text))]


def read_stated(text: str, file: str, found: list[Diagnostic]) -> Change | None:
    """Parse a change, or return None after recording its errors with the place `file`."""
    values: dict[str, str] = {}
    before = len(found)
    for key, value in keys_and_values(text):
        if not (key and value):
            found.append(Diagnostic("cannot be read", file, found=f"`{key or value}`", expected=WRITTEN))
        elif key in values:
            found.append(Diagnostic("is given twice", file, column=key, fix=f"state one change in each {OPTION}"))
        values[key] = value
    if len(found) > before:
        return None
    return change(read_section(TomlFile(file, values, {}, found), CHANGE, values))
