"""Figures within texts, until all reports are documents."""

from __future__ import annotations

from decimal import Decimal

from ..document.elements import Kilograms
from ..document.figures import BLANK, count, large_money, money, number, percent, unit_for, written

__all__ = ["NOTHING", "count", "large_money", "mass", "money", "number", "percent", "unit_for"]

NOTHING = BLANK
"""What stands where there is nothing."""


def mass(kilograms: Decimal, unit: str = "") -> str:
    """Kilograms with their unit, or in a given unit without it."""
    if unit == "t":
        return written(Kilograms(kilograms, "t", bare=True))
    return written(Kilograms(kilograms, "kg", bare=True) if unit else Kilograms(kilograms))
