"""`case to-xlsx` and `case from-xlsx`, as a planner meets them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import subprocess
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest

from friendshore.case import load_case
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore.workbook import Edits, edits_of

from .case_books import (
    CASES,
    GONE,
    NEW,
    SMALL,
    UNEDITED,
    US,
    Cell,
    cell_of,
    edited,
    exported,
    friendshore,
    gathered,
    opened,
)
from .depth import few


def test_a_case_is_one_workbook_of_typed_cells(tmp_path: Path) -> None:
    """Masses are numbers in the unit of their head, dates are dates, ids can be chosen, and each head says in a note what the column is."""
    book = opened(exported(CASES / "us-2027", tmp_path / "us.xlsx"))
    assert {"demand", "rule", "scenario", "settings", "offers", "capacity", "order"} <= set(book.sheetnames)
    demand = cell_of(book, "demand", "gallium-defense", "per_year")
    assert (demand.value, demand.data_type) == (1.9, "n")
    assert book["demand"].cell(1, demand.column).value == "per_year [t]"
    assert cell_of(book, "demand", "gallium-defense", "from").is_date
    assert cell_of(book, "rule", "tariff-145", "on").value == "no"
    assert cell_of(book, "settings", "announced", "value", key="key").value == 0
    heads = {str(head.value): head for head in book["demand"][1]}
    assert "Material of a catalog." in heads["material"].comment.text
    lists = {str(rule.sqref): rule.formula1 for rule in book["demand"].data_validations.dataValidation}
    assert any("_lists" in formula for formula in lists.values())
    assert [sheet.title for sheet in book if sheet.sheet_state == "hidden"] == ["_baseline", "_lists"]
    frozen = {sheet.title: sheet.freeze_panes for sheet in book if sheet.sheet_state == "visible"}
    assert frozen == {name: "A2" if name == "readme" else "B2" for name in frozen}


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whenever it is written, wherever it lies, and under whatever name; what is there is not overwritten."""
    shutil.copytree(SMALL / "orders", tmp_path / "elsewhere")
    first, second = tmp_path / "one.xlsx", tmp_path / "two.xlsx"
    for case, file in ((SMALL / "orders", first), (tmp_path / "elsewhere", second)):
        assert friendshore("case", "to-xlsx", case, "--out", file).exit_code == 0
    assert first.read_bytes() == second.read_bytes()
    again = friendshore("case", "to-xlsx", CASES / "us-2027", "--out", first)
    assert again.exit_code == 2
    assert "is there already" in again.output
    assert friendshore("case", "to-xlsx", CASES / "us-2027", "--out", tmp_path / "x.ods").exit_code == 2


HOSTILE = ("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", "http://example.com/", '=HYPERLINK("x")')
"""What spreadsheets compute, or make links of."""


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `init` writes, as the current one."""
    assert friendshore("init", "--start", "2026-10-01", tmp_path / "case").exit_code == 0
    monkeypatch.chdir(tmp_path / "case")
    return tmp_path / "case"


def hostile(case: Path, text: str) -> None:
    """Puts a text wherever the case and its catalog take any."""
    escaped = text.replace("\t", "\\t").replace("\r", "\\r").replace('"', '\\"')
    toml = (case / "case.toml").read_text()
    given = re.sub(r'(?m)^((?:why|title|buyer) *= *)".*"', lambda found: f'{found[1]}"{escaped}"', toml)
    (case / "case.toml").write_text(given)
    for table in (case / "catalog").glob("*.csv"):
        header, *rows = [line.split(",") for line in table.read_text().splitlines()]
        free = [n for n, name in enumerate(header) if name in ("name", "operator", "parent", "note", "reference")]
        quoted = '"' + text.replace('"', '""') + '"'
        for row in rows:
            if len(row) == len(header):
                for position in free:
                    row[position] = quoted
        table.write_bytes("\n".join(map(",".join, [header, *rows])).encode() + b"\n")


@pytest.mark.parametrize("text", few(HOSTILE))
def test_no_text_of_others_is_computed_or_leads_anywhere(text: str, case: Path) -> None:
    """In a workbook each is a text as it was typed, without formula and without link."""
    hostile(case, text)
    file = exported(case, case / "case.xlsx")
    with ZipFile(file) as parts:
        names = parts.namelist()
        xml = b"".join(parts.read(name) for name in names if name.startswith("xl/worksheets/sheet"))
    assert b"<f>" not in xml
    assert b"<f " not in xml
    assert b"hyperlink" not in xml
    assert not [name for name in names if "externalLink" in name]
    cells = [cell for sheet in opened(file) for row in sheet.iter_rows() for cell in row]
    found = [cell for cell in cells if cell.value is not None and str(cell.value).strip() == text.strip()]
    assert len(found) > 4
    assert {cell.data_type for cell in found} == {"s"}


# ------------------------------------------------------------------------------------------------------------ read back


def edits(case: Path, folder: Path, *cells: Cell) -> Edits:
    """What the edits of a case's workbook come to."""
    return edits_of(edited(exported(case, folder / "case.xlsx"), cells), gathered(case), "edits")


