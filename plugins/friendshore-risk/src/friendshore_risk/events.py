"""Events that may happen to a case: their records, combinations, consequences, and checks."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import exp, sqrt
from statistics import NormalDist
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from friendshore.domain.base import Fault, Fitting, Given, exact
from friendshore.domain.case import Case, DemandSpec
from friendshore.domain.change import Change
from friendshore.domain.evidence import Why
from friendshore.domain.facts import Catalog, Offer, Quote
from friendshore.domain.quantities import parse_duration, parse_share
from friendshore.domain.suggest import did_you_mean
from friendshore.domain.time import Horizon, add_months
from friendshore.domain.values import Fraction as DecimalFraction
from friendshore.domain.values import Ident, Months, NonNegative, Part
from friendshore.errors import Diagnostic, InputError
from friendshore.problem import Problem
from friendshore.problem.changes import names_offer, reprices, resizes, scenario_changes
from friendshore.problem.inputs import Inputs
from friendshore.problem.merged import CASE_SOURCE
from friendshore.problem.offers import OfferFacts
from friendshore.problem.parts import Impact, Parts, impact
from friendshore.rules.amend import with_bills
from friendshore.session import Session

from .losses import ROUTES, SupplyRoute, moves_on, words_of


def _read(parse: Callable[[str], Decimal]) -> BeforeValidator:
    """Amounts as planners write them: `5 %`, `12 months`."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"expected {error}") from None

    return BeforeValidator(read)


Probability = Annotated[DecimalFraction, _read(parse_share)]
"""Chance that something comes: from 0 to 1, like `5 %`."""


Multiplier = Annotated[NonNegative, _read(parse_share)]
"""By what a price or a quantity is multiplied: `2`, `150 %`."""


