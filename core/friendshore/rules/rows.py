"""Linear rows over questions that one can ask of a plan.

A term has two readings: the program turns it into solver columns, the verifier and the explainer into a number
on a finished plan. Terms hold index arrays into the tables of `Facts`, not one object a kilogram.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Index = NDArray[np.intp]
    Weights = NDArray[np.float64]

Question = Literal[
    "bought",
    "used",
    "delivered",
    "short",
    "stock",
    "reserved",
    "spent",
    "making",
    "onboarding",
    "holding",
    "discounts",
    "fixed",
    "untaken",
    "lacking",
]
"""What a term asks.

- `bought`: units of moves, indexed by the table of moves
- `used`: 1 if the moves together come to at least `at_least` units, else 0
- `delivered`, `short`: kilograms of demand cells (demand x period)
- `stock`: kilograms held at the end of a period, of stock cells (material, place x period)
- `reserved`: kilograms held at the end of a period for one compliance class, of cells (compliance class x stock cell)
- `spent`: money on moves (list price, charges, freight), undiscounted, in the case's currency
- `making`: money on units made of offers with several outputs, of cells (offer x order period)
- `onboarding`: one-off costs, indexed by offers
- `holding`: money for holding, of stock cells
- `discounts`: money that price schedules add (negative: take off), indexed by schedules and spans
- `fixed`: money that terms of trade make due at once, indexed by terms and spans
- `untaken`: money for what is paid for and not taken, indexed by offers and years
- `lacking`: by how much the worst of some parts falls short of its base, else 0; indexed by nothing
"""


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
    parts: tuple[tuple[Decimal, Term], ...] = ()
    """For `lacking`: each base with the term that should come to it, which asks another question, `used` excepted."""


def lacking(*parts: tuple[Decimal, Term]) -> Term:
    """The largest of all `base - term`, or 0 if none is above it: a convex function of the plan.

    Raises:
        ValueError: if a term is not linear in the plan.
    """
    if any(term.question in ("used", "lacking") for _, term in parts):
        raise ValueError("what is lacking is asked of quantities and money, not of what is used or lacking")
    import numpy as np  # slow to load, and not needed to list rules

    return Term("lacking", np.array([], dtype=np.intp), np.array([]), parts=parts)


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

    def __post_init__(self) -> None:
        """Refuses a row that asks for what is lacking to be large: no linear program can say that."""
        for term in self.terms:
            wrong = self.at_least if term.times > 0 else self.at_most
            if term.question == "lacking" and wrong is not None:
                raise ValueError(f"row `{self.label}`: what is lacking may be kept small, never asked for")

    def loosened(self, by: Decimal) -> Row:
        """The same with bounds that are relaxed by so much."""
        least = None if self.at_least is None else self.at_least - by
        most = None if self.at_most is None else self.at_most + by
        return replace(self, at_least=least, at_most=most)

    @property
    def asked(self) -> tuple[Term, ...]:
        """Its terms, and those within them."""
        return (*self.terms, *(part for term in self.terms for _, part in term.parts))

    @property
    def floors(self) -> Sequence[Decimal]:
        """The least it asks for, if it asks for any."""
        return () if self.at_least is None else (self.at_least,)


@dataclass(frozen=True, slots=True, eq=False)
class Purchases:
    """Which moves each of several rows counts, and how much: `index[first[i]:first[i + 1]]` are those of row `i`."""

    first: Index
    index: Index
    weight: Weights

    def __getitem__(self, row: int) -> Term:
        """What one row counts."""
        start, end = self.first[row : row + 2]
        return Term("bought", self.index[start:end], self.weight[start:end])


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Many rows over what is bought, kept as arrays: alike in all but their names, their bounds and what they count."""

    labels: Sequence[str]
    """Name of each, unique within its rule."""
    bought: Purchases
    at_least: Sequence[Decimal] | None = None
    """Least of each; None: there is none."""
    at_most: Sequence[Decimal] | None = None
    sentence: str = ""
    penalty: Decimal | None = None
    reads: frozenset[str] | None = None
    """Materials on whose facts any of them depends; see `Row`."""

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, position: int) -> Row:
        return Row(
            label=self.labels[position],
            terms=(self.bought[position],),
            at_least=None if self.at_least is None else self.at_least[position],
            at_most=None if self.at_most is None else self.at_most[position],
            sentence=self.sentence,
            penalty=self.penalty,
            reads=self.reads,
        )

    def loosened(self, by: Decimal) -> Rows:
        """The same with bounds that are relaxed by so much."""
        least = None if self.at_least is None else [bound - by for bound in self.at_least]
        most = None if self.at_most is None else [bound + by for bound in self.at_most]
        return replace(self, at_least=least, at_most=most)

    @property
    def asked(self) -> tuple[Term, ...]:
        """All that they count, in one term."""
        return (Term("bought", self.bought.index, self.bought.weight),)

    @property
    def floors(self) -> Sequence[Decimal]:
        """The least that each asks for, if they ask for any."""
        return self.at_least or ()


def one_by_one(rows: Row | Rows) -> Iterator[Row]:
    """A row, or each of many."""
    if isinstance(rows, Row):
        yield rows
    else:
        yield from (rows[i] for i in range(len(rows)))
