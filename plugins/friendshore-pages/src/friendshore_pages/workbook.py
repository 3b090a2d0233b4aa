"""Documents as workbooks: a sheet per section, figures as numbers with formats, and native charts where possible.

Texts stay texts: none becomes a formula or a link. The same document gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING, assert_never

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import BLANK, figure_text, unit_for, written
from friendshore.inert import visible
from friendshore.writing import new_workbook

if TYPE_CHECKING:
    import xlsxwriter

_NAME = 31
"""Maximum characters of a sheet name."""
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\\']")
"""Characters that sheet names can't contain."""
_LONGEST = 32_767
"""Maximum characters of a cell."""
_WIDEST = 50
"""Maximum characters of a column."""
_ROW = 20
"""Pixels of a row."""
_WIDE, _HIGH, _RUNG = 960, 320, 24
"""Pixels of a chart, and of each bar of a ladder beside its title and scale."""
_PROSE = 110
"""Characters of a line of prose on a sheet without tables."""
_NARROW = 9
"""Default characters of a column."""
_FROZEN = 8
"""Maximum number of frozen rows. Below a chart they would fill the view."""
_A4 = 9
"""Paper code for A4."""
_FIRST, _DATA = "Summary", "Chart data"


def workbook(document: doc.Document, file: str) -> bytes:
    """Return the document as the bytes of a workbook. `file` is its name in messages.

    Raises:
        InputError: If XlsxWriter is not installed.
    """
    document, stream = document.whole(), BytesIO()
    book = new_workbook(file, stream)
    pages = _Pages(book)
    before = [part for part in document.parts if not _is_titled(part)]
    pages.sheet(_FIRST, [doc.Section(document.title, tuple(before))])
    for part in document.parts:
        if isinstance(part, doc.Section) and part.title:
            pages.sheet(part.title, [part])
    pages.finish()
    book.close()
    return stream.getvalue()


def _is_titled(part: doc.Element) -> bool:
    return isinstance(part, doc.Section) and bool(part.title)


