"""Rows of limit rules: sums of terms between bounds, single or in bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TYPE_CHECKING

from .terms import BoughtTerm, ForUses, ShortfallTerm, ShortTerm, Term, lacking

if TYPE_CHECKING:
    from .terms import Index, Weights

__all__ = ["ForUses", "Purchases", "Row", "Rows", "Term", "lacking", "single_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """Condition on the whole plan: `at_least <= sum of terms <= at_most`."""

    label: str
    """Name, unique within its rule, like `mined CN 2027`."""
    terms: tuple[Term, ...]
    at_least: Decimal | None = None
    at_most: Decimal | None = None
    sentence: str = ""
    """The row in a planner's words."""
    penalty: Decimal | None = None
    """Money per unit of violation. None if it must be satisfied."""
    reads: frozenset[str] | None = None
    """Materials whose facts the row and its bounds depend on. Changes of others then don't require a new plan. None (always safe) means all."""

    def __post_init__(self) -> None:
        for term in self.terms:
            bound = self.at_least if term.times > 0 else self.at_most
            if isinstance(term, ShortfallTerm) and bound is not None:
                # No linear program can express that a shortfall is large.
                raise ValueError(
                    f"row `{self.label}` requires a minimum shortfall, but a shortfall can only have a maximum"
                )

    def loosened(self, by: Decimal) -> Row:
        at_least = None if self.at_least is None else self.at_least - by
        at_most = None if self.at_most is None else self.at_most + by
        return replace(self, at_least=at_least, at_most=at_most)

    @property
    def only_adds(self) -> bool:
        """True if no purchase, stock, or payment makes it smaller."""
        return all(
            term.times >= 0 and (isinstance(term, ShortfallTerm) or not (term.weight < 0).any()) for term in self.terms
        )

    def shifted(self, by: Mapping[str, Decimal]) -> Row:
        """Return the row with its bounds moved by the value for its label. A row that can't be below 0 is never moved below it."""
        shift = by.get(self.label)
        if not shift:
            return self
        at_least = None if self.at_least is None else self.at_least + shift
        at_most = None if self.at_most is None else self.at_most + shift
        if at_most is not None and at_most < 0 and self.only_adds:
            at_most = Decimal(0)
        return replace(self, at_least=at_least, at_most=at_most)

    @property
    def all_terms(self) -> tuple[Term, ...]:
        return (*self.terms, *(part for term in self.terms for _, part in term.parts))

    @property
    def floors(self) -> Sequence[Decimal]:
        return () if self.at_least is None else (self.at_least,)

    @property
    def is_floor(self) -> bool:
        """True if it requires a minimum, or limits a shortage."""
        return self.at_least is not None or any(isinstance(term, ShortTerm) for term in self.terms)


@dataclass(frozen=True, slots=True, eq=False)
class Purchases:
    """Moves that each of several rows counts, with weights: those of row `i` are `moves[first[i]:first[i + 1]]`."""

    first: Index
    moves: Index
    weight: Weights
    for_uses: ForUses | None = None
    """Restriction to purchases for some end uses. None means all."""

    def __getitem__(self, row: int) -> BoughtTerm:
        start, end = self.first[row : row + 2]
        return BoughtTerm(self.moves[start:end], self.weight[start:end], for_uses=self.for_uses)


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Many rows over purchases, as arrays. They differ only in names, bounds, and purchases."""

    labels: Sequence[str]
    """Names, unique within the rule."""
    bought: Purchases
    at_least: Sequence[Decimal] | None = None
    """Lower bounds. None means none."""
    at_most: Sequence[Decimal] | None = None
    sentence: str = ""
    penalty: Decimal | None = None
    reads: frozenset[str] | None = None
    """Materials whose facts any of them depends on; see `Row`."""

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
        at_least = None if self.at_least is None else [bound - by for bound in self.at_least]
        at_most = None if self.at_most is None else [bound + by for bound in self.at_most]
        return replace(self, at_least=at_least, at_most=at_most)

    def shifted(self, by: Mapping[str, Decimal]) -> Rows:
        """Return the rows with bounds moved by the values for their labels."""
        if by.keys().isdisjoint(self.labels):
            return self
        rows = [self[position].shifted(by) for position in range(len(self))]
        at_least = None if self.at_least is None else [row.at_least for row in rows if row.at_least is not None]
        at_most = None if self.at_most is None else [row.at_most for row in rows if row.at_most is not None]
        return replace(self, at_least=at_least, at_most=at_most)

    @property
    def all_terms(self) -> tuple[Term, ...]:
        return (BoughtTerm(self.bought.moves, self.bought.weight, for_uses=self.bought.for_uses),)

    @property
    def floors(self) -> Sequence[Decimal]:
        return self.at_least or ()

    @property
    def is_floor(self) -> bool:
        return self.at_least is not None


def single_rows(rows: Row | Rows) -> Iterator[Row]:
    if isinstance(rows, Row):
        yield rows
    else:
        yield from (rows[i] for i in range(len(rows)))
