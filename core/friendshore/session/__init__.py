"""A session: a case that is solved once and answers many questions by solving only what a change affects."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import cached_property
from time import monotonic

import numpy as np
from typing_extensions import deprecated

from ..domain.base import exact
from ..domain.change import Change
from ..domain.plan import Cost, Exchangeable, Infeasible, Plan, PlanStatus
from ..domain.runtime import SESSION_BYTES, cached_method
from ..errors import OutOfTimeError, VerificationError
from ..problem import Problem
from ..problem.inputs import Inputs
from ..problem.kept import Kept
from ..problem.parts import Members, Parts, impact
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
    TieBreaking,
    least,
    plan_of,
    solve,
)
from ..solve.components import column_labels
from ..verify import VerifiedPlan, examine, reused, verify, without_each_loss
from .answer import Answer, Extreme, PartPlan, PlanCache, Together, carried
from .layout import ChangedPart, LaidColumn, PartLayout, Weigh, about, weights

__all__ = [
    "Answer",
    "ChangedPart",
    "Extreme",
    "LaidColumn",
    "PartLayout",
    "PartPlan",
    "PlanCache",
    "Session",
    "Together",
]

SLACKS = (1e-9, 1e-7, 1e-6)
"""Relative excesses over a cost limit that a plan may have for the solver's tolerance. The larger ones are used only if there is no plan otherwise."""


