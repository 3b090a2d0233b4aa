"""How old catalogs and packs are is told by every command that rests on them, and changes nothing in a plan."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from friendshore.cli import app


def friendshore(*arguments: str | Path, day: str = "2026-11-26") -> str:
    """What a command prints on a day."""
    epoch = str(int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()))
    done = CliRunner(env={"SOURCE_DATE_EPOCH": epoch, "COLUMNS": "100"}).invoke(app, list(map(str, arguments)))
    assert done.exit_code in (0, 4), done.output
    return done.output


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One case, planned a week after its catalog's day, and two years after."""
    folder = tmp_path_factory.mktemp("age")
    friendshore("init", folder / "case", day="2026-11-01")
    for name, day in (("fresh", "2026-11-08"), ("old", "2028-11-08")):
        for asked in ("", "full"):
            more = ["--full"] if asked else []
            told = friendshore("plan", folder / "case", "--out", folder / name, *more, day=day)
            (folder / f"{name}{asked}.txt").write_text(told)
    return folder


def test_a_plan_says_how_old_its_data_are_and_warns_of_old_ones(runs: Path) -> None:
    """Beside the data's name always; above the mix once nobody has looked at them for more than 90 days."""
    fresh, old = ((runs / f"{name}full.txt").read_text() for name in ("fresh", "old"))
    assert "as of 2026-11-01, 7 days old" in fresh
    assert "Old data" not in fresh
    warning = old.index("Old data")
    assert "catalog first-catalog, as of 2026-11-01, 738 days old" in old[warning:]
    assert warning < old.index("Quebec gallium"), "it stands before the mix"


def test_the_screen_says_how_old_the_data_are_and_warns_of_old_ones(runs: Path) -> None:
    """The same in one line each: on every screen how old the oldest are, and a warning of those that nobody has looked at for more than 90 days."""
    fresh, old = (" ".join((runs / f"{name}.txt").read_text().split()) for name in ("fresh", "old"))
    assert "data 7 days old" in fresh
    assert "Old data" not in fresh
    assert "Old data: catalog first-catalog, as of 2026-11-01, 738 days old" in old


def test_the_age_changes_neither_the_plan_nor_a_digest(runs: Path) -> None:
    """The same facts give the same run on every day, but for the day on which it was made."""
    told = [json.loads((runs / name / "run.json").read_text()) for name in ("fresh", "old")]
    assert [run.pop("made") for run in told] == ["2026-11-08", "2028-11-08"]
    assert told[0] == told[1]
    assert (runs / "fresh" / "facts.json").read_bytes() == (runs / "old" / "facts.json").read_bytes()


def test_a_report_tells_the_age_on_the_day_of_the_run(runs: Path) -> None:
    """Whenever it is printed, a report is the same."""
    first, later = (friendshore("report", runs / "fresh", day=day) for day in ("2026-11-08", "2030-01-01"))
    assert first == later
    assert "as of 2026-11-01, 7 days old" in first
    assert "Old data: catalog first-catalog" in friendshore("report", runs / "old")


def test_check_and_lists_tell_the_age_today(runs: Path) -> None:
    """Of the catalogs and packs of a case, of a catalog, of a pack and of all that is installed."""
    day = "2027-03-01"
    checked = friendshore("check", runs / "case", day=day)
    assert "catalog first-catalog, as of 2026-11-01, 120 days old" in checked
    assert "looked at more than 90 days ago: catalog first-catalog" in " ".join(checked.split())
    assert "as of 2026-11-24, 97 days old" in " ".join(friendshore("catalogs", "show", "kazakhstan", day=day).split())
    assert "2026-11-24  97 days" in friendshore("catalogs", "list", day=day)
    assert "pack eu-crma, as of 2026-11-24, 97 days old" in friendshore("rules", "list", day=day)
    shown = friendshore("rules", "show", "eu-crma", day=day)
    assert "as of 2026-11-24, 97 days old" in shown
    assert "\\n" not in shown, "a note is broken where its author broke it"
    told = json.loads(friendshore("check", runs / "case", "--json"))
    assert told["data"] == [{"kind": "catalog", "name": "first-catalog", "as_of": "2026-11-01"}]


