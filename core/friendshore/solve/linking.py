"""Components that hang together only through a few rows, such as a budget or a cap over several materials.

The linking constraints are first left out. If the parts' optima keep them all the same, these are the optimum, proved. Otherwise
the rows are priced (`lagrangian`), for a bound and a plan; what that leaves open is solved jointly, from that plan, and its bound
is kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from ..program.matrix import Floats, Ints, Linear
from .components import Component, labels, split

MOST_ROWS = 64
"""No more rows than this are taken for linking constraints."""
FEW_ENTRIES = 5_000
"""A linear program of fewer entries is solved at once: that takes little longer than to look for linking constraints."""
MANY_CHOICES = 400
"""With fewer integer variables than this a program is solved at once."""
MANY_PARTS = 8
"""Parts that share something are at least so many; none has more than twice what it would have if all were as large."""
ROW_TOLERANCE = 1e-9
"""By how much a row may be missed, as a share of its end or of one."""


class LinkingMethod(StrEnum):
    """How the linking constraints of a component were dealt with."""

    LEFT_OUT = "left out"
    """They hold by themselves in the cheapest plans of the parts."""
    PRICED = "priced"
    """Their prices gave both the plan and its proof."""
    JOINT = "joint"
    """All was solved as one in the end."""


@dataclass(frozen=True, slots=True, eq=False)
class Linked:
    """How a component that a few rows join was solved."""

    rows: Ints
    """The linking constraints of it."""
    parts: int
    """How many parts it has without them."""
    how: LinkingMethod


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A program seen as parts, and their linking constraints."""

    linear: Linear
    rows: Ints
    """The linking constraints."""
    parts: Sequence[Component]
    """What is left without them; rows and columns by their position in the program."""
    loose: Ints
    """Columns that no other row speaks of."""

    def spread(self, xs: Sequence[Floats], loose: Floats) -> Floats:
        """Values of all columns."""
        x = np.zeros(len(self.linear.cost))
        x[self.loose] = loose
        for part, values in zip(self.parts, xs, strict=True):
            x[part.columns] = values
        return x

    def holds(self, x: Floats) -> bool:
        """Whether the linking constraints are kept."""
        lower, upper = self.linear.row_lower[self.rows], self.linear.row_upper[self.rows]
        activity = self.linear.entries[self.rows] @ x
        slack = [ROW_TOLERANCE * np.maximum(1.0, np.where(np.isfinite(e), np.abs(e), 0.0)) for e in (lower, upper)]
        return bool((activity >= lower - slack[0]).all() and (activity <= upper + slack[1]).all())


def joint_of(linear: Linear) -> Joint | None:
    """The program as parts and their linking constraints; None if no few rows join parts that are much smaller, or it is small and linear.

    Only rows that are no equations are tried, those of most columns first: equations carry flow from one period or stage
    to the next, and their prices say little. As few rows are taken as leave no part with more than half of the columns;
    a row that then touches one part only goes back to it.
    """
    if linear.entries.nnz < FEW_ENTRIES and not linear.integer.any():
        return None
    counts = linear.entries.counts
    open_ended = np.flatnonzero((linear.row_lower < linear.row_upper) & (counts > 1))
    if not len(open_ended):
        return None
    candidates = open_ended[np.argsort(-counts[open_ended], kind="stable")][:MOST_ROWS]
    rows = np.sort(candidates[: _fewest(linear, candidates)])
    if not len(rows):
        return None
    joint = _settled(linear, rows)
    rows = joint.rows
    fit = len(joint.parts) >= 2 and 0 < len(rows) <= 2 * len(joint.parts)
    return joint if fit and max(len(part.columns) for part in joint.parts) <= len(linear.cost) / 2 else None


def sharing_of(linear: Linear, choices: int = MANY_CHOICES, parts: int = MANY_PARTS) -> Joint | None:
    """The program as many parts that share capacities and the like; None if there are not many, or few integer variables.

    The rows that share are the inequalities without integer variables. A row that then touches one part only goes back to it.
    """
    if np.count_nonzero(linear.integer) < choices:
        return None
    pattern = replace(linear.entries, data=np.ones(linear.entries.nnz))
    free = pattern @ linear.integer.astype(np.float64) == 0
    shared = free & (linear.row_lower < linear.row_upper) & (np.diff(linear.entries.indptr) > 1)
    joint = _settled(linear, np.flatnonzero(shared))
    if not len(joint.rows) or len(joint.parts) < parts:
        return None
    return joint if max(len(p.columns) for p in joint.parts) * parts <= 2 * len(linear.cost) else None


def _settled(linear: Linear, rows: Ints) -> Joint:
    """Some rows taken as linking constraints, but for those that turn out to touch one part only."""
    joint = _apart(linear, rows)
    while (back := _within_one_part(joint)).any():
        rows = rows[~back]
        joint = _apart(linear, rows)
    return joint


def _fewest(linear: Linear, candidates: Ints) -> int:
    """How many of the candidates, from the first, leave no part with more than half of the columns; 0 if all do not.

    Without any of them there are many parts; the candidates are put back from the last, each joining what it touches.
    """
    part, _ = labels(linear.entries[_left(linear, candidates)])
    size = np.bincount(part)
    if size.max(initial=0) > len(part) / 2:
        return 0
    for number in range(len(candidates) - 1, -1, -1):
        start, stop = linear.entries.indptr[candidates[number] : candidates[number] + 2]
        touched = np.flatnonzero(np.bincount(part[linear.entries.indices[start:stop]]))
        size[touched[0]], size[touched[1:]] = size[touched].sum(), 0
        if size[touched[0]] > len(part) / 2:
            return number + 1
        part = np.where(np.isin(part, touched), touched[0], part)
    return 0


def _left(linear: Linear, rows: Ints) -> Ints:
    """All rows but some."""
    left = np.ones(linear.entries.shape[0], dtype=bool)
    left[rows] = False
    return np.flatnonzero(left)


def _apart(linear: Linear, rows: Ints) -> Joint:
    left = _left(linear, rows)
    pieces = split(
        replace(
            linear, entries=linear.entries[left], row_lower=linear.row_lower[left], row_upper=linear.row_upper[left]
        )
    )
    parts = [replace(piece, rows=left[piece.rows]) for piece in pieces if len(piece.rows)]
    loose = [piece.columns for piece in pieces if not len(piece.rows)]
    return Joint(linear, rows, parts, np.concatenate([np.array([], dtype=np.intp), *loose]))


def _within_one_part(joint: Joint) -> NDArray[np.bool_]:
    """Which of the linking constraints speak of no more than one part, and of no loose column that another of them speaks of."""
    of_column = np.full(len(joint.linear.cost), -1)
    for number, part in enumerate(joint.parts):
        of_column[part.columns] = number
    entries = joint.linear.entries[joint.rows]
    spoken = np.bincount(entries.indices, minlength=len(of_column))
    back = np.zeros(len(joint.rows), dtype=bool)
    for row in range(len(joint.rows)):
        columns = entries.indices[entries.indptr[row] : entries.indptr[row + 1]]
        touched = of_column[columns]
        back[row] = len(set(touched[touched >= 0].tolist())) <= 1 and bool((spoken[columns[touched < 0]] == 1).all())
    return back
