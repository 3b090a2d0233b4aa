"""`case to-xlsx` and `case from-xlsx`, as a planner meets them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from typer.testing import CliRunner, Result

from friendshore.cli import app

CASES = Path(__file__).parents[2] / "docs" / "cases"


def friendshore(*arguments: str | Path) -> Result:
    """Runs the command line."""
    return CliRunner().invoke(app, list(map(str, arguments)))


def exported(case: Path, file: Path) -> Path:
    """The workbook of a case."""
    told = friendshore("case", "to-xlsx", case, "--out", file)
    assert told.exit_code == 0, told.output
    return file


def opened(file: Path) -> Any:
    """A workbook as openpyxl opens it, with its formulas."""
    from openpyxl import load_workbook

    return load_workbook(file)


def cell_of(book: Any, sheet: str, row: str, column: str, key: str = "id") -> Any:
    """The cell of a row, by what stands in its key column, in a column by its name without unit."""
    heads = {str(head.value).partition(" [")[0]: head.column for head in book[sheet][1]}
    line = next(
        one.row for one in book[sheet].iter_rows(min_row=2) for one in [one[heads[key] - 1]] if one.value == row
    )
    return book[sheet].cell(line, heads[column])


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
    assert all(sheet.freeze_panes == "A2" for sheet in book if sheet.sheet_state == "visible")


def test_the_same_case_gives_the_same_bytes(tmp_path: Path) -> None:
    """Whenever it is written, and under whatever name; what is there is not overwritten."""
    first, second = (exported(CASES / "us-2027", tmp_path / name) for name in ("one.xlsx", "two.xlsx"))
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
    assert friendshore("init", tmp_path / "case").exit_code == 0
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


@pytest.mark.parametrize("text", HOSTILE)
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
