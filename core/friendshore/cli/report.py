"""`friendshore report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .installed import Blocked, installed
from .options import AsJson
from .output import answering, bare, show_json


class Format(StrEnum):
    """Forms of a report."""

    MARKDOWN = "md"


@answering
def report(
    run: Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")],
    form: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.MARKDOWN,
    verified: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify", help="Check the run first; a page without a check says so above all else."
        ),
    ] = True,
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
    """Print a run on one page, for whoever decides. The run is verified first: of one that does not hold, only what is not so is printed."""
    from ..recommend import verify_run
    from ..report import markdown_report
    from ..run import read_run

    stored = read_run(run).run
    checked = verify_run(run, installed(block), case) if verified else None
    text = markdown_report(stored, checked)
    if as_json:
        show_json({"format": form.value, "text": text})
    else:
        bare(text.rstrip("\n"))
    return checked.exit_code if checked is not None else 0
