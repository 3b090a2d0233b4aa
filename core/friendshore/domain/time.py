"""Dates, spans, and the periods of a plan."""

from __future__ import annotations

import calendar
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from .base import CheckedRecord, Fault, FieldValues, Record, grouped
from .values import Periods
from .written import Written

From = Annotated[date | None, Field(alias="from"), Written("2027-01-01", meaning="First day; blank: from the start.")]
Until = Annotated[date | None, Field(alias="until"), Written("2028-12-31", meaning="Last day; blank: to the end.")]


class PeriodLength(StrEnum):
    """Length of one period of the plan."""

    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"

    @property
    def months(self) -> int:
        return {"month": 1, "quarter": 3, "year": 12}[self.value]


class Span(Record):
    """Days from `start` to `end`, both inclusive. An open side is None."""

    start: date | None = None
    end: date | None = None

    def meets(self, other: Span) -> bool:
        return (self.end is None or other.start is None or other.start <= self.end) and (
            other.end is None or self.start is None or self.start <= other.end
        )

    def covers(self, other: Span) -> bool:
        starts = self.start is None or (other.start is not None and self.start <= other.start)
        ends = self.end is None or (other.end is not None and other.end <= self.end)
        return starts and ends

    def days_within(self, other: Span) -> int:
        """Return the number of common days. `other` must be bounded."""
        assert other.start is not None and other.end is not None
        start = max(other.start, self.start) if self.start else other.start
        end = min(other.end, self.end) if self.end else other.end
        return max(0, (end - start).days + 1)

    def __str__(self) -> str:
        return f"{self.start or ''}..{self.end or ''}"


def stretches_between(first: date, until: date, days: Sequence[date]) -> list[Span]:
    """Return the parts of a span, each beginning on one of some sorted days."""
    ends = (day - timedelta(days=1) for day in days)
    return [Span(start=start, end=end) for start, end in zip([first, *days], [*ends, until], strict=True)]


def add_months(day: date, months: int) -> date:
    """Return `day` moved by whole months, limited to the last day of the month."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


class Delay(NamedTuple):
    """Time that passes between two days: calendar months, then days."""

    months: int
    days: int

    @staticmethod
    def of(*durations: Decimal) -> Delay:
        """Add up durations: whole months count in calendar months, others in days, rounded up. Days and weeks stay exact, except that 365 days are a year."""
        months = days = 0
        for duration in durations:
            if duration == duration.to_integral_value():
                months += int(duration)
            else:
                exact_days = Fraction(duration) * 365 / 12
                nearest = round(exact_days)  # stored durations have 15 digits: 140 days are a little less or more
                if abs(exact_days - nearest) < _DAY_TOLERANCE:
                    days += nearest
                else:
                    days += -(-exact_days.numerator // exact_days.denominator)
        return Delay(months, days)

    def __str__(self) -> str:
        parts = [(self.months, "month"), (self.days, "day")]
        return (
            " and ".join(f"{number} {unit}{'' if number == 1 else 's'}" for number, unit in parts if number)
            or "0 months"
        )

    def after(self, day: date) -> date:
        """Return the day on which the delay ends. Raise OverflowError or ValueError if that is after the last day of the calendar."""
        return add_months(day, self.months) + timedelta(days=self.days)

    def before(self, day: date) -> date:
        """Return the last day on which the delay can start to end on `day` or before."""
        until = day - timedelta(days=self.days)
        start = add_months(until, -self.months)
        is_last_of_month = calendar.monthrange(until.year, until.month)[1] == until.day
        # One month after 28, 29, 30, and 31 January is 28 February. The last of these days counts.
        if self.months and is_last_of_month:
            return start.replace(day=calendar.monthrange(start.year, start.month)[1])
        return start


# Difference in days within which a stored duration counts as a whole number of days.
_DAY_TOLERANCE = Fraction(1, 10**6)


class Period(Record):
    """One period of the plan."""

    index: int
    start: date
    end: date
    label: str
    """Label in tables: `2027-Q1`, `2027-03`, or `2027`, or the first day if it doesn't fit the calendar."""
    steady: bool = False
    """True if it represents a year at the rates of its days, regardless of their number."""

    @cached_property
    def span(self) -> Span:
        return Span(start=self.start, end=self.end)

    @property
    def days(self) -> int:
        return (self.end - self.start).days + 1

    @cached_property
    def year_parts(self) -> dict[int, Fraction]:
        """Fraction of each calendar year that the period covers, as a factor of yearly rates."""
        parts: dict[int, Fraction] = {}
        for year in range(self.start.year, self.end.year + 1):
            days = Span(start=date(year, 1, 1), end=date(year, 12, 31)).days_within(self.span)
            parts[year] = Fraction(days, 366 if calendar.isleap(year) else 365)
        return parts

    @cached_property
    def years(self) -> Fraction:
        """Length in years: the sum of `year_parts`, or 1 if it represents a year."""
        return Fraction(1) if self.steady else sum(self.year_parts.values(), Fraction(0))

    def years_within(self, span: Span) -> Fraction:
        """Return the length in years of the part of the period within `span`. If it represents a year, the share of its days."""
        if self.steady:
            return Fraction(span.days_within(self.span), self.days)
        total = Fraction(0)
        for year in range(self.start.year, self.end.year + 1):
            days = Span(start=max(date(year, 1, 1), self.start), end=min(date(year, 12, 31), self.end))
            total += Fraction(span.days_within(days), 366 if calendar.isleap(year) else 365)
        return total


