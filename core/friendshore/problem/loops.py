"""Recipes that go round in a circle: nothing may come out of them that did not go in.

A circle that loses is well and good: swarf of a magnet maker goes back into oxide. What is refused is a set of recipes that, run
together, make all that they take and something besides. With `x` units of each recipe, outputs less inputs must not all be zero
or more and one of them above zero: a linear program (Koopmans' postulate that there is no land of Cockaigne).

Source: T. C. Koopmans, Analysis of production as an efficient combination of activities, in Activity Analysis of Production and
Allocation, Wiley 1951, chapter III, postulate B.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..errors import Diagnostic, InputError
from .offers import OfferFacts

_LEAST = 1e-9
"""Kilograms out of nothing, with no recipe run for more than one unit, that count as such."""


def check_loops(offers: Sequence[OfferFacts]) -> None:
    """Refuses recipes that together make something of nothing.

    Raises:
        InputError: with the materials and offers of such recipes.
    """
    recipes = [facts for facts in offers if facts.offer.inputs]
    recipes = _within_circles(recipes)
    if not recipes:
        return
    materials = sorted({line.material for r in recipes for line in (*r.offer.inputs, *r.offer.outputs)})
    position = {name: i for i, name in enumerate(materials)}
    net = np.zeros((len(materials), len(recipes)))
    for column, facts in enumerate(recipes):
        for line in facts.offer.outputs:
            net[position[line.material], column] += float(line.per_unit)
        for line in facts.offer.inputs:
            net[position[line.material], column] -= float(line.per_unit)
    gained = _gained(net)
    if gained is None:
        return
    run, made = gained
    names = [facts.offer.id for facts, units in zip(recipes, run.tolist(), strict=True) if units > _LEAST]
    found = {name: kilograms for name, kilograms in zip(materials, made.tolist(), strict=True) if kilograms > _LEAST}
    raise InputError(
        Diagnostic(
            f"{', '.join(found)} is made of nothing by the recipes of {', '.join(names)}: together they give more than they take",
            column="recipe.per_unit",
            found=", ".join(f"{kilograms:.6g} kg of {name} left over" for name, kilograms in found.items()),
            expected="no more than goes in",
            fix="mend the inputs per unit",
        )
    )


def _within_circles(recipes: list[OfferFacts]) -> list[OfferFacts]:
    """Recipes all of whose inputs are made by others of them: the rest cannot run without something from outside."""
    while True:
        made = {line.material for facts in recipes for line in facts.offer.outputs}
        kept = [facts for facts in recipes if all(line.material in made for line in facts.offer.inputs)]
        if len(kept) == len(recipes):
            return kept
        recipes = kept


def _gained(net: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Units of each recipe and what is left over of each material, if anything can be; else None."""
    from scipy.optimize import linprog  # heavy, and hardly any case has a circle

    rows, columns = net.shape
    scale = np.abs(net).max(axis=0)
    result = linprog(
        -(net / scale).sum(axis=0),
        A_ub=-net / scale,
        b_ub=np.zeros(rows),
        bounds=[(0.0, 1.0)] * columns,
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    if result.x is None or -result.fun <= _LEAST * 10:
        return None
    return result.x / scale, np.asarray(net @ (result.x / scale))
