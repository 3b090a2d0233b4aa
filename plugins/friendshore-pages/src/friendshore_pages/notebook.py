"""Notebook output: the screen of a result as a page in a frame."""

from __future__ import annotations

from friendshore.document.elements import (
    DataTable,
    Document,
    Drawing,
    Element,
    KeyFigures,
    Notes,
    Pairs,
    Section,
    Sentence,
    Several,
    Verbatim,
    sentence,
)
from friendshore.document.excerpts import LINES, shortened
from friendshore.document.figures import written

from .html import frame

_WIDTH = 120
"""Approximate characters of a line of a notebook."""
_HINT = "`--full` works only on the command line. In a notebook, `to_dict()` returns everything, and `to_frame(NAME)` a table."


def framed(document: Document) -> str:
    excerpt = shortened(document.on_screen(), LINES, _document_lines)
    return frame(Document(excerpt.title, (*excerpt.parts, sentence(_HINT)), excerpt.form), _document_lines(excerpt) + 1)


def _document_lines(document: Document) -> int:
    return sum(map(_part_lines, document.parts))


def _part_lines(part: Element) -> int:
    match part:
        case Sentence(phrases):
            return _text_lines("".join(phrase if isinstance(phrase, str) else phrase.text for phrase in phrases))
        case Notes(texts):
            return sum(_text_lines(note if isinstance(note, str) else note.text) for note in texts)
        case Verbatim(lines):
            return len(lines)
        case Pairs(rows):
            return sum(_text_lines(value) for _, value in rows)
        case KeyFigures(figures):
            return 2 * len(figures)
        case DataTable(rows=rows):
            widths = (sum(len(written(cell)) + 2 for cell in row.cells) for row in rows)
            return 1 + sum(1 + width // _WIDTH for width in widths) + isinstance(part.rest, Several)
        case Drawing(table=table):
            return _part_lines(table)
        case Section(title, parts):
            return 1 + bool(title) + sum(map(_part_lines, parts))


def _text_lines(text: str) -> int:
    return 1 + len(text) // _WIDTH
