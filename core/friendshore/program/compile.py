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
from itertools import pairwise, product
from operator import add

import numpy as np
from numpy.typing import NDArray

from ..domain.case import LicenceSpec
from ..domain.runtime import with_progress, without_gc
from ..problem import Problem
from ..problem.compliance_classes import Cell, ComplianceClass
from ..problem.decimal_arrays import as_floats, cells, table
from ..problem.demands import Demand
from ..problem.law import licence_id, waiver_id
from ..problem.network import Node, final_node, ranges
from .bounds import Bounds
from .draft import ProgramDraft
from .limits import Goal, LimitRows, TermColumns, add_largest, compile_limits, goals_of
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
    for (node, t), found in sorted(days.items()):
        splitter.split(node, t, sorted(found))


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
        """Add the rows of a node and period with arrivals on some days, for every compliance class that may use them."""
        problem, columns = self.draft.problem, self.draft.columns
        arriving = (problem.moves.delivered[columns.buy_move] == t) & (self._node == problem.network.position[node])
        there = {
            of: [
                (int(columns.buy[i]), self._arrives(int(i)))
                for i in np.flatnonzero(arriving & (columns.buy_compliance_class == of))
            ]
            for of in range(len(problem.compliance_classes))
        }
        there = {of: some for of, some in there.items() if any(day in days for _, day in some)}
        takers = {i for i, demand in enumerate(problem.demands) if final_node(demand.use) == node}
        delivered: dict[tuple[int, int], list[int]] = {}
        for column, (demand, period, of, _) in zip(columns.deliver, columns.deliver_key, strict=True):
            if period == t and demand in takers and of in there:
                delivered.setdefault((demand, of), []).append(column)
        owner = f"arrivals of {node[0]} at {node[1]}"
        late = self._late(t, days, delivered, owner)
        for of, bought in there.items():
            own = [key for key in delivered if key[1] == of]
            for number, day in enumerate(days):
                used = list(self._draws(node, t, of, day))
                used += [(column, 1.0) for key in own for column in delivered[key]]
                used += [(column, -1.0) for key in own for column in late[key][number:]]
                if used:
                    used += [(column, -1.0) for column, arrives in bought if arrives is None or arrives < day]
                    used += self._held(node, t, of)
                    self.draft.at_most([column for column, _ in used], [weight for _, weight in used], 0.0, owner)

    def _arrives(self, position: int) -> date | None:
        """Return the arrival day of a buying column within its period. None if it is available from the first day."""
        problem, move = self.draft.problem, int(self.draft.columns.buy_move[position])
        arc = problem.network.arcs[int(problem.moves.arc[move])]
        return problem.lots[arc.lot].arrives if arc.lot >= 0 else arc.arrives[int(problem.moves.ordered[move])]

    def _held(self, node: Node, t: int, of: int) -> list[tuple[int, float]]:
        """Return the remaining stock of the previous period."""
        first = self.draft.columns.stock.get((self.draft.problem.network.position[node], of))
        return [] if first is None or not t else [(first + t - 1, -float(self.draft.problem.stores[node].kept[t]))]

    def _late(
        self, t: int, days: Sequence[date], delivered: Delivered, owner: str
    ) -> Mapping[tuple[int, int], Sequence[int]]:
        """Return the columns of use from each day to the next, by demand and compliance class, and add the rows that limit them."""
        problem, assembly = self.draft.problem, self.draft.assembly
        period = problem.case.horizon.periods[t]
        found = {}
        most = {}
        for demand in sorted({demand for demand, _ in delivered}):
            facts = problem.demands[demand]
            shares = [*(facts.share_from(period, day) for day in days), Fraction(0)]
            most[demand] = np.array([float((a - b) * Fraction(facts.quantity[t])) for a, b in pairwise(shares)])
        for (demand, of), served in delivered.items():
            first = assembly.add_columns(len(days), 0.0, most[demand])
            found[demand, of] = range(first, first + len(days))
            self.draft.columns.late |= {(demand, of, t, day): first + number for number, day in enumerate(days)}
            weights = np.concatenate([np.ones(len(days)), -np.ones(len(served))])
            self.draft.at_most([*found[demand, of], *served], weights, 0.0, owner)
        for demand, limits in most.items():
            several = [columns for (other, _), columns in found.items() if other == demand]
            for number, limit in enumerate(limits.tolist()):
                if len(several) > 1:
                    self.draft.at_most([columns[number] for columns in several], 1.0, limit, owner)
        return found

    def _draws(self, node: Node, t: int, of: int, day: date) -> Iterator[tuple[int, float]]:
        """Yield the inputs that orders of the period take from a node before a day, each on the last day for placing it."""
        problem, columns = self.draft.problem, self.draft.columns
        makers = {offer for offer, feeds in problem.network.feeds.items() if node in feeds}
        if not makers:
            return
        arcs = problem.network.arcs
        mine = (problem.moves.ordered[columns.buy_move] == t) & (columns.buy_compliance_class == of)
        for position in np.flatnonzero(mine).tolist():
            arc = arcs[int(self._arc[position])]
            if arc.offer in makers and problem.offers[arc.offer].single and arc.order_by[t] < day:
                yield int(columns.buy[position]), self._per_unit(arc.offer, node)
        for (offer, made_for, period), column in columns.make.items():
            if offer in makers and (made_for, period) == (of, t) and self._placed(offer, t) < day:
                yield column, self._per_unit(offer, node)

    def _placed(self, offer: int, t: int) -> date:
        """Return the earliest order deadline of an offer in a period, over all its ways."""
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
        self.single = np.array([arc.offer >= 0 and problem.offers[arc.offer].single for arc in arcs], dtype=bool)
        """True if a kilogram along an arc is a unit of its offer."""
        self.discount = discount
        price = cells(moves.prices, self.count, moves.arc, moves.ordered)
        landed = cells(self._landed(), self.count, moves.arc, moves.ordered)
        self.cost: Floats = price * discount[moves.ordered] + landed * discount[moves.delivered]
        """Discounted money per kilogram of every move, if nothing depends on the use."""
        self._price, self._charged = price, landed

    def _landed(self) -> list[tuple[Decimal, ...]]:
        """Return charges and freight of every arc by order period. Arcs with equal amounts share one tuple."""
        known: dict[tuple[int, int], tuple[Decimal, ...]] = {}
        rows = []
        for charges, freights in zip(self.problem.moves.charges, self.problem.moves.freights, strict=True):
            key = (id(charges), id(freights))
            if key not in known:
                known[key] = tuple(map(add, charges, freights))
            rows.append(known[key])
        return rows

    def block(self, compliance_class: ComplianceClass) -> tuple[Ints, list[tuple[str, ...]], Floats]:
        """Return the moves that a compliance class admits, by node, arc, and period, with the licenses they draw on and their costs."""
        moves, network = self.problem.moves, self.problem.network
        arcs = np.array(
            [
                a
                for node in sorted(compliance_class.nodes)
                for a in network.into.get(node, ())
                if a not in compliance_class.blocked
            ],
            dtype=np.intp,
        )
        found = ranges(moves.first[arcs], moves.first[arcs + 1])
        if compliance_class.blocked_cells:
            found = found[~self._arrives(found, compliance_class.blocked_cells)]
        if compliance_class.order_periods is not None and compliance_class.final is not None:
            final = [a for a in network.into.get(compliance_class.final, ()) if network.arcs[a].lot < 0]
            in_time = np.isin(moves.ordered[found], list(compliance_class.order_periods))
            found = found[in_time | ~np.isin(moves.arc[found], final)]
        found, licences = self._licensed(compliance_class, found)
        return found, licences, self._cost(compliance_class, found)

    def _arrives(self, moves: Ints, cells: Iterable[Cell]) -> NDArray[np.bool_]:
        wanted = [arc * self.count + arrival for arc, arrival in cells]
        return np.isin(self.problem.moves.arc[moves] * self.count + self.problem.moves.delivered[moves], wanted)

    def _licensed(self, compliance_class: ComplianceClass, moves: Ints) -> tuple[Ints, list[tuple[str, ...]]]:
        """Return the moves with their licenses. A move that needs licenses has one column for every choice of them."""
        if not compliance_class.permits:
            return moves, [()] * len(moves)
        table = self.problem.moves
        choices: list[list[tuple[str, ...]]] = [[()]] * len(moves)
        for position in np.flatnonzero(self._arrives(moves, compliance_class.permits)).tolist():
            cell = (int(table.arc[moves[position]]), int(table.delivered[moves[position]]))
            choices[position] = [tuple(sorted(set(some))) for some in product(*compliance_class.permits[cell])]
        return np.repeat(moves, [len(some) for some in choices]), [one for some in choices for one in some]

    def _cost(self, compliance_class: ComplianceClass, moves: Ints) -> Floats:
        if compliance_class.surcharges is None:
            return self.cost[moves]
        table, given = self.problem.moves, compliance_class.surcharges
        keys = zip(table.arc[moves].tolist(), table.ordered[moves].tolist(), strict=True)
        charged = self._charged[moves] + as_floats([given.get(key, Decimal(0)) for key in keys])
        price = self._price[moves] * self.discount[table.ordered[moves]]
        found: Floats = price + charged * self.discount[table.delivered[moves]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Recipes:
    """Inputs per unit: the input lines of all offers, one after the other."""

    first: Ints
    """Index of the first line of each offer, with one more entry for the end."""
    node: Ints
    """Node of each line. -1 for an offer that no demand can reach."""
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
    """A problem as arrays, with the meaning of every column and row."""

    problem: Problem
    linear: Linear
    columns: Columns
    units: Units
    """(offer, order period) -> columns counted in its units."""
    owners: list[tuple[int, str]]
    """First row of each block, and its owner: a rule or a part of the model."""
    limits: LimitRows
    goals: tuple[Goal, ...] = ()
    """The problem's lexicographic objectives. Empty means cost alone."""

    def __repr__(self) -> str:
        rows, columns = self.linear.entries.shape
        return f"<Program of {self.problem.case.name}: {columns:,} columns, {rows:,} rows>"

    def short_of(self, demands: Collection[str]) -> Ints:
        """Return the shortage columns of some demands, by demand and period."""
        count = self.problem.case.horizon.count
        own = [number for number, demand in enumerate(self.problem.demands) if demand.id in demands]
        cells: Ints = np.add.outer(np.array(own, dtype=np.intp) * count, np.arange(count)).ravel()
        return self.columns.short + cells

    def shorts(self) -> Ints:
        """Return the columns of all shortages, by demand and period."""
        cells: Ints = np.arange(len(self.problem.demands) * self.problem.case.horizon.count)
        return self.columns.short + cells

    def rounded(self) -> Mask:
        """Return the columns that a plan rounds to the resolution: purchases, units made, transfers, deliveries, and shortages."""
        columns, found = self.columns, np.zeros(len(self.linear.cost), dtype=bool)
        for block in (columns.buy, list(columns.make.values()), list(columns.transfer.values()), columns.deliver):
            found[block] = True
        found[self.shorts()] = True
        return found

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
    problem: Problem, wanted: Sequence[Demand] = (), bounds: Bounds | None = None, known: int | None = None
) -> Program:
    """Return the whole program, in canonical order.

    Args:
        problem: The problem.
        wanted: Demands for the bounds on orders, if decisions precede the knowledge of demand. Empty means the problem's own.
        bounds: Bounds that tighten the program. None means those of the arguments.
        known: Period from which the demands are known.

    Raises:
        PluginError: If a plugin's limit rule raises.
    """
    return _Compiler(ProgramDraft(problem, wanted, bounds, known)).program()


