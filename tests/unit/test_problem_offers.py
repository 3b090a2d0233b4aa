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
from friendshore.errors import InputError

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
    maker,
    metals,
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


def prices(given: Case, facts: Catalog, name: str = "cn-metal") -> list[float]:
    """The price of an offer in each order period."""
    return next([float(p) for p in one.price] for one in built(given, facts).offers if one.offer.id == name)


def capacities(given: Case, facts: Catalog) -> list[float | None]:
    """What the one site can make in each period."""
    return [None if c is None else float(c) for c in built(given, facts).pools[0].capacity]


def step(start: date | None, per_year: float | None, status: str = "operating", origin: str = SOURCE) -> CapacityStep:
    """A step of capacity."""
    return CapacityStep(start=start, per_year=per_year, status=Status(status), source=origin)


def bench(day: date, amount: float, currency: str = "USD", of: str = "metal", origin: str = SOURCE) -> BenchmarkPrice:
    """One row of the benchmark `bench`."""
    return benchmark(amount, day, material=of, currency=currency, source=origin)


EURO = (
    Rate(currency="EUR", to="USD", rate=Decimal("1.2"), start=date(2026, 1, 1)),
    Rate(currency="EUR", to="USD", rate=Decimal("1.5"), start=date(2027, 7, 1)),
    Rate(currency="USD", to="CHF", rate=Decimal("0.5"), start=date(2026, 1, 1)),
)


FOLLOWS = source("CN", price(None, benchmark="bench"))
PREMIUM = source("CN", price(None, benchmark="bench", premium=Decimal("0.25")))
RISING = (bench(date(2026, 3, 1), 8), bench(date(2027, 1, 1), 16), bench(date(2028, 1, 2), 99))
GUESSED = bench(date(2027, 1, 1), 16, origin=GUESS)


@pytest.mark.parametrize(
    ("given", "facts", "expected"),
    [
        # 10 EUR at 1.2 on the first days of 2026 and 2027, at 1.5 on that of 2028; a rate is read both ways: 10 CHF are 20 USD.
        pytest.param(yearly(1, 1, 1), catalog(source("CN", price(10, currency="EUR")), rates=EURO), [12, 12, 15], id="by the rate of the day"),
        pytest.param(yearly(1, 1, 1), catalog(source("CN", price(10, currency="CHF")), rates=EURO), [20, 20, 20], id="the other way round"),
        pytest.param(yearly(1, start=date(2020, 1, 1)), catalog(source("CN", price(10, currency="EUR")), rates=EURO), [12], id="before the first rate"),
        pytest.param(yearly(1), catalog(FOLLOWS, bench(date(2026, 1, 1), 8, of="oxide")), [10], id="of another form, by content: 0.8 of oxide"),
        pytest.param(yearly(1, 1), catalog(FOLLOWS, bench(date(2026, 1, 1), 8), GUESSED), [8, 8], id="a guessed row is passed over"),
        # 2026: 8 (the first row, though of 1 March); 2027: 16 (of 1 January); 2028: still 16. Times 1.25: 10, 20, 20.
        pytest.param(yearly(1, 1, 1), catalog(PREMIUM, *RISING), [10, 20, 20], id="the last row on or before the first day of a period"),
    ],
)  # fmt: skip
def test_prices_by_day(given: Case, facts: Catalog, expected: list[float]) -> None:
    """Of offers, exchanged, and of benchmarks."""
    assert prices(given, facts) == expected


@pytest.mark.parametrize(
    "offered",
    [
        source("CN", price(10, currency="EUR")), source("CN", 10, onboarding=100, onboarding_currency="EUR"),
        source("CN", 10, lanes=(Lane(to="US", freight=Decimal(1), currency="EUR"),)),
    ],
)  # fmt: skip
def test_what_would_be_bought_needs_its_exchange_rate(offered: Offer) -> None:
    """Rates are not chained over a third currency; without one the offer would silently be none, or its freight free."""
    facts = catalog(offered, rates=EURO[:1])
    with pytest.raises(InputError, match="no exchange rate from EUR to CHF for the offer `cn-metal`"):
        built(yearly(1, currency="CHF"), facts)
    assert built(case(demand("oxide", "civil", 1), currency="CHF"), facts).case.currency == "CHF"


