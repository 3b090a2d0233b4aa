"""What makes an order zero or something of a certain size."""

from __future__ import annotations

import numpy as np

from ..bounds import lots_in
from ..draft import Draft


def add_order_minima(draft: Draft) -> None:
    """A 0/1 column for every order with a minimum: what is ordered is zero, or between the minimum and the bound."""
    for index, facts in enumerate(draft.problem.offers):
        if not facts.offer.min_order:
            continue
        owner = f"order minimum of {facts.offer.id}"
        for t in draft.periods_of(index):
            switch = draft.switch([(index, t)], owner)
            assert switch is not None
            draft.columns.order[index, t] = switch
            row = draft.assembly.add_rows(1, 0.0, np.inf, owner)
            draft.assembly.add_entries(row, draft.units[index, t], 1.0)
            draft.assembly.add_entries(row, switch, -float(facts.least))


def add_lots(draft: Draft) -> None:
    """A whole column for every order sold in lots: what is ordered is so many lots."""
    for index, facts in enumerate(draft.problem.offers):
        lot = facts.offer.lot
        if lot is None:
            continue
        for t in draft.periods_of(index):
            most = lots_in(draft.bounds.units[index, t], float(lot))
            column = draft.assembly.add_columns(1, 0.0, most, integer=True)
            draft.columns.lot[index, t] = column
            row = draft.assembly.add_rows(1, 0.0, 0.0, f"lots of {facts.offer.id}")
            draft.assembly.add_entries(row, draft.units[index, t], 1.0)
            draft.assembly.add_entries(row, column, -float(lot))
