"""A search of minutes that is ended early, by Ctrl-C or by a time limit: a complete answer all the same."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import IO, Any

import pytest

from ..building import hard_case
from ..property.disk import write, write_case
from .program import Started, call, start

pty = pytest.importorskip("pty", reason="this system has no terminals of its own making")

Program = Started | subprocess.Popen[bytes]
PATIENCE = 120.0
"""Seconds after which a command that does not answer is a failure; nothing is asserted about how long it takes."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case and its catalog as files."""
    given, facts = hard_case()
    folder = tmp_path_factory.mktemp("hard")
    write(facts, folder / "catalog", "kg", Random(0))
    write_case(given, (), folder, "catalog")
    return folder


ENOUGH = (1, 4, 16, 64)
"""Seconds for the search, until they suffice."""


class Terminal:
    """The other end of a terminal that a program writes to."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.text = ""

    def until(self, words: str | None, program: Program) -> int | None:
        """Read until some words have been written, or until the program has ended, and return its exit code."""
        give_up = time.monotonic() + PATIENCE
        while words is None or words not in self.text:
            assert time.monotonic() < give_up, self.text
            if program.poll() is not None:
                assert words is None, self.text
                return program.returncode
            if select.select([self.end], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.end, 65536).decode(errors="replace")
                except OSError:  # the program has closed its end
                    return program.wait(PATIENCE)
        return None


@contextmanager
def planning(folder: Path, stdout: IO[str]) -> Iterator[tuple[Program, Terminal]]:
    """Run `friendshore plan --json`, its messages on a terminal and its answer in a file."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    program = start(["plan", str(folder), "--json"], environment, subprocess.DEVNULL, stdout.fileno(), theirs)
    os.close(theirs)
    try:
        yield program, Terminal(ours)
    finally:
        program.kill()
        program.wait()
        os.close(ours)


def found_any(text: str) -> bool:
    """Return True if the search had time for a first plan and a bound."""
    data = json.loads(text)
    return bool(data["purchases"]) and data["bound"] > 0


def complete(text: str) -> dict[str, Any]:
    """Return the object on stdout: a verified plan with its bound, whose orders are all or nothing."""
    data: dict[str, Any] = json.loads(text)
    assert data["verified"] is True
    assert 0 < data["bound"] < data["objective"]
    assert data["gap"] == pytest.approx((data["objective"] - data["bound"]) / data["objective"])
    assert data["purchases"]
    sizes = {str(o.id): float(o.min_order or 0) for o in hard_case()[1].offers}
    assert all(make["units"] == pytest.approx(sizes[make["offer"]], abs=0.001) for make in data["makes"])
    return data


def test_ctrl_c_prints_the_best_plan_so_far(folder: Path, tmp_path: Path) -> None:
    """Exit code 0, and stdout holds one complete plan, called interrupted."""
    answer = tmp_path / "answer.json"
    for seconds in (0, *ENOUGH):
        with answer.open("w") as stdout, planning(folder, stdout) as (program, terminal):
            terminal.until("solving", program)
            time.sleep(seconds)
            program.send_signal(signal.SIGINT)
            assert terminal.until(None, program) == 0, terminal.text
        if found_any(answer.read_text()):
            break
    assert "stopping with the best plan found" in terminal.text
    assert complete(answer.read_text())["status"] == "interrupted"


@pytest.mark.deep
def test_ctrl_c_twice_ends_without_a_plan(folder: Path, tmp_path: Path) -> None:
    """Exit code 130, nothing on stdout, no traceback."""
    answer = tmp_path / "answer.json"
    with answer.open("w") as stdout, planning(folder, stdout) as (program, terminal):
        terminal.until("solving", program)
        program.send_signal(signal.SIGINT)
        terminal.until("stopping", program)
        program.send_signal(signal.SIGINT)
        assert terminal.until(None, program) == 130, terminal.text
    assert answer.read_text() == ""
    assert "Traceback" not in terminal.text


def test_a_time_limit_prints_the_best_plan_so_far(folder: Path) -> None:
    """Exit code 0, and one complete plan, called feasible."""
    for seconds in ENOUGH:
        done = call(["plan", str(folder), "--json", "--time-limit", str(seconds)], os.environ)
        assert (done.returncode, done.stderr) == (0, "")
        if found_any(done.stdout):
            break
    assert complete(done.stdout)["status"] == "feasible"


PRESSED = """
import os, runpy, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a shell starts in the background
module = sys.argv.pop(1)

class Presses:
    def find_spec(self, name, path=None, target=None):
        if name == module:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Presses())
runpy.run_module("friendshore", run_name="__main__", alter_sys=True)
"""
"""Presses Ctrl-C when the module is loaded that the first argument names; the program never sees that argument."""


@pytest.mark.parametrize(
    ("module", "code"),
    [
        pytest.param("typer", -signal.SIGINT, marks=pytest.mark.deep),
        pytest.param("friendshore.cli.app", -signal.SIGINT, marks=pytest.mark.deep),
        ("friendshore.case.load", 130),
    ],
)
def test_ctrl_c_before_anything_is_planned_ends_without_a_word(folder: Path, module: str, code: int) -> None:
    """While the program is loaded, and while it reads the case: no traceback."""
    words = [sys.executable, "-c", PRESSED, module, "plan", str(folder)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=PATIENCE)
    assert (done.returncode, done.stdout, done.stderr) == (code, "", "")
