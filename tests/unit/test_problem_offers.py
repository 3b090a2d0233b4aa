"""Offers as a case sees them: prices by day, capacity by days and status, evidence that counts, and leads."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from friendshore.domain.case import Case
from friendshore.domain.evidence import Confidence
from friendshore.domain.facts import CapacityStep, Catalog, Lane, Offer, Status
from friendshore.domain.market import BenchmarkPrice, Factor, Rate
from friendshore.domain.quantities import parse_duration
from friendshore.domain.time import Horizon, PeriodLength
from friendshore.errors import InputError
from friendshore.problem import Problem

from ..building import (
    GUESS,
    METAL,
    SOURCE,
    ban,
    benchmark,
    bought,
    built,
    case,
    catalog,
    chain,
    demand,
    facility,
    metals,
    offer,
    ordered,
    planned,
    price,
    short,
    source,
    told,
)


def yearly(*quantities: float, **more: Any) -> Case:
    """A civil demand for metal, year by year from 2026."""
    return case(demand("metal", "civil", *quantities), **more)


def prices(problem: Problem, name: str) -> list[float]:
    """The price of an offer in each order period."""
    return next([float(p) for p in facts.price] for facts in problem.offers if facts.offer.id == name)


def most(problem: Problem, name: str) -> list[float | None]:
    """The most units of an offer in each order period."""
    found = next(facts.most for facts in problem.offers if facts.offer.id == name)
    return [None if m is None else float(m) for m in found]


def reasons(problem: Problem, name: str) -> tuple[str, ...]:
    """Why an offer is a lead."""
    return next(lead.reasons for lead in problem.leads if lead.offer.id == name)


def step(start: date | None, per_year: float | None, status: str = "operating", origin: str = SOURCE) -> CapacityStep:
    """A step of capacity."""
    amount = None if per_year is None else Decimal(str(per_year))
    return CapacityStep(start=start, per_year=amount, status=Status(status), source=origin)


def bench(
    day: date, amount: float, currency: str = "USD", material: str = "metal", origin: str = SOURCE
) -> BenchmarkPrice:
    """One row of the benchmark `bench`."""
    return benchmark(amount, day, material=material, currency=currency, source=origin)


EURO = (
    Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1)),
    Rate(currency="EUR", to="USD", rate=Decimal("1.5"), start=date(2027, 7, 1)),
    Rate(currency="USD", to="CHF", rate=Decimal("0.5"), start=date(2026, 1, 1)),
)


def test_a_quoted_price_is_converted_by_the_rate_of_the_day() -> None:
    """10 EUR at 1.2 on the first days of 2026 and 2027, at 1.5 on that of 2028; a rate is read both ways: 10 CHF are 20 USD."""
    facts = catalog(source("CN", price(10, currency="EUR")), source("AU", price(10, currency="CHF")), rates=EURO)
    problem = built(yearly(1, 1, 1), facts)
    assert prices(problem, "cn-metal") == [12, 12, 15]
    assert prices(problem, "au-metal") == [20, 20, 20]


def test_before_the_first_rate_the_first_one_is_taken() -> None:
    """A plan that starts before any rate is known."""
    facts = catalog(source("CN", price(10, currency="EUR")), rates=EURO)
    assert prices(built(yearly(1, start=date(2020, 1, 1)), facts), "cn-metal") == [12]


@pytest.mark.parametrize(
    "offered",
    [
        source("CN", price(10, currency="EUR")),
        source("CN", 10, onboarding=100, onboarding_currency="EUR"),
        source("CN", 10, lanes=(Lane(to="US", freight=Decimal(1), currency="EUR"),)),
    ],
)
def test_what_would_be_bought_needs_its_exchange_rate(offered: Offer) -> None:
    """Rates are not chained over a third currency; without one the offer would silently be none, or its freight free."""
    facts = catalog(facility("cn", "CN"), offered, rates=EURO[:1])
    with pytest.raises(InputError, match="no exchange rate from EUR to CHF for the offer `cn-metal`"):
        built(yearly(1, currency="CHF"), facts)
    assert built(case(demand("oxide", "civil", 1), currency="CHF"), facts).case.currency == "CHF"


def test_onboarding_is_converted_at_the_start() -> None:
    """100 EUR at 1.2 on the first day of the plan, once, whenever the offer is used."""
    facts = catalog(source("CN", 1, onboarding=100, onboarding_currency="EUR"), rates=EURO)
    found = planned(yearly(0, 0, 5), facts)
    assert (float(found.cost.onboarding), float(found.cost.price)) == (120, 5)


def test_a_benchmark_is_followed_by_its_dates() -> None:
    """The last row on or before the first day of the order's period; before the first row, the first. With 25 % on it.

    2026: 8 (the first row, though of 1 March); 2027: 16 (of 1 January); 2028: still 16. Times 1.25: 10, 20, 20.
    """
    rows = (bench(date(2026, 3, 1), 8), bench(date(2027, 1, 1), 16), bench(date(2028, 1, 2), 99))
    by_benchmark = price(None, benchmark="bench", premium=Decimal("0.25"))
    facts = catalog(source("CN", by_benchmark), *rows)
    found = planned(yearly(1, 1, 1), facts)
    assert prices(found.plan.problem, "cn-metal") == [10, 20, 20]
    assert told(found, "cn-metal") == "priced at benchmark bench +25 %"


def test_a_benchmark_of_another_form_is_converted_by_content() -> None:
    """The oxide holds 0.8 of the element, the metal all of it: 8 a kilogram of oxide is 10 a kilogram of metal."""
    by_benchmark = price(None, benchmark="bench")
    facts = catalog(source("CN", by_benchmark), bench(date(2026, 1, 1), 8, material="oxide"))
    assert prices(built(yearly(1), facts), "cn-metal") == [10]


def test_a_benchmark_of_another_element_is_no_price() -> None:
    """Lanthanum says nothing of dysprosium: the offer is a lead that says so."""
    by_benchmark = price(None, benchmark="bench")
    facts = catalog(source("CN", by_benchmark), bench(date(2026, 1, 1), 8, material="salt"))
    assert "of salt" in reasons(built(yearly(1), facts), "cn-metal")[0]


def test_a_benchmark_row_that_is_not_well_founded_does_not_count() -> None:
    """The guessed row of 2027 is passed over; if all are guessed, there is no price."""
    good, guess = bench(date(2026, 1, 1), 8), bench(date(2027, 1, 1), 16, origin=GUESS)
    by_benchmark = price(None, benchmark="bench")
    sold = facility("cn", "CN"), source("CN", by_benchmark)
    assert prices(built(yearly(1, 1), catalog(*sold, good, guess)), "cn-metal") == [8, 8]
    assert "well enough founded" in reasons(built(yearly(1), catalog(*sold, guess)), "cn-metal")[0]


@pytest.mark.parametrize(
    ("steps", "kilograms"),
    [
        # Years 2027 (365 days) and 2028 (366 days).
        ((step(None, 366),), [366, 366]),
        ((step(date(2028, 1, 2), 366),), [0, 365]),  # all but one day of a leap year
        ((step(date(2027, 7, 2), 365),), [183, 365]),  # 2 July to 31 December: 183 days
        ((step(None, 365), step(date(2027, 7, 2), 730)), [182 + 366, 730]),  # 182 x 1 + 183 x 2
        ((step(None, 100, "ramping"),), [80, 80]),
        ((step(None, 100, "commissioning"),), [50, 50]),
        ((step(None, 100, "announced"),), [0, 0]),
        ((step(None, 100), step(date(2028, 1, 1), 100, "idle")), [100, 0]),
        ((step(None, None),), [None, None]),
        ((step(date(2027, 12, 31), None),), [None, None]),  # without a limit on one of its days
        ((step(None, 100), step(date(2026, 1, 1), 50, origin=GUESS)), [100, 100]),
    ],
    ids=[
        "flat", "leap", "half", "two steps", "ramping", "commissioning", "announced", "idle", "unlimited", "from", "guess",
    ],
)  # fmt: skip
def test_capacity_by_days_and_status(steps: tuple[CapacityStep, ...], kilograms: list[float | None]) -> None:
    """The capacity of a site in each of two years."""
    facts = catalog(facility("cn", "CN", capacity=steps), source("CN", 10))
    problem = built(yearly(1, 1, start=date(2027, 1, 1)), facts)
    assert [None if c is None else float(c) for c in problem.pools[0].capacity] == kilograms


def test_four_quarters_are_one_year() -> None:
    """90, 91, 92 and 92 days of 365: the quarters of a capacity add up to the year."""
    facts = catalog(facility("cn", "CN", 365), source("CN", 10))
    problem = built(yearly(1, 1, 1, 1, length="quarter"), facts)
    assert [float(c or 0) for c in problem.pools[0].capacity] == [90, 91, 92, 92]


def test_superseded_and_events_never_count() -> None:
    """Even a case that accepts them in full."""
    steps = (step(None, 100, "superseded"), step(date(2027, 1, 1), 100, "event"))
    facts = catalog(facility("cn", "CN", capacity=steps), source("CN", 10))
    found = built(yearly(1, 1, accept={"capacity": {"superseded": 1, "event": 1}}), facts)
    assert [float(c or 0) for c in found.pools[0].capacity] == [0, 0]


def test_an_offer_is_ordered_only_in_periods_within_its_dates() -> None:
    """From 1 January 2026 until 30 December 2027: 2027 lacks a day. Its own 100 a year and 60 an order bind besides."""
    dated = source("CN", 10, start=date(2026, 1, 1), end=date(2027, 12, 30), max_per_year=100, max_order=60)
    assert most(built(yearly(1, 1), catalog(facility("cn", "CN"), dated)), "cn-metal") == [60, 0]


def test_joint_capacity_is_shared_by_use() -> None:
    """A plant of 100: metal takes 2 a kilogram, oxide 1. All 30 kg of metal and what is left, 40, of 60 kg of oxide."""
    facts = catalog(facility("cn", "CN", 100), source("CN", 10, capacity_use=2), source("CN", 10, "oxide"))
    given = case(demand("metal", "civil", 30, price=5000), demand("oxide", "civil", 60, price=20))
    assert bought(planned(given, facts)) == {"cn-metal": 30, "cn-oxide": 40}


def lead(**more: Any) -> Catalog:
    """One offer of Chinese metal whose figures are as given, beside a site without a known capacity."""
    site = facility("cn", "CN", capacity=more.pop("capacity", (step(None, 100),)))
    made = {"outputs": source("CN", 10).outputs, "id": "cn-metal", **more}
    return catalog(site, source("CN", made.pop("price", 10)).model_copy(update=made))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        (lead(capacity=()), "nobody published its capacity"),
        (lead(capacity=(step(None, 5, origin=GUESS),)), "its capacity is only assumed"),
        (lead(price=price(None)).model_copy(), "no price of benchmark"),
        (lead(max_per_year=Decimal(5), source=GUESS), "its quantity is only assumed"),
    ],
    ids=["capacity", "guessed capacity", "price", "guessed quantity"],
)
def test_leads_are_shown_with_their_reasons_and_never_counted(facts: Catalog, reason: str) -> None:
    """Nothing is bought from an offer that lacks a figure; the run says which."""
    found = planned(yearly(10), facts)
    assert bought(found) == {}
    assert [entry.offer for entry in found.run.leads] == ["cn-metal"]
    assert reason in found.run.leads[0].reasons[0]
    assert found.run.leads[0].country == "CN"


def test_an_offer_without_a_price_is_a_lead() -> None:
    """Nobody published a price: it is not taken as free of charge."""
    found = planned(yearly(10), catalog(source("CN", 1).but(price=None)))
    assert found.run.leads[0].reasons == ["nobody published its price"]
    assert short(found) == {"metal-civil": 10}


def test_leads_of_goods_that_nobody_wants_are_not_listed() -> None:
    """An offer of oxide is no lead of a case about metal."""
    found = planned(yearly(10), metals(facility("x", "CN", capacity=()), source("CN", 1, "oxide", plant="x")))
    assert found.run.leads == []


def test_a_case_gives_a_lead_its_figures() -> None:
    """Capacity from 2027 on and a price: bought from then on, and both named as what the case gives."""
    facts = lead(capacity=()).model_copy()
    assumed = {"id": "cn-metal", "capacity": 60, "start": "2027-01-01", "price": price(7), "why": "their letter"}
    found = planned(yearly(100, 100, assume={"offer": [assumed]}), facts)
    assert [(p.ordered, float(p.quantity_kg), float(p.price)) for p in found.run.purchases] == [("2027", 60, 420)]
    said = told(found, "cn-metal")
    assert "capacity 60 kg/year given by the case: their letter" in said
    assert "price 7 USD/kg is given by the case" in said


def test_a_capacity_given_to_an_offer_takes_the_place_of_its_sites() -> None:
    """The site publishes 10, the case says 60 for the offer."""
    assumed = {"id": "cn-metal", "capacity": 60}
    found = planned(yearly(100, assume={"offer": [assumed]}), lead(capacity=(step(None, 10),)))
    assert bought(found) == {"cn-metal": 60}


def test_an_origin_given_by_the_case_takes_the_place_of_the_offers_own() -> None:
    """Only the stage that the case speaks of; it is named as assumed."""
    entry = {"stage": "mined", "countries": ["AU"], "complete": True}
    found = planned(yearly(1, assume={"offer": [{"id": "cn-metal", "chain": [entry], "why": "visit"}]}), lead())
    assert found.run.purchases[0].countries == {"mined": ["AU"], "refined": ["CN"], "melted": ["CN"]}
    assert told(found, "cn-metal") == "origin of mined given by the case: visit"


def test_figures_given_in_another_substance_are_converted() -> None:
    """The oxide holds 0.8 of the element: 8 kg of Dy a year at 100 a kilogram of Dy are 10 kg of oxide at 80."""
    factor = Factor(element="Dy", compound="oxide", kg_per_kg=Decimal("0.8"), source=SOURCE)
    site = facility("cn", "CN", capacity=())
    facts = catalog(site, source("CN", 1, "oxide").but(price=None), factors=(factor,))
    assumed = {"id": "cn-oxide", "capacity": 8, "price": price(100), "substance": "Dy"}
    found = planned(case(demand("oxide", "civil", 50), assume={"offer": [assumed]}), facts)
    assert [(float(p.quantity_kg), float(p.price)) for p in found.run.purchases] == [(10, 800)]
    with pytest.raises(InputError, match="cannot be turned into"):
        planned(case(demand("oxide", "civil", 50), assume={"offer": [{**assumed, "substance": "Ga"}]}), facts)


def test_confidence_that_the_case_accepts_makes_guesses_count() -> None:
    """A guessed capacity counts where the case takes assumptions; a price that is assumed counts always, and is said."""
    facts = lead(capacity=(step(None, 5, origin=GUESS),), price=price(10, source=GUESS))
    found = planned(yearly(10, accept={"confidence": Confidence.ASSUMED}), facts)
    assert bought(found) == {"cn-metal": 5}
    assert "price 10 USD/kg is assumed: guessed" in told(found, "cn-metal")
    assert found.run.purchases[0].confidence == "assumed"


def test_evidence_below_what_is_accepted_proves_no_origin() -> None:
    """A chain that somebody assumed is read as incomplete: unproven for defence; where the case takes assumptions, it passes."""
    guessed = tuple(entry.but(source=GUESS) for entry in chain("AU", *METAL))
    facts = catalog(source("AU", 10, chain=guessed))
    given = case(demand("metal", "defense", 10))
    found = planned(given, facts, ban(*METAL, start=None))
    assert (bought(found), {row.offer for row in found.run.unproven}) == ({}, {"au-metal"})
    trusting = given.but(accept=given.accept.but(confidence=Confidence.ASSUMED))
    assert bought(planned(trusting, facts, ban(*METAL, start=None))) == {"au-metal": 10}


def test_assumptions_of_offers_that_are_not_used_are_not_told() -> None:
    """A guessed price of an offer that the plan does not buy from is nobody's business."""
    facts = catalog(source("CN", 10), source("AU", price(50, source=GUESS)))
    assert told(planned(yearly(10), facts), "au-metal") == ""


