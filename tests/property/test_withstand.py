"""What it costs to withstand any few losses: held against one program of all combinations written down directly, and against its own laws."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import combinations, pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from tests.building import METAL, case, catalog, chain, demand, facility, offer, store

from friendshore.problem.inputs import Inputs
from friendshore.rules.base import Phase, PhaseStatus
from friendshore.rules.kinds.export_control import ExportControl
from friendshore.session import Session
from friendshore_risk.withstand.losses import named_losses, usual_losses
from friendshore_risk.withstand.recheck import check_proof
from friendshore_risk.withstand.search import combinations_of, withstand

from .settings import at_depth, examples
from .strategies import Tiny, tiny_cases

COUNTRIES = ("AU", "CN", "JP", "AU")
LOSSES = {"au": (0,), "cn": (1,), "au-2": (3,), "country:AU": (0, 3), "rule:stop": (), "route:AU>US": (0, 3)}
"""What may be lost, and the plants that go with it, of the route for one place alone; with the rule's suspension whatever arrives from China then."""
ROUTE = "route:AU>US"
BARRED = 1
"""The plant that the rule is about."""
STOP = ExportControl(
    id="stop",
    title="Nothing may leave China",
    citation="invented",
    exporters=frozenset({"CN"}),
    effect="prohibit",
    phases=(Phase(status=PhaseStatus.UNKNOWN),),
)
PRICES = {"civil": 500, "defense": 1000}
"""Money per kilogram short."""
PERIODS = 3
FAR = 1e6


@dataclass(frozen=True)
class World:
    """One metal from four plants in three countries over three years, for two uses."""

    wanted: dict[str, tuple[int, ...]]
    costs: tuple[int, ...]
    capacities: tuple[int, ...]
    onboarding: tuple[int, ...]
    lags: tuple[int, ...]
    holding: int
    apart: bool
    """Whether civil use is in the US, and defence in Korea; else both are in the US."""

    def session(self) -> Session:
        """The same as a case."""
        things: list[Any] = []
        for i, name in enumerate(("au", "cn", "jp", "au-2")):
            more: dict[str, Any] = {"lead_time": 12 * self.lags[i]}
            if self.onboarding[i]:
                more |= {"onboarding": self.onboarding[i], "onboarding_currency": "USD"}
            country = COUNTRIES[i]
            things.append(facility(name, country, self.capacities[i]))
            things.append(offer(f"{name}-metal", name, "metal", self.costs[i], chain(country, *METAL), **more))
        places = {"civil": "", "defense": "KR" if self.apart else ""}
        demands = [demand("metal", use, *self.wanted[use], price=PRICES[use], place=places[use]) for use in PRICES]
        stores = [store("metal", self.holding), *([store("metal", self.holding, place="KR")] if self.apart else [])]
        made = case(*demands, stores=tuple(stores))
        return Session.open(Inputs(made, (catalog(*things),), (STOP,)))


@st.composite
def worlds(draw: Any) -> World:
    """Any of them."""

    def some(count: int, least: int, most: int) -> tuple[int, ...]:
        return tuple(draw(st.integers(least, most)) for _ in range(count))

    onboarding = tuple(draw(st.sampled_from((0, 0, 30, 200))) for _ in COUNTRIES)
    wanted = {use: some(PERIODS, 0, 8) for use in PRICES}
    held = draw(st.integers(0, 4))
    return World(wanted, some(4, 1, 60), some(4, 1, 12), onboarding, some(4, 0, 1), held, draw(st.booleans()))


