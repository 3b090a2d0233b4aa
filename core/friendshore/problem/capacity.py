"""Capacity of facilities by period: dated steps, derated by status, and weighted by days."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

from ..domain.base import as_decimal, rounded
from ..domain.case import Case
from ..domain.facts import CapacityStep, Facility, Status
from ..domain.runtime import cached_method
from ..domain.time import Horizon, Span
from .merged import Merged

AtWork = tuple[tuple[datetime.date | None, bool], ...]
"""First day of each capacity step of a facility, and True if the step has any capacity."""
_PRODUCT = Context(prec=100)
"""Enough digits for the exact product of a rate and a whole number of days."""


def accepted_steps(facility: Facility, merged: Merged, case: Case) -> tuple[CapacityStep, ...]:
    """Return the capacity steps whose evidence the case accepts."""
    least = case.accept.confidence
    return tuple([step for step in facility.capacity if merged.confidence(step.source).reaches(least)])


def at_work(facility: Facility, merged: Merged, case: Case) -> AtWork:
    """Return the first day of each accepted step, and True if the step has any capacity."""
    steps = accepted_steps(facility, merged, case)
    return tuple([(step.start, bool(step.per_year != 0 and case.accept.counts(step.status))) for step in steps])


def working_days(steps: AtWork, horizon: Horizon) -> tuple[Span, ...]:
    """Return the days of each period from the first to the last with any capacity. A period without capacity has all its days."""
    ends = [start - datetime.timedelta(days=1) if start else None for start, _ in steps[1:]]
    spans = [Span(start=start, end=end) for (start, works), end in zip(steps, [*ends, None], strict=True) if works]
    found = []
    for period in horizon.periods:
        held = [span for span in spans if span.meets(period.span)]
        start = min((span.start or period.start for span in held), default=period.start)
        end = max((span.end or period.end for span in held), default=period.end)
        found.append(Span(start=max(start, period.start), end=min(end, period.end)))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Rated:
    """Factors that convert a yearly rate to amounts by period."""

    years: tuple[Fraction, ...]
    """Distinct factors. Many periods are equally long."""
    position: tuple[int, ...]
    """Position in `years` for each period."""
    parts: tuple[tuple[Decimal, Decimal], ...]
    """Numerators and denominators of `years`."""
    known: dict[Decimal, tuple[Decimal, ...]] = field(default_factory=dict, compare=False)
    """Rate -> amounts by period."""

    @staticmethod
    def of(by_period: Sequence[Fraction]) -> _Rated:
        years = tuple(dict.fromkeys(by_period))
        parts = tuple((Decimal(each.numerator), Decimal(each.denominator)) for each in years)
        return _Rated(years, tuple(map(years.index, by_period)), parts)

    @property
    def by_period(self) -> tuple[Fraction, ...]:
        return tuple([self.years[at] for at in self.position])

    def times(self, rate: Decimal) -> tuple[Decimal, ...]:
        """Return a yearly rate as amounts by period. Equal rates share one tuple, since very many facilities have few different rates."""
        known = self.known.get(rate)
        if known is None:
            amounts = [rounded(_PRODUCT.multiply(rate, part) / whole) for part, whole in self.parts]
            known = self.known[rate] = tuple([amounts[at] for at in self.position])
        return known


class Pool(NamedTuple):
    """A facility's capacity, shared by all offers that draw on it."""

    facility: str
    capacity: Sequence[Decimal | None]
    """Kilograms in each period. None means unlimited."""
    offers: tuple[int, ...]


def max_units(pools: Iterable[Pool], use: Decimal, own: Decimal | None, period: int) -> Decimal | None:
    """Return the maximum units in a period by an offer's own limit and its pools, of which a unit takes `use`. None means no limit."""
    found = [capacity / use for pool in pools if use and (capacity := pool.capacity[period]) is not None]
    return min([*found, *([own] if own is not None else [])], default=None)


class Capacities:
    """Capacity of facilities by period. None means unlimited."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case

    @cached_method
    def of(self, name: str) -> Sequence[Decimal | None]:
        """Return a facility's capacity in kilograms by period."""
        steps = accepted_steps(self.merged.facilities[name], self.merged, self.case)
        if len(steps) == 1 and steps[0].per_year is not None:
            return self._rate(steps[0].start, None, steps[0].status).times(steps[0].per_year)
        ends = [step.start - datetime.timedelta(days=1) if step.start else None for step in steps[1:]]
        rated = [self._rate(step.start, end, step.status) for step, end in zip(steps, [*ends, None], strict=True)]
        return _by_steps(tuple([step.per_year for step in steps]), tuple([one.by_period for one in rated]))

    @cached_method
    def _rate(self, start: datetime.date | None, end: datetime.date | None, status: Status) -> _Rated:
        span, share = Span(start=start, end=end), Fraction(self.case.accept.counts(status))
        return _Rated.of([share * years for years in self.case.horizon.years_within(span)])


@lru_cache(maxsize=4096)
def _by_steps(rates: tuple[Decimal | None, ...], years: tuple[tuple[Fraction, ...], ...]) -> tuple[Decimal | None, ...]:
    """Return the amounts by period of yearly rates, each with its years in every period. Cached, since most problems of a question share them."""
    return tuple([_in_period(rates, parts) for parts in zip(*years, strict=True)])


def _in_period(rates: Sequence[Decimal | None], years: Sequence[Fraction]) -> Decimal | None:
    total = Fraction(0)
    for rate, part in zip(rates, years, strict=True):
        if rate is None and part:
            return None
        total += Fraction(rate or 0) * part
    return as_decimal(total)
