"""Documents on a terminal: the only module that makes rich's text. Names in a document can't break a line or control the terminal."""

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

_COLORS = {
    doc.Tone.PLAIN: "",
    doc.Tone.TITLE: "",
    doc.Tone.GOOD: "green",
    doc.Tone.DOUBTFUL: "yellow",
    doc.Tone.BAD: "red",
    doc.Tone.ASIDE: "dim",
    doc.Tone.CHOICE: "magenta",
    doc.Tone.CONCERN: "yellow",
    doc.Tone.UNKNOWN: "",
}
_MARKS = {doc.Tone.GOOD: "✓", doc.Tone.DOUBTFUL: "!", doc.Tone.BAD: "✗"}
"""Marks before texts of a tone. Only the mark is colored, since yellow or red text is hard to read on one of white and black."""
_HEADING = "dim"
_MAX_NAME_WIDTH = 34
_WORD = re.compile(r" *[^ ]+ *")
_BREAK_IN_PARAGRAPH = re.compile(r"(?<=\S)\n(?=[^\s*·-])")
"""Line break in a quoted text that its author set for another width, not one before a list item, an indented line, or a blank one."""
_BOUND_SPACE = "\u00ad"
"""Soft hyphen in place of a space at which no line ends. Texts from the data have none, because `visible` shows its number."""
_BOUND = re.compile(
    r"(?<=\b[A-Z]{3}) (?=[\d-])|(?<=\d) (?=(?:t|kg|billion|million|years?|quarters?|months?|days?|more)\b)|(?<=\d (?:kg|\wt)) (?=[A-Z]\w?\b)"
    r"|(?<=friendshore) (?=\d)|(?<=\b20\d\d) (?=\d)|(?<=\d) (?=to \d)|(?<=\d to) (?=\d)"
)
"""Spaces within a figure, at which no line ends: `USD 14.9 billion`, `71 to 89%`, `25 days`."""


def renderables(document: doc.Document, width: int, *, max_lines: int | None = None) -> Iterator[RichText]:
    """Yield the lines of a document for rich. `max_lines` None means the whole document."""
    from rich.text import Text as RichText  # slow to load, and needed only for colors

    for line in lines(document, width, max_lines=max_lines):
        yield RichText.assemble(*line, no_wrap=True, overflow="ignore")


def lines(document: doc.Document, width: int, *, max_lines: int | None = None) -> Iterator[Line]:
    document = document.whole() if max_lines is None else document.on_screen()
    if max_lines is not None:
        document = shortened(
            document,
            max_lines,
            lambda shortened_document: sum(1 for _ in lines(shortened_document, width)),
        )
    for part in document.parts:
        yield from _element(part, width)


def plain_text(document: doc.Document, width: int, *, max_lines: int | None = None) -> str:
    """Return the lines of `renderables` as text without colors and trailing spaces."""
    spans_by_line = lines(document, width, max_lines=max_lines)
    return "\n".join("".join(text for text, _ in line).rstrip() for line in spans_by_line)


def _element(element: doc.Element, width: int) -> Iterator[Line]:
    match element:
        case doc.Sentence(phrases):
            yield from _sentence(phrases, width)
        case doc.Notes(texts, tone):
            yield from _notes(texts, tone, width)
        case doc.Verbatim(texts):
            yield from _folded("\n".join(map(visible, texts)), width)
        case doc.Pairs(rows):
            yield from _pairs(rows, width)
        case doc.KeyFigures(figures):
            yield from _pairs([(figure.name, figure_text(figure)) for figure in figures], width)
        case doc.DataTable():
            yield from _table(in_lines(element, width) if element.excerpt else fitted(element, width), width)
            if isinstance(element.rest, doc.Several):
                yield from _wrapped_spans([(visible(listed(element.rest, width)), _style(doc.Tone.ASIDE))], width)
        case doc.Drawing():
            yield from _table(fitted(element.table, width), width)
        case doc.Section(title, parts, tone):
            yield []
            if title:
                yield from _marked([(visible(title), "bold")], tone, width)
            for part in parts:
                yield from _element(part, width)
        case _:
            assert_never(element)


def _sentence(phrases: Sequence[str | doc.Phrase], width: int) -> Iterator[Line]:
    first = phrases[0] if phrases and isinstance(phrases[0], doc.Phrase) else doc.Phrase("")
    if first.text.endswith(" ") and first.text.rstrip().endswith(":"):  # a label such as `error: `
        spans = [span for phrase in phrases[1:] for span in _spans(phrase)]
        yield from _hanging(visible(first.text), _style(first.tone, strong=first.strong), spans, width)
    else:
        spans = [span for phrase in phrases for span in _spans(phrase, first.tone)]
        yield from _marked(spans, first.tone, width)


