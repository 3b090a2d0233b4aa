"""A tiny case as the oracle reads it: day by day, offer by offer, with nothing but the records and plain arithmetic.

Nothing here comes from the engine: of friendshore only the domain records are used, and of those only the fields.
"""

from __future__ import annotations

import calendar
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from itertools import pairwise

from friendshore.domain.case import Case, DemandSpec, StoreSpec
from friendshore.domain.facts import Catalog, ChainEntry, Facility, Lane, Material, Offer, Quote
from friendshore.rules.base import Rule

COUNTS = {"operating": 1.0, "ramping": 0.8, "commissioning": 0.5}
"""What a capacity counts for by its status; every other status counts for nothing."""


@dataclass(frozen=True)
class Lot:
    """A heap of material that is there without being ordered: stock in hand, or an order already placed."""

    id: str
    material: str
    place: str
    there: int
    """First period in which it can be used."""
    arrives: date | None
    """First day on which it can; None: from the first one of the plan."""
    kilograms: float
    chain: tuple[ChainEntry, ...]
    offer: str = ""
    """The offer it was ordered from; empty for stock in hand."""
    ordered: date | None = None
    """When it was acquired or ordered."""


@dataclass(frozen=True)
class Way:
    """An order of a period."""

    arrives: int
    """Period in which it is there; as many as there are, if it comes after the plan."""
    day: date
    """Day from which on it is there."""
    order_by: date
    """Last day on which it may be placed."""


def days(start: date, end: date) -> Iterator[date]:
    """Every day from `start` to `end`, both included."""
    day = start
    while day <= end:
        yield day
        day += timedelta(days=1)


def of_year(day: date) -> float:
    """The part of its year that one day is."""
    return 1 / (366 if calendar.isleap(day.year) else 365)


def within(day: date, start: date | None, end: date | None) -> bool:
    """Whether `day` lies in an inclusive span with open sides."""
    return (start is None or start <= day) and (end is None or day <= end)


def _begun(lanes: Sequence[Lane], day: date) -> Lane | None:
    """The lane that holds on a day, of several to one place."""
    begun = [lane for lane in lanes if lane.start is None or lane.start <= day]
    return max(begun, key=lambda lane: lane.start or date.min, default=None)


