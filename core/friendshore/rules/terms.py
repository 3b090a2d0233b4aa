"""What a limit rule may count: each sort of term is a small class, whose fields say what it points at and how much of it counts.

A term has two readings that know nothing of each other: the program makes columns of it (`program.term_columns`), the verifier a
number on a finished plan (`verify.term_values`). Both go through `Term` case by case, to the last: a class that is added here and missing in
either does not pass the type checker. Terms hold arrays of positions in the tables of a problem, not one object a kilogram.
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
"""What a term is counted in."""
Table = Literal["moves", "demands", "nodes", "classes", "offers", "periods", "price_spans", "term_spans", "commitments"]
"""Tables of a problem: a field of a term with one of these names holds positions in it, one an entry of its sum."""


@dataclass(frozen=True, slots=True)
class ForUses:
    """Only what is for some end uses, by the compliance class that it is bought, made or held for.

    A rule that counts so names them in `Rule.counted_end_uses`: each then has compliance classes of its own.
    """

    end_uses: frozenset[str]
    surely: bool
    """Whether only what can end in no other use counts, as a floor asks; else also what may end in these, as a cap does."""
    not_free_of: str = ""
    """Id of a rule that taints offers: what is bought for compliance classes that are free of these doesn't count. Empty: it counts too."""

    def takes(self, ends: frozenset[str], free_of: frozenset[str] = frozenset()) -> bool:
        """Return True if what is bought for a compliance class counts.

        Args:
            ends: End uses in which it may end. Empty if unknown.
            free_of: Rules whose tainted offers the class doesn't admit.
        """
        if self.not_free_of and (self.not_free_of in free_of or not self.end_uses):
            return self.not_free_of not in free_of
        return bool(ends) and ends <= self.end_uses if self.surely else not ends or bool(ends & self.end_uses)


class _Weighted:
    """A weighted sum over entries of tables."""

    __slots__ = ()

    tables: ClassVar[tuple[Table, ...]]
    """Tables that its entries are about."""
    is_linear: ClassVar[bool] = True
    """Whether it is linear in the plan as it stands: the program needs no column of its own for it."""
    parts: ClassVar[tuple[tuple[Decimal, Term], ...]] = ()
    """Terms within it."""
    weight: Weights

    @property
    def positions(self) -> dict[Table, Index]:
        """Of its entries in each of its tables."""
        return {table: getattr(self, table) for table in self.tables}

    @property
    def is_empty(self) -> bool:
        """True if it counts nothing at all."""
        return not len(self.weight)


