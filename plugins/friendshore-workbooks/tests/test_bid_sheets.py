"""Bid sheets: what `ask` writes for a supplier, what is refused of what comes back, and the plan that a bid makes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.building import case as case_of
from tests.building import catalog, demand, facility, opened, source
from tests.functional.program import here as friendshore

from friendshore.rules.kinds import Exclude, OriginBan
from friendshore_workbooks.bid_sheets import reason_not_to_ask

openpyxl = pytest.importorskip("openpyxl")
BIDDER = {"filled in by*": "J. Doe", "quoted on*": "2026-11-20", "quotation": "Q-17", "valid until*": "2029-12-31"}
BID = {"price*": 525, "capacity*": 3, "lead time*": 3, "min order": 50}
ORIGIN = {"countries*": "CA", "all of it*": "yes", "proof*": "certificate 12"}


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the case that `init` writes, in which every price is assumed, and its bid sheets."""
    folder = tmp_path_factory.mktemp("asked")
    assert friendshore("init", "--start", "2026-10-01", str(folder / "case")).returncode == 0
    done = friendshore("ask", str(folder / "case"), "--bid-sheets", str(folder / "sheets"))
    assert done.returncode == 0
    assert "3 bid sheets written" in done.stderr
    return folder


@pytest.fixture
def case(asked: Path, tmp_path: Path) -> Path:
    """The case, to be changed; its sheets lie beside it."""
    shutil.copytree(asked, tmp_path, dirs_exist_ok=True)
    return tmp_path / "case"


def sheets(case: Path) -> Path:
    """Its bid sheets, of before any change."""
    return case.parent / "sheets"


def filled(folder: Path, **cells: Any) -> Path:
    """The sheet of Example Metals, filled in; `cells` are other values by column, None: blank."""
    book = openpyxl.load_workbook(folder / "example-metals.xlsx")
    for row in book["bidder"].iter_rows():
        if row[0].value in BIDDER:
            row[1].value = {**BIDDER, **cells}[row[0].value]
    for name, values in (("bid", BID), ("origin", ORIGIN)):
        heads = [str(cell.value).split(" [")[0] for cell in book[name][1]]
        for row in book[name].iter_rows(min_row=2):
            for column, value in values.items():
                row[heads.index(column)].value = {column: value, **cells}[column]
    book.save(folder / "filled.xlsx")
    return folder / "filled.xlsx"


def convert(sheet: Path, case: Path) -> Any:
    return friendshore("catalogs", "convert", str(sheet), str(case / "metals-bid"), "--case", str(case), "--json")


def refused(sheet: Path, case: Path) -> list[dict[str, Any]]:
    """Errors of a sheet that is rejected, so that nothing is written."""
    done = convert(sheet, case)
    assert done.returncode == 2
    assert not (case / "metals-bid").exists()
    errors: list[dict[str, Any]] = json.loads(done.stdout)["errors"]
    return errors


def places(sheet: Path, case: Path) -> list[tuple[str, str, int | None, str]]:
    """Code, sheet, row, and column of the errors of a sheet that is rejected."""
    return [
        (error["code"], error["file"].rpartition(", sheet ")[2], error.get("row"), error.get("column", ""))
        for error in refused(sheet, case)
    ]


def edited(case: Path, sheet: str, column: str | int, text: str) -> Path:
    """The sheet, filled in, with another text in its second row."""
    path = filled(sheets(case))
    book = openpyxl.load_workbook(path)
    heads = [str(cell.value) for cell in book[sheet][1]]
    book[sheet].cell(2, column if isinstance(column, int) else heads.index(column) + 1).value = text
    book.save(path)
    return path


