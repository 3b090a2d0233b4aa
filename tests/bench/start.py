"""What a command costs before it does anything: processor seconds of whole processes, beside another checkout, in pairs.

    git worktree add ../before COMMIT && (cd ../before && uv sync)
    uv run python -m tests.bench.start ../before

Each command runs by turns in the other checkout and in this one, so that both meet the same machine; the first pair is not counted.
Seconds are those of the user and the system, children included, which the number of processors does not change.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

CASE = "docs/cases/us-2027"
COMMANDS = (("plan", CASE), ("report", "RUN"), ("report", "--no-verify", "RUN"), ("plugins", "list"), ("--help",))
"""What is measured; `RUN` is the run of `CASE` that the same checkout wrote."""
HERE = Path(__file__).parents[2]


def seconds(root: Path, command: tuple[str, ...]) -> float:
    """Processor seconds of one command in a checkout.

    Raises:
        CalledProcessError: if it fails.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = [str(root / ".venv" / "bin" / "friendshore"), *command]
    subprocess.run(program, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


def compared(other: Path, pairs: int, folder: Path) -> Iterator[str]:
    """A line for each command: middle and least of both, and the ratio of the middles."""
    roots = {"before": other.resolve(), "after": HERE}
    for name, root in roots.items():
        seconds(root, ("plan", CASE, "--out", str(folder / name)))
    yield f"{'command':<32}{'before':>8}{'least':>8}{'after':>8}{'least':>8}{'ratio':>8}"
    for command in COMMANDS:
        spent: dict[str, list[float]] = {name: [] for name in roots}
        for _ in range(pairs + 1):
            for name, root in roots.items():
                given = tuple(str(folder / name) if word == "RUN" else word for word in command)
                spent[name].append(seconds(root, given))
        middle = {name: statistics.median(times[1:]) for name, times in spent.items()}
        cells = [value for name, times in spent.items() for value in (middle[name], min(times[1:]))]
        figures = "".join(f"{value:8.2f}" for value in (*cells, middle["after"] / middle["before"]))
        yield f"{' '.join(command):<32}{figures}"


def main() -> None:
    """Reads the command line, and compares."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.start", description=__doc__)
    parser.add_argument("other", type=Path, help="another checkout, with its environment in .venv")
    parser.add_argument("--pairs", type=int, default=5, help="pairs of runs that count")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        for line in compared(asked.other, asked.pairs, Path(folder)):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
