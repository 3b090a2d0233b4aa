"""What a case sets: `[plugin.friendshore-screening]`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from pydantic import Field

from friendshore.domain.base import Fault, Fitting, Given
from friendshore.domain.suggest import nearest

from .law import laws
from .lists.us import CONSOLIDATED, CSL_LISTS
from .names.score import MATCH, REVIEW

PLUGIN = "friendshore-screening"
NAME_ONE = (
    f'name one under [plugin.{PLUGIN}]: lists = [{{ file = "sdn.csv", format = "ofac-sdn", edition = 2026-11-20 }}]'
)
SLIP = 0.8
"""From how much alike on a list that nobody knows is taken for a slip of the pen in the name of one, which would bar nothing."""


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
        """A file without its format, neither a file nor a list, and a list that is none, or is not for the case to say."""
        file, form, listed = (str(given.get(key, "")) for key in ("file", "format", "list"))
        if file and not form:
            fix = "name the format; without a file, `list` and `edition` name an edition that comes with the plugin"
            yield Fault("format", "is needed with `file`", "a format, such as csl-csv", fix, ("file",))
        if form and not file:
            yield Fault(
                "file", "is needed with `format`", "a file", "name the file, or leave `format` out", ("format",)
            )
        if not file and not form and not listed:
            fix = 'name a file and its format, or an edition that comes with the plugin: list = "us-1260h"'
            yield Fault("list", "nothing says which list it is", "a list", fix, ("file", "format"))
        if form == "table" and not listed:
            fix = "name the list, such as us-sdn: what it bars is looked up by that"
            yield Fault("list", "nothing says which list the table is of", "a list", fix, ("format",))
        if listed and form.startswith(("csl-", "eu-")):
            message = f"each entry of `{form}` says itself which list it is of"
            yield Fault("list", message, "", "leave `list` out", ("format",))
        known = {*(law.list for law in laws()), *CSL_LISTS.values(), *CONSOLIDATED.values()}
        if listed not in known and (meant := nearest(listed.strip(), known, SLIP)) is not None:
            message = f"`{listed}` is no list of which any law is known"
            yield Fault("list", message, meant, f"write `{meant}`, or call a list of one's own otherwise")


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
