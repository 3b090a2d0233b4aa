"""A plan's entries matched with the facts they speak of; what matches nothing is a finding."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from ..domain.base import Record
from ..domain.plan import Delivery, LotUse, Make, Plan, Purchase, Transfer
from ..errors import Problem as Finding
from ..problem import Problem
from ..problem.demands import Lot
from ..problem.network import Arc, Node

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


@dataclass(slots=True)
class Bought:
    """A purchase, or a lot set aside, with its arc."""

    entry: Purchase | LotUse
    arc: Arc

    @property
    def ordered(self) -> int:
        """Period of the order; for a lot, from which it is there."""
        return self.entry.ordered if isinstance(self.entry, Purchase) else self.entry.period

    @property
    def delivered(self) -> int:
        """Period of arrival."""
        return self.entry.delivered if isinstance(self.entry, Purchase) else self.entry.period

    def __str__(self) -> str:
        name = self.entry.offer if isinstance(self.entry, Purchase) else self.entry.lot
        return f"{name} to {self.entry.place} ({self.entry.material}, {self.entry.requirement}, period {self.ordered})"


@dataclass(slots=True)
class Ledger:
    """The entries of a plan, by what they are about."""

    problem: Problem
    plan: Plan
    bought: list[Bought] = field(default_factory=list)
    makes: list[tuple[Make, int]] = field(default_factory=list)
    """With the position of their offer."""
    transfers: list[tuple[Transfer, int]] = field(default_factory=list)
    deliveries: list[tuple[Delivery, int]] = field(default_factory=list)
    """With the position of their demand."""
    findings: list[Finding] = field(default_factory=list)
    unplanned: frozenset[str] = frozenset()
    """Materials of components whose rules conflict."""
    largest_miss: Decimal = Decimal(0)
    """Kilograms by which the worst row misses through rounding."""
    _counted: Counter[tuple[int, int]] = field(default_factory=Counter)

    @staticmethod
    def of(problem: Problem, plan: Plan) -> Ledger:
        """Looks every entry up."""
        ledger = Ledger(problem, plan)
        ledger.unplanned = frozenset(m for part in plan.infeasible for m in part.materials)
        ledger._keep_within_time()
        _Matcher(ledger).match()
        for offer, t, _, _, roundings in ledger.ordered():
            ledger._counted[offer, t] += roundings
        return ledger

    def _keep_within_time(self) -> None:
        """Leaves out what lies in no period of the plan; each such entry is a finding."""
        count = self.problem.case.horizon.count
        kept: dict[str, tuple[Record, ...]] = {}
        for name, noun in _DATED.items():
            entries = getattr(self.plan, name)
            kept[name] = tuple(entry for entry in entries if 0 <= entry.period < count)
            for entry in entries:
                if not 0 <= entry.period < count:
                    about = getattr(entry, "offer", "") or getattr(entry, "demand", "") or entry.material
                    self.find(f"{noun} `{about}` lies outside the plan", found=f"period {entry.period}")
        self.plan = self.plan.model_copy(update=kept)

    def find(self, message: str, **details: str) -> None:
        """Records a finding."""
        self.findings.append(Finding(message, **details))  # type: ignore[arg-type]

    def miss(self, by: Decimal, pieces: Decimal | int, message: str) -> None:
        """A row is missed by `by` kilograms: a finding, unless rounding the `pieces` it is the sum of may do so.

        Args:
            by: kilograms too much; none, or less than none, is no miss.
            pieces: the rounded numbers in the row, each counted by its coefficient; each may be half a resolution off.
            message: what is not so.
        """
        if by <= 0:
            return
        if by > self.problem.case.resolution / 2 * pieces + SLACK:
            self.find(message, found=f"{by.normalize():f} kg too much")
        else:
            self.largest_miss = max(self.largest_miss, by)

    def carried(self, node: Node, held: Decimal, period: int) -> tuple[Decimal, int]:
        """What a period has of the stock at the end of the one before, and how many roundings that takes: loss is rounded."""
        kept = self.problem.stores[node].kept[period] if node in self.problem.stores else Decimal(1)
        if kept == 1:
            return held, 0
        return (held * kept / self.problem.case.resolution).to_integral_value(
            ROUND_HALF_EVEN
        ) * self.problem.case.resolution, 1

    def rests(self) -> Iterator[tuple[Lot, int, Decimal, int]]:
        """What lies in each lot unused at the end of each period, with the rounded numbers that it follows from."""
        used: defaultdict[int, Decimal] = defaultdict(Decimal)
        pieces: defaultdict[int, int] = defaultdict(int)
        for item in self.bought:
            used[item.arc.lot] += item.entry.quantity
            pieces[item.arc.lot] += 1
        for number, lot in enumerate(self.problem.lots):
            left, roundings = max(lot.quantity - used[number], Decimal(0)), pieces[number]
            yield lot, lot.period, left, roundings
            for period in range(lot.period + 1, self.problem.case.horizon.count):
                left, more = self.carried((lot.material, lot.place.id), left, period)
                roundings += more
                yield lot, period, left, roundings

    def pieces(self, offer: int, period: int) -> int:
        """How many rounded numbers an offer's units in a period are the sum of."""
        return self._counted[offer, period]

    def roundings(self, offer: int) -> int:
        """How many half steps of the resolution a quantity ordered from an offer may be off: two if it is part of a lot."""
        return 2 if self.problem.offers[offer].offer.lot is not None else 1

    def in_lots(self, item: Bought) -> bool:
        """Whether a purchase is a part of a lot, and need not be a multiple of the resolution by itself."""
        facts = self.problem.offers[item.arc.offer] if item.arc.offer >= 0 else None
        return facts is not None and facts.single and facts.offer.lot is not None

    def ordered(self) -> Iterator[tuple[int, int, str | None, Decimal, int]]:
        """Offer, period, place, units and half steps that these may be off, of every order; runs of several outputs have no place."""
        for item in self.bought:
            offer = item.arc.offer
            if offer >= 0 and self.problem.offers[offer].single:
                yield offer, item.ordered, item.entry.place, item.entry.quantity, self.roundings(offer)
        for make, offer in self.makes:
            yield offer, make.period, None, make.units, self.roundings(offer)

    def units(self) -> dict[tuple[int, int], Decimal]:
        """Units ordered of every offer in every period, over places and requirements."""
        units: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for offer, t, _, quantity, _ in self.ordered():
            units[offer, t] += quantity
        return dict(units)

    def draws(self) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        """Node, requirement, period and kilograms of every input taken, with the offer that takes it."""
        for item in self.bought:
            if item.arc.offer >= 0 and self.problem.offers[item.arc.offer].single:
                yield from self._takes(item.arc.offer, item.entry.requirement, item.ordered, item.entry.quantity)
        for make, offer in self.makes:
            yield from self._takes(offer, make.requirement, make.period, make.units)

    def _takes(
        self, offer: int, requirement: str, period: int, units: Decimal
    ) -> Iterable[tuple[Node, str, int, Decimal, int]]:
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            yield (line.material, facts.place), requirement, period, line.per_unit * units, offer


