"""What makes an order zero or something of a certain size."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from ...problem.float_tables import as_floats
from ..bounds import lots_in
from ..draft import ProgramDraft
from ..matrix import Ints


def add_order_minima(draft: ProgramDraft) -> None:
    """A binary variable for every order with a minimum: what is ordered is zero, or between the minimum and the bound."""
    offers = draft.problem.offers
    cells, columns, entry = _orders(draft, [i for i, facts in enumerate(offers) if facts.offer.min_order])
    offer = (cells // draft.count).tolist()
    owners = [f"order minimum of {offers[i].offer.id}" for i in offer]
    switches = draft.switches(cells, owners)
    draft.columns.order.update(zip(_pairs(draft, cells), switches.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, np.inf, owners)
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), switches, -as_floats([offers[i].least for i in offer]))


def add_lots(draft: ProgramDraft) -> None:
    """An integer variable for every order sold in lots: what is ordered is so many lots."""
    offers = draft.problem.offers
    cells, columns, entry = _orders(draft, [i for i, facts in enumerate(offers) if facts.offer.lot is not None])
    offer = (cells // draft.count).tolist()
    lots = as_floats([offers[i].offer.lot or Decimal(1) for i in offer])
    most = lots_in(draft.bounds.units.ravel()[cells], lots)
    made = draft.assembly.add_columns(len(cells), 0.0, most, integer=True) + np.arange(len(cells))
    draft.columns.lot.update(zip(_pairs(draft, cells), made.tolist(), strict=True))
    row = draft.assembly.add_rows(len(cells), 0.0, 0.0, [f"lots of {offers[i].offer.id}" for i in offer])
    draft.assembly.add_entries(row + entry, columns, 1.0)
    draft.assembly.add_entries(row + np.arange(len(cells)), made, -lots)


def _orders(draft: ProgramDraft, offers: list[int]) -> tuple[Ints, Ints, Ints]:
    """All orders of some offers, as `Draft.ordering` gives them."""
    return draft.ordering(offers, range(draft.count))


def _pairs(draft: ProgramDraft, cells: Ints) -> list[tuple[int, int]]:
    """Offer and period of cells."""
    return [divmod(cell, draft.count) for cell in cells.tolist()]
