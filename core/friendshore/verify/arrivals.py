"""Check that stock lasts until the next arrival, for every node and period with an arrival after the first day."""

# Deliveries of such a period are used evenly over the days with demand. A shortage may fall on any of them. An order to a maker draws its
# inputs on the last day on which it may be placed.
#
# The plan is valid if each delivery can be split between the stretches from one arrival to the next. No stretch may use more than its
# share of a demand, and no compliance class more than it has by then. The first split uses everything as late as it is needed. If that
# fails, a linear program looks for another split. Its result is summed and checked like everything else, so no trust in the program is
# needed.

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
from ..domain.time import Period, add_months
from ..problem.demands import Demand
from ..problem.network import Node, final_node
from .plan_entries import Bought, PlanEntries

_OF_ROUNDING = 0.9
"""Share of the rounding tolerance that the linear program may use. The rest covers its own tolerance."""


class DatedFlow(NamedTuple):
    """An arrival at a node for a compliance class, or a draw from it, on a day."""

    compliance_class: str
    day: date | None
    """None if it is available from the start of the period."""
    kilograms: Decimal
    roundings: Decimal
    """Number of rounded values behind the kilograms."""


def check_arrivals(ledger: PlanEntries, stock: dict[tuple[tuple[Node, str], int], tuple[Decimal, Decimal]]) -> None:
    """Report use of stock before it arrives. `stock` is by node, class, and period, with the number of rounded values behind it."""
    problem = ledger.problem
    used = [problem.network.arcs[arc] for arc in np.flatnonzero(np.bincount(ledger.columns.arc)).tolist()]
    if not any(problem.lots[arc.lot].arrives if arc.lot >= 0 else any(arc.arrives) for arc in used):
        return
    days: defaultdict[tuple[Node, int], set[date]] = defaultdict(set)
    for item in ledger.bought:
        day = arrival_day(ledger, item)
        if day is not None and day != problem.case.horizon.periods[item.delivered].start:
            days[item.arc.node, item.delivered].add(day)
    flows: defaultdict[tuple[Node, int], list[DatedFlow]] = defaultdict(list)
    if days:
        for at, flow in (*_arrivals(ledger), *_draws(ledger)):
            flows[at].append(flow)
        for ((node, compliance_class), t), (kilograms, roundings) in stock.items():
            carried, extra_roundings = (
                ledger.carried(node, kilograms, t + 1) if (node, t + 1) in days else (kilograms, 0)
            )
            flows[node, t + 1].append(DatedFlow(compliance_class, None, carried, roundings + extra_roundings))
    for (node, t), days_of_node in sorted(days.items()):
        if node[0] not in ledger.unplanned:
            _Stretches(ledger, node, t, sorted(days_of_node), flows[node, t]).check()


def _arrivals(ledger: PlanEntries) -> Iterator[tuple[tuple[Node, int], DatedFlow]]:
    for item in ledger.bought:
        roundings = Decimal(2 if ledger.in_lots(item) else 1)
        flow = DatedFlow(item.compliance_class, arrival_day(ledger, item), item.quantity, roundings)
        yield (item.arc.node, item.delivered), flow


def arrival_day(ledger: PlanEntries, item: Bought) -> date | None:
    """Return the day on which a purchase or a stock lot arrives. None if on or before the first day of its period."""
    lot = item.arc.lot
    return ledger.problem.lots[lot].arrives if lot >= 0 else item.arc.arrives[item.ordered]


