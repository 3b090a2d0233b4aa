"""What the machine does to a command: streams that are closed, full or of another encoding, paths that cannot be used.

Never a traceback, never an answer that is half one, and an exit code that a script can act on.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
from typer.testing import CliRunner

from friendshore.cli import app
from friendshore.cli.options import CLOSED_PIPE
from friendshore.cli.output import show_json
from friendshore.inert import UNSEEN, cell_typed
from friendshore.writing import refused_by_the_machine, replace_file

TOO_LONG = "x" * 300
COMMANDS: dict[str, str] = {
    "plan": "plan {}",
    "plan --out": "plan nowhere --out {}",
    "check": "check {}",
    "verify": "verify {}",
    "alternatives": "alternatives {}",
    "why-not": "why-not {} offer",
    "repairs": "repairs {}",
    "ledger": "ledger {}",
    "calendar": "calendar {}",
    "compare": "compare {} --scenario none",
    "compare --with": "compare {case} --with {}",
    "stress": "stress {}",
    "ask": "ask {}",
    "sweep": "sweep {} --workers 1",
    "sweep --scenarios": "sweep {case} --workers 1 --scenarios {}",
    "sweep --out": "sweep {case} --workers 1 --out {}",
    "sweep --resume": "sweep {case} --workers 1 --resume --out {}",
    "sweep --html": "sweep {case} --workers 1 --html {}",
    "report": "report {}",
    "sign": "sign {} --key {}",
    "verify --signed-by": "verify {case} --signed-by {}",
    "verify --case": "verify {} --case {}",
    "report --out": "report {case} --out {}",
    "case to-xlsx": "case to-xlsx {} --out {new}",
    "case to-xlsx --out": "case to-xlsx {case} --out {}",
    "case from-xlsx": "case from-xlsx {} {case} --scenario edited",
    "case from-xlsx CASE": "case from-xlsx {new} {} --scenario edited",
    "case roll": "case roll {} --to 2027-01-01 --run {case} --out {new}",
    "case roll --run": "case roll {case} --to 2027-01-01 --run {} --out {new}",
    "case roll --orders": "case roll {case} --to 2027-01-01 --run {case} --out {new} --orders {}",
    "case roll --count": "case roll {case} --to 2027-01-01 --run {case} --out {new} --count {}",
    "case roll --out": "case roll {case} --to 2027-01-01 --run {case} --out {}",
    "orders": "orders {} --out {new}.csv",
    "orders --out": "orders {case} --out {}",
    "orders --filled": "orders {case} --filled {}",
    "orders --write": "orders {case} --filled {new} --write {}",
    "programmes --bom": "programmes {case} --bom {}",
    "programmes --budgets": "programmes {case} --budgets {}",
    "interactive": "interactive {}",
    "risk": "risk {}",
    "risk --check": "risk {case} --check {}",
    "withstand": "withstand {}",
    "withstand --check": "withstand {case} --check {}",
    "withstand --out": "withstand {case} --out {}",
    "watch": "watch {} {} {case}",
    "watch CASE": "watch us-10usc4872 us-10usc4872 {}",
    "watch --out": "watch us-10usc4872 us-10usc4872 {case} --out {}.html",
    "screen": "screen {}",
    "lock": "lock {}",
    "init": "init {}",
    "catalogs list": "catalogs list --block {}",
    "catalogs show": "catalogs show {}",
    "catalogs check": "catalogs check {}",
    "catalogs convert": "catalogs convert {} {new}",
    "catalogs convert TO": "catalogs convert {catalog} {}",
    "catalogs datapackage": "catalogs datapackage {}",
    "rules list": "rules list {}",
    "rules list --pack": "rules list --pack {}",
    "rules show": "rules show {}",
    "plugins list": "plugins list --block {}",
    "plugins new": "plugins new acme {}",
    "plugins new --from": "plugins new acme {new} --from {}",
    "plugins show": "plugins show {}",
    "plugins check": "plugins check {}",
}
"""Every command, and every place of a command that takes a path; `{}` is where the fault goes."""


def _fifo(folder: Path) -> Path:
    os.mkfifo(folder / "pipe.toml")
    return folder / "pipe.toml"


def _socket(folder: Path) -> Path:
    here = Path.cwd()
    os.chdir(folder)  # the name of a socket may not be long
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind("socket")
    finally:
        os.chdir(here)
    return folder / "socket"


def _loop(folder: Path) -> Path:
    (folder / "loop").symlink_to("loop")
    return folder / "loop"


def _closed(folder: Path) -> Path:
    (folder / "closed").mkdir(mode=0)
    return folder / "closed"


def _folder_of_folders(folder: Path) -> Path:
    for name in ("case.toml", "run.json", "facts.json", "catalog.toml", "pack.toml", "friendshore.toml"):
        (folder / "odd" / name).mkdir(parents=True)
    return folder / "odd"


def _holds_pipes(folder: Path) -> Path:
    (folder / "pipes").mkdir()
    for name in ("case.toml", "run.json", "facts.json", "catalog.toml", "pack.toml", "friendshore.toml", "x.csv"):
        os.mkfifo(folder / "pipes" / name)
    return folder / "pipes"


def _written(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


FAULTS: dict[str, Callable[[Path], Path]] = {
    "too long": lambda folder: folder / TOO_LONG,
    "too long within": lambda folder: folder / TOO_LONG / "case.toml",
    "loop": _loop,
    "below a file": lambda folder: _written(folder / "file", b"") / "x",
    "pipe": _fifo,
    "socket": _socket,
    "device": lambda _: Path("/dev/zero"),
    "not to be entered": _closed,
    "folders in place of files": _folder_of_folders,
    "pipes in place of files": _holds_pipes,
    "empty": lambda folder: _written(folder / "empty.toml", b""),
    "UTF-16": lambda folder: _written(folder / "wide.toml", "schema = 1".encode("utf-16")),
    "marked": lambda folder: _written(folder / "marked.toml", b"\xef\xbb\xbfschema = 1"),
    "signs": lambda folder: folder / "a\x1b]0;title\x07\x9b2J\u202e\u2028\nverified",
    "no text": lambda folder: folder / os.fsdecode(b"\xff\xfe"),
}
POSIX = pytest.mark.skipif(os.name == "nt", reason="pipes and devices are files on POSIX only")


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `init` writes."""
    folder = tmp_path_factory.mktemp("faults") / "case"
    assert CliRunner().invoke(app, ["init", "--start", "2026-10-01", str(folder)]).exit_code == 0
    return folder


