"""`friendshore lock`."""

from __future__ import annotations

from .installed import Blocked, installed
from .options import AsJson, CasePath
from .output import answering, bare, show_json


@answering
def lock(case: CasePath, block: Blocked = None, as_json: AsJson = False) -> int:
    """Write friendshore.lock beside a case: the version and the hash of everything its result rests on, for `plan --locked`."""
    from pathlib import Path

    from ..case import load_case
    from ..recommend import LOCK_FILE, gather, lock_of, write_lock

    read = load_case(case)
    path = (read.folder or Path()) / LOCK_FILE
    made = lock_of(gather(read, installed(block)))
    changed = write_lock(path, made)
    if as_json:
        show_json({"wrote": str(path) if changed else "", "lock": made.model_dump(mode="json", by_alias=True)})
    else:
        kinds = ", ".join(f"{one.kind} {one.name}" for one in made.locked)
        bare(f"{'wrote' if changed else 'unchanged:'} {path}: {kinds or 'nothing is used'}")
    return 0
