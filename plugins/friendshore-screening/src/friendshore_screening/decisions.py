"""What a reviewer decided about names that look alike, kept beside the case: by whom, when and why; honoured until the entry changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Annotated, Literal

from friendshore.domain.base import Record
from friendshore.domain.time import today
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import read_record_rows

from .lists.entries import ListEntry, refused


class ReviewDecision(Record):
    """A row of the table of decisions."""

    party: Annotated[str, Written("Example Metals")]
    """Party of the case."""
    list: Annotated[str, Written("us-sdn")]
    entry: Annotated[str, Written("12345")]
    """Entry, by the id that `screen` shows."""
    decision: Annotated[Literal["same", "other"], Written("other")]
    """Whether the party is the listed one, or another."""
    by: Annotated[str, Written("J. Doe")]
    """Who decided."""
    day: Annotated[date, Written("2026-11-27", "date")]
    """When."""
    reason: Annotated[str, Written("registered in another country, other directors")]
    content: Annotated[str, Written("5d697dd96d13afe5")]
    """Hash of the entry as it was decided about, as `screen` shows it: once the entry says something else, the decision lapses."""

    def honoured(self, entry: ListEntry) -> bool:
        """Whether the entry still says what it said."""
        return self.content == entry.digest


def read_decisions(path: Path) -> tuple[ReviewDecision, ...]:
    """The table of decisions.

    Raises:
        InputError: with all that is wrong with it, two decisions about the same and days to come included.
    """
    file, rows = read_record_rows(path, ReviewDecision, "What a reviewer decided about names that look alike.")
    seen: dict[tuple[str, str, str], int] = {}
    found = []
    for row in rows:
        key = (row.record.party, row.record.list, row.record.entry)
        before = seen.setdefault(key, row.line)
        if before != row.line:
            found.append(Diagnostic(f"line {before} already decides about this", file, row.line, fix="delete one"))
        if not all(text.strip() for text in (row.record.by, row.record.reason)):
            found.append(Diagnostic("does not say by whom, or why", file, row.line, expected="a name and a reason"))
        if row.record.day > today():
            found.append(
                Diagnostic("is of a day to come", file, row.line, "date", str(row.record.day), f"{today()} or before")
            )
    if found:
        raise refused(found)
    return tuple(row.record for row in rows)


def draft(rows: Sequence[tuple[str, ListEntry]]) -> str:
    """Rows of the table for what nobody has decided about, to be filled in: party, list, entry and hash."""
    import csv
    import io

    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("party", "list", "entry", "decision", "by", "date", "reason", "content"))
    writer.writerows((party, entry.list, entry.id, "", "", "", "", entry.digest) for party, entry in rows)
    return out.getvalue()
