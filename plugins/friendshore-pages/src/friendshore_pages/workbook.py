"""Documents as workbooks, with native charts where possible. No text becomes a formula or a link. Equal documents give equal bytes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from io import BytesIO
from itertools import cycle
from textwrap import wrap
from typing import TYPE_CHECKING, Literal, assert_never

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import BLANK, unit_for, written
from friendshore.document.tones import Tone
from friendshore.inert import visible
from friendshore.writing import new_workbook

if TYPE_CHECKING:
    import xlsxwriter

_MAX_SHEET_NAME = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\\']")
_CUT_END = re.compile(r"( (and|between|by|for|from|in|of|on|that|the|to|with))*,? \S*$")
"""End of a cut name: its last, incomplete word and the words before it that need more after them."""
_MAX_CELL = 32_767
_MAX_COLUMN = 50
_ROW_HEIGHT, _TITLE_HEIGHT = 21, 28
"""Heights of rows in pixels. Every row states its own, so not the default of 20: programs measure text differently, which would move rows under charts."""
_CHART_WIDTH, _CHART_HEIGHT, _RUNG_HEIGHT = 720, 300, 24
_MAX_BESIDE = 100
"""Maximum characters of a table whose chart is at its right. The chart of a wider or shorter table is below it."""
_PROSE_WIDTH = 110
"""Characters of a line of prose on a sheet without tables."""
_LETTERS_PER_DIGIT = 1.1
"""Letters of a text in the width of a digit, the unit of columns. A low estimate, so that no line is cut."""
_OWN_SHEET = 12
"""Minimum rows of a table for which its subsection gets a sheet, where its header can be frozen."""
_ONE_SHEET = 40
"""Maximum rows of all tables of an answer that fits on one sheet."""
_MAX_FROZEN = 8
"""Maximum number of frozen rows. More would fill the view."""
_MAX_ROWS_OF_PAGE = 56
"""Maximum rows of a sheet with charts that is printed on one page."""
_A4 = 9
_SUMMARY, _CHART_DATA = "Summary", "Chart data"


def workbook(document: doc.Document, file: str) -> bytes:
    """Return the document as the bytes of a workbook. Raises InputError if XlsxWriter isn't installed. `file` is its name in messages."""
    document, stream = document.whole(), BytesIO()
    book = new_workbook(file, stream)
    writer = _WorkbookWriter(book)
    summary = [part for part in document.parts if not _has_title(part)]
    sections = [part for part in document.parts if isinstance(part, doc.Section) and part.title]
    has_summary = any(isinstance(part, doc.KeyFigures) for part in summary)
    if not has_summary and not _has_chart(sections) and _row_count(sections) <= _ONE_SHEET:
        summary, sections = [*document.parts], []
    writer.write([(_SUMMARY, doc.Section(document.title, tuple(summary))), *_sheets(sections)])
    book.close()
    return stream.getvalue()


def _has_title(part: doc.Element) -> bool:
    return isinstance(part, doc.Section) and bool(part.title)


def _sheets(sections: Iterable[doc.Section]) -> Iterator[tuple[str, doc.Section]]:
    """Yield each section with the name of its sheet. Subsections with a long table follow on sheets of their own."""
    for section in sections:
        own = [part for part in section.parts if isinstance(part, doc.Section) and part.title and _is_long(part)]
        rest = tuple(part for part in section.parts if part not in own)
        if rest:
            yield section.title, replace(section, parts=rest)
        yield from _sheets(own)


def _tables(section: doc.Section) -> Iterator[doc.DataTable]:
    for part in section.parts:
        table = part.table if isinstance(part, doc.Drawing) else part
        if isinstance(table, doc.DataTable):
            yield table


def _is_long(section: doc.Section) -> bool:
    return any(len(table.rows) >= _OWN_SHEET for table in _tables(section))


def _has_chart(elements: Iterable[doc.Element]) -> bool:
    return any(
        _chart_data(each) is not None
        if isinstance(each, doc.Drawing)
        else isinstance(each, doc.Section) and _has_chart(each.parts)
        for each in elements
    )


def _row_count(sections: Iterable[doc.Section]) -> int:
    """Return the rows of all tables. Notes count too."""
    rows = 0
    for section in sections:
        rows += sum(len(table.rows) for table in _tables(section))
        rows += sum(len(part.texts) for part in section.parts if isinstance(part, doc.Notes))
        rows += _row_count(part for part in section.parts if isinstance(part, doc.Section))
    return rows


