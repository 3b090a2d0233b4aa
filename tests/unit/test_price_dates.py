"""Prices older than the case allows: which they are, what is paid at them, where it is told, and that no plan turns on it."""

from __future__ import annotations

import json
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from friendshore.domain.case import Accept, Case
from friendshore.domain.change import Change
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog, Lane, Price, Quote
from friendshore.domain.market import Rate
from friendshore.domain.time import today
from friendshore.plugins import Registry
from friendshore.recommend import Recommendation, verify_run
from friendshore.report import plan_document
from friendshore.run import write_run
from friendshore_pages.report import report_document

from ..building import benchmark, bought, catalog, facility, planned, price, refused, source, unstored, unwrapped
from ..property.settings import examples

NOW = today()


def days_ago(days: int) -> date:
    """A day before that of the tests."""
    return NOW - timedelta(days=days)


def facts(*things: Any, rates: tuple[Rate, ...] = (), **ages: int | None) -> Catalog:
    """A catalog, with sources by name whose facts are so many days old; None: of no stated day."""
    made = catalog(*things, rates=rates)
    dated = {name: None if age is None else days_ago(age) for name, age in ages.items()}
    verified = (
        Source(id=f"tiny:{name}", reference=name, date=day, confidence=Confidence.VERIFIED)
        for name, day in dated.items()
    )
    return made.but(sources=(*made.sources, *verified))


def priced(amount: float, of: str) -> Price:
    """A price by one of these sources."""
    return price(amount, source=f"tiny:{of}")


def wanted(*quantities: float, days: int | None = 100, **more: Any) -> Case:
    """A civil demand of which nothing can be held, in a case that allows prices of so many days; in periods that have begun or will."""
    oldest = None if days is None else Decimal(days) * 12 / 365
    return unstored(*quantities, accept=Accept(oldest_price=oldest), **more)


def old(found: Recommendation) -> dict[tuple[str, str], tuple[date | None, float]]:
    """Offer and what of it -> day and money of what is older than the case allows."""
    limit = found.run.oldest_price_days
    assert limit is not None
    rows = [one for one in found.run.price_dates if one.is_older(limit, found.run.planned_on)]
    return {(one.offer, one.of): (one.oldest, float(one.cost)) for one in rows}


def plants() -> list[Any]:
    """Three of 100 kg a year each."""
    return [facility("au", "AU", 100), facility("cn", "CN", 100), facility("jp", "JP", 100)]


def test_prices_older_than_the_limit_are_found_with_what_is_paid_at_them() -> None:
    """Of 99, 100 and 101 days with a limit of 100, the last alone; what has no day is old."""
    made = facts(
        *plants(), facility("kz", "KZ", 100), source("AU", priced(10, "fresh")), source("CN", priced(20, "just")),
        source("JP", priced(30, "past")), source("KZ", priced(40, "never")), fresh=99, just=100, past=101, never=None,
    )  # fmt: skip
    found = planned(wanted(400), made)
    assert old(found) == {("jp-metal", "price"): (days_ago(101), 3000), ("kz-metal", "price"): (None, 4000)}
    assert len(found.run.price_dates) == 4


def test_a_benchmark_is_as_old_as_the_price_that_holds_and_the_rate_that_exchanges_it() -> None:
    """Of a series, each year pays another row; a rate older than the price makes it older."""
    first_day = date(2025, 12, 1)
    rate = Rate(currency="EUR", to="USD", rate=Decimal(2), start=days_ago(200))
    found = {}
    for currency in ("EUR", "USD"):
        rows = [benchmark(8, day, currency=currency) for day in (first_day, NOW)]
        found[currency] = planned(wanted(100, 50), facts(source("AU", price(benchmark="bench")), *rows, rates=(rate,)))
    (first, second) = found["EUR"].run.price_dates
    assert (first.source, first.day, first.oldest, first.cost) == ("bench", first_day, first_day, 1600)
    assert (second.day, second.exchange_rate_day, second.oldest, second.cost) == (
        NOW,
        days_ago(200),
        days_ago(200),
        800,
    )
    assert old(found["USD"]) == {("au-metal", "price"): (first_day, 800)}


