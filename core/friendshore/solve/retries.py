"""Engines asked one after the other, until one comes to an answer: no program is given up for the tolerances of one engine.

An engine gives up where a program lies at the edge of what its tolerances tell apart, mostly in its presolve: a mix of plans that just
keeps the rows, say. Another one, or the same without presolve, goes another way through the same numbers. That a linear program
has no plan at all is believed once two of them say so. Where every one gives up, the answer says that (`Outcome.BROKEN`), and whoever
asked goes on with what is known beside it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from ..program.matrix import Linear
from .engines import (
    TO_THE_END,
    Ask,
    BreakdownError,
    SolverAnswer,
    SolverOutcome,
    never,
    solve_lp,
    solve_with_highs,
    solve_with_scip,
)

Engine = Callable[[Linear, Ask], SolverAnswer]
"""What solves a program; raises `BreakdownError` if it cannot."""


def _glop(linear: Linear, ask: Ask) -> SolverAnswer:
    return solve_lp(linear, ask.seconds, stopped=ask.stopped)


def _glop_as_it_is(linear: Linear, ask: Ask) -> SolverAnswer:
    return solve_lp(linear, ask.seconds, presolve=False, stopped=ask.stopped)


def _highs_as_it_is(linear: Linear, ask: Ask) -> SolverAnswer:
    return solve_with_highs(linear, ask, presolve=False)


@dataclass(frozen=True, slots=True)
class Engines:
    """The engines there are, in the order in which they are asked."""

    simplex: tuple[Engine, ...] = (_glop, solve_with_highs, _glop_as_it_is, _highs_as_it_is, solve_with_scip)
    """For linear programs."""
    tree: tuple[Engine, ...] = (solve_with_highs, _highs_as_it_is, solve_with_scip)
    """For programs with integer variables, and linear ones so large that HiGHS is quicker."""
    stopped: Callable[[], bool] = never
    """Whether the user has had enough: whatever is asked then, the answer is that nothing was found."""

    def linear(self, linear: Linear, seconds: float | None = None) -> SolverAnswer:
        """The optimum of a linear program, integrality left aside.

        Raises:
            UnboundedError: if its cost has no least value.
        """
        return _asked(self.simplex, linear, Ask(seconds, stopped=self.stopped), agreed=2)

    def search(self, linear: Linear, ask: Ask = TO_THE_END) -> SolverAnswer:
        """The best plan of a program with integer variables, or of a large linear one, as far as is asked.

        Raises:
            UnboundedError: if its cost has no least value.
        """
        return _asked(self.tree, linear, replace(ask, stopped=self.stopped), agreed=1 if linear.integer.any() else 2)


ENGINES = Engines()
"""Those that friendshore brings."""


def _asked(engines: tuple[Engine, ...], linear: Linear, ask: Ask, agreed: int) -> SolverAnswer:
    """The first answer that can be relied on; that there is no plan, once so many engines agree."""
    began, denied = time.monotonic(), 0
    for engine in engines:
        if ask.stopped():
            return SolverAnswer(SolverOutcome.NOTHING)
        left = None if ask.seconds is None else max(0.0, ask.seconds - (time.monotonic() - began))
        try:
            answer = engine(linear, replace(ask, seconds=left))
        except BreakdownError:
            continue
        if answer.outcome is SolverOutcome.INFEASIBLE:
            denied += 1
            if denied >= agreed:
                return answer
        elif answer.x is not None or not denied:
            return answer
    return SolverAnswer(SolverOutcome.INFEASIBLE if denied else SolverOutcome.BROKEN)
