"""`case to-xlsx` and `case from-xlsx`, as a planner meets them."""

from __future__ import annotations

import csv
import json
import re
import shutil
from datetime import date
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from tests.functional.case_books import (
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
from tests.functional.depth import few

from friendshore.case import load_case
from friendshore.domain.change import Change
from friendshore.errors import InputError
from friendshore_workbooks.scenario import Edits, edits_of


def test_a_case_is_one_workbook_of_typed_cells(tmp_path: Path) -> None:
    """Masses are numbers in the unit of their head, dates are dates, ids can be chosen, and each head says in a note what the column is."""
    book = opened(exported(US, tmp_path / "us.xlsx"))
    assert {"demand", "rule", "scenario", "settings", "offers", "capacity", "order"} <= set(book.sheetnames)
    demand = cell_of(book, "demand", "gallium-defense", "per_year")
    assert (demand.value, demand.data_type) == (1.9, "n")
    assert book["demand"].cell(1, demand.column).value == "per_year [t]"
    assert cell_of(book, "demand", "gallium-defense", "from").is_date
    assert cell_of(book, "rule", "tariff-145", "on").value == "no"
    assert cell_of(book, "settings", "announced", "value", key="key").value == 0
    heads = {str(head.value): head for head in book["demand"][1]}
    assert "Material of a catalog." in heads["material"].comment.text
    lists = [rule.formula1 for rule in book["demand"].data_validations.dataValidation]
    assert any("_lists" in formula for formula in lists)
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
    again = friendshore("case", "to-xlsx", US, "--out", first)
    assert (again.exit_code, "already exists" in again.output) == (2, True)
    assert friendshore("case", "to-xlsx", US, "--out", tmp_path / "x.ods").exit_code == 2


HOSTILE = ("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3", "\t=1", "\r=1", "http://example.com/", '=HYPERLINK("x")')
"""Texts that spreadsheets would compute or turn into links."""


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
    assert not [mark for mark in (b"<f>", b"<f ", b"hyperlink") if mark in xml]
    assert not [name for name in names if "externalLink" in name]
    cells = [cell for sheet in opened(file) for row in sheet.iter_rows() for cell in row]
    found = [cell for cell in cells if cell.value is not None and str(cell.value).strip() == text.strip()]
    assert len(found) > 4
    assert {cell.data_type for cell in found} == {"s"}


@pytest.mark.parametrize("text", few(HOSTILE))
def test_a_catalog_as_csv_is_not_computed_either(text: str, case: Path) -> None:
    """A folder that is written of a workbook begins no free text with a sign that spreadsheets compute, and holds the same facts."""
    hostile(case, text)
    assert friendshore("catalogs", "convert", "catalog", "mine.xlsx").exit_code == 0
    assert friendshore("catalogs", "convert", "mine.xlsx", "folder").exit_code == 0
    tables = [file.read_text() for file in Path("folder").glob("*.csv")]
    cells = [cell for table in tables for row in csv.reader(table.splitlines()) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    shown = (friendshore("catalogs", "show", name, "--json").output for name in ("catalog", "folder"))
    assert len({json.loads(page)["digest"] for page in shown}) == 1


# ------------------------------------------------------------------------------------------------------------ read back


def edits(case: Path, folder: Path, *cells: Cell) -> Edits:
    return edits_of(edited(exported(case, folder / "case.xlsx"), cells), gathered(case), "edits")


def told(case: Path, folder: Path, *cells: Cell) -> list[str]:
    """Cell and code of each error in the edits."""
    with pytest.raises(InputError) as caught:
        edits(case, folder, *cells)
    return [f"{problem.column}: {problem.code}" for problem in caught.value.problems]


def read_back(file: str | Path, case: str | Path, *more: str, name: str = "mine") -> tuple[int, str]:
    """Exit code and output of `case from-xlsx`."""
    result = friendshore("case", "from-xlsx", file, case, "--scenario", name, *more)
    return result.exit_code, result.output


@pytest.mark.parametrize(
    "case", few(sorted(UNEDITED, key=lambda case: case.name != "orders"), 1), ids=lambda case: case.name
)
def test_what_is_not_edited_changes_nothing(case: Path, tmp_path: Path) -> None:
    """As it is written, and as another program saves it; nothing is written into the case."""
    file = exported(case, tmp_path / "case.xlsx")
    before = (case / "case.toml").read_bytes()
    assert read_back(file, case, "--write") == (0, "no changes\n")
    assert (case / "case.toml").read_bytes() == before
    assert edits_of(edited(file, ()), gathered(case), "mine").toml == ""


def test_a_workbook_keeps_the_countries_of_concern(tmp_path: Path) -> None:
    """A case that goes through a workbook depends on the same countries."""
    case = Path(shutil.copytree(SMALL / "money", tmp_path / "money"))
    with (case / "case.toml").open("a", encoding="utf-8") as file:
        file.write('\n[concern]\ncountries = ["AU", "RU"]\n')
    assert load_case(exported(case, tmp_path / "case.xlsx")).concern.countries == {"AU", "RU"}


def want(**more: str) -> dict[str, str]:
    """The cells of a new demand line of the first case."""
    return {"material": "gallium-4n", "end_use": "civil", **more}


YEARS = {"from": date(2027, 1, 1), "until": date(2027, 12, 31)}
WAIVER = {"rule": "us-4872-ndfeb-2027", "demand": "ndfeb-magnets-defense", "quantity": "3 t", **YEARS}
PLANT = {
    "catalog": "world",
    "facility": "arnold-lupfig",
    "from": date(2027, 1, 1),
    "per_year": "9 t/year",
    "status": "operating",
}
TANTALUM = {"end_use": "civil", "shortage_price": "900 USD/kg"}
LICENSE = {"rule": "cn-57-rare-earths", "exporter": "CN"}
TUNGSTEN = {"material": "tungsten-powder", "quantity": "121 t", "countries": "US"}
TWENTY: list[tuple[Cell, dict[str, Any]]] = [
    (("demand", "gallium-defense", "per_year", 2.5), {"demand": "gallium-defense", "per_year": "2500 kg/year"}),
    (("demand", "smco-alloy-stockpile", GONE, None), {"demand": "smco-alloy-stockpile", "factor": 0}),
    (("order", "oxide-for-magnets", "quantity", "90 t"), {"order": "oxide-for-magnets", "quantity": "90 t"}),
    (("demand", "", NEW, {"material": "tantalum-powder", "per_year": "5 t", **TANTALUM}), {"want": "tantalum-powder", "per_year": "5 t/year", **TANTALUM}),
    (("rule", "sanctions-policy", "on", "no"), {"disable": "sanctions-policy"}),
    (("rule", "tariff-145", "on", "yes"), {"enable": "tariff-145"}),
    (("rule", "us-p-1803", "on", "yes"), {"enable": "us-p-1803"}),
    (("rule", "us-mfn-apt", "until", date(2029, 12, 31)), {"move": "us-mfn-apt", "until": date(2029, 12, 31)}),
    (("offers", "mountain-pass-sm-oxide", "price", "99 USD/kg"), {"price": "mountain-pass-sm-oxide", "amount": "99 USD/kg"}),
    (("offers", "irel-sm-oxide", "until", date(2028, 6, 30)), {"remove": "irel-sm-oxide", "from": date(2028, 7, 1)}),
    (("offers", "lynas-heavy-oxides", GONE, None), {"remove": "lynas-heavy-oxides"}),
    (("facilities", "big-hill", GONE, None), {"remove": "big-hill"}),
    (("capacity", "facility=upper-kairakty", "per_year", "8000 t/year"), {"capacity": "upper-kairakty", "per_year": "8000000 kg/year", "from": date(2030, 12, 31)}),
    (("capacity", "facility=wagerup", "status", "operating"), {"capacity": "wagerup", "status": "operating"}),
    (("capacity", "facility=north-katpar", "from", date(2030, 12, 31)), {"capacity": "north-katpar", "delay": "12 months"}),
    (("prices", "gallium-press", "price", "5000 USD/kg"), {"price": "gallium-press", "amount": "5000 USD/kg"}),
    (("prices", "antimony-rotterdam", "price", "9 USD/kg"), {"price": "antimony-rotterdam", "date": date(2024, 7, 12), "amount": "9 USD/kg"}),
    (("demand", "gallium-civil", "shortage_price", "5000 USD/kg"), {"demand": "gallium-civil", "shortage_price": "5000 USD/kg"}),
    (("settings", "key=announced", "value", 0.25), {"accept": "announced", "factor": 0.25}),
    (("settings", "key=proven", "value", "white-mesa-sm-oxide"), {"prove": "white-mesa-sm-oxide"}),
    (("license", "", NEW, {**LICENSE, "quantity": "2 t"}), {"grant": "cn-57-rare-earths", "of": "CN", "quantity": "2000 kg"}),
    (("waiver", "", NEW, WAIVER), {"waive": WAIVER["rule"], "of": WAIVER["demand"], "quantity": "3000 kg", **YEARS}),
    (("stock", "", NEW, TUNGSTEN), {"stock": "tungsten-powder", "quantity": "121000 kg", "countries": ["US"]}),
    (("capacity", "", NEW, PLANT), {"capacity": "arnold-lupfig", "per_year": "9000 kg/year", "status": "operating", "from": date(2027, 1, 1)}),
]  # fmt: skip
"""Edits of us-2027, each with the change that it comes to."""


SMALLER: list[tuple[str, list[Cell], dict[str, Any]]] = [
    ("orders", [("offers", "mill-antimony", "lot", None), ("offers", "mill-antimony", "max_lots", None)], {"lift": "lot", "of": "mill-antimony"}),
    ("orders", [("offers", "forge-antimony", "qualification", None)], {"lift": "qualification", "of": "forge-antimony"}),
    ("orders", [("offers", "forge-antimony", f"take_or_pay{one}", None) for one in ("", "_share")], {"lift": "take-or-pay", "of": "forge-antimony"}),
    ("limits", [("offers", "north-apt", "lead_time", "1 month")], {}),  # its lanes have their own
    ("recipes", [("recipe", "offer=toll-metal", "per_unit", 1.5)], {"recipe": "toll-metal", "of": "oxide", "factor": 1.2}),
    ("recipes", [("recipe", "offer=swarf-oxide", "per_unit", 3.1)], {"recipe": "swarf-oxide", "of": "swarf", "factor": 0.775}),
    # A material is called so too, and another offer delivers it.
    ("recipes", [("offers", "oxide", "price", 61)], {"price": "offer:oxide", "amount": "61 USD/kg"}),
    ("orders", [("terms", "mill-antimony", GONE, None)], {}),
    ("orders", [("quotes", "offer=spot-antimony", "price", "66 USD/kg")], {}),
    ("orders", [("offers", "spot-antimony", "price", "66 USD/kg")], {"price": "spot-antimony", "amount": "66 USD/kg"}),
    ("orders", [("offers", "depot-antimony", "price", 50)], {"price": "depot-antimony", "amount": "50 USD/kg"}),
    ("orders", [("demand", "material=antimony", "quantities", "900 kg;900 kg;900 kg;1 t")], {"demand": "antimony/civil/US", "quantities": [900, 900, 900, 1000]}),
    ("tiers", [("tiers", "bauxite-gallium", GONE, None)] * 2, {}),
    ("tiers", [("tiers", "anvil-gallium", GONE, None)] * 2, {"lift": "tiers", "of": "anvil-gallium"}),
    ("tiers", [("tiers", "Anvil", GONE, None)] * 2, {}),
    ("limits", [("rule", "quota", "loosen", 1000)], {"loosen": "quota", "by": 1000}),
    ("limits", [("rule", "parent", "limit", "60%")], {"limit": "parent", "at": "60%"}),
    ("limits", [("rule", "parent", "limit", "0.5")], {}),  # the same in other words
    ("limits", [("rule", "parent", "limit", "160%")], {}),
    ("limits", [("rule", "quota", "from", date(2027, 1, 1))], {"move": "quota", "from": date(2027, 1, 1)}),
    ("limits", [("demand", "mill", "quantities", "60 t;0.06 kt")], {}),
    ("limits", [("demand", "mill", "quantities", "60 t;61 t"), ("demand", "mill", "why", "a letter")], {"demand": "mill", "quantities": [60000, 61000], "why": "a letter"}),
]  # fmt: skip
"""Edits of small cases, each with the change that it comes to; none: it is refused, or means the same."""


@pytest.mark.parametrize(("name", "cells", "change"), SMALLER)
def test_terms_of_trade_are_lifted_and_prices_stated(
    name: str, cells: list[Cell], change: dict[str, Any], tmp_path: Path
) -> None:
    """Blank terms are relaxed, and prices are stated if a change can express them. Other edits are rejected."""
    try:
        made = edits(SMALL / name, tmp_path, *cells).scenario.change
    except InputError:
        made = ()
    assert made == ((Change.model_validate(change),) if change else ())


@pytest.mark.deep
@pytest.mark.parametrize(
    ("offer", "value", "change"),
    [
        ("quebec-gallium", "6 months", {"lead_time": "quebec-gallium", "factor": 2}),
        ("quebec-gallium", "0", {"lift": "lead-time", "of": "quebec-gallium"}),
        ("kwinana-gallium", "2 quarters", {"lead_time": "kwinana-gallium", "factor": 2}),
    ],
)
def test_a_lead_time_is_multiplied_or_relaxed(offer: str, value: str, change: dict[str, Any], case: Path) -> None:
    """None at all is a term that is relaxed; one that the offer does not state is the case's, times something."""
    assert edits(case, case, ("offers", offer, "lead_time", value)).scenario.change == (Change.model_validate(change),)


@pytest.mark.deep
def test_twenty_edits_at_once_are_one_scenario(tmp_path: Path) -> None:
    """All the edits above in one workbook: the same changes, which read back from the case file as they are."""
    made = edits(US, tmp_path, *(cell for cell, _ in TWENTY))
    assert len(made.scenario.change) == len(TWENTY)
    assert set(made.scenario.change) == {Change.model_validate(change) for _, change in TWENTY}
    shutil.copytree(US / "substitutes", tmp_path / "case" / "substitutes")
    (tmp_path / "case" / "case.toml").write_text((US / "case.toml").read_text() + "\n" + made.toml)
    assert load_case(tmp_path / "case").scenarios[-1] == made.scenario


MISTAKES: list[tuple[Cell, str]] = [
    (("demand", "gallium-civil", "per_year", "much"), ""),
    (("demand", "germanium-defense", "material", "tin"), "FS903"),
    (("order", "oxide-for-magnets", "offer", "lynas-sm-oxide"), "FS903"),
    (("order", "dysprosium-for-magnets", "quantity", "ten"), ""),
    (("rule", "us-4872-ndfeb", "limit", "5%"), "FS903"),
    (("rule", "tariff-145", "on", "maybe"), "FS903"),
    (("rule", "us-4872-ndfeb", "loosen", 5), "FS903"),
    (("settings", "key=announced", "value", 1.5), ""),
    (("settings", "key=discount", "value", 0.1), "FS903"),
    (("settings", "key=proven", "value", "no-such-offer"), "FS908"),
    (("offers", "irel-sm-oxide", "price", "5 bananas"), ""),
    (("offers", "lynas-sm-oxide", "note", "cheap"), "FS903"),
    (("capacity", "facility=wagerup", "status", "ready"), ""),
    (("capacity", "facility=upper-kairakty", GONE, None), "FS903"),
    (("facilities", "big-hill", "country", "FR"), "FS903"),
    (("stock", "", NEW, {"material": "unobtainium", "quantity": "5 t", "countries": "US"}), "FS908"),
    (("license", "", NEW, {**LICENSE, "quantity": "a lot"}), ""),
]
"""Wrong edits, each with the end of its code; none: the code of a reader."""


@pytest.mark.parametrize(
    ("cells", "code"),
    [
        (want(per_year="5 t Ga2O3"), "FS012"),
        (want(per_year="5 t", quantity="1 t"), ""),
        (want(), ""),
        (want(per_year="5 t", id="radar"), ""),
        (want(per_year="5 t", material="gallium"), ""),
    ],
)
def test_a_new_demand_that_no_scenario_can_say_is_refused(cells: dict[str, str], code: str, case: Path) -> None:
    """Each with the cell or row of its line, and nothing of it is read."""
    found = told(case, case, ("demand", "", NEW, cells))
    assert [line for line in found if line.startswith("demand!") and line.endswith(code)], found


def test_errors_of_the_whole_case_are_placed_at_the_edits_that_add_them(case: Path) -> None:
    """Two new demands that the case can't have, beside edits that it can."""
    cells: list[Cell] = [
        ("demand", "radar", "per_year", 3),
        ("demand", "", NEW, want(per_year="5 t", material="gallium")),
        ("demand", "", NEW, want(per_year="5 t", id="more")),
        ("demand", "", NEW, want(per_year="5 t", id="radar")),
    ]
    places = [line.partition(":")[0] for line in told(case, case, *cells)]
    assert places == ["demand!4", "demand!6"]


@pytest.mark.deep
def test_every_mistake_is_told_by_its_cell_in_one_run(tmp_path: Path) -> None:
    """Mistakes in nine sheets: each is told, none hides another, and nothing is written."""
    found = told(US, tmp_path, *(cell for cell, _ in MISTAKES))
    book = opened(tmp_path / "case.xlsx")
    for (sheet, row, column, _), code in MISTAKES:
        of, _, key = row.rpartition("=")
        place = f"{sheet}!2" if column == NEW else sheet
        if column not in (NEW, GONE):
            place = f"{sheet}!{cell_of(book, sheet, key, column, of or 'id').coordinate}"
        said = [line for line in found if line.endswith(code)]
        places = {one for line in said for one in (line, re.sub(r"![A-Z]+2:", "!2:", line))}
        assert any(one.startswith(f"{place}:") for one in places), (place, code, found)
    assert len(found) == len(MISTAKES)
    case = tmp_path / "case"
    shutil.copytree(US, case)
    code, output = read_back(tmp_path / "edited.xlsx", case, "--write", "--json")
    assert code == 2
    assert all("!" in one["column"] or one["column"] == "capacity" for one in json.loads(output)["errors"])
    assert (case / "case.toml").read_bytes() == (US / "case.toml").read_bytes()


@pytest.mark.parametrize(
    ("figures", "expected"),
    [
        ((), ["demand!J2"]),
        ((("demand", "lighting", "per_year", "a lot"),), ["demand!J2", "demand!E3"]),
        ((("demand", "radar", "per_year", "a lot"),), ["demand!E2"]),
    ],
)
def test_a_reason_alone_changes_nothing(figures: tuple[Cell, ...], expected: list[str], case: Path) -> None:
    """It is reported beside all other mistakes; with a figure in its row, right or wrong, it is the reason for that figure."""
    found = told(case, case, ("demand", "radar", "why", "a letter"), *figures)
    assert [line.partition(":")[0] for line in found] == expected
    assert ("demand!J2: FS905" in found) == ("demand!J2" in expected)


BOOKS: dict[str, tuple[Any, str]] = {
    "formula": (lambda book: setattr(cell_of(book, "demand", "radar", "per_year"), "value", "=1+1"), "demand!E2: FS"),
    "sheet gone": (lambda book: book.remove(book["demand"]), "[demand]: FS901"),
    "column gone": (lambda book: book["demand"].delete_cols(2), "FS901"),
    "stranger": (lambda book: book.create_sheet("prises").append(["a"]), "FS902"),
    "head": (lambda book: setattr(book["demand"]["A1"], "value", "name"), "FS001"),
    "hidden": (lambda book: setattr(book["demand"].row_dimensions[2], "hidden", True), "FS072"),
    "merged": (lambda book: book["demand"].merge_cells("A2:A3"), "cells are merged"),
    "no catalog": (lambda book: book["capacity"].append(["", "quebec", "", "5 t/year", "operating"]), "FS908"),
    "head of a baseline": (lambda book: book["_baseline"].delete_rows(2), "FS900"),
    "cell of a baseline": (lambda book: setattr(book["_baseline"]["B5"], "value", "x"), "FS900"),
    "another format": (lambda book: setattr(book["_baseline"]["A1"], "value", "friendshore case 9"), "FS900"),
    "phases": (lambda book: setattr(cell_of(book, "rule", "defense-origin", "phases"), "value", "x"), "FS903"),
    "no baseline": (lambda book: book.remove(book["_baseline"]), "FS900"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOOKS)
def test_what_may_be_read_wrongly_is_refused(name: str, case: Path) -> None:
    """Formulas without a value, sheets and columns that are gone, what is hidden or merged, and sheets that would not be read."""
    edit, message = BOOKS[name]
    book = opened(exported(case, case / "case.xlsx"))
    edit(book)
    book.save(case / "edited.xlsx")
    code, output = read_back("edited.xlsx", ".")
    assert code == 2, output
    assert all(part in output for part in message.split(": "))


def test_another_case_a_taken_name_and_a_bad_one_are_told(case: Path) -> None:
    """A workbook belongs to the case that it was written of."""
    file = exported(case, case / "case.xlsx")
    assert "FS900" in read_back(file, US)[1]
    assert "FS906" in read_back(file, case, name="no-canada")[1]
    changed = edited(file, [("demand", "radar", "per_year", 3)])
    assert "FS012" in read_back(changed, case, name="a b")[1]


def test_what_changed_on_both_sides_is_a_conflict_and_all_else_is_merged(case: Path) -> None:
    """The case goes on after it was written: what was edited there only stands, and so does what was edited here only."""
    file = exported(case, case / "case.xlsx")
    toml = (case / "case.toml").read_text()
    (case / "case.toml").write_text(toml.replace('"2 t"', '"2.5 t"').replace("defense-origin", "of-defense"))
    assert read_back(file, case) == (0, "no changes\n")
    other = edited(file, [("demand", "lighting", "per_year", 7), ("rule", "not-all-from-one", "on", "no")])
    merged = json.loads(read_back(other, case, "--json")[1])["changes"]
    assert merged == ["disable not-all-from-one", "demand lighting, per_year 7000 kg/year"]
    for value, output in ((3, "2.5 t"), (2.5, "no changes")):
        code, found = read_back(edited(file, [("demand", "radar", "per_year", value)]), case)
        assert output in found
        assert ("demand!" in found) == (code == 2) == (value == 3)
    gone = edited(file, [("rule", "defense-origin", "on", "no"), ("demand", "radar", GONE, None)])
    found = read_back(gone, case)[1]
    assert found.count("FS904") == 2


def test_edits_are_written_into_the_case_as_a_scenario(case: Path) -> None:
    """It is planned like any other, a date and a rule among its changes."""
    cells: list[Cell] = [
        ("offers", "guangxi-gallium", "price", 333),
        ("capacity", "facility=kwinana", "from", date(2027, 10, 1)),
        ("rule", "not-all-from-one", "on", "no"),
    ]
    wanted = edits(case, case, *cells).scenario
    code, output = read_back("edited.xlsx", case, "--write", name="edits")
    assert (code, f"wrote {case / 'case.toml'}" in output) == (0, True), output
    assert load_case(case).scenarios[-1] == wanted
    plans = [friendshore("plan", case, "--json", *more) for more in ((), ("--scenario", "edits"))]
    assert len({json.dumps(json.loads(plan.output)["cost"]) for plan in plans}) == 2


def test_a_price_below_zero_stays_a_number(case: Path) -> None:
    """A negative price starts with a minus sign in workbooks and in CSV."""
    offers = case / "catalog" / "offers.csv"
    header, quebec, *rest = offers.read_text().splitlines()
    paid = quebec.replace("700 USD/kg", "-7 USD/kg").replace("50 kg", "")
    offers.write_text("\n".join([header + ",max_per_year", paid + ",1 t/year", *(f"{row}," for row in rest)]) + "\n")
    file = exported(case, case / "case.xlsx")
    price = cell_of(opened(file), "offers", "quebec-gallium", "price")
    assert (price.value, price.data_type) == (-7, "n")
    assert friendshore("catalogs", "convert", "catalog", "copy").exit_code == 0
    assert ",-7 USD/kg," in (case / "copy" / "offers.csv").read_text()
    assert 'amount = "-9 USD/kg"' in read_back(edited(file, [("offers", "quebec-gallium", "price", -9)]), case)[1]


def test_a_run_is_a_workbook_too(case: Path) -> None:
    """With a sheet a section, and figures as numbers; it is written to a file, and never to a terminal."""
    assert friendshore("plan", case, "--out", "run", "--quiet").exit_code == 0
    shown = friendshore("report", "run", "--format", "xlsx")
    assert (shown.exit_code, "FS504" in shown.output) == (2, True)
    for code in (0, 2):  # what is there is not overwritten
        assert friendshore("report", "run", "--format", "xlsx", "--out", "run.xlsx").exit_code == code
    book = opened(case / "run.xlsx")
    assert {"Summary", "Suppliers", "Orders", "Purchases", "Money"} <= set(book.sheetnames)
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} <= {"s", "n", "d"}
    assert any(sheet._charts for sheet in book)
