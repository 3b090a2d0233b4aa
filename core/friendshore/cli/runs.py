"""`friendshore verify`, `report`, and `sign`. A run that fails verification is neither reported nor signed."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from ..errors import InputError
from .options import DEFAULT_GAP, AsJson, Blocked, OfCase, Quiet, RunPath, TimeLimit, Workers, installed
from .output import answer, answering, bare, show_json, wrote
from .questions import answers_of, questions_named
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..recommend import RunCheck

SECONDS = 30.0
"""Time limit of a proof. Copy of that in `friendshore.recommend`, which is slow to import."""


@answering
def verify(
    run: RunPath,
    case: OfCase = None,
    solve: Annotated[
        bool, typer.Option("--solve", help="Plan the facts anew too, and say whether another plan is cheaper.")
    ] = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            help="Seconds for the proof of how good the plan is.",
            min=0,
            max=MAX_SECONDS,
        ),
    ] = SECONDS,
    signed_by: Annotated[
        Path | None,
        typer.Option(
            metavar="PUBLIC",
            help="Public key (PEM or OpenSSH) of who is said to have signed the run: its signature is checked.",
        ),
    ] = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Check a run folder.

    Derives every quantity, origin, verdict, and cost again from the run's own facts. Compares these facts with the installed data and, with --case,
    with the case. Reports what nothing vouches for, and proves in exact arithmetic how much cheaper any plan can be.
    """
    from ..recommend import ProofEffort, verify_run
    from ..report import run_check_data, run_check_document

    # A plan that is made again is ended by Ctrl-C; all else is, as in any command, left at once.
    with Interrupt() if solve else nullcontext() as cancel, progress_bar(quiet, "proving") as progress:
        effort = ProofEffort(seconds=time_limit, solve=solve, progress=progress, cancel=cancel)
        found = verify_run(run, installed(block), case, effort, signed_by)
    answer(as_json, lambda: run_check_data(found), lambda: run_check_document(found))
    return found.exit_code


Formatted = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="md: one page of Markdown. html, xlsx: the whole run with charts as a page or a workbook. Plugins may add others. "
        "Default: as the name of --out ends, else md.",
    ),
]
Asked = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="QUESTIONS",
        help="Questions to ask of the run's own facts and to answer in the same report, by commas: alternatives,ledger,stress, "
        "why-not=OFFER, programmes:budgets=FILE; may repeat.",
    ),
]
Into = Annotated[
    Path | None,
    typer.Option(
        "--out", metavar="FILE", help="File to write, in place of stdout. Overwrites nothing.", show_default=False
    ),
]
Verified = Annotated[
    bool,
    typer.Option("--verify/--no-verify", help="Check the run first; a page without a check says so above all else."),
]


@answering
def report(
    run: RunPath,
    name: Formatted = None,
    asked: Asked = None,
    out: Into = None,
    verified: Verified = True,
    case: OfCase = None,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Write a report of a run for decision makers. Verifies the run first. If it fails, the report has only the failures."""
    from ..report.formats import format_named, format_of, rendered, write_document
    from ..run import read_run
    from ..writing import reject_existing

    registry = installed(block)
    if out is not None:
        reject_existing(out)  # before the work, not after it
    chosen = format_of(out, registry) if out is not None and name is None else format_named(name or "md", registry)
    if out is None and not chosen.is_text:
        fix = "name a file to write: --out FILE"
        raise InputError(f"`{chosen.name}` is not text that can be printed", column="--format", fix=fix)
    questions = questions_named(asked or (), registry)
    stored = read_run(run)
    checked: RunCheck | None = None
    if verified:
        from ..recommend import verify_stored  # loads the solver

        checked = verify_stored(stored, registry, case)
    shared = {"time_limit": time_limit, "gap": DEFAULT_GAP, "workers": workers, "strict": False}
    given = {**shared, "quiet": quiet, "as_json": as_json}
    holds = checked is None or not checked.findings
    told = chosen.of_run(
        stored.run, checked, answers_of(questions, run, registry, given) if questions and holds else []
    )
    if out is not None:
        wrote(as_json, [write_document(out, told, chosen)])
    else:
        text = rendered(told, chosen).decode()
        show_json({"format": chosen.name, "text": text}) if as_json else bare(text.rstrip("\n"))
    return checked.exit_code if checked is not None else 0
