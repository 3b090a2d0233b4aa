"""Prices and demands that are given as ranges: read, checked, shown, and what the same plan would cost at their ends."""

from __future__ import annotations

import json
import shutil
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from friendshore.catalog import read_catalog
from friendshore.domain.change import Change
from friendshore.domain.facts import Catalog, Price, Quote
from friendshore.domain.market import BenchmarkPrice, Rate
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.problem.changes import apply_changes
from friendshore.recommend import Recommendation, verify_run
from friendshore.report import plan_document, screen_document
from friendshore.rules.kinds.tariff import Tariff
from friendshore.run import write_run
from friendshore_pages.report import report_document

from ..building import SOURCE, bought, case, catalog, demand, facility, planned, refused, source, store, text
from ..property.settings import examples
from .test_catalog_reading import GOOD


def ranged(amount: float, low: float, high: float, currency: str = "USD") -> Price:
    """A quoted price with its range."""
    figures = {"amount": amount, "low": low, "high": high}
    return Price.model_validate({**figures, "currency": currency, "source": SOURCE})


def wanted(*quantities: float, **more: Any) -> Any:
    """A civil demand of which nothing can be held."""
    return case(demand("metal", "civil", *quantities), stores=(store("metal", 0, limit=0),), **more)


def duty(rate: float) -> Tariff:
    """A share of the price on everything from Australia."""
    phases = [{"from": "2026-01-01", "status": "enacted"}]
    return Tariff.model_validate({"id": "duty", "origins": ["AU"], "rate": rate, "phases": phases})


def ends(found: Recommendation) -> tuple[float, float, float]:
    """What is spent at the low end, in the plan and at the high end, not discounted."""
    run = found.run
    assert run.nominal_low is not None
    assert run.nominal_high is not None
    return float(run.nominal_low), float(run.cost.nominal), float(run.nominal_high)


def test_the_same_purchases_at_the_ends_of_their_prices() -> None:
    """100 kg at 50 (40 to 80) from Australia with a duty of 10 %, and 100 kg at 10 without a range: nothing else moves."""
    facts = catalog(
        facility("au", "AU"), facility("cn", "CN", per_year=100), source("AU", ranged(50, 40, 80)), source("CN", 10)
    )
    found = planned(wanted(200, discount=Decimal("0.05")), facts, duty(0.1))
    assert bought(found) == {"au-metal": 100, "cn-metal": 100}
    assert ends(found) == (1000 + 4400, 1000 + 5500, 1000 + 8800)
    (one,) = found.run.ranges
    assert (one.offer, one.material, one.quantity_kg) == ("au-metal", "metal", 100)
    assert (one.price_low, one.price, one.price_high) == (4000, 5000, 8000)
    assert (one.cost_low, one.cost, one.cost_high) == (4400, 5500, 8800)


def test_a_benchmark_brings_its_range_to_every_offer_that_follows_it() -> None:
    """In euros, with a premium of 25 %; only the second of its prices has a range, and a price that nobody pays has none that counts."""
    rows = [
        BenchmarkPrice(id="bench", material="metal", date=date(2026, 1, 1), amount=Decimal(8), currency="EUR", source=SOURCE),
        BenchmarkPrice.model_validate(
            {"id": "bench", "material": "metal", "date": "2027-01-01", "amount": 10, "low": 9, "high": 12, "currency": "EUR", "source": SOURCE}
        ),
    ]  # fmt: skip
    follows = Price(benchmark="bench", premium=Decimal("0.25"), source=SOURCE)
    rate = Rate.model_validate({"currency": "EUR", "to": "USD", "rate": 2, "start": date(2025, 1, 1), "source": SOURCE})
    facts = catalog(
        facility("cn", "CN"), facility("au", "AU"), source("CN", follows), source("AU", ranged(900, 1, 2000)), *rows
    ).but(rates=(rate,))
    found = planned(wanted(100, 100), facts)
    assert bought(found) == {"cn-metal": 200}
    assert ends(found) == (2000 + 2250, 2000 + 2500, 2000 + 3000)


