"""Cost of a plan, line by line, in decimals, and its orders: whole lots, order terms, and price schedules."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..domain.base import exact, grouped, totals
from ..domain.plan import Cost
from ..domain.runtime import cached_method
from ..domain.terms import Tier
from ..domain.use import Use
from ..problem.decimal_arrays import picked
from ..problem.law import Charges
from ..problem.network import Arc
from ..problem.trade import Commitment, PriceSpan, TermSpan
from .plan_entries import Bought, PlanEntries

_ZERO = Decimal(0)
_DIGITS = Decimal("1e-13")
"""Relative error of a number with 15 digits."""


@dataclass(frozen=True, slots=True)
class PlacedTerms:
    """Order terms over a span with orders."""

    span: TermSpan
    position: int
    """Position among all spans."""
    units: Decimal
    """Units ordered."""
    roundings: int
    """Number of rounded values in the sum."""


def placed_orders(ledger: PlanEntries) -> list[PlacedTerms]:
    spans: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for position, span in enumerate(ledger.problem.term_spans):
        for offer in span.offers:
            for t in span.periods:
                spans[offer, t].append(position)
    if not spans:
        return []
    units: defaultdict[int, Decimal] = defaultdict(Decimal)
    roundings_by_span: defaultdict[int, int] = defaultdict(int)
    for offer, t, place, quantity, roundings in ledger.ordered():
        for position in spans.get((offer, t), ()):
            if place is None or ledger.problem.term_spans[position].covers_place(place):
                units[position] += quantity
                roundings_by_span[position] += roundings
    return [
        PlacedTerms(ledger.problem.term_spans[position], position, units[position], roundings_by_span[position])
        for position in sorted(units)
        if units[position] > 0
    ]


@dataclass(frozen=True, slots=True)
class UntakenQuantity:
    """Quantity of a take-or-pay year that is paid for and not taken."""

    commitment: Commitment
    position: int
    """Position among all commitments."""
    units: Decimal
    roundings: int
    """Number of rounded values behind the units."""

    @property
    def due(self) -> Decimal:
        return self.units * self.commitment.rate


def untaken_quantities(ledger: PlanEntries) -> list[UntakenQuantity]:
    units = ledger.units() if ledger.problem.commitments else {}
    used = {offer for (offer, _), amount in units.items() if amount > 0}
    shortfalls = []
    for position, commitment in enumerate(ledger.problem.commitments):
        cells = [(commitment.offer, t) for t in commitment.periods]
        shortfall = commitment.quantity - sum((units.get(cell, Decimal(0)) for cell in cells), Decimal(0))
        if commitment.offer in used and shortfall > 0:
            shortfalls.append(
                UntakenQuantity(commitment, position, shortfall, sum(ledger.total_roundings(*cell) for cell in cells))
            )
    return shortfalls


def check_terms(ledger: PlanEntries, placed: list[PlacedTerms]) -> None:
    for placement in placed:
        terms = placement.span.terms
        if terms.least is not None:
            excess = terms.least - placement.units
            ledger.report_excess(
                "FS632",
                excess,
                placement.roundings,
                f"less is ordered under the terms of {placement.span} than they require",
            )
        if terms.most is not None:
            excess = placement.units - terms.most
            ledger.report_excess(
                "FS632",
                excess,
                placement.roundings,
                f"more is ordered under the terms of {placement.span} than they allow",
            )
    lot_by_offer = {i: facts.offer.lot for i, facts in enumerate(ledger.problem.offers) if facts.offer.lot is not None}
    for (offer, t), units in sorted(ledger.units().items()) if lot_by_offer else ():
        if offer not in lot_by_offer:
            continue
        facts, lot = ledger.problem.offers[offer].offer, lot_by_offer[offer]
        lots = (units / lot).to_integral_value()
        label = ledger.problem.case.horizon.label(t)
        if abs(units - lots * lot) > _DIGITS * units:
            ledger.report(
                "FS632",
                f"the orders from `{facts.id}` in {label} are not a whole number of lots",
                found=f"{units.normalize():f} kg",
                expected=f"a multiple of {lot.normalize():f} kg",
            )
        if facts.max_lots is not None and lots > facts.max_lots:
            ledger.report(
                "FS632",
                f"more lots are ordered from `{facts.id}` in {label} than it offers",
                found=f"{lots}",
                expected=f"at most {facts.max_lots}",
            )


@dataclass(frozen=True, slots=True)
class Settlement:
    """Settlement of a price schedule over a span with purchases."""

    span: PriceSpan
    position: int
    """Position among all spans."""
    measured: Decimal
    """Total that determines the tier: units, or undiscounted money at list prices."""
    tier: int
    """Position of the tier reached."""
    at_list: Decimal
    """Undiscounted money at list prices."""
    discount: Decimal
    """Undiscounted discount, less lump sums. Negative if the schedule adds money."""
    rate: Decimal
    """Largest change of the unit price in any tier."""
    roundings: int
    """Number of rounded values in the sum."""


def settle(ledger: PlanEntries) -> list[Settlement]:
    """Return the settlement of every span with purchases, in the order of the spans. Violations are findings."""
    problem = ledger.problem
    units = ledger.units() if problem.price_spans else {}
    by_offer = grouped(sorted(units))
    settlements = []
    for position, span in enumerate(problem.price_spans):
        parts = [
            _Part(problem.offers[o].price[t], units[o, t], ledger.total_roundings(o, t))
            for o in span.offers
            for t in by_offer.get(o, ())
            if t in span.periods and units[o, t]
        ]
        measured = sum((span.weight(part.price) * part.units for part in parts), Decimal(0))
        if measured > 0:
            slack = problem.case.resolution / 2 * sum((span.weight(p.price) * p.roundings for p in parts), Decimal(0))
            settlement = _settle_span(span, position, measured, parts, slack)
            settlements.append(settlement)
            tier_start, tier_end = span.tiers[settlement.tier].least, span.tiers[settlement.tier].most
            beyond = Decimal(0) if tier_end is None else measured - tier_end
            message = f"purchases under {span} are above the end of their tier, and below the start of the next"
            if not span.by_money:
                ledger.report_excess(
                    "FS633",
                    tier_start - measured,
                    settlement.roundings,
                    f"purchases under {span} are below the start of their tier",
                )
                ledger.report_excess("FS633", beyond, 2 * settlement.roundings, message)
            elif beyond > 2 * slack:
                ledger.report("FS633", message, found=f"{measured.normalize():f} {problem.case.currency}")
    return settlements


@dataclass(frozen=True, slots=True)
class _Part:
    price: Decimal
    units: Decimal
    roundings: int
    """Number of rounded values in `units`."""


def _settle_span(span: PriceSpan, position: int, measured: Decimal, parts: list[_Part], slack: Decimal) -> Settlement:
    """Return the settlement in the tier reached.

    If only rounding keeps the total from the next tier, that tier applies if it is cheaper or if the total is beyond the end of its own. A total may
    exceed the end by twice the rounding error, since orders are rounded up to the start of a tier. There is no tolerance in the other direction: a total
    that reaches the start of a more expensive tier is in it.
    """
    tiers = span.tiers
    tier_reached = max(k for k, tier in enumerate(tiers) if tier.least <= measured)
    tier, discount = tier_reached, _discount(span, tier_reached, measured, parts)
    if tier_reached + 1 < len(tiers):
        next_discount, tier_end = _discount(span, tier_reached + 1, measured, parts), tiers[tier_reached].most
        in_gap = tier_end is not None and measured - tier_end > 2 * slack
        if tiers[tier_reached + 1].least - measured <= slack and (in_gap or next_discount > discount):
            tier, discount = tier_reached + 1, next_discount
    return Settlement(
        span=span,
        position=position,
        measured=measured,
        tier=tier,
        at_list=sum((part.price * part.units for part in parts), Decimal(0)),
        discount=discount,
        rate=max(abs(span.rate(t, part.price)) for t in tiers for part in parts),
        roundings=sum(part.roundings for part in parts),
    )


def _discount(span: PriceSpan, reached: int, measured: Decimal, bought: list[_Part]) -> Decimal:
    tiers, lump = span.tiers, span.tiers[reached].lump
    if span.all_units:
        return sum((span.rate(tiers[reached], part.price) * part.units for part in bought), Decimal(0)) - lump
    discount = -lump
    priced = all(tier.price is not None for tier in tiers)
    if priced:
        discount += sum((part.price * part.units for part in bought), Decimal(0))
    for k in range(reached + 1):
        end = tiers[k + 1].least if k < reached else measured
        within = end - tiers[k].least
        discount += _incremental_rate(span, tiers[k], bought, priced=priced) * within
    return discount


def _incremental_rate(span: PriceSpan, tier: Tier, bought: list[_Part], *, priced: bool) -> Decimal:
    """Return the discount per unit of the measure within a tier. For tiers that state prices, it excludes the list price."""
    if priced:
        return -(tier.price or Decimal(0))
    if span.by_money:
        return tier.discount or Decimal(0)
    return span.rate(tier, bought[0].price)  # all have the same list price, as the problem ensures


@dataclass(slots=True, eq=False)
class Line(Bought):
    """A purchase with its undiscounted cost, in the case's currency."""

    price: Decimal
    """Cost at list prices, before price schedules are settled. For an offer with several outputs, the share of its production cost, by mass bought."""
    direct: Decimal
    """Part of `price` that is paid on this purchase. 0 if units are paid when they are made."""
    charges: Decimal
    freight: Decimal

    @property
    def total(self) -> Decimal:
        return self.price + self.charges + self.freight


