"""Tables bent by lot: rows of cells, as CSV files and sheets hold them."""

from __future__ import annotations

import csv
import io
from random import Random
from typing import Any

from . import nasty

Rows = list[list[Any]]


def read(text: str) -> Rows:
    """The rows of a CSV file, its header the first."""
    return [list(row) for row in csv.reader(io.StringIO(text))]


def written(rows: Rows, lot: Random) -> str:
    """Rows as a CSV file, now and then as another program would write it."""
    text = io.StringIO()
    delimiter = lot.choice(";\t") if lot.random() < 0.03 else ","
    end = lot.choice(("\r\n", "\r")) if lot.random() < 0.05 else "\n"
    if lot.random() < 0.05:
        csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(rows)
    else:
        csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows)
    return text.getvalue()


def bend(rows: Rows, lot: Random, times: int) -> None:
    """Changes rows in place, at so many places drawn by lot."""
    for _ in range(times):
        full = [row for row in rows if row]
        if not full:
            return
        row = lot.choice(full)
        column = lot.randrange(len(row))
        if lot.random() < 0.65:
            row[column] = _cell(rows, row, column, lot)
        else:
            _shape(rows, rows.index(row), column, lot)


def _cell(rows: Rows, row: list[Any], column: int, lot: Random) -> Any:
    """Another cell: as often as not one that stands elsewhere in the table, so that names stay known."""
    draw = lot.random()
    if str(row[column])[:1].isdigit() and lot.random() < 0.6:
        return nasty.near(str(row[column]), lot)
    if draw < 0.4:
        return lot.choice([other[column] for other in rows if column < len(other)])
    if draw < 0.5:
        return lot.choice(lot.choice([other for other in rows if other]))
    if draw < 0.6:
        return nasty.quantity(lot)
    if draw < 0.7:
        return lot.choice(nasty.DATES)
    if draw < 0.8:
        return str(row[column]) + lot.choice(nasty.TEXTS)
    return nasty.text(lot)


def _shape(rows: Rows, number: int, column: int, lot: Random) -> None:
    """Another shape of the table: rows and columns taken away, doubled, put elsewhere or broken."""
    lot.choice(_SHAPES)(rows, number, column, lot)


def _without_row(rows: Rows, number: int, column: int, lot: Random) -> None:
    del rows[number]


def _row_twice(rows: Rows, number: int, column: int, lot: Random) -> None:
    rows.insert(lot.randint(0, len(rows)), list(rows[number]))


def _cell_less(rows: Rows, number: int, column: int, lot: Random) -> None:
    del rows[number][column]


def _cell_more(rows: Rows, number: int, column: int, lot: Random) -> None:
    rows[number].insert(column, nasty.text(lot))


def _without_column(rows: Rows, number: int, column: int, lot: Random) -> None:
    for row in rows:
        del row[column : column + 1]


def _column_twice(rows: Rows, number: int, column: int, lot: Random) -> None:
    for row in rows:
        row.extend(row[column : column + 1])


def _other_order(rows: Rows, number: int, column: int, lot: Random) -> None:
    rows[1:] = lot.sample(rows[1:], len(rows) - 1)


def _blank_row(rows: Rows, number: int, column: int, lot: Random) -> None:
    rows.insert(number, lot.choice(([], [""] * len(rows[number]))))


def _header(rows: Rows, number: int, column: int, lot: Random) -> None:
    if rows[0]:
        rows[0][lot.randrange(len(rows[0]))] = lot.choice(
            (nasty.text(lot), lot.choice(rows[0]), str(rows[0][0]).upper())
        )


def _many_rows(rows: Rows, number: int, column: int, lot: Random) -> None:
    rows.extend(list(rows[number]) for _ in range(lot.choice((2, 40, 400))))


_SHAPES = (
    _without_row, _row_twice, _cell_less, _cell_more, _without_column, _column_twice, _other_order, _blank_row, _header, _many_rows,
)  # fmt: skip
