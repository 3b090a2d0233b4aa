"""Writing of tables as a workbook. Equal tables give equal bytes, and no text becomes a formula or a link."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from io import BytesIO
from typing import TYPE_CHECKING

from ..errors import InputError
from ..inert import visible
from ..reading import kinds as k
from ..reading.fields import Field
from ..writing import new_workbook

if TYPE_CHECKING:
    import xlsxwriter

NUMBER = r"-?(?:0|[1-9]\d*)(?:\.\d+)?"
LONGEST_TEXT = 32_767
LAST_ROW = 1_048_576
_MAX_DIGITS = 15
_FIRST_YEAR = 1901
"""First safe year. Spreadsheets count days from 1900 and treat that year as a leap year."""
_MAX_WIDTH = 60
_MAX_CHOICES_LENGTH = 255
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_CHOICES_SHEET = "_lists"
_INPUT_COLOR = "#FFF9DB"


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table as text, with the definitions of its columns."""

    name: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    fields: Mapping[str, Field]
    units: Mapping[str, str] = field(default_factory=dict)
    """Column -> unit of its numbers, shown in its head."""
    typed: bool = False
    """True if the text of numbers, shares, and dates may change, but not their meaning. False keeps texts."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Column -> effect of an edit. These columns are colored."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Column -> list of names to choose from."""
    hidden: bool = False

    def head(self, column: str) -> str:
        return f"{column} [{self.units[column]}]" if column in self.units else column


_HEAD = re.compile(r"(.*?)(?: +\[(.+)\])?", re.DOTALL)


def split_head(head: str) -> tuple[str, str]:
    """Return the column and the unit of a head, as `Sheet.head` joins them."""
    match = _HEAD.fullmatch(head)
    assert match is not None
    return match[1], match[2] or ""


