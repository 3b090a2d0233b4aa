"""Locations of a catalog's tables: a folder of CSV files next to `catalog.toml`, the sheets of a workbook, or the tables of a reader."""

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
    "What the catalog is: the keys of `catalog.toml`.",
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
    def path(self) -> Path:
        """Return the folder or file that contains them."""

    @property
    def head_file(self) -> str:
        """Return where the head is, for messages."""

    def head(self, found: list[Diagnostic]) -> Entry | None:
        """Return the keys of the head; None if it can't be read at all."""

    def table(self, layout: Layout, found: list[Diagnostic]) -> Table | None:
        """Return a table; None if there is none."""

    def strangers(self) -> Sequence[Stranger]:
        """Return files or sheets that look like tables but aren't."""


NO_FACTS = FactColumns()
"""No plugin declares a column."""


def tables_at(path: Path | CatalogRows, found: list[Diagnostic], facts: FactColumns = NO_FACTS) -> CatalogTables:
    """Return the tables of a catalog. A workbook is read immediately.

    Raises:
        InputError: If it is a workbook, and openpyxl isn't installed.
    """
    if isinstance(path, CatalogRows):
        return ReadTables(path, facts)
    return SheetTables(path, read_workbook(path, found), facts) if is_workbook(path) else FolderTables(path, facts)


class FolderTables:
    """Files of a folder."""

    def __init__(self, path: Path, facts: FactColumns = NO_FACTS) -> None:
        self.path = path
        self._facts = facts

    @property
    def head_file(self) -> str:
        return str(self.path / HEAD_FILE)

    def head(self, found: list[Diagnostic]) -> Entry | None:
        path = self.path / HEAD_FILE
        if not path.is_file():
            found.append(non_file_diagnostic(path) or _no_head(self.path))
            return None
        toml = read_toml(path, found)
        return None if toml is None else read_section(toml, columns.HEAD, toml.data)

    def table(self, layout: Layout, found: list[Diagnostic]) -> Table | None:
        path = self.path / layout.name
        other = non_file_diagnostic(path)
        if other is not None:  # what it was to hold is missing, and may be referred to all the same
            found.append(other)
            return Table(layout, str(path), found, whole=False)
        return read_table(path, self._facts.extended(layout), found) if path.is_file() else None

    def strangers(self) -> list[Stranger]:
        if not self.path.is_dir():
            return []
        files = (
            p for p in self.path.iterdir() if p.suffix.lower() in _LOOK_LIKE_TABLES and not p.name.startswith("~$")
        )
        strangers = sorted(p.name for p in files if p.name not in _NAMES)
        return [_stranger(str(self.path / name), name, _NAMES, "move the file elsewhere") for name in strangers]


class SheetTables:
    """Sheets of a workbook."""

    def __init__(self, path: Path, book: Workbook, facts: FactColumns = NO_FACTS) -> None:
        self.path = path
        self._facts = facts
        self._book = book

    @property
    def head_file(self) -> str:
        return self._book.place(self._book.named(HEAD_SHEET) or HEAD_SHEET)

    def head(self, found: list[Diagnostic]) -> Entry | None:
        if self._book.named(HEAD_SHEET) is None:
            if self._book.sheets or not found:
                expected = f"a sheet `{HEAD_SHEET}` with the columns key and value, and rows for schema and name"
                found.append(
                    Diagnostic(f"the workbook has no sheet `{HEAD_SHEET}`", self._book.file, expected=expected)
                )
            return None
        table = sheet_table(self._book, HEAD_SHEET, HEAD_ROWS, found)
        rows = {row.values["key"]: row for row in table.unique() if "key" in row.values}
        data: dict[str, object] = {key: row.values.get("value", "") for key, row in rows.items()}
        if str(data.get("schema", "")).isdigit():
            data["schema"] = int(str(data["schema"]))
        toml = TomlFile(self.head_file, data, {(key,): row.line for key, row in rows.items()}, found)
        return read_section(toml, columns.HEAD, data)

    def table(self, layout: Layout, found: list[Diagnostic]) -> Table | None:
        name = self._book.named(sheet_name(layout))
        return None if name is None else sheet_table(self._book, name, self._facts.extended(layout), found)

    def strangers(self) -> list[Stranger]:
        names = [HEAD_SHEET, *map(sheet_name, columns.TABLES)]
        known = {self._book.named(name) for name in names}
        fix = f"call it `notes`, or begin its name with `{PRIVATE}`: such a sheet is yours alone"
        return [
            _stranger(self._book.place(sheet), sheet, names, fix) for sheet in self._book.sheets if sheet not in known
        ]


