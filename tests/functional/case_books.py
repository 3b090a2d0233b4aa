"""Workbooks of cases, written and edited as a planner would."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from friendshore.case import load_case
from friendshore.cli import app
from friendshore.plugins import Registry
from friendshore.recommend import Gathered, gather

CASES = Path(__file__).parents[2] / "docs" / "cases"


def friendshore(*arguments: str | Path, **env: str) -> Result:
    """Runs the command line."""
    return CliRunner(env=env).invoke(app, list(map(str, arguments)))


def exported(case: Path, file: Path) -> Path:
    """The workbook of a case: written once for all tests that begin with the same files, for a case gives the same bytes wherever it lies."""
    names = sorted(path for path in case.rglob("*") if path.is_file())
    key = (case if CASES in case.parents else None, *((path.relative_to(case), path.read_bytes()) for path in names))
    if not names or key not in _WRITTEN:
        told = friendshore("case", "to-xlsx", case, "--out", file)
        assert told.exit_code == 0, told.output
        _WRITTEN[key] = file.read_bytes()
    file.write_bytes(_WRITTEN[key])
    return file


_WRITTEN: dict[object, bytes] = {}
"""Workbooks by the files that they are of."""


def opened(file: Path) -> Any:
    """A workbook as openpyxl opens it, with its formulas."""
    from openpyxl import load_workbook

    return load_workbook(file)


def heads(sheet: Any) -> dict[str, int]:
    """The columns of a sheet by their names without units."""
    return {str(head.value).partition(" [")[0]: head.column for head in sheet[1]}


def cell_of(book: Any, sheet: str, row: str, column: str, key: str = "id") -> Any:
    """The cell of a row, by what stands in its key column."""
    at = heads(book[sheet])
    line = next(one[0].row for one in book[sheet].iter_rows(min_row=2) if one[at[key] - 1].value == row)
    return book[sheet].cell(line, at[column])


GONE = "row deleted"
NEW = "row added"
Cell = tuple[str, str, str, Any]
"""Sheet, id of the row, column, value. In the place of the id the key and its column may stand, as `key=id`; `GONE` or `NEW` in that of the column."""


def edited(file: Path, cells: Iterable[Cell]) -> Path:
    """A workbook with some cells edited, as a planner would: the others stay as they are."""
    book = opened(file)
    for sheet, row, column, value in cells:
        of, _, key = row.rpartition("=")
        if column == GONE:
            book[sheet].delete_rows(cell_of(book, sheet, key, of or "id", of or "id").row)
        elif column == NEW:
            filled = (one[0].row for one in book[sheet].iter_rows() if any(cell.value is not None for cell in one))
            line = max(filled) + 1
            for name, text in value.items():
                book[sheet].cell(line, heads(book[sheet])[name], text)
        else:
            cell = cell_of(book, sheet, key, column, of or "id")
            cell.value = value
            if str(value).startswith("="):
                cell.data_type = "s"
    made = file.with_name("edited.xlsx")
    book.save(made)
    return made


@cache
def gathered(case: Path) -> Gathered:
    """A case with all that it names."""
    return gather(load_case(case), Registry.discover())


US, SMALL = CASES / "us-2027", CASES / "small"
UNEDITED = [US, *(SMALL / name for name in ("orders", "tiers", "limits", "money", "recipes", "stock", "objectives"))]
