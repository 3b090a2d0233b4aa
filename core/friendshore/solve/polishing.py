"""Choices of a plan made exactly whole, and the rest solved again for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, Mask
from .engine import Engines, SolverAnswer, never


def fix(linear: Linear, fixed: Mask, x: Floats) -> Linear:
    """Some integer variables fixed at what they are in a plan."""
    at = np.round(x)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        integer=linear.integer & ~fixed,
    )


def polished(linear: Linear, engines: Engines, answer: SolverAnswer) -> SolverAnswer:
    """The same choices made exactly whole, and the rest solved again for them."""
    assert answer.x is not None
    settled = replace(engines, stopped=never)  # a plan that a stopped search leaves behind is whole too
    exact = settled.linear(fix(linear, linear.integer, answer.x))
    if exact.x is None:
        return answer
    return SolverAnswer(answer.outcome, exact.x, exact.objective, answer.bound)
