"""Reading of workbooks as rows of text, with an error for everything that a spreadsheet hides. openpyxl, an extra (`pip install
"friendshore[xlsx]"`), reads the list of sheets and the values of cells. It is imported when a workbook is read. Its `load_workbook` isn't used: to
report hidden rows it keeps all cells in memory, and it fails on styles and filters that no table needs.
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
from .csvfile import BAD_CELL, DateCell, NumberCell, Table, fill
from .fields import Layout
from .textfile import OLD_WORKBOOK, non_file_diagnostic

SUFFIX = ".xlsx"
PRIVATE = "_"
OWN_NOTES = frozenset({"notes", "note", "readme", "read me", "about", "legend", "changelog"})
"""Names of sheets for people, which aren't read either."""
MAX_FILES = 2_000
MAX_UNZIPPED_BYTES = 100_000_000
MAX_TEXTS = 1_000_000
MAX_ROWS = 200_000
MAX_CELLS = 2_000_000
# Maximum bytes of a part that openpyxl reads at once, such as the list of sheets.
_MAX_LIST_BYTES = 4_000_000
# Maximum elements kept before one is complete. A row has fewer.
_MAX_ELEMENTS = 1_000_000
# The last cell of a sheet in every spreadsheet program is XFD1048576.
_LAST_ROW, _LAST_COLUMN = 1_048_576, 16_384
# Maximum ranges of merged cells, each of which is reported.
_MAX_MERGED = 100
# Maximum characters of a cell, and of a number format, that every spreadsheet program keeps.
_MAX_CELL_LENGTH = 32_767
_MAX_FORMAT_LENGTH = 255
# Spreadsheets keep 15 digits, so larger numbers aren't exact integers.
_MAX_INTEGER = 10**18
# Maximum characters of a cell in a message.
_MAX_SHOWN = 80
# Maximum hidden rows in a message.
_MAX_HIDDEN_SHOWN = 10
# Bytes to parse at a time. With many more, the elements of a piece leave the processor's cache, and reading takes twice as long.
_PIECE = 1 << 14
# In every workbook, an element ends within this many characters.
_MAX_ELEMENT_LENGTH = 1_000_000
_TRUE = frozenset({"1", "true", "on"})

Line = tuple[int, list[str]]
"""Number of a row, and the texts of its cells."""

# Exceptions for files that aren't workbooks.
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

_PLAIN = r"[0-9#?.,/@ +()\xa0\u202f-]"
# A token of a number format. The group `digits` shows the number, and every other group adds a text to it.
_TOKEN = re.compile(
    rf'"(?P<quoted>[^"]*)"|\\(?:{_PLAIN}|(?P<escaped>.))|\[\$(?P<currency>[^\]-]*)[^\]]*\]|(?P<condition>\[[<>=][^\]]*\])'
    rf"|[_*].|\[[^\]]*\]|E[+-]|(?P<digits>General|@|[0#?][0#?,]*)|{_PLAIN}|(?P<sign>.)",
    re.DOTALL | re.IGNORECASE,
)


def added_text(number_format: str, value: Decimal) -> str:
    """Return the text that a number format adds to the digits of a number, or an empty string. A share shown in hundredths adds `%`. Rounding adds nothing, since it keeps the unit."""
    if len(number_format) > _MAX_FORMAT_LENGTH:
        return f"the text of a format with {len(number_format):,} characters"
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
        return "nothing (the number is hidden)"
    # A comma after the last digit shows thousands.
    return f"{added} (in thousands)".strip() if any(token.endswith(",") for token in digits) else added


@dataclass(frozen=True, slots=True)
class Workbook:
    """The sheets of a workbook."""

    file: str
    sheets: Mapping[str, list[Line]]
    """Rows of each sheet that aren't blank, without blank and private sheets."""
    problems: Mapping[str, list[Diagnostic]] = field(default_factory=dict)
    """Errors in the cells of each sheet. They count only if the sheet is read as a table."""

    def place(self, sheet: str) -> str:
        return f"{self.file}, sheet {sheet}"

    def named(self, name: str) -> str | None:
        """Return the sheet with a name, ignoring case. None if there is none."""
        return next((sheet for sheet in self.sheets if sheet.strip().casefold() == name.casefold()), None)


def is_workbook(path: Path) -> bool:
    return path.suffix.lower() == SUFFIX


