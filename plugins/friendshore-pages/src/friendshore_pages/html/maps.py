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
from .svg import (
    MIN_WIDE_PAGE,
    SIZE,
    SMALL,
    Picture,
    amount,
    box,
    label,
    parts,
    path,
    shortened,
    spread_out,
    text_width,
    tooltip,
    unit_of,
)

_BAR_WIDTH = 11.0
_HEAD_HEIGHT = 24.0
_SORTING_PASSES = 6
_MIN_NODE, _NODE_GAP = 15.0, 5.0
"""Minimum size of a node in its layer in pixels, for its name, and the gap to the next node."""
_LAYER_DISTANCE = 84.0
_NAMES_HEIGHT = 42.0


@dataclass(eq=False, slots=True)
class _PlacedNode:
    """A node, or a point where a stream passes a layer, with its share of the layer."""

    node: Node | None
    layer: int
    outgoing: list[_StreamPart] = field(default_factory=list)
    incoming: list[_StreamPart] = field(default_factory=list)
    received: Decimal = Decimal(0)
    sent: Decimal = Decimal(0)
    start: float = 0.0
    size: float = 0.0

    @property
    def value(self) -> float:
        """Total of its streams: incoming or outgoing, whichever is larger, since production can change the mass."""
        return max(_total(self.outgoing), _total(self.incoming))

    @property
    def middle(self) -> float:
        return self.start + self.size / 2


@dataclass(eq=False, slots=True)
class _StreamPart:
    source: _PlacedNode
    target: _PlacedNode
    value: float
    leaves: float = 0.0
    arrives: float = 0.0


_StreamPath = list[_StreamPart]


def _total(stream_parts: Sequence[_StreamPart]) -> float:
    return sum(part.value for part in stream_parts)


def flow(chart: Flow, width: float) -> Picture:
    """Draw layers side by side with names to the right of nodes, or on narrow pages below each other with names above nodes."""
    layers, stream_paths = _layers_and_streams(chart)
    _sort_layers(layers)
    elements, height = (_wide_flow if width > MIN_WIDE_PAGE else _narrow_flow)(chart, layers, stream_paths, width)
    return Picture(width, height, joined(elements))


def _layers_and_streams(chart: Flow) -> tuple[list[list[_PlacedNode]], list[_StreamPath]]:
    node_by_id = {node.id: _PlacedNode(node, node.layer) for node in chart.nodes}
    passing_points: list[_PlacedNode] = []
    stream_paths = []
    for stream in chart.streams:
        source, target, value = node_by_id[stream.source], node_by_id[stream.target], float(stream.amount)
        source.sent, target.received = source.sent + stream.amount, target.received + stream.amount
        points = [_PlacedNode(None, layer) for layer in range(source.layer + 1, target.layer)]
        stream_parts = [
            _StreamPart(start, end, value) for start, end in zip([source, *points], [*points, target], strict=True)
        ]
        for part in stream_parts:
            part.source.outgoing.append(part)
            part.target.incoming.append(part)
        passing_points += points
        stream_paths.append(stream_parts)
    all_places = [*node_by_id.values(), *passing_points]
    return [
        [placed for placed in all_places if placed.layer == layer] for layer in range(len(chart.layers))
    ], stream_paths


def _sort_layers(layers: Sequence[list[_PlacedNode]]) -> None:
    """Sort nodes by size, then by the middle of their connections, to reduce crossings."""
    for nodes in layers:
        nodes.sort(key=lambda node: -node.value)
        _assign_shares(nodes)
    for sorting_pass in range(_SORTING_PASSES):
        is_forward = sorting_pass % 2 == 0
        for nodes in layers[1:] if is_forward else layers[-2::-1]:
            middles = {id(node): _connection_middle(node, is_forward=is_forward) for node in nodes}
            nodes.sort(key=lambda node: middles[id(node)])
            _assign_shares(nodes)


def _assign_shares(nodes: Sequence[_PlacedNode]) -> None:
    total = sum(node.value for node in nodes) or 1.0
    position = 0.0
    for node in nodes:
        node.start, node.size = position / total, node.value / total
        position += node.value