def test_the_lead_time_that_the_case_assumes_is_used_and_told() -> None:
    """14 months are two whole years of a yearly plan: ordered in 2026 at the earliest, there in 2028."""
    given = yearly(0, 10, 10, assume={"lead_time": 14})
    found = planned(given, metals())
    assert [(p.offer, p.ordered, p.delivered) for p in found.run.purchases] == [("cn-metal", "2026", "2028")]
    assert short(found) == {"metal-civil": 10}
    assert "taken to need 14 months" in told(found, "lead time")


def test_the_freight_that_the_case_assumes_is_listed_with_the_offers_that_pay_it() -> None:
    """Neither an offer with a freight of its own nor one within the country pays it."""
    shipped = source("AU", 50, lanes=(Lane(to="US", freight=Decimal(1)),))
    own = source("JP", 80, lanes=(Lane(to="US", lead_time=Decimal(1)),))
    facts = catalog(
        *(facility(c.lower(), c) for c in ("CN", "AU", "JP", "US")), source("CN", 10), shipped, own, source("US", 90)
    )
    assert told(planned(yearly(10), facts), "freight") == ""
    text = told(planned(yearly(10, assume={"freight": "2.50"}), facts), "freight")
    assert text == "offers that state no freight (2) are taken to cost 2.5 USD/kg to move across a border"


