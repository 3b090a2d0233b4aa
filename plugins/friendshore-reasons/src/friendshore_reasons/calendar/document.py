"""The calendar as a document, in full and on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from friendshore.document import charts
from friendshore.document import elements as doc
from friendshore.document.figures import count, mass
from friendshore.domain.base import grouped
from friendshore.domain.shown_names import ShownNames
from friendshore.questions.wording import effort_line, mass_of, on_screen, weighed

from .search import UNKNOWN, Calendar, Cause, Cliff, Stretch
from .stretches import Concerned

CHANGES_SHOWN = 4


def calendar_document(found: Calendar, *, every: bool = False) -> doc.Document:
    """The stretches between the dates (with `every`, each demand in them), where demands fall off and are met again, and what it took to find out."""
    head = (
        f"From {found.start} to {found.until}, as if each stretch lasted: quantities and money a year, nothing carried in stock, "
        f"nothing on its way, no time from order to delivery. {dates_told(found)}."
    )
    stretches = [_demand(name, rows, found) for name, rows in _by_demand(found).items()] if every else []
    told = doubts_told(found)
    if not every:
        told.append("--all shows every change, and every demand stretch by stretch")
    return doc.document(
        "What is available when",
        doc.sentence(head),
        _intervals(found, every),
        doc.section_if_any("Changes of law", doc.notes(law_told(found)), tone=doc.Tone.PLAIN),
        _concerned(found, every),
        _cliffs(found),
        *stretches,
        doc.apart(doc.notes(told), doc.sentence(effort_line(found.effort), tone=doc.Tone.ASIDE)),
    )


def doubts_told(found: Calendar) -> list[str]:
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
"""Dates that the first line names."""


def dates_told(found: Calendar) -> str:
    """Return how many dates change anything, and which."""
    days = [one.start for one in found.intervals[1:]]
    more = [f"{len(days) - DATES_NAMED} more"] if len(days) > DATES_NAMED else []
    which = f" ({', '.join([*map(str, days[:DATES_NAMED]), *more])})" if days else ""
    return f"{count(found.days, 'date changes', 'dates change')} what is available or what it costs from {found.start} to {found.until}{which}"


def law_told(found: Calendar) -> list[str]:
    """Return each change of law by day, title and clause."""
    told = []
    for one in found.law:
        title = f"{one.rule}, {one.title}" if one.title else one.rule
        clause = f" ({one.clause})" if one.clause else ""
        until = f", until {one.until}" if one.until else ""
        note = f": {' '.join(one.note.split()).rstrip('.')}" if one.note else ""
        told.append(f"{one.day}: {title}{clause}: {one.effect} from that day on{until}{note}")
    return told


def kept_of_concerned(found: Calendar, *, every: bool) -> list[Concerned]:
    """Return the prohibited or allowed goods to show: orders, stock, and offers that are bought; with `every`, all of them."""
    return [one for one in found.concerned if every or one.kind != "offer" or one.kilograms]


def _intervals(found: Calendar, every: bool) -> doc.Section:
    columns = [doc.Column("From", whole=True), doc.Column("Until", whole=True), doc.Column("What changes")]
    columns += [doc.figures(f"{found.currency} a year"), doc.figures("Short")]
    rows: list[list[doc.Cell]] = [
        [
            one.start,
            one.end,
            _listed(one.changed, every),
            doc.Amount(one.spent),
            doc.Count(len(one.short), "demand") if one.short else doc.NOTHING,
        ]
        for one in found.intervals
    ]
    return doc.section("Between the dates", doc.table(columns, rows))


def _concerned(found: Calendar, every: bool) -> doc.Section | None:
    """Return the table of everything that a date prohibits or allows: orders, stock, and offers that are bought; with `every`, also other offers."""
    if not found.concerned:
        return None
    kept = kept_of_concerned(found, every=every)
    left = len(found.concerned) - len(kept)
    columns = [
        doc.Column("On", whole=True),
        *map(doc.Column, ("Rule", "Bars or frees", "Of", "For")),
        doc.figures("Kilograms"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            one.day,
            one.rule,
            barred(one, found.names),
            found.names.material(one.material),
            ", ".join(one.end_uses),
            rate(one, found.names),
        ]
        for one in kept
    ]
    rest = f"{count(left, 'offer')}{' more' if kept else ''}, of which nothing is bought (--all)"
    title = "What the dates bar and free: orders, stock, and offers that are bought"
    return doc.section(title, doc.table(columns, rows) if rows else None, doc.notes([rest]) if left else None)


def _listed(changed: Sequence[str], every: bool) -> doc.Cell:
    return (", ".join(changed) if every else _changes(changed)) or doc.NOTHING


def _changes(changed: Sequence[str]) -> str:
    """The first of them, and how many more there are."""
    more = len(changed) - CHANGES_SHOWN
    return ", ".join(changed[:CHANGES_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _cliffs(found: Calendar) -> doc.Section:
    if not found.cliffs:
        return doc.section("Demands that are short", doc.sentence("none, on any day"))
    columns = [
        doc.Column("Material"),
        doc.Column("Demand"),
        doc.Column("Short from", whole=True),
        doc.figures("A year"),
        doc.Column("Because"),
        doc.Column("Met again"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            found.names.material(cliff.material),
            cliff.demand,
            cliff.start,
            short_of(cliff, found.names),
            why(cliff, found.names),
            healed(cliff, found),
        ]
        for cliff in found.cliffs
    ]
    drawn = _drawn(found, doc.table(columns, rows))
    return doc.section("Demands that are short", drawn, doc.notes(kept_out(found.cliffs)))


def _drawn(found: Calendar, table: doc.DataTable) -> doc.Drawing:
    """When each demand is short, under the days on which anything changes."""
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
    told = f"{short_of(cliff, found.names)} a year short from {cliff.start}, met again: {healed(cliff, found)}"
    return charts.TimelineSpan(cliff.start, max(cliff.start, last), told, doc.Tone.BAD)


def short_of(cliff: Cliff, names: ShownNames) -> str:
    """Return what a demand is short of a year, of what it wants."""
    return f"{mass(cliff.short)} of {mass_of(names, cliff.material, cliff.wanted)}"


def barred(one: Concerned, names: ShownNames) -> str:
    """Return what a date bars or frees, an offer by the name of its plant."""
    return f"{one.effect} {one.kind} {names.offer_with_id(one.id) if one.kind == 'offer' else one.id}"


def rate(one: Concerned, names: ShownNames) -> doc.Kilograms:
    """Return its kilograms, of an offer those of a year."""
    return doc.Kilograms(one.kilograms, per="year" if one.kind == "offer" else "", of=names.basis(one.material))


def why(cliff: Cliff, names: ShownNames) -> str:
    """Return the changes of the day on which the shortage starts."""
    if cliff.from_start:
        return "from its first day"
    return _causes(cliff.because, names) or "no one change found"


def kept_out(cliffs: Sequence[Cliff]) -> list[str]:
    """Return the causes of shortages that no change of a date explains, once for all demands with the same causes."""
    unexplained = (cliff for cliff in cliffs if cliff.causes and not cliff.because)
    said = grouped(("; ".join(map(str, cliff.causes)), f"{cliff.demand} from {cliff.start}") for cliff in unexplained)
    return [f"{', '.join(whom)}: {why}" for why, whom in said.items()]


def healed(cliff: Cliff, found: Calendar) -> str:
    """When it is met again, and what does that."""
    if cliff.healed is None:
        return f"not by {found.until}"
    if cliff.ends_unwanted:
        return f"not wanted from {cliff.healed}"
    return f"{cliff.healed}, by {_causes(cliff.by, found.names) or 'no one change found'}"


def _causes(causes: Sequence[Cause], names: ShownNames) -> str:
    """Return the changes that make the difference: any one of them, or all together."""
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
            _listed([other for other in one.group if other != name], every=False),
        ]
        for one in stretches
    ]
    return doc.section(f"{found.names.material(stretches[0].material)}: {name}", doc.table(columns, rows))


_WIDE, _NARROW = 90, 70
"""Characters of a line below which columns are left out."""


def calendar_screen(found: Calendar) -> doc.Document:
    """The stretches in the order of time, then demands that are short, those first that are so first."""
    head = f"{dates_told(found)}. Each stretch is planned as a year at its own rates: nothing in stock, no lead times."
    return doc.document(
        "What is available when",
        doc.sentence(head),
        _screen_intervals(found),
        _law(found),
        _screen_cliffs(found),
        _screen_concerned(found),
        doc.apart(
            doc.notes(doubts_told(found), doc.Tone.DOUBTFUL),
            doc.sentence(
                *(doc.Phrase("--full", code=True), ": every table; "),
                *(doc.Phrase("--full --all", code=True), ": every change, and every demand stretch by stretch"),
            ),
        ),
    )


def _screen_intervals(found: Calendar) -> doc.Section:
    columns = [
        doc.Column("From"),
        doc.Column("Until", from_width=_NARROW),
        doc.Column("Costs a year", found.currency, "right", from_width=_NARROW),
        doc.Column("Short", align="right"),
        doc.Column("What changes"),
    ]
    rows: list[list[doc.Cell]] = [
        [
            *(one.start, one.end, doc.Amount(one.spent)),
            doc.Count(len(one.short), "demand") if one.short else doc.NOTHING,
            doc.Several(one.changed, one="change") if one.changed else doc.NOTHING,
        ]
        for one in found.intervals
    ]
    return doc.apart(on_screen(columns, rows, "later date", part=3))


def _law(found: Calendar) -> doc.Section | None:
    """The changes of law by day, title and clause: first what begins or ends, then what nobody knows."""
    if not found.law:
        return None
    columns = [
        doc.Column("Law from"),
        doc.Column("Becomes"),
        doc.Column("Title"),
        doc.Column("Clause", from_width=_NARROW),
    ]
    ordered = sorted(found.law, key=lambda one: (one.effect == UNKNOWN, one.day, one.rule))
    rows: list[list[doc.Cell]] = [
        [one.day, one.effect, doc.Several((one.title or one.rule,)), doc.Several((one.clause,))] for one in ordered
    ]
    return doc.apart(on_screen(columns, rows, "more change of law", "more changes of law", part=3))


def _screen_cliffs(found: Calendar) -> doc.Section:
    if not found.cliffs:
        return doc.apart(doc.sentence("no demand is short on any day"))
    columns = [
        doc.Column("Short"),
        doc.Column("Demand", from_width=_NARROW),
        doc.Column("From"),
        doc.Column("A year", align="right", from_width=_NARROW),
        doc.Column("Met again", from_width=_WIDE),
        doc.Column("Because"),
    ]
    ordered = sorted(found.cliffs, key=lambda cliff: (cliff.start, cliff.demand))
    rows: list[list[doc.Cell]] = [
        [
            *(found.names.label(cliff.material), cliff.demand, cliff.start, short_of(cliff, found.names)),
            doc.Several((healed(cliff, found),), ("not wanted later",) if cliff.ends_unwanted else ()),
            doc.Several((why(cliff, found.names),)),
        ]
        for cliff in ordered
    ]
    return doc.apart(on_screen(columns, rows, "more shortage", part=4), doc.notes(kept_out(ordered)))


def _screen_concerned(found: Calendar) -> doc.Section | None:
    """Return the bought, ordered, or stored goods that are prohibited or allowed."""
    kept = kept_of_concerned(found, every=False)
    left = len(found.concerned) - len(kept)
    rest = doc.notes(
        [f"{count(left, 'offer')} barred or freed, of which nothing is bought (--full --all)"] if left else []
    )
    if not kept:
        return doc.apart(rest) if rest else None
    columns = [
        doc.Column("Barred or freed"),
        doc.Column("On"),
        doc.Column("By", from_width=_NARROW),
        doc.Column("Quantity", align="right"),
        doc.Column("For", from_width=_WIDE),
    ]
    rows: list[list[doc.Cell]] = [
        [
            barred(one, found.names),
            *(one.day, one.rule),
            rate(one, found.names),
            doc.Several(tuple(one.end_uses), one="use") if one.end_uses else doc.NOTHING,
        ]
        for one in kept
    ]
    return doc.apart(on_screen(columns, rows, "more", "more", part=2), rest)
