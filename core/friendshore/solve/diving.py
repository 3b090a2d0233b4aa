"""Plans from a relaxation, by a few linear programs each: for whoever cannot wait until a search has found one.

A choice that only opens what it stands for, and breaks no row when it rises, is made wherever the relaxation makes a part of it (rounding by locks:
Achterberg, Constraint integer programming, 2007). All others are dived for: those that can be made whole as things stand are made, those that cannot
are given up, and what is left is solved again. So an order below its minimum is given up, and what it brought goes to others.

A relaxation pays a part of a fixed cost for a part of what the choice could open, which makes little used choices too cheap. Slope scaling lets each
pay as much for what it opened last as the whole choice costs, and solves again (Kim and Pardalos, A solution approach to the fixed charge network
flow problem using a dynamic slope scaling procedure, Operations Research Letters 24, 1999). With all links of a choice in one row (`summed`) that takes
a fraction of a second where the relaxation of the program itself takes many.

No bound is taken from any of this.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Entries, Floats, Linear, Mask, continuous, with_rows
from .engine import Engines, SolverAnswer, SolverOutcome, Watch
from .forcing import links
from .polishing import fix

ROUNDS = 5
"""Times that choices are given up before the rest is."""
SLOPES = 6
"""Times that slopes are scaled."""
WHOLE = 1e-6
"""A choice that is so near to a whole number counts as it."""
LEAST_SECONDS = 1.0
"""Seconds for a linear program, however little time is left."""
_NONE = SolverAnswer(SolverOutcome.NOTHING)


def sloped(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """The best of the plans that a relaxed one leads to as slopes are scaled; nothing where none keeps the rows."""
    scaled = linear.integer & ~_held(linear) & (linear.cost > 0)
    best, x, cost = rounded(linear, relaxed, engines, watch), relaxed, linear.cost.copy()
    for _ in range(SLOPES if scaled.any() else 0):
        if watch.stopped():
            break
        paid = scaled & (x > WHOLE)
        cost[paid] = linear.cost[paid] * np.ceil(x[paid] - WHOLE) / x[paid]
        found = engines.linear(replace(continuous(linear), cost=cost), seconds_of(watch))
        if found.outcome is not SolverOutcome.OPTIMAL or found.x is None:
            break
        x = found.x
        if linear.cost @ np.where(scaled, np.ceil(x - WHOLE), x) + linear.constant < best.objective:
            best = min(best, rounded(linear, x, engines, watch), key=lambda answer: answer.objective)
    return best


def rounded(linear: Linear, relaxed: Floats, engines: Engines, watch: Watch) -> SolverAnswer:
    """A plan that a relaxed one leads to; nothing where it leads to none. Once the watch has stopped it takes two linear programs more."""
    left, x = fix(linear, linear.integer & ~_held(linear), np.ceil(relaxed - WHOLE)), relaxed
    for number in range(ROUNDS + 1):
        if not left.integer.any():
            break
        found = engines.linear(left)
        if found.outcome is not SolverOutcome.OPTIMAL or found.x is None:
            return _NONE
        x = found.x
        whole, most = np.ceil(x - WHOLE), raised(left, x)
        full = left.integer & (most >= whole - WHOLE)
        open_ = left.integer & ~full
        if number == ROUNDS or watch.stopped() or not open_.any():
            left = fix(left, left.integer, np.where(full, whole, np.floor(x)))
            break
        lower = np.where(full, whole, left.lower)
        upper = np.where(open_, np.floor(x), left.upper)
        left = replace(left, lower=lower, upper=upper, integer=left.integer & (lower < upper))
    found = engines.linear(left)
    if found.outcome is not SolverOutcome.OPTIMAL:
        return _NONE
    return replace(found, outcome=SolverOutcome.FEASIBLE, bound=-np.inf, duals=None)


def summed(linear: Linear) -> Linear:
    """The same program with all links `x <= u y` of a binary variable in one row: fewer rows, a weaker relaxation, the same plans."""
    entries = linear.entries
    own, other = links(linear)
    choice, flow = entries.indices[other], entries.indices[own]
    binary = linear.integer[choice] & (linear.lower[choice] >= 0) & (linear.upper[choice] <= 1)
    fits = binary & ~linear.integer[flow] & (linear.lower[flow] >= 0) & np.isneginf(linear.row_lower[entries.rows[own]])
    own, other, choice, flow = own[fits], other[fits], choice[fits], flow[fits]
    most = -entries.data[other] / entries.data[own]
    upper = linear.upper.copy()
    np.minimum.at(upper, flow, most * linear.upper[choice])
    kept = np.ones(entries.shape[0], dtype=bool)
    kept[entries.rows[own]] = False
    left = replace(
        linear, upper=upper, entries=entries[kept], row_lower=linear.row_lower[kept], row_upper=linear.row_upper[kept]
    )
    made, row = np.unique(choice, return_inverse=True)
    if not len(made):
        return left
    joint = Entries.summed(
        np.concatenate([row, row]),
        np.concatenate([flow, choice]),
        np.concatenate([np.ones(len(flow)), -most]),
        (len(made), entries.shape[1]),
    )
    ends = joint.indptr[1:-1]
    return with_rows(left, np.split(joint.indices, ends), np.split(joint.data, ends), -np.inf, 0.0)


def seconds_of(watch: Watch, share: float = 1.0) -> float | None:
    """Share of the time left, or what a linear program gets however little it is; None: there is no limit."""
    left = watch.left()
    return None if left is None else max(LEAST_SECONDS, share * left)


def _held(linear: Linear) -> Mask:
    """Columns that may break a row when they rise."""
    row, value = linear.entries.rows, linear.entries.data
    breaks = (np.isfinite(linear.row_upper)[row] & (value > 0)) | (np.isfinite(linear.row_lower)[row] & (value < 0))
    held = np.zeros(len(linear.cost), dtype=bool)
    held[linear.entries.indices[breaks]] = True
    return held


def raised(linear: Linear, x: Floats) -> Floats:
    """What each column can rise to with all others as they are."""
    entries = linear.entries
    row, column, value = entries.rows, entries.indices, entries.data
    comes_to = entries @ x
    room = np.where(value > 0, linear.row_upper[row] - comes_to[row], comes_to[row] - linear.row_lower[row])
    most = linear.upper - x
    np.minimum.at(most, column, np.maximum(room, 0.0) / np.abs(value))
    return x + most