class Direct:
    """The program of several combinations at once: columns of each are bought (plant, place, period of order), held and short; four binaries onboard."""

    def __init__(self, world: World, first: int, reacts: int, sets: Sequence[frozenset[str]]) -> None:
        self.world, self.sets = world, sets
        self.nodes = 2 if world.apart else 1
        self.block = (4 * self.nodes + self.nodes + 2) * PERIODS
        self.count = self.block * len(sets) + 4 + 2 * len(sets) + 1
        self.cost, self.upper = np.zeros(self.count), np.full(self.count, FAR)
        self.upper[self.onboarded(0) : self.onboarded(4)] = 1
        self.rows: list[np.ndarray] = []
        self.low: list[float] = []
        self.high: list[float] = []
        for number, names in enumerate(sets):
            self.plan(number, names, first)
            if number:
                self.agrees(number, first, reacts)

    def buy(self, number: int, plant: int, node: int, t: int) -> int:
        return number * self.block + (plant * self.nodes + node) * PERIODS + t

    def held(self, number: int, node: int, t: int) -> int:
        return number * self.block + (4 * self.nodes + node) * PERIODS + t

    def short(self, number: int, use: int, t: int) -> int:
        return number * self.block + (5 * self.nodes + use) * PERIODS + t

    def onboarded(self, plant: int) -> int:
        return self.block * len(self.sets) + plant

    def excess(self, number: int, use: int) -> int:
        return self.block * len(self.sets) + 4 + 2 * number + use

    def row(self, entries: dict[int, float], low: float, high: float) -> None:
        row = np.zeros(self.count)
        for column, value in entries.items():
            row[column] += value
        self.rows.append(row)
        self.low.append(low)
        self.high.append(high)

    def plan(self, number: int, names: frozenset[str], first: int) -> None:
        world = self.world
        gone = {plant for name in names - {ROUTE} for plant in LOSSES[name]}
        gone |= {BARRED} if "rule:stop" in names else set()
        for plant, t in product(range(4), range(PERIODS)):
            arrives = t + world.lags[plant] < PERIODS
            load: dict[int, float] = {}
            for node in range(self.nodes):
                lost = plant in gone or (ROUTE in names and node == 0 and plant in LOSSES[ROUTE])
                open_ = arrives and not (lost and t >= first)
                self.upper[self.buy(number, plant, node, t)] = world.capacities[plant] if open_ else 0
                load[self.buy(number, plant, node, t)] = 1
            self.row(load, -np.inf, world.capacities[plant])
            if world.onboarding[plant]:
                self.row({**load, self.onboarded(plant): -world.capacities[plant]}, -np.inf, 0)
        for node, t in product(range(self.nodes), range(PERIODS)):
            entries: dict[int, float] = {self.held(number, node, t): -1}
            if t:
                entries[self.held(number, node, t - 1)] = 1
            for plant in range(4):
                barred = plant == BARRED and "rule:stop" in names and t >= first
                if t >= world.lags[plant] and not barred:
                    entries[self.buy(number, plant, node, t - world.lags[plant])] = 1
            here = [(use, name) for use, name in enumerate(PRICES) if not world.apart or use == node]
            for use, name in here:
                self.upper[self.short(number, use, t)] = world.wanted[name][t]
                entries[self.short(number, use, t)] = 1
            wanted = sum(world.wanted[name][t] for _, name in here)
            self.row(entries, wanted, wanted)

    def agrees(self, number: int, first: int, reacts: int) -> None:
        """What is decided before is the same, and until there is time to react nothing is bought beyond what was planned."""
        for t in range(PERIODS):
            for plant, node in product(range(4), range(self.nodes)):
                if t < reacts:
                    same = -np.inf if t >= first else 0
                    self.row({self.buy(number, plant, node, t): 1, self.buy(0, plant, node, t): -1}, same, 0)
            if t < first:
                for node in range(self.nodes):
                    self.row({self.held(number, node, t): 1, self.held(0, node, t): -1}, 0, 0)
                for use in range(2):
                    self.row({self.short(number, use, t): 1, self.short(0, use, t): -1}, 0, 0)

    def money(self) -> np.ndarray:
        """What the plan without a loss costs."""
        cost = np.zeros(self.count)
        for plant in range(4):
            cost[self.onboarded(plant)] = self.world.onboarding[plant]
            for node, t in product(range(self.nodes), range(PERIODS)):
                cost[self.buy(0, plant, node, t)] = self.world.costs[plant]
        for t in range(PERIODS):
            for node in range(self.nodes):
                cost[self.held(0, node, t)] = self.world.holding
            for use, price in enumerate(PRICES.values()):
                cost[self.short(0, use, t)] = price
        return cost

    def bounded(self, number: int, today: Sequence[float]) -> None:
        """Short of no more than as things are, but for the excess."""
        for use in range(2):
            entries = {self.short(number, use, t): 1.0 for t in range(PERIODS)}
            self.row({**entries, self.excess(number, use): -1}, -np.inf, today[use] + 1e-9)
        if not number:
            self.upper[self.excess(0, 0)] = self.upper[self.excess(0, 1)] = 0

    def missing(self, number: int) -> dict[int, float]:
        """What the excess counts for: as the prices of shortage are to the highest."""
        return {self.excess(number, 0): 0.5, self.excess(number, 1): 1.0}

    def least(self, cost: np.ndarray) -> float:
        integer = np.zeros(self.count)
        integer[self.onboarded(0) : self.onboarded(4)] = 1
        rows = LinearConstraint(np.array(self.rows), self.low, self.high)
        found = milp(cost, integrality=integer, bounds=Bounds(np.zeros(self.count), self.upper), constraints=[rows])
        assert found.status == 0
        return float(found.fun)


