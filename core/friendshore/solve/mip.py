"""Programs with integer variables."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Linear
from .branching import branched, by_bound
from .engine import Ask, Engines, Opinion, SolverAnswer, SolverOutcome, Watch, is_open
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
    confirm: bool = True,
    start: Floats | None = None,
    relaxed: SolverAnswer | None = None,
    branch: bool = False,
) -> SolverAnswer:
    """Return the best answer for a program with integer variables, to a relative gap, until the watch stops it.

    A first plan (`first_plan`), then a search, then a second opinion on its optimum. Without one the outcome is `UNCONFIRMED`.

    Args:
        known: Plan to start from and proved bound, each if there is one. Without a time limit they must not depend on the clock.
        confirm: False for one of many programs whose bounds are confirmed together at the end.
        start: A plan of a program much like it; see `first_plan`.
        relaxed: Answer of its linear relaxation, if it is known.
        branch: True for a program that its relaxation nearly solves; see `branching`.

    Raises:
        UnboundedError: if the cost has no least value.
    """
    left = linear
    if known.x is None and not np.isfinite(known.bound):
        known, left = first_plan(linear, engines, watch, gap, steps, counted, start, relaxed)
        if known.x is not None:
            known = polished(linear, engines, known)
    if known.outcome is SolverOutcome.INFEASIBLE:
        return known
    if known.objective <= _enough(known.bound, gap):
        return by_bound(known, known.bound)
    if branch and known.x is not None and (closed := branched(linear, left, known, gap, engines, watch)) is not None:
        return closed
    began = time.monotonic()
    answer = _searched(linear, left, engines, watch, gap, known)
    missed = answer.outcome in (SolverOutcome.INFEASIBLE, SolverOutcome.OPTIMAL) and is_open(
        answer.objective * (1 - gap), known.objective
    )
    # An engine that misses a plan which is known, within narrow bounds, is at the edge of its tolerances.
    if left is not linear and missed:
        answer, left = _searched(linear, linear, engines, watch, gap, known), linear
    if answer.confirmed_by or not confirm:
        return answer
    whole = linear if answer.outcome is SolverOutcome.INFEASIBLE else left
    opinions = engines.opinions(whole, watch, gap, time.monotonic() - began)
    if answer.outcome is SolverOutcome.OPTIMAL and known.objective < answer.objective:
        answer = replace(answer, x=known.x, objective=known.objective)
    claims = answer.outcome in (SolverOutcome.OPTIMAL, SolverOutcome.INFEASIBLE)
    return _confirmed(linear, opinions, engines, gap, answer) if claims else answer


def _confirmed(
    linear: Linear, opinions: Iterable[Opinion], engines: Engines, gap: float, claim: SolverAnswer
) -> SolverAnswer:
    """Ask for second opinions on a claimed optimum, or on the claim that there is no plan, until two searches agree.

    A search that finds a cheaper plan refutes the claim; its own claim then needs a second opinion.
    """
    best, bound = claim, claim.bound
    for opinion in opinions:
        answer = opinion(hint=best.x)
        if answer.x is None:
            if answer.outcome is SolverOutcome.INFEASIBLE is best.outcome:
                return best
            continue
        other = polished(linear, engines, answer)
        if best.x is None or not _near(best.objective, other.objective, gap):
            best, bound = other, other.bound
        elif _near(best.objective, other.bound, gap):
            by = Confirmation.SECOND_SOLVER if other.solver != best.solver else Confirmation.SECOND_SEARCH
            if best.objective - other.bound > _DIGITS * abs(best.objective):
                bound = min(bound, other.bound)
            confirmed = frozenset({by})
            return replace(
                best, outcome=SolverOutcome.OPTIMAL, bound=min(bound, best.objective), confirmed_by=confirmed
            )
    if best.x is None:
        return best
    return replace(best, outcome=SolverOutcome.UNCONFIRMED, bound=min(bound, best.objective))


def _near(value: float, bound: float, gap: float) -> bool:
    """Return True if the bound is within the gap, and what solvers round, below the value."""
    return value - bound <= (gap + _ROUNDING) * max(1.0, abs(value))


_ROUNDING = 1e-7
"""Share of the cost that two solvers' tolerances may differ by."""
_DIGITS = 1e-12
"""Share of the cost that two computations of the same sum may differ by."""


def _searched(
    linear: Linear, left: Linear, engines: Engines, watch: Watch, gap: float, known: SolverAnswer
) -> SolverAnswer:
    """The same from what is known; only what is `left` of the program is searched."""
    best, bound = known, known.bound
    enough = _enough(bound, gap) if np.isfinite(bound) else None
    tight, broken, start = False, False, known.x
    while not watch.stopped():
        ask = Ask(watch.left(), gap, enough=enough, tight=tight)
        answer = engines.search(left, ask, start)
        bound = max(bound, answer.bound)
        if answer.outcome is SolverOutcome.INFEASIBLE:
            return answer
        if broken := answer.outcome is SolverOutcome.BROKEN:
            break
        raw = answer.objective
        if start is not None and _is_astray(answer, enough, gap):
            start, enough = None, None
            continue
        if answer.x is not None:
            answer = polished(linear, engines, answer)
            if answer.objective < best.objective:
                best = answer
        sufficed = enough is not None and raw <= enough
        if (sufficed or answer.outcome is SolverOutcome.OPTIMAL) and not tight and is_open(answer.objective, raw):
            tight = True  # what rows let through within their tolerance was worth much: plan and bound came out too low
            continue
        if enough is not None and answer.objective <= enough:
            return by_bound(answer, known.bound)
        if answer.outcome is SolverOutcome.OPTIMAL:
            return replace(answer, bound=min(bound, answer.objective))
        if sufficed:
            enough = None  # it ended too early: only before its choices were made whole did the plan cost so little
            continue
        break  # it reached a limit, or gave up by itself
    outcome = SolverOutcome.BROKEN if broken and best.x is None else best.outcome
    return SolverAnswer(outcome, best.x, best.objective, min(bound, best.objective))


def _is_astray(answer: SolverAnswer, enough: float | None, gap: float) -> bool:
    """Return True if a solver ended as if its plan cost less than it does. HiGHS was seen to do so from a plan that it was given."""
    if answer.x is None or answer.out_of_time:
        return False
    if answer.outcome is SolverOutcome.OPTIMAL:
        return not _near(answer.objective, answer.bound, gap)
    return enough is not None and answer.objective > enough


def _enough(bound: float, gap: float) -> float:
    """The cost of a plan that ends the search."""
    return bound + gap * abs(bound) if np.isfinite(bound) else bound
