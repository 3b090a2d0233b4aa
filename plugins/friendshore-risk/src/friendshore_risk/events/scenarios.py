"""What events come together to: every combination with its probability, or a sample of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from friendshore.domain.time import Horizon, add_months

from .records import Event


@dataclass(frozen=True, slots=True)
class Begun:
    """An event that comes."""

    event: Event
    start: date
    """First day of what it changes."""


@dataclass(frozen=True, slots=True)
class RiskScenario:
    """Events that come together, and no other."""

    events: tuple[Begun, ...]
    """In the order in which the case states them; none: nothing happens."""
    probability: Fraction

    @property
    def name(self) -> str:
        """The names of its events."""
        return " + ".join(begun.event.name for begun in self.events) or NOTHING_HAPPENS


NOTHING_HAPPENS = "nothing happens"
Outcome = tuple[date | None, Fraction]
"""First day of an event, if it comes, and how likely that is."""


def outcomes(event: Event, begun: bool, day: date, horizon: Horizon) -> list[Outcome]:
    """What may become of an event, each with its probability, which add up to 1.

    Args:
        event: the event.
        begun: whether the event that it is `given` comes; of no meaning for one that turns on none.
        day: on which events become known.
        horizon: of the plan.
    """
    start = event.start or day
    if event.per_year is None:
        chance = Fraction(event.otherwise if event.given and not begun else event.probability or 0)
        found: list[Outcome] = [(start, chance)]
    else:
        yearly, left, found = Fraction(event.per_year), Fraction(1), []
        years = 0
        while (first := add_months(start, 12 * years)) <= horizon.periods[-1].end:
            found.append((first, left * yearly))
            left *= 1 - yearly
            years += 1
    none = 1 - sum((chance for _, chance in found), Fraction(0))
    return [one for one in (*found, (None, none)) if one[1]]


def count_of(events: Sequence[Event], day: date, horizon: Horizon, most: int) -> int:
    """How many scenarios there are; one more than `most` where there are more."""
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

    def order(one: RiskScenario) -> tuple[int, list[tuple[int, date]]]:
        return len(one.events), [(places[begun.event.name], begun.start) for begun in one.events]

    return sorted(found, key=order)


def _every(events: Sequence[Event], day: date, horizon: Horizon) -> Iterator[RiskScenario]:
    def walk(place: int, begun: tuple[Begun, ...], chance: Fraction) -> Iterator[RiskScenario]:
        if place == len(events):
            yield RiskScenario(begun, chance)
            return
        event = events[place]
        caused = any(one.event.name == event.given for one in begun)
        for start, part in outcomes(event, caused, day, horizon):
            came = begun if start is None else (*begun, Begun(event, start))
            yield from walk(place + 1, came, chance * part)

    return walk(0, (), Fraction(1))


def sampled(events: Sequence[Event], day: date, horizon: Horizon, count: int, seed: str) -> list[RiskScenario]:
    """A sample of scenarios, each as probable as the share of draws that it is.

    Draws are common random numbers: that of an event in a sample follows from the seed, its name and the number of the draw alone, so that the
    same event comes in the same draws whatever else a case states.
    """
    drawn: Counter[tuple[tuple[int, date], ...]] = Counter()
    for number in range(count):
        came: dict[str, tuple[int, date]] = {}
        for place, event in enumerate(events):
            left = uniform(seed, event.name, number)
            for start, part in outcomes(event, event.given in came, day, horizon):
                if left < part:
                    if start is not None:
                        came[event.name] = place, start
                    break
                left -= part
        drawn[tuple(came.values())] += 1
    ordered = sorted(drawn.items(), key=lambda item: (len(item[0]), item[0]))
    return [
        RiskScenario(tuple(Begun(events[place], start) for place, start in key), Fraction(times, count))
        for key, times in ordered
    ]


def uniform(seed: str, name: str, number: int) -> Fraction:
    """A number from 0 to below 1 that follows from its arguments, the same on every machine: 64 bits of their SHA-256."""
    digest = hashlib.sha256(f"{seed}\n{name}\n{number}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64)
