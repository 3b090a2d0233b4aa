"""The file `columns.toml`, which maps the columns of a spreadsheet to the columns of a catalog. All errors are reported together.

The reader, the reference page, and the schema are made from the keys stated here.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Literal

from friendshore.catalog import columns
from friendshore.catalog.tables import NO_FACTS
from friendshore.domain.base import UnreadableError
from friendshore.domain.quantities import ambiguous
from friendshore.errors import Diagnostic
from friendshore.reading import kinds as k
from friendshore.reading.csvfile import NumberCell
from friendshore.reading.fields import FactColumns, Field, Layout
from friendshore.reading.kinds import Kind, named
from friendshore.reading.records import Entry
from friendshore.reading.tomlfile import TomlFile, read_section, read_toml

_NAMED = re.compile(r"\{([^{}]+)\}")
_SPAN = re.compile(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(\d{2})))?")
_COMMA = re.compile(r"(-?(?:\d{1,3}(?:[. \u00a0]\d{3})+|\d+)(?:,\d+)?)(.*)", re.DOTALL)
_FORMS = ("column", "value", "text", "id")
_KEYS = (*_FORMS, "words", "split", "unit", "dates", "span")

Row = Mapping[str, str]
"""The cells of a row of the spreadsheet, by column."""
Patterns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CellText:
    """Source of the text of a cell."""

    columns: tuple[str, ...] = ()
    """Columns. The first that isn't blank counts."""
    value: str = ""
    """A constant."""
    template: str = ""
    """CellText with columns in braces: `{firm}, {town}`."""
    id_of: tuple[str, ...] = ()
    """Columns whose words form an id."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Pattern of a cell -> its replacement. The first match counts. Other cells remain unchanged."""
    split: str = ";"
    """Separator of the parts of a list."""
    unit: CellText | None = None
    """Unit to append to a number, after a space."""
    dates: tuple[str, ...] = ()
    """Date formats, as of `strptime`."""
    span: Literal["first", "last"] | None = None
    """Day to use for a year, half, quarter, or month: its first or last."""

    @property
    def named(self) -> tuple[str, ...]:
        """Columns that it reads, without duplicates."""
        inside = self.unit.named if self.unit is not None else ()
        return tuple(dict.fromkeys((*self.columns, *_NAMED.findall(self.template), *self.id_of, *inside)))

    def raw(self, row: Row) -> str:
        """Return the text without units and replacements."""
        if self.id_of:
            return as_id(" ".join(row[column] for column in self.id_of))
        if self.template:
            return _NAMED.sub(lambda found: row[found[1]], self.template).strip()
        return self.value or next(filter(None, (row[column] for column in self.columns)), "")

    def parts(self, row: Row) -> list[str]:
        """Return the parts of a list after replacement. Parts that become empty are left out."""
        parts = (self._word(part.strip()) for part in self.raw(row).split(self.split))
        return [part for part in parts if part]

    def single(self, row: Row) -> str:
        """Return the text of one value after replacement."""
        return self._word(self.raw(row))

    def amount(self, row: Row, decimal: str) -> str:
        """Return a number with its unit, if any. It is unambiguous if the map states its decimal sign. Empty means a point that the map doesn't state.

        Raises:
            UnreadableError: If it isn't a number with the map's decimal sign.
        """
        text = self.single(row)
        typed = bool(text) and not self.value and not isinstance(text, NumberCell)
        if decimal == "," and typed:
            text = with_point(text)
        unit = self.unit.single(row) if self.unit is not None and text else ""
        whole = f"{text} {unit}".strip()
        both = ambiguous(whole) if decimal or not typed else None
        return whole if both is None else both.read

    def day(self, row: Row) -> str:
        """Return a date.

        Raises:
            UnreadableError: If it fits no date format, or is a span and the map doesn't choose a day of it.
        """
        text = self.single(row)
        for form in self.dates:
            try:
                return datetime.strptime(text, form).date().isoformat()  # noqa: DTZ007 (a day has no time zone)
            except ValueError:
                continue
        span = _SPAN.fullmatch(text)
        if span is None:
            return text
        if self.span is None:
            raise UnreadableError("a day", 'say which day of it is meant, in the map: span = "first" or "last"')
        first, after = _bounds(*span.groups())
        return (first if self.span == "first" else after - timedelta(days=1)).isoformat()

    def _word(self, text: str) -> str:
        folded = text.casefold()
        return next((word for like, word in self.words.items() if fnmatchcase(folded, like.casefold())), text)


