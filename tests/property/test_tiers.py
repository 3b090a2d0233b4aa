"""Price schedules against plain enumeration: every whole number of kilograms of every order, each plan's bill worked out by hand.

Three offers, one a maker that takes what another sells, in one or two periods; up to two schedules, of an offer, a facility or a
supplier, of either kind, by quantity or money. Quantities, thresholds and demands are whole, so that the best plan nearly always
is; a plan may only be cheaper than the best of them, and then its own bill, worked out here, must say so too.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Rate
from friendshore.domain.plan import PlanStatus
from friendshore.domain.tiers import PriceSchedule, Tier, TierKind
from friendshore.errors import InputError
from friendshore.program import compile_program
from friendshore.recommend import Recommendation

from .compare import RELATIVE, planned
from .settings import examples
from .tiny import (
    MAGNET,
    METAL,
    OXIDE,
    SOURCE,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    offer,
    schedule,
    store,
    tier,
)

Array = NDArray[np.float64]
OFFERS = ("buy-metal", "make-metal", "sell-oxide")
TAKES = 2
"""Kilograms of oxide in one of made metal."""
GRAMS = 0.01
"""Kilograms by which the rounding of a plan may miss what it should not."""
EURO = (1.0, 2.0)
"""Dollars for a euro in the first period and the second."""


@dataclass(frozen=True)
class World:
    """A case and what its offers, in dollars but for the oxide, ask."""

    prices: tuple[int, int, int]
    wanted: tuple[int, ...]
    shortage: int
    holding: int
    interest: Decimal
    most: int
    """Kilograms that each plant makes a year at most."""
    least: int | None
    """Least order of metal that is bought."""
    kept: tuple[bool, bool]
    """Whether metal and oxide may be held."""
    schedules: tuple[PriceSchedule, ...]

    def facts(self) -> tuple[Case, Catalog]:
        """The same as a case and a catalog."""
        links = {"metal": chain("AU", *METAL), "oxide": chain("AU", *OXIDE)}
        sites = [facility(name, "US", self.most, operator="Acme") for name in ("north", "south")]
        sold = [
            offer("buy-metal", "north", "metal", self.prices[0], links["metal"], min_order=self.least),
            offer("make-metal", "south", "metal", self.prices[1], chain("AU", "melted"), inputs=lines(oxide=TAKES)),
            offer("sell-oxide", "north", "oxide", self.prices[2], links["oxide"]),
        ]
        price = sold[2].price
        assert price is not None
        sold[2] = sold[2].model_copy(update={"price": price.model_copy(update={"currency": "EUR"})})
        rates = [
            Rate(currency="EUR", to="USD", rate=Decimal(str(rate)), start=datetime.date(2026 + t, 1, 1), source=SOURCE)
            for t, rate in enumerate(EURO)
        ]
        stores = [
            store(material, self.holding, limit=None if kept else 0)
            for material, kept in zip(("metal", "oxide"), self.kept, strict=True)
        ]
        wanted = demand("metal", "civil", *self.wanted, price=self.shortage)
        return (
            case(wanted, stores=stores, discount=self.interest),
            catalog(*sites, *sold, *self.schedules, rates=tuple(rates)),
        )

    @property
    def list_prices(self) -> Array:
        """Dollars by offer and period."""
        euro = np.array(EURO[: len(self.wanted)])
        return np.array([np.full(len(euro), self.prices[0]), np.full(len(euro), self.prices[1]), self.prices[2] * euro])

    @property
    def discount(self) -> Array:
        """What money of each period counts for."""
        return float(1 + self.interest) ** -np.arange(len(self.wanted), dtype=np.float64)


def bills(world: World, units: Array) -> Array:
    """What plans cost: units by plan, offer and period; infinite where they cannot be."""
    discount, prices = world.discount, world.list_prices
    cost = (units * prices * discount).sum(axis=(1, 2))
    metal = oxide = np.zeros(len(units))
    for t, wanted in enumerate(world.wanted):
        oxide = oxide + units[:, 2, t] - TAKES * units[:, 1, t]
        metal = metal + units[:, 0, t] + units[:, 1, t]
        given_out = np.minimum(metal, wanted)  # early is best: shortage and holding cost no less in an earlier period
        metal = metal - given_out
        cost = cost + discount[t] * (world.shortage * (wanted - given_out) + world.holding * (metal + oxide))
        cost = np.where(oxide < -GRAMS, np.inf, cost)
        for held, kept in zip((metal, oxide), world.kept, strict=True):
            cost = np.where((held > GRAMS) & (not kept), np.inf, cost)
    for made in ((0, 2), (1,)):
        cost = np.where(units[:, made, :].sum(axis=1).max(axis=1) > world.most + GRAMS, np.inf, cost)
    orders = units[:, 0, :]
    cost = np.where(((orders > GRAMS) & (orders < (world.least or 0) - GRAMS)).any(axis=1), np.inf, cost)
    for terms in world.schedules:
        cost = cost - taken_off(world, terms, units)
    return cost


def taken_off(world: World, terms: PriceSchedule, units: Array) -> Array:
    """What a schedule takes off, discounted from the last period of each span."""
    names = {"offer": OFFERS, "facility": ("north", "south", "north"), "supplier": ("Acme",) * 3}[terms.of]
    material = ("metal", "metal", "oxide")
    about = [i for i in range(3) if names[i] == terms.id and (not terms.materials or material[i] in terms.materials)]
    count = len(world.wanted)
    spans = [list(range(count))] if terms.per == "horizon" else [[t] for t in range(count)]
    off = np.zeros(len(units))
    for span in spans:
        bought = units[:, about][:, :, span].reshape(len(units), -1)
        prices = world.list_prices[about][:, span].ravel()
        off += world.discount[span[-1]] * _off(terms, bought, prices)
    return off


def _off(terms: PriceSchedule, bought: Array, prices: Array) -> Array:
    least = np.array([float(t.least) for t in terms.tiers])
    spent = bought @ prices
    measured = np.round(spent if terms.measure == "money" else bought.sum(axis=1), 6)
    reached = np.searchsorted(least, measured, side="right") - 1
    lumps = np.array([float(t.lump) for t in terms.tiers])
    off = -np.where(measured > 0, lumps[reached], 0.0)
    for k, one in enumerate(terms.tiers):
        share = float(one.discount or 0)
        if terms.kind is TierKind.ALL_UNITS:
            all_of_it = spent - float(one.price) * bought.sum(axis=1) if one.price is not None else share * spent
            off += np.where(reached == k, all_of_it, 0.0)
            continue
        above = least[k + 1] if k + 1 < len(least) else np.inf
        within = np.clip(measured, least[k], above) - least[k]
        if terms.measure == "money":
            off += share * within
        elif one.price is not None:
            off -= float(one.price) * within
        else:
            off += share * prices[0] * within
    if terms.kind is TierKind.INCREMENTAL and all(one.price is not None for one in terms.tiers):
        off += spent
    return off


def whole_plans(world: World, most: int) -> Array:
    """All plans in whole kilograms: up to `most` of each order, of oxide in even numbers more."""
    count = len(world.wanted)
    ranges = [range(most + 1), range(most + 1), range(0, TAKES * most + 1, 1 if count == 1 else TAKES)]
    cells = [ranges[i] for i in range(3) for _ in range(count)]
    return np.array(list(product(*cells)), dtype=np.float64).reshape(-1, 3, count)


def bought(world: World, found: Recommendation) -> Array:
    """The plan that was found, as units by offer and period."""
    units = np.zeros((1, 3, len(world.wanted)))
    for purchase in found.plan.plan.purchases:
        units[0, OFFERS.index(purchase.offer), purchase.ordered] += float(purchase.quantity)
    return units


@st.composite
def schedules(draw: st.DrawFn, subject: tuple[str, str]) -> PriceSchedule:
    """Any schedule of a subject."""
    money = draw(st.booleans())
    count = draw(st.integers(1, 3))
    priced = not money and draw(st.booleans())
    starts = sorted(draw(st.sets(st.integers(1, 40 if money else 7), min_size=count - 1, max_size=count - 1)))
    tiers: list[Tier] = []
    for least in (0, *starts):
        lump = draw(st.sampled_from((0, 0, 0, 5, 9)))
        price = draw(st.integers(0, 9)) if priced else None
        share = None if priced else draw(st.sampled_from((None, -0.5, 0.1, 0.25, 0.5)))
        tiers.append(tier(least, price, share, lump))
    materials = draw(st.sampled_from((frozenset(), frozenset({"metal"}))))
    return schedule(
        subject[1],
        *tiers,
        of=subject[0],
        kind=draw(st.sampled_from(("incremental", "all-units"))),
        per=draw(st.sampled_from(("period", "horizon"))),
        measure="money" if money else "quantity",
        materials=materials if subject[0] != "offer" else frozenset(),
    )


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Any small world."""
    subjects = [("offer", name) for name in OFFERS] + [("facility", "north"), ("supplier", "Acme")]
    chosen = draw(st.lists(st.sampled_from(subjects), min_size=1, max_size=2, unique=True))
    count = draw(st.sampled_from((1, 1, 2)))
    return World(
        prices=(draw(st.integers(1, 12)), draw(st.integers(0, 4)), draw(st.integers(1, 4))),
        wanted=tuple(draw(st.lists(st.integers(0, 4 if count == 1 else 2), min_size=count, max_size=count))),
        shortage=draw(st.sampled_from((8, 40))),
        holding=draw(st.sampled_from((0, 1))),
        interest=draw(st.sampled_from((Decimal(0), Decimal("0.25")))),
        most=draw(st.sampled_from((3, 8, 100))),
        least=draw(st.sampled_from((None, None, 3))),
        kept=(draw(st.sampled_from((True, True, False))), draw(st.booleans())),
        schedules=tuple(draw(schedules(subject)) for subject in chosen),
    )


