"""Amounts before a roll that reduce lots and count toward limits. Placed orders and, for shares, earlier demand count on the rows of the old plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Any

from ..domain.base import exact, grouped, totals
from ..domain.case import CarryoverSpec
from ..domain.plan import LotUse, Make, Purchase
from ..domain.time import Horizon, Span
from ..problem.demands import round_to
from ..problem.network import Node
from ..problem.rule_facts import ProblemFacts, rows_of
from ..rules.base import Rule
from ..rules.rows import Row, single_rows
from ..rules.terms import BoughtTerm, DiscountsTerm, FixedTerm, HoldingTerm, MakingTerm, OnboardingTerm, SpentTerm, Term
from ..verify import VerifiedPlan
from ..verify.amounts import Amounts
from ..verify.limits import TermValues
from ..verify.money import Costing, placed_orders
from ..verify.plan_entries import PlanEntries
from .sheet import PlacedLine

_SUMMABLE_TERMS = (BoughtTerm, SpentTerm, MakingTerm, OnboardingTerm, FixedTerm, DiscountsTerm, HoldingTerm)
"""Terms that are evaluated for the placed orders. Others, such as the number of suppliers, aren't sums of orders."""
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """Amounts before a roll that count in the new plan."""

    rows: tuple[CarryoverSpec, ...]
    restarted: tuple[str, ...]
    """Rules per year, or over the plan, that start again because they aren't sums of orders."""
    exceeded: tuple[tuple[str, Decimal], ...]
    pins: tuple[dict[str, Any], ...] = ()
    """Rules of the new case that limit a capacity, or an offer's total, to what the placed orders left."""
    unpinned: tuple[str, ...] = ()
    """Names of rules that can't be stated, because the offer has several outputs."""


PIN_PREFIX = "placed-before"


def carried_over(
    verified: VerifiedPlan,
    horizon: Horizon,
    placed: Sequence[PlacedLine],
    received: Sequence[RolledLot],
    stocks: Sequence[RolledLot],
) -> EarlierUse:
    """Return the amounts that count in the new plan. `received` and `stocks` are the lots of the old plan after its use."""
    return _Carryover(verified, horizon, placed, received, stocks).earlier_use()


