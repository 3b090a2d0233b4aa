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
from tests.functional.program import here
from tests.functional.test_review import edit

from friendshore.cli.cases import write_starter
from friendshore.plugins import Registry
from friendshore_watch import Editions, editions_of, watch

PACK = """schema = 1
id = "cn-controls"
title = "Invented controls"
authority = "Nobody"
as_of = 2026-10-01
license = "CC0-1.0"

[[rule]]
kind = "export-control"
id = "cn-gallium"
title = "Gallium under license"
citation = "invented"
elements = ["Ga"]
exporters = ["CN"]
effect = "license"
phases = {phases}
"""
LICENSE = """
[[license]]
rule = "cn-gallium"
from = 2027-04-01
until = 2027-06-30
why = "invented"
"""
NEVER, FOREVER = "[]", "[{ from = 2027-02-01 }]"


@pytest.fixture
def case(tmp_path: Path) -> Path:
    """Return the starter case, under the old edition of a pack of its own."""
    write_starter(tmp_path / "case")
    edit(tmp_path / "case", ("packs = []", 'packs = ["../old"]'), ("", LICENSE))
    pack(tmp_path / "old", NEVER)
    return tmp_path / "case"


@pytest.fixture
def sides(case: Path, tmp_path: Path) -> tuple[Path, Path]:
    """Return the old edition and a new one, under which a license is needed from February on."""
    return tmp_path / "old", pack(tmp_path / "new", FOREVER)


def copied(case: Path, name: str) -> Path:
    """Copy a case into a folder of another name, which becomes its own."""
    other = Path(shutil.copytree(case, case.with_name(name)))
    edit(other, ('"first-case"', f'"{name}"'))
    return other


def pack(folder: Path, phases: str, text: str = PACK) -> Path:
    """Write an edition of the pack."""
    folder.mkdir(parents=True)
    (folder / "pack.toml").write_text(text.replace("{phases}", phases))
    return folder


def watched(*args: Path | str, code: int) -> Any:
    """Return the answer as JSON."""
    done = here("watch", *args, "--workers", "1", "--json")
    assert done.returncode == code, done.stdout
    return json.loads(done.stdout)


def test_days_on_which_a_license_is_held_do_not_turn(case: Path, sides: tuple[Path, Path]) -> None:
    """The other days turn. At stake is what the old plan buys in quarters with such days."""
    bought = json.loads(here("plan", case, "--json").stdout)["purchases"]
    answer = watched(*sides, case, code=7)
    flips = [f for f in answer["changed_verdicts"] if f["end_use"] == "civil"]
    assert {(f["start"], f["end"], f["before"], f["after"]) for f in flips} == {
        ("2027-02-01", "2027-03-31", "pass", "unproven"),
        ("2027-07-01", "2028-03-31", "pass", "unproven"),
    }
    assert {f["offer"] for f in answer["changed_verdicts"]} == {"guangxi-gallium"}
    quarters = {"2027-02-01": ["2027-Q1"], "2027-07-01": ["2027-Q3", "2027-Q4", "2028-Q1"]}
    for flip in flips:
        inside = [p for p in bought if p["offer"] == "guangxi-gallium" and p["delivered"] in quarters[flip["start"]]]
        assert flip["quantity_kg"] == pytest.approx(sum(p["quantity_kg"] for p in inside))
    one = answer["cases"][0]
    assert one["cost_at_stake"] == pytest.approx(264 * one["kg_at_stake"])
    assert one["comparison"]["cost_after"]["objective"] > one["comparison"]["cost_before"]["objective"]


def test_a_screen_starts_with_the_money_at_stake(case: Path, sides: tuple[Path, Path]) -> None:
    """It has 50 lines and names, and ends with its date; --full has ids, and all of both plans."""
    screen, full = (here("watch", *sides, case, *form).stdout for form in ((), ("--full",)))
    assert screen.splitlines()[0].startswith("2 verdicts change in 1 of 1 case; all were lawful before. USD ")
    assert len(screen.splitlines()) <= 40
    assert ("Guangxi gallium plant" in screen, "guangxi-gallium" in screen) == (True, False)
    assert ("guangxi-gallium" in full, "Money" in full, "Money" in screen) == (True, True, False)
    assert all(" with friendshore " in text.splitlines()[-1] for text in (screen, full))