def told(case: Path, folder: Path, *cells: Cell) -> list[str]:
    """What is wrong with edits, each with its cell."""
    with pytest.raises(InputError) as caught:
        edits(case, folder, *cells)
    return [f"{problem.column}: {problem.message}" for problem in caught.value.problems]


@pytest.mark.parametrize(
    "case", few(sorted(UNEDITED, key=lambda case: case.name != "orders"), 1), ids=lambda case: case.name
)
def test_what_is_not_edited_changes_nothing(case: Path, tmp_path: Path) -> None:
    """As it is written, and as another program saves it; nothing is written into the case."""
    file = exported(case, tmp_path / "case.xlsx")
    before = (case / "case.toml").read_bytes()
    found = friendshore("case", "from-xlsx", file, case, "--scenario", "mine", "--write")
    assert (found.exit_code, found.output) == (0, "no change\n")
    assert (case / "case.toml").read_bytes() == before
    assert edits_of(edited(file, ()), gathered(case), "mine").toml == ""


def test_a_workbook_keeps_the_countries_of_concern(tmp_path: Path) -> None:
    """A case that goes through a workbook depends on the same countries."""
    case = Path(shutil.copytree(SMALL / "money", tmp_path / "money"))
    with (case / "case.toml").open("a", encoding="utf-8") as file:
        file.write('\n[concern]\ncountries = ["AU", "RU"]\n')
    assert load_case(exported(case, tmp_path / "case.xlsx")).concern.countries == {"AU", "RU"}


@pytest.mark.deep
@pytest.mark.parametrize("case", sorted((CASES / "published").iterdir()), ids=lambda case: case.name)
def test_no_published_case_is_changed_by_a_round_trip(case: Path, tmp_path: Path) -> None:
    """The same of all published instances."""
    assert edits(case, tmp_path).toml == ""


@pytest.mark.deep
@pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")
@pytest.mark.parametrize("case", [US, SMALL / "orders"], ids=lambda case: case.name)
def test_libreoffice_opens_and_saves_it(case: Path, tmp_path: Path) -> None:
    """What LibreOffice saves of an unedited workbook reads back as no change."""
    file = exported(case, tmp_path / "case.xlsx")
    saved = tmp_path / "saved"
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/home", "--headless", "--convert-to", "xlsx"]
    subprocess.run([*command, "--outdir", str(saved), str(file)], check=True, capture_output=True, timeout=300)
    assert edits_of(saved / file.name, gathered(case), "mine").toml == ""


