"""Arrays of decimals: exact multiples of a power of ten, in 64 bits if no sum needs more, or else Python integers; and doubles for the solver."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import chain, repeat
from operator import mul
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from ..domain.base import DIGITS, rounded

Integers = NDArray[Any]
"""Integers of 64 bits or Python objects."""

_MAX_SUM = 2**62  # Sums of 64-bit integers stay below it.


def as_multiples(numbers: Sequence[Decimal], unit: Decimal) -> tuple[Integers, Decimal]:
    """Return numbers as multiples of a power of ten: `unit`, or if necessary the largest smaller one that divides them all."""
    exponent = min(0, int(unit.as_tuple().exponent))
    counts = _multiples(numbers, exponent)
    if counts is None:
        exponent = min(exponent, *(int(number.as_tuple().exponent) for number in numbers))
        counts = _multiples(numbers, exponent)
    assert counts is not None
    return integer_array(counts), Decimal(1).scaleb(exponent)


def integer_array(counts: Sequence[int]) -> Integers:
    """Return integers as an array, of 64 bits if no sum of them needs more."""
    fits = max(map(abs, counts), default=0) * len(counts) < _MAX_SUM
    return np.array(counts, dtype=np.int64 if fits else object)


def integers_from_doubles(counts: NDArray[np.float64]) -> Integers:
    fits = float(np.abs(counts).max(initial=0.0)) * len(counts) < _MAX_SUM
    return counts.astype(np.int64) if fits else integer_array(list(map(int, counts.tolist())))


def _multiples(numbers: Sequence[Decimal], exponent: int) -> list[int] | None:
    scaled = list(map(mul, numbers, repeat(Decimal(1).scaleb(-exponent))))
    counts = list(map(int, scaled))
    return counts if counts == scaled else None


def added_up(values: Integers, cells: NDArray[np.intp], size: int) -> Integers:
    sums: Integers = np.zeros(size, dtype=values.dtype)
    np.add.at(sums, cells, values)
    return sums


Floats = NDArray[np.float64]

_MAX_EXACT_POWER = 22  # 10 ** 22 is the largest power of ten that a double represents exactly.
_POWERS = np.array([float(10**power) for power in range(_MAX_EXACT_POWER + 1)])


class Scaled(Sequence[Decimal]):
    """Numbers by period, each a multiple of another by a common factor. Products are computed on access, since few of them are needed."""

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
    return np.fromiter(map(float, numbers), np.float64, len(numbers))


def largest(rows: Sequence[Sequence[Decimal]]) -> list[Decimal]:
    """Return the largest absolute value of each row. Shared rows, also up to a factor, are searched once."""
    numbers_by_id = {id(row): row for row in (row.numbers if isinstance(row, Scaled) else row for row in rows)}
    largest_by_id = {key: max(map(abs, numbers)) for key, numbers in numbers_by_id.items()}
    return [
        rounded(largest_by_id[id(row.numbers)] * abs(row.factor)) if isinstance(row, Scaled) else largest_by_id[id(row)]
        for row in rows
    ]


def table(rows: Sequence[Sequence[Decimal | None]], count: int) -> Floats:
    """Return rows of `count` decimals as doubles. None becomes infinity. Shared rows and numbers are converted once."""
    values, position = _distinct(rows, count)
    return values if len(values) == len(position) else values[position]


def cells(
    rows: Sequence[Sequence[Decimal | None]], count: int, row: NDArray[np.intp], column: NDArray[np.intp]
) -> Floats:
    values, position = _distinct(rows, count)
    return values[position[row], column]


def picked(rows: Sequence[Sequence[Decimal]], row: Iterable[int], column: Iterable[int]) -> Iterator[Decimal]:
    for r, c in zip(row, column, strict=True):
        numbers = rows[r]
        yield rounded(numbers.numbers[c] * numbers.factor) if type(numbers) is Scaled else numbers[c]


def _distinct(rows: Sequence[Sequence[Decimal | None]], count: int) -> tuple[Floats, NDArray[np.intp]]:
    row_by_id = {id(row): row for row in rows}
    scaled = [(i, row) for i, row in enumerate(row_by_id.values()) if isinstance(row, Scaled)]
    plain = [(i, row) for i, row in enumerate(row_by_id.values()) if not isinstance(row, Scaled)]
    values = np.empty((len(row_by_id), count))
    if plain:
        numbers = {id(number): number for _, row in plain for number in row}
        float_by_id = {key: np.inf if number is None else float(number) for key, number in numbers.items()}
        flat = map(float_by_id.__getitem__, map(id, chain.from_iterable(row for _, row in plain)))
        values[[i for i, _ in plain]] = np.fromiter(flat, np.float64, len(plain) * count).reshape(-1, count)
    if scaled:
        values[[i for i, _ in scaled]] = _products([row for _, row in scaled])
    return values, _positions(row_by_id, list(map(id, rows)))


def _products(rows: Sequence[Scaled]) -> Floats:
    """Return scaled numbers as the nearest doubles. Products of at most 15 digits are exact, and divided by a power of ten once. Others are computed as decimals."""
    numbers_by_id = {id(row.numbers): row.numbers for row in rows}
    factors = dict.fromkeys([row.factor for row in rows])
    multiples, places = _multiples_of_lists(numbers_by_id.values())
    factor_places = np.array([max(0, -int(factor.as_tuple().exponent)) for factor in factors], dtype=np.intp)
    factor_multiples = np.array([float(f.scaleb(n)) for f, n in zip(factors, factor_places.tolist(), strict=True)])
    list_position = _positions(numbers_by_id, [id(row.numbers) for row in rows])
    factor_position = _positions(factors, [row.factor for row in rows])
    total_places = places[list_position] + factor_places[factor_position]
    is_exact = np.abs(multiples).max(axis=1)[list_position] * np.abs(factor_multiples[factor_position]) < 10.0**DIGITS
    products: Floats = multiples[list_position]
    products *= factor_multiples[factor_position][:, None]
    products /= _POWERS[np.minimum(total_places, _MAX_EXACT_POWER)][:, None]
    for row in np.flatnonzero(~is_exact | (total_places > _MAX_EXACT_POWER)).tolist():
        products[row] = list(map(float, rows[row]))
    return products


def _multiples_of_lists(lists: Iterable[Sequence[Decimal]]) -> tuple[Floats, NDArray[np.intp]]:
    """Return each list as multiples of a power of ten, and the decimal places of that power."""
    multiples = [as_multiples(numbers, Decimal(1).scaleb(int(numbers[0].as_tuple().exponent))) for numbers in lists]
    places = [-int(unit.as_tuple().exponent) for _, unit in multiples]
    return np.array([counts.astype(np.float64) for counts, _ in multiples]), np.array(places, dtype=np.intp)


def _positions(keys: Iterable[Hashable], lookups: Sequence[Hashable]) -> NDArray[np.intp]:
    position_by_key = {key: i for i, key in enumerate(keys)}
    return np.fromiter(map(position_by_key.__getitem__, lookups), np.intp, len(lookups))
