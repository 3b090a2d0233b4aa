"""Documents as workbooks, with native charts where possible. No text becomes a formula or a link. Equal documents give equal bytes."""

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

_MAX_SHEET_NAME = 31
_FORBIDDEN = re.compile(r"[\[\]:*?/\\\\']")
_MAX_CELL = 32_767
_MAX_COLUMN = 50
_ROW_HEIGHT = 20
_CHART_WIDTH, _CHART_HEIGHT, _RUNG_HEIGHT = 960, 320, 24
_PROSE_WIDTH = 110
"""Characters of a line of prose on a sheet without tables."""
_DEFAULT_COLUMN = 9
_MAX_FROZEN = 8
"""Maximum number of frozen rows. Below a chart they would fill the view."""
_A4 = 9
_SUMMARY, _CHART_DATA = "Summary", "Chart data"


def workbook(document: doc.Document, file: str) -> bytes:
    """Return the document as the bytes of a workbook. Raises InputError if XlsxWriter isn't installed. `file` is its name in messages."""
    document, stream = document.whole(), BytesIO()
    book = new_workbook(file, stream)
    writer = _WorkbookWriter(book)
    summary_parts = [part for part in document.parts if not _has_title(part)]
    writer.sheet(_SUMMARY, [doc.Section(document.title, tuple(summary_parts))])
    for part in document.parts:
        if isinstance(part, doc.Section) and part.title:
            writer.sheet(part.title, [part])
    writer.finish()
    book.close()
    return stream.getvalue()


def _has_title(part: doc.Element) -> bool:
    return isinstance(part, doc.Section) and bool(part.title)


class _WorkbookWriter:
    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self.book = book
        self._formats: dict[tuple[str, str], object] = {}
        self._names: set[str] = {_CHART_DATA.casefold()}
        self.charts: list[tuple[object, _ChartData]] = []

    def sheet(self, title: str, parts: Sequence[doc.Element]) -> None:
        sheet = self.book.add_worksheet(self._sheet_name(title))
        sheet.set_landscape()
        sheet.set_paper(_A4)
        sheet.fit_to_pages(1, 0)  # as wide as a page, and as long as it takes
        sheet.set_footer("&L&A&RPage &P of &N")
        _SheetWriter(self, sheet).write(parts)

    def _sheet_name(self, title: str) -> str:
        clean = _FORBIDDEN.sub(" ", visible(title)).strip() or "Sheet"
        name, number = clean[:_MAX_SHEET_NAME], 1
        while name.casefold() in self._names:
            number += 1
            name = f"{clean[: _MAX_SHEET_NAME - len(str(number)) - 1]} {number}"
        self._names.add(name.casefold())
        return name

    def format_of(self, number_format: str = "General", style: str = "") -> object:
        cached = self._formats.get((number_format, style))
        if cached is None:
            properties = {"num_format": number_format, "valign": "top", **_STYLES[style]}
            cached = self._formats[number_format, style] = self.book.add_format(properties)
        return cached

    def finish(self) -> None:
        if not self.charts:
            return
        sheet = self.book.add_worksheet(_CHART_DATA)
        row = 0
        for chart, chart_data in self.charts:
            chart_data.write(sheet, row, self.format_of(style="strong"))
            chart_data.draw(self.book, chart, row)
            row += chart_data.height + 1


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


