"""What a document is made of. All of it is frozen data: the same document is shown on a terminal, written as Markdown or kept as JSON.

A cell of a table is a figure with its unit, not a text: how it is written is said once, in `figures`. What is a name or a sentence is a plain
string. Nothing here knows how wide a line is; what is to be left out or told shorter where there is little room says so itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from .charts import Chart
from .charts import Tone as Tone  # noqa: PLC0414 - texts have tones, and are made of what this module holds

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

WIDE = 110
"""Characters of a line from which on phrases are told at length."""


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


Cell: TypeAlias = str | Phrase | Amount | Between | Kilograms | Share | Count | Several | date | Nothing
"""What stands in a table: text, or a figure with its unit."""


@dataclass(frozen=True, slots=True)
class DataRow:
    """A row of a table."""

    cells: tuple[Cell, ...]
    strong: bool = False
    """Whether it adds up others, or heads them."""
    level: int = 0
    """How many rows above head it."""


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


@dataclass(frozen=True, slots=True)
class DataTable:
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
class Drawing:
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
class KeyFigures:
    """The few figures that matter most, side by side where there is room."""

    figures: tuple[KeyFigure, ...]


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence or a few, of phrases that follow each other."""

    phrases: tuple[str | Phrase, ...]


@dataclass(frozen=True, slots=True)
class Notes:
    """What is to be known of what stands above: a list of sentences."""

    texts: tuple[str | Quoted, ...]
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Verbatim:
    """Lines as they are, one below the other."""

    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Names with a text each."""

    rows: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what belongs under it; without a title, what is set apart from what stands above."""

    title: str
    parts: tuple[Element, ...]
    tone: Tone = Tone.TITLE


Element: TypeAlias = Sentence | Notes | Verbatim | Pairs | DataTable | Drawing | KeyFigures | Section
"""What a document or a section is made of."""


@dataclass(frozen=True, slots=True)
class Document:
    """An answer, a plan, a list or a check, as it is told to people."""

    title: str
    """What it is, for those who did not ask; a terminal, on which somebody asked, leaves it out."""
    parts: tuple[Element, ...]
    """What is said first, then the sections."""

    def to_dict(self) -> dict[str, Any]:
        """JSON-ready data: every element, phrase and figure an object whose `is` says what it is; what is as usual is left out."""
        return _described(self)


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


def section(title: str, *parts: Element | None, tone: Tone = Tone.TITLE) -> Section:
    """A section of those parts that there are."""
    return Section(title, tuple(part for part in parts if part is not None), tone)


def section_if_any(title: str, *parts: Element | None, tone: Tone = Tone.TITLE) -> Section | None:
    """The same, if there are any."""
    made = section(title, *parts, tone=tone)
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


def excerpt(
    columns: Iterable[Column], rows: Iterable[Sequence[Cell]], rests: Iterable[Several | Nothing], part: int
) -> DataTable:
    """A table that is shortened where there is no room for all of it."""
    made = table(columns, rows)
    return DataTable(made.columns, made.rows, Excerpt(tuple(rests), part))


def prose(told: str) -> tuple[str | Phrase, ...]:
    """A text as phrases: what stands between two backticks is typed as it stands."""
    found = told.split("`")
    if len(found) % 2 == 0:
        return (told,)
    parts = (Phrase(part, code=True) if place % 2 else part for place, part in enumerate(found))
    return tuple(part for part in parts if part not in ("", Phrase("", code=True)))


def figures(title: str, unit: str = "") -> Column:
    """A column of figures, which are never broken."""
    return Column(title, unit, "right", whole=True)


def longest_word(texts: Iterable[str], *, hyphens: bool = False) -> int:
    """Characters of the longest word, or part of a word up to a hyphen, that a column must hold if none is to be broken."""
    breaks = re.compile(r"(?<=-)|\s+" if hyphens else r"\s+")
    return max((len(word) for text in texts for word in breaks.split(text)), default=0)
