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
from functools import partial
from math import exp, sqrt
from statistics import NormalDist
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from friendshore.domain.base import CheckedRecord, Fault, FieldValues, exact
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
from friendshore.problem.changes import names_demand, names_offer, names_price, scenario_changes
from friendshore.problem.inputs import Inputs
from friendshore.problem.merged import CASE_SOURCE
from friendshore.problem.offers import OfferFacts
from friendshore.problem.parts import Impact, Parts, impact
from friendshore.rules.amend import with_bills
from friendshore.session import Session

from .losses import ROUTES, SupplyRoute, moves_on_route, route_words


def _parsed(parse: Callable[[str], Decimal]) -> BeforeValidator:

    def read(value: object) -> object:
        if not isinstance(value, str):
            return value
        try:
            return parse(value)
        except ValueError as error:
            raise ValueError(f"expected {error}") from None

    return BeforeValidator(read)


Probability = Annotated[DecimalFraction, _parsed(parse_share)]


Multiplier = Annotated[NonNegative, _parsed(parse_share)]


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
    lasts: Annotated[Months | None, _parsed(parse_duration)] = None
    """Duration, such as `12 months`. Empty means until the end of the plan."""
    durations: tuple[Annotated[Months, _parsed(parse_duration)], ...] = ()
    """Instead of `lasts`: possible durations, with their probabilities in `duration_chances`."""
    duration_chances: tuple[Probability, ...] = ()
    """Probability of each of `durations`. They total 1."""
    ends_per_year: Probability | None = None
    """Instead of `lasts`: probability in each year, from its first day on, that it ends with that year."""
    lose: str = ""
    """Lost offer, facility, supplier, parent company, country (`country:CN`), or catalog, named as in a change's `remove`; or a route that takes no
    more orders: `route:AU>US`, `route:CN>`, `route:>US`, or `via:suez`.
    """
    share: Annotated[Part, _parsed(parse_share)] = Decimal(1)
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
    DISTRIBUTIONS: ClassVar[tuple[str, ...]] = ("between", "uniform", "normal", "lognormal")

    @property
    def is_sampled(self) -> bool:
        """True if its factor has a distribution."""
        return bool(self.between or self.uniform or self.normal or self.lognormal)

    @classmethod
    def faults(cls, fields: FieldValues) -> Iterator[Fault]:
        """Yield errors unless there is exactly one subject and one probability, and for keys without effect."""
        subjects = [name for name in cls.SUBJECTS if fields.get(name)]
        if len(subjects) != 1:
            choices = ", ".join(f"`{name}`" for name in cls.SUBJECTS)
            message = f"an event has exactly one of {choices}, but this one has {', '.join(subjects) or 'none'}"
            yield Fault("", message, "one of them", code="FS975")
        chance_keys = [name for name in ("probability", "per_year", "chances") if fields.get(name) not in (None, ())]
        has_default_chance = any(fields.get(name) for name in (*cls.DISTRIBUTIONS, "factors"))
        if len(chance_keys) != 1 and not (has_default_chance and not chance_keys):
            message = "an event has exactly one of `probability`, `per_year`, and `chances`"
            yield Fault("", message, "one of the three", code="FS975")
        lost_name = str(fields.get("lose", ""))
        if lost_name.startswith(("route:", "via:")) and SupplyRoute.of(lost_name) is None:
            yield Fault("lose", "the route can't be read", ROUTES, code="FS011")
        if SupplyRoute.of(lost_name) is not None and fields.get("share", 1) != 1:
            yield Fault("share", "a share applies only to plants, not to a route", "no `share`", code="FS976")
        if fields.get("otherwise") and not fields.get("given"):
            message = "has an effect only together with `given`"
            yield Fault("otherwise", message, "an event in `given`, or no `otherwise`", code="FS976")
        if fields.get("given") and fields.get("probability") is None:
            message = "has an effect only together with `probability`"
            yield Fault("given", message, "a `probability`", depends_on=("probability",), code="FS976")
        yield from cls._sizes(fields)

    @classmethod
    def _sizes(cls, fields: FieldValues) -> Iterator[Fault]:
        factor_keys = [name for name in ("factor", "factors", *cls.DISTRIBUTIONS) if fields.get(name) not in (None, ())]
        has_factor = bool(fields.get("price") or fields.get("demand"))
        if has_factor and len(factor_keys) != 1:
            choices = ", ".join(f"`{name}`" for name in ("factor", "factors", *cls.DISTRIBUTIONS))
            message = f"`price` and `demand` need exactly one of {choices}"
            yield Fault("factor", message, "a factor such as 2 or 150%", code="FS975")
        for name in factor_keys if not has_factor else ():
            yield Fault(name, "has an effect only together with `price` or `demand`", f"no `{name}`", code="FS976")
        factors, chances = (fields.get(name, ()) for name in ("factors", "chances"))
        has_chance = any(fields.get(name) is not None for name in ("probability", "per_year"))
        if len(factors) != len(chances) and (chances or has_chance):
            message = f"there are {len(chances)} chances for {len(factors)} factors"
            yield Fault("chances", message, "one chance for each factor", code="FS977")
        if sum(chances, Decimal(0)) > 1:
            yield Fault("chances", "the chances total more than 1", "chances that total 1 at most", code="FS977")
        yield from cls._distributions(fields)
        yield from cls._durations(fields, has_factor or bool(fields.get("lose")))

    @classmethod
    def _distributions(cls, fields: FieldValues) -> Iterator[Fault]:
        between, uniform, normal, lognormal = (fields.get(name, ()) for name in cls.DISTRIBUTIONS)
        if between and (len(between) != 3 or list(between) != sorted(between) or between[0] == between[-1]):
            message = "needs a minimum, a most likely, and a maximum factor in this order"
            yield Fault("between", message, "three numbers such as [0.5, 1, 3]", code="FS977")
        if uniform and (len(uniform) != 2 or uniform[0] >= uniform[1]):
            message = "needs a minimum and a larger maximum factor"
            yield Fault("uniform", message, "two numbers such as [0.8, 1.5]", code="FS977")
        if normal and (len(normal) != 2 or not all(normal)):
            message = "needs a mean and a standard deviation"
            yield Fault("normal", message, "two numbers above 0 such as [1, 0.2]", code="FS977")
        if lognormal and (len(lognormal) != 2 or not all(lognormal)):
            message = "needs a median and the standard deviation of the logarithm"
            yield Fault("lognormal", message, "two numbers above 0 such as [1, 0.3]", code="FS977")
        if fields.get("along_with") and not any(fields.get(name) for name in ("factors", *cls.DISTRIBUTIONS)):
            choices = " or ".join(f"`{name}`" for name in ("factors", *cls.DISTRIBUTIONS))
            yield Fault("along_with", f"has an effect only together with {choices}", "no `along_with`", code="FS976")
        if fields.get("along_with") and fields.get("chances"):
            yield Fault("chances", "would contradict those of the event in `along_with`", "no `chances`", code="FS976")

    @classmethod
    def _durations(cls, fields: FieldValues, has_effect: bool) -> Iterator[Fault]:
        duration_keys = [name for name in ("lasts", "durations", "ends_per_year") if fields.get(name) not in (None, ())]
        for name in duration_keys if not has_effect else ():
            message = "has an effect only together with `lose`, `price`, or `demand`"
            yield Fault(name, message, "`until` in the changes themselves", code="FS976")
        if len(duration_keys) > 1:
            choices = " and ".join(f"`{name}`" for name in duration_keys)
            yield Fault(duration_keys[1], f"the duration is given by both {choices}", "one of them", code="FS975")
        durations, chances = fields.get("durations", ()), fields.get("duration_chances", ())
        if len(durations) != len(chances):
            message = f"there are {len(chances)} chances for {len(durations)} durations"
            yield Fault("duration_chances", message, "one chance for each duration", code="FS977")
        elif durations and sum(chances, Decimal(0)) != 1:
            yield Fault("duration_chances", "the chances don't total 1", "chances that total 1", code="FS977")