def test_every_command_is_tried() -> None:
    """A command that is added is tried with every fault, too."""

    def names(group: Any, prefix: str) -> Iterator[str]:
        for name, command in group.commands.items():
            yield from names(command, f"{prefix}{name} ") if hasattr(command, "commands") else [prefix + name]

    assert set(names(typer.main.get_command(app), "")) <= set(COMMANDS)


@POSIX
@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    "fault",
    [fault if fault in ("pipe", "signs") else pytest.param(fault, marks=pytest.mark.deep) for fault in FAULTS],
)
def test_a_path_that_cannot_be_used_is_told(fault: str, case: Path, tmp_path: Path) -> None:
    """Whatever is wrong with a path, every command says so in words: no traceback, no waiting, no sign that a terminal acts on."""
    for name, command in COMMANDS.items():
        folder = tmp_path / name.replace(" ", "-")
        folder.mkdir()
        path = FAULTS[fault](folder)
        words = {"{}": path, "{case}": case, "{catalog}": case / "catalog", "{new}": folder / "new"}
        done = CliRunner().invoke(app, [str(words.get(word, word)) for word in command.split()])
        raised = done.exception
        assert raised is None or isinstance(raised, SystemExit), f"{name}: {raised!r}"
        assert done.exit_code in (0, 2, 3), name
        assert done.exit_code == 0 or done.stderr.strip(), name
        assert not UNSEEN.search(done.output.replace("\n", "")), name
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
def test_a_closed_stderr_costs_no_run(case: Path, tmp_path: Path) -> None:
    """With stdin and stderr closed the plan is made, written and printed, and nothing else gets into its files."""
    done = shell('"$@" <&- 2>&-', "plan", case, "--out", tmp_path / "run", "--json")
    assert done.returncode == 0
    assert json.loads(done.stdout) == json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))


@pytest.mark.deep
@POSIX
def test_a_closed_stdout_costs_no_exit_code(case: Path) -> None:
    """Whoever closes stdout wants no answer, and still the exit code."""
    assert shell('"$@" >&-', "--version").returncode == 0
    assert shell('"$@" >&-', "init", case).returncode == 2


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
def test_a_reader_of_errors_that_has_gone_is_no_failure(case: Path) -> None:
    """What nobody reads on stderr changes no exit code."""
    reading, writing = os.pipe()
    os.close(reading)
    done = program("init", case, stderr=writing)
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
    assert done.returncode == 2
    assert "No space left" in done.stderr
    assert "Traceback" not in done.stderr


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
        told = refused_by_the_machine(error)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "File too large" in str(told)
    assert [(file.name, file.read_bytes()) for file in tmp_path.iterdir()] == [("file", b"old")]


