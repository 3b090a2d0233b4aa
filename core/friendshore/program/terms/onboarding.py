"""What it costs to use an offer at all."""

from __future__ import annotations

import numpy as np

from ..draft import Draft


def add_onboarding(draft: Draft) -> None:
    """A 0/1 column for every offer with an onboarding cost: nothing is ordered of it in any period unless it is 1."""
    assembly = draft.assembly
    for index, facts in enumerate(draft.problem.offers):
        periods = draft.periods_of(index)
        if not facts.onboarding or not periods:
            continue
        column = assembly.add_columns(1, float(facts.onboarding), 1.0, integer=True)
        draft.columns.onboard[index] = column
        row = assembly.add_rows(len(periods), -np.inf, 0.0, f"onboarding of {facts.offer.id}")
        for i, t in enumerate(periods):
            assembly.add_entries(row + i, draft.units[index, t], 1.0)
            assembly.add_entries(row + i, column, -draft.bounds.units[index, t])
