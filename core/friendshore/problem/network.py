"""Which offers can reach which demands: nodes (material at a place) and arcs (an offer's output moved to a place).

Recipes may go round in a circle, and a circle that loses is well and good: swarf of a magnet maker goes back into oxide. What is refused is a set
of recipes that, run together, make all that they take and something besides. With `x` units of each recipe, outputs less inputs must not all be
zero or more and one of them above zero: a linear program (Koopmans' postulate that there is no land of Cockaigne).

Source: T. C. Koopmans, Analysis of production as an efficient combination of activities, in Activity Analysis of Production and
Allocation, Wiley 1951, chapter III, postulate B.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from heapq import heapify, heappop
from operator import add
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..domain.base import exact, grouped
from ..domain.case import Case
from ..domain.facts import Lane, Offer
from ..domain.runtime import cached_method, told_each
from ..domain.time import Delay, Horizon, Period, Span
from ..domain.use import Chained, Move, Use
from ..errors import InputError
from .capacity import AtWork, at_work, working_days
from .decimal_arrays import largest
from .demands import Demand, Lot
from .merged import Merged, exchange, rate_wanting
from .offers import OfferFacts

Node = tuple[str, str]
"""A material at a place."""
_FREE = Decimal(0)


def final_node(use: Use) -> Node:
    """Where a use takes its good."""
    return (use.material.id, use.place.id)


class Times(NamedTuple):
    """When orders of each period are placed and arrive."""

    lags: tuple[int, ...]
    """Whole periods from order to arrival."""
    order_by: tuple[date, ...]
    """Last day of the order."""
    arrives: tuple[date | None, ...]
    """Day of arrival; None: the first day of the period of arrival, or before."""
    first: tuple[date, ...]
    """First day of the order from which it arrives no earlier than in the period before that of arrival."""


class StatedInputs(NamedTuple):
    """Stated inputs of a lot."""

    chain: tuple[tuple[Chained, Move], ...]
    """Its offer and those of its inputs, each of which rules judge."""
    confirmed: bool
    """True if its supplier has confirmed them, so that rules judge these offers in place of the lot."""


@dataclass(frozen=True, slots=True)
class Arc:
    """One output of an offer, or a lot, coming to a place."""

    index: int
    offer: int
    """Position of its offer; -1 for a lot."""
    output: int
    """Which of the offer's outputs."""
    lot: int
    """Position of its lot; -1 for an offer."""
    name: str
    """Id of its offer or lot."""
    chained: Chained
    move: Move
    moves: bool
    """True if rules on moves apply: to an order, which still has to come, and to stock of a known offer, whose supplier a rule may exclude."""
    node: Node
    """Where it leads."""
    times: Times
    """When orders are placed and arrive: one record for all arcs alike."""
    freight: tuple[Decimal, ...]
    """Money per kilogram by period of arrival, in the case's currency."""
    stated: StatedInputs | None = None
    """Stated inputs of a lot. None: they are unknown, or the arc is an offer."""

    @property
    def is_made_lot(self) -> bool:
        """True if it is stock or an open order of goods that are made from inputs."""
        return self.lot >= 0 and bool(self.chained.offer.inputs)

    @property
    def lags(self) -> tuple[int, ...]:
        """Whole periods from order to arrival, by period of order."""
        return self.times.lags

    @property
    def order_by(self) -> tuple[date, ...]:
        """Last day of each period on which an order arrives in time: by the first day of its period of arrival, or by `arrives`."""
        return self.times.order_by

    @property
    def arrives(self) -> tuple[date | None, ...]:
        """By period of order, the day on which it arrives within its period of arrival; None: on its first day, or before."""
        return self.times.arrives

    @property
    def per_unit(self) -> Decimal:
        """Kilograms of this output per unit of the offer."""
        return self.chained.offer.outputs[self.output].per_unit

    def arrival(self, ordered: int) -> int:
        """The period in which an order of a period arrives; beyond the last one, if it comes after the plan."""
        return ordered + self.lags[ordered]


@dataclass(frozen=True, slots=True)
class Network:
    """Everything up the chains of the demands, in canonical order."""

    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    into: dict[Node, tuple[int, ...]]
    """Arcs that lead to a node."""
    feeds: dict[int, tuple[Node, ...]]
    """Nodes that an offer takes its inputs from."""

    def reach(self, node: Node) -> tuple[frozenset[int], frozenset[Node]]:
        """All arcs and nodes up the chain of `node`, itself included."""
        arcs: set[int] = set()
        nodes = {node}
        waiting = [node]
        while waiting:
            for index in self.into.get(waiting.pop(), ()):
                arcs.add(index)
                for feed in self.feeds.get(self.arcs[index].offer, ()):
                    if feed not in nodes:
                        nodes.add(feed)
                        waiting.append(feed)
        return frozenset(arcs), frozenset(nodes)


