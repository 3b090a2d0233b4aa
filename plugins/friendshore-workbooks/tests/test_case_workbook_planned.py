"""A workbook of a case in the place of a case: planned, checked and asked about as its cells stand."""

from __future__ import annotations

import json
import shutil
import subprocess
from datetime import date
from pathlib import Path

import pytest
from tests.functional.case_books import (
    CASES,
    GONE,
    NEW,
    SMALL,
    UNEDITED,
    US,
    Cell,
    edited,
    exported,
    friendshore,
    gathered,
    opened,
)
from tests.functional.depth import few

from friendshore.case import load_case
from friendshore.errors import InputError
from friendshore.recommend import gather
from friendshore_workbooks.scenario import edits_of


def same_facts(case: Path, file: Path) -> None:
    """A workbook is a case in all but where it was read from."""
    one, other = gathered(case), gather(load_case(file))
    assert one.case == other.case.but(file=one.case.file, folder=one.case.folder, demand_from=one.case.demand_from)
    assert (one.read, one.rules, one.plugins, one.bills) == (other.read, other.rules, other.plugins, other.bills)
    assert one.named == other.named


@pytest.mark.parametrize(
    "case", few(sorted(UNEDITED, key=lambda case: case.name not in ("orders", "limits")), 2), ids=lambda case: case.name
)
def test_an_unedited_workbook_is_the_case(case: Path, tmp_path: Path) -> None:
    """Far from the case, with the same facts from the same plugins; so is the workbook of the workbook."""
    file = exported(case, tmp_path / "case.xlsx")
    same_facts(case, file)
    same_facts(case, exported(file, tmp_path / "again.xlsx"))


@pytest.mark.deep
@pytest.mark.parametrize("case", sorted((CASES / "published").iterdir()), ids=lambda case: case.name)
def test_so_is_that_of_every_published_case(case: Path, tmp_path: Path) -> None:
    """The same of all published instances; and it reads back as no change."""
    file = exported(case, tmp_path / "case.xlsx")
    same_facts(case, file)
    assert edits_of(edited(file, ()), gathered(case), "edits").toml == ""


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("case", [US, SMALL / "orders"], ids=lambda case: case.name)
def test_what_a_spreadsheet_program_saves_is_the_case_too(case: Path, tmp_path: Path) -> None:
    """Cells come back in other forms; the catalogs are still those that are installed, and it reads back as no change."""
    file, saved = exported(case, tmp_path / "case.xlsx"), tmp_path / "saved"
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to", "xlsx"]
    subprocess.run([*command, "--outdir", str(saved), str(file)], check=True, capture_output=True, timeout=300)
    same_facts(case, saved / file.name)
    assert edits_of(saved / file.name, gathered(case), "mine").toml == ""


def test_every_cell_counts(case: Path, tmp_path: Path) -> None:
    """Edits, rows added and rows deleted, in lists, settings and catalogs, are what they would be in the case's own files."""
    cells: list[Cell] = [
        ("demand", "radar", "per_year", 3),
        ("demand", "lighting", "why", "a letter"),
        ("offers", "quebec-gallium", "price", "650 USD/kg"),
        ("capacity", "facility=kwinana", "from", date(2028, 1, 1)),
        ("settings", "key=discount", "value", "5%"),
        ("settings", "key=announced", "value", 0.25),
        ("offers", "guangxi-gallium", GONE, None),
        *[("chain", "offer=guangxi-gallium", GONE, None)] * 2,
    ]
    file = edited(exported(case, tmp_path / "case.xlsx"), cells)
    found, before = gather(load_case(file)), gathered(case)
    radar, lighting = found.case.demands
    assert (radar.per_year, lighting.why) == (3000, "a letter")
    assert radar.but(per_year=before.case.demands[0].per_year) == before.case.demands[0]
    assert (str(found.case.discount), str(found.case.accept.capacity["announced"])) == ("0.05", "0.25")
    (catalog,) = [one for one in found.read if one.offers]
    offers = {offer.id: offer for offer in catalog.offers}
    assert "guangxi-gallium" not in offers
    assert (price := offers["quebec-gallium"].price) is not None
    assert str(price.amount) == "650"
    steps = {facility.id: facility.capacity for facility in catalog.facilities}
    assert steps["kwinana"][0].start == date(2028, 1, 1)
    assert found.case.scenarios == before.case.scenarios


