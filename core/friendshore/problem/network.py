"""Network of offers that can reach demands: nodes (a material at a place) and arcs (an offer's output moved to a place).

Recipes may form a cycle if it loses material, like swarf of a magnet maker that goes back into oxide. Recipes that together make
all their inputs and a surplus are rejected. With `x` units of each recipe, outputs less inputs must not all be at least zero with one
of them above zero. This is checked by a linear program (Koopmans' postulate that there is no land of Cockaigne).

Source: T. C. Koopmans, Analysis of production as an efficient combination of activities, in Activity Analysis of Production and
Allocation, Wiley 1951, chapter III, postulate B.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from heapq import heapify, heappop
from operator import add
from typing import NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from ..domain.base import exact, grouped
from ..domain.case import Case
from ..domain.facts import Lane, Offer
from ..domain.runtime import cached_method, with_progress
from ..domain.time import Delay, Horizon, Period, Span
from ..domain.use import Chained, Move, Use
from ..errors import InputError
from .capacity import OperatingSteps, operating_steps, working_days
from .decimal_arrays import largest
from .demands import Demand, Lot
from .merged import Merged, exchange, missing_rate
from .offers import OfferFacts

Node = tuple[str, str]
"""Material and place."""
_FREE = Decimal(0)


def final_node(use: Use) -> Node:
    return (use.material.id, use.place.id)


class Times(NamedTuple):
    """Order and arrival dates, by order period."""

    lags: tuple[int, ...]
    """Whole periods from order to arrival."""
    order_by: tuple[date, ...]
    """Last order day with timely arrival: by the first day of the arrival period, or by `arrives`."""
    arrives: tuple[date | None, ...]
    """Day of arrival. None means by the first day of the arrival period."""
    first: tuple[date, ...]
    """First order day that arrives no earlier than in the period before the arrival period."""


class StatedInputs(NamedTuple):
    """Stated inputs of a lot, as rules judge them. If the supplier has confirmed them, they are judged in place of the lot."""

    chain: tuple[tuple[Chained, Move], ...]
    confirmed: bool


class LotFacts(NamedTuple):
    """Id of a lot, and True if rules on moves apply to it."""

    name: str
    moves: bool


@dataclass(frozen=True, slots=True)
class Arc:
    """Movement of an offer's output, or of a lot, to a place."""

    index: int
    offer: int
    """Position of its offer. -1 for a lot."""
    output: int
    lot: int
    """Position of its lot. -1 for an offer."""
    chained: Chained
    move: Move
    node: Node
    times: Times
    freight: tuple[Decimal, ...]
    """Money per kilogram by arrival period, in the case's currency."""
    lot_facts: LotFacts | None = None
    stated: StatedInputs | None = None

    @property
    def name(self) -> str:
        return self.chained.offer.id if self.lot_facts is None else self.lot_facts.name

    @property
    def moves(self) -> bool:
        """True if rules on moves apply: to orders, which still have to arrive, and to stock of a known offer."""
        return self.lot_facts is None or self.lot_facts.moves

    @property
    def is_lot_with_inputs(self) -> bool:
        return self.lot >= 0 and bool(self.chained.offer.inputs)

    @property
    def lags(self) -> tuple[int, ...]:
        return self.times.lags

    @property
    def order_by(self) -> tuple[date, ...]:
        return self.times.order_by

    @property
    def arrives(self) -> tuple[date | None, ...]:
        return self.times.arrives

    @property
    def per_unit(self) -> Decimal:
        """Kilograms of this output per unit of the offer."""
        return self.chained.offer.outputs[self.output].per_unit

    def arrival(self, ordered: int) -> int:
        """Return the arrival period of an order. It is beyond the last period if the order arrives after the plan."""
        return ordered + self.lags[ordered]


