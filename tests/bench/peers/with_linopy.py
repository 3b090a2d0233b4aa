"""linopy: labeled arrays of variables, grouped sums, handed to HiGHS in memory."""

from __future__ import annotations

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from ..answer import Answer, Stop
from ..instances import Floats, Ints
from ..plain import Plain, Steps
from .arrays import options, read


def run(plain: Plain, stop: Stop, solve: bool = True) -> Answer:
    """Builds the model, hands it over, and solves."""
    answer = Answer()
    with answer.phase("build"):
        solver = _Model(plain).model.to_highspy()
        for name, value in options(stop).items():
            solver.setOptionValue(name, value)
    if solve:
        with answer.phase("solve"):
            solver.run()
            found = solver.getSolution().col_value
        read(solver, answer, plain.mixed, len(found) > 0)
    return answer


class _Model:
    def __init__(self, plain: Plain) -> None:
        self.plain = plain
        self.model = linopy.Model()
        offers, months = plain.price.shape
        self.offers = pd.RangeIndex(offers, name="offer")
        self.months = pd.RangeIndex(months, name="month")
        self.materials = pd.RangeIndex(len(plain.demand), name="material")
        self.facilities = pd.RangeIndex(len(plain.capacity), name="facility")
        self.buy = self.model.add_variables(lower=0, coords=[self.offers, self.months], name="buy")
        self.cost = (self.buy * self._by(plain.price, self.offers)).sum()
        self._flow()
        if plain.share is not None:
            self._shares(plain.share)
        if len(plain.ordering):
            self._orders()
        if len(plain.boarding):
            self._onboarding()
        if plain.steps is not None:
            self._tiers(plain.steps)
        if plain.budget is not None:
            self._budget(plain.budget)
        self.model.add_objective(self.cost)

    def _by(self, values: Floats, first: pd.Index) -> xr.DataArray:
        """Figures by something and month, or by something alone."""
        return xr.DataArray(values, coords=[first, self.months] if values.ndim == 2 else [first])

    def _key(self, values: Ints, name: str) -> xr.DataArray:
        """What each offer belongs to."""
        return xr.DataArray(values, coords=[self.offers], name=name)

    def _flow(self) -> None:
        plain, model = self.plain, self.model
        where = [self.materials, self.months]
        self.stock = model.add_variables(lower=0, coords=where, name="stock")
        demand = self._by(plain.demand, self.materials)
        short = model.add_variables(lower=0, upper=demand, coords=where, name="short")
        self.cost += (self.stock * self._by(plain.held, self.materials)).sum()
        self.cost += (short * self._by(plain.missed, self.materials)).sum()
        self.bought = (1 * self.buy).groupby(self._key(plain.material, "material")).sum()
        wanted = plain.demand.copy()
        wanted[:, 0] -= plain.opening
        flow = self.bought + (1 * self.stock).shift(month=1).fillna(0) - self.stock + short
        model.add_constraints(flow == self._by(wanted, self.materials), name="balance")
        use = self.buy * self._by(plain.capacity_use, self.offers)
        taken = use.groupby(self._key(plain.facility, "facility")).sum()
        model.add_constraints(taken <= self._by(plain.capacity, self.facilities), name="capacity")

    def _shares(self, share: float) -> None:
        plain = self.plain
        pairs, own = np.unique(np.stack([plain.material, plain.country]), axis=1, return_inverse=True)
        from_country = (1 * self.buy).groupby(self._key(own.ravel(), "pair")).sum()
        material = xr.DataArray(pairs[0], coords=[pd.RangeIndex(pairs.shape[1], name="pair")])
        everything = self.bought.sel(material=material)
        self.model.add_constraints(from_country - share * everything <= 0, name="shares")

    def _orders(self) -> None:
        plain, some = self.plain, self.offers[self.plain.ordering]
        buy = self.buy.sel(offer=some)
        order = self.model.add_variables(binary=True, coords=[some, self.months], name="order")
        least = self._by(plain.least[plain.ordering], some)
        self.model.add_constraints(buy - least * order >= 0, name="minimum")
        self.model.add_constraints(buy - self._by(plain.most[plain.ordering], some) * order <= 0, name="ordered")

    def _onboarding(self) -> None:
        plain, some = self.plain, self.offers[self.plain.boarding]
        self.use = self.model.add_variables(binary=True, coords=[some], name="use")
        self.once = (self.use * self._by(plain.onboarding[plain.boarding], some)).sum()
        self.cost += self.once
        linked = self.buy.sel(offer=some) - self._by(plain.most[plain.boarding], some) * self.use
        self.model.add_constraints(linked <= 0, name="onboarding")

    def _tiers(self, steps: Steps) -> None:
        some = self.offers[steps.offer]
        years = pd.RangeIndex(steps.width.shape[1], name="year")
        tiers = pd.RangeIndex(steps.width.shape[2], name="tier")
        width = xr.DataArray(steps.width, coords=[some, years, tiers])
        tier = self.model.add_variables(lower=0, upper=width, coords=[some, years, tiers], name="tier")
        reach = self.model.add_variables(binary=True, coords=[some, years, tiers[1:]], name="reach")
        self.cost += (tier * xr.DataArray(steps.saving, coords=[some, tiers])).sum()
        year = xr.DataArray(self.plain.year, coords=[self.months], name="year")
        bought = (1 * self.buy.sel(offer=some)).groupby(year).sum()
        self.model.add_constraints(bought - tier.sum("tier") == 0, name="year's quantity")
        below = tier.sel(tier=tiers[:-1]).assign_coords(tier=tiers[1:])
        self.model.add_constraints(below - width[:, :, :-1].assign_coords(tier=tiers[1:]) * reach >= 0, name="full")
        self.model.add_constraints(tier.sel(tier=tiers[1:]) - width[:, :, 1:] * reach <= 0, name="opened")

    def _budget(self, budget: float) -> None:
        plain = self.plain
        year = xr.DataArray(plain.year, coords=[self.months], name="year")
        spent = (self.buy * self._by(plain.spent, self.offers)).sum("offer")
        spent += (self.stock * self._by(plain.kept, self.materials)).sum("material")
        yearly = spent.groupby(year).sum()
        if len(plain.boarding):
            years = pd.RangeIndex(int(plain.year[-1]) + 1, name="year")
            yearly = yearly + self.once * xr.DataArray((years == 0) * 1.0, coords=[years])
        self.model.add_constraints(yearly <= budget, name="budget")