def workbook(file: str, sheets: Sequence[Sheet], lists: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """Return the bytes of a workbook. `file` is its name for messages, and `lists` are those that `Sheet.choices` names."""
    stream = BytesIO()
    book = new_workbook(file, stream)
    choices = {name: words for name, words in (lists or {}).items() if words}
    try:
        for sheet in sheets:
            _SheetWriter(book, sheet, choices).write()
        if choices:
            _write_choices(book, choices)
    except ValueError as error:
        fix = "delete the character, or shorten the text"
        raise InputError(f"a workbook can't contain {error}", file, fix=fix, code="FS146") from error
    book.close()
    return stream.getvalue()


def _write_choices(book: xlsxwriter.Workbook, choices: Mapping[str, Sequence[str]]) -> None:
    sheet = book.add_worksheet(_CHOICES_SHEET)
    sheet.hide()
    for column, words in enumerate(choices.values()):
        for row, word in enumerate(words):
            sheet.write_string(row, column, word)


class _SheetWriter:
    def __init__(self, book: xlsxwriter.Workbook, sheet: Sheet, choices: Mapping[str, Sequence[str]]) -> None:
        self._book = book
        self._sheet = sheet
        self._lists = choices
        self._worksheet = book.add_worksheet(sheet.name)
        self._formats: dict[tuple[str, bool], object] = {}

    def write(self) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        if len(sheet.rows) >= LAST_ROW:
            raise ValueError(f"{len(sheet.rows):,} rows in a sheet: `{sheet.name}`")
        if sheet.hidden:
            worksheet.hide()
        else:
            worksheet.freeze_panes(1, 1 if sheet.typed else 0)
            worksheet.set_landscape()
            worksheet.set_paper(9)  # A4
            worksheet.fit_to_pages(1, 0)  # one page wide, any number of pages long
            worksheet.repeat_rows(0)
            worksheet.set_footer("&L&A&RPage &P of &N")
        for position, name in enumerate(sheet.header):
            texts = [row[position] for row in sheet.rows]
            self._write_column(position, name, texts)

    def _write_column(self, position: int, name: str, texts: Sequence[str]) -> None:
        sheet, worksheet = self._sheet, self._worksheet
        field, unit, is_input = sheet.fields.get(name), sheet.units.get(name, ""), name in sheet.inputs
        head = sheet.head(name)
        worksheet.write_string(0, position, _checked(head), self._format("head", is_input))
        for line, text in enumerate(texts, 1):
            if text:
                self._write_cell(line, position, text, field, unit, is_input)
            elif is_input:
                worksheet.write_blank(line, position, None, self._format("General", is_input))
        longest = max(max(map(len, line.split("\n"))) for line in (head, *texts))
        worksheet.set_column(position, position, min(longest + 2, _MAX_WIDTH))
        if field is None:
            return
        note = _note(field) + (f"\n\nEdited: {sheet.inputs[name]}" if is_input else "")
        worksheet.write_comment(0, position, note, {"author": "friendshore", "x_scale": 2.5, "y_scale": 1.6})
        self._add_choices(position, name, field)

    def _add_choices(self, position: int, name: str, field: Field) -> None:
        """Add choices to a column. Other names stay possible, since a cell may contain several."""
        from xlsxwriter.utility import xl_range_abs  # an extra

        words, list_name = field.kind.words, self._sheet.choices.get(name, "")
        rule: dict[str, object] | None = None
        if list_name in self._lists:
            column = list(self._lists).index(list_name)
            cells = xl_range_abs(0, column, len(self._lists[list_name]) - 1, column)
            rule = {"validate": "list", "source": f"='{_CHOICES_SHEET}'!{cells}", "error_type": "warning"}
        elif words and len(",".join(words)) < _MAX_CHOICES_LENGTH:
            rule = {"validate": "list", "source": list(words)}
        if rule is not None:
            self._worksheet.data_validation(1, position, LAST_ROW - 1, position, rule)

    def _write_cell(self, row: int, column: int, text: str, field: Field | None, unit: str, is_input: bool) -> None:
        worksheet = self._worksheet
        number = None if field is None else _number(text, field, unit, self._sheet.typed)
        if number is not None:
            value, number_format = number
            worksheet.write_number(row, column, value, self._format(number_format, is_input))
        elif field is not None and field.kind is k.DATE and _is_day(text):
            day = datetime.fromisoformat(text)
            worksheet.write_datetime(row, column, day, self._format("yyyy-mm-dd", is_input))
        else:
            # `write` would turn `=1` into a formula, and an address into a link.
            worksheet.write_string(row, column, _checked(text), self._format("@", is_input))

    def _format(self, number_format: str, is_input: bool) -> object:
        key = number_format, is_input
        if key not in self._formats:
            color = {"bg_color": _INPUT_COLOR, "border": 1, "border_color": "#D9D9D9"} if is_input else {}
            is_head = number_format == "head"
            style = {"bold": True, "bottom": 1, "text_wrap": False} if is_head else {"num_format": number_format}
            self._formats[key] = self._book.add_format({**color, **style})
        return self._formats[key]


def _number(text: str, field: Field, unit: str, typed: bool) -> tuple[float, str] | None:
    """Return a number and its format if a spreadsheet preserves its text, or only its meaning if it is `typed`."""
    digits = text
    if unit:
        if not text.endswith(f" {unit}"):
            return None
        digits = text.removesuffix(f" {unit}")
    elif not field.kind.number:
        return None
    is_share = typed and not unit and digits.endswith("%")
    digits = digits.removesuffix("%").rstrip() if is_share else digits
    if not re.fullmatch(NUMBER, digits) or len(digits) >= _MAX_DIGITS or digits.startswith("-0") and not float(digits):
        return None
    places = len(digits.partition(".")[2])
    if is_share:
        return float(Decimal(digits) / 100), f"0.{'0' * places}%" if places else "0%"
    if digits.endswith("0") and places:
        return (float(digits), f"0.{'0' * places}") if typed else None
    return float(digits), "General"


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and int(text[:4]) >= _FIRST_YEAR


def _checked(text: str) -> str:
    """Return the text unchanged, or raise a `ValueError` if a cell can't contain it."""
    match = _CONTROL.search(text)
    if match:
        raise ValueError(f"the control character `{visible(match[0])}`")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{len(text):,} characters in a cell")
    return text


def _note(field: Field) -> str:
    example = f" For example: {field.example}" if field.example != "" else ""
    return f"{field.meaning}{'' if field.required else ' May be blank.'}{example}"
