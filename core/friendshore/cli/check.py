"""`friendshore check`."""

from __future__ import annotations

from .installed import Blocked, installed
from .options import AsJson, CasePath
from .output import answering, complain, show, show_json
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
