"""Events as a case states them, under `[plugin.friendshore-risk]`."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import BeforeValidator, Field

from friendshore.domain.base import Fault, Fitting, Given
from friendshore.domain.change import Change
from friendshore.domain.evidence import Why
from friendshore.domain.quantities import parse_duration, parse_share
from friendshore.domain.values import Fraction, Ident, Months, NonNegative, Part

from ..routes import ROUTES, SupplyRoute


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


Probability = Annotated[Fraction, _read(parse_share)]
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