def test_onboarding_is_converted_at_the_start() -> None:
    """100 EUR at 1.2 on the first day of the plan, once, whenever the offer is used."""
    facts = catalog(source("CN", 1, onboarding=100, onboarding_currency="EUR"), rates=EURO)
    cost = planned(yearly(0, 0, 5), facts).cost
    assert (cost.onboarding, cost.price) == (120, 5)


@pytest.mark.parametrize(
    ("steps", "kilograms"),
    [
        # Years 2027 (365 days) and 2028 (366 days).
        pytest.param((step(None, 366),), [366, 366], id="flat"),
        pytest.param((step(date(2028, 1, 2), 366),), [0, 365], id="all but one day of a leap year"),
        pytest.param((step(date(2027, 7, 2), 365),), [183, 365], id="2 July to 31 December"),
        pytest.param((step(None, 365), step(date(2027, 7, 2), 730)), [182 + 366, 730], id="182 x 1 + 183 x 2"),
        pytest.param((step(None, 100, "ramping"),), [80, 80], id="ramping"),
        pytest.param((step(None, 100, "commissioning"),), [50, 50], id="commissioning"),
        pytest.param((step(None, 100, "announced"),), [0, 0], id="announced"),
        pytest.param((step(None, 100), step(date(2028, 1, 1), 100, "idle")), [100, 0], id="idle"),
        pytest.param((step(None, None),), [None, None], id="unlimited"),
        pytest.param((step(date(2027, 12, 31), None),), [None, None], id="without a limit on one of its days"),
        pytest.param((step(None, 100), step(date(2026, 1, 1), 50, origin=GUESS)), [100, 100], id="guess"),
    ],
)  # fmt: skip
def test_capacity_by_days_and_status(steps: tuple[CapacityStep, ...], kilograms: list[float | None]) -> None:
    """The capacity of a site in each of two years."""
    facts = catalog(facility("cn", "CN", capacity=steps), source("CN", 10))
    assert capacities(yearly(1, 1, start=date(2027, 1, 1)), facts) == kilograms


def test_four_quarters_are_one_year() -> None:
    """90, 91, 92 and 92 days of 365: the quarters of a capacity add up to the year."""
    facts = catalog(facility("cn", "CN", 365), source("CN", 10))
    assert capacities(yearly(1, 1, 1, 1, length="quarter"), facts) == [90, 91, 92, 92]


def test_superseded_and_events_never_count() -> None:
    """Even a case that accepts them in full."""
    steps = (step(None, 100, "superseded"), step(date(2027, 1, 1), 100, "event"))
    given = yearly(1, 1, accept={"capacity": {"superseded": 1, "event": 1}})
    assert capacities(given, catalog(facility("cn", "CN", capacity=steps), source("CN", 10))) == [0, 0]


def test_an_offer_is_ordered_only_in_periods_within_its_dates() -> None:
    """From 1 January 2026 until 30 December 2027: 2027 lacks a day. Its own 100 a year and 60 an order bind besides."""
    dated = source("CN", 10, start=date(2026, 1, 1), end=date(2027, 12, 30), max_per_year=100, max_order=60)
    (offered,) = built(yearly(1, 1), catalog(dated)).offers
    assert [float(quantity) for quantity in offered.max_units if quantity is not None] == [60, 0]


def lead(**more: Any) -> Catalog:
    """One offer of Chinese metal whose figures are as given, beside a site without a known capacity."""
    site = facility("cn", "CN", capacity=more.pop("capacity", (step(None, 100),)))
    made = {"outputs": source("CN", 10).outputs, "id": "cn-metal", **more}
    return catalog(site, source("CN", made.pop("price", 10)).model_copy(update=made))


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(lead(capacity=()), "no source gives its capacity", id="capacity"),
        pytest.param(lead(capacity=(step(None, 5, origin=GUESS),)), "its capacity is only assumed", id="guessed capacity"),
        pytest.param(lead(price=price(None)), "no price of benchmark", id="benchmark"),
        pytest.param(lead(max_per_year=Decimal(5), source=GUESS), "its quantity is only assumed", id="guessed quantity"),
        pytest.param(catalog(source("CN", 1).but(price=None)), "no source gives its price", id="price"),
        pytest.param(catalog(FOLLOWS, bench(date(2026, 1, 1), 8, of="salt")), "for salt", id="benchmark of another element"),
        pytest.param(catalog(FOLLOWS, GUESSED), "has sufficient evidence", id="guessed benchmark"),
    ],
)  # fmt: skip
def test_leads_are_shown_with_their_reasons_and_never_counted(facts: Catalog, reason: str) -> None:
    """Nothing is bought from an offer that lacks a figure; the run says which."""
    found = planned(yearly(10), facts)
    assert (bought(found), short(found)) == ({}, {"metal-civil": 10})
    (entry,) = found.run.leads
    assert (entry.offer, entry.country) == ("cn-metal", "CN")
    assert reason in entry.reasons[0]


