"""`friendshore plan`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from .options import (
    CONFLICT,
    DEFAULT_GAP,
    AsJson,
    Blocked,
    CasePath,
    Changes,
    Full,
    Gap,
    Scenarios,
    Strict,
    Workers,
    installed,
)
from .output import answering, show, show_json, show_on_screen, warn
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..domain.run import Run


TimeForPlan = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Seconds for all of it, reading and reasons included; the best plan found by then is printed.",
        min=0,
        max=MAX_SECONDS,
    ),
]


class PeriodName(StrEnum):
    """Lengths of periods shorter than some others. Importing those of the domain would make `--help` slow."""

    MONTH = "month"
    QUARTER = "quarter"


Shorter = Annotated[
    PeriodName | None,
    typer.Option(
        metavar="month|quarter",
        help="Plan in shorter periods than those of the case: fewer dates and lead times are rounded, and it takes longer. "
        "What an offer or a rule limits in a period is then limited in each of these.",
    ),
]
Into = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Folder to write the run to: run.json, tables, and the facts that prove it."),
]
Certified = Annotated[
    bool,
    typer.Option(
        "--certify",
        help="Write what proves the bound to the run of --out too, so that `verify` needs no solver: the rows' multipliers, found by a search of its own.",
    ),
]
Signed = Annotated[
    Path | None,
    typer.Option(metavar="KEY", help="Private Ed25519 key (PEM or OpenSSH) to sign the run of --out with."),
]
Locked = Annotated[
    bool,
    typer.Option(
        "--locked", help="Refuse to plan unless all data and plugins are as friendshore.lock beside the case says."
    ),
]
Heading = Annotated[bool, typer.Option("--quiet", "-q", help="Print the heading alone, and no progress.")]


@answering
def plan(
    case: CasePath,
    scenario: Scenarios = None,
    change: Changes = None,
    strict: Strict = False,
    period: Shorter = None,
    time_limit: TimeForPlan = None,
    gap: Gap = DEFAULT_GAP,
    workers: Workers = None,
    out: Into = None,
    certified: Certified = False,
    sign: Signed = None,
    locked: Locked = False,
    block: Blocked = None,
    as_json: AsJson = False,
    full: Full = False,
    quiet: Heading = False,
) -> int:
    """Find the cheapest compliant supplier mix of a case.

    Ctrl-C prints the best plan found so far. Writes nothing without --out.
    """
    from .. import recommend
    from ..case import changes_stated, load_case
    from ..domain.plan import PlanStatus
    from ..domain.time import PeriodLength
    from ..errors import InputError
    from ..run import check_target, write_run

    if sign is not None and out is None:
        raise InputError("there is nothing to sign", column="--sign", fix="name a folder with --out")
    if certified and out is None:
        raise InputError("there is nothing to certify", column="--certify", fix="name a folder with --out")
    registry = installed(block)
    made = recommend.checker_named("signature", registry).signer(sign) if sign is not None else None
    if certified:
        recommend.checker_named("optimality", registry)
    if out is not None:
        check_target(out)  # before the work, not after it
    read = load_case(case)
    with Interrupt() as cancel, changes_stated(change or ()) as changes, progress_bar(quiet) as progress:
        found = recommend.plan(
            read,
            registry=registry,
            scenario=scenario or (),
            changes=changes,
            strict=strict,
            period=None if period is None else PeriodLength(period.value),
            time_limit=time_limit,
            gap=gap,
            workers=workers,
            lock=(read.folder or Path()) / recommend.LOCK_FILE if locked else None,
            progress=progress,
            cancel=cancel,
        )
        certificate = found.certificate(progress, cancel) if certified else None
    if certified and certificate is None:
        warn("the program is too large to certify anything of: the run is written without a certificate")
    for problem in found.gathered.idle:
        warn(str(problem))
    if out is not None:
        write_run(out, found.run, found.facts(), recommend.verdicts(found.plan), made, certificate)
    if as_json:
        show_json(found.to_dict())
    else:
        _show(found.run, out, quiet=quiet, full=full)
    return CONFLICT if found.status is PlanStatus.INFEASIBLE else 0


def _show(run: Run, out: Path | None, *, quiet: bool, full: bool) -> None:
    from ..report import plan_document, summary_document

    if quiet:
        show(summary_document(run))
        return
    told = plan_document(run, "" if out is None else str(out))
    show(told) if full else show_on_screen(told)
