"""CSV tables with line numbers, cells parsed by the kind of their column, and all errors collected."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import dropwhile, islice, pairwise
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from ..domain.base import SharedValues, UnreadableError
from ..domain.facts import StatedFact
from ..domain.runtime import with_progress
from ..errors import Diagnostic
from ..inert import cell_inert, original_cell
from .fields import Field, Layout
from .records import Entry
from .textfile import read_text

M = TypeVar("M", bound=BaseModel)

# The halves of a number whose decimal comma was read as a separator.
_BEFORE_COMMA, _AFTER_COMMA = re.compile(r"-?\d+"), re.compile(r"\d{2}\b")
BAD_CELL = "\0"
"""Content of a cell that is already reported as unreadable."""
_NO_COLUMNS: frozenset[str] = frozenset()
MAX_TABLE_BYTES = 500_000_000
MAX_TABLE_ROWS = 2_000_000
"""Maximum rows of a table, and of all tables of a catalog together, since they are in memory."""
MAX_COLUMNS = 1_000
MAX_LINE_LENGTH = 1_000_000
MAX_CELL_LENGTH = 131_072
"""Maximum characters of a cell. Python's parser reads on after an unclosed quote."""
# Maximum characters of a cell in a message.
_MAX_SHOWN = 80
# Number of rows that are searched for a header below a title.
_TITLE_ROWS = 10


class DateCell(str):
    """A cell with a date, such as `2027-01-31`, or a name like MAR1 that a spreadsheet converted."""

    __slots__ = ()


class NumberCell(str):
    """A cell of a workbook with a number instead of digits, so that no decimal sign was typed."""

    __slots__ = ()


class TableRow(Entry):
    """A row of a table."""

    __slots__ = ("cells", "line", "table")

    def __init__(self, table: Table, line: int, cells: list[str]) -> None:
        self.table = table
        self.line = line
        self.cells = cells
        self.values = {}
        self.bad = _NO_COLUMNS

    @property
    def layout(self) -> Layout:
        return self.table.layout

    @property
    def others(self) -> dict[str, Any]:
        return {name: self.cells[at] for name, at in self.table.others.items() if self.cells[at]}

    @property
    def facts(self) -> tuple[StatedFact, ...]:
        declared = self.layout.declared
        if not declared:
            return ()
        # A list without a word, `;`, states nothing.
        stated = sorted(name for name, value in self.values.items() if name in declared and value != frozenset())
        return tuple(StatedFact.of(name, declared[name], self.values[name]) for name in stated)

    def text(self, column: str) -> str:
        position = self.table.columns.get(column, self.table.others.get(column))
        return self.cells[position] if position is not None else ""

    def problem(self, column: str, message: str, expected: str = "", fix: str = "", code: str = "") -> None:
        self.table.report(message, self.line, column, _shown(self.text(column)), expected, fix, code)

    def with_shared_values(self, record: M) -> M:
        return self.table.sharing.record(record)

    def shared_record(self, model: type[M], fields: Mapping[str, object]) -> M | None:
        """Return the record of these fields like `record_from`, but the same object for all rows with equal fields."""
        if self.bad:
            return self.record_from(model, fields)
        key = (model, *fields, *fields.values())
        record = self.table.records.get(key)
        if not isinstance(record, model):  # new, or invalid, which is reported for every row
            record = self.record_from(model, fields)
            if record is not None:
                self.table.records[key] = record
        return record


@dataclass(slots=True)
class Table:
    """A table after reading."""

    layout: Layout
    file: str
    problems: list[Diagnostic]
    """List that receives errors."""
    columns: dict[str, int] = field(default_factory=dict)
    """Column -> position."""
    others: dict[str, int] = field(default_factory=dict)
    """Column outside the layout -> position, if the layout keeps such columns."""
    misspelled: frozenset[str] = _NO_COLUMNS
    """Columns that the header seems to misspell. They are bad in every row."""
    rows: list[TableRow] = field(default_factory=list)
    head_line: int = 1
    separator: str = ","
    is_complete: bool = True
    """True if every row is present with its `id`. Otherwise, unknown ids aren't errors."""
    sharing: SharedValues = field(default_factory=SharedValues)
    records: dict[tuple[object, ...], BaseModel] = field(default_factory=dict)
    """Record by its fields, shared by all equal rows."""

    def report(
        self,
        message: str,
        row: int | None = None,
        column: str = "",
        found: str = "",
        expected: str = "",
        fix: str = "",
        code: str = "",
    ) -> None:
        self.problems.append(Diagnostic(message, self.file, row, column, found, expected, fix, code))

    def drop_rows(self) -> None:
        self.rows = []

    def drop_excess_rows(self, found: str, unit: str = "rows") -> None:
        """Drop the rows because there are too many, and report the number."""
        self.drop_rows()
        self.is_complete = False
        fix = "delete rows that no demand can use, or plan some materials in a separate case"
        self.report(f"has too many {unit}", found=found, expected=f"at most {MAX_TABLE_ROWS:,}", fix=fix, code="FS051")

    def unique(self, *, last: bool = False, fix: str = "delete or rename one of the two") -> Iterator[TableRow]:
        """Yield the rows with a new key, and report the others. If this is the `last` use, free each row after it."""
        columns = self.layout.key
        rows = self.rows
        empty_row = TableRow(self, 0, [])
        if last:
            self.drop_rows()
        first_lines: dict[object, int] = {}
        single = columns[0] if len(columns) == 1 else ""
        for number, row in enumerate(with_progress(rows, f"reading {self.file}", "rows")):
            if last:
                rows[number] = empty_row
            if row.bad and not row.bad.isdisjoint(columns):
                yield row
                continue
            key = row.values.get(single) if single else tuple([row.values.get(c) for c in columns])
            first = first_lines.setdefault(key, row.line)
            if first == row.line:
                yield row
            else:
                message = f"line {first} already has the same {', '.join(columns)}"
                row.problem(columns[0], message, fix=fix, code="FS062")


