"""SVG pictures of curves: stacked areas over a falling measure, with names on the areas, and rows of bars below them."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from itertools import accumulate, groupby, pairwise
from math import atan2, degrees
from typing import NamedTuple

from friendshore.document.charts import Curve, Series

from .markup import Markup, joined, tag, text
from .svg import (
    MIN_WIDE_PAGE,
    SIZE,
    SMALL,
    Axis,
    AxisScale,
    Picture,
    amount,
    box,
    fill_class,
    label,
    parts,
    path,
    scale_of,
    series_classes,
    stripes,
    text_width,
    tooltip,
    wrapped,
)

_TOP = 30.0
_WIDE_HEIGHT, _NARROW_HEIGHT = 250.0, 190.0
_ROWS_GAP, _ROW_GAP, _ROW_PADDING = 30.0, 3.0, 7.0
_LINE = 14.0
_HATCH_STEP = 4.0
_MIN_CLEARANCE = 9.0
"""Minimum distance in pixels between the middle of a name and the borders of its area."""
_NAME_STEP = 6.0
"""Distance in pixels between the positions that are tried for a name."""


class _Area(NamedTuple):
    """A part of the areas, with its borders in pixels."""

    series: Series
    class_: str
    top: Sequence[float]
    bottom: Sequence[float]


class _Name(NamedTuple):
    """The name of an area on it."""

    x: float
    y: float
    angle: float
    width: float
    clearance: float


class _PointLabel(NamedTuple):
    place: int
    x: float
    is_left: bool
    lines: list[str]


class _Row(NamedTuple):
    """A row of bars, with the place of its name."""

    series: Series
    bars: list[tuple[float, float]]
    x: float
    anchor: str | None
    lines: list[str]
    is_inside: bool

    @property
    def height(self) -> float:
        return _LINE * len(self.lines) + _ROW_PADDING


class _Plot(NamedTuple):
    """Positions in the picture of a curve."""

    chart: Curve
    x_scale: AxisScale
    across: Axis
    scale: AxisScale
    axis: Axis
    labels: list[_PointLabel]

    @property
    def xs(self) -> list[float]:
        return [self.across.at(self.x_scale.value(value)) for value in self.chart.x]

    @property
    def base(self) -> float:
        return self.axis.start

    def tooltip_text(self, values: Sequence[Decimal], unit: str) -> str:
        pairs = zip(self.chart.x, values, strict=True)
        return "; ".join(f"{amount(x, self.chart.x_unit)}: {amount(value, unit)}" for x, value in pairs)


def curve(chart: Curve, width: float) -> Picture:
    """Draw areas below the labels of points, and above the rows of bars."""
    plot = _plot(chart, width)
    areas = list(_areas(plot))
    rows = list(_rows(plot))
    rows_top = plot.base + _ROWS_GAP if rows else plot.base
    bottom = rows_top + sum(row.height + _ROW_GAP for row in rows)
    elements = [label(0, 12, plot.scale.unit, class_="soft"), *_grid(plot)]
    elements += [_area(plot, area) for area in areas]
    elements += _bars(plot, rows, rows_top, areas)
    elements += _point_labels(plot, areas)
    named = _names(plot, [*areas, *_gap(plot, areas)])
    elements += [_area_name(area, name) for area, name in named]
    for step, step_text in zip(plot.x_scale.steps, plot.x_scale.step_texts, strict=True):
        if step <= plot.across.low:
            elements.append(label(plot.across.at(step), bottom + 17, step_text, anchor="middle", class_="soft"))
    x_title = wrapped(f"{chart.x_title}, {plot.x_scale.unit} →", width, max_lines=2)
    elements += [label(0, bottom + 38 + 15 * row, line, class_="soft") for row, line in enumerate(x_title)]
    return Picture(width, bottom + 28 + 15 * len(x_title), joined(elements))


def unnamed_parts(chart: Curve, widths: Iterable[float]) -> list[Series]:
    """Return the series whose areas are too small for their names in a picture of one of the widths."""
    plots = [_plot(chart, width) for width in widths]
    named = [{area.series for area, _ in _names(plot, list(_areas(plot)))} for plot in plots]
    return [series for series in chart.series if not all(series in names for names in named)]


def _plot(chart: Curve, width: float) -> _Plot:
    totals = _totals(chart)
    scale, x_scale = scale_of(totals, chart.unit), scale_of(chart.x, chart.x_unit)
    left = max(map(text_width, scale.step_texts)) + 11
    largest = x_scale.value(max(chart.x, default=Decimal(0))) or 1.0
    across = Axis(largest, 0.0, left, width - 14)
    labels = [
        _point_label(place, across.at(x_scale.value(chart.x[place])), across, content)
        for place, content in enumerate(chart.labels)
        if content
    ]
    top = _TOP + sum(len(each.lines) * _LINE + 4 for each in labels)
    base = top + (_WIDE_HEIGHT if width > MIN_WIDE_PAGE else _NARROW_HEIGHT)
    highest = max(map(scale.value, totals), default=0.0)
    axis = Axis(scale.steps[0], highest if highest > scale.steps[0] else scale.steps[-1], base, top)
    return _Plot(chart, x_scale, across, scale, axis, labels)


def _totals(chart: Curve) -> list[Decimal]:
    return [sum((part.values[point] for part in chart.series), Decimal(0)) for point in range(len(chart.x))]


def _grid(plot: _Plot) -> Iterator[Markup]:
    for step, step_text in zip(plot.scale.steps, plot.scale.step_texts, strict=True):
        if step > plot.axis.high:
            continue
        y = round(plot.axis.at(step)) + 0.5
        class_ = "grid" if step else "axis"
        yield tag("line", x1=plot.across.start, x2=plot.across.end, y1=y, y2=y, class_=class_)
        yield label(plot.across.start - 9, y + 4, step_text, anchor="end", class_="soft")


def _areas(plot: _Plot) -> Iterator[_Area]:
    below = [0.0] * len(plot.chart.x)
    for class_, series in zip(series_classes(plot.chart.series), plot.chart.series, strict=True):
        above = [low + plot.scale.value(value) for low, value in zip(below, series.values, strict=True)]
        yield _Area(series, class_, [*map(plot.axis.at, above)], [*map(plot.axis.at, below)])
        below = above


def _gap(plot: _Plot, areas: Sequence[_Area]) -> Iterator[_Area]:
    """Yield the empty area between the first amount and lower ones, if it has a name."""
    if areas and plot.chart.gap_title:
        top = min(areas[-1].top[0], plot.base)
        yield _Area(Series(plot.chart.gap_title, ()), "gap", [min(top, y) for y in areas[-1].top], areas[-1].top)


def _area(plot: _Plot, area: _Area) -> Markup:
    xs = plot.xs
    ends = [*zip(xs, area.top, strict=True), *reversed([*zip(xs, area.bottom, strict=True)])]
    outline = "".join(path("L{} {}", *end) for end in ends)
    hatch = [path("M{} {}V{}", *column) for column in _columns(xs, area)]
    shape = tag("path", tooltip(plot.tooltip_text(area.series.values, plot.chart.unit)), d=f"M{outline[1:]}z")
    return parts(area.series.name, [shape, stripes(hatch, _HATCH_STEP, area.series.tone)], f"area {area.class_}")


def _columns(xs: Sequence[float], area: _Area) -> Iterator[tuple[float, float, float]]:
    """Yield columns that cover an area, for its hatching: the horizontal position, and both ends."""
    for x in _positions(xs[0] + _HATCH_STEP / 2, xs[-1], _HATCH_STEP):
        yield x, _between(xs, area.bottom, x), _between(xs, area.top, x)


def _positions(start: float, end: float, step: float) -> list[float]:
    return [start + step * number for number in range(max(0, int((end - start) / step) + 1))]


def _between(xs: Sequence[float], ys: Sequence[float], x: float) -> float:
    """Return the height at `x` of the line through points."""
    after = min(max(1, bisect_right(xs, x)), len(xs) - 1)
    width = xs[after] - xs[after - 1]
    part = (x - xs[after - 1]) / width if width else 1.0
    return ys[after - 1] + (ys[after] - ys[after - 1]) * part


def _names(plot: _Plot, areas: Sequence[_Area]) -> Iterator[tuple[_Area, _Name]]:
    """Yield the areas that have room for their names, level if possible, else along the area."""
    placed: list[_Name] = []
    for area in areas:
        for is_level in (True, False):
            names = [name for name in _possible_names(plot, area, is_level=is_level) if not _overlaps(name, placed)]
            if names:
                best = max(names, key=lambda name: min(name.clearance, 2 * _MIN_CLEARANCE))
                placed.append(best)
                yield area, best
                break


def _overlaps(name: _Name, others: Iterable[_Name]) -> bool:
    return any(
        abs(name.x - other.x) < (name.width + other.width) / 2 and abs(name.y - other.y) < _LINE + 2 for other in others
    )


def _possible_names(plot: _Plot, area: _Area, *, is_level: bool) -> Iterator[_Name]:
    width, xs = text_width(area.series.name) + 12, plot.xs
    for start in _positions(xs[0], xs[-1] - width, _NAME_STEP):
        end = start + width
        if any(start < each.x < end for each in plot.labels):
            continue
        samples = [start, *(x for x in xs if start < x < end), end]
        borders = [(_between(xs, area.top, x), _between(xs, area.bottom, x)) for x in samples]
        if is_level:
            middle = (max(top for top, _ in borders) + min(bottom for _, bottom in borders)) / 2
            line = [middle] * len(samples)
        else:
            first, last = ((top + bottom) / 2 for top, bottom in (borders[0], borders[-1]))
            line = [first + (last - first) * (x - start) / width for x in samples]
        clearance = min(min(y - top, bottom - y) for y, (top, bottom) in zip(line, borders, strict=True))
        if clearance >= _MIN_CLEARANCE:
            angle = degrees(atan2(line[-1] - line[0], width))
            yield _Name((start + end) / 2, (line[0] + line[-1]) / 2, angle, width, clearance)


def _area_name(area: _Area, name: _Name) -> Markup:
    turn = path("rotate({} {} {})", name.angle, name.x, name.y) if abs(name.angle) >= 0.1 else None
    return tag(
        "text",
        text(area.series.name),
        x=name.x,
        y=name.y + SIZE * 0.34,
        text_anchor="middle",
        transform=turn,
        class_=f"named {area.class_}",
    )


def _point_label(place: int, x: float, across: Axis, content: str) -> _PointLabel:
    is_left = x - across.start > across.end - x
    room = (x - across.start if is_left else across.end - x) - 10
    return _PointLabel(place, x, is_left, wrapped(content, room, SIZE, 3))


def _point_labels(plot: _Plot, areas: Sequence[_Area]) -> Iterator[Markup]:
    """Yield the labels of points above the areas, one below the other, each at a line to its point and below."""
    y = _TOP
    tops = areas[-1].top if areas else [plot.base] * len(plot.chart.x)
    for each in plot.labels:
        yield tag("line", x1=each.x, x2=each.x, y1=y - 10, y2=plot.base, class_="lead")
        yield tag("circle", cx=each.x, cy=tops[each.place], r=4.5, class_="point" if each.place else "point plan")
        for line in each.lines:
            x, anchor = (each.x - 8, "end") if each.is_left else (each.x + 8, None)
            yield label(x, y, line, anchor=anchor, class_=None if each.place else "strong")
            y += _LINE
        y += 4


def _rows(plot: _Plot) -> Iterator[_Row]:
    """Yield the rows of bars. The name of each is on its longest bar, or else beside its bars."""
    for series in plot.chart.rows:
        segments = zip(pairwise(plot.xs), series.values[1:], strict=True)
        runs = [[ends for ends, _ in run] for is_on, run in groupby(segments, lambda one: bool(one[1])) if is_on]
        bars = [(run[0][0], max(run[-1][1], run[0][0] + 1.5)) for run in runs]
        if bars:
            yield _row(plot, series, bars)


def _row(plot: _Plot, series: Series, bars: list[tuple[float, float]]) -> _Row:
    longest = max(bars, key=lambda bar: bar[1] - bar[0])
    places: list[tuple[float, float, str | None, bool]] = [
        (longest[0] + 5, longest[1] - longest[0] - 10, None, True),
        (bars[0][0] - 6, bars[0][0] - plot.across.start - 6, "end", False),
        (bars[-1][1] + 6, plot.across.end - bars[-1][1] - 6, None, False),
    ]
    rows = [
        _Row(series, bars, x, anchor, wrapped(series.name, room, SMALL, 3), is_inside)
        for x, room, anchor, is_inside in places
        if room > SMALL
    ]
    return min(rows, key=lambda row: (" ".join(row.lines) != " ".join(series.name.split()), len(row.lines)))


def _bars(plot: _Plot, rows: Sequence[_Row], top: float, areas: Sequence[_Area]) -> Iterator[Markup]:
    """Yield the rows of bars, each with a line to the point of the curve from which it applies."""
    tops = list(accumulate((row.height + _ROW_GAP for row in rows), initial=top))
    for row, row_top in zip(rows, tops, strict=False):
        x = row.bars[0][0]
        y = _between(plot.xs, areas[-1].top, x) if areas else plot.base
        yield tag("line", x1=x, x2=x, y1=y, y2=row_top, class_="lead pale")
    if rows:
        class_ = f"strong halo colored {fill_class(rows[0].series.tone)}"
        yield label(plot.across.start, top - 9, plot.chart.rows_title, class_=class_)
    for row, row_top in zip(rows, tops, strict=False):
        shapes = [
            box(start, row_top, end - start, row.height, amount(row.series.values[-1], "")) for start, end in row.bars
        ]
        yield parts(row.series.name, shapes, f"area steps {fill_class(row.series.tone)}")
        class_ = "on" if row.is_inside else "halo"
        y = row_top + row.height / 2 + SMALL * 0.34 - (len(row.lines) - 1) * _LINE / 2
        for place, line in enumerate(row.lines):
            yield label(row.x, y + place * _LINE, line, anchor=row.anchor, class_=class_, size=SMALL)
