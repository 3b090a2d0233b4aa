"""linopy: labeled arrays of variables and grouped sums, passed to HiGHS in memory."""

from __future__ import annotations

import linopy
import numpy as np
import pandas as pd
import xarray as xr

from ..answer import Answer, Stop
from ..coefficients import Coefficients, Steps
from ..instances import Floats, Ints
from .arrays import options, read


def run(data: Coefficients, stop: Stop, solve: bool = True) -> Answer:
    answer = Answer()
    with answer.phase("build"):
        solver = _Model(data).model.to_highspy()
        for name, value in options(stop).items():
            solver.setOptionValue(name, value)
    if solve:
        with answer.phase("solve"):
            solver.run()
            column_values = solver.getSolution().col_value
        read(solver, answer, data.mixed, len(column_values) > 0)
    return answer


class _Model:
    def __init__(self, data: Coefficients) -> None:
        self.data = data
        self.model = linopy.Model()
        offers, months = data.price.shape
        self.offers = pd.RangeIndex(offers, name="offer")
        self.months = pd.RangeIndex(months, name="month")
        self.materials = pd.RangeIndex(len(data.demand), name="material")
        self.facilities = pd.RangeIndex(len(data.capacity), name="facility")
        self.buy = self.model.add_variables(lower=0, coords=[self.offers, self.months], name="buy")
        self.cost = (self.buy * self._by(data.price, self.offers)).sum()
        self._flow()
        if data.share is not None:
            self._shares(data.share)
        if len(data.ordering):
            self._orders()
        if len(data.boarding):
            self._onboarding()
        if data.steps is not None:
            self._tiers(data.steps)
        if data.budget is not None:
            self._budget(data.budget)
        self.model.add_objective(self.cost)

    def _by(self, values: Floats, first: pd.Index) -> xr.DataArray:
        """Return values by an index, or by an index and month."""
        return xr.DataArray(values, coords=[first, self.months] if values.ndim == 2 else [first])

    def _key(self, values: Ints, name: str) -> xr.DataArray:
        return xr.DataArray(values, coords=[self.offers], name=name)

    def _flow(self) -> None:
        data, model = self.data, self.model
        where = [self.materials, self.months]
        self.stock = model.add_variables(lower=0, coords=where, name="stock")
        demand = self._by(data.demand, self.materials)
        short = model.add_variables(lower=0, upper=demand, coords=where, name="short")
        self.cost += (self.stock * self._by(data.holding_cost, self.materials)).sum()
        self.cost += (short * self._by(data.shortage_cost, self.materials)).sum()
        self.bought = (1 * self.buy).groupby(self._key(data.material, "material")).sum()
        net_demand = data.demand.copy()
        net_demand[:, 0] -= data.opening
        flow = self.bought + (1 * self.stock).shift(month=1).fillna(0) - self.stock + short
        model.add_constraints(flow == self._by(net_demand, self.materials), name="balance")
        use = self.buy * self._by(data.capacity_use, self.offers)
        used = use.groupby(self._key(data.facility, "facility")).sum()
        model.add_constraints(used <= self._by(data.capacity, self.facilities), name="capacity")

    def _shares(self, share: float) -> None:
        data = self.data
        pairs, own = np.unique(np.stack([data.material, data.country]), axis=1, return_inverse=True)
        from_country = (1 * self.buy).groupby(self._key(own.ravel(), "pair")).sum()
        material = xr.DataArray(pairs[0], coords=[pd.RangeIndex(pairs.shape[1], name="pair")])
        everything = self.bought.sel(material=material)
        self.model.add_constraints(from_country - share * everything <= 0, name="shares")

    def _orders(self) -> None:
        data, offers = self.data, self.offers[self.data.ordering]
        buy = self.buy.sel(offer=offers)
        order = self.model.add_variables(binary=True, coords=[offers, self.months], name="order")
        least = self._by(data.least[data.ordering], offers)
        self.model.add_constraints(buy - least * order >= 0, name="minimum")
        self.model.add_constraints(buy - self._by(data.most[data.ordering], offers) * order <= 0, name="ordered")

    def _onboarding(self) -> None:
        data, offers = self.data, self.offers[self.data.boarding]
        self.use = self.model.add_variables(binary=True, coords=[offers], name="use")
        self.once = (self.use * self._by(data.onboarding[data.boarding], offers)).sum()
        self.cost += self.once
        linked = self.buy.sel(offer=offers) - self._by(data.most[data.boarding], offers) * self.use
        self.model.add_constraints(linked <= 0, name="onboarding")

    def _tiers(self, steps: Steps) -> None:
        offers = self.offers[steps.offer]
        years = pd.RangeIndex(steps.width.shape[1], name="year")
        tiers = pd.RangeIndex(steps.width.shape[2], name="tier")
        width = xr.DataArray(steps.width, coords=[offers, years, tiers])
        tier = self.model.add_variables(lower=0, upper=width, coords=[offers, years, tiers], name="tier")
        reach = self.model.add_variables(binary=True, coords=[offers, years, tiers[1:]], name="reach")
        self.cost += (tier * xr.DataArray(steps.saving, coords=[offers, tiers])).sum()
        year = xr.DataArray(self.data.year, coords=[self.months], name="year")
        bought = (1 * self.buy.sel(offer=offers)).groupby(year).sum()
        self.model.add_constraints(bought - tier.sum("tier") == 0, name="year's quantity")
        below = tier.sel(tier=tiers[:-1]).assign_coords(tier=tiers[1:])
        self.model.add_constraints(below - width[:, :, :-1].assign_coords(tier=tiers[1:]) * reach >= 0, name="full")
        self.model.add_constraints(tier.sel(tier=tiers[1:]) - width[:, :, 1:] * reach <= 0, name="opened")

    def _budget(self, budget: float) -> None:
        data = self.data
        year = xr.DataArray(data.year, coords=[self.months], name="year")
        spent = (self.buy * self._by(data.purchase_spend, self.offers)).sum("offer")
        spent += (self.stock * self._by(data.stock_spend, self.materials)).sum("material")
        yearly = spent.groupby(year).sum()
        if len(data.boarding):
            years = pd.RangeIndex(int(data.year[-1]) + 1, name="year")
            yearly = yearly + self.once * xr.DataArray((years == 0) * 1.0, coords=[years])
        self.model.add_constraints(yearly <= budget, name="budget")
