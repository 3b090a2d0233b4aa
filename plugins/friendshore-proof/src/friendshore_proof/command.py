"""The command `sign`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from friendshore.cli.options import AsJson, Blocked, RunPath, installed
from friendshore.cli.output import answer, bare, show_json
from friendshore.recommend import ProofEffort, verify_run
from friendshore.report import run_check_data, run_check_document
from friendshore.run import sign_run

from .signing import signer


def sign(
    run: RunPath,
    key: Annotated[
        Path,
        typer.Option("--key", metavar="KEY", help="Private Ed25519 key in PEM or OpenSSH format.", show_default=False),
    ],
    block: Blocked = None,
    as_json: AsJson = False,
) -> int:
    """Sign a run folder, so that `verify --signed-by` can show who signed it and that it hasn't changed.

    A run that fails verification isn't signed.
    """
    sign_bytes = signer(key)
    checked = verify_run(run, installed(block), effort=ProofEffort(prove=False))
    if checked.findings:
        answer(as_json, lambda: run_check_data(checked), lambda: run_check_document(checked))
        return checked.exit_code
    path = sign_run(run, sign_bytes)
    show_json({"wrote": str(path)}) if as_json else bare(f"wrote {path}")
    return 0
