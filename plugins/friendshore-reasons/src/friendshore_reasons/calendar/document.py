"""The calendar as a document, in full and on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, mass
from friendshore.domain.base import grouped
from friendshore.domain.shown_names import ShownNames
from friendshore.questions.wording import effort_line, mass_of, ranked, weighed

from .search import UNKNOWN, Calendar, Cause, Cliff, Stretch

CHANGES_SHOWN = 4
"""Maximum number of changes per day in the whole document."""


def calendar_document(found: Calendar, *, every: bool = False) -> doc.Document:
    """Return the stretches in order of time, with the start and end of shortages. With `every`, include each demand by stretch."""
    head = (
        f"From {found.start} to {found.until}, as if each stretch lasted: quantities and money a year, nothing carried in stock, "
        f"nothing on its way, no time from order to delivery. {_dates(found)}."
    )
    brief = f"{_dates(found)}. Each stretch is planned as a year at its own rates: nothing in stock, no lead times."
    law = doc.section_if_any("Changes of law", doc.notes(_law(found)), tone=doc.Tone.PLAIN)
    stretches = [_demand(name, rows, found) for name, rows in _by_demand(found).items()] if every else []
    doubts = _doubts(found)
    more = [] if every else ["--all shows every change, and every demand stretch by stretch"]
    commands = doc.sentence(
        *(doc.Phrase("--full", code=True), ": every table; "),
        *(doc.Phrase("--full --all", code=True), ": every change, and every demand stretch by stretch"),
    )
    return doc.document(
        "What is available when",
        doc.for_whole(doc.sentence(head)),
        doc.for_screen(doc.sentence(brief)),
        _intervals(found, every),
        doc.for_whole(law),
        doc.for_screen(_law_table(found)),
        _cliffs(found),
        _concerned(found, every),
        *map(doc.for_whole, stretches),
        doc.for_whole(
            doc.apart(doc.notes([*doubts, *more]), doc.sentence(effort_line(found.effort), tone=doc.Tone.ASIDE))
        ),
        doc.for_screen(doc.apart(doc.notes(doubts, doc.Tone.DOUBTFUL), commands)),
    )


def _doubts(found: Calendar) -> list[str]:
    """Return the limits of the calendar."""
    unasked = f"rules about stock are left out, since no stock is carried: {', '.join(found.left_out)}"
    told = [unasked] if found.left_out else []
    if found.beyond_budget:
        days = ", ".join(f"{span.start} to {span.end}" for span in found.beyond_budget)
        told.append(f"planned without budgets, since other rules cannot hold together then: {days}")
    if found.stopped:
        told.append(
            f"the search was ended: nothing is said of what comes after {found.until}, and causes may be missing"
        )
    return told


DATES_NAMED = 6
"""Maximum number of dates in the first line."""


def _dates(found: Calendar) -> str:
    """Return the number of dates with changes, and the dates."""
    days = [one.start for one in found.intervals[1:]]
    more = [f"{len(days) - DATES_NAMED} more"] if len(days) > DATES_NAMED else []
    which = f" ({', '.join([*map(str, days[:DATES_NAMED]), *more])})" if days else ""
    return f"{count(found.days, 'date changes', 'dates change')} what is available or what it costs from {found.start} to {found.until}{which}"


def _law(found: Calendar) -> list[str]:
    """Return each change of law by day, title, and clause."""
    told = []
    for one in found.law:
        title = f"{one.rule}, {one.title}" if one.title else one.rule
        clause = f" ({one.clause})" if one.clause else ""
        until = f", until {one.until}" if one.until else ""
        note = f": {' '.join(one.note.split()).rstrip('.')}" if one.note else ""
        told.append(f"{one.day}: {title}{clause}: {one.effect} from that day on{until}{note}")
    return told


def _intervals(found: Calendar, every: bool) -> doc.Section:
    columns = [
        doc.Column("From", whole=True),
        doc.Column("Until", whole=True, from_width=doc.NARROW),
        doc.figures("Costs a year", found.currency, from_width=doc.NARROW),
        doc.figures("Short"),
        doc.Column("What changes"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(one.start, one.end, doc.Amount(one.spent)),
            doc.Count(len(one.short), "demand") if one.short else doc.NOTHING,
            _listed(one.changed, 0 if every else CHANGES_SHOWN),
        ]
        for one in found.intervals
    ]
    return doc.section("Between the dates", ranked(columns, rows, "later date", part=3), column="From")


def _law_table(found: Calendar) -> doc.Section | None:
    """Return the changes of law for a screen: first what begins or ends, then unknown statuses."""
    if not found.law:
        return None
    columns = [*map(doc.Column, ("Law from", "Becomes", "Title")), doc.Column("Clause", from_width=doc.NARROW)]
    rows: list[list[doc.Cell]] = [
        [one.day, one.effect, doc.Several((one.title or one.rule,)), doc.Several((one.clause,))]
        for one in sorted(found.law, key=lambda one: (one.effect == UNKNOWN, one.day, one.rule))
    ]
    return doc.apart(ranked(columns, rows, "more change of law", "more changes of law", part=3))


def _concerned(found: Calendar, every: bool) -> doc.Section | None:
    """Return the orders, stock, and bought offers that a date prohibits or allows. With `every`, include the other offers."""
    kept = [one for one in found.concerned if every or one.kind != "offer" or one.kilograms]
    left = len(found.concerned) - len(kept)
    names = found.names
    rows: list[list[doc.Cell]] = [
        [
            f"{one.effect} {one.kind} {names.offer_with_id(one.id) if one.kind == 'offer' else one.id}",
            *(one.day, one.rule, names.material(one.material)),
            doc.Kilograms(one.kilograms, per="year" if one.kind == "offer" else "", of=names.basis(one.material)),
            _listed(one.end_uses, 0, "use"),
        ]
        for one in kept
    ]
    columns = [
        doc.Column("Bars or frees"),
        doc.Column("On", whole=True),
        doc.Column("By", from_width=doc.NARROW),
        doc.Column("Of", on="whole"),
        doc.figures("Quantity"),
        doc.Column("For", from_width=doc.MEDIUM),
    ]
    rest = f"{count(left, 'offer')} barred or freed, of which nothing is bought"
    return doc.section_if_any(
        "What the dates bar and free: orders, stock, and offers that are bought",
        ranked(columns, rows, "more", "more", part=2) if rows else None,
        doc.for_whole(doc.notes([f"{rest} (--all)"] if left else [])),
        doc.for_screen(doc.notes([f"{rest} (--full --all)"] if left else [])),
        column="Barred or freed",
    )


def _listed(names: Sequence[str], named: int, one: str = "change") -> doc.Cell:
    """Return names as a list. The whole document has the first `named`, or all if 0."""
    return doc.Several(tuple(names), one=one, named=named) if names else doc.NOTHING


def _changes(changed: Sequence[str]) -> str:
    """Return the first changes and the number of the others."""
    more = len(changed) - CHANGES_SHOWN
    return ", ".join(changed[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _cliffs(found: Calendar) -> doc.Section:
    """Return the shortages by date of their start."""
    title = "Demands that are short"
    if not found.cliffs:
        return doc.section(title, doc.sentence("no demand is short on any day"), column="Short")
    names, ordered = found.names, sorted(found.cliffs, key=lambda cliff: (cliff.start, cliff.demand))
    columns = [
        doc.Column("Material"),
        doc.Column("Demand", from_width=doc.NARROW),
        doc.Column("From", whole=True),
        doc.figures("A year", from_width=doc.NARROW),
        doc.Column("Met again", from_width=doc.MEDIUM),
        doc.Column("Because"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            doc.Either(names.material(cliff.material), names.label(cliff.material)),
            *(cliff.demand, cliff.start, _short(cliff, names)),
            doc.Several((_healed(cliff, found),), ("not wanted later",) if cliff.ends_unwanted else ()),
            doc.Several((_why(cliff, names),)),
        ]
        for cliff in ordered
    ]
    table = ranked(columns, rows, "more shortage", part=4)
    return doc.section(title, _drawn(found, table), doc.notes(_kept_out(ordered)), column="Short")


def _drawn(found: Calendar, table: doc.DataTable) -> doc.Drawing:
    """Return a chart of each demand's shortage over time, with the days of changes."""
    rows = [
        charts.TimelineRow(
            f"{found.names.material(cliffs[0].material)}: {demand}", tuple(_span(cliff, found) for cliff in cliffs)
        )
        for demand, cliffs in grouped((cliff.demand, cliff) for cliff in found.cliffs).items()
    ]
    marks = [
        charts.TimelineMark(one.start, _changes(one.changed), doc.Tone.ASIDE) for one in found.intervals if one.changed
    ]
    told = "The days on which each demand is short, and those on which what is available or what it costs changes."
    return doc.Drawing(
        "When demands are short", told, charts.Timeline(found.start, found.until, tuple(rows), tuple(marks)), table
    )


