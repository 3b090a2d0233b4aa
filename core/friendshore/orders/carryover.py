"""Effect of orders and use before a roll on lots and limits.

A row of a limit per year, or over the plan, sums purchases over a time range. In the new plan, the range begins on the day of the roll. Earlier
orders still count, and so does earlier demand if the limit is a share of it. Both are computed on the rows of the old plan, only for the placed
orders, with the quantity and the arrival that the supplier has confirmed.
"""

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
from ..rules.rows import Row, one_by_one
from ..rules.terms import BoughtTerm, DiscountsTerm, FixedTerm, HoldingTerm, MakingTerm, OnboardingTerm, SpentTerm, Term
from ..verify import VerifiedPlan
from ..verify.amounts import Amounts
from ..verify.limits import TermValues
from ..verify.money import Costing, placed_orders
from ..verify.plan_entries import PlanEntries
from .sheet import PlacedLine

_ADDED_UP = (BoughtTerm, SpentTerm, MakingTerm, OnboardingTerm, FixedTerm, DiscountsTerm, HoldingTerm)
"""Terms that are evaluated for the placed orders. Others, such as the number of suppliers, aren't sums of orders."""
_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class EarlierUse:
    """Amounts that are carried over."""

    rows: tuple[CarryoverSpec, ...]
    left_out: tuple[str, ...]
    """Rules per year, or over the plan, that aren't sums of orders, so that they begin again."""
    overdrawn: tuple[tuple[str, Decimal], ...]
    """Rows whose maximum for the whole time is exceeded, and the excess."""
    pins: tuple[dict[str, Any], ...] = ()
    """Rules of the new case for the remainder of a capacity, or of an offer's total, after the placed orders."""
    not_pinned: tuple[str, ...] = ()
    """Capacities without such a rule, because a run delivers several goods. The placed orders took more than their part of them."""


PINNED = "placed-before"
"""Prefix of the ids of these rules."""


def carried_over(
    verified: VerifiedPlan,
    horizon: Horizon,
    placed: Sequence[PlacedLine],
    received: Sequence[RolledLot],
    stocks: Sequence[RolledLot],
) -> EarlierUse:
    """Return the amounts of a plan's limits before a day.

    Args:
        verified: The plan.
        horizon: Periods of the new plan.
        placed: Orders that were placed by the plan, or by an earlier one.
        received: Lots of the orders that arrived.
        stocks: Stock at the start of the plan.
    """
    return _Carrying(verified, horizon, placed, received, stocks).carried()


