"""From a case and its events to the plan that is best before anybody knows which of them come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cached_property

import numpy as np

from friendshore.domain.base import exact, totals
from friendshore.domain.plan import Plan, PlanStatus
from friendshore.errors import Diagnostic, InputError, OutOfTimeError, VerificationError
from friendshore.explain.results import Counted
from friendshore.program.decode import decode
from friendshore.program.matrix import Floats
from friendshore.session import LEAST_SEARCH, Session
from friendshore.solve import SolverOutcome, Watch
from friendshore.verify import VerifiedPlan, verify

from ..events.records import Event
from ..events.scenarios import RiskScenario
from ..routes import unsaid
from ..stress.twostage import kept_ready
from ..twostage import (
    GapInterval,
    RecourseAnswer,
    RecourseProgram,
    RiskMeasure,
    ScenarioBranch,
    Solver,
    followed,
    gap_interval,
    solve_recourse,
    solver_within,
)
from ..twostage.solving import answered, best_seconds, stage_costs
from .records import Decision
from .staging import PartStage, RiskPart, StagedCase, staged

EXPECTED = RiskMeasure()
_NONE = Decimal(0)
LAST_SECONDS = 1.0
"""For the plan as it is, if time was up before any plan was found; where a tenth of the time is more, that."""


@dataclass(frozen=True, slots=True)
class CarriedPart:
    """What becomes of a part under a plan, verified."""

    verified: VerifiedPlan
    ready: Decimal
    """Money for offers that are onboarded, and of which nothing is bought."""

    @property
    def objective(self) -> Decimal:
        """All that it comes to."""
        return exact(self.verified.cost.objective + self.ready)

    @property
    def money(self) -> Decimal:
        """The same without the price of shortage."""
        return exact(self.verified.cost.total + self.ready)


class RiskSearch:
    """A case with its events, to be planned under several measures."""

    def __init__(
        self,
        session: Session,
        events: Sequence[Event],
        scenarios: Sequence[RiskScenario],
        day: date,
        counted: Counted,
        batches: Sequence[Sequence[RiskScenario]] = (),
    ) -> None:
        """Lays out all that may happen; `batches` are samples that say how good the plan of a sample is."""
        self.session, self.scenarios, self.counted, self.batches = session, scenarios, counted, batches
        others = [one for batch in batches for one in batch]
        self.unsaid = unsaid(session.problem, (event.lose for event in events))
        self.staged: StagedCase = staged(session, events, scenarios, day, others)
        self.program = replace(self.staged.program, branches=self.staged.branches(scenarios))
        """The two-stage program; all second stages are in it, those of batches too."""
        self.day = day
        self.solver = solver_within(session.limits, session.cancel, session.answers)
        self.slack = session.problem.case.resolution * session.problem.case.horizon.count

    @property
    def chances(self) -> Floats:
        """Probabilities of the scenarios."""
        return self.program.probabilities

    @cached_property
    def rest(self) -> Decimal:
        """What the parts of the case come to that no event bears on."""
        touched = {id(part): self._as_planned(part) for part in self.staged.parts}
        return exact(self.session.verified.cost.objective - sum((o for o, _ in touched.values()), _NONE))

    @cached_property
    def rest_money(self) -> Decimal:
        """The same without the price of shortage."""
        return exact(self.session.verified.cost.total - sum((self._as_planned(p)[1] for p in self.staged.parts), _NONE))

    def _as_planned(self, part: RiskPart) -> tuple[Decimal, Decimal]:
        cost = self.session.part_plan(part.members, part.rules).verified.cost
        return cost.objective, cost.total

    def best(self, measure: RiskMeasure) -> RecourseAnswer:
        """The best decisions under a measure.

        Raises:
            InputError: if rules conflict in some scenario whatever is decided.
            OutOfTimeError: if no plan is found in time.
        """
        self.counted.questions += 1
        asked, limits = self.program.only(self._asked), self.session.limits
        watch = Watch(limits.left(), self.session.cancel)  # what is left then tells what follows
        found = solve_recourse(asked, measure, self.solver, limits.gap, watch.stopped)
        if found is None or not np.isfinite(found.costs).all():
            found = self._as_it_is_in_all(asked, measure)
        if found is None or not np.isfinite(found.costs).all():
            self._refuse_conflicts()
            raise OutOfTimeError.ended("before a plan was found", self.session.canceled)
        if not np.isfinite(found.bound):
            raise OutOfTimeError.ended("before a bound was found", self.session.canceled)
        seconds = [np.empty(0)] * len(self.program.stages)
        for number, values in zip(self._needed, found.seconds, strict=True):
            seconds[number] = values
        return replace(found, seconds=tuple(seconds), costs=found.costs[: len(self.program.branches)])

    def _as_it_is_in_all(self, asked: RecourseProgram, measure: RiskMeasure) -> RecourseAnswer | None:
        """When time is up before any plan is found: the plan as it is, followed in every scenario, or what one look at that leads to."""
        limits, session = self.session.limits, self.session
        if not session.stopped or limits.seconds is None:
            return None
        least = replace(limits, until=None, seconds=max(LAST_SECONDS, LEAST_SEARCH * limits.seconds))
        solver = solver_within(least, session.cancel, session.answers)
        found = self._if_nothing_happens(solver)
        return None if found is None else followed(asked, measure, found.x, solver, limits.gap)

    def _if_nothing_happens(self, solver: Solver) -> RecourseAnswer | None:
        """The plan as if nothing happened; None: it is not found."""
        nothing = tuple(part.numbers[0] for part in self.staged.parts)
        return solve_recourse(self.program.only([ScenarioBranch(1.0, nothing)]), EXPECTED, solver)

    @cached_property
    def _asked(self) -> list[ScenarioBranch]:
        """All scenarios, and last of all that in which nothing happens: with no probability if it is none of them, or is one already."""
        nothing = ScenarioBranch(0.0, tuple(part.numbers[0] for part in self.staged.parts))
        return [*self.program.branches, nothing]

    @cached_property
    def _needed(self) -> list[int]:
        """Second stages that some scenario needs, or that in which nothing happens."""
        return sorted({stage for branch in self._asked for stage in branch.stages})

    def gap(self, answer: RecourseAnswer, measure: RiskMeasure) -> GapInterval | None:
        """How good a plan is, by the batches; None: there are none, or one of them was not solved in time."""
        if not self.batches or self.session.stopped:
            return None
        return gap_interval(answer.x, [self.staged.of(one) for one in self.batches], measure, self.solver)

    def _refuse_conflicts(self) -> None:
        if self.session.stopped:
            return
        for scenario, cost in zip(self.scenarios, self.known, strict=True):
            if cost == np.inf:
                raise InputError(
                    f"rules conflict where this comes: {scenario.name}",
                    fix="see what conflicts with `friendshore plan --change`",
                )

    @cached_property
    def known(self) -> Floats:
        """What every scenario comes to for whoever knows it from the start, the parts of the case that no event bears on apart; infinite where
        there is no plan, no number where none was found in time.
        """
        costs = np.full(len(self.program.stages), np.inf)
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number in self._needed:
                    found = answered(stage.program.linear, self.solver)
                    none = np.inf if found.outcome is SolverOutcome.INFEASIBLE else np.nan
                    costs[number] = none if found.x is None else found.objective
        return self.program.costs(costs)

    @cached_property
    def as_it_is(self) -> RecourseAnswer | None:
        """The plan as if nothing happened, and what follows where something does; None: it is not found."""
        found = self._if_nothing_happens(self.solver)
        return None if found is None else self.following(found.x)

    def following(self, x: Floats) -> RecourseAnswer:
        """What follows decisions, whatever comes; a second stage that cannot follow them has no values, and costs without end."""
        asked = self.program.only(self._asked)
        seconds = [
            np.full(len(stage.cost), np.nan) if own is None else own
            for own, stage in zip(best_seconds(asked, x, self.solver), asked.stages, strict=True)
        ]
        branches = asked.costs(stage_costs(asked, x, seconds))[: len(self.program.branches)]
        return RecourseAnswer(x, tuple(seconds), branches, float(self.chances @ branches), -np.inf)

    def carried(self, answer: RecourseAnswer) -> dict[int, CarriedPart]:
        """Every second stage of an answer as a plan, verified by itself, and all of them verified to be the same before the day.

        Raises:
            VerificationError: if one of them does not hold, or they differ in what is decided before anybody knows which of them it is.
        """
        found: dict[int, CarriedPart] = {}
        for part in self.staged.parts:
            for number, stage in zip(part.numbers, part.stages, strict=True):
                if number not in self._needed:
                    continue
                x = stage.values(answer.x, answer.seconds[number])
                plan = decode(stage.program, x, PlanStatus.FEASIBLE, 0.0, 0.0)
                used = {purchase.offer for purchase in plan.purchases}
                ready = exact(sum(kept_ready(stage.program, x, used).values()))
                cost = exact(float(stage.program.linear.cost @ x) + stage.program.linear.constant - float(ready))
                found[number] = CarriedPart(verify(stage.program.problem, plan.but(objective=cost, bound=cost)), ready)
                _check_routes(stage, plan)
            self._check_same_before(part, found)
        return found

    def _check_same_before(self, part: RiskPart, carried: Mapping[int, CarriedPart]) -> None:
        """That nobody orders, or delivers, before the day as if he knew: what a scenario bars from arriving may be missing in it."""
        period = self.staged.period
        base = _orders(carried[part.numbers[0]].verified, period)
        served = _deliveries(carried[part.numbers[0]].verified, period)
        wrong = []
        for number, stage in zip(part.numbers[1:], part.stages[1:], strict=True):
            if number not in carried:
                continue
            orders = _orders(carried[number].verified, period)
            for key in sorted(base.keys() | orders.keys()):
                here, there = orders.get(key, _NONE), base.get(key, _NONE)
                cancelled = here < there and key[-1] >= period
                if abs(here - there) > self.slack and not cancelled:
                    wrong.append(_otherwise(f"of `{key[0]}` other kilograms are ordered", stage.happened, here, there))
            own = _deliveries(carried[number].verified, period)
            for name in sorted(served.keys() | own.keys()):
                here, there = own.get(name, _NONE), served.get(name, _NONE)
                if abs(here - there) > self.slack:
                    wrong.append(_otherwise(f"`{name[0]}` gets other kilograms", stage.happened, here, there))
        if wrong:
            raise VerificationError(wrong)

    def decided(self, decisions: Sequence[Decision]) -> Floats:
        """Decisions that were told, as values of the first stage; what is not told is zero.

        Raises:
            InputError: for what the case knows no decision of, or what is told twice.
        """
        places = {told(key): place for place, key in enumerate(self.staged.keys)}
        x = np.zeros(len(places))
        wrong = []
        twice = {name for name, times in Counter(one.about for one in decisions).items() if times > 1}
        for one in decisions:
            if one.about in twice:
                wrong.append(Diagnostic("a decision is told twice", found=one.about, expected="one value of each"))
            elif one.about in places:
                x[places[one.about]] = one.value
            else:
                wrong.append(Diagnostic("the case knows no such decision", found=one.about, expected="one of the plan"))
        if wrong:
            raise InputError(wrong)
        return x

    def decisions(self, x: Floats) -> tuple[Decision, ...]:
        """All that is decided before the day and is not zero."""
        return tuple(
            Decision(about=told(key), value=value)
            for key, value in zip(self.staged.keys, x.tolist(), strict=True)
            if value
        )


def _check_routes(stage: PartStage, plan: Plan) -> None:
    """That a plan orders nothing on routes that are lost."""
    wrong = [
        Diagnostic(
            f"of `{p.offer}` something is ordered on a route that is lost", found=f"{p.quantity} kg to {p.place}"
        )
        for moves, periods in stage.lost
        for p in plan.purchases
        if p.ordered in periods and (p.offer, p.place) in moves
    ]
    if wrong:
        raise VerificationError(wrong)


def _otherwise(what: str, happened: object, here: Decimal, there: Decimal) -> Diagnostic:
    return Diagnostic(f"before the day {what} where this comes: {happened}", found=str(here), expected=str(there))


def told(key: object) -> str:
    """What a column is about, in one text."""
    if isinstance(key, tuple):
        return f"({' '.join(told(part) for part in key)})"
    return "-" if key is None else str(key)


def _orders(verified: VerifiedPlan, period: int) -> dict[tuple[str, str, str, int, int], Decimal]:
    before = (p for p in verified.plan.purchases if p.ordered < period)
    return totals(((p.offer, p.material, p.place, p.ordered, p.delivered), p.quantity) for p in before)


def _deliveries(verified: VerifiedPlan, period: int) -> dict[tuple[str, int], Decimal]:
    before = (d for d in verified.plan.deliveries if d.period < period)
    return totals(((d.demand, d.period), d.quantity) for d in before)
