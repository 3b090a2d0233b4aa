"""Linear rows over questions that one can ask of a plan.

A term has two readings: the program turns it into solver columns, the verifier and the explainer into a number
on a finished plan. Terms hold index arrays into the tables of `Facts`, not one object a kilogram.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Question = Literal[
    "bought", "used", "delivered", "short", "stock", "spent", "making", "onboarding", "holding", "discounts"
]
"""What a term asks.

- `bought`: units of moves, indexed by the table of moves
- `used`: 1 if the moves together come to at least `at_least` units, else 0
- `delivered`, `short`: kilograms of demand cells (demand x period)
- `stock`: kilograms held at the end of a period, of stock cells (material, place x period)
- `spent`: money on moves (list price, charges, freight), undiscounted, in the case's currency
- `making`: money on units made of offers with several outputs, of cells (offer x order period)
- `onboarding`: one-off costs, indexed by offers
- `holding`: money for holding, of stock cells
- `discounts`: money that price schedules add (negative: take off), indexed by schedules and spans
"""

Index = NDArray[np.intp]
Weights = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Term:
    """A weighted sum of answers to one question."""

    question: Question
    index: Index
    """Positions in the table that the question is indexed by."""
    weight: Weights
    """One factor a position; for `used`, what a unit of each move counts towards the threshold."""
    times: float = 1.0
    """Factor on the whole term; for `used`, on the 0 or 1."""
    at_least: float = 0.0
    """For `used`: the least sum that counts as used; 0 means one unit of the case's resolution."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """What must hold across the plan: `at_least <= sum of terms <= at_most`."""

    label: str
    """Name, unique within its rule: what it is about, like `mined CN 2027`."""
    terms: tuple[Term, ...]
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    sentence: str = ""
    """The row in a planner's words."""
    penalty: Decimal | None = None
    """Money per unit by which it is missed; None: it must hold."""
    reads: frozenset[str] | None = None
    """Materials on whose facts the row depends, its bounds included, so that a plan for these can be made again without
    looking at any other. None is always safe: it may depend on anything, and the whole plan is made again."""
