"""Problems whose optimum others have published, stated as ordinary cases: the plan costs what they say."""

from __future__ import annotations

import csv
import datetime
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import pytest

import friendshore
from friendshore import Recommendation, Registry
from friendshore.domain.case import Case, DemandSpec, StoreSpec
from friendshore.domain.evidence import Confidence, Source
from friendshore.domain.facts import (
    CapacityStep,
    Catalog,
    Facility,
    Lane,
    Material,
    Offer,
    Price,
    RecipeLine,
    Status,
)
from friendshore.domain.tiers import PriceSchedule, Tier, TierKind
from friendshore.domain.time import Horizon, PeriodLength

WAREHOUSES = Path(__file__).parents[1] / "data" / "published" / "warehouses-16x50.csv"
"""OR-Library, capacitated warehouse location, the customers of cap41 to cap74: demand, and cost per unit from each warehouse."""

Costs = Mapping[str, Mapping[str, Decimal]]
"""Supplier -> customer -> money per unit."""


def shipped(
    costs: Costs, demand: Mapping[str, Decimal], capacity: Mapping[str, int], fixed: int = 0, free_to_open: str = ""
) -> Recommendation:
    """The plan of a shipping problem: one material, a lane for each supplier and customer, one period, no stock."""
    source = Source(id="published", reference="the problem as published", confidence=Confidence.VERIFIED)
    free = Price(amount=Decimal(0), currency="USD", source="published")
    facilities = [Facility(id=f"at-{name}", country="US", place=name) for name in demand]
    offers = []
    for name, lanes in costs.items():
        step = CapacityStep(per_year=Decimal(capacity[name]), status=Status.OPERATING, source="published")
        facilities.append(Facility(id=name, country="US", place=name, capacity=(step,)))
        offers.append(
            Offer(
                id=name,
                facility=name,
                outputs=(RecipeLine(material="goods", per_unit=Decimal(1)),),
                price=free,
                onboarding=Decimal(0 if name == free_to_open else fixed),
                onboarding_currency="USD",
                lanes=tuple(
                    Lane(to=to, freight=cost, currency="USD", source="published") for to, cost in lanes.items()
                ),
            )
        )
    catalog = Catalog(
        name="published",
        materials=(Material(id="goods"),),
        facilities=tuple(facilities),
        offers=tuple(offers),
        sources=(source,),
    )
    case = Case(
        name="published",
        horizon=Horizon(start=datetime.date(2027, 1, 1), count=1, length=PeriodLength.YEAR),
        place="US",
        demands=tuple(
            DemandSpec(
                id=name, material="goods", end_use="civil", place=name, quantities=(q,), shortage_price=Decimal(10**6)
            )
            for name, q in demand.items()
        ),
        stores=tuple(StoreSpec(material="goods", place=name, limit=Decimal(0)) for name in demand),
    )
    return friendshore.plan(case, catalogs=[catalog], registry=Registry.of())


def test_dantzig_transport() -> None:
    """Dantzig 1963, GAMS model library `trnsport`: two canneries, three markets, 153.675 thousand dollars."""
    rate = {
        "seattle": {"new-york": "0.225", "chicago": "0.153", "topeka": "0.162"},
        "san-diego": {"new-york": "0.225", "chicago": "0.162", "topeka": "0.126"},
    }
    costs = {supplier: {to: Decimal(cost) for to, cost in row.items()} for supplier, row in rate.items()}
    demand = {"new-york": Decimal(325), "chicago": Decimal(300), "topeka": Decimal(275)}
    plan = shipped(costs, demand, {"seattle": 350, "san-diego": 600})
    assert plan.objective == pytest.approx(153.675, abs=5e-7)
    assert plan.run.shortage_kg == {}


@pytest.mark.parametrize(
    ("name", "capacity", "fixed", "optimum"),
    [
        ("cap41", 5_000, 7_500, 1_040_444.375),
        ("cap44", 5_000, 25_000, 1_235_500.45),
        ("cap71", 58_268, 7_500, 932_615.75),
    ],
)
def test_capacitated_warehouse_location(name: str, capacity: int, fixed: int, optimum: float) -> None:
    """OR-Library (Beasley): 16 warehouses, all but the eleventh of which cost something to open, 50 customers; optima as published."""
    with WAREHOUSES.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    warehouses = [column for column in rows[0] if column not in ("customer", "demand")]
    costs = {house: {row["customer"]: Decimal(row[house]) for row in rows} for house in warehouses}
    demand = {row["customer"]: Decimal(row["demand"]) for row in rows}
    plan = shipped(costs, demand, dict.fromkeys(warehouses, capacity), fixed, free_to_open="W11")
    assert plan.status.value == "optimal", name
    assert plan.objective == pytest.approx(optimum, rel=1e-6)


BIDS = {
    "a": (33_000, 3_855.84, 0, ((0, "61.15"),)),
    "b": (160_000, 125_804.84, 22_000, ((0, "68.099"), (70_000, "66.049"), (100_000, "64.099"), (150_000, "62.119"))),
    "c": (165_600, 13_456, 0, ((0, "62.19"),)),
    "d": (12_000, 6_583.98, 0, ((0, "72.488"),)),
    "e": (77_000, 0, 0, ((0, "70.15"), (42_000, "68.15"))),
}
"""Bidder -> capacity, set-up, least quantity, and prices of quantity bands."""


@pytest.mark.parametrize("setup", ["onboarding", "lump"])
def test_bid_evaluation(setup: str) -> None:
    """Bracken and McCormick 1968, GAMS model library `bid`: five bids with set-ups and price bands, 15,210,109.512.

    The set-up is the same whether it is the cost of using a bidder at all, or due at once in each of his tiers.
    """
    source = Source(id="published", reference="GAMS model library, bid", confidence=Confidence.VERIFIED)
    facilities, offers, schedules = [], [], []
    for name, (capacity, fixed, least, bands) in BIDS.items():
        step = CapacityStep(per_year=Decimal(capacity), status=Status.OPERATING, source="published")
        facilities.append(Facility(id=name, country="US", capacity=(step,)))
        offers.append(
            Offer(
                id=name,
                facility=name,
                outputs=(RecipeLine(material="unit", per_unit=Decimal(1)),),
                price=Price(amount=Decimal(bands[0][1]), currency="USD", source="published"),
                min_order=Decimal(least) or None,
                onboarding=Decimal(str(fixed)) if setup == "onboarding" else None,
            )
        )
        lump = Decimal(str(fixed)) if setup == "lump" else Decimal(0)
        tiers = tuple(Tier(least=Decimal(start), price=Decimal(price), lump=lump) for start, price in bands)
        schedules.append(
            PriceSchedule(
                of="offer", id=name, kind=TierKind.INCREMENTAL, per="horizon", tiers=tiers, source="published"
            )
        )
    catalog = Catalog(
        name="published",
        materials=(Material(id="unit"),),
        facilities=tuple(facilities),
        offers=tuple(offers),
        schedules=tuple(schedules),
        sources=(source,),
    )
    wanted = DemandSpec(
        material="unit", end_use="civil", quantities=(Decimal("239600.48"),), shortage_price=Decimal(1000)
    )
    case = Case(
        name="published",
        horizon=Horizon(start=datetime.date(2027, 1, 1), count=1, length=PeriodLength.YEAR),
        place="US",
        demands=(wanted,),
    )
    plan = friendshore.plan(case, catalogs=[catalog], registry=Registry.of())
    assert plan.status.value == "optimal"
    assert plan.objective == pytest.approx(15_210_109.512, abs=5e-4)
