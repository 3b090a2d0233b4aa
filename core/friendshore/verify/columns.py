"""What is bought as columns of whole numbers: added up exactly, and in one pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import repeat
from operator import mul

import numpy as np
from numpy.typing import NDArray

from ..domain.plan import LotUse, Purchase, PurchaseTable
from ..problem import Problem
from ..problem.decimal_arrays import Floats, Whole, added_up, kept, whole
from ..problem.network import Arc

Ints = NDArray[np.intp]


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


def in_columns(entries: Sequence[Purchase | LotUse], unit: Decimal) -> PurchaseTable:
    """Entries by column, if they are not already; lots set aside as purchases in their period, in the place of offers."""
    if isinstance(entries, PurchaseTable):
        return entries
    lines: dict[tuple[str, str, str], int] = {}
    labels: dict[str, int] = {}
    named = [(e.offer if isinstance(e, Purchase) else e.lot, e.material, e.place) for e in entries]
    counts, unit = whole([entry.quantity for entry in entries], unit)
    return PurchaseTable(
        line=_ints([lines.setdefault(name, len(lines)) for name in named]),
        requirement=_ints([labels.setdefault(entry.requirement, len(labels)) for entry in entries]),
        lines=tuple(lines),
        labels=tuple(labels),
        ordered=_ints([e.ordered if isinstance(e, Purchase) else e.period for e in entries]),
        delivered=_ints([e.delivered if isinstance(e, Purchase) else e.period for e in entries]),
        unit=unit,
        counts=counts,
        licences={i: entry.licences for i, entry in enumerate(entries) if entry.licences},
    )


def _finer(table: PurchaseTable, unit: Decimal) -> Whole:
    """The counts of a table in a smaller unit."""
    times = int(table.unit / unit)
    return kept([count * times for count in table.counts.tolist()])


@dataclass(frozen=True, slots=True, eq=False)
class PurchaseColumns:
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

    licences: Mapping[int, tuple[str, ...]]
    """Licences of the entries that move under some."""

    @staticmethod
    def of(problem: Problem, *tables: tuple[PurchaseTable, Ints]) -> PurchaseColumns:
        """The columns of entries, each with the position of its arc; lots set aside are read as purchases in their period."""
        unit = min(table.unit for table, _ in tables)
        scaled = [table.counts if table.unit == unit else _finer(table, unit) for table, _ in tables]
        network, offers = problem.network.arcs, problem.offers
        arc = joined([arcs for _, arcs in tables])
        offer, lot = _ints([a.offer for a in network])[arc], _ints([a.lot for a in network])[arc]
        single = np.array([*(facts.single for facts in offers), False], dtype=bool)[offer]
        sold_in_lots = np.array([*(facts.offer.lot is not None for facts in offers), False], dtype=bool)[offer]
        codes: dict[str, int] = {}
        for table, _ in tables:
            for label in table.labels:
                codes.setdefault(label, len(codes))
        first = np.cumsum([0, *(len(table) for table, _ in tables)]).tolist()
        return PurchaseColumns(
            unit=unit,
            counts=np.concatenate(scaled),
            arc=arc,
            offer=offer,
            lot=lot,
            ordered=joined([table.ordered for table, _ in tables]),
            delivered=joined([table.delivered for table, _ in tables]),
            requirement=joined([_ints([codes[label] for label in t.labels])[t.requirement] for t, _ in tables]),
            labels=tuple(codes),
            single=single,
            roundings=np.where(single & sold_in_lots, 2, 1),
            licences={
                start + i: names
                for start, (table, _) in zip(first, tables, strict=False)
                for i, names in table.licences.items()
            },
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
    def of(
        columns: PurchaseColumns, made: Sequence[tuple[int, int, Decimal, int]], offers: int, periods: int
    ) -> Orders:
        """All that is bought of offers with one output, and made of others (offer, period, units, roundings)."""
        one = columns.single
        counts, unit = columns.counts[one], columns.unit
        if made:
            of_runs, finer = whole([units for _, _, units, _ in made], unit)
            times = int(unit / finer)
            counts = kept([*(count * times for count in counts.tolist()), *of_runs.tolist()])
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


def joined(columns: Sequence[Ints]) -> Ints:
    """Columns one below the other."""
    return np.concatenate([np.empty(0, dtype=np.intp), *columns])
