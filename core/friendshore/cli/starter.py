"""The case and catalog that `init` writes."""

from __future__ import annotations

from pathlib import Path

from ..reading.today import today
from .writing import templates, write_new


def write_starter(folder: Path) -> list[Path]:
    """Writes the files and returns their paths.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    day = f"as_of = {today()}"  # what was invented is of the day on which it is written
    return write_new(folder, {name: text.replace("as_of = 2026-10-01", day) for name, text in templates("case")})
