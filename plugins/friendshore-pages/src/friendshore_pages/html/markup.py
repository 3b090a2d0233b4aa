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

_VOID_ELEMENTS = frozenset(("meta", "input"))
_SELF_CLOSING = frozenset(("path", "rect", "circle", "line"))
"""SVG elements that close themselves unless they have content."""


def text(plain_text: str) -> Markup:
    """Return escaped text. Invisible characters are shown by their number."""
    return Markup(escape(visible(plain_text)))


def trusted(source: str) -> Markup:
    return Markup(source)


def joined(parts: Iterable[Markup], between: str = "") -> Markup:
    return Markup(between.join(parts))


def tag(name: str, /, *content: Markup, **attributes: str | float | None) -> Markup:
    """Return an element without the attributes that are None. `class_` is written `class`, and `aria_label` `aria-label`."""
    attribute_text = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{_attribute_text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _VOID_ELEMENTS:
        return Markup(f"<{name}{attribute_text}>")
    if name in _SELF_CLOSING and not content:
        return Markup(f"<{name}{attribute_text}/>")
    return Markup(f"<{name}{attribute_text}>{''.join(content)}</{name}>")


def _attribute_text(value: str | float) -> str:
    return escape(visible(value)) if isinstance(value, str) else pixels(value)


def iframe(page: str, name: str, height: int) -> Markup:
    style = f"width:100%;height:{height}px;border:0"
    return Markup(
        f'<iframe title="{_attribute_text(name)}" style="{style}" sandbox="" srcdoc="{escape(page)}"></iframe>'
    )


def pixels(length: float) -> str:
    return f"{round(length, 1) + 0.0:.1f}".removesuffix(".0")


_MAX_HEADING = 6
_MAX_CONTENTS_LEVEL = 3
_MAX_TITLE = 32
"""Letters beyond which the table of contents shows only the part of a heading before its colon."""


@dataclass(slots=True)
class Outline:
    """Ids and headings that a page has so far."""

    ids: set[str] = field(default_factory=set)
    headings: list[tuple[int, str, str]] = field(default_factory=list)

    def new_id(self, name: str) -> str:
        """Return an unused id: the name's letters and digits, with a number if that is taken."""
        stem = "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:60] or "part"
        candidate, number = stem, 1
        while candidate in self.ids:
            number += 1
            candidate = f"{stem}-{number}"
        self.ids.add(candidate)
        return candidate

    def heading(self, level: int, title: str, class_: str | None, *, is_listed: bool = True) -> Markup:
        level = min(level, _MAX_HEADING)
        id_ = self.new_id(title)
        if is_listed:
            self.headings.append((level, id_, title))
        return tag(f"h{level}", text(title), id=id_, class_=class_)

    def contents(self) -> Markup:
        listed = [(level, id_, title) for level, id_, title in self.headings if level <= _MAX_CONTENTS_LEVEL]
        if len(listed) < 2:
            return joined(())
        items = (
            tag("li", tag("a", text(short_title(title)), href=f"#{id_}"), class_=None if level == 2 else "sub")
            for level, id_, title in listed
        )
        heading = tag("summary", text("Contents"))
        return tag("nav", tag("details", heading, tag("ol", joined(items))), aria_label="Contents", class_="contents")


def short_title(title: str) -> str:
    return title.partition(": ")[0] if len(title) > _MAX_TITLE else title


KEY = {
    doc.Tone.CONCERN: "from countries of concern",
    doc.Tone.UNKNOWN: "possibly from countries of concern",
    doc.Tone.PLAIN: "from other countries",
    doc.Tone.BAD: "short",
    doc.Tone.ASIDE: "other",
    doc.Tone.TITLE: "in force",
    doc.Tone.DOUBTFUL: "not proved",
    doc.Tone.GOOD: "met",
    doc.Tone.CHOICE: "chosen",
}
"""Usual meaning of each color, in the order of legends."""


def legend(entries: Iterable[tuple[str, str]]) -> Markup:
    """Return a list of color classes with their meanings."""
    items = [tag("li", tag("b", class_=f"swatch {class_}"), text(meaning)) for class_, meaning in entries]
    return tag("ul", *items, class_="legend") if items else joined(())


_MAX_TABLE_WIDTH = 10_000
_STYLED_COLUMNS = 16
_MAX_WORD, _FEW_COLUMNS = 30, 8
"""Letters of a single-word name, like an id, that is never broken, and the maximum number of columns in such tables."""
_PAGE_WIDTH, _COLUMN_GAP = 120, 2
"""Letters in a line of a table, also in print, and between columns. In wider tables, names aren't broken as long as they fit."""
_UNBREAKABLE = re.compile(r"[^\W_][\w.]*(?:-[\w.]*[^\W_])+|\d[\d.,]* (?:kg|t|%)(?!\w)")
"""A name or date with hyphens, at which a browser would break it, and a figure with its unit."""
_MAX_ROW_LEVEL = 4
_LONG = 40
"""Letters from which a text has a minimum width on phones."""


def table(data: doc.DataTable, caption: str) -> Markup:
    """Return a table in a box that scrolls if the page is narrower. The caption is for readers who can't see the preceding heading."""
    data = fitted(data, _MAX_TABLE_WIDTH)
    classes = _column_classes(data)
    headers = [
        tag("th", text(column.heading), scope="col", class_="n" if column.align == "right" else None)
        for column in data.columns
    ]
    element = tag(
        "table",
        tag("caption", text(caption), class_="unseen"),
        tag("thead", tag("tr", *headers)),
        trusted("\n"),
        tag("tbody", joined(_rows(data, classes), "\n")),
        class_=" ".join(f"{class_}{number}" for number, class_ in enumerate(classes[:_STYLED_COLUMNS], 1) if class_)
        or None,
    )
    box = tag("div", element, class_="scroll", role="group", aria_label=caption, tabindex="0")
    tones = {tone for row in data.rows for cell in row.cells for tone, part in _bar_parts(cell) if part}
    key = legend((f"f-{tone.value}", KEY[tone]) for tone in KEY if tone in tones)
    return joined((key, box, tag("p", content(data.rest)) if isinstance(data.rest, doc.Several) else joined(())))


_BAR_WIDTH, _BAR_HEIGHT = 110.0, 9.0


def _bar_parts(cell: doc.Cell) -> Sequence[tuple[doc.Tone, Decimal]]:
    return cell.parts if isinstance(cell, doc.Amount) else ()


def _bar(cell: doc.Cell, largest: Decimal) -> Markup:
    """Return the parts of an amount as a bar. The cell has the amount in words, so that it is hidden from screen readers."""
    shapes: list[Markup] = []
    x = 0.0
    for tone, part in _bar_parts(cell):
        size = float(part / largest) * _BAR_WIDTH if largest else 0.0
        if size <= 0:
            continue
        shape = f"M{pixels(x)} 0h{pixels(size)}v{pixels(_BAR_HEIGHT)}h-{pixels(size)}z"
        shapes.append(tag("path", d=shape, class_=f"f-{tone.value}"))
        if tone is doc.Tone.UNKNOWN:
            line = f"M{pixels(x)} {pixels(_BAR_HEIGHT / 2)}h{pixels(size)}"
            shapes.append(tag("path", d=line, stroke_width=_BAR_HEIGHT, class_="hatch"))
        x += size
    size_text = f"0 0 {pixels(_BAR_WIDTH)} {pixels(_BAR_HEIGHT)}"
    return tag(
        "svg",
        *shapes,
        viewBox=size_text,
        width=_BAR_WIDTH,
        height=_BAR_HEIGHT,
        class_="bar",
        preserveAspectRatio="none",
        aria_hidden="true",
    )


def _rows(data: doc.DataTable, column_classes: Sequence[str | None]) -> Iterator[Markup]:
    largest = [
        max(
            (sum((part for _, part in _bar_parts(row.cells[n])), Decimal(0)) for row in data.rows if not row.strong),
            default=Decimal(0),
        )
        for n in range(len(data.columns))
    ]
    cell_classes = [None] * len(column_classes[:_STYLED_COLUMNS]) + list(column_classes[_STYLED_COLUMNS:])
    last_name = ""
    for row in data.rows:
        name = written(row.cells[0]) if row.cells else ""
        ditto = "" if name or row.strong or row.level else last_name
        last_name = name if name and not (row.strong or row.level) else last_name
        row_classes = ("strong" if row.strong else "", f"in{min(row.level, _MAX_ROW_LEVEL)}" if row.level else "")
        yield tag(
            "tr",
            _row_header(row.cells[:1], ditto),
            joined(
                _cell(cell, class_, size)
                for cell, class_, size in zip(row.cells[1:], cell_classes[1:], largest[1:], strict=True)
            ),
            class_=" ".join(filter(None, row_classes)) or None,
            data_level=str(row.level) if row.level else None,
        )


def _column_classes(data: doc.DataTable) -> list[str | None]:
    """Return the class of each column's cells: `n` for figures, `w` for unbreakable text such as dates and ids, `t` for long text."""
    cells = [[row.cells[position] for row in data.rows] for position in range(len(data.columns))]
    classes = [_column_class(column, column_cells) for column, column_cells in zip(data.columns, cells, strict=True)]
    classes = [
        "t" if class_ is None and any(len(written(cell)) > _LONG for cell in column_cells) else class_
        for class_, column_cells in zip(classes, cells, strict=True)
    ]
    name_columns = [
        position
        for position, column_cells in enumerate(cells)
        if not classes[position]
        and all(isinstance(cell, str) and " " not in cell and len(cell) <= _MAX_WORD for cell in column_cells)
    ]
    if len(classes) <= _FEW_COLUMNS:
        return ["w" if position in name_columns else class_ for position, class_ in enumerate(classes)]
    column_texts = [
        [column.heading, *map(written, column_cells)] for column, column_cells in zip(data.columns, cells, strict=True)
    ]
    max_widths = [max(map(len, cell_texts)) for cell_texts in column_texts]
    min_widths = [
        width if class_ else doc.longest_word(cell_texts, hyphens=True)
        for cell_texts, width, class_ in zip(column_texts, max_widths, classes, strict=True)
    ]
    room = _PAGE_WIDTH - _COLUMN_GAP * len(classes) - sum(min_widths)
    for position in name_columns:
        extra = max_widths[position] - min_widths[position]
        if extra <= room:
            room -= extra
            classes[position] = "w"
    return classes


def _column_class(column: doc.Column, cells: Iterable[doc.Cell]) -> str | None:
    if column.align == "right":
        return "n"
    return "w" if column.whole or any(isinstance(cell, date) for cell in cells) else None


def _row_header(cells: Iterable[doc.Cell], ditto: str) -> Markup:
    """Return the cell that names its row. If it repeats the name of the row above and is empty, include the name for screen readers."""
    for cell in cells:
        if ditto:
            return tag("th", tag("span", text(ditto), class_="ditto"), scope="row")
        markup = content(cell)
        return tag("th", markup, scope="row", data_v=sort_value(cell)) if markup else tag("td")
    return joined(())


def _cell(cell: doc.Cell, class_: str | None, largest: Decimal) -> Markup:
    markup = content(cell)
    if largest:
        markup = tag("span", _bar(cell, largest), markup, class_="barred")
    return tag("td", markup, class_=class_, data_v=sort_value(cell))


def content(cell: doc.Cell) -> Markup:
    if isinstance(cell, doc.Phrase):
        return phrase(cell)
    return prose(written(cell)) if isinstance(cell, str | doc.Several) else text(written(cell))


def prose(sentence: str) -> Markup:
    return joined(
        phrase(part) if isinstance(part, doc.Phrase) else _with_unbroken_names(part) for part in doc.prose(sentence)
    )


def _with_unbroken_names(plain_text: str) -> Markup:
    markups, end = [], 0
    for match in _UNBREAKABLE.finditer(plain_text):
        if len(match[0]) <= _MAX_WORD:
            markups += [text(plain_text[end : match.start()]), tag("i", text(match[0]))]
            end = match.end()
    return joined([*markups, text(plain_text[end:])])


def phrase(styled: doc.Phrase) -> Markup:
    markup = _with_unbroken_names(styled.text)
    if styled.code:
        markup = tag("code", markup)
    if styled.strong:
        return tag("strong", markup, class_=tone_class(styled.tone))
    return markup if styled.tone is doc.Tone.PLAIN else tag("span", markup, class_=tone_class(styled.tone))


def tone_class(tone: doc.Tone) -> str | None:
    return None if tone in (doc.Tone.PLAIN, doc.Tone.TITLE) else tone.value


def sort_value(cell: doc.Cell) -> str | None:
    """Return the value to sort a cell by: the figure in full, or empty for an empty cell. None if the cell's text is the value."""
    match cell:
        case doc.Amount() | doc.Between() | doc.Kilograms() | doc.Share():
            figure = _figure_text(cell.value)
            return None if figure == written(cell).replace(",", "") else figure
        case doc.Count():
            return str(cell.value) if cell.one else None
        case doc.Nothing():
            return ""
        case str() | doc.Phrase() | doc.Several() | date():
            return None
        case doc.Either(whole):
            return sort_value(whole)
        case _:
            assert_never(cell)


def _figure_text(number: Decimal) -> str:
    """Return a number with the digits that JavaScript can distinguish."""
    return f"{float(number):.15g}"
