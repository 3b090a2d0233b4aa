"""Tables of a catalog, from a folder of CSV files, a workbook, or a plugin's reader."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

from ..domain.quantities import Money, UnitPrice
from ..domain.suggest import nearest
from ..errors import Diagnostic
from ..readers import CatalogRows, TableRows
from ..reading import kinds as k
from ..reading.csvfile import Table, TableRow, fill, read_table
from ..reading.fields import FactColumns, Field, Layout
from ..reading.records import Entry
from ..reading.textfile import non_file_diagnostic
from ..reading.tomlfile import TomlFile, read_section, read_toml
from ..reading.workbook import PRIVATE, Workbook, is_workbook, read_workbook, sheet_table
from . import columns
from .columns import LANES, OFFERS, QUOTES, TABLES, TERMS, TIERS

HEAD_FILE = columns.HEAD.name
HEAD_SHEET = "catalog"
"""Sheet that replaces `catalog.toml`, with a key and a value per row."""
HEAD_ROWS = Layout(
    HEAD_SHEET,
    "Keys of `catalog.toml`.",
    (
        Field("key", k.TEXT, "Key of `catalog.toml`.", "name", required=True),
        Field("value", k.TEXT, "Its value.", "mine"),
    ),
    key=("key",),
)
_LOOK_LIKE_TABLES = frozenset({".csv", ".tsv", ".xls", ".xlsx", ".ods"})
_NAMES = [layout.name for layout in columns.TABLES]


class CatalogTables(Protocol):
    """Head and tables of a catalog."""

    @property
    def path(self) -> Path: ...

    @property
    def head_file(self) -> str:
        """File of the head, for messages."""

    def head(self, problems: list[Diagnostic]) -> Entry | None:
        """Return the keys of the head. None if it can't be read at all."""

    def table(self, layout: Layout, problems: list[Diagnostic]) -> Table | None:
        """Return a table. None if there is none."""

    def unrecognized_tables(self) -> Sequence[UnrecognizedTable]:
        """Return files or sheets that look like tables but aren't."""


NO_FACTS = FactColumns()  # no plugin declares a column


def tables_at(path: Path | CatalogRows, problems: list[Diagnostic], facts: FactColumns = NO_FACTS) -> CatalogTables:
    """Return the tables of a catalog. A workbook is read immediately."""
    if isinstance(path, CatalogRows):
        return ReaderTables(path, facts)
    return SheetTables(path, read_workbook(path, problems), facts) if is_workbook(path) else FolderTables(path, facts)


class FolderTables:
    """Tables of a folder."""

    def __init__(self, path: Path, facts: FactColumns = NO_FACTS) -> None:
        self.path = path
        self._facts = facts

    @property
    def head_file(self) -> str:
        return str(self.path / HEAD_FILE)

    def head(self, problems: list[Diagnostic]) -> Entry | None:
        path = self.path / HEAD_FILE
        if not path.is_file():
            problems.append(non_file_diagnostic(path) or _no_head(self.path))
            return None
        toml = read_toml(path, problems)
        return None if toml is None else read_section(toml, columns.HEAD, toml.data)

    def table(self, layout: Layout, problems: list[Diagnostic]) -> Table | None:
        path = self.path / layout.name
        not_a_file = non_file_diagnostic(path)
        if not_a_file is not None:  # its ids stay unknown, and other tables may refer to them
            problems.append(not_a_file)
            return Table(layout, str(path), problems, is_complete=False)
        return read_table(path, self._facts.extended(layout), problems) if path.is_file() else None

    def unrecognized_tables(self) -> list[UnrecognizedTable]:
        if not self.path.is_dir():
            return []
        # Office programs write a file `~$…` while a table is open.
        names = [
            p.name
            for p in self.path.iterdir()
            if p.suffix.lower() in _LOOK_LIKE_TABLES and not p.name.startswith("~$") and p.name not in _NAMES
        ]
        return [_unrecognized(str(self.path / name), name, _NAMES, "move the file elsewhere") for name in sorted(names)]


class SheetTables:
    """Tables of a workbook."""

    def __init__(self, path: Path, book: Workbook, facts: FactColumns = NO_FACTS) -> None:
        self.path = path
        self._facts = facts
        self._book = book

    @property
    def head_file(self) -> str:
        return self._book.place(self._book.named(HEAD_SHEET) or HEAD_SHEET)

    def head(self, problems: list[Diagnostic]) -> Entry | None:
        if self._book.named(HEAD_SHEET) is None:
            if self._book.sheets or not problems:
                expected = f"a sheet `{HEAD_SHEET}` with the columns key and value, and rows for schema and name"
                fix = f"add the sheet `{HEAD_SHEET}`"
                message = f"the workbook has no sheet `{HEAD_SHEET}`"
                problems.append(Diagnostic(message, self._book.file, expected=expected, fix=fix, code="FS100"))
            return None
        table = sheet_table(self._book, HEAD_SHEET, HEAD_ROWS, problems)
        rows = {row.values["key"]: row for row in table.unique() if "key" in row.values}
        data: dict[str, object] = {key: row.values.get("value", "") for key, row in rows.items()}
        if str(data.get("schema", "")).isdigit():
            data["schema"] = int(str(data["schema"]))
        toml = TomlFile(self.head_file, data, {(key,): row.line for key, row in rows.items()}, problems)
        return read_section(toml, columns.HEAD, data)

    def table(self, layout: Layout, problems: list[Diagnostic]) -> Table | None:
        name = self._book.named(sheet_name(layout))
        return None if name is None else sheet_table(self._book, name, self._facts.extended(layout), problems)

    def unrecognized_tables(self) -> list[UnrecognizedTable]:
        names = [HEAD_SHEET, *map(sheet_name, columns.TABLES)]
        table_sheets = {self._book.named(name) for name in names}
        fix = f"rename it to `notes`, or to a name that begins with `{PRIVATE}`, which friendshore doesn't read"
        return [
            _unrecognized(self._book.place(sheet), sheet, names, fix)
            for sheet in self._book.sheets
            if sheet not in table_sheets
        ]


