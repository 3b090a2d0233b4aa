"""`friendshore verify`, and `friendshore sign`: what does not hold is not signed."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated

import typer

from ..domain.watch import LONGEST_SECONDS
from .options import AsJson, Blocked, OfCase, Quiet, RunPath, installed
from .output import answer, answering, bare, show_json
from .waiting import Interrupt, progress_bar

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
