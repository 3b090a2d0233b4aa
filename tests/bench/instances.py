"""The four instances as arrays, generated from a seed. `folders` writes them as cases, and `coefficients` as the textbook program."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]

COUNTRIES = ("AU", "CA", "CN", "JP", "KZ", "US", "VN")


@dataclass(frozen=True, slots=True, eq=False)
class Tiers:
    """Incremental price tiers on the yearly orders from an offer."""

    offer: Ints
    """Offers with tiers."""
    least: Floats
    """Kilograms from which each tier applies, tiered offer x tier. The first is 0."""
    price: Floats
    """Price per kilogram in each tier, tiered offer x tier. The first is the offer's price."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """Monthly demand and offers. Units: kilograms, money, calendar months from January 2027."""

    name: str
    months: int
    discount: float
    """Yearly discount rate."""
    demand: Floats
    """Material x month."""
    shortage: Floats
    """Penalty per kilogram short, by material."""
    holding: Floats
    """Money per kilogram and year, by material."""
    opening: Floats
    """Initial stock in kilograms, by material."""
    country: Ints
    """Position in `COUNTRIES`, by facility."""
    capacity: Floats
    """Kilograms per year, by facility, shared by its offers."""
    material: Ints
    """Material of each offer. Offers are sorted by facility."""
    facility: Ints
    """Facility of each offer."""
    price: Floats
    """Price per kilogram, by offer. With a benchmark, the premium as a share of it."""
    benchmark: Floats | None
    """Benchmark price per kilogram, material x month."""
    capacity_use: Floats
    """Kilograms of the facility's capacity per kilogram, by offer."""
    least: Floats
    """Minimum order in kilograms, by offer. 0 for none."""
    onboarding: Floats
    """One-time cost, by offer. 0 for none."""
    tiers: Tiers | None = None
    share: float | None = None
    """Maximum share of one country in a material's monthly purchases."""

    @property
    def size(self) -> str:
        return f"{len(self.demand):,} materials, {len(self.material):,} offers, {self.months} months"


def linear(scale: float = 1.0) -> Instance:
    """L: 200 materials x 20 offers x 24 months, moving prices, stock in hand, no country above 45% of a month's purchases."""
    rng = np.random.default_rng(31)
    materials, each, months = _many(200, scale), 20, 24
    offers = materials * each
    level, demand = _levels(rng, materials), _demand(rng, materials, months)
    # Each offer has its own plant. Their total capacity is 1.5 to 2 times the demand.
    room = rng.uniform(1.5, 2.0, materials)
    return make_instance(
        "L",
        level,
        demand=demand,
        opening=_whole(rng.uniform(1.0, 2.5, materials) * demand.mean(axis=1)),
        country=rng.integers(0, len(COUNTRIES), offers),
        capacity=_whole(_split(rng, materials, each) * np.repeat(room * 12 * demand.mean(axis=1), each)),
        material=np.repeat(np.arange(materials), each),
        price=np.round(rng.uniform(-0.15, 0.6, offers), 3),
        benchmark=_benchmark(rng, level, months),
        share=0.45,
    )


def decisions(scale: float = 1.0) -> Instance:
    """D: 60 materials x 20 offers x 24 months, onboarding of every offer, order minima of every fourth, nothing joint."""
    rng = np.random.default_rng(32)
    materials, each, months = _many(60, scale), 20, 24
    offers = materials * each
    level, demand = _levels(rng, materials), _demand(rng, materials, months)
    mean_demand = demand.mean(axis=1)
    material = np.repeat(np.arange(materials), each)
    capacity = _whole(
        _split(rng, materials, each) * np.repeat(rng.uniform(2.5, 4.0, materials) * 12 * mean_demand, each)
    )
    min_order = np.where(np.arange(offers) % 4 == 0, rng.uniform(0.3, 0.7, offers) * capacity / 12, 0.0)
    # Onboarding costs as much as 2 to 10% of two years' purchases of the material.
    onboarding = rng.uniform(0.02, 0.1, offers) * (level * mean_demand * months)[material]
    return make_instance(
        "D",
        level,
        demand=demand,
        country=rng.integers(0, len(COUNTRIES), offers),
        capacity=capacity,
        material=material,
        price=_money(level[material] * rng.uniform(0.85, 1.6, offers)),
        least=_whole(min_order),
        onboarding=_whole(onboarding),
    )


