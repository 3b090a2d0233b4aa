"""Cuts: inequalities that all whole plans keep, each proved by the rows that it is made of and one rounding.

Rows are added up, each times a multiplier, and counted as equations with what they leave over. Every column is counted from one of its ends, so
that none is below zero. Of what comes out,

    sum of a[j] * x[j], x[j] whole, + sum of c[k] * z[k] = b,    with f = b - floor(b) above zero,

follows, whatever the multipliers and the ends are,

    sum of (floor(a[j]) + min(1, (a[j] - floor(a[j])) / f)) * x[j] + sum of max(0, c[k]) / f * z[k] >= ceil(b)

(mixed-integer rounding: Nemhauser and Wolsey, A recursive procedure to generate all cuts for 0-1 mixed integer programs, Mathematical Programming 46,
1990; Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs, Operations Research 49, 2001). What a row leaves over is one of the z.
So a cut is told by its multipliers and ends alone, and cannot be told wrong: it is worked out here, in whole numbers. A row that holds a figure
which the compiler has rounded is no part of any.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, isfinite, lcm

import numpy as np

from friendshore.program.matrix import Floats, Ints, Linear, Mask, with_rows

from .exact import SIMPLE, Figures, Multipliers

TIGHT = 1e-7
"""Relative distance at which a cut counts as tight."""
LARGEST = 10**13
"""Largest whole number in a cut, so that doubles are exact."""


@dataclass(frozen=True, slots=True)
class Cut:
    """Derivation of a cut."""

    multipliers: Multipliers
    """Multipliers of rows and earlier cuts."""
    ends: tuple[int, ...]
    """Columns measured from their upper end, ascending. All others are measured from their lower end."""


@dataclass(frozen=True, slots=True)
class ExactRow:
    """A row in whole numbers: its ends bound the sum of coefficients times columns, times `below`."""

    below: int
    entries: Mapping[int, int]
    lower: int | None
    upper: int | None

    @property
    def turned(self) -> ExactRow:
        """Return the row with all signs changed."""
        lower, upper = (None if end is None else -end for end in (self.upper, self.lower))
        return ExactRow(self.below, {column: -value for column, value in self.entries.items()}, lower, upper)


class ExactRows:
    """Rows of a program and cuts derived from them, in whole numbers."""

    def __init__(self, linear: Linear, upper: Floats) -> None:
        """Start without cuts.

        Args:
            linear: Program with nonnegative columns.
            upper: Upper bounds of the columns.
        """
        self._given, self.upper, self._read = linear, upper, Figures()
        self.given = linear.entries.shape[0]
        """Number of rows of the program. Cuts are numbered from here."""
        self._known: dict[int, ExactRow | None] = {}
        self.cuts: list[ExactRow] = []

    @property
    def linear(self) -> Linear:
        """The program with the cuts as additional rows."""
        given = self._given
        if not self.cuts:
            return given
        columns = [np.fromiter(cut.entries, dtype=np.intp) for cut in self.cuts]
        values = [np.fromiter(cut.entries.values(), dtype=np.float64) for cut in self.cuts]
        return with_rows(given, columns, values, [float(cut.lower or 0) for cut in self.cuts], np.inf)

    def keep(self, proofs: Sequence[Cut], x: Floats) -> tuple[tuple[Cut, ...], Ints]:
        """Drop the cuts that aren't tight at a plan and that no other cut is derived from.

        Args:
            proofs: Derivations of the cuts.
            x: The plan.

        Returns:
            Derivations of the remaining cuts, and the old numbers of all remaining rows.
        """
        kept = [missed(cut, x) >= -TIGHT for cut in self.cuts]
        for number in reversed(range(len(proofs))):
            for row, _ in proofs[number].multipliers.rows if kept[number] else ():
                if row >= self.given:
                    kept[row - self.given] = True
        left = np.append(np.arange(self.given), self.given + np.flatnonzero(kept))
        place = {old: new for new, old in enumerate(left.tolist())}
        self.cuts = [cut for cut, keep in zip(self.cuts, kept, strict=True) if keep]
        return tuple(_renumbered(proof, place) for proof, keep in zip(proofs, kept, strict=True) if keep), left

    def row(self, number: int) -> ExactRow | None:
        """Return a row or cut. None if it has inexact figures or doesn't exist."""
        rows = self._given.entries.shape[0]
        if number >= rows:
            return self.cuts[number - rows] if number - rows < len(self.cuts) else None
        if number not in self._known:
            self._known[number] = self._row(number)
        return self._known[number]

    def _row(self, number: int) -> ExactRow | None:
        given = self._given
        span = slice(*given.entries.indptr[number : number + 2].tolist())
        figures = [self._read(value) for value in given.entries.data[span].tolist()]
        ends = [self._read.end(float(end[number])) for end in (given.row_lower, given.row_upper)]
        every = [*figures, *(end for end in ends if end is not None)]
        if any(one.unsure for one in every):
            return None
        below = lcm(*(one.below for one in every))
        whole = [one.above * (below // one.below) for one in figures]
        low, high = (None if end is None else end.above * (below // end.below) for end in ends)
        return ExactRow(below, dict(zip(given.entries.indices[span].tolist(), whole, strict=True)), low, high)

    def of(self, cut: Cut) -> ExactRow | None:
        """Return the row that follows from a cut's multipliers and ends. None if none follows in exact figures."""
        used = [(times, self.row(number)) for number, times in cut.multipliers.rows]
        below = cut.multipliers.over * lcm(*(row.below for _, row in used if row is not None))
        total: defaultdict[int, int] = defaultdict(int)
        come = Fraction(0)
        left: list[tuple[int, ExactRow, int]] = []
        """Slacks of rows: coefficient, row, and the end that they are measured from."""
        for times, given in used:
            if given is None:
                return None
            turns = given.lower is None or (times < 0 and given.upper is not None)
            row = given.turned if turns else given
            if row.lower is None:
                return None
            each = (-times if turns else times) * (below // (cut.multipliers.over * row.below))
            _add(total, each, row)
            come += each * row.lower
            if row.lower != row.upper:
                left.append((-each, row, row.lower))
        ends: dict[int, Fraction] = {}
        for column, value in total.items():
            at = self._end(column, column in cut.ends) if value else Fraction(0)
            if at is None or self._given.lower[column] < 0:
                return None
            ends[column] = at
            come -= value * at
        scale = come.denominator
        below *= scale
        part = come.numerator % below or below
        """`f` of the formula times `below`, like everything that follows. One if nothing is rounded."""
        found: defaultdict[int, int] = defaultdict(int)
        least = Fraction(-(-come.numerator // below) * part)
        for column, at in ends.items():
            side = -1 if column in cut.ends else 1
            value = total[column] * scale * side
            whole = bool(self._given.integer[column])
            weight = value // below * part + min(value % below, part) if whole else max(0, value)
            found[column] += side * weight
            least += side * weight * at
        for times, row, end in left:
            weight = max(0, times * scale)
            _add(found, weight, row)
            least += weight * end
        return _written(found, least)

    def _end(self, column: int, upper: bool) -> Fraction | None:
        """Return the end that a column is measured from. None if it has none."""
        at = float(self.upper[column] if upper else self._given.lower[column])
        if not isfinite(at):
            return None
        if self._given.integer[column]:
            return Fraction(floor(at) if upper else ceil(at))
        return Fraction(at)


def _renumbered(cut: Cut, place: Mapping[int, int]) -> Cut:
    rows = tuple((place[row], times) for row, times in cut.multipliers.rows)
    return Cut(Multipliers(cut.multipliers.over, rows), cut.ends)


def missed(row: ExactRow, x: Floats) -> float:
    """Return the violation of a row's lower end by a plan, relative to the row's norm."""
    columns = np.fromiter(row.entries, dtype=np.intp)
    values = np.fromiter(row.entries.values(), dtype=np.float64)
    return (float(row.lower or 0) - float(values @ x[columns])) / float(np.sqrt(values @ values))


def _add(total: defaultdict[int, int], times: int, row: ExactRow) -> None:
    if times:
        for column, value in row.entries.items():
            total[column] += times * value


def _written(found: Mapping[int, int], least: Fraction) -> ExactRow:
    """Return a cut in whole numbers that doubles can represent. Coefficients are rounded up and the bound down, as no column is negative."""
    whole = {column: value * least.denominator for column, value in sorted(found.items()) if value}
    common = gcd(least.numerator, *whole.values()) or 1
    most = max(abs(least.numerator), *map(abs, whole.values())) if whole else 0
    by = max(common, -(-most // LARGEST))
    return ExactRow(1, {column: -(-value // by) for column, value in whole.items()}, least.numerator // by, None)


LONGEST = 6
"""Maximum number of rows in a cut."""
MOST = 300
"""Maximum number of cuts per round, by violation."""
MISSED = 1e-4
"""Minimum relative violation."""
TIGHT = 1e-6
"""Tolerance for a tight row, or for a column at its end."""
FEW = 4
"""Maximum number of columns in a row that links one to a choice."""
ROUNDED = 1e-9
"""Relative rounding error of a sum."""
DIVISORS = 12
"""Number of coefficients that are tried as divisors, the largest first."""
LEAST_PART = 0.005
"""The rounded part is at least this, and at most one minus this. A steeper cut is of little use."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A row that links a continuous column to a choice, and the plan's distance from it."""

    row: int
    off: float


@dataclass(slots=True, eq=False)
class _Sum:
    """A sum of rows."""

    values: Floats
    """Coefficients of all columns."""
    rows: dict[int, float]
    """Row -> multiplier."""

    def copy(self) -> _Sum:
        return _Sum(self.values.copy(), dict(self.rows))


def separated(rows: ExactRows, x: Floats) -> list[tuple[Cut, ExactRow]]:
    """Return the violated cuts, the most violated first."""
    return _Separation(rows, x).cuts()


class _Separation:
    """Search for the cuts that one plan violates."""

    def __init__(self, rows: ExactRows, x: Floats) -> None:
        self._rows, self._x, self._upper = rows, x, rows.upper
        self._linear = rows.linear
        self._entries = self._linear.entries
        self._by_column = self._entries.transposed()
        activity = self._entries @ x
        self._slack = np.minimum(activity - self._linear.row_lower, self._linear.row_upper - activity)
        self._size = 1 + np.minimum(np.abs(self._linear.row_lower), np.abs(self._linear.row_upper))
        self._near = np.minimum(x - self._linear.lower, rows.upper - x)
        """Distance of each column from its ends."""
        self._whole = self._linear.integer
        self._links = [self._linked(rows.given), self._linked(self._entries.shape[0])]
        """Links by rows of the program, and by rows and cuts."""

    def cuts(self) -> list[tuple[Cut, ExactRow]]:
        """Return the most violated cuts."""
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
        """Yield the first violated cut of a row and others added to it."""
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
        """Add a row to eliminate a column."""
        span = slice(*self._entries.indptr[row : row + 2])
        coefficient = float(self._entries.data[span][self._entries.indices[span] == column][0])
        self._add(total, row, -float(total.values[column]) / coefficient)
        total.values[column] = 0.0

    def _aggregated(self, total: _Sum) -> bool:
        """Add a row to eliminate the column furthest from its ends. Return False if there is none."""
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
        """Return the shortest tight row that contains a column, equations first."""
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
        """Return, for each continuous column, the nearest of the first rows in which a choice bounds it from above, and from below."""
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
        """Return the best violated cut of a sum of rows, if any."""
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
        """Return the right-hand side with continuous columns measured from their ends, and the amount that these and slacks hold against it."""
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
    """A row of choices to divide and round."""

    values: Floats
    x: Floats
    low: Floats
    high: Floats
    come: float
    """Its right-hand side without choices."""
    against: float
    """Amount that continuous columns hold against it."""

    def best(self, turned: Mask, divisors: Floats, open_: Ints) -> tuple[float, Mask] | None:
        """Return the violation of the best divisor, and the choices that are measured from their upper end. None if no cut is violated."""
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
        """Return the violation for a divisor, relative to the norm."""
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
