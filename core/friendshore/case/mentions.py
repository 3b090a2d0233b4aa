"""Every word and day of a case file with its place, so that what is wrong with a name can be told where it stands.

Read when something is wrong, and never before: records carry no lines.
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
    """A word in a case file or in its table of demands."""

    section: str
    """Tables that it stands in, like `scenario.change`."""
    column: str
    """Key or column."""
    word: str
    file: str
    row: int | None


def mentions(file: Path) -> list[Mention]:
    """All words of a case file and of its table of demands, in order; none of a file that cannot be read."""
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
    """All words of a table of demands, in order."""
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
