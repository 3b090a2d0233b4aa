"""Programs with integer variables."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..domain.watch import LONGEST_SECONDS
from ..program.matrix import Floats, Linear
from .engine import BRIEF, Ask, Engines, SolverAnswer, SolverOutcome, Watch, is_open
from .first_plan import Steps, first_plan, unknown
from .polishing import polished

NOTHING = SolverAnswer(SolverOutcome.NOTHING)


def solve_mip(
    linear: Linear,
    engines: Engines,
    watch: Watch,
    gap: float,
    known: SolverAnswer = NOTHING,
    steps: Steps = unknown,
    counted: Floats | float = 1.0,
) -> SolverAnswer:
    """The best answer for a program with integer variables, to a relative gap, until the watch stops it.

    A first plan (`first_plan`); a brief search; then one that lasts until it is done: in a process of its own, which is ended with the watch and
    leaves its best plan and bound behind. It does not start from what the brief one found, so that a search that no time limit cuts short never
    depends on the clock. What is `known` beforehand must not depend on the clock either: a plan to start from and a bound, each if there is one.

    Raises:
        UnboundedError: if the cost has no least value.
    """
    left = linear
    if known.x is None and not np.isfinite(known.bound):
        known, left = first_plan(linear, engines, watch, gap, steps, counted)
        if known.x is not None:
            known = polished(linear, engines, known)
    if known.outcome is SolverOutcome.INFEASIBLE:
        return known
    if known.objective <= _enough(known.bound, gap):
        return replace(known, outcome=SolverOutcome.OPTIMAL, bound=min(known.bound, known.objective))
    answer = _searched(linear, left, engines, watch, gap, known)
    missed = answer.outcome in (SolverOutcome.INFEASIBLE, SolverOutcome.OPTIMAL) and is_open(
        answer.objective * (1 - gap), known.objective
    )
    # An engine that misses a plan which is known, within narrow bounds, is at the edge of its tolerances.
    return _searched(linear, linear, engines, watch, gap, known) if left is not linear and missed else answer


def _searched(
    linear: Linear, left: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer
) -> SolverAnswer:
    """The same from what is known; only what is `left` of the program is searched."""
    best, bound = known, known.bound
    enough = _enough(bound, gap) if np.isfinite(bound) else None
    brief, tight, broken = True, False, False
    while not watch.stopped():
        seconds = LONGEST_SECONDS if (limit := watch.left()) is None else limit
        ask = Ask(min(BRIEF, seconds) if brief else seconds, gap, enough=enough, tight=tight)
        answer = engines.search(left, ask, known.x)
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


def _enough(bound: float, gap: float) -> float:
    """The cost of a plan that ends the search."""
    return bound + gap * abs(bound) if np.isfinite(bound) else bound