def build_network(
    offers: Sequence[OfferFacts], lots: Sequence[Lot], demands: Sequence[Demand], merged: Merged, case: Case
) -> Network:
    """The part of the world that can serve the demands."""
    outputs = ((i, output, line) for i, facts in enumerate(offers) for output, line in enumerate(facts.offer.outputs))
    makers = grouped((line.material, (index, output)) for index, output, line in outputs)
    lanes = [_lanes(facts) for facts in offers]
    nodes: set[Node] = {final_node(d.use) for d in demands}
    waiting = sorted(nodes)
    found: list[tuple[Node, int, int]] = []
    while waiting:
        node = waiting.pop()
        for index, output in makers.get(node[0], ()):
            facts = offers[index]
            if lanes[index] and node[1] not in lanes[index]:
                continue
            found.append((node, index, output))
            for feed in _feeds(facts) if facts.offer.inputs else ():
                if feed not in nodes:
                    nodes.add(feed)
                    waiting.append(feed)
    nodes |= {(lot.material, lot.place.id) for lot in lots}
    arcs: list[Arc] = []
    ways = _Ways(merged, case)
    found.sort()  # offers are in the order of their ids
    for node, index, output in told_each(found, "looking where offers can go", "ways"):
        arcs.append(_offer_arc(len(arcs), node, index, output, offers[index], lanes[index], ways))
    for number, lot in enumerate(lots):
        arcs.append(_lot_arc(len(arcs), number, lot, ways))
    into = grouped((arc.node, arc.index) for arc in arcs)
    used = {arc.offer for arc in arcs if arc.offer >= 0}
    return Network(
        nodes=tuple(sorted(nodes)),
        arcs=tuple(arcs),
        into={node: tuple(indices) for node, indices in into.items()},
        feeds={index: _feeds(offers[index]) for index in sorted(used) if offers[index].offer.inputs},
    )


def _feeds(facts: OfferFacts) -> tuple[Node, ...]:
    return tuple((line.material, facts.place) for line in facts.offer.inputs)


def _lanes(facts: OfferFacts) -> dict[str, list[Lane]]:
    """The rows of its lanes by the place that they lead to, the earliest first."""
    if not facts.offer.lanes:
        return {}
    rows = sorted(facts.offer.lanes, key=lambda lane: lane.start or date.min)
    return grouped((lane.to, lane) for lane in rows)


