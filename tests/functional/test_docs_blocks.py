"""Every block of code in the how-to pages, the tutorial and the page of the model, piece by piece, does what the page says.

The blocks of a page are run in order, in one folder that has only the repository's `docs/cases`. `bash` and `python` are run and must succeed; a `text` block after one
is what it prints, where a line `...` stands for any lines and `...` at the end of one for its rest. A block under a line that ends in a file's name and a colon is that
file; `, at the end:` adds to one that is there. `toml` without a name must be TOML. `console` is what cannot be run here, an
upload, and nothing else. A page that installs anything is run in a new environment that holds friendshore's wheels alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..property.settings import DEPTH
from .program import way_to_starter

ROOT = Path(__file__).parents[2]
PAGES = sorted(path for folder in ("how-to", "tutorial") for path in (ROOT / "docs" / folder).rglob("*.md"))
PAGES.append(ROOT / "docs" / "reference" / "model" / "README.md")
FILE = re.compile(r"`([\w./-]+)`(, at the end)?:$")
UPLOADS = ("uv publish", "python -m twine upload")
FORKED = """
import json, os, socket, sys


def run(place):
    ours, (answers, theirs) = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET), socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.connect(place)
    code, arguments = None, sys.argv[1:]
    if sys.argv[0].endswith("python"):
        if arguments[:1] != ["-c"]:
            os.execv(sys.executable, [sys.executable, *arguments])
        _, code, *arguments = arguments
    request = {"code": code, "arguments": arguments, "env": dict(os.environ), "cwd": os.getcwd(), "streams": [True] * 3}
    socket.send_fds(ours, [json.dumps(request).encode()], [theirs.fileno(), 0, 1, 2])
    theirs.close()
    answers.recv(100)  # the number of its process
    sys.exit(int(answers.recv(100)))
"""
"""A program that asks a starter (`starter.py`) for the command line or for Python, with its own arguments, folder, environment, and streams."""
DAY = "1790726400"
"""2026-09-30, the day on which the pages are followed. The case that `init` writes then starts on 2026-10-01."""


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    place: str
    """Page and line, for messages."""
    language: str
    text: str
    file: str = ""
    """The file it is; empty: none."""
    added: bool = False
    """Whether it goes to the end of the file."""


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    found: list[Block] = []
    before, language, start, inside = "", None, 0, list[str]()
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        if language is not None and line != "```":
            inside.append(line)
        elif language is not None:
            named = FILE.search(before)
            file, added = (named[1], bool(named[2])) if named else ("", False)
            found.append(Block(f"{page.name}:{start}", language, "\n".join([*inside, ""]), file, added))
            before, language, inside = "", None, []
        elif line.startswith("```"):
            language, start = line[3:], number
        elif line.strip():
            before = line.strip()
    assert language is None, f"{page}: a block without an end"
    return found


def installs(page: Path) -> bool:
    """Whether a page installs anything."""
    return any(block.language == "bash" and "pip " in block.text for block in blocks(page))


def marks_of(page: Path) -> list[pytest.MarkDecorator]:
    """Pages that install something are for a run of their own; the tutorial is what everybody reads first."""
    if installs(page):
        return [pytest.mark.wheels]
    return [] if page.parent.name == "tutorial" else [pytest.mark.deep(whole=True)]


@pytest.fixture(scope="session")
def environment(wheels: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A new environment with the wheels of the workspace, and pip that finds them: what a user has who installed them."""
    folder = tmp_path_factory.mktemp("environment")
    for command in (
        ["venv", "--quiet", "--seed", "--python", sys.executable, str(folder / "venv")],
        ["pip", "install", "--quiet", "--python", str(folder / "venv"), "--find-links", str(wheels), "friendshore"],
    ):
        done = subprocess.run(["uv", *command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    made = surroundings(folder / "venv" / "bin")
    # What is installed is compiled as it is used, which most of it never is.
    return {**made, "PIP_FIND_LINKS": str(wheels), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_COMPILE": "0"}


@pytest.fixture
def installed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of this process, in which `friendshore` and `python -c` are forked from a process that has imported friendshore: pages start them
    dozens of times. At full depth each begins anew.
    """
    here = surroundings(Path(sys.executable).parent)
    if sys.platform != "linux" or DEPTH >= 1:
        return here
    folder = tmp_path_factory.mktemp("programs")
    for program in (folder / "friendshore", folder / "python"):
        program.write_text(f"#!{sys.executable} -IS\n{FORKED}\nrun({str(way_to_starter())!r})\n", encoding="utf-8")
        program.chmod(0o755)
    return {**here, "PATH": os.pathsep.join([str(folder), here["PATH"]])}


def surroundings(programs: Path) -> dict[str, str]:
    """The variables that a block sees: these programs first, and an output of known width."""
    kept = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIRTUAL_ENV")}
    path = os.pathsep.join([str(programs), os.environ["PATH"]])
    return {**kept, "PATH": path, "COLUMNS": "100", "NO_COLOR": "1", "SOURCE_DATE_EPOCH": DAY}


@pytest.mark.parametrize(
    "page",
    # Those that install something one after the other: most of them are one worker's then, who makes one environment for all.
    [pytest.param(page, marks=marks_of(page)) for page in sorted(PAGES, key=installs)],
    ids=lambda page: page.stem,
)
def test_what_a_page_shows_is_so(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Every block of the page, in order."""
    env = request.getfixturevalue("environment" if installs(page) else "installed")
    printed: str | None = None
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "cases").symlink_to(ROOT / "docs" / "cases")
    for block in blocks(page):
        if block.file:
            path = tmp_path / block.file
            path.parent.mkdir(parents=True, exist_ok=True)
            assert path.exists() or not block.added, f"{block.place}: there is no {block.file} yet"
            path.write_text((path.read_text() if block.added else "") + block.text)
        elif block.language == "text":
            assert printed is not None, f"{block.place}: nothing was run before it"
            assert re.fullmatch(pattern(block.text), trimmed(printed)), f"{block.place}:\n{printed}"
        elif block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "console":
            assert all(line.startswith(UPLOADS) for line in block.text.splitlines()), block.place
        else:
            printed = run(block, tmp_path, env)


def run(block: Block, folder: Path, env: dict[str, str]) -> str:
    """What a block prints; it must succeed."""
    commands = {"bash": ["bash", "-euo", "pipefail", "-c", block.text], "python": ["python", "-c", block.text]}
    assert block.language in commands, f"{block.place}: nobody can run `{block.language}`"
    command = [shutil.which(commands[block.language][0], path=env["PATH"]) or "", *commands[block.language][1:]]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, f"{block.place}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def trimmed(text: str) -> str:
    """A text as it looks: without blanks at the ends of lines and blank lines at its end, all blanks alike."""
    return "".join(line.rstrip() + "\n" for line in text.replace("\u00a0", " ").rstrip().splitlines())


def pattern(text: str) -> str:
    """What a printed text must match: itself, but for lines `...` and ends of lines after `...`."""
    return "".join(
        r"(?:.*\n)*" if line == "..." else re.escape(line.removesuffix("...")) + ".*" * line.endswith("...") + r"\n"
        for line in trimmed(text).splitlines()
    )
