"""Stock in hand and orders already placed: what each may still serve, which rule bars it from what, since when, and what would heal it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from ..domain.use import Result, Use, Verdict
from ..problem import Problem
from ..problem.demands import Lot
from ..problem.law import Judgement
from ..problem.network import Arc, final_node
from ..rules.base import Phase, Rule
from ..verify import VerifiedPlan

State = Literal["may be used", "may be used in part of the time", "barred", "not wanted"]


@dataclass(frozen=True, slots=True)
class Bar:
    """A rule that keeps a lot from a use on some days of the plan."""

    verdict: Verdict
    start: date
    """First day of the plan on which it does."""
    end: date | None
    """Last day; None: to the end of the plan."""
    heals: str


@dataclass(frozen=True, slots=True)
class HoldingOutlet:
    """A lot and one kind of use that it could end in."""

    use: Use
    state: State
    periods: tuple[int, ...]
    """Periods in which it is wanted and the lot may serve it."""
    bars: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class Holding:
    """One lot, with what becomes of it."""

    lot: Lot
    left: Decimal
    """Kilograms that nothing is made of or delivered from: not set aside for a use, or still in stock at the end of the plan, first in,
    first out."""
    served: tuple[HoldingOutlet, ...]


def holdings(verified: VerifiedPlan) -> list[Holding]:
    """Every stock in hand and order already placed, used or not, in canonical order."""
    problem = verified.problem
    arcs = {arc.lot: arc for arc in problem.network.arcs if arc.lot >= 0}
    left = _left(verified)
    return [
        Holding(lot, left[lot.id], tuple(_served(problem, lot, arcs[position])))
        for position, lot in enumerate(problem.lots)
    ]


def _left(verified: VerifiedPlan) -> dict[str, Decimal]:
    """Lot -> kilograms of it that are left over: what lies at the end came in last."""
    plan, last = verified.plan, verified.problem.case.horizon.count - 1
    left = {lot.id: lot.quantity for lot in verified.problem.lots}
    came: defaultdict[tuple[str, str, str], list[tuple[int, int, str, Decimal]]] = defaultdict(list)
    for bought in plan.purchases:
        came[bought.material, bought.place, bought.requirement].append((bought.delivered, 1, "", bought.quantity))
    for lot in plan.lots:
        left[lot.lot] -= lot.quantity
        came[lot.material, lot.place, lot.requirement].append((lot.period, 0, lot.lot, lot.quantity))
    for held in plan.stocks:
        rest = held.quantity if held.period == last else Decimal(0)
        for _, _, name, quantity in sorted(came[held.material, held.place, held.requirement], reverse=True):
            part = min(rest, quantity)
            rest -= part
            if name:
                left[name] += part
    return left


def _served(problem: Problem, lot: Lot, arc: Arc) -> Iterator[HoldingOutlet]:
    for use, judgement in problem.judgements.items():
        if arc.index not in judgement.reach:
            continue
        numbers = [number for number, demand in enumerate(problem.demands) if demand.use == use]
        periods = range(lot.period, problem.case.horizon.count)
        wanted = [t for t in periods if any(problem.demands[number].quantity[t] for number in numbers)]
        may = [t for t in wanted if _may(problem, arc, numbers, t)]
        state: State = "may be used"
        if not wanted:
            state = "not wanted"
        elif not may:
            state = "barred"
        elif len(may) < len(wanted):
            state = "may be used in part of the time"
        bars = () if state in ("may be used", "not wanted") else tuple(_bars(problem, lot, arc, judgement))
        yield HoldingOutlet(use, state, tuple(may), bars)


def _may(problem: Problem, arc: Arc, numbers: list[int], period: int) -> bool:
    """Whether a lot may end in a delivery to one of some demands in a period: a class of uses that admits it is delivered to it then."""
    arrival = problem.lots[arc.lot].period
    return any(
        outlet.period == period and outlet.demand in numbers and compliance_class.admits(arc.index, arrival)
        for compliance_class in problem.compliance_classes
        for outlet in compliance_class.outlets
    )


def _bars(problem: Problem, lot: Lot, arc: Arc, judgement: Judgement) -> Iterator[Bar]:
    """Every rule in force that forbids it, with its days in the plan."""
    horizon = problem.case.horizon
    for trade, table in ((False, judgement.chain), (True, judgement.trade)):
        for position, verdicts in table.items():
            verdict, rule = verdicts.get(arc.index), problem.rules[position]
            if verdict is None or not problem.law.forbids(verdict, arc):
                continue
            asked = horizon.periods[lot.period].span if trade else horizon.span
            if trade and verdict.licence and problem.law.licences(verdict, arc, judgement.use, asked) is not None:
                continue
            by_order = rule.dated_by == "order" and arc.node == final_node(judgement.use)
            asked = lot.acquired if by_order else asked
            for phase in rule.phases:
                if phase.status not in problem.law.statuses or not phase.span.meets(asked):
                    continue
                start = max(phase.start or horizon.periods[0].start, horizon.periods[0].start)
                end = phase.end if phase.end is not None and phase.end < horizon.periods[-1].end else None
                healed = _healed_trade(lot, phase, verdict) if trade else _healed(lot, rule, phase, verdict)
                yield Bar(verdict, start, end, healed)


def _healed_trade(lot: Lot, phase: Phase, verdict: Verdict) -> str:
    """What would let an order pass an export control."""
    ways = [f"an export licence, recorded as [[licence]] with rule = `{verdict.rule}`"] if verdict.licence else []
    if not verdict.licence and verdict.result is Result.UNPROVEN:
        ways.append("proof of its customs origin")
    if phase.start is not None and lot.arrives is not None:
        if lot.arrives < phase.start:
            ways.append(
                f"periods one of which begins on {phase.start}: it arrives before, and all days of a period count alike"
            )
        else:
            ways.append(f"arrival by {phase.start - timedelta(days=1)}")
    return (
        " or ".join(ways)
        or "nothing that the case can record: resell it, cancel it, or use it where no border is crossed"
    )


def _healed(lot: Lot, rule: Rule, phase: Phase, verdict: Verdict) -> str:
    """What would let a lot pass a rule of origin."""
    ways = []
    if verdict.result is Result.UNPROVEN:
        if lot.offer and lot.chained.offer.inputs and not lot.confirmed:
            table = "order" if lot.on_order else "stock"
            ways.append(
                f"what it is made from, as its supplier confirms it: `inputs`, `confirmed_by`, and `confirmed_on` of the [[{table}]]"
            )
        else:
            of = f"in the chain of `{verdict.offer or lot.offer}`" if lot.offer else "in the `chain` of the [[stock]]"
            ways.append(f"proof of where it was {verdict.stage or 'made'}, {of}")
    if rule.dated_by == "delivery" and phase.start is not None and (lot.arrives is None or lot.arrives < phase.start):
        ways.append(f"delivery by {phase.start - timedelta(days=1)}")
    if rule.dated_by == "order" and phase.start is not None and lot.acquired.start is None:
        ways.append(f"the day of its order, if it was before {phase.start}")
    ways.append(f"a [[waiver]] of `{rule.id}`")
    return " or ".join(ways)
