"""What the plan costs, line by line, in decimals."""

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
from ..domain.use import Use
from ..problem.decimal_arrays import picked
from ..problem.law import Charges
from ..problem.network import Arc
from .columns import Bought
from .ledger import PlanEntries
from .orders import Placed, Settled, settle, untaken_quantities


@dataclass(frozen=True, slots=True)
class Line:
    """The undiscounted cost of one purchase, in the case's currency."""

    item: Bought
    price: Decimal
    """At list prices: what price schedules take off is settled over all that they bear on. For an offer with several outputs its part, by mass of what is bought of them, of what making them costs."""
    direct: Decimal
    """What of `price` is paid on this purchase itself: nothing, if units are paid when made."""
    charges: Decimal
    freight: Decimal

    @property
    def total(self) -> Decimal:
        """All of it."""
        return self.price + self.charges + self.freight


class Costing:
    """Recomputes all money from prices, rules and quantities."""

    def __init__(self, ledger: PlanEntries, placed: Sequence[Placed] = ()) -> None:
        """Costs the entries of a plan under whose terms of trade something is `placed`."""
        self.ledger = ledger
        self.placed = placed
        self.problem = ledger.problem
        self.charges = Charges(self.problem.network, self.problem.law, self.problem.offers, ledger.answers)
        self._charge: dict[tuple[int, str], tuple[Decimal, ...]] = {}
        self._known_uses: dict[tuple[int, str], list[Use]] = {}
        self.untaken = untaken_quantities(ledger)
        self.settled: list[Settled] = settle(ledger)

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        """The cost of every purchase."""
        return tuple([self._line(item) for item in self.ledger.bought if item.arc.offer >= 0])

    def _line(self, item: Bought) -> Line:
        facts = self.problem.offers[item.arc.offer]
        quantity = item.entry.quantity
        direct = facts.price[item.ordered] * quantity if facts.single else Decimal(0)
        price = direct if facts.single else exact(self._made[item.arc.offer, item.ordered] * quantity)
        charge = self.charge(item.arc, item.entry.requirement, item.ordered)
        return Line(item, price, direct, charge * quantity, item.arc.freight[item.delivered] * quantity)

    @cached_property
    def _made(self) -> dict[tuple[int, int], Decimal]:
        """Offer and period -> what making units of an offer with several outputs costs per kilogram bought of them."""
        bought: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        columns = self.ledger.columns
        for position in np.flatnonzero((columns.offer >= 0) & ~columns.single).tolist():
            item = self.ledger.bought[position]
            bought[item.arc.offer, item.ordered] += item.entry.quantity
        cost = totals(
            ((offer, make.period), self.problem.offers[offer].price[make.period] * make.units)
            for make, offer in self.ledger.makes
        )
        return {key: cost.get(key, Decimal(0)) / quantity for key, quantity in bought.items()}

    def charge(self, arc: Arc, requirement: str, ordered: int) -> Decimal:
        """Money that rules charge on a kilogram of an arc, bought for a compliance class in a period."""
        return self._charge_by_period(arc, requirement)[ordered]

    def _charge_by_period(self, arc: Arc, requirement: str) -> tuple[Decimal, ...]:
        """The dearest charge among the uses that a compliance class serves by an arc (they agree, or it is no compliance class)."""
        key = (arc.index, requirement)
        if key not in self._charge:
            found = [self.charges.of_arc(arc, use) for use in self.uses(arc, requirement)]
            self._charge[key] = tuple(max(amounts) for amounts in zip(*found, strict=True))
        return self._charge[key]

    def uses(self, arc: Arc, requirement: str) -> list[Use]:
        """Uses that a purchase for a compliance class may serve; all that it can reach, if none is delivered to."""
        key = (arc.index, requirement)
        if key not in self._known_uses:
            reaching, served = self._reaching.get(arc.index, []), self._served.get(requirement, set())
            self._known_uses[key] = [use for use in reaching if use in served] or reaching
        return self._known_uses[key]

    @cached_property
    def _reaching(self) -> dict[int, list[Use]]:
        """Uses up whose chain each arc stands, in canonical order."""
        judged = sorted(self.problem.judgements.items(), key=lambda pair: str(pair[0]))
        return grouped((arc, use) for use, judgement in judged for arc in judgement.reach)

    @cached_property
    def _served(self) -> dict[str, set[Use]]:
        """Uses that each compliance class delivers to."""
        found: defaultdict[str, set[Use]] = defaultdict(set)
        for requirement, demand in {(delivery.requirement, demand) for delivery, demand in self.ledger.deliveries}:
            found[requirement].add(self.problem.demands[demand].use)
        return dict(found)

    @cached_property
    def charged_by_rule(self) -> dict[str, Decimal]:
        """Undiscounted money that each rule adds to the plan."""
        total: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines if self.charges.rules else ():
            arc, entry = line.item.arc, line.item.entry
            found = [self.charges.parts(arc, use, line.item.ordered) for use in self.uses(arc, entry.requirement)]
            for rule, amount in max(found, key=lambda parts: sum(parts.values(), Decimal(0))).items():
                total[rule] += amount * entry.quantity
        return dict(total)

    def spent(self) -> dict[str, dict[int, Decimal]]:
        """Undiscounted money by part of `Cost` and by period: every part of what the plan spends stands here, and only here."""
        price, charges, freight = self._on_purchases()
        return {
            "price": price,
            "discounts": totals((settled.span.settled, -settled.off) for settled in self.settled),
            "charges": charges,
            "freight": freight,
            "onboarding": {0: self.onboarding()},
            "fixed": totals((placed.span.due, placed.span.fixed) for placed in self.placed),
            "untaken": totals((left.commitment.due, left.due) for left in self.untaken),
            "holding": self.holding(),
        }

    def _on_purchases(self) -> tuple[dict[int, Decimal], dict[int, Decimal], dict[int, Decimal]]:
        """List prices by period of order, runs of several outputs included; charges and freight by period of delivery."""
        columns, offers, network = self.ledger.columns, self.problem.offers, self.problem.network.arcs
        price, charges, freight = (defaultdict[int, Decimal](Decimal) for _ in range(3))
        own = columns.single
        ordered, prices = columns.ordered[own].tolist(), [facts.price for facts in offers]
        each = picked(prices, columns.offer[own].tolist(), ordered)
        for t, amount, count in zip(ordered, each, columns.counts[own].tolist(), strict=True):
            price[t] += amount * count
        moved = columns.offer >= 0
        if self.charges.rules:
            parts = (columns.arc, columns.requirement, columns.ordered, columns.delivered, columns.counts)
            for arc, label, t, due, count in _rows(*(part[moved] for part in parts)):
                charges[due] += self.charge(network[arc], columns.labels[label], t) * count
        lists = {id(arc.freight): arc.freight for arc in network}  # one for very many arcs
        costs = {key: any(freight) for key, freight in lists.items()}
        moved &= np.array([costs[id(arc.freight)] for arc in network], dtype=bool)[columns.arc]
        for arc, due, count in _rows(columns.arc[moved], columns.delivered[moved], columns.counts[moved]):
            freight[due] += network[arc].freight[due] * count
        for money in (price, charges, freight):
            for t in money:
                money[t] *= columns.unit
        for t, money_of_runs in self.making().items():
            price[t] += money_of_runs
        return price, charges, freight

    def cost(self, penalties: Decimal) -> Cost:
        """The plan's cost, with the priced misses of soft rules."""
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

    def making(self) -> dict[int, Decimal]:
        """Money by period on units of offers with several outputs."""
        offers = self.problem.offers
        return totals((m.period, offers[offer].price[m.period] * m.units) for m, offer in self.ledger.makes)

    def onboarding(self) -> Decimal:
        """One-off costs of all offers that are used."""
        used = np.flatnonzero((self.ledger.orders.counts > 0).any(axis=1)).tolist()
        return sum((self.problem.offers[offer].onboarding for offer in used), Decimal(0))

    def holding(self) -> dict[int, Decimal]:
        """Money by period for stock, and for what lies unused in lots."""
        periods = self.problem.case.horizon.periods
        spent = dict.fromkeys(range(len(periods)), Decimal(0))
        years = [Decimal(p.years.numerator) / Decimal(p.years.denominator) for p in periods]
        for stock in self.ledger.plan.stocks:
            store = self.problem.stores.get((stock.material, stock.place))
            if store is not None:
                spent[stock.period] += store.holding[stock.period] * stock.quantity * years[stock.period]
        for lot, t, rest, _ in self.ledger.rests:
            spent[t] += self.problem.stores[lot.material, lot.place.id].holding[t] * rest * years[t]
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
    """The entries of parallel arrays, one after the other, as Python's numbers."""
    return zip(*(column.tolist() for column in columns), strict=True)
