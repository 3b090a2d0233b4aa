"""What a case sets: `[plugin.friendshore-screening]`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic import Field

from friendshore.domain.base import Fault, Fitting, Given, Record

from .names.score import MATCH, REVIEW


class ListFile(Record):
    """A list that is screened against: `{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }`."""

    file: str
    """File, from the folder of the case on; of OFAC's, the one with the entries, with the others beside it."""
    format: str
    """`csl-csv`, `csl-json`, `ofac-sdn`, `ofac-consolidated`, `eu-csv`, `eu-xml` or `table`."""
    edition: date
    """Day of the publisher's edition."""
    list: str = ""
    """Which list it is, where the format does not say: `us-1260h`, `us-uflpa`."""


class ScreeningSettings(Fitting):
    """All that is set."""

    lists: tuple[ListFile, ...] = ()
    owners: str = ""
    """Table of owners, from the folder of the case on; empty: only the `parent` of facilities is known."""
    decisions: str = ""
    """Table of what a reviewer decided."""
    match: float = Field(default=MATCH, gt=0, le=1)
    """Score from which on a name is taken for a listed one."""
    review: float = Field(default=REVIEW, gt=0, le=1)
    """Score from which on somebody has to look."""
    oldest: int = Field(default=30, ge=0)
    """Days that an edition may be old; `--strict` refuses an older one."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A band of reviews that begins above that of matches."""
        match, review = given.get("match", MATCH), given.get("review", REVIEW)
        if isinstance(match, float) and isinstance(review, float) and review > match:
            yield Fault("review", "is above `match`, so that nothing is ever under review", f"at most {match:g}")