def _bounds(year: str, quarter: str | None, half: str | None, month: str | None) -> tuple[date, date]:
    """Return the first day of a span, and the day after its last."""
    months = 3 if quarter else 6 if half else 1 if month else 12
    begin = (int(quarter) - 1) * 3 if quarter else (int(half) - 1) * 6 if half else int(month) - 1 if month else 0
    if not 0 <= begin <= 11:
        raise UnreadableError("a month from 01 to 12")
    end = int(year) * 12 + begin + months
    try:
        return date(int(year), begin + 1, 1), date(end // 12, end % 12 + 1, 1)
    except ValueError:
        raise UnreadableError("a year in the calendar") from None


def with_point(text: str) -> str:
    """Return a number with a decimal point instead of a decimal comma, and the text after it.

    Raises:
        UnreadableError: If it isn't one. `1.5` would be ambiguous.
    """
    found = _COMMA.fullmatch(text)
    if found is None or found[2][:1].isdigit() or found[2][:1] in (".", ","):
        raise UnreadableError("a number with a decimal comma, like `1.250,5`")
    return re.sub("[. \u00a0]", "", found[1]).replace(",", ".") + found[2]


def as_id(text: str) -> str:
    """Return an id from the words of a text: letters and digits of ASCII, lower case, with hyphens."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


def read_cell_text(value: object) -> CellText:
    """Read a text from a TOML value: the name of a column, or a table."""
    if isinstance(value, str):
        return CellText(columns=(value,))
    if not isinstance(value, dict):
        raise UnreadableError("the name of a column, or a table", 'write a constant as { value = "…" }')
    given = [form for form in _FORMS if form in value]
    strange = [key for key in value if key not in _KEYS]
    if len(given) != 1 or strange:
        raise UnreadableError(
            "one of column, value, text and id, and beside it words, split, unit, dates or span",
            f"delete `{strange[0]}`" if strange else "",
        )
    span = value.get("span")
    if span not in (None, "first", "last"):
        raise UnreadableError('`span` "first" or "last"')
    return CellText(
        columns=_texts(value, "column"),
        value=_text(value, "value"),
        template=_text(value, "text"),
        id_of=_texts(value, "id"),
        words=_words(value.get("words", {})),
        split=_text(value, "split") or ";",
        unit=_unit(value["unit"]) if "unit" in value else None,
        dates=_texts(value, "dates"),
        span=span,
    )


def _unit(value: object) -> CellText:
    """Read a unit. A text is a constant here, not a column as elsewhere."""
    return CellText(value=value) if isinstance(value, str) else read_cell_text(value)


def _text(value: Mapping[str, object], key: str) -> str:
    found = value.get(key, "")
    if not isinstance(found, str):
        raise UnreadableError(f"`{key}` as a text in quotes")
    return found


def _texts(value: Mapping[str, object], key: str) -> tuple[str, ...]:
    found = value.get(key, [])
    listed = [found] if isinstance(found, str) else found
    if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
        raise UnreadableError(f"`{key}` as a text in quotes, or a list of such")
    return tuple(listed)


def _words(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise UnreadableError('`words` as a table of texts, like { "running" = "operating" }')
    return value


def read_patterns(value: object) -> Patterns:
    """Read columns with the patterns of their cells."""
    if not isinstance(value, dict):
        raise UnreadableError('a table of columns and patterns, like { status = "oper*" }')
    return {column: _texts(value, column) for column in value}


def alike(row: Row, patterns: Patterns) -> Iterator[bool]:
    """Yield for each column True if a row matches its patterns."""
    for column, wanted in patterns.items():
        folded = row[column].casefold()
        yield any(fnmatchcase(folded, pattern.casefold()) for pattern in wanted)


_PATTERNS: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}
_WHERE = Kind("columns and patterns", read_patterns, _PATTERNS)
TEXT_OF = Kind("a column, or a table of `column`, `value`, `text` or `id`", read_cell_text, also=({"type": "object"},))

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
    """Return the map's name for a table: `offers` for `offers.csv`."""
    return layout.name.removesuffix(".csv")


def _table(layout: Layout) -> Layout:
    """Return the entry of a table: its columns, each with the source of its text."""
    own = tuple(Field(field.name, TEXT_OF, field.meaning) for field in layout.fields)
    doc = f"Rows of `{layout.name}`, one for each row of the spreadsheet that the entry is about. {layout.doc}"
    about = (_ABOUT,) if layout.name == columns.OFFERS.name or "offer" in layout.names else ()
    return replace(layout, name=f"[[{table_name(layout)}]]", doc=doc, fields=(_WHEN, _UNLESS, *about, *own))


BLOCKS = tuple(map(table_name, columns.TABLES))
"""Names of the catalog's tables in a map."""


def map_of(facts: FactColumns = NO_FACTS) -> Layout:
    """Return the layout of a map with the columns that plugins declare."""
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
"""Layout of a map without plugins' columns."""


@dataclass(frozen=True, slots=True)
class Where:
    """Condition on rows."""

    when: Patterns
    unless: Patterns

    def holds(self, row: Row) -> bool:
        """Return True if it includes a row."""
        return all(alike(row, self.when)) and not any(alike(row, self.unless))


@dataclass(frozen=True, slots=True)
class MapEntry:
    """One entry of the map."""

    table: str
    """`offers`, or `skip` and `makes`."""
    number: int
    """Position among the entries of its name, from 0."""
    where: Where
    texts: Mapping[str, CellText]
    """Column of the catalog's table -> source of its text."""
    why: str = ""
    about: tuple[str, ...] = ("*",)
    """Patterns of the materials whose offers it applies to."""

    def of(self, material: str) -> bool:
        """Return True if it applies to the offers of a material."""
        return any(fnmatchcase(material, pattern) for pattern in self.about)

    @property
    def named(self) -> Iterator[tuple[str, str]]:
        """Key of the entry and column of the spreadsheet, for all columns that it names."""
        for key, patterns in (("when", self.where.when), ("unless", self.where.unless)):
            yield from ((key, column) for column in patterns)
        for key, text in self.texts.items():
            yield from ((key, column) for column in text.named)


@dataclass(frozen=True, slots=True)
class Map:
    """A map."""

    toml: TomlFile
    head: Mapping[str, Any]
    """Keys of `catalog.toml`, parsed."""
    sheet: Mapping[str, Any]
    skips: tuple[MapEntry, ...]
    makes: tuple[MapEntry, ...]
    tables: Mapping[str, tuple[MapEntry, ...]]
    """Entries of each table with any."""
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
    """Read a map that may fill the columns that plugins declare. None, with errors in `found`, if it is unusable."""
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
    """Return the catalogs that a map's `[catalog]` requires. Empty if it can't be read, which `read_map` reports."""
    by = read_map(path, [], facts)
    return tuple(by.head.get("requires", ())) if by is not None else ()


def _blocks(entry: Entry, name: str) -> Iterator[MapEntry]:
    for number, part in enumerate(entry.parts(name)):
        values = part.values
        texts = {key: value for key, value in values.items() if isinstance(value, CellText)}
        where = Where(values.get("when", {}), values.get("unless", {}))
        yield MapEntry(name, number, where, texts, values.get("why", ""), values.get("about", ("*",)))