def test_where_no_price_has_a_range_nothing_is_said() -> None:
    """Neither in the run nor in what is told of it."""
    found = planned(wanted(100), catalog(facility("cn", "CN"), source("CN", 10)))
    assert (found.run.ranges, found.run.nominal_low, found.run.nominal_high) == ([], None, None)
    for document in (screen_document(found.run), plan_document(found.run)):
        assert "range" not in text(document)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a good catalog."""
    return Path(shutil.copytree(GOOD, tmp_path / "small"))


PRICES = st.lists(st.tuples(*[st.integers(1, 60)] * 3).map(sorted), min_size=3, max_size=3)


@examples(40)
@given(PRICES, st.lists(st.integers(0, 300), min_size=2, max_size=2), st.integers(0, 2))
def test_what_a_plan_costs_at_an_end_is_what_the_case_with_these_prices_costs_for_the_same_purchases(
    prices: list[list[int]], quantities: list[int], tenths: int
) -> None:
    """Three plants that are all used up, so that no other plan is cheaper: plan, then state the ends as the prices and plan again."""
    lands = ("AU", "CN", "KZ")
    wants = wanted(*(300 for _ in quantities))

    def facts(take: Any) -> Catalog:
        plants = [facility(land.lower(), land, per_year=100) for land in lands]
        return catalog(*plants, *(source(land, take(*three)) for land, three in zip(lands, prices, strict=True)))

    found = planned(wants, facts(lambda low, mid, high: ranged(mid, low, high)), duty(tenths / 10))
    low = planned(wants, facts(lambda low, mid, high: ranged(low, low, low)), duty(tenths / 10))
    high = planned(wants, facts(lambda low, mid, high: ranged(high, high, high)), duty(tenths / 10))
    assert ends(found) == (float(low.cost.nominal), float(found.cost.nominal), float(high.cost.nominal))


@pytest.mark.parametrize(
    ("record", "given", "told"),
    [
        (Price, {"amount": 5, "low": 4, "currency": "USD"}, "one end of a range alone"),
        (Price, {"amount": 5, "low": 6, "high": 7, "currency": "USD"}, "5 does not lie within its range, 6 to 7"),
        (Price, {"amount": 5, "low": 1, "high": 4, "currency": "USD"}, "5 does not lie within its range, 1 to 4"),
        (Price, {"benchmark": "b", "low": 1, "high": 4}, "a range beside no figure"),
        (Quote, {"amount": 5, "high": 4, "low": 4, "currency": "USD", "source": "x"}, "does not lie within"),
    ],
)
def test_a_range_that_does_not_fit_its_figure_is_refused(record: Any, given: dict[str, Any], told: str) -> None:
    """One end, none to stand beside, the wrong way round."""
    with pytest.raises(ValidationError, match=told):
        record.model_validate(given)


def test_ranges_are_read_with_their_price(folder: Path) -> None:
    """In the material's basis and unit, as the price itself; a currency of their own is told where it stands."""
    header = (folder / "offers.csv").read_text(encoding="utf-8").splitlines()[0]
    rows = (folder / "offers.csv").read_text(encoding="utf-8").splitlines()[1:]
    ore = next(row for row in rows if row.startswith("ore,"))
    ends_of = ["12 USD/kg WO3,15 USD/kg WO3" if row == ore else "," for row in rows]
    written = [f"{header},price_low,price_high", *(f"{row},{end}" for row, end in zip(rows, ends_of, strict=True))]
    (folder / "offers.csv").write_text("\n".join(written) + "\n", encoding="utf-8")
    price = next(offer.price for offer in read_catalog(folder).offers if offer.id == "ore")
    assert price is not None
    assert (price.low, price.amount, price.high) == (Decimal("7.8"), Decimal("8.45"), Decimal("9.75"))
    (folder / "offers.csv").write_text("\n".join(written).replace("15 USD/kg WO3", "15 EUR/kg WO3"), encoding="utf-8")
    (one,) = refused(read_catalog, folder)
    assert (one.column, one.message) == ("price_high", "the range is in another currency than the price")


