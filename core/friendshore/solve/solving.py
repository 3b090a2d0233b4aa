"""Solution of a program: components in parallel, within limits, with the best plan and bound at any time, and conversion to a plan.

Ranked objectives are minimized in turn, each as far as those before it allow, component by component. Each level solves the same program with another
cost, and its result becomes a row for the levels after it. If the result is zero, its columns are closed instead, which needs no tolerance. Isermann,
Linear lexicographic optimization, OR Spektrum 4, 1982, 223-228; Ehrgott, Multicriteria optimization, 2nd ed. 2005, section 5.1.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from itertools import zip_longest
from math import inf
from numbers import Integral, Real

import numpy as np

from ..domain.base import exact
from ..domain.plan import Confirmation, Infeasible, Plan, PlanLevel, PlanStatus
from ..domain.runtime import MAX_SECONDS, set_aside
from ..errors import Diagnostic, InputError, NoPlanError, OutOfTimeError
from ..problem.parts import materials_of
from ..program import Choices, Program
from ..program.decode import decode
from ..program.limits import Goal
from ..program.matrix import Floats, Ints, Linear, Mask, capped, continuous
from .component_search import ResumableSearch, Search, in_turns
from .components import AnswerCache, Component, empty_rows, split
from .engine import (
    NOTHING,
    Cancel,
    Engines,
    LevelResult,
    LinkedSolution,
    LinkingMethod,
    SolverAnswer,
    SolverOutcome,
    Watch,
    is_open,
    worst_outcome,
)
from .engines import ENGINES
from .scaling import scaled

# Owners of rows that can make a plan impossible. A shortage relaxes everything else.
HARD_PREFIXES = ("rule ", "store")


def minimal_conflict(program: Program, part: Component, engines: Engines) -> tuple[str, ...]:
    """Return a minimal set of conflicting owners, by deletion filtering. Without any one of them, the others can be satisfied."""
    # Rows that define a rule's counting columns aren't rules. They can be satisfied for any value of the column.
    owners = program.owners_of(part.rows)
    conflicting = sorted({name for name in owners if name.startswith(HARD_PREFIXES)})
    for name in list(conflicting):
        remaining = [other for other in conflicting if other != name]
        rows = np.array([not owner.startswith(HARD_PREFIXES) or owner in remaining for owner in owners])
        if not feasible(part.linear, rows, engines):
            conflicting = remaining
    return tuple(name.removeprefix("rule ") for name in conflicting)


def feasible(linear: Linear, rows: np.ndarray, engines: Engines) -> bool:
    program, _ = scaled(replace(linear.of_rows(rows), cost=np.zeros(len(linear.cost)), constant=0.0))
    answer = engines.search(program) if program.integer.any() else engines.linear(program)
    return answer.outcome is not SolverOutcome.INFEASIBLE


# Tolerances of later levels for the result of a level, relative to it or to 1. More than zero is tried only if the solver finds no plan.
SLACKS = (0.0, 1e-9, 1e-7, 1e-6)
# Value below which a column counts as zero: a thousandth of the resolution, if that is a gram.
NEGLIGIBLE = 1e-6


@dataclass(frozen=True, slots=True, eq=False)
class _EarlierLevel:
    cost: Floats
    max_value: float
    x: Floats


def goals_within(goals: Sequence[Goal], columns: Ints) -> list[tuple[int, Goal]]:
    goals_of_columns = [(rank, replace(goal, cost=goal.cost[columns])) for rank, goal in enumerate(goals)]
    return [(rank, goal) for rank, goal in goals_of_columns if goal.cost.any()]


def is_ranked(goals: Sequence[Goal]) -> bool:
    return any(not goal.is_whole_objective for goal in goals)


def solve_lexicographic(
    search: Search, linear: Linear, goals: Sequence[Goal], known: SolverAnswer = NOTHING, start: Floats | None = None
) -> SolverAnswer:
    """Return the best plan of a component, level by level, each within an equal share of the time left. No plan if the time ends in the first level."""
    best, answers = known, list[SolverAnswer]()
    bound = 0.0 if not linear.cost.any() else float("-inf")
    earlier_levels: list[_EarlierLevel] = []
    results: list[LevelResult] = []
    linked: LinkedSolution | None = None
    for rank, goal in enumerate(goals):
        level_search = search.with_watch(search.watch.share(1 / (len(goals) - rank)))
        answer = _solve_level(level_search, replace(linear, cost=goal.cost, constant=0.0), earlier_levels, best, start)
        if answer.x is None:  # only possible in the first level, since later ones have its plan
            return SolverAnswer(answer.outcome, bound=answer.bound if goal.is_whole_objective else bound)
        max_value = answer.objective + goal.within * abs(answer.objective)
        answers.append(answer)
        best, linked = answer, answer.joined
        bound = answer.bound if goal.is_whole_objective else bound
        earlier_levels.append(_EarlierLevel(goal.cost, max_value, answer.x))
        results.append(LevelResult(answer.objective, answer.bound, max_value))
    assert best.x is not None
    objective = float(linear.cost @ best.x)
    return SolverAnswer(
        worst_outcome(answers),
        best.x,
        objective,
        min(bound, objective),
        levels=tuple(results),
        joined=_without_level_rows(linked, linear),
        confirmed_by=frozenset[Confirmation]().union(*(answer.confirmed_by for answer in answers)),
    )


def _solve_level(
    search: Search,
    level_program: Linear,
    earlier_levels: Sequence[_EarlierLevel],
    previous: SolverAnswer,
    start: Floats | None,
) -> SolverAnswer:
    if previous.x is None:
        answer = search.solve_component(level_program, start=start)
        # A search that a limit ended may have no bound.
        return replace(answer, bound=max(answer.bound, trivial_bound(level_program)))
    known = SolverAnswer(
        SolverOutcome.FEASIBLE, previous.x, float(level_program.cost @ previous.x), trivial_bound(level_program)
    )
    answer = NOTHING
    for slack in SLACKS:
        answer = search.solve_component(_with_earlier_levels(level_program, earlier_levels, slack), known)
        if answer.outcome not in (SolverOutcome.INFEASIBLE, SolverOutcome.BROKEN):
            break
    bound = max(answer.bound, known.bound)
    if answer.x is None or answer.objective > known.objective:
        return replace(
            known, outcome=worst_outcome([answer]), bound=min(bound, known.objective), confirmed_by=answer.confirmed_by
        )
    return replace(answer, bound=min(bound, answer.objective))


def _with_earlier_levels(step: Linear, earlier_levels: Sequence[_EarlierLevel], slack: float) -> Linear:
    program = step
    for level in earlier_levels:
        has_cost = level.cost != 0
        is_zero = bool(
            (level.cost >= 0).all() and (step.lower[has_cost] == 0).all() and (level.x[has_cost] <= NEGLIGIBLE).all()
        )
        if is_zero and level.max_value <= level.cost @ level.x and slack == SLACKS[0]:
            program = replace(program, upper=np.where(has_cost, 0.0, program.upper))
        else:
            program = capped(program, level.cost, level.max_value + slack * max(1.0, abs(level.max_value)))
    return program


def _without_level_rows(linked: LinkedSolution | None, linear: Linear) -> LinkedSolution | None:
    if linked is None:
        return None
    rows = linked.rows[linked.rows < linear.entries.shape[0]]
    return replace(linked, rows=rows) if len(rows) else None


def trivial_bound(linear: Linear) -> float:
    """Return a bound that needs no solver: every column at its cheapest bound."""
    return float(linear.cost @ linear.cheapest)


Progress = Callable[[int, int, float], None]
"""Function to call with the amount done, the total, and the seconds elapsed. For a plan, it counts components."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a solve, and its engines."""

    gap: float = 1e-6
    """Relative distance from the bound at which a plan counts as cheapest."""
    seconds: float | None = None
    workers: int | None = None
    """Number of components solved at once. None means the number of processors."""
    engines: Engines = ENGINES
    until: float | None = None
    """Deadline by the monotonic clock for any number of programs. None means that each has `seconds`."""

    def __post_init__(self) -> None:
        max_seconds = float(MAX_SECONDS)
        checks = (
            ("gap", self.gap, 0.0, sys.float_info.max, Real, "pass 0.01 to stop within 1% of the bound"),
            ("time limit", self.seconds, 0.0, max_seconds, Real, f"pass at most {max_seconds:,.0f} seconds, or None for no limit"),
            ("number of workers", self.workers, 1, inf, Integral, "pass None to use all processors"),
        )  # fmt: skip
        problems = [
            Diagnostic(f"the {name} isn't valid", found=repr(value), expected=f"a {_KIND_NAMES[kind]} of at least {minimum:g}", fix=fix, code="FS012")
            for name, value, minimum, maximum, kind, fix in checks
            if (value is not None or name == "gap")
            and not (isinstance(value, kind) and not isinstance(value, bool) and minimum <= float(value) <= maximum)
        ]  # fmt: skip
        if problems:
            raise InputError(problems)

    def next_seconds(self) -> float | None:
        """Return the seconds for the next program. None if there is no limit. A deadline gives half of the time left, but at least a twentieth of `seconds`."""
        if self.until is None or self.seconds is None:
            return self.seconds
        seconds = max(0.0, self.until - time.monotonic())
        return min(seconds, self.seconds, max(seconds / 2, self.seconds / _MIN_SHARE_DIVISOR))

    @property
    def over(self) -> bool:
        return self.until is not None and time.monotonic() >= self.until