@dataclass(frozen=True, eq=False)
class Session:
    """A solved and verified case that answers further questions.

    Several threads may ask at the same time if their questions affect different parts of the case. The `solved` and `reused` counts of an answer then
    include the work of the others.
    """

    inputs: Inputs
    problem: Problem
    program: Program
    solution: Solution
    verified: VerifiedPlan
    limits: Limits
    cancel: Cancel | None
    opened: float
    """Start of the work in monotonic time. A time limit covers everything from then on."""
    answers: AnswerCache
    """Known solutions by component."""
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
            inputs: The facts.
            limits: Limits of everything, including reasons for shortages. With `until`, later questions must also end by then, and the plan gets at most
                half of the time.
            progress: Callback for the progress of the search.
            cancel: Ends the search when it is set.
            answers: Known solutions.
            began: Start of the work in monotonic time. None means now.
            memory: Maximum bytes for results of earlier questions, besides the case and its plan.

        Raises:
            InputError: With all inconsistencies of the case.
            SolverError: If a solver fails.
            VerificationError: If the plan fails verification. This is a bug in friendshore, and no plan is returned.
            PluginError: If a plugin's rule raises.
        """
        building = monotonic()
        opened = building if began is None else began
        program = compile_program(inputs.problem())
        known = AnswerCache(most=memory // 4) if answers is None else answers
        search = _for_search(limits, opened, building)
        return _opened(inputs, program, limits, search, progress, cancel, known, opened, memory)

    def beside(self, inputs: Inputs, program: Program, began: float) -> Session:
        """Return a session with other facts, given with their program, under the same limits. It reuses known solutions. `began` is the start of its work.

        Raises:
            SolverError: If a solver fails.
            VerificationError: If the plan fails verification.
        """
        search = replace(_for_search(self.limits, began, began), until=self.limits.until)
        known, memory = self.answers, self.memory
        return _opened(
            inputs, program, self.limits, search, None, self.cancel, known, began, memory, equal_offers=False
        )

    def __repr__(self) -> str:
        return (
            f"<Session {self.problem.case.name}: {self.solution.status.value}, {self.solution.components:,} components>"
        )

    def __reduce__(self) -> tuple[Callable[..., Session], tuple[Inputs, Limits, None, None, AnswerCache, None, int]]:
        # Opened again where it is read back: nothing is solved anew, for the answers are known, and the plan is verified there.
        given = replace(self.inputs, case=self.problem.case)
        return Session.open, (given, self.limits, None, None, self.answers, None, self.memory)

    def what_if(self, *changes: Change, rules: Sequence[Rule] = ()) -> Answer:
        """Return the plan's cost after some changes, applied in order.

        Shortage penalties and holding costs remain those of the original case, even if they follow from an offer that changes. The answer is thus about the
        changes alone.

        Only the affected parts of the case are resolved again, and only their components that differ are solved again. Each affected part is verified
        separately. The session's time limit applies to every question separately.

        Args:
            changes: The changes.
            rules: Limit rules in addition to those of the case.

        Raises:
            InputError: For every change without a match in the case.
            SolverError: If a solver fails.
            VerificationError: If the plan fails verification.
            PluginError: If a plugin's rule raises.
        """
        solved, reused = self.answers.solved, self.answers.reused
        touched = impact(self.parts, changes, rules)
        before = [self.part_plan(part.members, part.rules) for part in touched]
        after = [self.part_plan(part.members, part.rules, part.changes, part.imposed) for part in touched]
        cost = self.verified.cost
        levels = [reading.value for reading in self.verified.levels]
        for one, other in zip(before, after, strict=True):
            cost = cost.plus(other.verified.cost.minus(one.verified.cost))
            moved = zip(one.verified.levels, other.verified.levels, strict=True)
            levels = [exact(v + a.value - b.value) for v, (b, a) in zip(levels, moved, strict=True)]
        known = frozenset().union(*(part.members for part in before))
        conflicts = zip(self.solution.conflicts, self.verified.plan.infeasible, strict=True)
        left = [one for conflict, one in conflicts if self._lies_outside(conflict, one, known)]
        return Answer(
            changes=tuple(changes),
            imposed=tuple(rules),
            before=tuple(before),
            after=tuple(after),
            cost=cost,
            rise=cost.minus(self.verified.cost),
            levels=tuple(levels),
            infeasible=(*left, *(one for part in after for one in part.plan.infeasible)),
            solved=self.answers.solved - solved,
            reused=self.answers.reused - reused,
        )

    @deprecated("`after` is now `what_if`")
    def after(self, *changes: Change, rules: Sequence[Rule] = ()) -> Answer:
        """Return `what_if(*changes, rules=rules)`."""
        return self.what_if(*changes, rules=rules)

    def parts_after(self, *changes: Change) -> tuple[ChangedPart, ...]:
        """Return the parts of the case that some changes affect, after the changes. Without changes, return all parts.

        The plan's cost is the sum over the parts. Each part has a layout, the program that is solved for its plan.

        Raises:
            InputError: For every change without a match in the case.
            PluginError: If a plugin's rule raises.
        """
        if not changes:
            return tuple(ChangedPart(members, (), self.parts.part(members)) for members in self.parts.members)
        return tuple(
            ChangedPart(part.members, part.changes, self.parts.part(part.members, part.rules).after(part.changes))
            for part in impact(self.parts, changes)
        )

    @property
    def stopped(self) -> bool:
        """True if the user ended the search or the time is up. Further questions are then not solved."""
        return self.limits.over or self.canceled

    @property
    def canceled(self) -> bool:
        """True if the user ended the search."""
        return self.cancel is not None and self.cancel.is_set()

    def go_on(self, done: int, of: int, what: str) -> None:
        """Raise if the session has stopped before all of the answers that a question needs are found.

        Raises:
            OutOfTimeError: With the number of answers found.
        """
        if self.stopped:
            raise OutOfTimeError.ended(f"after {done:,} of {of:,} {what}, and the answer needs them all", self.canceled)

    @cached_property
    def choices(self) -> Choices:
        """Values of the plan's choices. Plans for most questions differ in few of them."""
        return self.program.choices(self.solution.x)

    @cached_property
    def parts(self) -> Parts:
        """Independent parts of the case."""
        ranked = (row for objective in self.problem.objectives for row in objective.rows)
        return Parts(self.inputs, self.problem, self.problem.limit_rows, ranked)

    def ranking(self, levels: int) -> VerifiedPlan:
        """Return the plan that ranks only the first `levels` objectives of the case, followed by cost.

        Raises:
            SolverError: If a solver fails, or if no plan is found in the remaining time.
            VerificationError: If the plan fails verification.
        """
        ranked = self.problem.case.objectives
        if levels >= len(ranked):
            return self.verified
        case = self.problem.case.but(objectives=ranked[:levels])
        problem = replace(self.problem, case=case)
        goals = self.program.goals[:levels]
        if len(problem.objectives) > levels:
            goals = (*goals, Goal(self.program.linear.cost, within=0.0, whole=True))
        program = replace(self.program, problem=problem, goals=goals)
        return verify(problem, plan_of(program, solve(program, self.left(), None, self.cancel, self.answers)))

    def least_short(self, demand: int) -> float | None:
        """Return the minimum shortage of a demand over the plan in kilograms, at any cost to others. None if not found in time."""
        columns = self.program.short_of({self.problem.demands[demand].id})
        return least(self.program, columns, self.left(), self.cancel, self.choices)

    def part_of(self, material: str) -> PartPlan:
        """Return the plan of the part that contains a material."""
        return self.part_plan(self.parts.members[self.parts.of_material[material]], frozenset())

    @cached_method
    def together(self, material: str) -> Together:
        """Return what is connected to a material. No other purchase or delivery affects it in any plan.

        Raises:
            SolverError: If a solver fails.
        """
        program, solution = self.compiled(self.parts.members[self.parts.of_material[material]])
        labels = column_labels(program.linear.entries)
        held = np.isin(labels, labels[about(program, material)])
        spent = exact(float(_money(program)[held] @ solution.x[held]))
        wanted = {demand.use.material.id for demand in program.problem.demands}
        names = frozenset(name for name in wanted if held[about(program, name)].any())
        return Together(names, spent, held)

    def extreme(
        self, material: str, weigh: Weigh, within: Decimal | None, *, largest: bool, output: str = ""
    ) -> Extreme:
        """Return the minimum or maximum of a sum over purchases among plans that cost little more than the cheapest.

        The part of the case that is connected to the material may exceed its minimum cost by a share `within` of the money spent there. Penalties are part of
        the cost, but not of the money spent. Ranked objectives are kept.

        Args:
            material: The material of the question.
            weigh: Weight of one unit purchased, given the offer's facts and the place and period of delivery.
            within: Share of the money spent by which a plan may be more expensive. None means without a limit.
            largest: True for the maximum, else the minimum.
            output: Material whose purchases count. Empty counts all.

        Raises:
            SolverError: If a solver fails, or if no plan is found in time.
            VerificationError: If the plan fails verification.
        """
        if self.stopped:
            raise OutOfTimeError.ended("before this was found", self.canceled)
        members = self.parts.members[self.parts.of_material[material]]
        program, cheapest = self.compiled(members)
        cost = np.zeros(len(program.linear.cost))
        cost[program.columns.buy] = weights(program, weigh, output) * (-1.0 if largest else 1.0)
        ranked = [goal for goal in program.goals if not goal.whole]
        asked = replace(program, goals=(*ranked, Goal(cost, 0.0, whole=False)))
        if within is None:
            solution = self._solved(asked)
        else:
            labels = column_labels(program.linear.entries)
            held = self.together(material).columns | np.isin(labels, labels[cost != 0])
            cost_held = np.where(held, program.linear.cost, 0.0)
            spent = abs(float(_money(program)[held] @ cheapest.x[held]))
            solution = self._within(asked, cost_held, float(cost_held @ cheapest.x) + float(within) * spent)
        bare, plan = _for_itself(program.problem, plan_of(program, solution))
        last = solution.levels[-1]
        sign = -1 if largest else 1
        return Extreme(exact(sign * last.least), exact(sign * last.bound), PartPlan(members, verify(bare, plan)))

    @cached_method
    def compiled(self, members: Members) -> tuple[Program, Solution]:
        """Return the program of some unchanged parts, with its cheapest solution."""
        program = compile_program(self.parts.part(members).problem())
        return program, self._solved(program)

    def repriced(self, part: PartPlan, *changes: Change) -> Cost:
        """Return the cost of the existing plan of some parts after price changes. It may no longer be the cheapest plan.

        Raises:
            InputError: For every change without a match in these parts.
            VerificationError: If the plan fails verification after the changes.
        """
        problem = self.parts.part(part.members).after(changes).problem()
        bare, plan = _for_itself(problem, part.plan)
        verified, findings = examine(bare, plan, all_rules=False)
        if verified is None:
            raise VerificationError(findings)
        return verified.cost

    def _solved(self, program: Program) -> Solution:
        return solve(program, self.limits, None, self.cancel, self.answers, self.choices)

    def _within(self, program: Program, money: Floats, most: float) -> Solution:
        """Return the best solution by a program's goals in which some money is at most `most`."""
        programs = (capped(program.linear, money, most + slack * max(1.0, abs(most))) for slack in SLACKS)
        solutions = (self._solved(replace(program, linear=linear)) for linear in programs)
        first = next(solutions)
        return first if not first.conflicts else next((s for s in solutions if not s.conflicts), first)

    def part_plan(
        self,
        members: Members,
        rules: frozenset[str] = frozenset(),
        changes: tuple[Change, ...] = (),
        imposed: tuple[Rule, ...] = (),
    ) -> PartPlan:
        """Return the verified plan of some parts together, after changes with bills expanded. It is cached.

        `rules` are limit rules that count some of the parts only after such changes (see `impact`). `imposed` are rules in addition to those of the case.
        """
        key = (members, rules, changes, tuple(rule.model_dump_json() for rule in imposed))
        found = self._plans.get(key)
        if found is None:
            inputs = self.parts.part(members, rules).after(changes)
            problem = replace(inputs, rules=(*inputs.rules, *imposed)).problem()
            known = (self._plans.get((*key[:2], fewer, key[3])) for fewer in without_each_loss(changes))
            spared = (reused(one.verified, problem) for one in known if one is not None)
            verified = next((plan for plan in spared if plan is not None), None)
            if verified is None:
                program = compile_program(problem)
                plan = plan_of(program, self._solved(program))
                if not (rules or changes or imposed):  # ties are broken once, for the plan that is shown
                    most = plan.objective + self.verified.rounding
                    verified = carried(self.verified, members, problem, plan, most)
                verified = verified or verify(problem, plan)
            found = PartPlan(members, verified)
            self._plans.keep(key, found, own=not (rules or changes or imposed) and members in self.parts.members)
        return found

    def _lies_outside(self, conflict: Conflict, told: Infeasible, members: Members) -> bool:
        """Return True if a conflict involves parts other than those of some materials."""
        if told.materials:
            return not members & set(told.materials)
        rows = dict(zip(self.program.limits.program_rows, self.program.limits.rows, strict=True))
        return any(not members & self.parts.bond(rows[row][1]) for row in conflict.rows)

    def left(self) -> Limits:
        """Return the limits, with the remaining time."""
        if self.limits.seconds is None:
            return self.limits
        return replace(self.limits, seconds=max(0.0, self.limits.seconds - (monotonic() - self.opened)))


