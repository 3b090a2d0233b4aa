"""The same facts give the same bytes: whatever the order of rows, the seed of Python's hashes, and the number of workers."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
from pathlib import Path
from random import Random

import pytest

from .program import call

RUNS = [(None, 2), (12345, 1)]
CHOICES = Path(__file__).parents[2] / "docs" / "cases" / "published" / "multmip3"
"""A case of binary choices."""


def planned(folder: Path, hashes: int | None, workers: int) -> str:
    """What `plan --json` prints, with a seed of Python's hashes; None: with the one that all share which name none."""
    seed = {} if hashes is None else {"PYTHONHASHSEED": str(hashes)}
    done = call(["plan", str(folder), "--json", "--workers", str(workers)], {**os.environ, **seed})
    assert done.returncode == 0, done.stderr
    return done.stdout


def shuffled(folder: Path, target: Path, dice: Random) -> Path:
    """A copy of a case whose tables, and whose rows in the catalog beside it, stand in another order."""
    shutil.copytree(folder, target)
    for file in target.rglob("*.csv"):
        with file.open(encoding="utf-8", newline="") as stream:
            head, *rows = list(csv.reader(stream))
        with file.open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream).writerows([head, *dice.sample(rows, len(rows))])
    case = target / "case.toml"
    first, *tables = re.split(r"(?m)^(?=\[)", case.read_text(encoding="utf-8"))
    case.write_text(first + "\n".join(dice.sample(tables, len(tables))), encoding="utf-8")
    return target


@pytest.mark.parametrize("choices", [False, pytest.param(True, marks=pytest.mark.deep)])
def test_the_same_facts_give_the_same_bytes(choices: bool, first: Path, tmp_path: Path) -> None:
    """Runs of the command line with other seeds of Python's hashes, one and two workers, every table and row shuffled anew."""
    folder = CHOICES if choices else first
    original = planned(folder, None, 1)
    data = json.loads(original)
    assert data["status"] == "optimal"
    assert data["purchases"]
    for number, (hashes, workers) in enumerate(RUNS):
        again = shuffled(folder, tmp_path / f"{number}", Random(number))
        assert (again / "case.toml").read_bytes() != (folder / "case.toml").read_bytes()
        assert planned(again, hashes, workers) == original