class Event(Fitting):
    """Something that may happen after the day on which it becomes known, and until then nobody knows whether it will.

    What it changes: who is lost (`lose`), prices (`price`) or demand (`demand`) that become `factor` times themselves, a scenario of the case,
    or changes as a scenario states them.
    """

    name: Ident
    title: str = ""
    """One line; empty: told by what it changes."""
    probability: Probability | None = None
    """Chance that it comes at all; with `given`, where that event comes."""
    per_year: Probability | None = None
    """Chance in each year from `from` on that it begins with that year, if it has not yet."""
    given: str = ""
    """Event, stated before this one, that makes it more or less likely: a common cause."""
    otherwise: Probability = Decimal(0)
    """Chance that it comes where the event `given` does not."""
    start: Annotated[datetime.date | None, Field(alias="from")] = None
    """First day of what it changes; empty: the day on which events become known."""
    lasts: Annotated[Months | None, _read(parse_duration)] = None
    """How long, like `12 months`; empty: to the end of the plan."""
    durations: tuple[Annotated[Months, _read(parse_duration)], ...] = ()
    """In place of `lasts`: times one of which comes true, each with its chance in `duration_chances`."""
    duration_chances: tuple[Probability, ...] = ()
    """How probable each of `durations` is: they come to 1."""
    ends_per_year: Probability | None = None
    """In place of `lasts`: chance in each year, from its first day on, that it ends with that year."""
    lose: str = ""
    """Offer, facility, supplier, parent company, country (`country:CN`) or catalog that is lost, named as in a change's `remove`; or a route
    on which nothing is ordered any more: `route:AU>US`, `route:CN>`, `route:>US` or `via:suez`."""
    share: Annotated[Part, _read(parse_share)] = Decimal(1)
    """Share of the capacity of whoever is lost that goes; 1: nothing of it is left."""
    price: str = ""
    """Offer, material, or all offers of `country:CN` or `outside:CN`, whose price becomes `factor` times itself."""
    demand: str = ""
    """Demand, material or end use whose quantity becomes `factor` times itself."""
    factor: Multiplier | None = None
    """Multiplier of a price or a demand."""
    factors: tuple[Multiplier, ...] = ()
    """In place of `factor` and `probability`: multipliers one of which comes true, or none, with the `chances`; without `chances`, as of
    what was observed, each is as probable."""
    chances: tuple[Probability, ...] = ()
    """How probable each of `factors` is; what is left to 1 is the chance that nothing changes."""
    between: tuple[Multiplier, ...] = ()
    """In place of `factor`: the least multiplier, the likeliest and the most (a triangular distribution), of which samples are drawn."""
    uniform: tuple[Multiplier, ...] = ()
    """In place of `factor`: the least multiplier and the most, and all between them alike, of which samples are drawn."""
    normal: tuple[Multiplier, ...] = ()
    """In place of `factor`: mean and standard deviation of a normal distribution of the multiplier, of which samples are drawn; below 0 it is 0."""
    lognormal: tuple[Multiplier, ...] = ()
    """In place of `factor`: the median multiplier, and the standard deviation of its logarithm, of a lognormal distribution, of which samples are drawn."""
    along_with: str = ""
    """Event, stated before this one, of which samples are drawn too: high multipliers of the one come with high ones of the other. With `factors`, an event
    that has as many: of both the same one in order comes true, or neither, as of scenarios of many prices and demands that were drawn together."""
    scenario: str = ""
    """Scenario of the case that comes true."""
    change: tuple[Change, ...] = ()
    """What changes, as a scenario states it."""
    why: Why = ""

    SUBJECTS: ClassVar[tuple[str, ...]] = ("lose", "price", "demand", "scenario", "change")
    DRAWN: ClassVar[tuple[str, ...]] = ("between", "uniform", "normal", "lognormal")

    @property
    def drawn(self) -> bool:
        """Whether its multiplier follows a distribution of which samples are drawn."""
        return bool(self.between or self.uniform or self.normal or self.lognormal)

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Not one chance, not one subject, and what is given and not read."""
        named = [name for name in cls.SUBJECTS if given.get(name)]
        if len(named) != 1:
            told = ", ".join(f"`{name}`" for name in cls.SUBJECTS)
            yield Fault("", f"what it changes is one of {told}, found {', '.join(named) or 'none'}", "one of them")
        chances = [name for name in ("probability", "per_year", "chances") if given.get(name) not in (None, ())]
        without = any(given.get(name) for name in (*cls.DRAWN, "factors"))
        if len(chances) != 1 and not (without and not chances):
            yield Fault("", "how likely it is says one of `probability`, `per_year` and `chances`", "one of the three")
        lost = str(given.get("lose", ""))
        if lost.startswith(("route:", "via:")) and SupplyRoute.of(lost) is None:
            yield Fault("lose", "is no route", ROUTES)
        if SupplyRoute.of(lost) is not None and given.get("share", 1) != 1:
            yield Fault("share", "is read with plants alone: a route is lost, or it is not", "no `share`")
        if given.get("otherwise") and not given.get("given"):
            yield Fault("otherwise", "is read with `given` alone", "an event in `given`, or no `otherwise`")
        if given.get("given") and given.get("probability") is None:
            yield Fault("given", "goes with `probability` alone", "a `probability`", turns_on=("probability",))
        yield from cls._sizes(given)

    @classmethod
    def _sizes(cls, given: Given) -> Iterator[Fault]:
        """By what prices and demand are multiplied: said once, in an order that can be meant, and only where it is read."""
        sizes = [name for name in ("factor", "factors", *cls.DRAWN) if given.get(name) not in (None, ())]
        moves = bool(given.get("price") or given.get("demand"))
        if moves and len(sizes) != 1:
            told = ", ".join(f"`{name}`" for name in ("factor", "factors", *cls.DRAWN))
            yield Fault("factor", f"`price` and `demand` need one of {told}", "2, or 150 %")
        for name in sizes if not moves else ():
            yield Fault(name, "is read with `price` and `demand` alone", f"no `{name}`")
        factors, chances = (given.get(name, ()) for name in ("factors", "chances"))
        stated = any(given.get(name) is not None for name in ("probability", "per_year"))
        if len(factors) != len(chances) and (chances or stated):
            yield Fault("chances", f"{len(chances)} chances for {len(factors)} factors", "one for each of `factors`")
        if sum(chances, Decimal(0)) > 1:
            yield Fault("chances", "come to more than 1", "chances that come to 1 at most")
        yield from cls._distributions(given)
        yield from cls._durations(given, moves or bool(given.get("lose")))

    @classmethod
    def _distributions(cls, given: Given) -> Iterator[Fault]:
        """Numbers of a distribution that are none of it."""
        between, uniform, normal, lognormal = (given.get(name, ()) for name in cls.DRAWN)
        if between and (len(between) != 3 or list(between) != sorted(between) or between[0] == between[-1]):
            yield Fault(
                "between", "is not a least, a likeliest and a most multiplier", "three numbers, like [0.5, 1, 3]"
            )
        if uniform and (len(uniform) != 2 or uniform[0] >= uniform[1]):
            yield Fault("uniform", "is not a least and a most multiplier", "two numbers, like [0.8, 1.5]")
        if normal and (len(normal) != 2 or not all(normal)):
            yield Fault("normal", "is not a mean and a standard deviation", "two numbers above 0, like [1, 0.2]")
        if lognormal and (len(lognormal) != 2 or not all(lognormal)):
            told = "is not a median and the standard deviation of a logarithm"
            yield Fault("lognormal", told, "two numbers above 0, like [1, 0.3]")
        if given.get("along_with") and not any(given.get(name) for name in ("factors", *cls.DRAWN)):
            told = " or ".join(f"`{name}`" for name in ("factors", *cls.DRAWN))
            yield Fault("along_with", f"is read with {told} alone", "no `along_with`")
        if given.get("along_with") and given.get("chances"):
            yield Fault("chances", "are those of the event that it goes along with", "no `chances`")

    @classmethod
    def _durations(cls, given: Given, read: bool) -> Iterator[Fault]:
        """How long it lasts, said twice, or not at all."""
        said = [name for name in ("lasts", "durations", "ends_per_year") if given.get(name) not in (None, ())]
        for name in said if not read else ():
            yield Fault(name, "is read with `lose`, `price` and `demand` alone", "`until` in the changes themselves")
        if len(said) > 1:
            told = " and ".join(f"`{name}`" for name in said)
            yield Fault(said[1], f"how long it lasts is said by {told}", "one of them")
        durations, chances = given.get("durations", ()), given.get("duration_chances", ())
        if len(durations) != len(chances):
            message = f"{len(chances)} chances for {len(durations)} durations"
            yield Fault("duration_chances", message, "one for each of `durations`")
        elif durations and sum(chances, Decimal(0)) != 1:
            yield Fault("duration_chances", "do not come to 1", "chances that come to 1")


class RiskSettings(Fitting):
    """What may happen, and when it becomes known whether it does."""

    day: datetime.date | None = None
    """Day from which it is known which events come: what is ordered before it is the same whatever comes. Empty: with the first period that
    begins a year or more after the plan, or in its middle if that is sooner."""
    event: tuple[Event, ...] = ()

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Two events of one name, and causes that are not stated before what they cause."""
        known: set[str] = set()
        drawn: set[str] = set()
        of_factors: dict[str, int] = {}
        events = given.get("event")
        for position, event in enumerate(events if isinstance(events, tuple) else ()):
            if event.name in known:
                yield Fault(
                    "name", f"another event is called `{event.name}`", "a name of its own", entry=("event", position)
                )
            if event.given and event.given not in known:
                message = f"no event stated before this one is called `{event.given}`"
                expected = "one of " + (", ".join(sorted(known)) or "none: this is the first")
                yield Fault("given", message, expected, "state the cause first", entry=("event", position))
            several = len(event.factors)
            if event.along_with and several and of_factors.get(event.along_with) != several:
                message = f"no event stated before this one has {several} `factors` and is called `{event.along_with}`"
                yield Fault(
                    "along_with", message, f"an event of {several} factors", "state it first", entry=("event", position)
                )
            elif event.along_with and not several and event.along_with not in drawn:
                message = f"no event stated before this one, of which samples are drawn, is called `{event.along_with}`"
                expected = "one of " + (", ".join(sorted(drawn)) or "none: there is none before this")
                yield Fault("along_with", message, expected, "state that one first", entry=("event", position))
            known.add(event.name)
            of_factors[event.name] = several
            drawn |= {event.name} if event.drawn else set()


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


