"""Runs with a certificate: verified without a solver, told by part, and found out where anything of it was edited."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.functional.forging import friendshore, resum
from tests.property.settings import at_depth

CASES = Path(__file__).parents[3] / "docs" / "cases"
NAMES = ("small/orders", "small/tiers", "small/objectives", "published/cap44")
STATED = {
    "run.json": ('"bound":', '"gap":', '"status": "optimal"', '"objective":'),
    "facts.json": ('"bound":', '"status": "optimal"'),
}
"""Where a bound, a gap or a status stands in the files of a run; of a certificate every number counts."""


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of each case, with its certificate."""
    folder = tmp_path_factory.mktemp("certified")
    for name in NAMES:
        assert friendshore("plan", CASES / name, "-q", "--certify", "--out", folder / name)[0] == 0
    return folder


@pytest.mark.deep
def test_a_certificate_is_verified_without_any_solver(runs: Path) -> None:
    """In a process of its own, that loads nothing of OR-Tools; the answer says how many parts are proved so."""
    code = "import sys; from friendshore.cli import app; app(sys.argv[1:], standalone_mode=False); print('ortools' in sys.modules)"
    command = [sys.executable, "-c", code, "verify", str(runs / "small/orders")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, encoding="utf-8")
    said = " ".join(done.stdout.split())
    assert said.endswith(" False")
    assert "proved: no plan's spend and penalties are less than USD 108,942.46 in present value" in said
    assert "1 of 1 integer" in said


@pytest.mark.parametrize("name", NAMES)
def test_an_honest_run_is_verified_with_its_certificate(runs: Path, name: str) -> None:
    """None of it is found to be otherwise than it says."""
    data = json.loads(friendshore("verify", runs / name, "--json")[1])
    assert (data["findings"], data["proved_parts"]["certified"]) == ([], True)


def test_the_parts_that_are_proved_are_told_as_data(runs: Path, tmp_path: Path) -> None:
    """With a certificate and without one: how many parts of each kind, how many of them are proved, and by what."""
    assert friendshore("plan", CASES / "small/orders", "-q", "--out", tmp_path / "run")[0] == 0
    for run, figures in ((runs / "small/objectives", [4, 4, 0, 0, True]), (tmp_path / "run", [0, 0, 1, 1, False])):
        data = json.loads(friendshore("verify", run, "--json")[1])
        names = ("linear", "linear_proved", "integer", "integer_proved", "certified")
        assert data["proved_parts"] == dict(zip(names, figures, strict=True))
    code, told = friendshore("verify", tmp_path / "run", "--time-limit", "0")
    assert code == 0
    assert "Independent parts proved by branching here: 0 of 1 integer." in told


def test_a_run_has_the_same_certificate_each_time(runs: Path, tmp_path: Path) -> None:
    """Byte for byte, and it may be replaced like any run; there is none without --out."""
    assert friendshore("plan", CASES / "small/orders", "-q", "--certify", "--out", tmp_path / "run")[0] == 0
    first, again = (folder / "certificate.json" for folder in (runs / "small/orders", tmp_path / "run"))
    assert first.read_bytes() == again.read_bytes()
    assert friendshore("plan", CASES / "small/orders", "-q", "--out", tmp_path / "run")[0] == 0
    assert not again.exists()
    code, told = friendshore("plan", CASES / "small/orders", "-q", "--certify")
    assert (code, "FS501" in told) == (2, True)


def test_a_certificate_that_is_missing_or_cannot_be_read_is_found(runs: Path, tmp_path: Path) -> None:
    """One that was deleted, one that was added, and one that is no JSON."""
    run = Path(shutil.copytree(runs / "small/orders", tmp_path / "run"))
    certificate = run / "certificate.json"
    text = certificate.read_text(encoding="utf-8")
    certificate.unlink()
    code, told = friendshore("verify", run)
    assert (code, "certificate.json: FS602 is missing" in told) == (4, True)
    resum(run)
    assert friendshore("verify", run)[0] == 0
    certificate.write_text(text, encoding="utf-8")
    code, told = friendshore("verify", run)
    assert (code, "FS602" in told) == (4, True)
    certificate.write_text("[", encoding="utf-8")
    assert friendshore("verify", run)[0] == 2


def edited(dice: Random, text: str, marks: tuple[str, ...]) -> str | None:
    """A text with one number or word changed that stands behind one of some marks; None: the change leaves what it was."""
    found = [one for mark in marks for one in re.finditer(re.escape(mark), text)]
    at = dice.choice(found).end() if found else 0
    numbers = list(re.finditer(r"-?\d+(\.\d+)?", text if not found else text[at : at + 40]))
    if found and (text[:at].endswith('"optimal"')):
        return text[: at - len('"optimal"')] + dice.choice(['"feasible"', '"interrupted"', '"infeasible"']) + text[at:]
    if not numbers:
        return None
    number = dice.choice(numbers[:1] if found else numbers)
    digits = number.group()
    new = dice.choice([
        digits[:-1] + str((int(digits[-1]) + dice.randint(1, 9)) % 10),
        str(dice.randint(0, 10**9)),
        digits + "0" if "." not in digits else digits.replace(".", "", 1),
        digits.lstrip("-") if digits.startswith("-") else f"-{digits}",
    ])  # fmt: skip
    alike = found and abs(float(new) - float(digits)) <= 1e-9 * abs(float(digits))  # less than a run tells of its money
    return None if new == digits or alike else text[: at + number.start()] + new + text[at + number.end() :]


def tried(runs: Path, folder: Path, seed: int, forged: bool) -> str:
    """What comes of one edit: found, the same, or let pass."""
    dice = Random(seed)
    original = runs / dice.choice(NAMES)
    file = dice.choice(["certificate.json", "certificate.json", "run.json", "facts.json"])
    text = (original / file).read_text(encoding="utf-8")
    new = None
    while new is None or new == text:
        new = edited(dice, text, STATED.get(file, ()))
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(original, folder)
    (folder / file).write_text(new, encoding="utf-8")
    if forged:
        resum(folder)
    code, told = friendshore("verify", folder, "--time-limit", "1", "--json")
    if code != 0:
        return "found"
    honest = json.loads(friendshore("verify", original, "--json")[1])
    data = json.loads(told)
    if (data["optimality"], data["proved_parts"]) != (honest["optimality"], honest["proved_parts"]):
        return "told"
    # `run.json` is compared whole with what the facts give: facts that pass give the same bound, gap and status, but for what rounding may move.
    return {"certificate.json": "proves the same", "facts.json": "tells the same"}.get(file, "passed")


QUARTER = at_depth(250)
"""How many of a quarter of a thousand edits are tried."""


@pytest.mark.parametrize(
    ("first", "count"),
    [(0, 6), *(pytest.param(first, QUARTER, marks=pytest.mark.deep) for first in range(0, 1000, 250))],
)
def test_random_edits_are_found(runs: Path, tmp_path: Path, first: int, count: int) -> None:
    """Of a bound, a gap, a status, a multiplier or a leaf: all are found by their hash. With the hashes made anew, what is not found proves the same
    bound, or gives a run that tells the same, or is told to be proved otherwise.
    """
    for seed in range(first, first + count):
        forged = bool(seed % 2)
        outcome = tried(runs, tmp_path / "run", seed, forged)
        assert outcome != "passed", seed
        assert forged or outcome == "found", seed
