"""What events come together to: every combination with its probability, or a sample of them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import exp, sqrt
from statistics import NormalDist

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
    lasts: Decimal | None = None
    """Months that it lasts; None: to the end of the plan."""
    place: int = 0
    """Which of its `factors` comes true."""

    @property
    def name(self) -> str:
        """Its name, with by what it multiplies, when it begins and how long it lasts, where that may be one of several."""
        event = self.event
        size = f" x {self.factor}" if event.factors or event.drawn else ""
        begins = "" if event.per_year is None else f" from {self.start}"
        several = event.durations or event.ends_per_year is not None
        return f"{event.name}{size}{begins}{' ' + duration(self.lasts) if several else ''}"

    @property
    def told(self) -> Told:
        """What tells it from what else may become of the same event."""
        return self.event.name, self.start, self.factor, self.lasts


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


def duration(lasts: Decimal | None) -> str:
    """How long something lasts, in words."""
    return "to the end" if lasts is None else f"for {lasts.normalize():f} months"


_NONE = Decimal(0)
Told = tuple[str, date, Decimal | None, Decimal | None]
"""Name of an event that comes, its first day, by what it multiplies, and months that it lasts."""
EventOutcome = tuple[Begun | None, Fraction]
"""What becomes of an event, by what it multiplies left out if that is drawn, and how likely that is; None: it does not come."""


def outcomes(event: Event, came: Mapping[str, Begun], day: date, horizon: Horizon) -> list[EventOutcome]:
    """What may become of an event, each with its probability, which add up to 1.

    Args:
        event: the event.
        came: of the events stated before it, those that come, by their names.
        day: on which events become known.
        horizon: of the plan.
    """
    start, last = event.start or day, horizon.periods[-1].end
    found: list[tuple[date, Decimal | None, Fraction]] = []
    of_factors = 0
    if event.factors and event.along_with:
        if event.along_with in came:
            of_factors = came[event.along_with].place
            found = [(start, event.factors[of_factors], Fraction(1))]
    elif event.factors:
        chances = [Fraction(one) for one in event.chances] or [Fraction(1, len(event.factors))] * len(event.factors)
        found = [(start, factor, chance) for factor, chance in zip(event.factors, chances, strict=True)]
    elif event.per_year is None:
        stated = Decimal(1) if event.probability is None else event.probability
        found = [
            (start, event.factor, Fraction(event.otherwise if event.given and event.given not in came else stated))
        ]
    else:
        found = [(first, event.factor, chance) for first, chance in _yearly(event.per_year, start, last)]
    none = 1 - sum((chance for _, _, chance in found), Fraction(0))
    comes: list[EventOutcome] = [
        (Begun(event, first, factor, lasts, place), chance * part)
        for place, (first, factor, chance) in enumerate(found, of_factors)
        for lasts, part in _durations(event, first, last)
    ]
    return [one for one in (*comes, (None, none)) if one[1]]


def _yearly(chance: Decimal, start: date, last: date) -> Iterator[tuple[date, Fraction]]:
    """First days of the years that begin by some day, each with the chance that something comes with that year which comes once."""
    left, years = Fraction(1), 0
    while (first := add_months(start, 12 * years)) <= last:
        yield first, left * Fraction(chance)
        left *= 1 - Fraction(chance)
        years += 1


def _durations(event: Event, start: date, last: date) -> list[tuple[Decimal | None, Fraction]]:
    """Months that an event may last, each with its chance."""
    if event.durations:
        pairs = zip(event.durations, event.duration_chances, strict=True)
        return [(months, Fraction(chance)) for months, chance in pairs]
    if event.ends_per_year is None:
        return [(event.lasts, Fraction(1))]
    ends = [chance for _, chance in _yearly(event.ends_per_year, start, last)]
    kept: list[tuple[Decimal | None, Fraction]] = [(Decimal(12 * n), chance) for n, chance in enumerate(ends, 1)]
    # What ends with the last year that begins within the plan lasts to its end, as what goes on does.
    return [*kept[:-1], (None, 1 - sum(ends[:-1], Fraction(0)))]


def count_of(events: Sequence[Event], day: date, horizon: Horizon, most: int) -> int:
    """How many scenarios there are; one more than `most` where there are more, as where something is drawn from a distribution."""
    if any(event.drawn for event in events):
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

    return sorted(found, key=lambda one: (len(one.events), [_order(places[b.event.name], b) for b in one.events]))


def _order(place: int, begun: Begun) -> tuple[int, date, Decimal, bool, Decimal]:
    return place, begun.start, begun.factor or _NONE, begun.lasts is None, begun.lasts or _NONE


def _every(events: Sequence[Event], day: date, horizon: Horizon) -> Iterator[RiskScenario]:
    def walk(place: int, begun: tuple[Begun, ...], chance: Fraction) -> Iterator[RiskScenario]:
        if place == len(events):
            yield RiskScenario(begun, chance)
            return
        event = events[place]
        came = {one.event.name: one for one in begun}
        for comes, part in outcomes(event, came, day, horizon):
            yield from walk(place + 1, begun if comes is None else (*begun, comes), chance * part)

    return walk(0, (), Fraction(1))


def sampled(events: Sequence[Event], day: date, horizon: Horizon, count: int, seed: str) -> list[RiskScenario]:
    """A sample of scenarios, each as probable as the share of draws that it is.

    Draws are common random numbers: that of an event in a sample follows from the seed, its name and the number of the draw alone, so that the
    same event comes in the same draws whatever else a case states.
    """
    drawn: Counter[tuple[Told, ...]] = Counter()
    known: dict[tuple[Told, ...], tuple[Begun, ...]] = {}
    for number in range(count):
        came: dict[str, Begun] = {}
        for event in events:
            left = uniform(seed, event.name, number)
            for begun, part in outcomes(event, came, day, horizon):
                if left < part:
                    if begun is not None:
                        size = _drawn(event, seed, number) if event.drawn else begun.factor
                        came[event.name] = replace(begun, factor=size)
                    break
                left -= part
        key = tuple(begun.told for begun in came.values())
        known[key] = tuple(came.values())
        drawn[key] += 1
    places = {event.name: place for place, event in enumerate(events)}
    ordered = sorted(known.items(), key=lambda item: (len(item[0]), [_order(places[b.event.name], b) for b in item[1]]))
    return [RiskScenario(begun, Fraction(drawn[key], count)) for key, begun in ordered]


def _drawn(event: Event, seed: str, number: int) -> Decimal:
    """A multiplier, to four digits after the point: where its distribution function comes to a uniform number."""
    share = float(uniform(seed, f"{event.along_with or event.name}, size", number))
    return Decimal(repr(round(_quantile(event, min(max(share, _LEAST), 1 - _LEAST)), 4)))


_LEAST = 2.0**-53
"""Share nearer to none, or to all, of which no quantile is asked: a normal distribution has none of 0."""


def _quantile(event: Event, share: float) -> float:
    if event.uniform:
        least, most = map(float, event.uniform)
        return least + share * (most - least)
    if event.normal:
        mean, deviation = map(float, event.normal)
        return max(NormalDist(mean, deviation).inv_cdf(share), 0.0)
    if event.lognormal:
        median, deviation = map(float, event.lognormal)
        return median * exp(NormalDist(0, deviation).inv_cdf(share))
    least, likeliest, most = map(float, event.between)
    width = most - least
    if share * width < likeliest - least:
        return least + sqrt(share * width * (likeliest - least))
    return most - sqrt((1 - share) * width * (most - likeliest))


def uniform(seed: str, name: str, number: int) -> Fraction:
    """A number from 0 to below 1 that follows from its arguments, the same on every machine: 64 bits of their SHA-256."""
    digest = hashlib.sha256(f"{seed}\n{name}\n{number}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64)