class _Ways:
    """Moves and lead times, made once for all arcs alike."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case

    @cached_method
    def move(self, origin: str, to: str) -> Move:
        return Move(origin=self.merged.place(origin), to=self.merged.place(to))

    def delay(self, lead_time: Decimal) -> Delay:
        """What passes from order to arrival: the lead time and what the case adds to be safe."""
        return Delay.of(lead_time, self.case.assume.safety_lead)

    @cached_method
    def times(self, delays: tuple[frozenset[Delay], ...], working: tuple[Span, ...]) -> Times:
        horizon = self.case.horizon
        found = [_timed(horizon, period, delays[period.index], working[period.index]) for period in horizon.periods]
        return Times(*(tuple(column) for column in zip(*found, strict=True)))

    def at_work(self, pools: Iterable[str]) -> tuple[AtWork, ...]:
        """Return when each of some facilities has a capacity: the same for most, however large they are."""
        return tuple([at_work(self.merged.facilities[name], self.merged, self.case) for name in pools])

    @cached_method
    def working(self, facilities: tuple[AtWork, ...]) -> tuple[Span, ...]:
        """Of each period the days from the first to the last on which all of some facilities have a capacity."""
        sites = [working_days(one, self.case.horizon) for one in facilities]
        whole = [period.span for period in self.case.horizon.periods]
        return tuple([_common(spans) for spans in zip(whole, *sites, strict=True)])

    @cached_method
    def steady(self, freight: Decimal) -> tuple[Decimal, ...]:
        return (freight,) * self.case.horizon.count


def _offer_arc(
    index: int,
    node: Node,
    offer: int,
    output: int,
    facts: OfferFacts,
    by_place: Mapping[str, Sequence[Lane]],
    ways: _Ways,
) -> Arc:
    move = ways.move(facts.place, node[1])
    lanes = by_place.get(move.to.id, ())
    return Arc(
        index=index,
        offer=offer,
        output=output,
        lot=-1,
        name=facts.offer.id,
        chained=facts.chained[output],
        move=move,
        moves=True,
        node=node,
        times=_times(lanes, facts, ways),
        freight=_freights(lanes, move, ways),
    )


def _times(lanes: Sequence[Lane], facts: OfferFacts, ways: _Ways) -> Times:
    """When orders are placed and arrive: of the rows of a way that hold on any day of a period, the slowest one counts."""
    own = facts.offer.lead_time if facts.offer.lead_time is not None else ways.case.assume.lead_time
    delays = [ways.delay(own if lane.lead_time is None else lane.lead_time) for lane in lanes] or [ways.delay(own)]
    if len(set(delays)) == 1:
        every = (frozenset(delays),) * ways.case.horizon.count
    else:
        ends = [*(lane.start for lane in lanes[1:]), None]
        every = tuple(
            frozenset(
                delay
                for lane, delay, end in zip(lanes, delays, ends, strict=True)
                if (lane.start is None or lane.start <= period.end) and (end is None or end > period.start)
            )
            for period in ways.case.horizon.periods
        )
    return ways.times(every, ways.working(ways.at_work(facts.pools)))


def _timed(
    horizon: Horizon, period: Period, delays: frozenset[Delay], working: Span
) -> tuple[int, date, date | None, date]:
    """Periods under way, the last day of an order, the day on which it arrives within its period of arrival, if it does, and the first day of an order.

    An order of the first day of a period is there on the first day of a later one. Only where its facility begins to work within the period it can
    arrive within another. Where lead times differ within a period, an early order may come far too early: its first day is its last.
    """
    t, day = period.index, None
    arrival = max(horizon.arrival(t, delay) for delay in delays)
    if horizon.until is not None:
        last = period.start if arrival == t else period.end
        return arrival - t, last, None, last
    assert working.start is not None
    assert working.end is not None
    try:
        if working.start > period.start:
            there = max(delay.after(working.start) for delay in delays)
            while horizon.begins(arrival + 1) <= there:
                arrival += 1
            day = there if there > horizon.begins(arrival) else None
        last = min(delay.before(day or horizon.begins(arrival)) for delay in delays)
    except (OverflowError, ValueError):  # it arrives after the last day of the calendar
        return arrival - t, period.end, None, period.end
    last = min(last, working.end, period.end)
    return arrival - t, last, day, min(last, working.start) if len(delays) == 1 else last


def _common(spans: Sequence[Span]) -> Span:
    """The days that some spans of a period share; the first day of the latest where they share none."""
    start = max(span.start for span in spans if span.start is not None)
    end = min(span.end for span in spans if span.end is not None)
    return Span(start=start, end=max(start, end))


def _freights(lanes: Sequence[Lane], move: Move, ways: _Ways) -> tuple[Decimal, ...]:
    """Freight by period of arrival: that of the last row that begins by its first day."""
    if len(lanes) < 2:
        return ways.steady(_freight(lanes[0] if lanes else None, move, ways.merged, ways.case))
    days = [period.start for period in ways.case.horizon.periods]
    return tuple(_freight(lane_on(lanes, day), move, ways.merged, ways.case) for day in days)


def lanes_to(offer: Offer, place: str) -> list[Lane]:
    """The rows of an offer's lanes to a place, the earliest first."""
    return sorted((lane for lane in offer.lanes if lane.to == place), key=lambda lane: lane.start or date.min)


def lane_on(lanes: Sequence[Lane], day: date) -> Lane | None:
    """Of such rows the one whose freight is due on what arrives in a period that begins on a day; None without any."""
    return next((lane for lane in reversed(lanes) if len(lanes) == 1 or lane.start is None or lane.start <= day), None)


def _freight(lane: Lane | None, move: Move, merged: Merged, case: Case) -> Decimal:
    if lane is not None and lane.freight is not None:
        rate = exchange(merged.rates, lane.currency or case.currency, case.currency, case.horizon.start)
        if rate is None:
            raise InputError(rate_wanting(lane.currency, case, f"the freight to {lane.to}", "lanes.freight"))
        return exact(lane.freight * rate)
    if case.assume.freight is not None and move.crosses:
        return case.assume.freight
    return _FREE