@pytest.mark.parametrize(
    ("operator", "rule", "reason"),
    [
        ("Acme", {}, ""),
        ("", {}, "no single operator is known"),
        ("Acme; Norinco and others", {}, "no single operator is known"),
        ("Magnet makers", {}, "no single operator is known"),
        ("Acme", {"suppliers": ["Acme"], "end_uses": ["defense"]}, "a rule prohibits its goods: law"),
        ("Acme", {"suppliers": ["Acme"], "phases": [{"status": "unknown"}]}, "a rule prohibits its goods: law"),
        ("Acme", {"suppliers": ["Other"]}, ""),
        ("Acme", {"stages": ["mined"], "countries": ["CN"], "asks_proof": False}, "a rule prohibits its goods: law"),
        ("Acme", {"stages": ["mined"], "countries": ["RU"], "asks_proof": False}, ""),
        ("Acme", {"stages": ["mined"], "countries": ["CN"]}, ""),
    ],
)
def test_only_a_company_that_no_sanction_bars_is_written_to(operator: str, rule: dict[str, Any], reason: str) -> None:
    """Not a total of a country, nor who is on a list, nor a company in whose country goods are barred; a rule that asks for proof bars nobody's letter."""
    plant = facility("cn", "CN").but(operator=operator)
    kind = OriginBan if "stages" in rule else Exclude
    rules = [kind.model_validate({"id": "law", **rule})] if rule else []
    assert (
        reason_not_to_ask(
            opened(case_of(demand("metal", "civil", 10)), catalog(plant, source("CN", 10)), *rules), plant
        )
        == reason
    )


def test_whom_no_sheet_is_written_for_is_named(case: Path, tmp_path: Path) -> None:
    """A plant without an operator gets none, the others do."""
    facilities = case / "catalog" / "facilities.csv"
    facilities.write_text(facilities.read_text().replace("Example Metals", ""))
    done = friendshore("ask", str(case), "--bid-sheets", str(tmp_path / "new"))
    assert done.returncode == 0
    assert "2 bid sheets written" in done.stderr
    assert "no bid sheet for Quebec gallium plant: no single operator is known" in done.stderr
    assert len(list((tmp_path / "new").iterdir())) == 2


def test_a_bid_changes_the_plan_as_was_foretold(case: Path) -> None:
    """Ask says what a price of 525 would save; the bid at that price saves it, as evidence `quoted`."""
    data = json.loads(friendshore("ask", str(case), "--json").stdout)
    (price,) = [one for one in data["unknowns"] if (one["kind"], one["subject"]) == ("price", "quebec-gallium")]
    cheaper = price["possibilities"][price["best"]]
    assert cheaper["answer"] == "at 525 USD/kg"
    done = convert(filled(sheets(case)), case)
    assert done.returncode == 0, done.stderr
    overlap = json.loads(done.stdout)["overlaps"]
    file = case / "case.toml"
    text = file.read_text().replace('catalogs = ["./catalog"]', 'catalogs = ["./catalog", "./metals-bid"]')
    file.write_text(text + f"\n{overlap}\n")
    planned = json.loads(friendshore("plan", str(case), "--json").stdout)
    assert planned["objective"] == pytest.approx(data["objective"] + cheaper["rise"]["value"], abs=0.01)
    assert (
        'confidence\nquotation,"quotation Q-17 of Example Metals' in (case / "metals-bid" / "sources.csv").read_text()
    )
    again = json.loads(friendshore("ask", str(case), "--json").stdout)
    assert not [one for one in again["unknowns"] if one["subject"] == "quebec-gallium" and one["kind"] == "price"]


def test_every_mistake_is_told_by_its_cell(case: Path) -> None:
    """Partial bids, zero bids and what cannot be read, all at once; nothing is written."""
    wrong = {"price*": 0, "capacity*": None, "lead time*": "soon", "proof*": None, "filled in by*": None}
    assert sorted(places(filled(sheets(case), **wrong), case)) == [
        ("FS011", "bid", 2, "lead time*"),
        ("FS913", "bid", 2, "capacity*"),
        ("FS913", "bidder", 6, "filled in by*"),
        ("FS913", "origin", 2, "proof*"),
        ("FS913", "origin", 3, "proof*"),
        ("FS914", "bid", 2, "price*"),
    ]


