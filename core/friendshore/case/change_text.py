"""Changes as text, such as `stock=tungsten-ore, quantity=5 t`, with the keys of a scenario's `change` tables."""

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
WRITTEN = "SUBJECT=NAME, KEY=VALUE, ..."
"""Syntax of a change."""
_SEPARATOR = re.compile(r",\s*(?=[a-z_]+\s*=)")
"""Comma before the next key. Other commas belong to a value, as in a company's name."""


def parse_changes(texts: Iterable[str]) -> tuple[Change, ...]:
    """Parse one change per text, and raise an `InputError` with all errors."""
    problems: list[Diagnostic] = []
    changes = [parse_change(text, f"{OPTION} '{text}'", problems) for text in texts]
    if problems:
        raise InputError(problems)
    return tuple(change for change in changes if change is not None)


@contextmanager
def parsed_changes(texts: Sequence[str]) -> Iterator[tuple[Change, ...]]:
    """Parse changes that the block applies. An `InputError` in the block about a change then names the text of the change."""
    changes = parse_changes(texts)
    try:
        yield changes
    except InputError as error:
        raise InputError(_located(error.problems, changes, texts)) from error


def _located(problems: Iterable[Diagnostic], changes: Iterable[Change], texts: Iterable[str]) -> list[Diagnostic]:
    words_by_option = [(_words(change), f"{OPTION} '{text}'") for change, text in zip(changes, texts, strict=True)]

    def located(problem: Diagnostic) -> Diagnostic:
        key = problem.column.rpartition(".")[2]
        name = problem.found.strip("`")
        options = (option for words, option in words_by_option if name in ([words.get(key)] if key else words.values()))
        option = next(options, None)
        return problem if option is None else replace(problem, file=option, row=None, column=key)

    return [located(problem) for problem in problems]


def _words(change: Change) -> dict[str, str]:
    return {key: str(value) for key, value in change.model_dump(by_alias=True, exclude_defaults=True).items()}


def keys_and_values(text: str) -> list[tuple[str, str]]:
    """Return the keys and values of a change. An incomplete part has an empty key or value."""
    return [(key.strip(), value.strip()) for key, _, value in (part.partition("=") for part in _SEPARATOR.split(text))]


def parse_change(text: str, file: str, problems: list[Diagnostic]) -> Change | None:
    """Parse a change, or report its errors and return None. `file` is the place for messages."""
    values: dict[str, str] = {}
    before = len(problems)
    for key, value in keys_and_values(text):
        if not (key and value):
            fix = 'write it like `--change "price=OFFER, factor=1.1"`'
            message, found = "a part of the change can't be read", f"`{key or value}`"
            problems.append(Diagnostic(message, file, found=found, expected=WRITTEN, fix=fix, code="FS011"))
        elif key in values:
            fix = f"write each change in its own {OPTION}"
            problems.append(Diagnostic(f"`{key}` is given twice", file, column=key, fix=fix, code="FS202"))
        values[key] = value
    if len(problems) > before:
        return None
    return change(read_section(TomlFile(file, values, {}, problems), CHANGE, values))
