"""Possible events of a case: records, combinations, effects, and checks."""

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

from friendshore.domain.base import CheckedRecord, Fault, Given, exact
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
    """Return a validator for amounts such as `5 %` and `12 months`."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"expected {error}") from None

    return BeforeValidator(read)


Probability = Annotated[DecimalFraction, _read(parse_share)]
"""Probability from 0 to 1, such as `5 %`."""


Multiplier = Annotated[NonNegative, _read(parse_share)]
"""Factor of a price or a quantity, such as `2` or `150 %`."""


class Event(CheckedRecord):
    """A possible event after the day on which it becomes known. Until then, plans can't depend on it.

    It has one kind of effect: `lose` removes offers or routes, and `price` or `demand` multiplies by `factor`. `scenario` applies a scenario of the
    case, and `change` applies changes as in a scenario.
    """

    name: Ident
    title: str = ""
    """Title in one line. Empty means a description of its changes."""
    probability: Probability | None = None
    """Probability that it happens. With `given`, the probability if that event happens."""
    per_year: Probability | None = None
    """Probability in each year from `from` on that it begins with that year, if it hasn't begun yet."""
    given: str = ""
    """Earlier event in the list that makes it more or less likely: a common cause."""
    otherwise: Probability = Decimal(0)
    """Probability that it happens without the event `given`."""
    start: Annotated[datetime.date | None, Field(alias="from")] = None
    """First day of its changes. Empty means the day on which events become known."""
    lasts: Annotated[Months | None, _read(parse_duration)] = None
    """Duration, such as `12 months`. Empty means until the end of the plan."""
    durations: tuple[Annotated[Months, _read(parse_duration)], ...] = ()
    """Instead of `lasts`: possible durations, with their probabilities in `duration_chances`."""
    duration_chances: tuple[Probability, ...] = ()
    """Probability of each of `durations`. They total 1."""
    ends_per_year: Probability | None = None
    """Instead of `lasts`: probability in each year, from its first day on, that it ends with that year."""
    lose: str = ""
    """Lost offer, facility, supplier, parent company, country (`country:CN`), or catalog, named as in a change's `remove`; or a route that takes no
    more orders: `route:AU>US`, `route:CN>`, `route:>US`, or `via:suez`.
    """
    share: Annotated[Part, _read(parse_share)] = Decimal(1)
    """Share of the capacity that is lost. 1 means all of it."""
    price: str = ""
    """Offer, material, or all offers of `country:CN` or `outside:CN`, whose price is multiplied by `factor`."""
    demand: str = ""
    """Demand, material, or end use whose quantity is multiplied by `factor`."""
    factor: Multiplier | None = None
    """Factor of a price or a demand."""
    factors: tuple[Multiplier, ...] = ()
    """Instead of `factor` and `probability`: possible factors, with probabilities in `chances`. Without `chances`, all are equally likely."""
    chances: tuple[Probability, ...] = ()
    """Probability of each of `factors`. The rest up to 1 is the probability that nothing changes."""
    between: tuple[Multiplier, ...] = ()
    """Instead of `factor`: minimum, most likely, and maximum factor of a triangular distribution, which is sampled."""
    uniform: tuple[Multiplier, ...] = ()
    """Instead of `factor`: minimum and maximum factor of a uniform distribution, which is sampled."""
    normal: tuple[Multiplier, ...] = ()
    """Instead of `factor`: mean and standard deviation of a normal distribution of the factor, which is sampled. Values below 0 count as 0."""
    lognormal: tuple[Multiplier, ...] = ()
    """Instead of `factor`: median of a lognormal distribution of the factor, and the standard deviation of its logarithm. It is sampled."""
    along_with: str = ""
    """Earlier sampled event, whose high factors occur together with high factors of this one. With `factors`, an earlier event with the same number
    of factors: the factors at the same position occur together, or none of them, as in scenarios of many prices and demands sampled together.
    """
    scenario: str = ""
    """Scenario of the case that applies."""
    change: tuple[Change, ...] = ()
    """Changes as in a scenario."""
    why: Why = ""

    SUBJECTS: ClassVar[tuple[str, ...]] = ("lose", "price", "demand", "scenario", "change")
    DRAWN: ClassVar[tuple[str, ...]] = ("between", "uniform", "normal", "lognormal")

    @property
    def drawn(self) -> bool:
        """True if its factor has a distribution that is sampled."""
        return bool(self.between or self.uniform or self.normal or self.lognormal)

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield errors unless there is exactly one probability and one subject, and for unused values."""
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
            yield Fault("given", "goes with `probability` alone", "a `probability`", depends_on=("probability",))
        yield from cls._sizes(given)

    @classmethod
    def _sizes(cls, given: Given) -> Iterator[Fault]:
        """Yield errors in factors of prices and demand: missing, repeated, inconsistent, or unused."""
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
        """Yield errors in the parameters of distributions."""
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
        """Yield errors in the duration: repeated, inconsistent, or unused."""
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


class RiskSettings(CheckedRecord):
    """Possible events, and the day on which they become known."""

    day: datetime.date | None = None
    """Day on which events become known. Earlier orders are the same in every scenario. Empty means the first period that begins at least a year after
    the plan's start, or the middle of the plan if that is earlier.
    """
    event: tuple[Event, ...] = ()

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Yield errors for events of the same name, and for causes that come after their effects."""
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
    """An event that happens."""

    event: Event
    start: date
    """First day of its changes."""
    factor: Decimal | None = None
    """Factor of a price or a demand."""
    lasts: Decimal | None = None
    """Duration in months. None means until the end of the plan."""
    place: int = 0
    """Position among its `factors`."""

    @property
    def name(self) -> str:
        """Its name, with factor, start, and duration if these vary."""
        event = self.event
        size = f" x {self.factor}" if event.factors or event.drawn else ""
        begins = "" if event.per_year is None else f" from {self.start}"
        several = event.durations or event.ends_per_year is not None
        return f"{event.name}{size}{begins}{' ' + duration(self.lasts) if several else ''}"

    @property
    def told(self) -> Told:
        """Values that distinguish it from other outcomes of the event."""
        return self.event.name, self.start, self.factor, self.lasts


