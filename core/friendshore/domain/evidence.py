"""Where a figure comes from, and how far to trust it."""

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
"""The source of a record, as `catalog:id`; empty for none."""
Cited = Annotated[
    str,
    Names("source"),
    Written("usgs-ga-2026", needed=True, meaning="Evidence of the figure: an id of `sources.csv`, or `catalog:id`."),
]
"""The same of a figure, which no file may leave out."""
Note = Annotated[str, Written("nameplate, not yet proved", meaning="What a reader should know.")]
Why = Annotated[str, Written("letter of 2026-08-01", meaning="Reason or evidence, printed beside it.")]


class Confidence(StrEnum):
    """How well a figure is founded, from least to most."""

    ASSUMED = "assumed"
    """Somebody's working assumption."""
    RECALLED = "recalled"
    """General knowledge, not checked."""
    REPORTED = "reported"
    """Read, but only in a secondary source."""
    QUOTED = "quoted"
    """The supplier's own word, in a quotation with a day until which it is valid."""
    COMPUTED = "computed"
    """Derived by arithmetic from verified figures or from definitions."""
    VERIFIED = "verified"
    """Read in a primary, official or trade source."""

    @property
    def rank(self) -> int:
        """Position in the order from least to most trusted."""
        return _RANKS[self._value_]

    def reaches(self, least: Confidence) -> bool:
        """Return True if this is at least as well founded as `least`."""
        return _RANKS[self._value_] >= _RANKS[least._value_]


_RANKS = {confidence.value: rank for rank, confidence in enumerate(Confidence)}
"""By value: a member's own hash is worked out in Python."""


class Source(Record):
    """The evidence behind one or more figures."""

    id: Annotated[str, Written("usgs-ga-2026", sort=ident)]
    """Name by which rows refer to it.

    Once read, `catalog:name`."""
    reference: Annotated[str, Written("USGS MCS 2026, gallium")]
    """Title, address or document."""
    date: Annotated[datetime.date | None, Written("2025-12-31")] = None
    """Day of its facts: the one they are stated for, else that of publication. Blank: unknown, which counts as old."""
    read: Annotated[datetime.date | None, Written("2026-11-24")] = None
    """Day on which it was last read; says nothing of how old the facts are."""
    states: Annotated[tuple[Step, ...], Written("mined;refined")] = ()
    """Stages of which it says where all of it was done; a chain entry that is `complete` rests on a source that states its stage."""
    confidence: Annotated[Confidence, Written("verified")]
    """How far to trust it."""
    note: Note = ""

    def proves(self, step: str) -> bool:
        """Return True if it says where a stage or step happened: that step, or the whole stage that it belongs to."""
        return step in self.states or stage_of(step) in self.states
