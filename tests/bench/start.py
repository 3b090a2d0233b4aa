"""What commands cost: processor seconds of whole processes, beside another checkout, in pairs.

    git worktree add ../before COMMIT && (cd ../before && uv sync)
    uv run python -m tests.bench.start ../before
    uv run python -m tests.bench.start ../before --questions --pairs 1

Each command runs by turns in the other checkout and in this one, so that both meet the same machine; of short commands the first pair is not counted.
Seconds are those of the user and the system, children included, which the number of processors does not change. Bytecode is written
and used, whatever the environment says. Where the other checkout does not know an option of a command, it runs the command without it, and the
row says so.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from .answer import cpu_seconds

CASE = "docs/cases/us-2027"
COMMANDS = (
    ("plan", CASE),
    ("plan", CASE, "--out", "RUN"),
    ("report", "RUN"),
    ("report", "--no-verify", "RUN"),
    ("verify", "RUN"),
    ("plugins", "list"),
    ("--help",),
)
"""What is measured; `RUN` is the run of `CASE` that the same checkout wrote."""
QUESTIONS = tuple(
    (question, CASE, *more, "--json")
    for question, *more in (
        ("alternatives",), ("why-not", "wagerup-gallium"), ("ledger",), ("stress",), ("calendar",), ("repairs",)
    )
)  # fmt: skip
"""What is measured of questions, which take long enough that every pair counts."""
SINCE = frozenset({"--no-verify"})
"""Options that older checkouts may not know."""
MISTYPED = 2
"""Exit code of a command line that a checkout does not know."""
HERE = Path(__file__).parents[2]


def seconds(root: Path, command: tuple[str, ...]) -> float:
    """Processor seconds of one command in a checkout.

    Raises:
        CalledProcessError: if it fails.
    """
    program = [str(root / ".venv" / "bin" / "friendshore"), *command]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, quiet = cpu_seconds(), subprocess.DEVNULL
    subprocess.run(program, cwd=root, env=environment, stdout=quiet, stderr=quiet, check=True)
    return cpu_seconds() - before


def known(root: Path, command: tuple[str, ...]) -> tuple[str, ...]:
    """The command as a checkout knows it: without the options of `SINCE` that it refuses."""
    if SINCE.isdisjoint(command):
        return command
    try:
        seconds(root, command)
    except subprocess.CalledProcessError as error:
        if error.returncode != MISTYPED:
            raise
        return tuple(word for word in command if word not in SINCE)
    return command


def compared(
    other: Path, commands: Sequence[tuple[str, ...]], pairs: int, uncounted: int, folder: Path
) -> Iterator[str]:
    """A line for each command: middle and least of both, and the ratio of the middles; the first pairs may not count."""
    roots = {"before": other.resolve(), "after": HERE}
    for name, root in roots.items():
        seconds(root, ("plan", CASE, "--out", str(folder / name)))
    yield f"{'command':<40}{'before':>8}{'least':>8}{'after':>8}{'least':>8}{'ratio':>8}"
    for command in commands:
        runs = {
            name: known(root, tuple(str(folder / name) if word == "RUN" else word for word in command))
            for name, root in roots.items()
        }
        taken = [[seconds(root, runs[name]) for name, root in roots.items()] for _ in range(uncounted + pairs)]
        cells = [f(times) for times in zip(*taken[uncounted:], strict=True) for f in (statistics.median, min)]
        figures = "".join(f"{value:8.2f}" for value in (*cells, cells[2] / cells[0]))
        without = [f"  ({name} without {one})" for name in roots for one in SINCE & {*command} - {*runs[name]}]
        yield f"{' '.join(command).removesuffix(' --json'):<40}{figures}{''.join(without)}"


def main() -> None:
    """Reads the command line, and compares."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout, with its environment in .venv")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count")
    parser.add_argument("--questions", action="store_true", help="questions, not what a command costs to begin")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        what = (QUESTIONS, asked.pairs, 0) if asked.questions else (COMMANDS, asked.pairs, 1)
        for line in compared(asked.other, *what, Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
