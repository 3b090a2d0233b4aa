"""Independent parts of a program (connected components of the graph of rows and columns), and a cache of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from threading import Lock

import numpy as np

from ..domain.runtime import SESSION_BYTES, SizeLimitedCache
from ..program.limits import Goal
from ..program.matrix import Entries, Ints, Linear
from .engine import SolverAnswer, SolverOutcome


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Part of a program that can be solved on its own."""

    linear: Linear
    columns: Ints
    """Its columns in the whole program."""
    rows: Ints
    """Its rows in the whole program."""


def split(linear: Linear) -> list[Component]:
    """Return all components, in the order of their first column. Rows without a column belong to none (`empty_rows`).

    Rows and columns are sorted by component once. Each component is then one slice of the same arrays.
    """
    if not len(linear.cost):
        return []
    column_label, row_label = labels(linear.entries)
    _, first, group = np.unique(column_label, return_index=True, return_inverse=True)
    place = np.argsort(np.argsort(first))[group]
    """Component of every column, by the order of their first columns."""
    count = len(first)
    of_label = np.full(max(column_label.max(), row_label.max(initial=0)) + 1, count)
    of_label[column_label] = place
    columns, column_ends = _grouped(place, count)
    rows, row_ends = _grouped(of_label[row_label], count)
    entries = linear.entries[rows]
    local = np.empty(len(columns), dtype=entries.indices.dtype)
    local[columns] = np.arange(len(columns)) - column_ends[place[columns]]
    parts = _taken(linear, columns, rows, entries)
    stretches = zip(pairwise(column_ends.tolist()), pairwise(row_ends.tolist()), strict=True)
    indices = local[entries.indices]
    return [
        Component(_stretch(parts, indices, of_columns, of_rows), columns[slice(*of_columns)], rows[slice(*of_rows)])
        for of_columns, of_rows in stretches
    ]


def _grouped(group: Ints, count: int) -> tuple[Ints, Ints]:
    """Return positions by group, ascending within each, and the start and end of each of the first `count` groups."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(count + 1))


def _stretch(parts: Linear, indices: Ints, of_columns: tuple[int, int], of_rows: tuple[int, int]) -> Linear:
    """Return some consecutive columns and rows. The column indices of entries start from the first of them."""
    columns, rows = slice(*of_columns), slice(*of_rows)
    begins = parts.entries.indptr[of_rows[0] : of_rows[1] + 1]
    within = slice(begins[0], begins[-1])
    shape = of_rows[1] - of_rows[0], of_columns[1] - of_columns[0]
    entries = Entries(parts.entries.data[within], indices[within], begins - begins[0], shape)
    return _taken(parts, columns, rows, entries)


def _taken(linear: Linear, columns: Ints | slice, rows: Ints | slice, entries: Entries) -> Linear:
    """Return some columns and rows of a program, with the coefficients `entries`."""
    return Linear(
        cost=linear.cost[columns],
        lower=linear.lower[columns],
        upper=linear.upper[columns],
        integer=linear.integer[columns],
        entries=entries,
        row_lower=linear.row_lower[rows],
        row_upper=linear.row_upper[rows],
    )


def column_labels(entries: Entries) -> Ints:
    """Return the part number of each column."""
    return labels(entries)[0]


def labels(entries: Entries) -> tuple[Ints, Ints]:
    """Return the part number of each column and each row: the number of the part's first column.

    `scipy.sparse.csgraph` would be no faster, and loads all of scipy's linear algebra, which no plan needs.
    """
    rows, columns = entries.shape
    filled = np.flatnonzero(np.diff(entries.indptr))
    row_of = entries.rows
    part, row_part = np.arange(columns), np.arange(columns, columns + rows)
    while True:
        of_entry = part[entries.indices]
        if len(filled):
            row_part[filled] = np.minimum.reduceat(of_entry, entries.indptr[filled])
        least = row_part[row_of]
        if np.array_equal(least, of_entry):
            return part, row_part
        np.minimum.at(part, of_entry, least)  # the parts that a row joins are one
        while not np.array_equal(part, nearer := part[part]):
            part = nearer


def empty_rows(linear: Linear) -> Ints:
    """Return the rows without columns that can't be satisfied, because zero is outside their bounds."""
    empty = np.diff(linear.entries.indptr) == 0
    return np.flatnonzero(empty & ((linear.row_lower > 0) | (linear.row_upper < 0)))


MOST_BYTES = SESSION_BYTES // 4
"""Default for the maximum memory of cached answers, in bytes. Beyond it, the least recently used answers are dropped and solved again."""


class AnswerCache:
    """Cache of answers by the content of their programs. Thread-safe."""

    def __init__(self, known: Iterable[tuple[bytes, SolverAnswer, int]] = (), most: int = MOST_BYTES) -> None:
        """Start with some answers, each with its key and size in bytes, and a maximum size of all answers."""
        self._known = SizeLimitedCache[bytes, SolverAnswer](most)
        for key, answer, size in known:
            self._known.keep(key, answer, size)
        self._lock = Lock()
        self.solved = 0
        """Number of answers that had to be solved."""
        self.reused = 0
        """Number of answers found in the cache."""

    def peek(self, key: bytes) -> SolverAnswer | None:
        """Return the known answer for a key (`digest`), without counting its reuse. None if unknown."""
        return self._known.get(key)

    def find(self, key: bytes) -> SolverAnswer | None:
        """Return the known answer for a key (`digest`). None if unknown."""
        known = self._known.get(key)
        if known is not None:
            with self._lock:
                self.reused += 1
        return known

    def keep(self, key: bytes, answer: SolverAnswer) -> None:
        with self._lock:
            self.solved += 1
        if answer.outcome is not SolverOutcome.NOTHING:  # that nothing was found in time may be otherwise the next time
            self._known.keep(key, answer, _size_in_bytes(answer))

    def __reduce__(self) -> tuple[type[AnswerCache], tuple[list[tuple[bytes, SolverAnswer, int]], int]]:
        return AnswerCache, (self._known.items(), self._known.most)


def _size_in_bytes(answer: SolverAnswer) -> int:
    return 512 + sum(array.nbytes for array in (answer.x, answer.duals) if array is not None)


def digest(linear: Linear, goals: Sequence[Goal] = ()) -> bytes:
    """Return a hash of a program and its ranked objectives. Equal hashes mean equal numbers."""
    arrays = [
        linear.cost, linear.lower, linear.upper, linear.integer, linear.row_lower, linear.row_upper,
        linear.entries.indptr, linear.entries.indices, linear.entries.data, *(goal.cost for goal in goals),
        np.array([(goal.within, goal.whole) for goal in goals]),
    ]  # fmt: skip
    found = blake2b("".join([f"{array.shape}{array.dtype.char}" for array in arrays]).encode(), digest_size=16)
    for array in arrays:
        found.update(np.ascontiguousarray(array).data)
    return found.digest()
