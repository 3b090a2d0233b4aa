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
_NAMED = 4
"""Maximum number of materials with masses in a sentence."""


def largest(amounts: Mapping[K, Decimal], most: int) -> list[K]:
    """Return the keys of the largest amounts, largest first. `most` + 1 keys are all returned, since `1 other` takes as much space."""
    found = sorted(amounts, key=lambda key: (-abs(amounts[key]), str(key)))
    return found if len(found) <= most + 1 else found[:most]


def country(code: str) -> str:
    """Return the name of a country."""
    return country_names().get(code, code)


def countries(codes: Sequence[str]) -> str:
    """Return the possible countries in words, including if they are unknown."""
    return " or ".join(map(country, codes)) or "country not known"


def in_unit(kilograms: Decimal, unit: Literal["kg", "t"]) -> Decimal:
    """Return kilograms as a number of a unit."""
    return kilograms / _TONNE if unit == "t" else kilograms


def masses(by_material: Mapping[str, Decimal]) -> str:
    """Return materials with masses, such as `antimony-metal 12 t, dy-oxide 3 kg and 2 more`."""
    told = [f"{name} {mass(kilograms)}" for name, kilograms in by_material.items()]
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def years_of(run: Run) -> dict[str, str]:
    """Return period -> calendar year in which it begins."""
    return {period.label: str(period.start.year) for period in run.periods}


def rounding(run: Run, kilograms: Decimal) -> Decimal:
    """Return the maximum rounding error of an amount in a period: the maximum error of every compliance class, plus a millionth of the amount."""
    return run.largest_miss_kg * len(run.requirements) + kilograms / _MILLION


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Return the sum."""
    return sum(amounts, Decimal(0))
