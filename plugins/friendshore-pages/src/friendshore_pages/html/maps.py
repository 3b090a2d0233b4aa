"""SVG pictures of flows between nodes (Sankey diagrams), and of countries on a map."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from importlib.resources import files
from math import atan2, cos, hypot, pi, sin, sqrt
from typing import TypedDict

from friendshore.document.charts import Country, Flow, Node, Route, Tone, WorldMap
from friendshore.document.figures import number
from friendshore.domain.countries import country_names

from .markup import Markup, joined, tag, text
from .svg import BESIDE, SIZE, SMALL, Picture, amount, box, cut, label, measured, parts, path, scaled, spread, titled

_BAR = 11.0
_HEAD = 24.0
_ROUNDS = 6
"""Number of passes that sort layers by their connections."""
_SLOT, _GAP = 15.0, 5.0
"""Minimum size of a node in its layer in pixels, for its name, and the gap to the next node."""
_ROW = 84.0
"""Distance between layers in pixels if they are below each other: names, bars, and streams."""
_NAMES = 42.0
"""Part of this distance for the names above the bars."""


@dataclass(eq=False, slots=True)
class _Place:
    """A node, or a point where a stream passes a layer without a stop, with its share of the layer."""

    node: Node | None
    layer: int
    out: list[_Part] = field(default_factory=list)
    into: list[_Part] = field(default_factory=list)
    gets: Decimal = Decimal(0)
    gives: Decimal = Decimal(0)
    start: float = 0.0
    size: float = 0.0

    @property
    def value(self) -> float:
        """Total of its streams: incoming or outgoing, whichever is larger, since production can change the mass."""
        return max(_sum(self.out), _sum(self.into))

    @property
    def middle(self) -> float:
        return self.start + self.size / 2


@dataclass(eq=False, slots=True)
class _Part:
    """A stream from one layer to the next."""

    source: _Place
    target: _Place
    value: float
    leaves: float = 0.0
    """Position of its middle where it leaves."""
    arrives: float = 0.0


_Way = list[_Part]
"""A stream, with one part for each layer that it crosses."""


def _sum(some: Sequence[_Part]) -> float:
    return sum(part.value for part in some)


def flow(chart: Flow, width: float) -> Picture:
    """Draw layers side by side with names to the right of nodes, or on narrow pages below each other with names above nodes."""
    layers, ways = _laid(chart)
    _order(layers)
    drawn, height = (_beside if width > BESIDE else _below)(chart, layers, ways, width)
    return Picture(width, height, joined(drawn))


def _laid(chart: Flow) -> tuple[list[list[_Place]], list[_Way]]:
    """Return the nodes of every layer, including points where streams pass, and the streams."""
    places = {node.id: _Place(node, node.layer) for node in chart.nodes}
    passing: list[_Place] = []
    ways = []
    for stream in chart.streams:
        source, target, value = places[stream.source], places[stream.target], float(stream.amount)
        source.gives, target.gets = source.gives + stream.amount, target.gets + stream.amount
        stops = [_Place(None, layer) for layer in range(source.layer + 1, target.layer)]
        way = [_Part(here, there, value) for here, there in zip([source, *stops], [*stops, target], strict=True)]
        for part in way:
            part.source.out.append(part)
            part.target.into.append(part)
        passing += stops
        ways.append(way)
    every = [*places.values(), *passing]
    return [[place for place in every if place.layer == layer] for layer in range(len(chart.layers))], ways


def _order(layers: Sequence[list[_Place]]) -> None:
    """Sort nodes by size, then by the middle of their connections, to reduce crossings."""
    for held in layers:
        held.sort(key=lambda place: -place.value)
        _number(held)
    for turn in range(_ROUNDS):
        forth = turn % 2 == 0
        for held in layers[1:] if forth else layers[-2::-1]:
            middles = {id(place): _joined_to(place, forth=forth) for place in held}
            held.sort(key=lambda place: middles[id(place)])
            _number(held)


def _number(held: Sequence[_Place]) -> None:
    total = sum(place.value for place in held) or 1.0
    reached = 0.0
    for place in held:
        place.start, place.size = reached / total, place.value / total
        reached += place.value


def _joined_to(place: _Place, *, forth: bool) -> float:
    joins = [(part.value, part.source if forth else part.target) for part in (place.into if forth else place.out)]
    weight = sum(size for size, _ in joins)
    return sum(size * other.middle for size, other in joins) / weight if weight else place.middle


def _stand(layers: Sequence[Sequence[_Place]], least: Mapping[int, float], start: float, room: float) -> None:
    """Position every node with at least its size in `least`, in one scale for all layers. Position the ends of every stream."""
    low, high = 0.0, room / max((max(sum(place.value for place in held), 1e-9) for held in layers), default=1.0)
    for _ in range(60):
        scale = (low + high) / 2
        taken = max((sum(max(least[id(p)], p.value * scale) + _GAP for p in held) for held in layers), default=0.0)
        low, high = (scale, high) if taken <= room else (low, scale)
    for held in layers:
        sizes = [max(least[id(place)], place.value * low) for place in held]
        reached = start + (room - sum(sizes) - _GAP * len(held)) / 2
        for place, size in zip(held, sizes, strict=True):
            place.size = place.value * low
            place.start = reached + (size - place.size) / 2
            reached += size + _GAP
    for place in (place for held in layers for place in held):
        reached = place.middle - _sum(place.out) * low / 2
        for part in sorted(place.out, key=lambda part: part.target.middle):
            part.leaves, reached = reached + part.value * low / 2, reached + part.value * low
        reached = place.middle - _sum(place.into) * low / 2
        for part in sorted(place.into, key=lambda part: part.source.middle):
            part.arrives, reached = reached + part.value * low / 2, reached + part.value * low


def _beside(
    chart: Flow, layers: Sequence[Sequence[_Place]], ways: Sequence[_Way], width: float
) -> tuple[list[Markup], float]:
    """Return the picture for a wide page, and its height."""
    most = max((sum(1 for place in held if place.node) for held in layers), default=0)
    height = max(110.0 + 30 * min(most, 5), most * (_SLOT + _GAP) * 1.35)
    _stand(layers, {id(p): _SLOT if p.node else 0.0 for held in layers for p in held}, _HEAD, height)
    last = len(layers) - 1
    widest = max((measured(f"{node.name}  {_node_amount(chart, p)}") for p, node in _stops(layers[-1:])), default=0.0)
    room = min(180.0, widest + 6)
    pitch = (width - room - _BAR) / max(1, last)
    nodes: list[Markup] = []
    names: list[Markup] = []
    for place, node in _stops(layers):
        x = place.layer * pitch
        nodes.append(_node(chart, place, node, x, place.start, _BAR, max(place.size, 1.0)))
        beside = pitch - _BAR - 10 if place.layer < last else width - x - _BAR - 5
        names += _name(chart, place, node, x + _BAR + 5, beside)
    heads = [
        label(n * pitch, 12, cut(name, pitch - 10 if n < last else width - n * pitch), class_="soft")
        for n, name in enumerate(chart.layers)
    ]
    lines = [
        _line(
            [(part.source.layer * pitch + _BAR, part.leaves, part.target.layer * pitch, part.arrives) for part in way]
        )
        for way in ways
    ]
    thick = [_thick(way[0].value * _scale(layers)) for way in ways]
    streams = parts("", _streams(chart, lines, thick), "stream")
    return [*heads, streams, parts("", nodes, "node"), *names], _HEAD + height + 4


def _below(
    chart: Flow, layers: Sequence[Sequence[_Place]], ways: Sequence[_Way], width: float
) -> tuple[list[Markup], float]:
    """Return the picture for a narrow page, and its height."""
    least: dict[int, float] = {}
    for held in layers:
        wanted = dict.fromkeys(map(id, held), 0.0) | {
            id(place): max(measured(one, SMALL) for one in (node.name, _node_amount(chart, place))) + 4
            for place, node in _stops([held])
        }
        share = max(0.0, width - _GAP * len(held)) / max(sum(wanted.values()), 1.0)
        least |= {place: size * min(1.0, share) for place, size in wanted.items()}
    _stand(layers, least, 0.0, width)
    nodes: list[Markup] = []
    names: list[Markup] = []
    for place, node in _stops(layers):
        y = place.layer * _ROW + _NAMES
        nodes.append(_node(chart, place, node, place.start, y, max(place.size, 1.0), _BAR))
        names += _name_above(chart, place, node, y, max(least[id(place)], place.size), width)
    heads = [label(0, n * _ROW + 11, cut(name, width), class_="soft halo") for n, name in enumerate(chart.layers)]
    scale = _scale(layers)
    ribbons = []
    for way in ways:
        ends = [
            (p.source.layer * _ROW + _NAMES + _BAR, p.leaves, p.target.layer * _ROW + _NAMES, p.arrives) for p in way
        ]
        half = _thick(way[0].value * scale) / 2
        back = [(to, at, x, y) for x, y, to, at in reversed(ends)]
        ribbons.append(f"{_line(ends, half, down=True)}L{_line(back, -half, down=True)[1:]}z")
    streams = parts("", _streams(chart, ribbons), "stream ribbon")
    return [streams, parts("", nodes, "node"), *heads, *names], len(layers) * _ROW - (_ROW - _NAMES - _BAR) + 4


def _stops(layers: Sequence[Sequence[_Place]]) -> list[tuple[_Place, Node]]:
    """Return all nodes with their positions."""
    return [(place, place.node) for held in layers for place in held if place.node]


def _scale(layers: Sequence[Sequence[_Place]]) -> float:
    """Return the pixels per unit of flow."""
    return next((place.size / place.value for held in layers for place in held if place.value), 0.0)


def _line(ends: Sequence[tuple[float, float, float, float]], shift: float = 0.0, *, down: bool = False) -> str:
    """Return a line through layers. Each part has the start and end positions along and across, and `shift` moves it across."""
    drawn = ""
    for x, y, to, at in ends:
        middle, y_, at_ = (x + to) / 2, y + shift, at + shift
        places = (x, y_, middle, y_, middle, at_, to, at_)
        turned = [places[n ^ 1] for n in range(8)] if down else places
        drawn += path("L{} {}C{} {} {} {} {} {}" if drawn else "M{} {}C{} {} {} {} {} {}", *turned)
    return drawn


def _streams(chart: Flow, drawn: Sequence[str], thick: Sequence[float | None] = ()) -> Iterator[Markup]:
    """Yield streams as lines with a thickness, or as outlines."""
    names = {node.id: node.name for node in chart.nodes}
    for stream, line, stroke in zip(chart.streams, drawn, thick or [None] * len(drawn), strict=True):
        told = f"{names[stream.source]} to {names[stream.target]}: {stream.told or amount(stream.amount, chart.unit)}"
        class_ = None if stream.tone is Tone.PLAIN else f"s-{stream.tone.value}"
        yield tag("path", titled(told), d=line, stroke_width=stroke, class_=class_)


def _thick(size: float) -> float:
    """Return the thickness of a stream, with a thin gap to the next."""
    return size - 1 if size > 3 else max(size, 0.6)


def _node_amount(chart: Flow, place: _Place) -> str:
    """Return the outgoing amount of a node, or the incoming amount if nothing leaves it."""
    return amount(place.gives or place.gets, chart.unit)


def _node(chart: Flow, place: _Place, node: Node, x: float, y: float, wide: float, tall: float) -> Markup:
    told = _node_amount(chart, place)
    if place.gets and place.gives and amount(place.gets, chart.unit) != told:
        told = f"takes {amount(place.gets, chart.unit)}, gives {told}"
    return box(x, y, wide, tall, f"{node.name}: {told}", None if node.tone is Tone.PLAIN else f"n-{node.tone.value}")


def _name(chart: Flow, place: _Place, node: Node, x: float, room: float) -> Iterator[Markup]:
    """Yield a node's name and amount on its right side, on two lines if one is too short and the node is high enough."""
    written = _node_amount(chart, place)
    if measured(f"{node.name} {written}") > room and place.size > 2 * SIZE:
        yield label(x, place.middle - 2, cut(node.name, room), class_="halo")
        yield label(x, place.middle + 11, written, class_="soft halo", size=SMALL)
        return
    shown = cut(node.name, room - measured(f" {written}", SMALL))
    behind = tag("tspan", text(f" {written}"), class_="soft", font_size=SMALL)
    yield tag("text", text(shown), behind, x=x, y=place.middle + 4, font_size=SIZE, class_="halo")


