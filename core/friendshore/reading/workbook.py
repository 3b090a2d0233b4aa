"""Workbooks: sheets as rows of text with their numbers, all that a spreadsheet hides said aloud.

openpyxl is an extra of friendshore's (`pip install "friendshore[xlsx]"`) and is imported only when a workbook is at hand.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile

from ..errors import InputError, Problem
from .csvfile import BAD_CELL, DayCell
from .numberformat import adds
from .textfile import OLD_WORKBOOK

SUFFIX = ".xlsx"
PRIVATE = "_"
"""A sheet whose name begins so is the planner's own, and not read."""
OWN_NOTES = frozenset({"notes", "note", "readme", "read me", "about", "legend", "changelog"})
"""Names of sheets that hold words for people, and are not read either."""
_NAMED = 10
"""Hidden rows that are named one by one."""

Line = tuple[int, list[str]]
"""Number of a row, and the texts of its cells."""

_BROKEN = (
    OSError,
    BadZipFile,
    zlib.error,
    EOFError,
    SyntaxError,  # of XML
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,  # an encrypted archive
)
"""What openpyxl raises of files that are none of a workbook's."""


@dataclass(frozen=True, slots=True)
class Workbook:
    """A workbook as read."""

    file: str
    sheets: Mapping[str, list[Line]]
    """Rows that are not blank, by the sheet's name as it stands there; blank sheets and private ones are left out."""
    found: Mapping[str, list[Problem]] = field(default_factory=dict)
    """What is wrong with the cells of each sheet: a mistake only of a sheet that is read as a table."""

    def place(self, sheet: str) -> str:
        """A sheet as messages name it."""
        return f"{self.file}, sheet {sheet}"

    def named(self, name: str) -> str | None:
        """The sheet of this name as it is written there, whatever its case; None: there is none."""
        return next((sheet for sheet in self.sheets if sheet.strip().casefold() == name.casefold()), None)


def is_workbook(path: Path) -> bool:
    """Whether a path means a workbook."""
    return path.suffix.lower() == SUFFIX


def openpyxl(file: str) -> ModuleType:
    """The library that reads and writes workbooks.

    Args:
        file: the workbook it is needed for.

    Raises:
        InputError: if it is not installed.
    """
    try:
        import openpyxl
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]", or convert the workbook to a folder where that is installed'
        raise InputError(Problem("workbooks need openpyxl, which is not installed", file, fix=fix)) from error
    module: ModuleType = openpyxl
    return module


def read_workbook(path: Path, found: list[Problem]) -> Workbook:
    """Reads a workbook; one that cannot be read has no sheets, and a problem is recorded.

    A formula counts by the value that the spreadsheet saved with it. What has no value, an error such as `#N/A`, and cells
    merged into one are mistakes: none of them may pass for a blank cell. So is what is hidden, and a number whose format shows
    another: who looks at the sheet would not see what is read. A share shown in percent is read as it is shown.

    Raises:
        InputError: if openpyxl is not installed.
    """
    library = openpyxl(str(path))
    try:
        formulas = _load(library, path, False)
        computed = any(
            cell.data_type == "f" for sheet in formulas.worksheets for row in sheet.iter_rows() for cell in row
        )
        values = _load(library, path, True) if computed else formulas
    except _BROKEN as error:
        why = "it is an old `.xls`, or has a password" if _is_old(path) else str(error)
        found.append(
            Problem(
                f"is no workbook that can be read: {why}",
                str(path),
                expected="an .xlsx workbook without a password",
                fix="open it in a spreadsheet program and save it as .xlsx",
            )
        )
        return Workbook(str(path), {})
    sheets: dict[str, list[Line]] = {}
    wrong: dict[str, list[Problem]] = {}
    for sheet in formulas.worksheets:
        name = sheet.title
        if not name.startswith(PRIVATE) and name.strip().casefold() not in OWN_NOTES:
            place = Workbook(str(path), {}).place(name)
            lines = list(_lines(sheet, values[name], place, wrong.setdefault(name, [])))
            if lines:
                sheets[name] = lines
    return Workbook(str(path), sheets, wrong)


