"""What is bought today, period by period: what a change of suppliers is measured against."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from ..domain.base import totals
from ..domain.case import Case
from ..domain.facts import Material
from .demands import Lot, round_to
from .merged import Merged


@dataclass(frozen=True, slots=True)
class Incumbent:
    """One output of an offer that is bought today."""

    offer: str
    material: Material
    quantity: tuple[Decimal, ...]
    """Kilograms of it that today's rate comes to in each period, to the resolution."""
    placed: tuple[Decimal, ...]
    """Kilograms that orders already placed with the offer bring in each period."""


def resolve_incumbents(
    merged: Merged, case: Case, lots: Sequence[Lot], basis: Callable[[str, str], Decimal]
) -> list[Incumbent]:
    """All incumbents, one an output, in the order of offers; `basis` gives the kilograms of a material's basis in one kilogram of a substance."""
    periods = case.horizon.periods
    ordered = (lot for lot in lots if lot.on_order)
    placed = totals(((lot.chained.offer.id, lot.material, lot.period), lot.quantity) for lot in ordered)
    found = []
    for spec in sorted((s for s in case.incumbents if s.offer in merged.offers), key=lambda s: s.offer):
        outputs = merged.offers[spec.offer].outputs
        units = Fraction(spec.per_year * basis(outputs[0].material, spec.substance))
        for line in outputs:
            rate = units * Fraction(line.per_unit)
            found.append(
                Incumbent(
                    offer=spec.offer,
                    material=merged.materials[line.material],
                    quantity=tuple(round_to(rate * period.years, case.resolution) for period in periods),
                    placed=tuple(
                        placed.get((spec.offer, line.material, period.index), Decimal(0)) for period in periods
                    ),
                )
            )
    return found
