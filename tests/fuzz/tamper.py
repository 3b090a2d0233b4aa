"""`python -m tests.fuzz.tamper`: changes the leaves of three runs, each in four ways, and says what `verify` makes of it."""

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
from .leaves import Folder, Leaf
from .remembering import remembered
from .tampering import FORGED, KEPT, SUMMED, Outcome, Tampering

RUNS = ("recipes", "stock", "us-2027")
DEMANDS = ("gallium-defense", "germanium-civil", "antimony-defense")
"""Demands of us-2027 that are planned: of three materials."""


def make(folder: Path, names: Sequence[str] = RUNS) -> None:
    """Writes `cases/NAME` and `runs/NAME` of some of them below a folder."""
    for name in names:
        where = "us-2027" if name == "us-2027" else f"small/{name}"
        shutil.copytree(seeds.REPOSITORY / "docs" / "cases" / where, folder / "cases" / name)
    if "us-2027" in names:
        file = folder / "cases" / "us-2027" / "case.toml"
        parts = re.split(r"(?m)^(?=\[)", file.read_text(encoding="utf-8"))
        ids = [f'id = "{name}"' for name in DEMANDS]
        kept = [one for one in parts if not one.startswith("[[demand]]") or any(name in one for name in ids)]
        file.write_text("".join(kept), encoding="utf-8")
    cases, runs = folder / "cases", folder / "runs"
    seeds.in_process([("plan", str(cases / name), "--out", str(runs / name), "-q") for name in names])


def chosen(leaves: Iterable[Leaf], each: int) -> list[Leaf]:
    """Of the leaves of each pattern so many, spread evenly; all, if `each` is 0."""
    by_pattern: defaultdict[tuple[str, str], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        by_pattern[leaf.file, leaf.pattern].append(leaf)
    return [g[n * len(g) // (each or len(g))] for g in by_pattern.values() for n in range(min(each or len(g), len(g)))]


def outcomes(base: Path, name: str, leaves: Sequence[Leaf], modes: Sequence[str]) -> Iterator[Outcome]:
    """What comes of changing leaves of one run."""
    with tempfile.TemporaryDirectory(prefix="friendshore-tamper-") as scratch, remembered():
        at_hand = Tampering(base / "runs" / name, base / "cases" / name, Path(scratch))
        for leaf in leaves:
            yield from at_hand.try_leaf(leaf, modes)


def _all(share: tuple[str, list[Leaf]], base: Path, modes: Sequence[str]) -> tuple[str, list[Outcome]]:
    os.environ["SOURCE_DATE_EPOCH"] = "1795694400"
    return share[0], list(outcomes(base, share[0], share[1], modes))


def main() -> int:
    """Tampers, and returns 1 if anything was let pass without a word."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.tamper", description=__doc__)
    parser.add_argument("--run", choices=RUNS, action="append", help="only this run; may repeat")
    parser.add_argument("--each", type=int, default=3, help="leaves changed of each pattern; 0: all (default: 3)")
    parser.add_argument("--file", default="", help="only leaves of this file")
    parser.add_argument("--pattern", default="", help="only leaves whose pattern begins so")
    parser.add_argument(
        "--mode", choices=(KEPT, SUMMED, FORGED), action="append", help="how far the forger goes (default: all)"
    )
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes (default: one a processor)")
    told = parser.parse_args()
    started = time.monotonic()
    found: list[tuple[str, Outcome]] = []
    with tempfile.TemporaryDirectory(prefix="friendshore-runs-") as folder:
        base = Path(folder)
        make(base, told.run or RUNS)
        shares = []
        for name in told.run or RUNS:
            every = Folder(base / "runs" / name).leaves()
            leaves = [x for x in every if x.file.startswith(told.file) and x.pattern.startswith(told.pattern)]
            picked, patterns = chosen(leaves, told.each), {(x.file, x.pattern) for x in leaves}
            sys.stdout.write(
                f"{name}: {len(leaves):,} leaves of {len(patterns):,} patterns; {len(picked):,} are changed\n"
            )
            parts = min(200, max(20, len(picked) // 50))
            shares += [(name, picked[number::parts]) for number in range(parts)]
        with multiprocessing.get_context("spawn").Pool(told.workers) as pool:
            work = partial(_all, base=base, modes=told.mode or (KEPT, SUMMED, FORGED))
            for done, (name, some) in enumerate(pool.imap_unordered(work, shares), 1):
                found += [(name, outcome) for outcome in some]
                left = (time.monotonic() - started) / done * (len(shares) - done)
                error_texts = f"{done} of {len(shares)} shares, {len(found):,} verifications"
                sys.stderr.write(f"{error_texts}; about {left:,.0f} s left\n")
                for one in some:
                    if one.result == "passed":
                        sys.stdout.write(f"let pass: {name} {one.leaf} [{one.way}] {one.mode}\n")
                sys.stdout.flush()
    sys.stdout.write(text(found, time.monotonic() - started))
    return int(any(outcome.result == "passed" for _, outcome in found))


def text(found: Sequence[tuple[str, Outcome]], seconds: float) -> str:
    """What came of all changes, for people: counts, what was let pass and why, and what was let pass without a reason."""
    results = ("found", "named", "same", "listed", "passed")
    counts = Counter((name, one.mode, "with --case" if one.with_case else "", one.result) for name, one in found)
    lines = [f"{'run':10}{'the forger':12}{'':13}" + "".join(f"{result:>9}" for result in results)]
    for row in sorted({key[:3] for key in counts}):
        head = "".join(f"{cell:{width}}" for cell, width in zip(row, (10, 12, 13), strict=True))
        lines += [head + "".join(f"{counts[(*row, result)]:>9,}" for result in results)]
    titles = {"named": "not vouched for, and named so", "listed": "may be changed", "passed": "LET PASS WITHOUT A WORD"}
    for result, title in titles.items():
        reasons: defaultdict[str, set[str]] = defaultdict(set)
        for name, one in found:
            if one.result == result:
                case = " (with --case)" if one.with_case else ""
                how = f" [{one.way}] {one.mode}{case}" if result == "passed" else ""
                reasons[one.why or "no reason is known"].add(f"{name} {one.leaf.file} {one.leaf.pattern}{how}")
        lines += ["", f"{title}:"] if reasons else []
        for why, which in sorted(reasons.items()):
            shown = sorted(which)[: 400 if result == "passed" else 6]
            lines += [f"  {why}: {len(which)} patterns", *(f"    {entry}" for entry in shown)]
    changes = len({(name, str(one.leaf), one.way) for name, one in found})
    return "\n".join([*lines, "", f"{len(found):,} verifications of {changes:,} changes, {seconds:,.0f} s", ""])


if __name__ == "__main__":
    sys.exit(main())
