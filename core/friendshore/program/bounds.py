"""Upper bounds that no sensible plan exceeds. They tighten the links of binary variables.

An offer never delivers more than its capacity. If nothing forces a plan to buy beyond need, an offer also never delivers more than
the demand that its goods can still serve, plus leftovers. Leftovers come from:

- stocks
- order minima, whole lots, and terms of trade beyond need
- purchases to reach the last tier of a price schedule
- prices below zero

Leftovers may be worth making into another material that is cheaper to hold, so they count for every maker down their chains.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from itertools import accumulate
from math import isfinite
from operator import add

import numpy as np

from ..domain.case import Minimise
from ..problem import Problem
from ..problem.capacity import max_units
from ..problem.decimal_arrays import as_floats, table
from ..problem.demands import Demand
from ..problem.network import Node, final_node
from .matrix import Floats, Ints

AMPLE = 1000
"""Multiple of all need that no plan exceeds, whatever a rule asks for."""

ROUNDING = 1 + 1e-15
"""Factor by which a bound may exceed its row. The bound is the row's limit divided by the weight, in doubles."""


@dataclass(frozen=True, eq=False)
class Bounds:
    """Upper bounds in units by offer and order period, and in kilograms by move."""

    walk: _Walk
    """Need along the chains."""
    forced: bool
    """True if a plan may have to buy, hold, or spend more than its need."""
    units: Floats
    """Maximum units by offer and order period."""
    move: Floats
    """Maximum kilograms of each move, from the units of its offer."""
    own: Bounds | None = None
    """Bounds from the problem's own demands, for orders placed once these are known. None if no other demands limit anything."""
    known: int = 0
    """Period from which the demands are known."""

    @property
    def problem(self) -> Problem:
        return self.walk.problem

    def taken(self, some: Ints) -> Floats:
        """Return the maximum kilograms of some moves that their destinations can still take. They tighten the links of single flows."""
        moves = self.problem.moves
        found: Floats = np.minimum(self.move[some], self.wanted(moves.arc[some], moves.delivered[some]))
        return found if self.own is None else np.where(moves.ordered[some] < self.known, found, self.own.taken(some))

    def wanted(self, arcs: Ints, periods: Ints) -> Floats:
        """Return the maximum kilograms that each arc brings from a period on, capacity aside.

        This is the need of its place from then on, plus the units beyond need of its offer. Infinite if a plan may have to buy more than it needs.
        """
        needed, node, beyond = self._needed
        found: Floats = needed[node[arcs], periods] + beyond[arcs]
        return found

    @cached_property
    def _needed(self) -> tuple[Floats, Ints, Floats]:
        """Kilograms needed at each node from each period on, the node of every arc, and the kilograms beyond need of its offer."""
        problem, arcs = self.problem, self.problem.network.arcs
        concentration = any(objective.level.minimise is Minimise.CONCENTRATION for objective in problem.objectives)
        by_node = self.walk.needed_from()
        beyond = np.full(len(arcs), np.inf)
        for arc in arcs if not self.forced and not concentration else ():
            if arc.offer >= 0:
                beyond[arc.index] = self.walk.beyond_need(arc.offer) * self.walk.per_unit[arc.index]
        needed = np.array([by_node[node] for node in problem.network.nodes]).reshape(-1, problem.case.horizon.count)
        return needed, problem.network.ends, beyond

    def hold_all_of(self, other: Bounds, linked: bool) -> bool:
        """Return True if no bound is below that of other facts with the same moves along the same ways.

        Args:
            other: Bounds of the other facts.
            linked: True if there are choices. Their links depend on the kilograms that a place can still take.
        """
        pairs = [(self.units, other.units), (self.move, other.move)]
        if linked:
            every = np.arange(len(self.move))
            pairs.append((self.taken(every), other.taken(every)))
        return all(bool(np.all(own * ROUNDING >= asked)) for own, asked in pairs)

    @staticmethod
    def of(problem: Problem, forced: bool, wanted: Sequence[Demand] = (), known: int | None = None) -> Bounds:
        """Return the bounds of all offers and moves.

        Args:
            problem: The problem.
            forced: True if some limit rule may make a plan buy, hold, or spend more than its need.
            wanted: Demands that define the need, for orders placed before the demands are known. Empty means the problem's own.
            known: Period from which the demands are known. Later orders follow from the problem's own demands, unless anything is made
                of purchases: an excess may be worth making into a material that is cheaper to hold.
        """
        walk = _Walk(problem, wanted or problem.demands)
        units = _units(walk, forced)
        if not wanted or known is None or problem.network.feeds:
            return Bounds(walk, forced, units, _by_move(problem, units))
        own = Bounds.of(problem, forced)
        units[:, known:] = np.minimum(units[:, known:], own.units[:, known:])
        return Bounds(walk, forced, units, _by_move(problem, units), own, known)


