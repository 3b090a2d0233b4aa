"""The table of moves: every arc in every period in which it may be ordered and still arrives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from ..domain.time import Horizon
from .demands import Lot
from .network import Network
from .offers import OfferFacts


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Parallel arrays, one entry a move, ordered by arc and order period."""

    arc: NDArray[np.intp]
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    price: list[Decimal]
    """Money per kilogram moved, undiscounted; 0 for offers with several outputs, whose units are paid when made."""
    charge: list[Decimal]
    """Charges per kilogram that do not depend on the use, undiscounted, in the period of delivery."""
    freight: list[Decimal]
    """Money per kilogram, in the period of delivery."""
    position: dict[tuple[int, int], int]
    """(arc, order period) -> entry."""
    first: NDArray[np.intp]
    """Where the entries of each arc begin; one more for the end."""

    def __len__(self) -> int:
        return len(self.price)


def build_moves(
    network: Network,
    offers: Sequence[OfferFacts],
    lots: Sequence[Lot],
    horizon: Horizon,
    charges: Sequence[Sequence[Decimal]],
) -> Moves:
    """All moves. A lot has one, in the period in which it is there."""
    arcs: list[int] = []
    ordered: list[int] = []
    price: list[Decimal] = []
    charge: list[Decimal] = []
    freight: list[Decimal] = []
    position: dict[tuple[int, int], int] = {}
    for arc in network.arcs:
        if arc.offer < 0:
            position[arc.index, lots[arc.lot].period] = len(arcs)
            arcs.append(arc.index)
            ordered.append(lots[arc.lot].period)
            price.append(Decimal(0))
            charge.append(Decimal(0))
            freight.append(Decimal(0))
            continue
        facts = offers[arc.offer]
        for t in range(horizon.count - arc.lag):
            if facts.most[t] == 0:
                continue
            position[arc.index, t] = len(arcs)
            arcs.append(arc.index)
            ordered.append(t)
            price.append(facts.price[t] if facts.single else Decimal(0))
            charge.append(charges[arc.index][t])
            freight.append(arc.freight)
    lag = np.array([arc.lag for arc in network.arcs], dtype=np.intp)
    arc_index = np.array(arcs, dtype=np.intp)
    order_index = np.array(ordered, dtype=np.intp)
    arrival = order_index + lag[arc_index] if arcs else order_index
    first = np.searchsorted(arc_index, np.arange(len(network.arcs) + 1))
    return Moves(arc_index, order_index, arrival, price, charge, freight, position, first)