@dataclass
class _Carryover:
    verified: VerifiedPlan
    horizon: Horizon
    placed: Sequence[PlacedLine]
    received: Sequence[RolledLot]
    stocks: Sequence[RolledLot]

    @property
    def day(self) -> date:
        return self.horizon.start

    def earlier_use(self) -> EarlierUse:
        problem = self.verified.problem
        periods = problem.case.horizon.periods
        past_years = {str(year) for year in range(periods[0].start.year, self.day.year)}
        earlier_by_row = {(spec.rule, spec.row): spec for spec in problem.case.carryovers}
        specs: list[CarryoverSpec] = []
        restarted: list[str] = []
        exceeded: list[tuple[str, Decimal]] = []
        rows_by_rule: dict[int, tuple[Rule, list[Row]]] = {}
        for rule, rows in problem.limit_rows:
            rows_by_rule.setdefault(id(rule), (rule, []))[1].extend(single_rows(rows))
        for rule, rows_of_rule in rows_by_rule.values():
            if getattr(rule, "per", "") not in ("year", "horizon"):
                continue
            if getattr(rule, "counts", "") == "used" or not all(
                isinstance(t, _SUMMABLE_TERMS) for r in rows_of_rule for t in r.terms
            ):
                restarted.append(rule.id)
                continue
            remaining = {row.label: row for row in self._remaining_rows(rule)}
            for row in rows_of_rule:
                if past_years.intersection(row.label.split()):
                    continue
                no_earlier = CarryoverSpec(rule=rule.id, row=row.label, used=_ZERO)
                earlier = earlier_by_row.get((rule.id, row.label), no_earlier)
                used = earlier.used + self._used(rule, row)
                allowed = earlier.allowed + _limit_of(row) - _limit_of(remaining.get(row.label))
                if used or allowed:
                    specs.append(
                        CarryoverSpec(
                            rule=rule.id,
                            row=row.label,
                            used=exact(used),
                            allowed=exact(allowed),
                            why=f"before {self.day}",
                        )
                    )
                excess = used - earlier.used - row.at_most if row.at_most is not None else _ZERO
                if excess > problem.case.resolution and row.only_adds:
                    exceeded.append((f"{rule.id}: {row.label}", excess))
        pins = [*self._total_pins(), *self._capacity_pins()]
        return EarlierUse(
            tuple(specs),
            tuple(restarted),
            tuple(exceeded),
            tuple(pin for pin in pins if "at_most" in pin),
            tuple(pin["id"] for pin in pins if "at_most" not in pin),
        )

    def _total_pins(self) -> Iterator[dict[str, Any]]:
        """Yield a rule for each offer with a total over the plan. Without `at_most`, it can't be stated."""
        problem = self.verified.problem
        rule_ids = {rule.id for rule in problem.rules}
        for facts in problem.offers:
            used = sum((placed.quantity for placed in self._new if placed.line.offer == facts.offer.id), _ZERO)
            name = f"{PIN_PREFIX}-total-{facts.offer.id}"
            if facts.offer.total is None or not used or name in rule_ids:  # the carryover of an existing rule has it
                continue
            pin = {
                "kind": "pin",
                "id": name,
                "title": f"Left of {facts.offer.id} after orders placed before {self.day}",
            }
            left = max(facts.offer.total - used, _ZERO)
            yield pin | (
                {"offer": facts.offer.id, "at_most": _mass(left), "dated_by": "order"} if facts.has_one_output else {}
            )

    def _capacity_pins(self) -> Iterator[dict[str, Any]]:
        """Yield a rule for each capacity if orders used more than the days before the new plan provide. Without `at_most`, it can't be stated."""
        problem = self.verified.problem
        at = problem.case.horizon.find(self.day)
        if at is None or problem.case.horizon.periods[at].start == self.day:
            return
        period = problem.case.horizon.periods[at]
        end = max(new_period.end for new_period in self.horizon.periods if new_period.start <= period.end)
        units: defaultdict[str, Decimal] = defaultdict(Decimal)
        for placed in self._new:
            if placed.line.ordered == at:
                units[placed.line.offer] += placed.quantity
        limited = [
            (pool.facility, pool.capacity, [problem.offers[i] for i in pool.offers], False) for pool in problem.pools
        ]
        for facts in problem.offers:
            rate = facts.offer.max_per_year
            if rate is not None:
                all_years = [each.years for each in problem.case.horizon.periods]
                own_limit = tuple(exact(rate * years.numerator / years.denominator) for years in all_years)
                limited.append((facts.offer.id, own_limit, [facts], True))
        for name, capacity, offers, is_own_limit in limited:
            weights = {facts.offer.id: Decimal(1) if is_own_limit else facts.offer.capacity_use for facts in offers}
            used = sum((units[offer] * weight for offer, weight in weights.items() if offer in units), _ZERO)
            if capacity[at] is None or not used:
                continue
            excess = used - self._capacity_between(capacity, period.start, self.day - timedelta(days=1))
            if excess <= problem.case.resolution:
                continue
            left = max(self._capacity_between(capacity, self.day, end) - excess, _ZERO)
            pin = {
                "kind": "pin",
                "id": f"{PIN_PREFIX}-{self.day}-{name}",
                "title": f"Left of {name} up to {end} after orders placed before {self.day}",
            }
            counted = {offer: weight for offer, weight in weights.items() if weight}
            limit = {"offers": counted, "at_most": _mass(left), "dated_by": "order", "from": self.day, "until": end}
            yield pin | (limit if all(facts.has_one_output for facts in offers) else {})

    def _capacity_between(self, capacity: Sequence[Decimal | None], first: date, last: date) -> Decimal:
        """Return the capacity from a day to another. Periods with unlimited capacity count as 0."""
        total = Fraction(0)
        for period, quantity in zip(self.verified.problem.case.horizon.periods, capacity, strict=True):
            days = Span(start=first, end=last).days_within(period.span)
            total += Fraction(quantity or 0) * days / period.days
        return round_to(total, self.verified.problem.case.resolution)

    def _remaining_rows(self, rule: Rule) -> Iterator[Row]:
        problem = self.verified.problem
        for rows in rows_of(rule, problem.case.horizon.periods, problem.law, self._remaining_facts):
            yield from single_rows(rows)

    @cached_property
    def _remaining_facts(self) -> ProblemFacts:
        problem = self.verified.problem
        demands = []
        for demand in problem.demands:
            quantities = []
            for period, quantity in zip(problem.case.horizon.periods, demand.quantity, strict=True):
                if period.end < self.day or not quantity:
                    quantities.append(_ZERO)
                elif period.start >= self.day:
                    quantities.append(quantity)
                else:
                    share = demand.share_from(period, self.day)
                    quantities.append(round_to(share * Fraction(quantity), problem.case.resolution))
            demands.append(replace(demand, quantity=tuple(quantities)))
        facts = copy(problem.facts)
        facts.__dict__.update(demands=demands, _all_demands=demands)
        return facts

    def _used(self, rule: Rule, row: Row) -> Decimal:
        if getattr(rule, "include_stock", False):
            values = self._by_use
        else:
            by_order = rule.dated_by == "order" or not all(isinstance(term, BoughtTerm) for term in row.terms)
            values = self._by_order if by_order else self._by_arrival
        total = _ZERO
        for term in row.terms:
            if isinstance(term, HoldingTerm):
                total += self._past_holding(term)
                continue
            value = values.value(term)[0]
            # A discount depends on all orders of its span, so that it isn't certain yet.
            total += max(value, _ZERO) if isinstance(term, DiscountsTerm) else value
        return total

    def _past_holding(self, term: HoldingTerm) -> Decimal:
        is_past = [period.end < self.day for period in self.verified.problem.case.horizon.periods]
        mask = [is_past[t] for t in term.periods.tolist()]
        past: Term = replace(term, nodes=term.nodes[mask], periods=term.periods[mask], weight=term.weight[mask])
        return self.verified.readings.values.value(past)[0]

    @cached_property
    def _by_order(self) -> TermValues:
        """Values of terms by the period of the order."""
        purchases = [each for placed in self._new for each in _purchases(placed, self._resolution)]
        return self._term_values(purchases, self._makes)

    @cached_property
    def _by_arrival(self) -> TermValues:
        """Values of terms by the period of the confirmed arrival."""
        purchases = [
            self._at_confirmed_arrival(each, placed)
            for placed in self._new
            for each in _purchases(placed, self._resolution)
        ]
        return self._term_values(purchases, self._makes)

    @cached_property
    def _by_use(self) -> TermValues:
        """Values of terms for used stock and used arrivals. The new plan counts the rest as stock or open orders."""
        purchases = []
        for number, placed in {placed.number: placed for placed in self._new}.items():
            for purchase in _purchases(placed, self._resolution):
                quantity = round_to(purchase.quantity * self._used_share(number, purchase.material), self._resolution)
                purchases.append(self._at_confirmed_arrival(purchase.but(quantity=quantity), placed))
        stocks = {lot.name: lot for lot in self.stocks}
        lot_uses = [
            lot_use.but(quantity=round_to(lot_use.quantity * lot.used / lot.quantity, self._resolution))
            for lot_use in self.verified.plan.lots
            if (lot := stocks.get(lot_use.lot)) is not None and lot.quantity
        ]
        return self._term_values(purchases, (), lot_uses)

    def _used_share(self, number: str, material: str) -> Decimal:
        """Return the share of a received order that was used. 0 if it didn't arrive."""
        lots = [
            lot for lot in self.received if lot.name in (number, f"{number}/{material}") and lot.node[0] == material
        ]
        quantity = sum((lot.quantity for lot in lots), _ZERO)
        return sum((lot.used for lot in lots), _ZERO) / quantity if quantity else _ZERO

    @property
    def _resolution(self) -> Decimal:
        return self.verified.problem.case.resolution

    @property
    def _new(self) -> list[PlacedLine]:
        """Orders of this plan. Those of an earlier plan are counted already."""
        return [placed for placed in self.placed if placed.line.placed is None]

    @property
    def _makes(self) -> list[Make]:
        """Runs of several outputs, in proportion to the confirmed quantities."""
        shares: dict[tuple[str, int], Decimal] = {}
        for placed in self._new:
            if placed.line.gives:
                shares[placed.line.offer, placed.line.ordered] = placed.quantity / placed.line.quantity
        return [
            make.but(units=round_to(make.units * shares[make.offer, make.period], self._resolution))
            for make in self.verified.plan.makes
            if (make.offer, make.period) in shares
        ]

    def _at_confirmed_arrival(self, purchase: Purchase, placed: PlacedLine) -> Purchase:
        """Return a late purchase as an order that would arrive in the confirmed period. An early one counts as planned."""
        problem = self.verified.problem
        arrival = problem.case.horizon.find(placed.arrives)
        if arrival is None or arrival <= purchase.delivered:
            return purchase
        arc = self._arcs[purchase.offer, purchase.material, purchase.place]
        order_periods = [
            t
            for t in range(problem.case.horizon.count)
            if arc.arrival(t) == arrival and problem.moves.at(arc.index, t) is not None
        ]
        return purchase.but(ordered=order_periods[-1], delivered=arrival) if order_periods else purchase

    @cached_property
    def _arcs(self) -> Mapping[tuple[str, str, str], Any]:
        return {(arc.name, *arc.node): arc for arc in self.verified.problem.network.arcs if arc.lot < 0}

    def _term_values(
        self, purchases: Sequence[Purchase], makes: Sequence[Make], lots: Sequence[LotUse] = ()
    ) -> TermValues:
        names = ("offer", "material", "place", "compliance_class", "ordered", "delivered", "licenses")
        quantities: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for purchase in purchases:
            quantities[tuple(getattr(purchase, name) for name in names)] += purchase.quantity
        merged = tuple(
            Purchase(**dict(zip(names, key, strict=True)), quantity=quantity)
            for key, quantity in quantities.items()
            if quantity
        )
        plan = self.verified.plan.but(purchases=merged, makes=tuple(makes), lots=tuple(lots))
        entries = PlanEntries.of(self.verified.problem, plan)
        orders = placed_orders(entries)
        return TermValues(entries, Amounts(entries, orders), Costing(entries, orders))