def _name_above(chart: Flow, place: _Place, node: Node, y: float, room: float, width: float) -> Iterator[Markup]:
    """Yield a node's name and amount above it, on two lines."""
    for line, (written, class_) in enumerate(((node.name, "halo"), (_node_amount(chart, place), "soft halo"))):
        shown = cut(written, room, SMALL)
        x = min(max(place.middle, measured(shown, SMALL) / 2), width - measured(shown, SMALL) / 2)
        yield label(x, y - 17 + 12 * line, shown, anchor="middle", class_=class_, size=SMALL)


LAND = "_land"
"""Id of the outlines of all countries."""
_LINES = "_lines"
"""Id of diagonal lines across the whole map, clipped to countries."""
_APART = 6
_SHADES = 5
_FOOT = 32.0
_LABELS = 16
"""Maximum number of countries with names, largest first, as space permits."""
_WIDEST = 7.0
_NEAREST, _FARTHEST = 4.0, 34.0
"""Minimum and maximum distance in pixels between a country's middle and the ends of its routes. The maximum is for a map in full size."""
_FAN = 3.6
"""Part of a circle with ends of routes, in radians."""
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
    """Return all countries, once per page. Every map refers to them."""
    world = _world()
    shapes = [tag("path", id=f"_{code}", d=shape) for code, shape in world["shapes"].items()]
    width, height = world["width"], world["height"]
    lines = "".join(f"M{x} 0l-{height} {height}" for x in range(0, width + height, _APART))
    land = tag("g", *shapes, tag("path", d=world["rest"]), id=LAND)
    return joined((land, tag("path", d=lines, id=_LINES)))


