"""Terms as numbers: the verifier's reading of all that a limit rule may count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from decimal import Decimal
from functools import cached_property
from typing import assert_never

import numpy as np

from ..problem.fixed_point import Whole, added_up
from ..problem.float_tables import Floats
from ..rules import terms
from ..rules.terms import Term
from .amounts import Amounts
from .columns import Ints
from .ledger import PlanEntries
from .money import Costing

Answer = tuple[Decimal, Decimal]
"""A number, and how far it may be off for rounding."""
Cell = tuple[int, int]
"""Two positions: of a demand, a node or an offer, and of a period."""
NOTHING, ONE = Decimal(0), Decimal(1)


class TermValues:
    """What terms come to on a finished plan."""

    def __init__(self, ledger: PlanEntries, amounts: Amounts, costing: Costing) -> None:
        self.problem = ledger.problem
        self.ledger, self.amounts, self.costing = ledger, amounts, costing
        self.resolution = self.problem.case.resolution
        columns, moves = ledger.columns, self.problem.moves
        move = moves.slots[columns.arc, columns.ordered].astype(np.intp)
        known = move >= 0
        self.unit = columns.unit
        self.bought: Whole = added_up(columns.counts[known], move[known], len(moves))
        """What is bought of every move, in units."""
        self.parts: Ints = added_up(columns.roundings[known], move[known], len(moves))
        """How many half steps of the resolution that may be off."""
        self.near: Floats = columns.near(self.bought)
        """The same in kilograms, in doubles."""
        self.placed = {placed.position for placed in costing.placed}
        self.untaken = {untaken.position: untaken for untaken in costing.untaken}
        self.settled = {settled.position: settled for settled in costing.settled}
        self._nodes = {node: i for i, node in enumerate(self.problem.network.nodes)}

    @cached_property
    def spent(self) -> dict[int, Decimal]:
        """Money on every move."""
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        for line in self.costing.lines:
            if (move := self.problem.moves.at(line.item.arc.index, line.item.ordered)) is not None:
                found[move] += line.direct + line.charges + line.freight
        return found

    @cached_property
    def making(self) -> dict[Cell, Decimal]:
        """Money on runs, by offer and period."""
        found: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            found[offer, make.period] += self.problem.offers[offer].price[make.period] * make.units
        return found

    @cached_property
    def delivered(self) -> dict[Cell, Decimal]:
        """Kilograms delivered, by demand and period."""
        found: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        for delivery, demand in self.ledger.deliveries:
            found[demand, delivery.period] += delivery.quantity
        return found

    @cached_property
    def short(self) -> dict[Cell, Decimal]:
        """Kilograms short, by demand and period."""
        demands = {demand.id: i for i, demand in enumerate(self.problem.demands)}
        found: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        for short in self.ledger.plan.shorts:
            if short.demand in demands:
                found[demands[short.demand], short.period] += short.quantity
        return found

    @cached_property
    def stock(self) -> dict[Cell, Answer]:
        """Kilograms held, by node and period, and the rounded numbers that they follow from."""
        nodes, amounts = self._nodes, self.amounts
        return {
            (nodes[node], t): (held, amounts.pieces.get((node, t), ONE))
            for (node, t), held in amounts.stock.items()
            if node in nodes
        }

    @cached_property
    def reserved(self) -> dict[tuple[int, int, int], Answer]:
        """The same by compliance class, node and period."""
        labels = {requirement.label: requirement.index for requirement in self.problem.compliance_classes}
        return {
            (labels[label], self._nodes[node], t): held
            for ((node, label), t), held in self.amounts.reserved.items()
            if node in self._nodes and label in labels
        }

    @cached_property
    def used(self) -> frozenset[int]:
        """Offers of which anything is ordered."""
        return frozenset(np.flatnonzero((self.ledger.orders.counts > 0).any(axis=1)).tolist())

    def value(self, term: Term) -> Answer:
        """A term's value, and by how much rounding may have moved it."""
        value, slack = self._counted(term)
        times = Decimal(repr(term.times))
        return times * value, abs(times) * slack

    def _counted(self, term: Term) -> Answer:  # noqa: C901 - a case for each term
        """The same but for its `times`."""
        match term:
            case terms.BoughtTerm():
                return self._summed(term.weight, self._bought_of, term.moves)
            case terms.UsedTerm():
                return Decimal(self._used(term)), NOTHING
            case terms.SpentTerm():
                return self._summed(term.weight, self._spent, term.moves)
            case terms.DeliveredTerm():
                return self._summed(term.weight, self._delivered, term.demands, term.periods)
            case terms.ShortTerm():
                return self._summed(term.weight, self._short, term.demands, term.periods)
            case terms.StockTerm():
                return self._summed(term.weight, self._stock, term.nodes, term.periods)
            case terms.HoldingTerm():
                return self._summed(term.weight, self._holding, term.nodes, term.periods)
            case terms.ReservedTerm():
                return self._summed(term.weight, self._reserved, term.classes, term.nodes, term.periods)
            case terms.MakingTerm():
                return self._summed(term.weight, self._making, term.offers, term.periods)
            case terms.OnboardingTerm():
                return self._summed(term.weight, self._onboarding, term.offers)
            case terms.DiscountsTerm():
                return self._summed(term.weight, self._discounts, term.price_spans)
            case terms.FixedTerm():
                return self._summed(term.weight, self._fixed, term.term_spans)
            case terms.UntakenTerm():
                return self._summed(term.weight, self._untaken, term.commitments)
            case terms.LackingTerm():
                return self._lacking(term)
            case _:
                assert_never(term)

    def _summed(self, weights: Floats, read: Callable[..., Answer], *positions: Ints) -> Answer:
        """What is read at each entry of a term, times its weight."""
        total = halves = NOTHING
        for *at, weight in zip(*(some.tolist() for some in positions), weights.tolist(), strict=True):
            factor = Decimal(repr(weight))
            answer, rounded = read(*at)
            total += factor * answer
            halves += abs(factor) * rounded
        return total, halves * self.resolution / 2

    def _lacking(self, term: terms.LackingTerm) -> Answer:
        """What the worst of the parts lacks; rounding may have moved it by as much as any of them."""
        most = slack = NOTHING
        for base, part in term.parts:
            amount, moved = self.value(part)
            most, slack = max(most, base - amount), max(slack, moved)
        return most, slack

    def _used(self, term: terms.UsedTerm) -> int:
        counted = zip(term.moves.tolist(), term.weight.tolist(), strict=True)
        total = sum((Decimal(repr(weight)) * self._bought(move) for move, weight in counted), NOTHING)
        threshold = Decimal(repr(term.at_least)) if term.at_least else self.resolution
        # A share of a demand need not be a multiple of the resolution: rounding may leave the sum half a step short.
        parts = int(np.maximum(self.parts[term.moves], 1).sum())
        slack = self.resolution / 2 * parts if term.at_least else NOTHING
        return int(total >= threshold - slack)

    def _bought(self, move: int) -> Decimal:
        return Decimal(int(self.bought[move])) * self.unit

    # What is read at one entry of a term, and how many half steps of the resolution a kilogram may be off, in its unit: none where
    # nothing is read, but for stock, which is what is left of numbers that are rounded each.

    def _bought_of(self, move: int) -> Answer:
        bought = self._bought(move)
        return bought, Decimal(int(self.parts[move])) if bought else NOTHING

    def _spent(self, move: int) -> Answer:
        spent = self.spent.get(move, NOTHING)
        return spent, self.problem.moves.money(move) * int(self.parts[move]) if spent else NOTHING

    def _delivered(self, demand: int, t: int) -> Answer:
        delivered = self.delivered.get((demand, t), NOTHING)
        return delivered, ONE if delivered else NOTHING

    def _short(self, demand: int, t: int) -> Answer:
        short = self.short.get((demand, t), NOTHING)
        return short, ONE if short else NOTHING

    def _stock(self, node: int, t: int) -> Answer:
        return self.stock.get((node, t), (NOTHING, ONE))

    def _holding(self, node: int, t: int) -> Answer:
        years = self.problem.case.horizon.periods[t].years
        rate = self.problem.stores[self.problem.network.nodes[node]].holding * years.numerator / years.denominator
        held, pieces = self._stock(node, t)
        return held * rate, rate * pieces

    def _reserved(self, compliance_class: int, node: int, t: int) -> Answer:
        return self.reserved.get((compliance_class, node, t), (NOTHING, ONE))

    def _making(self, offer: int, t: int) -> Answer:
        made = self.making.get((offer, t), NOTHING)
        return made, self.problem.offers[offer].price[t] if made else NOTHING

    def _onboarding(self, offer: int) -> Answer:
        return self.problem.offers[offer].onboarding if offer in self.used else NOTHING, NOTHING

    def _discounts(self, span: int) -> Answer:
        if span not in self.settled:
            return NOTHING, NOTHING
        settled = self.settled[span]
        return -settled.off, settled.rate * settled.pieces if settled.off else NOTHING

    def _fixed(self, span: int) -> Answer:
        return self.problem.term_spans[span].fixed if span in self.placed else NOTHING, NOTHING

    def _untaken(self, commitment: int) -> Answer:
        if commitment not in self.untaken:
            return NOTHING, NOTHING
        untaken = self.untaken[commitment]
        return untaken.due, untaken.commitment.rate * untaken.pieces if untaken.due else NOTHING
