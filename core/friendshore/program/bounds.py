"""Upper bounds on purchases that no sensible plan exceeds. They tighten the links of binary variables. An offer delivers no more than its capacity.
Unless a rule forces purchases beyond need, it also delivers no more than the demand that its goods can serve, plus leftovers. These may be worth
making into a material that is cheaper to hold, so they count for every maker down their chains.
"""

from __future__ import annotations

from collections import defaultdict
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

from ..domain.case import Minimize
from ..problem import Problem
from ..problem.capacity import max_units
from ..problem.decimal_arrays import as_floats, table
from ..problem.demands import Demand
from ..problem.network import Node, final_node
from .matrix import Floats, Ints

# Multiple of all need that no plan exceeds, even if rules require purchases.
AMPLE = 1000

# Factor by which a bound may exceed its row, since the bound is the row's limit divided by a weight, in doubles.
ROUNDING = 1 + 1e-15


@dataclass(frozen=True, eq=False)
class Bounds:
    """Upper bounds in units by offer and order period, and in kilograms by move."""

    needs: _ChainNeeds
    may_exceed_need: bool
    units: Floats
    kg_by_move: Floats
    bounds_once_known: Bounds | None = None
    """Bounds for orders placed once the demands are known, from the period `known_from`. None if the demands are known."""
    known_from: int = 0

    @property
    def problem(self) -> Problem:
        return self.needs.problem

    def max_taken_kg(self, moves: Ints) -> Floats:
        """Return the maximum kilograms of some moves that their destinations can still take."""
        facts = self.problem.moves
        max_kg: Floats = np.minimum(self.kg_by_move[moves], self.max_need_kg(facts.arc[moves], facts.delivered[moves]))
        if self.bounds_once_known is None:
            return max_kg
        return np.where(facts.ordered[moves] < self.known_from, max_kg, self.bounds_once_known.max_taken_kg(moves))

    def max_need_kg(self, arcs: Ints, periods: Ints) -> Floats:
        """Return the maximum kilograms that each arc brings from a period on, capacity aside. Infinite if a plan may have to exceed its needs."""
        needed, node, beyond = self._needed
        max_kg: Floats = needed[node[arcs], periods] + beyond[arcs]
        return max_kg

    @cached_property
    def _needed(self) -> tuple[Floats, Ints, Floats]:
        """Kilograms needed by node from each period on, the node of each arc, and the kilograms beyond need of its offer."""
        problem, arcs = self.problem, self.problem.network.arcs
        concentration = any(objective.level.minimize is Minimize.CONCENTRATION for objective in problem.objectives)
        by_node = self.needs.needed_from()
        excess_kg = np.full(len(arcs), np.inf)
        for arc in arcs if not self.may_exceed_need and not concentration else ():
            if arc.offer >= 0:
                excess_kg[arc.index] = self.needs.units_beyond_need(arc.offer) * self.needs.per_unit[arc.index]
        needed = np.array([by_node[node] for node in problem.network.nodes]).reshape(-1, problem.case.horizon.count)
        return needed, problem.network.ends, excess_kg

    def cover(self, other: Bounds, has_choices: bool) -> bool:
        """Return True if no bound is below that of other facts with the same moves. With choices, this includes the bounds of their links."""
        pairs = [(self.units, other.units), (self.kg_by_move, other.kg_by_move)]
        if has_choices:
            all_moves = np.arange(len(self.kg_by_move))
            pairs.append((self.max_taken_kg(all_moves), other.max_taken_kg(all_moves)))
        return all(bool(np.all(bound * ROUNDING >= other_bound)) for bound, other_bound in pairs)

    @staticmethod
    def of(
        problem: Problem, may_exceed_need: bool, bounding_demands: Sequence[Demand] = (), known: int | None = None
    ) -> Bounds:
        """Return all bounds. `bounding_demands` bound orders before the period `known` if it is given. `may_exceed_need` is True if a rule may force a surplus."""
        needs = _ChainNeeds(problem, bounding_demands or problem.demands)
        units = _unit_bounds(needs, may_exceed_need)
        if not bounding_demands or known is None or problem.network.feeds:
            return Bounds(needs, may_exceed_need, units, _by_move(problem, units))
        bounds_once_known = Bounds.of(problem, may_exceed_need)
        units[:, known:] = np.minimum(units[:, known:], bounds_once_known.units[:, known:])
        return Bounds(needs, may_exceed_need, units, _by_move(problem, units), bounds_once_known, known)