@dataclass
class _Carrying:
    verified: VerifiedPlan
    horizon: Horizon
    placed: Sequence[PlacedLine]
    received: Sequence[RolledLot]
    stocks: Sequence[RolledLot]

    @property
    def day(self) -> date:
        """First day of the new plan."""
        return self.horizon.start

    def carried(self) -> EarlierUse:
        problem = self.verified.problem
        periods = problem.case.horizon.periods
        over = {str(year) for year in range(periods[0].start.year, self.day.year)}
        before = {(one.rule, one.row): one for one in problem.case.carryovers}
        found: list[CarryoverSpec] = []
        left_out: list[str] = []
        overdrawn: list[tuple[str, Decimal]] = []
        asked: dict[int, tuple[Rule, list[Row]]] = {}
        for rule, rows in problem.limit_rows:
            asked.setdefault(id(rule), (rule, []))[1].extend(one_by_one(rows))
        for rule, rows_of_rule in asked.values():
            if getattr(rule, "per", "") not in ("year", "horizon"):
                continue
            if getattr(rule, "counts", "") == "used" or not all(
                isinstance(t, _ADDED_UP) for r in rows_of_rule for t in r.terms
            ):
                left_out.append(rule.id)
                continue
            rest = {row.label: row for row in self._rest(rule)}
            for row in rows_of_rule:
                if over.intersection(row.label.split()):
                    continue
                earlier = before.get((rule.id, row.label), CarryoverSpec(rule=rule.id, row=row.label, used=_NOTHING))
                used = earlier.used + self._used(rule, row)
                allowed = earlier.allowed + _bound(row) - _bound(rest.get(row.label))
                if used or allowed:
                    found.append(
                        CarryoverSpec(
                            rule=rule.id,
                            row=row.label,
                            used=exact(used),
                            allowed=exact(allowed),
                            why=f"before {self.day}",
                        )
                    )
                beyond = used - earlier.used - row.at_most if row.at_most is not None else _NOTHING
                if beyond > problem.case.resolution and row.only_adds:
                    overdrawn.append((f"{rule.id}: {row.label}", beyond))
        pins = [*self._parcels(), *self._capacities()]
        return EarlierUse(
            tuple(found),
            tuple(left_out),
            tuple(overdrawn),
            tuple(pin for pin in pins if "at_most" in pin),
            tuple(pin["id"] for pin in pins if "at_most" not in pin),
        )

    def _parcels(self) -> Iterator[dict[str, Any]]:
        """Yield the remainders of offers with a total over the plan."""
        problem = self.verified.problem
        stated = {rule.id for rule in problem.rules}
        for facts in problem.offers:
            used = sum((one.quantity for one in self._new if one.line.offer == facts.offer.id), _NOTHING)
            name = f"{PINNED}-total-{facts.offer.id}"
            if facts.offer.total is None or not used or name in stated:  # what such a rule counts is carried over
                continue
            pin = {
                "kind": "pin",
                "id": name,
                "title": f"Left of {facts.offer.id} after orders placed before {self.day}",
            }
            left = max(facts.offer.total - used, _NOTHING)
            yield pin | ({"offer": facts.offer.id, "at_most": _mass(left), "dated_by": "order"} if facts.single else {})

    def _capacities(self) -> Iterator[dict[str, Any]]:
        """Yield the remainders of capacities in the period that contains the day, if orders took more than the part of the days before it."""
        problem = self.verified.problem
        at = problem.case.horizon.find(self.day)
        if at is None or problem.case.horizon.periods[at].start == self.day:
            return
        period = problem.case.horizon.periods[at]
        end = max(one.end for one in self.horizon.periods if one.start <= period.end)
        units: defaultdict[str, Decimal] = defaultdict(Decimal)
        for one in self._new:
            if one.line.ordered == at:
                units[one.line.offer] += one.quantity
        limited = [
            (pool.facility, pool.capacity, [problem.offers[i] for i in pool.offers], False) for pool in problem.pools
        ]
        for facts in problem.offers:
            rate = facts.offer.max_per_year
            if rate is not None:
                own = [
                    exact(rate * one.years.numerator / one.years.denominator) for one in problem.case.horizon.periods
                ]
                limited.append((facts.offer.id, tuple(own), [facts], True))
        for name, capacity, offers, own_limit in limited:
            most = capacity[at]
            weights = {facts.offer.id: Decimal(1) if own_limit else facts.offer.capacity_use for facts in offers}
            taken = sum((units[offer] * weight for offer, weight in weights.items() if offer in units), _NOTHING)
            if most is None or not taken:
                continue
            beyond = taken - self._within(capacity, period.start, self.day - timedelta(days=1))
            if beyond <= problem.case.resolution:
                continue
            left = max(self._within(capacity, self.day, end) - beyond, _NOTHING)
            pin = {
                "kind": "pin",
                "id": f"{PINNED}-{self.day}-{name}",
                "title": f"Left of {name} up to {end} after orders placed before {self.day}",
            }
            counted = {offer: weight for offer, weight in weights.items() if weight}
            stated = {"offers": counted, "at_most": _mass(left), "dated_by": "order", "from": self.day, "until": end}
            yield pin | (stated if all(facts.single for facts in offers) else {})

    def _within(self, capacity: Sequence[Decimal | None], first: date, last: date) -> Decimal:
        """Return the quantity that a capacity gives on some days. Periods with unlimited capacity count as 0."""
        found = Fraction(0)
        for period, most in zip(self.verified.problem.case.horizon.periods, capacity, strict=True):
            days = Span(start=first, end=last).days_within(period.span)
            found += Fraction(most or 0) * days / period.days
        return round_to(found, self.verified.problem.case.resolution)

    def _rest(self, rule: Rule) -> Iterator[Row]:
        """Yield the rows of a rule with only the demand from the day on."""
        problem = self.verified.problem
        for rows in rows_of(rule, problem.case.horizon.periods, problem.law, self._facts_of_rest):
            yield from one_by_one(rows)

    @cached_property
    def _facts_of_rest(self) -> ProblemFacts:
        problem = self.verified.problem
        wanted = []
        for demand in problem.demands:
            quantities = []
            for period, quantity in zip(problem.case.horizon.periods, demand.quantity, strict=True):
                if period.end < self.day or not quantity:
                    quantities.append(_NOTHING)
                elif period.start >= self.day:
                    quantities.append(quantity)
                else:
                    left = demand.share_from(period, self.day)
                    quantities.append(
                        round_to(
                            left * quantity.as_integer_ratio()[0] / quantity.as_integer_ratio()[1],
                            problem.case.resolution,
                        )
                    )
            wanted.append(replace(demand, quantity=tuple(quantities)))
        facts = copy(problem.facts)
        facts.__dict__.update(demands=wanted, _all_demands=wanted)
        return facts

    def _used(self, rule: Rule, row: Row) -> Decimal:
        """Return the amount that a row counts for the placed orders and for past holding."""
        if getattr(rule, "include_stock", False):
            values = self._by_use
        else:
            by_order = rule.dated_by == "order" or not all(isinstance(term, BoughtTerm) for term in row.terms)
            values = self._by_order if by_order else self._by_arrival
        total = _NOTHING
        for term in row.terms:
            if isinstance(term, HoldingTerm):
                total += self._held(term)
                continue
            value = values.value(term)[0]
            # A discount is settled on what a whole span orders, so that it isn't certain yet.
            total += max(value, _NOTHING) if isinstance(term, DiscountsTerm) else value
        return total

    def _held(self, term: HoldingTerm) -> Decimal:
        """Return the amount of a term for holding stock up to the last past period."""
        over = [period.end < self.day for period in self.verified.problem.case.horizon.periods]
        kept = [over[t] for t in term.periods.tolist()]
        past: Term = replace(term, nodes=term.nodes[kept], periods=term.periods[kept], weight=term.weight[kept])
        return self.verified.readings.values.value(past)[0]

    @cached_property
    def _by_order(self) -> TermValues:
        """Values of terms by the period of the order."""
        return self._values([one for line in self._new for one in _purchases(line, self._resolution)], self._makes)

    @cached_property
    def _by_arrival(self) -> TermValues:
        """Values of terms by the period of the confirmed arrival."""
        return self._values(
            [self._moved(one, line) for line in self._new for one in _purchases(line, self._resolution)], self._makes
        )

    @cached_property
    def _by_use(self) -> TermValues:
        """Values of terms for used stock and used arrivals. The new plan counts the rest as stock or open orders."""
        lines = {one.number: one for one in self._new}
        purchases = [
            self._moved(one, line)
            for number, line in lines.items()
            for one in _purchases(line, self._resolution)
            for share in [self._used_share(number, one.material)]
            for one in [one.but(quantity=round_to(one.quantity * share, self.verified.problem.case.resolution))]
        ]
        used = {lot.name: lot for lot in self.stocks}
        lots = [
            one.but(quantity=round_to(one.quantity * lot.used / lot.quantity, self.verified.problem.case.resolution))
            for one in self.verified.plan.lots
            if (lot := used.get(one.lot)) is not None and lot.quantity
        ]
        return self._values(purchases, (), lots)

    def _used_share(self, number: str, material: str) -> Decimal:
        lots = [
            lot for lot in self.received if lot.name in (number, f"{number}/{material}") and lot.node[0] == material
        ]
        quantity = sum((lot.quantity for lot in lots), _NOTHING)
        return sum((lot.used for lot in lots), _NOTHING) / quantity if quantity else _NOTHING

    @property
    def _resolution(self) -> Decimal:
        return self.verified.problem.case.resolution

    @property
    def _new(self) -> list[PlacedLine]:
        """Orders of this plan. Those of an earlier plan are counted already."""
        return [one for one in self.placed if one.line.placed is None]

    @property
    def _makes(self) -> list[Make]:
        units: dict[tuple[str, int], Decimal] = {}
        for one in self._new:
            if one.line.gives:
                units[one.line.offer, one.line.ordered] = one.quantity / one.line.quantity
        resolution = self.verified.problem.case.resolution
        return [
            make.but(units=round_to(make.units * units[make.offer, make.period], resolution))
            for make in self.verified.plan.makes
            if (make.offer, make.period) in units
        ]

    def _moved(self, purchase: Purchase, line: PlacedLine) -> Purchase:
        """Return a late purchase as an order that would arrive in the confirmed period. An early one counts as planned."""
        problem = self.verified.problem
        arrival = problem.case.horizon.find(line.arrives)
        if arrival is None or arrival <= purchase.delivered:
            return purchase
        arc = self._arcs[purchase.offer, purchase.material, purchase.place]
        others = [
            t
            for t in range(problem.case.horizon.count)
            if arc.arrival(t) == arrival and problem.moves.at(arc.index, t) is not None
        ]
        return purchase.but(ordered=others[-1], delivered=arrival) if others else purchase

    @cached_property
    def _arcs(self) -> Mapping[tuple[str, str, str], Any]:
        return {(arc.name, *arc.node): arc for arc in self.verified.problem.network.arcs if arc.lot < 0}

    def _values(self, purchases: Sequence[Purchase], makes: Sequence[Make], lots: Sequence[LotUse] = ()) -> TermValues:
        """Return the values of terms in a plan with only some purchases."""
        plan = self.verified.plan
        merged: defaultdict[tuple[Any, ...], Decimal] = defaultdict(Decimal)
        for one in purchases:
            merged[one.offer, one.material, one.place, one.requirement, one.ordered, one.delivered, one.licences] += (
                one.quantity
            )
        names = ("offer", "material", "place", "requirement", "ordered", "delivered", "licences")
        bought = tuple(
            Purchase(**dict(zip(names, key, strict=True)), quantity=quantity)
            for key, quantity in merged.items()
            if quantity
        )
        ledger = PlanEntries.of(self.verified.problem, plan.but(purchases=bought, makes=tuple(makes), lots=tuple(lots)))
        placed = placed_orders(ledger)
        return TermValues(ledger, Amounts(ledger, placed), Costing(ledger, placed))


