"""Screens that a reader has checked, and how a run is held against its own.

After a wanted change, write them anew with `GOLDEN=write pytest tests/golden tests/functional/test_case_us_2027.py`, and read the difference.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path

from friendshore.document.excerpts import LINES
from friendshore.document.terminal import plain_text
from friendshore.domain.run import Run
from friendshore.report import plan_document

WIDTHS = (100, 80)
"""Characters of a line."""


def held(run: Run, name: str, made: date, width: int) -> str:
    """The screen of a run made on some day, as it was checked."""
    found = (
        plain_text(plan_document(run.model_copy(update={"planned_on": made})).on_screen(), width, max_lines=LINES)
        + "\n"
    )
    file = Path(__file__).parent / f"{name}-{width}.txt"
    if os.environ.get("GOLDEN") == "write":
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")
    return found
