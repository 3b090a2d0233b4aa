"""Tables as sheets of a workbook, with typed cells, choices for columns of few words, and a note on each head.

Equal tables give equal bytes. No text becomes a formula or a link.
"""

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
"""Syntax of a number."""
LONGEST_TEXT = 32_767
"""Maximum characters of a cell."""
LAST_ROW = 1_048_576
_DIGITS = 15
"""Significant digits of a number in spreadsheets."""
_FIRST_YEAR = 1901
"""First safe year. Spreadsheets count days from 1900 and treat that year as a leap year."""
_WIDEST = 60
"""Maximum width of a column in characters."""
_LONGEST_LIST = 255
"""Maximum characters of choices inside a cell's rule."""
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters that XML doesn't allow."""
_LISTS = "_lists"
"""Hidden sheet with longer lists of choices."""
_INPUT = "#FFF9DB"
"""Color of editable cells."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table to write."""

    name: str
    header: Sequence[str]
    """Names of its columns."""
    rows: Sequence[Sequence[str]]
    """Text of each cell, as in a CSV file."""
    fields: Mapping[str, Field]
    """Definition of each column."""
    units: Mapping[str, str] = field(default_factory=dict)
    """Column -> unit in its head, in which its numbers are. Without units, numbers keep their texts."""
    typed: bool = False
    """True if numbers, shares, and dates may be written differently with the same meaning. False to keep texts."""
    inputs: Mapping[str, str] = field(default_factory=dict)
    """Column -> effect of an edit. These columns are colored."""
    choices: Mapping[str, str] = field(default_factory=dict)
    """Column -> list of names to choose from."""
    hidden: bool = False

    def head(self, column: str) -> str:
        """Return the text of a column's head."""
        return f"{column} [{self.units[column]}]" if column in self.units else column


_HEAD = re.compile(r"(.*?)(?: +\[(.+)\])?", re.DOTALL)


def split_head(head: str) -> tuple[str, str]:
    """Return the column and the unit of a head, as `Sheet.head` joins them."""
    match = _HEAD.fullmatch(head)
    assert match is not None
    return match[1], match[2] or ""


def workbook(file: str, sheets: Sequence[Sheet], lists: Mapping[str, Sequence[str]] | None = None) -> bytes:
    """The bytes of a workbook.

    Args:
        file: what it is called, for messages.
        sheets: in their order.
        lists: names that columns offer to choose from, by what they are names of.

    Raises:
        InputError: if XlsxWriter is not installed, or a cell holds what no workbook can.
    """
    stream = BytesIO()
    book = new_workbook(file, stream)
    named = {name: words for name, words in (lists or {}).items() if words}
    try:
        for sheet in sheets:
            _Writer(book, sheet, named, list(named)).write()
        if named:
            _write_lists(book, named)
    except ValueError as error:
        raise InputError(f"no workbook can hold {error}", file, fix="delete the sign, or shorten the text") from error
    book.close()
    return stream.getvalue()


def _write_lists(book: xlsxwriter.Workbook, named: Mapping[str, Sequence[str]]) -> None:
    sheet = book.add_worksheet(_LISTS)
    sheet.hide()
    for column, words in enumerate(named.values()):
        for row, word in enumerate(words):
            sheet.write_string(row, column, word)


