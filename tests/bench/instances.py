"""The four instances as arrays, drawn from a seed: what friendshore and its peers are all given.

Nothing here knows a solver or a formulation. `folders` turns an instance into a case and a catalog, `plain` into
the textbook program.
"""

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
    """Incremental price tiers on what is ordered from an offer in a calendar year."""

    offer: Ints
    """Offers that have them."""
    least: Floats
    """Kilograms from which each tier holds, tiered offer x tier; the first is 0."""
    price: Floats
    """Money per kilogram within each tier; the first is the offer's quoted price."""


@dataclass(frozen=True, slots=True, eq=False)
class Instance:
    """What is wanted month by month, and who offers what. Kilograms, money, calendar months from January 2027."""

    name: str
    months: int
    discount: float
    """Share a year by which later money counts less."""
    demand: Floats
    """Material x month."""
    shortage: Floats
    """Money per kilogram not delivered, by material."""
    holding: Floats
    """Money per kilogram and year, by material."""
    opening: Floats
    """Kilograms in hand at the start, by material."""
    country: Ints
    """Position in `COUNTRIES`, by facility."""
    capacity: Floats
    """Kilograms a year, by facility; shared by all its offers."""
    material: Ints
    """By offer; offers come in order of facility."""
    facility: Ints
    """By offer."""
    price: Floats
    """Quoted money per kilogram by offer; where there is a benchmark, the share on top of it."""
    benchmark: Floats | None
    """Money per kilogram, material x month."""
    capacity_use: Floats
    """Kilograms of the facility's capacity that a kilogram takes, by offer."""
    least: Floats
    """Least ordered in a month, if anything is, by offer; 0: any quantity."""
    onboarding: Floats
    """Money once, if the offer is used at all; 0: none."""
    tiers: Tiers | None = None
    share: float | None = None
    """Most of a material's purchases that may arrive from one country in a month."""

    @property
    def size(self) -> str:
        """Its size in words."""
        return f"{len(self.demand):,} materials, {len(self.material):,} offers, {self.months} months"


def linear(scale: float = 1.0) -> Instance:
    """L: 200 materials x 20 offers x 24 months, moving prices, stock in hand, no country above 45 % of a month's purchases."""
    dice = np.random.default_rng(31)
    materials, each, months = _many(200, scale), 20, 24
    offers = materials * each
    level, demand = _levels(dice, materials), _demand(dice, materials, months)
    # Each offer is of a plant of its own; together they could make 1.5 to 2 times what is wanted.
    room = dice.uniform(1.5, 2.0, materials)
    return made(
        "L",
        level,
        demand=demand,
        opening=_whole(dice.uniform(1.0, 2.5, materials) * demand.mean(axis=1)),
        country=dice.integers(0, len(COUNTRIES), offers),
        capacity=_whole(_split(dice, materials, each) * np.repeat(room * 12 * demand.mean(axis=1), each)),
        material=np.repeat(np.arange(materials), each),
        price=np.round(dice.uniform(-0.15, 0.6, offers), 3),
        benchmark=_benchmark(dice, level, months),
        share=0.45,
    )


def decisions(scale: float = 1.0) -> Instance:
    """D: 60 materials x 20 offers x 24 months, onboarding of every offer, order minima of every fourth, nothing joint."""
    dice = np.random.default_rng(32)
    materials, each, months = _many(60, scale), 20, 24
    offers = materials * each
    level, demand = _levels(dice, materials), _demand(dice, materials, months)
    usual = demand.mean(axis=1)
    material = np.repeat(np.arange(materials), each)
    capacity = _whole(_split(dice, materials, each) * np.repeat(dice.uniform(2.5, 4.0, materials) * 12 * usual, each))
    minimum = np.where(np.arange(offers) % 4 == 0, dice.uniform(0.3, 0.7, offers) * capacity / 12, 0.0)
    # Onboarding costs as much as 2 to 10 % of two years' purchases of the material.
    onboarding = dice.uniform(0.02, 0.1, offers) * (level * usual * months)[material]
    return made(
        "D",
        level,
        demand=demand,
        country=dice.integers(0, len(COUNTRIES), offers),
        capacity=capacity,
        material=material,
        price=_money(level[material] * dice.uniform(0.85, 1.6, offers)),
        least=_whole(minimum),
        onboarding=_whole(onboarding),
    )


def joint(scale: float = 1.0) -> Instance:
    """J: 500 offers x 60 materials x 12 months from 70 facilities that make several materials each, so that all hangs together.

    Every offer has an order minimum and an onboarding cost, every third incremental price tiers by the year. Facilities can
    make 1.3 times what is wanted.
    """
    dice = np.random.default_rng(33)
    materials, facilities, offers, months = _many(60, scale), _many(70, scale), _many(500, scale), 12
    level, demand = _levels(dice, materials), _demand(dice, materials, months)
    usual = demand.mean(axis=1)
    facility = np.arange(offers) * facilities // offers
    material = _spread(dice, materials, offers)
    use = dice.choice([0.8, 1.0, 1.0, 1.25], offers)
    weight = dice.uniform(0.4, 1.6, facilities)
    capacity = _whole(weight / weight.sum() * 1.3 * 12 * usual.sum())
    # An order is at least 15 to 40 % of a month's demand of the material, within what the facility can make.
    month = (capacity / 12)[facility] / use
    minimum = np.minimum(dice.uniform(0.15, 0.4, offers) * usual[material], 0.5 * month)
    price = _money(level[material] * dice.uniform(0.85, 1.5, offers))
    onboarding = dice.uniform(0.02, 0.08, offers) * (level * usual * months)[material]
    priced = np.arange(0, offers, 3)
    # A second tier from 15 to 30 % of the year's demand on, a third from twice that on.
    second = dice.uniform(0.15, 0.3, len(priced)) * 12 * usual[material[priced]]
    least, prices = _whole(np.outer(second, [0.0, 1.0, 2.0])), _money(np.outer(price[priced], [1.0, 0.92, 0.85]))
    return made(
        "J",
        level,
        discount=0.0,
        demand=demand,
        country=dice.integers(0, len(COUNTRIES), facilities),
        capacity=capacity,
        material=material,
        facility=facility,
        price=price,
        capacity_use=use,
        least=_whole(minimum),
        onboarding=_whole(onboarding),
        tiers=Tiers(priced, least, prices),
    )


