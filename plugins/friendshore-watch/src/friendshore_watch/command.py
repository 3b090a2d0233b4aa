"""`friendshore watch`: two editions of the law or of data, over many cases."""

from __future__ import annotations

from pathlib import Path
from time import monotonic
from typing import Annotated

import typer

from friendshore.cli.options import (
    DEFAULT_GAP,
    TURNED,
    AsJson,
    Blocked,
    Full,
    Gap,
    Quiet,
    Strict,
    TimeLimit,
    Workers,
    installed,
)
from friendshore.cli.output import dated, dated_data, show, show_json, show_on_screen, wrote
from friendshore.cli.waiting import Interrupt, progress_bar
from friendshore.errors import InputError
from friendshore.report.formats import format_of, write_document
from friendshore.solve import Limits
from friendshore.writing import reject_existing

from .cases import watch as watched
from .editions import editions_of
from .records import watch_document

_EDITION = "a folder with pack.toml or catalog.toml, or of such folders; a file with [plugin.NAME]; or the name of an installed pack or catalog"


def watch(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"Old edition: {_EDITION}.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="New edition, in the same form.")],
    cases: Annotated[list[Path], typer.Argument(metavar="CASE", help="One or more cases: files, or their folders.")],
    strict: Strict = False,
    top: Annotated[
        int, typer.Option(metavar="N", help="Rows shown of each table with --full. 0 means all.", min=0)
    ] = 20,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Also write the whole document as .html, .md, or .xlsx. It must not exist yet."
        ),
    ] = None,
    time_limit: TimeLimit = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
    full: Full = False,
) -> int:
    """Show what a new edition of rule packs, catalogs, screening lists, or other plugin settings changes in your cases.

    For each case, it lists every verdict that changes (by offer, use, and days), the part of the plan that is affected, and the cheapest
    plan under each edition. Exit code 0 means that no verdict changes, and 7 that some do.
    """
    registry = installed(block)
    output_format = format_of(out, registry) if out is not None else None
    if out is not None:
        reject_existing(out)  # before the work, not after it
    editions = editions_of(old, new, registry)
    until = None if time_limit is None else monotonic() + time_limit
    with Interrupt() as cancel, progress_bar(quiet or as_json, "watching", "cases") as progress:
        result = watched(
            editions,
            cases,
            registry=registry,
            strict=strict,
            limits=Limits(gap, time_limit, until=until),
            workers=workers,
            progress=progress,
            cancel=cancel,
        )
    if as_json:
        show_json(dated_data(result.to_dict()))
    elif full:
        show(dated(watch_document(result, top)))
    else:
        show_on_screen(dated(watch_document(result, top)))
    if out is not None and output_format is not None:
        written = write_document(out, dated(watch_document(result, 0)), output_format)
        if not as_json:
            wrote(as_json, [written])
    if any(case.error for case in result.cases):
        return InputError.exit_code
    return TURNED if result.changed_verdicts else 0
