"""Interface of plugins' readers of tables in other formats (`catalogs = ["acme-erp:suppliers"]` in a case), and `CaseFacts` for rule packs of a case."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel

from .domain.quantities import ambiguous
from .errors import Diagnostic, all_of

if TYPE_CHECKING:
    from .domain.case import Case
    from .domain.facts import Catalog
    from .reading.csvfile import Table

M = TypeVar("M", bound=BaseModel)

READER = r"^[a-z][a-z0-9]+(-[a-z0-9]+)*$"
"""Pattern of a reader's name. It has at least two letters, since `C:` is a drive."""
Cell = str | int | float | Decimal | date | None
"""Value of a cell from a reader. None is blank."""


def reader_in(name: str) -> tuple[str, str] | None:
    """Return the reader and the argument of a name in a case, such as `acme-erp:orders-2027`. None for other names."""
    reader, colon, argument = name.partition(":")
    return (reader, argument) if colon and re.match(READER, reader) else None


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table from a reader."""

    columns: Sequence[str]
    rows: Sequence[tuple[int, Sequence[Cell]]]
    """Line, and a cell for every column, of each row."""
    file: str = ""

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Cell]], file: str = "", first: int = 2) -> TableRows:
        """Return a table with one row for each record, from line `first` of the file on."""
        records = list(records)
        columns = tuple(dict.fromkeys(name for record in records for name in record))
        rows = [(line, [record.get(name) for name in columns]) for line, record in enumerate(records, first)]
        return cls(columns, rows, file)


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """A catalog from a reader."""

    head: Mapping[str, Any]
    """Keys of `catalog.toml`, at least `name`."""
    tables: Mapping[str, TableRows] = field(default_factory=dict)
    """Tables by name, such as `offers` and `facilities`. Missing tables are omitted."""
    file: str = ""


@dataclass(frozen=True, slots=True)
class RecordRow(Generic[M]):
    """A row of a table with a plugin's own record type."""

    line: int
    record: M
    others: Mapping[str, str]
    """Text in columns that aren't fields of the record, if these are allowed. Blank cells are omitted."""


def read_record_rows(
    path: Path, model: type[M], content: str, others: str = "", headings: Mapping[str, str] | None = None
) -> tuple[str, list[RecordRow[M]]]:
    """Read a plugin's own table, checked cell by cell like those of friendshore, and return its name for messages and its rows.

    Args:
        path: A CSV file with commas, semicolons, or tabs between the cells, or a workbook (`.xlsx`) with one sheet. Sheets named `notes` or with a
            leading `_` don't count.
        model: Record of a row. Fields that are columns are annotated as in `name: Annotated[str, Written("Example Trading")]`, from
            `friendshore.domain.written`.
        content: Content of the table, in a few words.
        others: Meaning of columns that aren't fields. Empty if there can be none.
        headings: Columns by other headings, such as `{"part_no": "part"}`. Headings may then be words: `Part No.`, `Parts per year`.

    Raises:
        InputError: With all errors, each with file, row, and column.
        TypeError: If no field of the record is a column.
    """
    from .reading.csvfile import read_table  # imported here, because most cases read no such table
    from .reading.fields import layout
    from .reading.textfile import non_file_diagnostic
    from .reading.workbook import is_workbook, read_workbook, sheet_table

    described = replace(layout(path.name, content, model, others=others), headings=headings)
    if not described.fields:
        raise TypeError(f"{model.__name__} has no column; annotate its fields with friendshore.domain.written.Written")
    problems: list[Diagnostic] = []
    not_a_file = non_file_diagnostic(path)
    if not_a_file is not None:
        raise all_of([not_a_file])
    if is_workbook(path):
        book = read_workbook(path, problems)
        sheets = [name for name in book.sheets if name.casefold() != "notes"]
        if len(sheets) != 1:
            if not problems:
                message, found = "the workbook must have one table", ", ".join(sheets) or "none"
                expected = "one sheet, besides `notes` and sheets whose names start with `_`"
                problems.append(Diagnostic(message, book.file, found=found, expected=expected, code="FS076"))
            raise all_of(problems)
        table = sheet_table(book, sheets[0], described, problems)
    else:
        table = read_table(path, described, problems, separator="")
        if table.separator != ",":
            _report_ambiguous(table)
    records = [(row.line, row.record(model), row.others) for row in table.rows]
    if problems:
        raise all_of(problems)
    rows = [
        RecordRow(line, record, {name: str(value) for name, value in other_cells.items()})
        for line, record, other_cells in records
        if record is not None
    ]
    return table.file, rows


def _report_ambiguous(table: Table) -> None:
    """In tables separated by semicolons, a comma may be the decimal separator of an amount such as `1.200 g`."""
    for row in table.rows:
        for column, position in (table.columns | table.others).items():
            readings = ambiguous(row.cells[position])
            if readings is not None:
                message = "is ambiguous in a table that isn't separated by commas"
                row.problem(column, message, fix=f"write `{readings.read}` or `{readings.other}`", code="FS063")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A case's request to a reader."""

    argument: str
    """Text after the colon in the case."""
    folder: Path
    """Folder of the case, from which a path in the argument starts."""
    settings: Any = None
    """Settings of the plugin in the case, as a record of its model. None if it has no settings."""

    @property
    def path(self) -> Path:
        return self.folder / self.argument


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Facts of a case for its rule packs, as read, before scenarios and changes."""

    case: Case
    catalogs: tuple[Catalog, ...]
    """All catalogs that it names or that these require."""
    folder: Path
    settings: Any
    """Settings of the plugin in the case, as a record of its model."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Key of the settings -> folder from which its paths start, if it isn't the case's."""

    def folder_of(self, key: str) -> Path:
        return self.folders.get(key, self.folder)


class Reader:
    """A reader of catalogs, demands, or both, in a format of its own. For invalid data, it raises `InputError` with the place."""

    name: str = ""
    """Text before the colon in a case."""
    example: str = ""
    """Argument that can be read in the folder of the package, for the conformance kit. Empty if there is none."""

    def catalog(self, request: ReadRequest) -> CatalogRows:
        raise NotImplementedError  # a reader may override one method or both

    def demand(self, request: ReadRequest) -> TableRows:
        raise NotImplementedError