def _mass(quantity: Decimal) -> str:
    return f"{quantity.normalize():f} kg"


def _limit_of(row: Row | None) -> Decimal:
    if row is None:
        return _ZERO
    return row.at_most if row.at_most is not None else row.at_least or _ZERO


def _purchases(placed: PlacedLine, resolution: Decimal) -> Iterator[Purchase]:
    """Yield the purchases of a line, each with its part of the confirmed quantity, as a multiple of the resolution."""
    line = placed.line
    for material, classes in line.by_class.items():
        # Cumulative quantities are rounded, so that the parts add up to the confirmed quantity.
        planned = assigned = _ZERO
        for compliance_class, quantity in classes.items():
            planned += quantity
            confirmed = round_to(planned * placed.quantity / line.quantity, resolution)
            yield Purchase(
                offer=line.offer,
                material=material,
                place=line.place,
                compliance_class=compliance_class,
                ordered=line.ordered,
                delivered=line.delivered,
                quantity=confirmed - assigned,
            )
            assigned = confirmed


@dataclass(slots=True)
class RolledLot:
    """Stock at the start of the old plan, or an order that arrived before the new plan."""

    name: str
    node: Node
    quantity: Decimal
    """Kilograms of the material's basis at the start, or on arrival."""
    since: date
    """First day of the plan, or day of arrival. Earlier lots are used first."""
    received: bool
    by_class: dict[str, Decimal] = field(default_factory=dict)
    used: Decimal = _ZERO
    counted: Decimal | None = None
    """Kilograms in the stock count. None if it wasn't counted."""

    @property
    def left(self) -> Decimal:
        return self.quantity - self.used


