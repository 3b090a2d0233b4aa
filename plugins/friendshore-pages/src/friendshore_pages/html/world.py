"""A map of the world: countries darker the more they supply, and what goes between them.

Outlines are Natural Earth's, which are in the public domain, as `world-atlas` has them; `world.txt` says how they were made.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from importlib.resources import files
from math import atan2, cos, hypot, pi, sin, sqrt
from typing import TypedDict

from friendshore.document.charts import Country, Route, Tone, WorldMap
from friendshore.document.figures import number
from friendshore.domain.countries import country_names

from .markup import Markup, joined, tag
from .svg import BESIDE, SMALL, Picture, amount, label, measured, parts, path, scaled, spread, titled

LAND = "_land"
"""The id of all countries' outlines."""
_LINES = "_lines"
"""The id of slanting lines over all of the map, of which those over a country are shown."""
_APART = 6
_SHADES = 5
_FOOT = 32.0
_LABELS = 16
"""Countries whose names are shown, the largest first, where there is room."""
_WIDEST = 7.0
_NEAREST, _FARTHEST = 4.0, 34.0
"""Pixels from the middle of a country to the ends of its routes: at least, and at most on a map that is not made smaller."""
_FAN = 3.6
"""How much of a circle the ends take, in radians."""
_UNMARKED = (Tone.PLAIN, Tone.TITLE)


_Point = tuple[float, float]


class _World(TypedDict):
    width: int
    height: int
    shapes: dict[str, str]
    points: dict[str, tuple[int, int]]
    rest: str


@cache
def _world() -> _World:
    read: _World = json.loads(files(__package__).joinpath("world.json").read_text(encoding="utf-8"))
    return read


def outlines() -> Markup:
    """All countries, once for a page: whatever map there is refers to them."""
    world = _world()
    shapes = [tag("path", id=f"_{code}", d=shape) for code, shape in world["shapes"].items()]
    width, height = world["width"], world["height"]
    lines = "".join(f"M{x} 0l-{height} {height}" for x in range(0, width + height, _APART))
    land = tag("g", *shapes, tag("path", d=world["rest"]), id=LAND)
    return joined((land, tag("path", d=lines, id=_LINES)))


def world_map(chart: WorldMap, width: float, name: str) -> Picture:
    """Names of the largest where there is room, by their codes on a small one. `name` is an id of the picture's own."""
    world = _world()
    scale = width / world["width"]
    height = world["height"] * scale
    points = {code: (x * scale, y * scale) for code, (x, y) in world["points"].items()}
    known = [one for one in chart.countries if one.code in points]
    drawn = [one for one in known if one.code in world["shapes"]]
    small = [one for one in known if one.code not in world["shapes"]]
    largest = max((one.amount for one in known if one.amount is not None), default=Decimal(0))
    land = tag("use", href=f"#{LAND}", class_="land")
    shapes = parts("", (_shape(one, largest, chart.unit) for one in drawn))
    inside = [
        tag("g", land, shapes, *_lined(drawn, name), transform=f"scale({scale:.4f})"),
        parts("", _routes(chart, points, scale)),
        parts("", (_dot(one, points[one.code], largest, chart.unit) for one in small)),
        *_labels(known, points, width, height),
        *_legend(largest, chart.unit, width, height),
    ]
    return Picture(width, height + _FOOT, joined(inside))


def _shade(value: Decimal | None, largest: Decimal) -> int | None:
    """From the lightest, 0, to the darkest; by the root, so that the middle is not all light. None: nothing is bought there."""
    if value is None or value <= 0 or not largest:
        return None
    return min(_SHADES - 1, int(sqrt(float(value / largest)) * _SHADES))


def _told(one: Country, unit: str) -> str:
    name = country_names().get(one.code, one.code)
    shown = "" if one.amount is None else amount(one.amount, unit)
    return ": ".join(filter(None, (name, ", ".join(filter(None, (shown, one.told))))))


def _look(one: Country, largest: Decimal) -> str:
    shade = _shade(one.amount, largest)
    filled = "w" if shade is None else f"w{shade}"
    return filled if one.tone in _UNMARKED else f"{filled} o-{one.tone.value}"


def _shape(one: Country, largest: Decimal, unit: str) -> Markup:
    return tag("use", titled(_told(one, unit)), href=f"#_{one.code}", class_=_look(one, largest))


def _dot(one: Country, at: tuple[float, float], largest: Decimal, unit: str) -> Markup:
    return tag("circle", titled(_told(one, unit)), cx=at[0], cy=at[1], r=4, class_=f"dot {_look(one, largest)}")


def _lined(drawn: Sequence[Country], name: str) -> Iterator[Markup]:
    """Lines over the countries of each tone."""
    for tone in Tone:
        inside = [tag("use", href=f"#_{one.code}") for one in drawn if one.tone is tone]
        if inside and tone not in _UNMARKED:
            yield tag("clipPath", *inside, id=f"{name}_{tone.value}")
            yield tag("use", href=f"#{_LINES}", clip_path=f"url(#{name}_{tone.value})", class_=f"lines o-{tone.value}")


def _routes(chart: WorldMap, points: dict[str, _Point], scale: float) -> Iterator[Markup]:
    known = [one for one in chart.routes if one.source in points and one.target in points and one.source != one.target]
    largest = max((route.amount for route in chart.routes), default=Decimal(0))
    thick = [1 + (float(route.amount / largest) * _WIDEST * scale if largest else 0.0) for route in known]
    bends = [_bend(points[route.source], points[route.target]) for route in known]
    starts, ends = _apart(known, points, bends, thick, scale)
    for place in sorted(range(len(known)), key=lambda place: -known[place].amount):
        yield _route(known[place], starts[place], bends[place], ends[place], thick[place], chart.unit)