class _WorkbookWriter:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self._formats: dict[tuple[str, str], object] = {}
        self._names: set[str] = {_CHART_DATA.casefold()}
        self.charts: list[tuple[object, _ChartData]] = []

    def write(self, sections: Iterable[tuple[str, doc.Section]]) -> None:
        """Write a sheet for each section. The first one links to the others."""
        named_sections = [(self._sheet_name(title), section) for title, section in sections]
        sheets = [self.book.add_worksheet(name) for name, _ in named_sections]
        for sheet, (_, section) in zip(sheets, named_sections, strict=True):
            sheet.set_landscape()
            sheet.set_paper(_A4)
            sheet.fit_to_pages(1, 0)  # as wide as a page, and as long as needed
            sheet.set_footer("&L&A&RPage &P of &N")
            sheet.hide_gridlines(2)
            links = [name for name, _ in named_sections[1:]] if sheet is sheets[0] else []
            _SheetWriter(self, sheet).write(section, links)
        self._write_chart_data()

    def _sheet_name(self, title: str) -> str:
        title = visible(title) if len(title) <= _MAX_SHEET_NAME else visible(title).partition(": ")[0]
        clean = _FORBIDDEN.sub(" ", title).strip() or "Sheet"
        name = clean if len(clean) <= _MAX_SHEET_NAME else _CUT_END.sub("", clean[: _MAX_SHEET_NAME + 1])
        name, number = name[:_MAX_SHEET_NAME], 1
        while name.casefold() in self._names:
            number += 1
            name = f"{clean[: _MAX_SHEET_NAME - len(str(number)) - 1]} {number}"
        self._names.add(name.casefold())
        return name

    def format_of(self, number_format: str = "General", style: str = "") -> object:
        cached = self._formats.get((number_format, style))
        if cached is None:
            properties = {"num_format": number_format, "valign": "vcenter", **_STYLES[style]}
            cached = self._formats[number_format, style] = self.book.add_format(properties)
        return cached

    def _write_chart_data(self) -> None:
        if not self.charts:
            return
        sheet = self.book.add_worksheet(_CHART_DATA)
        sheet.set_column(0, max(len(data.names) for _, data in self.charts), 18, self.format_of("#,##0.###"))
        row = 0
        for chart, chart_data in self.charts:
            chart_data.write(sheet, row, self.format_of(style="strong"))
            chart_data.draw(self.book, chart, row)
            row += chart_data.height + 1


_HEADER = {"bold": True, "bottom": 1, "bg_color": "#EDF1F5", "text_wrap": True}
_STYLES: Mapping[str, Mapping[str, object]] = {
    "": {},
    "strong": {"bold": True},
    "day": {"align": "left"},
    "right": {"align": "right", "indent": 1},
    "sum": {"bold": True, "align": "right", "indent": 1},
    "sum day": {"bold": True, "align": "right", "indent": 1},
    "right day": {"align": "right", "indent": 1},
    "strong day": {"bold": True, "align": "left"},
    "top right day": {"valign": "top", "align": "right", "indent": 1},
    "prose": {"text_wrap": True, "valign": "top"},
    "top": {"valign": "top"},
    "top day": {"valign": "top", "align": "left"},
    "top right": {"valign": "top", "align": "right", "indent": 1},
    "title": {"bold": True, "font_size": 14},
    "link": {"font_color": "#1D4F8F", "underline": 1},
    "head": _HEADER,
    "figures": {**_HEADER, "align": "right", "indent": 1},
}
_NEUTRAL = ("#2C6E69", "#5FA39C", "#A5CFCA", "#3F8A83", "#C9E3E0")
_COLORS: Mapping[Tone, Sequence[str]] = {
    Tone.PLAIN: ("#1F5A92", "#5B92C4", "#A4C4E0", "#35759F", "#7FB0D3", "#C8DCEC"),
    Tone.CONCERN: ("#D08A1D", "#E9B863", "#A9690C"),
    Tone.UNKNOWN: ("#9AA3AE",),
    Tone.GOOD: ("#3F8A54",),
    Tone.BAD: ("#B83A2C",),
    Tone.CHOICE: ("#7A4FA3",),
    Tone.ASIDE: ("#CFD4DA",),
}
"""Shades of each tone in the HTML report on white paper."""
_SMALL_SHARES = (Decimal("0.000001"), Decimal("0.001"))
_LARGE_MONEY = '[>=999500000]#,##0.0,,," bn";[>=999500]#,##0,," m";#,##0'


