"""Recycling: what a maker of magnets leaves goes back into oxide, against a linear program of its own."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests import building as b
from tests.building import built, case, catalog, demand, facility, offer, planned, rule, source, store

from friendshore.domain.facts import Facility, Offer
from friendshore.errors import InputError
from friendshore.rules.kinds.limits import MinShare

from .compare import agrees
from .patterns import Amount, Bound, Choice, Column, Enumeration
from .settings import examples

GOODS = ("oxide", "metal", "magnet", "salt")
"""`salt` stands for the swarf."""
Recipe = tuple[dict[str, float], dict[str, float], float]
"""What a unit gives and takes, and its fee."""


def circle(swarf: float, per_oxide: float, fees: tuple[float, float, float]) -> dict[str, Recipe]:
    """Oxide to metal to magnet, swarf of it back to oxide: by name the makers of metal and of magnets, and the recycler."""
    return {
        "metal-m": ({"metal": 1.0}, {"oxide": 1.2}, fees[0]),
        "magnet-m": ({"magnet": 1.0, "salt": swarf}, {"metal": 1.0 + swarf}, fees[1]),
        "recycler": ({"oxide": 1.0}, {"salt": per_oxide}, fees[2]),
    }


def makers_of(recipes: Mapping[str, Recipe], **of_recycler: Any) -> list[Offer | Facility]:
    """Their offers, of one plant in the US."""
    stages = {"metal-m": ("melted",), "magnet-m": ("produced",)}
    made = [
        offer(
            name, "us", next(iter(gives)), fee, b.chain("US", *stages.get(name, b.OXIDE)), inputs=b.lines(**takes), outputs=b.lines(**gives),
            **(of_recycler if name == "recycler" else {}),
        )
        for name, (gives, takes, fee) in recipes.items()
    ]  # fmt: skip
    return [facility("us", "US"), *made]


@examples(60)
@example(
    wanted=[25, 1], ore=5000.0, swarf=0.1, per_oxide=1.1, fees=(1, 1, 1), onboarding=50, least=0, held=0, floor=0.1
)
@example(
    # Shortages cost a billion times the plan's money, so that its own was below the tolerances of a solver.
    wanted=[15, 25, 20],
    ore=5000.0,
    swarf=0.1,
    per_oxide=2.0,
    fees=(1, 16, 11),
    onboarding=400,
    least=15,
    held=2,
    floor=0.0,
)
@given(
    wanted=st.lists(st.integers(0, 30), min_size=2, max_size=3).filter(any),
    ore=st.sampled_from((1.2, 3.0, 5000.0)),
    swarf=st.sampled_from((0.1, 0.4)),
    per_oxide=st.sampled_from((1.1, 2.0)),
    fees=st.tuples(*[st.integers(1, 20)] * 3),
    onboarding=st.sampled_from((0, 50, 400)),
    least=st.sampled_from((0, 15)),
    held=st.sampled_from((0, 2)),
    floor=st.sampled_from((0.0, 0.1)),
)
def test_recycling_costs_what_its_own_program_says(
    wanted: list[int], ore: float, swarf: float, per_oxide: float, fees: tuple[int, int, int], onboarding: int,
    least: int, held: int, floor: float,
) -> None:  # fmt: skip
    """Ore to oxide to metal to magnet, swarf of it back to oxide: the plan is the cheapest, however much ore a kilogram takes."""
    recipes = {"oxide-m": ({"oxide": 1.0}, {"ore": ore}, fees[0]), **circle(swarf, per_oxide, (fees[1], 5, fees[2]))}
    terms = {"onboarding": onboarding, "onboarding_currency": "USD", "min_order": least or None}
    earth = catalog(*makers_of(recipes, **terms), offer("mine", "us", "ore", 0.01))
    earth = earth.but(materials=(*earth.materials, earth.materials[0].but(id="ore", stages=())))
    stores = tuple(store(good, held) for good in (*GOODS, "ore"))
    some = rule(MinShare, materials=["oxide"], offers=["recycler"], share=str(floor or 1), of="purchases")
    wanting = demand("magnet", "civil", *wanted, price=100_000), demand("oxide", "civil", *wanted)
    given_case = case(*wanting, stores=stores)
    found = planned(given_case, earth, *([some] if floor else []))

    columns, bounds = [], []
    years = range(len(wanted))
    for (name, (gives, takes, fee)), t in product(recipes.items(), years):
        amounts: dict[Amount, float] = {("units", name, t): 1.0}
        amounts |= {("node", good, t): -kilograms for good, kilograms in takes.items()}
        for good, kilograms in gives.items():
            if name != "magnet-m":
                amounts["node", good, t] = kilograms
                continue
            # Swarf and magnets that nobody wants are left at no value.
            columns.append(Column(0, {("node", good, t): 1.0, ("given", good, t): 1.0}))
            amounts["given", good, t] = -kilograms
            bounds.append(Bound({("given", good, t): 1.0}, at_most=0.0))
        columns.append(Column(fee, amounts))
    for good, t in product((*GOODS, "ore"), years):
        later = {("node", good, t + 1): 1.0} if t + 1 in years else {}
        columns.append(Column(held, {("node", good, t): -1.0, **later}))
        needed = float(wanted[t]) if good in ("magnet", "oxide") else 0.0
        price = 100_000 if good == "magnet" else 1000
        columns.append(Column(price, {("node", good, t): 1.0, ("short", good, t): 1.0}))
        bounds.append(Bound({("short", good, t): 1.0}, at_most=needed))
        bounds.append(Bound({("node", good, t): 1.0}, needed, needed))
    columns += [Column(0.01, {("node", "ore", t): 1.0}) for t in years]
    columns.append(Column(1, {("paid",): 1.0}))
    units: list[Amount] = [("units", "recycler", t) for t in years]
    paid = Bound({("paid",): 1.0}, at_least=float(onboarding))
    choices = [Choice("used", (Bound(dict.fromkeys(units, 1.0), at_most=0.0),), (paid,))]
    for unit in units if least else ():
        ordered = Bound({unit: 1.0}, at_least=float(least))
        choices.append(Choice(str(unit), (Bound({unit: 1.0}, at_most=0.0),), (ordered,)))
    if floor:
        shares = [{unit: 1 - floor, ("units", "oxide-m", unit[2]): -floor} for unit in units]
        bounds += [Bound(weights, at_least=0.0) for weights in shares]
    agrees(given_case, [earth], found, Enumeration(columns, bounds).optimum(choices, []))


def to_metal_and_back(outputs: dict[str, float], **back: float) -> list[Offer]:
    """A kilogram of oxide gives some of metal and salt, and each of these some oxide again."""
    split = source("US", 1, name="split", inputs=b.lines(oxide=1), outputs=b.lines(**outputs))
    again = [
        source("US", 1, "oxide", name=f"of-{good}", inputs=b.lines(**{good: 1}), outputs=b.lines(oxide=gives))
        for good, gives in back.items()
    ]
    return [split, *again]


BLEND = offer("blend", "us", "magnet", 1, b.chain("US", "produced"), inputs=b.lines(salt=0.1, metal=1))
SCRAP = source("US", 1, "salt", name="scrap", inputs=b.lines(magnet=1))
BOTH = {"metal": 1.0, "salt": 1.0}


@pytest.mark.parametrize(
    ("good", "offers", "refused"),
    [
        ("oxide", to_metal_and_back(BOTH, metal=0.6, salt=0.6), True),
        ("oxide", to_metal_and_back(BOTH, metal=0.6, salt=0.4), False),
        ("oxide", to_metal_and_back(BOTH, metal=0.5, salt=0.4), False),
        ("oxide", to_metal_and_back({"metal": 0.9}, metal=1.0), False),
        ("oxide", to_metal_and_back({"metal": 0.9}, metal=1.2), True),
        ("metal", [source("US", 1, name="again", inputs=b.lines(metal=1))], False),  # kilogram for kilogram
        ("magnet", [BLEND, SCRAP, source("US", 10, name="metal")], False),  # what goes round is a tenth: the rest comes from outside
    ],
)  # fmt: skip
def test_what_several_recipes_make_of_nothing_is_refused(good: str, offers: list[Offer], refused: bool) -> None:
    """No more of a good may come of itself than went in, but all of it."""
    with pytest.raises(InputError, match="FS256") if refused else nullcontext():
        assert built(case(demand(good, "civil", 10)), catalog(*offers)).offers
