"""What a limit rule may ask of a case."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Protocol, TypeVar

from ..domain.facts import Material, Place
from ..domain.time import Horizon
from ..domain.use import Chained, Use
from .rows import Purchases
from .terms import BoughtTerm, DeliveredTerm, ForUses, HoldingTerm, ReservedTerm, ShortTerm, StockTerm, Term, UsedTerm

K = TypeVar("K", bound=Hashable)
Counting = Callable[[Chained, Place], Decimal | int]
"""How much each purchase counts, by its offer and its place of delivery; 0: not at all."""
CountingDemand = Callable[["DemandLine"], Decimal | int]
"""How much each demand counts."""
CountingStock = Callable[[Material, Place], Decimal | int]
"""How much stock of a material at a place counts."""


class DemandLine(Protocol):
    """A demand as a limit rule sees it."""

    @property
    def id(self) -> str: ...
    @property
    def use(self) -> Use: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms wanted in each period."""


class IncumbentLine(Protocol):
    """What is bought today of one output of an offer, as a limit rule sees it."""

    @property
    def offer(self) -> str: ...
    @property
    def material(self) -> Material: ...
    @property
    def quantity(self) -> Sequence[Decimal]:
        """Kilograms that today's rate comes to in each period."""

    @property
    def placed(self) -> Sequence[Decimal]:
        """Kilograms that orders already placed with the offer bring in each period."""


class Facts(Protocol):
    """What a limit rule may ask of a case. `friendshore.problem.rule_facts.ProblemFacts` satisfies it.

    The counting methods take a function that says how much each thing counts (0: not at all) and the periods meant; they
    return a term for a `Row`. A purchase is dated by its delivery, or, for a rule that is
    `dated_by` order, by its order.
    """

    @property
    def horizon(self) -> Horizon: ...
    @property
    def resolution(self) -> Decimal: ...
    @property
    def offers(self) -> Sequence[Chained]:
        """All offers that can take part, one entry an output, in canonical order."""

    @property
    def demands(self) -> Sequence[DemandLine]: ...
    @property
    def incumbents(self) -> Sequence[IncumbentLine]:
        """What the case says is bought today, one entry an output of an offer."""

    @property
    def place(self) -> Place:
        """The case's place."""

    @property
    def materials(self) -> Sequence[Material]:
        """All materials that are demanded, or may be bought for one that is."""

    @property
    def places(self) -> Sequence[Place]:
        """All places where one of these materials may be delivered or lie, in order."""

    def about(self, materials: Collection[str]) -> Facts:
        """The same questions about some materials only: of a large case, much quicker to answer."""

    def spans(self, per: Literal["period", "year", "horizon"]) -> Sequence[tuple[str, tuple[int, ...]]]:
        """Label and period indices of each stretch of the horizon, as far as the rule applies in it.

        Years are calendar years by the period's first day.
        """

    def bought(
        self, count: Counting, periods: Sequence[int], stock: bool = False, for_uses: ForUses | None = None
    ) -> BoughtTerm:
        """Kilograms of the moves that count; with `stock`, of stock in hand and orders placed as well.

        Here and below `for_uses` counts only what is for some end uses, which `Rule.counted_end_uses` names.
        """

    def purchases(self, stock: bool = False) -> Sequence[tuple[Chained, Place]]:
        """All that may be bought, each offer with a place of delivery; with `stock`, stock in hand and orders placed as well."""

    def bought_in_each(
        self,
        counts: Sequence[Sequence[float]],
        stretches: Sequence[Sequence[int]],
        stock: bool = False,
        for_uses: ForUses | None = None,
    ) -> Purchases:
        """What is `bought` by each of several counts in each of several stretches of periods, which have none in common.

        For `Rows`: stretch by stretch, and within each count by count. A count is a list: what each of `purchases` counts.
        """

    def used(
        self, count: Counting, periods: Sequence[int], at_least: Decimal | int = 0, for_uses: ForUses | None = None
    ) -> UsedTerm: ...
    def used_in_each(
        self,
        counts: Callable[[Chained, Place], Iterable[tuple[K, Decimal | int]]],
        stretches: Sequence[Sequence[int]],
        for_uses: ForUses | None = None,
    ) -> Sequence[Mapping[K, UsedTerm]]:
        """What is `used` by each of many names in each of several stretches of periods; every purchase is asked once what it counts for.

        Args:
            counts: names under which a purchase counts, each with what a unit counts there.
            stretches: periods of each stretch.
            for_uses: as elsewhere.

        Returns:
            For each stretch the terms by name, each of one unit of the resolution at least; a name for which nothing can be bought
            in a stretch has none.
        """

    def delivered(self, count: CountingDemand, periods: Sequence[int]) -> DeliveredTerm: ...
    def short(self, count: CountingDemand, periods: Sequence[int]) -> ShortTerm: ...
    def stock(self, count: CountingStock, periods: Sequence[int], for_uses: ForUses | None = None) -> StockTerm: ...
    def carried_in(
        self, held: CountingStock, making: Counting, period: int, for_uses: ForUses | None = None
    ) -> tuple[StockTerm, BoughtTerm]:
        """Kilograms that a period begins with, whether the rule holds before it or not: what is held, and what is in the making.

        Args:
            held: how much stock counts.
            making: how much purchases count that were ordered before the period and are delivered in it or later.
            period: the period; one after the last means what the plan ends with.
            for_uses: as elsewhere.
        """

    def usable(
        self, wanted: Sequence[tuple[DemandLine, int, Decimal]], period: int
    ) -> Sequence[tuple[str, ReservedTerm, Decimal]]:
        """What must be in stock at the end of a period to serve all that is wanted of one material at one place.

        Args:
            wanted: demands, each with the period of its delivery and kilograms.
            period: the period at whose end the stock is looked at.

        Returns:
            For sets of compliance classes, a name, the stock that may serve any of the demands in question, and what it must
            come to. All that is wanted can be served at once if and only if every one of them holds.
        """

    def spent(self, count: Counting, periods: Sequence[int], for_uses: ForUses | None = None) -> Sequence[Term]:
        """Price, charges and freight of the moves that count, with their offers' onboarding in the first period, and what price
        schedules take off or add, in the period of its settlement, what terms of trade make due at once, and what is paid for and not
        taken, when it is due.

        With `for_uses` that counts only what isn't free of what a rule taints: price, charges, and freight alone.

        Raises:
            InputError: with `for_uses`, if some of that is due whatever is bought for which use.
        """

    def ends(self, offer: Chained, place: Place) -> frozenset[str]:
        """Countries of the final demands that a purchase from an offer for a place may end in."""

    def holding(self, periods: Sequence[int]) -> HoldingTerm:
        """All money for holding stock."""

    def demanded(self, count: CountingDemand, periods: Sequence[int]) -> Decimal:
        """Kilograms demanded, weighted; a number, since demand is a fact."""
