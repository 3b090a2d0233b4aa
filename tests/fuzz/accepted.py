"""What may be changed in a run without `verify` finding it, and why: everything else that it lets pass is a fault."""

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
    """Regular expression for the whole of their pattern."""
    why: str
    told: str = ""
    """What `verify` must say of it, as taken from the run or as different here; empty: nothing, since nobody would believe anything else."""
    ways: tuple[str, ...] = WAYS


ACCEPTED: tuple[Accepted, ...] = (
    Accepted("run.json", "made", "the day on which a run was made follows from nothing", "the date of the run"),
    Accepted("run.json", r"versions\..*", "which versions made it follows from nothing", "the versions that made it"),
    Accepted("facts.json", r"plan\.objective", "the solver's own word; every figure that is shown is derived from the purchases", ways=("other",)),
    Accepted("facts.json", r"rules\.\*\.owner", "who brought a built-in kind; another version of it is told", "it was made by"),
    Accepted("run.json", "components", "how many parts were solved apart follows from the search", "the number of its independent parts"),
)  # fmt: skip
"""All of them."""


def reason_for(leaf: Leaf, way: str, said: RunCheck) -> str:
    """Why a change that was let pass may be; empty: it may not."""
    for entry in ACCEPTED:
        meant = entry.file == leaf.file and way in entry.ways and re.fullmatch(entry.pattern, leaf.pattern)
        if meant and (not entry.told or any(entry.told in line for line in (*said.as_told, *said.differs))):
            return entry.why
    return ""