def _span(cliff: Cliff, found: Calendar) -> charts.TimelineSpan:
    last = found.until if cliff.healed is None else min(cliff.healed - timedelta(1), found.until)
    told = f"{_short(cliff, found.names)} a year short from {cliff.start}, met again: {_healed(cliff, found)}"
    return charts.TimelineSpan(cliff.start, max(cliff.start, last), told, doc.Tone.BAD)


def _short(cliff: Cliff, names: ShownNames) -> str:
    """Return the yearly shortage and the yearly demand."""
    return f"{mass(cliff.short)} of {mass_of(names, cliff.material, cliff.wanted)}"


def _why(cliff: Cliff, names: ShownNames) -> str:
    """Return the changes of the day on which the shortage starts."""
    if cliff.from_start:
        return "from its first day"
    return _causes(cliff.because, names) or "no one change found"


def _kept_out(cliffs: Sequence[Cliff]) -> list[str]:
    """Return the causes of shortages that no change on a date explains. Demands with the same causes share an entry."""
    unexplained = (cliff for cliff in cliffs if cliff.causes and not cliff.because)
    said = grouped(("; ".join(map(str, cliff.causes)), f"{cliff.demand} from {cliff.start}") for cliff in unexplained)
    return [f"{', '.join(whom)}: {why}" for why, whom in said.items()]