class _Matcher:
    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        problem = ledger.problem
        self.offers = {facts.offer.id: i for i, facts in enumerate(problem.offers)}
        self.demands: dict[str, int] = {demand.id: i for i, demand in enumerate(problem.demands)}
        self.lots = {lot.id: i for i, lot in enumerate(problem.lots)}
        self.arcs: dict[tuple[int, int, Node], Arc] = {(a.offer, a.lot, a.node): a for a in problem.network.arcs}

    def match(self) -> None:
        plan = self.ledger.plan
        for purchase in plan.purchases:
            self._purchase(purchase)
        for lot in plan.lots:
            self._lot(lot)
        for make in plan.makes:
            if make.offer not in self.offers:
                self._unknown("offer", make.offer)
            else:
                self.ledger.makes.append((make, self.offers[make.offer]))
        for transfer in plan.transfers:
            if transfer.offer not in self.offers:
                self._unknown("offer", transfer.offer)
            else:
                self.ledger.transfers.append((transfer, self.offers[transfer.offer]))
        for delivery in plan.deliveries:
            if delivery.demand not in self.demands:
                self._unknown("demand", delivery.demand)
            else:
                self.ledger.deliveries.append((delivery, self.demands[delivery.demand]))

    def _unknown(self, what: str, name: str) -> None:
        self.ledger.find(f"{what} `{name}` does not count in this case: it is unknown, or only a lead")

    def _purchase(self, purchase: Purchase) -> None:
        offer = self.offers.get(purchase.offer)
        if offer is None:
            self._unknown("offer", purchase.offer)
            return
        arc = self.arcs.get((offer, -1, (purchase.material, purchase.place)))
        if arc is None:
            self.ledger.find(f"offer `{purchase.offer}` cannot bring {purchase.material} to {purchase.place}")
            return
        item = Bought(purchase, arc)
        horizon = self.ledger.problem.case.horizon
        if purchase.delivered != purchase.ordered + arc.lag:
            self.ledger.find(
                f"{item} arrives in {horizon.label(purchase.delivered)}",
                expected=f"{horizon.label(purchase.ordered + arc.lag)}, {arc.lag} periods after the order",
            )
        if not 0 <= purchase.ordered <= purchase.delivered < horizon.count:
            self.ledger.find(f"{item} lies outside the plan")
            return
        if self.ledger.problem.offers[offer].most[purchase.ordered] == 0:
            self.ledger.find(f"{item} is ordered when it is not offered")
        self._positive(item)

    def _lot(self, lot: LotUse) -> None:
        position = self.lots.get(lot.lot)
        if position is None:
            self._unknown("lot", lot.lot)
            return
        facts = self.ledger.problem.lots[position]
        arc = self.arcs[-1, position, (facts.material, facts.place.id)]
        item = Bought(lot, arc)
        if (lot.material, lot.place, lot.period) != (facts.material, facts.place.id, facts.period):
            self.ledger.find(f"{item} is not what the case holds", expected=f"{facts.material} at {facts.place.id}")
            return
        self._positive(item)

    def _positive(self, item: Bought) -> None:
        off_step = item.entry.quantity % self.ledger.problem.case.resolution and not self.ledger.in_lots(item)
        if item.entry.quantity <= 0 or off_step:
            self.ledger.find(
                f"{item} has a quantity of {item.entry.quantity} kg",
                expected=f"a positive multiple of {self.ledger.problem.case.resolution} kg",
            )
            return
        self.ledger.bought.append(item)
