"""`friendshore ledger`."""

from __future__ import annotations

from typing import Annotated

import typer

from .asking import DEFAULT_GAP, Changes, Gap, PlanPath, Quiet, Scenarios, Strict, TimeLimit, Workers, asking
from .installed import Blocked, installed
from .options import AsJson
from .output import answering, show, show_json


@answering
def ledger(
    path: PlanPath,
    order: Annotated[
        str,
        typer.Option(
            metavar="A,B,C",
            help="Rules, scenarios and kinds of terms, in the order in which they come in: each adds to those before it.",
        ),
    ] = "",
    items: Annotated[
        str,
        typer.Option(metavar="A,B,C", help="What to split over in all orders; every rule of the case, if not given."),
    ] = "",
    exact: Annotated[
        int, typer.Option(metavar="N", help="Items of an independent part up to which all orders count.", min=1)
    ] = 10,
    samples: Annotated[int, typer.Option(metavar="N", help="Orders drawn where there are more.", min=2)] = 200,
    seed: Annotated[int, typer.Option(metavar="N", help="Of the draw: the same seed, the same orders.")] = 0,
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
    """What each rule adds to the cost and the shortage of the plan, so that all of it adds up to the cent."""
    from ..explain import ledger
    from ..report import ledger_document

    if order and items:
        raise typer.BadParameter("--order and --items exclude each other: an order names its items")
    with asking(
        path, installed(block), doing="switching off", of="plans", scenario=scenario, change=change, strict=strict, time_limit=time_limit, gap=gap,
        workers=workers, quiet=quiet or as_json,
    ) as (opened, progress):  # fmt: skip
        found = ledger(
            opened.session, order=_names(order), items=_names(items), applied=opened.scenario, exact_up_to=exact,
            samples=samples, seed=seed, more_units=not (order or items), progress=progress,
        )  # fmt: skip
    if as_json:
        show_json(found.to_dict())
    else:
        show(ledger_document(found, opened.session.problem.case.currency))
    return 0


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]
