"""Upper bounds that no sensible plan exceeds: what on/off links are made tight with.

An offer never delivers more than its capacity; nor, if nothing forces a plan to buy what it does not need, more than the
demand that its goods can still serve, with what may be left over: lots, and what order minima bring beyond need. What is left
over may be worth making into something else that is cheaper to hold, so that it counts for every maker down its chains.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ..problem import Problem
from ..problem.network import Node, final_node

if TYPE_CHECKING:
    from .limits import LimitRows


AMPLE = 1000
"""So many times all need is more than any plan buys, whatever a rule asks for."""


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """Most units by offer and order period, and most kilograms by move."""

    units: Mapping[tuple[int, int], float]
    move: NDArray[np.float64]

    @staticmethod
    def of(problem: Problem, limits: LimitRows) -> Bounds:
        """Bounds of all offers and moves."""
        needs = _needs(problem, limits)
        units: dict[tuple[int, int], float] = {}
        pools: dict[int, list[int]] = {}
        for position, pool in enumerate(problem.pools):
            for offer in pool.offers:
                pools.setdefault(offer, []).append(position)
        for index, facts in enumerate(problem.offers):
            use = float(facts.offer.capacity_use)
            for t in range(problem.case.horizon.count):
                limits_here = [] if facts.most[t] is None else [float(facts.most[t] or 0)]
                if use:
                    for position in pools.get(index, ()):
                        capacity = problem.pools[position].capacity[t]
                        if capacity is not None:
                            limits_here.append(float(capacity) / use)
                limits_here.append(max(needs.get(index, 0.0), float(facts.offer.min_order or 0)))
                units[index, t] = min(limits_here)
        moves = problem.moves
        move = np.array(
            [_move_bound(problem, units, int(a), int(t)) for a, t in zip(moves.arc, moves.ordered, strict=True)]
        )
        return Bounds(units, move)


def _move_bound(problem: Problem, units: Mapping[tuple[int, int], float], arc_index: int, t: int) -> float:
    arc = problem.network.arcs[arc_index]
    if arc.lot >= 0:
        return float(problem.lots[arc.lot].quantity)
    return units[arc.offer, t] * float(arc.per_unit)


def _needs(problem: Problem, limits: LimitRows) -> dict[int, float]:
    """Units of each offer that would serve all demand it can reach, over the whole plan, order minima included.

    Where a rule may force a plan to buy what it does not need, or a loop feeds an offer, the bound is `AMPLE` times all need.
    """
    walk = _Walk(problem)
    exact = {index: walk.offer(index) for index in walk.outlets}
    finite = [need for need in exact.values() if np.isfinite(need)]
    forced = sum(float(abs(row.at_least)) for _, row in limits.rows if row.at_least)
    ample = AMPLE * (sum(finite) + sum(float(sum(d.quantity)) for d in problem.demands) + forced)
    return {index: ample if limits.forces or not np.isfinite(need) else need for index, need in exact.items()}


class _Walk:
    """Adds up what is needed down the chains, from the demands to each offer."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.wanted = dict.fromkeys(problem.network.nodes, 0.0)
        for demand in problem.demands:
            self.wanted[final_node(demand.use)] += float(sum(demand.quantity))
        self.takers: dict[Node, list[tuple[int, float]]] = {}
        for offer, feeds in problem.network.feeds.items():
            for feed, line in zip(feeds, problem.offers[offer].offer.inputs, strict=True):
                self.takers.setdefault(feed, []).append((offer, float(line.per_unit)))
        self.outlets: dict[int, list[int]] = {}
        for arc in problem.network.arcs:
            if arc.offer >= 0:
                self.outlets.setdefault(arc.offer, []).append(arc.index)
        self._known: dict[Node, float] = {}
        self._walking: set[Node] = set()
        self._left: dict[Node, float] = {}
        self._lots = dict.fromkeys(problem.network.nodes, 0.0)
        for lot in problem.lots:
            self._lots[lot.material, lot.place.id] += float(lot.quantity)

    def node(self, node: Node) -> float:
        """Kilograms needed at a node; infinite in a loop."""
        if node in self._known:
            return self._known[node]
        if node in self._walking:
            return float("inf")
        self._walking.add(node)
        need = self.wanted[node] + sum(per_unit * self.offer(offer) for offer, per_unit in self.takers.get(node, ()))
        self._walking.discard(node)
        self._known[node] = need
        return need

    def offer(self, offer: int) -> float:
        """Units needed of an offer: for what its goods serve, for orders as large as the minimum, and to use up what is left."""
        by_output: dict[int, float] = {}
        for index in self.outlets.get(offer, ()):
            arc = self.problem.network.arcs[index]
            by_output[arc.output] = by_output.get(arc.output, 0.0) + self.node(arc.node) / float(arc.per_unit)
        return max(by_output.values(), default=0.0) + self.beyond_need(offer)

    def beyond_need(self, offer: int) -> float:
        """Units that an offer may give though nobody needs them: its order minima, and what its inputs have left over."""
        facts = self.problem.offers[offer]
        feeds = zip(self.problem.network.feeds.get(offer, ()), facts.offer.inputs, strict=True)
        left = sum(self.left_over(feed) / float(line.per_unit) for feed, line in feeds)
        return left + float(facts.offer.min_order or 0) * self.problem.case.horizon.count

    def left_over(self, node: Node) -> float:
        """Kilograms that may lie at a node though nobody needs them; infinite in a loop."""
        if node not in self._left:
            self._left[node] = float("inf")  # seen again before it is known: a loop
            arcs = [self.problem.network.arcs[index] for index in self.problem.network.into.get(node, ())]
            made = sum(self.beyond_need(arc.offer) * float(arc.per_unit) for arc in arcs if arc.offer >= 0)
            self._left[node] = self._lots[node] + made
        return self._left[node]
