"""Holdings of a plan, and the days of its orders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from ..domain.base import grouped
from ..domain.run import LotVerdict, RunHolding, RunHoldingProhibition, RunHoldingUse
from ..domain.use import Result, Use, Verdict
from ..problem import Problem
from ..problem.demands import Lot
from ..problem.law import Charges, Judgement
from ..problem.network import Arc, Node, arrival_of, final_node
from ..rules.base import Phase, Rule
from ..verify import Bought, PlanEntries, VerifiedPlan
from ..verify.arrivals import arrival_day
from ..verify.daily_balance import IGNORED_STEPS, Arrival, DailyBalance, Pool


def holdings(verified: VerifiedPlan) -> list[RunHolding]:
    problem = verified.problem
    arcs = {arc.lot: arc for arc in problem.network.arcs if arc.lot >= 0}
    unused_kg, uses = _unused_kg(verified), _LotUses(problem)
    return [
        RunHolding(
            lot=lot.id,
            kind="order" if lot.on_order else "stock",
            offer=lot.offer,
            material=lot.material,
            place=lot.place.id,
            arrives=lot.arrives,
            available=problem.case.horizon.label(lot.period),
            quantity_kg=lot.quantity,
            used_kg=lot.quantity - unused_kg[lot.id],
            left_kg=unused_kg[lot.id],
            uses=list(uses.of(lot, arcs[position])),
        )
        for position, lot in enumerate(problem.lots)
    ]


def _unused_kg(verified: VerifiedPlan) -> dict[str, Decimal]:
    """Return the unused kilograms of each lot. The last lots to arrive are the last to be used."""
    plan, last = verified.plan, verified.problem.case.horizon.count - 1
    unused_kg = {lot.id: lot.quantity for lot in verified.problem.lots}
    final_stocks = [stock for stock in plan.stocks if stock.period == last]
    arrivals: dict[tuple[str, str, str], list[tuple[int, bool, str, Decimal]]] = {
        (stock.material, stock.place, stock.compliance_class): [] for stock in final_stocks
    }
    for item in verified.ledger.bought:
        name = item.name if item.arc.lot >= 0 else ""
        if name:
            unused_kg[name] -= item.quantity
        pool = item.material, item.place, item.compliance_class
        if pool in arrivals:
            arrivals[pool].append((item.delivered, not name, name, item.quantity))
    for stock in final_stocks:
        stock_kg = stock.quantity
        for _, _, name, quantity in sorted(arrivals[stock.material, stock.place, stock.compliance_class], reverse=True):
            part = min(stock_kg, quantity)
            stock_kg -= part
            if name:
                unused_kg[name] += part
    return unused_kg


class _LotUses:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        lot_arcs = {arc.index for arc in problem.network.arcs if arc.lot >= 0}
        self.demands_by_use = grouped((demand.use, number) for number, demand in enumerate(problem.demands))
        # Classes that serve each demand in each period.
        self.serving = grouped(
            ((outlet.demand, outlet.period), compliance_class)
            for compliance_class in problem.compliance_classes
            for outlet in compliance_class.outlets
        )
        self.uses_by_arc = grouped(
            (arc, use) for use, judgement in problem.judgements.items() for arc in judgement.reach & lot_arcs
        )

    def of(self, lot: Lot, arc: Arc) -> Iterator[RunHoldingUse]:
        problem = self.problem
        for use in self.uses_by_arc.get(arc.index, ()):
            numbers = self.demands_by_use.get(use, [])
            periods = range(lot.period, problem.case.horizon.count)
            with_demand = [t for t in periods if any(problem.demands[number].quantity[t] for number in numbers)]
            usable = [t for t in with_demand if self._can_serve(arc, lot, numbers, t)]
            verdict: LotVerdict = "may be used"
            if not with_demand:
                verdict = "not wanted"
            elif not usable:
                verdict = "barred"
            elif len(usable) < len(with_demand):
                verdict = "may be used in part of the time"
            yield RunHoldingUse(
                demand_material=use.material.id,
                end_use=use.end_use,
                place=use.place.id,
                verdict=verdict,
                periods=[problem.case.horizon.label(t) for t in usable],
                prohibitions=[]
                if verdict in ("may be used", "not wanted")
                else list(_prohibitions(problem, lot, arc, problem.judgements[use])),
            )

    def _can_serve(self, arc: Arc, lot: Lot, demands: Sequence[int], period: int) -> bool:
        return any(
            compliance_class.admits(arc.index, lot.period)
            for demand in demands
            for compliance_class in self.serving.get((demand, period), ())
        )


def _prohibitions(problem: Problem, lot: Lot, arc: Arc, judgement: Judgement) -> Iterator[RunHoldingProhibition]:
    horizon = problem.case.horizon
    for trade, table in ((False, judgement.chain), (True, judgement.trade)):
        for position, verdicts in table.items():
            verdict, rule = verdicts.get(arc.index), problem.rules[position]
            if verdict is None or not problem.law.forbids(verdict, arc):
                continue
            days = horizon.periods[lot.period].span if trade else horizon.span
            if trade and verdict.license and problem.law.licenses(verdict, arc, judgement.use, days) is not None:
                continue
            is_dated_by_order = rule.dated_by == "order" and arc.node == final_node(judgement.use)
            days = lot.acquired if is_dated_by_order else days
            for phase in rule.phases:
                if phase.status not in problem.law.statuses or not phase.span.meets(days):
                    continue
                start = max(phase.start or horizon.periods[0].start, horizon.periods[0].start)
                end = phase.end if phase.end is not None and phase.end < horizon.periods[-1].end else None
                yield RunHoldingProhibition(
                    rule=verdict.rule,
                    start=start,
                    end=end,
                    unproven=verdict.result is Result.UNPROVEN,
                    stage=verdict.stage,
                    countries=list(verdict.countries),
                    clause=verdict.clause,
                    reason=verdict.reason,
                    fix=_trade_remedies(lot, phase, verdict) if trade else _remedies(lot, rule, phase, verdict),
                )


def _trade_remedies(lot: Lot, phase: Phase, verdict: Verdict) -> str:
    remedies = [f"an export license, recorded as [[license]] with rule = `{verdict.rule}`"] if verdict.license else []
    if not verdict.license and verdict.result is Result.UNPROVEN:
        remedies.append("proof of its customs origin")
    if phase.start is not None and lot.arrives is not None:
        if lot.arrives < phase.start:
            remedies.append(
                f"periods one of which begins on {phase.start}: it arrives before, and all days of a period count alike"
            )
        else:
            remedies.append(f"arrival by {phase.start - timedelta(days=1)}")
    return (
        " or ".join(remedies)
        or "nothing that the case can record: resell it, cancel it, or use it where no border is crossed"
    )


def _remedies(lot: Lot, rule: Rule, phase: Phase, verdict: Verdict) -> str:
    remedies = []
    if verdict.result is Result.UNPROVEN:
        if lot.offer and lot.chained.offer.inputs and not lot.confirmed:
            table = "order" if lot.on_order else "stock"
            remedies.append(
                f"what it is made from, as its supplier confirms it: `inputs`, `confirmed_by`, and `confirmed_on` of the [[{table}]]"
            )
        else:
            of = f"in the chain of `{verdict.offer or lot.offer}`" if lot.offer else "in the `chain` of the [[stock]]"
            remedies.append(f"proof of where it was {verdict.stage or 'made'}, {of}")
    if rule.dated_by == "delivery" and phase.start is not None and (lot.arrives is None or lot.arrives < phase.start):
        remedies.append(f"delivery by {phase.start - timedelta(days=1)}")
    if rule.dated_by == "order" and phase.start is not None and lot.acquired.start is None:
        remedies.append(f"the day of its order, if it was before {phase.start}")
    remedies.append(f"a [[waiver]] of `{rule.id}`")
    return " or ".join(remedies)


_SAME = Decimal("1e-10")  # relative difference due to rounding


class OrderDay(NamedTuple):
    """Last day for an order, or the first day if an earlier arrival reduces a shortage."""

    day: date
    at_once: bool
    """True if the demand is short until it arrives."""


def _pool(item: Bought) -> Pool:
    return item.arc.node, item.compliance_class


def order_days(ledger: PlanEntries) -> list[OrderDay]:
    return _OrderDays(ledger).compute()


@dataclass(eq=False)
class _OrderDays:
    ledger: PlanEntries

    def compute(self) -> list[OrderDay]:
        bought = [item for item in self.ledger.bought if item.arc.offer >= 0]
        orders: defaultdict[tuple[int, int], list[Bought]] = defaultdict(list)
        for item in bought if self._awaited else ():
            orders[self._order_key(item)].append(item)
        early = {key: day for key, items in orders.items() if (day := self._early_day(items)) is not None}
        arriving: defaultdict[tuple[Pool, int], list[Arrival]] = defaultdict(list)
        for key, day in early.items():
            for item in filter(self._is_awaited, orders[key]):
                arriving[_pool(item), item.delivered].append(self._arrival(item, day))
        at_once = {
            key: any(self._is_short_until(item, early[key], arriving) for item in filter(self._is_awaited, orders[key]))
            for key in early
        }
        days: list[OrderDay] = []
        shared: dict[OrderDay, OrderDay] = {}
        for item in bought:
            key, last = self._order_key(item), item.arc.order_by[item.ordered]
            order_day = OrderDay(min(early.get(key, last), last), at_once.get(key, False))
            days.append(shared.setdefault(order_day, order_day))
        return days

    def _arrival(self, item: Bought, ordered: date) -> Arrival:
        return Arrival(arrival_of(item.arc, ordered, self.ledger.problem.case), Fraction(item.quantity))

    def _is_short_until(
        self, item: Bought, ordered: date, arriving: Mapping[tuple[Pool, int], Sequence[Arrival]]
    ) -> bool:
        pool, t = _pool(item), item.delivered
        return self._balance.is_short_until(pool, t - 1, self._arrival(item, ordered), arriving[pool, t])

    @cached_property
    def _balance(self) -> DailyBalance:
        return DailyBalance(self.ledger)

    def _order_key(self, item: Bought) -> tuple[int, int]:
        single = self.ledger.problem.offers[item.arc.offer].has_one_output
        return item.arc.index if single else -1 - item.arc.offer, item.ordered

    def _early_day(self, items: Sequence[Bought]) -> date | None:
        """Return the first possible day. None if an earlier arrival doesn't reduce a shortage, or has other terms."""
        if not any(self._is_awaited(item) for item in items):
            return None
        day = max(self._first_day(item) for item in items)
        moved = [item for item in items if day < item.arc.order_by[item.ordered]]
        return day if all(self._has_same_terms(item) for item in moved) else None

    def _first_day(self, item: Bought) -> date:
        """Return the first day of an order. A maker takes its inputs on that day, so it waits for arrivals within the period."""
        arc, t = item.arc, item.ordered
        last = arc.order_by[t]
        nodes = self.ledger.problem.network.feeds.get(arc.offer, ())
        inputs = [day for node in nodes for day in self._arriving.get((node, t), ()) if day <= last]
        return max([arc.times.first[t], *inputs])

    def _is_awaited(self, item: Bought) -> bool:
        node, before = item.arc.node, item.delivered - 1
        return item.arc.arrives[item.ordered] is None and (node, item.compliance_class, before) in self._awaited

    @cached_property
    def _awaited(self) -> set[tuple[Node, str, int]]:
        """Nodes, compliance classes, and periods in which an arrival would reduce a shortage, directly or through an earlier order of a maker."""
        problem, network = self.ledger.problem, self.ledger.problem.network
        min_short = problem.case.resolution * IGNORED_STEPS
        short = {(entry.demand, entry.period) for entry in self.ledger.plan.shorts if entry.quantity > min_short}
        waiting = {
            (final_node(problem.demands[outlet.demand].use), each.label, outlet.period)
            for each in problem.compliance_classes
            for outlet in each.outlets
            if (problem.demands[outlet.demand].id, outlet.period) in short
            and self._balance.serves_later(
                (final_node(problem.demands[outlet.demand].use), each.label), outlet.period, outlet.demand
            )
        }
        by_maker: defaultdict[tuple[Node, str, int], list[Bought]] = defaultdict(list)
        runs: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
        for make, offer in self.ledger.makes:
            runs[offer, make.period].add(make.compliance_class)
        for item in self.ledger.bought:
            if item.arc.offer in network.feeds:
                by_maker[item.arc.node, item.compliance_class, item.delivered].append(item)
        lacking = set(waiting)
        while waiting:
            node, compliance_class, t = waiting.pop()
            for item in by_maker[node, compliance_class, t + 1]:
                offer, before = item.arc.offer, item.ordered - 1
                if before < 0 or item.arc.arrives[item.ordered] or problem.offers[offer].max_units[before] == 0:
                    continue
                single = problem.offers[offer].has_one_output
                labels = {item.compliance_class} if single else runs[offer, item.ordered]
                inputs = {(feed, label, before) for feed in network.feeds[offer] for label in labels} - lacking
                lacking |= inputs
                waiting |= inputs
        return lacking

    @cached_property
    def _arriving(self) -> dict[tuple[Node, int], list[date]]:
        days = ((item, arrival_day(self.ledger, item)) for item in self.ledger.bought)
        return grouped(((item.arc.node, item.delivered), day) for item, day in days if day is not None)

    def _has_same_terms(self, item: Bought) -> bool:
        problem, arc, before = self.ledger.problem, item.arc, item.delivered - 1
        store = problem.stores.get(arc.node)
        if store is not None and store.limit[before] is not None:
            return False
        if item.licenses or arc.freight[before] != arc.freight[item.delivered]:
            return False
        compliance_class, uses = problem.class_of[item.compliance_class], self._uses_by_class[item.compliance_class]
        if (
            not uses
            or not compliance_class.admits(arc.index, before)
            or compliance_class.permits.get((arc.index, before))
        ):
            return False
        return all(
            self._has_same_charge(arc, item.ordered, use) for use in uses if arc.index in problem.judgements[use].reach
        )

    @cached_property
    def _uses_by_class(self) -> dict[str, set[Use]]:
        problem = self.ledger.problem
        return {
            each.label: {problem.demands[outlet.demand].use for outlet in each.outlets}
            for each in problem.compliance_classes
        }

    def _has_same_charge(self, arc: Arc, t: int, use: Use) -> bool:
        earlier = replace(arc, times=arc.times._replace(lags=tuple(lag - 1 for lag in arc.lags)))
        before, now = (sum(self._charges.parts(way, use, t).values(), Decimal(0)) for way in (arc, earlier))
        return abs(before - now) <= _SAME * max(abs(before), abs(now))

    @cached_property
    def _charges(self) -> Charges:
        problem = self.ledger.problem
        return Charges(problem.network, problem.law, problem.offers, self.ledger.answers)