@dataclass(frozen=True, slots=True)
class NodeTotal:
    """Stock of a material at a place. New stock equals opening stock plus receipts minus use."""

    material: str
    place: str
    opening: Decimal
    received: Decimal
    used: Decimal
    uncovered: Decimal
    """Kilograms of planned use before the day that neither stock nor received orders cover. Not included in `used`."""
    left: Decimal
    basis: str
    """Basis of the use: `assumed` from the plan, `counted`, or `counted in part`."""


@dataclass(frozen=True, slots=True)
class PlannedUse:
    """Quantity that a plan takes out of stock."""

    node: Node
    compliance_class: str
    period: int
    quantity: Decimal


def planned_use(verified: VerifiedPlan, day: date, placed: Iterable[PlacedLine]) -> list[PlannedUse]:
    """Return the use before a day: deliveries, uniform over days with demand, and inputs of the placed orders in proportion to their confirmed quantity."""
    problem, uses = verified.problem, list[PlannedUse]()
    periods, resolution = problem.case.horizon.periods, problem.case.resolution
    for delivery, position in verified.ledger.deliveries:
        period, demand = periods[delivery.period], problem.demands[position]
        share = Fraction(int(period.end < day))
        if period.start < day <= period.end:
            share = 1 - demand.share_from(period, day)
        quantity = round_to(Fraction(delivery.quantity) * share, resolution)
        if quantity:
            node = (demand.use.material.id, demand.use.place.id)
            uses.append(PlannedUse(node, delivery.compliance_class, delivery.period, quantity))
    units = verified.ledger.units()
    confirmed = _confirmed_quantities(placed)
    planned = totals(
        ((each.offer, each.ordered, each.compliance_class), each.quantity) for each in verified.plan.purchases
    )
    for node, compliance_class, at, taken, offer in verified.ledger.draws():
        facts = problem.offers[offer]
        name = facts.offer.id
        if facts.has_one_output:
            share = confirmed.get((name, at, compliance_class), Fraction(0)) / Fraction(
                planned[name, at, compliance_class]
            )
        else:
            share = confirmed.get((name, at, ""), Fraction(0)) / Fraction(units[offer, at])
        quantity = round_to(Fraction(taken) * share, resolution)
        if quantity:
            uses.append(PlannedUse(node, compliance_class, at, quantity))
    return sorted(uses, key=lambda use: (use.node, use.period, use.compliance_class))