def _connection_middle(node: _PlacedNode, *, is_forward: bool) -> float:
    connections = [
        (part.value, part.source if is_forward else part.target)
        for part in (node.incoming if is_forward else node.outgoing)
    ]
    weight = sum(size for size, _ in connections)
    return sum(size * other.middle for size, other in connections) / weight if weight else node.middle


def _assign_positions(
    layers: Sequence[Sequence[_PlacedNode]], min_sizes: Mapping[int, float], start: float, length: float
) -> None:
    """Position the nodes and the ends of streams, in one scale for all layers. `min_sizes` has the minimum size of each node by `id`."""
    low, high = 0.0, length / max((max(sum(node.value for node in nodes), 1e-9) for nodes in layers), default=1.0)
    for _ in range(60):
        scale = (low + high) / 2
        used = max(
            (sum(max(min_sizes[id(p)], p.value * scale) + _NODE_GAP for p in nodes) for nodes in layers), default=0.0
        )
        low, high = (scale, high) if used <= length else (low, scale)
    for nodes in layers:
        sizes = [max(min_sizes[id(node)], node.value * low) for node in nodes]
        position = start + (length - sum(sizes) - _NODE_GAP * len(nodes)) / 2
        for node, size in zip(nodes, sizes, strict=True):
            node.size = node.value * low
            node.start = position + (size - node.size) / 2
            position += size + _NODE_GAP
    for node in (node for nodes in layers for node in nodes):
        position = node.middle - _total(node.outgoing) * low / 2
        for part in sorted(node.outgoing, key=lambda part: part.target.middle):
            part.leaves, position = position + part.value * low / 2, position + part.value * low
        position = node.middle - _total(node.incoming) * low / 2
        for part in sorted(node.incoming, key=lambda part: part.source.middle):
            part.arrives, position = position + part.value * low / 2, position + part.value * low


def _wide_flow(
    chart: Flow, layers: Sequence[Sequence[_PlacedNode]], stream_paths: Sequence[_StreamPath], width: float
) -> tuple[list[Markup], float]:
    max_nodes = max((sum(1 for placed in nodes if placed.node) for nodes in layers), default=0)
    height = max(110.0 + 30 * min(max_nodes, 5), max_nodes * (_MIN_NODE + _NODE_GAP) * 1.35)
    _assign_positions(
        layers,
        {id(placed): _MIN_NODE if placed.node else 0.0 for nodes in layers for placed in nodes},
        _HEAD_HEIGHT,
        height,
    )
    last_layer = len(layers) - 1
    max_name = max(
        (text_width(f"{node.name}  {_node_amount(chart, placed)}") for placed, node in _visible_nodes(layers[-1:])),
        default=0.0,
    )
    name_width = min(180.0, max_name + 6)
    layer_distance = (width - name_width - _BAR_WIDTH) / max(1, last_layer)
    bars: list[Markup] = []
    names: list[Markup] = []
    for placed, node in _visible_nodes(layers):
        x = placed.layer * layer_distance
        bars.append(_node(chart, placed, node, x, placed.start, _BAR_WIDTH, max(placed.size, 1.0)))
        name_room = layer_distance - _BAR_WIDTH - 10 if placed.layer < last_layer else width - x - _BAR_WIDTH - 5
        names += _name_right(chart, placed, node, x + _BAR_WIDTH + 5, name_room)
    headings = [
        label(
            n * layer_distance,
            12,
            shortened(name, layer_distance - 10 if n < last_layer else width - n * layer_distance),
            class_="soft",
        )
        for n, name in enumerate(chart.layers)
    ]
    line_paths = [
        _line_path(
            [
                (
                    part.source.layer * layer_distance + _BAR_WIDTH,
                    part.leaves,
                    part.target.layer * layer_distance,
                    part.arrives,
                )
                for part in stream_parts
            ]
        )
        for stream_parts in stream_paths
    ]
    thicknesses = [_thickness(stream_parts[0].value * _pixels_per_unit(layers)) for stream_parts in stream_paths]
    streams = parts("", _stream_markup(chart, line_paths, thicknesses), "stream")
    return [*headings, streams, parts("", bars, "node"), *names], _HEAD_HEIGHT + height + 4


