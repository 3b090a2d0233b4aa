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

from .lshaped import SLACK, by_cuts
from .program import (
    Extensive,
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    SecondStage,
    apart,
    extensive_form,
    least_of,
    second_stage_at,
)

Solver = Callable[[Linear], SolverAnswer]
"""Function that solves a program, which may have independent parts."""


def solver_within(
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    answers: AnswerCache | None = None,
    *,
    apart: bool = True,
) -> Solver:
    """Return friendshore's solver with limits. If `apart`, parts of a program are solved separately, and their solutions are cached."""
    known = AnswerCache() if answers is None else answers
    if not apart:
        return lambda linear: _with_constant(optimum(linear, limits, cancel, AnswerCache()), linear)

    def solve(linear: Linear) -> SolverAnswer:
        x = linear.lower.clip(-1e300, 1e300)
        objective = bound = linear.constant
        outcome = SolverOutcome.OPTIMAL
        parts = split(linear)
        found = optima([part.linear for part in parts], limits, cancel, known)
        for part, answer in zip(parts, found, strict=True):
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


def answered(linear: Linear, solver: Solver) -> SolverAnswer:
    """Return a solver's answer. For a program without columns, the rows alone decide it."""
    if len(linear.cost):
        return solver(linear)
    holds = bool((linear.row_lower <= SLACK).all() and (linear.row_upper >= -SLACK).all())
    if not holds:
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    return SolverAnswer(SolverOutcome.OPTIMAL, np.empty(0), linear.constant, linear.constant)


@dataclass(frozen=True, slots=True, eq=False)
class RecourseAnswer:
    """Decisions and responses."""

    x: Floats
    """Values of the first stage."""
    seconds: tuple[Floats, ...]
    """Best values of each second stage."""
    costs: Floats
    """Cost of each branch, without the common cost of the first stage."""
    objective: float
    """Value of the objective."""
    bound: float
    """Lower bound on the objective."""
    rounds: int = 1
    """Number of solved programs."""


def solve_recourse(
    program: RecourseProgram,
    measure: RiskMeasure,
    solver: Solver,
    gap: float = 1e-6,
    stopped: Callable[[], bool] = never,
) -> RecourseAnswer | None:
    """Return the best decisions of a two-stage program. None if there are none, or if none was found within the limits.

    A part whose second stages have at least `LARGE` columns, none of them integer, is decomposed. The others are solved as one program.

    Args:
        program: The program.
        measure: Objective.
        solver: Function that solves linear and mixed-integer programs.
        gap: Relative distance from the bound at which decisions suffice in a decomposition.
        stopped: Function that returns True if time is up. It is called between the programs of a decomposition.
    """
    if measure.weight:
        return _decided(program, measure, solver, gap, stopped)
    parts = apart(program, _large)
    if len(parts) == 1:
        return _decided(program, measure, solver, gap, stopped)
    x, bound, rounds = np.zeros(len(program.first.cost)), program.first.constant, 0
    seconds = [np.empty(0)] * len(program.stages)
    for part in parts:
        found = _decided(part.program, measure, solver, gap, stopped)
        if found is None:
            return None
        x[part.columns] = found.x
        for stage, values in zip(part.stages.tolist(), found.seconds, strict=True):
            seconds[stage] = values
        bound, rounds = bound + found.bound, max(rounds, found.rounds)
    return _answer(program, measure, x, seconds, bound, rounds)


LARGE = 20_000
"""Minimum number of columns of all second stages for decomposition."""
WIDE = 200
"""Maximum number of linked first-stage columns for decomposition. More columns need more cuts; 121 is the maximum measured."""


def _large(stages: Sequence[SecondStage]) -> bool:
    """Return True if second stages are decomposed."""
    if sum(len(stage.cost) for stage in stages) < LARGE or any(stage.integer.any() for stage in stages):
        return False
    return len(np.unique(np.concatenate([stage.technology.indices for stage in stages]))) <= WIDE


