"""`friendshore report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from .options import AsJson
from .output import answering, bare, show_json


class Format(StrEnum):
    """Forms of a report."""

    MARKDOWN = "md"


@answering
def report(
    run: Annotated[Path, typer.Argument(help="Folder written by `plan --out`.", metavar="RUN")],
    form: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.MARKDOWN,
    as_json: AsJson = False,
) -> int:
    """Print a run on one page, for whoever decides. Solves nothing; `verify` checks the run."""
    from ..report import markdown_report
    from ..run import read_run

    stored = read_run(run).run
    text = markdown_report(stored)
    if as_json:
        show_json({"format": form.value, "text": text})
    else:
        bare(text.rstrip("\n"))
    return 0
