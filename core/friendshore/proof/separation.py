"""Looks for cuts that a plan of the relaxation misses: rows added up along what they share, and rounded. What it finds is proved elsewhere (`cuts`).

From each row that is tight, up to `LONGEST` others are added, each so that a continuous column between its ends goes out: along a store from period to
period, or from a capacity to what it serves. Continuous columns that a choice opens are then replaced by what it opens, `x = M y - rest`, so that
the choices stand in the row; divisors are tried among its coefficients, and choices are counted from either end. Lots give the inequalities of
Barany, Van Roy and Wolsey (Strong formulations for multi-item capacitated lot sizing, Management Science 30, 1984), capacities those of covers.
Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs, Operations Research 49, 2001.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm

import numpy as np

from ..program.matrix import Floats, Ints, Mask
from .cuts import Cut, ExactRow, ExactRows, missed
from .exact import SIMPLE, Multipliers

LONGEST = 6
"""Rows that are added up for one cut."""
MOST = 300
"""Cuts that are kept of one round: those that miss by most."""
MISSED = 1e-4
"""By how much a cut is missed, as a share of its length, that counts."""
TIGHT = 1e-6
"""By how much a row that is tight, or a column at its end, may be off."""
FEW = 4
"""Columns in a row that links one of them to a choice, at most."""
ROUNDED = 1e-9
"""Share of what is added by which what goes out may miss nothing."""
DIVISORS = 12
"""Coefficients that are tried as divisors, the largest."""
LEAST_PART = 0.005
"""What is rounded away is no less, and no more than one without it: a cut with a steeper side is of little use."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A row that links a continuous column to a choice, and how far the plan is from it."""

    row: int
    off: float


@dataclass(slots=True, eq=False)
class _Sum:
    """Rows added up."""

    values: Floats
    """Coefficients of all columns."""
    rows: dict[int, float]
    """Row -> multiplier."""

    def copy(self) -> _Sum:
        return _Sum(self.values.copy(), dict(self.rows))


def separated(rows: ExactRows, x: Floats) -> list[tuple[Cut, ExactRow]]:
    """Cuts that a plan misses, those first that it misses by most."""
    return _Separation(rows, x).cuts()