@dataclass(frozen=True, slots=True, eq=False)
class _OfMoves(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("moves",)

    moves: Index
    """Positions of what is bought, ordered and delivered in certain periods."""
    weight: Weights
    """One factor an entry."""
    times: float = 1.0
    """Factor on the whole term."""
    for_uses: ForUses | None = None
    """Only what is bought for some end uses; None: whatever it is for."""


@dataclass(frozen=True, slots=True, eq=False)
class _OfDemands(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("demands", "periods")

    demands: Index
    periods: Index
    """A period for each demand."""
    weight: Weights
    """One factor an entry."""
    times: float = 1.0
    """Factor on the whole term."""


@dataclass(frozen=True, slots=True, eq=False)
class _OfNodes(_Weighted):
    tables: ClassVar[tuple[Table, ...]] = ("nodes", "periods")

    nodes: Index
    """Materials at places."""
    periods: Index
    """A period for each, at the end of which is counted what is held."""
    weight: Weights
    """One factor an entry."""
    times: float = 1.0
    """Factor on the whole term."""
    for_uses: ForUses | None = None
    """Only what is set aside for some end uses, without what lies unused in lots; None: all that is held."""


class BoughtTerm(_OfMoves):
    """Units of moves."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


@dataclass(frozen=True, slots=True, eq=False)
class UsedTerm(_OfMoves):
    """1 if the moves together come to at least `at_least` units, else 0; a move's weight is what a unit counts towards that."""

    unit: ClassVar[Unit] = "number"
    is_linear: ClassVar[bool] = False

    at_least: float = 0.0
    """The least sum that counts as used; 0 means one unit of the case's resolution."""


class SpentTerm(_OfMoves):
    """Money on moves: list price, charges and freight, undiscounted, in the case's currency."""

    __slots__ = ()
    unit: ClassVar[Unit] = "money"


class DeliveredTerm(_OfDemands):
    """Kilograms delivered to demands."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class ShortTerm(_OfDemands):
    """Kilograms short of demands."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class StockTerm(_OfNodes):
    """Kilograms held."""

    __slots__ = ()
    unit: ClassVar[Unit] = "kg"


class HoldingTerm(_OfNodes):
    """Money for holding."""

    __slots__ = ()
    unit: ClassVar[Unit] = "money"


@dataclass(frozen=True, slots=True, eq=False)
class ReservedTerm(_Weighted):
    """Kilograms held for one compliance class."""

    tables: ClassVar[tuple[Table, ...]] = ("classes", "nodes", "periods")
    unit: ClassVar[Unit] = "kg"

    classes: Index
    nodes: Index
    periods: Index
    """A period for each, at the end of which is counted what is held."""
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class MakingTerm(_Weighted):
    """Money on units made of offers with several outputs, by the period of the order."""

    tables: ClassVar[tuple[Table, ...]] = ("offers", "periods")
    unit: ClassVar[Unit] = "money"

    offers: Index
    periods: Index
    weight: Weights
    times: float = 1.0
    for_uses: ForUses | None = None
    """Only what is made for some end uses; None: whatever it is for."""


@dataclass(frozen=True, slots=True, eq=False)
class OnboardingTerm(_Weighted):
    """One-off costs of offers that are used at all."""

    tables: ClassVar[tuple[Table, ...]] = ("offers",)
    unit: ClassVar[Unit] = "money"

    offers: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class DiscountsTerm(_Weighted):
    """Money that price schedules add in their spans; negative: take off."""

    tables: ClassVar[tuple[Table, ...]] = ("price_spans",)
    unit: ClassVar[Unit] = "money"

    price_spans: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class FixedTerm(_Weighted):
    """Money that terms of trade make due at once, where anything is ordered in their spans."""

    tables: ClassVar[tuple[Table, ...]] = ("term_spans",)
    unit: ClassVar[Unit] = "money"

    term_spans: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class UntakenTerm(_Weighted):
    """Money for what is paid for in a year and not taken."""

    tables: ClassVar[tuple[Table, ...]] = ("commitments",)
    unit: ClassVar[Unit] = "money"

    commitments: Index
    weight: Weights
    times: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class LackingTerm:
    """The largest of all `base - term`, or 0 if none is above it: a convex function of the plan."""

    is_linear: ClassVar[bool] = False

    parts: tuple[tuple[Decimal, Term], ...]
    """Each base with the term that should come to it."""
    times: float = 1.0

    def __post_init__(self) -> None:
        """Refuses parts that are not linear in the plan."""
        if not all(term.is_linear for _, term in self.parts):
            raise ValueError("what is lacking is asked of quantities and money, not of what is used or lacking")

    @property
    def positions(self) -> dict[Table, Index]:
        """None of its own."""
        return {}

    @property
    def unit(self) -> Unit:
        """That of its parts."""
        return next((term.unit for _, term in self.parts), "kg")

    @property
    def is_empty(self) -> bool:
        """True if it counts nothing at all."""
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
    | LackingTerm
)
"""All that may be counted."""


def lacking(*parts: tuple[Decimal, Term]) -> LackingTerm:
    """The largest of all `base - term`, or 0 if none is above it.

    Raises:
        ValueError: if a term is not linear in the plan.
    """
    return LackingTerm(parts)