def _narrow_flow(
    chart: Flow, layers: Sequence[Sequence[_PlacedNode]], stream_paths: Sequence[_StreamPath], width: float
) -> tuple[list[Markup], float]:
    min_sizes: dict[int, float] = {}
    for nodes in layers:
        desired_sizes = dict.fromkeys(map(id, nodes), 0.0) | {
            id(placed): max(text_width(name, SMALL) for name in (node.name, _node_amount(chart, placed))) + 4
            for placed, node in _visible_nodes([nodes])
        }
        factor = max(0.0, width - _NODE_GAP * len(nodes)) / max(sum(desired_sizes.values()), 1.0)
        min_sizes |= {placed: size * min(1.0, factor) for placed, size in desired_sizes.items()}
    _assign_positions(layers, min_sizes, 0.0, width)
    bars: list[Markup] = []
    names: list[Markup] = []
    for placed, node in _visible_nodes(layers):
        y = placed.layer * _LAYER_DISTANCE + _NAMES_HEIGHT
        bars.append(_node(chart, placed, node, placed.start, y, max(placed.size, 1.0), _BAR_WIDTH))
        names += _name_above(chart, placed, node, y, max(min_sizes[id(placed)], placed.size), width)
    headings = [
        label(0, n * _LAYER_DISTANCE + 11, shortened(name, width), class_="soft halo")
        for n, name in enumerate(chart.layers)
    ]
    scale = _pixels_per_unit(layers)
    ribbons = []
    for stream_parts in stream_paths:
        ends = [
            (
                part.source.layer * _LAYER_DISTANCE + _NAMES_HEIGHT + _BAR_WIDTH,
                part.leaves,
                part.target.layer * _LAYER_DISTANCE + _NAMES_HEIGHT,
                part.arrives,
            )
            for part in stream_parts
        ]
        half = _thickness(stream_parts[0].value * scale) / 2
        reverse_ends = [(to, at, x, y) for x, y, to, at in reversed(ends)]
        ribbons.append(f"{_line_path(ends, half, down=True)}L{_line_path(reverse_ends, -half, down=True)[1:]}z")
    streams = parts("", _stream_markup(chart, ribbons), "stream ribbon")
    return [streams, parts("", bars, "node"), *headings, *names], len(layers) * _LAYER_DISTANCE - (
        _LAYER_DISTANCE - _NAMES_HEIGHT - _BAR_WIDTH
    ) + 4


def _visible_nodes(layers: Sequence[Sequence[_PlacedNode]]) -> list[tuple[_PlacedNode, Node]]:
    return [(placed, placed.node) for nodes in layers for placed in nodes if placed.node]


def _pixels_per_unit(layers: Sequence[Sequence[_PlacedNode]]) -> float:
    return next((placed.size / placed.value for nodes in layers for placed in nodes if placed.value), 0.0)


def _line_path(ends: Sequence[tuple[float, float, float, float]], shift: float = 0.0, *, down: bool = False) -> str:
    line = ""
    for x, y, end_x, end_y in ends:
        middle, shifted_y, shifted_end_y = (x + end_x) / 2, y + shift, end_y + shift
        numbers = (x, shifted_y, middle, shifted_y, middle, shifted_end_y, end_x, shifted_end_y)
        swapped = [numbers[n ^ 1] for n in range(8)] if down else numbers
        line += path("L{} {}C{} {} {} {} {} {}" if line else "M{} {}C{} {} {} {} {} {}", *swapped)
    return line


def _stream_markup(chart: Flow, paths: Sequence[str], thicknesses: Sequence[float | None] = ()) -> Iterator[Markup]:
    """Yield streams as lines with a thickness, or as outlines if `thicknesses` is empty."""
    names = {node.id: node.name for node in chart.nodes}
    for stream, line_path, thickness in zip(chart.streams, paths, thicknesses or [None] * len(paths), strict=True):
        tooltip_text = (
            f"{names[stream.source]} to {names[stream.target]}: {stream.told or amount(stream.amount, chart.unit)}"
        )
        class_ = None if stream.tone is Tone.PLAIN else f"s-{stream.tone.value}"
        yield tag("path", tooltip(tooltip_text), d=line_path, stroke_width=thickness, class_=class_)


def _thickness(size: float) -> float:
    return size - 1 if size > 3 else max(size, 0.6)


def _node_amount(chart: Flow, placed: _PlacedNode) -> str:
    # Production can change the mass. The outgoing amount is the one that continues.
    return amount(placed.sent or placed.received, chart.unit)


