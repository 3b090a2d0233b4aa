"""HTML and SVG as text that is known to be safe, with the headings and tables of a page."""

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
"""What stands in a page as it is. Only this module makes it of texts."""

_EMPTY = frozenset(("meta", "input"))
"""Elements of HTML that have no end."""
_CLOSED = frozenset(("path", "rect", "circle", "line", "use"))
"""Elements of SVG that are closed where they begin, unless they hold something."""


def text(value: str) -> Markup:
    """A text that shows what was written and does nothing; signs that cannot be seen are shown by their number."""
    return Markup(escape(visible(value)))


def own(value: str) -> Markup:
    """A text of this package's own: a style sheet, a script."""
    return Markup(value)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    """Parts that follow each other."""
    return Markup(between.join(parts))


def tag(name: str, /, *content: Markup, **attributes: str | float | None) -> Markup:
    """An element. Attributes of None are left out; `class_` is written `class`, and `aria_label` `aria-label`."""
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
    """A page within a page: nothing of it reaches out of its frame, and no script runs in it."""
    looks = f"width:100%;height:{height}px;border:0"
    return Markup(f'<iframe title="{_value(name)}" style="{looks}" sandbox="" srcdoc="{escape(page)}"></iframe>')


def plain(value: float) -> str:
    """A length in pixels: a tenth of one is as fine as anybody sees."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


_DEEPEST_HEADING = 6
_LISTED = 3
"""Level down to which headings stand in the table of contents."""
_LONG = 32
"""Letters beyond which a heading is listed by what stands before its colon."""


@dataclass(slots=True)
class Outline:
    """What a page has named so far."""

    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str, str]] = field(default_factory=list)
    """Level, id and title."""
    mapped: bool = False
    """Whether there is a map."""

    def fresh(self, name: str) -> str:
        """An id that nothing else on the page has: the name's letters and digits, and a number where it is taken."""
        stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60] or "part"
        found, number = stem, 1
        while found in self.ids:
            number += 1
            found = f"{stem}-{number}"
        self.ids.add(found)
        return found

    def heading(self, level: int, title: str, class_: str | None) -> Markup:
        """A heading, which the table of contents leads to."""
        level = min(level, _DEEPEST_HEADING)
        id_ = self.fresh(title)
        self.headings.append((level, id_, title))
        return tag(f"h{level}", text(title), id=id_, class_=class_)

    def contents(self) -> Markup:
        """The table of contents; nothing where there is but one heading to go to."""
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
"""Characters of a line: what is wider than the page is scrolled."""
_NAMED = 16
"""Columns whose looks the style sheet knows by their number."""
_WORD, _FEW = 30, 8
"""Letters up to which a name that is one word, as an id, is never broken; of a column of such names, in tables of so many columns at most."""
_PAGE, _GAP = 120, 2
"""Letters that a line of a table has room for, in print too, and those between two columns: in a table of more columns names are not broken as long as it fits."""
_HELD = re.compile(r"[^\W_][\w.]*(?:-[\w.]*[^\W_])+|\d[\d.,]* (?:kg|t|%)(?!\w)")
"""A name or a date with hyphens, at which a browser would break it, and a figure with its unit."""
_DEEPEST_ROW = 4
"""Levels of rows that are set in."""


def table(found: doc.DataTable, caption: str) -> Markup:
    """A table in a box that scrolls where the page is narrower. The caption is for whoever cannot see what stands above."""
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
    """Rows whose cells say how they look where the table does not say it for their column."""
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
    """How the cells of each column look. `n`: figures; `w`: what is never broken, as dates and ids."""
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
    """Return the class of a column's cells, whatever the other columns are."""
    if column.align == "right":
        return "n"
    return "w" if column.whole or any(isinstance(cell, date) for cell in cells) else None


def _first(cells: Iterable[doc.Cell], ditto: str) -> Markup:
    """The cell that names its row; where it is left empty because the row above has the same name, that name for whoever does not see this."""
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
    """A sentence, with what is to be typed in it."""
    return joined(phrase(part) if isinstance(part, doc.Phrase) else _whole(part) for part in doc.prose(told))


def _whole(told: str) -> Markup:
    """A text whose names and dates are not broken at their hyphens, nor figures before their units."""
    made, done = [], 0
    for found in _HELD.finditer(told):
        if len(found[0]) <= _WORD:
            made += [text(told[done : found.start()]), tag("i", text(found[0]))]
            done = found.end()
    return joined([*made, text(told[done:])])


def phrase(one: doc.Phrase) -> Markup:
    """A text with its look."""
    shown = text(one.text)
    if one.code:
        shown = tag("code", _whole(one.text))
    if one.strong:
        return tag("strong", shown, class_=tone(one.tone))
    return shown if one.tone is doc.Tone.PLAIN else tag("span", shown, class_=tone(one.tone))


def tone(found: doc.Tone) -> str | None:
    """The class that shows a tone."""
    return None if found in (doc.Tone.PLAIN, doc.Tone.TITLE) else found.value


def value(cell: doc.Cell) -> str | None:
    """Return the value that a cell is sorted by: the figure in full, empty for nothing. None if the cell's text says it."""
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
    """Return a number with as many digits as a script tells apart."""
    return f"{float(number):.15g}"