def _by_move(problem: Problem, units: Floats) -> Floats:
    arcs, moves, offer = problem.network.arcs, problem.moves, problem.network.offers
    full_kg = np.array([float(arc.per_unit) if arc.lot < 0 else float(problem.lots[arc.lot].quantity) for arc in arcs])
    ordered_units = units[offer[moves.arc], moves.ordered] if len(problem.offers) else np.ones(len(moves))
    max_kg: Floats = np.where(offer[moves.arc] < 0, 1.0, ordered_units) * full_kg[moves.arc]
    return max_kg


def capacities(problem: Problem) -> tuple[Floats, Floats]:
    """Return the maximum units by offer and order period, and the maximum kilograms by move, whatever the demand."""
    units = _within_capacity(problem, np.full((len(problem.offers), problem.case.horizon.count), np.inf))
    return units, _by_move(problem, units)


def _unit_bounds(needs: _ChainNeeds, may_exceed_need: bool) -> Floats:
    problem = needs.problem
    units_by_offer = _units_needed(needs, may_exceed_need)
    needed = np.array([units_by_offer.get(index, 0.0) for index in range(len(problem.offers))])
    return _within_capacity(problem, np.maximum(needed[:, None], _min_order_units(problem, needs.tier_units)))


def _within_capacity(problem: Problem, units: Floats) -> Floats:
    offers = problem.offers
    units = np.minimum(units, table([facts.max_units for facts in offers], problem.case.horizon.count))
    use = as_floats([facts.offer.capacity_use for facts in offers])
    capacity = problem.capacity
    member = np.array([offer for pool in problem.pools for offer in pool.offers], dtype=np.intp)
    pool = np.repeat(np.arange(len(problem.pools)), [len(pool.offers) for pool in problem.pools])
    is_limited = use[member] > 0
    member, pool = member[is_limited], pool[is_limited]
    while len(member):  # one pass, unless a facility is part of another
        _, first = np.unique(member, return_index=True)
        offer = member[first]
        units[offer] = np.minimum(units[offer], capacity[pool[first]] / use[offer][:, None])
        member, pool = np.delete(member, first), np.delete(pool, first)
    return _within_terms(problem, units)


def _min_order_units(problem: Problem, units_by_cell: Mapping[tuple[int, int], float]) -> Floats:
    """Return the minimum size of an order in whole lots, whatever the need: its minimum, a price tier, or terms of trade."""
    offers = problem.offers
    minima = np.array([float(facts.min_units) if facts.offer.min_order else 0.0 for facts in offers])
    min_units: Floats = np.tile(minima[:, None], problem.case.horizon.count)
    for cell, units_to_reach in units_by_cell.items():
        min_units[cell] = max(min_units[cell], float(offers[cell[0]].in_lots(Decimal(repr(units_to_reach)))))
    for span in problem.term_spans:
        for index in span.offers if span.terms.least else ():
            units = float(offers[index].in_lots(span.terms.least or Decimal(0)))
            for t in span.periods:
                min_units[index, t] = max(min_units[index, t], units)
    for commitment in problem.commitments:
        quantity = float(offers[commitment.offer].in_lots(commitment.quantity))
        for t in commitment.periods:
            min_units[commitment.offer, t] = max(min_units[commitment.offer, t], quantity)
    return min_units


def _within_terms(problem: Problem, units: Floats) -> Floats:
    for span in problem.term_spans:
        if span.terms.places:
            continue  # orders to other places are not limited
        for index in span.offers:
            if span.terms.most is not None:
                at = (index, list(span.periods))
                units[at] = np.minimum(units[at], float(span.terms.most))
            use = problem.offers[index].offer.capacity_use
            for pool in span.pools:
                (t,) = span.periods
                capacity = problem.pools[pool].capacity[t]
                if capacity is not None and index in problem.pools[pool].offers:
                    remaining_capacity = max(Decimal(0), capacity - (span.terms.setup_use or 0))
                    units[index, t] = min(units[index, t], float(remaining_capacity / use) if use else np.inf)
    for index, facts in enumerate(problem.offers):
        if facts.offer.lot is not None:
            lot = float(facts.offer.lot)
            units[index] = lots_in(units[index], lot) * lot
    return units


def lots_in(units: Floats, lot: float | Floats) -> Floats:
    """Return the number of lots in bounds on units. A lot that is incomplete only by rounding counts."""
    lots: Floats = np.floor(units / lot * (1 + 1e-9))
    return lots


