"""Where in a catalog's tables something stands."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


def line_of(file: Path, column: str, value: str, **also: str) -> int | None:
    """Line of the first row of a table that has a value in a column, and others in `also`; None if there is none, or no such table."""
    wanted = {column: value, **also}
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            return next((rows.line_num for row in rows if _has(row, wanted)), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None


def _has(row: Mapping[str, str | None], wanted: Mapping[str, str]) -> bool:
    return all((row.get(column) or "").strip() == value for column, value in wanted.items())
