"""Do the limits hold? Every row of every limit rule, read on the finished plan."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from ..problem.limiting import materials_of
from ..rules.base import Rule
from ..rules.rows import Row, Term, one_by_one
from .amounts import Amounts
from .ledger import Ledger
from .money import Costing


@dataclass(frozen=True, slots=True)
class Reading:
    """A row, and what the plan makes of it."""

    rule: Rule
    row: Row
    value: Decimal
    tolerance: Decimal
    """By how much rounding may miss it."""
    miss: Decimal
    """By how much it is missed."""
    unplanned: bool
    """Whether it speaks of materials that are not planned, because rules conflict."""


class Answers:
    """The plan's answers to the questions that rows ask."""

    def __init__(self, ledger: Ledger, amounts: Amounts, costing: Costing) -> None:
        self.problem = ledger.problem
        self.count = self.problem.case.horizon.count
        self.resolution = self.problem.case.resolution
        moves = self.problem.moves
        self.bought: defaultdict[int, Decimal] = defaultdict(Decimal)
        self.parts: defaultdict[int, Decimal] = defaultdict(Decimal)
        """How many half steps of the resolution what is bought of a move may be off."""
        self.spent: defaultdict[int, Decimal] = defaultdict(Decimal)
        for item in ledger.bought:
            if (move := moves.at(item.arc.index, item.ordered)) is not None:
                self.bought[move] += item.entry.quantity
                self.parts[move] += 2 if ledger.in_lots(item) else 1
        for line in costing.lines:
            if (move := moves.at(line.item.arc.index, line.item.ordered)) is not None:
                self.spent[move] += line.direct + line.charges + line.freight
        self.making: defaultdict[int, Decimal] = defaultdict(Decimal)
        for make, offer in ledger.makes:
            self.making[offer * self.count + make.period] += self.problem.offers[offer].price[make.period] * make.units
        demands = {demand.id: i for i, demand in enumerate(self.problem.demands)}
        self.delivered: defaultdict[int, Decimal] = defaultdict(Decimal)
        for delivery, demand in ledger.deliveries:
            self.delivered[demand * self.count + delivery.period] += delivery.quantity
        self.short: defaultdict[int, Decimal] = defaultdict(Decimal)
        for short in ledger.plan.shorts:
            if short.demand in demands:
                self.short[demands[short.demand] * self.count + short.period] += short.quantity
        nodes = {node: i for i, node in enumerate(self.problem.network.nodes)}
        self.stock = {nodes[node] * self.count + t: held for (node, t), held in amounts.stock.items() if node in nodes}
        self.pieces = {nodes[node] * self.count + t: n for (node, t), n in amounts.pieces.items() if node in nodes}
        self.placed = {placed.position for placed in costing.placed}
        self.settled = {settled.position: settled for settled in costing.settled}
        labels = {requirement.label: requirement.index for requirement in self.problem.requirements}
        self.reserved = {
            (labels[label] * len(nodes) + nodes[node]) * self.count + t: held
            for ((node, label), t), held in amounts.reserved.items()
            if node in nodes and label in labels
        }
        self.used = {offer for (offer, _), units in ledger.units().items() if units > 0}

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
        total = sum(
            (Decimal(repr(w)) * self.bought[m] for m, w in zip(term.index.tolist(), term.weight.tolist(), strict=True)),
            Decimal(0),
        )
        threshold = Decimal(repr(term.at_least)) if term.at_least else self.resolution
        # A share of a demand need not be a multiple of the resolution: rounding may leave the sum half a step short.
        parts = sum((max(self.parts[m], Decimal(1)) for m in term.index.tolist()), Decimal(0))
        slack = self.resolution / 2 * parts if term.at_least else Decimal(0)
        return int(total >= threshold - slack)

    def _answer(self, question: str, position: int) -> tuple[Decimal, Decimal]:
        """A question's answer, and what a kilogram counts for in it."""
        one = Decimal(1)
        if question == "bought":
            return self.bought[position], self.parts[position]
        if question == "spent":
            return self.spent[position], self.problem.moves.money(position) * self.parts[position]
        if question == "making":
            offer, t = divmod(position, self.count)
            return self.making[position], self.problem.offers[offer].price[t]
        if question == "onboarding":
            cost = self.problem.offers[position].onboarding
            return (cost if position in self.used else Decimal(0)), Decimal(0)
        if question == "discounts":
            settled = self.settled.get(position)
            return (-settled.off, settled.rate * settled.pieces) if settled is not None else (Decimal(0), Decimal(0))
        if question == "fixed":
            return (self.problem.term_spans[position].fixed if position in self.placed else Decimal(0)), Decimal(0)
        if question == "holding":
            node, t = divmod(position, self.count)
            years = self.problem.case.horizon.periods[t].years
            rate = self.problem.stores[self.problem.network.nodes[node]].holding * years.numerator / years.denominator
            return self.stock.get(position, Decimal(0)) * rate, rate * self.pieces.get(position, one)
        if question == "reserved":
            return self.reserved.get(position, (Decimal(0), one))
        if question == "stock":
            return self.stock.get(position, Decimal(0)), self.pieces.get(position, one)
        return {"delivered": self.delivered, "short": self.short}[question][position], one


def read_limits(ledger: Ledger, amounts: Amounts, costing: Costing) -> tuple[list[Reading], Decimal]:
    """Every row with its value, hard misses recorded as findings; and what soft misses cost."""
    problem = ledger.problem
    answers = Answers(ledger, amounts, costing)
    readings: list[Reading] = []
    penalties = Decimal(0)
    for rule, row in ((rule, row) for rule, rows in problem.limit_rows for row in one_by_one(rows)):
        reading = _read(rule, row, answers, ledger)
        readings.append(reading)
        if row.penalty is not None:
            penalties += row.penalty * reading.miss
        elif reading.miss > reading.tolerance and not reading.unplanned:
            ledger.find(
                f"rule `{rule.id}` does not hold: {row.sentence or row.label}",
                found=f"{reading.value.normalize():f}",
                expected=_expected(row),
            )
    return readings, penalties


def _expected(row: Row) -> str:
    parts = []
    if row.at_least is not None:
        parts.append(f"at least {row.at_least.normalize():f}")
    if row.at_most is not None:
        parts.append(f"at most {row.at_most.normalize():f}")
    return " and ".join(parts)


def _read(rule: Rule, row: Row, answers: Answers, ledger: Ledger) -> Reading:
    value = tolerance = Decimal(0)
    for term in row.terms:
        amount, slack = answers.value(term)
        value += amount
        tolerance += slack
    miss = Decimal(0)
    if row.at_least is not None:
        miss = max(miss, row.at_least - value)
    if row.at_most is not None:
        miss = max(miss, value - row.at_most)
    bounds = [abs(bound) for bound in (row.at_least, row.at_most) if bound is not None]
    scale = max(abs(value), *bounds, Decimal(1))
    return Reading(rule, row, value, tolerance + scale * Decimal("1e-9"), miss, _touches_unplanned(rule, row, ledger))


def _touches_unplanned(rule: Rule, row: Row, ledger: Ledger) -> bool:
    """Whether a row cannot be asked to hold: it conflicts with others, which the plan says, and its materials are not planned."""
    if not ledger.plan.infeasible:
        return False
    materials = materials_of(ledger.problem, row)
    if not materials:
        return any(rule.id in part.rules for part in ledger.plan.infeasible)
    return bool(materials & ledger.unplanned)
