"""Workbooks: sheets as rows of text, with an error for everything that a spreadsheet hides.

openpyxl, an extra (`pip install "friendshore[xlsx]"`), reads the list of sheets and the values of cells. It is imported when a workbook is read.
Its `load_workbook` isn't used: to report hidden rows it keeps all cells in memory, and it fails on styles and filters that no table needs.
"""

from __future__ import annotations

import re
import warnings
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from pathlib import Path
from typing import IO, Any
from xml.etree.ElementTree import Element, XMLPullParser
from xml.parsers.expat import ExpatError, ParserCreate
from zipfile import BadZipFile, ZipFile

from ..errors import Diagnostic, InputError
from .csvfile import BAD_CELL, DayCell, NumberCell, Table, fill
from .fields import Layout
from .textfile import OLD_WORKBOOK, non_file_diagnostic

SUFFIX = ".xlsx"
PRIVATE = "_"
"""First character of the names of sheets that are not read."""
OWN_NOTES = frozenset({"notes", "note", "readme", "read me", "about", "legend", "changelog"})
"""Names of sheets with words for people, which are not read either."""
FILES = 2_000
"""Files in the zip."""
UNZIPPED = 100_000_000
"""Bytes of the parts that are read, unzipped."""
TEXTS = 1_000_000
"""Texts that cells share."""
ROWS = 200_000
"""Rows of a sheet that hold something."""
CELLS = 2_000_000
"""Cells of a workbook that hold something."""
_WHOLE = 4_000_000
"""Bytes of a part that openpyxl reads as a whole: lists of sheets and of other parts."""
_ELEMENTS = 1_000_000
"""Elements of a part that may be kept before one is complete: more than a row has."""
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
"""Last cell of a sheet in every spreadsheet program: XFD1048576."""
_MERGED = 100
"""Ranges of merged cells, each of which is reported."""
_LONGEST_CELL = 32_767
"""Characters of a cell that every spreadsheet program keeps."""
_LONGEST_FORMAT = 255
"""Characters of a number format that every spreadsheet program keeps."""
_LONGEST_WHOLE = 10**18
"""Number from which on all are decimal fractions; spreadsheets keep 15 digits."""
_SHOWN = 80
"""Characters of a cell that a message shows."""
_NAMED = 10
"""Hidden rows that a message names."""
_PIECE = 1 << 14
"""Bytes that are parsed at a time. With many more, the elements of a piece leave the cache of the processor, and reading takes twice as long."""
_LONGEST_TEXT = 1_000_000
"""Characters in which an element ends in every workbook."""
_TRUE = frozenset({"1", "true", "on"})

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
    ArithmeticError,
    AttributeError,  # like TypeError from openpyxl, if the list of sheets is damaged
    TypeError,
    SyntaxError,  # base of XML errors
    RuntimeError,  # an encrypted archive
    NotImplementedError,  # a compression that Python lacks
)
"""Exceptions for files that are not workbooks."""

_PLAIN = r"[0-9#?.,/@ +()\xa0\u202f-]"
_TOKEN = re.compile(
    rf'"(?P<quoted>[^"]*)"|\\(?:{_PLAIN}|(?P<escaped>.))|\[\$(?P<currency>[^\]-]*)[^\]]*\]|(?P<condition>\[[<>=][^\]]*\])'
    rf"|[_*].|\[[^\]]*\]|E[+-]|(?P<digits>General|@|[0#?][0#?,]*)|{_PLAIN}|(?P<sign>.)",
    re.DOTALL | re.IGNORECASE,
)
"""A token of a number format. The group `digits` shows the number, and every other group adds a text to it."""


