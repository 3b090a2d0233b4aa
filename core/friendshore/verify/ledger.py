"""A plan's entries by what they are about, and what is found wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal
from functools import cached_property

import numpy as np

from ..domain.base import Record
from ..domain.plan import Delivery, LotUse, Make, Plan, Purchase, Transfer
from ..errors import Diagnostic
from ..problem import Problem
from ..problem.decimal_arrays import Floats, added_up
from ..problem.demands import Lot
from ..problem.kept import Answers
from ..problem.network import Node
from .columns import Bought, Orders, PurchaseColumns, in_columns, in_lots
from .matching import Matched, match

_DATED = {
    "makes": "a run of",
    "transfers": "a transfer of",
    "stocks": "a stock of",
    "deliveries": "a delivery to",
    "shorts": "a shortage of",
}
"""Entries of a plan with a period of their own, and what to call each."""


SLACK = Decimal("1e-9")
"""What 15-digit numbers may differ by, relative to the largest of them."""

EPSILON = 2.0**-52
"""What an operation on doubles may be wrong by, relative to its result."""


@dataclass(eq=False)
class PlanEntries:
    """The entries of a plan, by what they are about."""

    problem: Problem
    plan: Plan
    matched: Matched = field(default_factory=Matched)
    """Its purchases, and lots set aside."""
    makes: list[tuple[Make, int]] = field(default_factory=list)
    """With the position of their offer."""
    transfers: list[tuple[Transfer, int]] = field(default_factory=list)
    deliveries: list[tuple[Delivery, int]] = field(default_factory=list)
    """With the position of their demand."""
    findings: list[Diagnostic] = field(default_factory=list)
    unplanned: frozenset[str] = frozenset()
    """Materials of components whose rules conflict."""
    largest_miss: Decimal = Decimal(0)
    """Kilograms by which the worst row misses through rounding."""

    @staticmethod
    def of(problem: Problem, plan: Plan) -> PlanEntries:
        """Looks every entry up."""
        ledger = PlanEntries(problem, plan)
        ledger.unplanned = frozenset(m for part in plan.infeasible for m in part.materials)
        ledger._keep_within_time()
        ledger.matched = matched = match(problem, ledger.plan, ledger.find)
        ledger.makes, ledger.transfers, ledger.deliveries = matched.makes, matched.transfers, matched.deliveries
        return ledger

    @property
    def answers(self) -> Answers | None:
        """What rules answered those who verify plans of the session; None: nothing is kept."""
        kept = self.problem.kept
        return kept.verified if kept is not None else None

    @cached_property
    def columns(self) -> PurchaseColumns:
        """Purchases and lots set aside as columns of whole numbers."""
        found, step = self.matched, self.problem.case.resolution
        if found.columns is not None and not found.lots:
            return found.columns
        lots = in_columns(found.lots, step), np.array(found.lot_arcs, dtype=np.intp)
        return PurchaseColumns.of(self.problem, (in_columns(found.purchases, step), found.arcs), lots)

    @cached_property
    def bought(self) -> list[Bought]:
        """Purchases and lots set aside, each with its arc."""
        network, found = self.problem.network.arcs, self.matched
        arcs = (*found.arcs.tolist(), *found.lot_arcs)
        entries: list[Purchase | LotUse] = [*found.purchases, *found.lots]
        return [Bought(entry, network[arc]) for entry, arc in zip(entries, arcs, strict=True)]

    @property
    def licensed(self) -> list[Bought]:
        """Those that move under licences of bounded quantity."""
        return [self.bought[position] for position in self.columns.licences]

    def _keep_within_time(self) -> None:
        """Leaves out what lies in no period of the plan; each such entry is a finding."""
        count = self.problem.case.horizon.count
        kept: dict[str, tuple[Record, ...]] = {}
        for name, noun in _DATED.items():
            entries = getattr(self.plan, name)
            outside = [entry for entry in entries if not 0 <= entry.period < count]
            if outside:
                kept[name] = tuple(entry for entry in entries if 0 <= entry.period < count)
            for entry in outside:
                about = getattr(entry, "offer", "") or getattr(entry, "demand", "") or entry.material
                self.find(f"{noun} `{about}` lies outside the plan", found=f"period {entry.period}")
        self.plan = self.plan.but(**kept)

    def find(self, message: str, *, found: str = "", expected: str = "") -> None:
        """Records a finding."""
        self.findings.append(Diagnostic(message, found=found, expected=expected))

    def miss(self, by: Decimal, pieces: Decimal | int, message: str) -> None:
        """A row is missed by `by` kilograms: a finding, unless rounding the `pieces` it is the sum of may do so. None or less is no miss.

        Pieces are rounded numbers, each counted by its coefficient; each may be half a resolution off.
        """
        if by <= 0:
            return
        if by > self.problem.case.resolution / 2 * pieces + SLACK:
            self.find(message, found=f"{by.normalize():f} kg too much")
        else:
            self.largest_miss = max(self.largest_miss, by)

    def misses(
        self, by: Floats, off: Floats, pieces: Floats, exactly: Callable[[int], tuple[Decimal, Decimal | int, str]]
    ) -> None:
        """Many rows, each missed by `by` kilograms give or take `off`: those that could matter are looked at in decimals.

        These are all that may be missed by more than rounding explains, and those that may be missed by most.

        Args:
            by: kilograms too much, in doubles.
            off: by how much these may be wrong.
            pieces: as `miss` takes them, in doubles.
            exactly: for the position of a row what `miss` takes.
        """
        allowed = (float(self.problem.case.resolution) / 2 * pieces + float(SLACK)) * (1 - 1e-9)
        beyond = by + off > allowed
        most = float(np.max(by - off, initial=0.0, where=~beyond))
        for position in np.flatnonzero(beyond | ((by + off > 0) & (by + off >= most))).tolist():
            self.miss(*exactly(position))

    def carried(self, node: Node, held: Decimal, period: int) -> tuple[Decimal, int]:
        """What a period has of the stock at the end of the one before, and how many roundings that takes: loss is rounded."""
        kept = self.problem.stores[node].kept[period] if node in self.problem.stores else Decimal(1)
        if kept == 1:
            return held, 0
        return (held * kept / self.problem.case.resolution).to_integral_value(
            ROUND_HALF_EVEN
        ) * self.problem.case.resolution, 1

    @cached_property
    def rests(self) -> list[tuple[Lot, int, Decimal, int]]:
        """What lies in each lot unused at the end of each period, with the rounded numbers that it follows from."""
        found, (used, pieces) = list[tuple[Lot, int, Decimal, int]](), self.set_aside()
        for number, lot in enumerate(self.problem.lots):
            left, roundings = max(lot.quantity - used[number], Decimal(0)), pieces[number]
            found.append((lot, lot.period, left, roundings))
            for period in range(lot.period + 1, self.problem.case.horizon.count):
                left, more = self.carried((lot.material, lot.place.id), left, period)
                roundings += more
                found.append((lot, period, left, roundings))
        return found

    def set_aside(self) -> tuple[list[Decimal], list[int]]:
        """Kilograms of every lot that are set aside, and the rounded numbers these are the sum of."""
        columns, lots = self.columns, len(self.problem.lots)
        own = columns.lot >= 0
        used = added_up(columns.counts[own], columns.lot[own], lots)
        return columns.kilograms(used), np.bincount(columns.lot[own], minlength=lots).tolist()

    def pieces(self, offer: int, period: int) -> int:
        """How many rounded numbers an offer's units in a period are the sum of."""
        return int(self.orders.pieces[offer, period])

    def roundings(self, offer: int) -> int:
        """How many half steps of the resolution a quantity ordered from an offer may be off: two if it is part of a lot."""
        return 2 if self.problem.offers[offer].offer.lot is not None else 1

    def in_lots(self, item: Bought) -> bool:
        """Whether a purchase is a part of a lot, and need not be a multiple of the resolution by itself."""
        return in_lots(self.problem, item.arc.offer)

    def ordered(self) -> Iterator[tuple[int, int, str | None, Decimal, int]]:
        """Offer, period, place, units and half steps that these may be off, of every order; runs of several outputs have no place."""
        for item in self.bought:
            offer = item.arc.offer
            if offer >= 0 and self.problem.offers[offer].single:
                yield offer, item.ordered, item.entry.place, item.entry.quantity, self.roundings(offer)
        for make, offer in self.makes:
            yield offer, make.period, None, make.units, self.roundings(offer)

    @cached_property
    def orders(self) -> Orders:
        """What is ordered of every offer in every period, over places and compliance classes."""
        made = [(offer, make.period, make.units, self.roundings(offer)) for make, offer in self.makes]
        return Orders.of(self.columns, made, len(self.problem.offers), self.problem.case.horizon.count)

    def units(self) -> dict[tuple[int, int], Decimal]:
        """Units ordered of every offer in every period in which anything is, over places and compliance classes."""
        offer, t = np.nonzero(self.orders.pieces)
        units = self.orders.decimals(offer, t)
        return dict(zip(zip(offer.tolist(), t.tolist(), strict=True), units, strict=True))

    def draws(self) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        """Node, compliance class, period and kilograms of every input taken, with the offer that takes it."""
        fed = np.zeros(len(self.problem.offers) + 1, dtype=bool)
        fed[[i for i, facts in enumerate(self.problem.offers) if facts.single and facts.offer.inputs]] = True
        for position in np.flatnonzero(fed[self.columns.offer]).tolist():
            item = self.bought[position]
            yield from self._takes(item.arc.offer, item.entry.requirement, item.ordered, item.entry.quantity)
        for make, offer in self.makes:
            yield from self._takes(offer, make.requirement, make.period, make.units)

    def _takes(
        self, offer: int, requirement: str, period: int, units: Decimal
    ) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            yield (line.material, facts.place), requirement, period, line.per_unit * units, offer
