"""Default engines and their order: GLOP, HiGHS, and SCIP, each loaded on first use."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ...program.matrix import Floats, Linear
from ..engine import TO_THE_END, Ask, Engines, SolverAnswer

if TYPE_CHECKING:
    from .mathopt import WarmStartedGlop


def solve_with_glop(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = False
) -> SolverAnswer:
    from . import glop

    return glop.solve_with_glop(linear, ask, hint, presolve)


def solve_with_highs(
    linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None, presolve: bool = True
) -> SolverAnswer:
    from . import highs

    return highs.solve_with_highs(linear, ask, hint, presolve)


def solve_with_scip(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    from . import scip

    return scip.solve_with_scip(linear, ask, hint)


def _scip_with_few_nodes(linear: Linear, ask: Ask = TO_THE_END, hint: Floats | None = None) -> SolverAnswer:
    return solve_with_scip(linear, replace(ask, nodes=SECOND_NODES), hint)


# Nodes of SCIP's search tree for a second opinion. This limit doesn't depend on the clock. HiGHS follows if it isn't enough.
SECOND_NODES = 20_000
_glop_with_presolve = partial(solve_with_glop, presolve=True)
_highs_without_presolve = partial(solve_with_highs, presolve=False)

ENGINES = Engines(
    simplex=(solve_with_glop, solve_with_highs, _glop_with_presolve, _highs_without_presolve, solve_with_scip),
    tree=(solve_with_highs, _highs_without_presolve, solve_with_scip),
    second=(_scip_with_few_nodes, solve_with_highs, _highs_without_presolve),
)


class WarmStartedSolver:
    """Solver of linear programs with the same coefficients, one after the other, each from the last basis."""

    def __init__(self) -> None:
        self._glop: WarmStartedGlop | None = None

    def optimum(self, linear: Linear) -> SolverAnswer:
        """Return the optimum. It doesn't depend on the start, but the plan may if several are optimal."""
        from . import mathopt

        if self._glop is None:
            self._glop = mathopt.WarmStartedGlop(linear)
        answer = self._glop.optimum(linear)
        if answer is None:
            self._glop = None  # the next call starts from scratch
            return ENGINES.linear(linear)
        return answer
