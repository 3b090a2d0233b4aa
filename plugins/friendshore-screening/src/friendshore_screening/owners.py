"""The table of owners: who holds what of whom, from when to when, and who says so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated

from friendshore.domain.base import Fault, Fitting, Given
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.values import Part
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import RecordRow, read_record_rows

from .lists.entries import refused
from .ownership import Stake


class OwnerRow(Fitting):
    """A row of the table of owners."""

    owner: Annotated[str, Written("Example Group")]
    """Who holds it; `independent`: it is said that nobody listed does."""
    owned: Annotated[str, Written("Example Metals")]
    """Company, called as in `operator`, `parent` or `owner`."""
    share: Annotated[Part | None, Written("60 %")] = None
    """What is held; blank, with `least` and `most` blank too: nobody says."""
    least: Annotated[Part | None, Written("25 %")] = None
    """What is held at least, where the share is not known exactly."""
    most: Annotated[Part | None, Written("50 %")] = None
    """What is held at most."""
    start: Annotated[date | None, Written("2026-07-01", "from")] = None
    """First day; blank: since nobody knows when, and so on every day."""
    end: Annotated[date | None, Written("2027-12-31", "until")] = None
    """Last day; blank: it goes on."""
    source: Annotated[str, Written("annual report 2025")]
    """Who says so, and when."""

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """A share said twice, and bounds or days in the wrong order."""
        share, least, most = (given.get(name) for name in ("share", "least", "most"))
        if share is not None and (least is not None or most is not None):
            yield Fault("share", "says twice what is held", "either share, or least and most", "", ("least", "most"))
        if isinstance(least, Decimal) and isinstance(most, Decimal) and least > most:
            yield Fault("most", "is below `least`", f"{least} or more", "", ("least",))
        start, end = given.get("start"), given.get("end")
        if isinstance(start, date) and isinstance(end, date) and end < start:
            yield Fault("end", "is before `from`", f"{start} or later", "", ("start",))

    @property
    def stake(self) -> Stake:
        """What it says."""
        least = self.share if self.share is not None else self.least
        most = self.share if self.share is not None else self.most
        return Stake(
            self.owner, self.owned, Fraction(least or 0), Fraction(1 if most is None else most), self.start, self.end, self.source
        )  # fmt: skip


def read_owners(path: Path, known: Collection[str]) -> tuple[Stake, ...]:
    """The table of owners.

    Args:
        path: the table.
        known: what suppliers and parents of the case are called; owners of the table are known too. Of nobody else anything is held: a
            name that is misspelt would clear somebody, or keep a listed owner out of sight.

    Raises:
        InputError: with all that is wrong with it, least shares of more than all of a company included.
    """
    file, rows = read_record_rows(path, OwnerRow, "Who holds what of whom.")
    found = [*_too_much(file, rows), *_unheard_of(file, rows, known)]
    if found:
        raise refused(found)
    return tuple(row.record.stake for row in rows)


def _unheard_of(file: str, rows: Sequence[RecordRow[OwnerRow]], known: Collection[str]) -> Iterator[Diagnostic]:
    """Companies that nobody in the case or the table is called."""
    names = {*known, *(row.record.owner for row in rows)}
    for row in rows:
        if row.record.owned not in names:
            expected = "a supplier or parent of the case, or an owner of this table"
            fix = did_you_mean(row.record.owned, names) or "write it as the catalog does, or delete the row"
            message = "nobody in the case is called so"
            yield Diagnostic(message, file, row.line, "owned", f"`{row.record.owned}`", expected, fix)


def _too_much(file: str, rows: Sequence[RecordRow[OwnerRow]]) -> Iterator[Diagnostic]:
    """Companies of which more than all is held on a day."""
    of: dict[str, list[RecordRow[OwnerRow]]] = defaultdict(list)
    for row in rows:
        of[row.record.owned].append(row)
    for company, stakes in of.items():
        for row in stakes:
            day = row.record.start or min((s.record.end for s in stakes if s.record.end), default=date.max)
            held = sum((s.record.stake.least for s in stakes if s.record.stake.held(day)), Fraction(0))
            if held > 1:
                told = f"{float(held):.2%} on {day}" if day != date.max else f"{float(held):.2%}"
                fix = "say until when former owners held their shares"
                yield Diagnostic(
                    f"of `{company}` more than all is held", file, row.line, "share", told, "100 % at most", fix
                )
                break
