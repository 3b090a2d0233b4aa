"""`friendshore report`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .options import AsJson, Blocked, OfCase, RunPath, installed
from .output import answering, bare, show_json

if TYPE_CHECKING:
    from ..recommend import RunCheck
    from ..run import RunFolder


class Format(StrEnum):
    """Forms of a report."""

    MARKDOWN = "md"


@answering
def report(
    run: RunPath,
    form: Annotated[Format, typer.Option("--format", help="Form of the report.")] = Format.MARKDOWN,
    verified: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify", help="Check the run first; a page without a check says so above all else."
        ),
    ] = True,
    case: OfCase = None,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Print a run on one page, for whoever decides. The run is verified first: of one that does not hold, only what failed verification is printed."""
    from ..document.markdown import markdown
    from ..report import page_document
    from ..run import read_run

    stored = read_run(run)
    checked = _checked(stored, block, case) if verified else None
    text = markdown(page_document(stored.run, checked))
    if as_json:
        show_json({"format": form.value, "text": text})
    else:
        bare(text.rstrip("\n"))
    return checked.exit_code if checked is not None else 0


def _checked(stored: RunFolder, block: list[str] | None, case: Path | None) -> RunCheck:
    from ..recommend import verify_stored

    return verify_stored(stored, installed(block), case)
