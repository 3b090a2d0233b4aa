"""What makes an order zero or something of a certain size."""

from __future__ import annotations

import numpy as np

from ..draft import Draft


def add_order_minima(draft: Draft) -> None:
    """A 0/1 column for every order with a minimum: what is ordered is zero, or between the minimum and the bound."""
    assembly = draft.assembly
    for index, facts in enumerate(draft.problem.offers):
        least = facts.offer.min_order
        if not least:
            continue
        for t in draft.periods_of(index):
            switch = assembly.add_columns(1, 0.0, 1.0, integer=True)
            draft.columns.order[index, t] = switch
            row = assembly.add_rows(2, [0.0, -np.inf], [np.inf, 0.0], f"order minimum of {facts.offer.id}")
            for offset, bound in enumerate((float(least), draft.bounds.units[index, t])):
                assembly.add_entries(row + offset, draft.units[index, t], 1.0)
                assembly.add_entries(row + offset, switch, -bound)