@dataclass(frozen=True, slots=True)
class RiskScenario:
    """Events that happen together, without any others."""

    events: tuple[Begun, ...]
    """Events in the order of the case. Empty if nothing happens."""
    probability: Fraction

    @property
    def name(self) -> str:
        """The names of its events."""
        return " + ".join(begun.name for begun in self.events) or NOTHING_HAPPENS


NOTHING_HAPPENS = "nothing happens"


def duration(lasts: Decimal | None) -> str:
    """Return a duration in words."""
    return "to the end" if lasts is None else f"for {lasts.normalize():f} months"


_NONE = Decimal(0)
Told = tuple[str, date, Decimal | None, Decimal | None]
"""Name of an event that happens, its first day, factor, and duration in months."""
EventOutcome = tuple[Begun | None, Fraction]
"""Outcome of an event, without the factor if that is sampled, and its probability. None if it doesn't happen."""


def outcomes(event: Event, came: Mapping[str, Begun], day: date, horizon: Horizon) -> list[EventOutcome]:
    """Return the outcomes of an event with their probabilities, which total 1.

    Args:
        event: The event.
        came: Earlier events that happen, by name.
        day: Day on which events become known.
        horizon: Horizon of the plan.
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
    """Yield the first days of years up to a day, each with the probability that a one-time event happens with that year."""
    left, years = Fraction(1), 0
    while (first := add_months(start, 12 * years)) <= last:
        yield first, left * Fraction(chance)
        left *= 1 - Fraction(chance)
        years += 1


def _durations(event: Event, start: date, last: date) -> list[tuple[Decimal | None, Fraction]]:
    """Return the possible durations of an event in months, with their probabilities."""
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
    """Return the number of scenarios. `most` + 1 if there are more, or if a distribution is sampled."""
    if any(event.drawn for event in events):
        return most + 1
    found = 0
    for _ in _every(events, day, horizon):
        found += 1
        if found > most:
            break
    return found


def enumerated(events: Sequence[Event], day: date, horizon: Horizon) -> list[RiskScenario]:
    """Return all scenarios, sorted by number of events and then in the order of the case. The first is without events."""
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
    """Return a sample of scenarios, each with its share of draws as probability.

    Draws are common random numbers. Each depends only on the seed, the name of the event, and the number of the draw. An event therefore happens in
    the same draws, regardless of other parts of the case.
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
    """Return a factor with four decimals: the quantile of a uniform random number."""
    share = float(uniform(seed, f"{event.along_with or event.name}, size", number))
    return Decimal(repr(round(_quantile(event, min(max(share, _LEAST), 1 - _LEAST)), 4)))