def _lot_arc(index: int, number: int, lot: Lot, ways: _Ways) -> Arc:
    facility = lot.chained.facility
    origin = ways.merged.place(facility.place or facility.country) if lot.on_order else lot.place
    move = Move(origin=origin, to=lot.place)
    chain = tuple((one, ways.move(at.id, at.id) if number else move) for number, (one, at) in enumerate(lot.chain))
    return Arc(
        index=index,
        offer=-1,
        output=0,
        lot=number,
        name=lot.id,
        chained=lot.chained,
        move=move,
        moves=lot.on_order or bool(lot.offer),
        node=(lot.material, lot.place.id),
        times=ways.times((frozenset((Delay(0, 0),)),) * ways.case.horizon.count, ways.working(())),
        freight=ways.steady(_FREE),
        stated=StatedInputs(chain, lot.confirmed) if chain else None,
    )


_LEAST = 1e-9
"""Kilograms out of nothing, with no recipe run for more than one unit, that count as such."""


def check_loops(offers: Sequence[OfferFacts]) -> None:
    """Refuses recipes that together make something of nothing.

    Raises:
        InputError: with the materials and offers of such recipes.
    """
    recipes = [facts for facts in offers if facts.offer.inputs]
    recipes = _within_circles(recipes)
    if not recipes:
        return
    materials = sorted({line.material for r in recipes for line in (*r.offer.inputs, *r.offer.outputs)})
    position = {name: i for i, name in enumerate(materials)}
    net = np.zeros((len(materials), len(recipes)))
    for column, facts in enumerate(recipes):
        for line in facts.offer.outputs:
            net[position[line.material], column] += float(line.per_unit)
        for line in facts.offer.inputs:
            net[position[line.material], column] -= float(line.per_unit)
    gained = _gained(net)
    if gained is None:
        return
    run, made = gained
    names = [facts.offer.id for facts, units in zip(recipes, run.tolist(), strict=True) if units > _LEAST]
    found = {name: kilograms for name, kilograms in zip(materials, made.tolist(), strict=True) if kilograms > _LEAST}
    raise InputError(
        f"{', '.join(found)} is made of nothing by the recipes of {', '.join(names)}: together they give more than they take",
        column="recipe.per_unit",
        found=", ".join(f"{kilograms:.6g} kg of {name} left over" for name, kilograms in found.items()),
        expected="no more than goes in",
        fix="mend the inputs per unit",
    )


def _within_circles(recipes: list[OfferFacts]) -> list[OfferFacts]:
    """Recipes all of whose inputs are made by others of them: the rest cannot run without something from outside."""
    while True:
        made = {line.material for facts in recipes for line in facts.offer.outputs}
        kept = [facts for facts in recipes if all(line.material in made for line in facts.offer.inputs)]
        if len(kept) == len(recipes):
            return kept
        recipes = kept


