"""Time that twenty installed plugins add to commands that use none of them, including one that hangs and one that raises.

`python -m tests.bench.plugins` creates three installations that differ only in plugins, and runs the same commands in each in turn. It prints
medians and their ratios, or with `--json` one JSON object per command and installation.
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
"""Numbers of the plugins that do so on import."""
LIMIT = 5.0
"""Seconds that `plugins list --load` waits for an import."""
CASE = "first"
"""Case that `friendshore init` writes. It uses no plugin."""
COMMANDS = (
    ("--help",),
    ("plugins", "list"),
    ("plugins", "list", "--json"),
    ("plan", CASE, "--json"),
    ("plugins", "list", "--load", "--limit", str(LIMIT)),
)
CATALOG = 'schema = 1\nname = "quotes-{0}"\ntitle = "Quotes"\nlicense = "CC0-1.0"\nas_of = 2026-11-01\n'
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
    """An import path."""

    name: str
    path: tuple[Path, ...]
    home: Path
    """Working directory of commands."""

    def seconds(self, command: Sequence[str]) -> float:
        """Return the seconds of a command, including starting its process. It must succeed."""
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, self.path)), "FRIENDSHORE_BLOCK": ""}
        began = time.perf_counter()
        # -S: nothing is found but what this installation holds.
        words = [sys.executable, "-S", "-m", "friendshore", *command]
        subprocess.run(words, cwd=self.home, env=environment, capture_output=True, check=True)
        return time.perf_counter() - began


def installations(folder: Path) -> list[Installation]:
    """Return installations with no plugin, with 20 sound ones, and with 20 of which one hangs and one raises."""
    core = Path(str(friendshore.__file__)).parents[1]
    bare = _without_plugins(folder / "bare"), core, core.parent / "catalogs"
    installed = [Installation("none", bare, folder)]
    installed[0].seconds(("init", CASE))
    for name, bad in ((f"{COUNT} sound", {}), (f"{COUNT}, 1 hangs, 1 raises", BAD)):
        site = folder / name.replace(" ", "-")
        for number in range(COUNT):
            _install(site, number, bad.get(number, CODE.format(number)))
        installed.append(Installation(name, (*bare, site), folder))
    return installed


def _without_plugins(folder: Path) -> Path:
    """Link the installed libraries and friendshore, without its plugins."""
    folder.mkdir()
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if path.suffix != ".pth" and not path.name.startswith("friendshore_"):
            (folder / path.name).symlink_to(path)
    return folder


def _install(site: Path, number: int, code: str) -> None:
    """Install a plugin with a rule kind and a catalog, as `pip` would."""
    name = f"crowd-{number:02d}"
    package, metadata = site / name.replace("-", "_"), site / f"{name.replace('-', '_')}-1.0.dist-info"
    files = {
        metadata / "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        metadata / "entry_points.txt": f"[friendshore]\n{name} = {package.name}\n",
        package / "__init__.py": code,
        package / "friendshore.toml": f'api = 1\nkinds = ["house-{number}"]\ncatalogs = ["catalog"]\n',
        package / "catalog" / "catalog.toml": CATALOG.format(number),
    }
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def measured(installed: Sequence[Installation], rounds: int) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield each command with its seconds by installation, measured in turn, so that other work affects all alike.

    The first round fills caches and doesn't count. `--load` waits for the hanging plugin, so it runs once.
    """
    for command in COMMANDS:
        runs_once = "--load" in command
        timings = [
            [installation.seconds(command) for installation in installed] for _ in range(1 if runs_once else rounds + 1)
        ]
        yield " ".join(command), [list(seconds) for seconds in zip(*timings[0 if runs_once else 1 :], strict=True)]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.plugins", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help="runs of each command that count; default: 10")
    parser.add_argument("--json", action="store_true", help="one JSON object a line in place of the table")
    options = parser.parse_args()
    rows: list[tuple[str, ...]] = [("", "plugins", "median s", "least", "most", "ratio")]
    with TemporaryDirectory() as folder:
        installed = installations(Path(folder))
        for command, timings in measured(installed, options.rounds):
            medians = [statistics.median(seconds_of_one) for seconds_of_one in timings]
            for installation, seconds_of_one, median in zip(installed, timings, medians, strict=True):
                row = {
                    "command": command,
                    "plugins": installation.name,
                    "seconds": seconds_of_one,
                    "ratio": median / medians[0],
                }
                if options.json:
                    sys.stdout.write(json.dumps(row) + "\n")
                figures = (f"{value:.3f}" for value in (median, min(seconds_of_one), max(seconds_of_one)))
                rows.append(
                    (
                        command if installation is installed[0] else "",
                        installation.name,
                        *figures,
                        f"{row['ratio']:.2f}",
                    )
                )
    if not options.json:
        sys.stdout.write(columns(rows, {0, 1}) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
