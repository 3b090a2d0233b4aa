"""Elements of documents: frozen data, shown on a terminal, written as Markdown, or kept as JSON.

A cell of a table is a figure with its unit, not a text; `figures` writes it. Nothing here knows the width of a line. One document has two forms:
whole, and short enough for a screen. Its parts, columns, rows, and cells say to which of them they belong.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from .charts import Chart
from .charts import Tone as Tone  # noqa: PLC0414 - texts have tones, and are made of what this module holds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIDE = 110
"""Characters of a line from which on phrases are told at length."""
MEDIUM, NARROW, SPARE = 90, 70, 1
"""Characters of a line of a screen below which it leaves out columns that are looked up elsewhere (`MEDIUM`), or without which a row still says most
(`NARROW`). A column from `SPARE` on is left out only where names take its room."""


Form: TypeAlias = Literal["whole", "screen"]
"""Forms of a document: all of it, or the part that fits a screen."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """A cell where there is nothing to say."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Phrase:
    """A part of a sentence, or a cell, with a look of its own."""

    text: str
    tone: Tone = Tone.PLAIN
    strong: bool = False
    code: bool = False
    """Whether it is typed as it stands: a command, a name in a file."""
    brief: str = ""
    """The same told shorter, for lines of fewer than `WIDE` characters."""


@dataclass(frozen=True, slots=True)
class Quoted:
    """What somebody says of their data at length, broken into lines where they broke it."""

    text: str


@dataclass(frozen=True, slots=True)
class Amount:
    """Money."""

    value: Decimal
    currency: str = ""
    """ISO 4217; empty: it is the unit of the column."""
    form: Literal["rounded", "signed", "cents"] = "rounded"
    """`signed`: more or less than something else, nothing below half a cent. `cents`: the same, written to the cent."""


@dataclass(frozen=True, slots=True)
class Between:
    """Money of which it is only known where it lies."""

    value: Decimal
    """Of the plans found."""
    low: Decimal | None
    """It is surely no less; None: nothing is sure."""
    high: Decimal | None
    """It is surely no more; None: nothing is sure."""


@dataclass(frozen=True, slots=True)
class Kilograms:
    """A mass."""

    value: Decimal
    """In kilograms."""
    unit: Literal["", "kg", "t"] = ""
    """The unit in which it is written, so that figures that stand together are alike; empty: the one that fits, in columns of periods all of a
    row. In a given unit no mass is nothing."""
    bare: bool = False
    """Whether the unit stands elsewhere."""
    least: Decimal | None = None
    """Of a difference, which is written with its sign: the size below which it is nothing. None: it is none."""
    per: str = ""
    """What it is a rate by: `year`."""
    of: str = ""
    """Substance that is weighed, such as `Sb`. Empty if the goods are weighed as they are."""


@dataclass(frozen=True, slots=True)
class Share:
    """A part of a whole."""

    value: Decimal
    """1: all of it."""


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things."""

    value: int
    one: str = ""
    """What one of them is called; empty: the title of the column says it."""
    many: str = ""
    """What several are called, if not `one` with an s."""


@dataclass(frozen=True, slots=True)
class Several:
    """Things in the order of their weight. In an excerpt they take one line: as many as it has room for, and how many more there are."""

    items: tuple[str, ...]
    brief: tuple[str, ...] = ()
    """Each of them told shorter; empty: there is no shorter way."""
    between: str = ", "
    one: str = ""
    """What one of them is called, where there is no room for any; empty: the first is cut between two words."""
    middle: tuple[str, ...] = ()
    """Each of them at a length between the two; empty: there is none."""
    named: int = 0
    """Number of things that the whole document names before it counts the rest. 0: all."""


@dataclass(frozen=True, slots=True)
class Either:
    """A cell that a screen shows in another way than the whole document, such as a name that is cut."""

    whole: Cell
    screen: Cell


Cell: TypeAlias = str | Phrase | Amount | Between | Kilograms | Share | Count | Several | Either | date | Nothing
"""What stands in a table: text, or a figure with its unit."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of a table."""

    cells: tuple[Cell, ...]
    strong: bool = False
    """Whether it adds up others, or heads them."""
    level: int = 0
    """How many rows above head it."""
    on: Form | None = None
    """Form of the document that shows it. None: both."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table."""

    title: str
    unit: str = ""
    """Of its figures, where their cells do not say it: `USD`, `USD/kg`."""
    align: Literal["left", "right"] = "left"
    whole: bool = False
    """Whether its cells are never broken, as numbers and dates."""
    year: str = ""
    """Of a column that holds the kilograms of a period: its calendar year. Where there is no room for all periods, they are added up."""
    over: str = ""
    """Of columns of periods: what all of them are of."""
    room: int | None = None
    """Characters to reckon with when it is settled how many columns of periods fit; None: those of its longest word."""
    from_width: int = 0
    """Characters of a line below which it is left out, because it is said elsewhere too. An excerpt that is too wide leaves out those first that
    ask for most."""
    on: Form | None = None
    """Form of the document that shows it. None: both."""

    @property
    def heading(self) -> str:
        """Title and unit."""
        return ", ".join(filter(None, (self.title, self.unit)))