DATED = ("enable", "disable", "remove", "capacity", "waive", "grant")
"""Subjects of changes that have a first day. What holds for the whole plan would change what is decided before an event is known."""

_ANY = Decimal(2)
"""Any factor: what a change of a price or demand names does not turn on it."""


def bearing(event: Event, start: date, parts: Parts) -> tuple[Change, ...]:
    """Changes that touch what the event touches, bills spelt out: for finding the parts of a case that it bears on.

    Raises:
        InputError: for an event that changes what was before it, and for a route that nothing goes.
    """
    if event.price:
        return (Change(price=event.price, factor=_ANY),)
    if event.demand:
        return (Change(demand=event.demand, factor=_ANY),)
    route = SupplyRoute.of(event.lose)
    if route is not None:
        return tuple(Change(remove=f"offer:{name}", start=start) for name in _going(event, route, parts))
    if event.lose:
        return (Change(remove=event.lose, start=start),)
    return tuple(_stated(event, start, parts.inputs))


def _going(event: Event, route: SupplyRoute, parts: Parts) -> list[str]:
    """Offers that may go a route, counted today or not: another event may let them count."""
    problem = parts.problem
    if not moves_on(route, problem):
        message = f"event `{event.name}` loses a route that nothing goes which could reach a demand"
        raise InputError(_wrong(message, event.lose, ROUTES, did_you_mean(event.lose, words_of(problem))))
    return [offer.id for offer in parts.offers if route.may_take(offer, problem.merged.facilities[offer.facility])]