def test_law_that_turned_since_it_was_looked_at_is_told(tmp_path: Path) -> None:
    """A suspension that ran out after the pack's day: by `check`, by a plan in short and at length, by its page; nothing the day before."""
    (tmp_path / "case.toml").write_text(CASE.replace("eu-crma", "cn-export-controls"))
    turned = "cn-46-2-minerals, looked at on 2026-11-27: unknown from 2026-11-28 on"
    for command in ("check", "plan", "plan --full"):
        name, *options = command.split()
        told = [friendshore(name, tmp_path, *options, day=day) for day in ("2026-11-27", "2026-11-28", "2027-06-01")]
        named = "turned since it was looked at: cn-46-2-" if command == "plan" else turned  # the screen names the first
        assert [named in " ".join(text.split()) for text in told] == [False, True, True], command
    friendshore("plan", tmp_path, "--out", tmp_path / "run", day="2026-11-28")
    assert turned in " ".join(friendshore("report", tmp_path / "run").split())
    assert turned in json.loads(friendshore("check", tmp_path, "--json", day="2026-11-28"))["turned"]


def test_check_names_prices_that_are_older_than_the_case_allows(runs: Path, tmp_path: Path) -> None:
    """On one line, and all with --json; --strict refuses them, `check` too, and nothing else does."""
    shutil.copytree(runs / "case", tmp_path / "case")
    stated = tmp_path / "case" / "case.toml"
    stated.write_text(stated.read_text().replace("[accept]\n", '[accept]\noldest_price = "6 months"\n'))
    fresh, old = (
        " ".join(friendshore("check", tmp_path / "case", day=day).split()) for day in ("2026-11-08", "2027-11-08")
    )
    assert "older than" not in fresh
    assert "are older than the 182 days that the case allows: " in old
    told = json.loads(friendshore("check", tmp_path / "case", "--json", day="2027-11-08"))
    assert told["oldest_price_days"] == 182
    assert {(one["offer"], one["day"], one["age"]) for one in told["old_prices"]} == {
        (f"{name}-gallium", "2026-11-01", 372) for name in ("quebec", "guangxi", "kwinana")
    }
    assert "old_prices" not in json.loads(friendshore("check", runs / "case", "--json", day="2027-11-08"))
    assert "Old prices" in friendshore("plan", tmp_path / "case", day="2027-11-08")
    for command in ("plan", "alternatives", "check"):
        asked = CliRunner(env={"SOURCE_DATE_EPOCH": "1825632000"}).invoke(
            app, [command, str(tmp_path / "case"), "--strict"]
        )
        line = "sources.csv:2 [date]: the price of `guangxi-gallium` is older than the case allows: of 2026-11-01, 372 days old"
        assert (asked.exit_code, line in asked.output) == (2, True), asked.output


def test_a_day_to_come_is_told_as_one() -> None:
    """Of catalogs that say that they were looked at after today."""
    listed = friendshore("catalogs", "list", day="2026-11-23")
    assert "after today" in listed
    assert "-1 day" not in listed


CASE = """schema = 1
[case]
name = "gallium"
start = 2027-01-01
periods = 2
period = "year"
currency = "USD"
place = "US"
[use]
catalogs = ["usgs-2026"]
packs = ["eu-crma"]
[assume]
lead_time = "0"
[[demand]]
material = "gallium-metal-4n"
end_use = "civil"
per_year = "1 t"
"""


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
    found = " ".join(friendshore("verify", tmp_path / "run").split())
    assert "source catalog/usgs-2026: `as_of` is not what the facts give" in found
    assert "source pack/eu-crma: `as_of` is not what the facts give" in found


def test_a_check_tells_the_age_of_data_and_of_nothing_else(tmp_path: Path) -> None:
    """A plugin has no day of its own: its catalogs and packs have."""
    (tmp_path / "case.toml").write_text(CASE)
    told = json.loads(friendshore("check", tmp_path / "case.toml", "--json"))
    assert {one["kind"] for one in told["data"]} == {"catalog", "pack"}
    assert all(one["as_of"] for one in told["data"])
