"""Rows of limit rules and ranked objectives, with all their terms as columns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property, partial
from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING, assert_never

import numpy as np

from ..domain.case import Minimise
from ..problem import Problem
from ..problem.network import ranges
from ..problem.problem import Objective
from ..rules import terms
from ..rules.base import Rule
from ..rules.rows import Purchases, Row, Rows, one_by_one
from ..rules.terms import LackingTerm, Term
from .matrix import Assembly, Columns, Floats, Ints, Linear, joined

if TYPE_CHECKING:
    from .bounds import Bounds
    from .matrix import Columns


_AT_ONCE = 50_000
"""Number of purchases whose columns are looked up together."""


def _rows(first: int, bought: Purchases) -> Ints:
    return np.repeat(np.arange(first, first + len(bought.first) - 1), np.diff(bought.first))


class TermColumns:
    """Conversion of terms to columns and coefficients."""

    def __init__(self, problem: Problem, assembly: Assembly, columns: Columns, bounds: Bounds) -> None:
        self.problem = problem
        self.assembly = assembly
        self.columns = columns
        self.bounds = bounds
        self.count = problem.case.horizon.count
        order = np.argsort(columns.buy_move, kind="stable")
        self.buys = columns.buy[order]
        """Buying columns, by move."""
        self.first = np.searchsorted(columns.buy_move[order], np.arange(len(problem.moves) + 1))
        """Index of the first buying column of each move, with one more entry for the end."""
        self.many = np.diff(self.first)
        """Number of buying columns of each move."""
        self.once = bool((self.many == 1).all())
        """True if every move has exactly one buying column."""
        self.bought: list[tuple[int, Purchases]] = []
        """First row, and the purchases that count in the rows from there on."""
        self.compliance_class = columns.buy_compliance_class[order]
        self.deliveries: dict[tuple[int, int], list[int]] = {}
        for column, (demand, period, _, _) in zip(columns.deliver, columns.deliver_key, strict=True):
            self.deliveries.setdefault((demand, period), []).append(column)
        self.makes: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for (offer, made_for, t), column in columns.make.items():
            self.makes.setdefault((offer, t), []).append((made_for, column))
        self.held: dict[int, list[tuple[int, int]]] = {}
        for (node, held_for), first in columns.stock.items():
            self.held.setdefault(node, []).append((held_for, first))
        self.rests: dict[int, list[int]] = {}
        nodes = problem.network.position
        for lot in columns.rest:
            self.rests.setdefault(nodes[problem.lots[lot].material, problem.lots[lot].place.id], []).append(lot)

    def read_plain(self, first: int, rows: Row | Rows) -> None:
        """Add the terms of a row, or of many rows that start at the index `first`."""
        if isinstance(rows, Row):
            for term in rows.terms:
                self.read(first, term, rows)
        else:
            bought = rows.bought
            if bought.for_uses is None:
                self.bought.append((first, bought))
                return
            columns, entry = self._columns(bought.moves, bought.for_uses)
            self.assembly.add_entries(_rows(first, bought)[entry], columns, bought.weight[entry])

    def read(self, index: int, term: Term, row: Row) -> None:
        """Add a term to the row `index`. Purchases are left to `add_bought`."""
        if isinstance(term, terms.BoughtTerm) and term.for_uses is None:
            self.bought.append((index, Purchases(np.array([0, len(term.moves)]), term.moves, term.weight * term.times)))
            return
        found = list(self._counted(term, row))
        self.assembly.add_entries(index, [column for column, _ in found], [each * term.times for _, each in found])

    def add_bought(self) -> None:
        """Add all purchases that rows count, in few blocks. All at once would take several times the memory of the whole program."""
        sizes = np.cumsum([len(bought.moves) for _, bought in self.bought])
        for _, batch in groupby(zip((sizes // _AT_ONCE).tolist(), self.bought, strict=True), key=itemgetter(0)):
            some = [each for _, each in batch]
            rows = joined([_rows(first, bought) for first, bought in some])
            columns, entry = self._columns(joined([bought.moves for _, bought in some]))
            weights = np.concatenate([bought.weight for _, bought in some])
            self.assembly.add_entries(rows[entry], columns, weights[entry])

    def _columns(self, moves: Ints, for_uses: terms.ForUses | None = None) -> tuple[Ints, Ints | slice]:
        """Return the columns that buy some moves, and the index in `moves` of each."""
        if self.once and for_uses is None:
            return self.buys[moves], slice(None)
        first, many = self.first[moves], self.many[moves]
        buys, entry = ranges(first, first + many), np.repeat(np.arange(len(moves)), many)
        if for_uses is not None:
            kept = np.isin(self.compliance_class[buys], self._classes(for_uses))
            buys, entry = buys[kept], entry[kept]
        return self.buys[buys], entry

    def _classes(self, for_uses: terms.ForUses | None) -> list[int]:
        """Return the compliance classes that count: all including -1 (no class), or those for some end uses."""
        classes = self.problem.compliance_classes
        return (
            [-1, *(r.index for r in classes)]
            if for_uses is None
            else [r.index for r in classes if for_uses.takes(r.ends, r.free_of)]
        )

    def _counted(self, term: Term, row: Row) -> Iterator[tuple[int, float]]:  # noqa: C901 - a case for each term
        """Yield the columns whose sum is a term without its `times`, each with its coefficient."""
        match term:
            case terms.BoughtTerm():
                columns, entry = self._columns(term.moves, term.for_uses)
                yield from zip(columns.tolist(), term.weight[entry].tolist(), strict=True)
            case terms.UsedTerm():
                yield self._used(term, row), 1.0
            case terms.SpentTerm():
                yield from self._weighed(term.weight, partial(self._spent, term.for_uses), term.moves)
            case terms.DeliveredTerm():
                yield from self._weighed(term.weight, self._delivered, term.demands, term.periods)
            case terms.ShortTerm():
                yield from self._weighed(term.weight, self._short, term.demands, term.periods)
            case terms.StockTerm():
                yield from self._weighed(term.weight, partial(self._stock, term.for_uses), term.nodes, term.periods)
            case terms.HoldingTerm():
                yield from self._weighed(term.weight, partial(self._holding, term.for_uses), term.nodes, term.periods)
            case terms.ReservedTerm():
                yield from self._weighed(term.weight, self._reserved, term.classes, term.nodes, term.periods)
            case terms.MakingTerm():
                making = partial(self._making, self._classes(term.for_uses))
                yield from self._weighed(term.weight, making, term.offers, term.periods)
            case terms.OnboardingTerm():
                yield from self._weighed(term.weight, self._onboarding, term.offers)
            case terms.DiscountsTerm():
                yield from self._weighed(term.weight, self._discounts, term.price_spans)
            case terms.FixedTerm():
                yield from self._weighed(term.weight, self._fixed, term.term_spans)
            case terms.UntakenTerm():
                yield from self._weighed(term.weight, self._untaken, term.commitments)
            case terms.LackingTerm():
                yield self.lacking(term, row), 1.0
            case _:
                assert_never(term)

    @staticmethod
    def _weighed(
        weights: Floats, read: Callable[..., Iterable[tuple[int, float]]], *positions: Ints
    ) -> Iterator[tuple[int, float]]:
        """Yield the columns of each entry of a term, times the entry's weight."""
        for *at, weight in zip(*(some.tolist() for some in positions), weights.tolist(), strict=True):
            yield from ((column, weight * each) for column, each in read(*at))

    def _delivered(self, demand: int, t: int) -> Iterator[tuple[int, float]]:
        return ((column, 1.0) for column in self.deliveries.get((demand, t), ()))

    def _short(self, demand: int, t: int) -> Iterator[tuple[int, float]]:
        yield self.columns.short + demand * self.count + t, 1.0

    def _stock(self, for_uses: terms.ForUses | None, node: int, t: int) -> Iterator[tuple[int, float]]:
        """Yield the stock of compliance classes that count. If all count, include the rest of each lot, less its losses until then."""
        classes = self._classes(for_uses)
        yield from ((first + t, 1.0) for held_for, first in self.held.get(node, ()) if held_for in classes)
        if for_uses is not None:
            return
        left = self.problem.stores[self.problem.network.nodes[node]].left
        for lot in self.rests.get(node, ()):
            there = self.problem.lots[lot].period
            if there <= t:
                yield self.columns.rest[lot], float(left(there)[t - there])

    def _holding(self, for_uses: terms.ForUses | None, node: int, t: int) -> Iterator[tuple[int, float]]:
        rate = float(self.problem.stores[self.problem.network.nodes[node]].holding[t])
        years = float(self.problem.case.horizon.periods[t].years)
        return ((column, rate * years * kept) for column, kept in self._stock(for_uses, node, t))

    def _reserved(self, compliance_class: int, node: int, t: int) -> Iterator[tuple[int, float]]:
        if (node, compliance_class) in self.columns.stock:
            yield self.columns.stock[node, compliance_class] + t, 1.0

    def _spent(self, for_uses: terms.ForUses | None, move: int) -> Iterator[tuple[int, float]]:
        """Yield the cost per kilogram by column, since some charges may depend on the use."""
        moves = self.problem.moves
        money, key = moves.money(move), (int(moves.arc[move]), int(moves.ordered[move]))
        for entry in range(self.first[move], self.first[move + 1]):
            bought_for = self.problem.compliance_classes[self.compliance_class[entry]]
            given = bought_for.surcharges or {}
            if for_uses is None or for_uses.takes(bought_for.ends, bought_for.free_of):
                yield int(self.buys[entry]), float(money + given.get(key, Decimal(0)))

    def _making(self, classes: Collection[int], offer: int, t: int) -> Iterator[tuple[int, float]]:
        price = float(self.problem.offers[offer].price[t])
        return ((column, price) for made_for, column in self.makes.get((offer, t), ()) if made_for in classes)

    def _onboarding(self, offer: int) -> Iterator[tuple[int, float]]:
        if offer in self.columns.onboard:
            yield self.columns.onboard[offer], float(self.problem.offers[offer].onboarding)

    def _discounts(self, span: int) -> Iterator[tuple[int, float]]:
        return ((column, -off) for column, off in self.columns.settled.get(span, ()))

    def _fixed(self, span: int) -> Iterator[tuple[int, float]]:
        if span in self.columns.placed:
            yield self.columns.placed[span], float(self.problem.term_spans[span].fixed)

    def _untaken(self, commitment: int) -> Iterator[tuple[int, float]]:
        if commitment in self.columns.untaken:
            yield self.columns.untaken[commitment], float(self.problem.commitments[commitment].rate)

    def lacking(self, term: terms.LackingTerm, row: Row) -> int:
        """Add a column that is at least the missing amount of every part, and that nothing else increases."""
        column = self.assembly.add_columns(1)
        for base, part in term.parts:
            index = self.assembly.add_row(float(base), np.inf, f"counting in {row.label}", (column, 1.0))
            self.read(index, part, row)
        return column

    def _used(self, term: terms.UsedTerm, row: Row) -> int:
        """Add a binary variable that is 1 exactly if the moves reach the threshold."""
        resolution = float(self.problem.case.resolution)
        threshold = term.at_least or resolution
        found, entry = self._columns(term.moves, term.for_uses)
        weights = term.weight[entry]
        each = weights * self.bounds.taken(term.moves[entry])
        most = min(float(sum(each.tolist())), self._most_bought(term.moves, term.weight))
        column = self.assembly.add_columns(1, 0.0, 1.0, integer=True)
        wants_high = (term.times > 0) == (row.at_least is not None)
        both, owner = row.at_least is not None and row.at_most is not None, f"counting in {row.label}"
        if both or wants_high:
            self.assembly.add_row(0.0, np.inf, owner, (found, weights), (column, -threshold))
        if both or not wants_high:
            # 0 means less than the threshold: at most one resolution short of it, or nothing at all.
            below = threshold - resolution
            self.assembly.add_row(-np.inf, below, owner, (found, weights), (column, -(most - below)))
            if not below and len(found) > 1:
                apart = np.flatnonzero(each < most)
                index = self.assembly.add_rows(len(apart), -np.inf, 0.0, owner)
                self.assembly.add_entries(index + np.arange(len(apart)), found[apart], weights[apart])
                self.assembly.add_entries(index + np.arange(len(apart)), column, -each[apart])
        return column

    def _most_bought(self, moves: Ints, weights: Floats) -> float:
        """Return the maximum weighted sum of some moves: per arc, the need of its place plus the units beyond need of its offer."""
        arcs, own = np.unique(self.problem.moves.arc[moves], return_inverse=True)
        most = np.zeros(len(arcs))
        np.maximum.at(most, own, weights * self.bounds.wanted(arcs[own], self.problem.moves.delivered[moves]))
        return float(most.sum())


