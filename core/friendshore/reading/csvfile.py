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
from ..domain.suggest import did_you_mean, nearest
from ..errors import Diagnostic
from ..inert import cell_inert, original_cell
from .fields import Field, Layout
from .records import Entry
from .textfile import read_text

M = TypeVar("M", bound=BaseModel)

_WHOLE, _REST = re.compile(r"-?\d+"), re.compile(r"\d{2}\b")
"""Both halves of a number whose decimal comma was read as a separator."""
BAD_CELL = "\0"
"""Content of a cell that is already reported as unreadable."""
BLANK: frozenset[str] = frozenset()
MAX_TABLE_BYTES = 500_000_000
"""Maximum bytes of a file."""
TABLE_ROWS = 2_000_000
"""Maximum rows of a table, and of all tables of a catalog together, since they are in memory."""
COLUMNS = 1_000
"""Maximum columns of a table."""
MAX_LINE_LENGTH = 1_000_000
"""Maximum characters of a line."""
MAX_CELL_LENGTH = 131_072
"""Maximum characters of a cell. Python's parser reads on after an unclosed quote."""
_LONGEST = 80
"""Maximum characters of a cell in a message."""
_TITLES = 10
"""Number of rows that are searched for a header below a title."""


class DayCell(str):
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
        self.bad = BLANK

    @property
    def layout(self) -> Layout:
        """Return the columns of the table."""
        return self.table.layout

    @property
    def others(self) -> dict[str, Any]:
        """Return the cells of other columns that aren't blank."""
        return {name: self.cells[at] for name, at in self.table.others.items() if self.cells[at]}

    @property
    def facts(self) -> tuple[StatedFact, ...]:
        """Return the facts that the row states in columns that plugins declare."""
        declared = self.layout.declared
        if not declared:
            return ()
        # A list without a word, `;`, states nothing.
        stated = sorted(name for name, value in self.values.items() if name in declared and value != frozenset())
        return tuple(StatedFact.of(name, declared[name], self.values[name]) for name in stated)

    def text(self, column: str) -> str:
        """Return the text of a cell."""
        position = self.table.columns.get(column, self.table.others.get(column))
        return self.cells[position] if position is not None else ""

    def problem(self, column: str, message: str, expected: str = "", fix: str = "", code: str = "") -> None:
        """Report a mistake in a cell."""
        self.table.tell(message, self.line, column, _shown(self.text(column)), expected, fix, code)

    def shared(self, record: M) -> M:
        """Return a new record, which shares equal lists and sets with others of the table."""
        return self.table.sharing.record(record)

    def alike(self, model: type[M], given: Mapping[str, object]) -> M | None:
        """Return the record of these fields as `made` does: the same for all rows with the same fields."""
        if self.bad:
            return self.made(model, given)
        key = (model, *given, *given.values())
        record = self.table.alike.get(key)
        if not isinstance(record, model):  # new, or wrong, which is reported for every row
            record = self.made(model, given)
            if record is not None:
                self.table.alike[key] = record
        return record


@dataclass(slots=True)
class Table:
    """A table as read."""

    layout: Layout
    file: str
    found: list[Diagnostic]
    """List that receives errors."""
    columns: dict[str, int] = field(default_factory=dict)
    """Column -> position."""
    others: dict[str, int] = field(default_factory=dict)
    """Column outside the layout -> position, if the layout keeps such columns."""
    rows: list[TableRow] = field(default_factory=list)
    head_line: int = 1
    """Line of the header."""
    separator: str = ","
    """Separator of a CSV file."""
    whole: bool = True
    """True if every row is present with its `id`. Otherwise, unknown ids aren't errors."""
    sharing: SharedValues = field(default_factory=SharedValues)
    alike: dict[tuple[object, ...], BaseModel] = field(default_factory=dict)
    """Record by its fields, shared by all equal rows."""

    def tell(
        self,
        message: str,
        row: int | None = None,
        column: str = "",
        found: str = "",
        expected: str = "",
        fix: str = "",
        code: str = "",
    ) -> None:
        """Record an error in the table or in one of its lines."""
        self.found.append(Diagnostic(message, self.file, row, column, found, expected, fix, code))

    def let_go(self) -> None:
        """Drop the rows to save memory."""
        self.rows = []

    def too_many(self, found: str, what: str = "rows") -> None:
        """Drop the rows because there are too many, and report the number."""
        self.let_go()
        self.whole = False
        expected, fix = (
            f"no more than {TABLE_ROWS:,}",
            "leave out what no demand can use, or plan some materials in a case of their own",
        )
        self.tell(f"has too many {what}", found=found, expected=expected, fix=fix)

    def unique(self, *, last: bool = False, fix: str = "delete or rename one of the two") -> Iterator[TableRow]:
        """Yield the rows whose key is new. Report the others as mistakes, with their `fix`.

        The `last` time, forget each row as soon as it has been read.
        """
        columns = self.layout.key
        rows = self.rows
        gone = TableRow(self, 0, [])
        if last:
            self.let_go()
        seen: dict[object, int] = {}
        single = columns[0] if len(columns) == 1 else ""
        for number, row in enumerate(with_progress(rows, f"reading {self.file}", "rows")):
            if last:
                rows[number] = gone
            if row.bad and not row.bad.isdisjoint(columns):
                yield row
                continue
            key = row.values.get(single) if single else tuple([row.values.get(c) for c in columns])
            first = seen.setdefault(key, row.line)
            if first == row.line:
                yield row
            else:
                message = f"line {first} already has the same {', '.join(columns)}"
                row.problem(columns[0], message, fix=fix)