def _stated(event: Event, start: date, inputs: Inputs) -> Iterator[Change]:
    """The changes of an event that states some, each from a day on which it is known."""
    given = scenario_changes(inputs.case, (event.scenario,)) if event.scenario else event.change
    wrong: list[Diagnostic] = []
    for change in with_bills(given, inputs.bills):
        if change.subject not in DATED:
            message = f"event `{event.name}` changes `{change.subject}`, which holds for the whole plan"
            fix = "`price`, `demand` and `lose` of an event hold from its first day on"
            wrong.append(_wrong(message, change.told, f"one of {', '.join(DATED)}", fix))
        elif change.start is None:
            yield change.but(start=start)
        elif change.start < start:
            message = f"event `{event.name}` changes something before it is known whether it comes"
            wrong.append(_wrong(message, change.told, f"`from` {start} or later, or none", ""))
        else:
            yield change
    if wrong:
        raise InputError(wrong)


def _wrong(message: str, found: str, expected: str, fix: str) -> Diagnostic:
    return Diagnostic(message, column="plugin.friendshore-risk.event", found=found, expected=expected, fix=fix)


def facts_after(inputs: Inputs, problem: Problem, happened: Sequence[Begun]) -> Inputs:
    """The facts once some events have come. A route that is lost is no fact of them: see `lost_routes`.

    Args:
        inputs: the facts as they are.
        problem: the same, resolved.
        happened: the events; those that touch nothing of these facts change nothing.

    Raises:
        InputError: for an event that names nothing, or whose consequences have no date.
        PluginError: if a plugin's rule raises.
    """
    stated = [change for one in happened for change in _of_facts(one, inputs)]
    if stated:  # they may let offers count that did not, which are then lost, or dearer, as well
        inputs = inputs.after(stated)
        problem = inputs.problem()
    moved = _Moved(problem)
    lost: list[Change] = []
    for begun in happened:
        event, days = begun.event, periods_of(begun, problem.case.horizon)
        if event.price:
            moved.reprice(begun, days)
        elif event.demand:
            moved.resize(begun, days)
        elif event.lose and SupplyRoute.of(event.lose) is None:
            lost.extend(moved.lose(begun, days))
    return moved.applied(inputs.after(lost) if lost else inputs)


def _of_facts(begun: Begun, inputs: Inputs) -> Iterator[Change]:
    """The changes that an event states, if it states any."""
    if begun.event.scenario or begun.event.change:
        yield from _stated(begun.event, begun.start, inputs)


def lost_routes(happened: Sequence[Begun], horizon: Horizon) -> list[tuple[SupplyRoute, range]]:
    """Routes that are lost with some events, each with the periods in which nothing is ordered on it; what was ordered before still comes."""
    found = ((SupplyRoute.of(begun.event.lose), periods_of(begun, horizon)) for begun in happened)
    return [(route, periods) for route, periods in found if route is not None]


def periods_of(begun: Begun, horizon: Horizon) -> range:
    """The periods on all or some of whose days an event holds: in those that it ends or begins within it holds throughout."""
    end = horizon.periods[-1].end
    if begun.lasts is not None:
        end = min(end, add_months(begun.start, int(begun.lasts)) - timedelta(days=1))
    held = [p.index for p in horizon.periods if p.end >= begun.start and p.start <= end]
    return range(held[0], held[-1] + 1) if held else range(0)


