"""Cuts: inequalities that all integer plans satisfy, each proved by a sum of rows and one rounding."""

# Rows are multiplied, summed, and treated as equations with slacks. Every column is measured from one of its ends, so that none is negative. From the result,
#
#     sum of a[j] * x[j], x[j] integer, + sum of c[k] * z[k] = b,    with f = b - floor(b) above zero,
#
# follows, for any multipliers and ends,
#
#     sum of (floor(a[j]) + min(1, (a[j] - floor(a[j])) / f)) * x[j] + sum of max(0, c[k]) / f * z[k] >= ceil(b)
#
# The slack of a row is one of the z. So the multipliers and ends alone define a cut, and can't define an invalid one, since it is derived here in whole
# numbers. A row with a figure that the compiler has rounded is part of no cut.
#
# Mixed-integer rounding: Nemhauser and Wolsey, A recursive procedure to generate all cuts for 0-1 mixed integer programs, Mathematical Programming 46,
# 1990; Marchand and Wolsey, Aggregation and mixed integer rounding to solve MIPs, Operations Research 49, 2001.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, gcd, isfinite, lcm

import numpy as np

from friendshore.program.matrix import Floats, Ints, Linear, Mask, with_rows

from .exact import SIMPLE, Figures, Multipliers

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
    def negated(self) -> ExactRow:
        lower, upper = (None if end is None else -end for end in (self.upper, self.lower))
        return ExactRow(self.below, {column: -value for column, value in self.entries.items()}, lower, upper)


