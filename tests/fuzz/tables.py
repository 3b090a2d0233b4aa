"""Random mutations of tables, as in CSV files and sheets."""

from __future__ import annotations

import csv
import io
from random import Random
from typing import Any

from . import nasty

Rows = list[list[Any]]


def read(text: str) -> Rows:
    """Return the rows of a CSV file, including its header."""
    return [list(row) for row in csv.reader(io.StringIO(text))]


def written(rows: Rows, rng: Random) -> str:
    """Return rows as a CSV file, sometimes in another program's dialect."""
    text = io.StringIO()
    delimiter = rng.choice(";\t") if rng.random() < 0.03 else ","
    end = rng.choice(("\r\n", "\r")) if rng.random() < 0.05 else "\n"
    dialect: Any = {"quoting": csv.QUOTE_ALL if rng.random() < 0.05 else csv.QUOTE_MINIMAL, "lineterminator": end}
    csv.writer(text, delimiter=delimiter, **dialect).writerows(rows)
    return text.getvalue()


def mutate(rows: Rows, rng: Random, times: int) -> None:
    """Mutate rows in place at random positions."""
    for _ in range(times):
        full = [row for row in rows if row]
        if not full:
            return
        row = rng.choice(full)
        column = rng.randrange(len(row))
        if rng.random() < 0.65:
            row[column] = _cell(rows, row, column, rng)
        else:
            _shape(rows, rows.index(row), column, rng)


def _cell(rows: Rows, row: list[Any], column: int, rng: Random) -> Any:
    """Return another value for a cell, often from elsewhere in the table, so that names stay known."""
    draw = rng.random()
    if str(row[column])[:1].isdigit() and rng.random() < 0.6:
        return nasty.near(str(row[column]), rng)
    if draw < 0.4:
        return rng.choice([other[column] for other in rows if column < len(other)])
    if draw < 0.5:
        return rng.choice(rng.choice([other for other in rows if other]))
    if draw < 0.6:
        return nasty.quantity(rng)
    if draw < 0.7:
        return rng.choice(nasty.DATES)
    if draw < 0.8:
        return str(row[column]) + rng.choice(nasty.TEXTS)
    return nasty.text(rng)


def _shape(rows: Rows, number: int, column: int, rng: Random) -> None:
    """Remove, repeat, move, or break rows and columns."""
    match rng.randrange(10):
        case 0:
            del rows[number]
        case 1:
            rows.insert(rng.randint(0, len(rows)), list(rows[number]))
        case 2:
            del rows[number][column]
        case 3:
            rows[number].insert(column, nasty.text(rng))
        case 4 | 5:
            times = rng.choice((0, 2))
            for row in rows:
                row[column : column + 1] *= times
        case 6:
            rows[1:] = rng.sample(rows[1:], len(rows) - 1)
        case 7:
            rows.insert(number, rng.choice(([], [""] * len(rows[number]))))
        case 8:
            rows.extend(list(rows[number]) for _ in range(rng.choice((2, 40, 400))))
        case _ if head := rows[0]:
            head[rng.randrange(len(head))] = rng.choice((nasty.text(rng), rng.choice(head), str(head[0]).upper()))
