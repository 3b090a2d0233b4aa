"""Roles of texts and of parts of charts, which renderers show as colors."""

from __future__ import annotations

from enum import StrEnum


class Tone(StrEnum):
    """Role of a text or a part of a chart, which renderers show as a color."""

    PLAIN = "plain"
    TITLE = "title"
    """Headings. In charts, neutral: amounts without an origin, and rules in force."""
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    ASIDE = "aside"
    """Of little weight, such as the effort of an answer."""
    CHOICE = "choice"
    """Chosen by the user, such as scenarios."""
    CONCERN = "concern"
    """From a country of concern."""
    UNKNOWN = "unknown"
    """Of unknown origin or status, which charts hatch."""