@dataclass(eq=False)
class LimitRows:
    """All rows of limit rules, and the binary variables for their `used` terms."""

    asked: Sequence[tuple[Rule, Row | Rows]]
    program_rows: list[int] = field(default_factory=list)
    """Position of each row in the program."""
    misses: list[tuple[int, int, float]] = field(default_factory=list)
    """Row, column, and price of each allowed violation."""

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        return [(rule, row) for rule, rows in self.asked for row in one_by_one(rows)]

    @cached_property
    def forces(self) -> bool:
        """True if some row may make a plan buy, hold, or spend more than its need."""
        terms = [term for _, row in self.asked for term in row.asked]
        if any(least is not None for _, row in self.asked for least in row.floors):
            return True
        return any(isinstance(term, LackingTerm) or term.times < 0 or (term.weight < 0).any() for term in terms)


def compile_limits(limits: LimitRows, reader: TermColumns) -> None:
    """Add every limit row to the program. Rows of one rule that need no column of their own form one block.

    `TermColumns.add_bought` adds their purchases, for all rows at once.
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
    """Return the minimum and the maximum of all rows, infinite if there is none."""
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
    return rows.penalty is None and all(term.is_linear for term in rows.asked)


def _allow_miss(limits: LimitRows, position: int, index: int, row: Row, price: Decimal, assembly: Assembly) -> None:
    for bound, sign in ((row.at_least, 1.0), (row.at_most, -1.0)):
        if bound is not None:
            column = assembly.add_columns(1, float(price))
            assembly.add_entries(index, column, sign)
            limits.misses.append((position, column, float(price)))


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """Cost of each column in one level of the objectives."""

    cost: Floats
    within: float
    """Share by which later levels may worsen it."""
    whole: bool
    """True if it is the whole objective."""


def add_largest(objectives: Sequence[Objective], reader: TermColumns) -> list[list[int]]:
    """Add the columns for concentration. Return the columns that each level sums, empty for other levels."""
    return [
        [reader.lacking(term, row) for row in objective.rows for term in row.terms if isinstance(term, LackingTerm)]
        for objective in objectives
    ]


def goals_of(
    problem: Problem,
    largest: Sequence[Sequence[int]],
    linear: Linear,
    columns: Columns,
    limits: LimitRows,
) -> tuple[Goal, ...]:
    """Return every level that the problem ranks, over the columns of a finished program.

    Args:
        problem: The problem.
        largest: Columns that `add_largest` made for each level.
        linear: The finished program.
        columns: Its columns by kind.
        limits: Limit rows, with the columns of their violations.
    """
    periods = problem.case.horizon.count
    missed = [column for _, column, _ in limits.misses]
    found = []
    for objective, made in zip(problem.objectives, largest, strict=True):
        cost, minimise = np.zeros(len(linear.cost)), objective.level.minimise
        match minimise:
            case Minimise.CONCENTRATION:
                cost[made] = 1.0
            case Minimise.SHORTAGE:
                for demand in objective.demands:
                    first = columns.short + demand * periods
                    cost[first : first + periods] = linear.cost[first : first + periods]
            case Minimise.SPEND:
                cost = linear.cost.copy()
                cost[columns.short : columns.short + len(problem.demands) * periods] = 0.0
                cost[missed] = 0.0
            case Minimise.COST:
                cost = linear.cost.copy()
            case _:
                assert_never(minimise)
        found.append(Goal(cost, float(objective.level.within), minimise is Minimise.COST))
    return tuple(found)
