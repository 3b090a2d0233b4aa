"""Elements of documents: frozen data, shown on a terminal, written as Markdown, or stored as JSON.

A cell of a table is a figure with its unit, not a text. Nothing here depends on the width of a line. A document has two forms, the whole and a
short one for a screen. Its parts, columns, rows, and cells state the forms that they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from .tones import Tone as Tone  # noqa: PLC0414 - documents are written with this module alone

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from .charts import Chart

WIDE = 110
"""Minimum characters of a line that shows phrases in full."""
MEDIUM, NARROW, SPARE = 90, 70, 1
"""Widths in characters below which a screen omits columns: those for reference (`MEDIUM`), and those that a row can do without (`NARROW`).
A column from `SPARE` on is omitted only if names need its room.
"""


Form: TypeAlias = Literal["whole", "screen"]


@dataclass(frozen=True, slots=True)
class Nothing:
    """An empty cell."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence, or a cell, with its own style."""

    text: str
    tone: Tone = Tone.PLAIN
    strong: bool = False
    code: bool = False
    brief: str = ""
    """Shorter text for lines of fewer than `WIDE` characters."""
    value: Decimal | None = None
    """Number that the text rounds, for spreadsheets. None if it isn't a number."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """A long text from the data, with its own paragraphs."""

    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """Money."""

    value: Decimal
    currency: str = ""
    """ISO 4217. Empty if the column has it as its unit."""
    form: Literal["rounded", "signed", "cents"] = "rounded"
    """Format. `signed` is a difference, blank below half a cent. `cents` is a difference to the cent."""
    parts: tuple[tuple[Tone, Decimal], ...] = ()
    """Parts by tone, which pages draw as a bar in the cell. Empty if it has no bar."""


@dataclass(frozen=True, slots=True)
class Between:
    """Money with a proved interval."""

    value: Decimal
    low: Decimal | None
    """Proved lower bound. None if there is none."""
    high: Decimal | None
    """Proved upper bound. None if there is none."""


@dataclass(frozen=True, slots=True)
class Kilograms:
    """A mass."""

    value: Decimal
    unit: Literal["", "kg", "t"] = ""
    """Empty selects the fitting unit, in columns of periods for the whole row. With a given unit, zero is blank."""
    bare: bool = False
    least: Decimal | None = None
    """For a signed difference: size below which it is blank. None if it isn't a difference."""
    per: str = ""
    of: str = ""
    """Weighed substance, such as `Sb`. Empty if the goods are weighed as they are."""


@dataclass(frozen=True, slots=True)
class Share:
    """A fraction of a whole."""

    value: Decimal
    """1 for all."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things."""

    value: int
    one: str = ""
    """Empty if the title of the column has the noun."""
    many: str = ""
    """Empty if it is `one` with an s."""


@dataclass(frozen=True, slots=True)
class Several:
    """Items by weight. In an excerpt they take one line: the first ones that fit, and the number of the others."""

    items: tuple[str, ...]
    brief: tuple[str, ...] = ()
    between: str = ", "
    one: str = ""
    """Singular noun, used if no item fits. If empty, the first item takes several lines."""
    named: int = 0
    """Number of items that the whole document names before it counts the rest. 0 means all."""
    complete: bool = False
    """True if an excerpt names all items, in several lines if necessary."""


@dataclass(frozen=True, slots=True)
class Either:
    """A cell with another content on a screen, such as a shortened name."""

    whole: Cell
    screen: Cell


