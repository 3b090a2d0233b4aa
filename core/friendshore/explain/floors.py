"""When a floor can first hold: the earliest period from which the rules of a conflict can all be kept, if the floor is asked only from then on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from math import isinf

from ..domain.plan import Infeasible
from ..problem.inputs import Inputs
from ..program import compile_program
from ..rules.base import Rule
from ..rules.rows import one_by_one
from ..session import Session
from ..solve import least


def floors_from(session: Session) -> tuple[Mapping[str, date], ...]:
    """For every conflict of a plan, in order: rules that ask for no less than something -> first day from which they can be kept with all others.

    A floor that is asked later asks for less, so that the first period is found by bisection. What cannot be kept even so, or is not found
    within the limits, is left out.

    Raises:
        SolverError: if a solver breaks down.
    """
    # Without a demand in it, a conflict is of rows that nothing counts towards: on no day.
    return tuple(_of(session, part) if part.demands else {} for part in session.verified.plan.infeasible)


def _of(session: Session, part: Infeasible) -> dict[str, date]:
    floors = {
        rule.id: rule
        for rule, rows in session.problem.limit_rows
        if rule.id in part.rules and rows.floors and any(row.penalty is None for row in one_by_one(rows))
    }
    periods = session.problem.case.horizon.periods
    found = {}
    for name, rule in sorted(floors.items()):
        first = _first(session, part, rule)
        if first is not None:
            found[name] = periods[first].start
    return found


def _first(session: Session, part: Infeasible, rule: Rule) -> int | None:
    """The first period from which the floor can hold."""
    low, high = 0, session.problem.case.horizon.count - 1  # it cannot hold from `low` on
    if high <= low or not _holds(session, part, rule, high):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if _holds(session, part, rule, middle):
            high = middle
        else:
            low = middle
    return high


def _holds(session: Session, part: Infeasible, rule: Rule, period: int) -> bool:
    """Whether there is a plan for what conflicts if the rule is asked only from a period on."""
    inputs = _later(_inputs(session, part), rule, session.problem.case.horizon.periods[period].start)
    program = compile_program(inputs.problem())
    best = least(program, program.short_of(part.demands), session.left(), session.cancel)
    return best is not None and not isinf(best)


def _inputs(session: Session, part: Infeasible) -> Inputs:
    """The part of the case that the conflict lies in; all of it where it lies in several. A material of no part moves nowhere."""
    of_material = session.parts.of_material
    numbers = {of_material[name] for name in part.materials if name in of_material}
    if len(numbers) != 1:
        return session.inputs
    return session.parts.part(session.parts.members[numbers.pop()], frozenset(part.rules))


def _later(inputs: Inputs, rule: Rule, day: date) -> Inputs:
    """The same, with one rule asked from a day on."""
    phases = tuple(
        phase.model_copy(update={"start": max(phase.start or day, day)})
        for phase in rule.phases
        if phase.end is None or phase.end >= day
    )
    later = rule.model_copy(update={"phases": phases})
    return replace(inputs, rules=tuple(later if one.id == rule.id else one for one in inputs.rules))
