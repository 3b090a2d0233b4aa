"""What events come together to: every combination with its probability, or a sample of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import sqrt

from friendshore.domain.time import Horizon, add_months

from .records import Event


@dataclass(frozen=True, slots=True)
class Begun:
    """An event that comes."""

    event: Event
    start: date
    """First day of what it changes."""
    factor: Decimal | None = None
    """By what it multiplies a price or a demand."""

    @property
    def name(self) -> str:
        """Its name, with by what it multiplies where that may be one of several."""
        several = self.event.factors or self.event.between
        return f"{self.event.name} x {self.factor}" if several else self.event.name


@dataclass(frozen=True, slots=True)
class RiskScenario:
    """Events that come together, and no other."""

    events: tuple[Begun, ...]
    """In the order in which the case states them; none: nothing happens."""
    probability: Fraction

    @property
    def name(self) -> str:
        """The names of its events."""
        return " + ".join(begun.name for begun in self.events) or NOTHING_HAPPENS


NOTHING_HAPPENS = "nothing happens"
_NONE = Decimal(0)
_Came = tuple[int, date, Decimal]
"""Place of an event in the case, its first day, and by what it multiplies; 0 if nothing is multiplied."""
EventOutcome = tuple[date | None, Decimal | None, Fraction]
"""First day of an event, if it comes; by what it multiplies, if anything and if that is not drawn; and how likely that is."""


def outcomes(event: Event, begun: bool, day: date, horizon: Horizon) -> list[EventOutcome]:
    """What may become of an event, each with its probability, which add up to 1.

    Args:
        event: the event.
        begun: whether the event that it is `given` comes; of no meaning for one that turns on none.
        day: on which events become known.
        horizon: of the plan.
    """
    start = event.start or day
    found: list[EventOutcome] = []
    if event.factors:
        found = [(start, f, Fraction(c)) for f, c in zip(event.factors, event.chances, strict=True)]
    elif event.per_year is None:
        stated = Decimal(1) if event.probability is None else event.probability
        found = [(start, event.factor, Fraction(event.otherwise if event.given and not begun else stated))]
    else:
        yearly, left, years = Fraction(event.per_year), Fraction(1), 0
        while (first := add_months(start, 12 * years)) <= horizon.periods[-1].end:
            found.append((first, event.factor, left * yearly))
            left *= 1 - yearly
            years += 1
    none = 1 - sum((chance for _, _, chance in found), Fraction(0))
    return [one for one in (*found, (None, None, none)) if one[2]]


def count_of(events: Sequence[Event], day: date, horizon: Horizon, most: int) -> int:
    """How many scenarios there are; one more than `most` where there are more, as where something is drawn from a distribution."""
    if any(event.between for event in events):
        return most + 1
    found = 0
    for _ in _every(events, day, horizon):
        found += 1
        if found > most:
            break
    return found


def enumerated(events: Sequence[Event], day: date, horizon: Horizon) -> list[RiskScenario]:
    """All scenarios, the one in which nothing happens first, then those of fewer events, in the order of the case."""
    found = list(_every(events, day, horizon))
    places = {event.name: place for place, event in enumerate(events)}

    def order(one: RiskScenario) -> tuple[int, list[_Came]]:
        return len(one.events), [(places[begun.event.name], begun.start, begun.factor or _NONE) for begun in one.events]

    return sorted(found, key=order)


def _every(events: Sequence[Event], day: date, horizon: Horizon) -> Iterator[RiskScenario]:
    def walk(place: int, begun: tuple[Begun, ...], chance: Fraction) -> Iterator[RiskScenario]:
        if place == len(events):
            yield RiskScenario(begun, chance)
            return
        event = events[place]
        caused = any(one.event.name == event.given for one in begun)
        for start, factor, part in outcomes(event, caused, day, horizon):
            came = begun if start is None else (*begun, Begun(event, start, factor))
            yield from walk(place + 1, came, chance * part)

    return walk(0, (), Fraction(1))


def sampled(events: Sequence[Event], day: date, horizon: Horizon, count: int, seed: str) -> list[RiskScenario]:
    """A sample of scenarios, each as probable as the share of draws that it is.

    Draws are common random numbers: that of an event in a sample follows from the seed, its name and the number of the draw alone, so that the
    same event comes in the same draws whatever else a case states.
    """
    drawn: Counter[tuple[tuple[int, date, Decimal | None], ...]] = Counter()
    for number in range(count):
        came: dict[str, tuple[int, date, Decimal | None]] = {}
        for place, event in enumerate(events):
            left = uniform(seed, event.name, number)
            for start, factor, part in outcomes(event, event.given in came, day, horizon):
                if left < part:
                    if start is not None:
                        size = _drawn(event, seed, number) if event.between else factor
                        came[event.name] = place, start, size
                    break
                left -= part
        drawn[tuple(came.values())] += 1
    ordered = sorted(drawn.items(), key=lambda item: (len(item[0]), [(p, s, f or _NONE) for p, s, f in item[0]]))
    return [
        RiskScenario(tuple(Begun(events[place], start, factor) for place, start, factor in key), Fraction(times, count))
        for key, times in ordered
    ]


def _drawn(event: Event, seed: str, number: int) -> Decimal:
    """A multiplier of a triangular distribution, to four digits after the point: where its distribution function comes to a uniform number."""
    least, likeliest, most = map(float, event.between)
    share, width = float(uniform(seed, f"{event.name}, size", number)), most - least
    if share * width < likeliest - least:
        found = least + sqrt(share * width * (likeliest - least))
    else:
        found = most - sqrt((1 - share) * width * (most - likeliest))
    return Decimal(repr(round(found, 4)))


def uniform(seed: str, name: str, number: int) -> Fraction:
    """A number from 0 to below 1 that follows from its arguments, the same on every machine: 64 bits of their SHA-256."""
    digest = hashlib.sha256(f"{seed}\n{name}\n{number}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64)
