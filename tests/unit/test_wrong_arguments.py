"""What a library's user is told who gives a public function something else than it takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import friendshore
from friendshore.errors import InputError

from ..building import case, demand, metals, planned, refused

OF_SESSIONS = (
    "alternatives",
    "calendar",
    "compare",
    "compare_plans",
    "ledger",
    "repairs",
)


def told(call: Callable[..., Any], *given: Any) -> str:
    """What is said of a call."""
    with pytest.raises(InputError) as caught:
        call(*given)
    return str(caught.value)


@pytest.mark.parametrize("path", ["docs/cases/us-2027", Path("docs/cases/us-2027")])
def test_a_path_is_no_case(path: object) -> None:
    """The line to write is told, with the path in it."""
    said = told(friendshore.plan, path)
    assert "`plan` takes a Case" in said
    assert 'give it `friendshore.load_case("docs/cases/us-2027")`' in said


@pytest.mark.parametrize("name", OF_SESSIONS)
def test_a_path_or_a_plan_is_no_session(name: str) -> None:
    """Questions are asked of a session: where that stands is told."""
    ask = getattr(friendshore, name)
    assert 'friendshore.plan(friendshore.load_case("my/case.toml")).session' in told(ask, "my/case.toml")
    found = planned(case(demand("metal", "civil", 1)), metals())
    said = told(ask, found)
    assert f"`{name}` takes a Session; found `Recommendation`" in said


@pytest.mark.parametrize(
    ("limits", "message"),
    [
        ({"gap": "x"}, "the gap is not valid"),
        ({"gap": -0.1}, "the gap is not valid"),
        ({"gap": float("nan")}, "the gap is not valid"),
        ({"time_limit": -1}, "the time limit is not valid"),
        ({"time_limit": float("inf")}, "the time limit is not valid"),
        ({"workers": 0}, "the number of workers is not valid"),
        ({"workers": 1.5}, "the number of workers is not valid"),
    ],
)
def test_a_limit_that_makes_no_sense_is_refused(limits: dict[str, Any], message: str) -> None:
    """With what was passed in, and what to pass instead."""
    (problem,) = refused(planned, case(demand("metal", "civil", 1)), metals(), **limits)
    (value,) = limits.values()
    assert (problem.message, problem.found) == (message, repr(value))
    assert problem.fix


def test_all_limits_that_make_no_sense_are_reported_together() -> None:
    """Not one after the other."""
    assert len(refused(planned, case(demand("metal", "civil", 1)), metals(), gap="x", time_limit=-1, workers=0)) == 3


def test_a_catalog_may_be_named_by_a_text() -> None:
    """A folder as a path or as its name."""
    folder = Path(__file__).parents[1] / "data" / "good-catalog"
    assert friendshore.read_catalog(str(folder)).digest == friendshore.read_catalog(folder).digest
