"""Take-or-pay: what is not taken of a committed quantity is paid for, if the offer is used at all."""

from __future__ import annotations

import numpy as np

from ..draft import ProgramDraft


def add_commitments(draft: ProgramDraft) -> None:
    """A column for what is not taken in each year: with what is taken it comes to the quantity, or the offer is not used."""
    for number, commitment in enumerate(draft.problem.commitments):
        owner = f"take-or-pay of {draft.problem.offers[commitment.offer].offer.id} in {commitment.label}"
        used = draft.switch([commitment.offer], range(draft.count), owner)
        if used is None:
            continue
        draft.columns.onboard[commitment.offer] = used
        cost = float(commitment.rate) * draft.discount[commitment.due]
        column = draft.assembly.add_columns(1, cost, float(commitment.quantity))
        draft.columns.untaken[number] = column
        _, taken, _ = draft.ordering([commitment.offer], commitment.periods)
        row = draft.assembly.add_rows(1, 0.0, np.inf, owner)
        draft.assembly.add_entries(row, taken, 1.0)
        draft.assembly.add_entries(row, column, 1.0)
        draft.assembly.add_entries(row, used, -float(commitment.quantity))
