"""Default engines and their order: GLOP, HiGHS, and SCIP, each loaded on first use."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...program.matrix import Floats, Linear
from ..engine import TO_THE_END, Ask, Engines, SolverAnswer

if TYPE_CHECKING:
    from .mathopt import Resumed


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = False
) -> SolverAnswer:
    """Solve with GLOP, see `glop.solve_with_glop`."""
    from . import glop

    return glop.solve_with_glop(linear, ask, hint, presolve)


def solve_with_highs(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    """Solve with HiGHS, see `highs.solve_with_highs`."""
    from . import highs

    return highs.solve_with_highs(linear, ask, hint, presolve)


def solve_with_scip(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    """Solve with SCIP, see `scip.solve_with_scip`."""
    from . import scip

    return scip.solve_with_scip(linear, ask, hint)


def _scip_briefly(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    """Solve with SCIP within a number of nodes, which doesn't depend on the clock. HiGHS follows if that isn't enough."""
    return solve_with_scip(linear, replace(ask, nodes=SECOND_NODES), hint)


SECOND_NODES = 20_000
"""Nodes of SCIP's search tree for a second opinion."""
_glop_presolved = partial(solve_with_glop, presolve=True)
_highs_as_it_is = partial(solve_with_highs, presolve=False)

ENGINES = Engines(
    simplex=(solve_with_glop, solve_with_highs, _glop_presolved, _highs_as_it_is, solve_with_scip),
    tree=(solve_with_highs, _highs_as_it_is, solve_with_scip),
    second=(_scip_briefly, solve_with_highs, _highs_as_it_is),
)
"""Default engines. If one fails, the next is called."""


class WarmStartedSolver:
    """Linear program that is solved repeatedly with other costs and bounds, each time from the last basis."""

    def __init__(self) -> None:
        self._resumed: Resumed | None = None

    def optimum(self, linear: Linear) -> SolverAnswer:
        """Return the optimum of a program with the same coefficients as the last one. It doesn't depend on the start, but the plan may if several are optimal."""
        from . import mathopt

        if self._resumed is None:
            self._resumed = mathopt.Resumed(linear)
        answer = self._resumed.optimum(linear)
        if answer is None:
            self._resumed = None  # the next time from the start
            return ENGINES.linear(linear)
        return answer