@dataclass(slots=True)
class _Moved:
    """Prices, quantities and openness of offers and demands that events move, period by period."""

    problem: Problem
    price: dict[str, list[Decimal]] = field(default_factory=dict)
    """Offer -> by what its price is multiplied in each period."""
    closed: dict[str, set[int]] = field(default_factory=dict)
    """Offer -> periods in which nothing can be ordered of it."""
    wanted: dict[str, list[Decimal]] = field(default_factory=dict)
    """Demand -> by what its quantity is multiplied in each period."""

    @property
    def _count(self) -> int:
        return self.problem.case.horizon.count

    def reprice(self, begun: Begun, periods: range) -> None:
        """Multiplies prices."""
        event, factor = begun.event, begun.factor
        assert factor is not None
        change = Change(price=event.price, factor=_ANY)
        for facts in self.problem.offers:
            benchmark = facts.offer.price.benchmark if facts.offer.price is not None else ""
            if reprices(change, facts.offer, facts.facility) or event.price == benchmark:
                factors = self.price.setdefault(facts.offer.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def resize(self, begun: Begun, periods: range) -> None:
        """Multiplies demand."""
        factor = begun.factor
        assert factor is not None
        change = Change(demand=begun.event.demand, factor=_ANY)
        for demand in self.problem.demands:
            if resizes(change, demand.spec, self.problem.case):
                factors = self.wanted.setdefault(demand.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def lose(self, begun: Begun, periods: range) -> Iterator[Change]:
        """Takes offers away: for good, for a time, or a share of what plants can make."""
        event, start, lasts = begun.event, begun.start, begun.lasts
        hit = [facts for facts in self.problem.offers if names_offer(event.lose, facts.offer, facts.facility)]
        if event.share == 1:
            if lasts is None:
                if hit:
                    yield Change(remove=event.lose, start=start)
                return
            for facts in hit:
                self.closed.setdefault(facts.offer.id, set()).update(periods)
            return
        end = None if lasts is None else add_months(start, int(lasts)) - timedelta(days=1)
        self._shareable(event, hit)
        for name in sorted({facts.facility.id for facts in hit}):
            yield Change(capacity=name, factor=1 - event.share, start=start, end=end)

    def _shareable(self, event: Event, hit: Sequence[OfferFacts]) -> None:
        """Refuses a share of what has no stated capacity, or of a plant with other offers than are named."""
        lost = {facts.offer.id for facts in hit}
        plants = {facts.facility.id for facts in hit}
        wrong = []
        for facts in hit:
            steps = facts.facility.capacity
            if not steps or any(step.per_year is None for step in steps) or facts.facility.id not in facts.pools:
                message = f"event `{event.name}` takes a share of `{facts.offer.id}`, whose plant states no capacity that it draws on"
                wrong.append(_wrong(message, str(event.share), "all of it", "leave `share` out"))
        for facts in self.problem.offers:
            if facts.facility.id in plants and facts.offer.id not in lost:
                message = f"event `{event.name}` takes a share of a plant that also makes `{facts.offer.id}`"
                wrong.append(_wrong(message, event.lose, f"the facility `{facts.facility.id}`, or all of it", ""))
        if wrong:
            raise InputError(wrong)

    def applied(self, inputs: Inputs) -> Inputs:
        """The facts with what moved."""
        case = inputs.case
        if self.wanted:
            case = case.but(demands=tuple(map(self._resized(case), case.demands)))
        moved = set(self.price) | {name for name, periods in self.closed.items() if periods}
        if not moved:
            return replace(inputs, case=case)
        self._without_tiers(inputs.catalogs)
        given = tuple(one.but(price=None) if one.id in moved else one for one in case.assume.offer)
        case = case.but(assume=case.assume.but(offer=given))
        of = {facts.offer.id: facts for facts in self.problem.offers}

        def quoted(offer: Offer) -> Offer:
            return offer.but(price=None, quotes=self._quotes(of[offer.id])) if offer.id in moved else offer

        catalogs = tuple(one.but(offers=tuple(map(quoted, one.offers))) for one in inputs.catalogs)
        return replace(inputs, case=case, catalogs=catalogs)

    def _resized(self, case: Case) -> _Resize:
        return _Resize(self.problem, self.wanted, case)

    def _without_tiers(self, catalogs: Sequence[Catalog]) -> None:
        """Refuses prices of offers that sell in tiers at prices of their own: these have no dates."""
        wrong = [
            _wrong(
                f"the price of `{one.id}` moves, and it sells in tiers at prices that have no date",
                one.id,
                "offers without such tiers",
                "name those whose price moves one by one",
            )
            for catalog in catalogs
            for one in catalog.schedules
            if one.of == "offer" and one.id in self.price and any(tier.price is not None for tier in one.tiers)
        ]
        if wrong:
            raise InputError(wrong)

    def _quotes(self, facts: OfferFacts) -> tuple[Quote, ...]:
        """What an offer costs in each period in which it can be ordered, in the case's currency."""
        factors = self.price.get(facts.offer.id, [Decimal(1)] * self._count)
        closed = self.closed.get(facts.offer.id, set())
        found: list[Quote] = []
        for period in self.problem.case.horizon.periods:
            t = period.index
            if t in closed or facts.most[t] == 0:
                continue
            amount = exact(facts.price[t] * factors[t])
            if found and found[-1].amount == amount and found[-1].end == period.start - timedelta(days=1):
                found[-1] = found[-1].but(end=period.end)
                continue
            found.append(
                Quote(
                    start=period.start,
                    end=period.end,
                    amount=amount,
                    currency=self.problem.case.currency,
                    source=CASE_SOURCE,
                )
            )
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Resize:
    """A demand with its quantities period by period, multiplied; of one that falls to nothing a step of the resolution is left.

    What was bought for it is then still bought for a use that the scenario knows.
    """

    problem: Problem
    wanted: dict[str, list[Decimal]]
    case: Case

    def __call__(self, spec: DemandSpec) -> DemandSpec:
        for number, demand in enumerate(self.problem.demands):
            if demand.spec == spec and demand.id in self.wanted:
                factors = zip(demand.quantity, self.wanted[demand.id], strict=True)
                quantities = tuple(exact(q * f) or min(q, self.case.resolution) for q, f in factors)
                price = self.problem.shortage_price[number]
                return spec.but(
                    id=demand.id,
                    per_year=None,
                    quantities=quantities,
                    start=None,
                    end=None,
                    later=0,
                    substance="",
                    shortage_price=price,
                )
        return spec


_SOME = Decimal(2)
"""A multiplier: what is wrong with an event does not turn on it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """What an event touches."""

    changes: tuple[Change, ...]
    """Changes that touch the same."""
    members: frozenset[str]
    """Materials of the parts of the case that it bears on."""


def touched(session: Session, events: Sequence[Event], day: date) -> dict[str, Touched]:
    """What each event touches, by its name.

    Raises:
        InputError: with all that is wrong with any of them.
        PluginError: if a plugin's rule raises.
    """
    found: dict[str, Touched] = {}
    wrong: list[Diagnostic] = []
    for number, event in enumerate(events, 1):
        try:
            found[event.name] = _touched(session, event, day)
        except InputError as error:
            key = next(name for name in Event.SUBJECTS if getattr(event, name))
            wrong += [_located(one, session, f"event[{number}].{key}") for one in error.problems]
        wrong += [_located(one, session, f"event[{number}].from") for one in _early(event, day)]
    if wrong:
        raise InputError(wrong)
    return found


def _touched(session: Session, event: Event, day: date) -> Touched:
    parts = session.parts
    changes = bearing(event, event.start or day, parts)
    groups: tuple[Impact, ...] = impact(parts, changes)
    begun = Begun(event, event.start or day, _SOME if event.price or event.demand else None, event.lasts)
    for group in groups:
        inputs = parts.part(group.members, group.rules)
        facts_after(inputs, inputs.problem(), [begun])
    return Touched(changes, frozenset().union(*(group.members for group in groups)))


def _early(event: Event, day: date) -> Iterator[Diagnostic]:
    if event.start is not None and event.start < day:
        yield Diagnostic(
            f"event `{event.name}` begins before it is known whether it comes",
            found=str(event.start),
            expected=f"a day from {day} on",
            fix="let it begin later, or let events become known earlier: `day`",
        )


def _located(one: Diagnostic, session: Session, key: str) -> Diagnostic:
    file = session.problem.case.file
    return replace(one, file=one.file or str(file or ""), column=f"plugin.friendshore-risk.{key}")
