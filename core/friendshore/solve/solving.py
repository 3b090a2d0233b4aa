"""Solution of a program: components in parallel, within limits, with the best plan and bound at any time, and conversion to a plan.

Ranked objectives are minimized in turn, each as far as those before it allow, component by component. In this lexicographic (preemptive) method, each level
solves the same program with another cost, and its result becomes a row for the levels after it. If the result is zero, its columns are
closed instead, which needs no tolerance. Isermann, Linear lexicographic optimization, OR Spektrum 4, 1982, 223-228; Ehrgott, Multicriteria optimization,
2nd ed. 2005, section 5.1.

If there is no plan, deletion filtering over the rules of an infeasible component finds a minimal set that conflicts.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
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
    Linked,
    LinkingMethod,
    SolverAnswer,
    SolverOutcome,
    Watch,
    is_open,
    worst_outcome,
)
from .engines import ENGINES
from .scaling import scaled

HARD = ("rule ", "store")
"""Owners of rows that can make a plan impossible. A shortage relaxes everything else."""


def minimal_conflict(program: Program, part: Component, engines: Engines) -> tuple[str, ...]:
    """Return a minimal set of conflicting owners: without any one of them, the others can be satisfied."""
    # Rows that define a rule's counting columns carry no rule of their own: they hold with any choice of the column.
    owner = program.owners_of(part.rows)
    kept = sorted({name for name in owner if name.startswith(HARD)})
    for name in list(kept):
        without = [other for other in kept if other != name]
        rows = np.array([not o.startswith(HARD) or o in without for o in owner])
        if not _feasible(part.linear, rows, engines):
            kept = without
    return tuple(name.removeprefix("rule ") for name in kept)


def _feasible(linear: Linear, rows: np.ndarray, engines: Engines) -> bool:
    program, _ = scaled(replace(linear.of_rows(rows), cost=np.zeros(len(linear.cost)), constant=0.0))
    answer = engines.search(program) if program.integer.any() else engines.linear(program)
    return answer.outcome is not SolverOutcome.INFEASIBLE


SLACKS = (0.0, 1e-9, 1e-7, 1e-6)
"""Tolerances of later levels for the result of a level, relative to it or to 1, in addition to the solver's own. More
than zero is tried only if the solver finds no plan although one is known.
"""
NOTHING_LEFT = 1e-6
"""Value below which a column counts as zero: a thousandth of the resolution, if that is a gram."""


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    cost: Floats
    most: float
    x: Floats


def goals_within(goals: Sequence[Goal], columns: Ints) -> list[tuple[int, Goal]]:
    """Return the levels that affect some columns, each with its rank."""
    found = [(rank, replace(goal, cost=goal.cost[columns])) for rank, goal in enumerate(goals)]
    return [(rank, goal) for rank, goal in found if goal.cost.any()]


def is_ranked(goals: Sequence[Goal]) -> bool:
    """Return True if some level isn't the whole objective. Otherwise a component is solved as if nothing were ranked."""
    return any(not goal.whole for goal in goals)


def solve_lexicographic(
    search: Search, linear: Linear, goals: Sequence[Goal], known: SolverAnswer = NOTHING, start: Floats | None = None
) -> SolverAnswer:
    """Return the best plan of a component, level by level, from a `known` plan or a `start` (see `Search.component`). No plan if the time ends in the first level.

    With a time limit, each level gets an equal share of the time left, so that the last ones get some too.

    Raises:
        UnboundedError: If the cost has no minimum.
    """
    best, answers = known, list[SolverAnswer]()
    bound = 0.0 if not linear.cost.any() else float("-inf")
    kept: list[_Kept] = []
    reached: list[LevelResult] = []
    joined: Linked | None = None
    for rank, goal in enumerate(goals):
        within = search.until(search.watch.share(1 / (len(goals) - rank)))
        answer = _level(within, replace(linear, cost=goal.cost, constant=0.0), kept, best, start)
        if answer.x is None:  # only in the first level: later ones have its plan
            return SolverAnswer(answer.outcome, bound=answer.bound if goal.whole else bound)
        least = answer.objective
        most = least + goal.within * abs(least)
        answers.append(answer)
        best, joined = answer, answer.joined
        bound = answer.bound if goal.whole else bound
        kept.append(_Kept(goal.cost, most, answer.x))
        reached.append(LevelResult(least, answer.bound, most))
    assert best.x is not None
    value = float(linear.cost @ best.x)
    return SolverAnswer(
        worst_outcome(answers),
        best.x,
        value,
        min(bound, value),
        levels=tuple(reached),
        joined=_own(joined, linear),
        confirmed_by=frozenset[Confirmation]().union(*(answer.confirmed_by for answer in answers)),
    )