class ExactRows:
    """Rows of a program with nonnegative columns, and cuts derived from them, in whole numbers. `upper` has upper bounds of the columns."""

    def __init__(self, linear: Linear, upper: Floats) -> None:
        self._program, self.upper, self._read = linear, upper, Figures()
        self.program_row_count = linear.entries.shape[0]
        """Number of rows of the program. Cuts are numbered from here."""
        self._row_cache: dict[int, ExactRow | None] = {}
        self.cuts: list[ExactRow] = []

    @property
    def linear(self) -> Linear:
        program = self._program
        if not self.cuts:
            return program
        columns = [np.fromiter(cut.entries, dtype=np.intp) for cut in self.cuts]
        values = [np.fromiter(cut.entries.values(), dtype=np.float64) for cut in self.cuts]
        return with_rows(program, columns, values, [float(cut.lower or 0) for cut in self.cuts], np.inf)

    def drop_slack_cuts(self, proofs: Sequence[Cut], x: Floats) -> tuple[tuple[Cut, ...], Ints]:
        """Drop cuts that aren't tight at a plan and that no other cut uses. Return the others' derivations, and the old numbers of all remaining rows."""
        is_kept = [violation_of(cut, x) >= -TIGHT for cut in self.cuts]
        for number in reversed(range(len(proofs))):
            for row, _ in proofs[number].multipliers.rows if is_kept[number] else ():
                if row >= self.program_row_count:
                    is_kept[row - self.program_row_count] = True
        numbers = np.append(np.arange(self.program_row_count), self.program_row_count + np.flatnonzero(is_kept))
        new_number_by_old = {number_before: number_after for number_after, number_before in enumerate(numbers.tolist())}
        self.cuts = [cut for cut, is_used in zip(self.cuts, is_kept, strict=True) if is_used]
        return tuple(
            _renumbered(proof, new_number_by_old) for proof, is_used in zip(proofs, is_kept, strict=True) if is_used
        ), numbers

    def row(self, number: int) -> ExactRow | None:
        """Return a row or cut. None if it has inexact figures or doesn't exist."""
        rows = self._program.entries.shape[0]
        if number >= rows:
            return self.cuts[number - rows] if number - rows < len(self.cuts) else None
        if number not in self._row_cache:
            self._row_cache[number] = self._row(number)
        return self._row_cache[number]

    def _row(self, number: int) -> ExactRow | None:
        program = self._program
        span = slice(*program.entries.indptr[number : number + 2].tolist())
        figures = [self._read(value) for value in program.entries.data[span].tolist()]
        ends = [self._read.end(float(end[number])) for end in (program.row_lower, program.row_upper)]
        all_figures = [*figures, *(end for end in ends if end is not None)]
        if any(figure.unsure for figure in all_figures):
            return None
        below = lcm(*(figure.below for figure in all_figures))
        coefficients = [figure.above * (below // figure.below) for figure in figures]
        low, high = (None if end is None else end.above * (below // end.below) for end in ends)
        return ExactRow(below, dict(zip(program.entries.indices[span].tolist(), coefficients, strict=True)), low, high)

    def of(self, cut: Cut) -> ExactRow | None:
        """Return the row that follows from a cut's multipliers and ends. None if none follows in exact figures."""
        used = [(times, self.row(number)) for number, times in cut.multipliers.rows]
        below = cut.multipliers.over * lcm(*(row.below for _, row in used if row is not None))
        total: defaultdict[int, int] = defaultdict(int)
        right_side = Fraction(0)
        slacks: list[tuple[int, ExactRow, int]] = []
        """Slacks of rows: coefficient, row, and the end that they are measured from."""
        for times, source in used:
            if source is None:
                return None
            is_turned = source.lower is None or (times < 0 and source.upper is not None)
            row = source.negated if is_turned else source
            if row.lower is None:
                return None
            multiplier = (-times if is_turned else times) * (below // (cut.multipliers.over * row.below))
            _add(total, multiplier, row)
            right_side += multiplier * row.lower
            if row.lower != row.upper:
                slacks.append((-multiplier, row, row.lower))
        ends: dict[int, Fraction] = {}
        for column, value in total.items():
            end_value = self._end_value(column, column in cut.ends) if value else Fraction(0)
            if end_value is None or self._program.lower[column] < 0:
                return None
            ends[column] = end_value
            right_side -= value * end_value
        scale = right_side.denominator
        below *= scale
        remainder = right_side.numerator % below or below
        """`f` of the formula times `below`, like everything that follows. One if nothing is rounded."""
        coefficients: defaultdict[int, int] = defaultdict(int)
        lower = Fraction(-(-right_side.numerator // below) * remainder)
        for column, end_value in ends.items():
            sign = -1 if column in cut.ends else 1
            value = total[column] * scale * sign
            is_integer = bool(self._program.integer[column])
            weight = value // below * remainder + min(value % below, remainder) if is_integer else max(0, value)
            coefficients[column] += sign * weight
            lower += sign * weight * end_value
        for times, row, end in slacks:
            weight = max(0, times * scale)
            _add(coefficients, weight, row)
            lower += weight * end
        return _as_row(coefficients, lower)

    def _end_value(self, column: int, upper: bool) -> Fraction | None:
        end = float(self.upper[column] if upper else self._program.lower[column])
        if not isfinite(end):
            return None
        if self._program.integer[column]:
            return Fraction(floor(end) if upper else ceil(end))
        return Fraction(end)


def _renumbered(cut: Cut, place: Mapping[int, int]) -> Cut:
    rows = tuple((place[row], times) for row, times in cut.multipliers.rows)
    return Cut(Multipliers(cut.multipliers.over, rows), cut.ends)


def violation_of(row: ExactRow, x: Floats) -> float:
    """Return the violation of a row's lower end by a plan, relative to the row's norm."""
    columns = np.fromiter(row.entries, dtype=np.intp)
    values = np.fromiter(row.entries.values(), dtype=np.float64)
    return (float(row.lower or 0) - float(values @ x[columns])) / float(np.sqrt(values @ values))


def _add(total: defaultdict[int, int], times: int, row: ExactRow) -> None:
    if times:
        for column, value in row.entries.items():
            total[column] += times * value


def _as_row(coefficients: Mapping[int, int], lower: Fraction) -> ExactRow:
    """Return a cut in whole numbers that doubles can represent. Coefficients are rounded up and the bound down, as no column is negative."""
    numerators = {column: value * lower.denominator for column, value in sorted(coefficients.items()) if value}
    common = gcd(lower.numerator, *numerators.values()) or 1
    largest = max(abs(lower.numerator), *map(abs, numerators.values())) if numerators else 0
    divisor = max(common, -(-largest // LARGEST))
    return ExactRow(
        1, {column: -(-value // divisor) for column, value in numerators.items()}, lower.numerator // divisor, None
    )


MAX_ROWS = 6
"""Maximum number of rows in a cut."""
MAX_CUTS = 300
"""Maximum number of cuts per round, by violation."""
MIN_VIOLATION = 1e-4
"""Minimum relative violation."""
TIGHT = 1e-6
"""Tolerance for a tight row or cut, or for a column at its end."""
MAX_LINK_COLUMNS = 4
"""Maximum number of columns in a row that links one to a choice."""
ROUNDED = 1e-9
"""Relative rounding error of a sum."""
DIVISORS = 12
"""Number of coefficients that are tried as divisors, the largest first."""
MIN_FRACTION = 0.005
"""The rounded part is at least this, and at most one minus this. A steeper cut is of little use."""


@dataclass(frozen=True, slots=True)
class _Link:
    """A row that links a continuous column to a choice, and the plan's distance from it."""

    row: int
    distance: float


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
        self._distance_from_ends = np.minimum(x - self._linear.lower, rows.upper - x)
        """Distance of each column from its ends."""
        self._is_integer = self._linear.integer
        self._links = [self._nearest_links(rows.program_row_count), self._nearest_links(self._entries.shape[0])]
        """Links by rows of the program, and by rows and cuts."""

    def cuts(self) -> list[tuple[Cut, ExactRow]]:
        violated: list[tuple[float, int, Cut, ExactRow]] = []
        seen: set[tuple[tuple[int, int], ...]] = set()
        for cut in self._candidate_cuts():
            row = self._rows.of(cut)
            if row is None or row.lower is None or not row.entries:
                continue
            key = (*row.entries.items(), (-1, row.lower))
            violation = violation_of(row, self._x)
            if violation > MIN_VIOLATION and key not in seen:
                seen.add(key)
                violated.append((-violation, len(violated), cut, row))
        return [(cut, row) for *_, cut, row in sorted(violated, key=lambda entry: entry[:2])[:MAX_CUTS]]

    def _candidate_cuts(self) -> Iterator[Cut]:
        is_long = (
            np.diff(self._entries.indptr) > 2
        )  # a shorter one is a link, or joins two columns that are as good as one
        tight = np.flatnonzero((self._slack <= TIGHT * self._size) & is_long)
        seen: set[frozenset[int]] = set()
        for row in tight.tolist():
            below, above = self._linear.row_lower[row], self._linear.row_upper[row]
            for side, end in ((1, below), (-1, above)):
                if np.isfinite(end) and self._rows.row(row) is not None:
                    yield from self._cuts_from(row, side, seen)

    def _cuts_from(self, row: int, side: int, seen: set[frozenset[int]]) -> Iterator[Cut]:
        total = _Sum(np.zeros(len(self._x)), {})
        self._add(total, row, float(side))
        for _ in range(MAX_ROWS):
            state = frozenset([side, *(2 + number for number in total.rows)])
            if state in seen:
                return
            seen.add(state)
            for links in self._links:
                cut = self._rounded_cut(total, links)
                if cut is not None:
                    yield cut
                    return
            if not self._aggregate(total):
                return

    def _add(self, total: _Sum, row: int, times: float) -> None:
        multiplier = total.rows.get(row, 0.0) + times
        total.rows[row] = multiplier
        if abs(multiplier) <= ROUNDED * abs(times):
            del total.rows[row]
        span = slice(*self._entries.indptr[row : row + 2])
        columns = self._entries.indices[span]
        parts = times * self._entries.data[span]
        sums = total.values[columns] + parts
        total.values[columns] = np.where(np.abs(sums) <= ROUNDED * np.abs(parts), 0.0, sums)

    def _eliminate(self, total: _Sum, column: int, row: int) -> None:
        span = slice(*self._entries.indptr[row : row + 2])
        coefficient = float(self._entries.data[span][self._entries.indices[span] == column][0])
        self._add(total, row, -float(total.values[column]) / coefficient)
        total.values[column] = 0.0

    def _aggregate(self, total: _Sum) -> bool:
        inner_columns = np.flatnonzero((total.values != 0) & ~self._is_integer & (self._distance_from_ends > TIGHT))
        columns_by_distance = [
            (-min([self._distance_from_ends[j], *(link.distance for link in self._of(j))]), j)
            for j in inner_columns.tolist()
        ]
        for negative_distance, column in sorted(columns_by_distance):
            if -negative_distance <= TIGHT:
                return False
            row = self._tight_row_with(column, total)
            if row is not None:
                self._eliminate(total, column, row)
                return True
        return False

    def _of(self, column: int) -> list[_Link]:
        return [side[column] for side in self._links[0] if column in side]

    def _tight_row_with(self, column: int, total: _Sum) -> int | None:
        """Return the shortest tight row that contains a column, equations first."""
        first, last = self._by_column.indptr[column : column + 2]
        best: tuple[bool, int, int] | None = None
        for row in self._by_column.indices[first:last].tolist():
            if row in total.rows or self._slack[row] > TIGHT * self._size[row] or self._rows.row(row) is None:
                continue
            is_inequality = bool(self._linear.row_lower[row] != self._linear.row_upper[row])
            key = is_inequality, int(self._entries.indptr[row + 1] - self._entries.indptr[row]), row
            best = key if best is None else min(best, key)
        return None if best is None else best[2]

    def _nearest_links(self, count: int) -> tuple[dict[int, _Link], dict[int, _Link]]:
        """Return, for each continuous column, the nearest of the first rows in which a choice bounds it from above, and from below."""
        entries, linear = self._entries, self._linear
        choices = np.bincount(entries.rows, self._is_integer[entries.indices], minlength=entries.shape[0])[:count]
        lengths = np.diff(entries.indptr)[:count]
        above: dict[int, _Link] = {}
        below: dict[int, _Link] = {}
        for row in np.flatnonzero((choices == 1) & (lengths >= 2) & (lengths <= MAX_LINK_COLUMNS)).tolist():
            span = slice(*entries.indptr[row : row + 2])
            columns = entries.indices[span].tolist()
            for side, end in ((1.0, linear.row_lower[row]), (-1.0, linear.row_upper[row])):
                if end != 0 or self._rows.row(row) is None:
                    continue
                values = (side * entries.data[span]).tolist()
                choice = next(v for j, v in zip(columns, values, strict=True) if self._is_integer[j])
                negative_count = sum(v < 0 for j, v in zip(columns, values, strict=True) if not self._is_integer[j])
                for column, value in zip(columns, values, strict=True):
                    # no other continuous column may make room for the choice
                    if self._is_integer[column] or negative_count != (value < 0) or value * choice > 0:
                        continue
                    nearest = above if value < 0 else below
                    link = _Link(row, float(self._slack[row]) / abs(value))
                    if column not in nearest or link.distance < nearest[column].distance - TIGHT:
                        nearest[column] = link
        return above, below

    def _rounded_cut(self, total: _Sum, links: tuple[dict[int, _Link], dict[int, _Link]]) -> Cut | None:
        total, ends = total.copy(), []
        for column in np.flatnonzero((total.values != 0) & ~self._is_integer).tolist():
            if total.values[column] == 0:
                continue
            at_lower = self._x[column] - self._linear.lower[column]
            at_upper = self._upper[column] - self._x[column]
            distance = min(at_lower, at_upper)
            link = next(
                (
                    number[column]
                    for number in links
                    if column in number and number[column].distance <= distance + TIGHT * 1e-3
                ),
                None,
            )
            if link is not None:
                self._eliminate(total, column, link.row)
            elif at_upper < at_lower:
                ends.append(column)
        choices = np.flatnonzero((total.values != 0) & self._is_integer)
        x = self._x[choices]
        is_fractional = np.abs(x - np.round(x)) > TIGHT
        if not is_fractional.any():
            return None
        right_side = self._ends(total, ends)
        if right_side is None:
            return None
        values = total.values[choices]
        low, high = np.ceil(self._linear.lower[choices]), np.floor(self._upper[choices])
        rounding = _Rounding(values, x, low, high, *right_side)
        is_complemented = (x > (low + high) / 2) & np.isfinite(high)
        best = rounding.best(
            is_complemented, np.unique(np.abs(values[is_fractional]))[-DIVISORS:], np.flatnonzero(is_fractional)
        )
        if best is None:
            return None
        divisor, is_complemented = best
        multipliers = {row: Fraction(number / divisor).limit_denominator(SIMPLE) for row, number in total.rows.items()}
        over = lcm(*(number.denominator for number in multipliers.values()))
        rows = tuple((row, int(number * over)) for row, number in sorted(multipliers.items()) if number)
        return Cut(Multipliers(over, rows), tuple(sorted([*ends, *choices[is_complemented].tolist()])))

    def _ends(self, total: _Sum, ends: list[int]) -> tuple[float, float] | None:
        """Return the right-hand side with continuous columns measured from their ends, and the amount by which these and slacks exceed theirs."""
        right_side, excess = 0.0, 0.0
        for row, times in total.rows.items():
            below, above = float(self._linear.row_lower[row]), float(self._linear.row_upper[row])
            from_lower = above == np.inf or (times > 0 and below > -np.inf)
            end = below if from_lower else above
            if not np.isfinite(end):
                return None
            right_side += times * end
            if below != above:
                excess += max(0.0, -times if from_lower else times) * float(self._slack[row])
        columns = np.flatnonzero((total.values != 0) & ~self._is_integer)
        is_complemented = np.isin(columns, ends)
        end_values = np.where(is_complemented, self._upper[columns], self._linear.lower[columns])
        values = total.values[columns]
        sign = np.where(is_complemented, -1.0, 1.0)
        right_side -= float(values @ end_values)
        excess += float(np.maximum(0.0, sign * values) @ (sign * (self._x[columns] - end_values)))
        return right_side, excess


@dataclass(frozen=True, slots=True, eq=False)
class _Rounding:
    """A row of choices to divide and round."""

    values: Floats
    x: Floats
    low: Floats
    high: Floats
    right_side: float
    """Its right-hand side without choices."""
    excess: float
    """Excess of continuous columns and slacks over their ends."""

    def best(self, complemented: Mask, divisors: Floats, fractional: Ints) -> tuple[float, Mask] | None:
        """Return the best divisor, and the choices that are measured from their upper end. None if no cut is violated."""
        violation, divisor = max(
            (self._violation(complemented, candidate), candidate) for candidate in divisors.tolist()
        )
        violation, divisor = max(
            (violation, divisor),
            *((self._violation(complemented, divisor / factor), divisor / factor) for factor in (2, 4, 8)),
        )
        distance_from_middle = np.abs(self.x - (self.low + self.high) / 2)[fractional]
        for choice in fractional[np.argsort(distance_from_middle, kind="stable")].tolist():
            flipped = complemented.copy()
            flipped[choice] = not flipped[choice]
            if np.isfinite(self.high[choice]) and (other_violation := self._violation(flipped, divisor)) > violation:
                violation, complemented = other_violation, flipped
        return (divisor, complemented) if violation > MIN_VIOLATION else None

    def _violation(self, complemented: Mask, divisor: float) -> float:
        ends = np.where(complemented, self.high, self.low)
        values = np.where(complemented, -self.values, self.values) / divisor
        right_side = (self.right_side - float(self.values @ ends)) / divisor
        remainder = right_side - np.floor(right_side)
        if not MIN_FRACTION < remainder < 1 - MIN_FRACTION / 10:
            return -1.0
        floors = np.floor(values + 1e-12)
        weights = floors + np.minimum(1.0, np.maximum(0.0, values - floors) / remainder)
        norm = float(np.sqrt(weights @ weights))
        activity = float(weights @ np.abs(self.x - ends)) + self.excess / divisor / remainder
        return (float(np.ceil(right_side)) - activity) / norm if norm > 0 else -1.0
