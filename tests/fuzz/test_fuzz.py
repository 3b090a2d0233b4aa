"""The judge of hostile inputs finds what it is there for, and a handful of inputs leaves friendshore whole."""

from __future__ import annotations

import importlib
from pathlib import Path
from random import Random

import pytest

from . import judging, nasty, running, seeds, tables, tamper, tomltext, trees, trying
from .leaves import Folder


def done(
    out: bytes = b"",
    err: bytes = b"",
    code: int | None = 0,
    *words: str,
    memory: int = 0,
    outside: tuple[str, ...] = (),
) -> running.Done:
    """A command that went so."""
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


@pytest.mark.parametrize("said", WRONG)
def test_what_is_wrong_with_a_command_is_said(said: str) -> None:
    """Each fault alone is found, and no other with it."""
    [found] = judging.faults(WRONG[said])
    assert said in found


def test_nothing_is_said_against_what_is_well() -> None:
    """An answer, a list of mistakes, and a mistyped command line, which has no JSON."""
    usage = done(b"", b"Usage: friendshore [OPTIONS]\n", 2, "check", "--json")
    for one in (done(b"ok\n"), done(err=b"1 mistake\n", code=2), done(b'{"a": 1}\n', *JSON), usage):
        assert list(judging.faults(one)) == []


def test_commands_that_contradict_each_other_are_told() -> None:
    """`check` passes what `plan` refuses; a run that was just written does not hold."""
    assert list(judging.disagreements([done(), done(b"", b"x", 2, "plan")]))
    assert list(judging.disagreements([done(b"", b"", 0, "plan", "--out"), done(b"", b"x", 4, "verify")]))
    assert not list(judging.disagreements([done(), done(b"", b"", 0, "plan", "--out"), done(b"", b"", 0, "verify")]))


def test_the_same_lot_bends_alike() -> None:
    """An input can be made again from its number."""

    def bent() -> tuple[str, str, str]:
        data = {"case": {"name": "a", "start": "2027-01-01"}, "demand": [{"per_year": "10 t"}, {"per_year": "5 t"}]}
        rows = [["id", "price"], ["a", "5 USD/kg"], ["b", "7 USD/kg"]]
        lot = Random("0:1")
        trees.bend(data, lot, 3)
        tables.bend(rows, lot, 3)
        return tomltext.toml_text(data), tables.written(rows, lot), nasty.near("12.5 t/year", lot)

    assert bent() == bent()


@pytest.mark.nightly
def test_hostile_inputs_leave_friendshore_whole(tmp_path: Path) -> None:
    """No traceback, no hang, no other file touched, valid JSON, in a few dozen inputs of all kinds; more: `python -m tests.fuzz`."""
    (tmp_path / "keep").mkdir()
    seeds.make(tmp_path / "base")
    found = [one for one in trying.tried(range(30), 1, tmp_path / "base", tmp_path / "keep", 1) if one.faults]
    assert found == []


@pytest.mark.deep
def test_no_leaf_of_a_run_is_changed_without_a_word(tmp_path: Path) -> None:
    """One leaf of every kind of a small run, in four ways: found, named as not vouched for, or listed with the reason why it may be."""
    tamper.make(tmp_path, ("stock",))
    leaves = tamper.chosen(Folder(tmp_path / "runs" / "stock").leaves(), 1)
    verifying = importlib.import_module("friendshore.recommend.verify_run")  # the function in it has its name
    before = verifying.gather
    passed = [one for one in tamper.outcomes(tmp_path, "stock", leaves, ["summed"]) if one.result == "passed"]
    assert passed == []
    assert verifying.gather is before, "other tests of this process verify cases that they edit"
