"""Links of fixed choices to single flows cut off no cheapest plan: random cases with them, and without.

Without them a choice is linked to orders as a whole, by what the offer can give. Both programs have the same least cost, and the relaxation of
the one with links is never the weaker.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

import numpy as np
import pytest
from tests.building import (
    METAL,
    OXIDE,
    case,
    catalog,
    chain,
    demand,
    facility,
    lines,
    offer,
    schedule,
    store,
    terms,
    tier,
)

from friendshore.domain.facts import Offer
from friendshore.domain.terms import Terms
from friendshore.problem import Problem, build_problem
from friendshore.program import Program, compile_program
from friendshore.program.bounds import Bounds
from friendshore.program.matrix import Floats, Ints
from friendshore.rules.base import Rule
from friendshore.rules.kinds.limits import MaxPlaces, MaxSuppliers, SingleSource

from .mid_size import mid_size
from .settings import at_depth
from .test_second_engine import by_scip

CASES = 400
GROUP = 8
GAP = 1e-6
PLACES = ("US", "JP", "KZ")
RULES = {"single-source": SingleSource, "max-suppliers": MaxSuppliers, "max-places": MaxPlaces}


def _places(seed: int) -> Problem:
    """A few suppliers that cost something to use, and several places; some with makers of metal, orders of a least size, lots or tiers."""
    dice, count = Random(seed), Random(seed + 1).randint(1, 3)
    names = ("au", "ca", "cn", "vn")[: dice.randint(2, 4)]
    plants = [facility(name, name.upper(), dice.choice((None, 40, 70))) for name in names]
    offers = [_offer(dice, name) for name in names]
    if dice.randrange(3) == 0:
        plants.append(facility("us", "US"))
        made = {"inputs": lines(oxide=1.25), "onboarding": dice.choice((5, 60)), "onboarding_currency": "USD"}
        offers += [
            offer("us-metal", "us", "metal", 1, chain("US", "melted"), **made),
            _offer(dice, "vn", "oxide") if "vn" in names else _offer(dice, "au", "oxide"),
        ]
    demands = [
        demand(good, use, *(dice.choice((0, 10, 25)) for _ in range(count)), id=f"{good}-{use}-{place}", place=place)
        for place in PLACES[: dice.randint(1, 3)]
        for good in ("metal", *(("oxide",) if place == "US" and dice.randrange(3) == 0 else ()))
        for use in ("civil", *(("defense",) if dice.randrange(3) == 0 else ()))
    ]
    stores = [store("metal", dice.choice((0, 1, 4)), place=place, loss=dice.choice((0, 0, 0.1))) for place in PLACES]
    bonds: list[Any] = [_terms(dice, name) for name in names if dice.randrange(2)]
    if dice.randrange(4) == 0:
        bonds.append(schedule(offers[0].id, tier(0), tier(dice.choice((20, 60)), discount=0.3)))
    given = case(*demands, stores=stores, assume={"freight": dice.choice((0, 2))})
    return build_problem(given, (catalog(*plants, *offers, *bonds),), _rules(dice, count))


def _offer(dice: Random, name: str, good: str = "metal") -> Offer:
    more: dict[str, Any] = {}
    if dice.randrange(2):
        more |= {"onboarding": dice.choice((10, 80, 300)), "onboarding_currency": "USD"}
    if dice.randrange(5) == 0:
        more["min_order"] = dice.choice((3, 12))
    if dice.randrange(6) == 0:
        more["lot"] = 4
    price, links = dice.randint(1, 6), chain(name.upper(), *(METAL if good == "metal" else OXIDE))
    return offer(f"{name}-{good}", name, good, price, links, **more)


def _terms(dice: Random, name: str) -> Terms:
    figures: dict[str, Any] = {"fixed": dice.choice((5, 50, 200))}
    if dice.randrange(3) == 0:
        figures["least"] = dice.choice((5, 15))
    if dice.randrange(3) == 0:
        return terms(name, of="facility", per="period", setup_use=5, **figures)
    return terms(name, of="facility", per=dice.choice(("period", "horizon")), **figures)


def _rules(dice: Random, count: int) -> tuple[Rule, ...]:
    kind = dice.choice(("", *RULES))
    if not kind:
        return ()
    more: dict[str, Any] = {} if kind == "single-source" else {"count": dice.randint(1, 2)}
    per = dice.choice(("period", "horizon")) if count > 1 else "horizon"
    return (RULES[kind].model_validate({"id": kind, "per": per, **more}),)


def _mid(seed: int) -> Problem:
    drawn = mid_size(seed)
    return build_problem(drawn.case, (drawn.catalog,), drawn.rules)


def _anything(_bounds: Bounds, arcs: Ints, _periods: Ints) -> Floats:
    return np.full(len(arcs), np.inf)


def _without_links(problem: Problem) -> Program:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Bounds, "wanted", _anything)
        return compile_program(problem)


def _relaxed(program: Program) -> float | None:
    return by_scip(replace(program.linear, integer=np.zeros(len(program.linear.cost), dtype=bool)))


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(n, marks=pytest.mark.deep) for n in range(GROUP, at_depth(CASES), GROUP))]
)
@pytest.mark.parametrize("drawn", [_places, _mid])
def test_links_cut_off_no_cheapest_plan(drawn: Any, first: int) -> None:
    """The same least cost, or none for both; a bound that is no lower."""
    for seed in range(first, first + GROUP):
        strong, weak = compile_program(drawn(seed)), _without_links(drawn(seed))
        found, least = by_scip(strong.linear), by_scip(weak.linear)
        assert (found is None) == (least is None), f"seed {seed}"
        if found is not None and least is not None:
            assert found == pytest.approx(least, rel=2 * GAP, abs=1e-5), f"seed {seed}"
            above, below = _relaxed(strong), _relaxed(weak)
            assert above is not None
            assert below is not None
            assert above >= below - GAP * max(1.0, abs(below)), f"seed {seed}"
