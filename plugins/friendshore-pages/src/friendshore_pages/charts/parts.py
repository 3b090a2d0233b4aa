"""Common parts of charts: the largest parts by name with the rest combined, country names, units of mass, and calendar years."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, TypeVar

from friendshore.document.figures import mass
from friendshore.domain.countries import country_names
from friendshore.domain.run import Run

K = TypeVar("K")
_TONNE = Decimal(1000)
_MILLION = Decimal(10**6)
_MAX_NAMED = 4


def largest(amounts: Mapping[K, Decimal], max_count: int) -> list[K]:
    """Return the keys of the largest amounts, largest first. `max_count` + 1 keys are all returned, since `1 other` takes as much space."""
    ranked = sorted(amounts, key=lambda key: (-abs(amounts[key]), str(key)))
    return ranked if len(ranked) <= max_count + 1 else ranked[:max_count]


def country_name(code: str) -> str:
    return country_names().get(code, code)


def countries_text(codes: Sequence[str]) -> str:
    return " or ".join(map(country_name, codes)) or "country unknown"


def in_unit(kilograms: Decimal, unit: Literal["kg", "t"]) -> Decimal:
    return kilograms / _TONNE if unit == "t" else kilograms


def masses_text(by_material: Mapping[str, Decimal]) -> str:
    """Return the materials with their masses, such as `antimony-metal 12 t, dy-oxide 3 kg and 2 more`."""
    parts = [f"{name} {mass(kilograms)}" for name, kilograms in by_material.items()]
    hidden = len(parts) - _MAX_NAMED
    return ", ".join(parts[:_MAX_NAMED]) + (f" and {hidden} more" if hidden > 0 else "")


def year_by_period(run: Run) -> dict[str, str]:
    return {period.label: str(period.start.year) for period in run.periods}


def max_rounding_error(run: Run, kilograms: Decimal) -> Decimal:
    """Return the maximum rounding error of kilograms in a period: the maximum error of every compliance class, plus a millionth of the amount."""
    return run.largest_miss_kg * len(run.compliance_classes) + kilograms / _MILLION


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))
