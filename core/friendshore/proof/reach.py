"""How large each column can be in a plan that is worth looking at: what a bound by duality needs of every column."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from ..program.matrix import Floats, Ints, Linear

OUTWARD = 1e-9
"""Share of all that is added up by which a bound worked out in doubles is widened: far more than these may be off."""


def reach(linear: Linear, most: float) -> Floats:
    """Upper bounds of all columns, in every x that keeps the rows and costs no more than `most`; infinite where none is found.

    What the rows leave a column whose own bound is infinite, given the bounds of all others in the row; then what the cost
    leaves it, all others being as cheap as they can be.
    """
    upper = linear.upper.copy()
    _by_rows(linear, upper)
    cheapest = np.where(linear.cost < 0, upper, linear.lower)
    used = linear.cost != 0
    others = float((linear.cost[used] * cheapest[used]).sum())
    size = float(np.abs(linear.cost[used] * cheapest[used]).sum()) + abs(most)
    if np.isfinite(others):
        open_ = np.isinf(upper) & (linear.cost > 0)
        room = max(0.0, most - linear.constant - others) + OUTWARD * size
        # A column's own share of `others` is its lower end, which comes on top of what is left.
        upper[open_] = (linear.lower[open_] + room / linear.cost[open_]) * (1 + OUTWARD)
        _by_rows(linear, upper)
    return upper


def _by_rows(linear: Linear, upper: Floats) -> None:
    """Sets the infinite upper bounds that rows settle, row by row until no row settles any more."""
    matrix = linear.matrix
    columns_of = [
        (matrix.indices[a:b], matrix.data[a:b]) for a, b in zip(matrix.indptr[:-1], matrix.indptr[1:], strict=True)
    ]
    by_column = matrix.tocsc()
    waiting = sorted({i for j in np.flatnonzero(np.isinf(upper)).tolist() for i in _rows(by_column, j)})
    while waiting:
        again: set[int] = set()
        for row in waiting:
            for column in _settle(*columns_of[row], linear, row, upper):
                again.update(_rows(by_column, column))
        waiting = sorted(again)


def _rows(by_column: sp.csc_matrix, column: int) -> list[int]:
    first, last = by_column.indptr[column : column + 2]
    rows: list[int] = by_column.indices[first:last].tolist()
    return rows


def _settle(columns: Ints, values: Floats, linear: Linear, row: int, upper: Floats) -> list[int]:
    """The columns whose upper bound a row settles."""
    settled = []
    for sign, end in ((1.0, float(linear.row_upper[row])), (-1.0, -float(linear.row_lower[row]))):
        # sum of `weights * x` is at most `end`
        weights = values * sign
        least = np.where(weights > 0, weights * linear.lower[columns], weights * upper[columns])
        endless = np.isinf(least)
        if not np.isfinite(end) or endless.any():
            continue
        open_ = (weights > 0) & np.isinf(upper[columns])
        room = end - float(least.sum()) + OUTWARD * (float(np.abs(least).sum()) + abs(end))
        for at in np.flatnonzero(open_).tolist():
            most = float(linear.lower[columns[at]]) + max(0.0, room) / float(weights[at])
            upper[columns[at]] = most * (1 + OUTWARD)
            settled.append(int(columns[at]))
    return settled
