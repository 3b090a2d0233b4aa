"""What a notebook shows of an answer: its screen, by the renderer of pages, in a frame of its own."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import ClassVar

from .elements import (
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
from .excerpts import LINES, shortened
from .figures import written

_WIDTH = 120
"""Characters of a line of a notebook, about."""
_HINT = "`--full` is of the command line. Here `to_dict()` has all of it, and `to_frame(NAME)` each table."


class ShownOnScreen:
    """Something that is told on a screen, and shown so by a notebook where it stands last in a cell."""

    __slots__ = ()
    TOLD_BY: ClassVar[str] = ""
    """The function that makes its document, as `package.module:name`. It is named and not imported: whoever tells something knows what it tells."""

    def screen(self) -> Document:
        """It as it is told on a screen, what matters most first.

        Raises:
            NotImplementedError: if nobody says how: a notebook then prints it in a line.
        """
        if not self.TOLD_BY:
            raise NotImplementedError
        return told_by(self.TOLD_BY, self)

    def _repr_html_(self) -> str:
        from .html import frame

        told = shortened(self.screen(), LINES, _lines)
        hint = sentence(_HINT)
        return frame(Document(told.title, (*told.parts, hint)), _lines(told) + 1)


def told_by(name: str, what: object) -> Document:
    """The document that a function makes of something."""
    told: Document = resolve_name(name)(what)
    return told


def _lines(document: Document) -> int:
    """About how many lines it takes."""
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