def test_leads_of_goods_that_nobody_wants_are_not_listed() -> None:
    """An offer of oxide is no lead of a case about metal."""
    found = planned(yearly(10), metals(facility("x", "CN", capacity=()), source("CN", 1, "oxide", plant="x")))
    assert found.run.leads == []


def given_by(assumed: dict[str, Any], *quantities: float) -> Case:
    """A case that gives figures of an offer."""
    return yearly(*quantities, assume={"offer": [{"id": "cn-metal", **assumed}]})


def test_an_origin_given_by_the_case_takes_the_place_of_the_offers_own() -> None:
    """Only the stage that the case speaks of; it is named as assumed."""
    entry = {"stage": "mined", "countries": ["AU"], "complete": True}
    found = planned(given_by({"chain": [entry], "why": "visit"}, 1), lead())
    assert found.run.purchases[0].countries == {"mined": ["AU"], "refined": ["CN"], "melted": ["CN"]}
    assert told(found, "cn-metal") == "origin of mined is stated by the case: visit"


def test_figures_given_in_another_substance_are_converted() -> None:
    """The oxide holds 0.8 of the element: 8 kg of Dy a year at 100 a kilogram of Dy are 10 kg of oxide at 80."""
    factor = Factor(element="Dy", compound="oxide", kg_per_kg=Decimal("0.8"), source=SOURCE)
    facts = catalog(facility("cn", "CN", capacity=()), source("CN", 1, "oxide").but(price=None), factors=(factor,))
    figures = {"id": "cn-oxide", "capacity": 8, "price": price(100)}
    dysprosium, gallium = (
        case(demand("oxide", "civil", 50), assume={"offer": [{**figures, "substance": of}]}) for of in ("Dy", "Ga")
    )
    assert [(p.quantity_kg, p.price) for p in planned(dysprosium, facts).run.purchases] == [(10, 800)]
    with pytest.raises(InputError, match="FS252"):
        planned(gallium, facts)


def test_confidence_that_the_case_accepts_makes_guesses_count() -> None:
    """A guessed capacity counts where the case takes assumptions; a price that is assumed counts always, and is said."""
    facts = lead(capacity=(step(None, 5, origin=GUESS),), price=price(10, source=GUESS))
    found = planned(yearly(10, accept={"confidence": Confidence.ASSUMED}), facts)
    assert bought(found) == {"cn-metal": 5}
    assert "price 10 USD/kg is assumed: guessed" in told(found, "cn-metal")
    assert found.run.purchases[0].confidence == "assumed"


def test_evidence_below_what_is_accepted_proves_no_origin() -> None:
    """A chain that somebody assumed is read as incomplete: unproven for defense; where the case takes assumptions, it passes."""
    facts = catalog(source("AU", 10, chain=tuple(entry.but(source=GUESS) for entry in chain("AU", *METAL))))
    given, law = case(demand("metal", "defense", 10)), ban(*METAL, start=None)
    found = planned(given, facts, law)
    assert (bought(found), {row.offer for row in found.run.unproven}) == ({}, {"au-metal"})
    trusting = given.but(accept=given.accept.but(confidence=Confidence.ASSUMED))
    assert bought(planned(trusting, facts, law)) == {"au-metal": 10}


@pytest.mark.parametrize(
    ("length", "months", "periods"),
    [
        ("month", 1, 1), ("month", 2.5, 3), ("quarter", 1, 1), ("quarter", 3, 1), ("quarter", 4, 2), ("year", 12, 1),
        ("year", 0, 0),
    ],
)  # fmt: skip
def test_lead_times_are_whole_periods_rounded_up(length: str, months: float, periods: int) -> None:
    """A delivery within a period may come on its last day."""
    problem = built(yearly(1, 1, 1, 1, length=length), catalog(source("CN", 10, lead_time=Decimal(str(months)))))
    assert {lag for arc in problem.network.arcs for lag in arc.lags} == {periods}


