"""Tables and documents fitted to a screen."""

from __future__ import annotations

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
    Verbatim,
    longest_word,
    sentence,
)
from .figures import count, unit_for, written
from .tones import Tone

# Lines of a screen.
LINES = 50
# Characters between two columns.
_GAP = 2
_MIN_TEXT_WIDTH = 20
"""Minimum characters of a column of texts, if one of its cells is that long."""
_MIN_ROWS = 3
"""Rows that a table without an excerpt keeps, times its part, while sections can be omitted. Also the number of omitted sections to name."""
_FIRST_WEIGHTS = (4, 2)
"""Weights of the first tables without an excerpt, since the first content matters most."""


def shortened(document: Document, max_lines: int, lines_of: Callable[[Document], int]) -> Document:
    """Return the document in at most `max_lines`, as `lines_of` counts them, or in as few as its mandatory content takes.

    First the tables with the most rows for their weight lose rows, down to `_MIN_ROWS` for each part. Then titled sections are omitted, the last first.
    Then tables lose more rows. Sentences, doubts, content before the first section, and one row of each table always remain. Omissions are counted.
    """
    parts, omitted_titles = _without_sections(document.parts, max_lines // 2)
    while True:
        tables = list(_tables(parts))
        order, losses_before_sections = _order_of_losses(tables, max_lines)

        def with_losses(
            losses: int,
            parts: Sequence[Element] = parts,
            order: Sequence[int] = order,
            omitted_titles: Sequence[str] = omitted_titles,
        ) -> Document:
            rows_shown = [min(_rows(table), max_lines) for table in _tables(parts)]
            for table_position in order[:losses]:
                rows_shown[table_position] -= 1
            shown_parts = [*_with_rows(parts, iter(rows_shown))]
            last = next((i for i, part in enumerate(reversed(shown_parts)) if not isinstance(part, Sentence)), 0)
            position = len(shown_parts) - last  # sentences at the end, such as the date, stay there
            shown_parts[position:position] = _omitted_sections(omitted_titles)
            return replace(document, parts=tuple(shown_parts))

        sections = list(_optional_sections(parts))
        if not sections or lines_of(with_losses(losses_before_sections)) <= max_lines:
            return with_losses(
                _smallest_fitting(
                    lambda losses: lines_of(with_losses(losses)) <= max_lines,
                    losses_before_sections if sections else len(order),
                )
            )
        parts, more_titles = _without_sections(parts, len(sections) - 1)
        omitted_titles = [*more_titles, *omitted_titles]


def _smallest_fitting(fits: Callable[[int], bool], maximum: int) -> int:
    """Return the smallest number that fits, or `maximum` if none does."""
    low, high = 0, maximum
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle + 1, high)
    return low


def _order_of_losses(tables: Sequence[Element], max_rows: int) -> tuple[list[int], int]:
    """Return the table of each loss until every table has one row, and the number of losses before a section is omitted."""
    rows_shown = [min(_rows(table), max_rows) for table in tables]
    excerpts = [table.excerpt if isinstance(table, DataTable) else None for table in tables]
    first_weights = chain(_FIRST_WEIGHTS, repeat(1))
    weights_of_tables = [
        excerpt.part if excerpt else 1 if isinstance(table, Notes) else next(first_weights)
        for excerpt, table in zip(excerpts, tables, strict=True)
    ]
    losses: list[int] = []
    losses_before_sections = 0
    for floor in (_MIN_ROWS, 0):
        min_rows = [
            1 if excerpt else max(floor * weight, 1)
            for excerpt, weight in zip(excerpts, weights_of_tables, strict=True)
        ]
        queue = [(-rows_shown[i] / weights_of_tables[i], -i) for i in range(len(tables)) if rows_shown[i] > min_rows[i]]
        heapify(queue)
        losses_before_sections = len(losses)
        while queue:
            position = -queue[0][1]
            rows_shown[position] -= 1
            losses.append(position)
            if rows_shown[position] > min_rows[position]:
                heapreplace(queue, (-rows_shown[position] / weights_of_tables[position], -position))
            else:
                heappop(queue)
    return losses, losses_before_sections


def _optional_sections(parts: Sequence[Element]) -> Iterator[int]:
    """Yield the positions of titled sections after the first, which has the answer."""
    titled_positions = [position for position, part in enumerate(parts) if isinstance(part, Section) and part.title]
    yield from (position for position in titled_positions[1:] if not _doubtful(parts[position]))


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


def _without_sections(parts: Sequence[Element], max_sections: int) -> tuple[tuple[Element, ...], list[str]]:
    omitted = list(_optional_sections(parts))[max_sections:]
    titles = [part.title for i in omitted if isinstance(part := parts[i], Section)]
    omitted_positions = {i for position in omitted for i in (position, *_tables_below(parts, position))}
    return tuple(part for i, part in enumerate(parts) if i not in omitted_positions), titles


