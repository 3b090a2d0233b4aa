"""A time limit is one for everything: reading, laying out, searching, and why something is short. The clock here is a counter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from friendshore import recommend, session
from friendshore.explain import replans
from friendshore.rules.kinds.limits import MaxShare
from friendshore.solve import Limits

from ..building import case, demand, metals, planned, rule


class Clock:
    """A clock that stands still but where work is said to take time."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds by it."""
        return self.now

    def slowed(self, work: Callable[..., Any], seconds: float) -> Callable[..., Any]:
        """The same work, taking so long."""

        def slow(*given: Any, **named: Any) -> Any:
            self.now += seconds
            return work(*given, **named)

        return slow


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Ten seconds of reading, three of laying out, twenty of searching."""
    made = Clock()
    monkeypatch.setattr(recommend, "monotonic", made)
    monkeypatch.setattr(session, "monotonic", made)
    monkeypatch.setattr(recommend, "gather", made.slowed(recommend.gather, 10))
    monkeypatch.setattr(session, "compile_program", made.slowed(session.compile_program, 3))
    monkeypatch.setattr(session, "solve", made.slowed(session.solve, 20))
    return made


def given(monkeypatch: pytest.MonkeyPatch, where: Any, name: str) -> list[float | None]:
    """The seconds that whatever is called by this name is given from now on."""
    told: list[float | None] = []
    work = getattr(where, name)

    def noted(program: Any, *some: Any) -> Any:
        told.extend(one.seconds for one in some if isinstance(one, Limits))
        return work(program, *some)

    monkeypatch.setattr(where, name, noted)
    return told


@pytest.mark.parametrize(
    ("limit", "searched"), [(None, None), (60.0, 60 - 10 - 3 - 3), (17.0, 1.7), (5.0, 0.5), (0.0, 0.0)]
)
def test_the_search_gets_what_reading_leaves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, limit: float | None, searched: float | None
) -> None:
    """And leaves as much for verifying as laying out took; a tenth of the limit at least."""
    told = given(monkeypatch, session, "solve")
    planned(case(demand("metal", "civil", 100)), metals(), time_limit=limit)
    assert told == [pytest.approx(searched)]
    assert clock.now > 1000


@pytest.mark.parametrize(("limit", "asked"), [(None, 60.0), (60.0, 60 - 10 - 3 - 20), (20.0, 0.0)])
def test_why_something_is_short_gets_what_the_search_leaves(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, limit: float | None, asked: float | None
) -> None:
    """Half of the metal may come from one country: the rest of it is short, and the rule that makes it so is looked for in the time left.

    Without a limit it gets a minute, or as long as the plan took.
    """
    monkeypatch.setattr(replans, "monotonic", clock)
    told = given(monkeypatch, replans, "optima")
    found = planned(
        case(demand("metal", "civil", 100)), metals(), rule(MaxShare, by="country", share="0.3"), time_limit=limit
    )
    assert found.run.shortages
    assert set(told) == {asked}