class _Compiler:
    def __init__(self, draft: ProgramDraft) -> None:
        self.draft = draft
        self.problem, self.count = draft.problem, draft.count
        self.assembly, self.columns, self.units = draft.assembly, draft.columns, draft.units
        self.limits, self.bounds = draft.limits, draft.bounds
        self.node_index, self.discount = draft.problem.network.position, draft.discount
        self.recipes = Recipes.of(draft.problem)
        self.balance: dict[tuple[int, int], int] = {}
        """(node, compliance class) -> first of its rows, one per period."""
        self.balances: list[Ints] = []
        """First row of every node, by compliance class. -1 if there is none."""
        self.store_rows: dict[int, dict[int, int]] = {}
        """Node -> period -> row that limits stock."""

    def program(self) -> Program:
        self._rows_for_balance()
        self._buy()
        self._make()
        self._stock()
        self._deliver()
        self._lots()
        add_arrivals(self.draft, self.recipes)
        add_order_terms(self.draft)
        self._licences()
        reader = TermColumns(self.problem, self.assembly, self.columns, self.bounds)
        compile_limits(self.limits, reader)
        largest = add_largest(self.problem.objectives, reader)
        reader.add_bought()
        linear = self.assembly.linear()
        goals = goals_of(self.problem, largest, linear, self.columns, self.limits)
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
        """Add one block of columns per compliance class: every move that it admits, by node, arc, and period."""
        buying, every, network = Buying(self.problem, self.discount), self.problem.moves, self.problem.network
        found: list[tuple[Ints, Ints]] = []
        for compliance_class in with_progress(
            self.problem.compliance_classes, "laying out the program", "compliance classes", 1
        ):
            moves, licences, cost = buying.block(compliance_class)
            first = self.assembly.add_columns(len(moves), cost, self.bounds.move[moves])
            columns = np.arange(first, first + len(moves))
            found.append((moves, columns))
            self.columns.buy_licences += licences
            balance = self.balances[compliance_class.index]
            arcs = every.arc[moves]
            self.assembly.add_entries(balance[network.ends[arcs]] + every.delivered[moves], columns, 1.0)
            single = np.flatnonzero(buying.single[arcs])
            offers, orders = network.offers[arcs[single]], every.ordered[moves[single]]
            self.units.add(offers, orders, columns[single])
            self._draw(balance, offers, orders, columns[single])
        self.columns.buy_move = joined([moves for moves, _ in found])
        self.columns.buy = joined([columns for _, columns in found])
        self.columns.buy_compliance_class = np.repeat(np.arange(len(found)), [len(moves) for moves, _ in found])

    def _draw(self, balance: Ints, offers: Ints, orders: Ints, columns: Ints) -> None:
        """Add the inputs of some units, in the period of the order."""
        line, entry = self.recipes.lines(offers)
        self.assembly.add_entries(
            balance[self.recipes.node[line]] + orders[entry], columns[entry], -self.recipes.per_unit[line]
        )

    def _make(self) -> None:
        """Add columns for units of offers with several outputs, and rows that limit the purchases of each output."""
        arcs, moves, columns = self.problem.network.arcs, self.problem.moves, self.columns
        several = np.array([arc.offer >= 0 and not self.problem.offers[arc.offer].single for arc in arcs], dtype=bool)
        bought: dict[int, Bought] = {}
        for position in np.flatnonzero(several[moves.arc[columns.buy_move]]).tolist():
            move = columns.buy_move[position]
            arc = arcs[int(moves.arc[move])]
            own = int(columns.buy_compliance_class[position]) if self.problem.offers[arc.offer].offer.inputs else -1
            key = (arc.output, own, int(moves.ordered[move]))
            bought.setdefault(arc.offer, {}).setdefault(key, []).append(int(columns.buy[position]))
        for offer in sorted(bought):
            self._make_offer(offer, bought[offer])

    def _make_offer(self, offer: int, bought: Bought) -> None:
        facts = self.problem.offers[offer]
        runs = self._runs(offer, {(compliance_class, t) for _, compliance_class, t in bought})
        for compliance_class, t in runs:
            cost = float(facts.price[t]) * self.discount[t]
            column = self.assembly.add_columns(1, cost, self.bounds.units[offer, t])
            self.columns.make[offer, compliance_class, t] = column
            made = np.array([offer]), np.array([t]), np.array([column])
            self.units.add(*made)
            if compliance_class >= 0:
                self._draw(self.balances[compliance_class], *made)
        for output, line in enumerate(facts.offer.outputs):
            rows = {}
            for compliance_class, t in runs:
                made_here = self.columns.make[offer, compliance_class, t], -float(line.per_unit)
                bought_here = bought.get((output, compliance_class, t), []), 1.0
                name = f"output of {facts.offer.id}"
                rows[compliance_class, t] = self.assembly.add_row(-np.inf, 0.0, name, made_here, bought_here)
            self._transfers(offer, output, rows)

    def _runs(self, offer: int, bought: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Return the compliance classes and periods for which units are made: those with purchases, and those that may transfer to them."""
        feeds = self.problem.network.feeds.get(offer, ())
        lenders = [r.index for r in self.problem.compliance_classes if feeds and r.nodes.issuperset(feeds)]
        return sorted(bought | {(lender, t) for lender in lenders for t in {t for _, t in bought}})

    def _transfers(self, offer: int, output: int, rows: dict[tuple[int, int], int]) -> None:
        """Add transfers of co-products from one compliance class to another that admits all that the first admits."""
        arcs: frozenset[int] = frozenset()
        nodes: frozenset[Node] = frozenset()
        for feed in self.problem.network.feeds.get(offer, ()):
            up = self.problem.network.reach(feed)
            arcs, nodes = arcs | up[0], nodes | up[1]
        for (giver, t), row in rows.items():
            for (taker, other), into in rows.items():
                if t != other or giver == taker or giver < 0:
                    continue
                strict, loose = self.problem.compliance_classes[giver], self.problem.compliance_classes[taker]
                if strict.at_least_as_strict(loose, arcs, nodes, t):
                    column = self.assembly.add_columns(1)
                    self.columns.transfer[offer, output, t, giver, taker] = column
                    self.assembly.add_entries([row, into], column, [1.0, -1.0])

    def _stock(self) -> None:
        years = np.array([float(period.years) for period in self.problem.case.horizon.periods])
        lying = {(lot.material, lot.place.id) for lot in self.problem.lots}
        by_node: dict[int, list[int]] = {self.node_index[node]: [] for node in sorted(lying)}
        for (node, compliance_class), row in self.balance.items():
            store = self.problem.stores[self.problem.network.nodes[node]]
            if store.holds_nothing:
                continue
            first = self.assembly.add_columns(self.count, as_floats(store.holding) * years * self.discount)
            self.columns.stock[node, compliance_class] = first
            by_node.setdefault(node, []).append(first)
            columns = np.arange(first, first + self.count)
            self.assembly.add_entries(row + np.arange(self.count), columns, -1.0)
            kept = [float(share) for share in store.kept[1:]]
            self.assembly.add_entries(row + np.arange(1, self.count), columns[:-1], kept)
        for node, firsts in by_node.items():
            material, place = self.problem.network.nodes[node]
            limit = self.problem.stores[material, place].limit
            limited = np.array([t for t, most in enumerate(limit) if most is not None], dtype=np.intp)
            if len(limited):
                most = as_floats([each for each in limit if each is not None])
                rows = self.assembly.add_rows(len(limited), -np.inf, most, f"store of {material} at {place}")
                self.store_rows[node] = {t: rows + i for i, t in enumerate(limited.tolist())}
                for first in firsts:
                    self.assembly.add_entries(rows + np.arange(len(limited)), first + limited, 1.0)

    def _deliver(self) -> None:
        problem, count = self.problem, self.count
        cells = np.arange(len(problem.demands) * count)
        wanted = table([demand.quantity for demand in problem.demands], count).ravel()
        price = as_floats(problem.shortage_price).reshape(-1, 1) * self.discount
        self.columns.short = self.assembly.add_columns(len(cells), price.ravel(), wanted)
        row = self.assembly.add_rows(len(cells), wanted, wanted, "demand")
        self.assembly.add_entries(row + cells, self.columns.short + cells, 1.0)
        node = np.array([self.node_index[final_node(demand.use)] for demand in problem.demands], dtype=np.intp)
        waived: dict[str, list[int]] = {}
        for compliance_class in problem.compliance_classes:
            outlets = compliance_class.outlets
            demand = np.array([outlet.demand for outlet in outlets], dtype=np.intp)
            period = np.array([outlet.period for outlet in outlets], dtype=np.intp)
            cell = demand * count + period
            first = self.assembly.add_columns(len(outlets), 0.0, wanted[cell])
            columns = np.arange(first, first + len(outlets))
            self.assembly.add_entries(self.balances[compliance_class.index][node[demand]] + period, columns, -1.0)
            self.assembly.add_entries(row + cell, columns, 1.0)
            self.columns.deliver += columns.tolist()
            self.columns.deliver_key += [(o.demand, o.period, compliance_class.index, o.waivers) for o in outlets]
            for column, outlet in zip(columns.tolist(), outlets, strict=True):
                for name in outlet.waivers:
                    waived.setdefault(name, []).append(column)
        for waiver in problem.case.waivers:
            if waived.get(waiver_id(waiver)):
                self.draft.at_most(waived[waiver_id(waiver)], 1.0, float(waiver.quantity), waiver_id(waiver))

    def _lots(self) -> None:
        """Add a row per lot: the allocated parts and the rest sum to its quantity."""
        problem = self.problem
        taken: dict[int, list[int]] = {}
        lots = np.array([arc.lot for arc in problem.network.arcs], dtype=np.intp)
        of_column = lots[problem.moves.arc[self.columns.buy_move]]
        for position in np.flatnonzero(of_column >= 0).tolist():
            taken.setdefault(int(of_column[position]), []).append(int(self.columns.buy[position]))
        years = [float(period.years) for period in problem.case.horizon.periods]
        for number, lot in enumerate(problem.lots):
            store = problem.stores[lot.material, lot.place.id]
            left = [float(share) for share in store.left(lot.period)]
            later = np.arange(lot.period, self.count)
            held = sum(
                float(store.holding[t]) * left[t - lot.period] * years[t] * self.discount[t] for t in later.tolist()
            )
            column = self.assembly.add_columns(1, held, float(lot.quantity))
            self.columns.rest[number] = column
            node = self.node_index[lot.material, lot.place.id]
            rows = self.store_rows.get(node, {})
            limited = [t for t in later.tolist() if t in rows]
            self.assembly.add_entries([rows[t] for t in limited], column, [left[t - lot.period] for t in limited])
            whole = float(lot.quantity)
            self.assembly.add_row(whole, whole, f"lot {lot.id}", ([*taken.get(number, []), column], 1.0))

    def _licences(self) -> None:
        for licence in self.problem.case.licences:
            columns = self._under(licence)
            if columns and licence.quantity is not None:
                self.draft.at_most(columns, 1.0, float(licence.quantity), licence_id(licence))

    def _under(self, licence: LicenceSpec) -> list[int]:
        name = licence_id(licence)
        bought = zip(self.columns.buy.tolist(), self.columns.buy_licences, strict=True)
        return [column for column, names in bought if name in names]
