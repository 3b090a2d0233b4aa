"""Charts as figures: bars over time, flows, a timeline, a map of the world, and a ladder of prices; and the tones of texts and charts.

A part of a chart has a name, an amount in the unit of the chart, and a sentence for readers who can't see it. Parts of the tone `plain` differ
by their order, other parts by the look of their tone. Renderers draw.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TypeAlias


class Tone(StrEnum):
    """What a text or a part of a chart is to its reader; a renderer that has colours shows it."""

    PLAIN = "plain"
    TITLE = "title"
    GOOD = "good"
    DOUBTFUL = "doubtful"
    BAD = "bad"
    ASIDE = "aside"
    """Of little weight: what an answer took."""
    CHOICE = "choice"
    """What whoever asked chose: scenarios."""


@dataclass(frozen=True, slots=True)
class Series:
    """A part of every bar."""

    name: str
    values: tuple[Decimal, ...]
    """One for each bar."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars in the order of time, each of parts that are added up."""

    labels: tuple[str, ...]
    """One for each bar: periods or years."""
    series: tuple[Series, ...]
    unit: str
    line: Series | None = None
    """What each bar is held against: what is wanted, or a budget."""


@dataclass(frozen=True, slots=True)
class Node:
    """A place or a firm that a flow passes."""

    id: str
    name: str
    layer: int
    """Its stage, from 0."""
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Stream:
    """What goes from one node to one of a later layer."""

    source: str
    target: str
    amount: Decimal
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Flow:
    """From where to where (a Sankey diagram): nodes in layers, and streams as wide as what flows."""

    layers: tuple[str, ...]
    """What each layer is called: mine, refinery, user."""
    nodes: tuple[Node, ...]
    streams: tuple[Stream, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class TimelineMark:
    """A day."""

    day: date
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TimelineSpan:
    """Days from one to another, both included."""

    start: date
    end: date
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class TimelineRow:
    """What happens to one thing: an order and its way, a rule and its phases."""

    name: str
    spans: tuple[TimelineSpan, ...] = ()
    marks: tuple[TimelineMark, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """Rows below each other (a Gantt chart)."""

    start: date
    end: date
    rows: tuple[TimelineRow, ...]
    marks: tuple[TimelineMark, ...] = ()
    """Days that matter to all rows, as those on which a rule begins to hold."""


@dataclass(frozen=True, slots=True)
class Country:
    """A country of a map."""

    code: str
    """ISO 3166-1 alpha-2."""
    amount: Decimal | None
    """None: nothing is bought there, and it is told for another reason, as a ban."""
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class Route:
    """What goes from one country to another."""

    source: str
    target: str
    amount: Decimal
    told: str
    tone: Tone = Tone.PLAIN


@dataclass(frozen=True, slots=True)
class WorldMap:
    """Countries and what goes between them."""

    countries: tuple[Country, ...]
    routes: tuple[Route, ...]
    unit: str


@dataclass(frozen=True, slots=True)
class Rung:
    """One price, or one sum of money, of those that are compared."""

    name: str
    value: Decimal | None
    """None: there is none, and `told` says why."""
    told: str
    tone: Tone = Tone.PLAIN
    target: Decimal | None = None
    """What it would have to be: the price at which an offer would be bought."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Prices or sums of money below each other."""

    rungs: tuple[Rung, ...]
    unit: str


Chart: TypeAlias = Bars | Flow | Timeline | WorldMap | Ladder