def _node(chart: Flow, placed: _PlacedNode, node: Node, x: float, y: float, width: float, height: float) -> Markup:
    amount_text = _node_amount(chart, placed)
    if placed.received and placed.sent and amount(placed.received, chart.unit) != amount_text:
        amount_text = f"takes {amount(placed.received, chart.unit)}, gives {amount_text}"
    return box(
        x, y, width, height, f"{node.name}: {amount_text}", None if node.tone is Tone.PLAIN else f"n-{node.tone.value}"
    )


def _name_right(chart: Flow, placed: _PlacedNode, node: Node, x: float, room: float) -> Iterator[Markup]:
    amount_text = _node_amount(chart, placed)
    if text_width(f"{node.name} {amount_text}") > room and placed.size > 2 * SIZE:
        yield label(x, placed.middle - 2, shortened(node.name, room), class_="halo")
        yield label(x, placed.middle + 11, amount_text, class_="soft halo", size=SMALL)
        return
    name = shortened(node.name, room - text_width(f" {amount_text}", SMALL))
    amount_element = tag("tspan", text(f" {amount_text}"), class_="soft", font_size=SMALL)
    yield tag("text", text(name), amount_element, x=x, y=placed.middle + 4, font_size=SIZE, class_="halo")


def _name_above(chart: Flow, placed: _PlacedNode, node: Node, y: float, room: float, width: float) -> Iterator[Markup]:
    for line_number, (content, class_) in enumerate(((node.name, "halo"), (_node_amount(chart, placed), "soft halo"))):
        line_text = shortened(content, room, SMALL)
        x = min(max(placed.middle, text_width(line_text, SMALL) / 2), width - text_width(line_text, SMALL) / 2)
        yield label(x, y - 17 + 12 * line_number, line_text, anchor="middle", class_=class_, size=SMALL)


LAND = "_land"
_LINES = "_lines"
_LINE_DISTANCE = 6
_SHADES = 5
_LEGEND_HEIGHT = 32.0
_MAX_LABELS = 16
_MAX_ROUTE_WIDTH = 7.0
_MIN_RADIUS, _MAX_RADIUS = 4.0, 34.0
"""Minimum and maximum distance in pixels between a country's middle and the ends of its routes. The maximum is for a map in full size."""
_MAX_ANGLE = 3.6
"""Part of a circle with ends of routes, in radians."""
_PLAIN_TONES = (Tone.PLAIN, Tone.TITLE)


_Point = tuple[float, float]


class _World(TypedDict):
    width: int
    height: int
    shapes: dict[str, str]
    points: dict[str, tuple[int, int]]
    rest: str


@cache
def _world() -> _World:
    world: _World = json.loads(files(__package__).joinpath("world.json").read_text(encoding="utf-8"))
    return world


def outlines() -> Markup:
    """Return the shapes of all countries. A page has them once, and its maps refer to them."""
    world = _world()
    shapes = [tag("path", id=f"_{code}", d=shape) for code, shape in world["shapes"].items()]
    width, height = world["width"], world["height"]
    lines = "".join(f"M{x} 0l-{height} {height}" for x in range(0, width + height, _LINE_DISTANCE))
    land = tag("g", *shapes, tag("path", d=world["rest"]), id=LAND)
    return joined((land, tag("path", d=lines, id=_LINES)))


def world_map(chart: WorldMap, width: float, name: str) -> Picture:
    """Draw the map, with names of the largest countries as space permits, or codes on a small map. `name` is a unique id for the picture."""
    world = _world()
    scale = width / world["width"]
    height = world["height"] * scale
    points = {code: (x * scale, y * scale) for code, (x, y) in world["points"].items()}
    located = [country for country in chart.countries if country.code in points]
    shaped = [country for country in located if country.code in world["shapes"]]
    small = [country for country in located if country.code not in world["shapes"]]
    largest = max((country.amount for country in located if country.amount is not None), default=Decimal(0))
    land = tag("use", href=f"#{LAND}", class_="land")
    shapes = parts("", (_country_shape(country, largest, chart.unit) for country in shaped))
    elements = [
        tag("g", land, shapes, *_tone_lines(shaped, name), transform=f"scale({scale:.4f})"),
        parts("", _routes(chart, points, scale)),
        parts("", (_country_dot(country, points[country.code], largest, chart.unit) for country in small)),
        *_labels(located, points, width, height),
        *_legend(largest, chart.unit, width, height),
    ]
    return Picture(width, height + _LEGEND_HEIGHT, joined(elements))


