"""Solution of two-stage programs: as one program, or for large ones by decomposition."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import sqrt

import numpy as np

from friendshore.program.matrix import Entries, Floats, Linear, capped
from friendshore.solve import (
    NO_LIMITS,
    AnswerCache,
    Cancel,
    Limits,
    SolverAnswer,
    SolverOutcome,
    optima,
    optimum,
    split,
)
from friendshore.solve.engine import never

from .lshaped import SLACK, solve_by_cuts
from .program import (
    Extensive,
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    SecondStage,
    extensive_form,
    min_objective,
    second_stage_at,
    split_parts,
)

Solver = Callable[[Linear], SolverAnswer]


def solver_within(
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    answers: AnswerCache | None = None,
    *,
    separately: bool = True,
) -> Solver:
    """Return friendshore's solver with limits. If `separately`, parts of a program are solved separately, and their solutions are cached."""
    cache = AnswerCache() if answers is None else answers
    if not separately:
        return lambda linear: _with_constant(optimum(linear, limits, cancel, AnswerCache()), linear)

    def solve(linear: Linear) -> SolverAnswer:
        x = linear.lower.clip(-1e300, 1e300)
        objective = bound = linear.constant
        outcome = SolverOutcome.OPTIMAL
        parts = split(linear)
        answers = optima([part.linear for part in parts], limits, cancel, cache)
        for part, answer in zip(parts, answers, strict=True):
            if answer.x is None:
                return replace(answer, objective=float("inf"), bound=float("-inf"))
            x[part.columns] = answer.x
            objective, bound = objective + answer.objective, bound + min(answer.bound, answer.objective)
            if answer.outcome is not SolverOutcome.OPTIMAL:
                outcome = answer.outcome
        return SolverAnswer(outcome, x, objective, bound)

    return solve


def _with_constant(answer: SolverAnswer, linear: Linear) -> SolverAnswer:
    return replace(answer, objective=answer.objective + linear.constant, bound=answer.bound + linear.constant)


def solve_or_check(linear: Linear, solver: Solver) -> SolverAnswer:
    """Return a solver's answer. For a program without columns, the rows alone decide it."""
    if len(linear.cost):
        return solver(linear)
    is_feasible = bool((linear.row_lower <= SLACK).all() and (linear.row_upper >= -SLACK).all())
    if not is_feasible:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    return SolverAnswer(SolverOutcome.OPTIMAL, np.empty(0), linear.constant, linear.constant)


@dataclass(frozen=True, slots=True, eq=False)
class RecourseAnswer:
    """First-stage decisions and responses."""

    x: Floats
    seconds: tuple[Floats, ...]
    costs: Floats
    """Cost of each branch, without the common cost of the first stage."""
    objective: float
    bound: float
    rounds: int = 1


def solve_recourse(
    program: RecourseProgram,
    measure: RiskMeasure,
    solver: Solver,
    gap: float = 1e-6,
    stopped: Callable[[], bool] = never,
) -> RecourseAnswer | None:
    """Return the best decisions of a two-stage program. None if there are none, or if none was found within the limits.

    A part whose second stages have at least `LARGE` columns, none of them integer, is decomposed. The others are solved as one program. In a decomposition,
    decisions within the relative `gap` suffice, and `stopped` is called between its programs.
    """
    if measure.weight:
        return _solve_part(program, measure, solver, gap, stopped)
    parts = split_parts(program, _large)
    if len(parts) == 1:
        return _solve_part(program, measure, solver, gap, stopped)
    x, bound, rounds = np.zeros(len(program.first.cost)), program.first.constant, 0
    seconds = [np.empty(0)] * len(program.stages)
    for part in parts:
        part_answer = _solve_part(part.program, measure, solver, gap, stopped)
        if part_answer is None:
            return None
        x[part.columns] = part_answer.x
        for stage, values in zip(part.stages.tolist(), part_answer.seconds, strict=True):
            seconds[stage] = values
        bound, rounds = bound + part_answer.bound, max(rounds, part_answer.rounds)
    return _answer(program, measure, x, seconds, bound, rounds)


LARGE = 20_000
"""Minimum number of columns of all second stages for decomposition."""
WIDE = 200
"""Maximum number of linked first-stage columns for decomposition. More columns need more cuts; 121 is the maximum measured."""