def _decided(
    program: RecourseProgram, measure: RiskMeasure, solver: Solver, gap: float, stopped: Callable[[], bool]
) -> RecourseAnswer | None:
    """Return the best decisions of a program without splitting it, with the method that suits its size."""
    if _large(program.stages):
        found = by_cuts(program, measure, solver, gap, stopped)
        if found is not None:
            return _answer(program, measure, found.x, found.seconds, found.bound, found.rounds)
        if stopped():
            return None
    if measure.weight == 1.0 and sum(len(stage.cost) for stage in program.stages) >= LARGE:
        return _by_the_worst(program, measure, solver, gap)
    form = extensive_form(program, measure)
    answer = solver(form.linear)
    if answer.x is None:
        return None
    if measure.weight == 1.0:
        answer = _cheapest(program, form, answer, solver)
    assert answer.x is not None
    return _told(program, measure, answer.x[: len(program.first.cost)], answer.bound, solver, form, answer.x)


def _cheapest(program: RecourseProgram, form: Extensive, answer: SolverAnswer, solver: Solver) -> SolverAnswer:
    """Return the decisions with the lowest expected cost among those of equal CVaR."""
    most = answer.objective - form.linear.constant
    again = replace(
        extensive_form(program, RiskMeasure()).linear, row_lower=form.linear.row_lower, row_upper=form.linear.row_upper
    )
    padded = np.zeros(len(form.linear.cost))
    padded[: len(again.cost)] = again.cost
    asked = capped(replace(form.linear, cost=padded), form.linear.cost, most + SLACK * max(1.0, abs(most)))
    better = solver(asked)
    return answer if better.x is None else replace(answer, x=better.x)


def _by_the_worst(program: RecourseProgram, measure: RiskMeasure, solver: Solver, gap: float) -> RecourseAnswer | None:
    """Minimize CVaR with integer columns in second stages, using only the branches that matter. Omitted branches have no excess over `eta`, which is
    a
    lower bound until checked.

    CVaR doesn't depend on the cost of branches other than the worst. Decisions are made for some branches (all of whose excess over `eta` counts),
    and
    then every branch is priced. Those among the worst are added until the bound meets the objective.
    """
    best: RecourseAnswer | None = None
    counted = _first_guess(program, measure, solver)
    if counted is None:
        return None
    bound, rounds = -np.inf, 0
    while True:
        rounds += 1
        some = program.only([program.branches[number] for number in sorted(counted)])
        form = extensive_form(some, measure)
        answer = solver(form.linear)
        if answer.x is None:
            return None if best is None else replace(best, rounds=rounds)
        bound = max(bound, answer.bound)
        x = answer.x[: len(program.first.cost)]
        found = _told(program, measure, x, bound, solver)
        if best is None or found.objective < best.objective:
            best = found
        best = replace(best, bound=min(bound, best.objective), rounds=rounds)
        worst = _worst(found.costs, program.probabilities, measure.alpha)
        if best.objective - bound <= gap * abs(best.objective) or worst <= counted:
            return best
        counted |= worst


def _worst(costs: Floats, probabilities: Floats, alpha: float) -> set[int]:
    """Return the branches that count for CVaR."""
    order = np.argsort(-costs, kind="stable")
    reached = np.cumsum(probabilities[order])
    count = int(np.searchsorted(reached, 1.0 - alpha - 1e-12)) + 1
    return set(order[:count].tolist())


def _first_guess(program: RecourseProgram, measure: RiskMeasure, solver: Solver) -> set[int] | None:
    """Return the worst branches, and half as many more, for first-stage decisions of minimum cost."""
    cheapest = solver(program.first)
    if cheapest.x is None:
        return None
    found = _told(program, measure, cheapest.x, -np.inf, solver)
    return _worst(found.costs, program.probabilities, 1.0 - 1.5 * (1.0 - measure.alpha))


