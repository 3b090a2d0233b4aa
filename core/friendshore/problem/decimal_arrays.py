"""Arrays of decimals: exact multiples of a unit, and doubles for the solver and for narrowing down exact checks.

The unit is a power of ten, nearly always the resolution. Multiples have 64 bits if no sum of them can need more, and otherwise are
Python integers.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, repeat
from operator import mul
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..domain.base import DIGITS, rounded

Whole = NDArray[Any]
"""Integers, of 64 bits or of Python."""

_MOST = 2**62
"""Upper bound on sums of 64-bit integers."""


def whole(numbers: Sequence[Decimal], unit: Decimal) -> tuple[Whole, Decimal]:
    """Return numbers as multiples of a power of ten: `unit`, or if necessary the largest smaller one that divides them all."""
    exponent = min(0, int(unit.as_tuple().exponent))
    counts = _multiples(numbers, exponent)
    if counts is None:
        exponent = min(exponent, *(int(number.as_tuple().exponent) for number in numbers))
        counts = _multiples(numbers, exponent)
    assert counts is not None
    return kept(counts), Decimal(1).scaleb(exponent)


def kept(counts: Sequence[int]) -> Whole:
    """Return integers as an array, of 64 bits if no sum of them needs more."""
    fits = max(map(abs, counts), default=0) * len(counts) < _MOST
    return np.array(counts, dtype=np.int64 if fits else object)


def integers_from_doubles(counts: NDArray[np.float64]) -> Whole:
    """Return integers stored as doubles as an array, of 64 bits if no sum of them needs more."""
    fits = float(np.abs(counts).max(initial=0.0)) * len(counts) < _MOST
    return counts.astype(np.int64) if fits else kept(list(map(int, counts.tolist())))


def _multiples(numbers: Sequence[Decimal], exponent: int) -> list[int] | None:
    scaled = list(map(mul, numbers, repeat(Decimal(1).scaleb(-exponent))))
    counts = list(map(int, scaled))
    return counts if counts == scaled else None


def added_up(values: Whole, cells: NDArray[np.intp], size: int) -> Whole:
    """Return the exact sum of the values of each of `size` cells."""
    found: Whole = np.zeros(size, dtype=values.dtype)
    np.add.at(found, cells, values)
    return found


Floats = NDArray[np.float64]

_EXACT = 22
"""Exponent of the largest power of ten that a double represents exactly."""
_POWERS = np.array([float(10**power) for power in range(_EXACT + 1)])


class Scaled(Sequence[Decimal]):
    """Numbers by period, each a multiple of another number by a common factor, rounded as stored numbers.

    Products are computed on access, since hardly any of many offers priced by one benchmark is bought. Equal to any sequence of equal numbers.
    """

    __slots__ = ("factor", "numbers")

    def __init__(self, numbers: tuple[Decimal, ...], factor: Decimal) -> None:
        self.numbers = numbers
        self.factor = factor

    @overload
    def __getitem__(self, at: int) -> Decimal: ...
    @overload
    def __getitem__(self, at: slice) -> tuple[Decimal, ...]: ...
    def __getitem__(self, at: int | slice) -> Decimal | tuple[Decimal, ...]:
        return tuple(self)[at] if isinstance(at, slice) else rounded(self.numbers[at] * self.factor)

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[Decimal]:
        return map(rounded, map(mul, self.numbers, repeat(self.factor)))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


def as_floats(numbers: Sequence[Decimal]) -> Floats:
    """Return decimals as doubles."""
    return np.fromiter(map(float, numbers), np.float64, len(numbers))


def largest(rows: Sequence[Sequence[Decimal]]) -> list[Decimal]:
    """Return the largest absolute value of each row. Shared rows, and numbers shared up to a factor, are searched once."""
    lists = {id(row): row for row in (row.numbers if isinstance(row, Scaled) else row for row in rows)}
    most = {key: max(map(abs, numbers)) for key, numbers in lists.items()}
    return [
        rounded(most[id(row.numbers)] * abs(row.factor)) if isinstance(row, Scaled) else most[id(row)] for row in rows
    ]


def table(rows: Sequence[Sequence[Decimal | None]], count: int) -> Floats:
    """Return rows of `count` decimals as doubles. None becomes infinity. Shared rows and numbers are converted once."""
    values, position = _distinct(rows, count)
    return values if len(values) == len(position) else values[position]


def cells(
    rows: Sequence[Sequence[Decimal | None]], count: int, row: NDArray[np.intp], column: NDArray[np.intp]
) -> Floats:
    """Return some entries of `table`, by row and column."""
    values, position = _distinct(rows, count)
    return values[position[row], column]


def picked(rows: Sequence[Sequence[Decimal]], row: Iterable[int], column: Iterable[int]) -> Iterator[Decimal]:
    """Yield some entries of rows, by row and column."""
    for r, c in zip(row, column, strict=True):
        numbers = rows[r]
        yield rounded(numbers.numbers[c] * numbers.factor) if type(numbers) is Scaled else numbers[c]


def _distinct(rows: Sequence[Sequence[Decimal | None]], count: int) -> tuple[Floats, NDArray[np.intp]]:
    """Return the distinct rows of `table` in order of first occurrence, and the position of each row among them."""
    distinct = {id(row): row for row in rows}
    scaled = [(at, row) for at, row in enumerate(distinct.values()) if isinstance(row, Scaled)]
    others = [(at, row) for at, row in enumerate(distinct.values()) if not isinstance(row, Scaled)]
    values = np.empty((len(distinct), count))
    if others:
        numbers = {id(number): number for _, row in others for number in row}
        known = {key: np.inf if number is None else float(number) for key, number in numbers.items()}
        flat = map(known.__getitem__, map(id, chain.from_iterable(row for _, row in others)))
        values[[at for at, _ in others]] = np.fromiter(flat, np.float64, len(others) * count).reshape(-1, count)
    if scaled:
        values[[at for at, _ in scaled]] = _products([row for _, row in scaled])
    return values, _positions(distinct, list(map(id, rows)))


def _products(rows: Sequence[Scaled]) -> Floats:
    """Return scaled numbers as doubles, each the nearest to its decimal.

    If a product of integers has no more digits than a stored number, it is exact as a double. Dividing it by a power of ten that is also
    exact rounds only once. Longer products are computed as decimals.
    """
    numbers = {id(row.numbers): row.numbers for row in rows}
    factors = dict.fromkeys([row.factor for row in rows])
    counts, digits = _counted(numbers.values())
    digits_by = np.array([max(0, -int(factor.as_tuple().exponent)) for factor in factors], dtype=np.intp)
    by = np.array([float(factor.scaleb(digits)) for factor, digits in zip(factors, digits_by.tolist(), strict=True)])
    number = _positions(numbers, [id(row.numbers) for row in rows])
    factor = _positions(factors, [row.factor for row in rows])
    point = digits[number] + digits_by[factor]
    short = np.abs(counts).max(axis=1)[number] * np.abs(by[factor]) < 10.0**DIGITS
    found: Floats = counts[number]
    found *= by[factor][:, None]
    found /= _POWERS[np.minimum(point, _EXACT)][:, None]
    for row in np.flatnonzero(~short | (point > _EXACT)).tolist():
        found[row] = list(map(float, rows[row]))
    return found


def _counted(some: Iterable[Sequence[Decimal]]) -> tuple[Floats, NDArray[np.intp]]:
    """Return lists of numbers as multiples, in doubles, of a power of ten for each list, and the number of decimal places of each."""
    found = [whole(numbers, Decimal(1).scaleb(int(numbers[0].as_tuple().exponent))) for numbers in some]
    digits = [-int(unit.as_tuple().exponent) for _, unit in found]
    return np.array([counts.astype(np.float64) for counts, _ in found]), np.array(digits, dtype=np.intp)


def _positions(known: Iterable[Hashable], wanted: Sequence[Hashable]) -> NDArray[np.intp]:
    """Return the position in `known` of each item of `wanted`."""
    position = {key: at for at, key in enumerate(known)}
    return np.fromiter(map(position.__getitem__, wanted), np.intp, len(wanted))
