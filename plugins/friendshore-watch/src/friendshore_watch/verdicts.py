"""Verdicts of a case's law on every way of every offer to every use, day by day, before planning."""

# Compliance classes answer the same question for periods. Here it is answered for days and without a plan, to compare two editions of the law.

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
class CombinedVerdict:
    """Combined verdict of all rules on some days."""

    result: Result = Result.PASS
    rules: tuple[str, ...] = ()
    reason: str = ""


LAWFUL = CombinedVerdict()


@dataclass(frozen=True, slots=True)
class JudgedDays:
    """Days with the same verdict, from the first to the last."""

    start: date
    end: date
    verdict: CombinedVerdict


VerdictsByWay = Mapping[Way, tuple[JudgedDays, ...]]
"""Way -> verdicts on every day of the plan, in order."""


def way_of(problem: Problem, arc: Arc, use: Use) -> Way:
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


def verdicts_by_way(problem: Problem) -> VerdictsByWay:
    """Return the verdicts on every way to every demanded use, on every day of the plan. Licenses count, waivers don't."""
    verdicts: dict[Way, tuple[JudgedDays, ...]] = {}
    for use, judgement in problem.judgements.items():
        adverse = _adverse_verdicts(judgement)
        for index in sorted(judgement.reach):
            arc = problem.network.arcs[index]
            way, judged = way_of(problem, arc, use), _merged(_by_days(problem, arc, use, adverse.get(index, ())))
            other = verdicts.get(way)
            verdicts[way] = judged if other is None else _more_permissive(other, judged)
    return verdicts


def _adverse_verdicts(judgement: Judgement) -> Mapping[int, Sequence[tuple[int, Verdict]]]:
    """Return arc -> rules that find against it, with their verdicts."""
    adverse: defaultdict[int, list[tuple[int, Verdict]]] = defaultdict(list)
    for table in (judgement.chain, judgement.trade):
        for rule, verdicts in table.items():
            for index, verdict in verdicts.items():
                adverse[index].append((rule, verdict))
    return adverse


def _by_days(problem: Problem, arc: Arc, use: Use, against: Sequence[tuple[int, Verdict]]) -> Iterator[JudgedDays]:
    span = problem.case.horizon.span
    assert span.start is not None and span.end is not None
    # A rule dated by the order forbids orders on a day, and one on moves forbids arrivals.
    prohibiting = [(rule, verdict) for rule, verdict in sorted(against) if problem.law.forbids(verdict, arc)]
    change_days = sorted(day for day in _change_days(problem, prohibiting) if span.start < day <= span.end)
    for days in stretches_between(span.start, span.end, change_days):
        assert days.start is not None and days.end is not None
        yield JudgedDays(days.start, days.end, _combined_verdict(problem, arc, use, prohibiting, days))


def _merged(judged: Iterable[JudgedDays]) -> tuple[JudgedDays, ...]:
    joined: list[JudgedDays] = []
    for days in judged:
        if joined and joined[-1].verdict == days.verdict:
            joined[-1] = JudgedDays(joined[-1].start, days.end, days.verdict)
        else:
            joined.append(days)
    return tuple(joined)


def _change_days(problem: Problem, against: Sequence[tuple[int, Verdict]]) -> set[date]:
    spans = [phase.span for rule, _ in against for phase in problem.rules[rule].phases]
    if any(verdict.license for _, verdict in against):
        spans += [Span(start=license.start, end=license.end) for license in problem.case.licenses]
    starts = {span.start for span in spans if span.start is not None}
    return starts | {span.end + _DAY for span in spans if span.end is not None and span.end < date.max}


def _combined_verdict(
    problem: Problem, arc: Arc, use: Use, against: Sequence[tuple[int, Verdict]], days: Span
) -> CombinedVerdict:
    forbidding = [
        (problem.rules[rule].id, verdict)
        for rule, verdict in against
        if problem.law.in_force(rule, days)
        and not (verdict.license and problem.law.licenses(verdict, arc, use, days) is not None)
    ]
    if not forbidding:
        return LAWFUL
    worst = max((verdict.result for _, verdict in forbidding), key=lambda result: result.rank)
    deciding = [(rule, verdict) for rule, verdict in forbidding if verdict.result is worst]
    return CombinedVerdict(worst, tuple(sorted({rule for rule, _ in deciding})), deciding[0][1].reason)


def _more_permissive(judged: Sequence[JudgedDays], other_judged: Sequence[JudgedDays]) -> tuple[JudgedDays, ...]:
    """Return the more permissive verdict of two equal ways, day by day."""
    return _merged(
        JudgedDays(start, end, min(verdict, other_verdict, key=lambda verdict_of_day: verdict_of_day.result.rank))
        for start, end, verdict, other_verdict in side_by_side(judged, other_judged)
    )


def side_by_side(
    judged: Sequence[JudgedDays], other_judged: Sequence[JudgedDays]
) -> Iterator[tuple[date, date, CombinedVerdict, CombinedVerdict]]:
    """Yield the days of two sequences of verdicts, split where either changes: first day, last day, and both verdicts."""
    position = other_position = 0
    start = judged[0].start
    while position < len(judged) and other_position < len(other_judged):
        left, right = judged[position], other_judged[other_position]
        end = min(left.end, right.end)
        yield start, end, left.verdict, right.verdict
        start = end + _DAY
        position += left.end == end
        other_position += right.end == end


def changed_verdicts(
    before: VerdictsByWay, after: VerdictsByWay
) -> Iterator[tuple[Way, Span, CombinedVerdict, CombinedVerdict]]:
    """Yield the days on which a way in both editions has different verdicts, in order of ways and days."""
    for way in sorted(before.keys() & after.keys(), key=lambda way: tuple(way.__dict__.values())):
        for start, end, verdict, new_verdict in side_by_side(before[way], after[way]):
            if verdict.result is not new_verdict.result:
                yield way, Span(start=start, end=end), verdict, new_verdict