def _told(
    program: RecourseProgram,
    measure: RiskMeasure,
    x: Floats,
    bound: float,
    solver: Solver,
    form: Extensive | None = None,
    values: Floats | None = None,
) -> RecourseAnswer:
    """Return the best response of every second stage to `x`. If a search gives up, the extensive form's solution is used."""
    kept = form.seconds(values, program) if form is not None and values is not None else None
    seconds = [
        own if own is not None else kept[number] if kept is not None else np.full(len(stage.cost), np.nan)
        for number, (own, stage) in enumerate(zip(best_seconds(program, x, solver), program.stages, strict=True))
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
    """Return the result of decisions."""
    of_branches = program.costs(stage_costs(program, x, seconds))
    first = float(program.first.cost @ x) + program.first.constant
    objective = first + measure.of(of_branches, program.probabilities)
    bound = max(bound, least_of(program, measure))  # of a search that ended before it had one
    return RecourseAnswer(x, tuple(seconds), of_branches, objective, min(bound, objective), rounds)


def followed(
    program: RecourseProgram, measure: RiskMeasure, x: Floats, solver: Solver, gap: float
) -> RecourseAnswer | None:
    """Return the responses to decisions, or to the next decisions from their cuts, if there is no time for better ones. A solver is called once.

    None if a second stage has integer columns, or is infeasible.
    """
    if any(stage.integer.any() for stage in program.stages):
        return None
    found = by_cuts(program, measure, solver, gap, lambda: True, x)
    return None if found is None else _answer(program, measure, found.x, found.seconds, found.bound, found.rounds)


def stage_costs(program: RecourseProgram, x: Floats, seconds: Sequence[Floats]) -> Floats:
    """Return the cost of each second stage for given values. Infinite if these aren't numbers."""
    found = [
        float(stage.before @ x + stage.cost @ own + stage.constant)
        for stage, own in zip(program.stages, seconds, strict=True)
    ]
    return np.where(np.isnan(found), np.inf, found)


def best_seconds(program: RecourseProgram, x: Floats, solver: Solver) -> list[Floats | None]:
    """Return the best values of each second stage after `x`, solved together, or separately if some are infeasible. None for an infeasible one."""
    programs = [second_stage_at(stage, x) for stage in program.stages]
    if not programs:
        return []
    ends = np.cumsum([0, *(len(one.cost) for one in programs)])
    every = side_by_side(programs)
    if len(every.cost) and all(len(one.cost) for one in programs):
        answer = solver(every)
        if answer.x is not None:
            return [answer.x[a:b] for a, b in pairwise(ends.tolist())]
    return [answered(one, solver).x for one in programs]


def side_by_side(programs: Sequence[Linear]) -> Linear:
    """Return independent programs as one."""
    columns = np.cumsum([0, *(len(one.cost) for one in programs)])
    rows = np.cumsum([0, *(one.entries.shape[0] for one in programs)])
    starts = np.cumsum([0, *(one.entries.nnz for one in programs)])
    entries = Entries(
        np.concatenate([one.entries.data for one in programs]),
        np.concatenate([one.entries.indices + at for one, at in zip(programs, columns[:-1], strict=True)]),
        np.concatenate([[0], *(one.entries.indptr[1:] + at for one, at in zip(programs, starts[:-1], strict=True))]),
        (int(rows[-1]), int(columns[-1])),
    )
    return Linear(
        cost=np.concatenate([one.cost for one in programs]),
        lower=np.concatenate([one.lower for one in programs]),
        upper=np.concatenate([one.upper for one in programs]),
        integer=np.concatenate([one.integer for one in programs]),
        entries=entries,
        row_lower=np.concatenate([one.row_lower for one in programs]),
        row_upper=np.concatenate([one.row_upper for one in programs]),
    )


EXPECTED = RiskMeasure()


def evaluated(program: RecourseProgram, x: Floats, solver: Solver) -> Floats:
    """Return the cost of every branch after `x`, including the common cost. Infinite if a branch is infeasible."""
    seconds = [
        own if own is not None else np.full(len(stage.cost), np.nan)
        for own, stage in zip(best_seconds(program, x, solver), program.stages, strict=True)
    ]
    decided = float(program.first.cost @ x) + program.first.constant
    found: Floats = program.costs(stage_costs(program, x, seconds)) + decided
    return found


def wait_and_see(program: RecourseProgram, solver: Solver) -> Floats:
    """Return the cost of every branch with perfect information. Infinite if there is no plan."""
    found = []
    for branch in program.branches:
        alone = program.only([replace(branch, probability=1.0)])
        answer = solver(extensive_form(alone, EXPECTED).linear)
        found.append(np.inf if answer.x is None else answer.objective)
    return np.array(found)


def expected_value_program(program: RecourseProgram) -> RecourseProgram:
    """Return the program with one branch, in which every number is its expected value.

    Raises:
        ValueError: If second stages differ in their rows or columns, so that there is no expected value.
    """
    shapes = {(stage.technology.shape, stage.recourse.shape) for stage in program.stages}
    if len(shapes) != 1:
        raise ValueError("second stages that differ in rows or columns have no expected value")
    weights, stages = program.weights / program.weights.sum(), program.stages

    def mean(arrays: list[Floats]) -> Floats:
        held = np.array(arrays)
        alike = (held == held[0]).all(axis=0)  # infinite ends among them
        found: Floats = np.where(alike, held[0], weights @ np.where(alike, 0.0, held))
        return found

    def mixed(several: list[Entries]) -> Entries:
        return Entries.summed(
            np.concatenate([one.rows for one in several]),
            np.concatenate([one.indices for one in several]),
            np.concatenate([w * one.data for w, one in zip(weights, several, strict=True)]),
            several[0].shape,
        )

    stage = SecondStage(
        cost=mean([one.cost for one in stages]),
        lower=mean([one.lower for one in stages]),
        upper=mean([one.upper for one in stages]),
        integer=stages[0].integer,
        technology=mixed([one.technology for one in stages]),
        recourse=mixed([one.recourse for one in stages]),
        row_lower=mean([one.row_lower for one in stages]),
        row_upper=mean([one.row_upper for one in stages]),
        before=mean([one.before for one in stages]),
        constant=float(weights @ np.array([one.constant for one in stages])),
    )
    return RecourseProgram(program.first, (stage,), (ScenarioBranch(1.0, (0,)),))


@dataclass(frozen=True, slots=True)
class GapInterval:
    """Quality of a plan, estimated from independent samples."""

    batches: int
    gap: float
    """Mean additional cost of the plan over the best plan of each batch."""
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
    apart: Solver | None = None,
) -> GapInterval | None:
    """Return the quality of decisions. None if some batch wasn't solved.

    Args:
        x: The decisions, made without these batches.
        batches: Two or more independent samples: programs of the same first stage.
        measure: Objective.
        solver: Function that solves them.
        confidence: Confidence of the result.
        apart: Function that prices the decisions in second stages. None means `solver`.
    """
    plans, least, gaps = [], [], []
    for batch in batches:
        best = solve_recourse(batch, measure, solver)
        if best is None:
            return None
        plan = measure.of(evaluated(batch, x, apart or solver), batch.probabilities)
        plans.append(plan)
        least.append(best.bound)
        gaps.append(max(0.0, plan - best.bound))
    spread = sqrt(len(batches))
    one, both = _quantile(confidence, len(batches) - 1), _quantile((1 + confidence) / 2, len(batches) - 1)

    def mean(values: Sequence[float], times: float) -> float:
        return float(np.mean(values)) + times * float(np.std(values, ddof=1)) / spread

    return GapInterval(
        len(batches), mean(gaps, 0.0), mean(gaps, one), min(mean(least, -both), mean(plans, both)), mean(plans, both)
    )


def _quantile(confidence: float, freedom: int) -> float:
    """Return a quantile of Student's t-distribution."""
    from scipy.special import stdtrit  # slow to import

    return float(stdtrit(freedom, confidence))
