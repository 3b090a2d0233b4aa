"""Documents on a terminal: the only module that formats for terminals and makes rich's text.

Names in a document can't break a line or control the terminal. Lines are laid out here, because rich's tables take a fifth of a second for a
plan. Without a terminal, only rich's character widths are loaded.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, TypeAlias, assert_never

from rich.cells import cell_len, chop_cells, set_cell_size

from ..inert import visible, visible_lines
from . import elements as doc
from .excerpts import fitted, in_lines, listed, shortened
from .figures import figure_text, written

if TYPE_CHECKING:
    from rich.text import Text as RichText

Span: TypeAlias = tuple[str, str]
"""A text with its rich style. Empty for the default."""
Line: TypeAlias = Sequence[Span]

_RULED, _ASCII = (" ", "─", "─"), ("|", "-", "+")
"""Separators of columns, lines under headings, and their crossings."""
_COLORS = {
    doc.Tone.PLAIN: "",
    doc.Tone.TITLE: "cyan",
    doc.Tone.GOOD: "green",
    doc.Tone.DOUBTFUL: "yellow",
    doc.Tone.BAD: "red",
    doc.Tone.ASIDE: "dim",
    doc.Tone.CHOICE: "magenta",
}
_NAMES_WIDTH = 34
"""Maximum characters of names in pairs."""
_WORD = re.compile(r"\s*\S+\s*")


def renderables(
    document: doc.Document, width: int, *, ascii_only: bool = False, most: int | None = None
) -> Iterator[RichText]:
    """Yield the lines of a document for rich, each of at most `width` characters.

    `ascii_only` separates columns by ASCII signs. `most` limits the number of lines, for a screen. None means the whole document.
    """
    from rich.text import Text as RichText  # slow to load, and needed only for colours

    for line in lines(document, width, ascii_only=ascii_only, most=most):
        yield RichText.assemble(*line, no_wrap=True, overflow="ignore")


def lines(document: doc.Document, width: int, *, ascii_only: bool = False, most: int | None = None) -> Iterator[Line]:
    """Yield the lines of `renderables` as spans of text."""
    document = document.whole() if most is None else document.on_screen()
    if most is not None:
        document = shortened(document, most, lambda made: sum(1 for _ in lines(made, width, ascii_only=ascii_only)))
    for part in document.parts:
        yield from _element(part, width, _ASCII if ascii_only else _RULED)


def plain_text(document: doc.Document, width: int, *, ascii_only: bool = False, most: int | None = None) -> str:
    """Return the document as text without colors, in the lines of `renderables`, without trailing spaces."""
    told = lines(document, width, ascii_only=ascii_only, most=most)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in told)


def _element(element: doc.Element, width: int, ruling: tuple[str, str, str]) -> Iterator[Line]:
    match element:
        case doc.Sentence(phrases):
            yield from _broken(_sentence(phrases), width)
        case doc.Notes(texts, tone):
            yield from _notes(texts, _style(tone), width)
        case doc.Verbatim(told):
            yield from _folded("\n".join(map(visible, told)), width)
        case doc.Pairs(rows):
            yield from _pairs(rows, width)
        case doc.KeyFigures(figures):
            yield from _pairs([(figure.name, figure_text(figure)) for figure in figures], width)
        case doc.DataTable():
            yield from _table(in_lines(element, width) if element.excerpt else fitted(element, width), width, ruling)
            if isinstance(element.rest, doc.Several):
                yield from _broken([(visible(listed(element.rest, width)), _style(doc.Tone.ASIDE))], width)
        case doc.Drawing():
            yield from _table(fitted(element.table, width), width, ruling)
        case doc.Section(title, parts, tone):
            yield []
            if title:
                yield from _broken([(visible(title), _style(tone, strong=True))], width)
            for part in parts:
                yield from _element(part, width, ruling)
        case _:
            assert_never(element)


def _style(tone: doc.Tone, *, strong: bool = False) -> str:
    return f"{'bold' if strong else ''} {_COLORS[tone]}".strip()


def _sentence(phrases: Sequence[str | doc.Phrase]) -> Line:
    made = []
    for phrase in phrases:
        one = phrase if isinstance(phrase, doc.Phrase) else doc.Phrase(phrase)
        made.append((visible(f"`{one.text}`" if one.code else one.text), _style(one.tone, strong=one.strong)))
    return made


def _broken(line: Line, width: int) -> Iterator[Line]:
    """Yield a line as lines of limited width, broken between words, or within a word that is longer."""
    text = "".join(part for part, _ in line)
    starts = [0, *_breaks(text, width), len(text)]
    for start, end in pairwise(starts):
        spans = []
        for place, (part, style) in zip(accumulate((len(part) for part, _ in line), initial=0), line, strict=False):
            kept = part[max(0, start - place) : max(0, end - place)]
            if kept:
                spans.append((kept, style))
        yield spans


def _breaks(text: str, width: int) -> list[int]:
    """Return the break positions of a text: before each word that crosses the end of a line."""
    if cell_len(text) <= width:
        return []
    breaks, used = [], 0
    for word in _WORD.finditer(text):
        start, size = word.start(), cell_len(word[0].rstrip())
        if used + size <= width:
            used += cell_len(word[0])
            continue
        pieces = chop_cells(word[0], width) if size > width else [word[0]]
        for piece in pieces:
            if start:
                breaks.append(start)
            start += len(piece)
        used = cell_len(pieces[-1])
    return breaks


def _folded(text: str, width: int, style: str = "") -> list[Line]:
    return [part for line in text.split("\n") for part in _broken([(line, style)], width)]


def _notes(texts: Sequence[str | doc.Quoted], style: str, width: int) -> Iterator[Line]:
    """Yield sentences, one per line. Long ones continue with an indent."""
    for text in texts:
        quoted = isinstance(text, doc.Quoted)
        told = visible_lines(text.text.strip()) if isinstance(text, doc.Quoted) else visible(text)
        for number, line in enumerate(_folded(told, width - 2, "" if quoted else style)):
            yield [("  " if number else "· ", ""), *line]


def _pairs(rows: Sequence[tuple[str, str]], width: int) -> Iterator[Line]:
    told = [(visible(name), visible_lines(text)) for name, text in rows]
    first = min(max((cell_len(name) for name, _ in told), default=0), _NAMES_WIDTH) + 2
    second = max((cell_len(line) for _, text in told for line in text.split("\n")), default=0)
    if first + second > width:
        first, second = _narrowed(first, second, width)
    for name, text in told:
        names, texts = _folded(name, first - 2), _folded(text, second)
        for number in range(max(len(names), len(texts))):
            left = "".join(part for part, _ in names[number]) if number < len(names) else ""
            yield [(set_cell_size(left, first), ""), *(texts[number] if number < len(texts) else ())]


def _narrowed(first: int, second: int, width: int) -> tuple[int, int]:
    """Return the widths of two columns that are too wide: the wider gives up room first, then both."""
    over = first + second - width
    wider = min(over, abs(first - second))
    half = round((over - wider) / 2)
    first, second = (first - wider, second) if first > second else (first, second - wider)
    return first - half, second - (over - wider - half)


def _table(table: doc.DataTable, width: int, ruling: tuple[str, str, str]) -> Iterator[Line]:
    """Yield a table without frames, at most `width` wide if unbreakable columns leave room. Words wrap within their column.

    A name that doesn't fit into the first column takes its own line, with the rest of its row below it.
    """
    heading = [(visible(column.heading), "bold") for column in table.columns]
    rows = [_cells(row, width) for row in table.rows]
    widths = _widths(table.columns, rows, width)
    last = len(widths) - 1
    taken = _cut([room + (i < last) for i, room in enumerate(widths)], width - last)
    shown = [room - (i < last) for i, room in enumerate(taken)]
    divider, rule, cross = ruling
    for number, row in enumerate([heading, *rows]):
        cells = [
            [text] if column.whole or left <= 0 else _wrapped(text, room)
            for column, (text, _), room, left in zip(table.columns, row, widths, shown, strict=True)
        ]
        if number and row and 0 < shown[0] < doc.longest_word([row[0][0]]) <= width:
            yield from _broken([row[0]], width)
            cells[0] = []
        height = max(map(len, cells), default=1)
        for place in range(height):
            line: list[Span] = []
            for i, cell in enumerate(cells):
                text = _at(cell, place if number else place - height)  # headings stand low
                between = " " * (taken[i] - max(shown[i], 0)) + divider
                line += [(_aligned(text, shown[i], table.columns[i].align), row[i][1]), (between, "")]
            yield _cropped(line[:-1], width)
        if not number and not table.excerpt:  # what is short of lines has none to spare
            yield _cropped([(cross.join(rule * room for room in taken), "")], width)


def _at(cell: Sequence[str], place: int) -> str:
    return cell[place] if -len(cell) <= place < len(cell) else ""


def _cut(widths: list[int], width: int) -> list[int]:
    """Return widths reduced by the same amount to fit a total."""
    widths = [min(one, width) or 1 for one in widths]
    over, left = max(0, sum(widths) - width), len(widths)
    kept = []
    for one in widths:
        part = min(one, round(over / left))
        kept.append(one - part)
        over, left = over - part, left - 1
    return kept


def _cropped(line: Line, width: int) -> Line:
    kept = []
    for text, style in line:
        kept.append((text if cell_len(text) <= width else set_cell_size(text, width), style))
        width -= cell_len(kept[-1][0])
    return kept


def _aligned(text: str, width: int, align: str) -> str:
    text = text.rstrip() if align == "right" else text
    if cell_len(text) > width:
        text = set_cell_size(text, width - 1) + "…" if width > 0 else ""
    space = " " * (width - cell_len(text))
    return space + text if align == "right" else text + space


def _cells(row: doc.DataRow, width: int) -> list[Span]:
    indents = ["  " * row.level, *[""] * (len(row.cells) - 1)]
    return [_cell(cell, row, width, indent) for indent, cell in zip(indents, row.cells, strict=True)]


def _cell(cell: doc.Cell, row: doc.DataRow, width: int, indent: str) -> Span:
    text = written(cell, width)
    tone, strong = (cell.tone, cell.strong) if isinstance(cell, doc.Phrase) else (doc.Tone.PLAIN, False)
    return visible(indent + text), _style(tone, strong=strong or row.strong) if text else ""


def _wrapped(text: str, width: int) -> list[str]:
    """Return a cell broken at spaces and hyphens, with its indent."""
    indent = " " * (len(text) - len(text.lstrip()))
    words = text.strip()
    if len(indent) + len(words) <= width:
        return [indent + words]
    fits = doc.longest_word([text]) + len(indent) <= width
    return textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=not fits)


def _widths(columns: Sequence[doc.Column], rows: Sequence[Line], width: int) -> list[int]:
    """Return the width of every column: its natural width, or its share of the room."""
    texts = [[column.heading, *(row[i][0] for row in rows)] for i, column in enumerate(columns)]
    natural = [max(len(text.rstrip()) for text in column) for column in texts]
    widths, room = list(natural), width - 2 * (len(columns) - 1)
    # Names are broken at their hyphens only where the table does not fit else; where it still does not, those of rows stand above them.
    for hyphens, beside in ((False, True), (True, True), (True, False)):
        least = [
            full if column.whole else min(full, _least(column_texts if i or beside else column_texts[:1], hyphens))
            for i, (column, full, column_texts) in enumerate(zip(columns, natural, texts, strict=True))
        ]
        while sum(widths) > room:
            able = [i for i in range(len(columns)) if widths[i] > least[i]]
            if not able:
                break  # rather too wide than figures cut
            widths[max(able, key=lambda i: (widths[i], -i))] -= 1
    return widths


def _least(texts: Sequence[str], hyphens: bool) -> int:
    """Return the length of the longest word of a column, with its indent."""
    words = (len(text) - len(text.lstrip()) + doc.longest_word([text], hyphens=hyphens) for text in texts)
    return max(words, default=0) + hyphens