def read_workbook(
    path: Path, problems: list[Diagnostic], also: Collection[str] = (), form: Collection[str] = ()
) -> Workbook:
    """Read a workbook, and the private sheets in `also`. If it can't be read, an error is added to `problems` and no sheet is returned.

    With `form`, only the sheets in it are read. They belong to a known form, whose cells are read by their positions, so that hidden and merged cells
    are part of it.

    A formula has the value that the spreadsheet saved with it. A share in percent is read as shown. These are errors, since people see something
    else than what is read:

    - formulas without a value, errors such as `#N/A`, and merged cells, which would pass for blank cells
    - hidden sheets, rows, and columns that contain something
    - numbers with a format that changes their meaning

    Raises:
        InputError: If openpyxl isn't installed.
    """
    try:
        import openpyxl  # noqa: F401 (an extra)
    except ImportError as error:
        fix = 'pip install "friendshore[xlsx]", or convert the workbook to a folder on a computer with it'
        message = "workbooks require openpyxl, which isn't installed"
        raise InputError(message, str(path), fix=fix, code="FS070") from error
    not_a_file = non_file_diagnostic(path)
    if not_a_file is not None:
        problems.append(not_a_file)
        return Workbook(str(path), {})
    try:
        with warnings.catch_warnings(), _Archive(path) as archive:
            warnings.simplefilter("ignore")  # openpyxl warns of parts that it ignores
            return _read(path, archive, also, form)
    except InputError as error:
        problems.extend(error.problems)
    except _BROKEN as error:
        reason = (
            "its list of sheets is damaged" if isinstance(error, AttributeError | KeyError | TypeError) else str(error)
        )
        reason = "it is an old `.xls`, or has a password" if _is_old_format(path) else reason
        problems.append(
            Diagnostic(
                f"cannot be read as a workbook: {reason}",
                str(path),
                expected="an .xlsx workbook without a password",
                fix="open it in a spreadsheet program and save it as .xlsx",
                code="FS071",
            )
        )
    return Workbook(str(path), {})


def sheet_table(book: Workbook, sheet: str, layout: Layout, problems: list[Diagnostic]) -> Table:
    lines = book.sheets[sheet]
    table = Table(layout, book.place(sheet), problems)
    width = max((len(cells) for _, cells in lines), default=0)
    padded: list[Line] = [(number, cells + [""] * (width - len(cells))) for number, cells in lines]
    fill(table, iter(padded))
    # `fill` has already reported the rows above the header.
    problems.extend(p for p in book.problems.get(sheet, ()) if p.row is None or p.row >= table.head_line)
    return table


def _read(path: Path, archive: _Archive, also: Collection[str], form: Collection[str]) -> Workbook:
    from openpyxl.packaging.relationship import get_dependents
    from openpyxl.reader.workbook import WorkbookParser

    main = [link.target for link in get_dependents(archive, "_rels/.rels") if _part_kind(link) == "officeDocument"]
    if not main:
        raise ValueError("it has no list of sheets")
    package = WorkbookParser(archive, main[0], keep_links=False)
    package.parse()
    parts = {_part_kind(link): link.target for link in package.rels.values() if link.target in archive.NameToInfo}
    texts = archive.texts(parts["sharedStrings"]) if "sharedStrings" in parts else []
    formats = archive.formats(parts["styles"]) if "styles" in parts else []
    reader = _SheetReader(archive, texts, formats, package.wb.epoch)
    lines: dict[str, list[Line]] = {}
    problems: dict[str, list[Diagnostic]] = {}
    for sheet, link in package.find_sheets():
        name = sheet.name
        is_private = name.startswith(PRIVATE) or name.strip().casefold() in OWN_NOTES
        is_wanted = name in form if form else not is_private or name in also
        if _part_kind(link) == "worksheet" and is_wanted:
            archive.place = f"{path}, sheet {name}"
            problems[name] = []
            if sheet.state != "visible" and not form:
                fix = f"show or delete the sheet, or start its name with `{PRIVATE}` to leave it out"
                problems[name].append(Diagnostic("the sheet is hidden", archive.place, fix=fix, code="FS072"))
            if sheet_lines := reader.read(link.target, problems[name], is_form=bool(form)):
                lines[name] = sheet_lines
    return Workbook(str(path), lines, problems)


def _part_kind(link: Any) -> str:
    return str(link.Type).rpartition("/")[2]


def _is_old_format(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(OLD_WORKBOOK)) == OLD_WORKBOOK


def value_of_key(path: Path, sheet: str = "catalog", key: str = "name") -> str:
    """Return a key's value in a sheet of keys and values, or else the file's stem. Errors are ignored, because the caller reads the workbook again."""
    book = read_workbook(path, [])
    name = book.named(sheet)
    rows = book.sheets[name] if name is not None else []
    return next((cells[1] for _, cells in rows if len(cells) > 1 and cells[0] == key and cells[1]), path.stem)


