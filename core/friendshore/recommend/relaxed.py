"""Relaxation of a case's own hard limits that can't be kept, and its description and check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from ..domain.base import exact
from ..domain.change import Change
from ..domain.unmet import RunRelaxation
from ..errors import Diagnostic, NoPlanError
from ..explain.relaxations import described_relaxation
from ..plugins.interface import is_own
from ..problem.inputs import Applied
from ..rules.base import Rule
from ..session import Session
from ..solve import Progress, RelaxationSearch
from ..verify import VerifiedPlan
from ..verify.limits import TOLERANCE, LimitReading
from .facts import FACTS
from .gather import Gathered

_MARGINS = (0.0, 1e-9, 1e-7, 1e-6)
"""Shares of a bound that are added to its relaxation for the solver's tolerance. Larger ones are used only if there is no plan otherwise."""


def is_relaxable(rule: Rule, pack_of: Mapping[str, str]) -> bool:
    """Return True for a limit of the planner: not of a pack, without a citation of law, and of a kind that only limits."""
    return rule.id not in pack_of and not rule.citation and rule.verbs == {"rows"} and is_own(type(rule))


def with_relaxed_limits(
    session: Session, gathered: Gathered, applied: Applied, progress: Progress | None
) -> tuple[Session, Applied]:
    """Return the session with the smallest set of limits relaxed, so that more can be planned. Unchanged if no such set helps."""
    relaxable = {rule.id for rule in session.problem.rules if is_relaxable(rule, gathered.pack_of)}
    limits, answers = session.limits, session.answers
    search = RelaxationSearch(session.program, relaxable, limits, session.cancel, answers)
    relaxations = [] if session.stopped else search.relaxations(session.solution.conflicts)
    if not relaxations:
        return session, applied
    for margin in _MARGINS:
        amounts = [exact(row.amount + margin * max(row.bound, row.amount, 1.0)) for row in relaxations]
        changes = [Change(loosen=row.rule, of=row.label, by=by) for row, by in zip(relaxations, amounts, strict=True)]
        relaxed = applied.but(relaxed=tuple(changes))
        inputs, opened = gathered.inputs.apply(relaxed), session.opened
        try:
            planned = Session.open(inputs, limits, progress, session.cancel, answers, opened, session.memory)
        except NoPlanError:
            break  # the time ended: the first plan leaves parts unplanned, but is a plan
        if len(planned.solution.conflicts) < len(session.solution.conflicts):
            return planned, relaxed
    return session, applied


def describe_relaxed(verified: VerifiedPlan, relaxed: Sequence[Change]) -> list[RunRelaxation]:
    readings = _reading_by_row(verified) if relaxed else {}
    currency = verified.problem.case.currency
    return [
        described_relaxation(reading, change.by, currency)
        for change in relaxed
        if change.by is not None and (reading := readings.get((change.loosen, change.of))) is not None
    ]


def relaxation_findings(
    verified: VerifiedPlan, relaxed: Sequence[Change], pack_of: Mapping[str, str]
) -> Iterator[Diagnostic]:
    """Yield relaxations of law, of rows that don't exist, and of bounds that the plan doesn't use in full."""
    readings = _reading_by_row(verified) if relaxed else {}
    for change in relaxed:
        reading = readings.get((change.loosen, change.of))
        message = ""
        if reading is None or change.by is None:
            message = f"`{change.text}` relaxes no row of a limit"
        elif not is_relaxable(reading.rule, pack_of):
            message = f"rule `{change.loosen}` isn't a limit of the case's own, but is relaxed"
        elif _unused(reading) > reading.tolerance + TOLERANCE * max(abs(reading.value), Decimal(1)):
            message = f"row `{change.of}` of rule `{change.loosen}` is relaxed by more than the plan needs"
        if message:
            yield Diagnostic(message, FACTS, column="applied.relaxed", found=change.text, code="FS630")


def _reading_by_row(verified: VerifiedPlan) -> dict[tuple[str, str], LimitReading]:
    return {(reading.rule.id, reading.row.label): reading for reading in verified.readings}


def _unused(reading: LimitReading) -> Decimal:
    bounds = (reading.row.at_least, reading.row.at_most)
    return min(abs(reading.value - bound) for bound in bounds if bound is not None)