_KIND_NAMES = {Real: "number", Integral: "whole number"}
# Divisor of the total time: every program gets at least this part of it, as long as it is left.
_MIN_SHARE_DIVISOR = 20
NO_LIMITS = Limits()
_NO_PLAN = Diagnostic(
    "no solver found a plan that satisfies the rules, probably because numbers of the case differ too much in size",
    fix="run `friendshore check` to list numbers that are too far apart; if it lists none, report this case",
    code="FS702",
)
# Number of entries below which a linear program is solved without a thread. There is no time to press Ctrl-C.
_QUICK = 5_000
# Number of columns from which on Python's search for reference cycles takes noticeable time, and freed arrays much memory.
_LARGE = 200_000


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """Rows that can't be satisfied together, in a component that is left unplanned."""

    columns: Ints
    """Columns of the component. Empty for rows without columns."""
    owners: tuple[str, ...]
    """Minimal set of rules and stores in conflict."""
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class LinkedComponent:
    """Component whose parts are joined by a few rows only, with their owners."""

    owners: tuple[str, ...]
    parts: int
    method: LinkingMethod


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """Values of all columns, and their quality."""

    x: Floats
    status: PlanStatus
    objective: float
    bound: float
    conflicts: tuple[Conflict, ...]
    components: int
    levels: tuple[LevelResult, ...] = ()
    """Result of each ranked objective."""
    joined: tuple[LinkedComponent, ...] = ()
    confirmed_by: tuple[Confirmation, ...] = ()
    """Confirmations of the optima of components with integer variables."""
    proved: Mask | None = None
    """Columns of components whose plan is proved optimal. None if unknown, so that no tie is broken."""
    tie_broken: Mask | None = None
    """Columns of components whose plan is the steadiest of the optimal ones. None if ties are left as the solver broke them."""
    exchangeable: Mask | None = None
    """Columns of offers whose quantity differs in another plan of the same cost."""
    from_rounded: bool = False
    """True if the tie-broken plan starts from the rounded one. It may then differ by a few steps on another path of the solver."""

    def __repr__(self) -> str:
        return f"<Solution: {self.status.value}, objective {self.objective:,.2f}, bound {self.bound:,.2f}>"


