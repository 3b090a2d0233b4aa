"""`friendshore why-not`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def why_not(
    path: PlanPath,
    offer: Annotated[
        str, typer.Argument(help="An offer, as `alternatives` and `catalogs show` name it.", metavar="OFFER")
    ],
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
    """Why an offer is not in the plan: its break-even price, what keeps it out, and what relaxing that is worth."""
    from ..explain import why_not
    from ..report import why_not_document

    with asking(
        path, installed(block), doing="asking", of="questions", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        found = why_not(opened.session, offer, progress=progress)
    if as_json:
        show_json(found.to_dict())
    else:
        show(why_not_document(found))
    return 0
