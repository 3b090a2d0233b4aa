"""What the length of the periods does, for a run: shortages beside those of a plan in months, and what is counted in whole periods."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from ..domain.whole_periods import RunByMonths
from ..explain import ByMonths
from ..verify import VerifiedPlan


def describe_by_months(verified: VerifiedPlan, found: Mapping[str, ByMonths]) -> list[RunByMonths]:
    """Every demand that was looked at by months, or should have been; what only the length of the periods makes short is worked out here."""
    short = verified.plan.short_by_demand
    case = verified.problem.case
    rounding = case.resolution * case.horizon.count * case.horizon.length.months
    rows = []
    for name, by_months in sorted(found.items()):
        only = Decimal(0) if by_months.kilograms is None else short.get(name, Decimal(0)) - by_months.kilograms
        rows.append(
            RunByMonths(
                demand=name,
                short_kg=short.get(name, Decimal(0)),
                by_months_kg=by_months.kilograms,
                only_kg=only if only > rounding else Decimal(0),
                note=by_months.note,
            )
        )
    return rows


def by_months_as_told(rows: Iterable[RunByMonths]) -> dict[str, ByMonths]:
    """What a run says of its plans in months: they are not among its facts, and are taken from it."""
    return {row.demand: ByMonths(row.by_months_kg, row.note) for row in rows}
