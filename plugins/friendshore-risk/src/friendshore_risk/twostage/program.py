"""Objectives for an uncertain cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from friendshore.program.matrix import Entries, Floats, Ints, Linear, Mask
from friendshore.solve.components import labels


@dataclass(frozen=True, slots=True)
class RiskMeasure:
    """A mix of the expected cost and the mean of the worst cases."""

    weight: float = 0.0
    """Weight of CVaR; the rest is the weight of the expected cost. 0 means expected cost only. 1 means CVaR only, and among plans of equal CVaR the
    one
    with the lowest expected cost.
    """
    alpha: float = 0.9
    """CVaR is the mean of the worst `1 - alpha` of cases: of the worst tenth at 0.9."""

    def of(self, costs: Floats, probabilities: Floats) -> float:
        """Return the measure of a cost with these values and probabilities."""
        expected = float(probabilities @ costs)
        if not self.weight:
            return expected
        return (1 - self.weight) * expected + self.weight * cvar_of(costs, probabilities, self.alpha)


def cvar_of(costs: Sequence[float] | Floats, probabilities: Sequence[float] | Floats, alpha: float) -> float:
    """Return the mean of the worst `1 - alpha` of a cost with these values and probabilities.

    If the worst values together are more likely than that, the smallest of them counts for the remainder.
    """
    values, chances = np.asarray(costs, dtype=float), np.asarray(probabilities, dtype=float)
    shares = worst_shares(values, chances, alpha)
    counted = shares > 0
    return float(shares[counted] @ values[counted])


def worst_shares(costs: Floats, probabilities: Floats, alpha: float) -> Floats:
    """Return the share of each value in the worst `1 - alpha`. CVaR is the mean of the costs with these weights."""
    found = np.zeros(len(costs))
    left = 1.0 - alpha
    for number in np.argsort(-costs, kind="stable").tolist():
        chance = float(probabilities[number])
        if chance > 0:
            found[number] = min(left, chance) if left > 0 else chance
            left -= chance
            if left <= 0:
                break
    shares: Floats = found / found.sum()
    return shares


@dataclass(frozen=True, slots=True, eq=False)
class SecondStage:
    """Decisions after the scenario is known, with rows that link them to earlier decisions."""

    cost: Floats
    lower: Floats
    upper: Floats
    integer: Mask
    technology: Entries
    """Coefficients of earlier decisions: rows by columns of the first stage."""
    recourse: Entries
    """Coefficients of its own columns, in the same rows."""
    row_lower: Floats
    row_upper: Floats
    before: Floats
    """Additional cost of earlier decisions in this scenario, by column of the first stage."""
    constant: float = 0.0


@dataclass(frozen=True, slots=True)
class ScenarioBranch:
    """A possible scenario."""

    probability: float
    stages: tuple[int, ...]
    """Numbers of its second stages. There are several if a problem has independent parts, and several branches may share one."""


@dataclass(frozen=True, eq=False)
class RecourseProgram:
    """Decisions that are the same in every scenario, and the response to each scenario."""

    first: Linear
    stages: tuple[SecondStage, ...]
    branches: tuple[ScenarioBranch, ...]

    @cached_property
    def probabilities(self) -> Floats:
        """Probability of each branch."""
        return np.array([branch.probability for branch in self.branches])

    @cached_property
    def weights(self) -> Floats:
        """Probability of each second stage."""
        found = np.zeros(len(self.stages))
        for branch in self.branches:
            found[list(branch.stages)] += branch.probability
        return found

    def costs(self, of_stages: Floats) -> Floats:
        """Return the cost of each branch from the costs of second stages."""
        return np.array([sum(of_stages[stage] for stage in branch.stages) for branch in self.branches])

    def only(self, branches: Sequence[ScenarioBranch]) -> RecourseProgram:
        """Return the program with some of the branches, without second stages that none of them needs."""
        needed = sorted({stage for branch in branches for stage in branch.stages})
        place = {stage: number for number, stage in enumerate(needed)}
        return RecourseProgram(
            self.first,
            tuple(self.stages[stage] for stage in needed),
            tuple(ScenarioBranch(one.probability, tuple(place[stage] for stage in one.stages)) for one in branches),
        )


def second_stage_at(stage: SecondStage, x: Floats) -> Linear:
    """Return the program of a second stage after first-stage decisions. Its cost is that of the second stage's own columns."""
    decided = stage.technology @ x
    return Linear(
        cost=stage.cost,
        lower=stage.lower,
        upper=stage.upper,
        integer=stage.integer,
        entries=stage.recourse,
        row_lower=stage.row_lower - decided,
        row_upper=stage.row_upper - decided,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Extensive:
    """The extensive form, with the positions of its parts."""

    linear: Linear
    firsts: tuple[int, ...]
    """First column of every second stage."""
    eta: int
    """Column of the value that costs exceed with probability `1 - alpha`, followed by the excess of each branch. -1 if there is none."""

    def seconds(self, x: Floats, program: RecourseProgram) -> list[Floats]:
        """Return the values of the columns of each second stage."""
        return [x[at : at + len(stage.cost)] for at, stage in zip(self.firsts, program.stages, strict=True)]


def extensive_form(program: RecourseProgram, measure: RiskMeasure) -> Extensive:
    """Return all second stages in one program: first-stage columns, then those of each second stage, then those for CVaR.

    CVaR is the minimum of `eta + E[max(cost - eta, 0)] / (1 - alpha)` over `eta` (Rockafellar and Uryasev 2000). Omitted branches have no excess.
    With
    only some of the branches, CVaR alone is therefore a lower bound.
    """
    first, stages = program.first, program.stages
    columns, weights, risky = len(first.cost), program.weights, measure.weight > 0
    mean = 1.0 - measure.weight
    cost = [first.cost + mean * sum((w * s.before for w, s in zip(weights, stages, strict=True)), np.zeros(columns))]
    lower, upper, integer = [first.lower], [first.upper], [first.integer]
    row_lower, row_upper = [first.row_lower], [first.row_upper]
    entries = [(first.entries.rows, first.entries.indices, first.entries.data)]
    firsts, rows, at = [], first.entries.shape[0], columns
    for weight, stage in zip(weights, stages, strict=True):
        firsts.append(at)
        cost.append(mean * weight * stage.cost)
        lower.append(stage.lower)
        upper.append(stage.upper)
        integer.append(stage.integer)
        row_lower.append(stage.row_lower)
        row_upper.append(stage.row_upper)
        entries.append((stage.technology.rows + rows, stage.technology.indices, stage.technology.data))
        entries.append((stage.recourse.rows + rows, stage.recourse.indices + at, stage.recourse.data))
        rows += stage.recourse.shape[0]
        at += len(stage.cost)
    constant = first.constant + mean * float(sum(w * s.constant for w, s in zip(weights, stages, strict=True)))
    eta = at if risky else -1
    if risky:
        counted = program.branches
        exceeding = np.array([measure.weight * one.probability / (1.0 - measure.alpha) for one in counted])
        cost.append(np.concatenate([[measure.weight], exceeding]))
        lower.append(np.concatenate([[float(program.costs(least_costs(program)).min())], np.zeros(len(counted))]))
        upper.append(np.full(len(counted) + 1, np.inf))
        integer.append(np.zeros(len(counted) + 1, dtype=bool))
        for number, branch in enumerate(counted):
            entries.extend(_exceeding(program, branch, rows + number, firsts, eta, eta + 1 + number))
        row_lower.append(np.array([sum(stages[s].constant for s in branch.stages) for branch in counted]))
        row_upper.append(np.full(len(counted), np.inf))
        rows += len(counted)
        at += len(counted) + 1
    linear = Linear(
        cost=np.concatenate(cost),
        lower=np.concatenate(lower),
        upper=np.concatenate(upper),
        integer=np.concatenate(integer),
        entries=Entries.summed(
            np.concatenate([row for row, _, _ in entries]),
            np.concatenate([column for _, column, _ in entries]),
            np.concatenate([value for _, _, value in entries]),
            (rows, at),
        ),
        row_lower=np.concatenate(row_lower),
        row_upper=np.concatenate(row_upper),
        constant=constant,
    )
    return Extensive(linear, tuple(firsts), eta)


def least_costs(program: RecourseProgram) -> Floats:
    """Return a lower bound on the cost of each second stage, from column bounds alone. Minus infinity if these are infinite."""
    first = program.first
    return np.array(
        [
            _ends(stage.before, first.lower, first.upper) + _ends(stage.cost, stage.lower, stage.upper) + stage.constant
            for stage in program.stages
        ]
    )


def _ends(cost: Floats, lower: Floats, upper: Floats) -> float:
    some = cost != 0
    return float(np.minimum(cost[some] * lower[some], cost[some] * upper[some]).sum())


def least_of(program: RecourseProgram, measure: RiskMeasure) -> float:
    """Return a lower bound on the objective, from column bounds alone."""
    first, costs = program.first, program.costs(least_costs(program))
    if not np.isfinite(costs).all():
        return -np.inf
    return _ends(first.cost, first.lower, first.upper) + first.constant + measure.of(costs, program.probabilities)


Places = tuple[Ints, Ints, Floats]
"""Rows, columns, and values of coefficients."""


def _exceeding(
    program: RecourseProgram, branch: ScenarioBranch, row: int, firsts: Sequence[int], eta: int, more: int
) -> list[Places]:
    """Return the row that bounds a branch's excess over `eta` from below."""
    found: list[Places] = [(np.array([row, row]), np.array([eta, more]), np.array([1.0, 1.0]))]
    for number in branch.stages:
        stage = program.stages[number]
        for costs, at in ((stage.before, 0), (stage.cost, firsts[number])):
            (some,) = np.nonzero(costs)
            found.append((np.full(len(some), row), some + at, -costs[some]))
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RecoursePart:
    """Some of the decisions of a program, with their responses."""

    program: RecourseProgram
    """Program with a branch for each second stage, which suffices for an expected cost."""
    columns: Ints
    """Its columns of the first stage."""
    stages: Ints
    """Its second stages."""


def apart(program: RecourseProgram, alone: Callable[[list[SecondStage]], bool]) -> list[RecoursePart]:
    """Return the parts that share no decision or row with others. Those selected by `alone` come first, and all others form the last part."""
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