def _shown(text: str) -> str:
    """Return the text of a cell for a message, cut if it is long."""
    if not text:
        return "a blank cell"
    return f"`{text}`" if len(text) <= _LONGEST else f"`{text[:_LONGEST]}…` ({len(text):,} characters)"


def read_table(
    path: Path, layout: Layout, found: list[Diagnostic], separator: str = ",", header: int = 1, *, parsed: bool = True
) -> Table:
    """Read one table, and parse it if it is to be `parsed`. A table that cannot be read has no rows.

    Args:
        path: CSV file.
        layout: Columns of the table.
        found: List to which problems are added.
        separator: Sign between the cells. If empty, the sign that the first line uses.
        header: Line of the header. The lines above are not read.
        parsed: True to parse the cells.
    """
    table = Table(layout, str(path), found)
    text = read_text(path, found, MAX_TABLE_BYTES)
    table.whole = text is not None
    if text is not None:
        table.separator = separator or _separator(text)
        lines = _lines(_physical(text), table)
        if '"""' in text:  # how a cell is written that begins with a quote
            lines = ((line, [*map(_as_typed, cells)]) for line, cells in lines)
        fill(table, dropwhile(lambda line: line[0] < header, lines), parsed)
    return table


def _separator(text: str) -> str:
    """Return the sign between the cells of a first line without commas: a semicolon or a tab. Else a comma."""
    head = next(filter(str.strip, io.StringIO(text)), "")
    return next((sign for sign in ";\t" if sign in head and "," not in head), ",")


def _as_typed(cell: str) -> str:
    """Return the text of a cell that was escaped for spreadsheets. Others are unchanged."""
    typed = original_cell(cell)
    return typed if typed is cell or cell_inert(typed) == cell else cell


def _physical(text: str) -> Iterator[str]:
    """Yield the lines of a text with their line ends.

    Raises:
        csv.Error: If a line is too long.
    """
    for line in io.StringIO(text, newline=""):
        if len(line) > MAX_LINE_LENGTH:
            raise csv.Error(f"a line of {len(line):,} characters; no more than {MAX_LINE_LENGTH:,} are read")
        yield line


def fill(table: Table, lines: Iterator[tuple[int, list[str]]], parsed: bool = True) -> None:
    """Parse the lines of a table, header first: numbered, with stripped cells and without blank lines."""
    header = next(lines, None)
    if header is None:
        table.whole = False
        expected = "a header line with " + ", ".join(table.layout.names)
        table.tell("is empty", expected=expected)
        return
    table.head_line, cells = header[0], [*map(table.layout.heading, header[1])]
    lines = islice(lines, TABLE_ROWS + 1)
    if set(cells).isdisjoint(table.layout.names):
        rest = list(lines)
        if _under_a_title(header, rest, table):
            return
        lines = iter(rest)
    if not _read_header(cells, table):
        table.whole = False
        return
    width = len(cells)
    table.rows = [
        TableRow(table, line, cells) if len(cells) == width else _misfit(line, cells, width, table)
        for line, cells in lines
    ]
    if len(table.rows) > TABLE_ROWS:
        table.too_many(f"more than {TABLE_ROWS:,}")
        return
    fields = table.layout.fields if parsed else ()
    for column in with_progress(fields, f"reading {table.file}", "columns", 1):
        if column.name in table.columns:
            _parse(table, column)
        elif column.required:
            for row in table.rows:
                row.bad |= {column.name}
    if "id" in table.layout.names and not all("id" in row.values for row in table.rows):
        table.whole = False


def _under_a_title(first: tuple[int, list[str]], rest: list[tuple[int, list[str]]], table: Table) -> bool:
    """Return True, and record that as the one problem, if the header is further down, below rows that belong to no table."""
    names = table.layout.names
    for line, cells in rest[:_TITLES]:
        if len(set(cells) & set(names)) >= min(2, len(names)):
            table.head_line, table.whole = line, False
            table.tell(
                f"looks like a title: the header of the table is row {line}",
                row=first[0],
                found=f"`{' '.join(cell for cell in first[1] if cell and cell != BAD_CELL)[:60]}`",
                expected="the header in the first row",
                fix=f"delete what stands above row {line}; a map may say header = {line} under [sheet] instead",
            )
            return True
    return False


