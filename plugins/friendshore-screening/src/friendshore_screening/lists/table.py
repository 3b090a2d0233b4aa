"""A list of one's own: transcribed from a document, such as section 1260H or the UFLPA Entity List, or a company's own."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

from friendshore.domain.base import Record
from friendshore.domain.values import CountryCodes
from friendshore.domain.written import Written
from friendshore.errors import Diagnostic
from friendshore.readers import read_record_rows

from .entries import ListEntry, refused, split_names, unique


class ListedParty(Record):
    """A row of a list of one's own."""

    name: Annotated[str, Written("Example Group Co., Ltd.")]
    """Name of the party as the document has it."""
    aliases: Annotated[str, Written("EG; Exampel Group")] = ""
    """Other names, set apart by `;`."""
    id: Annotated[str, Written("EX-1")] = ""
    """What the document calls the entry; blank: its name."""
    parent: Annotated[str, Written("Example Holding")] = ""
    """Listed party that it stands under in the document."""
    countries: Annotated[CountryCodes, Written("CN")] = frozenset()
    """Where it is."""
    start: Annotated[date | None, Written("2026-06-08", "from")] = None
    """First day on the list."""
    end: Annotated[date | None, Written("2027-01-31", "until")] = None
    """Last day on the list; blank: it still stands there."""
    source: Annotated[str, Written("91 FR 12345, 2026-06-08")]
    """Document, with its date."""


def read_table(path: Path, listed: str) -> tuple[ListEntry, ...]:
    """A CSV file or workbook with the columns of `ListedParty`.

    Raises:
        InputError: with all that is wrong with it.
    """
    file, rows = read_record_rows(path, ListedParty, "Parties on a list.")
    entries = []
    for row in rows:
        one = row.record
        remarks = f"under {one.parent}" if one.parent else ""
        names = split_names(one.aliases)
        entries.append(
            ListEntry(
                listed,
                one.id or one.name,
                one.name,
                names,
                countries=tuple(sorted(one.countries)),
                start=one.start,
                end=one.end,
                remarks=remarks,
                source=one.source,
                line=row.line,
            )
        )
    found: list[Diagnostic] = []
    listed_entries = unique(entries, file, found)
    if found:
        raise refused(found)
    return listed_entries
