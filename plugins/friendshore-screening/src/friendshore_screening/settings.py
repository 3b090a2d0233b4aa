"""What a case sets: `[plugin.friendshore-screening]`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic import Field

from friendshore.domain.base import Fault, Fitting, Given

from .names.score import MATCH, REVIEW


class ListFile(Fitting):
    """A list that is screened against: `{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }`.

    Or an edition that comes with the plugin: `{ list = "us-1260h", edition = 2026-06-08 }`.
    """

    file: str = ""
    """File, from the folder of the case on; of OFAC's, the one with the entries, with the others beside it. Empty: an edition that comes with the plugin."""
    format: str = ""
    """`csl-csv`, `csl-json`, `ofac-sdn`, `ofac-consolidated`, `eu-csv`, `eu-xml` or `table`; empty where no file is named."""
    edition: date
    """Day of the publisher's edition."""
    list: str = ""
    """Which list it is, where the format does not say: `us-1260h`, `us-uflpa`."""

    @property
    def called(self) -> str:
        """What it is told as."""
        return self.file or f"{self.list} {self.edition}"

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A file without its format, and neither a file nor a list."""
        file, form = given.get("file", ""), given.get("format", "")
        if file and not form:
            fix = "name the format; without a file, `list` and `edition` name an edition that comes with the plugin"
            yield Fault("format", "is needed with `file`", "a format, such as csl-csv", fix, ("file",))
        if form and not file:
            yield Fault(
                "file", "is needed with `format`", "a file", "name the file, or leave `format` out", ("format",)
            )
        if not file and not form and not given.get("list", ""):
            fix = 'name a file and its format, or an edition that comes with the plugin: list = "us-1260h"'
            yield Fault("list", "nothing says which list it is", "a list", fix, ("file", "format"))


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
        lists = [one.called for one in given.get("lists") or () if isinstance(one, ListFile)]
        for name in sorted({name for name in lists if lists.count(name) > 1}):
            yield Fault("lists", f"names `{name}` twice", "each list once")
