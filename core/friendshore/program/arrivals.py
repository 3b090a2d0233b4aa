"""What arrives within a period: what is used before that day comes from what is there by then.

Open orders arrive on their day, and so does what a plant makes that begins to work within a period. Everything else is there on the first day of one.
Use is even over the days of a period on which it is wanted, and an order to a maker takes its inputs on the last day on which it may be placed. So the
only days that matter are those on which something arrives: between two of them stock at a node only falls.

For each such day of a node and period, each delivery is split: what of it is used from that day to the next one is a column of its own, no more than the
part of the demand that falls on these days. The rest is used before, and is no more than the stock at the beginning, what arrives on the first day, and
what arrived on earlier days.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..problem.network import Node, final_node
from .buying import Recipes
from .draft import ProgramDraft
from .matrix import Ints

Delivered = Mapping[tuple[int, int], Sequence[int]]
"""Demand and compliance class -> columns that deliver to it."""


def add_arrivals(draft: ProgramDraft, recipes: Recipes) -> None:
    """Add what keeps the use of every node and period within what is there, up to each day on which something arrives."""
    problem = draft.problem
    days: dict[tuple[Node, int], set[date]] = {}
    for lot in problem.lots:
        if lot.arrives is not None and lot.arrives > problem.case.horizon.periods[lot.period].start:
            days.setdefault(((lot.material, lot.place.id), lot.period), set()).add(lot.arrives)
    known: dict[int, list[tuple[int, date]]] = {}
    for arc in problem.network.arcs:  # very many, of which few have any, share their days
        if id(arc.arrives) not in known:
            known[id(arc.arrives)] = [(t, day) for t, day in enumerate(arc.arrives) if day is not None]
        for t, day in known[id(arc.arrives)]:
            if problem.moves.at(arc.index, t) is not None:
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
        """Arc of every column that buys."""
        return self.draft.problem.moves.arc[self.draft.columns.buy_move]

    @cached_property
    def _node(self) -> Ints:
        """Node that every column that buys leads to."""
        index = self.draft.node_index
        nodes: Ints = np.array([index[arc.node] for arc in self.draft.problem.network.arcs], dtype=np.intp)[self._arc]
        return nodes

    def split(self, node: Node, t: int, days: Sequence[date]) -> None:
        """Add the rows of a node and period in which something arrives on some days, for every compliance class that may use it."""
        problem, columns = self.draft.problem, self.draft.columns
        arriving = (problem.moves.delivered[columns.buy_move] == t) & (self._node == self.draft.node_index[node])
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
        """Day on which what a column buys arrives within its period; None: it is there from the first day."""
        problem, move = self.draft.problem, int(self.draft.columns.buy_move[position])
        arc = problem.network.arcs[int(problem.moves.arc[move])]
        return problem.lots[arc.lot].arrives if arc.lot >= 0 else arc.arrives[int(problem.moves.ordered[move])]

    def _held(self, node: Node, t: int, of: int) -> list[tuple[int, float]]:
        """What is left of the stock at the end of the period before."""
        first = self.draft.columns.stock.get((self.draft.node_index[node], of))
        return [] if first is None or not t else [(first + t - 1, -float(self.draft.problem.stores[node].kept[t]))]

    def _late(
        self, t: int, days: Sequence[date], delivered: Delivered, owner: str
    ) -> Mapping[tuple[int, int], Sequence[int]]:
        """Columns of what is used from each day to the next, by demand and compliance class; with the rows that bound them."""
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
        """What orders of the period take of a node before a day: each on the last day on which it may be placed."""
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
        """The earliest of the days on which orders of an offer in a period may be placed at the latest, over all its ways."""
        ways = (arc for arc in self.draft.problem.network.arcs if arc.offer == offer)
        return min((arc.order_by[t] for arc in ways if arc.arrival(t) < self.draft.count), default=date.max)

    def _per_unit(self, offer: int, node: Node) -> float:
        lines = range(int(self.recipes.first[offer]), int(self.recipes.first[offer + 1]))
        index = self.draft.node_index[node]
        return sum(float(self.recipes.per_unit[line]) for line in lines if self.recipes.node[line] == index)
