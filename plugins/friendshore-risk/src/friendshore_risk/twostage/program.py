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
    """Weight of CVaR. 1 means CVaR only, and among plans of equal CVaR the one with the lowest expected cost."""
    alpha: float = 0.9
    """CVaR is the mean of the worst `1 - alpha` of cases, such as the worst tenth at 0.9."""

    def of(self, costs: Floats, probabilities: Floats) -> float:
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
    unscaled_shares = np.zeros(len(costs))
    remaining = 1.0 - alpha
    for number in np.argsort(-costs, kind="stable").tolist():
        chance = float(probabilities[number])
        if chance > 0:
            unscaled_shares[number] = min(remaining, chance) if remaining > 0 else chance
            remaining -= chance
            if remaining <= 0:
                break
    shares: Floats = unscaled_shares / unscaled_shares.sum()
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
        return np.array([branch.probability for branch in self.branches])

    @cached_property
    def weights(self) -> Floats:
        stage_weights = np.zeros(len(self.stages))
        for branch in self.branches:
            stage_weights[list(branch.stages)] += branch.probability
        return stage_weights

    def costs(self, cost_by_stage: Floats) -> Floats:
        return np.array([sum(cost_by_stage[stage] for stage in branch.stages) for branch in self.branches])

    def only(self, branches: Sequence[ScenarioBranch]) -> RecourseProgram:
        """Return the program with some of the branches, without second stages that none of them needs."""
        stage_numbers = sorted({stage for branch in branches for stage in branch.stages})
        new_number = {stage: number for number, stage in enumerate(stage_numbers)}
        return RecourseProgram(
            self.first,
            tuple(self.stages[stage] for stage in stage_numbers),
            tuple(
                ScenarioBranch(branch.probability, tuple(new_number[stage] for stage in branch.stages))
                for branch in branches
            ),
        )


