"""What is bought as columns of whole numbers: added up exactly, and in one pass.

A quantity is so many of a unit that is a power of ten, nearly always the resolution. Whole numbers are kept in 64 bits as long as
no sum of them can need more, else as Python's own.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from operator import mul
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import LotUse, Purchase
from ..problem import Problem
from ..problem.doubles import Floats
from ..problem.network import Arc

Ints = NDArray[np.intp]
Whole = NDArray[Any]
"""Whole numbers, of 64 bits or of Python's."""

_MOST = 2**62
"""No sum of whole numbers of 64 bits comes to more than this."""


@dataclass(slots=True)
class Bought:
    """A purchase, or a lot set aside, with its arc."""

    entry: Purchase | LotUse
    arc: Arc

    @property
    def ordered(self) -> int:
        """Period of the order; for a lot, from which it is there."""
        return self.entry.ordered if isinstance(self.entry, Purchase) else self.entry.period

    @property
    def delivered(self) -> int:
        """Period of arrival."""
        return self.entry.delivered if isinstance(self.entry, Purchase) else self.entry.period

    def __str__(self) -> str:
        name = self.entry.offer if isinstance(self.entry, Purchase) else self.entry.lot
        return f"{name} to {self.entry.place} ({self.entry.material}, {self.entry.requirement}, period {self.ordered})"


def in_lots(problem: Problem, offer: int) -> bool:
    """Whether a purchase from an offer (-1: a lot) is a part of a lot, and need not be a multiple of the resolution by itself."""
    return offer >= 0 and problem.offers[offer].single and problem.offers[offer].offer.lot is not None


def whole(numbers: Sequence[Decimal], unit: Decimal) -> tuple[Whole, Decimal]:
    """Numbers as multiples of a power of ten: of `unit`, or of the largest smaller one that they are all multiples of."""
    exponent = min(0, int(unit.adjusted()))
    counts = _multiples(numbers, exponent)
    if counts is None:
        exponent = min(exponent, *(int(number.as_tuple().exponent) for number in numbers))
        counts = _multiples(numbers, exponent)
    assert counts is not None
    fits = max(map(abs, counts), default=0) * len(counts) < _MOST
    return np.array(counts, dtype=np.int64 if fits else object), Decimal(1).scaleb(exponent)


def _multiples(numbers: Sequence[Decimal], exponent: int) -> list[int] | None:
    scaled = list(map(mul, numbers, repeat(Decimal(1).scaleb(-exponent))))
    counts = list(map(int, scaled))
    return counts if counts == scaled else None


def added_up(values: Whole, cells: Ints, size: int) -> Whole:
    """The exact sum of the values of each of `size` cells."""
    found: Whole = np.zeros(size, dtype=values.dtype)
    np.add.at(found, cells, values)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Parallel arrays, one entry a purchase or a lot set aside."""

    unit: Decimal
    counts: Whole
    """Kilograms, in units."""
    arc: Ints
    offer: Ints
    """-1: a lot."""
    lot: Ints
    """-1: a purchase."""
    ordered: Ints
    """Period of the order; of a lot, from which it is there."""
    delivered: Ints
    requirement: Ints
    """Position of its label."""
    labels: Sequence[str]
    single: NDArray[np.bool_]
    """Whether a kilogram is a unit of its offer."""
    roundings: Ints
    """How many half steps of the resolution it may be off: two if it is part of a lot."""

    @staticmethod
    def of(problem: Problem, entries: Sequence[Purchase | LotUse], arcs: Sequence[int]) -> Columns:
        """The columns of entries, each with the position of its arc."""
        counts, unit = whole([entry.quantity for entry in entries], problem.case.resolution)
        network, offers = problem.network.arcs, problem.offers
        arc = _ints(arcs)
        offer, lot = _ints([a.offer for a in network])[arc], _ints([a.lot for a in network])[arc]
        single = np.array([*(facts.single for facts in offers), False], dtype=bool)[offer]
        in_part = np.array([*(in_lots(problem, i) for i in range(len(offers))), False], dtype=bool)[offer]
        codes: dict[str, int] = {}
        for entry in entries:
            codes.setdefault(entry.requirement, len(codes))
        return Columns(
            unit=unit,
            counts=counts,
            arc=arc,
            offer=offer,
            lot=lot,
            ordered=_ints([e.ordered if isinstance(e, Purchase) else e.period for e in entries]),
            delivered=_ints([e.delivered if isinstance(e, Purchase) else e.period for e in entries]),
            requirement=_ints([codes[entry.requirement] for entry in entries]),
            labels=tuple(codes),
            single=single,
            roundings=np.where(in_part, 2, 1),
        )

    def kilograms(self, counts: Whole) -> list[Decimal]:
        """Sums of counts as decimals."""
        return list(map(mul, map(Decimal, counts.tolist()), repeat(self.unit)))

    def near(self, counts: Whole) -> Floats:
        """Sums of counts as doubles, each the nearest to the exact one but for a rounding or two."""
        found: Floats = counts.astype(np.float64) * float(self.unit)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Orders:
    """Units ordered of every offer in every period, and the rounded numbers these are the sum of: offers x periods."""

    unit: Decimal
    counts: Whole
    """In units of `unit`."""
    pieces: Ints

    @staticmethod
    def of(columns: Columns, made: Sequence[tuple[int, int, Decimal, int]], offers: int, periods: int) -> Orders:
        """All that is bought of offers with one output, and made of others (offer, period, units, roundings)."""
        one = columns.single
        counts, unit = columns.counts[one], columns.unit
        if made:
            of_runs, finer = whole([units for _, _, units, _ in made], unit)
            counts = np.concatenate([counts.astype(object) * int(unit / finer), of_runs.astype(object)])
            unit = finer
        offer = np.concatenate([columns.offer[one], _ints(offer for offer, _, _, _ in made)])
        period = np.concatenate([columns.ordered[one], _ints(t for _, t, _, _ in made)])
        roundings = np.concatenate([columns.roundings[one], _ints(roundings for _, _, _, roundings in made)])
        cells, size = offer * periods + period, offers * periods
        return Orders(
            unit=unit,
            counts=added_up(counts, cells, size).reshape(offers, periods),
            pieces=added_up(roundings, cells, size).reshape(offers, periods),
        )

    def decimals(self, offer: Ints, period: Ints) -> list[Decimal]:
        """The units of some cells."""
        return list(map(mul, map(Decimal, self.counts[offer, period].tolist()), repeat(self.unit)))


def _ints(numbers: Iterable[int]) -> Ints:
    return np.array(list(numbers), dtype=np.intp)
