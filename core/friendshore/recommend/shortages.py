"""What a run tells of demand that is not met: how much of it when, why, and what keeps supply out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from ..domain.unmet import RunShortage, RunSupplyCause
from ..domain.watch import told_each
from ..explain import Reason, SupplyCauses
from ..verify import VerifiedPlan


def describe_shortages(
    verified: VerifiedPlan, reasons: Mapping[str, Reason], limiting: Mapping[str, Sequence[str]]
) -> list[RunShortage]:
    """Every demand and period that is short.

    Args:
        verified: the plan.
        reasons: demand -> why it is short.
        limiting: demand -> limit rules without which it would be less short.
    """
    problem = verified.problem
    positions = {demand.id: i for i, demand in enumerate(problem.demands)}
    supply = SupplyCauses(verified, limiting)
    found = []
    for short in told_each(verified.plan.shorts, "finding out what keeps supply out", "shortages", 1):
        demand = problem.demands[positions[short.demand]]
        reason = reasons.get(short.demand, Reason.UNPROVED)
        causes = supply.of(positions[short.demand], short.period) if reason is Reason.NO_SUPPLY else []
        found.append(
            RunShortage(
                demand=short.demand,
                material=demand.use.material.id,
                end_use=demand.use.end_use,
                place=demand.use.place.id,
                period=problem.case.horizon.label(short.period),
                quantity_kg=short.quantity,
                wanted_kg=demand.quantity[short.period],
                reason=reason.value,
                causes=[RunSupplyCause(kind=c.kind, text=c.text, offers=list(c.offers)) for c in causes],
                limited_by=list(limiting.get(short.demand, ())),
            )
        )
    return found


def shortage_totals(shortages: Sequence[RunShortage]) -> dict[str, dict[str, Decimal]]:
    """Material -> end use -> kilograms short over the plan."""
    totals: dict[str, dict[str, Decimal]] = {}
    for short in shortages:
        by_use = totals.setdefault(short.material, {})
        by_use[short.end_use] = by_use.get(short.end_use, Decimal(0)) + short.quantity_kg
    return totals