def second_stage_at(stage: SecondStage, x: Floats) -> Linear:
    """Return the program of a second stage after first-stage decisions. Its cost is that of the second stage's own columns."""
    early_terms = stage.technology @ x
    return Linear(
        cost=stage.cost,
        lower=stage.lower,
        upper=stage.upper,
        integer=stage.integer,
        entries=stage.recourse,
        row_lower=stage.row_lower - early_terms,
        row_upper=stage.row_upper - early_terms,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Extensive:
    """The extensive form, with the positions of its parts."""

    linear: Linear
    firsts: tuple[int, ...]
    eta: int
    """Column of the value that costs exceed with probability `1 - alpha`, followed by the excess of each branch. -1 if there is none."""

    def seconds(self, x: Floats, program: RecourseProgram) -> list[Floats]:
        return [
            x[first_column : first_column + len(stage.cost)]
            for first_column, stage in zip(self.firsts, program.stages, strict=True)
        ]


def extensive_form(program: RecourseProgram, measure: RiskMeasure) -> Extensive:
    """Return all second stages in one program: first-stage columns, then those of each second stage, then those for CVaR.

    CVaR is the minimum of `eta + E[max(cost - eta, 0)] / (1 - alpha)` over `eta` (Rockafellar and Uryasev 2000). Omitted branches have no excess, so with
    only some of the branches, CVaR alone is a lower bound.
    """
    first, stages, branches = program.first, program.stages, program.branches
    mean_weight = 1.0 - measure.weight
    before_costs = (weight * stage.before for weight, stage in zip(program.weights, stages, strict=True))
    mean_before = sum(before_costs, np.zeros(len(first.cost)))
    columns = [(first.cost + mean_weight * mean_before, first.lower, first.upper, first.integer)]
    row_bounds = [(first.row_lower, first.row_upper)]
    entries = [(first.entries.rows, first.entries.indices, first.entries.data)]
    firsts, row_count, column_count = [], first.entries.shape[0], len(first.cost)
    for weight, stage in zip(program.weights, stages, strict=True):
        firsts.append(column_count)
        columns.append((mean_weight * weight * stage.cost, stage.lower, stage.upper, stage.integer))
        row_bounds.append((stage.row_lower, stage.row_upper))
        technology, recourse = stage.technology, stage.recourse
        entries.append((technology.rows + row_count, technology.indices, technology.data))
        entries.append((recourse.rows + row_count, recourse.indices + column_count, recourse.data))
        row_count += recourse.shape[0]
        column_count += len(stage.cost)
    constants = (weight * stage.constant for weight, stage in zip(program.weights, stages, strict=True))
    eta = -1
    if measure.weight > 0:
        eta, count = column_count, len(branches)
        exceeding = [measure.weight * branch.probability / (1.0 - measure.alpha) for branch in branches]
        lower = np.zeros(count + 1)
        lower[0] = float(program.costs(min_costs(program)).min())
        is_integer = np.zeros(count + 1, dtype=bool)
        columns.append((np.array([measure.weight, *exceeding]), lower, np.full(count + 1, np.inf), is_integer))
        for number, branch in enumerate(branches):
            entries.extend(_excess_coefficients(program, branch, row_count + number, firsts, eta, eta + 1 + number))
        branch_constants = [sum(stages[stage].constant for stage in branch.stages) for branch in branches]
        row_bounds.append((np.array(branch_constants), np.full(count, np.inf)))
        row_count += count
        column_count += count + 1
    cost, lower, upper, integer = map(np.concatenate, zip(*columns, strict=True))
    row_lower, row_upper = map(np.concatenate, zip(*row_bounds, strict=True))
    rows, indices, values = map(np.concatenate, zip(*entries, strict=True))
    linear = Linear(
        cost=cost,
        lower=lower,
        upper=upper,
        integer=integer,
        entries=Entries.summed(rows, indices, values, (row_count, column_count)),
        row_lower=row_lower,
        row_upper=row_upper,
        constant=first.constant + mean_weight * float(sum(constants)),
    )
    return Extensive(linear, tuple(firsts), eta)


def min_costs(program: RecourseProgram) -> Floats:
    """Return a lower bound on the cost of each second stage, from column bounds alone. Minus infinity if these are infinite."""
    first = program.first
    return np.array(
        [
            _lower_bound(stage.before, first.lower, first.upper)
            + _lower_bound(stage.cost, stage.lower, stage.upper)
            + stage.constant
            for stage in program.stages
        ]
    )


def _lower_bound(cost: Floats, lower: Floats, upper: Floats) -> float:
    is_nonzero = cost != 0
    return float(np.minimum(cost[is_nonzero] * lower[is_nonzero], cost[is_nonzero] * upper[is_nonzero]).sum())


def min_objective(program: RecourseProgram, measure: RiskMeasure) -> float:
    """Return a lower bound on the objective, from column bounds alone."""
    first, costs = program.first, program.costs(min_costs(program))
    if not np.isfinite(costs).all():
        return -np.inf
    return (
        _lower_bound(first.cost, first.lower, first.upper) + first.constant + measure.of(costs, program.probabilities)
    )


Coefficients = tuple[Ints, Ints, Floats]


def _excess_coefficients(
    program: RecourseProgram, branch: ScenarioBranch, row: int, firsts: Sequence[int], eta: int, excess_column: int
) -> list[Coefficients]:
    coefficients: list[Coefficients] = [(np.array([row, row]), np.array([eta, excess_column]), np.array([1.0, 1.0]))]
    for number in branch.stages:
        stage = program.stages[number]
        for costs, first_column in ((stage.before, 0), (stage.cost, firsts[number])):
            (nonzero,) = np.nonzero(costs)
            coefficients.append((np.full(len(nonzero), row), nonzero + first_column, -costs[nonzero]))
    return coefficients


@dataclass(frozen=True, slots=True, eq=False)
class RecoursePart:
    """Some of the decisions of a program, with their responses."""

    program: RecourseProgram
    """Program with a branch for each second stage, which suffices for an expected cost."""
    columns: Ints
    stages: Ints


def split_parts(program: RecourseProgram, is_separate: Callable[[list[SecondStage]], bool]) -> list[RecoursePart]:
    """Return the parts that share no decision or row with others. Those selected by `alone` come first, and all others form the last part."""
    first, stages = program.first, program.stages
    columns_by_stage = [np.union1d(stage.technology.indices, np.flatnonzero(stage.before)) for stage in stages]
    sizes = np.concatenate([first.entries.counts, [len(columns) for columns in columns_by_stage]]).astype(np.intp)
    incidence = Entries(
        np.ones(int(sizes.sum())),
        np.concatenate([first.entries.indices, *columns_by_stage]).astype(np.intp),
        np.concatenate([[0], np.cumsum(sizes)]),
        (len(sizes), len(first.cost)),
    )
    of_columns, of_all = labels(incidence)
    of_rows, of_stages = np.split(of_all, [first.entries.shape[0]])
    kept_labels = [
        label
        for label in np.unique(of_stages).tolist()
        if is_separate([stages[stage] for stage in np.flatnonzero(of_stages == label)])
    ]
    parts = [_part(program, of_columns == label, of_rows == label, of_stages == label) for label in kept_labels]
    others = [~np.isin(mask, kept_labels) for mask in (of_columns, of_rows, of_stages)]
    return [*parts, _part(program, *others)] if any(mask.any() for mask in others) else parts


def _part(program: RecourseProgram, columns: Mask, rows: Mask, stages: Mask) -> RecoursePart:
    first, new_position = program.first, np.cumsum(columns) - 1
    (numbers,) = np.nonzero(stages)

    def select_columns(entries: Entries) -> Entries:
        return replace(entries, indices=new_position[entries.indices], shape=(entries.shape[0], int(columns.sum())))

    first_stage = Linear(
        first.cost[columns], first.lower[columns], first.upper[columns], first.integer[columns],
        select_columns(first.entries[rows]), first.row_lower[rows], first.row_upper[rows],
    )  # fmt: skip
    own_stages = [program.stages[number] for number in numbers.tolist()]
    selected_stages = [
        replace(stage, technology=select_columns(stage.technology), before=stage.before[columns])
        for stage in own_stages
    ]
    branches = enumerate(program.weights[numbers].tolist())
    followed_branches = tuple(ScenarioBranch(chance, (new_position,)) for new_position, chance in branches)
    return RecoursePart(
        RecourseProgram(first_stage, tuple(selected_stages), followed_branches), np.flatnonzero(columns), numbers
    )