Cell: TypeAlias = str | Phrase | Amount | Between | Kilograms | Share | Count | Several | Either | date | Nothing


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of a table."""

    cells: tuple[Cell, ...]
    strong: bool = False
    level: int = 0
    """Depth: number of heading rows above."""
    on: Form | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    unit: str = ""
    """Unit of its figures if the cells don't state it, such as `USD` or `USD/kg`."""
    align: Literal["left", "right"] = "left"
    whole: bool = False
    """True if its cells are never broken, such as numbers and dates."""
    year: str = ""
    """Calendar year of a column with the kilograms of a period. Periods are summed if they don't fit."""
    over: str = ""
    room: int | None = None
    """Characters to assume when counting the columns of periods that fit. None means its longest word."""
    from_width: int = 0
    """Minimum characters of a line that shows it, since its content is also elsewhere. In a wide excerpt, columns with the largest value go first."""
    on: Form | None = None

    @property
    def heading(self) -> str:
        return ", ".join(filter(None, (self.title, self.unit)))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Short form of a table: its first rows, one line each, and a text in place of the rest."""

    rests: tuple[Several | Nothing, ...]
    """Text for each number of shown rows, from zero to all. `NOTHING` if no rows are left."""
    part: int = 1
    """Weight in sharing the room with other tables of the document."""
    top: int = 0
    """Rows that the whole document shows. 0 means all."""
    left: str = ""
    """Note of the whole document on the rows beyond `top`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a document."""

    on: Form | None = None
    """Form of the document that shows it. None means both."""


@dataclass(frozen=True, slots=True)
class DataTable(Part):
    """Rows under typed columns."""

    columns: tuple[Column, ...]
    rows: tuple[DataRow, ...]
    excerpt: Excerpt | None = None
    """None if all rows are shown, with as many lines as their cells need."""

    @property
    def rest(self) -> Several | Nothing:
        return self.excerpt.rests[len(self.rows)] if self.excerpt else NOTHING


@dataclass(frozen=True, slots=True)
class Drawing(Part):
    """A chart, and a table of its data for output without charts."""

    title: str
    description: str
    """Sentence that describes the chart for readers who can't see it."""
    chart: Chart
    table: DataTable
    key: tuple[tuple[Tone, str], ...] = ()
    """Meaning of each tone, if the chart doesn't name its parts and the meaning isn't the usual one."""


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of the most important figures."""

    name: str
    value: Cell
    aside: str = ""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class KeyFigures(Part):
    """The most important figures, side by side if they fit."""

    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True, slots=True)
class Sentence(Part):
    """One or more sentences, as consecutive phrases."""

    phrases: tuple[str | Phrase, ...]


@dataclass(frozen=True, slots=True)
class Notes(Part):
    """Notes on the content above, as a list of sentences."""

    texts: tuple[str | Quoted, ...]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Verbatim(Part):
    """Unchanged lines."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs(Part):
    """Names with a text each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section(Part):
    """A heading and its content. Without a title, content set apart from the content above."""

    title: str
    parts: tuple[Element, ...]
    tone: Tone = Tone.TITLE
    column: str = ""
    """Heading of the first column of its first table on a screen, in place of the title. Empty if a screen has the title."""
    folded: bool = False
    """True if pages show only its heading until the reader opens it."""


Element: TypeAlias = Sentence | Notes | Verbatim | Pairs | DataTable | Drawing | KeyFigures | Section


@dataclass(frozen=True, slots=True)
class Document:
    """An answer, plan, list, or check for readers."""

    title: str
    """A terminal omits it, since its reader asked for the document."""
    parts: tuple[Element, ...]
    form: Form | None = None
    """Form that it is reduced to. None if it has both."""
    question: str = ""
    """Name of the question that it answers. Empty for other documents."""

    def whole(self) -> Document:
        """Return the form without parts for screens, in which tables end at their limits."""
        return self._reduced("whole")

    def on_screen(self) -> Document:
        """Return the form without parts for the whole document, in which each row of a shortenable table is one line."""
        return self._reduced("screen")

    def _reduced(self, form: Form) -> Document:
        return self if self.form is not None else replace(self, parts=tuple(_reduced(self.parts, form)), form=form)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready data. Every element, phrase, and figure is an object with its type in `is`. Defaults are omitted."""
        return _described_by_fields(self)


def _reduced(parts: Iterable[Element], form: Form) -> Iterator[Element]:
    for part in parts:
        if part.on not in (None, form):
            continue
        match part:
            case Section(title, parts_inside, column=column):
                shown_parts = tuple(_reduced(parts_inside, form))
                if column and form == "screen":
                    title, shown_parts = "", tuple(_with_first_heading(shown_parts, column))
                if shown_parts or not parts_inside:
                    yield replace(part, title=title, parts=shown_parts, on=None, column="")
            case DataTable():
                yield from _reduced_table(part, form)
            case Drawing(table=table):
                reduced_table, *notes_on_rest = _reduced_table(table, form)
                assert isinstance(reduced_table, DataTable)
                yield (
                    reduced_table if form == "screen" and table.excerpt else replace(part, table=reduced_table, on=None)
                )
                yield from notes_on_rest
            case _:
                yield replace(part, on=None) if part.on else part


def _with_first_heading(parts: Sequence[Element], heading: str) -> Iterator[Element]:
    first = next((part for part in parts if isinstance(part, DataTable)), None)
    for part in parts:
        if part is first and isinstance(part, DataTable):
            first_column, *columns = part.columns
            yield replace(part, columns=(replace(first_column, title=heading), *columns))
        else:
            yield part


def _reduced_table(table: DataTable, form: Form) -> Iterator[Element]:
    """Yield a table in a form, and a note on the rows that the whole document omits."""
    shown_positions = [i for i, column in enumerate(table.columns) if column.on in (None, form)]
    rows = [
        replace(row, cells=tuple(_reduced_cell(row.cells[i], form) for i in shown_positions), on=None)
        for row in table.rows
        if row.on in (None, form)
    ]
    columns = tuple(replace(table.columns[i], on=None) for i in shown_positions)
    excerpt = table.excerpt
    if excerpt is None or form == "screen":
        if excerpt is not None:  # rows that head others are left out
            rows = [replace(row, level=0) for row in rows]
        yield DataTable(columns, tuple(rows), excerpt)
        return
    # The whole document has what a narrow screen leaves out.
    on_both = {i for i, column in enumerate(shown_positions) if table.columns[column].on is None}
    columns = tuple(replace(column, from_width=0) if i in on_both else column for i, column in enumerate(columns))
    yield DataTable(columns, tuple(rows[: excerpt.top or None]))
    if 0 < excerpt.top < len(rows):
        yield Notes((excerpt.left,))