def _level(
    search: Search, step: Linear, kept: Sequence[_Kept], before: SolverAnswer, start: Floats | None
) -> SolverAnswer:
    """Return the best answer for one level. It is no worse than the plan of the levels before it, if any."""
    if before.x is None:
        answer = search.component(step, start=start)
        return replace(
            answer, bound=max(answer.bound, floor(step))
        )  # a search that was cut short may have proved nothing
    known = SolverAnswer(SolverOutcome.FEASIBLE, before.x, float(step.cost @ before.x), floor(step))
    answer = NOTHING
    for slack in SLACKS:
        answer = search.component(_keeping(step, kept, slack), known)
        if answer.outcome not in (SolverOutcome.INFEASIBLE, SolverOutcome.BROKEN):
            break
    bound = max(answer.bound, known.bound)
    if answer.x is None or answer.objective > known.objective:
        return replace(
            known,
            outcome=worst_outcome([answer]),
            bound=min(bound, known.objective),
            confirmed_by=answer.confirmed_by,
        )
    return replace(answer, bound=min(bound, answer.objective))


def _keeping(step: Linear, kept: Sequence[_Kept], slack: float) -> Linear:
    """Return the program of a level that keeps all levels before it."""
    kept_so = step
    for level in kept:
        held = level.cost != 0
        closed = bool(
            (level.cost >= 0).all() and (step.lower[held] == 0).all() and (level.x[held] <= NOTHING_LEFT).all()
        )
        if closed and level.most <= level.cost @ level.x and slack == SLACKS[0]:
            kept_so = replace(kept_so, upper=np.where(held, 0.0, kept_so.upper))
        else:
            kept_so = capped(kept_so, level.cost, level.most + slack * max(1.0, abs(level.most)))
    return kept_so


def _own(joined: Linked | None, linear: Linear) -> Linked | None:
    """Return the linking constraints of the original component, without the rows of levels."""
    if joined is None:
        return None
    rows = joined.rows[joined.rows < linear.entries.shape[0]]
    return replace(joined, rows=rows) if len(rows) else None


def floor(linear: Linear) -> float:
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
    """Time for the whole solve."""
    workers: int | None = None
    """Number of components solved at once. None means the number of processors."""
    engines: Engines = ENGINES
    until: float | None = None
    """Deadline by the monotonic clock for any number of programs. None means that each has `seconds`."""

    def __post_init__(self) -> None:
        """Check the arguments.

        Raises:
            InputError: With every invalid limit.
        """
        longest = float(MAX_SECONDS)
        checks = (
            ("gap", self.gap, 0.0, sys.float_info.max, Real, "pass 0.01 to stop within 1 % of the bound"),
            ("time limit", self.seconds, 0.0, longest, Real, f"pass at most {longest:,.0f} seconds, or None for no limit"),
            ("number of workers", self.workers, 1, inf, Integral, "pass None to use all processors"),
        )  # fmt: skip
        wrong = [
            Diagnostic(f"the {name} is not valid", found=repr(value), expected=f"a {_KINDS[kind]} from {least:g} on", fix=fix)
            for name, value, least, most, kind, fix in checks
            if (value is not None or name == "gap")
            and not (isinstance(value, kind) and not isinstance(value, bool) and least <= float(value) <= most)
        ]  # fmt: skip
        if wrong:
            raise InputError(wrong)

    def left(self) -> float | None:
        """Return the seconds for the next program. None if there is no limit.

        With a deadline, this is half of the time left, so that a hard program leaves time for those after it, but at least a twentieth of `seconds`.
        """
        if self.until is None or self.seconds is None:
            return self.seconds
        left = max(0.0, self.until - time.monotonic())
        return min(left, self.seconds, max(left / 2, self.seconds / _LEAST))

    @property
    def over(self) -> bool:
        """True if the deadline has passed."""
        return self.until is not None and time.monotonic() >= self.until


