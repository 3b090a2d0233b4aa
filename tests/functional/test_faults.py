"""What the machine does to a command: streams that are closed, full or of another encoding, paths that cannot be used.

Never a traceback, never an answer that is half one, and an exit code that a script can act on.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from friendshore.cli import app
from friendshore.cli.options import CLOSED_PIPE
from friendshore.cli.output import show_json
from friendshore.inert import INVISIBLE, original_cell
from friendshore.writing import replace_file, system_input_error

from .case_books import friendshore
from .depth import few

TOO_LONG = "x" * 300
COMMANDS = (
    "plan {}", "plan nowhere --out {}", "check {}", "verify {}", "verify {case} --signed-by {}", "verify {} --case {}", "sign {} --key {}",
    "alternatives {}", "why-not {} offer", "repairs {}", "ledger {}", "calendar {}", "stress {}", "ask {}", "interactive {}", "screen {}",
    "compare {} --scenario none", "compare {case} --with {}", "report {}", "report {case} --out {}", "lock {}", "init {}",
    "sweep {} --workers 1", "sweep {case} --workers 1 --scenarios {}", "sweep {case} --workers 1 --folder {}",
    "sweep {case} --workers 1 --resume --folder {}", "sweep {case} --workers 1 --out {}.html",
    "case to-xlsx {} --out {new}", "case to-xlsx {case} --out {}", "case from-xlsx {} {case} --scenario edited",
    "case from-xlsx {new} {} --scenario edited", "case roll {} --to 2027-01-01 --run {case} --out {new}",
    "case roll {case} --to 2027-01-01 --run {} --out {new}", "case roll {case} --to 2027-01-01 --run {case} --out {}",
    "case roll {case} --to 2027-01-01 --run {case} --out {new} --orders {}",
    "case roll {case} --to 2027-01-01 --run {case} --out {new} --count {}",
    "orders {} --out {new}.csv", "orders {case} --out {}", "orders {case} --filled {}", "orders {case} --filled {new} --write {}",
    "programs {case} --bom {}", "programs {case} --budgets {}", "risk {}", "risk {case} --check {}",
    "withstand {}", "withstand {case} --check {}", "withstand {case} --out {}",
    "watch {} {} {case}", "watch us-10usc4872 us-10usc4872 {}", "watch us-10usc4872 us-10usc4872 {case} --out {}.html",
    "catalogs list --block {}", "catalogs show {}", "catalogs check {}", "catalogs convert {} {new}", "catalogs convert {catalog} {}",
    "catalogs datapackage {}", "rules list {}", "rules list --pack {}", "rules show {}",
    "plugins list --block {}", "plugins new acme {}", "plugins new acme {new} --from {}", "plugins show {}", "plugins check {}",
)  # fmt: skip
"""Every command, and every place of a command that takes a path; `{}` is where the fault goes."""
NAMES = ("case.toml", "run.json", "facts.json", "catalog.toml", "pack.toml", "friendshore.toml")
"""Files that commands look for in a folder."""


def _socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def _holding(make: Callable[[Path], object], *more: str) -> Callable[[Path], None]:
    def fill(path: Path) -> None:
        for name in (*NAMES, *more):
            (path / name).parent.mkdir(exist_ok=True)
            make(path / name)

    return fill


def _nothing(path: Path) -> None:
    """It is not there."""


FAULTS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "pipe": ("pipe.toml", os.mkfifo),
    "signs": ("a\x1b]0;title\x07\x9b2J\u202e\u2028\nverified", _nothing),
    "too long": (TOO_LONG, _nothing),
    "too long within": (f"{TOO_LONG}/case.toml", _nothing),
    "loop": ("loop", lambda path: path.symlink_to("loop")),
    "below a file": ("file/x", lambda path: path.parent.write_bytes(b"")),
    "socket": ("socket", _socket),
    "device": ("/dev/zero", _nothing),
    "not to be entered": ("closed", lambda path: path.mkdir(mode=0)),
    "folders in place of files": ("odd", _holding(Path.mkdir)),
    "pipes in place of files": ("pipes", _holding(os.mkfifo, "x.csv")),
    "empty": ("empty.toml", lambda path: path.write_bytes(b"")),
    "UTF-16": ("wide.toml", lambda path: path.write_text("schema = 1", encoding="utf-16")),
    "marked": ("marked.toml", lambda path: path.write_text("schema = 1", encoding="utf-8-sig")),
    "no text": (os.fsdecode(b"\xff\xfe"), _nothing),
}
"""What is wrong with a path: its name, and how it is made."""
POSIX = pytest.mark.skipif(os.name == "nt", reason="pipes and devices are files on POSIX only")


def test_every_command_is_tried() -> None:
    """A command that is added is tried with every fault, too."""

    def names(group: Any, prefix: str) -> Iterator[str]:
        for name, command in group.commands.items():
            yield from names(command, f"{prefix}{name} ") if hasattr(command, "commands") else [prefix + name]

    every = names(typer.main.get_command(app), "")
    assert [name for name in every if not any(line.startswith(f"{name} ") for line in COMMANDS)] == []


@POSIX
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize("fault", few(FAULTS, 2))
def test_a_path_that_cannot_be_used_is_told(fault: str, first: Path, tmp_path: Path) -> None:
    """Whatever is wrong with a path, every command says so in words: no traceback, no waiting, no sign that a terminal acts on."""
    name, make = FAULTS[fault]
    for number, command in enumerate(COMMANDS):
        folder = tmp_path / str(number)
        folder.mkdir()
        path = folder / name
        make(path)
        words = {"{}": path, "{case}": first, "{catalog}": first / "catalog", "{new}": folder / "new"}
        done = friendshore(*(words.get(word, word) for word in command.split()))
        assert done.exception is None or isinstance(done.exception, SystemExit), f"{command}: {done.exception!r}"
        assert done.exit_code in (0, 2, 3), command
        assert done.exit_code == 0 or done.stderr.strip(), command
        assert not INVISIBLE.search(done.output.replace("\n", "")), command
        if fault == "not to be entered":
            path.chmod(0o700)


def program(*arguments: object, cwd: Path | None = None, **streams: Any) -> subprocess.CompletedProcess[str]:
    """Runs friendshore as a program of its own, its streams as they are given; those that are not are captured."""
    given = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    command = [sys.executable, "-m", "friendshore", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, text=True, check=False, timeout=120, **given)


def shell(line: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a line of shell in which `$@` is friendshore with its arguments."""
    command = ["sh", "-c", line, "sh", sys.executable, "-m", "friendshore", *map(str, arguments)]
    return subprocess.run(command, text=True, capture_output=True, check=False, timeout=120)


