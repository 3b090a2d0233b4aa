"""HTML and SVG as safe text, with the headings and tables of a page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from html import escape
from typing import NewType, assert_never

from friendshore.document import elements as doc
from friendshore.document.excerpts import fitted
from friendshore.document.figures import written
from friendshore.inert import visible

Markup = NewType("Markup", str)
"""Text inserted into a page unchanged. Only this module creates it from strings."""

_EMPTY = frozenset(("meta", "input"))
"""HTML elements without an end tag."""
_CLOSED = frozenset(("path", "rect", "circle", "line", "use"))
"""SVG elements that close themselves unless they have content."""


def text(value: str) -> Markup:
    """Return a text that shows its characters and has no other effect. Invisible characters are shown by their number."""
    return Markup(escape(visible(value)))


def own(value: str) -> Markup:
    """Return a text of this package: a style sheet or a script."""
    return Markup(value)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Return concatenated parts."""
    return Markup(between.join(parts))


def tag(name: str, /, *content: Markup, **attributes: str | float | None) -> Markup:
    """Return an element. Attributes of None are left out. `class_` is written `class`, and `aria_label` `aria-label`."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_value(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY:
        return Markup(f"<{name}{written}>")
    if name in _CLOSED and not content:
        return Markup(f"<{name}{written}/>")
    return Markup(f"<{name}{written}>{''.join(content)}</{name}>")


def _value(value: str | float) -> str:
    return escape(visible(value)) if isinstance(value, str) else plain(value)


def framed(page: str, name: str, height: int) -> Markup:
    """Return a page within a page, confined to its frame and without scripts."""
    looks = f"width:100%;height:{height}px;border:0"
    return Markup(f'<iframe title="{_value(name)}" style="{looks}" sandbox="" srcdoc="{escape(page)}"></iframe>')


def plain(value: float) -> str:
    """Return a length in pixels, to the visible tenth of one."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


_DEEPEST_HEADING = 6
_LISTED = 3
"""Maximum level of headings in the table of contents."""
_LONG = 32
"""Letters beyond which the table of contents shows only the part of a heading before its colon."""


@dataclass(slots=True)
class Outline:
    """Names on a page so far."""

    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    """Level, id, and title."""
    mapped: bool = False
    """True if there is a map."""

    def fresh(self, name: str) -> str:
        """Return an unused id: the name's letters and digits, with a number if that is taken."""
        stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60] or "part"
        found, number = stem, 1
        while found in self.ids:
            number += 1
            found = f"{stem}-{number}"
        self.ids.add(found)
        return found

    def heading(self, level: int, title: str, class_: str | None) -> Markup:
        """Return a heading that the table of contents links to."""
        level = min(level, _DEEPEST_HEADING)
        id_ = self.fresh(title)
        self.headings.append((level, id_, title))
        return tag(f"h{level}", text(title), id=id_, class_=class_)

    def contents(self) -> Markup:
        """Return the table of contents. Empty if there is only one heading."""
        listed = [(level, id_, title) for level, id_, title in self.headings if level <= _LISTED]
        if len(listed) < 2:
            return joined(())
        items = (
            tag("li", tag("a", text(_short(title)), href=f"#{id_}"), class_=None if level == 2 else "sub")
            for level, id_, title in listed
        )
        heading = tag("h2", text("Contents"), id=self.fresh("contents"))
        return tag("nav", heading, tag("ol", joined(items)), aria_label="Contents", class_="contents")


def _short(title: str) -> str:
    return title.partition(": ")[0] if len(title) > _LONG else title


_WIDTH = 10_000
"""Maximum characters of a line. Wider content scrolls."""
_NAMED = 16
"""Number of columns whose styles the style sheet has."""
_WORD, _FEW = 30, 8
"""Letters of a single-word name, like an id, that is never broken, and the maximum number of columns in such tables."""
_PAGE, _GAP = 120, 2
"""Letters in a line of a table, also in print, and between columns. In wider tables, names aren't broken as long as they fit."""
_HELD = re.compile(r"[^\W_][\w.]*(?:-[\w.]*[^\W_])+|\d[\d.,]* (?:kg|t|%)(?!\w)")
"""A name or date with hyphens, at which a browser would break it, and a figure with its unit."""
_DEEPEST_ROW = 4
"""Maximum number of indented levels of rows."""


def table(found: doc.DataTable, caption: str) -> Markup:
    """Return a table in a box that scrolls if the page is narrower. The caption is for readers who can't see the preceding heading."""
    found = fitted(found, _WIDTH)
    looks = _looks(found)
    heads = [
        tag("th", text(column.heading), scope="col", class_="n" if column.align == "right" else None)
        for column in found.columns
    ]
    made = tag(
        "table",
        tag("caption", text(caption), class_="unseen"),
        tag("thead", tag("tr", *heads)),
        own("\n"),
        tag("tbody", joined(_rows(found, looks), "\n")),
        class_=" ".join(f"{look}{place}" for place, look in enumerate(looks[:_NAMED], 1) if look) or None,
    )
    box = tag("div", made, class_="scroll", role="group", aria_label=caption, tabindex="0")
    return joined((box, tag("p", content(found.rest)))) if isinstance(found.rest, doc.Several) else box