class RiskSettings(CheckedRecord):
    """Possible events, and the day on which they become known."""

    day: datetime.date | None = None
    """Day on which events become known. Earlier orders are the same in every scenario. Empty means the first period that begins at least a year after
    the plan's start, or the middle of the plan if that is earlier.
    """
    event: tuple[Event, ...] = ()

    @classmethod
    def faults(cls, fields: FieldValues) -> Iterator[Fault]:
        """Yield errors for events of the same name, and for causes that come after their effects."""
        earlier_names: set[str] = set()
        sampled_names: set[str] = set()
        factor_count_by_name: dict[str, int] = {}
        events = fields.get("event")
        for position, event in enumerate(events if isinstance(events, tuple) else ()):
            fault = partial(Fault, entry=("event", position))
            if event.name in earlier_names:
                yield fault("name", f"two events have the name `{event.name}`", "a unique name", code="FS012")
            if event.given and event.given not in earlier_names:
                message = f"no earlier event has the name `{event.given}`"
                expected = "one of " + (", ".join(sorted(earlier_names)) or "none, because this is the first")
                yield fault("given", message, expected, "move the cause before this event", code="FS978")
            factor_count, fix = len(event.factors), "move that event before this one"
            if event.along_with and factor_count and factor_count_by_name.get(event.along_with) != factor_count:
                message = f"no earlier event with the name `{event.along_with}` has {factor_count} `factors`"
                yield fault("along_with", message, f"an event with {factor_count} factors", fix, code="FS978")
            elif event.along_with and not factor_count and event.along_with not in sampled_names:
                message = f"no earlier event with the name `{event.along_with}` has a distribution"
                names = ", ".join(sorted(sampled_names)) or "none, because there is none before this one"
                yield fault("along_with", message, f"one of {names}", fix, code="FS978")
            earlier_names.add(event.name)
            factor_count_by_name[event.name] = factor_count
            sampled_names |= {event.name} if event.is_sampled else set()


