"""What a plan does not count, row by row: offers that are unproven, forbidden, or without a figure; with how many rows there are beyond those told."""

from __future__ import annotations

from collections.abc import Sequence

from ..document import elements as doc
from ..document.figures import count
from ..domain.base import grouped
from ..domain.run import Run

ROWS = 100
"""Rows of each table."""


def kept_out_section(run: Run) -> doc.Section | None:
    """Three tables, each with what would let an offer count."""
    return doc.section_if_any("What is not counted", _unproven(run), _leads(run), _blocked(run))


def _unproven(run: Run) -> doc.Section | None:
    if not run.unproven:
        return None
    groups = grouped(((row.offer, row.reason or f"{row.rule} at {row.stage}"), row) for row in run.unproven)
    rows = [
        [
            offer,
            ", ".join(dict.fromkeys(f"{row.demand_material} for {row.end_use}" for row in some)),
            some[0].rule,
            reason,
        ]
        for (offer, reason), some in list(groups.items())[:ROWS]
    ]
    offers = len({row.offer for row in run.unproven})
    title = f"Unproven: {count(offers, 'offer')} would pass if proof were given"
    made = doc.table(map(doc.Column, ("Offer", "Kept from", "Rule", "Not proved")), rows)
    return doc.section(title, made, doc.notes(more(len(groups) - ROWS, "row", "run.json")))


def _leads(run: Run) -> doc.Section | None:
    if not run.leads:
        return None
    rows = [
        [lead.offer, ", ".join(lead.materials), lead.facility, lead.country, "; ".join(lead.reasons)]
        for lead in run.leads[:ROWS]
    ]
    title = f"Leads: {count(len(run.leads), 'offer')} not counted until the case gives a figure"
    made = doc.table(map(doc.Column, ("Offer", "Material", "Facility", "In", "What is wanting")), rows)
    return doc.section(title, made, doc.notes(more(len(run.leads) - ROWS, "lead", "run.json")))


def _blocked(run: Run) -> doc.Section | None:
    """A row for each rule and what it says, with the uses and offers concerned."""
    if not run.blocked:
        return None
    groups = grouped(((row.rule, row.clause, row.demand_material, row.end_use), row) for row in run.blocked)
    rows = [
        [rule, clause, f"{material} for {use}", ", ".join(sorted({code for row in some for code in row.countries})), few(list(dict.fromkeys(row.offer for row in some)))]
        for (rule, clause, material, use), some in list(groups.items())[:ROWS]
    ]  # fmt: skip
    title = f"Forbidden: {count(len({row.offer for row in run.blocked}), 'offer')} in some use"
    made = doc.table(map(doc.Column, ("Rule", "Clause", "Kept from", "Countries", "Offers")), rows)
    return doc.section(title, made, doc.notes(more(len(groups) - ROWS, "row", "verdicts.csv")))


def few(names: Sequence[str], most: int = 12) -> str:
    """Names as a list; of very many the first, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def more(rows: int, one: str, file: str, many: str = "") -> list[str]:
    """What is told of so many rows that a list leaves out: how many, and where all of them are; nothing of none."""
    return (
        [f"{count(rows, f'more {one}', many and f'more {many}')}: {file} of the run folder has all"] if rows > 0 else []
    )
