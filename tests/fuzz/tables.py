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
    dialect: Any = {"quoting": csv.QUOTE_ALL if lot.random() < 0.05 else csv.QUOTE_MINIMAL, "lineterminator": end}
    csv.writer(text, delimiter=delimiter, **dialect).writerows(rows)
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
    match lot.randrange(10):
        case 0:
            del rows[number]
        case 1:
            rows.insert(lot.randint(0, len(rows)), list(rows[number]))
        case 2:
            del rows[number][column]
        case 3:
            rows[number].insert(column, nasty.text(lot))
        case 4 | 5:
            times = lot.choice((0, 2))
            for row in rows:
                row[column : column + 1] *= times
        case 6:
            rows[1:] = lot.sample(rows[1:], len(rows) - 1)
        case 7:
            rows.insert(number, lot.choice(([], [""] * len(rows[number]))))
        case 8:
            rows.extend(list(rows[number]) for _ in range(lot.choice((2, 40, 400))))
        case _ if head := rows[0]:
            head[lot.randrange(len(head))] = lot.choice((nasty.text(lot), lot.choice(head), str(head[0]).upper()))