class _Writer:
    """Writer of one sheet."""

    def __init__(
        self, book: xlsxwriter.Workbook, sheet: Sheet, lists: Mapping[str, Sequence[str]], order: Sequence[str]
    ) -> None:
        self._book = book
        self._sheet = sheet
        self._lists = lists
        self._order = order
        self._written = book.add_worksheet(sheet.name)
        self._formats: dict[tuple[str, bool], object] = {}

    def write(self) -> None:
        sheet, written = self._sheet, self._written
        if len(sheet.rows) >= LAST_ROW:
            raise ValueError(f"{len(sheet.rows):,} rows in a sheet: `{sheet.name}`")
        if sheet.hidden:
            written.hide()
        else:
            written.freeze_panes(1, 1 if sheet.typed else 0)
            written.set_landscape()
            written.set_paper(9)  # A4
            written.fit_to_pages(1, 0)  # as wide as a page, and as long as it takes
            written.repeat_rows(0)
            written.set_footer("&L&A&RPage &P of &N")
        for position, name in enumerate(sheet.header):
            texts = [row[position] for row in sheet.rows]
            self._column(position, name, texts)

    def _column(self, position: int, name: str, texts: Sequence[str]) -> None:
        sheet, written = self._sheet, self._written
        said, unit, edited = sheet.fields.get(name), sheet.units.get(name, ""), name in sheet.inputs
        head = sheet.head(name)
        written.write_string(0, position, _fit(head), self._format("head", edited))
        for line, text in enumerate(texts, 1):
            if text:
                self._cell(line, position, text, said, unit, edited)
            elif edited:
                written.write_blank(line, position, None, self._format("General", edited))
        longest = max(max(map(len, line.split("\n"))) for line in (head, *texts))
        written.set_column(position, position, min(longest + 2, _WIDEST))
        if said is None:
            return
        note = _meaning(said) + (f"\n\nEdited: {sheet.inputs[name]}" if edited else "")
        written.write_comment(0, position, note, {"author": "friendshore", "x_scale": 2.5, "y_scale": 1.6})
        self._choices(position, name, said)

    def _choices(self, position: int, name: str, said: Field) -> None:
        """Add choices to a column. Other names stay possible, since a cell may contain several."""
        from xlsxwriter.utility import xl_range_abs  # an extra

        words, of = said.kind.words, self._sheet.choices.get(name, "")
        rule: dict[str, object] | None = None
        if of in self._lists:
            column = self._order.index(of)
            cells = xl_range_abs(0, column, len(self._lists[of]) - 1, column)
            rule = {"validate": "list", "source": f"='{_LISTS}'!{cells}", "error_type": "warning"}
        elif words and len(",".join(words)) < _LONGEST_LIST:
            rule = {"validate": "list", "source": list(words)}
        if rule is not None:
            self._written.data_validation(1, position, LAST_ROW - 1, position, rule)

    def _cell(self, row: int, column: int, text: str, said: Field | None, unit: str, edited: bool) -> None:
        """Write a cell with its type."""
        written = self._written
        typed = None if said is None else _number(text, said, unit, self._sheet.typed)
        if typed is not None:
            value, form = typed
            written.write_number(row, column, value, self._format(form, edited))
        elif said is not None and said.kind is k.DATE and _is_day(text):
            day = datetime.fromisoformat(text)
            written.write_datetime(row, column, day, self._format("yyyy-mm-dd", edited))
        else:
            # Whatever it looks like: `=1` is a text here, and so is an address.
            written.write_string(row, column, _fit(text), self._format("@", edited))

    def _format(self, form: str, edited: bool) -> object:
        found = self._formats.get((form, edited))
        if found is None:
            colour = {"bg_color": _INPUT, "border": 1, "border_color": "#D9D9D9"} if edited else {}
            said = {"bold": True, "bottom": 1, "text_wrap": False} if form == "head" else {"num_format": form}
            found = self._formats[form, edited] = self._book.add_format({**colour, **said})
        return found


def _number(text: str, said: Field, unit: str, typed: bool) -> tuple[float, str] | None:
    """Return a number and its format if a spreadsheet preserves its text, or its meaning where that suffices."""
    bare = text
    if unit:
        if not text.endswith(f" {unit}"):
            return None
        bare = text.removesuffix(f" {unit}")
    elif not said.kind.number:
        return None
    share = typed and not unit and bare.endswith("%")
    bare = bare.removesuffix("%").rstrip() if share else bare
    if not re.fullmatch(NUMBER, bare) or len(bare) >= _DIGITS or bare.startswith("-0") and not float(bare):
        return None
    places = len(bare.partition(".")[2])
    if share:
        return float(Decimal(bare) / 100), f"0.{'0' * places}%" if places else "0%"
    if bare.endswith("0") and places:
        return (float(bare), f"0.{'0' * places}") if typed else None
    return float(bare), "General"


def _is_day(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\d", text) is not None and int(text[:4]) >= _FIRST_YEAR


def _fit(text: str) -> str:
    """Return a text that fits into a cell.

    Raises:
        ValueError: If it doesn't fit.
    """
    wrong = _CONTROL.search(text)
    if wrong:
        raise ValueError(f"a control character: `{visible(wrong[0])}`")
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{len(text):,} characters in a cell")
    return text


def _meaning(said: Field) -> str:
    """Return the meaning of a column, as a note on its head."""
    example = f" For example: {said.example}" if said.example != "" else ""
    return f"{said.meaning}{'' if said.required else ' May be blank.'}{example}"
