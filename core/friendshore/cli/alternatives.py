"""`friendshore alternatives`."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def alternatives(
    path: PlanPath,
    material: Annotated[
        list[str] | None,
        typer.Argument(help="Materials; all that are demanded, if none is given.", metavar="[MATERIAL]"),
    ] = None,
    inputs: Annotated[bool, typer.Option("--inputs", help="Also what the plan buys for makers.")] = False,
    within: Annotated[
        float,
        typer.Option(
            metavar="SHARE", help="How much dearer plans may be whose shares are looked at; 0.01 is 1 %.", min=0
        ),
    ] = 0.01,
    top: Annotated[int, typer.Option(metavar="N", help="Offers shown of each material; 0: all.", min=0)] = 12,
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
    """Who else could deliver: every offer of a material, what using it costs, and what keeps the others out."""
    from ..explain import alternatives
    from ..report import alternatives_document

    with asking(
        path, installed(block), doing="asking about", of="offers", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        found = alternatives(
            opened.session, material or (), inputs=inputs, within=Decimal(str(within)), progress=progress
        )
    if as_json:
        show_json(found.to_dict())
    else:
        show(alternatives_document(found, top))
    return 0
