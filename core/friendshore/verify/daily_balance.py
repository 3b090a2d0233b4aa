"""Daily balance of a compliance class at a node: the days on which it runs out within a period, and on which it needs an arrival."""

# Stock is used as early as possible: each demand takes its deliveries at full pace from its first day, and makers take their inputs on the
# first day of the period. So a day that follows from the balance is never too late.

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ..domain.base import grouped, totals
from ..domain.runtime import cached_method
from ..domain.time import Period
from ..problem.network import Node, final_node
from .arrivals import arrival_day, daily_shares
from .plan_entries import Bought, PlanEntries

Pool = tuple[Node, str]
"""Node and compliance class."""
IGNORED_STEPS = 10
"""Multiple of the resolution up to which a shortage counts as met."""


class Arrival(NamedTuple):
    """Arrival of goods of a compliance class at a node."""

    day: date
    kilograms: Fraction
    is_planned: bool = False
    """True for an order of the plan that is due on the first day of the period."""


class DailyBalance:
    """Daily balances of a plan by pool and period."""

    def __init__(self, ledger: PlanEntries) -> None:
        self.ledger, self.problem = ledger, ledger.problem
        self.periods = ledger.problem.case.horizon.periods

    def serves_later(self, pool: Pool, t: int, demand: int) -> bool:
        """Return True if goods that arrive after a period serve a demand, or another one of the same use that follows it."""
        demands, served = self.problem.demands, self._served_after(pool, t)
        has_ended = not any(demands[demand].quantity[t + 1 :])
        return demand in served or (has_ended and any(demands[other].use == demands[demand].use for other in served))

    def is_short_until(self, pool: Pool, t: int, own: Arrival, early: Iterable[Arrival]) -> bool:
        """Return True if demand is short on the day before an order of the next period arrives early. An order for a maker's inputs always counts."""
        if not any(self.serves_later(pool, t, number) for number in self._short.get((pool, t), ())):
            return True
        before = [arrival for arrival in early if arrival.day < own.day]
        return own.day - timedelta(days=1) in self._short_days(pool, t, before)

    def _short_days(self, pool: Pool, t: int, early: Iterable[Arrival]) -> list[date]:
        """Return the days on which demand that the class also serves later is short, if some orders of the next period arrive early."""
        wanted = dict(self._delivered.get((pool, t), {}))
        for number, kilograms in self._short.get((pool, t), {}).items():
            if self.serves_later(pool, t, number):
                wanted[number] = wanted.get(number, Fraction(0)) + kilograms
        uses = [(kilograms, self._shares(number, t)) for number, kilograms in wanted.items()]
        arriving: defaultdict[date, Fraction] = defaultdict(Fraction)
        for arrival in (*self._arriving.get((pool, t), ()), *early):
            arriving[arrival.day] += arrival.kilograms
        # Closing stock is kept for later, as planned.
        level = self._opening(pool, t) - Fraction(self._stock.get((pool, t), 0))
        days, tolerance = list[date](), Fraction(self.problem.case.resolution) * IGNORED_STEPS
        for day in days_of(self.periods[t]):
            level += arriving[day] - sum(kilograms * shares.get(day, 0) for kilograms, shares in uses)
            if level < -tolerance:
                days.append(day)
                level = Fraction(0)
        return days

    @cached_method
    def needed_day(self, pool: Pool, t: int) -> date:
        """Return the day on which a class needs its orders of a period. The last day of the period if only later periods need them."""
        uses = [
            (kilograms, Fraction(self.problem.demands[number].quantity[t]), self._shares(number, t))
            for number, kilograms in self._delivered.get((pool, t), {}).items()
        ]
        first, level = self.periods[t].start, self._opening(pool, t)
        dated = [arrival for arrival in self._arriving.get((pool, t), ()) if not arrival.is_planned]
        shares_so_far = [Fraction(0)] * len(uses)
        for day in days_of(self.periods[t]):
            shares_so_far = [
                total + shares.get(day, 0) for total, (_, _, shares) in zip(shares_so_far, uses, strict=True)
            ]
            used = sum(
                min(kilograms, wanted * total)
                for total, (kilograms, wanted, _) in zip(shares_so_far, uses, strict=True)
            )
            if level + sum(arrival.kilograms for arrival in dated if arrival.day <= day) < used:
                return day
        return self.periods[t].end if level >= 0 else first

    def _opening(self, pool: Pool, t: int) -> Fraction:
        """Return the stock of a class carried into a period, less the inputs that makers take in the period."""
        stock, drawn = self._stock.get((pool, t - 1), Decimal(0)), self._drawn.get((pool, t), Decimal(0))
        return Fraction(self.ledger.carried(pool[0], stock, t)[0] if stock else 0) - Fraction(drawn)

    def _served_after(self, pool: Pool, t: int) -> set[int]:
        """Return the demands that a class serves in the next period and in those to which it carries stock."""
        served = set[int]()
        for period in range(t + 1, len(self.periods)):
            served |= self._delivered.get((pool, period), {}).keys()
            if not self._stock.get((pool, period)):
                break
        return served

    @cached_method
    def _shares(self, demand: int, t: int) -> dict[date, Fraction]:
        return daily_shares(self.problem.demands[demand], self.periods[t])

    @cached_property
    def _stock(self) -> dict[tuple[Pool, int], Decimal]:
        return totals(
            ((((stock.material, stock.place), stock.compliance_class), stock.period), stock.quantity)
            for stock in self.ledger.plan.stocks
        )

    @cached_property
    def _drawn(self) -> dict[tuple[Pool, int], Decimal]:
        return totals((((node, label), t), kilograms) for node, label, t, kilograms, _ in self.ledger.draws())

    @cached_property
    def _delivered(self) -> dict[tuple[Pool, int], dict[int, Fraction]]:
        """Pool and period -> kilograms by demand."""
        delivered: defaultdict[tuple[Pool, int], dict[int, Fraction]] = defaultdict(dict)
        for entry, demand in self.ledger.deliveries:
            by_demand = delivered[(final_node(self.problem.demands[demand].use), entry.compliance_class), entry.period]
            by_demand[demand] = by_demand.get(demand, Fraction(0)) + Fraction(entry.quantity)
        return delivered

    @cached_property
    def _short(self) -> dict[tuple[Pool, int], dict[int, Fraction]]:
        """Pool and period -> kilograms short by demand that the class may serve."""
        delivered = totals(((demand, entry.period), entry.quantity) for entry, demand in self.ledger.deliveries)
        short: defaultdict[tuple[Pool, int], dict[int, Fraction]] = defaultdict(dict)
        for compliance_class in self.problem.compliance_classes:
            for number, t in {(outlet.demand, outlet.period) for outlet in compliance_class.outlets}:
                demand = self.problem.demands[number]
                kilograms = demand.quantity[t] - delivered.get((number, t), Decimal(0))
                if kilograms > self.problem.case.resolution * IGNORED_STEPS:
                    short[(final_node(demand.use), compliance_class.label), t][number] = Fraction(kilograms)
        return short

    @cached_property
    def _arriving(self) -> dict[tuple[Pool, int], list[Arrival]]:
        """Pool and period -> arrivals, none before the first day of the period."""
        return grouped(
            (((item.arc.node, item.compliance_class), item.delivered), self._arrival(item))
            for item in self.ledger.bought
        )

    def _arrival(self, item: Bought) -> Arrival:
        first, day = self.periods[item.delivered].start, arrival_day(self.ledger, item)
        return Arrival(max(first, day or first), Fraction(item.quantity), item.arc.offer >= 0 and day is None)


def days_of(period: Period) -> list[date]:
    return [period.start + timedelta(days=number) for number in range(period.days)]
