"""What the length of the periods does: shortage that is there only because of it, and dates and lead times that it rounds."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from ..domain.run import Run
from ..domain.whole_periods import RunByMonths, RunRounded
from .demand import for_whom
from .figures import NOTHING, count, mass
from .tables import Column, figures, lines, section, table

TITLES = ("Material", "For", "Short", "By months", "Only by the length of the periods")
"""Of the table, in a terminal and on a page."""
SHOWN = 8
"""Dates and lead times that are named; the rest is counted."""


def whole_periods(run: Run, width: int) -> RenderableType | None:
    """Shortages beside those of a plan in months, and what is counted otherwise than it is stated."""
    made = by_months_rows(run)
    texts = [*unlooked(run), *rounded_lines(run)]
    if not made and not texts:
        return None
    columns = [Column(TITLES[0]), Column(TITLES[1]), *map(figures, TITLES[2:])]
    shown = [table(columns, made, width)] if made else []
    return section("What counting in whole periods does", *shown, lines(texts) if texts else None)


def by_months_rows(run: Run) -> list[list[str]]:
    """One row for each demand that was looked at."""
    known = {demand.id: demand for demand in run.demands}
    return [
        [
            known[row.demand].material,
            for_whom(run, known[row.demand]),
            mass(row.short_kg) if row.short_kg else NOTHING,
            mass(row.by_months_kg) if row.by_months_kg else NOTHING,
            mass(row.only_kg) if row.only_kg else NOTHING,
        ]
        for row in run.by_months
        if row.by_months_kg is not None
    ]


def unlooked(run: Run) -> Iterator[str]:
    """What the figures by months are, and demands of which there is none, by the reason."""
    if any(row.by_months_kg is not None for row in run.by_months):
        yield (
            "By months: in the cheapest plan of the same facts with months as periods, verified too. It is no bound: shorter "
            "periods may give more, and what is limited in each period is then limited in each month"
        )
    if any(row.by_months_kg is not None and row.by_months_kg > row.short_kg for row in run.by_months):
        yield "where it is short of more by months: what comes late in a period is counted as there for all of it"
    by_note: dict[str, list[str]] = {}
    for row in _unknown(run):
        by_note.setdefault(row.note, []).append(row.demand)
    for note, names in by_note.items():
        yield f"not looked at by months: {', '.join(names)}: {note}"


def rounded_lines(run: Run) -> Iterator[str]:
    """Dates within a period and odd lead times, rules first."""
    for row in run.rounded[:SHOWN]:
        yield _said(row)
    if len(run.rounded) > SHOWN:
        yield f"{count(len(run.rounded) - SHOWN, 'other date or lead time', 'other dates and lead times')} (all with --json or --out)"


def only_by_periods(run: Run) -> Iterator[str]:
    """What of a shortage is there only because of the length of the periods, for those who read no further."""
    told = [row for row in run.by_months if row.only_kg]
    if told:
        names = ", ".join(f"{row.demand} {mass(row.only_kg)} of {mass(row.short_kg)}" for row in told)
        yield f"Short only because the plan counts in whole periods: {names}. By months so much more is available"


def _said(row: RunRounded) -> str:
    what = f"lead time of {row.name}" if row.kind == "lead time" else f"{row.kind} {row.name}"
    return f"{what}: {row.stated}, counted {'as ' if row.kind == 'lead time' else ''}{row.counted}"


def _unknown(run: Run) -> list[RunByMonths]:
    return [row for row in run.by_months if row.by_months_kg is None]
