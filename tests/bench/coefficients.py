"""Coefficients of the textbook program of an instance, from which every peer is built without using friendshore.

With offers o of material m(o) from facility f(o) in country c(o), months t, and D the demand:

    minimize   sum price[o,t] buy[o,t] + sum holding_cost[m,t] stock[m,t] + sum shortage_cost[m,t] short[m,t]
               + sum onboarding[o] use[o] + sum saving[k,y,i] tier[k,y,i]
    stock[m,t-1] + sum buy[o,t] - stock[m,t] + short[m,t] = D[m,t]                  balance (stock[m,-1]: the opening stock)
    sum of o at f: capacity_use[o] buy[o,t] <= capacity[f,t]                        joint capacity
    sum of o of m in c: buy[o,t] <= share * sum of o of m: buy[o,t]                 country shares
    least[o] order[o,t] <= buy[o,t] <= most[o,t] order[o,t]                         order minima, order 0/1
    buy[o,t] <= most[o,t] use[o]                                                    onboarding, use 0/1
    sum over y of buy[o,t] = sum tier[k,y,i]; tier[k,y,i] <= width[k,y,i] reach[k,y,i];
    tier[k,y,i] >= width[k,y,i] reach[k,y,i+1]                                      incremental tiers, reach 0/1, reach[.,.,0] = 1
    sum over y of (purchase_spend[o,t] buy[o,t] + stock_spend[m,t] stock[m,t]) + onboarding <= budget  money of a year, where there is a budget

`most` is the facility's capacity for the offer alone: the big-M.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass

import numpy as np

from .instances import Floats, Instance, Ints

FIRST_YEAR = 2027


@dataclass(frozen=True, slots=True, eq=False)
class Steps:
    """The tiers of some offers in every year of the plan."""

    offer: Ints
    """Offer numbers, by tiered offer."""
    width: Floats
    """Kilograms in each tier, tiered offer x year x tier."""
    saving: Floats
    """Price per kilogram above the quoted price, at most 0, tiered offer x tier."""


@dataclass(frozen=True, slots=True, eq=False)
class Coefficients:
    """Coefficients of the textbook program, named as in the module's docstring."""

    material: Ints
    facility: Ints
    country: Ints
    """By offer."""
    year: Ints
    """Year of each month, from 0."""
    price: Floats
    holding_cost: Floats
    shortage_cost: Floats
    demand: Floats
    opening: Floats
    capacity: Floats
    capacity_use: Floats
    most: Floats
    least: Floats
    onboarding: Floats
    purchase_spend: Floats
    stock_spend: Floats
    steps: Steps | None
    share: float | None
    budget: float | None = None
    """Maximum spend of each year, not discounted."""

    @property
    def ordering(self) -> Ints:
        """Offers with an order minimum."""
        return np.flatnonzero(self.least)

    @property
    def boarding(self) -> Ints:
        """Offers with an onboarding cost."""
        return np.flatnonzero(self.onboarding)

    @property
    def mixed(self) -> bool:
        """True if any variable is binary."""
        return bool(self.least.any() or self.onboarding.any() or self.steps is not None)


def coefficients_of(instance: Instance, budget: float | None = None) -> Coefficients:
    months = np.arange(instance.months)
    year = months // 12
    part = np.array([_part_of_year(FIRST_YEAR + t // 12, t % 12 + 1) for t in range(instance.months)])
    counts = (1 + instance.discount) ** (-months / 12)
    if instance.benchmark is None:
        purchase_spend = np.repeat(instance.price[:, None], instance.months, axis=1)
    else:
        purchase_spend = instance.benchmark[instance.material] * (1 + instance.price[:, None])
    stock_spend = instance.holding[:, None] * part
    capacity = instance.capacity[:, None] * part
    most = capacity[instance.facility] / instance.capacity_use[:, None]
    unchanged = ("material", "facility", "demand", "opening", "capacity_use", "least", "onboarding", "share")
    return Coefficients(
        **{name: getattr(instance, name) for name in unchanged}, country=instance.country[instance.facility], year=year,
        price=purchase_spend * counts, holding_cost=stock_spend * counts, shortage_cost=instance.shortage[:, None] * counts, capacity=capacity,
        most=most, purchase_spend=purchase_spend, stock_spend=stock_spend, steps=_steps(instance, most, year), budget=budget,
    )  # fmt: skip


def groups(keys: Ints) -> dict[int, list[int]]:
    """Return the positions of each key."""
    order = np.argsort(keys, kind="stable")
    unique_keys, starts = np.unique(keys[order], return_index=True)
    return {
        int(key): positions.tolist() for key, positions in zip(unique_keys, np.split(order, starts[1:]), strict=True)
    }


def _part_of_year(year: int, month: int) -> float:
    """Return the length of a month as a share of its year."""
    return calendar.monthrange(year, month)[1] / (366 if calendar.isleap(year) else 365)


def _steps(instance: Instance, most: Floats, year: Ints) -> Steps | None:
    tiers = instance.tiers
    if tiers is None:
        return None
    if instance.discount:
        raise ValueError("a yearly tier has no month of its own, so that its money cannot be discounted")
    yearly = np.stack([most[tiers.offer][:, year == y].sum(axis=1) for y in range(year[-1] + 1)], axis=1)
    inner = np.repeat(np.diff(tiers.least, axis=1)[:, None, :], year[-1] + 1, axis=1)
    last = np.maximum(yearly - tiers.least[:, -1:], 0.0)
    return Steps(tiers.offer, np.concatenate([inner, last[:, :, None]], axis=2), tiers.price - tiers.price[:, :1])
