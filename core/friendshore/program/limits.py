"""Limit rules' rows as columns: the program's reading of each question."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

import numpy as np

from ..problem import Problem
from ..problem.limiting import limit_rows
from ..rules.base import Rule
from ..rules.rows import Row, Term
from .bounds import Bounds
from .columns import Columns
from .matrix import Assembly


@dataclass(eq=False)
class LimitRows:
    """All rows that limit rules ask for, and the 0/1 columns their `used` terms need."""

    rows: list[tuple[Rule, Row]]
    program_rows: list[int] = field(default_factory=list)
    """Position of each in the program."""
    misses: list[tuple[int, int, float]] = field(default_factory=list)
    """Row, column and price of each allowed miss."""

    @staticmethod
    def ask(problem: Problem) -> LimitRows:
        """Asks every limit rule for its rows."""
        return LimitRows(limit_rows(problem))

    @cached_property
    def forces(self) -> bool:
        """Whether some row may make a plan buy, hold or spend more than its need."""
        return any(row.at_least is not None or any(_negative(t) for t in row.terms) for _, row in self.rows)


def _negative(term: Term) -> bool:
    return term.times < 0 or bool((term.weight < 0).any())


def compile_limits(limits: LimitRows, problem: Problem, assembly: Assembly, columns: Columns, bounds: Bounds) -> None:
    """Adds every limit row to the program."""
    reader = _Reader(problem, assembly, columns, bounds)
    for position, (rule, row) in enumerate(limits.rows):
        lower = -np.inf if row.at_least is None else float(row.at_least)
        upper = np.inf if row.at_most is None else float(row.at_most)
        index = assembly.add_rows(1, lower, upper, f"rule {rule.id}")
        limits.program_rows.append(index)
        for term in row.terms:
            found, values = reader.read(term, row)
            assembly.add_entries(index, found, values)
        if row.penalty is not None:
            _allow_miss(limits, position, index, row, row.penalty, assembly)


def _allow_miss(limits: LimitRows, position: int, index: int, row: Row, price: Decimal, assembly: Assembly) -> None:
    for bound, sign in ((row.at_least, 1.0), (row.at_most, -1.0)):
        if bound is not None:
            column = assembly.add_columns(1, float(price))
            assembly.add_entries(index, column, sign)
            limits.misses.append((position, column, float(price)))


class _Reader:
    """Turns terms into columns and coefficients."""

    def __init__(self, problem: Problem, assembly: Assembly, columns: Columns, bounds: Bounds) -> None:
        self.problem = problem
        self.assembly = assembly
        self.columns = columns
        self.bounds = bounds
        self.count = problem.case.horizon.count
        self.buys: dict[int, list[int]] = {}
        for column, move in zip(columns.buy, columns.buy_move, strict=True):
            self.buys.setdefault(move, []).append(column)
        self.surcharge: dict[int, Decimal] = self._surcharges()
        self.deliveries: dict[int, list[int]] = {}
        for column, (demand, period, _, _) in zip(columns.deliver, columns.deliver_key, strict=True):
            self.deliveries.setdefault(demand * self.count + period, []).append(column)
        self.makes: dict[int, list[int]] = {}
        for (offer, _, t), column in columns.make.items():
            self.makes.setdefault(offer * self.count + t, []).append(column)
        self.held: dict[int, list[int]] = {}
        for (node, _), first in columns.stock.items():
            self.held.setdefault(node, []).append(first)
        self.rests: dict[int, list[int]] = {}
        nodes = {node: i for i, node in enumerate(problem.network.nodes)}
        for lot in columns.rest:
            self.rests.setdefault(nodes[problem.lots[lot].material, problem.lots[lot].place.id], []).append(lot)

    def _surcharges(self) -> dict[int, Decimal]:
        """Charges that depend on the use, by buying column."""
        found = {}
        moves = self.problem.moves
        for column, move, requirement in zip(
            self.columns.buy, self.columns.buy_move, self.columns.buy_requirement, strict=True
        ):
            charges = self.problem.requirements[requirement].surcharges
            if charges is not None:
                found[column] = charges.get((int(moves.arc[move]), int(moves.ordered[move])), Decimal(0))
        return found

    def read(self, term: Term, row: Row) -> tuple[list[int], list[float]]:
        """Columns and coefficients of a term."""
        if term.question == "used":
            return [self._used(term, row)], [term.times]
        found: list[int] = []
        values: list[float] = []
        for position, weight in zip(term.index.tolist(), (term.weight * term.times).tolist(), strict=True):
            for column, value in self._answer(term.question, position):
                found.append(column)
                values.append(weight * value)
        return found, values

    def _answer(self, question: str, position: int) -> list[tuple[int, float]]:
        if question == "bought":
            return [(column, 1.0) for column in self.buys.get(position, ())]
        if question == "delivered":
            return [(column, 1.0) for column in self.deliveries.get(position, ())]
        if question == "short":
            return [(self.columns.short + position, 1.0)]
        if question == "stock":
            return self._stock(position, 1.0)
        if question == "spent":
            return self._spent(position)
        if question == "making":
            return self._making(position)
        if question == "onboarding":
            cost = float(self.problem.offers[position].onboarding)
            return [(self.columns.onboard[position], cost)] if position in self.columns.onboard else []
        return self._holding(position)

    def _stock(self, position: int, factor: float) -> list[tuple[int, float]]:
        node, t = divmod(position, self.count)
        found = [(first + t, factor) for first in self.held.get(node, ())]
        lots = [lot for lot in self.rests.get(node, ()) if self.problem.lots[lot].period <= t]
        return found + [(self.columns.rest[lot], factor) for lot in lots]

    def _holding(self, position: int) -> list[tuple[int, float]]:
        node, t = divmod(position, self.count)
        rate = float(self.problem.stores[self.problem.network.nodes[node]].holding)
        return self._stock(position, rate * float(self.problem.case.horizon.periods[t].years))

    def _spent(self, move: int) -> list[tuple[int, float]]:
        moves = self.problem.moves
        money = moves.price[move] + moves.charge[move] + moves.freight[move]
        return [(c, float(money + self.surcharge.get(c, Decimal(0)))) for c in self.buys.get(move, ())]

    def _making(self, position: int) -> list[tuple[int, float]]:
        offer, t = divmod(position, self.count)
        price = float(self.problem.offers[offer].price[t])
        return [(column, price) for column in self.makes.get(position, ())]

    def _used(self, term: Term, row: Row) -> int:
        """A 0/1 column that is 1 exactly if the moves come to the threshold."""
        resolution = float(self.problem.case.resolution)
        threshold = term.at_least or resolution
        found: list[int] = []
        weights: list[float] = []
        most = 0.0
        for move, weight in zip(term.index.tolist(), term.weight.tolist(), strict=True):
            for column in self.buys.get(move, ()):
                found.append(column)
                weights.append(weight)
                most += weight * float(self.bounds.move[move])
        column = self.assembly.add_columns(1, 0.0, 1.0, integer=True)
        wants_high = (term.times > 0) == (row.at_least is not None)
        both = row.at_least is not None and row.at_most is not None
        if both or wants_high:
            index = self.assembly.add_rows(1, 0.0, np.inf, f"counting in {row.label}")
            self.assembly.add_entries(index, found, weights)
            self.assembly.add_entries(index, column, -threshold)
        if both or not wants_high:
            # 0 means less than the threshold: at most one resolution short of it, or nothing at all.
            below = threshold - resolution
            index = self.assembly.add_rows(1, -np.inf, below, f"counting in {row.label}")
            self.assembly.add_entries(index, found, weights)
            self.assembly.add_entries(index, column, -(most - below))
        return column