class _Pages:
    """The sheets of a workbook in progress."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self._formats: dict[tuple[str, str], object] = {}
        self._names: set[str] = {_DATA.casefold()}
        self.data: list[tuple[object, _Block]] = []
        """Inserted charts, each with its figures."""

    def sheet(self, title: str, parts: Sequence[doc.Element]) -> None:
        """Add a sheet of some parts."""
        sheet = self.book.add_worksheet(self._named(title))
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)  # as wide as a page, and as long as it takes
        sheet.set_footer("&L&A&RPage &P of &N")
        _Page(self, sheet).write(parts)

    def _named(self, title: str) -> str:
        plain = _FORBIDDEN.sub(" ", visible(title)).strip() or "Sheet"
        name, number = plain[:_NAME], 1
        while name.casefold() in self._names:
            number += 1
            name = f"{plain[: _NAME - len(str(number)) - 1]} {number}"
        self._names.add(name.casefold())
        return name

    def look(self, form: str = "General", style: str = "") -> object:
        """Return a cached format. `style` is a name of `_STYLES`."""
        found = self._formats.get((form, style))
        if found is None:
            said = {"num_format": form, "valign": "top", **_STYLES[style]}
            found = self._formats[form, style] = self.book.add_format(said)
        return found

    def finish(self) -> None:
        """Write the figures of all charts, and draw the charts from them."""
        if not self.data:
            return
        sheet = self.book.add_worksheet(_DATA)
        row = 0
        for chart, block in self.data:
            block.write(sheet, row, self.look(style="strong"))
            block.draw(self.book, chart, row)
            row += block.height + 1


_STYLES: Mapping[str, Mapping[str, object]] = {
    "": {},
    "strong": {"bold": True},
    "day": {"align": "left"},
    "right": {"align": "right", "indent": 1},
    "sum": {"bold": True, "align": "right", "indent": 1},
    "prose": {"text_wrap": True},
    "title": {"bold": True, "font_size": 13},
    "head": {"bold": True, "bottom": 1, "bg_color": "#EDF1F5", "text_wrap": True},
    "figures": {"bold": True, "bottom": 1, "bg_color": "#EDF1F5", "text_wrap": True, "align": "right", "indent": 1},
}


class _Block:
    """The figures of one chart in their own rows."""

    def __init__(
        self, title: str, unit: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[Decimal | None]]]
    ):
        self.title, self.unit, self.names, self.rows = title, unit, names, rows
        self.height = len(rows) + 2
        self.held_against = False
        """True if the last series is the reference for the others."""

    def write(self, sheet: xlsxwriter.worksheet.Worksheet, row: int, strong: object) -> None:
        """Write a title, the names of the series, and a row for each label."""
        sheet.write_string(row, 0, _text(self.title), strong)
        sheet.write_string(row + 1, 0, _text(self.unit))
        for column, name in enumerate(self.names, 1):
            sheet.write_string(row + 1, column, _text(name))
        for line, (label, values) in enumerate(self.rows, row + 2):
            sheet.write_string(line, 0, _text(label))
            for column, value in enumerate(values, 1):
                if value is not None:
                    sheet.write_number(line, column, float(value))

    def draw(self, book: xlsxwriter.Workbook, chart: xlsxwriter.chart.Chart, row: int) -> None:
        """Add the series to a chart by their cells, so that a name that begins with `=` is no formula."""
        first, last = row + 2, row + 1 + len(self.rows)
        others = len(self.names) - self.held_against
        for column in range(1, len(self.names) + 1):
            series = {
                "name": [_DATA, row + 1, column],
                "categories": [_DATA, first, 0, last, 0],
                "values": [_DATA, first, column, last, column],
            }
            if column <= others:
                chart.add_series({**series, "gap": 40})
            else:
                line = book.add_chart({"type": "line"})
                line.add_series(series)
                chart.combine(line)
        chart.set_title({"name": [_DATA, row, 0], "name_font": {"size": 11}})
        chart.set_legend({"none": True} if len(self.names) == 1 else {"position": "bottom"})


class _Page:
    """One sheet, written from top to bottom. Each chart is above the table of its figures, so that it is visible without scrolling."""

    def __init__(self, pages: _Pages, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        self._pages, self._sheet = pages, sheet
        self._row = 0
        self._widths: dict[int, int] = {}
        self._prose: list[tuple[int, str]] = []
        """Lines of text with the row of each. Their maximum width is known at the end."""
        self._heads: list[int] = []
        """Row below the head of each table."""

    def write(self, parts: Iterable[doc.Element]) -> None:
        for part in parts:
            self._element(part)
        widths = {column: min(width + 2, _WIDEST) for column, width in self._widths.items()}
        for column, width in (widths or {0: _PROSE}).items():
            self._sheet.set_column(column, column, width)
        last = max(widths, default=0)
        self._write_prose(last, sum(widths.get(column, _NARROW) for column in range(last + 1)) if widths else _PROSE)
        if len(self._heads) == 1:  # of several tables none is the sheet's
            self._sheet.repeat_rows(self._heads[0] - 1)
            if self._heads[0] <= _FROZEN:
                self._sheet.freeze_panes(self._heads[0], 0)

    def _write_prose(self, last: int, width: int) -> None:
        """Write lines of text across the columns of the tables, with the necessary heights."""
        look = self._pages.look(style="prose")
        for row, text in self._prose:
            if last:
                self._sheet.merge_range(row, 0, row, last, "", look)
            self._sheet.write_string(row, 0, text, look)
            lines = sum(-(-max(len(line), 1) // width) for line in text.split("\n"))
            if lines > 1:
                self._sheet.set_row_pixels(row, _ROW * lines)

    def _line(self, *texts: str, style: str = "") -> None:
        if len(texts) == 1 and not style:
            self._prose.append((self._row, _text(texts[0])))
        else:
            for column, text in enumerate(texts):
                self._sheet.write_string(self._row, column, _text(text), self._pages.look(style=style))
                if len(texts) > 1:
                    self._widths[column] = max(self._widths.get(column, 0), len(text))
        self._row += 1

    def _element(self, element: doc.Element) -> None:
        match element:
            case doc.DataTable(rest=rest):
                self._table(element)
                if isinstance(rest, doc.Several):
                    self._line(written(rest))
            case doc.Drawing():
                self._drawing(element)
            case doc.Section(title, parts):
                if title:
                    self._row += bool(self._row)
                    self._line(title, style="title")
                for part in parts:
                    self._element(part)
                    self._row += 1
            case _:
                for line in _lines(element):
                    self._line(*line)

    def _table(self, table: doc.DataTable) -> None:
        for column, head in enumerate(table.columns):
            title = _text(f"{head.over} {head.heading}".strip())
            style = "figures" if head.align == "right" else "head"
            self._sheet.write_string(self._row, column, title, self._pages.look(style=style))
            self._widths[column] = max(self._widths.get(column, 0), len(title))
        self._row += 1
        self._heads.append(self._row)
        units = [_one_unit([row.cells[column] for row in table.rows]) for column in range(len(table.columns))]
        for row in table.rows:
            for column, cell in enumerate(row.cells):
                style = "strong" if row.strong else ""
                if table.columns[column].align == "right":
                    style = "sum" if row.strong else "right"
                self._put(column, cell, style, units[column])
            self._row += 1

    def _put(self, column: int, cell: doc.Cell, style: str, unit: str) -> None:
        """Write a cell of a table by its type: a number, a date, or a text. Masses of a column have one `unit`, so that they can be added."""
        shown = _text(written(cell))
        self._widths[column] = max(self._widths.get(column, 0), *map(len, shown.split("\n")))
        number = _number(cell, unit)
        if isinstance(cell, date):
            look = self._pages.look("yyyy-mm-dd", style or "day")
            self._sheet.write_datetime(self._row, column, datetime.combine(cell, time()), look)
        elif number is not None:
            self._sheet.write_number(self._row, column, float(number[0]), self._pages.look(number[1], style))
        elif shown and shown != BLANK:
            long = not style and len(shown) > _WIDEST
            self._sheet.write_string(self._row, column, shown, self._pages.look(style="prose" if long else style))

    def _drawing(self, drawing: doc.Drawing) -> None:
        self._line(drawing.title, style="strong")
        self._line(drawing.told)
        block = _block(drawing)
        if block is not None and block.rows:
            self._chart(drawing, block)
        self._table(drawing.table)

    def _chart(self, drawing: doc.Drawing, block: _Block) -> None:
        bars = isinstance(drawing.chart, charts.Bars)
        chart = self._pages.book.add_chart({"type": "column", "subtype": "stacked"} if bars else {"type": "bar"})
        if not bars:
            chart.set_y_axis({"reverse": True})  # the first at the top
        high = _HIGH if bars else max(_HIGH // 2, 90 + _RUNG * len(block.rows))
        chart.set_size({"width": _WIDE, "height": high})
        self._sheet.insert_chart(self._row, 0, chart, {"description": _text(drawing.told), "object_position": 3})
        self._pages.data.append((chart, block))
        self._row += -(-high // _ROW) + 1


def _one_unit(cells: Iterable[doc.Cell]) -> str:
    """Return the unit of a column's masses without their own unit."""
    masses = [cell.value for cell in cells if isinstance(cell, doc.Kilograms) and not cell.unit]
    return unit_for(masses) if masses else ""


