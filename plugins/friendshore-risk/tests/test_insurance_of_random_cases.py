"""The price of being able to lose anybody: held against a linear program written down directly, and against its own laws."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.building import case, catalog, demand, facility, opened, source, store
from tests.property.settings import examples
from tests.property.strategies import Tiny, tiny_cases

from friendshore.problem.inputs import Inputs
from friendshore.session import Session
from friendshore_risk.losses import losses
from friendshore_risk.stress_answer import Insurance, insurance, stress

from .test_random_cases import Program

COUNTRIES = ("AU", "CN", "JP")
PRICE = 1000
"""Money per kilogram short."""


class World(NamedTuple):
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
            once = {"onboarding": self.onboarding[i], "onboarding_currency": "USD"} if self.onboarding[i] else {}
            things.append(facility(country.lower(), country, self.capacities[i]))
            things.append(source(country, self.costs[i], lead_time=12 * self.lags[i], **once))
        made = case(demand("metal", "civil", *self.wanted, price=PRICE), stores=(store("metal", self.holding),))
        return opened(made, catalog(*things))


@st.composite
def worlds(draw: Any) -> World:
    """Any of them."""

    def three(least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in range(3))

    onboarding = tuple(draw(st.sampled_from((0, 0, 30, 200))) for _ in range(3))
    return World(three(0, 12), three(1, 60), three(0, 15), onboarding, three(0, 1), draw(st.integers(0, 4)))


def least(world: World, first: int, lost: Sequence[int], short: float) -> float:
    """The least cost where no loss comes, by one linear program for every choice of whom to onboard; infinite: there is no plan.

    Args:
        world: what is wanted and offered.
        first: first period of a loss.
        lost: plants that may be lost, each alone.
        short: most kilograms short over the plan, in every case.
    """
    return min(_for(world, first, lost, short, chosen) for chosen in product((0, 1), repeat=3))


def _for(world: World, first: int, lost: Sequence[int], short: float, chosen: tuple[int, ...]) -> float:
    """Columns of each case by plant and period of order, held and short at each period; before a loss all cases agree."""
    program, today, three = Program(), dict[tuple[str, int, int], int](), range(3)
    for who in (None, *lost):
        at: dict[tuple[str, int, int], int] = {}
        for t in three:
            for plant, capacity in enumerate(world.capacities):
                open_ = (chosen[plant] or not world.onboarding[plant]) and t + world.lags[plant] < len(three)
                most = capacity if open_ and not (plant == who and t >= first) else 0
                at["bought", plant, t] = program.column(most)
            at["held", 0, t], at["short", 0, t] = program.column(), program.column(world.wanted[t])
        for t in three:
            row = {at["bought", plant, t - lag]: 1.0 for plant, lag in enumerate(world.lags) if t >= lag}
            row |= {at["held", 0, t]: -1.0, at["short", 0, t]: 1.0} | ({at["held", 0, t - 1]: 1.0} if t else {})
            program.rows.append((row, world.wanted[t], world.wanted[t]))
        program.rows.append(({at["short", 0, t]: 1.0 for t in three}, -np.inf, short))
        for (kind, plant, t), column in at.items():
            if who is None:
                program.cost[column] = {"bought": world.costs[plant], "held": world.holding, "short": PRICE}[kind]
            elif t < first:
                program.rows.append(({column: 1.0, today[kind, plant, t]: -1.0}, 0.0, 0.0))
        today = today or at
    return program.solved() + sum(world.onboarding[plant] for plant in three if chosen[plant])


@given(worlds(), st.integers(0, 2))
@examples(60)
def test_the_premium_is_that_of_the_program_written_down_directly(world: World, first: int) -> None:
    """With every loss that can be met by itself in it, unless they cannot be met together; then the losses that are met."""
    session = world.session()
    plain = least(world, first, (), np.inf)
    answer = insurance(session, start=date(2026 + first, 1, 1), stock=False)
    today = float(sum(short.quantity for short in session.verified.plan.shorts))
    met = [COUNTRIES.index(row.loss.names[0].upper()) for row in answer.losses if row.met]
    direct = least(world, first, met, today + 1e-6)
    assert abs(float(answer.premium.value) - (direct - plain)) < 0.02
    assert answer.premium.proved
    for row in answer.losses:
        if not row.met:
            assert row.reason
            alone = least(world, first, [COUNTRIES.index(row.loss.names[0].upper())], today + 1e-7)
            assert np.isinf(alone) == ("at any price" in row.reason)


def checked(session: Session, found: Insurance) -> None:
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
