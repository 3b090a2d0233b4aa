"""What happens when: rows of days and spans of days below each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from itertools import pairwise
from textwrap import shorten

from friendshore.document.charts import Timeline, TimelineMark, TimelineRow, Tone

from .markup import Markup, joined, tag, text
from .svg import (
    BESIDE,
    SMALL,
    Axis,
    Picture,
    box,
    cut,
    label,
    look,
    mark,
    measured,
    parts,
    path,
    spread,
    stripes,
    titled,
)

_ROW = 24.0
_NAME = 15.0
_BAR = 11.0
_HEAD = 22.0
_FLAG = 18.0
"""Pixels across of the number of a day that matters to all rows."""
_LEAST = 22.0
"""Pixels between lines of the grid."""
_POINTED = 400
"""Letters at most of what is told where one points at a day."""
_TOGETHER = 12
"""Rows of a picture: a page of paper can end after it."""


def timeline(chart: Timeline, width: float) -> Iterator[Picture]:
    """One picture or several below each other, of about as many rows. Names stand at the left of their rows, and above them where there is no room.
    Days that matter to all are numbered; `days` tells them.
    """
    names = max((measured(row.name) for row in chart.rows), default=0.0)
    left = min(width * 0.36, names + 12) if width > BESIDE else 0.0
    each = -(-len(chart.rows) // max(1, -(-len(chart.rows) // _TOGETHER)))
    for start in range(0, len(chart.rows) or 1, each or 1):
        yield _picture(replace(chart, rows=chart.rows[start : start + each]), width, left)


def _picture(chart: Timeline, width: float, left: float) -> Picture:
    beside = width > BESIDE
    axis = Axis(chart.start.toordinal(), chart.end.toordinal() + 1, left, width - 10)
    flags = _flags(chart, axis)
    head = _HEAD + (_FLAG + 12 if flags else 0)
    row = _ROW if beside else _ROW + _NAME
    height = head + row * len(chart.rows)
    drawn = list(_grid(chart, axis, head, height))
    for place in range(len(chart.rows)):
        y = head + row * place
        drawn.append(tag("line", x1=0, x2=width, y1=y + 0.5, y2=y + 0.5, class_="grid"))
    drawn += _flagged(chart, flags, head, height)
    for place, one in enumerate(chart.rows):
        y = head + row * (place + 1) - _ROW / 2
        drawn.append(
            label(0, y + 4, cut(one.name, left - 12))
            if beside
            else label(0, y - _NAME + 2, cut(one.name, width), class_="halo")
        )
        drawn += _row(one, y, axis, chart)
    return Picture(width, height + 4, joined(drawn))


def days(chart: Timeline) -> Markup:
    """The days that matter to all rows, told by the numbers that they have in the picture."""
    items = (
        tag("li", tag("span", text(str(number)), class_="flag"), text(_told(one)))
        for number, one in enumerate(_marks(chart), 1)
    )
    return tag("ul", joined(items), class_="days") if _marks(chart) else joined(())


def _told(one: TimelineMark) -> str:
    """A day and what it is for, which may name the day itself."""
    day = one.day.isoformat()
    return one.told if day in one.told else f"{day}: {one.told}"


def _marks(chart: Timeline) -> list[TimelineMark]:
    return sorted((one for one in chart.marks if chart.start <= one.day <= chart.end), key=lambda one: one.day)


def _flags(chart: Timeline, axis: Axis) -> list[tuple[float, float]]:
    """Where each such day is, and where its number stands, so that none covers another."""
    days_ = [axis.at(one.day.toordinal()) for one in _marks(chart)]
    return list(zip(days_, spread(days_, _FLAG + 1, axis.start + _FLAG / 2, axis.end), strict=True))


def _flagged(chart: Timeline, flags: Sequence[tuple[float, float]], head: float, height: float) -> Iterator[Markup]:
    y = _FLAG / 2
    for number, (one, (x, shown)) in enumerate(zip(_marks(chart), flags, strict=True), 1):
        told = shorten(_told(one), _POINTED, placeholder=" …")  # `days` tells it whole
        line = path("M{} {}L{} {}V{}", shown, y + _FLAG / 2, x, head - _HEAD + 4, height)
        yield tag("path", d=line, class_=f"day m-{one.tone.value}")
        circle = tag("circle", cx=shown, cy=y, r=8, class_=f"m-{one.tone.value}")
        named = label(shown, y + 4, str(number), anchor="middle", size=SMALL)
        yield parts("", [tag("g", titled(told), circle, named)], "flagged")


def _grid(chart: Timeline, axis: Axis, head: float, height: float) -> Iterator[Markup]:
    """First days of years, and of quarters or months between them."""
    month = (axis.end - axis.start) / (axis.high - axis.low) * 30.4
    each = next((count for count in (1, 3, 12, 24, 60, 120) if count * month >= _LEAST), 240)
    firsts = list(_firsts(chart, each))
    yearly = any(one.month == 1 for one in firsts)
    named = [
        (round(axis.at(one.toordinal())) + 0.5, _called(one, each, yearly=yearly), one.month == 1) for one in firsts
    ]
    for x, _, year in named:
        yield tag("line", x1=x, x2=x, y1=head - (8 if year else 4), y2=height, class_="year" if year else "grid")
    years = [one for one in named if one[2]]
    for x, told, _ in next((some for some in (named, years) if _fit(some)), named[:1]):
        if x + 3 + measured(told) <= axis.end + 10:
            yield label(x + 3, head - 8, told, class_="soft halo")


def _fit(named: Sequence[tuple[float, str, bool]]) -> bool:
    """Whether each name ends before the next begins."""
    return all(x + measured(told) + 5 <= to for (x, told, _), (to, _, _) in pairwise(named))


def _firsts(chart: Timeline, each: int) -> Iterator[date]:
    start = chart.start.year * 12 + chart.start.month - 1
    for place in range(start - start % each, chart.end.year * 12 + chart.end.month, each):
        day = date(place // 12, place % 12 + 1, 1)
        if chart.start <= day <= chart.end:
            yield day


def _called(day: date, each: int, *, yearly: bool) -> str:
    """Its year, or its quarter or month; with the year where no year begins in the picture."""
    if day.month == 1:
        return str(day.year)
    told = f"Q{(day.month + 2) // 3}" if each == 3 else f"{day:%m}"
    return told if yearly else f"{day.year}-{told}"


def _row(row: TimelineRow, y: float, axis: Axis, chart: Timeline) -> Iterator[Markup]:
    made, lines, last, edge = [], [], (chart.start, ""), axis.start
    for span in row.spans:
        start, end = max(span.start, chart.start).toordinal(), min(span.end, chart.end).toordinal() + 1
        if start >= end:
            continue
        x, to = axis.at(start), axis.at(end)
        last, edge = max(last, (span.end, span.told)), max(edge, to)
        told = span.told or f"{span.start.isoformat()} to {span.end.isoformat()}"
        shown = look(0, span.tone)
        class_ = None if span.tone is Tone.PLAIN else shown
        made.append(box(x, y - _BAR / 2, max(to - x, 1.5), _BAR, told, class_))
        if class_:
            lines.append(stripes([path("M{} {}h{}", x, y, to - x)], _BAR, shown))
    for one in row.marks:
        if chart.start <= one.day <= chart.end:
            x = axis.at(one.day.toordinal())
            last, edge = max(last, (one.day, one.told)), max(edge, x + 5)
            made.append(mark(x, y, one.tone, one.told or one.day.isoformat()))
    yield parts(row.name, [*made, *lines], look(0, Tone.PLAIN))
    if measured(last[1], SMALL) <= axis.end + 4 - edge:
        yield label(edge + 6, y + 4, last[1], class_="soft halo", size=SMALL)
