"""`friendshore verify`, `report` and `sign`: what does not hold is neither told nor signed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Annotated

import typer

from ..domain.watch import LONGEST_SECONDS
from ..errors import InputError
from .asking import answers_of, questions_named
from .cases import write_new
from .options import DEFAULT_GAP, AsJson, Blocked, OfCase, Quiet, RunPath, TimeLimit, Workers, installed
from .output import answer, answering, bare, show_json, wrote
from .waiting import Interrupt, progress_bar

if TYPE_CHECKING:
    from ..document.elements import Document
    from ..domain.run import Run
    from ..plugins import Registry
    from ..recommend import RunCheck
    from ..run import RunFolder

SECONDS = 30.0
"""Time for the proof, if nothing else is asked: what `friendshore.proof` says, which is slow to import."""


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
            max=LONGEST_SECONDS,
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
    """Check a run folder: every quantity, origin, verdict and cost derived again from its own facts, and these compared whole with what is
    installed here and, with --case, with the case. Says what nothing vouches for, and proves in exact arithmetic how much cheaper than this
    one any plan can be.
    """
    from ..recommend import ProofEffort, verify_run
    from ..report import run_check_data, run_check_document

    # A plan that is made again is ended by Ctrl-C; all else is, as in any command, left at once.
    with Interrupt() if solve else nullcontext() as cancel, progress_bar(quiet, "proving") as progress:
        effort = ProofEffort(seconds=time_limit, solve=solve, progress=progress, cancel=cancel)
        found = verify_run(run, installed(block), case, effort, signed_by)
    answer(as_json, lambda: run_check_data(found), lambda: run_check_document(found))
    return found.exit_code


Key = Annotated[
    Path, typer.Option("--key", metavar="KEY", help="Private Ed25519 key, as PEM or of OpenSSH.", show_default=False)
]


@answering
def sign(
    run: RunPath,
    key: Key,
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Sign a run folder, so that `verify --signed-by` tells whether it is still the one that was signed. What does not hold is not signed."""
    from ..recommend import ProofEffort, verify_run
    from ..report import run_check_data, run_check_document
    from ..run import sign_run
    from ..run.signing import signer

    made = signer(key)
    found = verify_run(run, installed(block), effort=ProofEffort(prove=False))
    if found.findings:
        answer(as_json, lambda: run_check_data(found), lambda: run_check_document(found))
        return found.exit_code
    path = sign_run(run, made)
    if as_json:
        show_json({"wrote": str(path)})
    else:
        bare(f"wrote {path}")
    return 0


class Format(StrEnum):
    """Forms of a report."""

    MARKDOWN = "md"
    HTML = "html"
    XLSX = "xlsx"


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


@answering
def report(
    run: RunPath,
    form: Annotated[
        Format,
        typer.Option(
            "--format",
            help="One page of Markdown, or all of the run with charts as one file of HTML or as a workbook (with --out).",
        ),
    ] = Format.MARKDOWN,
    asked: Asked = None,
    out: Into = None,
    verified: Annotated[
        bool,
        typer.Option(
            "--verify/--no-verify", help="Check the run first; a page without a check says so above all else."
        ),
    ] = True,
    case: OfCase = None,
    time_limit: TimeLimit = None,
    workers: Workers = None,
    block: Blocked = None,
    quiet: Quiet = False,
    as_json: AsJson = False,
) -> int:
    """Tell a run to whoever decides. The run is verified first: of one that does not hold, only what failed verification is told."""
    from ..run import read_run
    from ..writing import refuse_present

    if out is not None:
        refuse_present(out)  # before the work, not after it
    elif form is Format.XLSX:
        raise InputError("a workbook is no text to be shown", column="--format", fix="name a file to write: --out FILE")
    registry = installed(block)
    questions = questions_named(asked or (), registry)
    stored = read_run(run)
    checked = _checked(stored, registry, case) if verified else None
    given = {
        "time_limit": time_limit,
        "gap": DEFAULT_GAP,
        "workers": workers,
        "strict": False,
        "quiet": quiet,
        "as_json": as_json,
    }
    holds = checked is None or not checked.findings
    answers = answers_of(questions, run, registry, given) if questions and holds else []
    if form is Format.XLSX and out is not None:
        from ..document.workbook import workbook
        from ..report import report_document

        made = workbook(report_document(stored.run, checked, answers), out.name)
        wrote(as_json, write_new(out.parent, {PurePosixPath(out.name): made}))
        return checked.exit_code if checked is not None else 0
    text = _text(form, stored.run, checked, answers)
    if out is not None:
        wrote(as_json, write_new(out.parent, {PurePosixPath(out.name): text}))
    elif as_json:
        show_json({"format": form.value, "text": text})
    else:
        bare(text.rstrip("\n"))
    return checked.exit_code if checked is not None else 0


def _text(form: Format, run: Run, checked: RunCheck | None, answers: Sequence[Document]) -> str:
    if form is Format.HTML:
        from ..document.html import html
        from ..report import report_document

        return html(report_document(run, checked, answers))
    from ..document.markdown import markdown
    from ..report import page_document

    return markdown(page_document(run, checked, answers))


def _checked(stored: RunFolder, registry: Registry, case: Path | None) -> RunCheck:
    from ..recommend import verify_stored

    return verify_stored(stored, registry, case)
