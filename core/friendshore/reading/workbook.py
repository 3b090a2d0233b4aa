"""Workbooks: sheets as rows of text with their numbers, all that a spreadsheet hides said aloud.

openpyxl is an extra of friendshore's (`pip install "friendshore[xlsx]"`) and is imported only when a workbook is at hand.
"""

from __future__ import annotations

import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from types import ModuleType
from xml.parsers.expat import ExpatError
from zipfile import BadZipFile, ZipFile

from ..errors import Diagnostic, InputError
from .csvfile import BAD_CELL, DayCell, NumberCell, Table, fill
from .fields import Layout
from .sheetxml import (
    RawCell,
    SheetLayout,
    SheetPart,
    WorkbookParts,
    letters,
    number_formats,
    shared_texts,
    sheets,
    targets,
)
from .textfile import OLD_WORKBOOK, no_file

_TOKEN = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]|General|E[+-]|.', re.DOTALL | re.IGNORECASE)
_LONGEST = 255
"""Characters of a format: no spreadsheet program writes a longer one."""
_SCALED = re.compile(r"[0#?],+(?![0#?,])")
"""A comma with no digit after it: it shows thousands in the place of ones."""
_PLAIN = frozenset("0123456789#?.,/@ -+()\xa0\u202f")
"""Signs that lay digits out, and add no meaning to them."""


def adds(number_format: str, value: Decimal) -> str:
    """What a format, as the spreadsheet stores it, makes of a number beside laying out its digits; empty: nothing.

    The number decides which section of the format it is shown by. `%` stands for a share shown in hundredths. Rounding to fewer digits is
    nothing: no unit changes by it.
    """
    if len(number_format) > _LONGEST:
        return f"what a format of {len(number_format):,} characters says"
    sections = _sections(number_format)
    section = sections[0]
    if value < 0 and len(sections) > 1:
        section = sections[1]
    elif value == 0 and len(sections) > 2:
        section = sections[2]
    said, digits = _said(section)
    if not digits and not said:
        return "nothing: the number is hidden"
    scaled = _SCALED.search("".join(token if len(token) == 1 else " " for token in section)) is not None
    return f"{said} (in thousands)".strip() if scaled else said


def _sections(number_format: str) -> list[list[str]]:
    """Tokens of each section: of positive numbers, negative ones, zero and text."""
    sections: list[list[str]] = [[]]
    for token in _TOKEN.findall(number_format or "General"):
        if token == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    return sections


def _said(section: list[str]) -> tuple[str, bool]:
    """The words and signs that a section adds, and whether it shows the number at all."""
    said, digits = "", False
    for token in section:
        if token.casefold() == "general" or token in "0#?@":
            digits = True
        elif token[0] == '"':
            said += token[1:-1]
        elif token[0] == "\\" and len(token) > 1:
            said += token[1] if token[1] not in _PLAIN else " "
        elif token[0] == "[":
            said += _bracketed(token[1:-1])
        elif len(token) == 1 and token not in _PLAIN:
            said += token
    return " ".join(said.split()), digits


def _bracketed(word: str) -> str:
    """What stands in brackets: a currency or a condition says something, a colour or a language does not."""
    if word.startswith("$"):
        return word[1:].partition("-")[0]
    return f"[{word}]" if word[:1] in ("<", ">", "=") else ""


SUFFIX = ".xlsx"
PRIVATE = "_"
"""A sheet whose name begins so is the planner's own, and not read."""
OWN_NOTES = frozenset({"notes", "note", "readme", "read me", "about", "legend", "changelog"})
"""Names of sheets that hold words for people, and are not read either."""
_SHOWN = 80
"""Characters of a cell that a message shows."""
_LONGEST_WHOLE = 19
"""Characters of a number that is read as a whole one; spreadsheets keep 15 digits."""
_NAMED = 10
"""Hidden rows that are named one by one."""

Line = tuple[int, list[str]]
"""Number of a row, and the texts of its cells."""

_BROKEN = (
    OSError,
    BadZipFile,
    zlib.error,
    EOFError,
    ExpatError,
    LookupError,
    ValueError,
    RuntimeError,  # an encrypted archive
    NotImplementedError,  # a compression that Python has not
    StopIteration,
)
"""What files raise that are none of a workbook's."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as read."""

    file: str
    sheets: Mapping[str, list[Line]]
    """Rows that are not blank, by the sheet's name as it stands there; blank sheets and private ones are left out."""
    found: Mapping[str, list[Diagnostic]] = field(default_factory=dict)
    """What is wrong with the cells of each sheet: a mistake only of a sheet that is read as a table."""

    def place(self, sheet: str) -> str:
        """A sheet as messages name it."""
        return f"{self.file}, sheet {sheet}"

    def named(self, name: str) -> str | None:
        """The sheet of this name as it is written there, whatever its case; None: there is none."""
        return next((sheet for sheet in self.sheets if sheet.strip().casefold() == name.casefold()), None)


def is_workbook(path: Path) -> bool:
    """Return True if a path means a workbook."""
    return path.suffix.lower() == SUFFIX