def _style(tone: doc.Tone, *, strong: bool = False) -> str:
    return f"{'bold' if strong else ''} {_COLORS[tone]}".strip()


def _spans(phrase: str | doc.Phrase, marked: doc.Tone = doc.Tone.PLAIN) -> Iterator[Span]:
    """Yield a phrase with its style, and commands in it in bold. A phrase in the tone of the mark before it has no color."""
    styled = phrase if isinstance(phrase, doc.Phrase) else doc.Phrase(phrase)
    tone = doc.Tone.PLAIN if styled.tone is marked and marked in _MARKS else styled.tone
    for part in [styled.text] if styled.code else doc.prose(styled.text):
        text, code = (part.text, True) if isinstance(part, doc.Phrase) else (part, styled.code)
        text = visible(text)
        # A short command stays on one line.
        yield (
            text.replace(" ", _BOUND_SPACE) if code and len(text) <= _MAX_NAME_WIDTH else text,
            _style(tone, strong=styled.strong or code),
        )


def _marked(line: Line, tone: doc.Tone, width: int, mark: str = "") -> Iterator[Line]:
    """Yield a text in lines, behind the mark of its tone if it has one."""
    mark = _MARKS.get(tone, mark)
    if not mark:
        yield from _wrapped_spans(line, width)
        return
    yield from _hanging(f"{mark} ", _style(tone), line, width)


def _hanging(label: str, style: str, line: Line, width: int) -> Iterator[Line]:
    """Yield a text in lines to the right of its label."""
    for position, wrapped in enumerate(_wrapped_spans(line, width - len(label))):
        yield [(" " * len(label), "") if position else (label, style), *wrapped]


def _wrapped_spans(line: Line, width: int) -> Iterator[Line]:
    """Yield a line as lines of limited width, broken between words, or within a word that is longer."""
    text = _BOUND.sub(_BOUND_SPACE, "".join(part for part, _ in line))
    starts = [0, *_breaks(text, width), len(text)]
    for start, end in pairwise(starts):
        spans = []
        for offset, (part, style) in zip(accumulate((len(part) for part, _ in line), initial=0), line, strict=False):
            piece = part[max(0, start - offset) : max(0, end - offset)]
            if piece:
                spans.append((piece.replace(_BOUND_SPACE, " "), style))
        yield spans


def _breaks(text: str, width: int) -> list[int]:
    if cell_len(text) <= width:
        return []
    breaks, used = [], 0
    for word in _WORD.finditer(text):
        start, size = word.start(), cell_len(word[0].rstrip(" "))
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
    return [part for line in text.split("\n") for part in _wrapped_spans([(line, style)], width)]


def _notes(texts: Sequence[str | doc.Quoted], tone: doc.Tone, width: int) -> Iterator[Line]:
    for text in texts:
        if isinstance(text, doc.Quoted):
            paragraphs = _BREAK_IN_PARAGRAPH.sub(" ", visible_lines(text.text.strip())).split("\n")
            lines = (line for paragraph in paragraphs for line in _wrapped_spans([*_spans(paragraph)], width - 2))
            for position, line in enumerate(lines):
                yield [("  " if position else "· ", ""), *line]
        else:
            yield from _marked([*_spans(text)], tone, width, "·")


def _pairs(rows: Sequence[tuple[str, str]], width: int) -> Iterator[Line]:
    shown_rows = [(visible(name), visible_lines(text)) for name, text in rows]
    name_width = min(max((cell_len(name) for name, _ in shown_rows), default=0), _MAX_NAME_WIDTH) + 2
    text_width = max((cell_len(line) for _, text in shown_rows for line in text.split("\n")), default=0)
    if name_width + text_width > width:
        name_width, text_width = _narrowed(name_width, text_width, width)
    for name, text in shown_rows:
        names, texts = _folded(name, name_width - 2), _folded(text, text_width)
        for position in range(max(len(names), len(texts))):
            name_line = "".join(part for part, _ in names[position]) if position < len(names) else ""
            yield [(set_cell_size(name_line, name_width), ""), *(texts[position] if position < len(texts) else ())]


def _narrowed(first: int, second: int, width: int) -> tuple[int, int]:
    excess = first + second - width
    reduction = min(excess, abs(first - second))
    half = round((excess - reduction) / 2)
    first, second = (first - reduction, second) if first > second else (first, second - reduction)
    return first - half, second - (excess - reduction - half)