_KINDS = {Real: "number", Integral: "whole number"}
_LEAST = 20
"""Divisor of the total time: every program gets at least this part of it, as long as it is left."""
NO_LIMITS = Limits()
_GIVEN_UP = Diagnostic(
    "no solver came to a plan that keeps the rules of the case: its numbers lie too far apart, or at the edge of what can be computed",
    fix="`friendshore check` names numbers that lie too far apart; if it names none, please report this case",
)
_SOON = 5_000
"""Number of entries below which a linear program is solved without a thread. A thread would take longer, and there is no time to press Ctrl-C."""
_LARGE = 200_000
"""Number of columns from which on Python's search for reference cycles among the facts takes noticeable time."""


@dataclass(frozen=True, slots=True, eq=False)
class Conflict:
    """Rows that can't be satisfied together, in a component that is left unplanned."""

    columns: Ints
    """Columns of the component. Empty for rows without columns."""
    owners: tuple[str, ...]
    """Minimal set of rules and stores in conflict."""
    rows: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class JoinedComponent:
    """Component whose parts are joined by a few rows only, and the method for them."""

    owners: tuple[str, ...]
    """Rules and other parts of the model whose rows join it."""
    parts: int
    """Number of independent parts without these rows."""
    how: LinkingMethod


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
    joined: tuple[JoinedComponent, ...] = ()
    """Components joined by a few rows, in canonical order."""
    confirmed_by: tuple[Confirmation, ...] = ()
    """Confirmations of the optima of components with integer variables."""
    proved: Mask | None = None
    """Columns of components whose plan is proved optimal. None if unknown, so that no tie is broken."""
    tie_broken: Mask | None = None
    """Columns of components whose plan is the steadiest of the optimal ones. None if ties are left as the solver broke them."""
    exchangeable: Mask | None = None
    """Columns of offers whose quantity differs in another plan of the same cost."""
    from_rounded: bool = False
    """True if the tie-broken plan starts from the rounded one. On another path of the solver it may then differ by a few steps of the resolution."""

    def __repr__(self) -> str:
        return f"<Solution: {self.status.value}, objective {self.objective:,.2f}, bound {self.bound:,.2f}>"


def solve(
    program: Program,
    limits: Limits = NO_LIMITS,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
    answers: AnswerCache | None = None,
    start: Choices | None = None,
) -> Solution:
    """Return the cheapest plan, component by component, and add the results to the known answers.

    Args:
        start: Choices of the plan of a similar program, which shorten the search.

    Raises:
        SolverError: If no engine finds any plan that satisfies the rules. Never for infeasibility alone.
    """
    with set_aside() if len(program.linear.cost) >= _LARGE else nullcontext():
        started = time.monotonic()
        parts = split(program.linear)
        workers = limits.workers or os.cpu_count() or 1
        known = AnswerCache() if answers is None else answers
        search = Search(Watch(limits.left(), cancel), limits.gap, workers, known, limits.engines)
        x = None if start is None else program.start(start)
        searches = [_searched(search, part, program.goals, None if x is None else x[part.columns]) for part in parts]

        def tell() -> None:
            if progress is not None:
                progress(sum(part.done for part in searches), len(parts), time.monotonic() - started)

        return _collect(program, parts, _answers(search, searches, tell), search)


def _searched(search: Search, part: Component, goals: Sequence[Goal], start: Floats | None = None) -> ResumableSearch:
    """Return the search of one component, level by level if a level other than cost affects it."""
    linear, ranked = part.linear, [goal for _, goal in goals_within(goals, part.columns)]
    if not is_ranked(ranked):
        return ResumableSearch(linear, lambda watch, known: search.until(watch).component(linear, known, start))
    return ResumableSearch(
        linear, lambda watch, known: solve_lexicographic(search.until(watch), linear, ranked, known, start), ranked
    )


