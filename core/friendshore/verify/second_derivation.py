"""Second derivation of a plan's input figures, from the records and day by day."""

# The program and the rest of the verifier read prices, capacities, demands, freight, charges, and discount factors from the same problem.
# This module derives those that a plan uses again, directly from the records of catalogs and case. It has its own currency conversion and
# its own calendar (a day is a fraction of its year), and asks the rules for their charges again. A difference is a finding.

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
from ..problem.network import Arc, Node, arrival_of, final_node
from ..rules.answers import as_charge, as_verdict
from ..rules.base import Rule
from .arrivals import arrival_day
from .daily_balance import Arrival, DailyBalance, Pool
from .money import Costing
from .plan_entries import Bought, PlanEntries

DIGITS = Fraction(1, 10**12)
"""Maximum relative difference of two figures. Each is rounded to 15 digits, some more than once."""


def check_figures_again(ledger: PlanEntries, costing: Costing) -> list[Diagnostic]:
    return list(_SecondDerivation(ledger.problem, ledger, costing).findings())


def check_order_days(ledger: PlanEntries, costing: Costing, purchases: Sequence[RunPurchase]) -> list[Diagnostic]:
    """Return an error for each purchase (in the order of the plan) whose order day in a run differs from the second derivation."""
    return list(_SecondDerivation(ledger.problem, ledger, costing).order_day_findings(purchases))


def check_run_again(ledger: PlanEntries, costing: Costing, purchases: Sequence[RunPurchase]) -> list[Diagnostic]:
    """Return the errors of `check_figures_again` and `check_order_days`, derived once."""
    derivation = _SecondDerivation(ledger.problem, ledger, costing)
    return [*derivation.findings(), *derivation.order_day_findings(purchases)]


