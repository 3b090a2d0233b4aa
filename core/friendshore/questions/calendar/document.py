"""What is available when, as a planner reads it."""

from __future__ import annotations

from collections.abc import Sequence

from ...document.elements import (
    NOTHING,
    Amount,
    Cell,
    Column,
    Count,
    Document,
    Kilograms,
    Section,
    Tone,
    apart,
    document,
    figures,
    notes,
    section,
    sentence,
    table,
)
from ...document.figures import count, mass
from ..told import effort_line
from .search import Calendar, Cause, Cliff, Stretch

CHANGES_SHOWN = 4


def calendar_document(found: Calendar, *, every: bool = False) -> Document:
    """The stretches between the dates (with `every`, each demand in them), where demands fall off and are met again, and what it took to find out."""
    head = (
        f"From {found.start} to {found.until}, as if each stretch lasted: quantities and money a year, nothing carried in stock, "
        f"nothing on its way, no time from order to delivery. {count(found.days, 'date changes', 'dates change')} what is available or what it "
        "costs."
    )
    stretches = [_demand(name, rows, found) for name, rows in _by_demand(found).items()] if every else []
    unasked = f"rules about stock are not asked, since none is carried: {', '.join(found.left_out)}"
    told = [unasked] if found.left_out else []
    if found.stopped:
        told.append(
            f"the search was ended: nothing is said of what comes after {found.until}, and causes may be missing"
        )
    if not every:
        told.append("--all shows every change, and every demand stretch by stretch")
    return document(
        "What is available when",
        sentence(head),
        _intervals(found, every),
        _concerned(found, every),
        _cliffs(found),
        *stretches,
        apart(notes(told), sentence(effort_line(found.effort), tone=Tone.ASIDE)),
    )


def _intervals(found: Calendar, every: bool) -> Section:
    columns = [Column("From", whole=True), Column("Until", whole=True), Column("What changes")]
    columns += [figures(f"{found.currency} a year"), figures("Short")]
    rows: list[list[Cell]] = [
        [
            one.start,
            one.end,
            _listed(one.changed, every),
            Amount(one.spent),
            Count(len(one.short), "demand") if one.short else NOTHING,
        ]
        for one in found.intervals
    ]
    return section("Between the dates", table(columns, rows))


def _concerned(found: Calendar, every: bool) -> Section | None:
    """What a date bars or frees: orders and stock, and the offers that are bought; with `every` those that are not, too."""
    if not found.concerned:
        return None
    kept = [one for one in found.concerned if every or one.kind != "offer" or one.kilograms]
    left = len(found.concerned) - len(kept)
    columns = [Column("On", whole=True), *map(Column, ("Rule", "Bars or frees", "Of", "For")), figures("Kilograms")]
    rows: list[list[Cell]] = [
        [
            one.day,
            one.rule,
            f"{one.effect} {one.kind} {one.id}",
            one.material,
            ", ".join(one.end_uses),
            Kilograms(one.kilograms, per="year" if one.kind == "offer" else ""),
        ]
        for one in kept
    ]
    rest = f"{count(left, 'offer')}{' more' if kept else ''}, of which nothing is bought (--all)"
    title = "What the dates bar and free: orders, stock, and offers that are bought"
    return section(title, table(columns, rows) if rows else None, notes([rest]) if left else None)


def _listed(changed: Sequence[str], every: bool) -> Cell:
    kept = changed if every else changed[:CHANGES_SHOWN]
    more = len(changed) - len(kept)
    return ", ".join(kept) + (f" and {more} more" if more else "") or NOTHING


def _cliffs(found: Calendar) -> Section:
    if not found.cliffs:
        return section("Demands that are short", sentence("none, on any day"))
    columns = [
        Column("Demand"),
        Column("Short from", whole=True),
        figures("A year"),
        Column("Because"),
        Column("Met again"),
    ]
    rows: list[list[Cell]] = [
        [
            cliff.demand,
            cliff.start,
            f"{mass(cliff.short)} of {mass(cliff.wanted)}",
            _why(cliff),
            _healed(cliff, found),
        ]
        for cliff in found.cliffs
    ]
    return section("Demands that are short", table(columns, rows), notes(_kept_out(found.cliffs)))


def _why(cliff: Cliff) -> str:
    if cliff.from_start:
        return "from its first day" if cliff.kept_out else f"{cliff.reason}, from its first day"
    return _causes(cliff.because) or f"{cliff.reason}; no one change found"


def _kept_out(cliffs: Sequence[Cliff]) -> list[str]:
    """What keeps supply out where no change of a date tells it: once for demands of which the same is to be said."""
    said: dict[str, list[str]] = {}
    for cliff in cliffs:
        if cliff.kept_out and not cliff.because:
            said.setdefault("; ".join(cliff.kept_out), []).append(f"{cliff.demand} from {cliff.start}")
    return [f"{', '.join(whom)}: {why}" for why, whom in said.items()]


def _healed(cliff: Cliff, found: Calendar) -> str:
    if cliff.healed is None:
        return f"not by {found.until}"
    if cliff.ends_unwanted:
        return f"not wanted from {cliff.healed}"
    return f"{cliff.healed}, by {_causes(cliff.by) or 'no one change found'}"


def _causes(causes: Sequence[Cause]) -> str:
    """What makes the difference: any one of them, or all together."""
    told = [f"{cause.kind} {cause.name}" for cause in causes]
    alone = bool(causes) and causes[0].alone
    return (" or " if alone else " with ").join(told)


def _by_demand(found: Calendar) -> dict[str, list[Stretch]]:
    by_demand: dict[str, list[Stretch]] = {}
    for stretch in found.stretches:
        by_demand.setdefault(stretch.demand, []).append(stretch)
    return by_demand


def _demand(name: str, stretches: Sequence[Stretch], found: Calendar) -> Section:
    columns = [
        Column("From", whole=True),
        Column("Until", whole=True),
        figures("Wanted a year"),
        figures("Short a year"),
    ]
    columns += [Column("Why"), figures(f"{found.currency} a year"), Column("for it and")]
    rows: list[list[Cell]] = [
        [
            one.start,
            one.end,
            Kilograms(one.wanted),
            Kilograms(one.short) if one.short else NOTHING,
            one.reason or NOTHING,
            Amount(one.spent),
            _listed([other for other in one.group if other != name], every=False),
        ]
        for one in stretches
    ]
    return section(name, table(columns, rows))
