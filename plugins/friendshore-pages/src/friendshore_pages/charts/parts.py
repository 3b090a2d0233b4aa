"""Common parts of charts: the largest parts by name, tones of origins, country names, units of mass, and calendar years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeVar

from friendshore.document import elements as doc
from friendshore.document.figures import mass
from friendshore.domain.base import totals
from friendshore.domain.countries import country_name
from friendshore.domain.run import Run, RunPurchase

K = TypeVar("K")
_TONNE = Decimal(1000)
_MILLION = Decimal(10**6)
_MAX_NAMED = 4


def largest(amounts: Mapping[K, Decimal], max_count: int) -> list[K]:
    """Return the keys of the largest amounts, largest first. `max_count` + 1 keys are all returned, since `1 other` takes as much space."""
    ranked = sorted(amounts, key=lambda key: (-abs(amounts[key]), str(key)))
    return ranked if len(ranked) <= max_count + 1 else ranked[:max_count]


_TONES = {"is": doc.Tone.CONCERN, "may be": doc.Tone.UNKNOWN, "no": doc.Tone.PLAIN, "": doc.Tone.ASIDE}
"""Tone of each dependence on countries of concern, the worst first. Empty if the case names none."""


def tone_of(purchases: Iterable[RunPurchase]) -> doc.Tone:
    """Return the tone of the worst dependence."""
    found = {purchase.concern for purchase in purchases}
    return next(tone for concern, tone in _TONES.items() if concern in found)


def money_unit(amounts: Iterable[Decimal]) -> tuple[Decimal, str]:
    """Return the unit of a column of money, and its name after the currency."""
    return (_MILLION, " million") if max(amounts, default=Decimal(0)) >= _MILLION else (Decimal(1), "")


def spent(purchases: Iterable[RunPurchase], unit: Decimal) -> doc.Amount:
    """Return the cost of purchases, with a bar by dependence on countries of concern."""
    by_concern: dict[str, Decimal] = totals((str(purchase.concern), purchase.cost) for purchase in purchases)
    parts = tuple(
        (tone, by_concern[concern] / unit)
        for concern, tone in _TONES.items()
        if by_concern.get(concern, Decimal(0)) > 0
    )
    return doc.Amount(total(by_concern.values()) / unit, parts=parts)


def countries_text(codes: Sequence[str]) -> str:
    return " or ".join(map(country_name, codes)) or "country unknown"


def in_unit(kilograms: Decimal, unit: Literal["kg", "t"]) -> Decimal:
    return kilograms / _TONNE if unit == "t" else kilograms


def masses_text(by_material: Mapping[str, Decimal]) -> str:
    """Return the materials with their masses, such as `antimony-metal 12 t, dy-oxide 3 kg and 2 more`."""
    parts = [f"{name} {mass(kilograms)}" for name, kilograms in by_material.items()]
    hidden = len(parts) - _MAX_NAMED
    return ", ".join(parts[:_MAX_NAMED]) + (f" and {hidden} more" if hidden > 0 else "")


def supplier_names(run: Run, material: str) -> dict[tuple[str, str], str]:
    """Return the name of each supplier by place and offer. Offers that the plan could exchange at the same cost share a name."""
    purchases = [purchase for purchase in run.purchases if purchase.material == material]
    names = {(purchase.place, purchase.offer): run.names.offer(purchase.offer) for purchase in purchases}
    bought = totals(((purchase.place, purchase.offer), purchase.quantity_kg) for purchase in purchases)
    for row in run.exchangeable:
        keys = [(row.place, offer) for offer in row.offers if row.material == material and (row.place, offer) in names]
        tied = [names[key] for key in sorted(keys, key=lambda key: (-bought[key], key))]
        if len(tied) > 1:
            few = f"any of {len(tied)} ({'; '.join(tied[:_MAX_TIED])}; {len(tied) - _MAX_TIED} more)"
            names |= dict.fromkeys(keys, few if len(tied) > _MAX_TIED + 1 else f"any of {'; '.join(tied)}")
    return names


_MAX_TIED = 2


def year_by_period(run: Run) -> dict[str, str]:
    return {period.label: str(period.start.year) for period in run.periods}


def max_rounding_error(run: Run, kilograms: Decimal) -> Decimal:
    """Return the maximum rounding error of kilograms in a period: the maximum error of every compliance class, plus a millionth of the amount."""
    return run.largest_miss_kg * len(run.compliance_classes) + kilograms / _MILLION


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