def is_large(columns: int) -> bool:
    return columns >= _LARGE


def large_work(columns: int) -> AbstractContextManager[None]:
    """Return the context for long work with a program of some number of columns: `set_aside` if it is large."""
    return set_aside() if is_large(columns) else nullcontext()


def solve(
    program: Program,
    limits: Limits = NO_LIMITS,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    answers: AnswerCache | None = None,
    start: Choices | None = None,
) -> Solution:
    """Return the cheapest plan. `start` has the choices of a similar plan. Raises `SolverError` without any plan, but never for infeasibility alone."""
    with large_work(len(program.linear.cost)):
        started = time.monotonic()
        parts = split(program.linear)
        workers = limits.workers or os.cpu_count() or 1
        answer_cache = AnswerCache() if answers is None else answers
        search = Search(Watch(limits.next_seconds(), cancel), limits.gap, workers, answer_cache, limits.engines)
        start_values = None if start is None else program.start(start)
        searches = [
            _component_search(search, part, program.goals, None if start_values is None else start_values[part.columns])
            for part in parts
        ]

        def report_progress() -> None:
            if progress is not None:
                progress(sum(part.done for part in searches), len(parts), time.monotonic() - started)

        return _collect(program, parts, _answers(search, searches, report_progress), search)


def _component_search(
    search: Search, part: Component, goals: Sequence[Goal], start: Floats | None = None
) -> ResumableSearch:
    linear, ranked = part.linear, [goal for _, goal in goals_within(goals, part.columns)]
    if not is_ranked(ranked):
        return ResumableSearch(
            linear, lambda watch, known: search.with_watch(watch).solve_component(linear, known, start)
        )
    return ResumableSearch(
        linear, lambda watch, known: solve_lexicographic(search.with_watch(watch), linear, ranked, known, start), ranked
    )


