"""Plans under other terms: without a ranked objective, and in months."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from functools import cache, partial
from math import isinf

from ..domain.base import exact
from ..domain.case import Minimize
from ..domain.facts import Lane, Offer
from ..domain.plan import Infeasible, PlanStatus
from ..domain.time import Delay, Horizon, Period, PeriodLength, Span
from ..domain.unmet import RunRounded
from ..errors import FriendshoreError, NoPlanError
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.law import license_id, waiver_id
from ..problem.offers import OfferFacts
from ..program import compile_program
from ..rules.base import Rule
from ..rules.rows import single_rows
from ..session import Session
from ..solve import Limits, Progress, least, solve
from ..solve.solving import plan_of
from ..verify import VerifiedPlan, examine, level_value
from .causes import counted_shorts


@dataclass(frozen=True, slots=True)
class RankPrice:
    """Effect of ranking one level."""

    gained: Decimal | None = None
    """None if unknown."""
    raised_objective: Decimal | None = None
    """None if unknown."""


UNPRICED = RankPrice()
"""Price of cost itself, or of a level whose price wasn't found in time."""


def rank_prices(session: Session) -> dict[int, RankPrice]:
    """Return gain and price of every level by its rank, compared with the plan without it. Levels without a proof in time are left out."""
    prices: dict[int, RankPrice] = {}
    before: VerifiedPlan | None = None
    for rank, objective in enumerate(session.problem.objectives, 1):
        if objective.level.minimize is not Minimize.COST:
            before = before or _proved(session, rank - 1)
            after = _proved(session, rank)
            if before is not None and after is not None:
                gained = level_value(objective, before) - level_value(objective, after)
                prices[rank] = RankPrice(exact(gained), exact(after.cost.objective - before.cost.objective))
            before = after
    return prices


def _proved(session: Session, levels: int) -> VerifiedPlan | None:
    try:
        plan = session.ranking(levels)
    except NoPlanError:
        return None
    return plan if plan.plan.status is PlanStatus.OPTIMAL else None


def first_feasible_days(session: Session) -> tuple[Mapping[str, date], ...]:
    """Return for each conflict, in order: rule with a minimum -> first day from which all rules can be satisfied, if there is one."""
    # A conflict without demands consists of rows to which nothing can contribute, whatever the day.
    return tuple(_first_days(session, part) if part.demands else {} for part in session.verified.plan.infeasible)


def _first_days(session: Session, part: Infeasible) -> dict[str, date]:
    floors = {
        rule.id: rule
        for rule, rows in session.problem.limit_rows
        if rule.id in part.rules and rows.is_floor and any(row.penalty is None for row in single_rows(rows))
    }
    periods = session.problem.case.horizon.periods
    first_days = {}
    for name, rule in sorted(floors.items()):
        first = _first_feasible(session, part, rule)
        if first is not None:
            first_days[name] = periods[first].start
    return first_days


