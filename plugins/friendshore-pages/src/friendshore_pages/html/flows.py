"""SVG pictures of flows between nodes (Sankey diagrams)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from friendshore.document.charts import Flow, Node

from .markup import Markup, joined, tag
from .svg import (
    HATCHED,
    MIN_WIDE_PAGE,
    SMALL,
    Picture,
    amount,
    box,
    fill_class,
    label,
    label_lines,
    parts,
    path,
    shortened,
    stripes,
    text_width,
    tooltip,
    wrapped,
)

_BAR_WIDTH = 11.0
_HEAD_HEIGHT = 24.0
_SORTING_PASSES = 6
_NODE_GAP = 5.0
_LINE = 13.0
_STREAM_LENGTH = 46.0
"""Pixels between the bars of a layer and the names of the next on narrow pages."""


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
    last_layer = len(layers) - 1
    max_name = max((text_width(node.name) for _, node in _visible_nodes(layers[-1:])), default=0.0)
    layer_distance = (width - min(150.0, max(max_name, 60.0) + 6) - _BAR_WIDTH) / max(1, last_layer)
    rooms = [layer_distance - _BAR_WIDTH - 10] * last_layer + [width - last_layer * layer_distance - _BAR_WIDTH - 5]
    names_by_node = {
        id(placed): _name_lines(chart, placed, node, rooms[placed.layer]) for placed, node in _visible_nodes(layers)
    }
    min_sizes = {id(placed): len(names_by_node.get(id(placed), ())) * _LINE for nodes in layers for placed in nodes}
    height = max(sum(min_sizes[id(placed)] + _NODE_GAP for placed in nodes) for nodes in layers) * 1.35
    height = max(height, 110.0)
    _assign_positions(layers, min_sizes, _HEAD_HEIGHT, height)
    bars: list[Markup] = []
    names: list[Markup] = []
    for placed, node in _visible_nodes(layers):
        x = placed.layer * layer_distance
        bars.append(_node(chart, placed, node, x, placed.start, _BAR_WIDTH, max(placed.size, 1.0)))
        halo = "halo" if placed.size > _LINE else "halo over"  # a thin stream would look like a line through its name
        names.append(label_lines(x + _BAR_WIDTH + 5, placed.middle, names_by_node[id(placed)], SMALL, halo))
    headings = [
        label(
            n * layer_distance, 12, shortened(name, layer_distance - 10 if n < last_layer else rooms[-1]), class_="soft"
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
    hatches = _hatches(chart, line_paths, thicknesses)
    return [*headings, streams, *hatches, parts("", bars, "node"), *names], _HEAD_HEIGHT + height + 4


def _name_lines(chart: Flow, placed: _PlacedNode, node: Node, room: float) -> list[str]:
    """Return the name of a node with its amount, as lines of at most `room` pixels."""
    amount_text = _node_amount(chart, placed)
    if text_width(f"{node.name} {amount_text}", SMALL) <= room:
        return [f"{node.name} {amount_text}"]
    return [*wrapped(node.name, room, SMALL, _MAX_LINES), shortened(amount_text, room, SMALL)]


_MAX_LINES = 3


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
    names_by_node = {
        id(placed): _name_lines(chart, placed, node, max(min_sizes[id(placed)], placed.size))
        for placed, node in _visible_nodes(layers)
    }
    bar_tops: list[float] = []
    position = 0.0
    for nodes in layers:
        lines = max((len(names_by_node.get(id(placed), ())) for placed in nodes), default=1)
        position += 18 + _LINE * lines
        bar_tops.append(position)
        position += _BAR_WIDTH + _STREAM_LENGTH
    bars: list[Markup] = []
    names: list[Markup] = []
    for placed, node in _visible_nodes(layers):
        y = bar_tops[placed.layer]
        bars.append(_node(chart, placed, node, placed.start, y, max(placed.size, 1.0), _BAR_WIDTH))
        names += _name_above(placed, names_by_node[id(placed)], y, width)
    headings = [
        label(
            0,
            top - _LINE * max((len(names_by_node.get(id(p), ())) for p in nodes), default=1) - 6,
            shortened(name, width),
            class_="soft halo",
        )
        for top, name, nodes in zip(bar_tops, chart.layers, layers, strict=True)
    ]
    scale = _pixels_per_unit(layers)
    ribbons, hatches = [], []
    for stream, stream_parts in zip(chart.streams, stream_paths, strict=True):
        ends = [
            (bar_tops[part.source.layer] + _BAR_WIDTH, part.leaves, bar_tops[part.target.layer], part.arrives)
            for part in stream_parts
        ]
        half = _thickness(stream_parts[0].value * scale) / 2
        reverse_ends = [(to, at, x, y) for x, y, to, at in reversed(ends)]
        ribbons.append(f"{_line_path(ends, half, down=True)}L{_line_path(reverse_ends, -half, down=True)[1:]}z")
        if stream.tone in HATCHED:
            hatches.append(tag("path", d="".join(_rows_across(ends, half)), class_="hatch rows"))
    streams = parts("", _stream_markup(chart, ribbons), "stream ribbon")
    return [streams, *hatches, parts("", bars, "node"), *headings, *names], bar_tops[-1] + _BAR_WIDTH + 4


_HATCH_ROWS = 12


def _rows_across(ends: Sequence[tuple[float, float, float, float]], half: float) -> Iterator[str]:
    """Yield level lines across a stream that runs down, which hatch it."""
    for y, x, end_y, end_x in ends:
        for row in range(_HATCH_ROWS):
            t = (row + 0.5) / _HATCH_ROWS
            along, down = t * t * (3 - 2 * t), 1.5 * t - 1.5 * t * t + t**3  # of the curve of `_line_path`
            yield path("M{} {}h{}", x + (end_x - x) * along - half, y + (end_y - y) * down, 2 * half)


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
        tooltip_text = f"{names[stream.source]} to {names[stream.target]}: {stream.description or amount(stream.amount, chart.unit)}"
        yield tag("path", tooltip(tooltip_text), d=line_path, stroke_width=thickness, class_=fill_class(stream.tone))


def _hatches(chart: Flow, paths: Sequence[str], thicknesses: Sequence[float]) -> Iterator[Markup]:
    for stream, line_path, thickness in zip(chart.streams, paths, thicknesses, strict=True):
        yield stripes([line_path], thickness, stream.tone)


def _thickness(size: float) -> float:
    return size - 1 if size > 3 else max(size, 0.6)


def _node_amount(chart: Flow, placed: _PlacedNode) -> str:
    # Production can change the mass. The outgoing amount is the one that continues.
    return amount(placed.sent or placed.received, chart.unit)


def _node(chart: Flow, placed: _PlacedNode, node: Node, x: float, y: float, width: float, height: float) -> Markup:
    amount_text = _node_amount(chart, placed)
    if placed.received and placed.sent and amount(placed.received, chart.unit) != amount_text:
        amount_text = f"takes {amount(placed.received, chart.unit)}, gives {amount_text}"
    return box(x, y, width, height, f"{node.name}: {amount_text}")


def _name_above(placed: _PlacedNode, lines: Sequence[str], y: float, width: float) -> Iterator[Markup]:
    for position, line in enumerate(lines):
        half = text_width(line, SMALL) / 2
        x = min(max(placed.middle, half), width - half)
        bottom = y - 5 - _LINE * (len(lines) - 1 - position)
        yield label(x, bottom, line, anchor="middle", class_="halo", size=SMALL)