def joint(scale: float = 1.0) -> Instance:
    """J: 500 offers x 60 materials x 12 months from 70 facilities that make several materials each, so that everything is connected.

    Every offer has an order minimum and an onboarding cost, and every third has yearly incremental tiers. Capacity is 1.3 times demand.
    """
    rng = np.random.default_rng(33)
    materials, facilities, offers, months = _many(60, scale), _many(70, scale), _many(500, scale), 12
    level, demand = _levels(rng, materials), _demand(rng, materials, months)
    mean_demand = demand.mean(axis=1)
    facility = np.arange(offers) * facilities // offers
    material = _spread(rng, materials, offers)
    use = rng.choice([0.8, 1.0, 1.0, 1.25], offers)
    weight = rng.uniform(0.4, 1.6, facilities)
    capacity = _whole(weight / weight.sum() * 1.3 * 12 * mean_demand.sum())
    # An order is at least 15 to 40% of a month's demand of the material, within what the facility can make.
    month = (capacity / 12)[facility] / use
    min_order = np.minimum(rng.uniform(0.15, 0.4, offers) * mean_demand[material], 0.5 * month)
    price = _money(level[material] * rng.uniform(0.85, 1.5, offers))
    onboarding = rng.uniform(0.02, 0.08, offers) * (level * mean_demand * months)[material]
    priced = np.arange(0, offers, 3)
    # A second tier from 15 to 30% of the year's demand on, a third from twice that on.
    second = rng.uniform(0.15, 0.3, len(priced)) * 12 * mean_demand[material[priced]]
    least, prices = _whole(np.outer(second, [0.0, 1.0, 2.0])), _money(np.outer(price[priced], [1.0, 0.92, 0.85]))
    return make_instance(
        "J",
        level,
        discount=0.0,
        demand=demand,
        country=rng.integers(0, len(COUNTRIES), facilities),
        capacity=capacity,
        material=material,
        facility=facility,
        price=price,
        capacity_use=use,
        least=_whole(min_order),
        onboarding=_whole(onboarding),
        tiers=Tiers(priced, least, prices),
    )


def extra_large(scale: float = 1.0) -> Instance:
    """X: 100,000 offers of 2,000 materials x 24 months; a facility makes four of a family's five materials. Ten offers of every twentieth family have onboarding."""
    rng = np.random.default_rng(34)
    families, months = _many(400, scale), 24
    materials, plants = 5 * families, 62 * families + families // 2
    level, demand = _levels(rng, materials), _demand(rng, materials, months)
    mean_demand = demand.mean(axis=1)
    family = np.arange(plants) * families // plants
    omitted = rng.integers(0, 5, plants)
    makes = np.array([[m for m in range(5) if m != out] for out in range(5)])[omitted]
    material = (5 * family[:, None] + makes).ravel()
    facility = np.repeat(np.arange(plants), 4)
    offers = len(material)
    family_demand = mean_demand.reshape(families, 5).sum(axis=1)
    weight = rng.uniform(0.2, 1.8, plants)
    share = weight / np.bincount(family, weight)[family]
    onboarding = np.zeros(offers)
    for family_number in range(0, families, 20):
        own_offers = rng.permutation(np.flatnonzero(family[facility] == family_number))[:10]
        onboarding[own_offers] = (
            rng.uniform(0.02, 0.1, len(own_offers)) * (level * mean_demand * months)[material[own_offers]]
        )
    return make_instance(
        "X",
        level,
        demand=demand,
        opening=_whole(rng.uniform(1.0, 2.5, materials) * mean_demand),
        country=rng.integers(0, len(COUNTRIES), plants),
        capacity=_whole(share * 1.6 * 12 * family_demand[family]),
        material=material,
        facility=facility,
        price=np.round(rng.uniform(-0.15, 0.6, offers), 3),
        benchmark=_benchmark(rng, level, months),
        onboarding=_whole(onboarding),
    )


INSTANCES: dict[str, Callable[[float], Instance]] = {"L": linear, "D": decisions, "J": joint, "X": extra_large}
"""Instance name -> function of the scale."""


def _many(full: int, scale: float) -> int:
    return max(1, round(full * scale))


def _levels(rng: np.random.Generator, materials: int) -> Floats:
    """Return the usual price per kilogram of each material: 10 to 1,000."""
    return 10 ** rng.uniform(1.0, 3.0, materials)


def _demand(rng: np.random.Generator, materials: int, months: int) -> Floats:
    """Return kilograms by material and month: 1 to 10 tonnes, with a yearly season and 20% noise."""
    usual = 10 ** rng.uniform(3.0, 4.0, (materials, 1))
    season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(months) / 12 + rng.uniform(0, 1, (materials, 1))))
    return _whole(usual * season * rng.uniform(0.8, 1.2, (materials, months)))


def _benchmark(rng: np.random.Generator, level: Floats, months: int) -> Floats:
    return _money(level[:, None] * np.exp(np.cumsum(rng.normal(0.002, 0.04, (len(level), months)), axis=1)))


def _split(rng: np.random.Generator, groups: int, each: int) -> Floats:
    """Return random shares that sum to 1 in each of consecutive groups."""
    weight = rng.uniform(0.3, 1.7, (groups, each))
    parts: Floats = (weight / weight.sum(axis=1, keepdims=True)).ravel()
    return parts


def _spread(rng: np.random.Generator, kinds: int, count: int) -> Ints:
    """Return kinds in random order, all about equally often."""
    return np.asarray(rng.permutation(np.arange(count) % kinds), dtype=np.intp)


def make_instance(name: str, level: Floats, **drawn: Any) -> Instance:
    """Return an instance with these prices, and defaults for everything that isn't drawn."""
    offers = len(drawn["material"])
    defaults = {
        "discount": 0.08, "shortage": _money(10 * level), "holding": _money(0.12 * level), "opening": np.zeros(len(level)),
        "facility": np.arange(offers), "benchmark": None, "capacity_use": np.ones(offers), "least": np.zeros(offers),
        "onboarding": np.zeros(offers), "months": drawn["demand"].shape[1],
    }  # fmt: skip
    return Instance(name=name, **(defaults | drawn))


def _whole(kilograms: Floats) -> Floats:
    rounded: Floats = np.round(kilograms)
    return rounded


def _money(amount: Floats) -> Floats:
    rounded: Floats = np.round(amount, 2)
    return rounded