# Every problem of a session asks for the same spans of capacities and demands again.
_MAX_CACHED_SPANS = 1000
MAX_MONTHS = 1_200


_FIELD_OF = {"periods": "count", "period": "length"}
"""Key of a case file -> field of a horizon."""


class Horizon(CheckedRecord):
    """The periods of a plan: `count` equal calendar steps from `start`, or with `until`, one range of any length that represents a year."""

    start: Annotated[date, Written("2026-10-01")]
    """First day of the plan."""
    count: Annotated[Periods, Written(17, "periods")]
    """Number of periods."""
    length: Annotated[PeriodLength, Written("quarter", "period")]
    """Length of a period."""
    until: date | None = None
    """Last day of a range that is planned as one year at its own rates. It is then the only period."""

    if TYPE_CHECKING:

        def __init__(
            self, *, start: date, periods: int, period: PeriodLength | str, until: date | None = None
        ) -> None: ...

    @model_validator(mode="before")
    @classmethod
    def _named_as_in_a_case(cls, data: Any) -> Any:
        # `periods` is the number in a case file and the periods themselves here, so the fields have other names.
        if not isinstance(data, Mapping):
            return data
        return {_FIELD_OF.get(name, name): value for name, value in data.items()}

    @classmethod
    def faults(cls, values: FieldValues) -> Iterator[Fault]:
        start, count, length = (values.get(name) for name in ("start", "count", "length"))
        if start is None or count is None or length is None or values.get("until") is not None:
            return
        max_count = MAX_MONTHS // length.months
        if count > max_count:
            message = f"{count:,} {length.value}s are longer than a century"
            fix = f"plan at most {max_count:,} {length.value}s, or set a longer `period`"
            yield Fault("count", message, f"1 to {max_count:,} {length.value}s", fix, ("length",), code="FS040")
        elif start.year * 12 + start.month - 1 + count * length.months >= (date.max.year + 1) * 12:
            message = "the plan ends after the last day of the calendar"
            yield Fault("count", message, "", "plan fewer periods", ("start", "length"), code="FS040")

    @model_validator(mode="after")
    def _check_until(self) -> Horizon:
        if self.until is not None and (self.count != 1 or self.until < self.start):
            raise ValueError("a range that represents a year must be one period, and can't end before its start")
        return self

    def __eq__(self, other: object) -> bool:
        # Cached properties follow from the stated fields, and are long to compare.
        return isinstance(other, Horizon) and self._stated == other._stated

    def __hash__(self) -> int:
        return hash(self._stated)

    @cached_property
    def _stated(self) -> tuple[date, int, PeriodLength, date | None]:
        return self.start, self.count, self.length, self.until

    @cached_property
    def periods(self) -> tuple[Period, ...]:
        return tuple(self._period(i) for i in range(self.count))

    def years_within(self, span: Span) -> tuple[Fraction, ...]:
        """Return `Period.years_within` for each period."""
        cache, key = self._years_by_span, (span.start, span.end)
        years = cache.get(key)
        if years is None:
            years = tuple([period.years_within(span) for period in self.periods])
            if len(cache) < _MAX_CACHED_SPANS:
                cache[key] = years
        return years

    @cached_property
    def _years_by_span(self) -> dict[tuple[date | None, date | None], tuple[Fraction, ...]]:
        return {}

    def _period(self, index: int) -> Period:
        if self.until is not None:
            return Period(index=0, start=self.start, end=self.until, label=self.start.isoformat(), steady=True)
        start = add_months(self.start, index * self.length.months)
        end = add_months(self.start, (index + 1) * self.length.months) - timedelta(days=1)
        return Period(index=index, start=start, end=end, label=self._label(start))

    def _label(self, start: date) -> str:
        if start.day != 1 or (start.month - 1) % self.length.months:
            return start.isoformat()
        if self.length is PeriodLength.YEAR:
            return f"{start.year}"
        if self.length is PeriodLength.QUARTER:
            return f"{start.year}-Q{(start.month - 1) // 3 + 1}"
        return f"{start.year}-{start.month:02d}"

    @cached_property
    def span(self) -> Span:
        return Span(start=self.periods[0].start, end=self.periods[-1].end)

    def find(self, day: date) -> int | None:
        for period in self.periods:
            if period.start <= day <= period.end:
                return period.index
        return None

    def steps(self, months: Decimal) -> int:
        """Return the number of whole periods that a duration takes, rounded up. It always exceeds a range that represents a year."""
        if self.until is not None:
            return int(months > 0)
        periods = Fraction(months) / self.length.months
        return -(-periods.numerator // periods.denominator)

    def begins(self, index: int) -> date:
        """Return the first day of a period, which may be after the plan. Raise ValueError if it is after the last day of the calendar."""
        return self.periods[index].start if index < self.count else add_months(self.start, index * self.length.months)

    def arrival(self, ordered: int, delay: Delay) -> int:
        """Return the first period that begins on or after the arrival of an order from the first day of `ordered`. It may be after the plan."""
        if self.until is not None:
            return ordered + int(any(delay))
        index = ordered + (delay.months + delay.days // 31) // self.length.months
        try:
            earliest = delay.after(self.periods[ordered].start)
            while self.begins(index) < earliest:
                index += 1
        except (OverflowError, ValueError):  # after the last day of the calendar, and so after every plan
            return max(index, self.count)
        return index

    def label(self, index: int) -> str:
        """Return the label of period `index`: `before` if it is negative, `after` if it is beyond the plan."""
        return self.periods[index].label if 0 <= index < self.count else ("before" if index < 0 else "after")


def stretches(
    periods: Sequence[Period], per: Literal["period", "year", "horizon"]
) -> list[tuple[str, tuple[int, ...]]]:
    """Return label and period indices of every period, calendar year (by the first day of its periods), or all of them together."""
    if per not in ("period", "year", "horizon"):
        raise ValueError(f"`{per}` isn't one of period, year, and horizon")
    if per == "period":
        return [(period.label, (period.index,)) for period in periods]
    labels = (("horizon" if per == "horizon" else str(period.start.year), period.index) for period in periods)
    return [(label, tuple(indices)) for label, indices in grouped(labels).items()]


EPOCH = "SOURCE_DATE_EPOCH"
"""Environment variable with the current time in seconds since 1970, for reproducible output: https://reproducible-builds.org/specs/source-date-epoch/"""

# Seconds up to the year 5138. No date is after the year 9999.
_MAX_DIGITS = 11


def today() -> date:
    """Return today's date, or the date in the environment variable `SOURCE_DATE_EPOCH`. No plan depends on it, only the age of data."""
    seconds = os.environ.get(EPOCH, "")
    if seconds.isdecimal() and len(seconds) <= _MAX_DIGITS:
        return datetime.fromtimestamp(int(seconds), UTC).date()
    return datetime.now().astimezone().date()