class _ChartData:
    def __init__(
        self, title: str, unit: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[Decimal | None]]]
    ):
        self.title, self.unit, self.names, self.rows = title, unit, names, rows
        self.height = len(rows) + 2
        self.has_comparison = False
        """True if the last series is the reference for the others."""

    def write(self, sheet: xlsxwriter.worksheet.Worksheet, row: int, strong: object) -> None:
        sheet.write_string(row, 0, _cell_text(self.title), strong)
        sheet.write_string(row + 1, 0, _cell_text(self.unit))
        for column, name in enumerate(self.names, 1):
            sheet.write_string(row + 1, column, _cell_text(name))
        for line, (label, values) in enumerate(self.rows, row + 2):
            sheet.write_string(line, 0, _cell_text(label))
            for column, value in enumerate(values, 1):
                if value is not None:
                    sheet.write_number(line, column, float(value))

    def draw(self, book: xlsxwriter.Workbook, chart: xlsxwriter.chart.Chart, row: int) -> None:
        """Add the series to a chart by reference, so that a name starting with `=` can't become a formula."""
        first, last = row + 2, row + 1 + len(self.rows)
        bars = len(self.names) - self.has_comparison
        for column in range(1, len(self.names) + 1):
            series = {
                "name": [_CHART_DATA, row + 1, column],
                "categories": [_CHART_DATA, first, 0, last, 0],
                "values": [_CHART_DATA, first, column, last, column],
            }
            if column <= bars:
                chart.add_series({**series, "gap": 40})
            else:
                line = book.add_chart({"type": "line"})
                line.add_series(series)
                chart.combine(line)
        chart.set_title({"name": [_CHART_DATA, row, 0], "name_font": {"size": 11}})
        chart.set_legend({"none": True} if len(self.names) == 1 else {"position": "bottom"})


