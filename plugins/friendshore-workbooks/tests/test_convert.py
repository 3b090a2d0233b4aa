"""`catalogs convert` and workbooks in a case, as a planner meets them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.functional.case_books import friendshore


def test_a_case_is_planned_with_a_workbook(case: Path) -> None:
    """The same catalog as a workbook gives the same plan."""
    plans = [json.loads(friendshore("plan", ".", "--json").output)]
    result = friendshore("catalogs", "convert", "catalog", "mine.xlsx")
    assert (result.exit_code, "same facts" in result.output) == (0, True), result.output
    (case / "case.toml").write_text((case / "case.toml").read_text().replace('"./catalog"', '"./mine.xlsx"'))
    plans.append(json.loads(friendshore("plan", ".", "--json").output))
    assert [plans[1][key] for key in ("purchases", "cost")] == [plans[0][key] for key in ("purchases", "cost")]
    assert friendshore("catalogs", "check", "mine.xlsx").exit_code == 0


def test_a_workbook_is_shipped_as_tables(case: Path) -> None:
    """`plugins new --from` takes a workbook too; the package holds CSV files with the same facts."""
    friendshore("catalogs", "convert", "catalog", "mine.xlsx")
    assert friendshore("plugins", "new", "acme-gallium", "--from", "mine.xlsx").exit_code == 0
    shipped = "acme-gallium/src/acme_gallium/catalog"
    pages = [json.loads(friendshore("catalogs", "show", name, "--json").output) for name in ("catalog", shipped)]
    assert pages[0]["digest"] == pages[1]["digest"]


def test_a_target_that_is_neither_is_refused(case: Path) -> None:
    """An ending that means another format is told what to write in its place."""
    result = friendshore("catalogs", "convert", "catalog", "new/mine.csv")
    assert (result.exit_code, "mine.xlsx" in result.output, Path("new").exists()) == (2, True, False)
    assert friendshore("catalogs", "convert", "catalog", "new/mine").exit_code == 0
    assert Path("new/mine/catalog.toml").is_file()
