"""Independent parts of a program: connected components of the graph of rows and columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from ..program.matrix import Floats, Ints, Linear


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
    rows, columns = linear.matrix.shape
    if not columns:
        return []
    ones = sp.csr_matrix(
        (np.ones(linear.matrix.nnz, dtype=np.int8), linear.matrix.indices, linear.matrix.indptr), (rows, columns)
    )
    graph = sp.bmat([[None, ones.T], [ones, None]], format="csr")
    _, labels = connected_components(graph, directed=False)
    column_label, row_label = labels[:columns], labels[columns:]
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


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """How to read a scaled program's answer."""

    columns: Floats
    """What to multiply its columns by."""
    money: float
    """What to multiply its objective by."""


def scaled(linear: Linear) -> tuple[Linear, Scale]:
    """The same program with quantities near one.

    Columns that are not whole are counted in a power of two of kilograms, and every row is divided by a power of two, so
    that no digit is lost. On/off links then stay well within the solver's tolerances.

    Returns:
        The scaled program, and how to read its answer.
    """
    finite = np.concatenate([np.abs(linear.row_lower), np.abs(linear.row_upper), np.abs(linear.upper)])
    finite = finite[np.isfinite(finite) & (finite > 0)]
    step = float(2.0 ** np.round(np.median(np.log2(finite)))) if len(finite) else 1.0
    factor = np.where(linear.integer, 1.0, max(step, 1.0))
    matrix = sp.csr_matrix(linear.matrix @ sp.diags(factor))
    largest = np.zeros(matrix.shape[0])
    np.maximum.at(largest, np.repeat(np.arange(matrix.shape[0]), np.diff(matrix.indptr)), np.abs(matrix.data))
    divisor = 2.0 ** np.round(np.log2(np.where(largest > 0, largest, 1.0)))
    cost = linear.cost * factor
    top = float(np.max(np.abs(cost), initial=0.0))
    money = float(2.0 ** np.round(np.log2(top))) if top > 0 else 1.0
    return (
        Linear(
            cost=cost / money,
            lower=linear.lower / factor,
            upper=linear.upper / factor,
            integer=linear.integer,
            matrix=sp.csr_matrix(sp.diags(1.0 / divisor) @ matrix),
            row_lower=linear.row_lower / divisor,
            row_upper=linear.row_upper / divisor,
            constant=linear.constant / money,
        ),
        Scale(factor, money),
    )