def _answers(
    search: Search, searches: Sequence[ResumableSearch], on_turn: Callable[[], None] = lambda: None
) -> list[SolverAnswer]:
    """Return the best answers within the limits. Answers that a limit ended are cached like all others."""
    answers = in_turns(searches, search.watch, search.workers, search.answer_cache, on_turn)
    unfinished = [part for part in searches if not part.done]
    for part in unfinished:
        part.end(search.answer_cache)
    if unfinished:
        on_turn()
    return answers


def optimum(linear: Linear, limits: Limits, cancel: Cancel | None, answers: AnswerCache) -> SolverAnswer:
    return optima([linear], limits, cancel, answers)[0]


def optima(
    linears: Sequence[Linear],
    limits: Limits,
    cancel: Cancel | None,
    answers: AnswerCache,
    starts: Sequence[Floats | None] = (),
) -> list[SolverAnswer]:
    """Return the best answers for several programs, each solved as one component, within the time of one. `starts` are plans of similar programs."""
    workers = limits.workers or os.cpu_count() or 1
    search = Search(Watch(limits.next_seconds(), cancel), limits.gap, workers, answers, limits.engines)
    no_positions = np.array([], dtype=np.intp)
    return _answers(
        search,
        [
            _component_search(search, Component(linear, no_positions, no_positions), (), start)
            for linear, start in zip_longest(linears, starts)
        ],
    )


def relaxation(linear: Linear, watch: Watch, engines: Engines = ENGINES) -> SolverAnswer:
    """Return the optimum of a program's linear relaxation, with its duals if an engine gives them. Raises `SolverError` without a minimum."""
    search = Search(watch, 0.0, engines=engines)
    if linear.entries.nnz < _QUICK:
        return search.solve_as_one(continuous(linear))
    with ThreadPoolExecutor(1) as pool:  # so that Ctrl-C reaches the main thread
        return pool.submit(search.solve_as_one, continuous(linear)).result()


def least(
    program: Program,
    columns: Ints,
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    start: Choices | None = None,
) -> float | None:
    """Return the minimum sum of some columns in any plan. Infinite if there is no plan, None if a limit ended the search."""
    cost = np.zeros(len(program.linear.cost))
    cost[columns] = 1.0
    linear = replace(program.linear, cost=cost, constant=0.0)
    x = None if start is None else program.start(start)
    answer = compared(linear, -inf, limits, cancel, x)
    if answer.outcome is SolverOutcome.INFEASIBLE:
        return inf
    return answer.objective if answer.outcome is SolverOutcome.OPTIMAL else None