def test_days_that_are_added_to_be_safe_are_told_and_count_before_lead_times_are_rounded() -> None:
    """A year and two weeks are two years; none and two weeks are one. Where nothing is added nothing is said."""
    facts = catalog(source("CN", 10), source("CN", 20, name="slow", lead_time=12))
    given = yearly(0, 10, 10, assume={"safety_lead": parse_duration("14 days")})
    assert "ordered 14 days earlier than its lead time requires" in told(planned(given, facts), "lead time")
    arcs = built(given, facts).network.arcs
    assert [(arc.lags, str(arc.order_by[0])) for arc in arcs] == [((n, n, n), "2026-12-18") for n in (1, 2)]
    assert told(planned(yearly(0, 10, 10), facts), "lead time") == ""


SHIPPED = catalog(
    source("CN", 10), source("AU", 50, lanes=(Lane(to="US", freight=Decimal(1)),)), source("JP", 80, lanes=(Lane(to="US", lead_time=Decimal(1)),)),
    source("US", 90),
)  # fmt: skip
LETTER = {"capacity": 60, "start": "2027-01-01", "price": price(7), "why": "their letter"}
GUESSED_RECIPE = maker("JP", 5, inputs=[{"material": "oxide", "per_unit": 2, "source": GUESS}])


def row(name: str, given: Case, facts: Catalog, kilograms: dict[str, float], subject: str = "", said: str = "") -> Any:
    """What is bought of offers by period of order, and what is said of it."""
    return pytest.param(given, facts, kilograms, subject, said, id=name)


@pytest.mark.parametrize(
    ("given", "facts", "kilograms", "subject", "said"),
    [
        row("a lead with a capacity of the case", given_by(LETTER, 100, 100), lead(capacity=()), {"cn-metal 2027": 60}, "cn-metal",
            "capacity 60 kg/year is stated by the case: their letter"),
        row("a lead with a price of the case", given_by(LETTER, 100, 100), lead(capacity=()), {"cn-metal 2027": 60}, "cn-metal",
            "price 7 USD/kg is stated by the case"),
        row("a capacity in place of that of its site", given_by({"capacity": 60}, 100), lead(capacity=(step(None, 10),)), {"cn-metal 2026": 60}),
        row("a benchmark and a quarter", yearly(1), catalog(PREMIUM, *RISING), {"cn-metal 2026": 1},
            "cn-metal", "priced at benchmark bench +25%"),
        row("a guessed price of an offer that is not used", yearly(10), catalog(source("CN", 10), source("AU", price(50, source=GUESS))),
            {"cn-metal 2026": 10}, "au-metal"),
        row("14 months are two whole years of a yearly plan", yearly(0, 10, 10, assume={"lead_time": 14}), metals(), {"cn-metal 2026": 10},
            "lead time", "assumed to be 14 months"),
        row("no freight is assumed", yearly(10), SHIPPED, {"cn-metal 2026": 10}, "freight"),
        row("freight is paid by who has none of his own and crosses a border", yearly(10, assume={"freight": "2.50"}), SHIPPED,
            {"cn-metal 2026": 10}, "freight",
            "assumed to be 2.5 USD/kg across a border for 2 offers without one"),
        row("91 days of qualification do not fit into the first quarter", yearly(1, 1, 1, start=date(2027, 1, 1), length="quarter"),
            catalog(source("CN", 10, qualification=parse_duration("91 days"))), {"cn-metal 2027-Q3": 1}),
        row("a guessed recipe", yearly(10), catalog(source("AU", 1, "oxide"), GUESSED_RECIPE), {"jp-melt 2026": 10, "au-oxide 2026": 20},
            "jp-melt", "takes 2 kg of oxide per unit (assumed)"),
    ],
)  # fmt: skip
def test_what_a_case_assumes_is_used_and_told(
    given: Case, facts: Catalog, kilograms: dict[str, float], subject: str, said: str
) -> None:
    """Of what is bought, and of nothing else."""
    found = planned(given, facts)
    assert {" ".join(key): quantity for key, quantity in ordered(found).items()} == kilograms
    assert said in told(found, subject)
    assert bool(told(found, subject)) is bool(said)
