"""Dates, spans and periods."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from friendshore.domain.quantities import parse_duration
from friendshore.domain.time import Delay, Horizon, Period, PeriodLength, Span, add_months

DAYS = st.dates(min_value=date(2000, 1, 1), max_value=date(2060, 12, 31))
LENGTHS = st.sampled_from(list(PeriodLength))
HORIZONS = st.builds(Horizon, start=DAYS, count=st.integers(1, 24), length=LENGTHS)


def spans() -> st.SearchStrategy[Span]:
    """Spans of which either side may be open."""
    sides = st.tuples(st.none() | DAYS, st.none() | DAYS).filter(lambda s: None in s or s[0] <= s[1])
    return sides.map(lambda s: Span(start=s[0], end=s[1]))


def day_set(span: Span, period: Period) -> set[date]:
    """The days of `period` that lie in `span`, one by one."""
    days = [period.start + timedelta(days=n) for n in range((period.end - period.start).days + 1)]
    return {d for d in days if (span.start is None or span.start <= d) and (span.end is None or d <= span.end)}


@given(HORIZONS)
def test_periods_follow_without_gaps(horizon: Horizon) -> None:
    """Each period starts on the day after the one before, every day of the plan is found in its period, and a rate counts for all of it."""
    periods = horizon.periods
    assert len(periods) == horizon.count
    assert all(after.start == before.end + timedelta(days=1) for before, after in pairwise(periods))
    assert horizon.find(horizon.span.end + timedelta(days=1)) is None
    for period in periods:
        assert horizon.find(period.start) == horizon.find(period.end) == period.index
        assert period.years_within(Span()) == period.years == sum(period.year_parts.values(), Fraction(0))


@given(HORIZONS, spans())
def test_a_span_counts_the_days_it_shares(horizon: Horizon, span: Span) -> None:
    """Days within, sharing and covering agree with a count of days one by one."""
    for period in horizon.periods:
        shared = day_set(span, period)
        assert span.days_within(period.span) == len(shared)
        assert span.meets(period.span) == bool(shared)
        assert span.covers(period.span) == (len(shared) == (period.end - period.start).days + 1)


@pytest.mark.parametrize(("length", "most"), [("month", 1_200), ("quarter", 400), ("year", 100)])
def test_a_plan_covers_at_most_a_century(length: str, most: int) -> None:
    """Whatever the length of its periods, so that any plan can be made in months as well; four quarters are one year, leap years too."""
    given = {"start": date(2027, 1, 1), "length": PeriodLength(length)}
    assert [sum(p.years for p in Horizon(**given, periods=most).periods[: most // 100 * n]) for n in (1, 2)] == [1, 2]
    with pytest.raises(ValueError, match=r"longer than a century|1 to 1,200"):
        Horizon(**given, periods=most + 1)


@pytest.mark.parametrize(
    ("start", "length", "label"),
    [
        ("2026-10-01", "quarter", "2026-Q4"), ("2026-11-01", "quarter", "2026-11-01"), ("2026-03-01", "month", "2026-03"),
        ("2026-03-15", "month", "2026-03-15"), ("2026-01-01", "year", "2026"),
    ],
)  # fmt: skip
def test_labels(start: str, length: str, label: str) -> None:
    """A period is called by its calendar name, or by its first day where it has none."""
    horizon = Horizon(start=date.fromisoformat(start), periods=1, period=PeriodLength(length))
    assert horizon.periods[0].label == label


@pytest.mark.parametrize(("months", "steps"), [("0", 0), ("0.1", 1), ("3", 1), ("3.5", 2), ("6", 2)])
def test_lead_times_take_whole_periods(months: str, steps: int) -> None:
    """A lead time is rounded up to whole periods."""
    assert Horizon(start=date(2026, 1, 1), periods=4, period=PeriodLength.QUARTER).steps(Decimal(months)) == steps


def test_a_copy_works_out_anew_what_follows_from_its_fields() -> None:
    """A plan moved by a year has other periods, also where those of the first one were asked for before."""
    horizon = Horizon(start=date(2026, 1, 1), periods=2, period=PeriodLength.YEAR)
    for one, labels in ((horizon, [2026, 2027]), (horizon.but(start=date(2027, 1, 1)), [2027, 2028])) * 2:
        assert [period.label for period in one.periods] == [str(year) for year in labels]


def test_horizons_are_told_apart_by_what_is_stated() -> None:
    """By each of its fields, and whatever has been worked out of one of the two."""
    stated: dict[str, object] = {"start": date(2027, 1, 1), "count": 1, "length": PeriodLength.YEAR, "until": None}
    one, same = Horizon.model_validate(stated), Horizon.model_validate(stated)
    assert one.years_within(Span())
    assert (one, hash(one)) == (same, hash(same))
    others = {"start": date(2027, 1, 2), "count": 2, "length": PeriodLength.MONTH, "until": date(2027, 6, 30)}
    for name, other in others.items():
        assert one != Horizon.model_validate(stated | {name: other}), name


@pytest.mark.parametrize(
    ("stated", "delay"),
    [
        (["0"], Delay(0, 0)), (["1 quarter"], Delay(3, 0)), (["140 days"], Delay(0, 140)), (["20 weeks"], Delay(0, 140)),
        (["1.5 months"], Delay(0, 46)), (["3 months", "14 days"], Delay(3, 14)), (["10 days", "14 days"], Delay(0, 24)),
    ],
)  # fmt: skip
def test_a_duration_counts_in_months_or_in_days(stated: list[str], delay: Delay) -> None:
    """Whole months count in calendar months, everything else in days: those that were stated, or so many as a part of a month has at most."""
    assert Delay.of(*map(parse_duration, stated)) == delay


def test_every_number_of_days_is_that_number_again() -> None:
    """However a duration in days is stored, no day is lost or won; only whole years cannot be told from so many months."""
    years = {365 * number for number in range(1, 6)}
    found = {number: Delay.of(parse_duration(f"{number} days")) for number in range(1, 1826)}
    assert {number for number, delay in found.items() if delay != Delay(0, number)} == years
    assert all(found[number] == Delay(number // 365 * 12, 0) for number in years)


@given(st.dates(date(2020, 1, 1), date(2040, 1, 1)), st.integers(0, 40), st.integers(0, 400))
@example(date(2027, 2, 28), 1, 0)
@example(date(2027, 3, 31), 1, 14)
@example(date(2027, 3, 30), 1, 0)
def test_the_last_day_from_which_a_delay_leads_to_a_day(day: date, months: int, days: int) -> None:
    """An order of that day is there in time, and one of the day after is not."""
    delay = Delay(months, days)
    assert delay.after(delay.before(day)) <= day < delay.after(delay.before(day) + timedelta(days=1))


@pytest.mark.parametrize(
    ("months", "days", "arrives", "last"),
    [
        (3, 0, "2027-04-01", "2027-01-01"), (0, 140, "2027-04-01", "2026-11-12"), (1, 0, "2027-02-28", "2027-01-31"),
        (1, 0, "2028-02-28", "2028-01-28"), (1, 14, "2027-03-31", "2027-02-17"), (1, 0, "2027-03-30", "2027-02-28"),
    ],
)  # fmt: skip
def test_the_last_day_by_the_calendar(months: int, days: int, arrives: str, last: str) -> None:
    """A month after the last of January is the last of February."""
    assert str(Delay(months, days).before(date.fromisoformat(arrives))) == last
    assert [str(add_months(date(2028, 1, 31), 1)), str(add_months(date(2027, 3, 31), -1))] == [
        "2028-02-29",
        "2027-02-28",
    ]


@pytest.mark.parametrize(
    ("start", "delay", "first"),
    [
        ("2027-01-01", Delay(3, 0), [1, 2, 3]),
        ("2027-01-01", Delay(0, 91), [2, 2, 3]),  # the first quarter has 90 days
        ("2027-01-01", Delay(0, 90), [1, 2, 3]),
        ("2027-01-01", Delay(3, 14), [2, 3, 4]),
        ("2027-01-31", Delay(3, 0), [1, 2, 3]),
        ("9998-01-01", Delay(1200, 0), [400, 401, 402]),
    ],
)
def test_an_order_is_counted_from_the_first_period_that_begins_after_its_arrival(
    start: str, delay: Delay, first: list[int]
) -> None:
    """By the calendar: what is ordered on the first day of a period is there on the first day of that one."""
    horizon = Horizon(start=date.fromisoformat(start), periods=3, period=PeriodLength.QUARTER)
    assert [horizon.arrival(t, delay) for t in range(3)] == first
