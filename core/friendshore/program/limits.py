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

from ..domain.case import Minimize
from ..problem import Problem
from ..problem.network import ranges
from ..problem.problem import Objective
from ..rules import terms
from ..rules.base import Rule
from ..rules.rows import Purchases, Row, Rows, single_rows
from ..rules.terms import ShortfallTerm, Term
from .matrix import Assembly, Columns, Floats, Ints, Linear, joined

if TYPE_CHECKING:
    from .bounds import Bounds
    from .matrix import Columns


_AT_ONCE = 50_000  # purchases whose columns are looked up together


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
        # The buying columns of move i are `buys[first[i]:first[i + 1]]`.
        self.first = np.searchsorted(columns.buy_move[order], np.arange(len(problem.moves) + 1))
        self.count_by_move = np.diff(self.first)
        self.has_one_column_each = bool((self.count_by_move == 1).all())
        # First row of some purchases, with the purchases.
        self.bought: list[tuple[int, Purchases]] = []
        self.compliance_class = columns.buy_compliance_class[order]
        self.deliveries_by_demand: dict[tuple[int, int], list[int]] = {}
        for column, (demand, period, _, _) in zip(columns.deliver, columns.deliver_key, strict=True):
            self.deliveries_by_demand.setdefault((demand, period), []).append(column)
        self.makes_by_offer: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for (offer, class_index, t), column in columns.make.items():
            self.makes_by_offer.setdefault((offer, t), []).append((class_index, column))
        self.stocks_by_node: dict[int, list[tuple[int, int]]] = {}
        for (node, class_index), first in columns.stock.items():
            self.stocks_by_node.setdefault(node, []).append((class_index, first))
        self.lots_by_node: dict[int, list[int]] = {}
        nodes = problem.network.position
        for lot in columns.rest:
            self.lots_by_node.setdefault(nodes[problem.lots[lot].material, problem.lots[lot].place.id], []).append(lot)

    def add_plain_rows(self, first: int, rows: Row | Rows) -> None:
        if isinstance(rows, Row):
            for term in rows.terms:
                self.add_term(first, term, rows)
        else:
            bought = rows.bought
            if bought.for_uses is None:
                self.bought.append((first, bought))
                return
            columns, entry = self._columns(bought.moves, bought.for_uses)
            self.assembly.add_entries(_rows(first, bought)[entry], columns, bought.weight[entry])

    def add_term(self, index: int, term: Term, row: Row) -> None:
        """Add a term to the row `index`. Purchases are left to `add_purchases`."""
        if isinstance(term, terms.BoughtTerm) and term.for_uses is None:
            self.bought.append((index, Purchases(np.array([0, len(term.moves)]), term.moves, term.weight * term.times)))
            return
        counted = list(self._columns_of_term(term, row))
        self.assembly.add_entries(
            index, [column for column, _ in counted], [coefficient * term.times for _, coefficient in counted]
        )

    def add_purchases(self) -> None:
        """Add all purchases that rows count, in blocks, since all at once would take several times the memory of the program."""
        sizes = np.cumsum([len(bought.moves) for _, bought in self.bought])
        for _, group in groupby(zip((sizes // _AT_ONCE).tolist(), self.bought, strict=True), key=itemgetter(0)):
            batch_purchases = [purchases for _, purchases in group]
            rows = joined([_rows(first, bought) for first, bought in batch_purchases])
            columns, entry = self._columns(joined([bought.moves for _, bought in batch_purchases]))
            weights = np.concatenate([bought.weight for _, bought in batch_purchases])
            self.assembly.add_entries(rows[entry], columns, weights[entry])

    def _columns(self, moves: Ints, for_uses: terms.ForUses | None = None) -> tuple[Ints, Ints | slice]:
        """Return the columns that buy some moves, and the index in `moves` of each."""
        buys, entry = self._positions(moves, for_uses)
        return self.buys[buys], entry

    def _positions(self, moves: Ints, for_uses: terms.ForUses | None) -> tuple[Ints, Ints | slice]:
        """Return the positions in `buys` of the columns that buy some moves, and the index in `moves` of each."""
        if self.has_one_column_each and for_uses is None:
            return moves, slice(None)
        first, count = self.first[moves], self.count_by_move[moves]
        buys, entry = ranges(first, first + count), np.repeat(np.arange(len(moves)), count)
        if for_uses is not None:
            counts = np.isin(self.compliance_class[buys], self._classes(for_uses))
            buys, entry = buys[counts], entry[counts]
        return buys, entry

    def _classes(self, for_uses: terms.ForUses | None) -> list[int]:
        classes = self.problem.compliance_classes
        return (
            [-1, *(r.index for r in classes)]
            if for_uses is None
            else [r.index for r in classes if for_uses.takes(r.ends, r.free_of)]
        )

    def _columns_of_term(self, term: Term, row: Row) -> Iterator[tuple[int, float]]:  # noqa: C901 - a case for each term
        match term:
            case terms.BoughtTerm():
                columns, entry = self._columns(term.moves, term.for_uses)
                yield from zip(columns.tolist(), term.weight[entry].tolist(), strict=True)
            case terms.UsedTerm():
                yield self._used(term, row), 1.0
            case terms.SpentTerm():
                yield from self._spent(term)
            case terms.DeliveredTerm():
                yield from self._weighted(term.weight, self._delivered, term.demands, term.periods)
            case terms.ShortTerm():
                yield from self._weighted(term.weight, self._short, term.demands, term.periods)
            case terms.StockTerm():
                yield from self._weighted(term.weight, partial(self._stock, term.for_uses), term.nodes, term.periods)
            case terms.HoldingTerm():
                yield from self._weighted(term.weight, partial(self._holding, term.for_uses), term.nodes, term.periods)
            case terms.ReservedTerm():
                yield from self._weighted(term.weight, self._reserved, term.classes, term.nodes, term.periods)
            case terms.MakingTerm():
                making = partial(self._making, self._classes(term.for_uses))
                yield from self._weighted(term.weight, making, term.offers, term.periods)
            case terms.OnboardingTerm():
                yield from self._weighted(term.weight, self._onboarding, term.offers)
            case terms.DiscountsTerm():
                yield from self._weighted(term.weight, self._discounts, term.price_spans)
            case terms.FixedTerm():
                yield from self._weighted(term.weight, self._fixed, term.term_spans)
            case terms.UntakenTerm():
                yield from self._weighted(term.weight, self._untaken, term.commitments)
            case terms.ShortfallTerm():
                yield self.add_shortfall(term, row), 1.0
            case _:
                assert_never(term)

    @staticmethod
    def _weighted(
        weights: Floats, columns_of: Callable[..., Iterable[tuple[int, float]]], *positions: Ints
    ) -> Iterator[tuple[int, float]]:
        for *index, weight in zip(*(array.tolist() for array in positions), weights.tolist(), strict=True):
            yield from ((column, weight * coefficient) for column, coefficient in columns_of(*index))

    def _delivered(self, demand: int, t: int) -> Iterator[tuple[int, float]]:
        return ((column, 1.0) for column in self.deliveries_by_demand.get((demand, t), ()))

    def _short(self, demand: int, t: int) -> Iterator[tuple[int, float]]:
        yield self.columns.short + demand * self.count + t, 1.0

    def _stock(self, for_uses: terms.ForUses | None, node: int, t: int) -> Iterator[tuple[int, float]]:
        """Yield the stock of compliance classes that count. If all count, include the rest of each lot, less its losses until then."""
        classes = self._classes(for_uses)
        yield from (
            (first + t, 1.0) for class_index, first in self.stocks_by_node.get(node, ()) if class_index in classes
        )
        if for_uses is not None:
            return
        remaining_shares = self.problem.stores[self.problem.network.nodes[node]].remaining_shares
        for lot in self.lots_by_node.get(node, ()):
            from_period = self.problem.lots[lot].period
            if from_period <= t:
                yield self.columns.rest[lot], float(remaining_shares(from_period)[t - from_period])

    def _holding(self, for_uses: terms.ForUses | None, node: int, t: int) -> Iterator[tuple[int, float]]:
        rate = float(self.problem.stores[self.problem.network.nodes[node]].holding[t])
        years = float(self.problem.case.horizon.periods[t].years)
        return ((column, rate * years * share) for column, share in self._stock(for_uses, node, t))

    def _reserved(self, compliance_class: int, node: int, t: int) -> Iterator[tuple[int, float]]:
        if (node, compliance_class) in self.columns.stock:
            yield self.columns.stock[node, compliance_class] + t, 1.0

    def _spent(self, term: terms.SpentTerm) -> Iterator[tuple[int, float]]:
        buys, entry = self._positions(term.moves, term.for_uses)
        moves, facts = term.moves[entry].tolist(), self.problem.moves
        money: Iterable[Decimal] = map(facts.money, moves)
        surcharges_by_class = [each.surcharges or {} for each in self.problem.compliance_classes]
        if any(surcharges_by_class):
            keys = zip(facts.arc[moves].tolist(), facts.ordered[moves].tolist(), strict=True)
            surcharges = map(surcharges_by_class.__getitem__, self.compliance_class[buys].tolist())
            money = (cost + own.get(key, Decimal(0)) for cost, own, key in zip(money, surcharges, keys, strict=True))
        coefficients = term.weight[entry] * np.fromiter(map(float, money), dtype=np.float64, count=len(moves))
        return zip(self.buys[buys].tolist(), coefficients.tolist(), strict=True)

    def _making(self, classes: Collection[int], offer: int, t: int) -> Iterator[tuple[int, float]]:
        price = float(self.problem.offers[offer].price[t])
        return (
            (column, price) for class_index, column in self.makes_by_offer.get((offer, t), ()) if class_index in classes
        )

    def _onboarding(self, offer: int) -> Iterator[tuple[int, float]]:
        if offer in self.columns.onboard:
            yield self.columns.onboard[offer], float(self.problem.offers[offer].onboarding)

    def _discounts(self, span: int) -> Iterator[tuple[int, float]]:
        return ((column, -saving) for column, saving in self.columns.savings.get(span, ()))

    def _fixed(self, span: int) -> Iterator[tuple[int, float]]:
        if span in self.columns.placed:
            yield self.columns.placed[span], float(self.problem.term_spans[span].fixed)

    def _untaken(self, commitment: int) -> Iterator[tuple[int, float]]:
        if commitment in self.columns.untaken:
            yield self.columns.untaken[commitment], float(self.problem.commitments[commitment].rate)

    def add_shortfall(self, term: terms.ShortfallTerm, row: Row) -> int:
        """Add a column that is at least the missing amount of every part, and that nothing else increases."""
        column = self.assembly.add_columns(1)
        for base, part in term.parts:
            index = self.assembly.add_row(float(base), np.inf, f"counting in {row.label}", (column, 1.0))
            self.add_term(index, part, row)
        return column

    def _used(self, term: terms.UsedTerm, row: Row) -> int:
        """Add a binary variable that is 1 exactly if the moves reach the threshold."""
        resolution = float(self.problem.case.resolution)
        threshold = term.at_least or resolution
        columns, entry = self._columns(term.moves, term.for_uses)
        weights = term.weight[entry]
        max_by_column = weights * self.bounds.max_taken_kg(term.moves[entry])
        max_total = min(float(sum(max_by_column.tolist())), self._max_bought(term.moves, term.weight))
        column = self.assembly.add_columns(1, 0.0, 1.0, integer=True)
        rewards_high = (term.times > 0) == (row.at_least is not None)
        has_both, owner = row.at_least is not None and row.at_most is not None, f"counting in {row.label}"
        if has_both or rewards_high:
            self.assembly.add_row(0.0, np.inf, owner, (columns, weights), (column, -threshold))
        if has_both or not rewards_high:
            # 0 means less than the threshold: at most one resolution short of it, or nothing at all.
            max_below = threshold - resolution
            self.assembly.add_row(-np.inf, max_below, owner, (columns, weights), (column, -(max_total - max_below)))
            if not max_below and len(columns) > 1:
                tighter = np.flatnonzero(max_by_column < max_total)
                index = self.assembly.add_rows(len(tighter), -np.inf, 0.0, owner)
                self.assembly.add_entries(index + np.arange(len(tighter)), columns[tighter], weights[tighter])
                self.assembly.add_entries(index + np.arange(len(tighter)), column, -max_by_column[tighter])
        return column

    def _max_bought(self, moves: Ints, weights: Floats) -> float:
        """Return the maximum weighted sum of some moves: per arc, the need of its place plus the units beyond need of its offer."""
        arcs, arc_index = np.unique(self.problem.moves.arc[moves], return_inverse=True)
        max_by_arc = np.zeros(len(arcs))
        np.maximum.at(
            max_by_arc,
            arc_index,
            weights * self.bounds.max_need_kg(arcs[arc_index], self.problem.moves.delivered[moves]),
        )
        return float(max_by_arc.sum())


@dataclass(eq=False)
class LimitRows:
    """Rows of all limit rules."""

    rules_and_rows: Sequence[tuple[Rule, Row | Rows]]
    program_rows: list[int] = field(default_factory=list)
    misses: list[tuple[int, int, float]] = field(default_factory=list)
    """Row, column, and price of each allowed violation."""

    @cached_property
    def rows(self) -> list[tuple[Rule, Row]]:
        return [(rule, row) for rule, rows in self.rules_and_rows for row in single_rows(rows)]

    @cached_property
    def may_exceed_need(self) -> bool:
        """True if some row may make a plan buy, hold, or spend more than its need."""
        terms = [term for _, row in self.rules_and_rows for term in row.all_terms]
        if any(floor is not None for _, row in self.rules_and_rows for floor in row.floors):
            return True
        return any(isinstance(term, ShortfallTerm) or term.times < 0 or (term.weight < 0).any() for term in terms)


def compile_limits(limits: LimitRows, term_columns: TermColumns) -> None:
    """Add every limit row, except for purchases (`TermColumns.add_purchases`). Plain rows of one rule form one block."""
    assembly = term_columns.assembly
    for (name, is_plain), group in groupby(limits.rules_and_rows, key=lambda pair: (pair[0].id, _is_plain(pair[1]))):
        blocks = [rows for _, rows in group]
        if is_plain:
            first = assembly.add_rows(sum(map(_count, blocks)), *_bounds(blocks), f"rule {name}")
            limits.program_rows.extend(range(first, assembly.rows))
            for rows in blocks:
                term_columns.add_plain_rows(first, rows)
                first += _count(rows)
        else:
            for row in (row for rows in blocks for row in single_rows(rows)):
                position = len(limits.program_rows)
                index = assembly.add_rows(1, *_bounds([row]), f"rule {name}")
                limits.program_rows.append(index)
                for term in row.terms:
                    term_columns.add_term(index, term, row)
                if row.penalty is not None:
                    _allow_miss(limits, position, index, row, row.penalty, assembly)


def _count(rows: Row | Rows) -> int:
    return 1 if isinstance(rows, Row) else len(rows)


def _bounds(blocks: Sequence[Row | Rows]) -> tuple[list[float], list[float]]:
    lower: list[float] = []
    upper: list[float] = []
    for rows in blocks:
        if isinstance(rows, Row):
            lower.append(-np.inf if rows.at_least is None else float(rows.at_least))
            upper.append(np.inf if rows.at_most is None else float(rows.at_most))
        else:
            lower += [-np.inf] * len(rows) if rows.at_least is None else map(float, rows.at_least)
            upper += [np.inf] * len(rows) if rows.at_most is None else map(float, rows.at_most)
    return lower, upper


def _is_plain(rows: Row | Rows) -> bool:
    return rows.penalty is None and all(term.is_linear for term in rows.all_terms)


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
    is_whole_objective: bool


def add_concentration_columns(objectives: Sequence[Objective], term_columns: TermColumns) -> list[list[int]]:
    """Add the columns for concentration. Return the columns that each level sums, empty for other levels."""
    return [
        [
            term_columns.add_shortfall(term, row)
            for row in objective.rows
            for term in row.terms
            if isinstance(term, ShortfallTerm)
        ]
        for objective in objectives
    ]


def goals_of(
    problem: Problem,
    concentration_columns: Sequence[Sequence[int]],
    linear: Linear,
    columns: Columns,
    limits: LimitRows,
) -> tuple[Goal, ...]:
    """Return every ranked level, over the columns of a finished program. `concentration_columns` are those of `add_concentration_columns`."""
    periods = problem.case.horizon.count
    violation_columns = [column for _, column, _ in limits.misses]
    goals = []
    for objective, summed_columns in zip(problem.objectives, concentration_columns, strict=True):
        cost, minimize = np.zeros(len(linear.cost)), objective.level.minimize
        match minimize:
            case Minimize.CONCENTRATION:
                cost[summed_columns] = 1.0
            case Minimize.SHORTAGE:
                for demand in objective.demands:
                    first = columns.short + demand * periods
                    cost[first : first + periods] = linear.cost[first : first + periods]
            case Minimize.SPEND:
                cost = linear.cost.copy()
                cost[columns.short : columns.short + len(problem.demands) * periods] = 0.0
                cost[violation_columns] = 0.0
            case Minimize.COST:
                cost = linear.cost.copy()
            case _:
                assert_never(minimize)
        goals.append(Goal(cost, float(objective.level.within), minimize is Minimize.COST))
    return tuple(goals)
