"""Prices or sums of money below each other, each with what it would have to be."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from ..charts import Ladder, Rung
from ..figures import money, number
from ..tone import Tone
from .markup import Markup, joined, tag
from .svg import (
    SMALL,
    Axis,
    Picture,
    amount,
    box,
    cut,
    label,
    look,
    measured,
    parts,
    path,
    scaled,
    stripes,
    ticks,
    titled,
)

_ROW = 24.0
_NAME = 15.0
"""Pixels that a name takes above its bar."""
_BAR = 12.0
_HEAD = 38.0


def ladder(chart: Ladder, width: float) -> Picture:
    """Names stand at the left of what they name, and above it where there is no room."""
    beside = width > 600
    values = [value for rung in chart.rungs for value in (rung.value, rung.target) if value is not None]
    divisor, unit = scaled(max(map(abs, values), default=Decimal(0)), chart.unit)
    low, high = (float(bound(values, default=Decimal(0)) / divisor) for bound in (min, max))
    steps = ticks(min(low, 0.0), max(high, 0.0) or 1.0)
    names = max((measured(rung.name) for rung in chart.rungs), default=0.0)
    left = min(width * 0.36, names + 12) if beside else 0.0
    written = max((measured(_written(rung, divisor), SMALL) for rung in chart.rungs), default=0.0)
    axis = Axis(steps[0], steps[-1], left, max(width - written - 14, left + 60))
    row = _ROW if beside else _ROW + _NAME
    height = _HEAD + row * len(chart.rungs)
    drawn = list(_grid(steps, unit, axis, height))
    for place, rung in enumerate(chart.rungs):
        y = _HEAD + row * (place + 1) - _ROW / 2
        drawn.append(
            label(0, y + 4, cut(rung.name, left - 12)) if beside else label(0, y - _NAME + 2, cut(rung.name, width))
        )
        drawn += _rung(rung, divisor, chart.unit, y, axis, width)
    return Picture(width, height + 4, joined(drawn))


def _written(rung: Rung, divisor: Decimal) -> str:
    return " → ".join(money(value / divisor) for value in (rung.value, rung.target) if value is not None)


def _grid(steps: Sequence[float], unit: str, axis: Axis, height: float) -> Iterator[Markup]:
    shown = [number(Decimal(repr(step))) for step in steps]
    apart = axis.at(steps[1]) - axis.at(steps[0])
    wide = max(map(measured, shown))
    moved = max(0.0, wide / 2 - axis.start)  # the first is moved into the picture
    each = next((count for count in range(1, len(steps)) if count * apart >= wide + moved + 8), len(steps))
    yield label(axis.start, 11, unit, class_="soft")
    for place, step in enumerate(steps):
        x = round(axis.at(step)) + 0.5
        yield tag("line", x1=x, x2=x, y1=_HEAD - 5, y2=height, class_="axis" if not step else "grid")
        if place % each == 0:
            at = max(x, measured(shown[place]) / 2)
            yield label(at, 27, shown[place], anchor="middle", class_="soft")


def _rung(rung: Rung, divisor: Decimal, unit: str, y: float, axis: Axis, width: float) -> Iterator[Markup]:
    zero = axis.at(0.0)
    if rung.value is None:
        yield label(zero + 6, y + 4, cut(rung.told, width - zero - 6, SMALL), class_="soft halo", size=SMALL)
        return
    end = axis.at(float(rung.value / divisor))
    near, far = min(zero, end), max(zero, end)
    made = [box(near, y - _BAR / 2, max(far - near, 0.5), _BAR, rung.told or amount(rung.value, unit))]
    made.append(stripes([path("M{} {}h{}", near, y, far - near)], _BAR, look(0, rung.tone)))
    if rung.target is not None:
        target = axis.at(float(rung.target / divisor))
        far = max(far, target)
        line = path("M{} {}v{}", target, y - _BAR * 0.8, _BAR * 1.6)
        made.append(tag("path", d=line, class_="under"))
        made.append(tag("path", titled(amount(rung.target, unit)), d=line, class_="wanted"))
    yield parts(rung.name, made, look(0, rung.tone))
    class_ = "halo" if rung.tone is Tone.PLAIN else f"halo t-{rung.tone.value}"
    yield label(far + 6, y + 4, _written(rung, divisor), class_=class_, size=SMALL)
