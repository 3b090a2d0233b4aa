"""The engines that friendshore brings, and in which order they are asked. A further one is a file here, or anywhere, and its place in a list."""

from __future__ import annotations

from functools import partial

from ..engine import Engines
from .glop import solve_with_glop
from .mathopt import solve_with_highs, solve_with_scip

_glop_as_it_is = partial(solve_with_glop, presolve=False)
_highs_as_it_is = partial(solve_with_highs, presolve=False)

ENGINES = Engines(
    simplex=(solve_with_glop, solve_with_highs, _glop_as_it_is, _highs_as_it_is, solve_with_scip),
    tree=(solve_with_highs, _highs_as_it_is, solve_with_scip),
)
"""Those that are asked if nothing else is said: where one gives up, the next."""
