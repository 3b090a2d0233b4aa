"""What phases of unknown status would forbid, if they held: kilograms and money at risk."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..rules.base import PhaseStatus
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import Judging


@dataclass(frozen=True, slots=True)
class Exposed:
    """What one rule would forbid."""

    rule: str
    items: tuple[Bought, ...]
    cost: Decimal
    """Undiscounted money on the purchases concerned."""


def exposed(verified: VerifiedPlan) -> list[Exposed]:
    """Every rule with a phase of unknown status that would forbid something of the plan, in the order of ids."""
    if PhaseStatus.UNKNOWN in verified.problem.law.statuses:
        return []
    judging = Judging(verified.ledger, frozenset({PhaseStatus.UNKNOWN}))
    cost = {id(line.item): line.total for line in verified.lines}
    found: dict[str, dict[int, Bought]] = {}
    for judged in judging.verdicts():
        if judging.broken(judged):
            found.setdefault(judged.rule, {})[id(judged.item)] = judged.item
    return [
        Exposed(
            rule,
            tuple(items.values()),
            sum((cost.get(key, Decimal(0)) for key in items), Decimal(0)),
        )
        for rule, items in sorted(found.items())
    ]
