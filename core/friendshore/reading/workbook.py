"""Workbooks: sheets as rows of text with their numbers, all that a spreadsheet hides said aloud.

openpyxl is an extra of friendshore's (`pip install "friendshore[xlsx]"`) and is imported only when a workbook is at hand.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Any
from zipfile import BadZipFile

from ..errors import InputError, Problem

SUFFIX = ".xlsx"
PRIVATE = "_"
"""A sheet whose name begins so is the planner's own, and not read."""

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
    merged into one are mistakes: none of them may pass for a blank cell.

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
        found.append(
            Problem(
                f"is no workbook that can be read: {error}",
                str(path),
                expected="an .xlsx workbook without a password",
                fix="open it in a spreadsheet program and save it as .xlsx",
            )
        )
        return Workbook(str(path), {})
    sheets: dict[str, list[Line]] = {}
    for sheet in formulas.worksheets:
        if not sheet.title.startswith(PRIVATE):
            place = Workbook(str(path), {}).place(sheet.title)
            lines = list(_lines(sheet, values[sheet.title], place, found))
            if lines:
                sheets[sheet.title] = lines
    return Workbook(str(path), sheets)


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
    for merged in sheet.merged_cells.ranges:
        fix = "undo the merge, and write the value into each cell"
        found.append(Problem("cells are merged into one", place, merged.min_row, merged.coord, fix=fix))
    for row in sheet.iter_rows():
        cells = [_text(cell, values, place, found) for cell in row]
        while cells and not cells[-1]:
            cells.pop()
        if cells:
            yield row[0].row, cells


def _text(cell: Any, values: Any, place: str, found: list[Problem]) -> str:
    """What stands in a cell, as it would stand in a CSV file."""
    value = values[cell.coordinate].value if cell.data_type == "f" else cell.value
    wrong = ""
    if cell.data_type == "f" and value is None:
        wrong = "the formula has no value saved with it"
    elif cell.data_type == "e" or (cell.data_type == "f" and values[cell.coordinate].data_type == "e"):
        wrong = "the cell holds an error"
    if wrong:
        fix = "write the value itself, or open the workbook in a spreadsheet program, mend it and save it"
        found.append(Problem(wrong, place, cell.row, cell.coordinate, f"`{cell.value}`", fix=fix))
        return ""
    return as_text(value)


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
