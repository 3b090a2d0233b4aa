"""Check that stock lasts until the next arrival, for every node and period with an arrival after the first day.

Deliveries of such a period are used evenly over the days with demand. A shortage may fall on any of them. An order to a maker draws its inputs on the
last day on which it may be placed.

The plan is valid if each delivery can be split between the stretches from one arrival to the next. No stretch may use more than its share of a demand,
and no compliance class more than it has by then. The first split uses everything as late as it is needed. If that fails, a linear program looks for
another split. Its result is summed and checked like everything else, so no trust in the program is needed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

import numpy as np

from ..domain.base import exact
from ..domain.time import add_months
from ..problem.demands import Demand
from ..problem.network import Node, final_node
from .plan_entries import Bought, PlanEntries

_OF_ROUNDING = 0.9
"""Share of the rounding tolerance that the linear program may use. The rest covers its own tolerance."""


class DatedFlow(NamedTuple):
    """An arrival at a node for a compliance class, or a draw from it, on a day."""

    requirement: str
    day: date | None
    """None if it is available from the start of the period."""
    kilograms: Decimal
    roundings: Decimal
    """Number of rounded values behind the kilograms."""


def check_arrivals(ledger: PlanEntries, held: dict[tuple[tuple[Node, str], int], tuple[Decimal, Decimal]]) -> None:
    """Find use of stock before it arrives. `held` is the stock by node, class, and period, with the number of rounded values behind it."""
    problem = ledger.problem
    used = sorted(set(ledger.columns.arc.tolist()))
    if not any(problem.network.arcs[arc].lot >= 0 or any(problem.network.arcs[arc].arrives) for arc in used):
        return
    days: defaultdict[tuple[Node, int], set[date]] = defaultdict(set)
    for item in ledger.bought:
        day = arrival_day(ledger, item)
        if day is not None and day != problem.case.horizon.periods[item.delivered].start:
            days[item.arc.node, item.delivered].add(day)
    flows: defaultdict[tuple[Node, int], list[DatedFlow]] = defaultdict(list)
    if days:
        for at, flow in (*_arriving(ledger), *_drawn(ledger)):
            flows[at].append(flow)
        for ((node, requirement), t), (kilograms, roundings) in held.items():
            carried, more = ledger.carried(node, kilograms, t + 1) if (node, t + 1) in days else (kilograms, 0)
            flows[node, t + 1].append(DatedFlow(requirement, None, carried, roundings + more))
    for (node, t), found in sorted(days.items()):
        if node[0] not in ledger.unplanned:
            _Stretches(ledger, node, t, sorted(found), flows[node, t]).check()


def _arriving(ledger: PlanEntries) -> Iterator[tuple[tuple[Node, int], DatedFlow]]:
    """Yield the purchases and stock lots."""
    for item in ledger.bought:
        roundings = Decimal(2 if ledger.in_lots(item) else 1)
        flow = DatedFlow(item.requirement, arrival_day(ledger, item), item.quantity, roundings)
        yield (item.arc.node, item.delivered), flow


def arrival_day(ledger: PlanEntries, item: Bought) -> date | None:
    """Return the day on which a purchase or a stock lot arrives. None if on or before the first day of its period."""
    lot = item.arc.lot
    return ledger.problem.lots[lot].arrives if lot >= 0 else item.arc.arrives[item.ordered]


def _drawn(ledger: PlanEntries) -> Iterator[tuple[tuple[Node, int], DatedFlow]]:
    """Yield the inputs of orders, each on the last day on which the order may be placed. If several outputs go different ways, the earliest of these days counts."""
    problem, count = ledger.problem, ledger.problem.case.horizon.count
    orders = [
        (item.arc.offer, item.requirement, item.ordered, item.quantity, item.arc.order_by[item.ordered])
        for item in ledger.bought
        if item.arc.offer >= 0 and problem.offers[item.arc.offer].single
    ]
    for make, offer in ledger.makes:
        ways = [arc for arc in problem.network.arcs if arc.offer == offer and arc.arrival(make.period) < count]
        day = min((arc.order_by[make.period] for arc in ways), default=problem.case.horizon.begins(make.period))
        orders.append((offer, make.requirement, make.period, make.units, day))
    for offer, requirement, t, units, day in orders:
        facts = problem.offers[offer]
        for line in facts.offer.inputs:
            roundings = line.per_unit * ledger.roundings(offer)
            yield ((line.material, facts.place), t), DatedFlow(requirement, day, -line.per_unit * units, roundings)


@dataclass(eq=False)
class _Stretches:
    """A node in a period, divided into stretches by arrivals."""

    ledger: PlanEntries
    node: Node
    t: int
    days: Sequence[date]
    """Days with an arrival, after the first day of the period."""
    flows: Sequence[DatedFlow]

    @cached_property
    def used(self) -> dict[tuple[str, int], tuple[Decimal, int]]:
        """Compliance class and demand -> kilograms delivered, and the number of rounded values behind them."""
        found: dict[tuple[str, int], tuple[Decimal, int]] = {}
        for delivery, demand in self.ledger.deliveries:
            if delivery.period == self.t and final_node(self.ledger.problem.demands[demand].use) == self.node:
                known, roundings = found.get((delivery.requirement, demand), (Decimal(0), 0))
                found[delivery.requirement, demand] = known + delivery.quantity, roundings + 1
        return found

    def check(self) -> None:
        """Find the compliance classes that use more before an arrival than they have."""
        late, step = self._as_late_as_wanted(), self.ledger.problem.case.resolution
        if any(miss > step / 2 * more * Decimal(_OF_ROUNDING) for _, _, miss, more in self._misses(late)):
            late = self._late()
        for requirement, day, miss, roundings in self._misses(late):
            message = (
                f"more {self.node[0]} at {self.node[1]} ({requirement}) is used before {day} than is there by then"
            )
            self.ledger.miss(miss, roundings, message)

    def _misses(
        self, late: Mapping[tuple[str, int], Sequence[Decimal]]
    ) -> Iterator[tuple[str, date, Decimal, Decimal]]:
        """Yield each compliance class that lacks material before an arrival, with the day, the lacking kilograms, and the number of rounded values behind them."""
        taken = {(flow.requirement, flow.day) for flow in self.flows if flow.kilograms < 0}
        for requirement in sorted({key[0] for key in self.used} | {name for name, _ in taken}):
            for number, day in enumerate(self.days):
                there, roundings = self._before(requirement, day)
                used = sum(
                    (
                        kilograms - sum(late[key][number:])
                        for key, (kilograms, _) in self.used.items()
                        if key[0] == requirement
                    ),
                    Decimal(0),
                )
                if used > there:
                    yield requirement, day, used - there, roundings

    def _before(self, requirement: str, day: date) -> tuple[Decimal, Decimal]:
        """Return the stock of a compliance class before a day, less draws by orders until then, and the number of rounded values in stock and use."""
        before = [f for f in self.flows if f.requirement == requirement and (f.day is None or f.day < day)]
        used = sum(roundings for (name, _), (_, roundings) in self.used.items() if name == requirement)
        return sum((f.kilograms for f in before), Decimal(0)), sum((f.roundings for f in before), Decimal(used))

    def _as_late_as_wanted(self) -> dict[tuple[str, int], list[Decimal]]:
        """Return a split as `_late` does, without a linear program: each demand as late as possible, in equal proportions of its classes."""
        found = {}
        for demand in {demand for _, demand in self.used}:
            given = {key: Fraction(kilograms) for key, (kilograms, _) in self.used.items() if key[1] == demand}
            left = whole = sum(given.values(), Fraction(0))
            parts = list[Fraction]()
            for most in reversed(self._stretches(self.ledger.problem.demands[demand])):
                parts.insert(0, min(most, left))
                left -= parts[0]
            for key, own in given.items():
                shares = [part * own / whole if whole else part for part in parts]
                found[key] = [exact(Decimal(each.numerator) / each.denominator) for each in shares]
        return found

    def _late(self) -> dict[tuple[str, int], list[Decimal]]:
        """Return compliance class and demand -> use in each stretch, with a minimum of use before arrival."""
        from scipy.optimize import linprog  # heavy, and few periods have an arrival within them

        keys, many = list(self.used), len(self.days)
        if not keys:
            return {}
        stretches = {demand: self._stretches(self.ledger.problem.demands[demand]) for _, demand in keys}
        names = sorted({name for name, _ in keys})
        width = len(keys) * many + len(names) * many  # parts of deliveries, then what each class lacks before each day
        rows, most = [], []

        def at_most(columns: Sequence[int], limit: float, lacking: int = -1) -> None:
            row = np.zeros(width)
            row[list(columns)] = 1.0 if lacking < 0 else -1.0
            if lacking >= 0:
                row[lacking] = -1.0
            rows.append(row)
            most.append(limit)

        for i, key in enumerate(keys):
            at_most(range(i * many, (i + 1) * many), float(self.used[key][0]))
        for demand, limits in stretches.items():
            for number, limit in enumerate(limits):
                at_most([i * many + number for i, key in enumerate(keys) if key[1] == demand], float(limit))
        for place, name in enumerate(names):
            mine = [i for i, key in enumerate(keys) if key[0] == name]
            for number, day in enumerate(self.days):
                there, roundings = self._before(name, day)
                allowed = there + self.ledger.problem.case.resolution / 2 * roundings * Decimal(_OF_ROUNDING)
                used = sum((self.used[keys[i]][0] for i in mine), Decimal(0))
                later = [i * many + stretch for i in mine for stretch in range(number, many)]
                at_most(later, float(allowed - used), len(keys) * many + place * many + number)
        cost = np.concatenate([np.zeros(len(keys) * many), np.ones(len(names) * many)])
        x = linprog(cost, A_ub=np.array(rows), b_ub=np.array(most), bounds=(0, None)).x
        parts = np.zeros(width) if x is None else x
        return {
            key: [
                self._within(value, limit)
                for value, limit in zip(parts[i * many : (i + 1) * many], stretches[key[1]], strict=True)
            ]
            for i, key in enumerate(keys)
        }

    def _within(self, value: float, limit: Fraction) -> Decimal:
        """Return a part found by the linear program as a decimal, limited to the share of its stretch."""
        return min(exact(Decimal(repr(float(value)))), exact(Decimal(limit.numerator) / limit.denominator))

    def _stretches(self, demand: Demand) -> list[Fraction]:
        """Return the part of a demand in each stretch, day by day."""
        period, later = self.ledger.problem.case.horizon.periods[self.t], demand.spec.later
        first, last = (None if day is None else add_months(day, later) for day in (demand.spec.start, demand.spec.end))
        every = [period.start + timedelta(days=number) for number in range(period.days)]
        wanted = [d for d in every if (first is None or first <= d) and (last is None or d <= last)] or every
        weights = {d: Fraction(1) if demand.spec.quantities else _of_year(d) for d in wanted}
        ends = [*self.days[1:], date.max]
        parts = [sum(w for d, w in weights.items() if a <= d < b) for a, b in zip(self.days, ends, strict=True)]
        return [Fraction(demand.quantity[self.t]) * part / sum(weights.values()) for part in parts]


def _of_year(day: date) -> Fraction:
    """Return the fraction of a year that a day is."""
    return Fraction(1, (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1)
