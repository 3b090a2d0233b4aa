"""`friendshore init`, and the case and catalog that it writes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..reading.today import today
from .options import AsJson
from .output import answering, bare, show_json
from .writing import templates, write_new


def write_starter(folder: Path) -> list[Path]:
    """Writes the files and returns their paths.

    Raises:
        InputError: if any of them is there already, or cannot be written; then nothing is overwritten.
    """
    day = f"as_of = {today()}"  # what was invented is of the day on which it is written
    return write_new(folder, {name: text.replace("as_of = 2026-10-01", day) for name, text in templates("case")})


@answering
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there.")
    ] = Path(),
    as_json: AsJson = False,
) -> int:
    """Write a small commented case, with a catalog beside it, that `plan` solves. Overwrites nothing."""
    written = write_starter(folder)
    if as_json:
        show_json({"wrote": [str(path) for path in written]})
        return 0
    for path in written:
        bare(f"wrote {path}")
    bare(f"now: friendshore plan {folder / 'case.toml'}")
    return 0