def _reduced_cell(cell: Cell, form: Form) -> Cell:
    if isinstance(cell, Either):
        return cell.whole if form == "whole" else cell.screen
    if form == "whole" and isinstance(cell, Several) and 0 < cell.named < len(cell.items):
        return cell.between.join([*cell.items[: cell.named], f"{len(cell.items) - cell.named} more"])
    return cell


def _described_by_fields(value: DataclassInstance) -> dict[str, object]:
    values = {field.name: getattr(value, field.name) for field in fields(value)}
    defaults = {field.name: field.default for field in fields(value)}
    changed = {name: _json_ready(item) for name, item in values.items() if item != defaults[name]}
    return {"is": type(value).__name__.lower(), **changed}


def _json_ready(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _described_by_fields(value)
    if isinstance(value, tuple):
        return [_json_ready(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return {"is": "date", "value": value.isoformat()} if isinstance(value, date) else value


def document(title: str, *parts: Element | None) -> Document:
    """Return a document of the parts that aren't None."""
    return Document(title, section("", *parts).parts)


def section(title: str, *parts: Element | None, tone: Tone = Tone.TITLE, column: str = "") -> Section:
    """Return a section of the parts that aren't None."""
    return Section(title, tuple(part for part in parts if part is not None), tone, column)


def section_if_any(title: str, *parts: Element | None, tone: Tone = Tone.TITLE, column: str = "") -> Section | None:
    """Return a section of the parts that aren't None, or None if there are none."""
    new_section = section(title, *parts, tone=tone, column=column)
    return new_section if new_section.parts else None


def folded(title: str, *parts: Element | None) -> Section | None:
    """Return a section that pages show closed, or None if all parts are None."""
    new_section = section(title, *parts)
    return replace(new_section, folded=True) if new_section.parts else None


def apart(*parts: Element | None) -> Section:
    """Return a section without a heading, set apart from the content above."""
    return section("", *parts)


def sentence(*phrases: str | Phrase, tone: Tone = Tone.PLAIN, strong: bool = False) -> Sentence:
    """Return a sentence. Tone and weight apply to phrases that have none of their own."""
    has_style = tone is not Tone.PLAIN or strong
    return Sentence(
        tuple(Phrase(part, tone, strong) if has_style and isinstance(part, str) else part for part in phrases)
    )


def answer(text: str) -> Sentence:
    """Return an answer whose first sentence is strong."""
    first, end, rest = text.partition(". ")
    return Sentence((Phrase(f"{first}{end}", strong=True), rest) if rest else (Phrase(text, strong=True),))


def notes(texts: Iterable[str | Quoted], tone: Tone = Tone.PLAIN) -> Notes | None:
    """Return a list of sentences. None if it is empty."""
    listed = tuple(texts)
    return Notes(listed, tone) if listed else None


def table(columns: Iterable[Column], rows: Iterable[DataRow | Sequence[Cell]]) -> DataTable:
    """Return a table. Each row has one cell per column."""
    return DataTable(tuple(columns), tuple(row if isinstance(row, DataRow) else DataRow(tuple(row)) for row in rows))


def cells_in(columns: Iterable[str], cells: Mapping[str, Cell]) -> tuple[Cell, ...]:
    """Return the cells of a row in the order of its columns, by name. Cells without a column, such as an optional one, are left out."""
    return tuple(cells[name] for name in columns)


AnyPart = TypeVar("AnyPart", bound=Element)


def for_screen(part: AnyPart | None) -> AnyPart | None:
    """Return a part that only the screen of 50 lines shows."""
    return None if part is None else replace(part, on="screen")


def for_whole(part: AnyPart | None) -> AnyPart | None:
    """Return a part that the screen of 50 lines leaves out."""
    return None if part is None else replace(part, on="whole")


def excerpt(
    columns: Iterable[Column],
    rows: Iterable[DataRow | Sequence[Cell]],
    rests: Iterable[Several | Nothing],
    part: int,
    top: int = 0,
    left: str = "",
) -> DataTable:
    return replace(table(columns, rows), excerpt=Excerpt(tuple(rests), part, top, left))


def prose(text: str) -> tuple[str | Phrase, ...]:
    """Return a text as phrases. Text between backticks is literal."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        return (text,)
    parts = (Phrase(part, code=True) if position % 2 else part for position, part in enumerate(pieces))
    return tuple(part for part in parts if part not in ("", Phrase("", code=True)))


def figures(title: str, unit: str = "", from_width: int = 0) -> Column:
    """Return a right-aligned column of numbers. Narrower lines than `from_width` omit it."""
    return Column(title, unit, "right", whole=True, from_width=from_width)


def longest_word(texts: Iterable[str], *, hyphens: bool = False) -> int:
    """Return the length of the longest word, or part of a word up to a hyphen."""
    breaks = re.compile(r"(?<=-)|[ \n]+" if hyphens else r"[ \n]+")
    return max((len(word) for text in texts for word in breaks.split(text)), default=0)
