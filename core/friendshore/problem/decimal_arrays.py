"""Decimals as arrays: of whole numbers of a unit, which add up exactly, and of doubles, for the solver and to narrow down exact checks.

The unit is a power of ten, nearly always the resolution. Whole numbers are kept in 64 bits as long as no sum of them can need
more, else as Python's own.
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
"""Whole numbers, of 64 bits or of Python's."""

_MOST = 2**62
"""No sum of whole numbers of 64 bits comes to more than this."""


def whole(numbers: Sequence[Decimal], unit: Decimal) -> tuple[Whole, Decimal]:
    """Numbers as multiples of a power of ten: of `unit`, or of the largest smaller one that they are all multiples of."""
    exponent = min(0, int(unit.as_tuple().exponent))
    counts = _multiples(numbers, exponent)
    if counts is None:
        exponent = min(exponent, *(int(number.as_tuple().exponent) for number in numbers))
        counts = _multiples(numbers, exponent)
    assert counts is not None
    return kept(counts), Decimal(1).scaleb(exponent)


def kept(counts: Sequence[int]) -> Whole:
    """Whole numbers as an array, of 64 bits if no sum of them needs more."""
    fits = max(map(abs, counts), default=0) * len(counts) < _MOST
    return np.array(counts, dtype=np.int64 if fits else object)


def kept_doubles(counts: NDArray[np.float64]) -> Whole:
    """Whole numbers that stand in doubles, likewise."""
    fits = float(np.abs(counts).max(initial=0.0)) * len(counts) < _MOST
    return counts.astype(np.int64) if fits else kept(list(map(int, counts.tolist())))


def _multiples(numbers: Sequence[Decimal], exponent: int) -> list[int] | None:
    scaled = list(map(mul, numbers, repeat(Decimal(1).scaleb(-exponent))))
    counts = list(map(int, scaled))
    return counts if counts == scaled else None


def added_up(values: Whole, cells: NDArray[np.intp], size: int) -> Whole:
    """The exact sum of the values of each of `size` cells."""
    found: Whole = np.zeros(size, dtype=values.dtype)
    np.add.at(found, cells, values)
    return found


Floats = NDArray[np.float64]

_EXACT = 22
"""The largest power of ten that a double keeps exactly."""
_POWERS = np.array([float(10**power) for power in range(_EXACT + 1)])


class Scaled(Sequence[Decimal]):
    """Numbers by period that are all others times one factor, as stored numbers.

    Each product is computed on access: of very many offers priced by one benchmark, hardly any is bought. It equals a sequence of the same numbers.
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
    """Decimals as doubles."""
    return np.fromiter(map(float, numbers), np.float64, len(numbers))


def largest(rows: Sequence[Sequence[Decimal]]) -> list[Decimal]:
    """The largest number of each row, its sign left aside. Rows that are one object, and numbers that rows share but for a factor, are looked through once."""
    lists = {id(row): row for row in (row.numbers if isinstance(row, Scaled) else row for row in rows)}
    most = {key: max(map(abs, numbers)) for key, numbers in lists.items()}
    return [
        rounded(most[id(row.numbers)] * abs(row.factor)) if isinstance(row, Scaled) else most[id(row)] for row in rows
    ]


def table(rows: Sequence[Sequence[Decimal | None]], count: int) -> Floats:
    """Rows of `count` decimals as doubles; None is infinite. Rows that are one object, and numbers that are, are converted once."""
    values, position = _distinct(rows, count)
    return values if len(values) == len(position) else values[position]


def cells(
    rows: Sequence[Sequence[Decimal | None]], count: int, row: NDArray[np.intp], column: NDArray[np.intp]
) -> Floats:
    """Some of the numbers that `table` gives, each by its row and column."""
    values, position = _distinct(rows, count)
    return values[position[row], column]


def picked(rows: Sequence[Sequence[Decimal]], row: Iterable[int], column: Iterable[int]) -> Iterator[Decimal]:
    """Some of the numbers of rows, each by its row and column."""
    for r, c in zip(row, column, strict=True):
        numbers = rows[r]
        yield rounded(numbers.numbers[c] * numbers.factor) if type(numbers) is Scaled else numbers[c]


def _distinct(rows: Sequence[Sequence[Decimal | None]], count: int) -> tuple[Floats, NDArray[np.intp]]:
    """The rows of `table` without repeats, in the order in which they first come, and which of them each row is."""
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
    """Scaled numbers as doubles: each the one next to its decimal.

    A product of whole numbers that has no more digits than a stored number is exact as a double, and then divided by a power of ten
    that is a double too: it is rounded once. Longer ones are worked out as decimals.
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
    """Lists of numbers as whole multiples, in doubles, of a power of ten, and how many digits behind the point it has for each list."""
    found = [whole(numbers, Decimal(1).scaleb(int(numbers[0].as_tuple().exponent))) for numbers in some]
    digits = [-int(unit.as_tuple().exponent) for _, unit in found]
    return np.array([counts.astype(np.float64) for counts, _ in found]), np.array(digits, dtype=np.intp)


def _positions(known: Iterable[Hashable], wanted: Sequence[Hashable]) -> NDArray[np.intp]:
    """Where each of `wanted` stands among `known`."""
    position = {key: at for at, key in enumerate(known)}
    return np.fromiter(map(position.__getitem__, wanted), np.intp, len(wanted))
