"""A catalog written as a folder of CSV files or as a workbook, and read again before it is handed over.

Written is what stands in each cell, not what it was converted to: the same units, the same order of rows and columns.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..domain.facts import Catalog
from ..errors import Diagnostic, InputError
from ..inert import cell_inert, computed
from ..readers import CatalogRows
from ..reading import kinds as k
from ..reading.fields import FactColumns, Field
from ..reading.tomlfile import toml_text
from ..reading.workbook import is_workbook
from ..writing import write_file, written_aside
from . import columns
from .sheets import Sheet, workbook
from .tables import HEAD_ROWS, HEAD_SHEET, NO_FACTS, sheet_name, tables_at

_OTHERS = frozenset({".csv", ".ods", ".tsv", ".xls", ".xlsb", ".xlsm"})
"""Endings that mean something else than what would be written."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A catalog as it is written."""

    head: Mapping[str, Any]
    """Keys of `catalog.toml` that are given, parsed."""
    tables: Mapping[str, tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]]
    """Header and rows by the table's file name; tables that are not there are left out."""
    facts: FactColumns = NO_FACTS
    """Columns that plugins declare."""

    @property
    def declarers(self) -> frozenset[str]:
        """Distributions of the plugins that declare columns of its tables."""
        headers = {sheet: header for sheet, (header, _) in self.tables.items()}
        return frozenset(by for table, name, _, by in self.facts.known if name in headers.get(f"{table}.csv", ()))


def texts_of(path: Path | CatalogRows, facts: FactColumns = NO_FACTS) -> Texts:
    """What stands in a catalog without mistakes (`read_catalog` finds them): a folder or workbook, or what a reader read.

    Raises:
        InputError: if it cannot be read.
    """
    found: list[Diagnostic] = []
    place = tables_at(path, found, facts)
    head = place.head(found)
    tables = {}
    for layout in columns.TABLES:
        table = place.table(layout, found)
        if table is not None:
            names = sorted(table.columns, key=lambda name: table.columns[name])
            rows = tuple(tuple(row.cells[table.columns[name]] for name in names) for row in table.rows)
            tables[layout.name] = (tuple(names), rows)
    if found or head is None:
        raise InputError(found)
    return Texts({name: head.values[name] for name in columns.HEAD.names if name in head.values}, tables, facts)


def convert(
    source: Path | CatalogRows, target: Path, read: Callable[[Any], Catalog], facts: FactColumns = NO_FACTS
) -> tuple[Path, ...]:
    """Writes a catalog in another form, proves that it holds the same facts, and returns the files written.

    Args:
        source: folder or workbook, or what a reader read.
        target: what to write: a workbook if it ends in `.xlsx`, else a folder; it must not be there.
        read: reads a catalog, with those it requires.
        facts: columns that plugins declare.

    Raises:
        InputError: with every mistake of the source; if the target is there or cannot be written; if openpyxl is needed and not
            installed; or if what was written does not read back as the same facts. Then nothing is left behind.
    """
    may_be_written(target)
    before, texts = read(source), texts_of(source, facts)
    return put(texts, before.digest, target, read)


def put(texts: Texts, digest: str, target: Path, read: Callable[[Path], Catalog]) -> tuple[Path, ...]:
    """Writes a catalog to a target as `convert` does, proves that it reads back as facts of the same digest, and returns the files written.

    Raises:
        InputError: as `convert` does.
    """
    may_be_written(target)
    try:
        with written_aside(target) as made:
            (write_workbook if is_workbook(target) else write_folder)(texts, made)
            if read(made).digest != digest:
                fix = "look for cells with line breaks or signs that cannot be seen"
                raise InputError("would not hold the same facts, and is not written", str(target), fix=fix)
    except OSError as error:
        raise InputError(f"cannot be written: {error.strerror or error}", str(target)) from error
    return (target,) if target.is_file() else tuple(sorted(target.iterdir()))


def may_be_written(target: Path) -> None:
    """Looks whether something can be written there.

    Raises:
        InputError: if something is there already, or its ending means what is not written.
    """
    if target.exists() or target.is_symlink():
        fix = "name another, or move it away"
        raise InputError("is there already, and is left as it is", str(target), fix=fix)
    if target.suffix.lower() in _OTHERS:
        fix = f"write {target.stem}.xlsx for a workbook, or {target.stem} for a folder"
        raise InputError("is neither a workbook nor a folder", str(target), fix=fix)


def write_folder(texts: Texts, folder: Path) -> None:
    """Writes `catalog.toml` and CSV files.

    Raises:
        OSError: if it cannot be written.
    """
    folder.mkdir()
    head = toml_text(texts.head)
    write_file(folder / columns.HEAD.name, head.encode())
    for layout in (layout for layout in columns.TABLES if layout.name in texts.tables):
        name, (header, rows) = layout.name, texts.tables[layout.name]
        stream = io.StringIO()
        free = [_is_free(texts.facts.extended(layout).by_name.get(column)) for column in header]
        inert = [tuple(map(_inert, row, free)) for row in rows]
        csv.writer(stream, lineterminator="\n").writerows([header, *inert])
        write_file(folder / name, stream.getvalue().encode())


_FREE = (k.TEXT, k.TEXTS, k.kind_of("prose"), k.kind_of(frozenset))
"""Kinds of cells that may hold any text; all others are looked at when they are read, and none of them is a formula."""


def _is_free(said: Field | None) -> bool:
    return said is not None and said.kind in _FREE


def _inert(text: str, free: bool) -> str:
    """A cell that no spreadsheet computes; a reader gives back what it was."""
    return cell_inert(text) if free and computed(text) else text


def write_workbook(texts: Texts, path: Path) -> None:
    """Writes a workbook: one sheet a table, and a sheet `catalog` of keys and values.

    Numbers and dates are cells of that sort; all else is text, also in the eyes of a spreadsheet, so that `2841.80` and `1/2`
    stay what they are.

    Raises:
        InputError: if XlsxWriter is not installed, or a cell holds what no workbook can.
        OSError: if it cannot be written.
    """
    pairs = tuple((name, _in_cell(value)) for name, value in texts.head.items())
    sheets = [Sheet(HEAD_SHEET, HEAD_ROWS.names, pairs, HEAD_ROWS.by_name)]
    for layout in columns.TABLES:
        if layout.name in texts.tables:
            header, rows = texts.tables[layout.name]
            sheets.append(Sheet(sheet_name(layout), header, rows, texts.facts.extended(layout).by_name))
    write_file(path, workbook(str(path), sheets))


def _in_cell(value: object) -> str:
    return ";".join(value) if isinstance(value, tuple) else str(value)
