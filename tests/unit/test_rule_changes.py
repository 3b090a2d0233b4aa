"""What scenarios and bills make of rules."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.change import Change
from friendshore.domain.time import Span
from friendshore.errors import InputError
from friendshore.rules.amend import amended
from friendshore.rules.base import Phase, PhaseStatus, Rule
from friendshore.rules.pack import LegislativeBill

from ..building import refused

ENACTED = frozenset({PhaseStatus.ENACTED})
FIRST = date(2026, 1, 1)


def rule(*phases: dict[str, Any], name: str = "r") -> Rule:
    """A rule with phases."""
    return Rule(kind="test", id=name, phases=tuple(Phase.model_validate(phase) for phase in phases))


def change(**fields: Any) -> Change:
    """A change."""
    return Change.model_validate(fields)


def applies(of: Rule, day: str) -> bool:
    """Whether an enacted phase holds on a day."""
    when = date.fromisoformat(day)
    return of.applies(Span(start=when, end=when), ENACTED)


def test_disabling_a_rule_takes_all_its_days() -> None:
    """A rule that is switched off applies on no day."""
    (after,) = amended([rule({})], [change(disable="r")])
    assert not applies(after, "2027-06-30")


def test_disabling_for_a_time_leaves_the_rest() -> None:
    """A rule switched off between two dates, both included, holds before and after."""
    (after,) = amended([rule({})], [change(disable="r", **{"from": "2027-01-01", "until": "2027-12-31"})])
    days = ["2026-12-31", "2027-01-01", "2027-12-31", "2028-01-01"]
    assert [applies(after, day) for day in days] == [True, False, False, True]


def test_moving_a_start() -> None:
    """A rule moved to a later start holds from then on, and keeps its end."""
    (after,) = amended(
        [rule({"from": "2027-01-01", "until": "2040-12-31"})], [change(move="r", **{"from": "2032-01-01"})]
    )
    assert [applies(after, day) for day in ("2031-12-31", "2032-01-01", "2040-12-31", "2041-01-01")] == [
        False,
        True,
        True,
        False,
    ]


def test_enabling_wakes_pending_and_unknown_phases() -> None:
    """Pending and unknown phases apply once enabled; a suspension stays one."""
    phases = (
        {"until": "2026-06-30", "status": "suspended"},
        {"from": "2026-07-01", "until": "2026-12-31", "status": "unknown"},
        {"from": "2027-01-01", "status": "pending"},
    )
    (after,) = amended([rule(*phases)], [change(enable="r")])
    assert [applies(after, day) for day in ("2026-06-30", "2026-07-01", "2027-01-01")] == [False, True, True]


def test_a_bill_applies_its_own_changes() -> None:
    """Enabling a bill does what the bill says, to the rules it names and to no others."""
    bill = LegislativeBill(id="bill", title="A bill", change=(change(disable="a"),))
    first, second = amended([rule({}, name="a"), rule({}, name="b")], [change(enable="bill")], [bill])
    assert not applies(first, "2027-01-01")
    assert applies(second, "2027-01-01")


def test_unknown_names_are_all_told() -> None:
    """Every change that names no rule is an error, and the rules there are come with it."""
    problems = refused(amended, [rule({})], [change(disable="x"), change(enable="y")])
    assert [problem.found for problem in problems] == ["x", "y"]
    assert "r" in problems[0].expected


def test_a_bill_that_enables_itself_is_refused() -> None:
    """A circle of bills is an error, not an endless loop."""
    bill = LegislativeBill(id="bill", title="A bill", change=(change(enable="bill"),))
    with pytest.raises(InputError, match="enables itself"):
        amended([rule({})], [change(enable="bill")], [bill])


def test_other_changes_are_left_alone() -> None:
    """Changes of prices, capacities and offers do not touch the rules."""
    before = (rule({}),)
    assert amended(before, [change(price="gallium", factor=2), change(remove="country:CN")]) == before


DAY = st.one_of(st.none(), st.integers(0, 20).map(lambda n: FIRST + timedelta(days=n)))


@given(start=DAY, end=DAY, cut_start=DAY, cut_end=DAY)
def test_disabling_takes_just_the_days_named(
    start: date | None, end: date | None, cut_start: date | None, cut_end: date | None
) -> None:
    """On each single day the rule holds after the change if it held before and the day was not named."""
    if (start and end and start > end) or (cut_start and cut_end and cut_start > cut_end):
        return
    before = rule({"from": start, "until": end})
    (after,) = amended([before], [change(disable="r", **{"from": cut_start, "until": cut_end})])
    cut = Span(start=cut_start, end=cut_end)
    for number in range(-2, 24):
        day = FIRST + timedelta(days=number)
        named = cut.covers(Span(start=day, end=day))
        assert applies(after, str(day)) is (applies(before, str(day)) and not named)