@dataclass(frozen=True, slots=True)
class EventOccurrence:
    """An event that happens."""

    event: Event
    start: date
    factor: Decimal | None = None
    lasts: Decimal | None = None
    """Duration in months. None means until the end of the plan."""
    factor_index: int = 0

    @property
    def name(self) -> str:
        event = self.event
        factor_text = f" x {self.factor}" if event.factors or event.is_sampled else ""
        start_text = "" if event.per_year is None else f" from {self.start}"
        duration_varies = event.durations or event.ends_per_year is not None
        return f"{event.name}{factor_text}{start_text}{' ' + duration(self.lasts) if duration_varies else ''}"

    @property
    def key(self) -> OccurrenceKey:
        return self.event.name, self.start, self.factor, self.lasts


@dataclass(frozen=True, slots=True)
class RiskScenario:
    """Events that happen together, without any others."""

    events: tuple[EventOccurrence, ...]
    probability: Fraction

    @property
    def name(self) -> str:
        return " + ".join(occurrence.name for occurrence in self.events) or NOTHING_HAPPENS


NOTHING_HAPPENS = "nothing happens"


def duration(lasts: Decimal | None) -> str:
    return "to the end" if lasts is None else f"for {lasts.normalize():f} months"


_ZERO = Decimal(0)
OccurrenceKey = tuple[str, date, Decimal | None, Decimal | None]
EventOutcome = tuple[EventOccurrence | None, Fraction]
"""Outcome of an event, without the factor if that is sampled, and its probability. None if it doesn't happen."""


