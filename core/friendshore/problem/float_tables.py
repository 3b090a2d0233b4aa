"""Decimals as arrays of doubles: what the solver works in, and what exact checks are narrowed down by."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def as_floats(numbers: Sequence[Decimal]) -> Floats:
    """Decimals as doubles."""
    return np.array(numbers, dtype=np.float64)


def table(rows: Sequence[Sequence[Decimal | None]], count: int) -> Floats:
    """Rows of `count` decimals as doubles; None is infinite. Rows that are one object, or one number, are converted once."""
    position: dict[int, int] = {}
    steady: list[Decimal | None] = []
    varied: list[int] = []
    taken = []
    distinct: list[Sequence[Decimal | None]] = []
    for row in rows:
        at = position.get(id(row))
        if at is None:
            position[id(row)] = at = len(distinct)
            distinct.append(row)
            steady.append(row[0])
            if row.count(row[0]) < count:
                varied.append(at)
        taken.append(at)
    values = np.empty((len(distinct), count))
    values[:] = np.array(steady, dtype=np.float64).reshape(-1, 1)
    if varied:
        values[varied] = np.array([distinct[at] for at in varied], dtype=np.float64)
    values[np.isnan(values)] = np.inf
    return values[np.array(taken, dtype=np.intp)]