class ReadTables:
    """Tables from a plugin's reader."""

    def __init__(self, rows: CatalogRows, facts: FactColumns = NO_FACTS) -> None:
        self.path = Path(rows.file)
        self._facts = facts
        self._rows = rows

    @property
    def head_file(self) -> str:
        return self._rows.file

    def head(self, found: list[Diagnostic]) -> Entry | None:
        data = {"schema": 1, **self._rows.head}
        return read_section(TomlFile(self.head_file, data, {}, found), columns.HEAD, data)

    def table(self, layout: Layout, found: list[Diagnostic]) -> Table | None:
        rows = self._rows.tables.get(sheet_name(layout))
        called = f"{self._rows.file}, {sheet_name(layout)}"
        return None if rows is None else read_rows(rows, self._facts.extended(layout), called, found)

    def strangers(self) -> list[Stranger]:
        names = [*map(sheet_name, columns.TABLES)]
        strange = [name for name in self._rows.tables if name not in names]
        return [_stranger(self.head_file, name, names, "have the reader leave it out") for name in strange]


def read_rows(rows: TableRows, layout: Layout, called: str, found: list[Diagnostic]) -> Table:
    """Return a reader's rows as a table, checked like a file. Messages use the name `called` if the reader names no file."""
    table = Table(layout, rows.file or called, found)
    fill(table, iter([(1, list(rows.columns)), *((line, [*map(str, cells)]) for line, cells in rows.rows)]))
    return table


def sheet_name(layout: Layout) -> str:
    """Return the name of a table's sheet."""
    return layout.name.removesuffix(".csv")


class Stranger(NamedTuple):
    """A file or sheet that looks like a table but isn't."""

    problem: Diagnostic
    meant: str
    """File name of the probable table. Empty if none."""


def _stranger(place: str, name: str, names: list[str], otherwise: str) -> Stranger:
    near = nearest(name, names)
    problem = Diagnostic(
        "a catalog has no such table, so it would not be read",
        file=place,
        expected="one of " + ", ".join(names),
        fix=f"did you mean `{near}`?" if near else otherwise,
    )
    return Stranger(problem, f"{near.removesuffix('.csv')}.csv" if near else "")


def _no_head(folder: Path) -> Diagnostic:
    if not folder.is_dir():
        return Diagnostic(
            "there is no such folder", file=str(folder), expected="a catalog folder", fix="check the path"
        )
    near = nearest(HEAD_FILE, [p.name for p in folder.iterdir()], alike=0.7)
    return Diagnostic(
        f"the folder has no {HEAD_FILE}",
        file=str(folder),
        found=f"`{near}`" if near else "",
        expected=f"{HEAD_FILE} with schema = 1 and a name",
        fix=f"rename `{near}` to {HEAD_FILE}" if near else "",
    )


_ABOUT = ("offer", "id")
"""Columns that identify the subject of a row, in order of preference."""


def amounts_in(path: Path | CatalogRows) -> Iterator[tuple[Table, TableRow, str, str]]:
    """Yield every amount of money in a catalog, as far as it can be read: table, row, column, and currency.

    Benchmarks are left out: they may price several materials, and only some are used.
    """
    found: list[Diagnostic] = []
    tables = tables_at(path, found)
    for layout in (OFFERS, QUOTES, TIERS, TERMS, LANES):
        table = tables.table(layout, found)
        for row in table.rows if table is not None else ():
            for column, value in row.values.items():
                if isinstance(value, Money | UnitPrice):
                    assert table is not None
                    yield table, row, column, value.currency


def place_of(path: Path | CatalogRows, table: str, subject: str, holding: str = "") -> tuple[str, int] | None:
    """File and row in which a table of a catalog says something; None where it says no such thing.

    `subject` is what the row is about: the id of an offer, a facility or a supplier. `holding` stands in one of its cells, among other things.
    """
    found: list[Diagnostic] = []  # what else is wrong there is told by whoever reads it in full
    layout = next((layout for layout in TABLES if layout.name == f"{table}.csv"), None)
    read = None if layout is None else tables_at(path, found).table(layout, found)
    if read is None:
        return None
    about = next((name for name in _ABOUT if name in read.columns), None)
    for row in read.rows:
        if about and row.text(about) == subject and any(holding in cell for cell in row.cells):
            return read.file, row.line
    return None
