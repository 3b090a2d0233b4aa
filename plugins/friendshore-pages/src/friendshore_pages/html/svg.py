"""SVG pictures: text widths, units, ticks, and charts with bars, ladders, and timelines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from textwrap import shorten
from typing import NamedTuple
from unicodedata import combining, east_asian_width, normalize

from friendshore.document.charts import Bars, Ladder, Rung, Series, Timeline, TimelineMark, TimelineRow, Tone
from friendshore.document.figures import money, number, unit_for
from friendshore.inert import visible

from .markup import Markup, joined, own, tag, text

SIZE = 12.0
"""Font size in pixels."""
SMALL = 11.0
_WIDTHS = dict(zip(map(chr, range(32, 127)), (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
    584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
    667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
), strict=True))  # fmt: skip
"""Widths of letters in Helvetica, in thousandths of the font size. Arial and Liberation Sans have the same widths."""
_WIDEST, _ROOMY = 1000, 800
"""Width of East Asian characters, and of other unlisted ones."""
_BOLD = 1.09
SERIES = 8
"""Number of styles for parts distinguished by order."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart drawn for a page width, in pixels."""

    width: float
    height: float
    content: Markup


@dataclass(frozen=True, slots=True)
class Axis:
    """Mapping of values to positions in a picture."""

    low: float
    high: float
    start: float
    """Position of the minimum."""
    end: float

    def at(self, value: float) -> float:
        """Return the position of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


BESIDE = 600.0
"""Width in pixels above which names fit next to their items."""


@dataclass(frozen=True, slots=True)
class Numbered:
    """Round numbers that span some amounts, in a unit suitable for the largest."""

    divisor: Decimal
    """Divisor of amounts."""
    unit: str
    steps: list[float]

    @property
    def written(self) -> list[str]:
        """The numbers as text."""
        return [number(Decimal(repr(step))) for step in self.steps]

    def axis(self, start: float, end: float) -> Axis:
        """Return an axis for the amounts, with the minimum at `start`."""
        return Axis(self.steps[0], self.steps[-1], start, end)

    def value(self, exact: Decimal) -> float:
        """Return an amount in the unit."""
        return float(exact / self.divisor)

    def grid(self, axis: Axis, low: float, high: float) -> list[Markup]:
        """Return a line across the axis for each number, from `low` to `high`. The line at 0 is solid."""
        here, there = ("x", "y") if axis.end > axis.start else ("y", "x")
        drawn = []
        for step in self.steps:
            at = round(axis.at(step)) + 0.5
            ends = {f"{here}1": at, f"{here}2": at, f"{there}1": low, f"{there}2": high}
            drawn.append(tag("line", **ends, class_="grid" if step else "axis"))
        return drawn


def numbered(amounts: Sequence[Decimal], unit: str, largest: Decimal | None = None) -> Numbered:
    """Return a scale of amounts that includes 0. `largest` determines the unit if it isn't among the amounts."""
    most = max(map(abs, amounts), default=Decimal(0)) if largest is None else largest
    divisor, name = scaled(most, unit)
    low, high = (float(bound([*amounts, Decimal(0)]) / divisor) for bound in (min, max))
    return Numbered(divisor, name, ticks(low, high or 1.0))


def measured(written: str, size: float = SIZE, *, strong: bool = False) -> float:
    """Return the width of a text in pixels, rather too much than too little."""
    return sum(map(_letter, visible(written))) * size / 1000 * (_BOLD if strong else 1)


def _letter(sign: str) -> int:
    if found := _WIDTHS.get(sign):
        return found
    if combining(sign):
        return 0
    if east_asian_width(sign) in "WF":
        return _WIDEST
    return _WIDTHS.get(normalize("NFD", sign)[0], _ROOMY)


def cut(written: str, room: float, size: float = SIZE, *, strong: bool = False) -> str:
    """Return a text of at most `room` pixels, shortened with an ellipsis if necessary."""
    if measured(written, size, strong=strong) <= room:
        return written
    kept, taken = "", measured("…", size, strong=strong)
    for sign in visible(written):
        taken += measured(sign, size, strong=strong)
        if taken > room:
            break
        kept += sign
    return f"{kept.rstrip(' ,-')}…" if kept else ""


def label(
    x: float, y: float, written: str, *, anchor: str | None = None, class_: str | None = None, size: float | None = None
) -> Markup:
    """Return a line of text. `anchor` is `middle` or `end`, and `y` is its baseline."""
    if not written:
        return joined(())
    return tag("text", text(written), x=x, y=y, text_anchor=anchor, class_=class_, font_size=size)


