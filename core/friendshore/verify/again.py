"""The figures that a plan rests on, derived a second way: from the records and day by day, not as the problem derives them.

The program and the rest of the verifier read prices, capacities, quantities wanted, freight, charges and discount from the same problem. What
of these a plan uses is worked out here once more, straight from the records of the catalogs and the case, with its own exchange of money, its
own calendar (each day is so much of its year) and the rules' charges asked anew. Where the two differ, it is a finding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cache

import numpy as np

from ..domain.assumptions import OfferAssumption
from ..domain.basis import Factors, basis_factor, content_of
from ..domain.countries import country_names
from ..domain.facts import Lane, Offer, Price, Quote
from ..domain.use import Use
from ..errors import Diagnostic
from ..plugins import attributed
from ..problem import Problem
from ..problem.demands import Demand
from ..problem.network import Arc
from ..rules.answers import as_charge
from ..rules.base import Rule
from .ledger import PlanEntries
from .money import Costing

DIGITS = Fraction(1, 10**12)
"""Share by which two figures may differ: each is rounded to 15 digits, some of them more than once."""


def derived_again(ledger: PlanEntries, costing: Costing) -> list[Diagnostic]:
    """All figures that a plan uses and that come out otherwise the second time."""
    return list(_Again(ledger.problem, ledger, costing).findings())


class _Again:
    def __init__(self, problem: Problem, ledger: PlanEntries, costing: Costing) -> None:
        self.problem, self.ledger, self.costing = problem, ledger, costing
        self.case, self.merged = problem.case, problem.merged
        self.horizon = problem.case.horizon
        self.factors = Factors(problem.merged.factors)
        self.assumed = {one.id: one for one in self.case.assume.offer}
        self.price = cache(self._price)
        self.years = cache(self._years)
        self.charged = cache(self._charged)
        self.charging = cache(self._charging)
        self.alike = cache(self._alike)
        self.first: dict[tuple[tuple[int, Fraction], ...], int] = {}
        self.days = cache(self._days)
        self.timed = cache(self._timed)
        self.works = cache(self._works)

    def findings(self) -> Iterator[Diagnostic]:
        """Figure by figure."""
        yield from self._discounts()
        yield from self._wanted()
        yield from self._on_order()
        yield from self._capacities()
        yield from self._prices()
        yield from self._moves()

    def _discounts(self) -> Iterator[Diagnostic]:
        """Money of a period counts for `(1 + discount) ^ -(months since the start / 12)`."""
        for t, stated in enumerate(self.problem.discount):
            # Both sides to the twelfth power, so that no root is taken.
            again = (1 + Fraction(self.case.discount)) ** -(t * self.horizon.length.months)
            if abs(Fraction(stated) ** 12 - again) > 12 * DIGITS * again:
                yield _differs(f"what money of {self._label(t)} counts for", stated, float(again) ** (1 / 12))

    def _wanted(self) -> Iterator[Diagnostic]:
        """A demand's kilograms, to the resolution."""
        for demand in self.problem.demands:
            wanted = self._quantities(demand)
            for t, stated in enumerate(demand.quantity):
                if abs(Fraction(stated) - wanted[t]) > Fraction(self.case.resolution) * (self.horizon.count + 1) / 2:
                    yield _differs(f"what `{demand.id}` wants in {self._label(t)}", stated, wanted[t])

    def _on_order(self) -> Iterator[Diagnostic]:
        """The day on which an open order arrives, and its period."""
        for name, order in zip(self.case.order_names, self.case.orders, strict=True):
            for lot in self.problem.lots:
                own = lot.on_order and lot.id in (name, f"{name}:{lot.material}")
                if own and (lot.arrives != order.arrives or order.arrives not in self.days(lot.period)):
                    yield _differs(f"the day on which `{lot.id}` arrives", lot.arrives, order.arrives)

    def _quantities(self, demand: Demand) -> list[Fraction]:
        spec = demand.spec
        factor = basis_factor(demand.use.material, spec.substance, self.factors) or Decimal(0)
        found = []
        for t in range(self.horizon.count):
            years = self.years(t, spec.start, spec.end)
            amount = (
                Fraction(spec.quantities[t] if years else 0)
                if spec.quantities
                else Fraction(spec.per_year or 0) * years
            )
            found.append(amount * Fraction(factor))
        late = spec.later // self.horizon.length.months
        for t in range(len(found) - 1 if late else -1, -1, -1):
            quantity, found[t] = found[t], Fraction(0)
            found[min(t + late, len(found) - 1)] += quantity
        return found

    def _capacities(self) -> Iterator[Diagnostic]:
        """What a facility that is drawn on can make: day by day the step in force, for what its status counts."""
        used = {offer for offer, _ in self.ledger.units()}
        for pool in self.problem.pools:
            if not used.intersection(pool.offers):
                continue
            facility = self.merged.facilities[pool.facility]
            least = self.case.accept.confidence
            steps = [one for one in facility.capacity if self.merged.confidence(one.source).reaches(least)]
            dated = sorted(steps, key=lambda one: one.start or date.min)
            ends = [one.start - timedelta(days=1) if one.start else None for one in dated[1:]]
            for t, stated in enumerate(pool.capacity):
                again, unlimited = Fraction(0), False
                for step, last in zip(dated, [*ends, None], strict=True):
                    counted = Fraction(self.case.accept.counts(step.status)) * self.years(t, step.start, last)
                    unlimited = unlimited or bool(counted and step.per_year is None)
                    again += Fraction(step.per_year or 0) * counted
                if unlimited != (stated is None) or (stated is not None and _apart(stated, again)):
                    yield _differs(f"what `{pool.facility}` can make in {self._label(t)}", stated, again)

    def _prices(self) -> Iterator[Diagnostic]:
        """What a unit costs that is ordered or made."""
        for offer, t in sorted(self.ledger.units()):
            facts = self.problem.offers[offer]
            again = self.price(offer, t)
            if again is None or _apart(facts.price[t], again):
                yield _differs(f"the price of `{facts.offer.id}` in {self._label(t)}", facts.price[t], again)

    def _price(self, position: int, t: int) -> Fraction | None:
        """Money for a unit of an offer ordered in a period; None: it has no price then."""
        offer = self.merged.offers[self.problem.offers[position].offer.id]
        given, period = self.assumed.get(offer.id), self.horizon.periods[t]
        if given is not None and given.price is not None:
            return self._stated(offer, given.price, t, self._factor(offer, given))
        if not offer.quotes:
            return None if offer.price is None else self._stated(offer, offer.price, t, Fraction(1))
        holding = [quote for quote in offer.quotes if all(_holds(quote, d) for d in self.days(t))]
        if len(holding) != 1:
            return None
        return self._exchanged(holding[0].amount, holding[0].currency, period.start)

    def _factor(self, offer: Offer, given: OfferAssumption) -> Fraction:
        material = self.merged.materials[offer.outputs[0].material]
        return Fraction(basis_factor(material, given.substance, self.factors) or 1)

    def _stated(self, offer: Offer, price: Price, t: int, factor: Fraction) -> Fraction | None:
        """A price that is quoted for good, or the benchmark's last one before the period, else its first, with the premium."""
        start = self.horizon.periods[t].start
        if price.amount is not None:
            found = self._exchanged(price.amount, price.currency, start)
            return None if found is None else found / factor
        least = self.case.accept.confidence
        rows = [
            r for r in self.merged.prices.get(price.benchmark, ()) if self.merged.confidence(r.source).reaches(least)
        ]
        past = [row for row in rows if row.date <= start]
        if not rows:
            return None
        row = max(past, key=lambda r: (r.date, r.amount)) if past else min(rows, key=lambda r: (r.date, r.amount))
        money = self._exchanged(row.amount * (1 + price.premium), row.currency, start)
        content = self._content(row.material, offer.outputs[0].material)
        return None if money is None or content is None else money * content

    def _content(self, quoted: str, wanted: str) -> Fraction | None:
        have, want = self.merged.materials[quoted], self.merged.materials[wanted]
        if quoted == wanted or (have.basis == want.basis and have.basis != "gross"):
            return Fraction(1)
        of_one, of_other = content_of(want, self.factors), content_of(have, self.factors)
        if have.element != want.element or not of_one or not of_other:
            return None
        return Fraction(of_one) / Fraction(of_other)

    def _exchanged(self, amount: Decimal, currency: str, day: date) -> Fraction | None:
        """Money in the case's currency, at the last rate up to a day, else the first after it; None without any."""
        if currency in ("", self.case.currency):
            return Fraction(amount)
        known: list[tuple[date, Fraction]] = []
        for row in self.merged.rates:
            if (row.currency, row.to) == (currency, self.case.currency):
                known.append((row.start, Fraction(row.rate)))
            elif (row.currency, row.to) == (self.case.currency, currency):
                known.append((row.start, 1 / Fraction(row.rate)))
        if not known:
            return None
        past = [one for one in known if one[0] <= day]
        return Fraction(amount) * (max(past) if past else min(known))[1]

    def _moves(self) -> Iterator[Diagnostic]:
        """Freight, time under way, last days of orders and charges of every arc that is bought by."""
        columns, network = self.ledger.columns, self.problem.network.arcs
        own = np.flatnonzero(columns.offer >= 0)
        keys = {
            (int(columns.arc[i]), columns.labels[int(columns.requirement[i])], int(columns.ordered[i]))
            for i in own.tolist()
        }
        for index in sorted({arc for arc, _, _ in keys}):
            yield from self._move(network[index])
        for index, t in sorted({(index, t) for index, _, t in keys} if self.horizon.until is None else ()):
            yield from self._under_way(network[index], t)
        for index, label, t in sorted(keys):
            arc = network[index]
            stated = self.costing.charge(arc, label, t)
            again = max(self._charge(arc, use, t) for use in self.costing.uses(arc, label))
            if _apart(stated, again):
                name = self.problem.offers[arc.offer].offer.id
                yield _differs(f"the charges on `{name}` to {arc.node[1]} in {self._label(t)}", stated, again)

    def _move(self, arc: Arc) -> Iterator[Diagnostic]:
        offer = self.merged.offers[self.problem.offers[arc.offer].offer.id]
        lanes = [lane for lane in offer.lanes if lane.to == arc.node[1]]
        assumed = (self.case.assume.freight if arc.move.crosses else None) or Decimal(0)
        for period, freight in zip(self.horizon.periods, arc.freight, strict=True):
            lane = max((one for one in lanes if _begun(one, period.start)), key=_since, default=None)
            amount, currency = assumed, ""
            if lane is not None and lane.freight is not None:
                amount, currency = lane.freight, lane.currency
            again = self._exchanged(amount, currency, self.horizon.start)
            if again is None or _apart(freight, again):
                yield _differs(
                    f"the freight of `{offer.id}` to {arc.node[1]} in {self._label(period.index)}", freight, again
                )
            if len(lanes) < 2 and len(set(arc.freight)) == 1:
                break

    def _under_way(self, arc: Arc, t: int) -> Iterator[Diagnostic]:
        """Periods from order to arrival, and the last day of an order: enough for the slowest order of a period, day by day."""
        offer = self.merged.offers[self.problem.offers[arc.offer].offer.id]
        own = self.case.assume.lead_time if offer.lead_time is None else offer.lead_time
        lanes = [lane for lane in offer.lanes if lane.to == arc.node[1]]
        days = self.days(t) if len(lanes) > 1 else self.days(t)[:1]
        rows = {max((one for one in lanes if _begun(one, day)), key=_since, default=None) for day in days}
        leads = frozenset(own if r is None or r.lead_time is None else r.lead_time for r in rows)
        periods, arrives, last = self.timed(t, leads, self.problem.offers[arc.offer].pools)
        where = f"to {arc.node[1]}, ordered in {self._label(t)}"
        if periods != min(arc.lags[t], self.horizon.count + 1):
            yield _differs(f"the periods that `{offer.id}` takes {where}", arc.lags[t], periods)
        if arrives != arc.arrives[t]:
            yield _differs(f"the day within a period on which `{offer.id}` arrives {where}", arc.arrives[t], arrives)
        if last != arc.order_by[t]:
            yield _differs(f"the last day of an order of `{offer.id}` {where}", arc.order_by[t], last)

    def _timed(self, t: int, leads: frozenset[Decimal], sites: tuple[str, ...]) -> tuple[int, date | None, date]:
        """Whole periods until every order of the first day of a period is there; the day within its period on which it is there if the plant only
        begins to work within that of the order; and the last day of that on which one may wait.
        """
        days = self.days(t)
        at_work = [day for day in days if all(self.works(site, day) for site in sites)] or days
        begins = [days[0]]
        while begins[-1] < max(self._there(days[0], lead) for lead in leads) and len(begins) <= self.horizon.count + 1:
            begins.append(_months_after(self.horizon.start, (t + len(begins)) * self.horizon.length.months))
        arrives = max(self._there(at_work[0], lead) for lead in leads) if at_work[0] > days[0] else begins[-1]
        while (later := _months_after(self.horizon.start, (t + len(begins)) * self.horizon.length.months)) <= arrives:
            begins.append(later)
        until = max(arrives, begins[-1])
        last = max(day for day in at_work if all(self._there(day, lead) <= until for lead in leads))
        return len(begins) - 1, arrives if arrives > begins[-1] else None, last

    def _works(self, site: str, day: date) -> bool:
        """Whether a facility has a capacity on a day: the last step that has begun counts for something."""
        least = self.case.accept.confidence
        steps = [
            one for one in self.merged.facilities[site].capacity if self.merged.confidence(one.source).reaches(least)
        ]
        begun = [one for one in steps if one.start is None or one.start <= day]
        step = max(begun, key=lambda one: one.start or date.min, default=None)
        return step is not None and step.per_year != 0 and self.case.accept.counts(step.status) > 0

    def _there(self, day: date, lead: Decimal) -> date:
        """The day on which an order of a day is there, with the days that are added to be safe."""
        for duration in (lead, self.case.assume.safety_lead):
            day = _months_after(day, int(duration)) if duration == int(duration) else day
        for duration in (lead, self.case.assume.safety_lead):
            if duration != int(duration):
                day += timedelta(days=math.ceil(duration * 365 / 12 - Decimal("0.000001")))
        return day

    def _charge(self, arc: Arc, use: Use, t: int) -> Fraction:
        """What all rules charge on a kilogram ordered in a period: the dearest of its possible customs origins."""
        # What a rule is told of the value is a stored number: that of the problem, which `_prices` has held against the records.
        value = self.costing.charges.value(arc, t)
        arrival = self.alike(arc.arrival(t))
        origins, complete = arc.chained.origins
        possible = origins if complete or not arc.chained.performed else origins.union(country_names())
        return max(self.charged(arc.index, use, origin, value, arrival) for origin in possible)

    def _charged(self, index: int, use: Use, origin: str, value: Decimal, arrival: int) -> Fraction:
        """What all rules charge on a kilogram from one origin that arrives in a period."""
        arc, charged = self.problem.network.arcs[index], Fraction(0)
        for place, part in self.charging(arrival):
            rule = self.problem.rules[place]
            with attributed(rule):
                amount = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            if amount:
                charged += Fraction(amount) * part
        return charged

    def _charging(self, t: int) -> tuple[tuple[int, Fraction], ...]:
        """Places of the rules that charge, each with the part of a period's days on which it holds."""
        held = [(place, self._held(rule, t)) for place, rule in enumerate(self.problem.rules) if "charge" in rule.verbs]
        return tuple((place, part) for place, part in held if part)

    def _alike(self, t: int) -> int:
        """The first period seen in which the same rules charge, on the same part of its days."""
        return self.first.setdefault(self.charging(t), t)

    def _held(self, rule: Rule, t: int) -> Fraction:
        period = self.horizon.periods[t]
        days = range(period.start.toordinal(), period.end.toordinal() + 1)
        on: set[int] = set()
        for phase in rule.phases:
            if phase.status in self.problem.law.statuses:
                first = phase.start.toordinal() if phase.start else days.start
                last = phase.end.toordinal() if phase.end else days.stop
                on.update(range(max(first, days.start), min(last + 1, days.stop)))
        return Fraction(len(on), len(days))

    def _days(self, t: int) -> list[date]:
        """Every day of a period."""
        period = self.horizon.periods[t]
        return [period.start + timedelta(days=number) for number in range((period.end - period.start).days + 1)]

    def _years(self, t: int, first: date | None, last: date | None) -> Fraction:
        """The part of a year that a period has between two days: each day is so much of its own year, or of the one it stands for."""
        inside = [day for day in self.days(t) if _within(day, first, last)]
        if self.horizon.periods[t].steady:
            return Fraction(len(inside), len(self.days(t)))
        by_year = Counter(day.year for day in inside)
        lengths = {year: (date(year, 12, 31) - date(year, 1, 1)).days + 1 for year in by_year}
        return sum((Fraction(number, lengths[year]) for year, number in by_year.items()), Fraction(0))

    def _label(self, t: int) -> str:
        return self.horizon.label(t)


def _within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or first <= day) and (last is None or day <= last)


def _months_after(day: date, months: int) -> date:
    """The same day some months later, or the last one of that month."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for number in range(day.day, 27, -1):
        with suppress(ValueError):
            return date(year, month, number)
    return date(year, month, day.day)


def _begun(lane: Lane, day: date) -> bool:
    return lane.start is None or lane.start <= day


def _since(lane: Lane) -> date:
    return lane.start or date.min


def _holds(quote: Quote, day: date) -> bool:
    return _within(day, quote.start, quote.end)


def _apart(stated: Decimal, again: Fraction) -> bool:
    """Whether two figures differ by more than their digits."""
    return abs(Fraction(stated) - again) > DIGITS * max(abs(Fraction(stated)), abs(again))


def _differs(what: str, stated: object, again: object) -> Diagnostic:
    """That a figure comes out otherwise the second time."""
    shown = "none" if again is None else f"{float(again):.15g}" if isinstance(again, Fraction | float) else str(again)
    return Diagnostic(f"{what} is not what the records give, derived a second way", found=str(stated), expected=shown)
