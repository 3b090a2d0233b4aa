"""Interface of readers from plugins, which read tables in formats that friendshore doesn't know, and `CaseFacts` for rule packs of a case.

A case names a reader with an argument in place of something installed: `catalogs = ["acme-erp:suppliers"]`. Its rows are read like a table of
friendshore's own, column by column. Each error has the line that the reader states.
"""

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
    """Return the reader and the argument of a name in a case, such as `acme-erp:orders-2027`. None if it is no such name."""
    reader, colon, argument = name.partition(":")
    return (reader, argument) if colon and re.match(READER, reader) else None


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table from a reader."""

    columns: Sequence[str]
    """Names of its columns, as in friendshore's own table in the reference of files."""
    rows: Sequence[tuple[int, Sequence[Cell]]]
    """Rows: the line of each, for messages, and a cell for every column."""
    file: str = ""
    """File with the rows, for messages. Empty if there is none."""

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Cell]], file: str = "", first: int = 2) -> TableRows:
        """Return the table of some records by column, one per row, from line `first` of the file on. Missing keys are blank."""
        listed = list(records)
        columns = tuple(dict.fromkeys(name for one in listed for name in one))
        return cls(columns, [(first + n, [one.get(name) for name in columns]) for n, one in enumerate(listed)], file)


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """A catalog from a reader."""

    head: Mapping[str, Any]
    """Keys of `catalog.toml`, at least `name`."""
    tables: Mapping[str, TableRows] = field(default_factory=dict)
    """Tables by name, such as `offers` and `facilities`. Missing tables are omitted."""
    file: str = ""
    """Source, for messages. Empty means the reader and its argument."""


@dataclass(frozen=True, slots=True)
class RecordRow(Generic[M]):
    """A row of a table with a plugin's own record type."""

    line: int
    """Line, for messages."""
    record: M
    others: Mapping[str, str]
    """Text in columns that aren't fields of the record, if these are allowed. Blank cells are omitted."""


def read_record_rows(
    path: Path, model: type[M], holds: str, others: str = "", headings: Mapping[str, str] | None = None
) -> tuple[str, list[RecordRow[M]]]:
    """Read a plugin's own table, checked cell by cell like those of friendshore, and return its name for messages and its rows.

    Args:
        path: A CSV file with commas, semicolons, or tabs between the cells, or a workbook (`.xlsx`) with one sheet. Sheets named `notes` or with a
            leading `_` don't count.
        model: Record of a row. Fields that are columns are annotated as in `name: Annotated[str, Written("Example Trading")]`, from
            `friendshore.domain.written`.
        holds: Content of the table, in a few words.
        others: Meaning of columns that aren't fields. Empty if there can be none.
        headings: Columns by other headings, such as `{"part_no": "part"}`. Headings may then be words: `Part No.`, `Parts per year`.

    Raises:
        InputError: With all errors, each with file, row, and column.
        TypeError: If no field of the record is a column.
    """
    from .reading.csvfile import read_table  # a case that reads no such table needs none of it
    from .reading.fields import layout
    from .reading.textfile import non_file_diagnostic
    from .reading.workbook import is_workbook, read_workbook, sheet_table

    described = replace(layout(path.name, holds, model, others=others), headings=headings)
    if not described.fields:
        raise TypeError(
            f"no field of {model.__name__} is a column: annotate each that is with Written, of friendshore.domain.written"
        )
    found: list[Diagnostic] = []
    other = non_file_diagnostic(path)
    if other is not None:
        raise all_of([other])
    if is_workbook(path):
        book = read_workbook(path, found)
        sheets = [name for name in book.sheets if name.casefold() != "notes"]
        if len(sheets) != 1:
            if not found:
                told = ", ".join(sheets) or "none"
                expected = "one sheet, beside `notes` and those whose names begin with `_`"
                found.append(Diagnostic("the workbook has not one table", book.file, found=told, expected=expected))
            raise all_of(found)
        table = sheet_table(book, sheets[0], described, found)
    else:
        table = read_table(path, described, found, separator="")
        if table.separator != ",":
            _refuse_ambiguous(table)
    made = [(row.line, row.record(model), row.others) for row in table.rows]
    if found:
        raise all_of(found)
    rows = [
        RecordRow(line, record, {name: str(value) for name, value in more.items()})
        for line, record, more in made
        if record is not None
    ]
    return table.file, rows


def _refuse_ambiguous(table: Table) -> None:
    """Record an error for each ambiguous amount such as `1.200 g`. In tables separated by semicolons, a comma may be the decimal sign."""
    for row in table.rows:
        for column, position in (table.columns | table.others).items():
            both = ambiguous(row.cells[position])
            if both is not None:
                message = "is ambiguous in a table without commas between its cells"
                row.problem(column, message, fix=f"write `{both.read}` or `{both.other}`")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """A case's request to a reader."""

    argument: str
    """Text after the colon."""
    folder: Path
    """Folder of the case, from which a path in the argument starts."""
    settings: Any = None
    """Settings of the plugin in the case, as a record of its model. None if it has no settings."""

    @property
    def path(self) -> Path:
        """Argument as a path."""
        return self.folder / self.argument


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """Facts of a case for its rule packs, as read, before scenarios and changes."""

    case: Case
    catalogs: tuple[Catalog, ...]
    """All catalogs that it names or that these require."""
    folder: Path
    """Folder of the case. For paths in the settings, see `folder_of`."""
    settings: Any
    """Settings of the plugin in the case, as a record of its model."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Key of the settings -> folder from which its paths start, if it isn't the case's."""

    def folder_of(self, key: str) -> Path:
        """Return the folder from which paths under a key of the settings start."""
        return self.folders.get(key, self.folder)


class Reader:
    """A reader of catalogs, demands, or both, in a format of its own. For invalid data, it raises `InputError` with the place."""

    name: str = ""
    """Text before the colon in a case."""
    example: str = ""
    """Argument that can be read in the folder of the package, for the conformance kit. Empty if there is none."""

    def catalog(self, asked: ReadRequest) -> CatalogRows:
        """Return the catalog that `catalogs` under `[use]` names.

        Raises:
            InputError: With all errors of its data.
        """
        raise NotImplementedError  # a reader reads what it overrides

    def demand(self, asked: ReadRequest) -> TableRows:
        """Return the demands that `demand` under `[use]` names, with the columns of `[[demand]]`.

        Raises:
            InputError: With all errors of its data.
        """
        raise NotImplementedError
