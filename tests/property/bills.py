"""Plain enumeration of orders: every whole number of kilograms of every order, each plan's bill worked out by hand.

Three offers, one a maker that takes what another sells, in one or two periods, with price schedules, lots, minima and terms of
trade, of an offer, a facility or a supplier. Quantities, thresholds and demands are whole, so that the best plan nearly always
is; a plan may only be cheaper than the best of them, and then its own bill, worked out here, must say so too.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise, product
from typing import Any

import numpy as np
import pytest
from hypothesis import reject
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests import building as b
from tests.building import case, catalog, demand, facility, offer, planned, schedule, source, store, tier

from friendshore.domain.case import Case
from friendshore.domain.facts import Catalog, Quote
from friendshore.domain.market import Rate
from friendshore.domain.plan import PlanStatus
from friendshore.domain.terms import OrderCondition, PriceSchedule, Terms, Tier, TierKind
from friendshore.errors import InputError
from friendshore.recommend import Recommendation

from .compare import RELATIVE

Array = NDArray[np.float64]
OFFERS = ("buy-metal", "make-metal", "sell-oxide")
SUBJECTS = [("offer", name) for name in OFFERS] + [("facility", "north"), ("supplier", "Acme")]
"""What price schedules and terms of trade may be about."""
WHERE = {"buy-metal": "north", "make-metal": "south", "sell-oxide": "north"}
"""Plant of each offer."""
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
    schedules: tuple[PriceSchedule, ...] = ()
    lots: tuple[int | None, int | None, int | None] = (None, None, None)
    """Kilograms of a lot of each offer."""
    max_lots: int | None = None
    """Most lots in an order, of those that come in lots."""
    terms: tuple[Terms, ...] = ()
    quoted: tuple[int | None, ...] = ()
    """Quotations of the metal that is bought, by period, in place of its price; none: it has a price."""
    unqualified: int = 0
    """Years before made metal may be ordered."""
    paid_for: tuple[int | None, int | None, int | None] = (None, None, None)
    """Kilograms a year of each offer that are paid for, taken or not."""
    share: Decimal = Decimal(1)
    """Share of the price due on what is not taken."""

    def facts(self) -> tuple[Case, Catalog]:
        """The same as a case and a catalog."""
        sites = [facility(name, "US", self.most, operator="Acme") for name in ("north", "south")]
        more: list[dict[str, Any]] = [{}, {}, {}]
        for own, lot, least in zip(more, self.lots, self.paid_for, strict=True):
            own.update({"lot": lot, "max_lots": self.max_lots} if lot else {})
            own.update({"take_or_pay": least, "take_or_pay_share": self.share} if least else {})
        made = {"inputs": b.lines(oxide=TAKES), "qualification": 12 * self.unqualified, **more[1]}
        buy = source("AU", self.prices[0], name="buy-metal", plant="north", min_order=self.least, **more[0])
        sold = [
            buy.but(price=None, quotes=self.quotes) if self.quoted else buy,
            offer("make-metal", "south", "metal", self.prices[1], b.chain("AU", "melted"), **made),
            source("AU", b.price(self.prices[2], currency="EUR"), "oxide", name="sell-oxide", plant="north", **more[2]),
        ]
        rates = [
            Rate(
                currency="EUR", to="USD", rate=Decimal(str(rate)), start=datetime.date(2026 + t, 1, 1), source=b.SOURCE
            )
            for t, rate in enumerate(EURO)
        ]
        limits = [None if kept else 0 for kept in self.kept]
        stores = [store("metal", self.holding, limit=limits[0]), store("oxide", self.holding, limit=limits[1])]
        wanted = demand("metal", "civil", *self.wanted, price=self.shortage)
        return (
            case(wanted, stores=stores, discount=self.interest),
            catalog(*sites, *sold, *self.schedules, *self.terms, rates=tuple(rates)),
        )

    @property
    def quotes(self) -> tuple[Quote, ...]:
        """The quotations of the metal that is bought, each for a year."""
        years = [(datetime.date(2026 + t, 1, 1), datetime.date(2026 + t, 12, 31)) for t in range(len(self.quoted))]
        return tuple(
            Quote(start=start, end=end, amount=Decimal(amount), currency="USD", source=b.SOURCE)
            for (start, end), amount in zip(years, self.quoted, strict=True)
            if amount is not None
        )

    @property
    def closed(self) -> NDArray[np.bool_]:
        """Offers and periods in which they may not be ordered."""
        shut = np.zeros((3, len(self.wanted)), dtype=bool)
        shut[0] = [amount is None for amount in self.quoted] or False
        shut[1, : self.unqualified] = True
        return shut

    @property
    def list_prices(self) -> Array:
        """Dollars by offer and period."""
        euro = np.array(EURO[: len(self.wanted)])
        quoted = np.full(len(euro), self.prices[0])
        held = [amount for amount in self.quoted if amount is not None]
        if held:  # the price of a period without a quotation is asked of nothing
            quoted = np.array([held[0] if amount is None else amount for amount in self.quoted])
        return np.array([quoted, np.full(len(euro), self.prices[1]), self.prices[2] * euro])

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
    cost = np.where(over_capacity(world, units), np.inf, cost)
    cost = np.where((units * world.closed > 0).any(axis=(1, 2)), np.inf, cost)
    for i, (least, lot) in enumerate(zip(world.paid_for, world.lots, strict=True)):
        if least:
            left = np.maximum(least - units[:, i], 0.0) * ~world.closed[i]
            due = (left * float(world.share) * prices[i] * discount).sum(axis=1)
            cost = cost + np.where((units[:, i] > 0).any(axis=1), due, 0.0)
        if lot:
            number = units[:, i] / lot
            broken = (np.abs(number - number.round()) > 1e-9) | (number > (world.max_lots or np.inf))
            cost = np.where(broken.any(axis=1), np.inf, cost)
    orders = units[:, 0, :]
    cost = np.where(((orders > GRAMS) & (orders < (world.least or 0) - GRAMS)).any(axis=1), np.inf, cost)
    for schedule_ in world.schedules:
        cost = cost - taken_off(world, schedule_, units)
    for terms in world.terms:
        cost = cost + asked(world, terms, units)
    return cost


def over_capacity(world: World, units: Array) -> NDArray[np.bool_]:
    """Plans that take more of a plant than it makes a year, set-ups included."""
    over = np.zeros(len(units), dtype=bool)
    for site, made in (("north", [0, 2]), ("south", [1])):
        used = units[:, made, :].sum(axis=1)
        for terms in world.terms:
            where = {"offer": WHERE.get(terms.id), "facility": terms.id}.get(terms.of)
            if where == site and terms.setup_use:
                orders = (units[:, about(world, terms), :] > 0).any(axis=1)
                used = used + float(terms.setup_use) * orders
        over |= (used > world.most + GRAMS).any(axis=1)
    return over


def about(world: World, bearing: OrderCondition) -> list[int]:
    """Offers that a schedule or terms are about; one without any quotation is none."""
    names = {"offer": OFFERS, "facility": tuple(WHERE.values()), "supplier": ("Acme",) * 3}[bearing.of]
    material = ("metal", "metal", "oxide")
    meant = [not bearing.materials or name in bearing.materials for name in material]
    first = 1 if world.closed[0].all() else 0
    return [i for i in range(first, 3) if names[i] == bearing.id and meant[i]]


def spans_of(world: World, bearing: OrderCondition) -> list[list[int]]:
    """The periods, which are years, or all of them together."""
    count = len(world.wanted)
    return [list(range(count))] if bearing.per == "horizon" else [[t] for t in range(count)]


def asked(world: World, terms: Terms, units: Array) -> Array:
    """What terms of trade make due, discounted from the first period of each span; infinite where they do not hold."""
    due = np.zeros(len(units))
    for span in spans_of(world, terms):
        ordered = units[:, about(world, terms)][:, :, span].sum(axis=(1, 2))
        due += np.where(ordered > 0, world.discount[span[0]] * float(terms.fixed or 0), 0.0)
        few = (ordered > 0) & (ordered < float(terms.least or 0) - GRAMS)
        many = ordered > (np.inf if terms.most is None else float(terms.most) + GRAMS)
        due = np.where(few | many, np.inf, due)
    return due


def taken_off(world: World, terms: PriceSchedule, units: Array) -> Array:
    """What a schedule takes off, discounted from the last period of each span."""
    off = np.zeros(len(units))
    meant = about(world, terms)
    for span in spans_of(world, terms) if meant else ():
        bought = units[:, meant][:, :, span].reshape(len(units), -1)
        prices = world.list_prices[meant][:, span].ravel()
        off += world.discount[span[-1]] * _off(terms, bought, prices)
    return off


def _off(terms: PriceSchedule, bought: Array, prices: Array) -> Array:
    least = np.array([float(t.least) for t in terms.tiers])
    spent = bought @ prices
    measured = np.round(spent if terms.measure == "money" else bought.sum(axis=1), 6)
    reached = np.searchsorted(least, measured, side="right") - 1
    lumps = np.array([float(t.lump) for t in terms.tiers])
    off = -np.where(measured > 0, lumps[reached], 0.0)
    unsure = GRAMS * (prices.max() if terms.measure == "money" else 1)
    for k, (one, above) in enumerate(zip(terms.tiers, [*least[1:], np.inf], strict=True)):
        if one.most is not None:
            left_out = (measured > float(one.most) + unsure) & (measured < above - unsure)
            off = np.where(left_out, -np.inf, off)
        share = float(one.discount or 0)
        if terms.kind is TierKind.ALL_UNITS:
            all_of_it = spent - float(one.price) * bought.sum(axis=1) if one.price is not None else share * spent
            off += np.where(reached == k, all_of_it, 0.0)
            continue
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


def basics(draw: st.DrawFn, count: int) -> dict[str, Any]:
    """Any prices, demands and limits over so many periods: what every world has."""
    wanted = st.lists(st.integers(0, 4 if count == 1 else 2), min_size=count, max_size=count)
    any_of = {"shortage": (8, 40), "holding": (0, 1), "interest": (Decimal(0), Decimal("0.25")), "most": (3, 8, 100)}
    return {
        "prices": (draw(st.integers(1, 12)), draw(st.integers(0, 4)), draw(st.integers(1, 4))),
        "wanted": tuple(draw(wanted)),
        "least": draw(st.sampled_from((None, None, 3))),
        "kept": (draw(st.sampled_from((True, True, False))), draw(st.booleans())),
        **{name: draw(st.sampled_from(values)) for name, values in any_of.items()},
    }


@st.composite
def schedules(draw: st.DrawFn, subject: tuple[str, str], gaps: bool = False) -> PriceSchedule:
    """Any schedule of a subject; where asked for, of tiers that end before the next begins."""
    money = draw(st.booleans())
    count = draw(st.integers(1, 3))
    priced = not money and draw(st.booleans())
    starts = sorted(draw(st.sets(st.integers(1, 40 if money else 7), min_size=count - 1, max_size=count - 1)))
    tiers: list[Tier] = []
    for least, above in pairwise((0, *starts, starts[-1] + 5 if starts else 9)):
        lump = draw(st.sampled_from((0, 0, 0, 5, 9))) if not gaps or draw(st.booleans()) else 0
        most = draw(st.sampled_from((None, least, (least + above) // 2, above))) if gaps else None
        price = draw(st.integers(0, 9)) if priced else None
        share = None if priced else draw(st.sampled_from((None, -0.5, 0.1, 0.25, 0.5)))
        tiers.append(tier(least, price, share, lump, most))
    materials = draw(st.sampled_from((frozenset(), frozenset({"metal"}))))
    kind, per = draw(st.sampled_from(("incremental", "all-units"))), draw(st.sampled_from(("period", "horizon")))
    more = {"measure": "money" if money else "quantity", "materials": materials if subject[0] != "offer" else ()}
    return schedule(subject[1], *tiers, of=subject[0], kind=kind, per=per, **more)


@st.composite
def worlds(draw: st.DrawFn, gaps: bool = False) -> World:
    """Any small world of price schedules; with gaps, one in which a price list leaves quantities out."""
    chosen = draw(st.lists(st.sampled_from(SUBJECTS), min_size=1, max_size=1 if gaps else 2, unique=True))
    count = draw(st.sampled_from((1, 1, 2)))
    return World(**basics(draw, count), schedules=tuple(draw(schedules(subject, gaps=gaps)) for subject in chosen))


def check(world: World) -> None:
    """The plan costs what its bill says, and no whole plan is cheaper."""
    facts, offers = world.facts()
    try:
        found = planned(facts, offers)
    except InputError:
        reject()  # discounts of more than the price, or without a price to be taken off
    assert found.status is PlanStatus.OPTIMAL
    best = float(bills(world, whole_plans(world, 9 if len(world.wanted) == 1 else 4)).min())
    own = float(bills(world, bought(world, found))[0])
    allowed = RELATIVE * max(1.0, abs(best)) + 0.05
    assert found.objective == pytest.approx(own, abs=allowed)
    assert float(found.plan.plan.bound) <= best + allowed
    assert found.objective <= best + allowed, f"{bought(world, found)}"