def adds(number_format: str, value: Decimal) -> str:
    """Return the text that a number format adds to the digits of a number, or an empty string.

    A share shown in hundredths adds `%`. Rounding adds nothing, since it keeps the unit.
    """
    if len(number_format) > _LONGEST_FORMAT:
        return f"what a format of {len(number_format):,} characters says"
    sections: list[list[re.Match[str]]] = [[]]  # of positive numbers, negative ones, zero, and text
    for token in _TOKEN.finditer(number_format or "General"):
        if token[0] == ";":
            sections.append([])
        else:
            sections[-1].append(token)
    position = 1 if value < 0 else 2 if value == 0 else 0
    section = sections[position] if position < len(sections) else sections[0]
    digits = [token[0] for token in section if token.lastgroup == "digits"]
    texts = [token[token.lastgroup] for token in section if token.lastgroup not in (None, "digits")]
    added = " ".join("".join(texts).split())
    if not digits and not added:
        return "nothing: the number is hidden"
    # A comma behind the last digit shows thousands in the place of ones.
    return f"{added} (in thousands)".strip() if any(token.endswith(",") for token in digits) else added


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets of a workbook."""

    file: str
    sheets: Mapping[str, list[Line]]
    """Rows that are not blank by the name of the sheet, without blank and private sheets."""
    found: Mapping[str, list[Diagnostic]] = field(default_factory=dict)
    """Errors in the cells of each sheet. They count only if the sheet is read as a table."""

    def place(self, sheet: str) -> str:
        """Return the name of a sheet for messages."""
        return f"{self.file}, sheet {sheet}"

    def named(self, name: str) -> str | None:
        """Return the sheet with a name in upper or lower case, as it is written there; None if there is none."""
        return next((sheet for sheet in self.sheets if sheet.strip().casefold() == name.casefold()), None)


def is_workbook(path: Path) -> bool:
    """Return True if a path has the ending of a workbook."""
    return path.suffix.lower() == SUFFIX


def read_workbook(path: Path, found: list[Diagnostic], also: Collection[str] = ()) -> Workbook:
    """Read a workbook. If it can't be read, the error goes to `found` and no sheet is returned.

    A formula has the value that the spreadsheet saved with it. A share shown in percent is read as it is shown. These are errors, since the
    reader of the sheet sees something else than what is read:

    - formulas without a value, errors such as `#N/A`, and merged cells, which would pass for blank cells
    - hidden sheets, rows, and columns that contain something
    - numbers with a format that changes their meaning

    Args:
        path: Workbook.
        found: List to which errors are added.
        also: Private sheets to read as well.

    Raises:
        InputError: if openpyxl is not installed.
    """
    try:
        import openpyxl  # noqa: F401 (an extra)
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]", or convert the workbook to a folder where that is installed'
        raise InputError("workbooks need openpyxl, which is not installed", str(path), fix=fix) from error
    other = non_file_diagnostic(path)
    if other is not None:
        found.append(other)
        return Workbook(str(path), {})
    try:
        with warnings.catch_warnings(), _Archive(path) as archive:
            warnings.simplefilter("ignore")  # openpyxl warns of parts that it ignores
            return _read(path, archive, also)
    except InputError as error:
        found.extend(error.problems)
    except _BROKEN as error:
        why = (
            "its list of sheets is damaged" if isinstance(error, AttributeError | KeyError | TypeError) else str(error)
        )
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
    """Return a sheet as a table, with the errors in its cells."""
    lines = book.sheets[sheet]
    table = Table(layout, book.place(sheet), found)
    width = max((len(cells) for _, cells in lines), default=0)
    padded: list[Line] = [(number, cells + [""] * (width - len(cells))) for number, cells in lines]
    fill(table, iter(padded))
    # Rows above the header are reported as no part of the table.
    found.extend(p for p in book.found.get(sheet, ()) if p.row is None or p.row >= table.head_line)
    return table


def _read(path: Path, archive: _Archive, also: Collection[str]) -> Workbook:
    """Read the sheets that are not private, and those that are read also."""
    from openpyxl.packaging.relationship import get_dependents
    from openpyxl.reader.workbook import WorkbookParser

    main = [link.target for link in get_dependents(archive, "_rels/.rels") if _sort(link) == "officeDocument"]
    if not main:
        raise ValueError("it has no list of sheets")
    package = WorkbookParser(archive, main[0], keep_links=False)
    package.parse()
    parts = {_sort(link): link.target for link in package.rels.values() if link.target in archive.NameToInfo}
    texts = archive.texts(parts["sharedStrings"]) if "sharedStrings" in parts else []
    formats = archive.formats(parts["styles"]) if "styles" in parts else []
    reader = _SheetReader(archive, texts, formats, package.wb.epoch)
    lines: dict[str, list[Line]] = {}
    found: dict[str, list[Diagnostic]] = {}
    for sheet, link in package.find_sheets():
        name = sheet.name
        private = name.startswith(PRIVATE) or name.strip().casefold() in OWN_NOTES
        if _sort(link) == "worksheet" and (not private or name in also):
            archive.place = f"{path}, sheet {name}"
            found[name] = []
            if sheet.state != "visible":
                fix = f"show the sheet, or delete it; what is yours alone goes to a sheet whose name begins with `{PRIVATE}`"
                found[name].append(Diagnostic("the sheet is hidden", archive.place, fix=fix))
            if read := reader.read(link.target, found[name]):
                lines[name] = read
    return Workbook(str(path), lines, found)


def _sort(link: Any) -> str:
    """Return the sort of part that a link of a package leads to, such as `worksheet`."""
    return str(link.Type).rpartition("/")[2]


def _is_old(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(OLD_WORKBOOK)) == OLD_WORKBOOK


def stated(path: Path, sheet: str = "catalog", key: str = "name") -> str:
    """Return the value of a key in a sheet of keys and values, or the name of the file without its ending if there is none.

    Errors in the workbook are left to the caller that reads it in full.

    Raises:
        InputError: if openpyxl is not installed.
    """
    book = read_workbook(path, [])
    name = book.named(sheet)
    rows = book.sheets[name] if name is not None else []
    return next((cells[1] for _, cells in rows if len(cells) > 1 and cells[0] == key and cells[1]), path.stem)


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _FORMULA, _VALUE, _INLINE = (f"{_MAIN}{name}" for name in ("row", "c", "f", "v", "is"))
_COLUMN, _MERGE, _SHARED = (f"{_MAIN}{name}" for name in ("col", "mergeCell", "si"))
_FORMAT, _STYLES = f"{_MAIN}numFmt", f"{_MAIN}cellXfs"
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(spreadsheetml|officeDocument)/(main|relationships)")
"""Namespaces of workbooks that Excel saves as "Strict Open XML", which openpyxl doesn't know."""


