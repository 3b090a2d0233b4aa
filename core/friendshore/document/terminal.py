"""Documents on a terminal: the one module that knows how they look there, and the one place where text becomes rich's.

No name that stands in a document takes a line of its own, or does anything to a terminal.
"""

from __future__ import annotations

import io
import textwrap
from collections.abc import Iterator, Sequence
from typing import assert_never

from rich.box import Box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text as RichText

from ..inert import visible, visible_lines
from .elements import (
    Cell,
    Column,
    DataRow,
    DataTable,
    Document,
    Element,
    Notes,
    Pairs,
    Phrase,
    Quoted,
    Section,
    Sentence,
    Tone,
    Verbatim,
    longest_word,
)
from .figures import written
from .periods import fitted

_RULED = Box("    \n    \n ── \n    \n    \n    \n    \n    \n")
"""A line under the header, and nothing else."""
_COLOURS = {
    Tone.PLAIN: "",
    Tone.TITLE: "cyan",
    Tone.GOOD: "green",
    Tone.DOUBTFUL: "yellow",
    Tone.BAD: "red",
    Tone.ASIDE: "dim",
    Tone.CHOICE: "magenta",
}


def renderables(document: Document, width: int) -> Iterator[RenderableType]:
    """What rich prints, part by part.

    Args:
        document: what is told.
        width: characters of a line.
    """
    for part in document.parts:
        yield from _element(part, width)


def plain_text(document: Document, width: int) -> str:
    """The document as text without colours, no line with spaces at its end.

    Args:
        document: what is told.
        width: characters of a line.
    """
    console = Console(file=io.StringIO(), width=width, color_system=None, markup=False, emoji=False, highlight=False)
    with console.capture() as captured:
        for part in renderables(document, width):
            console.print(part)
    return "\n".join(line.rstrip() for line in captured.get().removesuffix("\n").split("\n"))


def _element(element: Element, width: int) -> Iterator[RenderableType]:
    match element:
        case Sentence(phrases):
            yield _sentence(phrases)
        case Notes(texts, tone):
            yield _notes(texts, _style(tone))
        case Verbatim(lines):
            yield RichText("\n".join(map(visible, lines)))
        case Pairs(rows):
            yield _pairs(rows)
        case DataTable():
            yield _table(fitted(element, width), width)
        case Section(title, parts, tone):
            yield ""
            if title:
                yield _text(title, _style(tone, strong=True))
            for part in parts:
                yield from _element(part, width)
        case _:
            assert_never(element)


def _style(tone: Tone, *, strong: bool = False) -> str:
    return f"{'bold' if strong else ''} {_COLOURS[tone]}".strip()


def _text(text: str, style: str = "") -> RichText:
    """One line."""
    return RichText(visible(text), style)


def _sentence(phrases: Sequence[str | Phrase]) -> RichText:
    made = RichText()
    for phrase in phrases:
        one = phrase if isinstance(phrase, Phrase) else Phrase(phrase)
        made.append(visible(f"`{one.text}`" if one.code else one.text), _style(one.tone, strong=one.strong))
    return made


def _notes(texts: Sequence[str | Quoted], style: str) -> Table:
    """Sentences, one a line; what is too long goes on with an indent."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for text in texts:
        if isinstance(text, Quoted):
            grid.add_row("·", RichText(visible_lines(text.text.strip())))
        else:
            grid.add_row("·", _text(text, style))
    return grid


def _pairs(rows: Sequence[tuple[str, str]]) -> Table:
    grid = Table.grid(padding=(0, 2))
    grid.add_column(overflow="fold", max_width=34)
    grid.add_column(overflow="fold")
    for name, text in rows:
        grid.add_row(_text(name), RichText(visible_lines(text)))
    return grid


def _table(table: DataTable, width: int) -> Table:
    """A table without frames, no wider than `width` if its whole columns leave room: words wrap within their column."""
    rows = [_cells(row, width) for row in table.rows]
    widths = _widths(table.columns, rows, width)
    made = Table(box=_RULED, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold", show_edge=False)
    for column, room in zip(table.columns, widths, strict=True):
        title = _text(column.heading)
        made.add_column(
            title if column.whole else _wrapped(title, room), justify=column.align, no_wrap=True, width=room
        )
    for row in rows:
        each = zip(table.columns, row, widths, strict=True)
        made.add_row(*(cell if column.whole else _wrapped(cell, room) for column, cell, room in each))
    return made


def _cells(row: DataRow, width: int) -> list[RichText]:
    indents = ["  " * row.level, *[""] * (len(row.cells) - 1)]
    return [_cell(cell, row, width, indent) for indent, cell in zip(indents, row.cells, strict=True)]


def _cell(cell: Cell, row: DataRow, width: int, indent: str) -> RichText:
    text = written(cell, width)
    tone, strong = (cell.tone, cell.strong) if isinstance(cell, Phrase) else (Tone.PLAIN, False)
    return _text(indent + text, _style(tone, strong=strong or row.strong) if text else "")


def _wrapped(cell: RichText, width: int) -> RichText:
    """A cell broken at spaces and hyphens; what is indented stays so."""
    indent = " " * (len(cell.plain) - len(cell.plain.lstrip()))
    fits = longest_word([cell.plain]) + len(indent) <= width
    lines = textwrap.wrap(
        cell.plain.strip(), width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=not fits
    )
    return RichText("\n".join(lines), style=cell.style)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[RichText]], width: int) -> list[int]:
    """Width of every column: all that it would take, or its part of what there is."""
    texts = [[column.heading, *(row[i].plain for row in rows)] for i, column in enumerate(columns)]
    natural = [max(len(text.rstrip()) for text in column) for column in texts]
    widths, room = list(natural), width - 2 * (len(columns) - 1)
    for hyphens in (False, True):  # names are broken at their hyphens only where the table does not fit else
        least = [
            full if column.whole else min(full, _least(column_texts, hyphens))
            for column, full, column_texts in zip(columns, natural, texts, strict=True)
        ]
        while sum(widths) > room:
            able = [i for i in range(len(columns)) if widths[i] > least[i]]
            if not able:
                break  # rather too wide than figures cut
            widths[max(able, key=lambda i: (widths[i], -i))] -= 1
    return widths


def _least(texts: Sequence[str], hyphens: bool) -> int:
    """Characters of the longest word of a column, with its indent."""
    words = (len(text) - len(text.lstrip()) + longest_word([text], hyphens=hyphens) for text in texts)
    return max(words, default=0) + hyphens