def test_columns_are_found_by_their_heads(case: Path) -> None:
    """Columns of the supplier's own move none of the others; one that is there twice is refused."""
    sheet = filled(sheets(case))
    book = openpyxl.load_workbook(sheet)
    book["bid"].insert_cols(5, 2)
    book["bid"].cell(2, 5).value = "our own remark"
    book.save(sheet)
    assert convert(sheet, case).returncode == 0
    assert "525 USD/kg" in (case / "metals-bid" / "quotes.csv").read_text()
    book["bid"].cell(1, 5).value = "price* [USD/kg]"
    book.save(sheet)
    done = friendshore("catalogs", "convert", str(sheet), str(case / "again"), "--case", str(case))
    assert done.returncode == 2
    assert "[price*]: FS901" in done.stderr


def test_nobody_bids_for_another(case: Path) -> None:
    """A sheet whose row was made another supplier's is refused."""
    assert ("FS912", "bid", 2, "offer") in places(edited(case, "bid", 1, "kwinana-gallium"), case)


@pytest.mark.parametrize(
    ("sheet", "column", "text"),
    [
        ("bid", "material", "gallium-7n"),
        ("bid", "kilograms of", "Ga2O3 in it"),
        ("bid", "facility", "Another works"),
        ("origin", "material", "gallium-7n"),
        ("origin", "stage", "melted"),
    ],
)
def test_a_bid_on_something_else_is_refused(case: Path, sheet: str, column: str, text: str) -> None:
    """A price of oxide, or of a purer grade, is not read as that of what was asked for."""
    (error,) = refused(edited(case, sheet, column, text), case)
    assert (error["code"], error["row"], error["column"], error["found"]) == ("FS912", 2, column, text)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({"quoted on*": "2999-01-01"}, ("FS914", "bidder", "quoted on*")),
        ({"quoted on*": "2999-01-01", "valid until*": "2998-01-01"}, ("FS914", "bidder", "valid until*")),
        ({"valid until*": "2026-11-21"}, ("FS911", "bidder", "valid until*")),
        (dict.fromkeys([*BID, *ORIGIN]), ("FS913", "bid", "")),
    ],
)
def test_a_bid_that_cannot_be_meant_is_refused(
    case: Path, cells: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    """Of a day to come, past its day, or blank."""
    found = places(filled(sheets(case), **cells), case)
    assert expected in [(code, sheet, column) for code, sheet, _, column in found]


@pytest.mark.parametrize(
    ("file", "old", "new", "key"),
    [
        ("catalog/offers.csv", "700 USD/kg", "701 USD/kg", "edition"),
        ("case.toml", "first-case", "second-case", "case"),
    ],
)
def test_a_stale_sheet_is_refused(case: Path, file: str, old: str, new: str, key: str) -> None:
    """Of other facts, or of another case."""
    sheet = filled(sheets(case))
    (case / file).write_text((case / file).read_text().replace(old, new))
    assert [(code, column) for code, _, _, column in places(sheet, case)] == [("FS911", key)]


def test_a_bid_sheet_is_read_beside_its_case(case: Path) -> None:
    """Recognized by itself; without the case it is said how to name it."""
    done = friendshore("catalogs", "convert", str(filled(sheets(case))), str(case / "out"))
    assert done.returncode == 2
    assert "--case CASE" in done.stderr


@pytest.mark.deep
def test_sheets_are_the_same_bytes_and_hold_no_formula(case: Path) -> None:
    """A supplier whose name looks like a formula stays a text; a folder that is there is left as it is."""
    facilities = case / "catalog" / "facilities.csv"
    facilities.write_text(facilities.read_text().replace("Example Metals", '"=HYPERLINK(""http://x"",""y"")"'))
    one, two = case.parent / "one", case.parent / "two"
    for folder in (one, two):
        assert friendshore("ask", str(case), "--bid-sheets", str(folder)).returncode == 0
    assert [(file.name, file.read_bytes()) for file in sorted(one.iterdir())] == [
        (file.name, file.read_bytes()) for file in sorted(two.iterdir())
    ]
    book = openpyxl.load_workbook(one / "hyperlink-http-x-y.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert {cell.data_type for cell in cells} == {"s"}
    assert any(str(cell.value).startswith("=HYPERLINK") for cell in cells)
    refused = friendshore("ask", str(case), "--bid-sheets", str(two))
    assert refused.returncode == 2
    assert "FS918" in refused.stderr
