"""`python -m tests.fuzz.tamper`: changes leaves of three runs, and reports the changes that `verify` accepts."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import re
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from . import seeds
from .cached_verify import cached_verify
from .leaves import Folder, Leaf
from .tampering import FORGED, KEPT, SUMMED, Outcome, Tampering

RUNS = ("recipes", "stock", "us-2027")
DEMANDS = ("gallium-defense", "germanium-civil", "antimony-defense")
"""Demands of us-2027 to plan, for three materials."""


def make(folder: Path, names: Sequence[str] = RUNS) -> None:
    """Write `cases/NAME` and `runs/NAME` below a folder."""
    for name in names:
        folder_name = "us-2027" if name == "us-2027" else f"small/{name}"
        shutil.copytree(seeds.REPOSITORY / "docs" / "cases" / folder_name, folder / "cases" / name)
    if "us-2027" in names:
        file = folder / "cases" / "us-2027" / "case.toml"
        parts = re.split(r"(?m)^(?=\[)", file.read_text(encoding="utf-8"))
        ids = [f'id = "{name}"' for name in DEMANDS]
        kept_parts = [part for part in parts if not part.startswith("[[demand]]") or any(name in part for name in ids)]
        file.write_text("".join(kept_parts), encoding="utf-8")
    cases, runs = folder / "cases", folder / "runs"
    seeds.in_process([("plan", str(cases / name), "--out", str(runs / name), "-q") for name in names])


def chosen(leaves: Iterable[Leaf], each: int) -> list[Leaf]:
    """Return `each` leaves of each pattern, evenly spaced. 0 means all."""
    by_pattern: defaultdict[tuple[str, str], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        by_pattern[leaf.file, leaf.pattern].append(leaf)
    return [g[n * len(g) // (each or len(g))] for g in by_pattern.values() for n in range(min(each or len(g), len(g)))]


def outcomes(base: Path, name: str, leaves: Sequence[Leaf], modes: Sequence[str]) -> Iterator[Outcome]:
    with tempfile.TemporaryDirectory(prefix="friendshore-tamper-") as scratch, cached_verify():
        at_hand = Tampering(base / "runs" / name, base / "cases" / name, Path(scratch))
        for leaf in leaves:
            yield from at_hand.try_leaf(leaf, modes)


def _all(share: tuple[str, list[Leaf]], base: Path, modes: Sequence[str]) -> tuple[str, list[Outcome]]:
    os.environ["SOURCE_DATE_EPOCH"] = "1795694400"
    return share[0], list(outcomes(base, share[0], share[1], modes))


def main() -> int:
    """Tamper with runs. Return 1 if `verify` accepts an unlisted change."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.tamper", description=__doc__)
    parser.add_argument("--run", choices=RUNS, action="append", help="only this run; may repeat")
    parser.add_argument("--each", type=int, default=3, help="leaves changed of each pattern; 0 means all (default: 3)")
    parser.add_argument("--file", default="", help="only leaves of this file")
    parser.add_argument("--pattern", default="", help="only leaves whose pattern begins so")
    parser.add_argument(
        "--mode", choices=(KEPT, SUMMED, FORGED), action="append", help="how far the forger goes (default: all)"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a processor)")
    options = parser.parse_args()
    started = time.monotonic()
    results: list[tuple[str, Outcome]] = []
    with tempfile.TemporaryDirectory(prefix="friendshore-runs-") as folder:
        base = Path(folder)
        make(base, options.run or RUNS)
        shares = []
        for name in options.run or RUNS:
            all_leaves = Folder(base / "runs" / name).leaves()
            leaves = [
                x for x in all_leaves if x.file.startswith(options.file) and x.pattern.startswith(options.pattern)
            ]
            chosen_leaves, patterns = chosen(leaves, options.each), {(x.file, x.pattern) for x in leaves}
            sys.stdout.write(
                f"{name}: {len(leaves):,} leaves of {len(patterns):,} patterns; {len(chosen_leaves):,} are changed\n"
            )
            parts = min(200, max(20, len(chosen_leaves) // 50))
            shares += [(name, chosen_leaves[number::parts]) for number in range(parts)]
        with multiprocessing.get_context("spawn").Pool(options.workers) as pool:
            work = partial(_all, base=base, modes=options.mode or (KEPT, SUMMED, FORGED))
            for done, (name, part_results) in enumerate(pool.imap_unordered(work, shares), 1):
                results += [(name, outcome) for outcome in part_results]
                seconds_left = (time.monotonic() - started) / done * (len(shares) - done)
                progress = f"{done} of {len(shares)} shares, {len(results):,} verifications"
                sys.stderr.write(f"{progress}; about {seconds_left:,.0f} s left\n")
                for outcome in part_results:
                    if outcome.result == "passed":
                        sys.stdout.write(f"let pass: {name} {outcome.leaf} [{outcome.way}] {outcome.mode}\n")
                sys.stdout.flush()
    sys.stdout.write(text(results, time.monotonic() - started))
    return int(any(outcome.result == "passed" for _, outcome in results))


def text(outcomes_by_run: Sequence[tuple[str, Outcome]], seconds: float) -> str:
    """Return the counts of results, and the accepted changes with reasons."""
    kinds = ("found", "named", "same", "listed", "passed")
    counts = Counter(
        (name, outcome.mode, "with --case" if outcome.with_case else "", outcome.result)
        for name, outcome in outcomes_by_run
    )
    lines = [f"{'run':10}{'the forger':12}{'':13}" + "".join(f"{result:>9}" for result in kinds)]
    for row in sorted({key[:3] for key in counts}):
        head = "".join(f"{cell:{width}}" for cell, width in zip(row, (10, 12, 13), strict=True))
        lines += [head + "".join(f"{counts[(*row, result)]:>9,}" for result in kinds)]
    titles = {"named": "not vouched for, and named so", "listed": "may be changed", "passed": "LET PASS WITHOUT A WORD"}
    for result, title in titles.items():
        reasons: defaultdict[str, set[str]] = defaultdict(set)
        for name, outcome in outcomes_by_run:
            if outcome.result == result:
                case = " (with --case)" if outcome.with_case else ""
                how = f" [{outcome.way}] {outcome.mode}{case}" if result == "passed" else ""
                reasons[outcome.why or "no reason is known"].add(
                    f"{name} {outcome.leaf.file} {outcome.leaf.pattern}{how}"
                )
        lines += ["", f"{title}:"] if reasons else []
        for why, descriptions in sorted(reasons.items()):
            shown = sorted(descriptions)[: 400 if result == "passed" else 6]
            lines += [f"  {why}: {len(descriptions)} patterns", *(f"    {entry}" for entry in shown)]
    changes = len({(name, str(outcome.leaf), outcome.way) for name, outcome in outcomes_by_run})
    return "\n".join(
        [*lines, "", f"{len(outcomes_by_run):,} verifications of {changes:,} changes, {seconds:,.0f} s", ""]
    )


if __name__ == "__main__":
    sys.exit(main())
