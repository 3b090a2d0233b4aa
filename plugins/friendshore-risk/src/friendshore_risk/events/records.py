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
from friendshore.domain.values import FACTOR, Fraction, Ident, Months, NonNegative, Part


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
    """Offer, facility, supplier, parent company, country (`country:CN`) or catalog that is lost, named as in a change's `remove`."""
    share: Annotated[Part, _read(parse_share)] = Decimal(1)
    """Share of the capacity of whoever is lost that goes; 1: nothing of it is left."""
    price: str = ""
    """Offer, material, or all offers of `country:CN` or `outside:CN`, whose price becomes `factor` times itself."""
    demand: str = ""
    """Demand, material or end use whose quantity becomes `factor` times itself."""
    factor: Annotated[
        Annotated[NonNegative, _read(parse_share)] | None, Field(json_schema_extra={"sort": FACTOR.expected})
    ] = None
    """Multiplier of a price or a demand."""
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
        chances = [name for name in ("probability", "per_year") if given.get(name) is not None]
        if len(chances) != 1:
            yield Fault("", "how likely it is says either `probability` or `per_year`", "one of the two")
        if given.get("otherwise") and not given.get("given"):
            yield Fault("otherwise", "is read with `given` alone", "an event in `given`, or no `otherwise`")
        if given.get("given") and given.get("per_year") is not None:
            yield Fault("per_year", "does not go with `given`", "`probability`", turns_on=("given",))
        for name in ("price", "demand"):
            if given.get(name) and given.get("factor") is None:
                yield Fault("factor", f"`{name}` needs `factor`", "a multiplier, like 2 or 150 %")
        if given.get("factor") is not None and not (given.get("price") or given.get("demand")):
            yield Fault("factor", "is read with `price` and `demand` alone", "no `factor`")
        if given.get("lasts") is not None and not {"lose", "price", "demand"} & set(named):
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
