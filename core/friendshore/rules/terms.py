"""Terms that limit rules may count. The fields of each class are the counted entries and their weights. The program makes columns of a term
(`program.limits`), and the verifier computes a number on a finished plan (`verify.limits`). Both match `Term` exhaustively, so the type checker
rejects a class that one of them lacks. Terms contain arrays of positions in the tables of a problem, since a case may have millions of purchases.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Index = NDArray[np.intp]
    Weights = NDArray[np.float64]

Unit = Literal["kg", "money", "number"]
Table = Literal["moves", "demands", "nodes", "classes", "offers", "periods", "price_spans", "term_spans", "commitments"]
"""Tables of a problem. A field of a term with one of these names contains positions in that table, one per entry of the sum."""


@dataclass(frozen=True, slots=True)
class ForUses:
    """Restriction to some end uses, by the compliance class of a purchase, a run, or stock. `Rule.counted_end_uses` must name them."""

    end_uses: frozenset[str]
    surely: bool
    """True to count only what can end in no other use, as a minimum needs. False to count also what may end in these, as a cap needs."""
    not_free_of: str = ""
    """Id of a rule that taints offers: purchases for classes that are free of these don't count. Empty to count them."""

    def takes(self, ends: frozenset[str], free_of: frozenset[str] = frozenset()) -> bool:
        """Return True if a compliance class counts. `ends` are the end uses in which its goods may end (empty if unknown), and `free_of` the rules whose tainted offers it doesn't admit."""
        if self.not_free_of and (self.not_free_of in free_of or not self.end_uses):
            return self.not_free_of not in free_of
        return bool(ends) and ends <= self.end_uses if self.surely else not ends or bool(ends & self.end_uses)


class _Weighted:
    """Weighted sum over entries of tables."""

    __slots__ = ()

    tables: ClassVar[tuple[Table, ...]]
    is_linear: ClassVar[bool] = True
    """True if it is linear in the plan, so that the program needs no extra column."""
    parts: ClassVar[tuple[tuple[Decimal, Term], ...]] = ()
    """Nested terms."""
    weight: Weights
    """Weight of each entry."""
    times: float
    """Factor of the whole term."""

    @property
    def positions(self) -> dict[Table, Index]:
        return {table: getattr(self, table) for table in self.tables}

    @property
    def is_empty(self) -> bool:
        return not len(self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class _OfMoves(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("moves",)

    moves: Index
    """Purchases, each with its periods of order and delivery."""
    weight: Weights
    times: float = 1.0
    for_uses: ForUses | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _OfDemands(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("demands", "periods")

    demands: Index
    periods: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class _OfNodes(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("nodes", "periods")

    nodes: Index
    """Materials at places."""
    periods: Index
    """Period of each, whose final stock counts."""
    weight: Weights
    times: float = 1.0
    for_uses: ForUses | None = None
    """Restriction to stock for some end uses, without unused lots."""


class BoughtTerm(_OfMoves):
    """Units of moves."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


@dataclass(frozen=True, slots=True, eq=False)
class UsedTerm(_OfMoves):
    """1 if the weighted sum of the moves is at least `at_least` units, else 0."""

    unit: ClassVar[Unit] = "number"
    is_linear: ClassVar[bool] = False

    at_least: float = 0.0
    """Minimum sum that counts as used. 0 means one unit of the case's resolution."""


class SpentTerm(_OfMoves):
    """Money on moves: list price, charges and freight, undiscounted, in the case's currency."""

    __slots__ = ()
    unit: ClassVar[Unit] = "money"


class DeliveredTerm(_OfDemands):
    """Kilograms delivered to demands."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class ShortTerm(_OfDemands):
    """Kilograms of shortage of demands."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class StockTerm(_OfNodes):
    """Kilograms in stock."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class HoldingTerm(_OfNodes):
    """Money for holding."""

    __slots__ = ()
    unit: ClassVar[Unit] = "money"


@dataclass(frozen=True, slots=True, eq=False)
class ReservedTerm(_Weighted):
    """Kilograms in stock for one compliance class."""

    tables: ClassVar[tuple[Table, ...]] = ("classes", "nodes", "periods")
    unit: ClassVar[Unit] = "kg"

    classes: Index
    nodes: Index
    periods: Index
    """Period of each, whose final stock counts."""
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class MakingTerm(_Weighted):
    """Money for units of offers with several outputs, by the period of the order."""

    tables: ClassVar[tuple[Table, ...]] = ("offers", "periods")
    unit: ClassVar[Unit] = "money"

    offers: Index
    periods: Index
    weight: Weights
    times: float = 1.0
    for_uses: ForUses | None = None


@dataclass(frozen=True, slots=True, eq=False)
class OnboardingTerm(_Weighted):
    """One-off costs of used offers."""

    tables: ClassVar[tuple[Table, ...]] = ("offers",)
    unit: ClassVar[Unit] = "money"

    offers: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class DiscountsTerm(_Weighted):
    """Money that price schedules add in their spans. Negative for a discount."""

    tables: ClassVar[tuple[Table, ...]] = ("price_spans",)
    unit: ClassVar[Unit] = "money"

    price_spans: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FixedTerm(_Weighted):
    """Money that terms of trade charge once, if anything is ordered in their spans."""

    tables: ClassVar[tuple[Table, ...]] = ("term_spans",)
    unit: ClassVar[Unit] = "money"

    term_spans: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class UntakenTerm(_Weighted):
    """Money for quantities that are paid for in a year but not taken."""

    tables: ClassVar[tuple[Table, ...]] = ("commitments",)
    unit: ClassVar[Unit] = "money"

    commitments: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class ShortfallTerm:
    """The largest of all `base - term`, or 0 if all are negative: a convex function of the plan."""

    is_linear: ClassVar[bool] = False

    parts: tuple[tuple[Decimal, Term], ...]
    """Each base with the term that should reach it."""
    times: float = 1.0

    def __post_init__(self) -> None:
        if not all(term.is_linear for _, term in self.parts):
            raise ValueError(
                "a shortfall can be of quantities and money, not of numbers of sellers or another shortfall"
            )

    @property
    def positions(self) -> dict[Table, Index]:
        return {}

    @property
    def unit(self) -> Unit:
        return next((term.unit for _, term in self.parts), "kg")

    @property
    def is_empty(self) -> bool:
        return not self.parts


Term = (
    BoughtTerm
    | UsedTerm
    | SpentTerm
    | DeliveredTerm
    | ShortTerm
    | StockTerm
    | HoldingTerm
    | ReservedTerm
    | MakingTerm
    | OnboardingTerm
    | DiscountsTerm
    | FixedTerm
    | UntakenTerm
    | ShortfallTerm
)


def lacking(*parts: tuple[Decimal, Term]) -> ShortfallTerm:
    return ShortfallTerm(parts)