def outcomes(
    event: Event, occurrences: Mapping[str, EventOccurrence], day: date, horizon: Horizon
) -> list[EventOutcome]:
    """Return the outcomes of an event with their probabilities, which total 1. `occurrences` are the earlier events that happen, by name."""
    start, last = event.start or day, horizon.periods[-1].end
    starts: list[tuple[date, Decimal | None, Fraction]] = []
    first_index = 0
    if event.factors and event.along_with:
        if event.along_with in occurrences:
            first_index = occurrences[event.along_with].factor_index
            starts = [(start, event.factors[first_index], Fraction(1))]
    elif event.factors:
        chances = [Fraction(each) for each in event.chances] or [Fraction(1, len(event.factors))] * len(event.factors)
        starts = [(start, factor, chance) for factor, chance in zip(event.factors, chances, strict=True)]
    elif event.per_year is None:
        probability = Decimal(1) if event.probability is None else event.probability
        starts = [
            (
                start,
                event.factor,
                Fraction(event.otherwise if event.given and event.given not in occurrences else probability),
            )
        ]
    else:
        starts = [(first_day, event.factor, chance) for first_day, chance in _yearly(event.per_year, start, last)]
    chance_of_none = 1 - sum((chance for _, _, chance in starts), Fraction(0))
    occurrence_chances: list[EventOutcome] = [
        (EventOccurrence(event, first_day, factor, lasts, index), chance * duration_chance)
        for index, (first_day, factor, chance) in enumerate(starts, first_index)
        for lasts, duration_chance in _durations(event, first_day, last)
    ]
    return [pair for pair in (*occurrence_chances, (None, chance_of_none)) if pair[1]]


def _yearly(yearly_chance: Decimal, start: date, last: date) -> Iterator[tuple[date, Fraction]]:
    """Yield the first days of years up to a day, each with the probability that a one-time event happens with that year."""
    remaining, years = Fraction(1), 0
    while (first := add_months(start, 12 * years)) <= last:
        yield first, remaining * Fraction(yearly_chance)
        remaining *= 1 - Fraction(yearly_chance)
        years += 1


def _durations(event: Event, start: date, last: date) -> list[tuple[Decimal | None, Fraction]]:
    if event.durations:
        pairs = zip(event.durations, event.duration_chances, strict=True)
        return [(months, Fraction(chance)) for months, chance in pairs]
    if event.ends_per_year is None:
        return [(event.lasts, Fraction(1))]
    end_chances = [chance for _, chance in _yearly(event.ends_per_year, start, last)]
    durations: list[tuple[Decimal | None, Fraction]] = [
        (Decimal(12 * n), chance) for n, chance in enumerate(end_chances, 1)
    ]
    # An event that ends with the last year of the plan lasts to its end, like one that doesn't end.
    return [*durations[:-1], (None, 1 - sum(end_chances[:-1], Fraction(0)))]


def count_scenarios(events: Sequence[Event], day: date, horizon: Horizon, max_count: int) -> int:
    """Return the number of scenarios. `max_count` + 1 if there are more, or if a distribution is sampled."""
    if any(event.is_sampled for event in events):
        return max_count + 1
    scenario_count = 0
    for _ in _walk_scenarios(events, day, horizon):
        scenario_count += 1
        if scenario_count > max_count:
            break
    return scenario_count


def enumerate_scenarios(events: Sequence[Event], day: date, horizon: Horizon) -> list[RiskScenario]:
    """Return all scenarios, sorted by number of events and then in the order of the case. The first has no events."""
    scenarios = list(_walk_scenarios(events, day, horizon))
    position_by_name = {event.name: position for position, event in enumerate(events)}

    return sorted(
        scenarios,
        key=lambda scenario: (
            len(scenario.events),
            [_sort_key(position_by_name[occurrence.event.name], occurrence) for occurrence in scenario.events],
        ),
    )


def _sort_key(position: int, occurrence: EventOccurrence) -> tuple[int, date, Decimal, bool, Decimal]:
    return position, occurrence.start, occurrence.factor or _ZERO, occurrence.lasts is None, occurrence.lasts or _ZERO


def _walk_scenarios(events: Sequence[Event], day: date, horizon: Horizon) -> Iterator[RiskScenario]:
    def walk(position: int, occurrences: tuple[EventOccurrence, ...], chance: Fraction) -> Iterator[RiskScenario]:
        if position == len(events):
            yield RiskScenario(occurrences, chance)
            return
        event = events[position]
        occurrence_by_name = {each.event.name: each for each in occurrences}
        for occurrence, outcome_chance in outcomes(event, occurrence_by_name, day, horizon):
            yield from walk(
                position + 1, occurrences if occurrence is None else (*occurrences, occurrence), chance * outcome_chance
            )

    return walk(0, (), Fraction(1))


