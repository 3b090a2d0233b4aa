"""Formulation of a problem as a linear program, including arrivals within a period.

Open orders arrive on their day, as does the output of a plant that starts within a period. Everything else arrives on the first day of a period.
Use is even over the days of a period with demand. An order to a maker takes its inputs on the last day on which it can be placed. So only the
days with arrivals matter: between two of them, stock at a node only falls.

For each such day of a node and period, each delivery is split. The part used from that day to the next one has its own column, limited by the
demand on these days. The part used before is limited by the opening stock, arrivals on the first day, and arrivals on earlier days.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from itertools import chain, pairwise, product
from operator import add

import numpy as np
from numpy.typing import NDArray

from ..domain.runtime import with_progress, without_gc
from ..problem import Problem
from ..problem.compliance_classes import Cell, ComplianceClass
from ..problem.decimal_arrays import as_floats, cells, table
from ..problem.demands import Demand
from ..problem.law import license_id, waiver_id
from ..problem.network import Node, compact, final_node, ranges
from .bounds import Bounds
from .draft import ProgramDraft
from .limits import Goal, LimitRows, TermColumns, add_concentration_columns, compile_limits, goals_of
from .matrix import Columns, Floats, Ints, Linear, Mask, Units, joined, owners_of
from .ordering import add_order_terms

Delivered = Mapping[tuple[int, int], Sequence[int]]
"""(demand, compliance class) -> columns that deliver to it."""


def add_arrivals(draft: ProgramDraft, recipes: Recipes) -> None:
    """Add rows that limit the use of every node and period to the available material, up to each day with an arrival."""
    problem = draft.problem
    days: dict[tuple[Node, int], set[date]] = {}
    for lot in problem.lots:
        if lot.arrives is not None and lot.arrives > problem.case.horizon.periods[lot.period].start:
            days.setdefault(((lot.material, lot.place.id), lot.period), set()).add(lot.arrives)
    for arc in problem.network.arcs:
        for t, day in enumerate(arc.arrives) if any(arc.arrives) else ():
            if day is not None and problem.moves.at(arc.index, t) is not None:
                days.setdefault((arc.node, arc.arrival(t)), set()).add(day)
    if not days:
        return
    splitter = _Splitter(draft, recipes)
    for (node, t), arrival_days in sorted(days.items()):
        splitter.split(node, t, sorted(arrival_days))


@dataclass(frozen=True, eq=False)
class _Splitter:
    draft: ProgramDraft
    recipes: Recipes

    @cached_property
    def _arc(self) -> Ints:
        return self.draft.problem.moves.arc[self.draft.columns.buy_move]

    @cached_property
    def _node(self) -> Ints:
        return self.draft.problem.network.ends[self._arc]

    def split(self, node: Node, t: int, days: Sequence[date]) -> None:
        problem, columns = self.draft.problem, self.draft.columns
        arriving = (problem.moves.delivered[columns.buy_move] == t) & (self._node == problem.network.position[node])
        arriving_by_class = {}
        for class_index in range(len(problem.compliance_classes)):
            positions = np.flatnonzero(arriving & (columns.buy_compliance_class == class_index)).tolist()
            arriving_columns = [(int(columns.buy[i]), self._arrival_day(i)) for i in positions]
            if any(day in days for _, day in arriving_columns):
                arriving_by_class[class_index] = arriving_columns
        takers = {i for i, demand in enumerate(problem.demands) if final_node(demand.use) == node}
        delivered: dict[tuple[int, int], list[int]] = {}
        for column, (demand, period, class_index, _) in zip(columns.deliver, columns.deliver_key, strict=True):
            if period == t and demand in takers and class_index in arriving_by_class:
                delivered.setdefault((demand, class_index), []).append(column)
        owner = f"arrivals of {node[0]} at {node[1]}"
        late_columns = self._late_columns(t, days, delivered, owner)
        for class_index, bought in arriving_by_class.items():
            keys = [key for key in delivered if key[1] == class_index]
            for day_index, day in enumerate(days):
                entries = list(self._draws(node, t, class_index, day))
                entries += [(column, 1.0) for key in keys for column in delivered[key]]
                entries += [(column, -1.0) for key in keys for column in late_columns[key][day_index:]]
                if entries:
                    entries += [(column, -1.0) for column, arrives in bought if arrives is None or arrives < day]
                    entries += self._previous_stock(node, t, class_index)
                    self.draft.at_most([column for column, _ in entries], [weight for _, weight in entries], 0.0, owner)

    def _arrival_day(self, position: int) -> date | None:
        """Return the arrival day of a buying column within its period. None if it is available from the first day."""
        problem, move = self.draft.problem, int(self.draft.columns.buy_move[position])
        arc = problem.network.arcs[int(problem.moves.arc[move])]
        return problem.lots[arc.lot].arrives if arc.lot >= 0 else arc.arrives[int(problem.moves.ordered[move])]

    def _previous_stock(self, node: Node, t: int, class_index: int) -> list[tuple[int, float]]:
        first = self.draft.columns.stock.get((self.draft.problem.network.position[node], class_index))
        return [] if first is None or not t else [(first + t - 1, -float(self.draft.problem.stores[node].kept[t]))]

    def _late_columns(
        self, t: int, days: Sequence[date], delivered: Delivered, owner: str
    ) -> Mapping[tuple[int, int], Sequence[int]]:
        """Add columns of use from each day to the next, and the rows that limit them. Return them by demand and compliance class."""
        problem, assembly = self.draft.problem, self.draft.assembly
        period = problem.case.horizon.periods[t]
        late_columns = {}
        max_by_demand = {}
        for demand in sorted({demand for demand, _ in delivered}):
            facts = problem.demands[demand]
            shares = [*(facts.share_from(period, day) for day in days), Fraction(0)]
            max_by_demand[demand] = np.array(
                [float((a - b) * Fraction(facts.quantity[t])) for a, b in pairwise(shares)]
            )
        for (demand, class_index), columns in delivered.items():
            first = assembly.add_columns(len(days), 0.0, max_by_demand[demand])
            late_columns[demand, class_index] = range(first, first + len(days))
            self.draft.columns.late |= {
                (demand, class_index, t, day): first + day_index for day_index, day in enumerate(days)
            }
            weights = np.concatenate([np.ones(len(days)), -np.ones(len(columns))])
            self.draft.at_most([*late_columns[demand, class_index], *columns], weights, 0.0, owner)
        for demand, limits in max_by_demand.items():
            columns_of_demand = [late for (other_demand, _), late in late_columns.items() if other_demand == demand]
            for day_index, limit in enumerate(limits.tolist()):
                if len(columns_of_demand) > 1:
                    self.draft.at_most([late[day_index] for late in columns_of_demand], 1.0, limit, owner)
        return late_columns

    def _draws(self, node: Node, t: int, class_index: int, day: date) -> Iterator[tuple[int, float]]:
        """Yield the inputs that orders of the period take from a node before a day, each on the last day for placing it."""
        problem, columns = self.draft.problem, self.draft.columns
        makers = {offer for offer, feeds in problem.network.feeds.items() if node in feeds}
        if not makers:
            return
        arcs = problem.network.arcs
        in_period = (problem.moves.ordered[columns.buy_move] == t) & (columns.buy_compliance_class == class_index)
        for position in np.flatnonzero(in_period).tolist():
            arc = arcs[int(self._arc[position])]
            if arc.offer in makers and problem.offers[arc.offer].has_one_output and arc.order_by[t] < day:
                yield int(columns.buy[position]), self._per_unit(arc.offer, node)
        for (offer, *class_and_period), column in columns.make.items():
            is_relevant = offer in makers and class_and_period == [class_index, t]
            if is_relevant and self._order_deadline(offer, t) < day:
                yield column, self._per_unit(offer, node)

    def _order_deadline(self, offer: int, t: int) -> date:
        ways = (arc for arc in self.draft.problem.network.arcs if arc.offer == offer)
        return min((arc.order_by[t] for arc in ways if arc.arrival(t) < self.draft.count), default=date.max)

    def _per_unit(self, offer: int, node: Node) -> float:
        lines = range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1]))
        index = self.draft.problem.network.position[node]
        return sum(float(self.recipes.per_unit[line]) for line in lines if self.recipes.node[line] == index)


class Buying:
    """Arrays of all moves, and the moves that each compliance class admits."""

    def __init__(self, problem: Problem, discount: Floats) -> None:
        self.problem = problem
        self.count = problem.case.horizon.count
        arcs, moves = problem.network.arcs, problem.moves
        # True if a kilogram along an arc is a unit of its offer.
        self.single = np.array(
            [arc.offer >= 0 and problem.offers[arc.offer].has_one_output for arc in arcs], dtype=bool
        )
        self.discount = discount
        price = cells(moves.prices, self.count, moves.arc, moves.ordered)
        landed_costs = cells(self._landed(), self.count, moves.arc, moves.ordered)
        # Discounted money per kilogram of every move, without charges that depend on the use.
        self.cost: Floats = price * discount[moves.ordered] + landed_costs * discount[moves.delivered]
        self._price, self._landed_costs = price, landed_costs

    def _landed(self) -> list[tuple[Decimal, ...]]:
        """Return charges and freight of every arc by order period. Arcs with equal amounts share one tuple."""
        landed_by_ids: dict[tuple[int, int], tuple[Decimal, ...]] = {}
        rows = []
        for charges, freights in zip(self.problem.moves.charges, self.problem.moves.freights, strict=True):
            key = (id(charges), id(freights))
            if key not in landed_by_ids:
                landed_by_ids[key] = tuple(map(add, charges, freights))
            rows.append(landed_by_ids[key])
        return rows

    def block(self, compliance_class: ComplianceClass) -> tuple[Ints, Mapping[int, tuple[str, ...]], Floats]:
        """Return the moves that a compliance class admits, by node, arc, and period, with the licenses they draw on by position, and their costs."""
        moves, network = self.problem.moves, self.problem.network
        arcs = np.array(
            [
                arc
                for node in sorted(compliance_class.nodes)
                for arc in network.into.get(node, ())
                if arc not in compliance_class.blocked
            ],
            dtype=np.intp,
        )
        allowed = ranges(moves.first[arcs], moves.first[arcs + 1])
        if compliance_class.blocked_cells:
            allowed = allowed[~self._arriving_in(allowed, compliance_class.blocked_cells)]
        if compliance_class.order_periods is not None and compliance_class.final is not None:
            final = [arc for arc in network.into.get(compliance_class.final, ()) if network.arcs[arc].lot < 0]
            in_time = np.isin(moves.ordered[allowed], list(compliance_class.order_periods))
            allowed = allowed[in_time | ~np.isin(moves.arc[allowed], final)]
        allowed, licenses = self._licensed(compliance_class, allowed)
        return allowed, licenses, self._cost(compliance_class, allowed)

    def _arriving_in(self, moves: Ints, cells: Iterable[Cell]) -> NDArray[np.bool_]:
        cell_keys = [arc * self.count + arrival for arc, arrival in cells]
        return np.isin(self.problem.moves.arc[moves] * self.count + self.problem.moves.delivered[moves], cell_keys)

    def _licensed(self, compliance_class: ComplianceClass, moves: Ints) -> tuple[Ints, Mapping[int, tuple[str, ...]]]:
        """Return the moves, each repeated for every choice of the licenses that it needs, and the choices by position."""
        if not compliance_class.permits:
            return moves, {}
        facts = self.problem.moves
        choices: list[list[tuple[str, ...]]] = [[()]] * len(moves)
        for position in np.flatnonzero(self._arriving_in(moves, compliance_class.permits)).tolist():
            cell = (int(facts.arc[moves[position]]), int(facts.delivered[moves[position]]))
            choices[position] = [tuple(sorted(set(names))) for names in product(*compliance_class.permits[cell])]
        repeated = np.repeat(moves, [len(combinations) for combinations in choices])
        licenses = enumerate(chain.from_iterable(choices))
        return repeated, {position: names for position, names in licenses if names}

    def _cost(self, compliance_class: ComplianceClass, moves: Ints) -> Floats:
        if compliance_class.surcharges is None:
            return self.cost[moves]
        facts, surcharges = self.problem.moves, compliance_class.surcharges
        keys = zip(facts.arc[moves].tolist(), facts.ordered[moves].tolist(), strict=True)
        landed_costs = self._landed_costs[moves] + as_floats([surcharges.get(key, Decimal(0)) for key in keys])
        price = self._price[moves] * self.discount[facts.ordered[moves]]
        costs: Floats = price + landed_costs * self.discount[facts.delivered[moves]]
        return costs


@dataclass(frozen=True, slots=True, eq=False)
class Recipes:
    """Input lines of all offers, one after the other. Those of offer i are from `first[i]` to `first[i + 1]`."""

    first: Ints
    node: Ints
    """-1 for an offer that no demand can reach."""
    per_unit: Floats

    @staticmethod
    def of(problem: Problem) -> Recipes:
        position = problem.network.position
        lines = [(line, facts.place) for facts in problem.offers for line in facts.offer.inputs]
        return Recipes(
            first=np.cumsum([0, *(len(facts.offer.inputs) for facts in problem.offers)]),
            node=np.array([position.get((line.material, place), -1) for line, place in lines], dtype=np.intp),
            per_unit=as_floats([line.per_unit for line, _ in lines]),
        )

    def lines(self, offers: Ints) -> tuple[Ints, Ints]:
        """Return the lines of some offers, and the index in `offers` of each line."""
        if not len(self.node):
            return self.node, self.node
        first, last = self.first[offers], self.first[offers + 1]
        return ranges(first, last), np.repeat(np.arange(len(offers)), last - first)


Bought = dict[tuple[int, int, int], list[int]]
"""(output, compliance class or -1 for any, order period) -> columns that buy it from one offer."""


Choice = tuple[str, ...]
"""Key of a choice, equal in programs of changed facts."""
Choices = Mapping[Choice, float]


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """Problem as arrays, with the meaning of every column and row."""

    problem: Problem
    linear: Linear
    columns: Columns
    units: Units
    owners: list[tuple[int, str]]
    limits: LimitRows
    goals: tuple[Goal, ...] = ()
    """The problem's lexicographic objectives. Empty means cost alone."""

    def __repr__(self) -> str:
        rows, columns = self.linear.entries.shape
        return f"<Program of {self.problem.case.name}: {columns:,} columns, {rows:,} rows>"

    def short_of(self, demands: Collection[str]) -> Ints:
        count = self.problem.case.horizon.count
        demand_indices = [number for number, demand in enumerate(self.problem.demands) if demand.id in demands]
        cells: Ints = np.add.outer(np.array(demand_indices, dtype=np.intp) * count, np.arange(count)).ravel()
        return self.columns.short + cells

    def shorts(self) -> Ints:
        cells: Ints = np.arange(len(self.problem.demands) * self.problem.case.horizon.count)
        return self.columns.short + cells

    def rounded(self) -> Mask:
        """Return the columns that a plan rounds to the resolution."""
        columns, is_rounded = self.columns, np.zeros(len(self.linear.cost), dtype=bool)
        for block in (columns.buy, list(columns.make.values()), list(columns.transfer.values()), columns.deliver):
            is_rounded[block] = True
        is_rounded[self.shorts()] = True
        return is_rounded

    def owners_of(self, rows: Ints) -> list[str]:
        return owners_of(self.owners, rows)

    def choices(self, x: Floats) -> Choices:
        """Return a plan's choices, for `start` of another program."""
        return {choice: float(x[column]) for choice, column in self._choices()}

    def start(self, choices: Choices) -> Floats:
        """Return the values of all columns, with known choices filled in and NaN elsewhere."""
        x = np.full(len(self.linear.cost), np.nan)
        for choice, column in self._choices():
            x[column] = choices.get(choice, np.nan)
        return x

    def _choices(self) -> Iterator[tuple[Choice, int]]:
        columns, problem = self.columns, self.problem
        names = [facts.offer.id for facts in problem.offers]
        for kind, of_order in (("order", columns.order), ("lots", columns.lot)):
            yield from (((kind, names[offer], str(t)), column) for (offer, t), column in of_order.items())
        yield from ((("onboarding", names[offer]), column) for offer, column in columns.onboard.items())
        yield from ((("terms", str(problem.term_spans[span])), column) for span, column in columns.placed.items())
        for (number, tier), column in columns.tier_reached.items():
            span = problem.price_spans[number]
            yield ("tier", str(tier), span.label, *(names[offer] for offer in span.offers)), column


