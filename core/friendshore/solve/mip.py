"""Programs with integer variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..domain.watch import LONGEST_SECONDS
from ..program.matrix import Floats, Linear, Mask
from .engine import BRIEF, Ask, Engines, SolverAnswer, SolverOutcome, Watch, is_open, never

NOTHING = SolverAnswer(SolverOutcome.NOTHING)


def solve_mip(
    linear: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer = NOTHING
) -> SolverAnswer:
    """The best answer for a program with integer variables, to a relative gap, until the watch stops it.

    A brief search, then one that lasts until it is done: in a process of its own, which is ended with the watch and leaves its best plan and bound
    behind. It does not start from what the brief one found, so that a finished search never depends on the clock. What is `known` beforehand must
    not depend on the clock either: a plan to start from and a bound, each if there is one.

    Raises:
        UnboundedError: if the cost has no least value.
    """
    best, bound = known, known.bound
    enough = bound + gap * abs(bound) if np.isfinite(bound) else None
    brief, tight, broken = True, False, False
    while not watch.stopped():
        left = watch.left()
        most = LONGEST_SECONDS if left is None else left
        answer = engines.search(
            linear, Ask(min(BRIEF, most) if brief else most, gap, enough=enough, tight=tight), known.x
        )
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
        if not brief and not answer.out_of_time:
            break  # it gave up by itself, and would again
        brief = False
    outcome = SolverOutcome.BROKEN if broken and best.x is None else best.outcome
    return SolverAnswer(outcome, best.x, best.objective, min(bound, best.objective))


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