def _gained(net: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Units of each recipe and what is left over of each material, if anything can be; else None."""
    from scipy.optimize import linprog  # heavy, and hardly any case has a circle

    rows, columns = net.shape
    scale = np.abs(net).max(axis=0)
    scale[scale == 0] = 1  # as much of a material out as in: it makes nothing
    result = linprog(
        -(net / scale).sum(axis=0),
        A_ub=-net / scale,
        b_ub=np.zeros(rows),
        bounds=[(0.0, 1.0)] * columns,
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if result.x is None or -result.fun <= _LEAST * 10:
        return None
    return result.x / scale, np.asarray(net @ (result.x / scale))


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Parallel arrays, one entry a move, ordered by arc and order period; money is kept once an arc, by order period."""

    arc: NDArray[np.intp]
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    first: NDArray[np.intp]
    """Where the entries of each arc begin; one more for the end."""
    prices: Sequence[Sequence[Decimal]]
    """Of each arc, money per kilogram moved by order period, undiscounted; 0 for offers with several outputs, whose units
    are paid when made."""
    charges: Sequence[Sequence[Decimal]]
    """Of each arc, charges per kilogram that do not depend on the use, by order period, undiscounted, due on delivery."""
    freights: Sequence[Sequence[Decimal]]
    """Of each arc, money per kilogram by order period, due on delivery."""
    slots: NDArray[np.int32]
    """Entry of each arc and order period; -1 where there is none."""

    def __len__(self) -> int:
        return len(self.arc)

    def at(self, arc: int, ordered: int) -> int | None:
        """The entry of an arc and an order period, if there is one."""
        found = int(self.slots[arc, ordered]) if 0 <= ordered < self.slots.shape[1] else -1
        return found if found >= 0 else None

    def money(self, move: int) -> Decimal:
        """Price, charges that do not depend on the use, and freight of one kilogram."""
        arc, ordered = int(self.arc[move]), int(self.ordered[move])
        return self.prices[arc][ordered] + self.charges[arc][ordered] + self.freights[arc][ordered]

    @property
    def dearest(self) -> Decimal:
        """The most `money` of any move, credits counted as if they were paid; 0 without moves."""
        no_more = map(add, map(add, largest(self.prices), largest(self.charges)), largest(self.freights))
        first, most = self.first.tolist(), Decimal(0)
        waiting = [(-limit, arc) for arc, limit in enumerate(no_more)]
        heapify(waiting)  # hardly any of very many is looked at
        while waiting and -waiting[0][0] > most:
            arc = heappop(waiting)[1]
            most = max([most, *(abs(self.money(move)) for move in range(first[arc], first[arc + 1]))])
        return most


def build_moves(
    network: Network,
    offers: Sequence[OfferFacts],
    lots: Sequence[Lot],
    horizon: Horizon,
    charges: Sequence[Sequence[Decimal]],
) -> Moves:
    """All moves. A lot has one, in the period in which it is there."""
    nothing = (Decimal(0),) * horizon.count
    arcs = network.arcs
    may = np.zeros((len(arcs), horizon.count), dtype=bool)
    lag = _lags(arcs, horizon.count)
    open_in = _open_in(offers)
    of_offers = np.array([arc.index for arc in arcs if arc.offer >= 0], dtype=np.intp)
    if len(of_offers):
        may[of_offers] = open_in[[arc.offer for arc in arcs if arc.offer >= 0]]
        may &= np.arange(horizon.count) < horizon.count - lag
    for arc in arcs:
        if arc.lot >= 0:
            may[arc.index, lots[arc.lot].period] = True
    arc_index, ordered = np.nonzero(may)
    slots = np.full(may.shape, -1, dtype=np.int32)
    slots[arc_index, ordered] = np.arange(len(arc_index))
    return Moves(
        arc=arc_index,
        ordered=ordered,
        delivered=ordered + lag[arc_index, ordered],
        first=np.searchsorted(arc_index, np.arange(len(arcs) + 1)),
        prices=[offers[arc.offer].price if arc.offer >= 0 and offers[arc.offer].single else nothing for arc in arcs],
        charges=charges,
        freights=_by_order(arcs),
        slots=slots,
    )


def _lags(arcs: Sequence[Arc], count: int) -> NDArray[np.intp]:
    """Periods under way, arcs by periods of order; arcs that take as long share one tuple."""
    known: dict[int, int] = {}
    found = [known.setdefault(id(arc.lags), len(known)) for arc in arcs]
    tables = {id(arc.lags): arc.lags for arc in arcs}
    every = np.array([tables[each] for each in known], dtype=np.intp).reshape(len(known), count)
    lags: NDArray[np.intp] = every[np.array(found, dtype=np.intp)]
    return lags


def _by_order(arcs: Sequence[Arc]) -> list[tuple[Decimal, ...]]:
    """Freight of every arc by order period, where what is ordered arrives in the plan; arcs with the same share one tuple."""
    known: dict[tuple[int, int], tuple[Decimal, ...]] = {}
    found = []
    for arc in arcs:
        key = id(arc.freight), id(arc.lags)
        if key not in known:
            last = len(arc.freight) - 1
            known[key] = tuple(arc.freight[min(arc.arrival(t), last)] for t in range(last + 1))
        found.append(known[key])
    return found


def _open_in(offers: Sequence[OfferFacts]) -> NDArray[np.bool_]:
    """Of every offer, the periods in which it may be ordered at all; offers with the same limits share one tuple."""
    known: dict[int, list[bool]] = {}
    for facts in offers:
        if id(facts.most) not in known:
            known[id(facts.most)] = [most != 0 for most in facts.most]
    return np.array([known[id(facts.most)] for facts in offers], dtype=bool)


def ranges(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """The numbers from each `first` up to, not including, its `last`, one stretch after the other."""
    lengths = last - first
    found: NDArray[np.intp] = np.repeat(first - (np.cumsum(lengths) - lengths), lengths)
    found += np.arange(len(found))
    return found
