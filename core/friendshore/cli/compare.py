"""`friendshore compare`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Strict, TimeLimit, Workers, asking, stated
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def compare(
    path: PlanPath,
    other: Annotated[
        Path | None, typer.Argument(help="A second case or run, in place of scenarios.", metavar="[CASE|RUN]")
    ] = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Scenario to compare with the case as it is; or two, with each other."),
    ] = None,
    change: Changes = None,
    top: Annotated[int, typer.Option(metavar="N", help="Rows shown of each table; 0: all.", min=0)] = 12,
    strict: Strict = False,
    time_limit: TimeLimit = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    block: Blocked = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Two plans side by side, and which change moved which kilograms and money."""
    from ..explain import compare, compare_plans, scenario_walk
    from ..report import comparison_document

    names = scenario or []
    if (other is None) == (not names and not change) or len(names) > 2:
        raise typer.BadParameter("give one --scenario or two, a --change, or a second case or run")
    registry = installed(block)
    with asking(
        path, registry, doing="comparing", of="steps", strict=strict, time_limit=time_limit, gap=gap, workers=workers,
        quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        if other is None:
            with stated(change) as changes:
                before, after, called = scenario_walk(opened.session, names, changes)
                found = compare(opened.session, before, after, names=called, progress=progress)
        else:
            with asking(
                other, registry, doing="comparing", of="plans", strict=strict, time_limit=time_limit, gap=gap, workers=workers,
                quiet=quiet or as_json,
            ) as (second, _):  # fmt: skip
                found = compare_plans(opened.session, second.session, names=(str(path), str(other)))
    if as_json:
        show_json(found.to_dict())
    else:
        show(comparison_document(found, top))
    return 0