class _SheetWriter:
    """One sheet, written from top to bottom. Each chart is above the table of its figures, so that it is visible without scrolling."""

    def __init__(self, workbook: _WorkbookWriter, sheet: xlsxwriter.worksheet.Worksheet) -> None:
        self._workbook, self._sheet = workbook, sheet
        self._row = 0
        self._widths: dict[int, int] = {}
        self._prose: list[tuple[int, str]] = []
        self._rows_below_heads: list[int] = []

    def write(self, parts: Iterable[doc.Element]) -> None:
        for part in parts:
            self._element(part)
        widths = {column: min(width + 2, _MAX_COLUMN) for column, width in self._widths.items()}
        for column, width in (widths or {0: _PROSE_WIDTH}).items():
            self._sheet.set_column(column, column, width)
        last_column = max(widths, default=0)
        self._write_prose(
            last_column,
            sum(widths.get(column, _DEFAULT_COLUMN) for column in range(last_column + 1)) if widths else _PROSE_WIDTH,
        )
        if len(self._rows_below_heads) == 1:  # with several tables, no header applies to the whole sheet
            self._sheet.repeat_rows(self._rows_below_heads[0] - 1)
            if self._rows_below_heads[0] <= _MAX_FROZEN:
                self._sheet.freeze_panes(self._rows_below_heads[0], 0)

    def _write_prose(self, last_column: int, width: int) -> None:
        prose_format = self._workbook.format_of(style="prose")
        for row, text in self._prose:
            if last_column:
                self._sheet.merge_range(row, 0, row, last_column, "", prose_format)
            self._sheet.write_string(row, 0, text, prose_format)
            lines = sum(-(-max(len(line), 1) // width) for line in text.split("\n"))
            if lines > 1:
                self._sheet.set_row_pixels(row, _ROW_HEIGHT * lines)

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
            case doc.Section(title, parts):
                if title:
                    self._row += bool(self._row)
                    self._line(title, style="title")
                for part in parts:
                    self._element(part)
                    self._row += 1
            case _:
                for line in _text_rows(element):
                    self._line(*line)

    def _table(self, table: doc.DataTable) -> None:
        for column, heading in enumerate(table.columns):
            title = _cell_text(f"{heading.over} {heading.heading}".strip())
            style = "figures" if heading.align == "right" else "head"
            self._sheet.write_string(self._row, column, title, self._workbook.format_of(style=style))
            self._widths[column] = max(self._widths.get(column, 0), len(title))
        self._row += 1
        self._rows_below_heads.append(self._row)
        units = [_common_unit([row.cells[column] for row in table.rows]) for column in range(len(table.columns))]
        for row in table.rows:
            for column, cell in enumerate(row.cells):
                style = "strong" if row.strong else ""
                if table.columns[column].align == "right":
                    style = "sum" if row.strong else "right"
                self._put(column, cell, style, units[column])
            self._row += 1

    def _put(self, column: int, cell: doc.Cell, style: str, unit: str) -> None:
        """Write a cell of a table as a number, a date, or a text. Masses of a column share a `unit`, so that they can be added."""
        content = _cell_text(written(cell))
        self._widths[column] = max(self._widths.get(column, 0), *map(len, content.split("\n")))
        number = _number_and_format(cell, unit)
        if isinstance(cell, date):
            date_format = self._workbook.format_of("yyyy-mm-dd", style or "day")
            self._sheet.write_datetime(self._row, column, datetime.combine(cell, time()), date_format)
        elif number is not None:
            self._sheet.write_number(self._row, column, float(number[0]), self._workbook.format_of(number[1], style))
        elif content and content != BLANK:
            is_long = not style and len(content) > _MAX_COLUMN
            self._sheet.write_string(
                self._row, column, content, self._workbook.format_of(style="prose" if is_long else style)
            )

    def _drawing(self, drawing: doc.Drawing) -> None:
        self._line(drawing.title, style="strong")
        self._line(drawing.told)
        chart_data = _chart_data(drawing)
        if chart_data is not None and chart_data.rows:
            self._chart(drawing, chart_data)
        self._table(drawing.table)

    def _chart(self, drawing: doc.Drawing, chart_data: _ChartData) -> None:
        is_bars = isinstance(drawing.chart, charts.Bars)
        chart = self._workbook.book.add_chart({"type": "column", "subtype": "stacked"} if is_bars else {"type": "bar"})
        if not is_bars:
            chart.set_y_axis({"reverse": True})  # the first at the top
        height = _CHART_HEIGHT if is_bars else max(_CHART_HEIGHT // 2, 90 + _RUNG_HEIGHT * len(chart_data.rows))
        chart.set_size({"width": _CHART_WIDTH, "height": height})
        self._sheet.insert_chart(self._row, 0, chart, {"description": _cell_text(drawing.told), "object_position": 3})
        self._workbook.charts.append((chart, chart_data))
        self._row += -(-height // _ROW_HEIGHT) + 1


def _common_unit(cells: Iterable[doc.Cell]) -> str:
    masses = [cell.value for cell in cells if isinstance(cell, doc.Kilograms) and not cell.unit]
    return unit_for(masses) if masses else ""


def _text_rows(
    element: doc.Sentence | doc.Notes | doc.Verbatim | doc.Pairs | doc.KeyFigures,
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
        case doc.KeyFigures(figures):
            return [(figure.name, figure_text(figure)) for figure in figures]
        case _:
            assert_never(element)


def _chart_data(drawing: doc.Drawing) -> _ChartData | None:
    """Return the figures of a chart that spreadsheets can draw. None for other charts, whose tables show everything."""
    chart = drawing.chart
    match chart:
        case charts.Bars(labels, series, unit, line):
            all_series = [*series, *([line] if line else [])]
            rows = [(label, [each.values[position] for each in all_series]) for position, label in enumerate(labels)]
            data = _ChartData(drawing.title, unit, [each.name for each in all_series], rows)
            data.has_comparison = line is not None
            return data
        case charts.Ladder(rungs, unit):
            has_targets = any(rung.target is not None for rung in rungs)
            names = [drawing.title, *(["required"] if has_targets else [])]
            values = [(rung.name, [rung.value, *([rung.target] if has_targets else [])]) for rung in rungs]
            return _ChartData(drawing.title, unit, names, values)
        case charts.Flow() | charts.Timeline() | charts.Curve():
            return None
        case _:
            assert_never(chart)


def _number_and_format(cell: doc.Cell, default_unit: str = "") -> tuple[Decimal | int, str] | None:
    """Return a figure as a number with its format. None for a text or an empty cell. A mass without a unit is in `default_unit`."""
    match cell:
        case doc.Amount(value, currency, form):
            if form != "rounded" and written(cell) == BLANK:
                return None
            digits = "#,##0.00" if form == "cents" else _digits_format(value)
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
            return value, "0.0%"
        case doc.Count(value, noun):
            return None if noun else (value, "0")
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