def _mass(quantity: Decimal) -> str:
    return f"{quantity.normalize():f} kg"


def _bound(row: Row | None) -> Decimal:
    """Return the bound of a row. 0 if there is none."""
    if row is None:
        return _NOTHING
    return row.at_most if row.at_most is not None else row.at_least or _NOTHING


def _purchases(placed: PlacedLine, resolution: Decimal) -> Iterator[Purchase]:
    """Yield the purchases of a line, each with its part of the confirmed quantity, as a multiple of the resolution."""
    line = placed.line
    for material, classes in line.by_class.items():
        planned = confirmed = given = _NOTHING
        for (
            requirement,
            quantity,
        ) in classes.items():  # the parts add up to what is confirmed, whatever rounding does to each
            planned += quantity
            confirmed = round_to(planned * placed.quantity / line.quantity, resolution)
            yield Purchase(
                offer=line.offer,
                material=material,
                place=line.place,
                requirement=requirement,
                ordered=line.ordered,
                delivered=line.delivered,
                quantity=confirmed - given,
            )
            given = confirmed


@dataclass(slots=True)
class RolledLot:
    """Stock in hand at the start of the old plan, or an order that arrived before the first day of the new one."""

    name: str
    node: Node
    quantity: Decimal
    """Kilograms of the material's basis at the start, or on arrival."""
    since: date
    """First day of the plan, or day of arrival. Earlier lots are used first."""
    received: bool
    by_class: dict[str, Decimal] = field(default_factory=dict)
    """Kilograms that the plan reserves for each compliance class."""
    used: Decimal = _NOTHING
    counted: Decimal | None = None
    """Kilograms in the stock count. None if it wasn't counted."""

    @property
    def left(self) -> Decimal:
        """Kilograms on the first day of the new plan."""
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
    """Quantities that a plan takes out of stock before a day."""

    node: Node
    requirement: str
    period: int
    quantity: Decimal


