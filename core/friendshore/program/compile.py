"""From a problem to a linear program: columns, balances, capacities and on/off links."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import numpy as np

from ..domain.case import LicenceSpec
from ..problem import Problem
from ..problem.judging import licence_id
from ..problem.network import Node, final_node
from ..problem.requirements import Requirement, waiver_id
from .columns import Columns
from .draft import Draft
from .limits import LimitRows, compile_limits
from .matrix import Floats, Ints, Linear, owners_of
from .terms import add_order_terms


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A problem as arrays, with what every column and row is about."""

    problem: Problem
    linear: Linear
    columns: Columns
    owners: list[tuple[int, str]]
    """First row of each block, and the rule or part of the model that asked for it."""
    limits: LimitRows

    def owners_of(self, rows: Ints) -> list[str]:
        """Who asked for each of some rows."""
        return owners_of(self.owners, rows)


def compile_program(problem: Problem) -> Program:
    """Lays out the whole program, in canonical order.

    Raises:
        PluginError: if a plugin's limit rule raises.
    """
    return _Compiler(problem).program()


class _Compiler:
    def __init__(self, problem: Problem) -> None:
        self.draft = draft = Draft(problem)
        self.problem, self.count = problem, draft.count
        self.assembly, self.columns, self.units = draft.assembly, draft.columns, draft.units
        self.limits, self.bounds = draft.limits, draft.bounds
        self.node_index, self.discount = draft.node_index, draft.discount
        self.balance: dict[tuple[int, int], int] = {}
        self.store_rows: dict[int, int] = {}
        """Node -> first of its rows that limit stock."""

    def program(self) -> Program:
        self._rows_for_balance()
        self._buy()
        self._make()
        self._stock()
        self._deliver()
        self._lots()
        add_order_terms(self.draft)
        self._licences()
        compile_limits(self.limits, self.problem, self.assembly, self.columns, self.bounds)
        return Program(self.problem, self.assembly.linear(), self.columns, self.assembly.owners, self.limits)

    def _rows_for_balance(self) -> None:
        """One row a node, requirement and period: what comes in less what goes out is zero."""
        for requirement in self.problem.requirements:
            for node in sorted(requirement.nodes):
                first = self.assembly.add_rows(self.count, 0.0, 0.0, "balance")
                self.balance[self.node_index[node], requirement.index] = first

    def _buy(self) -> None:
        for requirement in self.problem.requirements:
            for node in sorted(requirement.nodes):
                row = self.balance[self.node_index[node], requirement.index]
                for arc in self.problem.network.into.get(node, ()):
                    if arc not in requirement.blocked:
                        self._buy_arc(requirement, arc, row)

    def _buy_arc(self, requirement: Requirement, index: int, row: int) -> None:
        moves, arc = self.problem.moves, self.problem.network.arcs[index]
        final = requirement.order_periods is not None and arc.node == requirement.final and arc.lot < 0
        keys: list[tuple[int, tuple[str, ...]]] = []
        for t in range(self.count):
            move = moves.position.get((index, t))
            arrival = t + arc.lag
            if move is None or not requirement.admits(index, arrival):
                continue
            if final and requirement.order_periods is not None and t not in requirement.order_periods:
                continue
            choices = product(*requirement.permits.get((index, arrival), ()))
            keys += [(move, tuple(sorted(set(licences)))) for licences in choices]
        if not keys:
            return
        found = np.array([move for move, _ in keys], dtype=np.intp)
        first = self.assembly.add_columns(len(keys), self._buy_cost(requirement, index, found), self.bounds.move[found])
        columns = np.arange(first, first + len(keys))
        self.columns.buy.extend(columns.tolist())
        self.columns.buy_move.extend(found.tolist())
        self.columns.buy_requirement.extend([requirement.index] * len(keys))
        self.columns.buy_licences.extend(licences for _, licences in keys)
        self.assembly.add_entries(row + moves.delivered[found], columns, 1.0)
        if arc.offer >= 0 and self.problem.offers[arc.offer].single:
            orders = moves.ordered[found]
            for column, t in zip(columns.tolist(), orders.tolist(), strict=True):
                self.units.setdefault((arc.offer, t), []).append(column)
            self._draw(arc.offer, requirement.index, columns, orders)

    def _buy_cost(self, requirement: Requirement, arc: int, found: Ints) -> Floats:
        moves = self.problem.moves
        price = np.array([float(moves.price[m]) for m in found])
        landed = np.array([float(moves.charge[m] + moves.freight[m]) for m in found])
        if requirement.surcharges is not None:
            landed += [float(requirement.surcharges.get((arc, t), Decimal(0))) for t in moves.ordered[found].tolist()]
        cost: Floats = price * self.discount[moves.ordered[found]] + landed * self.discount[moves.delivered[found]]
        return cost

    def _draw(self, offer: int, requirement: int, columns: Ints, orders: Ints) -> None:
        """What units of an offer take of its inputs, in the period of the order."""
        facts = self.problem.offers[offer]
        for line in facts.offer.inputs:
            row = self.balance[self.node_index[line.material, facts.place], requirement]
            self.assembly.add_entries(row + orders, columns, -float(line.per_unit))

    def _make(self) -> None:
        """Units of offers with several outputs, and what of each output may be bought from them."""
        moves = self.problem.moves
        bought: dict[tuple[int, int, int, int], list[int]] = {}
        for column, move, requirement in zip(
            self.columns.buy, self.columns.buy_move, self.columns.buy_requirement, strict=True
        ):
            arc = self.problem.network.arcs[int(moves.arc[move])]
            if arc.offer >= 0 and not self.problem.offers[arc.offer].single:
                own = requirement if self.problem.offers[arc.offer].offer.inputs else -1
                key = (arc.offer, arc.output, own, int(moves.ordered[move]))
                bought.setdefault(key, []).append(column)
        for offer in sorted({key[0] for key in bought}):
            self._make_offer(offer, {key[1:]: columns for key, columns in bought.items() if key[0] == offer})

    def _make_offer(self, offer: int, bought: dict[tuple[int, int, int], list[int]]) -> None:
        facts = self.problem.offers[offer]
        runs = self._runs(offer, {(requirement, t) for _, requirement, t in bought})
        for requirement, t in runs:
            cost = float(facts.price[t]) * self.discount[t]
            column = self.assembly.add_columns(1, cost, self.bounds.units[offer, t])
            self.columns.make[offer, requirement, t] = column
            self.units.setdefault((offer, t), []).append(column)
            if requirement >= 0:
                self._draw(offer, requirement, np.array([column]), np.array([t]))
        for output, line in enumerate(facts.offer.outputs):
            rows = {}
            for requirement, t in runs:
                row = self.assembly.add_rows(1, -np.inf, 0.0, f"output of {facts.offer.id}")
                rows[requirement, t] = row
                self.assembly.add_entries(row, self.columns.make[offer, requirement, t], -float(line.per_unit))
                self.assembly.add_entries(row, bought.get((output, requirement, t), []), 1.0)
            self._transfers(offer, output, rows)

    def _runs(self, offer: int, bought: set[tuple[int, int]]) -> list[tuple[int, int]]:
        """Requirements and periods for which units are made: those bought for, and those whose makings may be lent to them."""
        feeds = self.problem.network.feeds.get(offer, ())
        lenders = [r.index for r in self.problem.requirements if feeds and r.nodes.issuperset(feeds)]
        return sorted(bought | {(lender, t) for lender in lenders for t in {t for _, t in bought}})

    def _transfers(self, offer: int, output: int, rows: dict[tuple[int, int], int]) -> None:
        """A co-product made for one requirement may serve another that admits all that the first admits."""
        arcs: frozenset[int] = frozenset()
        nodes: frozenset[Node] = frozenset()
        for feed in self.problem.network.feeds.get(offer, ()):
            up = self.problem.network.reach(feed)
            arcs, nodes = arcs | up[0], nodes | up[1]
        for (giver, t), row in rows.items():
            for (taker, other), into in rows.items():
                if t != other or giver == taker or giver < 0:
                    continue
                strict, loose = self.problem.requirements[giver], self.problem.requirements[taker]
                if strict.at_least_as_strict(loose, arcs, nodes, t):
                    column = self.assembly.add_columns(1)
                    self.columns.transfer[offer, output, t, giver, taker] = column
                    self.assembly.add_entries([row, into], column, [1.0, -1.0])

    def _stock(self) -> None:
        years = np.array([float(period.years) for period in self.problem.case.horizon.periods])
        lying = {(lot.material, lot.place.id) for lot in self.problem.lots}
        by_node: dict[int, list[int]] = {self.node_index[node]: [] for node in sorted(lying)}
        for (node, requirement), row in self.balance.items():
            store = self.problem.stores[self.problem.network.nodes[node]]
            if store.limit == 0:
                continue
            first = self.assembly.add_columns(self.count, float(store.holding) * years * self.discount)
            self.columns.stock[node, requirement] = first
            by_node.setdefault(node, []).append(first)
            columns = np.arange(first, first + self.count)
            self.assembly.add_entries(row + np.arange(self.count), columns, -1.0)
            self.assembly.add_entries(row + np.arange(1, self.count), columns[:-1], 1.0)
        for node, firsts in by_node.items():
            material, place = self.problem.network.nodes[node]
            limit = self.problem.stores[material, place].limit
            if limit is not None:
                row = self.assembly.add_rows(self.count, -np.inf, float(limit), f"store of {material} at {place}")
                self.store_rows[node] = row
                for first in firsts:
                    self.assembly.add_entries(row + np.arange(self.count), np.arange(first, first + self.count), 1.0)

    def _deliver(self) -> None:
        problem = self.problem
        demands = len(problem.demands)
        wanted = np.array([[float(q) for q in d.quantity] for d in problem.demands]).reshape(demands, self.count)
        price = np.array([float(p) for p in problem.shortage_price]).reshape(demands, 1)
        self.columns.short = self.assembly.add_columns(
            demands * self.count, (price * self.discount).ravel(), wanted.ravel()
        )
        row = self.assembly.add_rows(demands * self.count, wanted.ravel(), wanted.ravel(), "demand")
        cells = np.arange(demands * self.count)
        self.assembly.add_entries(row + cells, self.columns.short + cells, 1.0)
        waived: dict[str, list[int]] = {}
        for requirement in problem.requirements:
            for outlet in requirement.outlets:
                use = problem.demands[outlet.demand].use
                node = self.node_index[final_node(use)]
                column = self.assembly.add_columns(1, 0.0, wanted[outlet.demand, outlet.period])
                self.columns.deliver.append(column)
                self.columns.deliver_key.append((outlet.demand, outlet.period, requirement.index, outlet.waivers))
                self.assembly.add_entries(self.balance[node, requirement.index] + outlet.period, column, -1.0)
                self.assembly.add_entries(row + outlet.demand * self.count + outlet.period, column, 1.0)
                for name in outlet.waivers:
                    waived.setdefault(name, []).append(column)
        for waiver in problem.case.waivers:
            if waived.get(waiver_id(waiver)):
                self.draft.at_most(waived[waiver_id(waiver)], 1.0, float(waiver.quantity), waiver_id(waiver))

    def _lots(self) -> None:
        """What is set aside of a lot, and the rest of it, come to the whole."""
        problem = self.problem
        taken: dict[int, list[int]] = {}
        for column, move in zip(self.columns.buy, self.columns.buy_move, strict=True):
            position = problem.network.arcs[int(problem.moves.arc[move])].lot
            if position >= 0:
                taken.setdefault(position, []).append(column)
        years = [float(period.years) for period in problem.case.horizon.periods]
        for number, lot in enumerate(problem.lots):
            holding = float(problem.stores[lot.material, lot.place.id].holding)
            held = sum(holding * years[t] * self.discount[t] for t in range(lot.period, self.count))
            column = self.assembly.add_columns(1, held, float(lot.quantity))
            self.columns.rest[number] = column
            node = self.node_index[lot.material, lot.place.id]
            if node in self.store_rows:
                later = np.arange(lot.period, self.count)
                self.assembly.add_entries(self.store_rows[node] + later, column, 1.0)
            row = self.assembly.add_rows(1, float(lot.quantity), float(lot.quantity), f"lot {lot.id}")
            self.assembly.add_entries(row, [*taken.get(number, []), column], 1.0)

    def _licences(self) -> None:
        for licence in self.problem.case.licences:
            columns = self._under(licence)
            if columns and licence.quantity is not None:
                self.draft.at_most(columns, 1.0, float(licence.quantity), licence_id(licence))

    def _under(self, licence: LicenceSpec) -> list[int]:
        name = licence_id(licence)
        return [c for c, names in zip(self.columns.buy, self.columns.buy_licences, strict=True) if name in names]
