"""Prices or sums of money below each other, each with what it would have to be."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from friendshore.document.charts import Ladder, Rung, Tone
from friendshore.document.figures import money

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
    stripes,
    titled,
)

_ROW = 24.0
_NAME = 15.0
"""Pixels that a name takes above its bar."""
_BAR = 12.0
_HEAD = 38.0
_LITTLE = Decimal("0.01")
"""Of the unit of the axis, below which a figure is told in one of its own."""


def ladder(chart: Ladder, width: float) -> Picture:
    """Names stand at the left of what they name, and above it where there is no room."""
    beside = width > BESIDE
    values = [value for rung in chart.rungs for value in (rung.value, rung.target) if value is not None]
    scale = numbered(values, chart.unit)
    names = max((measured(rung.name) for rung in chart.rungs), default=0.0)
    left = min(width * 0.36, names + 12) if beside else 0.0
    written = max((measured(_written(rung, scale, chart.unit), SMALL) for rung in chart.rungs), default=0.0)
    axis = scale.axis(left, max(width - written - 14, left + 60))
    row = _ROW if beside else _ROW + _NAME
    height = _HEAD + row * len(chart.rungs)
    drawn = [*scale.grid(axis, _HEAD - 5, height), *_numbers(scale, axis)]
    for place, rung in enumerate(chart.rungs):
        y = _HEAD + row * (place + 1) - _ROW / 2
        drawn.append(
            label(0, y + 4, cut(rung.name, left - 12)) if beside else label(0, y - _NAME + 2, cut(rung.name, width))
        )
        drawn += _rung(rung, scale, chart.unit, y, axis, width)
    return Picture(width, height + 4, joined(drawn))


def _written(rung: Rung, scale: Numbered, unit: str) -> str:
    """Its figures in the unit of the axis; what is very little of that, in a unit of its own."""
    shown = [(value, value / scale.divisor) for value in (rung.value, rung.target) if value is not None]
    return " → ".join(amount(value, unit) if 0 < abs(part) < _LITTLE else money(part) for value, part in shown)


def _numbers(scale: Numbered, axis: Axis) -> Iterator[Markup]:
    """The unit, and as many numbers as there is room for."""
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
    made = [box(near, y - _BAR / 2, max(far - near, 0.5), _BAR, rung.told or amount(rung.value, unit))]
    made.append(stripes([path("M{} {}h{}", near, y, far - near)], _BAR, look(0, rung.tone)))
    if rung.target is not None:
        target = axis.at(scale.value(rung.target))
        far = max(far, target)
        line = path("M{} {}v{}", target, y - _BAR * 0.8, _BAR * 1.6)
        made.append(tag("path", d=line, class_="under"))
        made.append(tag("path", titled(amount(rung.target, unit)), d=line, class_="wanted"))
    yield parts(rung.name, made, look(0, rung.tone))
    class_ = "halo" if rung.tone is Tone.PLAIN else f"halo t-{rung.tone.value}"
    yield label(far + 6, y + 4, _written(rung, scale, unit), class_=class_, size=SMALL)
