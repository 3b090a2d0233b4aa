"""What is available when, on a screen: the next dates, what is short from when and why, and what the dates bar or free."""

from __future__ import annotations

from friendshore.document import elements as doc
from friendshore.document.figures import count
from friendshore.questions.told import on_screen

from .document import barred, dates_told, doubts_told, healed, kept_of_concerned, kept_out, rate, short_of, why
from .law import UNKNOWN
from .search import Calendar

_WIDE, _NARROW = 90, 70
"""Characters of a line below which columns are left out."""


def calendar_screen(found: Calendar) -> doc.Document:
    """The stretches in the order of time, then demands that are short, those first that are so first."""
    head = f"{dates_told(found)}. Each stretch is planned as a year at its own rates: nothing in stock, no lead times."
    return doc.document(
        "What is available when",
        doc.sentence(head),
        _intervals(found),
        _law(found),
        _cliffs(found),
        _concerned(found),
        doc.apart(
            doc.notes(doubts_told(found), doc.Tone.DOUBTFUL),
            doc.sentence(
                *(doc.Phrase("--full", code=True), ": every table; "),
                *(doc.Phrase("--full --all", code=True), ": every change, and every demand stretch by stretch"),
            ),
        ),
    )


def _intervals(found: Calendar) -> doc.Section:
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


def _cliffs(found: Calendar) -> doc.Section:
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


def _concerned(found: Calendar) -> doc.Section | None:
    """What is bought, placed or held, and barred or freed."""
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
