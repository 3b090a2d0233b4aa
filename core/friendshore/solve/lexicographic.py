"""Ranked objectives: each made as small as those before it allow, component by component.

The lexicographic (preemptive) method: level by level the same program is solved with another cost, and what a level came to
becomes a row for the levels after it. Where it came to nothing at all its columns are closed instead, which needs no
tolerance. Isermann, Linear lexicographic optimization, OR Spektrum 4, 1982, 223-228; Ehrgott, Multicriteria optimization,
2nd ed. 2005, section 5.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..domain.plan import Confirmation
from ..program.matrix import Floats, Ints, Linear, capped
from ..program.objectives import Goal
from .engine import Reached, SolverAnswer, SolverOutcome, worst_outcome
from .linking import Linked
from .mip import NOTHING
from .search import Search

SLACKS = (0.0, 1e-9, 1e-7, 1e-6)
"""By how much of what it came to (or of one) a level may be missed by those after it, beside the solver's own tolerance. More
than nothing is tried only where the solver then finds no plan at all, though one is known."""
NOTHING_LEFT = 1e-6
"""A column below this counts as nothing: a thousandth of the resolution, where that is a gram."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """A level whose turn is over."""

    cost: Floats
    most: float
    x: Floats
    """The plan that it came to."""


def goals_within(goals: Sequence[Goal], columns: Ints) -> list[tuple[int, Goal]]:
    """The levels that say anything of some columns, each with its rank."""
    found = [(rank, replace(goal, cost=goal.cost[columns])) for rank, goal in enumerate(goals)]
    return [(rank, goal) for rank, goal in found if goal.cost.any()]


def is_ranked(goals: Sequence[Goal]) -> bool:
    """Whether some level is not the whole objective: else a component is solved as if nothing were ranked."""
    return any(not goal.whole for goal in goals)


def solve_lexicographic(
    search: Search, linear: Linear, goals: Sequence[Goal], known: SolverAnswer = NOTHING, start: Floats | None = None
) -> SolverAnswer:
    """The best plan of a component, level by level, from a `known` plan on, or from a `start` (see `Search.component`); with no plan at all where the time is up in the first.

    With a time limit, each level gets an equal share of the time left, so that the last ones are not left out.

    Raises:
        UnboundedError: if the cost has no least value.
    """
    best, answers = known, list[SolverAnswer]()
    bound = 0.0 if not linear.cost.any() else float("-inf")
    kept: list[_Kept] = []
    reached: list[Reached] = []
    joined: Linked | None = None
    for rank, goal in enumerate(goals):
        within = search.until(search.watch.share(1 / (len(goals) - rank)))
        answer = _level(within, replace(linear, cost=goal.cost, constant=0.0), kept, best, start)
        if answer.x is None:  # only in the first level: later ones have its plan
            return SolverAnswer(answer.outcome, bound=answer.bound if goal.whole else bound)
        least = answer.objective
        most = least + goal.within * abs(least)
        answers.append(answer)
        best, joined = answer, answer.joined
        bound = answer.bound if goal.whole else bound
        kept.append(_Kept(goal.cost, most, answer.x))
        reached.append(Reached(least, answer.bound, most))
    assert best.x is not None
    value = float(linear.cost @ best.x)
    return SolverAnswer(
        worst_outcome(answers),
        best.x,
        value,
        min(bound, value),
        levels=tuple(reached),
        joined=_own(joined, linear),
        confirmed_by=frozenset[Confirmation]().union(*(answer.confirmed_by for answer in answers)),
    )


def _level(
    search: Search, step: Linear, kept: Sequence[_Kept], before: SolverAnswer, start: Floats | None
) -> SolverAnswer:
    """The best answer for one level; no worse than the plan of the levels before it, if there is one."""
    if before.x is None:
        answer = search.component(step, start=start)
        return replace(
            answer, bound=max(answer.bound, floor(step))
        )  # a search that was cut short may have proved nothing
    known = SolverAnswer(SolverOutcome.FEASIBLE, before.x, float(step.cost @ before.x), floor(step))
    answer = NOTHING
    for slack in SLACKS:
        answer = search.component(_keeping(step, kept, slack), known)
        if answer.outcome not in (SolverOutcome.INFEASIBLE, SolverOutcome.BROKEN):
            break
    bound = max(answer.bound, known.bound)
    if answer.x is None or answer.objective > known.objective:
        return replace(
            known,
            outcome=worst_outcome([answer]),
            bound=min(bound, known.objective),
            confirmed_by=answer.confirmed_by,
        )
    return replace(answer, bound=min(bound, answer.objective))


def _keeping(step: Linear, kept: Sequence[_Kept], slack: float) -> Linear:
    """The program of a level with all levels before it kept."""
    kept_so = step
    for level in kept:
        held = level.cost != 0
        closed = bool(
            (level.cost >= 0).all() and (step.lower[held] == 0).all() and (level.x[held] <= NOTHING_LEFT).all()
        )
        if closed and level.most <= level.cost @ level.x and slack == SLACKS[0]:
            kept_so = replace(kept_so, upper=np.where(held, 0.0, kept_so.upper))
        else:
            kept_so = capped(kept_so, level.cost, level.most + slack * max(1.0, abs(level.most)))
    return kept_so


def _own(joined: Linked | None, linear: Linear) -> Linked | None:
    """What joins the component as it was, without the rows of levels."""
    if joined is None:
        return None
    rows = joined.rows[joined.rows < linear.entries.shape[0]]
    return replace(joined, rows=rows) if len(rows) else None


def floor(linear: Linear) -> float:
    """A bound that needs no solver: every column at the end that costs least."""
    return float(linear.cost @ np.where(linear.cost < 0, linear.upper, linear.lower))
