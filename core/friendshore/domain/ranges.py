"""Figures that sources give as ranges: what must hold of one, and what a plan would cost at its ends."""

from __future__ import annotations

from collections.abc import Iterator

from .base import Fault, Given, Number, Record


def outside(given: Given, value: str, low: str, high: str) -> Iterator[Fault]:
    """A range of which one end is missing, that stands beside no figure, or that the figure lies outside of."""
    least, figure, most = (given.get(name) for name in (low, value, high))
    if least is None and most is None:
        return
    if least is None or most is None:
        missing, there = (low, high) if least is None else (high, low)
        yield Fault(
            there, "one end of a range alone", "both ends, or none", "give the other, or delete it", turns_on=(missing,)
        )
    elif figure is None:
        yield Fault(
            low,
            "a range beside no figure",
            "the figure that it is of",
            "state it, or delete the range",
            turns_on=(value,),
        )
    elif not least <= figure <= most:
        message = f"{figure:f} does not lie within its range, {least:f} to {most:f}"
        yield Fault(
            low if figure < least else high, message, "low ≤ figure ≤ high", "mend one of the three", turns_on=(value,)
        )


class RunRange(Record):
    """What is bought of an offer whose price has a range: what the same purchases would cost at its ends. Money is not discounted."""

    offer: str
    material: str
    quantity_kg: Number
    price: Number
    """At list prices, as in the plan."""
    price_low: Number
    price_high: Number
    cost: Number
    """Price, charges and freight, as in the plan."""
    cost_low: Number
    """With every price that has a range at its low end, those of what a charge is a share of included."""
    cost_high: Number
