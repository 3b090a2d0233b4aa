"""Limit rules' rows as columns: the program's reading of each question."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import groupby

import numpy as np

from ..problem import Problem
from ..problem.moves import ranges
from ..rules.base import Rule
from ..rules.rows import Row, Rows, Term, one_by_one
from .bounds import Bounds
from .columns import Columns
from .matrix import Assembly, Floats, Ints


@dataclass(eq=False)
class LimitRows:
    """All rows that limit rules ask for, and the binary variables their `used` terms need."""

    asked: Sequence[tuple[Rule, Row | Rows]]
    program_rows: list[int] = field(default_factory=list)
    """Position of each row in the program."""
    misses: list[tuple[int, int, float]] = field(default_factory=list)
    """Row, column and price of each allowed miss."""

    @staticmethod
    def ask(problem: Problem) -> LimitRows:
        """Asks every limit rule for its rows."""
        return LimitRows(problem.limit_rows)

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        """All rows one by one."""
        return [(rule, row) for rule, rows in self.asked for row in one_by_one(rows)]

    @cached_property
    def forces(self) -> bool:
        """Whether some row may make a plan buy, hold or spend more than its need."""
        terms = [term for _, row in self.asked for term in row.asked]
        if any(least is not None for _, row in self.asked for least in row.floors):
            return True
        if any(term.times < 0 or term.question == "lacking" for term in terms):
            return True
        return bool(terms) and bool((np.concatenate([term.weight for term in terms]) < 0).any())


def compile_limits(limits: LimitRows, reader: Reader) -> None:
    """Adds every limit row to the program; rows of one rule that need no column of their own as one block.

    What they count of purchases is added by `Reader.add_bought`, once for all.
    """
    assembly = reader.assembly
    for (name, plain), group in groupby(limits.asked, key=lambda asked: (asked[0].id, _is_plain(asked[1]))):
        blocks = [rows for _, rows in group]
        if plain:
            first = assembly.add_rows(sum(map(_number, blocks)), *_ends(blocks), f"rule {name}")
            limits.program_rows.extend(range(first, assembly.rows))
            for rows in blocks:
                reader.read_plain(first, rows)
                first += _number(rows)
        else:
            for row in (row for rows in blocks for row in one_by_one(rows)):
                position = len(limits.program_rows)
                index = assembly.add_rows(1, *_ends([row]), f"rule {name}")
                limits.program_rows.append(index)
                for term in row.terms:
                    reader.read(index, term, row)
                if row.penalty is not None:
                    _allow_miss(limits, position, index, row, row.penalty, assembly)


def _number(rows: Row | Rows) -> int:
    return 1 if isinstance(rows, Row) else len(rows)


def _ends(blocks: Sequence[Row | Rows]) -> tuple[list[float], list[float]]:
    """The least and the most of all rows, infinite where there is none."""
    least: list[float] = []
    most: list[float] = []
    for rows in blocks:
        if isinstance(rows, Row):
            least.append(-np.inf if rows.at_least is None else float(rows.at_least))
            most.append(np.inf if rows.at_most is None else float(rows.at_most))
        else:
            least += [-np.inf] * len(rows) if rows.at_least is None else map(float, rows.at_least)
            most += [np.inf] * len(rows) if rows.at_most is None else map(float, rows.at_most)
    return least, most


def _is_plain(rows: Row | Rows) -> bool:
    return rows.penalty is None and all(term.question not in ("used", "lacking") for term in rows.asked)


def _allow_miss(limits: LimitRows, position: int, index: int, row: Row, price: Decimal, assembly: Assembly) -> None:
    for bound, sign in ((row.at_least, 1.0), (row.at_most, -1.0)):
        if bound is not None:
            column = assembly.add_columns(1, float(price))
            assembly.add_entries(index, column, sign)
            limits.misses.append((position, column, float(price)))


class Reader:
    """Turns terms into columns and coefficients."""

    def __init__(self, problem: Problem, assembly: Assembly, columns: Columns, bounds: Bounds) -> None:
        self.problem = problem
        self.assembly = assembly
        self.columns = columns
        self.bounds = bounds
        self.count = problem.case.horizon.count
        order = np.argsort(columns.buy_move, kind="stable")
        self.buys = columns.buy[order]
        """Buying columns, move by move."""
        self.first = np.searchsorted(columns.buy_move[order], np.arange(len(problem.moves) + 1))
        """Where those of each move begin; one more for the end."""
        self.bought: list[tuple[Ints, Ints, Floats]] = []
        """Rows, with a move that each counts, and how much."""
        self.compliance_class = columns.buy_compliance_class[order]
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

    def read_plain(self, first: int, rows: Row | Rows) -> None:
        """Adds the terms of a row, or of many, the first of which has the index `first`."""
        if isinstance(rows, Row):
            for term in rows.terms:
                self.read(first, term, rows)
        else:
            bought = rows.bought
            index = np.repeat(np.arange(first, first + len(rows)), np.diff(bought.first))
            self.bought.append((index, bought.index, bought.weight))

    def read(self, index: int, term: Term, row: Row) -> None:
        """Adds a term to the row `index`; purchases are noted for `add_bought`."""
        if term.question == "bought":
            self.bought.append((np.full(len(term.index), index), term.index, term.weight * term.times))
            return
        if term.question == "used":
            self.assembly.add_entries(index, self._used(term, row), term.times)
            return
        if term.question == "lacking":
            self.assembly.add_entries(index, self.lacking(term, row), term.times)
            return
        found: list[int] = []
        values: list[float] = []
        for position, weight in zip(term.index.tolist(), (term.weight * term.times).tolist(), strict=True):
            for column, value in self._answer(term.question, position):
                found.append(column)
                values.append(weight * value)
        self.assembly.add_entries(index, found, values)

    def add_bought(self) -> None:
        """Adds all purchases that rows count, in one block."""
        if self.bought:
            rows, moves, weights = (np.concatenate(parts) for parts in zip(*self.bought, strict=True))
            columns, entry = self._columns(moves)
            self.assembly.add_entries(rows[entry], columns, weights[entry])

    def _columns(self, moves: Ints) -> tuple[Ints, Ints]:
        """The columns that buy some moves, and which of `moves` each of them buys."""
        first, last = self.first[moves], self.first[moves + 1]
        return self.buys[ranges(first, last)], np.repeat(np.arange(len(moves)), last - first)

    def _answer(self, question: str, position: int) -> list[tuple[int, float]]:
        if question == "delivered":
            return [(column, 1.0) for column in self.deliveries.get(position, ())]
        if question == "short":
            return [(self.columns.short + position, 1.0)]
        if question == "stock":
            return self._stock(position, 1.0)
        if question == "reserved":
            return self._reserved(position)
        if question == "spent":
            return self._spent(position)
        if question == "making":
            return self._making(position)
        if question == "onboarding":
            cost = float(self.problem.offers[position].onboarding)
            return [(self.columns.onboard[position], cost)] if position in self.columns.onboard else []
        if question == "discounts":
            return [(column, -off) for column, off in self.columns.settled.get(position, ())]
        if question == "fixed":
            cost = float(self.problem.term_spans[position].fixed)
            return [(self.columns.placed[position], cost)] if position in self.columns.placed else []
        if question == "untaken":
            rate = float(self.problem.commitments[position].rate)
            return [(self.columns.untaken[position], rate)] if position in self.columns.untaken else []
        return self._holding(position)

    def _stock(self, position: int, factor: float) -> list[tuple[int, float]]:
        node, t = divmod(position, self.count)
        found = [(first + t, factor) for first in self.held.get(node, ())]
        lots = [lot for lot in self.rests.get(node, ()) if self.problem.lots[lot].period <= t]
        left = self.problem.stores[self.problem.network.nodes[node]].left
        return found + [
            (
                self.columns.rest[lot],
                factor * float(left(self.problem.lots[lot].period)[t - self.problem.lots[lot].period]),
            )
            for lot in lots
        ]

    def _reserved(self, position: int) -> list[tuple[int, float]]:
        cell, t = divmod(position, self.count)
        compliance_class, node = divmod(cell, len(self.problem.network.nodes))
        first = self.columns.stock.get((node, compliance_class))
        return [] if first is None else [(first + t, 1.0)]

    def _holding(self, position: int) -> list[tuple[int, float]]:
        node, t = divmod(position, self.count)
        rate = float(self.problem.stores[self.problem.network.nodes[node]].holding)
        return self._stock(position, rate * float(self.problem.case.horizon.periods[t].years))

    def _spent(self, move: int) -> list[tuple[int, float]]:
        """What a kilogram costs, by column: some charges may depend on the use."""
        moves = self.problem.moves
        money = moves.money(move)
        found = []
        for entry in range(self.first[move], self.first[move + 1]):
            given = self.problem.compliance_classes[self.compliance_class[entry]].surcharges or {}
            more = given.get((int(moves.arc[move]), int(moves.ordered[move])), Decimal(0))
            found.append((int(self.buys[entry]), float(money + more)))
        return found

    def _making(self, position: int) -> list[tuple[int, float]]:
        offer, t = divmod(position, self.count)
        price = float(self.problem.offers[offer].price[t])
        return [(column, price) for column in self.makes.get(position, ())]

    def lacking(self, term: Term, row: Row) -> int:
        """A column that is no less than what is lacking in any part, and that nothing makes larger."""
        column = self.assembly.add_columns(1)
        for base, part in term.parts:
            index = self.assembly.add_rows(1, float(base), np.inf, f"counting in {row.label}")
            self.assembly.add_entries(index, column, 1.0)
            self.read(index, part, row)
        return column

    def _used(self, term: Term, row: Row) -> int:
        """A binary variable that is 1 exactly if the moves come to the threshold."""
        resolution = float(self.problem.case.resolution)
        threshold = term.at_least or resolution
        found, entry = self._columns(term.index)
        weights = term.weight[entry]
        most = float(sum((weights * self.bounds.move[term.index[entry]]).tolist()))
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
