"""`--change` on the command line: what if, without an edit of the case; recorded in a run, and verified as other changes are."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from friendshore.cli import app

DEARER = "price=quebec-gallium, factor=150 %"


def friendshore(*arguments: str | Path) -> Result:
    """A command, in this process."""
    return CliRunner().invoke(app, list(map(str, arguments)))


@cache
def answer(*arguments: str | Path) -> dict[str, Any]:
    """The JSON object that a command prints; one that several tests look at is asked for once."""
    done = friendshore(*arguments, "--json")
    assert done.exit_code == 0, done.output
    data: dict[str, Any] = json.loads(done.stdout)
    return data


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `init` writes."""
    folder = tmp_path_factory.mktemp("case") / "first"
    assert friendshore("init", "--start", "2026-10-01", folder).exit_code == 0
    return folder


def test_a_run_keeps_its_changes_and_is_verified_with_them(case: Path, tmp_path: Path) -> None:
    """The plan is dearer, the run says by what, `verify` derives it again with the case at hand, and a question to the run knows it too."""
    run, change = tmp_path / "run", "disable=defense-origin, from=2027-04-01"
    plain = answer("plan", case)
    done = answer("plan", case, "--change", DEARER, "--change", change, "--out", run)
    assert done["changes"] == ["price quebec-gallium, factor 1.5", "disable defense-origin, from 2027-04-01"]
    assert done["objective"] != plain["objective"]
    facts = json.loads((run / "facts.json").read_text(encoding="utf-8"))
    assert [("price" in one, "disable" in one) for one in facts["applied"]["changes"]] == [(True, False), (False, True)]
    verified = answer("verify", run, "--case", case)
    assert (verified["verified"], verified["findings"]) == (True, [])
    again = answer("plan", case, "--change", change, "--change", DEARER)
    assert again["objective"] == done["objective"]


def test_a_change_says_what_a_scenario_of_it_says(case: Path, tmp_path: Path) -> None:
    """The same as a scenario, in the words of its table; after a scenario both hold."""
    copy = copytree(case, tmp_path / "case")
    table = '\n[[scenario]]\nname = "dearer"\nchange = [{ price = "quebec-gallium", factor = "150 %" }]\n'
    with (copy / "case.toml").open("a", encoding="utf-8") as file:
        file.write(table)
    named, stated = answer("plan", copy, "--scenario", "dearer"), answer("plan", copy, "--change", DEARER)
    assert (named["objective"], named["changes"]) == (stated["objective"], stated["changes"])


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
def test_every_question_takes_changes(case: Path, question: str, more: tuple[str, ...]) -> None:
    """Asked after a change that takes away the compliant plant, the answer is another."""
    asked = (question, case, *more)
    assert answer(*asked) != answer(*asked, "--change", "remove=quebec-gallium")


def test_losses_are_asked_after_a_change(case: Path) -> None:
    """A supplier that the change takes away is not lost again; workers change nothing."""
    asked = ("stress", case, "--by", "none", "--no-pairs", "--change", "remove=quebec-gallium")
    one, two = answer(*asked, "--workers", "1"), answer(*asked, "--workers", "2")
    assert "quebec" not in json.dumps(one["losses"]).lower()
    assert [loss["rise"] for loss in one["losses"]] == [loss["rise"] for loss in two["losses"]]


@pytest.mark.deep
def test_repairs_take_workers(case: Path) -> None:
    """As every question does; the answer is the same."""
    one, two = (answer("repairs", case, "--workers", n, "--change", "remove=quebec-gallium") for n in ("1", "2"))
    assert one["gaps"] == two["gaps"]


def test_a_comparison_of_a_change_with_the_case_as_it_is(case: Path) -> None:
    """What the second plan differs by; none may be given with a second case."""
    found = answer("compare", case, "--change", DEARER)
    assert (found["before"], found["after"]) == ("first-case as it is", "first-case changed")
    assert [step["title"] for step in found["steps"]] == ["price quebec-gallium, factor 1.5"]
    assert friendshore("compare", case, case, "--change", DEARER).exit_code == 2


@pytest.mark.parametrize("command", ["plan", "repairs", "compare"])
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("disable=china-halt", "`disable` names no rule in use"),
        ("remove=nobody", "`remove` names nothing in the case"),
        ("price=quebec-gallium, factor=2, from=2027-01-01", "has no `from`"),
        ("disabel=x", "did you mean `disable`?"),
    ],
)
def test_what_is_wrong_with_a_change_is_told_of_the_option(case: Path, command: str, change: str, message: str) -> None:
    """Exit code 2, the line as it was given, and nothing on stdout; with `--json` one object."""
    done = friendshore(command, case, "--change", change)
    assert done.exit_code == 2
    assert not done.stdout
    assert f"--change '{change}'" in done.stderr
    assert message in done.stderr
    data = json.loads(friendshore(command, case, "--change", change, "--json").stdout)
    assert data["errors"][0]["file"] == f"--change '{change}'"


def test_a_case_is_planned_in_shorter_periods_and_the_run_keeps_it(case: Path, tmp_path: Path) -> None:
    """`--period month`: eighteen months in the place of six quarters, and `verify` counts in months too, beside the case."""
    done = friendshore("plan", case, "--period", "month", "--out", tmp_path / "run")
    assert done.exit_code == 0, done.output
    assert "18 periods" in done.stdout
    assert 'Changed from the case: period = "month"' in " ".join(done.stdout.split())
    checked = answer("verify", tmp_path / "run", "--case", case)
    assert (checked["verified"], checked["findings"], checked["applied"]) == (True, [], ['period = "month"'])


def test_longer_periods_are_refused(case: Path, tmp_path: Path) -> None:
    """A case by months is not planned by quarters."""
    text = (case / "case.toml").read_text().replace('period = "quarter"', 'period = "month"')
    copytree(case, tmp_path / "monthly")
    (tmp_path / "monthly" / "case.toml").write_text(text)
    done = friendshore("plan", tmp_path / "monthly", "--period", "quarter")
    assert done.exit_code == 2
    assert "periods longer than those of the case" in done.output