def _large(stages: Sequence[SecondStage]) -> bool:
    if sum(len(stage.cost) for stage in stages) < LARGE or any(stage.integer.any() for stage in stages):
        return False
    return len(np.unique(np.concatenate([stage.technology.indices for stage in stages]))) <= WIDE


def _solve_part(
    program: RecourseProgram, measure: RiskMeasure, solver: Solver, gap: float, stopped: Callable[[], bool]
) -> RecourseAnswer | None:
    if _large(program.stages):
        decomposed = solve_by_cuts(program, measure, solver, gap, stopped)
        if decomposed is not None:
            return _answer(program, measure, decomposed.x, decomposed.seconds, decomposed.bound, decomposed.rounds)
        if stopped():
            return None
    if measure.weight == 1.0 and sum(len(stage.cost) for stage in program.stages) >= LARGE:
        return _by_worst_branches(program, measure, solver, gap)
    form = extensive_form(program, measure)
    answer = solver(form.linear)
    if answer.x is None:
        return None
    if measure.weight == 1.0:
        answer = _cheapest(program, form, answer, solver)
    assert answer.x is not None
    return _answer_at(program, measure, answer.x[: len(program.first.cost)], answer.bound, solver, form, answer.x)


def _cheapest(program: RecourseProgram, form: Extensive, answer: SolverAnswer, solver: Solver) -> SolverAnswer:
    max_cvar = answer.objective - form.linear.constant
    expected_form = replace(
        extensive_form(program, RiskMeasure()).linear, row_lower=form.linear.row_lower, row_upper=form.linear.row_upper
    )
    padded = np.zeros(len(form.linear.cost))
    padded[: len(expected_form.cost)] = expected_form.cost
    capped_program = capped(
        replace(form.linear, cost=padded), form.linear.cost, max_cvar + SLACK * max(1.0, abs(max_cvar))
    )
    tie_answer = solver(capped_program)
    return answer if tie_answer.x is None else replace(answer, x=tie_answer.x)


def _by_worst_branches(
    program: RecourseProgram, measure: RiskMeasure, solver: Solver, gap: float
) -> RecourseAnswer | None:
    """Minimize CVaR with integer columns in second stages, using only the branches that matter.

    Omitted branches have no excess over `eta`, which is a lower bound until checked. CVaR doesn't depend on the cost of branches other than the worst.
    Decisions are made for some branches (all of whose excess over `eta` counts), and then every branch is priced. Those among the worst are added until
    the bound meets the objective.
    """
    best: RecourseAnswer | None = None
    branch_numbers = _first_guess(program, measure, solver)
    if branch_numbers is None:
        return None
    bound, rounds = -np.inf, 0
    while True:
        rounds += 1
        subprogram = program.only([program.branches[number] for number in sorted(branch_numbers)])
        form = extensive_form(subprogram, measure)
        answer = solver(form.linear)
        if answer.x is None:
            return None if best is None else replace(best, rounds=rounds)
        bound = max(bound, answer.bound)
        x = answer.x[: len(program.first.cost)]
        candidate = _answer_at(program, measure, x, bound, solver)
        if best is None or candidate.objective < best.objective:
            best = candidate
        best = replace(best, bound=min(bound, best.objective), rounds=rounds)
        worst = _worst(candidate.costs, program.probabilities, measure.alpha)
        if best.objective - bound <= gap * abs(best.objective) or worst <= branch_numbers:
            return best
        branch_numbers |= worst


def _worst(costs: Floats, probabilities: Floats, alpha: float) -> set[int]:
    order = np.argsort(-costs, kind="stable")
    cumulative = np.cumsum(probabilities[order])
    count = int(np.searchsorted(cumulative, 1.0 - alpha - 1e-12)) + 1
    return set(order[:count].tolist())


def _first_guess(program: RecourseProgram, measure: RiskMeasure, solver: Solver) -> set[int] | None:
    """Return the worst branches, and half as many more, for first-stage decisions of minimum cost."""
    cheapest = solver(program.first)
    if cheapest.x is None:
        return None
    answer = _answer_at(program, measure, cheapest.x, -np.inf, solver)
    return _worst(answer.costs, program.probabilities, 1.0 - 1.5 * (1.0 - measure.alpha))


