"""Quantities that a cheapest plan may take to be whole multiples of a step.

With its choices made a program is linear. Where what is left of it is a network, each column in two rows at most, in one with one sign and in the other
with the other, its corners are whole multiples of every step of which all ends of rows and columns are (total unimodularity: Heller and Tompkins, An
extension of a theorem of Dantzig's, and Hoffman and Kruskal, Integral boundary points of convex polyhedra, both in Linear Inequalities and Related
Systems, Annals of Mathematics Studies 38, 1956). If demands and capacities are whole tonnes, then a shortage is a tonne at least, or none at all, and a
bound below a tonne closes its column.
"""

from __future__ import annotations

import numpy as np

from ..program.matrix import Entries, Floats, Ints, Linear, Mask
from .components import labels

GRAIN = 1e-3
"""Kilograms: a step is a whole multiple of it."""
MOST_GRAINS = 2.0**40
"""Larger ends are not read: a double has to tell a small part of a grain."""
SLACK = 1e-3
"""Share of a grain, and of a step, by which a number may miss a multiple: what doubles round."""


def steps(linear: Linear) -> Floats:
    """The step of each column in some cheapest plan; 0: none is known.

    Whatever choices such a plan makes, there is one that makes the same and keeps to the steps.
    """
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    free = ~linear.integer[column]
    in_row = np.bincount(row[free], minlength=entries.shape[0])
    piece, fits = _networks(linear, np.flatnonzero(in_row > 1))
    one, size = np.zeros(len(in_row), dtype=np.intp), np.ones(len(in_row))
    one[row[free]], size[row[free]] = column[free], np.abs(value[free])
    rows, moved = np.flatnonzero(in_row), ~free & (in_row[row] > 0)
    ends = [
        *((piece[one[rows]], end[rows] / size[rows]) for end in (linear.row_lower, linear.row_upper)),
        (piece[one[row[moved]]], value[moved] / size[row[moved]]),
        *((piece[~linear.integer], end[~linear.integer]) for end in (linear.lower, linear.upper)),
    ]
    grains = np.zeros(len(piece), dtype=np.int64)
    for of, end in ends:
        given = np.isfinite(end)
        found = end[given] / GRAIN
        whole = np.rint(found)
        read = (np.abs(found) <= MOST_GRAINS) & (np.abs(found - whole) <= SLACK)
        fits[of[given][~read]] = False
        np.gcd.at(grains, of[given][read], np.abs(whole[read]).astype(np.int64))
    step: Floats = np.where(linear.integer | ~fits[piece], 0.0, grains[piece] * GRAIN)
    return step


def _networks(linear: Linear, rows: Ints) -> tuple[Ints, Mask]:
    """The piece that each column belongs to once all choices are made, and which pieces are networks.

    Args:
        linear: the program.
        rows: those of several continuous columns; one that repeats another counts once, and rows of one column are ends of it.
    """
    given, shape = linear.entries[rows], (len(rows), len(linear.cost))
    free = ~linear.integer[given.indices]
    entries = Entries.summed(given.rows[free], given.indices[free], given.data[free], shape)
    entries = entries[_once(entries)]
    piece, of_row = labels(entries)
    by_column = entries.transposed()
    row, column, value = by_column.indices, by_column.rows, by_column.data
    times = np.diff(by_column.indptr)
    fits = np.ones(shape[1], dtype=bool)
    fits[piece[column[np.abs(value) != 1.0]]] = False
    fits[piece[(times > 2) | ~np.isfinite(linear.lower)]] = False
    second = np.append(False, column[1:] == column[:-1]) if len(column) else np.zeros(0, dtype=bool)
    # Each row stands twice, with either sign; each column joins what must have the same sign. A row that meets its own opposite fits nowhere.
    sign = (value > 0) ^ second
    twice = np.concatenate([2 * row + sign, 2 * row + ~sign]), np.concatenate([2 * column, 2 * column + 1])
    doubled = Entries.summed(*twice, np.ones(2 * len(row)), (2 * entries.shape[0], 2 * shape[1]))
    found = labels(doubled)[1]
    fits[piece[np.flatnonzero(np.isin(piece, of_row[found[0::2] == found[1::2]]))]] = False
    return piece, fits


def _once(entries: Entries) -> Ints:
    """Rows without those that repeat another, with either sign."""
    known: dict[tuple[bytes, bytes], int] = {}
    for number in range(entries.shape[0]):
        span = slice(entries.indptr[number], entries.indptr[number + 1])
        data = entries.data[span]
        known.setdefault((entries.indices[span].tobytes(), (data / data[0]).tobytes()), number)
    return np.array(sorted(known.values()), dtype=np.intp)