def _lines(element: doc.Sentence | doc.Notes | doc.Verbatim | doc.Pairs | doc.KeyFigures) -> Iterable[tuple[str, ...]]:
    """Return text in words, one row each."""
    match element:
        case doc.Sentence(phrases):
            return [("".join(one.text if isinstance(one, doc.Phrase) else _prose(one) for one in phrases),)]
        case doc.Notes(texts):
            return [(text.text if isinstance(text, doc.Quoted) else _prose(text),) for text in texts]
        case doc.Verbatim(lines):
            return [(line,) for line in lines]
        case doc.Pairs(rows):
            return [(name, _prose(told)) for name, told in rows]
        case doc.KeyFigures(figures):
            return [(figure.name, figure_text(figure)) for figure in figures]
        case _:
            assert_never(element)


def _block(drawing: doc.Drawing) -> _Block | None:
    """Return the figures of a chart that spreadsheets can draw. None for other charts, whose tables have everything."""
    chart = drawing.chart
    match chart:
        case charts.Bars(labels, series, unit, line):
            shown = [*series, *([line] if line else [])]
            rows = [(label, [one.values[at] for one in shown]) for at, label in enumerate(labels)]
            block = _Block(drawing.title, unit, [one.name for one in shown], rows)
            block.held_against = line is not None
            return block
        case charts.Ladder(rungs, unit):
            targets = any(rung.target is not None for rung in rungs)
            names = [drawing.title, *(["would have to be"] if targets else [])]
            values = [(rung.name, [rung.value, *([rung.target] if targets else [])]) for rung in rungs]
            return _Block(drawing.title, unit, names, values)
        case charts.Flow() | charts.Timeline() | charts.WorldMap():
            return None
        case _:
            assert_never(chart)


def _number(cell: doc.Cell, one: str = "") -> tuple[Decimal | int, str] | None:
    """Return a figure as a number with its format. None for a text or an empty cell. A mass without a unit is in the unit `one`."""
    match cell:
        case doc.Amount(value, currency, form):
            if form != "rounded" and written(cell) == BLANK:
                return None
            plain = "#,##0.00" if form == "cents" else _digits(value)
            plain = f"+{plain};-{plain}" if form != "rounded" else plain
            return value, f'"{currency}" {plain}' if currency and form == "rounded" else plain
        case doc.Kilograms(value, unit, bare, least, per, of):
            if written(cell) == BLANK:
                return None
            told = unit or one or unit_for([value])
            number = value / 1000 if told == "t" else value
            plain = _digits(number)
            plain = f"+{plain};-{plain}" if least is not None else plain
            weighed = "" if bare else f"{told} {of}".rstrip()
            ending = f" {weighed}{f' a {per}' if per else ''}".rstrip()
            return number, ";".join(f'{part}"{ending}"' for part in plain.split(";")) if ending else plain
        case doc.Share(value):
            return value, "0.0%"
        case doc.Count(value, noun):
            return None if noun else (value, "0")
        case doc.Either(whole):
            return _number(whole, one)
        case str() | doc.Phrase() | doc.Between() | doc.Several() | date() | doc.Nothing():
            return None
        case _:
            assert_never(cell)


def _digits(value: Decimal) -> str:
    """Return a format with three significant digits, and the whole integer part."""
    places = max(0, 2 - value.adjusted()) if value else 0
    return "#,##0" + ("." + "0" * min(places, 6) if places else "")


def _prose(told: str) -> str:
    """Return a sentence without the markup of commands, since a cell has a single style."""
    return "".join(part.text if isinstance(part, doc.Phrase) else part for part in doc.prose(told))


def _text(text: str) -> str:
    shown = "\n".join(map(visible, text.split("\n")))
    return shown if len(shown) <= _LONGEST else f"{shown[: _LONGEST - 1]}…"
