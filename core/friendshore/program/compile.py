"""From a problem to a linear program: columns, balances, capacities and links of binary variables."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ..domain.case import LicenceSpec
from ..domain.runtime import told_each, uncollected
from ..problem import Problem
from ..problem.demands import Demand
from ..problem.float_tables import as_floats, table
from ..problem.judging import licence_id, waiver_id
from ..problem.network import Node, final_node
from .arrivals import add_arrivals
from .bounds import Bounds
from .buying import Buying, Recipes
from .columns import Columns, Units
from .draft import ProgramDraft
from .limits import LimitRows, compile_limits
from .matrix import Floats, Ints, Linear, Mask, joined, owners_of
from .objectives import Goal, add_largest, goals_of
from .ordering import add_order_terms
from .term_columns import TermColumns

Bought = dict[tuple[int, int, int], list[int]]
"""Output, compliance class (-1: any) and order period -> columns that buy it of one offer."""


Choice = tuple[str, ...]
"""What a choice is about, in words that are the same in programs of changed facts."""
Choices = Mapping[Choice, float]
"""What a plan makes of its choices."""


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A problem as arrays, with what every column and row is about."""

    problem: Problem
    linear: Linear
    columns: Columns
    units: Units
    """(offer, order period) -> columns counted in its units."""
    owners: list[tuple[int, str]]
    """First row of each block, and the rule or part of the model that asked for it."""
    limits: LimitRows
    goals: tuple[Goal, ...] = ()
    """The problem's lexicographic objectives; none: cost alone."""

    def __repr__(self) -> str:
        rows, columns = self.linear.entries.shape
        return f"<Program of {self.problem.case.name}: {columns:,} columns, {rows:,} rows>"

    def short_of(self, demands: Collection[str]) -> Ints:
        """Columns of what some demands are short of, demand by demand and period by period."""
        count = self.problem.case.horizon.count
        own = [number for number, demand in enumerate(self.problem.demands) if demand.id in demands]
        cells: Ints = np.add.outer(np.array(own, dtype=np.intp) * count, np.arange(count)).ravel()
        return self.columns.short + cells

    def shorts(self) -> Ints:
        """Return the columns of all shortages, demand by demand and period by period."""
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
        """Who asked for each of some rows."""
        return owners_of(self.owners, rows)

    def choices(self, x: Floats) -> Choices:
        """Return what a plan makes of the choices, for `start` of another program."""
        return {choice: float(x[column]) for choice, column in self._choices()}

    def start(self, choices: Choices) -> Floats:
        """Return the values of all columns that are choices which are known; not a number for others."""
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


@uncollected()
def compile_program(
    problem: Problem, wanted: Sequence[Demand] = (), bounds: Bounds | None = None, known: int | None = None
) -> Program:
    """Lays out the whole program, in canonical order. `wanted` are the demands that bounds on orders follow from, if not those of the problem: where
    something is decided before it is known what is wanted, which it is from the period `known` on. `bounds` are all that the program is made tight with, if not what follows from these.

    Raises:
        PluginError: if a plugin's limit rule raises.
    """
    return _Compiler(ProgramDraft(problem, wanted, bounds, known)).program()