def _confirmed_quantities(placed: Iterable[PlacedLine]) -> dict[tuple[str, int, str], Fraction]:
    """Return the confirmed quantities by offer, period, and compliance class. Runs of several outputs have no class."""
    quantities: defaultdict[tuple[str, int, str], Fraction] = defaultdict(Fraction)
    for order in placed:
        line = order.line
        if line.placed is not None:
            continue
        if line.gives:
            quantities[line.offer, line.ordered, ""] += Fraction(order.quantity)
            continue
        for classes in line.by_class.values():
            for compliance_class, quantity in classes.items():
                quantities[line.offer, line.ordered, compliance_class] += (
                    Fraction(order.quantity) * Fraction(quantity) / Fraction(line.quantity)
                )
    return quantities


def use_lots(
    lots: Sequence[RolledLot], uses: Iterable[PlannedUse], from_classes: Mapping[tuple[str, str], Collection[str]]
) -> dict[Node, Decimal]:
    """Use up reserved lots first in, first out, and return the uncovered quantities. `from_classes` has the classes that may serve a material's class by transfer."""
    lots_by_node = grouped((lot.node, lot) for lot in sorted(lots, key=lambda lot: (lot.since, lot.name)))
    reserved = {lot.name: dict(lot.by_class) for lot in lots}
    uncovered: defaultdict[Node, Decimal] = defaultdict(Decimal)
    for use in uses:
        rest = use.quantity
        for compliance_class in (
            use.compliance_class,
            *sorted(set(from_classes.get((use.node[0], use.compliance_class), ()))),
        ):
            for lot in lots_by_node.get(use.node, ()):
                part = min(rest, reserved[lot.name].get(compliance_class, _ZERO), lot.left)
                if part > 0:
                    rest -= part
                    lot.used += part
                    reserved[lot.name][compliance_class] -= part
        if rest:
            uncovered[use.node] += rest
    return dict(uncovered)


def node_totals(lots: Iterable[RolledLot], uncovered: Mapping[Node, Decimal]) -> Iterator[NodeTotal]:
    by_node = grouped((lot.node, lot) for lot in lots)
    for node in sorted({*by_node, *uncovered}):
        own = by_node.get(node, [])
        counted = sum(1 for lot in own if lot.counted is not None)
        yield NodeTotal(
            material=node[0],
            place=node[1],
            opening=_sum(lot.quantity for lot in own if not lot.received),
            received=_sum(lot.quantity for lot in own if lot.received),
            used=_sum(lot.used for lot in own),
            uncovered=uncovered.get(node, _ZERO),
            left=_sum(lot.left for lot in own),
            basis="assumed" if not counted else "counted" if counted == len(own) else "counted in part",
        )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _ZERO)
