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

from ..building import hard_case
from ..property.disk import write
from .program import call

RUNS = [(None, 2), (12345, 1)]


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


@pytest.fixture(scope="module")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The case that `init` writes: two uses of one good, under rules."""
    folder = tmp_path_factory.mktemp("starter") / "case"
    assert call(["init", "--start", "2026-10-01", str(folder)], os.environ).returncode == 0
    return folder


@pytest.fixture(scope="module")
def choices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A case of binary choices."""
    given, facts = hard_case(offers=8, periods=2)
    folder = tmp_path_factory.mktemp("choices") / "case"
    write(facts, folder / "catalog", "kg", Random(0))
    head = (
        f'name = "choices"\nstart = {given.horizon.start}\nperiods = 2\nperiod = "year"\ncurrency = "USD"\nplace = "US"'
    )
    text = f'schema = 1\n[case]\n{head}\n[use]\ncatalogs = ["./catalog"]\n'
    for demand in given.demands:
        text += f'[[demand]]\nid = "{demand.id}"\nmaterial = "{demand.material}"\nend_use = "civil"\n'
        text += f'quantities = {[f"{q} kg" for q in demand.quantities]}\nshortage_price = "1000 USD/kg"\n'
        text += f'[[store]]\nmaterial = "{demand.material}"\nholding = "1 USD/kg/year"\nlimit = "0 kg"\n'
    (folder / "case.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.mark.parametrize("name", ["starter", pytest.param("choices", marks=pytest.mark.nightly)])
def test_the_same_facts_give_the_same_bytes(name: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Runs of the command line with other seeds of Python's hashes, one and two workers, every table and row shuffled anew."""
    folder: Path = request.getfixturevalue(name)
    original = planned(folder, None, 1)
    data = json.loads(original)
    assert data["status"] == "optimal"
    assert data["purchases"]
    for number, (hashes, workers) in enumerate(RUNS):
        again = shuffled(folder, tmp_path / f"{number}", Random(number))
        assert (again / "case.toml").read_bytes() != (folder / "case.toml").read_bytes()
        assert planned(again, hashes, workers) == original


@pytest.mark.deep
def test_other_facts_give_other_bytes(choices: Path, tmp_path: Path) -> None:
    """A price changed in the last digit is seen, in the plan's cost or at least in the hash of the catalog."""
    changed = tmp_path / "changed"
    shutil.copytree(choices, changed)
    offers = changed / "catalog" / "offers.csv"
    offers.write_text(
        re.sub(r"(\d+) USD/kg", r"\g<1>.5 USD/kg", offers.read_text(encoding="utf-8"), count=1), encoding="utf-8"
    )
    before, after = (json.loads(planned(folder, None, 1)) for folder in (choices, changed))
    assert before["plugins"][0]["digest"] != after["plugins"][0]["digest"]