@dataclass(frozen=True)
class Network:
    """Nodes and arcs up the chains of the demands, in canonical order."""

    nodes: tuple[Node, ...]
    arcs: tuple[Arc, ...]
    into: dict[Node, tuple[int, ...]]
    """Arcs that lead to each node."""
    feeds: dict[int, tuple[Node, ...]]
    """Nodes of the inputs of each offer."""

    @cached_property
    def position(self) -> dict[Node, int]:
        return {node: i for i, node in enumerate(self.nodes)}

    @cached_property
    def offers(self) -> NDArray[np.intp]:
        return np.array([arc.offer for arc in self.arcs], dtype=np.intp)

    @cached_property
    def ends(self) -> NDArray[np.intp]:
        return np.array([self.position[arc.node] for arc in self.arcs], dtype=np.intp)

    def reach(self, node: Node) -> tuple[frozenset[int], frozenset[Node]]:
        """Return all arcs and nodes up the chain of `node`, including itself."""
        arcs: set[int] = set()
        nodes = {node}
        pending = [node]
        while pending:
            for index in self.into.get(pending.pop(), ()):
                arcs.add(index)
                for feed in self.feeds.get(self.arcs[index].offer, ()):
                    if feed not in nodes:
                        nodes.add(feed)
                        pending.append(feed)
        return frozenset(arcs), frozenset(nodes)


def build_network(
    offers: Sequence[OfferFacts],
    lots: Sequence[Lot],
    demands: Sequence[Demand],
    merged: Merged,
    case: Case,
    calendar: OrderCalendar,
) -> Network:
    outputs = ((i, output, line) for i, facts in enumerate(offers) for output, line in enumerate(facts.offer.outputs))
    makers = grouped((line.material, (index, output)) for index, output, line in outputs)
    lanes = [_lanes_by_destination(facts) for facts in offers]
    nodes: set[Node] = {final_node(d.use) for d in demands}
    pending = sorted(nodes)
    routes: list[tuple[Node, int, int]] = []
    while pending:
        node = pending.pop()
        for index, output in makers.get(node[0], ()):
            facts = offers[index]
            if lanes[index] and node[1] not in lanes[index]:
                continue
            routes.append((node, index, output))
            for feed in _feeds(facts) if facts.offer.inputs else ():
                if feed not in nodes:
                    nodes.add(feed)
                    pending.append(feed)
    nodes |= {(lot.material, lot.place.id) for lot in lots}
    arcs: list[Arc] = []
    ways = _Ways(merged, case, calendar)
    routes.sort()  # Offers are sorted by id.
    for node, index, output in with_progress(routes, "finding routes", "ways"):
        arcs.append(_offer_arc(len(arcs), node, index, output, offers[index], lanes[index], ways))
    for number, lot in enumerate(lots):
        arcs.append(_lot_arc(len(arcs), number, lot, ways))
    into = grouped((arc.node, arc.index) for arc in arcs)
    offer_indices = {arc.offer for arc in arcs if arc.offer >= 0}
    return Network(
        nodes=tuple(sorted(nodes)),
        arcs=tuple(arcs),
        into={node: tuple(indices) for node, indices in into.items()},
        feeds={index: _feeds(offers[index]) for index in sorted(offer_indices) if offers[index].offer.inputs},
    )


def _feeds(facts: OfferFacts) -> tuple[Node, ...]:
    return tuple((line.material, facts.place) for line in facts.offer.inputs)


def _lanes_by_destination(facts: OfferFacts) -> dict[str, list[Lane]]:
    if not facts.offer.lanes:
        return {}
    rows = sorted(facts.offer.lanes, key=lambda lane: lane.start or date.min)
    return grouped((lane.to, lane) for lane in rows)


