"""`friendshore repairs`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import LONGEST_SECONDS, AsJson
from .output import answering, bare, show, show_json


@answering
def repairs(
    path: PlanPath,
    material: Annotated[str, typer.Argument(help="Only demands of this material.", metavar="[MATERIAL]")] = "",
    size: Annotated[int, typer.Option(metavar="N", help="Most steps of a repair.", min=1, max=100)] = 3,
    seconds: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            help="Time for the search; what is not found by then is marked.",
            min=0,
            max=LONGEST_SECONDS,
        ),
    ] = 60.0,
    bound: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=NUMBER",
            help="How far steps may go: later (periods), capacity (share more), stock (years of what is wanted), lead (times what is "
            "wanted); may repeat.",
        ),
    ] = None,
    top: Annotated[int, typer.Option(metavar="N", help="Repairs shown of each; 0: all.", min=0)] = 10,
    as_toml: Annotated[bool, typer.Option("--toml", help="Print the repairs as scenarios for the case file.")] = False,
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
    """What would serve what is short, or let conflicting rules hold: every minimal set of steps, proved and priced."""
    from ..explain import repairs as find
    from ..explain import stated_bounds
    from ..report import repairs_document, repairs_toml

    bounds = stated_bounds(bound or ())
    with asking(
        path, installed(block), doing="repairing", of="gaps", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json or as_toml,
    ) as (opened, progress):  # fmt: skip
        found = find(opened.session, material, size=size, seconds=seconds, bounds=bounds, progress=progress)
    if as_json:
        show_json(found.to_dict())
    elif as_toml:
        bare(repairs_toml(found).rstrip("\n"))
    else:
        show(repairs_document(found, top))
    return 0
