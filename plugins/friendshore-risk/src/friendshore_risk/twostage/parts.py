"""Two-stage programs that fall into parts, whose expected costs are the least each by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from friendshore.program.matrix import Entries, Ints, Linear, Mask
from friendshore.solve.components import labels

from .program import RecourseProgram, ScenarioBranch, SecondStage


@dataclass(frozen=True, slots=True, eq=False)
class RecoursePart:
    """Some of the decisions of a program, and what follows them."""

    program: RecourseProgram
    """Each second stage is a branch by itself: an expected cost asks no more."""
    columns: Ints
    """Its columns of the first stage."""
    stages: Ints
    """Its second stages."""


def apart(program: RecourseProgram, alone: Callable[[list[SecondStage]], bool]) -> list[RecoursePart]:
    """Parts that share no decision and no row with others: those that are to be alone, by their second stages, and all others together as the last."""
    first, stages = program.first, program.stages
    touched = [np.union1d(stage.technology.indices, np.flatnonzero(stage.before)) for stage in stages]
    sizes = np.concatenate([first.entries.counts, [len(columns) for columns in touched]]).astype(np.intp)
    joined = Entries(
        np.ones(int(sizes.sum())),
        np.concatenate([first.entries.indices, *touched]).astype(np.intp),
        np.concatenate([[0], np.cumsum(sizes)]),
        (len(sizes), len(first.cost)),
    )
    of_columns, of_all = labels(joined)
    of_rows, of_stages = np.split(of_all, [first.entries.shape[0]])
    kept = [
        label
        for label in np.unique(of_stages).tolist()
        if alone([stages[s] for s in np.flatnonzero(of_stages == label)])
    ]
    parts = [_part(program, of_columns == label, of_rows == label, of_stages == label) for label in kept]
    others = [~np.isin(of, kept) for of in (of_columns, of_rows, of_stages)]
    return [*parts, _part(program, *others)] if any(of.any() for of in others) else parts


def _part(program: RecourseProgram, columns: Mask, rows: Mask, stages: Mask) -> RecoursePart:
    first, place = program.first, np.cumsum(columns) - 1
    (numbers,) = np.nonzero(stages)

    def taken(entries: Entries) -> Entries:
        return replace(entries, indices=place[entries.indices], shape=(entries.shape[0], int(columns.sum())))

    own = Linear(
        first.cost[columns], first.lower[columns], first.upper[columns], first.integer[columns],
        taken(first.entries[rows]), first.row_lower[rows], first.row_upper[rows],
    )  # fmt: skip
    some = [program.stages[number] for number in numbers.tolist()]
    seconds = [replace(one, technology=taken(one.technology), before=one.before[columns]) for one in some]
    branches = enumerate(program.weights[numbers].tolist())
    followed = tuple(ScenarioBranch(chance, (place,)) for place, chance in branches)
    return RecoursePart(RecourseProgram(own, tuple(seconds), followed), np.flatnonzero(columns), numbers)
