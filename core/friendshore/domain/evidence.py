"""Sources of figures, and their confidence."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

from .base import Record
from .naming import Names
from .stages import stage_of
from .values import Step, ident
from .written import Written

Evidence = Annotated[
    str, Names("source"), Written("usgs-ga-2026", meaning="Evidence: an id of `sources.csv`, or `catalog:id`.")
]
"""Source of a record, as `catalog:id`. Empty if none."""
Cited = Annotated[
    str,
    Names("source"),
    Written("usgs-ga-2026", needed=True, meaning="Evidence of the figure: an id of `sources.csv`, or `catalog:id`."),
]
"""Source of a figure, as `catalog:id`. Required in files."""
Note = Annotated[str, Written("nameplate, not yet proved", meaning="What a reader should know.")]
Why = Annotated[str, Written("letter of 2026-08-01", meaning="Reason or evidence, printed beside it.")]


class Confidence(StrEnum):
    """Confidence in a figure, from lowest to highest."""

    ASSUMED = "assumed"
    """A working assumption."""
    RECALLED = "recalled"
    """General knowledge, not checked."""
    REPORTED = "reported"
    """Read only in a secondary source."""
    QUOTED = "quoted"
    """Stated by the supplier, in a quotation with a last day of validity."""
    COMPUTED = "computed"
    """Derived by arithmetic from verified figures or from definitions."""
    VERIFIED = "verified"
    """Read in a primary, official, or trade source."""

    @property
    def rank(self) -> int:
        return _RANKS[self._value_]

    def reaches(self, minimum: Confidence) -> bool:
        return _RANKS[self._value_] >= _RANKS[minimum._value_]


# By value, because the hash of an enum member runs in Python and is slower.
_RANKS = {confidence.value: rank for rank, confidence in enumerate(Confidence)}


class Source(Record):
    """Evidence for one or more figures."""

    id: Annotated[str, Written("usgs-ga-2026", sort=ident)]
    """Name by which rows refer to it.

    After reading, `catalog:name`."""
    reference: Annotated[str, Written("USGS MCS 2026, gallium")]
    """Title, address, or document."""
    date: Annotated[datetime.date | None, Written("2025-12-31")] = None
    """Date of its facts, or else of publication. Blank means unknown, which counts as old."""
    read: Annotated[datetime.date | None, Written("2026-11-24")] = None
    """Date of the last reading. Independent of the age of the facts."""
    states: Annotated[tuple[Step, ...], Written("mined;refined")] = ()
    """Stages whose full locations it states. A chain entry that is `complete` needs a source that states its stage."""
    confidence: Annotated[Confidence, Written("verified")]
    """Confidence in the source."""
    note: Note = ""

    def proves(self, step: str) -> bool:
        return step in self.states or stage_of(step) in self.states
