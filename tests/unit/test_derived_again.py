"""What program and verifier read of the same problem, derived a second way: a figure that the problem got wrong is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from friendshore.domain.facts import CapacityStep, Lane, Quote
from friendshore.domain.market import Rate
from friendshore.domain.quantities import parse_duration
from friendshore.problem import Problem
from friendshore.recommend import Recommendation
from friendshore.rules.kinds import Tariff
from friendshore.verify.money import Costing
from friendshore.verify.plan_entries import PlanEntries
from friendshore.verify.second_derivation import check_figures_again

from ..building import SOURCE, bought, case, catalog, changed, demand, facility, planned, rule, source, unstored

FIRST = date(2027, 1, 1)


@cache
def dated() -> Recommendation:
    """Five quarters: a step of capacity within one, quotations in euro, freight in pounds, a duty for some of the days."""
    steps = (
        CapacityStep(start=start, per_year=Decimal(per_year), status="operating", source=SOURCE)
        for start, per_year in ((None, 200), (date(2027, 8, 11), 400))
    )
    quotes = [
        Quote(start=start, end=end, amount=Decimal(amount), currency="EUR", source=SOURCE)
        for start, end, amount in ((FIRST, date(2027, 6, 30), 10), (date(2027, 7, 1), date(2027, 12, 31), 12))
    ]
    rates = [
        Rate(currency=currency, to=to, start=start, rate=Decimal(rate), source=SOURCE)
        for currency, to, start, rate in (
            ("EUR", "USD", date(2026, 1, 1), "1.1"), ("EUR", "USD", date(2027, 7, 1), "1.2"), ("USD", "GBP", date(2026, 1, 1), "0.8"),
        )
    ]  # fmt: skip
    lane = Lane(to="US", freight=Decimal(2), currency="GBP", lead_time=Decimal(4), source=SOURCE)
    facts = catalog(
        facility("au", "AU", capacity=tuple(steps)), source("AU", 1, lanes=(lane,)), source("CN", 30), rates=rates
    )
    wanted = demand("metal", "civil", per_year=Decimal(240), quantities=(), start=date(2027, 1, 17))
    given = case(wanted, start=FIRST, length="quarter", count=5, discount=Decimal("0.07"))
    found = planned(given, changed(facts, "au-metal", price=None, quotes=quotes), duty("2027-11-15"))
    assert bought(found)["au-metal"] > 100
    return found


def duty(day: str) -> Tariff:
    """A duty from a day on."""
    return rule(Tariff, rate="0.25", origins=["AU"], phases=[{"from": day}])


def offers(problem: Problem, **update: Any) -> Problem:
    """The Australian offer resolved otherwise."""
    others = [one._replace(**update) if one.offer.id == "au-metal" else one for one in problem.offers]
    return replace(problem, offers=tuple(others))


def arcs(problem: Problem, **update: Any) -> Problem:
    """Its way to the United States likewise."""
    position = [i for i, one in enumerate(problem.offers) if one.offer.id == "au-metal"]
    others = [replace(arc, **update) if arc.offer in position else arc for arc in problem.network.arcs]
    return replace(problem, network=replace(problem.network, arcs=tuple(others)))


def times(problem: Problem, **update: Any) -> Problem:
    """When orders of it are placed and arrive likewise."""
    ids = [one.offer.id for one in problem.offers]
    arc = next(arc for arc in problem.network.arcs if arc.offer >= 0 and ids[arc.offer] == "au-metal")
    return arcs(problem, times=arc.times._replace(**update))


def more(amounts: tuple[Decimal | None, ...], period: int) -> tuple[Decimal | None, ...]:
    """A kilogram more in one period."""
    return tuple((amount or Decimal(0)) + 1 if t == period else amount for t, amount in enumerate(amounts))


WRONG: dict[str, tuple[Callable[[Problem], Problem], str]] = {
    "price": (lambda p: offers(p, price=tuple(x + Decimal("0.01") for x in p.offers[0].price)), "the price of `au-metal`"),
    "freight": (lambda p: arcs(p, freight=(Decimal("2.4"),) * 5), "the freight of `au-metal` to US"),
    "time under way": (lambda p: times(p, lags=(1,) * 5), "periods from order to arrival of `au-metal` to US"),
    "last day of an order": (
        lambda p: times(p, order_by=tuple(period.end for period in p.case.horizon.periods)),
        "the last order day of `au-metal` to US, ordered in 2027-Q1",
    ),
    "day of arrival": (
        lambda p: times(p, arrives=(date(2027, 7, 2),) * 5),
        "the arrival day within a period of `au-metal` to US, ordered in 2027-Q1",
    ),
    "capacity": (
        lambda p: replace(p, pools=tuple(pool._replace(capacity=more(pool.capacity, 2)) for pool in p.pools)),
        "the capacity of `au` in 2027-Q3",
    ),
    "quantity": (
        lambda p: replace(p, demands=tuple(replace(one, quantity=more(one.quantity, 0)) for one in p.demands)),
        "the demand of `metal-civil` in 2027-Q1",
    ),
    "discount": (
        lambda p: replace(p, discount=tuple(x * Decimal("1.0001") for x in p.discount)), "the discount factor of 2027-Q1",
    ),
    # From a day later on, as what charges are worked out from has it.
    "duty": (
        lambda p: replace(p, law=type(p.law)((duty("2027-11-16"),), p.case)), "the charges on `au-metal` to US in 2027-Q2",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("lead", "safety", "days"),
    [
        ("4 months", "0", ["2027-03-01", "2027-06-01", "2027-09-01"]),
        ("140 days", "0", ["2027-02-11", "2027-05-14", "2027-08-14"]),
        ("120 days", "14 days", ["2027-02-17", "2027-05-20", "2027-08-20"]),
        ("3 months", "1 month", ["2027-03-01", "2027-06-01", "2027-09-01"]),
    ],
)
def test_the_last_day_of_an_order_is_derived_twice(lead: str, safety: str, days: list[str]) -> None:
    """The first day of the period of arrival, less the lead time and what the case adds to be safe; by the records as by the plan."""
    safe = {"safety_lead": parse_duration(safety)}
    given = unstored(0, 0, 1, 1, 1, start=FIRST, length="quarter", assume=safe)
    found = planned(given, catalog(source("AU", 10, lead_time=parse_duration(lead))))
    assert [str(one.order_by) for one in found.run.purchases] == days
    assert check_figures_again(found.plan.ledger, found.plan.costing) == []


@pytest.mark.parametrize("update", [{"arrives": None}, {"arrives": date(2027, 1, 1)}, {"period": 0}], ids=str)
def test_the_day_on_which_an_open_order_arrives_is_derived_twice(update: dict[str, Any]) -> None:
    """An order that the problem has earlier than the case, or in another period, is named."""
    order = {"offer": "au-metal", "quantity": 1, "arrives": "2027-05-05", "ordered": "2026-01-01"}
    given = case(demand("metal", "civil", 1, 1), start=FIRST, length="quarter", orders=[order])
    found = planned(given, catalog(source("AU", 10))).plan
    assert check_figures_again(found.ledger, found.costing) == []
    (lot,) = found.problem.lots
    ledger = PlanEntries.of(replace(found.problem, lots=(replace(lot, **update),)), found.plan)
    (finding,) = check_figures_again(ledger, found.costing)
    assert (finding.code, "`order-1:au-metal` arrives" in finding.message) == ("FS635", True)


def differing(problem: Problem) -> list[str]:
    """What comes out otherwise the second time, for the plan that was made."""
    ledger = PlanEntries.of(problem, dated().plan.plan)
    return [finding.message for finding in check_figures_again(ledger, Costing(ledger))]


def test_both_ways_agree_on_dated_figures() -> None:
    """Dates within a period, exchange in both directions, shares of days and odd lead times: both ways give the same."""
    assert differing(dated().plan.problem) == []


@pytest.mark.parametrize(("wrong", "words"), WRONG.values(), ids=WRONG)
def test_a_figure_that_the_problem_gets_wrong_is_named(wrong: Callable[[Problem], Problem], words: str) -> None:
    """One figure resolved otherwise than the records say, which the program would take over: it is named."""
    found = differing(wrong(dated().plan.problem))
    assert any(words in message for message in found), found