def _shade(value: Decimal | None, largest: Decimal) -> int | None:
    """Return the shade from 0, the lightest, by the square root of the value, which spreads the shades. None if nothing is bought there."""
    if value is None or value <= 0 or not largest:
        return None
    return min(_SHADES - 1, int(sqrt(float(value / largest)) * _SHADES))


def _country_text(country: Country, unit: str) -> str:
    name = country_names().get(country.code, country.code)
    amount_text = "" if country.amount is None else amount(country.amount, unit)
    return ": ".join(filter(None, (name, ", ".join(filter(None, (amount_text, country.told))))))


def _country_class(country: Country, largest: Decimal) -> str:
    shade = _shade(country.amount, largest)
    fill = "w" if shade is None else f"w{shade}"
    return fill if country.tone in _PLAIN_TONES else f"{fill} o-{country.tone.value}"


def _country_shape(country: Country, largest: Decimal, unit: str) -> Markup:
    return tag(
        "use", tooltip(_country_text(country, unit)), href=f"#_{country.code}", class_=_country_class(country, largest)
    )


def _country_dot(country: Country, position: tuple[float, float], largest: Decimal, unit: str) -> Markup:
    return tag(
        "circle",
        tooltip(_country_text(country, unit)),
        cx=position[0],
        cy=position[1],
        r=4,
        class_=f"dot {_country_class(country, largest)}",
    )


def _tone_lines(countries: Sequence[Country], name: str) -> Iterator[Markup]:
    for tone in Tone:
        shapes = [tag("use", href=f"#_{country.code}") for country in countries if country.tone is tone]
        if shapes and tone not in _PLAIN_TONES:
            yield tag("clipPath", *shapes, id=f"{name}_{tone.value}")
            yield tag("use", href=f"#{_LINES}", clip_path=f"url(#{name}_{tone.value})", class_=f"lines o-{tone.value}")


def _routes(chart: WorldMap, points: dict[str, _Point], scale: float) -> Iterator[Markup]:
    located = [
        route
        for route in chart.routes
        if route.source in points and route.target in points and route.source != route.target
    ]
    largest = max((route.amount for route in chart.routes), default=Decimal(0))
    thicknesses = [
        1 + (float(route.amount / largest) * _MAX_ROUTE_WIDTH * scale if largest else 0.0) for route in located
    ]
    bends = [_bend(points[route.source], points[route.target]) for route in located]
    starts, ends = _route_ends(located, points, bends, thicknesses, scale)
    for index in sorted(range(len(located)), key=lambda index: -located[index].amount):
        yield _route(located[index], starts[index], bends[index], ends[index], thicknesses[index], chart.unit)


def _bend(start: _Point, end: _Point) -> _Point:
    (x, y), (end_x, end_y) = start, end
    return (x + end_x) / 2, min((y + end_y) / 2 - hypot(end_x - x, end_y - y) * 0.22, max(min(y, end_y) - 8, 4.0))


def _route_ends(
    routes: Sequence[Route],
    points: dict[str, _Point],
    bends: Sequence[_Point],
    thick: Sequence[float],
    scale: float,
) -> tuple[list[_Point], list[_Point]]:
    """Return the start and end of each route. Ends in one country surround its middle in the order of their directions, so that they stay distinct."""
    ends_by_country: dict[str, list[tuple[int, bool]]] = {}
    for index, route in enumerate(routes):
        ends_by_country.setdefault(route.source, []).append((index, True))
        ends_by_country.setdefault(route.target, []).append((index, False))
    starts, ends = ([(0.0, 0.0)] * len(routes) for _ in range(2))
    for code, country_ends in ends_by_country.items():
        x, y = points[code]
        angles = {end: atan2(bends[end[0]][1] - y, bends[end[0]][0] - x) for end in country_ends}
        middle = atan2(sum(map(sin, angles.values())), sum(map(cos, angles.values())))
        relative_angles = {end: (angle - middle + pi) % (2 * pi) - pi for end, angle in angles.items()}
        ordered = sorted(country_ends, key=lambda end: relative_angles[end])
        width_needed = sum(thick[index] + (1.5 if is_start else 4.0) for index, is_start in country_ends)
        radius = (
            0.0 if len(country_ends) == 1 else max(min(width_needed / _MAX_ANGLE, _MAX_RADIUS * scale), _MIN_RADIUS)
        )
        desired_angles = [relative_angles[end] for end in ordered]
        spread_angles = spread_out(
            desired_angles, min(width_needed / max(radius, 1.0), _MAX_ANGLE) / len(country_ends), -pi, pi
        )
        rotation = middle + (sum(desired_angles) - sum(spread_angles)) / len(spread_angles)
        for (index, is_start), angle in zip(ordered, spread_angles, strict=True):
            point = x + radius * cos(angle + rotation), y + radius * sin(angle + rotation)
            (starts if is_start else ends)[index] = point
    return starts, ends


