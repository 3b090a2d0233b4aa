"""Every verdict on what a plan buys, as records."""

from __future__ import annotations

from ..domain.plan import Purchase
from ..run import RunVerdict
from ..verify import VerifiedPlan


def verdicts(verified: VerifiedPlan) -> list[RunVerdict]:
    """One record for each verdict on a purchase, a stock or an order, sorted."""
    label = verified.problem.case.horizon.label
    rows = []
    for judged in verified.judged:
        entry, verdict, use = judged.item.entry, judged.verdict, judged.use
        row = RunVerdict(
            offer=entry.offer if isinstance(entry, Purchase) else entry.lot,
            material=entry.material,
            place=entry.place,
            requirement=entry.requirement,
            ordered=label(judged.item.ordered),
            delivered=label(judged.item.delivered),
            demand_material=use.material.id,
            end_use=use.end_use,
            rule=judged.rule,
            result=verdict.result.value,
            stage=verdict.stage,
            countries=list(verdict.countries),
            clause=verdict.clause,
            days=str(judged.day),
            reason=verdict.reason,
        )
        rows.append(row)
    return sorted(
        rows, key=lambda r: (r.offer, r.material, r.place, r.ordered, r.requirement, r.rule, r.days, r.end_use)
    )