def planned_use(verified: VerifiedPlan, day: date, placed: Iterable[PlacedLine]) -> list[PlannedUse]:
    """Return the use of a plan before a day: deliveries to demands, and inputs of the placed orders.

    Use is uniform over the days of a period with demand, as in the plan itself. Inputs are taken when their maker's order is placed, in proportion to
    the quantity that the maker has confirmed. An order that wasn't placed takes none.
    """
    problem, found = verified.problem, list[PlannedUse]()
    periods, resolution = problem.case.horizon.periods, problem.case.resolution
    for delivery, position in verified.ledger.deliveries:
        period, demand = periods[delivery.period], problem.demands[position]
        share = Fraction(int(period.end < day))
        if period.start < day <= period.end:
            share = 1 - demand.share_from(period, day)
        quantity = round_to(Fraction(delivery.quantity) * share, resolution)
        if quantity:
            node = (demand.use.material.id, demand.use.place.id)
            found.append(PlannedUse(node, delivery.requirement, delivery.period, quantity))
    planned = verified.ledger.units()
    ordered = _ordered(placed)
    bought = totals(((one.offer, one.ordered, one.requirement), one.quantity) for one in verified.plan.purchases)
    for node, requirement, at, taken, offer in verified.ledger.draws():
        facts = problem.offers[offer]
        name, whole = facts.offer.id, planned[offer, at]
        if facts.single:
            share = ordered.get((name, at, requirement), Fraction(0)) / Fraction(bought[name, at, requirement])
        else:
            share = ordered.get((name, at, ""), Fraction(0)) / Fraction(whole)
        quantity = round_to(Fraction(taken) * share, resolution)
        if quantity:
            found.append(PlannedUse(node, requirement, at, quantity))
    return sorted(found, key=lambda one: (one.node, one.period, one.requirement))


