"""`friendshore verify` and `report`. A run that fails verification isn't reported."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.runtime import MAX_SECONDS
from ..errors import InputError
from .options import DEFAULT_GAP, AsJson, Blocked, OfCase, Quiet, RunPath, TimeLimit, Workers, installed
from .output import answer, answering, bare, dated, dated_data, show_json, wrote
from .questions import answers_of, questions_named
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..recommend import RunCheck

PROOF_SECONDS = 30.0
"""Time limit of a proof. Copy of that in `friendshore.recommend`, which is slow to import."""


@answering
def verify(
    run: RunPath,
    case: OfCase = None,
    solve: Annotated[
        bool, typer.Option("--solve", help="Also plan the facts again, and report if another plan is cheaper.")
    ] = False,
    time_limit: Annotated[
        float,
        typer.Option(
            "--time-limit",
            metavar="SECONDS",
            help="Seconds for the proof of the plan's bound.",
            min=0,
            max=MAX_SECONDS,
        ),
    ] = PROOF_SECONDS,
    signed_by: Annotated[
        Path | None,
        typer.Option(
            metavar="PUBLIC",
            help="Check the signature of the run with this public key (PEM or OpenSSH).",
        ),
    ] = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Check a run folder.

    Derives every quantity, origin, verdict, and cost again from the run's own facts. Compares these facts with the installed data and, with --case,
    with the case. Reports facts that nothing vouches for, and proves in exact arithmetic how much cheaper any plan can be.
    """
    from ..recommend import ProofEffort, verify_run
    from ..report import run_check_data, run_check_document

    # Ctrl-C ends the search of --solve. Otherwise it ends the command at once, as usual.
    with Interrupt() if solve else nullcontext() as cancel, progress_bar(quiet, "proving") as progress:
        effort = ProofEffort(seconds=time_limit, solve=solve, progress=progress, cancel=cancel)
        checked = verify_run(run, installed(block), case, effort, signed_by)
    answer(as_json, lambda: dated_data(run_check_data(checked)), lambda: dated(run_check_document(checked)))
    return checked.exit_code


FormatName = Annotated[
    str | None,
    typer.Option(
        "--format",
        metavar="NAME",
        help="md: one page of Markdown. html, xlsx: the whole run with charts as a page or a workbook. Plugins may add others. "
        "Default: as the name of --out ends, else md.",
    ),
]
QuestionTexts = Annotated[
    list[str] | None,
    typer.Option(
        "--with",
        metavar="QUESTIONS",
        help="Questions about the run to answer in the same report, separated by commas: alternatives,ledger,stress, "
        "why-not=OFFER, programs:budgets=FILE. Repeatable.",
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
    typer.Option(
        "--verify/--no-verify", help="Verify the run first. A report without verification says so at the top."
    ),
]


@answering
def report(
    run: RunPath,
    name: FormatName = None,
    question_texts: QuestionTexts = None,
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
    from ..report.caveats import caveat_data
    from ..report.formats import format_named, format_of, rendered, write_document
    from ..report.page import page_headline
    from ..run import read_run
    from ..writing import reject_existing

    registry = installed(block)
    if out is not None:
        reject_existing(out)  # before the work, not after it
    form = format_of(out, registry) if out is not None and name is None else format_named(name or "md", registry)
    if out is None and not form.is_text:
        fix = "add --out FILE"
        raise InputError(
            f"`{form.name}` isn't a text format, so it can't be printed", column="--format", fix=fix, code="FS504"
        )
    questions = questions_named(question_texts or (), registry)
    stored = read_run(run)
    checked: RunCheck | None = None
    if verified:
        from ..recommend import verify_stored  # loads the solver

        checked = verify_stored(stored, registry, case)
    shared = {"time_limit": time_limit, "gap": DEFAULT_GAP, "workers": workers, "strict": False}
    values = {**shared, "quiet": quiet, "as_json": as_json}
    is_sound = checked is None or not checked.findings
    document = form.of_run(
        stored.run, checked, answers_of(questions, run, registry, values) if questions and is_sound else []
    )
    if out is not None:
        wrote(as_json, [write_document(out, document, form)])
    else:
        text = rendered(document, form).decode()
        if as_json:
            headline = page_headline(stored.run, checked).model_dump(mode="json")
            show_json(
                {
                    "format": form.name,
                    "headline": headline,
                    "text": text,
                    "caveats": caveat_data(stored.run) if is_sound else [],
                }
            )
        else:
            bare(text.rstrip("\n"))
    return checked.exit_code if checked is not None else 0
