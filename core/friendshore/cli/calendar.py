"""`friendshore calendar`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def calendar(
    path: PlanPath,
    until: Annotated[
        str,
        typer.Option("--until", metavar="DATE", help="Last day, also beyond the plan; the plan's last, if not given."),
    ] = "",
    every: Annotated[bool, typer.Option("--all", help="Also every demand, stretch by stretch.")] = False,
    scenario: Scenarios = None,
    change: Changes = None,
    strict: Strict = False,
    time_limit: TimeLimit = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    block: Blocked = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """On which dates compliance changes: what is available between them, where it falls off, and what heals it.

    Each stretch between two dates is planned as a year at its own rates, with nothing in stock and no lead times.
    """
    from ..explain import calendar, day_of
    from ..report import calendar_document

    last = day_of(until) if until else None
    with asking(
        path, installed(block), doing="planning", of="stretches", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        found = calendar(opened.session, until=last, progress=progress)
    if as_json:
        show_json(found.to_dict())
    else:
        show(calendar_document(found, every=every))
    return 0