class ReaderTables:
    """Tables from a plugin's reader."""

    def __init__(self, rows: CatalogRows, facts: FactColumns = NO_FACTS) -> None:
        self.path = Path(rows.file)
        self._facts = facts
        self._rows = rows

    @property
    def head_file(self) -> str:
        return self._rows.file

    def head(self, problems: list[Diagnostic]) -> Entry | None:
        data = {"schema": 1, **self._rows.head}
        return read_section(TomlFile(self.head_file, data, {}, problems), columns.HEAD, data)

    def table(self, layout: Layout, problems: list[Diagnostic]) -> Table | None:
        rows = self._rows.tables.get(sheet_name(layout))
        default_file = f"{self._rows.file}, {sheet_name(layout)}"
        return None if rows is None else read_rows(rows, self._facts.extended(layout), default_file, problems)

    def unrecognized_tables(self) -> list[UnrecognizedTable]:
        names = [*map(sheet_name, columns.TABLES)]
        unknown = [name for name in self._rows.tables if name not in names]
        return [_unrecognized(self.head_file, name, names, "remove it from the reader's tables") for name in unknown]


def read_rows(rows: TableRows, layout: Layout, default_file: str, problems: list[Diagnostic]) -> Table:
    """Return a reader's rows as a table, checked like a file. `default_file` is for messages if the reader names no file."""
    table = Table(layout, rows.file or default_file, problems)
    fill(table, iter([(1, list(rows.columns)), *((line, [*map(str, cells)]) for line, cells in rows.rows)]))
    return table


def sheet_name(layout: Layout) -> str:
    return layout.name.removesuffix(".csv")


class UnrecognizedTable(NamedTuple):
    """A file or sheet that looks like a table but isn't."""

    problem: Diagnostic
    similar_table: str
    """File name of the table that is probably meant. Empty if no name is similar."""


def _unrecognized(place: str, name: str, names: list[str], default_fix: str) -> UnrecognizedTable:
    near = nearest(name, names)
    problem = Diagnostic(
        f"`{name}` isn't a table of a catalog, so it wouldn't be read",
        file=place,
        expected="one of " + ", ".join(names),
        fix=f"did you mean `{near}`?" if near else default_fix,
        code="FS101",
    )
    return UnrecognizedTable(problem, f"{near.removesuffix('.csv')}.csv" if near else "")


def _no_head(folder: Path) -> Diagnostic:
    if not folder.is_dir():
        fix = "check the path"
        return Diagnostic("no such folder", str(folder), expected="a catalog folder", fix=fix, code="FS100")
    near = nearest(HEAD_FILE, [p.name for p in folder.iterdir()], min_similarity=0.7)
    return Diagnostic(
        f"the folder has no {HEAD_FILE}",
        file=str(folder),
        found=f"`{near}`" if near else "",
        expected=f"{HEAD_FILE} with schema = 1 and a name",
        fix=f"rename `{near}` to {HEAD_FILE}" if near else f'add {HEAD_FILE}, such as `schema = 1` and `name = "mine"`',
        code="FS100",
    )


_SUBJECT_COLUMNS = ("offer", "id")


def amounts_in(path: Path | CatalogRows) -> Iterator[tuple[Table, TableRow, str, str]]:
    """Yield table, row, column, and currency of every readable amount of money, except benchmarks, of which a case uses only some."""
    problems: list[Diagnostic] = []
    tables = tables_at(path, problems)
    for layout in (OFFERS, QUOTES, TIERS, TERMS, LANES):
        table = tables.table(layout, problems)
        for row in table.rows if table is not None else ():
            for column, value in row.values.items():
                if isinstance(value, Money | UnitPrice):
                    assert table is not None
                    yield table, row, column, value.currency


def place_of(path: Path | CatalogRows, table_name: str, subject: str, text: str = "") -> tuple[str, int] | None:
    """Return file and row of the first row about an offer, facility, or supplier that contains `text`, or None."""
    layout = next((layout for layout in TABLES if layout.name == f"{table_name}.csv"), None)
    # The reader of the whole catalog reports the problems.
    table = None if layout is None else tables_at(path, []).table(layout, [])
    if table is None:
        return None
    column = next((name for name in _SUBJECT_COLUMNS if name in table.columns), None)
    for row in table.rows:
        if column and row.text(column) == subject and any(text in cell for cell in row.cells):
            return table.file, row.line
    return None