@dataclass(frozen=True, slots=True)
class Excerpt:
    """How a table is shortened where there is no room for all of it: its first rows, one line each, and what is said in the place of the rest."""

    rests: tuple[Several | Nothing, ...]
    """What is said after so many rows, from none to all that the table has; `NOTHING`: there are no more."""
    part: int = 1
    """Its part of the room, beside that of other tables of the document."""
    top: int = 0
    """Rows that the whole document shows. 0: all."""
    left: str = ""
    """Note of the whole document on the rows beyond `top`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a document."""

    on: Form | None = None
    """Form of the document that shows it. None: both."""


@dataclass(frozen=True, slots=True)
class DataTable(Part):
    """Rows under typed columns."""

    columns: tuple[Column, ...]
    rows: tuple[DataRow, ...]
    excerpt: Excerpt | None = None
    """None: all of it is told, and its cells take as many lines as they need."""

    @property
    def rest(self) -> Several | Nothing:
        """What is said in the place of the rows that it leaves out."""
        return self.excerpt.rests[len(self.rows)] if self.excerpt else NOTHING


@dataclass(frozen=True, slots=True)
class Drawing(Part):
    """A chart, and the table of what it shows, which is told where nothing can be drawn."""

    title: str
    told: str
    """What is to be seen, in a sentence, for whoever cannot see it."""
    chart: Chart
    table: DataTable


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """One of the few figures that matter most."""

    name: str
    value: Cell
    aside: str = ""
    """What is to be known of it: a few words."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class KeyFigures(Part):
    """The few figures that matter most, side by side where there is room."""

    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True, slots=True)
class Sentence(Part):
    """A sentence or a few, of phrases that follow each other."""

    phrases: tuple[str | Phrase, ...]


@dataclass(frozen=True, slots=True)
class Notes(Part):
    """What is to be known of what stands above: a list of sentences."""

    texts: tuple[str | Quoted, ...]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Verbatim(Part):
    """Lines as they are, one below the other."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs(Part):
    """Names with a text each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section(Part):
    """A heading and what belongs under it; without a title, what is set apart from what stands above."""

    title: str
    parts: tuple[Element, ...]
    tone: Tone = Tone.TITLE
    column: str = ""
    """Heading of the first column of its first table on a screen, which then has no title. Empty: a screen has the title."""


Element: TypeAlias = Sentence | Notes | Verbatim | Pairs | DataTable | Drawing | KeyFigures | Section
"""What a document or a section is made of."""


@dataclass(frozen=True, slots=True)
class Document:
    """An answer, a plan, a list or a check, as it is told to people."""

    title: str
    """What it is, for those who did not ask; a terminal, on which somebody asked, leaves it out."""
    parts: tuple[Element, ...]
    """What is said first, then the sections."""
    form: Form | None = None
    """Form that it is reduced to. None: it has both."""

    def whole(self) -> Document:
        """Return the whole document: all rows up to those that its tables limit, and no part that only a screen has."""
        return self._reduced("whole")

    def on_screen(self) -> Document:
        """Return the form for a screen: tables whose rows take a line each and may be left out, and no part that only the whole document has."""
        return self._reduced("screen")

    def _reduced(self, form: Form) -> Document:
        return self if self.form is not None else Document(self.title, tuple(_reduced(self.parts, form)), form)

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data: every element, phrase and figure an object whose `is` says what it is; what is as usual is left out."""
        return _described(self)


def _reduced(parts: Iterable[Element], form: Form) -> Iterator[Element]:
    """Yield the parts of a form, without marks of forms."""
    for part in parts:
        if part.on not in (None, form):
            continue
        match part:
            case Section(title, inner, column=column):
                kept = tuple(_reduced(inner, form))
                if column and form == "screen":
                    title, kept = "", tuple(_headed(kept, column))
                if kept or not inner:
                    yield replace(part, title=title, parts=kept, on=None, column="")
            case DataTable():
                yield from _reduced_table(part, form)
            case Drawing(table=table):
                whole, *rest = _reduced_table(table, form)
                assert isinstance(whole, DataTable)
                yield whole if form == "screen" and table.excerpt else replace(part, table=whole, on=None)
                yield from rest
            case _:
                yield replace(part, on=None) if part.on else part


def _headed(parts: Sequence[Element], heading: str) -> Iterator[Element]:
    """Yield parts, the first column of the first table under another heading."""
    first = next((part for part in parts if isinstance(part, DataTable)), None)
    for part in parts:
        if part is first and isinstance(part, DataTable):
            titled, *columns = part.columns
            yield replace(part, columns=(replace(titled, title=heading), *columns))
        else:
            yield part


