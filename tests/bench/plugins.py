"""What twenty installed plugins cost whoever uses none of them, one that hangs and one that raises among them.

`python -m tests.bench.plugins` makes three installations that differ in nothing but plugins, runs the same commands in each in turn, and
prints medians and their ratios. `--json` prints one JSON object a command and installation.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import friendshore

from .table import columns

COUNT = 20
HANGS, RAISES = 3, 7
"""Which of the plugins do so when they are imported."""
LIMIT = 5.0
"""Seconds after which `plugins list --load` gives an import up."""
CASE = "first"
"""The case that `friendshore init` writes, which uses no plugin."""
COMMANDS = (
    ("--help",),
    ("plugins", "list"),
    ("plugins", "list", "--json"),
    ("plan", CASE, "--json"),
    ("plugins", "list", "--load", "--limit", str(LIMIT)),
)
CATALOG = 'schema = 1\nname = "quotes-{0}"\ntitle = "Quotes"\nlicence = "CC0-1.0"\nas_of = 2026-11-01\n'
CODE = """
from typing import Literal

from friendshore.hookspecs import hookimpl
from friendshore.rules.base import Rule


class House(Rule):
    kind: Literal["house-{0}"] = "house-{0}"


@hookimpl
def friendshore_rules():
    yield House
"""
BAD = {HANGS: "import time\ntime.sleep(3600)\n", RAISES: "raise RuntimeError('broken at import')\n"}


@dataclass(frozen=True, slots=True)
class Installation:
    """What a Python finds."""

    name: str
    path: tuple[Path, ...]
    home: Path
    """Where commands are run."""

    def seconds(self, command: Sequence[str]) -> float:
        """What a command takes, from the start of its process to its end; it must end well."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, self.path)), "FRIENDSHORE_BLOCK": ""}
        began = time.perf_counter()
        # -S: nothing is found but what this installation holds.
        words = [sys.executable, "-S", "-m", "friendshore", *command]
        subprocess.run(words, cwd=self.home, env=environment, capture_output=True, check=True)
        return time.perf_counter() - began


def installations(folder: Path) -> list[Installation]:
    """One with friendshore alone, one with twenty sound plugins beside it, and one with a plugin that hangs and one that raises among twenty."""
    core = Path(str(friendshore.__file__)).parents[1]
    bare = _without_plugins(folder / "bare"), core, core.parent / "catalogs"
    made = [Installation("none", bare, folder)]
    made[0].seconds(("init", CASE))
    for name, bad in ((f"{COUNT} sound", {}), (f"{COUNT}, 1 hangs, 1 raises", BAD)):
        site = folder / name.replace(" ", "-")
        for number in range(COUNT):
            _install(site, number, bad.get(number, CODE.format(number)))
        made.append(Installation(name, (*bare, site), folder))
    return made


def _without_plugins(folder: Path) -> Path:
    """The libraries that are installed here, by links, and friendshore itself; none of its plugins."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.startswith("friendshore_"):
            (folder / path.name).symlink_to(path)
    return folder


def _install(site: Path, number: int, code: str) -> None:
    """A plugin with a kind of rule and a catalog, as `pip` would leave it."""
    name = f"crowd-{number:02d}"
    package, info = site / name.replace("-", "_"), site / f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        info / "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        info / "entry_points.txt": f"[friendshore]\n{name} = {package.name}\n",
        package / "__init__.py": code,
        package / "friendshore.toml": f'api = 1\nkinds = ["house-{number}"]\ncatalogs = ["catalog"]\n',
        package / "catalog" / "catalog.toml": CATALOG.format(number),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def measured(made: Sequence[Installation], rounds: int) -> Iterator[tuple[str, list[list[float]]]]:
    """Each command with its seconds in each installation, taken in turn, so that what else the machine does falls on all alike.

    The first round fills the caches of files and bytecode, and does not count; `--load` waits for what hangs, and is run once.
    """
    for command in COMMANDS:
        once = "--load" in command
        taken = [[one.seconds(command) for one in made] for _ in range(1 if once else rounds + 1)]
        yield " ".join(command), [list(some) for some in zip(*taken[0 if once else 1 :], strict=True)]


def main() -> int:
    """Measures, and prints a table or JSON lines."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plugins", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each command that count; default: 10")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of the table")
    asked = parser.parse_args()
    rows: list[tuple[str, ...]] = [("", "plugins", "median s", "least", "most", "ratio")]
    with TemporaryDirectory() as folder:
        made = installations(Path(folder))
        for command, seconds in measured(made, asked.rounds):
            middles = [statistics.median(some) for some in seconds]
            for one, some, middle in zip(made, seconds, middles, strict=True):
                row = {"command": command, "plugins": one.name, "seconds": some, "ratio": middle / middles[0]}
                if asked.json:
                    sys.stdout.write(json.dumps(row) + "\n")
                figures = (f"{value:.3f}" for value in (middle, min(some), max(some)))
                rows.append((command if one is made[0] else "", one.name, *figures, f"{row['ratio']:.2f}"))
    if not asked.json:
        sys.stdout.write(columns(rows, {0, 1}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