class _Separation:
    """Cuts that one plan misses."""

    def __init__(self, rows: ExactRows, x: Floats) -> None:
        self._rows, self._x, self._upper = rows, x, rows.upper
        self._linear = rows.linear
        self._entries = self._linear.entries
        self._by_column = self._entries.transposed()
        activity = self._entries @ x
        self._slack = np.minimum(activity - self._linear.row_lower, self._linear.row_upper - activity)
        self._size = 1 + np.minimum(np.abs(self._linear.row_lower), np.abs(self._linear.row_upper))
        self._near = np.minimum(x - self._linear.lower, rows.upper - x)
        """How far each column is from its ends."""
        self._whole = self._linear.integer
        self._links = [self._linked(rows.given), self._linked(self._entries.shape[0])]
        """Links by rows of the program alone, and by cuts too."""

    def cuts(self) -> list[tuple[Cut, ExactRow]]:
        """Those that are missed by most."""
        found: list[tuple[float, int, Cut, ExactRow]] = []
        known: set[tuple[tuple[int, int], ...]] = set()
        for cut in self._tried():
            row = self._rows.of(cut)
            if row is None or row.lower is None or not row.entries:
                continue
            what = (*row.entries.items(), (-1, row.lower))
            by = missed(row, self._x)
            if by > MISSED and what not in known:
                known.add(what)
                found.append((-by, len(found), cut, row))
        return [(cut, row) for *_, cut, row in sorted(found, key=lambda one: one[:2])[:MOST]]

    def _tried(self) -> Iterator[Cut]:
        long = (
            np.diff(self._entries.indptr) > 2
        )  # a shorter one is a link, or joins two columns that are as good as one
        tight = np.flatnonzero((self._slack <= TIGHT * self._size) & long)
        seen: set[frozenset[int]] = set()
        for row in tight.tolist():
            below, above = self._linear.row_lower[row], self._linear.row_upper[row]
            for side, end in ((1, below), (-1, above)):
                if np.isfinite(end) and self._rows.row(row) is not None:
                    yield from self._from(row, side, seen)

    def _from(self, row: int, side: int, seen: set[frozenset[int]]) -> Iterator[Cut]:
        """The first cut that is missed, of a row and others added to it."""
        total = _Sum(np.zeros(len(self._x)), {})
        self._add(total, row, float(side))
        for _ in range(LONGEST):
            used = frozenset([side, *(2 + one for one in total.rows)])
            if used in seen:
                return
            seen.add(used)
            for links in self._links:
                cut = self._rounded(total, links)
                if cut is not None:
                    yield cut
                    return
            if not self._aggregated(total):
                return

    def _add(self, total: _Sum, row: int, times: float) -> None:
        now = total.rows.get(row, 0.0) + times
        total.rows[row] = now
        if abs(now) <= ROUNDED * abs(times):
            del total.rows[row]
        span = slice(*self._entries.indptr[row : row + 2])
        columns = self._entries.indices[span]
        parts = times * self._entries.data[span]
        left = total.values[columns] + parts
        total.values[columns] = np.where(np.abs(left) <= ROUNDED * np.abs(parts), 0.0, left)

    def _without(self, total: _Sum, column: int, row: int) -> None:
        """Adds a row so that a column goes out."""
        span = slice(*self._entries.indptr[row : row + 2])
        coefficient = float(self._entries.data[span][self._entries.indices[span] == column][0])
        self._add(total, row, -float(total.values[column]) / coefficient)
        total.values[column] = 0.0

    def _aggregated(self, total: _Sum) -> bool:
        """Adds a row so that the column furthest from its ends goes out; whether there is one."""
        within = np.flatnonzero((total.values != 0) & ~self._whole & (self._near > TIGHT))
        far = [(-min([self._near[j], *(one.off for one in self._of(j))]), j) for j in within.tolist()]
        for off, column in sorted(far):
            if -off <= TIGHT:
                return False
            row = self._next(column, total)
            if row is not None:
                self._without(total, column, row)
                return True
        return False

    def _of(self, column: int) -> list[_Link]:
        return [side[column] for side in self._links[0] if column in side]

    def _next(self, column: int, total: _Sum) -> int | None:
        """The shortest tight row that holds a column, equations first."""
        first, last = self._by_column.indptr[column : column + 2]
        best: tuple[bool, int, int] | None = None
        for row in self._by_column.indices[first:last].tolist():
            if row in total.rows or self._slack[row] > TIGHT * self._size[row] or self._rows.row(row) is None:
                continue
            open_ = bool(self._linear.row_lower[row] != self._linear.row_upper[row])
            key = open_, int(self._entries.indptr[row + 1] - self._entries.indptr[row]), row
            best = key if best is None else min(best, key)
        return None if best is None else best[2]

    def _linked(self, count: int) -> tuple[dict[int, _Link], dict[int, _Link]]:
        """Of the first rows: of each continuous column the nearest row in which a choice holds it from above, and from below."""
        entries, linear = self._entries, self._linear
        choices = np.bincount(entries.rows, self._whole[entries.indices], minlength=entries.shape[0])[:count]
        many = np.diff(entries.indptr)[:count]
        above: dict[int, _Link] = {}
        below: dict[int, _Link] = {}
        for row in np.flatnonzero((choices == 1) & (many >= 2) & (many <= FEW)).tolist():
            span = slice(*entries.indptr[row : row + 2])
            columns = entries.indices[span].tolist()
            for side, end in ((1.0, linear.row_lower[row]), (-1.0, linear.row_upper[row])):
                if end != 0 or self._rows.row(row) is None:
                    continue
                values = (side * entries.data[span]).tolist()
                choice = next(v for j, v in zip(columns, values, strict=True) if self._whole[j])
                falling = sum(v < 0 for j, v in zip(columns, values, strict=True) if not self._whole[j])
                for column, value in zip(columns, values, strict=True):
                    # no other continuous column may make room for the choice
                    if self._whole[column] or falling != (value < 0) or value * choice > 0:
                        continue
                    held = above if value < 0 else below
                    link = _Link(row, float(self._slack[row]) / abs(value))
                    if column not in held or link.off < held[column].off - TIGHT:
                        held[column] = link
        return above, below

    def _rounded(self, total: _Sum, links: tuple[dict[int, _Link], dict[int, _Link]]) -> Cut | None:
        """The best cut of some rows added up, if one is missed."""
        total, ends = total.copy(), []
        for column in np.flatnonzero((total.values != 0) & ~self._whole).tolist():
            if total.values[column] == 0:
                continue
            at_lower = self._x[column] - self._linear.lower[column]
            at_upper = self._upper[column] - self._x[column]
            off = min(at_lower, at_upper)
            link = next((one[column] for one in links if column in one and one[column].off <= off + TIGHT * 1e-3), None)
            if link is not None:
                self._without(total, column, link.row)
            elif at_upper < at_lower:
                ends.append(column)
        choices = np.flatnonzero((total.values != 0) & self._whole)
        x = self._x[choices]
        open_ = np.abs(x - np.round(x)) > TIGHT
        if not open_.any():
            return None
        given = self._ends(total, ends)
        if given is None:
            return None
        values = total.values[choices]
        low, high = np.ceil(self._linear.lower[choices]), np.floor(self._upper[choices])
        tried = _Rounding(values, x, low, high, *given)
        turned = (x > (low + high) / 2) & np.isfinite(high)
        found = tried.best(turned, np.unique(np.abs(values[open_]))[-DIVISORS:], np.flatnonzero(open_))
        if found is None:
            return None
        divisor, turned = found
        times = {row: Fraction(one / divisor).limit_denominator(SIMPLE) for row, one in total.rows.items()}
        over = lcm(*(one.denominator for one in times.values()))
        used = tuple((row, int(one * over)) for row, one in sorted(times.items()) if one)
        return Cut(Multipliers(over, used), tuple(sorted([*ends, *choices[turned].tolist()])))

    def _ends(self, total: _Sum, ends: list[int]) -> tuple[float, float] | None:
        """What the rows come to, continuous columns counted from their ends; and what those, and what rows leave over, hold against it."""
        come, against = 0.0, 0.0
        for row, times in total.rows.items():
            below, above = float(self._linear.row_lower[row]), float(self._linear.row_upper[row])
            lowest = above == np.inf or (times > 0 and below > -np.inf)
            end = below if lowest else above
            if not np.isfinite(end):
                return None
            come += times * end
            if below != above:
                against += max(0.0, -times if lowest else times) * float(self._slack[row])
        columns = np.flatnonzero((total.values != 0) & ~self._whole)
        turned = np.isin(columns, ends)
        at = np.where(turned, self._upper[columns], self._linear.lower[columns])
        values = total.values[columns]
        side = np.where(turned, -1.0, 1.0)
        come -= float(values @ at)
        against += float(np.maximum(0.0, side * values) @ (side * (self._x[columns] - at)))
        return come, against