def _units_needed(needs: _ChainNeeds, may_exceed_need: bool) -> dict[int, float]:
    """Return the units of each offer for all demand that it can reach. This is `AMPLE` times all need if a loop feeds the offer, or if a rule may require purchases beyond need."""
    problem = needs.problem
    need_by_offer = {index: needs.needed_units(index) for index in needs.outlets}
    finite_needs = [need for need in need_by_offer.values() if isfinite(need)]
    required = sum(float(abs(floor)) for _, row in problem.limit_rows for floor in row.floors if floor)
    required += sum(float(base) for _, row in problem.limit_rows for term in row.all_terms for base, _ in term.parts)
    demand_kg = sum(float(sum(d.quantity)) for d in needs.demands)
    extra = required + sum(needs.tier_units.values()) + sum(needs.negative_price_units.values())
    ample = AMPLE * (
        sum(finite_needs) + (demand_kg + sum(needs.negative_price_units.values())) * needs.max_input_factor() + extra
    )
    return {index: ample if may_exceed_need or not isfinite(need) else need for index, need in need_by_offer.items()}


def _units_to_reach_tiers(problem: Problem) -> dict[tuple[int, int], float]:
    """Return the units that a plan may buy only to reach a tier. More never pays, since discounts never exceed the price."""
    step = problem.case.resolution
    units_by_cell: dict[tuple[int, int], float] = {}
    for span in problem.price_spans:
        for offer in span.offers:
            for t in span.periods:
                steps = (span.reach(problem.offers[offer].price[t]) / step).to_integral_value(ROUND_CEILING)
                if steps:
                    units_by_cell[offer, t] = max(units_by_cell.get((offer, t), 0.0), float(steps * step))
    return units_by_cell


def _by_offer(units_by_cell: Mapping[tuple[int, int], float]) -> Mapping[int, float]:
    units_by_offer: defaultdict[int, float] = defaultdict(float)
    for (offer, _), units in sorted(units_by_cell.items()):
        units_by_offer[offer] += units
    return units_by_offer