@pytest.mark.deep
@POSIX
def test_a_closed_stderr_costs_no_run(first: Path, tmp_path: Path) -> None:
    """With stdin and stderr closed the plan is made, written and printed, and nothing else gets into its files."""
    done = shell('"$@" <&- 2>&-', "plan", first, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0
    printed = json.loads(done.stdout)
    assert printed.pop("headline")
    assert printed == json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))


@pytest.mark.deep
@POSIX
def test_a_closed_stdout_costs_no_exit_code(first: Path) -> None:
    """Whoever closes stdout wants no answer, and still the exit code."""
    assert shell('"$@" >&-', "--version").returncode == 0
    assert shell('"$@" >&-', "init", first).returncode == 2


@POSIX
@pytest.mark.parametrize(
    "arguments",
    [("--help",), ("--version",), ("init", "{new}"), pytest.param(("check", "none", "--json"), marks=pytest.mark.deep)],
)
def test_a_reader_that_has_gone_is_no_failure(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """Where the reader of stdout has gone, a command ends in a code of its own and in silence."""
    reading, writing = os.pipe()
    os.close(reading)
    done = program(*(word.replace("{new}", str(tmp_path / "new")) for word in arguments), stdout=writing)
    os.close(writing)
    assert (done.returncode, done.stderr) == (CLOSED_PIPE, "")


@pytest.mark.deep
@POSIX
def test_a_reader_of_errors_that_has_gone_is_no_failure(first: Path) -> None:
    """What nobody reads on stderr changes no exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    done = program("init", first, stderr=writing)
    assert (done.returncode, done.stdout) == (2, "")
    os.close(writing)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
@pytest.mark.parametrize(
    "arguments", [("--help",), ("init", "{new}", "--json"), pytest.param(("rules", "list"), marks=pytest.mark.deep)]
)
def test_a_full_disk_behind_stdout_is_told(arguments: tuple[str, ...], tmp_path: Path) -> None:
    """An answer that could not be written ends in no success, and says why."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = program(*(word.replace("{new}", str(tmp_path / "new")) for word in arguments), stdout=full)
    assert (done.returncode, "No space left" in done.stderr, "Traceback" in done.stderr) == (2, True, False)


@POSIX
def test_a_file_larger_than_the_machine_allows_is_told(tmp_path: Path) -> None:
    """`ulimit -f`: no half file is left. Nothing may be imported under the limit, or Python would keep half of its bytecode."""
    resource = pytest.importorskip("resource")
    replace_file(tmp_path / "file", b"old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        replace_file(tmp_path / "file", bytes(1_000))
    except OSError as error:
        told = system_input_error(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "File too large" in str(told)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


@POSIX
@pytest.mark.parametrize(
    "arguments",
    few(["plugins check {case}/catalog", "init new", "check {case}", "check case", "plan {case} --out run"], 1),
)
def test_a_working_folder_that_is_gone_is_told(arguments: str, first: Path, tmp_path: Path) -> None:
    """What names its files in full works in a folder that was deleted; all else is refused in words."""
    gone = tmp_path / "gone"
    gone.mkdir()
    words = arguments.replace("{case}", str(first)).split()
    done = shell(f'cd "{gone}" && rmdir "{gone}" && "$@"', *words)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if arguments == "check {case}" else 2), done.stderr
    assert done.returncode == 0 or done.stderr


def test_names_of_any_signs_are_planned_shown_and_verified(case: Path) -> None:
    """Escape codes, breaks of lines, formulas and markup in names: inert wherever they are shown, and still what was typed."""
    names = {
        "Quebec gallium plant": "Quebec\x1b]0;t\x07\x9b2J \u202e\x7f ![x](http://evil.example/p.png)",
        "Guangxi gallium plant": '"Guangxi\r\u2028optimal · verified\x85<b>"',
        "Kwinana gallium plant": "=HYPERLINK(1);=1+1",
    }
    changes = {
        "case.toml": {
            'end_use = "civil"': 'end_use = "@civil[red]"',
            "[accept]\n": '[accept]\nend_uses = ["@civil[red]"]\n',
        },
        "catalog/facilities.csv": names,
    }
    for file, texts in changes.items():
        text = (case / file).read_text(encoding="utf-8")
        for old, new in texts.items():
            text = text.replace(old, new)
        (case / file).write_text(text, encoding="utf-8", newline="")
    steps = (["plan", case, "--out", "run"], ["verify", "run"], ["report", "--no-verify", "run"])
    plan, verify, report = (friendshore(*words) for words in steps)
    for done in (plan, verify, report):
        assert done.exit_code == 0, done.output
        assert not INVISIBLE.search(done.output.replace("\n", ""))
    assert sum(line.startswith("optimal") for line in plan.output.splitlines()) == 1
    assert not re.search(r"(?<!\\)\]\(", report.output)
    told = json.loads(Path("run/run.json").read_text(encoding="utf-8"))
    typed = {name.strip('"') for name in names.values()}
    assert {purchase["facility"] for purchase in told["purchases"]} == typed
    for table in Path("run").glob("*.csv"):
        rows = csv.reader(table.read_text(encoding="utf-8").splitlines(), strict=True)
        cells = [cell for row in rows for cell in row]
        assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-(?!\d)", cell) or INVISIBLE.search(cell)]
    with Path("run/purchases.csv").open(encoding="utf-8", newline="") as stream:
        assert {original_cell(row["facility"]) for row in csv.DictReader(stream)} == typed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_json_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs that stdout cannot hold are written by their numbers: what is read back is what was typed."""
    typed = "Größe € 🚢 \\u001b \x1b[31m \x7f \x9b2J \u202e \u2028 \ud800"
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    show_json({"name": typed})
    assert json.loads(raw.getvalue().decode("utf-8")) == {"name": typed}
    assert not INVISIBLE.search(raw.getvalue().decode("utf-8").replace("\n", ""))


@pytest.mark.parametrize(
    "setting",
    ["COLUMNS=0", "COLUMNS=1", "COLUMNS=²", f"COLUMNS={'9' * 5000}", "COLUMNS=-1", "LINES=²", "TERM=dumb", "LC_ALL=C"],
)
def test_odd_settings_of_a_terminal_stop_nothing(setting: str, first: Path) -> None:
    """A width of nothing, of too much or of no number, and a terminal that is none, are no mistakes."""
    name, _, value = setting.partition("=")
    done = friendshore("catalogs", "show", first / "catalog", **{name: value})
    assert done.exit_code == 0, done.exception
    assert "Invented suppliers" in done.output