def extra_large(scale: float = 1.0) -> Instance:
    """X: 100,000 offers of 2,000 materials x 24 months; a facility makes four of a family's five materials.

    Onboarding is asked for by ten offers of every twentieth family; all else is linear.
    """
    dice = np.random.default_rng(34)
    families, months = _many(400, scale), 24
    materials, plants = 5 * families, 62 * families + families // 2
    level, demand = _levels(dice, materials), _demand(dice, materials, months)
    usual = demand.mean(axis=1)
    family = np.arange(plants) * families // plants
    left_out = dice.integers(0, 5, plants)
    makes = np.array([[m for m in range(5) if m != out] for out in range(5)])[left_out]
    material = (5 * family[:, None] + makes).ravel()
    facility = np.repeat(np.arange(plants), 4)
    offers = len(material)
    wanted = usual.reshape(families, 5).sum(axis=1)
    weight = dice.uniform(0.2, 1.8, plants)
    share = weight / np.bincount(family, weight)[family]
    onboarding = np.zeros(offers)
    for one in range(0, families, 20):
        own = dice.permutation(np.flatnonzero(family[facility] == one))[:10]
        onboarding[own] = dice.uniform(0.02, 0.1, len(own)) * (level * usual * months)[material[own]]
    return made(
        "X",
        level,
        demand=demand,
        opening=_whole(dice.uniform(1.0, 2.5, materials) * usual),
        country=dice.integers(0, len(COUNTRIES), plants),
        capacity=_whole(share * 1.6 * 12 * wanted[family]),
        material=material,
        facility=facility,
        price=np.round(dice.uniform(-0.15, 0.6, offers), 3),
        benchmark=_benchmark(dice, level, months),
        onboarding=_whole(onboarding),
    )


INSTANCES: dict[str, Callable[[float], Instance]] = {"L": linear, "D": decisions, "J": joint, "X": extra_large}
"""Each instance by its name, as a function of the scale."""


def _many(full: int, scale: float) -> int:
    return max(1, round(full * scale))


def _levels(dice: np.random.Generator, materials: int) -> Floats:
    """The usual price of each material: from 10 to 1,000 a kilogram."""
    return 10 ** dice.uniform(1.0, 3.0, materials)


def _demand(dice: np.random.Generator, materials: int, months: int) -> Floats:
    """Kilograms a month: 1 to 10 tonnes, with a season of the year and a fifth of noise."""
    usual = 10 ** dice.uniform(3.0, 4.0, (materials, 1))
    season = 1 + 0.3 * np.sin(2 * np.pi * (np.arange(months) / 12 + dice.uniform(0, 1, (materials, 1))))
    return _whole(usual * season * dice.uniform(0.8, 1.2, (materials, months)))


def _benchmark(dice: np.random.Generator, level: Floats, months: int) -> Floats:
    """A price of each material that moves from month to month."""
    return _money(level[:, None] * np.exp(np.cumsum(dice.normal(0.002, 0.04, (len(level), months)), axis=1)))


def _split(dice: np.random.Generator, groups: int, each: int) -> Floats:
    """Random parts that add up to one in every group, one after the other."""
    weight = dice.uniform(0.3, 1.7, (groups, each))
    parts: Floats = (weight / weight.sum(axis=1, keepdims=True)).ravel()
    return parts


def _spread(dice: np.random.Generator, kinds: int, count: int) -> Ints:
    """Every kind about as often, in random order."""
    return np.asarray(dice.permutation(np.arange(count) % kinds), dtype=np.intp)


def made(name: str, level: Floats, **drawn: Any) -> Instance:
    """An instance of materials at these prices; what is not drawn is at its plainest."""
    offers = len(drawn["material"])
    plainest = {
        "discount": 0.08, "shortage": _money(10 * level), "holding": _money(0.12 * level), "opening": np.zeros(len(level)),
        "facility": np.arange(offers), "benchmark": None, "capacity_use": np.ones(offers), "least": np.zeros(offers),
        "onboarding": np.zeros(offers), "months": drawn["demand"].shape[1],
    }  # fmt: skip
    return Instance(name=name, **(plainest | drawn))


def _whole(kilograms: Floats) -> Floats:
    rounded: Floats = np.round(kilograms)
    return rounded


def _money(amount: Floats) -> Floats:
    rounded: Floats = np.round(amount, 2)
    return rounded