class _ChainNeeds:
    def __init__(self, problem: Problem, demands: Sequence[Demand]) -> None:
        self.problem, self.demands = problem, demands
        self.tier_units = _units_to_reach_tiers(problem)
        self.per_unit = [float(arc.per_unit) for arc in problem.network.arcs]
        self.tier_units_by_offer = _by_offer(self.tier_units)
        self.demand_kg = dict.fromkeys(problem.network.nodes, 0.0)
        for demand in demands:
            self.demand_kg[final_node(demand.use)] += float(sum(demand.quantity))
        self.takers: dict[Node, list[tuple[int, float]]] = {}
        for offer, feeds in problem.network.feeds.items():
            for feed, line in zip(feeds, problem.offers[offer].offer.inputs, strict=True):
                self.takers.setdefault(feed, []).append((offer, float(line.per_unit)))
        self.outlets: dict[int, list[int]] = {}
        for arc in problem.network.arcs:
            if arc.offer >= 0:
                self.outlets.setdefault(arc.offer, []).append(arc.index)
        # Units that order minima and whole lots may add over all periods, by offer.
        self._order_excess = [
            float((facts.offer.min_order or 0) + (facts.offer.lot or 0)) * problem.case.horizon.count
            for facts in problem.offers
        ]
        self.required_units: defaultdict[int, float] = defaultdict(float)
        for span in problem.term_spans:
            for offer in span.offers:
                self.required_units[offer] += float(span.terms.least or 0)
        for commitment in problem.commitments:
            self.required_units[commitment.offer] += float(commitment.quantity)
        # Units that may be bought because the seller pays for taking them.
        self.negative_price_units = {
            index: self._negative_price_units(index)
            for index in self.outlets
            if problem.offers[index].negative_price_periods
        }
        self._lot_kg = dict.fromkeys(problem.network.nodes, 0.0)
        for lot in problem.lots:
            self._lot_kg[lot.material, lot.place.id] += float(lot.quantity)
        # Infinite in and below a loop.
        self._leftover_kg = dict.fromkeys(self.demand_kg, float("inf"))
        for node in _outside_loops({node: self._input_nodes(node) for node in self.demand_kg}):
            self._leftover_kg[node] = self._max_leftover_kg(node)
        # Infinite in and above a loop.
        self._needed_kg = dict.fromkeys(self.demand_kg, float("inf"))
        for node in _outside_loops({node: self._product_nodes(node) for node in self.demand_kg}):
            input_kg = sum(per_unit * self.max_units(offer) for offer, per_unit in self.takers.get(node, ()))
            self._needed_kg[node] = (self.demand_kg[node] + input_kg) * self._loss_factor(node)

    def _input_nodes(self, node: Node) -> set[Node]:
        network = self.problem.network
        arcs = (network.arcs[index] for index in network.into.get(node, ()))
        return {feed for arc in arcs if arc.offer >= 0 for feed in network.feeds.get(arc.offer, ())}

    def _product_nodes(self, node: Node) -> set[Node]:
        outlets = (self.outlets.get(offer, ()) for offer, _ in self.takers.get(node, ()))
        return {self.problem.network.arcs[index].node for arc_indices in outlets for index in arc_indices}

    def needed_from(self) -> dict[Node, Floats]:
        """Return the kilograms needed at each node from each period on. Nodes that feed makers have the same need in every period."""
        count = self.problem.case.horizon.count
        needed_by_node = {node: np.zeros(count) for node in self.problem.network.nodes}
        demand_by_node: dict[Node, list[Decimal]] = {}
        for demand in self.demands:
            total = demand_by_node.setdefault(final_node(demand.use), [Decimal(0)] * count)
            total[:] = map(add, total, demand.quantity)
        for node, total in demand_by_node.items():
            needed_by_node[node][:] = as_floats(list(accumulate(reversed(total)))[::-1]) * self._loss_factor(node)
        for node in self.takers:
            needed_by_node[node][:] = self._needed_kg[node]
        return needed_by_node

    def max_input_factor(self) -> float:
        """Return an upper bound on the kilograms of any material in or above a loop per kilogram of demand, if each is passed once."""
        factor = 1.0
        for node, makers in self.takers.items():
            if not np.isfinite(self._needed_kg[node]):
                outlets = ((per_unit, index) for offer, per_unit in makers for index in self.outlets.get(offer, ()))
                arcs = self.problem.network.arcs
                gains = (per_unit / float(arcs[index].per_unit) for per_unit, index in outlets)
                factor *= max(1.0, max(gains, default=1.0) * self._loss_factor(node))
        return factor

    def _loss_factor(self, node: Node) -> float:
        """Return the maximum purchase per kilogram that is taken later, given the losses in store."""
        factor = share_left = 1.0
        for share_kept in self.problem.stores[node].kept[1:]:
            share_left = min(1.0, share_left * float(share_kept)) or 1.0  # after a total loss, a plan starts from zero
            factor = max(factor, 1.0 / share_left)
        return factor

    def max_units(self, offer: int) -> float:
        return self.needed_units(offer) + self.tier_units_by_offer.get(offer, 0.0)

    def _negative_price_units(self, offer: int) -> float:
        problem, facts = self.problem, self.problem.offers[offer]
        pools = [pool for pool in problem.pools if pool.facility in facts.pools]
        period_limits = [
            max_units(pools, facts.offer.capacity_use, facts.max_units[t], t) for t in facts.negative_price_periods
        ]
        limits = [] if facts.offer.total is None else [facts.offer.total]
        limits += (
            [] if None in period_limits else [sum((units for units in period_limits if units is not None), Decimal(0))]
        )
        return float(min(limits))  # never empty, since a problem without a limit is rejected

    def needed_units(self, offer: int) -> float:
        by_output: defaultdict[int, float] = defaultdict(float)
        for index in self.outlets.get(offer, ()):
            arc = self.problem.network.arcs[index]
            by_output[arc.output] += self._needed_kg[arc.node] / self.per_unit[index]
        return max(by_output.values(), default=0.0) + self._excess_units(offer)

    def units_beyond_need(self, offer: int) -> float:
        return self._excess_units(offer) + self.tier_units_by_offer.get(offer, 0.0)

    def _excess_units(self, offer: int) -> float:
        feeds = self.problem.network.feeds.get(offer, ())
        leftover_units = 0.0
        for feed, line in zip(feeds, self.problem.offers[offer].offer.inputs, strict=True) if feeds else ():
            leftover_units += self._leftover_kg[feed] / float(line.per_unit)
        return (
            leftover_units
            + self._order_excess[offer]
            + self.required_units.get(offer, 0.0)
            + self.negative_price_units.get(offer, 0.0)
        )

    def _max_leftover_kg(self, node: Node) -> float:
        surplus_kg = 0.0
        for index in self.problem.network.into.get(node, ()):
            offer = self.problem.network.arcs[index].offer
            if offer >= 0:
                surplus_kg += self.units_beyond_need(offer) * self.per_unit[index]
        return self._lot_kg[node] + surplus_kg


def _outside_loops(dependencies: Mapping[Node, Iterable[Node]]) -> Iterator[Node]:
    """Yield each node after those that it depends on. Nodes in a loop, or dependent on one, are missing."""
    sorter = TopologicalSorter(dependencies)
    with suppress(CycleError):  # it still yields the nodes outside loops
        sorter.prepare()
    while ready := sorter.get_ready():
        yield from ready
        sorter.done(*ready)
