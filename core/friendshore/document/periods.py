"""Columns that stand for periods, added up where a line has no room for each of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from itertools import islice

from .elements import Cell, Column, DataRow, DataTable, Kilograms, longest_word
from .figures import unit_for, written

MOST_PERIODS = 6
"""Periods that are shown one by one; a longer plan is shown by calendar years."""
_LEAST = 2
"""Columns of time that are shown however narrow a line is."""


def period_columns(periods: Iterable[tuple[str, int]], room: int, over: str = "") -> list[Column]:
    """A column for each period, given by label and calendar year, with `room` characters to reckon with; `over` says what all of them are of."""
    return [Column(label, align="right", whole=True, year=str(year), over=over, room=room) for label, year in periods]


def added_up(columns: Sequence[Column], kilograms: Sequence[Decimal]) -> list[Decimal]:
    """The kilograms of each period as they stand where a line is wide enough."""
    values = iter(kilograms)
    spans = _spans([(column.title, column.year) for column in columns], len(columns))
    return [sum(islice(values, size), Decimal(0)) for _, size in spans]


def fitted(table: DataTable, width: int) -> DataTable:
    """The table as a line of `width` characters takes it: fewer columns of periods, and none that only a wider line has."""
    kept = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    if len(kept) < len(table.columns):
        table = DataTable(tuple(table.columns[i] for i in kept), tuple(_only(row, kept) for row in table.rows))
    places = [i for i, column in enumerate(table.columns) if column.year]
    return _added_up(table, places, _most(table, places, width)) if places else table


def _only(row: DataRow, kept: Sequence[int]) -> DataRow:
    return replace(row, cells=tuple(row.cells[i] for i in kept))


def _most(table: DataTable, places: Sequence[int], width: int) -> int:
    """How many columns of time there is room for."""
    others = [
        longest_word(written(row.cells[i], width) for row in table.rows) if column.room is None else column.room
        for i, column in enumerate(table.columns)
        if i not in places
    ]
    each = table.columns[places[0]].room or 1
    return max(_LEAST, (width - sum(others)) // each)


def _added_up(table: DataTable, places: Sequence[int], most: int) -> DataTable:
    columns = table.columns
    spans = _spans([(columns[i].title, columns[i].year) for i in places], most)
    first, rest = places[0], places[-1] + 1
    titled = []
    start = first
    for title, size in spans:
        over = columns[first].over if start == first else ""
        titled.append(replace(columns[start], title=f"{over} {title}".strip(), over="", year=""))
        start += size
    sizes = [size for _, size in spans]
    rows = [
        replace(row, cells=(*row.cells[:first], *_sums(row.cells[first:rest], sizes), *row.cells[rest:]))
        for row in table.rows
    ]
    return DataTable((*columns[:first], *titled, *columns[rest:]), tuple(rows))


def _spans(periods: Sequence[tuple[str, str]], most: int) -> list[tuple[str, int]]:
    """Titles with the number of periods that each adds up: the periods if they are few, else calendar years, the last years together
    where there is no room for all.
    """
    if len(periods) <= min(MOST_PERIODS, most):
        return [(label, 1) for label, _ in periods]
    found = list(Counter(year for _, year in periods).items())
    if len(found) <= most:
        return found
    kept, rest = found[: most - 1], found[most - 1 :]
    return [*kept, (f"{rest[0][0]}–{rest[-1][0][-2:]}", sum(size for _, size in rest))]


def _sums(cells: Sequence[Cell], sizes: Sequence[int]) -> list[Cell]:
    """Kilograms added up, so many at a time, and in one unit if they state none."""
    values = iter(cells)
    found = [_sum(list(islice(values, size))) for size in sizes]
    masses = [cell for cell in found if isinstance(cell, Kilograms) and not cell.unit]
    unit = unit_for(cell.value for cell in masses)
    return [replace(cell, unit=unit) if isinstance(cell, Kilograms) and not cell.unit else cell for cell in found]


def _sum(cells: Sequence[Cell]) -> Cell:
    some = [cell for cell in cells if isinstance(cell, Kilograms)]
    return replace(some[0], value=sum((cell.value for cell in some), Decimal(0))) if some else cells[0]