class OrderCalendar:
    """Dates of orders and arrivals in a horizon, cached because many offers have the same. Several networks can share it."""

    def __init__(self, horizon: Horizon) -> None:
        self.horizon = horizon
        self._times: dict[tuple[tuple[frozenset[Delay], ...], int], Times] = {}

    def times(self, delays: tuple[frozenset[Delay], ...], working: tuple[Span, ...]) -> Times:
        """Return the dates of orders, given the delays and the working days by period. `working` must come from `working`, which keeps it."""
        key = delays, id(working)
        if key not in self._times:
            dates = [
                _dates_of_order(self.horizon, period, delays[period.index], working[period.index])
                for period in self.horizon.periods
            ]
            self._times[key] = Times(*(tuple(column) for column in zip(*dates, strict=True)))
        return self._times[key]

    @cached_method
    def working(self, facilities: tuple[OperatingSteps, ...]) -> tuple[Span, ...]:
        """Return the days of each period from the first to the last on which all facilities have capacity."""
        days_by_facility = [working_days(steps, self.horizon) for steps in facilities]
        period_spans = [period.span for period in self.horizon.periods]
        return tuple([_common(spans) for spans in zip(period_spans, *days_by_facility, strict=True)])

    @cached_method
    def steady(self, freight: Decimal) -> tuple[Decimal, ...]:
        return (freight,) * self.horizon.count


class _Ways:
    def __init__(self, merged: Merged, case: Case, calendar: OrderCalendar) -> None:
        self.merged = merged
        self.case = case
        self.calendar = calendar

    @cached_method
    def move(self, origin: str, to: str) -> Move:
        return Move(origin=self.merged.place(origin), to=self.merged.place(to))

    @cached_method
    def working(self, pools: tuple[str, ...]) -> tuple[Span, ...]:
        """Return the days of each period on which all facilities of some pools have capacity."""
        steps = [operating_steps(self.merged.facilities[name], self.merged, self.case) for name in pools]
        return self.calendar.working(tuple(steps))


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
        chained=facts.chained[output],
        move=move,
        node=node,
        times=_times(lanes, facts, ways),
        freight=_freights(lanes, move, ways),
    )


def _delays(offer: Offer, lanes: Sequence[Lane], case: Case) -> list[Delay]:
    """Return the time from order to arrival on each lane, or the offer's if it has no lanes."""
    own = offer.lead_time if offer.lead_time is not None else case.assume.lead_time
    lead_times = [own if lane.lead_time is None else lane.lead_time for lane in lanes] or [own]
    return [Delay.of(lead_time, case.assume.safety_lead) for lead_time in lead_times]


def arrival_of(arc: Arc, ordered: date, case: Case) -> date:
    """Return the day on which an order of a day arrives. Of several lanes, the slowest counts."""
    offer = arc.chained.offer
    return max(delay.after(ordered) for delay in _delays(offer, lanes_to(offer, arc.move.to.id), case))


def _times(lanes: Sequence[Lane], facts: OfferFacts, ways: _Ways) -> Times:
    """Return order and arrival dates. Of the lanes in effect on any day of a period, the slowest counts."""
    delays = _delays(facts.offer, lanes, ways.case)
    if len(set(delays)) == 1:
        delays_by_period = (frozenset(delays),) * ways.case.horizon.count
    else:
        ends = [*(lane.start for lane in lanes[1:]), None]
        delays_by_period = tuple(
            frozenset(
                delay
                for lane, delay, end in zip(lanes, delays, ends, strict=True)
                if (lane.start is None or lane.start <= period.end) and (end is None or end > period.start)
            )
            for period in ways.case.horizon.periods
        )
    return ways.calendar.times(delays_by_period, ways.working(facts.pools))


def _dates_of_order(
    horizon: Horizon, period: Period, delays: frozenset[Delay], working: Span
) -> tuple[int, date, date | None, date]:
    """Return the periods in transit, the last order day, the day of arrival within the arrival period (or None), and the first order day. An order on
    the first day of a period arrives by the first day of a later one. Only if its facility starts to work within the period can it arrive within
    another. If lead times differ within a period, an early order may arrive far too early. Its first day is then its last.
    """
    t, arrives_on = period.index, None
    arrival = max(horizon.arrival(t, delay) for delay in delays)
    if horizon.until is not None:
        last = period.start if arrival == t else period.end
        return arrival - t, last, None, last
    assert working.start is not None
    assert working.end is not None
    try:
        if working.start > period.start:
            arrival_day = max(delay.after(working.start) for delay in delays)
            while horizon.begins(arrival + 1) <= arrival_day:
                arrival += 1
            arrives_on = arrival_day if arrival_day > horizon.begins(arrival) else None
        last = min(delay.before(arrives_on or horizon.begins(arrival)) for delay in delays)
    except (OverflowError, ValueError):  # It arrives after the last day of the calendar.
        return arrival - t, period.end, None, period.end
    last = min(last, working.end, period.end)
    return arrival - t, last, arrives_on, min(last, working.start) if len(delays) == 1 else last