def _healed(cliff: Cliff, found: Calendar) -> str:
    """Return the end of a shortage and its causes."""
    if cliff.healed is None:
        return f"not by {found.until}"
    if cliff.ends_unwanted:
        return f"not wanted from {cliff.healed}"
    return f"{cliff.healed}, by {_causes(cliff.by, found.names) or 'no one change found'}"


def _causes(causes: Sequence[Cause], names: ShownNames) -> str:
    """Return the changes that decide: any one of them, or all together."""
    told = [
        f"{cause.kind} {names.offer_with_id(cause.name) if cause.kind == 'offer' else cause.name}" for cause in causes
    ]
    alone = bool(causes) and causes[0].alone
    return (" or " if alone else " with ").join(told)


def _by_demand(found: Calendar) -> dict[str, list[Stretch]]:
    return grouped((stretch.demand, stretch) for stretch in found.stretches)


def _demand(name: str, stretches: Sequence[Stretch], found: Calendar) -> doc.Section:
    columns = [
        doc.Column("From", whole=True),
        doc.Column("Until", whole=True),
        doc.figures("Wanted a year"),
        doc.figures("Short a year"),
    ]
    columns += [doc.Column("Cause"), doc.figures(f"{found.currency} a year"), doc.Column("for it and")]
    rows: list[list[doc.Cell]] = [
        [
            one.start,
            one.end,
            weighed(found.names, one.material, one.wanted),
            weighed(found.names, one.material, one.short) if one.short else doc.NOTHING,
            "; ".join(cause.brief for cause in one.causes) or doc.NOTHING,
            doc.Amount(one.spent),
            _listed([other for other in one.group if other != name], CHANGES_SHOWN),
        ]
        for one in stretches
    ]
    return doc.section(f"{found.names.material(stretches[0].material)}: {name}", doc.table(columns, rows))