def _ordered(placed: Iterable[PlacedLine]) -> dict[tuple[str, int, str], Fraction]:
    """Return the quantity ordered by offer, period, and compliance class. Goods made in runs of several have no class."""
    found: defaultdict[tuple[str, int, str], Fraction] = defaultdict(Fraction)
    for one in placed:
        line = one.line
        if line.placed is not None:
            continue
        if line.gives:
            found[line.offer, line.ordered, ""] += Fraction(one.quantity)
            continue
        for classes in line.by_class.values():
            for requirement, quantity in classes.items():
                found[line.offer, line.ordered, requirement] += (
                    Fraction(one.quantity) * Fraction(quantity) / Fraction(line.quantity)
                )
    return found


def use_lots(
    lots: Sequence[RolledLot], uses: Iterable[PlannedUse], from_classes: Mapping[tuple[str, str], Collection[str]]
) -> dict[Node, Decimal]:
    """Take planned use out of the lots reserved for it, first in, first out, and return the uncovered quantities.

    Args:
        lots: Stock and received orders. The function increases their `used`.
        uses: Planned use.
        from_classes: Material and compliance class -> other classes whose goods may serve it, by the plan's transfers.
    """
    at = grouped((lot.node, lot) for lot in sorted(lots, key=lambda one: (one.since, one.name)))
    aside = {lot.name: dict(lot.by_class) for lot in lots}
    uncovered: defaultdict[Node, Decimal] = defaultdict(Decimal)
    for use in uses:
        rest = use.quantity
        for requirement in (use.requirement, *sorted(set(from_classes.get((use.node[0], use.requirement), ())))):
            for lot in at.get(use.node, ()):
                part = min(rest, aside[lot.name].get(requirement, _NOTHING), lot.left)
                if part > 0:
                    rest -= part
                    lot.used += part
                    aside[lot.name][requirement] -= part
        if rest:
            uncovered[use.node] += rest
    return dict(uncovered)


def node_totals(lots: Iterable[RolledLot], uncovered: Mapping[Node, Decimal]) -> Iterator[NodeTotal]:
    """Yield the totals of each material and place, in order."""
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
            uncovered=uncovered.get(node, _NOTHING),
            left=_sum(lot.left for lot in own),
            basis="assumed" if not counted else "counted" if counted == len(own) else "counted in part",
        )


def _sum(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, _NOTHING)
