"""Recipes that go round in a circle: what is made of itself must not come out as more than went in."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from math import log, prod
from typing import NamedTuple

from ..errors import InputError
from ..errors import Problem as Trouble
from .offers import OfferFacts

_SLACK = 1e-9


class _Step(NamedTuple):
    needs: Decimal
    """Kilograms taken for a kilogram made."""
    offer: str


def check_loops(offers: Sequence[OfferFacts]) -> None:
    """Refuses recipes by which a material is made of less of itself: a plan would draw it out of nothing.

    Raises:
        InputError: with the materials and offers of one such circle.
    """
    steps = _steps(offers)
    circle = _gaining(steps)
    if not circle:
        return
    named = [steps[pair] for pair in pairwise(circle)]
    needs = prod((float(step.needs) for step in named), start=1.0)
    raise InputError(
        Trouble(
            f"{circle[0]} is made of less of itself by the recipes of {', '.join(dict.fromkeys(step.offer for step in named))}",
            column="recipe.per_unit",
            found=f"{' -> '.join(circle)}: {needs:.6g} kg gives 1 kg",
            expected="no more than goes in",
            fix="mend the inputs per unit",
        )
    )


def _steps(offers: Sequence[OfferFacts]) -> dict[tuple[str, str], _Step]:
    """Input and output -> the offer that needs least of the one for the other."""
    steps: dict[tuple[str, str], _Step] = {}
    for facts in offers:
        for taken in facts.offer.inputs:
            for made in facts.offer.outputs:
                step = _Step(taken.per_unit / made.per_unit, facts.offer.id)
                pair = (taken.material, made.material)
                steps[pair] = min(steps.get(pair, step), step)
    return steps


def _gaining(steps: dict[tuple[str, str], _Step]) -> list[str]:
    """A circle of materials round which less than one kilogram gives one; empty if there is none (Bellman-Ford)."""
    materials = sorted({name for pair in steps for name in pair})
    length = dict.fromkeys(materials, 0.0)
    before: dict[str, str] = {}
    last = ""
    for _ in materials:
        last = ""
        for (taken, made), step in sorted(steps.items()):
            reached = length[taken] + log(step.needs)
            if reached < length[made] - _SLACK:
                length[made], before[made], last = reached, taken, made
        if not last:
            return []
    if not last:
        return []
    for _ in materials:
        last = before[last]
    circle = [last]
    while len(circle) < 2 or circle[-1] != last:
        circle.append(before[circle[-1]])
    return circle[::-1]
