"""Output in notebooks: the screen of a result as a page in a frame."""

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
_HINT = "`--full` is of the command line. Here `to_dict()` has all of it, and `to_frame(NAME)` each table."


def framed(document: Document) -> str:
    """Return a document as HTML, shortened to the lines of a screen."""
    told = shortened(document.on_screen(), LINES, _lines)
    return frame(Document(told.title, (*told.parts, sentence(_HINT)), told.form), _lines(told) + 1)


def _lines(document: Document) -> int:
    return sum(map(_of, document.parts))


def _of(part: Element) -> int:
    match part:
        case Sentence(phrases):
            return _broken("".join(one if isinstance(one, str) else one.text for one in phrases))
        case Notes(texts):
            return sum(_broken(one if isinstance(one, str) else one.text) for one in texts)
        case Verbatim(lines):
            return len(lines)
        case Pairs(rows):
            return sum(_broken(told) for _, told in rows)
        case KeyFigures(figures):
            return 2 * len(figures)
        case DataTable(rows=rows):
            widths = (sum(len(written(cell)) + 2 for cell in row.cells) for row in rows)
            return 1 + sum(1 + width // _WIDTH for width in widths) + isinstance(part.rest, Several)
        case Drawing(table=table):
            return _of(table)
        case Section(title, parts):
            return 1 + bool(title) + sum(map(_of, parts))


def _broken(text: str) -> int:
    return 1 + len(text) // _WIDTH
