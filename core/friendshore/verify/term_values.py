"""Terms as numbers: the verifier's reading of all that a limit rule may count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property, partial
from typing import assert_never

import numpy as np

from ..domain.base import totals
from ..problem.decimal_arrays import Floats, Whole, added_up
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


@dataclass(frozen=True, slots=True, eq=False)
class MoveSums:
    """What is bought of every move."""

    counts: Whole
    """In units of the plan's tables."""
    parts: Ints
    """How many half steps of the resolution that may be off."""
    near: Floats
    """The same in kilograms, in doubles."""


class TermValues:
    """What terms come to on a finished plan."""

    def __init__(self, ledger: PlanEntries, amounts: Amounts, costing: Costing) -> None:
        self.problem = ledger.problem
        self.ledger, self.amounts, self.costing = ledger, amounts, costing
        self.resolution = self.problem.case.resolution
        self.unit = ledger.columns.unit
        self._ends = {r.label: (r.ends, r.free_of) for r in self.problem.compliance_classes}
        self._bought: dict[terms.ForUses | None, MoveSums] = {}
        self._money: dict[terms.ForUses | None, dict[int, Decimal]] = {}
        self.placed = {placed.position for placed in costing.placed}
        self.untaken = {untaken.position: untaken for untaken in costing.untaken}
        self.settled = {settled.position: settled for settled in costing.settled}
        self._nodes = {node: i for i, node in enumerate(self.problem.network.nodes)}

    def counts(self, label: str, for_uses: terms.ForUses | None) -> bool:
        """Whether what is bought, made or held for a compliance class counts."""
        return for_uses is None or for_uses.takes(*self._ends.get(label, (frozenset(), frozenset())))

    def bought(self, for_uses: terms.ForUses | None = None) -> MoveSums:
        """What is bought of every move, for any use or for some."""
        if for_uses not in self._bought:
            columns, moves = self.ledger.columns, self.problem.moves
            move = moves.slots[columns.arc, columns.ordered].astype(np.intp)
            taken = np.array([self.counts(label, for_uses) for label in columns.labels], dtype=bool)
            known = (move >= 0) & taken[columns.requirement]
            counts = added_up(columns.counts[known], move[known], len(moves))
            parts: Ints = added_up(columns.roundings[known], move[known], len(moves))
            self._bought[for_uses] = MoveSums(counts, parts, columns.near(counts))
        return self._bought[for_uses]

    def spent(self, for_uses: terms.ForUses | None) -> dict[int, Decimal]:
        """Money on every move, for any use or for some."""
        if for_uses not in self._money:
            found: defaultdict[int, Decimal] = defaultdict(Decimal)
            for line in self.costing.lines:
                move = self.problem.moves.at(line.item.arc.index, line.item.ordered)
                if move is not None and self.counts(line.item.entry.requirement, for_uses):
                    found[move] += line.direct + line.charges + line.freight
            self._money[for_uses] = found
        return self._money[for_uses]

    def making(self, for_uses: terms.ForUses | None) -> dict[Cell, Decimal]:
        """Money on runs by offer and period, for any use or for some."""
        found: defaultdict[Cell, Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            if self.counts(make.requirement, for_uses):
                found[offer, make.period] += self.problem.offers[offer].price[make.period] * make.units
        return found

    @cached_property
    def delivered(self) -> dict[Cell, Decimal]:
        """Kilograms delivered, by demand and period."""
        return totals(((demand, delivery.period), delivery.quantity) for delivery, demand in self.ledger.deliveries)

    @cached_property
    def short(self) -> dict[Cell, Decimal]:
        """Kilograms short, by demand and period."""
        demands = {demand.id: i for i, demand in enumerate(self.problem.demands)}
        known = (short for short in self.ledger.plan.shorts if short.demand in demands)
        return totals(((demands[short.demand], short.period), short.quantity) for short in known)

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
                return self._summed(term.weight, partial(self._bought_of, self.bought(term.for_uses)), term.moves)
            case terms.UsedTerm():
                return Decimal(self._used(term)), NOTHING
            case terms.SpentTerm():
                return self._summed(term.weight, partial(self._spent, term.for_uses), term.moves)
            case terms.DeliveredTerm():
                return self._summed(term.weight, self._delivered, term.demands, term.periods)
            case terms.ShortTerm():
                return self._summed(term.weight, self._short, term.demands, term.periods)
            case terms.StockTerm():
                return self._summed(term.weight, partial(self._stock, term.for_uses), term.nodes, term.periods)
            case terms.HoldingTerm():
                return self._summed(term.weight, partial(self._holding, term.for_uses), term.nodes, term.periods)
            case terms.ReservedTerm():
                return self._summed(term.weight, self._reserved, term.classes, term.nodes, term.periods)
            case terms.MakingTerm():
                made = partial(self._making, self.making(term.for_uses))
                return self._summed(term.weight, made, term.offers, term.periods)
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
        bought = self.bought(term.for_uses)
        total, _ = self._summed(term.weight, partial(self._bought_of, bought), term.moves)
        threshold = Decimal(repr(term.at_least)) if term.at_least else self.resolution
        # A share of a demand need not be a multiple of the resolution: rounding may leave the sum half a step short.
        parts = int(np.maximum(bought.parts[term.moves], 1).sum())
        slack = self.resolution / 2 * parts if term.at_least else NOTHING
        return int(total >= threshold - slack)

    # What is read at one entry of a term, and how many half steps of the resolution a kilogram may be off, in its unit: none where
    # nothing is read, but for stock, which is what is left of numbers that are rounded each.

    def _bought_of(self, bought: MoveSums, move: int) -> Answer:
        count = int(bought.counts[move])
        return Decimal(count) * self.unit, Decimal(int(bought.parts[move])) if count else NOTHING

    def _spent(self, for_uses: terms.ForUses | None, move: int) -> Answer:
        spent, parts = self.spent(for_uses).get(move, NOTHING), int(self.bought(for_uses).parts[move])
        return spent, abs(self.problem.moves.money(move)) * parts if spent else NOTHING

    def _delivered(self, demand: int, t: int) -> Answer:
        delivered = self.delivered.get((demand, t), NOTHING)
        return delivered, ONE if delivered else NOTHING

    def _short(self, demand: int, t: int) -> Answer:
        short = self.short.get((demand, t), NOTHING)
        return short, ONE if short else NOTHING

    def _stock(self, for_uses: terms.ForUses | None, node: int, t: int) -> Answer:
        if for_uses is None:
            return self.stock.get((node, t), (NOTHING, ONE))
        held = [
            self.reserved[r.index, node, t]
            for r in self.problem.compliance_classes
            if self.counts(r.label, for_uses) and (r.index, node, t) in self.reserved
        ]
        return sum((kilograms for kilograms, _ in held), NOTHING), sum((pieces for _, pieces in held), ONE)

    def _holding(self, for_uses: terms.ForUses | None, node: int, t: int) -> Answer:
        years = self.problem.case.horizon.periods[t].years
        rate = self.problem.stores[self.problem.network.nodes[node]].holding[t] * years.numerator / years.denominator
        held, pieces = self._stock(for_uses, node, t)
        return held * rate, rate * pieces

    def _reserved(self, compliance_class: int, node: int, t: int) -> Answer:
        return self.reserved.get((compliance_class, node, t), (NOTHING, ONE))

    def _making(self, made: Mapping[Cell, Decimal], offer: int, t: int) -> Answer:
        money = made.get((offer, t), NOTHING)
        return money, abs(self.problem.offers[offer].price[t]) if money else NOTHING

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