def _answer_at(
    program: RecourseProgram,
    measure: RiskMeasure,
    x: Floats,
    bound: float,
    solver: Solver,
    form: Extensive | None = None,
    values: Floats | None = None,
) -> RecourseAnswer:
    """Return the best response of every second stage to `x`. If a search gives up, the extensive form's solution is used."""
    fallback_values = form.seconds(values, program) if form is not None and values is not None else None
    seconds = [
        response
        if response is not None
        else fallback_values[number]
        if fallback_values is not None
        else np.full(len(stage.cost), np.nan)
        for number, (response, stage) in enumerate(zip(best_seconds(program, x, solver), program.stages, strict=True))
    ]
    return _answer(program, measure, x, seconds, bound)


def _answer(
    program: RecourseProgram,
    measure: RiskMeasure,
    x: Floats,
    seconds: Sequence[Floats],
    bound: float,
    rounds: int = 1,
) -> RecourseAnswer:
    of_branches = program.costs(stage_costs(program, x, seconds))
    first = float(program.first.cost @ x) + program.first.constant
    objective = first + measure.of(of_branches, program.probabilities)
    bound = max(bound, min_objective(program, measure))  # a search may end without a bound
    return RecourseAnswer(x, tuple(seconds), of_branches, objective, min(bound, objective), rounds)


def followed(
    program: RecourseProgram, measure: RiskMeasure, x: Floats, solver: Solver, gap: float
) -> RecourseAnswer | None:
    """Return the responses to decisions, or to the next decisions from their cuts, if there is no time for better ones. A solver is called once.

    None if a second stage has integer columns, or is infeasible.
    """
    if any(stage.integer.any() for stage in program.stages):
        return None
    decomposed = solve_by_cuts(program, measure, solver, gap, lambda: True, x)
    return (
        None
        if decomposed is None
        else _answer(program, measure, decomposed.x, decomposed.seconds, decomposed.bound, decomposed.rounds)
    )


def stage_costs(program: RecourseProgram, x: Floats, seconds: Sequence[Floats]) -> Floats:
    """Return the cost of each second stage for given values. Infinite if these aren't numbers."""
    costs = [
        float(stage.before @ x + stage.cost @ values + stage.constant)
        for stage, values in zip(program.stages, seconds, strict=True)
    ]
    return np.where(np.isnan(costs), np.inf, costs)


def best_seconds(program: RecourseProgram, x: Floats, solver: Solver) -> list[Floats | None]:
    """Return the best values of each second stage after `x`, solved together, or separately if some are infeasible. None for an infeasible one."""
    programs = [second_stage_at(stage, x) for stage in program.stages]
    if not programs:
        return []
    ends = np.cumsum([0, *(len(each.cost) for each in programs)])
    joined = side_by_side(programs)
    if len(joined.cost) and all(len(each.cost) for each in programs):
        answer = solver(joined)
        if answer.x is not None:
            return [answer.x[a:b] for a, b in pairwise(ends.tolist())]
    return [solve_or_check(each, solver).x for each in programs]


def side_by_side(programs: Sequence[Linear]) -> Linear:
    columns = np.cumsum([0, *(len(each.cost) for each in programs)])
    rows = np.cumsum([0, *(each.entries.shape[0] for each in programs)])
    starts = np.cumsum([0, *(each.entries.nnz for each in programs)])
    entries = Entries(
        np.concatenate([each.entries.data for each in programs]),
        np.concatenate([each.entries.indices + offset for each, offset in zip(programs, columns[:-1], strict=True)]),
        np.concatenate(
            [[0], *(each.entries.indptr[1:] + offset for each, offset in zip(programs, starts[:-1], strict=True))]
        ),
        (int(rows[-1]), int(columns[-1])),
    )
    return Linear(
        cost=np.concatenate([each.cost for each in programs]),
        lower=np.concatenate([each.lower for each in programs]),
        upper=np.concatenate([each.upper for each in programs]),
        integer=np.concatenate([each.integer for each in programs]),
        entries=entries,
        row_lower=np.concatenate([each.row_lower for each in programs]),
        row_upper=np.concatenate([each.row_upper for each in programs]),
    )


EXPECTED = RiskMeasure()


