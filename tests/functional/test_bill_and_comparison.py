"""`ledger` and `compare` as a planner runs them: the text, the JSON, exit codes, and what is refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from .program import call

ROOT = Path(__file__).parents[2]
STEEL = "docs/cases/published/multmip3"
THREE = "fixed-cost,minimum-load,max-served"


def friendshore(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs the command line as a program of its own, at the root of the repository."""
    return call(list(map(str, arguments)), {**os.environ, "COLUMNS": "100"}, ROOT)


@pytest.mark.deep
def test_the_bill_in_order_is_the_one_of_the_page() -> None:
    """The published steps, and nothing on stderr."""
    command = f"ledger {STEEL} --order {THREE} --full"
    page = ROOT.joinpath("docs/reference/questions/ledger.md").read_text(encoding="utf-8")
    run = friendshore(*command.split())
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout == page.split(f"$ friendshore {command}\n", 1)[1].split("```", 1)[0]
    assert "max-served    –       +2,475.00      +2,475.00        –" in run.stdout


@pytest.mark.nightly
def test_the_whole_bill_of_the_worked_case_adds_up() -> None:
    """Cent by cent, item by item and part by part, with what one more unit would save."""
    run = friendshore("ledger", "docs/cases/us-2027", "--json", "--exact", "2", "--samples", "3")
    found = json.loads(run.stdout)
    cents = [round(100 * item["adds"]["amount"]) for item in found["items"]]
    assert sum(cents) == round(100 * found["adds"]["amount"])
    assert found["method"] == "sampled"
    assert found["margins"]["capacities"]
    assert found["effort"]["reused"] > found["effort"]["solved"]


def test_a_comparison_with_a_scenario_that_moves_nothing(first: Path) -> None:
    """The Canadian plant is lost after it has delivered: said as a step that costs nothing, proved."""
    found = json.loads(friendshore("compare", first, "--scenario", "no-canada", "--json").stdout)
    assert not [line for line in found["mix"] if line["moved_kg"]]
    assert (found["difference"]["value"], found["difference"]["proved"]) == (0, True)
    assert [step["title"] for step in found["steps"]] == ["remove country:CA, from 2027-07-01"]


@pytest.mark.deep
def test_two_runs_side_by_side(first: Path, tmp_path: Path) -> None:
    """Planned again from their own facts; what differs in them is named."""
    stricter = shutil.copytree(first, tmp_path / "stricter") / "case.toml"
    stricter.write_text(stricter.read_text().replace("share = 0.8\n", "share = 0.5\n"))
    for case, run in ((first, tmp_path / "one"), (stricter, tmp_path / "other")):
        assert friendshore("plan", case, "--quiet", "--out", run).returncode == 0
    done = friendshore("compare", tmp_path / "one", tmp_path / "other")
    assert done.returncode == 0
    assert "more cash" in " ".join(done.stdout.split())
    assert "not-all-from-one" in done.stdout
