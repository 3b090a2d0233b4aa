"""Questions from the command line: a case and its run folder, text and JSON, and what is refused."""

from __future__ import annotations

import json
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from friendshore.cli.cases import write_starter

from .program import here

US_2027 = Path(__file__).parents[2] / "docs" / "cases" / "us-2027"


def planned(case: Path, run: Path) -> Path:
    """Write the run of a case."""
    done = here("plan", case, "--out", run, "--quiet")
    assert done.returncode == 0, done.stderr
    return run


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the starter case."""
    folder = tmp_path_factory.mktemp("first") / "case"
    write_starter(folder)
    return folder


@pytest.fixture(scope="module")
def run(case: Path) -> Path:
    """Return its run."""
    return planned(case, case.parent / "run")


def data(*arguments: object) -> dict[str, Any]:
    """Return the JSON object that a command prints."""
    done = here(*arguments, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.deep
def test_a_case_and_its_run_are_stressed_alike(case: Path, run: Path) -> None:
    """The same losses at the same cost, and the same insurance."""
    one, other = (data("stress", path) for path in (case, run))
    told = [[(x["loss"]["names"], x["rise"]["value"]) for x in found["losses"]] for found in (one, other)]
    assert told[0] == told[1]
    assert told[0][0][0] == ["first-catalog"]
    assert len(one["pairs"]) == 3
    assert one["insurance"]["by"] == "supplier"
    assert one["insurance"]["premium"] == other["insurance"]["premium"]


def test_losses_of_countries_from_a_period_on(case: Path) -> None:
    """Without insurance and pairs if they are left out."""
    done = here("stress", case, "--from", "2027-Q1", "--by", "country", "--full", "--top", "0")
    assert done.returncode == 0, done.stderr
    assert "removed in turn from 2027-01-01" in done.stdout
    assert "loss of any one country" in done.stdout
    found = data("stress", case, "--no-pairs", "--by", "none")
    assert (found["pairs"], found["insurance"]) == ([], None)


def test_the_calendar_of_a_case_and_its_run_is_the_same(case: Path, run: Path) -> None:
    """Also beyond the plan."""
    one, other = (data("calendar", path, "--until", "2031-12-31") for path in (case, run))
    assert one["stretches"] == other["stretches"]
    assert [(x["start"], x["end"]) for x in one["intervals"]] == [
        ("2026-10-01", "2026-12-31"),
        ("2027-01-01", "2027-06-30"),
        ("2027-07-01", "2031-12-31"),
    ]
    assert one["intervals"][2]["changed"] == ["facility kwinana"]
    assert "facility kwinana" in here("calendar", case, "--full", "--all").stdout


@pytest.mark.deep
@pytest.mark.parametrize(
    ("of", "material", "must", "out", "rule"),
    [
        (None, "gallium-4n", "quebec-gallium", "guangxi-gallium", "defense-origin"),
        pytest.param(
            US_2027, "gallium-metal-4n", "jp-gallium-4n", "ru-gallium-4n", "sanctions-policy", marks=pytest.mark.nightly
        ),
    ],
)
def test_a_case_and_its_run_give_the_same_alternatives(
    case: Path, tmp_path: Path, of: Path | None, material: str, must: str, out: str, rule: str
) -> None:
    """Ranks, usage, and what is excluded."""
    given = of or case
    one, other = (data("alternatives", path, material) for path in (given, planned(given, tmp_path / "run")))
    offers = {offer["offer"]: offer for offer in one["offers"]}
    assert (offers[must]["rank"] is not None, offers[must]["share"]["role"]) == (True, "must")
    assert offers[out]["obstacles"][0]["rule"] == rule
    ranked = [[(offer["offer"], offer["rank"]) for offer in each["offers"] if offer["rank"]] for each in (one, other)]
    assert ranked[0] == ranked[1]


@pytest.mark.deep
@pytest.mark.parametrize(
    ("of", "offer", "rules"),
    [
        (None, "guangxi-gallium", ["defense-origin"]),
        (US_2027, "cn-tungsten-powder", ["us-4872-tungsten-2027", "All obstacles relaxed"]),
    ],
)
def test_why_not_says_what_keeps_an_offer_out(case: Path, of: Path | None, offer: str, rules: list[str]) -> None:
    """With each rule, and what the plan would buy without them."""
    done = here("why-not", of or case, offer, "--full")
    assert done.returncode == 0, done.stderr
    told = " ".join(done.stdout.split())
    assert [words for words in (*rules, "every cheapest plan buys it", "questions asked") if words not in told] == []


@pytest.mark.parametrize(
    ("arguments", "field", "said"),
    [
        (("stress", "", "--from", "soon"), "expected", "a date from 2026-10-01 to 2028-03-31"),
        (("stress", "", "--loss-from", "2031-01-01"), "expected", "a date from 2026-10-01 to 2028-03-31"),
        (("stress", "", "--by", "planet"), "expected", "supplier, parent, country, catalog, or none"),
        (("calendar", "", "--until", "2020-01-01"), "expected", "2026-10-01 or later"),
        (("calendar", "", "--until", "2031-02-30"), "expected", "a date like 2031-12-31"),
        (("why-not", "", "quebec-galium"), "fix", "did you mean `quebec-gallium`"),
        (("alternatives", "", "galium-4n"), "fix", "did you mean `gallium-4n`"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_would(
    case: Path, arguments: tuple[str, ...], field: str, said: str
) -> None:
    """In text and in JSON."""
    words = [word or case for word in arguments]
    done = here(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in " ".join(done.stderr.split())
    done = here(*words, "--json")
    assert done.returncode == 2
    assert said in json.loads(done.stdout)["errors"][0][field]


def test_an_answer_states_its_date_and_version(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a screen, in full, and as JSON."""
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1795996800")
    found = data("alternatives", case)
    assert found["made"] == "2026-11-30"
    assert found["version"] == version("friendshore")
    for form in ((), ("--full",)):
        assert f"Made 2026-11-30 with friendshore {found['version']}." in here("alternatives", case, *form).stdout


@pytest.mark.parametrize("number", ["9" * 400, "1e400", "-1e16", "nan", "inf"])
@pytest.mark.parametrize("option", ["--within", "--gap"])
def test_a_number_that_no_plan_needs_is_a_usage_error(case: Path, option: str, number: str) -> None:
    done = here("alternatives", case, f"{option}={number}")
    assert (done.returncode, done.stdout) == (2, "")
    assert option in done.stderr
    assert "Traceback" not in done.stderr


def test_a_whole_number_of_400_digits_is_a_usage_error(case: Path) -> None:
    done = here("alternatives", case, f"--top={'9' * 400}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "--top" in done.stderr