def test_a_day_to_come_counts_as_old() -> None:
    """Nobody has looked at a price tomorrow: whoever writes 2062 for 2026 has no fresh price for ever; nor one that is exchanged at such a rate."""
    made = facts(
        *plants(), source("AU", priced(10, "tomorrow")), source("CN", priced(20, "now")), source("JP", priced(30, "past")),
        tomorrow=-1, now=0, past=20,
    )  # fmt: skip
    found = planned(wanted(100, 300, days=900), made)
    assert old(found) == {("au-metal", "price"): (days_ago(-1), 2000)}
    assert f"tomorrow of {days_ago(-1)}, which is after {NOW}" in unwrapped(plan_document(found.run).on_screen())
    (row,) = {one.but(cost=0, quantity_kg=0) for one in found.run.price_dates if one.offer == "au-metal"}
    assert row.age(NOW) is None, "it has no age"
    rate = row.but(day=NOW, exchange_rate_day=days_ago(-3))
    assert rate.is_older(900, NOW)
    assert rate.dated(NOW) == f"exchanged at a rate of {days_ago(-3)}, which is after {NOW}"
    assert not rate.is_older(900, days_ago(-3))
    (told,) = refused(planned, wanted(100, days=900), made, strict=True)
    assert (told.code, "is dated in the future" in told.message) == ("FS642", True)
    assert "a date in the past" in told.expected


@pytest.mark.parametrize("age", [50, 150, None])
def test_a_forecast_is_as_old_as_its_source(age: int | None) -> None:
    """A row of a series for a day to come was written on another; only of a source without a day that is told by nobody."""
    later = NOW + timedelta(days=30)
    row = benchmark(8, later, source="tiny:past")
    found = planned(wanted(100), facts(source("AU", price(benchmark="bench")), row, past=age))
    expected = {50: {}, 150: {("au-metal", "price"): (days_ago(150), 800)}, None: {("au-metal", "price"): (later, 800)}}
    assert old(found) == expected[age]


def test_freight_has_a_day_of_its_own_and_a_quotation_holds_until_the_day_it_says() -> None:
    """Freight is told beside the price, with its own money; what is quoted without an end is as old as its source."""
    lane = Lane(to="US", freight=Decimal(3), currency="USD", source="tiny:past")
    quote = Quote(start=None, end=date(2027, 12, 31), amount=Decimal(20), currency="USD", source="tiny:past")
    made = facts(
        *plants(), source("AU", priced(10, "fresh"), lanes=(lane,)), source("CN", 1).but(price=None, quotes=(quote,)),
        source("JP", 1).but(price=None, quotes=(quote.but(end=None, amount=Decimal(30)),)), fresh=1, past=150,
    )  # fmt: skip
    found = planned(wanted(300), made)
    assert bought(found) == {"au-metal": 100, "cn-metal": 100, "jp-metal": 100}
    assert old(found) == {("au-metal", "freight"): (days_ago(150), 300), ("jp-metal", "price"): (days_ago(150), 3000)}


def test_what_the_case_states_itself_is_of_today() -> None:
    """A price that it assumes, or that a change states; a change by a factor leaves the day as it is."""
    made = facts(source("AU", priced(10, "past")), past=500)
    assume = {"offer": [{"id": "au-metal", "price": {"amount": 12, "currency": "USD"}}]}
    assert planned(wanted(10, assume=assume), made).run.price_dates == []
    amount, factor = ([Change.model_validate({"price": "au-metal", **by})] for by in ({"amount": 11}, {"factor": 2}))
    assert planned(wanted(10), made, changes=amount).run.price_dates == []
    assert old(planned(wanted(10), made, changes=factor)) == {("au-metal", "price"): (days_ago(500), 200)}


