"""CPU seconds of `watch` for many cases: copies of us-2027 with different demands, so that no two plans are equal.

    uv run python -m tests.bench.watch             # two editions of section 1260H, 100 cases, as many workers as processors
    uv run python -m tests.bench.watch --law       # two editions of 10 USC 4872: one of its phases begins a year later
    uv run python -m tests.bench.watch --cases 10 --workers 1

The digest is that of the answer. It must not depend on the number of workers, or change with work on speed.
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("--cases", type=int, default=100)
    parser.add_argument("--workers", type=int)
    parser.add_argument("--law", action="store_true", help="two editions of a rule pack, in the place of two of a list")
    options = parser.parse_args()
    registry = Registry.discover()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        cases = [_case(folder, number, lists=not options.law) for number in range(options.cases)]
        old, new = _packs(folder, registry) if options.law else _lists(folder)
        cpu_start, clock_start = cpu_seconds(), time.perf_counter()
        result = watch(editions_of(str(old), str(new), registry), cases, registry=registry, workers=options.workers)
        cpu, elapsed = cpu_seconds() - cpu_start, time.perf_counter() - clock_start
        text = json.dumps(result.to_dict(), sort_keys=True).replace(str(folder.resolve()), "").replace(str(folder), "")
    failed = sum(bool(case.error) for case in result.cases)
    summary = f"{options.cases} cases, {failed} not planned, {len(result.changed_verdicts)} verdicts turn"
    digest = hashlib.sha256(text.encode()).hexdigest()[:12]
    sys.stdout.write(f"{summary}: {cpu:.1f} s of processors, {elapsed:.1f} s passed, digest {digest}\n")


def _case(folder: Path, number: int, *, lists: bool) -> Path:
    """Write the worked case with demands increased by `number` thousandths."""
    own = folder / f"case-{number}"
    shutil.copytree(US_2027, own)
    file, factor = own / "case.toml", 1 + number / 1000
    text = file.read_text(encoding="utf-8").replace('name = "us-2027"', f'name = "us-2027-{number}"')
    text = re.sub(r'(?m)^per_year = "([\d.]+) ', lambda m: f'per_year = "{float(m[1]) * factor:.6f} ', text)
    settings = "\n[plugin.friendshore-screening]\noldest = 9999\n" if lists else ""
    file.write_text(text + settings, encoding="utf-8")
    return file


def _lists(folder: Path) -> list[Path]:
    """Return settings files with two editions of a list."""
    files = []
    for listed, day in EDITIONS:
        path = folder / f"{listed}-{day}.toml"
        entry = f'{{ list = "{listed}", edition = {day} }}'
        path.write_text(f"[plugin.friendshore-screening]\nlists = [{entry}]\n", encoding="utf-8")
        files.append(path)
    return files


def _packs(folder: Path, registry: Registry) -> list[Path]:
    """Return the installed pack, and a copy in which phases of 2027 begin a year later."""
    own = Path(registry.pack(PACK).file).parent
    later = folder / "later" / PACK
    shutil.copytree(own, later)
    file = later / "pack.toml"
    file.write_text(file.read_text(encoding="utf-8").replace("2027-01-01", "2028-01-01"), encoding="utf-8")
    return [own, later]


if __name__ == "__main__":
    main()