def _colors(tones: Sequence[Tone]) -> list[str]:
    """Return the color of each series. Series of one tone have different shades."""
    shades = {tone: cycle(_COLORS.get(tone, _NEUTRAL)) for tone in tones}
    return [next(shades[tone]) for tone in tones]


@dataclass(slots=True)
class _ChartData:
    """Figures of a chart. `names` and `tones` are those of the series, `rows` have a label and a value per series."""

    title: str
    unit: str
    names: Sequence[str]
    tones: Sequence[Tone]
    rows: Sequence[tuple[str | Decimal, Sequence[Decimal | None]]]
    """Label, or position of a point of a curve, and the values."""
    kind: Literal["column", "bar", "scatter"] = "column"
    x_title: str = ""
    has_comparison: bool = False
    """True if the last series is the reference for the others."""

    @property
    def height(self) -> int:
        return len(self.rows) + 2

    def write(self, sheet: xlsxwriter.worksheet.Worksheet, row: int, strong: object) -> None:
        sheet.write_string(row, 0, _cell_text(self.title), strong)
        sheet.write_string(row + 1, 0, _cell_text(self.unit))
        for column, name in enumerate(self.names, 1):
            sheet.write_string(row + 1, column, _cell_text(name))
        for line, (label, values) in enumerate(self.rows, row + 2):
            if isinstance(label, Decimal):
                sheet.write_number(line, 0, float(label))
            else:
                sheet.write_string(line, 0, _cell_text(label))
            for column, value in enumerate(values, 1):
                if value is not None:
                    sheet.write_number(line, column, float(value))

    def draw(self, book: xlsxwriter.Workbook, chart: xlsxwriter.chart.Chart, row: int) -> None:
        """Add the series to a chart by reference, so that a name starting with `=` can't become a formula."""
        first, last = row + 2, row + 1 + len(self.rows)
        bars = len(self.names) - self.has_comparison
        for column, color in enumerate(_colors(self.tones), 1):
            series = {
                "name": [_CHART_DATA, row + 1, column],
                "categories": [_CHART_DATA, first, 0, last, 0],
                "values": [_CHART_DATA, first, column, last, column],
            }
            if self.kind == "scatter":
                chart.add_series({**series, "line": {"color": color, "width": 2}, "marker": {"type": "none"}})
            elif column <= bars:
                chart.add_series({**series, "gap": 40, "fill": {"color": color}})
            else:
                line = book.add_chart({"type": "line"})
                line.add_series({**series, "line": {"color": "#1B2027", "width": 1.5, "dash_type": "dash"}})
                chart.combine(line)
        chart.set_title({"name": [_CHART_DATA, row, 0], "name_font": {"size": 11}})
        chart.set_legend({"none": True} if len(self.names) == 1 else {"position": "bottom"})
        number_format = _LARGE_MONEY if self.unit.isupper() else "#,##0"
        grid = {"visible": True, "line": {"color": "#D9DDE3", "width": 0.75}}
        values = {"num_format": number_format, "name": _cell_text(self.unit), "major_gridlines": grid}
        if self.kind == "bar":
            chart.set_y_axis({"reverse": True, "interval_unit": 1})  # the first at the top, and each with its name
            chart.set_x_axis(values)
        elif self.kind == "scatter":
            chart.set_x_axis(
                {
                    "reverse": True,
                    "min": 0,
                    "num_format": number_format,
                    "name": _cell_text(self.x_title),
                    "crossing": "max",
                }
            )
            chart.set_y_axis(values)
        else:
            chart.set_y_axis(values)


