"""The tables of a sweep as files: CSV with every digit, and Parquet for tools that read many rows quickly."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path

from ...errors import InputError
from ...inert import cell_inert
from ...writing import replace_file
from .records import Sweep, as_double


def write_tables(found: Sweep, folder: Path, *, parquet: bool) -> None:
    """Writes every table, in the place of one that is there.

    Raises:
        InputError: if Parquet is asked for, and what writes it is not installed.
        OSError: if a file cannot be written.
    """
    for table in found.TABLES:
        replace_file(folder / f"{table}.csv", _csv(found, table))
        if parquet:
            replace_file(folder / f"{table}.parquet", _parquet(found, table))


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
        fix = 'pip install "friendshore[parquet]"'
        raise InputError(
            "Parquet is written with pyarrow, which is not installed", column="--parquet", fix=fix
        ) from error


def _csv(found: Sweep, table: str) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    columns = found.columns(table)
    writer.writerow(map(cell_inert, columns))
    writer.writerows([_cell(row[column]) for column in columns] for row in found.rows(table))
    return text.getvalue().encode()


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{value:f}" if isinstance(value, Decimal) else cell_inert(str(value))


def _parquet(found: Sweep, table: str) -> bytes:
    import pyarrow
    import pyarrow.parquet

    columns = found.columns(table)
    rows = list(found.rows(table))
    texts = {"name", *found.axes, "status", "message", "material", "end_use", "offer", "facility", "country", "place"}

    def kind(column: str) -> object:
        if column in texts:
            return pyarrow.string()
        return pyarrow.int64() if column in ("number", "demands_short") else pyarrow.float64()

    def values(column: str) -> Iterable[object]:
        return [as_double(row[column]) for row in rows]

    arrays = [pyarrow.array(values(column), kind(column)) for column in columns]
    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.Table.from_arrays(arrays, names=list(columns)), sink)
    return sink.getvalue()
