"""Bars over time, each of parts that are added up, with what they are held against as a line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from friendshore.document.charts import Bars, Series
from friendshore.document.figures import number

from .markup import Markup, joined, tag
from .svg import (
    BESIDE,
    SMALL,
    Axis,
    Numbered,
    Picture,
    amount,
    box,
    cut,
    label,
    look,
    measured,
    numbered,
    parts,
    path,
    spread,
    stripes,
    titled,
)

_TOP, _FOOT = 26.0, 24.0
_LINE = 17.0
"""Pixels from one name to the next."""
_SWATCH = 11.0
_YEARS_OF_QUARTERS, _YEARS_OF_MONTHS = (1, 2, 4, 8, 12, 20, 40), (1, 2, 3, 6, 12, 24, 60, 120)
"""How many bars one name may stand for."""
_HELD = -1
"""The place of what bars are held against."""


class _Plane(NamedTuple):
    """Where bars stand."""

    left: float
    right: float
    base: float
    scale: Numbered
    axis: Axis

    def y(self, value: float) -> float:
        """The height at which a value stands."""
        return self.axis.at(value)


def bars(chart: Bars, width: float) -> Picture:
    """Names stand at the right of the last bar, and below where there is no room."""
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
        *_numbers(plane),
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
    """How far bars and line go, above and below nothing."""
    above = [
        sum((max(one.values[place], Decimal(0)) for one in chart.series), Decimal(0))
        for place in range(len(chart.labels))
    ]
    below = [
        sum((min(one.values[place], Decimal(0)) for one in chart.series), Decimal(0))
        for place in range(len(chart.labels))
    ]
    return [*above, *below, *(chart.line.values if chart.line else ())]


def _numbers(plane: _Plane) -> Iterator[Markup]:
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
    """What bars are called, as many as there is room for."""
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
    """What each bar comes to, where all of them have room; above the line if it is near."""
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
    """Names in the order of the parts, each near its part of the last bar."""
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
    """A sample of a part's look, and its name."""
    if one is None:
        return
    if place == _HELD:
        yield tag("line", x1=x, x2=x + _SWATCH, y1=y, y2=y, class_="held")
    else:
        shown = look(place, one.tone)
        yield tag("rect", titled(one.name), x=x, y=y - _SWATCH / 2, width=_SWATCH, height=_SWATCH, class_=shown)
        yield stripes([path("M{} {}v{}", x + _SWATCH / 2, y - _SWATCH / 2, _SWATCH)], _SWATCH, shown)
    yield label(x + _SWATCH + 5, y + 4, cut(one.name, width - x - _SWATCH - 6))
