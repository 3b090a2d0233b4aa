"""Which rules cannot hold together: deletion filtering over the rules of an infeasible component."""

from __future__ import annotations

import numpy as np

from ..program import Program
from ..program.matrix import Linear
from .components import Component
from .engine import Engines, SolverOutcome
from .scaling import scaled

HARD = ("rule ", "store")
"""Owners of rows that can make a plan impossible; everything else is relaxed by a shortage."""


def minimal_conflict(program: Program, part: Component, engines: Engines) -> tuple[str, ...]:
    """A smallest set of owners, in the sense that leaving out any one of them lets the others hold."""
    # Rows that define a rule's counting columns carry no rule of their own: they hold with any choice of the column.
    owner = program.owners_of(part.rows)
    kept = sorted({name for name in owner if name.startswith(HARD)})
    for name in list(kept):
        without = [other for other in kept if other != name]
        rows = np.array([not o.startswith(HARD) or o in without for o in owner])
        if not _feasible(part.linear, rows, engines):
            kept = without
    return tuple(name.removeprefix("rule ") for name in kept)


def _feasible(linear: Linear, rows: np.ndarray, engines: Engines) -> bool:
    kept = Linear(
        cost=np.zeros(len(linear.cost)),
        lower=linear.lower,
        upper=linear.upper,
        integer=linear.integer,
        entries=linear.entries[rows],
        row_lower=linear.row_lower[rows],
        row_upper=linear.row_upper[rows],
    )
    program, _ = scaled(kept)
    answer = engines.search(program) if program.integer.any() else engines.linear(program)
    return answer.outcome is not SolverOutcome.INFEASIBLE