def sample_scenarios(events: Sequence[Event], day: date, horizon: Horizon, count: int, seed: str) -> list[RiskScenario]:
    """Return a sample of scenarios, each with its share of draws as probability.

    Draws are common random numbers. Each depends only on the seed, the name of the event, and the number of the draw, so an event happens in the same
    draws regardless of other parts of the case.
    """
    count_by_key: Counter[tuple[OccurrenceKey, ...]] = Counter()
    occurrences_by_key: dict[tuple[OccurrenceKey, ...], tuple[EventOccurrence, ...]] = {}
    for number in range(count):
        occurrences: dict[str, EventOccurrence] = {}
        for event in events:
            remaining = uniform(seed, event.name, number)
            for occurrence, outcome_chance in outcomes(event, occurrences, day, horizon):
                if remaining < outcome_chance:
                    if occurrence is not None:
                        factor = _sampled_factor(event, seed, number) if event.is_sampled else occurrence.factor
                        occurrences[event.name] = replace(occurrence, factor=factor)
                    break
                remaining -= outcome_chance
        key = tuple(occurrence.key for occurrence in occurrences.values())
        occurrences_by_key[key] = tuple(occurrences.values())
        count_by_key[key] += 1
    position_by_name = {event.name: position for position, event in enumerate(events)}
    sorted_items = sorted(
        occurrences_by_key.items(),
        key=lambda item: (len(item[0]), [_sort_key(position_by_name[each.event.name], each) for each in item[1]]),
    )
    return [RiskScenario(occurrence, Fraction(count_by_key[key], count)) for key, occurrence in sorted_items]


def _sampled_factor(event: Event, seed: str, number: int) -> Decimal:
    share = float(uniform(seed, f"{event.along_with or event.name}, size", number))
    return Decimal(repr(round(_quantile(event, min(max(share, _MIN_TAIL), 1 - _MIN_TAIL)), 4)))


_MIN_TAIL = 2.0**-53
"""Minimum distance of a quantile from 0 and 1, at which a normal distribution has none."""


def _quantile(event: Event, share: float) -> float:
    if event.uniform:
        minimum, maximum = map(float, event.uniform)
        return minimum + share * (maximum - minimum)
    if event.normal:
        mean, deviation = map(float, event.normal)
        return max(NormalDist(mean, deviation).inv_cdf(share), 0.0)
    if event.lognormal:
        median, deviation = map(float, event.lognormal)
        return median * exp(NormalDist(0, deviation).inv_cdf(share))
    minimum, mode, maximum = map(float, event.between)
    width = maximum - minimum
    if share * width < mode - minimum:
        return minimum + sqrt(share * width * (mode - minimum))
    return maximum - sqrt((1 - share) * width * (maximum - mode))


def uniform(seed: str, name: str, number: int) -> Fraction:
    """Return a number from 0 to below 1 that depends only on the arguments, on every machine: 64 bits of their SHA-256."""
    digest = hashlib.sha256(f"{seed}\n{name}\n{number}".encode()).digest()
    return Fraction(int.from_bytes(digest[:8], "big"), 2**64)


DATED = ("enable", "disable", "remove", "capacity", "waive", "grant")
"""Subjects of changes that can have a first day. Other changes apply to the whole plan, including decisions before an event is known."""

_ANY_FACTOR = Decimal(2)
"""Any factor. The scope of a price or demand change doesn't depend on it."""


def scope_changes(event: Event, start: date, parts: Parts) -> tuple[Change, ...]:
    if event.price:
        return (Change(price=event.price, factor=_ANY_FACTOR),)
    if event.demand:
        return (Change(demand=event.demand, factor=_ANY_FACTOR),)
    route = SupplyRoute.of(event.lose)
    if route is not None:
        return tuple(Change(remove=f"offer:{name}", start=start) for name in _offers_on_route(event, route, parts))
    if event.lose:
        return (Change(remove=event.lose, start=start),)
    return tuple(_stated_changes(event, start, parts.inputs))