def test_the_same_edition_turns_nothing(case: Path, tmp_path: Path) -> None:
    """Exit code 0, and a sentence that says so."""
    shutil.copytree(tmp_path / "old", tmp_path / "same")
    result = here("watch", tmp_path / "old", tmp_path / "same", case)
    assert (result.returncode, "No verdict changes in 1 case" in result.stdout) == (0, True)


def test_a_catalog_of_another_day(case: Path, tmp_path: Path) -> None:
    """One offer is gone, one is new, and the origin of one was corrected."""
    new = Path(shutil.copytree(case / "catalog", tmp_path / "catalog-new"))
    for table in ("offers.csv", "chain.csv"):
        text = (new / table).read_text().replace("kwinana-gallium", "wagerup-gallium")
        (new / table).write_text(text.replace("guangxi-gallium,refined,CN", "guangxi-gallium,refined,VN"))
    answer = watched(case / "catalog", new, case, code=7)
    assert {(f["offer"], f["end_use"], f["before"], f["after"]) for f in answer["changed_verdicts"]} == {
        ("guangxi-gallium", "defense", "fail", "pass")
    }
    assert {(o["offer"], o["added"]) for o in answer["offers"]} == {
        ("kwinana-gallium", False),
        ("wagerup-gallium", True),
    }


def test_a_case_that_breaks_is_told_and_the_others_go_on(case: Path, tmp_path: Path) -> None:
    """The new edition lacks the rule of the case's license."""
    other = copied(case, "second-case")
    edit(other, (LICENSE, ""))
    gone = pack(tmp_path / "new", FOREVER, PACK.replace('"cn-gallium"', '"cn-all-gallium"'))
    answer = watched(tmp_path / "old", gone, case, other, code=2)
    first, second = answer["cases"]
    assert "unknown rule `cn-gallium`" in " ".join(first["error"])
    assert not second["error"]
    assert {f["case"] for f in answer["changed_verdicts"]} == {"second-case"}


def test_cases_of_one_name_are_told_apart(case: Path, sides: tuple[Path, Path], tmp_path: Path) -> None:
    """By their files, each with its own verdicts."""
    other = shutil.copytree(case, tmp_path / "other")
    answer = watched(*sides, case, other, code=7)
    names = [one["case"] for one in answer["cases"]]
    assert names == [f"first-case ({case})", f"first-case ({other})"]
    assert Counter(flip["case"] for flip in answer["changed_verdicts"]) == dict.fromkeys(
        names, len(answer["changed_verdicts"]) // 2
    )


def test_half_an_answer_is_none(case: Path, sides: tuple[Path, Path]) -> None:
    """If the time is up before both plans are found, nothing is said of what they cost."""
    answer = watched(*sides, case, "--time-limit", "0", code=2)
    assert "the search was ended" in answer["cases"][0]["error"][0]
    assert answer["changed_verdicts"] == []


