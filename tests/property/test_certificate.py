"""Certificates of small random programs against brute force: as high as the optimum, and never above it, however they are changed."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest

from friendshore.program.matrix import Entries, Floats, Linear
from friendshore.proof.certificate import NoCertificateError, Steps, proved
from friendshore.proof.exact import Multipliers
from friendshore.proof.tree import Branch, Leaf, Tree
from friendshore.solve import Watch, relaxation

from .settings import DEPTH


def drawn(dice: Random) -> Linear:
    """A few integer columns and a continuous one, under a few rows, costs on either side of zero."""
    columns, rows = dice.randint(2, 4), dice.randint(1, 3)
    upper = np.array([float(dice.randint(1, 3)) for _ in range(columns)])
    coefficients = np.array([[float(dice.randint(-3, 5)) for _ in range(columns)] for _ in range(rows)])
    where = np.argwhere(coefficients)
    return Linear(
        cost=np.array([dice.randint(-40, 90) / 10 for _ in range(columns)]),
        lower=np.zeros(columns),
        upper=upper,
        integer=np.arange(columns) > 0,
        entries=Entries.summed(where[:, 0], where[:, 1], coefficients[tuple(where.T)], (rows, columns)),
        row_lower=np.array([float(dice.randint(-1, 6)) for _ in range(rows)]),
        row_upper=np.array([dice.choice([np.inf, float(dice.randint(6, 9))]) for _ in range(rows)]),
    )


def optimum(linear: Linear) -> float | None:
    """The least cost, by trying all whole numbers; None: there is no plan."""
    whole = np.flatnonzero(linear.integer)
    found: list[float] = []
    for values in product(*(range(int(linear.upper[j]) + 1) for j in whole)):
        lower, upper = linear.lower.copy(), linear.upper.copy()
        lower[whole] = upper[whole] = values
        answer = relaxation(_bounded(linear, lower, upper), Watch())
        if answer.x is not None:
            found.append(answer.objective)
    return min(found, default=None)


def _bounded(linear: Linear, lower: Floats, upper: Floats) -> Linear:
    return Linear(linear.cost, lower, upper, linear.integer, linear.entries, linear.row_lower, linear.row_upper)


def bent(dice: Random, steps: Steps) -> Steps:
    """The same with something changed: a multiplier, a denominator, a split, a leaf said to be empty, or steps lost, doubled or moved."""
    new = list(steps)
    at = dice.randrange(len(new))
    step = new[at]
    way = dice.randrange(6)
    if way == 0:
        new.insert(at, dice.choice(new))
    elif way == 1:
        del new[at]
    elif way == 2:
        dice.shuffle(new)
    elif isinstance(step, Branch):
        new[at] = Branch(step.column + dice.randint(-1, 1), step.at + dice.randint(-2, 2))
    elif way == 3:
        new[at] = Leaf(step.multipliers, not step.empty)
    else:
        over = max(1, step.multipliers.over + dice.choice([-1, 0, 0, 1]) * dice.randint(0, 3))
        rows = tuple((row, times + dice.randint(-9, 9) * over // 3) for row, times in step.multipliers.rows)
        new[at] = Leaf(Multipliers(over, rows), step.empty)
    return tuple(new)


@pytest.mark.parametrize("seed", range(int(12 + 388 * min(1.0, DEPTH))))
def test_no_certificate_proves_more_than_the_optimum(seed: int) -> None:
    """That of a search proves the optimum; one of twenty that were bent proves no more, and no plan where there is one is never denied."""
    dice = Random(seed)
    linear = drawn(dice)
    best = optimum(linear)
    tree = Tree(linear, 1e6, Watch())
    tree.grow(Fraction(10**6))
    steps = tuple(tree.steps)
    bound, empty = proved(linear, 1e6, steps, Watch())
    assert empty == (best is None)
    if best is not None:
        assert bound is not None
        assert float(bound) == pytest.approx(best, rel=1e-7, abs=1e-7)
    for _ in range(20):
        try:
            bound, empty = proved(linear, 1e6, bent(dice, steps), Watch())
        except NoCertificateError:
            continue
        assert best is None or not empty
        assert best is None or bound is None or float(bound) <= best + 1e-7 * max(1.0, abs(best))