class _SheetWriter:
    """One sheet, written from top to bottom. A chart is below its table, or at the right of a long one."""

    def __init__(self, workbook: _WorkbookWriter, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        self._workbook, self._sheet = workbook, sheet
        self._row = 0
        self._widths: dict[int, int] = {}
        self._prose: list[tuple[int, str]] = []
        self._wrapped: list[tuple[int, int, str]] = []
        """Row, column, and text of cells of tables that may need several lines."""
        self._heights: dict[int, int] = {}
        self._rows_below_heads: list[int] = []
        self._charts: list[tuple[int, int, object, str]] = []
        """Row, number of columns to the left, chart, and its text for readers who can't see it."""

    def write(self, section: doc.Section, links: Sequence[str]) -> None:
        self._element(section)
        if links:
            self._row += 1
            self._line("Sheets", style="strong")
            for name in links:
                self._sheet.write_url(
                    self._row, 0, f"internal:'{name}'!A1", self._workbook.format_of(style="link"), name
                )
                self._row += 1
        widths = [
            min(self._widths.get(column, 6) + 2, _MAX_COLUMN) for column in range(max(self._widths, default=-1) + 1)
        ]
        for column, width in enumerate(widths or [_PROSE_WIDTH]):
            self._sheet.set_column(column, column, width)
        self._write_prose(len(widths) - 1, sum(widths) or _PROSE_WIDTH)
        for row, column, text in self._wrapped:
            self._make_room(row, text, widths[column])
        for row in range(self._row):
            self._sheet.set_row_pixels(row, self._heights.get(row, _ROW_HEIGHT))
        for row, column, chart, text in self._charts:
            place = {"description": text, "object_position": 3, "x_offset": 20 if column else 0}
            self._sheet.insert_chart(row, column, chart, place)
        if self._charts and self._row <= _MAX_ROWS_OF_PAGE:
            self._sheet.fit_to_pages(1, 1)  # so that no chart is cut
        if len(self._rows_below_heads) == 1:  # with several tables, no header applies to the whole sheet
            self._sheet.repeat_rows(self._rows_below_heads[0] - 1)
            if self._rows_below_heads[0] <= _MAX_FROZEN:
                self._sheet.freeze_panes(self._rows_below_heads[0], 0)

    def _write_prose(self, last_column: int, width: int) -> None:
        prose_format = self._workbook.format_of(style="prose")
        for row, text in self._prose:
            if last_column > 0:
                self._sheet.merge_range(row, 0, row, last_column, "", prose_format)
            self._sheet.write_string(row, 0, text, prose_format)
            self._make_room(row, text, width)

    def _make_room(self, row: int, text: str, width: int) -> None:
        width = int(width * _LETTERS_PER_DIGIT)
        lines = sum(len(wrap(line, width)) or 1 for line in text.split("\n"))
        self._heights[row] = max(self._heights.get(row, 0), _ROW_HEIGHT * lines)

    def _line(self, *texts: str, style: str = "") -> None:
        if len(texts) == 1 and not style:
            self._prose.append((self._row, _cell_text(texts[0])))
        else:
            for column, text in enumerate(texts):
                self._sheet.write_string(self._row, column, _cell_text(text), self._workbook.format_of(style=style))
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
            case doc.KeyFigures(figures):
                for figure in figures:
                    self._figure(figure)
            case doc.Section(title, parts):
                if title:
                    self._row += bool(self._row)
                    self._heights[self._row] = _TITLE_HEIGHT
                    self._line(title, style="title")
                for part in parts:
                    self._element(part)
                    self._row += 1
            case _:
                for line in _text_rows(element):
                    self._line(*line)

    def _figure(self, figure: doc.KeyFigure) -> None:
        """Write the name of a key figure, its value as a number if it is one, and a note."""
        for column, cell in enumerate((figure.name, figure.value, figure.aside)):
            self._put(column, cell, "right" if column == 1 else "", "")
        self._row += 1

    def _table(self, table: doc.DataTable) -> None:
        head_row = self._row
        headings = _unique_headings(table)
        for column, title in enumerate(headings):
            self._widths[column] = max(self._widths.get(column, 0), min(len(title), 24))
            self._wrapped.append((self._row, column, title))
        self._row += 1
        self._rows_below_heads.append(self._row)
        units = [_common_unit([row.cells[column] for row in table.rows]) for column in range(len(table.columns))]
        for row in table.rows:
            is_tall = not row.strong and any(_is_wrapped(_cell_text(written(cell))) for cell in row.cells)
            for column, cell in enumerate(row.cells):
                self._put(column, cell, _style(table.columns[column], row, is_tall=is_tall), units[column])
            self._row += 1
        styles = ("figures" if column.align == "right" else "head" for column in table.columns)
        formats = [self._workbook.format_of(style=style) for style in styles]
        if len(table.rows) > 1:
            columns = [{"header": title, "header_format": form} for title, form in zip(headings, formats, strict=True)]
            self._sheet.add_table(head_row, 0, self._row - 1, len(headings) - 1, {"columns": columns, "style": None})
        else:
            for column, (title, form) in enumerate(zip(headings, formats, strict=True)):
                self._sheet.write_string(head_row, column, title, form)

    def _put(self, column: int, cell: doc.Cell, style: str, unit: str) -> None:
        """Write a cell of a table as a number, a date, or a text. Masses of a column share a `unit`, so that they can be added."""
        content = _cell_text(written(cell))
        number = _number_and_format(cell, unit)
        self._widths[column] = max(self._widths.get(column, 0), *map(len, content.split("\n")))
        if isinstance(cell, date):
            date_format = self._workbook.format_of("yyyy-mm-dd", f"{style} day".strip())
            self._sheet.write_datetime(self._row, column, datetime.combine(cell, time()), date_format)
        elif number is not None:
            number_format = ";".join(f"{part}_)" for part in number[1].split(";"))
            self._sheet.write_number(
                self._row, column, float(number[0]), self._workbook.format_of(number_format, style)
            )
        elif content and content != BLANK:
            is_wrapped = style in ("", "top") and _is_wrapped(content)
            text_format = self._workbook.format_of(style="prose" if is_wrapped else style)
            self._sheet.write_string(self._row, column, content, text_format)
            if is_wrapped:
                self._wrapped.append((self._row, column, content))

    def _drawing(self, drawing: doc.Drawing) -> None:
        self._line(drawing.title, style="strong")
        self._line(drawing.description)
        first_row = self._row
        self._table(drawing.table)
        chart_data = _chart_data(drawing)
        if chart_data is not None and chart_data.rows:
            self._chart(drawing, chart_data, first_row)

    def _chart(self, drawing: doc.Drawing, chart_data: _ChartData, first_row: int) -> None:
        subtype = {"column": {"subtype": "stacked"}, "scatter": {"subtype": "straight"}}.get(chart_data.kind, {})
        chart = self._workbook.book.add_chart({"type": chart_data.kind, **subtype})
        is_bar = chart_data.kind == "bar"
        height = _CHART_HEIGHT if not is_bar else max(_CHART_HEIGHT // 2, 90 + _RUNG_HEIGHT * len(chart_data.rows))
        chart.set_size({"width": _CHART_WIDTH, "height": height})
        columns = len(drawing.table.columns)
        width = sum(min(self._widths[column] + 2, _MAX_COLUMN) for column in range(columns))
        is_beside = width <= _MAX_BESIDE and (self._row - first_row) * _ROW_HEIGHT > height
        row = first_row if is_beside else self._row + 1
        self._charts.append((row, columns if is_beside else 0, chart, _cell_text(drawing.description)))
        self._workbook.charts.append((chart, chart_data))
        self._row = max(self._row, row + -(-height // _ROW_HEIGHT) + 1)


def _is_wrapped(content: str) -> bool:
    return len(content) > _MAX_COLUMN or "\n" in content


def _style(column: doc.Column, row: doc.DataRow, *, is_tall: bool) -> str:
    """Return the style of a cell. In a row with several lines, cells are at the top."""
    is_right = column.align == "right"
    if row.strong:
        return "sum" if is_right else "strong"
    return f"{'top ' if is_tall else ''}{'right' if is_right else ''}".rstrip()


def _unique_headings(table: doc.DataTable) -> list[str]:
    """Return the headings as a spreadsheet's table requires them: not empty, and each once."""
    headings: dict[str, str] = {}
    for heading in table.columns:
        text = title = _cell_text(f"{heading.over} {heading.heading}".strip()) or "–"
        number = 1
        while title.casefold() in headings:
            number += 1
            title = f"{text} {number}"
        headings[title.casefold()] = title
    return list(headings.values())


def _common_unit(cells: Iterable[doc.Cell]) -> str:
    masses = [cell.value for cell in cells if isinstance(cell, doc.Kilograms) and not cell.unit]
    return unit_for(masses) if masses else ""


def _text_rows(
    element: doc.Sentence | doc.Notes | doc.Verbatim | doc.Pairs,
) -> Iterable[tuple[str, ...]]:
    match element:
        case doc.Sentence(phrases):
            return [("".join(part.text if isinstance(part, doc.Phrase) else _plain_prose(part) for part in phrases),)]
        case doc.Notes(texts):
            return [(text.text if isinstance(text, doc.Quoted) else _plain_prose(text),) for text in texts]
        case doc.Verbatim(lines):
            return [(line,) for line in lines]
        case doc.Pairs(rows):
            return [(name, _plain_prose(value)) for name, value in rows]
        case _:
            assert_never(element)


def _chart_data(drawing: doc.Drawing) -> _ChartData | None:
    """Return the figures of a chart that spreadsheets can draw. None for other charts, whose tables show everything."""
    chart = drawing.chart
    match chart:
        case charts.Bars(labels, series, unit, line):
            shown = [*series, *([line] if line else [])]
            rows = [(label, [each.values[position] for each in shown]) for position, label in enumerate(labels)]
            names, tones = [each.name for each in shown], [each.tone for each in shown]
            return _ChartData(drawing.title, unit, names, tones, rows, has_comparison=line is not None)
        case charts.Ladder(rungs, unit):
            has_targets = any(rung.target is not None for rung in rungs)
            names = [drawing.title, *(["required"] if has_targets else [])]
            values = [(rung.name, [rung.value, *([rung.target] if has_targets else [])]) for rung in rungs]
            return _ChartData(drawing.title, unit, names, [Tone.PLAIN] * len(names), values, "bar")
        case charts.Curve(x, x_title, _, series, unit):
            points = [[each.values[place] for each in series] for place in range(len(x))]
            totals = [(at, [sum(values, Decimal(0)), *values]) for at, values in zip(x, points, strict=True)]
            tones = [Tone.TITLE, *(each.tone for each in series)]
            names = ["all", *(each.name for each in series)]
            return _ChartData(drawing.title, unit, names, tones, totals, "scatter", x_title)
        case charts.Flow() | charts.Timeline():
            return None
        case _:
            assert_never(chart)


def _number_and_format(cell: doc.Cell, default_unit: str = "") -> tuple[Decimal | int, str] | None:
    """Return a figure as a number with its format. None for a text or an empty cell. A mass without a unit is in `default_unit`."""
    match cell:
        case doc.Amount(value, currency, form):
            if form != "rounded" and written(cell) == BLANK:
                return None
            digits = "#,##0.00" if form == "cents" or 1 <= abs(value) < 100 else _digits_format(value)
            digits = f"+{digits};-{digits}" if form != "rounded" else digits
            return value, f'"{currency}" {digits}' if currency and form == "rounded" else digits
        case doc.Kilograms(value, unit, bare, least, per, of):
            if written(cell) == BLANK:
                return None
            shown_unit = unit or default_unit or unit_for([value])
            number = value / 1000 if shown_unit == "t" else value
            digits = _digits_format(number)
            digits = f"+{digits};-{digits}" if least is not None else digits
            unit_text = "" if bare else f"{shown_unit} {of}".rstrip()
            ending = f" {unit_text}{f' a {per}' if per else ''}".rstrip()
            return number, ";".join(f'{part}"{ending}"' for part in digits.split(";")) if ending else digits
        case doc.Share(value):
            return value, "0.0000%" if _SMALL_SHARES[0] < abs(value) < _SMALL_SHARES[1] else "0.0%"
        case doc.Count(value, noun):
            ending = written(cell).removeprefix(f"{value:,}")
            return value, f'#,##0"{ending}"' if noun and ending.replace(" ", "").isalpha() else "0"
        case doc.Phrase(value=Decimal() as value):
            return value, _digits_format(value)
        case doc.Either(whole):
            return _number_and_format(whole, default_unit)
        case str() | doc.Phrase() | doc.Between() | doc.Several() | date() | doc.Nothing():
            return None
        case _:
            assert_never(cell)


def _digits_format(value: Decimal) -> str:
    """Return a format with three significant digits and all digits before the point."""
    places = max(0, 2 - value.adjusted()) if value else 0
    return "#,##0" + ("." + "0" * min(places, 6) if places else "")


def _plain_prose(sentence: str) -> str:
    """Return a sentence without the markup of commands, since a cell has a single style."""
    return "".join(part.text if isinstance(part, doc.Phrase) else part for part in doc.prose(sentence))


def _cell_text(text: str) -> str:
    visible_text = "\n".join(map(visible, text.split("\n")))
    return visible_text if len(visible_text) <= _MAX_CELL else f"{visible_text[: _MAX_CELL - 1]}…"