def _by_move(problem: Problem, units: Floats) -> Floats:
    arcs, moves, offer = problem.network.arcs, problem.moves, problem.network.offers
    whole = np.array([float(arc.per_unit) if arc.lot < 0 else float(problem.lots[arc.lot].quantity) for arc in arcs])
    ordered = units[offer[moves.arc], moves.ordered] if len(problem.offers) else np.ones(len(moves))
    found: Floats = np.where(offer[moves.arc] < 0, 1.0, ordered) * whole[moves.arc]
    return found


def capacities(problem: Problem) -> tuple[Floats, Floats]:
    """Return the capacity limits of offers and facilities, whatever the demand: maximum units by offer and order period, and kilograms by move."""
    units = _within_capacity(problem, np.full((len(problem.offers), problem.case.horizon.count), np.inf))
    return units, _by_move(problem, units)


def _units(walk: _Walk, forced: bool) -> Floats:
    """Return the minimum of an offer's own limits, its facilities' capacities, and the demand that it can serve."""
    problem = walk.problem
    needs = _needs(walk, forced)
    needed = np.array([needs.get(index, 0.0) for index in range(len(problem.offers))])
    return _within_capacity(problem, np.maximum(needed[:, None], _floors(problem, walk.reach)))


def _within_capacity(problem: Problem, units: Floats) -> Floats:
    """Return the units reduced to the limits of offers, their facilities' capacities, and terms of trade."""
    offers = problem.offers
    units = np.minimum(units, table([facts.most for facts in offers], problem.case.horizon.count))
    use = as_floats([facts.offer.capacity_use for facts in offers])
    capacity = problem.capacity
    member = np.array([offer for pool in problem.pools for offer in pool.offers], dtype=np.intp)
    pool = np.repeat(np.arange(len(problem.pools)), [len(pool.offers) for pool in problem.pools])
    bound = use[member] > 0
    member, pool = member[bound], pool[bound]
    while len(member):  # once, unless a facility lies within another
        _, first = np.unique(member, return_index=True)
        offer = member[first]
        units[offer] = np.minimum(units[offer], capacity[pool[first]] / use[offer][:, None])
        member, pool = np.delete(member, first), np.delete(pool, first)
    return _within_terms(problem, units)


def _floors(problem: Problem, reach: Mapping[tuple[int, int], float]) -> Floats:
    """Return the minimum size of an order in whole lots, whatever the need: its minimum, a price tier, or terms of trade."""
    offers = problem.offers
    minima = np.array([float(facts.least) if facts.offer.min_order else 0.0 for facts in offers])
    floors: Floats = np.tile(minima[:, None], problem.case.horizon.count)
    for cell, most in reach.items():
        floors[cell] = max(floors[cell], float(offers[cell[0]].in_lots(Decimal(repr(most)))))
    for span in problem.term_spans:
        for index in span.offers if span.terms.least else ():
            least = float(offers[index].in_lots(span.terms.least or Decimal(0)))
            for t in span.periods:
                floors[index, t] = max(floors[index, t], least)
    for commitment in problem.commitments:
        quantity = float(offers[commitment.offer].in_lots(commitment.quantity))
        for t in commitment.periods:
            floors[commitment.offer, t] = max(floors[commitment.offer, t], quantity)
    return floors


def _within_terms(problem: Problem, units: Floats) -> Floats:
    """Reduce orders to the limits of terms of trade and the capacity that set-ups leave, in whole lots."""
    for span in problem.term_spans:
        if span.terms.places:
            continue  # what goes elsewhere is not bounded
        for index in span.offers:
            if span.terms.most is not None:
                cells = (index, list(span.periods))
                units[cells] = np.minimum(units[cells], float(span.terms.most))
            use = problem.offers[index].offer.capacity_use
            for pool in span.pools:
                (t,) = span.periods
                capacity = problem.pools[pool].capacity[t]
                if capacity is not None and index in problem.pools[pool].offers:
                    left = max(Decimal(0), capacity - (span.terms.setup_use or 0))
                    units[index, t] = min(units[index, t], float(left / use) if use else np.inf)
    for index, facts in enumerate(problem.offers):
        if facts.offer.lot is not None:
            lot = float(facts.offer.lot)
            units[index] = lots_in(units[index], lot) * lot
    return units


def lots_in(units: Floats, lot: float | Floats) -> Floats:
    """Return the number of lots in bounds on units. A lot that is incomplete only by rounding counts."""
    found: Floats = np.floor(units / lot * (1 + 1e-9))
    return found


