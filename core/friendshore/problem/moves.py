"""The table of moves: every arc in every period in which it may be ordered and still arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from heapq import heapify, heappop
from operator import add

import numpy as np
from numpy.typing import NDArray

from ..domain.time import Horizon
from .demands import Lot
from .float_tables import largest
from .network import Arc, Network
from .offers import OfferFacts


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Parallel arrays, one entry a move, ordered by arc and order period; money is kept once an arc, by order period."""

    arc: NDArray[np.intp]
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    first: NDArray[np.intp]
    """Where the entries of each arc begin; one more for the end."""
    prices: Sequence[Sequence[Decimal]]
    """Of each arc, money per kilogram moved by order period, undiscounted; 0 for offers with several outputs, whose units
    are paid when made."""
    charges: Sequence[Sequence[Decimal]]
    """Of each arc, charges per kilogram that do not depend on the use, by order period, undiscounted, due on delivery."""
    freights: Sequence[Sequence[Decimal]]
    """Of each arc, money per kilogram by order period, due on delivery."""
    slots: NDArray[np.int32]
    """Entry of each arc and order period; -1 where there is none."""

    def __len__(self) -> int:
        return len(self.arc)

    def at(self, arc: int, ordered: int) -> int | None:
        """The entry of an arc and an order period, if there is one."""
        found = int(self.slots[arc, ordered]) if 0 <= ordered < self.slots.shape[1] else -1
        return found if found >= 0 else None

    def money(self, move: int) -> Decimal:
        """Price, charges that do not depend on the use, and freight of one kilogram."""
        arc, ordered = int(self.arc[move]), int(self.ordered[move])
        return self.prices[arc][ordered] + self.charges[arc][ordered] + self.freights[arc][ordered]

    @property
    def dearest(self) -> Decimal:
        """The most `money` of any move, credits counted as if they were paid; 0 without moves."""
        no_more = map(add, map(add, largest(self.prices), largest(self.charges)), largest(self.freights))
        first, most = self.first.tolist(), Decimal(0)
        waiting = [(-limit, arc) for arc, limit in enumerate(no_more)]
        heapify(waiting)  # hardly any of very many is looked at
        while waiting and -waiting[0][0] > most:
            arc = heappop(waiting)[1]
            most = max([most, *(abs(self.money(move)) for move in range(first[arc], first[arc + 1]))])
        return most


def build_moves(
    network: Network,
    offers: Sequence[OfferFacts],
    lots: Sequence[Lot],
    horizon: Horizon,
    charges: Sequence[Sequence[Decimal]],
) -> Moves:
    """All moves. A lot has one, in the period in which it is there."""
    nothing = (Decimal(0),) * horizon.count
    arcs = network.arcs
    may = np.zeros((len(arcs), horizon.count), dtype=bool)
    lag = _lags(arcs, horizon.count)
    open_in = _open_in(offers)
    of_offers = np.array([arc.index for arc in arcs if arc.offer >= 0], dtype=np.intp)
    if len(of_offers):
        may[of_offers] = open_in[[arc.offer for arc in arcs if arc.offer >= 0]]
        may &= np.arange(horizon.count) < horizon.count - lag
    for arc in arcs:
        if arc.lot >= 0:
            may[arc.index, lots[arc.lot].period] = True
    arc_index, ordered = np.nonzero(may)
    slots = np.full(may.shape, -1, dtype=np.int32)
    slots[arc_index, ordered] = np.arange(len(arc_index))
    return Moves(
        arc=arc_index,
        ordered=ordered,
        delivered=ordered + lag[arc_index, ordered],
        first=np.searchsorted(arc_index, np.arange(len(arcs) + 1)),
        prices=[offers[arc.offer].price if arc.offer >= 0 and offers[arc.offer].single else nothing for arc in arcs],
        charges=charges,
        freights=_by_order(arcs),
        slots=slots,
    )


def _lags(arcs: Sequence[Arc], count: int) -> NDArray[np.intp]:
    """Periods under way, arcs by periods of order; arcs that take as long share one tuple."""
    known: dict[int, int] = {}
    found = [known.setdefault(id(arc.lags), len(known)) for arc in arcs]
    tables = {id(arc.lags): arc.lags for arc in arcs}
    every = np.array([tables[each] for each in known], dtype=np.intp).reshape(len(known), count)
    lags: NDArray[np.intp] = every[np.array(found, dtype=np.intp)]
    return lags


def _by_order(arcs: Sequence[Arc]) -> list[tuple[Decimal, ...]]:
    """Freight of every arc by order period, where what is ordered arrives in the plan; arcs with the same share one tuple."""
    known: dict[tuple[int, int], tuple[Decimal, ...]] = {}
    found = []
    for arc in arcs:
        key = id(arc.freight), id(arc.lags)
        if key not in known:
            last = len(arc.freight) - 1
            known[key] = tuple(arc.freight[min(arc.arrival(t), last)] for t in range(last + 1))
        found.append(known[key])
    return found


def _open_in(offers: Sequence[OfferFacts]) -> NDArray[np.bool_]:
    """Of every offer, the periods in which it may be ordered at all; offers with the same limits share one tuple."""
    known: dict[int, list[bool]] = {}
    for facts in offers:
        if id(facts.most) not in known:
            known[id(facts.most)] = [most != 0 for most in facts.most]
    return np.array([known[id(facts.most)] for facts in offers], dtype=bool)


def ranges(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """The numbers from each `first` up to, not including, its `last`, one stretch after the other."""
    lengths = last - first
    found: NDArray[np.intp] = np.repeat(first - (np.cumsum(lengths) - lengths), lengths)
    found += np.arange(len(found))
    return found
