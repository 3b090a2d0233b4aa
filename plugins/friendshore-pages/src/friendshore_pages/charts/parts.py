"""What charts of a run have in common: the largest parts by name and the rest as one, countries in words, kilograms in a unit, calendar years."""

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
"""Materials that are named with what they weigh, where all are told in a sentence."""


def largest(amounts: Mapping[K, Decimal], most: int) -> list[K]:
    """The keys of the largest amounts, largest first: all of them where one more than `most` fit, since `1 other` takes as much room."""
    found = sorted(amounts, key=lambda key: (-abs(amounts[key]), str(key)))
    return found if len(found) <= most + 1 else found[:most]


def country(code: str) -> str:
    """A country as people call it."""
    return country_names().get(code, code)


def countries(codes: Sequence[str]) -> str:
    """Where something was done, in one of these; where nobody knows, that."""
    return " or ".join(map(country, codes)) or "country not known"


def in_unit(kilograms: Decimal, unit: Literal["kg", "t"]) -> Decimal:
    """Kilograms as a number of a unit."""
    return kilograms / _TONNE if unit == "t" else kilograms


def masses(by_material: Mapping[str, Decimal]) -> str:
    """`antimony-metal 12 t, dy-oxide 3 kg and 2 more`."""
    told = [f"{name} {mass(kilograms)}" for name, kilograms in by_material.items()]
    more = len(told) - _NAMED
    return ", ".join(told[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def years_of(run: Run) -> dict[str, str]:
    """Period -> the calendar year in which it begins."""
    return {period.label: str(period.start.year) for period in run.periods}


def rounding(run: Run, kilograms: Decimal) -> Decimal:
    """What may be left of so much in a period though nothing is: by as much every compliance class may miss, and a millionth of all."""
    return run.largest_miss_kg * len(run.requirements) + kilograms / _MILLION


def added(amounts: Iterable[Decimal]) -> Decimal:
    """Their sum."""
    return sum(amounts, Decimal(0))
