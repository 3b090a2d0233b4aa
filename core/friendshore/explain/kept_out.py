"""Which offers a rule in force keeps out of which use, for how long, and which are only unproven; what rules of unknown status would forbid.

What phases of unknown status would forbid, if they held, is the exposure of a plan: kilograms and money at risk.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from ..domain.use import Result, Use, Verdict
from ..problem import Problem
from ..problem.network import Arc
from ..rules.base import PhaseStatus
from ..verify import Bought, VerifiedPlan
from ..verify.compliance import Judging


@dataclass(frozen=True, slots=True)
class KeptOut:
    """A verdict against an offer, for one kind of use."""

    arc: Arc
    use: Use
    verdict: Verdict

    @property
    def unproven(self) -> bool:
        """Whether something is only not proved."""
        return self.verdict.result is Result.UNPROVEN


def kept_out(problem: Problem) -> list[KeptOut]:
    """Every verdict that forbids, of rules in force in some period of the plan, without repeats, in canonical order.

    What one rule forbids is not told again as unproven by another: no proof would let it pass.
    """
    spans = [period.span for period in problem.case.horizon.periods]
    in_force = {i: [s for s in spans if problem.law.in_force(i, s)] for i in range(len(problem.rules))}
    found: dict[tuple[int, Use, str], KeptOut] = {}
    for use, judgement in problem.judgements.items():
        for table in (judgement.chain, judgement.trade):
            for rule, verdicts in table.items():
                if not in_force[rule]:
                    continue
                for index, verdict in verdicts.items():
                    arc = problem.network.arcs[index]
                    licensed = verdict.licence and all(
                        problem.law.licences(verdict, arc, use, span) is not None for span in in_force[rule]
                    )
                    if problem.law.forbids(verdict, arc) and not licensed:
                        found.setdefault((index, use, problem.rules[rule].id), KeptOut(arc, use, verdict))
    forbidden = {(k.arc.index, k.use) for k in found.values() if not k.unproven}
    kept = [k for k in found.values() if not k.unproven or (k.arc.index, k.use) not in forbidden]
    return sorted(kept, key=lambda k: (k.use.material.id, k.use.end_use, k.arc.index, k.verdict.rule))


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
