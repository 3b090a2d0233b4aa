"""`friendshore verify`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def verify(
    run: Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")],
    case: Annotated[
        Path | None,
        typer.Option(
            metavar="CASE",
            help="Case file, or its folder, that the run is said to be of: its facts are compared with it.",
        ),
    ] = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Check a run folder: every quantity, origin, verdict and cost derived again from its own facts, and these compared whole with what is
    installed here and, with --case, with the case. Says what nothing vouches for. Solves nothing.
    """
    from ..recommend import verify_run
    from ..report import run_check_data, run_check_report

    found = verify_run(run, installed(block), case)
    if as_json:
        show_json(run_check_data(found))
    else:
        show([run_check_report(found)])
    return found.exit_code