@without_gc()
def compile_program(
    problem: Problem, bounding_demands: Sequence[Demand] = (), bounds: Bounds | None = None, known: int | None = None
) -> Program:
    """Return the whole program, in canonical order. `bounding_demands` are the demands that bound orders before the period `known`. `bounds` replace the computed ones."""
    return _Compiler(ProgramDraft(problem, bounding_demands, bounds, known)).program()


class _Compiler:
    def __init__(self, draft: ProgramDraft) -> None:
        self.draft = draft
        self.problem, self.count = draft.problem, draft.count
        self.assembly, self.columns, self.units = draft.assembly, draft.columns, draft.units
        self.limits, self.bounds = draft.limits, draft.bounds
        self.node_index, self.discount = draft.problem.network.position, draft.discount
        self.recipes = Recipes.of(draft.problem)
        # (node, compliance class) -> first of its rows, one per period.
        self.balance: dict[tuple[int, int], int] = {}
        # First row of every node, by compliance class. -1 if there is none.
        self.balances: list[Ints] = []
        # Node -> period -> row that limits stock.
        self.store_rows: dict[int, dict[int, int]] = {}

    def program(self) -> Program:
        self._rows_for_balance()
        self._buy()
        self._make()
        self._stock()
        self._deliver()
        self._lots()
        add_arrivals(self.draft, self.recipes)
        add_order_terms(self.draft)
        self._licenses()
        term_columns = TermColumns(self.problem, self.assembly, self.columns, self.bounds)
        compile_limits(self.limits, term_columns)
        concentration_columns = add_concentration_columns(self.problem.objectives, term_columns)
        term_columns.add_purchases()
        del term_columns  # It takes a quarter of the memory of a large program.
        linear = self.assembly.linear()
        goals = goals_of(self.problem, concentration_columns, linear, self.columns, self.limits)
        return Program(self.problem, linear, self.columns, self.units, self.assembly.owners, self.limits, goals)

    def _rows_for_balance(self) -> None:
        """Add one row per node, compliance class, and period: inflow minus outflow is zero."""
        for compliance_class in self.problem.compliance_classes:
            rows = np.full(len(self.node_index), -1)
            for node in sorted(compliance_class.nodes):
                rows[self.node_index[node]] = len(self.balance) * self.count
                self.balance[self.node_index[node], compliance_class.index] = len(self.balance) * self.count
            self.balances.append(rows)
        self.assembly.add_rows(len(self.balance) * self.count, 0.0, 0.0, "balance")

    def _buy(self) -> None:
        buying, all_moves, network = Buying(self.problem, self.discount), self.problem.moves, self.problem.network
        blocks: list[tuple[Ints, Ints]] = []
        for compliance_class in with_progress(
            self.problem.compliance_classes, "laying out the program", "compliance classes", 1
        ):
            moves, licenses, cost = buying.block(compliance_class)
            first = self.assembly.add_columns(len(moves), cost, self.bounds.kg_by_move[moves])
            columns = np.arange(first, first + len(moves))
            bought = sum(len(columns) for _, columns in blocks)
            blocks.append((moves, columns))
            self.columns.buy_licenses |= {bought + position: names for position, names in licenses.items()}
            balance = self.balances[compliance_class.index]
            arcs = all_moves.arc[moves]
            self.assembly.add_entries(balance[network.ends[arcs]] + all_moves.delivered[moves], columns, 1.0)
            single = np.flatnonzero(buying.single[arcs])
            offers, orders = network.offers[arcs[single]], all_moves.ordered[moves[single]]
            self.units.add(offers, orders, columns[single])
            self._draw(balance, offers, orders, columns[single])
        self.columns.buy_move = compact(joined([moves for moves, _ in blocks]))
        self.columns.buy = compact(joined([columns for _, columns in blocks]))
        self.columns.buy_compliance_class = np.repeat(np.arange(len(blocks)), [len(moves) for moves, _ in blocks])

    def _draw(self, balance: Ints, offers: Ints, orders: Ints, columns: Ints) -> None:
        line, entry = self.recipes.lines(offers)
        self.assembly.add_entries(
            balance[self.recipes.node[line]] + orders[entry], columns[entry], -self.recipes.per_unit[line]
        )

    def _make(self) -> None:
        """Add columns for units of offers with several outputs, and rows that limit the purchases of each output."""
        arcs, moves, columns = self.problem.network.arcs, self.problem.moves, self.columns
        has_outputs = np.array(
            [arc.offer >= 0 and not self.problem.offers[arc.offer].has_one_output for arc in arcs], dtype=bool
        )
        bought: dict[int, Bought] = {}
        for position in np.flatnonzero(has_outputs[moves.arc[columns.buy_move]]).tolist():
            move = columns.buy_move[position]
            arc = arcs[int(moves.arc[move])]
            class_index = (
                int(columns.buy_compliance_class[position]) if self.problem.offers[arc.offer].offer.inputs else -1
            )
            key = (arc.output, class_index, int(moves.ordered[move]))
            bought.setdefault(arc.offer, {}).setdefault(key, []).append(int(columns.buy[position]))
        for offer in sorted(bought):
            self._make_offer(offer, bought[offer])

    def _make_offer(self, offer: int, bought: Bought) -> None:
        facts, assembly = self.problem.offers[offer], self.assembly
        runs = self._runs(offer, {(compliance_class, t) for _, compliance_class, t in bought})
        costs = [float(facts.price[t]) * self.discount[t] for _, t in runs]
        first = assembly.add_columns(len(runs), costs, [self.bounds.units[offer, t] for _, t in runs])
        columns = np.arange(first, first + len(runs))
        periods, offers = np.array([t for _, t in runs], dtype=np.intp), np.full(len(runs), offer)
        self.columns.make |= {(offer, *run): column for run, column in zip(runs, columns.tolist(), strict=True)}
        self.units.add(offers, periods, columns)
        classes = np.array([compliance_class for compliance_class, _ in runs], dtype=np.intp)
        for compliance_class in sorted(set(classes.tolist()) - {-1}):
            of_class = classes == compliance_class
            self._draw(self.balances[compliance_class], offers[of_class], periods[of_class], columns[of_class])
        for output, line in enumerate(facts.offer.outputs):
            row = assembly.add_rows(len(runs), -np.inf, 0.0, f"output of {facts.offer.id}")
            rows = {run: row + i for i, run in enumerate(runs)}
            assembly.add_entries(row + np.arange(len(runs)), columns, -float(line.per_unit))
            bought_entries = [(rows[run], column) for run in runs for column in bought.get((output, *run), ())]
            if bought_entries:
                assembly.add_entries([r for r, _ in bought_entries], [c for _, c in bought_entries], 1.0)
            self._transfers(offer, output, rows)

    def _runs(self, offer: int, bought: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the compliance classes and periods with purchases, and those that may transfer to them."""
        feeds = self.problem.network.feeds.get(offer, ())
        lenders = [r.index for r in self.problem.compliance_classes if feeds and r.nodes.issuperset(feeds)]
        return sorted(bought | {(lender, t) for lender in lenders for t in {t for _, t in bought}})

    def _transfers(self, offer: int, output: int, rows: dict[tuple[int, int], int]) -> None:
        """Add transfers of co-products from one compliance class to another that admits all that the first admits."""
        arcs: frozenset[int] = frozenset()
        nodes: frozenset[Node] = frozenset()
        for feed in self.problem.network.feeds.get(offer, ()):
            upstream = self.problem.network.reach(feed)
            arcs, nodes = arcs | upstream[0], nodes | upstream[1]
        for (from_class, t), row in rows.items():
            for (to_class, other_period), to_row in rows.items():
                if t != other_period or from_class == to_class or from_class < 0:
                    continue
                stricter, looser = (
                    self.problem.compliance_classes[from_class],
                    self.problem.compliance_classes[to_class],
                )
                if stricter.at_least_as_strict(looser, arcs, nodes, t):
                    column = self.assembly.add_columns(1)
                    self.columns.transfer[offer, output, t, from_class, to_class] = column
                    self.assembly.add_entries([row, to_row], column, [1.0, -1.0])

    def _stock(self) -> None:
        years = np.array([float(period.years) for period in self.problem.case.horizon.periods])
        lot_nodes = {(lot.material, lot.place.id) for lot in self.problem.lots}
        by_node: dict[int, list[int]] = {self.node_index[node]: [] for node in sorted(lot_nodes)}
        for (node, compliance_class), row in self.balance.items():
            store = self.problem.stores[self.problem.network.nodes[node]]
            if store.stores_nothing:
                continue
            first = self.assembly.add_columns(self.count, as_floats(store.holding) * years * self.discount)
            self.columns.stock[node, compliance_class] = first
            by_node.setdefault(node, []).append(first)
            columns = np.arange(first, first + self.count)
            self.assembly.add_entries(row + np.arange(self.count), columns, -1.0)
            shares_kept = [float(share) for share in store.kept[1:]]
            self.assembly.add_entries(row + np.arange(1, self.count), columns[:-1], shares_kept)
        for node, firsts in by_node.items():
            material, place = self.problem.network.nodes[node]
            limit_by_period = self.problem.stores[material, place].limit
            limited_periods = np.array(
                [t for t, limit in enumerate(limit_by_period) if limit is not None], dtype=np.intp
            )
            if len(limited_periods):
                limits = as_floats([quantity for quantity in limit_by_period if quantity is not None])
                rows = self.assembly.add_rows(len(limited_periods), -np.inf, limits, f"store of {material} at {place}")
                self.store_rows[node] = {t: rows + i for i, t in enumerate(limited_periods.tolist())}
                for first in firsts:
                    self.assembly.add_entries(rows + np.arange(len(limited_periods)), first + limited_periods, 1.0)

    def _deliver(self) -> None:
        problem, count = self.problem, self.count
        cells = np.arange(len(problem.demands) * count)
        quantities = table([demand.quantity for demand in problem.demands], count).ravel()
        price = as_floats(problem.shortage_price).reshape(-1, 1) * self.discount
        self.columns.short = self.assembly.add_columns(len(cells), price.ravel(), quantities)
        row = self.assembly.add_rows(len(cells), quantities, quantities, "demand")
        self.assembly.add_entries(row + cells, self.columns.short + cells, 1.0)
        node = np.array([self.node_index[final_node(demand.use)] for demand in problem.demands], dtype=np.intp)
        columns_by_waiver: dict[str, list[int]] = {}
        for compliance_class in problem.compliance_classes:
            outlets = compliance_class.outlets
            demand = np.array([outlet.demand for outlet in outlets], dtype=np.intp)
            period = np.array([outlet.period for outlet in outlets], dtype=np.intp)
            cell = demand * count + period
            first = self.assembly.add_columns(len(outlets), 0.0, quantities[cell])
            columns = np.arange(first, first + len(outlets))
            self.assembly.add_entries(self.balances[compliance_class.index][node[demand]] + period, columns, -1.0)
            self.assembly.add_entries(row + cell, columns, 1.0)
            self.columns.deliver += columns.tolist()
            self.columns.deliver_key += [(o.demand, o.period, compliance_class.index, o.waivers) for o in outlets]
            for column, outlet in zip(columns.tolist(), outlets, strict=True):
                for name in outlet.waivers:
                    columns_by_waiver.setdefault(name, []).append(column)
        for waiver in problem.case.waivers:
            if columns_by_waiver.get(waiver_id(waiver)):
                self.draft.at_most(columns_by_waiver[waiver_id(waiver)], 1.0, float(waiver.quantity), waiver_id(waiver))

    def _lots(self) -> None:
        problem = self.problem
        columns_by_lot: dict[int, list[int]] = {}
        lots = np.array([arc.lot for arc in problem.network.arcs], dtype=np.intp)
        lot_of_column = lots[problem.moves.arc[self.columns.buy_move]]
        for position in np.flatnonzero(lot_of_column >= 0).tolist():
            columns_by_lot.setdefault(int(lot_of_column[position]), []).append(int(self.columns.buy[position]))
        years = [float(period.years) for period in problem.case.horizon.periods]
        for lot_index, lot in enumerate(problem.lots):
            store = problem.stores[lot.material, lot.place.id]
            remaining_shares = [float(share) for share in store.remaining_shares(lot.period)]
            later_periods = np.arange(lot.period, self.count)
            holding_cost = sum(
                float(store.holding[t]) * remaining_shares[t - lot.period] * years[t] * self.discount[t]
                for t in later_periods.tolist()
            )
            column = self.assembly.add_columns(1, holding_cost, float(lot.quantity))
            self.columns.rest[lot_index] = column
            node = self.node_index[lot.material, lot.place.id]
            rows = self.store_rows.get(node, {})
            limited_periods = [t for t in later_periods.tolist() if t in rows]
            self.assembly.add_entries(
                [rows[t] for t in limited_periods], column, [remaining_shares[t - lot.period] for t in limited_periods]
            )
            quantity = float(lot.quantity)
            self.assembly.add_row(
                quantity, quantity, f"lot {lot.id}", ([*columns_by_lot.get(lot_index, []), column], 1.0)
            )

    def _licenses(self) -> None:
        for license in self.problem.case.licenses:
            name = license_id(license)
            licensed = self.columns.buy_licenses.items()
            columns = [int(self.columns.buy[position]) for position, names in licensed if name in names]
            if columns and license.quantity is not None:
                self.draft.at_most(columns, 1.0, float(license.quantity), name)
