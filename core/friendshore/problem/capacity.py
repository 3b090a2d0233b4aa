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

OperatingSteps = tuple[tuple[datetime.date | None, bool], ...]
"""First day of each capacity step of a facility, and True if the step has any capacity."""
# Enough digits for the exact product of a rate and a whole number of days.
_EXACT_PRODUCT = Context(prec=100)


def accepted_steps(facility: Facility, merged: Merged, case: Case) -> tuple[CapacityStep, ...]:
    min_confidence = case.accept.confidence
    return tuple([step for step in facility.capacity if merged.confidence(step.source).reaches(min_confidence)])


def operating_steps(facility: Facility, merged: Merged, case: Case) -> OperatingSteps:
    steps = accepted_steps(facility, merged, case)
    return tuple([(step.start, bool(step.per_year != 0 and case.accept.counts(step.status))) for step in steps])


def working_days(steps: OperatingSteps, horizon: Horizon) -> tuple[Span, ...]:
    """Return the days of each period from the first to the last with any capacity. A period without capacity has all its days."""
    ends = [start - datetime.timedelta(days=1) if start else None for start, _ in steps[1:]]
    open_spans = [Span(start=start, end=end) for (start, works), end in zip(steps, [*ends, None], strict=True) if works]
    days_by_period = []
    for period in horizon.periods:
        open_in_period = [span for span in open_spans if span.meets(period.span)]
        start = min((span.start or period.start for span in open_in_period), default=period.start)
        end = max((span.end or period.end for span in open_in_period), default=period.end)
        days_by_period.append(Span(start=max(start, period.start), end=min(end, period.end)))
    return tuple(days_by_period)


@dataclass(frozen=True, slots=True)
class _PeriodFactors:
    """Factors that convert a yearly rate to amounts by period."""

    factors: tuple[Fraction, ...]
    factor_by_period: tuple[int, ...]
    ratios: tuple[tuple[Decimal, Decimal], ...]
    amounts_by_rate: dict[Decimal, tuple[Decimal, ...]] = field(default_factory=dict, compare=False)

    @staticmethod
    def of(by_period: Sequence[Fraction]) -> _PeriodFactors:
        factors = tuple(dict.fromkeys(by_period))
        ratios = tuple((Decimal(factor.numerator), Decimal(factor.denominator)) for factor in factors)
        return _PeriodFactors(factors, tuple(map(factors.index, by_period)), ratios)

    @property
    def by_period(self) -> tuple[Fraction, ...]:
        return tuple([self.factors[i] for i in self.factor_by_period])

    def times(self, rate: Decimal) -> tuple[Decimal, ...]:
        """Return the amounts by period of a yearly rate. Equal rates share one tuple, since many facilities have few different rates."""
        amounts_by_period = self.amounts_by_rate.get(rate)
        if amounts_by_period is None:
            distinct_amounts = [
                rounded(_EXACT_PRODUCT.multiply(rate, numerator) / denominator)
                for numerator, denominator in self.ratios
            ]
            amounts_by_period = self.amounts_by_rate[rate] = tuple([distinct_amounts[i] for i in self.factor_by_period])
        return amounts_by_period


class Pool(NamedTuple):
    """A facility's capacity, shared by all offers that draw on it."""

    facility: str
    capacity: Sequence[Decimal | None]
    """Kilograms in each period. None means unlimited."""
    offers: tuple[int, ...]


def max_units(pools: Iterable[Pool], use: Decimal, own_limit: Decimal | None, period: int) -> Decimal | None:
    """Return the maximum units that an offer can deliver in a period, of which each takes `use` from its pools. None means no limit."""
    pool_limits = [capacity / use for pool in pools if use and (capacity := pool.capacity[period]) is not None]
    return min([*pool_limits, *([own_limit] if own_limit is not None else [])], default=None)


class Capacities:
    """Capacity of facilities by period. None means unlimited."""

    def __init__(self, merged: Merged, case: Case) -> None:
        self.merged = merged
        self.case = case

    @cached_method
    def of(self, name: str) -> Sequence[Decimal | None]:
        steps = accepted_steps(self.merged.facilities[name], self.merged, self.case)
        if len(steps) == 1 and steps[0].per_year is not None:
            return self._rate(steps[0].start, None, steps[0].status).times(steps[0].per_year)
        ends = [step.start - datetime.timedelta(days=1) if step.start else None for step in steps[1:]]
        factors = [self._rate(step.start, end, step.status) for step, end in zip(steps, [*ends, None], strict=True)]
        return _by_steps(tuple([step.per_year for step in steps]), tuple([step.by_period for step in factors]))

    @cached_method
    def _rate(self, start: datetime.date | None, end: datetime.date | None, status: Status) -> _PeriodFactors:
        span, share = Span(start=start, end=end), Fraction(self.case.accept.counts(status))
        return _PeriodFactors.of([share * years for years in self.case.horizon.years_within(span)])


@lru_cache(maxsize=4096)
def _by_steps(rates: tuple[Decimal | None, ...], years: tuple[tuple[Fraction, ...], ...]) -> tuple[Decimal | None, ...]:
    """Cached, since the problems of a question share the rates and years."""
    return tuple([_in_period(rates, parts) for parts in zip(*years, strict=True)])


def _in_period(rates: Sequence[Decimal | None], years: Sequence[Fraction]) -> Decimal | None:
    total = Fraction(0)
    for rate, part in zip(rates, years, strict=True):
        if rate is None and part:
            return None
        total += Fraction(rate or 0) * part
    return as_decimal(total)