def _is_old(path: Path) -> bool:
    return path.is_file() and path.read_bytes().startswith(OLD_WORKBOOK)


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


def _load(library: ModuleType, path: Path, values: bool) -> Any:
    """The workbook with the values of its formulas, or with the formulas."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what it does not keep when it saves; nothing is saved here
        return library.load_workbook(path, data_only=values)


def _lines(sheet: Any, values: Any, place: str, found: list[Problem]) -> Iterator[Line]:
    """The rows of a sheet that are not blank."""
    if sheet.sheet_state != "visible":
        fix = f"show the sheet, or delete it; what is yours alone goes to a sheet whose name begins with `{PRIVATE}`"
        found.append(Problem("the sheet is hidden", place, fix=fix))
    covered = set()
    for merged in sheet.merged_cells.ranges:
        fix = "undo the merge, and write the value into each cell"
        found.append(Problem("cells are merged into one", place, merged.min_row, merged.coord, fix=fix))
        covered |= set(merged.cells) - {(merged.min_row, merged.min_col)}
    hidden: list[int] = []
    columns: set[int] = set()
    for row in sheet.iter_rows():
        cells = [BAD_CELL if (c.row, c.column) in covered else _text(c, values, place, found) for c in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            columns.update(position for position, cell in enumerate(cells, 1) if cell)
            if _is_hidden(sheet.row_dimensions, row[0].row, "height"):
                hidden.append(row[0].row)
            yield row[0].row, cells
    found.extend(_hidden_rows(hidden, place))
    found.extend(_hidden_columns(sheet, columns, place))


def _is_hidden(dimensions: Any, key: Any, size: str) -> bool:
    if key not in dimensions:
        return False
    return bool(dimensions[key].hidden) or getattr(dimensions[key], size) == 0


def _hidden_rows(rows: Sequence[int], place: str) -> Iterator[Problem]:
    """What is hidden, by a filter perhaps, may be there by oversight or left out on purpose: nobody can tell which."""
    if rows:
        named = ", ".join(map(str, rows[:_NAMED])) + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")
        message = "a row is hidden, and holds something" if len(rows) == 1 else "rows are hidden, and hold something"
        yield Problem(message, place, rows[0], found=f"row {named}", fix="show them (clear the filter), or delete them")


def _hidden_columns(sheet: Any, filled: Collection[int], place: str) -> Iterator[Problem]:
    for letter, column in sheet.column_dimensions.items():
        if not _is_hidden(sheet.column_dimensions, letter, "width"):
            continue
        # One entry stands for all neighbours of the same width.
        if any(column.min <= position <= column.max for position in filled):
            message = "a column is hidden, and holds something"
            yield Problem(message, place, column=letter, found=f"column {letter}", fix="show it, or delete it")


def _text(cell: Any, values: Any, place: str, found: list[Problem]) -> str:
    """What stands in a cell, as it would stand in a CSV file."""
    value = values[cell.coordinate].value if cell.data_type == "f" else cell.value
    wrong = ""
    fix = "write the value itself, or open the workbook in a spreadsheet program, mend it and save it"
    if cell.data_type == "f" and value is None:
        wrong = "the formula has no value saved with it"
    elif cell.data_type == "e" or (cell.data_type == "f" and values[cell.coordinate].data_type == "e"):
        wrong = "the cell holds an error"
    elif isinstance(value, time | timedelta):
        wrong, fix = "the cell holds a time", "write the value as text"
    elif isinstance(value, int | float) and not isinstance(value, bool):
        number = Decimal(repr(value))
        added = adds(cell.number_format, number)
        if added == "%":
            return f"{as_text(float(number * 100))} %"
        if added:
            wrong = f"the cell shows more than its number: its format adds `{added}`"
            fix = "write the unit into the cell, as text, and give the cell the format General"
    if wrong:
        found.append(Problem(wrong, place, cell.row, cell.coordinate, f"`{cell.value}`", fix=fix))
        return BAD_CELL
    return DayCell(as_text(value)) if isinstance(value, date) else as_text(value)


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