TWENTY: list[tuple[Cell, dict[str, Any]]] = [
    (("demand", "gallium-defense", "per_year", 2.5), {"demand": "gallium-defense", "per_year": "2500 kg/year"}),
    (("demand", "smco-alloy-stockpile", GONE, None), {"demand": "smco-alloy-stockpile", "factor": 0}),
    (("order", "oxide-for-magnets", "quantity", "90 t"), {"order": "oxide-for-magnets", "quantity": "90 t"}),
    (
        (
            "demand",
            "",
            NEW,
            {"material": "tantalum-powder", "end_use": "civil", "per_year": "5 t", "shortage_price": "900 USD/kg"},
        ),
        {"want": "tantalum-powder", "end_use": "civil", "per_year": "5 t/year", "shortage_price": "900 USD/kg"},
    ),
    (("rule", "sanctions-policy", "on", "no"), {"disable": "sanctions-policy"}),
    (("rule", "tariff-145", "on", "yes"), {"enable": "tariff-145"}),
    (("rule", "us-p-1803", "on", "yes"), {"enable": "us-p-1803"}),
    (("rule", "us-mfn-apt", "until", date(2029, 12, 31)), {"move": "us-mfn-apt", "until": date(2029, 12, 31)}),
    (
        ("offers", "mountain-pass-sm-oxide", "price", "99 USD/kg"),
        {"price": "mountain-pass-sm-oxide", "amount": "99 USD/kg"},
    ),
    (("offers", "irel-sm-oxide", "until", date(2028, 6, 30)), {"remove": "irel-sm-oxide", "from": date(2028, 7, 1)}),
    (("offers", "lynas-heavy-oxides", GONE, None), {"remove": "lynas-heavy-oxides"}),
    (("facilities", "big-hill", GONE, None), {"remove": "big-hill"}),
    (
        ("capacity", "facility=upper-kairakty", "per_year", "8000 t/year"),
        {"capacity": "upper-kairakty", "per_year": "8000000 kg/year", "from": date(2030, 12, 31)},
    ),
    (("capacity", "facility=wagerup", "status", "operating"), {"capacity": "wagerup", "status": "operating"}),
    (
        ("capacity", "facility=north-katpar", "from", date(2030, 12, 31)),
        {"capacity": "north-katpar", "delay": "12 months"},
    ),
    (
        ("prices", "gallium-press", "price", "5000 USD/kg"),
        {"price": "gallium-press", "amount": "5000 USD/kg"},
    ),
    (
        ("prices", "antimony-rotterdam", "price", "9 USD/kg"),
        {"price": "antimony-rotterdam", "date": date(2024, 7, 12), "amount": "9 USD/kg"},
    ),
    (
        ("demand", "gallium-civil", "shortage_price", "5000 USD/kg"),
        {"demand": "gallium-civil", "shortage_price": "5000 USD/kg"},
    ),
    (("settings", "key=announced", "value", 0.25), {"accept": "announced", "factor": 0.25}),
    (("settings", "key=proven", "value", "white-mesa-sm-oxide"), {"prove": "white-mesa-sm-oxide"}),
    (
        ("licence", "", NEW, {"rule": "cn-57-rare-earths", "exporter": "CN", "quantity": "2 t"}),
        {"grant": "cn-57-rare-earths", "of": "CN", "quantity": "2000 kg"},
    ),
    (
        (
            "waiver",
            "",
            NEW,
            {
                "rule": "us-4872-ndfeb-2027",
                "demand": "ndfeb-magnets-defense",
                "quantity": "3 t",
                "from": date(2027, 1, 1),
                "until": date(2027, 12, 31),
            },
        ),
        {
            "waive": "us-4872-ndfeb-2027",
            "of": "ndfeb-magnets-defense",
            "quantity": "3000 kg",
            "from": date(2027, 1, 1),
            "until": date(2027, 12, 31),
        },
    ),
    (
        ("stock", "", NEW, {"material": "tungsten-powder", "quantity": "121 t", "countries": "US"}),
        {"stock": "tungsten-powder", "quantity": "121000 kg", "countries": ["US"]},
    ),
    (
        (
            "capacity",
            "",
            NEW,
            {
                "catalog": "world",
                "facility": "arnold-lupfig",
                "from": date(2027, 1, 1),
                "per_year": "9 t/year",
                "status": "operating",
            },
        ),
        {"capacity": "arnold-lupfig", "per_year": "9000 kg/year", "status": "operating", "from": date(2027, 1, 1)},
    ),
]
"""Edits of us-2027, each with the change that it comes to."""