class _Compiler:
    def __init__(self, draft: ProgramDraft) -> None:
        self.draft = draft
        self.problem, self.count = draft.problem, draft.count
        self.assembly, self.columns, self.units = draft.assembly, draft.columns, draft.units
        self.limits, self.bounds = draft.limits, draft.bounds
        self.node_index, self.discount = draft.node_index, draft.discount
        self.recipes = Recipes.of(draft.problem, draft.node_index)
        self.balance: dict[tuple[int, int], int] = {}
        """Node and compliance class -> first of their rows, one a period."""
        self.balances: list[Ints] = []
        """The same by compliance class, for every node; -1 where there is none."""
        self.store_rows: dict[int, dict[int, int]] = {}
        """Node -> first of its rows that limit stock."""

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
        """One row a node, compliance class and period: what comes in less what goes out is zero."""
        for compliance_class in self.problem.compliance_classes:
            rows = np.full(len(self.node_index), -1)
            for node in sorted(compliance_class.nodes):
                rows[self.node_index[node]] = len(self.balance) * self.count
                self.balance[self.node_index[node], compliance_class.index] = len(self.balance) * self.count
            self.balances.append(rows)
        self.assembly.add_rows(len(self.balance) * self.count, 0.0, 0.0, "balance")

    def _buy(self) -> None:
        """One block of columns a compliance class: every move that it admits, in order of node, arc and period."""
        buying, every = Buying(self.problem, self.node_index, self.discount), self.problem.moves
        found: list[tuple[Ints, Ints]] = []
        for compliance_class in told_each(
            self.problem.compliance_classes, "laying out the program", "compliance classes", 1
        ):
            moves, licences, cost = buying.block(compliance_class)
            first = self.assembly.add_columns(len(moves), cost, self.bounds.move[moves])
            columns = np.arange(first, first + len(moves))
            found.append((moves, columns))
            self.columns.buy_licences += licences
            balance = self.balances[compliance_class.index]
            arcs = every.arc[moves]
            self.assembly.add_entries(balance[buying.node[arcs]] + every.delivered[moves], columns, 1.0)
            single = np.flatnonzero(buying.single[arcs])
            offers, orders = buying.offer[arcs[single]], every.ordered[moves[single]]
            self.units.add(offers, orders, columns[single])
            self._draw(balance, offers, orders, columns[single])
        self.columns.buy_move = joined([moves for moves, _ in found])
        self.columns.buy = joined([columns for _, columns in found])
        self.columns.buy_compliance_class = np.repeat(np.arange(len(found)), [len(moves) for moves, _ in found])

    def _draw(self, balance: Ints, offers: Ints, orders: Ints, columns: Ints) -> None:
        """What units of offers take of their inputs, in the period of the order."""
        line, entry = self.recipes.lines(offers)
        self.assembly.add_entries(
            balance[self.recipes.node[line]] + orders[entry], columns[entry], -self.recipes.per_unit[line]
        )

    def _make(self) -> None:
        """Units of offers with several outputs, and what of each output may be bought from them."""
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
                row = self.assembly.add_rows(1, -np.inf, 0.0, f"output of {facts.offer.id}")
                rows[compliance_class, t] = row
                self.assembly.add_entries(row, self.columns.make[offer, compliance_class, t], -float(line.per_unit))
                self.assembly.add_entries(row, bought.get((output, compliance_class, t), []), 1.0)
            self._transfers(offer, output, rows)

    def _runs(self, offer: int, bought: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Compliance classes and periods for which units are made: those bought for, and those whose makings may be lent to them."""
        feeds = self.problem.network.feeds.get(offer, ())
        lenders = [r.index for r in self.problem.compliance_classes if feeds and r.nodes.issuperset(feeds)]
        return sorted(bought | {(lender, t) for lender in lenders for t in {t for _, t in bought}})

    def _transfers(self, offer: int, output: int, rows: dict[tuple[int, int], int]) -> None:
        """A co-product made for one compliance class may serve another that admits all that the first admits."""
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
        """What is set aside of a lot, and the rest of it, come to the whole."""
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
            row = self.assembly.add_rows(1, float(lot.quantity), float(lot.quantity), f"lot {lot.id}")
            self.assembly.add_entries(row, [*taken.get(number, []), column], 1.0)

    def _licences(self) -> None:
        for licence in self.problem.case.licences:
            columns = self._under(licence)
            if columns and licence.quantity is not None:
                self.draft.at_most(columns, 1.0, float(licence.quantity), licence_id(licence))

    def _under(self, licence: LicenceSpec) -> list[int]:
        name = licence_id(licence)
        bought = zip(self.columns.buy.tolist(), self.columns.buy_licences, strict=True)
        return [column for column, names in bought if name in names]