def compared(
    linear: Linear,
    threshold: float,
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    start: Floats | None = None,
) -> SolverAnswer:
    """Return a cheapest plan, or enough to compare its cost with `threshold`. Optimal if that is decided, and nothing if a limit ended the search."""
    watch = Watch(limits.next_seconds(), cancel)
    parts = [part for part in split(linear) if part.linear.cost.any()]
    has_choices = any(part.linear.integer.any() for part in parts)
    starts = [None if start is None else start[part.columns] for part in parts]

    def solve_parts(solve_part: Callable[[Linear, Floats | None], SolverAnswer]) -> SolverAnswer:
        if watch.stopped():
            return NOTHING
        with ThreadPoolExecutor(1) as pool:
            return _summed_answer(
                linear, parts, list(pool.map(lambda part, x: solve_part(part.linear, x), parts, starts))
            )

    def solve_to_gap(gap: float) -> SolverAnswer:
        search = Search(watch, gap, engines=limits.engines)
        return solve_parts(lambda part, x: search.solve_component(part, start=x))

    search = Search(watch, limits.gap, engines=limits.engines)
    known = NOTHING
    if threshold > -inf and has_choices:
        if start is not None:
            known = solve_parts(search.solve_with_choices)
            if known.objective <= threshold:
                return replace(known, outcome=SolverOutcome.OPTIMAL)
        relaxed = solve_parts(lambda part, _: search.solve_as_one(continuous(part)))
        if relaxed.outcome is SolverOutcome.INFEASIBLE:
            return relaxed
        if relaxed.outcome is SolverOutcome.OPTIMAL and relaxed.objective > threshold:
            return replace(known, outcome=SolverOutcome.OPTIMAL, bound=relaxed.objective)
    if 0 <= threshold < known.objective < inf:
        # If the known plan is far from enough, a wide gap can prove that no plan is enough.
        wide_answer = solve_to_gap(max(limits.gap, (known.objective - threshold) / known.objective / 2))
        if (
            wide_answer.outcome is not SolverOutcome.OPTIMAL
            or wide_answer.objective <= threshold
            or wide_answer.bound > threshold
        ):
            return wide_answer
    return solve_to_gap(limits.gap)


def _summed_answer(linear: Linear, parts: Sequence[Component], answers: Sequence[SolverAnswer]) -> SolverAnswer:
    if any(answer.outcome is SolverOutcome.INFEASIBLE for answer in answers):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    bound = sum(answer.bound for answer in answers)
    x = np.zeros(len(linear.cost))
    for part, answer in zip(parts, answers, strict=True):
        if answer.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=bound)
        x[part.columns] = answer.x
    all_optimal = all(answer.outcome is SolverOutcome.OPTIMAL for answer in answers)
    outcome = SolverOutcome.OPTIMAL if all_optimal else SolverOutcome.FEASIBLE
    return SolverAnswer(outcome, x, sum(answer.objective for answer in answers), bound)


def _collect(program: Program, parts: Sequence[Component], answers: Sequence[SolverAnswer], search: Search) -> Solution:
    x, proved = np.zeros(len(program.linear.cost)), np.zeros(len(program.linear.cost), dtype=bool)
    objective = bound = program.linear.constant
    conflicts: list[Conflict] = []
    levels = [LevelResult(0.0, 0.0, 0.0)] * len(program.goals)
    planned_answers: list[SolverAnswer] = []
    for part, answer in zip(parts, answers, strict=True):
        if answer.outcome is SolverOutcome.INFEASIBLE:
            conflicts.append(
                Conflict(part.columns, minimal_conflict(program, part, search.engines), tuple(part.rows.tolist()))
            )
            continue
        best = answer if answer.x is not None else _plan_without_orders(program, part, answer, search)
        x[part.columns] = best.x
        objective += best.objective
        bound += max(min(best.bound, best.objective), trivial_bound(part.linear))
        for rank, result in _level_results(program, part, best):
            levels[rank] = _added(levels[rank], result)
        planned_answers.append(answer)
        proved[part.columns] = answer.outcome is SolverOutcome.OPTIMAL and not is_open(best.objective, best.bound)
    status = PlanStatus(worst_outcome(planned_answers).value)
    if status is not PlanStatus.OPTIMAL and search.watch.interrupted:
        status = PlanStatus.INTERRUPTED
    gaps = [(objective, bound), *((level.least, level.bound) for level in levels)]
    if status is PlanStatus.OPTIMAL and any(is_open(*gap) for gap in gaps):
        status = PlanStatus.FEASIBLE  # within the requested gap, but not proved cheapest
    unsatisfiable = empty_rows(program.linear)
    by_owner: dict[str, list[int]] = {}
    for row, owner in zip(unsatisfiable.tolist(), program.owners_of(unsatisfiable), strict=True):
        by_owner.setdefault(owner.removeprefix("rule "), []).append(row)
    no_positions = np.array([], dtype=np.intp)
    conflicts += [Conflict(no_positions, (owner,), tuple(rows)) for owner, rows in sorted(by_owner.items())]
    if conflicts:
        status = PlanStatus.INFEASIBLE
    joined = tuple(
        _linked_component(program, part, answer.joined)
        for part, answer in zip(parts, answers, strict=True)
        if answer.joined
    )
    confirmations = {confirmation for answer in planned_answers for confirmation in answer.confirmed_by}
    confirmed_by = tuple(confirmation for confirmation in Confirmation if confirmation in confirmations)
    return Solution(
        x, status, objective, bound, tuple(conflicts), len(parts), tuple(levels), joined, confirmed_by, proved
    )


