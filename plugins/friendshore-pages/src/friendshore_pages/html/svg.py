"""SVG pictures: text widths, units, ticks, and charts with bars, ladders, and timelines."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from itertools import pairwise
from textwrap import shorten
from typing import NamedTuple
from unicodedata import combining, east_asian_width, normalize

from friendshore.document.charts import Bars, Ladder, Rung, Series, Timeline, TimelineMark, TimelineRow
from friendshore.document.figures import money, number, unit_for
from friendshore.document.tones import Tone
from friendshore.inert import visible

from .markup import Markup, joined, tag, text, trusted

SIZE = 12.0
SMALL = 11.0
_WIDTHS = dict(zip(map(chr, range(32, 127)), (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278,
    584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944,
    667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500,
    278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
), strict=True))  # fmt: skip
"""Widths of letters in Helvetica, in thousandths of the font size. Arial and Liberation Sans have the same widths."""
_EAST_ASIAN_WIDTH, _DEFAULT_WIDTH = 1000, 800
"""Width of East Asian characters, and of other unlisted ones."""
_BOLD_FACTOR = 1.09
_SHADES = {Tone.PLAIN: 6, Tone.CONCERN: 3, Tone.TITLE: 5}
"""Number of shades of a tone. Other tones have one."""


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
    end: float

    def at(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


MIN_WIDE_PAGE = 600.0
"""Width in pixels above which names fit next to their items."""


@dataclass(frozen=True, slots=True)
class AxisScale:
    """Round numbers that cover a range of amounts, in a unit that suits the largest."""

    divisor: Decimal
    unit: str
    steps: list[float]

    @property
    def step_texts(self) -> list[str]:
        return [number(Decimal(repr(step))) for step in self.steps]

    def axis(self, start: float, end: float) -> Axis:
        return Axis(self.steps[0], self.steps[-1], start, end)

    def value(self, exact: Decimal) -> float:
        return float(exact / self.divisor)

    def grid(self, axis: Axis, low: float, high: float) -> list[Markup]:
        """Return a line across the axis for each number, from `low` to `high`. The line at 0 is solid."""
        along, across = ("x", "y") if axis.end > axis.start else ("y", "x")
        lines = []
        for step in self.steps:
            position = round(axis.at(step)) + 0.5
            ends = {f"{along}1": position, f"{along}2": position, f"{across}1": low, f"{across}2": high}
            lines.append(tag("line", **ends, class_="grid" if step else "axis"))
        return lines


def scale_of(amounts: Sequence[Decimal], unit: str, largest: Decimal | None = None) -> AxisScale:
    max_amount = max(map(abs, amounts), default=Decimal(0)) if largest is None else largest
    divisor, unit_name = unit_of(max_amount, unit)
    low, high = (float(bound([*amounts, Decimal(0)]) / divisor) for bound in (min, max))
    return AxisScale(divisor, unit_name, ticks(low, high or 1.0))


def text_width(content: str, size: float = SIZE, *, bold: bool = False) -> float:
    """Return the width of a text in pixels, rather overestimated than underestimated."""
    return sum(map(_character_width, visible(content))) * size / 1000 * (_BOLD_FACTOR if bold else 1)


def _character_width(character: str) -> int:
    if width := _WIDTHS.get(character):
        return width
    if combining(character):
        return 0
    if east_asian_width(character) in "WF":
        return _EAST_ASIAN_WIDTH
    return _WIDTHS.get(normalize("NFD", character)[0], _DEFAULT_WIDTH)


def shortened(content: str, room: float, size: float = SIZE, *, bold: bool = False) -> str:
    """Return a text of at most `room` pixels, shortened with an ellipsis if necessary."""
    if text_width(content, size, bold=bold) <= room:
        return content
    start, width = "", text_width("…", size, bold=bold)
    for character in visible(content):
        width += text_width(character, size, bold=bold)
        if width > room:
            break
        start += character
    return f"{start.rstrip(' ,-')}…" if start else ""


def wrapped(content: str, room: float, size: float = SIZE, max_lines: int = 2) -> list[str]:
    """Return a text as lines of at most `room` pixels. Only a text that needs more than `max_lines` is shortened."""
    lines = [""]
    for word in content.split():
        longer = f"{lines[-1]} {word}".lstrip()
        if lines[-1] and text_width(longer, size) > room and len(lines) < max_lines:
            lines.append(word)
        else:
            lines[-1] = longer
    return [shortened(line, room, size) for line in lines]


def label_lines(x: float, y: float, lines: Sequence[str], size: float = SIZE, class_: str | None = None) -> Markup:
    """Return lines of text around `y`, the middle of them."""
    top = y + size * 0.34 - (len(lines) - 1) * (size + 1) / 2
    return joined(
        label(x, top + number * (size + 1), line, class_=class_, size=size) for number, line in enumerate(lines)
    )


def label(
    x: float, y: float, content: str, *, anchor: str | None = None, class_: str | None = None, size: float | None = None
) -> Markup:
    """Return a line of text. `anchor` is `middle` or `end`, and `y` is its baseline."""
    if not content:
        return joined(())
    return tag("text", text(content), x=x, y=y, text_anchor=anchor, class_=class_, font_size=size)


def tooltip(content: str) -> Markup:
    return tag("title", text(content)) if content else joined(())


def box(left: float, top: float, width: float, height: float, tooltip_text: str, class_: str | None = None) -> Markup:
    """Return a rectangle, as a path that takes fewer bytes than `rect`."""
    return tag(
        "path", tooltip(tooltip_text), d=path("M{} {}h{}v{}h-{}z", left, top, width, height, width), class_=class_
    )


def parts(name: str, elements: Iterable[Markup], class_: str = "") -> Markup:
    return tag("g", tooltip(name), joined(elements), class_=f"parts {class_}".strip())


def without_tooltips(content: Markup) -> Markup:
    return trusted(re.sub("></(path|circle|rect|use)>", "/>", re.sub("<title>[^<]*</title>", "", content)))


def fill_class(tone: Tone, position: int = 0) -> str:
    """Return the CSS class of a tone's color. Parts of one tone have different shades."""
    shades = _SHADES.get(tone, 1)
    return f"f-{tone.value}{position % shades if shades > 1 else ''}"


