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
    """In place of `factor` and `probability`: multipliers one of which comes true, or none, with the `chances`."""
    chances: tuple[Probability, ...] = ()
    """How probable each of `factors` is; what is left to 1 is the chance that nothing changes."""
    between: tuple[Multiplier, ...] = ()
    """In place of `factor`: the least multiplier, the likeliest and the most (a triangular distribution), of which samples are drawn."""
    scenario: str = ""
    """Scenario of the case that comes true."""
    change: tuple[Change, ...] = ()
    """What changes, as a scenario states it."""
    why: Why = ""

    SUBJECTS: ClassVar[tuple[str, ...]] = ("lose", "price", "demand", "scenario", "change")

    @classmethod
    def faults(cls, given: Given) -> Iterator[Fault]:
        """Not one chance, not one subject, and what is given and not read."""
        named = [name for name in cls.SUBJECTS if given.get(name)]
        if len(named) != 1:
            told = ", ".join(f"`{name}`" for name in cls.SUBJECTS)
            yield Fault("", f"what it changes is one of {told}, found {', '.join(named) or 'none'}", "one of them")
        chances = [name for name in ("probability", "per_year", "chances") if given.get(name) not in (None, ())]
        if len(chances) != 1 and not (given.get("between") and not chances):
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
        sizes = [name for name in ("factor", "factors", "between") if given.get(name) not in (None, ())]
        moves = bool(given.get("price") or given.get("demand"))
        if moves and len(sizes) != 1:
            yield Fault("factor", "`price` and `demand` need one of `factor`, `factors` and `between`", "2, or 150 %")
        for name in sizes if not moves else ():
            yield Fault(name, "is read with `price` and `demand` alone", f"no `{name}`")
        factors, chances, between = (given.get(name, ()) for name in ("factors", "chances", "between"))
        if len(factors) != len(chances):
            yield Fault("chances", f"{len(chances)} chances for {len(factors)} factors", "one for each of `factors`")
        if sum(chances, Decimal(0)) > 1:
            yield Fault("chances", "come to more than 1", "chances that come to 1 at most")
        if between and (len(between) != 3 or list(between) != sorted(between) or between[0] == between[-1]):
            yield Fault(
                "between", "is not a least, a likeliest and a most multiplier", "three numbers, like [0.5, 1, 3]"
            )
        if given.get("lasts") is not None and not (moves or given.get("lose")):
            yield Fault("lasts", "is read with `lose`, `price` and `demand` alone", "`until` in the changes themselves")


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
            known.add(event.name)