_LEAST = 2.0**-53
"""Minimum distance of a quantile from 0 and 1, at which a normal distribution has none."""


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
    """Return a number from 0 to below 1 that depends only on the arguments, on every machine: 64 bits of their SHA-256."""
    digest = hashlib.sha256(f"{seed}\n{name}\n{number}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64)


DATED = ("enable", "disable", "remove", "capacity", "waive", "grant")
"""Subjects of changes with a first day. Other changes apply to the whole plan, including decisions before an event is known."""

_ANY = Decimal(2)
"""Any factor. The scope of a price or demand change doesn't depend on it."""


def bearing(event: Event, start: date, parts: Parts) -> tuple[Change, ...]:
    """Return changes with the same scope as the event, with bills resolved, to find the affected parts of a case.

    Raises:
        InputError: If an event changes something before it, or if no offer uses a route.
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
    """Return the offers that may use a route, including those that don't count today, since another event may enable them."""
    problem = parts.problem
    if not moves_on(route, problem):
        message = f"event `{event.name}` loses a route that nothing goes which could reach a demand"
        raise InputError(_wrong(message, event.lose, ROUTES, did_you_mean(event.lose, words_of(problem))))
    return [offer.id for offer in parts.offers if route.may_take(offer, problem.merged.facilities[offer.facility])]


def _stated(event: Event, start: date, inputs: Inputs) -> Iterator[Change]:
    """Yield the changes that an event states, each from a day on which it is known."""
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
    """Return the facts after some events. Lost routes aren't part of the facts; see `lost_routes`.

    Args:
        inputs: Facts without the events.
        problem: Problem of these facts.
        happened: Events. Those that don't affect these facts change nothing.

    Raises:
        InputError: If an event refers to something unknown, or has changes without a date.
        PluginError: If a plugin's rule raises.
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
    """Yield the changes that an event states."""
    if begun.event.scenario or begun.event.change:
        yield from _stated(begun.event, begun.start, inputs)


def lost_routes(happened: Sequence[Begun], horizon: Horizon) -> list[tuple[SupplyRoute, range]]:
    """Return the routes lost in some events, each with the periods without orders. Earlier orders still arrive."""
    found = ((SupplyRoute.of(begun.event.lose), periods_of(begun, horizon)) for begun in happened)
    return [(route, periods) for route, periods in found if route is not None]


def periods_of(begun: Begun, horizon: Horizon) -> range:
    """Return the periods with any day of an event. It counts for the whole of the periods in which it begins or ends."""
    end = horizon.periods[-1].end
    if begun.lasts is not None:
        end = min(end, add_months(begun.start, int(begun.lasts)) - timedelta(days=1))
    held = [p.index for p in horizon.periods if p.end >= begun.start and p.start <= end]
    return range(held[0], held[-1] + 1) if held else range(0)


@dataclass(slots=True)
class _Moved:
    """Changes of prices, quantities, and availability by events, by period."""

    problem: Problem
    price: dict[str, list[Decimal]] = field(default_factory=dict)
    """Offer -> factor of its price in each period."""
    closed: dict[str, set[int]] = field(default_factory=dict)
    """Offer -> periods without orders."""
    wanted: dict[str, list[Decimal]] = field(default_factory=dict)
    """Demand -> factor of its quantity in each period."""

    @property
    def _count(self) -> int:
        return self.problem.case.horizon.count

    def reprice(self, begun: Begun, periods: range) -> None:
        """Multiply prices."""
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
        """Multiply demand."""
        factor = begun.factor
        assert factor is not None
        change = Change(demand=begun.event.demand, factor=_ANY)
        for demand in self.problem.demands:
            if resizes(change, demand.spec, self.problem.case):
                factors = self.wanted.setdefault(demand.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def lose(self, begun: Begun, periods: range) -> Iterator[Change]:
        """Remove offers permanently, temporarily, or by a share of plant capacity."""
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
        """Reject a share of an offer without a stated capacity, or of a plant that also has other offers."""
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
        """Return the facts with these changes."""
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
        """Reject price events for offers with tier prices, because these have no dates."""
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
        """Return the prices of an offer in each period with possible orders, in the case's currency."""
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
    """A demand with its quantities multiplied by period. If it falls to 0, one step of the resolution remains.

    Purchases for it then still have a use in the scenario.
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
"""Any factor. The errors of an event don't depend on it."""


@dataclass(frozen=True, slots=True)
class Touched:
    """Scope of an event."""

    changes: tuple[Change, ...]
    """Changes with the same scope."""
    members: frozenset[str]
    """Materials of the affected parts of the case."""


def touched(session: Session, events: Sequence[Event], day: date) -> dict[str, Touched]:
    """Return the scope of each event, by name.

    Raises:
        InputError: With all errors in any of them.
        PluginError: If a plugin's rule raises.
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
