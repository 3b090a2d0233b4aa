"""Prices and demands that are given as ranges: read, checked, shown, and what the same plan would cost at their ends."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from friendshore.catalog import load_catalog
from friendshore.document.elements import Document
from friendshore.domain.case import DemandSpec
from friendshore.domain.change import Change
from friendshore.domain.facts import Price, Quote
from friendshore.domain.market import BenchmarkPrice, Rate
from friendshore.domain.run import Run
from friendshore.errors import InputError
from friendshore.plugins import Registry
from friendshore.problem.changes import apply_changes
from friendshore.recommend import Recommendation, verify_run
from friendshore.report import plan_document
from friendshore.rules.kinds.trade import Tariff
from friendshore.run import write_run
from friendshore_pages.report import report_document

from ..building import SOURCE, bought, case, catalog, demand, facility, planned, refused, source, text, unstored
from ..property.settings import examples
from .test_catalog_reading import GOOD

USD = {"currency": "USD", "source": SOURCE}
BENCH = {"id": "bench", "material": "metal", "date": "2026-01-01", "amount": 10, "low": 9, "high": 12, **USD}
AUSTRALIA = facility("au", "AU")


def ranged(amount: float, low: float, high: float) -> Price:
    """A quoted price with its range."""
    return Price.model_validate({"amount": amount, "low": low, "high": high, **USD})


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
    """100 kg at 50 (40 to 80) from Australia with a duty of 10%, and 100 kg at 10 without a range: nothing else moves."""
    facts = catalog(AUSTRALIA, facility("cn", "CN", per_year=100), source("AU", ranged(50, 40, 80)), source("CN", 10))
    found = planned(unstored(200, discount=Decimal("0.05")), facts, duty(0.1))
    assert bought(found) == {"au-metal": 100, "cn-metal": 100}
    assert ends(found) == (1000 + 4400, 1000 + 5500, 1000 + 8800)
    (one,) = found.run.ranges
    assert (one.offer, one.material, one.quantity_kg) == ("au-metal", "metal", 100)
    assert (one.price_low, one.price, one.price_high) == (4000, 5000, 8000)
    assert (one.cost_low, one.cost, one.cost_high) == (4400, 5500, 8800)


def test_a_benchmark_brings_its_range_to_every_offer_that_follows_it() -> None:
    """In euros, with a premium of 25%; only the second of its prices has a range, and a price that nobody pays has none that counts."""
    rows = [
        {**BENCH, "currency": "EUR", "amount": 8, "low": None, "high": None},
        {**BENCH, "currency": "EUR", "date": "2027-01-01"},
    ]
    follows = Price(benchmark="bench", premium=Decimal("0.25"), source=SOURCE)
    rate = Rate.model_validate({"currency": "EUR", "to": "USD", "rate": 2, "start": date(2025, 1, 1), "source": SOURCE})
    sold = source("CN", follows), source("AU", ranged(900, 1, 2000)), *map(BenchmarkPrice.model_validate, rows)
    found = planned(unstored(100, 100), catalog(AUSTRALIA, facility("cn", "CN"), *sold).but(rates=(rate,)))
    assert bought(found) == {"cn-metal": 200}
    assert ends(found) == (2000 + 2250, 2000 + 2500, 2000 + 3000)


PRICES = st.lists(st.tuples(*[st.integers(1, 60)] * 3).map(sorted), min_size=3, max_size=3)


@examples(40)
@given(PRICES, st.lists(st.integers(0, 300), min_size=2, max_size=2), st.integers(0, 2))
def test_what_a_plan_costs_at_an_end_is_what_the_case_with_these_prices_costs_for_the_same_purchases(
    prices: list[list[int]], quantities: list[int], tenths: int
) -> None:
    """Three plants that are all used up, so that no other plan is cheaper: plan, then state the ends as the prices and plan again."""
    lands = ("AU", "CN", "KZ")

    def plan_at(take: Any) -> Recommendation:
        plants = [facility(land.lower(), land, per_year=100) for land in lands]
        facts = catalog(*plants, *(source(land, take(*three)) for land, three in zip(lands, prices, strict=True)))
        return planned(unstored(*(300 for _ in quantities)), facts, duty(tenths / 10))

    found = plan_at(lambda low, mid, high: ranged(mid, low, high))
    low, high = plan_at(lambda low, _, __: ranged(low, low, low)), plan_at(lambda _, __, high: ranged(high, high, high))
    assert ends(found) == (float(low.cost.nominal), float(found.cost.nominal), float(high.cost.nominal))


@pytest.mark.parametrize(
    ("record", "given", "told"),
    [
        (Price, {"amount": 5, "low": 4, "currency": "USD"}, "FS022"),
        (Price, {"amount": 5, "low": 6, "high": 7, "currency": "USD"}, "FS023"),
        (Price, {"amount": 5, "low": 1, "high": 4, "currency": "USD"}, "FS023"),
        (Price, {"benchmark": "b", "low": 1, "high": 4}, "FS022"),
        (Quote, {"amount": 5, "high": 4, "low": 4, "currency": "USD", "source": "x"}, "FS023"),
    ],
)
def test_a_range_that_does_not_fit_its_figure_is_refused(record: Any, given: dict[str, Any], told: str) -> None:
    """One end, none to stand beside, the wrong way round."""
    with pytest.raises(ValidationError, match=told):
        record.model_validate(given)


def test_ranges_are_read_with_their_price(tmp_path: Path) -> None:
    """In the material's basis and unit, as the price itself; a currency of their own is told where it stands."""
    folder = Path(shutil.copytree(GOOD, tmp_path / "small"))
    header, *rows = (folder / "offers.csv").read_text(encoding="utf-8").splitlines()
    ends_of = ["12 USD/kg WO3,15 USD/kg WO3" if row.startswith("ore,") else "," for row in rows]
    lines = [f"{header},price_low,price_high", *(f"{row},{end}" for row, end in zip(rows, ends_of, strict=True))]
    written = "\n".join(lines) + "\n"
    (folder / "offers.csv").write_text(written, encoding="utf-8")
    price = next(offer.price for offer in load_catalog(folder).offers if offer.id == "ore")
    assert price is not None
    assert (price.low, price.amount, price.high) == (Decimal("7.8"), Decimal("8.45"), Decimal("9.75"))
    (folder / "offers.csv").write_text(written.replace("15 USD/kg WO3", "15 EUR/kg WO3"), encoding="utf-8")
    (one,) = refused(load_catalog, folder)
    assert (one.code, one.column) == ("FS115", "price_high")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"price": "au-metal", "factor": 2}, (80, 160, 9, 12, 8, 15)), ({"price": "au-metal", "amount": 45}, (None, None, 9, 12, 8, 15)),
        ({"price": "bench", "factor": 2}, (40, 80, 18, 24, 8, 15)), ({"price": "bench", "amount": 45}, (40, 80, None, None, 8, 15)),
        ({"demand": "metal", "factor": 2}, (40, 80, 9, 12, 16, 30)), ({"demand": "metal", "per_year": 12}, (40, 80, 9, 12, None, None)),
    ],
)  # fmt: skip
def test_a_change_takes_the_range_along_or_away(change: dict[str, Any], expected: tuple[Any, ...]) -> None:
    """What is multiplied has a range that is multiplied; what is stated has none."""
    facts = catalog(AUSTRALIA, source("AU", ranged(50, 40, 80)), BenchmarkPrice.model_validate(BENCH))
    wants = case(yearly(10, 8, 15), count=1)
    given, (made,), _ = apply_changes([Change.model_validate(change)], wants, [facts], [])
    price, row, want = made.offers[0].price, made.prices[0], given.demands[0]
    assert price is not None
    assert (price.low, price.high, row.low, row.high, want.low, want.high) == expected


