"""Does what is there last until the next arrival? Asked of every node and period in which something arrives after the first day.

What a plan delivers in such a period is used evenly over the days on which it is wanted; a shortage may fall on any of them. An order to a maker takes its
inputs on the last day on which it may be placed. The plan holds if there is some way to say which part of every delivery is used between one arrival and
the next, so that no such stretch takes more than its share of a demand, and no compliance class uses more than it has by then. A linear program looks for
the parts if using everything as late as it is wanted doesn't do. They are then added up like everything else, so that nothing rests on the program.
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
"""Share of what rounding explains that the linear program may use: what it finds is then explained in spite of its own tolerance."""


class DatedFlow(NamedTuple):
    """What comes to a node for a compliance class, or is taken from it, on a day."""

    requirement: str
    day: date | None
    """None: it is there when the period begins."""
    kilograms: Decimal
    roundings: Decimal
    """Rounded numbers that these follow from."""


def check_arrivals(ledger: PlanEntries, held: dict[tuple[tuple[Node, str], int], tuple[Decimal, Decimal]]) -> None:
    """Find what is used before it is there. `held` is what every compliance class has at every node at the end of every period, with the rounded
    numbers that it follows from.
    """
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
    """Purchases and lots."""
    for item in ledger.bought:
        roundings = Decimal(2 if ledger.in_lots(item) else 1)
        flow = DatedFlow(item.requirement, arrival_day(ledger, item), item.quantity, roundings)
        yield (item.arc.node, item.delivered), flow


def arrival_day(ledger: PlanEntries, item: Bought) -> date | None:
    """The day on which a purchase or a lot arrives; None: on the first day of its period, or before."""
    lot = item.arc.lot
    return ledger.problem.lots[lot].arrives if lot >= 0 else item.arc.arrives[item.ordered]


def _drawn(ledger: PlanEntries) -> Iterator[tuple[tuple[Node, int], DatedFlow]]:
    """Inputs of orders, each on the last day on which it may be placed; where several outputs go different ways, on the first of these."""
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
    """A node in a period that arrivals cut into stretches."""

    ledger: PlanEntries
    node: Node
    t: int
    days: Sequence[date]
    """On which something arrives after the first day."""
    flows: Sequence[DatedFlow]

    @cached_property
    def used(self) -> dict[tuple[str, int], tuple[Decimal, int]]:
        """Compliance class and demand -> kilograms delivered, and the rounded numbers that these follow from."""
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
        """Yield the compliance classes that lack something before an arrival, the day, what they lack, and the rounded numbers that this follows from."""
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
        """What a compliance class has before a day, less what orders took by then; and the rounded numbers that it, and its use, follow from."""
        before = [f for f in self.flows if f.requirement == requirement and (f.day is None or f.day < day)]
        used = sum(roundings for (name, _), (_, roundings) in self.used.items() if name == requirement)
        return sum((f.kilograms for f in before), Decimal(0)), sum((f.roundings for f in before), Decimal(used))

    def _as_late_as_wanted(self) -> dict[tuple[str, int], list[Decimal]]:
        """The same as `_late` without a program: of every demand as much as possible from each day on, in equal shares of its classes."""
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
        """Compliance class and demand -> what is used of it from each day to the next, so that as little as can be is used too early."""
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
        """A part that the linear program found, as a decimal that is no more than its stretch takes."""
        return min(exact(Decimal(repr(float(value)))), exact(Decimal(limit.numerator) / limit.denominator))

    def _stretches(self, demand: Demand) -> list[Fraction]:
        """The part of what a demand wants that falls on the days from each arrival to the next, day by day."""
        period, later = self.ledger.problem.case.horizon.periods[self.t], demand.spec.later
        first, last = (None if day is None else add_months(day, later) for day in (demand.spec.start, demand.spec.end))
        every = [period.start + timedelta(days=number) for number in range(period.days)]
        wanted = [d for d in every if (first is None or first <= d) and (last is None or d <= last)] or every
        weights = {d: Fraction(1) if demand.spec.quantities else _of_year(d) for d in wanted}
        ends = [*self.days[1:], date.max]
        parts = [sum(w for d, w in weights.items() if a <= d < b) for a, b in zip(self.days, ends, strict=True)]
        return [Fraction(demand.quantity[self.t]) * part / sum(weights.values()) for part in parts]


def _of_year(day: date) -> Fraction:
    """The part of its year that a day is."""
    return Fraction(1, (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1)
