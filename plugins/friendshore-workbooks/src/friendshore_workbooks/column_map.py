"""The file `columns.toml`, which maps the columns of a spreadsheet to the columns of a catalog."""

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
from friendshore.reading.kinds import Kind, text_reader
from friendshore.reading.records import Entry
from friendshore.reading.tomlfile import TomlFile, read_section, read_toml

_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_DATE_SPAN = re.compile(r"(\d{4})(?:-(?:Q([1-4])|H([12])|(\d{2})))?")
_DECIMAL_COMMA = re.compile(r"(-?(?:\d{1,3}(?:[. \u00a0]\d{3})+|\d+)(?:,\d+)?)(.*)", re.DOTALL)
_FORMS = ("column", "value", "text", "id")
_KEYS = (*_FORMS, "words", "split", "unit", "dates", "span")

Row = Mapping[str, str]
Patterns = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class CellText:
    """Source of the text of a cell."""

    columns: tuple[str, ...] = ()
    """The first that isn't blank counts."""
    value: str = ""
    template: str = ""
    """Text with columns in braces: `{firm}, {town}`."""
    id_of: tuple[str, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    """Pattern of a cell -> replacement. The first match counts. Other cells remain unchanged."""
    split: str = ";"
    unit: CellText | None = None
    """Unit to append to a number, after a space."""
    dates: tuple[str, ...] = ()
    span: Literal["first", "last"] | None = None
    """Day to use for a year, half, quarter, or month: its first or last."""

    @property
    def source_columns(self) -> tuple[str, ...]:
        unit_columns = self.unit.source_columns if self.unit is not None else ()
        return tuple(dict.fromkeys((*self.columns, *_PLACEHOLDER.findall(self.template), *self.id_of, *unit_columns)))

    def raw(self, row: Row) -> str:
        if self.id_of:
            return as_id(" ".join(row[column] for column in self.id_of))
        if self.template:
            return _PLACEHOLDER.sub(lambda match: row[match[1]], self.template).strip()
        return self.value or next(filter(None, (row[column] for column in self.columns)), "")

    def parts(self, row: Row) -> list[str]:
        parts = (self._replaced(part.strip()) for part in self.raw(row).split(self.split))
        return [part for part in parts if part]

    def single(self, row: Row) -> str:
        return self._replaced(self.raw(row))

    def amount(self, row: Row, decimal: str) -> str:
        """Return a number with its unit. `decimal` is the map's decimal sign. Raise `UnreadableError` for another sign."""
        text = self.single(row)
        is_text_cell = bool(text) and not self.value and not isinstance(text, NumberCell)
        if decimal == "," and is_text_cell:
            text = with_point(text)
        unit = self.unit.single(row) if self.unit is not None and text else ""
        amount = f"{text} {unit}".strip()
        ambiguity = ambiguous(amount) if decimal or not is_text_cell else None
        return amount if ambiguity is None else ambiguity.read

    def day(self, row: Row) -> str:
        text = self.single(row)
        for date_format in self.dates:
            try:
                return datetime.strptime(text, date_format).date().isoformat()  # noqa: DTZ007 (a day has no time zone)
            except ValueError:
                continue
        span = _DATE_SPAN.fullmatch(text)
        if span is None:
            return text
        if self.span is None:
            raise UnreadableError("a day", 'choose a day of the span in the map: `span = "first"` or `span = "last"`')
        first, next_day = _bounds(*span.groups())
        return (first if self.span == "first" else next_day - timedelta(days=1)).isoformat()

    def _replaced(self, text: str) -> str:
        folded = text.casefold()
        return next((word for pattern, word in self.words.items() if fnmatchcase(folded, pattern.casefold())), text)


def _bounds(year: str, quarter: str | None, half: str | None, month: str | None) -> tuple[date, date]:
    months = 3 if quarter else 6 if half else 1 if month else 12
    first_month = (int(quarter) - 1) * 3 if quarter else (int(half) - 1) * 6 if half else int(month) - 1 if month else 0
    if not 0 <= first_month <= 11:
        raise UnreadableError("a month from 01 to 12")
    next_month = int(year) * 12 + first_month + months
    try:
        return date(int(year), first_month + 1, 1), date(next_month // 12, next_month % 12 + 1, 1)
    except ValueError:
        raise UnreadableError("a year in the calendar") from None


def with_point(text: str) -> str:
    """Return a number with a decimal point instead of a comma. Raise `UnreadableError` without a comma, since `1.5` would be ambiguous."""
    match = _DECIMAL_COMMA.fullmatch(text)
    if match is None or match[2][:1].isdigit() or match[2][:1] in (".", ","):
        raise UnreadableError("a number with a decimal comma, like `1.250,5`")
    return re.sub("[. \u00a0]", "", match[1]).replace(",", ".") + match[2]


def as_id(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub("[^a-z0-9]+", "-", plain).strip("-")


def read_cell_text(value: object) -> CellText:
    if isinstance(value, str):
        return CellText(columns=(value,))
    if not isinstance(value, dict):
        raise UnreadableError("the name of a column, or a table", 'for a constant, write { value = "…" }')
    forms = [key for key in _FORMS if key in value]
    unknown = [key for key in value if key not in _KEYS]
    if len(forms) != 1 or unknown:
        raise UnreadableError(
            "one of `column`, `value`, `text`, and `id`, with `words`, `split`, `unit`, `dates`, or `span`",
            f"delete `{unknown[0]}`" if unknown else "",
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
    text = value.get(key, "")
    if not isinstance(text, str):
        raise UnreadableError(f"`{key}` as a text in quotes")
    return text


def _texts(value: Mapping[str, object], key: str) -> tuple[str, ...]:
    texts = value.get(key, [])
    text_list = [texts] if isinstance(texts, str) else texts
    if not isinstance(text_list, list) or not all(isinstance(text, str) for text in text_list):
        raise UnreadableError(f"`{key}` as a text in quotes, or a list of texts")
    return tuple(text_list)


def _words(value: object) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(word, str) for word in value.values()):
        raise UnreadableError('`words` as a table of texts, like { "running" = "operating" }')
    return value


def read_patterns(value: object) -> Patterns:
    if not isinstance(value, dict):
        raise UnreadableError('a table of columns and patterns, like { status = "oper*" }')
    return {column: _texts(value, column) for column in value}


def pattern_matches(row: Row, patterns: Patterns) -> Iterator[bool]:
    for column, column_patterns in patterns.items():
        folded = row[column].casefold()
        yield any(fnmatchcase(folded, pattern.casefold()) for pattern in column_patterns)


_PATTERNS: Mapping[str, object] = {
    "type": "object",
    "additionalProperties": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
}
_WHERE = Kind("columns and patterns", read_patterns, _PATTERNS)
TEXT_OF = Kind("a column, or a table of `column`, `value`, `text` or `id`", read_cell_text, also=({"type": "object"},))

_WHEN = Field(
    "when",
    _WHERE,
    "Rows to which the entry applies. Each named column must match one of its patterns. `*` stands for any characters and `?` for one, "
    "so `?*` matches any cell that isn't blank. Without it, the entry applies to all rows.",
    {"status": "operating", "product": ["gallium*", "*Ga metal*"]},
)
_UNLESS = Field(
    "unless", _WHERE, "Rows to which it doesn't apply: those that match any of these patterns.", {"note": "*sold*"}
)


def _decimal_sign(value: str) -> str:
    if value not in (".", ","):
        raise UnreadableError("a point or a comma")
    return value


def _separator(value: object) -> str:
    if value not in (",", ";", "\t", "|"):
        raise UnreadableError("one of `,`, `;`, `|`, or a tab, written as `\\t`")
    return str(value)


_ABOUT = Field(
    "about",
    k.TEXTS,
    "Patterns of materials. If a row has offers of several materials, the entry applies only to these. Blank: all.",
    ["*-metal-*", "tungsten-apt"],
)


SHEET = Layout(
    "[sheet]",
    "Format of the spreadsheet.",
    (
        Field("name", k.TEXT, "Sheet of a workbook. Blank: its only sheet.", "Suppliers"),
        Field("header", k.COUNT, "Row of the header. Blank: the first row that isn't blank.", 3),
        Field("separator", Kind("sign", _separator), "Separator of the columns of a CSV file. Blank: a comma.", ";"),
        Field(
            "decimal",
            Kind("sign", text_reader(_decimal_sign)),
            "Decimal sign of numbers that are text, in a CSV file or in a cell of a workbook. Blank: a point.",
            ",",
        ),
        Field("blank", k.TEXTS, "Words that mean unknown.", ["n/a", "-", "tbd"]),
    ),
)
SKIP = Layout(
    "[[skip]]",
    "Rows to leave out, with the reason. `catalogs convert` lists them.",
    (_WHEN, _UNLESS, Field("why", k.TEXT, "Reason for leaving out the rows.", "sold last year", required=True)),
)
MAKES = Layout(
    "[[makes]]",
    "Materials of the rows. Each entry that matches a row adds a material. A row that matches no entry is an error. Without any entry, "
    "`[[offers]]` states the material.",
    (
        _WHEN,
        _UNLESS,
        Field("material", TEXT_OF, "Material or materials.", {"value": "gallium-metal-4n"}, required=True),
    ),
)
HEAD = Layout("[catalog]", "Keys of `catalog.toml`, except `schema`.", columns.HEAD.fields[1:])


def table_name(layout: Layout) -> str:
    return layout.name.removesuffix(".csv")


def _map_entry_layout(layout: Layout) -> Layout:
    fields = tuple(Field(field.name, TEXT_OF, field.meaning) for field in layout.fields)
    doc = f"Rows of `{layout.name}`, one for each row of the spreadsheet to which the entry applies. {layout.doc}"
    about = (_ABOUT,) if layout.name == columns.OFFERS.name or "offer" in layout.names else ()
    return replace(layout, name=f"[[{table_name(layout)}]]", doc=doc, fields=(_WHEN, _UNLESS, *about, *fields))


TABLE_NAMES = tuple(map(table_name, columns.TABLES))


def map_of(facts: FactColumns = NO_FACTS) -> Layout:
    blocks = zip(TABLE_NAMES, map(_map_entry_layout, map(facts.extended, columns.TABLES)), strict=True)
    return Layout(
        "columns.toml",
        "Maps the columns of a spreadsheet to a catalog.",
        (
            Field("schema", k.VERSION, "Version of the format.", 1, required=True),
            Field("catalog", k.TABLE, "Keys of the catalog.", inside=HEAD, required=True),
            Field("sheet", k.TABLE, "Format of the spreadsheet.", inside=SHEET),
            Field("skip", k.TABLES, "Rows to leave out.", inside=SKIP, repeated=True),
            Field("makes", k.TABLES, "Materials of the rows.", inside=MAKES, repeated=True),
            *(Field(name, k.TABLES, "Rows of that table.", inside=layout, repeated=True) for name, layout in blocks),
        ),
    )


MAP = map_of()


@dataclass(frozen=True, slots=True)
class Where:
    """Condition on rows."""

    when: Patterns
    unless: Patterns

    def matches(self, row: Row) -> bool:
        return all(pattern_matches(row, self.when)) and not any(pattern_matches(row, self.unless))


@dataclass(frozen=True, slots=True)
class MapEntry:
    """An entry of the map."""

    table: str
    """Table such as `offers`, or `skip` or `makes`."""
    number: int
    where: Where
    texts: Mapping[str, CellText]
    why: str = ""
    about: tuple[str, ...] = ("*",)

    def applies_to(self, material: str) -> bool:
        return any(fnmatchcase(material, pattern) for pattern in self.about)

    @property
    def keys_and_columns(self) -> Iterator[tuple[str, str]]:
        """All columns of the spreadsheet that the entry names, each with the key."""
        for key, patterns in (("when", self.where.when), ("unless", self.where.unless)):
            yield from ((key, column) for column in patterns)
        for key, text in self.texts.items():
            yield from ((key, column) for column in text.source_columns)


@dataclass(frozen=True, slots=True)
class Map:
    """A map."""

    toml: TomlFile
    head: Mapping[str, Any]
    sheet: Mapping[str, Any]
    skips: tuple[MapEntry, ...]
    makes: tuple[MapEntry, ...]
    tables: Mapping[str, tuple[MapEntry, ...]]
    facts: FactColumns

    @property
    def entries(self) -> Iterator[MapEntry]:
        yield from self.skips
        yield from self.makes
        for entries in self.tables.values():
            yield from entries


def read_map(path: Path, problems: list[Diagnostic], facts: FactColumns = NO_FACTS) -> Map | None:
    """Read a map that may fill the columns that plugins declare. None, with errors in `problems`, if it is unusable."""
    before = len(problems)
    toml = read_toml(path, problems)
    if toml is None:
        return None
    entry = read_section(toml, map_of(facts), toml.data)
    tables = {name: tuple(_entries(entry, name)) for name in TABLE_NAMES if name in entry.values}
    if len(problems) > before:
        return None
    head = {"schema": 1, **entry.part("catalog").values}
    skips, makes = tuple(_entries(entry, "skip")), tuple(_entries(entry, "makes"))
    return Map(toml, head, entry.part("sheet").values, skips, makes, tables, facts)


def required_by(path: Path, facts: FactColumns = NO_FACTS) -> tuple[str, ...]:
    """Return the catalogs that a map requires. Empty if it can't be read, which `read_map` reports."""
    column_map = read_map(path, [], facts)
    return tuple(column_map.head.get("requires", ())) if column_map is not None else ()


def _entries(entry: Entry, name: str) -> Iterator[MapEntry]:
    for number, part in enumerate(entry.parts(name)):
        values = part.values
        texts = {key: value for key, value in values.items() if isinstance(value, CellText)}
        where = Where(values.get("when", {}), values.get("unless", {}))
        yield MapEntry(name, number, where, texts, values.get("why", ""), values.get("about", ("*",)))
