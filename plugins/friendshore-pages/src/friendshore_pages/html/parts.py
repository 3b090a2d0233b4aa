"""The elements of a document as elements of a page."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from friendshore.document import elements as doc
from friendshore.document.figures import headline

from .drawing import drawing
from .markup import Markup, joined, tag, text
from .outline import Outline
from .tables import phrase, prose, table, tone

_ABREAST = 5
"""Key figures for which a page is wide enough."""


def parts(found: Iterable[doc.Element], level: int, under: str, outline: Outline) -> Iterator[Markup]:
    """Elements below a heading `under`, whose own headings are of `level`."""
    tables = 0
    for part in found:
        if isinstance(part, doc.DataTable):
            tables += 1
            yield table(part, f"{under}, table {tables}" if tables > 1 else under)
        elif made := _element(part, level, under, outline):
            yield made


def _element(element: doc.Element, level: int, under: str, outline: Outline) -> Markup:
    match element:
        case doc.Sentence(phrases):
            return tag("p", joined(phrase(part) if isinstance(part, doc.Phrase) else prose(part) for part in phrases))
        case doc.Notes(texts, tone_):
            return tag("ul", joined(map(_note, texts)), class_=f"notes {tone(tone_) or ''}".strip())
        case doc.Verbatim(lines):
            return tag("pre", joined(map(text, lines), "\n"), tabindex="0")
        case doc.Pairs(rows):
            return tag("dl", joined(_pair(name, told) for name, told in rows), class_="pairs")
        case doc.KeyFigures(figures):
            return tag("dl", joined(map(_key_figure, figures)), class_=f"key k{_abreast(len(figures))}")
        case doc.DataTable():
            return table(element, under)
        case doc.Drawing():
            return drawing(element, outline)
        case doc.Section():
            return _section(element, level, under, outline)
        case _:
            assert_never(element)


def _section(section: doc.Section, level: int, under: str, outline: Outline) -> Markup:
    if not section.title:
        return tag("div", joined(parts(section.parts, level, under, outline), "\n"), class_="apart")
    place = len(outline.headings)
    heading = outline.heading(level, section.title, tone(section.tone))
    body = joined(parts(section.parts, level + 1, section.title, outline), "\n")
    if not body:
        del outline.headings[place:]
        return body
    return tag("section", heading, body)


def _note(note: str | doc.Quoted) -> Markup:
    if isinstance(note, str):
        return tag("li", prose(note))
    return tag("li", tag("span", joined(map(text, note.text.split("\n")), "\n"), class_="quoted"))


def _pair(name: str, told: str) -> Markup:
    return tag("div", tag("dt", text(name)), tag("dd", prose(told)))


def _abreast(figures: int) -> int:
    """How many stand beside each other: no more than five, and no row with a gap that another number would fill."""
    rows = -(-figures // _ABREAST)
    return -(-figures // max(1, rows))


def _key_figure(figure: doc.KeyFigure) -> Markup:
    aside = tag("dd", text(figure.aside), class_="aside") if figure.aside else joined(())
    shown = tag("dd", text(headline(figure)))
    return tag("div", tag("dt", text(figure.name)), shown, aside, class_=tone(figure.tone))