@dataclass(frozen=True, slots=True, eq=False)
class _Rounding:
    """A row of choices that is to be divided and rounded."""

    values: Floats
    x: Floats
    low: Floats
    high: Floats
    come: float
    """What it comes to at least, choices aside."""
    against: float
    """What continuous columns hold against it."""

    def best(self, turned: Mask, divisors: Floats, open_: Ints) -> tuple[float, Mask] | None:
        """The divisor by which the plan misses most, and the choices that are counted from their upper end; None: it misses none."""
        most, divisor = max((self._missed(turned, one), one) for one in divisors.tolist())
        most, divisor = max((most, divisor), *((self._missed(turned, divisor / by), divisor / by) for by in (2, 4, 8)))
        middle = np.abs(self.x - (self.low + self.high) / 2)[open_]
        for place in open_[np.argsort(middle, kind="stable")].tolist():
            other = turned.copy()
            other[place] = not other[place]
            if np.isfinite(self.high[place]) and (missed := self._missed(other, divisor)) > most:
                most, turned = missed, other
        return (divisor, turned) if most > MISSED else None

    def _missed(self, turned: Mask, divisor: float) -> float:
        """By how much the plan misses what follows, as a share of its length."""
        ends = np.where(turned, self.high, self.low)
        values = np.where(turned, -self.values, self.values) / divisor
        come = (self.come - float(self.values @ ends)) / divisor
        part = come - np.floor(come)
        if not LEAST_PART < part < 1 - LEAST_PART / 10:
            return -1.0
        whole = np.floor(values + 1e-12)
        weights = whole + np.minimum(1.0, np.maximum(0.0, values - whole) / part)
        length = float(np.sqrt(weights @ weights))
        held = float(weights @ np.abs(self.x - ends)) + self.against / divisor / part
        return (float(np.ceil(come)) - held) / length if length > 0 else -1.0
