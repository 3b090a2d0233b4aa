"""The tables of a sweep as files: CSV with every digit, and Parquet for tools that read many rows quickly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

from friendshore.domain.plan import Cost
from friendshore.errors import InputError
from friendshore.inert import cell_inert
from friendshore.writing import replace_file

from .records import Row, Sweep, as_double

_PIECE = 2**20
"""Bytes that are copied at once."""
_GROUP = 50_000
"""Rows of a table that are held until they are written as Parquet, which keeps so many together."""
_NUMBERS = {*Cost.model_fields, "bound", "wanted_kg", "short_kg", "bought_kg", "quantity_kg", "share", "cost"}
"""Columns of numbers that are no whole ones; whatever is varied is a text."""


def write_tables(found: Sweep, folder: Path, *, parquet: bool) -> None:
    """Writes every table, in the place of one that is there.

    Raises:
        InputError: if Parquet is asked for, and what writes it is not installed.
        OSError: if a file cannot be written.
    """
    with ExitStack() as stack:
        files = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
        sheets = {table: _Csv(found.columns(table), files[table]) for table in found.TABLES}
        wide: dict[str, _Parquet] = {}
        if parquet:
            sinks = {table: stack.enter_context(TemporaryFile("w+b")) for table in found.TABLES}
            wide = {table: _Parquet(found.columns(table), sinks[table]) for table in found.TABLES}
        for one in found.scenarios:  # each is read once
            for table in found.TABLES:
                rows = list(found.rows_of(one, table))
                sheets[table].add(rows)
                if wide:
                    wide[table].add(rows)
        for table in found.TABLES:
            replace_file(folder / f"{table}.csv", _pieces(sheets[table].done()))
            if wide:
                replace_file(folder / f"{table}.parquet", _pieces(wide[table].done()))


def _pieces(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    yield from iter(partial(file.read, _PIECE), b"")


def refuse_without_parquet(folder: Path | None) -> None:
    """Refuses to write Parquet where nothing is written, or where what writes it is not installed: before the work, not after it.

    Raises:
        InputError: if so.
    """
    if folder is None:
        raise InputError("there is nothing to write as Parquet", column="--parquet", fix="name a folder with --out")
    try:
        import pyarrow.parquet  # noqa: F401 - whether it is there
    except ImportError as error:
        fix = 'pip install "friendshore-sweep[parquet]"'
        raise InputError(
            "Parquet is written with pyarrow, which is not installed", column="--parquet", fix=fix
        ) from error


class _Csv:
    """A table as CSV, with every digit."""

    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        self._columns = columns
        self._file = file
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
        self._writer = csv.writer(self._text, lineterminator="\n")
        self._writer.writerow(map(cell_inert, columns))

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        self._writer.writerows([_cell(row[column]) for column in self._columns] for row in rows)

    def done(self) -> IO[bytes]:
        """The file, with all of them."""
        self._text.flush()
        self._text.detach()
        return self._file


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else cell_inert(str(value))


class _Parquet:
    """A table as Parquet, numbers as doubles."""

    def __init__(self, columns: Sequence[str], file: IO[bytes]) -> None:
        import pyarrow
        import pyarrow.parquet

        self._columns, self._file = columns, file
        self._schema = pyarrow.schema([(column, _kind(column)) for column in columns])
        self._writer = pyarrow.parquet.ParquetWriter(file, self._schema)
        self._rows: list[Row] = []

    def add(self, rows: Iterable[Row]) -> None:
        """Adds rows."""
        self._rows += rows
        if len(self._rows) >= _GROUP:
            self._write()

    def done(self) -> IO[bytes]:
        """The file, with all of them."""
        self._write()
        self._writer.close()
        return self._file

    def _write(self) -> None:
        import pyarrow

        values = ([as_double(row[column]) for row in self._rows] for column in self._columns)
        arrays = [pyarrow.array(each, field.type) for each, field in zip(values, self._schema, strict=True)]
        self._writer.write_table(pyarrow.Table.from_arrays(arrays, schema=self._schema))
        self._rows = []


def _kind(column: str) -> object:
    import pyarrow

    if column in _NUMBERS:
        return pyarrow.float64()
    return pyarrow.int64() if column in ("number", "demands_short") else pyarrow.string()
