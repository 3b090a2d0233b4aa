"""The price of being able to lose anybody: held against a linear program written down directly, and against its own laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linprog
from tests.building import METAL, case, catalog, chain, demand, facility, offer, store
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases

from friendshore.problem.inputs import Inputs
from friendshore.session import Session
from friendshore_risk.stress.insurance import insurance
from friendshore_risk.stress.insured import Insurance
from friendshore_risk.stress.losses import losses
from friendshore_risk.stress.search import stress

COUNTRIES = ("AU", "CN", "JP")
PRICE = 1000
"""Money per kilogram short."""


@dataclass(frozen=True)
class World:
    """One metal from three plants over three years."""

    wanted: tuple[int, ...]
    costs: tuple[int, ...]
    capacities: tuple[int, ...]
    onboarding: tuple[int, ...]
    lags: tuple[int, ...]
    holding: int

    def session(self) -> Session:
        """The same as a case."""
        things: list[Any] = []
        for i, country in enumerate(COUNTRIES):
            more: dict[str, Any] = {"lead_time": 12 * self.lags[i]}
            if self.onboarding[i]:
                more |= {"onboarding": self.onboarding[i], "onboarding_currency": "USD"}
            things.append(facility(country.lower(), country, self.capacities[i]))
            things.append(offer(country, country.lower(), "metal", self.costs[i], chain(country, *METAL), **more))
        made = case(demand("metal", "civil", *self.wanted, price=PRICE), stores=(store("metal", self.holding),))
        return Session.open(Inputs(made, (catalog(*things),), ()))


@st.composite
def worlds(draw: Any) -> World:
    """Any of them."""

    def three(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in range(3))

    onboarding = tuple(draw(st.sampled_from((0, 0, 30, 200))) for _ in range(3))
    return World(three(0, 12), three(1, 60), three(0, 15), onboarding, three(0, 1), draw(st.integers(0, 4)))


def least(world: World, first: int, lost: Sequence[int], short: float | None) -> float | None:
    """The least cost where no loss comes, by one linear program for every choice of whom to onboard; None: there is no plan.

    Args:
        world: what is wanted and offered.
        first: first period of a loss.
        lost: plants that may be lost, each alone.
        short: most kilograms short over the plan, in every case; None: any.
    """
    found = [_for(world, first, lost, short, chosen) for chosen in product((0, 1), repeat=3)]
    plans = [cost for cost in found if cost is not None]
    return min(plans) if plans else None


def _for(world: World, first: int, lost: Sequence[int], short: float | None, chosen: tuple[int, ...]) -> float | None:
    """Columns of each case: bought (plant, period of order), held and short at each period; before a loss all cases agree."""
    periods, plants = 3, 3
    block = plants * periods + 2 * periods
    cases = [None, *lost]
    cost = np.zeros(block * len(cases))
    upper = np.full(len(cost), np.inf)
    rows: list[np.ndarray] = []
    sides: list[float] = []
    below: list[np.ndarray] = []
    most: list[float] = []
    for number, who in enumerate(cases):
        at = number * block
        for plant, t in product(range(plants), range(periods)):
            open_ = (chosen[plant] or not world.onboarding[plant]) and t + world.lags[plant] < periods
            gone = plant == who and t >= first
            upper[at + plant * periods + t] = world.capacities[plant] if open_ and not gone else 0
            cost[at + plant * periods + t] = world.costs[plant] if who is None else 0
        for t in range(periods):
            held, missing = at + plants * periods + t, at + plants * periods + periods + t
            upper[missing] = world.wanted[t]
            if who is None:
                cost[held], cost[missing] = world.holding, PRICE
            row = np.zeros(len(cost))
            for plant in range(plants):
                if t - world.lags[plant] >= 0:
                    row[at + plant * periods + t - world.lags[plant]] = 1
            row[held], row[missing] = -1, 1
            if t:
                row[held - 1] = 1
            rows.append(row)
            sides.append(world.wanted[t])
        if short is not None:
            row = np.zeros(len(cost))
            row[at + plants * periods + periods : at + block] = 1
            below.append(row)
            most.append(short)
        for column in range(block) if who is not None else ():
            if column % periods < first:
                row = np.zeros(len(cost))
                row[at + column], row[column] = 1, -1
                rows.append(row)
                sides.append(0)
    bounds = list(zip(np.zeros(len(cost)), upper, strict=True))
    answer = linprog(cost, np.array(below) if below else None, most or None, np.array(rows), sides, bounds)
    onboarded = sum(world.onboarding[plant] for plant in range(plants) if chosen[plant])
    return float(answer.fun) + onboarded if answer.status == 0 else None


@given(worlds(), st.integers(0, 2))
@examples(60)
def test_the_premium_is_that_of_the_program_written_down_directly(world: World, first: int) -> None:
    """With every loss that can be met by itself in it, unless they cannot be met together; then the losses that are met."""
    session = world.session()
    plain = least(world, first, (), None)
    assert plain is not None
    found = insurance(session, start=date(2026 + first, 1, 1), stock=False)
    today = float(sum(short.quantity for short in session.verified.plan.shorts))
    met = [COUNTRIES.index(row.loss.names[0].upper()) for row in found.losses if row.met]
    direct = least(world, first, met, today + 1e-6)
    assert direct is not None
    assert abs(float(found.premium.value) - (direct - plain)) < 0.02
    assert found.premium.proved
    for row in found.losses:
        if not row.met:
            assert row.reason
            alone = least(world, first, [COUNTRIES.index(row.loss.names[0].upper())], today + 1e-7)
            assert (alone is None) == ("at any price" in row.reason)


def checked(session: Session, found: Insurance) -> None:
    """What is true of every insured plan."""
    assert found.premium.value >= -Decimal("0.01") * len(session.parts.members) - abs(found.objective) * Decimal("1e-6")
    for row in found.losses:
        assert row.met != bool(row.reason)
        assert "not verified" not in row.reason
        assert "more is short" not in row.reason


@given(tiny_cases(), st.integers(0, 2))
@examples(40)
def test_no_insured_plan_is_cheaper_and_every_loss_that_is_met_is_verified(tiny: Tiny, first: int) -> None:
    """Chains, lots, tiers, terms, rules of any kind: what follows a loss is verified on the facts after it, or it is not called met."""
    given_ = tiny.priced()
    session = Session.open(Inputs(given_.case, (given_.catalog,), given_.rules))
    periods = given_.case.horizon.periods
    checked(session, insurance(session, start=periods[min(first, len(periods) - 1)].start))


@given(tiny_cases(), st.integers(0, 2))
@examples(40)
def test_a_loss_costs_what_planning_without_it_anew_costs_more(tiny: Tiny, first: int) -> None:
    """A session that solves only what the loss touches, and one opened on the facts after it."""
    given_ = tiny.priced()
    inputs = Inputs(given_.case, (given_.catalog,), given_.rules)
    session = Session.open(inputs)
    periods = given_.case.horizon.periods
    day = periods[min(first, len(periods) - 1)].start
    found = {each.loss: each for each in stress(session, everything=True, pairs=False, start=day).losses}
    for loss in losses(session, everything=True):
        anew = Session.open(inputs.after(loss.changes(day)))
        if anew.verified.plan.infeasible or session.verified.plan.infeasible:
            continue
        rise = anew.verified.cost.objective - session.verified.cost.objective
        assert abs(found[loss].rise.value - rise) <= Decimal("0.01") + abs(rise) * Decimal("1e-6")
