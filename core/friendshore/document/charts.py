"""Charts as data, without a renderer: bars over time, flows, a timeline, a world map, and a ladder of prices.

A part of a chart has a name, an amount in the unit of the chart, and a sentence for readers who can't see it. Parts of the tone `plain` differ
by their order, other parts by the look of their tone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """Role of a text or a part of a chart, which renderers show as a color."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    ASIDE = "aside"
    """Of little weight, such as the effort of an answer."""
    CHOICE = "choice"
    """Chosen by the user, such as scenarios."""


@dataclass(frozen=True, slots=True)
class Series:
    """A part of every bar."""

    name: str
    values: tuple[Decimal, ...]
    """One value per bar."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Bars:
    """Stacked bars in order of time."""

    labels: tuple[str, ...]
    series: tuple[Series, ...]
    unit: str
    line: Series | None = None
    """Reference value of each bar, such as demand or a budget."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place or company in a flow."""

    id: str
    name: str
    layer: int
    """Position of its layer in `Flow.layers`."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Stream:
    """A flow from one node to a node of a later layer."""

    source: str
    target: str
    amount: Decimal
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Flow:
    """A Sankey diagram: nodes in layers, and streams as wide as their amounts."""

    layers: tuple[str, ...]
    """Name of each layer, such as mine, refinery, user."""
    nodes: tuple[Node, ...]
    streams: tuple[Stream, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """A marked day."""

    day: date
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """A span of days, first and last included."""

    start: date
    end: date
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Events of one thing, such as an order and its delivery, or a rule and its phases."""

    name: str
    spans: tuple[TimelineSpan, ...] = ()
    marks: tuple[TimelineMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A Gantt chart."""

    start: date
    end: date
    rows: tuple[TimelineRow, ...]
    marks: tuple[TimelineMark, ...] = ()
    """Days that matter to all rows, such as the first day of a rule."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country of a map."""

    code: str
    amount: Decimal | None
    """Purchases. None if the country is shown for another reason, such as a ban."""
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Route:
    """A flow from one country to another."""

    source: str
    target: str
    amount: Decimal
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class WorldMap:
    """Countries and the flows between them."""

    countries: tuple[Country, ...]
    routes: tuple[Route, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One of the prices or sums of money that are compared."""

    name: str
    value: Decimal | None
    """None if there is none. Then `told` gives the reason."""
    told: str
    tone: Tone = Tone.PLAIN
    target: Decimal | None = None
    """Value to reach, such as the price at which an offer would be bought."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices or sums of money, one below the other."""

    rungs: tuple[Rung, ...]
    unit: str


Chart: TypeAlias = Bars | Flow | Timeline | WorldMap | Ladder