def world_map(chart: WorldMap, width: float, name: str) -> Picture:
    """Draw the map, with names of the largest countries as space permits, and codes on a small map. `name` is a unique id for the picture."""
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
    """Return the shade from 0, the lightest, to the darkest, by the square root to spread the values. None if nothing is bought there."""
    if value is None or value <= 0 or not largest:
        return None
    return min(_SHADES - 1, int(sqrt(float(value / largest)) * _SHADES))


def _country_text(one: Country, unit: str) -> str:
    name = country_names().get(one.code, one.code)
    shown = "" if one.amount is None else amount(one.amount, unit)
    return ": ".join(filter(None, (name, ", ".join(filter(None, (shown, one.told))))))


def _look(one: Country, largest: Decimal) -> str:
    shade = _shade(one.amount, largest)
    filled = "w" if shade is None else f"w{shade}"
    return filled if one.tone in _UNMARKED else f"{filled} o-{one.tone.value}"


def _shape(one: Country, largest: Decimal, unit: str) -> Markup:
    return tag("use", titled(_country_text(one, unit)), href=f"#_{one.code}", class_=_look(one, largest))


def _dot(one: Country, at: tuple[float, float], largest: Decimal, unit: str) -> Markup:
    return tag("circle", titled(_country_text(one, unit)), cx=at[0], cy=at[1], r=4, class_=f"dot {_look(one, largest)}")


def _lined(drawn: Sequence[Country], name: str) -> Iterator[Markup]:
    """Yield lines over the countries of each tone."""
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
    """Return the control point of a curve between two places, which bends toward the pole."""
    (x, y), (to_x, to_y) = start, end
    return (x + to_x) / 2, min((y + to_y) / 2 - hypot(to_x - x, to_y - y) * 0.22, max(min(y, to_y) - 8, 4.0))


def _apart(
    routes: Sequence[Route],
    points: dict[str, _Point],
    bends: Sequence[_Point],
    thick: Sequence[float],
    scale: float,
) -> tuple[list[_Point], list[_Point]]:
    """Return the start and end of each route around the middle of its country, in the order of directions, to keep them distinct."""
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
    """Return a curve that bends toward the pole, with an arrowhead."""
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
    """Yield names next to the middles of countries, without overlaps and without cutting names."""
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
    """Yield the legend of the shades."""
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