SMALLER: list[tuple[str, list[Cell], dict[str, Any]]] = [
    (
        "orders",
        [("offers", "mill-antimony", "lot", None), ("offers", "mill-antimony", "max_lots", None)],
        {"lift": "lot", "of": "mill-antimony"},
    ),
    (
        "orders",
        [("offers", "forge-antimony", "qualification", None)],
        {"lift": "qualification", "of": "forge-antimony"},
    ),
    (
        "orders",
        [("offers", "forge-antimony", "take_or_pay", None), ("offers", "forge-antimony", "take_or_pay_share", None)],
        {"lift": "take-or-pay", "of": "forge-antimony"},
    ),
    ("limits", [("offers", "north-apt", "lead_time", "1 month")], {}),  # its lanes have their own
    (
        "recipes",
        [("recipe", "offer=toll-metal", "per_unit", 1.5)],
        {"recipe": "toll-metal", "of": "oxide", "factor": 1.2},
    ),
    (
        "recipes",
        [("recipe", "offer=swarf-oxide", "per_unit", 3.1)],
        {"recipe": "swarf-oxide", "of": "swarf", "factor": 0.775},
    ),
    # A material is called so too, and another offer delivers it.
    ("recipes", [("offers", "oxide", "price", 61)], {"price": "offer:oxide", "amount": "61 USD/kg"}),
    ("orders", [("terms", "mill-antimony", GONE, None)], {}),
    ("orders", [("quotes", "offer=spot-antimony", "price", "66 USD/kg")], {}),
    ("orders", [("offers", "spot-antimony", "price", "66 USD/kg")], {"price": "spot-antimony", "amount": "66 USD/kg"}),
    ("orders", [("offers", "depot-antimony", "price", 50)], {"price": "depot-antimony", "amount": "50 USD/kg"}),
    (
        "orders",
        [("demand", "material=antimony", "quantities", "900 kg;900 kg;900 kg;1 t")],
        {"demand": "antimony/civil/US", "quantities": [900, 900, 900, 1000]},
    ),
    ("tiers", [("tiers", "bauxite-gallium", GONE, None), ("tiers", "bauxite-gallium", GONE, None)], {}),
    (
        "tiers",
        [("tiers", "anvil-gallium", GONE, None), ("tiers", "anvil-gallium", GONE, None)],
        {"lift": "tiers", "of": "anvil-gallium"},
    ),
    (
        "tiers",
        [("tiers", "Anvil", GONE, None), ("tiers", "Anvil", GONE, None)],
        {},
    ),
    ("limits", [("rule", "quota", "loosen", 1000)], {"loosen": "quota", "by": 1000}),
    ("limits", [("rule", "parent", "limit", "60 %")], {"limit": "parent", "at": "60 %"}),
    ("limits", [("rule", "parent", "limit", "0.5")], {}),  # the same in other words
    ("limits", [("rule", "parent", "limit", "160 %")], {}),
    ("limits", [("rule", "quota", "from", date(2027, 1, 1))], {"move": "quota", "from": date(2027, 1, 1)}),
    ("limits", [("demand", "mill", "quantities", "60 t;0.06 kt")], {}),
]
"""Edits of small cases, each with the change that it comes to; none: it is refused, or means the same."""


@pytest.mark.parametrize(("name", "cells", "change"), SMALLER)
def test_terms_of_trade_are_lifted_and_prices_stated(
    name: str, cells: list[Cell], change: dict[str, Any], tmp_path: Path
) -> None:
    """What offers ask for is relaxed where it is made blank, and stated anew where a change can; else it is refused."""
    try:
        made = edits(SMALL / name, tmp_path, *cells).scenario.change
    except InputError:
        made = ()
    assert made == ((Change.model_validate(change),) if change else ())


