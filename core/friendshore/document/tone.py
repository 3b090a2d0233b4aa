"""What a text or a part of a chart is to its reader."""

from __future__ import annotations

from enum import StrEnum


class Tone(StrEnum):
    """What a text or a part of a chart is to its reader; a renderer that has colours shows it."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    ASIDE = "aside"
    """Of little weight: what an answer took."""
    CHOICE = "choice"
    """What whoever asked chose: scenarios."""