def check(world: World, grid: int) -> None:
    """The plan costs what its bill says, and no whole plan is cheaper."""
    facts, offers = world.facts()
    try:
        found = planned(facts, [offers], ())
    except InputError:
        assume(False)  # discounts of more than the price, or without a price to be taken off
        return
    assert found.status is PlanStatus.OPTIMAL
    best = float(bills(world, whole_plans(world, grid)).min())
    own = float(bills(world, bought(world, found))[0])
    allowed = RELATIVE * max(1.0, abs(best)) + 0.05
    assert found.objective == pytest.approx(own, abs=allowed)
    assert float(found.plan.plan.bound) <= best + allowed
    assert found.objective <= best + allowed, f"{bought(world, found)}"


@examples(250)
@given(worlds())
def test_no_whole_plan_is_cheaper(world: World) -> None:
    """Any schedules: the plan is as cheap as the best of all whole ones, by the bill worked out here."""
    check(world, 9 if len(world.wanted) == 1 else 4)


@st.composite
def markets(draw: st.DrawFn) -> tuple[Case, Catalog]:
    """Four goods that nothing joins but what two suppliers take off: two or three offers of each, in up to three quarters."""
    goods, count = ("oxide", "salt", "metal", "magnet"), draw(st.integers(1, 3))
    sites = [facility(name, "AU", operator=name.title()) for name in ("acme", "bolt", "cord")]
    sold = [
        offer(
            f"{plant}-{good}",
            plant,
            good,
            draw(st.integers(5, 20)),
            chain("AU", *MAGNET),
            min_order=draw(st.sampled_from((None, None, 4))),
        )
        for good in goods
        for plant in ("acme", "bolt", "cord")[: draw(st.integers(2, 3))]
    ]
    found = [draw(schedules(("supplier", name))) for name in draw(st.sampled_from((("Acme",), ("Acme", "Bolt"))))]
    terms = [s.model_copy(update={"materials": frozenset()}) for s in found]
    wanted = [
        demand(good, "civil", *draw(st.lists(st.integers(0, 9), min_size=count, max_size=count)), price=60)
        for good in goods
    ]
    stores = [store(good, draw(st.integers(0, 4))) for good in goods]
    return case(*wanted, stores=stores, length="quarter", discount=Decimal("0.08")), catalog(*sites, *sold, *terms)


@examples(40)
@given(markets())
def test_what_a_supplier_joins_is_solved_like_one_program(market: tuple[Case, Catalog]) -> None:
    """Solved in parts and priced, or given whole to another solver's search: the same least cost."""
    given_case, facts = market
    try:
        found = planned(given_case, [facts], ())
    except InputError:
        assume(False)
        return
    linear = compile_program(found.plan.problem).linear
    rows = LinearConstraint(linear.matrix, linear.row_lower, linear.row_upper)
    whole = milp(linear.cost, integrality=linear.integer, bounds=Bounds(linear.lower, linear.upper), constraints=rows)
    assert whole.status == 0
    allowed = 1e-4 * max(1.0, abs(whole.fun))  # scipy's gap
    assert float(found.plan.plan.objective) == pytest.approx(whole.fun, abs=allowed)
    assert float(found.plan.plan.bound) <= whole.fun + allowed