def titled(told: str) -> Markup:
    """Return a tooltip."""
    return tag("title", text(told)) if told else joined(())


def box(left: float, top: float, wide: float, tall: float, told: str, class_: str | None = None) -> Markup:
    """Return a rectangle, as a path that takes fewer bytes than `rect`."""
    return tag("path", titled(told), d=path("M{} {}h{}v{}h-{}z", left, top, wide, tall, wide), class_=class_)


def parts(told: str, inside: Iterable[Markup], class_: str = "") -> Markup:
    """Return a group of parts, whose name is shown before the tooltip of each part."""
    return tag("g", titled(told), joined(inside), class_=f"parts {class_}".strip())


def untold(content: Markup) -> Markup:
    """Return a picture without the tooltips of `titled`."""
    return own(re.sub("></(path|circle|rect|use)>", "/>", re.sub("<title>[^<]*</title>", "", content)))


def look(place: int, tone: Tone) -> str:
    """Return the CSS class of a part's fill, by its order or its tone."""
    return f"f{place % SERIES}" if tone in (Tone.PLAIN, Tone.TITLE) else f"f-{tone.value}"


def scaled(largest: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return the divisor of amounts and their unit: tonnes from 1 tonne, millions, and billions."""
    divisor = Decimal(1)
    if unit == "kg" and unit_for([largest]) == "t":
        divisor, unit = Decimal(1000), "t"
    for size, word in ((Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million")):
        if abs(largest) / divisor >= size:
            return divisor * size, f"{word} {unit}"
    return divisor, unit


def amount(value: Decimal, unit: str) -> str:
    """Return an amount with its unit."""
    divisor, name = scaled(value, unit)
    return f"{number(value / divisor)} {name}".strip()


def ticks(low: float, high: float, most: int = 5) -> list[float]:
    """Return round numbers that span the range, in at most `most` + 1 steps."""
    reach = high - low or 1.0
    step = 10.0 ** len(str(int(reach)))
    while step > reach / most:
        step /= 10
    step = next(step * factor for factor in (1, 2, 5, 10) if step * factor >= reach / most)
    first = int(low / step) - (low < 0 and int(low / step) * step > low)
    found = [first * step]
    while found[-1] < high - step / 1000:
        found.append((first + len(found)) * step)
    return found


def spread(wanted: Sequence[float], apart: float, low: float, high: float) -> list[float]:
    """Return ascending positions close to the wanted ones, at least `apart` from each other, and within `low` and `high` if they fit."""
    found: list[float] = []
    for place in wanted:
        found.append(max(place, found[-1] + apart if found else low))
    limit = high
    for place in reversed(range(len(found))):
        found[place] = min(found[place], limit)
        limit = found[place] - apart
    if found and found[0] < low:
        return [low + apart * place for place in range(len(found))]
    return found


_SIGNS = {
    Tone.BAD: ("M{} {}l8 8m0 -8l-8 8", 4, 4),
    Tone.DOUBTFUL: ("M{} {}l5 9h-10z", 0, 5),
    Tone.CHOICE: ("M{} {}l5 5l-5 5l-5 -5z", 0, 5),
}


def mark(x: float, y: float, tone: Tone, told: str) -> Markup:
    """Return the symbol of a day or a price, different for each tone."""
    class_ = f"m-{tone.value}"
    if tone not in _SIGNS:
        return tag("circle", titled(told), cx=x, cy=y, r=4.5, class_=class_)
    form, left, up = _SIGNS[tone]
    return tag("path", titled(told), d=path(form, x - left, y - up), class_=class_)


def path(form: str, *places: float) -> str:
    """Return a path with numbers in the format of pictures."""
    return form.format(*(f"{round(place, 1) + 0.0:.1f}".removesuffix(".0") for place in places))


_PLAIN = frozenset(("f0", "f-good", "f-aside"))
"""Styles without stripes."""


def stripes(lines: Iterable[str], thick: float, class_: str) -> Markup:
    """Return stripes that distinguish parts without color: lines as thick as the parts, with dashes from the style sheet.

    Patterns are the usual way, but Chromium prints each part with a pattern as an image, so that a page takes 40 megabytes.
    """
    drawn = "" if class_ in _PLAIN else "".join(lines)
    return tag("path", d=drawn, stroke_width=thick, class_=f"st h{class_.removeprefix('f')}") if drawn else joined(())


_TOP, _FOOT = 26.0, 24.0
_LINE = 17.0
"""Distance between names in pixels."""
_SWATCH = 11.0
_YEARS_OF_QUARTERS, _YEARS_OF_MONTHS = (1, 2, 4, 8, 12, 20, 40), (1, 2, 3, 6, 12, 24, 60, 120)
"""Numbers of bars that may share a name."""
_HELD = -1
"""Position of the comparison line."""


class _Plane(NamedTuple):
    """Area of the bars."""

    left: float
    right: float
    base: float
    scale: Numbered
    axis: Axis

    def y(self, value: float) -> float:
        """Return the vertical position of a value."""
        return self.axis.at(value)


def bars(chart: Bars, width: float) -> Picture:
    """Draw bars, with names to the right of the last bar, or below the bars on narrow pages."""
    series = [(place, one) for place, one in enumerate(chart.series) if any(one.values)] or list(
        enumerate(chart.series)
    )
    beside = width > BESIDE
    names = [one.name for _, one in series] + ([chart.line.name] if chart.line else [])
    scale = numbered(_reach(chart), chart.unit, _largest(chart))
    room = min(225.0, max(map(measured, names), default=0.0) + _SWATCH + 8)
    tall = max(240.0 if beside else 200.0, len(names) * _LINE if beside else 0)
    plane = _Plane(
        left=max(map(measured, scale.written)) + 8,
        right=width - (room + 22 if beside else 2),
        base=_TOP + tall,
        scale=scale,
        axis=scale.axis(_TOP + tall, _TOP),
    )
    below = 0.0 if beside else len(names) * _LINE + 6
    drawn = [
        label(0, 12, scale.unit, class_="soft"),
        *scale.grid(plane.axis, plane.left, plane.right),
        *_bar_numbers(plane),
        *_stacks(chart, series, plane),
        *_periods(chart, plane, width),
        *([_line(chart, chart.line, plane)] if chart.line else []),
        *_totals(chart, plane),
        *(_names_beside(chart, series, plane, width) if beside else _names_below(chart, series, plane, width)),
    ]
    return Picture(width, plane.base + _FOOT + below, joined(drawn))


def _largest(chart: Bars) -> Decimal:
    totals = [sum((abs(one.values[place]) for one in chart.series), Decimal(0)) for place in range(len(chart.labels))]
    return max([*totals, *(chart.line.values if chart.line else ())], default=Decimal(0))


def _reach(chart: Bars) -> list[Decimal]:
    """Return the extents of bars and line above and below 0."""
    above = [
        sum((max(one.values[place], Decimal(0)) for one in chart.series), Decimal(0))
        for place in range(len(chart.labels))
    ]
    below = [
        sum((min(one.values[place], Decimal(0)) for one in chart.series), Decimal(0))
        for place in range(len(chart.labels))
    ]
    return [*above, *below, *(chart.line.values if chart.line else ())]


def _bar_numbers(plane: _Plane) -> Iterator[Markup]:
    for step, told in zip(plane.scale.steps, plane.scale.written, strict=True):
        yield label(plane.left - 6, round(plane.y(step)) + 4.5, told, anchor="end", class_="soft")


def _step(chart: Bars, plane: _Plane) -> float:
    return (plane.right - plane.left) / max(1, len(chart.labels))


def _wide(chart: Bars, plane: _Plane) -> float:
    return min(_step(chart, plane) * 0.68, 64.0)


def _stacks(chart: Bars, series: Sequence[tuple[int, Series]], plane: _Plane) -> Iterator[Markup]:
    wide = _wide(chart, plane)
    above, below = [0.0] * len(chart.labels), [0.0] * len(chart.labels)
    for place, one in series:
        made, lines = [], []
        for bar, (period, exact) in enumerate(zip(chart.labels, one.values, strict=True)):
            value = plane.scale.value(exact)
            if not value:
                continue
            reached = above if value > 0 else below
            ends = (plane.y(reached[bar]), plane.y(reached[bar] + value))
            reached[bar] += value
            x = plane.left + _step(chart, plane) * (bar + 0.5) - wide / 2
            told = f"{period}, {amount(exact, chart.unit)}"
            tall = abs(ends[0] - ends[1])
            made.append(box(x, min(ends), wide, max(tall, 0.3), told))
            lines.append(path("M{} {}v{}", x + wide / 2, min(ends), tall))
        yield parts(one.name, [*made, stripes(lines, wide, look(place, one.tone))], look(place, one.tone))


def _periods(chart: Bars, plane: _Plane, width: float) -> Iterator[Markup]:
    """Yield the names of the bars that fit."""
    step = _step(chart, plane)
    wide = max(map(measured, chart.labels), default=0.0)
    steps = _YEARS_OF_QUARTERS if any("Q" in one for one in chart.labels) else _YEARS_OF_MONTHS
    middle = plane.left + step / 2
    moved = max(0.0, wide / 2 - middle)  # the first name is moved into the picture
    each = next((count for count in steps if count * step >= wide + moved + 8), len(chart.labels) or 1)
    end = 0.0
    for bar in range(0, len(chart.labels), each):
        shown = cut(chart.labels[bar], step * each - moved)
        half = measured(shown) / 2
        x = max(half, min(middle + step * bar, width - half))
        if x - half >= end:
            yield label(x, plane.base + 16, shown, anchor="middle", class_="soft")
            end = x + half + 4


def _totals(chart: Bars, plane: _Plane) -> Iterator[Markup]:
    """Yield the total of each bar if all of them fit, above the line if it is near."""
    if len(chart.series) < 2:
        return
    step, divisor = _step(chart, plane), plane.scale.divisor
    written = [
        number(sum((one.values[bar] for one in chart.series), Decimal(0)) / divisor) for bar in range(len(chart.labels))
    ]
    if max((measured(one, SMALL) for one in written), default=0) + 4 > step:
        return
    for bar, told in enumerate(written):
        if not any(one.values[bar] for one in chart.series):
            continue
        y = plane.y(sum(max(float(one.values[bar] / divisor), 0.0) for one in chart.series)) - 5
        held = plane.y(float(chart.line.values[bar] / divisor)) if chart.line else None
        if held is not None and y - 11 < held < y + 5:
            y = min(y, held - 5)
        yield label(plane.left + step * (bar + 0.5), y, told, anchor="middle", class_="halo", size=SMALL)


def _line(chart: Bars, line: Series, plane: _Plane) -> Markup:
    step = _step(chart, plane)
    levels = [plane.y(plane.scale.value(value)) for value in line.values]
    drawn = path("M{} {}", plane.left, levels[0]) if levels else ""
    drawn += "".join(path("V{}h{}", level, step) for level in levels)
    told = "; ".join(
        f"{period}, {amount(value, chart.unit)}" for period, value in zip(chart.labels, line.values, strict=True)
    )
    return joined(
        (tag("path", d=drawn, class_="under"), parts(line.name, [tag("path", titled(told), d=drawn)], "held"))
    )


def _names_beside(chart: Bars, series: Sequence[tuple[int, Series]], plane: _Plane, width: float) -> Iterator[Markup]:
    """Yield the names of the parts in order, each near its part of the last bar."""
    x, reached = plane.right + 22, 0.0
    wanted: list[tuple[float, int, Series | None, bool]] = []
    for place, one in series:
        value = max(plane.scale.value(one.values[-1]), 0.0) if one.values else 0.0
        wanted.append((plane.y(reached + value / 2), place, one, value > 0))
        reached += value
    if chart.line and chart.line.values:
        wanted.append((plane.y(plane.scale.value(chart.line.values[-1])), _HELD, None, True))
    wanted.sort(key=lambda one: (one[0], -one[1]))
    places = spread([one[0] for one in wanted], _LINE, _TOP, plane.base)
    edge = plane.right - (_step(chart, plane) - _wide(chart, plane)) / 2
    for y, (at, place, part, there) in zip(places, wanted, strict=True):
        if there:
            start = plane.right if part is None else edge
            yield tag("path", d=path("M{} {}H{}L{} {}", start, at, plane.right + 4, x - 4, y), class_="lead")
        yield from _named(x, y, place, part or chart.line, width)


def _names_below(chart: Bars, series: Sequence[tuple[int, Series]], plane: _Plane, width: float) -> Iterator[Markup]:
    listed: list[tuple[int, Series | None]] = [*reversed(series), *([(_HELD, chart.line)] if chart.line else [])]
    for row, (place, one) in enumerate(listed):
        yield from _named(2, plane.base + _FOOT + 12 + row * _LINE, place, one, width)


def _named(x: float, y: float, place: int, one: Series | None, width: float) -> Iterator[Markup]:
    """Yield a sample of a part's style, and its name."""
    if one is None:
        return
    if place == _HELD:
        yield tag("line", x1=x, x2=x + _SWATCH, y1=y, y2=y, class_="held")
    else:
        shown = look(place, one.tone)
        yield tag("rect", titled(one.name), x=x, y=y - _SWATCH / 2, width=_SWATCH, height=_SWATCH, class_=shown)
        yield stripes([path("M{} {}v{}", x + _SWATCH / 2, y - _SWATCH / 2, _SWATCH)], _SWATCH, shown)
    yield label(x + _SWATCH + 5, y + 4, cut(one.name, width - x - _SWATCH - 6))


_ROW = 24.0
_NAME = 15.0
"""Height of a name above its bar in pixels."""
_RUNG_HEIGHT = 12.0
_LADDER_HEAD = 38.0
_LITTLE = Decimal("0.01")
"""Share of the axis unit below which an amount has its own unit."""


def ladder(chart: Ladder, width: float) -> Picture:
    """Draw rows with names on the left, or above the rows on narrow pages."""
    beside = width > BESIDE
    values = [value for rung in chart.rungs for value in (rung.value, rung.target) if value is not None]
    scale = numbered(values, chart.unit)
    names = max((measured(rung.name) for rung in chart.rungs), default=0.0)
    left = min(width * 0.36, names + 12) if beside else 0.0
    written = max((measured(_written(rung, scale, chart.unit), SMALL) for rung in chart.rungs), default=0.0)
    axis = scale.axis(left, max(width - written - 14, left + 60))
    row = _ROW if beside else _ROW + _NAME
    height = _LADDER_HEAD + row * len(chart.rungs)
    drawn = [*scale.grid(axis, _LADDER_HEAD - 5, height), *_rung_numbers(scale, axis)]
    for place, rung in enumerate(chart.rungs):
        y = _LADDER_HEAD + row * (place + 1) - _ROW / 2
        drawn.append(
            label(0, y + 4, cut(rung.name, left - 12)) if beside else label(0, y - _NAME + 2, cut(rung.name, width))
        )
        drawn += _rung(rung, scale, chart.unit, y, axis, width)
    return Picture(width, height + 4, joined(drawn))


def _written(rung: Rung, scale: Numbered, unit: str) -> str:
    """Return its amounts in the unit of the axis, or in a unit of their own if very small."""
    shown = [(value, value / scale.divisor) for value in (rung.value, rung.target) if value is not None]
    return " → ".join(amount(value, unit) if 0 < abs(part) < _LITTLE else money(part) for value, part in shown)


def _rung_numbers(scale: Numbered, axis: Axis) -> Iterator[Markup]:
    """Yield the unit, and the numbers that fit."""
    shown = scale.written
    apart = axis.at(scale.steps[1]) - axis.at(scale.steps[0])
    wide = max(map(measured, shown))
    moved = max(0.0, wide / 2 - axis.start)  # the first is moved into the picture
    each = next((count for count in range(1, len(shown)) if count * apart >= wide + moved + 8), len(shown))
    yield label(axis.start, 11, scale.unit, class_="soft")
    for step, told in list(zip(scale.steps, shown, strict=True))[::each]:
        at = max(round(axis.at(step)) + 0.5, measured(told) / 2)
        yield label(at, 27, told, anchor="middle", class_="soft")


def _rung(rung: Rung, scale: Numbered, unit: str, y: float, axis: Axis, width: float) -> Iterator[Markup]:
    zero = axis.at(0.0)
    if rung.value is None:
        yield label(zero + 6, y + 4, cut(rung.told, width - zero - 6, SMALL), class_="soft halo", size=SMALL)
        return
    end = axis.at(scale.value(rung.value))
    near, far = min(zero, end), max(zero, end)
    made = [box(near, y - _RUNG_HEIGHT / 2, max(far - near, 0.5), _RUNG_HEIGHT, rung.told or amount(rung.value, unit))]
    made.append(stripes([path("M{} {}h{}", near, y, far - near)], _RUNG_HEIGHT, look(0, rung.tone)))
    if rung.target is not None:
        target = axis.at(scale.value(rung.target))
        far = max(far, target)
        line = path("M{} {}v{}", target, y - _RUNG_HEIGHT * 0.8, _RUNG_HEIGHT * 1.6)
        made.append(tag("path", d=line, class_="under"))
        made.append(tag("path", titled(amount(rung.target, unit)), d=line, class_="wanted"))
    yield parts(rung.name, made, look(0, rung.tone))
    class_ = "halo" if rung.tone is Tone.PLAIN else f"halo t-{rung.tone.value}"
    yield label(far + 6, y + 4, _written(rung, scale, unit), class_=class_, size=SMALL)


_SPAN_HEIGHT = 11.0
_TIMELINE_HEAD = 22.0
_FLAG = 18.0
"""Width of the number of a common date, in pixels."""
_LEAST = 22.0
"""Minimum distance between grid lines in pixels."""
_POINTED = 400
"""Maximum length of the tooltip of a date."""
_TOGETHER = 12
"""Maximum number of rows of a picture, so that pages can break after it."""


def timeline(chart: Timeline, width: float) -> Iterator[Picture]:
    """Draw one or more pictures with about the same number of rows. Names are on the left, or above the rows on narrow pages.

    Dates that concern all rows are numbered, and `days` explains them.
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
    head = _TIMELINE_HEAD + (_FLAG + 12 if flags else 0)
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
    """Return the list of dates that concern all rows, with their numbers in the picture."""
    items = (
        tag("li", tag("span", text(str(number)), class_="flag"), text(_told(one)))
        for number, one in enumerate(_marks(chart), 1)
    )
    return tag("ul", joined(items), class_="days") if _marks(chart) else joined(())


def _told(one: TimelineMark) -> str:
    """Return a date with its text, which may contain the date itself."""
    day = one.day.isoformat()
    return one.told if day in one.told else f"{day}: {one.told}"


def _marks(chart: Timeline) -> list[TimelineMark]:
    return sorted((one for one in chart.marks if chart.start <= one.day <= chart.end), key=lambda one: one.day)


def _flags(chart: Timeline, axis: Axis) -> list[tuple[float, float]]:
    """Return the position of each common date and of its number, without overlaps."""
    days_ = [axis.at(one.day.toordinal()) for one in _marks(chart)]
    return list(zip(days_, spread(days_, _FLAG + 1, axis.start + _FLAG / 2, axis.end), strict=True))


def _flagged(chart: Timeline, flags: Sequence[tuple[float, float]], head: float, height: float) -> Iterator[Markup]:
    y = _FLAG / 2
    for rank, (one, (x, shown)) in enumerate(zip(_marks(chart), flags, strict=True), 1):
        told = shorten(_told(one), _POINTED, placeholder=" …")  # `days` tells it whole
        line = path("M{} {}L{} {}V{}", shown, y + _FLAG / 2, x, head - _TIMELINE_HEAD + 4, height)
        yield tag("path", d=line, class_=f"day m-{one.tone.value}")
        circle = tag("circle", cx=shown, cy=y, r=8, class_=f"m-{one.tone.value}")
        named = label(shown, y + 4, str(rank), anchor="middle", size=SMALL)
        yield parts("", [tag("g", titled(told), circle, named)], "flagged")


def _grid(chart: Timeline, axis: Axis, head: float, height: float) -> Iterator[Markup]:
    """Yield lines at the first days of years, and of quarters or months between them."""
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
    """Return True if each name ends before the next begins."""
    return all(x + measured(told) + 5 <= to for (x, told, _), (to, _, _) in pairwise(named))


def _firsts(chart: Timeline, each: int) -> Iterator[date]:
    start = chart.start.year * 12 + chart.start.month - 1
    for place in range(start - start % each, chart.end.year * 12 + chart.end.month, each):
        day = date(place // 12, place % 12 + 1, 1)
        if chart.start <= day <= chart.end:
            yield day


def _called(day: date, each: int, *, yearly: bool) -> str:
    """Return the year, quarter, or month. The last two include the year if no year begins in the picture."""
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
        made.append(box(x, y - _SPAN_HEIGHT / 2, max(to - x, 1.5), _SPAN_HEIGHT, told, class_))
        if class_:
            lines.append(stripes([path("M{} {}h{}", x, y, to - x)], _SPAN_HEIGHT, shown))
    for one in row.marks:
        if chart.start <= one.day <= chart.end:
            x = axis.at(one.day.toordinal())
            last, edge = max(last, (one.day, one.told)), max(edge, x + 5)
            made.append(mark(x, y, one.tone, one.told or one.day.isoformat()))
    yield parts(row.name, [*made, *lines], look(0, Tone.PLAIN))
    if measured(last[1], SMALL) <= axis.end + 4 - edge:
        yield label(edge + 6, y + 4, last[1], class_="soft halo", size=SMALL)