@pytest.mark.deep
def test_twenty_edits_at_once_are_one_scenario(tmp_path: Path) -> None:
    """All the edits above in one workbook: the same changes, in the order of sheets, which read back from the case file as they are."""
    made = edits(US, tmp_path, *(cell for cell, _ in TWENTY))
    expected = {Change.model_validate(change) for _, change in TWENTY}
    assert len(made.scenario.change) == len(TWENTY)
    assert set(made.scenario.change) == expected
    (tmp_path / "case").mkdir()
    shutil.copytree(US / "substitutes", tmp_path / "case" / "substitutes")
    text = (US / "case.toml").read_text() + "\n" + made.toml
    (tmp_path / "case" / "case.toml").write_text(text)
    assert load_case(tmp_path / "case").scenarios[-1] == made.scenario


MISTAKES: list[tuple[Cell, str]] = [
    (("demand", "gallium-civil", "per_year", "much"), "cannot be read"),
    (("demand", "germanium-defense", "material", "tin"), "no scenario can say this"),
    (("order", "oxide-for-magnets", "offer", "lynas-sm-oxide"), "no scenario can say this"),
    (("order", "dysprosium-for-magnets", "quantity", "ten"), "cannot be read"),
    (("rule", "us-4872-ndfeb", "limit", "5 %"), "states no figure"),
    (("rule", "tariff-145", "on", "maybe"), "no scenario can say this"),
    (("rule", "us-4872-ndfeb", "loosen", 5), "has no bound"),
    (("settings", "key=announced", "value", 1.5), "cannot be read"),
    (("settings", "key=discount", "value", 0.1), "no scenario can say this"),
    (("settings", "key=proven", "value", "no-such-offer"), "`no-such-offer` is no offer of the case"),
    (("offers", "irel-sm-oxide", "price", "5 bananas"), "cannot be read"),
    (("offers", "lynas-sm-oxide", "note", "cheap"), "no scenario can say this"),
    (("capacity", "facility=wagerup", "status", "ready"), "cannot be read"),
    (("capacity", "facility=upper-kairakty", GONE, None), "no scenario can delete this row"),
    (("facilities", "big-hill", "country", "FR"), "no scenario can say this"),
    (
        ("stock", "", NEW, {"material": "unobtainium", "quantity": "5 t", "countries": "US"}),
        "no such material",
    ),
    (
        ("licence", "", NEW, {"rule": "cn-57-rare-earths", "exporter": "CN", "quantity": "a lot"}),
        "cannot be read",
    ),
]
"""Edits that are wrong, each with what is told of it."""


BAD_DEMANDS = [
    ({"material": "gallium-4n", "end_use": "civil", "per_year": "5 t Ga2O3"}, "a substance cannot be named here"),
    ({"material": "gallium-4n", "end_use": "civil", "per_year": "5 t", "quantity": "1 t"}, "says its quantity twice"),
    ({"material": "gallium-4n", "end_use": "civil"}, "says no quantity"),
    ({"id": "radar", "material": "gallium-4n", "end_use": "civil", "per_year": "5 t"}, "the case has a demand `radar`"),
    ({"material": "gallium", "end_use": "civil", "per_year": "5 t"}, "`want` names nothing in the case"),
]


@pytest.mark.parametrize(("cells", "message"), BAD_DEMANDS)
def test_a_new_demand_that_no_scenario_can_say_is_refused(cells: dict[str, str], message: str, case: Path) -> None:
    """Each with the cell or row of its line, and nothing of it is read."""
    found = told(case, case, ("demand", "", NEW, cells))
    assert [line for line in found if message in line and line.startswith("demand!")], found


