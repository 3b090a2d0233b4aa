"""`friendshore watch`: what a new edition of rules or data turns in cases, told by days and by what it is worth."""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections import Counter
from concurrent.futures import Executor, Future
from multiprocessing import active_children
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from typer.testing import CliRunner

from friendshore.cli.app import app
from friendshore.plugins import Registry
from friendshore_watch import editions_of, watch

PACK = """schema = 1
id = "cn-controls"
title = "Invented controls"
authority = "Nobody"
as_of = 2026-10-01
licence = "CC0-1.0"

[[rule]]
kind = "export-control"
id = "cn-gallium"
title = "Gallium under licence"
citation = "invented"
elements = ["Ga"]
exporters = ["CN"]
effect = "licence"
phases = {phases}
"""
LICENCE = """
[[licence]]
rule = "cn-gallium"
from = 2027-04-01
until = 2027-06-30
why = "invented"
"""
NEVER, FOREVER = "[]", "[{ from = 2027-02-01 }]"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """The starter case, under a pack of its own."""
    CliRunner().invoke(app, ["init", "--start", "2026-10-01", str(tmp_path / "case")])
    file = tmp_path / "case" / "case.toml"
    file.write_text(file.read_text().replace("packs = []", 'packs = ["../old"]') + LICENCE)
    pack(tmp_path / "old", NEVER)
    return tmp_path / "case"


def pack(folder: Path, phases: str, text: str = PACK) -> Path:
    """An edition of the pack."""
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(text.replace("{phases}", phases))
    return folder


