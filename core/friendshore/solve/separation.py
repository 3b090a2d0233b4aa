"""Links of single flows to the choice that opens them, added where a relaxation breaks them.

A row `sum of c[j] x[j] <= K y` opens many flows by one choice. So does `x[j] <= u[j] y` for each of them, with the upper end of the flow, and where that is
much less than `K / c[j]` these are much the stronger. All of them at once are more rows than a relaxation is solved with in useful time, and few of
them bind: those that it breaks are added, round by round (Dantzig, Fulkerson and Johnson, Solution of a large-scale traveling-salesman problem,
Operations Research 2, 1954).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, continuous, with_rows
from .engine import Engines, SolverAnswer, SolverOutcome, Watch

ROUNDS = 20
"""Rounds at most."""
WORTH = 0.01
"""Share by which the bound has to rise for another round."""
SHARE = 1 / 3
"""Share of the time left that all rounds may take."""
BROKEN = 1e-6
"""By how much of its flow's upper end a link is broken, at least."""


def with_links(linear: Linear, relaxed: SolverAnswer, engines: Engines, watch: Watch) -> tuple[Linear, SolverAnswer]:
    """The program with links that relaxations broke, and the optimum of its relaxation, or of that without the last of them.

    Args:
        linear: the program; no plan of it is lost.
        relaxed: the optimum of its relaxation.
        engines: what solves the next ones.
        watch: a third of the time that it leaves is taken at most.
    """
    given = watch.left()
    last = None if given is None else (1 - SHARE) * given
    for _ in range(ROUNDS):
        assert relaxed.x is not None
        more = _linked(linear, relaxed.x)
        left = watch.left()
        seconds = None if left is None or last is None else left - last
        if more is linear or watch.stopped() or (seconds is not None and seconds <= 0):
            break
        found = engines.linear(continuous(more), seconds)
        if found.outcome is not SolverOutcome.OPTIMAL or found.x is None or found.duals is None:
            assert relaxed.duals is not None
            added = more.entries.shape[0] - linear.entries.shape[0]
            return more, replace(relaxed, duals=np.append(relaxed.duals, np.zeros(added)))  # which prove what they did
        worth = found.objective - relaxed.objective > WORTH * abs(found.objective)
        linear, relaxed = more, found
        if not worth:
            break
    return linear, relaxed


def _linked(linear: Linear, x: Floats) -> Linear:
    """The program with the links that `x` breaks; itself where there are none."""
    rows = linear.entries.shape[0]
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    binary = linear.integer & (linear.lower >= 0) & (linear.upper <= 1)
    choice = binary[column] & (value < 0)
    flow = ~linear.integer[column] & (value > 0) & (linear.lower[column] >= 0)
    opens = (np.bincount(row[choice], minlength=rows) == 1) & (np.bincount(row[flow], minlength=rows) > 1)
    opens &= (np.bincount(row[choice | flow], minlength=rows) == np.diff(linear.entries.indptr)) & (
        linear.row_upper == 0
    )
    by = np.zeros(rows, dtype=np.intp)
    by[row[choice]] = column[choice]
    held = flow & opens[row] & np.isfinite(linear.upper[column])
    own, other = column[held], by[row[held]]
    most = linear.upper[own]
    broken = x[own] > most * (x[other] + BROKEN) + BROKEN
    if not broken.any():
        return linear
    own, other, most = own[broken], other[broken], most[broken]
    values = np.stack([np.ones(len(own)), -most], axis=1)
    return with_rows(linear, np.stack([own, other], axis=1), values, -np.inf, 0.0)