_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ROW, _CELL, _FORMULA, _VALUE, _INLINE = (f"{_MAIN}{name}" for name in ("row", "c", "f", "v", "is"))
_COLUMN, _MERGE, _SHARED = (f"{_MAIN}{name}" for name in ("col", "mergeCell", "si"))
_FORMAT, _STYLES = f"{_MAIN}numFmt", f"{_MAIN}cellXfs"
# Namespaces of workbooks that Excel saves as "Strict Open XML", which openpyxl doesn't know.
_STRICT = re.compile(rb"http://purl\.oclc\.org/ooxml/(spreadsheetml|officeDocument)/(main|relationships)")


def _with_usual_namespaces(xml: bytes) -> bytes:
    return _STRICT.sub(rb"http://schemas.openxmlformats.org/\1/2006/\2", xml)


def _reject_entities(part: IO[bytes]) -> None:
    """Raise ValueError if the beginning of a part declares a document type, or has no element. A few entities can stand for any amount of text."""
    parser = ParserCreate()
    elements: list[str] = []

    def refuse(*_: object) -> None:
        raise ValueError("it declares a document type, which no spreadsheet program does")

    parser.StartDoctypeDeclHandler = refuse
    parser.StartElementHandler = lambda name, _: elements.append(name)
    parser.Parse(part.read(_PIECE), False)
    if not elements:
        raise ValueError("it isn't XML")


class _Archive(ZipFile):
    """The zip of a workbook, which checks each part before unpacking it."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.place = str(path)
        """File, and sheet if one is being read, for messages."""
        self._unzipped = 0
        if len(self.infolist()) > MAX_FILES:
            raise self.limit_error("contains too many files", len(self.infolist()), MAX_FILES, "files")

    def limit_error(self, message: str, count: int, limit: int, unit: str) -> InputError:
        found = f"{count:,} {unit}" if count > limit + 1 else f"more than {limit:,} {unit}"
        fix = "delete what isn't needed, or keep the tables as CSV files in a folder"
        return InputError(message, self.place, None, "", found, f"at most {limit:,} {unit}", fix, code="FS051")

    def _size(self, name: str) -> int:
        if name not in self.NameToInfo:
            raise ValueError(f"it has no part `{name}`")
        return self.NameToInfo[name].file_size

    def open(self, name: Any, *_: Any, **__: Any) -> IO[bytes]:
        """Open a part. Raise InputError if it exceeds the limit, and ValueError if it declares entities."""
        self._unzipped += self._size(name)
        if self._unzipped > MAX_UNZIPPED_BYTES:
            raise self.limit_error("is too large when unzipped", self._unzipped, MAX_UNZIPPED_BYTES, "bytes")
        with super().open(name) as part:
            _reject_entities(part)
        return super().open(name)

    def read(self, name: Any, *_: Any) -> bytes:
        """Return a whole part, for openpyxl. Raise InputError if it is too large."""
        size = self._size(name)
        if size > _MAX_LIST_BYTES:
            raise self.limit_error(f"has too large a part `{name}`", size, _MAX_LIST_BYTES, "bytes")
        return _with_usual_namespaces(super().read(name))

    def elements(self, part: str, *tags: str) -> Iterator[Element]:
        """Yield the complete elements of some tags in a part, each emptied before the next. Raise InputError if it exceeds the limit, and ValueError or ParseError if it isn't part of a workbook."""
        parser: Any = XMLPullParser(("end",))
        count, size, tag = 0, _PIECE, ""
        with self.open(part) as stream:
            while piece := stream.read(size):
                parser.feed(_with_usual_namespaces(piece))
                size *= 2  # until an element ends: an unfinished tag is parsed again with every piece
                for _, element in parser.read_events():
                    size, tag = _PIECE, element.tag
                    count += 1
                    if tag in tags:
                        yield element
                        element.clear()
                        count = 0
                    elif count > _MAX_ELEMENTS:
                        raise ValueError(f"more than {_MAX_ELEMENTS:,} elements belong to no row or text")
                if size > _MAX_ELEMENT_LENGTH:
                    raise ValueError(f"a text in it has more than {_MAX_ELEMENT_LENGTH:,} characters")
        parser.close()
        if not tag.startswith(_MAIN):  # the outermost element, which ends last
            raise ValueError(f"`{tag[:_MAX_SHOWN]}` isn't part of a workbook")

    def texts(self, part: str) -> list[str]:
        texts: list[str] = []
        for element in self.elements(part, _SHARED):
            texts.append(_text(element).replace("x005F_", ""))  # the escape of an underscore before a code
            if len(texts[-1]) > _MAX_CELL_LENGTH:
                raise ValueError(f"a cell has {len(texts[-1]):,} characters, more than {_MAX_CELL_LENGTH:,}")
            if len(texts) > MAX_TEXTS:
                raise self.limit_error("has too many texts", len(texts), MAX_TEXTS, "texts")
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
    """Return the text of a cell, without its pronunciation."""
    runs = (*element.iterfind(f"{_MAIN}t"), *element.iterfind(f"{_MAIN}r/{_MAIN}t"))
    return "".join(run.text or "" for run in runs)


