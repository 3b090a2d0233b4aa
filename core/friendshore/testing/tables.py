"""Where in a catalog's tables something stands."""

from __future__ import annotations

import csv
from pathlib import Path


def line_of(file: Path, column: str, value: str) -> int | None:
    """Line of the first row of a table that has a value in a column; None if there is none, or no such table."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as opened:
            rows = csv.DictReader(opened)
            return next((rows.line_num for row in rows if (row.get(column) or "").strip() == value), None)
    except (OSError, UnicodeDecodeError, csv.Error):
        return None
