"""From where to where: nodes in layers, and streams as wide as what flows (a Sankey diagram)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from ..charts import Flow, Node, Stream
from ..tone import Tone
from .markup import Markup, joined, tag, text
from .svg import SIZE, SMALL, Picture, amount, box, cut, label, measured, parts, path, titled

_BAR = 11.0
_HEAD = 24.0
_OUTER, _INNER = 0.62, 0.7
"""Parts of the way from one layer to the next that names above nodes take, of the outer layers and of those between."""
_ROUNDS = 6
"""How often layers are put in order by what they join."""


@dataclass(slots=True)
class _Place:
    """A node, and where it stands."""

    node: Node
    total: Decimal
    """What flows through it."""
    y: float = 0.0
    height: float = 0.0
    out: list[Stream] = field(default_factory=list)
    into: list[Stream] = field(default_factory=list)

    @property
    def value(self) -> float:
        """The same, to draw it."""
        return float(self.total)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def flow(chart: Flow, width: float) -> Picture:
    """Names stand at the right of their nodes, and above them where there is no room."""
    beside = width > 600
    places = _places(chart)
    layers = [[place for place in places.values() if place.node.layer == layer] for layer in range(len(chart.layers))]
    _order(layers, places)
    slot, gap = (15.0, 5.0) if beside else (6.0, 19.0)
    height = _stand(layers, slot, gap, 0.0 if beside else 15.0)
    room = min(180.0, max(map(measured, _names(layers[-1:], chart.unit)), default=0.0) + 6) if beside else 0.0
    pitch = (width - room - _BAR) / max(1, len(layers) - 1)
    named = _name if beside else _name_above
    nodes, names = [], []
    for layer, held in enumerate(layers):
        nodes += [_node(place, layer * pitch, chart.unit) for place in held]
        names += [named(place, layer, len(layers), pitch, width, chart.unit) for place in held]
    heads = _heads(chart, pitch, width, beside=beside)
    streams = parts("", _streams(chart, places, pitch, _scale(places)), "stream")
    drawn = joined((*heads, streams, parts("", nodes, "node"), *names))
    return Picture(width, _HEAD + height + 4, drawn)


def _places(chart: Flow) -> dict[str, _Place]:
    sent: Mapping[str, list[Stream]] = defaultdict(list)
    got: Mapping[str, list[Stream]] = defaultdict(list)
    for stream in chart.streams:
        sent[stream.source].append(stream)
        got[stream.target].append(stream)
    return {
        node.id: _Place(node, max(_sum(sent[node.id]), _sum(got[node.id])), out=sent[node.id], into=got[node.id])
        for node in chart.nodes
    }


def _sum(streams: Sequence[Stream]) -> Decimal:
    return sum((stream.amount for stream in streams), Decimal(0))


def _order(layers: Sequence[list[_Place]], places: Mapping[str, _Place]) -> None:
    """Largest first, then by the middle of what each is joined to, so that streams cross little."""
    for held in layers:
        held.sort(key=lambda place: -place.value)
        _number(held)
    for turn in range(_ROUNDS):
        forth = turn % 2 == 0
        for held in layers[1:] if forth else layers[-2::-1]:
            middles = {place.node.id: _joined_to(place, places, forth=forth) for place in held}
            held.sort(key=lambda place: middles[place.node.id])
            _number(held)


def _number(held: Sequence[_Place]) -> None:
    total = sum(place.value for place in held) or 1.0
    reached = 0.0
    for place in held:
        place.y, place.height = reached / total, place.value / total
        reached += place.value


def _joined_to(place: _Place, places: Mapping[str, _Place], *, forth: bool) -> float:
    streams = place.into if forth else place.out
    others = [(float(stream.amount), places[stream.source if forth else stream.target]) for stream in streams]
    weight = sum(size for size, _ in others)
    return sum(size * other.middle for size, other in others) / weight if weight else place.middle


def _stand(layers: Sequence[Sequence[_Place]], slot: float, gap: float, above: float) -> float:
    """Gives every node its place; how high all of it is. A node takes no less than `slot`, which has room for its name."""
    most = max(map(len, layers), default=0)
    height = max(110.0 + 30 * min(most, 5), most * (slot + gap) * 1.35)
    low, high = 0.0, height / max((max(sum(place.value for place in held), 1e-9) for held in layers), default=1.0)
    for _ in range(60):
        scale = (low + high) / 2
        tall = max((sum(max(slot, place.value * scale) + gap for place in held) for held in layers), default=0.0)
        low, high = (scale, high) if tall <= height else (low, scale)
    for held in layers:
        sizes = [max(slot, place.value * low) for place in held]
        spare = height - sum(sizes) - gap * len(held)
        y = _HEAD + above + spare / 2
        for place, size in zip(held, sizes, strict=True):
            place.height = place.value * low
            place.y = y + (size - place.height) / 2
            y += size + gap
    return height + above


def _scale(places: Mapping[str, _Place]) -> float:
    """Pixels of one unit of what flows."""
    return next((place.height / place.value for place in places.values() if place.value), 0.0)


def _heads(chart: Flow, pitch: float, width: float, *, beside: bool) -> Iterator[Markup]:
    last = len(chart.layers) - 1
    for layer, name in enumerate(chart.layers):
        x, anchor, room = _above(layer, last, pitch, width)
        if beside:
            x, anchor, room = layer * pitch, None, pitch - 10 if layer < last else width - layer * pitch
        yield label(x, 12, cut(name, room), anchor=anchor, class_="soft")


def _above(layer: int, last: int, pitch: float, right: float) -> tuple[float, str | None, float]:
    """Where a name above a node stands, how it is aligned, and what room it has."""
    if not layer:
        return 0.0, None, pitch * _OUTER if last else right
    if layer == last:
        return right, "end", pitch * _OUTER
    return layer * pitch + _BAR / 2, "middle", pitch * _INNER


def _streams(chart: Flow, places: Mapping[str, _Place], pitch: float, scale: float) -> Iterator[Markup]:
    """Each from its part of its source to its part of its target; those that lie higher begin and end higher."""
    by_target = sorted(range(len(chart.streams)), key=lambda i: places[chart.streams[i].target].middle)
    by_source = sorted(range(len(chart.streams)), key=lambda i: places[chart.streams[i].source].middle)
    starts = _ends([(i, chart.streams[i].source, float(chart.streams[i].amount) * scale) for i in by_target], places)
    ends = _ends([(i, chart.streams[i].target, float(chart.streams[i].amount) * scale) for i in by_source], places)
    for i, stream in enumerate(chart.streams):
        source, target = places[stream.source], places[stream.target]
        x, to = source.node.layer * pitch + _BAR, target.node.layer * pitch
        bend = (to - x) / 2
        yield tag(
            "path",
            titled(f"{source.node.name} to {target.node.name}: {stream.told or amount(stream.amount, chart.unit)}"),
            d=path("M{} {}C{} {} {} {} {} {}", x, starts[i], x + bend, starts[i], to - bend, ends[i], to, ends[i]),
            stroke_width=_thick(float(stream.amount) * scale),
            class_=None if stream.tone is Tone.PLAIN else f"s-{stream.tone.value}",
        )


def _ends(streams: Sequence[tuple[int, str, float]], places: Mapping[str, _Place]) -> dict[int, float]:
    """Where the middle of each stream meets its node, given in the order in which they lie, by node and thickness."""
    reached = {node: place.y for node, place in places.items()}
    found = {}
    for i, node, size in streams:
        found[i] = reached[node] + size / 2
        reached[node] += size
    return found


def _thick(size: float) -> float:
    """As thick as what flows, with a hair's breadth to the next."""
    return size - 1 if size > 3 else max(size, 0.6)