class _SheetReader:
    def __init__(self, archive: _Archive, texts: Sequence[str], formats: Sequence[str], epoch: datetime) -> None:
        from openpyxl.styles.numbers import is_date_format, is_timedelta_format
        from openpyxl.utils import coordinate_to_tuple, get_column_letter, range_boundaries
        from openpyxl.worksheet._reader import WorkSheetParser

        self._archive, self._formats = archive, formats
        self._letters, self._position, self._bounds = get_column_letter, coordinate_to_tuple, range_boundaries
        usual = [(style, text) for style, text in enumerate(formats) if len(text) <= _MAX_FORMAT_LENGTH]
        dates = {style for style, text in usual if is_date_format(text)}
        spans = {style for style, text in usual if is_timedelta_format(text)}
        self._parse = WorkSheetParser(None, texts, True, epoch, dates, spans).parse_cell
        self._cells = 0

    def read(self, part: str, problems: list[Diagnostic], is_form: bool = False) -> list[Line]:
        """Return the rows of a sheet that aren't blank. Raise InputError if it can't be read or exceeds the limits."""
        try:
            return self._lines(part, problems, is_form)
        except (ArithmeticError, ExpatError, LookupError, SyntaxError, TypeError, ValueError) as error:
            fix = "open it in a spreadsheet program, repair it, and save it again"
            raise InputError(f"cannot be read: {error}", self._archive.place, fix=fix, code="FS071") from error

    def _lines(self, part: str, problems: list[Diagnostic], is_form: bool) -> list[Line]:
        lines: list[Line] = []
        hidden_rows: list[int] = []
        hidden_columns: list[tuple[int, int]] = []
        merged: list[str] = []
        number = 0
        for element in self._archive.elements(part, _ROW, *(() if is_form else (_COLUMN, _MERGE))):
            if element.tag == _ROW:
                before, number = number, int(element.get("r", number + 1))
                if not before < number <= _LAST_ROW:
                    raise ValueError(f"row {number} is after row {before}, and the last possible row is {_LAST_ROW}")
                if cells := self._texts(element, number, problems):
                    lines.append((number, cells))
                    hidden_rows += [number] if _is_hidden(element, "ht") else []
                if len(lines) > MAX_ROWS:
                    raise self._archive.limit_error("has too many rows", len(lines), MAX_ROWS, "rows with a value")
            elif element.tag == _MERGE:
                merged.append(element.get("ref", ""))
                if len(merged) > _MAX_MERGED:
                    raise ValueError(f"more than {_MAX_MERGED} ranges of cells are merged")
            elif _is_hidden(element, "width") and len(hidden_columns) < _LAST_COLUMN:
                hidden_columns.append((int(element.get("min", 0)), int(element.get("max", 0))))
        filled = {position for _, cells in lines for position, text in enumerate(cells, 1) if text}
        for cell_range in merged:
            self._report_merged(lines, cell_range, problems)
        problems += _hidden_row_problems([] if is_form else hidden_rows, self._archive.place)
        for first, last in hidden_columns:
            if any(first <= column <= last for column in filled):
                message, letter, fix = "a hidden column isn't empty", self._letters(first), "show it, or delete it"
                place = self._archive.place
                problems.append(Diagnostic(message, place, None, letter, f"column {letter}", fix=fix, code="FS072"))
        return lines

    def _texts(self, row: Element, number: int, problems: list[Diagnostic]) -> list[str]:
        texts: list[str] = []
        last = 0
        for cell in row.iterfind(_CELL):
            reference = cell.get("r")
            try:
                at, column = self._position(reference) if reference else (number, last + 1)
            except ValueError:
                at, column = 0, 0
            if at != number or not last < column <= _LAST_COLUMN:
                raise ValueError(f"cell `{reference or column}` isn't in its place in row {number}")
            last = column
            if text := self._cell_text(cell, number, column, problems):
                texts += [""] * (column - 1 - len(texts)) + [text]
                self._cells += 1
        if self._cells > MAX_CELLS:
            raise self._archive.limit_error("has too many cells", self._cells, MAX_CELLS, "cells with a value")
        return texts

    def _cell_text(self, cell: Element, row: int, column: int, problems: list[Diagnostic]) -> str:
        message, code, value, formula = "", "FS074", None, cell.findtext(_FORMULA)
        fix = "write the value itself, or open the workbook in a spreadsheet program, repair it, and save it"
        try:
            value = self._value(cell)
        except (ArithmeticError, LookupError, ValueError):
            message = "the cell contains an error"
        if isinstance(value, str) and len(value) > _MAX_CELL_LENGTH:
            raise ValueError(f"a cell in row {row} has {len(value):,} characters, more than {_MAX_CELL_LENGTH:,}")
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        # Excel saves the empty text of a formula as an empty value of this type. A formula that was never calculated has no type.
        is_empty_text = cell.get("t") == "str" and cell.find(_VALUE) is not None
        if formula is not None and value is None and not message and not is_empty_text:
            message = "the formula has no saved value"
        elif isinstance(value, time | timedelta):
            message, fix = "the cell contains a time", "write the value as text"
        elif is_number:
            number, style = Decimal(repr(value)), int(cell.get("s", 0))
            added = added_text(self._formats[style] if 0 <= style < len(self._formats) else "General", number)
            if added == "%":
                return f"{as_text(float(number * 100))}%"
            if added:
                message, code = f"the cell's format adds `{added}` to its number", "FS075"
                fix = "write the unit into the cell as text, and set the cell's format to General"
        if message:
            shown = f"={formula}" if formula is not None else cell.findtext(_VALUE, "")
            place, address = self._archive.place, f"{self._letters(column)}{row}"
            problems.append(Diagnostic(message, place, row, address, f"`{shown[:_MAX_SHOWN]}`", fix=fix, code=code))
            return BAD_CELL
        text = as_text(value)
        return DateCell(text) if isinstance(value, date) else NumberCell(text) if is_number else text

    def _value(self, cell: Element) -> object:
        """Return the value of a cell, or None. Raise ValueError, ArithmeticError, or LookupError if it is an error, or doesn't have its type."""
        inline = cell.find(_INLINE)
        if inline is not None:
            return _text(inline)
        parsed = self._parse(cell)
        value = parsed["value"]
        is_lost = value is None and cell.findtext(_VALUE)  # openpyxl ignores values of unknown types
        if is_lost or value is not None and parsed["data_type"] == "e":
            raise ValueError(value)
        if isinstance(value, int) and abs(value) >= _MAX_INTEGER:
            value = float(value)
        if isinstance(value, float) and not isfinite(value):
            raise ValueError(f"{value} isn't a finite number")
        return value

    def _report_merged(self, lines: list[Line], cell_range: str, problems: list[Diagnostic]) -> None:
        """Report merged cells. All but the first are blank, although they don't look blank."""
        left, top, right, bottom = self._bounds(cell_range)
        message, fix = "cells are merged", "unmerge them, and write the value into each cell"
        problems.append(Diagnostic(message, self._archive.place, top, cell_range, fix=fix, code="FS073"))
        width = max((len(cells) for _, cells in lines), default=0)
        numbers = [number for number, _ in lines]
        last = min(right, width)
        for number, cells in lines[bisect_left(numbers, top) : bisect_right(numbers, bottom)]:
            cells.extend([""] * (last - len(cells)))
            cells[left - 1 : last] = [
                cells[column - 1] if (number, column) == (top, left) else BAD_CELL for column in range(left, last + 1)
            ]


def _is_hidden(element: Element, size: str) -> bool:
    text = element.get(size, "")
    return element.get("hidden", "") in _TRUE or text.strip("0.") == "" != text


def _hidden_row_problems(rows: Sequence[int], place: str) -> Iterator[Diagnostic]:
    # It is unclear whether hidden rows, for example of a filter, should count.
    if rows:
        numbers, more = ", ".join(map(str, rows[:_MAX_HIDDEN_SHOWN])), len(rows) - _MAX_HIDDEN_SHOWN
        message = "a hidden row isn't empty" if len(rows) == 1 else "hidden rows aren't empty"
        found = f"row {numbers}" + (f" and {more} more" if more > 0 else "")
        fix = "show them (clear the filter), or delete them"
        yield Diagnostic(message, place, rows[0], found=found, fix=fix, code="FS072")


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