def _usual(xml: bytes) -> bytes:
    return _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", xml)


def _refuse_entities(part: IO[bytes]) -> None:
    """Read the beginning of a part, which shows whether it declares entities: a few of them can stand for any amount of text.

    Raises:
        ValueError: if it does, or if no element begins there.
    """
    parser = ParserCreate()
    elements: list[str] = []

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which no spreadsheet program does")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.Parse(part.read(_PIECE), False)
    if not elements:
        raise ValueError("it is no XML")


class _Archive(ZipFile):
    """The zip of a workbook, whose parts are checked before they are unpacked."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.place = str(path)
        """File, and sheet if one is being read, for messages."""
        self._unzipped = 0
        if len(self.infolist()) > FILES:
            raise self.too_much("holds too many files", len(self.infolist()), FILES, "files")

    def too_much(self, message: str, found: int, limit: int, what: str) -> InputError:
        """Return the error for a limit that is exceeded."""
        fix = "delete what is not needed, or keep the tables as CSV files in a folder"
        more = f"{found:,} {what}" if found > limit + 1 else f"more than {limit:,} {what}"
        return InputError(message, self.place, found=more, expected=f"no more than {limit:,} {what}", fix=fix)

    def _size(self, name: str) -> int:
        if name not in self.NameToInfo:
            raise ValueError(f"it has no part `{name}`")
        return self.NameToInfo[name].file_size

    def open(self, name: Any, *_: Any, **__: Any) -> IO[bytes]:
        """Open a part to read it.

        Raises:
            InputError: if more would be unzipped than the limit.
            ValueError: if it declares entities.
        """
        self._unzipped += self._size(name)
        if self._unzipped > UNZIPPED:
            raise self.too_much("is too large when it is unzipped", self._unzipped, UNZIPPED, "bytes")
        with super().open(name) as part:
            _refuse_entities(part)
        return super().open(name)

    def read(self, name: Any, *_: Any) -> bytes:
        """Return a part as a whole, for openpyxl.

        Raises:
            InputError: as `open` does; if it is too large for that.
        """
        size = self._size(name)
        if size > _WHOLE:
            raise self.too_much(f"has too large a part `{name}`", size, _WHOLE, "bytes")
        return _usual(super().read(name))

    def elements(self, part: str, *tags: str) -> Iterator[Element]:
        """Yield the elements of some tags in a part. Each is complete, and empty once the next is asked for.

        Raises:
            InputError: as `open` does.
            ValueError: if more lies between two of them than in any workbook, or it is no part of one.
            ParseError: if it is no XML.
        """
        parser: Any = XMLPullParser(("end",))
        count, size, tag = 0, _PIECE, ""
        with self.open(part) as stream:
            while piece := stream.read(size):
                parser.feed(_usual(piece))
                size *= 2  # until an element ends: an unfinished tag is parsed again with every piece
                for _, element in parser.read_events():
                    size, tag = _PIECE, element.tag
                    count += 1
                    if tag in tags:
                        yield element
                        element.clear()
                        count = 0
                    elif count > _ELEMENTS:
                        raise ValueError(f"more than {_ELEMENTS:,} elements are no part of a row or text")
                if size > _LONGEST_TEXT:
                    raise ValueError(f"a text in it has more than {_LONGEST_TEXT:,} characters")
        parser.close()
        if not tag.startswith(_MAIN):  # of the outermost element, which ends last
            raise ValueError(f"`{tag[:_SHOWN]}` is no part of a workbook")

    def texts(self, part: str) -> list[str]:
        """Return the texts that cells refer to by number.

        Raises:
            InputError: if there are more than the limit.
        """
        texts: list[str] = []
        for element in self.elements(part, _SHARED):
            texts.append(_text(element).replace("x005F_", ""))  # escapes an underscore that would begin a code
            if len(texts[-1]) > _LONGEST_CELL:
                raise ValueError(f"a cell holds {len(texts[-1]):,} characters: no more than {_LONGEST_CELL:,} are read")
            if len(texts) > TEXTS:
                raise self.too_much("has too many texts", len(texts), TEXTS, "texts")
        return texts

    def formats(self, part: str) -> list[str]:
        """Return the number format of each style of cells."""
        from openpyxl.styles.numbers import BUILTIN_FORMATS

        own: dict[str, str] = {}
        used: list[str] = []
        for element in self.elements(part, _FORMAT, _STYLES):
            if element.tag == _FORMAT:
                own.setdefault(element.get("numFmtId", ""), element.get("formatCode", ""))
            else:
                used += [style.get("numFmtId", "0") for style in element]
        return [own.get(number) or BUILTIN_FORMATS.get(int(number), "General") for number in used]


def _text(element: Element) -> str:
    """Return the text of a cell in one or several runs, without its pronunciation."""
    runs = (*element.iterfind(f"{_MAIN}t"), *element.iterfind(f"{_MAIN}r/{_MAIN}t"))
    return "".join(run.text or "" for run in runs)


class _SheetReader:
    """Reads the sheets of a workbook, one after another."""

    def __init__(self, archive: _Archive, texts: Sequence[str], formats: Sequence[str], epoch: datetime) -> None:
        from openpyxl.styles.numbers import is_date_format, is_timedelta_format
        from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
        from openpyxl.worksheet._reader import WorkSheetParser

        self._archive, self._formats = archive, formats
        self._letters, self._position, self._bounds = get_column_letter, coordinate_to_tuple, range_boundaries
        usual = [(style, form) for style, form in enumerate(formats) if len(form) <= _LONGEST_FORMAT]
        dates, spans = (
            {style for style, form in usual if is_one(form)} for is_one in (is_date_format, is_timedelta_format)
        )
        self._parse = WorkSheetParser(None, texts, True, epoch, dates, spans).parse_cell
        self._cells = 0

    def read(self, part: str, found: list[Diagnostic]) -> list[Line]:
        """Return the rows of a sheet that are not blank; what is wrong with its cells goes to `found`.

        Raises:
            InputError: if the sheet cannot be read, or has more rows or cells than the limits.
        """
        try:
            return self._lines(part, found)
        except (ArithmeticError, ExpatError, LookupError, SyntaxError, TypeError, ValueError) as error:
            fix = "open it in a spreadsheet program, mend it, and save it again"
            raise InputError(f"cannot be read: {error}", self._archive.place, fix=fix) from error

    def _lines(self, part: str, found: list[Diagnostic]) -> list[Line]:
        lines: list[Line] = []
        hidden_rows: list[int] = []
        hidden_columns: list[tuple[int, int]] = []
        merged: list[str] = []
        number = 0
        for element in self._archive.elements(part, _ROW, _COLUMN, _MERGE):
            if element.tag == _ROW:
                before, number = number, int(element.get("r", number + 1))
                if not before < number <= _LAST_ROW:
                    raise ValueError(f"row {number} comes after row {before}: the last is {_LAST_ROW}")
                if cells := self._texts(element, number, found):
                    lines.append((number, cells))
                    hidden_rows += [number] if _is_hidden(element, "ht") else []
                if len(lines) > ROWS:
                    raise self._archive.too_much("has too many rows", len(lines), ROWS, "rows with a value")
            elif element.tag == _MERGE:
                merged.append(element.get("ref", ""))
                if len(merged) > _MERGED:
                    raise ValueError(f"more than {_MERGED} ranges of cells are merged: undo that")
            elif _is_hidden(element, "width") and len(hidden_columns) < _LAST_COLUMN:
                hidden_columns.append((int(element.get("min", 0)), int(element.get("max", 0))))
        filled = {position for _, cells in lines for position, text in enumerate(cells, 1) if text}
        for cell_range in merged:
            self._cover(lines, cell_range, found)
        found += _hidden_rows(hidden_rows, self._archive.place)
        for first, last in hidden_columns:
            if any(first <= column <= last for column in filled):
                message, letter = "a column is hidden, and holds something", self._letters(first)
                fix = "show it, or delete it"
                found.append(Diagnostic(message, self._archive.place, None, letter, f"column {letter}", fix=fix))
        return lines

    def _texts(self, row: Element, number: int, found: list[Diagnostic]) -> list[str]:
        """Return the texts of a row up to its last cell that holds something."""
        texts: list[str] = []
        last = 0
        for cell in row.iterfind(_CELL):
            reference = cell.get("r")
            try:
                at, column = self._position(reference) if reference else (number, last + 1)
            except ValueError:
                at, column = 0, 0
            if at != number or not last < column <= _LAST_COLUMN:
                raise ValueError(
                    f"cell `{reference or column}` is out of place in row {number}; the last column is XFD"
                )
            last = column
            if text := self._cell_text(cell, number, column, found):
                texts += [""] * (column - 1 - len(texts)) + [text]
                self._cells += 1
        if self._cells > CELLS:
            raise self._archive.too_much("has too many cells", self._cells, CELLS, "cells with a value")
        return texts

    def _cell_text(self, cell: Element, row: int, column: int, found: list[Diagnostic]) -> str:
        """Return the text of a cell, as it would be in a CSV file."""
        wrong, value, formula = "", None, cell.findtext(_FORMULA)
        fix = "write the value itself, or open the workbook in a spreadsheet program, mend it and save it"
        try:
            value = self._value(cell)
        except (ArithmeticError, LookupError, ValueError):
            wrong = "the cell holds an error"
        if isinstance(value, str) and len(value) > _LONGEST_CELL:
            raise ValueError(
                f"a cell in row {row} holds {len(value):,} characters: no more than {_LONGEST_CELL:,} are read"
            )
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if formula is not None and value is None and not wrong:
            wrong = "the formula has no value saved with it"
        elif isinstance(value, time | timedelta):
            wrong, fix = "the cell holds a time", "write the value as text"
        elif is_number:
            number, style = Decimal(repr(value)), int(cell.get("s", 0))
            added = adds(self._formats[style] if 0 <= style < len(self._formats) else "General", number)
            if added == "%":
                return f"{as_text(float(number * 100))} %"
            if added:
                wrong = f"the cell shows more than its number: its format adds `{added}`"
                fix = "write the unit into the cell, as text, and give the cell the format General"
        if wrong:
            shown = f"={formula}" if formula is not None else cell.findtext(_VALUE, "")
            place, at = self._archive.place, f"{self._letters(column)}{row}"
            found.append(Diagnostic(wrong, place, row, at, f"`{shown[:_SHOWN]}`", fix=fix))
            return BAD_CELL
        text = as_text(value)
        return DayCell(text) if isinstance(value, date) else NumberCell(text) if is_number else text

    def _value(self, cell: Element) -> object:
        """Return the value of a cell; None if it has none.

        Raises:
            ValueError: if it holds an error, or a value that is none of its sort. So do ArithmeticError and LookupError.
        """
        inline = cell.find(_INLINE)
        if inline is not None:
            return _text(inline)
        parsed = self._parse(cell)
        value = parsed["value"]
        is_lost = value is None and cell.findtext(_VALUE)  # openpyxl passes over a value of no known sort
        if is_lost or value is not None and parsed["data_type"] == "e":
            raise ValueError(value)
        if isinstance(value, int) and abs(value) >= _LONGEST_WHOLE:
            value = float(value)
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{value} is beyond all numbers")
        return value

    def _cover(self, lines: list[Line], cell_range: str, found: list[Diagnostic]) -> None:
        """Report cells that are merged into one. All but the first are blank, and don't look so."""
        left, top, right, bottom = self._bounds(cell_range)
        fix = "undo the merge, and write the value into each cell"
        found.append(Diagnostic("cells are merged into one", self._archive.place, top, cell_range, fix=fix))
        width = max((len(cells) for _, cells in lines), default=0)
        numbers = [number for number, _ in lines]
        last = min(right, width)
        for number, cells in lines[bisect_left(numbers, top) : bisect_right(numbers, bottom)]:
            cells.extend([""] * (last - len(cells)))
            cells[left - 1 : last] = [
                cells[column - 1] if (number, column) == (top, left) else BAD_CELL for column in range(left, last + 1)
            ]


def _is_hidden(element: Element, size: str) -> bool:
    """Return True if a row or column is hidden, or has no size."""
    text = element.get(size, "")
    return element.get("hidden", "") in _TRUE or text.strip("0.") == "" != text


def _hidden_rows(rows: Sequence[int], place: str) -> Iterator[Diagnostic]:
    """Yield an error if rows are hidden, for example by a filter: by oversight, or because they shouldn't count."""
    if rows:
        named = ", ".join(map(str, rows[:_NAMED])) + (f" and {len(rows) - _NAMED} more" if len(rows) > _NAMED else "")
        message = "a row is hidden, and holds something" if len(rows) == 1 else "rows are hidden, and hold something"
        yield Diagnostic(
            message, place, rows[0], found=f"row {named}", fix="show them (clear the filter), or delete them"
        )


def as_text(value: object) -> str:
    """Return a value as text: a number with a decimal point and no exponent, a date as `2027-01-31`, `yes`, or `no`."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        # The shortest text with this value is what was typed and what the spreadsheet shows.
        number = Decimal(repr(value))
        return f"{number.to_integral_value() if number == number.to_integral_value() else number:f}"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    return str(value).strip()