def test_a_change_takes_the_range_along_or_away() -> None:
    """A price that is multiplied has a range that is multiplied; one that is stated has none."""
    bench = BenchmarkPrice.model_validate(
        {"id": "bench", "material": "metal", "date": "2026-01-01", "amount": 10, "low": 9, "high": 12, "currency": "USD", "source": SOURCE}
    )  # fmt: skip
    facts = catalog(facility("au", "AU"), source("AU", ranged(50, 40, 80)), bench)
    rates = {"per_year": Decimal(10), "low": Decimal(8), "high": Decimal(15), "quantities": ()}
    wants = case(demand("metal", "civil", 1).but(**rates), count=1)

    def after(**change: Any) -> tuple[Any, ...]:
        given, (made,), _ = apply_changes([Change.model_validate(change)], wants, [facts], [])
        price, row, want = made.offers[0].price, made.prices[0], given.demands[0]
        assert price is not None
        return (price.low, price.high, row.low, row.high, want.low, want.high)

    assert after(price="au-metal", factor=2) == (80, 160, 9, 12, 8, 15)
    assert after(price="au-metal", amount=45) == (None, None, 9, 12, 8, 15)
    assert after(price="bench", factor=2) == (40, 80, 18, 24, 8, 15)
    assert after(price="bench", amount=45) == (40, 80, None, None, 8, 15)
    assert after(demand="metal", factor=2) == (40, 80, 9, 12, 16, 30)
    assert after(demand="metal", per_year=12) == (40, 80, 9, 12, None, None)


def test_a_demand_is_told_with_its_range_and_planned_without() -> None:
    """10 t a year over one year of which 8 to 15 may be wanted."""
    wants = demand("metal", "civil", 1).but(
        quantities=(), per_year=Decimal(10_000), low=Decimal(8_000), high=Decimal(15_000)
    )
    found = planned(case(wants, count=1), catalog(facility("au", "AU"), source("AU", 50)))
    (told,) = found.run.demands
    assert (told.low_kg, told.wanted_kg, told.high_kg) == (8_000, 10_000, 15_000)
    assert "8 t to 15 t" in text(plan_document(found.run))
    with pytest.raises(InputError, match="a range beside no figure"):
        planned(case(wants.but(per_year=None, quantities=(Decimal(1),)), count=1), catalog())


def test_what_is_told_stands_in_every_output() -> None:
    """On the screen in a line, in full by material."""
    facts = catalog(facility("au", "AU"), source("AU", ranged(50, 40, 80)))
    run = planned(wanted(100), facts).run
    assert "price ranges USD 4,000 to USD 8,000" in text(screen_document(run))
    report = " ".join(text(report_document(run)).replace("· ", "").split())
    assert "the same purchases would cost USD 4,000 to USD 8,000" in report
    full = text(plan_document(run))
    assert "Prices that are given as ranges" in full
    assert "4,000" in full
    assert "8,000" in full


def test_a_range_that_the_facts_do_not_give_fails_verification(tmp_path: Path) -> None:
    """`verify` works the sums out anew."""
    found = planned(wanted(100), catalog(facility("au", "AU"), source("AU", ranged(50, 40, 80))))
    write_run(tmp_path / "run", found.run, found.facts())
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    told["nominal_low"], told["ranges"][0]["cost_high"] = 1, 2
    (tmp_path / "run" / "run.json").write_text(json.dumps(told))
    columns = {one.column for one in verify_run(tmp_path / "run", Registry.of()).findings}
    assert {"nominal_low", "ranges[1].cost_high"} <= columns
