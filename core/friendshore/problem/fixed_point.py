"""Decimals as arrays of whole numbers of a unit: added up exactly, and in one pass.

The unit is a power of ten, nearly always the resolution. Whole numbers are kept in 64 bits as long as no sum of them can need
more, else as Python's own.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import repeat
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

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
