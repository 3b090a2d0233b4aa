"""Causes of shortages, as all reports show them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from decimal import Decimal

from ..domain.run import Run, RunDemand
from ..domain.unmet import RunSupplyCause


def sum_of(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum."""
    return sum(amounts, Decimal(0))


def competing_demands(run: Run, demands: Sequence[RunDemand]) -> list[list[RunDemand]]:
    """Return the demands, those together that the same supply can serve."""
    others = {entry.demand: {entry.demand, *entry.competes_with} for entry in run.shortages}
    groups: list[list[RunDemand]] = []
    for demand in demands:
        names = others.get(demand.id, {demand.id})
        group = next((group for group in groups if group[0].id in names), None)
        if group is None:
            groups.append([demand])
        else:
            group.append(demand)
    return groups


def group_causes(run: Run, demands: Sequence[RunDemand]) -> list[tuple[RunSupplyCause, Decimal]]:
    """Return the causes of what some demands are short of, each with the kilograms that would be served without it, the largest first.

    Of the same cause of several shortages, the one stands for all that names most.
    """
    names = {demand.id for demand in demands}
    served: defaultdict[object, Decimal] = defaultdict(Decimal)
    weight: defaultdict[object, Decimal] = defaultdict(Decimal)
    causes: dict[object, RunSupplyCause] = {}
    for entry in run.shortages:
        for cause in entry.causes if entry.demand in names else ():
            causes.setdefault(cause.key, cause)
            served[cause.key] += cause.served_kg or Decimal(0)
            weight[cause.key] += cause.served_kg or entry.quantity_kg
    return [(causes[key], served[key]) for key in sorted(causes, key=lambda key: (-weight[key], str(key)))]