@pytest.mark.deep
def test_every_mistake_is_told_by_its_cell_in_one_run(tmp_path: Path) -> None:
    """Fifteen mistakes in nine sheets: each is told, none hides another, and nothing is written."""
    found = told(US, tmp_path, *(cell for cell, _ in MISTAKES))
    book = opened(tmp_path / "case.xlsx")
    for (sheet, row, column, _), message in MISTAKES:
        of, _, key = row.rpartition("=")
        place = f"{sheet}!2" if column == NEW else sheet
        if column not in (NEW, GONE):
            place = f"{sheet}!{cell_of(book, sheet, key, column, of or 'id').coordinate}"
        said = [line for line in found if message in line and re.sub(r"![A-Z]+2:", "!2:", line).startswith(f"{place}:")]
        assert said or [line for line in found if message in line and line.startswith(f"{place}:")], (
            place,
            message,
            found,
        )
    assert len(found) == len(MISTAKES)
    case = tmp_path / "case"
    shutil.copytree(US, case)
    before = (case / "case.toml").read_bytes()
    refused = friendshore("case", "from-xlsx", tmp_path / "edited.xlsx", case, "--scenario", "x", "--write", "--json")
    assert refused.exit_code == 2
    problems = json.loads(refused.output)["errors"]
    assert all("!" in one["column"] or one["column"] == "capacity" for one in problems)
    assert (case / "case.toml").read_bytes() == before


@pytest.mark.deep
def test_a_reason_alone_changes_nothing(tmp_path: Path) -> None:
    """It is told; with a quantity it is the reason of the change."""
    why = ("demand", "antimony-civil", "why", "a letter")
    assert told(US, tmp_path, why) == ["demand!J8: a reason alone changes nothing"]
    (tmp_path / "case.xlsx").unlink()
    (change,) = edits(US, tmp_path, why, ("demand", "antimony-civil", "per_year", 3000)).scenario.change
    assert (change.why, change.per_year) == ("a letter", 3_000_000)


BOOKS: list[tuple[str, Any, str]] = [
    (
        "formula",
        lambda book: setattr(cell_of(book, "demand", "radar", "per_year"), "value", "=1+1"),
        "demand!E2: the formula has no value",
    ),
    ("sheet gone", lambda book: book.remove(book["demand"]), "demand: the sheet is gone"),
    ("column gone", lambda book: book["demand"].delete_cols(2), "the column is gone"),
    ("stranger", lambda book: book.create_sheet("prises").append(["a"]), "is no sheet of a case"),
    ("head", lambda book: setattr(book["demand"]["A1"], "value", "name"), "no such column"),
    ("hidden", lambda book: setattr(book["demand"].row_dimensions[2], "hidden", True), "a row is hidden"),
    ("merged", lambda book: book["demand"].merge_cells("A2:A3"), "cells are merged"),
    (
        "no catalog",
        lambda book: book["capacity"].append(["", "quebec", "", "5 t/year", "operating"]),
        "this cell is needed",
    ),
    ("head of a baseline", lambda book: book["_baseline"].delete_rows(2), "is no workbook of a case"),
    ("cell of a baseline", lambda book: setattr(book["_baseline"]["B5"], "value", "x"), "is no workbook of a case"),
    ("another format", lambda book: setattr(book["_baseline"]["A1"], "value", "friendshore case 9"), "another version"),
    (
        "phases",
        lambda book: setattr(cell_of(book, "rule", "defense-origin", "phases"), "value", "x"),
        "no scenario can say this",
    ),
    ("no baseline", lambda book: book.remove(book["_baseline"]), "is no workbook of a case"),
]


@pytest.mark.parametrize(("edit", "message"), [book[1:] for book in BOOKS], ids=[book[0] for book in BOOKS])
def test_what_may_be_read_wrongly_is_refused(edit: Any, message: str, case: Path) -> None:
    """Formulas without a value, sheets and columns that are gone, what is hidden or merged, and sheets that would not be read."""
    book = opened(exported(case, case / "case.xlsx"))
    edit(book)
    book.save(case / "edited.xlsx")
    found = friendshore("case", "from-xlsx", "edited.xlsx", ".", "--scenario", "mine")
    assert found.exit_code == 2, found.output
    assert message.partition(": ")[0] in found.output
    assert message.rpartition(": ")[2] in found.output


