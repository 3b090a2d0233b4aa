"""Changes of law within the days that the calendar looks at: each by its day, title and clause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from friendshore.domain.base import Record
from friendshore.plugins import attributed
from friendshore.problem import Problem
from friendshore.rules.base import PhaseStatus, Rule

UNKNOWN = "unknown"
_BECOMES = {
    PhaseStatus.ENACTED: "in force",
    PhaseStatus.UNKNOWN: UNKNOWN,
    PhaseStatus.SUSPENDED: "suspended",
    PhaseStatus.PENDING: "pending",
}


class LawChange(Record):
    """A day on which a rule begins, ends, or changes its status."""

    day: date
    rule: str
    title: str
    clause: str
    effect: str
    """What it is from that day on: `in force`, `unknown`, `suspended`, `pending` or `over`."""
    until: date | None
    """Last day on which that is so; None: no last day is set, or it is over."""
    note: str
    """Why, in the words of the rule."""


def law_changes(problem: Problem, first: date, last: date) -> list[LawChange]:
    """Return the changes of every rule about anything in the case, the first day included, in the order of their days."""
    limiting = {rule.id for rule, _ in problem.limit_rows}
    rules = [rule for rule in problem.rules if rule.id in limiting or _is_about(problem, rule)]
    found = [change for rule in rules for change in _changes(rule) if first <= change.day <= last]
    return sorted(found, key=lambda change: (change.day, change.rule))


def _changes(rule: Rule) -> Iterator[LawChange]:
    starts = {phase.start for phase in rule.phases}
    for phase in rule.phases:
        if phase.start is not None:
            yield _change(rule, phase.start, _BECOMES[phase.status], phase.end, phase.note)
        if phase.end is not None and phase.end < date.max and phase.end + timedelta(1) not in starts:
            yield _change(rule, phase.end + timedelta(1), "over", None, "")


def _change(rule: Rule, day: date, effect: str, until: date | None, note: str) -> LawChange:
    return LawChange(
        day=day, rule=rule.id, title=rule.title, clause=rule.citation, effect=effect, until=until, note=note
    )


def _is_about(problem: Problem, rule: Rule) -> bool:
    """Return True if a rule judges or charges a use or a material of the case."""
    if not rule.verbs & {"judge", "charge"}:
        return False
    covers = getattr(rule, "covers", None)
    names = sorted({material for material, _ in problem.network.nodes})
    with attributed(rule):
        if covers is not None and not any(covers(problem.merged.materials[name]) for name in names):
            return False
        return any(rule.concerns(demand.use) for demand in problem.demands)
