"""What a reader of a plugin is, is asked, and yields: tables of a format that friendshore does not know, as they stand there.

A case names a reader and an argument where it could name something installed: `catalogs = ["acme-erp:suppliers"]`. What the reader yields is
read like a table of friendshore's own, column by column, and each mistake in it is told at the line that the reader says.

And what a plugin is given that makes rule packs of a case: `CaseFacts`.
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
"""What a reader may be called: two letters or more, since `C:` is a drive."""
Cell = str | int | float | Decimal | date | None
"""What a reader may put into a cell; None: it is blank."""


def reader_in(name: str) -> tuple[str, str] | None:
    """The reader and the argument that a name in a case means, as `acme-erp:orders-2027`; None: it means something else."""
    reader, colon, argument = name.partition(":")
    return (reader, argument) if colon and re.match(READER, reader) else None


@dataclass(frozen=True, slots=True)
class TableRows:
    """A table as a reader found it."""

    columns: Sequence[str]
    """What its columns are called: those of friendshore's own table, as the page of files has them."""
    rows: Sequence[tuple[int, Sequence[Cell]]]
    """Each row: the line at which it stands, for messages, and a cell for every column."""
    file: str = ""
    """Where the rows stand, for messages; empty: the reader has no file to name."""

    @classmethod
    def of(cls, records: Iterable[Mapping[str, Cell]], file: str = "", first: int = 2) -> TableRows:
        """Those of records by column, a mapping a row, from line `first` of the file on; a key that one lacks is blank there."""
        listed = list(records)
        columns = tuple(dict.fromkeys(name for one in listed for name in one))
        return cls(columns, [(first + n, [one.get(name) for name in columns]) for n, one in enumerate(listed)], file)


@dataclass(frozen=True, slots=True)
class CatalogRows:
    """A catalog as a reader found it."""

    head: Mapping[str, Any]
    """The keys of `catalog.toml`: at least `name`."""
    tables: Mapping[str, TableRows] = field(default_factory=dict)
    """Tables by name, like `offers` and `facilities`; those that are not there are left out."""
    file: str = ""
    """What all of it was read from, for messages; empty: the reader and its argument."""


@dataclass(frozen=True, slots=True)
class RecordRow(Generic[M]):
    """A row of a table that a plugin describes by a record of its own."""

    line: int
    """Where it stands, for messages."""
    record: M
    others: Mapping[str, str]
    """What stands in columns that are none of the record's, where these are kept; blank cells are left out."""


def read_record_rows(
    path: Path, model: type[M], holds: str, others: str = "", headings: Mapping[str, str] | None = None
) -> tuple[str, list[RecordRow[M]]]:
    """Read a table of a plugin's own, checked cell by cell like those of friendshore, and return its name for messages and its rows.

    Args:
        path: a CSV file, with commas, semicolons, or tabs between the cells, or a workbook (`.xlsx`) whose one sheet is the table; sheets
            whose names begin with `_` or are `notes` are no part of it.
        model: what a row is. A field that is a column says so and how it is written: `name: Annotated[str, Written("Example Trading")]`, of
            `friendshore.domain.written`.
        holds: what the table holds, in a few words.
        others: what columns mean that are none of the model's; empty: there can be none.
        headings: columns by other headings, like `{"part_no": "part"}`. Headings may then be written in words: `Part No.`, `Parts per year`.

    Raises:
        InputError: with all that is wrong with it, each with file, row and column.
        TypeError: if no field of the record says that it is a column.
    """
    from .reading.csvfile import read_table  # a case that reads no such table needs none of it
    from .reading.fields import layout
    from .reading.textfile import no_file
    from .reading.workbook import is_workbook, read_workbook, sheet_table

    described = replace(layout(path.name, holds, model, others=others), headings=headings)
    if not described.fields:
        raise TypeError(
            f"no field of {model.__name__} is a column: annotate each that is with Written, of friendshore.domain.written"
        )
    found: list[Diagnostic] = []
    other = no_file(path)
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
    """Record an error for each amount such as `1.200 g`. Where cells end with semicolons, a comma may be the decimal sign."""
    for row in table.rows:
        for column, position in (table.columns | table.others).items():
            both = ambiguous(row.cells[position])
            if both is not None:
                message = "is ambiguous in a table without commas between its cells"
                row.problem(column, message, fix=f"write `{both.read}` or `{both.other}`")


@dataclass(frozen=True, slots=True)
class ReadRequest:
    """What a case asks a reader for."""

    argument: str
    """What stands behind the colon."""
    folder: Path
    """Folder of the case: a path in the argument starts there."""
    settings: Any = None
    """What the case sets for the plugin: a record of its model; None: it takes no settings."""

    @property
    def path(self) -> Path:
        """The argument as a path."""
        return self.folder / self.argument


@dataclass(frozen=True, slots=True)
class CaseFacts:
    """What rule packs of a case are made of: its facts as they were read, before scenarios and changes."""

    case: Case
    catalogs: tuple[Catalog, ...]
    """All that it names or that these require."""
    folder: Path
    """Folder of the case: see `folder_of` for paths in the settings."""
    settings: Any
    """What the case sets for the plugin: a record of its model."""
    folders: Mapping[str, Path] = field(default_factory=dict)
    """Key of the settings -> folder from which its paths start, where that is another one."""

    def folder_of(self, key: str) -> Path:
        """The folder from which paths under a key of the settings start."""
        return self.folders.get(key, self.folder)


class Reader:
    """Reads catalogs, demands, or both, of a format of its own. One that is wrong in the data it is given raises `InputError`, with its place."""

    name: str = ""
    """What a case writes before the colon."""
    example: str = ""
    """An argument that can be read in the folder of the package, for the conformance kit; empty: there is none."""

    def catalog(self, asked: ReadRequest) -> CatalogRows:
        """The catalog that `catalogs` under `[use]` names.

        Raises:
            InputError: with all that is wrong with what it reads.
        """
        raise NotImplementedError  # a reader reads what it overrides

    def demand(self, asked: ReadRequest) -> TableRows:
        """The demands that `demand` under `[use]` names, with the columns of `[[demand]]`.

        Raises:
            InputError: as `catalog` does.
        """
        raise NotImplementedError