def test_another_case_a_taken_name_and_a_bad_one_are_told(case: Path, tmp_path: Path) -> None:
    """A workbook belongs to the case that it was written of."""
    file = exported(case, case / "case.xlsx")
    assert "is the workbook of another case" in friendshore("case", "from-xlsx", file, US, "--scenario", "mine").output
    assert (
        "has a scenario `no-canada`" in friendshore("case", "from-xlsx", file, case, "--scenario", "no-canada").output
    )
    changed = edited(file, [("demand", "radar", "per_year", 3)])
    assert "is no name of a scenario" in friendshore("case", "from-xlsx", changed, case, "--scenario", "a b").output


def test_what_changed_on_both_sides_is_a_conflict_and_all_else_is_merged(case: Path) -> None:
    """The case goes on after it was written: what was edited there only stands, and so does what was edited here only."""
    file = exported(case, case / "case.xlsx")
    toml = (case / "case.toml").read_text()
    (case / "case.toml").write_text(toml.replace('"2 t"', '"2.5 t"').replace("defense-origin", "of-defense"))
    assert friendshore("case", "from-xlsx", file, case, "--scenario", "mine").output == "no change\n"
    other = edited(file, [("demand", "lighting", "per_year", 7), ("rule", "not-all-from-one", "on", "no")])
    merged = friendshore("case", "from-xlsx", other, case, "--scenario", "mine", "--json")
    assert json.loads(merged.output)["changes"] == [
        "disable not-all-from-one",
        "demand lighting, per_year 7000 kg/year",
    ]
    for value, output in ((3, "2.5 t"), (2.5, "no change")):
        both = edited(file, [("demand", "radar", "per_year", value)])
        found = friendshore("case", "from-xlsx", both, case, "--scenario", "mine")
        assert output in found.output
        assert ("demand!" in found.output) == (found.exit_code == 2) == (value == 3)
    gone = edited(file, [("rule", "defense-origin", "on", "no"), ("demand", "radar", GONE, None)])
    found = friendshore("case", "from-xlsx", gone, case, "--scenario", "mine").output
    assert "the row is gone from the case" in found
    assert "the row was deleted here, and changed in the case" in found


def plans(case: Path, *arguments: str) -> tuple[Any, Any]:
    """Purchases and cost of a plan."""
    found = friendshore("plan", case, "--json", *arguments)
    assert found.exit_code == 0, found.output
    answer = json.loads(found.output)
    return answer["purchases"], answer["cost"]


def test_a_plan_with_the_scenario_is_that_of_a_case_edited_by_hand(case: Path) -> None:
    """Quantity, price, capacity, an offer and a rule: written into the case as a scenario, or into its files."""
    by_hand = case.parent / "by-hand"
    shutil.copytree(case, by_hand)
    file = exported(case, case / "case.xlsx")
    cells: list[Cell] = [
        ("demand", "radar", "per_year", 2.75),
        ("offers", "quebec-gallium", "price", 333),
        ("capacity", "facility=guangxi", "per_year", "41 t/year"),
        ("capacity", "facility=kwinana", "from", date(2027, 10, 1)),
        ("rule", "not-all-from-one", "on", "no"),
    ]
    found = friendshore("case", "from-xlsx", edited(file, cells), case, "--scenario", "mine", "--write")
    assert found.exit_code == 0, found.output
    assert f"wrote {case / 'case.toml'}" in found.output
    for name, before, after in (
        ("case.toml", '"2 t"', '"2.75 t"'),
        ("case.toml", 'of = "purchases"\n', 'of = "purchases"\nphases = []\n'),
        ("catalog/offers.csv", "700 USD/kg", "333 USD/kg"),
        ("catalog/capacity.csv", "100 t/year", "41 t/year"),
        ("catalog/capacity.csv", "2027-07-01", "2027-10-01"),
    ):
        text = (by_hand / name).read_text()
        assert before in text
        (by_hand / name).write_text(text.replace(before, after))
    assert plans(case, "--scenario", "mine") == plans(by_hand)
    assert plans(case, "--scenario", "mine") != plans(case)