@POSIX
@pytest.mark.parametrize(
    "arguments",
    [
        "init new",
        *(
            pytest.param(words, marks=pytest.mark.deep)
            for words in ("check {case}", "check case", "plan {case} --out run", "plugins check {case}/catalog")
        ),
    ],
)
def test_a_working_folder_that_is_gone_is_told(arguments: str, case: Path, tmp_path: Path) -> None:
    """What names its files in full works in a folder that was deleted; all else is refused in words."""
    gone = tmp_path / "gone"
    gone.mkdir()
    words = arguments.replace("{case}", str(case)).split()
    done = shell(f'cd "{gone}" && rmdir "{gone}" && "$@"', *words)
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if arguments == "check {case}" else 2), done.stderr
    assert done.returncode == 0 or done.stderr


def test_names_of_any_signs_are_planned_shown_and_verified(case: Path, tmp_path: Path) -> None:
    """Escape codes, breaks of lines, formulas and markup in names: inert wherever they are shown, and still what was typed."""
    folder = tmp_path / "case"
    shutil.copytree(case, folder)
    plants = folder / "catalog" / "facilities.csv"
    names = {
        "Quebec gallium plant": "Quebec\x1b]0;t\x07\x9b2J \u202e\x7f ![x](http://evil.example/p.png)",
        "Guangxi gallium plant": '"Guangxi\r\u2028optimal · verified\x85<b>"',
        "Kwinana gallium plant": "=HYPERLINK(1);=1+1",
    }
    file = folder / "case.toml"
    text = file.read_text(encoding="utf-8").replace('end_use = "civil"', r'end_use = "@civil[red]"')
    file.write_text(text, encoding="utf-8")
    written = plants.read_text(encoding="utf-8")
    for name, nasty in names.items():
        written = written.replace(name, nasty)
    plants.write_text(written, encoding="utf-8", newline="")
    plan, verify, report = (
        CliRunner().invoke(app, [*words, str(tmp_path / "run")])
        for words in (["plan", str(folder), "--out"], ["verify"], ["report", "--no-verify"])
    )
    assert (plan.exit_code, verify.exit_code, report.exit_code) == (0, 0, 0), plan.output + verify.output
    for done in (plan, verify, report):
        assert not UNSEEN.search(done.output.replace("\n", ""))
    assert sum(line.startswith("optimal") for line in plan.output.splitlines()) == 1
    assert not re.search(r"(?<!\\)\]\(", report.output)
    told = json.loads((tmp_path / "run" / "run.json").read_text(encoding="utf-8"))
    typed = {name.strip('"') for name in names.values()}
    assert {purchase["facility"] for purchase in told["purchases"]} == typed
    for table in (tmp_path / "run").glob("*.csv"):
        cells = [
            cell for row in csv.reader(table.read_text(encoding="utf-8").splitlines(), strict=True) for cell in row
        ]
        assert not [cell for cell in cells if re.match(r"[=+@\t\r]|-(?!\d)", cell) or UNSEEN.search(cell)]
    with (tmp_path / "run" / "purchases.csv").open(encoding="utf-8", newline="") as stream:
        assert {cell_typed(row["facility"]) for row in csv.DictReader(stream)} == typed


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
def test_json_is_json_in_every_encoding(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Signs that stdout cannot hold are written by their numbers: what is read back is what was typed."""
    typed = "Größe € 🚢 \\u001b \x1b[31m \x7f \x9b2J \u202e \u2028 \ud800"
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding=encoding))
    show_json({"name": typed})
    assert json.loads(raw.getvalue().decode("utf-8")) == {"name": typed}
    assert not UNSEEN.search(raw.getvalue().decode("utf-8").replace("\n", ""))


@pytest.mark.parametrize(
    "setting",
    ["COLUMNS=0", "COLUMNS=1", "COLUMNS=²", f"COLUMNS={'9' * 5000}", "COLUMNS=-1", "LINES=²", "TERM=dumb", "LC_ALL=C"],
)
def test_odd_settings_of_a_terminal_stop_nothing(setting: str, monkeypatch: pytest.MonkeyPatch, case: Path) -> None:
    """A width of nothing, of too much or of no number, and a terminal that is none, are no mistakes."""
    name, _, value = setting.partition("=")
    monkeypatch.setenv(name, value)
    done = CliRunner().invoke(app, ["catalogs", "show", str(case / "catalog")])
    assert done.exit_code == 0, done.exception
    assert "Invented suppliers" in done.output