def _common(spans: Sequence[Span]) -> Span:
    """Return the days that all spans of a period share. If there are none, return the first day of the latest span."""
    start = max(span.start for span in spans if span.start is not None)
    end = min(span.end for span in spans if span.end is not None)
    return Span(start=start, end=max(start, end))


def _freights(lanes: Sequence[Lane], move: Move, ways: _Ways) -> tuple[Decimal, ...]:
    """Return the freight by arrival period, from the last lane that starts by its first day."""
    if len(lanes) < 2:
        return ways.calendar.steady(_freight(lanes[0] if lanes else None, move, ways.merged, ways.case))
    days = [period.start for period in ways.case.horizon.periods]
    return tuple(_freight(lane_on(lanes, day), move, ways.merged, ways.case) for day in days)


def lanes_to(offer: Offer, place: str) -> list[Lane]:
    return sorted((lane for lane in offer.lanes if lane.to == place), key=lambda lane: lane.start or date.min)


def lane_on(lanes: Sequence[Lane], day: date) -> Lane | None:
    """Return the lane whose freight applies to arrivals in a period that begins on `day`."""
    return next((lane for lane in reversed(lanes) if len(lanes) == 1 or lane.start is None or lane.start <= day), None)


def _freight(lane: Lane | None, move: Move, merged: Merged, case: Case) -> Decimal:
    if lane is not None and lane.freight is not None:
        rate = exchange(merged.rates, lane.currency or case.currency, case.currency, case.horizon.start)
        if rate is None:
            raise InputError(missing_rate(lane.currency, case, f"the freight to {lane.to}", "lanes.freight"))
        return exact(lane.freight * rate)
    if case.assume.freight is not None and move.crosses:
        return case.assume.freight
    return _FREE


def _lot_arc(index: int, position: int, lot: Lot, ways: _Ways) -> Arc:
    facility = lot.chained.facility
    origin = ways.merged.place(facility.place or facility.country) if lot.on_order else lot.place
    move = Move(origin=origin, to=lot.place)
    chain = tuple(
        (chained, ways.move(place.id, place.id) if position else move)
        for position, (chained, place) in enumerate(lot.chain)
    )
    return Arc(
        index=index,
        offer=-1,
        output=0,
        lot=position,
        chained=lot.chained,
        move=move,
        node=(lot.material, lot.place.id),
        times=ways.calendar.times((frozenset((Delay(0, 0),)),) * ways.case.horizon.count, ways.working(())),
        freight=ways.calendar.steady(_FREE),
        lot_facts=LotFacts(lot.id, lot.on_order or bool(lot.offer)),
        stated=StatedInputs(chain, lot.confirmed) if chain else None,
    )


# In kilograms, with no recipe run for more than one unit.
_MIN_SURPLUS = 1e-9