def _offers_on_route(event: Event, route: SupplyRoute, parts: Parts) -> list[str]:
    """Return the offers that may use a route, including those that don't count today, since another event may enable them."""
    problem = parts.problem
    if not moves_on_route(route, problem):
        message = f"event `{event.name}` loses a route that no offer for a demand uses"
        raise InputError(
            _event_problem(message, event.lose, ROUTES, did_you_mean(event.lose, route_words(problem)), code="FS981")
        )
    return [offer.id for offer in parts.offers if route.may_take(offer, problem.merged.facilities[offer.facility])]


def _stated_changes(event: Event, start: date, inputs: Inputs) -> Iterator[Change]:
    stated_changes = scenario_changes(inputs.case, (event.scenario,)) if event.scenario else event.change
    problems: list[Diagnostic] = []
    for change in with_bills(stated_changes, inputs.bills):
        if change.subject not in DATED:
            message = f"event `{event.name}` changes `{change.subject}`, which applies to the whole plan"
            fix = "use `price`, `demand`, or `lose` of the event, which apply from its first day on"
            problems.append(_event_problem(message, change.text, f"one of {', '.join(DATED)}", fix, code="FS979"))
        elif change.start is None:
            yield change.but(start=start)
        elif change.start < start:
            message = f"event `{event.name}` has a change that starts before the event is known"
            problems.append(
                _event_problem(message, change.text, f"`from` {start} or later, or no `from`", "", code="FS979")
            )
        else:
            yield change
    if problems:
        raise InputError(problems)


def _event_problem(message: str, found: str, expected: str, fix: str, code: str) -> Diagnostic:
    return Diagnostic(
        message, column="plugin.friendshore-risk.event", found=found, expected=expected, fix=fix, code=code
    )


def facts_after(inputs: Inputs, problem: Problem, happened: Sequence[EventOccurrence]) -> Inputs:
    """Return the facts after some events, without lost routes (see `lost_routes`). Events that don't affect these facts change nothing."""
    fact_changes = [change for occurrence in happened for change in _fact_changes(occurrence, inputs)]
    if fact_changes:  # they may make more offers usable, which the other events then affect too
        inputs = inputs.after(fact_changes)
        problem = inputs.problem()
    effects = _EventEffects(problem)
    removals: list[Change] = []
    for occurrence in happened:
        event, periods = occurrence.event, periods_of(occurrence, problem.case.horizon)
        if event.price:
            effects.reprice(occurrence, periods)
        elif event.demand:
            effects.resize(occurrence, periods)
        elif event.lose and SupplyRoute.of(event.lose) is None:
            removals.extend(effects.lose(occurrence, periods))
    return effects.applied(inputs.after(removals) if removals else inputs)


def _fact_changes(occurrence: EventOccurrence, inputs: Inputs) -> Iterator[Change]:
    if occurrence.event.scenario or occurrence.event.change:
        yield from _stated_changes(occurrence.event, occurrence.start, inputs)


def lost_routes(happened: Sequence[EventOccurrence], horizon: Horizon) -> list[tuple[SupplyRoute, range]]:
    """Return the routes lost in some events, each with the periods without orders. Earlier orders still arrive."""
    routes = ((SupplyRoute.of(occurrence.event.lose), periods_of(occurrence, horizon)) for occurrence in happened)
    return [(route, periods) for route, periods in routes if route is not None]


def periods_of(occurrence: EventOccurrence, horizon: Horizon) -> range:
    """Return the periods with any day of an event. It counts for the whole of the periods in which it begins or ends."""
    end = horizon.periods[-1].end
    if occurrence.lasts is not None:
        end = min(end, add_months(occurrence.start, int(occurrence.lasts)) - timedelta(days=1))
    indices = [p.index for p in horizon.periods if p.end >= occurrence.start and p.start <= end]
    return range(indices[0], indices[-1] + 1) if indices else range(0)


