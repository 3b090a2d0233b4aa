"""Seconds of processors that `watch` takes for many cases: us-2027 with every demand of each case multiplied by a number of its own, so that no plan of one is that of
another.

    uv run python -m tests.bench.watch             # two editions of section 1260H, 100 cases, as many workers as processors
    uv run python -m tests.bench.watch --law       # two editions of 10 USC 4872: one of its phases begins a year later
    uv run python -m tests.bench.watch --cases 10 --workers 1

The digest is of all that is told: it is the same whatever the number of workers, and before and after work on speed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

from friendshore.plugins import Registry
from friendshore_watch import editions_of, watch

from .answer import cpu_seconds

US_2027 = Path(__file__).parents[2] / "docs/cases/us-2027"
PACK = "us-10usc4872"
EDITIONS = (("us-1260h", "2025-01-07"), ("us-1260h", "2026-06-08"))


def main() -> None:
    """Writes the cases, watches them, and prints what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--law", action="store_true", help="two editions of a rule pack, in the place of two of a list")
    asked = parser.parse_args()
    registry = Registry.discover()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = [_case(folder, number, lists=not asked.law) for number in range(asked.cases)]
        old, new = _packs(folder, registry) if asked.law else _lists(folder)
        began, clock = cpu_seconds(), time.perf_counter()
        found = watch(editions_of(str(old), str(new), registry), cases, registry=registry, workers=asked.workers)
        taken, passed = cpu_seconds() - began, time.perf_counter() - clock
        text = json.dumps(found.to_dict(), sort_keys=True).replace(str(folder.resolve()), "").replace(str(folder), "")
    failed = sum(bool(one.error) for one in found.cases)
    told = f"{asked.cases} cases, {failed} not planned, {len(found.changed_verdicts)} verdicts turn"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    sys.stdout.write(f"{told}: {taken:.1f} s of processors, {passed:.1f} s passed, digest {digest}\n")


def _case(folder: Path, number: int, *, lists: bool) -> Path:
    """The worked case with every demand so many thousandths larger."""
    own = folder / f"case-{number}"
    shutil.copytree(US_2027, own)
    file, factor = own / "case.toml", 1 + number / 1000
    text = file.read_text(encoding="utf-8").replace('name = "us-2027"', f'name = "us-2027-{number}"')
    text = re.sub(r'(?m)^per_year = "([\d.]+) ', lambda m: f'per_year = "{float(m[1]) * factor:.6f} ', text)
    settings = "\n[plugin.friendshore-screening]\noldest = 9999\n" if lists else ""
    file.write_text(text + settings, encoding="utf-8")
    return file


def _lists(folder: Path) -> list[Path]:
    """Two editions of a list that come with the plugin."""
    found = []
    for listed, day in EDITIONS:
        path = folder / f"{listed}-{day}.toml"
        one = f'{{ list = "{listed}", edition = {day} }}'
        path.write_text(f"[plugin.friendshore-screening]\nlists = [{one}]\n", encoding="utf-8")
        found.append(path)
    return found


def _packs(folder: Path, registry: Registry) -> list[Path]:
    """The installed pack, and it with what begins in 2027 put off by a year."""
    own = Path(registry.pack(PACK).file).parent
    later = folder / "later" / PACK
    shutil.copytree(own, later)
    file = later / "pack.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("2027-01-01", "2028-01-01"), encoding="utf-8")
    return [own, later]


if __name__ == "__main__":
    main()
