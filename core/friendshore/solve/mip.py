"""Programs with integer variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, Mask
from .engine import BRIEF, Ask, Engines, SolverAnswer, SolverOutcome, Watch, is_open

SECOND_SLICE = 2.0
"""Seconds of the second slice of a long search, after a brief one; each next one is twice as long."""

LATER_SLICE = 8.0
"""Seconds of the first slice of a search that is expected to end soon."""

NOTHING = SolverAnswer(SolverOutcome.NOTHING)


def solve_mip(
    linear: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer = NOTHING
) -> SolverAnswer:
    """The best answer for a program with integer variables, to a relative gap, until the watch stops it.

    Slices that double in length, each from the start, so that a finished search never depends on the clock. What is
    `known` beforehand must not depend on the clock either: a plan to start from and a bound, each if there is one.

    Raises:
        UnboundedError: if the cost has no least value.
    """
    best, bound = known, known.bound
    enough = bound + gap * abs(bound) if np.isfinite(bound) else None
    seconds, tight, broken = BRIEF, False, False
    while not watch.stopped():
        left = watch.left()
        slice_ = seconds if left is None else min(seconds, left)
        answer = engines.search(linear, Ask(slice_, gap, enough=enough, tight=tight), known.x)
        bound = max(bound, answer.bound)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return answer
        if broken := answer.outcome is SolverOutcome.BROKEN:
            break
        raw = answer.objective
        if answer.x is not None:
            answer = polished(linear, engines, answer)
            if answer.objective < best.objective:
                best = answer
        if answer.outcome is SolverOutcome.OPTIMAL and not tight and is_open(answer.objective, raw):
            tight = True  # what rows let through within their tolerance was worth much: plan and bound came out too low
            continue
        if answer.outcome is SolverOutcome.OPTIMAL or (enough is not None and answer.objective <= enough):
            return SolverAnswer(SolverOutcome.OPTIMAL, answer.x, answer.objective, min(bound, answer.objective))
        seconds = max(SECOND_SLICE, 2 * seconds)
    outcome = SolverOutcome.BROKEN if broken and best.x is None else best.outcome
    return SolverAnswer(outcome, best.x, best.objective, min(bound, best.objective))


def in_slices(linear: Linear, engines: Engines, watch: Watch, gap: float, nodes: int) -> SolverAnswer:
    """A search that ends by itself, by its gap or its nodes, and can be interrupted: in slices that double in length."""
    seconds, answer = LATER_SLICE, NOTHING
    while not watch.stopped():
        left = watch.left()
        answer = engines.search(linear, Ask(seconds if left is None else min(seconds, left), gap, nodes=nodes))
        if not answer.out_of_time:
            break
        seconds *= 2
    return answer


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
    exact = engines.linear(fix(linear, linear.integer, answer.x))
    if exact.x is None:
        return answer
    return SolverAnswer(answer.outcome, exact.x, exact.objective, answer.bound)
