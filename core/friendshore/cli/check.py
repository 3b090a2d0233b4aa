"""`friendshore check`, and `friendshore lock`: what a case rests on."""

from __future__ import annotations

from .options import AsJson, Blocked, CasePath, installed
from .output import answering, bare, complain, show, show_json
from .waiting import progress_bar


@answering
def check(case: CasePath, block: Blocked = None, as_json: AsJson = False) -> int:
    """List every mistake of a case, its catalogs, packs and rules, and what could be sharper. Solves nothing."""
    from .. import recommend
    from ..reading.today import today
    from ..report import check_data, check_document

    with progress_bar(as_json, "reading", "rows"):
        found = recommend.check(case, installed(block))
    if as_json:
        show_json(check_data(found))
    else:
        complain(found.errors)
        show(check_document(found, today()))
    return found.exit_code


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