@dataclass(slots=True)
class _EventEffects:
    problem: Problem
    price_factors: dict[str, list[Decimal]] = field(default_factory=dict)
    closed_periods: dict[str, set[int]] = field(default_factory=dict)
    demand_factors: dict[str, list[Decimal]] = field(default_factory=dict)

    @property
    def _count(self) -> int:
        return self.problem.case.horizon.count

    def reprice(self, occurrence: EventOccurrence, periods: range) -> None:
        event, factor = occurrence.event, occurrence.factor
        assert factor is not None
        change = Change(price=event.price, factor=_ANY_FACTOR)
        for facts in self.problem.offers:
            benchmark = facts.offer.price.benchmark if facts.offer.price is not None else ""
            if names_price(change, facts.offer, facts.facility) or event.price == benchmark:
                factors = self.price_factors.setdefault(facts.offer.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def resize(self, occurrence: EventOccurrence, periods: range) -> None:
        factor = occurrence.factor
        assert factor is not None
        change = Change(demand=occurrence.event.demand, factor=_ANY_FACTOR)
        for demand in self.problem.demands:
            if names_demand(change, demand.spec, self.problem.case):
                factors = self.demand_factors.setdefault(demand.id, [Decimal(1)] * self._count)
                for t in periods:
                    factors[t] *= factor

    def lose(self, occurrence: EventOccurrence, periods: range) -> Iterator[Change]:
        event, start, lasts = occurrence.event, occurrence.start, occurrence.lasts
        lost_offers = [facts for facts in self.problem.offers if names_offer(event.lose, facts.offer, facts.facility)]
        if event.share == 1:
            if lasts is None:
                if lost_offers:
                    yield Change(remove=event.lose, start=start)
                return
            for facts in lost_offers:
                self.closed_periods.setdefault(facts.offer.id, set()).update(periods)
            return
        end = None if lasts is None else add_months(start, int(lasts)) - timedelta(days=1)
        self._check_share(event, lost_offers)
        for name in sorted({facts.facility.id for facts in lost_offers}):
            yield Change(capacity=name, factor=1 - event.share, start=start, end=end)

    def _check_share(self, event: Event, lost_offers: Sequence[OfferFacts]) -> None:
        """Reject a share of an offer without a stated capacity, or of a plant that has other offers too."""
        lost_ids = {facts.offer.id for facts in lost_offers}
        plants = {facts.facility.id for facts in lost_offers}
        problems = []
        for facts in lost_offers:
            steps = facts.facility.capacity
            if not steps or any(step.per_year is None for step in steps) or facts.facility.id not in facts.pools:
                message = (
                    f"event `{event.name}` removes a share of `{facts.offer.id}`, but its plant has no stated capacity"
                )
                problems.append(
                    _event_problem(
                        message,
                        str(event.share),
                        "the whole offer",
                        "delete `share`, or add the plant's capacity to `capacity.csv`",
                        code="FS980",
                    )
                )
        for facts in self.problem.offers:
            if facts.facility.id in plants and facts.offer.id not in lost_ids:
                message = f"event `{event.name}` removes a share of a plant that also makes `{facts.offer.id}`"
                problems.append(
                    _event_problem(
                        message,
                        event.lose,
                        f"the facility `{facts.facility.id}`, or no `share`",
                        f'write `lose = "{facts.facility.id}"`',
                        code="FS980",
                    )
                )
        if problems:
            raise InputError(problems)

    def applied(self, inputs: Inputs) -> Inputs:
        case = inputs.case
        if self.demand_factors:
            case = case.but(demands=tuple(map(_DemandResizer(self.problem, self.demand_factors, case), case.demands)))
        changed_offers = set(self.price_factors) | {name for name, periods in self.closed_periods.items() if periods}
        if not changed_offers:
            return replace(inputs, case=case)
        self._check_no_tiers(inputs.catalogs)
        assumed_offers = tuple(
            each.but(price=None) if each.id in changed_offers else each for each in case.assume.offer
        )
        case = case.but(assume=case.assume.but(offer=assumed_offers))
        facts_by_id = {facts.offer.id: facts for facts in self.problem.offers}

        def quoted(offer: Offer) -> Offer:
            return (
                offer.but(price=None, quotes=self._quotes(facts_by_id[offer.id]))
                if offer.id in changed_offers
                else offer
            )

        catalogs = tuple(each.but(offers=tuple(map(quoted, each.offers))) for each in inputs.catalogs)
        return replace(inputs, case=case, catalogs=catalogs)

    def _check_no_tiers(self, catalogs: Sequence[Catalog]) -> None:
        problems = [
            _event_problem(
                f"an event changes the price of `{schedule.id}`, whose tier prices have no dates",
                schedule.id,
                "offers without tier prices",
                "name the other offers one by one in separate events",
                code="FS980",
            )
            for catalog in catalogs
            for schedule in catalog.schedules
            if schedule.of == "offer"
            and schedule.id in self.price_factors
            and any(tier.price is not None for tier in schedule.tiers)
        ]
        if problems:
            raise InputError(problems)

    def _quotes(self, facts: OfferFacts) -> tuple[Quote, ...]:
        factors = self.price_factors.get(facts.offer.id, [Decimal(1)] * self._count)
        closed_periods = self.closed_periods.get(facts.offer.id, set())
        quotes: list[Quote] = []
        for period in self.problem.case.horizon.periods:
            t = period.index
            if t in closed_periods or facts.max_units[t] == 0:
                continue
            amount = exact(facts.price[t] * factors[t])
            if quotes and quotes[-1].amount == amount and quotes[-1].end == period.start - timedelta(days=1):
                quotes[-1] = quotes[-1].but(end=period.end)
                continue
            quotes.append(
                Quote(
                    start=period.start,
                    end=period.end,
                    amount=amount,
                    currency=self.problem.case.currency,
                    source=CASE_SOURCE,
                )
            )
        return tuple(quotes)


@dataclass(frozen=True, slots=True)
class _DemandResizer:
    """Function that multiplies the quantities of a demand. If one falls to 0, one step of the resolution remains, so that purchases for it still have a use."""

    problem: Problem
    demand_factors: dict[str, list[Decimal]]
    case: Case

    def __call__(self, spec: DemandSpec) -> DemandSpec:
        for number, demand in enumerate(self.problem.demands):
            if demand.spec == spec and demand.id in self.demand_factors:
                factors = zip(demand.quantity, self.demand_factors[demand.id], strict=True)
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


@dataclass(frozen=True, slots=True)
class EventScope:
    """Scope of an event."""

    changes: tuple[Change, ...]
    members: frozenset[str]


def event_scopes(session: Session, events: Sequence[Event], day: date) -> dict[str, EventScope]:
    """Return the scope of each event, by name. Raises InputError with all errors in any of them."""
    scope_by_event: dict[str, EventScope] = {}
    problems: list[Diagnostic] = []
    for number, event in enumerate(events, 1):
        try:
            scope_by_event[event.name] = _event_scope(session, event, day)
        except InputError as error:
            key = next(name for name in Event.SUBJECTS if getattr(event, name))
            problems += [_with_location(problem, session, f"event[{number}].{key}") for problem in error.problems]
        problems += [
            _with_location(problem, session, f"event[{number}].from") for problem in _early_start_problems(event, day)
        ]
    if problems:
        raise InputError(problems)
    return scope_by_event


def _event_scope(session: Session, event: Event, day: date) -> EventScope:
    parts = session.parts
    changes = scope_changes(event, event.start or day, parts)
    impacts: tuple[Impact, ...] = impact(parts, changes)
    occurrence = EventOccurrence(
        event, event.start or day, _ANY_FACTOR if event.price or event.demand else None, event.lasts
    )
    for group in impacts:
        inputs = parts.part(group.members, group.rules)
        facts_after(inputs, inputs.problem(), [occurrence])
    return EventScope(changes, frozenset().union(*(group.members for group in impacts)))


def _early_start_problems(event: Event, day: date) -> Iterator[Diagnostic]:
    if event.start is not None and event.start < day:
        yield Diagnostic(
            f"event `{event.name}` begins before the day on which events become known",
            found=str(event.start),
            expected=f"{day} or later",
            fix="let it begin later, or set an earlier `day`",
            code="FS979",
        )


def _with_location(problem: Diagnostic, session: Session, key: str) -> Diagnostic:
    file = session.problem.case.file
    return replace(problem, file=problem.file or str(file or ""), column=f"plugin.friendshore-risk.{key}")
