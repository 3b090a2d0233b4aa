"""Ranked objectives as costs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

import numpy as np

from ..domain.case import Minimise
from ..problem import Problem
from ..problem.problem import Objective
from ..rules.terms import LackingTerm
from .columns import Columns
from .limits import LimitRows
from .matrix import Floats, Linear
from .term_columns import TermColumns


@dataclass(frozen=True, slots=True, eq=False)
class Goal:
    """One level: what a unit of each column adds to it."""

    cost: Floats
    within: float
    """Share by which later levels may make it worse."""
    whole: bool
    """Whether it is the whole objective."""


def add_largest(objectives: Sequence[Objective], reader: TermColumns) -> list[list[int]]:
    """Adds what concentration needs: for each level the columns whose values it adds up, none for any other."""
    return [
        [reader.lacking(term, row) for row in objective.rows for term in row.terms if isinstance(term, LackingTerm)]
        for objective in objectives
    ]


def goals_of(
    problem: Problem,
    largest: Sequence[Sequence[int]],
    linear: Linear,
    columns: Columns,
    limits: LimitRows,
) -> tuple[Goal, ...]:
    """Every level that the problem ranks over the columns of a finished program.

    `largest` are for each of them the columns that `add_largest` made; `limits` has the columns that say by how much limit rows are missed.
    """
    periods = problem.case.horizon.count
    missed = [column for _, column, _ in limits.misses]
    found = []
    for objective, made in zip(problem.objectives, largest, strict=True):
        cost, minimise = np.zeros(len(linear.cost)), objective.level.minimise
        match minimise:
            case Minimise.CONCENTRATION:
                cost[made] = 1.0
            case Minimise.SHORTAGE:
                for demand in objective.demands:
                    first = columns.short + demand * periods
                    cost[first : first + periods] = linear.cost[first : first + periods]
            case Minimise.SPEND:
                cost = linear.cost.copy()
                cost[columns.short : columns.short + len(problem.demands) * periods] = 0.0
                cost[missed] = 0.0
            case Minimise.COST:
                cost = linear.cost.copy()
            case _:
                assert_never(minimise)
        found.append(Goal(cost, float(objective.level.within), minimise is Minimise.COST))
    return tuple(found)