def _answers(
    search: Search, searches: Sequence[ResumableSearch], tell: Callable[[], None] = lambda: None
) -> list[SolverAnswer]:
    """Return the best answers within the limits. Answers that a limit ended are cached like all others."""
    answers = in_turns(searches, search.watch, search.workers, search.known, tell)
    late = [part for part in searches if not part.done]
    for part in late:
        part.end(search.known)
    if late:
        tell()
    return answers


def optimum(linear: Linear, limits: Limits, cancel: Cancel | None, answers: AnswerCache) -> SolverAnswer:
    """Return the best answer for a program solved as one component, or the known one.

    Raises:
        SolverError: If a solver breaks down. Never for infeasibility alone.
    """
    return optima([linear], limits, cancel, answers)[0]


def optima(
    linears: Sequence[Linear],
    limits: Limits,
    cancel: Cancel | None,
    answers: AnswerCache,
    starts: Sequence[Floats | None] = (),
) -> list[SolverAnswer]:
    """Return the best answers for several programs, which share the time of one.

    Args:
        starts: Plans of similar programs, as starting points.

    Raises:
        SolverError: If a solver breaks down. Never for infeasibility alone.
    """
    workers = limits.workers or os.cpu_count() or 1
    search = Search(Watch(limits.left(), cancel), limits.gap, workers, answers, limits.engines)
    nothing = np.array([], dtype=np.intp)
    return _answers(
        search,
        [
            _searched(search, Component(linear, nothing, nothing), (), start)
            for linear, start in zip_longest(linears, starts)
        ],
    )


def relaxation(linear: Linear, watch: Watch, engines: Engines = ENGINES) -> SolverAnswer:
    """Return the optimum of a program's linear relaxation, with its duals if an engine gives them.

    Raises:
        SolverError: If the cost has no minimum.
    """
    search = Search(watch, 0.0, engines=engines)
    if linear.entries.nnz < _SOON:
        return search.alone(continuous(linear))
    with ThreadPoolExecutor(1) as pool:  # as in `optimum`
        return pool.submit(search.alone, continuous(linear)).result()


def least(
    program: Program,
    columns: Ints,
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    start: Choices | None = None,
) -> float | None:
    """Return the minimum sum of some columns in any plan. Infinite if there is no plan, None if a limit ended the search.

    Only components with one of the columns are solved, from the choices of a similar program's plan (`start`).
    """
    wanted = np.zeros(len(program.linear.cost))
    wanted[columns] = 1.0
    linear = replace(program.linear, cost=wanted, constant=0.0)
    x = None if start is None else program.start(start)
    answer = compared(linear, -inf, limits, cancel, x)
    if answer.outcome is SolverOutcome.INFEASIBLE:
        return inf
    return answer.objective if answer.outcome is SolverOutcome.OPTIMAL else None


def compared(
    linear: Linear,
    enough: float,
    limits: Limits = NO_LIMITS,
    cancel: Cancel | None = None,
    start: Floats | None = None,
) -> SolverAnswer:
    """Return a cheapest plan, or enough to compare its cost with `enough`: a plan that costs no more, or a bound above it.

    Only components with a cost are solved. The outcome is optimal if the comparison is decided, and nothing if a limit ended the search.

    Args:
        start: Plan of a similar program, whose choices are a starting point. NaN for unknown ones.
    """
    watch = Watch(limits.left(), cancel)
    parts = [part for part in split(linear) if part.linear.cost.any()]
    choices = any(part.linear.integer.any() for part in parts)
    starts = [None if start is None else start[part.columns] for part in parts]

    def of_parts(ask: Callable[[Linear, Floats | None], SolverAnswer]) -> SolverAnswer:
        if watch.stopped():
            return NOTHING
        with ThreadPoolExecutor(1) as pool:
            return _sum(linear, parts, list(pool.map(lambda part, x: ask(part.linear, x), parts, starts)))

    def searched_to(gap: float) -> SolverAnswer:
        search = Search(watch, gap, engines=limits.engines)
        return of_parts(lambda part, x: search.component(part, start=x))

    search = Search(watch, limits.gap, engines=limits.engines)
    known = NOTHING
    if enough > -inf and choices:
        if start is not None:
            known = of_parts(search.with_choices)
            if known.objective <= enough:
                return replace(known, outcome=SolverOutcome.OPTIMAL)
        relaxed = of_parts(lambda part, _: search.alone(continuous(part)))
        if relaxed.outcome is SolverOutcome.INFEASIBLE:
            return relaxed
        if relaxed.outcome is SolverOutcome.OPTIMAL and relaxed.objective > enough:
            return replace(known, outcome=SolverOutcome.OPTIMAL, bound=relaxed.objective)
    if 0 <= enough < known.objective < inf:
        # A plan that is not enough by a wide margin takes no narrow gap to prove that none is.
        wide = searched_to(max(limits.gap, (known.objective - enough) / known.objective / 2))
        if wide.outcome is not SolverOutcome.OPTIMAL or wide.objective <= enough or wide.bound > enough:
            return wide
    return searched_to(limits.gap)


