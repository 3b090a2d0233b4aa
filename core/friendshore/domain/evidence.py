"""Where a figure comes from, and how far to trust it."""

from __future__ import annotations

import datetime
from enum import StrEnum

from .base import Record
from .stages import stage_of


class Confidence(StrEnum):
    """How well a figure is founded, from least to most."""

    ASSUMED = "assumed"
    """Somebody's working assumption."""
    RECALLED = "recalled"
    """General knowledge, not checked."""
    REPORTED = "reported"
    """Read, but only in a secondary source."""
    COMPUTED = "computed"
    """Derived by arithmetic from verified figures or from definitions."""
    VERIFIED = "verified"
    """Read in a primary, official or trade source."""

    @property
    def rank(self) -> int:
        """Position in the order from least to most trusted."""
        return _RANKS[self]

    def reaches(self, least: Confidence) -> bool:
        """Whether this is at least as well founded as `least`."""
        return self.rank >= least.rank


_RANKS = {confidence: rank for rank, confidence in enumerate(Confidence)}


class Source(Record):
    """The evidence behind one or more figures."""

    id: str
    """Name by which rows refer to it; `catalog:name` once read."""
    reference: str
    """Title, address or document, so that a reader can find it."""
    date: datetime.date | None = None
    """The day of its facts: the one they are stated for, else that of publication; none: unknown."""
    read: datetime.date | None = None
    """The day on which somebody last read it. It says nothing of how old the facts are."""
    states: tuple[str, ...] = ()
    """Stages, or steps of one, of which it says where all of what it is about was done."""
    confidence: Confidence
    """How far to trust it."""
    note: str = ""
    """What to know when using it."""

    def proves(self, step: str) -> bool:
        """Whether it says where a stage or step happened: that step, or the whole stage that it belongs to."""
        return step in self.states or stage_of(step) in self.states