def _shown(text: str) -> str:
    if not text:
        return "a blank cell"
    return f"`{text}`" if len(text) <= _MAX_SHOWN else f"`{text[:_MAX_SHOWN]}…` ({len(text):,} characters)"


def read_table(
    path: Path,
    layout: Layout,
    problems: list[Diagnostic],
    separator: str = ",",
    header: int = 1,
    *,
    parsed: bool = True,
) -> Table:
    """Read a CSV table from the line `header` on. It has no rows if it can't be read. An empty `separator` means the one of the first line."""
    table = Table(layout, str(path), problems)
    text = read_text(path, problems, MAX_TABLE_BYTES)
    table.is_complete = text is not None
    if text is not None:
        table.separator = separator or _separator(text)
        lines = _lines(_physical(text), table)
        if '"""' in text:  # only then can a cell start with a quote
            lines = ((line, [*map(_as_typed, cells)]) for line, cells in lines)
        fill(table, dropwhile(lambda line: line[0] < header, lines), parsed)
    return table


def _separator(text: str) -> str:
    """Return the semicolon or tab of a first line without commas, or else a comma."""
    head = next(filter(str.strip, io.StringIO(text)), "")
    return next((char for char in ";\t" if char in head and "," not in head), ",")


def _as_typed(cell: str) -> str:
    """Return the text of a cell that was escaped for spreadsheets. Others are unchanged."""
    typed = original_cell(cell)
    return typed if typed is cell or cell_inert(typed) == cell else cell


def _physical(text: str) -> Iterator[str]:
    """Yield the lines of a text with their line ends. Raise csv.Error if one is too long."""
    for line in io.StringIO(text, newline=""):
        if len(line) > MAX_LINE_LENGTH:
            raise csv.Error(f"a line has {len(line):,} characters, more than {MAX_LINE_LENGTH:,}")
        yield line


def fill(table: Table, lines: Iterator[tuple[int, list[str]]], parsed: bool = True) -> None:
    """Parse the lines of a table, header first. Lines are numbered, cells are stripped, and blank lines are omitted."""
    header = next(lines, None)
    if header is None:
        table.is_complete = False
        table.report("is empty", expected="a header line with " + ", ".join(table.layout.names), code="FS058")
        return
    table.head_line, cells = header[0], [*map(table.layout.heading, header[1])]
    lines = islice(lines, MAX_TABLE_ROWS + 1)
    if set(cells).isdisjoint(table.layout.names):
        rest = list(lines)
        if _report_title_rows(header, rest, table):
            return
        lines = iter(rest)
    if not _read_header(cells, table):
        table.is_complete = False
        return
    width = len(cells)
    table.rows = [
        TableRow(table, line, cells) if len(cells) == width else _row_of_wrong_width(line, cells, width, table)
        for line, cells in lines
    ]
    if len(table.rows) > MAX_TABLE_ROWS:
        table.drop_excess_rows(f"more than {MAX_TABLE_ROWS:,}")
        return
    fields = table.layout.fields if parsed else ()
    for column in with_progress(fields, f"reading {table.file}", "columns", 1):
        if column.name in table.columns:
            _parse(table, column)
        elif column.required or column.name in table.misspelled:
            for row in table.rows:
                row.bad |= {column.name}
    if "id" in table.layout.names and not all("id" in row.values for row in table.rows):
        table.is_complete = False


def _report_title_rows(first: tuple[int, list[str]], rest: list[tuple[int, list[str]]], table: Table) -> bool:
    """Return True, and report only that, if the header is below title rows."""
    names = table.layout.names
    for line, cells in rest[:_TITLE_ROWS]:
        if len(set(cells) & set(names)) >= min(2, len(names)):
            table.head_line, table.is_complete = line, False
            table.report(
                f"looks like a title; the header is in row {line}",
                row=first[0],
                found=f"`{' '.join(cell for cell in first[1] if cell and cell != BAD_CELL)[:60]}`",
                expected="the header in the first row",
                fix=f"delete the rows above row {line}, or write header = {line} under [sheet] of a map",
                code="FS059",
            )
            return True
    return False