def _sum(linear: Linear, parts: Sequence[Component], answers: Sequence[SolverAnswer]) -> SolverAnswer:
    if any(answer.outcome is SolverOutcome.INFEASIBLE for answer in answers):
        return SolverAnswer(SolverOutcome.INFEASIBLE)
    bound = sum(answer.bound for answer in answers)
    x = np.zeros(len(linear.cost))
    for part, answer in zip(parts, answers, strict=True):
        if answer.x is None:
            return SolverAnswer(SolverOutcome.NOTHING, bound=bound)
        x[part.columns] = answer.x
    proved = all(answer.outcome is SolverOutcome.OPTIMAL for answer in answers)
    outcome = SolverOutcome.OPTIMAL if proved else SolverOutcome.FEASIBLE
    return SolverAnswer(outcome, x, sum(answer.objective for answer in answers), bound)


def _collect(program: Program, parts: Sequence[Component], answers: Sequence[SolverAnswer], search: Search) -> Solution:
    x, proved = np.zeros(len(program.linear.cost)), np.zeros(len(program.linear.cost), dtype=bool)
    objective = bound = program.linear.constant
    conflicts: list[Conflict] = []
    levels = [LevelResult(0.0, 0.0, 0.0)] * len(program.goals)
    planned: list[SolverAnswer] = []
    for part, answer in zip(parts, answers, strict=True):
        if answer.outcome is SolverOutcome.INFEASIBLE:
            conflicts.append(
                Conflict(part.columns, minimal_conflict(program, part, search.engines), tuple(part.rows.tolist()))
            )
            continue
        best = answer if answer.x is not None else _nothing_bought(program, part, answer, search)
        x[part.columns] = best.x
        objective += best.objective
        bound += max(min(best.bound, best.objective), floor(part.linear))
        for rank, more in _reached(program, part, best):
            levels[rank] = _together(levels[rank], more)
        planned.append(answer)
        proved[part.columns] = answer.outcome is SolverOutcome.OPTIMAL and not is_open(best.objective, best.bound)
    status = PlanStatus(worst_outcome(planned).value)
    if status is not PlanStatus.OPTIMAL and search.watch.interrupted:
        status = PlanStatus.INTERRUPTED
    open_ = [(objective, bound), *((level.least, level.bound) for level in levels)]
    if status is PlanStatus.OPTIMAL and any(is_open(v, b) for v, b in open_):
        status = PlanStatus.FEASIBLE  # as good as was asked for, which is not proved cheapest
    empty = empty_rows(program.linear)
    by_owner: dict[str, list[int]] = {}
    for row, owner in zip(empty.tolist(), program.owners_of(empty), strict=True):
        by_owner.setdefault(owner.removeprefix("rule "), []).append(row)
    nothing = np.array([], dtype=np.intp)
    conflicts += [Conflict(nothing, (owner,), tuple(rows)) for owner, rows in sorted(by_owner.items())]
    if conflicts:
        status = PlanStatus.INFEASIBLE
    joined = tuple(_joined(program, part, a.joined) for part, a in zip(parts, answers, strict=True) if a.joined)
    confirmations = {each for answer in planned for each in answer.confirmed_by}
    confirmed_by = tuple(each for each in Confirmation if each in confirmations)
    return Solution(
        x, status, objective, bound, tuple(conflicts), len(parts), tuple(levels), joined, confirmed_by, proved
    )


