"""Two installed catalogs that describe one plant: told, refused where they cannot be one, planned and verified where they are."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from .test_cli import answer, friendshore
from .test_lock import CASE, CATALOG

if TYPE_CHECKING:
    from conftest import Site

OTHER = {
    **CATALOG,
    "catalog.toml": CATALOG["catalog.toml"].replace('"acme"', '"desk"'),
    "facilities.csv": "id,name,operator,country\nplant-7,The mill,mill,MY\n",
    "capacity.csv": "facility,per_year,status,source\nplant-7,5 t/year,operating,s\n",
    "offers.csv": "id,facility,material,price,source\ndesk-tin,plant-7,tin,20 USD/kg,s\n",
}
SAYS = '[[overlap]]\nfacilities = ["acme:mill", "desk:plant-7"]\n'


@pytest.fixture
def folder(site: Site, tmp_path: Path) -> Path:
    """A case of 20 t on two installed catalogs that describe the mill of one company."""
    for dist, tables in (("acme-tin", CATALOG), ("desk-tin", OTHER)):
        files = {f"c/{name}": text for name, text in tables.items()}
        site.plugin(dist, 'api = 1\ncatalogs = ["c"]\n', files=files)
    text = CASE.replace('["acme"]', '["acme", "desk"]').replace('"1 t"', '"20 t"')
    (tmp_path / "case.toml").write_text(text)
    return tmp_path


def asked(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """The command line, with the two distributions installed."""
    return friendshore(*map(str, arguments), cwd=folder, env={"PYTHONPATH": str(folder / "site")})


def say(folder: Path, words: str) -> None:
    """Adds an overlap to the case."""
    with (folder / "case.toml").open("a") as file:
        file.write(SAYS + words)


def test_a_plan_that_counts_one_plant_twice_says_so(folder: Path) -> None:
    """9 t of one catalog and 5 of the other; the assumption stands on the screen."""
    done = asked(folder, "plan", "case.toml", "-q", "--json")
    assert sum(float(short["quantity_kg"]) for short in answer(done)["shortages"]) == 6000
    full, screen = (" ".join(asked(folder, "plan", "case.toml", *more).stdout.split()) for more in (["--full"], []))
    assert "Perhaps counted twice" in full
    assert full.index("`acme:mill` and `desk:plant-7` count as two facilities") < full.index("rests on")
    assert "Perhaps counted twice: `acme:mill` and `desk:plant-7` count as two facilities" in screen


@pytest.mark.parametrize(
    ("words", "left"), [('keep = "acme:mill"\noffers = "all"\n', 11000), ("distinct = true\n", 6000)]
)
def test_a_run_of_overlapping_catalogs_is_verified_against_what_is_installed(
    folder: Path, words: str, left: float
) -> None:
    """One capacity of 9 t, or both; the facts of the run still are what the installed catalogs say."""
    say(folder, words)
    done = asked(folder, "plan", "case.toml", "-q", "--json", "--out", "run")
    assert sum(float(short["quantity_kg"]) for short in answer(done)["shortages"]) == left
    verified = asked(folder, "verify", "run")
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "verified from its own facts" in verified.stdout


def test_everything_wrong_with_an_overlap_is_said_at_once(folder: Path) -> None:
    """What is missing, what is too much, and names that name nothing, each with its line and the fix."""
    say(folder, 'keep = "acme:mill"\n')
    say(folder, 'distinct = true\noffers = "all"\n')
    say(folder, "")
    with (folder / "case.toml").open("a") as file:
        file.write('[[overlap]]\nfacilities = ["acme:mill", "acme:other", "plant"]\nkeep = "mine:x"\noffers = "kept"\n')
    done = asked(folder, "check", "case.toml")
    assert done.returncode == 2
    for words in (
        "which offers stay is not said",
        "distinct facilities keep all their offers",
        "an overlap says which facility to keep, or that they are distinct",
        "`plant` does not say which facility of which catalog",
        "an overlap is of facilities of different catalogs",
        "the one kept is none of the facilities",
    ):
        assert words in done.stderr + done.stdout, (words, done.stderr)


def test_a_facility_that_is_not_there_is_refused_with_the_nearest(folder: Path) -> None:
    """A misspelt name merges nothing."""
    with (folder / "case.toml").open("a") as file:
        file.write('[[overlap]]\nfacilities = ["acme:mill", "desk:plant-6"]\nkeep = "acme:mill"\noffers = "all"\n')
    done = asked(folder, "plan", "case.toml", "-q")
    assert done.returncode == 2
    assert "there is no facility `desk:plant-6`" in done.stderr
    assert "did you mean `desk:plant-7`?" in done.stderr


def test_compare_names_the_overlap_that_two_cases_differ_in(folder: Path) -> None:
    """One plant in one case, two in the other: the difference in kilograms, and why."""
    (folder / "other.toml").write_text((folder / "case.toml").read_text())
    say(folder, 'keep = "acme:mill"\noffers = "all"\n')
    done = asked(folder, "compare", "other.toml", "case.toml", "--json", "-q")
    facts = [(line["kind"], line["name"]) for line in answer(done)["facts"]]
    assert ("overlap", "acme:mill and desk:plant-7") in facts