def _needs(walk: _Walk, forced: bool) -> dict[int, float]:
    """Return the units of each offer that would serve all demand it can reach, over the whole plan and with order minima.

    The bound is `AMPLE` times all need if a rule may force a plan to buy beyond need, or if a loop feeds the offer.
    """
    problem = walk.problem
    exact = {index: walk.needed(index) for index in walk.outlets}
    finite = [need for need in exact.values() if isfinite(need)]
    least = sum(float(abs(floor)) for _, row in problem.limit_rows for floor in row.floors if floor)
    least += sum(float(base) for _, row in problem.limit_rows for term in row.asked for base, _ in term.parts)
    wanted = sum(float(sum(d.quantity)) for d in walk.demands)
    own = least + sum(walk.reach.values()) + sum(walk.paid.values())
    ample = AMPLE * (sum(finite) + (wanted + sum(walk.paid.values())) * walk.most_for_one() + own)
    return {index: ample if forced or not isfinite(need) else need for index, need in exact.items()}


def _for_price(problem: Problem) -> dict[tuple[int, int], float]:
    """Return the units that a plan may buy only to reach a tier, by offer and order period.

    More never pays. Discounts never exceed the price, so purchases beyond need that lie above the last tier can be left out.
    """
    step = problem.case.resolution
    found: dict[tuple[int, int], float] = {}
    for span in problem.price_spans:
        for offer in span.offers:
            for t in span.periods:
                steps = (span.reach(problem.offers[offer].price[t]) / step).to_integral_value(ROUND_CEILING)
                if steps:
                    found[offer, t] = max(found.get((offer, t), 0.0), float(steps * step))
    return found


def _by_offer(reach: Mapping[tuple[int, int], float]) -> dict[int, float]:
    found: dict[int, float] = {}
    for (offer, _), most in sorted(reach.items()):
        found[offer] = found.get(offer, 0.0) + most
    return found