def _joined(program: Program, part: Component, joined: Linked) -> JoinedComponent:
    owners = sorted({name.removeprefix("rule ") for name in program.owners_of(part.rows[joined.rows])})
    return JoinedComponent(tuple(owners), joined.parts, joined.how)


def _reached(program: Program, part: Component, answer: SolverAnswer) -> list[tuple[int, LevelResult]]:
    """Return the results of the levels that affect a component, each with its rank."""
    ranked = goals_within(program.goals, part.columns)
    if answer.levels:
        return [(rank, reached) for (rank, _), reached in zip(ranked, answer.levels, strict=True)]
    assert answer.x is not None
    found = []
    for rank, goal in ranked:
        value = float(goal.cost @ answer.x)
        least = floor(replace(part.linear, cost=goal.cost))
        bound = max(min(answer.bound, value), least) if goal.whole else least
        found.append((rank, LevelResult(value, bound, value + goal.within * abs(value))))
    return found


def _together(one: LevelResult, other: LevelResult) -> LevelResult:
    return LevelResult(one.least + other.least, one.bound + other.bound, one.most + other.most)


def _nothing_bought(program: Program, part: Component, answer: SolverAnswer, search: Search) -> SolverAnswer:
    """Return a plan without orders if neither time nor engines allow a better one: shortages beyond stock, and violated soft rules.

    Raises:
        SolverError: If hard rules or full stores require more than that, so that no plan is known.
    """
    columns, problem = program.columns, program.problem
    arcs = problem.moves.arc[columns.buy_move]
    orders = [
        c for c, arc in zip(columns.buy.tolist(), arcs.tolist(), strict=True) if problem.network.arcs[arc].lot < 0
    ]
    closed = np.isin(part.columns, [*orders, *columns.make.values()]) | part.linear.integer
    idle = replace(continuous(part.linear), upper=np.where(closed, 0.0, part.linear.upper))
    found = Search(Watch(), 0.0, engines=search.engines).alone(idle)
    if found.x is None and answer.outcome is SolverOutcome.BROKEN:
        raise NoPlanError(_GIVEN_UP)
    if found.x is None:
        raise OutOfTimeError.ended("before it found a plan that keeps the rules of the case", search.watch.cancelled())
    return SolverAnswer(SolverOutcome.FEASIBLE, found.x, found.objective, answer.bound)


def plan_of(program: Program, solution: Solution) -> Plan:
    """Return the plan of a solution."""
    conflicts = [infeasible(program, conflict) for conflict in solution.conflicts]
    plan = decode(program, solution.x, solution.status, solution.objective, solution.bound, conflicts)
    levels = [PlanLevel(least=exact(n.least), bound=exact(n.bound), most=exact(n.most)) for n in solution.levels]
    confirmed_by = solution.confirmed_by if solution.status is PlanStatus.OPTIMAL else ()
    return plan.but(levels=tuple(levels), confirmed_by=confirmed_by)


def infeasible(program: Program, conflict: Conflict) -> Infeasible:
    """Return an infeasible part of a program by its materials and demands."""
    problem, columns = program.problem, program.columns
    within = set(conflict.columns.tolist())
    materials = {
        problem.network.arcs[int(problem.moves.arc[move])].node[0]
        for column, move in zip(columns.buy.tolist(), columns.buy_move.tolist(), strict=True)
        if column in within
    }
    count = problem.case.horizon.count
    short = {d for d in range(len(problem.demands)) for t in range(count) if columns.short + d * count + t in within}
    materials |= {problem.demands[d].use.material.id for d in short}
    materials |= {problem.lots[lot].material for lot, column in columns.rest.items() if column in within}
    by_row = dict(zip(program.limits.program_rows, program.limits.rows, strict=True))
    for row in by_row.keys() & set(conflict.rows):
        materials |= materials_of(problem, by_row[row][1]) | (by_row[row][1].reads or set())
    return Infeasible(
        materials=tuple(sorted(materials)),
        demands=tuple(problem.demands[d].id for d in sorted(short)),
        rules=conflict.owners,
    )
