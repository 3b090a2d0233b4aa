"""A plan carried out day by day: every order goes out on its printed day, arrives its lead time later, and use is even within a period.

Only what a buyer reads is used: the purchases, makes, lots, deliveries and shortages of a run, its order lines, and the facts of the case. Of the engine there are only the
records.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.facts import Catalog, Offer
from friendshore.domain.run import Run, RunPurchase
from friendshore.orders.lines import OrderLine

from .world import World, days, of_year, within

Node = tuple[str, str]
_EARLY, _LATE = 0, 1
"""What arrives on a day is there before anything is taken on it."""


@dataclass(frozen=True)
class Lacking:
    """A day on which more is taken of a material at a place than is there."""

    material: str
    place: str
    day: date
    kilograms: float


def lacking(run: Run, case: Case, catalogs: Sequence[Catalog], lines: Sequence[OrderLine] = ()) -> list[Lacking]:
    """Every day on which something runs out although the plan reports no shortage of it. Orders with lines arrive when these need them."""
    return list(_Diary(run, World(case, catalogs, ()), lines).lacking())


class _Diary:
    def __init__(self, run: Run, world: World, lines: Sequence[OrderLine] = ()) -> None:
        self.run, self.world, self.case = run, world, world.case
        self.period = {period.label: number for number, period in enumerate(run.periods)}
        self.flows: dict[Node, dict[date, tuple[float, float]]] = defaultdict(lambda: defaultdict(lambda: (0.0, 0.0)))
        """Node -> day -> kilograms that arrive, and that are taken."""
        self.entries: dict[Node, float] = defaultdict(float)
        """Node -> rounded numbers that its stock follows from, each by its coefficient."""
        needed = {
            (line.offer, line.place, line.ordered, line.delivered, material, label): line.needed_on
            for line in lines
            for material, classes in line.by_class.items()
            for label in classes
        }
        for purchase in run.purchases:
            ordered, delivered = self.period[purchase.ordered], self.period[purchase.delivered]
            key = purchase.offer, purchase.place, ordered, delivered, purchase.material, purchase.compliance_class
            day = needed[key] if lines else self.arrival(purchase)
            self._arrive((purchase.material, purchase.place), day, purchase.quantity_kg)
        self._lots()
        self._inputs()
        for name, spec in world.demands.items():
            for period in range(world.count):
                self._use(name, spec, period)

    def arrival(self, purchase: RunPurchase) -> date:
        """The day on which an order arrives that goes out on its printed day."""
        offer = self.world.known[purchase.offer]
        lanes = [lane for lane in offer.lanes if lane.to == purchase.place]
        return self.world.there(purchase.order_by, self.world.lead(offer, lanes, purchase.order_by))

    def _arrive(self, node: Node, day: date, kilograms: Decimal) -> None:
        arrives, taken = self.flows[node][day]
        self.flows[node][day] = arrives + float(kilograms), taken
        self.entries[node] += 1

    def _take(self, node: Node, day: date, kilograms: float, entries: float) -> None:
        arrives, taken = self.flows[node][day]
        self.flows[node][day] = arrives, taken + kilograms
        self.entries[node] += entries

    def _lots(self) -> None:
        """What is set aside of stock in hand, from the first day, and of open orders, from their arrival."""
        coming = dict(zip(self.case.order_names, (order.arrives for order in self.case.orders), strict=True))
        for lot in self.run.lots:
            day = coming.get(lot.lot) or coming.get(lot.lot.rpartition(":")[0]) or self.case.horizon.start
            self._arrive((lot.material, lot.place), day, lot.quantity_kg)

    def _inputs(self) -> None:
        """What makers are given, on the day of the order; of an offer with several outputs, of the first order of a period."""
        for purchase in self.run.purchases:
            offer = self.world.known[purchase.offer]
            if len(offer.outputs) == 1:
                self._draw(offer, purchase.order_by, float(purchase.quantity_kg))
        for make in self.run.makes:
            placed = [p.order_by for p in self.run.purchases if (p.offer, p.ordered) == (make.offer, make.ordered)]
            first = self.world.spans[self.period[make.ordered]][0]
            self._draw(self.world.known[make.offer], min(placed, default=first), float(make.units))

    def _draw(self, offer: Offer, day: date, units: float) -> None:
        for line in offer.inputs:
            self._take((line.material, self.world.site(offer)), day, units * float(line.per_unit), float(line.per_unit))

    def _use(self, name: str, spec: DemandSpec, period: int) -> None:
        """What is delivered in a period, evenly over the days on which it is wanted; where some is short, at the same pace on the last ones of them."""
        label = self.run.periods[period].label
        delivered = [d.quantity_kg for d in self.run.deliveries if (d.demand, d.period) == (name, label)]
        short = sum(s.quantity_kg for s in self.run.shortages if (s.demand, s.period) == (name, label))
        left = float(sum(delivered))
        inside = [day for day in days(*self.world.spans[period]) if within(day, spec.start, spec.end)]
        weights = {day: 1.0 if spec.quantities else of_year(day) for day in inside}
        pace = (left + float(short)) / sum(weights.values()) if weights else 0.0
        for day in reversed(inside):
            used = min(left, pace * weights[day])
            left -= used
            self._take(self.world.node(spec), day, used, 0.0)
        self.entries[self.world.node(spec)] += len(delivered)

    def lacking(self) -> Iterator[Lacking]:
        """Day by day, what arrives and then what is taken; a period begins with what is left of the stock of the one before."""
        for (material, place), flows in self.flows.items():
            held = 0.0
            for period, span in enumerate(self.world.spans):
                if period:
                    held /= self.world.needed(material, place, period - 1, period)
                for day in days(*span):
                    arrives, taken = flows.get(day, (0.0, 0.0))
                    held += arrives - taken
                    if held < -self._explained((material, place)):
                        yield Lacking(material, place, day, -held)
                    held = max(held, 0.0)

    def _explained(self, node: Node) -> float:
        """Kilograms that rounding to the resolution explains."""
        return float(self.case.resolution) * (self.entries[node] + self.world.count) + 1e-6


def arrives_late(run: Run, case: Case, catalogs: Sequence[Catalog]) -> list[tuple[str, date, date]]:
    """Offer, printed day and arrival of every order that arrives after its period of arrival has begun though its plant was at work when that of the
    order began, after the period has ended, or that is placed on a day outside its own period.
    """
    world = World(case, catalogs, ())
    diary, periods = _Diary(run, world), {period.label: period for period in run.periods}
    found = []
    for one in run.purchases:
        ordered, delivered = periods[one.ordered], periods[one.delivered]
        operating_steps = world.works(world.known[one.offer], ordered.start)
        due = delivered.start if operating_steps else delivered.end
        placed = ordered.start <= one.order_by <= ordered.end and world.works(world.known[one.offer], one.order_by)
        if diary.arrival(one) > due or not placed:
            found.append((one.offer, one.order_by, diary.arrival(one)))
    return found