def check_loops(offers: Sequence[OfferFacts]) -> None:
    """Reject recipes that together make material from nothing."""
    recipes = [facts for facts in offers if facts.offer.inputs]
    recipes = _circular(recipes)
    if not recipes:
        return
    materials = sorted({line.material for r in recipes for line in (*r.offer.inputs, *r.offer.outputs)})
    row_by_material = {name: i for i, name in enumerate(materials)}
    net = np.zeros((len(materials), len(recipes)))
    for column, facts in enumerate(recipes):
        for line in facts.offer.outputs:
            net[row_by_material[line.material], column] += float(line.per_unit)
        for line in facts.offer.inputs:
            net[row_by_material[line.material], column] -= float(line.per_unit)
    production = _surplus(net)
    if production is None:
        return
    units_by_recipe, surpluses = production
    names = [
        facts.offer.id for facts, units in zip(recipes, units_by_recipe.tolist(), strict=True) if units > _MIN_SURPLUS
    ]
    surplus = {
        name: kilograms
        for name, kilograms in zip(materials, surpluses.tolist(), strict=True)
        if kilograms > _MIN_SURPLUS
    }
    raise InputError(
        f"the recipes of {', '.join(names)} together make {', '.join(surplus)} from nothing",
        column="recipe.per_unit",
        found=", ".join(f"{kilograms:.6g} kg of {name} left over" for name, kilograms in surplus.items()),
        expected="no more output than input",
        fix="correct the inputs per unit",
        code="FS256",
    )


def _circular(recipes: list[OfferFacts]) -> list[OfferFacts]:
    """Return the recipes whose inputs are all made by others among them."""
    while True:
        produced = {line.material for facts in recipes for line in facts.offer.outputs}
        runnable = [facts for facts in recipes if all(line.material in produced for line in facts.offer.inputs)]
        if len(runnable) == len(recipes):
            return runnable
        recipes = runnable