@pytest.mark.parametrize("text", few(HOSTILE))
def test_a_catalog_as_csv_is_not_computed_either(text: str, case: Path) -> None:
    """A folder that is written of a workbook begins no free text with a sign that spreadsheets compute, and holds the same facts."""
    hostile(case, text)
    assert friendshore("catalogs", "convert", "catalog", "mine.xlsx").exit_code == 0
    made = friendshore("catalogs", "convert", "mine.xlsx", "folder")
    assert made.exit_code == 0, made.output
    tables = [file.read_text() for file in Path("folder").glob("*.csv")]
    cells = [cell for table in tables for row in csv.reader(table.splitlines()) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    digests = {
        json.loads(friendshore("catalogs", "show", name, "--json").output)["digest"] for name in ("catalog", "folder")
    }
    assert len(digests) == 1


def test_a_price_below_zero_stays_a_number(case: Path) -> None:
    """What is paid to whoever takes it begins with a minus, in a workbook and as CSV."""
    offers = case / "catalog" / "offers.csv"
    header, quebec, *rest = offers.read_text().splitlines()
    paid = quebec.replace("700 USD/kg", "-7 USD/kg").replace("50 kg", "")
    offers.write_text("\n".join([header + ",max_per_year", paid + ",1 t/year", *(f"{row}," for row in rest)]) + "\n")
    file = exported(case, case / "case.xlsx")
    price = cell_of(opened(file), "offers", "quebec-gallium", "price")
    assert (price.value, price.data_type) == (-7, "n")
    assert friendshore("catalogs", "convert", "catalog", "copy").exit_code == 0
    assert ",-7 USD/kg," in (case / "copy" / "offers.csv").read_text()
    changed = edited(file, [("offers", "quebec-gallium", "price", -9)])
    told = friendshore("case", "from-xlsx", changed, case, "--scenario", "mine")
    assert 'amount = "-9 USD/kg"' in told.output


@pytest.mark.deep
def test_a_lead_time_is_multiplied_or_relaxed(case: Path) -> None:
    """A quarter to half a year is twice as long; none at all is a term that is relaxed; one that no factor gives is the case's, times something."""
    file = exported(case, case / "case.xlsx")
    for offer, value, change in (
        ("quebec-gallium", "6 months", '{ lead_time = "quebec-gallium", factor = 2 }'),
        ("quebec-gallium", "0", '{ lift = "lead-time", of = "quebec-gallium" }'),
        ("kwinana-gallium", "2 quarters", '{ lead_time = "kwinana-gallium", factor = 2 }'),
    ):
        changed = edited(file, [("offers", offer, "lead_time", value)])
        assert change in friendshore("case", "from-xlsx", changed, case, "--scenario", "mine").output


def test_a_run_is_a_workbook_too(case: Path) -> None:
    """With a sheet a section, and figures as numbers; it is written to a file, and never to a terminal."""
    assert friendshore("plan", case, "--out", "run", "--quiet").exit_code == 0
    shown = friendshore("report", "run", "--format", "xlsx")
    assert (shown.exit_code, "name a file to write: --out FILE" in shown.output) == (2, True)
    assert friendshore("report", "run", "--format", "xlsx", "--out", "run.xlsx").exit_code == 0
    book = opened(case / "run.xlsx")
    assert {"Summary", "Who supplies it", "What it costs"} <= set(book.sheetnames)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert any(sheet._charts for sheet in book)
    assert friendshore("report", "run", "--format", "xlsx", "--out", "run.xlsx").exit_code == 2
