"""The plan's answers to what limit rules ask of it."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from functools import cached_property

import numpy as np

from ..problem.fixed_point import Whole, added_up
from ..problem.float_tables import Floats
from ..rules.rows import Term
from .amounts import Amounts
from .columns import Ints
from .ledger import PlanEntries
from .money import Costing


class Answers:
    """The plan's answers to the questions that rows ask."""

    def __init__(self, ledger: PlanEntries, amounts: Amounts, costing: Costing) -> None:
        self.problem = ledger.problem
        self.ledger, self.amounts, self.costing = ledger, amounts, costing
        self.count = self.problem.case.horizon.count
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
    def making(self) -> dict[int, Decimal]:
        """Money on runs, by offer and period."""
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        for make, offer in self.ledger.makes:
            found[offer * self.count + make.period] += self.problem.offers[offer].price[make.period] * make.units
        return found

    @cached_property
    def delivered(self) -> dict[int, Decimal]:
        """Kilograms delivered, by demand and period."""
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        for delivery, demand in self.ledger.deliveries:
            found[demand * self.count + delivery.period] += delivery.quantity
        return found

    @cached_property
    def short(self) -> dict[int, Decimal]:
        """Kilograms short, by demand and period."""
        demands = {demand.id: i for i, demand in enumerate(self.problem.demands)}
        found: defaultdict[int, Decimal] = defaultdict(Decimal)
        for short in self.ledger.plan.shorts:
            if short.demand in demands:
                found[demands[short.demand] * self.count + short.period] += short.quantity
        return found

    @cached_property
    def stock(self) -> dict[int, tuple[Decimal, Decimal]]:
        """Kilograms held, by node and period, and the rounded numbers that they follow from."""
        nodes, amounts = self._nodes, self.amounts
        return {
            nodes[node] * self.count + t: (held, amounts.pieces.get((node, t), Decimal(1)))
            for (node, t), held in amounts.stock.items()
            if node in nodes
        }

    @cached_property
    def reserved(self) -> dict[int, tuple[Decimal, Decimal]]:
        """The same by compliance class, node and period."""
        labels = {requirement.label: requirement.index for requirement in self.problem.compliance_classes}
        return {
            (labels[label] * len(self._nodes) + self._nodes[node]) * self.count + t: held
            for ((node, label), t), held in self.amounts.reserved.items()
            if node in self._nodes and label in labels
        }

    @cached_property
    def used(self) -> frozenset[int]:
        """Offers of which anything is ordered."""
        return frozenset(np.flatnonzero((self.ledger.orders.counts > 0).any(axis=1)).tolist())

    def value(self, term: Term) -> tuple[Decimal, Decimal]:
        """A term's value, and by how much rounding may have moved it."""
        times = Decimal(repr(term.times))
        if term.question == "used":
            return times * self._used(term), Decimal(0)
        if term.question == "lacking":
            return self._lacking(term, times)
        total = terms = Decimal(0)
        for position, weight in zip(term.index.tolist(), term.weight.tolist(), strict=True):
            factor = Decimal(repr(weight)) * times
            answer, unit = self._answer(term.question, position)
            total += factor * answer
            if answer or term.question in ("stock", "reserved", "holding"):
                terms += abs(factor) * unit
        return total, terms * self.resolution / 2

    def _lacking(self, term: Term, times: Decimal) -> tuple[Decimal, Decimal]:
        """What the worst of the parts lacks; rounding may have moved it by as much as any of them."""
        most = slack = Decimal(0)
        for base, part in term.parts:
            amount, moved = self.value(part)
            most, slack = max(most, base - amount), max(slack, moved)
        return times * most, abs(times) * slack

    def _used(self, term: Term) -> int:
        counted = zip(term.index.tolist(), term.weight.tolist(), strict=True)
        total = sum((Decimal(repr(weight)) * self._bought(move) for move, weight in counted), Decimal(0))
        threshold = Decimal(repr(term.at_least)) if term.at_least else self.resolution
        # A share of a demand need not be a multiple of the resolution: rounding may leave the sum half a step short.
        parts = int(np.maximum(self.parts[term.index], 1).sum())
        slack = self.resolution / 2 * parts if term.at_least else Decimal(0)
        return int(total >= threshold - slack)

    def _bought(self, move: int) -> Decimal:
        return Decimal(int(self.bought[move])) * self.unit

    def _answer(self, question: str, position: int) -> tuple[Decimal, Decimal]:
        """A question's answer, and what a kilogram counts for in it."""
        one = Decimal(1)
        if question == "bought":
            return self._bought(position), Decimal(int(self.parts[position]))
        if question == "spent":
            money = self.problem.moves.money(position) * int(self.parts[position])
            return self.spent.get(position, Decimal(0)), money
        if question == "making":
            offer, t = divmod(position, self.count)
            return self.making.get(position, Decimal(0)), self.problem.offers[offer].price[t]
        if question == "onboarding":
            cost = self.problem.offers[position].onboarding
            return (cost if position in self.used else Decimal(0)), Decimal(0)
        if question == "discounts":
            settled = self.settled.get(position)
            return (-settled.off, settled.rate * settled.pieces) if settled is not None else (Decimal(0), Decimal(0))
        if question == "untaken":
            untaken = self.untaken.get(position)
            if untaken is None:
                return Decimal(0), Decimal(0)
            return untaken.due, untaken.commitment.rate * untaken.pieces
        if question == "fixed":
            return (self.problem.term_spans[position].fixed if position in self.placed else Decimal(0)), Decimal(0)
        if question == "holding":
            node, t = divmod(position, self.count)
            years = self.problem.case.horizon.periods[t].years
            rate = self.problem.stores[self.problem.network.nodes[node]].holding * years.numerator / years.denominator
            held, pieces = self.stock.get(position, (Decimal(0), one))
            return held * rate, rate * pieces
        if question == "reserved":
            return self.reserved.get(position, (Decimal(0), one))
        if question == "stock":
            return self.stock.get(position, (Decimal(0), one))
        return (self.delivered if question == "delivered" else self.short).get(position, Decimal(0)), one
