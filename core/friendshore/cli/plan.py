"""`friendshore plan`."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from .host import host
from .options import (
    CONFLICT,
    DEFAULT_GAP,
    LIMITS_RELAXED,
    AsJson,
    Blocked,
    CasePath,
    Changes,
    Full,
    Gap,
    Scenarios,
    Strict,
    StrictLimits,
    Workers,
    installed,
)
from .output import answering, show, show_json, show_on_screen, warn
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..document.elements import Document
    from ..domain.run import Run
    from ..plugins import Registry
    from ..recommend import Recommendation


TimeForPlan = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        help="Seconds for the whole command, including reading and causes. Prints the best plan found by then.",
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
        help="Plan in shorter periods than the case. Fewer dates and lead times are rounded, but it takes longer. "
        "Limits of an offer or rule per period then apply to each of the shorter periods.",
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
        help="Add a certificate of the bound to the run of --out, so that `verify` needs no solver. A separate search finds its multipliers.",
    ),
]
Signed = Annotated[
    Path | None,
    typer.Option(metavar="KEY", help="Sign the run of --out with this private Ed25519 key (PEM or OpenSSH)."),
]
Locked = Annotated[
    bool,
    typer.Option(
        "--locked", help="Refuse to plan unless all data and plugins agree with friendshore.lock beside the case."
    ),
]
Heading = Annotated[bool, typer.Option("--quiet", "-q", help="Print only the heading, and don't show progress.")]


@answering
def plan(
    case: CasePath,
    scenario: Scenarios = None,
    change: Changes = None,
    strict: Strict = False,
    strict_limits: StrictLimits = False,
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
    from ..case import load_case, parsed_changes
    from ..domain.plan import PlanStatus
    from ..domain.time import PeriodLength

    registry = installed(block)
    signer = _check_run_options(registry, out, sign, certified=certified)
    loaded = load_case(case)
    with Interrupt() as cancel, parsed_changes(change or ()) as changes, progress_bar(quiet) as progress:
        recommendation = host().plan(
            loaded,
            registry=registry,
            scenario=scenario or (),
            changes=changes,
            strict=strict,
            strict_limits=strict_limits,
            period=None if period is None else PeriodLength(period.value),
            time_limit=time_limit,
            gap=gap,
            workers=workers,
            lock=(loaded.folder or Path()) / recommend.LOCK_FILE if locked else None,
            progress=progress,
            cancel=cancel,
        )
        certificate = recommendation.certificate(progress, cancel) if certified else None
    if certified and certificate is None:
        warn("the program is too large for a certificate, so the run has none")
    for problem in recommendation.gathered.idle:
        warn(str(problem))
    run, data = recommendation.run, recommendation.to_dict() if as_json else None
    write = _writer(recommendation, out, signer, certificate)
    del recommendation  # Its program may need as much memory as the files and the screen.
    write()
    del write  # Its facts may need as much, too.
    if data is None:
        _show(run, case, out, quiet=quiet, full=full)
    else:
        _show_data(data, run, case, out)
    if run.status is PlanStatus.INFEASIBLE:
        return CONFLICT
    return LIMITS_RELAXED if run.relaxed else 0


def _check_run_options(
    registry: Registry, out: Path | None, sign: Path | None, *, certified: bool
) -> Callable[[bytes], bytes] | None:
    """Return the signer of the run, if any. Reject before planning what would fail only after it."""
    from ..errors import InputError
    from ..recommend import checker_named
    from ..run import check_target

    if out is None:
        for option, is_set, verb in (("--sign", sign is not None, "signed"), ("--certify", certified, "certified")):
            if is_set:
                message = f"only a run folder can be {verb}"
                raise InputError(message, column=option, fix="add --out FOLDER", code="FS501")
        return None
    signer = checker_named("signature", registry).signer(sign) if sign is not None else None
    if certified:
        checker_named("optimality", registry)
    check_target(out)
    return signer


def _writer(
    recommendation: Recommendation, out: Path | None, signer: Callable[[bytes], bytes] | None, certificate: str | None
) -> Callable[[], object]:
    """Return a function that writes the run folder, if any, without the recommendation and its program."""
    from .. import recommend
    from ..run import write_run

    if out is None:
        return lambda: None
    gathered, applied, plan = recommendation.gathered, recommendation.applied, recommendation.plan.plan
    run, verdicts = recommendation.run, recommend.verdicts(recommendation.plan)

    def write() -> None:
        write_run(out, run, recommend.facts_of(gathered, applied, plan), verdicts, signer, certificate)

    return write


def _show(run: Run, case: Path, out: Path | None, *, quiet: bool, full: bool) -> None:
    from ..report import summary_document

    if quiet:
        show(summary_document(run))
        return
    document = _document(run, case, out)
    show(document) if full else show_on_screen(document)


def _show_data(data: dict[str, object], run: Run, case: Path, out: Path | None) -> None:
    from ..report import headline_of

    show_json(data | {"headline": headline_of(run).model_dump(mode="json")})
    host().also_show(lambda: _document(run, case, out))


def _document(run: Run, case: Path, out: Path | None) -> Document:
    from ..report import plan_document

    return plan_document(run, "" if out is None else str(out), str(case))
