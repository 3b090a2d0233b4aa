"""Independent parts of a program (connected components of the graph of rows and columns), and a cache of their answers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import pairwise
from threading import Lock

import numpy as np

from ..domain.runtime import SESSION_BYTES, SizeLimitedCache
from ..problem.network import compact
from ..program.limits import Goal
from ..program.matrix import Entries, Ints, Linear
from .engine import SolverAnswer, SolverOutcome


@dataclass(frozen=True, slots=True, eq=False)
class Component:
    """Part of a program that can be solved on its own, with its columns and rows in the whole program."""

    linear: Linear
    columns: Ints
    rows: Ints


def split(linear: Linear) -> list[Component]:
    """Return all components, in the order of their first column. Rows without a column belong to none (`empty_rows`)."""
    if not len(linear.cost):
        return []
    column_label, row_label = labels(linear.entries)
    _, first_columns, group_of_column = np.unique(column_label, return_index=True, return_inverse=True)
    # Component of every column. Columns and rows are sorted by it once, so that each component is a slice of the same arrays.
    component_of_column = np.argsort(np.argsort(first_columns))[group_of_column]
    count = len(first_columns)
    component_of_label = np.full(max(column_label.max(), row_label.max(initial=0)) + 1, count)
    component_of_label[column_label] = component_of_column
    columns, column_ends = _group_positions(component_of_column, count)
    rows, row_ends = _group_positions(component_of_label[row_label], count)
    entries = linear.entries[rows]
    local = np.empty(len(columns), dtype=entries.indices.dtype)
    local[columns] = np.arange(len(columns)) - column_ends[component_of_column[columns]]
    sorted_program = _with_entries(linear, columns, rows, entries)
    spans = zip(pairwise(column_ends.tolist()), pairwise(row_ends.tolist()), strict=True)
    indices = local[entries.indices]
    return [
        Component(
            _slice_program(sorted_program, indices, column_span, row_span),
            columns[slice(*column_span)],
            rows[slice(*row_span)],
        )
        for column_span, row_span in spans
    ]


def _group_positions(group: Ints, count: int) -> tuple[Ints, Ints]:
    """Return positions by group, ascending within each, and the ends of the groups, one more than there are groups."""
    order = np.argsort(group, kind="stable")
    return order, np.searchsorted(group[order], np.arange(count + 1))


def _slice_program(program: Linear, indices: Ints, column_span: tuple[int, int], row_span: tuple[int, int]) -> Linear:
    columns, rows = slice(*column_span), slice(*row_span)
    starts = program.entries.indptr[row_span[0] : row_span[1] + 1]
    entry_span = slice(starts[0], starts[-1])
    shape = row_span[1] - row_span[0], column_span[1] - column_span[0]
    entries = Entries(program.entries.data[entry_span], indices[entry_span], starts - starts[0], shape)
    return _with_entries(program, columns, rows, entries)


def _with_entries(linear: Linear, columns: Ints | slice, rows: Ints | slice, entries: Entries) -> Linear:
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
    return labels(entries)[0]


def labels(entries: Entries) -> tuple[Ints, Ints]:
    """Return the component of each column and each row: the number of the component's first column. scipy would be no faster, and slow to import."""
    rows, columns = entries.shape
    nonempty = np.flatnonzero(np.diff(entries.indptr))
    row_of = entries.rows
    label, row_label = compact(np.arange(columns)), compact(np.arange(columns, columns + rows))
    while True:
        label_of_entry = label[entries.indices]
        if len(nonempty):
            row_label[nonempty] = np.minimum.reduceat(label_of_entry, entries.indptr[nonempty])
        min_label = row_label[row_of]
        if np.array_equal(min_label, label_of_entry):
            return label, row_label
        np.minimum.at(label, label_of_entry, min_label)  # a row joins the components of its columns
        while not np.array_equal(label, next_label := label[label]):
            label = next_label


def empty_rows(linear: Linear) -> Ints:
    """Return the rows without columns that can't be satisfied, because zero is outside their bounds."""
    empty = np.diff(linear.entries.indptr) == 0
    return np.flatnonzero(empty & ((linear.row_lower > 0) | (linear.row_upper < 0)))


# Maximum memory of cached answers. Beyond it, the least recently used answers are dropped and solved again.
MAX_BYTES = SESSION_BYTES // 4


class AnswerCache:
    """Thread-safe cache of answers by the content of their programs."""

    def __init__(self, answers: Iterable[tuple[bytes, SolverAnswer, int]] = (), max_bytes: int = MAX_BYTES) -> None:
        self._answers = SizeLimitedCache[bytes, SolverAnswer](max_bytes)
        for key, answer, size in answers:
            self._answers.keep(key, answer, size)
        self._lock = Lock()
        # Numbers of answers that were solved and that were found in the cache.
        self.solved = 0
        self.reused = 0

    def peek(self, key: bytes) -> SolverAnswer | None:
        """Return the answer without counting its reuse. None if unknown."""
        return self._answers.get(key)

    def find(self, key: bytes) -> SolverAnswer | None:
        answer = self._answers.get(key)
        if answer is not None:
            with self._lock:
                self.reused += 1
        return answer

    def keep(self, key: bytes, answer: SolverAnswer) -> None:
        # Two threads may solve equal programs at once. Counted as one after the other, so that the counts don't depend on chance.
        is_known = self._answers.get(key) is not None
        with self._lock:
            self.solved += not is_known
            self.reused += is_known
        if answer.outcome is not SolverOutcome.NOTHING:  # a search with more time may find something
            self._answers.keep(key, answer, _size_in_bytes(answer))

    def copy(self) -> AnswerCache:
        """Return a cache with the same answers, and counts of 0."""
        return AnswerCache(self._answers.items(), self._answers.max_size)

    def __reduce__(self) -> tuple[type[AnswerCache], tuple[list[tuple[bytes, SolverAnswer, int]], int]]:
        return AnswerCache, (self._answers.items(), self._answers.max_size)


def _size_in_bytes(answer: SolverAnswer) -> int:
    return 512 + sum(array.nbytes for array in (answer.x, answer.duals) if array is not None)


def digest(linear: Linear, goals: Sequence[Goal] = ()) -> bytes:
    """Return a hash of a program and its ranked objectives. Equal hashes mean equal numbers."""
    arrays = [
        linear.cost, linear.lower, linear.upper, linear.integer, linear.row_lower, linear.row_upper,
        linear.entries.indptr, linear.entries.indices, linear.entries.data, *(goal.cost for goal in goals),
        np.array([(goal.within, goal.is_whole_objective) for goal in goals]),
    ]  # fmt: skip
    digest_state = blake2b("".join([f"{array.shape}{array.dtype.char}" for array in arrays]).encode(), digest_size=16)
    for array in arrays:
        digest_state.update(np.ascontiguousarray(array).data)
    return digest_state.digest()