class _Walk:
    """Sums of need along the chains, from the demands to each offer."""

    def __init__(self, problem: Problem, demands: Sequence[Demand]) -> None:
        self.problem, self.demands = problem, demands
        self.reach = _for_price(problem)
        self.per_unit = [float(arc.per_unit) for arc in problem.network.arcs]
        """Kilograms of each arc per unit of its offer."""
        self.bought = _by_offer(self.reach)
        """Units of each offer that a plan may buy only to reach a tier."""
        self.wanted = dict.fromkeys(problem.network.nodes, 0.0)
        for demand in demands:
            self.wanted[final_node(demand.use)] += float(sum(demand.quantity))
        self.takers: dict[Node, list[tuple[int, float]]] = {}
        for offer, feeds in problem.network.feeds.items():
            for feed, line in zip(feeds, problem.offers[offer].offer.inputs, strict=True):
                self.takers.setdefault(feed, []).append((offer, float(line.per_unit)))
        self.outlets: dict[int, list[int]] = {}
        for arc in problem.network.arcs:
            if arc.offer >= 0:
                self.outlets.setdefault(arc.offer, []).append(arc.index)
        self._orders = [
            float((stated.min_order or 0) + (stated.lot or 0)) * problem.case.horizon.count
            if stated.min_order or stated.lot
            else 0.0
            for stated in (facts.offer for facts in problem.offers)
        ]
        """Units of each offer that order minima and whole lots may add over all periods."""
        self.asked: dict[int, float] = {}
        """Units of each offer that terms of trade require over all their spans, plus those of take-or-pay commitments."""
        for span in problem.term_spans:
            for offer in span.offers:
                self.asked[offer] = self.asked.get(offer, 0.0) + float(span.terms.least or 0)
        for commitment in problem.commitments:
            self.asked[commitment.offer] = self.asked.get(commitment.offer, 0.0) + float(commitment.quantity)
        self.paid = {index: self._paid(index) for index in self.outlets if problem.offers[index].paid_periods}
        """Units of each offer that may be bought because the seller pays for taking them."""
        self._lots = dict.fromkeys(problem.network.nodes, 0.0)
        for lot in problem.lots:
            self._lots[lot.material, lot.place.id] += float(lot.quantity)
        self._left = dict.fromkeys(self.wanted, float("inf"))
        """Kilograms that may be left over at a node. Infinite in and below a loop."""
        for node in _outside_loops({node: self._made_of(node) for node in self.wanted}):
            self._left[node] = self._left_over(node)
        self._known = dict.fromkeys(self.wanted, float("inf"))
        """Kilograms needed at a node. Infinite in and above a loop."""
        for node in _outside_loops({node: self._made_into(node) for node in self.wanted}):
            taken = sum(per_unit * self.offer(offer) for offer, per_unit in self.takers.get(node, ()))
            self._known[node] = (self.wanted[node] + taken) * self._bought_for_one(node)

    def _made_of(self, node: Node) -> set[Node]:
        network = self.problem.network
        arcs = (network.arcs[index] for index in network.into.get(node, ()))
        return {feed for arc in arcs if arc.offer >= 0 for feed in network.feeds.get(arc.offer, ())}

    def _made_into(self, node: Node) -> set[Node]:
        outlets = (self.outlets.get(offer, ()) for offer, _ in self.takers.get(node, ()))
        return {self.problem.network.arcs[index].node for some in outlets for index in some}

    def needed_from(self) -> dict[Node, Floats]:
        """Return the kilograms needed at each node from each period on. Nodes that feed makers have the same need in every period."""
        count = self.problem.case.horizon.count
        found = {node: np.zeros(count) for node in self.problem.network.nodes}
        wanted: dict[Node, list[Decimal]] = {}
        for demand in self.demands:
            total = wanted.setdefault(final_node(demand.use), [Decimal(0)] * count)
            total[:] = map(add, total, demand.quantity)
        for node, total in wanted.items():
            found[node][:] = as_floats(list(accumulate(reversed(total)))[::-1]) * self._bought_for_one(node)
        for node in self.takers:
            found[node][:] = self._known[node]
        return found

    def most_for_one(self) -> float:
        """Return the maximum kilograms of any material in or above a loop per kilogram of demand, if each is passed once.

        A path multiplies the inputs of its offers per unit. The product over all of them is at least as large.
        """
        most = 1.0
        for node, taken in self.takers.items():
            if not np.isfinite(self._known[node]):
                outlets = ((per_unit, index) for offer, per_unit in taken for index in self.outlets.get(offer, ()))
                arcs = self.problem.network.arcs
                gains = (per_unit / float(arcs[index].per_unit) for per_unit, index in outlets)
                most *= max(1.0, max(gains, default=1.0) * self._bought_for_one(node))
        return most

    def _bought_for_one(self, node: Node) -> float:
        """Return the maximum purchase per kilogram that is taken later, given the losses in store."""
        most = left = 1.0
        for kept in self.problem.stores[node].kept[1:]:
            left = min(1.0, left * float(kept)) or 1.0  # nothing survives a loss of all: a plan starts anew after it
            most = max(most, 1.0 / left)
        return most

    def offer(self, offer: int) -> float:
        """Return the maximum units that a plan orders of an offer: need, and purchases to reach a lower price."""
        return self.needed(offer) + self.bought.get(offer, 0.0)

    def _paid(self, offer: int) -> float:
        problem, facts = self.problem, self.problem.offers[offer]
        pools = [pool for pool in problem.pools if pool.facility in facts.pools]
        each = [max_units(pools, facts.offer.capacity_use, facts.most[t], t) for t in facts.paid_periods]
        limits = [] if facts.offer.total is None else [facts.offer.total]
        limits += [] if None in each else [sum((units for units in each if units is not None), Decimal(0))]
        return float(min(limits))  # one of them there is: without a limit a problem is refused

    def needed(self, offer: int) -> float:
        """Return the units needed of an offer for its goods' uses, minimum orders, and the use of leftovers."""
        by_output: dict[int, float] = {}
        for index in self.outlets.get(offer, ()):
            arc = self.problem.network.arcs[index]
            by_output[arc.output] = by_output.get(arc.output, 0.0) + self._known[arc.node] / self.per_unit[index]
        return max(by_output.values(), default=0.0) + self._unneeded(offer)

    def beyond_need(self, offer: int) -> float:
        """Return the units of an offer that a plan may buy beyond need."""
        return self._unneeded(offer) + self.bought.get(offer, 0.0)

    def _unneeded(self, offer: int) -> float:
        """Return the units from order minima, whole lots, terms of trade, prices below zero, and leftover inputs."""
        feeds = self.problem.network.feeds.get(offer, ())
        left = 0.0
        for feed, line in zip(feeds, self.problem.offers[offer].offer.inputs, strict=True) if feeds else ():
            left += self._left[feed] / float(line.per_unit)
        return left + self._orders[offer] + self.asked.get(offer, 0.0) + self.paid.get(offer, 0.0)

    def _left_over(self, node: Node) -> float:
        made = 0.0
        for index in self.problem.network.into.get(node, ()):
            offer = self.problem.network.arcs[index].offer
            if offer >= 0:
                made += self.beyond_need(offer) * self.per_unit[index]
        return self._lots[node] + made


def _outside_loops(rests_on: Mapping[Node, Iterable[Node]]) -> Iterator[Node]:
    """Yield each node after those that it depends on. Nodes in a loop, or dependent on one, are missing."""
    sorter = TopologicalSorter(rests_on)
    with suppress(CycleError):  # it gives what it can all the same
        sorter.prepare()
    while ready := sorter.get_ready():
        yield from ready
        sorter.done(*ready)