def yearly(per_year: int, low: int, high: int) -> DemandSpec:
    """A demand for metal, with its range."""
    rates = {"per_year": Decimal(per_year), "low": Decimal(low), "high": Decimal(high), "quantities": ()}
    return demand("metal", "civil", 1).but(**rates)


def test_a_demand_is_told_with_its_range_and_planned_without() -> None:
    """10 t a year over one year of which 8 to 15 may be wanted."""
    wants = yearly(10_000, 8_000, 15_000)
    found = planned(case(wants, count=1), catalog(AUSTRALIA, source("AU", 50)))
    (told,) = found.run.demands
    assert (told.low_kg, told.wanted_kg, told.high_kg) == (8_000, 10_000, 15_000)
    assert "8 t to 15 t" in text(plan_document(found.run))
    assert (found.run.ranges, found.run.nominal_low, found.run.nominal_high) == ([], None, None)
    assert "range" not in text(plan_document(found.run).on_screen()), "no price has one"
    with pytest.raises(InputError, match="FS022"):
        planned(case(wants.but(per_year=None, quantities=(Decimal(1),)), count=1), catalog())


@pytest.mark.parametrize("document", [lambda run: plan_document(run).on_screen(), report_document, plan_document])
def test_what_is_told_stands_in_every_output(document: Callable[[Run], Document]) -> None:
    """On the screen in a line, in full by material."""
    said = text(document(planned(unstored(100), catalog(AUSTRALIA, source("AU", ranged(50, 40, 80)))).run))
    assert "range" in said or "the same purchases would cost" in said
    assert all(money in said for money in ("4,000", "8,000"))


def test_a_range_that_the_facts_do_not_give_fails_verification(tmp_path: Path) -> None:
    """`verify` works the sums out anew."""
    found = planned(unstored(100), catalog(AUSTRALIA, source("AU", ranged(50, 40, 80))))
    write_run(tmp_path / "run", found.run, found.facts())
    told = json.loads((tmp_path / "run" / "run.json").read_text())
    told["nominal_low"], told["ranges"][0]["cost_high"] = 1, 2
    (tmp_path / "run" / "run.json").write_text(json.dumps(told))
    columns = {one.column for one in verify_run(tmp_path / "run", Registry.of()).findings}
    assert {"nominal_low", "ranges[1].cost_high"} <= columns