def _first_feasible(session: Session, part: Infeasible, rule: Rule) -> int | None:
    low, high = 0, session.problem.case.horizon.count - 1  # the minimum can't be satisfied from `low` on
    if high <= low or not _is_feasible_from(session, part, rule, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _is_feasible_from(session, part, rule, middle):
            high = middle
        else:
            low = middle
    return high


def _is_feasible_from(session: Session, part: Infeasible, rule: Rule, period: int) -> bool:
    inputs = _starting_later(_inputs(session, part), rule, session.problem.case.horizon.periods[period].start)
    program = compile_program(inputs.problem())
    min_short = least(program, program.short_of(part.demands), session.remaining_limits(), session.cancel)
    return min_short is not None and not isinf(min_short)


def _inputs(session: Session, part: Infeasible) -> Inputs:
    """Return the part of the case with the conflict, or the whole case if it spans several parts."""
    of_material = session.parts.of_material
    numbers = {of_material[name] for name in part.materials if name in of_material}
    if len(numbers) != 1:
        return session.inputs
    return session.parts.part(session.parts.members[numbers.pop()], frozenset(part.rules))


def _starting_later(inputs: Inputs, rule: Rule, day: date) -> Inputs:
    phases = tuple(
        phase.but(start=max(phase.start or day, day)) for phase in rule.phases if phase.end is None or phase.end >= day
    )
    later = rule.but(phases=phases)
    return replace(inputs, rules=tuple(later if other.id == rule.id else other for other in inputs.rules))


_DAY = timedelta(days=1)


def rounded(problem: Problem) -> list[RunRounded]:
    """Return every date and lead time that the plan rounds to periods, with the value used. Charges, rates, and capacities are computed by days."""
    if problem.case.horizon.until is not None:
        return []
    lines = dict.fromkeys((*_rules(problem), *_permits(problem), *_stores(problem), *_lead_times(problem)))
    return list(lines)


def _rules(problem: Problem) -> Iterator[RunRounded]:
    law = problem.law
    with_verdicts = {
        i for judged in problem.judgements.values() for table in (judged.chain, judged.trade) for i in table
    }
    limiting = {rule.id for rule, _ in problem.limit_rows}
    for number, rule in enumerate(problem.rules):
        if number not in with_verdicts and rule.id not in limiting:
            continue
        for phase in rule.phases:
            if phase.status not in law.statuses:
                continue
            start = _period_of(problem, phase.start)
            if start is not None and phase.start is not None and phase.start > start.start:
                before = Span(start=start.start, end=phase.start - _DAY)
                if not law.in_force(number, before):
                    yield _rounded_line("rule", rule.id, f"from {phase.start}", f"from {start.start}")
            end = _period_of(problem, phase.end)
            if end is not None and phase.end is not None and phase.end < end.end:
                after = Span(start=phase.end + _DAY, end=end.end)
                if not law.in_force(number, after):
                    yield _rounded_line("rule", rule.id, f"until {phase.end}", f"until {end.end}")


def _permits(problem: Problem) -> Iterator[RunRounded]:
    for facts in _reached_offers(problem):
        yield from _narrowed_dates(problem, "offer", facts.offer.id, facts.offer.start, facts.offer.end)
        yield from _lanes(problem, facts.offer)
        for quote in facts.offer.quotes:
            yield from _narrowed_dates(problem, "quotation", facts.offer.id, quote.start, quote.end)
    for waiver in sorted(problem.case.waivers, key=waiver_id):
        yield from _narrowed_dates(problem, "waiver", waiver_id(waiver), waiver.start, waiver.end)
    for license in sorted(problem.case.licenses, key=license_id):
        yield from _narrowed_dates(problem, "license", license_id(license), license.start, license.end)


def _lanes(problem: Problem, offer: Offer) -> Iterator[RunRounded]:
    """Yield rounded freights and lead times. They count from the next period on, but a longer lead time counts for the whole period."""
    own = offer.lead_time if offer.lead_time is not None else problem.case.assume.lead_time
    before: Lane | None = None
    for lane in sorted(offer.lanes, key=lambda entry: (entry.to, entry.start or date.min)):
        is_same_lane = before is not None and before.to == lane.to
        name, period = f"{offer.id} to {lane.to}", _period_of(problem, lane.start)
        if (
            is_same_lane
            and before is not None
            and period is not None
            and lane.start is not None
            and lane.start > period.start
        ):
            lead, earlier = (own if entry.lead_time is None else entry.lead_time for entry in (lane, before))
            if lane.freight != before.freight or lane.currency != before.currency:
                yield from _narrowed_dates(problem, "lane", name, lane.start, None)
            if lead != earlier:
                counted_from = period.start if lead > earlier else period.end + _DAY
                yield _rounded_line("lead time", name, f"{Delay.of(lead)} from {lane.start}", f"from {counted_from}")
        before = lane


def _stores(problem: Problem) -> Iterator[RunRounded]:
    case = problem.case
    for store in case.stores:
        name = f"{store.material} at {store.place or case.place}"
        first, last = _period_of(problem, store.start), _period_of(problem, store.end)
        if first is not None and store.start is not None and store.start > first.start:
            yield _rounded_line("store", name, f"from {store.start}", f"from {first.start}")
        if last is not None and store.end is not None and store.end < last.end:
            yield _rounded_line("store", name, f"until {store.end}", f"until {last.start - _DAY}")


def _narrowed_dates(
    problem: Problem, kind: str, name: str, start: date | None, end: date | None
) -> Iterator[RunRounded]:
    first = _period_of(problem, start)
    if first is not None and start is not None and start > first.start:
        yield _rounded_line(kind, name, f"from {start}", f"from {first.end + _DAY}")
    last = _period_of(problem, end)
    if last is not None and end is not None and end < last.end:
        yield _rounded_line(kind, name, f"until {end}", f"until {last.start - _DAY}")


def _lead_times(problem: Problem) -> Iterator[RunRounded]:
    case = problem.case
    whole_periods = cache(partial(_whole_periods, case.horizon))
    for facts in _reached_offers(problem):
        offer = facts.offer
        offer_lead = offer.lead_time if offer.lead_time is not None else case.assume.lead_time
        for lead in sorted({offer_lead, *(lane.lead_time for lane in offer.lanes if lane.lead_time is not None)}):
            whole = whole_periods(Delay.of(lead, case.assume.safety_lead))
            if whole:
                safety = f" and {Delay.of(case.assume.safety_lead)} to be safe" if case.assume.safety_lead else ""
                yield _rounded_line(
                    "lead time", offer.id, f"{Delay.of(lead)}{safety}", f"as {whole}, to the first day of one"
                )


def _whole_periods(horizon: Horizon, delay: Delay) -> str:
    """Return the whole periods that a delay is rounded up to, such as `1 or 2 quarters`. Empty if nothing is rounded."""
    lags, is_rounded = set(), False
    for t in range(horizon.count):
        arrival = horizon.arrival(t, delay)
        if arrival < horizon.count:
            lags.add(arrival - t)
            is_rounded = is_rounded or delay.after(horizon.begins(t)) != horizon.begins(arrival)
    unit = horizon.length.value if lags == {1} else f"{horizon.length.value}s"
    return f"{' or '.join(map(str, sorted(lags)))} {unit}" if is_rounded else ""


def _reached_offers(problem: Problem) -> list[OfferFacts]:
    return [problem.offers[i] for i in sorted({arc.offer for arc in problem.network.arcs if arc.offer >= 0})]


def _period_of(problem: Problem, day: date | None) -> Period | None:
    index = None if day is None else problem.case.horizon.find(day)
    return None if index is None else problem.case.horizon.periods[index]


def _rounded_line(kind: str, name: str, stated: str, counted: str) -> RunRounded:
    return RunRounded.model_validate({"kind": kind, "name": name, "stated": stated, "counted": counted})


GAP = 1e-3  # wide, because a monthly plan only has to show that a quantity is available
MIN_SECONDS = 20.0  # for all monthly plans
UNPROVED = "the plan isn't proved to be the cheapest, or its rules conflict"
OUT_OF_TIME = "no monthly plan was found in time"


@dataclass(frozen=True, slots=True)
class ByMonths:
    """Shortage of a demand in a monthly plan."""

    kilograms: Decimal | None
    """None if it wasn't planned."""
    note: str = ""


def by_months(session: Session, progress: Progress | None = None) -> Mapping[str, ByMonths]:
    """Return demand -> its shortage in a monthly plan of the same facts, or a note, for every part with a shortage that may improve."""
    horizon = session.problem.case.horizon
    short = {each.demand for each in counted_shorts(session.verified)}
    if horizon.length is PeriodLength.MONTH or horizon.until is not None or not short or not rounded(session.problem):
        return {}
    if session.verified.plan.status is not PlanStatus.OPTIMAL:
        # A better plan with the same periods may exist, so the periods can't be blamed.
        return {name: ByMonths(None, UNPROVED) for name in short}
    by_demand = dict[str, ByMonths]()
    deadline = time.monotonic() + max(MIN_SECONDS, time.monotonic() - session.opened)
    for members in sorted(session.parts.members, key=sorted):
        inputs = session.parts.part(members)
        problem = inputs.problem()
        demands = [demand.id for demand in problem.demands]
        if not any(name in short for name in demands) or not rounded(problem):
            continue
        reason = _by_period(problem)
        limits = _remaining_limits(session, deadline)
        if not reason and (session.stopped or limits.seconds == 0.0):
            reason = OUT_OF_TIME
        answer: str | Mapping[str, Decimal] = reason or _monthly_shortages(session, inputs, limits, progress)
        for name in demands:
            if isinstance(answer, str):
                by_demand |= {name: ByMonths(None, answer)} if name in short else {}
            elif name in short or name in answer:
                by_demand[name] = ByMonths(answer.get(name, Decimal(0)))
    return by_demand


def _monthly_shortages(
    session: Session, inputs: Inputs, limits: Limits, progress: Progress | None
) -> str | Mapping[str, Decimal]:
    horizon = inputs.case.horizon
    months = Horizon(start=horizon.start, periods=horizon.count * horizon.length.months, period=PeriodLength.MONTH)
    try:
        problem = replace(inputs, case=inputs.case.but(horizon=months)).problem()
        program = compile_program(problem)
        solution = solve(program, limits, progress, session.cancel, session.answers)
    except NoPlanError:
        return OUT_OF_TIME
    except FriendshoreError as error:
        return f"planning in months fails: {error.problems[0].message}"
    if solution.conflicts:
        return "its rules conflict if periods are months"
    if solution.objective - solution.bound > limits.gap * max(1.0, abs(solution.objective)):
        return OUT_OF_TIME
    verified, _ = examine(problem, plan_of(program, solution))
    return OUT_OF_TIME if verified is None else verified.plan.short_by_demand


def _by_period(problem: Problem) -> str:
    """Return the input that is stated by period, so that a monthly plan would differ. Empty if there is none."""
    for demand in problem.case.demands:
        if demand.quantities or demand.later:
            return "its demand is stated by period"
    for facts in problem.offers:
        if facts.offer.max_order is not None:
            return f"`max_order` of {facts.offer.id} is stated by period"
    for rule, rows in problem.limit_rows:
        by_period = getattr(rule, "per", "period") == "period" and not rule.watches_stock
        if by_period and any(row.at_least or row.at_most for row in single_rows(rows)):
            return f"rule {rule.id} states amounts by period"
    return ""


def _remaining_limits(session: Session, deadline: float) -> Limits:
    limits = session.remaining_limits()
    seconds = max(0.0, deadline - time.monotonic())
    min_seconds = seconds if limits.seconds is None else min(seconds, limits.seconds)
    return replace(limits, seconds=min_seconds, gap=max(GAP, limits.gap))