class Costing:
    """Recalculation of all money from prices, rules, and quantities."""

    def __init__(self, ledger: PlanEntries, placed: Sequence[PlacedTerms] = ()) -> None:
        self.ledger = ledger
        self.placed = placed
        self.problem = ledger.problem
        self.charges = Charges(self.problem.network, self.problem.law, self.problem.offers, ledger.answers)
        self.untaken = untaken_quantities(ledger)
        self.settlements: list[Settlement] = settle(ledger)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        bought = self.ledger.bought
        for position, item in enumerate(bought):
            if item.arc.offer >= 0:
                bought[position] = self.line(item)  # the same purchase, so that a large plan keeps one record of it
        return tuple([item for item in bought if isinstance(item, Line)])

    def line(self, item: Bought) -> Line:
        arc, ordered, quantity = item.arc, item.ordered, item.quantity
        facts = self.problem.offers[arc.offer]
        direct = facts.price[ordered] * quantity if facts.has_one_output else _ZERO
        charge, freight = self.charge(arc, item.compliance_class, ordered), arc.freight[item.delivered]
        return Line(
            arc,
            item.compliance_class,
            ordered,
            item.delivered,
            quantity,
            item.licenses,
            price=direct
            if facts.has_one_output
            else exact(self._production_cost_per_kg[arc.offer, ordered] * quantity),
            direct=direct,
            charges=charge * quantity if charge else _ZERO,
            freight=freight * quantity if freight else _ZERO,
        )

    @cached_property
    def _production_cost_per_kg(self) -> dict[tuple[int, int], Decimal]:
        bought: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        columns = self.ledger.columns
        for position in np.flatnonzero((columns.offer >= 0) & ~columns.single).tolist():
            item = self.ledger.bought[position]
            bought[item.arc.offer, item.ordered] += item.quantity
        cost = totals(
            ((offer, make.period), self.problem.offers[offer].price[make.period] * make.units)
            for make, offer in self.ledger.makes
        )
        return {key: cost.get(key, Decimal(0)) / quantity for key, quantity in bought.items()}

    def charge(self, arc: Arc, compliance_class: str, ordered: int) -> Decimal:
        return self._charge_by_period(arc.index, compliance_class)[ordered]

    @cached_method
    def _charge_by_period(self, arc: int, compliance_class: str) -> tuple[Decimal, ...]:
        """Return the highest charge among the uses that a class serves by an arc. In a valid class, all are equal."""
        charges = [
            self.charges.of_arc(self.problem.network.arcs[arc], use) for use in self._uses(arc, compliance_class)
        ]
        return tuple(max(amounts) for amounts in zip(*charges, strict=True))

    def uses(self, arc: Arc, compliance_class: str) -> list[Use]:
        """Return the uses that a purchase for a class may serve. All reachable uses if there are no deliveries."""
        return self._uses(arc.index, compliance_class)

    @cached_method
    def _uses(self, arc: int, compliance_class: str) -> list[Use]:
        reaching, served = self._uses_of_arc.get(arc, []), self._uses_of_class.get(compliance_class, set())
        return [use for use in reaching if use in served] or reaching

    @cached_property
    def _uses_of_arc(self) -> dict[int, list[Use]]:
        reachable = sorted(self.problem.judgements.items(), key=lambda pair: str(pair[0]))
        return grouped((arc, use) for use, judgement in reachable for arc in judgement.reach)

    @cached_property
    def _uses_of_class(self) -> dict[str, set[Use]]:
        uses: defaultdict[str, set[Use]] = defaultdict(set)
        for compliance_class, demand in {
            (delivery.compliance_class, demand) for delivery, demand in self.ledger.deliveries
        }:
            uses[compliance_class].add(self.problem.demands[demand].use)
        return dict(uses)

    @cached_property
    def charged_by_rule(self) -> dict[str, Decimal]:
        total: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines if self.charges.rules else ():
            charges_of_uses = [
                self.charges.parts(line.arc, use, line.ordered) for use in self.uses(line.arc, line.compliance_class)
            ]
            for rule, amount in max(charges_of_uses, key=lambda parts: sum(parts.values(), Decimal(0))).items():
                total[rule] += amount * line.quantity
        return dict(total)

    def spent(self) -> dict[str, dict[int, Decimal]]:
        """Return all money spent, undiscounted, by part of `Cost` and by period."""
        price, charges, freight = self._on_purchases()
        return {
            "price": price,
            "discounts": totals(
                (settlement.span.settlement_period, -settlement.discount) for settlement in self.settlements
            ),
            "charges": charges,
            "freight": freight,
            "onboarding": {0: self.onboarding()},
            "fixed": totals((terms.span.due_period, terms.span.fixed) for terms in self.placed),
            "untaken": totals((shortfall.commitment.due_period, shortfall.due) for shortfall in self.untaken),
            "holding": self.holding(),
        }

    def _on_purchases(self) -> tuple[dict[int, Decimal], dict[int, Decimal], dict[int, Decimal]]:
        """Return list prices (with production cost of several outputs) by order period, and charges and freight by delivery period."""
        columns, offers, network = self.ledger.columns, self.problem.offers, self.problem.network.arcs
        price, charges, freight = (defaultdict[int, Decimal](Decimal) for _ in range(3))
        single = columns.single
        ordered, prices = columns.ordered[single].tolist(), [facts.price for facts in offers]
        unit_prices = picked(prices, columns.offer[single].tolist(), ordered)
        for t, amount, count in zip(ordered, unit_prices, columns.counts[single].tolist(), strict=True):
            price[t] += amount * count
        has_freight = columns.offer >= 0
        if self.charges.rules:
            columns_of_part = (
                columns.arc,
                columns.compliance_class,
                columns.ordered,
                columns.delivered,
                columns.counts,
            )
            for arc, label, t, arrival, count in _rows(*(part[has_freight] for part in columns_of_part)):
                charges[arrival] += self.charge(network[arc], columns.labels[label], t) * count
        lists = {id(arc.freight): arc.freight for arc in network}  # one for very many arcs
        costs = {key: any(freight) for key, freight in lists.items()}
        has_freight &= np.array([costs[id(arc.freight)] for arc in network], dtype=bool)[columns.arc]
        for arc, arrival, count in _rows(
            columns.arc[has_freight], columns.delivered[has_freight], columns.counts[has_freight]
        ):
            freight[arrival] += network[arc].freight[arrival] * count
        for money in (price, charges, freight):
            for t in money:
                money[t] *= columns.unit
        for t, money_of_runs in self.production_costs().items():
            price[t] += money_of_runs
        return price, charges, freight

    def cost(self, penalties: Decimal) -> Cost:
        discount = self.problem.discount
        spent = self.spent()
        parts = {
            name: sum((discount[t] * money for t, money in by_period.items()), Decimal(0))
            for name, by_period in spent.items()
        }
        total = sum(parts.values(), Decimal(0))
        nominal = sum((money for by_period in spent.values() for money in by_period.values()), Decimal(0))
        shortage = self._shortage()
        return Cost(
            **parts,
            total=exact(total),
            nominal=exact(nominal),
            penalties=exact(penalties),
            shortage=exact(shortage),
            objective=exact(total + penalties + shortage),
        )

    def production_costs(self) -> dict[int, Decimal]:
        offers = self.problem.offers
        return totals((m.period, offers[offer].price[m.period] * m.units) for m, offer in self.ledger.makes)

    def onboarding(self) -> Decimal:
        used = np.flatnonzero((self.ledger.orders.counts > 0).any(axis=1)).tolist()
        return sum((self.problem.offers[offer].onboarding for offer in used), Decimal(0))

    def holding(self) -> dict[int, Decimal]:
        periods = self.problem.case.horizon.periods
        spent = dict.fromkeys(range(len(periods)), Decimal(0))
        years = [Decimal(p.years.numerator) / Decimal(p.years.denominator) for p in periods]
        for stock in self.ledger.plan.stocks:
            store = self.problem.stores.get((stock.material, stock.place))
            if store is not None:
                spent[stock.period] += store.holding[stock.period] * stock.quantity * years[stock.period]
        for lot, t, unused, _ in self.ledger.unused_lots:
            spent[t] += self.problem.stores[lot.material, lot.place.id].holding[t] * unused * years[t]
        return spent

    def _shortage(self) -> Decimal:
        price = {d.id: p for d, p in zip(self.problem.demands, self.problem.shortage_price, strict=True)}
        return sum(
            (
                self.problem.discount[s.period] * price[s.demand] * s.quantity
                for s in self.ledger.plan.shorts
                if s.demand in price
            ),
            Decimal(0),
        )


def _rows(*columns: NDArray[Any]) -> Iterator[tuple[Any, ...]]:
    return zip(*(column.tolist() for column in columns), strict=True)