def _tables_below(parts: Sequence[Element], heading_position: int) -> Iterator[int]:
    for i in range(heading_position + 1, len(parts)):
        part = parts[i]
        if not isinstance(part, Section) or part.title:
            return
        if not _doubtful(part) and any(not isinstance(table, Notes) for table in _tables([part])):
            yield i


def _omitted_sections(titles: Sequence[str]) -> Iterator[Element]:
    if titles:
        others = [f"{len(titles) - _MIN_ROWS} more"] if len(titles) > _MIN_ROWS else []
        yield sentence(f"{count(len(titles), 'more section')} (--full): {'; '.join([*titles[:_MIN_ROWS], *others])}")


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


def _with_rows(parts: Iterable[Element], rows_shown: Iterator[int]) -> Iterator[Element]:
    for part in parts:
        if isinstance(part, Section):
            yield replace(part, parts=tuple(_with_rows(part.parts, rows_shown)))
        elif rows := _rows(part):
            rows_kept = next(rows_shown)
            yield from _first_rows(part, rows_kept) if rows_kept < rows else (part,)
        else:
            yield part


def _first_rows(part: Element, rows_shown: int) -> Iterator[Element]:
    """Yield the first rows of a table with its sums, and the number of the others."""
    note = f"{_rows(part) - rows_shown} more (--full)"
    match part:
        case DataTable(rows=rows, excerpt=Excerpt(rests)):
            yield replace(part, rows=rows[:rows_shown], excerpt=Excerpt(rests[: rows_shown + 1]))
            return
        case DataTable(rows=rows):
            total_row = rows[-1:] if rows[-1].strong and rows_shown > 1 else ()
            yield replace(part, rows=(*rows[: rows_shown - len(total_row)], *total_row))
        case Drawing(table=table):
            yield from _first_rows(table, rows_shown)
            return
        case Pairs(rows):
            yield Pairs(rows[:rows_shown])
        case Verbatim(lines):
            yield Verbatim(lines[:rows_shown])
        case Notes(texts, tone):
            yield Notes((*texts[:rows_shown], note), tone)
            return
    yield sentence(note)


