"""The rows of a spreadsheet of anybody's own columns: a CSV file, or a sheet of a workbook."""

from __future__ import annotations

from collections.abc import Container, Iterator
from dataclasses import dataclass
from itertools import dropwhile
from pathlib import Path

from ...domain.suggest import did_you_mean
from ...errors import Diagnostic
from ...reading import kinds as k
from ...reading.csvfile import BAD_CELL, NumberCell, Table, fill, read_table
from ...reading.fields import Field, Layout
from ...reading.textfile import no_file
from ...reading.workbook import Workbook, is_workbook, read_workbook
from .read import Map
from .texts import Row

_STRANGER = "no such column"


@dataclass(frozen=True, slots=True)
class SheetRow:
    """A row of the spreadsheet."""

    line: int
    cells: Row
    """By column; words that mean that nothing is known are blank."""
    bad: frozenset[str]
    """Columns of whose cell it has been said that it cannot be read."""


def read_sheet(path: Path, by: Map, found: list[Diagnostic]) -> tuple[str, list[SheetRow]]:
    """The rows of a spreadsheet, and what messages call it; what is wrong with it, or with the columns that the map names, goes to `found`."""
    names = tuple(dict.fromkeys(column for block in by.blocks for _, column in block.named))
    if not names:
        by.toml.problem((), "the map names no column of the spreadsheet")
        return str(path), []
    layout = Layout(path.name, "", tuple(Field(name, k.TEXT, "A column of the map.") for name in names), others="kept")
    numbers: set[tuple[int, int]] = set()
    if is_workbook(path):
        table = _from_workbook(path, layout, by, found, numbers)
    else:
        other = no_file(path)
        if other is not None or not path.is_file():
            fix = "check the path"
            found.append(other or Diagnostic("there is no such file", str(path), expected="a spreadsheet", fix=fix))
            return str(path), []
        table = read_table(path, layout, found, by.sheet.get("separator", ","), by.sheet.get("header", 1))
    if table is None:
        return str(path), []
    _tell_missing(table, by, found)
    blank = {word.casefold() for word in by.sheet.get("blank", ())}
    return table.file, list(_rows(table, blank, numbers)) if set(names) <= table.columns.keys() else []


def _rows(table: Table, blank: set[str], numbers: Container[tuple[int, int]]) -> Iterator[SheetRow]:
    """The rows of a table; `numbers` are rows and positions of cells that hold a number, whatever its text."""
    for row in table.rows:
        bad = {name for name, position in table.columns.items() if row.cells[position] == BAD_CELL}
        texts = {
            name: (NumberCell if (row.line, position) in numbers else str)(row.cells[position])
            for name, position in table.columns.items()
        }
        cells = {name: "" if name in bad or text.casefold() in blank else text for name, text in texts.items()}
        yield SheetRow(row.line, cells, frozenset(bad | (set(table.columns) & row.bad)))


def _from_workbook(
    path: Path, layout: Layout, by: Map, found: list[Diagnostic], numbers: set[tuple[int, int]]
) -> Table | None:
    """A sheet as a table; rows and positions of its cells that hold a number go to `numbers`."""
    book = read_workbook(path, found)
    name = _sheet_of(book, by)
    if name is None:
        return None
    lines = list(dropwhile(lambda line: line[0] < by.sheet.get("header", 1), book.sheets[name]))
    numbers |= {(row, at) for row, cells in lines for at, cell in enumerate(cells) if isinstance(cell, NumberCell)}
    table = Table(layout, book.place(name), found)
    width = max((len(cells) for _, cells in lines[:1]), default=0)
    fill(table, iter([(number, cells + [""] * (width - len(cells))) for number, cells in lines]))
    found.extend(p for p in book.found.get(name, ()) if p.row is None or p.row >= table.head_line)
    return table


def _sheet_of(book: Workbook, by: Map) -> str | None:
    """The sheet that the map names, or the only one there is."""
    wanted = by.sheet.get("name", "")
    name = book.named(wanted) if wanted else next(iter(book.sheets)) if len(book.sheets) == 1 else None
    if name is None and book.sheets:
        listed = "one of " + ", ".join(book.sheets)
        message = f"the workbook has no sheet `{wanted}`" if wanted else "the workbook has several sheets"
        by.toml.problem(("sheet", "name"), message, expected=listed, fix=did_you_mean(wanted, list(book.sheets)))
    return name


def _tell_missing(table: Table, by: Map, found: list[Diagnostic]) -> None:
    """Columns that the map names and the spreadsheet has not are mistakes of the map, said there and once."""
    if not table.columns and not table.others:
        return  # what keeps it from being read has been told
    strangers = [p for p in found if p.file == table.file and p.message == _STRANGER]
    found[:] = [p for p in found if p not in strangers]
    there = [*table.columns, *table.others, *(p.column for p in strangers)]
    told: set[str] = set()
    for block in by.blocks:
        for key, column in block.named:
            if column not in table.columns and column not in told:
                told.add(column)
                message = f"the spreadsheet has no column `{column}`"
                expected = "one of " + ", ".join(there)
                fix = did_you_mean(column, there)
                by.toml.problem((block.table, block.number, key), message, "", expected, fix)
