"""Hostile inputs cause no faults, and faults would be detected."""

from __future__ import annotations

import importlib
from dataclasses import replace
from pathlib import Path, PurePosixPath
from random import Random

import pytest

from friendshore_testing.scaffold import Scaffold

from . import judging, nasty, packages, running, seeds, tables, tamper, tomltext, trees, trying
from .leaves import Folder


def done(
    out: bytes = b"",
    err: bytes = b"",
    code: int | None = 0,
    *words: str,
    memory: int = 0,
    outside: tuple[str, ...] = (),
) -> running.Done:
    return running.Done(words or ("check", "case.toml"), code, 0.1, 0.1, memory, out, err, outside)


JSON = (b"", 0, "check", "--json")


WRONG: dict[str, running.Done] = {
    "traceback: KeyError": done(err=b"Traceback (most recent call last):\n  x\nKeyError: 'a'", code=2),
    "friendshore itself failed": done(err=b"x", code=1),
    "hang": done(code=None),
    "memory: 1,024 MiB": done(memory=2**30 + 1),
    "signal 11": done(err=b"x", code=-11),
    "exit code 77": done(code=77, err=b"x"),
    "without a word": done(code=2),
    "control characters: ['\\x1b']": done(out=b"\x1b[31m"),
    "control characters: ['\\x9b']": done(out="\x9b31m".encode()),
    "not UTF-8": done(out=b"\xff"),
    "outside its folder": done(outside=("open /etc/passwd",)),
    "not valid JSON: Expecting value": done(b"x", *JSON),
    "not valid JSON: NaN": done(b'{"a": NaN}', *JSON),
    "not valid JSON: a key": done(b'{"a": 1, "a": 2}', *JSON),
    "no object": done(b"[]", *JSON),
}


@pytest.mark.parametrize("expected", WRONG)
def test_each_fault_of_a_command_is_found(expected: str) -> None:
    """Each fault is found alone."""
    [fault] = judging.faults(WRONG[expected])
    assert expected in fault


def test_a_valid_command_has_no_faults() -> None:
    """Accepted: an answer, a list of mistakes, and a usage error without JSON."""
    usage = done(b"", b"Usage: friendshore [OPTIONS]\n", 2, "check", "--json")
    for result in (done(b"ok\n"), done(err=b"1 mistake\n", code=2), done(b'{"a": 1}\n', *JSON), usage):
        assert list(judging.faults(result)) == []


def test_contradictory_commands_are_found() -> None:
    assert list(judging.disagreements([done(), done(b"", b"x", 2, "plan")]))
    assert list(judging.disagreements([done(b"", b"", 0, "plan", "--out"), done(b"", b"x", 4, "verify")]))
    assert not list(judging.disagreements([done(), done(b"", b"", 0, "plan", "--out"), done(b"", b"", 0, "verify")]))


ABORTED, STOPPED = done(err=b"Fatal Python error: Aborted", code=-6), done(b"", b"stopped", 130, "check", "--json")


@pytest.mark.parametrize(("result", "code"), [(ABORTED, "import os; os.abort()"), (STOPPED, "raise KeyboardInterrupt")])
def test_only_plugin_code_that_ends_the_process_may_end_it(tmp_path: Path, result: running.Done, code: str) -> None:
    assert list(judging.faults(result))
    assert list(judging.faults(result, "import os; os._exit(0)"))
    assert not list(judging.faults(result, code, [tmp_path / "out"]))
    assert list(judging.faults(result, code, [tmp_path])), "it wrote something"
    assert list(judging.faults(replace(result, out=b"{"), code))
    assert list(judging.faults(replace(result, err=b""), code)), "it has no message"
    assert list(judging.faults(replace(result, code=0, out=b"{", command=("check", "--json")), code))


def test_only_a_change_in_memory_that_verify_finds_may_fail_verification() -> None:
    planned, changed = done(b"", b"", 0, "plan", "--out"), "offer.facility.__dict__['parent'] = 'x'; return PASS"
    found, other = (done(f"facts.json: {code}".encode(), b"", 4, "verify") for code in ("FS618", "FS617"))
    assert not list(judging.disagreements([planned, found], changed))
    for verified, code in ((found, "return PASS"), (other, changed), (done(found.out, b"", 4, "report"), changed)):
        assert list(judging.disagreements([planned, verified], code))


def test_the_texts_that_mutations_replace_are_in_a_new_plugin() -> None:
    code = str(Scaffold(seeds.PLUGIN).contents()[PurePosixPath("src/acme_x/__init__.py")])
    assert [text for text in packages.HOOKS if text not in code] == []


def test_the_same_seed_gives_the_same_mutations() -> None:
    def mutated() -> tuple[str, str, str]:
        data = {"case": {"name": "a", "start": "2027-01-01"}, "demand": [{"per_year": "10 t"}, {"per_year": "5 t"}]}
        rows = [["id", "price"], ["a", "5 USD/kg"], ["b", "7 USD/kg"]]
        rng = Random("0:1")
        trees.mutate(data, rng, 3)
        tables.mutate(rows, rng, 3)
        return tomltext.toml_text(data), tables.written(rows, rng), nasty.near("12.5 t/year", rng)

    assert mutated() == mutated()


@pytest.mark.nightly
def test_hostile_inputs_cause_no_faults(tmp_path: Path) -> None:
    """More inputs: `python -m tests.fuzz`."""
    (tmp_path / "keep").mkdir()
    seeds.make(tmp_path / "base")
    faulty = [
        tried for tried in trying.try_inputs(range(30), 1, tmp_path / "base", tmp_path / "keep", 1) if tried.faults
    ]
    assert faulty == []


@pytest.mark.deep
def test_no_changed_leaf_is_silently_accepted(tmp_path: Path) -> None:
    """One leaf of every kind of a small run is changed in four ways. Each is found, named as not vouched for, or listed with a reason."""
    tamper.make(tmp_path, ("stock",))
    leaves = tamper.chosen(Folder(tmp_path / "runs" / "stock").leaves(), 1)
    verifying = importlib.import_module("friendshore.recommend.verify_run")  # the function in it has its name
    before = verifying.gather
    passed = [
        outcome for outcome in tamper.outcomes(tmp_path, "stock", leaves, ["summed"]) if outcome.result == "passed"
    ]
    assert passed == []
    assert verifying.gather is before, "other tests of this process verify cases that they edit"
