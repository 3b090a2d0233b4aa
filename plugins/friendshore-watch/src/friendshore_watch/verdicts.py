"""Verdicts of a case's law on every way of every offer to every use, day by day, before planning.

Compliance classes answer the same question for periods. Here it is answered for days and without a plan, to compare two editions of the law.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from friendshore.domain.time import Span, stretches_between
from friendshore.domain.use import Result, Use, Verdict
from friendshore.problem import Problem
from friendshore.problem.law import Judgement
from friendshore.problem.network import Arc

from .records import Way

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Standing:
    """Verdict on some days: the rules that forbid, and the first reason."""

    result: Result = Result.PASS
    rules: tuple[str, ...] = ()
    reason: str = ""


FREE = Standing()


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """Days with the same verdict, both inclusive."""

    start: date
    end: date
    standing: Standing


Standings = Mapping[Way, tuple[JudgedDays, ...]]
"""Way -> verdicts on every day of the plan, in order."""


def way_of(problem: Problem, arc: Arc, use: Use) -> Way:
    """Return the way of an arc for a use."""
    return Way(
        offer=arc.name,
        material=arc.node[0],
        place=arc.node[1],
        demand_material=use.material.id,
        end_use=use.end_use,
        demand_place=use.place.id,
        buyer=use.buyer,
        facts=tuple((name, str(value)) for name, value in use.facts),
    )


def standings(problem: Problem) -> Standings:
    """Return the verdicts on every way to every demanded use, on every day of the plan.

    A rule counts on the days on which it is in force, with the statuses that the case accepts. Licenses that the case has or assumes are used,
    waivers aren't. A rule dated by the order forbids orders on that day; one on moves forbids arrivals.
    """
    found: dict[Way, tuple[JudgedDays, ...]] = {}
    for use, judgement in problem.judgements.items():
        against = _against(judgement)
        for index in sorted(judgement.reach):
            arc = problem.network.arcs[index]
            way, told = way_of(problem, arc, use), _joined(_by_days(problem, arc, use, against.get(index, ())))
            known = found.get(way)
            found[way] = told if known is None else _better(known, told)
    return found


def _against(judgement: Judgement) -> Mapping[int, Sequence[tuple[int, Verdict]]]:
    """Return arc -> rules that find against it, with their verdicts."""
    found: defaultdict[int, list[tuple[int, Verdict]]] = defaultdict(list)
    for table in (judgement.chain, judgement.trade):
        for rule, verdicts in table.items():
            for index, verdict in verdicts.items():
                found[index].append((rule, verdict))
    return found


def _by_days(problem: Problem, arc: Arc, use: Use, against: Sequence[tuple[int, Verdict]]) -> Iterator[JudgedDays]:
    span = problem.case.horizon.span
    assert span.start is not None and span.end is not None
    hard = [(rule, verdict) for rule, verdict in sorted(against) if problem.law.forbids(verdict, arc)]
    turns = sorted(day for day in _turns(problem, hard) if span.start < day <= span.end)
    for days in stretches_between(span.start, span.end, turns):
        assert days.start is not None and days.end is not None
        yield JudgedDays(days.start, days.end, _standing(problem, arc, use, hard, days))


def _joined(pieces: Iterable[JudgedDays]) -> tuple[JudgedDays, ...]:
    """Merge consecutive days with the same verdict."""
    found: list[JudgedDays] = []
    for one in pieces:
        if found and found[-1].standing == one.standing:
            found[-1] = JudgedDays(found[-1].start, one.end, one.standing)
        else:
            found.append(one)
    return tuple(found)


def _turns(problem: Problem, against: Sequence[tuple[int, Verdict]]) -> set[date]:
    """Return the days on which the verdict may change: a phase or license begins, or ended the day before."""
    spans = [phase.span for rule, _ in against for phase in problem.rules[rule].phases]
    if any(verdict.licence for _, verdict in against):
        spans += [Span(start=licence.start, end=licence.end) for licence in problem.case.licences]
    starts = {span.start for span in spans if span.start is not None}
    return starts | {span.end + _DAY for span in spans if span.end is not None and span.end < date.max}


def _standing(problem: Problem, arc: Arc, use: Use, against: Sequence[tuple[int, Verdict]], days: Span) -> Standing:
    """Return the verdict on days without a change."""
    forbidding = [
        (problem.rules[rule].id, verdict)
        for rule, verdict in against
        if problem.law.in_force(rule, days)
        and not (verdict.licence and problem.law.licences(verdict, arc, use, days) is not None)
    ]
    if not forbidding:
        return FREE
    worst = max((verdict.result for _, verdict in forbidding), key=lambda result: result.rank)
    deciding = [(rule, verdict) for rule, verdict in forbidding if verdict.result is worst]
    return Standing(worst, tuple(sorted({rule for rule, _ in deciding})), deciding[0][1].reason)


def _better(one: Sequence[JudgedDays], other: Sequence[JudgedDays]) -> tuple[JudgedDays, ...]:
    """Return the more permissive verdict of two equal ways, day by day."""
    return _joined(
        JudgedDays(start, end, min(was, now, key=lambda found: found.result.rank))
        for start, end, was, now in together(one, other)
    )


def together(one: Sequence[JudgedDays], other: Sequence[JudgedDays]) -> Iterator[tuple[date, date, Standing, Standing]]:
    """Yield the days of two sequences of verdicts, split where either changes: first day, last day, and both verdicts."""
    ours = theirs = 0
    start = one[0].start
    while ours < len(one) and theirs < len(other):
        left, right = one[ours], other[theirs]
        end = min(left.end, right.end)
        yield start, end, left.standing, right.standing
        start = end + _DAY
        ours += left.end == end
        theirs += right.end == end


def turned(was: Standings, now: Standings) -> Iterator[tuple[Way, Span, Standing, Standing]]:
    """Yield the days on which a way in both editions has different verdicts, in order of ways and days."""
    for way in sorted(was.keys() & now.keys(), key=lambda way: tuple(way.__dict__.values())):
        for start, end, one, other in together(was[way], now[way]):
            if one.result is not other.result:
                yield way, Span(start=start, end=end), one, other
