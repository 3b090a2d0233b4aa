"""`friendshore sign`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .installed import Blocked, installed
from .options import AsJson, RunPath
from .output import answering, bare, show, show_json

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
        show_json(run_check_data(found)) if as_json else show(run_check_document(found))
        return found.exit_code
    path = sign_run(run, made)
    if as_json:
        show_json({"wrote": str(path)})
    else:
        bare(f"wrote {path}")
    return 0
