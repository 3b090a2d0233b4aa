"""How old catalogs and packs are is told by every command that rests on them, and changes nothing in a plan."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import Result

from .case_books import friendshore as command

DAYS = {"fresh": "2026-12-03", "old": "2028-12-03"}
"""A week after the first catalog's day, and two years after."""
CASE = """schema = 1
case = { name = "gallium", start = 2027-01-01, periods = 2, period = "year", currency = "USD", place = "US" }
use = { catalogs = ["usgs-2026"], packs = ["eu-crma"] }
assume = { lead_time = "0" }
demand = [{ material = "gallium-metal-4n", end_use = "civil", per_year = "1 t" }]
"""


def run(*arguments: str | Path, day: str) -> Result:
    """A command on a day."""
    epoch = str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    return command(*arguments, SOURCE_DATE_EPOCH=epoch, COLUMNS="100")


def friendshore(*arguments: str | Path, day: str = "2026-11-26") -> str:
    """What it prints, on one line."""
    done = run(*arguments, day=day)
    assert done.exit_code in (0, 4), done.output
    return " ".join(done.output.split())


@pytest.mark.parametrize(("more", "age"), [((), "data 7 days old"), (("--full",), "as of 2026-11-26, 7 days old")])
def test_a_plan_says_how_old_its_data_are_and_warns_of_old_ones(more: tuple[str, ...], age: str, first: Path) -> None:
    """Always how old the oldest are; in full above the mix once nobody has looked at them for more than 90 days."""
    fresh, old = (friendshore("plan", first, *more, day=day) for day in DAYS.values())
    assert age in fresh
    assert "Old data" not in fresh
    before, _, warning = old.partition("Old data")
    assert "catalog first-catalog, as of 2026-11-26, 738 days old" in warning
    assert not more or "Quebec gallium" not in before


def test_a_run_and_its_report_tell_the_age_on_the_day_of_the_run(first: Path, tmp_path: Path) -> None:
    """The same facts give the same run on every day, but for the day on which it was made; and its report is the same whenever it is printed."""
    for name, day in DAYS.items():
        friendshore("plan", first, "--out", tmp_path / name, day=day)
    told = [json.loads((tmp_path / name / "run.json").read_text()) for name in DAYS]
    assert [run.pop("planned_on") for run in told] == list(DAYS.values())
    assert told[0] == told[1]
    assert (tmp_path / "fresh" / "facts.json").read_bytes() == (tmp_path / "old" / "facts.json").read_bytes()
    at_once, later = (friendshore("report", tmp_path / "fresh", day=day) for day in (DAYS["fresh"], "2030-01-01"))
    assert at_once == later
    assert "as of 2026-11-26, 7 days old" in at_once
    assert "Old data: catalog first-catalog" in friendshore("report", tmp_path / "old")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("catalogs", "show", "kazakhstan"), "as of 2026-12-07, 84 days old"),
        (("catalogs", "list"), "2026-12-07 84 days"),
        (("rules", "list"), "pack eu-crma, as of 2026-11-24, 97 days old"),
        (("rules", "show", "eu-crma"), "as of 2026-11-24, 97 days old"),
    ],
)
def test_lists_and_pages_tell_the_age_today(arguments: tuple[str, ...], said: str) -> None:
    """Of a catalog, of a pack and of all that is installed; a note is broken where its author broke it."""
    told = friendshore(*arguments, day="2027-03-01")
    assert said in told
    assert "\\n" not in told


def test_a_check_tells_the_age_of_catalogs_and_packs_alone(first: Path, tmp_path: Path) -> None:
    """A plugin has no day of its own: its catalogs and packs have."""
    checked = friendshore("check", first, day="2027-03-01")
    assert "catalog first-catalog, as of 2026-11-26, 95 days old" in checked
    assert "last reviewed more than 90 days ago: catalog first-catalog" in checked
    told = json.loads(friendshore("check", first, "--json"))
    assert told["data"] == [{"kind": "catalog", "name": "first-catalog", "as_of": "2026-11-26"}]
    (tmp_path / "case.toml").write_text(CASE)
    told = json.loads(friendshore("check", tmp_path, "--json"))
    assert {one["kind"] for one in told["data"]} == {"catalog", "pack"}
    assert all(one["as_of"] for one in told["data"])


def test_law_that_turned_since_it_was_looked_at_is_told(tmp_path: Path) -> None:
    """A suspension that ran out after the pack's day: by `check`, by a plan in short and at length, by its page; nothing the day before."""
    (tmp_path / "case.toml").write_text(CASE.replace("eu-crma", "cn-export-controls"))
    turned = "cn-46-2-minerals, unknown from 2026-11-28 (reviewed on 2026-11-27)"
    for words in ("check", "plan", "plan --full"):
        name, *options = words.split()
        told = [friendshore(name, tmp_path, *options, day=day) for day in ("2026-11-27", "2026-11-28", "2027-06-01")]
        named = "changed after their last review: cn-46-2-" if words == "plan" else turned  # the screen names the first
        assert [named in text for text in told] == [False, True, True], words
    friendshore("plan", tmp_path, "--out", tmp_path / "run", day="2026-11-28")
    assert turned in friendshore("report", tmp_path / "run")
    assert turned in json.loads(friendshore("check", tmp_path, "--json", day="2026-11-28"))["changed_rules"]


def test_check_names_prices_that_are_older_than_the_case_allows(first: Path, case: Path) -> None:
    """On one line, and all with --json; --strict refuses them."""
    stated = case / "case.toml"
    stated.write_text(stated.read_text().replace("[accept]\n", '[accept]\noldest_price = "6 months"\n'))
    fresh, old = (friendshore("check", case, day=day) for day in ("2026-12-03", "2027-12-03"))
    assert "older than" not in fresh
    assert "are older than the 182 days that the case allows: " in old
    told = json.loads(friendshore("check", case, "--json", day="2027-12-03"))
    assert told["oldest_price_days"] == 182
    assert {(one["offer"], one["day"], one["age"]) for one in told["old_prices"]} == {
        (f"{name}-gallium", "2026-11-26", 372) for name in ("quebec", "guangxi", "kwinana")
    }
    assert "old_prices" not in json.loads(friendshore("check", first, "--json", day="2027-12-03"))
    line = "sources.csv:2 [date]: FS642 the price of `guangxi-gallium` is older than the case allows: of 2026-11-26, 372 days old"
    for name in ("plan", "check"):
        asked = run(name, case, "--strict", day="2027-12-03")
        assert (asked.exit_code, line in asked.output) == (2, True), asked.output


def test_a_day_to_come_is_told_as_one() -> None:
    """Of catalogs that say that they were looked at after today."""
    listed = friendshore("catalogs", "list", day="2026-11-23")
    assert "after today" in listed
    assert "-1 day" not in listed


def test_a_run_cannot_pass_for_fresher_than_its_data(tmp_path: Path) -> None:
    """Whoever gives a catalog or pack of a run another day than the installed data have is found out by `verify`."""
    (tmp_path / "case.toml").write_text(CASE)
    friendshore("plan", tmp_path / "case.toml", "--out", tmp_path / "run")
    assert "verified from its own facts" in friendshore("verify", tmp_path / "run")
    file = tmp_path / "run" / "run.json"
    told = json.loads(file.read_text())
    for one in told["plugins"]:
        one["as_of"] = "2026-11-28"
    file.write_text(json.dumps(told))
    found = friendshore("verify", tmp_path / "run")
    assert "source catalog/usgs-2026: `as_of` is not what the facts give" in found
    assert "source pack/eu-crma: `as_of` is not what the facts give" in found
