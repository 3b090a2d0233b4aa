"""`columns.toml` -> what becomes of the columns of a spreadsheet, with every mistake at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...errors import Diagnostic
from ...reading.entry import Entry
from ...reading.tomlfile import TomlFile, read_section, read_toml
from .layout import BLOCKS, MAP
from .texts import CellText, Patterns, Row, alike


@dataclass(frozen=True, slots=True)
class Where:
    """Which rows an entry is about."""

    when: Patterns
    unless: Patterns

    def holds(self, row: Row) -> bool:
        """Whether it is about a row."""
        return all(alike(row, self.when)) and not any(alike(row, self.unless))


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One entry of the map: what it makes of the rows that it is about."""

    table: str
    """`offers`, or `skip` and `makes`."""
    number: int
    """Its place among those of its name, from 0."""
    where: Where
    texts: Mapping[str, CellText]
    """Column of the catalog's table -> what its text is made of."""
    why: str = ""
    about: tuple[str, ...] = ("*",)
    """Patterns of the materials whose offers it is about."""

    def of(self, material: str) -> bool:
        """Whether it is about the offers of a material."""
        return any(fnmatchcase(material, pattern) for pattern in self.about)

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """Key of the entry and column of the spreadsheet, for all that it names."""
        for key, patterns in (("when", self.where.when), ("unless", self.where.unless)):
            yield from ((key, column) for column in patterns)
        for key, text in self.texts.items():
            yield from ((key, column) for column in text.named)


@dataclass(frozen=True, slots=True)
class Map:
    """A map as read."""

    toml: TomlFile
    head: Mapping[str, Any]
    """Keys of `catalog.toml`, parsed."""
    sheet: Mapping[str, Any]
    skips: tuple[MapEntry, ...]
    makes: tuple[MapEntry, ...]
    tables: Mapping[str, tuple[MapEntry, ...]]
    """Entries of each table that has any."""

    @property
    def blocks(self) -> Iterator[MapEntry]:
        """All entries."""
        yield from self.skips
        yield from self.makes
        for blocks in self.tables.values():
            yield from blocks


def read_map(path: Path, found: list[Diagnostic]) -> Map | None:
    """Reads a map; None, with what is wrong put to `found`, if nothing can be made by it."""
    before = len(found)
    toml = read_toml(path, found)
    if toml is None:
        return None
    entry = read_section(toml, MAP, toml.data)
    tables = {name: tuple(_blocks(entry, name)) for name in BLOCKS if name in entry.values}
    if len(found) > before:
        return None
    head = {"schema": 1, **entry.part("catalog").values}
    skips, makes = tuple(_blocks(entry, "skip")), tuple(_blocks(entry, "makes"))
    return Map(toml, head, entry.part("sheet").values, skips, makes, tables)


def required_by(path: Path) -> tuple[str, ...]:
    """The catalogs that a map's `[catalog]` requires; none where it cannot be read, which `read_map` tells."""
    by = read_map(path, [])
    return tuple(by.head.get("requires", ())) if by is not None else ()


def _blocks(entry: Entry, name: str) -> Iterator[MapEntry]:
    for number, part in enumerate(entry.parts(name)):
        values = part.values
        texts = {key: value for key, value in values.items() if isinstance(value, CellText)}
        where = Where(values.get("when", {}), values.get("unless", {}))
        yield MapEntry(name, number, where, texts, values.get("why", ""), values.get("about", ("*",)))