def series_classes(series: Iterable[Series]) -> list[str]:
    numbers: defaultdict[Tone, int] = defaultdict(int)
    classes = []
    for part in series:
        classes.append(fill_class(part.tone, numbers[part.tone]))
        numbers[part.tone] += 1
    return classes


def unit_of(largest: Decimal, unit: str) -> tuple[Decimal, str]:
    """Return the divisor of amounts and their unit: tonnes from 1 tonne, millions, and billions."""
    divisor = Decimal(1)
    if unit == "kg" and unit_for([largest]) == "t":
        divisor, unit = Decimal(1000), "t"
    for factor, word in ((Decimal(10) ** 9, "billion"), (Decimal(10) ** 6, "million")):
        if abs(largest) / divisor >= factor:
            return divisor * factor, f"{word} {unit}"
    return divisor, unit


def amount(value: Decimal, unit: str) -> str:
    divisor, name = unit_of(value, unit)
    return f"{number(value / divisor)} {name}".strip()


def ticks(low: float, high: float, max_steps: int = 5) -> list[float]:
    """Return round numbers that cover the range, in at most `max_steps` + 1 steps."""
    range_size = high - low or 1.0
    step = 10.0 ** len(str(int(range_size)))
    while step > range_size / max_steps:
        step /= 10
    step = next(step * factor for factor in (1, 2, 5, 10) if step * factor >= range_size / max_steps)
    first = int(low / step) - (low < 0 and int(low / step) * step > low)
    steps = [first * step]
    while steps[-1] < high - step / 1000:
        steps.append((first + len(steps)) * step)
    return steps


