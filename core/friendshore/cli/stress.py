"""`friendshore stress`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json, warn


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
    by: Annotated[
        str,
        typer.Option(
            metavar="KIND",
            help="What the insured plan survives the loss of: supplier, parent, country, catalog or none.",
        ),
    ] = "supplier",
    loss_from: Annotated[
        str,
        typer.Option(
            metavar="DATE|PERIOD",
            help="When it survives it: a year after the start or the middle of the plan, if not given.",
        ),
    ] = "",
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
    """What each supplier, parent company, country and catalog is worth: the plan made again without it.

    Then what it costs to survive any one loss: the cheapest plan that leaves nothing more short after it.
    """
    from ..explain import first_day, insurance, loss_kind, stress
    from ..report import insurance_document, stress_document

    kind = None if by == "none" else loss_kind(by)

    with asking(
        path, installed(block), doing="taking away", of="losses", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        session = opened.session
        horizon = session.problem.case.horizon
        day = first_day(horizon, start) if start else None
        later = first_day(horizon, loss_from) if loss_from else None
        ranked = bool(session.problem.objectives)
        found = stress(session, everything=everything, pairs=pairs, start=day, progress=progress)
        stopped = session.stopped
        insures = kind and not ranked and not stopped
        insured = insurance(session, by=kind, start=later, progress=progress) if kind and insures else None
    if kind and stopped:
        warn("the search was ended: what surviving a loss costs is left out")
    elif kind and ranked:
        warn("the case ranks objectives: what surviving a loss costs is told for cost alone, and left out")
    if as_json:
        show_json({**found.to_dict(), "insurance": None if insured is None else insured.to_dict()})
    else:
        show(stress_document(found, top))
        show(*([] if insured is None else [insurance_document(insured, top)]))
    return 0
