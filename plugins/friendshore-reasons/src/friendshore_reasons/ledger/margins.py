"""What one more unit would be worth: of every capacity that the plan uses up, and of a waiver of every rule of origin.

Each is found by making the change and planning again. A dual value would say the same of a linear program that is nowhere
degenerate; an increment of a stated size says it of any, minima and fixed costs included, and is what one could act on.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from friendshore.domain.base import Number, Record, exact
from friendshore.domain.change import Change
from friendshore.explain.results import Counted, Difference, between, difference
from friendshore.problem import Problem
from friendshore.rules.waivers import longest_run
from friendshore.session import Answer, Session
from friendshore.solve import Progress
from friendshore.verify.amounts import pool_use

INCREMENT = Decimal("0.01")
"""Share of a capacity, and of a demand, by which there is more."""


class CapacityValue(Record):
    """What more of one capacity would save."""

    facility: str
    full_in: tuple[str, ...]
    """Periods in which the plan uses all of it."""
    more_kg: Number
    """Kilograms more over the plan: the increment, in every period."""
    saves: Difference
    """By how much the objective is then lower."""
    per_kg: Number
    """The same per kilogram more."""


class WaiverValue(Record):
    """What a waiver of one rule would save."""

    rule: str
    demand: str
    waived_kg: Number
    """Kilograms that may be delivered under it, over the plan or for as long from its start as the law lets a waiver run."""
    saves: Difference
    per_kg: Number


class Margins(Record):
    """What one more unit of each would save, the dearest first."""

    increment: Number
    """Share by which there is more: of a capacity, and of the demand that a waiver is for."""
    capacities: tuple[CapacityValue, ...]
    waivers: tuple[WaiverValue, ...]


def margins(session: Session, *, increment: Decimal = INCREMENT, progress: Progress | None = None) -> Margins:
    """What more of each scarce capacity and a waiver of each rule of origin that bears on a demand would save.

    Prices of shortage and of holding stock stay what they are in the case.

    Args:
        session: the case.
        increment: share by which there is more.
        progress: told the questions asked, all of them, and seconds.

    Raises:
        SolverError: if a solver breaks down.
        VerificationError: if a plan does not hold.
        PluginError: if a plugin's rule raises.
    """
    counted = Counted(session, progress)
    scarce = list(_scarce(session))
    waivable = [] if session.verified.plan.infeasible else list(_waivable(session.problem))
    asked = len(scarce) + len(waivable)
    capacities: list[CapacityValue] = []
    waivers: list[WaiverValue] = []

    for number, periods in scarce:
        session.go_on(len(capacities), asked, "questions about one more unit")
        pool = session.problem.pools[number]
        answer = session.after(Change(capacity=pool.facility, factor=1 + increment))
        more = increment * sum((kg for kg in pool.capacity if kg is not None), Decimal(0))
        saves = _saved(answer)
        per_kg = exact(saves.value / more)
        capacities.append(
            CapacityValue(facility=pool.facility, full_in=periods, more_kg=exact(more), saves=saves, per_kg=per_kg)
        )
        counted.told(len(capacities) + len(waivers), asked)
    for rule, demand, kilograms in waivable:
        session.go_on(len(capacities) + len(waivers), asked, "questions about one more unit")
        quantity = exact(increment * kilograms)
        saves = _saved(session.after(_waived(session.problem, rule, demand, quantity)))
        per_kg = exact(saves.value / quantity)
        waivers.append(WaiverValue(rule=rule, demand=demand, waived_kg=quantity, saves=saves, per_kg=per_kg))
        counted.told(len(capacities) + len(waivers), asked)
    return Margins(
        increment=increment,
        capacities=tuple(sorted(capacities, key=lambda each: (-each.per_kg, each.facility))),
        waivers=tuple(sorted(waivers, key=lambda each: (-each.per_kg, each.rule, each.demand))),
    )


def questions(found: Margins) -> int:
    """How many questions were asked for it."""
    return len(found.capacities) + len(found.waivers)


def _scarce(session: Session) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Pools that the plan uses up, each with the periods in which it does."""
    verified, problem = session.verified, session.problem
    if not problem.pools:
        return
    used, pieces, _ = pool_use(verified.ledger, verified.costing.placed)
    slack = float(problem.case.resolution) * (pieces + 1) / 2 + 1e-9 * used
    full = (used > 0) & (used >= problem.capacity - slack)
    for number in np.flatnonzero(full.any(axis=1)).tolist():
        yield number, tuple(problem.case.horizon.label(t) for t in np.flatnonzero(full[number]).tolist())


def _waivable(problem: Problem) -> Iterator[tuple[str, str, Decimal]]:
    """Rules of origin that find against something in a period of the plan, with each demand and its kilograms."""
    periods = problem.case.horizon.periods
    applying = {i for i, _ in enumerate(problem.rules) if any(problem.law.in_force(i, p.span) for p in periods)}
    for demand in problem.demands:
        wanted = sum(demand.quantity, Decimal(0))
        for rule in sorted(applying & set(problem.judgements[demand.use].chain)):
            if wanted:
                yield problem.rules[rule].id, demand.id, wanted


def _waived(problem: Problem, rule: str, demand: str, quantity: Decimal) -> Change:
    """A waiver over the plan, or for as long from its start as the law lets one run."""
    terms = next(one.waivers for one in problem.rules if one.id == rule)
    periods = problem.case.horizon.periods
    run = longest_run(terms, periods[0].start, periods[-1].end)
    days = {"from": run.start, "until": run.end} if terms else {}
    return Change.model_validate({"waive": rule, "of": demand, "quantity": quantity, **days})


def _saved(answer: Answer) -> Difference:
    """What some changes lower the objective by."""
    rise = difference(answer)
    if rise.low is None or rise.high is None:
        return rise.but(value=-rise.value)
    return between(-rise.value, -rise.high, -rise.low, answer.cost.objective)
