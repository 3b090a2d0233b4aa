"""What it costs to use an offer at all."""

from __future__ import annotations

from ..draft import ProgramDraft


def add_onboarding(draft: ProgramDraft) -> None:
    """A binary variable for every offer with an onboarding cost: nothing is ordered of it in any period unless it is 1."""
    for index, facts in enumerate(draft.problem.offers):
        if not facts.onboarding:
            continue
        owner = f"onboarding of {facts.offer.id}"
        column = draft.switch([index], range(draft.count), owner, float(facts.onboarding))
        if column is not None:
            draft.columns.onboard[index] = column
