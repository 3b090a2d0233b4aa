"""`stress` and `calendar` from the command line: a case and its run folder, text and JSON, what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from .program import here as friendshore


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `init` writes."""
    folder = tmp_path_factory.mktemp("first") / "case"
    assert friendshore("init", "--start", "2026-10-01", str(folder)).returncode == 0
    return folder


@pytest.fixture(scope="module")
def run(case: Path) -> Path:
    """The same, planned and written to a run folder."""
    folder = case.parent / "run"
    done = friendshore("plan", str(case), "--out", str(folder), "--quiet")
    assert done.returncode == 0, done.stderr
    return folder


def data(*arguments: str) -> dict[str, Any]:
    """The one JSON object that a command prints."""
    done = friendshore(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.deep
def test_a_case_and_its_run_are_stressed_alike(case: Path, run: Path) -> None:
    """The same losses at the same cost; the insurance stands beside them."""
    one, other = (data("stress", str(path)) for path in (case, run))
    assert [(x["loss"]["names"], x["rise"]["value"]) for x in one["losses"]] == [
        (x["loss"]["names"], x["rise"]["value"]) for x in other["losses"]
    ]
    assert one["losses"][0]["loss"]["names"] == ["first-catalog"]
    assert len(one["pairs"]) == 3
    assert one["insurance"]["by"] == "supplier"
    assert one["insurance"]["premium"] == other["insurance"]["premium"]


def test_losses_are_told_in_lines_that_fit(case: Path) -> None:
    """From a period of the plan on, by country."""
    done = friendshore("stress", str(case), "--from", "2027-Q1", "--by", "country", "--full", "--top", "0")
    assert done.returncode == 0, done.stderr
    assert "taken away in turn from 2027-01-01" in done.stdout
    assert "loss of any one country" in done.stdout
    assert "questions asked" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_without_insurance_and_pairs_only_losses_are_told(case: Path) -> None:
    """Both can be left out."""
    found = data("stress", str(case), "--no-pairs", "--by", "none")
    assert (found["pairs"], found["insurance"]) == ([], None)


def test_the_calendar_of_a_case_and_its_run_is_the_same(case: Path, run: Path) -> None:
    """Stretches, and a look beyond the plan."""
    one, other = (data("calendar", str(path), "--until", "2031-12-31") for path in (case, run))
    assert one["stretches"] == other["stretches"]
    assert [(x["start"], x["end"]) for x in one["intervals"]] == [
        ("2026-10-01", "2026-12-31"),
        ("2027-01-01", "2027-06-30"),
        ("2027-07-01", "2031-12-31"),
    ]
    assert one["intervals"][2]["changed"] == ["facility kwinana"]
    told = friendshore("calendar", str(case), "--full", "--all").stdout
    assert "facility kwinana" in told
    assert max(map(len, told.splitlines())) <= 100


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("stress", "--from", "soon"), "a date from 2026-10-01 to 2028-03-31"),
        (("stress", "--loss-from", "2031-01-01"), "a date from 2026-10-01 to 2028-03-31"),
        (("stress", "--by", "planet"), "supplier, parent, country, catalog or none"),
        (("calendar", "--until", "2020-01-01"), "2026-10-01 or later"),
        (("calendar", "--until", "2031-02-30"), "a date like 2031-12-31"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(case: Path, arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, no traceback, in text and in JSON."""
    command, *options = arguments
    done = friendshore(command, str(case), *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    done = friendshore(command, str(case), *options, "--json")
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["errors"][0]["expected"]