def _rows(found: doc.DataTable, columns: Sequence[str | None]) -> Iterator[Markup]:
    """Yield rows. Cells have a style unless the table defines it for their column."""
    classes = [None] * len(columns[:_NAMED]) + list(columns[_NAMED:])
    named = ""
    for row in found.rows:
        first = written(row.cells[0]) if row.cells else ""
        ditto = "" if first or row.strong or row.level else named
        named = first if first and not (row.strong or row.level) else named
        looks = ("strong" if row.strong else "", f"in{min(row.level, _DEEPEST_ROW)}" if row.level else "")
        yield tag(
            "tr",
            _first(row.cells[:1], ditto),
            joined(_cell(cell, class_) for cell, class_ in zip(row.cells[1:], classes[1:], strict=True)),
            class_=" ".join(filter(None, looks)) or None,
            data_level=str(row.level) if row.level else None,
        )


def _looks(found: doc.DataTable) -> list[str | None]:
    """Return the style of each column's cells. `n` is for figures, and `w` for unbreakable text like dates and ids."""
    cells = [[row.cells[place] for row in found.rows] for place in range(len(found.columns))]
    looks = [_look(column, inside) for column, inside in zip(found.columns, cells, strict=True)]
    names = [
        place
        for place, inside in enumerate(cells)
        if not looks[place] and all(isinstance(cell, str) and " " not in cell and len(cell) <= _WORD for cell in inside)
    ]
    if len(looks) <= _FEW:
        return ["w" if place in names else look for place, look in enumerate(looks)]
    texts = [[column.heading, *map(written, inside)] for column, inside in zip(found.columns, cells, strict=True)]
    most = [max(map(len, told)) for told in texts]
    least = [
        width if look else doc.longest_word(told, hyphens=True)
        for told, width, look in zip(texts, most, looks, strict=True)
    ]
    left = _PAGE - _GAP * len(looks) - sum(least)
    for place in names:
        more = most[place] - least[place]
        if more <= left:
            left -= more
            looks[place] = "w"
    return looks


def _look(column: doc.Column, cells: Iterable[doc.Cell]) -> str | None:
    """Return the class of a column's cells, independent of the other columns."""
    if column.align == "right":
        return "n"
    return "w" if column.whole or any(isinstance(cell, date) for cell in cells) else None


def _first(cells: Iterable[doc.Cell], ditto: str) -> Markup:
    """Return the cell that names its row. If it is empty because the row above has the same name, include the name for screen readers."""
    for cell in cells:
        if ditto:
            return tag("th", tag("span", text(ditto), class_="ditto"), scope="row")
        shown = content(cell)
        return tag("th", shown, scope="row", data_v=value(cell)) if shown else tag("td")
    return joined(())


def _cell(cell: doc.Cell, class_: str | None) -> Markup:
    return tag("td", content(cell), class_=class_, data_v=value(cell))


def content(cell: doc.Cell) -> Markup:
    """Return the content of a cell."""
    if isinstance(cell, doc.Phrase):
        return phrase(cell)
    return prose(written(cell)) if isinstance(cell, str | doc.Several) else text(written(cell))


def prose(told: str) -> Markup:
    """Return a sentence with its commands."""
    return joined(phrase(part) if isinstance(part, doc.Phrase) else _whole(part) for part in doc.prose(told))


def _whole(told: str) -> Markup:
    """Return a text without breaks at hyphens of names and dates, and before units."""
    made, done = [], 0
    for found in _HELD.finditer(told):
        if len(found[0]) <= _WORD:
            made += [text(told[done : found.start()]), tag("i", text(found[0]))]
            done = found.end()
    return joined([*made, text(told[done:])])


def phrase(one: doc.Phrase) -> Markup:
    """Return a text with its style."""
    shown = text(one.text)
    if one.code:
        shown = tag("code", _whole(one.text))
    if one.strong:
        return tag("strong", shown, class_=tone(one.tone))
    return shown if one.tone is doc.Tone.PLAIN else tag("span", shown, class_=tone(one.tone))


def tone(found: doc.Tone) -> str | None:
    """Return the class of a tone."""
    return None if found in (doc.Tone.PLAIN, doc.Tone.TITLE) else found.value


def value(cell: doc.Cell) -> str | None:
    """Return the value to sort a cell by: the figure in full, or empty for an empty cell. None if the cell's text is the value."""
    match cell:
        case doc.Amount() | doc.Between() | doc.Kilograms() | doc.Share():
            figure = _figure(cell.value)
            return None if figure == written(cell).replace(",", "") else figure
        case doc.Count():
            return str(cell.value) if cell.one else None
        case doc.Nothing():
            return ""
        case str() | doc.Phrase() | doc.Several() | date():
            return None
        case doc.Either(whole):
            return value(whole)
        case _:
            assert_never(cell)


def _figure(number: Decimal) -> str:
    """Return a number with the digits that a script can distinguish."""
    return f"{float(number):.15g}"
