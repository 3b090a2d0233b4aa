"""Search for the smallest set of hard limits to relax, so that the rest of a case can be planned.

The smallest sets are hitting sets of conflicts: a set that leaves a conflict yields a minimal conflict outside of it, which every later set must hit.
Reiter, A theory of diagnosis from first principles, Artificial Intelligence 32, 1987, 57-95.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from math import inf
from operator import itemgetter

import numpy as np

from ..program import Program
from ..program.matrix import Entries, Floats, Linear
from ..rules.rows import Row
from .components import AnswerCache
from .engine import Cancel
from .solving import Conflict, Limits, feasible, optimum

_NEGLIGIBLE = 1e-6
"""Relative slack that is only a rounding error of a solver."""


@dataclass(frozen=True, slots=True)
class RowRelaxation:
    """A row of a limit, and the amount by which its violated bound must move."""

    rule: str
    label: str
    amount: float
    bound: float
    """Largest stated bound, without its sign."""


class RelaxationSearch:
    """Search for the limits to relax in the conflicts of a solution."""

    def __init__(
        self, program: Program, relaxable: Collection[str], limits: Limits, cancel: Cancel | None, answers: AnswerCache
    ) -> None:
        """`relaxable` are the ids of the limits that may be relaxed."""
        self.linear, self.relaxable = program.linear, relaxable
        self.limits, self.cancel, self.answers = limits, cancel, answers
        self.row_at = {
            position: (rule.id, row)
            for position, (rule, row) in zip(program.limits.program_rows, program.limits.rows, strict=True)
            if rule.id in relaxable and row.penalty is None
        }

    def relaxations(self, conflicts: Sequence[Conflict]) -> list[RowRelaxation]:
        """Return the smallest set of limits to relax, with the smallest amounts. Conflicts that no relaxation resolves are left out."""
        solvable = [conflict.rows for conflict in conflicts if self._has_plan(conflict.rows, self.relaxable)]
        return [
            relaxation
            for rows in self._joined_by_rules(solvable)
            for relaxation in min(
                (self._amounts(rows, rules) for rules in self._smallest_sets(rows)), key=itemgetter(0)
            )[1]
        ]

    def _rules(self, rows: Iterable[int]) -> frozenset[str]:
        return frozenset(self.row_at[row][0] for row in rows if row in self.row_at)

    def _joined_by_rules(self, conflicts: Iterable[tuple[int, ...]]) -> list[tuple[int, ...]]:
        """Return the rows of conflicts, joined if they share a limit. Relaxing one limit may resolve several."""
        groups: list[tuple[int, ...]] = []
        for rows in conflicts:
            joined = [group for group in groups if self._rules(group) & self._rules(rows)]
            groups = [group for group in groups if group not in joined]
            groups.append(sum(joined, rows))
        return groups

    def _has_plan(self, rows: Sequence[int], without: Collection[str]) -> bool:
        """Return True if some rows can be satisfied without some limits."""
        kept = [row for row in rows if row not in self.row_at or self.row_at[row][0] not in without]
        return feasible(self.linear.of_rows(np.array(rows)), np.isin(rows, kept), self.limits.engines)

    def _smallest_sets(self, rows: Sequence[int]) -> list[frozenset[str]]:
        """Return every set of the smallest number of limits without which the others can be satisfied."""
        conflicts: list[frozenset[str]] = []
        size = 0
        while True:
            candidates = sorted(set(_hitting_sets(conflicts, size)), key=sorted)
            failing = next((rules for rules in candidates if not self._has_plan(rows, rules)), None)
            if failing is not None:
                conflicts.append(self._minimal_conflict(rows, failing))
            elif candidates:
                return candidates
            else:
                size += 1

    def _minimal_conflict(self, rows: Sequence[int], without: frozenset[str]) -> frozenset[str]:
        """Return a minimal set of other limits that can't be satisfied together, by deletion filtering."""
        rules = self._rules(rows)
        conflict = rules - without
        for name in sorted(conflict):
            if not self._has_plan(rows, rules - (conflict - {name})):
                conflict -= {name}
        return conflict

    def _amounts(self, rows: Sequence[int], rules: Collection[str]) -> tuple[float, list[RowRelaxation]]:
        """Return the smallest sum of relaxations, each relative to its bound, with their amounts. Infinite if a limit ended the search."""
        slacks = [
            (position, sign)
            for position, row in enumerate(rows)
            if row in self.row_at and self.row_at[row][0] in rules
            for sign, end in ((1.0, self.linear.row_lower[row]), (-1.0, self.linear.row_upper[row]))
            if np.isfinite(end)
        ]
        bounds = [_largest_bound(self.row_at[rows[position]][1]) for position, _ in slacks]
        weights = 1 / np.maximum(bounds, 1.0)
        program = _with_slacks(self.linear.of_rows(np.array(rows)), slacks, weights)
        answer = optimum(program, self.limits, self.cancel, self.answers)
        if answer.x is None:
            return inf, []
        relaxed = []
        for (position, _), bound, weight, slack in zip(slacks, bounds, weights, answer.x[-len(slacks) :], strict=True):
            if slack * weight > _NEGLIGIBLE:
                rule, row = self.row_at[rows[position]]
                relaxed.append(RowRelaxation(rule, row.label, float(slack), bound))
        return answer.objective, relaxed


def _largest_bound(row: Row) -> float:
    return max(abs(float(bound)) for bound in (row.at_least, row.at_most) if bound is not None)


def _hitting_sets(
    conflicts: Sequence[frozenset[str]], size: int, chosen: frozenset[str] = frozenset()
) -> Iterator[frozenset[str]]:
    """Yield sets of at most some size that contain a member of every conflict, among them all of the smallest."""
    conflict = next((each for each in conflicts if not each & chosen), None)
    if conflict is None:
        yield chosen
    elif len(chosen) < size:
        for name in sorted(conflict):
            yield from _hitting_sets(conflicts, size, chosen | {name})


def _with_slacks(linear: Linear, slacks: Sequence[tuple[int, float]], weights: Floats) -> Linear:
    """Return the program that minimizes the weighted slacks. Each has the position of its row, and the sign with which it enters it."""
    width, count = len(linear.cost), len(slacks)
    entries = linear.entries
    rows = np.repeat(np.arange(entries.shape[0]), np.diff(entries.indptr))
    extended = Entries.summed(
        np.append(rows, [position for position, _ in slacks]).astype(np.intp),
        np.append(entries.indices, width + np.arange(count)),
        np.append(entries.data, [sign for _, sign in slacks]),
        (entries.shape[0], width + count),
    )
    return replace(
        linear,
        cost=np.append(np.zeros(width), weights),
        lower=np.append(linear.lower, np.zeros(count)),
        upper=np.append(linear.upper, np.full(count, np.inf)),
        integer=np.append(linear.integer, np.zeros(count, dtype=bool)),
        entries=extended,
        constant=0.0,
    )
