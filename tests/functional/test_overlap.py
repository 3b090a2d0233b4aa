"""Two installed catalogs that describe one plant: reported, refused, or planned and verified as one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from friendshore.plugins import Registry
from friendshore.recommend import check

from .program import here
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
ONE = f'{SAYS}keep = "acme:mill"\noffers = "all"\n'


@pytest.fixture
def case(site: Site, tmp_path: Path) -> Path:
    """Return a case of 20 t on two installed catalogs that describe the mill of one company."""
    for dist, tables in (("acme-tin", CATALOG), ("desk-tin", OTHER)):
        files = {f"c/{name}": text for name, text in tables.items()}
        site.plugin(dist, 'api = 1\ncatalogs = ["c"]\n', files=files)
    file = tmp_path / "case.toml"
    file.write_text(CASE.replace('["acme"]', '["acme", "desk"]').replace('"1 t"', '"20 t"'))
    return file


def add(case: Path, text: str) -> None:
    """Add some text to the case."""
    case.write_text(case.read_text() + text)


def told(*arguments: object) -> dict[str, Any]:
    """Return the answer of a command as JSON."""
    done = here(*arguments, "--json", "-q")
    assert done.returncode == 0, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_a_plan_that_counts_one_plant_twice_says_so(case: Path) -> None:
    """On the screen, and in the full text above the demand."""
    full, screen = (" ".join(here("plan", case, *more).stdout.split()) for more in (["--full"], []))
    assert full.index("acme:mill and desk:plant-7 count as two facilities") < full.index(" Demand ")
    assert "Possibly counted twice: acme:mill and desk:plant-7 count as two facilities" in screen


@pytest.mark.parametrize(("words", "left"), [("", 6000), (ONE, 11000), (f"{SAYS}distinct = true\n", 6000)])
def test_a_run_of_overlapping_catalogs_is_verified_against_what_is_installed(
    case: Path, words: str, left: float
) -> None:
    """One capacity of 9 t, or both; the facts of the run are those of the installed catalogs."""
    add(case, words)
    shortages = told("plan", case, "--out", case.with_name("run"))["shortages"]
    assert sum(float(one["quantity_kg"]) for one in shortages) == left
    assert told("verify", case.with_name("run"))["verified"]


def test_everything_wrong_with_an_overlap_is_said_at_once(case: Path) -> None:
    """What is missing, what is too much, and names that name nothing."""
    add(case, f'{SAYS}keep = "acme:mill"\n{SAYS}distinct = true\noffers = "all"\n{SAYS}')
    add(case, '[[overlap]]\nfacilities = ["acme:mill", "acme:other", "plant"]\nkeep = "mine:x"\noffers = "kept"\n')
    errors = check(case, Registry.discover()).errors
    incomplete = [error.column.rpartition(".")[2] for error in errors if error.code == "FS203"]
    assert sorted(incomplete) == ["offers", "offers", "overlap[3]"]
    said = " ".join(error.message for error in errors)
    for words in (
        "an overlap with `keep` needs `offers`",
        "distinct facilities keep all their offers",
        "an overlap needs either the facility",
        "`plant` doesn't name a catalog and a facility",
        "the facilities of an overlap must be in different catalogs",
        "the facility to keep isn't one of the facilities",
    ):
        assert words in said


def test_a_facility_that_is_not_there_is_refused_with_the_nearest(case: Path) -> None:
    """A misspelt name merges nothing."""
    add(case, ONE.replace("plant-7", "plant-6"))
    (error,) = check(case, Registry.discover()).errors
    assert (error.code, error.found) == ("FS102", "desk:plant-6")
    assert error.fix == "did you mean `desk:plant-7`?"


def test_compare_names_the_overlap_that_two_cases_differ_in(case: Path) -> None:
    """One plant in one case, two in the other."""
    other = case.with_name("other.toml")
    other.write_text(case.read_text())
    add(case, ONE)
    facts = [(line["kind"], line["name"]) for line in told("compare", other, case)["facts"]]
    assert ("overlap", "acme:mill and desk:plant-7") in facts
