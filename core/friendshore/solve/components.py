"""Independent parts of a program: connected components of the graph of rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ..program.matrix import Ints, Linear


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """A part that can be solved on its own."""

    linear: Linear
    columns: Ints
    """Its columns in the whole program."""
    rows: Ints
    """Its rows in the whole program."""


def split(linear: Linear) -> list[Component]:
    """All components, in the order of their first column; rows without a column belong to none (`empty_rows`)."""
    if not len(linear.cost):
        return []
    column_label, row_label = labels(linear.matrix)
    order = np.argsort(column_label, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(column_label[order]) != 0])
    groups = sorted(np.split(order, starts[1:]), key=lambda group: int(group[0]))
    by_label = {int(column_label[group[0]]): i for i, group in enumerate(groups)}
    row_group = np.array([by_label.get(int(label), -1) for label in row_label], dtype=np.intp)
    row_order = np.argsort(row_group, kind="stable")
    row_starts = np.searchsorted(row_group[row_order], np.arange(len(groups) + 1))
    csc = linear.matrix.tocsc()
    return [
        _part(linear, csc, np.sort(group), np.sort(row_order[row_starts[i] : row_starts[i + 1]]))
        for i, group in enumerate(groups)
    ]


def labels(matrix: sp.csr_matrix) -> tuple[Ints, Ints]:
    """The number of the part that each column, and each row, belongs to."""
    rows, columns = matrix.shape
    ones = sp.csr_matrix((np.ones(matrix.nnz, dtype=np.int8), matrix.indices, matrix.indptr), (rows, columns))
    graph = sp.bmat([[None, ones.T], [ones, None]], format="csr")
    _, found = connected_components(graph, directed=False)
    return found[:columns], found[columns:]


def empty_rows(linear: Linear) -> Ints:
    """Rows without any column that cannot hold: zero is outside their bounds."""
    empty = np.diff(linear.matrix.indptr) == 0
    return np.flatnonzero(empty & ((linear.row_lower > 0) | (linear.row_upper < 0)))


def _part(linear: Linear, csc: sp.csc_matrix, columns: Ints, rows: Ints) -> Component:
    return Component(
        Linear(
            cost=linear.cost[columns],
            lower=linear.lower[columns],
            upper=linear.upper[columns],
            integer=linear.integer[columns],
            matrix=csc[:, columns].tocsr()[rows],
            row_lower=linear.row_lower[rows],
            row_upper=linear.row_upper[rows],
        ),
        columns,
        rows,
    )
