"""Recycling: what a maker of magnets leaves goes back into oxide, against a linear program of its own."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.building import OXIDE, case, catalog, chain, demand, facility, lines, offer, source, store

from friendshore.errors import InputError
from friendshore.problem import build_problem
from friendshore.rules.kinds.limits import MinShare

from .compare import agrees, planned
from .patterns import Bound, Choice, Column, Enumeration
from .settings import examples

GOODS = ("oxide", "metal", "magnet", "salt")
"""`salt` stands for the swarf."""


@examples(60)
@example(
    wanted=[25, 1], ore=5000.0, swarf=0.1, per_oxide=1.1, fees=(1, 1, 1), onboarding=50, least=0, held=0, floor=0.1
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
    recipes = {
        "oxide-m": ({"oxide": 1.0}, {"ore": ore}, fees[0]),
        "metal-m": ({"metal": 1.0}, {"oxide": 1.2}, fees[1]),
        "magnet-m": ({"magnet": 1.0, "salt": swarf}, {"metal": 1.0 + swarf}, 5),
        "recycler": ({"oxide": 1.0}, {"salt": per_oxide}, fees[2]),
    }
    stages = {"oxide-m": OXIDE, "metal-m": ("melted",), "magnet-m": ("produced",), "recycler": OXIDE}
    terms = {"onboarding": onboarding, "onboarding_currency": "USD", "min_order": least or None}
    goods = [
        offer(
            name, "us", next(iter(gives)), fee, chain("US", *stages[name]), inputs=lines(**takes), outputs=lines(**gives),
            **(terms if name == "recycler" else {}),
        )
        for name, (gives, takes, fee) in recipes.items()
    ]  # fmt: skip
    earth = catalog(facility("us", "US"), *goods, offer("mine", "us", "ore", 0.01))
    more = earth.materials[0].but(id="ore", stages=())
    earth = earth.but(materials=(*earth.materials, more))
    stores = tuple(store(good, held) for good in (*GOODS, "ore"))
    rule = MinShare.model_validate(
        {"id": "floor", "materials": ["oxide"], "offers": ["recycler"], "share": str(floor or 1), "of": "purchases"}
    )
    given_case = case(
        demand("magnet", "civil", *wanted, price=100_000), demand("oxide", "civil", *wanted), stores=stores
    )
    rules = (rule,) if floor else ()
    found = planned(given_case, [earth], rules)

    columns, bounds = [], []
    years = range(len(wanted))
    for (name, (gives, takes, fee)), t in product(recipes.items(), years):
        amounts = {("node", good, t): kilograms for good, kilograms in gives.items()}
        for good, kilograms in takes.items():
            amounts["node", good, t] = amounts.get(("node", good, t), 0.0) - kilograms
        if name == "magnet-m":  # swarf that nobody wants is left at no value
            amounts.pop(("node", "salt", t))
            columns.append(Column("swarf", 0, {("node", "salt", t): 1.0, ("swarf", t): 1.0}))
            amounts["swarf", t] = -swarf
            bounds.append(Bound({("swarf", t): 1.0}, at_most=0.0))
            amounts.pop(("node", "magnet", t))
            columns.append(Column("magnet", 0, {("node", "magnet", t): 1.0, ("magnets", t): 1.0}))
            amounts["magnets", t] = -1.0
            bounds.append(Bound({("magnets", t): 1.0}, at_most=0.0))
        columns.append(Column(name, fee, {**amounts, ("units", name, t): 1.0}))
    for good, t in product((*GOODS, "ore"), years):
        columns.append(
            Column("hold", held, {("node", good, t): -1.0} | ({("node", good, t + 1): 1.0} if t + 1 in years else {}))
        )
        needed = float(wanted[t]) if good in ("magnet", "oxide") else 0.0
        columns.append(
            Column("short", 100_000 if good == "magnet" else 1000, {("node", good, t): 1.0, ("short", good, t): 1.0})
        )
        bounds.append(Bound({("short", good, t): 1.0}, at_most=needed))
        bounds.append(Bound({("node", good, t): 1.0}, needed, needed))
    columns += [Column("mine", 0.01, {("node", "ore", t): 1.0}) for t in years]
    columns.append(Column("onboarding", 1, {("paid",): 1.0}))
    all_units = {("units", "recycler", t): 1.0 for t in years}
    choices = [Choice("used", (Bound(all_units, at_most=0.0),), (Bound({("paid",): 1.0}, at_least=float(onboarding)),))]
    if least:
        choices += [
            Choice(f"{t}", (Bound({u: 1.0}, at_most=0.0),), (Bound({u: 1.0}, at_least=float(least)),))
            for t in years
            for u in [("units", "recycler", t)]
        ]
    if floor:
        bounds += [
            Bound({("units", "recycler", t): 1 - floor, ("units", "oxide-m", t): -floor}, at_least=0.0) for t in years
        ]
    agrees(given_case, [earth], found, Enumeration(columns, bounds).optimum(choices, []))


@pytest.mark.parametrize(
    ("outputs", "back", "refused"),
    [
        ({"metal": 1, "salt": 1}, (0.6, 0.6), True),
        ({"metal": 1, "salt": 1}, (0.6, 0.4), False),
        ({"metal": 1, "salt": 1}, (0.5, 0.4), False),
        ({"metal": 0.9}, (1.0, 0.0), False),
        ({"metal": 0.9}, (1.2, 0.0), True),
    ],
)
def test_what_several_recipes_make_of_nothing_is_refused(
    outputs: dict[str, float], back: tuple[float, float], refused: bool
) -> None:
    """A kilogram of oxide gives metal and salt, and both are made into oxide again: no more of it than went in, but all of it."""
    split = source("US", 1, name="split", inputs=lines(oxide=1), outputs=lines(**outputs))
    again = [
        offer(
            f"of-{good}", "us", "oxide", 1, chain("US", *OXIDE), inputs=lines(**{good: 1}), outputs=lines(oxide=gives)
        )
        for good, gives in zip(("metal", "salt"), back, strict=True)
        if gives
    ]
    facts = catalog(facility("us", "US"), split, *again)
    if refused:
        with pytest.raises(InputError, match="made of nothing"):
            build_problem(case(demand("oxide", "civil", 10)), (facts,), ())
    else:
        build_problem(case(demand("oxide", "civil", 10)), (facts,), ())


def test_a_recipe_that_gives_what_it_takes_makes_nothing() -> None:
    """Metal of metal, kilogram for kilogram: no gain, whatever stands around it."""
    again = source("US", 1, name="again", inputs=lines(metal=1))
    assert build_problem(case(demand("metal", "civil", 10)), (catalog(facility("us", "US"), again),), ()).offers


def test_a_blend_with_something_new_is_no_gain() -> None:
    """A tenth of scrap in new metal gives more magnet than scrap, and may go round: the rest of it comes from outside."""
    blend = offer("blend", "us", "magnet", 1, chain("US", "produced"), inputs=lines(salt=0.1, metal=1))
    scrap = source("US", 1, "salt", name="scrap", inputs=lines(magnet=1))
    metal = source("US", 10, name="metal")
    facts = catalog(facility("us", "US"), blend, scrap, metal)
    assert build_problem(case(demand("magnet", "civil", 10)), (facts,), ()).offers
