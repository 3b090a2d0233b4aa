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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, isfinite, lcm

import numpy as np

from ..program.matrix import Floats, Ints, Linear, with_rows
from .exact import Figures, Multipliers

TIGHT = 1e-7
"""By how much a plan may keep a cut that is tight there, as a share of the cut's length."""
LARGEST = 10**13
"""Whole numbers that a cut is written with are no larger: as doubles they are exact."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What a cut is made of."""

    multipliers: Multipliers
    """Of rows and, after these, of the cuts before it."""
    ends: tuple[int, ...]
    """Columns that are counted from their upper end, ascending; all others are from their lower one."""


@dataclass(frozen=True, slots=True)
class ExactRow:
    """A row in whole numbers: between its ends, if it has them, lies the sum of all coefficients times columns, times `below`."""

    below: int
    entries: Mapping[int, int]
    lower: int | None
    upper: int | None

    @property
    def turned(self) -> ExactRow:
        """The same with all signs changed."""
        lower, upper = (None if end is None else -end for end in (self.upper, self.lower))
        return ExactRow(self.below, {column: -value for column, value in self.entries.items()}, lower, upper)


class ExactRows:
    """The rows of a program, and cuts made of them, in whole numbers."""

    def __init__(self, linear: Linear, upper: Floats) -> None:
        """Begins without cuts.

        Args:
            linear: the program; no column of it is below zero.
            upper: how large each column can be.
        """
        self._given, self.upper, self._read = linear, upper, Figures()
        self.given = linear.entries.shape[0]
        """Rows of the program: cuts are numbered from there on."""
        self._known: dict[int, ExactRow | None] = {}
        self.cuts: list[ExactRow] = []

    @property
    def linear(self) -> Linear:
        """The program with the cuts as further rows."""
        given = self._given
        if not self.cuts:
            return given
        columns = [np.fromiter(cut.entries, dtype=np.intp) for cut in self.cuts]
        values = [np.fromiter(cut.entries.values(), dtype=np.float64) for cut in self.cuts]
        return with_rows(given, columns, values, [float(cut.lower or 0) for cut in self.cuts], np.inf)

    def keep(self, proofs: Sequence[Cut], x: Floats) -> tuple[tuple[Cut, ...], Ints]:
        """Drops all cuts that a plan keeps with something left over, and that none of the others is made of.

        Args:
            proofs: what each of the cuts is made of.
            x: the plan.

        Returns:
            What those that are left are made of, and the numbers that all rows that are left had before.
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
        """A row, or a cut after all rows; None: it holds figures that are unsure, or there is none."""
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
        """What follows from a cut's multipliers and ends; None: nothing does, or not in exact figures."""
        used = [(times, self.row(number)) for number, times in cut.multipliers.rows]
        below = cut.multipliers.over * lcm(*(row.below for _, row in used if row is not None))
        total: defaultdict[int, int] = defaultdict(int)
        come = Fraction(0)
        left: list[tuple[int, ExactRow, int]] = []
        """What rows leave over: its coefficient, the row, and the end that it is counted from."""
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
        """`f` of the formula, times `below`, as is all that follows: where nothing is to be rounded, one."""
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
        """The end that a column is counted from; None: it has none."""
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
    """By how much a plan misses what a row comes to at least, as a share of the row's length."""
    columns = np.fromiter(row.entries, dtype=np.intp)
    values = np.fromiter(row.entries.values(), dtype=np.float64)
    return (float(row.lower or 0) - float(values @ x[columns])) / float(np.sqrt(values @ values))


def _add(total: defaultdict[int, int], times: int, row: ExactRow) -> None:
    if times:
        for column, value in row.entries.items():
            total[column] += times * value


def _written(found: Mapping[int, int], least: Fraction) -> ExactRow:
    """A cut in whole numbers that doubles hold: coefficients are rounded up, and what they come to down, as no column is below zero."""
    whole = {column: value * least.denominator for column, value in sorted(found.items()) if value}
    common = gcd(least.numerator, *whole.values()) or 1
    most = max(abs(least.numerator), *map(abs, whole.values())) if whole else 0
    by = max(common, -(-most // LARGEST))
    return ExactRow(1, {column: -(-value // by) for column, value in whole.items()}, least.numerator // by, None)
