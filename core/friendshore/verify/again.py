"""Second derivation of a plan's input figures, from the records and day by day.

The program and the rest of the verifier read prices, capacities, demands, freight, charges, and discount factors from the same problem. This module
derives those that a plan uses again, directly from the records of catalogs and case. It has its own currency conversion and its own calendar (a day
is a fraction of its year), and asks the rules for their charges again. A difference is a finding.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property

import numpy as np

from ..domain.base import grouped
from ..domain.basis import Factors, basis_factor, content_of
from ..domain.case import OfferAssumption
from ..domain.countries import country_names
from ..domain.facts import Lane, Offer, Price
from ..domain.run import RunPurchase
from ..domain.runtime import cached_method
from ..domain.use import PASS, Use
from ..errors import Diagnostic
from ..plugins import attributed
from ..problem import Problem
from ..problem.demands import Demand
from ..problem.network import Arc, Node, final_node
from ..rules.answers import as_charge, as_verdict
from ..rules.base import Rule
from .arrivals import arrival_day
from .money import Costing
from .plan_entries import Bought, PlanEntries

DIGITS = Fraction(1, 10**12)
"""Maximum relative difference of two figures. Each is rounded to 15 digits, some more than once."""


def derived_again(ledger: PlanEntries, costing: Costing) -> list[Diagnostic]:
    """Return the figures used by a plan whose second derivation differs."""
    return list(_Again(ledger.problem, ledger, costing).findings())


def order_days_again(ledger: PlanEntries, costing: Costing, purchases: Sequence[RunPurchase]) -> list[Diagnostic]:
    """Return the purchases (in the order of the plan) whose order day in a run differs from the second derivation."""
    again, found = _Again(ledger.problem, ledger, costing), list[Diagnostic]()
    bought = [item for item in ledger.bought if item.arc.offer >= 0]
    if ledger.problem.case.horizon.until is not None:
        return found
    for item, purchase in zip(bought, purchases, strict=True):
        day, at_once = again.order_day(item)
        where = f"of `{purchase.offer}` to {purchase.place}, ordered in {purchase.ordered}"
        if day != purchase.order_by:
            found.append(_differs(f"the day of the order {where}", purchase.order_by, day))
        if at_once != purchase.at_once:
            found.append(
                _differs(f"the word that an order is to be placed at once, {where},", purchase.at_once, at_once)
            )
    return found


class _Again:
    def __init__(self, problem: Problem, ledger: PlanEntries, costing: Costing) -> None:
        self.problem, self.ledger, self.costing = problem, ledger, costing
        self.case, self.merged = problem.case, problem.merged
        self.horizon = problem.case.horizon
        self.factors = Factors(problem.merged.factors)
        self.assumed = {one.id: one for one in self.case.assume.offer}
        self.first: dict[tuple[tuple[int, Fraction], ...], int] = {}

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._discounts()
        yield from self._wanted()
        yield from self._on_order()
        yield from self._capacities()
        yield from self._prices()
        yield from self._moves()

    def _discounts(self) -> Iterator[Diagnostic]:
        """Check the discount factors `(1 + discount) ^ -(months since the start / 12)`."""
        for t, stated in enumerate(self.problem.discount):
            # Both sides to the twelfth power, so that no root is taken.
            again = (1 + Fraction(self.case.discount)) ** -(t * self.horizon.length.months)
            if abs(Fraction(stated) ** 12 - again) > 12 * DIGITS * again:
                yield _differs(f"what money of {self._label(t)} counts for", stated, float(again) ** (1 / 12))

    def _wanted(self) -> Iterator[Diagnostic]:
        """Check the quantity of each demand, up to rounding to the resolution."""
        for demand in self.problem.demands:
            wanted = self._quantities(demand)
            for t, stated in enumerate(demand.quantity):
                if abs(Fraction(stated) - wanted[t]) > Fraction(self.case.resolution) * (self.horizon.count + 1) / 2:
                    yield _differs(f"what `{demand.id}` wants in {self._label(t)}", stated, wanted[t])

    def _on_order(self) -> Iterator[Diagnostic]:
        """Check the arrival day of each open order, and its period."""
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
        """Check the capacity of each facility in use, from the step in force on each day, weighted by its status."""
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
        """Check the unit price of everything ordered or made."""
        for offer, t in sorted(self.ledger.units()):
            facts = self.problem.offers[offer]
            again = self.price(offer, t)
            if again is None or _apart(facts.price[t], again):
                yield _differs(f"the price of `{facts.offer.id}` in {self._label(t)}", facts.price[t], again)

    @cached_method
    def price(self, position: int, t: int) -> Fraction | None:
        """Return the unit price of an offer ordered in a period. None if it has no price then."""
        offer = self.merged.offers[self.problem.offers[position].offer.id]
        given, period = self.assumed.get(offer.id), self.horizon.periods[t]
        if given is not None and given.price is not None:
            return self._stated(offer, given.price, t, self._factor(offer, given))
        if not offer.quotes:
            return None if offer.price is None else self._stated(offer, offer.price, t, Fraction(1))
        holding = [quote for quote in offer.quotes if all(_within(day, quote.start, quote.end) for day in self.days(t))]
        if len(holding) != 1:
            return None
        return self._exchanged(holding[0].amount, holding[0].currency, period.start)

    def _factor(self, offer: Offer, given: OfferAssumption) -> Fraction:
        material = self.merged.materials[offer.outputs[0].material]
        return Fraction(basis_factor(material, given.substance, self.factors) or 1)

    def _stated(self, offer: Offer, price: Price, t: int, factor: Fraction) -> Fraction | None:
        """Return a fixed price, or a benchmark price with premium: the last one before the period, or else the first."""
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
        """Convert an amount to the case's currency, at the last rate up to a day, or else the first after it. None without a rate."""
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
        """Check freight, lead times, last order days, and charges of every arc with purchases."""
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
        """Check the periods from order to arrival and the last order day, day by day for the slowest order of a period."""
        offer = self.problem.offers[arc.offer].offer
        periods, arrives, last = self.timed(t, self._leads(arc, t), self.problem.offers[arc.offer].pools)
        where = f"to {arc.node[1]}, ordered in {self._label(t)}"
        if periods != min(arc.lags[t], self.horizon.count + 1):
            yield _differs(f"the periods that `{offer.id}` takes {where}", arc.lags[t], periods)
        if arrives != arc.arrives[t]:
            yield _differs(f"the day within a period on which `{offer.id}` arrives {where}", arc.arrives[t], arrives)
        if last != arc.order_by[t]:
            yield _differs(f"the last day of an order of `{offer.id}` {where}", arc.order_by[t], last)

    def _leads(self, arc: Arc, t: int) -> frozenset[Decimal]:
        offer = self.merged.offers[self.problem.offers[arc.offer].offer.id]
        own = self.case.assume.lead_time if offer.lead_time is None else offer.lead_time
        lanes = [lane for lane in offer.lanes if lane.to == arc.node[1]]
        days = self.days(t) if len(lanes) > 1 else self.days(t)[:1]
        rows = {max((one for one in lanes if _begun(one, day)), key=_since, default=None) for day in days}
        return frozenset(own if r is None or r.lead_time is None else r.lead_time for r in rows)

    def order_day(self, item: Bought) -> tuple[date, bool]:
        """Return the day of an order, and True if it is to be placed at once. Purchases of the same order share its day."""
        single = self.problem.offers[item.arc.offer].single
        order = [
            one for one in self.by_order[item.arc.offer, item.ordered] if not single or one.arc.index == item.arc.index
        ]
        last = {one.arc.index: self._last(one) for one in order}
        if not any(
            self.awaited(one.arc.node, one.requirement, one.delivered)
            for one in order
            if not arrival_day(self.ledger, one)
        ):
            return last[item.arc.index], False
        first = max(self._first(one, last[one.arc.index]) for one in order)
        if not all(self._on_same_terms(one) for one in order if first < last[one.arc.index]):
            return last[item.arc.index], False
        return min(first, last[item.arc.index]), True

    @cached_property
    def by_order(self) -> dict[tuple[int, int], list[Bought]]:
        return grouped(((item.arc.offer, item.ordered), item) for item in self.ledger.bought if item.arc.offer >= 0)

    def _last(self, item: Bought) -> date:
        sites = self.problem.offers[item.arc.offer].pools
        return self.timed(item.ordered, self._leads(item.arc, item.ordered), sites)[2]

    def _first(self, item: Bought, last: date) -> date:
        """Return the first day of the order period on which all plants operate and inputs arriving in the period are available. `last` if lead times change."""
        t, facts = item.ordered, self.problem.offers[item.arc.offer]
        if len(self._leads(item.arc, t)) > 1:
            return last
        days = [day for day in self.days(t) if day <= last]
        first = next((day for day in days if all(self.works(site, day) for site in facts.pools)), last)
        inputs = [
            day
            for line in facts.offer.inputs
            for day in self.arriving.get((line.material, facts.place, t), ())
            if day <= last
        ]
        return max([first, *inputs])

    @cached_property
    def arriving(self) -> dict[tuple[str, str, int], list[date]]:
        """Arrival days within a period, by material, place, and period."""
        days = [(item, arrival_day(self.ledger, item)) for item in self.ledger.bought]
        return grouped(((*item.arc.node, item.delivered), day) for item, day in days if day is not None)

    @cached_method
    def awaited(self, node: Node, requirement: str, arrives: int) -> bool:
        """Return True if there is a shortage in the period before an arrival, or if an order by a maker could go out earlier and end one.

        Shortages are derived from demands and deliveries.
        """
        seen, waiting = set[tuple[Node, str, int]](), [(node, requirement, arrives - 1)]
        while waiting:
            key = waiting.pop()
            if key in seen or key[2] < 0:
                continue
            seen.add(key)
            if key in self.lacking:
                return True
            for offer in self.drawing.get((*key[:2], key[2] + 1), ()):
                for one in self.by_order.get((offer, key[2] + 1), ()):
                    own = one.requirement == key[1] or not self.problem.offers[offer].single
                    if own and self.problem.offers[offer].most[key[2]] != 0 and not arrival_day(self.ledger, one):
                        waiting.append((one.arc.node, one.requirement, one.delivered - 1))
        return False

    @cached_property
    def lacking(self) -> set[tuple[Node, str, int]]:
        """Nodes, compliance classes, and periods with a shortage of more than ten steps of the resolution in a demand that they serve."""
        problem, short = self.problem, dict[tuple[int, int], Decimal]()
        for number, demand in enumerate(problem.demands):
            short |= {(number, t): quantity for t, quantity in enumerate(demand.quantity)}
        for delivery, number in self.ledger.deliveries:
            short[number, delivery.period] -= delivery.quantity
        return {
            (final_node(problem.demands[outlet.demand].use), each.label, outlet.period)
            for each in problem.compliance_classes
            for outlet in each.outlets
            if short[outlet.demand, outlet.period] > 10 * self.case.resolution
        }

    @cached_property
    def drawing(self) -> dict[tuple[Node, str, int], set[int]]:
        """Offers that draw inputs, by node, compliance class, and period."""
        found = grouped(((node, label, t), offer) for node, label, t, _, offer in self.ledger.draws())
        return {key: set(offers) for key, offers in found.items()}

    def _on_same_terms(self, item: Bought) -> bool:
        """Return True if arrival one period earlier has the same terms: unlimited storage, allowed for all uses of the compliance class, and equal cost."""
        arc, t, before = item.arc, item.ordered, item.delivered - 1
        store = self.problem.stores.get(arc.node)
        if (store is not None and store.limit[before] is not None) or item.licences:
            return False
        if arc.freight[before] != arc.freight[item.delivered]:
            return False
        reached = self.served.get(item.requirement, {})
        uses = [use for use, nodes in reached.items() if arc.node in nodes]
        dear = any(_apart_by(self._charge(arc, use, t), self._charge(arc, use, t, sooner=1)) for use in uses)
        return bool(uses) and not dear and not any(self._barred(arc, use, before) for use in uses)

    @cached_property
    def served(self) -> dict[str, dict[Use, frozenset[Node]]]:
        """Uses that each compliance class serves, with all nodes up their chains."""
        demands, reach = self.problem.demands, self.problem.network.reach
        uses = grouped(
            (each.label, demands[o.demand].use) for each in self.problem.compliance_classes for o in each.outlets
        )
        nodes = {node: reach(node)[1] for node in {final_node(use) for some in uses.values() for use in some}}
        return {label: {use: nodes[final_node(use)] for use in some} for label, some in uses.items()}

    def _barred(self, arc: Arc, use: Use, t: int) -> bool:
        """Return True if a trade rule prohibits an arrival in a period or requires a license with a limited quantity."""
        for rule in self.problem.rules:
            if "judge" not in rule.verbs or rule.bears_on != "trade" or not self._held(rule, t):
                continue
            with attributed(rule):
                verdict = as_verdict(rule.judge(arc.chained, arc.move, use)) if rule.concerns(use) else PASS
            law = self.problem.law
            if law.forbids(verdict, arc):
                licences = law.licences(verdict, arc, use, self.horizon.periods[t].span) if verdict.licence else None
                if licences is None or licences:
                    return True
        return False

    @cached_method
    def timed(self, t: int, leads: frozenset[Decimal], sites: tuple[str, ...]) -> tuple[int, date | None, date]:
        """Return the number of periods until orders of a period's first day have arrived, the arrival day, and the last order day to arrive by then.

        The arrival day is None unless it is within a period because the plant starts to operate within the order period.
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

    @cached_method
    def works(self, site: str, day: date) -> bool:
        """Return True if a facility has capacity on a day, by the last step that has begun."""
        least = self.case.accept.confidence
        steps = [
            one for one in self.merged.facilities[site].capacity if self.merged.confidence(one.source).reaches(least)
        ]
        begun = [one for one in steps if one.start is None or one.start <= day]
        step = max(begun, key=lambda one: one.start or date.min, default=None)
        return step is not None and step.per_year != 0 and self.case.accept.counts(step.status) > 0

    def _there(self, day: date, lead: Decimal) -> date:
        """Return the arrival day of an order placed on a day, with the safety lead time."""
        for duration in (lead, self.case.assume.safety_lead):
            day = _months_after(day, int(duration)) if duration == int(duration) else day
        for duration in (lead, self.case.assume.safety_lead):
            if duration != int(duration):
                day += timedelta(days=math.ceil(duration * 365 / 12 - Decimal("0.000001")))
        return day

    def _charge(self, arc: Arc, use: Use, t: int, sooner: int = 0) -> Fraction:
        """Return all charges per kilogram ordered in a period, for the most expensive possible customs origin. It may arrive `sooner` by some periods."""
        # What a rule is told of the value is a stored number: that of the problem, which `_prices` has held against the records.
        value = self.costing.charges.value(arc, t)
        arrival = self.alike(arc.arrival(t) - sooner)
        origins, complete = arc.chained.origins
        possible = origins if complete or not arc.chained.performed else origins.union(country_names())
        return max(self.charged(arc.index, use, origin, value, arrival) for origin in possible)

    @cached_method
    def charged(self, index: int, use: Use, origin: str, value: Decimal, arrival: int) -> Fraction:
        """Return all charges per kilogram from one origin that arrives in a period."""
        arc, charged = self.problem.network.arcs[index], Fraction(0)
        for place, part in self.charging(arrival):
            rule = self.problem.rules[place]
            with attributed(rule):
                amount = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            if amount:
                charged += Fraction(amount) * part
        return charged

    @cached_method
    def charging(self, t: int) -> tuple[tuple[int, Fraction], ...]:
        """Return the positions of the rules that charge, each with the share of the period's days on which it is in force."""
        held = [(place, self._held(rule, t)) for place, rule in enumerate(self.problem.rules) if "charge" in rule.verbs]
        return tuple((place, part) for place, part in held if part)

    @cached_method
    def alike(self, t: int) -> int:
        """Return the first period seen with the same charging rules on the same share of days."""
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

    @cached_method
    def days(self, t: int) -> list[date]:
        period = self.horizon.periods[t]
        return [period.start + timedelta(days=number) for number in range((period.end - period.start).days + 1)]

    @cached_method
    def years(self, t: int, first: date | None, last: date | None) -> Fraction:
        """Return the years that a period has between two days. Each day is a fraction of its own year, or of the year that the period represents."""
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
    """Return the same day some months later, or the last day of that month."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for number in range(day.day, 27, -1):
        with suppress(ValueError):
            return date(year, month, number)
    return date(year, month, day.day)


def _begun(lane: Lane, day: date) -> bool:
    return lane.start is None or lane.start <= day


def _since(lane: Lane) -> date:
    return lane.start or date.min


def _apart(stated: Decimal, again: Fraction) -> bool:
    """Return True if two figures differ by more than their digits allow."""
    return abs(Fraction(stated) - again) > DIGITS * max(abs(Fraction(stated)), abs(again))


def _apart_by(one: Fraction, other: Fraction) -> bool:
    """Return True if two charges differ by more than rounding of the shares of days allows."""
    return abs(one - other) > Fraction(1, 10**10) * max(abs(one), abs(other))


def _differs(what: str, stated: object, again: object) -> Diagnostic:
    """Return the diagnostic for a figure whose second derivation differs."""
    shown = "none" if again is None else f"{float(again):.15g}" if isinstance(again, Fraction | float) else str(again)
    return Diagnostic(f"{what} is not what the records give, derived a second way", found=str(stated), expected=shown)