def _reduced_table(table: DataTable, form: Form) -> Iterator[Element]:
    """Yield a table in a form, and a note on the rows that the whole document leaves out."""
    kept = [i for i, column in enumerate(table.columns) if column.on in (None, form)]
    rows = [
        replace(row, cells=tuple(_reduced_cell(row.cells[i], form) for i in kept), on=None)
        for row in table.rows
        if row.on in (None, form)
    ]
    columns = tuple(replace(table.columns[i], on=None) for i in kept)
    excerpt = table.excerpt
    if excerpt is None or form == "screen":
        if excerpt is not None:  # rows that head others are left out
            rows = [replace(row, level=0) for row in rows]
        yield DataTable(columns, tuple(rows), excerpt)
        return
    # The whole document has what a narrow screen leaves out.
    on_screens = {i for i, column in enumerate(kept) if table.columns[column].on is None}
    columns = tuple(replace(column, from_width=0) if i in on_screens else column for i, column in enumerate(columns))
    yield DataTable(columns, tuple(rows[: excerpt.top or None]))
    if 0 < excerpt.top < len(rows):
        yield Notes((excerpt.left,))


def _reduced_cell(cell: Cell, form: Form) -> Cell:
    if isinstance(cell, Either):
        return cell.whole if form == "whole" else cell.screen
    if form == "whole" and isinstance(cell, Several) and 0 < cell.named < len(cell.items):
        return cell.between.join([*cell.items[: cell.named], f"{len(cell.items) - cell.named} more"])
    return cell


def _described(value: DataclassInstance) -> dict[str, object]:
    stated = {field.name: getattr(value, field.name) for field in fields(value)}
    defaults = {field.name: field.default for field in fields(value)}
    told = {name: _plain(held) for name, held in stated.items() if held != defaults[name]}
    return {"is": type(value).__name__.lower(), **told}


def _plain(value: object) -> object:
    if is_dataclass(value) and not isinstance(value, type):
        return _described(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return float(value)
    return {"is": "date", "value": value.isoformat()} if isinstance(value, date) else value


def document(title: str, *parts: Element | None) -> Document:
    """A document of those parts that there are."""
    return Document(title, section("", *parts).parts)


def section(title: str, *parts: Element | None, tone: Tone = Tone.TITLE, column: str = "") -> Section:
    """A section of those parts that there are."""
    return Section(title, tuple(part for part in parts if part is not None), tone, column)


def section_if_any(title: str, *parts: Element | None, tone: Tone = Tone.TITLE, column: str = "") -> Section | None:
    """The same, if there are any."""
    made = section(title, *parts, tone=tone, column=column)
    return made if made.parts else None


def apart(*parts: Element | None) -> Section:
    """Parts that are set apart from what stands above, without a heading."""
    return section("", *parts)


def sentence(*phrases: str | Phrase, tone: Tone = Tone.PLAIN, strong: bool = False) -> Sentence:
    """A sentence; with a tone, all of it in that."""
    looks = tone is not Tone.PLAIN or strong
    return Sentence(tuple(Phrase(part, tone, strong) if looks and isinstance(part, str) else part for part in phrases))


def notes(texts: Iterable[str | Quoted], tone: Tone = Tone.PLAIN) -> Notes | None:
    """A list of sentences, if there are any."""
    kept = tuple(texts)
    return Notes(kept, tone) if kept else None


def table(columns: Iterable[Column], rows: Iterable[DataRow | Sequence[Cell]]) -> DataTable:
    """A table; a row of nothing but cells is a plain one."""
    return DataTable(tuple(columns), tuple(row if isinstance(row, DataRow) else DataRow(tuple(row)) for row in rows))


AnyPart = TypeVar("AnyPart", bound=Element)


def for_screen(part: AnyPart | None) -> AnyPart | None:
    """Return a part that only the screen shows."""
    return None if part is None else replace(part, on="screen")


def for_whole(part: AnyPart | None) -> AnyPart | None:
    """Return a part that only the whole document shows."""
    return None if part is None else replace(part, on="whole")


def excerpt(
    columns: Iterable[Column],
    rows: Iterable[DataRow | Sequence[Cell]],
    rests: Iterable[Several | Nothing],
    part: int,
    top: int = 0,
    left: str = "",
) -> DataTable:
    """Return a table of which a screen shows the rows that it has room for. `top` and `left` are those of `Excerpt`."""
    return replace(table(columns, rows), excerpt=Excerpt(tuple(rests), part, top, left))


def prose(told: str) -> tuple[str | Phrase, ...]:
    """A text as phrases: what stands between two backticks is typed as it stands."""
    found = told.split("`")
    if len(found) % 2 == 0:
        return (told,)
    parts = (Phrase(part, code=True) if place % 2 else part for place, part in enumerate(found))
    return tuple(part for part in parts if part not in ("", Phrase("", code=True)))


def figures(title: str, unit: str = "", from_width: int = 0) -> Column:
    """A column of figures, which are never broken."""
    return Column(title, unit, "right", whole=True, from_width=from_width)


def longest_word(texts: Iterable[str], *, hyphens: bool = False) -> int:
    """Characters of the longest word, or part of a word up to a hyphen, that a column must hold if none is to be broken."""
    breaks = re.compile(r"(?<=-)|\s+" if hyphens else r"\s+")
    return max((len(word) for text in texts for word in breaks.split(text)), default=0)