def test_prices_that_are_too_old_are_refused_by_strict(
    case: Path, sides: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As `plan` refuses them."""
    edit(case, ("[accept]\n", '[accept]\noldest_price = "6 months"\n'))
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1825632000")
    answer = watched(*sides, case, "--strict", code=2)
    assert "older than the case allows" in answer["cases"][0]["error"][0]
    assert not watched(*sides, case, code=7)["cases"][0]["error"]


def test_a_case_that_uses_neither_edition_is_left_alone(case: Path, sides: tuple[Path, Path]) -> None:
    """It is named, and not planned."""
    edit(case, ('packs = ["../old"]', "packs = []"), (LICENSE, ""))
    assert watched(*sides, case, code=0)["cases"][0]["uses"] == []


def test_what_is_no_pair_of_editions_is_refused(case: Path, tmp_path: Path) -> None:
    """An empty folder, editions of different packs, two of the same, and one too deep; links are not followed back."""
    (tmp_path / "empty").mkdir()
    pack(tmp_path / "another", FOREVER, PACK.replace("cn-controls", "other-controls"))
    pack(tmp_path / "twice" / "a", NEVER)
    pack(tmp_path / "twice" / "b", FOREVER)
    pack(tmp_path / "deep" / "1" / "2" / "3" / "4" / "5", FOREVER)
    for new, code in (("empty", "FS971"), ("another", "FS970"), ("twice", "FS972"), ("deep", "FS971")):
        answer = watched(tmp_path / "old", tmp_path / new, case, code=2)
        assert code in [error["code"] for error in answer["errors"]], answer
    pack(tmp_path / "near" / "1" / "2" / "3" / "4", FOREVER)
    (tmp_path / "near" / "back").symlink_to(tmp_path / "near")
    watched(tmp_path / "old", tmp_path / "near", case, code=7)


@pytest.mark.parametrize("form", ["html", "md", "xlsx"])
def test_it_is_handed_on_as_a_document(case: Path, sides: tuple[Path, Path], tmp_path: Path, form: str) -> None:
    """Written over nothing that is there."""
    out = tmp_path / f"watched.{form}"
    assert here("watch", *sides, case, "--out", out).returncode == 7
    assert (b"PK" if form == "xlsx" else b"guangxi-gallium") in out.read_bytes()
    assert here("watch", *sides, case, "--out", out).returncode == 2


@pytest.mark.deep
def test_installed_law_against_an_edition_of_tomorrow(tmp_path: Path) -> None:
    """An installed pack is named; two bans that begin two years later turn those two years, and nothing else."""
    new = Path(shutil.copytree(Path(Registry.discover().pack("us-10usc4872").file).parent, tmp_path / "us-10usc4872"))
    text = (new / "pack.toml").read_text()
    (new / "pack.toml").write_text(text.replace("from = 2027-01-01", "from = 2029-01-01"))
    answer = watched("us-10usc4872", new, Path(__file__).parents[3] / "docs" / "cases" / "us-2027", code=7)
    assert {(f["start"], f["end"], f["after"]) for f in answer["changed_verdicts"]} == {
        ("2027-01-01", "2028-12-31", "pass")
    }
    assert all(rule.endswith("-2027") for f in answer["changed_verdicts"] for rule in f["before_by"])
    lines = answer["cases"][0]["comparison"]["mix"]
    elsewhere = [line for line in lines if not line["material"].startswith(("ndfeb", "ndpr", "dy", "tb", "sm"))]
    assert elsewhere
    # The plan of what no ban touches stays the same, to the gram.
    assert all(one["before_kg"] == one["after_kg"] for one in elsewhere)


@pytest.fixture
def several(case: Path) -> list[Path]:
    """Return three cases, of which the second can't be read under the new edition."""
    cases = [case, copied(case, "broken-case"), copied(case, "other-case")]
    edit(cases[1], ('rule = "cn-gallium"', 'rule = "cn-nothing"'))
    return cases


@pytest.fixture
def editions(sides: tuple[Path, Path]) -> Editions:
    """Return both editions as read."""
    return editions_of(str(sides[0]), str(sides[1]), Registry.of())


class SecondFirst(Executor):
    """Does the second thing that it is given before the first."""

    def __init__(self) -> None:
        self._held: list[Any] = []
        self._given = 0

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Any:
        """Keep the first back until there is another."""
        future: Future[Any] = Future()
        self._given += 1
        self._held.insert(0, (future, fn, args))
        while self._given > 1 and self._held:
            waiting, do, given = self._held.pop(0)
            waiting.set_result(do(*given))
        return future


@pytest.mark.deep
def test_cases_stand_in_their_order_whoever_is_done_first(several: list[Path], editions: Editions) -> None:
    """With any executor. A broken case is told in its place."""
    done: list[tuple[int, int]] = []
    serial = watch(editions, several, workers=1, progress=lambda n, of, _: done.append((n, of)))
    assert done == [(1, 3), (2, 3), (3, 3)]
    assert [bool(case.error) for case in serial.cases] == [False, True, False]
    with SecondFirst() as executor:
        other = watch(editions, several, executor=executor, workers=1)
    assert other.model_dump_json() == serial.model_dump_json()


@pytest.mark.nightly
def test_a_worker_that_is_killed_costs_nothing(several: list[Path], editions: Editions) -> None:
    """Another process takes its place, and the answer is that of one process."""
    killed: list[int] = []

    def kill(done: int, of: int, seconds: float) -> None:
        for victim in active_children() if not killed else ():
            assert victim.pid is not None
            os.kill(victim.pid, signal.SIGKILL)
            killed.append(victim.pid)

    answer = watch(editions, several, workers=2, progress=kill)
    assert killed
    assert answer.model_dump_json() == watch(editions, several, workers=1).model_dump_json()


def test_what_is_not_done_in_time_is_told(several: list[Path], editions: Editions) -> None:
    """Ctrl-C after the first case: the others are told as not planned."""
    ended = Event()
    answer = watch(editions, several, workers=1, cancel=ended, progress=lambda *_: ended.set())
    assert answer.cases[0].error == ()
    assert all("the search was canceled" in case.error[0] for case in answer.cases[2:])