class _SecondDerivation:
    def __init__(self, problem: Problem, ledger: PlanEntries, costing: Costing) -> None:
        self.problem, self.ledger, self.costing = problem, ledger, costing
        self.case, self.merged = problem.case, problem.merged
        self.horizon = problem.case.horizon
        self.factors = Factors(problem.merged.factors)
        self.assumptions = {assumption.id: assumption for assumption in self.case.assume.offer}
        self.first_period_by_charges: dict[tuple[tuple[int, Fraction], ...], int] = {}

    def order_day_findings(self, purchases: Sequence[RunPurchase]) -> Iterator[Diagnostic]:
        if self.horizon.until is not None:
            return
        bought = [item for item in self.ledger.bought if item.arc.offer >= 0]
        for item, purchase in zip(bought, purchases, strict=True):
            day, at_once = self.order_day(item)
            where = f"of `{purchase.offer}` to {purchase.place}, ordered in {purchase.ordered}"
            if day != purchase.order_by:
                yield _difference(f"the day of the order {where}", purchase.order_by, day)
            if at_once != purchase.at_once:
                yield _difference(f"the mark `at_once` of the order {where}", purchase.at_once, at_once)

    def findings(self) -> Iterator[Diagnostic]:
        yield from self._discounts()
        yield from self._demand_quantities()
        yield from self._open_orders()
        yield from self._capacities()
        yield from self._prices()
        yield from self._moves()

    def _discounts(self) -> Iterator[Diagnostic]:
        """Check the discount factors `(1 + discount) ^ -(months since the start / 12)`."""
        for t, stated in enumerate(self.problem.discount):
            # Both sides to the twelfth power, so that no root is taken.
            derived = (1 + Fraction(self.case.discount)) ** -(t * self.horizon.length.months)
            if abs(Fraction(stated) ** 12 - derived) > 12 * DIGITS * derived:
                yield _difference(f"the discount factor of {self._label(t)}", stated, float(derived) ** (1 / 12))

    def _demand_quantities(self) -> Iterator[Diagnostic]:
        for demand in self.problem.demands:
            quantities = self._quantities(demand)
            for t, stated in enumerate(demand.quantity):
                if (
                    abs(Fraction(stated) - quantities[t])
                    > Fraction(self.case.resolution) * (self.horizon.count + 1) / 2
                ):
                    yield _difference(f"the demand of `{demand.id}` in {self._label(t)}", stated, quantities[t])

    def _open_orders(self) -> Iterator[Diagnostic]:
        for name, order in zip(self.case.order_names, self.case.orders, strict=True):
            for lot in self.problem.lots:
                is_lot_of_order = lot.on_order and lot.id in (name, f"{name}:{lot.material}")
                if is_lot_of_order and (lot.arrives != order.arrives or order.arrives not in self.days(lot.period)):
                    yield _difference(f"the day on which `{lot.id}` arrives", lot.arrives, order.arrives)

    def _quantities(self, demand: Demand) -> list[Fraction]:
        spec = demand.spec
        factor = basis_factor(demand.use.material, spec.substance, self.factors) or Decimal(0)
        quantities = []
        for t in range(self.horizon.count):
            years = self.years(t, spec.start, spec.end)
            amount = (
                Fraction(spec.quantities[t] if years else 0)
                if spec.quantities
                else Fraction(spec.per_year or 0) * years
            )
            quantities.append(amount * Fraction(factor))
        delay = spec.later // self.horizon.length.months
        for t in range(len(quantities) - 1 if delay else -1, -1, -1):
            quantity, quantities[t] = quantities[t], Fraction(0)
            quantities[min(t + delay, len(quantities) - 1)] += quantity
        return quantities

    def _capacities(self) -> Iterator[Diagnostic]:
        offers_in_use = {offer for offer, _ in self.ledger.units()}
        for pool in self.problem.pools:
            if not offers_in_use.intersection(pool.offers):
                continue
            facility = self.merged.facilities[pool.facility]
            min_confidence = self.case.accept.confidence
            steps = [step for step in facility.capacity if self.merged.confidence(step.source).reaches(min_confidence)]
            steps_by_date = sorted(steps, key=lambda step: step.start or date.min)
            last_days = [step.start - timedelta(days=1) if step.start else None for step in steps_by_date[1:]]
            for t, stated in enumerate(pool.capacity):
                derived, unlimited = Fraction(0), False
                for step, last in zip(steps_by_date, [*last_days, None], strict=True):
                    weight = Fraction(self.case.accept.counts(step.status)) * self.years(t, step.start, last)
                    unlimited = unlimited or bool(weight and step.per_year is None)
                    derived += Fraction(step.per_year or 0) * weight
                if unlimited != (stated is None) or (stated is not None and _are_apart(stated, derived)):
                    yield _difference(f"the capacity of `{pool.facility}` in {self._label(t)}", stated, derived)

    def _prices(self) -> Iterator[Diagnostic]:
        for offer, t in sorted(self.ledger.units()):
            facts = self.problem.offers[offer]
            derived = self.price(offer, t)
            if derived is None or _are_apart(facts.price[t], derived):
                yield _difference(f"the price of `{facts.offer.id}` in {self._label(t)}", facts.price[t], derived)

    @cached_method
    def price(self, position: int, t: int) -> Fraction | None:
        """Return the unit price of an offer ordered in a period. None if it has no price then."""
        offer = self.merged.offers[self.problem.offers[position].offer.id]
        assumption, period = self.assumptions.get(offer.id), self.horizon.periods[t]
        if assumption is not None and assumption.price is not None:
            return self._stated_price(offer, assumption.price, t, self._factor(offer, assumption))
        if not offer.quotes:
            return None if offer.price is None else self._stated_price(offer, offer.price, t, Fraction(1))
        quotes_in_force = [
            quote for quote in offer.quotes if all(_within(day, quote.start, quote.end) for day in self.days(t))
        ]
        if len(quotes_in_force) != 1:
            return None
        return self._in_currency(quotes_in_force[0].amount, quotes_in_force[0].currency, period.start)

    def _factor(self, offer: Offer, assumption: OfferAssumption) -> Fraction:
        material = self.merged.materials[offer.outputs[0].material]
        return Fraction(basis_factor(material, assumption.substance, self.factors) or 1)

    def _stated_price(self, offer: Offer, price: Price, t: int, factor: Fraction) -> Fraction | None:
        """Return a fixed price, or a benchmark price with premium: the last one before the period, or else the first."""
        start = self.horizon.periods[t].start
        if price.amount is not None:
            amount = self._in_currency(price.amount, price.currency, start)
            return None if amount is None else amount / factor
        min_confidence = self.case.accept.confidence
        rows = [
            r
            for r in self.merged.prices.get(price.benchmark, ())
            if self.merged.confidence(r.source).reaches(min_confidence)
        ]
        past = [row for row in rows if row.date <= start]
        if not rows:
            return None
        row = max(past, key=lambda r: (r.date, r.amount)) if past else min(rows, key=lambda r: (r.date, r.amount))
        money = self._in_currency(row.amount * (1 + price.premium), row.currency, start)
        content = self._content(row.material, offer.outputs[0].material)
        return None if money is None or content is None else money * content

    def _content(self, quoted: str, delivered: str) -> Fraction | None:
        quoted_material, delivered_material = self.merged.materials[quoted], self.merged.materials[delivered]
        if quoted == delivered or (
            quoted_material.basis == delivered_material.basis and quoted_material.basis != "gross"
        ):
            return Fraction(1)
        delivered_content = content_of(delivered_material, self.factors)
        quoted_content = content_of(quoted_material, self.factors)
        if quoted_material.element != delivered_material.element or not delivered_content or not quoted_content:
            return None
        return Fraction(delivered_content) / Fraction(quoted_content)

    def _in_currency(self, amount: Decimal, currency: str, day: date) -> Fraction | None:
        """Convert an amount at the last rate up to a day, or else the first after it. None without a rate."""
        if currency in ("", self.case.currency):
            return Fraction(amount)
        rates: list[tuple[date, Fraction]] = []
        for row in self.merged.rates:
            if (row.currency, row.to) == (currency, self.case.currency):
                rates.append((row.start, Fraction(row.rate)))
            elif (row.currency, row.to) == (self.case.currency, currency):
                rates.append((row.start, 1 / Fraction(row.rate)))
        if not rates:
            return None
        past_rates = [rate for rate in rates if rate[0] <= day]
        return Fraction(amount) * (max(past_rates) if past_rates else min(rates))[1]

    def _moves(self) -> Iterator[Diagnostic]:
        columns, network = self.ledger.columns, self.problem.network.arcs
        purchase_rows = np.flatnonzero(columns.offer >= 0)
        keys = {
            (int(columns.arc[i]), columns.labels[int(columns.compliance_class[i])], int(columns.ordered[i]))
            for i in purchase_rows.tolist()
        }
        for index in sorted({arc for arc, _, _ in keys}):
            yield from self._move(network[index])
        for index, t in sorted({(index, t) for index, _, t in keys} if self.horizon.until is None else ()):
            yield from self._transit(network[index], t)
        for index, label, t in sorted(keys):
            arc = network[index]
            stated = self.costing.charge(arc, label, t)
            derived = max(self._charge_per_kg(arc, use, t) for use in self.costing.uses(arc, label))
            if _are_apart(stated, derived):
                name = self.problem.offers[arc.offer].offer.id
                yield _difference(f"the charges on `{name}` to {arc.node[1]} in {self._label(t)}", stated, derived)

    def _move(self, arc: Arc) -> Iterator[Diagnostic]:
        offer = self.merged.offers[self.problem.offers[arc.offer].offer.id]
        lanes = [lane for lane in offer.lanes if lane.to == arc.node[1]]
        default_freight = (self.case.assume.freight if arc.move.crosses else None) or Decimal(0)
        for period, freight in zip(self.horizon.periods, arc.freight, strict=True):
            lane = max(
                (lane_row for lane_row in lanes if _has_begun(lane_row, period.start)), key=_start_of, default=None
            )
            amount, currency = default_freight, ""
            if lane is not None and lane.freight is not None:
                amount, currency = lane.freight, lane.currency
            derived = self._in_currency(amount, currency, self.horizon.start)
            if derived is None or _are_apart(freight, derived):
                yield _difference(
                    f"the freight of `{offer.id}` to {arc.node[1]} in {self._label(period.index)}", freight, derived
                )
            if len(lanes) < 2 and len(set(arc.freight)) == 1:
                break

    def _transit(self, arc: Arc, t: int) -> Iterator[Diagnostic]:
        """Check transit periods and last order days, day by day for the slowest order of a period."""
        offer = self.problem.offers[arc.offer].offer
        periods, arrives, last = self.transit_times(t, self._lead_times(arc, t), self.problem.offers[arc.offer].pools)
        where = f"to {arc.node[1]}, ordered in {self._label(t)}"
        if periods != min(arc.lags[t], self.horizon.count + 1):
            yield _difference(
                f"the number of periods from order to arrival of `{offer.id}` {where}", arc.lags[t], periods
            )
        if arrives != arc.arrives[t]:
            yield _difference(f"the arrival day within a period of `{offer.id}` {where}", arc.arrives[t], arrives)
        if last != arc.order_by[t]:
            yield _difference(f"the last order day of `{offer.id}` {where}", arc.order_by[t], last)

    def _lead_times(self, arc: Arc, t: int) -> frozenset[Decimal]:
        offer = self.merged.offers[self.problem.offers[arc.offer].offer.id]
        usual_lead = self.case.assume.lead_time if offer.lead_time is None else offer.lead_time
        lanes = [lane for lane in offer.lanes if lane.to == arc.node[1]]
        days = self.days(t) if len(lanes) > 1 else self.days(t)[:1]
        rows = {max((lane for lane in lanes if _has_begun(lane, day)), key=_start_of, default=None) for day in days}
        return frozenset(usual_lead if lane is None or lane.lead_time is None else lane.lead_time for lane in rows)

    def order_day(self, item: Bought) -> tuple[date, bool]:
        """Return the day of an order, and True if it is to be placed at once. Purchases of the same order share its day."""
        order, last = self._order_of(item), self._last_order_day(item)
        early = self._early_order_day(order)
        if early is None:
            return last, False
        return min(early, last), any(
            self._is_short_until(each, early) for each in order if self._may_end_shortage(each)
        )

    def _order_of(self, item: Bought) -> tuple[Bought, ...]:
        single = self.problem.offers[item.arc.offer].has_one_output
        return tuple(
            purchase
            for purchase in self.by_order[item.arc.offer, item.ordered]
            if not single or purchase.arc.index == item.arc.index
        )

    @cached_method
    def _early_order_day(self, order: tuple[Bought, ...]) -> date | None:
        """Return the first day for an order that may end a shortage earlier on the same terms. None for any other order."""
        if not any(map(self._may_end_shortage, order)):
            return None
        last = {purchase.arc.index: self._last_order_day(purchase) for purchase in order}
        first = max(self._first_order_day(purchase, last[purchase.arc.index]) for purchase in order)
        moved = (purchase for purchase in order if first < last[purchase.arc.index])
        return first if all(map(self._on_same_terms, moved)) else None

    def _may_end_shortage(self, item: Bought) -> bool:
        is_awaited = self.is_awaited(item.arc.node, item.compliance_class, item.delivered)
        return is_awaited and not arrival_day(self.ledger, item)

    def _is_short_until(self, item: Bought, ordered: date) -> bool:
        pool, t = (item.arc.node, item.compliance_class), item.delivered
        own = Arrival(arrival_of(item.arc, ordered, self.case), Fraction(item.quantity))
        return self.balance.is_short_until(pool, t - 1, own, self.early_arrivals[pool, t])

    @cached_property
    def balance(self) -> DailyBalance:
        return DailyBalance(self.ledger)

    @cached_property
    def early_arrivals(self) -> dict[tuple[Pool, int], list[Arrival]]:
        """Node, compliance class, and planned period of arrival -> the arrivals that come earlier to end a shortage."""
        days = (
            (item, self._early_order_day(self._order_of(item))) for item in self.ledger.bought if item.arc.offer >= 0
        )
        return grouped(
            (
                ((item.arc.node, item.compliance_class), item.delivered),
                Arrival(arrival_of(item.arc, day, self.case), Fraction(item.quantity)),
            )
            for item, day in days
            if day is not None and self._may_end_shortage(item)
        )

    @cached_property
    def by_order(self) -> dict[tuple[int, int], list[Bought]]:
        return grouped(((item.arc.offer, item.ordered), item) for item in self.ledger.bought if item.arc.offer >= 0)

    def _last_order_day(self, item: Bought) -> date:
        sites = self.problem.offers[item.arc.offer].pools
        return self.transit_times(item.ordered, self._lead_times(item.arc, item.ordered), sites)[2]

    def _first_order_day(self, item: Bought, last: date) -> date:
        """Return the first day of the order period on which all plants operate and inputs have arrived. `last` if lead times change."""
        t, facts = item.ordered, self.problem.offers[item.arc.offer]
        if len(self._lead_times(item.arc, t)) > 1:
            return last
        days = [day for day in self.days(t) if day <= last]
        first = next((day for day in days if all(self.is_operating(site, day) for site in facts.pools)), last)
        inputs = [
            day
            for line in facts.offer.inputs
            for day in self.arrival_days.get((line.material, facts.place, t), ())
            if day <= last
        ]
        return max([first, *inputs])

    @cached_property
    def arrival_days(self) -> dict[tuple[str, str, int], list[date]]:
        days = [(item, arrival_day(self.ledger, item)) for item in self.ledger.bought]
        return grouped(((*item.arc.node, item.delivered), day) for item, day in days if day is not None)

    @cached_method
    def is_awaited(self, node: Node, compliance_class: str, arrives: int) -> bool:
        """Return True if there is a shortage before an arrival, or if an order by a maker could go out earlier and end one."""
        seen, waiting = set[tuple[Node, str, int]](), [(node, compliance_class, arrives - 1)]
        while waiting:
            key = waiting.pop()
            if key in seen or key[2] < 0:
                continue
            seen.add(key)
            if key in self.shortages:
                return True
            for offer in self.offers_drawing.get((*key[:2], key[2] + 1), ()):
                for purchase in self.by_order.get((offer, key[2] + 1), ()):
                    is_affected = purchase.compliance_class == key[1] or not self.problem.offers[offer].has_one_output
                    if (
                        is_affected
                        and self.problem.offers[offer].max_units[key[2]] != 0
                        and not arrival_day(self.ledger, purchase)
                    ):
                        waiting.append((purchase.arc.node, purchase.compliance_class, purchase.delivered - 1))
        return False

    @cached_property
    def shortages(self) -> set[tuple[Node, str, int]]:
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
            and self.balance.serves_later(
                (final_node(problem.demands[outlet.demand].use), each.label), outlet.period, outlet.demand
            )
        }

    @cached_property
    def offers_drawing(self) -> dict[tuple[Node, str, int], set[int]]:
        offers = grouped(((node, label, t), offer) for node, label, t, _, offer in self.ledger.draws())
        return {key: set(offers) for key, offers in offers.items()}

    def _on_same_terms(self, item: Bought) -> bool:
        """Return True if arrival one period earlier has unlimited storage, is allowed for all uses of the class, and costs the same."""
        arc, t, earlier = item.arc, item.ordered, item.delivered - 1
        store = self.problem.stores.get(arc.node)
        if (store is not None and store.limit[earlier] is not None) or item.licenses:
            return False
        if arc.freight[earlier] != arc.freight[item.delivered]:
            return False
        nodes_by_use = self.nodes_by_use_of_class.get(item.compliance_class, {})
        uses = [use for use, nodes in nodes_by_use.items() if arc.node in nodes]
        costs_differ = any(
            _charges_differ(self._charge_per_kg(arc, use, t), self._charge_per_kg(arc, use, t, sooner=1))
            for use in uses
        )
        return bool(uses) and not costs_differ and not any(self._is_prohibited(arc, use, earlier) for use in uses)

    @cached_property
    def nodes_by_use_of_class(self) -> dict[str, dict[Use, frozenset[Node]]]:
        """Compliance class -> its uses, each with all nodes up its chains."""
        demands, reach = self.problem.demands, self.problem.network.reach
        uses = grouped(
            (each.label, demands[o.demand].use) for each in self.problem.compliance_classes for o in each.outlets
        )
        nodes = {
            node: reach(node)[1]
            for node in {final_node(use) for uses_of_class in uses.values() for use in uses_of_class}
        }
        return {label: {use: nodes[final_node(use)] for use in uses_of_class} for label, uses_of_class in uses.items()}

    def _is_prohibited(self, arc: Arc, use: Use, t: int) -> bool:
        """Return True if a trade rule prohibits an arrival in a period or requires a license with a limited quantity."""
        for rule in self.problem.rules:
            if "judge" not in rule.verbs or rule.judge_scope != "trade" or not self._share_in_force(rule, t):
                continue
            with attributed(rule):
                verdict = as_verdict(rule.judge(arc.chained, arc.move, use)) if rule.concerns(use) else PASS
            law = self.problem.law
            if law.forbids(verdict, arc):
                licenses = law.licenses(verdict, arc, use, self.horizon.periods[t].span) if verdict.license else None
                if licenses is None or licenses:
                    return True
        return False

    @cached_method
    def transit_times(self, t: int, leads: frozenset[Decimal], sites: tuple[str, ...]) -> tuple[int, date | None, date]:
        """Return the number of periods until orders of a period's first day have arrived, the arrival day, and the last order day to arrive by then.

        The arrival day is None unless it is within a period because the plant starts to operate within the order period.
        """
        days = self.days(t)
        working_days = [day for day in days if all(day in self._operating_days(site, t) for site in sites)] or days
        period_starts = [days[0]]
        while (
            period_starts[-1] < max(self._arrival(days[0], lead) for lead in leads)
            and len(period_starts) <= self.horizon.count + 1
        ):
            period_starts.append(
                _months_after(self.horizon.start, (t + len(period_starts)) * self.horizon.length.months)
            )
        arrival = (
            max(self._arrival(working_days[0], lead) for lead in leads)
            if working_days[0] > days[0]
            else period_starts[-1]
        )
        while (
            next_start := _months_after(self.horizon.start, (t + len(period_starts)) * self.horizon.length.months)
        ) <= arrival:
            period_starts.append(next_start)
        arrival_limit = max(arrival, period_starts[-1])
        last_order_day = next(
            day for day in reversed(working_days) if all(self._arrival(day, lead) <= arrival_limit for lead in leads)
        )
        return len(period_starts) - 1, arrival if arrival > period_starts[-1] else None, last_order_day

    @cached_method
    def _operating_days(self, site: str, t: int) -> frozenset[date]:
        return frozenset(day for day in self.days(t) if self.is_operating(site, day))

    def is_operating(self, site: str, day: date) -> bool:
        min_confidence = self.case.accept.confidence
        steps = [
            step
            for step in self.merged.facilities[site].capacity
            if self.merged.confidence(step.source).reaches(min_confidence)
        ]
        begun_steps = [step for step in steps if step.start is None or step.start <= day]
        step = max(begun_steps, key=lambda step: step.start or date.min, default=None)
        return step is not None and step.per_year != 0 and self.case.accept.counts(step.status) > 0

    def _arrival(self, day: date, lead: Decimal) -> date:
        for duration in (lead, self.case.assume.safety_lead):
            day = _months_after(day, int(duration)) if duration == int(duration) else day
        for duration in (lead, self.case.assume.safety_lead):
            if duration != int(duration):
                day += timedelta(days=math.ceil(duration * 365 / 12 - Decimal("0.000001")))
        return day

    def _charge_per_kg(self, arc: Arc, use: Use, t: int, sooner: int = 0) -> Fraction:
        """Return all charges per kilogram ordered in a period, for the most expensive possible customs origin."""
        # Rules get the value as a stored number. It is that of the problem, which `_prices` has compared with the records.
        value = self.costing.charges.value(arc, t)
        arrival = self.representative(arc.arrival(t) - sooner)
        origins, complete = arc.chained.origins
        possible = origins if complete else origins.union(country_names())
        return max(self.charge_from(arc.index, use, origin, value, arrival) for origin in possible)

    @cached_method
    def charge_from(self, index: int, use: Use, origin: str, value: Decimal, arrival: int) -> Fraction:
        arc, total = self.problem.network.arcs[index], Fraction(0)
        for position, share in self.charging_rules(arrival):
            rule = self.problem.rules[position]
            with attributed(rule):
                amount = as_charge(rule.charge(arc.chained, arc.move, use, origin, value))
            if amount:
                total += Fraction(amount) * share
        return total

    @cached_method
    def charging_rules(self, t: int) -> tuple[tuple[int, Fraction], ...]:
        shares = [
            (position, self._share_in_force(rule, t))
            for position, rule in enumerate(self.problem.rules)
            if "charge" in rule.verbs
        ]
        return tuple((position, share) for position, share in shares if share)

    @cached_method
    def representative(self, t: int) -> int:
        return self.first_period_by_charges.setdefault(self.charging_rules(t), t)

    def _share_in_force(self, rule: Rule, t: int) -> Fraction:
        period = self.horizon.periods[t]
        days = range(period.start.toordinal(), period.end.toordinal() + 1)
        days_in_force: set[int] = set()
        for phase in rule.phases:
            if phase.status in self.problem.law.statuses:
                first = phase.start.toordinal() if phase.start else days.start
                last = phase.end.toordinal() if phase.end else days.stop
                days_in_force.update(range(max(first, days.start), min(last + 1, days.stop)))
        return Fraction(len(days_in_force), len(days))

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
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for number in range(day.day, 27, -1):
        with suppress(ValueError):
            return date(year, month, number)
    return date(year, month, day.day)


def _has_begun(lane: Lane, day: date) -> bool:
    return lane.start is None or lane.start <= day


def _start_of(lane: Lane) -> date:
    return lane.start or date.min


def _are_apart(stated: Decimal, derived: Fraction) -> bool:
    return abs(Fraction(stated) - derived) > DIGITS * max(abs(Fraction(stated)), abs(derived))


def _charges_differ(first: Fraction, second: Fraction) -> bool:
    """Return True if two charges differ by more than rounding of the shares of days allows."""
    return abs(first - second) > Fraction(1, 10**10) * max(abs(first), abs(second))


def _difference(subject: str, stated: object, derived: object) -> Diagnostic:
    derived_text = (
        "none"
        if derived is None
        else f"{float(derived):.15g}"
        if isinstance(derived, Fraction | float)
        else str(derived)
    )
    message = f"{subject} differs from its second derivation from the records"
    return Diagnostic(message, found=str(stated), expected=derived_text, code="FS635")