def _draws(ledger: PlanEntries) -> Iterator[tuple[tuple[Node, int], DatedFlow]]:
    """Yield the inputs of orders, each on the last day for the order. If several outputs go different ways, the earliest such day counts."""
    problem, count = ledger.problem, ledger.problem.case.horizon.count
    orders = [
        (item.arc.offer, item.compliance_class, item.ordered, item.quantity, item.arc.order_by[item.ordered])
        for item in ledger.bought
        if item.arc.offer >= 0 and problem.offers[item.arc.offer].has_one_output
    ]
    for make, offer in ledger.makes:
        ways = [arc for arc in problem.network.arcs if arc.offer == offer and arc.arrival(make.period) < count]
        day = min((arc.order_by[make.period] for arc in ways), default=problem.case.horizon.begins(make.period))
        orders.append((offer, make.compliance_class, make.period, make.units, day))
    for offer, compliance_class, t, units, day in orders:
        facts = problem.offers[offer]
        for line in facts.offer.inputs:
            roundings = line.per_unit * ledger.half_steps(offer)
            yield ((line.material, facts.place), t), DatedFlow(compliance_class, day, -line.per_unit * units, roundings)


@dataclass(eq=False)
class _Stretches:
    ledger: PlanEntries
    node: Node
    t: int
    days: Sequence[date]
    """Days with an arrival, after the first day of the period."""
    flows: Sequence[DatedFlow]

    @cached_property
    def used(self) -> dict[tuple[str, int], tuple[Decimal, int]]:
        deliveries: dict[tuple[str, int], tuple[Decimal, int]] = {}
        for delivery, demand in self.ledger.deliveries:
            if delivery.period == self.t and final_node(self.ledger.problem.demands[demand].use) == self.node:
                kilograms, roundings = deliveries.get((delivery.compliance_class, demand), (Decimal(0), 0))
                deliveries[delivery.compliance_class, demand] = kilograms + delivery.quantity, roundings + 1
        return deliveries

    def check(self) -> None:
        split, step = self._simple_split(), self.ledger.problem.case.resolution
        if any(lack > step / 2 * count * Decimal(_OF_ROUNDING) for _, _, lack, count in self._lacks(split)):
            split = self._optimal_split()
        for compliance_class, day, lack, roundings in self._lacks(split):
            subject = f"more {self.node[0]} at {self.node[1]} ({compliance_class})"
            self.ledger.report_excess(
                "FS625", lack, roundings, f"{subject} is used before {day} than is available by then"
            )

    def _lacks(
        self, split: Mapping[tuple[str, int], Sequence[Decimal]]
    ) -> Iterator[tuple[str, date, Decimal, Decimal]]:
        """Yield class, day, kilograms, and roundings of each lack of material before an arrival."""
        draws = {(flow.compliance_class, flow.day) for flow in self.flows if flow.kilograms < 0}
        for compliance_class in sorted({key[0] for key in self.used} | {name for name, _ in draws}):
            for number, day in enumerate(self.days):
                available, roundings = self._available_before(compliance_class, day)
                used = sum(
                    (
                        kilograms - sum(split[key][number:])
                        for key, (kilograms, _) in self.used.items()
                        if key[0] == compliance_class
                    ),
                    Decimal(0),
                )
                if used > available:
                    yield compliance_class, day, used - available, roundings

    def _available_before(self, compliance_class: str, day: date) -> tuple[Decimal, Decimal]:
        """Return the stock of a class before a day, less draws until then, and the roundings in stock and use."""
        before = [f for f in self.flows if f.compliance_class == compliance_class and (f.day is None or f.day < day)]
        used = sum(roundings for (name, _), (_, roundings) in self.used.items() if name == compliance_class)
        return sum((f.kilograms for f in before), Decimal(0)), sum((f.roundings for f in before), Decimal(used))

    def _simple_split(self) -> dict[tuple[str, int], list[Decimal]]:
        """Return the split that uses everything as late as possible, in equal proportions of a demand's classes."""
        split = {}
        for demand in {demand for _, demand in self.used}:
            deliveries = {key: Fraction(kilograms) for key, (kilograms, _) in self.used.items() if key[1] == demand}
            remaining = total = sum(deliveries.values(), Fraction(0))
            parts = list[Fraction]()
            for stretch_limit in reversed(self._stretches(self.ledger.problem.demands[demand])):
                parts.insert(0, min(stretch_limit, remaining))
                remaining -= parts[0]
            for key, amount in deliveries.items():
                shares = [part * amount / total if total else part for part in parts]
                split[key] = [exact(Decimal(each.numerator) / each.denominator) for each in shares]
        return split

    def _optimal_split(self) -> dict[tuple[str, int], list[Decimal]]:
        """Return class and demand -> use in each stretch, with a minimum of use before arrival."""
        from ..small_lp import proposed_minimum  # HiGHS is slow to import, and few periods have an arrival within them

        keys, stretch_count = list(self.used), len(self.days)
        if not keys:
            return {}
        stretches = {demand: self._stretches(self.ledger.problem.demands[demand]) for _, demand in keys}
        names = sorted({name for name, _ in keys})
        width = (
            len(keys) * stretch_count + len(names) * stretch_count
        )  # parts of deliveries, then what each class lacks before each day
        rows, limits_of_rows = [], []

        def at_most(columns: Sequence[int], limit: float, lacking: int = -1) -> None:
            row = np.zeros(width)
            row[list(columns)] = 1.0 if lacking < 0 else -1.0
            if lacking >= 0:
                row[lacking] = -1.0
            rows.append(row)
            limits_of_rows.append(limit)

        for i, key in enumerate(keys):
            at_most(range(i * stretch_count, (i + 1) * stretch_count), float(self.used[key][0]))
        for demand, limits in stretches.items():
            for number, limit in enumerate(limits):
                at_most([i * stretch_count + number for i, key in enumerate(keys) if key[1] == demand], float(limit))
        for row, name in enumerate(names):
            of_class = [i for i, key in enumerate(keys) if key[0] == name]
            for number, day in enumerate(self.days):
                available, roundings = self._available_before(name, day)
                allowed = available + self.ledger.problem.case.resolution / 2 * roundings * Decimal(_OF_ROUNDING)
                used = sum((self.used[keys[i]][0] for i in of_class), Decimal(0))
                later = [i * stretch_count + stretch for i in of_class for stretch in range(number, stretch_count)]
                at_most(later, float(allowed - used), len(keys) * stretch_count + row * stretch_count + number)
        cost = np.concatenate([np.zeros(len(keys) * stretch_count), np.ones(len(names) * stretch_count)])
        x = proposed_minimum(cost, np.array(rows), np.array(limits_of_rows), upper=np.inf)
        parts = np.zeros(width) if x is None else x
        return {
            key: [
                self._limited(value, limit)
                for value, limit in zip(
                    parts[i * stretch_count : (i + 1) * stretch_count], stretches[key[1]], strict=True
                )
            ]
            for i, key in enumerate(keys)
        }

    def _limited(self, value: float, limit: Fraction) -> Decimal:
        return min(exact(Decimal(repr(float(value)))), exact(Decimal(limit.numerator) / limit.denominator))

    def _stretches(self, demand: Demand) -> list[Fraction]:
        shares = daily_shares(demand, self.ledger.problem.case.horizon.periods[self.t])
        ends = [*self.days[1:], date.max]
        parts = [sum(w for d, w in shares.items() if a <= d < b) for a, b in zip(self.days, ends, strict=True)]
        return [Fraction(demand.quantity[self.t]) * part for part in parts]


def daily_shares(demand: Demand, period: Period) -> dict[date, Fraction]:
    """Return the share of a period's demand on each of its days with demand."""
    first, last = (
        None if day is None else add_months(day, demand.spec.later) for day in (demand.spec.start, demand.spec.end)
    )
    days = [period.start + timedelta(days=number) for number in range(period.days)]
    days_with_demand = [d for d in days if (first is None or first <= d) and (last is None or d <= last)] or days
    weights = {d: Fraction(1) if demand.spec.quantities else _share_of_year(d) for d in days_with_demand}
    total = sum(weights.values())
    return {day: weight / total for day, weight in weights.items()}


def _share_of_year(day: date) -> Fraction:
    return Fraction(1, (date(day.year, 12, 31) - date(day.year, 1, 1)).days + 1)
