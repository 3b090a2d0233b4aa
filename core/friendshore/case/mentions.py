"""Words and dates of a case file with their places, for errors about a name.

Records contain no lines, so the file is read again after an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from ..errors import Diagnostic
from ..reading.csvfile import Table, read_table
from ..reading.tomlfile import Key, TomlFile
from . import keys
from .formats import read_case_file


@dataclass(frozen=True, slots=True)
class Mention:
    """A word in a case file or in its demand table."""

    section: str
    """Tables that contain it, like `scenario.change`."""
    column: str
    """Key or column."""
    word: str
    file: str
    row: int | None


def mentions(file: Path) -> list[Mention]:
    """Return all words of a case file and of its demand table, in order. Empty if it can't be read."""
    found: list[Diagnostic] = []
    toml = read_case_file(file, found) if file.is_file() else None
    if toml is None:
        return []
    words = list(_words(toml, toml.data, ()))
    use = toml.data.get("use")
    name = use.get("demand") if isinstance(use, dict) else None
    if isinstance(name, str) and (file.parent / name).is_file():
        table = read_table(file.parent / name, keys.DEMAND, found)
        words += words_of(table)
    return words


def words_of(table: Table) -> list[Mention]:
    """Return all words of a demand table, in order."""
    return [
        Mention("demand", column, row.cells[position], table.file, row.line)
        for row in table.rows
        for column, position in table.columns.items()
        if row.cells[position]
    ]


def _words(toml: TomlFile, value: object, at: Key) -> Iterator[Mention]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _words(toml, inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _words(toml, inner, (*at, number))
    elif isinstance(value, str | date):
        names = [part for part in at if isinstance(part, str)]
        yield Mention(".".join(names[:-1]), names[-1], str(value).strip(), *toml.place(at))
