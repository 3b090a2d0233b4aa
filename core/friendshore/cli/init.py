"""`friendshore init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson
from .output import answering, bare, show_json


@answering
def init(
    folder: Annotated[
        Path, typer.Argument(metavar="[FOLDER]", help="Folder to write to; made if it is not there.")
    ] = Path(),
    as_json: AsJson = False,
) -> int:
    """Write a small commented case, with a catalog beside it, that `plan` solves. Overwrites nothing."""
    from .starter import write_starter

    written = write_starter(folder)
    if as_json:
        show_json({"wrote": [str(path) for path in written]})
        return 0
    for path in written:
        bare(f"wrote {path}")
    bare(f"now: friendshore plan {folder / 'case.toml'}")
    return 0
