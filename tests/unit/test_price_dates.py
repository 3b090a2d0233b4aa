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

from friendshore.domain.assumptions import Accept, Assume
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import Catalog, Lane, Price, Quote
from friendshore.domain.market import BenchmarkPrice, Rate
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.reading.today import today
from friendshore.recommend import Recommendation, verify_run
from friendshore.report import plan_document, screen_document
from friendshore.run import write_run
from friendshore_pages.report import report_document

from ..building import SOURCE, bought, case, catalog, demand, facility, planned, source, store, text
from ..property.settings import examples

NOW = today()
"""The day of all tests."""


def days_ago(days: int) -> date:
    """A day before that of the tests."""
    return NOW - timedelta(days=days)


def evidence(**ages: int | None) -> tuple[Source, ...]:
    """Sources by name whose facts are so many days old; None: of no stated day."""
    dated = {name: None if age is None else days_ago(age) for name, age in ages.items()}
    return tuple(
        Source(id=f"tiny:{name}", reference=name, date=day, confidence=Confidence.VERIFIED)
        for name, day in dated.items()
    )


def facts(*things: Any, rates: tuple[Rate, ...] = (), **ages: int | None) -> Catalog:
    """A catalog with sources of these ages."""
    made = catalog(*things, rates=rates)
    return made.but(sources=(*made.sources, *evidence(**ages)))


def priced(amount: float, of: str, currency: str = "USD") -> Price:
    """A price by one of these sources."""
    return Price(amount=Decimal(str(amount)), currency=currency, source=f"tiny:{of}")


def wanted(*quantities: float, days: int | None = 100, **more: Any) -> Any:
    """A civil demand of which nothing can be held, in a case that allows prices of so many days; in periods that have begun or will."""
    oldest = None if days is None else Decimal(days) * 12 / 365
    accept = Accept(oldest_price=oldest)
    return case(
        demand("metal", "civil", *quantities), start=date(2026, 1, 1), stores=(store("metal", 0, limit=0),), accept=accept, **more
    )  # fmt: skip


def old(found: Recommendation) -> dict[tuple[str, str], tuple[date | None, float]]:
    """Offer and what of it -> day and money of what is older than the case allows."""
    limit = found.run.oldest_price_days
    assert limit is not None
    rows = [one for one in found.run.price_dates if one.is_older(limit, found.run.made)]
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
    rows = [
        BenchmarkPrice(id="bench", material="metal", date=day, amount=Decimal(8), currency="EUR", source=SOURCE)
        for day in (date(2025, 12, 1), NOW)
    ]
    rate = Rate(currency="EUR", to="USD", rate=Decimal(2), start=days_ago(200), source=SOURCE)
    follows = Price(benchmark="bench", source=SOURCE)
    made = facts(facility("au", "AU"), source("AU", follows), *rows, rates=(rate,))
    (first, second) = planned(wanted(100, 50), made).run.price_dates
    assert (first.given_by, first.day, first.oldest, first.cost) == (
        "bench",
        date(2025, 12, 1),
        date(2025, 12, 1),
        1600,
    )
    assert (second.day, second.exchanged, second.oldest, second.cost) == (NOW, days_ago(200), days_ago(200), 800)
    home = facts(facility("au", "AU"), source("AU", follows), *(row.but(currency="USD") for row in rows))
    assert old(planned(wanted(100, 50), home)) == {("au-metal", "price"): (date(2025, 12, 1), 800)}


def test_a_day_to_come_counts_as_old() -> None:
    """Nobody has looked at a price tomorrow: whoever writes 2062 for 2026 has no fresh price for ever; nor one that is exchanged at such a rate."""
    made = facts(
        *plants(), source("AU", priced(10, "tomorrow")), source("CN", priced(20, "now")), source("JP", priced(30, "past")),
        tomorrow=-1, now=0, past=20,
    )  # fmt: skip
    found = planned(wanted(100, 300, days=900), made)
    assert old(found) == {("au-metal", "price"): (days_ago(-1), 2000)}
    assert f"tomorrow of {days_ago(-1)}, which is after {NOW}" in " ".join(text(screen_document(found.run)).split())
    (row,) = {one.but(cost=0, quantity_kg=0) for one in found.run.price_dates if one.offer == "au-metal"}
    assert row.age(NOW) is None, "it has no age"
    rate = row.but(day=NOW, exchanged=days_ago(-3))
    assert rate.is_older(900, NOW)
    assert rate.dated(NOW) == f"exchanged at a rate of {days_ago(-3)}, which is after {NOW}"
    assert not rate.is_older(900, days_ago(-3))
    with pytest.raises(InputError) as refused:
        planned(wanted(100, days=900), made, strict=True)
    (told,) = refused.value.problems
    assert "is of a day to come" in told.message
    assert "a day that has been" in told.expected


