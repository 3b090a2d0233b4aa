"""CPU seconds of commands, compared with another checkout in pairs of runs.

    git worktree add ../before COMMIT && (cd ../before && uv sync)
    uv run python -m tests.bench.start ../before
    uv run python -m tests.bench.start ../before --questions --pairs 1

Each command runs in the other checkout and in this one in turn, so that both meet the same machine. The first pair of short commands doesn't count.
Seconds include children, and don't depend on the number of processors. Bytecode is always used. If the other checkout doesn't know an option, it runs
the command without it, and the row says so.
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
"""Measured commands. `RUN` is the run of `CASE` that the same checkout wrote."""
QUESTIONS = tuple(
    (question, CASE, *more, "--json")
    for question, *more in (
        ("alternatives",), ("why-not", "wagerup-gallium"), ("ledger",), ("stress",), ("calendar",), ("repairs",)
    )
)  # fmt: skip
"""Measured questions. They take long enough that every pair counts."""
SINCE = frozenset({"--no-verify"})
"""Options that older checkouts may not know."""
MISTYPED = 2
"""Exit code for an unknown option."""
HERE = Path(__file__).parents[2]


def seconds(root: Path, command: tuple[str, ...]) -> float:
    """Return the CPU seconds of one command in a checkout. Raises CalledProcessError if it fails."""
    program = [str(root / ".venv" / "bin" / "friendshore"), *command]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, quiet = cpu_seconds(), subprocess.DEVNULL
    subprocess.run(program, cwd=root, env=environment, stdout=quiet, stderr=quiet, check=True)
    return cpu_seconds() - before


def accepted_command(root: Path, command: tuple[str, ...]) -> tuple[str, ...]:
    """Return the command without the options of `SINCE` that a checkout rejects."""
    if SINCE.isdisjoint(command):
        return command
    try:
        seconds(root, command)
    except subprocess.CalledProcessError as error:
        if error.returncode != MISTYPED:
            raise
        return tuple(word for word in command if word not in SINCE)
    return command


def comparison_lines(
    other: Path, commands: Sequence[tuple[str, ...]], pairs: int, uncounted: int, folder: Path
) -> Iterator[str]:
    """Yield a line for each command: median and minimum of both, and the ratio of the medians, without the first `uncounted` pairs."""
    roots = {"before": other.resolve(), "after": HERE}
    for name, root in roots.items():
        seconds(root, ("plan", CASE, "--out", str(folder / name)))
    yield f"{'command':<40}{'before':>8}{'least':>8}{'after':>8}{'least':>8}{'ratio':>8}"
    for command in commands:
        runs = {
            name: accepted_command(root, tuple(str(folder / name) if word == "RUN" else word for word in command))
            for name, root in roots.items()
        }
        timings = [[seconds(root, runs[name]) for name, root in roots.items()] for _ in range(uncounted + pairs)]
        cells = [
            statistic(times)
            for times in zip(*timings[uncounted:], strict=True)
            for statistic in (statistics.median, min)
        ]
        figures = "".join(f"{value:8.2f}" for value in (*cells, cells[2] / cells[0]))
        notes = [f"  ({name} without {option})" for name in roots for option in SINCE & {*command} - {*runs[name]}]
        yield f"{' '.join(command).removesuffix(' --json'):<40}{figures}{''.join(notes)}"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout, with its environment in .venv")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count")
    parser.add_argument("--questions", action="store_true", help="questions, not what a command costs to begin")
    options = parser.parse_args()
    with TemporaryDirectory() as folder:
        selection = (QUESTIONS, options.pairs, 0) if options.questions else (COMMANDS, options.pairs, 1)
        for line in comparison_lines(options.other, *selection, Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
