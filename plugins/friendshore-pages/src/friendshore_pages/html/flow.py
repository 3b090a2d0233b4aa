"""From where to where: nodes in layers, and streams as wide as what flows (a Sankey diagram)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from friendshore.document.charts import Flow, Node, Tone

from .markup import Markup, joined, tag, text
from .svg import BESIDE, SIZE, SMALL, Picture, amount, box, cut, label, measured, parts, path, titled

_BAR = 11.0
_HEAD = 24.0
_ROUNDS = 6
"""How often layers are put in order by what they join."""
_SLOT, _GAP = 15.0, 5.0
"""Pixels that a node takes at least in its layer, which is room for its name; and from one to the next."""
_ROW = 84.0
"""Pixels from one layer to the next where they stand below each other: their names, the bars, and what flows."""
_NAMES = 42.0
"""Of which the names above the bars take so many."""


@dataclass(eq=False, slots=True)
class _Place:
    """A node, or where a stream passes a layer without a stop there, and how much of its layer it takes."""

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
        """What flows through it; where what comes weighs otherwise than what goes, the larger."""
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
    """Where its middle is as it leaves."""
    arrives: float = 0.0


_Way = list[_Part]
"""A stream: one part for each layer that it passes."""


def _sum(some: Sequence[_Part]) -> float:
    return sum(part.value for part in some)


def flow(chart: Flow, width: float) -> Picture:
    """Layers stand beside each other, names at the right of their nodes; where there is no room, below each other with names above."""
    layers, ways = _laid(chart)
    _order(layers)
    drawn, height = (_beside if width > BESIDE else _below)(chart, layers, ways, width)
    return Picture(width, height, joined(drawn))


def _laid(chart: Flow) -> tuple[list[list[_Place]], list[_Way]]:
    """Every layer's nodes, with places for streams that pass it; and the streams."""
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
    """Largest first, then by the middle of what each is joined to, so that streams cross little."""
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
    """Gives every place its part of the room, none less than `least` of it, and all layers one scale; and every stream its ends."""
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
    """The picture for a wide page, and its height."""
    most = max((sum(1 for place in held if place.node) for held in layers), default=0)
    height = max(110.0 + 30 * min(most, 5), most * (_SLOT + _GAP) * 1.35)
    _stand(layers, {id(p): _SLOT if p.node else 0.0 for held in layers for p in held}, _HEAD, height)
    last = len(layers) - 1
    widest = max((measured(f"{node.name}  {_told(chart, p)}") for p, node in _stops(layers[-1:])), default=0.0)
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
    """The picture for a narrow page, and its height."""
    least: dict[int, float] = {}
    for held in layers:
        wanted = dict.fromkeys(map(id, held), 0.0) | {
            id(place): max(measured(one, SMALL) for one in (node.name, _told(chart, place))) + 4
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
    """All nodes with their places."""
    return [(place, place.node) for held in layers for place in held if place.node]


def _scale(layers: Sequence[Sequence[_Place]]) -> float:
    """Pixels of one unit of what flows."""
    return next((place.size / place.value for held in layers for place in held if place.value), 0.0)


def _line(ends: Sequence[tuple[float, float, float, float]], shift: float = 0.0, *, down: bool = False) -> str:
    """A line through layers: for each part how far along and how far across it begins and ends, moved across by `shift`."""
    drawn = ""
    for x, y, to, at in ends:
        middle, y_, at_ = (x + to) / 2, y + shift, at + shift
        places = (x, y_, middle, y_, middle, at_, to, at_)
        turned = [places[n ^ 1] for n in range(8)] if down else places
        drawn += path("L{} {}C{} {} {} {} {} {}" if drawn else "M{} {}C{} {} {} {} {} {}", *turned)
    return drawn


def _streams(chart: Flow, drawn: Sequence[str], thick: Sequence[float | None] = ()) -> Iterator[Markup]:
    """Streams as lines of some thickness, or as outlines."""
    names = {node.id: node.name for node in chart.nodes}
    for stream, line, stroke in zip(chart.streams, drawn, thick or [None] * len(drawn), strict=True):
        told = f"{names[stream.source]} to {names[stream.target]}: {stream.told or amount(stream.amount, chart.unit)}"
        class_ = None if stream.tone is Tone.PLAIN else f"s-{stream.tone.value}"
        yield tag("path", titled(told), d=line, stroke_width=stroke, class_=class_)


def _thick(size: float) -> float:
    """As thick as what flows, with a hair's breadth to the next."""
    return size - 1 if size > 3 else max(size, 0.6)


def _told(chart: Flow, place: _Place) -> str:
    """What a node gives; where nothing leaves it, what it gets."""
    return amount(place.gives or place.gets, chart.unit)


def _node(chart: Flow, place: _Place, node: Node, x: float, y: float, wide: float, tall: float) -> Markup:
    told = _told(chart, place)
    if place.gets and place.gives and amount(place.gets, chart.unit) != told:
        told = f"takes {amount(place.gets, chart.unit)}, gives {told}"
    return box(x, y, wide, tall, f"{node.name}: {told}", None if node.tone is Tone.PLAIN else f"n-{node.tone.value}")


def _name(chart: Flow, place: _Place, node: Node, x: float, room: float) -> Iterator[Markup]:
    """A node's name at its right, and its amount; that below it where both have no room on one line and the node has for two."""
    written = _told(chart, place)
    if measured(f"{node.name} {written}") > room and place.size > 2 * SIZE:
        yield label(x, place.middle - 2, cut(node.name, room), class_="halo")
        yield label(x, place.middle + 11, written, class_="soft halo", size=SMALL)
        return
    shown = cut(node.name, room - measured(f" {written}", SMALL))
    behind = tag("tspan", text(f" {written}"), class_="soft", font_size=SMALL)
    yield tag("text", text(shown), behind, x=x, y=place.middle + 4, font_size=SIZE, class_="halo")


def _name_above(chart: Flow, place: _Place, node: Node, y: float, room: float, width: float) -> Iterator[Markup]:
    """The same above it, each on a line of its own."""
    for line, (written, class_) in enumerate(((node.name, "halo"), (_told(chart, place), "soft halo"))):
        shown = cut(written, room, SMALL)
        x = min(max(place.middle, measured(shown, SMALL) / 2), width - measured(shown, SMALL) / 2)
        yield label(x, y - 17 + 12 * line, shown, anchor="middle", class_=class_, size=SMALL)