def _lines(stream: Iterable[str], table: Table) -> Iterator[tuple[int, list[str]]]:
    """Yield line number and stripped cells of every row that isn't blank."""
    reader = csv.reader(stream, strict=True, delimiter=table.separator)
    before = 0
    try:
        for cells in reader:
            line, before = before + 1, reader.line_num
            stripped = list(map(str.strip, cells))
            if any(stripped):
                yield line, stripped
    except csv.Error as error:
        table.whole = False
        if "field limit" in str(error):
            error = csv.Error(f"a cell of more than {MAX_CELL_LENGTH:,} characters")
        table.tell(f"is not a CSV table from here on: {error}", row=before + 1, fix="check the quotes")


def _read_header(cells: list[str], table: Table) -> bool:
    """Fill `table.columns`. Return False if the rows can't be interpreted."""
    names = table.layout.names
    if len(cells) > COLUMNS:
        more = f"{len(cells):,}", f"no more than {COLUMNS:,}", "delete the columns that are not needed"
        table.tell("has too many columns", table.head_line, "", *more)
        return False
    if len(cells) == 1 and any(mark in cells[0] for mark in ";\t") and len(names) > 1:
        table.tell(
            "its columns are not set off by commas",
            row=table.head_line,
            found=f"`{cells[0]}`",
            expected=",".join(names),
            fix="save the table with commas between the columns",
        )
        return False
    meant = set()
    for position, name in enumerate(cells):
        if name == BAD_CELL:
            continue
        if name in table.columns or name in table.others:
            table.tell("two columns have this name", row=table.head_line, column=name, fix="delete one of the two")
        elif name in names:
            table.columns[name] = position
        else:
            meant.add(_read_other(position, name, [n for n in names if n not in cells], table))
    for column in table.layout.fields:
        if column.required and column.name not in table.columns and column.name not in meant:
            table.tell("a needed column is missing", row=table.head_line, column=column.name, expected=column.wanted)
    return True


def _read_other(position: int, name: str, free: list[str], table: Table) -> str | None:
    """Read a column outside the layout. Return the layout's field that is probably meant, since a misspelling is never a fact of its own."""
    near = nearest(name, free, alike=0.75)
    if table.layout.others == "kept" and name and near is None:
        table.others[name] = position
        return None
    suggested = f"did you mean `{near}`?" if near else did_you_mean(name, free)
    table.tell(
        "no such column",
        row=table.head_line,
        column=name,
        found=f"`{name}`" if name else "a column without a name",
        expected="one of " + ", ".join(table.layout.names),
        fix=table.layout.stranger(name, suggested) or "delete the column",
    )
    return near


def _misfit(line: int, cells: list[str], width: int, table: Table) -> TableRow:
    """Return a row with the wrong number of cells. Only its id is kept, so that references to it aren't errors too."""
    more = len(cells) > width
    comma = next((pair for pair in pairwise(cells) if _WHOLE.fullmatch(pair[0]) and _REST.match(pair[1])), None)
    fix = "put quotes around a cell that holds a comma" if more else "add commas for blank cells"
    table.tell(
        "the row has too many cells" if more else "the row has too few cells",
        row=line,
        found=f"{len(cells)} cells",
        expected=f"{width}, as in the header",
        fix=f"write {comma[0]}.{comma[1]}: the decimal sign is a point" if more and comma else fix,
    )
    name = cells[0] if table.columns.get("id") == 0 else ""
    row = TableRow(table, line, (cells + [""] * width)[:width])
    row.values = {"id": name} if name else {}
    row.bad = frozenset(table.layout.names)
    return row


def _parse(table: Table, column: Field) -> None:
    """Parse a column. Equal cells are parsed and stored once."""
    position, name, required = table.columns[column.name], column.name, column.required
    known: dict[str, tuple[str, object]] = {}
    names, misfit = "pattern" in column.kind.text, frozenset(table.layout.names)
    for row in table.rows:
        text = row.cells[position]
        if not (text or required) or (row.bad and row.bad == misfit):
            continue
        read = known.get(text)
        if read is None or (names and isinstance(text, DayCell)):
            read = _read(column, row, text)
            if read is None:
                row.bad |= {name}
                continue
            known[text] = read
        row.cells[position], row.values[name] = read


def _read(column: Field, row: TableRow, text: str) -> tuple[str, object] | None:
    """Return the text and the value of a cell. If it can't be read, record an error and return None."""
    if text == BAD_CELL:
        return None
    if not text:
        row.problem(column.name, "this cell is needed", expected=column.wanted)
    elif isinstance(text, DayCell) and "pattern" in column.kind.text:
        fix = "give the cell the format `text`, and write the name again"
        row.problem(column.name, "the cell holds a date", expected=f"a {column.kind.name}", fix=fix)
    else:
        try:
            return text, column.kind.read(text)
        except UnreadableError as bad:
            row.problem(column.name, "cannot be read", expected=bad.expected, fix=bad.fix)
    return None