def branch_costs_at(program: RecourseProgram, x: Floats, solver: Solver) -> Floats:
    """Return the cost of every branch after `x`, including the common cost. Infinite if a branch is infeasible."""
    seconds = [
        values if values is not None else np.full(len(stage.cost), np.nan)
        for values, stage in zip(best_seconds(program, x, solver), program.stages, strict=True)
    ]
    early_cost = float(program.first.cost @ x) + program.first.constant
    costs: Floats = program.costs(stage_costs(program, x, seconds)) + early_cost
    return costs


def wait_and_see(program: RecourseProgram, solver: Solver) -> Floats:
    """Return the cost of every branch with perfect information. Infinite if there is no plan."""
    costs = []
    for branch in program.branches:
        branch_program = program.only([replace(branch, probability=1.0)])
        answer = solver(extensive_form(branch_program, EXPECTED).linear)
        costs.append(np.inf if answer.x is None else answer.objective)
    return np.array(costs)


def expected_value_program(program: RecourseProgram) -> RecourseProgram:
    """Return the program with one branch, in which every number is its expected value.

    Raises ValueError if second stages differ in their rows or columns, so that there is no expected value.
    """
    shapes = {(stage.technology.shape, stage.recourse.shape) for stage in program.stages}
    if len(shapes) != 1:
        raise ValueError("second stages with different rows or columns have no expected value")
    weights, stages = program.weights / program.weights.sum(), program.stages

    def mean(arrays: list[Floats]) -> Floats:
        stacked = np.array(arrays)
        is_equal = (stacked == stacked[0]).all(axis=0)  # also for infinite bounds
        means: Floats = np.where(is_equal, stacked[0], weights @ np.where(is_equal, 0.0, stacked))
        return means

    def mixed(matrices: list[Entries]) -> Entries:
        return Entries.summed(
            np.concatenate([matrix.rows for matrix in matrices]),
            np.concatenate([matrix.indices for matrix in matrices]),
            np.concatenate([weight * matrix.data for weight, matrix in zip(weights, matrices, strict=True)]),
            matrices[0].shape,
        )

    stage = SecondStage(
        cost=mean([each.cost for each in stages]),
        lower=mean([each.lower for each in stages]),
        upper=mean([each.upper for each in stages]),
        integer=stages[0].integer,
        technology=mixed([each.technology for each in stages]),
        recourse=mixed([each.recourse for each in stages]),
        row_lower=mean([each.row_lower for each in stages]),
        row_upper=mean([each.row_upper for each in stages]),
        before=mean([each.before for each in stages]),
        constant=float(weights @ np.array([each.constant for each in stages])),
    )
    return RecourseProgram(program.first, (stage,), (ScenarioBranch(1.0, (0,)),))


@dataclass(frozen=True, slots=True)
class GapInterval:
    """Quality of a plan, estimated from independent samples."""

    batches: int
    gap: float
    most: float
    """Upper bound on the additional cost over the best plan, with the given confidence."""
    low: float
    high: float
    """Upper end, with `low` as the lower end, of an interval for the minimum cost, with the given confidence."""


def gap_interval(
    x: Floats,
    batches: Sequence[RecourseProgram],
    measure: RiskMeasure,
    solver: Solver,
    confidence: float = 0.95,
    pricing_solver: Solver | None = None,
) -> GapInterval | None:
    """Return the quality of decisions that were made without these batches. None if some batch wasn't solved.

    `batches` are two or more independent samples: programs of the same first stage. `pricing_solver` prices the decisions in second stages.
    """
    plans, lower_bounds, gaps = [], [], []
    for batch in batches:
        best = solve_recourse(batch, measure, solver)
        if best is None:
            return None
        plan = measure.of(branch_costs_at(batch, x, pricing_solver or solver), batch.probabilities)
        plans.append(plan)
        lower_bounds.append(best.bound)
        gaps.append(max(0.0, plan - best.bound))
    spread = sqrt(len(batches))
    one_sided, two_sided = _quantile(confidence, len(batches) - 1), _quantile((1 + confidence) / 2, len(batches) - 1)

    def mean(values: Sequence[float], times: float) -> float:
        return float(np.mean(values)) + times * float(np.std(values, ddof=1)) / spread

    return GapInterval(
        len(batches),
        mean(gaps, 0.0),
        mean(gaps, one_sided),
        min(mean(lower_bounds, -two_sided), mean(plans, two_sided)),
        mean(plans, two_sided),
    )


def _quantile(confidence: float, freedom: int) -> float:
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, confidence))
