"""The case and catalog that `init` writes."""

from __future__ import annotations

from pathlib import Path

from .writing import templates, write_new


def write_starter(folder: Path) -> list[Path]:
    """Writes the files and returns their paths.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    return write_new(folder, dict(templates("case")))