def test_a_forecast_is_as_old_as_its_source() -> None:
    """A row of a series for a day to come was written on another; only of a source without a day that is told by nobody."""
    later = NOW + timedelta(days=30)
    row = BenchmarkPrice(
        id="bench", material="metal", date=later, amount=Decimal(8), currency="USD", source="tiny:past"
    )
    follows = source("AU", Price(benchmark="bench", source=SOURCE))
    for age, expected in (
        (50, {}),
        (150, {("au-metal", "price"): (days_ago(150), 800)}),
        (None, {("au-metal", "price"): (later, 800)}),
    ):
        found = planned(wanted(100), facts(facility("au", "AU"), follows, row, past=age))
        assert old(found) == expected, age


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
    made = facts(facility("au", "AU"), source("AU", priced(10, "past")), past=500)
    assume = Assume.model_validate({"offer": [{"id": "au-metal", "price": {"amount": 12, "currency": "USD"}}]})
    assert planned(wanted(10, assume=assume), made).run.price_dates == []
    given = {"name": "s", "change": [{"price": "au-metal", "amount": 11}]}
    times = {"name": "t", "change": [{"price": "au-metal", "factor": 2}]}
    several = wanted(10).model_validate({**wanted(10).model_dump(), "scenarios": [given, times]})
    assert planned(several, made, scenario="s").run.price_dates == []
    assert old(planned(several, made, scenario="t")) == {("au-metal", "price"): (days_ago(500), 200)}


def test_the_limit_changes_no_plan_and_without_one_nothing_is_told() -> None:
    """Old prices are planned with; a case without a limit says nothing of days."""
    made = facts(*plants(), source("AU", priced(10, "past")), source("CN", priced(20, "fresh")), past=500, fresh=1)
    with_limit, without = planned(wanted(150), made), planned(wanted(150, days=None), made)
    assert with_limit.run.purchases == without.run.purchases
    assert with_limit.run.cost == without.run.cost
    assert (without.run.oldest_price_days, without.run.price_dates) == (None, [])
    for document in (screen_document, plan_document, report_document):
        assert "older than" in text(document(with_limit.run))
        assert "older than" not in text(document(without.run))


def test_a_line_on_the_screen_and_a_table_in_full() -> None:
    """How much of the money, of how many offers, and by what; each with its day and age."""
    made = facts(*plants(), source("AU", priced(10, "past")), source("CN", priced(20, "fresh")), past=500, fresh=1)
    run = planned(wanted(150), made).run
    line = "USD 1,000 (50 % of spend, 1 of 2 offers) is paid at prices older than the 100 days that the case allows: past of"
    for document in (screen_document, plan_document, report_document):
        assert line in " ".join(text(document(run)).replace("·", "").split()), document
    full = " ".join(text(plan_document(run), 140).split())
    assert f"au-metal metal tiny:past USD 10 {days_ago(500)} 500 100 kg 1,000" in full


def test_strict_refuses_every_old_price_of_what_may_be_bought_and_nothing_else() -> None:
    """Those that the plan would not pay too, those of what nobody wants not; where all are new it plans."""
    made = facts(
        *plants(), source("AU", priced(10, "past")), source("CN", priced(900, "older")), source("JP", priced(30, "fresh")),
        source("JP", priced(5, "past"), "salt"), past=101, older=102, fresh=1,
    )  # fmt: skip
    with pytest.raises(InputError) as refused:
        planned(wanted(10), made, strict=True)
    told = {(one.file, one.column, one.found) for one in refused.value.problems}
    assert told == {("catalog tiny", "sources.date", "`past`"), ("catalog tiny", "sources.date", "`older`")}
    assert "`cn-metal`" in str(refused.value)
    assert bought(planned(wanted(10, days=102), made, strict=True)) == {"au-metal": 10}
    assert bought(planned(wanted(10, days=None), made, strict=True)) == {"au-metal": 10}


def test_a_price_that_passes_for_newer_fails_verification(tmp_path: Path) -> None:
    """`verify` finds the day that the facts give, whatever day it is asked on."""
    made = facts(facility("au", "AU"), source("AU", priced(10, "past")), past=500)
    found = planned(wanted(10), made)
    write_run(tmp_path / "run", found.run, found.facts())
    assert not verify_run(tmp_path / "run", Registry.of()).findings
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    told["price_dates"][0]["day"] = str(NOW)
    (tmp_path / "run" / "run.json").write_text(json.dumps(told))
    assert "price_dates" in str(verify_run(tmp_path / "run", Registry.of()).findings)


AGES = st.lists(st.one_of(st.none(), st.integers(-50, 400)), min_size=3, max_size=3)


@examples(40)
@given(AGES, st.lists(st.integers(1, 60), min_size=3, max_size=3), st.integers(0, 400), st.integers(1, 300))
def test_money_at_old_prices_is_that_of_the_purchases_of_offers_with_old_prices(
    ages: list[int | None], prices: list[int], limit: int, quantity: int
) -> None:
    """Three plants, each with a price of some age: added up from the purchases, not from what the run says of days."""
    lands = ("AU", "CN", "JP")
    names = dict(zip((f"a{land}" for land in lands), ages, strict=True))
    sources = (source(land, priced(cost, f"a{land}")) for land, cost in zip(lands, prices, strict=True))
    found = planned(wanted(quantity, days=limit), facts(*plants(), *sources, **names))
    stale = {
        f"{land.lower()}-metal" for land, age in zip(lands, ages, strict=True) if age is None or not 0 <= age <= limit
    }
    cost = {f"{land.lower()}-metal": price for land, price in zip(lands, prices, strict=True)}
    expected = {name: kg * cost[name] for name, kg in bought(found).items() if name in stale}
    assert {offer: money for (offer, _), (_, money) in old(found).items()} == expected