def in_lines(table: DataTable, width: int) -> DataTable:
    """Return the table with lists of items that fit into lines of `width` characters, without the columns that don't fit. Texts may take several lines."""
    positions = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    while True:
        widths = [_min_width(table, i, width) for i in positions]
        optional = max(positions, key=lambda i: (table.columns[i].from_width, -i), default=0)
        if sum(widths) + _GAP * (len(positions) - 1) <= width or not table.columns[optional].from_width:
            break
        positions.remove(optional)
    width_left = max(width - _GAP * (len(positions) - 1) - sum(_min_width(table, i, width) for i in positions), 0)
    extra_by_need = sorted((max(_max_width(table, i, width) - _min_width(table, i, width), 0), i) for i in positions)
    room: dict[int, int] = {}
    for remaining, (extra, i) in zip(range(len(positions), 0, -1), extra_by_need, strict=True):
        slack = min(width_left // remaining, extra)  # what one column doesn't need is left to the others
        room[i] = _min_width(table, i, width) + slack
        width_left -= slack
    columns = [replace(table.columns[i], whole=not _is_text(table, i), from_width=0) for i in positions]
    return DataTable(tuple(columns), tuple(_row(row, positions, room) for row in table.rows), table.excerpt)


def _is_text(table: DataTable, column: int) -> bool:
    """Return True if a column has names or sentences, which may be broken between words."""
    stated = table.columns[column]
    return not stated.whole and stated.align == "left"


def _min_width(table: DataTable, column: int, width: int) -> int:
    texts = [text for row in table.rows for text in _texts(row.cells[column], width)]
    longest = max(map(len, texts), default=0)
    if _is_text(table, column):
        longest = max(longest_word(texts), min(longest, _MIN_TEXT_WIDTH))
    return max(len(table.columns[column].heading), longest)


def _texts(cell: Cell, width: int) -> Sequence[str]:
    """Return a cell's text, or those of the items of a list that an excerpt always names."""
    if not isinstance(cell, Several):
        return [written(cell, width)]
    return (cell.brief or cell.items)[: None if cell.complete else 1]


def _max_width(table: DataTable, column: int, width: int) -> int:
    return max((len(written(row.cells[column], width)) for row in table.rows), default=0)


def _row(row: DataRow, positions: Sequence[int], room: dict[int, int]) -> DataRow:
    cells: list[Cell] = []
    for i in positions:
        cell = row.cells[i]
        cells.append(listed(cell, room[i]) if isinstance(cell, Several) else cell)
    return replace(row, cells=tuple(cells))


def listed(listing: Several, room: int) -> str:
    """Return the items that fit in `room` characters, at least the first one, and the number of the others. Short texts are used if more items fit."""
    brief = listing.brief or listing.items
    total = len(listing.items)
    for number in range(total, 0, -1):
        texts = list(brief[:number])
        if len(_joined(texts, total, listing)) > room and not listing.complete:
            continue
        for i in range(number):
            longer = [*texts[:i], listing.items[i], *texts[i + 1 :]]
            if len(_joined(longer, total, listing)) > room:
                break
            texts = longer
        return _joined(texts, total, listing)
    if listing.one or not total:
        return count(total, listing.one) if total else ""
    return _joined(brief[:1], total, listing)


def _joined(texts: Sequence[str], total: int, listing: Several) -> str:
    others = [f"{total - len(texts)} more"] if total > len(texts) else []
    return listing.between.join([*texts, *others])


MAX_PERIODS = 6
_MIN_TIME_COLUMNS = 2


def period_columns(periods: Iterable[tuple[str, int]], room: int, over: str = "") -> list[Column]:
    """Return a column for each period, given as label and calendar year."""
    return [Column(label, align="right", whole=True, year=str(year), over=over, room=room) for label, year in periods]


def added_up(columns: Sequence[Column], kilograms: Sequence[Decimal]) -> list[Decimal]:
    """Return the kilograms of each period as a wide line shows them."""
    values = iter(kilograms)
    spans = _spans([(column.title, column.year) for column in columns], len(columns))
    return [sum(islice(values, size), Decimal(0)) for _, size in spans]


def fitted(table: DataTable, width: int) -> DataTable:
    """Return the table for lines of `width` characters: periods summed, and columns for wider lines removed."""
    shown = [i for i, column in enumerate(table.columns) if column.from_width <= width]
    if len(shown) < len(table.columns):
        rows = (replace(row, cells=tuple(row.cells[i] for i in shown)) for row in table.rows)
        table = DataTable(tuple(table.columns[i] for i in shown), tuple(rows))
    period_positions = [i for i, column in enumerate(table.columns) if column.year]
    return (
        _added_up(table, period_positions, _max_time_columns(table, period_positions, width))
        if period_positions
        else table
    )


def _max_time_columns(table: DataTable, period_positions: Sequence[int], width: int) -> int:
    others = [
        longest_word(written(row.cells[i], width) for row in table.rows) if column.room is None else column.room
        for i, column in enumerate(table.columns)
        if i not in period_positions
    ]
    column_width = table.columns[period_positions[0]].room or 1
    return max(_MIN_TIME_COLUMNS, (width - sum(others)) // column_width)


def _added_up(table: DataTable, positions: Sequence[int], max_columns: int) -> DataTable:
    columns = table.columns
    spans = _spans([(columns[i].title, columns[i].year) for i in positions], max_columns)
    first, end = positions[0], positions[-1] + 1
    headed_columns = []
    start = first
    for title, size in spans:
        over = columns[first].over if start == first else ""
        headed_columns.append(replace(columns[start], title=f"{over} {title}".strip(), over="", year=""))
        start += size
    sizes = [size for _, size in spans]
    rows = [
        replace(row, cells=(*row.cells[:first], *_sums(row.cells[first:end], sizes), *row.cells[end:]))
        for row in table.rows
    ]
    return DataTable((*columns[:first], *headed_columns, *columns[end:]), tuple(rows))


def _spans(periods: Sequence[tuple[str, str]], max_columns: int) -> list[tuple[str, int]]:
    """Return titles with the number of periods that each sums: periods if they are few, else years, the last ones merged if necessary."""
    if len(periods) <= min(MAX_PERIODS, max_columns):
        return [(label, 1) for label, _ in periods]
    years = list(Counter(year for _, year in periods).items())
    if len(years) <= max_columns:
        return years
    shown_years, merged_years = years[: max_columns - 1], years[max_columns - 1 :]
    return [*shown_years, (f"{merged_years[0][0]}–{merged_years[-1][0][-2:]}", sum(size for _, size in merged_years))]


def _sums(cells: Sequence[Cell], sizes: Sequence[int]) -> list[Cell]:
    """Return the kilograms summed in groups, in one unit if they state none."""
    values = iter(cells)
    summed = [_sum_of_masses(list(islice(values, size))) for size in sizes]
    masses = [cell for cell in summed if isinstance(cell, Kilograms) and not cell.unit]
    unit = unit_for(cell.value for cell in masses)
    return [replace(cell, unit=unit) if isinstance(cell, Kilograms) and not cell.unit else cell for cell in summed]


def _sum_of_masses(cells: Sequence[Cell]) -> Cell:
    masses = [cell for cell in cells if isinstance(cell, Kilograms)]
    return replace(masses[0], value=sum((cell.value for cell in masses), Decimal(0))) if masses else cells[0]