def _lines(stream: Iterable[str], table: Table) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(stream, strict=True, delimiter=table.separator)
    before = 0
    # Most cells repeat names of materials, facilities, and sources, and records keep their texts.
    shared_texts: dict[str, str] = {}
    share = shared_texts.setdefault
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            stripped = [share(text, text) for text in map(str.strip, cells)]
            if any(stripped):
                yield line, stripped
    except csv.Error as error:
        table.is_complete = False
        if "field limit" in str(error):
            error = csv.Error(f"a cell has more than {MAX_CELL_LENGTH:,} characters")
        table.report(f"isn't valid CSV from here on: {error}", row=before + 1, fix="check the quotes", code="FS057")


def _read_header(cells: list[str], table: Table) -> bool:
    """Fill `table.columns`. Return False if the rows can't be interpreted."""
    names = table.layout.names
    if len(cells) > MAX_COLUMNS:
        more = f"{len(cells):,}", f"at most {MAX_COLUMNS:,}", "delete columns that aren't needed"
        table.report("has too many columns", table.head_line, "", *more, code="FS051")
        return False
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t") and len(names) > 1:
        table.report(
            "the columns aren't separated by commas",
            row=table.head_line,
            found=f"`{cells[0]}`",
            expected=",".join(names),
            fix="save the table with commas between the columns",
            code="FS057",
        )
        return False
    misspelled: set[str] = set()
    for position, name in enumerate(cells):
        if name == BAD_CELL:
            continue
        if name in table.columns or name in table.others:
            message, fix = "two columns have this name", "delete one of them"
            table.report(message, row=table.head_line, column=name, fix=fix, code="FS005")
        elif name in names:
            table.columns[name] = position
        else:
            misspelled |= _read_other(position, name, [n for n in names if n not in cells], table)
    table.misspelled = frozenset(misspelled)
    for column in table.layout.fields:
        if column.required and column.name not in table.columns and column.name not in misspelled:
            message = "a required column is missing"
            table.report(message, table.head_line, column.name, expected=column.expected, code="FS002")
    return True


def _read_other(position: int, name: str, free: list[str], table: Table) -> set[str]:
    """Keep or reject a column outside the layout. Return the missing column that it probably misspells, if there is one."""
    near = table.layout.misspelled(name, free)
    if table.layout.others == "kept" and name and near is None:
        table.others[name] = position
        return set()
    suggested = f"did you mean `{near}`?" if near else ""
    fix = table.layout.unknown_key_fix(name, suggested)
    table.report(
        "unknown column",
        row=table.head_line,
        column=name,
        found=f"`{name}`" if name else "a column without a name",
        expected="one of " + ", ".join(table.layout.names),
        fix=fix or "delete the column",
        code="FS001",
    )
    return {near} if near and fix == suggested else set()


def _row_of_wrong_width(line: int, cells: list[str], width: int, table: Table) -> TableRow:
    """Return a row with the wrong number of cells. Only its id is kept, so that references to it aren't errors too."""
    too_many = len(cells) > width
    fix = "put quotes around cells that contain a comma" if too_many else "add commas for blank cells"
    halves = (p for p in pairwise(cells) if _BEFORE_COMMA.fullmatch(p[0]) and _AFTER_COMMA.match(p[1]))
    if too_many and (split := next(halves, None)) is not None:
        fix = f"write {split[0]}.{split[1]} (with a point as the decimal separator)"
    table.report(
        "the row has too many cells" if too_many else "the row has too few cells",
        row=line,
        found=f"{len(cells)} cells",
        expected=f"{width}, as in the header",
        fix=fix,
        code="FS060",
    )
    name = cells[0] if table.columns.get("id") == 0 else ""
    row = TableRow(table, line, (cells + [""] * width)[:width])
    row.values = {"id": name} if name else {}
    row.bad = frozenset(table.layout.names)
    return row


def _parse(table: Table, column: Field) -> None:
    """Parse a column. Equal cells are parsed and stored once."""
    position, name, required = table.columns[column.name], column.name, column.required
    parsed: dict[str, tuple[str, object]] = {}
    has_names, all_columns = "pattern" in column.kind.text, frozenset(table.layout.names)
    for row in table.rows:
        text = row.cells[position]
        if not (text or required) or (row.bad and row.bad == all_columns):
            continue
        result = parsed.get(text)
        if result is None or (has_names and isinstance(text, DateCell)):
            result = _parse_cell(column, row, text)
            if result is None:
                row.bad |= {name}
                continue
            parsed[text] = result
        row.cells[position], row.values[name] = result


def _parse_cell(column: Field, row: TableRow, text: str) -> tuple[str, object] | None:
    if text == BAD_CELL:
        return None
    if not text:
        row.problem(column.name, "a required cell is blank", expected=column.expected, code="FS004")
    elif isinstance(text, DateCell) and "pattern" in column.kind.text:
        fix = "set the cell's format to `text`, and write the name again"
        row.problem(column.name, "the cell contains a date", f"a {column.kind.name}", fix, code="FS061")
    else:
        try:
            return text, column.kind.read(text)
        except UnreadableError as error:
            row.problem(column.name, "cannot be read", error.expected, error.fix, error.code)
    return None