def _route(route: Route, start: _Point, bend: _Point, end: _Point, thickness: float, unit: str) -> Markup:
    (x, y), (bend_x, bend_y), (end_x, end_y) = start, bend, end
    length = hypot(end_x - bend_x, end_y - bend_y) or 1.0
    unit_x, unit_y = (end_x - bend_x) / length, (end_y - bend_y) / length
    size = 4 + thickness
    neck_x, neck_y = end_x - unit_x * size, end_y - unit_y * size
    wing = size * 0.55
    names = country_names()
    tooltip_text = f"{names.get(route.source, route.source)} to {names.get(route.target, route.target)}: {route.told or amount(route.amount, unit)}"
    line = path("M{} {}Q{} {} {} {}", x, y, bend_x, bend_y, neck_x, neck_y)
    head = path(
        "M{} {}L{} {} {} {}z",
        end_x,
        end_y,
        neck_x - unit_y * wing,
        neck_y + unit_x * wing,
        neck_x + unit_y * wing,
        neck_y - unit_x * wing,
    )
    class_ = f"route s-{route.tone.value}"
    return tag(
        "g",
        tooltip(tooltip_text),
        tag("path", d=line, stroke_width=thickness),
        tag("path", d=head, class_="head"),
        class_=class_,
    )


def _labels(located: Sequence[Country], points: dict[str, _Point], width: float, height: float) -> Iterator[Markup]:
    boxes = [(points[country.code][0] - 4, points[country.code][1] - 4, 8.0, 8.0) for country in located]
    by_amount = sorted(located, key=lambda country: (country.amount is None, -(country.amount or 0), country.code))
    for country in by_amount[:_MAX_LABELS]:
        x, y = points[country.code]
        name = country_names().get(country.code, country.code) if width > MIN_WIDE_PAGE else country.code
        name_width = text_width(name, SMALL)
        for left, top in (
            (x + 6, y - 6),
            (x - 6 - name_width, y - 6),
            (x - name_width / 2, y - 18),
            (x - name_width / 2, y + 6),
        ):
            box = (left, top, name_width, 12.0)
            if (
                left >= 0
                and left + name_width <= width
                and top >= 0
                and top + 12 <= height
                and not any(_overlap(box, other) for other in boxes)
            ):
                boxes.append(box)
                yield label(left, top + 10, name, class_="halo map", size=SMALL)
                break


def _overlap(first: tuple[float, float, float, float], second: tuple[float, float, float, float]) -> bool:
    x, y, width, height = first
    second_x, second_y, second_width, second_height = second
    return (
        x < second_x + second_width and second_x < x + width and y < second_y + second_height and second_y < y + height
    )


def _legend(largest: Decimal, unit: str, width: float, height: float) -> Iterator[Markup]:
    if not largest:
        return
    y, step = height + 8, min(70.0, (width - 70) / _SHADES)
    divisor, name = unit_of(largest, unit)
    for shade in range(_SHADES):
        upper = largest / divisor * (shade + 1) ** 2 / _SHADES**2
        yield tag("rect", x=shade * step, y=y, width=step, height=8, class_=f"w{shade}")
        limit_text = f"{number(upper)} {name}" if shade == _SHADES - 1 else number(upper, 2)
        yield label((shade + 1) * step, y + 20, limit_text, anchor="middle", class_="soft", size=SMALL)
    yield label(0, y + 20, "0", class_="soft", size=SMALL)
