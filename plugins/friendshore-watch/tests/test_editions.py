"""Two editions of the law: what turns is what turns when every rule is asked again for every way and every single day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.property.settings import examples
from tests.property.strategies import ONE, Tiny, tiny_cases
from tests.property.world import days, within

from friendshore.domain.case import Case
from friendshore.domain.use import Use
from friendshore.errors import FriendshoreError
from friendshore.problem import Problem
from friendshore.problem.inputs import Inputs
from friendshore.problem.network import Arc, final_node
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.session import Session
from friendshore_watch.cases import BothFacts, CaseTask, compare_case
from friendshore_watch.records import CaseWatched, Way
from friendshore_watch.verdicts import changed_verdicts, verdicts_by_way, way_of

RANKS = ["pass", "unproven", "fail"]
LATER = st.dates(date(2026, 6, 1), date(2029, 1, 31))


@st.composite
def phases(draw: Any) -> tuple[Phase, ...]:
    """One or two stretches of time with a status each."""
    first, last = sorted((draw(LATER), draw(LATER)))
    status = st.sampled_from(PhaseStatus)
    one = Phase.model_validate({"from": draw(st.none() | st.just(first)), "until": last, "status": draw(status)})
    more = Phase.model_validate({"from": last.replace(year=2029, day=1), "status": draw(status)})
    return draw(st.sampled_from([(one,), (one, more), ()]))


@st.composite
def amended(draw: Any, tiny: Tiny) -> tuple[Rule, ...]:
    """A new edition: some rules have other phases, some that the case does not name are gone."""
    named = {paper.rule for paper in (*tiny.case.licenses, *tiny.case.waivers)}
    kept = [rule for rule in tiny.rules if rule.id in named or draw(st.integers(0, 4))]
    return tuple(rule.but(phases=draw(phases())) if draw(st.booleans()) else rule for rule in kept)


def by_hand(problem: Problem, case: Case) -> dict[tuple[Way, date], str]:
    """Return the verdict on each way and day, by calling each rule again."""
    found: dict[tuple[Way, date], str] = {}
    span = problem.case.horizon.span
    assert span.start is not None
    assert span.end is not None
    for use in {demand.use for demand in problem.demands}:
        for index in problem.network.reach(final_node(use))[0]:
            arc = problem.network.arcs[index]
            moves = arc.lot < 0 or arc.move.origin.country != arc.move.to.country
            judges = [rule for rule in problem.rules if "judge" in rule.verbs and rule.concerns(use)]
            asked = [rule for rule in judges if rule.judge_scope == "chain" or moves]
            answers = [(rule, rule.judge(arc.chained, arc.move, use)) for rule in asked]
            for day in days(span.start, span.end):
                worst = max((_on(rule, answer, day, case, arc, use) for rule, answer in answers), default=0)
                key = way_of(problem, arc, use), day
                found[key] = RANKS[min(worst, RANKS.index(found.get(key, "fail")))]
    return found


def _on(rule: Rule, answer: Any, day: date, case: Case, arc: Arc, use: Use) -> int:
    """How bad an answer is on a day: 0 where it lets pass, or the rule is not in force."""
    held = [p for p in rule.phases if p.status.value in case.accept.rule_status and within(day, p.start, p.end)]
    if answer.result.value == "pass" or not held:
        return 0
    if answer.result.value == "fail":
        return 2
    if case.accept.unproven:
        return 0
    if answer.license:
        exporters = ("", arc.chained.facility.id, arc.chained.facility.country)
        fitting = [license for license in case.licenses if license.rule == rule.id and license.exporter in exporters]
        granted = case.assume.license.get(use.end_use) == "granted"
        return 0 if granted or any(within(day, one.start, one.end) for one in fitting) else 1
    return 0 if arc.chained.offer.id in case.accept.proven else 1


@examples(300)
@given(st.data(), tiny_cases())
def test_what_turns_is_what_every_single_day_says(data: st.DataObject, tiny: Tiny) -> None:
    """Each way, each use, each day: found by asking again, the same days turn, from the same to the same."""
    new = data.draw(amended(tiny))
    old, after = (replace(tiny, rules=rules).inputs.problem() for rules in (tiny.rules, new))
    was, now = by_hand(old, tiny.case), by_hand(after, tiny.case)
    expected = {key: (was[key], now[key]) for key in was.keys() & now.keys() if was[key] != now[key]}
    told = {
        (way, day): (one.result.value, other.result.value)
        for way, span, one, other in changed_verdicts(verdicts_by_way(old), verdicts_by_way(after))
        if span.start is not None and span.end is not None
        for day in days(span.start, span.end)
    }
    assert told == expected


def alone(inputs: Inputs) -> Session | str:
    """Facts planned by themselves, or what is wrong with them."""
    try:
        return Session.open(inputs, ONE)
    except FriendshoreError as error:
        return str(error.problems[0])


@examples(60)
@given(tiny_cases(), st.data())
def test_both_editions_are_found_as_each_by_itself(tiny: Tiny, data: st.DataObject) -> None:
    """Shared computation and pickling for workers change no verdict, kilogram, or amount."""
    old, new = (replace(tiny, rules=rules).inputs for rules in (tiny.rules, data.draw(amended(tiny))))
    both = BothFacts(CaseWatched(case="tiny", file="tiny"), old, new, ONE)
    told, flips, _ = compare_case(CaseTask(0, None, both.packed()))
    before, after = alone(old), alone(new)
    if isinstance(before, str) or isinstance(after, str):
        assert told.error
        return
    was, now = verdicts_by_way(before.problem), verdicts_by_way(after.problem)
    assert [(flip.start, flip.end, flip.before, flip.after, flip.before_by, flip.after_by) for flip in flips] == [
        (days.start, days.end, one.result.value, other.result.value, one.rules, other.rules)
        for _, days, one, other in changed_verdicts(was, now)
    ]
    costs = before.verified.cost, after.verified.cost
    if told.comparison is None:
        assert costs[0] == costs[1]
    else:
        assert told.comparison.cost_before == costs[0]
        allowed = max(Decimal("0.05"), costs[1].objective * Decimal("2e-6"))
        assert abs(told.comparison.cost_after.objective - costs[1].objective) <= allowed