@pytest.mark.deep
def test_an_edited_catalog_is_no_longer_the_installed_one(tmp_path: Path) -> None:
    """Who looks at the plan's facts sees that one of them is the planner's; all others are still those of their plugins."""
    file = edited(exported(US, tmp_path / "case.xlsx"), [("offers", "irel-sm-oxide", "note", "cheap")])
    before = {plugin.name: plugin for plugin in gathered(US).plugins if plugin.kind == "catalog"}
    after = {plugin.name: plugin for plugin in gather(load_case(file)).plugins if plugin.kind == "catalog"}
    (name,) = [name for name in before if before[name] != after[name]]
    assert before[name].distribution
    assert not after[name].distribution


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        (("demand", "radar", "per_year", "a lot"), "[demand!E2]"),
        (("demand", "radar", "material", "tin"), "[demand!B2]"),
        (("demand", "radar", "material", ""), "[demand!B2]"),
        (("settings", "key=periods", "value", "many"), "[settings!C4]"),
        (("settings", "", NEW, {"section": "case", "key": "colour", "value": "red"}), "[settings!C21]"),
        (("settings", "", NEW, {"section": "schema", "key": "a", "value": "b"}), "FS001"),
        (("settings", "", NEW, {"section": "demand", "key": "a", "value": "b"}), "FS903"),
        (("settings", "key=periods", "key", "start"), "FS903"),
        (("settings", "", NEW, {"section": "use", "key": "demand", "value": "x.csv"}), "FS903"),
        (("offers", "quebec-gallium", "price", "5 bananas"), "[offers!E2]"),
        (("offers", "quebec-gallium", "facility", "nowhere"), "[offers!"),
        (("offers", "quebec-gallium", "catalog", "nowhere"), "FS908"),
        (("rule", "defense-origin", "on", "no"), "FS903"),
        (("rule", "defense-origin", GONE, None), "FS903"),
        (("rule", "", NEW, {"id": "mine", "kind": "exclude"}), "FS903"),
        (("scenario", "name=no-canada", "title", "x"), "FS903"),
    ],
)
def test_what_cannot_be_read_is_told_by_its_cell(cell: Cell, message: str, case: Path) -> None:
    """Each of them alone, by `plan`; nothing is planned."""
    file = edited(exported(case, case / "case.xlsx"), [cell])
    result = friendshore("plan", file)
    assert result.exit_code == 2, result.output
    assert f"{file} [{cell[0]}" in result.output
    assert message in result.output


def test_all_mistakes_are_told_at_once(case: Path) -> None:
    """`check` reads on where a case has mistakes, in the sheets of catalogs too."""
    cells: list[Cell] = [
        ("demand", "radar", "per_year", "a lot"),
        ("offers", "quebec-gallium", "price", "5 bananas"),
        ("capacity", "facility=kwinana", "status", "ready"),
        ("rule", "defense-origin", "on", "no"),
    ]
    result = friendshore("check", edited(exported(case, case / "case.xlsx"), cells), "--json")
    assert result.exit_code == 2
    places = [one["column"].partition("!")[0] for one in json.loads(result.output)["errors"]]
    assert sorted(places) == ["capacity", "demand", "offers", "rule"]


@pytest.mark.deep
def test_commands_that_take_a_case_take_a_workbook(case: Path) -> None:
    """A run of it is verified beside it, questions are answered, a lock lies beside it, and a scenario is read against it."""
    file = exported(case, case / "case.xlsx")
    assert friendshore("plan", file, "--out", case / "run", "--scenario", "no-canada").exit_code == 0
    checked = friendshore("verify", case / "run", "--case", file, "--json")
    assert checked.exit_code == 0, checked.output
    assert not json.loads(checked.output)["findings"]
    for command in (("why-not", file, "guangxi-gallium"), ("alternatives", file), ("rules", "list", file)):
        assert friendshore(*command).exit_code == 0, command
    assert friendshore("lock", file).exit_code == 0
    assert (case / "friendshore.lock").is_file()
    assert friendshore("plan", file, "--locked").exit_code == 0
    other = edited(file, [("demand", "radar", "per_year", 3)])
    read = friendshore("case", "from-xlsx", other, file, "--scenario", "more", "--json")
    assert json.loads(read.output)["changes"] == ["demand radar, per_year 3000 kg/year"]
    written = friendshore("case", "from-xlsx", other, file, "--scenario", "more", "--write")
    assert (written.exit_code, "FS907" in written.output) == (2, True)


def test_a_workbook_of_no_case_is_told(tmp_path: Path) -> None:
    """Another workbook, and one whose hidden sheet has lost the case file."""
    from openpyxl import Workbook

    Workbook().save(tmp_path / "other.xlsx")
    book = opened(exported(SMALL / "orders", tmp_path / "case.xlsx"))
    sheet = book["_baseline"]
    for line in [row[0].row for row in sheet.iter_rows() if row[0].value == "case.toml"][::-1]:
        sheet.delete_rows(line)
    book.save(tmp_path / "lost.xlsx")
    for name in ("other.xlsx", "lost.xlsx"):
        with pytest.raises(InputError, match="FS900"):
            load_case(tmp_path / name)
