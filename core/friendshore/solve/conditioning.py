"""Programs whose numbers lie too far apart for a solver, even once they are scaled (`scaling`).

A solver works to an absolute tolerance, 1e-9 here. What stands in a row beside something a billion times larger is not seen
in it; of costs a billion times apart the smaller do not count. Scaling cures grams beside kilotons in different rows, not in
one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..program import Program
from ..program.matrix import Linear
from .components import split
from .scaling import scaled

LEAST_ENTRY = 1e-7
"""Beside the largest in its row, which is near one: a hundred times the solver's tolerance."""
MOST_COST = 1e9
"""Times the smallest cost of a component that its largest may be."""


@dataclass(frozen=True, slots=True)
class FarApart:
    """Two columns whose numbers lie too far apart."""

    small: int
    large: int
    ratio: float
    """How many times the one is the other, once scaled."""
    row: int | None
    """The row that counts both; None: it is their costs."""


def far_apart(program: Program) -> Iterator[FarApart]:
    """The worst of each component: the row whose entries lie furthest apart, and the costs, if either is too much."""
    for part in split(program.linear):
        linear, _ = scaled(part.linear)
        for found in (_entries(linear), _costs(linear)):
            if found is not None:
                row = None if found.row is None else int(part.rows[found.row])
                yield FarApart(int(part.columns[found.small]), int(part.columns[found.large]), found.ratio, row)


def _entries(linear: Linear) -> FarApart | None:
    matrix = linear.matrix
    if not matrix.nnz:
        return None
    size = np.abs(matrix.data)
    row = np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr))
    largest = np.zeros(matrix.shape[0])
    np.maximum.at(largest, row, size)
    share = size / largest[row]
    worst = int(share.argmin())
    if share[worst] >= LEAST_ENTRY:
        return None
    at = int(row[worst])
    span = slice(matrix.indptr[at], matrix.indptr[at + 1])
    beside = int(matrix.indices[span][size[span].argmax()])
    return FarApart(int(matrix.indices[worst]), beside, float(1 / share[worst]), at)


def _costs(linear: Linear) -> FarApart | None:
    some = np.flatnonzero(linear.cost)
    if not len(some):
        return None
    size = np.abs(linear.cost[some])
    ratio = float(size.max() / size.min())
    return FarApart(int(some[size.argmin()]), int(some[size.argmax()]), ratio, None) if ratio > MOST_COST else None
