"""Choices of a plan made exactly whole, and the rest solved again for them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..program.matrix import Floats, Linear, Mask
from .engine import Engines, SolverAnswer, never


def fix(linear: Linear, fixed: Mask, x: Floats) -> Linear:
    """Some integer variables fixed at what they are in a plan."""
    at = np.round(x)
    return replace(
        linear,
        lower=np.where(fixed, at, linear.lower),
        upper=np.where(fixed, at, linear.upper),
        integer=linear.integer & ~fixed,
    )


def settled_rows(linear: Linear) -> Linear:
    """The same program without rows in which all columns but one are fixed: they are ends of that column.

    So are all links of a choice that is made or left out: a simplex is then many times as quick.
    """
    row, column, value = linear.entries.rows, linear.entries.indices, linear.entries.data
    rows, free = len(linear.row_lower), (linear.lower < linear.upper)[column]
    alone = np.bincount(row[free], minlength=rows) == 1
    there = free & alone[row]
    rest = np.bincount(row[~free], (value * linear.lower[column])[~free], minlength=rows)
    at, of, by = row[there], column[there], value[there]
    ends = np.stack([linear.row_lower[at] - rest[at], linear.row_upper[at] - rest[at]]) / by
    lower, upper = linear.lower.copy(), linear.upper.copy()
    np.maximum.at(lower, of, ends.min(axis=0))
    np.minimum.at(upper, of, ends.max(axis=0))
    if (lower > upper).any():  # by rounding, or because nothing keeps the rows: an engine says which
        return linear
    return replace(
        linear,
        lower=lower,
        upper=upper,
        entries=linear.entries[~alone],
        row_lower=linear.row_lower[~alone],
        row_upper=linear.row_upper[~alone],
    )


def polished(linear: Linear, engines: Engines, answer: SolverAnswer) -> SolverAnswer:
    """The same choices made exactly whole, and the rest solved again for them."""
    assert answer.x is not None
    settled = replace(engines, stopped=never)  # a plan that a stopped search leaves behind is whole too
    exact = settled.linear(settled_rows(fix(linear, linear.integer, answer.x)))
    if exact.x is None:
        return answer
    return replace(answer, x=exact.x, objective=exact.objective, duals=None)
