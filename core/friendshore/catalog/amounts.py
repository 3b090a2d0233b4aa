"""Amounts that some people read a thousandfold larger than others: `1,250 kg` and `9.000 t/year`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..domain.base import grouped
from ..domain.quantities import ambiguous
from ..errors import Diagnostic
from ..reading.workbook import is_workbook, read_workbook

Cell = tuple[str, int, str, str]
"""File or sheet, row, column and text."""
_ROWS = 5
"""Rows named of a file in which several amounts are ambiguous."""


def ambiguous_cells(place: Path) -> list[Diagnostic]:
    """Return a warning for each table with ambiguous amounts: of a catalog's folder or workbook, or of one CSV file."""
    return ambiguous_amounts(_cells(place))


def ambiguous_amounts(cells: Iterable[Cell]) -> list[Diagnostic]:
    """Return a warning for each file or sheet in which an amount is ambiguous."""
    found = grouped((cell[0], cell) for cell in cells if ambiguous(cell[3]) is not None)
    return [_warning(those) for those in found.values()]


def _warning(cells: list[Cell]) -> Diagnostic:
    file, row, column, text = cells[0]
    both = ambiguous(text)
    assert both is not None
    return Diagnostic(
        f"`{text.strip()}` is ambiguous: it is read as {both.read}, but some read {both.other}{_others(cells[1:])}",
        file,
        row,
        column,
        found=text.strip(),
        fix=f"write `{both.read}` or `{both.other}`",
    )


def _others(cells: list[Cell]) -> str:
    """The rows of the other ambiguous amounts of a file."""
    rows = list(dict.fromkeys(str(row) for _, row, _, _ in cells))
    if not rows:
        return ""
    left = len(rows) - _ROWS
    shown = ", ".join(rows[:_ROWS]) + (f" and {left} more" if left > 0 else "")
    return f"; see also row{'s' if len(rows) > 1 else ''} {shown}"


def _cells(place: Path) -> Iterator[Cell]:
    if is_workbook(place):
        book = read_workbook(place, [])
        for sheet, lines in book.sheets.items():
            yield from _named(book.place(sheet), lines)
    else:
        files = [place] if place.is_file() else sorted(place.glob("*.csv"))
        for file in filter(Path.is_file, files):  # reading a pipe would never end
            with file.open(encoding="utf-8-sig", newline="") as stream:
                rows = csv.reader(stream)
                yield from _named(str(file), ((rows.line_num, cells) for cells in rows))


def _named(file: str, lines: Iterable[tuple[int, list[str]]]) -> Iterator[Cell]:
    """All cells of a table but those of its header, each with the name of its column."""
    header: list[str] = []
    for row, cells in lines:
        if not header:
            header = cells
            continue
        for position, text in enumerate(cells):
            yield file, row, header[position] if position < len(header) else "", text