class World:
    """The facts of one case, each looked up or counted anew."""

    def __init__(self, case: Case, catalogs: Sequence[Catalog], rules: Sequence[Rule]) -> None:
        self.case = case
        self._ways: dict[tuple[str, str, int], Way] = {}
        self.catalogs = tuple(catalogs)
        self.rules = tuple(rules)
        self.materials: dict[str, Material] = {m.id: m for c in catalogs for m in c.materials}
        self.facilities: dict[str, Facility] = {f.id: f for c in catalogs for f in c.facilities}
        self.known: dict[str, Offer] = {o.id: o for c in catalogs for o in c.offers}
        self.terms = [t for c in catalogs for t in c.terms]
        self.rates = [r for c in catalogs for r in c.rates]
        self.benchmarks = [b for c in catalogs for b in c.prices]
        self.demands: dict[str, DemandSpec] = {
            d.id or f"{d.material}/{d.end_use}/{d.place or case.place}": d for d in case.demands
        }
        self.count = case.horizon.count
        self.months = {"month": 1, "quarter": 3, "year": 12}[case.horizon.length.value]
        periods = range(self.count)
        self.offers = {name: o for name, o in self.known.items() if o.price or any(self._quote(o, t) for t in periods)}

    @cached_property
    def spans(self) -> list[tuple[date, date]]:
        """First and last day of each period."""
        first = self.case.horizon.start
        assert first.day == 1, "the oracle's periods start with a month"
        index = [first.year * 12 + first.month - 1 + i * self.months for i in range(self.count + 1)]
        starts = [date(month // 12, month % 12 + 1, 1) for month in index]
        return [(a, b - timedelta(days=1)) for a, b in pairwise(starts)]

    @cached_property
    def years(self) -> list[float]:
        """Length of each period in years, counted by days."""
        return [sum(of_year(day) for day in days(*span)) for span in self.spans]

    def discount(self, period: int) -> float:
        """What money of a period counts for at the start of the plan."""
        return float((1 + float(self.case.discount)) ** -(period * self.months / 12))

    def country(self, place: str) -> str:
        """The country of a place: a site's facility says it, any other place is a country."""
        return next((f.country for f in self.facilities.values() if f.place == place), place)

    def site(self, offer: Offer) -> str:
        """Where an offer's inputs are used and its moves begin."""
        facility = self.facilities[offer.facility]
        return facility.place or facility.country

    def node(self, wanted: DemandSpec | StoreSpec) -> tuple[str, str]:
        """The material and place of a demand or store."""
        return wanted.material, wanted.place or self.case.place

    def nodes(self) -> list[tuple[str, str]]:
        """Where each demand takes its good."""
        return [self.node(demand) for demand in self.demands.values()]

    def operator(self, facility: Facility) -> str:
        """The supplier that runs a facility."""
        return facility.operator or facility.name or facility.id

    def stretches(self, per: str, periods: Iterable[int]) -> list[list[int]]:
        """Some periods by stretch of time; a year by the first days of its periods."""
        found: dict[object, list[int]] = defaultdict(list)
        for period in periods:
            found[{"period": period, "year": self.spans[period][0].year, "horizon": 0}[per]].append(period)
        return list(found.values())

    # -------------------------------------------------------------------------------------------------------- demand

    def wanted(self, demand: DemandSpec, period: int) -> float:
        """Kilograms wanted in a period."""
        start, end = self.spans[period]
        if demand.quantities:
            wanted = any(within(day, demand.start, demand.end) for day in days(start, end))
            return float(demand.quantities[period]) if wanted else 0.0
        assert demand.per_year is not None
        years = sum(of_year(day) for day in days(start, end) if within(day, demand.start, demand.end))
        grams = round(float(demand.per_year) * years / float(self.case.resolution))
        return grams * float(self.case.resolution)

    @cached_property
    def lots(self) -> list[Lot]:
        """Stock in hand and orders already placed that come within the plan."""
        found = []
        for number, stock in enumerate(self.case.stocks):
            name = stock.id or f"stock-{number}"
            place = stock.place or self.case.place
            kilograms = float(stock.quantity)
            found.append(Lot(name, stock.material, place, 0, None, kilograms, stock.chain, "", stock.acquired))
        for number, order in enumerate(self.case.orders):
            there = next((i for i, (a, b) in enumerate(self.spans) if a <= order.arrives <= b), None)
            if there is None:
                continue
            offer = self.known[order.offer]
            for line in offer.outputs:
                kilograms = float(order.quantity) * float(line.per_unit)
                place = order.place or self.case.place
                name = f"order-{number}-{line.material}"
                made = (kilograms, offer.chain, offer.id, order.ordered)
                found.append(Lot(name, line.material, place, there, order.arrives, *made))
        return found

    def used_between(self, demand: DemandSpec, period: int, first: date, until: date) -> float:
        """The part of what is wanted in a period that is used from one of its days up to, not including, another."""
        inside = [day for day in days(*self.spans[period]) if within(day, demand.start, demand.end)]
        weights = {day: 1.0 if demand.quantities else of_year(day) for day in inside}
        return sum(part for day, part in weights.items() if first <= day < until) / sum(weights.values())

    def arrivals_within(self, material: str, place: str, period: int) -> list[date]:
        """Days after the first one of a period on which orders arrive, those already placed and others."""
        first, last = self.spans[period]
        here = [lot.arrives for lot in self.lots if (lot.material, lot.place) == (material, place)]
        for offer in self.offers.values():
            if material in [line.material for line in offer.outputs] and self.routes(offer, place) is not None:
                here += [self.way(offer, place, ordered).day for ordered in range(self.count)]
        return sorted({day for day in here if day is not None and first < day <= last})

    # ------------------------------------------------------------------------------------------------------- offers

    def orderable(self, offer: Offer, period: int) -> bool:
        """Whether the whole period lies within the offer's dates and those of one quotation, and after its qualification."""
        if period * self.months < (offer.qualification or 0):
            return False
        quoted = not offer.quotes or self._quote(offer, period) is not None
        return quoted and all(within(day, offer.start, offer.end) for day in self.spans[period])

    def _quote(self, offer: Offer, period: int) -> Quote | None:
        """The quotation that holds throughout a period."""
        held = [q for q in offer.quotes if all(within(day, q.start, q.end) for day in days(*self.spans[period]))]
        assert len(held) < 2
        return held[0] if held else None

    def capacity(self, facility: Facility, period: int) -> float:
        """Kilograms a facility can make in a period, derated by what each day's status counts for."""
        return sum(self._daily(facility, day) for day in days(*self.spans[period]))

    def _daily(self, facility: Facility, day: date) -> float:
        steps = [s for s in facility.capacity if s.start is None or s.start <= day]
        if not steps:
            return 0.0
        step = max(steps, key=lambda s: s.start or date.min)
        status = step.status
        own = self.case.accept.capacity.get(status)
        counts = COUNTS.get(status.value, 0.0) if own is None or status in ("superseded", "event") else float(own)
        if step.per_year is None:
            return math.inf if counts > 0 else 0.0
        return float(step.per_year) * counts * of_year(day)

    def shares(self, facility: str, other: str) -> bool:
        """Whether `facility` is `other` or lies within it."""
        while facility:
            if facility == other:
                return True
            facility = self.facilities[facility].within
        return False

    def routes(self, offer: Offer, to: str) -> tuple[list[int], list[float]] | None:
        """Arrival by period of order, and freight per kilogram by period of arrival, to a place; None if the offer does not go there."""
        lanes = [lane for lane in offer.lanes if lane.to == to]
        if offer.lanes and not lanes:
            return None
        arrivals = [self.way(offer, to, period).arrives for period in range(self.count)]
        crosses = self.country(self.site(offer)) != self.country(to)
        assumed = float(self.case.assume.freight or 0) if crosses else 0.0
        begun = [_begun(lanes, first) for first, _ in self.spans]
        freights = [assumed if lane is None or lane.freight is None else float(lane.freight) for lane in begun]
        return arrivals, freights

    def way(self, offer: Offer, to: str, period: int) -> Way:
        """How an order of a period is placed and arrives, worked out once."""
        key = (offer.id, to, period)
        if key not in self._ways:
            self._ways[key] = self._way(offer, to, period)
        return self._ways[key]

    def _way(self, offer: Offer, to: str, period: int) -> Way:
        """How an order of a period is placed and arrives: an order of its first day is there on the first day of a later one; of a plant that begins
        to work later, what is ordered on that day is there when its time has passed.
        """
        lanes = [lane for lane in offer.lanes if lane.to == to]
        leads = self._leads(offer, lanes, period)
        inside = list(days(*self.spans[period]))
        open_ = [day for day in inside if self.works(offer, day)] or inside
        firsts = [first for first, _ in self.spans] + [self.spans[-1][1] + timedelta(days=1)]

        def there(day: date) -> date:
            return max(self.there(day, lead) for lead in leads)

        arrives = next((t for t in range(period, self.count) if firsts[t] >= there(inside[0])), self.count)
        day = firsts[arrives]
        if arrives == self.count:
            return Way(arrives, day, open_[-1])
        if open_[0] > inside[0] and there(open_[0]) > day:
            day = there(open_[0])
            arrives = max(t for t, first in enumerate(firsts) if first <= day)
        return Way(arrives, day, max(d for d in open_ if there(d) <= day))

    def works(self, offer: Offer, day: date) -> bool:
        """Whether the plant, and whatever it lies within, has a capacity on a day."""
        sites = [f for f in self.facilities.values() if f.capacity and self.shares(offer.facility, f.id)]
        return all(self._daily(site, day) > 0 for site in sites)

    def _leads(self, offer: Offer, lanes: Sequence[Lane], period: int) -> set[Decimal]:
        """Lead times in months of orders of a period, asked on each of its days."""
        asked = days(*self.spans[period]) if len(lanes) > 1 else self.spans[period][:1]
        return {self.lead(offer, lanes, day) for day in asked}

    def lead(self, offer: Offer, lanes: Sequence[Lane], day: date) -> Decimal:
        """Lead time in months of an order of a day, over one of some lanes."""
        lane = _begun(lanes, day)
        stated = (lane and lane.lead_time, offer.lead_time, self.case.assume.lead_time)
        return next(months for months in stated if months is not None)

    def there(self, day: date, lead: Decimal) -> date:
        """The day on which an order of a day is there: whole months by the calendar, anything else in days; with the days to be safe."""
        index, more = day.year * 12 + day.month - 1, 0
        for months in (lead, self.case.assume.safety_lead):
            if months % 1:
                more += math.ceil(round(float(months) * 365 / 12, 4))
            else:
                index += int(months)
        last = calendar.monthrange(index // 12, index % 12 + 1)[1]
        return date(index // 12, index % 12 + 1, min(day.day, last)) + timedelta(days=more)

    def price(self, offer: Offer, period: int) -> float:
        """Money per unit in the case's currency when ordered in a period."""
        price = offer.price
        if offer.quotes:
            held = {t: quote for t in range(self.count) if (quote := self._quote(offer, t))}
            before = [t for t in held if t <= period]
            quote = held[max(before) if before else min(held)]
            return float(quote.amount) * self._rate(quote.currency, self.spans[period][0])
        assert price is not None
        day = self.spans[period][0]
        if price.amount is not None:
            return float(price.amount) * self._rate(price.currency, day)
        quoted = next(b for b in self.benchmarks if b.id == price.benchmark)
        return float(quoted.amount) * (1 + float(price.premium)) * self._rate(quoted.currency, day)

    def _rate(self, currency: str, day: date) -> float:
        if currency in ("", self.case.currency):
            return 1.0
        rows = [r for r in self.rates if r.currency == currency and r.to == self.case.currency and r.start <= day]
        return float(max(rows, key=lambda r: r.start).rate)

    def needed(self, material: str, place: str, there: int, used: int) -> float:
        """Kilograms that must be there in one period for one to be left in a later one, after what is lost each period."""
        kept = 1.0
        for period in range(there + 1, min(used, self.count - 1) + 1):
            store = self._store(material, place, period)
            kept *= (1 - float(store.loss)) ** self.years[period] if store is not None else 1.0
        return 1 / kept

    def holding(self, material: str, place: str, period: int) -> float:
        """Money per kilogram and year for holding at the end of a period."""
        store = self._store(material, place, period)
        return float(store.holding) if store is not None and store.holding is not None else 0.0

    def limit(self, material: str, place: str, period: int) -> float:
        """Most kilograms held at the end of a period."""
        store = self._store(material, place, period)
        return float(store.limit) if store is not None and store.limit is not None else math.inf

    def _store(self, material: str, place: str, period: int) -> StoreSpec | None:
        """What the case says of a place on the last day of a period."""
        last = self.spans[period][1]
        here = [store for store in self.case.stores if self.node(store) == (material, place)]
        return next((store for store in here if within(last, store.start, store.end)), None)
