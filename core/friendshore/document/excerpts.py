"""Tables and documents fitted to a screen: period columns summed, and parts excerpted."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from decimal import Decimal
from heapq import heapify, heappop, heapreplace
from itertools import chain, islice, repeat

from .elements import (
    Cell,
    Column,
    DataRow,
    DataTable,
    Document,
    Drawing,
    Element,
    Excerpt,
    Kilograms,
    Notes,
    Pairs,
    Phrase,
    Section,
    Sentence,
    Several,
    Tone,
    Verbatim,
    longest_word,
    sentence,
)
from .figures import count, unit_for, written

LINES = 40
_BETWEEN = 2
"""Maximum characters between two columns."""
_LEAST = 12
"""Minimum characters of a column of lists, if one of its cells is that long."""
_FEW = 3
"""Rows that a table without an excerpt keeps, times its part, while sections can be omitted. Also the number of omitted sections to name."""
_FIRST = (4, 2)
"""Weights of the first tables without an excerpt, since the first content matters most."""


def shortened(document: Document, most: int, lines_of: Callable[[Document], int]) -> Document:
    """Return the document in at most `most` lines, as `lines_of` counts them, or in as few as its mandatory content takes.

    First the tables with the most rows for their weight lose rows, down to `_FEW` for each part. Then titled sections are omitted, the last first.
    Then tables lose more rows. Sentences, doubts, content before the first section, and one row of each table always remain. Omissions are counted.
    """
    parts, left = _sections_to(document.parts, most // 2)
    while True:
        tables = list(_tables(parts))
        order, few = _order(tables, most)

        def made(
            gone: int,
            parts: Sequence[Element] = parts,
            order: Sequence[int] = order,
            left: Sequence[str] = left,
        ) -> Document:
            shown = [min(_rows(table), most) for table in _tables(parts)]
            for one in order[:gone]:
                shown[one] -= 1
            return replace(document, parts=(*_with(parts, iter(shown)), *_named(left)))

        sections = list(_sections(parts))
        if not sections or lines_of(made(few)) <= most:
            return made(_fewest(lambda gone: lines_of(made(gone)) <= most, few if sections else len(order)))
        parts, dropped = _sections_to(parts, len(sections) - 1)
        left = [*dropped, *left]


def _fewest(fits: Callable[[int], bool], most: int) -> int:
    """Return the smallest number that fits, or `most` if none does."""
    low, high = 0, most
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


def _order(tables: Sequence[Element], most: int) -> tuple[list[int], int]:
    """Return the order in which tables lose rows until each has one, and the number of losses before a section is omitted."""
    shown = [min(_rows(table), most) for table in tables]
    excerpts = [table.excerpt if isinstance(table, DataTable) else None for table in tables]
    weights = chain(_FIRST, repeat(1))
    part = [
        one.part if one else 1 if isinstance(table, Notes) else next(weights)
        for one, table in zip(excerpts, tables, strict=True)
    ]
    found: list[int] = []
    few = 0
    for floor in (_FEW, 0):
        least = [1 if one else max(floor * weight, 1) for one, weight in zip(excerpts, part, strict=True)]
        queue = [(-shown[i] / part[i], -i) for i in range(len(tables)) if shown[i] > least[i]]
        heapify(queue)
        few = len(found)
        while queue:
            one = -queue[0][1]
            shown[one] -= 1
            found.append(one)
            if shown[one] > least[one]:
                heapreplace(queue, (-shown[one] / part[one], -one))
            else:
                heappop(queue)
    return found, few


def _sections(parts: Sequence[Element]) -> Iterator[int]:
    """Yield the positions of optional sections: titled ones, except for the first, which has the answer."""
    titled = [place for place, part in enumerate(parts) if isinstance(part, Section) and part.title]
    yield from (place for place in titled[1:] if not _doubtful(parts[place]))


def _doubtful(part: Element) -> bool:
    """Return True if a part contains something that readers must know first."""
    match part:
        case Section(parts=parts):
            return any(map(_doubtful, parts))
        case Notes(tone=tone):
            return tone in _DOUBTS
        case Sentence(phrases):
            return any(isinstance(phrase, Phrase) and phrase.tone in _DOUBTS for phrase in phrases)
        case _:
            return False


_DOUBTS = (Tone.DOUBTFUL, Tone.BAD)


def _sections_to(parts: Sequence[Element], most: int) -> tuple[tuple[Element, ...], list[str]]:
    """Return the parts with the first optional sections, and the titles of the others."""
    rest = list(_sections(parts))[most:]
    titles = [part.title for i in rest if isinstance(part := parts[i], Section)]
    gone = {i for place in rest for i in (place, *_below(parts, place))}
    return tuple(part for i, part in enumerate(parts) if i not in gone), titles


def _below(parts: Sequence[Element], place: int) -> Iterator[int]:
    """Yield the positions of tables set apart under the heading of a section."""
    for i in range(place + 1, len(parts)):
        part = parts[i]
        if not isinstance(part, Section) or part.title:
            return
        if not _doubtful(part) and any(not isinstance(one, Notes) for one in _tables([part])):
            yield i


def _named(titles: Sequence[str]) -> Iterator[Element]:
    if titles:
        more = [f"{len(titles) - _FEW} more"] if len(titles) > _FEW else []
        yield sentence(f"{count(len(titles), 'more section')} (--full): {'; '.join([*titles[:_FEW], *more])}")


def _tables(parts: Iterable[Element]) -> Iterator[Element]:
    for part in parts:
        if isinstance(part, Section):
            yield from _tables(part.parts)
        elif _rows(part):
            yield part


def _rows(part: Element) -> int:
    """Return the number of rows of a part. 0 if none can be omitted."""
    match part:
        case DataTable(rows=rows) | Drawing(table=DataTable(rows=rows)) | Pairs(rows):
            return len(rows)
        case Notes(texts):
            return 0 if _doubtful(part) else len(texts)
        case Verbatim(lines):
            return len(lines)
        case _:
            return 0


def _with(parts: Iterable[Element], shown: Iterator[int]) -> Iterator[Element]:
    for part in parts:
        if isinstance(part, Section):
            yield replace(part, parts=tuple(_with(part.parts, shown)))
        elif rows := _rows(part):
            number = next(shown)
            yield from _first(part, number) if number < rows else (part,)
        else:
            yield part


def _first(part: Element, shown: int) -> Iterator[Element]:
    """Yield the first rows of a table with its sums, and the number of the others."""
    more = f"{_rows(part) - shown} more (--full)"
    match part:
        case DataTable(rows=rows, excerpt=Excerpt(rests)):
            yield replace(part, rows=rows[:shown], excerpt=Excerpt(rests[: shown + 1]))
            return
        case DataTable(rows=rows):
            last = rows[-1:] if rows[-1].strong and shown > 1 else ()
            yield replace(part, rows=(*rows[: shown - len(last)], *last))
        case Drawing(table=table):
            yield from _first(table, shown)
            return
        case Pairs(rows):
            yield Pairs(rows[:shown])
        case Verbatim(lines):
            yield Verbatim(lines[:shown])
        case Notes(texts, tone):
            yield Notes((*texts[:shown], more), tone)
            return
    yield sentence(more)


def in_lines(table: DataTable, width: int) -> DataTable:
    """Return the table with its lists cut to a line of `width` characters, without the columns that don't fit."""
    kept = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    while True:
        widths = [_least(table, i, width) for i in kept]
        spare = max(kept, key=lambda i: (table.columns[i].from_width, -i), default=0)
        if sum(widths) + _BETWEEN * (len(kept) - 1) <= width or not table.columns[spare].from_width:
            break
        kept.remove(spare)
    left = max(width - _BETWEEN * (len(kept) - 1) - sum(_least(table, i, width) for i in kept), 0)
    wanted = sorted((max(_longest(table, i, width) - _least(table, i, width), 0), i) for i in kept)
    room: dict[int, int] = {}
    for others, (more, i) in zip(range(len(kept), 0, -1), wanted, strict=True):
        spare = min(left // others, more)  # what one does not need is left to the others
        room[i] = _least(table, i, width) + spare
        left -= spare
    columns = [replace(table.columns[i], whole=True, from_width=0) for i in kept]
    return DataTable(tuple(columns), tuple(_row(row, kept, room) for row in table.rows), table.excerpt)


def _least(table: DataTable, column: int, width: int) -> int:
    """Return the minimum width of a column."""
    cells = [row.cells[column] for row in table.rows]
    whole = max((len(written(cell, width)) for cell in cells if not isinstance(cell, Several)), default=0)
    listed = max((len(written(cell, width)) for cell in cells if isinstance(cell, Several)), default=0)
    return max(len(table.columns[column].heading), whole, min(listed, _LEAST))


def _longest(table: DataTable, column: int, width: int) -> int:
    """Return the length of the longest cell of a column."""
    return max((len(written(row.cells[column], width)) for row in table.rows), default=0)


def _row(row: DataRow, kept: Sequence[int], room: dict[int, int]) -> DataRow:
    cells: list[Cell] = []
    for i in kept:
        cell = row.cells[i]
        cells.append(listed(cell, room[i]) if isinstance(cell, Several) else cell)
    return replace(row, cells=tuple(cells))


def listed(listing: Several, room: int) -> str:
    """Return the items that fit in `room` characters, and the number of the others. Short texts are used if more items fit."""
    brief = listing.brief or listing.items
    total = len(listing.items)
    for number in range(total, 0, -1):
        told = list(brief[:number])
        if len(_joined(told, total, listing)) > room:
            continue
        for i in range(number):
            longer = [[*told[:i], text, *told[i + 1 :]] for text in _at_length(listing, i)]
            fitting = next((each for each in longer if len(_joined(each, total, listing)) <= room), None)
            if fitting is None:
                break
            told = fitting
        return _joined(told, total, listing)
    if listing.one or not total:
        return count(total, listing.one) if total else ""
    tail = _joined([""], total, listing)
    cut = _cut(brief[0], room - len(tail))
    return _cut(brief[0], room) if cut == "…" else cut + tail


def _at_length(listing: Several, i: int) -> list[str]:
    """Return the texts of one item, the longest first."""
    return [listing.items[i], *([listing.middle[i]] if listing.middle else [])]


def _cut(text: str, room: int) -> str:
    return textwrap.shorten(text, max(room, 2), placeholder=" …", break_on_hyphens=False)


def _joined(told: Sequence[str], total: int, listing: Several) -> str:
    more = [f"{total - len(told)} more"] if total > len(told) else []
    return listing.between.join([*told, *more])


MOST_PERIODS = 6
"""Maximum number of periods shown one by one. A longer plan is shown by calendar years."""
_LEAST_TIMES = 2
"""Minimum number of time columns, even if the line is too narrow."""


def period_columns(periods: Iterable[tuple[str, int]], room: int, over: str = "") -> list[Column]:
    """Return a column for each period (label and calendar year) with `room` assumed characters. `over` is their common heading."""
    return [Column(label, align="right", whole=True, year=str(year), over=over, room=room) for label, year in periods]


def added_up(columns: Sequence[Column], kilograms: Sequence[Decimal]) -> list[Decimal]:
    """Return the kilograms of each period as a wide line shows them."""
    values = iter(kilograms)
    spans = _spans([(column.title, column.year) for column in columns], len(columns))
    return [sum(islice(values, size), Decimal(0)) for _, size in spans]


def fitted(table: DataTable, width: int) -> DataTable:
    """Return the table for a line of `width` characters: periods summed, and columns for wider lines removed."""
    kept = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    if len(kept) < len(table.columns):
        rows = (replace(row, cells=tuple(row.cells[i] for i in kept)) for row in table.rows)
        table = DataTable(tuple(table.columns[i] for i in kept), tuple(rows))
    places = [i for i, column in enumerate(table.columns) if column.year]
    return _added_up(table, places, _most(table, places, width)) if places else table


def _most(table: DataTable, places: Sequence[int], width: int) -> int:
    """Return the number of time columns that fit."""
    others = [
        longest_word(written(row.cells[i], width) for row in table.rows) if column.room is None else column.room
        for i, column in enumerate(table.columns)
        if i not in places
    ]
    each = table.columns[places[0]].room or 1
    return max(_LEAST_TIMES, (width - sum(others)) // each)


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
    """Return titles with the number of periods that each sums: periods if they are few, else calendar years, the last ones merged if necessary."""
    if len(periods) <= min(MOST_PERIODS, most):
        return [(label, 1) for label, _ in periods]
    found = list(Counter(year for _, year in periods).items())
    if len(found) <= most:
        return found
    kept, rest = found[: most - 1], found[most - 1 :]
    return [*kept, (f"{rest[0][0]}–{rest[-1][0][-2:]}", sum(size for _, size in rest))]


def _sums(cells: Sequence[Cell], sizes: Sequence[int]) -> list[Cell]:
    """Return the kilograms summed in groups, in one unit if they state none."""
    values = iter(cells)
    found = [_sum(list(islice(values, size))) for size in sizes]
    masses = [cell for cell in found if isinstance(cell, Kilograms) and not cell.unit]
    unit = unit_for(cell.value for cell in masses)
    return [replace(cell, unit=unit) if isinstance(cell, Kilograms) and not cell.unit else cell for cell in found]


def _sum(cells: Sequence[Cell]) -> Cell:
    some = [cell for cell in cells if isinstance(cell, Kilograms)]
    return replace(some[0], value=sum((cell.value for cell in some), Decimal(0))) if some else cells[0]