def _opened(
    inputs: Inputs,
    program: Program,
    limits: Limits,
    search: Limits,
    progress: Progress | None,
    cancel: Cancel | None,
    known: AnswerCache,
    opened: float,
    memory: int,
    equal_offers: bool = True,
) -> Session:
    first = solve(program, search, progress, cancel, known)
    solution, verified = _tie_broken(program, first, search, cancel, known, equal_offers)
    # What is asked from here on moves no price of a shortage or of holding.
    asked = replace(inputs.freeze(program.problem), kept=Kept(memory // 2) if inputs.kept is None else inputs.kept)
    plans = PlanCache(memory // 4)
    return Session(asked, program.problem, program, solution, verified, limits, cancel, opened, known, memory, plans)


def _tie_broken(
    program: Program, solution: Solution, limits: Limits, cancel: Cancel | None, known: AnswerCache, equal_offers: bool
) -> tuple[Solution, VerifiedPlan]:
    """Return the cheapest plan after tie-breaking, verified.

    Components in which rounding costs money keep their original plan. All do if the whole plan would cost a cent more or be a gram shorter.
    """

    def planned(each: Solution) -> Plan:
        return plan_of(program, each).but(
            not_tie_broken=_not_tie_broken(program, each), exchangeable=_exchangeable(program, each)
        )

    first = verify(program.problem, planned(solution))
    unmoved = TieBreaking(program, solution, limits, cancel, known)
    steady = unmoved.steadiest(equal_offers=equal_offers)
    verified, _ = examine(program.problem, planned(steady))
    if verified is not None and _is_as_cheap(verified, first):
        return steady, verified
    rounded = columns_of(program, first.plan, solution.x)
    ties = TieBreaking(program, solution, limits, cancel, known, rounded, unmoved.faces)
    steady = ties.steadiest(equal_offers=equal_offers)
    for improve in (ties.in_whole_steps, ties.without_loss, None):
        verified, _ = examine(program.problem, planned(steady))
        if verified is not None and _is_as_cheap(verified, first):
            return steady, verified
        if improve is not None:
            outcome = None if verified is None else columns_of(program, verified.plan, steady.x)
            steady = improve(steady, outcome)
    return solution, first


def _is_as_cheap(plan: VerifiedPlan, other: VerifiedPlan) -> bool:
    """Return True if a plan has no larger shortage penalty than another one, and costs no more to the cent."""
    costs_more = round(plan.cost.objective, 2) > round(other.cost.objective, 2)
    return plan.cost.shortage <= other.cost.shortage and not costs_more


def _not_tie_broken(program: Program, solution: Solution) -> tuple[str, ...]:
    """Return the materials that are bought without tie-breaking."""
    columns, network, moves = program.columns, program.problem.network, program.problem.moves
    tied = columns.buy_move if solution.tie_broken is None else columns.buy_move[~solution.tie_broken[columns.buy]]
    return tuple(sorted({network.arcs[arc].node[0] for arc in set(moves.arc[tied].tolist())}))


def _exchangeable(program: Program, solution: Solution) -> tuple[Exchangeable, ...]:
    """Return the offers that could replace one another, by material and place."""
    if solution.exchangeable is None:
        return ()
    columns, problem = program.columns, program.problem
    found: dict[tuple[str, str], set[str]] = {}
    for arc in set(problem.moves.arc[columns.buy_move[solution.exchangeable[columns.buy]]].tolist()):
        made = problem.network.arcs[arc]
        found.setdefault(made.node, set()).add(problem.offers[made.offer].offer.id)
    return tuple(
        Exchangeable(material=material, place=place, offers=tuple(sorted(names)))
        for (material, place), names in sorted(found.items())
        if len(names) > 1
    )


MIN_SEARCH_SHARE = 0.1
"""Share of a time limit for the search even if reading used all of it, since a late plan is better than none."""


def _for_search(limits: Limits, began: float, building: float) -> Limits:
    """Return the limits of the search: the remaining time, less a reserve for verification and reports that equals the time since `building`.

    With `until`, the search gets half of the time, since further questions follow.
    """
    if limits.seconds is None:
        return limits
    now = monotonic()
    left = limits.seconds - (now - began) - (now - building)
    if limits.until is not None:
        left = min(left, limits.until - now) / 2
    return replace(limits, seconds=max(left, MIN_SEARCH_SHARE * limits.seconds), until=None)


def _money(program: Program) -> Floats:
    """Return the cost of each column in money spent. The columns of shortages and missed limits are 0."""
    money = program.linear.cost.copy()
    shorts = len(program.problem.demands) * program.problem.case.horizon.count
    money[program.columns.short : program.columns.short + shorts] = 0.0
    money[[column for _, column, _ in program.limits.misses]] = 0.0
    return money


def _for_itself(problem: Problem, plan: Plan) -> tuple[Problem, Plan]:
    """Return a plan and its facts without objectives, so that its verification doesn't depend on the objective that found it."""
    bare = replace(problem, case=problem.case.but(objectives=()))
    return bare, plan.but(levels=(), status=PlanStatus.FEASIBLE)
