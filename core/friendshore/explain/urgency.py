"""Days of orders: each as late as the plan allows, and at once what is short until it arrives.

A plan counts goods from the first day of their period of arrival. An order that goes out on the first day of its own period arrives before that, in
the period before. Where the demand that it serves is short in that period, the good then ends the shortage earlier.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import NamedTuple

from ..domain.use import Use
from ..problem.compliance_classes import ComplianceClass
from ..problem.law import Charges
from ..problem.network import Arc, Node, final_node
from ..verify import Bought, PlanEntries

_MET = 10
"""Multiple of the resolution up to which a demand counts as met."""
_SAME = Decimal("1e-10")
"""Share by which two charges that are the same may differ through rounding."""


class OrderDay(NamedTuple):
    """The day by which an order is to be placed."""

    day: date
    at_once: bool
    """True if what it serves is short until it arrives."""


def order_days(ledger: PlanEntries) -> list[OrderDay]:
    """Return the days of all purchases of a plan, in their order."""
    return _OrderDays(ledger).found()


@dataclass(eq=False)
class _OrderDays:
    ledger: PlanEntries

    def found(self) -> list[OrderDay]:
        bought = [item for item in self.ledger.bought if item.arc.offer >= 0]
        orders: defaultdict[tuple[int, int], list[Bought]] = defaultdict(list)
        for item in bought if self._lacking else ():
            orders[self._order(item)].append(item)
        early = {key: day for key, items in orders.items() if (day := self._early(items)) is not None}
        days = []
        for item in bought:
            last, day = item.arc.order_by[item.ordered], early.get(self._order(item))
            days.append(OrderDay(last if day is None else min(day, last), day is not None))
        return days

    def _order(self, item: Bought) -> tuple[int, int]:
        """Return what tells its order apart: a run of several goods is one, whichever ways they go."""
        single = self.ledger.problem.offers[item.arc.offer].single
        return item.arc.index if single else -1 - item.arc.offer, item.ordered

    def _early(self, items: Sequence[Bought]) -> date | None:
        """Return the first day on which an order may be placed. None if an earlier arrival ends no shortage, or is on other terms."""
        if not any(self._is_awaited(item) for item in items):
            return None
        day = max(self._first(item) for item in items)
        moved = [item for item in items if day < item.arc.order_by[item.ordered]]
        return day if all(self._same_terms(item) for item in moved) else None

    def _first(self, item: Bought) -> date:
        """Return the first day of an order. A maker takes its inputs then, so it waits for what arrives within the period."""
        arc, t = item.arc, item.ordered
        last = arc.order_by[t]
        nodes = self.ledger.problem.network.feeds.get(arc.offer, ())
        inputs = [day for node in nodes for day in self._arriving[node, t] if day <= last]
        return max([arc.times.first[t], *inputs])

    def _is_awaited(self, item: Bought) -> bool:
        """Return True if what a purchase serves is short in the period before it arrives."""
        node, t = item.arc.node, item.delivered - 1
        return item.arc.arrives[item.ordered] is None and (node, item.entry.requirement, t) in self._lacking

    @cached_property
    def _lacking(self) -> set[tuple[Node, str, int]]:
        """Nodes, compliance classes, and periods in which an arrival would end a shortage: there, or by an earlier order of a maker."""
        problem, network = self.ledger.problem, self.ledger.problem.network
        least = problem.case.resolution * _MET
        short = {(one.demand, one.period) for one in self.ledger.plan.shorts if one.quantity > least}
        waiting = {
            (final_node(problem.demands[outlet.demand].use), each.label, outlet.period)
            for each in problem.compliance_classes
            for outlet in each.outlets
            if (problem.demands[outlet.demand].id, outlet.period) in short
        }
        made: defaultdict[tuple[Node, str, int], list[Bought]] = defaultdict(list)
        """Purchases from makers, by what and when they are delivered."""
        runs: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for make, offer in self.ledger.makes:
            runs[offer, make.period].add(make.requirement)
        for item in self.ledger.bought:
            if item.arc.offer in network.feeds:
                made[item.arc.node, item.entry.requirement, item.delivered].append(item)
        found = set(waiting)
        while waiting:
            node, requirement, t = waiting.pop()
            for item in made[node, requirement, t + 1]:
                offer, before = item.arc.offer, item.ordered - 1
                if before < 0 or item.arc.arrives[item.ordered] or problem.offers[offer].most[before] == 0:
                    continue
                single = problem.offers[offer].single
                labels = {item.entry.requirement} if single else runs[offer, item.ordered]
                more = {(feed, label, before) for feed in network.feeds[offer] for label in labels} - found
                found |= more
                waiting |= more
        return found

    @cached_property
    def _arriving(self) -> defaultdict[tuple[Node, int], list[date]]:
        """Days after the first of a period on which something arrives at a node."""
        problem, found = self.ledger.problem, defaultdict[tuple[Node, int], list[date]](list)
        for item in self.ledger.bought:
            arc = item.arc
            day = problem.lots[arc.lot].arrives if arc.lot >= 0 else arc.arrives[item.ordered]
            if day is not None:
                found[arc.node, item.delivered].append(day)
        return found

    def _same_terms(self, item: Bought) -> bool:
        """Return True if what arrives a period earlier is as lawful and as dear, and may be stored."""
        problem, arc, before = self.ledger.problem, item.arc, item.delivered - 1
        store = problem.stores.get(arc.node)
        if store is not None and store.limit[before] is not None:
            return False
        if item.entry.licences or arc.freight[before] != arc.freight[item.delivered]:
            return False
        own, uses = self._classes[item.entry.requirement]
        if not uses or not own.admits(arc.index, before) or own.permits.get((arc.index, before)):
            return False
        return all(
            self._same_charge(arc, item.ordered, use) for use in uses if arc.index in problem.judgements[use].reach
        )

    @cached_property
    def _classes(self) -> dict[str, tuple[ComplianceClass, set[Use]]]:
        """Every compliance class with the uses that it serves, by its label."""
        problem = self.ledger.problem
        return {
            each.label: (each, {problem.demands[outlet.demand].use for outlet in each.outlets})
            for each in problem.compliance_classes
        }

    def _same_charge(self, arc: Arc, t: int, use: Use) -> bool:
        sooner = replace(arc, times=arc.times._replace(lags=tuple(lag - 1 for lag in arc.lags)))
        then, now = (sum(self._charges.parts(way, use, t).values(), Decimal(0)) for way in (arc, sooner))
        return abs(then - now) <= _SAME * max(abs(then), abs(now))

    @cached_property
    def _charges(self) -> Charges:
        problem = self.ledger.problem
        return Charges(problem.network, problem.law, problem.offers, self.ledger.answers)