def watched(*args: Path | str, code: int) -> Any:
    """What is told as JSON."""
    result = CliRunner().invoke(app, ["watch", *map(str, args), "--workers", "1", "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def test_days_on_which_a_licence_is_held_do_not_turn(case: Path, tmp_path: Path) -> None:
    """A control from February on turns the days before and after the licence's; those of its quarters are at stake."""
    told = watched(tmp_path / "old", pack(tmp_path / "new", FOREVER), case, code=7)
    days = {(f["start"], f["end"], f["was"], f["now"]) for f in told["flips"] if f["end_use"] == "civil"}
    assert days == {
        ("2027-02-01", "2027-03-31", "pass", "unproven"),
        ("2027-07-01", "2028-03-31", "pass", "unproven"),
    }
    assert {f["offer"] for f in told["flips"]} == {"guangxi-gallium"}
    one = told["cases"][0]
    assert one["cost_at_stake"] == pytest.approx(264 * one["kg_at_stake"])
    assert one["comparison"]["cost_after"]["objective"] > one["comparison"]["cost_before"]["objective"]


def test_what_is_at_stake_is_what_the_old_plan_buys_on_those_days(case: Path, tmp_path: Path) -> None:
    """The kilograms of a verdict that turns are the purchases of its offer that arrive in a quarter of its days."""
    run = CliRunner().invoke(app, ["plan", str(case), "--json"])
    bought = [p for p in json.loads(run.stdout)["purchases"] if p["offer"] == "guangxi-gallium"]
    told = watched(tmp_path / "old", pack(tmp_path / "new", FOREVER), case, code=7)
    expected = {
        "2027-02-01": ["2027-Q1"],
        "2027-07-01": ["2027-Q3", "2027-Q4", "2028-Q1"],
    }
    for flip in (f for f in told["flips"] if f["end_use"] == "civil"):
        inside = sum(p["quantity_kg"] for p in bought if p["delivered"] in expected[flip["start"]])
        assert flip["kg"] == pytest.approx(inside)


def test_the_same_edition_turns_nothing(case: Path, tmp_path: Path) -> None:
    """Exit code 0, and a sentence that says so."""
    shutil.copytree(tmp_path / "old", tmp_path / "same")
    told = CliRunner().invoke(app, ["watch", str(tmp_path / "old"), str(tmp_path / "same"), str(case)])
    assert told.exit_code == 0
    assert "No verdict turns in 1 case" in told.stdout


def test_a_catalog_of_another_day(case: Path, tmp_path: Path) -> None:
    """An offer that is gone, one that is new, one whose origin was corrected, and the plan under each."""
    new = shutil.copytree(case / "catalog", tmp_path / "catalog-new")
    chain = new / "chain.csv"
    chain.write_text(chain.read_text().replace("guangxi-gallium,refined,CN", "guangxi-gallium,refined,VN"))
    for table in ("offers.csv", "chain.csv"):
        file = new / table
        lines = [line.replace("kwinana-gallium", "wagerup-gallium") for line in file.read_text().splitlines()]
        file.write_text("\n".join(lines) + "\n")
    told = watched(case / "catalog", new, case, code=7)
    assert {(f["offer"], f["end_use"], f["was"], f["now"]) for f in told["flips"]} == {
        ("guangxi-gallium", "defense", "fail", "pass")
    }
    assert {(o["offer"], o["came"]) for o in told["offers"]} == {("kwinana-gallium", False), ("wagerup-gallium", True)}


def test_a_case_that_breaks_is_told_and_the_others_go_on(case: Path, tmp_path: Path) -> None:
    """A licence under a rule that the new edition has not: the case says so, and the other one is watched."""
    other = shutil.copytree(case, tmp_path / "other")
    file = other / "case.toml"
    file.write_text(file.read_text().replace(LICENCE, "").replace('"first-case"', '"second-case"'))
    gone = pack(tmp_path / "new", FOREVER, PACK.replace('"cn-gallium"', '"cn-all-gallium"'))
    told = watched(tmp_path / "old", gone, case, other, code=2)
    first, second = told["cases"]
    assert "unknown rule `cn-gallium`" in " ".join(first["error"])
    assert not second["error"]
    assert {f["case"] for f in told["flips"]} == {"second-case"}


def test_cases_of_one_name_are_told_apart(case: Path, tmp_path: Path) -> None:
    """By their files, and each has its own verdicts."""
    other = shutil.copytree(case, tmp_path / "other")
    told = watched(tmp_path / "old", pack(tmp_path / "new", FOREVER), case, other, code=7)
    names = [one["case"] for one in told["cases"]]
    assert names == [f"first-case ({case})", f"first-case ({other})"]
    assert Counter(flip["case"] for flip in told["flips"]) == dict.fromkeys(names, len(told["flips"]) // 2)


def test_half_an_answer_is_none(case: Path, tmp_path: Path) -> None:
    """Where the time is up before both plans are found, nothing is said of what they cost."""
    told = watched(tmp_path / "old", pack(tmp_path / "new", FOREVER), case, "--time-limit", "0", code=2)
    assert "the search was ended" in told["cases"][0]["error"][0]
    assert told["flips"] == []


def test_prices_that_are_too_old_are_refused_by_strict(
    case: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `plan` refuses them: the case says so, and is not planned."""
    file = case / "case.toml"
    file.write_text(file.read_text().replace("[accept]\n", '[accept]\noldest_price = "6 months"\n'))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1825632000")
    new = pack(tmp_path / "new", FOREVER)
    told = watched(tmp_path / "old", new, case, "--strict", code=2)
    assert "older than the case allows" in told["cases"][0]["error"][0]
    assert not watched(tmp_path / "old", new, case, code=7)["cases"][0]["error"]


def test_a_case_that_uses_neither_edition_is_left_alone(case: Path, tmp_path: Path) -> None:
    """It is named, and not planned."""
    file = case / "case.toml"
    file.write_text(file.read_text().replace('packs = ["../old"]', "packs = []").replace(LICENCE, ""))
    told = watched(tmp_path / "old", pack(tmp_path / "new", FOREVER), case, code=0)
    assert told["cases"][0]["uses"] == []


def test_what_is_no_pair_of_editions_is_refused(case: Path, tmp_path: Path) -> None:
    """An empty folder, editions of different packs, two of the same: each with what is missing."""
    (tmp_path / "empty").mkdir()
    another = pack(tmp_path / "another", FOREVER, PACK.replace("cn-controls", "other-controls"))
    twice = tmp_path / "twice"
    pack(twice / "a", NEVER)
    pack(twice / "b", FOREVER)
    for new, said in (
        (tmp_path / "empty", "holds no rule pack, no catalog and no settings"),
        (another, "the rule pack `cn-controls` has no edition in NEW"),
        (twice, "two editions of the rule pack `cn-controls`"),
    ):
        told = watched(tmp_path / "old", new, case, code=2)
        assert said in json.dumps(told["errors"]), told


def test_editions_are_not_looked_for_on_a_whole_disk(case: Path, tmp_path: Path) -> None:
    """A few folders deep, and never through a link that leads back."""
    near, far = tmp_path / "a", tmp_path / "b"
    pack(near / "1" / "2" / "3" / "4", FOREVER)
    (near / "back").symlink_to(near)
    pack(far / "1" / "2" / "3" / "4" / "5", FOREVER)
    watched(tmp_path / "old", near, case, code=7)
    assert "holds no rule pack" in json.dumps(watched(tmp_path / "old", far, case, code=2)["errors"])


@pytest.mark.parametrize("form", ["html", "md", "xlsx"])
def test_it_is_handed_on_as_a_document(case: Path, tmp_path: Path, form: str) -> None:
    """Written beside what is shown, over nothing that is there."""
    out = tmp_path / f"watched.{form}"
    args = ["watch", str(tmp_path / "old"), str(pack(tmp_path / "new", FOREVER)), str(case), "--out", str(out)]
    assert CliRunner().invoke(app, args).exit_code == 7
    assert (b"PK" if form == "xlsx" else b"guangxi-gallium") in out.read_bytes()
    assert CliRunner().invoke(app, args).exit_code == 2


@pytest.mark.deep
def test_installed_law_against_an_edition_of_tomorrow(tmp_path: Path) -> None:
    """A pack that is installed is named; a copy in which two bans begin two years later turns those two years, and nothing else."""
    from friendshore.plugins import Registry

    here = Path(Registry.discover().pack("us-10usc4872").file).parent
    new = shutil.copytree(here, tmp_path / "us-10usc4872")
    file = new / "pack.toml"
    file.write_text(file.read_text().replace("from = 2027-01-01", "from = 2029-01-01"))
    us_2027 = Path(__file__).parents[2] / "docs" / "cases" / "us-2027"
    told = watched("us-10usc4872", new, us_2027, code=7)
    assert {(f["start"], f["end"], f["now"]) for f in told["flips"]} == {("2027-01-01", "2028-12-31", "pass")}
    assert all(rule.endswith("-2027") for f in told["flips"] for rule in f["was_by"])
    lines = told["cases"][0]["comparison"]["mix"]
    elsewhere = [one for one in lines if not one["material"].startswith(("ndfeb", "ndpr", "dy", "tb", "sm"))]
    assert elsewhere  # to the gram: of what no ban touches, no other plan is looked for
    assert all(one["before_kg"] == one["after_kg"] for one in elsewhere)


def several(case: Path, folder: Path) -> list[Path]:
    """Three cases, of which the second cannot be read under the new edition."""
    broken, other = (shutil.copytree(case, folder / name) for name in ("broken", "other"))
    for folder_of, name in ((broken, "broken-case"), (other, "other-case")):
        file = folder_of / "case.toml"
        file.write_text(file.read_text().replace('"first-case"', f'"{name}"'))
    file = broken / "case.toml"
    file.write_text(file.read_text().replace('rule = "cn-gallium"', 'rule = "cn-nothing"'))
    return [case, broken, other]


class SecondFirst(Executor):
    """Does the second thing that it is given before the first."""

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._given = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Keeps the first back until there is another."""
        future: Future[Any] = Future()
        self._given += 1
        self._held.insert(0, (future, fn, args))
        while self._given > 1 and self._held:
            waiting, do, given = self._held.pop(0)
            waiting.set_result(do(*given))
        return future


@pytest.mark.deep
def test_cases_stand_in_their_order_whoever_is_done_first(case: Path, tmp_path: Path) -> None:
    """Any executor; one that cannot be watched is told in its place."""
    cases = several(case, tmp_path)
    editions = editions_of(str(tmp_path / "old"), str(pack(tmp_path / "new", FOREVER)), Registry.of())
    done: list[tuple[int, int]] = []
    serial = watch(editions, cases, workers=1, progress=lambda n, of, _: done.append((n, of)))
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert [bool(one.error) for one in serial.cases] == [False, True, False]
    with SecondFirst() as executor:
        assert watch(editions, cases, executor=executor, workers=1).model_dump_json() == serial.model_dump_json()


@pytest.mark.nightly
def test_a_worker_that_is_killed_costs_nothing(case: Path, tmp_path: Path) -> None:
    """Processes of this machine: one is killed after the first case, another takes its place, and the answer is that of one process."""
    cases = several(case, tmp_path)
    editions = editions_of(str(tmp_path / "old"), str(pack(tmp_path / "new", FOREVER)), Registry.of())
    killed: list[int] = []

    def kill(done: int, of: int, seconds: float) -> None:
        for victim in active_children() if not killed else ():
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)

    found = watch(editions, cases, workers=2, progress=kill)
    assert killed
    assert found.model_dump_json() == watch(editions, cases, workers=1).model_dump_json()


def test_what_is_not_done_in_time_is_told(case: Path, tmp_path: Path) -> None:
    """Ctrl-C after the first case: the others are told as not planned."""
    editions = editions_of(str(tmp_path / "old"), str(pack(tmp_path / "new", FOREVER)), Registry.of())
    ended = Event()
    found = watch(
        editions, several(case, tmp_path), workers=1, cancel=ended, progress=lambda done, of, seconds: ended.set()
    )
    assert found.cases[0].error == ()
    assert all("the search was canceled" in one.error[0] for one in found.cases[2:])
