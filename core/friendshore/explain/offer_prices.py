"""Full prices of offers: traced through the plan for what it buys, marginal for what it doesn't.

No cash can be traced for an offer that the plan doesn't buy. Its marginal full price is its own price, duty, and freight, plus the cheapest
inputs that the rules admit for the same uses and that are there when it is ordered. Inputs may be bought earlier if they can be stored. Stock
in hand, limits on quantities, and the cost of storage don't count, so that a plan may pay more.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import Literal

from ..domain.base import Number, Record, as_decimal
from ..problem.compliance_classes import ComplianceClass
from ..problem.network import Node
from ..verify import VerifiedPlan
from .eligibility import Eligibilities
from .full_prices import trace_cash

_Prices = Mapping[tuple[Node, int], Fraction]
"""Node and period -> price of the cheapest kilogram that is there."""


class OfferPrice(Record):
    """Cost of a kilogram of an offer with all its inputs, not discounted."""

    how: Literal["traced", "marginal"]
    """`traced`: on average over what the plan buys. `marginal`: the plan buys none; in the first period in which it can be ordered."""
    own: Number
    """Its own price with duty and freight: a fee, if it takes inputs."""
    inputs: Number
    """Its inputs; 0 if it takes none."""
    full_price: Number
    ordered: str = ""
    """Period of the order of a marginal price."""


class OfferPrices:
    """Full prices of the offers of a planned case."""

    def __init__(self, verified: VerifiedPlan) -> None:
        self.verified = verified
        self.problem = verified.problem
        self.standings = Eligibilities(verified.problem)
        self._prices: dict[int, _Prices] = {}

    def of(self, name: str, material: str) -> OfferPrice | None:
        """Return the full price of an offer of a material. None: it may not be bought, or one of its inputs may not.

        A marginal price is that for the use with the most expensive inputs among those that the offer may serve.
        """
        position = next((i for i, facts in enumerate(self.problem.offers) if facts.offer.id == name), None)
        if position is None:
            return None
        if (position, material) in self._traced:
            return self._traced[position, material]
        found = [self._first(one, position, material) for one in self.problem.compliance_classes]
        return max((one for one in found if one is not None), key=lambda one: one.full_price, default=None)

    @cached_property
    def _traced(self) -> dict[tuple[int, str], OfferPrice]:
        sums: dict[tuple[int, str], list[Fraction]] = {}
        for line, inputs in zip(self.verified.lines, trace_cash(self.verified).inputs, strict=True):
            found = sums.setdefault((line.item.arc.offer, line.item.entry.material), [Fraction(0)] * 3)
            for number, amount in enumerate((Fraction(line.item.entry.quantity), Fraction(line.total), inputs)):
                found[number] += amount
        return {
            key: OfferPrice(
                how="traced",
                own=as_decimal(own / kilograms),
                inputs=as_decimal(inputs / kilograms),
                full_price=as_decimal((own + inputs) / kilograms),
            )
            for key, (kilograms, own, inputs) in sums.items()
            if kilograms
        }

    def _first(self, uses: ComplianceClass, offer: int, material: str) -> OfferPrice | None:
        """Return the price for one compliance class in the first possible period of an order."""
        arcs = [arc for arc in self.problem.network.arcs if arc.offer == offer and arc.node[0] == material]
        moves = self.problem.moves
        found: list[tuple[int, Fraction, Fraction]] = []
        for arc in arcs:
            for move in range(int(moves.first[arc.index]), int(moves.first[arc.index + 1])):
                if arc.node in uses.nodes and self._admits(uses, move):
                    ordered = int(moves.ordered[move])
                    inputs = self._inputs(offer, ordered, self._cheapest(uses))
                    if inputs is not None:
                        found.append((ordered, self._own(uses, move), inputs))
        if not found:
            return None
        ordered, own, inputs = min(found, key=lambda one: (one[0], one[1] + one[2]))
        label = self.problem.case.horizon.label(ordered)
        return OfferPrice(
            how="marginal",
            own=as_decimal(own),
            inputs=as_decimal(inputs),
            full_price=as_decimal(own + inputs),
            ordered=label,
        )

    def _admits(self, uses: ComplianceClass, move: int) -> bool:
        """Return True if a class may buy by a move, as far as rules, dates, and capacity go."""
        moves, arc = self.problem.moves, self.problem.network.arcs[int(self.problem.moves.arc[move])]
        ordered = int(moves.ordered[move])
        in_time = uses.final != arc.node or ordered in (uses.order_periods or ())
        admitted = in_time and uses.admits(arc.index, int(moves.delivered[move]))
        return admitted and arc.offer >= 0 and self.standings.units(arc.offer, ordered) != 0

    def _own(self, uses: ComplianceClass, move: int) -> Fraction:
        """Return the landed price of a kilogram; of several goods made together, each kilogram costs the same."""
        moves = self.problem.moves
        index, ordered = int(moves.arc[move]), int(moves.ordered[move])
        facts = self.problem.offers[self.problem.network.arcs[index].offer]
        money = Fraction(moves.money(move))
        if uses.surcharges is not None:
            money += Fraction(uses.surcharges.get((index, ordered), Decimal(0)) - moves.charges[index][ordered])
        return money if facts.single else money + Fraction(facts.price[ordered]) / Fraction(facts.mass_per_unit)

    def _inputs(self, offer: int, ordered: int, prices: _Prices) -> Fraction | None:
        """Return what the inputs of a kilogram cost. None if one of them can't be had."""
        facts, cost = self.problem.offers[offer], Fraction(0)
        for line in facts.offer.inputs:
            price = prices.get(((line.material, facts.place), ordered))
            if price is None:
                return None
            cost += Fraction(line.per_unit) * price
        return cost if facts.single else cost / Fraction(facts.mass_per_unit)

    def _cheapest(self, uses: ComplianceClass) -> _Prices:
        if uses.index not in self._prices:
            self._prices[uses.index] = self._find_cheapest(uses)
        return self._prices[uses.index]

    def _find_cheapest(self, uses: ComplianceClass) -> _Prices:
        """Return the price of the cheapest input at every node and period, one period after the other.

        Within a period, prices fall until none falls further: a chain in which nothing comes back to itself is as long as there are nodes.
        """
        problem, moves = self.problem, self.problem.moves
        arriving: list[list[int]] = [[] for _ in problem.case.horizon.periods]
        for index in sorted(self._upstream):
            if problem.network.arcs[index].node in uses.nodes:
                for move in range(int(moves.first[index]), int(moves.first[index + 1])):
                    if self._admits(uses, move):
                        arriving[int(moves.delivered[move])].append(move)
        prices: dict[tuple[Node, int], Fraction] = {}
        for t, here in enumerate(arriving):
            self._carry(prices, t)
            own = {move: self._own(uses, move) for move in here}
            for _ in range(len(uses.nodes) + 1):
                lowered = [self._lower(prices, move, own[move]) for move in here]
                if not any(lowered):
                    break
        return prices

    def _lower(self, prices: dict[tuple[Node, int], Fraction], move: int, own: Fraction) -> bool:
        """Lower the price where a move leads, if it is cheaper; return True if it is."""
        arc = self.problem.network.arcs[int(self.problem.moves.arc[move])]
        inputs = self._inputs(arc.offer, int(self.problem.moves.ordered[move]), prices)
        place = arc.node, int(self.problem.moves.delivered[move])
        if inputs is None or (place in prices and prices[place] <= own + inputs):
            return False
        prices[place] = own + inputs
        return True

    def _carry(self, prices: dict[tuple[Node, int], Fraction], t: int) -> None:
        """Take over the prices of the period before, where a material can be stored."""
        for node, store in self.problem.stores.items():
            before = prices.get((node, t - 1))
            if before is not None and store.limit[t - 1] != 0 and store.kept[t]:
                prices[node, t] = before / Fraction(store.kept[t])

    @cached_property
    def _upstream(self) -> frozenset[int]:
        """Arcs up the chain of any input."""
        network = self.problem.network
        feeds = {feed for feeds in network.feeds.values() for feed in feeds}
        return frozenset().union(*(network.reach(feed)[0] for feed in feeds))
