"""`catalogs convert` and workbooks in a case, as a planner meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from friendshore.cli import app


def friendshore(*arguments: str) -> Result:
    """Runs the command line."""
    return CliRunner().invoke(app, list(arguments))


@pytest.fixture
def case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `init` writes, as the current one."""
    assert friendshore("init", "--start", "2026-10-01", str(tmp_path / "case")).exit_code == 0
    monkeypatch.chdir(tmp_path / "case")
    return tmp_path / "case"


def test_a_case_is_planned_with_a_workbook(case: Path) -> None:
    """The same catalog as a workbook gives the same plan."""
    with_folder = json.loads(friendshore("plan", ".", "--json").output)
    told = friendshore("catalogs", "convert", "catalog", "mine.xlsx")
    assert told.exit_code == 0, told.output
    assert "the same facts" in told.output
    text = (case / "case.toml").read_text()
    (case / "case.toml").write_text(text.replace('"./catalog"', '"./mine.xlsx"'))
    with_workbook = json.loads(friendshore("plan", ".", "--json").output)
    assert with_workbook["purchases"] == with_folder["purchases"]
    assert with_workbook["cost"] == with_folder["cost"]
    assert friendshore("catalogs", "check", "mine.xlsx").exit_code == 0


def test_a_workbook_is_shipped_as_tables(case: Path) -> None:
    """`plugins new --from` takes a workbook too; the package holds CSV files with the same facts."""
    assert friendshore("catalogs", "convert", "catalog", "mine.xlsx").exit_code == 0
    told = friendshore("plugins", "new", "acme-gallium", "--from", "mine.xlsx")
    assert told.exit_code == 0, told.output
    shipped = Path("acme-gallium/src/acme_gallium/catalog")
    digests = [
        json.loads(friendshore("catalogs", "show", name, "--json").output)["digest"]
        for name in ("catalog", str(shipped))
    ]
    assert digests[0] == digests[1]


def test_a_target_that_is_neither_is_refused(case: Path) -> None:
    """An ending that means another format is told what to write in its place."""
    told = friendshore("catalogs", "convert", "catalog", "new/mine.csv")
    assert told.exit_code == 2
    assert "mine.xlsx" in told.output
    assert not Path("new").exists()
    assert friendshore("catalogs", "convert", "catalog", "new/mine").exit_code == 0
    assert Path("new/mine/catalog.toml").is_file()


@pytest.mark.parametrize("target", ["catalog", "mine.xlsx"])
def test_what_is_there_is_not_overwritten(target: str, case: Path) -> None:
    """A second conversion to the same name is refused with 2."""
    friendshore("catalogs", "convert", "catalog", "mine.xlsx")
    told = friendshore("catalogs", "convert", "catalog", target)
    assert told.exit_code == 2
    assert "is there already" in told.output
