"""Days and durations that do not fill whole periods: what the plan makes of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal

from ..domain.time import Period, Span
from ..domain.whole_periods import RunRounded
from ..problem import Problem
from ..problem.judging import licence_id, waiver_id
from ..problem.offers import OfferFacts

_DAY = timedelta(days=1)


def rounded(problem: Problem) -> list[RunRounded]:
    """Every date within a period, and every lead time that is no whole number of periods, that the plan counts otherwise than it is stated.

    Rules that forbid or limit hold for a whole period if they hold on any day of it; what permits (an offer's dates, a quotation,
    a waiver, a licence) counts only in periods that lie within it altogether; a lead time is rounded up. Charges, rates and capacities
    go by days, and are not among these.
    """
    if problem.case.horizon.until is not None:
        return []
    found = dict.fromkeys((*_rules(problem), *_permits(problem), *_lead_times(problem)))
    return list(found)


def _rules(problem: Problem) -> Iterator[RunRounded]:
    law = problem.law
    judging = {i for judged in problem.judgements.values() for table in (judged.chain, judged.trade) for i in table}
    limiting = {rule.id for rule, _ in problem.limit_rows}
    for number, rule in enumerate(problem.rules):
        if number not in judging and rule.id not in limiting:
            continue
        for phase in rule.phases:
            if phase.status not in law.statuses:
                continue
            start = _within(problem, phase.start)
            if start is not None and phase.start is not None and phase.start > start.start:
                before = Span(start=start.start, end=phase.start - _DAY)
                if not law.in_force(number, before):
                    yield _line("rule", rule.id, f"from {phase.start}", f"from {start.start}")
            end = _within(problem, phase.end)
            if end is not None and phase.end is not None and phase.end < end.end:
                after = Span(start=phase.end + _DAY, end=end.end)
                if not law.in_force(number, after):
                    yield _line("rule", rule.id, f"until {phase.end}", f"until {end.end}")


def _permits(problem: Problem) -> Iterator[RunRounded]:
    for facts in _reached(problem):
        yield from _narrowed(problem, "offer", facts.offer.id, facts.offer.start, facts.offer.end)
        for quote in facts.offer.quotes:
            yield from _narrowed(problem, "quotation", facts.offer.id, quote.start, quote.end)
    for waiver in sorted(problem.case.waivers, key=waiver_id):
        yield from _narrowed(problem, "waiver", waiver_id(waiver), waiver.start, waiver.end)
    for licence in sorted(problem.case.licences, key=licence_id):
        yield from _narrowed(problem, "licence", licence_id(licence), licence.start, licence.end)


def _narrowed(problem: Problem, kind: str, name: str, start: date | None, end: date | None) -> Iterator[RunRounded]:
    """What begins or ends within a period counts from the next one on, or until the one before."""
    first = _within(problem, start)
    if first is not None and start is not None and start > first.start:
        yield _line(kind, name, f"from {start}", f"from {first.end + _DAY}")
    last = _within(problem, end)
    if last is not None and end is not None and end < last.end:
        yield _line(kind, name, f"until {end}", f"until {last.start - _DAY}")


def _lead_times(problem: Problem) -> Iterator[RunRounded]:
    months = problem.case.horizon.length.months
    for facts in _reached(problem):
        offer = facts.offer
        own = offer.lead_time if offer.lead_time is not None else problem.case.assume.lead_time
        for lead in sorted({own, *(lane.lead_time for lane in offer.lanes if lane.lead_time is not None)}):
            counted = problem.case.horizon.steps(lead) * months
            if counted != lead:
                yield _line("lead time", offer.id, _months(lead), _months(Decimal(counted)))


def _months(number: Decimal) -> str:
    return f"{number.normalize():f} month{'' if number == 1 else 's'}"


def _reached(problem: Problem) -> list[OfferFacts]:
    return [problem.offers[i] for i in sorted({arc.offer for arc in problem.network.arcs if arc.offer >= 0})]


def _within(problem: Problem, day: date | None) -> Period | None:
    index = None if day is None else problem.case.horizon.find(day)
    return None if index is None else problem.case.horizon.periods[index]


def _line(kind: str, name: str, stated: str, counted: str) -> RunRounded:
    return RunRounded.model_validate({"kind": kind, "name": name, "stated": stated, "counted": counted})