def test_the_limit_changes_no_plan_and_without_one_nothing_is_told() -> None:
    """Old prices are planned with; a case without a limit says nothing of days, one with it each day, age, and share of the money."""
    made = facts(*plants(), source("AU", priced(10, "past")), source("CN", priced(20, "fresh")), past=500, fresh=1)
    with_limit, without = planned(wanted(150), made).run, planned(wanted(150, days=None), made).run
    assert (with_limit.purchases, with_limit.cost) == (without.purchases, without.cost)
    assert (without.oldest_price_days, without.price_dates) == (None, [])
    line = "USD 1,000 (50% of spend, 1 of 2 offers) is paid at prices older than the 100 days that the case allows: past of"
    for document in (lambda run: plan_document(run).on_screen(), plan_document, report_document):
        assert line in unwrapped(document(with_limit)).replace("· ", ""), document
        assert "older than" not in unwrapped(document(without))
    row = f"au-metal metal tiny:past USD 10 {days_ago(500)} 500 100 kg 1,000"
    assert row in unwrapped(plan_document(with_limit), 140)


def test_strict_refuses_every_old_price_of_what_may_be_bought_and_nothing_else() -> None:
    """Those that the plan would not pay too, those of what nobody wants not; where all are new it plans."""
    made = facts(
        *plants(), source("AU", priced(10, "past")), source("CN", priced(900, "older")), source("JP", priced(30, "fresh")),
        source("JP", priced(5, "past"), "salt"), past=101, older=102, fresh=1,
    )  # fmt: skip
    problems = refused(planned, wanted(10), made, strict=True)
    told = {(one.file, one.column, one.found) for one in problems}
    assert told == {("catalog tiny", "sources.date", "`past`"), ("catalog tiny", "sources.date", "`older`")}
    assert any("`cn-metal`" in str(one) for one in problems)
    for days in (102, None):
        assert bought(planned(wanted(10, days=days), made, strict=True)) == {"au-metal": 10}


def test_a_price_that_passes_for_newer_fails_verification(tmp_path: Path) -> None:
    """`verify` finds the day that the facts give, whatever day it is asked on."""
    found = planned(wanted(10), facts(source("AU", priced(10, "past")), past=500))
    write_run(tmp_path, found.run, found.facts())
    assert not verify_run(tmp_path, Registry.of()).findings
    told = json.loads((tmp_path / "run.json").read_text())
    told["price_dates"][0]["day"] = str(NOW)
    (tmp_path / "run.json").write_text(json.dumps(told))
    assert "price_dates" in str(verify_run(tmp_path, Registry.of()).findings)


AGES = st.lists(st.one_of(st.none(), st.integers(-50, 400)), min_size=3, max_size=3)


@examples(40)
@given(AGES, st.lists(st.integers(1, 60), min_size=3, max_size=3), st.integers(0, 400), st.integers(1, 300))
def test_money_at_old_prices_is_that_of_the_purchases_of_offers_with_old_prices(
    ages: list[int | None], prices: list[int], limit: int, quantity: int
) -> None:
    """Three plants, each with a price of some age: added up from the purchases, not from what the run says of days."""
    lands = ("AU", "CN", "JP")
    sources = (source(land, priced(cost, f"a{land}")) for land, cost in zip(lands, prices, strict=True))
    names = dict(zip((f"a{land}" for land in lands), ages, strict=True))
    found = planned(wanted(quantity, days=limit), facts(*plants(), *sources, **names))
    stale = {
        f"{land.lower()}-metal": cost
        for land, cost, age in zip(lands, prices, ages, strict=True)
        if age is None or not 0 <= age <= limit
    }
    expected = {name: kg * stale[name] for name, kg in bought(found).items() if name in stale}
    assert {offer: money for (offer, _), (_, money) in old(found).items()} == expected