def _surplus(net_output: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the units of each recipe and the surplus of each material. None if no surplus is possible."""
    from ..small_lp import proposed_minimum  # HiGHS is slow to import, and few cases have circular recipes

    scale = np.abs(net_output).max(axis=0)
    scale[scale == 0] = 1  # The recipe returns all that it takes, so it makes nothing.
    scaled_output = net_output / scale
    cost = -scaled_output.sum(axis=0)
    runs = proposed_minimum(cost, -scaled_output, np.zeros(len(net_output)), upper=1.0)
    if runs is None or -(cost @ runs) <= _MIN_SURPLUS * 10:
        return None
    return runs / scale, np.asarray(net_output @ (runs / scale))


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Parallel arrays with one entry per move, ordered by arc and order period. Money is stored per arc, by order period."""

    arc: NDArray[np.intp]
    ordered: NDArray[np.intp]
    delivered: NDArray[np.intp]
    first: NDArray[np.intp]
    """First entry of each arc, and the end of the last."""
    prices: Sequence[Sequence[Decimal]]
    """Undiscounted price per kilogram, by arc and order period. 0 for offers with several outputs, whose units are paid for when made."""
    charges: Sequence[Sequence[Decimal]]
    """Undiscounted charges per kilogram that don't depend on the use, by arc and order period. Due on delivery."""
    freights: Sequence[Sequence[Decimal]]
    """Freight per kilogram, by arc and order period. Due on delivery."""
    slots: NDArray[np.int32]
    """Entry of each arc and order period. -1 if there is none."""

    def __len__(self) -> int:
        return len(self.arc)

    def at(self, arc: int, ordered: int) -> int | None:
        entry = int(self.slots[arc, ordered]) if 0 <= ordered < self.slots.shape[1] else -1
        return entry if entry >= 0 else None

    def money(self, move: int) -> Decimal:
        """Return the price, the charges that don't depend on the use, and the freight of one kilogram."""
        arc, ordered = int(self.arc[move]), int(self.ordered[move])
        return self.prices[arc][ordered] + self.charges[arc][ordered] + self.freights[arc][ordered]

    @property
    def max_money(self) -> Decimal:
        """Maximum absolute `money` of any move. 0 without moves."""
        upper_bounds = map(add, map(add, largest(self.prices), largest(self.charges)), largest(self.freights))
        first, highest = self.first.tolist(), Decimal(0)
        pending = [(-limit, arc) for arc, limit in enumerate(upper_bounds)]
        heapify(pending)  # Few of the many arcs are checked.
        while pending and -pending[0][0] > highest:
            arc = heappop(pending)[1]
            highest = max([highest, *(abs(self.money(move)) for move in range(first[arc], first[arc + 1]))])
        return highest


def build_moves(
    network: Network,
    offers: Sequence[OfferFacts],
    lots: Sequence[Lot],
    horizon: Horizon,
    charges: Sequence[Sequence[Decimal]],
) -> Moves:
    zeros = (Decimal(0),) * horizon.count
    arcs = network.arcs
    is_possible = np.zeros((len(arcs), horizon.count), dtype=bool)
    lag = _lags(arcs, horizon.count)
    open_in = _open_in(offers)
    offer_arcs = np.array([arc.index for arc in arcs if arc.offer >= 0], dtype=np.intp)
    if len(offer_arcs):
        is_possible[offer_arcs] = open_in[[arc.offer for arc in arcs if arc.offer >= 0]]
        is_possible &= np.arange(horizon.count) < horizon.count - lag
    for arc in arcs:
        if arc.lot >= 0:
            is_possible[arc.index, lots[arc.lot].period] = True
    arc_index, ordered = np.nonzero(is_possible)
    slots = np.full(is_possible.shape, -1, dtype=np.int32)
    slots[arc_index, ordered] = np.arange(len(arc_index))
    return Moves(
        arc=compact(arc_index),
        ordered=compact(ordered),
        delivered=compact(ordered + lag[arc_index, ordered]),
        first=np.searchsorted(arc_index, np.arange(len(arcs) + 1)),
        prices=[
            offers[arc.offer].price if arc.offer >= 0 and offers[arc.offer].has_one_output else zeros for arc in arcs
        ],
        charges=charges,
        freights=_by_order(arcs),
        slots=slots,
    )


def _lags(arcs: Sequence[Arc], count: int) -> NDArray[np.intp]:
    position_by_id: dict[int, int] = {}
    positions = [position_by_id.setdefault(id(arc.lags), len(position_by_id)) for arc in arcs]
    lags_by_id = {id(arc.lags): arc.lags for arc in arcs}
    rows = [lags_by_id[key] for key in position_by_id]
    distinct_lags = np.array(rows, dtype=np.intp).reshape(len(rows), count)
    lags: NDArray[np.intp] = distinct_lags[np.array(positions, dtype=np.intp)]
    return lags


def _by_order(arcs: Sequence[Arc]) -> list[tuple[Decimal, ...]]:
    """Return the freight by arc and order period. Equal arcs share one tuple."""
    freight_by_key: dict[tuple[int, int], tuple[Decimal, ...]] = {}
    freights = []
    for arc in arcs:
        key = id(arc.freight), id(arc.lags)
        if key not in freight_by_key:
            last = len(arc.freight) - 1
            freight_by_key[key] = tuple(arc.freight[min(arc.arrival(t), last)] for t in range(last + 1))
        freights.append(freight_by_key[key])
    return freights


def _open_in(offers: Sequence[OfferFacts]) -> NDArray[np.bool_]:
    open_by_limit: dict[int, list[bool]] = {}
    for facts in offers:
        if id(facts.max_units) not in open_by_limit:
            open_by_limit[id(facts.max_units)] = [limit != 0 for limit in facts.max_units]
    return np.array([open_by_limit[id(facts.max_units)] for facts in offers], dtype=bool)


def compact(positions: NDArray[np.intp], count: int | None = None) -> NDArray[np.intp]:
    """Return positions in 32 bits, if they fit, which takes half the memory. `count` is an upper bound of all of them, if known."""
    fits = (positions.max(initial=0) if count is None else count) < 2**31
    return cast("NDArray[np.intp]", positions.astype(np.int32)) if fits else positions


def ranges(first: NDArray[np.intp], last: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the concatenated ranges from each `first` up to, but not including, its `last`."""
    lengths = last - first
    concatenated: NDArray[np.intp] = np.repeat(first - (np.cumsum(lengths) - lengths), lengths)
    concatenated += np.arange(len(concatenated))
    return concatenated
