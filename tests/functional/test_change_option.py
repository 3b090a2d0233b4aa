"""`--change` on the command line: what if, without an edit of the case; recorded in a run, and verified as other changes are."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from .case_books import friendshore

DEARER = "price=quebec-gallium, factor=150%"


@cache
def answer(*arguments: str | Path) -> dict[str, Any]:
    """The JSON object that a command prints; one that several tests look at is asked for once."""
    done = friendshore(*arguments, "--json")
    assert done.exit_code == 0, done.output
    data: dict[str, Any] = json.loads(done.stdout)
    return data


def test_a_run_keeps_its_changes_and_is_verified_with_them(first: Path, tmp_path: Path) -> None:
    """The plan is dearer, the run says by what, `verify` derives it again with the case at hand, and a question to the run knows it too."""
    run, change = tmp_path / "run", "disable=defense-origin, from=2027-04-01"
    plain = answer("plan", first)
    done = answer("plan", first, "--change", DEARER, "--change", change, "--out", run)
    assert done["changes"] == ["price quebec-gallium, factor 1.5", "disable defense-origin, from 2027-04-01"]
    assert done["objective"] != plain["objective"]
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    assert [("price" in one, "disable" in one) for one in facts["applied"]["changes"]] == [(True, False), (False, True)]
    verified = answer("verify", run, "--case", first)
    assert (verified["verified"], verified["findings"]) == (True, [])
    again = answer("plan", first, "--change", change, "--change", DEARER)
    assert again["objective"] == done["objective"]


@pytest.mark.parametrize(
    ("question", "more"),
    [
        ("alternatives", ()),
        pytest.param("why-not", ("guangxi-gallium",), marks=pytest.mark.deep),
        pytest.param("repairs", ("--workers", "2"), marks=pytest.mark.deep),
        pytest.param("ledger", (), marks=pytest.mark.deep),
        pytest.param("calendar", (), marks=pytest.mark.deep),
    ],
)
def test_every_question_takes_changes(first: Path, question: str, more: tuple[str, ...]) -> None:
    """Asked after a change that takes away the compliant plant, the answer is another."""
    asked = (question, first, *more)
    assert answer(*asked) != answer(*asked, "--change", "remove=quebec-gallium")


@pytest.mark.parametrize(
    ("question", "told"),
    [
        (("stress", "--by", "none", "--no-pairs"), lambda found: [loss["rise"] for loss in found["losses"]]),
        pytest.param(("repairs",), lambda found: found["gaps"], marks=pytest.mark.deep),
    ],
)
def test_workers_change_nothing_after_a_change(
    case: Path, question: tuple[str, ...], told: Callable[[dict[str, Any]], object]
) -> None:
    """A supplier that the change takes away is not lost again."""
    name, *more = question
    asked = (name, case, *more, "--change", "remove=quebec-gallium")
    one, two = (answer(*asked, "--workers", number) for number in ("1", "2"))
    assert told(one) == told(two)
    assert name == "repairs" or "quebec" not in json.dumps(one["losses"]).lower()


def test_a_comparison_of_a_change_with_the_case_as_it_is(first: Path) -> None:
    """What the second plan differs by; none may be given with a second case."""
    found = answer("compare", first, "--change", DEARER)
    assert (found["before"], found["after"]) == ("first-case as it is", "first-case changed")
    assert [step["title"] for step in found["steps"]] == ["price quebec-gallium, factor 1.5"]
    assert friendshore("compare", first, first, "--change", DEARER).exit_code == 2


@pytest.mark.parametrize("command", ["plan", "repairs", "compare"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("disable=china-halt", "FS302 `disable` names `china-halt`"),
        ("remove=nobody", "FS241"),
        ("price=quebec-gallium, factor=2, from=2027-01-01", "FS258"),
        ("disabel=x", "did you mean `disable`?"),
    ],
)
def test_what_is_wrong_with_a_change_is_told_of_the_option(
    first: Path, command: str, change: str, message: str
) -> None:
    """Exit code 2, the line as it was given, and nothing on stdout; with `--json` one object."""
    done = friendshore(command, first, "--change", change)
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"--change '{change}'" in done.stderr
    assert message in done.stderr
    data = json.loads(friendshore(command, first, "--change", change, "--json").stdout)
    assert data["errors"][0]["file"] == f"--change '{change}'"


def test_a_case_is_planned_in_shorter_periods_and_the_run_keeps_it(first: Path, tmp_path: Path) -> None:
    """`--period month`: eighteen months in the place of six quarters, and `verify` counts in months too, beside the case."""
    done = friendshore("plan", first, "--period", "month", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert 'Changes to the case: period = "month"' in " ".join(done.stdout.split())
    checked = answer("verify", tmp_path / "run", "--case", first)
    assert (checked["verified"], checked["findings"], checked["applied"]) == (True, [], ['period = "month"'])
