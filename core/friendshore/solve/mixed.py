"""Programs with whole columns."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, Mask
from .engines import Answer, Outcome, is_open, solve_lp, solve_with_highs
from .watch import Watch

FIRST_SLICE = 2.0
"""Seconds of the first slice of a long search; each next one is twice as long."""

LATER_SLICE = 8.0
"""Seconds of the first slice of a search that is expected to end soon."""

NOTHING = Answer(Outcome.NOTHING)


def solve_mixed(linear: Linear, watch: Watch, gap: float, known: Answer = NOTHING) -> Answer:
    """The best answer for a program with whole columns, to a relative gap, until the watch stops it.

    Slices that double in length, each from the start, so that a finished search never depends on the clock. What is
    `known` beforehand must not depend on the clock either: a plan to start from and a bound, each if there is one.

    Raises:
        SolverError: if the solver breaks down or the program is unbounded.
    """
    best, bound = known, known.bound
    enough = bound + gap * abs(bound) if np.isfinite(bound) else None
    seconds, tight = FIRST_SLICE, False
    while not watch.stopped():
        left = watch.left()
        slice_ = seconds if left is None else min(seconds, left)
        answer = solve_with_highs(linear, slice_, gap, known.x, enough=enough, tight=tight)
        bound = max(bound, answer.bound)
        if answer.outcome is Outcome.INFEASIBLE:
            return answer
        raw = answer.objective
        if answer.x is not None:
            answer = polished(linear, answer)
            if answer.objective < best.objective:
                best = answer
        if answer.outcome is Outcome.OPTIMAL and not tight and is_open(answer.objective, raw):
            tight = True  # what rows let through within their tolerance was worth much: plan and bound came out too low
            continue
        if answer.outcome is Outcome.OPTIMAL or (enough is not None and answer.objective <= enough):
            return Answer(Outcome.OPTIMAL, answer.x, answer.objective, min(bound, answer.objective))
        seconds *= 2
    return Answer(best.outcome, best.x, best.objective, min(bound, best.objective))


def in_slices(linear: Linear, watch: Watch, gap: float, nodes: int, start: Floats | None = None) -> Answer:
    """A search that ends by itself, by its gap or its nodes, and can be interrupted: in slices that double in length."""
    seconds, answer = LATER_SLICE, NOTHING
    while not watch.stopped():
        left = watch.left()
        answer = solve_with_highs(linear, seconds if left is None else min(seconds, left), gap, start, nodes=nodes)
        if not answer.out_of_time:
            break
        seconds *= 2
    return answer


def fix(linear: Linear, fixed: Mask, x: Floats) -> Linear:
    """Some whole columns fixed at what they are in a plan."""
    at = np.round(x)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        integer=linear.integer & ~fixed,
    )


def polished(linear: Linear, answer: Answer) -> Answer:
    """The same choices made exactly whole, and the rest solved again for them."""
    assert answer.x is not None
    exact = solve_lp(fix(linear, linear.integer, answer.x))
    if exact.x is None:
        return answer
    return Answer(answer.outcome, exact.x, exact.objective, answer.bound)
