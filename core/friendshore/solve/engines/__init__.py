"""The engines that are asked: GLOP, HiGHS, and SCIP, each loaded on first use, and their default order."""

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
    """GLOP: see `glop.solve_with_glop`."""
    from . import glop

    return glop.solve_with_glop(linear, ask, hint, presolve)


def solve_with_highs(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    """HiGHS: see `highs.solve_with_highs`."""
    from . import highs

    return highs.solve_with_highs(linear, ask, hint, presolve)


def solve_with_scip(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    """SCIP: see `scip.solve_with_scip`."""
    from . import scip

    return scip.solve_with_scip(linear, ask, hint)


def _scip_briefly(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    """Ask SCIP within a number of nodes, which doesn't depend on the clock. HiGHS takes over where that is too few."""
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
"""Those that are asked if nothing else is said: where one gives up, the next."""


class Reasked:
    """A linear program that is asked again and again, with other costs and other ends of rows and columns: each time from where the last time ended."""

    def __init__(self) -> None:
        self._resumed: Resumed | None = None

    def optimum(self, linear: Linear) -> SolverAnswer:
        """The optimum of a program whose coefficients are those of the one asked before. It is the same from wherever it is sought; of several plans with
        it, any.
        """
        from . import mathopt

        if self._resumed is None:
            self._resumed = mathopt.Resumed(linear)
        answer = self._resumed.optimum(linear)
        if answer is None:
            self._resumed = None  # the next time from the start
            return ENGINES.linear(linear)
        return answer