def _node(place: _Place, x: float, unit: str) -> Markup:
    told = f"{place.node.name}: {amount(place.total, unit)}"
    class_ = None if place.node.tone is Tone.PLAIN else f"n-{place.node.tone.value}"
    return box(x, place.y, _BAR, max(place.height, 1.0), told, class_)


def _names(layers: Sequence[Sequence[_Place]], unit: str) -> list[str]:
    return [f"{place.node.name}  {amount(place.total, unit)}" for held in layers for place in held]


def _name(place: _Place, layer: int, layers: int, pitch: float, right: float, unit: str) -> Markup:
    """A node's name at its right, and its amount."""
    written = amount(place.total, unit)
    x = layer * pitch + _BAR + 5
    room = pitch - _BAR - 10 if layer < layers - 1 else right - x
    shown = cut(place.node.name, room - measured(f" {written}", SMALL))
    return _label(x, place.middle + 4, shown, written, None, SIZE)


def _name_above(place: _Place, layer: int, layers: int, pitch: float, right: float, unit: str) -> Markup:
    """The same above it; the amount where there is room."""
    x, anchor, room = _above(layer, layers - 1, pitch, right)
    written = amount(place.total, unit)
    behind = written if measured(f"{place.node.name} {written}", SMALL) <= room else ""
    return _label(x, place.y - 4, cut(place.node.name, room, SMALL), behind, anchor, SMALL)


def _label(x: float, y: float, name: str, written: str, anchor: str | None, size: float) -> Markup:
    behind = tag("tspan", text(f" {written}"), class_="soft", font_size=SMALL) if written else joined(())
    return tag("text", text(name), behind, x=x, y=y, text_anchor=anchor, font_size=size, class_="halo")