def openpyxl(file: str) -> ModuleType:
    """The library that reads and writes workbooks; `file` is the one it is needed for.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]", or convert the workbook to a folder where that is installed'
        raise InputError("workbooks need openpyxl, which is not installed", file, fix=fix) from error
    module: ModuleType = openpyxl
    return module


def read_workbook(path: Path, found: list[Diagnostic], also: Collection[str] = ()) -> Workbook:
    """Read a workbook; one that cannot be read has no sheets, and a problem is recorded. Private sheets are read `also` where they are named.

    A formula counts by the value that the spreadsheet saved with it. What has no value, an error such as `#N/A`, and cells
    merged into one are mistakes: none of them may pass for a blank cell. So is what is hidden, and a number whose format shows
    another: who looks at the sheet would not see what is read. A share shown in percent is read as it is shown. Cells that are
    formatted and hold nothing are nothing, and how much is read at most is said where more is found.

    Raises:
        InputError: if openpyxl is not installed.
    """
    library = openpyxl(str(path))
    other = no_file(path)
    if other is not None:
        found.append(other)
        return Workbook(str(path), {})
    try:
        with ZipFile(path) as archive:
            return _read(path, WorkbookParts(path, archive), library, also)
    except InputError as error:
        found.extend(error.problems)
    except _BROKEN as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        why = "it is an old `.xls`, or has a password" if _is_old(path) else why
        found.append(
            Diagnostic(
                f"is no workbook that can be read: {why}",
                str(path),
                expected="an .xlsx workbook without a password",
                fix="open it in a spreadsheet program and save it as .xlsx",
            )
        )
    return Workbook(str(path), {})


def sheet_table(book: Workbook, sheet: str, layout: Layout, found: list[Diagnostic]) -> Table:
    """A sheet read as a table."""
    lines = book.sheets[sheet]
    table = Table(layout, book.place(sheet), found)
    width = max((len(cells) for _, cells in lines), default=0)
    padded: list[Line] = [(number, cells + [""] * (width - len(cells))) for number, cells in lines]
    fill(table, iter(padded))
    # Of what stands above the header it has been said that it is no part of the table.
    found.extend(p for p in book.found.get(sheet, ()) if p.row is None or p.row >= table.head_line)
    return table


def _read(path: Path, parts: WorkbookParts, library: ModuleType, also: Collection[str]) -> Workbook:
    """The sheets that are not private, and those that are read also."""
    main = next(part for sort, part in targets(parts, "").values() if sort == "officeDocument")
    related = targets(parts, main)
    listed, from_1904 = sheets(parts, main, related)
    by_sort = {sort: part for sort, part in related.values() if parts.has(part)}
    meaning = _Meaning(
        library,
        shared_texts(parts, by_sort["sharedStrings"]) if "sharedStrings" in by_sort else [],
        number_formats(parts, by_sort["styles"], library.styles.numbers.BUILTIN_FORMATS) if "styles" in by_sort else [],
        library.utils.datetime.MAC_EPOCH if from_1904 else library.utils.datetime.WINDOWS_EPOCH,
    )
    lines: dict[str, list[Line]] = {}
    wrong: dict[str, list[Diagnostic]] = {}
    for sheet in listed:
        name = sheet.name
        private = name.startswith(PRIVATE) or name.strip().casefold() in OWN_NOTES
        if not private or name in also:
            read = _lines(parts, sheet, meaning, f"{path}, sheet {name}", wrong.setdefault(name, []))
            if read:
                lines[name] = read
    return Workbook(str(path), lines, wrong)


def _is_old(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(OLD_WORKBOOK)) == OLD_WORKBOOK


def stated(path: Path, sheet: str = "catalog", key: str = "name") -> str:
    """What stands beside `key` in a sheet of keys and values; the file's name without its ending where nothing does.

    What is wrong with the workbook is the business of whoever reads it in full.

    Raises:
        InputError: if openpyxl is not installed.
    """
    book = read_workbook(path, [])
    name = book.named(sheet)
    rows = book.sheets[name] if name is not None else []
    return next((cells[1] for _, cells in rows if len(cells) > 1 and cells[0] == key and cells[1]), path.stem)


def _lines(
    parts: WorkbookParts, sheet: SheetPart, meaning: _Meaning, place: str, found: list[Diagnostic]
) -> list[Line]:
    """The rows of a sheet that are not blank."""
    if not sheet.visible:
        fix = f"show the sheet, or delete it; what is yours alone goes to a sheet whose name begins with `{PRIVATE}`"
        found.append(Diagnostic("the sheet is hidden", place, fix=fix))
    layout = SheetLayout()
    lines: list[Line] = []
    hidden: list[int] = []
    columns: set[int] = set()
    for row in parts.rows(sheet, layout):
        cells: list[str] = []
        for raw in row.cells:
            text = meaning.text(raw, row.number, place, found)
            if text:
                cells += [""] * (raw.column - 1 - len(cells)) + [text]
                columns.add(raw.column)
        if cells:
            lines.append((row.number, cells))
            if row.hidden:
                hidden.append(row.number)
    _cover(lines, layout, place, found)
    found.extend(_hidden_rows(hidden, place))
    found.extend(_hidden_columns(layout, columns, place))
    return lines


def _cover(lines: list[Line], layout: SheetLayout, place: str, found: list[Diagnostic]) -> None:
    """Cells that are merged into one: all but the first are blank, and look as if they were not."""
    width = max((len(cells) for _, cells in lines), default=0)
    numbers = [number for number, _ in lines]
    for top, left, bottom, right, written in layout.merged:
        fix = "undo the merge, and write the value into each cell"
        found.append(Diagnostic("cells are merged into one", place, top, written, fix=fix))
        last = min(right, width)
        for number, cells in lines[bisect_left(numbers, top) : bisect_right(numbers, bottom)]:
            cells.extend([""] * (last - len(cells)))
            cells[left - 1 : last] = [
                cells[column - 1] if (number, column) == (top, left) else BAD_CELL for column in range(left, last + 1)
            ]


def _hidden_rows(rows: Sequence[int], place: str) -> Iterator[Diagnostic]:
    """What is hidden, by a filter perhaps, may be there by oversight or left out on purpose: nobody can tell which."""
    if rows:
        named = ", ".join(map(str, rows[:_NAMED])) + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")
        message = "a row is hidden, and holds something" if len(rows) == 1 else "rows are hidden, and hold something"
        yield Diagnostic(
            message, place, rows[0], found=f"row {named}", fix="show them (clear the filter), or delete them"
        )


def _hidden_columns(layout: SheetLayout, filled: Collection[int], place: str) -> Iterator[Diagnostic]:
    for first, last in layout.hidden:
        holding = min((column for column in filled if first <= column <= last), default=None)
        if holding is not None:
            message, letter = "a column is hidden, and holds something", letters(first)
            yield Diagnostic(message, place, column=letter, found=f"column {letter}", fix="show it, or delete it")


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What the cells of a workbook mean: their texts, formats and days."""

    library: ModuleType
    texts: Sequence[str]
    formats: Sequence[str]
    epoch: datetime

    def text(self, raw: RawCell, row: int, place: str, found: list[Diagnostic]) -> str:
        """What stands in a cell, as it would stand in a CSV file."""
        wrong = ""
        fix = "write the value itself, or open the workbook in a spreadsheet program, mend it and save it"
        value = self._value(raw)
        if raw.formula is not None and value is None:
            wrong = "the formula has no value saved with it"
        elif raw.sort == "e" or isinstance(value, ValueError):
            wrong = "the cell holds an error"
        elif isinstance(value, time | timedelta):
            wrong, fix = "the cell holds a time", "write the value as text"
        elif isinstance(value, int | float) and not isinstance(value, bool):
            number = Decimal(repr(value))
            added = adds(self._format(raw), number)
            if added == "%":
                return f"{as_text(float(number * 100))} %"
            if added:
                wrong = f"the cell shows more than its number: its format adds `{added}`"
                fix = "write the unit into the cell, as text, and give the cell the format General"
        if wrong:
            shown = f"={raw.formula}" if raw.formula is not None else raw.value or ""
            found.append(Diagnostic(wrong, place, row, f"{letters(raw.column)}{row}", f"`{shown[:_SHOWN]}`", fix=fix))
            return BAD_CELL
        text = as_text(value)
        if isinstance(value, date):
            return DayCell(text)
        return NumberCell(text) if isinstance(value, int | float) and not isinstance(value, bool) else text

    def _format(self, raw: RawCell) -> str:
        return self.formats[raw.style] if raw.style < len(self.formats) else "General"

    def _value(self, raw: RawCell) -> object:
        """The value of a cell; None: it has none; an error for what is none of its sort."""
        if not raw.value:
            return None
        try:
            if raw.sort == "s":
                return self.texts[int(raw.value)]
            if raw.sort == "b":
                return bool(int(raw.value))
            if raw.sort == "d":
                return self.library.utils.datetime.from_ISO8601(raw.value)
            return self._number(raw) if raw.sort == "n" else raw.value
        except (ValueError, OverflowError, LookupError) as error:
            return ValueError(str(error))

    def _number(self, raw: RawCell) -> object:
        """A number, or the day or time that its format makes of it."""
        text = raw.value or ""
        number = int(text) if len(text) < _LONGEST_WHOLE and text.lstrip("-").isdigit() else float(text)
        if not isfinite(number):
            raise ValueError(f"{text} is beyond all numbers")
        form, numbers = self._format(raw), self.library.styles.numbers
        if not numbers.is_date_format(form):
            return number
        return self.library.utils.datetime.from_excel(number, self.epoch, timedelta=numbers.is_timedelta_format(form))


def as_text(value: object) -> str:
    """A cell's value as text: numbers with a decimal point and no exponent, dates as `2027-01-31`, `yes` and `no`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # The shortest text that means this number, which is what the spreadsheet shows of what was typed.
        number = Decimal(repr(value))
        return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
