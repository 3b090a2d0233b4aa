"""Plans that a loss does not touch: what buys nothing of what is lost is still the cheapest without it.

Who loses an offer from a day on loses plans, and wins none: the same rows, and fewer moves. A plan that is the cheapest before and is
still one after is the cheapest after, with the same bound. That it still is one is verified on the facts after. Where an offer
binds to take or pay, a loss may cancel what is due, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterator

from ..domain.change import Change
from ..problem import Problem
from ..rules.rows import one_by_one
from . import VerifiedPlan, examine


def without_a_loss(changes: tuple[Change, ...]) -> Iterator[tuple[Change, ...]]:
    """The changes without each that takes offers away from a day on; such offers stay known, and what follows from them stays."""
    for number, change in enumerate(changes):
        if change.remove and change.start is not None:
            yield (*changes[:number], *changes[number + 1 :])


def reused(verified: VerifiedPlan, problem: Problem) -> VerifiedPlan | None:
    """The same plan on the facts after a loss; None if it is none any more, or these ask for other rows.

    Args:
        verified: the cheapest plan without the loss.
        problem: the facts after it, all else unchanged.
    """
    if verified.plan.infeasible or _asked(verified.problem) != _asked(problem):
        return None
    return examine(problem, verified.plan)[0]


def _asked(problem: Problem) -> list[tuple[object, ...]]:
    """What every limit rule asks for, and what is to be paid, taken or not."""
    asked: list[tuple[object, ...]] = [
        (rule.id, row.label, row.at_least, row.at_most, row.penalty)
        for rule, rows in problem.limit_rows
        for row in one_by_one(rows)
    ]
    due = ((problem.offers[c.offer].offer.id, c.periods, c.quantity, c.rate) for c in problem.commitments)
    return [*asked, *due]