def directly(world: World, first: int, reacts: int, most: int, today: Sequence[float]) -> tuple[float, int, float]:
    """The least cost of a plan that withstands any `most` losses, how many combinations none withstands, and the least regret."""
    sets = [frozenset(chosen) for size in range(1, most + 1) for chosen in combinations(LOSSES, size)]
    unavoidable = [_alone(world, first, reacts, names, today) for names in sets]
    every = Direct(world, first, reacts, [frozenset(), *sets])
    for number in range(len(sets) + 1):
        every.bounded(number, today)
    regret = every.count - 1
    for number, least in enumerate(unavoidable, 1):
        every.row({**every.missing(number), regret: -1}, -np.inf, least + 1e-7)
    only = np.zeros(every.count)
    only[regret] = 1
    excess = every.least(only)
    every.upper[regret] = excess + 1e-7
    return every.least(every.money()), sum(least > 1e-3 for least in unavoidable), excess


def _alone(world: World, first: int, reacts: int, names: frozenset[str], today: Sequence[float]) -> float:
    alone = Direct(world, first, reacts, [frozenset(), names])
    cost = np.zeros(alone.count)
    for number in range(2):
        alone.bounded(number, today)
    for column, weight in alone.missing(1).items():
        cost[column] = weight
    return max(alone.least(cost), 0.0)


def agrees(world: World, first: int, react: int, most: int, least: int = 1) -> None:
    """The search finds what the program of all combinations at once does, from `least` losses on."""
    session = world.session()
    reacts = min(first + react, PERIODS - 1)
    found = withstand(
        session,
        named_losses(session, list(LOSSES)),
        most,
        start=date(2026 + first, 1, 1),
        react=Decimal(12 * (reacts - first)),
        certify=True,
    )
    short = session.verified.plan.short_by_demand
    today = [float(short.get(f"metal-{use}", 0)) for use in PRICES]
    plain = Direct(world, first, reacts, [frozenset()])
    as_things_are = plain.least(plain.money())
    for point in found.curve[least:]:
        cost, lacking, regret = directly(world, first, reacts, point.losses, today)
        assert abs(float(point.extra.value) - (cost - as_things_are)) < 0.02 + 1e-6 * abs(cost)
        assert point.extra.proved
        assert point.regret == (regret > 1e-3)
        if not point.regret:
            assert point.not_withstood == lacking
    checked = check_proof(session, found.proof)
    assert checked.proved or found.curve[-1].regret
    assert float(checked.least) <= cost - as_things_are + 0.01


@given(worlds(), st.integers(0, 2), st.integers(0, 2))
@examples(40)
def test_what_it_costs_is_what_the_program_of_all_combinations_costs(world: World, first: int, react: int) -> None:
    """Four plants, one country that holds two of them, and time to react: any two losses."""
    agrees(world, first, react, 2)


@pytest.mark.deep
@pytest.mark.parametrize("seed", range(at_depth(200)))
def test_random_cases_equal_brute_force(seed: int) -> None:
    """Drawn without Hypothesis, so that they are the same in every run, two hundred at full depth: any two losses, of some any three."""
    dice = np.random.default_rng(seed)

    def some(count: int, least: int, most: int) -> tuple[int, ...]:
        return tuple(int(value) for value in dice.integers(least, most + 1, count))

    onboarding = tuple(int(dice.choice((0, 0, 30, 200))) for _ in COUNTRIES)
    wanted = {use: some(PERIODS, 0, 8) for use in PRICES}
    held = int(dice.integers(0, 5))
    world = World(wanted, some(4, 1, 60), some(4, 2, 15), onboarding, some(4, 0, 1), held, seed % 3 == 0)
    agrees(world, int(dice.integers(0, 3)), int(dice.integers(0, 2)), most := 3 if seed % 50 == 0 else 2, most)


@given(tiny_cases(), st.integers(0, 2))
@examples(40)
def test_more_losses_never_cost_less_and_what_follows_all_of_them_is_verified(tiny: Tiny, first: int) -> None:
    """Chains, lots, tiers, terms, rules of any kind: whatever follows a combination is verified, or nothing is answered."""
    given_ = tiny.priced()
    session = Session.open(Inputs(given_.case, (given_.catalog,), given_.rules))
    periods = given_.case.horizon.periods
    losses, _ = usual_losses(session)
    found = withstand(session, losses, 2, start=periods[min(first, len(periods) - 1)].start)
    costs = [point.extra for point in found.curve]
    for fewer, more in pairwise(costs):
        assert more.high is None or fewer.low is None or more.high >= fewer.low - Decimal("0.01")
    assert [point.combinations for point in found.curve] == [combinations_of(len(losses), n) for n in range(3)]
