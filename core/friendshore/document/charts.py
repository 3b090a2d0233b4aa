"""Charts as data, without a renderer: bars over time, flows, a timeline, a curve, and a ladder of prices.

A part of a chart has a name, an amount in the unit of the chart, and a sentence for readers who can't see it. A tone has one meaning in all
charts, and parts of one tone differ by their order.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from .tones import Tone


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
    description: str
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
    """A day that matters to all rows, such as the first day of a rule."""

    day: date
    description: str


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """A span of days, first and last included."""

    start: date
    end: date
    description: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """Events of one thing, such as a rule and its phases."""

    name: str
    spans: tuple[TimelineSpan, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A Gantt chart."""

    start: date
    end: date
    rows: tuple[TimelineRow, ...]
    marks: tuple[TimelineMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Curve:
    """Stacked amounts over a measure that falls, such as the money spent under ever lower caps. The first point is today's."""

    x: tuple[Decimal, ...]
    """The measure at each point, descending."""
    x_title: str
    x_unit: str
    series: tuple[Series, ...]
    """Amounts at each point."""
    unit: str
    labels: tuple[str, ...] = ()
    """Text at each point. Empty if it has none."""
    rows: tuple[Series, ...] = ()
    """Rows of bars below the areas, such as materials in short supply. A value other than 0 applies from the previous point on."""
    rows_title: str = ""
    gap_title: str = ""
    """Reason why amounts are below the first one. Empty if it isn't known."""


@dataclass(frozen=True, slots=True)
class Rung:
    """One of the prices or sums of money that are compared."""

    name: str
    value: Decimal | None
    """None if there is none. Then `description` gives the reason."""
    description: str
    tone: Tone = Tone.PLAIN
    target: Decimal | None = None
    """Value to reach, such as the price at which an offer would be bought."""
    note: str = ""
    """Short text after the value."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices or sums of money, one below the other."""

    rungs: tuple[Rung, ...]
    unit: str


Chart: TypeAlias = Bars | Flow | Timeline | Curve | Ladder