# Not a table of rich, which would take a fifth of a second for a plan.
def _table(table: doc.DataTable, width: int) -> Iterator[Line]:
    """Yield a table. A name that doesn't fit into the first column takes its own line, above the rest of its row."""
    # A short table has no title above it, so its first heading stands out.
    styles = ["bold" if table.excerpt else _HEADING, *[_HEADING] * len(table.columns)]
    heading = [(visible(column.heading), style) for column, style in zip(table.columns, styles, strict=False)]
    rows = [_cells(row, width) for row in table.rows]
    widths = _widths(table.columns, rows, width)
    last = len(widths) - 1
    column_widths = _reduced_to([room + (i < last) for i, room in enumerate(widths)], width - last)
    text_widths = [room - (i < last) for i, room in enumerate(column_widths)]
    for position, row in enumerate([heading, *rows]):
        cells = [
            [text] if column.whole or text_width <= 0 else _wrapped(text, room)
            for column, (text, _), room, text_width in zip(table.columns, row, widths, text_widths, strict=True)
        ]
        if position and row and 0 < text_widths[0] < doc.longest_word([row[0][0]]) <= width:
            yield from _wrapped_spans([row[0]], width)
            cells[0] = []
        height = max(map(len, cells), default=1)
        for line_number in range(height):
            line: list[Span] = []
            for i, cell in enumerate(cells):
                # Headings are aligned at the bottom.
                text = _line_at(cell, line_number if position else line_number - height)
                between = " " * (column_widths[i] - max(text_widths[i], 0) + 1)
                line += [(_aligned(text, text_widths[i], table.columns[i].align), row[i][1]), (between, "")]
            yield _cropped(line[:-1], width)


def _line_at(cell: Sequence[str], index: int) -> str:
    return cell[index] if -len(cell) <= index < len(cell) else ""


def _reduced_to(widths: list[int], width: int) -> list[int]:
    widths = [min(column_width, width) or 1 for column_width in widths]
    excess, columns_left = max(0, sum(widths) - width), len(widths)
    reduced = []
    for column_width in widths:
        reduction = min(column_width, round(excess / columns_left))
        reduced.append(column_width - reduction)
        excess, columns_left = excess - reduction, columns_left - 1
    return reduced


def _cropped(line: Line, width: int) -> Line:
    spans = []
    for text, style in line:
        spans.append((text if cell_len(text) <= width else set_cell_size(text, width), style))
        width -= cell_len(spans[-1][0])
    return spans


def _aligned(text: str, width: int, align: str) -> str:
    text = (text.rstrip() if align == "right" else text).replace(_BOUND_SPACE, " ")
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
    if tone is doc.Tone.DOUBTFUL:  # yellow words can't be read on white
        tone, strong = doc.Tone.PLAIN, True
    return _BOUND.sub(_BOUND_SPACE, visible(indent + text)), _style(tone, strong=strong or row.strong) if text else ""


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip(" ")))
    words = text.strip(" ")
    if len(indent) + len(words) <= width:
        return [indent + words]
    fits = doc.longest_word([text]) + len(indent) <= width
    return textwrap.wrap(words, width, initial_indent=indent, subsequent_indent=indent, break_on_hyphens=not fits)


def _widths(columns: Sequence[doc.Column], rows: Sequence[Line], width: int) -> list[int]:
    """Return the width of every column: its natural width, or its share of the room."""
    texts = [[column.heading, *(row[i][0] for row in rows)] for i, column in enumerate(columns)]
    natural = [max(len(text.rstrip(" ")) for text in column) for column in texts]
    widths, room = list(natural), width - 2 * (len(columns) - 1)
    # Names are broken at hyphens only if the table doesn't fit otherwise. If that isn't enough, the names of rows go on lines of their own.
    for hyphens, first_beside in ((False, True), (True, True), (True, False)):
        min_widths = [
            natural_width
            if column.whole
            else min(natural_width, _min_width(column_texts if i or first_beside else column_texts[:1], hyphens))
            for i, (column, natural_width, column_texts) in enumerate(zip(columns, natural, texts, strict=True))
        ]
        while sum(widths) > room:
            shrinkable = [i for i in range(len(columns)) if widths[i] > min_widths[i]]
            if not shrinkable:
                break  # a table that is too wide is better than cut figures
            widths[max(shrinkable, key=lambda i: (widths[i], -i))] -= 1
    return widths


def _min_width(texts: Sequence[str], hyphens: bool) -> int:
    words = (len(text) - len(text.lstrip(" ")) + doc.longest_word([text], hyphens=hyphens) for text in texts)
    return max(words, default=0) + hyphens
