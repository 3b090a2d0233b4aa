"""`columns.toml` -> what becomes of the columns of a spreadsheet, with every mistake at once.

Its keys are stated here: what the reader reads by, and what the reference page and the schema are made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from ...domain.base import UnreadableError
from ...errors import Diagnostic
from ...reading import kinds as k
from ...reading.cells import named
from ...reading.fields import FactColumns, Field, Layout
from ...reading.kinds import Kind
from ...reading.records import Entry
from ...reading.tomlfile import TomlFile, read_section, read_toml
from .. import columns
from ..tables import NO_FACTS
from .texts import CellText, Patterns, Row, alike, read_patterns, read_text_of

_PATTERNS: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}
_WHERE = Kind("columns and patterns", read_patterns, _PATTERNS)
TEXT_OF = Kind("a column, or a table of `column`, `value`, `text` or `id`", read_text_of, also=({"type": "object"},))

_WHEN = Field(
    "when",
    _WHERE,
    "Which rows it is about: each column named must be like its pattern, or one of its patterns; `*` stands for any signs, `?` for one, "
    "so that `?*` is anything but blank. Blank: all rows.",
    {"status": "operating", "product": ["gallium*", "*Ga metal*"]},
)
_UNLESS = Field(
    "unless", _WHERE, "Which of them it is not about: those like any of these patterns.", {"note": "*sold*"}
)


def _mark(value: str) -> str:
    if value not in (".", ","):
        raise UnreadableError("a point or a comma")
    return value


def _separator(value: object) -> str:
    if value not in (",", ";", "\t", "|"):
        raise UnreadableError("one of `,`, `;`, `|` and a tab, written `\\t`")
    return str(value)


_ABOUT = Field(
    "about",
    k.TEXTS,
    "Patterns of the materials whose offers it is about, where a row makes several; blank: all.",
    ["*-metal-*", "tungsten-apt"],
)


SHEET = Layout(
    "[sheet]",
    "How the spreadsheet is written.",
    (
        Field("name", k.TEXT, "Sheet of a workbook; blank: its only one.", "Suppliers"),
        Field("header", k.COUNT, "Row of the header; blank: the first that is not blank.", 3),
        Field("separator", Kind("sign", _separator), "What sets off the columns of a CSV file; blank: a comma.", ";"),
        Field(
            "decimal",
            Kind("sign", named(_mark)),
            "Decimal sign of numbers that are text, in a CSV file or in a cell of a workbook; blank: a point.",
            ",",
        ),
        Field("blank", k.TEXTS, "Words that mean that nothing is known.", ["n/a", "-", "tbd"]),
    ),
)
SKIP = Layout(
    "[[skip]]",
    "Rows that are left out, and why; they are counted and named.",
    (_WHEN, _UNLESS, Field("why", k.TEXT, "Reason, told of each row.", "sold last year", required=True)),
)
MAKES = Layout(
    "[[makes]]",
    "What the rows are about. Of all entries that a row is like each adds a material; a row that is like none is a mistake. Where there is no "
    "entry at all, `[[offers]]` says the material itself.",
    (
        _WHEN,
        _UNLESS,
        Field("material", TEXT_OF, "Material or materials.", {"value": "gallium-metal-4n"}, required=True),
    ),
)
HEAD = Layout("[catalog]", "Keys of `catalog.toml`, less its `schema`.", columns.HEAD.fields[1:])


def table_name(layout: Layout) -> str:
    """What the map calls a table: `offers` for `offers.csv`."""
    return layout.name.removesuffix(".csv")


def _table(layout: Layout) -> Layout:
    """The entry of a table: the same columns, each with what its text is made of."""
    own = tuple(Field(field.name, TEXT_OF, field.meaning) for field in layout.fields)
    doc = f"Rows of `{layout.name}`, one for each row of the spreadsheet that the entry is about. {layout.doc}"
    about = (_ABOUT,) if layout.name == columns.OFFERS.name or "offer" in layout.names else ()
    return replace(layout, name=f"[[{table_name(layout)}]]", doc=doc, fields=(_WHEN, _UNLESS, *about, *own))


BLOCKS = tuple(map(table_name, columns.TABLES))
"""What a map calls the tables of a catalog."""


def map_of(facts: FactColumns = NO_FACTS) -> Layout:
    """What a map holds, with the columns that plugins declare."""
    blocks = zip(BLOCKS, map(_table, map(facts.extended, columns.TABLES)), strict=True)
    return Layout(
        "columns.toml",
        "What the columns of a spreadsheet are, so that it becomes a catalog.",
        (
            Field("schema", k.VERSION, "Version of the format.", 1, required=True),
            Field("catalog", k.TABLE, "What the catalog is.", inside=HEAD, required=True),
            Field("sheet", k.TABLE, "How the spreadsheet is written.", inside=SHEET),
            Field("skip", k.TABLES, "Rows that are left out.", inside=SKIP, repeated=True),
            Field("makes", k.TABLES, "What the rows are about.", inside=MAKES, repeated=True),
            *(Field(name, k.TABLES, "Rows of that table.", inside=one, repeated=True) for name, one in blocks),
        ),
    )


MAP = map_of()
"""What it holds as long as no plugin declares a column."""


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
    facts: FactColumns
    """Columns that plugins declare."""

    @property
    def blocks(self) -> Iterator[MapEntry]:
        """All entries."""
        yield from self.skips
        yield from self.makes
        for blocks in self.tables.values():
            yield from blocks


def read_map(path: Path, found: list[Diagnostic], facts: FactColumns = NO_FACTS) -> Map | None:
    """Reads a map, which may fill the columns that plugins declare; None, with what is wrong put to `found`, if nothing can be made by it."""
    before = len(found)
    toml = read_toml(path, found)
    if toml is None:
        return None
    entry = read_section(toml, map_of(facts), toml.data)
    tables = {name: tuple(_blocks(entry, name)) for name in BLOCKS if name in entry.values}
    if len(found) > before:
        return None
    head = {"schema": 1, **entry.part("catalog").values}
    skips, makes = tuple(_blocks(entry, "skip")), tuple(_blocks(entry, "makes"))
    return Map(toml, head, entry.part("sheet").values, skips, makes, tables, facts)


def required_by(path: Path, facts: FactColumns = NO_FACTS) -> tuple[str, ...]:
    """The catalogs that a map's `[catalog]` requires; none where it cannot be read, which `read_map` tells."""
    by = read_map(path, [], facts)
    return tuple(by.head.get("requires", ())) if by is not None else ()


def _blocks(entry: Entry, name: str) -> Iterator[MapEntry]:
    for number, part in enumerate(entry.parts(name)):
        values = part.values
        texts = {key: value for key, value in values.items() if isinstance(value, CellText)}
        where = Where(values.get("when", {}), values.get("unless", {}))
        yield MapEntry(name, number, where, texts, values.get("why", ""), values.get("about", ("*",)))
