"""`friendshore stress`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .options import AsJson
from .output import answering, show, show_json, width


@answering
def stress(
    path: PlanPath,
    everything: Annotated[
        bool, typer.Option("--all", help="Everyone who could deliver, not only those that the plan buys from.")
    ] = False,
    start: Annotated[
        str, typer.Option("--from", metavar="DATE|PERIOD", help="When the loss begins; the plan's start, if not given.")
    ] = "",
    pairs: Annotated[bool, typer.Option(help="Also every two countries that the plan buys from.")] = True,
    top: Annotated[int, typer.Option(metavar="N", help="Losses shown of each table; 0: all.", min=0)] = 15,
    scenario: Scenarios = None,
    strict: Strict = False,
    time_limit: TimeLimit = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """What each supplier, parent company, country and catalog is worth: the plan made again without it."""
    from ..explain import first_day, stress
    from ..report import stress_report

    with asking(
        path, doing="taking away", of="losses", scenario=scenario, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        session = opened.session
        day = first_day(session.problem.case.horizon, start) if start else None
        found = stress(session, everything=everything, pairs=pairs, start=day, progress=progress)
    if as_json:
        show_json(found.to_dict())
    else:
        show(stress_report(found, width(), top))
    return 0
