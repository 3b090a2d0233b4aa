"""Numbers as a planner reads them: three digits where more say nothing, thousands set off, units beside them."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ..domain.quantities import readable

NOTHING = "–"
"""What stands where there is nothing."""
_TONNE = Decimal(1000)
_MULTIPLE = Decimal(100)
"""From so many times on a share is told as a multiple: 93,725 % says nothing to anybody."""


def number(value: Decimal, digits: int = 3) -> str:
    """A number with at least `digits` significant digits, all of its whole part, and no zeros at the end."""
    return readable(value, digits)


def unit_for(kilograms: Iterable[Decimal]) -> str:
    """The unit in which figures that stand together are told: tonnes once the largest reaches one."""
    return "t" if max((abs(kg) for kg in kilograms), default=Decimal(0)) >= _TONNE else "kg"


def mass(kilograms: Decimal, unit: str = "") -> str:
    """Kilograms with their unit, or in a given unit without it."""
    if unit:
        return number(kilograms / _TONNE if unit == "t" else kilograms) if kilograms else NOTHING
    unit = unit_for([kilograms])
    return f"{number(kilograms / _TONNE if unit == 't' else kilograms)} {unit}"


def money(amount: Decimal) -> str:
    """Money: whole units once it reaches a hundred of them, else cents, and three digits of what is less than one."""
    size = abs(amount)
    digits = 3 if size >= 100 or size < 1 else amount.adjusted() + 3
    return number(amount, digits)


def large_money(amount: Decimal, currency: str) -> str:
    """Money in a sentence: millions and billions spelt out."""
    for size, word in ((Decimal(10) ** 9, " billion"), (Decimal(10) ** 6, " million")):
        if abs(amount) >= size:
            return f"{currency} {number(amount / size)}{word}"
    return f"{currency} {money(amount)}"


def percent(share: Decimal) -> str:
    """A share as a percentage; one too small to show is said to be, and one of a hundred times or more is told as a multiple."""
    if abs(share) >= _MULTIPLE:
        return f"{number(share)} times"
    if share and abs(share) < Decimal("0.00001"):
        return "below 0.001 %"
    return f"{number(share * 100, 2)} %"


def count(items: int, one: str, many: str = "") -> str:
    """`1 offer`, `3 offers`."""
    return f"{items:,} {one if items == 1 else many or one + 's'}"