def _linked_component(program: Program, part: Component, linked: LinkedSolution) -> LinkedComponent:
    owners = sorted({name.removeprefix("rule ") for name in program.owners_of(part.rows[linked.rows])})
    return LinkedComponent(tuple(owners), linked.parts, linked.method)


def _level_results(program: Program, part: Component, answer: SolverAnswer) -> list[tuple[int, LevelResult]]:
    ranked = goals_within(program.goals, part.columns)
    if answer.levels:
        return [(rank, result) for (rank, _), result in zip(ranked, answer.levels, strict=True)]
    assert answer.x is not None
    results = []
    for rank, goal in ranked:
        value = float(goal.cost @ answer.x)
        min_value = trivial_bound(replace(part.linear, cost=goal.cost))
        bound = max(min(answer.bound, value), min_value) if goal.is_whole_objective else min_value
        results.append((rank, LevelResult(value, bound, value + goal.within * abs(value))))
    return results


def _added(result: LevelResult, other: LevelResult) -> LevelResult:
    return LevelResult(result.least + other.least, result.bound + other.bound, result.most + other.most)


def _plan_without_orders(program: Program, part: Component, answer: SolverAnswer, search: Search) -> SolverAnswer:
    """Return a plan without orders if neither time nor engines allow a better one. Raises `SolverError` if hard rules require orders."""
    columns, problem = program.columns, program.problem
    arcs = problem.moves.arc[columns.buy_move]
    orders = [
        column
        for column, arc in zip(columns.buy.tolist(), arcs.tolist(), strict=True)
        if problem.network.arcs[arc].lot < 0
    ]
    is_closed = np.isin(part.columns, [*orders, *columns.make.values()]) | part.linear.integer
    without_orders = replace(continuous(part.linear), upper=np.where(is_closed, 0.0, part.linear.upper))
    fallback = Search(Watch(), 0.0, engines=search.engines).solve_as_one(without_orders)
    if fallback.x is None and answer.outcome is SolverOutcome.BROKEN:
        raise NoPlanError(_NO_PLAN)
    if fallback.x is None:
        raise OutOfTimeError.ended("before it found a plan that satisfies the rules", search.watch.cancelled())
    return SolverAnswer(SolverOutcome.FEASIBLE, fallback.x, fallback.objective, answer.bound)


def plan_of(program: Program, solution: Solution) -> Plan:
    conflicts = [conflict_record(program, conflict) for conflict in solution.conflicts]
    plan = decode(program, solution.x, solution.status, solution.objective, solution.bound, conflicts)
    levels = [
        PlanLevel(best_value=exact(level.least), bound=exact(level.bound), max_value=exact(level.most))
        for level in solution.levels
    ]
    confirmed_by = solution.confirmed_by if solution.status is PlanStatus.OPTIMAL else ()
    return plan.but(levels=tuple(levels), confirmed_by=confirmed_by)


def conflict_record(program: Program, conflict: Conflict) -> Infeasible:
    problem, columns = program.problem, program.columns
    conflict_columns = set(conflict.columns.tolist())
    materials = {
        problem.network.arcs[int(problem.moves.arc[move])].node[0]
        for column, move in zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True)
        if column in conflict_columns
    }
    count = problem.case.horizon.count
    short_demands = {
        demand
        for demand in range(len(problem.demands))
        for t in range(count)
        if columns.short + demand * count + t in conflict_columns
    }
    materials |= {problem.demands[demand].use.material.id for demand in short_demands}
    materials |= {problem.lots[lot].material for lot, column in columns.rest.items() if column in conflict_columns}
    limit_by_row = dict(zip(program.limits.program_rows, program.limits.rows, strict=True))
    for row in limit_by_row.keys() & set(conflict.rows):
        materials |= materials_of(problem, limit_by_row[row][1]) | (limit_by_row[row][1].reads or set())
    return Infeasible(
        materials=tuple(sorted(materials)),
        demands=tuple(problem.demands[demand].id for demand in sorted(short_demands)),
        rules=conflict.owners,
    )
