"""What the plan costs, line by line, in decimals."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from ..domain.base import exact
from ..domain.plan import Cost
from ..domain.use import Use
from ..problem.charges import Charges
from ..problem.network import Arc
from .discounts import Settled, settle
from .ledger import Bought, Ledger
from .terms import Placed


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

    def __init__(self, ledger: Ledger, placed: Sequence[Placed] = ()) -> None:
        """Costs a plan's entries.

        Args:
            ledger: the entries.
            placed: terms of trade under which something is ordered.
        """
        self.ledger = ledger
        self.placed = placed
        self.problem = ledger.problem
        self.charges = Charges(self.problem.network, self.problem.law, self.problem.offers)
        self._charge: dict[tuple[int, str], tuple[Decimal, ...]] = {}
        self._reaching, self._served = self._reaching_uses(), self._served_uses()
        self._known_uses: dict[tuple[int, str], list[Use]] = {}
        self._made = self._made_per_kg()
        self.settled: list[Settled] = settle(ledger)
        self.lines = [self._line(item) for item in ledger.bought if item.arc.offer >= 0]

    def _line(self, item: Bought) -> Line:
        facts = self.problem.offers[item.arc.offer]
        quantity = item.entry.quantity
        direct = facts.price[item.ordered] * quantity if facts.single else Decimal(0)
        price = direct if facts.single else exact(self._made[item.arc.offer, item.ordered] * quantity)
        return Line(item, price, direct, self._charge_of(item) * quantity, item.arc.freight * quantity)

    def _made_per_kg(self) -> dict[tuple[int, int], Decimal]:
        """Offer and period -> what making units of an offer with several outputs costs per kilogram bought of them."""
        bought: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for item in self.ledger.bought:
            bought[item.arc.offer, item.ordered] += item.entry.quantity
        cost: defaultdict[tuple[int, int], Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            cost[offer, make.period] += self.problem.offers[offer].price[make.period] * make.units
        return {key: cost[key] / quantity for key, quantity in bought.items()}

    def _charge_of(self, item: Bought) -> Decimal:
        """The dearest charge among the uses that the purchase's requirement serves (they agree, or it is no requirement)."""
        key = (item.arc.index, item.entry.requirement)
        if key not in self._charge:
            self._charge[key] = self._charges(item.arc, item.entry.requirement)
        return self._charge[key][item.ordered]

    def _charges(self, arc: Arc, requirement: str) -> tuple[Decimal, ...]:
        found = [self.charges.of_arc(arc, use) for use in self._uses(arc, requirement)]
        return tuple(max(amounts) for amounts in zip(*found, strict=True))

    def _uses(self, arc: Arc, requirement: str) -> list[Use]:
        """Uses that a purchase for a requirement may serve; all that it can reach, if none is delivered to."""
        key = (arc.index, requirement)
        if key not in self._known_uses:
            reaching, served = self._reaching.get(arc.index, []), self._served.get(requirement, set())
            self._known_uses[key] = [use for use in reaching if use in served] or reaching
        return self._known_uses[key]

    def _reaching_uses(self) -> dict[int, list[Use]]:
        """Uses up whose chain each arc stands, in canonical order."""
        found: defaultdict[int, list[Use]] = defaultdict(list)
        for use, judgement in sorted(self.problem.judgements.items(), key=lambda pair: str(pair[0])):
            for arc in judgement.reach:
                found[arc].append(use)
        return dict(found)

    def _served_uses(self) -> dict[str, set[Use]]:
        """Uses that each requirement delivers to."""
        found: defaultdict[str, set[Use]] = defaultdict(set)
        for requirement, demand in {(delivery.requirement, demand) for delivery, demand in self.ledger.deliveries}:
            found[requirement].add(self.problem.demands[demand].use)
        return dict(found)

    def charged_by_rule(self) -> dict[str, Decimal]:
        """Undiscounted money that each rule adds to the plan."""
        total: defaultdict[str, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            arc, entry = line.item.arc, line.item.entry
            found = [self.charges.parts(arc, use, line.item.ordered) for use in self._uses(arc, entry.requirement)]
            for rule, amount in max(found, key=lambda parts: sum(parts.values(), Decimal(0))).items():
                total[rule] += amount * entry.quantity
        return dict(total)

    def spent(self) -> dict[str, dict[int, Decimal]]:
        """Undiscounted money by part of `Cost` and by period: every part of what the plan spends stands here, and only here."""
        price: defaultdict[int, Decimal] = defaultdict(Decimal, self.making())
        charges: defaultdict[int, Decimal] = defaultdict(Decimal)
        freight: defaultdict[int, Decimal] = defaultdict(Decimal)
        for line in self.lines:
            price[line.item.ordered] += line.direct
            charges[line.item.delivered] += line.charges
            freight[line.item.delivered] += line.freight
        discounts: defaultdict[int, Decimal] = defaultdict(Decimal)
        for settled in self.settled:
            discounts[settled.span.settled] -= settled.off
        fixed: defaultdict[int, Decimal] = defaultdict(Decimal)
        for placed in self.placed:
            fixed[placed.span.due] += placed.span.fixed
        return {
            "price": price,
            "discounts": discounts,
            "charges": charges,
            "freight": freight,
            "onboarding": {0: self.onboarding()},
            "fixed": fixed,
            "holding": self.holding(),
        }

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
        spent: dict[int, Decimal] = {}
        for make, offer in self.ledger.makes:
            cost = self.problem.offers[offer].price[make.period] * make.units
            spent[make.period] = spent.get(make.period, Decimal(0)) + cost
        return spent

    def onboarding(self) -> Decimal:
        """One-off costs of all offers that are used."""
        used = {offer for (offer, _), amount in self.ledger.units().items() if amount > 0}
        return sum((self.problem.offers[offer].onboarding for offer in used), Decimal(0))

    def holding(self) -> dict[int, Decimal]:
        """Money by period for stock, and for what lies unused in lots."""
        periods = self.problem.case.horizon.periods
        spent = dict.fromkeys(range(len(periods)), Decimal(0))
        years = [Decimal(p.years.numerator) / Decimal(p.years.denominator) for p in periods]
        for stock in self.ledger.plan.stocks:
            store = self.problem.stores.get((stock.material, stock.place))
            if store is not None:
                spent[stock.period] += store.holding * stock.quantity * years[stock.period]
        for lot, t, rest, _ in self.ledger.rests():
            spent[t] += self.problem.stores[lot.material, lot.place.id].holding * rest * years[t]
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
