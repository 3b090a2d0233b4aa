"""Sessions: cases that are solved once and answer questions by solving only what a change affects."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from time import monotonic

import numpy as np

from ..domain.base import exact
from ..domain.change import Change
from ..domain.plan import Cost, Exchangeable, Infeasible, Plan, PlanStatus
from ..domain.runtime import SESSION_BYTES, cached_method
from ..errors import OutOfTimeError, VerificationError
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.parts import Members, Parts, impact
from ..problem.shared import SharedData
from ..program import Choices, Program, compile_program
from ..program.decode import columns_of
from ..program.limits import Goal
from ..program.matrix import Floats, capped
from ..rules.base import Rule
from ..solve import (
    NO_LIMITS,
    AnswerCache,
    Cancel,
    Conflict,
    Limits,
    Progress,
    Solution,
    TieBreaker,
    least,
    plan_of,
    solve,
)
from ..solve.components import column_labels
from ..solve.solving import is_large, large_work
from ..verify import VerifiedPlan, examine, reverified, verify, without_each_loss
from .answer import Answer, ConnectedPart, Extreme, PartPlan, PlanCache, carried
from .layout import ChangedPart, ColumnMeaning, PartLayout, PurchaseWeight, columns_about, weights

__all__ = [
    "Answer",
    "ChangedPart",
    "ColumnMeaning",
    "ConnectedPart",
    "Extreme",
    "PartLayout",
    "PartPlan",
    "PlanCache",
    "Session",
]

# Relative excesses over a cost limit for the solver's tolerance. The larger ones are used only if there is no plan otherwise.
SLACKS = (1e-9, 1e-7, 1e-6)


class _SessionProgram:
    """The program of a session. That of a large case takes as much memory as its facts, so it can be dropped until a question needs it."""

    def __init__(self, program: Program) -> None:
        self._problem = program.problem
        self._program: Program | None = program

    def get(self) -> Program:
        program = self._program
        if program is None:
            self._program = program = compile_program(self._problem)
        return program

    def drop(self) -> None:
        self._program = None


@dataclass(frozen=True, eq=False)
class Session:
    """A solved case that answers questions, also from several threads at once. The counts of an answer then include the work of the others."""

    inputs: Inputs
    problem: Problem
    _program: _SessionProgram
    solution: Solution
    verified: VerifiedPlan
    limits: Limits
    cancel: Cancel | None
    opened: float
    """Start of the work in monotonic time. A time limit covers everything from then on."""
    answers: AnswerCache
    memory: int = SESSION_BYTES
    """Maximum bytes for results of earlier questions: half for answers of rules, and a quarter each for plans and answers of solvers."""
    _plans: PlanCache = field(default_factory=PlanCache)

    @staticmethod
    def open(
        inputs: Inputs,
        limits: Limits = NO_LIMITS,
        progress: Progress | None = None,
        cancel: Cancel | None = None,
        answers: AnswerCache | None = None,
        began: float | None = None,
        memory: int = SESSION_BYTES,
    ) -> Session:
        """Resolve, compile, solve, and verify a case.

        Args:
            limits: Limits of everything, including reasons for shortages. With `until`, the plan gets at most half of the time.
            began: Start of the work in monotonic time. None means now.
            memory: Maximum bytes for results of earlier questions, besides the case and its plan.

        Raises:
            InputError: With all inconsistencies of the case.
            SolverError: If a solver fails.
            VerificationError: If the plan fails verification, which is a bug in friendshore.
            PluginError: If a plugin's rule raises.
        """
        building = monotonic()
        opened = building if began is None else began
        problem = inputs.problem()
        with large_work(len(problem.moves)):
            program = compile_program(problem)
        answer_cache = AnswerCache(max_bytes=memory // 4) if answers is None else answers
        search = _search_limits(limits, opened, building)
        return _solve_and_verify(inputs, program, limits, search, progress, cancel, answer_cache, opened, memory)

    def with_inputs(self, inputs: Inputs, program: Program, began: float) -> Session:
        """Return a session with other facts and their program, under the same limits and with the same cached answers. `began` is its start."""
        search = replace(_search_limits(self.limits, began, began), until=self.limits.until)
        answer_cache, memory = self.answers, self.memory
        return _solve_and_verify(
            inputs, program, self.limits, search, None, self.cancel, answer_cache, began, memory, equal_offers=False
        )

    def __repr__(self) -> str:
        return (
            f"<Session {self.problem.case.name}: {self.solution.status.value}, {self.solution.components:,} components>"
        )

    def __reduce__(self) -> tuple[Callable[..., Session], tuple[Inputs, Limits, None, None, AnswerCache, None, int]]:
        # Unpickling opens the session again. It verifies the plan, and solves nothing because the answers are cached.
        inputs = replace(self.inputs, case=self.problem.case)
        return Session.open, (inputs, self.limits, None, None, self.answers, None, self.memory)

    def what_if(self, *changes: Change, rules: Sequence[Rule] = ()) -> Answer:
        """Return the plan's cost after some changes, applied in order, and with additional limit rules.

        Shortage penalties and holding costs remain those of the original case, even if they follow from an offer that changes. The session's time
        limit applies to every question separately. Raises the errors of `open`, and `InputError` for every change without a match.
        """
        solved, reused = self.answers.solved, self.answers.reused
        changed_parts = impact(self.parts, changes, rules)
        before = [self.part_plan(part.members, part.rules) for part in changed_parts]
        after = [self.part_plan(part.members, part.rules, part.changes, part.imposed) for part in changed_parts]
        cost = self.verified.cost
        levels = [reading.value for reading in self.verified.levels]
        for part_before, part_after in zip(before, after, strict=True):
            cost = cost.plus(part_after.verified.cost.minus(part_before.verified.cost))
            level_changes = zip(part_before.verified.levels, part_after.verified.levels, strict=True)
            levels = [exact(v + a.value - b.value) for v, (b, a) in zip(levels, level_changes, strict=True)]
        affected = frozenset().union(*(part.members for part in before))
        conflicts = zip(self.solution.conflicts, self.verified.plan.infeasible, strict=True)
        unaffected_conflicts = [
            infeasible for conflict, infeasible in conflicts if self._is_outside(conflict, infeasible, affected)
        ]
        return Answer(
            changes=tuple(changes),
            imposed=tuple(rules),
            before=tuple(before),
            after=tuple(after),
            cost=cost,
            rise=cost.minus(self.verified.cost),
            levels=tuple(levels),
            infeasible=(*unaffected_conflicts, *(infeasible for part in after for infeasible in part.plan.infeasible)),
            solved=self.answers.solved - solved,
            reused=self.answers.reused - reused,
        )

    def parts_after(self, *changes: Change) -> tuple[ChangedPart, ...]:
        """Return the parts that some changes affect, after the changes, or all parts. Their costs sum to the plan's. Raises `InputError` for a change without a match."""
        if not changes:
            return tuple(ChangedPart(members, (), self.parts.part(members)) for members in self.parts.members)
        return tuple(
            ChangedPart(part.members, part.changes, self.parts.part(part.members, part.rules).after(part.changes))
            for part in impact(self.parts, changes)
        )

    @property
    def program(self) -> Program:
        return self._program.get()

    @contextmanager
    def explaining(self) -> Iterator[Session]:
        """Give this session for questions about its own plan. For a large case, their results and the program are dropped afterward."""
        if not is_large(len(self.solution.x)):
            yield self
            return
        inputs = replace(self.inputs, shared=SharedData(self.memory // 2))
        yield replace(self, inputs=inputs, answers=self.answers.copy(), _plans=PlanCache(self.memory // 4))
        self._program.drop()

    def copy(self) -> Session:
        """Return a session with the same solvers' answers, without solving again. The answers that it finds are its own."""
        return replace(self, opened=monotonic(), answers=self.answers.copy(), _plans=PlanCache(self.memory // 4))

    @property
    def stopped(self) -> bool:
        """True if the user ended the search or the time is up. Further questions are then not solved."""
        return self.limits.over or self.canceled

    @property
    def canceled(self) -> bool:
        """True if the user ended the search."""
        return self.cancel is not None and self.cancel.is_set()

    def raise_if_stopped(self, done: int, total: int, noun: str) -> None:
        """Raise `OutOfTimeError` if the session has stopped after `done` of `total` answers that a question needs. `noun` is their plural noun."""
        if self.stopped:
            raise OutOfTimeError.ended(
                f"after {done:,} of {total:,} {noun}, but the answer needs all of them", self.canceled
            )

    @cached_property
    def choices(self) -> Choices:
        return self.program.choices(self.solution.x)

    @cached_property
    def parts(self) -> Parts:
        ranked = (row for objective in self.problem.objectives for row in objective.rows)
        return Parts(self.inputs, self.problem, self.problem.limit_rows, ranked)

    def ranking(self, levels: int) -> VerifiedPlan:
        """Return the plan that ranks only the first `levels` objectives, followed by cost."""
        ranked = self.problem.case.objectives
        if levels >= len(ranked):
            return self.verified
        case = self.problem.case.but(objectives=ranked[:levels])
        problem = replace(self.problem, case=case)
        goals = self.program.goals[:levels]
        if len(problem.objectives) > levels:
            goals = (*goals, Goal(self.program.linear.cost, within=0.0, is_whole_objective=True))
        program = replace(self.program, problem=problem, goals=goals)
        return verify(
            problem, plan_of(program, solve(program, self.remaining_limits(), None, self.cancel, self.answers))
        )

    def min_shortage(self, demand: int) -> float | None:
        """Return the minimum shortage of a demand over the plan in kilograms, at any cost to others. None if not found in time."""
        columns = self.program.short_of({self.problem.demands[demand].id})
        return least(self.program, columns, self.remaining_limits(), self.cancel, self.choices)

    def part_of(self, material: str) -> PartPlan:
        """Return the plan of the part that contains a material."""
        return self.part_plan(self.parts.members[self.parts.of_material[material]], frozenset())

    @cached_method
    def connected_part(self, material: str) -> ConnectedPart:
        """Return what is connected to a material. No other purchase or delivery affects it in any plan."""
        program, solution = self.compiled(self.parts.members[self.parts.of_material[material]])
        labels = column_labels(program.linear.entries)
        is_connected = np.isin(labels, labels[columns_about(program, material)])
        spent = exact(float(_spend_costs(program)[is_connected] @ solution.x[is_connected]))
        demanded = {demand.use.material.id for demand in program.problem.demands}
        names = frozenset(name for name in demanded if is_connected[columns_about(program, name)].any())
        return ConnectedPart(names, spent, is_connected)

    def extreme(
        self, material: str, weigh: PurchaseWeight, within: Decimal | None, *, largest: bool, output: str = ""
    ) -> Extreme:
        """Return the minimum or maximum of a sum over purchases among plans that cost little more than the cheapest. Ranked objectives are kept.

        Args:
            within: Share of the money spent on what is connected to the material by which a plan may cost more. None means without a limit.
            output: Material whose purchases count. Empty counts all.
        """
        if self.stopped:
            raise OutOfTimeError.ended("before it found this plan", self.canceled)
        members = self.parts.members[self.parts.of_material[material]]
        program, cheapest = self.compiled(members)
        cost = np.zeros(len(program.linear.cost))
        cost[program.columns.buy] = weights(program, weigh, output) * (-1.0 if largest else 1.0)
        ranked = [goal for goal in program.goals if not goal.is_whole_objective]
        extreme_program = replace(program, goals=(*ranked, Goal(cost, 0.0, is_whole_objective=False)))
        if within is None:
            solution = self._solved(extreme_program)
        else:
            labels = column_labels(program.linear.entries)
            is_connected = self.connected_part(material).columns | np.isin(labels, labels[cost != 0])
            connected_cost = np.where(is_connected, program.linear.cost, 0.0)
            spent = abs(float(_spend_costs(program)[is_connected] @ cheapest.x[is_connected]))
            solution = self._within(
                extreme_program, connected_cost, float(connected_cost @ cheapest.x) + float(within) * spent
            )
        problem, plan = _without_objectives(program.problem, plan_of(program, solution))
        level = solution.levels[-1]
        sign = -1 if largest else 1
        return Extreme(exact(sign * level.least), exact(sign * level.bound), PartPlan(members, verify(problem, plan)))

    @cached_method
    def compiled(self, members: Members) -> tuple[Program, Solution]:
        """Return the program of some unchanged parts, with its cheapest solution."""
        program = compile_program(self.parts.part(members).problem())
        return program, self._solved(program)

    def repriced(self, part: PartPlan, *changes: Change) -> Cost:
        """Return the cost of the existing plan of some parts after price changes. Raises `VerificationError` if the plan is no longer valid."""
        problem = self.parts.part(part.members).after(changes).problem()
        unranked, plan = _without_objectives(problem, part.plan)
        verified, findings = examine(unranked, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        return verified.cost

    def _solved(self, program: Program) -> Solution:
        return solve(program, self.limits, None, self.cancel, self.answers, self.choices)

    def _within(self, program: Program, cost: Floats, limit: float) -> Solution:
        programs = (capped(program.linear, cost, limit + slack * max(1.0, abs(limit))) for slack in SLACKS)
        solutions = (self._solved(replace(program, linear=linear)) for linear in programs)
        first_solution = next(solutions)
        return (
            first_solution
            if not first_solution.conflicts
            else next((solution for solution in solutions if not solution.conflicts), first_solution)
        )

    def part_plan(
        self,
        members: Members,
        rules: frozenset[str] = frozenset(),
        changes: tuple[Change, ...] = (),
        imposed: tuple[Rule, ...] = (),
    ) -> PartPlan:
        """Return the cached plan of some parts after changes, verified. `rules` are limits that count some parts only then (`impact`), and `imposed` more rules."""
        key = (members, rules, changes, tuple(rule.model_dump_json() for rule in imposed))
        part_plan = self._plans.get(key)
        if part_plan is None:
            inputs = self.parts.part(members, rules).after(changes)
            problem = replace(inputs, rules=(*inputs.rules, *imposed)).problem()
            fewer_changes = (self._plans.get((*key[:2], fewer, key[3])) for fewer in without_each_loss(changes))
            reusable = (reverified(cached.verified, problem) for cached in fewer_changes if cached is not None)
            verified = next((plan for plan in reusable if plan is not None), None)
            if verified is None:
                program = compile_program(problem)
                plan = plan_of(program, self._solved(program))
                if not (rules or changes or imposed):  # ties are broken once, for the plan that is shown
                    max_objective = plan.objective + self.verified.rounding
                    verified = carried(self.verified, members, problem, plan, max_objective)
                verified = verified or verify(problem, plan)
            part_plan = PartPlan(members, verified)
            self._plans.keep(key, part_plan, own=not (rules or changes or imposed) and members in self.parts.members)
        return part_plan

    def _is_outside(self, conflict: Conflict, infeasible: Infeasible, members: Members) -> bool:
        if infeasible.materials:
            return not members & set(infeasible.materials)
        limit_by_row = dict(zip(self.program.limits.program_rows, self.program.limits.rows, strict=True))
        return any(not members & self.parts.bond(limit_by_row[row][1]) for row in conflict.rows)

    def remaining_limits(self) -> Limits:
        if self.limits.seconds is None:
            return self.limits
        return replace(self.limits, seconds=max(0.0, self.limits.seconds - (monotonic() - self.opened)))


def _solve_and_verify(
    inputs: Inputs,
    program: Program,
    limits: Limits,
    search_limits: Limits,
    progress: Progress | None,
    cancel: Cancel | None,
    answer_cache: AnswerCache,
    opened: float,
    memory: int,
    equal_offers: bool = True,
) -> Session:
    first = solve(program, search_limits, progress, cancel, answer_cache)
    with large_work(len(program.linear.cost)):
        solution, verified = _break_ties(program, first, search_limits, cancel, answer_cache, equal_offers)
    # Later changes must not change the prices of shortages and of holding.
    frozen_inputs = replace(
        inputs.freeze(program.problem), shared=SharedData(memory // 2) if inputs.shared is None else inputs.shared
    )
    plans = PlanCache(memory // 4)
    return Session(
        frozen_inputs, program.problem, _SessionProgram(program), solution, verified, limits, cancel, opened,
        answer_cache, memory, plans,
    )  # fmt: skip


def _break_ties(
    program: Program,
    solution: Solution,
    limits: Limits,
    cancel: Cancel | None,
    answer_cache: AnswerCache,
    equal_offers: bool,
) -> tuple[Solution, VerifiedPlan]:
    """Return the cheapest plan after tie-breaking, verified. Where rounding would cost money, the original plan stays."""

    def planned(candidate: Solution) -> Plan:
        return plan_of(program, candidate).but(
            not_tie_broken=_not_tie_broken(program, candidate), exchangeable=_exchangeable(program, candidate)
        )

    def checked(candidate: Solution) -> VerifiedPlan | None:
        with large_work(len(candidate.x)):  # returns the memory of the last attempt
            return examine(program.problem, planned(candidate))[0]

    first = verify(program.problem, planned(solution))
    first_cost = first.cost
    # That of a large program takes a hundred megabytes, and is rarely needed again.
    kept_first = None if is_large(len(solution.x)) else first
    del first
    ties_at_solution = TieBreaker(program, solution, limits, cancel, answer_cache)
    steady_solution = ties_at_solution.steadiest(equal_offers=equal_offers)
    verified = checked(steady_solution)
    if verified is not None and _is_as_cheap(verified.cost, first_cost):
        return steady_solution, verified
    faces = ties_at_solution.faces
    del ties_at_solution, verified
    rounded_plan = columns_of(program, planned(solution), solution.x)
    ties_at_rounded = TieBreaker(program, solution, limits, cancel, answer_cache, rounded_plan, faces)
    steady_solution = ties_at_rounded.steadiest(equal_offers=equal_offers)
    for improve in (ties_at_rounded.in_whole_steps, ties_at_rounded.without_loss, None):
        verified = checked(steady_solution)
        if verified is not None and _is_as_cheap(verified.cost, first_cost):
            return steady_solution, verified
        if improve is not None:
            rounded_outcome = None if verified is None else columns_of(program, verified.plan, steady_solution.x)
            steady_solution = improve(steady_solution, rounded_outcome)
    return solution, kept_first or verify(program.problem, planned(solution))


def _is_as_cheap(cost: Cost, other: Cost) -> bool:
    """Return True if a plan with this cost has no larger shortage penalty than another, and costs no more to the cent."""
    return cost.shortage <= other.shortage and round(cost.objective, 2) <= round(other.objective, 2)


def _not_tie_broken(program: Program, solution: Solution) -> tuple[str, ...]:
    columns, network, moves = program.columns, program.problem.network, program.problem.moves
    moves_not_broken = (
        columns.buy_move if solution.tie_broken is None else columns.buy_move[~solution.tie_broken[columns.buy]]
    )
    return tuple(sorted({network.arcs[arc].node[0] for arc in set(moves.arc[moves_not_broken].tolist())}))


def _exchangeable(program: Program, solution: Solution) -> tuple[Exchangeable, ...]:
    if solution.exchangeable is None:
        return ()
    columns, problem = program.columns, program.problem
    offers_by_node: dict[tuple[str, str], set[str]] = {}
    for arc in set(problem.moves.arc[columns.buy_move[solution.exchangeable[columns.buy]]].tolist()):
        arc_facts = problem.network.arcs[arc]
        offers_by_node.setdefault(arc_facts.node, set()).add(problem.offers[arc_facts.offer].offer.id)
    return tuple(
        Exchangeable(material=material, place=place, offers=tuple(sorted(names)))
        for (material, place), names in sorted(offers_by_node.items())
        if len(names) > 1
    )


# Share of a time limit for the search even if reading used all of it, since a late plan is better than none.
MIN_SEARCH_SHARE = 0.1


def _search_limits(limits: Limits, began: float, building: float) -> Limits:
    """Return the limits of the search. They leave time for verification and reports, as much as since `building`, and with `until` for questions."""
    if limits.seconds is None:
        return limits
    now = monotonic()
    seconds = limits.seconds - (now - began) - (now - building)
    if limits.until is not None:
        seconds = min(seconds, limits.until - now) / 2
    return replace(limits, seconds=max(seconds, MIN_SEARCH_SHARE * limits.seconds), until=None)


def _spend_costs(program: Program) -> Floats:
    """Return the cost of each column in money spent: 0 for shortages and missed limits."""
    money = program.linear.cost.copy()
    shorts = len(program.problem.demands) * program.problem.case.horizon.count
    money[program.columns.short : program.columns.short + shorts] = 0.0
    money[[column for _, column, _ in program.limits.misses]] = 0.0
    return money


def _without_objectives(problem: Problem, plan: Plan) -> tuple[Problem, Plan]:
    """Return a plan and its facts without objectives, so that its verification doesn't depend on them."""
    unranked = replace(problem, case=problem.case.but(objectives=()))
    return unranked, plan.but(levels=(), status=PlanStatus.FEASIBLE)
