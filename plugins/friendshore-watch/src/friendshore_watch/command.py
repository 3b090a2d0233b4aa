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
    Gap,
    Quiet,
    Strict,
    TimeLimit,
    Workers,
    installed,
)
from friendshore.cli.output import answer, wrote
from friendshore.cli.waiting import Interrupt, progress_bar
from friendshore.errors import InputError
from friendshore.report.formats import format_of, write_document
from friendshore.solve import Limits
from friendshore.writing import reject_existing

from .cases import watch as watched
from .editions import editions_of
from .records import watch_document

_EDITION = "a folder with pack.toml or catalog.toml, or of such folders; a file with [plugin.NAME]; or what is installed, by name"


def watch(
    old: Annotated[str, typer.Argument(metavar="OLD", help=f"The edition of before: {_EDITION}.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The edition that takes its place, likewise.")],
    cases: Annotated[list[Path], typer.Argument(metavar="CASE", help="One case or several: files, or their folders.")],
    strict: Strict = False,
    top: Annotated[int, typer.Option(metavar="N", help="Rows shown of each table; 0: all.", min=0)] = 20,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the whole document as .html, .md or .xlsx too. Overwrites nothing."),
    ] = None,
    time_limit: TimeLimit = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Tell what a new edition of rule packs, catalogs, screening lists or other settings of plugins turns in cases: every verdict by offer, use and days, what of the plan
    it touches, and the cheapest plan under each edition. Exit code 0: no verdict turns; 7: some do.
    """
    registry = installed(block)
    form = format_of(out, registry) if out is not None else None
    if out is not None:
        reject_existing(out)  # before the work, not after it
    editions = editions_of(old, new, registry)
    until = None if time_limit is None else monotonic() + time_limit
    with Interrupt() as cancel, progress_bar(quiet or as_json, "watching", "cases") as progress:
        found = watched(
            editions,
            cases,
            registry=registry,
            strict=strict,
            limits=Limits(gap, time_limit, until=until),
            workers=workers,
            progress=progress,
            cancel=cancel,
        )
    answer(as_json, found.to_dict, lambda: watch_document(found, top))
    if out is not None and form is not None:
        written = write_document(out, watch_document(found, 0), form)
        if not as_json:
            wrote(as_json, [written])
    if any(one.error for one in found.cases):
        return InputError.exit_code
    return TURNED if found.flips else 0
