"""`python -m tests.fuzz`: tries hostile inputs, counts exit codes, and keeps the inputs with faults."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from . import counting, seeds, trying

_PROGRESS_INTERVAL = 500
"""Inputs between two progress reports."""


def main() -> int:
    """Try inputs. Return 1 if there is any fault."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="inputs to try (default: 1000)")
    parser.add_argument("--seed", type=int, default=0, help="the same seed gives the same inputs (default: 0)")
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--input", type=int, help="only this one, with all that its commands say")
    parser.add_argument(
        "--kind",
        default="",
        help="only inputs of this kind: case, catalog, book, sheets, run, pack, lock, words, plugin",
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a processor)")
    parser.add_argument(
        "--keep", type=Path, help="folder for inputs on which something is wrong (default: a new temporary one)"
    )
    options = parser.parse_args()
    keep = (options.keep or Path(tempfile.mkdtemp(prefix="friendshore-fuzz-"))).resolve()
    with tempfile.TemporaryDirectory(prefix="friendshore-seeds-") as folder:
        base = Path(folder)
        seeds.make(base)
        if options.input is not None:
            return _try_one(options.input, options.seed, base, keep)
        started = time.monotonic()
        tally = counting.Tally()
        numbers = range(options.first, options.first + options.count)
        for tried in trying.try_inputs(numbers, options.seed, base, keep, options.workers, options.kind):
            tally.add(tried)
            done = tally.inputs.total()
            if done and done % _PROGRESS_INTERVAL == 0:
                left = (time.monotonic() - started) / done * (options.count - done) / 60
                sys.stderr.write(f"{done:,} of {options.count:,} tried, {tally.wrong:,} wrong, {left:.0f} min left\n")
            for fault in tried.faults:
                sys.stdout.write(f"input {tried.number} ({tried.kind}): {fault}\n")
                sys.stdout.flush()
    sys.stdout.write(tally.text(time.monotonic() - started))
    if tally.wrong:
        sys.stdout.write(f"\nkept in {keep}; `python -m tests.fuzz --seed {options.seed} --input N` tries one again\n")
    return int(tally.wrong > 0)


def _try_one(number: int, seed: int, base: Path, keep: Path) -> int:
    tried = trying.attempt(number, seed, base, keep, always=True)
    for done in tried.done:
        sys.stdout.write(f"$ friendshore {' '.join(map(repr, done.command))}\n")
        sys.stdout.write((done.out + done.err).decode("utf-8", "backslashreplace")[-4000:])
        sys.stdout.write(f"[exit code {done.code}, {done.seconds:.1f} s, {done.memory / 2**20:.0f} MiB]\n\n")
    for fault in tried.faults:
        sys.stdout.write(f"wrong: {fault}\n")
    sys.stdout.write(f"the input: {keep / str(number)}\n")
    return int(bool(tried.faults))


if __name__ == "__main__":
    sys.exit(main())
