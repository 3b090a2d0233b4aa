"""Tables that are shortened to the room there is: rows of one line each and columns that are left out whole, and lists that say how many more there are."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace

from .elements import Cell, Column, DataRow, DataTable, Document, Element, Excerpt, Section, Several
from .figures import count, written

_BETWEEN = 2
"""Characters between two columns, at most."""
_LEAST = 12
"""Characters that a column of lists takes at least, if any of its cells is as long."""


def shortened(document: Document, most: int, lines_of: Callable[[Document], int]) -> Document:
    """The document with as many rows of its excerpts as so many lines take, as `lines_of` counts them.

    Rows are taken off where most are shown for the part of the room that a table has; one row of each stays, and nothing else is left out.
    """
    tables = list(_excerpts(document.parts))
    shown = [len(table.rows) for table in tables]
    parts = [excerpt.part for excerpt in (table.excerpt for table in tables) if excerpt]
    while True:
        made = replace(document, parts=_with(document.parts, iter(shown)))
        over = lines_of(made) - most
        able = [i for i, rows in enumerate(shown) if rows > 1]
        if over <= 0 or not able:
            return made
        for _ in range(over):  # each takes at most a line, so that no row too many is taken before it is counted anew
            able = [i for i in able if shown[i] > 1]
            if able:
                shown[max(able, key=lambda i: (shown[i] / parts[i], i))] -= 1


def _excerpts(parts: Iterable[Element]) -> Iterator[DataTable]:
    for part in parts:
        if isinstance(part, DataTable) and part.excerpt:
            yield part
        elif isinstance(part, Section):
            yield from _excerpts(part.parts)


def _with(parts: Sequence[Element], shown: Iterator[int]) -> tuple[Element, ...]:
    """The same with so many rows of each excerpt."""
    made: list[Element] = []
    for part in parts:
        if isinstance(part, DataTable) and part.excerpt:
            rows = next(shown)
            made.append(replace(part, rows=part.rows[:rows], excerpt=Excerpt(part.excerpt.rests[: rows + 1])))
        elif isinstance(part, Section):
            made.append(replace(part, parts=_with(part.parts, shown)))
        else:
            made.append(part)
    return tuple(made)


def in_lines(table: DataTable, width: int) -> DataTable:
    """The table with its lists cut to what a line of `width` characters takes, and without the columns for which it has no room."""
    kept = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    while True:
        widths = [_least(table, i, width) for i in kept]
        spare = max(kept, key=lambda i: (table.columns[i].from_width, -i), default=0)
        if sum(widths) + _BETWEEN * (len(kept) - 1) <= width or not table.columns[spare].from_width:
            break
        kept.remove(spare)
    lists = [i for i in kept if _lists(table, i)]
    left = width - _BETWEEN * (len(kept) - 1) - sum(_least(table, i, width) for i in kept if i not in lists)
    room = {i: max(left // len(lists), 1) for i in lists}
    columns = [_whole(table.columns[i]) for i in kept]
    return DataTable(tuple(columns), tuple(_row(row, kept, room) for row in table.rows), table.excerpt)


def _lists(table: DataTable, column: int) -> bool:
    return any(isinstance(row.cells[column], Several) for row in table.rows)


def _least(table: DataTable, column: int, width: int) -> int:
    """Characters that a column needs."""
    longest = max((len(written(row.cells[column], width)) for row in table.rows), default=0)
    heading = len(table.columns[column].heading)
    return max(heading, min(longest, _LEAST)) if _lists(table, column) else max(heading, longest)


def _whole(column: Column) -> Column:
    return replace(column, whole=True, from_width=0)


def _row(row: DataRow, kept: Sequence[int], room: dict[int, int]) -> DataRow:
    cells: list[Cell] = []
    for i in kept:
        cell = row.cells[i]
        cells.append(listed(cell, room[i]) if isinstance(cell, Several) else cell)
    return replace(row, cells=tuple(cells))


def listed(listing: Several, room: int) -> str:
    """As many things of a list as so many characters take, and how many more there are: told shorter where more of them fit so."""
    brief = listing.brief or listing.items
    total = len(listing.items)
    for number in range(total, 0, -1):
        told = list(brief[:number])
        if len(_joined(told, total, listing)) > room:
            continue
        for i, item in enumerate(listing.items[:number]):
            longer = [*told[:i], item, *told[i + 1 :]]
            if len(_joined(longer, total, listing)) > room:
                break
            told = longer
        return _joined(told, total, listing)
    if listing.one or not total:
        return count(total, listing.one) if total else ""
    tail = _joined([""], total, listing)
    return textwrap.shorten(brief[0], max(room - len(tail), 2), placeholder=" …", break_on_hyphens=False) + tail


def _joined(told: Sequence[str], total: int, listing: Several) -> str:
    more = [f"{total - len(told)} more"] if total > len(told) else []
    return listing.between.join([*told, *more])