def spread_out(desired: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Return ascending positions close to the desired ones, at least `distance` apart, and within `low` and `high` if they fit."""
    positions: list[float] = []
    for position in desired:
        positions.append(max(position, positions[-1] + distance if positions else low))
    limit = high
    for index in reversed(range(len(positions))):
        positions[index] = min(positions[index], limit)
        limit = positions[index] - distance
    if positions and positions[0] < low:
        return [low + distance * index for index in range(len(positions))]
    return positions


def path(shape: str, *numbers: float) -> str:
    return shape.format(*(f"{round(each, 1) + 0.0:.1f}".removesuffix(".0") for each in numbers))


def stripes(lines: Iterable[str], thickness: float, tone: Tone) -> Markup:
    """Return lines as thick as the parts, with dashes from the style sheet, which hatch parts of unknown origin or status.

    Patterns would be usual, but Chromium prints each part with a pattern as an image, and a page then takes 40 megabytes.
    """
    dashes = "".join(lines) if tone in HATCHED else ""
    return tag("path", d=dashes, stroke_width=thickness, class_="hatch") if dashes else joined(())


HATCHED = (Tone.UNKNOWN, Tone.DOUBTFUL)


_TOP, _FOOT = 26.0, 24.0
_LINE_HEIGHT = 17.0
_YEARS_OF_QUARTERS, _YEARS_OF_MONTHS = (1, 2, 4, 8, 12, 20, 40), (1, 2, 3, 6, 12, 24, 60, 120)
"""Numbers of bars that may share a name."""


class _Plane(NamedTuple):
    left: float
    right: float
    base: float
    scale: AxisScale
    axis: Axis

    def y(self, value: float) -> float:
        return self.axis.at(value)


def bars(chart: Bars, width: float) -> Picture:
    """Draw bars. The legend names their parts."""
    scale = scale_of(_extents(chart), chart.unit, _largest(chart))
    plane = _Plane(
        left=max(map(text_width, scale.step_texts)) + 8,
        right=width - 2,
        base=_TOP + (210.0 if width > MIN_WIDE_PAGE else 180.0),
        scale=scale,
        axis=scale.axis(_TOP + (210.0 if width > MIN_WIDE_PAGE else 180.0), _TOP),
    )
    elements = [
        label(0, 12, scale.unit, class_="soft"),
        *scale.grid(plane.axis, plane.left, plane.right),
        *_bar_numbers(plane),
        *_stacked_bars(chart, plane),
        *_period_names(chart, plane, width),
        *([_comparison_line(chart, chart.line, plane)] if chart.line else []),
        *_totals(chart, plane),
    ]
    return Picture(width, plane.base + _FOOT, joined(elements))


def _largest(chart: Bars) -> Decimal:
    totals = [sum((abs(part.values[bar]) for part in chart.series), Decimal(0)) for bar in range(len(chart.labels))]
    return max([*totals, *(chart.line.values if chart.line else ())], default=Decimal(0))


def _extents(chart: Bars) -> list[Decimal]:
    above = [
        sum((max(part.values[bar], Decimal(0)) for part in chart.series), Decimal(0))
        for bar in range(len(chart.labels))
    ]
    below = [
        sum((min(part.values[bar], Decimal(0)) for part in chart.series), Decimal(0))
        for bar in range(len(chart.labels))
    ]
    return [*above, *below, *(chart.line.values if chart.line else ())]


def _bar_numbers(plane: _Plane) -> Iterator[Markup]:
    for step, step_text in zip(plane.scale.steps, plane.scale.step_texts, strict=True):
        yield label(plane.left - 6, round(plane.y(step)) + 4.5, step_text, anchor="end", class_="soft")


def _bar_distance(chart: Bars, plane: _Plane) -> float:
    return (plane.right - plane.left) / max(1, len(chart.labels))


def _bar_width(chart: Bars, plane: _Plane) -> float:
    return min(_bar_distance(chart, plane) * 0.68, 64.0)


def _stacked_bars(chart: Bars, plane: _Plane) -> Iterator[Markup]:
    bar_width = _bar_width(chart, plane)
    above, below = [0.0] * len(chart.labels), [0.0] * len(chart.labels)
    for class_, part in zip(series_classes(chart.series), chart.series, strict=True):
        boxes, lines = [], []
        for bar, (period, exact) in enumerate(zip(chart.labels, part.values, strict=True)):
            value = plane.scale.value(exact)
            if not value:
                continue
            heights = above if value > 0 else below
            ends = (plane.y(heights[bar]), plane.y(heights[bar] + value))
            heights[bar] += value
            x = plane.left + _bar_distance(chart, plane) * (bar + 0.5) - bar_width / 2
            tooltip_text = f"{period}, {amount(exact, chart.unit)}"
            height = abs(ends[0] - ends[1])
            boxes.append(box(x, min(ends), bar_width, max(height, 0.3), tooltip_text))
            lines.append(path("M{} {}v{}", x + bar_width / 2, min(ends), height))
        yield parts(part.name, [*boxes, stripes(lines, bar_width, part.tone)], f"bar {class_}")


def _period_names(chart: Bars, plane: _Plane, width: float) -> Iterator[Markup]:
    step = _bar_distance(chart, plane)
    name_width = max(map(text_width, chart.labels), default=0.0)
    steps = _YEARS_OF_QUARTERS if any("Q" in name for name in chart.labels) else _YEARS_OF_MONTHS
    middle = plane.left + step / 2
    shift = max(0.0, name_width / 2 - middle)  # the first name is moved into the picture
    interval = next((count for count in steps if count * step >= name_width + shift + 8), len(chart.labels) or 1)
    last_end = 0.0
    for bar in range(0, len(chart.labels), interval):
        name = shortened(chart.labels[bar], step * interval - shift)
        half = text_width(name) / 2
        x = max(half, min(middle + step * bar, width - half))
        if x - half >= last_end:
            yield label(x, plane.base + 16, name, anchor="middle", class_="soft")
            last_end = x + half + 4


def _totals(chart: Bars, plane: _Plane) -> Iterator[Markup]:
    """Yield the total of each bar if all of them fit, above the line if it is near."""
    if len(chart.series) < 2:
        return
    step, divisor = _bar_distance(chart, plane), plane.scale.divisor
    totals = [
        number(sum((part.values[bar] for part in chart.series), Decimal(0)) / divisor)
        for bar in range(len(chart.labels))
    ]
    if max((text_width(total, SMALL) for total in totals), default=0) + 4 > step:
        return
    for bar, total in enumerate(totals):
        if not any(part.values[bar] for part in chart.series):
            continue
        y = plane.y(sum(max(float(part.values[bar] / divisor), 0.0) for part in chart.series)) - 5
        line_y = plane.y(float(chart.line.values[bar] / divisor)) if chart.line else None
        if line_y is not None and y - 11 < line_y < y + 5:
            y = min(y, line_y - 5)
        yield label(plane.left + step * (bar + 0.5), y, total, anchor="middle", class_="halo", size=SMALL)


def _comparison_line(chart: Bars, line: Series, plane: _Plane) -> Markup:
    step = _bar_distance(chart, plane)
    levels = [plane.y(plane.scale.value(value)) for value in line.values]
    line_path = path("M{} {}", plane.left, levels[0]) if levels else ""
    line_path += "".join(path("V{}h{}", level, step) for level in levels)
    tooltip_text = "; ".join(
        f"{period}, {amount(value, chart.unit)}" for period, value in zip(chart.labels, line.values, strict=True)
    )
    return joined(
        (
            tag("path", d=line_path, class_="under"),
            parts(line.name, [tag("path", tooltip(tooltip_text), d=line_path)], "held"),
        )
    )


_ROW = 24.0
_NAME = 15.0
_RUNG_HEIGHT = 12.0
_LADDER_HEAD = 38.0
_MIN_SHARE_OF_UNIT = Decimal("0.01")
"""Share of the axis unit below which an amount has its own unit."""


def ladder(chart: Ladder, width: float) -> Picture:
    """Draw rows with names on the left, or above the rows on narrow pages."""
    is_wide = width > MIN_WIDE_PAGE
    values = [value for rung in chart.rungs for value in (rung.value, rung.target) if value is not None]
    scale = scale_of(values, chart.unit)
    left = _name_column((rung.name for rung in chart.rungs), width)
    max_text_width = max((text_width(_rung_text(rung, scale, chart.unit), SMALL) for rung in chart.rungs), default=0.0)
    axis = scale.axis(left, max(width - max_text_width - 14, left + 60))
    row_height = _ROW if is_wide else _ROW + _NAME
    height = _LADDER_HEAD + row_height * len(chart.rungs)
    elements = [*scale.grid(axis, _LADDER_HEAD - 5, height), *_rung_numbers(scale, axis)]
    for index, rung in enumerate(chart.rungs):
        y = _LADDER_HEAD + row_height * (index + 1) - _ROW / 2
        elements.append(_row_name(rung.name, y, left, width))
        elements += _rung(rung, scale, chart.unit, y, axis, width)
    return Picture(width, height + 4, joined(elements))


def _name_column(names: Iterable[str], width: float) -> float:
    """Return the width of the column of names. 0 on narrow pages, which have each name above its row."""
    return min(width * 0.4, max(map(text_width, names), default=0.0) + 12) if width > MIN_WIDE_PAGE else 0.0


def _row_name(name: str, y: float, left: float, width: float) -> Markup:
    if left:
        lines = wrapped(name, left - 12) if text_width(name) > left - 12 else [name]
        return label_lines(0, y, lines, SIZE if len(lines) == 1 else SMALL - 1)
    size = SIZE if text_width(name) <= width else SMALL - 1
    return label_lines(0, y - _NAME - 2, wrapped(name, width, size, max_lines=1), size, "halo")


def rung_class(tone: Tone) -> str:
    """Return the color class of a rung. Amounts without an origin have the neutral color."""
    return fill_class(Tone.TITLE if tone is Tone.PLAIN else tone)


def _rung_text(rung: Rung, scale: AxisScale, unit: str) -> str:
    amounts = [(value, value / scale.divisor) for value in (rung.value, rung.target) if value is not None]
    amounts_text = " → ".join(
        amount(value, unit) if 0 < abs(in_unit) < _MIN_SHARE_OF_UNIT else money(in_unit) for value, in_unit in amounts
    )
    return ", ".join(filter(None, (amounts_text, rung.note)))


def _rung_numbers(scale: AxisScale, axis: Axis) -> Iterator[Markup]:
    step_texts = scale.step_texts
    distance = axis.at(scale.steps[1]) - axis.at(scale.steps[0])
    max_width = max(map(text_width, step_texts))
    shift = max(0.0, max_width / 2 - axis.start)  # the first is moved into the picture
    interval = next(
        (count for count in range(1, len(step_texts)) if count * distance >= max_width + shift + 8), len(step_texts)
    )
    yield label(axis.start, 11, scale.unit, class_="soft")
    for step, step_text in list(zip(scale.steps, step_texts, strict=True))[::interval]:
        x = max(round(axis.at(step)) + 0.5, text_width(step_text) / 2)
        yield label(x, 27, step_text, anchor="middle", class_="soft")


def _rung(rung: Rung, scale: AxisScale, unit: str, y: float, axis: Axis, width: float) -> Iterator[Markup]:
    zero = axis.at(0.0)
    if rung.value is None:
        size = SMALL - 1
        yield label_lines(zero + 6, y, wrapped(rung.description, width - zero - 8, size), size, "soft halo")
        return
    end = axis.at(scale.value(rung.value))
    left, right = min(zero, end), max(zero, end)
    shapes = [
        box(
            left,
            y - _RUNG_HEIGHT / 2,
            max(right - left, 0.5),
            _RUNG_HEIGHT,
            rung.description or amount(rung.value, unit),
        )
    ]
    shapes.append(stripes([path("M{} {}h{}", left, y, right - left)], _RUNG_HEIGHT, rung.tone))
    if rung.target is not None:
        target = axis.at(scale.value(rung.target))
        right = max(right, target)
        line = path("M{} {}v{}", target, y - _RUNG_HEIGHT * 0.8, _RUNG_HEIGHT * 1.6)
        shapes.append(tag("path", d=line, class_="under"))
        shapes.append(tag("path", tooltip(amount(rung.target, unit)), d=line, class_="wanted"))
    yield parts(rung.name, shapes, f"bar {rung_class(rung.tone)}")
    yield label(right + 6, y + 4, _rung_text(rung, scale, unit), class_="halo", size=SMALL)


_SPAN_HEIGHT = 11.0
_TIMELINE_HEAD = 22.0
_FLAG = 18.0
_MIN_GRID_DISTANCE = 22.0
_MAX_TOOLTIP = 400
_MAX_ROWS = 12
"""Maximum number of rows of a picture, so that pages can break after it."""


def timeline(chart: Timeline, width: float) -> Iterator[Picture]:
    """Draw one or more pictures with about the same number of rows. Names are on the left, or above the rows on narrow pages.

    Dates that apply to all rows are numbered, and `days` explains them.
    """
    left = _name_column((row.name for row in chart.rows), width)
    rows_per_picture = -(-len(chart.rows) // max(1, -(-len(chart.rows) // _MAX_ROWS)))
    for start in range(0, len(chart.rows) or 1, rows_per_picture or 1):
        yield _picture(replace(chart, rows=chart.rows[start : start + rows_per_picture]), width, left)


def _picture(chart: Timeline, width: float, left: float) -> Picture:
    is_wide = width > MIN_WIDE_PAGE
    axis = Axis(chart.start.toordinal(), chart.end.toordinal() + 1, left, width - 10)
    flags = _flags(chart, axis)
    head_height = _TIMELINE_HEAD + (_FLAG + 12 if flags else 0)
    row_height = _ROW if is_wide else _ROW + _NAME
    height = head_height + row_height * len(chart.rows)
    elements = list(_time_grid(chart, axis, head_height, height))
    for index in range(len(chart.rows)):
        y = head_height + row_height * index
        elements.append(tag("line", x1=0, x2=width, y1=y + 0.5, y2=y + 0.5, class_="grid"))
    elements += _flag_markup(chart, flags, head_height, height)
    for index, timeline_row in enumerate(chart.rows):
        y = head_height + row_height * (index + 1) - _ROW / 2
        elements.append(_row_name(timeline_row.name, y, left, width))
        elements += _timeline_row(timeline_row, y, axis, chart)
    return Picture(width, height + 4, joined(elements))


def days(chart: Timeline) -> Markup:
    items = (
        tag("li", tag("span", text(str(number)), class_="flag"), text(_mark_text(timeline_mark)))
        for number, timeline_mark in enumerate(_marks(chart), 1)
    )
    return tag("ul", joined(items), class_="days") if _marks(chart) else joined(())


def _mark_text(timeline_mark: TimelineMark) -> str:
    day = timeline_mark.day.isoformat()
    return timeline_mark.description if day in timeline_mark.description else f"{day}: {timeline_mark.description}"


def _marks(chart: Timeline) -> list[TimelineMark]:
    return sorted(
        (timeline_mark for timeline_mark in chart.marks if chart.start <= timeline_mark.day <= chart.end),
        key=lambda timeline_mark: timeline_mark.day,
    )


def _flags(chart: Timeline, axis: Axis) -> list[tuple[float, float]]:
    """Return the position of each common date, and that of its number so that numbers don't overlap."""
    positions = [axis.at(timeline_mark.day.toordinal()) for timeline_mark in _marks(chart)]
    return list(zip(positions, spread_out(positions, _FLAG + 1, axis.start + _FLAG / 2, axis.end), strict=True))


def _flag_markup(chart: Timeline, flags: Sequence[tuple[float, float]], head: float, height: float) -> Iterator[Markup]:
    y = _FLAG / 2
    for index, (timeline_mark, (x, flag_x)) in enumerate(zip(_marks(chart), flags, strict=True), 1):
        tooltip_text = shorten(_mark_text(timeline_mark), _MAX_TOOLTIP, placeholder=" …")  # `days` has the full text
        line = path("M{} {}L{} {}V{}", flag_x, y + _FLAG / 2, x, head - _TIMELINE_HEAD + 4, height)
        yield tag("path", d=line, class_="day")
        circle = tag("circle", cx=flag_x, cy=y, r=8)
        flag_label = label(flag_x, y + 4, str(index), anchor="middle", size=SMALL)
        yield parts("", [tag("g", tooltip(tooltip_text), circle, flag_label)], "flagged")


def _time_grid(chart: Timeline, axis: Axis, head: float, height: float) -> Iterator[Markup]:
    """Yield lines at the first days of years, and of quarters or months between them."""
    month_width = (axis.end - axis.start) / (axis.high - axis.low) * 30.4
    months = next((count for count in (1, 3, 12, 24, 60, 120) if count * month_width >= _MIN_GRID_DISTANCE), 240)
    first_days = list(_first_days(chart, months))
    has_years = any(day.month == 1 for day in first_days)
    labels = [
        (round(axis.at(day.toordinal())) + 0.5, _date_text(day, months, has_years=has_years), day.month == 1)
        for day in first_days
    ]
    for x, _, is_year in labels:
        yield tag("line", x1=x, x2=x, y1=head - (8 if is_year else 4), y2=height, class_="year" if is_year else "grid")
    year_labels = [entry for entry in labels if entry[2]]
    for x, name, _ in next((fitting for fitting in (labels, year_labels) if _names_fit(fitting)), labels[:1]):
        if x + 3 + text_width(name) <= axis.end + 10:
            yield label(x + 3, head - 8, name, class_="soft halo")


def _names_fit(labels: Sequence[tuple[float, str, bool]]) -> bool:
    return all(x + text_width(name) + 5 <= next_x for (x, name, _), (next_x, _, _) in pairwise(labels))


def _first_days(chart: Timeline, months: int) -> Iterator[date]:
    start = chart.start.year * 12 + chart.start.month - 1
    for month in range(start - start % months, chart.end.year * 12 + chart.end.month, months):
        day = date(month // 12, month % 12 + 1, 1)
        if chart.start <= day <= chart.end:
            yield day


def _date_text(day: date, months: int, *, has_years: bool) -> str:
    """Return the year, quarter, or month. The last two include the year if no year begins in the picture."""
    if day.month == 1:
        return str(day.year)
    name = f"Q{(day.month + 2) // 3}" if months == 3 else f"{day:%m}"
    return name if has_years else f"{day.year}-{name}"


def _timeline_row(row: TimelineRow, y: float, axis: Axis, chart: Timeline) -> Iterator[Markup]:
    shapes, hatches = [], []
    for span in row.spans:
        start, end = max(span.start, chart.start).toordinal(), min(span.end, chart.end).toordinal() + 1
        if start < end:
            x, end_x = axis.at(start), axis.at(end)
            tooltip_text = span.description or f"{span.start.isoformat()} to {span.end.isoformat()}"
            size = max(end_x - x, 1.5)
            shapes.append(box(x, y - _SPAN_HEIGHT / 2, size, _SPAN_HEIGHT, tooltip_text, fill_class(span.tone)))
            hatches.append(stripes([path("M{} {}h{}", x, y, size)], _SPAN_HEIGHT, span.tone))
    yield parts(row.name, [*shapes, *hatches], "bar")