@pytest.mark.parametrize(
    ("length", "months", "periods"),
    [
        ("month", 1, 1), ("month", 2.5, 3), ("quarter", 1, 1), ("quarter", 3, 1), ("quarter", 4, 2), ("year", 12, 1),
        ("year", 0, 0),
    ],
)  # fmt: skip
def test_lead_times_are_whole_periods_rounded_up(length: str, months: float, periods: int) -> None:
    """A delivery within a period may come on its last day."""
    horizon = Horizon(start=date(2026, 1, 1), count=4, length=PeriodLength(length))
    given = case(demand("metal", "civil", 1, 1, 1, 1)).but(horizon=horizon)
    problem = built(given, catalog(source("CN", 10, lead_time=Decimal(str(months)))))
    assert {lag for arc in problem.network.arcs for lag in arc.lags} == {periods}


def test_days_that_are_added_to_be_safe_are_told_and_count_before_lead_times_are_rounded() -> None:
    """A year and two weeks are two years; none and two weeks are one. Where nothing is added nothing is said."""
    facts = catalog(source("CN", 10), source("CN", 20, name="slow", lead_time=12))
    given = yearly(0, 10, 10, assume={"safety_lead": parse_duration("14 days")})
    assert told(planned(given, facts), "lead time") == (
        "every purchase is ordered 14 days earlier than its lead time asks, to be safe"
    )
    assert [arc.lags for arc in built(given, facts).network.arcs] == [(1, 1, 1), (2, 2, 2)]
    assert [str(arc.order_by[0]) for arc in built(given, facts).network.arcs] == ["2026-12-18", "2026-12-18"]
    assert told(planned(yearly(0, 10, 10), facts), "lead time") == ""


def test_qualification_in_days_ends_on_its_day() -> None:
    """91 days do not fit into the first quarter: the first order is of the third."""
    slow = source("CN", 10, qualification=parse_duration("91 days"))
    given = case(demand("metal", "civil", 1, 1, 1), start=date(2027, 1, 1), length="quarter")
    assert ordered(planned(given, catalog(facility("cn", "CN"), slow))) == {("cn-metal", "2027-Q3"): 1}


def test_an_assumed_recipe_is_told() -> None:
    """What a maker takes of an input is a guess: it is named."""
    inputs = [{"material": "oxide", "per_unit": 2, "source": GUESS}]
    melt = offer("jp-melt", "jp", "metal", 5, chain("JP", "melted"), inputs=inputs)
    facts = catalog(facility("jp", "JP"), source("AU", 1, "oxide"), melt)
    found = planned(yearly(10), facts)
    assert bought(found) == {"jp-melt": 10, "au-oxide": 20}
    assert told(found, "jp-melt") == "takes 2 kg of oxide a unit (assumed)"
