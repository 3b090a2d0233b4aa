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
    return CliRunner(env=env).invoke(app, list(map(str, arguments)))


def exported(case: Path, file: Path) -> Path:
    """Write the workbook of a case. Equal files give equal bytes, so tests share it."""
    names = sorted(path for path in case.rglob("*") if path.is_file())
    key = (case if CASES in case.parents else None, *((path.relative_to(case), path.read_bytes()) for path in names))
    if not names or key not in _WRITTEN:
        result = friendshore("case", "to-xlsx", case, "--out", file)
        assert result.exit_code == 0, result.output
        _WRITTEN[key] = file.read_bytes()
    file.write_bytes(_WRITTEN[key])
    return file


_WRITTEN: dict[object, bytes] = {}
"""Workbooks by the files of their cases."""


def opened(file: Path) -> Any:
    """Open a workbook with its formulas."""
    from openpyxl import load_workbook

    return load_workbook(file)


def heads(sheet: Any) -> dict[str, int]:
    """Return the columns of a sheet by name, without units."""
    return {str(head.value).partition(" [")[0]: head.column for head in sheet[1]}


def cell_of(book: Any, sheet: str, row: str, column: str, key: str = "id") -> Any:
    """Return a cell by the value in the key column of its row."""
    columns = heads(book[sheet])
    line = next(
        row_cells[0].row for row_cells in book[sheet].iter_rows(min_row=2) if row_cells[columns[key] - 1].value == row
    )
    return book[sheet].cell(line, columns[column])


GONE = "row deleted"
NEW = "row added"
Cell = tuple[str, str, str, Any]
"""Sheet, id of the row (or `key=id`), column (or `GONE`, `NEW`), and value."""


def edited(file: Path, cells: Iterable[Cell]) -> Path:
    """Save a copy of a workbook with some cells edited."""
    book = opened(file)
    for sheet, row, column, value in cells:
        key_column, _, key = row.rpartition("=")
        if column == GONE:
            book[sheet].delete_rows(cell_of(book, sheet, key, key_column or "id", key_column or "id").row)
        elif column == NEW:
            filled_rows = (
                row_cells[0].row
                for row_cells in book[sheet].iter_rows()
                if any(cell.value is not None for cell in row_cells)
            )
            line = max(filled_rows) + 1
            for name, text in value.items():
                book[sheet].cell(line, heads(book[sheet])[name], text)
        else:
            cell = cell_of(book, sheet, key, column, key_column or "id")
            cell.value = value
            if str(value).startswith("="):
                cell.data_type = "s"
    edited_file = file.with_name("edited.xlsx")
    book.save(edited_file)
    return edited_file


@cache
def gathered(case: Path) -> Gathered:
    return gather(load_case(case), Registry.discover())


US, SMALL = CASES / "us-2027", CASES / "small"
UNEDITED = [US, *(SMALL / name for name in ("orders", "tiers", "limits", "money", "recipes", "stock", "objectives"))]
