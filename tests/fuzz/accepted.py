"""Changes of a run that `verify` may accept, with reasons. Any other accepted change is a fault."""

from __future__ import annotations

import re
from dataclasses import dataclass

from friendshore.recommend import RunCheck

from .leaves import WAYS, Leaf


@dataclass(frozen=True, slots=True)
class Accepted:
    """Leaves that may be changed."""

    file: str
    pattern: str
    """Regular expression for their whole pattern."""
    why: str
    reported: str = ""
    """Text that `verify` must report as stated in the run or as different. Empty if it need not report it."""
    ways: tuple[str, ...] = WAYS


ACCEPTED: tuple[Accepted, ...] = (
    Accepted("run.json", "planned_on", "the day on which a run was made follows from nothing", "the date of the run"),
    Accepted("run.json", r"versions\..*", "which versions made it follows from nothing", "the versions that made it"),
    Accepted("facts.json", r"plan\.objective", "the solver's own word; every figure that is shown is derived from the purchases", ways=("other",)),
    Accepted("facts.json", r"rules\.\*\.owner", "who brought a built-in kind; another version of it is told", "it was made by"),
    Accepted("run.json", "components", "how many parts were solved apart follows from the search", "the number of its independent parts"),
)  # fmt: skip


def reason_for(leaf: Leaf, way: str, check: RunCheck) -> str:
    """Return the reason why a change may be accepted. Empty if there is none."""
    for entry in ACCEPTED:
        is_match = entry.file == leaf.file and way in entry.ways and re.fullmatch(entry.pattern, leaf.pattern)
        if is_match and (
            not entry.reported or any(entry.reported in line for line in (*check.as_told, *check.differs))
        ):
            return entry.why
    return ""
