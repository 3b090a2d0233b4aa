"""One limit of time for a case's own plan and for all that is then asked of it: what was not reached is said, and nothing is claimed of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from time import monotonic
from types import SimpleNamespace

import pytest

from friendshore.domain.case import Scenario
from friendshore.domain.change import Change
from friendshore.domain.plan import PlanStatus
from friendshore.errors import OutOfTimeError
from friendshore.explain.results import QuestionResult
from friendshore.problem.inputs import Inputs
from friendshore.questions.alternatives.find_alternatives import alternatives
from friendshore.questions.compare.compare_plans import compare
from friendshore.questions.why_not.find_why_not import why_not
from friendshore.rules.kinds.trade import Exclude
from friendshore.session import Session
from friendshore.solve import Limits
from friendshore_reasons.calendar.search import calendar
from friendshore_reasons.ledger.search import ledger
from friendshore_reasons.repairs.document import repairs_document
from friendshore_reasons.repairs.search import repairs
from friendshore_risk.stress_answer import stress
from friendshore_workbooks.ask import ask

from ..building import case, catalog, demand, facility, rule, source, unwrapped

DEAR = Change(price="au-metal", factor=Decimal(2))
Question = Callable[[Session], QuestionResult]
ALL_OF_IT: dict[str, Question] = {
    "ledger": ledger,
    "ledger, with what one more unit would save": lambda session: ledger(session, more_units=True),
    "why-not": lambda session: why_not(session, "jp-metal"),
    "calendar": calendar,
    "compare": lambda session: compare(session, (), (DEAR,)),
}
"""Questions whose answer needs all that they ask."""
AS_FAR_AS_IT_CAME: dict[str, Question] = {
    "alternatives": alternatives,
    "ask": ask,
    "stress": stress,
    "repairs": repairs,
}
"""Questions that are answered as far as they came."""


def opened(seconds: float | None = None, left: float = 0, *, banned: bool = True) -> Session:
    """Metal of three countries, of which the one that makes enough may be banned; the others make too little."""
    sites = [facility(c.lower(), c, most) for c, most in (("CN", 90), ("AU", 30), ("JP", 10))]
    facts = catalog(*sites, source("CN", 10), source("AU", 50), source("JP", 80))
    given = case(demand("metal", "civil", 60), scenarios=(Scenario(name="dear", title="Dear", change=(DEAR,)),))
    rules = (rule(Exclude, id="no-cn", countries=["CN"]),) if banned else ()
    until = None if seconds is None else monotonic() + left
    return Session.open(Inputs(given, (facts,), rules), Limits(seconds=seconds, workers=1, until=until))


def test_half_of_what_is_left_is_for_each_plan_and_never_more_than_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plan that is hard leaves time to those after it; a twentieth of all is for each, as long as there is so much."""
    now = 1000.0
    monkeypatch.setattr("friendshore.solve.solving.time", SimpleNamespace(monotonic=lambda: now))
    assert Limits().next_seconds() is None
    assert Limits(seconds=100).next_seconds() == 100
    assert [Limits(seconds=100, until=now + rest).next_seconds() for rest in (100, 8, 3, -1)] == [50, 5, 3, 0]
    assert [Limits(seconds=1, until=now + rest).over for rest in (0, 0.1)] == [True, False]


@pytest.mark.parametrize("name", ALL_OF_IT)
def test_a_question_that_needs_all_of_its_plans_claims_nothing_once_the_time_is_up(name: str) -> None:
    """It says how many of how many there are, and that it needs them all."""
    session = opened(60, -1)
    assert session.verified.plan.status is PlanStatus.OPTIMAL, "the case's own plan comes late, and is made"
    with pytest.raises(OutOfTimeError, match=r"^FS701 .*0 of [1-9]\d* "):
        ALL_OF_IT[name](session)


def test_other_questions_say_what_was_not_reached() -> None:
    """Losses are counted, repairs may be more, what using an offer costs is not found in time."""
    session, whole = opened(60, -1), stress(opened())
    losses, found = stress(session), repairs(session)
    assert (len(losses.losses), losses.not_tried) == (0, len(whole.losses) + len(whole.pairs))
    assert not found.repairs
    assert [(gap.complete, gap.stopped, gap.searched) for gap in found.gaps] == [(False, True, -1)]
    assert "time limit" in unwrapped(repairs_document(found))
    late = [one for one in alternatives(opened(60, -1, banned=False)).offers if not one.in_time]
    assert {one.offer: one.rise for one in late} == {"au-metal": None, "jp-metal": None}


@pytest.mark.parametrize("name", [*ALL_OF_IT, *AS_FAR_AS_IT_CAME])
def test_a_limit_that_is_not_reached_changes_no_answer(name: str) -> None:
    """To the last figure."""
    ask = {**ALL_OF_IT, **AS_FAR_AS_IT_CAME}[name]
    assert ask(opened(3600, 3600)).to_dict() == ask(opened()).to_dict()