def _bend(start: _Point, end: _Point) -> _Point:
    """What a bow between two places leans to: the pole."""
    (x, y), (to_x, to_y) = start, end
    return (x + to_x) / 2, min((y + to_y) / 2 - hypot(to_x - x, to_y - y) * 0.22, max(min(y, to_y) - 8, 4.0))


def _apart(
    routes: Sequence[Route],
    points: dict[str, _Point],
    bends: Sequence[_Point],
    thick: Sequence[float],
    scale: float,
) -> tuple[list[_Point], list[_Point]]:
    """Where each route begins and where it ends: around the middle of its country, in the order in which the others lie, so that they can be told apart."""
    held: dict[str, list[tuple[int, bool]]] = {}
    for place, route in enumerate(routes):
        held.setdefault(route.source, []).append((place, True))
        held.setdefault(route.target, []).append((place, False))
    starts, ends = ([(0.0, 0.0)] * len(routes) for _ in range(2))
    for code, some in held.items():
        x, y = points[code]
        angles = {one: atan2(bends[one[0]][1] - y, bends[one[0]][0] - x) for one in some}
        middle = atan2(sum(map(sin, angles.values())), sum(map(cos, angles.values())))
        turned = {one: (angle - middle + pi) % (2 * pi) - pi for one, angle in angles.items()}
        order = sorted(some, key=lambda one: turned[one])
        room = sum(thick[place] + (1.5 if leaves else 4.0) for place, leaves in some)
        radius = 0.0 if len(some) == 1 else max(min(room / _FAN, _FARTHEST * scale), _NEAREST)
        wanted = [turned[one] for one in order]
        found = spread(wanted, min(room / max(radius, 1.0), _FAN) / len(some), -pi, pi)
        shift = middle + (sum(wanted) - sum(found)) / len(found)
        for (place, leaves), angle in zip(order, found, strict=True):
            at = x + radius * cos(angle + shift), y + radius * sin(angle + shift)
            (starts if leaves else ends)[place] = at
    return starts, ends


def _route(route: Route, start: _Point, bend: _Point, end: _Point, thick: float, unit: str) -> Markup:
    """A bow towards the pole, and a head that shows where to."""
    (x, y), (bend_x, bend_y), (to_x, to_y) = start, bend, end
    back = hypot(to_x - bend_x, to_y - bend_y) or 1.0
    along, down = (to_x - bend_x) / back, (to_y - bend_y) / back
    size = 4 + thick
    neck_x, neck_y = to_x - along * size, to_y - down * size
    wing = size * 0.55
    names = country_names()
    told = f"{names.get(route.source, route.source)} to {names.get(route.target, route.target)}: {route.told or amount(route.amount, unit)}"
    line = path("M{} {}Q{} {} {} {}", x, y, bend_x, bend_y, neck_x, neck_y)
    head = path(
        "M{} {}L{} {} {} {}z",
        to_x,
        to_y,
        neck_x - down * wing,
        neck_y + along * wing,
        neck_x + down * wing,
        neck_y - along * wing,
    )
    class_ = f"route s-{route.tone.value}"
    return tag(
        "g", titled(told), tag("path", d=line, stroke_width=thick), tag("path", d=head, class_="head"), class_=class_
    )


def _labels(known: Sequence[Country], points: dict[str, _Point], width: float, height: float) -> Iterator[Markup]:
    """Names beside the middles of countries, none over another and none cut off."""
    taken = [(points[one.code][0] - 4, points[one.code][1] - 4, 8.0, 8.0) for one in known]
    ranked = sorted(known, key=lambda one: (one.amount is None, -(one.amount or 0), one.code))
    for one in ranked[:_LABELS]:
        x, y = points[one.code]
        name = country_names().get(one.code, one.code) if width > BESIDE else one.code
        wide = measured(name, SMALL)
        for left, top in ((x + 6, y - 6), (x - 6 - wide, y - 6), (x - wide / 2, y - 18), (x - wide / 2, y + 6)):
            box = (left, top, wide, 12.0)
            if (
                left >= 0
                and left + wide <= width
                and top >= 0
                and top + 12 <= height
                and not any(_meet(box, other) for other in taken)
            ):
                taken.append(box)
                yield label(left, top + 10, name, class_="halo map", size=SMALL)
                break


def _meet(one: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    x, y, wide, tall = one
    to_x, to_y, to_wide, to_tall = other
    return x < to_x + to_wide and to_x < x + wide and y < to_y + to_tall and to_y < y + tall


def _legend(largest: Decimal, unit: str, width: float, height: float) -> Iterator[Markup]:
    """What the shades mean."""
    if not largest:
        return
    y, step = height + 8, min(70.0, (width - 70) / _SHADES)
    divisor, name = scaled(largest, unit)
    for shade in range(_SHADES):
        most = largest / divisor * (shade + 1) ** 2 / _SHADES**2
        yield tag("rect", x=shade * step, y=y, width=step, height=8, class_=f"w{shade}")
        told = f"{number(most)} {name}" if shade == _SHADES - 1 else number(most, 2)
        yield label((shade + 1) * step, y + 20, told, anchor="middle", class_="soft", size=SMALL)
    yield label(0, y + 20, "0", class_="soft", size=SMALL)
